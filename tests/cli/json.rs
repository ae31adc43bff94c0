//! `--json` and `--input json` on the binary.

use serde_json::Value;

use crate::support::run::{Output, Run};
use crate::support::schema::{SCHEMA, check};
use crate::support::scripted::{Frame, ScriptedServer, close_frame, frame, raw_frame};
use crate::support::wstap;

/// The events on stdout: each fits the schema, the counts have no gap, the last one is a summary.
#[track_caller]
fn events(output: &Output) -> Vec<Value> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let text = output.text();
    assert!(text.ends_with('\n'), "{text}");
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    for event in &events {
        check(&schema, &schema, event).unwrap_or_else(|why| panic!("{why}: {event}"));
    }
    let counts: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(counts.into_iter().eq(1..=events.len() as u64), "{text}");
    let summary = events.last().unwrap();
    assert_eq!(summary["type"], "summary");
    assert_eq!(summary["exit"], output.code());
    events
}

fn of_type<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == name).collect()
}

fn echoing() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    })
}

/// What a server sees of these lines of `--input json`, up to the client's Close.
fn commanded(lines: &str) -> Vec<Frame> {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let frames = peer.frames_until_close();
        if let Some(close) = frames.last() {
            peer.send(frame(0x8, &close.payload));
        }
    });
    // The fence's pong never comes, so the end of the input closes at once.
    let args = ["--input", "json", "-E", "--no-deflate", &server.url()];
    let output = Run::new(args).stdin(lines).run();
    assert!(!output.timed_out, "{output:?}");
    server.finish().frames
}

#[test]
fn a_session_as_events() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "hello \u{1b}[2J");
        peer.send(frame(0x1, "Grüße\u{202e}"));
        peer.send(frame(0x2, [0, 255, 10]));
        peer.send(raw_frame(0x01, "in "));
        peer.send(raw_frame(0x80, "two"));
        peer.send(close_frame(1000, "bye"));
        peer.frames_until_close();
    });
    let run = Run::new(["--json", "--no-deflate", &server.url()]);
    let output = run.stdin_held_open("hello \u{1b}[2J\n").run().expect_code(0);
    assert!(output.text().is_ascii() || !output.text().contains('\u{202e}'));
    assert!(!output.stdout.contains(&0x1b));
    let events = events(&output);
    assert_eq!(events[0]["type"], "resolving");
    for name in ["resolved", "connected", "request", "response", "handshake", "open"] {
        assert_eq!(of_type(&events, name).len(), 1, "{name}");
    }
    let messages = of_type(&events, "message");
    let told: Vec<[&Value; 4]> = messages
        .iter()
        .map(|m| ["direction", "opcode", "data", "fragments"].map(|key| &m[key]))
        .map(|fields| fields.map(|value| value))
        .collect();
    let shown = serde_json::to_string(&told).unwrap();
    let wanted = serde_json::json!([
        ["out", "text", "hello \u{1b}[2J", 1],
        ["in", "text", "Grüße\u{202e}", 1],
        ["in", "binary", null, 1],
        ["in", "text", "in two", 2],
    ]);
    assert_eq!(shown, wanted.to_string());
    assert_eq!(messages[2]["base64"], "AP8K");
    let closes = of_type(&events, "close");
    let sides: Vec<(&Value, &Value)> =
        closes.iter().map(|close| (&close["direction"], &close["code"])).collect();
    assert_eq!(
        serde_json::to_value(sides).unwrap(),
        serde_json::json!([["in", 1000], ["out", 1000]])
    );
    let closed = of_type(&events, "closed")[0];
    assert_eq!(closed["clean"], true);
    assert_eq!(closed["first"], "peer");
    assert_eq!(closed["received"]["reason"], "bye");
    assert_eq!(closed["totals"]["messages_in"], 3);
    assert_eq!(closed["totals"]["messages_out"], 1);
}

#[test]
fn frames_are_events_too() {
    let server = echoing();
    let run = Run::new(["--json", "-vv", "-n", "1", "--no-deflate", &server.url()]);
    let output = run.stdin("a\n").run().expect_code(0);
    let events = events(&output);
    let frames = of_type(&events, "frame");
    let first = frames[0];
    assert_eq!((&first["direction"], &first["opcode"]), (&"out".into(), &"text".into()));
    assert_eq!(first["masked"], true);
    assert!(frames.iter().any(|frame| frame["direction"] == "in" && frame["masked"] == false));
}

