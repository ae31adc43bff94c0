//! Saves the terminal's modes and restores them on every exit.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::thread;

use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, SpecialCodes, Termios, isatty,
    tcgetattr, tcgetwinsize, tcsetattr,
};

use super::screen::{LAST_WORDS, push_for};
use crate::run::output::FdSink;

/// Bracketed paste off, synchronised output off, cursor on: what the editor may have left behind.
const RESET: &[u8] = b"\x1b[?2004l\x1b[?2026l\x1b[?25h";

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Whether a line editor can work here: stdin and stdout are terminals with more than plain text.
pub fn is_usable() -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    let plain = ["dumb", "cons25", "emacs"].iter().any(|name| term.eq_ignore_ascii_case(name));
    isatty(stdin()) && isatty(stdout()) && !plain
}

/// The columns of the terminal that stdout is; 80 if it doesn't know.
pub fn columns() -> usize {
    let columns = tcgetwinsize(stdout()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { 80 } else { columns }
}

/// The saved modes of the terminal.
#[derive(Clone)]
pub(super) struct Modes(Termios);

impl Modes {
    /// Keeps keys typed between two reads for the editor: the terminal neither echoes nor
    /// interprets them.
    pub(super) fn hold_keys(&self) {
        self.set(LocalModes::empty(), |_| {});
    }

    /// Makes Ctrl-C a SIGQUIT that doesn't flush typed keys, for an editor that reads no key.
    /// SIGINT is taken by the editor's own reads.
    pub(super) fn signal_keys(&self) {
        self.set(LocalModes::ISIG | LocalModes::NOFLSH, |codes| {
            let cancel = codes[SpecialCodeIndex::VINTR];
            codes[SpecialCodeIndex::VINTR] = codes[SpecialCodeIndex::VQUIT];
            codes[SpecialCodeIndex::VQUIT] = cancel;
            // If two keys have the same code the first counts: disable this one.
            codes[SpecialCodeIndex::VSUSP] = cancel;
        });
    }

    /// Restores the modes only, which works even where writing would block.
    pub(super) fn put_back(&self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }

    /// Restores the modes, and switches off what the editor may have left on, if the terminal takes
    /// that.
    pub(super) fn restore(&self) {
        self.put_back();
        let mut terminal = FdSink::stdout();
        let _ = terminal.write_all(RESET);
        push_for(&mut terminal, LAST_WORDS);
    }

    fn set(&self, added: LocalModes, code: impl FnOnce(&mut SpecialCodes)) {
        let mut modes = self.0.clone();
        modes.input_modes.remove(InputModes::ICRNL | InputModes::IXON);
        let interpreting = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        modes.local_modes.remove(interpreting | LocalModes::IEXTEN);
        modes.local_modes.insert(added);
        code(&mut modes.special_codes);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
    }
}

/// Holds the saved modes; restores them when dropped, and before a panic is reported.
pub(super) struct Terminal {
    modes: Modes,
    hook: Arc<Hook>,
}

impl Terminal {
    /// Saves the current modes. Call it on the editor's thread. A panic on another thread calls
    /// `leave` first, so that the editor leaves the terminal and doesn't set it again.
    ///
    /// # Errors
    /// Stdin is not a terminal.
    pub(super) fn save(leave: impl Fn() + Send + Sync + 'static) -> io::Result<Terminal> {
        let modes = Modes(tcgetattr(stdin())?);
        let hook: Arc<Hook> = Arc::from(panic::take_hook());
        let (saved, outer) = (modes.clone(), hook.clone());
        let editor = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() != editor {
                leave();
            }
            saved.restore();
            outer(info);
        }));
        Ok(Terminal { modes, hook })
    }

    /// The saved modes, for other threads that restore them.
    pub(super) fn modes(&self) -> &Modes {
        &self.modes
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.modes.restore();
        let hook = self.hook.clone();
        panic::set_hook(Box::new(move |info| hook(info)));
    }
}
