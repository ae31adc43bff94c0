//! What `-h`, `--help`, `wstap help` and the man page say besides the options.

use std::fmt::Write as _;

use clap::{Arg, Args as _, Command, CommandFactory};

use crate::cli::args::{Cli, ReachArgs, TalkArgs};
use crate::error::{Error, Exit, Result, Stage};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::text::typed::nearest;

/// What connects.
pub const WITHOUT_A_VERB: &str = "\
Without a verb wstap connects: a prompt when standard input and output are terminals, else every
line of standard input is sent as a message and every received message is printed on a line.";

/// The exit codes in two columns.
pub const EXIT_CODES: &str = "\
Exit codes:
  0 done                       8 the peer broke the WebSocket protocol
  1 an expectation failed      9 connection lost without a closing handshake
  2 usage                     10 the peer closed with an error code
  3 name not resolved         11 timeout; the message names the stage
  4 connection failed         12 a size or count limit was hit
  5 TLS failed                13 local input or output failed
  6 upgrade refused           70 a bug in wstap
  7 handshake breaks RFC 6455 130, 143 interrupted";

/// Options of the first screen: how they are typed, and what they do.
const USUAL: [(&str, &str); 9] = [
    ("-x, --send TEXT", "Send this text after opening; can be repeated"),
    ("-n, --count N", "End after so many received messages"),
    ("-H, --header 'NAME: VALUE'", "Add a header to the request"),
    ("-s, --subprotocol NAME", "Offer a subprotocol"),
    ("-u, --user USER:PASSWORD", "Log in; a token: --bearer TOKEN"),
    ("-k, --insecure", "Go on with a certificate that can't be trusted"),
    ("-m, --max-time TIME", "For everything: 10, 500ms, 1m, 1h"),
    ("-v, -vv, -vvv", "Show the connection, each frame, each byte"),
    ("    --json", "Print all events as JSON Lines"),
];

/// An example: its command line, and what it does.
pub type Example = (&'static str, &'static str);

/// Of a connection.
pub const EXAMPLES: [Example; 6] = [
    ("wstap wss://example.com/ws", "a prompt; /help helps there"),
    ("wstap -n 1 -x hello wss://example.com/ws", "send, print the answer, end"),
    ("tail -f app.log | wstap localhost:8080/logs", "send each line, print what comes"),
    ("wstap -H 'X-Api-Key: KEY' --json URL | jq .", "events for a program"),
    ("wstap inspect wss://example.com/ws", "why is it refused?"),
    ("wstap curl 'curl wss://example.com/ws -H …'", "what a browser has copied"),
];

/// Of each verb.
const VERB_EXAMPLES: [(&str, &[Example]); 10] = [
    (
        "inspect",
        &[
            ("wstap inspect wss://example.com/ws", "each rule, with a verdict"),
            ("wstap inspect -k --json wss://localhost:8443", "for a program"),
        ],
    ),
    (
        "check",
        &[
            ("wstap check ws://localhost:8080", "every rule, with a verdict"),
            ("wstap check --only frame -v localhost:8080", "a group, each exchange in words"),
            ("wstap check --list", "the probes"),
        ],
    ),
    (
        "doctor",
        &[
            ("wstap doctor wss://example.com/ws", "the causes that remain after experiments"),
            ("wstap doctor --idle -m 5m localhost:8080", "when is an idle connection cut?"),
        ],
    ),
    (
        "ping",
        &[
            ("wstap ping -c 5 wss://example.com/ws", "five pings, then the figures"),
            ("wstap ping -i 0 -c 1000 localhost:8080", "as fast as the answers come"),
            ("wstap ping --message hello localhost:8080", "messages, where pings have no answer"),
        ],
    ),
    (
        "run",
        &[
            ("wstap run chat.wst --url ws://localhost:8080", "play a script and judge it"),
            ("wstap run tests --fail-fast", "all scripts of a folder, to the first failure"),
        ],
    ),
    (
        "curl",
        &[
            ("wstap curl 'curl wss://example.com/ws -H …'", "one word, as copied"),
            ("pbpaste | wstap curl -v", "from the clipboard"),
        ],
    ),
    (
        "serve",
        &[
            ("wstap serve", "an echo server on 127.0.0.1:8080"),
            ("wstap serve 0.0.0.0:9000 --mode chat -v", "for others, each message to all"),
            ("wstap serve --cert cert.pem --key key.pem", "wss://"),
        ],
    ),
    (
        "demo",
        &[("wstap demo", "type a line: it comes back"), ("wstap demo -vvv", "with each byte")],
    ),
    (
        "explain",
        &[
            ("wstap explain 1006", "a close code"),
            ("wstap explain 81 85 37 fa 21 3d 7f 9f 4d 51 58", "the bytes of a frame"),
            ("wstap explain permessage-deflate", "a term, a header, an exit code"),
        ],
    ),
    (
        "generate",
        &[
            ("wstap generate man >wstap.1", "the man page"),
            ("wstap generate bash >/etc/bash_completion.d/wstap", "completions"),
        ],
    ),
];

