//! An open WebSocket connection as an object with any owner, and how it is opened.
//!
//! [`Connection::open`] does everything: name, TCP, proxy, TLS, request, login, redirects,
//! response. It is the only function of this room that waits; a deadline or [`Progress`] ends it.
//! The [`Connection`] that it returns never waits: its owner polls [`Connection::fd`], perhaps
//! among many others, and passes on what is ready. [`Accepting`] is the server's counterpart; it
//! never waits either.
//!
//! ```no_run
//! use std::time::{Duration, Instant};
//! use rustix::event::{PollFd, PollFlags};
//! use wstap::connection::{Connection, OpenOptions, Outgoing, WireOptions};
//! use wstap::event::Event;
//! use wstap::protocol::{close::CloseStatus, frame::Opcode};
//! use wstap::sys;
//! use wstap::transport::{Quiet, Target};
//!
//! let (target, _) = Target::parse("ws://localhost:8080/")?;
//! let (options, wire) = (OpenOptions::new(target), WireOptions::default());
//! let deadline = Instant::now() + Duration::from_secs(10);
//! let mut connection = Connection::open(&options, &wire, &mut None, &mut Quiet, deadline)?;
//! connection.send(Outgoing { opcode: Opcode::Text, payload: b"hello", fragment: None });
//! while connection.ended().is_none() {
//!     connection.flush();
//!     let (interest, until) = (connection.interest(), connection.deadline());
//!     let mut fds = [PollFd::from_borrowed_fd(connection.fd(), interest)];
//!     sys::wait(&mut fds, until);
//!     let ready = fds[0].revents();
//!     connection.ready(ready, Instant::now());
//!     let mut answered = false;
//!     while let Some(event) = connection.next() {
//!         if let Event::Data(data) = event {
//!             answered |= data.last;
//!         }
//!     }
//!     if answered {
//!         connection.close(&CloseStatus::default());
//!     }
//! }
//! # Ok::<(), wstap::error::Error>(())
//! ```

mod accept;
mod body;
mod closing;
mod cookies;
mod facts;
mod liveness;
mod login;
mod netrc;
mod open;
mod options;
mod outbox;
mod random;
mod route;
mod unsent;
mod why;

use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use crate::connection::closing::{Activity, Closing};
use crate::connection::facts::FIRST_BYTES;
use crate::connection::liveness::Liveness;
use crate::error::Result;
use crate::event::{Event, TlsInfo, Totals};
use crate::protocol::close::{CloseStatus, Closure, End, Party};
use crate::protocol::connection::{Config, RawFrame, ReadyState, Receiver, Sender, Side, Traffic};
use crate::protocol::deflate::Params;
use crate::protocol::frame::Opcode;
use crate::protocol::violation::Policy;
use crate::text::system::reason;
use crate::text::units::Count;
use crate::transport::{self, Progress, Stream};

pub use crate::connection::accept::{Accepting, ListenOptions, Step};
pub use crate::connection::closing::CLOSE_PATIENCE;
pub use crate::connection::cookies::CookieFile;
pub use crate::connection::facts::{Facts, Fault, Opened};
pub use crate::connection::liveness::KEEPALIVE;
pub use crate::connection::login::{Login, LoginScheme};
pub use crate::connection::netrc::Netrc;
pub use crate::connection::open::{Upgraded, open as open_stream};
pub use crate::connection::options::{OpenOptions, Show, WireOptions};
pub use crate::connection::outbox::{MessageId, Outbox, Outgoing};
pub use crate::connection::random::fill as random;
pub use crate::connection::route::{Route, set_header};
pub use crate::connection::unsent::{Unsent, UnsentMessage};

