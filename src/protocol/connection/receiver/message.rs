//! Data messages: joins their frames, inflates them, and checks UTF-8 and the limits.

use super::{Advance, Assembly, BUFFER, Current, Failure, MessagePart, Receiver, Source, Spot};
use crate::protocol::buffer::part;
use crate::protocol::connection::Delivery;
use crate::protocol::deflate::InflateError;
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::utf8::Utf8;
use crate::protocol::violation::{Exceeded, Rule};

/// A frame with a payload up to this size waits in the buffer until it is whole.
const GATHER: u64 = (BUFFER / 2) as u64;

/// A message up to this size is handed over whole, even with [`Delivery::Pieces`].
const HELD: usize = 1 << 20;

/// Size of the pieces of a larger inflated message with [`Delivery::Pieces`].
const INFLATED_PIECE: usize = 64 << 10;

impl Receiver {
    /// Begins or continues a message with a data frame, and checks the limits.
    pub(super) fn open_message(&mut self, header: &FrameHeader) -> Result<(), Failure> {
        let message = self.message.get_or_insert(Assembly {
            opcode: header.opcode,
            compressed: header.rsv1,
            fragments: 0,
            wire_len: 0,
            len: 0,
            utf8: Utf8::default(),
            lossy: false,
            streams: false,
            handed_over: None,
            finishing: false,
            inflated: false,
        });
        message.fragments += 1;
        if message.fragments > self.config.max_fragments {
            return Err(Failure::Limit(Exceeded::Fragments { limit: self.config.max_fragments }));
        }
        let size = message.wire_len.saturating_add(header.length);
        if !message.compressed && size > self.config.max_message {
            return Err(Failure::Limit(Exceeded::Message { limit: self.config.max_message, size }));
        }
        message.wire_len = size;
        // A message that streams isn't held from here on, which saves the copy.
        message.streams |=
            !message.compressed && self.config.delivery == Delivery::Pieces && size > HELD as u64;
        Ok(())
    }

    /// Takes the available part of a data frame's payload.
    pub(super) fn payload(&mut self, frame: Current, available: usize) -> Result<Advance, Failure> {
        let Some(message) = &mut self.message else { return Ok(Advance::NeedsMore) };
        if message.compressed {
            return self.inflate_payload(frame, available);
        }
        if message.streams && !self.held.is_empty() {
            return Ok(Advance::Event(self.hand_over(Source::Held, false)));
        }
        // Invalid UTF-8 fails at its byte, even in an unfinished frame.
        if message.opcode == Opcode::Text && !message.lossy && frame.checked < available {
            let fresh = self.buffer.place(frame.checked, available);
            if let Err(at) = message.utf8.feed(self.buffer.at(fresh)) {
                let failure = self.utf8_violation(frame.checked + at, available);
                return self.tolerate(failure).map(|()| Advance::Taken);
            }
            self.current(|f| f.checked = available);
        }
        let whole = available as u64 == frame.remaining;
        if !whole && (frame.remaining <= GATHER || available == 0) {
            return Ok(Advance::NeedsMore);
        }
        let last = whole && frame.header.fin;
        if last && !self.text_may_end() {
            let failure = self.utf8_violation(available, available);
            return self.tolerate(failure).map(|()| Advance::Taken);
        }
        let place = self.consume(available);
        let remaining = frame.remaining - available as u64;
        self.frame =
            (!whole).then_some(Current { remaining, shown: 0, unmasked: 0, checked: 0, ..frame });
        let streams = self.message.as_mut().is_some_and(|message| {
            message.len += available as u64;
            message.streams
        });
        // A piece or a whole message that lies in the buffer needs no copy.
        if (streams && available > 0) || (last && self.held.is_empty()) {
            return Ok(Advance::Event(self.hand_over(Source::Buffer(place), last)));
        }
        self.held.extend_from_slice(self.buffer.at(place));
        if last {
            return Ok(Advance::Event(self.hand_over(Source::Held, true)));
        }
        Ok(Advance::Taken)
    }

    fn inflate_payload(&mut self, frame: Current, available: usize) -> Result<Advance, Failure> {
        let room = self.inflate_room();
        let input = part(self.buffer.unread(), ..available);
        let Some(inflate) = &mut self.inflate else { return Ok(Advance::NeedsMore) };
        let used = inflate.inflate(input, &mut self.held, room);
        // Judge the data before a fault first, as if the fault had not been read yet.
        self.check_inflated()?;
        let Ok(used) = used else {
            return Err(self.payload_violation(Rule::DeflateData, String::new()));
        };
        self.consume(used);
        let remaining = frame.remaining - used as u64;
        let shown = frame.shown.saturating_sub(used);
        // If the peer masks, all available bytes were unmasked.
        let unmasked = if frame.header.masking_key.is_some() { available - used } else { 0 };
        self.frame = (remaining > 0).then_some(Current { remaining, shown, unmasked, ..frame });
        if remaining == 0
            && frame.header.fin
            && let Some(message) = &mut self.message
        {
            message.finishing = true;
        }
        if self.held.len() >= room {
            return Ok(Advance::Event(self.hand_over(Source::Held, false)));
        }
        let starved = remaining > 0 && used == available;
        Ok(if starved { Advance::NeedsMore } else { Advance::Taken })
    }

