//! Messages and frames for people: their text, their dumps, their headers.

use std::io::{self, Write};

use crate::event::{
    Compression, Data, Direction, Frame, FramePayload, Moment, Recalled, RecalledAs, Sent,
};
use crate::protocol::frame::Opcode;
use crate::report::human::cut::Cut;
use crate::report::human::options::HumanOptions;
use crate::report::lines::{Lines, MARGIN, Mark, verb};
use crate::report::phases;
use crate::report::pretty::{is_structured, pretty};
use crate::report::style::Tone;
use crate::text::hexdump::{HexPairs, hexdump, unmasked};
use crate::text::units::{Count, Short, digits, seconds, zeros};
use crate::text::{Untrusted, UntrustedLines};

/// How many bytes of a binary message are shown by default.
const DUMPED: usize = 256;

/// How many characters of a message that was sent are shown.
const EXCERPT: usize = 48;

/// State kept between events.
#[derive(Debug)]
pub(super) struct Messages {
    /// Payload bytes so far of a message that comes in pieces.
    begun: u64,
    /// The line of a frame under construction.
    line: Short,
}

impl Messages {
    pub(super) const START: Messages = Messages { begun: 0, line: Short::EMPTY };

    pub(super) fn data(
        &mut self,
        options: &HumanOptions,
        data: &Data<'_>,
        lines: &mut Lines<'_>,
    ) -> io::Result<()> {
        if data.compressed && options.shows(2) {
            let before = if data.first { 0 } else { self.begun };
            self.begun = before + data.bytes.len() as u64;
            if data.last {
                let what = format!("{} {}", verb(data.direction), data.opcode);
                let did = Compression { plain: self.begun, wire: data.wire_len };
                phases::compression(lines, &what, did)?;
            }
        }
        if !options.repl || (data.direction == Direction::Out && !options.sent) {
            return Ok(());
        }
        let is_left_out = options.only.is_some_and(|only| only != data.opcode);
        if is_left_out && data.direction == Direction::In {
            return Ok(());
        }
        if options.hex || data.opcode != Opcode::Text && !is_readable(data.bytes) {
            return dump(options, data, lines);
        }
        if data.first {
            lines.begin(data_mark(data))?;
        } else {
            lines.out.write_all(MARGIN.as_bytes())?;
        }
        if options.sent || options.verbosity > 0 {
            write_text(options, data.bytes, lines)?;
            return lines.out.write_all(b"\n");
        }
        let mut cut = Cut::new(lines.out);
        let Lines { style, time, marked, columns, .. } = *lines;
        let written = write_text(
            options,
            data.bytes,
            &mut Lines { out: &mut cut, style, time, marked, columns },
        );
        if !cut.is_full() {
            written?;
            return lines.out.write_all(b"\n");
        }
        let size = Count(data.bytes.len() as u64, "byte");
        let more = format!("… {size} in all: /last shows the whole message");
        writeln!(lines.out, "\n{MARGIN}{}", lines.style.paint(Tone::Dim, more))
    }

    /// A message that came before, on request.
    pub(super) fn recalled(
        &mut self,
        options: &HumanOptions,
        message: &Recalled<'_>,
        lines: &mut Lines<'_>,
    ) -> io::Result<()> {
        if let Some(number) = message.number {
            write!(lines.out, "{} ", lines.style.paint(Tone::Dim, number))?;
        }
        let data = Data {
            direction: Direction::In,
            opcode: message.opcode,
            bytes: message.bytes,
            first: true,
            last: true,
            fragments: 1,
            wire_len: message.bytes.len() as u64,
            compressed: false,
        };
        let whole = HumanOptions { verbosity: options.verbosity.max(1), ..*options };
        match message.form {
            RecalledAs::Received => self.data(options, &data, lines),
            RecalledAs::Whole => self.data(&whole, &data, lines),
            RecalledAs::Hex => dump(&whole, &data, lines),
            RecalledAs::Text => {
                lines.begin(data_mark(&data))?;
                write_text(options, data.bytes, lines)?;
                lines.out.write_all(b"\n")
            }
        }
    }

