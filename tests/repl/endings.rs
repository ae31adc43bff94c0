//! How a session ends, and what becomes of the terminal: the peer, keys, signals, job control.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use wstap::commands::demo;

use crate::prompt::{CTRL_C, CTRL_U, ask, connect, expect_exit, opened, wait_prompt};
use crate::support::pty::Terminal;
use crate::support::scripted::{Gate, Peer, ScriptedServer, close_frame};
use crate::support::{PATIENCE, wstap};

/// The peer ends the connection while a line is half typed.
fn peer_ends(end: impl Fn(&mut Peer) + Send + 'static, shown: impl Fn(&str) -> bool) {
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
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    pty.wait_for(|screen| shown(&words(&screen.contents())), PATIENCE);
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

fn closed_with(code: u16, reason: &'static str) -> impl Fn(&mut Peer) {
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
        screen.contains("! closed by the peer with 1011 (") && screen.contains("\"out of cheese\"")
    });
}

#[test]
fn the_peer_resets() {
    peer_ends(Peer::reset, |screen| {
        screen.contains("connection lost without a Close frame (1006)")
            && screen.contains("reset by the peer (RST)")
    });
}

#[test]
fn the_peer_goes_without_a_word() {
    peer_ends(Peer::cut, |screen| {
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
    let args = ["-c", script, wstap(), server.url()];
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
    let args = ["-c", script, wstap(), server.url()];
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

/// A log that can't be written any more is no reason to lose the connection.
#[test]
fn a_full_disk_ends_the_log_alone() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    });
    let mut pty = Terminal::new(["--log", "/dev/full", &server.url()]).start();
    let what = "! output: can't write to the log /dev/full: No space left on device";
    pty.wait_for(|screen| screen.contents().contains(what), PATIENCE);
    wait_prompt(&pty, ">");
    ask(&mut pty, "still", &["< still"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}
