//! `wstap ping`: what is answered and what is lost, and the exit code.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::home::Home;
use crate::support::run::{Output, Run};
use crate::support::schema::{SCHEMA, check};
use crate::support::scripted::{ScriptedServer, close_frame, frame, raw_frame};

fn echoing() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    })
}

/// Takes everything and says nothing.
fn silent() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.stay_silent();
    })
}

fn ping(server: &ScriptedServer, args: &[&str]) -> Output {
    Run::new(["ping"].iter().chain(args).copied().chain([server.url().as_str()])).run()
}

#[track_caller]
fn expect_counts(output: &Output, counts: &str) {
    let text = output.text();
    assert!(text.contains(&format!("/: {counts} loss in ")), "{text}");
}

#[test]
fn each_answer_has_a_line_and_the_end_has_the_figures() {
    let server = echoing();
    let output = ping(&server, &["-c", "3", "-i", "0"]).expect_code(0);
    assert_eq!(output.stderr, "");
    let lines = output.lines();
    assert_eq!(lines.len(), 7, "{lines:?}");
    assert!(lines[0].starts_with(&format!("pinging {}, which took ", server.url())), "{lines:?}");
    for (number, line) in lines[1..4].iter().enumerate() {
        assert!(line.starts_with(&format!("pong {}: ", number + 1)), "{line}");
    }
    expect_counts(&output, "3 sent, 3 answered, 0 lost; 0.0 %");
    assert!(lines[6].starts_with("min ") && lines[6].contains(", jitter "), "{lines:?}");
    let frames = server.finish().frames;
    let payloads: Vec<String> =
        frames.iter().filter(|frame| frame.opcode == 0x9).map(|frame| frame.text()).collect();
    assert_eq!(payloads, ["00000001", "00000002", "00000003"]);
    assert_eq!(frames.last().unwrap().close_code(), Some(1000));
}

#[test]
fn no_secret_of_the_url_is_shown() {
    let server = echoing();
    let url = format!("{}?token=hunter2", server.url());
    let shown = |args: &[&str]| {
        let args = ["ping", "-c", "1"].iter().chain(args).copied().chain([url.as_str()]);
        Run::new(args).run().expect_code(0).text()
    };
    let text = shown(&[]);
    assert!(!text.contains("hunter2") && text.contains("?token=***: 1 sent"), "{text}");
    assert!(shown(&["--show-secrets"]).contains("?token=hunter2: 1 sent"));
}

#[test]
fn with_v_there_are_phases_and_a_histogram_and_with_q_the_figures_alone() {
    let server = echoing();
    let output = ping(&server, &["-v", "-c", "2", "-i", "0"]).expect_code(0);
    assert!(output.text().contains(" ms         "), "{}", output.text());
    assert!(output.text().contains('#'), "{}", output.text());
    let output = output.expect_stderr("* timings: ");
    drop(output.expect_stderr("rules kept"));
    let output = ping(&server, &["-q", "-c", "2", "-i", "0"]).expect_code(0);
    assert_eq!(output.lines().len(), 2, "{}", output.text());
    expect_counts(&output, "2 sent, 2 answered, 0 lost; 0.0 %");
}

#[test]
fn pings_go_out_at_their_interval_whether_answered_or_not() {
    let server = silent();
    let output = ping(&server, &["-c", "3", "-i", "10ms", "--within", "100ms"]).expect_code(1);
    for number in 1..=3 {
        let line = format!("ping {number}: no answer within 0.1 s\n");
        assert!(output.text().contains(&line), "{}", output.text());
    }
    expect_counts(&output, "3 sent, 0 answered, 3 lost; 100.0 %");
    let output = output.expect_stderr("wstap: session: no ping was answered");
    output.expect_stderr("--message TEXT");
}

#[test]
fn the_interval_is_kept() {
    let server = echoing();
    let process = Run::new(["ping", "-c", "3", "-i", "150ms", "--json", &server.url()]).run();
    let at = |kind: &str| -> Vec<f64> {
        let events =
            process.lines().into_iter().map(|l| serde_json::from_str::<Value>(&l).unwrap());
        events.filter(|e| e["type"] == kind).map(|e| e["t"].as_f64().unwrap()).collect()
    };
    let pings = at("ping");
    assert_eq!((pings.len(), at("round-trip").len()), (3, 3));
    assert!(pings.windows(2).all(|two| two[1] - two[0] >= 0.149), "{pings:?}");
}

