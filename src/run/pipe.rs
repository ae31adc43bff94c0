//! The driver for piped standard input: sends its messages or commands, then a fence, and closes
//! the connection after some silence.

use std::time::{Duration, Instant};

use crate::connection::{self, Outgoing};
use crate::error::Result;
use crate::event::Event;
use crate::protocol::connection::Direction;
use crate::protocol::frame::Opcode;
use crate::run::context::Context;
use crate::run::driver::{Driver, Outcome, Then};
use crate::run::input::{InputFormat, Stdin};
use crate::run::json;
use crate::run::settings::Linger;
use crate::run::talk::Talk;
use crate::run::turn::Source;
use crate::run::views::Views;

/// How long we wait for the fence's pong while nothing is received.
const FENCE_PATIENCE: Duration = Duration::from_secs(5);

/// Standard input as messages.
pub struct Pipe {
    /// `None` if nothing is read: reading failed, or was never wanted.
    stdin: Option<Stdin>,
    /// The input never ends.
    endless: bool,
    fence: Option<Fence>,
}

/// The ping sent after the last message of the input.
struct Fence {
    payload: Vec<u8>,
    answered: bool,
    /// When it was sent or answered.
    at: Instant,
}

impl Pipe {
    /// Sends standard input.
    pub fn new(stdin: Stdin) -> Pipe {
        Pipe { stdin: Some(stdin), endless: false, fence: None }
    }

    /// Sends nothing: the input has already ended.
    pub fn empty() -> Pipe {
        Pipe { stdin: None, endless: false, fence: None }
    }

    /// Sends nothing and never ends: for `--echo`.
    pub fn endless() -> Pipe {
        Pipe { stdin: None, endless: true, fence: None }
    }

    /// Takes input while there is room for it.
    fn take_input(&mut self, talk: &mut Talk<'_>) -> Result<()> {
        while talk.has_room() {
            let Some(stdin) = &mut self.stdin else { break };
            if let Some(error) = stdin.take_failure() {
                return Err(error);
            }
            if stdin.is_exhausted() {
                break;
            }
            let more = match stdin.format() {
                InputFormat::Json => take_command(stdin, talk)?,
                _ => take_messages(stdin, talk)?,
            };
            if !more {
                return Ok(());
            }
        }
        if self.stdin.as_ref().is_none_or(Stdin::is_exhausted) && !self.endless {
            self.end_of_input(talk);
        }
        Ok(())
    }

    /// All input was taken: sends the fence, or closes at once if there is nothing to wait for.
    fn end_of_input(&mut self, talk: &mut Talk<'_>) {
        if self.fence.is_some() || !talk.connection.is_open() {
            return;
        }
        let mut random = [0; 4];
        connection::random(&mut random);
        let payload = format!("end of input {:08x}", u32::from_ne_bytes(random)).into_bytes();
        if talk.context.settings.linger == Linger::For(Duration::ZERO) {
            talk.connection.close_normally();
        } else {
            talk.connection.ping(&payload);
        }
        self.fence = Some(Fence { payload, answered: false, at: talk.now });
    }
}

impl Driver for Pipe {
    fn opened(&mut self) {
        self.fence = None;
    }

    fn act(&mut self, talk: &mut Talk<'_>) {
        if let Err(error) = self.take_input(talk) {
            // Input before the error was sent and may still be answered; nothing after it is sent.
            talk.fail(error);
            self.stdin = None;
            self.end_of_input(talk);
        }
        if self.deadline(talk).is_some_and(|end| talk.now >= end) {
            talk.connection.close_normally();
        }
    }

    fn see(&mut self, event: &Event<'_>, _views: &mut Views, now: Instant) {
        if let (Event::Pong { direction: Direction::In, payload, .. }, Some(fence)) =
            (event, &mut self.fence)
            && fence.payload == *payload
        {
            fence.answered = true;
            fence.at = now;
        }
    }

    fn source(&mut self) -> Option<&mut dyn Source> {
        let stdin = self.stdin.as_mut().filter(|stdin| !stdin.is_at_end())?;
        Some(stdin)
    }

    /// When the silence after the end of the input has lasted long enough. Blocked output is no
    /// silence: what has arrived wasn't processed yet.
    fn deadline(&self, talk: &Talk<'_>) -> Option<Instant> {
        let fence = self.fence.as_ref().filter(|_| talk.connection.is_open())?;
        let Linger::For(linger) = talk.context.settings.linger else { return None };
        if talk.context.outside.views.are_congested() {
            return None;
        }
        let silence = if fence.answered { linger } else { linger.max(FENCE_PATIENCE) };
        Some(fence.at.max(talk.connection.active_at()) + silence)
    }

    fn may_answer(&self) -> bool {
        self.stdin.as_ref().is_some_and(|stdin| !stdin.is_exhausted())
    }

    fn has_sent_all(&self) -> bool {
        self.fence.is_some()
    }

    fn ended(&mut self, context: &mut Context, outcome: Outcome) -> Then {
        Then::Leave(match outcome {
            Outcome::Over(over) => Ok(over),
            Outcome::Failed(mut error) | Outcome::GivenUp(mut error) => {
                error.causes.extend(context.unsent_words());
                context.tell(&error);
                Err(error)
            }
        })
    }
}

/// Takes a command from the input; false if none is complete yet.
fn take_command(stdin: &mut Stdin, talk: &mut Talk<'_>) -> Result<bool> {
    let Some(piece) = stdin.next_piece() else { return Ok(false) };
    if let Some(command) = json::command(&piece)? {
        talk.send(command);
    }
    Ok(true)
}

/// Takes messages from the input while there is room; false if no other is complete yet.
fn take_messages(stdin: &mut Stdin, talk: &mut Talk<'_>) -> Result<bool> {
    let settings = &talk.context.settings;
    let (binary, fragment) = (settings.binary, settings.fragment);
    let opcode = if binary { Opcode::Binary } else { Opcode::Text };
    while talk.connection.outbox().has_room() {
        let Some(message) = stdin.advance() else { return Ok(false) };
        let is_valid = binary || stdin.is_text(&message);
        let piece = stdin.piece(message);
        if !is_valid {
            return Err(piece.not_utf8());
        }
        talk.connection.send(Outgoing { opcode, payload: piece.bytes, fragment });
    }
    Ok(true)
}
