//! Signals while the editor runs. The session leaves them to us.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

use super::control::Control;

/// The thread that waits for signals; ends when dropped.
#[derive(Debug)]
pub(super) struct Watch {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
    /// The next SIGTSTP comes from us.
    own_stop: Arc<AtomicBool>,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// When handlers or the thread can't be made.
    pub(super) fn start(control: Arc<Control>) -> io::Result<Watch> {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGTSTP])?;
        let own_stop = Arc::new(AtomicBool::new(false));
        let handle = signals.handle();
        let own = own_stop.clone();
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGINT => control.interrupt(),
                    SIGTSTP if own.swap(false, Ordering::SeqCst) => {}
                    SIGTSTP => {
                        if !control.end_suspend() {
                            stop();
                        }
                    }
                    _ => control.end_terminated(),
                }
            }
        })?;
        Ok(Watch { handle, thread: Some(thread), own_stop })
    }

    /// Stops the whole job, as the terminal does for Ctrl-Z; returns when it goes on.
    pub(super) fn stop_job(&self) {
        self.own_stop.store(true, Ordering::SeqCst);
        let _ = kill_current_process_group(Signal::TSTP);
        stop();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Stops this process; returns when it goes on.
pub(super) fn stop() {
    let _ = emulate_default_handler(SIGTSTP);
}
