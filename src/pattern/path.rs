//! Paths into JSON: `.a.b[0]["x y"]`, `.` for the whole, `.list | length`.

use std::fmt;

use crate::pattern::json::{Json, Value};
use crate::pattern::number::Number;
use crate::text::Untrusted;

/// A path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
    length: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Index(usize),
}

impl Path {
    /// Reads a path at the beginning of `text`; returns the text behind it as well.
    ///
    /// # Errors
    /// What is wrong, and how many bytes into `text`.
    pub fn parse(text: &str) -> Result<(Path, &str), (usize, String)> {
        let at = |rest: &str| text.len() - rest.len();
        let mut path = Path::default();
        let mut rest = text.strip_prefix('.').ok_or((0, "a path begins with a dot".to_owned()))?;
        let mut named = true;
        loop {
            let size = if named { name_size(rest) } else { 0 };
            named = false;
            if size > 0 {
                let (name, behind) = rest.split_at(size);
                path.steps.push(Step::Member(name.to_owned()));
                rest = behind;
            } else if let Some(inner) = rest.strip_prefix('[') {
                let (step, behind) = bracket(inner).map_err(|what| (at(rest), what))?;
                path.steps.push(step);
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix('.').filter(|_| !path.steps.is_empty()) {
                if name_size(behind) == 0 {
                    let what = "a name is missing behind the dot; others than letters, digits, _, - \
                                and $ stand in brackets: [\"x y\"]";
                    return Err((at(behind), what.to_owned()));
                }
                rest = behind;
                named = true;
            } else {
                break;
            }
        }
        if let Some(filter) = rest.trim_start().strip_prefix('|') {
            let filter = filter.trim_start();
            let name = filter.split([' ', '\t', '=', '!', '<', '>']).next().unwrap_or_default();
            if name != "length" {
                let what = format!("\"{}\" is no filter; there is length", Untrusted::text(name));
                return Err((at(filter), what));
            }
            path.length = true;
            rest = &filter[name.len()..];
        }
        Ok((path, rest))
    }

    /// The value there.
    ///
    /// # Errors
    /// Which part of the path is missing, or has no length.
    pub fn find(&self, root: &Json) -> Result<Json, String> {
        let mut value = root;
        for (count, step) in self.steps.iter().enumerate() {
            let found = match (step, &value.value) {
                (Step::Member(name), Value::Object(_)) => value.member(name),
                (Step::Index(index), Value::Array(items)) => items.get(*index),
                _ => None,
            };
            value = found.ok_or_else(|| {
                let before = Path { steps: self.steps[..count].to_vec(), length: false };
                let missing = Path { steps: self.steps[..=count].to_vec(), length: false };
                match (step, &value.value) {
                    (Step::Member(_), Value::Object(_)) => format!("{missing} is missing"),
                    (Step::Index(_), Value::Array(items)) => {
                        format!("{missing} is missing: {before} has {} elements", items.len())
                    }
                    _ => format!("{missing} is missing: {before} is a {}", value.type_name()),
                }
            })?;
        }
        if !self.length {
            return Ok(value.clone());
        }
        let length = match &value.value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            Value::String(text) => text.chars().count(),
            _ => return Err(format!("{self}: a {} has no length", value.type_name())),
        };
        Ok(Json { value: Value::Number(Number::from(length)), span: 0..0 })
    }
}

impl Path {
    /// The name, if the path is that of a member of the whole.
    pub fn member(&self) -> Option<&str> {
        match &self.steps[..] {
            [Step::Member(name)] if !self.length => Some(name),
            _ => None,
        }
    }

