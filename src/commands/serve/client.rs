//! One client of the server, from its first byte to its last.

use std::fmt;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustls::ServerConfig;
use tungstenite::Message;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

use crate::commands::serve::ServeOptions;
use crate::commands::serve::activity::Activity;
use crate::commands::serve::link::{Link, Wire};
use crate::commands::serve::log::Log;
use crate::commands::serve::upgrade::{self, Answer};
use crate::text::Untrusted;

/// What all clients have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: ServeOptions,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) log: Log,
}

/// The largest message that is taken.
const MAX_MESSAGE: usize = 512 << 20;

/// As much may wait for a client that doesn't read; then nothing more is read from it.
const MAX_QUEUED: usize = 64 << 20;

/// Time for TLS and the request.
const OPENING_TIME: Duration = Duration::from_secs(10);

/// Time for the answer to our Close; what is still in the client's buffers comes before it.
const CLOSING_TIME: Duration = Duration::from_secs(60);

/// Once everything is said, a client that neither takes bytes nor hangs up is dropped after this.
const LEAVING_TIME: Duration = Duration::from_secs(10);

/// A connection and where it is in its life.
#[derive(Debug)]
pub(super) struct Client {
    id: u64,
    link: Link,
    wire: Wire,
    phase: Phase,
    /// When the present phase has taken too long.
    until: Option<Instant>,
}

#[derive(Debug)]
enum Phase {
    /// The request's head is coming.
    Opening,
    /// WebSocket.
    Open(Box<Open>),
    /// Nothing will be added to what is queued for the client.
    Leaving {
        /// Whether the end of our bytes was sent.
        finished: bool,
    },
    /// To be dropped.
    Done,
}

#[derive(Debug)]
struct Open {
    context: WebSocketContext,
    activity: Activity,
}

impl Client {
    /// Takes a connection that was just accepted.
    pub(super) fn new(
        id: u64,
        socket: TcpStream,
        shared: &Shared,
        now: Instant,
    ) -> std::io::Result<Client> {
        Ok(Client {
            id,
            link: Link::new(socket, shared.tls.as_ref())?,
            wire: Wire::default(),
            phase: Phase::Opening,
            until: Some(now + OPENING_TIME),
        })
    }

    /// To poll it.
    pub(super) fn socket(&self) -> &TcpStream {
        self.link.socket()
    }

