//! Dialing against small servers on the loopback interface, well-behaved and otherwise.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustix::event::{PollFd, PollFlags, poll};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, version};
use url::Host;

use wstap::cli::WORDS;
use wstap::error::{Error, Exit, Hint, Stage};
use wstap::event::Event;
use wstap::transport::default_provider;
use wstap::transport::{
    DialOptions, Dialed, Family, Resolve, Sni, Stream, Target, TlsOptions, Versions, Watch, dial,
    tls_failure,
};

// --- what the tests share ---------------------------------------------------------------------

fn worded(hint: &Hint) -> String {
    (WORDS.hint)(hint)
}

/// Collects the events as text; interrupted by a byte on its pipe.
struct Watcher {
    said: Vec<String>,
    wake: UnixStream,
    details: bool,
}

impl Watcher {
    fn new() -> (Watcher, UnixStream) {
        let (wake, waker) = UnixStream::pair().unwrap();
        (Watcher { said: Vec::new(), wake, details: false }, waker)
    }

    fn said(&self, words: &str) -> bool {
        self.said.iter().any(|said| said.contains(words))
    }
}

impl Watch for Watcher {
    fn event(&mut self, kind: Event<'_>) {
        self.said.push(format!("{kind:?}"));
    }

    fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    fn interrupted(&mut self) -> Option<Error> {
        self.wake.read_exact(&mut [0]).unwrap();
        Some(Error::new(Stage::Session, Exit::Interrupted, "interrupted"))
    }

    fn wants_details(&self) -> bool {
        self.details
    }
}

fn target(scheme: &str, host: &str, port: u16) -> Target {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Target::parse(&format!("{scheme}://{host}:{port}")).unwrap().0
}

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(20))
}

fn try_dial(target: &Target, options: &DialOptions) -> (Result<Dialed, Error>, Watcher) {
    let (mut watcher, _waker) = Watcher::new();
    (dial(target, options, soon(), &mut watcher), watcher)
}

fn wait(stream: &Stream, flags: PollFlags) {
    let mut fds = [PollFd::from_borrowed_fd(stream.fd(), flags)];
    let limit = Duration::from_secs(20).try_into().unwrap();
    assert_ne!(poll(&mut fds, Some(&limit)).unwrap(), 0, "nothing came");
}

/// Reads until the end or an error.
fn read_all(stream: &mut Stream) -> (Vec<u8>, io::Result<()>) {
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

fn write_all(stream: &mut Stream, mut bytes: &[u8]) -> io::Result<()> {
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
fn serve<T: Send + 'static>(
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

/// A port on which nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn echo(mut socket: impl Read + Write) {
    let mut buf = [0; 4096];
    while let Ok(n @ 1..) = socket.read(&mut buf) {
        socket.write_all(&buf[..n]).unwrap();
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("wstap-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Ca {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn new() -> Ca {
        Ca::named("wstap's test CA")
    }

    fn named(name: &str) -> Ca {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Ca { pem, der, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { pem: certificate.pem(), der: certificate.der().clone(), key }
    }
}

struct Identity {
    pem: String,
    der: CertificateDer<'static>,
    key: KeyPair,
}

impl Identity {
    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()))
    }

    fn config(&self) -> ServerConfig {
        builder(rustls::ALL_VERSIONS)
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], self.key_der())
            .unwrap()
    }
}

fn builder(
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
}

fn names(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap()
}

/// A TLS server for one connection; gives what the handshake or the serving came to.
fn serve_tls(
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
fn trusting(folder: &Folder, ca: &Ca) -> DialOptions {
    let cacert = vec![folder.file("ca.pem", &ca.pem)];
    DialOptions { tls: TlsOptions { cacert, ..TlsOptions::default() }, ..DialOptions::default() }
}

fn tls_error(options: &DialOptions, config: ServerConfig, host: &str) -> (Error, io::Error) {
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

// --- TCP --------------------------------------------------------------------------------------

#[test]
fn a_connection_is_told_step_by_step() {
    let (port, server) = serve(echo);
    let (dialed, watcher) = try_dial(
        &target("ws", "localhost", port),
        &DialOptions { family: Family::V4, ..DialOptions::default() },
    );
    let mut dialed = dialed.unwrap();
    assert_eq!(dialed.peer, format!("127.0.0.1:{port}"));
    assert!(dialed.local.starts_with("127.0.0.1:"));
    assert!(dialed.timings.resolve.is_some() && dialed.timings.connect.is_some());
    assert!(dialed.timings.tls.is_none() && dialed.tls.is_none());
    for (said, begin) in
        watcher.said.iter().zip(["Resolving", "Resolved", "Connecting", "Connected"])
    {
        assert!(said.starts_with(begin), "{said}");
    }
    write_all(&mut dialed.stream, b"hello").unwrap();
    dialed.stream.shutdown_write().unwrap();
    assert_eq!(read_all(&mut dialed.stream).0, b"hello");
    server.join().unwrap();
}

#[test]
fn refused_is_exit_4_with_a_hint() {
    let port = closed_port();
    let (result, watcher) = try_dial(&target("ws", "127.0.0.1", port), &DialOptions::default());
    let error = result.unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Connect, Exit::Connect));
    assert_eq!(error.what, format!("127.0.0.1:{port}: connection refused"));
    assert!(worded(&error.hints[0]).contains("is the server running"));
    assert!(watcher.said("ConnectFailed"));
}

fn addresses(port: u16, list: &[&str]) -> DialOptions {
    let addresses = list.iter().map(|a| a.parse().unwrap()).collect();
    let resolve = vec![Resolve { host: "two.test".to_owned(), port, addresses }];
    DialOptions { resolve, ..DialOptions::default() }
}

