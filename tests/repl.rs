//! The prompt: the built binary in a terminal, an emulator that reads its screen, and real servers.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, DnType};
use rustix::process::{Pid, Signal, kill_process};
use wstap::commands::demo;
use wstap::commands::serve::{Mode, Running, ServeOptions, Server};

use support::PATIENCE;
use support::home::Home;
use support::pty::{Pty, Terminal, assert_ours};
use support::scripted::{Gate, ScriptedServer, close_frame, frame};
use support::tls::Tls;

const UP: &str = "\x1b[A";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const CTRL_U: &str = "\x15";

/// Starts a session and waits for its prompt.
fn connect(url: &str) -> Pty {
    opened(Terminal::new([url]))
}

fn opened(terminal: Terminal) -> Pty {
    let pty = terminal.start();
    pty.wait_text("* connected to ");
    wait_prompt(&pty, ">");
    pty
}

fn serve(options: ServeOptions) -> Running {
    let options = ServeOptions { address: ":0".into(), ..options };
    Server::bind(&options).unwrap().spawn().unwrap()
}

/// The last line that is not empty: where the prompt is.
fn last(screen: &vt100::Screen) -> String {
    let rows = screen.rows(0, screen.size().1);
    let full = rows.filter(|row| !row.trim_end().is_empty());
    full.last().unwrap_or_default().trim_end().to_owned()
}

#[track_caller]
fn wait_prompt(pty: &Pty, line: &str) {
    pty.wait_for(|screen| last(screen) == line, PATIENCE);
}

/// Waits for a line that begins so.
#[track_caller]
fn wait_line(pty: &Pty, begin: &str) {
    let begins = |screen: &vt100::Screen| {
        screen.rows(0, screen.size().1).any(|row| row.trim_end().starts_with(begin))
    };
    pty.wait_for(begins, PATIENCE);
}

/// Types a line and waits for what it brings.
#[track_caller]
fn ask(pty: &mut Pty, line: &str, answers: &[&str]) {
    pty.line(line);
    for answer in answers {
        pty.wait_text(answer);
    }
    wait_prompt(pty, ">");
}

/// The program has ended with that code and left the terminal as it found it.
#[track_caller]
fn expect_exit(pty: &mut Pty, code: u32) {
    assert_eq!(pty.wait_exit(PATIENCE), code, "{}", pty.screen());
    assert!(pty.is_cooked(), "left in raw mode");
    let as_before = |screen: &vt100::Screen| {
        !screen.bracketed_paste() && !screen.hide_cursor() && !screen.alternate_screen()
    };
    pty.wait_for(as_before, PATIENCE);
    assert_eq!(pty.cursor().1, 0, "the shell's prompt begins a line:\n{}", pty.screen());
}

mod round {
    use super::*;

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
            "> hello",
            "< hello",
            "> Grüße 😀 漢字",
            "< Grüße 😀 漢字",
            "> //slash",
            "< /slash",
            "> /ping",
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
        ask(&mut pty, "/file nowhere", &["! /file: nowhere: No such file"]);
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
            let header = |peer: &mut support::scripted::Peer| {
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
        let mut pty = opened(Terminal::new([first.url()]).size(40, 100));
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
}

mod endings {
    use super::*;

