//! Completion for the Tab key, and the hint after the cursor. Pure except for listing directories.

use super::candidate::Candidate;
use super::commands::{self, SlashCommand};

/// The candidates for `typed`, the line up to the cursor, and the offset of the word they replace.
pub(super) fn candidates(typed: &str) -> (usize, Vec<Candidate>) {
    let slash = typed.len() - typed.trim_start_matches(' ').len();
    let Some(rest) = typed[slash..].strip_prefix('/') else {
        return (0, Vec::new());
    };
    let Some((name, arguments)) = rest.split_once(' ') else {
        return (slash, command_names(rest));
    };
    let Some(command) = commands::find(name) else {
        return (0, Vec::new());
    };
    let (begin, mut all) = (command.complete)(arguments);
    let start = typed.len() - arguments.len() + begin;
    all.retain(|candidate| candidate.text.starts_with(&typed[start..]));
    (start, all)
}

/// Whether `typed`, the line up to the cursor, ends inside a text to send, where nothing is completed.
pub(super) fn is_in_text(typed: &str) -> bool {
    let Some(rest) = typed.trim_start_matches(' ').strip_prefix('/') else { return true };
    let command = rest.split_once([' ', '\n', '\t']).and_then(|(name, _)| commands::find(name));
    let takes_text = |command: &SlashCommand| {
        ["TEXT", "VALUE"].iter().any(|word| command.arguments.contains(word))
    };
    rest.starts_with('/') || command.is_some_and(takes_text)
}

/// A hint's text, and how much of it the right arrow key accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hint {
    /// All of it.
    pub(super) shown: String,
    /// The rest of the name, in bytes.
    pub(super) taken: usize,
}

impl Hint {
    /// Cut to a number of columns, so that it stays on its row; `None` without room for a word.
    pub(super) fn within(mut self, columns: usize) -> Option<Hint> {
        // It is ASCII: usages are our own.
        if self.shown.len() > columns {
            let room = self.shown.get(..columns.saturating_sub(2))?;
            let end = room.rfind(' ').filter(|&end| end > self.taken)?;
            self.shown.replace_range(end.., " ..");
        }
        Some(self)
    }
}

/// The rest of the command's name, if it is unambiguous, and its arguments.
pub(super) fn hint(line: &str) -> Option<Hint> {
    let rest = line.trim_start_matches(' ').strip_prefix('/')?;
    let (name, arguments) = match rest.split_once(' ') {
        Some((name, arguments)) => (name, Some(arguments)),
        None => (rest, None),
    };
    match (commands::find(name), arguments) {
        (Some(command), None) => usage_hint("", command, " "),
        (Some(command), Some("")) => usage_hint("", command, ""),
        (Some(_), Some(_)) => None,
        (None, _) if name.is_empty() => None,
        (None, _) => {
            let mut begin_so = commands::all().filter(|command| command.name.starts_with(name));
            let command = begin_so.next().filter(|_| begin_so.next().is_none())?;
            usage_hint(&command.name[name.len()..], command, " ")
        }
    }
}

fn usage_hint(name: &str, command: &SlashCommand, space: &str) -> Option<Hint> {
    let space = if command.arguments.is_empty() { "" } else { space };
    let shown = format!("{name}{space}{}", command.arguments);
    (!shown.is_empty()).then_some(Hint { shown, taken: name.len() })
}

fn command_names(typed: &str) -> Vec<Candidate> {
    let begin_so = commands::all().filter(|command| command.name.starts_with(typed));
    begin_so
        .map(|command| {
            let space = if command.arguments.is_empty() { "" } else { " " };
            Candidate::new(format!("/{}{space}", command.name), command.help)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        assert_eq!(candidates("/").1.len(), commands::all().count());
    }

    #[test]
    fn arguments_complete() {
        assert_eq!(
            texts("/close 101"),
            (7, ["1010 ", "1011 ", "1012 ", "1013 ", "1014 "].map(String::from).to_vec())
        );
        assert_eq!(candidates("/close 1001").1[0].about, "going away");
        assert_eq!(texts("/close 1000 1").1, Vec::<String>::new());
        assert_eq!(texts("/set pr"), (5, vec!["pretty ".into()]));
        assert_eq!(texts("/set pretty o"), (12, vec!["on".into(), "off".into()]));
        assert_eq!(texts("/frame fin=0 op=p"), (13, vec!["op=ping ".into(), "op=pong ".into()]));
        assert_eq!(texts("/frame le"), (7, vec!["length=".into()]));
        assert_eq!(texts("/as w"), (4, vec!["websocat ".into(), "wscat ".into()]));
        assert_eq!(texts("/as curl --"), (9, vec!["--show-secrets".into()]));
        assert_eq!(texts("/help clo"), (6, vec!["close".into()]));
    }

    #[test]
    fn a_tab_is_text_where_text_is_sent() {
        for text in ["", "hello", "a /x", "//x", "/text a", " /json {", "/text\n"] {
            assert!(is_in_text(text), "{text}");
        }
        for typed in ["/", "/te", "/text", "/set ", "/frame text=", "/file a", "/nix a"] {
            assert!(!is_in_text(typed), "{typed}");
        }
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
    fn hints_stay_on_their_row() {
        let hint = hint("/fra").filter(|hint| hint.shown.starts_with("me ")).or(hint("/frame"));
        let hint = hint.unwrap();
        assert_eq!(hint.clone().within(200), Some(hint.clone()));
        for columns in 0..hint.shown.len() {
            let cut = hint.clone().within(columns);
            assert!(
                cut.is_none_or(|cut| cut.shown.len() <= columns + 1 && cut.shown.ends_with(" .."))
            );
        }
        assert_eq!(hint.within(28).unwrap().shown, " [fin=0] [op=3] [rsv=4] ..");
    }

    #[test]
    fn hints_show_the_usage_until_arguments_begin() {
        let shown = |line| hint(line).map(|hint| (hint.shown, hint.taken));
        assert_eq!(shown("/conn"), Some(("ect [OPTIONS] URL|@PROFILE".into(), 3)));
        assert_eq!(shown("/ping"), Some((" [TEXT]".into(), 0)));
        assert_eq!(shown("/ping "), Some(("[TEXT]".into(), 0)));
        assert_eq!(shown("/ping x"), None);
        assert_eq!(shown("/status"), None);
        assert_eq!(shown("/p"), None);
        assert_eq!(shown("//ping"), None);
        assert_eq!(shown("hello"), None);
    }
}
