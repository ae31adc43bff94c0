//! What clap refuses, in our form of a failure: one line, and hints with the next command line.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::habits;
use crate::cli::help;
use crate::cli::layers::option;
use crate::cli::shell;
use crate::error::{Error, Hint};
use crate::redact;
use crate::text::Untrusted;
use crate::text::typed::nearest;

/// What other tools mean by an option that is ours, too: its long name, and a hint for each sense.
#[rustfmt::skip]
const MISUSED: [(&str, &[&str]); 6] = [
    ("connect", &[
        "a URL is enough, with or without -c: wstap URL",
        "a number of answers: wstap -n 3 URL",
        "a cookie jar: wstap --cookie-jar FILE URL",
    ]),
    ("count", &[
        "wscat's -n, to go on with a certificate that can't be trusted: wstap -k URL",
        "websocat's -n, to stay after the end of the input: wstap -w forever URL",
        "the number of answers to end after: wstap -n 3 URL",
    ]),
    ("linger", &["to stay after the end of the input: wstap -w forever URL"]),
    ("output", &[
        "to write what comes to a file: wstap URL >FILE",
    ]),
    ("subprotocol", &[
        "to show payloads and failures only: wstap -q URL",
        "to run a server: wstap serve 127.0.0.1:8080",
    ]),
    ("user", &[
        "the URL needs no option: wstap URL",
        "to send alone: wstap -E URL >/dev/null",
        "to log in: wstap -u USER:PASSWORD URL",
    ]),
];

/// The refusal of a command line: [`usage`] with what was probably meant.
pub fn refusal(e: &clap::Error, words: &[OsString], whole: &Command) -> Error {
    let line = Line::new(words, whole);
    let Error { what, mut hints, .. } = usage(e);
    // Comes last.
    hints.pop();
    let mut error = Error { hints, ..Error::usage(what) };
    // clap takes a second word for a verb.
    let surplus = context(e, ContextKind::InvalidSubcommand);
    error = match (e.kind(), surplus.or_else(|| context(e, ContextKind::InvalidArg))) {
        (ErrorKind::MissingRequiredArgument, _) => line.incomplete(error),
        (_, Some(word)) if surplus.is_some() => line.surplus(word),
        (ErrorKind::UnknownArgument, Some(arg)) if arg.starts_with('-') => line.unknown(error, arg),
        (ErrorKind::UnknownArgument, Some(word)) => line.surplus(word),
        (ErrorKind::ArgumentConflict, Some(arg)) => {
            let other = context(e, ContextKind::PriorArg).unwrap_or_default();
            line.misused(error, [arg, other].into_iter().filter_map(long))
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(arg)) => {
            // A wrong number was meant as one.
            let value = context(e, ContextKind::InvalidValue).unwrap_or_default();
            let number = value.starts_with(|c: char| c.is_ascii_digit());
            line.misused(error, long(arg).filter(|_| !number))
        }
        _ => error,
    };
    // Which is on the screen of -h, too.
    let first_steps = error.hints.iter().any(|hint| hint.text().ends_with("wstap -h"));
    if first_steps { error } else { error.hint(line.help()) }
}

const ALL_OPTIONS: &str = "all options: wstap --help";

/// Words of Rust's parsers, and plain ones.
const PLAIN: [(&str, &str); 3] = [
    ("invalid digit found in string", "it is a whole number"),
    ("cannot parse integer from empty string", "it is a whole number"),
    ("number too large to fit in target type", "the number is too large"),
];

/// Turns clap's report into our form of a failure: one line and hints.
pub fn usage(e: &clap::Error) -> Error {
    let report = e.render().to_string();
    let lines = report
        .lines()
        .take_while(|line| !line.starts_with("Usage: ") && !line.starts_with("For more "))
        .map(|line| Untrusted::text(line.trim()).to_string());
    let (mut what, mut hints) = (String::new(), Vec::new());
    for line in lines.filter(|line| !line.is_empty()) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            // clap's guesses at options are far-fetched; ours are in `refusal`.
            hints.extend(tip.contains("similar value").then(|| tip.into()));
        } else if let Some(rest) = line.strip_prefix("error: ").filter(|_| what.is_empty()) {
            what.push_str(rest);
        } else if let Some(list) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            hints.push(list.into());
        } else {
            what.push(' ');
            what.push_str(&line);
        }
    }
    if let Some(typed) = context(e, ContextKind::InvalidValue) {
        what = what.replace(typed, &redact::url(typed));
    }
    for (raw, plain) in PLAIN {
        what = what.replace(raw, plain);
    }
    if let Some((before, range)) = what.split_once(" is not in ")
        && let Some((said, number)) = before.rsplit_once(' ')
    {
        what = format!("{said} {}", in_range(number, range));
    }
    hints.push(ALL_OPTIONS.into());
    Error { hints, ..Error::usage(what) }
}

