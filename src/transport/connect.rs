//! TCP to the first of several addresses that answers (RFC 8305), and Unix sockets.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::error::{Error, Exit, Hint, Result, Stage};
use crate::event::{Event, Timings};
use crate::sys;
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::host::Endpoint;
use crate::transport::wait::{Waiter, Woken};
use crate::transport::{DialOptions, Stream, resolve};

/// A connection before TLS.
pub(super) struct Connected {
    pub(super) stream: Stream,
    pub(super) peer: String,
    pub(super) local: String,
}

/// The delay before the next address is tried in parallel (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to one of the endpoint's addresses.
///
/// # Errors
/// Exit 3, 4 with each address and its reason, 11 at the deadline.
pub(super) fn tcp(
    endpoint: &Endpoint,
    options: &DialOptions,
    timings: &mut Timings,
    waiter: &mut Waiter<'_>,
) -> Result<Connected> {
    let addresses = resolve::resolve(endpoint, options, timings, waiter)?;
    let source = options.interface.as_deref().map(Source::parse);
    let begun = Instant::now();
    let mut race = Race { source, begun, pending: Vec::new(), failed: Vec::new() };
    let (socket, address) = race.run(&addresses, endpoint, waiter)?;
    let took = begun.elapsed();
    timings.connect = Some(took);
    let local = socket.local_addr().ok().and_then(|a| a.as_socket());
    let local = local.map(|a| a.to_string()).unwrap_or_default();
    let peer = address.to_string();
    waiter.progress.event(Event::Connected { to: &peer, from: &local, took });
    let stream = Stream::from_tcp(TcpStream::from(socket)).map_err(|e| local_failure(&e))?;
    Ok(Connected { stream, peer, local })
}

/// Connects to a Unix socket.
///
/// # Errors
/// Exit 4.
pub(super) fn unix(
    path: &Path,
    timings: &mut Timings,
    waiter: &mut Waiter<'_>,
) -> Result<Connected> {
    let begun = Instant::now();
    let peer = path.to_string_lossy().into_owned();
    waiter.progress.event(Event::Connecting { to: &peer });
    let connect = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        // A local connection succeeds at once, or fails.
        match sys::connect(&socket, &SockAddr::unix(path)?) {
            Err(e) if !is_in_progress(&e) => return Err(e),
            _ => {}
        }
        Stream::from_unix(UnixStream::from(socket))
    };
    let stream = connect().map_err(|e| {
        let why = reason(&e);
        waiter.progress.event(Event::ConnectFailed { to: &peer, why: &why });
        let shown = Untrusted::text(&peer);
        let error = Error::new(Stage::Connect, Exit::Connect, format!("{shown}: {why}"));
        match e.kind() {
            io::ErrorKind::NotFound => error.hint("is the server running, and is this its socket?"),
            io::ErrorKind::ConnectionRefused => {
                error.hint("the socket is there, but no server listens on it any more")
            }
            io::ErrorKind::PermissionDenied => error.hint(format!("look: ls -l {shown}")),
            io::ErrorKind::WouldBlock => error.cause("the server's queue of connections is full"),
            _ => error,
        }
    })?;
    let took = begun.elapsed();
    timings.connect = Some(took);
    waiter.progress.event(Event::Connected { to: &peer, from: "", took });
    Ok(Connected { stream, peer, local: String::new() })
}

/// Where connections start from (`--interface`).
enum Source {
    Address(IpAddr),
    Interface(String),
}

impl Source {
    fn parse(text: &str) -> Source {
        match text.parse() {
            Ok(address) => Source::Address(address),
            Err(_) => Source::Interface(text.to_owned()),
        }
    }

    fn apply(&self, socket: &Socket) -> io::Result<()> {
        match self {
            Source::Address(address) => socket.bind(&SockAddr::from(SocketAddr::new(*address, 0))),
            Source::Interface(name) => bind_interface(socket, name),
        }
    }
}

#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
fn bind_interface(socket: &Socket, name: &str) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

#[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
fn bind_interface(_: &Socket, _: &str) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system can't bind to an interface by name",
    ))
}

struct Attempt {
    socket: Socket,
    address: SocketAddr,
}

struct Race {
    source: Option<Source>,
    begun: Instant,
    pending: Vec<Attempt>,
    failed: Vec<(SocketAddr, io::Error)>,
}

impl Race {
    fn run(
        &mut self,
        addresses: &[SocketAddr],
        endpoint: &Endpoint,
        waiter: &mut Waiter<'_>,
    ) -> Result<(Socket, SocketAddr)> {
        let mut left = addresses.iter().copied();
        loop {
            let next = left.next();
            match next {
                Some(address) => {
                    if let Some(won) = self.start(address, waiter) {
                        return Ok(won);
                    }
                }
                None if self.pending.is_empty() => return Err(self.all_failed(endpoint)),
                None => {}
            }
            // Wait for the next attempt's turn, or indefinitely after the last one.
            let timer = (left.len() > 0).then(|| Instant::now() + STAGGER);
            let failures = self.failed.len();
            while self.failed.len() == failures && !self.pending.is_empty() {
                let fds: Vec<_> = self
                    .pending
                    .iter()
                    .map(|attempt| (attempt.socket.as_fd(), PollFlags::OUT))
                    .collect();
                let ready = match waiter.wait(&fds, timer)? {
                    Woken::Ready(ready) => ready,
                    Woken::Timer => break,
                    Woken::Deadline => return Err(self.timed_out(endpoint, waiter)),
                };
                if let Some(won) = self.judge(&ready, waiter) {
                    return Ok(won);
                }
            }
        }
    }

