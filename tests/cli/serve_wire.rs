//! What the server does on the wire, and what it shows of it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use rustix::process::Signal;
use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};
use wstap::commands::serve::{Mode, Running, ServeOptions, Server};
use wstap::http::head::HeadLimits;

use crate::support::PATIENCE;
use crate::support::run::{Process, Run};
use crate::support::schema::{SCHEMA, check};
use crate::support::tls::Tls;

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

type Client = WebSocket<MaybeTlsStream<TcpStream>>;

fn start(options: ServeOptions) -> Running {
    Server::bind(&ServeOptions { address: ":0".into(), ..options }).unwrap().spawn().unwrap()
}

fn connect(url: &str) -> Client {
    let (client, _) = tungstenite::connect(url).unwrap();
    let MaybeTlsStream::Plain(socket) = client.get_ref() else { panic!("TLS") };
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    client
}

/// The code of the Close that comes next.
#[track_caller]
fn close_code(client: &mut Client) -> CloseCode {
    match client.read().unwrap() {
        Message::Close(Some(close)) => close.code,
        other => panic!("{other:?}"),
    }
}

/// A raw connection, and what the server answers to a request with these lines.
fn request(url: &str, lines: &str) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(url.split_once("://").unwrap().1).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(format!("{UPGRADE}{lines}\r\n").as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    (socket, String::from_utf8(head).unwrap())
}

/// The binary, and the URL at which it listens.
fn binary(options: &[&str]) -> (Process, String) {
    let server = Run::new(["serve", "127.0.0.1:0"].iter().chain(options)).start();
    server.wait_stdout("listening on ");
    server.wait_stdout("\n");
    let text = server.stdout.text();
    let url = text.split("listening on ").nth(1).unwrap();
    let url = url.split(['"', '\n']).next().unwrap().to_owned();
    (server, url)
}

#[test]
fn compression_is_agreed_on_unless_it_is_switched_off() {
    let line = "all the same ".repeat(100);
    for (deflate, seen) in [(true, true), (false, false)] {
        let server = start(ServeOptions { deflate, ..ServeOptions::default() });
        let run =
            Run::new(["-v", "-n", "2", server.url()]).stdin(format!("{line}\n{line}\n")).run();
        let output = run.expect_code(0).expect_stdout(format!("{line}\n{line}\n"));
        assert_eq!(output.stderr.contains("permessage-deflate)"), seen, "{}", output.stderr);
        assert_eq!(output.stderr.contains("received: compression saved 9"), seen);
    }
    // Parameters that a client may ask for, and a client that asks for nothing.
    let server = start(ServeOptions::default());
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n";
    let (_, head) = request(server.url(), offer);
    assert!(head.contains("permessage-deflate; server_max_window_bits=9\r\n"), "{head}");
    let (_, head) = request(server.url(), "");
    assert!(!head.contains("Extensions"), "{head}");
}

#[test]
fn wss_with_compression() {
    let tls = Tls::new();
    let (cert, key) = (tls.cert.to_str().unwrap(), tls.key.to_str().unwrap());
    let (server, url) = binary(&["--cert", cert, "--key", key, "--json"]);
    let ca = tls.ca.to_str().unwrap();
    let client = Run::new(["-v", "--cacert", ca, "-n", "1", &url]).stdin("hello\n").run();
    let client = client.expect_code(0).expect_stdout("hello\n");
    assert!(client.stderr.contains("permessage-deflate)"), "{}", client.stderr);
    assert!(client.stderr.contains("closed by us with 1000"), "{}", client.stderr);
    server.wait_stdout("\"type\":\"closed\"");
    let tls = server.stdout.text();
    let tls = tls.lines().find(|line| line.contains("\"type\":\"tls\"")).unwrap();
    assert!(tls.contains("\"version\":\"TLSv1.3\""), "{tls}");
}

