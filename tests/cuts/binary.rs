//! The binary against a server that ends an exchange early: FIN, RST, byte for byte, with TLS also
//! without close_notify. It must end by itself, with the right exit code, say where it was, and
//! have printed every message that was whole.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::support::run::{Output, Run};
use crate::support::scripted::{Peer, ScriptedServer, close_frame, frame, raw_frame};
use crate::support::tls::Tls;

/// So many runs at the same time.
const THREADS: usize = 6;

/// What a run may take; none should take a tenth of it.
const LIMIT: Duration = Duration::from_secs(15);

/// "Hello" as RFC 7692 §7.2.3.1 has it.
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

/// How the server's stream ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// FIN; with TLS without close_notify.
    Fin,
    /// With TLS: close_notify, then FIN.
    Notify,
    /// RST.
    Reset,
    /// Each byte alone, then FIN.
    Dribble,
}

/// What a server sends.
struct Exchange {
    name: &'static str,
    /// `{accept}` is replaced.
    head: String,
    /// Behind a 101.
    frames: Vec<Frame>,
    /// Behind another status.
    body: &'static str,
    /// What the client sends first.
    input: &'static str,
}

struct Frame {
    bytes: Vec<u8>,
    /// The message's type and how many of its frames came, as long as it isn't whole.
    open: Option<(&'static str, usize)>,
    /// The line that is printed once the frame is whole.
    prints: &'static str,
}

fn part(bytes: Vec<u8>, opcode: &'static str, count: usize) -> Frame {
    Frame { bytes, open: Some((opcode, count)), prints: "" }
}

fn whole(bytes: Vec<u8>, prints: &'static str) -> Frame {
    Frame { bytes, open: None, prints }
}

fn close() -> Frame {
    Frame { bytes: close_frame(1000, "bye"), open: None, prints: "" }
}

fn exchanges() -> Vec<Exchange> {
    let opened = |name, headers: &str, frames| Exchange {
        name,
        head: format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {{accept}}\r\n{headers}\r\n"
        ),
        frames,
        body: "",
        input: "",
    };
    let answered = |name, head: &str, body| Exchange {
        name,
        head: head.to_owned(),
        frames: Vec::new(),
        body,
        input: "",
    };
    let deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    vec![
        Exchange {
            input: "hello\n",
            ..opened("echo", "", vec![whole(frame(0x1, "hello"), "hello\n"), close()])
        },
        opened(
            "fragmented",
            "",
            vec![
                part(raw_frame(0x01, "Hel"), "text", 1),
                part(frame(0x9, "ping"), "text", 1),
                part(raw_frame(0x00, ""), "text", 2),
                whole(frame(0x0, "lo"), "Hello\n"),
                close(),
            ],
        ),
        opened(
            "compressed",
            deflate,
            vec![
                whole(raw_frame(0xc1, HELLO), "Hello\n"),
                part(raw_frame(0x41, [0xf2, 0x00]), "text", 1),
                whole(frame(0x0, [0x11, 0x00, 0x00]), "Hello\n"),
                close(),
            ],
        ),
        opened(
            "many frames",
            "",
            vec![
                whole(frame(0x1, "one"), "one\n"),
                whole(frame(0x2, "two"), "two\n"),
                whole(frame(0xa, ""), ""),
                whole(frame(0x1, ""), "\n"),
                close(),
            ],
        ),
        answered("refused", "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n", "no entry\n"),
        answered(
            "refused in chunks",
            "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n",
            "5\r\nlater\r\n3\r\n on\r\n0\r\n\r\n",
        ),
        answered(
            "redirected",
            "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 5\r\n\r\n",
            "there",
        ),
    ]
}

impl Exchange {
    fn bytes(&self, accept: &str) -> (usize, Vec<u8>) {
        let head = self.head.replace("{accept}", accept).into_bytes();
        let frames: Vec<u8> = self.frames.iter().flat_map(|frame| frame.bytes.clone()).collect();
        (head.len(), [&head[..], &frames, self.body.as_bytes()].concat())
    }

    /// Where to cut: every seam and the bytes beside it, and some between.
    fn offsets(&self) -> BTreeSet<usize> {
        let (head, bytes) = self.bytes(ACCEPT);
        let seams = self.frames.iter().scan(head, |at, frame| {
            *at += frame.bytes.len();
            Some(*at)
        });
        let mut offsets: BTreeSet<usize> =
            seams.chain([0, head]).flat_map(|at| [at.saturating_sub(1), at, at + 1]).collect();
        offsets.extend((1..12).map(|part| bytes.len() * part / 12));
        offsets.insert(bytes.len());
        offsets.into_iter().filter(|at| *at <= bytes.len()).collect()
    }

