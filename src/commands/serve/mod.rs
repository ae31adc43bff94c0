//! `wstap serve`: a WebSocket server for trying and testing.
//!
//! One thread serves all clients: each is a [`Connection`](crate::connection::Connection) in the
//! server's role, and all share one poll. So a client that writes a lot before it reads can't block
//! the others, and messages that arrive together are answered together.

mod address;
mod client;
mod listener;
mod mock;
mod mode;
mod options;

use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::commands::serve::address::Address;
use crate::commands::serve::client::{ServedClient, Shared};
use crate::commands::serve::listener::Listener;
use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Event, Level, Summary};
use crate::report::clients::Clients;
use crate::report::json::Json;
use crate::run::output::{FdSink, Output, Sink};
use crate::run::signals::{Signals, Waking};
use crate::run::wake::{Wake, Waker};
use crate::run::{Loop, Source, Views};
use crate::script::{self, Givens, Mock};
use crate::sys;
use crate::sys::{Blocking, Role};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::{default_provider, private_key};

pub use crate::commands::serve::options::{Mode, ServeOptions};

/// Serves until SIGINT or SIGTERM; then closes its clients with 1001 and returns.
///
/// # Errors
/// If the address can't be used, the certificate can't be read, or stdout can't be written.
pub fn run(options: &ServeOptions) -> Result<()> {
    let server = Server::bind(options)?;
    let signals =
        Signals::without_hangup().map_err(|error| local("can't watch for signals", &error))?;
    let human = Clients::new(options.verbose);
    let mut outputs = vec![Output::new(Box::new(human), Sink::Fd(FdSink::stderr()))];
    if options.json {
        let json = Json::new(options.verbose);
        outputs.push(Output::new(Box::new(json), Sink::Fd(FdSink::stdout())));
    }
    let mut outside = Loop { views: Views::new(outputs), waking: Waking::Signals(signals) };
    let mut notice = |text: &str| outside.views.emit(Event::Notice { level: Level::Info, text });
    let line = format!("listening on {}", server.url());
    if options.json {
        notice(&line);
    } else {
        Blocking(Role::Stdout, io::stdout()).write_all(format!("{line}\n").as_bytes()).map_err(
            |error| {
                let what = format!("can't write to standard output: {}", reason(&error));
                Error::new(Stage::Output, Exit::Local, what)
            },
        )?;
    }
    notice("for trying and testing, not for production");
    if !server.local.ip().is_loopback() {
        notice(&format!("other machines can reach it at {}", server.local));
    }
    let served = server.serve(&mut outside, &|| false);
    finish(&mut outside, served.as_ref().err());
    served.or_else(|error| if error.exit == Exit::Done { Ok(()) } else { Err(error) })
}

/// Shows the summary and flushes the outputs, briefly.
fn finish(outside: &mut Loop, error: Option<&Error>) {
    let exit = error.map_or(Exit::Done, |error| error.exit);
    let totals = outside.views.summary(exit, None).totals;
    let error = error.filter(|error| error.exit != Exit::Done).cloned();
    let summary = Summary { exit: exit as u8, error, totals, ..Summary::default() };
    outside.views.emit(Event::Summary(&summary));
    let end = Instant::now() + FLUSH_PATIENCE;
    outside.views.push();
    while !outside.views.are_drained() && Instant::now() < end {
        outside.turn(&mut [], Some(end));
        outside.views.push();
    }
}

/// A server that listens but doesn't serve yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local: SocketAddr,
    url: String,
    tls: Option<Arc<ServerConfig>>,
    options: ServeOptions,
    /// The other side of a script, instead of a mode.
    mock: Option<Mock>,
}

