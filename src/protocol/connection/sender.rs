//! Messages in, bytes out.

use super::{Config, Counts, Data, Direction, Frame, FramePayload, Traffic};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::deflate::Deflate;
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::mask;

/// Pongs are only queued while fewer bytes than this wait to be sent; beyond, the last one counts
/// (RFC 6455 §5.5.3).
const PONG_MARK: usize = 1 << 20;

/// Random bytes are asked for in blocks of this size, growing from the first to the last.
const KEYS: (usize, usize) = (64, 4096);

/// A queue that grew larger than this is given back once it is empty.
const KEPT_CAPACITY: usize = 1 << 20;

/// Where masking keys come from: fills the slice with unpredictable bytes (§5.3).
pub type Masking = Box<dyn FnMut(&mut [u8])>;

/// A frame exactly as somebody wants it, right or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// The header; its length may differ from the payload's.
    pub header: FrameHeader,
    /// The payload before masking.
    pub payload: Vec<u8>,
}

enum Note { Message(Opcode, Vec<u8>, u32, u64, bool), Frame(FrameHeader, Vec<u8>, usize, u64), Payload(FrameHeader, Vec<u8>, usize), Ping(Vec<u8>), Pong(Vec<u8>), Close }
/// The sending half.
pub struct Sender {
    out: Vec<u8>,
    /// Bytes of `out` that were transmitted.
    done: usize,
    /// Bytes of the stream before `out`.
    offset: u64,
    frames: u64,
    keys: Keys,
    deflate: Option<Deflate>,
    compressed: Vec<u8>,
    close: Option<CloseStatus>,
    /// The pong that waits for room.
    pong: Option<Vec<u8>>,
    /// Where in the stream frames begin that were not asked for yet, if anybody asks.
    log: Option<Vec<(FrameHeader, u64)>>,
    sent: bool,
    notes: std::collections::VecDeque<Note>,
    current: Option<Note>,
    untold: usize,
}

impl Sender {
    /// A sender for a connection that has just been opened.
    pub fn new(config: &Config, masking: Masking) -> Sender {
        Sender {
            out: Vec::new(),
            done: 0,
            offset: 0,
            frames: 0,
            keys: Keys { source: masking, block: Vec::new(), next: 0 },
            deflate: config.deflate.map(Deflate::new),
            compressed: Vec::new(),
                        close: None,
            pong: None,
            log: (config.frames || config.frame_payloads).then(Vec::new), sent: false, notes: Default::default(), current: None, untold: 0,
        }
    }

