//! The driver for piped standard input: sends its messages or commands, then a fence, and closes
//! the connection after some silence. Where silence ends nothing, there is no fence either.

use std::time::{Duration, Instant};

use crate::connection::{self, Outgoing};
use crate::error::{Error, Exit, Hint, Result};
use crate::event::{Data, Event, Level};
use crate::protocol::connection::Direction;
use crate::protocol::frame::Opcode;
use crate::run::context::Context;
use crate::run::driver::{Driver, Outcome, Then};
use crate::run::gate::{Gate, quoted};
use crate::run::input::{InputFormat, Stdin};
use crate::run::json::{self, Step};
use crate::run::settings::{Linger, Settings};
use crate::run::talk::{Over, Talk};
use crate::run::turn::Source;
use crate::run::views::Views;
use crate::sys;
use crate::text::units::{Count, Took};

/// What the payload of a fence begins with.
pub(super) const FENCE: &str = "end of input ";

/// How long we wait for the fence's pong while nothing is received.
const FENCE_PATIENCE: Duration = Duration::from_secs(5);

/// Standard input as messages.
pub struct Pipe {
    /// `None` if nothing is read: reading failed, or was never wanted.
    stdin: Option<Stdin>,
    /// The input never ends.
    endless: bool,
    /// Holds the input back, if something may.
    gate: Option<Gate>,
    /// The messages of the command line that went through the gate on this connection.
    first: usize,
    /// Messages of `--input json` that were left out because they went the other way.
    left_out: u64,
    /// Set once everything was sent on this connection.
    end: Option<EndOfInput>,
    /// The silence after which we closed the connection.
    silence: Option<Silence>,
}

/// After the last message of the input.
struct EndOfInput {
    /// The payload of the ping sent there, the fence, until its pong comes.
    fence: Option<Vec<u8>>,
    /// When the input ended, or the pong came.
    at: Instant,
}

/// The silence that ended a session.
struct Silence {
    lasted: Duration,
    /// Messages had been sent before.
    sent: bool,
    /// The fence had no answer either.
    without_pong: bool,
}

impl Pipe {
    /// Sends standard input.
    pub fn new(stdin: Stdin, settings: &Settings) -> Pipe {
        let is_json = stdin.format() == InputFormat::Json;
        let gate =
            (settings.gate.holds() || is_json).then(|| Gate::new(settings.gate.clone(), is_json));
        Pipe { stdin: Some(stdin), gate, ..Pipe::without(false) }
    }

    /// Sends nothing of standard input: it has already ended.
    pub fn empty(settings: &Settings) -> Pipe {
        sys::release_stdin();
        let gate = settings.gate.holds().then(|| Gate::new(settings.gate.clone(), false));
        Pipe { gate, ..Pipe::without(false) }
    }

    /// Sends nothing and never ends: for `--echo`.
    pub fn endless() -> Pipe {
        sys::release_stdin();
        Pipe::without(true)
    }

    fn without(endless: bool) -> Pipe {
        Pipe { stdin: None, endless, gate: None, first: 0, left_out: 0, end: None, silence: None }
    }

    /// Takes input while there is room for it and nothing holds it back.
    fn take_input(&mut self, talk: &mut Talk<'_>) -> Result<()> {
        if self.takes_first(&talk.context.settings) {
            self.take_first(talk);
        }
        while talk.has_room() && self.is_open(talk.now) {
            let Some(stdin) = &mut self.stdin else { break };
            if let Some(error) = stdin.take_failure() {
                return Err(error);
            }
            if stdin.is_exhausted() {
                break;
            }
            let more = match stdin.format() {
                InputFormat::Json => self.take_command(talk)?,
                _ => self.take_messages(talk)?,
            };
            if !more {
                return Ok(());
            }
        }
        let holds = self.gate.as_ref().is_some_and(Gate::holds_the_end);
        let has_first = self.takes_first(&talk.context.settings)
            && self.first < talk.context.settings.first.len();
        let is_taken = self.stdin.as_ref().is_none_or(Stdin::is_exhausted);
        if is_taken && !has_first && !holds && !self.endless {
            self.end_of_input(talk);
        }
        Ok(())
    }

