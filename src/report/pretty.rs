//! Pretty-prints JSON payloads. Only the white space between tokens changes, so no number is
//! rounded and no duplicate key is lost.

use std::io::{self, Write};

use crate::report::style::{Style, Tone};
use crate::text::Untrusted;

/// Whether the text is a JSON object or array, and so worth pretty-printing.
pub(super) fn is_structured(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
        && serde_json::from_slice::<serde_json::Value>(text).is_ok()
}

/// Writes valid JSON on several lines, without a newline at the end. Lines after the first
/// begin with `margin`. For a terminal what could mislead it is escaped.
///
/// # Errors
/// Those of `out`.
pub(super) fn pretty(
    text: &[u8],
    margin: &str,
    style: Style,
    escapes: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut tokens = Tokens { rest: text }.peekable();
    let mut depth = 0;
    while let Some(token) = tokens.next() {
        let newline = |depth: usize, out: &mut dyn Write| {
            write!(out, "\n{margin}{:width$}", "", width = 2 * depth)
        };
        match token {
            b"{" | b"[" => {
                out.write_all(token)?;
                match tokens.next_if(|next| matches!(*next, b"}" | b"]")) {
                    Some(end) => out.write_all(end)?,
                    None => {
                        depth += 1;
                        newline(depth, out)?;
                    }
                }
            }
            b"}" | b"]" => {
                depth = depth.saturating_sub(1);
                newline(depth, out)?;
                out.write_all(token)?;
            }
            b"," => {
                out.write_all(token)?;
                newline(depth, out)?;
            }
            b":" => out.write_all(b": ")?,
            word => {
                let tone = match word.first() {
                    Some(b'"') if tokens.peek() == Some(&&b":"[..]) => Tone::Info,
                    Some(b'"') => Tone::Good,
                    Some(b't' | b'f' | b'n') => Tone::Warning,
                    _ => Tone::Sent,
                };
                match escapes {
                    true => write!(out, "{}", style.paint(tone, Untrusted(word)))?,
                    // Valid JSON is UTF-8.
                    false => write!(out, "{}", style.paint(tone, String::from_utf8_lossy(word)))?,
                }
            }
        }
    }
    Ok(())
}

/// The tokens of valid JSON.
struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest.trim_ascii_start();
        let length = match text.first()? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => string_length(text),
            _ => text
                .iter()
                .position(|b| b.is_ascii_whitespace() || b"{}[],:\"".contains(b))
                .unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at_checked(length)?;
        self.rest = rest;
        Some(token)
    }
}

fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, color: bool) -> String {
        let mut out = Vec::new();
        pretty(text.as_bytes(), "  ", Style::new(color), true, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tokens_stay_as_they_came() {
        assert_eq!(
            shown("{\"a\":[1.50e400,-0, {}],\"a\" : \"\\\"x\\\\\",\"b\":[ ]}", false),
            "{\n    \"a\": [\n      1.50e400,\n      -0,\n      {}\n    ],\n    \"a\": \
             \"\\\"x\\\\\",\n    \"b\": []\n  }"
        );
    }

    #[test]
    fn only_objects_and_arrays_are_structured() {
        assert!(is_structured(b" {\"a\":1}"));
        assert!(is_structured(b"[]"));
        assert!(!is_structured(b"1"));
        assert!(!is_structured(b"{\"a\":1"));
        assert!(!is_structured("[".repeat(100_000).as_bytes()));
    }

    #[test]
    fn keys_strings_numbers_and_words_have_their_colours() {
        assert_eq!(
            shown("{\"k\":[\"s\",1,null]}", true),
            "{\n    \x1b[34m\"k\"\x1b[0m: [\n      \x1b[32m\"s\"\x1b[0m,\n      \x1b[36m1\x1b[0m,\n\
             \x20     \x1b[33mnull\x1b[0m\n    ]\n  }"
        );
    }

    #[test]
    fn strings_are_still_somebody_elses() {
        assert_eq!(shown("[\"\u{202e}\u{9b}\"]", false), "[\n    \"\\u{202e}\\u{9b}\"\n  ]");
    }
}
