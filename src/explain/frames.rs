//! Frame bytes, bit by bit.

use std::fmt::Write;

use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::connection::{Expected, Side, length_breaks};
use crate::protocol::deflate::{Inflate, Params};
use crate::protocol::frame::{FrameHeader, LengthForm, Opcode};
use crate::protocol::mask;
use crate::protocol::utf8::Utf8;
use crate::protocol::violation::Rule;
use crate::text::Untrusted;
use crate::text::hexdump::{HexPairs, hexdump};

/// The most inflated bytes to show.
const INFLATED: usize = 64 << 10;

/// Explains every frame in pieces of a stream, with its errors. Each piece begins at an offset that
/// counts with the bytes before it.
pub(super) fn explain<'a>(pieces: impl IntoIterator<Item = (&'a [u8], usize)>) -> String {
    let mut reader = Reader::default();
    for (mut rest, mut offset) in pieces {
        while !rest.is_empty() {
            let used = reader.frame(rest, offset);
            offset += used;
            rest = rest.get(used..).unwrap_or_default();
        }
    }
    reader.text
}

/// The state of a fragmented message in one direction.
#[derive(Default)]
struct Fragments {
    open: Option<Opcode>,
    utf8: Utf8,
}

#[derive(Default)]
struct Reader {
    text: String,
    frames: usize,
    /// By direction: masked frames come from a client.
    client: Fragments,
    server: Fragments,
    problems: Vec<String>,
}

impl Reader {
    /// Explains the frame at the front; returns its length in bytes.
    fn frame(&mut self, bytes: &[u8], offset: usize) -> usize {
        if self.frames > 0 {
            self.text.push('\n');
        }
        self.frames += 1;
        let parsed = FrameHeader::parse(bytes);
        self.title(bytes, parsed.map(|(header, _)| header), offset);
        self.fixed_bytes(bytes);
        let Some((header, header_len)) = parsed else {
            self.header_cut(bytes);
            return bytes.len();
        };
        self.extended(bytes, &header);
        let rest = bytes.get(header_len..).unwrap_or_default();
        let whole = usize::try_from(header.length).ok().filter(|length| *length <= rest.len());
        let wire = rest.get(..whole.unwrap_or(rest.len())).unwrap_or_default();
        let mut plain = wire.to_vec();
        if let Some(key) = header.masking_key {
            self.rows("payload, masked", wire);
            mask::apply(&mut plain, key, 0);
            self.rows("payload, unmasked", &plain);
        } else {
            self.rows("payload", wire);
        }
        self.judge_header(&header);
        if whole.is_some() {
            self.payload(&header, &plain);
        }
        self.verdict();
        if whole.is_none() {
            let (have, all) = (wire.len(), header.length);
            self.note(&format!("  incomplete: {have} of {all} payload bytes\n"));
        }
        header_len + wire.len()
    }

    fn title(&mut self, bytes: &[u8], header: Option<FrameHeader>, offset: usize) {
        let number = self.frames;
        let opcode = bytes.first().map(|b0| Opcode::from_bits(*b0));
        let opcode = opcode.map_or_else(String::new, |opcode| opcode.to_string());
        let more = match header {
            None => ", header incomplete".to_owned(),
            Some(header) => {
                let fin = if header.fin { "final" } else { "not final" };
                let (who, length) = (sender(&header), header.length);
                format!(", {fin}, {length} byte{}, {who}", if length == 1 { "" } else { "s" })
            }
        };
        self.note(&format!("frame {number} at byte {offset}: {opcode}{more}\n"));
    }

