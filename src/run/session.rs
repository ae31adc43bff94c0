//! A run: opens one connection after another, reconnects, and ends with an exit code.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::connection::{Connection, Unsent};
use crate::error::{Error, Exit, Hint, Limit, Result, Stage};
use crate::event::{Event, Level, Setting};
use crate::run::context::Context;
use crate::run::driver::{Driver, Instead, Outcome, Then};
use crate::run::output::Output;
use crate::run::reconnect::{self, Decision, Past, WaitUp};
use crate::run::settings::Settings;
use crate::run::signals::Waking;
use crate::run::talk::{Over, Talk};
use crate::run::turn::Loop;
use crate::run::verdict::out_of_time;
use crate::run::views::Views;
use crate::run::work::Work;
use crate::sys;
use crate::text::units::Count;
use crate::transport::Progress;

/// How long blocked outputs may delay the end after a signal or `--max-time`.
const FLUSH_PATIENCE: Duration = Duration::from_millis(50);

/// A run that hasn't begun.
pub struct Session {
    context: Context,
}

impl Session {
    /// A run with its outputs and what wakes it.
    pub fn new(mut settings: Settings, outputs: Vec<Output>, waking: Waking) -> Session {
        let mut views = Views::new(outputs);
        views.set(Setting::Inflate(settings.inflate));
        let context = Context {
            deadline: settings.max_time.map(|limit| Instant::now() + limit),
            unsent: Unsent::new(settings.reconnect.is_some()),
            wait_up: settings.wait_up.map(WaitUp::new),
            rules: std::mem::take(&mut settings.rules),
            settings,
            outside: Loop { views, waking },
            past: Past::default(),
            signalled: None,
        };
        Session { context }
    }

    /// Shows notes from before the run.
    pub fn note(&mut self, notes: &[String]) {
        for text in notes {
            self.context.notice(Level::Info, text);
        }
    }

    /// Runs to the end, shows failures, and returns the exit code.
    pub fn run(mut self, driver: &mut dyn Driver) -> Exit {
        let outcome = loop {
            let outcome = match self.connection(driver) {
                Ok(over) => Outcome::Over(over),
                Err(error) => match self
                    .after(error.worded(self.context.settings.words), Some(&mut *driver))
                {
                    AfterFailure::Attempt => continue,
                    AfterFailure::Stop(outcome) => outcome,
                },
            };
            self.context.outside.views.set_waiting(false);
            match driver.ended(&mut self.context, outcome) {
                Then::Connect => {}
                Then::Leave(outcome) => break outcome,
            }
        };
        self.finish(outcome)
    }

