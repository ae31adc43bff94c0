//! A server that does exactly what a test tells it, however wrong.
//!
//! ```ignore
//! let server = ScriptedServer::start(|peer| {
//!     peer.accept();
//!     peer.send(frame(0x1, b"hello"));
//!     let answer = peer.frame().expect("a frame");
//!     peer.reset();
//! });
//! Run::new([server.url()]).run().expect_code(9);
//! let seen = server.finish();
//! ```

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::{ServerConnection, StreamOwned};
use socket2::SockRef;
use tungstenite::handshake::derive_accept_key;

use super::PATIENCE;
use super::tls::Tls;

/// A server on a free loopback port; its script is run for each connection, one after another.
///
/// A script that fails makes the test fail: in [`ScriptedServer::finish`], or when dropped.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    secure: bool,
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What clients have sent, over all connections.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Connections accepted; with TLS, also those whose handshake failed.
    pub connections: usize,
    /// The requests.
    pub requests: Vec<Request>,
    /// The frames.
    pub frames: Vec<Frame>,
    /// What went wrong with TLS handshakes.
    pub tls_errors: Vec<String>,
}

impl ScriptedServer {
    /// A ws:// server.
    pub fn start(script: impl FnMut(&mut Peer) + Send + 'static) -> ScriptedServer {
        ScriptedServer::listen("127.0.0.1:0", None, script)
    }

    /// A ws:// server where another one was before, or will be.
    pub fn start_at(
        address: SocketAddr,
        script: impl FnMut(&mut Peer) + Send + 'static,
    ) -> ScriptedServer {
        ScriptedServer::listen(address, None, script)
    }

    /// A wss:// server.
    pub fn start_tls(tls: &Tls, script: impl FnMut(&mut Peer) + Send + 'static) -> ScriptedServer {
        ScriptedServer::listen("127.0.0.1:0", Some(tls), script)
    }

    fn listen(
        address: impl ToSocketAddrs,
        tls: Option<&Tls>,
        mut script: impl FnMut(&mut Peer) + Send + 'static,
    ) -> ScriptedServer {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let config = tls.map(Tls::server_config);
        let secure = config.is_some();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (record, stopped) = (seen.clone(), stop.clone());
        let thread = thread::spawn(move || {
            loop {
                let (socket, _) = listener.accept().expect("a connection");
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                socket.set_nodelay(true).expect("an open socket");
                socket.set_read_timeout(Some(PATIENCE)).expect("an open socket");
                socket.set_write_timeout(Some(PATIENCE)).expect("an open socket");
                record.lock().unwrap().connections += 1;
                let stream = match &config {
                    None => Stream::Plain(socket),
                    Some(config) => {
                        let tls = ServerConnection::new(config.clone()).expect("a TLS server");
                        let mut stream = StreamOwned::new(tls, socket);
                        if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
                            record.lock().unwrap().tls_errors.push(error.to_string());
                            continue;
                        }
                        Stream::Tls(Box::new(stream))
                    }
                };
                let number = record.lock().unwrap().connections;
                let mut peer =
                    Peer { number, stream: Some(stream), unread: Vec::new(), seen: record.clone() };
                script(&mut peer);
                peer.hang_up();
            }
        });
        ScriptedServer { address, secure, seen, stop, thread: Some(thread) }
    }

    /// What to connect to; with a name, so that TLS has one to check.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://localhost:{}/", self.port())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What has been seen so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Waits for the end of the script that is running, and tells what was seen.
    pub fn finish(mut self) -> Seen {
        self.join();
        self.seen()
    }

    fn join(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.stop.store(true, Ordering::SeqCst);
        // The thread may be waiting for a connection.
        drop(TcpStream::connect(self.address));
        if let Err(panic) = thread.join()
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.join();
    }
}

/// A request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// As it came, the empty line included.
    pub head: String,
}

impl Request {
    /// `GET /path HTTP/1.1`.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The value of the first field of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All fields in order, names as typed.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.head.lines().skip(1);
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
    }

    /// The Sec-WebSocket-Accept that answers its key.
    pub fn accept(&self) -> String {
        derive_accept_key(self.header("sec-websocket-key").expect("a key").as_bytes())
    }
}

/// A frame as a client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// FIN.
    pub fin: bool,
    /// RSV1 to RSV3 as a number: 4, 2, 1.
    pub rsv: u8,
    /// The opcode's four bits.
    pub opcode: u8,
    /// The masking key.
    pub mask: Option<[u8; 4]>,
    /// The payload, unmasked.
    pub payload: Vec<u8>,
    /// The header's bytes, the masking key included.
    pub header: Vec<u8>,
}

impl Frame {
    /// The payload as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    /// For a Close frame: its code, if it has one.
    pub fn close_code(&self) -> Option<u16> {
        self.payload.first_chunk().map(|code| u16::from_be_bytes(*code))
    }
}

/// An unmasked frame with FIN, in the shortest form: `frame(0x1, b"text")`.
pub fn frame(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    raw_frame(0x80 | opcode, payload)
}