    /// The two bytes that every frame begins with.
    fn fixed_bytes(&mut self, bytes: &[u8]) {
        if let Some(b0) = bytes.first() {
            let opcode = Opcode::from_bits(*b0);
            let fin = match b0 >> 7 {
                1 => "the last frame of its message",
                _ => "more frames of this message follow",
            };
            self.bits(&format!("{b0:02x}"), &dotted(*b0, 0x80), "FIN", b0 >> 7, fin);
            let rsv = match b0 >> 4 & 7 {
                0 => "no extension at work",
                4 => "RSV1: compressed, if permessage-deflate was agreed",
                _ => "reserved bits set",
            };
            self.bits("", &dotted(*b0, 0x70), "RSV1-3", format_args!("{:03b}", b0 >> 4 & 7), rsv);
            let kind = if opcode.is_control() { "a control frame" } else { "a data frame" };
            let shown = format!("{:#x}", opcode.bits());
            let kind = format!("{}: {kind}", opcode.name());
            self.bits("", &dotted(*b0, 0x0f), "opcode", shown, &kind);
        }
        if let Some(b1) = bytes.get(1) {
            let masked = match b1 >> 7 {
                1 => "masked, as every frame from a client",
                _ => "not masked, as every frame from a server",
            };
            self.bits(&format!("{b1:02x}"), &dotted(*b1, 0x80), "MASK", b1 >> 7, masked);
            let length = match b1 & 0x7f {
                126 => "the next two bytes are the length",
                127 => "the next eight bytes are the length",
                _ => "the payload's length in bytes",
            };
            self.bits("", &dotted(*b1, 0x7f), "length", b1 & 0x7f, length);
        }
    }

    fn extended(&mut self, bytes: &[u8], header: &FrameHeader) {
        let width = match header.length_form {
            LengthForm::Bits7 => 0,
            LengthForm::Bits16 => 2,
            LengthForm::Bits64 => 8,
        };
        if let Some(field) = bytes.get(2..2 + width).filter(|field| !field.is_empty()) {
            let form = header.length_form.bits();
            let line = format!("  {}  length {} ({form}-bit)\n", HexPairs(field), header.length);
            self.note(&line);
        }
        if let Some(key) = header.masking_key {
            self.note(&format!("  {}  masking key\n", HexPairs(&key)));
        }
    }

    fn header_cut(&mut self, bytes: &[u8]) {
        let needed = match bytes.get(1) {
            None => 2,
            Some(b1) => {
                let length = match b1 & 0x7f {
                    126 => 2,
                    127 => 8,
                    _ => 0,
                };
                2 + length + usize::from(b1 >> 7) * 4
            }
        };
        let cut = bytes.get(2..).unwrap_or_default();
        if !cut.is_empty() {
            self.note(&format!("  {}\n", HexPairs(cut)));
        }
        let have = bytes.len();
        let least = if have < 2 { "at least " } else { "" };
        self.note(&format!("  incomplete: {have} of {least}{needed} header bytes\n"));
    }

    fn rows(&mut self, title: &str, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut rows = Vec::new();
        // Writing to a vector can't fail, and the rows are ASCII.
        let _ = hexdump(&"    ", bytes, 0, &mut rows);
        self.note(&format!("  {title}\n{}", String::from_utf8_lossy(&rows)));
    }

    fn judge_header(&mut self, header: &FrameHeader) {
        // The mask tells the direction, so neither a mask nor its absence is an error.
        let (sender, fragments) = match header.masking_key {
            Some(_) => (Side::Client, &self.client),
            None => (Side::Server, &self.server),
        };
        let expected = Expected { sender, deflate: true, open: fragments.open };
        for rule in expected.start_breaks(header).chain(length_breaks(header)) {
            match rule {
                Rule::ReservedBit => {
                    let rsv = expected.forbidden_rsv(header);
                    let of_rsv1 = "RSV1 is for the first frame of a data message";
                    for (bits, detail) in [(0b011, "RSV2 or RSV3"), (0b100, of_rsv1)] {
                        if rsv & bits != 0 {
                            self.problem(rule, detail);
                        }
                    }
                }
                Rule::Orphan if self.frames == 1 => {
                    self.note("  continues a message that began before these bytes\n");
                }
                rule => self.problem(rule, ""),
            }
        }
    }

    fn payload(&mut self, header: &FrameHeader, plain: &[u8]) {
        match header.opcode {
            Opcode::Close => self.close(plain),
            Opcode::Ping | Opcode::Pong if !plain.is_empty() => {
                self.note(&format!("  payload: \"{}\"\n", Untrusted(plain)));
            }
            Opcode::Text | Opcode::Binary if header.rsv1 => self.compressed(header, plain),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => self.data(header, plain),
            _ => {}
        }
    }

