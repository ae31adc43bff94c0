//! The commands that a line can begin with. Each is one [`SlashCommand`] with its names, help,
//! parser and completion; parsing, `/help`, hints and completion all use the same list.

mod connection;
mod look;
mod messages;
mod prompt;
mod rules;
mod send;
mod slash_command;

use self::slash_command::{Parse, alone, word};
use super::candidate::Candidate;
use crate::error::{Error, Exit, Result, Stage};
use crate::text::Untrusted;
use crate::text::typed::nearest;

pub(super) use self::slash_command::{Local, Parsed, SlashCommand};

/// `/help` and `/quit`.
const LAST: &[SlashCommand] = &[
    SlashCommand::new("help", "[COMMAND]", "this list, or more about one command", help)
        .aliases(&["h", "?"])
        .completing(|_| (0, names())),
    SlashCommand::new("quit", "", "close in order and leave; also Ctrl-D", |more| {
        alone(more, Parsed::Local(Local::Quit))
    })
    .aliases(&["q", "exit"]),
];

/// Every command, in the order of `/help`.
pub(super) fn all() -> impl Iterator<Item = &'static SlashCommand> {
    [
        send::COMMANDS,
        connection::COMMANDS,
        look::COMMANDS,
        messages::COMMANDS,
        rules::COMMANDS,
        prompt::COMMANDS,
        LAST,
    ]
    .into_iter()
    .flatten()
}

/// The command of that name (without the slash).
pub(super) fn find(name: &str) -> Option<&'static SlashCommand> {
    all().find(|command| command.names().any(|known| known == name))
}

/// A command as the manual has it.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// Its name without the slash.
    pub name: &'static str,
    /// What follows the name, as in a usage line.
    pub arguments: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// What it does, in a line.
    pub help: &'static str,
    /// More lines.
    pub more: &'static [&'static str],
}

/// Every command, in the order of `/help`, for the manual.
pub fn described() -> impl Iterator<Item = Described> {
    all().map(|&SlashCommand { name, aliases, arguments, help, more, .. }| Described {
        name,
        arguments,
        aliases,
        help,
        more,
    })
}

/// Parses a line: a command after a slash, else a text message. Spaces before the slash keep the
/// line out of the history; two slashes begin a text message with one slash.
pub(super) fn parse(line: &str) -> Result<Parsed> {
    let trimmed = line.trim_start_matches(' ');
    if line.is_empty() {
        return Ok(Parsed::Nothing);
    }
    let Some(rest) = trimmed.strip_prefix('/') else {
        return Ok(Parsed::line(line));
    };
    if rest.starts_with('/') {
        return Ok(Parsed::line(rest));
    }
    let (name, arguments) = match rest.split_once([' ', '\n', '\t']) {
        Some((name, arguments)) => (name, arguments),
        None => (rest, ""),
    };
    let command = find(name).ok_or_else(|| unknown(name))?;
    (command.parse)(arguments).map_err(|what| {
        Error::new(Stage::Input, Exit::Usage, format!("/{}: {what}", command.name))
            .hint(format!("usage: {}", command.usage()))
    })
}

fn unknown(name: &str) -> Error {
    let what = format!("there is no command /{}", Untrusted::text(name));
    let hint = match nearest(name, all().flat_map(SlashCommand::names)) {
        Some(meant) => format!("did you mean /{meant}? To send a slash, type two"),
        None => "/help lists the commands; to send a slash, type two".to_owned(),
    };
    Error::new(Stage::Input, Exit::Usage, what).hint(hint)
}

fn help(arguments: &str) -> Parse<Parsed> {
    if arguments.trim().is_empty() {
        return Ok(Parsed::Local(Local::Help(None)));
    }
    let name = word(arguments, "a command")?.trim_start_matches('/');
    match find(name) {
        Some(command) => Ok(Parsed::Local(Local::Help(Some(command)))),
        None => Err(format!("there is no command /{}", Untrusted::text(name))),
    }
}