    /// Starts an attempt; one to a local address may succeed at once.
    fn start(
        &mut self,
        address: SocketAddr,
        waiter: &mut Waiter<'_>,
    ) -> Option<(Socket, SocketAddr)> {
        waiter.progress.event(Event::Connecting { to: &address.to_string() });
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .and_then(|socket| match &self.source {
                Some(source) => source.apply(&socket).map(|()| socket),
                None => Ok(socket),
            });
        let socket = match socket {
            Ok(socket) => socket,
            Err(e) => {
                self.fail(address, e, waiter);
                return None;
            }
        };
        match sys::connect(&socket, &SockAddr::from(address)) {
            Ok(()) => return Some((socket, address)),
            Err(e) if is_in_progress(&e) => self.pending.push(Attempt { socket, address }),
            Err(e) => self.fail(address, e, waiter),
        }
        None
    }

    /// Checks the attempts that a poll found ready.
    fn judge(&mut self, ready: &[bool], waiter: &mut Waiter<'_>) -> Option<(Socket, SocketAddr)> {
        let mut ready = ready.iter();
        let (woken, still): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|_| ready.next().copied().unwrap_or_default());
        self.pending = still;
        for Attempt { socket, address } in woken {
            match socket.take_error() {
                Ok(None) => return Some((socket, address)),
                Ok(Some(e)) | Err(e) => self.fail(address, e, waiter),
            }
        }
        None
    }

    fn fail(&mut self, address: SocketAddr, e: io::Error, waiter: &mut Waiter<'_>) {
        let (to, why) = (address.to_string(), reason(&e));
        waiter.progress.event(Event::ConnectFailed { to: &to, why: &why });
        self.failed.push((address, e));
    }

    fn all_failed(&self, endpoint: &Endpoint) -> Error {
        let shown = Untrusted::text(&endpoint.typed);
        let all = |kind: io::ErrorKind| self.failed.iter().all(|(_, e)| e.kind() == kind);
        let exit = if all(io::ErrorKind::TimedOut) { Exit::Timeout } else { Exit::Connect };
        let error = match self.failed.as_slice() {
            [(address, e)] if address.ip().to_string() == endpoint.typed => {
                Error::new(Stage::Connect, exit, format!("{address}: {}", reason(e)))
            }
            [(address, e)] => {
                let what = format!("{shown} at {address}: {}", reason(e));
                Error::new(Stage::Connect, exit, what)
            }
            failed => {
                let what = format!("none of the {} addresses of {shown} answered", failed.len());
                self.listed(Error::new(Stage::Connect, exit, what))
            }
        };
        if all(io::ErrorKind::ConnectionRefused) {
            error.hint(format!("is the server running, and is {} its port?", endpoint.port))
        } else if self.failed.iter().any(|(_, e)| is_refused_name(e)) && self.source.is_some() {
            error.hint(Hint::InterfaceByAddress)
        } else {
            error
        }
    }

    /// Adds each address with its reason.
    fn listed(&self, error: Error) -> Error {
        self.failed
            .iter()
            .fold(error, |error, (address, e)| error.cause(format!("{address}: {}", reason(e))))
    }

    fn timed_out(&self, endpoint: &Endpoint, waiter: &Waiter<'_>) -> Error {
        let shown = Untrusted::text(&endpoint.typed);
        match (self.pending.as_slice(), self.failed.as_slice()) {
            ([only], []) => {
                let what = format!("no answer from {shown} at {}", only.address);
                waiter.timed_out(Stage::Connect, &what)
            }
            (pending, _) => {
                let error = waiter.timed_out(Stage::Connect, &format!("no connection to {shown}"));
                let waited = self.begun.elapsed().as_secs_f32();
                pending.iter().fold(self.listed(error), |error, attempt| {
                    error.cause(format!("{}: no answer after {waited:.1} s", attempt.address))
                })
            }
        }
    }
}

fn is_in_progress(e: &io::Error) -> bool {
    let errno = e.raw_os_error().map(Errno::from_raw_os_error);
    // A connect interrupted by a signal continues in the background (POSIX).
    matches!(errno, Some(Errno::INPROGRESS | Errno::INTR))
}

/// Whether an interface was refused by name, so that its address may work instead.
fn is_refused_name(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported)
}

fn local_failure(e: &io::Error) -> Error {
    Error::new(Stage::Connect, Exit::Connect, "the new connection can't be used").cause(reason(e))
}
