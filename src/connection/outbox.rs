//! Everything sent over a connection goes through its [`Outbox`].

use crate::connection::unsent::{Unsent, UnsentMessage};
use crate::event::Totals;
use crate::protocol::connection::{RawFrame, Sender, Traffic};
use crate::protocol::frame::Opcode;

/// With this many bytes queued for the peer, an owner should take no more input.
pub const HIGH_WATER: usize = 1 << 20;

/// A data message to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// Text or Binary. Whether text is UTF-8 (§5.6) is the caller's to check.
    pub opcode: Opcode,
    /// The payload before compression.
    pub payload: &'a [u8],
    /// In frames of at most this many bytes of payload; `None` for a single frame.
    pub fragment: Option<usize>,
}

/// The number of a sent data message on its connection, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// The sending half of a connection. An event borrows only the receiving half, so an answer can be
/// sent while the message is still borrowed ([`super::Connection::next_with_outbox`]).
#[derive(Debug)]
pub struct Outbox {
    pub(super) sender: Sender,
    pub(super) unsent: Unsent,
    pub(super) totals: Totals,
    /// The payload of the last message in bytes.
    pub(super) last: u64,
}

impl Outbox {
    pub(super) fn new(sender: Sender) -> Outbox {
        Outbox { sender, unsent: Unsent::default(), totals: Totals::default(), last: 0 }
    }

    /// Queues a data message for the next [`super::Connection::flush`]. After a Close frame it is
    /// never sent (§5.5.1), so check the state first.
    #[inline(always)]
    pub fn send(&mut self, message: Outgoing<'_>) -> MessageId {
        let Outgoing { opcode, payload, fragment } = message;
        self.queue(message);
        self.unsent.queued(self.sender.counts().bytes, opcode, payload, fragment);
        MessageId(self.totals.messages_out)
    }

    /// Queues a frame as it is, even if it breaks the protocol or follows a Close frame.
    pub fn send_frame(&mut self, frame: &RawFrame) {
        self.sender.raw(frame);
    }

    /// Keeps a message for the next connection. False if there is no room for it.
    pub fn keep(&mut self, message: UnsentMessage) -> bool {
        self.unsent.keep(message)
    }

    /// Sets whether messages are kept for another connection.
    pub fn set_keeps(&mut self, keeps: bool) {
        self.unsent.set_keeps(keeps);
    }

    /// Bytes queued for the stream (bufferedAmount, headers included).
    #[inline]
    pub fn buffered(&self) -> usize {
        self.sender.buffered()
    }

    /// Whether there is room for more input: neither the peer nor the reader of the events is
    /// behind.
    #[inline(always)]
    pub fn has_room(&self) -> bool {
        self.sender.buffered() < HIGH_WATER && self.sender.pending_bytes() < HIGH_WATER
    }

    /// Whether even answers must wait: more is queued than input alone can have been.
    pub fn is_overfull(&self) -> bool {
        self.sender.buffered() >= 2 * HIGH_WATER
    }

    /// Queues what earlier connections have not sent, and keeps it until the stream accepts it.
    pub(super) fn resume(&mut self, mut unsent: Unsent) {
        unsent.queue_again(|UnsentMessage { opcode, payload, fragment }| {
            self.queue(Outgoing { opcode: *opcode, payload, fragment: *fragment });
            self.sender.counts().bytes
        });
        self.unsent = unsent;
    }

    /// Forgets the messages that the stream has accepted.
    pub(super) fn note_transmitted(&mut self) {
        self.unsent.transmitted(self.sender.counts().bytes - self.sender.buffered() as u64);
    }

    #[inline(always)]
    fn queue(&mut self, message: Outgoing<'_>) {
        let Outgoing { opcode, payload, fragment } = message;
        let data = self.sender.message(opcode, payload, fragment);
        self.totals.count(&data);
        self.last = payload.len() as u64;
    }

    /// The next sent item that wasn't reported yet.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Traffic<'_>> {
        self.sender.next()
    }
}