    /// Does work that opens connections of its own; its error is shown and becomes the exit code.
    pub fn work(mut self, work: impl FnOnce(&mut Work<'_>) -> Result<()>) -> Exit {
        let mut given = Work { context: &mut self.context };
        let outcome = work(&mut given).map(|()| Over::Done);
        if let Err(error) = &outcome {
            self.context.tell(error);
        }
        self.finish(outcome)
    }

    /// One connection, from dialing to its end.
    fn connection(&mut self, driver: &mut dyn Driver) -> Result<Over> {
        let mut connection = self.open(Some(&mut *driver))?;
        self.context.wait_up = None;
        self.context.outside.views.set_waiting(false);
        // A person may have changed the views meanwhile.
        connection.show(self.context.outside.views.show());
        let opened_at = connection.opened_at();
        self.context.past.opened.get_or_insert(opened_at);
        driver.opened();
        let outcome = Talk::new(&mut self.context, connection).run(driver);
        let lasted = opened_at.elapsed();
        let reconnect = self.context.settings.reconnect.as_ref();
        if reconnect.is_some_and(|reconnect| reconnect.is_lasting(lasted)) {
            self.context.past.attempts = 0;
        }
        outcome
    }

    fn open(&mut self, driver: Option<&mut dyn Driver>) -> Result<Connection> {
        let settings = &mut self.context.settings;
        settings.wire.show = self.context.outside.views.show();
        settings.wire.show.whole |= settings.echo || settings.until.is_some();
        settings.wire.show.whole |= settings.gate.looks_at_messages();
        settings.wire.show.whole |= !self.context.rules.replies.is_empty();
        settings.wire.show.whole |= self.context.outside.views.inflates();
        let limit = Instant::now() + self.context.settings.open.connect_timeout;
        let ends = [Some(limit), self.context.deadline, self.context.duration_ends()];
        let deadline = ends.into_iter().flatten().min().unwrap_or(limit);
        // They change while the settings are in use.
        let mut cookies = self.context.settings.cookies.take();
        let settings = &self.context.settings;
        let Settings { open, wire, .. } = settings;
        let outside = &mut self.context.outside;
        let signalled = &mut self.context.signalled;
        let tentative = self.context.wait_up.is_some();
        let mut watcher = Watcher { outside, driver, settings, signalled };
        let url = open.secrets.url(&open.target.url()).into_owned();
        watcher.event(Event::Attempt { url: &url, tentative });
        let opened = Connection::open(open, wire, &mut cookies, &mut watcher, deadline);
        self.context.settings.cookies = cookies;
        opened.map_err(|error| match self.context.deadline {
            Some(whole) if error.exit == Exit::Timeout && Instant::now() >= whole => {
                let hints = vec![Hint::MoreTime(Limit::MaxTime)];
                Error { hints, transient: false, ..error }
            }
            _ => error,
        })
    }

    /// Decides after a failure whether to try again, and waits until it is time.
    fn after(&mut self, error: Error, mut driver: Option<&mut dyn Driver>) -> AfterFailure {
        let stop = |error| AfterFailure::Stop(Outcome::Failed(error));
        if let Some(until) = self.until_up(&error) {
            return self.pause(Some(until), error, driver);
        }
        let Some(reconnect) = &self.context.settings.reconnect else { return stop(error) };
        let is_over = self.context.duration_ends().is_some_and(|end| Instant::now() >= end);
        if self.context.signalled.is_some() || is_over {
            return stop(error);
        }
        let made = self.context.past.attempts;
        // Without random numbers the wait is still half as long.
        let delay = match reconnect.decide(&error, made, getrandom::u32().unwrap_or_default()) {
            Decision::After(delay) => delay,
            Decision::Enough => {
                let text = format!("gave up after {} in a row", Count(made.into(), "attempt"));
                self.context.notice(Level::Warning, &text);
                return stop(error);
            }
            Decision::Stop => {
                if let Some(why) = reconnect::why_not(&error) {
                    let text = format!("not reconnecting: {why}");
                    self.context.notice(Level::Info, &text);
                }
                return stop(error);
            }
        };
        self.context.past.attempts = made.saturating_add(1);
        self.context.outside.views.set_waiting(true);
        let (attempt, why) = (self.context.past.attempts, error.what.as_str());
        let event = Event::Reconnecting { attempt, delay, why };
        match &mut driver {
            Some(driver) => driver.show(&event, &mut self.context.outside.views),
            None => self.context.outside.views.emit(event),
        }
        self.pause(Instant::now().checked_add(delay), error, driver)
    }

    /// `--wait-up`: when to try again, if the server isn't up yet.
    fn until_up(&mut self, error: &Error) -> Option<Instant> {
        let mut wait = self.context.wait_up.take().filter(|_| self.context.signalled.is_none())?;
        let is_first = wait.is_first();
        let until = wait.next(error, Instant::now(), getrandom::u32().unwrap_or_default())?;
        self.context.wait_up = Some(wait);
        self.context.outside.views.set_waiting(true);
        self.context.outside.views.emit(Event::Postponed);
        if is_first {
            let settings = &self.context.settings;
            let (what, time) = (&error.what, settings.wait_up.unwrap_or_default().as_secs_f64());
            let option = (settings.words.option)(Limit::WaitUp);
            let text = format!("{what}; trying again for {time} s at most ({option})");
            self.context.notice(Level::Info, &text);
        }
        Some(until)
    }

    fn pause(
        &mut self,
        until: Option<Instant>,
        error: Error,
        mut driver: Option<&mut dyn Driver>,
    ) -> AfterFailure {
        let stop = |error| AfterFailure::Stop(Outcome::Failed(error));
        let goes_on = driver.as_ref().is_some_and(|driver| driver.goes_on_without_log());
        loop {
            self.context.outside.views.push();
            let driver = driver.as_deref_mut();
            match driver.and_then(|driver| driver.waiting(&mut self.context)) {
                Some(Instead::Attempt) => return AfterFailure::Attempt,
                Some(Instead::GiveUp) => return AfterFailure::Stop(Outcome::GivenUp(error)),
                None => {}
            }
            if let Some(broken) = self.context.broken(goes_on) {
                return stop(broken);
            }
            let now = Instant::now();
            let is_past = |end: Option<Instant>| end.is_some_and(|end| now >= end);
            if is_past(self.context.deadline) {
                return stop(out_of_time(&self.context.settings).cause(error.what));
            }
            let duration_ends = self.context.duration_ends();
            if is_past(duration_ends) {
                return stop(error);
            }
            if is_past(until) {
                return AfterFailure::Attempt;
            }
            let ends = [until, self.context.deadline, duration_ends];
            self.context.outside.turn(&mut [], ends.into_iter().flatten().min());
            if let Some((exit, _)) = self.context.outside.waking.take_signals() {
                self.context.signalled = Some(exit);
                let what = "interrupted before the next attempt";
                return stop(Error::new(Stage::Connect, exit, what).cause(error.what));
            }
        }
    }

    /// Shows the summary, flushes the outputs, and returns the exit code.
    fn finish(mut self, outcome: Result<Over>) -> Exit {
        let (mut exit, error) = match outcome {
            Ok(_) => (Exit::Done, None),
            Err(error) => (error.exit, Some(error)),
        };
        if let Some(signalled) = self.context.signalled {
            exit = signalled;
        }
        let summary = self.context.outside.views.summary(exit, error.as_ref());
        self.context.outside.views.emit(Event::Summary(&summary));
        self.flush_outputs();
        self.context.outside.views.drain_screens(Duration::from_millis(500));
        if let Some(failure) = self.context.outside.views.drop_broken_log() {
            self.context.tell(&failure);
            self.context.outside.views.push();
            exit = if exit == Exit::Done { failure.exit } else { exit };
        }
        match self.context.outside.views.broken() {
            Some(failure) if exit == Exit::Done => {
                self.context.tell(&failure);
                self.context.outside.views.push();
                if failure.exit != Exit::Done && !self.context.outside.views.are_on_stderr() {
                    sys::complain(format_args!("wstap: {failure}"));
                }
                failure.exit
            }
            _ => exit,
        }
    }

    /// Flushes the outputs. A slow reader is waited for, but only briefly after a signal or
    /// `--max-time`.
    fn flush_outputs(&mut self) {
        let mut flush_deadline = None;
        loop {
            self.context.outside.views.push();
            if self.context.signalled.is_some()
                || self.context.deadline.is_some_and(|end| Instant::now() >= end)
            {
                flush_deadline.get_or_insert(Instant::now() + FLUSH_PATIENCE);
            }
            let is_late = flush_deadline.is_some_and(|end| Instant::now() >= end);
            if self.context.outside.views.are_drained() || is_late {
                return;
            }
            self.context.outside.turn(&mut [], flush_deadline.or(self.context.deadline));
            let signals = self.context.outside.waking.take_signals();
            self.context.signalled = signals.map(|(exit, _)| exit).or(self.context.signalled);
        }
    }
}

/// What follows a failure.
enum AfterFailure {
    /// Another attempt.
    Attempt,
    /// The end, with this outcome.
    Stop(Outcome),
}

/// Follows an opening: shows its events and interrupts it if needed.
struct Watcher<'a, 'd> {
    outside: &'a mut Loop,
    /// Sees the events, and may interrupt the opening.
    driver: Option<&'d mut dyn Driver>,
    settings: &'a Settings,
    signalled: &'a mut Option<Exit>,
}

impl Progress for Watcher<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        match &mut self.driver {
            Some(driver) => driver.show(&event, &mut self.outside.views),
            None => self.outside.views.emit(event),
        }
        self.outside.views.push();
    }

    fn wants_details(&self) -> bool {
        self.outside.views.needs().details
    }

    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.outside.waking.fd())
    }

    fn interrupted(&mut self) -> Option<Error> {
        self.outside.waking.ready();
        if let Some((exit, _)) = self.outside.waking.take_signals() {
            *self.signalled = Some(exit);
            let what = "interrupted before the connection was open";
            return Some(Error::new(Stage::Connect, exit, what));
        }
        let driver = self.driver.as_mut()?;
        driver.interrupted(self.settings, &mut self.outside.views)
    }
}
