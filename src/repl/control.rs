//! Who has the terminal: the editor that reads a line, or nobody; and how a read line is ended.
//!
//! rustyline's `readline` blocks. Its only way out from another thread is SIGINT, for which it has
//! a handler while it reads. The signal goes out under the lock and only while the editor reads, so
//! it can't hit the read after that; it is repeated, because one that comes before the handler
//! stands is lost. Outside of `readline` the process has a handler of its own (see [`super::signals`]).

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};

/// When the signal is repeated for the first time; then after twice as long, and so on.
const REPEAT: Duration = Duration::from_millis(2);
/// The longest wait before it is repeated.
const MAX_REPEAT: Duration = Duration::from_secs(1);
/// How often it is sent. rustyline's handler writes to a socket that holds some 280 signals, and
/// then blocks whatever thread it runs on: an editor that waits for a stopped terminal takes none.
const SIGNALS: usize = 50;
/// A SIGINT so soon after one of ours is ours, come late.
const ECHO: Duration = Duration::from_millis(50);
/// By then a thread that is still inside of `print` waits for the editor to take its text.
const HANDOVER: Duration = Duration::from_millis(1);

/// Shared by the editor's thread, the printer, the signals' thread and the session's.
#[derive(Debug, Default)]
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The editor is in `readline`.
    reading: bool,
    /// Counts the reads, so that ending one can't become ending the next.
    epoch: u64,
    /// The terminal is in raw mode, and what is printed must go through the editor.
    raw: bool,
    /// The printer is giving text to the editor.
    printing: bool,
    /// When the last SIGINT was sent by us.
    signalled: Option<Instant>,
    /// Another program has the terminal.
    lent: bool,
    /// SIGINTs since the last look, other than ours.
    interrupts: u32,
    /// SIGTSTP came from outside.
    suspend: bool,
    /// SIGCONT came: the terminal isn't what the editor left it as.
    continued: bool,
    /// When the last stop of our own was over.
    resumed: Option<Instant>,
    /// SIGTERMs and SIGHUPs.
    terminations: u32,
    /// The session has ended.
    over: bool,
    /// The printer must end.
    printer_over: bool,
}

impl State {
    fn must_end(&self) -> bool {
        self.over || self.suspend || self.continued || self.terminations > 0
    }
}

/// Why the person's turn is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The process was stopped and goes on: the terminal must be set and the line drawn again.
    Continued,
    /// The session has ended.
    Over,
    /// The process must stop for a while.
    Suspend,
    /// SIGTERM or SIGHUP.
    Terminated,
}

/// For the editor's thread.
impl Control {
    /// `readline` comes next. False if there is a reason not to read.
    pub(super) fn begin_read(&self) -> bool {
        let mut state = self.lock();
        if state.must_end() {
            return false;
        }
        state.reading = true;
        state.epoch += 1;
        true
    }

    /// The editor has the terminal in raw mode; called again and again while it has.
    pub(super) fn raw(&self) {
        let mut state = self.lock();
        if state.reading && !state.must_end() && !state.raw {
            state.raw = true;
            self.changed.notify_all();
        }
    }

    /// `readline` is about to return, and the terminal to leave raw mode.
    pub(super) fn leave(&self) {
        drop(self.leave_locked(self.lock()));
    }

    /// `readline` has returned.
    pub(super) fn end_read(&self) {
        let mut state = self.lock();
        state.raw = false;
        state.reading = false;
        self.changed.notify_all();
    }

    /// The editor has a line that it must not edit: its next wait for a key ends the read. rustyline's
    /// handler stands now, so one signal is enough.
    pub(super) fn refuse(&self) {
        let mut state = self.leave_locked(self.lock());
        let _ = kill_process(getpid(), Signal::INT);
        state.signalled = Some(Instant::now());
    }

    /// Whether there is a reason not to read.
    pub(super) fn must_end(&self) -> bool {
        self.lock().must_end()
    }

    /// Why there is no next line; a suspension or continuation is told once.
    pub(super) fn ending(&self) -> Option<Ending> {
        let mut state = self.lock();
        if state.over {
            return Some(Ending::Over);
        }
        if state.terminations > 0 {
            return Some(Ending::Terminated);
        }
        if std::mem::take(&mut state.suspend) {
            return Some(Ending::Suspend);
        }
        std::mem::take(&mut state.continued).then_some(Ending::Continued)
    }

