//! The loop over an open connection.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Data, Direction, Frame, FramePayload, Kind, Level, Totals};
use crate::protocol::close::{CloseCode, CloseStatus, Closure, End, Side};
use crate::protocol::connection::{
    Config, Delivery, Incoming, Masking, RawFrame, ReadyState, Receiver, Sender,
};
use crate::protocol::frame::{FrameHeader, LengthForm, Opcode};
use crate::report::Needs;
use crate::report::units::Took;
use crate::session::answer::{self, answer};
use crate::session::command::{Command, FrameSpec, MaskSpec};
use crate::session::export::export;
use crate::session::input::{InputFormat, Piece};
use crate::session::open::Opened;
use crate::session::settings::{Linger, Settings};
use crate::session::views::Views;
use crate::session::{Input, Session, json, poll};
use crate::text::Untrusted;
use crate::transport::{self, Stream, Target};

/// Over this no more input is taken, in bytes queued for the peer.
const HIGH_WATER: usize = 1 << 20;

/// How long a Close frame may stay unanswered, and the stream open after both were exchanged.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// How long the peer may take to see why we failed the connection, before we close it.
const FAIL_PATIENCE: Duration = Duration::from_secs(1);

/// A violation may come right behind messages whose answers are still on their way through our
/// output and input: so long after the last message the Close frame waits for them.
const ANSWER_PATIENCE: Duration = Duration::from_millis(100);

/// How long the fence's pong may hold the end back while nothing arrives.
const FENCE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a person who wants to leave waits for the peer's Close.
const LEAVE_PATIENCE: Duration = Duration::from_millis(500);

/// The same where our own output is blocked, so that the Close may be far behind.
const BLOCKED_PATIENCE: Duration = Duration::from_millis(50);

/// Pings of ours whose round trip is still measured, at most.
const PINGS: usize = 16;

/// How a connection's talk ended, where nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// As it was asked for: the session is over.
    Done,
    /// The connection is over; a person may want to go on.
    Closed,
}

/// A connection and everything that is known of its course.
pub struct Talk {
    stream: Stream,
    receiver: Receiver,
    sender: Sender,
    course: Course,
    opened: Box<answer::Opened>,
}

/// The course of the connection: counts, timers, and why it is ending.
struct Course {
    totals: Totals,
    opened_at: Instant,
    /// The last moment at which messages moved; control frames are as good as silence.
    active_at: Instant,
    fence: Option<Fence>,
    pings: VecDeque<OwnPing>,
    /// Since when no ping of ours was answered.
    unanswered_since: Option<Instant>,
    pinged_at: Instant,
    rtt: Option<Duration>,
    /// The first Close frame: whose, and when.
    closing: Option<(Side, Instant)>,
    /// Our Close frame was told to the views.
    close_told: bool,
    /// What comes is no longer told: enough came, or the person left.
    deaf: bool,
    /// `--count` or `--until` was met.
    met: bool,
    failure: Option<Error>,
    /// The Close frame that fails the connection, and when it is sent.
    failing: Option<(CloseStatus, Instant)>,
    /// When the last message came.
    message_at: Option<Instant>,
    /// The stream is closed then at the latest, whatever the peer does.
    give_up_at: Option<Instant>,
    /// All events were taken out of what was received.
    caught_up: bool,
    can_write: bool,
    ended: Option<End>,
    leave: Option<Over>,
}

/// A ping of ours that was not answered yet.
struct OwnPing {
    payload: Vec<u8>,
    sent: Instant,
    /// A person asked for it and wants to see the answer.
    asked: bool,
}

/// The ping that is sent behind the last message of the input.
struct Fence {
    payload: Vec<u8>,
    answered: bool,
}

