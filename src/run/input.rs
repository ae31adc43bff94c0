//! Piped standard input, split into messages.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use rustix::event::PollFlags;

use crate::error::{Error, Exit, Hint, Result, Stage};
use crate::run::gate::quoted;
use crate::run::turn::Source;
use crate::sys::{self, Role};
use crate::text::escapes::escaped;

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// How standard input is split into messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputFormat {
    /// One JSON command per line (docs/events.md).
    Json,
    /// One message per line; LF or CR LF ends it.
    #[default]
    Line,
    /// A message ends with a NUL byte.
    Null,
    /// What is read at once is a message, or a chunk of given size.
    Raw,
    /// Everything up to the end is one message.
    Whole,
}

/// Standard input, read in chunks when poll reports it readable.
pub struct Stdin {
    given: io::Stdin,
    format: InputFormat,
    /// Of [`InputFormat::Raw`]: the size of each message but the last one.
    chunk: Option<usize>,
    /// Of [`InputFormat::Raw`]: no message ends inside a character.
    is_text: bool,
    /// Of [`InputFormat::Line`]: a message keeps its line's end.
    keeps_newlines: bool,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    /// There is no separator between `begin` and here.
    scanned: usize,
    /// Complete messages up to here are UTF-8.
    valid: usize,
    /// UTF-8 was checked up to here.
    checked: usize,
    /// Bytes of the input before `begin`.
    offset: u64,
    /// Lines before `begin`, from 0.
    line: u64,
    eof: bool,
    failure: Option<Error>,
}

/// A message in the input.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Its bytes without the separator.
    pub bytes: &'a [u8],
    /// Offset of its first byte in the input.
    pub offset: u64,
    /// The number of the message, from 1: the line number in the line formats.
    pub number: u64,
}

impl Piece<'_> {
    /// Which one it is, and how it begins.
    pub fn named(&self, kind: &str) -> String {
        format!("{kind} {} of standard input: {}", self.number, quoted(self.bytes))
    }

    /// The error for a message that is not UTF-8, with the position.
    pub fn not_utf8(&self) -> Error {
        let at = std::str::from_utf8(self.bytes).err().map_or(0, |e| e.valid_up_to());
        let byte = self.bytes.get(at).copied().unwrap_or_default();
        let offset = self.offset + at as u64;
        let what = format!(
            "standard input is not UTF-8 at byte {offset} (message {}, byte {at}: {byte:02x})",
            self.number
        );
        Error::new(Stage::Input, Exit::Local, what).hint(Hint::Binary)
    }

    /// The message with its escapes replaced by what they stand for.
    ///
    /// # Errors
    /// Exit 13: something is no escape, or the result should be text and isn't UTF-8.
    pub fn unescaped(&self, binary: bool) -> Result<Vec<u8>> {
        let bad = |why: String| {
            let what = format!("message {} of standard input: {why}", self.number);
            Error::new(Stage::Input, Exit::Local, what)
        };
        let bytes = escaped(self.bytes).map_err(bad)?;
        match std::str::from_utf8(&bytes) {
            Err(e) if !binary => {
                let byte = bytes.get(e.valid_up_to()).copied().unwrap_or_default();
                Err(bad(format!("with \\x{byte:02x} it is not UTF-8")).hint(Hint::Binary))
            }
            _ => Ok(bytes),
        }
    }
}

impl InputFormat {
    /// All formats: the name on the command line, what it means, and the format.
    pub const ALL: [(&str, &str, InputFormat); 5] = [
        ("json", "JSON commands", InputFormat::Json),
        ("line", "Lines", InputFormat::Line),
        ("null", "NUL-terminated", InputFormat::Null),
        ("raw", "As it comes", InputFormat::Raw),
        ("whole", "All of it", InputFormat::Whole),
    ];
}

impl Stdin {
    /// The process's standard input.
    pub fn new(format: InputFormat) -> Stdin {
        Stdin {
            given: io::stdin(),
            format,
            chunk: None,
            is_text: false,
            keeps_newlines: false,
            buffer: Vec::new(),
            begin: 0,
            end: 0,
            scanned: 0,
            valid: 0,
            checked: 0,
            offset: 0,
            line: 0,
            eof: false,
            failure: None,
        }
    }

    /// Raw input is cut into chunks of this size; where messages are text, between characters.
    pub fn in_chunks(self, chunk: Option<usize>, is_text: bool) -> Stdin {
        Stdin { chunk, is_text, ..self }
    }

    /// Whether messages keep the ends of their lines.
    pub fn keeping_newlines(self, keeps_newlines: bool) -> Stdin {
        Stdin { keeps_newlines, ..self }
    }

    /// How the input is split into messages.
    pub fn format(&self) -> InputFormat {
        self.format
    }

    /// Why reading failed; returned once.
    pub fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Whether the end was read; messages may still be buffered.
    pub fn is_at_end(&self) -> bool {
        self.eof
    }

