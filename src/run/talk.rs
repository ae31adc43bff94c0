//! The loop over an open connection.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::connection::open::Opened;
use crate::connection::options::TalkOptions;
use crate::connection::random;
use crate::connection::unsent::Message;
use crate::error::{self, Error, Exit, Result, Stage};
use crate::event::{Data, Direction, Event, Frame, FramePayload, Level, Totals};
use crate::protocol::close::{Closure, End, Side};
use crate::protocol::connection::{Config, Delivery, Incoming, ReadyState, Receiver, Sender};
use crate::protocol::frame::Opcode;
use crate::protocol::violation::Limit;
use crate::report::Needs;
use crate::run::answer::{self, answer};
use crate::run::command::Command;
use crate::run::course::{Course, Fence, Over};
use crate::run::input::InputFormat;
use crate::run::settings::{Linger, Settings};
use crate::run::verdict::{Evidence, out_of_time};
use crate::run::views::Views;
use crate::run::{Input, Session, json};
use crate::sys;
use crate::text::Untrusted;
use crate::transport::{self, Stream, Target};

/// Over this no more input is taken, in bytes queued for the peer.
const HIGH_WATER: usize = 1 << 20;

/// How long the peer may take to see why we failed the connection, before we close it.
const FAIL_PATIENCE: Duration = Duration::from_secs(1);

/// How long a person who wants to leave waits for the peer's Close.
const LEAVE_PATIENCE: Duration = Duration::from_millis(500);

/// The same where our own output is blocked, so that the Close may be far behind.
const BLOCKED_PATIENCE: Duration = Duration::from_millis(30);

/// A connection and everything that is known of its course.
pub struct Talk {
    stream: Stream,
    receiver: Receiver,
    sender: Sender,
    course: Course,
    opened: Box<answer::Opened>,
}

impl Talk {
    /// Over a connection that has just been opened.
    pub fn new(opened: Opened, settings: &Settings, needs: Needs) -> Talk {
        let whole = needs.whole_messages || settings.echo || settings.until.is_some();
        let (delivery, most) = if whole {
            (Delivery::Whole, TalkOptions::MAX_HELD)
        } else {
            (Delivery::Pieces, TalkOptions::MAX_STREAMED)
        };
        let config = Config {
            deflate: opened.report.deflate,
            policy: settings.open.policy,
            delivery,
            frames: needs.frames,
            frame_payloads: needs.frame_payloads,
            max_message: settings.talk.max_message.unwrap_or(most),
            max_inflated: settings.talk.max_message.unwrap_or(TalkOptions::MAX_HELD),
            max_fragments: settings.talk.max_fragments,
            pong: settings.talk.pong,
            lossy: settings.talk.lossy,
            fragment: settings.talk.fragment,
        };
        Talk {
            receiver: Receiver::new(config, &opened.early),
            sender: Sender::new(&config, random::masking()),
            stream: opened.stream,
            course: Course::new(Instant::now()),
            opened: Box::new(answer::Opened {
                request: opened.request,
                response: opened.response,
                opening: opened.opening,
            }),
        }
    }

    /// Closes a connection that was only opened to be looked at.
    pub fn say_goodbye(opened: Opened, settings: &Settings) {
        let mut talk = Talk::new(opened, settings, Needs::default());
        talk.sender.close(&settings.close);
        let patience = Instant::now() + LEAVE_PATIENCE;
        while Instant::now() < patience && talk.course.ended.is_none() {
            talk.transmit(Instant::now());
            let mut fds = [PollFd::from_borrowed_fd(talk.stream.fd(), PollFlags::IN)];
            sys::wait(&mut fds, Some(patience));
            talk.read(Instant::now());
            while talk.receiver.next(&mut talk.sender).is_some() {}
        }
    }

