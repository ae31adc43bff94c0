//! The screen above the prompt, as the session sees it.

use std::io;
use std::time::Duration;

/// A view's output that is no file descriptor: the text above the prompt.
pub trait Screen: io::Write + Send {
    /// Bytes accepted but not yet shown. Above a limit the session stops reading the socket; the
    /// screen wakes the session when it has caught up.
    fn pending(&self) -> usize;

    /// Waits until everything was shown, for `patience` at most.
    fn drain(&self, patience: Duration);

    /// Shows a line after a while, unless something else was written before.
    fn show_late(&mut self, line: Vec<u8>);

    /// Tells the prompt whether to use colours.
    fn set_color(&mut self, _on: bool) {}

    /// Tells the prompt whether there is a connection.
    fn set_connected(&mut self, _connected: bool) {}

    /// Tells the prompt whether the session is reconnecting.
    fn set_waiting(&mut self, _waiting: bool) {}
}