#[test]
fn some_that_are_lost_are_no_failure() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let mut pings = 0;
        while let Some(received) = peer.frame() {
            pings += 1;
            match received.opcode {
                0x9 if pings == 2 => {}
                0x9 => peer.send(raw_frame(0x8a, &received.payload)),
                _ => return peer.send(close_frame(1000, "")),
            }
        }
    });
    let output = ping(&server, &["-c", "4", "-i", "0", "--within", "200ms"]).expect_code(0);
    expect_counts(&output, "4 sent, 3 answered, 1 lost; 25.0 %");
    assert!(output.text().contains("pong 1: ") && output.text().contains("ping 2: no answer"));
    assert!(output.text().contains("pong 3: ") && output.text().contains("pong 4: "));
}

#[test]
fn a_pong_that_answers_nothing_and_messages_do_not_count() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send([frame(0xa, "00000001"), frame(0x1, "hello")].concat());
        let first = peer.expect(0x9);
        peer.send([frame(0xa, "00000009"), frame(0x1, "hello"), frame(0xa, &first)].concat());
        peer.send(frame(0xa, first));
        peer.echo();
    });
    let output = ping(&server, &["-c", "2", "-i", "0"]).expect_code(0);
    expect_counts(&output, "2 sent, 2 answered, 0 lost; 0.0 %");
}

#[test]
fn messages_can_be_sent_instead() {
    let server = echoing();
    let output = ping(&server, &["-c", "2", "-i", "0", "--message", "hé"]).expect_code(0);
    assert!(output.text().contains("\nanswer 2: "), "{}", output.text());
    expect_counts(&output, "2 sent, 2 answered, 0 lost; 0.0 %");
    let sent: Vec<(u8, String)> =
        server.finish().frames.iter().map(|frame| (frame.opcode, frame.text())).take(2).collect();
    assert_eq!(sent, [(0x1, "hé".to_owned()), (0x1, "hé".to_owned())]);
    // Pongs are no answers to messages.
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0xa, ""));
        peer.stay_silent();
    });
    let args = ["-c", "1", "--message", "x", "--within", "100ms"];
    let output = ping(&server, &args).expect_code(1);
    assert!(output.text().contains("message 1: no answer within 0.1 s"), "{}", output.text());
    let output = output.expect_stderr("no message was answered");
    assert!(!output.stderr.contains("--message"), "{}", output.stderr);
}

#[test]
fn payloads_have_the_size_that_was_asked_for() {
    for size in [0, 1, 8, 125] {
        let server = echoing();
        let args = ["-c", "3", "-i", "1ms", "--size", &size.to_string()];
        let output = ping(&server, &args).expect_code(0);
        expect_counts(&output, "3 sent, 3 answered, 0 lost; 0.0 %");
        let frames = server.finish().frames;
        let mut pings = frames.iter().filter(|frame| frame.opcode == 0x9);
        assert!(pings.all(|ping| ping.payload.len() == size), "{size}");
    }
}

#[test]
fn what_makes_no_sense_is_2() {
    let refused = |args: &[&str], why: &str| {
        let args = ["ping"].iter().chain(args).copied().chain(["ws://127.0.0.1:9"]);
        Run::new(args).run().expect_failure(2, "usage: ").expect_stderr(why);
    };
    refused(&["--size", "126"], "RFC 6455 §5.5");
    refused(&["--size", "1K"], "0 to 125 bytes");
    refused(&["--size", "8", "--message", "x"], "cannot be used with");
    refused(&["-c", "0"], "--count");
    refused(&["-i", "soon"], "--interval");
    refused(&["--within", "0"], "longer than nothing");
    refused(&["--reconnect"], "unexpected argument '--reconnect'");
    Run::new(["ping"]).run().expect_failure(2, "usage: ");
    let output = Run::new(["ping", "--json", "ftp://h/"]).run().expect_failure(2, "usage: ");
    assert!(output.text().contains("\"type\":\"summary\""), "{}", output.text());
}

#[test]
fn times_without_an_end_are_never() {
    let server = echoing();
    let args = ["-c", "1", "-i", "1e19", "--within", "1e19"];
    expect_counts(&ping(&server, &args).expect_code(0), "1 sent, 1 answered, 0 lost; 0.0 %");
}

#[test]
fn a_connection_that_fails_has_its_code_and_no_figures() {
    let output = Run::new(["ping", "ws://127.0.0.1:9/"]).run().expect_failure(4, "connect: ");
    output.expect_stdout("");
    let refusing = ScriptedServer::start(|peer| {
        peer.request();
        peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    });
    ping(&refusing, &[]).expect_failure(6, "handshake: ").expect_stdout("");
}