    /// The peer ends the connection while a line is half typed.
    fn peer_ends(
        end: impl Fn(&mut support::scripted::Peer) + Send + 'static,
        shown: impl Fn(&str) -> bool,
    ) {
        let typed = Gate::new();
        let go = typed.clone();
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            if peer.number() == 1 {
                go.wait();
                end(peer);
            } else {
                peer.echo();
            }
        });
        let mut pty = connect(&server.url());
        pty.send("half a li");
        wait_prompt(&pty, "> half a li");
        typed.open();
        wait_prompt(&pty, "x half a li");
        pty.wait_for(|screen| shown(&screen.contents()), PATIENCE);
        pty.send("ne");
        wait_prompt(&pty, "x half a line");
        pty.send(CTRL_U);
        wait_prompt(&pty, "x");
        pty.line("/reconnect");
        wait_prompt(&pty, ">");
        ask(&mut pty, "back", &["< back"]);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }

    fn closed_with(code: u16, reason: &'static str) -> impl Fn(&mut support::scripted::Peer) {
        move |peer| {
            peer.send(close_frame(code, reason));
            peer.expect(0x8);
        }
    }

    #[test]
    fn the_peer_closes() {
        peer_ends(closed_with(1000, ""), |screen| {
            screen.contains("* closed by the peer with 1000 (normal closure), ")
        });
    }

    #[test]
    fn the_peer_closes_with_an_error_and_a_reason() {
        peer_ends(closed_with(1011, "out of cheese"), |screen| {
            screen.contains("! closed by the peer with 1011 (")
                && screen.contains("\"out of cheese\"")
        });
    }

    #[test]
    fn the_peer_resets() {
        peer_ends(support::scripted::Peer::reset, |screen| {
            screen.contains("connection lost without a Close frame (1006)")
                && screen.contains("reset by the peer (RST)")
        });
    }

    #[test]
    fn the_peer_goes_without_a_word() {
        peer_ends(support::scripted::Peer::cut, |screen| {
            screen.contains("connection lost without a Close frame (1006)")
                && screen.contains("the peer ended the stream")
        });
    }

    #[test]
    fn ctrl_c_clears_the_line_then_leaves() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            let close = peer.frame().expect("a Close frame");
            assert_eq!((close.opcode, close.close_code()), (0x8, Some(1000)));
            peer.send(close_frame(1000, ""));
        });
        let mut pty = connect(&server.url());
        pty.send("typed in vain");
        wait_prompt(&pty, "> typed in vain");
        pty.send(CTRL_C);
        wait_prompt(&pty, ">");
        pty.send(CTRL_C);
        expect_exit(&mut pty, 0);
        assert!(pty.screen().contains("closed by us with 1000"), "{}", pty.screen());
        server.finish();
    }

    #[test]
    fn a_second_ctrl_c_ends_at_once() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.stay_silent();
        });
        let mut pty = connect(&server.url());
        pty.send(CTRL_C);
        let first = Instant::now();
        while !pty.is_cooked() {
            assert!(first.elapsed() < PATIENCE, "still in raw mode");
            std::thread::yield_now();
        }
        pty.send(CTRL_C);
        let late = first.elapsed() > Duration::from_millis(400);
        let code = pty.wait_exit(PATIENCE);
        // On a machine that slow the first may have been enough.
        assert!(code == 130 || (late && code == 0), "{code}\n{}", pty.screen());
        assert!(pty.is_cooked() && !pty.bracketed_paste());
        server.finish();
    }

    #[test]
    fn ctrl_d_is_quit() {
        let server = demo::server().unwrap();
        let mut pty = connect(server.url());
        pty.send("ab\x01\x04");
        wait_prompt(&pty, "> b");
        pty.send(CTRL_U);
        // Ctrl-U deletes what is before the cursor, which is nothing.
        pty.send("\x04\x04");
        expect_exit(&mut pty, 0);
    }

    #[test]
    fn ctrl_z_gives_the_terminal_back_until_fg() {
        let server = demo::server().unwrap();
        let script = "set -m; \"$0\" \"$1\"; echo stopped; read word; echo \"[$word]\"; fg";
        let args = ["-c", script, support::wstap(), server.url()];
        let mut pty = opened(Terminal::program("/bin/sh", args));
        pty.send("half");
        wait_prompt(&pty, "> half");
        pty.send("\x1a");
        pty.wait_text("stopped");
        assert!(pty.is_cooked() && !pty.bracketed_paste());
        pty.line("to the shell");
        pty.wait_text("[to the shell]");
        wait_prompt(&pty, "> half");
        ask(&mut pty, " and whole", &["< half and whole"]);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
    }

    /// The processes that a process has started.
    fn children(parent: Pid) -> Vec<Pid> {
        let id = parent.as_raw_pid();
        let path = format!("/proc/{id}/task/{id}/children");
        let ids = fs::read_to_string(path).unwrap();
        let ids = ids.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?));
        ids.collect()
    }

    /// Stopped by others, the editor can't put the terminal back, and the shell or whoever has it
    /// meanwhile leaves it in other modes: `fg` must bring back the keys and the line.
    fn stopped_by(signal: Signal) {
        let server = demo::server().unwrap();
        let script = "set -m; \"$0\" \"$1\"; stty sane; clear; echo stopped; read word; \
                      echo \"[$word]\"; fg >/dev/null";
        let args = ["-c", script, support::wstap(), server.url()];
        let mut pty = opened(Terminal::program("/bin/sh", args));
        // A text is confirmed by another update: stopped before it or within it, the process would
        // draw it when it goes on.
        pty.wait_output("\x1b[A\r\n\x1b[0;1m> \x1b[0m\r\x1b[2C\x1b[?2026l");
        pty.send("half");
        wait_prompt(&pty, "> half");
        let [job] = children(pty.pid())[..] else { panic!("no single job") };
        kill_process(job, signal).unwrap();
        pty.wait_text("stopped");
        assert!(pty.is_cooked());
        pty.line("to the shell");
        pty.wait_text("[to the shell]");
        wait_prompt(&pty, "> half");
        ask(&mut pty, " and whole", &["< half and whole"]);
        let prompts = pty.screen().matches("> half").count();
        assert_eq!(prompts, 1, "drawn more than once:\n{}", pty.screen());
        pty.line("/quit");
        expect_exit(&mut pty, 0);
    }

    #[test]
    fn stopped_without_being_asked_the_line_comes_back_with_fg() {
        stopped_by(Signal::STOP);
    }

    #[test]
    fn stopped_by_a_signal_the_line_comes_back_with_fg() {
        stopped_by(Signal::TSTP);
    }

    #[test]
    fn a_signal_to_go_on_that_nobody_needed_changes_nothing() {
        let server = demo::server().unwrap();
        let mut pty = connect(server.url());
        pty.send("half");
        wait_prompt(&pty, "> half");
        for _ in 0..3 {
            pty.signal(Signal::CONT);
        }
        ask(&mut pty, " and whole", &["< half and whole"]);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
    }

    fn terminated_by(signal: Signal) {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            assert_eq!(peer.frame().expect("a Close frame").close_code(), Some(1000));
            peer.send(close_frame(1000, ""));
        });
        let mut pty = connect(&server.url());
        pty.send("half a line");
        wait_prompt(&pty, "> half a line");
        pty.signal(signal);
        expect_exit(&mut pty, 143);
        assert!(pty.screen().contains("> half a line"), "{}", pty.screen());
        server.finish();
    }

    #[test]
    fn sigterm_restores_the_terminal() {
        terminated_by(Signal::TERM);
    }

    #[test]
    fn sighup_restores_the_terminal() {
        terminated_by(Signal::HUP);
    }

    #[test]
    fn a_refusal_is_shown_and_the_session_stays() {
        let server = ScriptedServer::start(|peer| {
            let request = peer.request();
            if peer.number() == 1 {
                peer.upgrade(&request, "");
                peer.send(close_frame(1000, ""));
                peer.frames_until_close();
            } else if peer.number() == 2 {
                peer.send(
                    "HTTP/1.1 403 Forbidden\r\nX-Why: no ticket\r\nContent-Length: 10\r\n\r\n\
                     not today\n",
                );
                peer.hang_up();
            } else {
                peer.upgrade(&request, "");
                peer.echo();
            }
        });
        let mut pty = Terminal::new([server.url()]).start();
        pty.wait_text("not connected");
        pty.line("/reconnect");
        for shown in ["< HTTP/1.1 403 Forbidden", "< X-Why: no ticket", "< not today"] {
            pty.wait_text(shown);
        }
        pty.wait_for(|screen| screen.contents().matches("not connected").count() == 2, PATIENCE);
        pty.line("/reconnect");
        wait_prompt(&pty, ">");
        ask(&mut pty, "in", &["< in"]);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }
}

