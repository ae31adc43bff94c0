//! The rigs themselves: what they claim to do to a client, they do.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use tungstenite::{Error, Message};

use crate::support::PATIENCE;
use crate::support::pty::Terminal;
use crate::support::run::Run;
use crate::support::scripted::{Gate, ScriptedServer, close_frame, frame};
use crate::support::tls::Tls;

fn connect(server: &ScriptedServer) -> tungstenite::WebSocket<TcpStream> {
    let socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    tungstenite::client(server.url(), socket).unwrap().0
}

#[test]
fn a_script_reads_records_and_answers() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, b"welcome"));
        assert_eq!(peer.expect(0x1), "hello");
        peer.send_in_pieces([frame(0x2, vec![7; 70_000]), frame(0x9, b"p")].concat(), 9_000);
        assert_eq!(peer.expect(0xa), "p");
        peer.send(close_frame(4000, "bye"));
        assert_eq!(peer.frames_until_close().len(), 1);
    });
    let mut client = connect(&server);
    assert_eq!(client.read().unwrap(), Message::text("welcome"));
    client.send(Message::text("hello")).unwrap();
    assert_eq!(client.read().unwrap(), Message::binary(vec![7; 70_000]));
    assert!(client.read().unwrap().is_ping());
    let Message::Close(Some(close)) = client.read().unwrap() else { panic!("no Close") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4000, "bye"));
    assert!(matches!(client.read(), Err(Error::ConnectionClosed)));
    let seen = server.finish();
    assert_eq!((seen.connections, seen.frames.len()), (1, 3));
    assert_eq!(seen.requests[0].line(), "GET / HTTP/1.1");
    assert_eq!(seen.requests[0].header("UPGRADE"), Some("websocket"));
    assert_eq!(seen.frames[2].close_code(), Some(4000));
    assert!(seen.frames.iter().all(|f| f.mask.is_some() && f.fin && f.rsv == 0));
}

#[test]
fn a_reset_is_a_reset_and_a_cut_is_an_end() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        if peer.number() == 1 { peer.reset() } else { peer.cut() }
    });
    let mut client = connect(&server);
    match client.read() {
        Err(Error::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        other => panic!("{other:?}"),
    }
    let mut client = connect(&server);
    assert_eq!(client.get_mut().read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_gate_holds_until_it_opens() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = ScriptedServer::start(move |peer| {
        let request = peer.request();
        held.wait();
        peer.upgrade(&request, "");
        peer.echo();
    });
    let mut socket = TcpStream::connect(server.address()).unwrap();
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    write!(socket, "GET / HTTP/1.1\r\nSec-WebSocket-Key: {key}\r\n\r\n").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    gate.open();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut response = [0; 12];
    socket.read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 101");
}

#[test]
#[should_panic(expected = "nothing like that")]
fn a_script_that_fails_fails_the_test() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        panic!("nothing like that");
    });
    let mut client = connect(&server);
    let _ = client.read();
    server.finish();
}

#[test]
fn a_script_over_tls() {
    let tls = Tls::new();
    let server = ScriptedServer::start_tls(&tls, |peer| {
        peer.accept();
        peer.echo();
    });
    // Whoever doesn't get through TLS is recorded, and the next one served.
    TcpStream::connect(server.address()).unwrap().write_all(b"not TLS at all").unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(tls.client_config(), name).unwrap();
    let socket = TcpStream::connect(server.address()).unwrap();
    let stream = StreamOwned::new(connection, socket);
    let (mut client, _) = tungstenite::client(server.url(), stream).unwrap();
    client.send(Message::text("hello")).unwrap();
    assert_eq!(client.read().unwrap(), Message::text("hello"));
    client.close(None).unwrap();
    while client.read().is_ok() {}
    let seen = server.finish();
    assert_eq!((seen.connections, seen.tls_errors.len()), (2, 1));
}

#[test]
fn a_run_tells_all() {
    let script = "cat; echo \"$HOME $1\" >&2; exit 3";
    let output = Run::program("/bin/sh", ["-c", script, "-", "x"]).stdin("in\n").run();
    let output = output.expect_code(3).expect_stdout("in\n").expect_stderr(" x\n");
    assert!(output.stderr.starts_with(env!("CARGO_TARGET_TMPDIR")), "{}", output.stderr);
    let late = Run::program("/bin/sh", ["-c", "read x; echo never"])
        .stdin_held_open("")
        .timeout(Duration::from_millis(300))
        .run();
    assert!(late.timed_out && late.stdout.is_empty());
    let mut process =
        Run::program("/bin/sh", ["-c", "read x; echo $x; read y"]).stdin_held_open("").start();
    process.write("typed\n");
    process.wait_stdout("typed\n");
    process.close_stdin();
    process.wait().expect_code(1);
}

#[test]
fn a_terminal_shows_a_screen() {
    let script = "stty size; printf '\\033]0;title\\007\\033]52;c;aGk=\\007'; read x; \
                  printf '\\033[5;3Hgot %s' \"$x\"; read y; stty size; stty raw; read z; exit 7";
    let mut pty = Terminal::program("/bin/sh", ["-c", script]).size(10, 40).start();
    pty.wait_text("10 40");
    pty.line("keys");
    pty.wait_for(|screen| screen.contents().contains("  got keys"), PATIENCE);
    assert_eq!(pty.lines()[4], "  got keys");
    assert_eq!(pty.cursor(), (4, 10));
    assert!(pty.is_cooked());
    pty.resize(20, 60);
    pty.line("");
    pty.wait_text("20 60");
    let requests = pty.requests();
    assert!(requests.titles.contains(&"title".into()), "{requests:?}");
    assert_eq!(requests.clipboard, ["aGk="]);
    pty.send("\n");
    assert_eq!(pty.wait_exit(PATIENCE), 7);
    pty.wait_output("got keys");
    assert!(!pty.is_cooked());
}
