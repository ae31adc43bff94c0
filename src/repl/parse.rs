//! One typed line becomes something to do, or an error that says how it is done.

use std::path::PathBuf;

use super::table::{self, Entry, SETTINGS, Verb};
use super::{frame, payload};
use crate::error::{Error, Exit, Result, Stage};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::Opcode;
use crate::redact::Secrets;
use crate::run::command::{Command, Question, Setting, Tool};
use crate::text::Untrusted;

/// The longest payload of a control frame (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;

/// What a line asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Parsed {
    /// Something for the session.
    Command(Command),
    /// Something that is done on this side.
    Local(Local),
    /// An empty line.
    Nothing,
}

/// What is done without the session, or before it.
#[derive(Debug, PartialEq)]
pub(super) enum Local {
    /// Let the person's own editor write a message.
    Edit,
    /// Say what the words mean.
    Explain(Vec<String>),
    /// Send a file.
    File {
        /// Where it is; `~/` not yet expanded.
        path: PathBuf,
        /// Text or Binary, if that was said.
        opcode: Option<Opcode>,
    },
    /// List the commands, or show one of them.
    Help(Option<&'static Entry>),
    /// Close and leave.
    Quit,
}

/// Reads a line: a command after a slash, else a text message. Spaces before a slash only keep the
/// line out of the history; two slashes are a text message that begins with one.
pub(super) fn parse(line: &str) -> Result<Parsed> {
    let trimmed = line.trim_start_matches(' ');
    if line.is_empty() {
        return Ok(Parsed::Nothing);
    }
    let Some(rest) = trimmed.strip_prefix('/') else {
        return Ok(text(line));
    };
    if rest.starts_with('/') {
        return Ok(text(rest));
    }
    let (name, arguments) = match rest.split_once([' ', '\n', '\t']) {
        Some((name, arguments)) => (name, arguments),
        None => (rest, ""),
    };
    let entry = table::find(name).ok_or_else(|| unknown(name))?;
    run(entry.verb, arguments).map_err(|what| {
        Error::new(Stage::Input, Exit::Usage, format!("/{}: {what}", entry.name))
            .hint(format!("usage: {}", entry.usage()))
    })
}

fn unknown(name: &str) -> Error {
    let what = format!("there is no command /{}", Untrusted::text(name));
    let hint = match table::nearest(name, table::names()) {
        Some(meant) => format!("did you mean /{meant}? To send a slash, type two"),
        None => "/help lists the commands; to send a slash, type two".to_owned(),
    };
    Error::new(Stage::Input, Exit::Usage, what).hint(hint)
}

type Outcome<T> = std::result::Result<T, String>;

fn run(verb: Verb, arguments: &str) -> Outcome<Parsed> {
    Ok(match verb {
        Verb::As => command(export(arguments)?),
        Verb::Base64 => binary(payload::base64(arguments)?),
        Verb::Bin => binary(payload::escaped(arguments)?),
        Verb::Close => command(Command::Close(close(arguments)?)),
        Verb::Connect => command(Command::Connect(word(arguments, "a URL")?.to_owned())),
        Verb::Edit => alone(arguments, Parsed::Local(Local::Edit))?,
        Verb::Explain => Parsed::Local(Local::Explain(explain(arguments)?)),
        Verb::File => Parsed::Local(file(arguments)?),
        Verb::Fragment => command(fragment(arguments)?),
        Verb::Frame => command(Command::Frame(frame::parse(arguments)?)),
        Verb::Headers => alone(arguments, command(Command::Show(Question::Headers)))?,
        Verb::Help => Parsed::Local(Local::Help(help(arguments)?)),
        Verb::Hex => binary(payload::hex(arguments)?),
        Verb::Json => text(&payload::json(arguments)?),
        Verb::Ping => command(Command::Ping(control(arguments)?)),
        Verb::Pong => command(Command::Pong(control(arguments)?)),
        Verb::Quit => alone(arguments, Parsed::Local(Local::Quit))?,
        Verb::Reconnect => alone(arguments, command(Command::Reconnect))?,
        Verb::Set => command(Command::Set(setting(arguments)?)),
        Verb::Status => alone(arguments, command(Command::Show(Question::Status)))?,
        Verb::Text => text(arguments),
        Verb::Timing => alone(arguments, command(Command::Show(Question::Timing)))?,
        Verb::Tls => alone(arguments, command(Command::Show(Question::Tls)))?,
    })
}

fn command(command: Command) -> Parsed {
    Parsed::Command(command)
}

fn text(text: &str) -> Parsed {
    let payload = text.as_bytes().to_vec();
    command(Command::Message { opcode: Opcode::Text, payload, fragment: None })
}

fn binary(payload: Vec<u8>) -> Parsed {
    command(Command::Message { opcode: Opcode::Binary, payload, fragment: None })
}

fn alone(arguments: &str, parsed: Parsed) -> Outcome<Parsed> {
    match arguments.trim() {
        "" => Ok(parsed),
        more => Err(format!("takes nothing more, but there is '{}'", Untrusted::text(more))),
    }
}

/// The one word there must be.
fn word<'a>(arguments: &'a str, what: &str) -> Outcome<&'a str> {
    let mut words = arguments.split_whitespace();
    match (words.next(), words.next()) {
        (Some(word), None) => Ok(word),
        (None, _) => Err(format!("needs {what}")),
        (Some(_), Some(more)) => {
            Err(format!("takes {what} and nothing more, but there is '{}'", Untrusted::text(more)))
        }
    }
}

