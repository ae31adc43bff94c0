//! Splits a pasted command as the shell it was copied for would: bash or cmd.exe.
//!
//! Nothing is run or expanded: an expansion or substitution is an error.

use std::iter::Peekable;
use std::str::Chars;

use crate::text::Untrusted;

/// The words of one command.
///
/// # Errors
/// One line: why the text isn't a single command, and where.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    if is_for_cmd(text) {
        windows_arguments(&without_carets(text))
    } else {
        Bash::new(text).words()
    }
}

/// Browsers put a caret before the quotes and the line ends of what they copy for cmd.exe, and
/// quote with ' for bash.
fn is_for_cmd(text: &str) -> bool {
    let mut before = ' ';
    for c in text.chars() {
        match (before, c) {
            ('^', '"' | '\r' | '\n') => return true,
            ('\\', '\r' | '\n') | (_, '\'') => return false,
            (_, '"') => return text.lines().any(|line| line.ends_with('^')),
            _ => before = c,
        }
    }
    false
}

/// Reads words with bash's quoting (POSIX shell, XCU 2.2, and `$'…'`).
struct Bash<'a> {
    chars: Peekable<Chars<'a>>,
    /// Characters read.
    at: usize,
}

impl<'a> Bash<'a> {
    fn new(text: &'a str) -> Bash<'a> {
        Bash { chars: text.chars().peekable(), at: 0 }
    }

    fn words(mut self) -> Result<Vec<String>, String> {
        let mut words = Vec::new();
        let mut word: Option<Vec<u8>> = None;
        while let Some(c) = self.next() {
            let began = self.at;
            match c {
                ' ' | '\t' | '\r' | '\n' => {
                    words.extend(word.take());
                    // A line end without a backslash ends the command.
                    if c == '\n' && !words.is_empty() && self.chars.any(|c| !c.is_whitespace()) {
                        return Err(format!(
                            "a second command begins behind the line end at character {began}"
                        ));
                    }
                }
                '\\' => match self.next() {
                    Some('\n') => {}
                    Some('\r') if self.chars.peek() == Some(&'\n') => {
                        self.next();
                    }
                    Some(c) => push(word.get_or_insert_default(), c),
                    None => return Err("it ends with a backslash".to_owned()),
                },
                '\'' => self.single(word.get_or_insert_default())?,
                '"' => self.double(word.get_or_insert_default())?,
                '$' if self.chars.peek() == Some(&'\'') => {
                    self.next();
                    self.ansi(word.get_or_insert_default())?;
                }
                // In a locale without translations $"…" is "…".
                '$' if self.chars.peek() == Some(&'"') => {}
                '$' | '`' if self.is_expansion(c) => return Err(expansion(c, began)),
                '|' | '&' | ';' | '<' | '>' | '(' | ')' => {
                    return Err(format!(
                        "only one command is read, but there is a {c} at character {began}"
                    ));
                }
                c => push(word.get_or_insert_default(), c),
            }
        }
        words.extend(word);
        words.into_iter().map(utf8).collect()
    }

    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.chars.next()
    }