#[test]
fn the_second_address_counts_when_the_first_is_dead() {
    let (port, server) = serve(echo);
    let options = addresses(port, &["127.0.0.2", "127.0.0.1"]);
    let (dialed, watcher) = try_dial(&target("ws", "two.test", port), &options);
    assert_eq!(dialed.unwrap().peer, format!("127.0.0.1:{port}"));
    assert!(watcher.said("127.0.0.2"));
    server.join().unwrap();
}

#[test]
fn all_addresses_are_listed_when_all_fail() {
    let port = closed_port();
    let list: Vec<String> = (1..=20).map(|n| format!("127.0.0.{n}")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let (result, _) = try_dial(&target("ws", "two.test", port), &addresses(port, &list));
    let error = result.unwrap_err();
    assert_eq!(error.exit, Exit::Connect);
    assert_eq!(error.causes.len(), 20);
    assert_eq!(error.causes[19], format!("127.0.0.20:{port}: connection refused"));
}

/// A listener whose queue is full: Linux drops the next SYN, as a black hole would.
fn black_hole(address: IpAddr) -> (SocketAddr, TcpListener, Vec<socket2::Socket>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(address, 0).into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let mut fillers = Vec::new();
    for _ in 0..4 {
        let filler =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        filler.set_nonblocking(true).unwrap();
        let _ = filler.connect(&address.into());
        fillers.push(filler);
    }
    (address, listener, fillers)
}

#[test]
fn a_black_hole_costs_a_quarter_of_a_second() {
    let (hole, _listener, _fillers) = black_hole("127.0.0.3".parse().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, hole.port())).unwrap();
    let options = addresses(hole.port(), &["127.0.0.3", "127.0.0.1"]);
    let begun = Instant::now();
    let (dialed, _) = try_dial(&target("ws", "two.test", hole.port()), &options);
    assert_eq!(dialed.unwrap().peer, listener.local_addr().unwrap().to_string());
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(240), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_black_hole_alone_is_a_timeout_that_names_the_stage() {
    let (hole, _listener, _fillers) = black_hole("127.0.0.4".parse().unwrap());
    let (mut watcher, _waker) = Watcher::new();
    let deadline = Some(Instant::now() + Duration::from_millis(200));
    let target = target("ws", "127.0.0.4", hole.port());
    let error = dial(&target, &DialOptions::default(), deadline, &mut watcher).unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Connect, Exit::Timeout));
    assert_eq!(error.what, format!("no answer from 127.0.0.4 at {hole} within 200 ms"));
}

#[test]
fn a_wake_up_interrupts() {
    let (hole, _listener, _fillers) = black_hole("127.0.0.5".parse().unwrap());
    let (mut watcher, mut waker) = Watcher::new();
    waker.write_all(b"!").unwrap();
    let target = target("ws", "127.0.0.5", hole.port());
    let error = dial(&target, &DialOptions::default(), soon(), &mut watcher).unwrap_err();
    assert_eq!(error.exit, Exit::Interrupted);
}

#[test]
fn the_wrong_family_is_exit_3() {
    let options = DialOptions { family: Family::V6, ..DialOptions::default() };
    let error = try_dial(&target("ws", "127.0.0.1", 9), &options).0.unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Resolve, Exit::Resolve));
    assert!(worded(&error.hints[0]).contains("-4"));
}

#[test]
fn an_unknown_name_is_exit_3_and_shown_escaped() {
    // RFC 6761 §6.4: .invalid never resolves.
    let mut target = target("ws", "nowhere.invalid", 80);
    target.typed_host = "nowhere\x1b.invalid".to_owned();
    let error = try_dial(&target, &DialOptions::default()).0.unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Resolve, Exit::Resolve));
    assert!(error.what.starts_with("nowhere\\x1b.invalid (nowhere.invalid): "), "{error}");
}

#[test]
fn a_local_address_can_be_chosen() {
    let (port, server) = serve(echo);
    let options = DialOptions { interface: Some("127.0.0.9".to_owned()), ..DialOptions::default() };
    let dialed = try_dial(&target("ws", "127.0.0.1", port), &options).0.unwrap();
    assert!(dialed.local.starts_with("127.0.0.9:"), "{}", dialed.local);
    drop(dialed);
    server.join().unwrap();
}

#[test]
fn ipv6_literals_with_a_zone_are_reached() {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        eprintln!("SKIPPED: no IPv6 on this machine");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let mut target = target("ws", "::1", port);
    target.typed_host = "[::1%lo]".to_owned();
    let dialed = try_dial(&target, &DialOptions::default()).0.unwrap();
    assert!(dialed.peer.starts_with("[::1"), "{}", dialed.peer);
}

#[test]
fn a_unix_socket_is_reached() {
    let folder = Folder::new("unix");
    let path = folder.0.join("socket");
    let error = unix_dial(&path).unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Connect, Exit::Connect));
    let listener = UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || echo(listener.accept().unwrap().0));
    let mut dialed = unix_dial(&path).unwrap();
    assert_eq!(Path::new(&dialed.peer), path);
    write_all(&mut dialed.stream, b"hi").unwrap();
    dialed.stream.shutdown_write().unwrap();
    assert_eq!(read_all(&mut dialed.stream).0, b"hi");
    server.join().unwrap();
    assert!(worded(&unix_dial(&path).unwrap_err().hints[0]).contains("no server listens"));
}

