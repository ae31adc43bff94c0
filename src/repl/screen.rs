//! The text above the prompt: a queue that never blocks, and the thread that shows it.
//!
//! The session writes and goes on; it looks at [`Screen::pending`] and stops reading its socket
//! while too much waits, so that nothing is left out. The printer hands the text to the editor in
//! pieces of whole lines, and only while the editor reads.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use memchr::{memchr_iter, memrchr};
use rustix::event::{PollFd, PollFlags};
use rustyline::ExternalPrinter;

use super::control::Control;
use crate::run::output::FdSink;
use crate::run::screen::Screen;
use crate::run::wake::Waker;
use crate::sys;

/// The largest piece for the editor, in bytes: it reads the keyboard between two pieces.
const PIECE: usize = 32 << 10;
/// The smallest piece, for slow terminals, in bytes.
const SMALL_PIECE: usize = 512;
/// A piece that takes longer is too large: a key must echo within 50 ms.
const SLOW: Duration = Duration::from_millis(20);
/// Text that arrives within this time after a piece is shown together.
const PACE: Duration = Duration::from_millis(16);
/// How long the session must have nothing to say before a late line is shown.
const LATE: Duration = Duration::from_millis(250);
/// The session is woken when fewer bytes than this wait: half of the mark at which it stops
/// reading.
const LOW: usize = 512 << 10;
/// The most bytes to hold: a single message may exceed the session's own bound.
const MOST: usize = 64 << 20;
/// How long the terminal may take for the last line.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(50);
/// Shows nothing: up a line and down again. Once the editor has accepted it, the piece before is on
/// the terminal.
const NOTHING: &str = "\x1b[A\n";

/// The text that waits to be shown.
#[derive(Debug)]
pub(super) struct TextQueue {
    text: Mutex<Text>,
    changed: Condvar,
    color: AtomicBool,
    connected: AtomicBool,
    waiting: AtomicBool,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Text {
    /// Pieces of whole lines.
    pieces: VecDeque<Vec<u8>>,
    /// The newest text, shorter than a piece.
    open: Vec<u8>,
    /// Bytes in both and in the piece being shown.
    pending: usize,
    /// A line for when nothing else is written before that time.
    late: Option<(Instant, Vec<u8>)>,
    /// Lines dropped because the queue was full.
    skipped: usize,
    /// The printer must end.
    closed: bool,
    /// The waiting text will not be shown.
    abandoned: bool,
}

impl TextQueue {
    /// An empty queue; the waker is the session's.
    pub(super) fn new(waker: Waker, color: bool) -> TextQueue {
        TextQueue {
            text: Mutex::default(),
            changed: Condvar::new(),
            color: AtomicBool::new(color),
            connected: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
            waker,
        }
    }

    /// Appends text. Never blocks.
    pub(super) fn push(&self, bytes: &[u8]) {
        self.lock().push(bytes);
        self.changed.notify_all();
    }

    /// Whether the prompt uses colours.
    pub(super) fn has_color(&self) -> bool {
        self.color.load(Ordering::Relaxed)
    }

    /// Whether the connection is open, for the prompt.
    pub(super) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Whether the session is waiting to reconnect; reading this resets it.
    pub(super) fn take_waiting(&self) -> bool {
        self.waiting.swap(false, Ordering::Relaxed)
    }

