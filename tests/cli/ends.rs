//! How a pipe ends on the binary: silence, what a missing answer is called, closes that are told.

use std::time::Duration;

use crate::support::run::Run;
use crate::support::scripted::{Frame, Peer, ScriptedServer, close_frame, frame};

/// Ends TCP at a ping, as some debuggers and devices do; answers each line after `late`.
fn answering(late: Duration) -> ScriptedServer {
    ScriptedServer::start(move |peer| {
        peer.accept();
        while let Some(frame) = peer.frame() {
            match frame.opcode {
                0x9 => return peer.reset(),
                0x8 => return peer.send(close_frame(1000, "")),
                _ => {
                    peer.delay(late);
                    peer.send(self::frame(0x1, &frame.payload));
                }
            }
        }
    })
}

/// Takes everything, answers pings and the Close, says nothing.
fn sink(peer: &mut Peer) {
    peer.accept();
    while let Some(frame) = peer.frame() {
        match frame.opcode {
            0x9 => peer.send(self::frame(0xa, &frame.payload)),
            0x8 => return peer.send(close_frame(1000, "")),
            _ => {}
        }
    }
}

fn opcodes(frames: &[Frame]) -> Vec<u8> {
    frames.iter().map(|frame| frame.opcode).collect()
}

#[test]
fn what_is_expected_is_waited_for_without_a_ping() {
    for expected in [["-n", "1"], ["--until", "^h"]] {
        let server = answering(Duration::from_millis(1500));
        let url = server.url();
        let args = expected.into_iter().chain(["--no-deflate", "-x", "hi", &url]);
        Run::new(args).stdin("").run().expect_code(0).expect_stdout("hi\n");
        assert_eq!(opcodes(&server.finish().frames), [1, 8], "{expected:?}");
    }
}

#[test]
fn a_linger_that_was_asked_for_ends_also_what_is_expected() {
    for args in [["-n", "1", "-w", "0.1"], ["--until", "x", "--linger", "100ms"]] {
        let server = ScriptedServer::start(sink);
        let url = server.url();
        let run = Run::new(args.into_iter().chain(["-x", "hi", &url])).stdin("");
        run.run().expect_failure(1, "session: ").expect_stderr("hint: -w TIME waits longer");
    }
    let server = ScriptedServer::start(sink);
    let output = Run::new(["-n", "1", "-E", &server.url()]).stdin("a\n").run();
    assert!(!output.expect_code(1).stderr.contains("-w"), "-E waits for nothing");
}

#[test]
fn no_ping_sends_none() {
    let server = answering(Duration::ZERO);
    let args = ["--no-ping", "--no-deflate", "-w", "0.3", &server.url()];
    let output = Run::new(args).stdin("a\nb\n").run().expect_code(0).expect_stdout("a\nb\n");
    assert!(output.elapsed >= Duration::from_millis(300), "{:?}", output.elapsed);
    assert_eq!(opcodes(&server.finish().frames), [1, 1, 8]);
    let both = Run::new(["--no-ping", "--ping-interval", "1", "ws://localhost:1/"]).run();
    both.expect_failure(2, "usage: the argument '--no-ping' cannot be used with");
}

#[test]
fn a_session_without_any_answer_says_so() {
    let ended = |args: &[&str], input: &str, script: fn(&mut Peer)| {
        let server = ScriptedServer::start(script);
        let url = server.url();
        let args = ["-w", "0.1"].iter().chain(args).copied().chain([url.as_str()]);
        Run::new(args).stdin(input).run().expect_code(0).stderr
    };
    let told = "* nothing came back in 100 ms; -w TIME waits longer, \
                -w forever until the peer closes\n";
    assert_eq!(ended(&[], "a\n", sink), told);
    assert_eq!(ended(&["-x", "a", "--no-ping"], "", sink), told);
    assert_eq!(ended(&["-q"], "a\n", sink), "");
    assert_eq!(ended(&[], "", sink), "", "nothing was sent");
    let answers: fn(&mut Peer) = |peer| {
        peer.accept();
        peer.echo();
    };
    assert_eq!(ended(&[], "a\n", answers), "");
}

#[test]
fn a_fence_without_a_pong_is_named() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.frames_until_close();
        peer.send(close_frame(1000, ""));
    });
    let output = Run::new(["-w", "0.1", &server.url()]).stdin("a\n").run().expect_code(0);
    output.expect_stderr("* nothing came back in 5.00 s, not even a pong; -w TIME waits longer");
}
