//! The frame header of RFC 6455 §5.2: reads and writes it, valid or not.

use std::fmt;

/// What a frame carries (RFC 6455 §5.2, §11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// 0x0: continues a fragmented message.
    Continuation,
    /// 0x1: a UTF-8 message.
    Text,
    /// 0x2: a message of arbitrary bytes.
    Binary,
    /// 0x8: the closing handshake.
    Close,
    /// 0x9: asks for a pong with the same payload.
    Ping,
    /// 0xA: answers a ping, or is an unsolicited heartbeat.
    Pong,
    /// 0x3–0x7 and 0xB–0xF: not defined; the value is the four bits.
    Reserved(u8),
}

impl Opcode {
    /// The opcode of a header's first byte; only the low four bits count.
    pub fn from_bits(bits: u8) -> Opcode {
        match bits & 0x0f {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xa => Opcode::Pong,
            other => Opcode::Reserved(other),
        }
    }

    /// The four bits on the wire.
    pub fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0x0,
            Opcode::Text => 0x1,
            Opcode::Binary => 0x2,
            Opcode::Close => 0x8,
            Opcode::Ping => 0x9,
            Opcode::Pong => 0xa,
            Opcode::Reserved(bits) => bits & 0x0f,
        }
    }

    /// Control frames have the high bit set (§5.5): at most 125 bytes, never fragmented.
    pub fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }

    /// The RFC's name in lower case; `reserved` for the undefined ones.
    pub fn name(self) -> &'static str {
        match self {
            Opcode::Continuation => "continuation",
            Opcode::Text => "text",
            Opcode::Binary => "binary",
            Opcode::Close => "close",
            Opcode::Ping => "ping",
            Opcode::Pong => "pong",
            Opcode::Reserved(_) => "reserved",
        }
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Opcode::Reserved(bits) => write!(f, "reserved {bits:#x}"),
            known => f.write_str(known.name()),
        }
    }
}

/// How the payload length is written (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthForm {
    /// In the second byte itself: 0–125.
    Bits7,
    /// 126, then two bytes.
    Bits16,
    /// 127, then eight bytes.
    Bits64,
}

impl LengthForm {
    /// The shortest form for `length`; the RFC demands it.
    pub fn minimal(length: u64) -> LengthForm {
        match length {
            0..=125 => LengthForm::Bits7,
            126..=0xffff => LengthForm::Bits16,
            _ => LengthForm::Bits64,
        }
    }

    /// Width of the length field in bits.
    pub fn bits(self) -> u8 {
        match self {
            LengthForm::Bits7 => 7,
            LengthForm::Bits16 => 16,
            LengthForm::Bits64 => 64,
        }
    }
}

/// A frame header exactly as on the wire, even if it breaks the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The last fragment of a message.
    pub fin: bool,
    /// Reserved bit 1; permessage-deflate uses it for "compressed" (RFC 7692 §6).
    pub rsv1: bool,
    /// Reserved bit 2.
    pub rsv2: bool,
    /// Reserved bit 3.
    pub rsv3: bool,
    /// What the frame carries.
    pub opcode: Opcode,
    /// The masking key, when the MASK bit is set.
    pub masking_key: Option<[u8; 4]>,
    /// Payload length in bytes, as declared.
    pub length: u64,
    /// How the length is written.
    pub length_form: LengthForm,
}

impl FrameHeader {
    /// The longest header: two bytes, a 64-bit length, a masking key.
    pub const MAX_LEN: usize = 14;

    /// A final, unmasked frame without reserved bits and with the shortest length form.
    pub fn new(opcode: Opcode, length: u64) -> FrameHeader {
        FrameHeader {
            fin: true,
            rsv1: false,
            rsv2: false,
            rsv3: false,
            opcode,
            masking_key: None,
            length,
            length_form: LengthForm::minimal(length),
        }
    }

    /// This header with the length `length` in bytes, in the shortest form.
    pub fn with_length(self, length: u64) -> FrameHeader {
        FrameHeader { length, length_form: LengthForm::minimal(length), ..self }
    }

    /// Reads a header from the front of `bytes` and returns it with its own length in bytes; `None`
    /// while it is incomplete. It may break the rules.
    pub fn parse(bytes: &[u8]) -> Option<(FrameHeader, usize)> {
        let mut header = FrameHeader::parse_start(bytes)?;
        let (_, mut rest) = bytes.split_first_chunk::<2>()?;
        match header.length_form {
            LengthForm::Bits7 => {}
            LengthForm::Bits16 => {
                let (field, after) = rest.split_first_chunk::<2>()?;
                (header.length, rest) = (u64::from(u16::from_be_bytes(*field)), after);
            }
            LengthForm::Bits64 => {
                let (field, after) = rest.split_first_chunk::<8>()?;
                (header.length, rest) = (u64::from_be_bytes(*field), after);
            }
        }
        if let Some(key) = &mut header.masking_key {
            let (field, after) = rest.split_first_chunk::<4>()?;
            (*key, rest) = (*field, after);
        }
        Some((header, bytes.len() - rest.len()))
    }