mod typing {
    use super::*;

    #[test]
    fn keys_appear_at_once_while_10_000_messages_a_second_arrive() {
        let server = serve(ServeOptions {
            mode: Mode::Time,
            interval: Duration::from_micros(100),
            ..ServeOptions::default()
        });
        // The output is searched for whole lines, which colours would be in the middle of.
        let terminal = Terminal::new([server.url()]).env("NO_COLOR", "1").size(24, 100);
        let mut pty = terminal.start();
        let text = "the quick brown fox jumps over the lazy dog";
        let mut typed = String::from("> ");
        let mut times = Vec::new();
        let began = Instant::now();
        for (number, key) in text.chars().enumerate() {
            // Keys come at any moment of the traffic, not in step with it.
            let messages = 1 + 400 * number + 37 * number % 160;
            pty.wait_output_times("< 20", messages);
            pty.wait_for(|screen| last(screen) == typed.trim_end(), PATIENCE);
            typed.push(key);
            let sent = Instant::now();
            pty.send(key.to_string());
            let settled = |screen: &vt100::Screen| {
                let row = last(screen);
                let whole = row.starts_with('<') || format!("{typed} ").starts_with(&row);
                assert!(whole, "{row:?} while {typed:?} was typed");
                row == typed.trim_end()
            };
            pty.wait_for(settled, PATIENCE);
            times.push(sent.elapsed());
        }
        let rate = 400.0 * text.len() as f64 / began.elapsed().as_secs_f64();
        pty.send(CTRL_U);
        pty.line("/status");
        pty.wait_output("* received        ");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        times.sort_unstable();
        let (middle, most) = (times[times.len() / 2], times[times.len() - 1]);
        println!("keys appear after {middle:.1?} (p50), {most:.1?} (max); {rate:.0} messages/s");
        // One or two may meet a machine that has other things to do.
        let nearly_all = times[times.len() - 3];
        assert!(nearly_all < Duration::from_millis(250), "keys took {nearly_all:?}");
        let lines = pty.all_lines();
        assert_whole(&lines);
        let messages = lines.iter().filter(|line| line.starts_with("< "));
        assert!(messages.is_sorted(), "messages are not in order");
    }

