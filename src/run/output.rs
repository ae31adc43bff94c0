//! Standard output, standard error and logs, written in batches without blocking the loop.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, OFlags};
use rustix::net::SendFlags;

use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Event, Setting, Stamped};
use crate::report::{Needs, Reporter};
use crate::run::screen::Screen;
use crate::sys::{self, Role};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::text::units::Took;

/// Pieces of at least this many bytes are written without being copied first.
const DIRECT: usize = 32 << 10;

/// With this many bytes waiting the session stops reading the socket.
const CONGESTED: usize = 256 << 10;

/// A blocking pipe that poll reports writable accepts at least this many bytes (POSIX's PIPE_BUF).
const PIPE_BUF: usize = 512;

/// How long a log may take nothing (a FIFO that nobody reads) before it has failed.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

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
        match &mut self.sink {
            Sink::Fd(sink) => {
                // `failure` keeps it.
                let _ = self.reporter.event(event, sink);
                sink.pending() >= CONGESTED
            }
            Sink::Screen(_) => self.on_screen(event),
        }
    }

    #[cold]
    fn on_screen(&mut self, event: &Stamped<'_>) -> bool {
        let Sink::Screen(screen) = &mut self.sink else { return false };
        match event.event {
            // Most attempts succeed at once, and need no line.
            Event::Attempt { .. } => {
                let mut line = Vec::new();
                let _ = self.reporter.event(event, &mut line);
                screen.show_late(line);
                return false;
            }
            // All its lines at once, before a person can type.
            Event::Opened { .. } => {
                let mut lines = Vec::new();
                let _ = self.reporter.event(event, &mut lines);
                screen.set_connected(true);
                let _ = screen.write_all(&lines);
            }
            event_kind => {
                if let Event::Closed { .. } = event_kind {
                    screen.set_connected(false);
                }
                let _ = self.reporter.event(event, screen);
            }
        }
        self.is_congested()
    }

    /// The view's settings.
    pub fn settings(&self) -> Vec<Setting> {
        self.reporter.settings()
    }

    /// Changes how the view shows things from now on.
    pub fn set(&mut self, setting: Setting) {
        if let (Sink::Screen(screen), Setting::Color(on)) = (&mut self.sink, setting) {
            screen.set_color(on);
        }
        self.reporter.set(setting);
        self.needs = self.reporter.needs();
    }

    /// Whether it is the screen above the prompt.
    pub fn is_screen(&self) -> bool {
        matches!(self.sink, Sink::Screen(_))
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
        self.channel() == Some(&Channel::Stderr)
    }

    /// Whether it goes to a file of its own.
    pub fn is_log(&self) -> bool {
        matches!(self.channel(), Some(Channel::Log(_)))
    }

    /// Whether it is the script of the session.
    pub fn is_recording(&self) -> bool {
        matches!(self.channel(), Some(Channel::Recording(_)))
    }

    /// When a log that takes nothing has failed.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.sink {
            Sink::Fd(sink) => Some(sink.stuck_since? + LOG_PATIENCE),
            Sink::Screen(_) => None,
        }
    }

    fn channel(&self) -> Option<&Channel> {
        match &self.sink {
            Sink::Fd(sink) => Some(&sink.channel),
            Sink::Screen(_) => None,
        }
    }

    /// Why writing to the sink has failed, if it has.
    pub fn failure(&self) -> Option<(&Channel, &io::Error)> {
        match &self.sink {
            Sink::Fd(FdSink { failed: Some(e), channel, .. }) => Some((channel, e)),
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

/// Where a descriptor leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A file with this name, escaped.
    Log(String),
    /// The script of the session in a file with this name, escaped.
    Recording(String),
    /// A report in a file with this name, escaped.
    Report(String),
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
    /// A log: since when bytes wait and none is taken.
    stuck_since: Option<Instant>,
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

    /// The end of this file, which is created if need be, for its owner alone.
    ///
    /// # Errors
    /// Exit 13: it can't be opened.
    pub fn log(path: &Path) -> Result<FdSink> {
        FdSink::file(path, OpenOptions::new().append(true), "the log", Channel::Log)
    }

    /// A new file, for its owner alone; what was in it before is gone.
    ///
    /// # Errors
    /// Exit 13: it can't be opened.
    pub fn recording(path: &Path) -> Result<FdSink> {
        let options = &mut OpenOptions::new();
        FdSink::file(path, options.write(true).truncate(true), "the recording", Channel::Recording)
    }

    /// A new file for a report; what was in it before is gone.
    ///
    /// # Errors
    /// Exit 13: it can't be opened.
    pub fn report(path: &Path) -> Result<FdSink> {
        let options = &mut OpenOptions::new();
        FdSink::file(path, options.write(true).truncate(true), "the report", Channel::Report)
    }

    fn file(
        path: &Path,
        options: &mut OpenOptions,
        what: &str,
        channel: fn(String) -> Channel,
    ) -> Result<FdSink> {
        let name = Untrusted::text(&path.to_string_lossy()).to_string();
        let opened = options
            .create(true)
            .mode(0o600)
            // A FIFO without a reader would block, now or later.
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
            .open(path);
        let file = opened.map_err(|e| {
            let why = match rustix::io::Errno::from_io_error(&e) {
                Some(rustix::io::Errno::NXIO) => "nobody reads it".to_owned(),
                Some(rustix::io::Errno::NOENT) => "there is no such folder".to_owned(),
                _ => reason(&e),
            };
            Error::new(Stage::Output, Exit::Local, format!("can't open {what} {name}: {why}"))
        })?;
        Ok(FdSink::with(channel(name), Box::new(file), WriteMode::Direct))
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
        FdSink::with(channel, fd, mode)
    }

    fn with(channel: Channel, fd: Box<dyn AsFd + Send>, mode: WriteMode) -> FdSink {
        FdSink { fd, channel, mode, buffer: Vec::new(), done: 0, stuck_since: None, failed: None }
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
        let before = self.pending();
        while self.pending() > 0 && self.failed.is_none() {
            let rest = self.buffer.get(self.done..).unwrap_or_default();
            match self.try_write(rest) {
                Ok(n) => self.done += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => self.failed = Some(e),
            }
        }
        if let Channel::Log(_) | Channel::Recording(_) = self.channel {
            self.note_progress(self.pending() < before);
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

    /// A log that takes nothing for long fails: it must not hold up the session for ever.
    fn note_progress(&mut self, progress: bool) {
        if self.pending() == 0 || progress {
            self.stuck_since = None;
        }
        if self.pending() > 0 {
            let now = Instant::now();
            let since = *self.stuck_since.get_or_insert(now);
            if now >= since + LOG_PATIENCE {
                let text = format!("it took nothing for {}", Took(LOG_PATIENCE));
                self.failed = Some(io::Error::new(ErrorKind::TimedOut, text));
            }
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let role = match self.channel {
            Channel::Log(_) | Channel::Recording(_) | Channel::Report(_) => Role::File,
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
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new().write(true).custom_flags(flags.bits() as i32).open(path)
}