/// An open WebSocket connection. It never waits: its owner polls [`Connection::fd`].
///
/// # The order of calls
/// Each turn of its owner's loop goes:
///
/// 1. [`next`](Connection::next) until it returns `None`: every event, received or sent, in order.
///    An owner that can take no more events calls [`pause`](Connection::pause) instead and leaves
///    the others for a later turn; the socket isn't read meanwhile.
/// 2. [`send`](Connection::send), [`ping`](Connection::ping), [`close`](Connection::close) and so
///    on, as often as needed, while [`Outbox::has_room`]. They only queue and never fail; the next
///    calls of `next` return what was queued as events.
/// 3. [`flush`](Connection::flush), which writes what the stream accepts.
/// 4. If [`ended`](Connection::ended) is `Some`, the connection is over and can be dropped.
/// 5. Poll [`fd`](Connection::fd) for [`interest`](Connection::interest) (leave it out if that is
///    empty) until [`deadline`](Connection::deadline), then call [`ready`](Connection::ready) with
///    the result, even if it is empty.
///
/// Two connections in one loop are just two descriptors in step 5.
#[derive(Debug)]
pub struct Connection {
    side: Side,
    stream: Stream,
    receiver: Receiver,
    outbox: Outbox,
    liveness: Liveness,
    closing: Closing,
    received: Totals,
    opened: Box<Opened>,
    opened_at: Instant,
    /// The time of the last [`Connection::ready`].
    now: Instant,
    /// When message data last moved; control frames don't count.
    active_at: Instant,
    /// When bytes last moved, of control frames too.
    moved_at: Instant,
    /// The first bytes of the peer's frames, to say why it failed.
    first: Vec<u8>,
    /// What the wire options say that findings depend on: pongs are sent, pings are.
    liveness_options: (bool, Option<Duration>),
    /// Delay between the last message and the Close frame that fails the connection, so that
    /// answers in flight still go out.
    answer_patience: Duration,
    /// The owner takes no events for now.
    paused: bool,
    /// Every event of the bytes received so far was taken.
    caught_up: bool,
    /// The status of our Close frame, unless the owner gives another.
    close_status: CloseStatus,
    fault: Option<Fault>,
    /// We are the server, and the client has ended its direction while we still have bytes to send.
    half_closed: bool,
    /// We are the server and have ended our direction, after the last frame.
    hung_up: bool,
    end: Option<End>,
    closure: Option<Closure>,
}

impl Connection {
    /// The server's side of a connection; see [`Accepting`].
    fn accepted(
        stream: Stream,
        wire: &WireOptions,
        (policy, deflate): (Policy, Option<Params>),
        early: &[u8],
        opened: Opened,
    ) -> Connection {
        let config = wire.config(Side::Server, deflate, policy);
        Connection::new(stream, &config, wire, early, opened)
    }

    /// Opens a connection, with redirects and logins if needed. Waits until `deadline` at most.
    ///
    /// # Errors
    /// Why it could not be opened: exits 2 to 9, 11 and 12, and the error of `progress` if that
    /// interrupts the opening.
    pub fn open(
        options: &OpenOptions,
        wire: &WireOptions,
        jar: &mut Option<CookieFile>,
        progress: &mut dyn Progress,
        deadline: Instant,
    ) -> Result<Connection> {
        let Upgraded { stream, early, report, opened, .. } =
            open::open(options, jar, progress, deadline)?;
        let config = wire.config(Side::Client, report.deflate, options.policy);
        let connection = Connection::new(stream, &config, wire, &early, opened);
        progress.event(Event::Opened { opening: &connection.opened.opening });
        Ok(connection)
    }

    fn new(
        stream: Stream,
        config: &Config,
        wire: &WireOptions,
        early: &[u8],
        opened: Opened,
    ) -> Connection {
        let now = Instant::now();
        let mut sender = Sender::new(config, random::masking());
        sender.show(wire.show.sent, wire.show.frames || wire.show.frame_payloads);
        Connection {
            side: config.side,
            stream,
            receiver: Receiver::new(*config, early),
            outbox: Outbox::new(sender),
            liveness: Liveness::new(wire.ping_interval, wire.ping_timeout, now),
            closing: Closing::default(),
            received: Totals::default(),
            opened: Box::new(opened),
            opened_at: now,
            now,
            active_at: now,
            moved_at: now,
            first: early.iter().copied().take(FIRST_BYTES).collect(),
            liveness_options: (wire.pong, wire.ping_interval),
            answer_patience: Duration::ZERO,
            paused: false,
            caught_up: false,
            close_status: wire.close.clone(),
            fault: None,
            half_closed: false,
            hung_up: false,
            end: None,
            closure: None,
        }
    }

