//! Small pieces of lines.

use std::fmt;

use crate::pattern::{Json, Value, parse_json};
use crate::text::Untrusted;

/// The first word and the text behind the white space after it.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    match text.split_once([' ', '\t']) {
        Some((word, rest)) => (word, rest.trim_matches([' ', '\t'])),
        None => (text, ""),
    }
}

/// As [`split_word`], but what stands in double braces is part of a word.
pub(super) fn split_braced(text: &str) -> (&str, &str) {
    let mut rest = text;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let at = text.len() - rest.len();
        if rest.starts_with("{{") || rest.starts_with("}}") {
            inside = rest.starts_with("{{");
            rest = &rest[2..];
            continue;
        }
        if !inside && matches!(c, ' ' | '\t') {
            return (&text[..at], rest.trim_matches([' ', '\t']));
        }
        rest = &rest[c.len_utf8()..];
    }
    (text, "")
}

/// A text in quotes, with JSON's escapes.
pub(super) fn quoted_name(text: &str) -> Option<String> {
    match parse_json(text.trim_end()) {
        Ok(Json { value: Value::String(name), .. }) => Some(name),
        _ => None,
    }
}

/// `found "…"`, or `found the end of the line`.
pub(super) struct Found<'a>(pub(super) &'a str);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 40;
        match self.0.chars().count() {
            0 => f.write_str("found the end of the line"),
            1..=MOST => write!(f, "found \"{}\"", Untrusted::text(self.0)),
            _ => {
                let some: String = self.0.chars().take(MOST).collect();
                write!(f, "found \"{}…\"", Untrusted::text(&some))
            }
        }
    }
}
