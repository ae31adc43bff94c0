//! A pattern for a whole message, and what it says of a message that doesn't match.

use std::borrow::Cow;

use regex::Regex;

use crate::pattern::diff::{likeness, short, text_difference};
use crate::pattern::json::{Json, Value, parse};
use crate::pattern::number::Number;
use crate::pattern::subset::{Difference, DifferenceKind, differences};
use crate::protocol::frame::Opcode;
use crate::text::Untrusted;

/// A data message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Text or Binary.
    pub opcode: Opcode,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// A text message.
    pub fn text(text: &'a str) -> Message<'a> {
        Message { opcode: Opcode::Text, payload: text.as_bytes() }
    }

    /// The payload as text.
    pub fn source(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.payload)
    }

    /// What paths look into: JSON, else the text as a string; a binary message is the list of its
    /// bytes. The places of the values are in [`Message::source`].
    pub fn root(&self) -> Json {
        let all = 0..self.payload.len();
        if self.opcode == Opcode::Text {
            let text = self.source();
            let is_text = || Json { value: Value::String(text.to_string()), span: all };
            return parse(&text).unwrap_or_else(|_| is_text());
        }
        let byte =
            |byte: &u8| Json { value: Value::Number(Number::from(usize::from(*byte))), span: 0..0 };
        Json { value: Value::Array(self.payload.iter().map(byte).collect()), span: all }
    }
}

/// What a message must be.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Any message, text or binary.
    Any,
    /// A binary message of these bytes.
    Binary(Vec<u8>),
    /// This text.
    Equal(String),
    /// JSON that this is a subset of, with its text.
    Subset(Json, String),
    /// A text with a match of this.
    Regex(Regex),
}

/// Named groups of a regular expression and what they have matched.
pub type Groups = Vec<(String, String)>;

/// Why a message doesn't match.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// In a few words.
    pub what: String,
    /// How near it is: 0 for nothing in common, almost 1 for almost a match.
    pub likeness: f64,
    /// The only difference, if it is one value: its column in the text that came, what was wanted, and
    /// what came.
    pub value: Option<(usize, String, String)>,
    /// All differences, as lines that begin with `- ` for what was wanted and with `+ ` for what came.
    pub lines: Vec<String>,
}

impl Pattern {
    /// A JSON object or array as a subset, other text as it is.
    pub fn text(text: &str) -> Pattern {
        match parse(text) {
            Ok(json) if matches!(json.value, Value::Object(_) | Value::Array(_)) => {
                Pattern::Subset(json, text.to_owned())
            }
            _ => Pattern::Equal(text.to_owned()),
        }
    }

    /// A regular expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn regex(text: &str) -> Result<Pattern, String> {
        Regex::new(text).map(Pattern::Regex).map_err(|e| {
            let why = e.to_string();
            let why = why.lines().last().unwrap_or_default();
            Untrusted::text(why.trim_start_matches("error: ")).to_string()
        })
    }

    /// Compares a message; returns the named groups of a regular expression.
    ///
    /// # Errors
    /// What differs.
    pub fn judge(&self, message: Message<'_>) -> Result<Groups, Mismatch> {
        let is_text = message.opcode == Opcode::Text;
        match self {
            Pattern::Any => Ok(Groups::new()),
            Pattern::Binary(_) if is_text => Err(Mismatch::other("a text message, not binary")),
            Pattern::Binary(bytes) if bytes == message.payload => Ok(Groups::new()),
            Pattern::Binary(bytes) => Err(binary(bytes, message.payload)),
            _ if !is_text => Err(Mismatch::other("a binary message, not text")),
            Pattern::Equal(text) if text.as_bytes() == message.payload => Ok(Groups::new()),
            Pattern::Equal(text) => Err(equal(text, &message.source())),
            Pattern::Subset(wanted, text) => subset(wanted, text, &message.source()),
            Pattern::Regex(regex) => {
                let text = message.source();
                let captures = regex.captures(&text).ok_or_else(|| Mismatch {
                    likeness: 0.1,
                    ..Mismatch::other("no match in it")
                })?;
                let names = regex.capture_names().flatten();
                let group =
                    |name: &str| Some((name.to_owned(), captures.name(name)?.as_str().to_owned()));
                Ok(names.filter_map(group).collect())
            }
        }
    }
}

impl Mismatch {
    fn other(what: impl Into<String>) -> Mismatch {
        Mismatch { what: what.into(), likeness: 0.0, value: None, lines: Vec::new() }
    }
}

fn equal(wanted: &str, came: &str) -> Mismatch {
    let not_json = match (wanted.as_bytes().first(), parse(wanted)) {
        (Some(b'{' | b'['), Err(e)) => format!("; the pattern is no JSON: {e}"),
        _ => String::new(),
    };
    Mismatch {
        what: format!("another text{not_json}"),
        likeness: likeness(wanted, came),
        value: None,
        lines: text_difference(wanted, came),
    }
}

