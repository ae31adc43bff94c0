//! The driver of `wstap inspect`: sends what is to be sent, watches what comes of it for a while, and
//! leaves.

use std::time::{Duration, Instant};

use crate::diagnosis::Finding;
use crate::error::{Exit, Stage};
use crate::run::context::Context;
use crate::run::driver::{Driver, Outcome, Then};
use crate::run::talk::{Over, Talk};

/// Watches an open connection.
pub struct Look {
    /// How long.
    wait: Duration,
    findings: Vec<Finding>,
}

impl Look {
    /// How long a server has to close early, to speak first or to break a rule.
    pub const USUAL: Duration = Duration::from_millis(500);

    /// Watches for this long.
    pub fn new(wait: Duration) -> Look {
        Look { wait, findings: Vec::new() }
    }

    fn end(&self, talk: &Talk<'_>) -> Instant {
        talk.connection.opened_at() + self.wait
    }
}

impl Driver for Look {
    fn act(&mut self, talk: &mut Talk<'_>) {
        if talk.now >= self.end(talk) && talk.connection.is_open() && !talk.is_left() {
            self.findings = talk.connection.findings();
            talk.leave(Over::Done);
        }
    }

    fn deadline(&self, talk: &Talk<'_>) -> Option<Instant> {
        (talk.connection.is_open() && !talk.is_left()).then(|| self.end(talk))
    }

    fn ended(&mut self, context: &mut Context, outcome: Outcome) -> Then {
        Then::Leave(match outcome {
            Outcome::Over(over) => {
                context.outside.views.find(std::mem::take(&mut self.findings));
                Ok(over)
            }
            // There is no other output to say it on: the end of the run does.
            Outcome::Failed(error) if error.stage == Stage::Output => Ok(Over::Done),
            Outcome::Failed(mut error) | Outcome::GivenUp(mut error) => {
                if error.exit == Exit::PeerError {
                    // Its hint is an option that an inspection doesn't have.
                    error.hints.clear();
                }
                context.tell(&error);
                Err(error)
            }
        })
    }
}
