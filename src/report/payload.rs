//! stdout of pipe mode: the received payloads and nothing else.

use std::io::{self, IoSlice, Write};
use std::time::Duration;

use data_encoding::HEXLOWER;

use crate::event::{Data, Direction, Event, Moment, Stamped};
use crate::protocol::frame::Opcode;
use crate::report::json::write_message;
use crate::report::json_writer::JsonWriter;
use crate::report::pretty::{is_structured, pretty};
use crate::report::style::Style;
use crate::report::{Needs, Reporter};
use crate::text::UntrustedLines;
use crate::text::stamp::Stamps;

/// How many payload bytes are converted to hex at a time.
const HEX_STEP: usize = 512;

/// How received messages are printed (`--output`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The bytes and a newline.
    #[default]
    Line,
    /// The exact bytes, nothing between messages.
    Raw,
    /// The bytes and a NUL.
    Null,
    /// Lower-case hex, one message a line.
    Hex,
    /// One message a line, as the `message` event of `--json` without `at`, `t` and `seq`.
    Json,
}

impl Format {
    /// Every format: its name on the command line, its help, and the value.
    pub const ALL: [(&str, &str, Format); 5] = [
        ("hex", "In hex, a line each", Format::Hex),
        ("json", "A JSON object a line", Format::Json),
        ("line", "As they are, and a newline", Format::Line),
        ("null", "As they are, and a NUL byte", Format::Null),
        ("raw", "As they are, without anything between them", Format::Raw),
    ];
}

/// Writes payloads.
#[derive(Debug)]
pub struct Payload {
    format: Format,
    terminal: bool,
    /// Only messages of this type.
    only: Option<Opcode>,
    /// What of the time stands before a line, and when the last one came.
    stamps: (Stamps, Duration),
    /// JSON over several lines, and how it is coloured.
    pretty: Option<Style>,
    json: JsonWriter,
}

impl Payload {
    /// A view in that format. On a terminal, control characters are escaped except with
    /// [`Format::Raw`]; anywhere else the bytes are exact.
    pub fn new(format: Format, terminal: bool) -> Payload {
        let (only, pretty, stamps) = (None, None, (Stamps::default(), Duration::ZERO));
        Payload { format, terminal, only, stamps, pretty, json: JsonWriter::default() }
    }

    /// Prints only messages of this type, if there is one.
    pub fn only(self, only: Option<Opcode>) -> Payload {
        Payload { only, ..self }
    }

    /// Prints the time before each message that is printed as a line.
    pub fn stamped(self, stamps: Stamps) -> Payload {
        let has_place = matches!(self.format, Format::Line | Format::Hex);
        let stamps = if has_place { stamps } else { Stamps::default() };
        Payload { stamps: (stamps, Duration::ZERO), ..self }
    }

    /// Prints JSON over several lines where that is asked for, perhaps in colours.
    pub fn pretty(self, is_asked: bool, color: bool) -> Payload {
        let has_place = !matches!(self.format, Format::Hex | Format::Json);
        Payload { pretty: (is_asked && has_place).then(|| Style::new(color)), ..self }
    }

    #[inline]
    fn data(&mut self, data: &Data<'_>, at: Moment, out: &mut dyn Write) -> io::Result<()> {
        let (stamps, before) = &mut self.stamps;
        if data.first
            && let Some(stamp) = stamps.of(at, *before)
        {
            *before = at.since;
            write!(out, "{stamp} ")?;
        }
        if let Some(style) = self.pretty
            && is_structured(data.bytes)
        {
            pretty(data.bytes, "", style, self.terminal, out)?;
            return out.write_all(self.separator());
        }
        match self.format {
            Format::Line if data.last && !self.terminal => return both(data.bytes, b"\n", out),
            Format::Null if data.last && !self.terminal => return both(data.bytes, b"\0", out),
            Format::Line | Format::Null if self.terminal => {
                write!(out, "{}", UntrustedLines(data.bytes))?;
            }
            Format::Line | Format::Raw | Format::Null => out.write_all(data.bytes)?,
            Format::Hex => hex(data.bytes, out)?,
            Format::Json => {
                self.json.begin("message");
                write_message(&mut self.json, data);
                return self.json.end(out);
            }
        }
        if data.last { out.write_all(self.separator()) } else { Ok(()) }
    }

