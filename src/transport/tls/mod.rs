//! TLS: rustls driven by hand, so that alerts, close_notify and truncation stay visible.

mod client;
mod config;
mod explain;
mod info;
mod options;
mod pin;
mod provider;
mod trust;
mod verify;

use std::io::{self, IoSlice, Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustls::{ClientConnection, Connection, ServerConfig, ServerConnection};
use url::Host;

use crate::error::{Error, Exit, Hint, Result, Stage};
use crate::event::{Event, Level, TlsInfo, Unverified};
use crate::text::Untrusted;
use crate::transport::byte_stream::ByteStream;
use crate::transport::wait::Waiter;

pub use client::private_key;
pub use options::{Sni, TlsNames, TlsOptions, Versions};
pub use pin::Pins;
pub use provider::default_provider;

use client::Asked;
use config::Prepared;
use explain::HandshakeEvidence;
use verify::Verifier;

/// The client side of TLS, prepared before there is a connection so that errors show early.
pub(super) struct TlsClient(Prepared);

impl TlsClient {
    /// Loads trust anchors, certificate and key.
    ///
    /// # Errors
    /// Exit 2 for files that can't be read or used.
    pub(super) fn prepare(
        options: &TlsOptions,
        host: &Host<String>,
        waiter: &mut Waiter<'_>,
    ) -> Result<TlsClient> {
        config::prepare(options, host, waiter).map(TlsClient)
    }

    /// Does the handshake over `below`.
    ///
    /// # Errors
    /// Exit 5, 7 for an agreed protocol that is not HTTP/1.1, 11 at the deadline.
    pub(super) fn connect<B: ByteStream>(
        self,
        below: B,
        peer: &str,
        waiter: &mut Waiter<'_>,
    ) -> Result<TlsStream<B>> {
        let Prepared { config, name, sni, verifier, asked } = self.0;
        let mut connection = ClientConnection::new(config, name)
            .map_err(|e| explain::failure(&e, &HandshakeEvidence::of(peer)))?;
        connection.set_buffer_limit(Some(WRITE_LIMIT));
        let caller = Caller { peer: peer.to_owned(), sni, verifier, asked };
        let mut stream = TlsStream::over(below, connection.into(), Some(caller));
        stream.handshake(waiter)?;
        Ok(stream)
    }
}

/// The largest number of encrypted bytes that wait for the socket.
const WRITE_LIMIT: usize = 256 << 10;

/// The size of our reads from the socket, in bytes; rustls 0.23 asks for only 4 KiB at a time.
const READ_SIZE: usize = 64 << 10;

/// Bytes of the peer's first record that are kept to explain a failure.
const FIRST_BYTES: usize = 80;

/// A TLS connection over another stream.
pub(super) struct TlsStream<B> {
    connection: Connection,
    below: B,
    /// `None` where we are the server.
    caller: Option<Caller>,
    cipher: Cipher,
    /// Decrypted bytes that rustls holds.
    plain: usize,
    /// What ended the connection; reported after the data before it was read.
    failure: Option<io::Error>,
    /// The end was received and not returned by a read yet; a poll of the socket may not show it.
    end_pending: bool,
    closing: Closing,
    first: Vec<u8>,
}

/// The state that only a client has.
struct Caller {
    /// The server's host and port for messages, not escaped.
    peer: String,
    sni: Option<String>,
    verifier: Arc<Verifier>,
    /// Whether the server asked for a certificate, and whether we had one.
    asked: Arc<Asked>,
}

impl Caller {
    fn lacks_certificate(&self) -> bool {
        self.asked.asked.load(Ordering::Relaxed) && !self.asked.has
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Closing {
    No,
    /// close_notify is queued; FIN follows it.
    Queued,
    Done,
}

/// Bytes from the socket on their way to rustls.
#[derive(Default)]
struct Cipher {
    /// Empty until first needed, then [`READ_SIZE`] long.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Cipher {
    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }
}

impl Read for Cipher {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.waiting().read(buf)?;
        self.start += n;
        Ok(n)
    }
}

impl<B: ByteStream> TlsStream<B> {
    /// The server's side. The handshake takes place in reading and flushing.
    ///
    /// # Errors
    /// A configuration that rustls can't use.
    pub(super) fn accept(below: B, config: Arc<ServerConfig>) -> io::Result<TlsStream<B>> {
        let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
        connection.set_buffer_limit(Some(WRITE_LIMIT));
        Ok(TlsStream::over(below, connection.into(), None))
    }

    fn over(below: B, connection: Connection, caller: Option<Caller>) -> TlsStream<B> {
        TlsStream {
            connection,
            below,
            caller,
            cipher: Cipher::default(),
            plain: 0,
            failure: None,
            end_pending: false,
            closing: Closing::No,
            first: Vec::new(),
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.below.fd()
    }

    pub(super) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut got = 0;
        // A short read means that the socket is empty: another read would only cost a call.
        let mut drained = false;
        let end = loop {
            let Some(room) = buf.get_mut(got..).filter(|room| !room.is_empty()) else {
                return Ok(got);
            };
            match self.connection.reader().read(room) {
                Ok(0) => break Ok(0),
                Ok(n) => {
                    got += n;
                    self.plain = self.plain.saturating_sub(n);
                    continue;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break Err(truncated()),
            }
            if let Some(failure) = self.failure.take() {
                break Err(failure);
            }
            if drained && self.cipher.is_empty() {
                break Err(io::ErrorKind::WouldBlock.into());
            }
            match self.take_in() {
                Ok(taken) => drained |= taken == Taken::All,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break Err(e),
                Err(e) => self.failure = Some(e),
            }
        };
        match end {
            Err(e) if got > 0 => {
                // rustls remembers an end of the stream; we keep a failure.
                if !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::UnexpectedEof) {
                    self.failure = Some(e);
                }
                Ok(got)
            }
            Ok(_) if got > 0 => Ok(got),
            end => {
                self.end_pending &= matches!(&end, Err(e) if e.kind() == io::ErrorKind::WouldBlock);
                end
            }
        }
    }

    pub(super) fn has_buffered(&self) -> bool {
        self.plain > 0
            || self.end_pending
            || self.failure.is_some()
            || !self.cipher.is_empty()
            || self.below.has_buffered()
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            taken += self.connection.writer().write(rest)?;
            if !self.flush()? {
                break;
            }
        }
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(taken)
    }

    pub(super) fn flush(&mut self) -> io::Result<bool> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut Below(&mut self.below)) {
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.last_words().unwrap_or(e)),
            }
        }
        if !self.below.flush()? {
            return Ok(false);
        }
        if self.closing == Closing::Queued {
            self.closing = Closing::Done;
            self.below.shutdown_write()?;
        }
        Ok(true)
    }

    pub(super) fn wants_write(&self) -> bool {
        self.connection.wants_write() || self.below.wants_write()
    }

    pub(super) fn shutdown_write(&mut self) -> io::Result<()> {
        if self.closing == Closing::No {
            self.closing = Closing::Queued;
            self.connection.send_close_notify();
        }
        self.flush().map(drop)
    }

    pub(super) fn info(&self) -> TlsInfo {
        let (sni, unverified) = match (&self.caller, &self.connection) {
            (Some(caller), _) => (caller.sni.clone(), caller.verifier.passed()),
            (None, Connection::Server(server)) => (server.server_name().map(str::to_owned), None),
            (None, Connection::Client(_)) => (None, None),
        };
        info::read(&self.connection, sni, unverified)
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    pub(super) fn lacks_certificate(&self) -> bool {
        self.caller.as_ref().is_some_and(Caller::lacks_certificate)
    }

    pub(super) fn alpn(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// Whether close_notify was received: nothing may follow it (RFC 8446 §6.1), but rustls ignores
    /// one before the ServerHello.
    fn is_closed_early(&self) -> bool {
        const CLOSE_NOTIFY: [u8; 4] = [0, 2, 1, 0];
        let alert = self.first.first() == Some(&0x15);
        self.end_pending || (alert && self.first.get(3..7) == Some(&CLOSE_NOTIFY))
    }

    fn handshake(&mut self, waiter: &mut Waiter<'_>) -> Result<()> {
        let peer = self.caller.as_ref().map_or("the client", |caller| caller.peer.as_str());
        let what = format!("no end of the TLS handshake with {}", Untrusted::text(peer));
        while !self.step()? {
            waiter.stream(self.fd(), self.wants_write(), Stage::Tls, &what)?;
        }
        self.after_handshake(waiter)
    }

    /// Continues the handshake; true once it is done.
    fn step(&mut self) -> Result<bool> {
        loop {
            self.flush().map_err(|e| self.handshake_failed(&e))?;
            if self.connection.is_handshaking() && self.is_closed_early() {
                return Err(explain::closed(&self.evidence()));
            }
            if !self.connection.is_handshaking() {
                return Ok(true);
            }
            match self.take_in() {
                Ok(Taken::End) => return Err(explain::closed(&self.evidence())),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(self.handshake_failed(&e)),
            }
        }
    }

    /// Reports an ignored certificate failure, and refuses an unsupported ALPN protocol.
    fn after_handshake(&mut self, waiter: &mut Waiter<'_>) -> Result<()> {
        let passed = self.caller.as_ref().and_then(|caller| caller.verifier.passed());
        if let Some(Unverified { why, by }) = passed {
            let text = format!("certificate not trusted: {why}; going on because of {by}");
            waiter.progress.event(Event::Notice { level: Level::Warning, text: &text });
        }
        match self.alpn() {
            None | Some(b"http/1.1") => Ok(()),
            Some(other) => {
                let shown = Untrusted(other);
                let what = format!("the server chose \"{shown}\" by ALPN, not HTTP/1.1");
                Err(Error::new(Stage::Handshake, Exit::Handshake, what)
                    .cause("wstap opens WebSockets over HTTP/1.1 (RFC 6455), not over HTTP/2 or 3")
                    .hint(Hint::SpokenAlpn))
            }
        }
    }

    /// Decrypts received bytes; reads from the socket once if there are none.
    fn take_in(&mut self) -> io::Result<Taken> {
        let mut taken = Taken::Some;
        if self.cipher.is_empty() {
            taken = self.fill()?;
        }
        if taken == Taken::End {
            // An empty read tells rustls about the end.
            self.connection.read_tls(&mut io::empty())?;
            self.end_pending = true;
        } else {
            self.connection.read_tls(&mut self.cipher)?;
        }
        match self.connection.process_new_packets() {
            Ok(state) => {
                self.plain = state.plaintext_bytes_to_read();
                self.end_pending |= state.peer_has_closed();
                Ok(taken)
            }
            Err(e) => {
                // Send the alert that tells the peer why.
                while self.connection.wants_write()
                    && self.connection.write_tls(&mut Below(&mut self.below)).is_ok()
                {
                }
                let error = match self.caller {
                    Some(_) => explain::failure(&e, &self.evidence()),
                    None => explain::client_failure(&e),
                };
                Err(io::Error::new(io::ErrorKind::InvalidData, error))
            }
        }
    }

    fn fill(&mut self) -> io::Result<Taken> {
        if self.cipher.bytes.is_empty() {
            self.cipher.bytes = vec![0; READ_SIZE];
        }
        let n = self.below.read(&mut self.cipher.bytes)?;
        (self.cipher.start, self.cipher.end) = (0, n);
        if self.connection.is_handshaking() {
            let room = FIRST_BYTES.saturating_sub(self.first.len());
            self.first.extend(self.cipher.waiting().iter().take(room));
        }
        Ok(match n {
            0 => Taken::End,
            READ_SIZE => Taken::Some,
            _ => Taken::All,
        })
    }

    /// If the socket refuses writes, the server may have sent the reason before it closed.
    fn last_words(&mut self) -> Option<io::Error> {
        loop {
            match self.take_in() {
                Ok(Taken::End) => return None,
                Ok(_) => {}
                Err(e) => return tls_failure(&e).map(|_| e),
            }
        }
    }

    fn handshake_failed(&self, e: &io::Error) -> Error {
        tls_failure(e).unwrap_or_else(|| explain::lost(e, &self.evidence()))
    }

    fn evidence(&self) -> HandshakeEvidence<'_> {
        match &self.caller {
            Some(caller) => HandshakeEvidence {
                peer: &caller.peer,
                asked: caller.asked.asked.load(Ordering::Relaxed),
                has: caller.asked.has,
                first: &self.first,
                refused: caller.verifier.refused(),
            },
            None => HandshakeEvidence { first: &self.first, ..HandshakeEvidence::of("the client") },
        }
    }
}

/// The result of one read from the socket.
#[derive(Clone, Copy, PartialEq)]
enum Taken {
    /// Some bytes; the socket is empty now.
    All,
    /// The end.
    End,
    /// Some bytes; there may be more.
    Some,
}

fn truncated() -> io::Error {
    let text = "the connection ended without TLS's close_notify: what came may be cut short";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// A stream as the transport that rustls writes to.
struct Below<'a, B>(&'a mut B);

impl<B: ByteStream> Write for Below<'_, B> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The explanation of an error that TLS caused when a [`crate::transport::Stream`] was read or
/// written, such as a missing client certificate, which TLS 1.3 reports only after the handshake.
/// Exit 5.
pub fn tls_failure(error: &io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref::<Error>().cloned()
}