impl Server {
    /// Listens; from now on clients can connect, but they aren't served yet.
    ///
    /// # Errors
    /// Usage for an invalid address or a missing certificate or key; resolve for an unknown name;
    /// local (13) for a port that is taken or forbidden, and for files that can't be read.
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
        let mock = options.from.as_deref().map(|path| other_side(path, &url)).transpose()?;
        Ok(Server { listener, local, url, tls, options: options.clone(), mock })
    }

    /// The URL for clients.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Serves on its own thread, and shows nothing.
    ///
    /// # Errors
    /// If the operating system has no thread or no file descriptor left.
    pub fn spawn(self) -> Result<Running> {
        let failed = |error: io::Error| local("can't start the server's thread", &error);
        let url = self.url();
        let (waker, wake) = Wake::pair().map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("serve".into())
            .spawn(move || {
                let (views, waking) = (Views::new(Vec::new()), Waking::Editor(wake));
                // Without outputs none can fail.
                let _ = self.serve(&mut Loop { views, waking }, &|| stopped.load(Ordering::SeqCst));
            })
            .map_err(failed)?;
        Ok(Running { url, stop, waker, thread: Some(thread) })
    }

    /// Serves until a signal or until `stopped` returns true; a second signal ends it at once.
    ///
    /// # Errors
    /// Why an output has failed.
    fn serve(self, outside: &mut Loop, stopped: &dyn Fn() -> bool) -> Result<()> {
        let Server { listener, local: _, url: _, tls, options, mock } = self;
        let listen = options.listen(outside.views.show());
        let mut listener = Listener::new(listener, tls);
        if let Some(mock) = mock {
            return mock::serve(listener, mock, &listen, outside, (stopped, STOP_GRACE));
        }
        let mut clients = Vec::new();
        let mut text = Vec::new();
        let mut stop_at: Option<Instant> = None;
        let mut now = Instant::now();
        loop {
            outside.views.push();
            if let Some(broken) = outside.views.broken() {
                return Err(broken);
            }
            let timers =
                clients.iter_mut().filter_map(|client: &mut ServedClient| client.timer(now));
            let until = timers.chain(stop_at).min();
            let mut sources: Vec<&mut dyn Source> = vec![&mut listener];
            sources.extend(clients.iter_mut().filter_map(ServedClient::source));
            now = outside.turn(&mut sources, until);
            outside.views.set_time(now);
            let views = &mut outside.views;
            let mut shared = Shared { options: &options, listen: &listen, views, text: &mut text };
            listener.accept(shared.views, now, &mut |id, stream| {
                clients.push(ServedClient::new(id, stream, &listen, now));
            });
            turn(&mut clients, &mut shared, now);
            if outside.waking.take_signals().is_some() || (stop_at.is_none() && stopped()) {
                if stop_at.is_some() {
                    return Ok(());
                }
                let end = now + STOP_GRACE;
                stop_at = Some(end);
                listener.stop();
                clients.iter_mut().for_each(|client| client.stop(end));
                clients.retain(|client| !client.is_over());
            }
            if stop_at.is_some_and(|at| clients.is_empty() || at <= now) {
                return Ok(());
            }
        }
    }
}

/// The other side of a script, whose `{{url}}` is that of the server.
fn other_side(path: &Path, url: &str) -> Result<Mock> {
    let variables = [("url".to_owned(), url.to_owned())].into();
    // What only the client has to know may be missing.
    let givens = Givens { variables, check_only: true, ..Givens::default() };
    Mock::new(script::read(path, &givens)?)
}

/// One turn of all clients.
fn turn(clients: &mut Vec<ServedClient>, shared: &mut Shared<'_>, now: Instant) {
    for at in 0..clients.len() {
        let (before, rest) = clients.split_at_mut(at);
        let Some((client, after)) = rest.split_first_mut() else { break };
        client.talk(shared, now, &mut |message| {
            before.iter_mut().chain(after.iter_mut()).for_each(|other| other.deliver(message));
        });
    }
    clients.iter_mut().for_each(|client| client.flush(shared));
    shared.views.set_client(None);
    clients.retain(|client| !client.is_over());
}

/// How long blocked outputs may delay the end.
const FLUSH_PATIENCE: Duration = Duration::from_millis(50);

/// How long clients have to answer the server's Close when it stops.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// A server running on its own thread. Dropping it stops the server, which closes its clients with
/// 1001.
#[derive(Debug)]
pub struct Running {
    url: String,
    stop: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// The URL for clients.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was already reported; a second one here would abort.
            let _ = thread.join();
        }
    }
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
    let pem = sys::read_file(cert).map_err(|error| unreadable(cert, &reason(&error)))?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<Vec<_>, _>>()
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
    Error::new(Stage::Serve, Exit::Local, format!("{what}: {}", reason(error)))
}
