//! `/connect` with options and profiles, and what stays of the session.

use wstap::commands::demo;

use crate::prompt::{ask, connect, expect_exit, opened, wait_prompt};
use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::pty::{Pty, Terminal};
use crate::support::scripted::{ScriptedServer, frame};

/// A server that greets with the header `X-Who` of the request, or with "nobody", and echoes.
fn greeter() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        let request = peer.request();
        let who = request.head.lines().find_map(|line| line.strip_prefix("X-Who: "));
        let greeting = format!("hello {}", who.unwrap_or("nobody"));
        peer.upgrade(&request, "");
        peer.send(frame(0x1, greeting));
        peer.echo();
    })
}

#[test]
fn options_are_those_of_the_command_line() {
    let (first, other) = (demo::server().unwrap(), greeter());
    let mut pty = opened(Terminal::new(["-H", "X-Who: first", first.url()]).size(40, 120));
    // A URL alone leaves the options as they are.
    ask(&mut pty, &format!("/connect {}", other.url()), &["< hello first"]);
    pty.send("\x0c");
    let line = format!("/connect -H 'X-Who: you two' -x sent --pretty {}?a=1&b=2", other.url());
    ask(&mut pty, &line, &["< hello you two", "> text, 4 bytes: sent", "< sent"]);
    ask(&mut pty, "{\"a\":1}", &["    \"a\": 1"]);
    pty.send("\x0c");
    pty.wait_for(|screen| screen.contents().trim() == ">", PATIENCE);
    // It is not sent again, but the header is.
    ask(&mut pty, "/reconnect", &["< hello you two"]);
    ask(&mut pty, "there", &["< there"]);
    assert!(!pty.screen().contains("sent"), "{}", pty.screen());
    pty.send("\x0c");
    ask(&mut pty, &format!("/connect -v {}", other.url()), &["< hello nobody", "* timings: "]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    other.finish();
}

#[test]
fn a_profile_is_taken_with_its_options() {
    let server = greeter();
    let home = Home::new();
    let profile = format!("[profile.dev]\nurl = \"{}\"\nheader = \"X-Who: dev\"\n", server.url());
    std::fs::create_dir_all(home.path().join("config/wstap")).unwrap();
    home.file("config/wstap/config.toml", profile);
    let first = demo::server().unwrap();
    let mut pty = opened(Terminal::new([first.url()]).home(&home));
    ask(&mut pty, "/connect @dev", &["< hello dev"]);
    ask(&mut pty, "/connect -H 'X-Who: me' @dev", &["< hello me"]);
    ask(&mut pty, "/connect @nix", &["! /connect: there is no profile \"nix\"", "profiles: dev"]);
    ask(&mut pty, "still here", &["< still here"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn what_is_wrong_is_said_before_the_connection_is_left() {
    let server = demo::server().unwrap();
    let mut pty = connect(server.url());
    for (words, says) in [
        ("gopher://x", "\"gopher://x\" is not a WebSocket URL"),
        ("-k gopher://x", "/connect: \"gopher://x\" is not a WebSocket URL"),
        ("--nix ws://a", "/connect: unexpected argument '--nix' found"),
        ("-n none ws://a", "invalid value 'none'"),
        ("-k", "<URL>"),
        ("-H nocolon ws://a", "has no colon"),
        ("-H 'A: b ws://a", "/connect: a ' is not closed"),
        ("--json ws://a", "--json is for pipes, not for a prompt"),
        ("-u @- ws://a", "--user @- would read standard input"),
        ("--cookie @/nowhere ws://a", "/nowhere"),
        ("@nix", "the profile \"nix\" needs the configuration file"),
        ("--help", "/connect [OPTIONS] URL|@PROFILE"),
    ] {
        pty.send("\x0c");
        let unbroken = |screen: &vt100::Screen| {
            let rows: String = screen.rows(0, screen.size().1).collect();
            rows.split_whitespace().collect::<String>()
        };
        let wanted: String = says.split_whitespace().collect();
        pty.line(&format!("/connect {words}"));
        pty.wait_for(|screen| unbroken(screen).contains(&wanted), PATIENCE);
        wait_prompt(&pty, ">");
        assert!(!pty.screen().contains("closed by us"), "{words}: {}", pty.screen());
    }
    ask(&mut pty, "still here", &["< still here"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn reconnecting_begins_with_the_options_that_ask_for_it() {
    let first = demo::server().unwrap();
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        match peer.number() {
            1 => peer.cut(),
            _ => peer.echo(),
        }
    });
    let mut pty = connect(first.url());
    pty.line(&format!("/connect --reconnect --backoff 1ms {}", server.url()));
    pty.wait_text("reconnecting in ");
    ask(&mut pty, "back", &["< back"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn what_was_typed_for_one_host_is_not_sent_to_another() {
    let first = ScriptedServer::start(|peer| {
        let request = peer.request();
        assert!(request.head.contains("\r\nAuthorization: Bearer s3cret\r\n"), "{}", request.head);
        peer.upgrade(&request, "");
        peer.echo();
    });
    let other = ScriptedServer::start(|peer| {
        let request = peer.request();
        assert!(!request.head.contains("s3cret"), "{}", request.head);
        peer.upgrade(&request, "");
        peer.echo();
    });
    let mut pty = opened(Terminal::new(["--bearer", "s3cret", &first.url()]));
    for line in ["/connect ", "/connect --reconnect "] {
        pty.send("\x0c");
        pty.wait_for(|screen| screen.contents().trim() == ">", PATIENCE);
        pty.line(&format!("{line}{}", other.url()));
        pty.wait_text("* connected to ");
        ask(&mut pty, "there", &["< there"]);
    }
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    first.finish();
    other.finish();
}

#[test]
fn a_log_begins_with_its_connection() {
    let (first, other, home) = (demo::server().unwrap(), greeter(), Home::new());
    let log = home.path().join("log");
    let mut pty = connect(first.url());
    let to = |log: &str| format!("/connect --log {log} {}", other.url());
    ask(&mut pty, &to("/nowhere/log"), &["! /connect: can't open the log /nowhere/log: "]);
    ask(&mut pty, "still here", &["< still here"]);
    ask(&mut pty, &to(log.to_str().unwrap()), &["< hello nobody"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let events = std::fs::read_to_string(&log).unwrap();
    assert!(events.contains("hello nobody") && !events.contains("still here"), "{events}");
    assert!(events.lines().last().unwrap().starts_with("{\"type\":\"summary\""), "{events}");
}

#[test]
fn a_recording_begins_in_an_open_session() {
    let (server, home) = (demo::server().unwrap(), Home::new());
    let file = home.path().join("r.wst");
    let path = file.to_str().unwrap();
    let mut pty = opened(Terminal::new(["-H", "X-A: b", server.url()]).size(40, 120));
    ask(&mut pty, "before", &["< before"]);
    ask(&mut pty, "/record /nowhere/x", &["! output: can't open the recording /nowhere/x: "]);
    ask(&mut pty, "/record off", &["* nothing is recorded"]);
    ask(&mut pty, &format!("/record {path}"), &["* the session is recorded to "]);
    ask(&mut pty, "hello", &["< hello"]);
    ask(&mut pty, "/record off", &["* the recording has ended"]);
    ask(&mut pty, "after", &["< after"]);
    let again = format!("/connect --record {path} {}", server.url());
    ask(&mut pty, &again, &["--record is for the beginning of a session"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let script = std::fs::read_to_string(&file).unwrap();
    let (head, said) = script.split_once("    header: X-A: b\n").unwrap();
    assert!(head.contains(&format!("connect {}/\n", server.url())), "{script}");
    assert_eq!(said, "> hello\n< hello\n");
}

#[test]
fn rules_come_with_the_options() {
    let first = demo::server().unwrap();
    let other = greeter();
    let mut pty = connect(first.url());
    let line = format!("/connect --on '^hello=an answer' {}", other.url());
    ask(&mut pty, &line, &["< hello nobody", "< an answer"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    other.finish();
}

/// Types a line on a clear screen.
#[track_caller]
fn ask_alone(pty: &mut Pty, line: &str, answers: &[&str]) {
    pty.send("\x0c");
    pty.wait_for(|screen| screen.contents().trim() == ">", PATIENCE);
    ask(pty, line, answers);
}

#[test]
fn header_fields_are_for_the_next_opening() {
    let server = greeter();
    let mut pty = connect(&server.url());
    ask_alone(&mut pty, "/header", &["* none typed"]);
    ask_alone(&mut pty, "/header X-Who: you two", &["* the next request has X-Who (/reconnect)"]);
    ask_alone(&mut pty, "/header Authorization: Bearer s3cret", &["has Authorization"]);
    ask_alone(&mut pty, "/header", &["* X-Who: you two\n* Authorization: ***"]);
    ask_alone(&mut pty, "/reconnect", &["< hello you two"]);
    ask_alone(&mut pty, "/headers", &["* > X-Who: you two\n", "* > Authorization: ***\n"]);
    ask_alone(&mut pty, "/header x-who: me", &["* the next request has x-who"]);
    ask_alone(&mut pty, "/header User-Agent:", &["* the next request has no User-Agent"]);
    ask_alone(&mut pty, "/header", &["Authorization: ***\n* x-who: me\n* User-Agent: is left out"]);
    ask_alone(&mut pty, "/header authorization:", &["* the next request has no authorization"]);
    ask_alone(&mut pty, "/reconnect", &["< hello nobody"]);
    ask_alone(&mut pty, "/headers", &["* > x-who: me\n"]);
    let screen = pty.screen();
    assert!(!screen.contains("User-Agent") && !screen.contains("Authorization"), "{screen}");
    ask_alone(&mut pty, "/header X-Nix:", &["! no header field is called X-Nix"]);
    ask_alone(&mut pty, "/header nix", &["! /header: the header \"nix\" has no colon"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn a_secret_field_goes_to_the_host_it_was_typed_for() {
    let first = greeter();
    let other = ScriptedServer::start(|peer| {
        let request = peer.request();
        let has = |text: &str| request.head.contains(text);
        assert!(!has("first") && has("Bearer other") == (peer.number() == 2), "{}", request.head);
        peer.upgrade(&request, "");
        peer.echo();
    });
    let mut pty = opened(Terminal::new(["-u", "first:first", &first.url()]));
    ask_alone(&mut pty, "/header X-Api-Key: first", &["has X-Api-Key"]);
    ask_alone(&mut pty, &format!("/connect {}", other.url()), &["* connected to "]);
    ask_alone(&mut pty, "/header Authorization: Bearer other", &["has Authorization"]);
    ask_alone(&mut pty, "/reconnect", &["* connected to "]);
    ask_alone(&mut pty, "there", &["< there"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    first.finish();
    other.finish();
}

#[test]
fn settings_are_listed_and_changed() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        if peer.number() == 2 {
            return peer.echo();
        }
        peer.expect(0x9);
        let fragments = std::iter::from_fn(|| peer.frame()).filter(|frame| frame.opcode < 0x8);
        assert_eq!(Vec::from_iter(fragments.take(2).map(|frame| frame.text())), ["abc", "de"]);
        peer.cut();
    });
    let mut pty = connect(&server.url());
    let all =
        ["* verbose         0", "* color           on", "* ping-interval   off", "* fragment  "];
    ask_alone(&mut pty, "/set", &all);
    ask_alone(&mut pty, "/set color off", &[]);
    ask_alone(&mut pty, "/set timestamps", &["* timestamps      off"]);
    ask_alone(
        &mut pty,
        "/set ping-timeout 0",
        &["! /set: ping-timeout is off or a time such as 10"],
    );
    ask_alone(&mut pty, "/set fragment 3", &[]);
    ask_alone(&mut pty, "/set reconnect on", &[]);
    ask_alone(&mut pty, "/set ping-interval 1ms", &[]);
    ask_alone(
        &mut pty,
        "/set",
        &["ping-interval   0.001 s", "ping-timeout    10 s", "reconnect       on"],
    );
    ask_alone(&mut pty, "/set ping-interval off", &[]);
    pty.line("abcde");
    pty.wait_text("reconnecting in ");
    pty.wait_text("* connected to ");
    ask_alone(&mut pty, "back", &["< back"]);
    let output = pty.output();
    let colored = memchr::memmem::find_iter(&output, b"\x1b[34m*\x1b[0m connected to ").count();
    assert_eq!(colored, 1, "{}", output.escape_ascii());
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}
