//! Tracks whether the editor has the terminal, and ends its read from other threads.
//!
//! rustyline's `readline` blocks. Its only way out from another thread is SIGINT, for which it has
//! a handler while it reads. The signal goes out under the lock and only while the editor reads, so
//! it can't hit the read after that; it is repeated, because one that comes before the handler is
//! installed is lost. Outside of `readline` the process has a handler of its own (see
//! [`super::signals`]).

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};

use crate::error::Exit;

/// The wait before the signal is repeated; it doubles each time.
const REPEAT: Duration = Duration::from_millis(2);
/// The longest wait before it is repeated.
const MAX_REPEAT: Duration = Duration::from_secs(1);
/// The most times it is sent. rustyline's handler writes to a socket that holds some 280 signals,
/// and then blocks whatever thread it runs on: an editor that waits for a stopped terminal takes
/// none.
const SIGNALS: usize = 50;
/// A SIGINT within this time after one of ours is ours, delivered late.
const ECHO: Duration = Duration::from_millis(50);
/// A thread that is inside `print` for longer waits for the editor to take its text.
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
    /// The printer is handing text to the editor.
    printing: bool,
    /// When we sent the last SIGINT.
    signalled: Option<Instant>,
    /// Another program has the terminal.
    lent: bool,
    /// SIGINTs since the last check, other than ours.
    interrupts: u32,
    /// SIGTSTP came from outside.
    suspend: bool,
    /// SIGCONT came: the terminal isn't what the editor left it as.
    continued: bool,
    /// When our last own stop ended.
    resumed: Option<Instant>,
    /// Number of SIGTERMs and SIGHUPs.
    terminations: u32,
    /// The session has ended.
    over: bool,
    /// The printer must end.
    printer_over: bool,
    /// `readline` is about to return.
    leaving: bool,
    /// A history search is active; it shows printed text only at the next key.
    searching: bool,
    /// The terminal makes Ctrl-C a signal.
    armed: bool,
    /// How often the user asked the current read to leave.
    quits: u32,
    /// The session's exit code.
    exit: Option<Exit>,
}

impl State {
    /// The editor has something to write.
    fn is_busy(&self) -> bool {
        // Once no editor reads, the printer's last text goes straight to the terminal.
        self.leaving || self.printing && (self.printer_over || self.reading && !self.searching)
    }

    fn must_end(&self) -> bool {
        self.over || self.suspend || self.continued || self.terminations > 0
    }
}

/// Why a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The process was stopped and continues: set the terminal and draw the line again.
    Continued,
    /// The session has ended.
    Over,
    /// SIGTSTP: the process must stop.
    Suspend,
    /// SIGTERM or SIGHUP.
    Terminated,
}

/// For the editor's thread.
impl Control {
    /// Call before `readline`. False if there is a reason not to read.
    pub(super) fn begin_read(&self) -> bool {
        let mut state = self.lock();
        if state.must_end() {
            return false;
        }
        state.reading = true;
        state.quits = 0;
        state.epoch += 1;
        true
    }

    /// The editor has the terminal in raw mode; called repeatedly meanwhile.
    pub(super) fn raw(&self) {
        let mut state = self.lock();
        if state.reading && !state.must_end() && !state.raw {
            state.raw = true;
            self.changed.notify_all();
        }
    }

    /// `readline` is about to return, and the terminal to leave raw mode.
    pub(super) fn leave(&self) {
        let mut state = self.leave_locked(self.lock());
        state.leaving = true;
        self.changed.notify_all();
    }

    /// Records whether a history search is active.
    pub(super) fn search(&self, searching: bool) {
        self.lock().searching = searching;
        self.changed.notify_all();
    }

    /// Like [`Control::leave`], when the user wants to leave the program.
    pub(super) fn leave_for_good(&self) {
        self.lock().quits += 1;
        self.leave();
    }

    /// `readline` has returned.
    pub(super) fn end_read(&self) {
        let mut state = self.lock();
        state.raw = false;
        state.reading = false;
        state.leaving = false;
        self.changed.notify_all();
    }

    /// The editor has a line that it must not edit: its next wait for a key ends the read.
    /// rustyline's handler is installed by now, so one signal is enough.
    pub(super) fn refuse(&self) {
        let mut state = self.leave_locked(self.lock());
        let _ = kill_process(getpid(), Signal::INT);
        state.signalled = Some(Instant::now());
    }

    /// Whether there is a reason not to read.
    pub(super) fn must_end(&self) -> bool {
        self.lock().must_end()
    }

    /// Why there is no next line; a suspension or continuation is reported once.
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

    /// Whether a panic on another thread ends the program; its report is being written.
    pub(super) fn has_panicked(&self) -> bool {
        self.lock().exit == Some(Exit::Bug)
    }

