//! The terminal as it was before us, put back on every way out.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::thread;

use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr,
};

use crate::sys::{Blocking, Role};

/// Bracketed paste off, synchronised output off, cursor on: what the editor may have left behind.
const RESET: &[u8] = b"\x1b[?2004l\x1b[?2026l\x1b[?25h";

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Whether a line editor can work here: stdin and stdout are terminals that understand more than
/// plain text.
pub fn is_usable() -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    let plain = ["dumb", "cons25", "emacs"].iter().any(|name| term.eq_ignore_ascii_case(name));
    isatty(stdin()) && isatty(stdout()) && !plain
}

/// Holds the terminal's modes; puts them back when dropped, and before a panic is reported.
pub(super) struct Terminal {
    modes: Termios,
    hook: Arc<Hook>,
}

impl Terminal {
    /// Takes the modes as they are. This thread is the editor's, which `leave` makes leave the
    /// terminal: a panic elsewhere must not find it set again.
    ///
    /// # Errors
    /// When stdin is no terminal.
    pub(super) fn save(leave: impl Fn() + Send + Sync + 'static) -> io::Result<Terminal> {
        let modes = tcgetattr(stdin())?;
        let hook: Arc<Hook> = Arc::from(panic::take_hook());
        let (saved, outer) = (modes.clone(), hook.clone());
        let editor = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() != editor {
                leave();
            }
            restore(&saved);
            outer(info);
        }));
        Ok(Terminal { modes, hook })
    }

    /// Keeps keys as they are typed for the editor's next read: the terminal neither shows nor
    /// interprets what comes between two of them.
    pub(super) fn hold_keys(&self) {
        let mut modes = self.modes.clone();
        modes.input_modes.remove(InputModes::ICRNL | InputModes::IXON);
        let interpreting = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        modes.local_modes.remove(interpreting | LocalModes::IEXTEN);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
    }

    /// Puts the modes back for as long as no editor reads.
    pub(super) fn release_keys(&self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.modes);
    }

    /// Puts the modes back, and nothing more: that works also where writing would block.
    pub(super) fn restorer(&self) -> impl Fn() + Send + 'static {
        let modes = self.modes.clone();
        move || {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore(&self.modes);
        let hook = self.hook.clone();
        panic::set_hook(Box::new(move |info| hook(info)));
    }
}

fn restore(modes: &Termios) {
    let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
    let _ = Blocking(Role::Stdout, stdout()).write_all(RESET);
}