    fn is_open(&self, now: Instant) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.is_open(now))
    }

    /// Takes the messages of the command line.
    fn take_first(&mut self, talk: &mut Talk<'_>) {
        let Some(gate) = &mut self.gate else { return };
        let fragment = talk.context.settings.fragment;
        while gate.is_open(talk.now)
            && let Some((opcode, payload)) = talk.context.settings.first.get(self.first)
        {
            self.first += 1;
            let who = || format!("message {} of the command line: {}", self.first, quoted(payload));
            gate.sent(talk.now, who);
            talk.connection.send(Outgoing { opcode: *opcode, payload, fragment });
        }
    }

    /// Takes a command from the input; false if none is complete yet.
    fn take_command(&mut self, talk: &mut Talk<'_>) -> Result<bool> {
        let Pipe { stdin: Some(stdin), gate: Some(gate), left_out, .. } = self else {
            return Ok(false);
        };
        let Some(piece) = stdin.next_piece() else { return Ok(false) };
        match json::step(&piece, talk.context.settings.replay_out)? {
            Step::Nothing => {}
            Step::LeftOut => *left_out += 1,
            Step::Send(command) => {
                gate.sent(talk.now, || piece.named("line"));
                talk.send(command);
            }
            Step::Wait(wait) => {
                if wait.pattern.is_some() {
                    talk.take_whole_messages();
                }
                gate.wait(wait, talk.now, || piece.named("line"));
            }
        }
        Ok(true)
    }

    /// Takes messages from the input while there is room; false if no other is complete yet.
    fn take_messages(&mut self, talk: &mut Talk<'_>) -> Result<bool> {
        let Pipe { stdin: Some(stdin), gate, .. } = self else { return Ok(false) };
        let settings = &talk.context.settings;
        let (binary, escapes, fragment) = (settings.binary, settings.escapes, settings.fragment);
        let opcode = if binary { Opcode::Binary } else { Opcode::Text };
        let kind = if stdin.format() == InputFormat::Line { "line" } else { "message" };
        while talk.connection.outbox().has_room() {
            if gate.as_ref().is_some_and(|gate| !gate.is_open(talk.now)) {
                return Ok(true);
            }
            let Some(message) = stdin.advance() else { return Ok(false) };
            let is_valid = binary || escapes || stdin.is_text(&message);
            let piece = stdin.piece(message);
            if !is_valid {
                return Err(piece.not_utf8());
            }
            let payload = match escapes {
                true => &piece.unescaped(binary)?[..],
                false => piece.bytes,
            };
            talk.connection.send(Outgoing { opcode, payload, fragment });
            if let Some(gate) = gate {
                gate.sent(talk.now, || piece.named(kind));
            }
        }
        Ok(true)
    }

    /// All input was taken: closes at once, or sends the fence, or just waits.
    fn end_of_input(&mut self, talk: &mut Talk<'_>) {
        if self.end.is_some() || !talk.connection.is_open() {
            return;
        }
        let settings = &talk.context.settings;
        let fence = match settings.linger {
            Linger::For(Duration::ZERO) => {
                talk.connection.close_normally();
                None
            }
            // Some servers end the connection at a ping, and nobody waits for this pong.
            Linger::Forever => None,
            Linger::For(_) if !settings.fence => None,
            Linger::For(_) => Some(fence(talk)),
        };
        self.end = Some(EndOfInput { fence, at: talk.now });
        if let Some(gate) = &mut self.gate {
            gate.end();
        }
        self.tell_left_out(talk);
    }

    /// Says so where all messages of the input went the other way, as in a log of our own.
    fn tell_left_out(&mut self, talk: &mut Talk<'_>) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out == 0 || talk.connection.totals().messages_out > 0 {
            return;
        }
        let context = &mut *talk.context;
        let (direction, hint) = match context.settings.replay_out {
            true => ("in", Hint::NoReplayOut),
            false => ("out", Hint::ReplayOut),
        };
        let hint = (context.settings.words.hint)(&hint);
        let text = format!(
            "nothing was sent: {} of the input went \"{direction}\"; {hint}",
            Count(left_out, "message")
        );
        context.notice(Level::Warning, &text);
    }

    /// How long the silence after the end of the input lasts that ends the session.
    fn patience(&self, talk: &Talk<'_>) -> Option<Duration> {
        match (talk.context.settings.linger, &self.end.as_ref()?.fence) {
            (Linger::Forever, _) => None,
            (Linger::For(linger), Some(_)) => Some(linger.max(FENCE_PATIENCE)),
            (Linger::For(linger), None) => Some(linger),
        }
    }

    /// Whether the fence was sent and has no answer.
    fn waits_for_pong(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.fence.is_some())
    }

    /// When the silence after the end of the input has lasted long enough. Blocked output is no
    /// silence: what has arrived wasn't processed yet.
    fn silence_ends(&self, talk: &Talk<'_>) -> Option<Instant> {
        let end = self.end.as_ref().filter(|_| talk.connection.is_open())?;
        let patience = self.patience(talk)?;
        if talk.context.outside.views.are_congested() {
            return None;
        }
        Some(end.at.max(talk.connection.active_at()) + patience)
    }

    /// The session ends because nothing happens any more.
    fn close_in_silence(&mut self, lasted: Duration, talk: &mut Talk<'_>) {
        let sent = talk.connection.totals().messages_out > 0;
        self.silence = Some(Silence { lasted, sent, without_pong: self.waits_for_pong() });
        talk.connection.close_normally();
    }

    /// Says that a longer silence might have brought what is missing: as a hint of the failure, if
    /// that is what failed.
    fn tell_silence(&self, context: &mut Context, failure: Option<&mut Error>) {
        let Some(silence) = &self.silence else { return };
        let longer = (context.settings.words.hint)(&Hint::LongerSilence);
        match failure {
            Some(error) if error.exit == Exit::Expectation => error.hints.push(longer.into()),
            _ if silence.sent && context.past.received == 0 => {
                let pong = if silence.without_pong { ", not even a pong" } else { "" };
                let lasted = Took(silence.lasted);
                let text = format!("nothing came back in {lasted}{pong}; {longer}");
                context.notice(Level::Info, &text);
            }
            _ => {}
        }
    }
}

