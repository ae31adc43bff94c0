//! Counts, limits and queued messages go on from one connection to the next.

use std::time::Duration;

use crate::support::PATIENCE;
use crate::support::run::Run;
use crate::support::scripted::{Gate, ScriptedServer, frame};

use super::{NEVER, close, nowhere, run, texts};

/// Each connection brings a message and is cut.
fn one_each() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, peer.number().to_string()));
        if peer.number() == 5 {
            peer.echo();
        }
    })
}

#[test]
fn messages_are_counted() {
    let server = one_each();
    let output = run(&["-n", "4"], &server.url()).stdin("").run().expect_code(0);
    output.expect_stdout("1\n2\n3\n4\n");
}

#[test]
fn a_pattern_is_waited_for() {
    let server = one_each();
    let output = run(&["--until", "3"], &server.url()).stdin("").run().expect_code(0);
    output.expect_stdout("1\n2\n3\n");
}

#[test]
fn the_duration_goes_on() {
    let server = one_each();
    let output = run(&["--duration", "1"], &server.url()).stdin("").run().expect_code(0);
    let output = output.expect_stdout("1\n2\n3\n4\n5\n");
    assert!(output.elapsed >= Duration::from_secs(1));
    assert!(output.elapsed < Duration::from_secs(5));
}

#[test]
fn the_duration_ends_a_wait_with_the_failure() {
    let server = one_each();
    let args = ["--duration", "0.3", &server.url()];
    let output = Run::new(NEVER.into_iter().chain(args)).stdin("").run();
    let output = output.expect_failure(9, "session: the peer ended the connection");
    assert!(output.elapsed < Duration::from_secs(5));
}

#[test]
fn the_whole_time_ends_a_wait() {
    let args = ["-m", "0.2", &format!("ws://{}/", nowhere())];
    let output = Run::new(NEVER.into_iter().chain(args)).stdin("").run();
    let output = output.expect_failure(11, "session: not done within 0.2 s (--max-time)");
    output.expect_stderr("because: 127.0.0.1:").expect_stderr("connection refused\n");
}

#[test]
fn everything_is_asked_for_again() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!((peer.expect(0x1), peer.expect(0x1)), ("one".into(), "two".into()));
        if peer.number() == 2 {
            peer.send(frame(0x1, "done"));
            close(peer, 1000);
        }
    });
    let args = ["-x", "one", "-x", "two", "-H", "X-Mine: 1", "-s", "a,b", "-n", "1"];
    let output = run(&args, &server.url()).stdin("").run().expect_code(0);
    output.expect_stdout("done\n");
    let seen = server.finish();
    assert_eq!(seen.requests.len(), 2);
    for request in &seen.requests {
        assert_eq!(request.header("x-mine"), Some("1"));
        assert_eq!(request.header("sec-websocket-protocol"), Some("a, b"));
    }
    let key = |n: usize| seen.requests[n].header("sec-websocket-key").unwrap().to_owned();
    assert_ne!(key(0), key(1));
}

#[test]
fn lines_that_wait_go_once_and_in_order_to_the_next() {
    let lost = Gate::new();
    let come_back = lost.clone();
    let server = ScriptedServer::start(move |peer| {
        let request = peer.request();
        if peer.number() == 2 {
            come_back.wait();
        }
        peer.upgrade(&request, "");
        match peer.number() {
            1 => drop(peer.expect(0x1)),
            _ => peer.echo(),
        }
    });
    let mut process = run(&["--no-deflate"], &server.url()).stdin_held_open("first\n").start();
    process.wait_stderr("(attempt 1)");
    let lines: String = (0..5_000).map(|n| format!("line {n}\n")).collect();
    process.write("early\n");
    lost.open();
    process.write(&lines);
    process.close_stdin();
    let output = process.wait().expect_code(0);
    assert!(output.text() == format!("early\n{lines}"), "{} bytes", output.stdout.len());
    let sent = texts(&server.finish().frames);
    assert_eq!(sent.len(), 5_002);
    assert_eq!(&sent[..2], ["first", "early"]);
}

/// What the first server didn't take goes to the second, from the message on that was cut.
#[test]
fn what_was_not_taken_is_sent_again() {
    let line = "x".repeat(10_000);
    let lines: Vec<String> = (0..1_500).map(|n| format!("{n} {line}")).collect();
    let all = lines.join("\n");
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        if peer.number() == 1 {
            // Reads no more than this; the rest fills the sockets' buffers and our queue, if
            // it has the time.
            peer.expect(0x1);
            peer.delay(Duration::from_millis(300));
            peer.reset();
        } else {
            peer.echo();
        }
    });
    let url = server.url();
    let run = run(&["--no-deflate"], &url).stdin(&all).timeout(3 * PATIENCE);
    let output = run.run().expect_code(0);
    let back: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    let lost = lines.len() - back.len();
    // At most what two sockets hold; from there on all, once, in order.
    assert!(lost > 0 && !back.is_empty(), "{lost} lost");
    assert!(back.iter().zip(&lines[lost..]).all(|(a, b)| a == b));
    server.finish();
}

#[test]
fn what_nobody_took_is_told() {
    let server = ScriptedServer::start(|peer| match peer.number() {
        1 => {
            peer.accept();
            // Much more is to come than this and what two sockets hold.
            assert!(peer.read_more());
            peer.reset();
        }
        _ => {
            peer.request();
            peer.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let line = "x".repeat(16 << 20);
    let output = run(&["--no-deflate"], &server.url()).stdin(line).run();
    let output = output.expect_failure(6, "handshake: upgrade refused");
    output.expect_stderr("because: 1 message was not sent\n");
}