    fn single(&mut self, word: &mut Vec<u8>) -> Result<(), String> {
        let began = self.at;
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(c) => push(word, c),
                None => return Err(unterminated('\'', began)),
            }
        }
    }

    fn double(&mut self, word: &mut Vec<u8>) -> Result<(), String> {
        let began = self.at;
        loop {
            let Some(c) = self.next() else { return Err(unterminated('"', began)) };
            match c {
                '"' => return Ok(()),
                '\\' => match self.next() {
                    Some('\n') => {}
                    Some(c @ ('$' | '`' | '"' | '\\')) => push(word, c),
                    Some(c) => {
                        push(word, '\\');
                        push(word, c);
                    }
                    None => return Err(unterminated('"', began)),
                },
                '$' | '`' if self.is_expansion(c) => return Err(expansion(c, self.at)),
                c => push(word, c),
            }
        }
    }

    /// `$'…'`, behind its first quote.
    fn ansi(&mut self, word: &mut Vec<u8>) -> Result<(), String> {
        let began = self.at;
        loop {
            let Some(c) = self.next() else { return Err(unterminated('\'', began)) };
            match c {
                '\'' => return Ok(()),
                '\\' => self.escape(word)?,
                c => push(word, c),
            }
        }
    }

    /// What follows a backslash in `$'…'`.
    fn escape(&mut self, word: &mut Vec<u8>) -> Result<(), String> {
        let began = self.at;
        let Some(c) = self.next() else { return Err(unterminated('\'', began)) };
        let byte = match c {
            'a' => 0x07,
            'b' => 0x08,
            'e' | 'E' => 0x1b,
            'f' => 0x0c,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 0x0b,
            '\\' | '\'' | '"' | '?' => c as u8,
            'x' => {
                self.number(16, 2).and_then(|n| u8::try_from(n).ok()).ok_or_else(|| bad(began))?
            }
            '0'..='7' => {
                let digits = format!("{c}{}", self.digits(8, 2));
                // As in bash: a value above one byte keeps its low bits.
                u32::from_str_radix(&digits, 8).unwrap_or_default() as u8
            }
            'u' | 'U' => {
                let c = self.unicode(if c == 'u' { 4 } else { 8 }).ok_or_else(|| bad(began))?;
                push(word, c);
                return Ok(());
            }
            other => {
                push(word, '\\');
                push(word, other);
                return Ok(());
            }
        };
        if byte == 0 {
            return Err(format!("a NUL byte is written at character {began}"));
        }
        word.push(byte);
        Ok(())
    }

    /// A character by its number; browsers have written those beyond U+FFFF as two surrogates.
    fn unicode(&mut self, most: usize) -> Option<char> {
        let first = self.number(16, most)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).filter(|c| *c != '\0');
        }
        if (self.next(), self.next()) != (Some('\\'), Some('u')) {
            return None;
        }
        let second = self.number(16, 4)?;
        let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
        char::decode_utf16(units).next()?.ok()
    }

    fn number(&mut self, radix: u32, most: usize) -> Option<u32> {
        u32::from_str_radix(&self.digits(radix, most), radix).ok()
    }

    fn digits(&mut self, radix: u32, most: usize) -> String {
        let mut digits = String::new();
        while digits.len() < most
            && let Some(c) = self.chars.next_if(|c| c.is_digit(radix))
        {
            self.at += 1;
            digits.push(c);
        }
        digits
    }

    /// A lone dollar sign is literal.
    fn is_expansion(&mut self, c: char) -> bool {
        let begins = |c: &char| c.is_ascii_alphanumeric() || "_{([*@#?$!-".contains(*c);
        c == '`' || self.chars.peek().is_some_and(begins)
    }
}

/// Removes cmd.exe's own quoting: outside of quotation marks without a caret, a caret makes the
/// next character literal.
fn without_carets(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().filter(|c| *c != '\r');
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '^' if !quoted => match chars.next() {
                // The line continues, and its first character is literal, even a line end.
                Some('\n') => plain.extend(chars.next()),
                other => plain.extend(other),
            },
            '"' => {
                quoted = !quoted;
                plain.push(c);
            }
            c => plain.push(c),
        }
    }
    plain
}