    /// Gives the terminal to another program, or takes it back.
    pub(super) fn lend(&self, lent: bool) {
        self.lock().lent = lent;
    }

    /// The process goes on after a stop of its own: the next read sets the terminal anyway.
    pub(super) fn resumed(&self) {
        let mut state = self.lock();
        state.resumed = Some(Instant::now());
        state.continued = false;
    }

    /// Whether the person, or whoever runs us, asked for an end since the last look.
    pub(super) fn interrupted(&self) -> bool {
        let mut state = self.lock();
        std::mem::take(&mut state.interrupts) > 0
    }

    /// Whether the editor is in `readline`.
    pub(super) fn is_reading(&self) -> bool {
        self.lock().reading
    }

    /// How many times SIGTERM or SIGHUP came.
    pub(super) fn terminations(&self) -> u32 {
        self.lock().terminations
    }

    /// Waits until something changes, at most so long.
    pub(super) fn wait(&self, patience: Duration) {
        let state = self.lock();
        if state.over || state.interrupts > 0 {
            return;
        }
        let _ = self.changed.wait_timeout(state, patience);
    }

    /// Tells the printer that no editor will read again.
    pub(super) fn end_printer(&self) {
        self.lock().printer_over = true;
        self.changed.notify_all();
    }
}

/// For the printer's thread.
impl Control {
    /// Waits until the editor takes text. False when it never will again.
    pub(super) fn begin_print(&self) -> bool {
        let mut state = self.lock();
        while !state.raw && !state.printer_over {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.printing = !state.printer_over;
        state.printing
    }

    /// The text is with the editor.
    pub(super) fn end_print(&self) {
        self.lock().printing = false;
        self.changed.notify_all();
    }
}

/// For the threads that end what the editor does.
impl Control {
    /// The session has ended.
    pub(super) fn end_over(&self) {
        self.end(|state| state.over = true);
    }

    /// SIGTERM or SIGHUP came.
    pub(super) fn end_terminated(&self) {
        self.end(|state| state.terminations += 1);
    }

    /// SIGTSTP came. False if nobody reads: then the process can simply stop.
    pub(super) fn end_suspend(&self) -> bool {
        let reading = self.lock().reading;
        if reading {
            self.end(|state| state.suspend = true);
        }
        reading
    }

    /// SIGCONT came. Who stopped us without asking had the terminal since.
    pub(super) fn end_continued(&self) {
        let state = self.lock();
        let seen = state.resumed.is_some_and(|at| at.elapsed() < ECHO);
        let reading = state.reading;
        drop(state);
        if reading && !seen {
            self.end(|state| state.continued = true);
        }
    }

    /// A SIGINT came while nobody read.
    pub(super) fn interrupt(&self) {
        let mut state = self.lock();
        let ours = state.signalled.is_some_and(|at| at.elapsed() < ECHO);
        if !ours && !state.lent {
            state.interrupts += 1;
            self.changed.notify_all();
        }
    }

    /// Notes the reason and returns when the editor has left the terminal.
    fn end(&self, note: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        note(&mut state);
        let epoch = state.epoch;
        state = self.leave_locked(state);
        let mut pause = REPEAT;
        for sent in 0.. {
            if !state.reading || state.epoch != epoch {
                break;
            }
            if sent < SIGNALS {
                let _ = kill_process(getpid(), Signal::INT);
                state.signalled = Some(Instant::now());
            }
            state = self.wait_until_left(state, epoch, pause);
            pause = (pause * 2).min(MAX_REPEAT);
        }
        self.changed.notify_all();
    }
}

impl Control {
    /// Lets nothing more be printed through the editor. Outside of raw mode rustyline's printer
    /// would write at once, before older text that still waits for the editor.
    fn leave_locked<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.raw = false;
        match state.printing {
            true => self.wait_locked(state, HANDOVER),
            false => state,
        }
    }

    /// Waits until that read has ended, at most so long.
    fn wait_until_left<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        epoch: u64,
        patience: Duration,
    ) -> MutexGuard<'a, State> {
        let reads = |state: &mut State| state.reading && state.epoch == epoch;
        let waited = self.changed.wait_timeout_while(state, patience, reads);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn wait_locked<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        patience: Duration,
    ) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
