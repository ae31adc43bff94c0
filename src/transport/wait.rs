//! Waits for descriptors, a deadline, a timer or an interruption in one poll.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::error::{Error, Exit, Hint, Limit, Result, Stage};
use crate::event::Event;
use crate::sys;
use crate::text::system::reason;

/// The caller's side of dialing: takes the events, and may interrupt.
pub trait Progress {
    /// Something happened.
    fn event(&mut self, event: Event<'_>);

    /// A descriptor that is readable when [`Progress::interrupted`] should be called; `None` if
    /// nothing interrupts.
    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The error to end with when dialing must end (Ctrl-C, SIGTERM, `/quit`). Must drain the
    /// descriptor, or the wait would spin.
    fn interrupted(&mut self) -> Option<Error> {
        None
    }

    /// Whether [`Event::TlsEstablished`] is shown (only then are certificates parsed for it), and
    /// [`Event::Judged`] of a handshake that kept every rule.
    fn wants_details(&self) -> bool {
        false
    }
}

/// Ignores the events, and never interrupts.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn event(&mut self, _event: Event<'_>) {}
}

/// What ended a wait.
#[derive(Debug, PartialEq)]
pub(super) enum Woken {
    /// Some descriptors are ready or have an error; one flag for each.
    Ready(Vec<bool>),
    /// The timer of this wait.
    Timer,
    /// The deadline of the whole dialing; the caller names what was awaited.
    Deadline,
}

/// The deadline and the interruptions of one dialing.
pub(super) struct Waiter<'a> {
    pub(super) progress: &'a mut dyn Progress,
    began: Instant,
    deadline: Option<Instant>,
}

impl<'a> Waiter<'a> {
    pub(super) fn new(progress: &'a mut dyn Progress, deadline: Option<Instant>) -> Waiter<'a> {
        Waiter { progress, began: Instant::now(), deadline }
    }

    /// Waits until a descriptor is ready, `timer` or the deadline.
    ///
    /// # Errors
    /// What `progress` says when it was interrupted.
    pub(super) fn wait(
        &mut self,
        fds: &[(BorrowedFd<'_>, PollFlags)],
        timer: Option<Instant>,
    ) -> Result<Woken> {
        loop {
            let now = Instant::now();
            if self.deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(Woken::Deadline);
            }
            if timer.is_some_and(|timer| timer <= now) {
                return Ok(Woken::Timer);
            }
            let until = timer.into_iter().chain(self.deadline).min();
            let timeout = until
                .and_then(|until| Timespec::try_from(until.saturating_duration_since(now)).ok());
            let (ready, interrupted) = {
                let mut polled: Vec<PollFd<'_>> =
                    fds.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
                let wake = self.progress.wake_fd();
                polled.extend(wake.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
                match sys::poll(&mut polled, timeout.as_ref()) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(e) => return Err(poll_failed(e)),
                }
                let mut ready: Vec<bool> =
                    polled.iter().map(|fd| !fd.revents().is_empty()).collect();
                let interrupted = wake.is_some() && ready.pop().unwrap_or_default();
                (ready, interrupted)
            };
            if interrupted && let Some(error) = self.progress.interrupted() {
                return Err(error);
            }
            if ready.contains(&true) {
                return Ok(Woken::Ready(ready));
            }
        }
    }

    /// Waits until a stream's socket can be read, or written if the stream `wants_write`.
    ///
    /// # Errors
    /// At the deadline: exit 11 with `stage` and `what` was awaited. When interrupted.
    pub(super) fn stream(
        &mut self,
        fd: BorrowedFd<'_>,
        wants_write: bool,
        stage: Stage,
        what: &str,
    ) -> Result<()> {
        let write = if wants_write { PollFlags::OUT } else { PollFlags::empty() };
        self.fd(fd, PollFlags::IN | write, stage, what)
    }

    /// Waits for one descriptor.
    ///
    /// # Errors
    /// As [`Waiter::stream`].
    pub(super) fn fd(
        &mut self,
        fd: BorrowedFd<'_>,
        flags: PollFlags,
        stage: Stage,
        what: &str,
    ) -> Result<()> {
        match self.wait(&[(fd, flags)], None)? {
            Woken::Ready(_) => Ok(()),
            Woken::Timer | Woken::Deadline => Err(self.timed_out(stage, what)),
        }
    }

    /// The error of a deadline that was reached while `what` was awaited.
    pub(super) fn timed_out(&self, stage: Stage, what: &str) -> Error {
        let limit = self.deadline.map(|d| d.saturating_duration_since(self.began));
        let within =
            limit.map(|limit| format!(" within {}", shown_limit(limit))).unwrap_or_default();
        Error::new(stage, Exit::Timeout, format!("{what}{within}"))
            .hint(Hint::MoreTime(Limit::ConnectTimeout))
    }
}

fn poll_failed(e: Errno) -> Error {
    Error::new(Stage::Connect, Exit::Local, "waiting for the network failed")
        .cause(reason(&e.into()))
}

/// A duration as typed. Some of it passed before the deadline was set, so it is rounded up to 10
/// ms, and to 100 ms from a second on.
pub fn shown_limit(limit: Duration) -> String {
    let ms = limit.as_millis();
    if ms < 1000 {
        return format!("{} ms", ms.div_ceil(10) * 10);
    }
    let tenths = ms.div_ceil(100);
    match tenths % 10 {
        0 => format!("{} s", tenths / 10),
        tenth => format!("{}.{tenth} s", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_typed() {
        for (ms, text) in [(499, "500 ms"), (9_999, "10 s"), (1_500, "1.5 s"), (999, "1000 ms")] {
            assert_eq!(shown_limit(Duration::from_millis(ms)), text);
        }
    }
}
