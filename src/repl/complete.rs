//! What the Tab key offers, and the hint behind the cursor. Pure but for listing directories.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use super::frame::{KEYS, OPCODES};
use super::table::{self, CLOSE_CODES, COMMANDS, Completes, Entry, SETTINGS};
use crate::protocol::close::CloseCode;
use crate::run::command::Tool;
use crate::text::is_dangerous;

/// How many candidates are listed.
const LISTED: usize = 40;

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What takes the place of the word that is being typed.
    pub(super) text: String,
    /// What it means; may be empty.
    pub(super) about: String,
}

impl Candidate {
    fn new(text: impl Into<String>, about: impl Into<String>) -> Candidate {
        Candidate { text: text.into(), about: about.into() }
    }
}

/// The ways to go on from `typed`, the part of the line before the cursor, and the offset where the
/// word begins that they replace.
pub(super) fn candidates(typed: &str) -> (usize, Vec<Candidate>) {
    let slash = typed.len() - typed.trim_start_matches(' ').len();
    let Some(rest) = typed[slash..].strip_prefix('/') else {
        return (0, Vec::new());
    };
    let Some((name, arguments)) = rest.split_once(' ') else {
        return (slash, commands(rest));
    };
    let Some(entry) = table::find(name) else {
        return (0, Vec::new());
    };
    let begin = typed.len() - arguments.len();
    let word = arguments.rfind(' ').map_or(0, |space| space + 1);
    let (start, all) = match entry.completes {
        Completes::CloseCodes => (begin + word, close_codes(&arguments[..word])),
        Completes::Commands => (begin, command_names()),
        Completes::Files => (begin, files(arguments)),
        Completes::Frame => (begin + word, frame_fields(&arguments[word..])),
        Completes::Nothing => (typed.len(), Vec::new()),
        Completes::Settings => (begin + word, settings(&arguments[..word])),
        Completes::Tools => (begin + word, tools(&arguments[..word])),
    };
    (start, starting_with(&typed[start..], all))
}

/// What all candidates have in common.
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

/// What the hint shows, and how much of it the right arrow key takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hint {
    /// All of it.
    pub(super) shown: String,
    /// The rest of the name, in bytes.
    pub(super) taken: usize,
}

/// The rest of a command's name, if only one begins like this, and its arguments.
pub(super) fn hint(line: &str) -> Option<Hint> {
    let rest = line.trim_start_matches(' ').strip_prefix('/')?;
    let (name, arguments) = match rest.split_once(' ') {
        Some((name, arguments)) => (name, Some(arguments)),
        None => (rest, None),
    };
    match (table::find(name), arguments) {
        (Some(entry), None) => usage_hint("", entry, " "),
        (Some(entry), Some("")) => usage_hint("", entry, ""),
        (Some(_), Some(_)) => None,
        (None, _) if name.is_empty() => None,
        (None, _) => {
            let mut begin_so = COMMANDS.iter().filter(|entry| entry.name.starts_with(name));
            let entry = begin_so.next().filter(|_| begin_so.next().is_none())?;
            usage_hint(&entry.name[name.len()..], entry, " ")
        }
    }
}

fn usage_hint(name: &str, entry: &Entry, space: &str) -> Option<Hint> {
    let space = if entry.arguments.is_empty() { "" } else { space };
    let shown = format!("{name}{space}{}", entry.arguments);
    (!shown.is_empty()).then_some(Hint { shown, taken: name.len() })
}

fn starting_with(typed: &str, mut all: Vec<Candidate>) -> Vec<Candidate> {
    all.retain(|candidate| candidate.text.starts_with(typed));
    all
}

fn commands(typed: &str) -> Vec<Candidate> {
    let begin_so = COMMANDS.iter().filter(|entry| entry.name.starts_with(typed));
    begin_so
        .map(|entry| {
            let space = if entry.arguments.is_empty() { "" } else { " " };
            Candidate::new(format!("/{}{space}", entry.name), entry.help)
        })
        .collect()
}

fn command_names() -> Vec<Candidate> {
    COMMANDS.iter().map(|entry| Candidate::new(entry.name, entry.help)).collect()
}

fn close_codes(before: &str) -> Vec<Candidate> {
    match before.trim() {
        "" => CLOSE_CODES
            .iter()
            .map(|&code| Candidate::new(format!("{code} "), CloseCode(code).meaning()))
            .collect(),
        _ => Vec::new(),
    }
}

fn tools(before: &str) -> Vec<Candidate> {
    match before.trim() {
        "" => Tool::ALL.iter().map(|(name, _)| Candidate::new(format!("{name} "), "")).collect(),
        _ => vec![Candidate::new("--show-secrets", "")],
    }
}

