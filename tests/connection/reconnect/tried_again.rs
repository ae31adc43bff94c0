//! Losses that may pass by themselves: another attempt follows.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::scripted::{Peer, ScriptedServer, frame};
use crate::support::tls::Tls;

use super::{attempts, close, nowhere, run, texts};

#[test]
fn a_server_that_is_not_there_yet() {
    let address = nowhere();
    let mut process = run(&[], &format!("ws://{address}/")).stdin_held_open("early\n").start();
    process.wait_stderr("(attempt 3)");
    let server = ScriptedServer::start_at(address, |peer| {
        peer.accept();
        peer.echo();
    });
    process.wait_stdout("early\n");
    process.close_stdin();
    let output = process.wait().expect_code(0).expect_stdout("early\n");
    assert!(output.stderr.contains(": connection refused; reconnecting in "));
    assert_eq!(output.stderr.matches("* connected to ws://").count(), 1, "{}", output.stderr);
    assert_eq!(texts(&server.finish().frames), ["early"]);
}

#[test]
fn a_server_that_is_killed_and_started_again() {
    let first = ScriptedServer::start(|peer| {
        peer.accept();
        peer.expect(0x1);
    });
    let address = first.address();
    let mut process = run(&[], &first.url()).stdin_held_open("one\n").start();
    process.wait_stderr("without a closing handshake (1006)");
    first.finish();
    process.wait_stderr(": connection refused; reconnecting in ");
    process.write("two\nthree\n");
    let second = ScriptedServer::start_at(address, |peer| {
        peer.accept();
        peer.echo();
    });
    process.wait_stdout("two\nthree\n");
    process.write("four\n");
    process.close_stdin();
    process.wait().expect_code(0).expect_stdout("two\nthree\nfour\n");
    assert_eq!(texts(&second.finish().frames), ["two", "three", "four"]);
}

/// The first connection ends in some way, the second is good.
fn ends_first(end: impl Fn(&mut Peer) + Send + 'static, shown: &str) {
    let server = ScriptedServer::start(move |peer| {
        if peer.number() == 1 {
            end(peer);
            return;
        }
        peer.accept();
        peer.send(frame(0x1, "back"));
        close(peer, 1000);
    });
    let output = run(&[], &server.url()).stdin_held_open("").run().expect_code(0);
    let output = output.expect_stdout("back\n").expect_stderr(shown);
    assert_eq!(attempts(&output), 1, "{}", output.stderr);
    assert!(!output.stderr.contains("wstap: "), "{}", output.stderr);
    server.finish();
}

#[test]
fn a_reset() {
    let reset = |peer: &mut Peer| {
        peer.accept();
        peer.send(&frame(0x1, "half a message")[..5]);
        peer.reset();
    };
    ends_first(reset, "(1006)");
}

#[test]
fn codes_that_speak_of_the_server() {
    for code in [1001, 1011, 1012, 1013, 1014] {
        let closed = move |peer: &mut Peer| {
            peer.accept();
            close(peer, code);
        };
        ends_first(closed, &format!("the peer closed with {code} ("));
    }
}

#[test]
fn an_answer_that_is_cut() {
    let cut = |peer: &mut Peer| {
        peer.request();
        peer.send("HTTP/1.1 101 Swi");
    };
    ends_first(cut, "the server closed the connection after 16 bytes");
}

#[test]
fn refusals_that_may_pass() {
    for status in ["408 Late", "425 Early", "429 Slowly", "500 Oh", "502 Bad", "503 Busy"] {
        let refuse = move |peer: &mut Peer| {
            peer.request();
            peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        };
        ends_first(refuse, &format!("the server answered {status} instead of 101; rec"));
    }
}

#[test]
fn the_same_refusal_is_shown_once() {
    let server = ScriptedServer::start(|peer| {
        let request = peer.request();
        let status = match peer.number() {
            1..=3 => "503 Busy",
            4 => "502 Bad",
            _ => return peer.upgrade(&request, ""),
        };
        peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nbody"));
    });
    let mut process = run(&[], &server.url()).stdin_held_open("").start();
    process.wait_stderr("* connected to ws://");
    process.signal(Signal::INT);
    process.close_stdin();
    let output = process.wait();
    for (line, times) in [("< HTTP/1.1 503", 1), ("< HTTP/1.1 502", 1), ("answered 503", 3)] {
        assert_eq!(output.stderr.matches(line).count(), times, "{line}: {}", output.stderr);
    }
}

#[test]
fn a_server_that_asks_to_be_left_alone() {
    let refuse = |peer: &mut Peer| {
        peer.request();
        peer.send("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
    };
    let began = Instant::now();
    ends_first(refuse, "; reconnecting in 1.00 s (attempt 1)");
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_peer_that_answers_no_pings() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        if peer.number() == 1 {
            peer.stay_silent();
        } else {
            close(peer, 1000);
        }
    });
    let args = ["--ping-interval", "0.05", "--ping-timeout", "0.1"];
    let output = run(&args, &server.url()).stdin_held_open("").run().expect_code(0);
    output.expect_stderr("no pong for 0.1 s (--ping-timeout); reconnecting in ");
}

#[test]
fn a_tls_handshake_that_is_cut() {
    let tls = Tls::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ca = tls.ca.to_str().unwrap();
    let url = format!("wss://{address}/");
    let process = run(&["--cacert", ca], &url).stdin_held_open("").start();
    drop(listener.accept().unwrap());
    process.wait_stderr("in the TLS handshake");
    process.wait_stderr("(attempt 1)");
    drop(listener);
    process.wait_stderr("connection refused; reconnecting");
    process.signal(Signal::TERM);
    process.wait().expect_code(143);
}
