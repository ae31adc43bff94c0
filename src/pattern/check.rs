//! An assertion about a place in a message: `.members >= 1`, `.id exists`, `.name ~ ^u`.

use std::cmp::Ordering;

use regex::Regex;

use crate::pattern::json::{Json, Value, parse};
use crate::pattern::path::Path;
use crate::text::Untrusted;
use crate::text::typed::nearest;

/// An assertion without its operand, which may have templates in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where to look.
    pub path: Path,
    /// What to compare.
    pub operator: Operator,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `~`
    Matches,
    /// `!~`
    MatchesNot,
    /// `contains`
    Contains,
    /// `exists`
    Exists,
    /// `not exists`
    Missing,
    /// `is TYPE`
    Is,
}

/// What stands behind the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Nothing.
    None,
    /// JSON, else text to the line's end.
    Value,
    /// A regular expression.
    Regex,
    /// The name of a type.
    Type,
}

/// The types of JSON.
const TYPES: [&str; 6] = ["string", "number", "boolean", "null", "array", "object"];

impl Operator {
    /// All operators; one that begins another comes behind it.
    pub const ALL: [(&str, Operator); 12] = [
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<=", Operator::AtMost),
        ("<", Operator::Less),
        (">=", Operator::AtLeast),
        (">", Operator::More),
        ("!~", Operator::MatchesNot),
        ("~", Operator::Matches),
        ("contains", Operator::Contains),
        ("exists", Operator::Exists),
        ("not exists", Operator::Missing),
        ("is", Operator::Is),
    ];

    /// Reads an operator at the beginning of a text; returns the text behind it as well.
    pub fn parse(text: &str) -> Option<(Operator, &str)> {
        Operator::ALL.iter().find_map(|(name, operator)| {
            let rest = text.strip_prefix(name)?;
            let is_word = name.ends_with(|c: char| c.is_alphabetic());
            let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            (!is_word || !goes_on).then_some((*operator, rest))
        })
    }

    /// What stands behind it.
    pub fn operand(self) -> Operand {
        match self {
            Operator::Exists | Operator::Missing => Operand::None,
            Operator::Matches | Operator::MatchesNot => Operand::Regex,
            Operator::Is => Operand::Type,
            _ => Operand::Value,
        }
    }

    /// Checks an operand whose text is final.
    ///
    /// # Errors
    /// What could stand there instead.
    pub fn accepts(self, operand: &str) -> Result<(), String> {
        match self.operand() {
            Operand::None if operand.is_empty() => Ok(()),
            Operand::None => Err("nothing stands behind exists".to_owned()),
            Operand::Regex => regex(operand).map(drop),
            Operand::Type if TYPES.contains(&operand) => Ok(()),
            Operand::Type => {
                let shown = Untrusted::text(operand);
                let what = format!("\"{shown}\" is no type of JSON: {}", TYPES.join(", "));
                Err(match nearest(operand, TYPES) {
                    Some(meant) => format!("{what}; did you mean {meant}?"),
                    None => what,
                })
            }
            Operand::Value if operand.is_empty() => Err("a value is missing".to_owned()),
            Operand::Value => Ok(()),
        }
    }
}

impl Check {
    /// Looks at a message.
    ///
    /// # Errors
    /// What is there instead.
    pub fn judge(&self, root: &Json, source: &str, operand: &str) -> Result<(), String> {
        let found = self.path.find(root);
        match (self.operator, &found) {
            (Operator::Exists, found) => return found.as_ref().map(drop).map_err(Clone::clone),
            (Operator::Missing, Err(_)) => return Ok(()),
            (Operator::Missing, Ok(value)) => {
                return Err(format!("{} is {}", self.path, shown(value, source)));
            }
            _ => {}
        }
        let found = found?;
        let holds = match self.operator {
            Operator::Equal => found.equals(&value(operand)),
            Operator::Unequal => !found.equals(&value(operand)),
            Operator::Less => self.order(&found, operand)? == Ordering::Less,
            Operator::AtMost => self.order(&found, operand)? != Ordering::Greater,
            Operator::More => self.order(&found, operand)? == Ordering::Greater,
            Operator::AtLeast => self.order(&found, operand)? != Ordering::Less,
            Operator::Matches => regex(operand)?.is_match(&found.text(source)),
            Operator::MatchesNot => !regex(operand)?.is_match(&found.text(source)),
            Operator::Contains => contains(&found, operand),
            Operator::Is => found.type_name() == operand,
            Operator::Exists | Operator::Missing => true,
        };
        if holds {
            return Ok(());
        }
        let kind = match (self.operator, &found.value, &value(operand).value) {
            (
                Operator::Equal,
                Value::String(_),
                Value::Number(_) | Value::Bool(_) | Value::Null,
            ) => ", a string",
            (Operator::Is, ..) => return Err(format!("{} is a {}", self.path, found.type_name())),
            _ => "",
        };
        Err(format!("{} is {}{kind}", self.path, shown(&found, source)))
    }

