//! Between two connections: the wait before the next attempt, and the prompt that waits for a
//! command.

use std::time::Instant;

use crate::connection::unsent::Message;
use crate::error::{Error, Stage};
use crate::event::{Event, Level};
use crate::run::Session;
use crate::run::command::Command;
use crate::run::reconnect::{Decision, Past};
use crate::run::verdict::out_of_time;
use crate::text::units::Count;
use crate::transport::Target;

/// What comes after a failure.
pub(super) enum Next {
    /// Another attempt.
    Attempt,
    /// Nothing, for this reason.
    End(Error),
    /// Nothing, because a person wants it so, who has seen the reason.
    GivenUp(Error),
}

impl Session {
    /// Decides, after a failure, whether there is another attempt, and waits until it is time.
    pub(super) fn after(&mut self, error: Error) -> Next {
        let Some(reconnect) = self.settings.reconnect else { return Next::End(error) };
        if self.signalled.is_some() || self.duration_ends().is_some_and(|end| Instant::now() >= end)
        {
            return Next::End(error);
        }
        let made = self.past.attempts;
        // Without random numbers there is still a wait.
        let delay = match reconnect.decide(&error, made, getrandom::u32().unwrap_or_default()) {
            Decision::After(delay) => delay,
            Decision::Enough => {
                let text = format!("gave up after {} in a row", Count(made.into(), "attempt"));
                self.views.emit(Event::Notice { level: Level::Warning, text: &text });
                return Next::End(error);
            }
            Decision::Stop => return Next::End(error),
        };
        self.past.attempts = made.saturating_add(1);
        self.views.set_waiting(true);
        let (attempt, why) = (self.past.attempts, error.what.as_str());
        self.views.emit(Event::Reconnecting { attempt, delay, why });
        self.pause(Instant::now().checked_add(delay), error)
    }

    fn pause(&mut self, until: Option<Instant>, error: Error) -> Next {
        loop {
            self.views.push();
            while let Some(command) = self.next_command() {
                match command {
                    Command::Quit => {
                        self.waiting.clear();
                        self.waiting.push_back(Command::Quit);
                        return Next::GivenUp(error);
                    }
                    Command::Close(_) | Command::GiveUp => return Next::GivenUp(error),
                    Command::Reconnect => return Next::Attempt,
                    Command::Connect(url) => match Target::parse(&url) {
                        Ok((target, _)) => {
                            self.turn_to(target);
                            return Next::Attempt;
                        }
                        Err(error) => self.views.emit(Event::Error(&error)),
                    },
                    other => self.put_off(other),
                }
            }
            if let Some(broken) = self.views.broken() {
                return Next::End(broken);
            }
            let now = Instant::now();
            let is_past = |end: Option<Instant>| end.is_some_and(|end| now >= end);
            if is_past(self.deadline) {
                return Next::End(out_of_time(&self.settings).cause(error.what));
            }
            let duration_ends = self.duration_ends();
            if is_past(duration_ends) {
                return Next::End(error);
            }
            if is_past(until) {
                return Next::Attempt;
            }
            let until = [until, self.deadline, duration_ends].into_iter().flatten().min();
            if self.views.wait(&self.waking, until)
                && let Some((exit, _)) = self.waking.clear()
            {
                self.signalled = Some(exit);
                let what = "interrupted before the next attempt";
                return Next::End(Error::new(Stage::Connect, exit, what).cause(error.what));
            }
        }
    }

    /// Waits, after a connection's end, for what the person wants next: the target of the next
    /// connection, or `None` to leave.
    pub(super) fn next_connection(&mut self) -> Option<Target> {
        let way = "not connected: /reconnect, /connect URL or /quit";
        let text = match self.unsent.count() {
            0 => way.to_owned(),
            waiting => format!("{way}; {} not sent yet", Count(waiting as u64, "message")),
        };
        self.views.emit(Event::Notice { level: Level::Info, text: &text });
        loop {
            self.views.push();
            while let Some(command) = self.next_command() {
                match command {
                    Command::Quit => return None,
                    Command::Reconnect => return Some(self.settings.open.target.clone()),
                    Command::Connect(url) => match Target::parse(&url) {
                        Ok((target, _)) => return Some(target),
                        Err(error) => self.views.emit(Event::Error(&error)),
                    },
                    Command::GiveUp => {}
                    other => self.put_off(other),
                }
            }
            if self.views.wait(&self.waking, self.deadline) {
                self.signalled = self.waking.clear().map(|(exit, _)| exit);
            }
            if self.signalled.is_some() || self.deadline.is_some_and(|d| Instant::now() >= d) {
                return None;
            }
        }
    }

    /// Makes this the target of the next connection, for which nothing counts that was before.
    pub(super) fn turn_to(&mut self, target: Target) {
        if target != self.settings.open.target && self.unsent.count() > 0 {
            self.tell_unsent();
            self.unsent.clear();
        }
        self.settings.redirect(target);
        self.past = Past::default();
    }

    /// Tells which messages no connection has taken.
    pub(super) fn tell_unsent(&mut self) {
        if let Some(text) = self.unsent_words() {
            self.views.emit(Event::Notice { level: Level::Warning, text: &text });
        }
    }

    /// The same in words.
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

    /// Keeps a message for the next connection.
    pub(super) fn keep(&mut self, message: Message) {
        let (level, text) = match self.unsent.keep(message) {
            true => (Level::Info, "this waits for the connection"),
            false => (Level::Warning, "too much waits for the connection: this will not be sent"),
        };
        self.views.emit(Event::Notice { level, text });
    }

    /// What can be done without a connection is; messages can wait for one, if it is to come.
    fn put_off(&mut self, command: Command) {
        match command {
            Command::Export { tool, secrets } => {
                let text = self.settings.export(tool, secrets);
                self.views.emit(Event::Answer { text: &text, bare: true });
            }
            Command::Message { opcode, payload, fragment } if self.settings.reconnect.is_some() => {
                let fragment = fragment.or(self.settings.talk.fragment);
                self.keep(Message { opcode, payload, fragment });
            }
            Command::Set(setting) => self.views.set(setting),
            _ => {
                let text = "not connected, so this was not done: /reconnect, /connect URL or /quit";
                self.views.emit(Event::Notice { level: Level::Warning, text });
            }
        }
    }
}
