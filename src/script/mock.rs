//! The other side of a script: what it sends is awaited, what it expects is sent (`wstap serve --from`).
//!
//! [`Mock`] is pure: it is told which client connects, what it sends and that it leaves, and returns what
//! the server does. Several tests can be played at the same time, each with its own clients.

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use crate::error::Result;
use crate::http::head::is_token;
use crate::pattern::{Json, Operator, Template, TemplateValue, Value, parse_json, text_difference};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::Opcode;
use crate::repl::{ScriptCommand, script_command};
use crate::run::command::Command;
use crate::script::source::Place;
use crate::script::statement::{
    AnswerPart, Below, Encoding, Expected, Kind, Look, Payload, Reason, Receive, Script, Statement,
    Wanted,
};
use crate::script::values::Values;
use crate::sys;
use crate::text::Untrusted;
use crate::text::typed::{base64, hex};
use crate::transport::Target;

/// The close code for a client that doesn't do what the script does.
const OTHERWISE: CloseCode = CloseCode(4400);

/// The most statements of a test, with each round of a `repeat` counted.
const MAX_STEPS: usize = 100_000;

/// Stands in for a value that can't be known.
const ANY: &str = "wstap-any-value";

/// A client's place in a test that is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    play: usize,
    peer: usize,
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// 101, with this subprotocol.
    Accept(Seat, Option<String>),
    /// Another status, header fields and body.
    Refuse(u16, Vec<(String, String)>, String),
}

/// What the server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends a message.
    Send(Opcode, Vec<u8>),
    /// Sends a ping.
    Ping(Vec<u8>),
    /// Sends a Close frame.
    Close(CloseStatus),
    /// Ends the connection without one.
    Cut,
    /// Sends a Close frame because the client did something else, and says so.
    Fail(CloseStatus, String),
}

/// Plays the other side of a script.
#[derive(Debug)]
pub struct Mock {
    script: Script,
    /// The test that is next.
    turn: usize,
    plays: Vec<Play>,
}

/// A test that is played.
#[derive(Debug)]
struct Play {
    steps: Vec<Statement>,
    next: usize,
    values: Values,
    peers: Vec<Client>,
    /// Nothing is done before.
    silent_until: Option<Instant>,
    /// What clients may send at any time: of `every` and `on`.
    allowed: Vec<(Option<String>, Template)>,
    over: bool,
}

#[derive(Debug)]
struct Client {
    name: Option<String>,
    /// The index of its `connect`.
    step: usize,
    inbox: VecDeque<(Opcode, Vec<u8>)>,
    is_open: bool,
}

/// What became of a step.
enum Done {
    Next,
    Waits,
    Act(Action),
}

impl Mock {
    /// The other side of this script.
    ///
    /// # Errors
    /// Exit 2: a statement has no other side.
    pub fn new(script: Script) -> Result<Mock> {
        let bodies = script.tests.iter().flat_map(|test| &test.body);
        for statement in script.prelude.iter().chain(bodies) {
            check(statement, &script)?;
        }
        Ok(Mock { script, turn: 0, plays: Vec::new() })
    }

    /// A client asks for this target.
    pub fn decide(&mut self, target: &str) -> Decision {
        let path = target.split('?').next().unwrap_or_default();
        // One that a test waits for.
        for (index, play) in self.plays.iter_mut().enumerate().filter(|(_, play)| !play.over) {
            if let Some(step) = play.connect_after(path) {
                return play.answer(index, step);
            }
        }
        let count = self.script.tests.len();
        let first_path = |test: usize| {
            let mut play = self.play(test)?;
            let step = play.connect_after(path)?;
            let is_first = !play.steps[..step].iter().any(is_connect);
            is_first.then_some((play, step))
        };
        let order = (0..count).map(|at| (self.turn + at) % count);
        let found = order.into_iter().find_map(|test| Some((test, first_path(test)?)));
        let Some((test, (mut play, step))) = found else {
            let body = format!("the script has no connection to {path}\n");
            return Decision::Refuse(404, Vec::new(), body);
        };
        self.turn = test + 1;
        // The place of a test that is over and has no clients any more is free.
        let free = self.plays.iter().position(|play| play.over && !play.has_clients());
        let decision = play.answer(free.unwrap_or(self.plays.len()), step);
        match free.and_then(|index| self.plays.get_mut(index)) {
            Some(place) => *place = play,
            None => self.plays.push(play),
        }
        decision
    }

