//! Bytes in, events out.

mod message;

use std::ops::Range;

use super::{Config, Counts, Data, Direction, Frame, FramePayload, Sender, Traffic};
use crate::protocol::close::CloseStatus;
use crate::protocol::deflate::Inflate;
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::utf8::{self, Utf8};
use crate::protocol::violation::{Limit, Policy, Rule, Violation};

/// Size of the read buffer in bytes. The pages are taken from the system as they are first used.
const BUFFER: usize = 256 << 10;

/// A payload buffer that grew larger than this is given back after its message.
const KEPT_CAPACITY: usize = 1 << 20;

/// The receiving half.
#[derive(Debug)]
pub struct Receiver {
    config: Config,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    /// Bytes of the frame stream before `begin`.
    offset: u64,
    frame: Option<Current>,
    /// The header read last with its offset, as evidence.
    last_header: Option<(u64, FrameHeader)>,
    message: Option<Message>,
    /// The message whose header was reported last, if it took the short way.
    small: Option<Small>,
    /// What is held of the message, or the inflated piece that is due.
    held: Vec<u8>,
    /// How much of `held` was counted and validated, where it was inflated.
    held_checked: usize,
    /// `held` was handed over by the last event.
    held_is_spent: bool,
    inflate: Option<Inflate>,
    state: State,
    close: Option<CloseStatus>,
    violation: Option<Violation>,
    /// `violation` is to be told as a warning before anything else.
    warning_due: bool,
    frames: u64,
    ignored: u64,
}

/// The frame whose header was read last.
#[derive(Clone, Copy, Debug)]
struct Current {
    header: FrameHeader,
    header_len: usize,
    offset: u64,
    announced: bool,
    /// Payload bytes not yet consumed.
    remaining: u64,
    /// Of the unconsumed bytes in the buffer: how many were reported as frame payload.
    shown: usize,
    /// Of the unconsumed bytes in the buffer: how many were validated as UTF-8.
    checked: usize,
}

/// A message in one frame that was looked at and is as it should be.
#[derive(Clone, Copy, Debug)]
struct Small {
    opcode: Opcode,
    length: usize,
}

/// The data message that is being received.
#[derive(Clone, Debug)]
struct Message {
    opcode: Opcode,
    compressed: bool,
    fragments: u32,
    wire_len: u64,
    len: u64,
    utf8: Utf8,
    /// It is not UTF-8, which was told and is tolerated.
    lossy: bool,
    begun: bool,
    /// Its last frame's payload was taken, but its inflated end is still due.
    finishing: bool,
    /// All of it was inflated; only a warning kept it from being handed over.
    inflated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The peer's Close frame came.
    Closed,
    /// The connection was failed.
    Failed,
}

impl Receiver {
    /// A receiver for a connection that has just been opened; `early` came behind the response.
    pub fn new(config: Config, early: &[u8]) -> Receiver {
        let mut receiver = Receiver {
            config,
            buffer: vec![0; BUFFER.max(early.len() + BUFFER / 2)],
            begin: 0,
            end: 0,
            offset: 0,
            frame: None,
            last_header: None,
            message: None,
            small: None,
            held: Vec::new(),
            held_checked: 0,
            held_is_spent: false,
            inflate: config.deflate.map(Inflate::new),
            state: State::Open,
            close: None,
            violation: None,
            warning_due: false,
            frames: 0,
            ignored: 0,
        };
        receiver.receive(early);
        receiver
    }

    /// Copies `bytes` in; the way of tests. There must be space for them.
    pub fn receive(&mut self, bytes: &[u8]) {
        let space = self.space();
        let n = bytes.len().min(space.len());
        if let (Some(space), Some(bytes)) = (space.get_mut(..n), bytes.get(..n)) {
            space.copy_from_slice(bytes);
        }
        self.received(n);
    }

