//! The byte stream under a connection: TCP, a Unix socket, or TLS over one of them (or over TLS,
//! through an `https://` proxy). Never blocks; the owner polls [`Stream::fd`].

use std::fmt;
use std::io::{self, IoSlice};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::SendFlags;
use rustls::ServerConfig;

use crate::event::TlsInfo;
use crate::sys::{self, Role};
use crate::transport::byte_stream::ByteStream;
use crate::transport::tls::TlsStream;

/// A write to a closed connection is an error, not a signal.
const NOSIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// A connected, non-blocking byte stream.
pub struct Stream {
    socket: Socket,
    /// Bytes received after a proxy's answer; they belong to the target's stream.
    early: Vec<u8>,
}

enum Socket {
    Tcp(TcpStream),
    Tls(Box<TlsStream<Stream>>),
    Unix(UnixStream),
}

impl Stream {
    /// A stream over a TCP socket, made non-blocking and without Nagle's delay.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn from_tcp(socket: TcpStream) -> io::Result<Stream> {
        socket.set_nonblocking(true)?;
        // Fails if the peer has already reset the connection; reading reports that better.
        let _ = socket.set_nodelay(true);
        Ok(Stream { socket: Socket::Tcp(socket), early: Vec::new() })
    }

    /// A stream over a TCP socket, made non-blocking, on which we are TLS's server. The handshake
    /// takes place in [`Stream::read`] and [`Stream::flush`].
    ///
    /// # Errors
    /// Those of the operating system, and a configuration that rustls can't use.
    pub fn accept_tls(socket: TcpStream, config: Arc<ServerConfig>) -> io::Result<Stream> {
        Ok(Stream::from_tls(TlsStream::accept(Stream::from_tcp(socket)?, config)?))
    }

    /// A stream over a Unix socket, made non-blocking.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn from_unix(socket: UnixStream) -> io::Result<Stream> {
        socket.set_nonblocking(true)?;
        Ok(Stream { socket: Socket::Unix(socket), early: Vec::new() })
    }

    pub(super) fn from_tls(tls: TlsStream<Stream>) -> Stream {
        Stream { socket: Socket::Tls(Box::new(tls)), early: Vec::new() }
    }

    /// Puts bytes back in front of what will be read.
    pub(super) fn unread(&mut self, bytes: Vec<u8>) {
        self.early = bytes;
    }

    /// The socket. Readable: call [`Stream::read`]; writable, if [`Stream::wants_write`]: call
    /// [`Stream::flush`].
    pub fn fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(socket) => socket.as_fd(),
            Socket::Tls(tls) => tls.fd(),
            Socket::Unix(socket) => socket.as_fd(),
        }
    }

    /// Reads (decrypted) bytes; 0 is the orderly end: FIN, and over TLS close_notify.
    ///
    /// Over TLS it fills `buf` as far as bytes are there; a poll can't see what is left behind:
    /// ask [`Stream::has_buffered`].
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing now; `UnexpectedEof` when TLS ended without close_notify
    /// (truncation, RFC 8446 §6.1); a TLS failure, which [`crate::transport::tls_failure`]
    /// explains; those of the operating system.
    pub fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.early.is_empty() {
            let n = self.early.len().min(buf.len());
            buf.iter_mut().zip(self.early.drain(..n)).for_each(|(to, from)| *to = from);
            return Ok(n);
        }
        loop {
            let result = match &mut self.socket {
                Socket::Tcp(socket) => sys::read(Role::Socket, socket, buf),
                Socket::Tls(tls) => return tls.read(buf),
                Socket::Unix(socket) => sys::read(Role::Socket, socket, buf),
            };
            match result {
                Err(Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Whether a read would give something (bytes, the end or an error) that a poll of the socket
    /// can't see.
    pub fn has_buffered(&self) -> bool {
        !self.early.is_empty()
            || match &self.socket {
                Socket::Tls(tls) => tls.has_buffered(),
                Socket::Tcp(_) | Socket::Unix(_) => false,
            }
    }

    /// Takes bytes and sends as many as the socket accepts. Over TLS up to 256 KiB may stay
    /// buffered, encrypted: call [`Stream::flush`] when the socket is writable again.
    ///
    /// # Errors
    /// `WouldBlock` when nothing was taken; as [`Stream::read`].
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let result = match &mut self.socket {
                Socket::Tcp(socket) => sys::send(Role::Socket, socket, bytes, NOSIGNAL),
                Socket::Tls(tls) => return tls.write(bytes),
                Socket::Unix(socket) => sys::send(Role::Socket, socket, bytes, NOSIGNAL),
            };
            match result {
                Err(Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Sends the buffered bytes; true once the buffer is empty.
    ///
    /// # Errors
    /// As [`Stream::write`], but never `WouldBlock`.
    pub fn flush(&mut self) -> io::Result<bool> {
        match &mut self.socket {
            Socket::Tls(tls) => tls.flush(),
            Socket::Tcp(_) | Socket::Unix(_) => Ok(true),
        }
    }

    /// Whether encrypted bytes wait for the socket.
    pub fn wants_write(&self) -> bool {
        match &self.socket {
            Socket::Tls(tls) => tls.wants_write(),
            Socket::Tcp(_) | Socket::Unix(_) => false,
        }
    }

    /// Ends our direction: close_notify over TLS, then FIN. If the socket is full, the rest happens
    /// in [`Stream::flush`].
    ///
    /// # Errors
    /// As [`Stream::write`].
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Write),
            Socket::Tls(tls) => tls.shutdown_write(),
            Socket::Unix(socket) => socket.shutdown(Shutdown::Write),
        }
    }

    /// What TLS agreed on, certificates parsed now; `None` without TLS.
    pub fn tls_info(&self) -> Option<TlsInfo> {
        match &self.socket {
            Socket::Tls(tls) => Some(tls.info()),
            Socket::Tcp(_) | Socket::Unix(_) => None,
        }
    }

    /// Whether the TLS handshake isn't done yet, so that no data can have arrived.
    pub fn is_handshaking(&self) -> bool {
        matches!(&self.socket, Socket::Tls(tls) if tls.is_handshaking())
    }

    /// Whether the server asked for a client certificate and got none. Some servers go on, and then
    /// refuse the request.
    pub fn lacks_certificate(&self) -> bool {
        matches!(&self.socket, Socket::Tls(tls) if tls.lacks_certificate())
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.socket {
            Socket::Tcp(_) => "Tcp",
            Socket::Tls(_) => "Tls",
            Socket::Unix(_) => "Unix",
        };
        f.debug_struct("Stream").field("kind", &kind).field("fd", &self.fd()).finish()
    }
}

/// TLS can go over any stream, TLS itself included.
impl ByteStream for Stream {
    fn fd(&self) -> BorrowedFd<'_> {
        Stream::fd(self)
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Stream::read(self, buf)
    }

    fn has_buffered(&self) -> bool {
        Stream::has_buffered(self)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            let result = match &mut self.socket {
                Socket::Tcp(socket) => sys::write_vectored(Role::Socket, socket, slices),
                Socket::Unix(socket) => sys::write_vectored(Role::Socket, socket, slices),
                Socket::Tls(_) => {
                    return match slices.iter().find(|slice| !slice.is_empty()) {
                        Some(slice) => self.write(slice),
                        None => Ok(0),
                    };
                }
            };
            match result {
                Err(Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<bool> {
        Stream::flush(self)
    }

    fn wants_write(&self) -> bool {
        Stream::wants_write(self)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Stream::shutdown_write(self)
    }
}