/// Splits a command line as the C library of Windows does: backslashes escape only before a
/// quotation mark, and two marks within quotation marks are one.
fn windows_arguments(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut opened = None;
    let mut backslashes = 0;
    let mut chars = line.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        let literal = if c == '"' { backslashes / 2 } else { backslashes };
        let escaped = c == '"' && backslashes % 2 == 1;
        if backslashes > 0 {
            word.get_or_insert_default().extend(std::iter::repeat_n('\\', literal));
            backslashes = 0;
        }
        match c {
            '"' if escaped => word.get_or_insert_default().push('"'),
            '"' if opened.is_some() && chars.next_if(|(_, c)| *c == '"').is_some() => {
                word.get_or_insert_default().push('"');
            }
            '"' => {
                word.get_or_insert_default();
                opened = if opened.is_some() { None } else { Some(at + 1) };
            }
            ' ' | '\t' | '\n' if opened.is_none() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if let Some(began) = opened {
        return Err(unterminated('"', began));
    }
    if backslashes > 0 {
        word.get_or_insert_default().extend(std::iter::repeat_n('\\', backslashes));
    }
    words.extend(word);
    Ok(words)
}

fn push(word: &mut Vec<u8>, c: char) {
    word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn utf8(word: Vec<u8>) -> Result<String, String> {
    String::from_utf8(word).map_err(|_| "a word of it is not UTF-8".to_owned())
}

fn unterminated(quote: char, began: usize) -> String {
    format!("the {quote} at character {began} has no other one to end it")
}

fn bad(at: usize) -> String {
    format!("the escape at character {at} stands for no character")
}

fn expansion(c: char, at: usize) -> String {
    let c = Untrusted::text(c.encode_utf8(&mut [0; 4])).to_string();
    format!("nothing is expanded or run, but there is a {c} at character {at}: write its value")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text).unwrap()
    }

    #[test]
    fn quotes_of_bash() {
        for (text, wanted) in [
            ("curl 'a b' c", &["curl", "a b", "c"][..]),
            ("a'b'\"c\"d e''", &["abcd", "e"]),
            ("'' \"\" x", &["", "", "x"]),
            (r#""a\"b\$c\\d\e""#, &[r#"a"b$c\d\e"#]),
            ("a\\ b \\'c\\\"", &["a b", "'c\""]),
            ("a \\\n  -H 'b\\\n c' \"d\\\ne\"", &["a", "-H", "b\\\n c", "de"]),
            ("a \\\r\n b", &["a", "b"]),
            ("cost: $ 5$ \"$ %\"", &["cost:", "$", "5$", "$ %"]),
            ("https://h/?a=1#b ~ *", &["https://h/?a=1#b", "~", "*"]),
            ("a\n\n", &["a"]),
        ] {
            assert_eq!(words(text), wanted, "{text}");
        }
    }

    #[test]
    fn escapes_of_bash() {
        for (text, wanted) in [
            (r"$'it\'s\u0021'", "it's!"),
            (r"$'\x41\x4g\t\n\\\e\101\7'", "A\u{4}g\t\n\\\u{1b}A\u{7}"),
            (r"$'\u00e9\U0001f600\xc3\xa9'", "é😀é"),
            (r"$'\ud83d\ude00'", "😀"),
            (r"$'\q\u41'", "\\qA"),
            (r#"$"a\"b""#, "a\"b"),
        ] {
            assert_eq!(words(text), [wanted], "{text}");
        }
    }

    #[test]
    fn what_bash_would_not_take_alone() {
        for (text, why) in [
            ("curl 'a", "the ' at character 6 has no other"),
            ("curl \"a", "the \" at character 6 has no other"),
            ("curl \"a\\", "the \" at character 6 has no other"),
            ("curl $'a\\'", "the ' at character 7 has no other"),
            ("curl a\\", "ends with a backslash"),
            ("curl a | jq", "there is a | at character 8"),
            ("curl a&b=c", "there is a & at character 7"),
            ("curl a; rm", "there is a ;"),
            ("curl a > b", "there is a >"),
            ("curl a\nrm b", "a second command"),
            ("curl $TOKEN", "there is a $ at character 6"),
            ("curl \"${TOKEN}\"", "there is a $ at character 7"),
            ("curl `id`", "there is a `"),
            ("curl $(id)", "there is a $"),
            (r"$'\x'", "stands for no character"),
            (r"$'\ud83d'", "stands for no character"),
            (r"$'\uzz'", "stands for no character"),
            (r"$'\U00110000'", "stands for no character"),
            (r"$'\0'", "NUL"),
            (r"$'\u0000'", "stands for no character"),
            (r"$'\xff'", "not UTF-8"),
        ] {
            let error = split(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn quotes_of_cmd() {
        for (text, wanted) in [
            (
                "curl ^\"wss://h/?a=1^&b=2^\" ^\r\n  -H ^\"A: b^\"",
                &["curl", "wss://h/?a=1&b=2", "-H", "A: b"][..],
            ),
            (
                "curl ^\"a^\" ^\n -H ^\"B: ^\\^\"c^\\^\" ^%^PATH^%^\"",
                &["curl", "a", "-H", "B: \"c\" %PATH%"],
            ),
            ("curl ^\"a^\" -H ^\"it's^\"", &["curl", "a", "-H", "it's"]),
            ("curl \"a^b\" ^\n \"c\"\"d\" e\\f\\\\\" g\"", &["curl", "a^b", "c\"d", "ef\\ g"]),
            ("curl ^\"a^\n\nb^\"", &["curl", "a\nb"]),
        ] {
            let wanted: Vec<_> = wanted.iter().map(|w| w.replace("ef", "e\\f")).collect();
            assert_eq!(words(text), wanted, "{text}");
        }
        assert!(split("curl ^\"a").unwrap_err().contains("has no other"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_wild(text in r#"[ab'"\\$^\nux0{}é|]{0,40}"#) {
            let _ = split(&text);
        }
    }
}
