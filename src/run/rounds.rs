//! The loop over an open connection, round by round.

use std::time::{Duration, Instant};

use crate::connection::{CLOSE_PATIENCE, Outgoing, UnsentMessage, WireOptions};
use crate::error::{Exit, Result};
use crate::event::{Data, Event, Level};
use crate::protocol::connection::Direction;
use crate::protocol::frame::Opcode;
use crate::run::context::Context;
use crate::run::driver::Driver;
use crate::run::inflate::Inflater;
use crate::run::settings::Settings;
use crate::run::talk::{LEAVE_PATIENCE, Over, Talk, sent};
use crate::run::verdict::out_of_time;
use crate::run::views::Views;
use crate::text::units::Count;

/// A violation may follow messages whose answers are still on their way through our output and
/// input. The Close frame waits for them until this long after the last message.
const ANSWER_PATIENCE: Duration = Duration::from_millis(100);

/// How long we wait for the peer's Close after our output has failed.
const FAIL_PATIENCE: Duration = Duration::from_secs(1);

/// How long we wait for the peer's Close while our own output is blocked, and the answer may be
/// behind much unread data.
const BLOCKED_PATIENCE: Duration = Duration::from_millis(30);

impl Talk<'_> {
    /// Runs until the connection has ended.
    ///
    /// # Errors
    /// A failure of the connection, the input or the output.
    pub(super) fn run(mut self, driver: &mut dyn Driver) -> Result<Over> {
        self.begin(driver);
        loop {
            self.context.outside.views.set_time(self.now);
            self.deliver(driver);
            driver.act(&mut self);
            self.act_on_rules();
            self.act_on_time();
            // Shows what was queued in this turn, before its bytes are sent.
            self.deliver(driver);
            self.connection.flush();
            self.context.outside.views.push();
            self.act_on_outputs(driver);
            if self.connection.ended().is_some() {
                return self.finish(driver);
            }
            self.wait(driver);
        }
    }

    /// Sends what was to be sent after the opening, and what earlier connections have left.
    fn begin(&mut self, driver: &dyn Driver) {
        self.context.rules.begin(self.now);
        let settings = &self.context.settings;
        let Settings { fragment, first, .. } = settings;
        let first = if driver.takes_first(settings) { &[][..] } else { first };
        let views = &mut self.context.outside.views;
        for (opcode, payload) in first {
            let message = Outgoing { opcode: *opcode, payload, fragment: *fragment };
            views.emit(Event::Sent(sent(message)));
            self.connection.send(message);
        }
        let unsent = std::mem::take(&mut self.context.unsent);
        for UnsentMessage { opcode, payload, fragment } in unsent.messages() {
            let message = Outgoing { opcode: *opcode, payload, fragment: *fragment };
            views.emit(Event::Sent(sent(message)));
        }
        self.connection.resume(unsent);
    }

    /// Shows events until none is left or the views are congested.
    fn deliver(&mut self, driver: &mut dyn Driver) {
        let answers = if driver.may_answer() { ANSWER_PATIENCE } else { Duration::ZERO };
        self.connection.set_answer_patience(answers);
        let watches_messages = driver.watches_messages();
        let inflates = self.context.outside.views.inflates();
        let replies = self.replies();
        let settings = &self.context.settings;
        let answers = settings.echo || settings.ends_by_message() || replies;
        if !watches_messages && !inflates && !answers && !self.muted {
            return self.show_all(driver);
        }
        while self.takes_events(replies) {
            let Context { settings, rules, outside, .. } = &mut *self.context;
            let views = &mut outside.views;
            let Some((event, outbox)) = self.connection.next_with_outbox() else { return };
            let Event::Data(data) = &event else {
                views.tell(&event);
                driver.see(&event, views, self.now);
                continue;
            };
            if self.muted && data.direction == Direction::In {
                continue;
            }
            let inflated = match inflates && data.direction == Direction::In {
                true => inflate(&mut self.inflater, data, settings.wire.max_message, views),
                false => None,
            };
            let (received, data) = (data, inflated.as_ref().unwrap_or(data));
            let event = Event::Data(*data);
            match !watches_messages || data.direction == Direction::Out || driver.shows(data) {
                true => views.tell(&event),
                false => views.tell_unshown(&event),
            }
            let Some(outbox) = outbox.filter(|_| data.last) else { continue };
            let counts = settings.only.is_none_or(|opcode| opcode == data.opcode);
            self.received += u64::from(counts);
            if watches_messages {
                driver.see_message(data, views, self.now);
            }
            if settings.echo {
                let fragment = settings.fragment;
                outbox.send(Outgoing { opcode: data.opcode, payload: received.bytes, fragment });
            }
            if replies {
                let fragment = settings.fragment;
                let has_templates = views.has_templates();
                rules.reply(data.bytes, has_templates, |opcode, payload| {
                    let message = Outgoing { opcode, payload, fragment };
                    views.tell(&Event::Sent(sent(message)));
                    outbox.send(message);
                });
            }
            if counts && settings.is_met(self.received, data.bytes) {
                self.met = true;
                self.muted = true;
                self.connection.close_normally();
                self.connection.give_up(self.now + CLOSE_PATIENCE);
            }
        }
    }

    /// Shows events where messages need nothing else.
    fn show_all(&mut self, driver: &mut dyn Driver) {
        while self.takes_events(false) {
            let views = &mut self.context.outside.views;
            let Some((event, outbox)) = self.connection.next_with_outbox() else { return };
            views.tell(&event);
            match event {
                Event::Data(data) => self.received += u64::from(data.last && outbox.is_some()),
                other => driver.see(&other, views, self.now),
            }
        }
    }

    /// Whether more events can be shown and answered.
    #[inline(always)]
    fn takes_events(&mut self, replies: bool) -> bool {
        if self.muted {
            return true;
        }
        // Only an echo and replies turn input into unbounded output. In other modes we must keep
        // reading: a peer that reads nothing before we read would wait for us, and we for it.
        let blocked = self.context.settings.echo && !self.connection.outbox().has_room()
            || replies && self.connection.outbox().is_overfull();
        !self.context.outside.views.are_congested() && !blocked
    }

    /// Whether received messages may have replies.
    #[inline(always)]
    fn replies(&self) -> bool {
        !self.context.rules.replies.is_empty() && self.connection.is_open()
    }

    /// Sends what is due by rule.
    fn act_on_rules(&mut self) {
        if !self.connection.is_open() {
            return;
        }
        let fragment = self.context.settings.fragment;
        let Context { rules, outside, .. } = &mut *self.context;
        let connection = &mut self.connection;
        let has_templates = outside.views.has_templates();
        rules.tick(self.now, has_templates, |opcode, payload| {
            // To a peer that doesn't read nothing more is said.
            if connection.outbox().has_room() {
                let message = Outgoing { opcode, payload, fragment };
                outside.views.tell(&Event::Sent(sent(message)));
                connection.send(message);
            }
        });
    }

    /// `--max-time` and `--duration`.
    fn act_on_time(&mut self) {
        let is_past = |end: Option<Instant>| end.is_some_and(|end| self.now >= end);
        let (out_of_time_now, over) =
            (is_past(self.context.deadline), is_past(self.context.duration_ends()));
        if out_of_time_now {
            self.fail(out_of_time(&self.context.settings));
            self.muted = true;
            self.connection.close_normally();
            self.connection.give_up(self.now);
        } else if over && self.connection.is_open() {
            self.connection.close_normally();
        }
    }

    /// Our output is gone: close the connection and stop.
    fn act_on_outputs(&mut self, driver: &dyn Driver) {
        if self.failure.is_none()
            && let Some(broken) = self.context.broken(driver.goes_on_without_log())
        {
            self.fail(broken);
            self.muted = true;
            self.connection.close_normally();
            self.connection.give_up(self.now + FAIL_PATIENCE);
        }
    }

    fn wait(&mut self, driver: &mut dyn Driver) {
        let paused = !self.takes_events(self.replies());
        self.connection.pause(paused);
        let duration_ends = self.context.duration_ends().filter(|_| self.connection.is_open());
        let rules = self.context.rules.deadline().filter(|_| self.connection.is_open());
        let ends = [self.context.deadline, duration_ends, rules, driver.deadline(self)];
        let until = ends.into_iter().flatten().min();
        let input = if self.has_room() { driver.source(self.now) } else { None };
        let outside = &mut self.context.outside;
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
        let again = self.context.signalled.is_some() || count > 1;
        self.context.signalled.get_or_insert(exit);
        self.muted = true;
        if again {
            return self.connection.abort();
        }
        let blocked = !self.context.outside.views.are_drained();
        self.connection.close_normally();
        let patience = if blocked { BLOCKED_PATIENCE } else { LEAVE_PATIENCE };
        self.connection.give_up(self.now + patience);
    }
}

/// The message with the payload that the application had compressed.
fn inflate<'a>(
    inflater: &'a mut Inflater,
    data: &Data<'a>,
    most: Option<u64>,
    views: &mut Views,
) -> Option<Data<'a>> {
    if data.opcode != Opcode::Binary || !(data.first && data.last) {
        return None;
    }
    let most = usize::try_from(most.unwrap_or(WireOptions::MAX_HELD)).unwrap_or(usize::MAX);
    let bytes = inflater.inflate(data.bytes, most)?;
    let (from, to) = (data.bytes.len() as u64, Count(bytes.len() as u64, "byte"));
    let text = format!("inflated: {from} to {to}");
    views.tell(&Event::Notice { level: Level::Detail, text: &text });
    Some(Data { bytes, ..*data })
}
