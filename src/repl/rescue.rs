//! Lets Ctrl-C end the program when the terminal is blocked.
//!
//! The editor blocks while it writes to the terminal and reads no key meanwhile. A thread watches
//! for that; while it lasts, Ctrl-C is a signal that ends the program from here.

use std::process;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;
use std::{convert, io};

use super::control::Control;
use super::screen::TextQueue;
use super::terminal::Modes;
use crate::run::command::Command;
use crate::run::output::FdSink;

/// An editor that writes for longer may be blocked: no piece of text takes this long.
const STUCK: Duration = Duration::from_millis(100);
/// How long the closing handshake may take when nothing can be shown.
const CLOSING: Duration = Duration::from_millis(250);

/// The watching thread, with what it needs to end the program.
pub(super) struct Rescue {
    pub(super) control: Arc<Control>,
    pub(super) queue: Arc<TextQueue>,
    pub(super) commands: Sender<Command>,
    pub(super) modes: Modes,
}

impl Rescue {
    /// Starts the thread, which runs as long as the process.
    ///
    /// # Errors
    /// The thread can't be created.
    pub(super) fn start(self) -> io::Result<()> {
        let thread = thread::Builder::new().name("rescue".to_owned());
        thread.spawn(move || self.watch()).map(drop)
    }

    fn watch(self) -> convert::Infallible {
        loop {
            self.control.wait_busy(STUCK);
            let set = |signals| match signals {
                true => self.modes.signal_keys(),
                false => self.modes.hold_keys(),
            };
            if self.control.await_quit(set) {
                self.leave();
            }
        }
    }

    fn leave(&self) -> ! {
        self.queue.abandon();
        let _ = self.commands.send(Command::Quit);
        let exit = self.control.wait_over(CLOSING);
        self.modes.put_back();
        self.queue.tell_unshown(&mut FdSink::stdout());
        self.modes.restore();
        process::exit(exit as i32)
    }
}
