//! What wakes the loop besides its descriptors: signals and other threads.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use crate::error::Exit;
use crate::run::wake::Wake;

/// The descriptor that wakes a run.
pub enum Waking {
    /// Signals: a run without an editor.
    Signals(Signals),
    /// Another thread: the editor's, which handles signals itself, or one that stops a server.
    Editor(Wake),
}

impl Waking {
    /// The descriptor to poll.
    pub fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Waking::Signals(signals) => signals.delivery.get_read().as_fd(),
            Waking::Editor(wake) => wake.as_fd(),
        }
    }

    /// Reads what made the descriptor readable.
    pub fn ready(&mut self) {
        match self {
            Waking::Signals(signals) => signals.take(),
            Waking::Editor(wake) => wake.clear(),
        }
    }

    /// The exit code of the first signal since the last call, and how many signals there were.
    pub fn take_signals(&mut self) -> Option<(Exit, u32)> {
        match self {
            Waking::Signals(signals) => signals.seen.take(),
            Waking::Editor(_) => None,
        }
    }
}

/// Signals that ask us to end, delivered through a socket pair.
pub struct Signals {
    delivery: SignalDelivery<UnixStream, SignalOnly>,
    seen: Option<(Exit, u32)>,
}

impl Signals {
    /// Handles SIGINT, SIGTERM and SIGHUP from now on.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn new() -> io::Result<Signals> {
        Signals::of(&[SIGHUP, SIGINT, SIGTERM])
    }

    /// As [`Signals::new`], but without SIGHUP: under `nohup` a server must ignore it.
    ///
    /// # Errors
    /// As [`Signals::new`].
    pub fn without_hangup() -> io::Result<Signals> {
        Signals::of(&[SIGINT, SIGTERM])
    }

    fn of(wanted: &[i32]) -> io::Result<Signals> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let delivery = SignalDelivery::with_pipe(read, write, SignalOnly, wanted)?;
        Ok(Signals { delivery, seen: None })
    }

    fn take(&mut self) {
        for signal in self.delivery.pending() {
            let exit = if signal == SIGINT { Exit::Interrupted } else { Exit::Terminated };
            let (_, count) = self.seen.get_or_insert((exit, 0));
            *count += 1;
        }
    }
}