/// Sends a ping behind the last message; returns its payload.
fn fence(talk: &mut Talk<'_>) -> Vec<u8> {
    let mut random = [0; 4];
    connection::random(&mut random);
    let payload = format!("{FENCE}{:08x}", u32::from_ne_bytes(random)).into_bytes();
    talk.connection.ping(&payload);
    payload
}

impl Driver for Pipe {
    fn opened(&mut self) {
        self.first = 0;
        if let Some(gate) = &mut self.gate {
            gate.opened();
        }
        self.end = None;
        self.silence = None;
    }

    fn act(&mut self, talk: &mut Talk<'_>) {
        if let Err(error) = self.take_input(talk) {
            // Input before the error was sent and may still be answered; nothing after it is sent.
            talk.fail(error);
            self.stdin = None;
            self.end_of_input(talk);
        }
        let is_congested = talk.context.outside.views.are_congested();
        let gate = self.gate.as_mut().filter(|_| !is_congested);
        if let Some(gate) = gate
            && let Some(late) = gate.late(talk.now)
        {
            gate.end();
            talk.fail(late);
            self.stdin = None;
            self.end = Some(EndOfInput { fence: None, at: talk.now });
            talk.connection.close_normally();
        }
        if let Some(lasted) = self.patience(talk)
            && self.silence_ends(talk).is_some_and(|end| talk.now >= end)
        {
            self.close_in_silence(lasted, talk);
        }
    }

    fn see(&mut self, event: &Event<'_>, _views: &mut Views, now: Instant) {
        if let (Event::Pong { direction: Direction::In, payload, .. }, Some(end)) =
            (event, &mut self.end)
            && end.fence.take_if(|fence| fence == payload).is_some()
        {
            end.at = now;
        }
    }

    /// So that they pass the gate like the input.
    fn takes_first(&self, settings: &Settings) -> bool {
        settings.gate.holds() && self.gate.is_some()
    }

    fn watches_messages(&self) -> bool {
        self.gate.is_some()
    }

    fn see_message(&mut self, data: &Data<'_>, _views: &mut Views, _now: Instant) {
        if let Some(gate) = &mut self.gate {
            gate.see(data.bytes);
        }
    }

    fn source(&mut self, now: Instant) -> Option<&mut dyn Source> {
        let is_open = self.is_open(now);
        let stdin = self.stdin.as_mut().filter(|stdin| !stdin.is_at_end())?;
        // Behind a closed gate one read tells whether another message follows.
        if is_open || stdin.is_empty() { Some(stdin) } else { None }
    }

    fn deadline(&self, talk: &Talk<'_>) -> Option<Instant> {
        let is_congested = talk.context.outside.views.are_congested();
        match &self.gate {
            Some(gate) if self.end.is_none() && talk.connection.is_open() && !is_congested => {
                gate.deadline(talk.now)
            }
            _ => self.silence_ends(talk),
        }
    }

    fn may_answer(&self) -> bool {
        self.stdin.as_ref().is_some_and(|stdin| !stdin.is_exhausted())
    }

    fn has_sent_all(&self) -> bool {
        self.end.is_some()
    }

    fn ended(&mut self, context: &mut Context, outcome: Outcome) -> Then {
        let cut = self.gate.as_ref().and_then(Gate::cut);
        let outcome = match (outcome, cut) {
            (Outcome::Over(Over::Closed), Some(error)) if context.signalled.is_none() => {
                Outcome::Failed(error)
            }
            (outcome, _) => outcome,
        };
        Then::Leave(match outcome {
            Outcome::Over(over) => {
                self.tell_silence(context, None);
                Ok(over)
            }
            Outcome::Failed(mut error) | Outcome::GivenUp(mut error) => {
                self.tell_silence(context, Some(&mut error));
                if error.exit == Exit::Lost && self.waits_for_pong() {
                    error.hints.push((context.settings.words.hint)(&Hint::NoPing).into());
                }
                error.causes.extend(context.unsent_words());
                context.tell(&error);
                Err(error)
            }
        })
    }
}
