//! JSON as it was written (RFC 8259): numbers keep their digits, members their order, and each value
//! knows its place in the text, so that a difference can be shown where it is.

use std::fmt;
use std::ops::Range;

use crate::pattern::number::Number;

/// The deepest nesting, as in most parsers.
const MAX_DEPTH: usize = 128;

/// The most values of a text: each takes much more memory than its text may.
const MAX_VALUES: usize = 1 << 20;

/// A value and its place in the text.
#[derive(Clone, Debug)]
pub struct Json {
    /// The value.
    pub value: Value,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(Number),
    /// A string without its quotes and escapes.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// Members in their order; of several with one name the last counts.
    Object(Vec<(String, Json)>),
}

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Where, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.what, self.offset + 1)
    }
}

/// Reads a text that is one value.
///
/// # Errors
/// Where it is not JSON, is nested too deeply, or has too many values.
pub fn parse(text: &str) -> Result<Json, JsonError> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, left: MAX_VALUES };
    let value = reader.value(0)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.wrong("something behind the value")),
    }
}

impl Json {
    /// The member of that name, if it is an object that has one.
    pub fn member(&self, name: &str) -> Option<&Json> {
        match &self.value {
            Value::Object(members) => {
                members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Whether both are the same, numbers by value and members in any order.
    pub fn equals(&self, other: &Json) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (Value::Object(a), Value::Object(b)) => {
                let in_other = |(name, _): &(String, Json)| {
                    let (ours, theirs) = (self.member(name), other.member(name));
                    ours.zip(theirs).is_some_and(|(ours, theirs)| ours.equals(theirs))
                };
                a.iter().all(in_other) && b.iter().all(|(name, _)| self.member(name).is_some())
            }
            _ => false,
        }
    }

    /// A string's text; of everything else what was written in `source`.
    pub fn text(&self, source: &str) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => source.get(self.span.clone()).unwrap_or_default().to_owned(),
        }
    }

    /// The name of its type.
    pub fn type_name(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }
}

/// Text for the inside of a JSON string.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// How many more values there may be.
    left: usize,
}

type Read<T> = Result<T, JsonError>;