/// The same with all bits of the first byte chosen.
pub fn raw_frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(len as u8),
        len @ 126..=0xffff => {
            bytes.push(126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// A Close frame.
pub fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    frame(0x8, [&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// Lets a script wait until the test says go. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate::default()
    }

    /// Opens it for good.
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open.
    #[track_caller]
    pub fn wait(&self) {
        let open = self.0.0.lock().unwrap();
        let (open, _) = self.0.1.wait_timeout_while(open, PATIENCE, |open| !*open).unwrap();
        assert!(*open, "nobody opened the gate");
    }
}

/// The server's end of a connection.
#[derive(Debug)]
pub struct Peer {
    number: usize,
    stream: Option<Stream>,
    unread: Vec<u8>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Peer {
    /// Counts the connections from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Reads a request's head and records it.
    #[track_caller]
    pub fn request(&mut self) -> Request {
        let end = loop {
            if let Some(at) = memchr::memmem::find(&self.unread, b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.read_more(), "no request, but {:?}", self.unread.escape_ascii());
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let request = Request { head: String::from_utf8_lossy(&head).into_owned() };
        self.seen.lock().unwrap().requests.push(request.clone());
        request
    }

    /// Answers a request with a good 101; `headers` are added: `"Name: value\r\n"`.
    #[track_caller]
    pub fn upgrade(&mut self, request: &Request, headers: &str) {
        let accept = request.accept();
        self.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
        ));
    }

    /// Reads a request and answers it with a good 101.
    #[track_caller]
    pub fn accept(&mut self) -> Request {
        let request = self.request();
        self.upgrade(&request, "");
        request
    }

    /// Sends bytes; fails if the client is gone.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the client takes bytes");
    }

    /// Sends bytes.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        match stream {
            Stream::Plain(socket) => socket.write_all(bytes.as_ref()),
            Stream::Tls(tls) => tls.write_all(bytes.as_ref()).and_then(|()| tls.flush()),
        }
    }

    /// Sends bytes in pieces of that size, each a segment (and a TLS record) of its own.
    #[track_caller]
    pub fn send_in_pieces(&mut self, bytes: impl AsRef<[u8]>, size: usize) {
        for piece in bytes.as_ref().chunks(size) {
            self.send(piece);
        }
    }

    /// Reads and records the next frame; none at the end of the stream.
    #[track_caller]
    pub fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) = parse(&self.unread) {
                self.unread.drain(..len);
                self.seen.lock().unwrap().frames.push(frame.clone());
                return Some(frame);
            }
            if !self.read_more() {
                assert!(self.unread.is_empty(), "half a frame: {:?}", self.unread);
                return None;
            }
        }
    }

    /// Reads the next frame, which must have that opcode, and gives its payload as text.
    #[track_caller]
    pub fn expect(&mut self, opcode: u8) -> String {
        let frame = self.frame().expect("a frame");
        assert_eq!(frame.opcode, opcode, "{frame:?}");
        frame.text()
    }

    /// Reads frames up to and with a Close, or up to the end of the stream.
    #[track_caller]
    pub fn frames_until_close(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.frame() {
            let last = frame.opcode == 0x8;
            frames.push(frame);
            if last {
                break;
            }
        }
        frames
    }

    /// Sends every data message back and answers pings, up to the client's Close, which it answers.
    #[track_caller]
    pub fn echo(&mut self) {
        while let Some(received) = self.frame() {
            let first = match received.opcode {
                0x9 => 0x8a,
                0xa => continue,
                opcode => opcode | if received.fin { 0x80 } else { 0 },
            };
            self.send(raw_frame(first, &received.payload));
            if received.opcode == 0x8 {
                return;
            }
        }
    }

    /// Takes its time. Only for what a test says of time; to wait for an event there is [`Gate`].
    pub fn delay(&mut self, time: Duration) {
        thread::sleep(time);
    }

    /// Says and does nothing more until the client is gone.
    pub fn stay_silent(&mut self) {
        while self.stream.is_some() && self.read_more() {
            self.unread.clear();
        }
    }

    /// Ends the connection in an orderly way (close_notify, FIN), after the client has done so too
    /// or 2 s have gone. Happens by itself at the end of a script.
    pub fn hang_up(&mut self) {
        if let Some(Stream::Tls(tls)) = &mut self.stream {
            tls.conn.send_close_notify();
            let _ = tls.conn.complete_io(&mut tls.sock);
        }
        self.cut();
    }

    /// Sends FIN; with TLS there is no close_notify before it.
    pub fn cut(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        let mut socket = stream.into_socket();
        let _ = socket.shutdown(Shutdown::Write);
        let _ = socket.set_read_timeout(Some(Duration::from_millis(200)));
        let end = Instant::now() + Duration::from_secs(2);
        // Closing a socket with unread bytes would send RST.
        let mut buffer = [0; 4096];
        while Instant::now() < end {
            match socket.read(&mut buffer) {
                Ok(count) if count > 0 => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    }

    /// Sends RST; what the client hasn't read yet is lost to it.
    pub fn reset(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        let socket = stream.into_socket();
        SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("an open socket");
    }

    /// Reads some bytes; false at the end of the stream.
    #[track_caller]
    pub fn read_more(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        let result = match self.stream.as_mut().expect("an open connection") {
            Stream::Plain(socket) => socket.read(&mut buffer),
            Stream::Tls(tls) => tls.read(&mut buffer),
        };
        match result {
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                count > 0
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => panic!("the client sent nothing for {PATIENCE:?}"),
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => false,
                _ => panic!("reading from the client: {error}"),
            },
        }
    }
}

impl Stream {
    fn into_socket(self) -> TcpStream {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => tls.sock,
        }
    }
}

/// The frame that the bytes begin with, and its length; written apart from the crate's own parser.
fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (len, mut at) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        len => (u64::from(len), 2),
    };
    let mask = if second & 0x80 == 0 { None } else { Some(*bytes.get(at..)?.first_chunk()?) };
    at += if mask.is_some() { 4 } else { 0 };
    let end = at + usize::try_from(len).ok()?;
    let mut payload = bytes.get(at..end)?.to_vec();
    let key = mask.unwrap_or_default();
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    let (fin, rsv, opcode) = (first & 0x80 != 0, first >> 4 & 7, first & 0xf);
    let header = bytes.get(..at)?.to_vec();
    Some((Frame { fin, rsv, opcode, mask, payload, header }, end))
}
