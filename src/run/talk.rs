//! An open connection of a run, and what a driver can do with it.

use std::time::{Duration, Instant};

use crate::connection::{Connection, Outgoing, Show, UnsentMessage};
use crate::error::Error;
use crate::event::{Event, Level, Sent};
use crate::protocol::close::Party;
use crate::protocol::frame::Opcode;
use crate::run::command::Command;
use crate::run::context::Context;
use crate::run::inflate::Inflater;
use crate::run::views::Views;

/// How long we wait for the peer's Close when a person leaves.
pub(super) const LEAVE_PATIENCE: Duration = Duration::from_millis(500);

/// How a connection ended without a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// As requested: the run is over.
    Done,
    /// The connection is over; at the prompt the run may go on.
    Closed,
}

/// An open connection of a run.
pub struct Talk<'a> {
    /// The run.
    pub(super) context: &'a mut Context,
    /// The connection.
    pub(super) connection: Connection,
    /// The time of this turn.
    pub(super) now: Instant,
    /// Messages received on this connection and those before it.
    pub(super) received: u64,
    /// Received messages are no longer shown: the run has all it wanted, or the person left.
    pub(super) muted: bool,
    /// `--count` or `--until` was met.
    pub(super) met: bool,
    pub(super) inflater: Inflater,
    pub(super) failure: Option<Error>,
    pub(super) leave: Option<Over>,
}

impl<'a> Talk<'a> {
    /// Starts on a connection that has just been opened.
    pub(super) fn new(context: &'a mut Context, connection: Connection) -> Talk<'a> {
        Talk {
            received: context.past.received,
            now: connection.opened_at(),
            context,
            connection,
            muted: false,
            met: false,
            inflater: Inflater::default(),
            failure: None,
            leave: None,
        }
    }

    /// Whether input can be taken: the connection is open and its queues have room.
    pub(super) fn has_room(&mut self) -> bool {
        self.connection.is_open() && self.connection.outbox().has_room()
    }

    /// Whether the person has left this connection.
    pub(super) fn is_left(&self) -> bool {
        self.leave.is_some()
    }

    /// Gives messages whole from now on, because they are looked at.
    pub(super) fn take_whole_messages(&mut self) {
        let show = Show { whole: true, ..self.views().show() };
        self.connection.show(show);
    }

    /// The views.
    pub(super) fn views(&mut self) -> &mut Views {
        &mut self.context.outside.views
    }

    /// Records a failure of our own; the first one counts.
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

    /// Executes a command that sends something, and shows what it sends; returns any other command.
    pub(super) fn send(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Line(text) => self.send_message(Opcode::Text, text.into_bytes(), None, true),
            Command::Message { opcode, payload, fragment } => {
                self.send_message(opcode, payload, fragment, false);
            }
            Command::Frame(spec) => {
                let (opcode, fragment) = (spec.opcode, None);
                let sent = sent(Outgoing { opcode, payload: &spec.payload, fragment });
                self.tell_sent(Sent { by_hand: true, ..sent });
                self.connection.send_frame(|fresh| spec.frame(fresh));
            }
            Command::Ping(payload) => {
                if self.queues(Opcode::Ping, &payload) {
                    self.connection.ping(&payload);
                }
            }
            Command::Pong(payload) => {
                if self.queues(Opcode::Pong, &payload) {
                    self.connection.pong(&payload);
                }
            }
            Command::Close(status) => {
                if self.queues(Opcode::Close, &status.encode()) {
                    self.connection.close(&status);
                }
            }
            other => return Some(other),
        }
        None
    }

    fn send_message(
        &mut self,
        opcode: Opcode,
        payload: Vec<u8>,
        fragment: Option<usize>,
        typed: bool,
    ) {
        let fragment = fragment.or(self.context.settings.fragment);
        if self.connection.is_open() {
            let message = Outgoing { opcode, payload: &payload, fragment };
            self.tell_sent(Sent { typed, ..sent(message) });
            self.connection.send(message);
        } else if self.context.settings.reconnect.is_some()
            && self.connection.first_to_close() == Some(Party::Peer)
        {
            let is_kept =
                self.connection.outbox().keep(UnsentMessage { opcode, payload, fragment });
            self.context.tell_kept(is_kept);
        } else {
            self.tell_closing();
        }
    }

    /// Whether a control frame can be sent: no frame may follow a Close frame (§5.5.1). Shows it.
    fn queues(&mut self, opcode: Opcode, payload: &[u8]) -> bool {
        let is_open = self.connection.is_open();
        match is_open {
            true => self.tell_sent(sent(Outgoing { opcode, payload, fragment: None })),
            false => self.tell_closing(),
        }
        is_open
    }

    fn tell_sent(&mut self, sent: Sent<'_>) {
        self.views().tell(&Event::Sent(sent));
    }

    fn tell_closing(&mut self) {
        let text = "the connection is closing: this was not sent";
        self.views().tell(&Event::Notice { level: Level::Warning, text });
    }
}

/// A message, as it is shown when it is queued.
pub(super) fn sent(message: Outgoing<'_>) -> Sent<'_> {
    let Outgoing { opcode, payload, fragment } = message;
    Sent { opcode, payload, fragment, by_hand: false, typed: false }
}
