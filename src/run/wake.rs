//! Wakes the loop from another thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use crate::sys::{self, Role};

/// Wakes the session's loop from another thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// Wakes the loop for one turn. Never blocks: a full pipe wakes as well as one byte.
    pub fn wake(&self) {
        while sys::write(Role::Wake, &*self.0, &[1]) == Err(Errno::INTR) {}
    }
}

/// The reading end, which a loop polls.
#[derive(Debug)]
pub struct Wake(OwnedFd);

impl Wake {
    /// A waker and its reading end.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn pair() -> io::Result<(Waker, Wake)> {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok((Waker(Arc::new(write)), Wake(read)))
    }

    /// Reads and discards what wakers have written.
    pub fn clear(&self) {
        let mut sink = [0; 64];
        while sys::read(Role::Wake, &self.0, &mut sink).is_ok_and(|n| n == sink.len()) {}
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
