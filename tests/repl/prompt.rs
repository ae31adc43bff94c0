//! A prompt in a terminal, and what can be waited for on its screen.

use wstap::commands::serve::{Running, ServeOptions, Server};

use crate::support::PATIENCE;
use crate::support::pty::{Pty, Terminal};

pub(crate) const UP: &str = "\x1b[A";
pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_D: &str = "\x04";
pub(crate) const CTRL_U: &str = "\x15";

/// Starts a session and waits for its prompt.
pub(crate) fn connect(url: &str) -> Pty {
    opened(Terminal::new([url]))
}

pub(crate) fn opened(terminal: Terminal) -> Pty {
    let pty = terminal.start();
    pty.wait_text("* connected to ");
    wait_prompt(&pty, ">");
    pty
}

pub(crate) fn serve(options: ServeOptions) -> Running {
    let options = ServeOptions { address: ":0".into(), ..options };
    Server::bind(&options).unwrap().spawn().unwrap()
}

/// The last line that is not empty: where the prompt is.
pub(crate) fn last(screen: &vt100::Screen) -> String {
    let rows = screen.rows(0, screen.size().1);
    let full = rows.filter(|row| !row.trim_end().is_empty());
    full.last().unwrap_or_default().trim_end().to_owned()
}

#[track_caller]
pub(crate) fn wait_prompt(pty: &Pty, line: &str) {
    pty.wait_for(|screen| last(screen) == line, PATIENCE);
}

/// Waits for a line that begins so.
#[track_caller]
pub(crate) fn wait_line(pty: &Pty, begin: &str) {
    let begins = |screen: &vt100::Screen| {
        screen.rows(0, screen.size().1).any(|row| row.trim_end().starts_with(begin))
    };
    pty.wait_for(begins, PATIENCE);
}

/// Types a line and waits for what it brings.
#[track_caller]
pub(crate) fn ask(pty: &mut Pty, line: &str, answers: &[&str]) {
    pty.line(line);
    for answer in answers {
        pty.wait_text(answer);
    }
    wait_prompt(pty, ">");
}

/// The program has ended with that code and left the terminal as it found it.
#[track_caller]
pub(crate) fn expect_exit(pty: &mut Pty, code: u32) {
    assert_eq!(pty.wait_exit(PATIENCE), code, "{}", pty.screen());
    assert!(pty.is_cooked(), "left in raw mode");
    let as_before = |screen: &vt100::Screen| {
        !screen.bracketed_paste() && !screen.hide_cursor() && !screen.alternate_screen()
    };
    pty.wait_for(as_before, PATIENCE);
    assert_eq!(pty.cursor().1, 0, "the shell's prompt begins a line:\n{}", pty.screen());
}
