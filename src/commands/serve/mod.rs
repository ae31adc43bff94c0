//! `wstap serve`: a WebSocket server for trying and testing.
//!
//! One thread serves all clients: tungstenite speaks the protocol on buffers in memory, and a
//! single poll(2) moves bytes between them and the sockets in both directions. So a client that
//! writes a lot before it reads can't block anybody, and messages that arrive together are
//! answered together. permessage-deflate is not offered: tungstenite doesn't have it.

use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::commands::serve::address::Address;
use crate::commands::serve::client::{Client, Shared};
use crate::commands::serve::log::Log;
use crate::error::{Error, Exit, Result, Stage};
use crate::redact::Secret;
use crate::sys::{self, Blocking, Role};
use crate::text::Untrusted;
use crate::transport::{default_provider, private_key};

mod activity;
mod address;
mod client;
mod link;
mod log;
mod upgrade;

pub use crate::cli::ServeMode as Mode;

/// What to serve, and how.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen: `HOST:PORT`, `HOST`, `:PORT` or `PORT`; the host is 127.0.0.1 and the port
    /// 8080 unless told otherwise. Port 0 takes a free one.
    pub address: String,
    /// What to do with clients.
    pub mode: Mode,
    /// Time mode: between two messages.
    pub interval: Duration,
    /// Source mode: how many messages.
    pub count: u64,
    /// Source mode: bytes in each.
    pub size: usize,
    /// Source mode: binary messages instead of text.
    pub binary: bool,
    /// Cuts every message that is sent to this many bytes; text before a character that would not
    /// fit.
    pub truncate: Option<usize>,
    /// The subprotocols that may be chosen: the first in the client's list that is among them.
    pub subprotocols: Vec<String>,
    /// PEM file with the certificate chain; together with `key` it makes the server wss.
    pub cert: Option<PathBuf>,
    /// PEM file with the private key.
    pub key: Option<PathBuf>,
    /// What the private key is encrypted with.
    pub pass: Option<Secret<String>>,
    /// Origins that are let in; all if empty. Others, and requests without one, are answered 403.
    pub origins: Vec<String>,
    /// 1: every handshake and close; 2: every message too; on stderr.
    pub verbose: u8,
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions {
            address: address::DEFAULT.into(),
            mode: Mode::default(),
            interval: Duration::from_secs(1),
            count: 1000,
            size: 100,
            binary: false,
            truncate: None,
            subprotocols: Vec::new(),
            cert: None,
            key: None,
            pass: None,
            origins: Vec::new(),
            verbose: 0,
        }
    }
}

/// Serves until SIGINT or SIGTERM; then closes its clients with 1001 and returns.
///
/// # Errors
/// If the address can't be used, the certificate can't be read, or stdout takes no line.
pub fn run(options: &ServeOptions) -> Result<()> {
    let mut server = Server::bind(options)?;
    server.shared.log.on = true;
    let failed = |error: io::Error| local("can't watch for signals", &error);
    let (stop, signals) = UnixStream::pair().map_err(failed)?;
    for signal in [SIGINT, SIGTERM] {
        let end = signals.try_clone().map_err(failed)?;
        signal_hook::low_level::pipe::register(signal, end).map_err(failed)?;
    }
    let line = format!("listening on {}\n", server.url());
    Blocking(Role::Stdout, io::stdout())
        .write_all(line.as_bytes())
        .map_err(|error| Error::new(Stage::Output, Exit::Local, format!("stdout: {error}")))?;
    server.shared.log.line(format_args!("for trying and testing, not for production"));
    if !server.local.ip().is_loopback() {
        server.shared.log.line(format_args!("other machines can reach it at {}", server.local));
    }
    server.serve(&stop);
    Ok(())
}

/// A server that listens but doesn't serve yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local: SocketAddr,
    url: String,
    shared: Shared,
}

impl Server {
    /// Listens; from here on clients can connect, though nobody talks to them.
    ///
    /// # Errors
    /// Usage for an address or a pair of certificate and key that is none; resolve for an unknown
    /// name; local (13) for a port that is taken or forbidden, and for files that can't be read.
    pub fn bind(options: &ServeOptions) -> Result<Server> {
        let tls = tls_config(options)?;
        let address = Address::parse(&options.address)?;
        let listener = TcpListener::bind(address.resolve()?.as_slice()).map_err(|error| {
            let failed = local(&format!("can't listen on {address}"), &error);
            match error.kind() {
                io::ErrorKind::AddrInUse => failed.hint("port 0 takes a free one: wstap serve :0"),
                io::ErrorKind::PermissionDenied => {
                    failed.hint("ports from 1024 on are free to use")
                }
                _ => failed,
            }
        })?;
        let failed = |error: io::Error| local("can't prepare the listening socket", &error);
        listener.set_nonblocking(true).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let url = address.url(if tls.is_some() { "wss" } else { "ws" }, local);
        let log = Log { on: options.verbose > 0, verbose: options.verbose };
        Ok(Server { listener, local, url, shared: Shared { options: options.clone(), tls, log } })
    }

    /// What a client connects to.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Serves on a thread of its own.
    ///
    /// # Errors
    /// If the operating system has no thread or no file descriptor left.
    pub fn spawn(self) -> Result<Running> {
        let failed = |error: io::Error| local("can't start the server's thread", &error);
        let url = self.url();
        let (stop, stopper) = UnixStream::pair().map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("serve".into())
            .spawn(move || self.serve(&stop))
            .map_err(failed)?;
        Ok(Running { url, stopper: Some(stopper), thread: Some(thread) })
    }

