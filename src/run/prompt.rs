//! The driver for the prompt: executes a person's commands, also while there is no connection.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::connection::{self, Facts, KEEPALIVE, OpenOptions, UnsentMessage, WireOptions};
use crate::error::{Error, Exit, Stage, Words};
use crate::event::{Data, Event, Level, Setting, Timings};
use crate::http::head::Header;
use crate::protocol::connection::{Direction, ReadyState};
use crate::protocol::frame::Opcode;
use crate::report::record::Recorder;
use crate::run::attempt::Attempt;
use crate::run::command::{Command, Commands, Question};
use crate::run::context::Context;
use crate::run::driver::{Driver, Instead, Outcome, Then};
use crate::run::kept::Kept;
use crate::run::recording::record_options;
use crate::run::rules::RuleChange;
use crate::run::settings::Settings;
use crate::run::talk::{Over, Talk};
use crate::run::tuning::Tuning;
use crate::run::views::Views;
use crate::run::wait::Waiting;
use crate::text::Untrusted;
use crate::text::units::{Count, Took};

/// Executes commands and answers questions.
pub struct Prompt {
    commands: Commands,
    /// Commands to execute later, for example on the next connection.
    waiting: VecDeque<Command>,
    /// The command was queued before, and the person knows.
    is_queued: bool,
    /// What is known of the last connection.
    attempt: Attempt,
    /// The person has stopped the attempt to do something else.
    stopped: bool,
    /// The messages that have come.
    kept: Kept,
    /// What the next command waits for.
    wait: Option<Waiting>,
    /// Puts an answer into words.
    words: fn(Question, &Inquiry<'_>) -> Answer,
}

/// What an answer can use.
#[derive(Debug)]
pub struct Inquiry<'a> {
    /// How connections are opened.
    pub options: &'a OpenOptions,
    /// The run's settings that can change.
    pub tunings: [Tuning; 5],
    /// Those of the views.
    pub views: Vec<Setting>,
    /// How failures are worded.
    pub words: Words,
    /// How long the phases of the last opening took.
    pub timings: &'a Timings,
    /// The last attempt, and what came of it.
    pub attempt: &'a Attempt,
    /// The connection's state, if there is one.
    pub connection: Option<Facts>,
}

/// An answer in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What to know first: that the connection is over, and how. May be empty.
    pub before: String,
    /// One or more lines; untrusted parts are escaped.
    pub text: String,
    /// Whether it is meant to be copied from the screen, and so gets no prefix.
    pub bare: bool,
}

