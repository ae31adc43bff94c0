//! How a server opens a connection: TLS, the request, the response.

use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use crate::connection::Connection;
use crate::connection::facts::Opened;
use crate::connection::options::WireOptions;
use crate::diagnosis::Sent;
use crate::event::{Event, Level, Opening};
use crate::http::head::{
    BodyReader, HeadError, HeadLimits, HeadReader, RequestHead, RequestReader, Response, values,
};
use crate::protocol::deflate::Params;
use crate::protocol::handshake::{AcceptOptions, Reply, Request, answer, refuse};
use crate::redact::{Guarded, Secrets};
use crate::text::system::reason;
use crate::transport::{self, Stream};

/// Time limit for TLS, the request and the response.
const OPENING_TIME: Duration = Duration::from_secs(10);

/// A refused client that neither reads nor hangs up is dropped after this time.
const LEAVING_TIME: Duration = Duration::from_secs(10);

/// How a listener receives its clients.
#[derive(Clone, Debug, Default)]
pub struct ListenOptions {
    /// Which clients are accepted, and what is negotiated.
    pub accept: AcceptOptions,
    /// Limits of a request head.
    pub head_limits: HeadLimits,
    /// How the frames of an open connection are handled.
    pub wire: WireOptions,
}

/// A client whose opening handshake isn't complete. It never waits: its owner polls
/// [`Accepting::fd`] for [`Accepting::interest`] until [`Accepting::deadline`], calls
/// [`Accepting::ready`] with the result, and then [`Accepting::next`].
#[derive(Debug)]
pub struct Accepting {
    stream: Stream,
    phase: Phase,
    began: Instant,
    /// The time of the last [`Accepting::ready`].
    now: Instant,
    /// When the current phase times out.
    until: Instant,
    /// The TLS handshake was reported.
    tls_reported: bool,
    /// Bytes read but not yet processed.
    fresh: Vec<u8>,
    /// Bytes to be sent.
    answer: Vec<u8>,
    /// The client has ended its direction.
    ended: bool,
    broken: Option<io::Error>,
}

/// What became of a client.
#[derive(Debug)]
pub enum Step {
    /// The handshake goes on.
    Waiting(Box<Accepting>),
    /// The connection is open.
    Opened(Box<Connection>),
    /// It is gone.
    Over,
}

#[derive(Debug)]
enum Phase {
    /// TLS is negotiated, then the request head is read.
    Reading(RequestReader),
    /// A 101 is being sent.
    Opening(Box<Agreed>),
    /// A refusal is being sent; then we wait for the client to hang up, since closing first could
    /// destroy what it hasn't read yet. True once we have ended our direction.
    Leaving(bool),
}

#[derive(Debug)]
struct Agreed {
    opened: Opened,
    deflate: Option<Params>,
    early: Vec<u8>,
}

impl Accepting {
    /// Takes a client that has just connected.
    pub fn new(stream: Stream, options: &ListenOptions, now: Instant) -> Accepting {
        Accepting {
            tls_reported: !stream.is_handshaking(),
            stream,
            phase: Phase::Reading(RequestReader::new(options.head_limits)),
            began: now,
            now,
            until: now + OPENING_TIME,
            fresh: Vec::new(),
            answer: Vec::new(),
            ended: false,
            broken: None,
        }
    }