    fn data(&mut self, header: &FrameHeader, plain: &[u8]) {
        let fragments = match header.masking_key {
            Some(_) => &mut self.client,
            None => &mut self.server,
        };
        if header.opcode != Opcode::Continuation {
            *fragments = Fragments { open: Some(header.opcode), utf8: Utf8::default() };
        }
        let text = fragments.open == Some(Opcode::Text);
        let valid = fragments.utf8.feed(plain);
        let complete = fragments.utf8.is_complete();
        if header.fin {
            fragments.open = None;
        }
        if !text {
            return;
        }
        self.note(&format!("  text: \"{}\"\n", Untrusted(plain)));
        match valid {
            Err(at) => self.problem(Rule::Utf8, &format!("at payload byte {at}")),
            Ok(()) if header.fin && !complete => {
                self.problem(Rule::Utf8, "the message ends inside a character");
            }
            Ok(()) => {}
        }
    }

    /// Inflates one whole compressed message, if it doesn't refer to data before it.
    fn compressed(&mut self, header: &FrameHeader, plain: &[u8]) {
        if !header.fin {
            self.note("  compressed, in several frames: not inflated here\n");
            let fragments = match header.masking_key {
                Some(_) => &mut self.client,
                None => &mut self.server,
            };
            // The bytes are compressed, so they aren't checked as UTF-8.
            *fragments = Fragments { open: Some(Opcode::Binary), utf8: Utf8::default() };
            return;
        }
        let mut inflate = Inflate::new(Params::default(), Side::Client);
        let mut out = Vec::new();
        let done = inflate
            .inflate(plain, &mut out, INFLATED)
            .and_then(|_| inflate.finish(&mut out, INFLATED));
        match done {
            Ok(_) => self.note(&format!("  inflated: \"{}\"\n", Untrusted(&out))),
            Err(_) => {
                self.note(
                    "  can't be inflated alone: it is broken, or refers to messages before it\n",
                );
            }
        }
    }

    fn close(&mut self, plain: &[u8]) {
        let Some((code, reason)) = plain.split_first_chunk::<2>() else {
            match plain.len() {
                0 => self.note("  close: no code (1005)\n"),
                _ => self.problem(Rule::CloseLength, ""),
            }
            return;
        };
        let code = CloseCode(u16::from_be_bytes(*code));
        let (meaning, shown) = (code.meaning(), Untrusted(reason));
        self.note(&format!("  close: {code} ({meaning}), reason \"{shown}\"\n"));
        if !code.is_allowed_on_wire() {
            self.problem(Rule::CloseCode, &code.to_string());
        }
        if reason.len() <= CloseStatus::MAX_REASON && std::str::from_utf8(reason).is_err() {
            self.problem(Rule::CloseReason, "");
        }
    }

    fn problem(&mut self, rule: Rule, detail: &str) {
        let (sentence, clause, code) = (rule.sentence(), rule.clause(), rule.close_code());
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        let more = match rule {
            Rule::NonMinimalLength => "; many readers tolerate it".to_owned(),
            _ => format!("; the receiver closes with {code}"),
        };
        self.problems.push(format!("  ✗ {sentence}{detail} ({clause}){more}\n"));
    }

    fn verdict(&mut self) {
        if self.problems.is_empty() {
            self.note("  ✓ nothing is wrong with it\n");
        }
        for problem in std::mem::take(&mut self.problems) {
            self.note(&problem);
        }
    }

    fn bits(
        &mut self,
        byte: &str,
        bits: &str,
        name: &str,
        value: impl std::fmt::Display,
        meaning: &str,
    ) {
        // Formatted first: not every Display honours a width.
        let value = value.to_string();
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "  {byte:2}  {bits}  {name:<6} {value:<4} {meaning}");
    }

    fn note(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

fn sender(header: &FrameHeader) -> &'static str {
    match header.masking_key {
        Some(_) => "from a client",
        None => "from a server",
    }
}