impl Talk {
    /// Over a connection that has just been opened.
    pub fn new(opened: Opened, settings: &Settings, needs: Needs) -> Talk {
        let whole = needs.whole_messages || settings.echo || settings.until.is_some();
        let (delivery, most) = if whole {
            (Delivery::Whole, Settings::MAX_HELD)
        } else {
            (Delivery::Pieces, Settings::MAX_STREAMED)
        };
        let config = Config {
            deflate: opened.report.deflate,
            policy: settings.policy,
            delivery,
            frames: needs.frames,
            frame_payloads: needs.frame_payloads,
            max_message: settings.max_message.unwrap_or(most),
            max_inflated: settings.max_message.unwrap_or(Settings::MAX_HELD),
            max_fragments: settings.max_fragments,
            pong: settings.pong,
            lossy: settings.lossy,
            fragment: settings.fragment,
        };
        let now = Instant::now();
        Talk {
            receiver: Receiver::new(config, &opened.early),
            sender: Sender::new(&config, masking()),
            stream: opened.stream,
            course: Course {
                totals: Totals::default(),
                opened_at: now,
                active_at: now,
                fence: None,
                pings: VecDeque::new(),
                unanswered_since: None,
                pinged_at: now,
                rtt: None,
                closing: None,
                close_told: false,
                deaf: false,
                met: false,
                failure: None,
                failing: None,
                message_at: None,
                give_up_at: None,
                caught_up: false,
                can_write: true,
                ended: None,
                leave: None,
            },
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
            poll::wait(&mut fds, Some(patience));
            talk.read(Instant::now());
            while talk.receiver.next(&mut talk.sender).is_some() {}
        }
    }