fn settings(before: &str) -> Vec<Candidate> {
    let values: &[&str] = match before.trim() {
        "" => return SETTINGS.iter().map(|name| Candidate::new(format!("{name} "), "")).collect(),
        "verbose" => &["0", "1", "2", "3"],
        name if SETTINGS.contains(&name) => &["on", "off"],
        _ => &[],
    };
    values.iter().map(|&value| Candidate::new(value, "")).collect()
}

fn frame_fields(word: &str) -> Vec<Candidate> {
    let values: Vec<String> = match word.split_once('=') {
        None => return KEYS.iter().map(|key| Candidate::new(format!("{key}="), "")).collect(),
        Some(("fin", _)) => vec!["0".into(), "1".into()],
        Some(("form", _)) => vec!["7".into(), "16".into(), "64".into()],
        Some(("mask", _)) => vec!["random".into(), "none".into(), "00000000".into()],
        Some(("op", _)) => OPCODES.iter().map(|opcode| opcode.name().to_owned()).collect(),
        Some(_) => Vec::new(),
    };
    let key = word.split_once('=').map_or("", |(key, _)| key);
    values.into_iter().map(|value| Candidate::new(format!("{key}={value} "), "")).collect()
}

/// The files whose path begins like this. Names that can't be typed or shown are left out.
fn files(typed: &str) -> Vec<Candidate> {
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
            if hidden || !name.starts_with(begin) || name.chars().any(is_dangerous) {
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

    fn texts(typed: &str) -> (usize, Vec<String>) {
        let (start, found) = candidates(typed);
        (start, found.into_iter().map(|candidate| candidate.text).collect())
    }

    #[test]
    fn commands_complete_with_a_space_if_they_take_something() {
        assert_eq!(texts("/fra"), (0, vec!["/fragment ".into(), "/frame ".into()]));
        assert_eq!(texts("/stat"), (0, vec!["/status".into()]));
        assert_eq!(texts("  /clo"), (2, vec!["/close ".into()]));
        assert_eq!(texts("hello").1, Vec::<String>::new());
        assert_eq!(texts("/nix x").1, Vec::<String>::new());
        assert_eq!(candidates("/").1.len(), COMMANDS.len());
    }

    #[test]
    fn arguments_complete() {
        assert_eq!(
            texts("/close 101"),
            (7, ["1010 ", "1011 ", "1012 ", "1013 ", "1014 "].map(String::from).to_vec())
        );
        assert_eq!(candidates("/close 1001").1[0].about, "going away");
        assert_eq!(texts("/close 1000 1").1, Vec::<String>::new());
        assert_eq!(texts("/set p"), (5, vec!["pretty ".into()]));
        assert_eq!(texts("/set pretty o"), (12, vec!["on".into(), "off".into()]));
        assert_eq!(texts("/frame fin=0 op=p"), (13, vec!["op=ping ".into(), "op=pong ".into()]));
        assert_eq!(texts("/frame le"), (7, vec!["length=".into()]));
        assert_eq!(texts("/as w"), (4, vec!["websocat ".into(), "wscat ".into()]));
        assert_eq!(texts("/as curl --"), (9, vec!["--show-secrets".into()]));
        assert_eq!(texts("/help clo"), (6, vec!["close".into()]));
    }

    #[test]
    fn file_names_complete_with_spaces_as_they_are() {
        let place = std::env::temp_dir().join(format!("wstap-complete-{}", std::process::id()));
        fs::create_dir_all(place.join("sub dir")).unwrap();
        fs::write(place.join("sub file"), "").unwrap();
        fs::write(place.join("evil\u{1b}[2J"), "").unwrap();
        let base = format!("{}/", place.display());
        let (start, found) = texts(&format!("/file {base}"));
        assert_eq!(start, 6);
        assert_eq!(found, [format!("{base}sub dir/"), format!("{base}sub file")]);
        assert_eq!(texts(&format!("/file {base}sub f")).1, [format!("{base}sub file")]);
        fs::remove_dir_all(place).unwrap();
    }

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

    #[test]
    fn hints_show_the_usage_until_arguments_begin() {
        let shown = |line| hint(line).map(|hint| (hint.shown, hint.taken));
        assert_eq!(shown("/conn"), Some(("ect URL".into(), 3)));
        assert_eq!(shown("/ping"), Some((" [TEXT]".into(), 0)));
        assert_eq!(shown("/ping "), Some(("[TEXT]".into(), 0)));
        assert_eq!(shown("/ping x"), None);
        assert_eq!(shown("/status"), None);
        assert_eq!(shown("/p"), None);
        assert_eq!(shown("//ping"), None);
        assert_eq!(shown("hello"), None);
    }
}