    /// The value there as text: a string without its quotes, anything else as it was written in
    /// `source`.
    ///
    /// # Errors
    /// Those of [`Path::find`].
    pub fn capture(&self, root: &Json, source: &str) -> Result<String, String> {
        self.find(root).map(|found| found.text(source))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, step) in self.steps.iter().enumerate() {
            match step {
                Step::Member(name) if name_size(name) == name.len() && !name.is_empty() => {
                    write!(f, ".{name}")?;
                }
                Step::Member(name) => {
                    let dot = if count == 0 { "." } else { "" };
                    write!(f, "{dot}[\"{}\"]", Untrusted::text(name))?;
                }
                Step::Index(index) => {
                    write!(f, "{}[{index}]", if count == 0 { "." } else { "" })?;
                }
            }
        }
        if self.steps.is_empty() {
            f.write_str(".")?;
        }
        if self.length { f.write_str(" | length") } else { Ok(()) }
    }
}

/// How many bytes of a member's name there are that need no brackets.
pub(super) fn name_size(text: &str) -> usize {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@');
    text.find(|c| !plain(c)).unwrap_or(text.len())
}

/// What stands in brackets, and the text behind them.
fn bracket(inner: &str) -> Result<(Step, &str), String> {
    let wrong = || "in brackets stands an index or a name in quotes: [0], [\"x y\"]".to_owned();
    if let Some(quoted) = inner.strip_prefix('"') {
        let end = quoted
            .char_indices()
            .scan(false, |escaped, (at, c)| {
                let ends = c == '"' && !*escaped;
                *escaped = c == '\\' && !*escaped;
                Some((at, ends))
            })
            .find(|(_, ends)| *ends)
            .map(|(at, _)| at + 2)
            .ok_or_else(wrong)?;
        let name: String = match super::json::parse(&inner[..end]) {
            Ok(Json { value: Value::String(name), .. }) => name,
            _ => return Err(wrong()),
        };
        let rest = inner[end..].strip_prefix(']').ok_or_else(wrong)?;
        return Ok((Step::Member(name), rest));
    }
    let (digits, rest) = inner.split_once(']').ok_or_else(wrong)?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let index = digits.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    Ok((Step::Index(index), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::json::parse;

    fn found(path: &str, json: &str) -> Result<String, String> {
        let (path, rest) = Path::parse(path).unwrap();
        assert_eq!(rest, "");
        let found = path.find(&parse(json).unwrap())?;
        Ok(match found.value {
            Value::Number(number) => number.to_string(),
            _ => json[found.span].to_owned(),
        })
    }

    #[test]
    fn paths_find_what_is_there() {
        let json = r#"{"a":{"b":[10,{"x y":"z"}]},"é-1":true,"$id":7}"#;
        for (path, value) in [
            (".a.b[0]", "10"),
            (".a.b[1][\"x y\"]", "\"z\""),
            (".[\"a\"].b | length", "2"),
            (".a|length", "1"),
            (".é-1", "true"),
            (".$id", "7"),
            (".", json),
            (".a.b[1][\"x y\"] | length", "1"),
        ] {
            assert_eq!(found(path, json).as_deref(), Ok(value), "{path}");
        }
        assert_eq!(found(".[1]", "[1,20]").as_deref(), Ok("20"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let json = r#"{"a":{"b":[10]}}"#;
        for (path, says) in [
            (".c", ".c is missing"),
            (".a.b[3].x", ".a.b[3] is missing: .a.b has 1 elements"),
            (".a.b.c", ".a.b.c is missing: .a.b is a array"),
            (".[0]", ".[0] is missing: . is a object"),
            (".a.b[0] | length", ".a.b[0] | length: a number has no length"),
        ] {
            assert_eq!(found(path, json).unwrap_err(), says);
        }
    }

    #[test]
    fn what_is_no_path_is_placed() {
        for (path, at, says) in [
            ("a", 0, "begins with a dot"),
            (".a.", 3, "name is missing"),
            (".a[x]", 2, "in brackets"),
            (".a[-1]", 2, "in brackets"),
            (".a[\"b]", 2, "in brackets"),
            (".a | size", 5, "there is length"),
        ] {
            let (place, what) = Path::parse(path).unwrap_err();
            assert_eq!(place, at, "{path}");
            assert!(what.contains(says), "{what}");
        }
        let (_, rest) = Path::parse(".a >= 1").unwrap();
        assert_eq!(rest, " >= 1");
    }
}
