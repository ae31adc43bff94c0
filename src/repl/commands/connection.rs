//! Commands that send control frames or replace the connection.

use super::slash_command::{Local, Parse, Parsed, SlashCommand, alone, word};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::repl::candidate::{Candidate, by_word};
use crate::run::command::{Command, Question};
use crate::run::destination::Destination;
use crate::text::Untrusted;
use crate::text::words::words;

/// The longest payload of a control frame (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;

/// The close codes to complete: those that an endpoint may send and that have a meaning.
const CLOSE_CODES: &[u16] = &[
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3003, 3008, 4000,
];

pub(super) const COMMANDS: &[SlashCommand] = &[
    SlashCommand::new("ping", "[TEXT]", "send a ping and see the round trip of its pong", |text| {
        Ok(Parsed::Command(Command::Ping(control(text)?)))
    }),
    SlashCommand::new("pong", "[TEXT]", "send a pong that nobody asked for", |text| {
        Ok(Parsed::Command(Command::Pong(control(text)?)))
    }),
    SlashCommand::new(
        "close",
        "[--force] [CODE [REASON]]",
        "close the connection (by default with 1000) and stay here",
        close,
    )
    .more(&[
        "Codes that an endpoint may send: 1000-1003, 1007-1014, 3000-4999.",
        "--force sends any other, to see what the server makes of it.",
    ])
    .completing(|typed| by_word(typed, close_codes)),
    SlashCommand::new("reconnect", "", "leave this connection and open it again", |more| {
        alone(more, Parsed::Command(Command::Reconnect))
    }),
    SlashCommand::new(
        "connect",
        "[OPTIONS] URL|@PROFILE",
        "leave this connection and open another",
        connect,
    )
    .more(&[
        "With a URL alone the options stay; secrets go to the host they were for.",
        "With OPTIONS or a profile only those count, as with wstap OPTIONS URL: see",
        "wstap --help. What is wrong is said before this connection is left.",
    ]),
    SlashCommand::new(
        "header",
        "[NAME: [VALUE]]",
        "list or change the header fields typed for the next opening",
        header,
    )
    .more(&[
        "NAME: VALUE replaces what was typed for that name; NAME: alone removes it, or a",
        "field of our own such as User-Agent. It counts from the next /reconnect on.",
    ]),
];

fn header(arguments: &str) -> Parse<Parsed> {
    match arguments.trim() {
        "" => Ok(Parsed::Command(Command::Show(Question::Fields))),
        typed => Ok(Parsed::Local(Local::Header(typed.to_owned()))),
    }
}

fn connect(arguments: &str) -> Parse<Parsed> {
    let words = words(arguments)?;
    if words.iter().any(|word| word.starts_with(['-', '@'])) {
        return Ok(Parsed::Local(Local::Connect(words)));
    }
    let url = word(arguments, "a URL")?.to_owned();
    Ok(Parsed::Command(Command::Connect(Destination::Url(url))))
}

fn control(text: &str) -> Parse<Vec<u8>> {
    match text.len() {
        0..=MAX_CONTROL => Ok(text.as_bytes().to_vec()),
        len => Err(format!(
            "{len} bytes are too many: a control frame holds {MAX_CONTROL} (/frame sends more)"
        )),
    }
}

fn close(arguments: &str) -> Parse<Parsed> {
    let arguments = arguments.trim_start();
    let (first, after) = split_word(arguments);
    let (forced, rest) = if first == "--force" { (true, after) } else { (false, arguments) };
    let (code, reason) = split_word(rest);
    if code.is_empty() {
        return Ok(closing(CloseCode::NORMAL, ""));
    }
    let code: u16 = code
        .parse()
        .map_err(|_| format!("'{}' is not a close code (0 to 65535)", Untrusted::text(code)))?;
    let code = CloseCode(code);
    if !code.is_allowed_on_wire() && !forced {
        let meaning = code.meaning();
        return Err(format!("{code} must not be sent: {meaning} (--force sends it all the same)"));
    }
    // Quotes around it are not sent, as in scripts.
    let inner = reason.strip_prefix('"').and_then(|inner| inner.trim_end().strip_suffix('"'));
    let reason = inner.unwrap_or(reason);
    if reason.len() > CloseStatus::MAX_REASON {
        let (is, most) = (reason.len(), CloseStatus::MAX_REASON);
        return Err(format!("the reason has {is} bytes; {most} fit a Close frame"));
    }
    Ok(closing(code, reason))
}

fn closing(code: CloseCode, reason: &str) -> Parsed {
    Parsed::Command(Command::Close(CloseStatus::new(code, reason)))
}

/// The first word and the text after it, without the spaces between.
fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

fn close_codes(before: &str, _: &str) -> Vec<Candidate> {
    let codes = if before.is_empty() { CLOSE_CODES } else { &[] };
    let about = |&code: &u16| Candidate::new(format!("{code} "), CloseCode(code).meaning());
    codes.iter().map(about).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_completed_close_code_may_be_sent() {
        assert!(CLOSE_CODES.iter().all(|&code| CloseCode(code).is_allowed_on_wire()));
    }
}