/// A range of Rust's in words, for a number that isn't in it.
fn in_range(number: &str, range: &str) -> String {
    let range = range.replace('=', "");
    match range.split_once("..").unwrap_or((&range, "")) {
        (least, most) if most.len() < 6 => format!("it is a number from {least} to {most}"),
        (least, _) if number.len() <= least.len() => format!("it is a number from {least} on"),
        (_, most) => format!("it is a number up to {most}"),
    }
}

/// A command line that was refused.
struct Line<'a> {
    words: Vec<&'a str>,
    verb: Option<&'a str>,
    ours: &'a Command,
    whole: &'a Command,
}

impl<'a> Line<'a> {
    fn new(words: &'a [OsString], whole: &'a Command) -> Line<'a> {
        let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
        // An unknown option before it keeps it from the front.
        let is_value =
            |before: &str| arg(whole, before).is_some_and(|arg| arg.get_action().takes_values());
        let verb = words.windows(2).find_map(|pair| {
            let [before, word] = pair else { return None };
            whole.find_subcommand(word).filter(|_| !is_value(before))
        });
        Line { words, verb: verb.map(Command::get_name), ours: verb.unwrap_or(whole), whole }
    }

    /// Where all options are.
    fn help(&self) -> String {
        match self.verb {
            Some(verb) => format!("all options: wstap {verb} --help"),
            None => ALL_OPTIONS.to_owned(),
        }
    }

    /// Adds what other tools mean by the first of the options for which that is known.
    fn misused<'n>(&self, error: Error, names: impl IntoIterator<Item = &'n str>) -> Error {
        // Namesakes.
        if matches!(self.verb, Some("ping" | "serve")) {
            return error;
        }
        let known = |name| MISUSED.iter().find(|(misused, _)| *misused == name);
        let meant = names.into_iter().find_map(known).map_or(&[][..], |(_, meant)| meant);
        meant.iter().fold(error, |error, hint| error.hint(*hint))
    }

    /// An option that there isn't.
    fn unknown(&self, error: Error, typed: &str) -> Error {
        let (typed, value) = self.typed(typed);
        let habits = habits::option(self.verb, typed, value);
        if !habits.is_empty() {
            return habits.iter().fold(error, |error, hint| error.hint(self.with_verb(hint)));
        }
        if matches!(typed, "-c" | "--connect") && self.verb != Some("serve") {
            return error.hint(self.with_verb("the URL needs no option: wstap URL"));
        }
        let name = typed.trim_start_matches('-');
        let known = |command: &&Command| {
            let mut args = command.get_arguments();
            args.any(|arg| match typed.starts_with("--") {
                true => arg.get_long() == Some(name),
                false => arg.get_short().is_some_and(|short| name.starts_with(short)),
            })
        };
        let elsewhere = std::iter::once(self.whole).chain(self.whole.get_subcommands());
        let elsewhere: Vec<_> = elsewhere.filter(known).map(named).collect();
        if !elsewhere.is_empty() {
            return error.hint(format!("{typed} is an option of: {}", elsewhere.join(", ")));
        }
        match similar(self.ours, name) {
            Some(similar) => error.hint(format!("did you mean {similar}?")),
            None => error,
        }
    }

    /// The option as it was typed, and its value. clap tells a letter of `-insecure`.
    fn typed(&self, told: &'a str) -> (&'a str, Option<&'a str>) {
        let at = self.words.iter().position(|word| match word.strip_prefix(told) {
            Some(rest) => rest.is_empty() || rest.starts_with('=') || !told.starts_with("--"),
            None => false,
        });
        let Some((at, word)) = at.and_then(|at| Some((at, *self.words.get(at)?))) else {
            return (told, None);
        };
        let attached = word.get(told.len()..).filter(|rest| !rest.is_empty());
        let next = self.words.get(at + 1).copied();
        (told, attached.map(|rest| rest.trim_start_matches('=')).or(next))
    }

    /// A word too many.
    fn surplus(&self, word: &str) -> Error {
        let shown = redact::url(word);
        let error =
            Error::usage(format!("unexpected argument '{}' found", Untrusted::text(&shown)));
        match self.verb {
            None => {}
            Some("demo") if word.contains("://") => {
                return error.hint("to connect to it: wstap URL");
            }
            Some("demo") => return error.hint("to send a text: wstap demo -x TEXT"),
            Some(_) => return error,
        }
        let mut before = self.words.iter().skip(1).take_while(|other| **other != word);
        let first = before.find(|other| !other.starts_with('-')).copied().unwrap_or_default();
        let pair = self.words.windows(2).find(|pair| pair.last() == Some(&first));
        let option = pair.and_then(|pair| Some((*pair.first()?, arg(self.ours, pair.first()?)?)));
        if let Some((option, _)) = option.filter(|(_, arg)| arg.is_require_equals_set()) {
            return error
                .hint(format!("its value is behind =: {option}={}", Untrusted::text(first)));
        }
        let is_url = |word: &str| word.contains("://");
        let name = word.split(':').next().unwrap_or_default();
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let addresses = habits::address(word);
        if !addresses.is_empty() {
            return addresses.into_iter().fold(error, Error::hint);
        }
        error.hint(match () {
            () if word.parse::<u16>().is_ok() => {
                format!("the port belongs to the URL: wstap ws://HOST:{word}")
            }
            () if is_url(word) && first.contains('=') => {
                "to send a cookie: wstap --cookie 'NAME=VALUE' URL".to_owned()
            }
            () if is_url(word) && is_url(first) => "it connects to one URL: wstap URL".to_owned(),
            () if is_url(word) && is_name => {
                "options have dashes, and a verb is one of wstap -h: wstap URL".to_owned()
            }
            () if !is_url(word) && word.contains(':') && is_name => {
                "to add a header: wstap -H 'NAME: VALUE' URL".to_owned()
            }
            () => "to send a text: wstap -x TEXT URL".to_owned(),
        })
    }

    /// The URL is missing, or an option took it for its value.
    fn incomplete(&self, error: Error) -> Error {
        let mut taken = self.words.windows(2).filter_map(|pair| {
            let [option, value] = pair else { return None };
            let arg = arg(self.ours, option).filter(|arg| arg.get_action().takes_values())?;
            let port = value.trim_start_matches(':').parse::<u16>();
            (value.contains("://") || port.is_ok()).then_some((arg.get_long()?, option, value))
        });
        let Some((name, option, value)) = taken.next().filter(|_| error.what.ends_with("<URL>"))
        else {
            return self.without_what(error);
        };
        let value = redact::url(value);
        let error = error.hint(format!("{option} took '{}' as its value", Untrusted::text(&value)));
        self.misused(error, [name])
    }

    /// Something is missing, and nothing was taken for it.
    fn without_what(&self, error: Error) -> Error {
        let no_url = error.what.ends_with("<URL>");
        let what = if no_url { "no URL is given".to_owned() } else { error.what };
        let error = Error::usage(what);
        match self.verb {
            None if no_url => error
                .hint("to connect: wstap wss://HOST/PATH")
                .hint("to try it here, without a server: wstap demo")
                .hint("the rest on one screen: wstap -h"),
            None => error,
            Some(verb) => help::examples(verb)
                .first()
                .into_iter()
                .fold(error, |error, (command, _)| error.hint(format!("for example: {command}"))),
        }
    }

    /// The hint for the verb that was typed, if the command line is one of that verb, too.
    fn with_verb(&self, hint: &str) -> Hint {
        let rewritten = || {
            let verb = self.verb?;
            let (what, command) = hint.split_once(": wstap ")?;
            // It has a verb.
            let first = command.split(' ').next()?;
            if self.whole.find_subcommand(first).is_some() {
                return None;
            }
            let command = match verb {
                "curl" => command.replace(" URL", " 'curl …'"),
                "run" => command.replace(" URL", " FILE"),
                "demo" => command.replace(" URL", ""),
                _ => command.to_owned(),
            };
            let words = words(&format!("wstap {verb} {command}"))?;
            let own = self.whole.clone().try_get_matches_from(words).is_ok();
            own.then(|| format!("{what}: wstap {verb} {command}"))
        };
        rewritten().unwrap_or_else(|| hint.to_owned()).into()
    }
}

