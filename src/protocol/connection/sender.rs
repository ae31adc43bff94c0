//! Messages in, bytes out.

use super::Config;
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

/// A frame that was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentFrame<'a> {
    /// Its header.
    pub header: FrameHeader,
    /// The header's bytes.
    pub bytes: &'a [u8],
    /// The payload as it goes onto the wire: masked.
    pub payload: &'a [u8],
    /// Offset of its first byte in the stream of frames.
    pub offset: u64,
}

/// What a message became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Its frames.
    pub fragments: u32,
    /// Their payload in bytes, compressed if it was.
    pub wire_len: u64,
    /// Whether it was compressed (RFC 7692).
    pub compressed: bool,
}

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
    fragment: Option<usize>,
    close: Option<CloseStatus>,
    /// The pong that waits for room.
    pong: Option<Vec<u8>>,
    /// Where in the stream frames begin that were not asked for yet, if anybody asks.
    log: Option<Vec<(FrameHeader, u64)>>,
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
            fragment: config.fragment,
            close: None,
            pong: None,
            log: (config.frames || config.frame_payloads).then(Vec::new),
        }
    }

    /// Queues a data message: compressed if that was agreed, fragmented if that is wanted.
    pub fn message(&mut self, opcode: Opcode, payload: &[u8]) -> Queued {
        self.fragmented(opcode, payload, self.fragment)
    }

    /// The same in frames of at most `size` bytes of payload; `None` for a single frame.
    #[inline]
    pub fn fragmented(&mut self, opcode: Opcode, payload: &[u8], size: Option<usize>) -> Queued {
        let Some(deflate) = &mut self.deflate else {
            if payload.len() <= size.unwrap_or(125).clamp(1, 125) && self.log.is_none() {
                return self.small(opcode, payload);
            }
            return self.frames(opcode, false, payload, size);
        };
        let mut compressed = std::mem::take(&mut self.compressed);
        compressed.clear();
        deflate.message(payload, &mut compressed);
        let queued = self.frames(opcode, true, &compressed, size);
        compressed.shrink_to(KEPT_CAPACITY);
        self.compressed = compressed;
        queued
    }

    fn frames(
        &mut self,
        opcode: Opcode,
        rsv1: bool,
        payload: &[u8],
        size: Option<usize>,
    ) -> Queued {
        let size = size.unwrap_or(usize::MAX).max(1);
        let wire_len = payload.len() as u64;
        let mut fragments = 0;
        let mut rest = payload;
        let mut first = true;
        loop {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            let mut header = FrameHeader::new(
                if first { opcode } else { Opcode::Continuation },
                piece.len() as u64,
            );
            header.fin = rest.is_empty();
            header.rsv1 = rsv1 && first;
            self.masked(header, piece);
            first = false;
            fragments += 1;
            if rest.is_empty() {
                return Queued { fragments, wire_len, compressed: rsv1 };
            }
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
        }
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

    /// From now on frames are wanted, or not.
    pub fn show(&mut self, frames: bool) {
        self.log = frames.then(Vec::new);
    }

    /// Bytes and frames queued so far.
    #[inline]
    pub fn counts(&self) -> (u64, u64) {
        (self.offset + self.out.len() as u64, self.frames)
    }

    /// Whether frames were queued since the last call to [`Sender::see_frames`], and are wanted.
    #[inline]
    pub fn has_frames(&self) -> bool {
        self.log.as_ref().is_some_and(|log| !log.is_empty())
    }

    /// Gives the frames that were queued since the last call to `see`, if frames are wanted. To be
    /// called before [`Sender::transmitted`].
    pub fn see_frames(&mut self, mut see: impl FnMut(SentFrame<'_>)) {
        let Some(log) = &mut self.log else { return };
        let mut ends = log.iter().map(|(_, start)| *start).skip(1).collect::<Vec<_>>();
        ends.push(self.offset + self.out.len() as u64);
        for ((header, start), end) in log.drain(..).zip(ends) {
            let range = (start - self.offset) as usize..(end - self.offset) as usize;
            let frame = self.out.get(range).unwrap_or_default();
            let len = FrameHeader::parse(frame).map_or(frame.len(), |(_, len)| len);
            let (bytes, payload) = frame.split_at(len);
            see(SentFrame { header, bytes, payload, offset: start });
        }
    }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        let payload = payload.get(..125).unwrap_or(payload);
        self.masked(FrameHeader::new(opcode, payload.len() as u64), payload);
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
    fn small(&mut self, opcode: Opcode, payload: &[u8]) -> Queued {
        let [a, b, c, d] = self.keys.next();
        let header = [0x80 | opcode.bits(), 0x80 | payload.len() as u8, a, b, c, d];
        self.out.extend_from_slice(&header);
        self.masked_payload([a, b, c, d], payload);
        self.frames += 1;
        Queued { fragments: 1, wire_len: payload.len() as u64, compressed: false }
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
