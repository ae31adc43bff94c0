//! Commands that send messages and frames.

use std::path::PathBuf;

use super::slash_command::{Local, Parse, Parsed, SlashCommand, alone};
use crate::protocol::frame::Opcode;
use crate::repl::candidate::{by_word, files};
use crate::repl::{frame, payload};
use crate::run::command::Command;
use crate::text::escapes::escaped;
use crate::text::typed::{base64, hex};

pub(super) const COMMANDS: &[SlashCommand] = &[
    SlashCommand::new(
        "text",
        "TEXT",
        r"send a text message; escapes: \n \t \x1e \0 \\ \u{1f600}",
        text,
    )
    .more(&["Also sends an empty message. A line without a command is sent exactly as typed."]),
    SlashCommand::new(
        "bin",
        "TEXT",
        r"send a binary message; escapes: \x00 \n \t \\ \u{1f600}",
        |text| escaped(text).map(Parsed::binary),
    )
    .aliases(&["binary"]),
    SlashCommand::new(
        "hex",
        "00ff 01..",
        "send a binary message given in hex, spaced as you like",
        |text| some_bytes(hex(text)?),
    ),
    SlashCommand::new("base64", "DATA", "send a binary message given in base64", |text| {
        some_bytes(base64(text)?)
    })
    .more(&["Either alphabet, with or without padding."]),
    SlashCommand::new(
        "json",
        "VALUE",
        "check that VALUE is JSON and send it without its white space",
        |text| Ok(Parsed::text(&payload::json(text)?)),
    )
    .more(&["Numbers, duplicate keys and the order of keys stay as typed."]),
    SlashCommand::new(
        "file",
        "PATH [--text|--binary]",
        "send a file as one message: text if it is UTF-8, else binary",
        file,
    )
    .more(&["The PATH is the rest of the line; ~/ is your home directory."])
    .completing(|typed| (0, files(typed))),
    SlashCommand::new("edit", "", "write a text message in $VISUAL or $EDITOR", |more| {
        alone(more, Parsed::Local(Local::Edit))
    })
    .more(&["Nothing is sent when the text is empty or the editor fails."]),
    SlashCommand::new(
        "fragment",
        "N TEXT",
        "send a text message in frames of at most N bytes",
        fragment,
    ),
    SlashCommand::new(
        "frame",
        "[fin=0] [op=3] [rsv=4] [mask=none] [length=N] [form=64] [text=..|hex=..|base64=..]",
        "send one frame exactly like this, right or wrong",
        |fields| Ok(Parsed::Command(Command::Frame(frame::parse(fields)?))),
    )
    .more(&[
        "fin=0|1; rsv=0..7 (RSV1 is 4, RSV2 is 2, RSV3 is 1)",
        "op=text, binary, continuation, close, ping, pong, or 0..15",
        "mask=random, none, or a key of eight hex digits such as 00000000",
        "length=N declares N bytes whatever the payload; form=7|16|64 is how it is written",
        "text=, hex= or base64= comes last and takes the rest of the line",
    ])
    .completing(|typed| by_word(typed, frame::complete)),
];

/// An empty message is sent only where it can't be a slip.
fn some_bytes(payload: Vec<u8>) -> Parse<Parsed> {
    match payload.is_empty() {
        true => Err("needs bytes (/bin alone sends an empty message)".to_owned()),
        false => Ok(Parsed::binary(payload)),
    }
}

fn text(typed: &str) -> Parse<Parsed> {
    let text = String::from_utf8(escaped(typed)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("a text message is UTF-8, and byte {at} is not; /bin sends any bytes")
    })?;
    Ok(Parsed::text(&text))
}

fn file(arguments: &str) -> Parse<Parsed> {
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
    Ok(Parsed::Local(Local::File { path: PathBuf::from(path), opcode }))
}

/// Terminals quote the name of a file that is dropped on them.
fn unquote(path: &str) -> &str {
    let inner = |quote| path.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or(inner('"')).unwrap_or(path)
}

fn fragment(arguments: &str) -> Parse<Parsed> {
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
    Ok(Parsed::Command(Command::Message { opcode: Opcode::Text, payload, fragment: Some(size) }))
}
