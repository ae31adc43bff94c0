//! An open connection (RFC 6455 §5–§7), in two halves.
//!
//! The [`Receiver`] turns bytes into [`Traffic`] that borrows from its read buffer; the [`Sender`]
//! turns messages into bytes, and reports what it queued as [`Traffic`]. They are separate so that
//! a caller can queue an answer while it still borrows the event. The receiver itself answers
//! control frames.

mod judge;
mod receiver;
mod sender;
mod traffic;

pub use judge::{Expected, length_breaks};
pub use receiver::Receiver;
pub use sender::{Masking, RawFrame, Sender};
pub use traffic::{Counts, Data, Direction, Frame, FramePayload, Traffic};

pub use crate::protocol::side::Side;

use crate::protocol::deflate;
use crate::protocol::violation::Policy;

/// The settings of an open connection.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The role in which we speak.
    pub side: Side,
    /// Agreed compression.
    pub deflate: Option<deflate::Params>,
    /// What to do where the RFC lets the reader be lenient.
    pub policy: Policy,
    /// How messages are handed over.
    pub delivery: Delivery,
    /// Report each frame's header.
    pub frames: bool,
    /// Report each frame's payload as it arrives.
    pub frame_payloads: bool,
    /// The largest message accepted, in bytes on the wire.
    pub max_message: u64,
    /// The largest compressed message accepted, in bytes after inflation.
    pub max_inflated: u64,
    /// The largest number of fragments in one message.
    pub max_fragments: u32,
    /// Answer pings.
    pub pong: bool,
    /// Accept text that is not UTF-8, with a warning.
    pub lossy: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            side: Side::Client,
            deflate: None,
            policy: Policy::Lenient,
            delivery: Delivery::Whole,
            frames: false,
            frame_payloads: false,
            max_message: 64 << 20,
            max_inflated: 64 << 20,
            max_fragments: 131_072,
            pong: true,
            lossy: false,
        }
    }
}

/// How messages are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Up to 1 MiB in one piece. A larger message comes in pieces as it arrives: from the frame on
    /// whose declared length makes it larger, or once more than that was inflated.
    Pieces,
    /// Each message in one piece.
    Whole,
}

/// The readyState of the WebSocket API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyState {
    /// 0: the opening handshake is under way.
    Connecting = 0,
    /// 1: messages can be sent.
    Open = 1,
    /// 2: the closing handshake is under way.
    Closing = 2,
    /// 3: closed.
    Closed = 3,
}

impl ReadyState {
    /// As the API calls it.
    pub fn name(self) -> &'static str {
        match self {
            ReadyState::Connecting => "CONNECTING",
            ReadyState::Open => "OPEN",
            ReadyState::Closing => "CLOSING",
            ReadyState::Closed => "CLOSED",
        }
    }
}
