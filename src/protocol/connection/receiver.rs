//! Bytes in, events out.

mod message;

use std::ops::Range;

use super::judge::{self, Expected};
use super::{Config, Counts, Data, Direction, Frame, FramePayload, Sender, Traffic};
use crate::protocol::buffer::{ReadBuffer, part_mut};
use crate::protocol::close::CloseStatus;
use crate::protocol::deflate::{Inflate, Params};
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::mask;
use crate::protocol::side::Side;
use crate::protocol::utf8::{self, Utf8};
use crate::protocol::violation::{Exceeded, Policy, Rule, Violation};

/// Size of the read buffer in bytes. The pages are taken from the system as they are first used.
const BUFFER: usize = 256 << 10;

/// A payload buffer larger than this is freed after its message.
const KEPT_CAPACITY: usize = 1 << 20;

/// Most bytes that are kept of what failed the connection.
const KEPT_TAIL: usize = 4 << 10;

/// The receiving half.
#[derive(Debug)]
pub struct Receiver {
    config: Config,
    buffer: ReadBuffer,
    /// Bytes of the frame stream consumed so far.
    offset: u64,
    frame: Option<Current>,
    /// The last header and its offset, as evidence for a violation.
    last_header: Option<(u64, FrameHeader)>,
    message: Option<Assembly>,
    /// A message on the fast path whose header was reported and whose data is due.
    small: Option<Small>,
    /// The part of the message received so far, or the next inflated piece.
    held: Vec<u8>,
    /// How many inflated bytes of `held` were counted and validated.
    held_checked: usize,
    /// The last event lent `held` to the caller; it can be cleared.
    held_is_spent: bool,
    inflate: Option<Inflate>,
    state: State,
    close: Option<CloseStatus>,
    violation: Option<Violation>,
    /// `violation` must be reported as a warning before anything else.
    warning_due: bool,
    /// What is wrong with the header of `frame`; reported after the frame was shown.
    flaw: Option<Flaw>,
    frames: u64,
    ignored: u64,
    unread_after_failure: u64,
    /// The peer's bytes from the frame on that failed the connection.
    tail: Vec<u8>,
}

/// The frame that is being received.
#[derive(Clone, Copy, Debug)]
struct Current {
    header: FrameHeader,
    /// Payload bytes not yet consumed.
    remaining: u64,
    /// How many unconsumed bytes in the buffer were reported as frame payload.
    shown: usize,
    /// How many unconsumed bytes in the buffer were unmasked, if the peer masks.
    unmasked: usize,
    /// How many unconsumed bytes in the buffer were validated as UTF-8.
    checked: usize,
}

/// A valid message in one short frame.
#[derive(Clone, Copy, Debug)]
struct Small {
    opcode: Opcode,
    length: usize,
}

/// The data message that is being received.
#[derive(Clone, Debug)]
struct Assembly {
    opcode: Opcode,
    compressed: bool,
    fragments: u32,
    /// Payload bytes on the wire, as its frames declared them so far.
    wire_len: u64,
    /// Payload bytes received so far, after inflation if it is compressed.
    len: u64,
    utf8: Utf8,
    /// It is not UTF-8; a warning was reported and the message goes on.
    lossy: bool,
    /// It is too large to be held and is handed over in pieces.
    streams: bool,
    /// Bytes handed over in pieces; `None` before the first piece.
    handed_over: Option<u64>,
    /// Its last frame was consumed, but inflated data is still due.
    finishing: bool,
    /// All of it was inflated; a warning goes out before it is handed over.
    inflated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The peer's Close frame was received.
    Closed,
    /// The connection was failed.
    Failed,
}

impl Receiver {
    /// A receiver for a newly opened connection. `early` holds the bytes that followed the
    /// response.
    pub fn new(config: Config, early: &[u8]) -> Receiver {
        let mut receiver = Receiver {
            config,
            buffer: ReadBuffer::new(BUFFER.max(early.len() + BUFFER / 2), BUFFER / 2),
            offset: 0,
            frame: None,
            last_header: None,
            message: None,
            small: None,
            held: Vec::new(),
            held_checked: 0,
            held_is_spent: false,
            inflate: config.deflate.map(|params| Inflate::new(params, config.side)),
            state: State::Open,
            close: None,
            violation: None,
            warning_due: false,
            flaw: None,
            frames: 0,
            ignored: 0,
            unread_after_failure: 0,
            tail: Vec::new(),
        };
        receiver.receive(early);
        receiver
    }

