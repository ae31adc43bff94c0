//! Accepting clients.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustls::ServerConfig;

use crate::event::{Event, Level};
use crate::run::{Source, Views};
use crate::text::system::reason;
use crate::transport::Stream;

/// Pause after a failed accept: most likely we are out of descriptors, and the listener would be
/// ready again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// The listening socket.
pub(super) struct Listener {
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    /// How many clients were accepted.
    accepted: u64,
    paused_until: Option<Instant>,
    stopped: bool,
    ready: bool,
}

impl Listener {
    pub(super) fn new(socket: TcpListener, tls: Option<Arc<ServerConfig>>) -> Listener {
        Listener { socket, tls, accepted: 0, paused_until: None, stopped: false, ready: false }
    }

    /// Accepts no more clients.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Accepts the waiting clients; `add` takes each with its number.
    pub(super) fn accept(
        &mut self,
        views: &mut Views,
        now: Instant,
        add: &mut dyn FnMut(u64, Stream),
    ) {
        while std::mem::take(&mut self.ready) {
            let failed = match self.socket.accept() {
                Ok((socket, peer)) => {
                    self.ready = true;
                    self.accepted += 1;
                    match self.stream(socket) {
                        Ok(stream) => {
                            views.set_client(Some(self.accepted));
                            let text = format!("connected from {peer}");
                            views.tell(&Event::Notice { level: Level::Detail, text: &text });
                            add(self.accepted, stream);
                            continue;
                        }
                        Err(error) => format!("{peer}: {}", reason(&error)),
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => {
                    let again = [ErrorKind::ConnectionAborted, ErrorKind::Interrupted];
                    self.ready = again.contains(&error.kind());
                    if self.ready {
                        continue;
                    }
                    self.paused_until = Some(now + PAUSE);
                    format!("can't accept a connection: {}", reason(&error))
                }
            };
            views.set_client(None);
            views.tell(&Event::Notice { level: Level::Warning, text: &failed });
        }
    }

    fn stream(&self, socket: TcpStream) -> io::Result<Stream> {
        match &self.tls {
            Some(config) => Stream::accept_tls(socket, config.clone()),
            None => Stream::from_tcp(socket),
        }
    }
}

impl Source for Listener {
    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn interest(&self) -> PollFlags {
        let accepts = !self.stopped && self.paused_until.is_none();
        if accepts { PollFlags::IN } else { PollFlags::empty() }
    }

    fn deadline(&self) -> Option<Instant> {
        self.paused_until
    }

    fn ready(&mut self, revents: PollFlags, now: Instant) {
        self.ready = !revents.is_empty();
        self.paused_until = self.paused_until.filter(|end| *end > now);
    }
}
