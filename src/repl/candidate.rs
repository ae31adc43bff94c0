//! Completion candidates.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use crate::text::is_plain;

/// The most candidates to list.
const LISTED: usize = 40;

/// One completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The replacement for the typed word.
    pub(super) text: String,
    /// Its help; may be empty.
    pub(super) about: String,
}

impl Candidate {
    pub(super) fn new(text: impl Into<String>, about: impl Into<String>) -> Candidate {
        Candidate { text: text.into(), about: about.into() }
    }
}

/// Candidates for the last word, and its offset. `all` gets the words before it and the part of it
/// that is typed.
pub(super) fn by_word(
    typed: &str,
    all: impl FnOnce(&str, &str) -> Vec<Candidate>,
) -> (usize, Vec<Candidate>) {
    let (before, word) = typed.split_at(typed.rfind(' ').map_or(0, |space| space + 1));
    (before.len(), all(before.trim(), word))
}

/// The longest common prefix of the candidates.
pub(super) fn common_prefix(candidates: &[Candidate]) -> &str {
    let Some((first, rest)) = candidates.split_first() else {
        return "";
    };
    let shared = rest.iter().fold(first.text.len(), |len, candidate| {
        let same = first.text.chars().zip(candidate.text.chars()).take_while(|(a, b)| a == b);
        len.min(same.map(|(a, _)| a.len_utf8()).sum())
    });
    &first.text[..shared]
}

/// The candidates as lines for the screen.
pub(super) fn list(candidates: &[Candidate]) -> String {
    let shown = &candidates[..candidates.len().min(LISTED)];
    let width = shown.iter().map(|candidate| candidate.text.chars().count()).max().unwrap_or(0);
    let mut lines = String::new();
    for Candidate { text, about } in shown {
        let line = format!("  {:width$}  {about}", text.trim_end());
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    if let more @ 1.. = candidates.len() - shown.len() {
        let _ = writeln!(lines, "  ... and {more} more");
    }
    lines
}

/// The files whose path begins with the typed text. Names that can't be typed or shown are left
/// out.
pub(super) fn files(typed: &str) -> Vec<Candidate> {
    let (directory, begin) = match typed.rfind('/') {
        Some(slash) => typed.split_at(slash + 1),
        None => ("", typed),
    };
    let place = if directory.is_empty() { PathBuf::from(".") } else { expand_home(directory) };
    let Ok(entries) = fs::read_dir(place) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !begin.starts_with('.');
            if hidden || !name.starts_with(begin) || !is_plain(&name) {
                return None;
            }
            let slash = if entry.path().is_dir() { "/" } else { "" };
            Some(Candidate::new(format!("{directory}{name}{slash}"), ""))
        })
        .collect();
    found.sort_by(|a, b| a.text.cmp(&b.text));
    found
}

/// `~/x` as the shell would read it.
pub(super) fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_what_all_share() {
        let all = ["op=ping ", "op=pong "].map(|text| Candidate::new(text, ""));
        assert_eq!(common_prefix(&all), "op=p");
        assert_eq!(common_prefix(&["ä", "ö"].map(|text| Candidate::new(text, ""))), "");
        assert_eq!(common_prefix(&[]), "");
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let many: Vec<_> = (0..45).map(|n| Candidate::new(n.to_string(), "")).collect();
        let lines = list(&many);
        assert_eq!(lines.lines().count(), 41);
        assert!(lines.ends_with("  ... and 5 more\n"));
    }
}
