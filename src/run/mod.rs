//! The session: owns the stream, the protocol's connection and the timers, in one loop.

mod answer;
mod between;
pub mod command;
mod course;
pub mod input;
pub mod json;
pub mod output;
pub mod reconnect;
pub mod settings;
pub mod signals;
mod talk;
mod verdict;
mod views;

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::connection::cookies::CookieFile;
use crate::connection::open::{Opened, open};
use crate::connection::unsent::Unsent;
use crate::error::{Error, Exit, Hint, Limit, Result, Stage};
use crate::event::{Event, Level};
use crate::run::between::Next;
use crate::run::command::{Command, Commands};
use crate::run::course::Over;
use crate::run::input::Stdin;
use crate::run::output::Output;
use crate::run::reconnect::Past;
use crate::run::settings::Settings;
use crate::run::signals::Waking;
use crate::run::talk::Talk;
use crate::run::views::Views;
use crate::sys;
use crate::transport::Watch;

/// How long blocked outputs may hold up somebody who wants to be done.
const HURRY: Duration = Duration::from_millis(50);

/// Where the session's messages come from.
pub enum Input {
    /// From the editor's thread.
    Editor(Commands),
    /// From nowhere.
    None,
    /// From standard input.
    Stdin(Stdin),
}

/// A session before it runs.
pub struct Session {
    settings: Settings,
    /// Taken out of the settings: it changes.
    cookies: Option<CookieFile>,
    input: Input,
    views: Views,
    waking: Waking,
    /// Commands that came while a connection was being opened.
    waiting: VecDeque<Command>,
    /// Messages that no connection has taken whole.
    unsent: Unsent,
    past: Past,
    /// The exit code of the first signal that asked us to end.
    signalled: Option<Exit>,
    /// The whole run must be over by then.
    deadline: Option<Instant>,
}

impl Session {
    /// A session with its input, its views and what wakes it.
    pub fn new(
        mut settings: Settings,
        input: Input,
        outputs: Vec<Output>,
        waking: Waking,
    ) -> Session {
        let deadline = settings.max_time.map(|limit| Instant::now() + limit);
        Session {
            cookies: settings.cookies.take(),
            unsent: Unsent::new(settings.reconnect.is_some()),
            settings,
            input,
            views: Views::new(outputs),
            waking,
            waiting: VecDeque::new(),
            past: Past::default(),
            signalled: None,
            deadline,
        }
    }

    /// Tells what was guessed before the session began.
    pub fn note(&mut self, notes: &[String]) {
        for text in notes {
            self.views.emit(Event::Notice { level: Level::Info, text });
        }
    }

    /// Runs it to its end and gives the exit code. Failures have been shown then.
    pub fn run(mut self) -> Exit {
        let outcome = loop {
            let outcome = match self
                .connection()
                .map_err(|error| self.after(error.worded(self.settings.words)))
            {
                Ok(over) => Ok(over),
                Err(Next::Attempt) => continue,
                Err(Next::GivenUp(error)) => Err(error),
                Err(Next::End(mut error)) => {
                    if !self.settings.interactive {
                        error.causes.extend(self.unsent_words());
                    }
                    self.tell(&error);
                    Err(error)
                }
            };
            self.views.set_waiting(false);
            if !self.settings.interactive || self.signalled.is_some() {
                break outcome;
            }
            if let Ok(Over::Done) = outcome {
                break outcome;
            }
            match self.next_connection() {
                Some(target) => self.turn_to(target),
                // What happened was shown when it happened, and leaving on request is no failure;
                // never having got in is one.
                None if self.views.has_opened() => break Ok(Over::Done),
                None => break outcome,
            }
        };
        self.finish(outcome)
    }

    /// Whether the views have said it already, or it is no failure.
    fn was_told(&self, error: &Error) -> bool {
        match error.exit {
            // An end that was wanted: by /quit, or by a reader that has enough.
            Exit::Done => true,
            // At the prompt the connection's end and the violation are told as they happen.
            Exit::Lost | Exit::PeerError | Exit::Protocol => {
                self.settings.interactive && matches!(error.stage, Stage::Session | Stage::Close)
            }
            _ => false,
        }
    }

    /// Opens a connection without talking over it: for `wstap inspect`.
    pub fn inspect(mut self) -> Exit {
        let outcome = self.open().map(|opened| {
            self.views.emit(Event::Opened { opening: &opened.opening });
            Talk::say_goodbye(opened, &self.settings)
        });
        let outcome = outcome.map_err(|error| error.worded(self.settings.words));
        if let Err(error) = &outcome {
            self.tell(error);
        }
        self.finish(outcome.map(|()| Over::Done))
    }