fn names() -> Vec<Candidate> {
    all().map(|command| Candidate::new(command.name, command.help)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::close::{CloseCode, CloseStatus};
    use crate::protocol::frame::Opcode;
    use crate::run::command::{Command, Question, Setting};
    use crate::run::destination::Destination;
    use crate::run::tuning::Tuning;

    fn command(command: Command) -> Parsed {
        Parsed::Command(command)
    }

    fn message(opcode: Opcode, payload: &[u8]) -> Parsed {
        command(Command::Message { opcode, payload: payload.to_vec(), fragment: None })
    }

    fn error(line: &str) -> String {
        parse(line).unwrap_err().to_string()
    }

    #[test]
    fn what_has_no_slash_is_sent_exactly() {
        assert_eq!(parse("hello").unwrap(), command(Command::Line("hello".into())));
        assert_eq!(parse("  two  ").unwrap(), command(Command::Line("  two  ".into())));
        assert_eq!(parse("a\nb").unwrap(), command(Command::Line("a\nb".into())));
        assert_eq!(parse(" ").unwrap(), command(Command::Line(" ".into())));
        assert_eq!(parse("").unwrap(), Parsed::Nothing);
    }

    #[test]
    fn two_slashes_are_one() {
        assert_eq!(parse("//etc/x").unwrap(), command(Command::Line("/etc/x".into())));
        assert_eq!(parse("//").unwrap(), command(Command::Line("/".into())));
    }

    #[test]
    fn messages_of_every_spelling() {
        assert_eq!(parse("/text").unwrap(), message(Opcode::Text, b""));
        assert_eq!(parse("/text  /a ").unwrap(), message(Opcode::Text, b" /a "));
        assert_eq!(parse(" /text a").unwrap(), message(Opcode::Text, b"a"));
        assert_eq!(parse("/text\na\nb").unwrap(), message(Opcode::Text, b"a\nb"));
        assert_eq!(parse(r"/text a\n\x1e\\").unwrap(), message(Opcode::Text, b"a\n\x1e\\"));
        assert_eq!(parse(r"/text \xc3\xa9\u{e9}").unwrap(), message(Opcode::Text, "éé".as_bytes()));
        assert!(error(r"/text a\xff").contains("byte 1 is not; /bin"));
        assert!(error(r"/text \q").contains("column 1"));
        assert_eq!(parse(r"/bin \x00z").unwrap(), message(Opcode::Binary, b"\0z"));
        assert_eq!(parse("/hex 00 ff").unwrap(), message(Opcode::Binary, b"\0\xff"));
        assert_eq!(parse("/bin").unwrap(), message(Opcode::Binary, b""));
        for line in ["/hex", "/hex  ", "/base64", "/base64 \t"] {
            assert!(error(line).contains("needs bytes"), "{line}");
        }
        assert_eq!(parse("/base64 AP8=").unwrap(), message(Opcode::Binary, b"\0\xff"));
        assert_eq!(parse("/json { \"a\": 1 }").unwrap(), message(Opcode::Text, b"{\"a\":1}"));
        assert_eq!(parse("/json {\n\"a\": 1}").unwrap(), message(Opcode::Text, b"{\"a\":1}"));
        assert_eq!(
            parse("/fragment 2 a bc").unwrap(),
            command(Command::Message {
                opcode: Opcode::Text,
                payload: b"a bc".to_vec(),
                fragment: Some(2)
            })
        );
    }

    #[test]
    fn control_frames() {
        assert_eq!(parse("/ping").unwrap(), command(Command::Ping(Vec::new())));
        assert_eq!(parse("/pong a b").unwrap(), command(Command::Pong(b"a b".to_vec())));
        assert!(parse(&format!("/ping {}", "x".repeat(125))).is_ok());
        assert!(error(&format!("/ping {}", "x".repeat(126))).contains("126 bytes"));
    }

    #[test]
    fn closing_is_checked_unless_forced() {
        let close =
            |code, reason| command(Command::Close(CloseStatus::new(CloseCode(code), reason)));
        assert_eq!(parse("/close").unwrap(), close(1000, ""));
        assert_eq!(parse("/close 4001 see you").unwrap(), close(4001, "see you"));
        assert_eq!(parse("/close 4001 \"see you\"").unwrap(), close(4001, "see you"));
        assert_eq!(parse("/close --force 1006 x").unwrap(), close(1006, "x"));
        assert_eq!(parse("/close --force").unwrap(), close(1000, ""));
        assert!(error("/close 1006").contains("must not be sent"));
        assert!(error("/close 2999").contains("--force"));
        assert!(error("/close 70000").contains("not a close code"));
        assert!(error("/close bye").contains("usage: /close [--force] [CODE [REASON]]"));
        assert!(parse(&format!("/close 1000 {}", "x".repeat(123))).is_ok());
        assert!(error(&format!("/close 1000 {}", "é".repeat(62))).contains("124 bytes"));
    }

    #[test]
    fn files_have_one_path_and_perhaps_a_type() {
        let file = |path: &str, opcode| Parsed::Local(Local::File { path: path.into(), opcode });
        assert_eq!(parse("/file a b.txt").unwrap(), file("a b.txt", None));
        assert_eq!(parse("/file a --binary").unwrap(), file("a", Some(Opcode::Binary)));
        assert_eq!(parse("/file --text a").unwrap(), file("a", Some(Opcode::Text)));
        assert_eq!(parse("/file 'a b'").unwrap(), file("a b", None));
        assert!(error("/file").contains("needs the path"));
        assert!(error("/file --text").contains("needs the path"));
    }

    #[test]
    fn the_connection_and_the_settings() {
        assert_eq!(parse("/reconnect").unwrap(), command(Command::Reconnect));
        let to = Destination::Url("ws://a".into());
        assert_eq!(parse("/connect ws://a").unwrap(), command(Command::Connect(to)));
        assert_eq!(
            parse("/connect -H 'A: b' ws://a").unwrap(),
            Parsed::Local(Local::Connect(["-H", "A: b", "ws://a"].map(String::from).to_vec()))
        );
        assert_eq!(
            parse("/connect @dev").unwrap(),
            Parsed::Local(Local::Connect(vec!["@dev".into()]))
        );
        assert!(error("/connect -H 'A: b ws://a").contains("a ' is not closed"));
        assert!(error("/connect").contains("needs a URL"));
        assert!(error("/connect a b").contains("nothing more"));
        assert_eq!(parse("/set pretty on").unwrap(), command(Command::Set(Setting::Pretty(true))));
        assert_eq!(parse("/set verbose 2").unwrap(), command(Command::Set(Setting::Verbose(2))));
        assert_eq!(parse("/set verbose off").unwrap(), command(Command::Set(Setting::Verbose(0))));
        assert!(error("/set hex 2").contains("hex is on or off"));
        assert!(error("/set verbose 4").contains("0 to 3"));
        assert!(error("/set prety on").contains("did you mean pretty"));
        let settings = |name| command(Command::Show(Question::Settings(name)));
        assert_eq!(parse("/set").unwrap(), settings(None));
        assert_eq!(parse("/set color").unwrap(), settings(Some("color")));
        let tune = |tuning| command(Command::Tune(tuning));
        let interval = Some(Duration::from_millis(500));
        assert_eq!(
            parse("/set ping-interval 500ms").unwrap(),
            tune(Tuning::PingInterval(interval))
        );
        assert_eq!(parse("/set ping-interval off").unwrap(), tune(Tuning::PingInterval(None)));
        assert_eq!(parse("/set fragment 10").unwrap(), tune(Tuning::Fragment(Some(10))));
        assert!(error("/set fragment 0").contains("off or a number of bytes"));
        assert!(error("/set ping-timeout 0").contains("off or a time"));
        assert!(error("/set connect-timeout off").contains("a time such as"));
        assert!(error("/set hex on now").contains("there is 'now'"));
    }

    #[test]
    fn questions_take_nothing_more() {
        for (line, question) in [
            ("/status", Question::Status),
            ("/headers", Question::Headers),
            ("/tls", Question::Tls),
            ("/timing ", Question::Timing),
        ] {
            assert_eq!(parse(line).unwrap(), command(Command::Show(question)));
        }
        assert!(error("/status now").contains("nothing more"));
    }

    #[test]
    fn leaving_and_help() {
        for line in ["/quit", "/q", "/exit"] {
            assert_eq!(parse(line).unwrap(), Parsed::Local(Local::Quit));
        }
        assert_eq!(parse("/help").unwrap(), Parsed::Local(Local::Help(None)));
        let Parsed::Local(Local::Help(Some(command))) = parse("/help /close").unwrap() else {
            panic!("/help /close is about /close");
        };
        assert_eq!(command.name, "close");
        assert!(error("/help nix").contains("no command"));
        assert_eq!(
            parse("/explain 81 85").unwrap(),
            Parsed::Local(Local::Explain(vec!["81 85".into()]))
        );
    }

    #[test]
    fn an_unknown_command_is_one_escaped_line_with_a_way_out() {
        assert!(error("/hlep").contains("did you mean /help?"));
        assert!(error("/\u{1b}[2J").contains("\\x1b[2J"));
        assert!(error("/").contains("/help lists"));
    }

    #[test]
    fn names_are_unique_and_found() {
        let mut all: Vec<_> = all().flat_map(SlashCommand::names).collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.into_iter().all(|name| find(name).is_some()));
    }
}
