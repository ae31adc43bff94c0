//! Messages whose payload is compressed by the application: gzip, zlib or bare deflate.
//!
//! permessage-deflate is the protocol's and always inflated; this is for servers that compress by themselves.

use flate2::{Decompress, FlushDecompress, Status};

/// The end of a part of a stream that goes on with the next message (zlib's Z_SYNC_FLUSH).
const SYNC: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// How much is inflated at a time.
const STEP: usize = 32 << 10;

/// The largest buffer to keep between messages.
const MAX_KEPT: usize = 1 << 20;

/// Inflates messages one after the other.
#[derive(Debug, Default)]
pub(super) struct Inflater {
    /// A stream that goes on from message to message, as some servers have it.
    stream: Option<Decompress>,
    plain: Vec<u8>,
}

/// What a payload's beginning promises.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Gzip,
    Zlib,
    /// Nothing: it must inflate to the end, and to text.
    Bare,
}

impl Inflater {
    /// The inflated payload, if it is compressed and has at most `most` bytes.
    pub(super) fn inflate(&mut self, payload: &[u8], most: usize) -> Option<&[u8]> {
        self.plain.clear();
        self.plain.shrink_to(MAX_KEPT);
        let found = match self.stream.take() {
            Some(stream) => self.go_on(stream, payload, most),
            None => false,
        };
        (found || self.begin(payload, most)).then_some(&self.plain)
    }

    fn begin(&mut self, payload: &[u8], most: usize) -> bool {
        self.plain.clear();
        let kind = kind(payload);
        let stream = match kind {
            Kind::Gzip => Decompress::new_gzip(15),
            Kind::Zlib => Decompress::new(true),
            Kind::Bare => Decompress::new(false),
        };
        let found = self.go_on(stream, payload, most);
        if kind == Kind::Bare {
            self.stream = None;
            return found && std::str::from_utf8(&self.plain).is_ok_and(|text| !text.is_empty());
        }
        found
    }

    /// Inflates all of the payload; false if it is no such stream, or has more bytes.
    fn go_on(&mut self, mut stream: Decompress, payload: &[u8], most: usize) -> bool {
        let mut rest = payload;
        loop {
            let (before, filled) = (stream.total_in(), self.plain.len());
            self.plain.reserve(STEP);
            let status = stream.decompress_vec(rest, &mut self.plain, FlushDecompress::None);
            let used = usize::try_from(stream.total_in() - before).unwrap_or_default();
            rest = rest.get(used..).unwrap_or_default();
            if self.plain.len() > most {
                return false;
            }
            match status {
                Ok(Status::StreamEnd) => return rest.is_empty(),
                Ok(_) if rest.is_empty() && self.plain.len() < self.plain.capacity() => {
                    let goes_on = payload.ends_with(&SYNC);
                    self.stream = goes_on.then_some(stream);
                    return goes_on;
                }
                Ok(_) if used > 0 || self.plain.len() > filled => {}
                _ => return false,
            }
        }
    }
}

fn kind(payload: &[u8]) -> Kind {
    match *payload {
        [0x1f, 0x8b, 0x08, ..] => Kind::Gzip,
        // RFC 1950 §2.2: the method, a window of at most 32 KiB, and a check of both bytes.
        [first, second, ..]
            if first & 0x8f == 0x08 && u16::from_be_bytes([first, second]) % 31 == 0 =>
        {
            Kind::Zlib
        }
        _ => Kind::Bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};

    const MOST: usize = 1 << 20;

    fn packed(mut stream: Compress, text: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 100);
        stream.compress_vec(text, &mut out, flush).unwrap();
        out
    }

    fn finished(stream: Compress, text: &[u8]) -> Vec<u8> {
        packed(stream, text, FlushCompress::Finish)
    }

    fn best() -> Compression {
        Compression::best()
    }

    #[test]
    fn every_kind_is_inflated() {
        let long = b"tick ".repeat(50_000);
        for text in [&b"{\"ping\":1}"[..], &long] {
            for payload in [
                finished(Compress::new_gzip(best(), 15), text),
                finished(Compress::new(best(), true), text),
                finished(Compress::new(best(), false), text),
            ] {
                assert_eq!(Inflater::default().inflate(&payload, MOST), Some(text));
            }
        }
    }

    #[test]
    fn a_stream_goes_on_over_messages() {
        let mut stream = Compress::new(best(), true);
        let mut inflater = Inflater::default();
        for text in [&b"{\"op\":10,\"i\":0}"[..], b"{\"op\":10,\"i\":1}", b"{\"op\":10,\"i\":2}"] {
            let mut payload = Vec::with_capacity(200);
            stream.compress_vec(text, &mut payload, FlushCompress::Sync).unwrap();
            assert_eq!(inflater.inflate(&payload, MOST), Some(text));
        }
        // Another connection, or another stream.
        let other = finished(Compress::new_gzip(best(), 15), b"other");
        assert_eq!(inflater.inflate(&other, MOST), Some(&b"other"[..]));
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        let whole = finished(Compress::new_gzip(best(), 15), b"a text that is cut");
        let bare_bytes = finished(Compress::new(best(), false), &[0xff; 100]);
        let behind = [&whole[..], b"x"].concat();
        let (last, cut) = whole.split_last().unwrap();
        assert_eq!(*last, 0);
        for payload in
            [&b""[..], b"\x1f\x8b\x08", b"x\x9c", b"plain", &[0x08; 99], cut, &bare_bytes, &behind]
        {
            assert_eq!(Inflater::default().inflate(payload, MOST), None, "{payload:x?}");
        }
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let bomb = finished(Compress::new(best(), true), &vec![0; 10 << 20]);
        let mut inflater = Inflater::default();
        assert_eq!(inflater.inflate(&bomb, MOST), None);
        assert!(inflater.plain.capacity() < 2 * MOST + STEP);
        assert_eq!(inflater.inflate(b"next", MOST), None);
        assert!(inflater.plain.capacity() <= MAX_KEPT);
    }
}