    /// Whether everything that was read was taken.
    pub fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    /// Whether every message was taken.
    pub fn is_exhausted(&self) -> bool {
        self.eof && self.is_empty()
    }

    /// Reads once.
    fn fill(&mut self) {
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            self.end -= self.begin;
            self.scanned -= self.begin;
            self.valid = self.valid.saturating_sub(self.begin);
            self.checked = self.checked.saturating_sub(self.begin);
            self.begin = 0;
        }
        if self.buffer.is_empty() {
            // Fresh zeroed memory costs nothing until it is used; growing would write it.
            self.buffer = vec![0; CHUNK];
        } else if self.buffer.len() - self.end < CHUNK / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let space = self.buffer.get_mut(self.end..).unwrap_or_default();
        match sys::read(Role::Stdin, &self.given, space) {
            Ok(0) => {
                self.eof = true;
                sys::release_stdin();
            }
            Ok(n) => self.end += n,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(e) => {
                self.eof = true;
                let what = format!("can't read standard input: {}", io::Error::from(e));
                self.failure = Some(Error::new(Stage::Input, Exit::Local, what));
            }
        }
    }

    /// The next complete message.
    pub fn next_piece(&mut self) -> Option<Piece<'_>> {
        let message = self.advance()?;
        Some(self.piece(message))
    }

    /// Moves past the next complete message; returns its range in the buffer, without separator.
    #[inline]
    pub fn advance(&mut self) -> Option<Range<usize>> {
        let unscanned = self.buffer.get(self.scanned..self.end).unwrap_or_default();
        let found = self.separator().and_then(|byte| memchr::memchr(byte, unscanned));
        let (start, stop, next) = match found {
            Some(at) => {
                let stop = self.scanned + at;
                (self.begin, stop + usize::from(self.keeps_newlines), stop + 1)
            }
            None if self.format == InputFormat::Raw => {
                let stop = self.begin + self.next_raw();
                if stop == self.begin {
                    return None;
                }
                (self.begin, stop, stop)
            }
            // The last message needs no separator.
            None if self.eof && self.begin < self.end => (self.begin, self.end, self.end),
            None => {
                self.scanned = self.end;
                return None;
            }
        };
        self.offset += (next - start) as u64;
        self.line += 1;
        (self.begin, self.scanned) = (next, next);
        Some(start..stop)
    }

    /// The length of the next message of raw input; 0 if more must be read for it.
    fn next_raw(&self) -> usize {
        let bytes = self.buffer.get(self.begin..self.end).unwrap_or_default();
        let most = match self.chunk {
            Some(chunk) if bytes.len() < chunk && !self.eof => return 0,
            Some(chunk) => chunk.min(bytes.len()),
            None => bytes.len(),
        };
        if !self.is_text || self.eof && most == bytes.len() {
            return most;
        }
        // A character that is larger than the chunk goes whole.
        let mut sizes =
            [most, 2, 3, 4].into_iter().filter(|size| (most..=bytes.len()).contains(size));
        sizes
            .find_map(|size| Some(before_cut(bytes.get(..size)?)).filter(|len| *len > 0))
            .unwrap_or(0)
    }

    /// The message that [`Stdin::advance`] returned last.
    #[inline]
    pub fn piece(&self, message: Range<usize>) -> Piece<'_> {
        let offset = self.offset - self.begin.saturating_sub(message.start) as u64;
        let bytes = self.buffer.get(message).unwrap_or_default();
        let bytes = match self.format {
            InputFormat::Json | InputFormat::Line if !self.keeps_newlines => {
                bytes.strip_suffix(b"\r").unwrap_or(bytes)
            }
            _ => bytes,
        };
        Piece { bytes, offset, number: self.line }
    }

    fn separator(&self) -> Option<u8> {
        match self.format {
            InputFormat::Json | InputFormat::Line => Some(b'\n'),
            InputFormat::Null => Some(0),
            InputFormat::Raw | InputFormat::Whole => None,
        }
    }

    /// Whether a message is UTF-8. All complete messages of the buffer are checked together, which
    /// is much faster; they are checked one by one only if one of them is invalid.
    #[inline]
    pub fn is_text(&mut self, message: &Range<usize>) -> bool {
        let valid = |range: Range<usize>| {
            let bytes = self.buffer.get(range).unwrap_or_default();
            simdutf8::basic::from_utf8(bytes).is_ok()
        };
        if self.checked < message.end {
            let rest = self.buffer.get(message.end..self.end).unwrap_or_default();
            let last = self.separator().and_then(|byte| memchr::memrchr(byte, rest));
            let end = message.end + last.unwrap_or_default();
            self.checked = end;
            if valid(message.start..end) {
                self.valid = end;
            }
        }
        message.end <= self.valid || valid(message.clone())
    }
}

/// The length without a character at the end that isn't there as a whole.
fn before_cut(bytes: &[u8]) -> usize {
    let lead = bytes.iter().rev().take(4).position(|byte| byte & 0xc0 != 0x80);
    let Some(back) = lead.map(|at| at + 1) else { return bytes.len() };
    let width = match bytes[bytes.len() - back] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    if width > back { bytes.len() - back } else { bytes.len() }
}

