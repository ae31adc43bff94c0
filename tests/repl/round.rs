//! Every command and every kind of message, from the first line to the last.

use wstap::commands::demo;
use wstap::commands::serve::ServeOptions;

use crate::prompt::{CTRL_D, ask, connect, expect_exit, opened, serve, wait_prompt};
use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::pty::{Pty, Terminal};
use crate::support::scripted::{Peer, ScriptedServer, close_frame, frame};
use crate::support::tls::Tls;

#[test]
fn from_the_first_line_to_quit() {
    let server = demo::server().unwrap();
    let mut pty = connect(server.url());
    assert!(!pty.is_cooked() && pty.bracketed_paste());
    ask(&mut pty, "hello", &["< hello"]);
    ask(&mut pty, "Grüße 😀 漢字", &["< Grüße 😀 漢字"]);
    ask(&mut pty, "//slash", &["< /slash"]);
    ask(&mut pty, "/ping", &["* pong after "]);
    assert!(pty.screen().contains(" ms\n"), "{}", pty.screen());
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let connected = format!("* connected to {}", server.url());
    let begins = [
        connected.as_str(),
        "* a line is sent as a message; /help lists the commands",
        "> hello",
        "< hello",
        "> Grüße 😀 漢字",
        "< Grüße 😀 漢字",
        "> //slash",
        "< /slash",
        "> /ping",
        "> ping, 0 bytes",
        "* pong after ",
        "> /quit",
        "* closed by us with 1000 (normal closure), ",
    ];
    let mut lines = pty.lines();
    lines.retain(|line| !line.is_empty());
    let as_wanted = lines.iter().zip(begins).all(|(line, begin)| line.starts_with(begin));
    assert!(as_wanted && lines.len() == begins.len(), "{lines:#?}");
}

#[test]
fn messages_of_every_spelling() {
    let home = Home::new();
    home.file("note.txt", "from a file");
    home.file("data.bin", [0xff, 0x00]);
    let server = demo::server().unwrap();
    let mut pty = opened(Terminal::new([server.url()]).home(&home));
    ask(&mut pty, r"/bin a\x00\xff", &["<b 3 bytes", "61 00 ff"]);
    ask(&mut pty, "/hex 00 01fe", &["00 01 fe"]);
    ask(&mut pty, "/base64 AP8B", &["00 ff 01"]);
    ask(&mut pty, "/json { \"a\": [1, 2.50] }", &["< {\"a\":[1,2.50]}"]);
    ask(&mut pty, "/text  /spaced", &["<  /spaced"]);
    ask(&mut pty, "/file note.txt", &["< from a file"]);
    ask(&mut pty, "/file data.bin", &["<b 2 bytes", "ff 00"]);
    ask(&mut pty, "/file nowhere", &["! /file: nowhere: there is no such file"]);
    ask(&mut pty, "/json {", &["! /json: not JSON"]);
    ask(&mut pty, "/hex 0g", &["! /hex: column 2 is not a hex digit; usage: /hex"]);
    ask(&mut pty, "/set pretty on", &[]);
    ask(&mut pty, "/json {\"pretty\":1}", &["  \"pretty\": 1"]);
    ask(&mut pty, "/set hex on", &[]);
    ask(&mut pty, "dump", &["64 75 6d 70"]);
    pty.send(CTRL_D);
    expect_exit(&mut pty, 0);
}