    /// Gives the terminal to another program, or takes it back.
    pub(super) fn lend(&self, lent: bool) {
        self.lock().lent = lent;
    }

    /// The process continues after its own stop: the next read sets the terminal anyway.
    pub(super) fn resumed(&self) {
        let mut state = self.lock();
        state.resumed = Some(Instant::now());
        state.continued = false;
    }

    /// Whether a SIGINT came since the last check.
    pub(super) fn interrupted(&self) -> bool {
        let mut state = self.lock();
        std::mem::take(&mut state.interrupts) > 0
    }

    /// Whether the editor is in `readline`.
    pub(super) fn is_reading(&self) -> bool {
        self.lock().reading
    }

    /// How often SIGTERM or SIGHUP came.
    pub(super) fn terminations(&self) -> u32 {
        self.lock().terminations
    }

    /// Waits until something changes, or until the timeout.
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
    /// Waits until the editor accepts text. False if it never will again.
    pub(super) fn begin_print(&self) -> bool {
        let mut state = self.lock();
        while !state.raw && !state.printer_over {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.printing = !state.printer_over;
        self.changed.notify_all();
        state.printing
    }

    /// The text is with the editor.
    pub(super) fn end_print(&self) {
        self.lock().printing = false;
        self.changed.notify_all();
    }
}

/// For the thread that ends the program when the terminal is blocked.
impl Control {
    /// Waits until the editor has been writing for this long.
    pub(super) fn wait_busy(&self, patience: Duration) {
        let mut state = self.lock();
        loop {
            let idle = |state: &mut State| !state.is_busy();
            let waited = self.changed.wait_while(state, idle);
            state = waited.unwrap_or_else(PoisonError::into_inner);
            let busy = |state: &mut State| state.is_busy();
            let waited = self.changed.wait_timeout_while(state, patience, busy);
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return;
            }
            state = after;
        }
    }

    /// Makes Ctrl-C a signal until the editor has written; true if Ctrl-C came first. `set` runs
    /// while the editor can't leave the terminal.
    pub(super) fn await_quit(&self, set: impl Fn(bool)) -> bool {
        let mut state = self.lock();
        if !state.is_busy() {
            return false;
        }
        state.armed = true;
        set(true);
        let stuck = |state: &mut State| state.is_busy() && state.quits == 0;
        let waited = self.changed.wait_while(state, stuck);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.is_busy() {
            return true;
        }
        state.armed = false;
        if state.reading {
            set(false);
        }
        false
    }

    /// Ctrl-C came as a signal. False if the terminal was not set so by us.
    pub(super) fn quit(&self) -> bool {
        let mut state = self.lock();
        state.quits += 1;
        self.changed.notify_all();
        state.armed
    }

    /// Waits for the session's exit code, or for another Ctrl-C or the timeout.
    pub(super) fn wait_over(&self, patience: Duration) -> Exit {
        let state = self.lock();
        let quits = state.quits;
        let waiting = |state: &mut State| state.exit.is_none() && state.quits == quits;
        let waited = self.changed.wait_timeout_while(state, patience, waiting);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        match state.exit {
            Some(exit) => exit,
            None if state.quits > quits => Exit::Interrupted,
            None => Exit::Done,
        }
    }
}

/// For the threads that end a read.
impl Control {
    /// The session has ended.
    pub(super) fn end_over(&self, exit: Exit) {
        self.end(|state| {
            state.over = true;
            state.exit = Some(exit);
        });
    }

    /// SIGTERM or SIGHUP came.
    pub(super) fn end_terminated(&self) {
        self.end(|state| state.terminations += 1);
    }

    /// SIGTSTP came. False if no read is active: then the process can simply stop.
    pub(super) fn end_suspend(&self) -> bool {
        let reading = self.lock().reading;
        if reading {
            self.end(|state| state.suspend = true);
        }
        reading
    }

    /// SIGCONT came. After a SIGSTOP others may have used the terminal.
    pub(super) fn end_continued(&self) {
        let state = self.lock();
        let seen = state.resumed.is_some_and(|at| at.elapsed() < ECHO);
        let reading = state.reading;
        drop(state);
        if reading && !seen {
            self.end(|state| state.continued = true);
        }
    }

    /// A SIGINT came while no read was active.
    pub(super) fn interrupt(&self) {
        let mut state = self.lock();
        let ours = state.signalled.is_some_and(|at| at.elapsed() < ECHO);
        if !ours && !state.lent {
            state.interrupts += 1;
            self.changed.notify_all();
        }
    }

    /// Records the reason and returns when the editor has left the terminal.
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
    /// Stops printing through the editor. Outside of raw mode rustyline's printer
    /// would write at once, before older text that still waits for the editor.
    fn leave_locked<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.raw = false;
        match state.printing {
            true => self.wait_locked(state, HANDOVER),
            false => state,
        }
    }

    /// Waits until that read has ended, or until the timeout.
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
