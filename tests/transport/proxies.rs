//! HTTP and SOCKS proxies, over TCP and over TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustls::ServerConnection;

use wstap::error::{Exit, Stage};
use wstap::transport::{DialOptions, Stream, dial};

use crate::rig::{
    Ca, Watcher, echo, names, read_all, serve, serve_tls, target, trusting, try_dial, worded,
    write_all,
};
use crate::support::home::Home;
use crate::support::peers::free_port;

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

    let port = free_port();
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
    let (folder, ca) = (Home::new(), Ca::new());
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
