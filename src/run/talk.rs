//! The loop over an open connection.

use std::time::{Duration, Instant};

use crate::connection::{CLOSE_PATIENCE, Connection, Fault, Message, Outgoing};
use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Event, Level};
use crate::protocol::close::Party;
use crate::protocol::connection::Direction;
use crate::protocol::frame::Opcode;
use crate::run::command::Command;
use crate::run::driver::Driver;
use crate::run::session::Session;
use crate::run::verdict::{Evidence, out_of_time};
use crate::run::views::Views;

/// A violation may come right behind messages whose answers are still on their way through our
/// output and input: this long after the last message the Close frame waits for them.
const ANSWER_PATIENCE: Duration = Duration::from_millis(100);

/// How long the peer may take to see that our output has failed.
const FAIL_PATIENCE: Duration = Duration::from_secs(1);

/// How long a person who wants to leave waits for the peer's Close.
pub(super) const LEAVE_PATIENCE: Duration = Duration::from_millis(500);

/// The same where our own output is blocked, so that the Close may be far behind.
const BLOCKED_PATIENCE: Duration = Duration::from_millis(30);

/// How a connection's talk ended, where nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// As it was asked for: the run is over.
    Done,
    /// The connection is over; a person may want to go on.
    Closed,
}

/// An open connection within a run.
pub struct Talk<'a> {
    /// The run.
    pub(super) session: &'a mut Session,
    /// The connection.
    pub(super) connection: Connection,
    /// The time of this turn.
    pub(super) now: Instant,
    /// Messages received over this connection and those before it.
    received: u64,
    /// Messages that arrive are no longer shown: enough came, or the person left.
    muted: bool,
    /// `--count` or `--until` was met.
    met: bool,
    failure: Option<Error>,
    leave: Option<Over>,
}

impl<'a> Talk<'a> {
    /// Over a connection that has just been opened.
    pub(super) fn new(session: &'a mut Session, connection: Connection) -> Talk<'a> {
        Talk {
            received: session.past.received,
            now: connection.opened_at(),
            session,
            connection,
            muted: false,
            met: false,
            failure: None,
            leave: None,
        }
    }

    /// Runs until the connection has ended.
    ///
    /// # Errors
    /// What went wrong with the connection, the input or the output.
    pub(super) fn run(mut self, driver: &mut dyn Driver) -> Result<Over> {
        let fragment = self.session.settings.fragment;
        for (opcode, payload) in &self.session.settings.first {
            self.connection.send(Outgoing { opcode: *opcode, payload, fragment });
        }
        self.connection.resume(std::mem::take(&mut self.session.unsent));
        loop {
            self.session.outside.views.set_time(self.now);
            self.deliver(driver);
            driver.act(&mut self);
            self.act_on_time();
            // What was queued in this turn, before its bytes leave.
            self.deliver(driver);
            self.connection.flush();
            self.session.outside.views.push();
            self.act_on_outputs();
            if self.connection.ended().is_some() {
                return self.finish(driver);
            }
            self.wait(driver);
        }
    }

    /// Whether input may be taken: the connection is open, and nobody is behind.
    pub(super) fn has_room(&mut self) -> bool {
        self.connection.is_open() && self.connection.outbox().has_room()
    }

    /// Whether the person has left this connection.
    pub(super) fn is_left(&self) -> bool {
        self.leave.is_some()
    }

    /// The views.
    pub(super) fn views(&mut self) -> &mut Views {
        &mut self.session.outside.views
    }

    /// Notes a failure of our own; the first one counts.
    pub(super) fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    /// The person leaves this connection.
    pub(super) fn leave(&mut self, over: Over) {
        self.leave = Some(over);
        self.muted = true;
        self.connection.close_normally();
        self.connection.give_up(self.now + LEAVE_PATIENCE);
    }

    /// Sends what a command asks for; gives back a command that asks for something else.
    pub(super) fn send(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Message { opcode, payload, fragment } => {
                self.send_message(opcode, payload, fragment);
            }
            Command::Ping(payload) => self.connection.ping(&payload),
            Command::Pong(payload) => self.connection.pong(&payload),
            Command::Close(status) => self.connection.close(&status),
            Command::Frame(spec) => self.connection.send_frame(|fresh| spec.frame(fresh)),
            other => return Some(other),
        }
        None
    }

    fn send_message(&mut self, opcode: Opcode, payload: Vec<u8>, fragment: Option<usize>) {
        let fragment = fragment.or(self.session.settings.fragment);
        if self.connection.is_open() {
            self.connection.send(Outgoing { opcode, payload: &payload, fragment });
        } else if self.session.settings.reconnect.is_some()
            && self.connection.first_to_close() == Some(Party::Peer)
        {
            let is_kept = self.connection.outbox().keep(Message { opcode, payload, fragment });
            self.session.tell_kept(is_kept);
        } else {
            let text = "the connection is closing: this was not sent";
            self.views().tell(Event::Notice { level: Level::Warning, text });
        }
    }