    /// The descriptor to poll.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.fd()
    }

    /// What to poll for.
    pub fn interest(&self) -> PollFlags {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, self.reads());
        interest.set(PollFlags::OUT, !self.answer.is_empty() || self.stream.wants_write());
        interest
    }

    /// When to call [`Accepting::ready`] even if the descriptor is quiet.
    pub fn deadline(&self) -> Instant {
        if self.reads() && self.stream.has_buffered() { self.now } else { self.until }
    }

    /// Reads, if the descriptor is readable.
    pub fn ready(&mut self, revents: PollFlags, now: Instant) {
        self.now = now;
        let readable = !revents.difference(PollFlags::OUT).is_empty();
        if self.reads() && (readable || self.stream.has_buffered()) {
            let mut buffer = [0; 16 << 10];
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(n) => self.fresh.extend_from_slice(buffer.get(..n).unwrap_or_default()),
                Err(e) => self.note(e),
            }
        }
    }

    /// Processes what was read, writes what the stream accepts, and reports events.
    pub fn next(
        self: Box<Self>,
        options: &ListenOptions,
        report: &mut dyn FnMut(Event<'_>),
    ) -> Step {
        self.next_deciding(options, &mut |head| answer(head, &options.accept), report)
    }

    /// As [`Accepting::next`], with an answer of the owner's to the request.
    pub fn next_deciding(
        mut self: Box<Self>,
        options: &ListenOptions,
        decide: &mut dyn FnMut(&RequestHead) -> Reply,
        report: &mut dyn FnMut(Event<'_>),
    ) -> Step {
        self.report_tls(report);
        if let Phase::Reading(reader) = &mut self.phase {
            let fresh = std::mem::take(&mut self.fresh);
            match reader.feed(&fresh) {
                Ok(Some((head, early))) => self.answer(head, early, decide, report),
                Ok(None) => {}
                Err(error) => self.unreadable(&error, report),
            }
        }
        self.write();
        match self.phase {
            _ if self.broken.is_some() || self.now >= self.until => self.give_up(report),
            Phase::Reading(_) if self.ended => {
                warn(report, "hung up before the end of its request");
                Step::Over
            }
            Phase::Opening(agreed) if self.answer.is_empty() => {
                let Agreed { opened, deflate, early } = *agreed;
                let agreed = (options.accept.policy, deflate);
                let connection =
                    Connection::accepted(self.stream, &options.wire, agreed, &early, opened);
                report(Event::Opened { opening: &connection.opened.opening });
                Step::Opened(Box::new(connection))
            }
            Phase::Leaving(true) if self.ended => Step::Over,
            _ => Step::Waiting(self),
        }
    }

    fn reads(&self) -> bool {
        !self.ended && self.broken.is_none() && !matches!(self.phase, Phase::Opening(_))
    }

    fn report_tls(&mut self, report: &mut dyn FnMut(Event<'_>)) {
        if !self.tls_reported && !self.stream.is_handshaking() {
            self.tls_reported = true;
            if let Some(tls) = self.stream.tls_info() {
                report(Event::TlsEstablished { tls: &tls, took: self.now - self.began });
            }
        }
    }

    fn answer(
        &mut self,
        head: RequestHead,
        early: Vec<u8>,
        decide: &mut dyn FnMut(&RequestHead) -> Reply,
        report: &mut dyn FnMut(Event<'_>),
    ) {
        let answered = decide(&head);
        let secrets = Secrets::Hidden;
        let scheme = if self.stream.tls_info().is_some() { "wss" } else { "ws" };
        let host = values(&head.headers, "host").next().unwrap_or_default();
        let target = String::from_utf8_lossy(&head.target).into_owned();
        let url = format!("{scheme}://{}{target}", String::from_utf8_lossy(host));
        let url = secrets.url(&url).into_owned();
        let request = Request { target, headers: head.headers, bytes: head.head };
        let request = Guarded::new(request, secrets);
        report(Event::RequestSent { request: &request });
        let (subprotocol, extensions, deflate) = match answered {
            Reply::Refused { response, why, .. } => return self.refuse(response, &why, report),
            Reply::Accepted { response, subprotocol, extensions, deflate } => {
                self.answer = response;
                (subprotocol, extensions, deflate)
            }
        };
        let response = self.report_response(report);
        let took = self.now - self.began;
        let opening = Opening { url, subprotocol, extensions, took };
        let opened = Opened { request, response, opening, asked: Sent::default() };
        self.phase = Phase::Opening(Box::new(Agreed { opened, deflate, early }));
    }

    fn unreadable(&mut self, error: &HeadError, report: &mut dyn FnMut(Event<'_>)) {
        if let Reply::Refused { response, why, .. } = refuse(error) {
            self.refuse(response, &why, report);
        }
    }

    fn refuse(&mut self, response: Vec<u8>, why: &str, report: &mut dyn FnMut(Event<'_>)) {
        self.answer = response;
        self.report_response(report);
        warn(report, &format!("refused, {why}"));
        self.phase = Phase::Leaving(false);
        self.until = self.now + LEAVING_TIME;
    }

    /// Reports the response that is about to be sent, and returns it.
    fn report_response(&self, report: &mut dyn FnMut(Event<'_>)) -> Guarded<Response> {
        let read = HeadReader::new(HeadLimits::default()).feed(&self.answer);
        let (mut response, rest) = read.ok().flatten().unwrap_or_default();
        if response.status != 101 {
            let mut body = BodyReader::new(&response, rest.len());
            body.feed(&rest);
            (response.body, response.body_cut) = body.finish();
        }
        let response = Guarded::new(response, Secrets::Hidden);
        let took = self.now - self.began;
        report(Event::ResponseReceived { response: &response, took, followed: false });
        response
    }

    fn write(&mut self) {
        while !self.answer.is_empty() || self.stream.wants_write() {
            let written = match self.answer.as_slice() {
                [] => self.stream.flush().map(|_| 0),
                bytes => self.stream.write(bytes),
            };
            match written {
                Ok(0) => break,
                Ok(n) => {
                    self.answer.drain(..n);
                    if let Phase::Leaving(_) = self.phase {
                        self.until = self.now + LEAVING_TIME;
                    }
                }
                Err(e) => {
                    self.note(e);
                    break;
                }
            }
        }
        if let Phase::Leaving(finished) = &mut self.phase {
            self.fresh.clear();
            if self.answer.is_empty() && !*finished {
                *finished = true;
                // The client may be gone already.
                let _ = self.stream.shutdown_write();
            }
        }
    }

    fn note(&mut self, e: io::Error) {
        if !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) {
            self.broken = Some(e);
        }
    }

    fn give_up(&mut self, report: &mut dyn FnMut(Event<'_>)) -> Step {
        let what = match (&self.broken, &self.phase) {
            (Some(e), _) => match transport::tls_failure(e) {
                Some(error) => error.what,
                None => reason(e),
            },
            (None, Phase::Reading(_)) => "sent no request in time".to_owned(),
            (None, Phase::Opening(_)) => "didn't take the response in time".to_owned(),
            (None, Phase::Leaving(_)) => "didn't hang up in time".to_owned(),
        };
        match &self.phase {
            Phase::Leaving(_) => report(Event::Notice { level: Level::Detail, text: &what }),
            _ => warn(report, &what),
        }
        // An alert may be on its way.
        let _ = self.stream.shutdown_write();
        Step::Over
    }
}

fn warn(report: &mut dyn FnMut(Event<'_>), text: &str) {
    report(Event::Notice { level: Level::Warning, text });
}