/// The words of a command line of wstap, without what the shell does around it.
pub(super) fn words(command: &str) -> Option<Vec<String>> {
    let line = shell::split(command, command.find("wstap")?).ok()?;
    Some(line.words.into_iter().map(|word| word.text).collect())
}

/// The names of a command's options that are similar: those that begin so, else one with few other
/// letters.
pub fn similar(command: &Command, typed: &str) -> Option<String> {
    let names = || command.get_arguments().filter_map(|arg| arg.get_long());
    let plain = typed.to_ascii_lowercase().replace('_', "-");
    let begin: Vec<_> =
        names().filter(|name| plain.len() > 2 && name.starts_with(&plain)).collect();
    if !begin.is_empty() && begin.len() < 7 {
        return Some(format!("--{}", begin.join(", --")));
    }
    let bare = |name: &str| name.replace('-', "");
    let same = names().find(|name| bare(name) == bare(&plain));
    let near = same.or_else(|| nearest(&plain, names()).filter(|name| !name.starts_with(&plain)));
    near.map(|name| format!("--{name}"))
}

/// The option that a word is.
fn arg<'a>(command: &'a Command, word: &str) -> Option<&'a clap::Arg> {
    match word.strip_prefix("--") {
        Some(name) => option(command, name),
        None => {
            let letter = word.strip_prefix('-')?.chars().last()?;
            command.get_arguments().find(|arg| arg.get_short() == Some(letter))
        }
    }
}