    /// Queues what earlier connections have not sent; see [`Connection::take_unsent`].
    pub fn resume(&mut self, unsent: Unsent) {
        self.outbox.resume(unsent);
    }

    /// The descriptor to poll.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.fd()
    }

    /// What to poll for; empty if the descriptor doesn't matter now, not even its hang-up.
    pub fn interest(&self) -> PollFlags {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, self.reads());
        interest.set(PollFlags::OUT, self.writes());
        interest
    }

    /// When to call [`Connection::ready`] even if the descriptor is quiet. It is in the past if
    /// something is pending that poll can't see.
    pub fn deadline(&self) -> Option<Instant> {
        let untaken = !self.caught_up || self.outbox.sender.has_news();
        if !self.paused && (untaken || self.reads() && self.stream.has_buffered()) {
            return Some(self.now);
        }
        if self.end.is_some() || self.closure.is_some() {
            return None;
        }
        let alive = self.liveness.deadline().filter(|_| self.is_open());
        let half_closed = self.half_closed.then(|| self.active_at + CLOSE_PATIENCE);
        let closing = self.closing.deadline(self.activity());
        [closing, alive, half_closed].into_iter().flatten().min()
    }

    /// Reads if the descriptor is readable, and does what is due at `now`.
    pub fn ready(&mut self, revents: PollFlags, now: Instant) {
        self.now = now;
        let readable = !revents.difference(PollFlags::OUT).is_empty();
        if self.reads() && (readable || self.stream.has_buffered()) {
            self.read();
        }
        self.tick();
    }

    /// The next event, received or sent; `None` until the next [`Connection::ready`], or until
    /// something is queued.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator can't lend what it holds")]
    pub fn next(&mut self) -> Option<Event<'_>> {
        self.next_with_outbox().map(|(event, _)| event)
    }

    /// As [`Connection::next`]; a received event comes with the outbox, to answer it at once.
    #[inline(always)]
    pub fn next_with_outbox(&mut self) -> Option<(Event<'_>, Option<&mut Outbox>)> {
        if self.outbox.sender.has_news() {
            let first = self.first_to_close().unwrap_or(Party::Us);
            return self.outbox.next().map(|traffic| (sent(traffic, first), None));
        }
        let Some(traffic) = self.receiver.next(&mut self.outbox.sender) else {
            self.caught_up = true;
            return None;
        };
        let event = match traffic {
            Traffic::Data(data) => {
                self.received.count(&data);
                self.active_at = self.now;
                Event::Data(data)
            }
            Traffic::Frame(frame) => Event::Frame(frame),
            Traffic::FramePayload(payload) => Event::FramePayload(payload),
            Traffic::Ping { direction, payload } => {
                self.received.pings_in += 1;
                Event::Ping { direction, payload }
            }
            Traffic::Pong { direction, payload } => {
                self.received.pongs_in += 1;
                let rtt = self.liveness.answered(payload, self.now);
                Event::Pong { direction, payload, rtt }
            }
            Traffic::Close { direction, status } => {
                self.closing.begin(Party::Peer, self.now);
                let first = self.closing.first().map_or(Party::Peer, |(party, _)| party);
                Event::Close { direction, status, first }
            }
            Traffic::Warning(violation) => Event::Violation { violation, fatal: false },
            Traffic::Violation(violation) => {
                self.fault.get_or_insert_with(|| Fault::Violation(violation.clone()));
                let due =
                    answers_until(&self.received, self.active_at, self.answer_patience, self.now);
                self.closing.fail(violation.close_status(), due);
                Event::Violation { violation, fatal: true }
            }
            Traffic::Limit(limit) => {
                self.fault.get_or_insert(Fault::Limit(limit));
                let due =
                    answers_until(&self.received, self.active_at, self.answer_patience, self.now);
                self.closing.fail(limit.close_status(), due);
                Event::Limit(limit)
            }
        };
        Some((event, Some(&mut self.outbox)))
    }

    /// The sending half.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Queues a data message; see [`Outbox::send`].
    #[inline(always)]
    pub fn send(&mut self, message: Outgoing<'_>) -> MessageId {
        self.outbox.send(message)
    }

    /// Queues a frame as it is, even if it breaks the protocol. A Close frame begins the closing
    /// handshake. `frame` can ask its argument for a fresh masking key.
    pub fn send_frame(&mut self, frame: impl FnOnce(&mut dyn FnMut() -> [u8; 4]) -> RawFrame) {
        let frame = frame(&mut || self.outbox.sender.masking_key());
        self.outbox.send_frame(&frame);
        if frame.header.opcode == Opcode::Ping {
            self.liveness.probed(&frame.payload, Instant::now());
        }
        if self.outbox.sender.close_sent().is_some() {
            self.closing.begin(Party::Us, self.now);
        }
    }

    /// Queues bytes as they are, frames or not.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.outbox.sender.raw_bytes(bytes);
    }

    /// Queues a ping (§5.5.2); the payload is cut to 125 bytes.
    pub fn ping(&mut self, payload: &[u8]) {
        let payload = payload.get(..125).unwrap_or(payload);
        self.outbox.sender.ping(payload);
        // Not the turn's time, or what was done before in this turn would be part of the round trip.
        self.liveness.pinged(payload, Instant::now());
    }

    /// Changes how often a ping is sent, and how long it may stay unanswered; `None` for never and
    /// forever.
    pub fn set_pings(&mut self, interval: Option<Duration>, timeout: Option<Duration>) {
        self.liveness.set(interval, timeout, Instant::now());
    }

    /// Queues an unsolicited pong (§5.5.3); the payload is cut to 125 bytes.
    pub fn pong(&mut self, payload: &[u8]) {
        self.outbox.sender.pong(payload);
    }

    /// Begins the closing handshake (§7.1.2), or answers the peer's. A second Close is never sent.
    pub fn close(&mut self, status: &CloseStatus) {
        self.closing.begin(Party::Us, self.now);
        self.outbox.sender.close(status);
    }

    /// Closes with the status of [`WireOptions::close`].
    pub fn close_normally(&mut self) {
        self.close(&self.close_status.clone());
    }

    /// Closes the stream at `at` or earlier, whatever the peer does. Only after a Close frame.
    pub fn give_up(&mut self, at: Instant) {
        self.closing.give_up(at);
    }

    /// Closes the stream without waiting for anything.
    pub fn abort(&mut self) {
        self.end.get_or_insert(End::Local);
    }

    /// Sets whether the owner takes no events for now. A paused connection isn't read, and the
    /// peer's silence doesn't end it, because the cause may be on our side.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Delay between the last message received and the Close frame that fails the connection, so
    /// that answers in flight still go out; zero by default.
    pub fn set_answer_patience(&mut self, patience: Duration) {
        self.answer_patience = patience;
    }

    /// Changes which events [`Connection::next`] returns from now on.
    pub fn show(&mut self, show: Show) {
        self.receiver.show(show.frames, show.frame_payloads);
        self.outbox.sender.show(show.sent, show.frames || show.frame_payloads);
    }

    /// Writes what the stream accepts now, and determines whether the connection is over.
    pub fn flush(&mut self) {
        self.write();
        // What was written may have made room for the pong, and nothing else might call again.
        if self.end.is_none() && self.outbox.sender.settle() {
            self.write();
        }
        self.outbox.note_transmitted();
        if self.side == Side::Server {
            self.hang_up();
        }
        if self.closure.is_none() && self.caught_up && !self.outbox.sender.has_news() {
            self.closure = self.end.take().map(|end| self.finish(end));
        }
    }

    /// How it ended, once it has ended and every event was taken.
    pub fn ended(&self) -> Option<&Closure> {
        self.closure.as_ref()
    }

    /// What made us fail it, if anything did.
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// readyState: Open until a Close frame was sent or received.
    pub fn state(&self) -> ReadyState {
        if self.end.is_some() || self.closure.is_some() || self.half_closed {
            return ReadyState::Closed;
        }
        let sender = &self.outbox.sender;
        match sender.close_sent().is_some() || self.receiver.close_received().is_some() {
            true => ReadyState::Closing,
            false => ReadyState::Open,
        }
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.state() == ReadyState::Open
    }

    /// Who sent the first Close frame, if there was one.
    pub fn first_to_close(&self) -> Option<Party> {
        self.closing.first().map(|(party, _)| party)
    }

    /// The peer's Close frame, if it came.
    pub fn close_received(&self) -> Option<&CloseStatus> {
        self.receiver.close_received()
    }

    /// When message data last moved.
    pub fn active_at(&self) -> Instant {
        self.active_at
    }

    /// When it opened.
    pub fn opened_at(&self) -> Instant {
        self.opened_at
    }

    /// The position in the peer's bytes, for "the connection was lost in …".
    pub fn position(&self) -> String {
        let position = self.receiver.position();
        match self.receiver.unfinished() {
            0 => position,
            size => format!("{position}, {} of the message so far", Count(size, "byte")),
        }
    }

    /// Whether a received message is incomplete.
    pub fn is_inside_message(&self) -> bool {
        self.receiver.is_inside_message()
    }

    /// Payload bytes received of an incomplete message; 0 between messages.
    pub fn unfinished(&self) -> u64 {
        self.receiver.unfinished()
    }

    /// How many of them were already returned in pieces; `None` if the message is held.
    pub fn handed_over(&self) -> Option<u64> {
        self.receiver.handed_over()
    }

    /// The traffic so far. After the end, messages that another connection must carry don't count.
    pub fn totals(&self) -> Totals {
        let (received, sent) = (self.receiver.counts(), self.outbox.sender.counts());
        let (unsent_messages, unsent_payload) = match self.closure {
            Some(_) => self.outbox.unsent.in_stream(),
            None => (0, 0),
        };
        Totals {
            wire_in: received.bytes,
            frames_in: received.frames,
            wire_out: sent.bytes,
            frames_out: sent.frames,
            messages_out: self.outbox.totals.messages_out - unsent_messages,
            payload_out: self.outbox.totals.payload_out - unsent_payload,
            compression_out: self.outbox.totals.compression_out,
            ..self.received
        }
    }

    /// The result of its opening handshake.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// What TLS agreed on; `None` without TLS.
    pub fn tls(&self) -> Option<TlsInfo> {
        self.stream.tls_info()
    }

    /// A snapshot of its state.
    pub fn facts(&self) -> Facts {
        Facts {
            state: self.state(),
            buffered: self.outbox.buffered(),
            totals: self.totals(),
            rtt: self.liveness.rtt,
            open_for: self.opened_at.elapsed(),
        }
    }

    /// The messages that the stream hasn't accepted completely, for another connection to carry.
    pub fn take_unsent(&mut self) -> Unsent {
        std::mem::take(&mut self.outbox.unsent)
    }

    fn reads(&self) -> bool {
        // Bytes already read are processed first; until then the buffer may have no space.
        self.end.is_none() && !self.paused && self.caught_up && !self.half_closed
    }

    fn writes(&self) -> bool {
        self.closure.is_none()
            && !matches!(self.end, Some(End::Eof | End::Broken(_)))
            && self.closing.can_write()
            && (self.outbox.buffered() > 0 || self.stream.wants_write())
    }

    fn activity(&self) -> Activity {
        Activity {
            active_at: self.active_at,
            close_received: self.receiver.close_received().is_some(),
            paused: self.paused,
            answering: self.side == Side::Server && self.writes(),
        }
    }

    fn read(&mut self) {
        match self.stream.read(self.receiver.space()) {
            Ok(0) if self.side == Side::Server && self.writes() => self.half_closed = true,
            Ok(0) => self.end = Some(End::Eof),
            Ok(n) => {
                let room = FIRST_BYTES - self.first.len();
                if room > 0 {
                    let bytes = self.receiver.space().iter().take(n.min(room));
                    self.first.extend(bytes);
                }
                self.receiver.received(n);
                self.moved_at = self.now;
                self.caught_up = false;
                if self.receiver.is_inside_message() {
                    self.active_at = self.now;
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(e) => {
                if let Some(error) = transport::tls_failure(&e) {
                    self.fault.get_or_insert(Fault::Tls(error));
                }
                self.end = Some(End::Broken(how(&e)));
            }
        }
    }

    fn write(&mut self) {
        while self.writes() {
            let written = match self.outbox.sender.transmit() {
                [] => self.stream.flush().map(|_| 0),
                bytes => self.stream.write(bytes),
            };
            match written {
                Ok(0) => break,
                Ok(n) => {
                    self.outbox.sender.transmitted(n);
                    self.moved_at = self.now;
                    if self.outbox.buffered() > 0 {
                        self.active_at = self.now;
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => self.closing.cut(how(&e), self.now),
            }
        }
    }

    /// A server ends its direction first (§7.1.1), after its last frame, and then reads until the
    /// client hangs up too: closing the stream earlier could destroy data the client hasn't read.
    fn hang_up(&mut self) {
        if self.writes() {
            return;
        }
        if self.half_closed {
            self.end.get_or_insert(End::Eof);
        }
        let answered = self.receiver.close_received().is_some() || self.fault.is_some();
        if answered && self.outbox.sender.close_sent().is_some() && !self.hung_up {
            self.hung_up = true;
            // The client may be gone already.
            let _ = self.stream.shutdown_write();
        }
    }

    fn tick(&mut self) {
        if self.end.is_some() {
            return;
        }
        if self.half_closed && self.now >= self.active_at + CLOSE_PATIENCE {
            self.end = Some(End::Eof);
            return;
        }
        if self.is_open() {
            match self.liveness.tick(self.now) {
                Some(liveness::Due::Ping) => self.ping(KEEPALIVE),
                Some(liveness::Due::Silent(patience)) => {
                    self.fault.get_or_insert(Fault::Silent(patience));
                    self.close_normally();
                    self.give_up(self.now);
                }
                None => {}
            }
        }
        match self.closing.tick(self.activity(), self.now) {
            Some(closing::Due::Close(status)) => self.outbox.sender.close(&status),
            Some(closing::Due::End(end)) => self.end = Some(end),
            None => {}
        }
    }

    fn finish(&mut self, end: End) -> Closure {
        // The peer may be gone already.
        let _ = self.stream.shutdown_write();
        let first = self.closing.first();
        Closure {
            sent: self.outbox.sender.close_sent().cloned(),
            received: self.receiver.close_received().cloned(),
            first: self.first_to_close(),
            took: first.map_or(Duration::ZERO, |(_, since)| self.now - since),
            after: self.now - self.opened_at,
            ignored: self.receiver.ignored(),
            end,
        }
    }
}

/// Sent traffic as an event.
fn sent(traffic: Traffic<'_>, first: Party) -> Event<'_> {
    match traffic {
        Traffic::Data(data) => Event::Data(data),
        Traffic::Frame(frame) => Event::Frame(frame),
        Traffic::FramePayload(payload) => Event::FramePayload(payload),
        Traffic::Ping { direction, payload } => Event::Ping { direction, payload },
        Traffic::Pong { direction, payload } => Event::Pong { direction, payload, rtt: None },
        Traffic::Close { direction, status } => Event::Close { direction, status, first },
        Traffic::Warning(violation) => Event::Violation { violation, fatal: false },
        Traffic::Violation(violation) => Event::Violation { violation, fatal: true },
        Traffic::Limit(limit) => Event::Limit(limit),
    }
}

/// When the Close frame that fails the connection is due: at once if no message was received that
/// could be answered.
fn answers_until(
    received: &Totals,
    active_at: Instant,
    patience: Duration,
    now: Instant,
) -> Instant {
    if received.messages_in == 0 { now } else { now.max(active_at + patience) }
}

fn how(e: &io::Error) -> String {
    match e.kind() {
        ErrorKind::UnexpectedEof => "TLS was cut off without close_notify: truncated".to_owned(),
        ErrorKind::ConnectionReset => "connection reset by the peer (RST)".to_owned(),
        _ => reason(e),
    }
}
