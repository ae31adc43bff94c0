//! Narrow terminals: our own words stay whole, and payloads are what they are.

use wstap::commands::demo;

use crate::prompt::{CTRL_U, expect_exit, wait_prompt};
use crate::support::PATIENCE;
use crate::support::pty::{Pty, Terminal};
use crate::support::scripted::{ScriptedServer, close_frame};

/// Types a line on a clear screen, waits for the text, wherever it is broken, and for the prompt.
#[track_caller]
fn ask(pty: &mut Pty, line: &str, says: &str, prompt: &str) {
    pty.send("\x0c");
    pty.wait_for(|screen| screen.contents().trim() == prompt, PATIENCE);
    pty.line(line);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    pty.wait_for(|screen| words(&screen.contents()).contains(says), PATIENCE);
    wait_prompt(pty, prompt);
}

/// No row goes on in the next one: every line was broken by us, between words.
#[track_caller]
fn assert_unbroken(pty: &Pty) {
    let wrapped = |screen: &vt100::Screen| (0..screen.size().0).any(|row| screen.row_wrapped(row));
    pty.wait_for(|screen| !wrapped(screen), PATIENCE);
}

#[test]
fn no_word_is_broken() {
    for columns in [40, 57, 80] {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.expect(0x1);
            peer.send(close_frame(4001, "a reason of several words that is rather long"));
            peer.expect(0x8);
        });
        let mut pty = Terminal::new([server.url()]).size(100, columns).start();
        pty.wait_text("/help");
        wait_prompt(&pty, ">");
        assert_unbroken(&pty);
        for (line, says) in [
            ("/help", "shows what may follow its name"),
            ("/help frame", "takes the rest of the line"),
            ("/help connect", "before this connection is left"),
            ("/help set", "in frames of at most SIZE bytes"),
            ("/status", "round trip not measured yet: /ping"),
            ("/set", "fragment off"),
            ("/hlep", "did you mean /help? To send a slash, type two"),
            ("/close bye", "usage: /close [--force] [CODE [REASON]]"),
            ("/explain 1006", "1006"),
            ("/file /nowhere/at/all", "/nowhere/at/all"),
        ] {
            ask(&mut pty, line, says, ">");
            assert_unbroken(&pty);
        }
        pty.line("bye");
        pty.wait_text("not connected");
        wait_prompt(&pty, "x");
        assert_unbroken(&pty);
        ask(&mut pty, "/ping", "so this was not done: /reconnect, /connect URL or /quit", "x");
        ask(&mut pty, "/timing", "that is rather long\"", "x");
        assert_unbroken(&pty);
        pty.line("/quit");
        expect_exit(&mut pty, 0);
        server.finish();
    }
}

#[test]
fn a_hint_stays_on_its_row_and_candidates_keep_their_words() {
    let server = demo::server().unwrap();
    let mut pty = Terminal::new([server.url()]).size(40, 40).start();
    pty.wait_text("/help");
    pty.send("/frame");
    wait_prompt(&pty, "> /frame [fin=0] [op=3] [rsv=4] ..");
    pty.send(CTRL_U);
    pty.send("/close 10\t");
    pty.wait_text("1014");
    wait_prompt(&pty, "> /close 10");
    pty.send(CTRL_U);
    pty.send("/h\t");
    pty.wait_text("/help");
    assert_unbroken(&pty);
    pty.send(CTRL_U);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}

#[test]
fn a_payload_is_not_rearranged() {
    let server = demo::server().unwrap();
    let mut pty = Terminal::new([server.url()]).size(40, 40).start();
    pty.wait_text("/help");
    wait_prompt(&pty, ">");
    let words = "two  words ".repeat(8);
    pty.line(&words);
    let shown = format!("< {}", words.trim_end());
    pty.wait_for(|screen| screen.contents().contains(&shown), PATIENCE);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}
