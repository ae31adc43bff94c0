//! The policy of a run: what is sent when, and when it ends.

use std::time::Instant;

use crate::error::Error;
use crate::event::{Data, Event};
use crate::run::context::Context;
use crate::run::settings::Settings;
use crate::run::talk::{Over, Talk};
use crate::run::turn::Source;
use crate::run::views::Views;

/// The policy of a run: what is sent when, and when it ends.
pub trait Driver {
    /// A connection has opened.
    fn opened(&mut self) {}

    /// Takes input while there is room for it, and does what is due. Called in each turn, after the
    /// events.
    fn act(&mut self, talk: &mut Talk<'_>);

    /// Called for each event of an attempt and of the connection after the views, except for messages.
    fn see(&mut self, _event: &Event<'_>, _views: &mut Views, _now: Instant) {}

    /// Shows an event that happens now, and sees it.
    fn show(&mut self, event: &Event<'_>, views: &mut Views) {
        let now = Instant::now();
        views.set_time(now);
        views.tell(event);
        self.see(event, views, now);
    }

    /// Whether [`Driver::see_message`] is called.
    fn watches_messages(&self) -> bool {
        false
    }

    /// Whether a received message is shown on the screen. Asked if [`Driver::watches_messages`].
    fn shows(&mut self, _data: &Data<'_>) -> bool {
        true
    }

    /// Sees a received message when its last byte has come: all of it, or, where the connection gives
    /// messages in pieces, the last piece.
    fn see_message(&mut self, _data: &Data<'_>, _views: &mut Views, _now: Instant) {}

    /// Whether the driver itself sends the messages of the command line.
    fn takes_first(&self, _settings: &Settings) -> bool {
        false
    }

    /// The input to poll. Asked only while the connection takes more.
    fn source(&mut self, _now: Instant) -> Option<&mut dyn Source> {
        None
    }

    /// When to call [`Driver::act`] even if nothing happened.
    fn deadline(&self, _talk: &Talk<'_>) -> Option<Instant> {
        None
    }

    /// Whether the input may still bring answers to the last received messages.
    fn may_answer(&self) -> bool {
        false
    }

    /// Whether the input has ended and everything was queued.
    fn has_sent_all(&self) -> bool {
        false
    }

    /// Whether a log that can't be written ends the log alone.
    fn goes_on_without_log(&self) -> bool {
        false
    }

    /// Called when something wakes the run while it opens a connection; an error stops the opening.
    fn interrupted(&mut self, _settings: &Settings, _views: &mut Views) -> Option<Error> {
        None
    }

    /// Called while the run waits for its next attempt; the result replaces the wait.
    fn waiting(&mut self, _context: &mut Context) -> Option<Instead> {
        None
    }

    /// A connection has ended or could not be opened: shows the failure and decides what follows.
    fn ended(&mut self, context: &mut Context, outcome: Outcome) -> Then;
}

/// What replaces the wait before an attempt.
pub enum Instead {
    /// An immediate attempt.
    Attempt,
    /// No attempt.
    GiveUp,
}

/// How a connection, or the attempts to open one, ended.
pub enum Outcome {
    /// It ended without a failure.
    Over(Over),
    /// It failed.
    Failed(Error),
    /// It failed, the failure was shown, and a person stopped the attempts.
    GivenUp(Error),
}

/// What follows a connection.
pub enum Then {
    /// Another one, as the context's settings are.
    Connect,
    /// The end of the run.
    Leave(Result<Over, Error>),
}
