//! `/set` and `/explain`.

use super::slash_command::{Local, Parse, Parsed, SlashCommand};
use crate::repl::candidate::{Candidate, by_word};
use crate::run::command::{Command, Setting};
use crate::text::Untrusted;
use crate::text::typed::nearest;

pub(super) const COMMANDS: &[SlashCommand] = &[
    SlashCommand::new(
        "set",
        "pretty|hex|timestamps|verbose on|off|N",
        "change what is shown: /set pretty on, /set verbose 2",
        set,
    )
    .more(&[
        "pretty: JSON indented and coloured; hex: binary messages in whole as hex",
        "timestamps: a time before each line; verbose: 0 to 3, the number of -v",
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
    read: fn(&str) -> Option<Setting>,
}

const SETTINGS: [Known; 4] = [
    switch("pretty", |typed| on(typed).map(Setting::Pretty)),
    switch("hex", |typed| on(typed).map(Setting::Hex)),
    switch("timestamps", |typed| on(typed).map(Setting::Timestamps)),
    Known {
        name: "verbose",
        values: &["0", "1", "2", "3"],
        takes: "on, off or 0 to 3",
        read: |typed| {
            let level = on(typed).map(u8::from).or(typed.parse().ok());
            level.filter(|level| *level <= 3).map(Setting::Verbose)
        },
    },
];

const fn switch(name: &'static str, read: fn(&str) -> Option<Setting>) -> Known {
    Known { name, values: &["on", "off"], takes: "on or off", read }
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
    let &[name, value] = words.as_slice() else {
        return Err("needs a setting and its value".to_owned());
    };
    let Some(Known { takes, read, .. }) = SETTINGS.iter().find(|known| known.name == name) else {
        let shown = Untrusted::text(name);
        return Err(match nearest(name, SETTINGS.iter().map(|known| known.name)) {
            Some(meant) => format!("no setting '{shown}'; did you mean {meant}?"),
            None => format!("no setting '{shown}'"),
        });
    };
    let setting = read(value).ok_or_else(|| format!("{name} is {takes}"))?;
    Ok(Parsed::Command(Command::Set(setting)))
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
    let words: Vec<_> = arguments.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        return Err("needs something to explain".to_owned());
    }
    Ok(Parsed::Local(Local::Explain(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_setting() {
        let command = COMMANDS.iter().find(|command| command.name == "set").unwrap();
        for Known { name, values, read, .. } in SETTINGS {
            assert!(command.arguments.contains(name), "{name}");
            assert!(command.more.iter().any(|line| line.contains(&format!("{name}:"))), "{name}");
            assert!(values.iter().all(|value| read(value).is_some()), "{name}");
        }
    }
}
