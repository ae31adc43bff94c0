//! The driver for piped standard input: sends its messages or commands, then a fence, and closes
//! the connection after some silence. Where silence ends nothing, there is no fence either.

use std::time::{Duration, Instant};

use crate::connection::{self, Outgoing};
use crate::error::{Error, Exit, Hint, Result};
use crate::event::{Event, Level};
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
use crate::sys;
use crate::text::units::Took;

/// How long we wait for the fence's pong while nothing is received.
const FENCE_PATIENCE: Duration = Duration::from_secs(5);

/// Standard input as messages.
pub struct Pipe {
    /// `None` if nothing is read: reading failed, or was never wanted.
    stdin: Option<Stdin>,
    /// The input never ends.
    endless: bool,
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
    pub fn new(stdin: Stdin) -> Pipe {
        Pipe { stdin: Some(stdin), endless: false, end: None, silence: None }
    }

    /// Sends nothing: the input has already ended.
    pub fn empty() -> Pipe {
        sys::release_stdin();
        Pipe { stdin: None, endless: false, end: None, silence: None }
    }

    /// Sends nothing and never ends: for `--echo`.
    pub fn endless() -> Pipe {
        sys::release_stdin();
        Pipe { stdin: None, endless: true, end: None, silence: None }
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
    let payload = format!("end of input {:08x}", u32::from_ne_bytes(random)).into_bytes();
    talk.connection.ping(&payload);
    payload
}

impl Driver for Pipe {
    fn opened(&mut self) {
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
        if let Some(lasted) = self.patience(talk)
            && self.deadline(talk).is_some_and(|end| talk.now >= end)
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

    fn source(&mut self) -> Option<&mut dyn Source> {
        let stdin = self.stdin.as_mut().filter(|stdin| !stdin.is_at_end())?;
        Some(stdin)
    }

    /// When the silence after the end of the input has lasted long enough. Blocked output is no
    /// silence: what has arrived wasn't processed yet.
    fn deadline(&self, talk: &Talk<'_>) -> Option<Instant> {
        let end = self.end.as_ref().filter(|_| talk.connection.is_open())?;
        let patience = self.patience(talk)?;
        if talk.context.outside.views.are_congested() {
            return None;
        }
        Some(end.at.max(talk.connection.active_at()) + patience)
    }

    fn may_answer(&self) -> bool {
        self.stdin.as_ref().is_some_and(|stdin| !stdin.is_exhausted())
    }

    fn has_sent_all(&self) -> bool {
        self.end.is_some()
    }

    fn ended(&mut self, context: &mut Context, outcome: Outcome) -> Then {
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
    let (binary, escapes, fragment) = (settings.binary, settings.escapes, settings.fragment);
    let opcode = if binary { Opcode::Binary } else { Opcode::Text };
    while talk.connection.outbox().has_room() {
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
    }
    Ok(true)
}
