//! `--reconnect-on`: which ends of an open connection another one follows, and why the others don't.

use crate::support::run::{Output, Run};
use crate::support::scripted::{ScriptedServer, close_frame, frame};

use super::{attempts, run};

/// How each connection of a server ends but the last.
#[derive(Clone, Copy)]
enum End {
    Code(u16),
    NoCode,
    Cut,
}

/// Says its number and ends so; the third connection says `last` and waits.
fn ending(end: End) -> ScriptedServer {
    ScriptedServer::start(move |peer| {
        peer.accept();
        if peer.number() == 3 {
            peer.send(frame(0x1, "last"));
            peer.frames_until_close();
            return peer.send(close_frame(1000, ""));
        }
        peer.send(frame(0x1, peer.number().to_string()));
        match end {
            End::Code(code) => peer.send(close_frame(code, "why")),
            End::NoCode => peer.send(frame(0x8, "")),
            End::Cut => return peer.cut(),
        }
        peer.frames_until_close();
    })
}

fn ended(args: &[&str], end: End) -> Output {
    let server = ending(end);
    let args = [args, &["--until", "last"]].concat();
    run(&args, &server.url()).stdin_held_open("").run()
}

#[test]
fn the_ends_that_are_named_are_followed() {
    for (on, end) in [
        ("1000", End::Code(1000)),
        ("1001,4000-4999", End::Code(4999)),
        ("any", End::Code(1008)),
        ("any", End::NoCode),
        ("1005", End::NoCode),
        ("any", End::Cut),
        ("lost", End::Cut),
        ("1006", End::Cut),
        ("1000-1999", End::Cut),
    ] {
        let output = ended(&["--reconnect-on", on], end).expect_code(0);
        assert_eq!((output.text().as_str(), attempts(&output)), ("1\n2\nlast\n", 2), "{on}");
    }
}

#[test]
fn the_others_end_it_and_say_why() {
    for (args, end, code, why) in [
        (&[][..], End::Code(1000), 1, "1000: --reconnect-on is lost,1001,1011-1014"),
        (&[], End::NoCode, 1, "1005: --reconnect-on is lost,1001,1011-1014"),
        (&[], End::Code(4009), 10, "4009: --reconnect-on is lost,1001,1011-1014"),
        (&["--reconnect-on", "lost"], End::Code(1001), 1, "1001: --reconnect-on is lost"),
        (&["--reconnect-on", "1001, 1012"], End::Cut, 9, "1006: --reconnect-on is 1001,1012"),
        (
            &["--reconnect-on", "any", "--ok-close", "4009"],
            End::Code(4009),
            1,
            "4009: --ok-close has it",
        ),
    ] {
        let output = ended(args, end).expect_code(code);
        assert_eq!(attempts(&output), 0, "{args:?}");
        let line = format!("* not reconnecting after {why}\n");
        output.expect_stderr(&line);
    }
    assert!(!ended(&["-q"], End::Code(1000)).stderr.contains("reconnecting"));
    // Without --reconnect there is nothing to say.
    let server = ending(End::Code(1000));
    let output = Run::new([server.url()]).stdin_held_open("").run();
    assert!(!output.expect_code(0).stderr.contains("reconnecting"));
}

#[test]
fn a_silent_peer_counts_as_lost() {
    let silent = || {
        ScriptedServer::start(|peer| {
            peer.accept();
            match peer.number() {
                1 => peer.stay_silent(),
                _ => peer.send(close_frame(1000, "")),
            }
        })
    };
    let args = ["--ping-interval", "50ms", "--ping-timeout", "100ms", "--reconnect-on"];
    let server = silent();
    let output = run(&[&args[..], &["1001"]].concat(), &server.url()).stdin_held_open("").run();
    let output = output.expect_code(11);
    output.expect_stderr("* not reconnecting after 1006: --reconnect-on is 1001\n");
    let server = silent();
    let output = run(&[&args[..], &["lost"]].concat(), &server.url()).stdin_held_open("").run();
    assert_eq!(attempts(&output.expect_code(0)), 1);
}

#[test]
fn other_failures_that_end_it_say_why() {
    let server = ScriptedServer::start(|peer| {
        peer.request();
        peer.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    });
    let output = run(&[], &server.url()).stdin("").run().expect_code(6);
    output.expect_stderr("* not reconnecting: the answer would be the same\n");
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send([0x83, 0x00]);
        peer.frames_until_close();
    });
    let output = run(&[], &server.url()).stdin_held_open("").run().expect_code(8);
    output.expect_stderr("* not reconnecting: the peer would break the protocol again\n");
}

#[test]
fn it_is_checked_when_it_is_typed() {
    for bad in ["", "lost,", "999", "4999-4000", "sometimes"] {
        let output = run(&["--reconnect-on", bad], "ws://localhost:1/").run();
        output.expect_failure(2, "usage: ").expect_stderr("--reconnect-on");
    }
    let alone = Run::new(["--reconnect-on", "any", "ws://localhost:1/"]);
    alone.run().expect_failure(2, "usage: ").expect_stderr("--reconnect");
}
