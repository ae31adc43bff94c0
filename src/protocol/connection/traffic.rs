//! The traffic of a connection in both directions, as events that borrow.

use crate::protocol::close::CloseStatus;
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::violation::{Exceeded, Violation};

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the peer to us.
    In,
    /// From us to the peer.
    Out,
}

impl Direction {
    /// `in` or `out`.
    pub fn name(self) -> &'static str {
        match self {
            Direction::In => "in",
            Direction::Out => "out",
        }
    }
}

/// What was received or queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic<'a> {
    /// A data message, or a piece of one that is too large to be held.
    Data(Data<'a>),
    /// A frame's header, if headers are shown. If the frame breaks a rule, it is reported only if
    /// the header is whole.
    Frame(Frame<'a>),
    /// Payload bytes of the last [`Traffic::Frame`] in that direction, if payloads are shown.
    FramePayload(FramePayload<'a>),
    /// A ping. For a received one, the pong is queued.
    Ping {
        /// Which way.
        direction: Direction,
        /// At most 125 bytes.
        payload: &'a [u8],
    },
    /// A pong.
    Pong {
        /// Which way.
        direction: Direction,
        /// At most 125 bytes.
        payload: &'a [u8],
    },
    /// A Close frame. If the peer's comes first, the answer is queued.
    Close {
        /// Which way.
        direction: Direction,
        /// Its code and reason.
        status: &'a CloseStatus,
    },
    /// The peer broke a rule that a lenient reader tolerates.
    Warning(&'a Violation),
    /// The peer broke a rule: nothing more is read, and the connection must be failed (§7.1.7) with
    /// [`Violation::close_status`].
    Violation(&'a Violation),
    /// The peer's data exceeds a limit: nothing more is read, and the connection must be closed
    /// with [`Exceeded::close_status`].
    Limit(Exceeded),
}

/// A data message or a piece of one; see [`Delivery`](super::Delivery) for when messages come in
/// pieces. A message in one piece is both `first` and `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Which way.
    pub direction: Direction,
    /// Text or Binary.
    pub opcode: Opcode,
    /// The payload before compression or after inflation. Text is valid UTF-8 over all its pieces;
    /// a piece may end inside a character.
    pub bytes: &'a [u8],
    /// The message begins here.
    pub first: bool,
    /// The message ends here; the two counts below are final then.
    pub last: bool,
    /// Frames so far.
    pub fragments: u32,
    /// Payload bytes on the wire so far, as compressed.
    pub wire_len: u64,
    /// Whether the message was compressed (RFC 7692).
    pub compressed: bool,
}

/// A frame's header, as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Which way.
    pub direction: Direction,
    /// The parsed header.
    pub header: FrameHeader,
    /// The header's bytes.
    pub bytes: &'a [u8],
    /// Offset of its first byte in this direction's stream of frames, in bytes.
    pub offset: u64,
}

/// Some bytes of a frame's payload, as they are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramePayload<'a> {
    /// Which way.
    pub direction: Direction,
    /// The bytes, masked if there is a key.
    pub wire: &'a [u8],
    /// The frame's masking key.
    pub masking_key: Option<[u8; 4]>,
    /// Offset of the bytes in the frame's payload.
    pub offset: u64,
}

/// The bytes and frames of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes of the stream of frames, headers included.
    pub bytes: u64,
    /// Frames.
    pub frames: u64,
}
