//! The one way out: everything that is sent over a connection goes through its [`Outbox`].

use crate::connection::unsent::{Unsent, UnsentMessage};
use crate::event::Totals;
use crate::protocol::connection::{RawFrame, Sender, Traffic};
use crate::protocol::frame::Opcode;

/// Over this an owner should take no more input, in bytes queued for the peer.
pub const HIGH_WATER: usize = 1 << 20;

/// A data message on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// Text or Binary. Whether text is UTF-8 (§5.6) is the caller's to check.
    pub opcode: Opcode,
    /// The payload, before compression.
    pub payload: &'a [u8],
    /// In frames of at most this many bytes of payload; `None` for a single frame.
    pub fragment: Option<usize>,
}

/// Counts the data messages of a connection from 1, in the order in which they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// The sending half of a connection. An event borrows the receiving half only, so that an answer can
/// be sent while the message is still looked at ([`super::Connection::next_with_outbox`]).
#[derive(Debug)]
pub struct Outbox {
    pub(super) sender: Sender,
    pub(super) unsent: Unsent,
    pub(super) totals: Totals,
}

impl Outbox {
    pub(super) fn new(sender: Sender) -> Outbox {
        Outbox { sender, unsent: Unsent::default(), totals: Totals::default() }
    }

    /// Queues a data message. It leaves with the next [`super::Connection::flush`]; behind a Close
    /// frame it never does (§5.5.1), so ask for the state first.
    #[inline(always)]
    pub fn send(&mut self, message: Outgoing<'_>) -> MessageId {
        let Outgoing { opcode, payload, fragment } = message;
        self.queue(message);
        self.unsent.queued(self.sender.counts().bytes, opcode, payload, fragment);
        MessageId(self.totals.messages_out)
    }

    /// Queues a frame as it is, whatever the rules say, also behind a Close frame.
    pub fn send_frame(&mut self, frame: &RawFrame) {
        self.sender.raw(frame);
    }

    /// Keeps a message for the next connection. False if there is no room for it.
    pub fn keep(&mut self, message: UnsentMessage) -> bool {
        self.unsent.keep(message)
    }

    /// Bytes that wait for the stream (bufferedAmount, headers included).
    #[inline]
    pub fn buffered(&self) -> usize {
        self.sender.buffered()
    }

    /// Whether there is room for more input: neither the peer nor whoever takes the events is behind.
    #[inline(always)]
    pub fn has_room(&self) -> bool {
        self.sender.buffered() < HIGH_WATER && self.sender.pending_bytes() < HIGH_WATER
    }

    /// Queues what earlier connections have not taken, and keeps it until the stream takes it.
    pub(super) fn resume(&mut self, mut unsent: Unsent) {
        unsent.queue_again(|UnsentMessage { opcode, payload, fragment }| {
            self.queue(Outgoing { opcode: *opcode, payload, fragment: *fragment });
            self.sender.counts().bytes
        });
        self.unsent = unsent;
    }

    /// The stream has taken what the sender no longer holds.
    pub(super) fn note_transmitted(&mut self) {
        self.unsent.transmitted(self.sender.counts().bytes - self.sender.buffered() as u64);
    }

    #[inline(always)]
    fn queue(&mut self, message: Outgoing<'_>) {
        let Outgoing { opcode, payload, fragment } = message;
        let data = self.sender.message(opcode, payload, fragment);
        self.totals.count(&data);
    }

    /// What was sent and not yet looked at.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Traffic<'_>> {
        self.sender.next()
    }
}
