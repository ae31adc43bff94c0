//! A client's socket, with or without TLS, and the buffers between it and the protocol.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::SendFlags;
use rustls::{InvalidMessage, ServerConfig, ServerConnection};

use crate::sys::{self, Role};

/// Bytes on their way: tungstenite reads from and writes to this; it never blocks.
#[derive(Debug, Default)]
pub(super) struct Wire {
    /// From the client, not read yet.
    pub(super) incoming: Queue,
    /// To the client, not sent yet.
    pub(super) outgoing: Queue,
    /// Nothing comes after `incoming`.
    pub(super) ended: bool,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (mut bytes, ended) = (self.incoming.bytes(), self.ended);
        let count = bytes.read(buffer)?;
        if count == 0 && !ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.incoming.take(count);
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes pushed at the end and taken from the front.
#[derive(Debug, Default)]
pub(super) struct Queue {
    bytes: Vec<u8>,
    taken: usize,
}

impl Queue {
    /// What is in it.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Removes bytes from the front. What is left moves only once it is the smaller part, so each
    /// byte moves about once.
    pub(super) fn take(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.bytes.len());
        if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        if self.bytes.is_empty() && self.bytes.capacity() > 1 << 20 {
            self.bytes = Vec::new();
        }
    }
}

/// A non-blocking socket, perhaps with TLS over it.
#[derive(Debug)]
pub(super) struct Link {
    socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Link {
    /// Takes a socket that was just accepted.
    pub(super) fn new(socket: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Link> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let tls = match tls {
            Some(config) => Some(ServerConnection::new(config.clone()).map_err(io::Error::other)?),
            None => None,
        };
        Ok(Link { socket, tls: tls.map(Box::new) })
    }

    /// To poll it.
    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Whether it has bytes of its own to send: TLS handshakes and alerts.
    pub(super) fn is_sending(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Reads what there is, at most as much as `scratch` holds.
    ///
    /// # Errors
    /// If the connection broke, or the client doesn't speak TLS as it should.
    pub(super) fn receive(&mut self, scratch: &mut [u8], wire: &mut Wire) -> io::Result<()> {
        let count = match sys::read(Role::Socket, &self.socket, scratch) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        wire.ended |= count == 0;
        let mut bytes = scratch.get(..count).unwrap_or_default();
        let Some(tls) = &mut self.tls else {
            wire.incoming.push(bytes);
            return Ok(());
        };
        // It reads nothing any more after the client's close_notify.
        while !bytes.is_empty() && tls.read_tls(&mut bytes)? > 0 {
            let state = tls.process_new_packets().map_err(tls_error)?;
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            tls.reader().read_exact(&mut plain)?;
            wire.incoming.push(&plain);
            wire.ended |= state.peer_has_closed();
        }
        Ok(())
    }

    /// Sends what the socket takes; says how many bytes left `wire`.
    ///
    /// # Errors
    /// If the connection broke.
    pub(super) fn transmit(&mut self, wire: &mut Wire) -> io::Result<usize> {
        let before = wire.outgoing.len();
        let result = match &mut self.tls {
            None => send(Outgoing(&self.socket), &mut wire.outgoing),
            Some(tls) => send_tls(Outgoing(&self.socket), tls, &mut wire.outgoing),
        };
        match result {
            Err(error) if !is_harmless(&error) => Err(error),
            _ => Ok(before - wire.outgoing.len()),
        }
    }

    /// Says that nothing more will come; best effort, as the client may be gone.
    pub(super) fn finish(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut Outgoing(&self.socket));
        }
        let _ = self.socket.shutdown(Shutdown::Write);
    }
}

/// A socket as TLS writes to it.
struct Outgoing<'a>(&'a TcpStream);

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(sys::send(Role::Socket, self.0, bytes, SendFlags::NOSIGNAL)?)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(sys::write_vectored(Role::Socket, self.0, slices)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn send(mut socket: Outgoing<'_>, queue: &mut Queue) -> io::Result<()> {
    while !queue.is_empty() {
        let count = socket.write(queue.bytes())?;
        queue.take(count);
    }
    Ok(())
}

fn send_tls(
    mut socket: Outgoing<'_>,
    tls: &mut ServerConnection,
    queue: &mut Queue,
) -> io::Result<()> {
    loop {
        while tls.wants_write() {
            tls.write_tls(&mut socket)?;
        }
        // Before the handshake is done the writer takes no more than its limit.
        let count = tls.writer().write(queue.bytes())?;
        queue.take(count);
        if count == 0 {
            return Ok(());
        }
    }
}

fn tls_error(error: rustls::Error) -> io::Error {
    match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            io::Error::other("the client doesn't speak TLS (ws:// instead of wss://?)")
        }
        error => io::Error::other(format!("TLS: {error}")),
    }
}

fn is_harmless(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_gives_what_was_pushed() {
        let mut queue = Queue::default();
        let mut expected = std::collections::VecDeque::new();
        for step in 0..1000_usize {
            let bytes = vec![step as u8; step % 37];
            queue.push(&bytes);
            expected.extend(bytes);
            let count = (step % 31).min(expected.len());
            queue.take(count);
            expected.drain(..count);
            assert_eq!(queue.bytes(), expected.make_contiguous());
        }
    }
}
