//! Differences between texts.

use std::fmt;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::text::Untrusted;

/// The most bytes of a text that are compared character by character.
const MOST: usize = 2_000;

/// The most lines that are shown.
const MOST_LINES: usize = 40;

/// How long a comparison may take; then it is only rougher.
const PATIENCE: Duration = Duration::from_millis(100);

/// The lines of a difference: `- ` what was wanted, `+ ` what came; for single lines a third one marks
/// what differs.
pub fn text_difference(wanted: &str, came: &str) -> Vec<String> {
    let shown = |text: &str| short(text).to_string();
    if !wanted.trim_end().contains('\n') && !came.trim_end().contains('\n') {
        let mut lines = vec![format!("- {}", shown(wanted)), format!("+ {}", shown(came))];
        if wanted.len().max(came.len()) <= MOST {
            lines.extend(marks(wanted, came));
        }
        return lines;
    }
    let (wanted, came) = (cut(wanted, 50 * MOST), cut(came, 50 * MOST));
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(wanted, came);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(1) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => "-",
                ChangeTag::Insert => "+",
                ChangeTag::Equal => " ",
            };
            let line = change.value().strip_suffix('\n').unwrap_or(change.value());
            lines.push(format!("{sign} {}", shown(line)));
        }
    }
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("… {more} more lines"));
    }
    lines
}

/// Marks what came and was not wanted; `None` if the texts have little in common.
fn marks(wanted: &str, came: &str) -> Option<String> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_chars(wanted, came);
    if diff.ratio() < 0.5 {
        return None;
    }
    let mut line = "  ".to_owned();
    let mut missing = false;
    for change in diff.iter_all_changes() {
        let width = Untrusted::text(change.value()).to_string().chars().count();
        match change.tag() {
            ChangeTag::Delete => missing = true,
            ChangeTag::Insert => {
                line.push_str(&"^".repeat(width));
                missing = false;
            }
            ChangeTag::Equal => {
                line.push_str(if std::mem::take(&mut missing) { "^" } else { " " });
                line.push_str(&" ".repeat(width.saturating_sub(1)));
            }
        }
    }
    if missing {
        line.push('^');
    }
    Some(line.trim_end().to_owned())
}

/// How much two texts have in common, from 0 to less than 1.
pub(super) fn likeness(wanted: &str, came: &str) -> f64 {
    let (wanted, came) = (cut(wanted, MOST), cut(came, MOST));
    let diff = TextDiff::configure().timeout(PATIENCE).diff_chars(wanted, came);
    f64::from(diff.ratio()) * 0.99
}

/// The beginning of a text, between characters.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// A text on one line, escaped and shortened.
pub(super) fn short(text: &str) -> Short<'_> {
    Short(text)
}

pub(super) struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = cut(self.0, MOST);
        write!(f, "{}", Untrusted::text(shown))?;
        if shown.len() < self.0.len() {
            write!(f, "… ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_marked() {
        assert_eq!(
            text_difference("hello world", "hello wurld"),
            ["- hello world", "+ hello wurld", "         ^"]
        );
        assert_eq!(text_difference("abcdef", "abcde"), ["- abcdef", "+ abcde", "       ^"]);
        assert_eq!(text_difference("x", "completely"), ["- x", "+ completely"]);
    }

    #[test]
    fn several_lines_are_compared_by_line() {
        let found = text_difference("a\nb\nc\nd\ne", "a\nb\nC\nd\ne");
        assert_eq!(found, ["  b", "- c", "+ C", "  d"]);
        let many = text_difference(&"a\n".repeat(100), &"b\n".repeat(100));
        assert_eq!(many.last().unwrap(), "… 160 more lines");
    }

    #[test]
    fn nothing_of_it_is_raw_or_endless() {
        let shown = text_difference("\u{1b}[2J", &"x".repeat(9_999));
        assert_eq!(shown[0], "- \\x1b[2J");
        assert!(shown[1].ends_with("… (9999 bytes)") && shown[1].len() < 2_100);
    }
}