    /// What must come of it when it is cut there: the exit code, what stderr says, stdout.
    fn outcome(&self, at: usize) -> (i32, String, String) {
        let (head, bytes) = self.bytes(ACCEPT);
        let s = if at == 1 { "" } else { "s" };
        if at == 0 {
            return (9, "after 0 bytes, without an answer".to_owned(), String::new());
        }
        if at < head {
            return (9, format!("after {at} byte{s}, in the response head"), String::new());
        }
        if self.frames.is_empty() {
            // The status is told, however much of the body came.
            let status = self.head.split(' ').nth(1).unwrap();
            return (6, status.to_owned(), String::new());
        }
        if at == bytes.len() {
            let printed = self.frames.iter().map(|frame| frame.prints).collect();
            return (0, String::new(), printed);
        }
        let (mut rest, mut open, mut printed) = (at - head, None, String::new());
        for frame in &self.frames {
            let len = frame.bytes.len();
            if rest >= len {
                rest -= len;
                open = frame.open;
                printed.push_str(frame.prints);
                continue;
            }
            let place = match (rest, open) {
                (0, Some((opcode, 1))) => format!("in a {opcode} message, after 1 fragment"),
                (0, Some((opcode, n))) => format!("in a {opcode} message, after {n} fragments"),
                (0, None) => "between two frames".to_owned(),
                (1, _) => "in a frame header, after 1 byte".to_owned(),
                (rest, _) => format!("after {} of {} payload bytes", rest - 2, len - 2),
            };
            return (9, place, printed);
        }
        unreachable!("the cut is behind the last frame");
    }
}

/// As long as any.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn cut(exchange: &Exchange, at: usize, end: End, tls: Option<&Tls>) {
    let (head, frames) = (exchange.head.clone(), exchange.bytes("").1);
    let behind =
        frames[exchange.head.len() - "{accept}".len() * usize::from(head.contains('{'))..].to_vec();
    let wait_for_input = !exchange.input.is_empty();
    let script = move |peer: &mut Peer| {
        let request = peer.request();
        let head = head.replace("{accept}", &request.accept()).into_bytes();
        let mut all = [&head[..], &behind].concat();
        all.truncate(at);
        let rest = all.split_off(all.len().min(head.len()));
        for (number, piece) in [all, rest].into_iter().enumerate() {
            if number == 1 && wait_for_input && at >= head.len() {
                assert_eq!(peer.expect(0x1), "hello");
            }
            // A client that has heard enough is gone.
            let size = if end == End::Dribble { 1 } else { piece.len().max(1) };
            for bytes in piece.chunks(size) {
                let _ = peer.try_send(bytes);
            }
        }
        match end {
            End::Fin | End::Dribble => peer.cut(),
            End::Notify => peer.hang_up(),
            End::Reset => peer.reset(),
        }
    };
    let server = match tls {
        Some(tls) => ScriptedServer::start_tls(tls, script),
        None => ScriptedServer::start(script),
    };
    let mut args = vec![server.url()];
    args.extend(tls.into_iter().flat_map(|tls| ["--cacert".into(), tls.ca.display().to_string()]));
    let output = Run::new(args).stdin_held_open(exchange.input).timeout(LIMIT).run();
    server.finish();
    let (code, says, printed) = exchange.outcome(at);
    // Our answer to the Close frame may meet the reset; the peer's came, and that is what counts.
    let output = output.expect_code(code).expect_stderr(&says);
    // A pipe gets a message as it arrives, so a part of the next one may be there.
    let text = output.text();
    let part = text.strip_prefix(&printed).unwrap_or_else(|| panic!("{text:?} for {printed:?}"));
    let all = exchange.outcome(exchange.bytes(ACCEPT).1.len()).2;
    assert!(all[printed.len()..].starts_with(part) && !part.contains('\n'), "{text:?} of {all:?}");
    sane(&output, code);
    let open = code == 9 && at > exchange.bytes(ACCEPT).0;
    if open && tls.is_some() && matches!(end, End::Fin | End::Dribble) {
        output.expect_stderr("truncated");
    }
}

