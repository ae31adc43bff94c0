//! The rules that a peer can break on an open connection, and our answer.

use std::fmt;

use crate::protocol::close::{CloseCode, CloseStatus};

/// What to do where the RFC lets a reader be lenient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Warn and go on.
    #[default]
    Lenient,
    /// Fail the connection.
    Strict,
}

/// A rule of RFC 6455 or RFC 7692.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A code that must not be sent.
    CloseCode,
    /// A Close body of one byte.
    CloseLength,
    /// A Close reason that is not UTF-8.
    CloseReason,
    /// A control frame without FIN.
    ControlFragmented,
    /// A control frame of more than 125 bytes, or with an extended length.
    ControlLength,
    /// Compressed data that is not a DEFLATE stream.
    DeflateData,
    /// A compressed message that ends inside a DEFLATE block.
    DeflateTruncated,
    /// A data frame with an opcode while a fragmented message is unfinished.
    Interleaved,
    /// A 64-bit length with its top bit set.
    LengthTopBit,
    /// A masked frame from the server.
    Masked,
    /// A length that is not in its shortest form; tolerated unless strict.
    NonMinimalLength,
    /// A continuation frame with nothing to continue.
    Orphan,
    /// A reserved bit that no negotiated extension uses.
    ReservedBit,
    /// An opcode that is not defined.
    ReservedOpcode,
    /// An unmasked frame from the client.
    Unmasked,
    /// Text that is not UTF-8.
    Utf8,
}

impl Rule {
    /// Every rule, in the order of the enum.
    pub const ALL: [Rule; Rule::Utf8 as usize + 1] = [
        Rule::CloseCode,
        Rule::CloseLength,
        Rule::CloseReason,
        Rule::ControlFragmented,
        Rule::ControlLength,
        Rule::DeflateData,
        Rule::DeflateTruncated,
        Rule::Interleaved,
        Rule::LengthTopBit,
        Rule::Masked,
        Rule::NonMinimalLength,
        Rule::Orphan,
        Rule::ReservedBit,
        Rule::ReservedOpcode,
        Rule::Unmasked,
        Rule::Utf8,
    ];

    /// The RFC and clause that state the rule.
    pub fn clause(self) -> &'static str {
        match self {
            Rule::CloseCode => "RFC 6455 §7.4",
            Rule::CloseLength | Rule::CloseReason => "RFC 6455 §5.5.1",
            Rule::ControlFragmented | Rule::ControlLength => "RFC 6455 §5.5",
            Rule::DeflateData | Rule::DeflateTruncated => "RFC 7692 §7.2.2",
            Rule::Interleaved | Rule::Orphan => "RFC 6455 §5.4",
            Rule::LengthTopBit
            | Rule::NonMinimalLength
            | Rule::ReservedBit
            | Rule::ReservedOpcode => "RFC 6455 §5.2",
            Rule::Masked | Rule::Unmasked => "RFC 6455 §5.1",
            Rule::Utf8 => "RFC 6455 §8.1",
        }
    }

    /// The code of the Close frame that answers the violation (§7.4.1).
    pub fn close_code(self) -> CloseCode {
        match self {
            Rule::CloseReason | Rule::Utf8 | Rule::DeflateData | Rule::DeflateTruncated => {
                CloseCode::INVALID_PAYLOAD
            }
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// What the peer did, as the beginning of a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Rule::CloseCode => "a Close frame with a code that must not be sent",
            Rule::CloseLength => "a Close frame with a body of one byte",
            Rule::CloseReason => "a Close reason that is not UTF-8",
            Rule::ControlFragmented => "a fragmented control frame",
            Rule::ControlLength => "a control frame with more than 125 bytes",
            Rule::DeflateData => "compressed data that can't be inflated",
            Rule::DeflateTruncated => "a compressed message that ends too early",
            Rule::Interleaved => "a new data message inside an unfinished one",
            Rule::LengthTopBit => "a 64-bit length with the top bit set",
            Rule::Masked => "a masked frame from the server",
            Rule::NonMinimalLength => "a length that is not in its shortest form",
            Rule::Orphan => "a continuation frame with nothing to continue",
            Rule::ReservedBit => "a reserved bit that was not negotiated",
            Rule::ReservedOpcode => "a reserved opcode",
            Rule::Unmasked => "an unmasked frame from the client",
            Rule::Utf8 => "text that is not UTF-8",
        }
    }

    /// A short, stable, machine-readable name.
    pub fn name(self) -> &'static str {
        match self {
            Rule::CloseCode => "close-code",
            Rule::CloseLength => "close-length",
            Rule::CloseReason => "close-reason",
            Rule::ControlFragmented => "control-fragmented",
            Rule::ControlLength => "control-length",
            Rule::DeflateData => "deflate-data",
            Rule::DeflateTruncated => "deflate-truncated",
            Rule::Interleaved => "interleaved",
            Rule::LengthTopBit => "length-top-bit",
            Rule::Masked => "masked",
            Rule::NonMinimalLength => "non-minimal-length",
            Rule::Orphan => "orphan-continuation",
            Rule::ReservedBit => "reserved-bit",
            Rule::ReservedOpcode => "reserved-opcode",
            Rule::Unmasked => "unmasked",
            Rule::Utf8 => "utf8",
        }
    }
}

/// A rule that the peer broke, with the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// Offset of `bytes` in the peer's stream of frames, in bytes.
    pub offset: u64,
    /// The bytes at fault: the frame's header, or the payload around the fault; at most 32.
    pub bytes: Vec<u8>,
    /// Details in our own words, for example the opcode or the code; may be empty.
    pub detail: String,
}

impl Violation {
    /// The body of the Close frame that we answer with.
    pub fn close_status(&self) -> CloseStatus {
        CloseStatus::new(self.rule.close_code(), self.rule.name())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule.sentence())?;
        if !self.detail.is_empty() {
            write!(f, ", {}", self.detail)?;
        }
        write!(f, " ({}), at byte {} of the frame stream:", self.rule.clause(), self.offset)?;
        for byte in &self.bytes {
            write!(f, " {byte:02x}")?;
        }
        Ok(())
    }
}

/// A limit of ours that the peer's data would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// Too many fragments in one message.
    Fragments {
        /// The largest number allowed.
        limit: u32,
    },
    /// A message larger than the limit, in bytes after inflation.
    Message {
        /// The largest size allowed, in bytes.
        limit: u64,
        /// What was declared or reached, in bytes.
        size: u64,
    },
}

impl Exceeded {
    /// The body of the Close frame that we answer with.
    pub fn close_status(&self) -> CloseStatus {
        CloseStatus::new(CloseCode::TOO_BIG, "message too big")
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exceeded::Fragments { limit } => {
                write!(f, "a message in more than {limit} fragments")
            }
            Exceeded::Message { limit, size } => {
                write!(f, "a message of {size} bytes or more, over the limit of {limit}")
            }
        }
    }
}
