//! How a pipe ends on the binary: silence, what a missing answer is called, closes that are told.

use std::time::Duration;

use crate::support::run::Run;
use crate::support::scripted::{Frame, Peer, ScriptedServer, close_frame, frame, raw_frame};

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
fn time_that_is_up_says_what_is_missing() {
    for (expected, missing) in
        [(["-n", "2"], "only 1 of 2 messages came"), (["--until", "x"], "no message matched x")]
    {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.send(frame(0x1, "m"));
            peer.stay_silent();
        });
        let url = server.url();
        let run = Run::new(expected.into_iter().chain(["-m", "0.3", &url])).stdin("");
        let output = run.run().expect_failure(11, "session: not done within 0.3 s (--max-time)");
        output.expect_stderr(&format!("because: {missing}\n"));
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
    let lost = Run::new([&answering(Duration::ZERO).url()]).stdin("a\n").run().expect_code(9);
    lost.expect_stderr("hint: if the server ends a connection at a ping: --no-ping\n");
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

/// What is on stderr, and the exit code, where the peer says that and then closes.
fn told(args: &[&str], said: Vec<Vec<u8>>) -> (i32, String) {
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        peer.send(said.concat());
        peer.frames_until_close();
    });
    let url = server.url();
    let output = Run::new(args.iter().copied().chain([url.as_str()])).stdin_held_open("").run();
    let code = output.code();
    // The time is the machine's.
    let (before, after) =
        output.stderr.split_once(" after opening").unwrap_or((&output.stderr, ""));
    let before = match after {
        "" => before,
        _ => before.rsplit_once(", ").unwrap().0,
    };
    (code, format!("{before}{after}"))
}

#[test]
fn a_peer_that_closes_first_is_never_silent() {
    let said = |code, reason| vec![frame(0x1, "m"), close_frame(code, reason)];
    for (args, said, wanted) in [
        (
            &[][..],
            said(1000, "bye\x07"),
            "* closed by the peer with 1000 (normal closure), reason \"bye\\x07\"\n",
        ),
        (&[], said(1001, ""), "* closed by the peer with 1001 (going away)\n"),
        (&[], vec![frame(0x8, "")], "* closed by the peer with no code (1005)\n"),
        (
            &["--ok-close", "4009"],
            said(4009, "later"),
            "! closed by the peer with 4009 (private use, meaning is the application's), reason \"later\"\n",
        ),
        (&["-q"], said(1000, "bye"), ""),
        (&["-q", "--ok-close", "4009"], said(4009, "bye"), ""),
    ] {
        assert_eq!(told(args, said), (0, wanted.to_owned()), "{args:?}");
    }
    // With what else went wrong: once.
    let (code, stderr) = told(&["-n", "2"], said(1000, "done"));
    let wanted = "* closed by the peer with 1000 (normal closure), reason \"done\"\n\
                  wstap: session: only 1 of 2 messages came (--count)\n";
    assert_eq!((code, stderr.as_str()), (1, wanted));
    let (code, stderr) = told(&[], said(4009, "later"));
    assert_eq!((code, stderr.matches("4009 (").count()), (10, 1), "{stderr}");
}

#[test]
fn an_error_code_counts_though_the_expected_message_came() {
    let said = |code| vec![frame(0x1, "limit"), close_frame(code, "slow\x1b")];
    for met in [["-n", "1"], ["--until", "limit"]] {
        let (code, stderr) = told(&met, said(4008));
        let wanted = "wstap: close: the peer closed with 4008 \
                      (private use, meaning is the application's): \"slow\\x1b\"\n  \
                      hint: if that is fine: --ok-close 4008\n";
        assert_eq!((code, stderr.as_str()), (10, wanted), "{met:?}");
        for fine in [1000, 1001] {
            assert_eq!(told(&met, said(fine)), (0, String::new()), "{met:?}: {fine}");
        }
        let ours = [&met[..], &["--close-code", "4008"]].concat();
        assert_eq!(told(&ours, said(4008)), (0, String::new()), "our own code");
    }
    let (code, stderr) = told(&["-n", "1", "--ok-close", "4008"], said(4008));
    assert_eq!((code, stderr.contains("the peer answered 4008")), (0, true), "{stderr}");
    // A server that ends the connection without a Close has nothing against us.
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "m"));
        peer.frames_until_close();
    });
    let output = Run::new(["-n", "1", &server.url()]).stdin_held_open("").run().expect_code(0);
    assert_eq!(output.stderr, "");
}

#[test]
fn a_message_that_is_cut_off_is_told_with_its_size() {
    let (code, stderr) = told(&[], vec![raw_frame(0x01, "half"), close_frame(1000, "")]);
    let wanted = "* closed by the peer with 1000 (normal closure)\n\
                  ! the Close came inside a message, after 4 bytes of it\n";
    assert_eq!((code, stderr.as_str()), (0, wanted));
    let (_, stderr) = told(&[], vec![raw_frame(0x02, ""), close_frame(1000, "")]);
    assert!(stderr.contains("inside a message, after 0 bytes of it"), "{stderr}");
    let (code, stderr) = told(&[], vec![raw_frame(0x01, "half"), close_frame(4009, "")]);
    assert_eq!((code, stderr.contains("after 4 bytes of it")), (10, true), "{stderr}");
    let cut = |bytes: Vec<u8>| {
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            peer.send(&bytes);
            peer.cut();
        });
        Run::new([server.url()]).stdin_held_open("").run()
    };
    cut(b"\x81\x0bhalf".to_vec()).expect_code(9).expect_stderr("4 bytes of the message so far");
    cut(raw_frame(0x01, "half")).expect_code(9).expect_stderr("4 bytes of the message so far");
    // Time that is up cuts it off, too.
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(raw_frame(0x01, "half"));
        peer.stay_silent();
    });
    let output = Run::new(["-m", "0.5", &server.url()]).stdin_held_open("").run().expect_code(11);
    output.expect_stderr("because: 4 bytes of an unfinished message had come");
}
