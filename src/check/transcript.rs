//! What was sent to a server and what came back, with times: all that a verdict rests on.

use std::borrow::Cow;
use std::time::Duration;

use crate::http::head::{HeadLimits, HeadReader, Response};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::mask;

/// How the server ended the byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order: FIN, and over TLS close_notify.
    Fin,
    /// By a reset, or in the middle of TLS.
    Broken,
}

impl Ending {
    /// What the server did, as a verb and its object.
    pub fn words(self) -> &'static str {
        match self {
            Ending::Fin => "ended TCP",
            Ending::Broken => "cut the connection",
        }
    }
}

/// A frame that the server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// Its header.
    pub header: FrameHeader,
    /// Its payload without the mask.
    pub payload: Cow<'a, [u8]>,
    /// When its last byte came.
    pub at: Duration,
}

/// One exchange. Times are counted from the moment when everything was sent.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// Everything that was sent.
    pub sent: Vec<u8>,
    /// Everything that came.
    pub received: Vec<u8>,
    /// Lengths of `received` with the times at which they were reached.
    marks: Vec<(usize, Duration)>,
    /// How the server ended the stream, and when.
    pub end: Option<(Ending, Duration)>,
    /// The time of the judgement.
    pub now: Duration,
}

impl Transcript {
    /// Adds what came.
    pub fn receive(&mut self, bytes: &[u8], at: Duration) {
        self.received.extend_from_slice(bytes);
        self.marks.push((self.received.len(), at));
    }

    /// The response with which it begins, and the position behind its head; `None` while its head is
    /// incomplete, or if it is none.
    pub fn response(&self) -> Option<(Response, usize)> {
        let mut reader = HeadReader::new(HeadLimits::default());
        let (response, rest) = reader.feed(&self.received).ok().flatten()?;
        Some((response, self.received.len() - rest.len()))
    }

    /// The whole frames from `start` on.
    pub fn frames(&self, start: usize) -> Vec<Received<'_>> {
        let (mut frames, mut at) = (Vec::new(), start);
        while let Some((header, payload, end)) = self.frame(at) {
            frames.push(Received { header, payload, at: self.time_of(end) });
            at = end;
        }
        frames
    }

    fn frame(&self, at: usize) -> Option<(FrameHeader, Cow<'_, [u8]>, usize)> {
        let rest = self.received.get(at..)?;
        let (header, len) = FrameHeader::parse(rest)?;
        let end = len.checked_add(usize::try_from(header.length).ok()?)?;
        let mut payload = Cow::Borrowed(rest.get(len..end)?);
        if let Some(key) = header.masking_key {
            mask::apply(payload.to_mut(), key, 0);
        }
        Some((header, payload, at + end))
    }

    fn time_of(&self, end: usize) -> Duration {
        self.marks.iter().find(|(len, _)| *len >= end).map_or(self.now, |(_, at)| *at)
    }
}

impl Received<'_> {
    /// For a Close frame: its code, if it has one, and reason.
    pub fn close(&self) -> Option<CloseStatus> {
        (self.header.opcode == Opcode::Close).then(|| CloseStatus::decode(&self.payload))
    }

    /// Whether it is a pong with this payload.
    pub fn is_pong(&self, payload: &[u8]) -> bool {
        self.header.opcode == Opcode::Pong && *self.payload == *payload
    }
}

/// The first Close frame among these.
pub fn close(frames: &[Received<'_>]) -> Option<(CloseStatus, Duration)> {
    frames.iter().find_map(|frame| Some((frame.close()?, frame.at)))
}

/// A Close frame in words: `Close 1002 (protocol error)`.
pub fn close_words(status: &CloseStatus) -> String {
    match status.code {
        Some(code @ CloseCode(number)) => format!("Close {number} ({})", code.meaning()),
        None => "a Close without a code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(pieces: &[&[u8]]) -> Transcript {
        let mut transcript = Transcript::default();
        for (at, piece) in (1..).zip(pieces) {
            transcript.receive(piece, Duration::from_millis(at));
        }
        transcript
    }

    #[test]
    fn frames_are_found_wherever_the_bytes_were_cut() {
        let bytes = [0x81, 0x02, b'h', b'i', 0x88, 0x02, 0x03, 0xea, 0x89, 0x05, b'x'];
        for cut in 0..bytes.len() {
            let transcript = came(&[&bytes[..cut], &bytes[cut..]]);
            let frames = transcript.frames(0);
            assert_eq!(frames.len(), 2, "cut at {cut}");
            assert_eq!(*frames[0].payload, *b"hi");
            assert_eq!(frames[0].at, Duration::from_millis(if cut < 4 { 2 } else { 1 }));
            let (status, at) = close(&frames).unwrap();
            assert_eq!(status.code, Some(CloseCode(1002)));
            assert_eq!(at, Duration::from_millis(if cut < 8 { 2 } else { 1 }));
        }
    }

    #[test]
    fn a_declared_length_takes_no_memory_and_never_overflows() {
        let mut bytes = vec![0x82, 0x7f];
        bytes.extend_from_slice(&u64::MAX.to_be_bytes());
        assert!(came(&[&bytes]).frames(0).is_empty());
        assert!(came(&[&bytes]).frames(usize::MAX).is_empty());
    }

    #[test]
    fn a_response_is_separated_from_the_frames_behind_it() {
        let transcript = came(&[b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n\x8a\x00"]);
        let (response, at) = transcript.response().unwrap();
        assert_eq!(response.status, 101);
        assert!(transcript.frames(at)[0].is_pong(b""));
        assert!(came(&[b"HTTP/1.1 101 Switching Prot"]).response().is_none());
        assert!(came(&[b"SSH-2.0-x\r\n\r\n"]).response().is_none());
    }
}