#[test]
fn what_there_is_to_know() {
    let server =
        serve(ServeOptions { subprotocols: vec!["chat.v2".into()], ..ServeOptions::default() });
    let terminal = Terminal::new(["-s", "chat.v1,chat.v2", server.url()]).size(40, 100);
    let mut pty = opened(terminal);
    ask(&mut pty, "hello", &["< hello"]);
    let unmeasured = ["readyState      1 (OPEN)", "bufferedAmount  0 bytes"];
    ask(&mut pty, "/status", &unmeasured);
    for fact in [
        "subprotocol     chat.v2",
        "extensions      ",
        "received        1 message, 5 bytes in 1 frame ",
        "sent            1 message, 5 bytes in 1 frame ",
        "round trip      not measured",
    ] {
        pty.wait_text(fact);
    }
    ask(&mut pty, "/ping", &["* pong after "]);
    ask(&mut pty, "/status", &["round trip      "]);
    pty.wait_for(|screen| screen.contents().matches("round trip").count() == 2, PATIENCE);
    let asked = ["> GET / HTTP/1.1", "> Sec-WebSocket-Protocol: chat.v1", "< HTTP/1.1 101"];
    ask(&mut pty, "/headers", &asked);
    ask(&mut pty, "/tls", &["no TLS: this is a ws:// connection"]);
    ask(&mut pty, "/timing", &[" ms"]);
    ask(&mut pty, "/explain 1006", &["1006"]);
    ask(&mut pty, "/help close", &["/close [--force] [CODE [REASON]]"]);
    ask(&mut pty, "/help", &["/help COMMAND shows"]);
    ask(&mut pty, "/hlep", &["! there is no command /hlep; did you mean /help?"]);
    ask(&mut pty, "/close bye", &["! /close: 'bye' is not a close code", "usage: /close ["]);
    ask(&mut pty, "/ping\u{7f}\u{7f}\u{7f}\u{7f}set x y", &["! /set: no setting 'x'"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn secrets_are_not_shown() {
    let server = ScriptedServer::start(|peer| {
        let request = peer.request();
        assert!(request.head.contains("?a=1&token=s3cret "), "{}", request.head);
        peer.upgrade(&request, "Set-Cookie: id=s3cret\r\n");
        peer.echo();
    });
    let url = format!("{}?a=1&token=s3cret", server.url());
    let args = ["-v", "-H", "Authorization: Bearer s3cret", "--cookie", "id=s3cret", &url];
    let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 100));
    ask(&mut pty, "/status", &["* url             ws://localhost:"]);
    ask(&mut pty, "/headers", &["* > Authorization: ***", "* < Set-Cookie: ***"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    assert!(memchr::memmem::find(&pty.output(), b"s3cret").is_none(), "{}", pty.screen());
    server.finish();
}

#[test]
fn secrets_are_shown_on_request() {
    let server = ScriptedServer::start(|peer| {
        let request = peer.request();
        peer.upgrade(&request, "Set-Cookie: id=s3cret\r\n");
        peer.echo();
    });
    let url = format!("{}?token=s3cret", server.url());
    let args = ["--show-secrets", "--bearer", "s3cret", &url];
    let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 100));
    ask(&mut pty, "/status", &["?token=s3cret"]);
    let lines = ["* > Authorization: Bearer s3cret", "* < Set-Cookie: id=s3cret"];
    ask(&mut pty, "/headers", &lines);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn another_server_gets_no_login_that_was_typed_for_the_first() {
    let [first, other] = [(); 2].map(|()| {
        ScriptedServer::start(|peer| {
            peer.accept();
            peer.echo();
        })
    });
    let args = ["-u", "me:s3cret", "-H", "X-Kept: yes", &first.url()];
    let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 100));
    let connect = format!("/connect {}", other.url());
    ask(&mut pty, &connect, &[&format!("* connected to {}", other.url())]);
    let back = format!("/connect {}again", first.url());
    ask(&mut pty, &back, &[&format!("* connected to {}again", first.url())]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    let (first, other) = (first.finish().requests, other.finish().requests);
    assert!(first.iter().all(|request| request.header("authorization").is_some()));
    assert_eq!((first.len(), other[0].header("authorization")), (2, None));
    assert_eq!(other[0].header("x-kept"), Some("yes"));
}

#[test]
fn tls_names_its_version_and_certificates() {
    let tls = Tls::new();
    let server = serve(ServeOptions {
        cert: Some(tls.cert.clone()),
        key: Some(tls.key.clone()),
        ..ServeOptions::default()
    });
    let cacert = tls.ca.to_str().unwrap();
    let mut pty = opened(Terminal::new(["--cacert", cacert, server.url()]).size(30, 120));
    ask(&mut pty, "hello", &["< hello"]);
    ask(&mut pty, "/tls", &["TLSv1.3 with ", "certificate 1: ", "wstap's test authority"]);
    ask(&mut pty, "/timing", &["tls"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn frames_are_sent_exactly_as_typed() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let header = |peer: &mut Peer| {
            let frame = peer.frame().expect("a frame");
            (frame.header, frame.payload)
        };
        assert_eq!(header(peer), (vec![0x43, 0x85, 0, 0, 0, 0], b"hello".to_vec()));
        let long = vec![0x8f, 0x7f, 0, 0, 0, 0, 0, 0, 0, 2];
        assert_eq!(header(peer), (long, vec![0x00, 0xff]));
        assert_eq!(header(peer), (vec![0x89, 0xfe, 0, 1, 1, 2, 3, 4], b"x".to_vec()));
        let fragments: Vec<_> = (0..3)
            .map(|_| peer.frame().expect("a fragment"))
            .map(|frame| (frame.fin, frame.opcode, frame.text()))
            .collect();
        let wanted = [(false, 1, "abc"), (false, 0, "def"), (true, 0, "g")];
        assert_eq!(fragments, wanted.map(|(fin, op, text)| (fin, op, text.to_owned())));
        peer.send(frame(0x1, "seen"));
        // A length that is not true swallows what follows.
        let swallowed = peer.frame().expect("a frame");
        assert_eq!(swallowed.header, [0x81, 0x88, 0, 0, 0, 0]);
        assert_eq!(&swallowed.payload[..3], b"a\x81\x82");
        peer.cut();
    });
    let mut pty = connect(&server.url());
    pty.line("/frame fin=0 op=3 rsv=4 mask=00000000 length=5 text=hello");
    pty.line("/frame op=15 form=64 mask=none hex=00ff");
    pty.line("/frame op=ping form=16 mask=01020304 text=x");
    pty.line("/fragment 3 abcdefg");
    pty.wait_text("< seen");
    pty.line("/frame mask=00000000 length=8 text=a");
    pty.line("b!");
    pty.wait_text("not connected");
    ask_closed(&mut pty, "/frame op=x", "! /frame: no opcode is called 'x'");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

/// The same as [`ask`] where there is no connection.
#[track_caller]
fn ask_closed(pty: &mut Pty, line: &str, answer: &str) {
    pty.line(line);
    pty.wait_text(answer);
    wait_prompt(pty, "x");
}

#[test]
fn closing_and_coming_back() {
    let (first, second) = (demo::server().unwrap(), demo::server().unwrap());
    let mut pty = opened(Terminal::new([first.url()]).size(40, 120));
    pty.line("/close 4000 bye");
    pty.wait_text("closed by us with 4000 (");
    pty.wait_text("), reason \"bye\", ");
    pty.wait_text(" after opening");
    wait_prompt(&pty, "x");
    ask_closed(&mut pty, "lost", "not connected, so this was not done");
    pty.line("/reconnect");
    pty.wait_for(|screen| screen.contents().matches("* connected to").count() == 2, PATIENCE);
    ask(&mut pty, "again", &["< again"]);
    // Also from a connection that is open; and what is typed meanwhile goes to the next.
    pty.send("/reconnect\rearly\r");
    pty.wait_for(|screen| screen.contents().matches("* connected to").count() == 3, PATIENCE);
    pty.wait_text("< early");
    pty.line(&format!("/connect {}", second.url()));
    pty.wait_text(&format!("* connected to {}", second.url()));
    ask(&mut pty, "there", &["< there"]);
    pty.line("/close");
    wait_prompt(&pty, "x");
    drop(second);
    ask_closed(&mut pty, "/reconnect", "refused");
    ask_closed(&mut pty, "/connect gopher://x", "gopher");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn what_was_sent_is_seen_with_its_kind_and_size() {
    let home = Home::new();
    home.file("long.txt", "word ".repeat(40));
    home.file("editor", "#!/bin/sh\nprintf 'from the\\neditor' > \"$1\"\n");
    let server = demo::server().unwrap();
    let editor = format!("sh {}/editor", home.path().display());
    let terminal = Terminal::new(["-x", "first", server.url()]).home(&home).env("EDITOR", editor);
    let mut pty = opened(terminal.size(60, 100));
    pty.wait_text("> text, 5 bytes: first\n< first");
    for (line, sent) in [
        ("/json { \"a\": 1 }", "> text, 7 bytes: {\"a\":1}"),
        ("/hex 0001fe", "> binary, 3 bytes: 00 01 fe"),
        ("/bin \\x00z", "> binary, 2 bytes: 00 7a"),
        ("/base64 AP8=", "> binary, 2 bytes: 00 ff"),
        ("/text  /x", "> text, 3 bytes:  /x"),
        ("/fragment 3 abcdefg", "> text, 7 bytes in frames of at most 3 bytes: abcdefg"),
        ("/edit", "> text, 15 bytes: from the\\neditor"),
        ("/file long.txt", "> text, 200 bytes: word word word word word word word word word wor…"),
        ("/ping", "> ping, 0 bytes"),
        ("/pong \u{a0}", "> pong, 2 bytes: \u{a0}"),
        ("/frame op=9 text=hi", "> frame ping, 2 bytes: hi"),
        ("/close 4000 bye", "> close, 5 bytes"),
    ] {
        pty.line(line);
        pty.wait_text(&format!("\n{sent}\n"));
    }
    pty.wait_text("not connected");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    // A typed line is there already.
    let mut pty = connect(server.url());
    ask(&mut pty, "typed", &["> typed\n< typed"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn with_v_what_was_sent_is_seen_once() {
    let server = demo::server().unwrap();
    let mut pty = opened(Terminal::new(["-v", server.url()]).size(60, 100));
    pty.send("\x0c");
    ask(&mut pty, "/ping x", &["* sent ping \"x\"", "* received pong after "]);
    ask(&mut pty, "/text hi", &["> text, 2 bytes: hi\n< hi"]);
    ask(&mut pty, "/set verbose 2", &[]);
    ask(&mut pty, "/text twice", &[" opcode=text (0x1) MASK=1 ", "< twice"]);
    let screen = pty.screen();
    assert!(!screen.contains("> ping") && !screen.contains("> text, 5"), "{screen}");
    assert_eq!(screen.matches("pong after").count(), 1, "{screen}");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn with_t_both_directions_have_a_time() {
    let server = demo::server().unwrap();
    let mut pty = opened(Terminal::new(["-t", server.url()]).env("NO_COLOR", "1"));
    ask(&mut pty, "hello", &[" < hello"]);
    ask(&mut pty, "/hex 00", &[" <b 1 byte"]);
    let lines = pty.lines();
    for line in [" > text, 5 bytes", " < hello", " > binary, 1 byte: 00", " <b 1 byte"] {
        let shown = lines.iter().find(|shown| shown.ends_with(line)).expect(line);
        let time = shown.strip_suffix(line).unwrap().as_bytes();
        assert!(
            matches!(
                time,
                [_, _, b':', _, _, b':', _, _, b'.', _, _, _, b'+', b'0', b'0', b':', b'0', b'0']
            ),
            "{shown}"
        );
    }
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn an_echo_shows_what_passes() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "ping?"));
        assert_eq!(peer.expect(0x1), "ping?");
        peer.send(frame(0x2, [0x00, 0xff]));
        assert_eq!(peer.frame().expect("the echo").payload, [0x00, 0xff]);
        peer.send(close_frame(1011, "tired"));
        peer.expect(0x8);
    });
    let terminal = Terminal::new(["--echo", &server.url()]).env("NO_COLOR", "1").size(24, 120);
    let mut pty = terminal.start();
    assert_eq!(pty.wait_exit(PATIENCE), 10, "{}", pty.screen());
    let screen = pty.screen();
    for part in [
        "* connected to ",
        "< ping?\n> ping?\n<b 2 bytes\n  00000000  00 ff ",
        "\n>b 2 bytes\n  00000000  00 ff ",
        "! closed by the peer with 1011",
        "wstap: close: the peer closed with 1011",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    server.finish();
}
