//! Commands that send by rule, and `/wait`.

use super::slash_command::{Parse, Parsed, SlashCommand, word};
use crate::protocol::frame::Opcode;
use crate::run::command::{Command, Pattern, Reply, RuleChange, Timer, Wait};
use crate::run::rules::split;
use crate::text::Untrusted;
use crate::text::typed::{pattern, time};

pub(super) const COMMANDS: &[SlashCommand] = &[
    SlashCommand::new("on", "[REGEX=TEXT]", "answer each message that matches: /on ^ping=pong", on)
        .more(&[
            "In TEXT $1 is what the first group has matched, $name a named one, $$ a $.",
            "Without a rule it lists the rules; /off ends them. An = in REGEX is written \\=.",
        ]),
    SlashCommand::new("every", "TIME TEXT", "send a text again and again: /every 30s ping", every)
        .more(&["TIME: 500ms, 2s, 1m. Also TIME=TEXT, as behind --every. /off ends it."]),
    SlashCommand::new("repeat", "N TIME TEXT", "send a text N times, one each TIME", repeat)
        .more(&["The first one goes out at once. /off ends it."]),
    SlashCommand::new("off", "[N]", "end what /on, /every and /repeat began, or rule N", off)
        .more(&["/on lists the rules with their numbers."]),
    SlashCommand::new(
        "wait",
        "REGEX [TIME]",
        "wait for a message that matches before the next line is done",
        wait,
    )
    .more(&[
        "For lines that are typed ahead or pasted. At the end of TIME, at Ctrl-C and at the end",
        "of the connection the lines behind it are dropped.",
    ]),
];

fn rule(change: RuleChange) -> Parsed {
    Parsed::Command(Command::Rule(change))
}

fn on(typed: &str) -> Parse<Parsed> {
    if typed.trim().is_empty() {
        return Ok(rule(RuleChange::List));
    }
    let (pattern, text) = split(typed).ok_or("needs a pattern, an = and a text")?;
    Ok(rule(RuleChange::Reply(Reply::new(pattern, text.as_bytes())?)))
}

fn every(typed: &str) -> Parse<Parsed> {
    Ok(rule(RuleChange::Timer(timer(typed)?)))
}

fn repeat(typed: &str) -> Parse<Parsed> {
    let (count, rest) = typed.trim_start().split_once(' ').unwrap_or_default();
    let count = count.parse().ok().filter(|&count: &u64| count > 0);
    let count = count.ok_or("needs a number, a time and a text")?;
    Ok(rule(RuleChange::Timer(timer(rest)?.times(count))))
}

/// `TIME TEXT` or `TIME=TEXT`.
fn timer(typed: &str) -> Parse<Timer> {
    let halves = typed.trim_start().split_once([' ', '=', '\n']);
    let (interval, text) = halves.ok_or("needs a time and a text")?;
    Timer::new(interval, Opcode::Text, text.as_bytes().to_vec())
}

fn off(typed: &str) -> Parse<Parsed> {
    if typed.trim().is_empty() {
        return Ok(rule(RuleChange::Off(None)));
    }
    let number = word(typed, "the number of a rule")?;
    let number = number.parse().map_err(|_| "needs the number of a rule, or nothing")?;
    Ok(rule(RuleChange::Off(Some(number))))
}

fn wait(typed: &str) -> Parse<Parsed> {
    let typed = typed.trim();
    let last = typed.rsplit_once(' ').and_then(|(rest, last)| Some((rest, time(last).ok()?)));
    let (expression, within) = match last {
        Some((rest, within)) => (rest.trim_end(), Some(within)),
        None => (typed, None),
    };
    if expression.is_empty() {
        return Err("needs a regular expression".to_owned());
    }
    let pattern =
        pattern(expression).map_err(|why| format!("'{}' {why}", Untrusted::text(expression)))?;
    Ok(Parsed::Command(Command::Wait(Wait { pattern: Pattern(pattern), within })))
}
