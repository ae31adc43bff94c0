//! Messages in, bytes out.

use std::collections::VecDeque;

use super::{Config, Counts, Data, Direction, Frame, FramePayload, Traffic};
use crate::protocol::buffer::{ByteQueue, part};
use crate::protocol::close::CloseStatus;
use crate::protocol::deflate::Deflate;
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::mask;
use crate::protocol::side::Side;

/// Pongs are queued while fewer bytes than this wait to be sent or reported; beyond it, only the
/// last one is kept (RFC 6455 §5.5.3).
const PONG_MARK: usize = 1 << 20;

/// Sizes of the first and of the largest block of random bytes; blocks grow from one to the other.
const KEYS: (usize, usize) = (64, 4096);

/// A buffer larger than this is freed once it is empty.
const KEPT_CAPACITY: usize = 1 << 20;

/// Where masking keys come from: fills the slice with unpredictable bytes (§5.3).
pub type Masking = Box<dyn FnMut(&mut [u8])>;

/// A frame to send exactly as it is, valid or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// The header; its length may differ from the payload's.
    pub header: FrameHeader,
    /// The payload before masking.
    pub payload: Vec<u8>,
}

/// The sending half.
pub struct Sender {
    side: Side,
    out: ByteQueue,
    /// Bytes of the stream queued so far.
    offset: u64,
    frames: u64,
    keys: Keys,
    deflate: Option<Deflate>,
    compressed: Vec<u8>,
    close: Option<CloseStatus>,
    /// The pong that waits until fewer bytes are queued.
    pong: Option<Vec<u8>>,
    show_sent: bool,
    show_frames: bool,
    /// Queued frames and messages whose events were not taken yet.
    pending: VecDeque<Pending>,
    /// The bytes of the events in `pending`, in their order.
    kept: ByteQueue,
    /// Bytes of `kept` that the last event borrowed.
    borrowed: usize,
}

/// A pending event, with the number of its bytes in `kept`.
#[derive(Clone, Copy)]
enum Pending {
    Data { opcode: Opcode, len: usize, fragments: u32, wire_len: u64, compressed: bool },
    Control(Opcode, usize),
    Frame { header: FrameHeader, len: usize, offset: u64 },
    FramePayload { masking_key: Option<[u8; 4]>, len: usize },
}

impl Sender {
    /// A sender for a newly opened connection. A server uses `masking` only for
    /// [`Sender::masking_key`].
    pub fn new(config: &Config, masking: Masking) -> Sender {
        Sender {
            side: config.side,
            out: ByteQueue::default(),
            offset: 0,
            frames: 0,
            keys: Keys { source: masking, block: Vec::new(), next: 0 },
            deflate: config.deflate.map(|params| Deflate::new(params, config.side)),
            compressed: Vec::new(),
            close: None,
            pong: None,
            show_sent: false,
            show_frames: config.frames || config.frame_payloads,
            pending: VecDeque::new(),
            kept: ByteQueue::default(),
            borrowed: 0,
        }
    }