    /// Runs until the connection has ended.
    ///
    /// # Errors
    /// What went wrong with the connection, the input or the output.
    pub fn run(mut self, session: &mut Session) -> Result<Over> {
        self.course.follow(&session.past);
        for (opcode, payload) in &session.settings.first {
            let queued = self.sender.fragmented(*opcode, payload, session.settings.talk.fragment);
            self.course.sent(&mut session.views, *opcode, payload, queued);
        }
        session.unsent.queue_again(|Message { opcode, payload, fragment }| {
            let queued = self.sender.fragmented(*opcode, payload, *fragment);
            self.course.sent(&mut session.views, *opcode, payload, queued);
            self.sender.counts().0
        });
        let mut now = Instant::now();
        loop {
            session.views.set_time(now);
            self.deliver(session, now);
            self.take_input(session, now);
            self.timers(session, now);
            self.sender.settle();
            self.tell_close(&mut session.views);
            report_frames(&mut self.sender, &mut session.views);
            self.transmit(now);
            session.unsent.transmitted(self.sender.counts().0 - self.sender.buffered() as u64);
            session.views.push();
            if self.course.failure.is_none()
                && let Some(broken) = session.views.broken()
            {
                // Nobody hears us any more; the peer is told that we go.
                self.course.deaf = true;
                self.begin_close(&session.settings, now);
                self.course.fail(broken, now + FAIL_PATIENCE);
            }
            let told = self.course.caught_up || self.course.deaf;
            if self.course.ended.is_some() && told {
                return self.finish(session);
            }
            now = self.wait(session, now);
        }
    }

    /// Tells what has arrived, until nothing is left or the views are congested.
    fn deliver(&mut self, session: &mut Session, now: Instant) {
        let (views, settings) = (&mut session.views, &session.settings);
        let answered = matches!(&session.input, Input::Stdin(stdin) if !stdin.is_exhausted());
        self.course.caught_up = false;
        while self.delivers(views, settings) {
            let course = &mut self.course;
            let Some(incoming) = self.receiver.next(&mut self.sender) else {
                course.caught_up = true;
                break;
            };
            let mut close = false;
            match incoming {
                Incoming::Data { .. } if course.deaf => {}
                Incoming::Data { opcode, bytes, first, last, fragments, wire_len, compressed } => {
                    let direction = Direction::In;
                    let data = Data {
                        direction,
                        opcode,
                        bytes,
                        first,
                        last,
                        fragments,
                        wire_len,
                        compressed,
                    };
                    course.totals.count(&data);
                    views.tell(Event::Data(data));
                    course.active_at = now;
                    if last {
                        course.message_at = Some(now);
                        close = course.is_enough(settings, bytes);
                        if settings.echo {
                            let queued = self.sender.message(opcode, bytes);
                            course.sent(views, opcode, bytes, queued);
                        }
                    }
                }
                Incoming::Violation(violation) => {
                    views.tell(Event::Violation { violation, fatal: true });
                    let what = format!("the peer broke the protocol: {violation}");
                    course.failure.get_or_insert(Error::new(Stage::Session, Exit::Protocol, what));
                    course.failing =
                        Some((violation.close_status(), course.answers_until(answered, now)));
                }
                Incoming::Limit(limit) => {
                    let error = Error::new(Stage::Session, Exit::Limit, limit.to_string()).limit(
                        match limit {
                            Limit::Fragments { .. } => error::Limit::MaxFragments,
                            Limit::Message { .. } => error::Limit::MaxMessage,
                        },
                    );
                    course.failure.get_or_insert(error);
                    course.failing =
                        Some((limit.close_status(), course.answers_until(answered, now)));
                }
                other => course.control(other, views, settings.talk.pong, now),
            }
            report_frames(&mut self.sender, views);
            if close {
                course.deaf = true;
                course.met = true;
                course.begin_close(&mut self.sender, &settings.close, now);
            }
        }
    }

    /// Whether more may be told and answered.
    #[inline]
    fn delivers(&self, views: &Views, settings: &Settings) -> bool {
        // Only an echo makes output of input without a bound. Otherwise a peer that reads no more
        // before we read would wait for us, as we for it.
        let blocked = settings.echo && self.sender.buffered() >= HIGH_WATER;
        self.course.deaf || (!views.are_congested() && !blocked)
    }

    /// Takes messages from the input while there is room for them.
    fn take_input(&mut self, session: &mut Session, now: Instant) {
        while self.sender.buffered() < HIGH_WATER && self.course.ended.is_none() {
            // What comes behind a command to leave is for the next connection.
            let stays = self.course.leave.is_none();
            if let Some(command) = stays.then(|| session.next_command()).flatten() {
                self.command(session, command, now);
                continue;
            }
            let Input::Stdin(stdin) = &mut session.input else {
                if matches!(session.input, Input::None) && !session.settings.echo {
                    self.end_of_input(&session.settings, &mut session.views, now);
                }
                return;
            };
            if self.state() != ReadyState::Open {
                return;
            }
            if stdin.is_exhausted() {
                return self.end_of_input(&session.settings, &mut session.views, now);
            }
            let more = match session.settings.input {
                InputFormat::Json => self.take_command(session, now),
                _ => self.take_messages(session),
            };
            match more {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.bad_input(session, error, now),
            }
        }
    }