    /// Where the next bytes of the stream are to be put; never empty once [`Receiver::next`] has
    /// given `None`.
    pub fn space(&mut self) -> &mut [u8] {
        if self.begin == self.end {
            self.begin = 0;
            self.end = 0;
        } else if self.begin > 0 && self.buffer.len() - self.end < BUFFER / 2 {
            self.buffer.copy_within(self.begin..self.end, 0);
            self.end -= self.begin;
            self.begin = 0;
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// `n` bytes were put into [`Receiver::space`].
    pub fn received(&mut self, n: usize) {
        self.end = (self.end + n).min(self.buffer.len());
    }

    /// The next event, or `None` when more bytes are needed.
    pub fn next<'a>(&'a mut self, sender: &mut Sender) -> Option<Traffic<'a>> {
        if self.held_is_spent {
            self.release();
        }
        if self.state != State::Open {
            let rest = self.end - self.begin;
            self.ignored += rest as u64;
            self.consume(rest);
            return None;
        }
        if let Some(small) = self.small.take() {
            return Some(self.small_data(small));
        }
        if let Some((header_len, small)) = self.small_message() {
            let (start, offset) = (self.begin, self.offset);
            self.frames += 1;
            self.consume(header_len);
            if !self.config.frames {
                return Some(self.small_data(small));
            }
            self.small = Some(small);
            let bytes = self.buffer.get(start..self.begin).unwrap_or_default();
            let (header, _) = FrameHeader::parse(bytes)?;
            return Some(Traffic::Frame(Frame { direction: Direction::In, header, bytes, offset }));
        }
        let failure = match self.step() {
            Ok(None) => return None,
            Ok(Some(Step::Event(place))) => return self.incoming(place),
            Ok(Some(Step::Control(opcode, range))) => {
                match self.control(opcode, range.clone(), sender) {
                    Ok(()) => return self.control_event(opcode, range),
                    Err(failure) => failure,
                }
            }
            Err(failure) => failure,
        };
        self.state = State::Failed;
        Some(match failure {
            Failure::Violation(violation) => Traffic::Violation(self.violation.insert(violation)),
            Failure::Limit(limit) => Traffic::Limit(limit),
        })
    }

    /// From now on frame headers and payloads are reported, or not.
    pub fn show(&mut self, frames: bool, frame_payloads: bool) {
        self.config.frames = frames;
        self.config.frame_payloads = frame_payloads;
    }

    /// The peer's Close frame, if it came.
    pub fn close_received(&self) -> Option<&CloseStatus> {
        self.close.as_ref()
    }

    /// Whether the connection was failed by what was received.
    pub fn has_failed(&self) -> bool {
        self.state == State::Failed
    }

    /// Bytes of the frame stream taken so far, and frames.
    pub fn counts(&self) -> Counts {
        Counts { bytes: self.offset, frames: self.frames }
    }

    /// Bytes that came after the end of what is read, and were ignored.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Whether a data message has begun and not ended.
    pub fn is_inside_message(&self) -> bool {
        self.message.is_some()
    }