/// How a command is typed.
fn named(command: &Command) -> String {
    match command.get_name() {
        "wstap" => "wstap URL".to_owned(),
        verb => format!("wstap {verb}"),
    }
}

/// The long name in clap's name of an option: `--output <FORMAT>`.
fn long(arg: &str) -> Option<&str> {
    arg.strip_prefix("--")?.split([' ', '=', '[']).next()
}

fn context(e: &clap::Error, kind: ContextKind) -> Option<&str> {
    match e.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    fn refused(args: &[&str]) -> Error {
        let mut whole = Cli::command();
        whole.build();
        let words: Vec<OsString> = ["wstap"].iter().chain(args).map(OsString::from).collect();
        refusal(&whole.clone().try_get_matches_from(&words).unwrap_err(), &words, &whole)
    }

    fn hints(args: &[&str]) -> Vec<String> {
        refused(args).hints.iter().map(|hint| hint.text().into_owned()).collect()
    }

    #[test]
    fn what_clap_refuses_is_one_line_and_hints() {
        let unknown = refused(&["--cont", "3", "x"]);
        assert_eq!(unknown.what, "unexpected argument '--cont' found");
        assert_eq!(unknown.hints, ["did you mean --count?".into(), ALL_OPTIONS.into()]);
        assert_eq!(refused(&[]).what, "no URL is given");
        assert_eq!(hints(&["inspect", "-v"])[0], "for example: wstap inspect wss://example.com/ws");
        let value = refused(&["--input", "xml", "x"]);
        assert_eq!(value.what, "invalid value 'xml' for '--input <FORMAT>'");
        assert!(value.hints[0].text().starts_with("possible values: json, line, null, "));
    }

    #[test]
    fn only_similar_names_are_guessed() {
        for (typed, meant) in [
            ("--max_time", "did you mean --max-time?"),
            ("--Max-Time", "did you mean --max-time?"),
            ("--subprotcol", "did you mean --subprotocol?"),
            ("--inse", "did you mean --insecure?"),
            ("--reconect", "did you mean --reconnect?"),
        ] {
            assert_eq!(hints(&[typed, "x"]), [meant, ALL_OPTIONS]);
        }
        for typed in ["--xyzzy", "--no", "--post", "--q", "--tape", "-J"] {
            assert_eq!(hints(&[typed, "x"]), [ALL_OPTIONS], "{typed}");
        }
    }

    #[test]
    fn the_options_of_others_are_named_with_their_command() {
        assert_eq!(
            hints(&["inspect", "--echo", "x"])[0],
            "--echo is an option of: wstap URL, wstap check, wstap curl, wstap demo"
        );
        assert_eq!(hints(&["serve", "--token", "x"]), ["all options: wstap serve --help"]);
    }

    #[test]
    fn hints_have_the_verb_that_was_typed() {
        for (args, command) in [
            (["inspect", "--timeout", "3", "x"], "wstap inspect --connect-timeout 3 URL"),
            (["ping", "--token", "x", "x"], "wstap ping --bearer TOKEN URL"),
            (["demo", "--timeout", "3", "-v"], "wstap demo --connect-timeout 3"),
            (["curl", "--timeout", "3", "x"], "wstap curl --connect-timeout 3 'curl …'"),
            (["inspect", "-d", "3", "x"], "wstap inspect -x TEXT URL"),
        ] {
            let hints = hints(&args);
            assert!(hints[0].ends_with(command), "{hints:?}");
            assert_eq!(*hints.last().unwrap(), format!("all options: wstap {} --help", args[0]));
        }
    }

    #[test]
    fn words_too_many_were_meant_somehow() {
        for (args, says) in [
            (["ws://h", "hello"].as_slice(), "wstap -x TEXT URL"),
            (&["ws://h", "X-A:b"], "wstap -H 'NAME: VALUE' URL"),
            (&["h", "8080"], "wstap ws://HOST:8080"),
            (&["ws://h", "exec:ls"], "PROGRAM | wstap URL"),
            (&["ws://h", "-"], "always used: wstap URL"),
            (&["-b", "a=b", "ws://h"], "--cookie 'NAME=VALUE' URL"),
            (&["--reconnect", "5", "ws://h"], "--reconnect=5"),
            (&["ws://h", "ws://u:hunter2@g"], "one URL: wstap URL"),
        ] {
            let error = refused(args).to_string();
            assert!(error.contains(says) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn values_that_other_tools_would_take() {
        for (args, says) in [
            (["-n", "ws://h"].as_slice(), "wstap -k URL"),
            (&["-n", "-c", "ws://h"], "wstap -k URL"),
            (&["-u", "ws://h"], "-u took 'ws://h' as its value"),
            (&["-s", "ws://h"], "wstap -q URL"),
            (&["-s", "8080"], "wstap serve 127.0.0.1:8080"),
            (&["--output", "f", "ws://h"], "wstap URL >FILE"),
            (&["-w", "forver", "ws://h"], "wstap -w forever URL"),
            (&["-c", "jar", "ws://h"], "wstap --cookie-jar FILE URL"),
        ] {
            let error = refused(args).to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(hints(&["-n", "0", "ws://h"]), [ALL_OPTIONS]);
    }

    #[test]
    fn numbers_have_plain_words() {
        for (args, why) in [
            (["-n", "x"], "it is a whole number"),
            (["-n", "0"], "it is a number from 1 on"),
            (["--close-code", "70000"], "it is a number from 0 to 65535"),
            (["--max-fragments", "99999999999"], "it is a number up to 4294967295"),
            (["--max-redirs", "99999999999999999999999"], "the number is too large"),
        ] {
            let what = refused(&[args[0], args[1], "x"]).what;
            assert!(what.contains(&format!(": {why}")), "{what}");
        }
    }

    #[test]
    fn every_command_line_of_a_hint_can_be_parsed() {
        for hint in MISUSED.iter().flat_map(|(_, hints)| *hints) {
            let (_, command) = hint.split_once(": ").unwrap();
            let parsed = Cli::command().try_get_matches_from(words(command).unwrap());
            assert!(parsed.is_ok(), "{hint}: {}", parsed.unwrap_err());
        }
        for (name, _) in MISUSED {
            assert!(option(&Cli::command(), name).is_some(), "{name}");
        }
    }
}
