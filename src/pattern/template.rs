//! Text with `{{names}}` in it, which are replaced by values.

use std::fmt::Write as _;

use crate::pattern::json::escaped;
use crate::text::Untrusted;

/// A text with places for values. `\{{` is a literal `{{`, and `\\{{` a backslash before a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place { value: TemplateValue, json: bool, at: usize },
}

/// What stands in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateValue {
    /// `{{name}}`
    Variable(String),
    /// `{{env.NAME}}`
    Environment(String),
    /// `{{random}}`: a number of 53 bits.
    Random,
    /// `{{uuid}}`: version 4.
    Uuid,
    /// `{{now}}`: RFC 3339 in UTC.
    Now,
    /// `{{now.unix}}`: seconds since 1970.
    NowUnix,
    /// `{{counter}}`: from 1.
    Counter,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Where, in bytes.
    pub at: usize,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: &'static str,
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// Where something between `{{` and `}}` can't be there.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(found) = rest.find("{{") {
            let at = text.len() - rest.len() + found;
            let before = &rest[..found];
            let slashes = before.len() - before.trim_end_matches('\\').len();
            plain.push_str(&before[..found - slashes]);
            plain.push_str(&"\\".repeat(slashes / 2));
            rest = &rest[found + 2..];
            if slashes % 2 == 1 {
                plain.push_str("{{");
                continue;
            }
            let Some((inner, behind)) = rest.split_once("}}") else {
                let expected = "}} behind the name; \\{{ is a literal {{";
                return Err(TemplateError { at, found: shown(&text[at..]), expected });
            };
            let (value, json) = place(inner).map_err(|expected| {
                let found = shown(&text[at..at + inner.len() + 4]);
                TemplateError { at, found, expected }
            })?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Place { value, json, at });
            rest = behind;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template(parts))
    }

    /// A text without places.
    pub fn literal(text: impl Into<String>) -> Template {
        Template(vec![Part::Text(text.into())])
    }

    /// A text that reads as this one.
    pub fn quoted(text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(found) = rest.find("{{") {
            let before = &rest[..found];
            let slashes = before.len() - before.trim_end_matches('\\').len();
            out.push_str(before);
            out.push_str(&"\\".repeat(slashes));
            out.push_str("\\{{");
            rest = &rest[found + 2..];
        }
        out.push_str(rest);
        out
    }

    /// The values that it needs, each with its place in the text.
    pub fn values(&self) -> impl Iterator<Item = (&TemplateValue, usize)> {
        self.0.iter().filter_map(|part| match part {
            Part::Place { value, at, .. } => Some((value, *at)),
            Part::Text(_) => None,
        })
    }

    /// The text with its values; `quote` makes a value fit, for example into a regular expression.
    pub fn fill(
        &self,
        value_of: &mut dyn FnMut(&TemplateValue) -> String,
        quote: fn(&str) -> String,
    ) -> String {
        self.fill_with(value_of, quote, &mut |text| text.to_owned())
    }

    /// As [`Template::fill`], with what `literal` makes of the text between the places.
    pub(super) fn fill_with(
        &self,
        value_of: &mut dyn FnMut(&TemplateValue) -> String,
        quote: fn(&str) -> String,
        literal: &mut dyn FnMut(&str) -> String,
    ) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(&literal(text)),
                Part::Place { value, json: true, .. } => out.push_str(&escaped(&value_of(value))),
                Part::Place { value, .. } => out.push_str(&quote(&value_of(value))),
            }
        }
        out
    }

    /// The text, if nothing is to be filled in.
    pub fn plain(&self) -> Option<String> {
        match &self.0[..] {
            [] => Some(String::new()),
            [Part::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }
}

/// What stands between the braces, and whether it is escaped for the inside of a JSON string.
fn place(inner: &str) -> Result<(TemplateValue, bool), &'static str> {
    const EXPECTED: &str = "a variable, env.NAME, random, uuid, now, now.unix or counter, perhaps with \
                            | json behind it";
    let (name, json) = match inner.split_once('|') {
        Some((name, filter)) if filter.trim() == "json" => (name, true),
        Some(_) => return Err(EXPECTED),
        None => (inner, false),
    };
    let value = match name.trim() {
        "random" => TemplateValue::Random,
        "uuid" => TemplateValue::Uuid,
        "now" => TemplateValue::Now,
        "now.unix" => TemplateValue::NowUnix,
        "counter" => TemplateValue::Counter,
        name => match name.strip_prefix("env.") {
            Some(name) if is_name(name) => TemplateValue::Environment(name.to_owned()),
            None if is_name(name) => TemplateValue::Variable(name.to_owned()),
            _ => return Err(EXPECTED),
        },
    };
    Ok((value, json))
}

/// Whether a text can be the name of a variable.
pub fn is_name(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(40) {
        let _ = write!(out, "{}", Untrusted::text(c.encode_utf8(&mut [0; 4])));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let template = Template::parse(text).unwrap();
        let mut value_of = |value: &TemplateValue| match value {
            TemplateValue::Variable(name) => format!("<{name}\">"),
            other => format!("{other:?}"),
        };
        template.fill(&mut value_of, str::to_owned)
    }

    #[test]
    fn places_are_filled() {
        for (text, becomes) in [
            ("", ""),
            ("plain } { }}", "plain } { }}"),
            ("a{{x}}b{{ y-1 }}", "a<x\">b<y-1\">"),
            ("{{x|json}}", "<x\\\">"),
            ("{{env.A_B}} {{now}} {{now.unix}}", "Environment(\"A_B\") Now NowUnix"),
            (r"\{{x}}", "{{x}}"),
            (r"\\{{x}}", "\\<x\">"),
            (r"\\\{{x}}", r"\{{x}}"),
            (r"a\b{{x}}", "a\\b<x\">"),
        ] {
            assert_eq!(filled(text), becomes, "{text}");
        }
    }

    #[test]
    fn a_quoted_text_reads_as_itself() {
        for text in ["{{x}}", r"\{{", r"\\{{x", "{{{{", "a", r"\", "{{ {"] {
            let template = Template::parse(&Template::quoted(text)).unwrap();
            assert_eq!(template.plain().as_deref(), Some(text));
        }
    }

    #[test]
    fn what_can_not_be_there_is_placed() {
        for (text, at, found) in [
            ("ab{{x", 2, "{{x"),
            ("{{}}", 0, "{{}}"),
            ("x {{1a}}", 2, "{{1a}}"),
            ("{{env.}}", 0, "{{env.}}"),
            ("{{x | upper}}", 0, "{{x | upper}}"),
            ("{{a b}}", 0, "{{a b}}"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert_eq!((error.at, error.found.as_str()), (at, found), "{text}");
        }
    }
}