    /// No half line stands anywhere, and no prompt but those of lines that were entered.
    #[track_caller]
    fn assert_whole(lines: &[String]) {
        let width = "< 2026-11-21T05:47:24.123456Z".len();
        for (number, line) in lines.iter().enumerate() {
            let whole = match line.as_bytes() {
                [b'<', b' ', ..] => line.len() == width && line.ends_with('Z'),
                [b'*', b' ', ..] => true,
                _ => ["", "> /status", "> /quit"].contains(&line.as_str()),
            };
            assert!(whole, "line {number} of {}: {line:?}", lines.len());
        }
    }

    #[test]
    fn a_pasted_text_is_one_message() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            assert_eq!(peer.expect(0x1), "one\n  two\n/quit");
            assert_eq!(peer.expect(0x1), "alone");
            peer.send(frame(0x1, "both"));
            peer.expect(0x8);
        });
        let mut pty = connect(&server.url());
        pty.send("\x1b[200~one\r  two\r/quit\x1b[201~");
        pty.wait_for(|screen| screen.contents().contains("> one\n  two\n/quit"), PATIENCE);
        pty.send("\r");
        pty.send("\x1b[200~alone\r\x1b[201~\r");
        pty.wait_text("< both");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }

    #[test]
    fn a_text_too_long_for_the_editor_is_refused_and_the_prompt_goes_on() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            assert_eq!(peer.expect(0x1), "next");
            peer.expect(0x8);
        });
        let mut pty = connect(&server.url());
        let texts = ["line\r".repeat(70_000), "x".repeat((1 << 20) + 1)];
        for (text, end) in texts.iter().zip(["", "\r"]) {
            pty.send(format!("\x1b[200~{text}\x1b[201~{end}"));
            pty.wait_text("! that is too long for the editor");
            pty.send("\x0c");
            let gone = |screen: &vt100::Screen| !screen.contents().contains("too long");
            pty.wait_for(gone, PATIENCE);
        }
        pty.line("next");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }

    #[test]
    fn lines_pasted_without_brackets_all_arrive_in_order() {
        let line = |n: usize| format!("pasted line {n}");
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            for n in 0..1000 {
                assert_eq!(peer.expect(0x1), line(n));
            }
            peer.send(frame(0x1, "all there"));
            peer.expect(0x8);
        });
        let mut pty = connect(&server.url());
        let all: String = (0..1000).map(|n| line(n) + "\r").collect();
        pty.send(all);
        pty.wait_text("< all there");
        wait_prompt(&pty, ">");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        let lines = pty.all_lines();
        let prompts = lines.iter().filter_map(|line| line.strip_prefix("> pasted line "));
        let wanted = (0..1000).map(|n: usize| n.to_string());
        assert!(prompts.eq(wanted), "not every line stands as it was pasted");
        server.finish();
    }

    #[test]
    fn keys_between_two_lines_wait_for_the_next() {
        let server = demo::server().unwrap();
        let mut pty = opened(Terminal::new([server.url()]));
        for n in 0..200 {
            // Each goes out as soon as the one before can be read: many meet no editor.
            pty.send(format!("{n} in vain\x03"));
            pty.send(format!("line {n}"));
            pty.send("\r");
            pty.send("a\x03b\x03");
        }
        pty.wait_text("< line 199");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        let lines = pty.all_lines();
        let echoed = lines.iter().filter_map(|line| line.strip_prefix("< line "));
        assert!(echoed.eq((0..200).map(|n: usize| n.to_string())), "lines are missing");
        let strange = lines.iter().find(|line| {
            let entered = ["> line ", "< line ", "* "].iter().any(|begin| line.starts_with(begin));
            let whole = ["", "> a", "> b", "> /quit"].contains(&line.as_str());
            !(entered || whole || line.ends_with(" in vain"))
        });
        assert_eq!(strange, None);
    }

    #[test]
    fn a_long_line_survives_other_window_sizes() {
        let text: String = (0..60).map(|n| format!("word{n:02} ")).collect();
        let text = text.trim_end().to_owned();
        let wanted = text.clone();
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            assert_eq!(peer.expect(0x1), format!("{wanted}!?"));
            peer.send(frame(0x1, "as typed"));
            peer.expect(0x8);
        });
        let mut pty = connect(&server.url());
        pty.send(&text);
        let ends_with = |end: &str| {
            let end = format!("> {end}");
            move |screen: &vt100::Screen| {
                let rows: String = screen.rows(0, screen.size().1).collect();
                rows.trim_end().ends_with(&end)
            }
        };
        pty.wait_for(ends_with(&text), PATIENCE);
        pty.resize(24, 40);
        pty.send("!");
        pty.wait_for(ends_with(&format!("{text}!")), PATIENCE);
        pty.resize(30, 120);
        pty.send("?");
        pty.wait_for(ends_with(&format!("{text}!?")), PATIENCE);
        pty.send("\r");
        pty.wait_text("< as typed");
        wait_prompt(&pty, ">");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }

    #[test]
    fn a_line_of_1_mib_while_another_is_typed() {
        let typed = Gate::new();
        let go = typed.clone();
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            go.wait();
            peer.send(frame(0x1, "x".repeat(1 << 20)));
            peer.send(frame(0x1, "behind it"));
            assert_eq!(peer.expect(0x1), "half and whole");
            peer.send(frame(0x1, "seen"));
            peer.expect(0x8);
        });
        let mut pty = connect(&server.url());
        pty.send("half");
        wait_prompt(&pty, "> half");
        typed.open();
        pty.wait_text("< behind it");
        pty.send(" and whole");
        wait_prompt(&pty, "> half and whole");
        pty.send("\r");
        pty.wait_text("< seen");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        let count = pty.output().iter().filter(|byte| **byte == b'x').count();
        assert!(count >= 1 << 20, "{count} of them are shown");
        server.finish();
    }

    #[test]
    fn tab_completes_commands_and_arguments() {
        let home = Home::new();
        home.file("note.txt", "");
        let server = demo::server().unwrap();
        let mut pty = opened(Terminal::new([server.url()]).home(&home).env("NO_COLOR", "1"));
        let mut complete = |typed: &str, completed: &str| {
            pty.send(typed);
            wait_prompt(&pty, completed);
            pty.send(CTRL_U);
            wait_prompt(&pty, ">");
        };
        complete("/stat\t", "> /status");
        complete("/fr\t", "> /fra");
        complete("/set pr\to\t", "> /set pretty o");
        complete("/set pretty of\t", "> /set pretty off");
        complete("/frame op=pi\tx", "> /frame op=ping x");
        complete("/help recon\t", "> /help reconnect");
        complete("/file no\t", "> /file note.txt");
        complete("plain\tx", "> plainx");
        pty.send("/close 101\t");
        for code in 1010..=1014 {
            wait_line(&pty, &format!("  {code}"));
        }
        wait_prompt(&pty, "> /close 101");
        pty.send("1\t4 \x7f");
        wait_prompt(&pty, "> /close 1011 4");
        pty.send(CTRL_C);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
    }

    #[test]
    fn a_hint_is_taken_with_the_right_arrow() {
        let server = demo::server().unwrap();
        let mut pty = connect(server.url());
        pty.send("/conn");
        wait_prompt(&pty, "> /connect URL");
        pty.send("\x1b[C gopher://x");
        wait_prompt(&pty, "> /connect gopher://x");
        pty.send("\r");
        pty.wait_text("\n! ");
        // A URL that can't be is no reason to leave.
        ask(&mut pty, "still here", &["< still here"]);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
    }
}

