//! What is told of the attempts and waits, in events and on stderr.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::run::Run;
use crate::support::schema::{SCHEMA, check};
use crate::support::scripted::{ScriptedServer, frame};

use super::{NEVER, close, nowhere, run};

#[test]
fn as_events() {
    let server = ScriptedServer::start(|peer| match peer.number() {
        1 => {
            peer.accept();
            peer.send(frame(0x1, "one"));
        }
        2 => {
            peer.request();
            peer.send("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n");
        }
        _ => {
            peer.accept();
            peer.send(frame(0x1, "two"));
            close(peer, 1000);
        }
    });
    let output = run(&["--json", "-vv"], &server.url()).stdin_held_open("").run();
    let output = output.expect_code(0);
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let events: Vec<Value> =
        output.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        check(&schema, &schema, event).unwrap_or_else(|why| panic!("{why}: {event}"));
    }
    let of_type = |name: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["type"] == name).collect()
    };
    let tried = of_type("reconnecting");
    let told: Vec<_> = tried.iter().map(|event| event["attempt"].as_u64().unwrap()).collect();
    assert_eq!(told, [1, 2]);
    for event in &tried {
        let delay = event["delay"].as_f64().unwrap();
        assert!((0.005..0.05).contains(&delay), "{event}");
    }
    assert!(tried[0]["why"].as_str().unwrap().contains("(1006)"));
    assert!(tried[1]["why"].as_str().unwrap().contains("503 Busy"));
    assert_eq!((of_type("open").len(), of_type("closed").len()), (2, 2));
    assert_eq!(of_type("error").len(), 0);
    let summary = events.last().unwrap();
    assert_eq!((&summary["exit"], &summary["totals"]["messages_in"]), (&0.into(), &2.into()));
    // No gap, although the frames of both directions are told.
    let counts: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(counts.into_iter().eq(1..=events.len() as u64));
}

#[test]
fn signals_end_the_wait_at_once() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let url = format!("ws://{}/", nowhere());
        let process = Run::new(NEVER.iter().copied().chain([url.as_str()])).stdin("").start();
        process.wait_stderr("(attempt 1)");
        let sent = Instant::now();
        process.signal(signal);
        let output =
            process.wait().expect_failure(code, "connect: interrupted before the next attempt");
        assert!(sent.elapsed() < Duration::from_secs(2));
        output.expect_stderr("because: 127.0.0.1:");
    }
}

#[test]
fn what_came_before_is_written_during_the_wait() {
    // More than the pipe takes, and less than what stops the reading of the socket.
    let message = "x".repeat(200 << 10);
    let wanted = format!("{message}\n");
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        peer.send(frame(0x1, &message));
    });
    let args = NEVER.iter().map(|arg| (*arg).to_owned()).chain([server.url()]);
    let mut process = Run::new(args).stdin_held_open("").stdout_unread().start();
    let mut stdout = process.take_stdout();
    process.wait_stderr("(attempt 1)");
    let mut read = vec![0; wanted.len()];
    std::io::Read::read_exact(&mut stdout, &mut read).unwrap();
    assert!(read == wanted.as_bytes());
    process.signal(Signal::INT);
    process.wait().expect_code(130);
}