    /// Takes a command of the input; false when none is there yet.
    fn take_command(&mut self, session: &mut Session, now: Instant) -> Result<bool> {
        let Input::Stdin(stdin) = &mut session.input else { return Ok(false) };
        let Some(piece) = stdin.next_piece() else { return Ok(false) };
        if let Some(command) = json::command(&piece)? {
            self.command(session, command, now);
        }
        Ok(true)
    }

    /// Takes messages of the input while there is room; false when there is no other yet.
    fn take_messages(&mut self, session: &mut Session) -> Result<bool> {
        let Input::Stdin(stdin) = &mut session.input else { return Ok(false) };
        let (settings, views) = (&session.settings, &mut session.views);
        let opcode = if settings.binary { Opcode::Binary } else { Opcode::Text };
        while self.sender.buffered() < HIGH_WATER {
            let Some(message) = stdin.advance() else { return Ok(false) };
            let is_fit = settings.binary || stdin.is_text(&message);
            let piece = stdin.piece(message);
            if !is_fit {
                return Err(piece.not_utf8());
            }
            let queued = self.sender.fragmented(opcode, piece.bytes, settings.talk.fragment);
            let end = self.sender.counts().0;
            session.unsent.queued(end, opcode, piece.bytes, settings.talk.fragment);
            self.course.sent(views, opcode, piece.bytes, queued);
            report_frames(&mut self.sender, views);
        }
        Ok(true)
    }

    /// What came before the bad piece was sent and is still awaited; nothing behind it is.
    fn bad_input(&mut self, session: &mut Session, error: Error, now: Instant) {
        self.course.failure.get_or_insert(error);
        session.input = Input::None;
        self.end_of_input(&session.settings, &mut session.views, now);
    }

    /// All input was taken: fence it off, or close at once if nothing is to be waited for.
    fn end_of_input(&mut self, settings: &Settings, views: &mut Views, now: Instant) {
        if self.course.fence.is_some() || self.state() != ReadyState::Open {
            return;
        }
        let mut random = [0; 4];
        random::fill(&mut random);
        let payload = format!("end of input {:08x}", u32::from_ne_bytes(random)).into_bytes();
        if settings.linger == Linger::For(Duration::ZERO) {
            self.begin_close(settings, now);
        } else {
            self.course.active_at = now;
            self.ping(views, &payload, false, now);
        }
        self.course.fence = Some(Fence { payload, answered: false });
    }

    fn command(&mut self, session: &mut Session, command: Command, now: Instant) {
        let views = &mut session.views;
        match command {
            Command::Message { opcode, payload, fragment } => {
                let size = fragment.or(session.settings.talk.fragment);
                let closed = self.course.closing.is_some_and(|(side, _)| side == Side::Peer);
                if closed && session.settings.reconnect.is_some() {
                    return session.keep(Message { opcode, payload, fragment: size });
                }
                if self.state() != ReadyState::Open {
                    let text = "the connection is closing: this was not sent";
                    return views.tell(Event::Notice { level: Level::Warning, text });
                }
                let queued = self.sender.fragmented(opcode, &payload, size);
                session.unsent.queued(self.sender.counts().0, opcode, &payload, size);
                self.course.sent(views, opcode, &payload, queued);
            }
            Command::Ping(payload) => self.ping(views, &payload, session.settings.interactive, now),
            Command::Pong(payload) => {
                self.sender.pong(&payload);
                let payload = payload.get(..125).unwrap_or(&payload);
                views.tell(Event::Pong { direction: Direction::Out, payload, rtt: None });
            }
            Command::Close(status) => {
                self.course.closing.get_or_insert((Side::Us, now));
                self.sender.close(&status);
            }
            Command::Frame(spec) => {
                let frame = spec.frame(|| self.sender.masking_key());
                if frame.header.opcode == Opcode::Close {
                    self.course.closing.get_or_insert((Side::Us, now));
                }
                self.sender.raw(&frame);
            }
            Command::GiveUp => {}
            Command::Export { tool, secrets } => {
                let text = session.settings.export(tool, secrets);
                views.tell(Event::Answer { text: &text, bare: true });
            }
            Command::Set(setting) => {
                views.set(setting);
                let needs = views.needs();
                self.receiver.show(needs.frames, needs.frame_payloads);
                self.sender.show(needs.frames || needs.frame_payloads);
            }
            Command::Show(question) => {
                let facts = self.facts();
                let text = answer(question, &self.opened, &facts, views.timings());
                views.tell(Event::Answer { text: &text, bare: false });
            }
            Command::Quit => self.leave(&session.settings, now, Over::Done),
            Command::Connect(url) => match Target::parse(&url) {
                Ok(_) => self.leave_for(session, Command::Connect(url), now),
                Err(error) => views.tell(Event::Error(&error)),
            },
            Command::Reconnect => self.leave_for(session, Command::Reconnect, now),
        }
        report_frames(&mut self.sender, &mut session.views);
    }