    /// The client's connection is open.
    pub fn opened(&mut self, seat: Seat) {
        if let Some(client) = self.client(seat) {
            client.is_open = true;
        }
    }

    /// The client has sent a message.
    pub fn received(&mut self, seat: Seat, opcode: Opcode, payload: &[u8]) {
        if let Some(client) = self.client(seat) {
            client.inbox.push_back((opcode, payload.to_vec()));
        }
    }

    /// The client has closed, or is gone.
    pub fn left(&mut self, seat: Seat) {
        if let Some(client) = self.client(seat) {
            client.is_open = false;
        }
    }

    /// What is to be done now.
    pub fn actions(&mut self, now: Instant) -> Vec<(Seat, Action)> {
        let mut actions = Vec::new();
        let script = &self.script;
        for (index, play) in self.plays.iter_mut().enumerate() {
            play.advance(index, script, now, &mut actions);
        }
        actions
    }

    /// When there is something to do although nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.plays.iter().filter(|play| !play.over).filter_map(|play| play.silent_until).min()
    }

    fn client(&mut self, seat: Seat) -> Option<&mut Client> {
        self.plays.get_mut(seat.play)?.peers.get_mut(seat.peer)
    }

    fn play(&self, test: usize) -> Option<Play> {
        let mut steps = Vec::new();
        flatten(&self.script.prelude, &mut steps);
        flatten(&self.script.tests.get(test)?.body, &mut steps);
        let values = Values::new(&self.script.variables);
        let (peers, allowed) = (Vec::new(), Vec::new());
        Some(Play { steps, next: 0, values, peers, silent_until: None, allowed, over: false })
    }
}

impl Play {
    /// The next `connect` to this path that has no client.
    fn connect_after(&mut self, path: &str) -> Option<usize> {
        let taken: Vec<usize> = self.peers.iter().map(|peer| peer.step).collect();
        let free = |(step, _): &(usize, &Statement)| !taken.contains(step);
        let steps = self.steps.iter().enumerate().skip(self.next);
        let (step, statement) = steps.filter(|(_, s)| is_connect(s)).find(free)?;
        let Kind::Connect { url, .. } = &statement.kind else { return None };
        let url = self.values.fill(url, str::to_owned);
        let (target, _) = Target::parse(&url).ok()?;
        (target.path.split('?').next() == Some(path)).then_some(step)
    }

    /// Answers the request of the client for the `connect` at `step`.
    fn answer(&mut self, play: usize, step: usize) -> Decision {
        let name = self.steps[step].name.clone();
        let peer = self.peers.len();
        self.peers.push(Client {
            name: name.clone(),
            step,
            inbox: VecDeque::new(),
            is_open: false,
        });
        let behind = self.steps[step + 1..].iter().filter(|statement| statement.name == name);
        let expects: Vec<_> = behind
            .map_while(|statement| match &statement.kind {
                Kind::Expect(expect) => Some(expect.clone()),
                _ => None,
            })
            .collect();
        if let Some(expect) = expects.first()
            && let Expected::Status(status) = expect.what
        {
            let (mut fields, mut body) = (Vec::new(), String::new());
            for below in &expect.below {
                match &below.what {
                    AnswerPart::Header(header) => {
                        let value = header.value.as_ref();
                        let value = value.map(|value| self.values.fill(value, str::to_owned));
                        fields.push((header.name.clone(), value.unwrap_or_default()));
                    }
                    AnswerPart::BodyJson(json) => body = self.values.fill(json, str::to_owned),
                    AnswerPart::BodyRegex(_) => {}
                }
            }
            return Decision::Refuse(status, fields, body);
        }
        let mut chosen = None;
        for expect in expects {
            if let Expected::Subprotocol(name) = &expect.what {
                let name = self.values.fill(name, str::to_owned);
                chosen = Some(name).filter(|name| name.bytes().all(is_token));
            }
        }
        Decision::Accept(Seat { play, peer }, chosen)
    }