    /// Copies `bytes` into the buffer; for tests.
    ///
    /// # Panics
    /// If they don't fit.
    pub fn receive(&mut self, bytes: &[u8]) {
        part_mut(self.space(), ..bytes.len()).copy_from_slice(bytes);
        self.received(bytes.len());
    }

    /// The buffer space for the next bytes of the stream; never empty after [`Receiver::next`]
    /// returned `None`.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.space()
    }

    /// Records that `n` bytes were written to [`Receiver::space`].
    ///
    /// # Panics
    /// If `n` exceeds the space.
    pub fn received(&mut self, n: usize) {
        self.buffer.received(n);
    }

    /// The next event, or `None` when more bytes are needed.
    #[inline(always)]
    pub fn next<'a>(&'a mut self, sender: &mut Sender) -> Option<Traffic<'a>> {
        let is_plain = self.state == State::Open
            && !self.config.frames
            && !self.held_is_spent
            && self.small.is_none();
        if is_plain && let Some((header_len, small)) = self.small_of_any_side() {
            self.frames += 1;
            self.consume(header_len);
            return Some(self.small_data(small));
        }
        self.next_in_full(sender)
    }

    #[inline]
    fn small_of_any_side(&mut self) -> Option<(usize, Small)> {
        match self.config.side {
            Side::Client => self.small_message(),
            Side::Server => self.small_masked_message(),
        }
    }

    fn next_in_full<'a>(&'a mut self, sender: &mut Sender) -> Option<Traffic<'a>> {
        if self.held_is_spent {
            self.release();
        }
        if self.state != State::Open {
            let rest = self.buffer.len();
            match self.state {
                State::Closed => self.ignored += rest as u64,
                _ => self.unread_after_failure += rest as u64,
            }
            self.consume(rest);
            return None;
        }
        if let Some(small) = self.small.take() {
            return Some(self.small_data(small));
        }
        if let Some((header_len, small)) = self.small_of_any_side() {
            let offset = self.offset;
            self.frames += 1;
            let header = self.consume(header_len);
            if !self.config.frames {
                return Some(self.small_data(small));
            }
            self.small = Some(small);
            let bytes = self.buffer.at(header);
            let (header, _) = FrameHeader::parse(bytes)?;
            let direction = Direction::In;
            return Some(Traffic::Frame(Frame { direction, header, bytes, offset }));
        }
        let failure = match self.step() {
            Ok(None) => return None,
            Ok(Some(Step::Event(spot))) => return self.event(spot),
            Ok(Some(Step::Control(opcode, range))) => {
                match self.control(opcode, range.clone(), sender) {
                    Ok(()) => return self.control_event(opcode, range),
                    Err(failure) => failure,
                }
            }
            Err(failure) => failure,
        };
        self.state = State::Failed;
        self.keep_tail();
        Some(match failure {
            Failure::Violation(violation) => Traffic::Violation(self.violation.insert(violation)),
            Failure::Limit(limit) => Traffic::Limit(limit),
        })
    }

    fn keep_tail(&mut self) {
        if let Some((offset, header)) = &self.last_header
            && *offset < self.offset
        {
            header.encode(&mut self.tail);
        }
        let unread = self.buffer.unread();
        self.tail.extend_from_slice(unread.get(..KEPT_TAIL).unwrap_or(unread));
    }

    /// After a failure: the peer's bytes from the frame on that failed the connection, or the first
    /// of them.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// The agreed compression.
    pub fn deflate(&self) -> Option<Params> {
        self.config.deflate
    }

    /// Turns the reporting of frame headers and of frame payloads on or off.
    pub fn show(&mut self, frames: bool, frame_payloads: bool) {
        self.config.frames = frames;
        self.config.frame_payloads = frame_payloads;
    }

    /// The peer's Close frame, if it was received.
    pub fn close_received(&self) -> Option<&CloseStatus> {
        self.close.as_ref()
    }

    /// Whether received data failed the connection.
    pub fn has_failed(&self) -> bool {
        self.state == State::Failed
    }

    /// Bytes and frames read so far.
    pub fn counts(&self) -> Counts {
        Counts { bytes: self.offset, frames: self.frames }
    }

    /// Bytes received after the peer's Close frame, and ignored (§5.5.1).
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Bytes received after a violation or an exceeded limit, and not read.
    pub fn unread_after_failure(&self) -> u64 {
        self.unread_after_failure
    }

    /// Whether a data message is unfinished.
    pub fn is_inside_message(&self) -> bool {
        self.message.is_some()
    }

    /// Payload bytes received of the unfinished message, after inflation if it is compressed;
    /// 0 between two messages.
    pub fn unfinished(&self) -> u64 {
        let Some(message) = &self.message else { return 0 };
        let buffered = match &self.frame {
            // The bytes that failed the connection don't count.
            _ if self.state != State::Open => 0,
            // The buffered part of a compressed frame isn't inflated yet.
            Some(frame) if !frame.header.opcode.is_control() && !message.compressed => {
                frame.remaining.min(self.buffer.len() as u64)
            }
            _ => 0,
        };
        message.len + buffered
    }

    /// How many bytes of the unfinished message were handed over in pieces; `None` before the
    /// first piece.
    pub fn handed_over(&self) -> Option<u64> {
        self.message.as_ref()?.handed_over
    }

    /// The position in the stream, for "the connection was lost in …".
    pub fn position(&self) -> String {
        let buffered = self.buffer.len();
        match (&self.frame, &self.message) {
            (Some(frame), _) => {
                let got = frame.header.length - frame.remaining.saturating_sub(buffered as u64);
                format!(
                    "in a {} frame, after {got} of {} payload bytes",
                    frame.header.opcode, frame.header.length
                )
            }
            (None, _) if buffered > 0 => {
                let s = if buffered == 1 { "" } else { "s" };
                format!("in a frame header, after {buffered} byte{s}")
            }
            (None, Some(message)) => {
                let s = if message.fragments == 1 { "" } else { "s" };
                format!("in a {} message, after {} fragment{s}", message.opcode, message.fragments)
            }
            (None, None) => "between two frames".to_owned(),
        }
    }

    fn release(&mut self) {
        self.held_is_spent = false;
        self.held_checked = 0;
        self.held.clear();
        self.held.shrink_to(KEPT_CAPACITY);
    }

    #[inline]
    fn consume(&mut self, n: usize) -> Range<usize> {
        self.offset += n as u64;
        self.buffer.consume(n)
    }

    /// Finds the next event without borrowing from the buffer yet.
    fn step(&mut self) -> Result<Option<Step>, Failure> {
        loop {
            if std::mem::take(&mut self.warning_due) {
                return Ok(Some(Step::Event(Spot::Warning)));
            }
            if self.message.as_ref().is_some_and(|m| m.finishing) {
                match self.finish_inflating()? {
                    Advance::Event(spot) => return Ok(Some(Step::Event(spot))),
                    Advance::NeedsMore | Advance::Taken => continue,
                }
            }
            let Some(frame) = self.frame else {
                match self.header()? {
                    Some(header) if self.config.frames => {
                        return Ok(Some(Step::Event(Spot::Header(header))));
                    }
                    Some(_) => continue,
                    None => return Ok(None),
                }
            };
            let buffered = self.buffer.len();
            let available = usize::try_from(frame.remaining).unwrap_or(usize::MAX).min(buffered);
            // Report the bytes as they are on the wire, before they are unmasked.
            let shown = frame.shown.max(frame.unmasked);
            // HTTP where frames should be: all of it is shown, whatever length the letters say.
            let visible = if self.is_http() { buffered } else { available };
            if self.config.frame_payloads && shown < visible {
                self.current(|f| f.shown = visible);
                let at = frame.header.length - frame.remaining + shown as u64;
                let place = self.buffer.place(shown, visible);
                return Ok(Some(Step::Event(Spot::Payload(place, at))));
            }
            match self.flaw.take() {
                Some(Flaw::Fatal(failure)) => {
                    self.frame = None;
                    return Err(failure);
                }
                Some(Flaw::Tolerated(violation)) => {
                    self.violation = Some(violation);
                    return Ok(Some(Step::Event(Spot::Warning)));
                }
                None => {}
            }
            self.unmask(frame, available);
            if frame.header.opcode.is_control() {
                if (available as u64) < frame.remaining {
                    return Ok(None);
                }
                self.frame = None;
                let range = self.consume(available);
                return Ok(Some(Step::Control(frame.header.opcode, range)));
            }
            match self.payload(frame, available)? {
                Advance::Event(spot) => return Ok(Some(Step::Event(spot))),
                Advance::NeedsMore => return Ok(None),
                Advance::Taken => {}
            }
        }
    }

    /// Whether the broken header is the beginning of an HTTP answer.
    fn is_http(&self) -> bool {
        matches!(&self.flaw, Some(Flaw::Fatal(Failure::Violation(found))) if found.bytes == *b"HT")
    }

    /// Unmasks the available payload in place.
    fn unmask(&mut self, frame: Current, available: usize) {
        if let Some(key) = frame.header.masking_key
            && frame.unmasked < available
        {
            let at = frame.header.length - frame.remaining + frame.unmasked as u64;
            let place = self.buffer.place(frame.unmasked, available);
            mask::apply(self.buffer.at_mut(place), key, (at % 4) as usize);
            self.current(|f| f.unmasked = available);
        }
    }

    /// The fast path: a valid message of less than 64 KiB in one frame, with the length of its
    /// header. All other frames go through [`Receiver::step`].
    #[inline]
    fn small_message(&self) -> Option<(usize, Small)> {
        if !self.can_use_fast_path() {
            return None;
        }
        let (&[b0, b1], rest) = self.buffer.unread().split_first_chunk::<2>()?;
        let (header_len, length, rest) = small_length(b1, rest)?;
        let payload = rest.get(..length).filter(|_| length as u64 <= self.config.max_message)?;
        let opcode = match b0 {
            0x81 if utf8::is_valid(payload) => Opcode::Text,
            0x82 => Opcode::Binary,
            _ => return None,
        };
        Some((header_len, Small { opcode, length }))
    }

    /// The fast path of a server, whose peer masks. Unmasks the payload in place.
    #[inline]
    fn small_masked_message(&mut self) -> Option<(usize, Small)> {
        if !self.can_use_fast_path() {
            return None;
        }
        let (&[b0, b1], rest) = self.buffer.unread().split_first_chunk::<2>()?;
        let (header_len, length, rest) = small_length(b1 ^ 0x80, rest)?;
        let (&key, rest) = rest.split_first_chunk::<4>()?;
        let opcode = match b0 {
            0x81 => Opcode::Text,
            0x82 => Opcode::Binary,
            _ => return None,
        };
        if length > rest.len() || length as u64 > self.config.max_message {
            return None;
        }
        let header_len = header_len + key.len();
        let place = self.buffer.place(header_len, header_len + length);
        let payload = self.buffer.at_mut(place);
        mask::apply(payload, key, 0);
        if opcode == Opcode::Text && !utf8::is_valid(payload) {
            // `step` expects the bytes as they were on the wire.
            mask::apply(payload, key, 0);
            return None;
        }
        Some((header_len, Small { opcode, length }))
    }

    #[inline]
    fn can_use_fast_path(&self) -> bool {
        let shown = self.config.frame_payloads;
        !(self.message.is_some() || self.frame.is_some() || shown || self.warning_due)
    }

    /// The payload is at the front of the buffer.
    #[inline]
    fn small_data(&mut self, small: Small) -> Traffic<'_> {
        let payload = self.consume(small.length);
        Traffic::Data(Data {
            direction: Direction::In,
            opcode: small.opcode,
            bytes: self.buffer.at(payload),
            first: true,
            last: true,
            fragments: 1,
            wire_len: small.length as u64,
            compressed: false,
        })
    }

    fn current(&mut self, change: impl FnOnce(&mut Current)) {
        if let Some(frame) = &mut self.frame {
            change(frame);
        }
    }

    /// Reads and judges a header; `None` when more bytes are needed. A flaw is reported after the
    /// header was shown; an incomplete header can't be shown, so its flaw is an error at once.
    fn header(&mut self) -> Result<Option<ReadHeader>, Failure> {
        let unread = self.buffer.unread();
        let Some(start) = FrameHeader::parse_start(unread) else { return Ok(None) };
        let whole = FrameHeader::parse(unread);
        let expected = Expected {
            sender: self.config.side.peer(),
            deflate: self.inflate.is_some(),
            open: self.message.as_ref().map(|message| message.opcode),
        };
        let mut flaw = None;
        if let Some(rule) = expected.start_breaks(&start).next() {
            let failure = self.header_violation(rule, expected.detail(rule, &start));
            if whole.is_none() {
                return Err(Failure::Violation(failure));
            }
            flaw = Some(Flaw::Fatal(Failure::Violation(failure)));
        }
        let Some((header, header_len)) = whole else { return Ok(None) };
        if flaw.is_none()
            && let Some(rule) = judge::length_breaks(&header)
        {
            let violation = self.header_violation(rule, expected.detail(rule, &header));
            let lenient = self.config.policy == Policy::Lenient;
            flaw = Some(match rule {
                Rule::NonMinimalLength if lenient => Flaw::Tolerated(violation),
                _ => Flaw::Fatal(Failure::Violation(violation)),
            });
        }
        if !matches!(flaw, Some(Flaw::Fatal(_))) {
            self.frames += 1;
            if !header.opcode.is_control()
                && let Err(failure) = self.open_message(&header)
            {
                flaw = Some(Flaw::Fatal(failure));
            }
        }
        self.flaw = flaw;
        let offset = self.offset;
        self.last_header = Some((offset, header));
        self.frame =
            Some(Current { header, remaining: header.length, shown: 0, unmasked: 0, checked: 0 });
        Ok(Some(ReadHeader { header, place: self.consume(header_len), offset }))
    }

    /// Makes the event for a spot; the event borrows from the buffers.
    fn event(&mut self, spot: Spot) -> Option<Traffic<'_>> {
        let direction = Direction::In;
        Some(match spot {
            Spot::Nothing => return None,
            Spot::Warning => Traffic::Warning(self.violation.as_ref()?),
            Spot::Header(ReadHeader { header, place, offset }) => {
                let bytes = self.buffer.at(place);
                Traffic::Frame(Frame { direction, header, bytes, offset })
            }
            Spot::Payload(place, offset) => Traffic::FramePayload(FramePayload {
                direction,
                wire: self.buffer.at(place),
                masking_key: self.frame?.header.masking_key,
                offset,
            }),
            Spot::Data(piece, source) => Traffic::Data(Data {
                direction,
                opcode: piece.opcode,
                bytes: match source {
                    Source::Buffer(place) => self.buffer.at(place),
                    Source::Held => &self.held,
                },
                first: piece.first,
                last: piece.last,
                fragments: piece.fragments,
                wire_len: piece.wire_len,
                compressed: piece.compressed,
            }),
        })
    }

    /// Acts on a whole control frame (§5.5).
    fn control(
        &mut self,
        opcode: Opcode,
        range: Range<usize>,
        sender: &mut Sender,
    ) -> Result<(), Failure> {
        let payload = self.buffer.at(range);
        match opcode {
            Opcode::Ping if self.config.pong => sender.pong(payload),
            Opcode::Close => {
                let status = CloseStatus::decode(payload);
                let broken = match status.code {
                    None if payload.len() == 1 => Some((Rule::CloseLength, String::new())),
                    Some(code) if !code.is_allowed_on_wire() => {
                        Some((Rule::CloseCode, format!("{code}: {}", code.meaning())))
                    }
                    _ if std::str::from_utf8(&status.reason).is_err() => {
                        Some((Rule::CloseReason, String::new()))
                    }
                    _ => None,
                };
                let status = self.close.insert(status);
                if let Some((rule, detail)) = broken {
                    return Err(self.payload_violation(rule, detail));
                }
                self.state = State::Closed;
                sender.answer_close(status);
            }
            _ => {}
        }
        Ok(())
    }

    fn control_event(&self, opcode: Opcode, place: Range<usize>) -> Option<Traffic<'_>> {
        let (direction, payload) = (Direction::In, self.buffer.at(place));
        Some(match opcode {
            Opcode::Ping => Traffic::Ping { direction, payload },
            Opcode::Pong => Traffic::Pong { direction, payload },
            _ => Traffic::Close { direction, status: self.close.as_ref()? },
        })
    }

    /// A violation in the header at the front of the buffer.
    fn header_violation(&self, rule: Rule, detail: String) -> Violation {
        let unread = self.buffer.unread();
        let len = FrameHeader::parse(unread).map_or(2, |(_, len)| len);
        let bytes = unread.iter().take(len).copied().collect();
        Violation { rule, offset: self.offset, bytes, detail }
    }

    /// A violation in the payload of the current frame, with its header as evidence.
    fn payload_violation(&self, rule: Rule, detail: String) -> Failure {
        let (offset, bytes) = match &self.last_header {
            Some((offset, header)) => {
                let mut bytes = Vec::new();
                header.encode(&mut bytes);
                (*offset, bytes)
            }
            None => (self.offset, Vec::new()),
        };
        Failure::Violation(Violation { rule, offset, bytes, detail })
    }

    /// A violation by the unread byte `at`, or by the end of the payload if it ends there.
    fn utf8_violation(&self, at: usize, end: usize) -> Failure {
        let start = at.saturating_sub(8);
        let bytes = self.buffer.at(self.buffer.place(start, end.min(at + 8))).to_vec();
        let before = bytes.get(..at - start).unwrap_or_default();
        // The byte that begins a character is the wrong one if its next byte doesn't continue it.
        let lead = before.iter().rposition(|byte| *byte >= 0xc0).filter(|lead| {
            let since = before.get(lead + 1..).unwrap_or_default();
            since.iter().all(|byte| (0x80..0xc0).contains(byte)) && since.len() < 3
        });
        let lead = lead.and_then(|lead| before.get(lead)).filter(|lead| {
            let wanted = lead.leading_ones() as usize;
            before.len() - before.iter().rposition(|byte| byte == *lead).unwrap_or(0) < wanted
        });
        let detail = match (bytes.get(at - start), lead) {
            (Some(next), Some(lead)) => {
                format!(
                    "the byte {lead:02x} begins a character that is broken off: {next:02x} can't be right here"
                )
            }
            (Some(byte), None) => format!("the byte {byte:02x} can't be right here"),
            (None, _) => "cut inside a character at its end".to_owned(),
        };
        let offset = self.offset + start as u64;
        Failure::Violation(Violation { rule: Rule::Utf8, offset, bytes, detail })
    }
}

