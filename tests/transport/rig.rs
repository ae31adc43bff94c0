//! Dialing with a watcher, and servers for one connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustix::event::{PollFd, PollFlags, poll};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use url::Host;

use wstap::cli::WORDS;
use wstap::error::{Error, Exit, Hint, Stage};
use wstap::event::Event;
use wstap::transport::default_provider;
use wstap::transport::{DialOptions, Dialed, Progress, Stream, Target, TlsOptions, dial};

use crate::support::home::Home;

/// A hint as the command line words it.
pub(crate) fn worded(hint: &Hint) -> String {
    (WORDS.hint)(hint)
}

/// Collects the events as text; interrupted by a byte on its pipe.
pub(crate) struct Watcher {
    pub(crate) said: Vec<String>,
    pub(crate) wake: UnixStream,
    pub(crate) details: bool,
}

impl Watcher {
    pub(crate) fn new() -> (Watcher, UnixStream) {
        let (wake, waker) = UnixStream::pair().unwrap();
        (Watcher { said: Vec::new(), wake, details: false }, waker)
    }

    pub(crate) fn said(&self, words: &str) -> bool {
        self.said.iter().any(|said| said.contains(words))
    }
}

impl Progress for Watcher {
    fn event(&mut self, kind: Event<'_>) {
        self.said.push(format!("{kind:?}"));
    }

    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.wake.as_fd())
    }

    fn interrupted(&mut self) -> Option<Error> {
        self.wake.read_exact(&mut [0]).unwrap();
        Some(Error::new(Stage::Session, Exit::Interrupted, "interrupted"))
    }

    fn wants_details(&self) -> bool {
        self.details
    }
}

pub(crate) fn target(scheme: &str, host: &str, port: u16) -> Target {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Target::parse(&format!("{scheme}://{host}:{port}")).unwrap().0
}

pub(crate) fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(20))
}

pub(crate) fn try_dial(target: &Target, options: &DialOptions) -> (Result<Dialed, Error>, Watcher) {
    let (mut watcher, _waker) = Watcher::new();
    (dial(target, options, soon(), &mut watcher), watcher)
}

pub(crate) fn wait(stream: &Stream, flags: PollFlags) {
    let mut fds = [PollFd::from_borrowed_fd(stream.fd(), flags)];
    let limit = Duration::from_secs(20).try_into().unwrap();
    assert_ne!(poll(&mut fds, Some(&limit)).unwrap(), 0, "nothing came");
}

/// Reads until the end or an error.
pub(crate) fn read_all(stream: &mut Stream) -> (Vec<u8>, io::Result<()>) {
    let mut all = Vec::new();
    let mut buf = vec![0; 100_000];
    loop {
        match stream.read(&mut buf) {
            Ok(0) => return (all, Ok(())),
            Ok(n) => all.extend_from_slice(&buf[..n]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                assert!(!stream.has_buffered());
                wait(stream, PollFlags::IN);
            }
            Err(e) => return (all, Err(e)),
        }
    }
}

pub(crate) fn write_all(stream: &mut Stream, mut bytes: &[u8]) -> io::Result<()> {
    loop {
        match stream.write(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
        if bytes.is_empty() && stream.flush()? {
            return Ok(());
        }
        wait(stream, PollFlags::OUT);
    }
}

/// A server for one connection.
pub(crate) fn serve<T: Send + 'static>(
    serving: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        serving(socket)
    });
    (port, thread)
}

pub(crate) fn echo(mut socket: impl Read + Write) {
    let mut buf = [0; 4096];
    while let Ok(n @ 1..) = socket.read(&mut buf) {
        socket.write_all(&buf[..n]).unwrap();
    }
}

pub(crate) struct Ca {
    pub(crate) pem: String,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    pub(crate) fn new() -> Ca {
        Ca::named("wstap's test CA")
    }

    pub(crate) fn named(name: &str) -> Ca {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Ca { pem, der, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { pem: certificate.pem(), der: certificate.der().clone(), key }
    }
}

pub(crate) struct Identity {
    pub(crate) pem: String,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) key: KeyPair,
}

impl Identity {
    pub(crate) fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()))
    }

    pub(crate) fn config(&self) -> ServerConfig {
        builder(rustls::ALL_VERSIONS)
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], self.key_der())
            .unwrap()
    }
}

pub(crate) fn builder(
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
}

pub(crate) fn names(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap()
}

/// A TLS server for one connection; gives what the handshake or the serving came to.
pub(crate) fn serve_tls(
    config: ServerConfig,
    serving: impl FnOnce(&mut ServerConnection, &mut TcpStream) + Send + 'static,
) -> (u16, JoinHandle<io::Result<()>>) {
    serve(move |mut socket| {
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        while tls.is_handshaking() {
            if let Err(e) = tls.complete_io(&mut socket) {
                // Alerts go out, and nothing is reset under them.
                let _ = tls.write_tls(&mut socket);
                let _ = socket.shutdown(Shutdown::Write);
                let _ = io::copy(&mut socket, &mut io::sink());
                return Err(e);
            }
        }
        serving(&mut tls, &mut socket);
        Ok(())
    })
}

/// Trusting `ca`.
pub(crate) fn trusting(folder: &Home, ca: &Ca) -> DialOptions {
    let cacert = vec![folder.file("ca.pem", &ca.pem)];
    DialOptions { tls: TlsOptions { cacert, ..TlsOptions::default() }, ..DialOptions::default() }
}

pub(crate) fn tls_error(
    options: &DialOptions,
    config: ServerConfig,
    host: &str,
) -> (Error, io::Error) {
    let (port, server) = serve_tls(config, |_, _| {});
    let mut target = target("wss", host, port);
    if let Host::Domain(_) = target.host {
        target.host = Host::Domain(host.to_owned());
    }
    let mut options = options.clone();
    options.resolve.push(format!("*:{port}:127.0.0.1").parse().unwrap());
    let error = try_dial(&target, &options).0.unwrap_err();
    (error, server.join().unwrap().unwrap_err())
}

pub(crate) fn asking(
    ca: &Ca,
    identity: &Identity,
    version: &'static rustls::SupportedProtocolVersion,
) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(ca.der.clone()).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    builder(&[version])
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![identity.der.clone()], identity.key_der())
        .unwrap()
}