impl Reader<'_> {
    fn wrong(&self, what: &'static str) -> JsonError {
        JsonError {
            offset: self.text.get(..self.at).map_or(self.at, |before| before.chars().count()),
            what,
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn value(&mut self, depth: usize) -> Read<Json> {
        let Some(first) = self.peek() else { return Err(self.wrong("the text ends too early")) };
        self.left = self.left.checked_sub(1).ok_or_else(|| self.wrong("too many values"))?;
        if depth > MAX_DEPTH {
            return Err(self.wrong("nested too deeply"));
        }
        let start = self.at;
        let value = match first {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => Value::String(self.string()?),
            b'-' | b'0'..=b'9' => self.number()?,
            _ => self.word()?,
        };
        Ok(Json { value, span: start..self.at })
    }

    fn word(&mut self) -> Read<Value> {
        let words =
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)];
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = words.into_iter().find(|(word, _)| rest.starts_with(word.as_bytes()));
        let Some((word, value)) = found else { return Err(self.wrong("no JSON value")) };
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        Ok(Value::Number(Number::new(self.text.get(start..self.at).unwrap_or_default())))
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong("a digit is missing")) } else { Ok(()) }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_there = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn array(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.ends(b']', "a comma or ] is missing")? {
                return Ok(Value::Array(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut members = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a member's name in quotes is missing"));
            }
            let name = self.string()?;
            self.peek();
            if !self.eat(b':') {
                return Err(self.wrong("a colon is missing"));
            }
            members.push((name, self.value(depth + 1)?));
            if self.ends(b'}', "a comma or } is missing")? {
                return Ok(Value::Object(members));
            }
        }
    }

    /// Takes a comma, or what ends the list.
    fn ends(&mut self, end: u8, missing: &'static str) -> Read<bool> {
        self.peek();
        if self.eat(end) {
            return Ok(true);
        }
        if self.eat(b',') { Ok(false) } else { Err(self.wrong(missing)) }
    }

    fn string(&mut self) -> Read<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while self.bytes.get(self.at).is_some_and(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.wrong("a control character that must be escaped")),
                None => return Err(self.wrong("the string has no end")),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let escape = self.bytes.get(self.at + 1).copied();
        let plain = match escape {
            Some(b @ (b'"' | b'\\' | b'/')) => char::from(b),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.unit()?;
                let second = match first {
                    0xd800..=0xdbff if self.bytes.get(self.at..self.at + 2) == Some(b"\\u") => {
                        Some(self.unit()?)
                    }
                    _ => None,
                };
                let units = [first, second.unwrap_or_default()];
                let units = units.get(..if second.is_some() { 2 } else { 1 }).unwrap_or_default();
                let mut decoded = char::decode_utf16(units.iter().copied());
                // Half of a pair is allowed by the grammar; there is no character for it.
                return Ok(decoded.next().and_then(Result::ok).unwrap_or('\u{fffd}'));
            }
            _ => return Err(self.wrong("no escape of JSON")),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\u` and four hex digits
    fn unit(&mut self) -> Read<u16> {
        let digits = self.text.get(self.at + 2..self.at + 6);
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.wrong("four hex digits are missing"))?;
        self.at += 6;
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn it_agrees_with_serde() {
        for text in [
            "null",
            " true ",
            "-0.5e+3",
            r#""a\u00e9\ud83d\ude00\n\/""#,
            r#"{"a":[1,{"b":null}],"c":{},"d":[]}"#,
            "12345678901234567890",
            "[1,2",
            "{\"a\"}",
            "01",
            "1.",
            "1e",
            "+1",
            "\"\t\"",
            "\"a",
            "[1,]",
            "{,}",
            "nul",
            "",
            "1 2",
            "\"\\x\"",
            "\"\\u12g4\"",
            "{\"a\":1,}",
        ] {
            let theirs = serde_json::from_str::<serde_json::Value>(text);
            assert_eq!(parse(text).is_ok(), theirs.is_ok(), "{text}");
            if let (Ok(Json { value: Value::String(ours), .. }), Ok(theirs)) = (parse(text), theirs)
            {
                assert_eq!(theirs, ours);
            }
        }
    }

    #[test]
    fn values_know_their_place() {
        let text = r#"{"type":"said", "from" : "u17"}"#;
        let json = parse(text).unwrap();
        let from = json.member("from").unwrap();
        assert_eq!(&text[from.span.clone()], "\"u17\"");
        assert_eq!(json.span, 0..text.len());
    }

    #[test]
    fn equality_is_by_value() {
        let same = |a: &str, b: &str| parse(a).unwrap().equals(&parse(b).unwrap());
        assert!(same(r#"{"a":1,"b":[true]}"#, r#"{"b":[true],"a":1.0}"#));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":2}"#));
        assert!(!same(r#"{"a":1,"b":2}"#, r#"{"a":1}"#));
        assert!(!same("[1,2]", "[2,1]") && !same("\"1\"", "1"));
        assert!(same(r#"{"a":1,"a":2}"#, r#"{"a":2}"#), "the last member counts");
    }

    #[test]
    fn what_is_wrong_is_placed() {
        assert_eq!(wrong("{\"ü\":}"), "no JSON value at character 6");
        assert_eq!(wrong("[1 2]"), "a comma or ] is missing at character 4");
        assert_eq!(wrong("{a:1}"), "a member's name in quotes is missing at character 2");
        assert!(wrong(&"[".repeat(200)).starts_with("nested too deeply"));
        let many = format!("[{}1]", "1,".repeat(1 << 20));
        assert!(wrong(&many).starts_with("too many values"));
    }

    #[test]
    fn escapes_are_read_back() {
        let text = "a\"\\\n\r\t\u{1}é";
        let json = parse(&format!("\"{}\"", escaped(text))).unwrap();
        assert!(matches!(json.value, Value::String(back) if back == text));
    }
}