    /// Runs until the connection has ended.
    ///
    /// # Errors
    /// What went wrong with the connection, the input or the output.
    pub fn run(mut self, session: &mut Session) -> Result<Over> {
        for (opcode, payload) in &session.settings.first {
            self.sender.fragmented(*opcode, payload, session.settings.fragment);
            self.course.sent(&mut session.views, *opcode, payload);
        }
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
                    views.tell(Kind::Data(Data {
                        direction: Direction::In,
                        opcode,
                        bytes,
                        first,
                        last,
                        fragments,
                        wire_len,
                        compressed,
                    }));
                    course.active_at = now;
                    course.totals.payload_in += bytes.len() as u64;
                    if last {
                        course.message_at = Some(now);
                        course.totals.messages_in += 1;
                        close = course.is_enough(settings, bytes);
                        if settings.echo {
                            self.sender.message(opcode, bytes);
                            course.sent(views, opcode, bytes);
                        }
                    }
                }
                Incoming::Violation(violation) => {
                    views.tell(Kind::Violation { violation, fatal: true });
                    let what = format!("the peer broke the protocol: {violation}");
                    course.failure.get_or_insert(Error::new(Stage::Session, Exit::Protocol, what));
                    course.failing =
                        Some((violation.close_status(), course.answers_until(answered, now)));
                }
                Incoming::Limit(limit) => {
                    let error = Error::new(Stage::Session, Exit::Limit, limit.to_string());
                    course.failure.get_or_insert(error);
                    course.failing =
                        Some((limit.close_status(), course.answers_until(answered, now)));
                }
                other => course.control(other, views, settings.pong, now),
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
            let Some(piece) = stdin.next_piece() else {
                if stdin.is_exhausted() {
                    self.end_of_input(&session.settings, &mut session.views, now);
                }
                return;
            };
            let settings = &session.settings;
            let opcode = match settings.input {
                InputFormat::Json => match json::command(&piece) {
                    Ok(Some(command)) => {
                        self.command(session, command, now);
                        continue;
                    }
                    Ok(None) => continue,
                    Err(error) => return self.bad_input(session, error, now),
                },
                _ if settings.binary => Opcode::Binary,
                _ if simdutf8::basic::from_utf8(piece.bytes).is_ok() => Opcode::Text,
                _ => {
                    let error = not_utf8(&piece);
                    return self.bad_input(session, error, now);
                }
            };
            self.sender.fragmented(opcode, piece.bytes, settings.fragment);
            self.course.sent(&mut session.views, opcode, piece.bytes);
            report_frames(&mut self.sender, &mut session.views);
        }
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
        fill_random(&mut random);
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
                if self.state() != ReadyState::Open {
                    let text = "the connection is closing: this was not sent";
                    return views.tell(Kind::Notice { level: Level::Warning, text });
                }
                let size = fragment.or(session.settings.fragment);
                self.sender.fragmented(opcode, &payload, size);
                self.course.sent(views, opcode, &payload);
            }
            Command::Ping(payload) => self.ping(views, &payload, session.settings.interactive, now),
            Command::Pong(payload) => {
                self.sender.pong(&payload);
                let payload = payload.get(..125).unwrap_or(&payload);
                views.tell(Kind::Pong { direction: Direction::Out, payload, rtt: None });
            }
            Command::Close(status) => {
                self.course.closing.get_or_insert((Side::Us, now));
                self.sender.close(&status);
            }
            Command::Frame(spec) => {
                let frame = self.raw_frame(spec);
                if frame.header.opcode == Opcode::Close {
                    self.course.closing.get_or_insert((Side::Us, now));
                }
                self.sender.raw(&frame);
            }
            Command::Export { tool, show_secrets } => {
                let text = export(tool, &session.settings, show_secrets);
                views.tell(Kind::Answer { text: &text, bare: true });
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
                views.tell(Kind::Answer { text: &text, bare: false });
            }
            Command::Quit => self.leave(&session.settings, now, Over::Done),
            Command::Connect(url) => match Target::parse(&url) {
                Ok(_) => self.leave_for(session, Command::Connect(url), now),
                Err(error) => views.tell(Kind::Error(&error)),
            },
            Command::Reconnect => self.leave_for(session, Command::Reconnect, now),
        }
        report_frames(&mut self.sender, &mut session.views);
    }

    fn ping(&mut self, views: &mut Views, payload: &[u8], asked: bool, now: Instant) {
        let payload = payload.get(..125).unwrap_or(payload);
        self.sender.ping(payload);
        views.tell(Kind::Ping { direction: Direction::Out, payload });
        self.course.pinged_at = now;
        self.course.unanswered_since.get_or_insert(now);
        self.course.pings.push_back(OwnPing { payload: payload.to_vec(), sent: now, asked });
        if self.course.pings.len() > PINGS {
            self.course.pings.pop_front();
        }
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

    fn raw_frame(&mut self, spec: FrameSpec) -> RawFrame {
        let length = spec.length.unwrap_or(spec.payload.len() as u64);
        let header = FrameHeader {
            fin: spec.fin,
            rsv1: spec.rsv & 4 != 0,
            rsv2: spec.rsv & 2 != 0,
            rsv3: spec.rsv & 1 != 0,
            opcode: spec.opcode,
            masking_key: match spec.mask {
                MaskSpec::Fresh => Some(self.sender.masking_key()),
                MaskSpec::Key(key) => Some(key),
                MaskSpec::None => None,
            },
            length,
            length_form: spec.length_form.unwrap_or(LengthForm::minimal(length)),
        };
        RawFrame { header, payload: spec.payload }
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
            let limit = settings.max_time.unwrap_or_default().as_secs_f64();
            let what = format!("not done within {limit} s (--max-time)");
            self.begin_close(settings, now);
            self.course.fail(Error::new(Stage::Session, Exit::Timeout, what), now);
            self.course.deaf = true;
        }
        if let Some((status, _)) = self.course.failing.take_if(|(_, due)| now >= *due) {
            self.course.begin_close(&mut self.sender, &status, now);
            self.course.give_up(now + FAIL_PATIENCE);
        }
        let open = self.state() == ReadyState::Open;
        if open && self.pings_end(settings).is_some_and(|end| now >= end) {
            let patience = settings.ping_timeout.unwrap_or_default().as_secs_f64();
            let what = format!("the peer is gone: no pong for {patience} s (--ping-timeout)");
            self.begin_close(settings, now);
            self.course.fail(Error::new(Stage::Session, Exit::Timeout, what), now);
        } else if open && self.next_ping(settings).is_some_and(|due| now >= due) {
            self.ping(&mut session.views, b"are you there?", false, now);
        }
        if open && self.duration_ends(settings).is_some_and(|end| now >= end) {
            self.begin_close(settings, now);
        }
        if open && self.linger_ends(session).is_some_and(|end| now >= end) {
            self.begin_close(&session.settings, now);
        }
        if self.patience_ends(session).is_some_and(|end| now >= end) {
            self.course.ended.get_or_insert(End::Local);
        }
    }

    fn next_ping(&self, settings: &Settings) -> Option<Instant> {
        settings.ping_interval.map(|interval| self.course.pinged_at + interval)
    }

    /// When a peer that answers no ping is given up.
    fn pings_end(&self, settings: &Settings) -> Option<Instant> {
        Some(self.course.unanswered_since? + settings.ping_timeout?)
    }

    fn duration_ends(&self, settings: &Settings) -> Option<Instant> {
        settings.duration.map(|duration| self.course.opened_at + duration)
    }

    /// When the silence behind the end of the input will have lasted long enough. Blocked output
    /// is no silence: what has arrived wasn't even looked at.
    fn linger_ends(&self, session: &Session) -> Option<Instant> {
        let fence = self.course.fence.as_ref()?;
        let Linger::For(linger) = session.settings.linger else { return None };
        if session.views.are_congested() {
            return None;
        }
        let silence = if fence.answered { linger } else { linger.max(FENCE_PATIENCE) };
        Some(self.course.active_at + silence)
    }

    /// When we stop waiting for the peer to end the connection.
    fn patience_ends(&self, session: &Session) -> Option<Instant> {
        let course = &self.course;
        let (_, since) = course.closing?;
        // At the end of a pipe everything that arrives before the peer's Close counts.
        let arriving = !course.deaf && self.receiver.close_received().is_none();
        let patience = if arriving && session.views.are_congested() {
            None
        } else if arriving {
            Some(since.max(course.active_at) + CLOSE_PATIENCE)
        } else {
            Some(since + CLOSE_PATIENCE)
        };
        match (patience, course.give_up_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
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
                // reading end will tell how the connection ended.
                Err(_) => self.course.can_write = false,
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
            views.tell(Kind::Close { direction: Direction::Out, status, first });
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
            poll::wait(&mut fds, until);
            let [wake, socket, stdin, ..] = &fds;
            woken = woken || poll::is_ready(wake);
            readable = readable || (reads && (buffered || poll::is_ready(socket)));
            input = input || (piped.is_some() && poll::is_ready(stdin));
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
            self.patience_ends(session),
            self.course.failing.as_ref().map(|(_, due)| *due),
            self.next_ping(settings).filter(|_| open),
            self.pings_end(settings).filter(|_| open),
            self.duration_ends(settings).filter(|_| open),
            self.linger_ends(session).filter(|_| open),
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
        let totals = self.totals();
        session.views.emit(Kind::Closed { closure: &closure, totals: &totals });
        if session.signalled.is_some() {
            return Ok(Over::Done);
        }
        if let Some(failure) = self.course.failure.take() {
            return Err(failure);
        }
        if let Some(over) = self.course.leave {
            return Ok(over);
        }
        self.judge(&closure, &session.settings)
    }

    fn judge(&self, closure: &Closure, settings: &Settings) -> Result<Over> {
        if self.course.met {
            return Ok(Over::Done);
        }
        if closure.received.is_none() {
            return Err(self.unanswered(closure));
        }
        let code = closure.code();
        let good = matches!(code, CloseCode::NORMAL | CloseCode::GOING_AWAY | CloseCode(1005));
        if closure.first == Some(Side::Peer) && !good && !settings.ok_close.contains(&code) {
            let reason = closure.received.as_ref().map_or(&b""[..], |status| &status.reason);
            let reason = match reason {
                [] => "without a reason".to_owned(),
                some => format!("\"{}\"", Untrusted(some)),
            };
            let what = format!("the peer closed with {code} ({}): {reason}", code.meaning());
            return Err(Error::new(Stage::Close, Exit::PeerError, what)
                .hint(format!("if that is fine: --ok-close {code}")));
        }
        let expectation = match (settings.count, &settings.until) {
            (Some(count), _) => {
                let came = self.course.totals.messages_in;
                Some(format!("only {came} of {count} messages came (--count)"))
            }
            (None, Some(until)) => {
                let pattern = Untrusted::text(until.as_str());
                Some(format!("no message matched {pattern} (--until)"))
            }
            (None, None) => None,
        };
        match expectation {
            Some(what) => Err(Error::new(Stage::Session, Exit::Expectation, what)),
            None if settings.interactive => Ok(Over::Closed),
            None => Ok(Over::Done),
        }
    }

    /// The stream ended without the peer's Close frame.
    fn unanswered(&self, closure: &Closure) -> Error {
        let lost = |what: String| Error::new(Stage::Session, Exit::Lost, what);
        let place = self.receiver.position();
        match &closure.end {
            End::Local => {
                let unsent = self.sender.buffered();
                let what = format!(
                    "no Close frame from the peer within {} s of ours",
                    CLOSE_PATIENCE.as_secs()
                );
                let error = Error::new(Stage::Close, Exit::Timeout, what);
                if unsent > 0 {
                    error.cause(format!("the peer does not read: {unsent} bytes were not taken"))
                } else {
                    error
                }
            }
            End::Eof if closure.sent.is_some() => lost(format!(
                "the peer ended the connection without answering our Close frame (1006), {place}"
            )),
            End::Eof => lost(format!(
                "the peer ended the connection without a closing handshake (1006), {place}"
            )),
            End::Broken(why) => {
                lost(format!("the connection was lost (1006), {place}")).cause(why.clone())
            }
        }
    }
}

