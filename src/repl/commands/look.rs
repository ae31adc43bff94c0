//! Commands that show the state of the connection.

use super::slash_command::{Parse, Parsed, SlashCommand, alone};
use crate::redact::Secrets;
use crate::repl::candidate::{Candidate, by_word};
use crate::run::command::{Command, Question, Tool};
use crate::text::Untrusted;

pub(super) const COMMANDS: &[SlashCommand] = &[
    SlashCommand::new(
        "status",
        "",
        "readyState, bufferedAmount, subprotocol, extensions, counters, RTT",
        |more| show(more, Question::Status),
    ),
    SlashCommand::new("headers", "", "the opening handshake: request and response", |more| {
        show(more, Question::Headers)
    }),
    SlashCommand::new("tls", "", "what TLS agreed on, and the certificates", |more| {
        show(more, Question::Tls)
    }),
    SlashCommand::new("timing", "", "how long each phase of the opening took", |more| {
        show(more, Question::Timing)
    }),
    SlashCommand::new(
        "as",
        "curl|js|python|websocat|wscat [--show-secrets]",
        "this connection as a command or a program for another tool",
        export,
    )
    .more(&[
        "What the tool has nothing for is said in a comment. Secrets are *** without",
        "--show-secrets. /as curl does the opening handshake; wstap curl takes it back.",
    ])
    .completing(|typed| by_word(typed, tools)),
];

fn show(more: &str, question: Question) -> Parse<Parsed> {
    alone(more, Parsed::Command(Command::Show(question)))
}

fn export(arguments: &str) -> Parse<Parsed> {
    let mut words: Vec<_> = arguments.split_whitespace().collect();
    let count = words.len();
    words.retain(|word| *word != "--show-secrets");
    let secrets = if words.len() < count { Secrets::Shown } else { Secrets::Hidden };
    let &[name] = words.as_slice() else {
        return Err("needs the name of one tool".to_owned());
    };
    match Tool::ALL.iter().find(|(known, _)| *known == name) {
        Some(&(_, tool)) => Ok(Parsed::Command(Command::Show(Question::As { tool, secrets }))),
        None => Err(format!("'{}' is none of the tools it knows", Untrusted::text(name))),
    }
}

fn tools(before: &str, _: &str) -> Vec<Candidate> {
    match before {
        "" => Tool::ALL.iter().map(|(name, _)| Candidate::new(format!("{name} "), "")).collect(),
        _ => vec![Candidate::new("--show-secrets", "")],
    }
}