/// The examples of a verb.
pub fn examples(verb: &str) -> &'static [Example] {
    VERB_EXAMPLES.iter().find(|(name, _)| *name == verb).map_or(&[], |(_, examples)| examples)
}

/// Prints the help of a verb, or of wstap: the usual, or all of it.
///
/// # Errors
/// Exit 13 if standard output can't be written.
pub fn print(whole: &Command, verb: Option<&str>, all: bool) -> Result<Exit> {
    let mut command = match (verb.and_then(|verb| whole.find_subcommand(verb)), all) {
        (Some(verb), _) => of_verb(verb.clone(), all),
        (None, true) => whole.clone().after_help(format!(
            "{WITHOUT_A_VERB}\n\n{EXIT_CODES}\n\n{}\n\nA verb's options: wstap help VERB. At the prompt: /help.",
            list(&EXAMPLES)
        )),
        (None, false) => Command::new("wstap").override_help(screen(whole)),
    };
    match command.print_help() {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            let what = format!("can't write to standard output: {}", reason(&e));
            Err(Error::new(Stage::Output, Exit::Local, what))
        }
        _ => Ok(Exit::Done),
    }
}

/// `wstap help [VERB]`.
///
/// # Errors
/// Exit 2: there is no such verb; exit 13: standard output can't be written.
pub fn help(word: Option<&str>) -> Result<Exit> {
    let mut whole = Cli::command();
    whole.build();
    let whole = &whole;
    let Some(word) = word else { return print(whole, None, false) };
    if whole.find_subcommand(word).is_some() {
        return print(whole, Some(word), true);
    }
    let verbs: Vec<&str> = whole.get_subcommands().map(Command::get_name).collect();
    let error = Error::usage(format!("there is no verb \"{}\"", Untrusted::text(word)));
    if let Some(name) = word.strip_prefix('/') {
        return Err(error
            .hint(format!("a command of the prompt: type /help {} there", Untrusted::text(name))));
    }
    let error = error.hint(match nearest(word, verbs.iter().copied()) {
        Some(near) => format!("did you mean: wstap help {near}"),
        None => format!("verbs: {}", verbs.join(", ")),
    });
    Err(error.hint("options: wstap --help; a code, a header or a term: wstap explain WORD"))
}

/// The first screen: at most 40 lines of 80 columns.
fn screen(whole: &Command) -> String {
    let mut text = format!(
        "wstap {}: a WebSocket client and debugging tool\n\n{} wstap [OPTIONS] URL\n       wstap VERB …\n\n{}\n",
        env!("CARGO_PKG_VERSION"),
        heading("Usage:"),
        heading("Verbs:"),
    );
    for verb in whole.get_subcommands() {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "  {:<9} {about}", verb.get_name());
    }
    let _ = writeln!(text, "\n{}", heading("The usual options:"));
    for (typed, what) in USUAL {
        let _ = writeln!(text, "  {typed:<27} {what}");
    }
    let _ = write!(
        text,
        "\n{}\n\nAll options: wstap --help. A verb's: wstap help VERB. At the prompt: /help.",
        list(&EXAMPLES)
    );
    text
}