#[test]
fn a_failure_ends_with_a_summary_too() {
    let refused = ScriptedServer::start(|peer| {
        peer.request();
        peer.send("HTTP/1.1 403 Forbidden\r\nX: \u{e4}\r\nContent-Length: 2\r\n\r\nno");
    });
    let violating = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(raw_frame(0x83, "x"));
        peer.frames_until_close();
    });
    let vanishing = ScriptedServer::start(|peer| {
        peer.accept();
        peer.reset();
    });
    let silent = ScriptedServer::start(|peer| peer.stay_silent());
    let name = "ws://no-such-host.invalid/".to_owned();
    for (url, code, name) in [
        (refused.url(), 6, "response"),
        (violating.url(), 8, "violation"),
        (vanishing.url(), 9, "closed"),
        (silent.url(), 11, "request"),
        ("ws://127.0.0.1:1/".to_owned(), 4, "connect-failed"),
        (name, 3, "resolving"),
    ] {
        let run = Run::new(["--json", "--connect-timeout", "2", &url]).stdin_held_open("");
        let output = run.env("RES_OPTIONS", "timeout:1 attempts:1").run().expect_code(code);
        let events = events(&output);
        assert!(!of_type(&events, name).is_empty(), "{url}: no {name}");
        assert_eq!(of_type(&events, "error")[0]["exit"], code, "{url}");
        assert_eq!(events.last().unwrap()["error"]["exit"], code, "{url}");
    }
}

#[test]
fn what_cannot_even_begin_has_a_summary_too() {
    for args in [
        &["--json", "ws://host:99999/"][..],
        &["--json", "-H", "no colon", "ws://localhost/"],
        &["inspect", "--json", "ftp://host/"],
        &["curl", "--json", "curl ws://host:99999/"],
    ] {
        let output = Run::new(args.iter().copied()).run().expect_code(2);
        assert_eq!(events(&output).len(), 1, "{args:?}");
    }
}

#[test]
fn a_limit_for_the_time_ends_with_a_summary_too() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.frames_until_close();
    });
    let run = Run::new(["--json", "-m", "300ms", &server.url()]).stdin_held_open("");
    let output = run.run().expect_code(11);
    assert_eq!(of_type(&events(&output), "error").len(), 1);
}

