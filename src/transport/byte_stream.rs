//! What TLS needs of the stream below it. TLS is generic over it, since a
//! [`crate::transport::Stream`] may itself be TLS: so TLS can be read without it.

use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

/// A connected, non-blocking byte stream. The methods do what those of
/// [`crate::transport::Stream`] do.
pub(super) trait ByteStream {
    fn fd(&self) -> BorrowedFd<'_>;
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;
    fn has_buffered(&self) -> bool;
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
    fn flush(&mut self) -> io::Result<bool>;
    fn wants_write(&self) -> bool;
    fn shutdown_write(&mut self) -> io::Result<()>;
}
