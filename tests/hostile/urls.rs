//! What a caller may type: URLs and headers, sensible or not.

use std::net::{Ipv6Addr, TcpListener};
use std::thread;

use crate::case::check_stderr;
use crate::support::home::Home;
use crate::support::pty::Terminal;
use crate::support::run::Run;
use crate::support::scripted::{Peer, ScriptedServer};

fn echo_server() -> ScriptedServer {
    ScriptedServer::start(|peer: &mut Peer| {
        peer.accept();
        peer.echo();
    })
}

/// Exit 2, one line and nothing raw, with pipes, in JSON and on a terminal.
#[track_caller]
fn refused(args: &[&str], says: &str) {
    let output = Run::new(args.iter().copied()).run().expect_code(2);
    assert!(output.stderr.contains(says), "{args:?}: no {says:?} in {}", output.stderr);
    check_stderr(&output, 2);
    let json = Run::new(["--json"].iter().chain(args).copied()).run().expect_code(2);
    // There was no run to tell events of, but the last line is a summary all the same.
    let [summary] = &json.lines()[..] else { panic!("{args:?}: {}", json.text()) };
    let summary: serde_json::Value = serde_json::from_str(summary).expect("JSON");
    assert_eq!((&summary["type"], &summary["exit"]), (&"summary".into(), &2.into()), "{args:?}");
    let mut pty = Terminal::new(args.iter().copied()).env("NO_COLOR", "1").start();
    assert_eq!(pty.wait_exit(crate::support::PATIENCE), 2, "{args:?}: {}", pty.screen());
    crate::support::pty::assert_ours(&pty.output());
    assert!(pty.has_first_modes());
}

#[test]
fn urls_that_are_none() {
    let long = format!("ws://h/{}\u{1b}", "x".repeat(100_000));
    for (url, says) in [
        ("ws://h:0/", "port"),
        ("ws://h:99999/", "port"),
        ("ws://h:65536/", "port"),
        ("ws://h:+80/", "port"),
        ("ws://h:-1/", "port"),
        ("ws://h:80:80/", "port"),
        ("ws://h:8\u{0660}/", "port"),
        ("ws://a b/", "ws://a b/"),
        ("ws://h/a b", "%20"),
        ("ws://h/\u{1b}[2J", "\\x1b[2J"),
        ("ws://h/a\nb", "\\n"),
        ("ws://h/a\r\nX: y", "\\r\\n"),
        ("ws://h/#fragment", "fragment"),
        ("ws://h/#", "fragment"),
        ("ws://", "ws://"),
        ("ws:h", "ws:h"),
        ("://h/", "://h/"),
        ("", "usage"),
        (" ", "usage"),
        ("ws://@/", "usage"),
        ("ws://:80/", "usage"),
        ("ws://[::1/", "ws://[::1"),
        ("ws://::1]/", "usage"),
        ("ws://[]/", "usage"),
        ("ws://[::g]/", "usage"),
        ("ws://[1.2.3.4]/", "usage"),
        ("ws://[::1]x/", "usage"),
        ("ws://[fe80::1%25]/", "usage"),
        ("ws://\u{202e}moc.example/", "\\u{202e}"),
        ("ws://xn--\u{ff}/", "usage"),
        ("ws://%00/", "usage"),
        ("ws://h%zz/", "usage"),
        (&long, "(cut, "),
    ] {
        refused(&[url], says);
    }
}

#[test]
fn urls_that_work() {
    let server = echo_server();
    let port = server.port();
    for (url, line) in [
        (format!("ws://127.0.0.1:{port}"), "GET / HTTP/1.1"),
        (format!("127.0.0.1:{port}/a"), "GET /a HTTP/1.1"),
        (format!("http://127.0.0.1:{port}/a"), "GET /a HTTP/1.1"),
        (format!("WS://LOCALHOST:{port}/"), "GET / HTTP/1.1"),
        (format!("ws://127.0.0.1:0{port}/"), "GET / HTTP/1.1"),
        (format!("ws://127.0.0.1:{port}?a=b"), "GET /?a=b HTTP/1.1"),
        (format!("ws://127.0.0.1:{port}/\u{e4}?\u{20ac}"), "GET /%C3%A4?%E2%82%AC HTTP/1.1"),
        (format!("ws://127.0.0.1:{port}/\u{202e}"), "GET /%E2%80%AE HTTP/1.1"),
        (format!("ws://127.0.0.1:{port}//a/../b"), "GET //b HTTP/1.1"),
        (format!("ws://127.0.0.1:{port}/%0d%0aX:%20y"), "GET /%0d%0aX:%20y HTTP/1.1"),
    ] {
        let output = Run::new(["-E", &url]).run().expect_code(0);
        check_stderr(&output, 0);
        let seen = server.seen().requests;
        assert_eq!(seen.last().expect("a request").line(), line, "{url}");
    }
}

/// Accepts one connection on ::1 and tells the request's Host.
#[test]
fn ipv6_literals_with_and_without_a_zone() {
    use std::io::{BufRead, BufReader};
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        eprintln!("SKIPPED: no IPv6 here");
        return;
    };
    let port = listener.local_addr().expect("an address").port();
    let nowhere = Run::new(["ws://[fe80::1%25no-such-zone]/"]).run();
    nowhere.expect_failure(2, "resolve: no interface \"no-such-zone\"");
    for url in [
        format!("ws://[::1]:{port}/"),
        format!("ws://[0:0:0:0:0:0:0:1]:{port}/"),
        format!("ws://[::1%25lo]:{port}/"),
    ] {
        thread::scope(|scope| {
            let host = scope.spawn(|| {
                let (socket, _) = listener.accept().expect("a connection");
                let lines = BufReader::new(socket).lines().map_while(Result::ok);
                lines.take_while(|line| !line.is_empty()).find(|line| line.starts_with("Host:"))
            });
            // The listener goes away without an answer.
            Run::new([&url]).run().expect_code(9);
            // A zone has a meaning on this machine only (RFC 6874 §4).
            assert_eq!(host.join().unwrap(), Some(format!("Host: [::1]:{port}")), "{url}");
        });
    }
}

#[test]
fn headers_that_are_none() {
    for (header, says) in [
        ("X: a\r\nY: b", "\\r\\n"),
        ("X: a\nb", "\\n"),
        ("X: a\rb", "\\r"),
        ("X\r\nY: b", ""),
        ("no colon", "no colon"),
        ("", "no colon"),
        (": x", "token"),
        ("a b: x", "token"),
        ("X : y", "token"),
        ("\u{e4}: x", "token"),
        ("X: \x1b[31m", "\\x1b[31m"),
        ("X: \x7f", "\\x7f"),
    ] {
        refused(&["-H", header, "ws://h/"], says);
    }
    // An argument can't have NUL in it, a file can.
    let home = Home::new();
    let file = home.file("headers", b"X: a\0b\n");
    refused(&["-H", &format!("@{}", file.display()), "ws://h/"], "\\x00");
}

#[test]
fn raw_headers_go_out_as_they_are() {
    for raw in ["no colon", "X: a\r\nInjected: b", "X : y", ": x", "X: \x1b[2J\x7f", "X: a\nb"] {
        let server = echo_server();
        let output = Run::new(["-E", "-v", "--raw-header", raw, &server.url()]).run();
        check_stderr(&output.expect_code(0), 0);
        let head = &server.finish().requests[0].head;
        assert!(head.contains(&format!("\r\n{raw}\r\n")), "{raw:?} is not in {head:?}");
    }
}