    pub(super) fn frame(
        &mut self,
        options: &HumanOptions,
        frame: &Frame<'_>,
        at: Moment,
        lines: &mut Lines<'_>,
    ) -> io::Result<()> {
        lines.begin(frame_mark(frame.direction))?;
        self.line.clear();
        self.line.push(seconds(&mut zeros(), at.since));
        self.line.push(b" s ");
        // Can't fail.
        let _ = frame.header.describe(&mut self.line);
        self.line.push(b" offset=");
        self.line.push(digits(&mut zeros(), frame.offset, 1));
        self.line.push(b"\n");
        lines.out.write_all(self.line.bytes())?;
        if options.shows(3) {
            let bytes = lines.style.paint(Tone::Warning, HexPairs(frame.bytes));
            writeln!(lines.out, "{MARGIN}header  [{bytes}]")?;
        }
        Ok(())
    }
}

/// What was sent on request: kind, size and beginning. Control frames are in their own lines with `-v`,
/// every frame is with `-vv`.
pub(super) fn sent(
    options: &HumanOptions,
    sent: &Sent<'_>,
    lines: &mut Lines<'_>,
) -> io::Result<()> {
    let is_control = matches!(sent.opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
    let is_shown = options.shows(if is_control && !sent.by_hand { 1 } else { 2 });
    if !options.repl
        || options.sent
        || options.quiet
        || is_shown
        || sent.typed && !options.stamps.time
    {
        return Ok(());
    }
    let kind = if sent.by_hand { "frame " } else { "" };
    let size = Count(sent.payload.len() as u64, "byte");
    let cut = match sent.fragment {
        Some(most) => format!(" in frames of at most {}", Count(most as u64, "byte")),
        None => String::new(),
    };
    let begin = if sent.typed { String::new() } else { excerpt(sent) };
    lines.wrapped(Mark::Sent, format_args!("{kind}{}, {size}{cut}{begin}", sent.opcode))
}

/// The beginning of what was sent, after a colon: text as text, bytes in hex, for a Close nothing.
fn excerpt(sent: &Sent<'_>) -> String {
    let payload = sent.payload;
    if payload.is_empty() || sent.opcode == Opcode::Close {
        return String::new();
    }
    let text = payload.get(..4 * EXCERPT).unwrap_or(payload);
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let is_text =
        sent.opcode != Opcode::Binary && (valid.len() == text.len() || text.len() < payload.len());
    if !is_text {
        let shown = payload.get(..EXCERPT / 3).unwrap_or(payload);
        let more = if shown.len() < payload.len() { " …" } else { "" };
        return format!(": {}{more}", HexPairs(shown));
    }
    let end = valid.char_indices().nth(EXCERPT).map_or(valid.len(), |(at, _)| at);
    let more = if end < payload.len() { "…" } else { "" };
    format!(": {}{more}", Untrusted::text(&valid[..end]))
}

pub(super) fn frame_payload(payload: &FramePayload<'_>, out: &mut dyn Write) -> io::Result<()> {
    let FramePayload { wire, masking_key, offset, .. } = *payload;
    match masking_key {
        None => hexdump(&"  payload ", wire, offset, out),
        Some(key) => {
            hexdump(&"  masked  ", wire, offset, out)?;
            unmasked(&"  payload ", wire, key, offset, out)
        }
    }
}

/// Whether bytes are a text that a person would read: UTF-8 without control characters but those of a terminal's lines
/// and colours. One more may be in front (the channel in Kubernetes' protocol), and what sets records apart at the end
/// (STOMP's NUL, SignalR's U+001E).
fn is_readable(bytes: &[u8]) -> bool {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\x1b');
    std::str::from_utf8(bytes).is_ok_and(|text| {
        let text = text.strip_prefix(|c| c < ' ').unwrap_or(text);
        let text = text.trim_end_matches(['\0', '\x1e']);
        !text.is_empty() && text.chars().all(is_plain)
    })
}

fn write_text(options: &HumanOptions, bytes: &[u8], lines: &mut Lines<'_>) -> io::Result<()> {
    match options.pretty && is_structured(bytes) {
        true => pretty(bytes, MARGIN, lines.style, true, lines.out),
        false => text(bytes, lines),
    }
}

/// The text with a margin before every line but the first. A newline at the very end would be
/// invisible, so it is escaped.
fn text(text: &[u8], lines: &mut Lines<'_>) -> io::Result<()> {
    let (text, end) = match text.strip_suffix(b"\n") {
        Some(text) => (text, "\\n"),
        None => (text, ""),
    };
    for (number, line) in text.split(|b| *b == b'\n').enumerate() {
        if number > 0 {
            write!(lines.out, "\n{MARGIN}")?;
        }
        write!(lines.out, "{}", UntrustedLines(line))?;
    }
    if end.is_empty() {
        return Ok(());
    }
    write!(lines.out, "{}", lines.style.paint(Tone::Dim, end))
}

fn dump(options: &HumanOptions, data: &Data<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
    lines.line(data_mark(data), format_args!("{}", Count(data.bytes.len() as u64, "byte")))?;
    let all = options.hex || options.verbosity > 0;
    let (shown, rest) = match data.bytes.split_at_checked(DUMPED) {
        Some((shown, rest)) if !all => (shown, rest.len()),
        _ => (data.bytes, 0),
    };
    hexdump(&MARGIN, shown, 0, lines.out)?;
    if rest > 0 {
        let more = format!("… {rest} more bytes");
        writeln!(lines.out, "{MARGIN}{}", lines.style.paint(Tone::Dim, more))?;
    }
    Ok(())
}

fn data_mark(data: &Data<'_>) -> Mark {
    match (data.direction, data.opcode != Opcode::Text) {
        (Direction::In, true) => Mark::ReceivedBinary,
        (Direction::In, false) => Mark::Received,
        (Direction::Out, true) => Mark::SentBinary,
        (Direction::Out, false) => Mark::Sent,
    }
}

fn frame_mark(direction: Direction) -> Mark {
    match direction {
        Direction::In => Mark::ReceivedFrame,
        Direction::Out => Mark::SentFrame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::protocol::frame::FrameHeader;
    use crate::report::human::Human;
    use crate::report::human::tests::{pipe, repl};
    use crate::report::testing::{binary, shown, text};

    #[test]
    fn messages_in_the_repl_cannot_forge_marks() {
        let data = [
            Event::Data(text(b"one\n! two\x1b[A\x08\n\xe2\x80\xaethree")),
            Event::Data(text(b"ends\n")),
            Event::Data(text(b"")),
            Event::Data(Data { direction: Direction::Out, ..text(b"hi\tyou") }),
        ];
        assert_eq!(
            shown(&mut repl(), &data),
            "< one\n  ! two\\x1b[A\\x08\n  \\u{202e}three\n< ends\\n\n< \n> hi\tyou\n"
        );
        assert_eq!(shown(&mut pipe(3), &data), "", "payloads are stdout's in pipe mode");
    }

    #[test]
    fn binary_messages_are_dumped_and_cropped() {
        let bytes = [0; 300];
        let text = shown(&mut repl(), &[Event::Data(binary(&bytes))]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 18);
        assert_eq!(lines[0], "<b 300 bytes");
        assert_eq!(
            lines[1],
            "  00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|"
        );
        assert_eq!(lines[17], "  … 44 more bytes");
        let options = HumanOptions { hex: true, repl: true, ..HumanOptions::default() };
        let text = shown(&mut Human::new(options), &[Event::Data(binary(&bytes))]);
        assert_eq!(text.lines().count(), 20);
    }

    #[test]
    fn bytes_that_are_a_text_are_shown_as_text() {
        for (bytes, line) in [
            (&b"{\"a\":1}"[..], "<b {\"a\":1}\n"),
            ("zwei\nZeilen, früh".as_bytes(), "<b zwei\n  Zeilen, früh\n"),
            (b"\x01\x1b[1mbin\x1b[0m\r\n", "<b \\x01\\x1b[1mbin\\x1b[0m\\r\\n\n"),
            (b"{\"type\":6}\x1e", "<b {\"type\":6}\\x1e\n"),
        ] {
            assert_eq!(shown(&mut repl(), &[Event::Data(binary(bytes))]), line);
        }
        for bytes in [
            &b""[..],
            b"\0",
            b"\x08\x01",
            b"\n\x05hello",
            b"caf\xe9",
            b"a\x7f",
            "\u{9b}2J".as_bytes(),
        ] {
            let shown = shown(&mut repl(), &[Event::Data(binary(bytes))]);
            assert!(shown.starts_with(&format!("<b {} byte", bytes.len())), "{shown}");
        }
        let options = HumanOptions { hex: true, repl: true, ..HumanOptions::default() };
        assert!(
            shown(&mut Human::new(options), &[Event::Data(binary(b"text"))])
                .contains("74 65 78 74")
        );
    }

    #[test]
    fn a_long_text_is_cut_unless_more_is_asked_for() {
        let prompt = |verbosity| {
            let options =
                HumanOptions { repl: true, pretty: true, verbosity, ..HumanOptions::default() };
            Human::new(options)
        };
        let long = "x".repeat(100_000);
        let data = [Event::Data(text(long.as_bytes()))];
        let shown_short = shown(&mut prompt(0), &data);
        assert!(shown_short.len() < 7_000 && shown_short.starts_with("< xxx"));
        assert!(
            shown_short.ends_with("xx\n  … 100000 bytes in all: /last shows the whole message\n")
        );
        assert_eq!(shown(&mut prompt(1), &data), format!("< {long}\n"));
        let json = format!("[{}1]", "1,".repeat(1_000));
        let lines = shown(&mut prompt(0), &[Event::Data(text(json.as_bytes()))]);
        assert!(lines.lines().count() < 70 && lines.contains("2003 bytes in all"), "{lines}");
        let recalled = |form| {
            let (bytes, number) = (long.as_bytes(), Some(7));
            let recalled = Recalled { number, opcode: Opcode::Text, bytes, form };
            shown(&mut prompt(0), &[Event::Recalled(recalled)])
        };
        assert_eq!(recalled(RecalledAs::Whole), format!("7 < {long}\n"));
        assert_eq!(recalled(RecalledAs::Text), format!("7 < {long}\n"));
        assert_eq!(recalled(RecalledAs::Received), format!("7 {shown_short}"));
        assert_eq!(recalled(RecalledAs::Hex).lines().count(), 1 + 100_000 / 16);
    }

    #[test]
    fn json_is_pretty_on_request() {
        let options = HumanOptions { pretty: true, repl: true, ..HumanOptions::default() };
        let data = [Event::Data(text(b"{\"a\":[1]}")), Event::Data(text(b"{\"a\""))];
        assert_eq!(
            shown(&mut Human::new(options), &data),
            "< {\n    \"a\": [\n      1\n    ]\n  }\n< {\"a\"\n"
        );
    }

    #[test]
    fn frames_with_vv_and_their_bytes_with_vvv() {
        let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d];
        let (header, _) = FrameHeader::parse(&bytes).unwrap();
        let direction = Direction::Out;
        let wire = &[0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let masking_key = header.masking_key;
        let events = [
            Event::Frame(Frame { direction, header, bytes: &bytes, offset: 11 }),
            Event::FramePayload(FramePayload { direction, wire, masking_key, offset: 0 }),
        ];
        let line = ">f 1.234567 s FIN=1 RSV=000 opcode=text (0x1) MASK=1 length=5 (7-bit) key=37fa213d \
                    offset=11\n";
        assert_eq!(shown(&mut pipe(1), &events), "");
        assert_eq!(shown(&mut pipe(2), &events), line);
        assert_eq!(
            shown(&mut pipe(3), &events),
            format!(
                "{line}  header  [81 85 37 fa 21 3d]\n  masked  00000000  7f 9f 4d 51 58             \
                 {:23}|..MQX|\n  payload 00000000  48 65 6c 6c 6f             {0:23}|Hello|\n",
                ""
            )
        );
    }
}