    /// x
    #[inline]
    pub fn message<'p>(&mut self, opcode: Opcode, payload: &'p [u8], size: Option<usize>) -> Data<'p> {
        let (fragments, wire_len, compressed) = match &mut self.deflate {
            None if payload.len() <= size.unwrap_or(125).clamp(1, 125) && self.log.is_none() && !self.sent => { self.small(opcode, payload); (1, payload.len() as u64, false) }
            None => self.frames(opcode, false, payload, size),
            Some(deflate) => {
                let mut compressed = std::mem::take(&mut self.compressed);
                compressed.clear();
                deflate.message(payload, &mut compressed);
                let queued = self.frames(opcode, true, &compressed, size);
                compressed.shrink_to(KEPT_CAPACITY);
                self.compressed = compressed;
                queued
            }
        };
        if self.sent { self.untold += payload.len(); self.notes.push_back(Note::Message(opcode, payload.to_vec(), fragments, wire_len, compressed)); }
        self.sweep();
        Data { direction: Direction::Out, opcode, bytes: payload, first: true, last: true, fragments, wire_len, compressed }
    }
    fn sweep(&mut self) {
        let Some(log) = &mut self.log else { return };
        let mut ends = log.iter().map(|(_, start)| *start).skip(1).collect::<Vec<_>>();
        ends.push(self.offset + self.out.len() as u64);
        for ((header, start), end) in log.drain(..).zip(ends) {
            let range = (start - self.offset) as usize..(end - self.offset) as usize;
            let frame = self.out.get(range).unwrap_or_default().to_vec();
            let len = FrameHeader::parse(&frame).map_or(frame.len(), |(_, len)| len);
            self.untold += frame.len();
            let more = frame.len() > len;
            self.notes.push_back(Note::Frame(header, frame.clone(), len, start));
            if more { self.notes.push_back(Note::Payload(header, frame, len)); }
        }
    }
    /// x
    pub fn untold(&self) -> usize { self.untold }
    /// x
    pub fn has_news(&self) -> bool { !self.notes.is_empty() }
    /// x
    pub fn raw_bytes(&mut self, bytes: &[u8]) { self.out.extend_from_slice(bytes); }
    /// x
    pub fn next(&mut self) -> Option<Traffic<'_>> {
        let note = self.notes.pop_front()?;
        let direction = Direction::Out;
        Some(match self.current.insert(note) {
            Note::Message(opcode, payload, fragments, wire_len, compressed) => { self.untold -= payload.len(); Traffic::Data(Data { direction, opcode: *opcode, bytes: payload, first: true, last: true, fragments: *fragments, wire_len: *wire_len, compressed: *compressed }) }
            Note::Frame(header, bytes, len, offset) => { self.untold -= bytes.len(); Traffic::Frame(Frame { direction, header: *header, bytes: &bytes[..*len], offset: *offset }) }
            Note::Payload(header, bytes, len) => Traffic::FramePayload(FramePayload { direction, wire: &bytes[*len..], masking_key: header.masking_key, offset: 0 }),
            Note::Ping(payload) => Traffic::Ping { direction, payload },
            Note::Pong(payload) => Traffic::Pong { direction, payload },
            Note::Close => Traffic::Close { direction, status: self.close.as_ref()? },
        })
    }
    fn frames(&mut self, opcode: Opcode, rsv1: bool, payload: &[u8], size: Option<usize>) -> (u32, u64, bool) {
        let size = size.unwrap_or(usize::MAX).max(1);
        let wire_len = payload.len() as u64;
        let mut fragments = 0;
        let mut rest = payload;
        let mut first = true;
        loop {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            let mut header = FrameHeader::new(if first { opcode } else { Opcode::Continuation }, piece.len() as u64);
            header.fin = rest.is_empty();
            header.rsv1 = rsv1 && first;
            self.masked(header, piece);
            first = false;
            fragments += 1;
            if rest.is_empty() { return (fragments, wire_len, rsv1); }
        }
    }

    /// Queues a ping (§5.5.2) of at most 125 bytes; what is longer is cut.
    pub fn ping(&mut self, payload: &[u8]) {
        self.control(Opcode::Ping, payload);
    }

    /// Queues a pong (§5.5.3) of at most 125 bytes. If too much waits already, it takes the place
    /// of the one that waits for room.
    pub fn pong(&mut self, payload: &[u8]) {
        if self.buffered() < PONG_MARK {
            self.control(Opcode::Pong, payload);
        } else {
            self.pong = Some(payload.to_vec());
        }
    }

    /// Begins or answers the closing handshake (§7.1.2) with this status; nothing is sent behind
    /// a Close frame, so a second one is ignored.
    pub fn close(&mut self, status: &CloseStatus) {
        if self.close.is_some() {
            return;
        }
        self.notes.push_back(Note::Close);
        self.control(Opcode::Close, &status.encode());
        self.close = Some(status.clone());
    }

    /// Answers the peer's Close with its own code (§5.5.1), unless we sent one already.
    pub(super) fn answer_close(&mut self, code: Option<CloseCode>) {
        self.close(&CloseStatus { code, reason: Vec::new() });
    }

    /// Queues a frame as it is, whatever the rules say; also behind a Close frame.
    pub fn raw(&mut self, frame: &RawFrame) {
        let start = self.out.len();
        frame.header.encode(&mut self.out);
        let payload = self.out.len();
        self.out.extend_from_slice(&frame.payload);
        if let Some(key) = frame.header.masking_key {
            mask::apply(self.out.get_mut(payload..).unwrap_or_default(), key, 0);
        }
        self.note(frame.header, start);
        if frame.header.opcode == Opcode::Close && self.close.is_none() {
            self.close = Some(CloseStatus::decode(&frame.payload));
            self.notes.push_back(Note::Close);
        }
        self.sweep();
    }

    /// A fresh masking key, for frames made by hand.
    pub fn masking_key(&mut self) -> [u8; 4] {
        self.keys.next()
    }

    /// What waits to be transmitted.
    pub fn transmit(&self) -> &[u8] {
        self.out.get(self.done..).unwrap_or_default()
    }

    /// `n` bytes of [`Sender::transmit`] were given to the transport.
    pub fn transmitted(&mut self, n: usize) {
        self.done += n;
        if self.done < self.out.len() {
            return;
        }
        self.offset += self.out.len() as u64;
        self.out.clear();
        self.out.shrink_to(KEPT_CAPACITY);
        self.done = 0;
    }

    /// Queues the pong that waited for room, once there is some.
    pub fn settle(&mut self) {
        if self.buffered() < PONG_MARK
            && let Some(payload) = self.pong.take()
        {
            self.control(Opcode::Pong, &payload);
        }
    }

    /// Bytes that wait to be transmitted (bufferedAmount, headers included).
    #[inline]
    pub fn buffered(&self) -> usize {
        self.out.len() - self.done
    }

    /// The Close frame that was queued.
    pub fn close_sent(&self) -> Option<&CloseStatus> {
        self.close.as_ref()
    }

    /// x
    pub fn show(&mut self, sent: bool, frames: bool) { self.sent = sent; self.log = frames.then(Vec::new); }
    /// x
    pub fn counts(&self) -> Counts { Counts { bytes: self.offset + self.out.len() as u64, frames: self.frames } }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        let payload = payload.get(..125).unwrap_or(payload);
        match opcode { Opcode::Ping => self.notes.push_back(Note::Ping(payload.to_vec())), Opcode::Pong => self.notes.push_back(Note::Pong(payload.to_vec())), _ => {} }
        self.masked(FrameHeader::new(opcode, payload.len() as u64), payload);
        self.sweep();
    }

    fn masked(&mut self, mut header: FrameHeader, payload: &[u8]) {
        let key = self.keys.next();
        header.masking_key = Some(key);
        let start = self.out.len();
        header.encode(&mut self.out);
        self.masked_payload(key, payload);
        self.note(header, start);
    }

    /// The common case in one go: a message as it is in a frame whose length fits into 7 bits, which
    /// nobody wants to see.
    #[inline]
    fn small(&mut self, opcode: Opcode, payload: &[u8]) {
        let [a, b, c, d] = self.keys.next();
        let header = [0x80 | opcode.bits(), 0x80 | payload.len() as u8, a, b, c, d];
        self.out.extend_from_slice(&header);
        self.masked_payload([a, b, c, d], payload);
        self.frames += 1;
    }

    #[inline]
    fn masked_payload(&mut self, key: [u8; 4], payload: &[u8]) {
        let at = self.out.len();
        self.out.extend_from_slice(payload);
        mask::apply(self.out.get_mut(at..).unwrap_or_default(), key, 0);
    }

    fn note(&mut self, header: FrameHeader, start: usize) {
        self.frames += 1;
        if let Some(log) = &mut self.log {
            log.push((header, self.offset + start as u64));
        }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("buffered", &self.buffered()).finish_non_exhaustive()
    }
}

/// Masking keys out of blocks of random bytes.
struct Keys {
    source: Masking,
    block: Vec<u8>,
    next: usize,
}

impl Keys {
    #[inline]
    fn next(&mut self) -> [u8; 4] {
        loop {
            let rest = self.block.get(self.next..).unwrap_or_default();
            if let Some(key) = rest.first_chunk::<4>() {
                self.next += 4;
                return *key;
            }
            let (first, most) = KEYS;
            let size = (self.block.len() * 4).clamp(first, most);
            self.block.resize(size, 0);
            (self.source)(&mut self.block);
            self.next = 0;
        }
    }
}
