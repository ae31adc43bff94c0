//! `/set` and `/explain`.

use std::time::Duration;

use super::slash_command::{Local, Parse, Parsed, SlashCommand};
use crate::repl::candidate::{Candidate, by_word};
use crate::run::command::{Command, Question, Setting};
use crate::run::tuning::Tuning;
use crate::text::Untrusted;
use crate::text::typed::{nearest, time};

pub(super) const COMMANDS: &[SlashCommand] = &[
    SlashCommand::new(
        "set",
        "[NAME [on|off|N|TIME]]",
        "list the settings, or change one: /set pretty on",
        set,
    )
    .more(&[
        "verbose: 0 to 3, the number of -v; quiet: only messages, failures, answers",
        "timestamps: a time before each line; color: colours",
        "pretty: JSON indented and coloured; hex: every message whole in hex",
        "inflate: binary messages that are gzip, zlib or deflate inflated",
        "templates: {{counter}} {{uuid}} {{random}} {{now}} {{now.unix}} {{env.NAME}}",
        "in typed texts and rules are replaced; \\{{ is a literal {{",
        "reconnect: get a lost connection back; connect-timeout: TIME for an opening",
        "ping-interval: a ping each TIME; ping-timeout: give up TIME after one",
        "fragment: send messages in frames of at most SIZE bytes",
    ])
    .completing(|typed| by_word(typed, settings)),
    SlashCommand::new(
        "explain",
        "WORDS..",
        "what a close code, frame bytes or a header mean: /explain 1006",
        explain,
    ),
];

/// A setting of `/set`.
struct Known {
    name: &'static str,
    /// The values to complete.
    values: &'static [&'static str],
    /// Its values, for messages.
    takes: &'static str,
    read: fn(&str) -> Option<Command>,
}

const SETTINGS: [Known; 13] = [
    Known {
        name: "verbose",
        values: &["0", "1", "2", "3"],
        takes: "on, off or 0 to 3",
        read: |typed| {
            let level = on(typed).map(u8::from).or(typed.parse().ok());
            level.filter(|level| *level <= 3).map(|level| Command::Set(Setting::Verbose(level)))
        },
    },
    switch("quiet", |typed| on(typed).map(|on| Command::Set(Setting::Quiet(on)))),
    switch("timestamps", |typed| on(typed).map(|on| Command::Set(Setting::Timestamps(on)))),
    switch("pretty", |typed| on(typed).map(|on| Command::Set(Setting::Pretty(on)))),
    switch("hex", |typed| on(typed).map(|on| Command::Set(Setting::Hex(on)))),
    switch("inflate", |typed| on(typed).map(|on| Command::Set(Setting::Inflate(on)))),
    switch("templates", |typed| on(typed).map(|on| Command::Set(Setting::Templates(on)))),
    switch("color", |typed| on(typed).map(|on| Command::Set(Setting::Color(on)))),
    switch("reconnect", |typed| on(typed).map(|on| Command::Tune(Tuning::Reconnect(on)))),
    Known {
        name: "ping-interval",
        values: &["off", "10", "30"],
        takes: OFF_OR_TIME,
        read: |typed| off_or(typed, span).map(|time| Command::Tune(Tuning::PingInterval(time))),
    },
    Known {
        name: "ping-timeout",
        values: &["off", "10"],
        takes: OFF_OR_TIME,
        read: |typed| off_or(typed, span).map(|time| Command::Tune(Tuning::PingTimeout(time))),
    },
    Known {
        name: "connect-timeout",
        values: &["10", "1m"],
        takes: "a time such as 10, 500ms or 1m",
        read: |typed| span(typed).map(|time| Command::Tune(Tuning::ConnectTimeout(time))),
    },
    Known {
        name: "fragment",
        values: &["off", "1", "1000"],
        takes: "off or a number of bytes",
        read: |typed| off_or(typed, bytes).map(|most| Command::Tune(Tuning::Fragment(most))),
    },
];

const OFF_OR_TIME: &str = "off or a time such as 10, 500ms or 1m";

const fn switch(name: &'static str, read: fn(&str) -> Option<Command>) -> Known {
    Known { name, values: &["on", "off"], takes: "on or off", read }
}

/// `off`, or a value.
fn off_or<T>(typed: &str, read: fn(&str) -> Option<T>) -> Option<Option<T>> {
    if typed == "off" { Some(None) } else { read(typed).map(Some) }
}

/// A time that isn't 0.
fn span(typed: &str) -> Option<Duration> {
    time(typed).ok().filter(|time| !time.is_zero())
}

fn bytes(typed: &str) -> Option<usize> {
    typed.parse().ok().filter(|&size| size > 0)
}

fn on(typed: &str) -> Option<bool> {
    match typed {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn set(arguments: &str) -> Parse<Parsed> {
    let words: Vec<_> = arguments.split_whitespace().collect();
    let (name, value) = match words.as_slice() {
        [] => return Ok(Parsed::Command(Command::Show(Question::Settings(None)))),
        [name] => (*name, None),
        [name, value] => (*name, Some(*value)),
        [_, _, more, ..] => {
            let more = Untrusted::text(more);
            return Err(format!("takes a setting and its value, but there is '{more}'"));
        }
    };
    let Some(known) = SETTINGS.iter().find(|known| known.name == name) else {
        let shown = Untrusted::text(name);
        return Err(match nearest(name, SETTINGS.iter().map(|known| known.name)) {
            Some(meant) => format!("no setting '{shown}'; did you mean {meant}?"),
            None => format!("no setting '{shown}'; /set lists them"),
        });
    };
    let Some(value) = value else {
        return Ok(Parsed::Command(Command::Show(Question::Settings(Some(known.name)))));
    };
    let change = (known.read)(value).ok_or_else(|| format!("{name} is {}", known.takes))?;
    Ok(Parsed::Command(change))
}

fn settings(before: &str, _: &str) -> Vec<Candidate> {
    if before.is_empty() {
        let name = |known: &Known| Candidate::new(format!("{} ", known.name), "");
        return SETTINGS.iter().map(name).collect();
    }
    let known = SETTINGS.iter().find(|known| known.name == before);
    let values = known.into_iter().flat_map(|known| known.values);
    values.map(|value| Candidate::new(*value, "")).collect()
}

fn explain(arguments: &str) -> Parse<Parsed> {
    if arguments.trim().is_empty() {
        return Err("needs something to explain".to_owned());
    }
    // As typed: the rows of a dump are lines.
    Ok(Parsed::Local(Local::Explain(vec![arguments.to_owned()])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_setting() {
        let command = COMMANDS.iter().find(|command| command.name == "set").unwrap();
        for Known { name, values, read, .. } in SETTINGS {
            assert!(command.more.iter().any(|line| line.contains(&format!("{name}:"))), "{name}");
            assert!(values.iter().all(|value| read(value).is_some()), "{name}");
        }
    }
}