mod history {
    use super::*;

    #[test]
    fn it_is_kept_for_its_owner_and_recalled() {
        let home = Home::new();
        let server = demo::server().unwrap();
        let session = || opened(Terminal::new([server.url()]).home(&home));
        let mut pty = session();
        ask(&mut pty, "first", &["< first"]);
        ask(&mut pty, " not to be kept", &["<  not to be kept"]);
        pty.send("\x1b[200~two\rlines\x1b[201~\r");
        pty.wait_text("< two\n  lines");
        pty.send(UP);
        pty.wait_for(|screen| last(screen) == "lines", PATIENCE);
        // Keys that come together or between two lines are not lost.
        pty.send(CTRL_C);
        pty.send(CTRL_D);
        expect_exit(&mut pty, 0);

        let path = home.path().join("state/wstap/history");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\ntwo\\nlines\n");
        let evil = b"evil\x1b]0;owned\x07\x1b[2J\x9b2J\xc2\x9b2J\x08\r\n";
        fs::write(&path, [&b"first\n"[..], evil].concat()).unwrap();

        let mut pty = session();
        pty.send(UP);
        pty.wait_for(|screen| last(screen).starts_with("> evil]0;owned[2J"), PATIENCE);
        pty.send(UP);
        wait_prompt(&pty, "> first");
        pty.send("\r");
        pty.wait_text("< first");
        wait_prompt(&pty, ">");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        assert_eq!(pty.requests(), Default::default());
        assert_ours(&pty.output());
    }

