//! UTF-8 validation over pieces (RFC 3629), failing at the first invalid byte.

/// Texts of up to this many bytes are first checked for ASCII: most short messages are ASCII, and
/// the check takes a third of the time.
const SHORT: usize = 256;

/// Whether a whole text is UTF-8.
#[inline]
pub fn is_valid(text: &[u8]) -> bool {
    (text.len() <= SHORT && is_ascii(text)) || simdutf8::basic::from_utf8(text).is_ok()
}

#[inline]
fn is_ascii(text: &[u8]) -> bool {
    let (chunks, rest) = text.as_chunks::<16>();
    let mut seen = chunks.iter().fold(0, |seen, chunk| seen | u128::from_ne_bytes(*chunk));
    match text.last_chunk::<16>() {
        // Checks some bytes twice, instead of the last few one by one.
        Some(last) => seen |= u128::from_ne_bytes(*last),
        None => seen |= rest.iter().fold(0, |seen, byte| seen | u128::from(*byte)),
    }
    seen & u128::from_ne_bytes([0x80; 16]) == 0
}

/// A validator that remembers a character cut by the end of a piece.
#[derive(Clone, Debug, Default)]
pub struct Utf8 {
    /// The bytes of an incomplete character; the first `len` are in use.
    partial: [u8; 4],
    len: usize,
}

impl Utf8 {
    /// Takes the next piece.
    ///
    /// # Errors
    /// The offset in `piece` of the first byte after which no continuation is valid UTF-8.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), usize> {
        let mut rest = piece;
        while self.len > 0 {
            let Some((&byte, after)) = rest.split_first() else { return Ok(()) };
            let [a, b, c, _] = self.partial;
            let candidate = match self.len {
                1 => [a, byte, 0, 0],
                2 => [a, b, byte, 0],
                _ => [a, b, c, byte],
            };
            let (head, _) = candidate.split_at((self.len + 1).min(4));
            match std::str::from_utf8(head) {
                Ok(_) => self.len = 0,
                Err(e) if e.error_len().is_none() => {
                    self.partial = candidate;
                    self.len += 1;
                }
                Err(_) => return Err(piece.len() - rest.len()),
            }
            rest = after;
        }
        // Set an incomplete last character aside: it would send the fast check to its slow path.
        let cut = rest.len() - incomplete_tail(rest);
        let (whole, tail) = rest.split_at(cut);
        if !is_valid(whole) {
            let at = std::str::from_utf8(whole).err().map_or(0, |e| bad_byte(whole, e));
            return Err(piece.len() - rest.len() + at);
        }
        match std::str::from_utf8(tail) {
            Ok(_) => Ok(()),
            Err(e) if e.error_len().is_none() => {
                for (slot, byte) in self.partial.iter_mut().zip(tail) {
                    *slot = *byte;
                }
                self.len = tail.len();
                Ok(())
            }
            Err(e) => Err(piece.len() - tail.len() + bad_byte(tail, e)),
        }
    }

    /// Whether the text may end here, which is not inside a character.
    pub fn is_complete(&self) -> bool {
        self.len == 0
    }
}

/// The first byte that makes `bytes` invalid, found from std's `valid_up_to` and `error_len`.
fn bad_byte(bytes: &[u8], e: std::str::Utf8Error) -> usize {
    let start = e.valid_up_to();
    match e.error_len() {
        // A byte that can't begin a character, or one with an invalid successor.
        Some(1) if !matches!(bytes.get(start), Some(0xc2..=0xf4)) => start,
        Some(prefix) => start + prefix,
        // A valid beginning of a character, followed by the end or an invalid byte.
        None => bytes.len(),
    }
}

/// How many bytes at the end may begin an incomplete character: 0 to 3.
fn incomplete_tail(bytes: &[u8]) -> usize {
    for (back, byte) in bytes.iter().rev().take(3).enumerate() {
        match byte {
            0x00..=0x7f => return 0,
            0x80..=0xbf => {}
            0xc0..=0xdf => return if back < 1 { 1 } else { 0 },
            0xe0..=0xef => return if back < 2 { back + 1 } else { 0 },
            0xf0..=0xff => return back + 1,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(pieces: &[&[u8]]) -> bool {
        let mut utf8 = Utf8::default();
        pieces.iter().all(|p| utf8.feed(p).is_ok()) && utf8.is_complete()
    }

    #[test]
    fn one_byte_that_is_not_ascii_is_found_wherever_it_is() {
        for len in (0..70).chain(SHORT - 2..SHORT + 3) {
            let mut text = vec![b'x'; len];
            assert!(is_valid(&text), "{len}");
            for at in 0..len {
                text[at] = 0x80;
                assert!(!is_valid(&text), "{len} at {at}");
                text[at] = b'x';
            }
            text.extend("ü".bytes());
            assert!(is_valid(&text), "{len}");
        }
    }

    #[test]
    fn agrees_with_std_at_every_split() {
        let samples: &[&[u8]] = &[
            "Hellö wörld €uro 😀 end".as_bytes(),
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xf4\x90\x80\x80",
            b"\xf8\x88\x80\x80\x80",
            b"a\x80b",
            b"\xe2\x82",
            b"\xf0\x9f\x98",
            b"",
        ];
        for sample in samples {
            let expected = std::str::from_utf8(sample).is_ok();
            for i in 0..=sample.len() {
                for j in i..=sample.len() {
                    let pieces = [&sample[..i], &sample[i..j], &sample[j..]];
                    assert_eq!(verdict(&pieces), expected, "{sample:x?} cut at {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn fails_at_the_byte_and_not_later() {
        let bad = b"\xce\xba\xf4\x90\x80\x80";
        let mut utf8 = Utf8::default();
        let first = bad.iter().position(|b| utf8.feed(&[*b]).is_err());
        assert_eq!(first, Some(3), "F4 90 can't become a character");
        let mut whole = Utf8::default();
        assert!(whole.feed(&bad[..4]).is_err());
        for (bytes, at) in [
            (&b"\xc6\xc6"[..], 1),
            (b"a\xe1\xbd\xe1", 3),
            (b"\xf0\xf0\x9f\x98", 1),
            (b"\xc3\xff", 1),
        ] {
            assert_eq!(Utf8::default().feed(bytes), Err(at), "{bytes:x?}");
        }
    }
}