    /// Serves until there is something to read from `stop`, its end included.
    fn serve(self, stop: &UnixStream) {
        let mut clients = Clients { all: Vec::new(), accepted: 0, shared: &self.shared };
        let mut scratch = vec![0; 256 << 10];
        let mut accept_from = None;
        let mut stop_at: Option<Instant> = None;
        loop {
            let now = Instant::now();
            let accepting = stop_at.is_none() && accept_from.is_none_or(|at| at <= now);
            let timers = [stop_at, if accepting { None } else { accept_from }, clients.timer()];
            let ready = match wait(
                stop_at.is_none().then_some(stop),
                accepting.then_some(&self.listener),
                &clients.all,
                timers.into_iter().flatten().min().map(|at| at.saturating_duration_since(now)),
            ) {
                Ok(ready) => ready,
                Err(error) => return self.shared.log.line(format_args!("poll: {error}")),
            };
            let now = Instant::now();
            if ready.accept && !clients.accept(&self.listener, now) {
                // Out of descriptors, most likely; the listener would be ready again at once.
                accept_from = Some(now + Duration::from_millis(100));
            }
            clients.turn(&ready.clients, &mut scratch, now);
            if ready.stop {
                stop_at = Some(now + STOP_GRACE);
                clients.stop(now);
            }
            if stop_at.is_some_and(|at| clients.all.is_empty() || at <= now) {
                return;
            }
        }
    }
}

/// How long clients have to answer the server's Close when it stops.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// A server at work on a thread of its own; dropping it stops the server, which closes its clients
/// with 1001.
#[derive(Debug)]
pub struct Running {
    url: String,
    stopper: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// What a client connects to.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper = None;
        if let Some(thread) = self.thread.take() {
            // A panic over there has had its message; a second one here would abort.
            let _ = thread.join();
        }
    }
}

struct Clients<'a> {
    all: Vec<Client>,
    accepted: u64,
    shared: &'a Shared,
}

impl Clients<'_> {
    /// Takes the connections that wait; false if that failed.
    fn accept(&mut self, listener: &TcpListener, now: Instant) -> bool {
        loop {
            let (socket, peer) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return true,
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => continue,
                    _ => {
                        self.shared.log.line(format_args!("accept: {error}"));
                        return false;
                    }
                },
            };
            self.accepted += 1;
            match Client::new(self.accepted, socket, self.shared, now) {
                Ok(client) => {
                    let id = self.accepted;
                    self.shared.log.detail(1, format_args!("#{id} connected from {peer}"));
                    self.all.push(client);
                }
                Err(error) => self.shared.log.line(format_args!("{peer}: {error}")),
            }
        }
    }

    fn turn(&mut self, ready: &[PollFlags], scratch: &mut [u8], now: Instant) {
        let mut broadcast = Vec::new();
        for (at, client) in self.all.iter_mut().enumerate() {
            // Those accepted since the poll have their turn after the next one.
            let ready = ready.get(at).copied().unwrap_or(PollFlags::empty());
            if !ready.is_empty() || client.timer().is_some_and(|at| at <= now) {
                client.turn(self.shared, ready, scratch, now, &mut broadcast);
            }
        }
        if !broadcast.is_empty() {
            for client in &mut self.all {
                client.deliver(self.shared, &broadcast, now);
            }
        }
        self.all.retain(|client| !client.is_done());
    }

    fn stop(&mut self, now: Instant) {
        for client in &mut self.all {
            client.stop(self.shared, now);
        }
        self.all.retain(|client| !client.is_done());
    }

    fn timer(&self) -> Option<Instant> {
        self.all.iter().filter_map(Client::timer).min()
    }
}

struct Ready {
    stop: bool,
    accept: bool,
    /// In the order of the clients.
    clients: Vec<PollFlags>,
}

/// Sleeps until there is something to do.
fn wait(
    stop: Option<&UnixStream>,
    listener: Option<&TcpListener>,
    clients: &[Client],
    timeout: Option<Duration>,
) -> io::Result<Ready> {
    let mut fds = Vec::with_capacity(clients.len() + 2);
    fds.extend(clients.iter().map(|c| PollFd::new(c.socket(), c.interest())));
    fds.extend(listener.map(|listener| PollFd::new(listener, PollFlags::IN)));
    fds.extend(stop.map(|stop| PollFd::new(stop, PollFlags::IN)));
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match sys::poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut happened: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
    let mut last = |there: bool| there && happened.pop().is_some_and(|flags| !flags.is_empty());
    let stop = last(stop.is_some());
    let accept = last(listener.is_some());
    Ok(Ready { stop, accept, clients: happened })
}

/// Reads the certificate chain and its key, if there are any.
fn tls_config(options: &ServeOptions) -> Result<Option<Arc<ServerConfig>>> {
    let (cert, key) = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return Ok(None),
        _ => {
            let what = "--cert and --key belong together";
            return Err(Error::new(Stage::Usage, Exit::Usage, what));
        }
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| unreadable(cert, &error))?;
    if chain.is_empty() {
        return Err(unreadable(cert, &"no certificate in it"));
    }
    let private = private_key("--key", key, options.pass.as_ref()).map_err(|error| Error {
        stage: Stage::Serve,
        exit: Exit::Local,
        ..error
    })?;
    let provider = Arc::new(default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| unreadable(key, &error))?;
    Ok(Some(Arc::new(config)))
}

fn unreadable(path: &Path, why: &dyn fmt::Display) -> Error {
    let path = path.to_string_lossy();
    let why = why.to_string();
    let what = format!("{}: {}", Untrusted::text(&path), Untrusted::text(&why));
    Error::new(Stage::Serve, Exit::Local, what)
}

fn local(what: &str, error: &io::Error) -> Error {
    Error::new(Stage::Serve, Exit::Local, format!("{what}: {error}"))
}
