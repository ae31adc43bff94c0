//! Commands that look at messages that have come, choose which are shown, or write them to a file.

use std::path::PathBuf;

use super::slash_command::{Parse, Parsed, SlashCommand, alone, word};
use crate::repl::candidate::{expand_home, files};
use crate::run::command::{Command, LookBack, Pattern};
use crate::text::Untrusted;
use crate::text::typed::pattern;

pub(super) const COMMANDS: &[SlashCommand] = &[
    SlashCommand::new("last", "[N]", "show the last message in whole, or the last N", |count| {
        Ok(look(LookBack::Last(number(count)?)))
    })
    .more(&[
        "The last 1,000 messages that came are kept, or those of the last 16 MiB, shown or not.",
        "The number before each counts back from the last one, for /as-text and /as-hex.",
    ]),
    SlashCommand::new("grep", "REGEX", "show the kept messages that match", |regex| {
        Ok(look(LookBack::Grep(expression(regex)?)))
    })
    .more(&["The number before each counts back from the last one: /last, /as-text, /as-hex."]),
    SlashCommand::new(
        "filter",
        "REGEX|off",
        "show only messages that match from now on; all are kept",
        |regex| {
            let is_off = regex.trim() == "off";
            Ok(look(LookBack::Filter(if is_off { None } else { Some(expression(regex)?) })))
        },
    )
    .more(&["/filter (off) shows messages that have \"off\" in them."]),
    SlashCommand::new("pause", "", "show no messages, but keep them; again: go on", |more| {
        alone(more, look(LookBack::Pause))
    }),
    SlashCommand::new("log", "FILE|off", "write the events to the end of a file, too", log)
        .more(&["JSON Lines, as --log writes them; ~/ is your home directory."])
        .completing(|typed| (0, files(typed))),
    SlashCommand::new("record", "FILE|off", "write the session as a script from here on", record)
        .more(&["As --record writes it; wstap run plays it again."])
        .completing(|typed| (0, files(typed))),
    SlashCommand::new("as-text", "[N]", "show message N, counted back, as text", |count| {
        Ok(look(LookBack::AsText(number(count)?)))
    })
    .more(&["What is compressed with gzip or zlib is inflated."]),
    SlashCommand::new("as-hex", "[N]", "show message N, counted back, in hex", |count| {
        Ok(look(LookBack::AsHex(number(count)?)))
    }),
];

fn look(look: LookBack) -> Parsed {
    Parsed::Command(Command::LookBack(look))
}

fn log(typed: &str) -> Parse<Parsed> {
    Ok(Parsed::Command(Command::Log(file_or_off(typed)?)))
}

fn record(typed: &str) -> Parse<Parsed> {
    Ok(Parsed::Command(Command::Record(file_or_off(typed)?)))
}

fn file_or_off(typed: &str) -> Parse<Option<PathBuf>> {
    match typed.trim() {
        "" => Err("needs a file, or off".to_owned()),
        "off" => Ok(None),
        path => Ok(Some(expand_home(path))),
    }
}

/// A number from 1; by default 1.
fn number(typed: &str) -> Parse<usize> {
    if typed.trim().is_empty() {
        return Ok(1);
    }
    let number = word(typed, "a number")?.parse().ok();
    number.filter(|&number| number > 0).ok_or_else(|| "needs a number from 1".to_owned())
}

fn expression(typed: &str) -> Parse<Pattern> {
    match typed.trim_start_matches(' ') {
        "" => Err("needs a regular expression".to_owned()),
        typed => {
            pattern(typed).map(Pattern).map_err(|why| format!("'{}' {why}", Untrusted::text(typed)))
        }
    }
}
