//! The terminal as it was before us, put back on every way out.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::thread;

use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, SpecialCodes, Termios, isatty,
    tcgetattr, tcsetattr,
};

use super::screen::{LAST_WORDS, push_for};
use crate::run::output::FdSink;

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

/// The terminal's modes as they were.
#[derive(Clone)]
pub(super) struct Modes(Termios);

impl Modes {
    /// Keeps keys as they are typed for the editor's next read: the terminal neither shows nor
    /// interprets what comes between two of them.
    pub(super) fn hold_keys(&self) {
        self.set(LocalModes::empty(), |_| {});
    }

    /// Makes Ctrl-C a SIGQUIT that leaves what was typed alone: for an editor that reads no key. Its
    /// own reads take SIGINT for themselves.
    pub(super) fn signal_keys(&self) {
        self.set(LocalModes::ISIG | LocalModes::NOFLSH, |codes| {
            let cancel = codes[SpecialCodeIndex::VINTR];
            codes[SpecialCodeIndex::VINTR] = codes[SpecialCodeIndex::VQUIT];
            codes[SpecialCodeIndex::VQUIT] = cancel;
            // Two keys of the same code: the first counts, and this one is none.
            codes[SpecialCodeIndex::VSUSP] = cancel;
        });
    }

    /// Puts them back, and nothing more: that works also where writing would block.
    pub(super) fn put_back(&self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }

    /// Puts them back, and what the editor may have switched on, if the terminal takes that.
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

/// Holds the terminal's modes; puts them back when dropped, and before a panic is reported.
pub(super) struct Terminal {
    modes: Modes,
    hook: Arc<Hook>,
}

impl Terminal {
    /// Takes the modes as they are. This thread is the editor's, which `leave` makes leave the
    /// terminal: a panic elsewhere must not find it set again.
    ///
    /// # Errors
    /// When stdin is no terminal.
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

    /// The modes, for those who put them back.
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