impl Prompt {
    /// Executes what comes through `commands`; `words` answers questions.
    pub fn new(commands: Commands, words: fn(Question, &Inquiry<'_>) -> Answer) -> Prompt {
        Prompt {
            commands,
            waiting: VecDeque::new(),
            is_queued: false,
            attempt: Attempt::default(),
            stopped: false,
            kept: Kept::default(),
            wait: None,
            words,
        }
    }

    fn next_command(&mut self) -> Option<Command> {
        self.is_queued = !self.waiting.is_empty();
        self.waiting.pop_front().or_else(|| self.commands.take())
    }

    fn command(&mut self, command: Command, talk: &mut Talk<'_>) {
        let Some(command) = filled(command, talk.context) else { return };
        match talk.send(command) {
            None | Some(Command::GiveUp) => {}
            Some(Command::Set(setting)) => {
                talk.views().set(setting);
                let show = talk.views().show();
                talk.connection.show(show);
            }
            Some(Command::Tune(tuning)) => {
                let Context { settings, .. } = &mut *talk.context;
                tuning.apply(settings);
                let WireOptions { ping_interval, ping_timeout, .. } = settings.wire;
                talk.connection.set_pings(ping_interval, ping_timeout);
                talk.connection.outbox().set_keeps(settings.reconnect.is_some());
            }
            Some(Command::Header(header)) => set_header(talk.context, header),
            Some(Command::LookBack(look)) => self.kept.look(look, talk.views()),
            Some(Command::Log(path)) => {
                log(path, talk.views());
                let show = talk.views().show();
                talk.connection.show(show);
            }
            Some(Command::Record(path)) => {
                record(path, talk.context, Some(&self.attempt));
                let show = talk.views().show();
                talk.connection.show(show);
            }
            Some(Command::Rule(change)) => change_rules(change, talk.context, Some(talk.now)),
            Some(Command::Wait(wait)) => {
                let now = talk.now;
                self.wait = Some(Waiting::begin(wait, now, talk.views()));
            }
            Some(Command::Show(question)) => {
                let facts = Some(talk.connection.facts());
                let Context { settings, outside, .. } = talk.context;
                self.answer(question, settings, &mut outside.views, facts);
            }
            Some(Command::Quit) => talk.leave(Over::Done),
            Some(Command::Connect(to)) => match to.check(&talk.context.settings) {
                Ok(()) => self.leave_for(Command::Connect(to), talk),
                Err(error) => talk.views().tell(&Event::Error(&error)),
            },
            Some(other) => self.leave_for(other, talk),
        }
    }

    /// Answers a question with what is known of the last connection or attempt.
    fn answer(
        &self,
        question: Question,
        settings: &Settings,
        views: &mut Views,
        connection: Option<Facts>,
    ) {
        let inquiry = Inquiry {
            options: &settings.open,
            tunings: Tuning::all(settings),
            views: views.settings(),
            words: settings.words,
            timings: views.timings(),
            attempt: &self.attempt,
            connection,
        };
        let Answer { before, text, bare } = (self.words)(question, &inquiry);
        if !before.is_empty() {
            views.emit(Event::Answer { text: &before, bare: false });
        }
        views.emit(Event::Answer { text: &text, bare });
    }

    /// A person stops an attempt. What was queued for another server isn't sent to the next one.
    fn stop(&mut self, command: Command, views: &mut Views) {
        self.stopped =
            matches!(command, Command::Close(_) | Command::Connect(_) | Command::Reconnect);
        if matches!(command, Command::Quit | Command::Connect(_)) {
            self.drop_queued(views);
        }
        if !matches!(command, Command::Close(_) | Command::GiveUp) {
            self.waiting.push_front(command);
        }
    }

    /// Forgets what was queued, and says so.
    fn drop_queued(&mut self, views: &mut Views) {
        if !self.waiting.is_empty() {
            let count = Count(self.waiting.len() as u64, "queued line");
            let text = format!("{count} not done");
            views.emit(Event::Notice { level: Level::Warning, text: &text });
            self.waiting.clear();
        }
    }

    /// Keeps what needs a connection until there is one.
    fn queue(&mut self, command: Command, views: &mut Views) {
        let text = "queued until the connection is open";
        views.emit(Event::Notice { level: Level::Info, text });
        self.waiting.push_back(command);
    }

    /// While the next command waits for a message: ends the wait if it is time, and does what needn't wait.
    fn act_on_wait(&mut self, talk: &mut Talk<'_>) {
        let late = self.wait.as_ref().and_then(|wait| wait.too_late(talk.now));
        if let Some(why) = late {
            self.end_wait(&why, talk.views());
        }
        while self.wait.is_some()
            && let Some(command) = self.commands.take()
        {
            match command {
                Command::GiveUp => self.end_wait("before Ctrl-C", talk.views()),
                Command::Quit => {
                    self.end_wait("before /quit", talk.views());
                    self.command(Command::Quit, talk);
                }
                Command::Log(_)
                | Command::LookBack(_)
                | Command::Record(_)
                | Command::Rule(_)
                | Command::Set(_)
                | Command::Show(_) => {
                    self.command(command, talk);
                }
                other => {
                    let text = "queued until a message matches";
                    talk.views().emit(Event::Notice { level: Level::Info, text });
                    self.waiting.push_back(other);
                }
            }
        }
    }

    /// Ends the wait, if there is one, and what was queued behind it.
    fn end_wait(&mut self, why: &str, views: &mut Views) {
        if let Some(wait) = self.wait.take() {
            wait.end(why, views);
            self.drop_queued(views);
        }
    }

    /// Leaves this connection for another, which the command opens.
    fn leave_for(&mut self, next: Command, talk: &mut Talk<'_>) {
        self.waiting.push_front(next);
        talk.leave(Over::Closed);
    }

    /// Executes a command without a connection, if possible; with `--reconnect` messages are kept.
    fn put_off(&mut self, command: Command, context: &mut Context) {
        let Some(command) = filled(command, context) else { return };
        match command {
            Command::Show(question) => {
                let Context { settings, outside, .. } = context;
                self.answer(question, settings, &mut outside.views, None);
            }
            Command::Line(text) if context.settings.reconnect.is_some() => {
                let (opcode, payload, fragment) = (Opcode::Text, text.into_bytes(), None);
                self.put_off(Command::Message { opcode, payload, fragment }, context);
            }
            Command::Message { opcode, payload, fragment }
                if context.settings.reconnect.is_some() =>
            {
                let fragment = fragment.or(context.settings.fragment);
                let is_kept = context.unsent.keep(UnsentMessage { opcode, payload, fragment });
                if !(is_kept && self.is_queued) {
                    context.tell_kept(is_kept);
                }
            }
            Command::LookBack(look) => self.kept.look(look, &mut context.outside.views),
            Command::Log(path) => log(path, &mut context.outside.views),
            Command::Record(path) => record(path, context, None),
            Command::Rule(change) => change_rules(change, context, None),
            Command::Set(setting) => context.outside.views.set(setting),
            Command::Tune(tuning) => {
                tuning.apply(&mut context.settings);
                context.unsent.set_keeps(context.settings.reconnect.is_some());
            }
            Command::Header(header) => set_header(context, header),
            _ => {
                let text = "not connected, so this was not done: /reconnect, /connect URL or /quit";
                context.notice(Level::Warning, text);
            }
        }
    }

    /// Waits after a connection's end for the person's decision: another connection, or to leave.
    fn next_connection(&mut self, context: &mut Context) -> bool {
        let is_decided = |command: &Command| {
            matches!(command, Command::Connect(_) | Command::Reconnect | Command::Quit)
        };
        let is_late = |context: &Context| context.deadline.is_some_and(|end| Instant::now() >= end);
        if !self.waiting.front().is_some_and(is_decided) && !is_late(context) {
            let way = "not connected: /reconnect, /connect URL or /quit";
            let text = match context.unsent.count() {
                0 => way.to_owned(),
                waiting => format!("{way}; {} not sent yet", Count(waiting as u64, "message")),
            };
            context.notice(Level::Info, &text);
        }
        loop {
            context.outside.views.push();
            while let Some(command) = self.next_command() {
                match command {
                    Command::Quit => return false,
                    Command::Reconnect => {
                        context.turn_to(context.settings.open.target.clone());
                        return true;
                    }
                    Command::Connect(to) => match context.go(to) {
                        Ok(()) => return true,
                        Err(error) => context.outside.views.emit(Event::Error(&error)),
                    },
                    Command::GiveUp => {}
                    other => self.put_off(other, context),
                }
            }
            context.outside.turn(&mut [], context.deadline);
            context.broken(self.goes_on_without_log());
            if let Some((exit, _)) = context.outside.waking.take_signals() {
                context.signalled = Some(exit);
            }
            if context.signalled.is_some() || is_late(context) {
                return false;
            }
        }
    }
}

impl Driver for Prompt {
    fn act(&mut self, talk: &mut Talk<'_>) {
        // Commands after one that leaves are for the next connection.
        self.act_on_wait(talk);
        while self.wait.is_none()
            && !talk.is_left()
            && talk.connection.state() != ReadyState::Closed
            && let Some(command) = self.next_command()
        {
            self.command(command, talk);
            // If that began a wait, what follows it is here already, and wakes nobody again.
            self.act_on_wait(talk);
        }
    }