    #[test]
    fn without_a_place_for_it_everything_else_works() {
        let server = demo::server().unwrap();
        // Not even root can make a folder there, and what is relative doesn't count.
        for (state, home, says) in
            [("/proc/nothing", "/", "the history is not kept: "), ("", "nowhere", "HOME is set")]
        {
            let terminal = Terminal::new([server.url()]);
            let terminal = terminal.env("XDG_STATE_HOME", state).env("HOME", home);
            let mut pty = opened(terminal);
            pty.wait_text(says);
            ask(&mut pty, "hello", &["< hello"]);
            pty.send(UP);
            wait_prompt(&pty, "> hello");
            pty.send(CTRL_C);
            pty.line("/quit");
            expect_exit(&mut pty, 0);
        }
    }
}

mod hostile {
    use super::*;

    /// One of each class that terminals obey; with numbers that our own editor has no use for.
    const CLASSES: [(&str, &[u8]); 24] = [
        ("SGR", b"\x1b[35;5m"),
        ("cursor", b"\x1b[7A\x1b[3;9H\x1b[9D"),
        ("erase", b"\x1b[2J\x1b[1K"),
        ("alternate screen", b"\x1b[?1049h"),
        ("hidden cursor", b"\x1b[?25l"),
        ("title", b"\x1b]0;owned\x07"),
        ("icon and title", b"\x1b]2;owned\x1b\\"),
        ("clipboard", b"\x1b]52;c;b3duZWQ=\x07"),
        ("hyperlink", b"\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\"),
        ("DSR", b"\x1b[6n"),
        ("DA", b"\x1b[c"),
        ("DECRQSS", b"\x1bP$q\"p\x1b\\"),
        ("bracketed paste end", b"\x1b[201~rm -rf\r"),
        ("unterminated DCS", b"\x1bPabc"),
        ("unterminated APC", b"\x1b_abc"),
        ("unterminated OSC", b"\x1b]0;abc"),
        ("C1 as bytes", b"\x9b2J\x9d0;x\x9c"),
        ("C1 as UTF-8", b"\xc2\x9b2J\xc2\x9d0;x\xc2\x9c"),
        ("carriage return", b"safe\rowned"),
        ("backspaces", b"safe\x08\x08\x08\x08owned"),
        ("bidi", b"\xe2\x80\xaegnp.exe\xe2\x81\xa6"),
        ("bells", b"\x07\x07\x07"),
        ("invisible", b"\xe2\x80\xa8\xe2\x80\x8b\xef\xbb\xbf\x7f\0"),
        ("reset", b"\x1bc\x1b[!p\x0e\x1b(0"),
    ];

    /// Nothing of the peer's was obeyed, and the prompt stands.
    #[track_caller]
    fn assert_untouched(pty: &Pty) {
        let output = pty.output();
        for (class, bytes) in CLASSES {
            let raw = memchr::memmem::find(&output, bytes).is_some();
            assert!(!raw, "{class} is in the output:\n{}", pty.screen());
        }
        assert_ours(&output);
        assert_eq!(pty.requests(), Default::default());
    }

    /// Without colours what is ours is easier to tell.
    fn plain(url: String) -> Terminal {
        Terminal::new([url]).env("NO_COLOR", "1").size(60, 100)
    }

    #[test]
    fn in_messages() {
        let typed = Gate::new();
        let go = typed.clone();
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            go.wait();
            for (_, bytes) in CLASSES {
                let opcode = if std::str::from_utf8(bytes).is_ok() { 0x1 } else { 0x2 };
                peer.send(frame(opcode, bytes));
                peer.send(frame(0x2, bytes));
                peer.send(frame(0x9, bytes));
                // One sequence over two messages.
                let (first, second) = bytes.split_at(1);
                if std::str::from_utf8(first).is_ok() && std::str::from_utf8(second).is_ok() {
                    peer.send(frame(0x1, first));
                    peer.send(frame(0x1, second));
                }
            }
            peer.send(frame(0x1, "forged\n> forged\n! forged\r\n* forged"));
            peer.send(frame(0x1, "that was all"));
            peer.echo();
        });
        let mut pty = opened(plain(server.url()));
        ask(&mut pty, "/set verbose 3", &[]);
        pty.send("typed");
        wait_prompt(&pty, "> typed");
        typed.open();
        pty.wait_text("< that was all");
        wait_prompt(&pty, "> typed");
        assert!(pty.bracketed_paste());
        pty.send(" on\r");
        pty.wait_text("< typed on");
        wait_prompt(&pty, ">");
        assert_untouched(&pty);
        for mark in ["> forged", "! forged", "* forged"] {
            assert!(!pty.lines().iter().any(|line| line.starts_with(mark)), "{}", pty.screen());
        }
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }

    /// Each connection but the last ends with hostile text; the prompt takes it, and goes on.
    #[track_caller]
    fn reconnects_untouched(server: ScriptedServer, lost: usize) {
        let mut pty = plain(server.url()).start();
        for times in 1..=lost {
            pty.wait_output_times("* not connected: ", times);
            wait_prompt(&pty, "x");
            pty.line("/reconnect");
        }
        wait_prompt(&pty, ">");
        ask(&mut pty, "typed", &["< typed"]);
        assert_untouched(&pty);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        assert_eq!(server.finish().connections, lost + 1);
    }

    #[test]
    fn in_close_reasons() {
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            let Some((_, bytes)) = CLASSES.get(peer.number() - 1) else {
                peer.echo();
                return;
            };
            peer.send(frame(0x8, [&4001u16.to_be_bytes()[..], bytes].concat()));
            peer.frame();
        });
        reconnects_untouched(server, CLASSES.len());
    }

    #[test]
    fn in_certificate_names() {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        let name: String =
            CLASSES.iter().filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok()).collect();
        params.distinguished_name.push(DnType::CommonName, name);
        let tls = Tls::with_params(params);
        let server = ScriptedServer::start_tls(&tls, |peer| {
            peer.accept();
            peer.echo();
        });
        let args = ["-v", "--cacert", tls.ca.to_str().unwrap(), &server.url()];
        let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 100));
        ask(&mut pty, "/tls", &["\\x1b[35;5m", "certificate 1: "]);
        ask(&mut pty, "typed", &["< typed"]);
        assert_untouched(&pty);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }

    #[test]
    fn in_refusals() {
        let server = ScriptedServer::start(move |peer| {
            let request = peer.request();
            // A first connection that never opens would end the prompt.
            let Some(at) = peer.number().checked_sub(2) else {
                peer.upgrade(&request, "");
                peer.send(close_frame(1000, ""));
                peer.frames_until_close();
                return;
            };
            let Some((_, bytes)) = CLASSES.get(at) else {
                peer.upgrade(&request, "");
                peer.echo();
                return;
            };
            let head = [b"HTTP/1.1 403 No", *bytes, b"\r\nX-Why: ", bytes, b"\r\n"].concat();
            let body = [bytes, &b"\n"[..]].concat();
            let length = format!("Content-Length: {}\r\n\r\n", body.len());
            peer.send([&head, length.as_bytes(), &body].concat());
            peer.hang_up();
        });
        reconnects_untouched(server, CLASSES.len() + 1);
    }
}

