//! The built-in server, driven by tungstenite's client.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Response;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{Bytes, Error, Message, WebSocket};
use wstap::commands::demo;
use wstap::commands::serve::{Mode, Running, ServeOptions, Server};
use wstap::error::{Exit, Stage};

use crate::support::PATIENCE;
use crate::support::tls::Tls;

type Client = WebSocket<TcpStream>;

fn start(options: ServeOptions) -> Running {
    let options = ServeOptions { address: ":0".into(), ..options };
    Server::bind(&options).unwrap().spawn().unwrap()
}

fn start_mode(mode: Mode) -> Running {
    start(ServeOptions { mode, ..ServeOptions::default() })
}

fn socket(server: &Running) -> TcpStream {
    let (_, address) = server.url().split_once("://").unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

fn handshake(
    server: &Running,
    headers: &[(&'static str, &str)],
) -> Result<(Client, Response), String> {
    let mut request = server.url().into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    tungstenite::client(request, socket(server)).map_err(|error| match error {
        tungstenite::HandshakeError::Failure(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            format!("{} {}", response.status(), String::from_utf8(body).unwrap())
        }
        error => error.to_string(),
    })
}

fn connect(server: &Running) -> Client {
    handshake(server, &[]).unwrap().0
}

fn text(client: &mut Client) -> String {
    match client.read().unwrap() {
        Message::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Reads up to the end of the connection and tells the Close that came.
fn ending<S: Read + Write>(client: &mut WebSocket<S>) -> Option<CloseFrame> {
    let mut close = None;
    loop {
        match client.read() {
            Ok(Message::Close(frame)) => close = frame,
            Ok(other) => panic!("{other:?}"),
            Err(Error::ConnectionClosed) => return close,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn echo_keeps_type_and_bytes() {
    let server = demo::server().unwrap();
    assert!(server.url().starts_with("ws://127.0.0.1:"), "{}", server.url());
    let mut client = connect(&server);
    let large: String = "Grüße 😀 ".repeat(200_000);
    for message in [
        Message::text(""),
        Message::text("hello"),
        Message::binary(Vec::new()),
        Message::binary(vec![0xff, 0x00, 0xfe]),
        Message::text(large),
        Message::binary(vec![7; 12 << 20]),
    ] {
        client.send(message.clone()).unwrap();
        assert!(client.read().unwrap() == message, "not the same");
    }
}

#[test]
fn a_fragmented_message_is_one_message() {
    let server = start_mode(Mode::Echo);
    let mut client = connect(&server);
    let fragment = |text: &'static str, kind, last| {
        Message::Frame(Frame::message(text, OpCode::Data(kind), last))
    };
    client.send(fragment("one ", Data::Text, false)).unwrap();
    client.send(fragment("two ", Data::Continue, false)).unwrap();
    client.send(Message::Ping(Bytes::from_static(b"between"))).unwrap();
    assert_eq!(client.read().unwrap(), Message::Pong(Bytes::from_static(b"between")));
    client.send(fragment("three", Data::Continue, true)).unwrap();
    assert_eq!(text(&mut client), "one two three");
}

#[test]
fn a_ping_is_answered() {
    let server = start_mode(Mode::Sink);
    let mut client = connect(&server);
    client.send(Message::Ping(Bytes::from_static(b"are you there"))).unwrap();
    assert_eq!(client.read().unwrap(), Message::Pong(Bytes::from_static(b"are you there")));
}

#[test]
fn a_close_is_answered_with_its_own_code_and_reason() {
    let server = start_mode(Mode::Echo);
    for close in [
        Some(CloseFrame { code: CloseCode::Library(4321), reason: "enough".into() }),
        Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }),
        None,
    ] {
        let mut client = connect(&server);
        client.send(Message::text("before")).unwrap();
        client.close(close.clone()).unwrap();
        assert_eq!(text(&mut client), "before");
        assert_eq!(ending(&mut client), close);
    }
}

#[test]
fn a_broken_rule_is_answered_with_its_code() {
    let server = start_mode(Mode::Echo);
    for (bytes, code) in [
        (&[0x81, 0x01, b'x'][..], CloseCode::Protocol),
        (&[0xc1, 0x80, 0, 0, 0, 0], CloseCode::Protocol),
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff], CloseCode::Invalid),
        (&[0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], CloseCode::Size),
    ] {
        let mut client = connect(&server);
        client.get_mut().write_all(bytes).unwrap();
        let close = ending(&mut client).unwrap();
        assert_eq!(close.code, code, "{bytes:02x?}");
    }
}

#[test]
fn chat_reaches_everybody_and_its_sender() {
    let server = start_mode(Mode::Chat);
    let mut clients: Vec<Client> = (0..3).map(|_| connect(&server)).collect();
    for sender in 0..3 {
        let said = format!("from {sender}");
        clients[sender].send(Message::text(said.clone())).unwrap();
        for client in &mut clients {
            assert_eq!(text(client), said);
        }
    }
    // One that has gone doesn't disturb the others.
    drop(clients.pop());
    clients[0].send(Message::binary(vec![1, 2, 3])).unwrap();
    for client in &mut clients {
        assert_eq!(client.read().unwrap(), Message::binary(vec![1, 2, 3]));
    }
}

#[test]
fn time_is_told_at_once_and_again() {
    let interval = Duration::from_millis(20);
    let server = start(ServeOptions { mode: Mode::Time, interval, ..ServeOptions::default() });
    let mut client = connect(&server);
    let before = Instant::now();
    let told: Vec<String> = (0..4).map(|_| text(&mut client)).collect();
    assert!(before.elapsed() >= 2 * interval, "{:?}", before.elapsed());
    assert!(told.is_sorted() && told[0] < told[3], "{told:?}");
    assert!(told.iter().all(|time| time.len() == 27 && time.ends_with('Z')), "{told:?}");
}

#[test]
fn a_fast_clock_does_not_run_away() {
    let interval = Duration::from_micros(100);
    let server = start(ServeOptions { mode: Mode::Time, interval, ..ServeOptions::default() });
    let mut client = connect(&server);
    for _ in 0..5000 {
        text(&mut client);
    }
    client.close(None).unwrap();
    while client.read().is_ok() {}
}

#[test]
fn a_sink_counts() {
    let server = start_mode(Mode::Sink);
    let mut client = connect(&server);
    for number in 0..1000 {
        client.write(Message::text(format!("{number:04}"))).unwrap();
    }
    client.write(Message::binary(vec![0; 96])).unwrap();
    client.send(Message::text("END")).unwrap();
    let counts = r#"{"messages":1001,"text":1000,"binary":1,"bytes":4096}"#;
    assert_eq!(text(&mut client), counts);
}

#[test]
fn a_source_sends_its_number_and_closes() {
    let options =
        ServeOptions { mode: Mode::Source, count: 20_000, size: 300, ..ServeOptions::default() };
    let server = start(options.clone());
    let mut client = connect(&server);
    for number in 1..=20_000 {
        let said = text(&mut client);
        assert_eq!(said.len(), 300);
        assert!(said.starts_with(&format!("{number} ")), "{said}");
    }
    assert_eq!(ending(&mut client).unwrap().code, CloseCode::Normal);

    let server = start(ServeOptions { count: 1, size: 3, binary: true, ..options });
    let mut client = connect(&server);
    assert_eq!(client.read().unwrap(), Message::binary(b"1 a".to_vec()));
    assert_eq!(ending(&mut client).unwrap().code, CloseCode::Normal);
}

#[test]
fn truncate_cuts_at_a_character() {
    let server = start(ServeOptions { truncate: Some(4), ..ServeOptions::default() });
    let mut client = connect(&server);
    client.send(Message::text("abcdef")).unwrap();
    assert_eq!(text(&mut client), "abcd");
    client.send(Message::text("abc😀")).unwrap();
    assert_eq!(text(&mut client), "abc");
    client.send(Message::binary(vec![9; 9])).unwrap();
    assert_eq!(client.read().unwrap(), Message::binary(vec![9; 4]));
}

#[test]
fn the_clients_first_allowed_subprotocol_is_chosen() {
    let subprotocols = vec!["chat".into(), "wamp".into()];
    let server = start(ServeOptions { subprotocols, ..ServeOptions::default() });
    let wishes = [("sec-websocket-protocol", "soap, wamp, chat")];
    let (_, response) = handshake(&server, &wishes).unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "wamp");
    // None matches: none is chosen, which this client takes for an error.
    let refused = handshake(&server, &[("sec-websocket-protocol", "soap")]).unwrap_err();
    assert!(refused.contains("SubProtocol"), "{refused}");
}

#[test]
fn other_origins_are_refused_with_a_reason() {
    let origins = vec!["https://good.example".into()];
    let server = start(ServeOptions { origins, ..ServeOptions::default() });
    assert!(handshake(&server, &[("origin", "https://good.example")]).is_ok());
    let refused = handshake(&server, &[("origin", "https://evil.example")]).unwrap_err();
    assert!(refused.starts_with("403 Forbidden"), "{refused}");
    let refused = handshake(&server, &[]).unwrap_err();
    assert!(refused.contains("403 Forbidden"), "{refused}");
}

#[test]
fn a_browser_is_told_what_this_is() {
    let server = start_mode(Mode::Echo);
    let mut socket = socket(&server);
    // In pieces, as a slow network would bring it.
    for piece in ["GET / HT", "TP/1.1\r", "\nHost: localhost\r\n", "\r\n"] {
        socket.write_all(piece.as_bytes()).unwrap();
    }
    socket.shutdown(Shutdown::Write).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{response}");
    assert!(response.contains("wstap's test server"), "{response}");
}

#[test]
fn frames_right_behind_the_request_are_not_lost() {
    let server = start_mode(Mode::Echo);
    let mut socket = socket(&server);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let frames = b"\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0";
    socket.write_all(&[request.as_bytes(), frames].concat()).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    let mut response = Vec::new();
    socket.read_to_end(&mut response).unwrap();
    assert!(response.ends_with(b"\r\n\r\n\x81\x02hi\x88\x00"), "{}", response.escape_ascii());
}

#[test]
fn wss_with_a_certificate() {
    let tls = Tls::new();
    let (cert, key) = (Some(tls.cert.clone()), Some(tls.key.clone()));
    let server = start(ServeOptions { cert, key, ..ServeOptions::default() });
    assert!(server.url().starts_with("wss://127.0.0.1:"), "{}", server.url());

    // Somebody who speaks no TLS gets an alert and ends nothing.
    let mut lost = socket(&server);
    lost.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut alert = Vec::new();
    lost.read_to_end(&mut alert).unwrap();
    assert_eq!(alert.first(), Some(&0x15), "{alert:02x?}");

    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(tls.client_config(), name).unwrap();
    let stream = StreamOwned::new(connection, socket(&server));
    let (mut client, _) = tungstenite::client(server.url(), stream).unwrap();
    for message in [Message::text("secret"), Message::binary(vec![5; 3 << 20])] {
        client.send(message.clone()).unwrap();
        assert!(client.read().unwrap() == message, "not the same");
    }
    for number in 0..20_000 {
        client.write(Message::text(format!("{number}"))).unwrap();
    }
    client.flush().unwrap();
    for number in 0..20_000 {
        assert_eq!(client.read().unwrap(), Message::text(format!("{number}")));
    }
    client.close(None).unwrap();
    assert_eq!(ending(&mut client), None);
}

#[test]
fn many_lines_may_be_written_before_any_is_read() {
    const LINES: usize = 200_000;
    let server = start_mode(Mode::Echo);
    let mut client = connect(&server);
    let line = |number: usize| format!("{number:0100}");
    let before = Instant::now();
    for number in 0..LINES {
        client.write(Message::text(line(number))).unwrap();
    }
    client.flush().unwrap();
    for number in 0..LINES {
        assert_eq!(text(&mut client), line(number));
    }
    println!("{LINES} echoes, all written before any was read: {:?}", before.elapsed());
}

#[test]
fn both_directions_at_once() {
    const LINES: usize = 200_000;
    let server = start_mode(Mode::Echo);
    let mut client = connect(&server);
    let mut frames = Vec::new();
    for _ in 0..LINES {
        frames.extend_from_slice(b"\x81\xe4\0\0\0\0");
        frames.extend_from_slice(&[b'x'; 100]);
    }
    let mut socket = client.get_ref().try_clone().unwrap();
    let before = Instant::now();
    let writer = thread::spawn(move || socket.write_all(&frames).unwrap());
    let mut left = LINES * 102;
    let mut buffer = vec![0; 256 << 10];
    while left > 0 {
        let count = client.get_mut().read(&mut buffer).unwrap();
        assert_ne!(count, 0);
        left -= count;
    }
    writer.join().unwrap();
    println!("{LINES} echoes of 100 bytes: {:?}", before.elapsed());
}

#[test]
fn a_client_that_reads_nothing_stops_only_itself() {
    let server = start_mode(Mode::Echo);
    let stubborn = connect(&server);
    let mut socket = stubborn.get_ref().try_clone().unwrap();
    let (blocked, wait) = mpsc::channel();
    let writer = thread::spawn(move || {
        socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut frame = b"\x82\xff\0\0\0\0\0\x01\0\0\0\0\0\0".to_vec();
        frame.resize(frame.len() + 65_536, 0);
        // The server takes 64 MiB, the kernel some more; then it takes nothing.
        let taken = (0..4096).take_while(|_| socket.write_all(&frame).is_ok()).count();
        blocked.send(taken).unwrap();
    });
    let taken = wait.recv().unwrap();
    writer.join().unwrap();
    assert!((1000..2048).contains(&taken), "{taken} x 64 KiB");
    let mut client = connect(&server);
    client.send(Message::text("still here")).unwrap();
    assert_eq!(text(&mut client), "still here");
}

#[test]
fn stopping_closes_clients_with_1001() {
    let server = start_mode(Mode::Echo);
    let mut client = connect(&server);
    let before = Instant::now();
    let closed = thread::spawn(move || ending(&mut client));
    drop(server);
    assert_eq!(closed.join().unwrap().unwrap().code, CloseCode::Away);
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_port_in_use_is_a_local_failure_with_a_hint() {
    let server = start_mode(Mode::Echo);
    let (_, address) = server.url().split_once("://").unwrap();
    let again = ServeOptions { address: address.into(), ..ServeOptions::default() };
    let error = Server::bind(&again).unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Serve, Exit::Local));
    assert!(error.what.contains(address) && !error.hints.is_empty(), "{error}");
}

#[test]
fn a_certificate_needs_its_key() {
    let tls = Tls::new();
    let alone = ServeOptions { cert: Some(tls.cert.clone()), ..ServeOptions::default() };
    assert_eq!(Server::bind(&alone).unwrap_err().exit, Exit::Usage);
    let swapped =
        ServeOptions { key: Some(tls.cert.clone()), address: ":0".into(), ..alone.clone() };
    let error = Server::bind(&swapped).unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Serve, Exit::Local), "{error}");
    let missing = ServeOptions { cert: Some("none.pem".into()), key: Some("k".into()), ..alone };
    assert!(Server::bind(&missing).unwrap_err().what.starts_with("none.pem: "));
}
