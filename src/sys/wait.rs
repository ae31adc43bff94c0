//! Waiting for descriptors, deadlines and interrupted calls.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::sys;

/// Waits until one of `fds` is ready or `until` is reached; without `until`, indefinitely. An
/// interrupted call returns with nothing ready.
pub fn wait(fds: &mut [PollFd<'_>], until: Option<Instant>) {
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    wait_for(fds, left);
}

/// As the function above, with a timeout instead of a deadline.
pub fn wait_for(fds: &mut [PollFd<'_>], patience: Option<Duration>) {
    let timeout = patience.map(|left| Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    });
    match sys::poll(fds, timeout.as_ref()) {
        // The caller's loop checks everything before it waits again.
        Ok(_) | Err(Errno::INTR) => {}
        Err(_) => fds.iter_mut().for_each(PollFd::clear_revents),
    }
}

/// Whether the descriptor is writable now.
pub fn is_writable(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::OUT)];
    wait_for(&mut fds, Some(Duration::ZERO));
    fds.iter().any(|fd| !fd.revents().is_empty())
}

/// Whether a read would return at once: with bytes, the end or an error.
pub fn is_readable(fd: &PollFd<'_>) -> bool {
    !fd.revents().difference(PollFlags::OUT).is_empty()
}

/// Whether the descriptor is ready or has an error.
pub fn is_ready(fd: &PollFd<'_>) -> bool {
    !fd.revents().is_empty()
}
