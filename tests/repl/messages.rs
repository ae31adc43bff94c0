//! What has come: shown again, found, held back, taken apart.

use crate::prompt::{CTRL_C, ask, connect, expect_exit, opened, wait_line, wait_prompt};
use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::pty::Terminal;
use crate::support::run::Run;
use crate::support::scripted::{Gate, Peer, ScriptedServer, close_frame, frame};

/// gzip of `{"ping":1}`.
const GZIP: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\xc8\xcc\x4b\x57\xb2\x32\xac\
                      \x05\x00\x2d\xec\x98\x21\x0a\x00\x00\x00";

/// Sends a message for each line that comes, then closes.
fn answering(peer: &mut Peer, answers: &[Vec<u8>]) {
    peer.accept();
    for answer in answers {
        peer.expect(0x1);
        peer.send(answer);
    }
}

#[test]
fn messages_are_shown_again_in_whole_also_after_the_end() {
    let server = ScriptedServer::start(|peer| {
        let long = "long ".repeat(3_000) + "end";
        answering(peer, &[frame(0x1, "first"), frame(0x2, b"\xff\0"), frame(0x1, long)]);
        peer.expect(0x1);
        peer.send(close_frame(1000, ""));
        peer.expect(0x8);
    });
    let mut pty = opened(Terminal::new([server.url()]).env("NO_COLOR", "1"));
    ask(&mut pty, "/last", &["! no message has come yet"]);
    ask(&mut pty, "a", &["< first"]);
    ask(&mut pty, "b", &["<b 2 bytes"]);
    ask(&mut pty, "c", &["… 15003 bytes in all: /last shows the whole message"]);
    assert!(!pty.screen().contains("long end"));
    ask(&mut pty, "/last", &["long end\n"]);
    ask(&mut pty, "/as-hex 2", &["<b 2 bytes", "ff 00"]);
    ask(&mut pty, "/as-text 2", &["<b \\xff\\x00"]);
    ask(&mut pty, "/as-hex 3", &["< 5 bytes", "66 69 72 73 74"]);
    ask(&mut pty, "/as-hex 4", &["! 3 messages kept: count back from 1"]);
    pty.line("bye");
    wait_prompt(&pty, "x");
    pty.line("/grep ^f");
    wait_line(&pty, "3 < first");
    wait_line(&pty, "* 1 of 3 messages matched");
    pty.line("/last 9");
    pty.wait_output("3 < first");
    pty.wait_output("2 <b 2 bytes");
    pty.wait_output("1 < long long");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn what_a_filter_and_a_pause_hold_back_is_kept() {
    let server = ScriptedServer::start(|peer| {
        let texts = ["tick 1", "trade 2", "tick 3", "last"].map(|text| frame(0x1, text));
        answering(peer, &[texts.concat()]);
        answer_again(peer);
    });
    let mut pty = connect(&server.url());
    ask(&mut pty, "/filter trade|last", &["* only messages that match are shown; all are kept"]);
    ask(&mut pty, "go", &["< trade 2", "< last"]);
    assert!(!pty.screen().contains("< tick"));
    ask(&mut pty, "/filter off", &["* all messages are shown; 2 messages came unshown: /last 2"]);
    ask(&mut pty, "/last 4", &["4 < tick 1", "3 < trade 2", "2 < tick 3", "1 < last"]);
    ask(&mut pty, "/pause", &["* paused: messages are kept"]);
    // The pong comes behind the message.
    ask(&mut pty, "go", &[]);
    ask(&mut pty, "/ping", &["* pong after "]);
    assert!(!pty.screen().contains("held"));
    ask(&mut pty, "/pause", &["* messages are shown again; 1 message came unshown: /last 1"]);
    ask(&mut pty, "/last", &["< held"]);
    ask(&mut pty, "/filter (", &["! /filter: '(' is not a regular expression"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

fn answer_again(peer: &mut Peer) {
    peer.expect(0x1);
    peer.send(frame(0x1, "held"));
    let ping = peer.expect(0x9);
    peer.send(frame(0xa, ping));
    peer.expect(0x8);
}

#[test]
fn what_the_application_has_compressed_is_inflated_on_request() {
    let play = |peer: &mut Peer| answering(peer, &[frame(0x2, GZIP), frame(0x2, GZIP)]);
    let server = ScriptedServer::start(move |peer| {
        play(peer);
        peer.expect(0x8);
    });
    let mut pty = connect(&server.url());
    ask(&mut pty, "a", &["<b 30 bytes"]);
    ask(&mut pty, "/as-text", &["<b {\"ping\":1}"]);
    ask(&mut pty, "/set inflate on", &[]);
    ask(&mut pty, "b", &[]);
    pty.wait_for(|screen| screen.contents().matches("<b {\"ping\":1}").count() == 2, PATIENCE);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();

    let server = ScriptedServer::start(move |peer| {
        play(peer);
        peer.expect(0x8);
    });
    let url = server.url();
    let args = ["--inflate", "-x", "a", "-x", "b", "-n", "2", &url];
    let done = Run::new(args).run();
    assert_eq!(done.text(), "{\"ping\":1}\n{\"ping\":1}\n");
    server.finish();
}

#[test]
fn a_refusals_page_is_its_title_and_twenty_lines() {
    let page = |peer: &mut Peer| {
        let rows: String = (0..100).map(|n| format!("<p>row {n}</p>\n\n")).collect();
        let body = format!("<!DOCTYPE html>\n<title>404 &amp; gone</title>\n{rows}");
        peer.request();
        let length = body.len();
        peer.send(format!("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\n{body}"));
    };
    let server = ScriptedServer::start(page);
    let done = Run::new([server.url()]).run();
    let shown = done.stderr;
    assert!(shown.contains("* a page of HTML: \"404 & gone\"\n< <!DOCTYPE html>\n"), "{shown}");
    assert!(shown.contains("< <p>row 17</p>\n* the page has "), "{shown}");
    server.finish();
    let server = ScriptedServer::start(page);
    let done = Run::new(["-v", &server.url()]).run();
    assert!(done.stderr.contains("< <p>row 99</p>\n"));
    server.finish();
}

#[test]
fn texts_are_sent_by_rule_until_that_is_ended() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "hb");
        peer.send(frame(0x1, "ping 7"));
        loop {
            match peer.expect(0x1).as_str() {
                "hb" => {}
                answer => break assert_eq!(answer, "pong 7"),
            }
        }
        while peer.expect(0x1) == "hb" {}
        assert_eq!(peer.expect(0x1), "again");
        assert_eq!(peer.expect(0x1), "end");
        peer.send(frame(0x1, "bye"));
        peer.expect(0x8);
    });
    let mut pty = connect(&server.url());
    ask(&mut pty, "/on", &["* no rules: /on, /every"]);
    ask(&mut pty, "/on ^ping (.*)=pong $1", &["* 1 on ^ping (.*)=pong $1"]);
    ask(&mut pty, "/every 20ms hb", &["* 2 every 20ms=hb"]);
    pty.wait_text("> text, 6 bytes: pong 7");
    pty.line("/off");
    pty.wait_output("2 rules ended");
    ask(&mut pty, "stop", &[]);
    ask(&mut pty, "/repeat 1 1h again", &["> text, 5 bytes: again"]);
    ask(&mut pty, "/off 1", &["! no rule 1; /on lists them"]);
    ask(&mut pty, "end", &["< bye"]);
    ask(&mut pty, "/on (=x", &["! /on: the pattern is not a regular expression"]);
    ask(&mut pty, "/every soon x", &["! /every: "]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn a_line_behind_a_wait_waits_for_its_message() {
    let queued = Gate::new();
    let go = queued.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "subscribe");
        peer.send(frame(0x1, "other"));
        go.wait();
        peer.send(frame(0x1, "ready"));
        assert_eq!(peer.expect(0x1), "next");
        // What waited in vain isn't sent.
        assert_eq!(peer.expect(0x1), "last");
        peer.expect(0x8);
    });
    let mut pty = connect(&server.url());
    pty.send("subscribe\r/wait ^ready 1m\rnext\r");
    pty.wait_text("* queued until a message matches");
    // What needn't wait doesn't.
    ask(&mut pty, "/status", &["readyState      1 (OPEN)"]);
    queued.open();
    pty.wait_text("* a message matched after ");
    pty.send("/wait never\rin vain\r");
    pty.wait_output_times("queued until a message matches", 2);
    pty.send(CTRL_C);
    pty.wait_text("! no message matched before Ctrl-C\n! 1 queued line not done");
    ask(&mut pty, "/wait never 1ms", &["! no message matched within 1.00 ms"]);
    ask(&mut pty, "last", &[]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn a_log_begins_and_ends_at_the_prompt() {
    let home = Home::new();
    let server = ScriptedServer::start(|peer| {
        answering(peer, &[frame(0x1, "before"), frame(0x1, "logged"), frame(0x1, "behind")]);
        peer.expect(0x8);
    });
    let mut pty = opened(Terminal::new([server.url()]).home(&home));
    ask(&mut pty, "a", &["< before"]);
    ask(&mut pty, "/log events.jsonl", &["* events are written to events.jsonl; /log off"]);
    ask(&mut pty, "/pause", &["* paused"]);
    ask(&mut pty, "b", &[]);
    ask(&mut pty, "/pause", &["* messages are shown again"]);
    ask(&mut pty, "/last", &["< logged"]);
    ask(&mut pty, "/log off", &["* the log has ended"]);
    ask(&mut pty, "/log off", &["* no log is written"]);
    ask(&mut pty, "c", &["< behind"]);
    ask(&mut pty, "/log /nowhere/x", &["can't open the log /nowhere/x"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let log = std::fs::read_to_string(home.path().join("events.jsonl")).unwrap();
    assert!(log.contains("\"data\":\"logged\""), "{log}");
    assert!(!log.contains("before") && !log.contains("behind"), "{log}");
    server.finish();
}

#[test]
fn typed_texts_have_fresh_values_on_request() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "{{counter}}");
        assert_eq!(peer.expect(0x1), "{\"id\":1}");
        assert_eq!(peer.expect(0x1), "{{counter}} 2 from env");
        let id = peer.expect(0x1);
        assert!(id.len() == 36 && id.split('-').count() == 5, "{id}");
        peer.send(frame(0x1, "echo {{env.TOKEN}}"));
        // What comes from the peer is no template.
        assert_eq!(peer.expect(0x1), "3: {{env.TOKEN}}");
        assert_eq!(peer.expect(0x1), "4!");
        assert_eq!(peer.expect(0x1), "5!");
        peer.send(frame(0x1, "bye"));
        peer.expect(0x8);
    });
    let mut pty = opened(Terminal::new([server.url()]).env("TOKEN", "from env").size(40, 90));
    ask(&mut pty, "{{counter}}", &[]);
    ask(&mut pty, "/set templates on", &[]);
    ask(&mut pty, "{\"id\":{{counter}}}", &["> text, 8 bytes: {\"id\":1}"]);
    pty.line(r"\{{counter}} {{counter}} {{env.TOKEN}}");
    ask(&mut pty, "/on ^echo (.*)={{counter}}: $1", &["1 on ^echo (.*)={{counter}}: $1"]);
    ask(&mut pty, "/every 1s {{user}}", &["! {{user}} is none of counter, uuid"]);
    ask(&mut pty, "{{env.NIX}}", &["! the environment has no NIX (/set templates off"]);
    ask(&mut pty, "{{uuid}}", &["3: {{env.TOKEN}}"]);
    ask(&mut pty, "/repeat 2 1ms {{counter}}!", &["< bye"]);
    ask(&mut pty, "/set templates", &["templates       on"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn macros_of_the_profile_stand_for_lines() {
    let home = Home::new();
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.expect(0x1), "{\"key\":\"k\"}");
        peer.send(frame(0x1, "ok"));
        assert_eq!(peer.expect(0x1), "ready for k");
        peer.send(frame(0x1, "bye"));
        peer.expect(0x8);
    });
    let config = format!(
        "[profile.x]\nurl = '{}'\n[profile.x.macros]\n\
         login = ['{{\"key\":\"$1\"}}', '/wait ^ok 1m', 'ready for $1']\nbad = '/nix'\n",
        server.url()
    );
    home.file("config.toml", &config);
    let mut pty = opened(Terminal::new(["--config", "config.toml", "@x"]).home(&home).size(60, 90));
    ask(&mut pty, "/login", &["! /login: takes one word, which is its $1"]);
    ask(&mut pty, "/bad", &["! there is no command /nix"]);
    ask(&mut pty, "/login k", &["> {\"key\":\"k\"}\n> /wait ^ok 1m\n> ready for k", "< bye"]);
    ask(&mut pty, "/help", &["  /login     {\"key\":\"$1\"} / /wait ^ok 1m / ready for $1"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}