    /// What to poll for.
    pub(super) fn interest(&self) -> PollFlags {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, !self.wire.ended && self.wire.outgoing.len() < MAX_QUEUED);
        let sending = !self.wire.outgoing.is_empty() || self.link.is_sending();
        interest.set(PollFlags::OUT, sending || self.wants_to_send());
        interest
    }

    /// When it needs a turn even if the socket is quiet.
    pub(super) fn timer(&self) -> Option<Instant> {
        let activity = match &self.phase {
            Phase::Open(open) if open.context.can_write() && self.has_room() => {
                open.activity.timer()
            }
            _ => None,
        };
        self.until.into_iter().chain(activity).min()
    }

    /// Whether it can be dropped.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Moves bytes and acts on them. Messages for everybody go to `broadcast`.
    pub(super) fn turn(
        &mut self,
        shared: &Shared,
        ready: PollFlags,
        scratch: &mut [u8],
        now: Instant,
        broadcast: &mut Vec<Message>,
    ) {
        if self.until.is_some_and(|until| until <= now) {
            let what = match self.phase {
                Phase::Opening => "sent no request in time",
                Phase::Open(_) => "didn't answer the Close in time",
                Phase::Leaving { .. } | Phase::Done => "didn't hang up in time",
            };
            return self.drop_for(shared, format_args!("{what}"));
        }
        if !ready.difference(PollFlags::OUT).is_empty()
            && let Err(error) = self.link.receive(scratch, &mut self.wire)
        {
            let error = error.to_string();
            // There may be an alert to send.
            self.link.finish();
            return self.drop_for(shared, format_args!("{}", Untrusted::text(&error)));
        }
        if matches!(self.phase, Phase::Opening) {
            self.open(shared, now);
        }
        if matches!(self.phase, Phase::Open(_)) {
            self.talk(shared, now, broadcast);
        }
        if let Phase::Leaving { .. } = self.phase {
            self.wire.incoming.take(self.wire.incoming.len());
        }
        self.transmit(shared, now);
    }

    /// Sends messages that came from another client, or from this one.
    pub(super) fn deliver(&mut self, shared: &Shared, messages: &[Message], now: Instant) {
        let Phase::Open(open) = &mut self.phase else { return };
        if self.wire.outgoing.len() > 2 * MAX_QUEUED {
            return self.drop_for(shared, format_args!("reads too slowly for this chat"));
        }
        for message in messages {
            send(self.id, &mut open.context, &mut self.wire, message.clone(), shared);
        }
        self.transmit(shared, now);
    }

    /// Says goodbye because the server stops.
    pub(super) fn stop(&mut self, shared: &Shared, now: Instant) {
        match &mut self.phase {
            Phase::Open(open) => {
                close(&mut open.context, &mut self.wire, CloseCode::Away, "the server stops");
                self.transmit(shared, now);
            }
            Phase::Opening => self.phase = Phase::Done,
            Phase::Leaving { .. } | Phase::Done => {}
        }
    }

    fn open(&mut self, shared: &Shared, now: Instant) {
        let log = &shared.log;
        let head = self.wire.incoming.bytes();
        let Some(answer) = upgrade::answer(head, &shared.options) else {
            if self.wire.ended {
                let what = "hung up before the end of its request";
                self.drop_for(shared, format_args!("{what}"));
            }
            return;
        };
        match answer {
            Answer::Accepted { response, head_len, subprotocol } => {
                log.head(self.id, '<', head.get(..head_len).unwrap_or_default());
                log.head(self.id, '>', &response);
                let chosen = subprotocol.as_deref().unwrap_or("no subprotocol");
                log.detail(1, format_args!("#{} open: {}", self.id, Untrusted::text(chosen)));
                self.wire.incoming.take(head_len);
                self.wire.outgoing.push(&response);
                let config = WebSocketConfig::default()
                    // tungstenite clears that much before each read, so more would cost time.
                    .read_buffer_size(16 << 10)
                    // What is written goes to the wire's queue, which is buffer enough.
                    .write_buffer_size(0)
                    .max_message_size(Some(MAX_MESSAGE))
                    .max_frame_size(Some(MAX_MESSAGE));
                let context = WebSocketContext::new(Role::Server, Some(config));
                let activity = Activity::new(&shared.options, now);
                self.phase = Phase::Open(Box::new(Open { context, activity }));
                self.until = None;
            }
            Answer::Refused { response, why } => {
                log.head(self.id, '<', head);
                log.head(self.id, '>', &response);
                log.line(format_args!("#{} refused, {why}", self.id));
                self.wire.outgoing.push(&response);
                self.leave(now);
            }
        }
    }

    /// Lets tungstenite read what has come, and acts on it.
    fn talk(&mut self, shared: &Shared, now: Instant, broadcast: &mut Vec<Message>) {
        let Client { id, wire, phase: Phase::Open(open), .. } = self else { return };
        let Open { context, activity } = open.as_mut();
        let error = loop {
            match context.read(wire) {
                Ok(message) => {
                    log_message(&shared.log, *id, '<', &message);
                    if let Some(reply) = activity.receive(message, broadcast) {
                        send(*id, context, wire, reply, shared);
                    }
                }
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    break None;
                }
                Err(error) => break Some(error),
            }
        };
        if let Some(error) = error {
            return self.end(shared, &error, now);
        }
        while wire.outgoing.len() < ENOUGH_QUEUED && context.can_write() {
            match activity.next(now) {
                Some(message) => send(*id, context, wire, message, shared),
                None => break,
            }
        }
        if activity.is_over() && context.can_write() {
            close(context, wire, CloseCode::Normal, "");
        }
        if !context.can_write() && self.until.is_none() {
            self.until = Some(now + CLOSING_TIME);
        }
    }

    /// Ends an open connection: `error` says how it came to that.
    fn end(&mut self, shared: &Shared, error: &tungstenite::Error, now: Instant) {
        let Phase::Open(open) = &mut self.phase else { return };
        let id = self.id;
        if let Some(counts) = open.activity.counts() {
            shared.log.line(format_args!("#{id} {counts}"));
        }
        // tungstenite leaves it to its user to say why a connection is failed (RFC 6455 §7.1.7).
        let code = match error {
            tungstenite::Error::ConnectionClosed => None,
            tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            tungstenite::Error::Protocol(_) => Some(CloseCode::Protocol),
            tungstenite::Error::Utf8(_) => Some(CloseCode::Invalid),
            tungstenite::Error::Capacity(_) => Some(CloseCode::Size),
            _ => None,
        };
        let why = error.to_string();
        if let Some(code) = code {
            close(&mut open.context, &mut self.wire, code, "");
        }
        match error {
            tungstenite::Error::ConnectionClosed => {
                shared.log.detail(1, format_args!("#{id} closed"));
            }
            _ => shared.log.line(format_args!("#{id} {}", Untrusted::text(&why))),
        }
        self.leave(now);
    }

    fn leave(&mut self, now: Instant) {
        self.phase = Phase::Leaving { finished: false };
        self.until = Some(now + LEAVING_TIME);
    }

    fn transmit(&mut self, shared: &Shared, now: Instant) {
        let sent = match self.link.transmit(&mut self.wire) {
            Ok(sent) => sent,
            Err(error) => return self.drop_for(shared, format_args!("{error}")),
        };
        let Phase::Leaving { finished } = &mut self.phase else { return };
        if sent > 0 {
            self.until = Some(now + LEAVING_TIME);
        }
        if self.wire.outgoing.is_empty() && !self.link.is_sending() {
            if !*finished {
                self.link.finish();
                *finished = true;
            }
            // Hanging up before the client does could destroy what it hasn't read yet.
            if self.wire.ended {
                self.phase = Phase::Done;
            }
        }
    }

    fn drop_for(&mut self, shared: &Shared, why: fmt::Arguments<'_>) {
        if matches!(self.phase, Phase::Leaving { .. }) {
            shared.log.detail(1, format_args!("#{} {why}", self.id));
        } else {
            shared.log.line(format_args!("#{} {why}", self.id));
        }
        self.phase = Phase::Done;
    }

    /// Whether a mode that sends on its own may go on; else it waits until the client has read.
    fn has_room(&self) -> bool {
        self.wire.outgoing.len() < ENOUGH_QUEUED
    }

    fn wants_to_send(&self) -> bool {
        match &self.phase {
            Phase::Open(open) => open.context.can_write() && open.activity.has_more(),
            _ => false,
        }
    }
}