    fn advance(
        &mut self,
        play: usize,
        script: &Script,
        now: Instant,
        actions: &mut Vec<(Seat, Action)>,
    ) {
        if self.silent_until.is_some_and(|until| now < until) {
            return;
        }
        self.silent_until = None;
        while !self.over {
            let Some(statement) = self.steps.get(self.next).cloned() else {
                self.over = !self.has_clients();
                return self.judge_early(play, script, actions);
            };
            let peer = self.peers.iter().rposition(|peer| peer.name == statement.name);
            let seat = Seat { play, peer: peer.unwrap_or_default() };
            match self.step(&statement, peer, script, now) {
                Done::Next => self.next += 1,
                Done::Waits => {
                    let gone = peer.is_some_and(|peer| !self.peers[peer].is_open);
                    // It will never do what is awaited.
                    self.over |= gone && !is_connect(&statement);
                    if is_connect(&statement) {
                        self.judge_early(play, script, actions);
                    }
                    return;
                }
                Done::Act(action) => {
                    self.over |= matches!(action, Action::Fail(..));
                    actions.push((seat, action));
                    self.next += 1;
                }
            }
            if self.silent_until.is_some() {
                return;
            }
        }
    }

    fn step(
        &mut self,
        statement: &Statement,
        peer: Option<usize>,
        script: &Script,
        now: Instant,
    ) -> Done {
        match &statement.kind {
            Kind::Connect { .. } => {
                let at = self.next;
                let Some(client) = self.peers.iter().find(|peer| peer.step == at) else {
                    return Done::Waits;
                };
                let refused = self.steps.get(at + 1).is_some_and(|next| {
                    matches!(&next.kind, Kind::Expect(e) if matches!(e.what, Expected::Status(_)))
                });
                if client.is_open || refused { Done::Next } else { Done::Waits }
            }
            Kind::Var { name, value } => {
                let value = self.values.fill(value, str::to_owned);
                self.values.variables.insert(name.clone(), value);
                Done::Next
            }
            Kind::Every { payload: Payload::Text(text), .. } => {
                self.allowed.push((statement.name.clone(), text.clone()));
                Done::Next
            }
            Kind::On { .. } | Kind::Every { .. } | Kind::Wait(_) | Kind::Within(_) => Done::Next,
            Kind::Repeat { .. } => Done::Next,
            Kind::Send(payload) => self.awaited(statement, peer, script, payload),
            Kind::Command(text) => self.command(statement, peer, script, text),
            Kind::Receive(receive) => match self.message(receive) {
                Ok((opcode, payload)) => Done::Act(Action::Send(opcode, payload)),
                Err(what) => fail(script, statement.place, &what),
            },
            Kind::Expect(expect) => match &expect.what {
                Expected::Ping(text) => {
                    let text = text.as_ref().map(|text| self.values.fill(text, str::to_owned));
                    Done::Act(Action::Ping(text.unwrap_or_default().into_bytes()))
                }
                Expected::Close { code, reason } => {
                    if peer.is_some_and(|peer| !self.peers[peer].is_open) {
                        return Done::Next;
                    }
                    let reason = match reason {
                        Some(Reason::Equal(text)) => self.values.fill(text, str::to_owned),
                        _ => String::new(),
                    };
                    let code = CloseCode(code.unwrap_or(1000));
                    Done::Act(Action::Close(CloseStatus::new(code, &reason)))
                }
                Expected::Cut => Done::Act(Action::Cut),
                Expected::Silence { time, .. } => {
                    self.silent_until = Some(now + *time);
                    Done::Next
                }
                // Of the answer, which was given, or pongs, which are automatic.
                _ => Done::Next,
            },
        }
    }

