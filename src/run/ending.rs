//! The end of a connection: what it means for the run, and what is shown of it.

use crate::connection::Fault;
use crate::error::{self, Error, Exit, Hint, Result, Stage};
use crate::event::{Event, Level};
use crate::protocol::close::{CloseCode, End, Party};
use crate::protocol::violation::Exceeded;
use crate::run::driver::Driver;
use crate::run::talk::{Over, Talk};
use crate::run::verdict::Ended;
use crate::text::units::Count;

impl Talk<'_> {
    /// Judges how the connection ended, and shows it.
    pub(super) fn finish(mut self, driver: &mut dyn Driver) -> Result<Over> {
        let totals = self.connection.totals();
        let unsent = self.connection.outbox().buffered();
        self.context.unsent = self.connection.take_unsent();
        self.context.past.received = self.received;
        let (sent_all, waits) = (driver.has_sent_all(), self.context.unsent.count() > 0);
        let settings = &self.context.settings;
        let again =
            settings.reconnect.is_some() && (!sent_all || waits || settings.outlasts_input());
        let outcome = self.outcome(unsent, sent_all && waits, again);
        let Some(closure) = self.connection.ended() else { return outcome };
        let failed = matches!(&outcome, Err(Error { exit: Exit::PeerError, .. }));
        let views = &mut self.context.outside.views;
        driver.show(&Event::Closed { closure, totals: &totals, failed }, views);
        if self.connection.is_inside_message() && closure.received.is_some() && !self.muted {
            let size = Count(self.connection.unfinished(), "byte");
            let text = format!("the Close came inside a message, after {size} of it");
            views.emit(Event::Notice { level: Level::Warning, text: &text });
        }
        if again && let Some(text) = self.ends_reconnecting(&outcome) {
            self.context.notice(Level::Info, &text);
        }
        outcome
    }

    /// What an ended connection means for the run; `queued` if our Close was behind messages that
    /// were not sent, `again` if another connection makes sense.
    fn outcome(&mut self, unsent: usize, queued: bool, again: bool) -> Result<Over> {
        let Some(closure) = self.connection.ended() else { return Ok(Over::Closed) };
        if self.context.signalled.is_some() {
            return Ok(Over::Done);
        }
        let settings = &self.context.settings;
        let lost_is_followed = settings.is_followed(CloseCode::LOST);
        let ended = Ended {
            closure,
            met: self.met,
            messages_in: self.received,
            again,
            unsent,
            position: self.connection.position(),
        };
        let outcome = match (self.failure.take(), self.connection.fault(), self.leave) {
            (Some(failure), ..) if failure.exit == Exit::Timeout => {
                let missing = ended.missing(settings).map(|(what, _)| what);
                Err(Error {
                    causes: failure.causes.into_iter().chain(missing).collect(),
                    ..failure
                })
            }
            (Some(failure), ..) => Err(failure),
            (None, Some(fault @ Fault::Silent(_)), _) => {
                Err(failed(fault).transient(lost_is_followed))
            }
            (None, Some(fault), _) => Err(failed(fault)),
            (None, None, Some(over)) => Ok(over),
            (None, None, None) => ended.judge(settings),
        };
        outcome.map_err(|error| match error.exit {
            Exit::Lost if queued => self.explained(error).transient(lost_is_followed),
            _ if error.transient && settings.reconnect.is_some() && !again => self
                .explained(error)
                .transient(false)
                .cause("the input has ended: nothing is left to be done again"),
            _ => self.explained(error),
        })
    }

    /// Why the run doesn't reconnect after this end, if it isn't our own.
    fn ends_reconnecting(&self, outcome: &Result<Over>) -> Option<String> {
        let closure = self.connection.ended()?;
        let code = match outcome {
            Ok(Over::Closed) => closure.code(),
            Err(Error { transient: true, .. }) | Ok(Over::Done) => return None,
            Err(error) => match error.exit {
                Exit::Expectation | Exit::Lost | Exit::PeerError => closure.code(),
                Exit::Timeout if self.connection.fault().is_some() => CloseCode::LOST,
                _ => return None,
            },
        };
        let settings = &self.context.settings;
        let is_silent = self.connection.fault().is_some();
        if closure.first == Some(Party::Us) && !is_silent {
            return None;
        }
        let is_fine = settings.ok_close.contains(&code);
        let why = (settings.words.hint)(&match &settings.reconnect {
            Some(reconnect) if !reconnect.on.include(code) => {
                Hint::ReconnectOn(reconnect.on.to_string())
            }
            _ if is_fine => Hint::OkCloseHas,
            _ => return None,
        });
        Some(format!("not reconnecting after {code}: {why}"))
    }

    /// Adds why it ended, and how much came of a message that isn't whole, if nothing else says so.
    fn explained(&self, error: Error) -> Error {
        let error = match error.exit {
            Exit::Protocol | Exit::Lost | Exit::PeerError => {
                let findings = self.connection.findings();
                error.found(findings)
            }
            _ => error,
        };
        let printed = self.connection.handed_over().filter(|_| !self.muted);
        let ended_by_us = self.connection.ended().is_some_and(|closure| closure.end == End::Local);
        match (printed, self.connection.unfinished()) {
            (Some(bytes), _) => {
                error.cause(format!("{bytes} bytes of an unfinished message were printed"))
            }
            (None, size @ 1..) if ended_by_us && error.exit == Exit::Timeout => {
                error.cause(format!("{} of an unfinished message had come", Count(size, "byte")))
            }
            _ => error,
        }
    }
}

/// Why we failed the connection.
fn failed(fault: &Fault) -> Error {
    match fault {
        Fault::Limit(limit) => {
            Error::new(Stage::Session, Exit::Limit, limit.to_string()).limit(match limit {
                Exceeded::Fragments { .. } => error::Limit::MaxFragments,
                Exceeded::Message { .. } => error::Limit::MaxMessage,
            })
        }
        Fault::Silent(patience) => {
            let patience = patience.as_secs_f64();
            let what = format!("the peer is gone: no pong for {patience} s");
            Error::new(Stage::Session, Exit::Timeout, what).limit(error::Limit::PingTimeout)
        }
        Fault::Tls(error) => error.clone(),
        Fault::Violation(violation) => {
            let what = format!("the peer broke the protocol: {violation}");
            Error::new(Stage::Session, Exit::Protocol, what)
        }
    }
}
