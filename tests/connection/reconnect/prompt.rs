//! Reconnecting at the prompt.

use crate::support::PATIENCE;
use crate::support::pty::{Pty, Terminal};
use crate::support::scripted::{Gate, ScriptedServer};

use super::{CTRL_C, NEVER, SOON, close, texts};

fn connect(args: &[&str], url: &str) -> Pty {
    let pty = Terminal::new(args.iter().copied().chain([url])).size(40, 120).start();
    pty.wait_text("* connected to ");
    pty
}

#[test]
fn lines_typed_meanwhile_are_sent_afterwards() {
    let first = ScriptedServer::start(|peer| {
        peer.accept();
        peer.expect(0x1);
    });
    let address = first.address();
    let mut pty = connect(&["--reconnect", "--backoff", "100ms..200ms"], &first.url());
    pty.line("bye");
    pty.wait_text("reconnecting in ");
    first.finish();
    pty.wait_text("connection refused; reconnecting in ");
    pty.line("one");
    pty.wait_text("* queued until the connection is open");
    pty.line("two");
    pty.line("/ping");
    pty.wait_text("not connected, so this was not done");
    let second = ScriptedServer::start_at(address, |peer| {
        peer.accept();
        peer.echo();
    });
    pty.wait_text("< one");
    pty.wait_text("< two");
    pty.line("three");
    pty.wait_text("< three");
    pty.line("/quit");
    assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
    assert_eq!(texts(&second.finish().frames), ["one", "two", "three"]);
}

#[test]
fn ctrl_c_ends_the_wait_and_then_the_session() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        match peer.number() {
            1 => drop(peer.expect(0x1)),
            _ => peer.echo(),
        }
    });
    let mut pty = connect(&NEVER, &server.url());
    pty.line("bye");
    pty.wait_text("(attempt 1)");
    pty.line("still to be sent");
    pty.wait_text("queued until");
    pty.send(CTRL_C);
    pty.wait_text("not connected: /reconnect, /connect URL or /quit; 1 message not sent yet");
    pty.line("/reconnect");
    pty.wait_text("< still to be sent");
    pty.line("/close 4000");
    pty.wait_text("closed by us with 4000");
    pty.send(CTRL_C);
    assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
    server.finish();
}

#[test]
fn by_hand_everything_begins_anew() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    });
    for args in [&["--duration", "0.3"][..], &["--duration", "0.3", "--reconnect"]] {
        let mut pty = connect(args, &server.url());
        for times in 1..=2 {
            let text = "not connected: /reconnect, /connect URL or /quit";
            let ends = |screen: &vt100::Screen| screen.contents().matches(text).count();
            pty.wait_for(|screen| ends(screen) == times, PATIENCE);
            let opened = |screen: &vt100::Screen| screen.contents().matches("* conn").count();
            pty.line("/reconnect");
            pty.wait_for(|screen| opened(screen) == times + 1, PATIENCE);
        }
        pty.line("/quit");
        assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
    }
}

#[test]
fn ctrl_c_ends_an_attempt() {
    let asked = Gate::new();
    let is_asked = asked.clone();
    let server = ScriptedServer::start(move |peer| match peer.number() {
        1 => {
            peer.accept();
            peer.expect(0x1);
        }
        2 => {
            peer.request();
            is_asked.open();
            peer.stay_silent();
        }
        _ => {
            peer.accept();
            peer.echo();
        }
    });
    let mut pty = connect(&SOON, &server.url());
    pty.line("bye");
    asked.wait();
    pty.line("typed meanwhile");
    pty.send(CTRL_C);
    pty.wait_text("not connected: /reconnect");
    pty.wait_text("queued until the connection is open");
    pty.line("/reconnect");
    pty.wait_text("< typed meanwhile");
    pty.line("/quit");
    assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
    server.finish();
}

#[test]
fn lines_typed_while_the_peer_closes_wait_too() {
    let typed = Gate::new();
    let go_on = typed.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        if peer.number() == 1 {
            close(peer, 1012);
            go_on.wait();
        } else {
            peer.echo();
        }
    });
    let mut pty = connect(&[&SOON[..], &["-v"]].concat(), &server.url());
    pty.wait_text("received Close 1012");
    pty.line("late");
    pty.wait_text("queued until the connection is open");
    typed.open();
    pty.wait_text("< late");
    pty.line("/quit");
    assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
    server.finish();
}

#[test]
fn leaving_tells_what_was_not_sent() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.expect(0x1);
    });
    let mut pty = connect(&NEVER, &server.url());
    pty.line("bye");
    pty.wait_text("(attempt 1)");
    pty.line("never");
    pty.wait_text("queued until");
    pty.line("/quit");
    assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
    assert!(pty.screen().contains("! 1 message was not sent"), "{}", pty.screen());
}
