//! What a command prints where no session does.

use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Clock, Event, Stamped, Summary};
use crate::report::Reporter as _;
use crate::report::json::Json;
use crate::sys;
use crate::text::system::reason;

/// Prints a text; a reader that goes away early is no failure.
///
/// # Errors
/// Exit 13 if standard output can't be written.
pub(super) fn print(text: &str) -> Result<Exit> {
    sys::print(text.as_bytes()).map(|()| Exit::Done).map_err(|e| {
        let what = format!("can't write to standard output: {}", reason(&e));
        Error::new(Stage::Output, Exit::Local, what)
    })
}

/// Gives back why there will be no session; with `--json` it is in a summary, too, which is the last
/// line of every run.
///
/// # Errors
/// Always the one that was given.
pub(super) fn summed_up<T>(error: Error, json: bool) -> Result<T> {
    if json {
        let summary =
            Summary { exit: error.exit as u8, error: Some(error.clone()), ..Summary::default() };
        let (at, event) = (Clock::start().now(), Event::Summary(&summary));
        let event = Stamped { at, seq: 1, client: None, event: &event };
        let mut line = Vec::new();
        // Neither can fail in a way that says more than the error does.
        let _ = Json::new(0).event(&event, &mut line);
        let _ = sys::print(&line);
    }
    Err(error)
}