/// Modes that send on their own stop at this many bytes until the client has read some.
const ENOUGH_QUEUED: usize = 1 << 20;

/// Queues a message; after a Close nothing may follow, so it is dropped then.
fn send(id: u64, context: &mut WebSocketContext, wire: &mut Wire, message: Message, all: &Shared) {
    if !context.can_write() {
        return;
    }
    let message = match all.options.truncate {
        Some(limit) => truncate(message, limit),
        None => message,
    };
    log_message(&all.log, id, '>', &message);
    // The wire takes everything, and whether writing is allowed was asked above.
    let _ = context.write(wire, message);
}

/// Queues a Close, unless there was one.
fn close(context: &mut WebSocketContext, wire: &mut Wire, code: CloseCode, reason: &'static str) {
    // As with messages, the wire takes everything.
    let _ = context.close(wire, Some(CloseFrame { code, reason: reason.into() }));
}

/// Cuts a message to so many bytes, text at a character's boundary.
fn truncate(message: Message, limit: usize) -> Message {
    match message {
        Message::Text(text) if text.len() > limit => {
            let end = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            Message::text(text.get(..end).unwrap_or_default())
        }
        Message::Binary(bytes) if bytes.len() > limit => Message::Binary(bytes.slice(..limit)),
        message => message,
    }
}

fn log_message(log: &Log, id: u64, mark: char, message: &Message) {
    const SHOWN: usize = 100;
    if log.verbose < if message.is_close() { 1 } else { 2 } {
        return;
    }
    let (name, bytes): (_, &[u8]) = match message {
        Message::Text(text) => ("text", text.as_bytes()),
        Message::Binary(bytes) => ("binary", bytes),
        Message::Ping(bytes) => ("ping", bytes),
        Message::Pong(bytes) => ("pong", bytes),
        Message::Close(None) => ("close without code", b""),
        Message::Close(Some(frame)) => {
            let (code, reason) = (u16::from(frame.code), Untrusted::text(&frame.reason));
            return log.line(format_args!("#{id} {mark} close {code} {reason}"));
        }
        Message::Frame(_) => return,
    };
    let (len, start) = (bytes.len(), bytes.get(..SHOWN).unwrap_or(bytes));
    let more = if len > SHOWN { "…" } else { "" };
    log.line(format_args!("#{id} {mark} {name}, {len} bytes: {}{more}", Untrusted(start)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_keeps_characters_whole() {
        for (limit, cut) in [(0, ""), (1, "a"), (2, "a"), (3, "aé"), (4, "aéz"), (9, "aéz")] {
            assert_eq!(truncate(Message::text("aéz"), limit), Message::text(cut), "{limit}");
        }
        assert_eq!(truncate(Message::binary(vec![1, 2, 3]), 2), Message::binary(vec![1, 2]));
    }
}