fn control(text: &str) -> Outcome<Vec<u8>> {
    match text.len() {
        0..=MAX_CONTROL => Ok(text.as_bytes().to_vec()),
        len => Err(format!(
            "{len} bytes are too many: a control frame holds {MAX_CONTROL} (/frame sends more)"
        )),
    }
}

fn close(arguments: &str) -> Outcome<CloseStatus> {
    let arguments = arguments.trim_start();
    let (first, after) = split_word(arguments);
    let (forced, rest) = if first == "--force" { (true, after) } else { (false, arguments) };
    let (code, reason) = split_word(rest);
    if code.is_empty() {
        return Ok(CloseStatus::new(CloseCode::NORMAL, ""));
    }
    let code: u16 = code
        .parse()
        .map_err(|_| format!("'{}' is not a close code (0 to 65535)", Untrusted::text(code)))?;
    let code = CloseCode(code);
    if !code.is_allowed_on_wire() && !forced {
        let meaning = code.meaning();
        return Err(format!("{code} must not be sent: {meaning} (--force sends it all the same)"));
    }
    if reason.len() > CloseStatus::MAX_REASON {
        let (is, most) = (reason.len(), CloseStatus::MAX_REASON);
        return Err(format!("the reason has {is} bytes; {most} fit a Close frame"));
    }
    Ok(CloseStatus::new(code, reason))
}

/// The first word and what follows it, spaces between them gone.
fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

fn explain(arguments: &str) -> Outcome<Vec<String>> {
    let words: Vec<_> = arguments.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() { Err("needs something to explain".to_owned()) } else { Ok(words) }
}

fn file(arguments: &str) -> Outcome<Local> {
    let mut path = arguments.trim();
    let mut opcode = None;
    for (flag, meaning) in [("--text", Opcode::Text), ("--binary", Opcode::Binary)] {
        let before = path.strip_prefix(flag).filter(|rest| rest.starts_with(' '));
        let after = path.strip_suffix(flag).filter(|rest| rest.ends_with(' '));
        if let Some(rest) = before.or(after) {
            path = rest.trim();
            opcode = Some(meaning);
        }
    }
    path = unquote(path);
    if path.is_empty() || path.starts_with("--") {
        return Err("needs the path of a file".to_owned());
    }
    Ok(Local::File { path: PathBuf::from(path), opcode })
}

/// Terminals quote the name of a file that is dropped on them.
fn unquote(path: &str) -> &str {
    let inner = |quote| path.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or(inner('"')).unwrap_or(path)
}

fn export(arguments: &str) -> Outcome<Command> {
    let mut words: Vec<_> = arguments.split_whitespace().collect();
    let count = words.len();
    words.retain(|word| *word != "--show-secrets");
    let secrets = if words.len() < count { Secrets::Shown } else { Secrets::Hidden };
    let &[name] = words.as_slice() else {
        return Err("needs the name of one tool".to_owned());
    };
    match Tool::ALL.iter().find(|(known, _)| *known == name) {
        Some(&(_, tool)) => Ok(Command::Export { tool, secrets }),
        None => Err(format!("'{}' is none of the tools it knows", Untrusted::text(name))),
    }
}

fn fragment(arguments: &str) -> Outcome<Command> {
    let (size, text) = match arguments.trim_start().split_once(char::is_whitespace) {
        Some((size, text)) => (size, text),
        None => (arguments.trim(), ""),
    };
    let size = size.parse().ok().filter(|&size: &usize| size > 0);
    let size = size.ok_or("needs the size of a frame in bytes, at least 1")?;
    if text.is_empty() {
        return Err("needs a text to send".to_owned());
    }
    let payload = text.as_bytes().to_vec();
    Ok(Command::Message { opcode: Opcode::Text, payload, fragment: Some(size) })
}