impl Source for Stdin {
    fn fd(&self) -> BorrowedFd<'_> {
        self.given.as_fd()
    }

    fn interest(&self) -> PollFlags {
        PollFlags::IN
    }

    fn ready(&mut self, revents: PollFlags, _now: Instant) {
        if !revents.is_empty() {
            self.fill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(format: InputFormat, chunks: &[&[u8]]) -> Vec<(Vec<u8>, u64, u64)> {
        let mut stdin = Stdin::new(format);
        let mut all = Vec::new();
        let mut take = |stdin: &mut Stdin| {
            while let Some(piece) = stdin.next_piece() {
                all.push((piece.bytes.to_vec(), piece.offset, piece.number));
            }
        };
        for chunk in chunks {
            stdin.buffer.truncate(stdin.end);
            stdin.buffer.extend_from_slice(chunk);
            stdin.end = stdin.buffer.len();
            take(&mut stdin);
        }
        stdin.eof = true;
        take(&mut stdin);
        assert!(stdin.is_exhausted());
        all
    }

    fn piece(bytes: &[u8], offset: u64, number: u64) -> (Vec<u8>, u64, u64) {
        (bytes.to_vec(), offset, number)
    }

    #[test]
    fn lines_at_every_split() {
        let input = b"one\r\n\ntwo\nlast";
        let expected =
            [piece(b"one", 0, 1), piece(b"", 5, 2), piece(b"two", 6, 3), piece(b"last", 10, 4)];
        for i in 0..input.len() {
            for j in i..input.len() {
                let got = split(InputFormat::Line, &[&input[..i], &input[i..j], &input[j..]]);
                assert_eq!(got, expected);
            }
        }
    }

    #[test]
    fn text_is_looked_for_in_every_message() {
        let input = b"\xc3\xbc\n\xff\nok\n\xc3\n\xbc\n\xe2\x82\xac";
        let expected = [true, false, true, false, false, true];
        for i in 0..=input.len() {
            let mut stdin = Stdin::new(InputFormat::Line);
            let mut all = Vec::new();
            for (chunk, eof) in [(&input[..i], false), (&input[i..], true)] {
                stdin.buffer.extend_from_slice(chunk);
                stdin.end = stdin.buffer.len();
                stdin.eof = eof;
                while let Some(message) = stdin.advance() {
                    all.push(stdin.is_text(&message));
                }
            }
            assert_eq!(all, expected, "split at {i}");
        }
    }

    #[test]
    fn raw_input_at_every_split_cuts_no_character() {
        let input = "aü€😀b\n".as_bytes();
        for (chunk, is_text) in
            [(None, true), (None, false), (Some(1), true), (Some(5), true), (Some(5), false)]
        {
            for i in 0..=input.len() {
                for j in i..=input.len() {
                    let mut stdin = Stdin::new(InputFormat::Raw).in_chunks(chunk, is_text);
                    let mut all: Vec<Vec<u8>> = Vec::new();
                    for (part, eof) in
                        [(&input[..i], false), (&input[i..j], false), (&input[j..], true)]
                    {
                        stdin.buffer.truncate(stdin.end);
                        stdin.buffer.extend_from_slice(part);
                        stdin.end = stdin.buffer.len();
                        stdin.eof = eof;
                        while let Some(message) = stdin.advance() {
                            assert!(!is_text || stdin.is_text(&message), "{chunk:?} {i} {j}");
                            all.push(stdin.piece(message).bytes.to_vec());
                        }
                    }
                    assert_eq!(all.concat(), input, "{chunk:?} {i} {j}");
                    if let (Some(chunk), false) = (chunk, is_text) {
                        let (last, others) = all.split_last().unwrap();
                        assert!(
                            others.iter().all(|message| message.len() == chunk)
                                && last.len() <= chunk
                        );
                    }
                }
            }
        }
        let mut broken = Stdin::new(InputFormat::Raw).in_chunks(None, true);
        broken.buffer.extend_from_slice(b"a\xe2\x82");
        (broken.end, broken.eof) = (3, false);
        assert_eq!((broken.advance(), broken.advance()), (Some(0..1), None));
        broken.eof = true;
        let message = broken.advance().unwrap();
        assert!(!broken.is_text(&message));
    }

    #[test]
    fn the_other_formats() {
        assert_eq!(
            split(InputFormat::Null, &[b"a\nb\0c\r\0"]),
            [piece(b"a\nb", 0, 1), piece(b"c\r", 4, 2)]
        );
        assert_eq!(split(InputFormat::Whole, &[b"a\n", b"b\n"]), [piece(b"a\nb\n", 0, 1)]);
        assert_eq!(split(InputFormat::Whole, &[b""]), []);
        assert_eq!(split(InputFormat::Line, &[b""]), []);
    }
}