fn unix_dial(path: &Path) -> Result<Dialed, Error> {
    let options = DialOptions { unix_socket: Some(path.to_owned()), ..DialOptions::default() };
    try_dial(&target("ws", "example.com", 80), &options).0
}

// --- TLS --------------------------------------------------------------------------------------

#[test]
fn tls_carries_megabytes_both_ways_and_ends_in_order() {
    let (folder, ca) = (Folder::new("tls"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    const SIZE: usize = 3 << 20;
    let (port, server) = serve_tls(identity.config(), |tls, socket| {
        let mut all = vec![0; SIZE];
        let mut stream = rustls::Stream::new(tls, socket);
        stream.read_exact(&mut all).unwrap();
        stream.write_all(&all).unwrap();
        assert_eq!(stream.read(&mut all).unwrap(), 0, "close_notify is awaited");
        tls.send_close_notify();
        tls.complete_io(socket).unwrap();
    });
    let (mut watcher, _waker) = Watcher::new();
    watcher.details = true;
    let target = target("wss", "localhost", port);
    let mut dialed = dial(&target, &trusting(&folder, &ca), soon(), &mut watcher).unwrap();
    let info = dialed.tls.clone().unwrap();
    assert_eq!((info.version.as_str(), info.sni.as_deref()), ("TLSv1.3", Some("localhost")));
    assert!(info.cipher.starts_with("TLS_AES"), "{}", info.cipher);
    assert_eq!(info.certificates[0].names, ["localhost"]);
    assert!(info.certificates[0].issuer.contains("wstap's test CA"));
    assert_eq!(info.certificates[0].sha256.len(), 64);
    assert!(watcher.said("TlsEstablished"));
    assert_eq!(dialed.stream.tls_info(), Some(info));

    let sent: Vec<u8> = (0..SIZE).map(|n| (n * 7 + n / 251) as u8).collect();
    write_all(&mut dialed.stream, &sent).unwrap();
    let mut got = vec![0; SIZE];
    let mut at = 0;
    while at < SIZE {
        match dialed.stream.read(&mut got[at..]) {
            Ok(n) => at += n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => wait(&dialed.stream, PollFlags::IN),
            Err(e) => panic!("{e}"),
        }
    }
    assert!(got == sent);
    dialed.stream.shutdown_write().unwrap();
    let (rest, end) = read_all(&mut dialed.stream);
    assert!(rest.is_empty() && end.is_ok(), "{end:?}");
    server.join().unwrap().unwrap();
}

#[test]
fn an_end_without_close_notify_is_truncation() {
    let (folder, ca) = (Folder::new("truncated"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    for polite in [false, true] {
        let (port, server) = serve_tls(identity.config(), move |tls, socket| {
            tls.writer().write_all(b"last words").unwrap();
            if polite {
                tls.send_close_notify();
            }
            while tls.wants_write() {
                tls.write_tls(socket).unwrap();
            }
            socket.shutdown(Shutdown::Write).unwrap();
            let _ = io::copy(socket, &mut io::sink());
        });
        let target = target("wss", "localhost", port);
        let mut stream = try_dial(&target, &trusting(&folder, &ca)).0.unwrap().stream;
        let (words, end) = read_all(&mut stream);
        assert_eq!(words, b"last words");
        match end {
            Ok(()) => assert!(polite),
            Err(e) => assert_eq!((e.kind(), polite), (ErrorKind::UnexpectedEof, false)),
        }
        drop(stream);
        server.join().unwrap().unwrap();
    }
}

/// The end that came in the same read as the last bytes is seen without the socket's help.
#[test]
fn close_notify_without_fin_is_not_overlooked() {
    let (folder, ca) = (Folder::new("nofin"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let (port, server) = serve_tls(identity.config(), |tls, socket| {
        tls.writer().write_all(b"x").unwrap();
        tls.send_close_notify();
        let mut bytes = Vec::new();
        tls.write_tls(&mut bytes).unwrap();
        socket.write_all(&bytes).unwrap();
        let _ = io::copy(socket, &mut io::sink());
    });
    let target = target("wss", "localhost", port);
    let mut stream = try_dial(&target, &trusting(&folder, &ca)).0.unwrap().stream;
    let (bytes, end) = read_all(&mut stream);
    assert!(bytes == b"x" && end.is_ok());
    drop(stream);
    server.join().unwrap().unwrap();
}

#[test]
fn an_unknown_issuer_is_told_from_a_self_signed_certificate() {
    let (folder, ca) = (Folder::new("unknown"), Ca::new());
    let options = trusting(&folder, &Ca::named("another"));
    let (error, alert) = tls_error(&options, ca.issue(names(&["localhost"])).config(), "localhost");
    assert_eq!((error.stage, error.exit), (Stage::Tls, Exit::Tls));
    assert!(error.what.contains("issuer is not trusted: CN=wstap's test CA"), "{error}");
    assert!(alert.to_string().contains("UnknownCA"), "{alert}");

    let anew = trusting(&folder, &Ca::new());
    let (error, _) = tls_error(&anew, ca.issue(names(&["localhost"])).config(), "localhost");
    assert!(error.what.contains("the trusted CA of that name: CN=wstap's test CA"), "{error}");

    let (identity, _) = self_signed(false);
    let (error, _) = tls_error(&options, identity.config(), "localhost");
    assert!(error.what.contains("is self-signed"), "{error}");
}

fn self_signed(ca: bool) -> (Identity, String) {
    let mut params = names(&["localhost"]);
    if ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = certificate.pem();
    (Identity { pem: pem.clone(), der: certificate.der().clone(), key }, pem)
}

#[test]
fn a_self_signed_certificate_can_be_trusted_by_name() {
    let folder = Folder::new("selfsigned");
    for ca in [false, true] {
        let (identity, pem) = self_signed(ca);
        let cacert = vec![folder.file("self.pem", &pem)];
        let options = DialOptions {
            tls: TlsOptions { cacert, ..TlsOptions::default() },
            ..DialOptions::default()
        };
        let (port, server) = serve_tls(identity.config(), |_, _| {});
        try_dial(&target("wss", "localhost", port), &options).0.unwrap();
        server.join().unwrap().unwrap();
        let (error, _) = tls_error(&options, identity.config(), "other.test");
        assert_eq!(error.exit, Exit::Tls, "{error}");
    }
}

#[test]
fn wrong_host_names_what_the_certificate_has() {
    let (folder, ca) = (Folder::new("host"), Ca::new());
    let config = || ca.issue(names(&["*.b.test", "a.test", "10.1.2.3"])).config();
    let options = trusting(&folder, &ca);
    let (error, _) = tls_error(&options, config(), "other.test");
    assert!(
        error.what.ends_with("not for other.test; it is for *.b.test, a.test, 10.1.2.3"),
        "{error}"
    );
    assert!(worded(&error.hints[0]).contains("--sni a.test"), "{error}");
    let (error, _) = tls_error(&options, config(), "127.0.0.1");
    assert!(error.what.contains("not for 127.0.0.1"), "{error}");

    let mut named = options.clone();
    named.tls.sni = Sni::Name("a.test".to_owned());
    let (port, server) = serve_tls(config(), |tls, _| {
        assert_eq!(tls.server_name(), Some("a.test"));
    });
    try_dial(&target("wss", "127.0.0.1", port), &named).0.unwrap();
    server.join().unwrap().unwrap();

    let mut off = options;
    off.tls.sni = Sni::Off;
    let identity = ca.issue(names(&["localhost"]));
    let (port, server) = serve_tls(identity.config(), |tls, _| assert_eq!(tls.server_name(), None));
    let stream = try_dial(&target("wss", "localhost", port), &off).0.unwrap().stream;
    assert_eq!(stream.tls_info().unwrap().sni, None);
    server.join().unwrap().unwrap();
}

#[test]
fn dates_are_told() {
    let (folder, ca) = (Folder::new("dates"), Ca::new());
    let options = trusting(&folder, &ca);
    let dated = |from, to| {
        let mut params = names(&["localhost"]);
        (params.not_before, params.not_after) =
            (date_time_ymd(from, 1, 2), date_time_ymd(to, 3, 4));
        ca.issue(params).config()
    };
    let (error, _) = tls_error(&options, dated(2001, 2002), "localhost");
    assert!(error.what.contains("expired on 2002-03-04T00:00:00Z, "), "{error}");
    let (error, _) = tls_error(&options, dated(2201, 2202), "localhost");
    assert!(error.what.contains("not valid before 2201-01-02T00:00:00Z"), "{error}");
}

#[test]
fn insecure_goes_on_and_says_why_it_should_not() {
    let (folder, ca) = (Folder::new("insecure"), Ca::new());
    let mut options = trusting(&folder, &Ca::new());
    options.tls.insecure = true;
    let mut params = names(&["other.test"]);
    params.not_after = date_time_ymd(2002, 3, 4);
    let (port, server) = serve_tls(ca.issue(params).config(), |_, _| {});
    let (dialed, watcher) = try_dial(&target("wss", "localhost", port), &options);
    let info = dialed.unwrap().stream.tls_info().unwrap();
    assert!(info.unverified.is_some());
    assert!(watcher.said("certificate not trusted: the certificate"), "{:?}", watcher.said);
    assert!(watcher.said("going on because of --insecure"));
    server.join().unwrap().unwrap();
    // A good certificate is no news.
    let options = trusting(&folder, &ca);
    let (port, server) = serve_tls(ca.issue(names(&["localhost"])).config(), |_, _| {});
    let (dialed, watcher) = try_dial(&target("wss", "localhost", port), &options);
    assert_eq!(dialed.unwrap().stream.tls_info().unwrap().unverified, None);
    assert!(!watcher.said("Notice"));
    server.join().unwrap().unwrap();
}

#[test]
fn a_pinned_key_is_required_even_when_insecure() {
    let (folder, ca) = (Folder::new("pins"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let mut options = trusting(&folder, &ca);
    options.tls.insecure = true;
    let zeros = format!("sha256//{}", data_encoding::BASE64.encode(&[0; 32]));
    options.tls.pinned = zeros.parse().unwrap();
    let (error, _) = tls_error(&options, identity.config(), "localhost");
    let (_, found) = error.what.split_once("sha256//").unwrap();
    options.tls.pinned = format!("{zeros};sha256//{found}").parse().unwrap();
    let (port, server) = serve_tls(identity.config(), |_, _| {});
    try_dial(&target("wss", "localhost", port), &options).0.unwrap();
    server.join().unwrap().unwrap();
}

#[test]
fn versions_that_do_not_meet_are_told() {
    let (folder, ca) = (Folder::new("versions"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    for (server, client) in
        [(&version::TLS13, Versions::Only12), (&version::TLS12, Versions::Only13)]
    {
        let config = builder(&[server])
            .with_no_client_auth()
            .with_single_cert(vec![identity.der.clone()], identity.key_der())
            .unwrap();
        let mut options = trusting(&folder, &ca);
        options.tls.versions = client;
        let (error, _) = tls_error(&options, config, "localhost");
        assert!(error.what.contains("no common version of TLS"), "{error}");
    }
}

#[test]
fn a_protocol_that_we_do_not_speak_is_exit_7() {
    let (folder, ca) = (Folder::new("alpn"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let mut options = trusting(&folder, &ca);
    options.tls.alpn = vec!["h2".to_owned(), "http/1.1".to_owned()];
    for (chosen, exit) in [("h2", Some(Exit::Handshake)), ("http/1.1", None)] {
        let mut config = identity.config();
        config.alpn_protocols = vec![chosen.as_bytes().to_vec()];
        let (port, server) = serve_tls(config, |_, _| {});
        let result = try_dial(&target("wss", "localhost", port), &options).0;
        match result {
            Ok(dialed) => {
                assert_eq!(dialed.stream.tls_info().unwrap().alpn.as_deref(), Some(chosen));
                assert_eq!(exit, None);
            }
            Err(error) => assert_eq!(Some(error.exit), exit),
        }
        server.join().unwrap().unwrap();
    }
    options.tls.alpn = vec!["other".to_owned()];
    let mut config = identity.config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (error, _) = tls_error(&options, config, "localhost");
    assert!(error.what.contains("none of the offered ALPN"), "{error}");
}

fn asking(
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

#[test]
fn a_required_client_certificate_is_asked_for() {
    let (folder, ca) = (Folder::new("client"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let mut options = trusting(&folder, &ca);
    // TLS 1.2: within the handshake.
    let (error, _) = tls_error(&options, asking(&ca, &identity, &version::TLS12), "localhost");
    assert!(error.what.contains("requires a client certificate"), "{error}");
    // TLS 1.3: when we believe to be through already.
    let (port, server) = serve_tls(asking(&ca, &identity, &version::TLS13), |_, _| {});
    let mut stream = try_dial(&target("wss", "localhost", port), &options).0.unwrap().stream;
    let (_, end) = read_all(&mut stream);
    let error = tls_failure(&end.unwrap_err()).unwrap();
    assert_eq!((error.stage, error.exit), (Stage::Tls, Exit::Tls));
    assert!(error.what.contains("requires a client certificate"), "{error}");
    assert!(worded(&error.hints[0]).contains("--cert"));
    drop(stream);
    server.join().unwrap().unwrap_err();

    let client = ca.issue(names(&["me.test"]));
    options.tls.cert = Some(folder.file("cert.pem", &client.pem));
    options.tls.key = Some(folder.file("key.pem", &client.key.serialize_pem()));
    both_versions(&ca, &identity, &options);
    let both = format!("{}{}", client.key.serialize_pem(), client.pem);
    options.tls.cert = Some(folder.file("both.pem", &both));
    options.tls.key = None;
    both_versions(&ca, &identity, &options);

    // Somebody else's certificate is refused.
    let stranger = Ca::new().issue(names(&["me.test"]));
    let both = format!("{}{}", stranger.key.serialize_pem(), stranger.pem);
    options.tls.cert = Some(folder.file("stranger.pem", &both));
    let (error, _) = tls_error(&options, asking(&ca, &identity, &version::TLS12), "localhost");
    assert!(error.what.contains("refuses the client certificate"), "{error}");
}

fn both_versions(ca: &Ca, identity: &Identity, options: &DialOptions) {
    for version in [&version::TLS12, &version::TLS13] {
        let (port, server) = serve_tls(asking(ca, identity, version), |tls, _| {
            assert_eq!(tls.peer_certificates().unwrap().len(), 1);
        });
        try_dial(&target("wss", "localhost", port), options).0.unwrap();
        server.join().unwrap().unwrap();
    }
}

#[test]
fn unusable_files_are_told_before_anything_is_sent() {
    let (folder, ca) = (Folder::new("files"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let cert = folder.file("cert.pem", &identity.pem);
    let tls = TlsOptions { cert: Some(cert), ..TlsOptions::default() };
    let key = |text: &str| TlsOptions {
        key: Some(folder.file(&format!("key{}.pem", text.len()), text)),
        ..tls.clone()
    };
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let other = KeyPair::generate().unwrap().serialize_pem();
    let nothing = vec![folder.file("nothing.pem", "nothing")];
    let cacert = |cacert: Vec<PathBuf>| TlsOptions { cacert, ..TlsOptions::default() };
    let without = TlsOptions { cert: None, ..key(&other) };
    for (tls, exit, words) in [
        (key(encrypted), Exit::Tls, "the private key is encrypted"),
        (key("nothing"), Exit::Usage, "no private key in PEM"),
        (key(&other), Exit::Tls, "doesn't belong to the certificate"),
        (tls.clone(), Exit::Usage, "no private key in PEM"),
        (without, Exit::Usage, "--key without --cert"),
        (cacert(nothing), Exit::Usage, "no certificates"),
        (cacert(vec![folder.0.join("none.pem")]), Exit::Usage, "no certificates"),
    ] {
        let options = DialOptions { tls, ..DialOptions::default() };
        let (result, watcher) = try_dial(&target("wss", "127.0.0.1", 9), &options);
        let error = result.unwrap_err();
        assert_eq!(error.exit, exit, "{error}");
        assert!(error.what.contains(words), "{error}");
        assert!(watcher.said.is_empty());
    }
}

#[test]
fn a_folder_of_certificates_can_be_trusted() {
    let (folder, ca) = (Folder::new("cafolder"), Ca::new());
    folder.file("one.pem", &ca.pem);
    folder.file("two.pem", &Ca::new().pem);
    let tls = TlsOptions { cacert: vec![folder.0.clone()], ..TlsOptions::default() };
    let options = DialOptions { tls, ..DialOptions::default() };
    let (port, server) = serve_tls(ca.issue(names(&["localhost"])).config(), |_, _| {});
    try_dial(&target("wss", "localhost", port), &options).0.unwrap();
    server.join().unwrap().unwrap();
}

/// What a server that doesn't speak TLS (or breaks it) gets said about it.
fn scripted(answer: &'static [u8], reset: bool) -> Error {
    let (folder, ca) = (Folder::new(&format!("scripted{}", answer.len())), Ca::new());
    let (port, server) = serve(move |mut socket| {
        let mut hello = [0; 5];
        socket.read_exact(&mut hello).unwrap();
        socket.write_all(answer).unwrap();
        if reset {
            // What is unread turns the close into a reset.
            return;
        }
        socket.shutdown(Shutdown::Write).unwrap();
        let _ = io::copy(&mut socket, &mut io::sink());
    });
    let result = try_dial(&target("wss", "127.0.0.1", port), &trusting(&folder, &ca)).0;
    server.join().unwrap();
    let error = result.unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Tls, Exit::Tls), "{error}");
    error
}

#[test]
fn servers_without_tls_are_told() {
    let error = scripted(b"HTTP/1.1 400 Bad\x1b Request\r\n\r\n", false);
    assert!(
        error.what.ends_with("speaks plain HTTP, not TLS: \"HTTP/1.1 400 Bad\\x1b Request\""),
        "{error}"
    );
    assert!(worded(&error.hints[0]).contains("ws://"));
    let error = scripted(b"SSH-2.0-x\r\n", false);
    assert!(error.what.ends_with("plain text, not TLS: \"SSH-2.0-x\""), "{error}");
    let error = scripted(b"220", false);
    assert!(error.what.ends_with("plain text, not TLS: \"220\""), "{error}");
    let error = scripted(b"", false);
    assert!(error.what.ends_with("closed the connection in the TLS handshake"), "{error}");
    assert!(worded(&error.hints[0]).contains("ws://"));
    let error = scripted(b"", true);
    assert!(error.what.ends_with("in the TLS handshake"), "{error}");
    let error = scripted(b"\x16\x03\x03\x00\x04garb", false);
    assert!(error.what.contains("the server broke TLS"), "{error}");
}

#[test]
fn alerts_have_their_sentences() {
    let alert = |bytes| scripted(bytes, false).what;
    assert!(alert(b"\x15\x03\x03\x00\x02\x02\x28").contains("no common cipher"));
    assert!(alert(b"\x15\x03\x01\x00\x02\x02\x46").contains("no common version of TLS"));
    assert!(alert(b"\x15\x03\x03\x00\x02\x02\x70").contains("doesn't know the name"));
    assert!(alert(b"\x15\x03\x03\x00\x02\x02\x50").contains("InternalError (80)"));
}

#[test]
fn a_silent_tls_server_is_a_timeout_that_names_tls() {
    let (folder, ca) = (Folder::new("silent"), Ca::new());
    let (release, released) = mpsc::channel::<()>();
    let (port, server) = serve(move |_socket| released.recv());
    let (mut watcher, _waker) = Watcher::new();
    let deadline = Some(Instant::now() + Duration::from_millis(150));
    let target = target("wss", "127.0.0.1", port);
    let error = dial(&target, &trusting(&folder, &ca), deadline, &mut watcher).unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Tls, Exit::Timeout), "{error}");
    assert!(error.what.contains("TLS handshake with 127.0.0.1"), "{error}");
    drop(release);
    server.join().unwrap().unwrap_err();
}

/// A client that is not heard closes first; the session must learn of a server's refusal all the
/// same when its own write is what fails.
#[test]
fn an_alert_is_found_behind_a_failed_write() {
    let (folder, ca) = (Folder::new("lastwords"), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let config = asking(&ca, &identity, &version::TLS13);
    let (closed, is_closed) = mpsc::channel();
    let (port, server) = serve(move |mut socket| {
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        while tls.complete_io(&mut socket).is_ok() {}
        let _ = tls.write_tls(&mut socket);
        drop(socket);
        closed.send(()).unwrap();
    });
    let mut stream =
        try_dial(&target("wss", "localhost", port), &trusting(&folder, &ca)).0.unwrap().stream;
    is_closed.recv().unwrap();
    let error = (0..100).find_map(|_| write_all(&mut stream, &[b'x'; 10_000]).err()).unwrap();
    assert!(tls_failure(&error).unwrap().what.contains("requires a client certificate"));
    server.join().unwrap();
}

// --- proxies ----------------------------------------------------------------------------------

fn through(proxy: &str) -> DialOptions {
    DialOptions { proxy: Some(proxy.parse().unwrap()), ..DialOptions::default() }
}

/// A proxy that expects these bytes and answers those, again and again, and then echoes.
fn scripted_proxy(script: Vec<(Vec<u8>, Vec<u8>)>) -> (u16, JoinHandle<()>) {
    serve(move |mut socket| {
        for (expected, answer) in script {
            let mut got = vec![0; expected.len()];
            socket.read_exact(&mut got).unwrap();
            assert_eq!(got, expected, "{}", String::from_utf8_lossy(&got));
            socket.write_all(&answer).unwrap();
        }
        echo(&mut socket);
    })
}

fn connect_request(login: &str) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "CONNECT far.test:8080 HTTP/1.1\r\nHost: far.test:8080\r\n\
         User-Agent: wstap/{version}\r\n{login}\r\n"
    )
    .into_bytes()
}

fn echoes(mut stream: Stream, early: &[u8]) {
    write_all(&mut stream, b"hello").unwrap();
    stream.shutdown_write().unwrap();
    assert_eq!(read_all(&mut stream).0, [early, b"hello"].concat());
}

#[test]
fn an_http_proxy_connects_us() {
    let login = "Proxy-Authorization: Basic dTpwQHNz\r\n";
    let answer = b"HTTP/1.1 100 Wait\r\n\r\nHTTP/1.0 200 Connection established\r\n\r\nearly";
    let (port, server) = scripted_proxy(vec![(connect_request(login), answer.to_vec())]);
    let options = through(&format!("http://u:p%40ss@127.0.0.1:{port}"));
    let (dialed, watcher) = try_dial(&target("ws", "far.test", 8080), &options);
    let dialed = dialed.unwrap();
    assert!(dialed.timings.proxy.is_some() && dialed.timings.resolve.is_none());
    assert!(watcher.said("HTTP/1.0 200 Connection established"));
    assert!(!watcher.said("p@ss"));
    assert!(dialed.stream.has_buffered(), "a poll can't see what came behind the answer");
    echoes(dialed.stream, b"early");
    server.join().unwrap();
}

#[test]
fn an_http_proxy_refuses_in_its_own_words() {
    for (answer, words, hint) in [
        (
            "HTTP/1.1 403 No\x1bway\r\n\r\n",
            "its status line can't be read: \"HTTP/1.1 403 No\\x1bway\"",
            None,
        ),
        ("HTTP/1.1 403 Nö\r\n\r\n", "it refuses: \"HTTP/1.1 403 Nö\"", None),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "it refuses: \"HTTP/1.1 502 Bad Gateway\"", None),
        (
            "HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n",
            "it refuses: \"HTTP/1.1 407 Login\"",
            Some("--proxy-user"),
        ),
        ("\x05\x00", "its answer is not HTTP", Some("socks5h://")),
    ] {
        let (port, server) =
            scripted_proxy(vec![(connect_request(""), answer.as_bytes().to_vec())]);
        let options = through(&format!("http://127.0.0.1:{port}"));
        let error = try_dial(&target("ws", "far.test", 8080), &options).0.unwrap_err();
        assert_eq!((error.stage, error.exit), (Stage::Proxy, Exit::Connect), "{error}");
        assert!(error.what.contains(words), "{error}");
        assert_eq!(
            error.hints.first().is_some_and(|h| worded(h).contains(hint.unwrap_or("?"))),
            hint.is_some()
        );
        server.join().unwrap();
    }
}

#[test]
fn a_proxy_that_ends_stalls_or_floods_is_told() {
    let (port, server) = serve(|mut socket| {
        socket.read_exact(&mut vec![0; connect_request("").len()]).unwrap();
        socket.write_all(b"HTTP/1.1 2").unwrap();
    });
    let options = through(&format!("http://127.0.0.1:{port}"));
    let error = try_dial(&target("ws", "far.test", 8080), &options).0.unwrap_err();
    assert!(error.what.ends_with("it closed the connection after 10 bytes"), "{error}");
    server.join().unwrap();

    let (port, server) = serve(|mut socket| {
        let flood = [b'x'; 4096];
        socket.write_all(b"HTTP/1.1 200 x\r\nA: ").unwrap();
        while socket.write_all(&flood).is_ok() {}
    });
    let options = through(&format!("http://127.0.0.1:{port}"));
    let error = try_dial(&target("ws", "far.test", 8080), &options).0.unwrap_err();
    assert!(error.what.ends_with("longer than 65536 bytes"), "{error}");
    server.join().unwrap();

    let (release, released) = mpsc::channel::<()>();
    let (port, server) = serve(move |_socket| released.recv());
    for proxy in ["http", "socks5h"] {
        let (mut watcher, _waker) = Watcher::new();
        let deadline = Some(Instant::now() + Duration::from_millis(100));
        let options = through(&format!("{proxy}://127.0.0.1:{port}"));
        let error =
            dial(&target("ws", "far.test", 8080), &options, deadline, &mut watcher).unwrap_err();
        assert_eq!((error.stage, error.exit), (Stage::Proxy, Exit::Timeout), "{error}");
        assert!(error.what.contains(&format!("no answer from {proxy}://127.0.0.1")), "{error}");
    }
    drop(release);
    server.join().unwrap().unwrap_err();

    let port = closed_port();
    let options = through(&format!("http://127.0.0.1:{port}"));
    let error = try_dial(&target("ws", "far.test", 8080), &options).0.unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Proxy, Exit::Connect));
    assert!(error.what.contains("connection refused"), "{error}");
}

/// A SOCKS5 request for far.test:8080 by name.
fn socks_request() -> Vec<u8> {
    [b"\x05\x01\x00\x03\x08far.test", &8080u16.to_be_bytes()[..]].concat()
}

#[test]
fn a_socks_proxy_connects_us_by_name_and_by_address() {
    let granted = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34";
    let (port, server) = scripted_proxy(vec![
        (b"\x05\x01\x00".to_vec(), b"\x05\x00".to_vec()),
        (socks_request(), granted.to_vec()),
    ]);
    let options = through(&format!("socks5h://127.0.0.1:{port}"));
    echoes(try_dial(&target("ws", "far.test", 8080), &options).0.unwrap().stream, b"");
    server.join().unwrap();

    let granted_name = b"\x05\x00\x00\x03\x04name\x12\x34";
    let by_address = b"\x05\x01\x00\x01\xc0\x00\x02\x01\x1f\x90";
    let (port, server) = scripted_proxy(vec![
        (b"\x05\x02\x00\x02".to_vec(), b"\x05\x02".to_vec()),
        (b"\x01\x01u\x01p".to_vec(), b"\x01\x00".to_vec()),
        (by_address.to_vec(), granted_name.to_vec()),
    ]);
    let mut options = through(&format!("socks5://u:p@127.0.0.1:{port}"));
    options.resolve.push("far.test:8080:192.0.2.1".parse().unwrap());
    echoes(try_dial(&target("ws", "far.test", 8080), &options).0.unwrap().stream, b"");
    server.join().unwrap();
}

#[test]
fn a_socks_proxy_refuses_in_words() {
    let hello = |login: bool, answer: &[u8]| match login {
        true => (b"\x05\x02\x00\x02".to_vec(), answer.to_vec()),
        false => (b"\x05\x01\x00".to_vec(), answer.to_vec()),
    };
    let login = |answer: &[u8]| (b"\x01\x01u\x01p".to_vec(), answer.to_vec());
    for (user, script, words) in [
        ("", vec![hello(false, b"\x05\xff")], "nobody without a login"),
        ("u:p@", vec![hello(true, b"\x05\xff")], "none of our logins"),
        ("u:p@", vec![hello(true, b"\x05\x02"), login(b"\x01\x01")], "refuses the user name"),
        ("", vec![hello(false, b"HT")], "not SOCKS5: \"HT\""),
        ("", vec![hello(false, b"\x05\x01")], "login method 1, not offered"),
        (
            "",
            vec![hello(false, b"\x05\x00"), (socks_request(), b"\x05\x02\x00\x01".to_vec())],
            "connection not allowed by ruleset (SOCKS5 reply 2)",
        ),
    ] {
        let (port, server) = scripted_proxy(script);
        let options = through(&format!("socks5h://{user}127.0.0.1:{port}"));
        let error = try_dial(&target("ws", "far.test", 8080), &options).0.unwrap_err();
        assert_eq!((error.stage, error.exit), (Stage::Proxy, Exit::Connect), "{error}");
        assert!(error.what.contains(words), "{error}");
        server.join().unwrap();
    }
}

/// TLS within TLS: the proxy's outside, the target's inside.
#[test]
fn an_https_proxy_carries_the_targets_tls() {
    let (folder, ca) = (Folder::new("httpsproxy"), Ca::new());
    let (inner_port, inner) = serve_tls(ca.issue(names(&["far.test"])).config(), |tls, socket| {
        let mut all = vec![0; 1 << 20];
        let mut stream = rustls::Stream::new(tls, socket);
        stream.read_exact(&mut all).unwrap();
        stream.write_all(&all).unwrap();
        tls.send_close_notify();
        tls.complete_io(socket).unwrap();
        let _ = io::copy(socket, &mut io::sink());
    });
    let (port, outer) = serve_tls(ca.issue(names(&["localhost"])).config(), move |tls, socket| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            rustls::Stream::new(tls, socket).read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        rustls::Stream::new(tls, socket).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        relay(tls, socket, TcpStream::connect((Ipv4Addr::LOCALHOST, inner_port)).unwrap());
    });
    let mut options = trusting(&folder, &ca);
    let mut proxy: wstap::transport::Proxy = format!("https://localhost:{port}").parse().unwrap();
    proxy.tls = options.tls.clone();
    options.proxy = Some(proxy);
    let target = target("wss", "far.test", 443);
    let mut stream = try_dial(&target, &options).0.unwrap().stream;
    let sent: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 253) as u8).collect();
    write_all(&mut stream, &sent).unwrap();
    let (got, end) = read_all(&mut stream);
    assert!(got == sent && end.is_ok(), "{} {end:?}", got.len());
    drop(stream);
    outer.join().unwrap().unwrap();
    inner.join().unwrap().unwrap();
}

/// Copies both ways until either side ends.
fn relay(tls: &mut ServerConnection, outside: &mut TcpStream, mut inside: TcpStream) {
    outside.set_nonblocking(true).unwrap();
    inside.set_nonblocking(true).unwrap();
    let mut buf = [0; 16384];
    let mut to_inside: Vec<u8> = Vec::new();
    loop {
        let inside_flags = match to_inside.is_empty() {
            true => PollFlags::IN,
            false => PollFlags::IN | PollFlags::OUT,
        };
        let outside_flags = match tls.wants_write() {
            true => PollFlags::OUT,
            false => PollFlags::IN,
        };
        let mut fds = [
            PollFd::from_borrowed_fd(outside.as_fd(), outside_flags),
            PollFd::from_borrowed_fd(inside.as_fd(), inside_flags),
        ];
        poll(&mut fds, None).unwrap();
        let blocks = |e: &io::Error| e.kind() == ErrorKind::WouldBlock;
        if tls.wants_write() {
            match tls.write_tls(outside) {
                Err(e) if !blocks(&e) => return,
                _ => {}
            }
        } else {
            match inside.read(&mut buf) {
                Ok(0) => return,
                Ok(n) => tls.writer().write_all(&buf[..n]).unwrap(),
                Err(e) => assert!(blocks(&e), "{e}"),
            }
        }
        match tls.read_tls(outside) {
            Ok(0) => return,
            Ok(_) => {
                tls.process_new_packets().unwrap();
                while let Ok(n @ 1..) = tls.reader().read(&mut buf) {
                    to_inside.extend_from_slice(&buf[..n]);
                }
            }
            Err(e) if blocks(&e) => {}
            Err(_) => return,
        }
        if !to_inside.is_empty() {
            match inside.write(&to_inside) {
                Ok(n) => drop(to_inside.drain(..n)),
                Err(e) => assert!(blocks(&e), "{e}"),
            }
        }
    }
}