fn subset(wanted: &Json, text: &str, came: &str) -> Result<Groups, Mismatch> {
    let json = match parse(came) {
        Ok(json) => json,
        Err(e) => return Err(Mismatch::other(format!("no JSON: {e}"))),
    };
    let found = differences(wanted, &json);
    if found.is_empty() {
        return Ok(Groups::new());
    }
    let wanted_at = |span: &std::ops::Range<usize>| text.get(span.clone()).unwrap_or_default();
    let came_at = |span: &std::ops::Range<usize>| came.get(span.clone()).unwrap_or_default();
    let shown = |text: &str| short(text).to_string();
    let value = match &found[..] {
        [Difference { kind: DifferenceKind::Value(w, c), .. }] => {
            let before = came.get(..c.start).unwrap_or_default();
            let column = Untrusted::text(before).to_string().chars().count();
            Some((column, shown(wanted_at(w)), shown(came_at(c))))
        }
        _ => None,
    };
    let mut lines = Vec::new();
    for Difference { path, kind } in &found {
        let path = Untrusted::text(path);
        match kind {
            DifferenceKind::Missing(w) => {
                lines.push(format!("{path} is missing"));
                lines.push(format!("- {}", shown(wanted_at(w))));
            }
            DifferenceKind::Value(w, c) => {
                lines.push(format!("{path} is another value"));
                lines.push(format!("- {}", shown(wanted_at(w))));
                lines.push(format!("+ {}", shown(came_at(c))));
            }
            DifferenceKind::Length(w, c, span) => {
                lines.push(format!("{path} has {c} elements, not {w}"));
                lines.push(format!("+ {}", shown(came_at(span))));
            }
        }
    }
    let what = match (&found[..], lines.first()) {
        ([_], Some(line)) => line.clone(),
        _ => format!("{} differences", found.len()),
    };
    let members = leaves(wanted).max(found.len()) as f64;
    let likeness = 1.0 - found.len() as f64 / (members + 1.0);
    Err(Mismatch { what, likeness, value, lines })
}

/// How many values there are to compare.
fn leaves(json: &Json) -> usize {
    match &json.value {
        Value::Object(members) => members.iter().map(|(_, value)| leaves(value)).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        _ => 1,
    }
}

fn binary(wanted: &[u8], came: &[u8]) -> Mismatch {
    let same = wanted.iter().zip(came).take_while(|(a, b)| a == b).count();
    let hex = |bytes: &[u8]| -> String {
        // Around the first difference.
        let from = same.saturating_sub(8);
        let some = bytes.get(from..).unwrap_or_default();
        let shown: Vec<String> = some.iter().take(24).map(|b| format!("{b:02x}")).collect();
        let (before, after) =
            (if from > 0 { "… " } else { "" }, if some.len() > 24 { " …" } else { "" });
        format!("{before}{}{after}", shown.join(" "))
    };
    let what = match wanted.len() == came.len() {
        true => format!("byte {same} differs"),
        false => format!("byte {same} differs; {} bytes, not {}", came.len(), wanted.len()),
    };
    Mismatch {
        what,
        likeness: same as f64 / (wanted.len().max(came.len()) as f64 + 1.0),
        value: None,
        lines: vec![format!("- {}", hex(wanted)), format!("+ {}", hex(came))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mismatch(pattern: &Pattern, text: &str) -> Mismatch {
        pattern.judge(Message::text(text)).unwrap_err()
    }

    fn bytes(payload: &[u8]) -> Message<'_> {
        Message { opcode: Opcode::Binary, payload }
    }

    #[test]
    fn json_is_a_subset_and_other_text_is_equal() {
        let subset = Pattern::text(r#"{"a":1}"#);
        assert!(subset.judge(Message::text(r#"{"b":2, "a":1.0}"#)).is_ok());
        assert_eq!(mismatch(&subset, "hello").what, "no JSON: no JSON value at character 1");
        assert_eq!(mismatch(&subset, "{}").what, ".a is missing");
        assert!(Pattern::text("1").judge(Message::text("1.0")).is_err(), "a text");
        assert!(Pattern::text("[note] x").judge(Message::text("[note] x")).is_ok());
        let typo = mismatch(&Pattern::text("{\"a\":1,}"), "{\"a\":1}");
        assert!(typo.what.contains("the pattern is no JSON"), "{}", typo.what);
    }

    #[test]
    fn the_only_difference_has_its_column() {
        let pattern = Pattern::text(r#"{"from":"u16"}"#);
        let found = mismatch(&pattern, r#"{"t":"é","from":"u17"}"#);
        assert_eq!(found.value, Some((16, "\"u16\"".into(), "\"u17\"".into())));
        let more = mismatch(&Pattern::text(r#"{"a":1,"b":2}"#), r#"{"a":2}"#);
        assert_eq!(more.value, None);
        assert_eq!(more.lines, [".a is another value", "- 1", "+ 2", ".b is missing", "- 2"]);
        assert!(found.likeness < 1.0 && found.likeness > more.likeness);
    }

    #[test]
    fn named_groups_are_captured() {
        let regex = Pattern::regex("id=(?<id>[0-9]+)( (?<rest>.*))?").unwrap();
        let groups = regex.judge(Message::text("x id=42")).unwrap();
        assert_eq!(groups, [("id".to_owned(), "42".to_owned())]);
        assert!(Pattern::regex("(").unwrap_err().contains("unclosed group"));
    }

    #[test]
    fn kinds_are_kept_apart() {
        let text = Pattern::text("x");
        assert_eq!(text.judge(bytes(b"x")).unwrap_err().what, "a binary message, not text");
        let binary = Pattern::Binary(b"x".to_vec());
        assert_eq!(mismatch(&binary, "x").what, "a text message, not binary");
        assert!(Pattern::Any.judge(bytes(b"x")).is_ok());
        let found = binary.judge(bytes(b"xyz")).unwrap_err();
        assert_eq!(found.what, "byte 1 differs; 3 bytes, not 1");
        assert_eq!(found.lines, ["- 78", "+ 78 79 7a"]);
    }

    #[test]
    fn a_binary_message_is_the_list_of_its_bytes() {
        let Value::Array(items) = bytes(b"\x00\xff").root().value else { panic!() };
        assert!(matches!(&items[1].value, Value::Number(n) if n.to_string() == "255"));
        assert!(matches!(Message::text("hi").root().value, Value::String(text) if text == "hi"));
    }
}
