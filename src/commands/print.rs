//! Printing a text, for commands that do nothing else.

use crate::error::{Error, Exit, Result, Stage};
use crate::sys;

/// Prints a text; a reader that goes away early is no failure.
///
/// # Errors
/// Exit 13 if standard output can't be written.
pub(super) fn print(text: &str) -> Result<Exit> {
    sys::print(text.as_bytes()).map(|()| Exit::Done).map_err(|e| {
        let what = format!("can't write to standard output: {e}");
        Error::new(Stage::Output, Exit::Local, what)
    })
}
