//! shim
use crate::protocol::close::CloseStatus;
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::violation::{Limit, Violation};
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

/// A frame's header, as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame<'a> {
    /// Which way.
    pub direction: Direction,
    /// The header, read.
    pub header: FrameHeader,
    /// The header's bytes.
    pub bytes: &'a [u8],
    /// Offset of its first byte in this direction's stream of frames, in bytes.
    pub offset: u64,
}

/// Some bytes of a frame's payload, as they are on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
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

/// A data message or a piece of one. Small messages, and all messages where a reporter needs them
/// whole, come in one piece: `first` and `last`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Data<'a> {
    /// Which way.
    pub direction: Direction,
    /// Text or Binary.
    pub opcode: Opcode,
    /// The (inflated) payload; text is valid UTF-8 taken over all pieces.
    pub bytes: &'a [u8],
    /// The message begins here.
    pub first: bool,
    /// The message ends here; the three counts below are final then.
    pub last: bool,
    /// Frames so far.
    pub fragments: u32,
    /// Payload bytes on the wire so far (compressed, if so).
    pub wire_len: u64,
    /// Whether the message was compressed (RFC 7692).
    pub compressed: bool,
}


#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Traffic<'a> {
    Data(Data<'a>), Frame(Frame<'a>), FramePayload(FramePayload<'a>),
    Ping { direction: Direction, payload: &'a [u8] },
    Pong { direction: Direction, payload: &'a [u8] },
    Close { direction: Direction, status: &'a CloseStatus },
    Warning(&'a Violation), Violation(&'a Violation), Limit(Limit),
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts { pub bytes: u64, pub frames: u64 }
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side { #[default] Client, Server }
