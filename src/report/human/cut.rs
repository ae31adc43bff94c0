//! A long text at the prompt: a few screens of it, so that what came before stays in sight.

use std::io::{self, ErrorKind, Write};

/// How much of a text is shown.
const BYTES: usize = 6_000;

/// How many of its lines are shown.
const LINES: usize = 60;

/// Passes a text on until enough of it was written. What writes it gets an error then, and may stop.
pub(super) struct Cut<'o> {
    out: &'o mut dyn Write,
    bytes: usize,
    lines: usize,
}

impl<'o> Cut<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Cut<'o> {
        Cut { out, bytes: BYTES, lines: LINES }
    }

    /// Whether the text was longer than what is shown of it.
    pub(super) fn is_full(&self) -> bool {
        self.lines == 0 || self.bytes == 0
    }
}

impl Write for Cut<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.is_full() {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let mut end = text.len();
        if let Some(last) = memchr::memchr_iter(b'\n', text).nth(self.lines - 1) {
            end = last;
        }
        if end > self.bytes {
            end = self.bytes;
            while text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
                end -= 1;
            }
        }
        let shown = text.get(..end).unwrap_or_default();
        self.out.write_all(shown)?;
        if shown.len() < text.len() {
            self.bytes = 0;
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.bytes -= shown.len();
        self.lines -= memchr::memchr_iter(b'\n', shown).count();
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&str]) -> (String, bool) {
        let mut out = Vec::new();
        let mut cut = Cut::new(&mut out);
        let is_whole = pieces.iter().all(|piece| cut.write_all(piece.as_bytes()).is_ok());
        (String::from_utf8(out).unwrap(), is_whole)
    }

    #[test]
    fn what_fits_stays_whole() {
        let lines = "line\n".repeat(LINES - 1) + "last";
        assert_eq!(cut(&[&lines]), (lines, true));
        let (half, other) = ("x".repeat(BYTES / 2), "y".repeat(BYTES / 2));
        assert_eq!(cut(&[&half, &other]), (half + &other, true));
    }

    #[test]
    fn long_texts_end_between_characters_and_without_a_newline() {
        let (shown, is_whole) = cut(&["a", &"é".repeat(BYTES)]);
        assert_eq!((shown.len(), is_whole), (BYTES - 1, false));
        let (shown, is_whole) = cut(&["line\n"; 2 * LINES]);
        assert_eq!((shown.lines().count(), is_whole), (LINES, false));
        assert!(shown.ends_with("line"));
    }
}
