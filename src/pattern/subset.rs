//! Subset matching: named members must be equal, others may be there; arrays element by element.

use std::ops::Range;

use crate::pattern::json::{Json, Value};

/// One difference between a pattern and a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, as a path.
    pub path: String,
    /// What.
    pub kind: DifferenceKind,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// A member that is not there: its value in the pattern.
    Missing(Range<usize>),
    /// Another value: in the pattern, and in the message.
    Value(Range<usize>, Range<usize>),
    /// Another number of elements: wanted, come, and the array in the message.
    Length(usize, usize, Range<usize>),
}

/// The most differences that are collected.
const MOST: usize = 100;

/// Every difference, in the pattern's order; up to [`MOST`].
pub(super) fn differences(pattern: &Json, message: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(pattern, message, "", &mut found);
    found
}

/// Whether a message matches.
pub(super) fn is_subset(pattern: &Json, message: &Json) -> bool {
    differences(pattern, message).is_empty()
}

fn compare(pattern: &Json, message: &Json, path: &str, found: &mut Vec<Difference>) {
    if found.len() >= MOST {
        return;
    }
    let mut differs = |kind| {
        let path = if path.is_empty() { "." } else { path }.to_owned();
        found.push(Difference { path, kind });
    };
    match (&pattern.value, &message.value) {
        (Value::Object(members), Value::Object(_)) => {
            // Of several members with one name the last counts.
            let counts = |(name, value): &&(String, Json)| {
                pattern.member(name).is_some_and(|last| last.span == value.span)
            };
            for (name, wanted) in members.iter().filter(counts) {
                let plain = super::path::name_size(name) == name.len() && !name.is_empty();
                let inner = match plain {
                    true => format!("{path}.{name}"),
                    false => {
                        format!("{path}{}[\"{name}\"]", if path.is_empty() { "." } else { "" })
                    }
                };
                match message.member(name) {
                    Some(came) => compare(wanted, came, &inner, found),
                    None => found.push(Difference {
                        path: inner,
                        kind: DifferenceKind::Missing(wanted.span.clone()),
                    }),
                }
            }
        }
        (Value::Array(wanted), Value::Array(came)) if wanted.len() != came.len() => {
            differs(DifferenceKind::Length(wanted.len(), came.len(), message.span.clone()));
        }
        (Value::Array(wanted), Value::Array(came)) => {
            for (index, (wanted, came)) in wanted.iter().zip(came).enumerate() {
                let dot = if path.is_empty() { "." } else { "" };
                compare(wanted, came, &format!("{path}{dot}[{index}]"), found);
            }
        }
        _ if pattern.equals(message) => {}
        _ => differs(DifferenceKind::Value(pattern.span.clone(), message.span.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::json::parse;

    fn paths(pattern: &str, message: &str) -> Vec<String> {
        let found = differences(&parse(pattern).unwrap(), &parse(message).unwrap());
        found.into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn further_members_may_be_there_at_every_depth() {
        let none: [&str; 0] = [];
        for (pattern, message) in [
            ("{}", r#"{"a":1}"#),
            (r#"{"a":{"b":1}}"#, r#"{"z":0,"a":{"b":1.0,"c":2}}"#),
            (r#"[{"a":1}]"#, r#"[{"a":1,"b":2}]"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("[]", "[]"),
        ] {
            assert_eq!(paths(pattern, message), none, "{pattern}");
        }
    }

    #[test]
    fn differences_are_placed() {
        for (pattern, message, wanted) in [
            (r#"{"a":1}"#, "{}", vec![".a"]),
            (r#"{"a":1,"b":{"c":2}}"#, r#"{"a":2,"b":{"c":3}}"#, vec![".a", ".b.c"]),
            ("[1,2]", "[1]", vec!["."]),
            (r#"{"l":[1,[2]]}"#, r#"{"l":[1,[3]]}"#, vec![".l[1][0]"]),
            ("[1]", "[2]", vec![".[0]"]),
            ("{}", "[]", vec!["."]),
            (r#"{"x y":1}"#, "{}", vec![".[\"x y\"]"]),
            (r#"{"a":"1"}"#, r#"{"a":1}"#, vec![".a"]),
        ] {
            assert_eq!(paths(pattern, message), wanted, "{pattern}");
        }
    }

    #[test]
    fn a_value_is_found_in_both_texts() {
        let (pattern, message) = (r#"{"from":"u16"}"#, r#"{"t":1,"from":"u17"}"#);
        let found = differences(&parse(pattern).unwrap(), &parse(message).unwrap());
        let [Difference { kind: DifferenceKind::Value(wanted, came), .. }] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!((&pattern[wanted.clone()], &message[came.clone()]), ("\"u16\"", "\"u17\""));
    }
}
