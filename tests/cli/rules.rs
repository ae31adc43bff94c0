//! What is sent by rule: `--on` and `--every`.

use std::time::Duration;

use crate::support::run::Run;
use crate::support::scripted::{Frame, ScriptedServer, close_frame, frame};

/// The data frames as opcode and payload.
fn data(frames: &[Frame]) -> Vec<(u8, &[u8])> {
    let data = frames.iter().filter(|frame| frame.opcode < 8);
    data.map(|frame| (frame.opcode, frame.payload.as_slice())).collect()
}

#[test]
fn messages_are_answered_by_rule_and_shown_all_the_same() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "ping 7"));
        peer.send(frame(0x2, b"\xffping 8"));
        peer.send(frame(0x1, "a=b"));
        peer.send(frame(0x1, "nothing"));
        for _ in 0..3 {
            peer.expect(0x1);
        }
        peer.send(frame(0x1, "done"));
        peer.frames_until_close();
    });
    let output = Run::new([
        "-N",
        "--output",
        "hex",
        "--until",
        "done",
        "--on",
        "ping (?<n>.*)={\"pong\":$n}",
        "--on",
        r"a\=(b)=$1=$$",
        &server.url(),
    ])
    .run()
    .expect_code(0);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 5);
    let frames = server.finish().frames;
    assert_eq!(data(&frames), [(1, &b"{\"pong\":7}"[..]), (1, b"{\"pong\":8}"), (1, b"b=$")]);
}

#[test]
fn a_message_is_sent_at_each_interval_without_an_end_of_its_own() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "hi");
        for _ in 0..3 {
            assert_eq!(peer.expect(0x1), "{\"op\":1}");
        }
        peer.send(frame(0x1, "enough"));
        peer.frames_until_close();
    });
    let output =
        Run::new(["--every", "200ms={\"op\":1}", "-n", "1", &server.url()]).stdin("hi\n").run();
    let output = output.expect_code(0).expect_stdout("enough\n");
    assert!(output.elapsed >= Duration::from_millis(600), "{:?}", output.elapsed);
}

#[test]
fn what_is_sent_by_rule_restarts_the_silence() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        for number in 0..3 {
            peer.delay(Duration::from_millis(700));
            peer.send(frame(0x1, format!("{number}")));
            while peer.frame().expect("an answer").opcode != 0x1 {}
        }
        peer.frames_until_close();
        peer.send(close_frame(1000, ""));
    });
    let output = Run::new(["--on", "^[0-9]$=got $0", "--no-ping", &server.url()]).run();
    output.expect_code(0).expect_stdout("0\n1\n2\n");
}

#[test]
fn a_peer_that_never_reads_gets_no_endless_answers() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let message = frame(0x1, "x".repeat(1000));
        while peer.try_send(&message).is_ok() {}
    });
    let rule = format!(".={}", "y".repeat(9000));
    let run = Run::new(["-N", "-m", "3", "--on", &rule, &server.url()]);
    let process = run.start();
    let mut peak = 0;
    while let Some(now) = process.peak_memory() {
        peak = peak.max(now);
        std::thread::sleep(Duration::from_millis(50));
    }
    process.wait().expect_code(11);
    assert!((1 << 20..24 << 20).contains(&peak), "{peak} bytes");
}

#[test]
fn a_rule_that_makes_no_sense_is_named() {
    for (args, why) in [
        (["--on", "abc"], "--on 'abc' has no ="),
        (["--on", "(=x"], "--on: the pattern is not a regular expression"),
        (["--on", "a=$1"], "--on: the pattern has no group for $1; a $ itself is written $$"),
        (["--every", "=x"], "--every: a time is"),
        (["--every", "0=x"], "--every: the interval must be longer than nothing"),
        (["--every", "1s"], "--every '1s' has no ="),
    ] {
        let output = Run::new(args.into_iter().chain(["ws://localhost:1/"])).run().expect_code(2);
        assert!(output.stderr.contains(why), "{}", output.stderr);
    }
}
