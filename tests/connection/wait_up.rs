//! `--wait-up`: a server that isn't up yet is waited for, without a word but one.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::peers::free_port;
use crate::support::pty::Terminal;
use crate::support::run::{Output, Run};
use crate::support::scripted::{Peer, ScriptedServer, close_frame, frame};

fn nowhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

fn waiting_line(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter(|line| line.contains("trying again for ")).collect()
}

fn greets(peer: &mut Peer) {
    peer.accept();
    peer.send(frame(0x1, "up"));
    peer.frames_until_close();
    peer.send(close_frame(1000, ""));
}

/// A server that is up at its sixth connection.
fn booting() -> ScriptedServer {
    ScriptedServer::start(|peer| match peer.number() {
        1 => peer.reset(),
        2 => {
            peer.request();
        }
        number @ 3..=5 => {
            peer.request();
            let status = ["503 Soon", "502 Bad", "504 Late"][number - 3];
            peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nboot"));
        }
        _ => greets(peer),
    })
}

#[test]
fn a_port_that_nobody_listens_on_yet() {
    let address = nowhere();
    let url = format!("ws://{address}/");
    let process = Run::new(["--wait-up", "20", "-n", "1", &url]).stdin("").start();
    process.wait_stderr("connection refused; trying again for 20 s at most (--wait-up)");
    let server = ScriptedServer::start_at(address, greets);
    let output = process.wait().expect_code(0).expect_stdout("up\n");
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    server.finish();
}

#[test]
fn a_server_that_boots_is_one_quiet_line() {
    let server = booting();
    let output = Run::new(["--wait-up", "20", "-n", "1", &server.url()]).stdin("").run();
    let output = output.expect_code(0).expect_stdout("up\n");
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    assert_eq!(waiting_line(&output).len(), 1, "{}", output.stderr);
    assert_eq!(server.finish().connections, 6);
    let server = booting();
    let output = Run::new(["--wait-up", "20", "-q", "-n", "1", &server.url()]).stdin("").run();
    assert_eq!(output.expect_code(0).stderr, "");
    // Who wants to see more does.
    let server = booting();
    let output = Run::new(["--wait-up", "20", "-v", "-n", "1", &server.url()]).stdin("").run();
    let output = output.expect_code(0);
    for line in ["< HTTP/1.1 503 Soon", "< HTTP/1.1 502 Bad", "< HTTP/1.1 504 Late"] {
        assert_eq!(output.stderr.matches(line).count(), 1, "{line}: {}", output.stderr);
    }
    // A server that is up has no line.
    let server = ScriptedServer::start(greets);
    let output = Run::new(["--wait-up", "20", "-n", "1", &server.url()]).stdin("").run();
    assert_eq!(output.expect_code(0).stderr, "");
}

#[test]
fn the_last_failure_counts() {
    let server = ScriptedServer::start(|peer| {
        peer.request();
        peer.send(format!("HTTP/1.1 503 Soon\r\nContent-Length: 2\r\n\r\n{:02}", peer.number()));
    });
    let begun = Instant::now();
    let output = Run::new(["--wait-up", "500ms", &server.url()]).stdin("").run();
    assert!(begun.elapsed() >= Duration::from_millis(500));
    let output = output.expect_failure(6, "handshake: upgrade refused: the server answered 503");
    let connections = server.finish().connections;
    assert!(connections >= 3, "{connections}");
    assert_eq!(output.stderr.matches("< HTTP/1.1 503 Soon").count(), 1, "{}", output.stderr);
    output.expect_stderr(&format!("< {connections:02}\n"));
    let output = Run::new(["--wait-up", "0.3", &format!("ws://{}/", nowhere())]).stdin("").run();
    let output = output.expect_failure(4, "connect: ");
    assert_eq!(waiting_line(&output).len(), 1);
    let output = Run::new(["--wait-up", "0.3", "ws://nowhere.invalid/"]).stdin("").run();
    assert_eq!(waiting_line(&output.expect_failure(3, "resolve: ")).len(), 1);
}

#[test]
fn what_would_not_pass_is_not_waited_for() {
    for status in ["401 Who", "404 What"] {
        let server = ScriptedServer::start(move |peer| {
            peer.request();
            peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        });
        let output = Run::new(["--wait-up", "20", &server.url()]).stdin("").run().expect_code(6);
        let output = output.expect_stderr(&format!("< HTTP/1.1 {status}\n"));
        assert!(waiting_line(&output).is_empty(), "{}", output.stderr);
        assert_eq!(server.finish().connections, 1);
    }
}

#[test]
fn it_is_for_the_first_connection_alone() {
    let server = ScriptedServer::start(|peer| match peer.number() {
        1 => {
            peer.accept();
        }
        _ => {
            peer.request();
            peer.send("HTTP/1.1 503 Soon\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let args = ["--wait-up", "20", "--reconnect=2", "--backoff", "1ms..2ms", &server.url()];
    let output = Run::new(args).stdin_held_open("").run().expect_code(6);
    assert!(waiting_line(&output).is_empty(), "{}", output.stderr);
    output.expect_stderr("gave up after 2 attempts in a row");
}

#[test]
fn max_time_and_signals_end_it() {
    let url = format!("ws://{}/", nowhere());
    let output = Run::new(["--wait-up", "20", "-m", "0.3", &url]).stdin("").run();
    output.expect_failure(11, "session: not done within 0.3 s (--max-time)");
    let process = Run::new(["--wait-up", "20", &url]).stdin("").start();
    process.wait_stderr("trying again");
    process.signal(Signal::INT);
    process.wait().expect_code(130);
}

#[test]
fn inspect_reports_the_attempt_that_counts() {
    let server = booting();
    let output = Run::new(["inspect", "--wait-up", "20", &server.url()]).run().expect_code(0);
    let report = output.text();
    assert_eq!(report.matches("< HTTP/1.1 ").count(), 1, "{report}");
    assert!(report.contains("< HTTP/1.1 101 "), "{report}");
    let server = ScriptedServer::start(|peer| {
        peer.request();
        peer.send("HTTP/1.1 503 Soon\r\nContent-Length: 0\r\n\r\n");
    });
    let output = Run::new(["inspect", "--wait-up", "0.3", &server.url()]).run().expect_code(6);
    assert_eq!(output.text().matches("< HTTP/1.1 503").count(), 1, "{}", output.text());
    // For machines each attempt is there.
    let server = booting();
    let output = Run::new(["inspect", "--json", "--wait-up", "20", &server.url()]).run();
    let lines = output.expect_code(0).lines();
    let events: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u64), "{seqs:?}");
    let refused = events.iter().filter(|event| event["type"] == "response");
    assert_eq!(refused.count(), 4);
}

#[test]
fn at_the_prompt_lines_wait_too() {
    let address = nowhere();
    let mut pty = Terminal::new(["--wait-up", "20", &format!("ws://{address}/")]).start();
    pty.wait_text("trying again for 20 s at most");
    pty.line("early");
    pty.wait_text("* queued until the connection is open");
    let server = ScriptedServer::start_at(address, |peer| {
        peer.accept();
        peer.echo();
    });
    pty.wait_text("< early");
    pty.line("/quit");
    pty.wait_text("* closed by us");
    server.finish();
}
