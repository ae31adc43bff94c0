//! The seam: all our calls that read, write or wait are made here.
//!
//! In a release build each function is just its system call. With debug assertions a test can make
//! any of the calls fail (see `sys/torture.rs`), to check how each failure is handled.
//!
//! Calls by libraries don't pass through here: rustyline reads keys and draws the line,
//! clap prints its help, rustls writes the key log, signal-hook reads its socket pair, the system's
//! resolver asks its servers.

mod call;
#[cfg(debug_assertions)]
mod torture;
mod wait;

pub use call::Role;
pub use wait::{is_readable, is_ready, is_writable, wait, wait_for};

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::{Errno, Result};
use rustix::net::SendFlags;
use socket2::{SockAddr, Socket};

use call::Call;

/// `read(2)`.
///
/// # Errors
/// Those of the operating system.
#[inline]
pub fn read(role: Role, fd: impl AsFd, buf: &mut [u8]) -> Result<usize> {
    let most = allowed(Call::Read, role, buf.len())?;
    rustix::io::read(fd, buf.get_mut(..most).unwrap_or_default())
}

/// `write(2)`.
///
/// # Errors
/// Those of the operating system.
#[inline]
pub fn write(role: Role, fd: impl AsFd, bytes: &[u8]) -> Result<usize> {
    let most = allowed(Call::Write, role, bytes.len())?;
    rustix::io::write(fd, bytes.get(..most).unwrap_or_default())
}

/// `send(2)`.
///
/// # Errors
/// Those of the operating system.
#[inline]
pub fn send(role: Role, fd: impl AsFd, bytes: &[u8], flags: SendFlags) -> Result<usize> {
    let most = allowed(Call::Write, role, bytes.len())?;
    rustix::net::send(fd, bytes.get(..most).unwrap_or_default(), flags)
}

/// `writev(2)`.
///
/// # Errors
/// Those of the operating system.
#[inline]
pub fn write_vectored(role: Role, fd: impl AsFd, slices: &[IoSlice<'_>]) -> Result<usize> {
    let all = slices.iter().map(|slice| slice.len()).sum();
    let most = allowed(Call::Write, role, all)?;
    if most == all {
        return rustix::io::writev(fd, slices);
    }
    let some = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
    rustix::io::write(fd, some.get(..most).unwrap_or(some))
}

/// `poll(2)`.
///
/// # Errors
/// Those of the operating system.
#[inline]
pub fn poll(fds: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> Result<usize> {
    allowed(Call::Poll, Role::Wake, 0)?;
    rustix::event::poll(fds, timeout)
}

/// `connect(2)`. An interrupted one continues in the background (POSIX).
///
/// # Errors
/// Those of the operating system.
#[inline]
pub fn connect(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    let connected = socket.connect(address);
    allowed(Call::Connect, Role::Socket, 0)?;
    connected
}

/// Reads a whole file.
///
/// # Errors
/// Those of the operating system.
pub fn read_file(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Blocking(Role::File, File::open(path)?).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Gives standard input back: it becomes `/dev/null`. A FIFO then has one reader less, so that its
/// next writer waits for another or is told, and doesn't write to nobody.
pub fn release_stdin() {
    // Without it standard input just stays open.
    if let Ok(null) = File::open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(null);
    }
}

/// Blocking reads and writes on a descriptor, which may be non-blocking because a process that
/// shares it made it so.
#[derive(Debug)]
pub struct Blocking<F>(pub Role, pub F);

impl<F: AsFd> Blocking<F> {
    fn wait(&self, flags: PollFlags) {
        // The next call reports any failure.
        let _ = poll(&mut [PollFd::new(&self.1, flags)], None);
    }
}

impl<F: AsFd> Read for Blocking<F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match read(self.0, &self.1, buf) {
                Err(Errno::AGAIN) => self.wait(PollFlags::IN),
                Err(Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }
}

impl<F: AsFd> Write for Blocking<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match write(self.0, &self.1, bytes) {
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT),
                Err(Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a line to standard error, and ignores failures.
pub fn complain(line: std::fmt::Arguments<'_>) {
    let text = format!("{line}\n");
    let _ = Blocking(Role::Stderr, io::stderr()).write_all(text.as_bytes());
}

/// Writes a text to standard output; a reader that closed the pipe is no failure.
///
/// # Errors
/// Those of the operating system.
pub fn print(text: &[u8]) -> io::Result<()> {
    match Blocking(Role::Stdout, io::stdout()).write_all(text) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// How many of `len` bytes a call may move.
#[cfg(debug_assertions)]
fn allowed(call: Call, role: Role, len: usize) -> Result<usize> {
    torture::allowed(call, role, len)
}

#[cfg(not(debug_assertions))]
#[inline(always)]
fn allowed(_: Call, _: Role, len: usize) -> Result<usize> {
    Ok(len)
}