    fn watches_messages(&self) -> bool {
        true
    }

    fn shows(&mut self, data: &Data<'_>) -> bool {
        self.kept.shows(data)
    }

    fn see_message(&mut self, data: &Data<'_>, views: &mut Views, now: Instant) {
        self.kept.keep(data, views.time());
        self.wait.take_if(|wait| wait.is_over(data.bytes, now, views));
    }

    fn deadline(&self, _talk: &Talk<'_>) -> Option<Instant> {
        self.wait.as_ref()?.until()
    }

    fn goes_on_without_log(&self) -> bool {
        true
    }

    /// Shows the answer to a person's ping, even in a quiet view.
    fn see(&mut self, event: &Event<'_>, views: &mut Views, _now: Instant) {
        self.attempt.see(event);
        if let Event::Pong { direction: Direction::In, payload, rtt: Some(rtt) } = event
            && *payload != KEEPALIVE
            && !views.needs().control_frames
        {
            let text = format!("pong after {}", Took(*rtt));
            views.tell(&Event::Answer { text: &text, bare: false });
        }
    }

    fn interrupted(&mut self, settings: &Settings, views: &mut Views) -> Option<Error> {
        while let Some(command) = self.commands.take() {
            let by = match &command {
                Command::Show(question) => {
                    self.answer(*question, settings, views, None);
                    continue;
                }
                Command::Set(setting) => {
                    views.set(*setting);
                    continue;
                }
                Command::Log(path) => {
                    log(path.clone(), views);
                    continue;
                }
                Command::LookBack(look) => {
                    self.kept.look(look.clone(), views);
                    continue;
                }
                // The opening uses the settings.
                Command::Header(_) | Command::Tune(_) => {
                    self.waiting.push_back(command);
                    continue;
                }
                Command::Quit => "/quit",
                Command::GiveUp => "Ctrl-C",
                Command::Close(_) => "/close",
                Command::Connect(to) => match to.check(settings) {
                    Ok(()) => "/connect",
                    Err(error) => {
                        views.emit(Event::Error(&error));
                        continue;
                    }
                },
                Command::Reconnect => "/reconnect",
                _ => {
                    self.queue(command, views);
                    continue;
                }
            };
            self.stop(command, views);
            let what = format!("given up by {by}");
            return Some(Error::new(Stage::Connect, Exit::Done, what));
        }
        None
    }

