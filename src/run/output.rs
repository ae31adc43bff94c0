//! Standard output and standard error, written in batches without blocking the loop.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use rustix::fs::FileType;
use rustix::net::SendFlags;

use crate::event::{Event, Setting, Stamped};
use crate::report::{Needs, Reporter};
use crate::run::command::Screen;
use crate::sys::{self, Role};

/// Pieces of at least this many bytes are written without being copied first.
const DIRECT: usize = 32 << 10;

/// With this many bytes waiting the session stops reading the socket.
const CONGESTED: usize = 256 << 10;

/// A blocking pipe that poll reports writable accepts at least this many bytes (POSIX's PIPE_BUF).
const PIPE_BUF: usize = 512;

/// A view and its sink.
pub struct Output {
    reporter: Box<dyn Reporter>,
    needs: Needs,
    sink: Sink,
}

impl Output {
    /// A view that writes to a sink.
    pub fn new(reporter: Box<dyn Reporter>, sink: Sink) -> Output {
        Output { needs: reporter.needs(), reporter, sink }
    }

    /// Which events the view needs.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Shows an event; returns whether the output is now congested. [`Output::failure`] reports a
    /// failed write.
    #[inline]
    pub fn event(&mut self, event: &Stamped<'_>) -> bool {
        if !self.needs.need(event.event) {
            return false;
        }
        let _ = match &mut self.sink {
            Sink::Fd(sink) => self.reporter.event(event, sink),
            Sink::Screen(screen) => {
                match event.event {
                    // Most attempts succeed at once, and need no line.
                    Event::Attempt { .. } => {
                        let mut line = Vec::new();
                        let _ = self.reporter.event(event, &mut line);
                        screen.show_late(line);
                        return false;
                    }
                    Event::Opened { .. } => screen.set_connected(true),
                    Event::Closed { .. } => screen.set_connected(false),
                    _ => {}
                }
                self.reporter.event(event, screen)
            }
        };
        self.is_congested()
    }

    /// Changes how the view shows things from now on.
    pub fn set(&mut self, setting: Setting) {
        self.reporter.set(setting);
        self.needs = self.reporter.needs();
    }

    /// Tells a screen whether the session is reconnecting.
    pub fn set_waiting(&mut self, waiting: bool) {
        if let Sink::Screen(screen) = &mut self.sink {
            screen.set_waiting(waiting);
        }
    }

    /// Whether so many bytes wait that nothing more should be read.
    #[inline]
    pub fn is_congested(&self) -> bool {
        match &self.sink {
            Sink::Fd(sink) => sink.pending() >= CONGESTED,
            Sink::Screen(screen) => screen.pending() >= 4 * CONGESTED,
        }
    }

    /// Writes as much as possible without blocking.
    pub fn push(&mut self) {
        if let Sink::Fd(sink) = &mut self.sink {
            sink.push();
        }
    }

    /// The descriptor to poll for writing, if bytes wait.
    pub fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        match &self.sink {
            Sink::Fd(sink) if sink.pending() > 0 => Some(sink.fd()),
            _ => None,
        }
    }

    /// Whether no bytes wait for a descriptor; a screen has its own printer thread.
    pub fn is_drained(&self) -> bool {
        match &self.sink {
            Sink::Fd(sink) => sink.pending() == 0,
            Sink::Screen(_) => true,
        }
    }

    /// Waits until a screen has shown everything, for `patience` at most.
    pub fn drain_screen(&self, patience: Duration) {
        if let Sink::Screen(screen) = &self.sink {
            screen.drain(patience);
        }
    }

    /// Whether it goes to standard error.
    pub fn is_on_stderr(&self) -> bool {
        matches!(&self.sink, Sink::Fd(FdSink { channel: Channel::Stderr, .. }))
    }

    /// Why writing to the sink has failed, if it has.
    pub fn failure(&self) -> Option<(Channel, ErrorKind, &io::Error)> {
        match &self.sink {
            Sink::Fd(FdSink { failed: Some(e), channel, .. }) => Some((*channel, e.kind(), e)),
            _ => None,
        }
    }
}

/// The destination of a view's bytes.
pub enum Sink {
    /// A file descriptor.
    Fd(FdSink),
    /// The screen above the prompt.
    Screen(Box<dyn Screen>),
}

/// Which of the two standard outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
}