    /// Queues a data message, compressed if that was agreed, in frames of at most `fragment` bytes
    /// of payload, or in one frame. Returns the message with its frames and bytes on the wire.
    #[inline(always)]
    pub fn message<'a>(
        &mut self,
        opcode: Opcode,
        payload: &'a [u8],
        fragment: Option<usize>,
    ) -> Data<'a> {
        let size = fragment.unwrap_or(usize::MAX).max(1);
        let shown = self.show_sent || self.show_frames;
        let mut data = Data {
            direction: Direction::Out,
            opcode,
            bytes: payload,
            first: true,
            last: true,
            fragments: 1,
            wire_len: payload.len() as u64,
            compressed: false,
        };
        if self.deflate.is_none() && payload.len() <= size.min(125) && !shown {
            self.small(opcode, payload);
        } else {
            self.large(&mut data, size);
        }
        data
    }

    fn large(&mut self, data: &mut Data<'_>, size: usize) {
        let mut compressed = std::mem::take(&mut self.compressed);
        compressed.clear();
        if let Some(deflate) = &mut self.deflate {
            deflate.message(data.bytes, &mut compressed);
            data.compressed = true;
        }
        let wire = if data.compressed { &compressed } else { data.bytes };
        data.wire_len = wire.len() as u64;
        data.fragments = u32::try_from(wire.len().div_ceil(size).max(1)).unwrap_or(u32::MAX);
        if self.show_sent {
            let Data { opcode, bytes, fragments, wire_len, compressed, .. } = *data;
            let len = bytes.len();
            self.kept.push(bytes);
            self.pending.push_back(Pending::Data { opcode, len, fragments, wire_len, compressed });
        }
        let mut header = FrameHeader::new(data.opcode, 0);
        header.rsv1 = data.compressed;
        let mut rest = wire;
        loop {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            header.fin = after.is_empty();
            self.frame(header.with_length(piece.len() as u64), piece);
            if header.fin {
                break;
            }
            rest = after;
            header.opcode = Opcode::Continuation;
            header.rsv1 = false;
        }
        compressed.shrink_to(KEPT_CAPACITY);
        self.compressed = compressed;
    }

    /// Queues a ping (§5.5.2). A payload is cut to 125 bytes.
    pub fn ping(&mut self, payload: &[u8]) {
        self.control(Opcode::Ping, payload);
    }

    /// Queues a pong (§5.5.3). A payload is cut to 125 bytes. If too many bytes wait already, the
    /// pong waits too, and replaces an earlier one that waits.
    pub fn pong(&mut self, payload: &[u8]) {
        if self.has_room() {
            self.control(Opcode::Pong, payload);
        } else {
            self.pong = Some(payload.to_vec());
        }
    }

    /// Begins or answers the closing handshake (§7.1.2) with this status. A second Close is
    /// ignored, since no frame may follow a Close frame.
    pub fn close(&mut self, status: &CloseStatus) {
        if self.close.is_some() {
            return;
        }
        self.close = Some(status.clone());
        self.control(Opcode::Close, &status.encode());
    }

    /// Answers the peer's Close with its own code (§5.5.1), unless we already sent a Close. A
    /// server also echoes the reason, so that a client can see what arrived.
    pub(super) fn answer_close(&mut self, received: &CloseStatus) {
        let reason = match self.side {
            Side::Client => Vec::new(),
            Side::Server => received.reason.clone(),
        };
        self.close(&CloseStatus { code: received.code, reason });
    }

    /// Queues a frame as it is, even if it breaks a rule or follows a Close frame.
    pub fn raw(&mut self, frame: &RawFrame) {
        if frame.header.opcode == Opcode::Close && self.close.is_none() {
            self.close = Some(CloseStatus::decode(&frame.payload));
            self.pending.push_back(Pending::Control(Opcode::Close, 0));
        }
        self.frame_as_it_is(frame.header, &frame.payload);
    }

    /// Queues bytes as they are, without a frame and without an event.
    pub fn raw_bytes(&mut self, bytes: &[u8]) {
        self.out.push(bytes);
        self.offset += bytes.len() as u64;
    }

    /// A new masking key, for a [`RawFrame`].
    pub fn masking_key(&mut self) -> [u8; 4] {
        self.keys.next()
    }

    /// The next queued event, in order; `None` if there is none.
    ///
    /// Pings, pongs and our Close are always reported. [`Data`] is reported while sent messages are
    /// shown; the frames of messages and raw frames, while frames are shown. Our first Close is
    /// reported as a Close even if it is a raw frame.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator can't lend what it holds")]
    pub fn next(&mut self) -> Option<Traffic<'_>> {
        if self.borrowed > 0 {
            self.kept.take(std::mem::take(&mut self.borrowed));
        }
        let pending = self.pending.pop_front()?;
        Some(self.event(pending))
    }

    fn event(&mut self, pending: Pending) -> Traffic<'_> {
        let direction = Direction::Out;
        let (Pending::Data { len, .. }
        | Pending::Control(_, len)
        | Pending::Frame { len, .. }
        | Pending::FramePayload { len, .. }) = pending;
        self.borrowed = len;
        let bytes = part(self.kept.unread(), ..len);
        match pending {
            Pending::Data { opcode, fragments, wire_len, compressed, .. } => Traffic::Data(Data {
                direction,
                opcode,
                bytes,
                first: true,
                last: true,
                fragments,
                wire_len,
                compressed,
            }),
            Pending::Frame { header, offset, .. } => {
                Traffic::Frame(Frame { direction, header, bytes, offset })
            }
            Pending::FramePayload { masking_key, .. } => Traffic::FramePayload(FramePayload {
                direction,
                wire: bytes,
                masking_key,
                offset: 0,
            }),
            Pending::Control(Opcode::Ping, _) => Traffic::Ping { direction, payload: bytes },
            Pending::Control(opcode, _) => match &self.close {
                Some(status) if opcode == Opcode::Close => Traffic::Close { direction, status },
                _ => Traffic::Pong { direction, payload: bytes },
            },
        }
    }

    /// Whether [`Sender::next`] has something.
    #[inline]
    pub fn has_news(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Bytes of memory held for pending events. A caller that can't take the events should pause
    /// its input.
    #[inline]
    pub fn pending_bytes(&self) -> usize {
        self.kept.len() - self.borrowed + self.pending.len() * size_of::<Pending>()
    }

    /// Turns the reporting of sent messages and of sent frames on or off.
    pub fn show(&mut self, sent: bool, frames: bool) {
        self.show_sent = sent;
        self.show_frames = frames;
    }

    /// The bytes that wait to be transmitted.
    pub fn transmit(&self) -> &[u8] {
        self.out.unread()
    }

    /// Records that the transport took `n` bytes of [`Sender::transmit`].
    ///
    /// # Panics
    /// If `n` exceeds its length.
    pub fn transmitted(&mut self, n: usize) {
        self.out.take(n);
    }

    /// Queues the pong that waits, if there is room for it now; whether it did.
    pub fn settle(&mut self) -> bool {
        if self.has_room()
            && let Some(payload) = self.pong.take()
        {
            self.control(Opcode::Pong, &payload);
            return true;
        }
        false
    }

    /// Number of bytes that wait to be transmitted (the API's bufferedAmount, plus frame headers).
    #[inline]
    pub fn buffered(&self) -> usize {
        self.out.len()
    }

    /// The Close frame that we queued, if any.
    pub fn close_sent(&self) -> Option<&CloseStatus> {
        self.close.as_ref()
    }

    /// Bytes and frames queued so far.
    #[inline]
    pub fn counts(&self) -> Counts {
        Counts { bytes: self.offset, frames: self.frames }
    }

    fn has_room(&self) -> bool {
        self.buffered().max(self.pending_bytes()) < PONG_MARK
    }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        let payload = payload.get(..125).unwrap_or(payload);
        self.kept.push(payload);
        self.pending.push_back(Pending::Control(opcode, payload.len()));
        self.frame(FrameHeader::new(opcode, payload.len() as u64), payload);
    }

    /// Queues a frame, masked if we are the client.
    fn frame(&mut self, mut header: FrameHeader, payload: &[u8]) {
        if self.side == Side::Client {
            header.masking_key = Some(self.keys.next());
        }
        self.frame_as_it_is(header, payload);
    }

    fn frame_as_it_is(&mut self, header: FrameHeader, payload: &[u8]) {
        let before = self.out.len();
        header.encode(self.out.end());
        let len = self.out.len() - before;
        self.payload(header.masking_key, payload);
        if self.show_frames {
            let frame = part(self.out.unread(), before..);
            self.kept.push(frame);
            self.pending.push_back(Pending::Frame { header, len, offset: self.offset });
            if !payload.is_empty() {
                let (masking_key, len) = (header.masking_key, payload.len());
                self.pending.push_back(Pending::FramePayload { masking_key, len });
            }
        }
        self.frames += 1;
        self.offset += (self.out.len() - before) as u64;
    }

    /// The fast path: an uncompressed message in one frame with a 7-bit length, with no event to
    /// report.
    #[inline(always)]
    fn small(&mut self, opcode: Opcode, payload: &[u8]) {
        let (b0, length) = (0x80 | opcode.bits(), payload.len() as u8);
        let header_len = if self.side == Side::Client {
            let [a, b, c, d] = self.keys.next();
            self.out.push(&[b0, 0x80 | length, a, b, c, d]);
            self.payload(Some([a, b, c, d]), payload);
            6
        } else {
            self.out.push(&[b0, length]);
            self.payload(None, payload);
            2
        };
        self.frames += 1;
        self.offset += header_len + payload.len() as u64;
    }

    #[inline]
    fn payload(&mut self, masking_key: Option<[u8; 4]>, payload: &[u8]) {
        let payload = self.out.push(payload);
        if let Some(key) = masking_key {
            mask::apply(payload, key, 0);
        }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("buffered", &self.buffered()).finish_non_exhaustive()
    }
}

/// Cuts masking keys out of blocks of random bytes.
struct Keys {
    source: Masking,
    block: Vec<u8>,
    next: usize,
}

impl Keys {
    #[inline]
    fn next(&mut self) -> [u8; 4] {
        loop {
            let rest = part(&self.block, self.next..);
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