/// No panic, one line that says what went wrong, nothing raw.
fn sane(output: &Output, code: i32) {
    let stderr = &output.stderr;
    let told = stderr.lines().filter(|line| line.starts_with("wstap: ")).count();
    assert_eq!(told, usize::from(code != 0), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(!stderr.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{stderr:?}");
}

type Job<'a> = (String, Box<dyn FnOnce() + Send + 'a>);

/// Runs all, some at a time, and fails with all that failed.
fn all(jobs: Vec<Job<'_>>) {
    let total = jobs.len();
    let (queue, failures) = (Mutex::new(jobs.into_iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((name, job)) = next else { return };
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(job)) {
                        let text = panic.downcast_ref::<String>().map_or("a panic", |s| s);
                        failures.lock().unwrap().push(format!("=== {name}\n{text}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {total}\n{}", failures.len(), failures.join("\n"));
    eprintln!("{total} runs");
}

#[test]
fn exchanges_are_cut() {
    let exchanges = exchanges();
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for exchange in &exchanges {
        for at in exchange.offsets() {
            for end in [End::Fin, End::Reset, End::Dribble] {
                let name = format!("{}, {end:?} after {at}", exchange.name);
                jobs.push((name, Box::new(move || cut(exchange, at, end, None))));
            }
        }
    }
    assert!(jobs.len() >= 7 * 12 * 3, "{} runs", jobs.len());
    all(jobs);
}

#[test]
fn exchanges_over_tls_are_cut() {
    let (exchanges, tls) = (exchanges(), Tls::new());
    let tls = &tls;
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for exchange in &exchanges {
        for (number, at) in exchange.offsets().into_iter().enumerate() {
            let ends = [End::Fin, End::Notify, End::Reset, End::Dribble];
            // The two that are TLS's own everywhere; the others have been seen without it.
            for (other, end) in ends.into_iter().enumerate() {
                if other < 2 || number % 4 == other {
                    let name = format!("TLS, {}, {end:?} after {at}", exchange.name);
                    jobs.push((name, Box::new(move || cut(exchange, at, end, Some(tls)))));
                }
            }
        }
    }
    all(jobs);
}

/// The bytes of TLS itself are cut: in its handshake, in its records.
#[test]
fn tls_records_are_cut() {
    let tls = Tls::new();
    let whole = relayed(&tls, usize::MAX, End::Fin);
    assert_eq!((whole.0.code(), whole.0.text().as_str()), (0, "hello\n"), "{}", whole.0.stderr);
    let total = whole.1;
    let tls = &tls;
    let mut jobs: Vec<Job<'_>> = Vec::new();
    let mut offsets: BTreeSet<usize> = (0..24).map(|part| total * part / 24).collect();
    offsets.extend([1, 4, 5, 6, 127, 128]);
    for at in offsets {
        for end in [End::Fin, End::Reset, End::Dribble] {
            jobs.push((
                format!("{end:?} after {at} of {total} bytes of TLS"),
                Box::new(move || {
                    let (output, _) = relayed(tls, at, end);
                    let stderr = &output.stderr;
                    let code = output.code();
                    assert!(!output.timed_out && matches!(code, 0 | 5 | 9), "{code}: {stderr}");
                    // Signatures differ in length, so the seams aren't known to the byte.
                    if at < total / 2 {
                        assert_eq!((code, output.text().as_str()), (5, ""), "{stderr}");
                    }
                    let stages = ["wstap: tls: ", "wstap: handshake: ", "wstap: session: "];
                    let told = stages.iter().any(|stage| stderr.contains(stage));
                    assert_eq!(told, code != 0, "{code}: {stderr}");
                    sane(&output, code);
                }),
            ));
        }
    }
    all(jobs);
}

/// Runs through a relay that lets so many of the server's bytes through; tells how many came.
fn relayed(tls: &Tls, most: usize, end: End) -> (Output, usize) {
    let server = ScriptedServer::start_tls(tls, |peer| {
        let request = peer.request();
        let accept = request.accept();
        let _ = peer.try_send(format!(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ));
        let _ = peer.try_send([frame(0x1, "hello"), close_frame(1000, "")].concat());
        peer.stay_silent();
    });
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("wss://localhost:{}/", listener.local_addr().expect("an address").port());
    let to = server.address();
    let relay = thread::spawn(move || relay(&listener, to, most, end));
    let args = [url, "--cacert".to_owned(), tls.ca.display().to_string()];
    let output = Run::new(args).stdin_held_open("").timeout(LIMIT).run();
    let passed = relay.join().expect("the relay");
    // What the server thinks of it doesn't matter.
    let _ = catch_unwind(AssertUnwindSafe(|| server.finish()));
    (output, passed)
}

fn relay(listener: &TcpListener, to: std::net::SocketAddr, most: usize, end: End) -> usize {
    let (mut client, _) = listener.accept().expect("the client");
    client.set_nodelay(true).expect("a socket");
    client.set_read_timeout(Some(LIMIT)).expect("a socket");
    // The cut is TLS's, not the connecting's.
    client.peek(&mut [0]).expect("a ClientHello");
    let mut server = TcpStream::connect(to).expect("the server");
    let (mut from_client, mut to_server) =
        (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    let upwards = thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut passed, mut buffer) = (0, [0; 4096]);
    while passed < most {
        let room = buffer.len().min(most - passed);
        let Ok(count @ 1..) = server.read(&mut buffer[..room]) else { break };
        passed += count;
        let size = if end == End::Dribble { 1 } else { count };
        for piece in buffer[..count].chunks(size) {
            let _ = client.write_all(piece);
        }
    }
    if end == End::Reset {
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("a socket");
        // The last of the two that hold the socket sends it.
        let _ = client.shutdown(Shutdown::Read);
    }
    if end != End::Reset {
        let _ = client.shutdown(Shutdown::Write);
    }
    let _ = upwards.join();
    let _ = server.shutdown(Shutdown::Both);
    passed
}