impl Course {
    /// Counts and tells a message that was queued.
    fn sent(&mut self, views: &mut Views, opcode: Opcode, bytes: &[u8]) {
        self.totals.messages_out += 1;
        self.totals.payload_out += bytes.len() as u64;
        views.tell(Kind::Data(Data {
            direction: Direction::Out,
            opcode,
            bytes,
            first: true,
            last: true,
            fragments: 1,
            wire_len: bytes.len() as u64,
            compressed: false,
        }));
    }

    /// Until when the Close frame that fails the connection waits for answers of the input's.
    fn answers_until(&self, answered: bool, now: Instant) -> Instant {
        match self.message_at {
            Some(at) if answered => at + ANSWER_PATIENCE,
            _ => now,
        }
    }

    fn is_enough(&self, settings: &Settings, bytes: &[u8]) -> bool {
        settings.count.is_some_and(|count| self.totals.messages_in >= count)
            || settings.until.as_ref().is_some_and(|until| until.is_match(bytes))
    }

    fn begin_close(&mut self, sender: &mut Sender, status: &CloseStatus, now: Instant) {
        self.closing.get_or_insert((Side::Us, now));
        sender.close(status);
    }

    fn fail(&mut self, error: Error, give_up_at: Instant) {
        self.failure.get_or_insert(error);
        self.give_up(give_up_at);
    }