#[test]
fn a_server_that_closes_midway_decides_the_code() {
    let closing = |close: Option<Vec<u8>>| {
        ScriptedServer::start(move |peer| {
            peer.accept();
            let first = peer.expect(0x9);
            peer.send(frame(0xa, first));
            peer.expect(0x9);
            match &close {
                Some(close) => peer.send(close),
                None => peer.cut(),
            }
        })
    };
    for (close, code) in [
        (Some(close_frame(1000, "")), 0),
        (Some(close_frame(4001, "go")), 10),
        (None, 9),
        (Some(raw_frame(0x83, "")), 8),
    ] {
        let server = closing(close);
        let output = ping(&server, &["-i", "0"]).expect_code(code);
        expect_counts(&output, "2 sent, 1 answered, 0 lost, 1 still awaited; 0.0 %");
        assert_eq!(output.stderr.starts_with("wstap: "), code != 0, "{}", output.stderr);
        assert_eq!(output.stderr.starts_with("* closed by the peer with 1000"), code == 0);
        assert!(!output.stderr.contains("--ok-close"), "{}", output.stderr);
    }
}

#[test]
fn signals_and_max_time_end_it_with_the_figures() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let server = echoing();
        let process = Run::new(["ping", "-i", "1h", &server.url()]).start();
        process.wait_stdout("pong 1: ");
        process.signal(signal);
        let output = process.wait().expect_code(code);
        expect_counts(&output, "1 sent, 1 answered, 0 lost; 0.0 %");
        assert_eq!(server.finish().frames.last().unwrap().close_code(), Some(1000));
    }
    // Interrupted without an answer is interrupted.
    let server = silent();
    let process = Run::new(["ping", "--json", &server.url()]).start();
    process.wait_stdout("\"type\":\"ping\"");
    process.signal(Signal::INT);
    let output = process.wait().expect_code(130);
    assert!(output.text().contains("\"type\":\"round-trips\""), "{}", output.text());
    let output = ping(&echoing(), &["-m", "300ms"]).expect_failure(11, "session: not done");
    expect_counts(&output, "1 sent, 1 answered, 0 lost; 0.0 %");
}

#[test]
fn events_fit_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let (echoing, silent) = (echoing(), silent());
    for (server, code) in [(&echoing, 0), (&silent, 1)] {
        let args = ["--json", "-vv", "-c", "2", "-i", "0", "--within", "100ms"];
        let output = ping(server, &args).expect_code(code);
        let lines = output.lines();
        let events: Vec<Value> =
            lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for event in &events {
            check(&schema, &schema, event).unwrap_or_else(|why| panic!("{why}: {event}"));
        }
        let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
        assert_eq!((of("round-trip"), of("round-trips")), (2, 1), "{}", output.text());
        let counted = events.iter().find(|event| event["type"] == "round-trips").unwrap();
        let answered = if code == 0 { 2 } else { 0 };
        assert_eq!(counted["answered"], answered);
        assert_eq!(counted["lost"], 2 - answered);
        assert_eq!(counted["p99"].is_number(), code == 0);
        assert_eq!(events.last().unwrap()["type"], "summary");
    }
}

#[test]
fn a_profile_counts_but_not_its_number_of_messages() {
    let (server, home) = (echoing(), Home::new());
    std::fs::create_dir_all(home.path().join("config/wstap")).unwrap();
    let url = server.url();
    let config = format!("[profile.x]\nurl = '{url}'\nheader = 'A: 1'\ncount = 1\n");
    home.file("config/wstap/config.toml", config);
    let args = ["ping", "@x", "-i", "120ms", "-m", "300ms", "-q"];
    let output = Run::new(args).home(&home).run().expect_code(11);
    assert!(!output.text().contains(": 1 sent"), "{}", output.text());
    assert_eq!(server.finish().requests[0].header("a"), Some("1"));
}

#[test]
fn a_wait_is_a_wait() {
    let server = echoing();
    let process = Run::new(["ping", "-i", "1h", &server.url()]).start();
    process.wait_stdout("pong 1: ");
    let before = process.cpu_time();
    // Only the clock says what a second of waiting costs.
    std::thread::sleep(Duration::from_secs(1));
    assert!(process.cpu_time() - before < Duration::from_millis(100));
    process.signal(Signal::INT);
    process.wait().expect_code(130);
}
