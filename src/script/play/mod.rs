//! Plays the tests of a script over as many connections as they open, in one loop on one thread.
//!
//! Every statement waits in [`Player::wait`] for what it needs; meanwhile all connections are read,
//! answered and written ([`pump`](self::pump)). Nothing waits for a fixed time, unless the script asks.

mod connect;
mod expect;
mod peer;
mod pump;
mod receive;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::cli::LayerOption;
use crate::connection::Outgoing;
use crate::error::{Error, Exit, Stage};
use crate::pattern::Template;
use crate::protocol::frame::Opcode;
use crate::repl::{ScriptCommand, script_command};
use crate::report::results::{Failure, LogEntry, at};
use crate::run::Loop;
use crate::run::command::Command;
use crate::script::play::peer::{Peer, Rule, Timer};
use crate::script::source::{Place, Sources};
use crate::script::statement::{Encoding, Kind, PathPattern, Payload, Script, Statement, Test};
use crate::script::values::Values;
use crate::sys;
use crate::text::system::reason;
use crate::text::typed::{base64, hex};

/// How long a connection may take to close at the end of a test.
const LEAVE_PATIENCE: Duration = Duration::from_millis(500);

/// The most events of a test that are kept for its report.
const MAX_LOG: usize = 1_000;

/// What holds for all tests of a run.
#[derive(Clone, Debug)]
pub struct PlayOptions {
    /// Options of every connection.
    pub all: Vec<LayerOption>,
    /// The time limit of an expectation.
    pub within: Duration,
    /// When the whole run must be over.
    pub deadline: Option<Instant>,
    /// Whether frames are events, too.
    pub frames: bool,
}

/// Takes the events of connections as JSON.
pub(crate) trait Listener {
    /// An event, over the connection of that name.
    fn event(&mut self, connection: &str, event: &crate::event::Event<'_>);
}

/// Why a test doesn't go on.
pub(crate) enum Stop {
    /// It failed.
    Failed(Box<Failure>),
    /// A signal, or the end of the run's time.
    Ended(Exit),
}

/// The result of a statement.
type Played<T = ()> = Result<T, Stop>;

/// What came of a test.
pub(crate) struct TestPlayed {
    pub(crate) result: Result<(), Stop>,
    pub(crate) took: Duration,
    pub(crate) log: Vec<LogEntry>,
    /// Messages that nobody expected.
    pub(crate) unread: Vec<LogEntry>,
}

/// Plays one test.
pub(crate) fn play<'a>(
    script: &'a Script,
    test: &Test,
    options: &'a PlayOptions,
    outside: &'a mut Loop,
    listener: Option<&'a mut dyn Listener>,
) -> TestPlayed {
    let start = Instant::now();
    let mut player = Player {
        sources: &script.sources,
        options,
        outside,
        listener,
        values: Values::new(&script.variables),
        within: options.within,
        peers: Vec::new(),
        log: VecDeque::new(),
        start,
        now: start,
        signals: 0,
    };
    let statements: Vec<&Statement> = script.prelude.iter().chain(&test.body).collect();
    let mut result = player.statements(&statements);
    if result.is_ok() {
        player.pump();
        result = player.judge_ends();
    }
    let left = player.leave();
    let result = result.and(left);
    let unread = player.unread();
    TestPlayed { result, took: start.elapsed(), log: player.log.into_iter().collect(), unread }
}

struct Player<'a> {
    sources: &'a Sources,
    options: &'a PlayOptions,
    outside: &'a mut Loop,
    listener: Option<&'a mut dyn Listener>,
    values: Values,
    within: Duration,
    peers: Vec<Peer>,
    log: VecDeque<LogEntry>,
    start: Instant,
    now: Instant,
    signals: u32,
}