    fn give_up(&mut self, at: Instant) {
        self.give_up_at = Some(self.give_up_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Everything that arrives besides data.
    fn control(&mut self, incoming: Incoming<'_>, views: &mut Views, pong: bool, now: Instant) {
        let direction = Direction::In;
        match incoming {
            Incoming::Data { .. } => {}
            Incoming::Frame { header, bytes, offset } => {
                views.tell(Kind::Frame(Frame { direction, header: &header, bytes, offset }));
            }
            Incoming::FramePayload { bytes: wire, offset } => {
                let masking_key = None;
                views.tell(Kind::FramePayload(FramePayload {
                    direction,
                    wire,
                    masking_key,
                    offset,
                }));
            }
            Incoming::Ping(payload) => {
                self.totals.pings_in += 1;
                views.tell(Kind::Ping { direction, payload });
                if pong {
                    views.tell(Kind::Pong { direction: Direction::Out, payload, rtt: None });
                }
            }
            Incoming::Pong(payload) => {
                self.totals.pongs_in += 1;
                if let Some(fence) = &mut self.fence
                    && fence.payload == payload
                {
                    fence.answered = true;
                    self.active_at = now;
                }
                let answered = self.answered(payload);
                let rtt = answered.as_ref().map(|ping| now - ping.sent);
                self.rtt = rtt.or(self.rtt);
                views.tell(Kind::Pong { direction, payload, rtt });
                if let (Some(OwnPing { asked: true, .. }), Some(rtt)) = (answered, rtt) {
                    let text = format!("pong after {}", Took(rtt));
                    views.tell(Kind::Answer { text: &text, bare: false });
                }
            }
            Incoming::Close(status) => {
                let (first, _) = *self.closing.get_or_insert((Side::Peer, now));
                views.tell(Kind::Close { direction, status, first });
            }
            Incoming::Warning(violation) => {
                views.tell(Kind::Violation { violation, fatal: false });
            }
            // These end the connection: see Talk::deliver.
            Incoming::Violation(_) | Incoming::Limit(_) => {}
        }
    }

    /// The ping that a pong answers; with it the earlier ones are answered too (§5.5.3).
    fn answered(&mut self, payload: &[u8]) -> Option<OwnPing> {
        let at = self.pings.iter().position(|ping| ping.payload == payload)?;
        let answered = self.pings.drain(..=at).next_back();
        self.unanswered_since = self.pings.front().map(|ping| ping.sent);
        answered
    }
}

fn report_frames(sender: &mut Sender, views: &mut Views) {
    let direction = Direction::Out;
    sender.see_frames(|frame| {
        let (header, bytes, offset) = (&frame.header, frame.bytes, frame.offset);
        views.tell(Kind::Frame(Frame { direction, header, bytes, offset }));
        if !frame.payload.is_empty() {
            let (wire, masking_key) = (frame.payload, frame.header.masking_key);
            let payload = FramePayload { direction, wire, masking_key, offset: 0 };
            views.tell(Kind::FramePayload(payload));
        }
    });
}

fn not_utf8(piece: &Piece<'_>) -> Error {
    let at = std::str::from_utf8(piece.bytes).err().map_or(0, |e| e.valid_up_to());
    let byte = piece.bytes.get(at).copied().unwrap_or_default();
    let offset = piece.offset + at as u64;
    let what = format!(
        "standard input is not UTF-8 at byte {offset} (message {}, byte {at}: {byte:02x})",
        piece.number
    );
    Error::new(Stage::Input, Exit::Local, what).hint("to send bytes as they are: --binary")
}

fn how(e: &io::Error) -> String {
    match e.kind() {
        ErrorKind::UnexpectedEof => "TLS was cut off without close_notify: truncated".to_owned(),
        ErrorKind::ConnectionReset => "connection reset by the peer (RST)".to_owned(),
        _ => Untrusted::text(&e.to_string()).to_string(),
    }
}

/// Masking keys from the operating system (§5.3, §10.3).
fn masking() -> Masking {
    Box::new(fill_random)
}

fn fill_random(bytes: &mut [u8]) {
    // Without randomness nothing safe can be sent; every system that we run on has it.
    getrandom::fill(bytes).unwrap_or_else(|e| panic!("the system gives no random bytes: {e}"));
}