fn help(arguments: &str) -> Outcome<Option<&'static Entry>> {
    if arguments.trim().is_empty() {
        return Ok(None);
    }
    let name = word(arguments, "a command")?.trim_start_matches('/');
    match table::find(name) {
        Some(entry) => Ok(Some(entry)),
        None => Err(format!("there is no command /{}", Untrusted::text(name))),
    }
}

fn setting(arguments: &str) -> Outcome<Setting> {
    let words: Vec<_> = arguments.split_whitespace().collect();
    let &[name, value] = words.as_slice() else {
        return Err("needs a setting and its value".to_owned());
    };
    let on = match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("{} is on or off", Untrusted::text(name))),
    };
    match name {
        "hex" => Ok(Setting::Hex(on?)),
        "pretty" => Ok(Setting::Pretty(on?)),
        "timestamps" => Ok(Setting::Timestamps(on?)),
        "verbose" => match (on, value.parse()) {
            (Ok(on), _) => Ok(Setting::Verbose(u8::from(on))),
            (_, Ok(level @ 0..=3)) => Ok(Setting::Verbose(level)),
            _ => Err("verbose is on, off or 0 to 3".to_owned()),
        },
        other => Err(match table::nearest(other, SETTINGS.iter().copied()) {
            Some(meant) => {
                format!("no setting '{}'; did you mean {meant}?", Untrusted::text(other))
            }
            None => format!("no setting '{}'", Untrusted::text(other)),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(opcode: Opcode, payload: &[u8]) -> Parsed {
        command(Command::Message { opcode, payload: payload.to_vec(), fragment: None })
    }

    fn error(line: &str) -> String {
        parse(line).unwrap_err().to_string()
    }

    #[test]
    fn what_has_no_slash_is_sent_exactly() {
        assert_eq!(parse("hello").unwrap(), message(Opcode::Text, b"hello"));
        assert_eq!(parse("  two  ").unwrap(), message(Opcode::Text, b"  two  "));
        assert_eq!(parse("a\nb").unwrap(), message(Opcode::Text, b"a\nb"));
        assert_eq!(parse(" ").unwrap(), message(Opcode::Text, b" "));
        assert_eq!(parse("").unwrap(), Parsed::Nothing);
    }

    #[test]
    fn two_slashes_are_one() {
        assert_eq!(parse("//etc/x").unwrap(), message(Opcode::Text, b"/etc/x"));
        assert_eq!(parse("//").unwrap(), message(Opcode::Text, b"/"));
    }

    #[test]
    fn messages_of_every_spelling() {
        assert_eq!(parse("/text").unwrap(), message(Opcode::Text, b""));
        assert_eq!(parse("/text  /a ").unwrap(), message(Opcode::Text, b" /a "));
        assert_eq!(parse(" /text a").unwrap(), message(Opcode::Text, b"a"));
        assert_eq!(parse("/text\na\nb").unwrap(), message(Opcode::Text, b"a\nb"));
        assert_eq!(parse(r"/bin \x00z").unwrap(), message(Opcode::Binary, b"\0z"));
        assert_eq!(parse("/hex 00 ff").unwrap(), message(Opcode::Binary, b"\0\xff"));
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
        assert_eq!(parse("/connect ws://a").unwrap(), command(Command::Connect("ws://a".into())));
        assert!(error("/connect").contains("needs a URL"));
        assert!(error("/connect a b").contains("nothing more"));
        assert_eq!(parse("/set pretty on").unwrap(), command(Command::Set(Setting::Pretty(true))));
        assert_eq!(parse("/set verbose 2").unwrap(), command(Command::Set(Setting::Verbose(2))));
        assert_eq!(parse("/set verbose off").unwrap(), command(Command::Set(Setting::Verbose(0))));
        assert!(error("/set hex 2").contains("hex is on or off"));
        assert!(error("/set verbose 4").contains("0 to 3"));
        assert!(error("/set prety on").contains("did you mean pretty"));
        assert!(error("/set").contains("usage: /set"));
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
        let Parsed::Local(Local::Help(Some(entry))) = parse("/help /close").unwrap() else {
            panic!("/help /close is about /close");
        };
        assert_eq!(entry.name, "close");
        assert!(error("/help nix").contains("no command"));
        assert_eq!(
            parse("/explain 81 85").unwrap(),
            Parsed::Local(Local::Explain(vec!["81".into(), "85".into()]))
        );
    }

    #[test]
    fn an_unknown_command_is_one_escaped_line_with_a_way_out() {
        assert!(error("/hlep").contains("did you mean /help?"));
        assert!(error("/\u{1b}[2J").contains("\\x1b[2J"));
        assert!(error("/").contains("/help lists"));
    }
}