    /// Inflates the rest of a compressed message after its last frame.
    pub(super) fn finish_inflating(&mut self) -> Result<Advance, Failure> {
        let room = self.inflate_room();
        let is_whole = self.message.as_ref().is_some_and(|m| m.inflated);
        let finished = match &mut self.inflate {
            Some(inflate) if !is_whole => inflate.finish(&mut self.held, room),
            _ => Ok(true),
        };
        self.check_inflated()?;
        let finished = finished.map_err(|e| {
            let rule = match e {
                InflateError::Data => Rule::DeflateData,
                InflateError::Truncated => Rule::DeflateTruncated,
            };
            self.payload_violation(rule, String::new())
        })?;
        if finished && !self.text_may_end() {
            let detail = "cut inside a character at its end".to_owned();
            let failure = self.payload_violation(Rule::Utf8, detail);
            self.tolerate(failure)?;
            if let Some(message) = &mut self.message {
                message.inflated = true;
            }
            return Ok(Advance::Taken);
        }
        Ok(Advance::Event(self.hand_over(Source::Held, finished)))
    }

    /// The size up to which `held` may grow while inflating.
    fn inflate_room(&self) -> usize {
        match self.config.delivery {
            Delivery::Pieces if self.message.as_ref().is_some_and(|m| m.streams) => INFLATED_PIECE,
            // One byte more than a held message may have shows that it is larger.
            Delivery::Pieces => HELD + 1,
            // One byte more than allowed shows that it is too large.
            Delivery::Whole => {
                usize::try_from(self.config.max_inflated).unwrap_or(usize::MAX).saturating_add(1)
            }
        }
    }

    /// Checks newly inflated data against the limit and, if it is text, as UTF-8.
    fn check_inflated(&mut self) -> Result<(), Failure> {
        let Some(message) = &mut self.message else { return Ok(()) };
        let fresh = part(&self.held, self.held_checked..);
        let before = message.len;
        message.len += fresh.len() as u64;
        let (limit, size) = (self.config.max_inflated, message.len);
        // Text beyond the limit isn't judged, so the verdict doesn't depend on the size of a step.
        let room = usize::try_from(limit.saturating_sub(before)).unwrap_or(usize::MAX);
        let within = fresh.get(..room).unwrap_or(fresh);
        if message.opcode == Opcode::Text
            && !message.lossy
            && let Err(at) = message.utf8.feed(within)
        {
            let detail = format!("at byte {} of the inflated message", before + at as u64);
            let failure = self.payload_violation(Rule::Utf8, detail);
            self.tolerate(failure)?;
        }
        if size > limit {
            // Always one byte over: the real excess depends on how the data was split.
            return Err(Failure::Limit(Exceeded::Message { limit, size: limit.saturating_add(1) }));
        }
        self.held_checked = self.held.len();
        Ok(())
    }

    fn text_may_end(&self) -> bool {
        let message = self.message.as_ref();
        message.is_none_or(|m| m.opcode != Opcode::Text || m.lossy || m.utf8.is_complete())
    }

    /// Text that is not UTF-8 fails the connection (§8.1). With `lossy` it is a warning instead,
    /// once for each message.
    fn tolerate(&mut self, failure: Failure) -> Result<(), Failure> {
        match (failure, &mut self.message) {
            (Failure::Violation(violation), Some(message)) if self.config.lossy => {
                message.lossy = true;
                self.violation = Some(violation);
                self.warning_due = true;
                Ok(())
            }
            (failure, _) => Err(failure),
        }
    }

    fn hand_over(&mut self, source: Source, last: bool) -> Spot {
        let len = match &source {
            Source::Buffer(place) => place.len(),
            Source::Held => self.held.len(),
        };
        let Some(message) = &mut self.message else { return Spot::Nothing };
        let piece = MessagePart {
            opcode: message.opcode,
            first: message.handed_over.is_none(),
            last,
            fragments: message.fragments,
            wire_len: message.wire_len,
            compressed: message.compressed,
        };
        message.streams |= !last;
        message.handed_over = Some(message.handed_over.unwrap_or(0) + len as u64);
        if last {
            self.message = None;
        }
        self.held_is_spent = matches!(source, Source::Held);
        Spot::Data(piece, source)
    }
}
