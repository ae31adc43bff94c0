//! Messages that the stream hasn't accepted completely, so that another connection must carry them.

use std::collections::VecDeque;

use crate::protocol::frame::Opcode;

/// How many bytes are kept while there is no connection.
const MAX_KEPT: usize = 1 << 20;

/// The end offset of a message that isn't queued for a stream.
const NOT_QUEUED: u64 = u64::MAX;

/// What a message costs besides its payload, in bytes.
const OVERHEAD: usize = 64;

/// A message that wasn't sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsentMessage {
    /// Text or Binary.
    pub opcode: Opcode,
    /// The payload.
    pub payload: Vec<u8>,
    /// The largest frame, in bytes of payload; `None` for a single frame.
    pub fragment: Option<usize>,
}

/// Messages in order, each with the offset of its end in the stream of frames.
#[derive(Debug, Default)]
pub struct Unsent {
    messages: VecDeque<(u64, UnsentMessage)>,
    /// The sum of their payloads.
    bytes: usize,
    /// Whether there may be another connection.
    keeps: bool,
}

impl Unsent {
    /// An empty list; one that doesn't keep stays empty.
    pub fn new(keeps: bool) -> Unsent {
        Unsent { messages: VecDeque::new(), bytes: 0, keeps }
    }

    /// Sets whether there may be another connection, for messages from now on.
    pub fn set_keeps(&mut self, keeps: bool) {
        self.keeps = keeps;
    }

    /// A message was queued for the stream and ends at this offset.
    #[inline]
    pub fn queued(&mut self, end: u64, opcode: Opcode, payload: &[u8], fragment: Option<usize>) {
        if self.keeps {
            self.push(end, UnsentMessage { opcode, payload: payload.to_vec(), fragment });
        }
    }

    /// The stream has accepted all bytes before this offset. A message that it accepted only in
    /// part stays: the peer can't have received it.
    pub fn transmitted(&mut self, offset: u64) {
        while self.messages.front().is_some_and(|(end, _)| *end <= offset)
            && let Some((_, message)) = self.messages.pop_front()
        {
            self.bytes -= message.payload.len();
        }
    }

    /// Keeps a message for the next connection. False if there is no room for it.
    pub fn keep(&mut self, message: UnsentMessage) -> bool {
        let all = self.bytes + OVERHEAD * self.messages.len() + message.payload.len();
        let room = all <= MAX_KEPT;
        if room {
            self.push(NOT_QUEUED, message);
        }
        room
    }

    /// Queues each message again; `queue` returns the new offset of its end.
    pub fn queue_again(&mut self, mut queue: impl FnMut(&UnsentMessage) -> u64) {
        for (end, message) in &mut self.messages {
            *end = queue(message);
        }
    }

    /// The messages in order.
    pub fn messages(&self) -> impl Iterator<Item = &UnsentMessage> {
        self.messages.iter().map(|(_, message)| message)
    }

    /// The number of messages.
    pub fn count(&self) -> usize {
        self.messages.len()
    }

    /// The number of messages queued for a stream, and their payload in bytes.
    pub fn in_stream(&self) -> (u64, u64) {
        let queued = self.messages.iter().filter(|(end, _)| *end != NOT_QUEUED);
        queued.fold((0, 0), |(count, bytes), (_, message)| {
            (count + 1, bytes + message.payload.len() as u64)
        })
    }

    /// Forgets all messages.
    pub fn clear(&mut self) {
        *self = Unsent::new(self.keeps);
    }

    fn push(&mut self, end: u64, message: UnsentMessage) {
        self.bytes += message.payload.len();
        self.messages.push_back((end, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> UnsentMessage {
        UnsentMessage { opcode: Opcode::Text, payload: text.into(), fragment: None }
    }

    #[test]
    fn a_message_sent_in_part_is_queued_again() {
        let mut unsent = Unsent::new(true);
        unsent.queued(10, Opcode::Text, b"one", None);
        unsent.queued(20, Opcode::Text, b"three", None);
        assert_eq!(unsent.in_stream(), (2, 8));
        unsent.transmitted(9);
        assert_eq!(unsent.count(), 2);
        unsent.transmitted(19);
        assert_eq!(unsent.in_stream(), (1, 5));
        assert!(unsent.keep(message("typed")));
        unsent.transmitted(19);
        assert_eq!((unsent.count(), unsent.in_stream()), (2, (1, 5)));
        let mut again = Vec::new();
        unsent.queue_again(|message| {
            again.push(message.clone());
            again.len() as u64 * 7
        });
        assert_eq!(again, [message("three"), message("typed")]);
        unsent.transmitted(7);
        assert_eq!(unsent.count(), 1);
        unsent.transmitted(14);
        assert_eq!((unsent.count(), unsent.bytes), (0, 0));
    }

    #[test]
    fn kept_messages_are_bounded() {
        let mut unsent = Unsent::new(true);
        assert!(!unsent.keep(message(&"x".repeat(MAX_KEPT + 1))));
        assert!(unsent.keep(message(&"x".repeat(MAX_KEPT / 2))));
        assert!(!unsent.keep(message(&"x".repeat(MAX_KEPT / 2))));
        unsent.clear();
        let empty = (0..).take_while(|_| unsent.keep(message(""))).count();
        assert_eq!(empty, MAX_KEPT / OVERHEAD + 1);
    }

    #[test]
    fn nothing_is_copied_for_the_last_connection() {
        let mut unsent = Unsent::new(false);
        unsent.queued(10, Opcode::Text, b"one", None);
        assert_eq!(unsent.count(), 0);
    }
}