    /// The next piece, once there is one; `None` when the queue is closed.
    fn next(&self, limit: usize) -> Option<Vec<u8>> {
        let mut text = self.lock();
        loop {
            if text.closed {
                return None;
            }
            let late = text.late_in();
            if let Some(piece) = text.take(limit) {
                return Some(piece);
            }
            text = match late {
                Some(wait) => {
                    let waited = self.changed.wait_timeout(text, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(text).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Counts `len` bytes as shown; wakes the session when the queue falls below [`LOW`].
    fn shown(&self, len: usize) {
        let mut text = self.lock();
        let before = text.pending;
        text.pending -= len;
        if before >= LOW && text.pending < LOW {
            self.waker.wake();
        }
        self.changed.notify_all();
    }

    /// Waits for more text, unless a whole piece is ready.
    fn pace(&self) {
        let text = self.lock();
        if text.pieces.is_empty() && !text.closed {
            let wait = |text: &mut Text| text.pieces.is_empty() && !text.closed;
            let _ = self.changed.wait_timeout_while(text, PACE, wait);
        }
    }

    /// Closes the queue, which ends the printer.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Writes the waiting text to the terminal without blocking, for when no editor reads. The
    /// `last` call ends an unfinished line with a newline.
    pub(super) fn show(&self, terminal: &mut FdSink, last: bool) {
        terminal.push();
        while terminal.pending() == 0 {
            let mut text = self.lock();
            if last && !text.open.is_empty() && !text.open.ends_with(b"\n") {
                text.push(b"\n");
            }
            let Some(piece) = text.take(PIECE) else {
                return;
            };
            drop(text);
            // If the terminal is gone, nothing can be shown.
            let _ = terminal.write_all(&piece);
            terminal.push();
            self.shown(piece.len());
        }
    }

    /// Puts a piece that was not shown back at the front.
    pub(super) fn put_back(&self, piece: Vec<u8>) {
        self.lock().pieces.push_front(piece);
    }

    /// Gives up showing text, so that [`Screen::drain`] doesn't wait for it.
    pub(super) fn abandon(&self) {
        self.lock().abandoned = true;
        self.changed.notify_all();
    }

    /// Writes how many lines were not shown, if the terminal takes that within [`LAST_WORDS`].
    pub(super) fn tell_unshown(&self, terminal: &mut FdSink) {
        let lines = |bytes: &[u8]| memchr_iter(b'\n', bytes).count();
        let begun = terminal.take_back();
        let text = self.lock();
        let waiting = text.pieces.iter().map(|piece| lines(piece)).sum::<usize>();
        let count = lines(&begun) + waiting + lines(&text.open) + text.skipped;
        drop(text);
        if count > 0 {
            let newline = if begun.is_empty() { "" } else { "\n" };
            let _ = writeln!(terminal, "{newline}* {count} lines were not shown");
            push_for(terminal, LAST_WORDS);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Text> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Text {
    /// The time until the late line is due; appends it once it is.
    fn late_in(&mut self) -> Option<Duration> {
        let (due, _) = self.late.as_ref()?;
        let wait = due.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            let (_, line) = self.late.take()?;
            self.push(&line);
            return None;
        }
        Some(wait)
    }

    fn push(&mut self, mut bytes: &[u8]) {
        if self.skipped > 0 || self.pending + bytes.len() > MOST {
            self.skipped += memchr_iter(b'\n', bytes).count();
            return;
        }
        self.pending += bytes.len();
        while !bytes.is_empty() {
            let (fits, rest) = bytes.split_at(bytes.len().min(PIECE - self.open.len()));
            self.open.extend_from_slice(fits);
            bytes = rest;
            if self.open.len() == PIECE {
                let rest = self.open.split_off(cut(&self.open));
                self.pieces.push_back(std::mem::replace(&mut self.open, rest));
            }
        }
    }

    /// Notes how many lines were dropped, once all before them are shown.
    fn tell_skipped(&mut self) {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            let newline = if self.open.is_empty() { "" } else { "\n" };
            let note = format!("{newline}* {skipped} lines were too much for the screen\n");
            self.push(note.as_bytes());
        }
    }

    /// Takes whole lines, at most `limit` bytes.
    fn take(&mut self, limit: usize) -> Option<Vec<u8>> {
        if self.pieces.is_empty() {
            self.tell_skipped();
        }
        let mut piece = match self.pieces.pop_front() {
            Some(piece) => piece,
            None => {
                let end = memrchr(b'\n', &self.open)? + 1;
                let rest = self.open.split_off(end);
                std::mem::replace(&mut self.open, rest)
            }
        };
        if piece.len() > limit {
            let rest = piece.split_off(cut(&piece[..limit]));
            self.pieces.push_front(rest);
        }
        Some(piece)
    }
}

/// Writes pending bytes until none are left or `patience` is over.
pub(super) fn push_for(terminal: &mut FdSink, patience: Duration) {
    let until = Instant::now() + patience;
    terminal.push();
    while terminal.pending() > 0 && Instant::now() < until {
        sys::wait(&mut [PollFd::from_borrowed_fd(terminal.fd(), PollFlags::OUT)], Some(until));
        terminal.push();
    }
}

/// Where to cut: after the last newline; in a line without one, between two characters.
fn cut(full: &[u8]) -> usize {
    if let Some(newline) = memrchr(b'\n', full) {
        return newline + 1;
    }
    let begins_character = |&at: &usize| full[at] & 0xc0 != 0x80;
    let last = full.len().saturating_sub(4)..full.len();
    last.rev().find(begins_character).filter(|&at| at > 0).unwrap_or(full.len())
}

/// The session's end of the queue.
#[derive(Debug)]
pub(super) struct QueueScreen(pub(super) Arc<TextQueue>);

impl Write for QueueScreen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().late = None;
        self.0.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen for QueueScreen {
    fn pending(&self) -> usize {
        self.0.lock().pending
    }

    fn drain(&self, patience: Duration) {
        let text = self.0.lock();
        let waiting = |text: &mut Text| {
            !text.abandoned && (text.pending > text.open.len() || text.open.contains(&b'\n'))
        };
        let _ = self.0.changed.wait_timeout_while(text, patience, waiting);
    }

    fn show_late(&mut self, line: Vec<u8>) {
        self.0.lock().late = Some((Instant::now() + LATE, line));
        self.0.changed.notify_all();
    }

    fn set_color(&mut self, on: bool) {
        self.0.color.store(on, Ordering::Relaxed);
    }

    fn set_connected(&mut self, connected: bool) {
        self.0.connected.store(connected, Ordering::Relaxed);
    }

    fn set_waiting(&mut self, waiting: bool) {
        self.0.waiting.store(waiting, Ordering::Relaxed);
    }
}

/// The thread that shows the queue through the editor.
#[derive(Debug)]
pub(super) struct Printer<P> {
    /// The editor's.
    pub(super) editor: P,
    /// Where the text comes from.
    pub(super) queue: Arc<TextQueue>,
    /// When it may print.
    pub(super) control: Arc<Control>,
}

impl<P: ExternalPrinter> Printer<P> {
    /// Shows text until the queue is closed or the editor is gone; returns the piece that it could
    /// not show.
    pub(super) fn run(mut self) -> Option<Vec<u8>> {
        let mut limit = SMALL_PIECE;
        while let Some(piece) = self.queue.next(limit) {
            let begun = self.control.begin_print().then(Instant::now);
            let text = String::from_utf8_lossy(&piece).into_owned();
            let shown = begun.is_some() && self.editor.print(text).is_ok() && self.confirm();
            self.control.end_print();
            let Some(begun) = begun.filter(|_| shown) else {
                return Some(piece);
            };
            limit = match begun.elapsed() > SLOW {
                true => (limit / 2).max(SMALL_PIECE),
                false => (limit * 2).min(PIECE),
            };
            self.queue.shown(piece.len());
            self.queue.pace();
        }
        None
    }

    /// Waits until the editor has shown the piece: it holds one text at most, so this one is
    /// accepted only then.
    fn confirm(&mut self) -> bool {
        self.editor.print(NOTHING.to_owned()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::wake::Wake;

    fn queue() -> (Arc<TextQueue>, Wake) {
        let (waker, wake) = Wake::pair().unwrap();
        (Arc::new(TextQueue::new(waker, false)), wake)
    }

    #[test]
    fn only_whole_lines_are_taken() {
        let mut text = Text::default();
        text.push(b"one\ntwo");
        assert_eq!(text.take(PIECE).unwrap(), b"one\n");
        assert_eq!(text.take(PIECE), None);
        text.push(b"\n");
        assert_eq!(text.take(PIECE).unwrap(), b"two\n");
    }

    #[test]
    fn pieces_are_small_and_nothing_is_lost() {
        let mut text = Text::default();
        let all: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
        all.as_bytes().chunks(777).for_each(|chunk| text.push(chunk));
        let mut seen = Vec::new();
        for limit in [PIECE, SMALL_PIECE].into_iter().cycle() {
            let Some(piece) = text.take(limit) else { break };
            assert!(piece.len() <= limit && piece.ends_with(b"\n"));
            seen.extend(piece);
        }
        assert_eq!(seen, all.as_bytes());
    }

    #[test]
    fn a_line_without_end_is_cut_between_characters() {
        let mut text = Text::default();
        let long = "a€".repeat(PIECE);
        text.push(long.as_bytes());
        text.push(b"\n");
        let mut seen = String::new();
        while let Some(piece) = text.take(PIECE) {
            seen.push_str(std::str::from_utf8(&piece).unwrap());
        }
        assert_eq!(seen, long + "\n");
    }

    #[test]
    fn what_is_too_much_is_counted_and_told() {
        let mut text = Text::default();
        text.push(&vec![b'x'; MOST]);
        text.push(b"lost\nlost\n");
        text.push(b"lost\n");
        let mut last = Vec::new();
        while let Some(piece) = text.take(PIECE) {
            text.pending -= piece.len();
            last = piece;
        }
        assert!(last.ends_with(b"\n* 3 lines were too much for the screen\n"));
        text.push(b"next\n");
        assert_eq!(text.take(PIECE).unwrap(), b"next\n");
    }

    #[test]
    fn the_session_is_woken_once_half_is_shown() {
        let (queue, wake) = queue();
        let screen = QueueScreen(queue.clone());
        queue.push(&b"x\n".repeat(LOW));
        assert_eq!(screen.pending(), 2 * LOW);
        let woken = || {
            let mut byte = [0];
            rustix::io::read(&wake, &mut byte).is_ok()
        };
        queue.shown(LOW);
        assert!(!woken());
        queue.shown(1);
        assert!(woken());
        queue.shown(1);
        assert!(!woken());
    }

    #[test]
    fn draining_ends_with_its_patience() {
        let (queue, _wake) = queue();
        let screen = QueueScreen(queue.clone());
        queue.push(b"unfinished");
        screen.drain(Duration::from_secs(60));
        queue.push(b" line\n");
        screen.drain(Duration::from_millis(1));
        assert_eq!(screen.pending(), 16);
    }
}
