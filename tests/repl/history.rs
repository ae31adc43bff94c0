//! What is kept of the lines that were typed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use wstap::commands::demo;

use crate::prompt::{CTRL_C, CTRL_D, UP, ask, expect_exit, last, opened, wait_prompt};
use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::pty::{Terminal, assert_ours};

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