    fn waiting(&mut self, context: &mut Context) -> Option<Instead> {
        // Before the first connection what is queued stays queued, as during an attempt.
        let waits_up = context.wait_up.is_some();
        while let Some(command) = if waits_up { self.commands.take() } else { self.next_command() }
        {
            match command {
                Command::Quit => {
                    self.drop_queued(&mut context.outside.views);
                    self.waiting.push_front(Command::Quit);
                    return Some(Instead::GiveUp);
                }
                Command::Close(_) | Command::GiveUp => return Some(Instead::GiveUp),
                Command::Reconnect => return Some(Instead::Attempt),
                Command::Connect(to) => match context.go(to) {
                    Ok(()) => {
                        self.drop_queued(&mut context.outside.views);
                        return Some(Instead::Attempt);
                    }
                    Err(error) => context.outside.views.emit(Event::Error(&error)),
                },
                Command::Log(_)
                | Command::LookBack(_)
                | Command::Record(_)
                | Command::Rule(_)
                | Command::Show(_)
                | Command::Set(_)
                | Command::Tune(_)
                | Command::Header(_) => self.put_off(command, context),
                _ if waits_up => self.queue(command, &mut context.outside.views),
                _ => self.put_off(command, context),
            }
        }
        None
    }

    fn ended(&mut self, context: &mut Context, outcome: Outcome) -> Then {
        self.end_wait("before the end", &mut context.outside.views);
        let outcome = match outcome {
            Outcome::Over(over) => Ok(over),
            Outcome::GivenUp(error) => {
                self.attempt.fail(|| in_a_line(&error));
                Err(error)
            }
            Outcome::Failed(error) => {
                self.attempt.fail(|| in_a_line(&error));
                if !was_shown(&error) {
                    context.tell(&error);
                }
                Err(error)
            }
        };
        // If the first connection never opens, the run ends with its exit code.
        let never_opened = context.settings.reconnect.is_none()
            && !context.outside.views.has_opened()
            && !std::mem::take(&mut self.stopped);
        let leaves =
            context.signalled.is_some() || matches!(outcome, Ok(Over::Done)) || never_opened;
        if !leaves && self.next_connection(context) {
            return Then::Connect;
        }
        context.tell_unsent();
        // Failures were shown when they happened, and leaving on request is no failure; never
        // having connected is one.
        Then::Leave(match context.outside.views.has_opened() && !leaves {
            true => Ok(Over::Done),
            false => outcome,
        })
    }
}

/// Sets a header field of the next opening, and says so.
fn set_header(context: &mut Context, header: Header) {
    let name = Untrusted(&header.name).to_string();
    let is_removed = header.value.is_empty();
    match connection::set_header(&mut context.settings.open, header) {
        Ok(true) => {
            let has = if is_removed { "has no" } else { "has" };
            let text = format!("the next request {has} {name} (/reconnect)");
            context.outside.views.emit(Event::Answer { text: &text, bare: false });
        }
        Ok(false) => context.notice(Level::Warning, &format!("no header field is called {name}")),
        Err(error) => context.outside.views.emit(Event::Error(&error)),
    }
}

/// The failure with its causes, without what to try next.
fn in_a_line(error: &Error) -> String {
    let causes = error.causes.iter().map(|cause| format!("; {cause}"));
    format!("{}: {}{}", error.stage.name(), error.what, causes.collect::<String>())
}

/// A typed text with its fresh values, and a rule whose texts are known to have some; `None` if what is typed
/// there isn't known, which is said.
fn filled(command: Command, context: &mut Context) -> Option<Command> {
    if !context.outside.views.has_templates() {
        return Some(command);
    }
    let filled = match command {
        Command::Line(text) => context.rules.fresh.fill(&text).map(|filled| match filled == text {
            true => Command::Line(text),
            // Shown as it is sent.
            false => {
                let payload = filled.into_bytes();
                Command::Message { opcode: Opcode::Text, payload, fragment: None }
            }
        }),
        Command::Rule(change) => change.check_templates().map(|()| Command::Rule(change)),
        other => Ok(other),
    };
    filled
        .map_err(|why| {
            context
                .notice(Level::Warning, &format!("{why} (/set templates off sends it as it is)"));
        })
        .ok()
}

/// Begins a log, or ends it.
fn log(path: Option<PathBuf>, views: &mut Views) {
    let level = |setting: &Setting| match setting {
        Setting::Verbose(level) => Some(*level),
        _ => None,
    };
    let text = match path {
        Some(path) => {
            let verbosity = views.settings().iter().find_map(level).unwrap_or_default();
            if let Err(error) = views.start_log(&path, verbosity) {
                return views.emit(Event::Error(&error));
            }
            let name = path.to_string_lossy();
            format!("events are written to {}; /log off ends that", Untrusted::text(&name))
        }
        None if views.end_log() => "the log has ended".to_owned(),
        None => "no log is written".to_owned(),
    };
    views.emit(Event::Answer { text: &text, bare: false });
}

/// Begins a recording, or ends it; `attempt` is that of the open connection.
fn record(path: Option<PathBuf>, context: &mut Context, attempt: Option<&Attempt>) {
    let views = &mut context.outside.views;
    let text = match path {
        Some(path) => {
            let opening = attempt.and_then(|attempt| attempt.opening.as_ref());
            let before = [
                attempt
                    .and_then(|attempt| attempt.tls.as_ref())
                    .map(|tls| Event::TlsEstablished { tls, took: Duration::ZERO }),
                attempt
                    .and_then(|attempt| attempt.request.as_ref())
                    .map(|request| Event::RequestSent { request }),
                opening.map(|opening| Event::Opened { opening }),
            ];
            let before: Vec<Event<'_>> = before.into_iter().flatten().collect();
            let recorder = Recorder::new(record_options(&context.settings.open));
            if let Err(error) = views.start_recording(&path, recorder, &before) {
                return views.emit(Event::Error(&error));
            }
            let name = path.to_string_lossy();
            format!("the session is recorded to {}; /record off ends that", Untrusted::text(&name))
        }
        None if views.end_recording() => "the recording has ended".to_owned(),
        None => "nothing is recorded".to_owned(),
    };
    views.emit(Event::Answer { text: &text, bare: false });
}

/// Changes what is sent by rule, and says so.
fn change_rules(change: RuleChange, context: &mut Context, now: Option<Instant>) {
    let views = &mut context.outside.views;
    match context.rules.change(change, now) {
        Ok(text) => views.emit(Event::Answer { text: &text, bare: false }),
        Err(text) => views.emit(Event::Notice { level: Level::Warning, text: &text }),
    }
}

/// Whether the views have already shown the failure, as a violation or the connection's end.
fn was_shown(error: &Error) -> bool {
    matches!(error.exit, Exit::Lost | Exit::PeerError | Exit::Protocol)
        && matches!(error.stage, Stage::Session | Stage::Close)
}