    fn has_clients(&self) -> bool {
        self.peers.iter().any(|peer| peer.is_open)
    }

    /// Judges what clients have sent while nothing of theirs is awaited: it must be what comes next.
    fn judge_early(&mut self, play: usize, script: &Script, actions: &mut Vec<(Seat, Action)>) {
        for peer in 0..self.peers.len() {
            let Some((opcode, came)) = self.peers[peer].inbox.front().cloned() else { continue };
            let name = self.peers[peer].name.clone();
            let text = String::from_utf8_lossy(&came).into_owned();
            let next = self.steps.iter().skip(self.next).find(|step| {
                step.name == name && matches!(step.kind, Kind::Send(_) | Kind::Command(_))
            });
            let (fits, place) = match next.cloned() {
                Some(Statement { kind: Kind::Send(payload), place, .. }) => {
                    let wanted = self.bytes(&payload).unwrap_or((opcode, came.clone()));
                    (opcode == wanted.0 && self.fits(&payload, &wanted.1, &came), place)
                }
                Some(_) => continue,
                None => match self.steps.last() {
                    Some(last) => (false, last.place),
                    None => continue,
                },
            };
            if fits || !self.peers[peer].is_open || self.is_allowed(name.as_deref(), opcode, &text)
            {
                continue;
            }
            let what = format!("another message came: {}", UntrustedStart(&text));
            if let Done::Act(action) = fail(script, place, &what) {
                self.over = true;
                actions.push((Seat { play, peer }, action));
                return;
            }
        }
    }

    /// Whether a client may send this at any time.
    fn is_allowed(&mut self, name: Option<&str>, opcode: Opcode, text: &str) -> bool {
        let allowed = self.allowed.clone();
        opcode == Opcode::Text
            && allowed
                .iter()
                .any(|(of, template)| of.as_deref() == name && self.like(template, text))
    }

    /// A message of the client.
    fn awaited(
        &mut self,
        statement: &Statement,
        peer: Option<usize>,
        script: &Script,
        payload: &Payload,
    ) -> Done {
        let Some(peer) = peer else { return Done::Waits };
        let wanted = match self.bytes(payload) {
            Ok(wanted) => wanted,
            Err(what) => return fail(script, statement.place, &what),
        };
        loop {
            let Some((opcode, came)) = self.peers[peer].inbox.pop_front() else {
                return Done::Waits;
            };
            let text = String::from_utf8_lossy(&came).into_owned();
            if opcode == wanted.0 && self.fits(payload, &wanted.1, &came) {
                return Done::Next;
            }
            let is_allowed = self.is_allowed(statement.name.as_deref(), opcode, &text);
            if !is_allowed {
                let what = match (wanted.0, opcode) {
                    (Opcode::Text, Opcode::Text) => {
                        let wanted = String::from_utf8_lossy(&wanted.1);
                        let lines = text_difference(&wanted, &text);
                        format!("another message came: {}", lines.join(" "))
                    }
                    _ => format!("another message came, {} bytes", came.len()),
                };
                return fail(script, statement.place, &what);
            }
        }
    }

    /// What a client's slash command does.
    fn command(
        &mut self,
        statement: &Statement,
        peer: Option<usize>,
        script: &Script,
        text: &Template,
    ) -> Done {
        let text = self.values.fill(text, str::to_owned);
        let Some(peer) = peer else { return Done::Waits };
        match script_command(&text) {
            Ok(ScriptCommand::Send(Command::Message { opcode: Opcode::Text, payload, .. })) => {
                let template = Template::literal(String::from_utf8_lossy(&payload));
                self.awaited(statement, Some(peer), script, &Payload::Text(template))
            }
            Ok(ScriptCommand::Send(Command::Close(_))) => match self.peers[peer].is_open {
                true => Done::Waits,
                false => Done::Next,
            },
            // Pings are answered, and frames judged, by the protocol.
            _ => Done::Next,
        }
    }

