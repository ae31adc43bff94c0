//! A slash command, and what its line parses into.

use std::path::PathBuf;

use crate::protocol::frame::Opcode;
use crate::repl::candidate::Candidate;
use crate::run::command::Command;
use crate::text::Untrusted;

/// A command of the prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlashCommand {
    /// Its name without the slash.
    pub(crate) name: &'static str,
    /// Other names that mean the same.
    pub(crate) aliases: &'static [&'static str],
    /// What follows the name, as in a usage line; empty if nothing does.
    pub(crate) arguments: &'static str,
    /// One line for `/help`.
    pub(crate) help: &'static str,
    /// More lines, for `/help NAME`.
    pub(crate) more: &'static [&'static str],
    /// Parses the text after the name; the error is shown after `/NAME: `.
    pub(super) parse: fn(&str) -> Parse<Parsed>,
    /// Candidates for the text after the name, and their offset in it.
    pub(crate) complete: fn(&str) -> (usize, Vec<Candidate>),
}

pub(super) type Parse<T> = std::result::Result<T, String>;

impl SlashCommand {
    pub(super) const fn new(
        name: &'static str,
        arguments: &'static str,
        help: &'static str,
        parse: fn(&str) -> Parse<Parsed>,
    ) -> SlashCommand {
        let complete = |typed: &str| (typed.len(), Vec::new());
        SlashCommand { name, aliases: &[], arguments, help, more: &[], parse, complete }
    }

    pub(super) const fn aliases(self, aliases: &'static [&'static str]) -> SlashCommand {
        SlashCommand { aliases, ..self }
    }

    pub(super) const fn more(self, more: &'static [&'static str]) -> SlashCommand {
        SlashCommand { more, ..self }
    }

    pub(super) const fn completing(
        self,
        complete: fn(&str) -> (usize, Vec<Candidate>),
    ) -> SlashCommand {
        SlashCommand { complete, ..self }
    }

    /// The whole usage: `/close [CODE [REASON]]`.
    pub(crate) fn usage(&self) -> String {
        let space = if self.arguments.is_empty() { "" } else { " " };
        format!("/{}{space}{}", self.name, self.arguments)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

impl PartialEq for SlashCommand {
    fn eq(&self, other: &SlashCommand) -> bool {
        self.name == other.name
    }
}

/// A parsed line.
#[derive(Debug, PartialEq)]
pub(crate) enum Parsed {
    /// A command for the session.
    Command(Command),
    /// A command that the prompt runs itself.
    Local(Local),
    /// An empty line.
    Nothing,
}

impl Parsed {
    pub(super) fn line(text: &str) -> Parsed {
        Parsed::Command(Command::Line(text.to_owned()))
    }

    pub(super) fn text(text: &str) -> Parsed {
        let payload = text.as_bytes().to_vec();
        Parsed::Command(Command::Message { opcode: Opcode::Text, payload, fragment: None })
    }

    pub(super) fn binary(payload: Vec<u8>) -> Parsed {
        Parsed::Command(Command::Message { opcode: Opcode::Binary, payload, fragment: None })
    }
}

/// Commands that the prompt runs itself.
#[derive(Debug, PartialEq)]
pub(crate) enum Local {
    /// Open a connection with options, or from a profile.
    Connect(Vec<String>),
    /// Write a message in the user's editor.
    Edit,
    /// Explain the words.
    Explain(Vec<String>),
    /// Send a file.
    File {
        /// Its path; `~/` is not yet expanded.
        path: PathBuf,
        /// Text or Binary, if given.
        opcode: Option<Opcode>,
    },
    /// Change a header field of the next request.
    Header(String),
    /// List the commands, or describe one.
    Help(Option<&'static SlashCommand>),
    /// Close and leave.
    Quit,
}

pub(super) fn alone(arguments: &str, parsed: Parsed) -> Parse<Parsed> {
    match arguments.trim() {
        "" => Ok(parsed),
        more => Err(format!("takes nothing more, but there is '{}'", Untrusted::text(more))),
    }
}

/// Exactly one word.
pub(super) fn word<'a>(arguments: &'a str, what: &str) -> Parse<&'a str> {
    let mut words = arguments.split_whitespace();
    match (words.next(), words.next()) {
        (Some(word), None) => Ok(word),
        (None, _) => Err(format!("needs {what}")),
        (Some(_), Some(more)) => {
            Err(format!("takes {what} and nothing more, but there is '{}'", Untrusted::text(more)))
        }
    }
}