    /// Shows events, until nothing is left or the views are behind.
    fn deliver(&mut self, driver: &mut dyn Driver) {
        let answers = if driver.may_answer() { ANSWER_PATIENCE } else { Duration::ZERO };
        self.connection.set_answer_patience(answers);
        let watches_messages = driver.watches_messages();
        while self.takes_events() {
            let settings = &self.session.settings;
            let views = &mut self.session.outside.views;
            let Some((event, outbox)) = self.connection.next_with_outbox() else { return };
            let Event::Data(data) = event else {
                views.tell(event);
                driver.see(&event, views, self.now);
                continue;
            };
            if data.direction == Direction::In && self.muted {
                continue;
            }
            views.tell(event);
            let Some(outbox) = outbox.filter(|_| data.last) else { continue };
            self.received += 1;
            if watches_messages {
                driver.see_message(&data, views, self.now);
            }
            if settings.echo {
                let fragment = settings.fragment;
                outbox.send(Outgoing { opcode: data.opcode, payload: data.bytes, fragment });
            }
            if settings.is_met(self.received, data.bytes) {
                self.met = true;
                self.muted = true;
                self.connection.close_normally();
                self.connection.give_up(self.now + CLOSE_PATIENCE);
            }
        }
    }

    /// Whether more may be shown and answered.
    #[inline]
    fn takes_events(&mut self) -> bool {
        if self.muted {
            return true;
        }
        // Only an echo makes output of input without a bound. Otherwise a peer that reads no more
        // before we read would wait for us, as we for it.
        let blocked = self.session.settings.echo && !self.connection.outbox().has_room();
        !self.session.outside.views.are_congested() && !blocked
    }

    /// `--max-time` and `--duration`.
    fn act_on_time(&mut self) {
        let is_past = |end: Option<Instant>| end.is_some_and(|end| self.now >= end);
        let (out_of_time_now, over) =
            (is_past(self.session.deadline), is_past(self.session.duration_ends()));
        if out_of_time_now {
            self.fail(out_of_time(&self.session.settings));
            self.muted = true;
            self.connection.close_normally();
            self.connection.give_up(self.now);
        } else if over && self.connection.is_open() {
            self.connection.close_normally();
        }
    }

    /// Our output is gone: close the connection and stop.
    fn act_on_outputs(&mut self) {
        if self.failure.is_none()
            && let Some(broken) = self.session.outside.views.broken()
        {
            self.fail(broken);
            self.muted = true;
            self.connection.close_normally();
            self.connection.give_up(self.now + FAIL_PATIENCE);
        }
    }

    fn wait(&mut self, driver: &mut dyn Driver) {
        let paused = !self.takes_events();
        self.connection.pause(paused);
        let duration_ends = self.session.duration_ends().filter(|_| self.connection.is_open());
        let ends = [self.session.deadline, duration_ends, driver.deadline(self)];
        let until = ends.into_iter().flatten().min();
        let input = if self.has_room() { driver.source() } else { None };
        let outside = &mut self.session.outside;
        self.now = match input {
            Some(input) => outside.turn(&mut [&mut self.connection, input], until),
            None => outside.turn(&mut [&mut self.connection], until),
        };
        if let Some((exit, count)) = outside.waking.take_signals() {
            self.interrupted(exit, count);
        }
    }

    /// The first signal begins the closing handshake, the second ends at once.
    fn interrupted(&mut self, exit: Exit, count: u32) {
        let again = self.session.signalled.is_some() || count > 1;
        self.session.signalled.get_or_insert(exit);
        self.muted = true;
        if again {
            return self.connection.abort();
        }
        let blocked = !self.session.outside.views.are_drained();
        self.connection.close_normally();
        let patience = if blocked { BLOCKED_PATIENCE } else { LEAVE_PATIENCE };
        self.connection.give_up(self.now + patience);
    }

    /// Shows how the connection ended, and judges it.
    fn finish(mut self, driver: &dyn Driver) -> Result<Over> {
        let totals = self.connection.totals();
        let unsent = self.connection.outbox().buffered();
        self.session.unsent = self.connection.take_unsent();
        let Some(closure) = self.connection.ended() else { return Ok(Over::Closed) };
        self.session.outside.views.emit(Event::Closed { closure, totals: &totals });
        self.session.past.received = self.received;
        if self.session.signalled.is_some() {
            return Ok(Over::Done);
        }
        let settings = &self.session.settings;
        let ended = driver.has_sent_all();
        let waits = self.session.unsent.count() > 0;
        let again = settings.reconnect.is_some() && (!ended || waits || settings.outlasts_input());
        let evidence = Evidence {
            closure,
            met: self.met,
            messages_in: self.received,
            again,
            unsent,
            position: self.connection.position(),
        };
        let outcome = match (self.failure, self.connection.fault(), self.leave) {
            (Some(failure), ..) => Err(failure),
            (None, Some(fault), _) => Err(failed(fault)),
            (None, None, Some(over)) => Ok(over),
            (None, None, None) => evidence.judge(settings),
        };
        outcome.map_err(|error| match error.exit {
            // With -E our Close waits behind the messages that nobody took.
            Exit::Lost if ended && waits => error.passing(true),
            _ if error.passing && settings.reconnect.is_some() && !again => {
                error.passing(false).cause("the input has ended: nothing is left to be done again")
            }
            _ => error,
        })
    }
}

/// Why we failed the connection.
fn failed(fault: &Fault) -> Error {
    match fault {
        Fault::Limit(limit) => Error::new(Stage::Session, Exit::Limit, limit.to_string()),
        Fault::Silent(patience) => {
            let patience = patience.as_secs_f64();
            let what = format!("the peer is gone: no pong for {patience} s (--ping-timeout)");
            Error::new(Stage::Session, Exit::Timeout, what)
        }
        Fault::Tls(error) => error.clone(),
        Fault::Violation(violation) => {
            let what = format!("the peer broke the protocol: {violation}");
            Error::new(Stage::Session, Exit::Protocol, what)
        }
    }
}