mod other_tools {
    use super::*;

    #[test]
    fn get_the_connection_without_its_secrets() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.echo();
        });
        let url = format!("{}x?token=s3cret", server.url());
        let args = ["-H", "X-A: it's \u{202e}", "--cookie", "id=s3cret", "-o", "http://o", &url];
        let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 120));
        let shown = format!("-c 'ws://localhost:{}/x?token=***'", server.port());
        let hidden = "# secrets are hidden: --show-secrets behind the tool's name";
        ask(&mut pty, "/as wscat", &[hidden, "  -H 'Cookie:***' \\", "  -o http://o ", &shown]);
        wait_line(&pty, "  -H $'X-A:it\\'s \\U0000202e' \\");
        ask(&mut pty, "/as js", &["    [\"X-A\", \"it's \\u202e\"],", "socket.onclose"]);
        assert!(memchr::memmem::find(&pty.output(), b"s3cret").is_none(), "{}", pty.screen());
        ask(&mut pty, "/as websocat --show-secrets", &["  -H='Cookie: id=s3cret' \\"]);
        let which = "! /as: 'netcat' is none of the tools it knows; usage: /as curl|js|";
        ask(&mut pty, "/as netcat", &[which]);
        ask(&mut pty, "/as", &["! /as: needs the name of one tool"]);
        pty.line("/close");
        wait_prompt(&pty, "x");
        pty.line("/as python");
        pty.wait_text("        print(message)");
        wait_line(&pty, "    origin=\"http://o\",");
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }

    #[test]
    fn as_much_as_was_asked_for_at_the_start() {
        let server = demo::server().unwrap();
        let args = ["--bearer", "s3cret", "--show-secrets", server.url()];
        let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 100));
        ask(&mut pty, "/as python", &["        (\"Authorization\", \"Bearer s3cret\"),"]);
        ask(&mut pty, "/as curl", &["  -H 'Authorization: Bearer s3cret' \\"]);
        assert!(!pty.screen().contains("secrets are hidden"), "{}", pty.screen());
        pty.line("/quit");
        expect_exit(&mut pty, 0);
    }
}