    fn separator(&self) -> &'static [u8] {
        match self.format {
            Format::Line | Format::Hex | Format::Json => b"\n",
            Format::Null => b"\0",
            Format::Raw => b"",
        }
    }
}

impl Reporter for Payload {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        match event.event {
            Event::Data(data)
                if data.direction == Direction::In
                    && self.only.is_none_or(|only| only == data.opcode) =>
            {
                self.data(data, event.at, out)
            }
            _ => Ok(()),
        }
    }

    fn needs(&self) -> Needs {
        // A character split over two pieces would look like broken UTF-8.
        let escapes = self.terminal && matches!(self.format, Format::Line | Format::Null);
        Needs {
            received: true,
            whole_messages: escapes || self.pretty.is_some() || self.format == Format::Json,
            ..Needs::default()
        }
    }
}

/// Writes a payload and its separator in one call.
#[inline]
fn both(payload: &[u8], end: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let written = out.write_vectored(&[IoSlice::new(payload), IoSlice::new(end)])?;
    if written == payload.len() + end.len() {
        return Ok(());
    }
    let left = payload.get(written..).unwrap_or_default();
    let left_of_end = end.get(written.saturating_sub(payload.len())..).unwrap_or_default();
    out.write_all(left).and_then(|()| out.write_all(left_of_end))
}

fn hex(bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut digits = [0; 2 * HEX_STEP];
    for step in bytes.chunks(HEX_STEP) {
        if let Some(digits) = digits.get_mut(..2 * step.len()) {
            HEXLOWER.encode_mut(step, digits);
            out.write_all(digits)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{binary, stamped, text};

    fn shown(format: Format, terminal: bool, data: &[Data<'_>]) -> String {
        let mut out = Vec::new();
        let mut payload = Payload::new(format, terminal);
        for data in data {
            payload.event(&stamped(&Event::Data(*data)), &mut out).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_format_sets_messages_apart() {
        let pieces = [
            Data { last: false, ..text(b"one") },
            Data { first: false, ..text(b"two") },
            binary(b"\x01"),
            text(b""),
        ];
        assert_eq!(shown(Format::Line, false, &pieces), "onetwo\n\x01\n\n");
        assert_eq!(shown(Format::Raw, true, &pieces), "onetwo\x01");
        assert_eq!(shown(Format::Null, false, &pieces), "onetwo\0\x01\0\0");
        assert_eq!(shown(Format::Hex, true, &pieces), "6f6e6574776f\n01\n\n");
        assert_eq!(
            shown(Format::Json, true, &[text(b"a\x1b"), binary(b"a")]),
            "{\"type\":\"message\",\"direction\":\"in\",\"opcode\":\"text\",\"data\":\"a\\u001b\",\
             \"fragments\":1,\"length\":2,\"wire_length\":2,\"compressed\":false}\n\
             {\"type\":\"message\",\"direction\":\"in\",\"opcode\":\"binary\",\"base64\":\"YQ==\",\
             \"fragments\":1,\"length\":1,\"wire_length\":1,\"compressed\":false}\n"
        );
    }

    #[test]
    fn only_what_was_received() {
        let out = [Data { direction: Direction::Out, ..text(b"x") }];
        assert_eq!(shown(Format::Line, false, &out), "");
    }

    #[test]
    fn a_terminal_gets_nothing_raw_and_a_pipe_everything() {
        let hostile = text(b"a\n\x1b]0;x\x07\xc2\x9b2J");
        assert_eq!(shown(Format::Line, true, &[hostile]), "a\n\\x1b]0;x\\x07\\u{9b}2J\n");
        assert_eq!(shown(Format::Line, false, &[hostile]), "a\n\x1b]0;x\x07\u{9b}2J\n");
        assert!(Payload::new(Format::Line, true).needs().whole_messages);
        assert!(!Payload::new(Format::Line, false).needs().whole_messages);
    }

    #[test]
    fn long_hex_is_made_in_steps() {
        let long = vec![0xab; 3 * HEX_STEP + 1];
        assert_eq!(shown(Format::Hex, false, &[binary(&long)]), "ab".repeat(long.len()) + "\n");
    }
}
