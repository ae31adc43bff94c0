//! Hides values of the environment and of `--vars` in everything that is shown.

use std::borrow::Cow;

use crate::pattern::escaped;
use crate::redact::HIDDEN;
use crate::text::Untrusted;

/// A value that is shorter hides only whole words: hiding each letter "a" would tell more than it hides.
const MIN_LENGTH: usize = 3;

/// The values to hide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden(Vec<String>);

impl Hidden {
    /// Hides these values, also as they are escaped for a terminal or in JSON.
    pub(crate) fn new(values: &[String]) -> Hidden {
        let mut all: Vec<String> = Vec::new();
        for value in values.iter().filter(|value| !value.is_empty()) {
            // In JSON, in JSON inside JSON, and on a terminal.
            let json = escaped(value);
            all.extend([escaped(&json), json, Untrusted::text(value).to_string(), value.clone()]);
            // Texts for people have one line.
            all.extend(value.lines().filter(|line| line.len() >= MIN_LENGTH).map(str::to_owned));
        }
        all.sort_by_key(|value| std::cmp::Reverse(value.len()));
        all.dedup();
        Hidden(all)
    }

    /// The text without them.
    pub(crate) fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut shown = Cow::Borrowed(text);
        for value in &self.0 {
            if !shown.contains(value.as_str()) {
                continue;
            }
            shown = Cow::Owned(match value.len() {
                0..MIN_LENGTH => words(&shown, value),
                _ => shown.replace(value.as_str(), HIDDEN),
            });
        }
        self.cut_off(shown)
    }

    /// A value may be cut off where a text was shortened: then its beginning is hidden.
    fn cut_off<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let cut = |text: &str, end: usize| {
            let before = text.get(..end)?;
            let tail = |value: &String| {
                let sizes =
                    (MIN_LENGTH..value.len()).rev().filter(|size| value.is_char_boundary(*size));
                sizes.filter(|size| before.ends_with(&value[..*size])).max()
            };
            self.0.iter().filter_map(tail).max()
        };
        let found = text.match_indices('…').find_map(|(end, _)| Some((end, cut(&text, end)?)));
        match found {
            None => text,
            Some((end, size)) => {
                let (before, after) = (&text[..end - size], &text[end..]);
                let rest = after.strip_prefix('…').unwrap_or_default();
                let rest = self.cut_off(Cow::Borrowed(rest));
                Cow::Owned(format!("{before}{HIDDEN}…{rest}"))
            }
        }
    }

    /// Changes a text in place.
    pub(crate) fn hide(&self, text: &mut String) {
        if let Cow::Owned(shown) = self.apply(text) {
            *text = shown;
        }
    }
}

/// Replaces a value where it is a word of its own.
fn words(text: &str, value: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find(value) {
        let after = &rest[at + value.len()..];
        let left = rest[..at].chars().next_back().or(before);
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let alone = !is_word(left) && !is_word(after.chars().next());
        out.push_str(&rest[..at]);
        out.push_str(if alone { HIDDEN } else { value });
        before = value.chars().next_back();
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_in_every_form() {
        let hidden =
            Hidden::new(&["s3cr\"t".to_owned(), "s3cr\"t-long".to_owned(), "7".to_owned()]);
        for (text, shown) in [
            ("a s3cr\"t b", "a *** b"),
            ("{\"t\":\"s3cr\\\"t\"}", "{\"t\":\"***\"}"),
            ("s3cr\"t-long", "***"),
            (r#"{"data":"{\"t\":\"s3cr\\\"t\"}"}"#, r#"{"data":"{\"t\":\"***\"}"}"#),
            ("7 or 17 or {\"n\":7}", "*** or 17 or {\"n\":***}"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(hidden.apply(text), shown);
        }
        let long = Hidden::new(&["hunter2-secret".to_owned()]);
        assert_eq!(long.apply("a hunter2-se… b hun… c hu…"), "a ***… b ***… c hu…");
        let lines = Hidden::new(&["first\nsecond".to_owned()]);
        assert_eq!(lines.apply("first"), "***");
        assert_eq!(Hidden::new(&[String::new()]).apply("a"), "a");
    }
}
