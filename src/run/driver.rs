//! What a run's policy decides.

use std::time::Instant;

use crate::error::Error;
use crate::event::{Data, Event};
use crate::run::context::Context;
use crate::run::talk::{Over, Talk};
use crate::run::turn::Source;
use crate::run::views::Views;
use crate::transport::Target;

/// The policy of a run: what is sent when, and when it is enough.
pub trait Driver {
    /// A connection has opened.
    fn opened(&mut self) {}

    /// Takes input while there is room for it, and acts on it and on the time. Called in each turn,
    /// behind the events.
    fn act(&mut self, talk: &mut Talk<'_>);

    /// Sees an event of the connection that the views were shown; messages are left out.
    fn see(&mut self, _event: &Event<'_>, _views: &mut Views, _now: Instant) {}

    /// Whether [`Driver::see_message`] is called.
    fn watches_messages(&self) -> bool {
        false
    }

    /// Sees a received message when its last byte has come: all of it, or, where the connection gives
    /// messages in pieces, the last piece.
    fn see_message(&mut self, _data: &Data<'_>, _views: &mut Views, _now: Instant) {}

    /// The input to poll. Asked only while the connection takes more.
    fn source(&mut self) -> Option<&mut dyn Source> {
        None
    }

    /// When [`Driver::act`] is to be called although nothing happened.
    fn deadline(&self, _talk: &Talk<'_>) -> Option<Instant> {
        None
    }

    /// Whether answers to what was received last may still come out of the input.
    fn may_answer(&self) -> bool {
        false
    }

    /// Whether the input has ended, and nothing is left to be sent.
    fn has_sent_all(&self) -> bool {
        false
    }

    /// Asked when something woke the run while it opens a connection: why to stop that.
    fn interrupted(&mut self) -> Option<Error> {
        None
    }

    /// Acts while the run waits for its next attempt: what comes instead of the wait.
    fn waiting(&mut self, _context: &mut Context) -> Option<Instead> {
        None
    }

    /// A connection is over, or there was none: shows the failure and says what comes next.
    fn ended(&mut self, context: &mut Context, outcome: Outcome) -> Then;
}

/// What comes instead of the wait before an attempt.
pub enum Instead {
    /// The attempt, at once.
    Attempt,
    /// No attempt.
    GiveUp,
}

/// What became of a connection, or of the attempts to get one.
pub enum Outcome {
    /// It ended, and nothing was wrong.
    Over(Over),
    /// It failed.
    Failed(Error),
    /// It failed, which was shown, and a person wanted no more attempts.
    GivenUp(Error),
}

/// What comes after a connection.
pub enum Then {
    /// Another one.
    Connect(Target),
    /// The end of the run.
    Leave(Result<Over, Error>),
}
