//! Who has the terminal: the editor that reads a line, or nobody; and how a read line is ended.
//!
//! rustyline's `readline` blocks. Its only way out from another thread is SIGINT, for which it has
//! a handler while it reads. The signal goes out under the lock and only while the editor reads, so
//! it can't hit the read after that; it is repeated, because one that comes before the handler
//! stands is lost. Outside of `readline` the process has a handler of its own (see [`super::signals`]).

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};

use crate::error::Exit;

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
    /// `readline` is about to return.
    leaving: bool,
    /// A search of the history goes on, which shows what is printed only when a key comes.
    searching: bool,
    /// The terminal makes Ctrl-C a signal.
    armed: bool,
    /// How often the person asked the present read to leave.
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
        state.quits = 0;
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
        let mut state = self.leave_locked(self.lock());
        state.leaving = true;
        self.changed.notify_all();
    }

    /// Whether a search of the history goes on.
    pub(super) fn search(&self, searching: bool) {
        self.lock().searching = searching;
        self.changed.notify_all();
    }

    /// The same as [`Control::leave`], because the person wants to leave the program.
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

    /// Waits until something changes, for `patience` at most.
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
        self.changed.notify_all();
        state.printing
    }

    /// The text is with the editor.
    pub(super) fn end_print(&self) {
        self.lock().printing = false;
        self.changed.notify_all();
    }
}

/// For the thread that finds a way out where the terminal takes nothing.
impl Control {
    /// Waits until the editor has had something to write for so long.
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

    /// Lets Ctrl-C be a signal until the editor has written, or until it comes: then true. `set` is
    /// done while the editor can't leave the terminal.
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

    /// Ctrl-C came as a signal. False if it was none of ours.
    pub(super) fn quit(&self) -> bool {
        let mut state = self.lock();
        state.quits += 1;
        self.changed.notify_all();
        state.armed
    }

    /// Waits for the session's end: its exit code, or what another Ctrl-C or the time's end makes.
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

/// For the threads that end what the editor does.
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

    /// Waits until that read has ended, for `patience` at most.
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