/// Examples with their heading.
fn list(examples: &[Example]) -> String {
    let width = examples.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let mut text = heading("Examples:");
    for (command, what) in examples {
        let _ = write!(text, "\n  {command:<width$}  {what}");
    }
    text
}

/// As clap's own headings; without the codes where there are no colours.
fn heading(text: &str) -> String {
    format!("\x1b[1m\x1b[4m{text}\x1b[0m")
}

/// A verb's help: all, or without the options that it shares with others.
fn of_verb(verb: Command, all: bool) -> Command {
    let (name, mut hidden) = (verb.get_name().to_owned(), false);
    let command = verb.mut_args(|arg| {
        let hide = !all && is_shared(&name, &arg);
        hidden |= hide;
        if hide { arg.hide(true) } else { arg }
    });
    let mut after = match examples(&name) {
        [] => String::new(),
        examples => list(examples),
    };
    if hidden {
        let _ =
            write!(after, "\n\nOptions of every connection (-H, -k, -v, …): wstap help {name}.");
    }
    command.after_help(after)
}

/// Whether an option of the verb is one of every connection.
pub fn is_shared(verb: &str, arg: &Arg) -> bool {
    // A server opens none. Namesakes do something else.
    let same = |other: &Arg| {
        other.get_id() == arg.get_id()
            && other.get_help().map(ToString::to_string) == arg.get_help().map(ToString::to_string)
    };
    let connect = TalkArgs::augment_args(ReachArgs::augment_args(Command::new("")));
    verb != "serve" && connect.get_arguments().any(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::usage::words;

    fn plain(text: &str) -> String {
        ["\x1b[1m", "\x1b[4m", "\x1b[0m"]
            .iter()
            .fold(text.to_owned(), |text, code| text.replace(code, ""))
    }

    #[test]
    fn the_first_screen_is_one() {
        let text = plain(&screen(&Cli::command()));
        let lines: Vec<&str> = text.lines().collect();
        assert!((24..=40).contains(&lines.len()), "{} lines", lines.len());
        for line in lines {
            assert!(line.chars().count() <= 80, "{line}");
        }
        for verb in Cli::command().get_subcommands() {
            assert!(text.contains(&format!("\n  {} ", verb.get_name())), "{}", verb.get_name());
        }
    }

    #[test]
    fn the_usual_options_exist() {
        let command = Cli::command();
        for (typed, _) in USUAL {
            let short = typed.strip_prefix('-').and_then(|rest| rest.chars().next());
            let long = typed.split("--").nth(1).and_then(|rest| rest.split(' ').next());
            let is_it = |arg: &&clap::Arg| {
                long.is_none_or(|long| arg.get_long() == Some(long))
                    && short.is_none_or(|short| arg.get_short() == Some(short))
            };
            assert!(command.get_arguments().any(|arg| is_it(&arg)), "{typed}");
        }
    }

    #[test]
    fn every_verb_has_examples_and_all_examples_can_be_parsed() {
        let command = Cli::command();
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            assert!(!examples(verb.get_name()).is_empty(), "{}", verb.get_name());
        }
        for (example, _) in VERB_EXAMPLES.iter().flat_map(|(_, list)| *list).chain(&EXAMPLES) {
            let parsed = command.clone().try_get_matches_from(words(example).unwrap());
            // The word curl begins the command, which `line` cuts off.
            let pasted = example.contains("| wstap curl");
            assert!(parsed.is_ok() || pasted, "{example}: {}", parsed.unwrap_err());
        }
    }
}
