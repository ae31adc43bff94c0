//! Differences between texts.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use similar::DiffOp;
use similar::algorithms::{Capture, Replace, myers};

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
    let (wanted, came): (Vec<&str>, Vec<&str>) = (wanted.lines().collect(), came.lines().collect());
    let mut lines = Vec::new();
    let mut numbers = HashMap::new();
    let mut numbered = |lines: &[&'_ str]| -> Vec<u32> {
        let number = |line: &&str| {
            let next = numbers.len() as u32;
            *numbers.entry(line.to_string()).or_insert(next)
        };
        lines.iter().map(number).collect()
    };
    let (old, new) = (numbered(&wanted), numbered(&came));
    for op in compared(&old, &new).into_grouped_ops(1).concat() {
        let (old, new) = (op.old_range(), op.new_range());
        let mut add = |sign, part: &[&str]| {
            lines.extend(part.iter().map(|line| format!("{sign} {}", shown(line))));
        };
        match op {
            DiffOp::Equal { .. } => add(" ", &wanted[old]),
            _ => {
                add("-", &wanted[old]);
                add("+", &came[new]);
            }
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
    let (wanted, came) = (characters(wanted), characters(came));
    let ops = compared(&wanted, &came).into_ops();
    if ratio(&ops, wanted.len() + came.len()) < 0.5 {
        return None;
    }
    let mut line = "  ".to_owned();
    let mut missing = false;
    for op in ops {
        let part = &came[op.new_range()];
        let text: String = part.iter().filter_map(|c| char::from_u32(*c)).collect();
        let width = Untrusted::text(&text).to_string().chars().count();
        match op {
            DiffOp::Delete { .. } => missing = true,
            DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                line.push_str(&"^".repeat(width));
                missing = false;
            }
            DiffOp::Equal { .. } => {
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
    let (wanted, came) = (characters(cut(wanted, MOST)), characters(cut(came, MOST)));
    ratio(&compared(&wanted, &came).into_ops(), wanted.len() + came.len()) * 0.99
}

/// The comparison of two sequences. All are made of the same numbers, so that the program has the
/// algorithm once: one for each kind would be 300 KB.
fn compared(wanted: &[u32], came: &[u32]) -> Capture {
    let mut capture = Replace::new(Capture::new());
    let (old, new) = (0..wanted.len(), 0..came.len());
    let deadline = Instant::now().checked_add(PATIENCE);
    let Ok(()) = myers::diff_deadline_raw(&mut capture, wanted, old, came, new, deadline);
    capture.into_inner()
}

fn characters(text: &str) -> Vec<u32> {
    text.chars().map(u32::from).collect()
}

/// The share of both sequences that is equal, from 0 to 1.
fn ratio(ops: &[DiffOp], both: usize) -> f64 {
    let equal = ops.iter().map(|op| match op {
        DiffOp::Equal { len, .. } => *len,
        _ => 0,
    });
    2.0 * equal.sum::<usize>() as f64 / both.max(1) as f64
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