#[test]
fn inspect_tells_the_same_events() {
    let server = echoing();
    let output = Run::new(["inspect", "--json", &server.url()]).run().expect_code(0);
    let events = events(&output);
    assert_eq!(of_type(&events, "handshake")[0]["verdict"], "pass");
    let refusing = ScriptedServer::start(|peer| {
        peer.request();
        peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
    let output = Run::new(["inspect", "--json", &refusing.url()]).run().expect_code(6);
    self::events(&output);
}

#[test]
fn commands_become_frames() {
    let frames = commanded(
        "{\"type\":\"message\",\"data\":\"hi\"}\n\
         \n\
         {\"type\":\"message\",\"opcode\":\"binary\",\"base64\":\"AP8=\"}\n\
         {\"type\":\"message\",\"data\":\"abcd\",\"fragment\":3}\n\
         {\"type\":\"ping\",\"data\":\"p\"}\n\
         {\"type\":\"pong\",\"data\":\"q\"}\n\
         {\"type\":\"close\",\"code\":4000,\"reason\":\"done\"}\n\
         {\"type\":\"message\",\"data\":\"never\"}\n",
    );
    let seen: Vec<(bool, u8, String)> =
        frames.iter().map(|frame| (frame.fin, frame.opcode, frame.text())).collect();
    let frame = |fin, opcode, text: &str| (fin, opcode, text.to_owned());
    assert_eq!(
        seen[..6],
        [
            frame(true, 1, "hi"),
            frame(true, 2, "\0\u{fffd}"),
            frame(false, 1, "abc"),
            frame(true, 0, "d"),
            frame(true, 9, "p"),
            frame(true, 10, "q"),
        ]
    );
    assert_eq!(seen.len(), 7);
    assert_eq!(frames[6].close_code(), Some(4000));
    assert_eq!(&frames[6].payload[2..], b"done");
}

#[test]
fn wrong_frames_arrive_byte_for_byte() {
    let frames = commanded(
        "{\"type\":\"frame\",\"fin\":false,\"rsv\":5,\"opcode\":3,\"mask\":\"01020304\",\
         \"length_form\":64,\"data\":\"xyz\"}\n\
         {\"type\":\"frame\",\"opcode\":\"ping\",\"mask\":false,\"data\":\"unmasked\"}\n\
         {\"type\":\"frame\",\"opcode\":\"text\",\"mask\":\"00000000\",\"length_form\":16,\
         \"base64\":\"/w==\"}\n",
    );
    let header = &[0x53, 0xff, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 4];
    assert_eq!((&frames[0].header[..], &frames[0].payload[..]), (&header[..], &b"xyz"[..]));
    assert_eq!((&frames[1].header[..], frames[1].text()), (&[0x89, 8][..], "unmasked".into()));
    let header = &[0x81, 0xfe, 0, 1, 0, 0, 0, 0];
    assert_eq!((&frames[2].header[..], &frames[2].payload[..]), (&header[..], &[0xff][..]));
}

#[test]
fn what_was_received_can_be_sent_without_multiplying() {
    let pushing = ScriptedServer::start(|peer| {
        peer.accept();
        peer.expect(0x1);
        peer.send(frame(0x1, "one"));
        peer.send(frame(0x2, b"\x00\xff"));
        peer.send(close_frame(1000, ""));
        peer.frames_until_close();
    });
    let run = Run::new(["--json", "-vv", "--no-deflate", &pushing.url()]);
    let first = run.stdin_held_open("own\n").run().expect_code(0);
    // Pings and pongs and the peer's Close are commands as well, so only messages are passed on.
    let lines: String = first
        .lines()
        .into_iter()
        .filter(|line| !line.contains("\"type\":\"close\""))
        .map(|line| line + "\n")
        .collect();
    let server = echoing();
    let args = ["--input", "json", "--output", "hex", "-n", "2", "--no-deflate", &server.url()];
    let output = Run::new(args).stdin(lines).run();
    output.expect_code(0).expect_stdout("6f6e65\n00ff\n");
    let sent = server.finish().frames;
    let opcodes: Vec<u8> =
        sent.iter().map(|frame| frame.opcode).filter(|opcode| *opcode < 8).collect();
    assert_eq!(opcodes, [1, 2]);
}

#[test]
fn the_json_loop_is_an_echo() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        for text in ["one", "two"] {
            peer.send(frame(0x1, text));
            assert_eq!(peer.expect(0x1), text);
        }
        peer.send(frame(0x2, b"\xff"));
        assert_eq!(peer.frame().unwrap().payload, b"\xff");
        peer.send(close_frame(1000, ""));
        let rest = peer.frames_until_close();
        assert_eq!(rest.len(), 1, "{rest:?}");
    });
    // Its own stdout is its stdin.
    let script = format!(
        "mkfifo loop && exec '{}' --no-deflate --input json --json '{}' <>loop >loop",
        wstap(),
        server.url()
    );
    Run::program("sh", ["-c", &script]).run().expect_code(0);
    server.finish();
}

#[test]
fn a_bad_command_is_13_with_its_line() {
    let server = echoing();
    let run = Run::new(["--input", "json", &server.url()]);
    let lines =
        "{\"type\":\"message\",\"data\":\"a\"}\n\n{\"type\":\"mesage\"}\n{\"type\":\"ping\"}\n";
    let output = run.stdin(lines).run();
    let what = "input: line 3 of standard input: no command is called 'mesage'";
    output
        .expect_failure(13, what)
        .expect_stdout("a\n")
        .expect_stderr("hint: a command looks like");

    let server = echoing();
    let run = Run::new(["--json", "--input", "json", &server.url()]);
    let output = run.stdin("{\"type\":\"message\"\n").run();
    let output = output.expect_failure(13, "input: line 1 of standard input: not JSON");
    assert_eq!(of_type(&events(&output), "error")[0]["stage"], "input");
}