impl Player<'_> {
    fn statements(&mut self, statements: &[&Statement]) -> Played {
        for (index, statement) in statements.iter().enumerate() {
            self.statement(statement, statements.get(index + 1).copied())?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement, next: Option<&Statement>) -> Played {
        match &statement.kind {
            Kind::Var { name, value } => {
                let value = self.values.fill(value, str::to_owned);
                self.values.variables.insert(name.clone(), value);
                Ok(())
            }
            Kind::Connect { url, options } => self.connect(statement, url, options, next),
            Kind::Send(payload) => self.send(statement, payload),
            Kind::Command(text) => self.command(statement, text),
            Kind::Receive(receive) => self.receive(statement, receive),
            Kind::Expect(expect) => self.expect(statement, expect),
            Kind::On { regex, reply } => {
                let text = self.values.fill(regex, regex::escape);
                let regex = regex::Regex::new(&text).map_err(|_| {
                    self.failed(statement, format!("no regular expression: {text}"))
                })?;
                let peer = self.peer(statement)?;
                self.peers[peer].rules.push(Rule { regex, reply: reply.clone() });
                Ok(())
            }
            Kind::Every { time, payload } => {
                let peer = self.peer(statement)?;
                let (every, payload) = (*time, payload.clone());
                let next = Instant::now() + every;
                self.peers[peer].timers.push(Timer { every, next, payload });
                Ok(())
            }
            Kind::Wait(time) => {
                let until = Instant::now() + *time;
                self.wait(until, |_| None::<()>).map(drop)
            }
            Kind::Within(time) => {
                self.within = *time;
                Ok(())
            }
            Kind::Repeat { count, body } => {
                let body: Vec<&Statement> = body.iter().collect();
                (0..*count).try_for_each(|_| self.statements(&body))
            }
        }
    }

    fn send(&mut self, statement: &Statement, payload: &Payload) -> Played {
        let peer = self.peer(statement)?;
        let (opcode, bytes) = self.payload(payload).map_err(|what| self.failed(statement, what))?;
        self.room(statement, peer)?;
        if let Some(connection) = &mut self.peers[peer].connection {
            connection.send(Outgoing { opcode, payload: &bytes, fragment: None });
        }
        self.pump();
        Ok(())
    }

    fn command(&mut self, statement: &Statement, text: &Template) -> Played {
        let peer = self.peer(statement)?;
        let text = self.values.fill(text, str::to_owned);
        let wrong = |error: Error| error.what;
        let command = match script_command(&text).map_err(wrong) {
            Ok(ScriptCommand::Send(command)) => command,
            Ok(ScriptCommand::File { path, opcode }) => {
                let folder = self.sources.folder_of(statement.place).to_owned();
                let path = Template::literal(path.to_string_lossy());
                let opcode = opcode.unwrap_or(Opcode::Text);
                let payload = Payload::File { opcode, path: PathPattern { folder, path } };
                return self.send(statement, &payload);
            }
            Err(what) => return Err(self.failed(statement, what)),
        };
        self.room(statement, peer)?;
        let Some(connection) = &mut self.peers[peer].connection else { return Ok(()) };
        match command {
            Command::Close(status) => connection.close(&status),
            Command::Frame(spec) => connection.send_frame(|fresh| spec.frame(fresh)),
            Command::Message { opcode, payload, fragment } => {
                connection.send(Outgoing { opcode, payload: &payload, fragment });
            }
            Command::Ping(payload) => connection.ping(&payload),
            Command::Pong(payload) => connection.pong(&payload),
            // The parser lets no others through.
            _ => {}
        }
        self.pump();
        Ok(())
    }

    /// Waits until the peer's queue takes more; fails if the connection has ended.
    fn room(&mut self, statement: &Statement, peer: usize) -> Played {
        let until = Instant::now() + self.within;
        let room = self.wait(until, |player| {
            let peer = &mut player.peers[peer];
            match &mut peer.connection {
                Some(connection) => connection.outbox().has_room().then_some(true),
                None => Some(false),
            }
        })?;
        match room {
            Some(true) => Ok(()),
            Some(false) => {
                let how = self.peers[peer].ended_words().unwrap_or_default();
                self.peers[peer].end_seen = true;
                Err(self.failed(statement, format!("nothing can be sent: {how}")))
            }
            None => {
                Err(self.failed(statement, "the server doesn't read: nothing more can be sent"))
            }
        }
    }

    /// The bytes of a payload, with its values.
    fn payload(&mut self, payload: &Payload) -> Result<(Opcode, Vec<u8>), String> {
        match payload {
            Payload::Text(text) => {
                Ok((Opcode::Text, self.values.fill(text, str::to_owned).into_bytes()))
            }
            Payload::Encoded(encoding, text) => {
                let text = self.values.fill(text, str::to_owned);
                let bytes = match encoding {
                    Encoding::Hex => hex(&text),
                    Encoding::Base64 => base64(&text),
                };
                Ok((Opcode::Binary, bytes?))
            }
            Payload::File { opcode, path } => {
                let path = path.folder.join(self.values.fill(&path.path, str::to_owned));
                let shown = crate::script::source::shown(&path);
                let bytes = sys::read_file(&path)
                    .map_err(|e| format!("can't read {shown}: {}", reason(&e)))?;
                if *opcode == Opcode::Text && std::str::from_utf8(&bytes).is_err() {
                    return Err(format!("{shown} is not UTF-8; >b file sends bytes"));
                }
                Ok((*opcode, bytes))
            }
        }
    }

    /// The index of a statement's connection.
    fn peer(&self, statement: &Statement) -> Played<usize> {
        let found =
            self.peers.iter().rposition(|peer| peer.name == statement.name && !peer.retired);
        found.ok_or_else(|| self.failed(statement, "this connection was not opened"))
    }

    /// Ends that no expectation was about.
    fn judge_ends(&mut self) -> Played {
        let failed = |peer: &Peer| {
            let end = peer.end.as_ref().filter(|end| !peer.end_seen && end.is_failure())?;
            Some((peer.place, peer.name.clone(), end.clone()))
        };
        let Some((place, name, end)) = self.peers.iter().find_map(failed) else { return Ok(()) };
        let name = name.map_or(String::new(), |name| format!(" {name}"));
        let what = format!("the connection{name} failed, which nothing expected: {}", end.words());
        let exit = match &end.fault {
            Some(crate::connection::Fault::Violation(_)) => Exit::Protocol,
            Some(crate::connection::Fault::Limit(_)) => Exit::Limit,
            Some(crate::connection::Fault::Silent(_)) => Exit::Timeout,
            Some(crate::connection::Fault::Tls(_)) => Exit::Tls,
            None if end.closure.received.is_none() => Exit::Lost,
            None => Exit::PeerError,
        };
        let mut failure = self.failure(place, what);
        failure.exit = Some((Stage::Session, exit));
        Err(Stop::Failed(Box::new(failure)))
    }

    /// A failure of a statement.
    fn failed(&self, statement: &Statement, what: impl Into<String>) -> Stop {
        Stop::Failed(Box::new(self.failure(statement.mark, what)))
    }

    fn failure(&self, place: Place, what: impl Into<String>) -> Failure {
        let before = self.log.iter().rev().take(8).rev().map(|entry| {
            let time = at(entry.at);
            let name = if entry.connection.is_empty() { "" } else { " " };
            format!("{time}{name}{} {}", entry.connection, entry.short())
        });
        let before: Vec<String> = before.collect();
        let mut failure = self.sources.failure(place, what);
        if !before.is_empty() {
            failure.last = format!("last:  {}", before.join(" · "));
        }
        failure
    }
}
