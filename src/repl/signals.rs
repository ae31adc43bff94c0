//! Signals while the editor runs. The session leaves them to us.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

use super::control::Control;

/// The thread that waits for signals; dropping this ends it.
#[derive(Debug)]
pub(super) struct SignalThread {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
    /// We raised the next SIGTSTP ourselves.
    own_stop: Arc<AtomicBool>,
}

impl SignalThread {
    /// Starts the thread. `restore` puts the terminal back before a signal kills the process.
    ///
    /// # Errors
    /// When handlers or the thread can't be made.
    pub(super) fn start(
        control: Arc<Control>,
        restore: impl Fn() + Send + 'static,
    ) -> io::Result<SignalThread> {
        let mut signals = Signals::new([SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP])?;
        let own_stop = Arc::new(AtomicBool::new(false));
        let handle = signals.handle();
        let own = own_stop.clone();
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGCONT => control.end_continued(),
                    SIGINT => control.interrupt(),
                    SIGQUIT if control.quit() => {}
                    SIGQUIT => {
                        restore();
                        let _ = emulate_default_handler(signal);
                    }
                    SIGTSTP if own.swap(false, Ordering::SeqCst) => {}
                    SIGTSTP => {
                        if !control.end_suspend() {
                            stop();
                        }
                    }
                    // The editor could not be ended: it waits for a terminal that takes nothing.
                    _ if control.terminations() > 0 && control.is_reading() => {
                        restore();
                        let _ = emulate_default_handler(signal);
                    }
                    _ => end_terminated(control.clone()),
                }
            }
        })?;
        Ok(SignalThread { handle, thread: Some(thread), own_stop })
    }

    /// Stops the whole job, as the terminal does for Ctrl-Z; returns when it goes on.
    pub(super) fn stop_job(&self) {
        self.own_stop.store(true, Ordering::SeqCst);
        let _ = kill_current_process_group(Signal::TSTP);
        stop();
    }
}

impl Drop for SignalThread {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Ends the editor's read on another thread: the next signal must find this one waiting.
fn end_terminated(control: Arc<Control>) {
    let ending = control.clone();
    let thread = thread::Builder::new().name("terminate".to_owned());
    if thread.spawn(move || ending.end_terminated()).is_err() {
        control.end_terminated();
    }
}

/// Stops this process; returns when it goes on.
pub(super) fn stop() {
    let _ = emulate_default_handler(SIGTSTP);
}