    /// One connection, from dialing to its end.
    fn connection(&mut self) -> Result<Over> {
        let opened = self.open()?;
        self.views.emit(Event::Opened { opening: &opened.opening });
        self.views.set_waiting(false);
        let since = Instant::now();
        let Some(reconnect) = self.settings.reconnect else {
            return self.talk(opened);
        };
        self.past.opened.get_or_insert(since);
        let outcome = self.talk(opened);
        if reconnect.is_lasting(since.elapsed()) {
            self.past.attempts = 0;
        }
        outcome
    }

    fn talk(&mut self, opened: Opened) -> Result<Over> {
        let needs = self.views.needs();
        Talk::new(opened, &self.settings, needs).run(self)
    }

    fn open(&mut self) -> Result<Opened> {
        let limit = Instant::now() + self.settings.open.connect_timeout;
        let ends = [Some(limit), self.deadline, self.duration_ends()];
        let deadline = ends.into_iter().flatten().min().unwrap_or(limit);
        let mut watcher = Watcher {
            views: &mut self.views,
            waking: &mut self.waking,
            input: &mut self.input,
            waiting: &mut self.waiting,
            signalled: &mut self.signalled,
        };
        let outcome = open(&self.settings.open, &mut self.cookies, &mut watcher, deadline);
        outcome.map_err(|error| match self.deadline {
            Some(whole) if error.exit == Exit::Timeout && Instant::now() >= whole => {
                let hints = vec![Hint::MoreTime(Limit::MaxTime)];
                Error { hints, passing: false, ..error }
            }
            _ => error,
        })
    }

    /// Shows a failure, unless the views have said it already.
    fn tell(&mut self, error: &Error) {
        if !self.was_told(error) {
            self.views.emit(Event::Error(error));
        }
    }

    fn next_command(&mut self) -> Option<Command> {
        if let Some(command) = self.waiting.pop_front() {
            return Some(command);
        }
        match &mut self.input {
            Input::Editor(commands) => commands.take(),
            Input::None | Input::Stdin(_) => None,
        }
    }

    /// The last event, the last bytes, the exit code.
    fn finish(mut self, outcome: Result<Over>) -> Exit {
        let (mut exit, error) = match outcome {
            Ok(_) => (Exit::Done, None),
            Err(error) => (error.exit, Some(error)),
        };
        if let Some(signalled) = self.signalled {
            exit = signalled;
        }
        if self.settings.interactive {
            self.tell_unsent();
        }
        let summary = self.views.summary(exit, error.as_ref());
        self.views.emit(Event::Summary(&summary));
        self.bring_out();
        self.views.drain_screens(Duration::from_millis(500));
        match self.views.broken() {
            Some(failure) if exit == Exit::Done => {
                self.tell(&failure);
                self.views.push();
                if failure.exit != Exit::Done && !self.views.are_on_stderr() {
                    sys::complain(format_args!("wstap: {failure}"));
                }
                failure.exit
            }
            _ => exit,
        }
    }

    /// Writes what waits. A reader may take its time, but not when somebody or `--max-time` wants
    /// to be done.
    fn bring_out(&mut self) {
        let hurry = self.signalled.is_some() || self.deadline.is_some_and(|d| Instant::now() >= d);
        let mut until = hurry.then(|| Instant::now() + HURRY);
        loop {
            self.views.push();
            if self.views.are_drained() || until.is_some_and(|until| Instant::now() >= until) {
                return;
            }
            if self.views.wait(&self.waking, until.or(self.deadline)) {
                self.signalled = self.waking.clear().map(|(exit, _)| exit).or(self.signalled);
            }
            if self.signalled.is_some() || self.deadline.is_some_and(|d| Instant::now() >= d) {
                until.get_or_insert(Instant::now() + HURRY);
            }
        }
    }
}

/// Follows dialing: shows its events and listens for what ends it.
struct Watcher<'a> {
    views: &'a mut Views,
    waking: &'a mut Waking,
    input: &'a mut Input,
    waiting: &'a mut VecDeque<Command>,
    signalled: &'a mut Option<Exit>,
}

impl Watch for Watcher<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.views.emit(event);
        self.views.push();
    }

    fn wants_details(&self) -> bool {
        self.views.needs().details
    }

    fn wake_fd(&self) -> BorrowedFd<'_> {
        self.waking.fd()
    }

    fn interrupted(&mut self) -> Option<Error> {
        if let Some((exit, _)) = self.waking.clear() {
            *self.signalled = Some(exit);
            return Some(Error::new(
                Stage::Connect,
                exit,
                "interrupted before the connection was open",
            ));
        }
        if let Input::Editor(commands) = self.input {
            while let Some(command) = commands.take() {
                match command {
                    Command::Quit => {
                        self.waiting.clear();
                        self.waiting.push_back(command);
                        return Some(Error::new(Stage::Connect, Exit::Done, "given up by /quit"));
                    }
                    Command::GiveUp => {
                        return Some(Error::new(Stage::Connect, Exit::Done, "given up by Ctrl-C"));
                    }
                    _ => self.waiting.push_back(command),
                }
            }
        }
        None
    }
}