/// A file descriptor that is written without blocking.
///
/// O_NONBLOCK belongs to the open file, which may be shared with other processes, so it is never
/// set on the descriptor we inherit: a pipe or a terminal is reopened if the system allows it, a
/// socket is written with MSG_DONTWAIT, and otherwise small pieces are written when poll reports
/// the descriptor writable.
pub struct FdSink {
    fd: Box<dyn AsFd + Send>,
    channel: Channel,
    mode: WriteMode,
    buffer: Vec<u8>,
    done: usize,
    failed: Option<io::Error>,
}

#[derive(Clone, Copy, PartialEq)]
enum WriteMode {
    /// Never blocks for long (a file), or is non-blocking.
    Direct,
    /// This many bytes at most, and only when poll says writable.
    Polled(usize),
    /// `send` with MSG_DONTWAIT.
    Socket,
}

impl FdSink {
    /// The process's standard output.
    pub fn stdout() -> FdSink {
        FdSink::new(Channel::Stdout, io::stdout(), "/proc/self/fd/1")
    }

    /// The process's standard error.
    pub fn stderr() -> FdSink {
        FdSink::new(Channel::Stderr, io::stderr(), "/proc/self/fd/2")
    }

    fn new(channel: Channel, given: impl AsFd + Send + 'static, path: &str) -> FdSink {
        let file_type = rustix::fs::fstat(given.as_fd())
            .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode));
        let terminal = rustix::termios::isatty(given.as_fd());
        let (fd, mode): (Box<dyn AsFd + Send>, WriteMode) = match file_type {
            FileType::Socket => (Box::new(given), WriteMode::Socket),
            FileType::Fifo => match reopen(path) {
                Ok(own) => (Box::new(own), WriteMode::Direct),
                Err(_) => (Box::new(given), WriteMode::Polled(PIPE_BUF)),
            },
            FileType::CharacterDevice if terminal => match reopen(path) {
                Ok(own) => (Box::new(own), WriteMode::Direct),
                Err(_) => (Box::new(given), WriteMode::Polled(PIPE_BUF)),
            },
            _ => (Box::new(given), WriteMode::Direct),
        };
        FdSink { fd, channel, mode, buffer: Vec::new(), done: 0, failed: None }
    }

    /// The number of waiting bytes.
    #[inline]
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.done
    }

    /// The descriptor to poll for writing.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Removes the waiting bytes and returns them.
    pub fn take_back(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.buffer);
        rest.drain(..std::mem::take(&mut self.done));
        rest
    }

    /// Writes as much as possible without blocking.
    pub fn push(&mut self) {
        while self.pending() > 0 && self.failed.is_none() {
            let rest = self.buffer.get(self.done..).unwrap_or_default();
            match self.try_write(rest) {
                Ok(n) => self.done += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => self.failed = Some(e),
            }
        }
        if self.failed.is_some() || self.done == self.buffer.len() {
            self.buffer.clear();
            self.buffer.shrink_to(2 * CONGESTED);
            self.done = 0;
        } else if self.done > CONGESTED {
            self.buffer.drain(..self.done);
            self.done = 0;
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let role = match self.channel {
            Channel::Stderr => Role::Stderr,
            Channel::Stdout => Role::Stdout,
        };
        loop {
            let written = match self.mode {
                WriteMode::Direct => sys::write(role, &self.fd, bytes),
                WriteMode::Socket => {
                    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                    sys::send(role, &self.fd, bytes, flags)
                }
                WriteMode::Polled(max) => {
                    if !sys::is_writable(self.fd.as_fd()) {
                        return Err(ErrorKind::WouldBlock.into());
                    }
                    sys::write(role, &self.fd, bytes.get(..max).unwrap_or(bytes))
                }
            };
            match written {
                Ok(n) => return Ok(n),
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

impl Write for FdSink {
    /// Accepts everything; what the descriptor doesn't accept now is buffered.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed.is_some() {
            return Ok(bytes.len());
        }
        let mut rest = bytes;
        if bytes.len() >= DIRECT {
            self.push();
            while self.pending() == 0 && !rest.is_empty() {
                match self.try_write(rest) {
                    Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    Err(e) => {
                        self.failed = Some(e);
                        return Ok(bytes.len());
                    }
                }
            }
        }
        self.buffer.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut len = 0;
        for part in parts {
            len += part.len();
            if part.len() < DIRECT && self.failed.is_none() {
                self.buffer.extend_from_slice(part);
            } else {
                self.write_all(part)?;
            }
        }
        Ok(len)
    }

    /// [`Write::write`] always accepts everything.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes).map(drop)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push();
        Ok(())
    }
}

/// Opens the same pipe or terminal again, non-blocking.
fn reopen(path: &str) -> io::Result<std::fs::File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new().write(true).custom_flags(flags.bits() as i32).open(path)
}
