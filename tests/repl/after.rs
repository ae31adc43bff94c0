//! Questions and commands after the end, before the opening, and in between.

use wstap::commands::demo;

use crate::prompt::{ask, connect, expect_exit, wait_line, wait_prompt};
use crate::support::PATIENCE;
use crate::support::pty::{Pty, Terminal};
use crate::support::scripted::{Gate, ScriptedServer, close_frame};

/// Types a question where there is no connection, and waits for the parts of its answer.
#[track_caller]
fn ask_closed(pty: &mut Pty, question: &str, answers: &[&str]) {
    pty.send("\x0c");
    pty.wait_for(|screen| screen.contents().trim() == "x", PATIENCE);
    pty.line(question);
    for answer in answers {
        pty.wait_text(answer);
    }
    wait_prompt(pty, "x");
    assert!(!pty.screen().contains("not connected"), "{}", pty.screen());
}

#[test]
fn a_closed_connection_still_answers() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "hello");
        peer.send(close_frame(4001, "later"));
        peer.expect(0x8);
    });
    let mut pty = Terminal::new([server.url()]).size(30, 120).start();
    wait_prompt(&pty, ">");
    pty.line("hello");
    pty.wait_text("* not connected");
    let over = "* over: closed by the peer with 4001 (";
    let facts = [
        "readyState      3 (CLOSED)",
        "received        0 messages",
        "sent            1 message, 5",
    ];
    ask_closed(&mut pty, "/status", &[&[over, "reason \"later\""], &facts[..]].concat());
    ask_closed(&mut pty, "/headers", &[over, "* > GET / HTTP/1.1", "* < HTTP/1.1 101"]);
    ask_closed(&mut pty, "/tls", &[over, "no TLS: this is a ws:// connection"]);
    ask_closed(&mut pty, "/timing", &[over, "* response  ", " ms"]);
    ask_closed(&mut pty, "/as curl", &[over, "\ncurl -i"]);
    pty.line("/ping");
    pty.wait_text("! not connected, so this was not done");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn a_cut_connection_still_answers() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.expect(0x1);
        peer.cut();
    });
    let mut pty = connect(&server.url());
    pty.line("hello");
    pty.wait_text("* not connected");
    let over = "* over: connection lost without a Close frame (1006), ";
    ask_closed(&mut pty, "/status", &[over, "* readyState      3 (CLOSED)"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn an_attempt_that_failed_answers_with_what_it_came_to() {
    let refusing = ScriptedServer::start(|peer| {
        let request = peer.request();
        assert!(request.head.starts_with("GET /private?"), "{}", request.head);
        peer.send("HTTP/1.1 403 Forbidden\r\nX-Why: no badge\r\nContent-Length: 0\r\n\r\n");
        peer.cut();
    });
    let first = demo::server().unwrap();
    let mut pty = Terminal::new([first.url()]).size(30, 120).start();
    wait_prompt(&pty, ">");
    pty.line(&format!("/connect {}private?token=s3cret", refusing.url()));
    pty.wait_text("* not connected");
    let over = "* over, never open: handshake: ";
    let url = format!("* url             {}private?token=***", refusing.url());
    ask_closed(&mut pty, "/status", &[over, &url, "* readyState      3 (CLOSED)"]);
    let heads =
        ["> GET /private?token=*** HTTP/1.1", "< HTTP/1.1 403 Forbidden", "< X-Why: no badge"];
    ask_closed(&mut pty, "/headers", &[&[over], &heads[..]].concat());
    ask_closed(&mut pty, "/timing", &[over, "* connect "]);
    ask_closed(&mut pty, "/as curl", &[over, "/private?token=***"]);
    refusing.finish();
    pty.send("\x0c");
    pty.wait_for(|screen| screen.contents().trim() == "x", PATIENCE);
    pty.line("/connect ws://127.0.0.1:1/");
    pty.wait_text("* not connected");
    let over = "* over, never open: connect: 127.0.0.1:1: connection refused";
    ask_closed(&mut pty, "/headers", &[over, "* no request was sent"]);
    ask_closed(&mut pty, "/timing", &[over, "* no phase was completed"]);
    pty.send("\x0c");
    pty.wait_for(|screen| screen.contents().trim() == "x", PATIENCE);
    pty.line("/connect wss://127.0.0.1:1/");
    pty.wait_text("not connected");
    ask_closed(&mut pty, "/tls", &["* the TLS handshake was not done"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn an_attempt_that_goes_on_answers_and_queues() {
    let (asked, answer) = (Gate::new(), Gate::new());
    let (ask_gate, go) = (asked.clone(), answer.clone());
    let server = ScriptedServer::start(move |peer| {
        let request = peer.request();
        ask_gate.open();
        go.wait();
        peer.upgrade(&request, "");
        peer.echo();
    });
    let mut pty = Terminal::new([server.url()]).start();
    asked.wait();
    wait_prompt(&pty, "x");
    pty.line("/status");
    wait_line(&pty, "* not open yet");
    wait_line(&pty, "* readyState      0 (CONNECTING)");
    pty.line("early");
    wait_line(&pty, "* queued until the connection is open");
    answer.open();
    pty.wait_text("< early");
    ask(&mut pty, "/status", &["* readyState      1 (OPEN)"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn an_attempt_can_be_given_up_for_another() {
    let asked = Gate::new();
    let gate = asked.clone();
    let silent = ScriptedServer::start(move |peer| {
        peer.request();
        gate.open();
        peer.stay_silent();
    });
    let other = demo::server().unwrap();
    let mut pty = Terminal::new([silent.url()]).start();
    asked.wait();
    pty.line("for the first alone");
    wait_line(&pty, "* queued until");
    pty.line(&format!("/connect {}", other.url()));
    wait_line(&pty, "! 1 queued line not done");
    wait_prompt(&pty, ">");
    ask(&mut pty, "for the other", &["< for the other"]);
    assert!(!pty.screen().contains("< for the first"), "{}", pty.screen());
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn a_slow_opening_says_whom_it_connects_to_and_a_quick_one_does_not() {
    let answer = Gate::new();
    let go = answer.clone();
    let server = ScriptedServer::start(move |peer| {
        let request = peer.request();
        go.wait();
        peer.upgrade(&request, "");
        peer.echo();
    });
    let mut pty = Terminal::new([format!("{}?token=s3cret", server.url())]).start();
    wait_line(&pty, &format!("* connecting to {}?token=***", server.url()));
    answer.open();
    pty.wait_text("* connected to ");
    ask(&mut pty, "hello", &["< hello"]);
    pty.line("/reconnect");
    wait_prompt(&pty, ">");
    ask(&mut pty, "again", &["< again"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let output = String::from_utf8_lossy(&pty.output()).into_owned();
    assert_eq!(output.matches("connecting to ").count(), 1, "{output}");
    server.finish();
}

#[test]
fn nothing_is_said_between_a_connection_and_the_next() {
    let server = demo::server().unwrap();
    let mut pty = connect(server.url());
    for command in ["/reconnect", &format!("/connect {}", server.url())] {
        pty.send("\x0c");
        pty.line(command);
        pty.wait_text("* connected to ");
        ask(&mut pty, "there", &["< there"]);
    }
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let output = String::from_utf8_lossy(&pty.output()).into_owned();
    assert!(!output.contains("not connected"), "{output}");
}

#[test]
fn no_empty_prompt_is_left_at_the_end() {
    let server = demo::server().unwrap();
    let ends = |args: &[&str], keys: &str, code: u32, last: &str| {
        let mut pty = Terminal::new(args.iter().copied().chain([server.url()])).start();
        if !keys.is_empty() {
            wait_prompt(&pty, ">");
            pty.send(keys);
        }
        expect_exit(&mut pty, code);
        let screen = pty.screen();
        let shown = screen.trim_end().lines().last().unwrap_or_default();
        assert!(shown.starts_with(last), "{screen}");
        assert!(!screen.lines().any(|line| matches!(line.trim_end(), "x" | ">")), "{screen}");
    };
    ends(&["-n", "1", "-x", "hi"], "", 0, "* closed by us with 1000");
    ends(&["-m", "500ms"], "", 0, "! session: not done within 0.5 s");
    ends(&[], "\x03", 0, "* closed by us with 1000");
    ends(&[], "\x04", 0, "* closed by us with 1000");
    let mut pty = Terminal::new(["ws://127.0.0.1:1/"]).start();
    expect_exit(&mut pty, 4);
    let screen = pty.screen();
    assert!(screen.starts_with("! connect: 127.0.0.1:1: connection refused"), "{screen}");
    assert!(!screen.contains('x') || !screen.trim_end().ends_with('x'), "{screen}");
}

#[test]
fn how_it_ended_is_said_once() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        if peer.number() == 1 {
            peer.send(close_frame(1012, "new version"));
            peer.expect(0x8);
        } else {
            peer.echo();
        }
    });
    let args = ["-v", "--reconnect", "--backoff", "1ms", &server.url()];
    let mut pty = Terminal::new(args).size(100, 120).start();
    pty.wait_for(|screen| screen.contents().matches("* timings: ").count() == 2, PATIENCE);
    pty.line("/close 4000 bye");
    pty.wait_text("* not connected");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let screen = pty.screen();
    let count = |text: &str| screen.matches(text).count();
    // The Close frame and the end of the connection are two things.
    assert_eq!((count("\"new version\""), count("reconnecting in ")), (2, 1), "{screen}");
    assert_eq!((count("sent Close 4000"), count("received Close 4000")), (1, 1), "{screen}");
    assert_eq!((count("closed by us"), count("  sent: "), count("> close")), (1, 0, 0), "{screen}");
    server.finish();
}

#[test]
fn a_ping_made_by_hand_shows_its_pong() {
    let server = demo::server().unwrap();
    let mut pty = connect(server.url());
    for frame in ["/frame op=9", "/frame op=ping text=hi", "/frame op=9 hex=00ff mask=00000000"] {
        pty.send("\x0c");
        ask(&mut pty, frame, &["> frame ping, ", "* pong after "]);
    }
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}