    fn bytes(&mut self, payload: &Payload) -> std::result::Result<(Opcode, Vec<u8>), String> {
        match payload {
            Payload::Text(text) => Ok((Opcode::Text, self.known(text).into_bytes())),
            Payload::Encoded(encoding, text) => {
                let text = self.values.fill(text, str::to_owned);
                let decode = if *encoding == Encoding::Hex { hex } else { base64 };
                decode(&text).map(|bytes| (Opcode::Binary, bytes))
            }
            Payload::File { opcode, path } => {
                let path = path.folder.join(self.values.fill(&path.path, str::to_owned));
                let read = sys::read_file(&path);
                read.map(|bytes| (*opcode, bytes)).map_err(|_| "a file can't be read".to_owned())
            }
        }
    }

    /// The text, with [`ANY`] for what only the client knows.
    fn known(&mut self, text: &Template) -> String {
        let values = &mut self.values;
        let mut value = |value: &TemplateValue| match value {
            TemplateValue::Variable(name) => {
                values.variables.get(name).cloned().unwrap_or_else(|| ANY.to_owned())
            }
            _ => ANY.to_owned(),
        };
        text.fill(&mut value, str::to_owned)
    }

    fn fits(&mut self, payload: &Payload, wanted: &[u8], came: &[u8]) -> bool {
        match payload {
            Payload::Text(text) => self.like(text, &String::from_utf8_lossy(came)),
            _ => wanted == came,
        }
    }

    /// Whether a text of the client is this one, as JSON where both are.
    fn like(&mut self, wanted: &Template, came: &str) -> bool {
        let wanted = self.known(wanted);
        match (parse_json(&wanted), parse_json(came)) {
            (Ok(wanted), Ok(came)) => is_like(&wanted, &came),
            _ => is_text_like(&wanted, came),
        }
    }

    /// What the script expects, as a message.
    fn message(&mut self, receive: &Receive) -> std::result::Result<(Opcode, Vec<u8>), String> {
        let text = match &receive.pattern {
            Wanted::Binary(payload) => return self.bytes(payload),
            Wanted::Any(_) | Wanted::Regex(_) => String::new(),
            Wanted::Exact(text) | Wanted::Like(text) => self.values.fill(text, str::to_owned),
        };
        let text = self.completed(text, &receive.below);
        if let Ok(root) = parse_json(&text) {
            for Below { look, .. } in &receive.below {
                if let Look::Capture { name, path } = look
                    && let Ok(value) = path.capture(&root, &text)
                {
                    self.values.variables.insert(name.clone(), value);
                }
            }
        }
        Ok((Opcode::Text, text.into_bytes()))
    }

    /// A JSON object with the members that captures and assertions need.
    fn completed(&mut self, text: String, below: &[Below]) -> String {
        let Ok(root) = parse_json(&text) else { return text };
        let Value::Object(members) = &root.value else { return text };
        let mut more: Vec<(String, String)> = Vec::new();
        for Below { look, .. } in below {
            let (path, value) = match look {
                Look::Capture { name, path } => {
                    let fresh = self.values.value(&TemplateValue::Counter);
                    (path, format!("\"{name}-{fresh}\""))
                }
                Look::Assert { check, operand } => {
                    let operand = self.values.fill(operand, str::to_owned);
                    match check.operator {
                        Operator::Equal | Operator::AtLeast | Operator::AtMost => {
                            let quoted = || format!("\"{}\"", crate::pattern::escaped(&operand));
                            let json = parse_json(&operand).is_ok();
                            (&check.path, if json { operand.clone() } else { quoted() })
                        }
                        Operator::Exists => (&check.path, "true".to_owned()),
                        _ => continue,
                    }
                }
            };
            let name = path.member().filter(|name| root.member(name).is_none());
            if let Some(name) = name.filter(|name| more.iter().all(|(known, _)| known != name)) {
                more.push((name.to_owned(), value));
            }
        }
        if more.is_empty() {
            return text;
        }
        let inside: Vec<String> = more
            .iter()
            .map(|(name, value)| format!("\"{}\":{value}", crate::pattern::escaped(name)))
            .collect();
        let end = root.span.end - 1;
        let comma = if members.is_empty() { "" } else { "," };
        format!("{}{comma}{}{}", &text[..end], inside.join(","), &text[end..])
    }
}