    /// Reads the first two bytes only; an extended length and the masking key are zero.
    pub fn parse_start(bytes: &[u8]) -> Option<FrameHeader> {
        let &[b0, b1, ..] = bytes else { return None };
        let (length_form, length) = match b1 & 0x7f {
            126 => (LengthForm::Bits16, 0),
            127 => (LengthForm::Bits64, 0),
            short => (LengthForm::Bits7, u64::from(short)),
        };
        Some(FrameHeader {
            fin: b0 & 0x80 != 0,
            rsv1: b0 & 0x40 != 0,
            rsv2: b0 & 0x20 != 0,
            rsv3: b0 & 0x10 != 0,
            opcode: Opcode::from_bits(b0),
            masking_key: (b1 & 0x80 != 0).then_some([0; 4]),
            length,
            length_form,
        })
    }

    /// Appends the header to `out` as it is, valid or not.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let mask = flag(self.masking_key.is_some(), 0x80);
        out.push(
            flag(self.fin, 0x80)
                | flag(self.rsv1, 0x40)
                | flag(self.rsv2, 0x20)
                | flag(self.rsv3, 0x10)
                | self.opcode.bits(),
        );
        match self.length_form {
            LengthForm::Bits7 => out.push(mask | (self.length & 0x7f) as u8),
            LengthForm::Bits16 => {
                out.push(mask | 126);
                out.extend_from_slice(&(self.length as u16).to_be_bytes());
            }
            LengthForm::Bits64 => {
                out.push(mask | 127);
                out.extend_from_slice(&self.length.to_be_bytes());
            }
        }
        if let Some(key) = self.masking_key {
            out.extend_from_slice(&key);
        }
    }

    /// Whether the length is in its shortest form, as §5.2 demands.
    pub fn is_minimal(&self) -> bool {
        self.length_form == LengthForm::minimal(self.length)
    }

    /// The reserved bits as one number: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub fn rsv(&self) -> u8 {
        u8::from(self.rsv1) << 2 | u8::from(self.rsv2) << 1 | u8::from(self.rsv3)
    }
}

impl FrameHeader {
    /// Writes all fields as text.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn describe(&self, out: &mut impl fmt::Write) -> fmt::Result {
        // Not one `write!`: formatting seven numbers would cost more than the rest of a frame.
        out.write_str(if self.fin { "FIN=1 RSV=" } else { "FIN=0 RSV=" })?;
        out.write_str(match (self.rsv1, self.rsv2, self.rsv3) {
            (false, false, false) => "000 opcode=",
            (false, false, true) => "001 opcode=",
            (false, true, false) => "010 opcode=",
            (false, true, true) => "011 opcode=",
            (true, false, false) => "100 opcode=",
            (true, false, true) => "101 opcode=",
            (true, true, false) => "110 opcode=",
            (true, true, true) => "111 opcode=",
        })?;
        out.write_str(self.opcode.name())?;
        out.write_str(" (0x")?;
        out.write_char(hex_digit(self.opcode.bits()))?;
        let masked = self.masking_key.is_some();
        out.write_str(if masked { ") MASK=1 length=" } else { ") MASK=0 length=" })?;
        write!(out, "{}", self.length)?;
        out.write_str(match (self.length_form, self.is_minimal()) {
            (LengthForm::Bits7, _) => " (7-bit)",
            (LengthForm::Bits16, true) => " (16-bit)",
            (LengthForm::Bits16, false) => " (16-bit, not minimal)",
            (LengthForm::Bits64, true) => " (64-bit)",
            (LengthForm::Bits64, false) => " (64-bit, not minimal)",
        })?;
        if let Some(key) = self.masking_key {
            out.write_str(" key=")?;
            for byte in key {
                out.write_char(hex_digit(byte >> 4))?;
                out.write_char(hex_digit(byte & 0xf))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for FrameHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(f)
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_of_a_header_is_incomplete() {
        for bytes in [
            &[0x81, 0x05][..],
            &[0x82, 0x7e, 0x01, 0x00],
            &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0],
            &[0x81, 0x85, 1, 2, 3, 4],
            &[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 9, 8, 7, 6],
        ] {
            for cut in 0..bytes.len() {
                assert_eq!(FrameHeader::parse(&bytes[..cut]), None);
            }
            let (header, used) = FrameHeader::parse(bytes).unwrap();
            assert_eq!(used, bytes.len());
            let mut again = Vec::new();
            header.encode(&mut again);
            assert_eq!(again, bytes);
        }
    }

    #[test]
    fn every_first_two_bytes_survive_the_round_trip() {
        for b0 in 0..=255u8 {
            for b1 in 0..=255u8 {
                let mut bytes = vec![b0, b1];
                bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4]);
                let (header, used) = FrameHeader::parse(&bytes).unwrap();
                let mut again = Vec::new();
                header.encode(&mut again);
                assert_eq!(again, bytes[..used]);
            }
        }
    }

    #[test]
    fn the_shortest_form_changes_at_126_and_65536() {
        assert_eq!(LengthForm::minimal(125), LengthForm::Bits7);
        assert_eq!(LengthForm::minimal(126), LengthForm::Bits16);
        assert_eq!(LengthForm::minimal(65_535), LengthForm::Bits16);
        assert_eq!(LengthForm::minimal(65_536), LengthForm::Bits64);
        let mut long = FrameHeader::new(Opcode::Text, 5);
        long.length_form = LengthForm::Bits64;
        assert!(!long.is_minimal());
    }
}
