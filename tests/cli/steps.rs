//! The input step by step: `--lockstep`, `--pace`, and what `--input json` waits for and refuses.

use std::time::Duration;

use crate::support::run::{Output, Run};
use crate::support::scripted::{ScriptedServer, close_frame, frame};

/// Answers each text after a while, so that lines that don't wait would come together.
fn slow_echo() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        while let Some(received) = peer.frame() {
            match received.opcode {
                0x1 => {
                    peer.delay(Duration::from_millis(100));
                    peer.send(frame(0x1, received.payload));
                }
                0x8 => return peer.send(close_frame(1000, "")),
                0x9 => peer.send(frame(0xa, received.payload)),
                _ => {}
            }
        }
    })
}

fn run(args: &[&str], input: &str) -> Output {
    let server = slow_echo();
    let url = server.url();
    Run::new(args.iter().copied().chain([url.as_str()])).stdin(input).run()
}

/// The messages of `--json` in their order: `out hello`.
fn messages(output: &Output) -> Vec<String> {
    let events = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let events = events.map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap());
    events
        .filter(|event| event["type"] == "message")
        .map(|event| {
            format!("{} {}", event["direction"].as_str().unwrap(), event["data"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn in_lockstep_each_line_waits_for_the_answer_to_the_one_before() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        for answers in [&["ok 1"][..], &["other", "ok 2"], &["ok 3"]] {
            peer.expect(0x1);
            // A line that doesn't wait would come now.
            peer.delay(Duration::from_millis(200));
            for answer in answers {
                peer.send(frame(0x1, answer));
            }
        }
        peer.frames_until_close();
        peer.send(close_frame(1000, ""));
    });
    let args = ["--json", "--lockstep=^ok", "--no-ping", "-w", "0.1", "-x", "0", &server.url()];
    let output = Run::new(args).stdin("1\n2\n").run().expect_code(0);
    assert_eq!(
        messages(&output),
        ["out 0", "in ok 1", "out 1", "in other", "in ok 2", "out 2", "in ok 3"]
    );
}

#[test]
fn a_line_without_an_answer_is_named() {
    let output =
        run(&["--lockstep=^a", "--within", "1"], "a1\na2\nb3 and more\na4\n").expect_code(11);
    assert_eq!(output.stdout, b"a1\na2\nb3 and more\n");
    let why = "no message that matches ^a came for line 3 of standard input: \"b3 and more\" within 1.00 s";
    assert!(output.stderr.contains(why), "{}", output.stderr);
    // Without a limit the last line has the usual silence.
    run(&["--lockstep=^a", "-w", "0.3"], "a1\nb2\n").expect_code(0).expect_stdout("a1\nb2\n");

    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.expect(0x1);
        peer.send(close_frame(1000, ""));
        peer.frames_until_close();
    });
    let output = Run::new(["--lockstep", &server.url()]).stdin("1\n2\n").run().expect_code(1);
    let why = "no answer came for line 1 of standard input: \"1\" before the connection ended";
    assert!(output.stderr.contains(why), "{}", output.stderr);
}

#[test]
fn the_pace_sets_messages_apart() {
    let output = run(&["--pace", "300ms", "-n", "4", "-x", "0"], "1\n2\n3\n").expect_code(0);
    assert_eq!(output.stdout, b"0\n1\n2\n3\n");
    assert!(output.elapsed >= Duration::from_millis(900), "{:?}", output.elapsed);
}

#[test]
fn a_wait_of_json_may_come_after_the_message() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "hello"));
        assert_eq!(peer.expect(0x1), "1");
        peer.delay(Duration::from_millis(200));
        peer.send(frame(0x1, "answer"));
        assert_eq!(peer.expect(0x1), "2");
        peer.frames_until_close();
        peer.send(close_frame(1000, ""));
    });
    let run = Run::new(["--json", "--input", "json", "--no-ping", "-w", "0.1", &server.url()]);
    let mut process = run.stdin_held_open("").start();
    process.wait_stdout("hello");
    process.write(
        "{\"type\":\"wait\",\"for\":\"^hel\"}\n{\"type\":\"message\",\"data\":\"1\"}\n\
         {\"type\":\"wait\",\"within\":\"5s\"}\n{\"type\":\"message\",\"data\":\"2\"}\n",
    );
    process.close_stdin();
    let output = process.wait().expect_code(0);
    assert_eq!(messages(&output), ["in hello", "out 1", "in answer", "out 2"]);

    let lines = "{\"type\":\"message\",\"data\":\"1\"}\n{\"type\":\"wait\",\"for\":\"no\",\"within\":0.5}\n";
    let output = self::run(&["--input", "json"], lines).expect_code(11);
    assert!(output.stderr.contains("that matches no came for line 2 of"), "{}", output.stderr);
}

#[test]
fn what_json_means_is_never_guessed() {
    for (line, why) in [
        ("{\"type\":\"message\",\"hex\":\"0102\"}", "no field of \"message\" is called 'hex'"),
        ("{\"type\":\"mesage\"}", "no command is called 'mesage'; did you mean message?"),
    ] {
        let output = run(&["--input", "json", "-w", "0.1"], line).expect_code(13);
        let line_1 = format!("line 1 of standard input: {why}");
        assert!(output.stderr.contains(&line_1) && output.stdout.is_empty(), "{}", output.stderr);
    }
}

#[test]
fn a_log_of_our_own_is_sent_when_that_is_asked_for() {
    let log = run(&["--json", "-n", "2", "-x", "a", "-x", "b", "-N"], "").expect_code(0).stdout;
    let log = String::from_utf8(log).unwrap();
    let only_out: String = log
        .lines()
        .filter(|line| !line.contains("\"in\""))
        .map(|line| format!("{line}\n"))
        .collect();
    let json = ["--input", "json", "-w", "0.4"];
    let output = run(&json, &only_out).expect_code(0).expect_stdout("");
    let note = "nothing was sent: 2 messages of the input went \"out\"; --replay-out sends those";
    assert!(output.stderr.contains(note), "{}", output.stderr);
    let replay = [&json[..], &["--replay-out"]].concat();
    run(&replay, &log).expect_code(0).expect_stdout("a\nb\n");
}

#[test]
fn options_that_have_nothing_to_hold_back_are_refused() {
    for (args, why) in [
        (&["--within", "1"][..], "--within is for --lockstep and --input json"),
        (&["--replay-out"], "--replay-out needs events"),
        (&["--lockstep=("], "--lockstep is not a regular expression"),
    ] {
        let output = Run::new(args.iter().copied().chain(["ws://localhost:1/"])).run();
        let output = output.expect_code(2);
        assert!(output.stderr.contains(why), "{}", output.stderr);
    }
}