/// The beginning of a text, escaped.
struct UntrustedStart<'a>(&'a str);

impl fmt::Display for UntrustedStart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some: String = self.0.chars().take(80).collect();
        write!(f, "{}", Untrusted::text(&some))
    }
}

fn is_connect(statement: &Statement) -> bool {
    matches!(statement.kind, Kind::Connect { .. })
}

/// JSON of which the client alone knows some values.
fn is_like(wanted: &Json, came: &Json) -> bool {
    match (&wanted.value, &came.value) {
        (Value::String(wanted), Value::String(came)) => is_text_like(wanted, came),
        (Value::Array(wanted), Value::Array(came)) => {
            wanted.len() == came.len() && wanted.iter().zip(came).all(|(a, b)| is_like(a, b))
        }
        (Value::Object(wanted), Value::Object(members)) => {
            let fits = |(name, value): &(String, Json)| {
                came.member(name).is_some_and(|came| is_like(value, came))
            };
            wanted.len() == members.len() && wanted.iter().all(fits)
        }
        _ => wanted.equals(came),
    }
}

fn is_text_like(wanted: &str, came: &str) -> bool {
    if !wanted.contains(ANY) {
        return wanted == came;
    }
    let parts: Vec<String> = wanted.split(ANY).map(regex::escape).collect();
    let pattern = format!("(?s)^{}$", parts.join(".*"));
    regex::Regex::new(&pattern).is_ok_and(|regex| regex.is_match(came))
}

/// The client does something else.
fn fail(script: &Script, place: Place, what: &str) -> Done {
    let line = script.sources.line_of(place);
    let said = format!("{line}: {what}");
    let end =
        (0..=CloseStatus::MAX_REASON.min(said.len())).rev().find(|at| said.is_char_boundary(*at));
    let reason = &said[..end.unwrap_or(0)];
    Done::Act(Action::Fail(CloseStatus::new(OTHERWISE, reason), said.clone()))
}

/// Each round of a `repeat` as statements of its own.
fn flatten(statements: &[Statement], steps: &mut Vec<Statement>) {
    for statement in statements {
        if steps.len() >= MAX_STEPS {
            return;
        }
        match &statement.kind {
            Kind::Repeat { count, body } => {
                for _ in 0..*count {
                    if steps.len() >= MAX_STEPS {
                        return;
                    }
                    flatten(body, steps);
                }
            }
            _ => steps.push(statement.clone()),
        }
    }
}

/// Statements that have no other side.
fn check(statement: &Statement, script: &Script) -> Result<()> {
    let what = match &statement.kind {
        Kind::Receive(Receive { pattern: Wanted::Regex(_), .. }) => {
            "a server can't make a message of a regular expression: < TEXT says what it sends"
        }
        Kind::Receive(Receive { pattern: Wanted::Any(_), .. }) => {
            "a server can't know which message: < TEXT says what it sends"
        }
        Kind::Expect(expect) => match expect.what {
            Expected::TlsFailure | Expected::Violation(_) => {
                "this server keeps the protocol: that can't be played"
            }
            _ => return Ok(()),
        },
        Kind::Repeat { body, .. } => return body.iter().try_for_each(|inner| check(inner, script)),
        _ => return Ok(()),
    };
    Err(script.sources.error(statement.mark, what))
}