    fn ping(&mut self, views: &mut Views, payload: &[u8], asked: bool, now: Instant) {
        let payload = payload.get(..125).unwrap_or(payload);
        self.sender.ping(payload);
        views.tell(Event::Ping { direction: Direction::Out, payload });
        self.course.pinged(payload, asked, now);
    }

    fn facts(&self) -> answer::Facts {
        answer::Facts {
            state: self.state(),
            buffered: self.sender.buffered(),
            totals: self.totals(),
            rtt: self.course.rtt,
            open_for: self.course.opened_at.elapsed(),
            tls: self.stream.tls_info(),
        }
    }

    /// The person leaves this connection.
    fn leave(&mut self, settings: &Settings, now: Instant, over: Over) {
        self.course.leave = Some(over);
        self.course.deaf = true;
        self.begin_close(settings, now);
        self.course.give_up(now + LEAVE_PATIENCE);
    }

    /// The person leaves this connection for another, which the command opens.
    fn leave_for(&mut self, session: &mut Session, next: Command, now: Instant) {
        session.waiting.push_front(next);
        self.leave(&session.settings, now, Over::Closed);
    }

    fn begin_close(&mut self, settings: &Settings, now: Instant) {
        self.course.begin_close(&mut self.sender, &settings.close, now);
    }

    fn state(&self) -> ReadyState {
        match () {
            () if self.course.ended.is_some() => ReadyState::Closed,
            () if self.sender.close_sent().is_some()
                || self.receiver.close_received().is_some() =>
            {
                ReadyState::Closing
            }
            () => ReadyState::Open,
        }
    }

    /// What time brings: the end of lingering, of `--duration` and `--max-time`, of patience.
    fn timers(&mut self, session: &mut Session, now: Instant) {
        let settings = &session.settings;
        if session.deadline.is_some_and(|deadline| now >= deadline) {
            self.begin_close(settings, now);
            self.course.fail(out_of_time(settings), now);
            self.course.deaf = true;
        }
        if let Some((status, _)) = self.course.failing.take_if(|(_, due)| now >= *due) {
            self.course.begin_close(&mut self.sender, &status, now);
            self.course.give_up(now + FAIL_PATIENCE);
        }
        let open = self.state() == ReadyState::Open;
        if open && self.course.pings_end(settings).is_some_and(|end| now >= end) {
            let patience = settings.talk.ping_timeout.unwrap_or_default().as_secs_f64();
            let what = format!("the peer is gone: no pong for {patience} s");
            self.begin_close(settings, now);
            let error = Error::new(Stage::Session, Exit::Timeout, what);
            self.course.fail(error.limit(error::Limit::PingTimeout), now);
        } else if open && self.course.next_ping(settings).is_some_and(|due| now >= due) {
            self.ping(&mut session.views, b"are you there?", false, now);
        }
        if open && self.course.duration_ends(settings).is_some_and(|end| now >= end) {
            self.begin_close(settings, now);
        }
        if open
            && self
                .course
                .linger_ends(&session.settings, session.views.are_congested())
                .is_some_and(|end| now >= end)
        {
            self.begin_close(&session.settings, now);
        }
        if self.patience_ends(&session.views).is_some_and(|end| now >= end) {
            self.course.ended.get_or_insert(End::Local);
        }
        let congested = session.views.are_congested();
        if self.course.cut_ends(congested).is_some_and(|end| now >= end)
            && let Some((_, why)) = self.course.cut.take()
        {
            self.course.ended.get_or_insert(End::Broken(why));
        }
    }

    fn patience_ends(&self, views: &Views) -> Option<Instant> {
        self.course.patience_ends(self.receiver.close_received().is_some(), views.are_congested())
    }

