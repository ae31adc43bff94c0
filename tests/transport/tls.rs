//! TLS as a stream: data, ends, alerts, versions, and servers that speak something else.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustls::{ServerConnection, version};

use wstap::error::{Error, Exit, Stage};
use wstap::transport::{Versions, dial, tls_failure};

use crate::rig::{
    Ca, Watcher, asking, builder, names, read_all, serve, serve_tls, soon, target, tls_error,
    trusting, try_dial, wait, worded, write_all,
};
use crate::support::home::Home;

#[test]
fn tls_carries_megabytes_both_ways_and_ends_in_order() {
    let (folder, ca) = (Home::new(), Ca::new());
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
    let (folder, ca) = (Home::new(), Ca::new());
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
    let (folder, ca) = (Home::new(), Ca::new());
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
fn versions_that_do_not_meet_are_told() {
    let (folder, ca) = (Home::new(), Ca::new());
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
    let (folder, ca) = (Home::new(), Ca::new());
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

/// What a server that doesn't speak TLS (or breaks it) gets said about it.
fn scripted(answer: &'static [u8], reset: bool) -> Error {
    let (folder, ca) = (Home::new(), Ca::new());
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
    let (folder, ca) = (Home::new(), Ca::new());
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
    let (folder, ca) = (Home::new(), Ca::new());
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