/// The length of a short header without a mask, the payload's length, and what follows the length.
#[inline]
fn small_length(b1: u8, rest: &[u8]) -> Option<(usize, usize, &[u8])> {
    match b1 {
        0..=125 => Some((2, usize::from(b1), rest)),
        126 => {
            let (field, rest) = rest.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*field));
            // `header` judges a length that is not minimal.
            let is_minimal = length > 125;
            Some((4, is_minimal.then_some(length)?, rest))
        }
        _ => None,
    }
}

/// The next event, without a borrow from the buffers.
enum Step {
    Control(Opcode, Range<usize>),
    Event(Spot),
}

/// Where the data of an event lies.
enum Spot {
    Data(MessagePart, Source),
    Header(ReadHeader),
    Nothing,
    Payload(Range<usize>, u64),
    Warning,
}

#[derive(Clone, Copy)]
struct MessagePart {
    opcode: Opcode,
    first: bool,
    last: bool,
    fragments: u32,
    wire_len: u64,
    compressed: bool,
}

enum Source {
    Buffer(Range<usize>),
    Held,
}

/// What became of a frame's payload.
enum Advance {
    Event(Spot),
    NeedsMore,
    Taken,
}

/// A parsed header, and where its bytes lie.
struct ReadHeader {
    header: FrameHeader,
    place: Range<usize>,
    offset: u64,
}

#[derive(Debug)]
enum Failure {
    Limit(Exceeded),
    Violation(Violation),
}

/// What is wrong with a header.
#[derive(Debug)]
enum Flaw {
    Fatal(Failure),
    Tolerated(Violation),
}
