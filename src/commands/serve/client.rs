//! One client of the server.

use std::time::Instant;

use crate::commands::serve::mode::{ModeState, outgoing};
use crate::commands::serve::options::ServeOptions;
use crate::connection::{Accepting, Connection, ListenOptions, Outgoing, Step};
use crate::event::{Event, Level};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::run::Source;
use crate::run::Views;
use crate::transport::Stream;

/// What all clients have in common.
pub(super) struct Shared<'a> {
    pub(super) options: &'a ServeOptions,
    pub(super) listen: &'a ListenOptions,
    pub(super) views: &'a mut Views,
    /// A message of a mode that sends on its own.
    pub(super) text: &'a mut Vec<u8>,
}

/// With this many bytes queued for a client, nothing more is read from it.
const MAX_QUEUED: usize = 64 << 20;

/// A client and its connection.
pub(super) struct ServedClient {
    id: u64,
    stage: Stage,
}

enum Stage {
    Accepting(Box<Accepting>),
    Open(Box<Connection>, ModeState),
    /// To be dropped.
    Over,
}

impl ServedClient {
    /// A client that has just connected.
    pub(super) fn new(
        id: u64,
        stream: Stream,
        listen: &ListenOptions,
        now: Instant,
    ) -> ServedClient {
        ServedClient { id, stage: Stage::Accepting(Box::new(Accepting::new(stream, listen, now))) }
    }

    /// Whether it can be dropped.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// What to wait for.
    pub(super) fn source(&mut self) -> Option<&mut dyn Source> {
        match &mut self.stage {
            Stage::Accepting(accepting) => Some(accepting.as_mut()),
            Stage::Open(connection, _) => Some(connection.as_mut()),
            Stage::Over => None,
        }
    }

    /// When it has something to send even if the socket is quiet.
    pub(super) fn timer(&mut self, now: Instant) -> Option<Instant> {
        let Stage::Open(connection, mode) = &mut self.stage else { return None };
        if !connection.is_open() || !connection.outbox().has_room() {
            return None;
        }
        if mode.has_more() { Some(now) } else { mode.timer() }
    }

    /// Processes its events; `others` receives messages for all other clients.
    pub(super) fn talk(
        &mut self,
        shared: &mut Shared<'_>,
        now: Instant,
        others: &mut dyn FnMut(Outgoing<'_>),
    ) {
        shared.views.set_client(Some(self.id));
        if let Stage::Accepting(_) = self.stage {
            self.accept(shared, now);
        }
        let Stage::Open(connection, mode) = &mut self.stage else { return };
        if connection.outbox().buffered() > 2 * MAX_QUEUED {
            let text = "reads too slowly for this chat";
            shared.views.tell(&Event::Notice { level: Level::Warning, text });
            connection.abort();
        }
        let truncate = shared.options.truncate;
        // Only a received Close changes it, and nothing is received after a Close.
        let open = connection.is_open();
        let mut room = connection.outbox().buffered() < MAX_QUEUED;
        while room
            && !shared.views.are_congested()
            && let Some((event, outbox)) = connection.next_with_outbox()
        {
            shared.views.tell(&event);
            if let (Event::Data(data), Some(outbox), true) = (event, outbox, open) {
                mode.receive(&data, outbox, truncate, others);
                room = outbox.buffered() < MAX_QUEUED;
            }
        }
        while connection.is_open()
            && connection.outbox().has_room()
            && let Some(opcode) = mode.next(now, shared.text)
        {
            connection.send(outgoing(opcode, shared.text, truncate));
        }
        if mode.is_over() && connection.is_open() {
            connection.close(&CloseStatus::new(CloseCode::NORMAL, ""));
        }
    }

    /// Sends a message of another client. A client that reads too slowly doesn't get it and is
    /// dropped.
    pub(super) fn deliver(&mut self, message: Outgoing<'_>) {
        if let Stage::Open(connection, _) = &mut self.stage
            && connection.is_open()
            && connection.outbox().buffered() <= 2 * MAX_QUEUED
        {
            connection.send(message);
        }
    }

    /// Writes what the socket accepts, and determines whether the client is gone.
    pub(super) fn flush(&mut self, shared: &mut Shared<'_>) {
        let Stage::Open(connection, mode) = &mut self.stage else { return };
        connection.flush();
        let full = connection.outbox().buffered() >= MAX_QUEUED;
        connection.pause(full || shared.views.are_congested());
        if let Some(closure) = connection.ended() {
            shared.views.set_client(Some(self.id));
            if let Some(text) = mode.sink_counts() {
                shared.views.tell(&Event::Notice { level: Level::Info, text: &text });
            }
            let totals = connection.totals();
            shared.views.tell(&Event::Closed { closure, totals: &totals, failed: false });
            self.stage = Stage::Over;
        }
    }

    /// Closes the connection because the server stops, by `end`.
    pub(super) fn stop(&mut self, end: Instant) {
        match &mut self.stage {
            Stage::Open(connection, _) => {
                connection.close(&CloseStatus::new(CloseCode::GOING_AWAY, "the server stops"));
                connection.give_up(end);
            }
            Stage::Accepting(_) => self.stage = Stage::Over,
            Stage::Over => {}
        }
    }

    fn accept(&mut self, shared: &mut Shared<'_>, now: Instant) {
        let Stage::Accepting(accepting) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return;
        };
        let Shared { views, listen, options, .. } = shared;
        self.stage = match accepting.next(listen, &mut |event| views.tell(&event)) {
            Step::Waiting(accepting) => Stage::Accepting(accepting),
            Step::Opened(connection) => Stage::Open(connection, ModeState::new(options, now)),
            Step::Over => Stage::Over,
        };
    }
}
