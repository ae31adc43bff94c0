//! Failures that the next attempt would meet again, and ends that were meant.

use std::time::Duration;

use crate::support::run::{Output, Run};
use crate::support::scripted::{ScriptedServer, frame};
use crate::support::tls::Tls;

use super::{attempts, close, nowhere, run};

#[track_caller]
fn ends(server: &ScriptedServer, args: &[&str], code: i32) -> Output {
    let run = run(args, &server.url()).stdin_held_open("");
    let output = run.run().expect_code(code);
    assert_eq!(attempts(&output), 0, "{}", output.stderr);
    assert_eq!(server.seen().connections, 1);
    output
}

#[test]
fn what_would_be_refused_again() {
    for status in ["200 OK", "302 Found", "400 Bad", "401 Who", "403 No", "404 What", "426 Up"] {
        let server = ScriptedServer::start(move |peer| {
            peer.request();
            peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        });
        ends(&server, &[], 6).expect_failure(6, "handshake: upgrade refused: ");
    }
}

/// Through a proxy that answers so, with at most one attempt more.
fn through_proxy(answer: &'static str) -> (usize, Output) {
    let server = ScriptedServer::start(move |peer| {
        peer.request();
        peer.send(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n"));
    });
    let proxy = format!("http://{}", server.address());
    let args = ["--reconnect=1", "--backoff", "1ms..2ms", "--proxy", &proxy, "ws://a.test/"];
    let output = Run::new(args).stdin("").run().expect_code(4);
    (server.finish().connections, output)
}

#[test]
fn a_proxy_that_wants_a_login() {
    assert_eq!(through_proxy("407 Login").0, 1);
    assert_eq!(through_proxy("403 Never").0, 1);
    let (connections, output) = through_proxy("503 Later");
    assert_eq!((connections, attempts(&output)), (2, 1));
}

#[test]
fn a_name_that_may_be_known_later() {
    let args = ["--reconnect=1", "--backoff", "1ms..2ms", "ws://nowhere.invalid/"];
    let output = Run::new(args).stdin("").run().expect_code(3);
    assert_eq!(attempts(&output), 1);
}

#[test]
fn a_certificate_that_is_not_trusted() {
    let server = ScriptedServer::start_tls(&Tls::new(), |peer| peer.stay_silent());
    ends(&server, &[], 5);
}

#[test]
fn a_handshake_that_breaks_the_rules() {
    let server = ScriptedServer::start(|peer| {
        peer.request();
        peer.send("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    });
    ends(&server, &[], 7);
}

#[test]
fn a_peer_that_breaks_the_protocol() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send([0x83, 0x00]);
        peer.frames_until_close();
    });
    ends(&server, &[], 8);
}

#[test]
fn closes_that_were_meant() {
    for (code, args, exit) in [
        (1000, &[][..], 0),
        (1000, &["-n", "1"], 1),
        (1002, &[], 10),
        (1008, &[], 10),
        (4000, &[], 10),
        (1012, &["--ok-close", "1012"], 0),
        (1001, &["--ok-close", "1001"], 0),
    ] {
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            close(peer, code);
        });
        ends(&server, args, exit);
    }
}

#[test]
fn our_own_close() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "enough"));
        peer.frames_until_close();
    });
    ends(&server, &["-n", "1"], 0);
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.frames_until_close();
    });
    ends(&server, &["--duration", "0.05"], 9);
}

#[test]
fn more_often_than_asked_for() {
    let url = format!("ws://{}/", nowhere());
    let args = ["--reconnect=2", "--backoff", "1ms..2ms", &url];
    let output = Run::new(args).stdin("lost\n").run().expect_failure(4, "connect: ");
    let output = output.expect_stderr("! gave up after 2 attempts in a row\n");
    assert_eq!(attempts(&output), 2);
}

#[test]
fn without_the_option() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
    });
    let output = Run::new([server.url()]).stdin_held_open("").run().expect_code(9);
    assert_eq!((attempts(&output), server.finish().connections), (0, 1));
    Run::new(["--backoff", "1", "ws://localhost/"]).run().expect_failure(2, "usage: ");
}

#[test]
fn connections_that_are_dropped_at_once_are_attempts_in_a_row() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "welcome"));
    });
    let args = ["--reconnect=3", "--backoff", "1ms..1m", &server.url()];
    let output = Run::new(args).stdin_held_open("").run();
    output.expect_code(9).expect_stdout("welcome\n".repeat(4));
    let args = ["--reconnect=1", "--backoff", "1ms..2ms", "-n", "6"];
    // Each of these lasts longer than the longest wait, and so the next attempt is the first.
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "welcome"));
        peer.delay(Duration::from_millis(20));
    });
    let url = server.url();
    let run = Run::new(args.into_iter().chain([url.as_str()])).stdin_held_open("");
    run.run().expect_code(0).expect_stdout("welcome\n".repeat(6));
}
