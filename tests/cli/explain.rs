//! `wstap explain`: bytes as other programs show them, and from standard input.

use std::process::{Command, Stdio};

use crate::support::run::Run;
use crate::support::scripted::{ScriptedServer, close_frame, frame};

/// A frame with `Hello`, masked, and a ping.
const FRAMES: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x00";

fn explained(text: &str) -> String {
    Run::new(["explain", text]).run().expect_code(0).text()
}

/// What a program makes of the frames; `None` where it isn't installed.
fn shown_by(words: &str) -> Option<String> {
    let mut words = words.split(' ');
    let mut program = Command::new(words.next()?);
    let program = program.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = program.spawn().ok()?;
    std::io::Write::write_all(&mut child.stdin.take()?, FRAMES).ok()?;
    String::from_utf8(child.wait_with_output().ok()?.stdout).ok()
}

#[test]
fn what_the_programs_of_this_machine_show() {
    let wanted = explained("8185 37fa213d 7f9f4d5158 8900");
    assert!(wanted.contains("text: \"Hello\"") && wanted.contains("frame 2 at byte 11: ping"));
    for program in [
        "xxd",
        "xxd -g1",
        "xxd -c 5",
        "xxd -e",
        "xxd -p",
        "xxd -i",
        "hexdump",
        "hexdump -C",
        "od",
        "od -b",
        "od -c",
        "od -x",
        "od -t x1",
        "od -A x -t x1z",
        "od -A d -t x1",
        "base64",
    ] {
        let Some(shown) = shown_by(program) else { continue };
        println!("{program}\n{shown}");
        let text = Run::new(["explain", "-"]).stdin(&shown).run().expect_code(0).text();
        assert!(text.ends_with(&wanted), "{program}: {text}");
        assert_eq!(explained(&shown), text, "as a word");
    }
}

#[test]
fn our_own_lines() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.expect(0x1);
        peer.send(frame(0x1, "an answer of more than sixteen bytes"));
        peer.send(close_frame(1000, "bye"));
        peer.expect(0x8);
    });
    let output = Run::new(["-vvv", "-x", "a question", &server.url()]).stdin_held_open("").run();
    let output = output.expect_code(0);
    let text = Run::new(["explain", "-"]).stdin(&output.stderr).run().expect_code(0).text();
    for says in [
        "read from the lines of wstap -vvv",
        "text, final, 10 bytes, from a client",
        "text: \"a question\"",
        "text: \"an answer of more than sixteen bytes\"",
        "close: 1000 (normal closure), reason \"bye\"",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert!(!text.contains('✗'), "{text}");
}

#[test]
fn bytes_from_standard_input() {
    for (input, says) in [
        (FRAMES, "frame 2 at byte 11: ping"),
        (&FRAMES[..8], "incomplete: 2 of 5 payload bytes"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "alert: fatal, protocol_version (70)"),
        (b"HTTP/1.1 101 S\r\n\r\n\x8a\x01x", "frame 1 at byte 18: pong"),
        (b"HTTP/1.1 401 U\r\nSet-Cookie: a=hunter2\r\n\r\n", "Set-Cookie: ***\n"),
        (b"1006\n", "close code 1006"),
        (b"masking\n", "masking (RFC 6455"),
    ] {
        let output = Run::new(["explain", "-"]).stdin(input).run().expect_code(0);
        assert!(output.text().contains(says), "{says}: {}", output.text());
        assert!(!output.text().contains('\u{1b}'));
    }
}

#[test]
fn what_is_nothing_is_said() {
    for (input, what) in [
        ("", "nothing to explain was given"),
        ("\n", "nothing to explain was given"),
        ("no \u{9d}such thing", "nothing is known about \"no"),
        ("81 05 4", "nothing is known about \"81 05 4\": as bytes it has an odd number of hex"),
        ("0000: zz", "nothing is known about \"0000: zz\""),
    ] {
        let output =
            Run::new(["explain", input]).run().expect_failure(2, &format!("usage: {what}"));
        assert!(!output.stderr.contains('\u{9d}'));
    }
    Run::new(["explain", "-"]).run().expect_failure(2, "usage: nothing to explain was given");
    let long = "0000 ".repeat(1 << 20);
    let output = Run::new(["explain", "-"]).stdin(long).run();
    output.expect_failure(2, "usage: standard input is longer than 4194304 bytes");
    let words = "x".repeat(500);
    let output = Run::new(["explain", &words]).run();
    output.expect_failure(2, "usage: nothing is known about what begins with \"xxxx");
}