/// The byte's bits within the field, dots for the others.
fn dotted(byte: u8, field: u8) -> String {
    let mut text = String::new();
    for bit in (0..8).rev() {
        text.push(match (field >> bit & 1, byte >> bit & 1) {
            (0, _) => '.',
            (_, 0) => '0',
            _ => '1',
        });
        if bit == 4 {
            text.push(' ');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::typed::hex as hex_bytes;

    fn told(hex: &str) -> String {
        let bytes = hex_bytes(hex).unwrap();
        explain([(bytes.as_slice(), 0)])
    }

    #[test]
    fn the_masked_hello_of_rfc_6455_5_7() {
        let pad = " ".repeat(36);
        assert_eq!(
            told("81 85 37 fa 21 3d 7f 9f 4d 51 58"),
            format!(
                "frame 1 at byte 0: text, final, 5 bytes, from a client\n\
                 \x20 81  1... ....  FIN    1    the last frame of its message\n\
                 \x20     .000 ....  RSV1-3 000  no extension at work\n\
                 \x20     .... 0001  opcode 0x1  text: a data frame\n\
                 \x20 85  1... ....  MASK   1    masked, as every frame from a client\n\
                 \x20     .000 0101  length 5    the payload's length in bytes\n\
                 \x20 37 fa 21 3d  masking key\n\
                 \x20 payload, masked\n\
                 \x20   00000000  7f 9f 4d 51 58{pad}|..MQX|\n\
                 \x20 payload, unmasked\n\
                 \x20   00000000  48 65 6c 6c 6f{pad}|Hello|\n\
                 \x20 text: \"Hello\"\n\
                 \x20 ✓ nothing is wrong with it\n"
            )
        );
    }

    #[test]
    fn every_violation_is_named() {
        for (hex, says) in [
            ("8300", "a reserved opcode (RFC 6455 §5.2); the receiver closes with 1002"),
            ("a100", "RSV2 or RSV3"),
            ("c900", "RSV1 is for the first frame"),
            ("0900", "a fragmented control frame (RFC 6455 §5.5)"),
            ("897e007e", "more than 125 bytes"),
            ("817e0001 41", "not in its shortest form (RFC 6455 §5.2); many readers tolerate it"),
            ("817f8000000000000000", "the top bit set"),
            ("8100 8000", "nothing to continue (RFC 6455 §5.4)"),
            ("0100 8100", "inside an unfinished one (RFC 6455 §5.4)"),
            ("880103", "a body of one byte"),
            ("880203ee", "a code that must not be sent: 1006"),
            ("880303e8ff", "a Close reason that is not UTF-8"),
            ("8101ff", "text that is not UTF-8: at payload byte 0"),
            ("0101c3 800141", "text that is not UTF-8: at payload byte 0"),
            ("8101c3", "the message ends inside a character"),
        ] {
            assert!(told(hex).contains(says), "{hex}: {}", told(hex));
        }
    }

    #[test]
    fn legal_sequences_are_left_alone() {
        for hex in
            ["0101c3 890161 8001a9", "880203e8", "8800", "0261ff", "8000", "0185000000004865"]
        {
            assert!(!told(hex).contains('✗'), "{hex}: {}", told(hex));
        }
        assert!(told("880503e862796509").contains("close: 1000 (normal closure), reason \"bye\""));
        // RFC 7692 §7.2.3.1.
        assert!(told("c107f248cdc9c90700").contains("inflated: \"Hello\""));
    }

    #[test]
    fn incomplete_frames_say_what_is_missing() {
        for (hex, says) in [
            ("81", "incomplete: 1 of at least 2 header bytes"),
            ("81fe01", "incomplete: 3 of 8 header bytes"),
            ("8103aabb", "incomplete: 2 of 3 payload bytes"),
            ("82ff7fffffffffffffff00000000", "incomplete: 0 of 9223372036854775807 payload bytes"),
        ] {
            assert!(told(hex).contains(says), "{hex}: {}", told(hex));
        }
    }

    #[test]
    fn payloads_come_out_escaped() {
        let text = told("81051b5b324a07 880503e81b5b41 8901 9b");
        assert!(text.contains("text: \"\\x1b[2J\\x07\""), "{text}");
        assert!(text.contains("reason \"\\x1b[A\""));
        assert!(text.contains("payload: \"\\x9b\""));
    }
}