    /// Where in the stream we are, for "the connection was lost in …".
    pub fn position(&self) -> String {
        let buffered = self.end - self.begin;
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
    fn unread(&self) -> &[u8] {
        self.buffer.get(self.begin..self.end).unwrap_or_default()
    }

    #[inline]
    fn consume(&mut self, n: usize) {
        self.begin += n;
        self.offset += n as u64;
    }

    /// Finds the next event without borrowing from the buffer yet.
    fn step(&mut self) -> Result<Option<Step>, Failure> {
        loop {
            if std::mem::take(&mut self.warning_due) {
                return Ok(Some(Step::Event(Place::Warning)));
            }
            if self.message.as_ref().is_some_and(|m| m.finishing) {
                match self.finish_inflating()? {
                    Progress::Event(place) => return Ok(Some(Step::Event(place))),
                    Progress::NeedsMore | Progress::Taken => continue,
                }
            }
            let Some(frame) = self.frame else {
                match self.header()? {
                    Progress::Event(place) => return Ok(Some(Step::Event(place))),
                    Progress::NeedsMore => return Ok(None),
                    Progress::Taken => continue,
                }
            };
            if self.config.frames && !frame.announced {
                self.current(|f| f.announced = true);
                let start = self.begin - frame.header_len;
                return Ok(Some(Step::Event(Place::Header(frame, start..self.begin))));
            }
            let buffered = self.end - self.begin;
            let available = usize::try_from(frame.remaining).unwrap_or(usize::MAX).min(buffered);
            if self.config.frame_payloads && frame.shown < available {
                self.current(|f| f.shown = available);
                let range = self.begin + frame.shown..self.begin + available;
                let at = frame.header.length - frame.remaining + frame.shown as u64;
                return Ok(Some(Step::Event(Place::Payload(range, at))));
            }
            if frame.header.opcode.is_control() {
                if (available as u64) < frame.remaining {
                    return Ok(None);
                }
                let range = self.begin..self.begin + available;
                self.consume(available);
                self.frame = None;
                return Ok(Some(Step::Control(frame.header.opcode, range)));
            }
            match self.payload(frame, available)? {
                Progress::Event(piece) => return Ok(Some(Step::Event(piece))),
                Progress::NeedsMore => return Ok(None),
                Progress::Taken => {}
            }
        }
    }

    /// The common case in one go: a whole message of up to 64 KiB in one frame, with nothing wrong
    /// about it, and the length of its header. Everything else takes the long way.
    #[inline]
    fn small_message(&self) -> Option<(usize, Small)> {
        let shown = self.config.frame_payloads;
        if self.message.is_some() || self.frame.is_some() || shown || self.warning_due {
            return None;
        }
        let (&[b0, b1], rest) = self.unread().split_first_chunk::<2>()?;
        let (header_len, length, rest) = match b1 {
            0..=125 => (2, usize::from(b1), rest),
            126 => {
                let (field, rest) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*field));
                // Judged on the long way.
                let is_minimal = length > 125;
                (4, is_minimal.then_some(length)?, rest)
            }
            _ => return None,
        };
        let payload = rest.get(..length).filter(|_| length as u64 <= self.config.max_message)?;
        let opcode = match b0 {
            0x81 if utf8::is_valid(payload) => Opcode::Text,
            0x82 => Opcode::Binary,
            _ => return None,
        };
        Some((header_len, Small { opcode, length }))
    }

    /// The payload is at the front of the buffer.
    #[inline]
    fn small_data(&mut self, small: Small) -> Traffic<'_> {
        let payload = self.begin..self.begin + small.length;
        self.consume(small.length);
        Traffic::Data(Data {
            direction: Direction::In,
            opcode: small.opcode,
            bytes: self.buffer.get(payload).unwrap_or_default(),
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

    /// Reads and judges a header.
    fn header(&mut self) -> Result<Progress, Failure> {
        let unread = self.unread();
        let &[b0, b1, ..] = unread else { return Ok(Progress::NeedsMore) };
        self.judge_start(b0, b1)?;
        let Some((header, header_len)) = FrameHeader::parse(self.unread()) else {
            return Ok(Progress::NeedsMore);
        };
        if header.length >> 63 != 0 {
            return Err(self.header_violation(Rule::LengthTopBit, String::new()));
        }
        let warning = !header.is_minimal();
        if warning && self.config.policy == Policy::Strict {
            return Err(self.header_violation(Rule::NonMinimalLength, String::new()));
        }
        self.frames += 1;
        if !header.opcode.is_control() {
            self.open_message(&header)?;
        }
        let offset = self.offset;
        self.last_header = Some((offset, header));
        self.consume(header_len);
        self.frame = Some(Current {
            header,
            header_len,
            offset,
            announced: false,
            remaining: header.length,
            shown: 0,
            checked: 0,
        });
        if warning {
            let detail = format!("{} in {} bits", header.length, header.length_form.bits());
            let start = self.begin - header_len;
            let bytes = self.buffer.get(start..self.begin).unwrap_or_default().to_vec();
            let rule = Rule::NonMinimalLength;
            self.violation = Some(Violation { rule, offset, bytes, detail });
            return Ok(Progress::Event(Place::Warning));
        }
        Ok(Progress::Taken)
    }

    /// What the first two bytes already tell (§5.1, §5.2, §5.4, §5.5).
    fn judge_start(&self, b0: u8, b1: u8) -> Result<(), Failure> {
        let opcode = Opcode::from_bits(b0);
        let fin = b0 & 0x80 != 0;
        let deflates = self.inflate.is_some();
        let may_compress = deflates && matches!(opcode, Opcode::Text | Opcode::Binary);
        let rsv = b0 & if may_compress { 0x30 } else { 0x70 };
        let no = |rule, detail: String| Err(self.header_violation(rule, detail));
        if let Opcode::Reserved(bits) = opcode {
            return no(Rule::ReservedOpcode, format!("{bits:#x}"));
        }
        if rsv != 0 {
            let names = [(0x40, "RSV1"), (0x20, "RSV2"), (0x10, "RSV3")];
            let set: Vec<&str> =
                names.iter().filter(|(bit, _)| rsv & bit != 0).map(|(_, name)| *name).collect();
            return no(Rule::ReservedBit, format!("{} on a {opcode} frame", set.join(" and ")));
        }
        if b1 & 0x80 != 0 {
            return no(Rule::Masked, String::new());
        }
        if opcode.is_control() {
            if b1 & 0x7f > 125 {
                return no(Rule::ControlLength, format!("a {opcode} with an extended length"));
            }
            if !fin {
                return no(Rule::ControlFragmented, format!("a {opcode} without FIN"));
            }
            return Ok(());
        }
        match (&self.message, opcode) {
            (None, Opcode::Continuation) => no(Rule::Orphan, String::new()),
            (Some(open), Opcode::Text | Opcode::Binary) => {
                no(Rule::Interleaved, format!("{opcode} inside {}", open.opcode))
            }
            _ => Ok(()),
        }
    }

    /// A place becomes an event that borrows from it.
    fn incoming(&mut self, place: Place) -> Option<Traffic<'_>> {
        let bytes = |range: Range<usize>| self.buffer.get(range).unwrap_or_default();
        Some(match place {
            Place::Nothing => return None,
            Place::Warning => Traffic::Warning(self.violation.as_ref()?),
            Place::Header(frame, range) => {
                Traffic::Frame(Frame { direction: Direction::In, header: frame.header, bytes: bytes(range), offset: frame.offset })
            }
            Place::Payload(range, offset) => Traffic::FramePayload(FramePayload { direction: Direction::In, wire: bytes(range), masking_key: None, offset }),
            Place::Data(piece, source) => Traffic::Data(Data {
                direction: Direction::In,
                opcode: piece.opcode,
                bytes: match source {
                    Source::Buffer(range) => bytes(range),
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

    /// A whole control frame (§5.5).
    fn control(
        &mut self,
        opcode: Opcode,
        range: Range<usize>,
        sender: &mut Sender,
    ) -> Result<(), Failure> {
        let payload = self.buffer.get(range).unwrap_or_default();
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
                let code = status.code;
                self.close = Some(status);
                if let Some((rule, detail)) = broken {
                    return Err(self.payload_violation(rule, detail));
                }
                self.state = State::Closed;
                sender.answer_close(code);
            }
            _ => {}
        }
        Ok(())
    }

    fn control_event(&self, opcode: Opcode, range: Range<usize>) -> Option<Traffic<'_>> {
        let payload = self.buffer.get(range).unwrap_or_default();
        match opcode {
            Opcode::Ping => Some(Traffic::Ping { direction: Direction::In, payload }),
            Opcode::Pong => Some(Traffic::Pong { direction: Direction::In, payload }),
            _ => self.close.as_ref().map(|status| Traffic::Close { direction: Direction::In, status }),
        }
    }

    /// The header at the front of the buffer is wrong.
    fn header_violation(&self, rule: Rule, detail: String) -> Failure {
        let unread = self.unread();
        let len = FrameHeader::parse(unread).map_or(2, |(_, len)| len);
        let bytes = unread.iter().take(len).copied().collect();
        Failure::Violation(Violation { rule, offset: self.offset, bytes, detail })
    }

    /// The payload of the frame whose header was read last is wrong.
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

    /// The text byte at `at` in the buffer is wrong, or missing if the payload ends there.
    fn utf8_violation(&self, at: usize, end: usize) -> Failure {
        let start = at.saturating_sub(8).max(self.begin);
        let bytes = self.buffer.get(start..end.min(at + 8)).unwrap_or_default().to_vec();
        let detail = match bytes.get(at - start) {
            Some(byte) => format!("the byte {byte:02x} can't be right here"),
            None => "cut inside a character at its end".to_owned(),
        };
        let offset = self.offset + (start - self.begin) as u64;
        Failure::Violation(Violation { rule: Rule::Utf8, offset, bytes, detail })
    }
}

/// Where the next event lies; borrowing comes later.
enum Step {
    Control(Opcode, Range<usize>),
    Event(Place),
}

enum Place {
    Data(Piece, Source),
    Header(Current, Range<usize>),
    Nothing,
    Payload(Range<usize>, u64),
    Warning,
}

#[derive(Clone, Copy)]
struct Piece {
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

enum Progress {
    Event(Place),
    NeedsMore,
    Taken,
}

enum Failure {
    Limit(Limit),
    Violation(Violation),
}
