//! TLS cut at every byte that a server sends, in process: its handshake, its records, its end. What
//! is read is a beginning of what was sent, and how it ended is told.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;

use crate::support::PATIENCE;
use crate::support::tls::Tls;
use wstap::error::{Error, Exit};
use wstap::event::Event;
use wstap::transport::{DialOptions, Progress, Stream, Target, TlsOptions, dial};

/// What is sent: a head, a message in two records, a Close frame.
const SENT: [&[u8]; 4] = [
    b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"\x01\x03Hel",
    b"\x80\x02lo",
    b"\x88\x02\x03\xe8",
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Fin,
    Reset,
    /// Each byte alone, then FIN.
    Dribble,
}

struct Nobody(UnixStream);

impl Progress for Nobody {
    fn event(&mut self, _: Event<'_>) {}

    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }

    fn interrupted(&mut self) -> Option<Error> {
        None
    }
}

/// Lets so many bytes through and then ends the stream.
struct Cut {
    socket: TcpStream,
    left: usize,
    sent: usize,
    end: End,
}

impl Cut {
    /// False once it is at its end.
    fn send(&mut self, bytes: &[u8]) -> bool {
        let bytes = &bytes[..bytes.len().min(self.left)];
        let size = if self.end == End::Dribble { 1 } else { bytes.len().max(1) };
        for piece in bytes.chunks(size) {
            // The client may have heard enough.
            let _ = self.socket.write_all(piece);
        }
        self.left -= bytes.len();
        self.sent += bytes.len();
        self.left > 0
    }
}

/// Speaks TLS until it is cut, or to its end; gives how many bytes went out.
fn serve(socket: TcpStream, config: Arc<ServerConfig>, at: usize, end: End) -> usize {
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut tls = ServerConnection::new(config).unwrap();
    let mut cut = Cut { socket, left: at, sent: 0, end };
    let mut parts = SENT.iter();
    'speaking: loop {
        while tls.wants_write() {
            let mut bytes = Vec::new();
            tls.write_tls(&mut bytes).unwrap();
            if !cut.send(&bytes) {
                break 'speaking;
            }
        }
        if tls.is_handshaking() {
            match tls.read_tls(&mut cut.socket) {
                Ok(1..) if tls.process_new_packets().is_ok() => continue,
                _ => break,
            }
        }
        match parts.next() {
            Some(part) => tls.writer().write_all(part).unwrap(),
            None if tls.wants_write() => {}
            None => {
                tls.send_close_notify();
                let mut bytes = Vec::new();
                while tls.wants_write() {
                    tls.write_tls(&mut bytes).unwrap();
                }
                cut.send(&bytes);
                break;
            }
        }
    }
    if end == End::Reset {
        SockRef::from(&cut.socket).set_linger(Some(Duration::ZERO)).unwrap();
    } else {
        let _ = cut.socket.shutdown(Shutdown::Write);
        // Closing a socket with unread bytes would send RST.
        let _ = io::copy(&mut cut.socket, &mut io::sink());
    }
    cut.sent
}

/// Reads until the end or an error.
fn read_all(stream: &mut Stream) -> (Vec<u8>, io::Result<()>) {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (all, Ok(())),
            Ok(n) => all.extend_from_slice(&buffer[..n]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                let mut fds = [PollFd::from_borrowed_fd(stream.fd(), PollFlags::IN)];
                let limit = PATIENCE.try_into().unwrap();
                assert_ne!(poll(&mut fds, Some(&limit)).unwrap(), 0, "nothing came");
            }
            Err(e) => return (all, Err(e)),
        }
    }
}

#[test]
fn tls_is_cut_at_every_byte() {
    let tls = Tls::new();
    let config = tls.server_config();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel::<(usize, End)>();
    let (answer, answered) = mpsc::channel();
    let server = thread::spawn(move || {
        for (at, end) in told {
            let (socket, _) = listener.accept().unwrap();
            answer.send(serve(socket, config.clone(), at, end)).unwrap();
        }
    });
    let cacert = vec![tls.ca.clone()];
    let options = DialOptions {
        tls: TlsOptions { cacert, ..TlsOptions::default() },
        ..DialOptions::default()
    };
    let target = Target::parse(&format!("wss://127.0.0.1:{port}/")).unwrap().0;
    let whole = SENT.concat();
    let run = |at: usize, end: End| {
        tell.send((at, end)).unwrap();
        let (wake, _waker) = UnixStream::pair().unwrap();
        let dialed = dial(&target, &options, Some(Instant::now() + PATIENCE), &mut Nobody(wake));
        let result = dialed.map(|dialed| {
            let mut stream = dialed.stream;
            read_all(&mut stream)
        });
        let sent = answered.recv_timeout(PATIENCE).expect("the server ends");
        (sent, result)
    };
    let (total, result) = run(usize::MAX, End::Fin);
    let (read, end) = result.expect("a connection");
    assert_eq!((read.as_slice(), end.is_ok()), (&whole[..], true), "{end:?}");
    // The lengths of signatures vary by some bytes, so the last of them are beyond some runs' ends.
    let mut opened = 0;
    let mut runs = 0;
    for at in 0..total {
        for end in [End::Fin, End::Reset, End::Dribble] {
            if end == End::Dribble && at % 16 != 0 {
                continue;
            }
            let place = format!("{end:?} after {at} of {total}");
            runs += 1;
            match run(at, end).1 {
                Err(error) => {
                    assert_eq!(error.exit, Exit::Tls, "{place}: {error:?}");
                    assert!(opened == 0 || at < total / 2 + total / 3, "{place}: {error:?}");
                }
                Ok((read, how)) => {
                    opened += 1;
                    assert!(whole.starts_with(&read), "{place}: {read:?}");
                    let kind = how.err().map(|e| e.kind());
                    match (end, kind) {
                        // Only where the run's own end came before the cut.
                        (_, None) => assert!(at + 16 > total && read == whole, "{place}"),
                        (End::Reset, Some(kind)) => assert!(
                            matches!(kind, ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof),
                            "{place}: {kind:?}"
                        ),
                        (_, Some(kind)) => assert_eq!(kind, ErrorKind::UnexpectedEof, "{place}"),
                    }
                }
            }
        }
    }
    drop(tell);
    server.join().unwrap();
    assert!(runs > 2_000 && opened > 200, "{runs} runs, {opened} opened");
    eprintln!("{runs} runs over {total} bytes, {opened} connections");
}