    /// Gives the transport what it takes.
    fn transmit(&mut self, now: Instant) {
        if matches!(self.course.ended, Some(End::Eof | End::Broken(_))) {
            return;
        }
        while self.course.can_write && (self.sender.buffered() > 0 || self.stream.wants_write()) {
            let written = match self.sender.transmit() {
                [] => self.stream.flush().map(|_| 0),
                bytes => self.stream.write(bytes),
            };
            match written {
                Ok(0) => break,
                Ok(n) => {
                    self.sender.transmitted(n);
                    if self.sender.buffered() > 0 {
                        self.course.active_at = now;
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // The peer takes nothing any more, but what it said before can still be read; the
                // reading end will tell how the connection ended, if it knows.
                Err(e) => self.course.cut(how(&e), now),
            }
        }
    }

    fn read(&mut self, now: Instant) {
        match self.stream.read(self.receiver.space()) {
            Ok(0) => self.course.ended = Some(End::Eof),
            Ok(n) => {
                self.receiver.received(n);
                if self.receiver.is_inside_message() {
                    self.course.active_at = now;
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(e) => {
                if let Some(error) = transport::tls_failure(&e) {
                    self.course.failure.get_or_insert(error);
                }
                self.course.ended = Some(End::Broken(how(&e)));
            }
        }
    }

    /// Tells our Close frame, whoever queued it.
    fn tell_close(&mut self, views: &mut Views) {
        if self.course.close_told {
            return;
        }
        if let Some(status) = self.sender.close_sent() {
            self.course.close_told = true;
            let first = self.course.closing.map_or(Side::Us, |(side, _)| side);
            views.tell(Event::Close { direction: Direction::Out, status, first });
        }
    }

    /// Waits until something can be done, and reads what is there.
    fn wait(&mut self, session: &mut Session, now: Instant) -> Instant {
        let alive = self.course.ended.is_none();
        let delivers = self.delivers(&session.views, &session.settings);
        // What was read before is looked at first; until then there may be no space.
        let reads = alive && delivers && self.course.caught_up;
        let writes = alive
            && self.course.can_write
            && (self.sender.buffered() > 0 || self.stream.wants_write());
        let takes = self.state() == ReadyState::Open && self.sender.buffered() < HIGH_WATER;
        // Neither TLS's buffer nor our own is seen by poll.
        let buffered = reads && self.stream.has_buffered();
        let hurry = buffered || (delivers && !self.course.caught_up);
        let until = if hurry { Some(now) } else { self.next_deadline(session) };

        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, reads);
        flags.set(PollFlags::OUT, writes);
        let (mut woken, mut readable, mut input) = (false, false, false);
        {
            // Without interest in it a descriptor must stay away: its hang-up would not let us wait.
            let wake = session.waking.fd();
            let filler = || PollFd::from_borrowed_fd(wake, PollFlags::IN);
            let mut fds = [filler(), filler(), filler(), filler(), filler()];
            let [_, socket, stdin, outputs @ ..] = &mut fds;
            if !flags.is_empty() {
                *socket = PollFd::from_borrowed_fd(self.stream.fd(), flags);
            }
            let piped = match &session.input {
                Input::Stdin(piped) if takes && !piped.is_at_end() => Some(piped),
                _ => None,
            };
            if let Some(piped) = piped {
                *stdin = PollFd::from_borrowed_fd(piped.fd(), PollFlags::IN);
            }
            for (slot, fd) in outputs.iter_mut().zip(session.views.poll_fds()) {
                *slot = fd;
            }
            sys::wait(&mut fds, until);
            let [wake, socket, stdin, ..] = &fds;
            woken = woken || sys::is_ready(wake);
            readable = readable || (reads && (buffered || sys::is_readable(socket)));
            input = input || (piped.is_some() && sys::is_ready(stdin));
        }
        let now = Instant::now();
        if readable {
            self.read(now);
        }
        if input
            && let Input::Stdin(stdin) = &mut session.input
            && let Err(error) = stdin.fill()
        {
            self.bad_input(session, error, now);
        }
        if woken && let Some((exit, count)) = session.waking.clear() {
            self.interrupted(session, exit, count, now);
        }
        now
    }

    fn next_deadline(&self, session: &Session) -> Option<Instant> {
        let settings = &session.settings;
        let open = self.state() == ReadyState::Open;
        let ends = [
            session.deadline,
            self.patience_ends(&session.views),
            self.course.cut_ends(session.views.are_congested()),
            self.course.failing.as_ref().map(|(_, due)| *due),
            self.course.next_ping(settings).filter(|_| open),
            self.course.pings_end(settings).filter(|_| open),
            self.course.duration_ends(settings).filter(|_| open),
            self.course
                .linger_ends(&session.settings, session.views.are_congested())
                .filter(|_| open),
        ];
        ends.into_iter().flatten().min()
    }

    /// The first signal begins the closing handshake, the second ends at once.
    fn interrupted(&mut self, session: &mut Session, exit: Exit, count: u32, now: Instant) {
        let again = session.signalled.is_some() || count > 1;
        session.signalled.get_or_insert(exit);
        let blocked = !session.views.are_drained();
        self.course.deaf = true;
        if again {
            self.course.ended.get_or_insert(End::Local);
            return;
        }
        self.begin_close(&session.settings, now);
        self.course.give_up(now + if blocked { BLOCKED_PATIENCE } else { LEAVE_PATIENCE });
    }

    fn totals(&self) -> Totals {
        let (wire_in, frames_in) = self.receiver.counts();
        let (wire_out, frames_out) = self.sender.counts();
        Totals { wire_in, frames_in, wire_out, frames_out, ..self.course.totals }
    }

    /// Tells how the connection ended, and judges it.
    fn finish(mut self, session: &mut Session) -> Result<Over> {
        let _ = self.stream.shutdown_write();
        let end = self.course.ended.take().unwrap_or(End::Local);
        let now = Instant::now();
        let closure = Closure {
            sent: self.sender.close_sent().cloned(),
            received: self.receiver.close_received().cloned(),
            first: self.course.closing.map(|(side, _)| side),
            took: self.course.closing.map_or(Duration::ZERO, |(_, since)| now - since),
            after: now - self.course.opened_at,
            ignored: self.receiver.ignored(),
            end,
        };
        let mut totals = self.totals();
        let (messages, bytes) = session.unsent.in_stream();
        totals.messages_out -= messages;
        totals.payload_out -= bytes;
        session.views.emit(Event::Closed { closure: &closure, totals: &totals });
        session.past.received = self.course.received();
        if session.signalled.is_some() {
            return Ok(Over::Done);
        }
        let settings = &session.settings;
        let ended = self.course.fence.is_some();
        let unsent = session.unsent.count() > 0;
        let again = settings.reconnect.is_some() && (!ended || unsent || settings.outlasts_input());
        let evidence = Evidence {
            closure: &closure,
            met: self.course.met,
            messages_in: self.course.received(),
            again,
            unsent: self.sender.buffered(),
            position: self.receiver.position(),
        };
        let outcome = match (self.course.failure.take(), self.course.leave) {
            (Some(failure), _) => Err(failure),
            (None, Some(over)) => Ok(over),
            (None, None) => evidence.judge(settings),
        };
        outcome.map_err(|error| match error.exit {
            // With -E our Close waits behind the messages that nobody took.
            Exit::Lost if ended && unsent => error.passing(true),
            _ if error.passing && settings.reconnect.is_some() && !again => {
                error.passing(false).cause("the input has ended: nothing is left to be done again")
            }
            _ => error,
        })
    }
}

/// Tells the frames that were queued, if anybody wants to see them.
#[inline]
fn report_frames(sender: &mut Sender, views: &mut Views) {
    if sender.has_frames() {
        tell_frames(sender, views);
    }
}

fn tell_frames(sender: &mut Sender, views: &mut Views) {
    let direction = Direction::Out;
    sender.see_frames(|frame| {
        let (header, bytes, offset) = (&frame.header, frame.bytes, frame.offset);
        views.tell(Event::Frame(Frame { direction, header, bytes, offset }));
        if !frame.payload.is_empty() {
            let (wire, masking_key) = (frame.payload, frame.header.masking_key);
            let payload = FramePayload { direction, wire, masking_key, offset: 0 };
            views.tell(Event::FramePayload(payload));
        }
    });
}

fn how(e: &io::Error) -> String {
    match e.kind() {
        ErrorKind::UnexpectedEof => "TLS was cut off without close_notify: truncated".to_owned(),
        ErrorKind::ConnectionReset => "connection reset by the peer (RST)".to_owned(),
        _ => Untrusted::text(&e.to_string()).to_string(),
    }
}
