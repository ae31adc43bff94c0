//! State shared by all connections of a run.

use std::time::Instant;

use crate::connection::Unsent;
use crate::error::{Error, Exit, Result};
use crate::event::{Event, Level};
use crate::run::destination::{Destination, FreshStart};
use crate::run::reconnect::{Past, WaitUp};
use crate::run::rules::Rules;
use crate::run::settings::Settings;
use crate::run::turn::Loop;
use crate::transport::Target;

/// The run as its connections and its driver see it.
pub struct Context {
    /// The settings.
    pub(super) settings: Settings,
    /// What is sent by rule.
    pub(super) rules: Rules,
    /// The views, and what wakes the run.
    pub(super) outside: Loop,
    /// Messages that no connection has sent completely.
    pub(super) unsent: Unsent,
    /// The wait for a server that isn't up, until the first connection is open.
    pub(super) wait_up: Option<WaitUp>,
    /// What is known of the connections so far.
    pub(super) past: Past,
    /// The exit code of the first signal that asked us to end.
    pub(super) signalled: Option<Exit>,
    /// When the whole run must be over.
    pub(super) deadline: Option<Instant>,
}

impl Context {
    /// Sets what the next connection is, and forgets earlier connections and attempts.
    ///
    /// # Errors
    /// As [`Destination::check`].
    pub(super) fn go(&mut self, to: Destination) -> Result<()> {
        to.check(&self.settings)?;
        let notes = match to {
            Destination::Url(url) => {
                let (target, notes) = self.settings.open.read_target(&url)?;
                self.turn_to(target);
                notes
            }
            Destination::FreshStart(fresh_start) => {
                let FreshStart { mut settings, views, log, notes } = *fresh_start;
                if let Some((path, verbosity)) = log {
                    self.outside.views.start_log(&path, verbosity)?;
                }
                self.tell_unsent();
                self.unsent = Unsent::new(settings.reconnect.is_some());
                self.turn_to(settings.open.target.clone());
                self.wait_up = settings.wait_up.map(WaitUp::new);
                self.deadline = settings.max_time.map(|limit| Instant::now() + limit);
                self.rules = std::mem::take(&mut settings.rules);
                self.settings = settings;
                views.into_iter().for_each(|setting| self.outside.views.set(setting));
                notes
            }
        };
        notes.iter().for_each(|note| self.notice(Level::Info, note));
        Ok(())
    }

    /// Sets the target of the next connection and forgets earlier connections and attempts.
    pub(super) fn turn_to(&mut self, target: Target) {
        if target != self.settings.open.target && self.unsent.count() > 0 {
            self.tell_unsent();
            self.unsent.clear();
        }
        self.settings.redirect(target);
        self.past = Past::default();
    }

    /// Reports whether a message was kept for the next connection.
    pub(super) fn tell_kept(&mut self, is_kept: bool) {
        let (level, text) = match is_kept {
            true => (Level::Info, "queued until the connection is open"),
            false => (Level::Warning, "too much is queued: this will not be sent"),
        };
        self.notice(level, text);
    }

    /// Reports how many messages no connection has sent.
    pub(super) fn tell_unsent(&mut self) {
        if let Some(text) = self.unsent_words() {
            self.notice(Level::Warning, &text);
        }
    }

    /// How many messages no connection has sent, in words; `None` if none.
    pub(super) fn unsent_words(&self) -> Option<String> {
        match self.unsent.count() {
            0 => None,
            1 => Some("1 message was not sent".to_owned()),
            n => Some(format!("{n} messages were not sent")),
        }
    }

    /// When `--duration` ends, once a connection has been open.
    pub(super) fn duration_ends(&self) -> Option<Instant> {
        self.past.opened?.checked_add(self.settings.duration?)
    }

    /// Why an output has failed, if that ends the run; a log that ends alone is reported here.
    pub(super) fn broken(&mut self, goes_on_without_log: bool) -> Option<Error> {
        match self.outside.views.drop_broken_log() {
            Some(error) if goes_on_without_log => self.tell(&error),
            Some(error) => return Some(error),
            None => {}
        }
        self.outside.views.broken()
    }

    /// Shows a failure. [`Exit::Done`] is none.
    pub(super) fn tell(&mut self, error: &Error) {
        if error.exit != Exit::Done {
            self.outside.views.emit(Event::Error(error));
        }
    }

    pub(super) fn notice(&mut self, level: Level, text: &str) {
        self.outside.views.emit(Event::Notice { level, text });
    }
}