#[test]
fn dumps_and_events_are_those_of_the_client_with_its_number() {
    let (server, url) = binary(&["-vvv", "--json"]);
    let mut request = url.as_str().into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Bearer hunter2".parse().unwrap());
    let (mut client, _) = tungstenite::connect(request).unwrap();
    client.send(Message::text("hello")).unwrap();
    assert_eq!(client.read().unwrap(), Message::text("hello"));
    let mut second = connect(&url);
    second.close(None).unwrap();
    server.wait_stderr("#2 * closed by the peer");
    server.signal(Signal::TERM);
    assert_eq!(close_code(&mut client), CloseCode::Away);
    let _ = client.flush();
    let output = server.wait().expect_code(0);

    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut types = Vec::new();
    let mut last = None;
    for (at, line) in output.lines().into_iter().enumerate() {
        let event: Value = serde_json::from_str(&line).unwrap();
        check(&schema, &schema, &event).unwrap_or_else(|why| panic!("{why}: {line}"));
        assert_eq!(event["seq"], at + 1);
        let name = event["type"].as_str().unwrap().to_owned();
        if event["client"] == 1 {
            types.push(match event["direction"].as_str() {
                Some(direction) => format!("{name} {direction}"),
                None => name.clone(),
            });
        }
        last = Some(event);
    }
    let last = last.unwrap();
    assert_eq!((&last["type"], &last["exit"]), (&Value::from("summary"), &Value::from(0)));
    assert_eq!(last["totals"]["messages_in"], 1);
    assert_eq!(
        types,
        [
            "notice",
            "request",
            "response",
            "open",
            "frame in",
            "message in",
            "message out",
            "frame out",
            "close out",
            "frame out",
            "frame in",
            "close in",
            "closed"
        ]
        .map(str::to_owned)
    );

    for line in [
        "* for trying and testing",
        "#1 * connected from 127.0.0.1:",
        "#1 < GET / HTTP/1.1",
        "#1 < authorization: ***",
        "#1 > HTTP/1.1 101 Switching Protocols",
        "#1 * opened ws://127.0.0.1:",
        "#1 <f",
        "#1 >f",
        "#1 * sent Close 1001",
        "#1 * closed by us with 1001",
        "#2 * opened ws://127.0.0.1:",
    ] {
        assert!(output.stderr.lines().any(|l| l.starts_with(line)), "{line}\n{}", output.stderr);
    }
    assert!(output.stderr.contains("|hello|"), "{}", output.stderr);
    let all = output.text() + &output.stderr;
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn what_goes_wrong_is_told_without_being_asked_for() {
    let (server, url) = binary(&[]);
    let (mut socket, _) = request(&url, "");
    socket.write_all(b"\x81\x01x").unwrap();
    let mut close = Vec::new();
    socket.read_to_end(&mut close).unwrap();
    assert_eq!((close[0], &close[2..4]), (0x88, &1002_u16.to_be_bytes()[..]), "{close:02x?}");
    drop(socket);
    server.wait_stderr("#1 ! protocol violation by the peer: ");
    let mut plain = TcpStream::connect(url.split_once("://").unwrap().1).unwrap();
    plain.write_all(b"POST / HTTP/1.1\r\n\r\n").unwrap();
    server.wait_stderr("#2 ! refused, 405 Method Not Allowed: the method is not GET");
    drop(plain);
    drop(TcpStream::connect(url.split_once("://").unwrap().1).unwrap());
    server.wait_stderr("#3 ! hung up before the end of its request");
    let (socket, _) = request(&url, "");
    drop(socket);
    server.wait_stderr("#4 ! connection lost without a Close frame (1006)");
    assert!(!server.stderr.text().contains("GET / HTTP/1.1"), "{}", server.stderr.text());
}

#[test]
fn each_limit_is_kept_to() {
    let head_limits = HeadLimits { bytes: 400, headers: 7 };
    let server = start(ServeOptions {
        max_message: Some(10),
        max_fragments: 2,
        head_limits,
        ..ServeOptions::default()
    });
    let mut client = connect(server.url());
    client.send(Message::text("0123456789")).unwrap();
    assert_eq!(client.read().unwrap(), Message::text("0123456789"));
    client.send(Message::text("0123456789a")).unwrap();
    assert_eq!(close_code(&mut client), CloseCode::Size);

    let (mut socket, _) = request(server.url(), "");
    socket.write_all(b"\x01\x80\0\0\0\0\0\x80\0\0\0\0\0\x80\0\0\0\0").unwrap();
    let mut close = [0; 4];
    socket.read_exact(&mut close).unwrap();
    assert_eq!((close[0], &close[2..]), (0x88, &1009_u16.to_be_bytes()[..]));

    for lines in ["A: b\r\nA: b\r\nA: b\r\n".to_owned(), format!("A: {}\r\n", "b".repeat(400))] {
        let (_, head) = request(server.url(), &lines);
        assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    }
}

#[test]
fn the_binary_takes_the_limits() {
    let limits = ["--max-message", "10", "--max-fragments", "2", "--no-deflate"];
    let heads = ["--max-head", "400", "--max-headers", "7"];
    let (_server, url) = binary(&[&limits[..], &heads[..]].concat());
    let mut client = connect(&url);
    client.send(Message::text("0123456789a")).unwrap();
    assert_eq!(close_code(&mut client), CloseCode::Size);
    let (_, head) = request(&url, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assert!(head.starts_with("HTTP/1.1 101 ") && !head.contains("deflate"), "{head}");
    let (_, head) = request(&url, "A: b\r\nA: b\r\nA: b\r\n");
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
}

#[test]
fn two_hundred_clients_at_once() {
    let server = start(ServeOptions::default());
    let mut clients: Vec<Client> = (0..200).map(|_| connect(server.url())).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(Message::text(number.to_string())).unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate().rev() {
        assert_eq!(client.read().unwrap(), Message::text(number.to_string()));
    }
    drop(server);
    for client in &mut clients {
        assert_eq!(close_code(client), CloseCode::Away);
    }
}

#[test]
fn a_client_that_ends_its_direction_still_gets_its_answers() {
    const COUNT: usize = 200;
    let server = start(ServeOptions::default());
    let (mut socket, _) = request(server.url(), "");
    let mut frame = b"\x82\xff\0\0\0\0\0\x01\0\0\0\0\0\0".to_vec();
    frame.resize(frame.len() + 65_536, 7);
    for _ in 0..COUNT {
        socket.write_all(&frame).unwrap();
    }
    socket.shutdown(Shutdown::Write).unwrap();
    let mut answers = Vec::new();
    socket.read_to_end(&mut answers).unwrap();
    assert_eq!(answers.len(), COUNT * (10 + 65_536));
}

#[test]
fn a_chat_goes_on_without_one_that_reads_too_slowly() {
    let server = start(ServeOptions { mode: Mode::Chat, ..ServeOptions::default() });
    let mut slow = connect(server.url());
    let mut quick = connect(server.url());
    // 128 MiB wait for the slow one, and what the kernel holds.
    let said = Message::binary(vec![1; 1 << 20]);
    for _ in 0..160 {
        quick.send(said.clone()).unwrap();
        assert!(quick.read().unwrap() == said, "not the same");
    }
    let heard = (0..160).take_while(|_| slow.read().is_ok()).count();
    assert!(heard < 140, "{heard}");
}

/// A pong that had no room while a large message was on its way out.
#[test]
fn a_ping_behind_a_large_message_is_answered() {
    let server = start(ServeOptions::default());
    let mut client = connect(server.url());
    let large = Message::binary(vec![7; 1 << 20]);
    client.write(large.clone()).unwrap();
    client.send(Message::Ping(b"behind"[..].into())).unwrap();
    assert_eq!(client.read().unwrap(), large);
    assert_eq!(client.read().unwrap(), Message::Pong(b"behind"[..].into()));
}