    fn order(&self, found: &Json, operand: &str) -> Result<Ordering, String> {
        let wanted = value(operand);
        match (&found.value, &wanted.value) {
            (Value::Number(a), Value::Number(b)) => Ok(a.cmp(b)),
            (Value::String(a), Value::String(b)) => Ok(a.cmp(b)),
            _ => Err(format!(
                "{} is a {}, which has no order with a {}",
                self.path,
                found.type_name(),
                wanted.type_name()
            )),
        }
    }
}

/// JSON, else the text itself.
fn value(operand: &str) -> Json {
    parse(operand).unwrap_or_else(|_| Json { value: Value::String(operand.to_owned()), span: 0..0 })
}

fn regex(operand: &str) -> Result<Regex, String> {
    Regex::new(operand).map_err(|e| {
        let why = e.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("no regular expression: {}", Untrusted::text(&why))
    })
}

/// A value as it was written.
fn shown(value: &Json, source: &str) -> String {
    let written = match &value.value {
        Value::String(text) => format!("\"{}\"", super::json::escaped(text)),
        _ => value.text(source),
    };
    super::diff::short(&written).to_string()
}

fn contains(found: &Json, operand: &str) -> bool {
    let wanted = value(operand);
    match &found.value {
        Value::String(text) => match &wanted.value {
            Value::String(part) => text.contains(part),
            _ => text.contains(operand),
        },
        Value::Array(items) => items.iter().any(|item| super::subset::is_subset(&wanted, item)),
        Value::Object(_) => match &wanted.value {
            Value::String(name) => found.member(name).is_some(),
            _ => super::subset::is_subset(&wanted, found),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"n":3,"big":9007199254740993,"s":"u17","list":[1,{"a":1,"b":2}],"none":null,"digits":"5"}"#;

    fn judged(line: &str) -> Result<(), String> {
        let (path, rest) = Path::parse(line).unwrap();
        let (operator, rest) = Operator::parse(rest.trim_start()).unwrap();
        let operand = rest.trim();
        operator.accepts(operand)?;
        Check { path, operator }.judge(&parse(MESSAGE).unwrap(), MESSAGE, operand)
    }

    #[test]
    fn what_holds() {
        for line in [
            ".n == 3.0",
            ".n != 4",
            ".n < 4",
            ".n <= 3",
            ".n > -1",
            ".n >= 3e0",
            ".big == 9007199254740993",
            ".big > 9007199254740992",
            ".s == u17",
            ".s == \"u17\"",
            ".s ~ ^u[0-9]+$",
            ".s !~ x",
            ".s contains 17",
            ".s < u2",
            ".list contains 1",
            ".list contains {\"a\":1}",
            ".list | length == 2",
            ".list[1] contains b",
            ".none exists",
            ".none is null",
            ".gone not exists",
            ".n is number",
            ".list is array",
            ".s is string",
            ". is object",
            ".list ~ ^\\[1",
        ] {
            assert_eq!(judged(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn what_does_not_hold_says_what_is_there() {
        for (line, says) in [
            (".n == 4", ".n is 3"),
            (".big == 9007199254740992", ".big is 9007199254740993"),
            (".digits == 5", ".digits is \"5\", a string"),
            (".s < 4", ".s is a string, which has no order with a number"),
            (".s ~ ^x", ".s is \"u17\""),
            (".gone == 1", ".gone is missing"),
            (".gone != 1", ".gone is missing"),
            (".gone exists", ".gone is missing"),
            (".none not exists", ".none is null"),
            (".n is string", ".n is a number"),
            (".list contains 2", ".list is [1,{\"a\":1,\"b\":2}]"),
            (".n contains 3", ".n is 3"),
        ] {
            assert_eq!(judged(line).unwrap_err(), says, "{line}");
        }
    }

    #[test]
    fn operands_are_checked() {
        for (line, says) in [
            (".s ~ (", "no regular expression: unclosed group"),
            (".s is strnig", "did you mean string?"),
            (".s ==", "a value is missing"),
            (".s exists now", "nothing stands behind exists"),
        ] {
            assert!(judged(line).unwrap_err().contains(says), "{line}");
        }
        assert!(Operator::parse("isnt 1").is_none() && Operator::parse("like x").is_none());
    }
}
