//! Opening a connection: dial, send the request, judge the response.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::connection::body;
use crate::connection::cookies::CookieFile;
use crate::connection::facts::Opened;
use crate::connection::options::OpenOptions;
use crate::connection::route::{Follow, Route, unix_now};
use crate::diagnosis::{self, End, Facts, Sent};
use crate::error::{Error, Exit, Hint, Limit, Result, Stage};
use crate::event::{Event, Level, Opening};
use crate::http::date::retry_after;
use crate::http::head::{BodyReader, HeadError, HeadLimits, HeadReader, Response};
use crate::protocol::handshake::{HandshakeReport, Request, RuleResult, Verdict};
use crate::redact::{self, Echo, Guarded, Secrets};
use crate::sys;
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::text::units::Count;
use crate::transport::{self, DialOptions, Progress, Stream, Target};

/// Most bytes of a refusal's body that are shown.
const MAX_BODY: usize = 64 << 10;

/// Time limit for reading a refusal's body; the status is shown in any case.
const BODY_PATIENCE: Duration = Duration::from_secs(3);

/// A stream that has switched protocols.
#[derive(Debug)]
pub struct Upgraded {
    /// The stream.
    pub stream: Stream,
    /// Bytes already received after the response.
    pub early: Vec<u8>,
    /// The verdict on the response, with secrets hidden.
    pub report: HandshakeReport,
    /// The request and the response.
    pub opened: Opened,
    /// Where it led, after redirects.
    pub target: Target,
    /// How that was reached.
    pub dial: DialOptions,
}

/// Opens a connection up to the response, with redirects and logins if needed, for a caller that reads
/// and writes the stream itself. The deadline covers all of it.
///
/// # Errors
/// Exits 2 to 9, 11 and 12, and the error of `progress` if that interrupts the opening.
pub fn open(
    options: &OpenOptions,
    cookies: &mut Option<CookieFile>,
    progress: &mut dyn Progress,
    deadline: Instant,
) -> Result<Upgraded> {
    let start = Instant::now();
    let limit = deadline.saturating_duration_since(start);
    let mut route = Route::new(options)?;
    loop {
        let stream = transport::dial(&route.target, &route.dial, Some(deadline), progress)?.stream;
        let secrets = options.secrets;
        let request = Guarded::new(route.request(cookies.as_ref()), secrets);
        let limits = options.head_limits;
        let target = route.target.clone();
        let (received, sight) = (0, Sight::Nothing);
        let mut exchange =
            Exchange { stream, deadline, limit, limits, secrets, target, received, sight };
        let sent = Instant::now();
        let (mut response, early) = match exchange.run(&request, progress) {
            Ok(answer) => answer,
            Err(error) => {
                let asked = read(route.sent(cookies.as_ref()), &request);
                return Err(exchange.explained(error, asked, sent.elapsed()));
            }
        };
        let notes = keep_cookies(cookies, &response, &exchange.target);
        let next = route.next(&response, cookies.as_ref()).map_err(|error| {
            // It shows the Location, which may quote a secret of the request.
            Error { what: Echo::of(request.reveal()).text(&error.what), ..error }
        });
        let followed = matches!(next, Ok(Follow::Login(_) | Follow::Redirected { .. }));
        let took = sent.elapsed();
        if response.status != 101 && !followed {
            exchange.finish(&mut response, &early, progress);
        }
        let response = Guarded::answer(response, secrets, request.reveal());
        progress.event(Event::ResponseReceived { response: &response, took, followed });
        for (level, text) in notes {
            progress.event(Event::Notice { level, text: &text });
        }
        match next? {
            Follow::Done if response.status() == 101 => {
                let asked = route.sent(cookies.as_ref());
                let judged = (request, response);
                let upgraded = upgraded(options, exchange, early, judged, asked, start, progress)?;
                return Ok(Upgraded { dial: route.dial, ..upgraded });
            }
            Follow::Done => {
                let response = response.shown();
                let error = refused(response);
                // 495 and 496 are nginx's internal codes for it; it sends 400.
                let client = matches!(response.status, 400 | 401 | 403 | 495 | 496);
                let asked = client && exchange.stream.lacks_certificate();
                let sent = read(route.sent(cookies.as_ref()), &request);
                let facts = Facts { waited: took, ..Facts::new(sent, End::Refused(response)) };
                let error = error.found(diagnosis::diagnose(&facts));
                return Err(if asked { error.hint(Hint::ClientCertificateAsked) } else { error });
            }
            Follow::Login(text) => {
                progress.event(Event::Notice { level: Level::Detail, text: &text });
            }
            Follow::Redirected { from, to, dropped } => {
                let (status, dropped) = (response.status(), &dropped);
                let (from, to) = (&secrets.url(&from), &secrets.url(&to));
                progress.event(Event::Redirected { status, from, to, dropped });
            }
        }
    }
}

/// Takes the cookies of a response; returns notes about those that were refused or not saved.
fn keep_cookies(
    cookies: &mut Option<CookieFile>,
    response: &Response,
    from: &Target,
) -> Vec<(Level, String)> {
    let Some(jar) = cookies else { return Vec::new() };
    let (refused, failed) = jar.take(response, from, unix_now());
    let refused = refused.into_iter().map(|text| (Level::Detail, text));
    refused.chain(failed.map(|text| (Level::Warning, text))).collect()
}

/// What is known of an opening, with what its request says.
fn read(sent: Sent, request: &Guarded<Request>) -> Sent {
    sent.reading(request.reveal(), request.secrets())
}

impl Opened {
    /// The request as the rules of [`crate::diagnosis`] see it; read when something is to be
    /// explained, because most openings need no explanation.
    pub(super) fn sent(&self) -> Sent {
        read(self.asked.clone(), &self.request)
    }
}

/// Judges a 101.
fn upgraded(
    options: &OpenOptions,
    exchange: Exchange,
    early: Vec<u8>,
    (request, response): (Guarded<Request>, Guarded<Response>),
    asked: Sent,
    start: Instant,
    progress: &mut dyn Progress,
) -> Result<Upgraded> {
    let secrets = options.secrets;
    let report = HandshakeReport::judge(request.reveal(), response.reveal(), options.policy);
    let report = if progress.wants_details() || report.verdict() != Verdict::Pass {
        let report = secrets.report(report, request.reveal());
        progress.event(Event::Judged { report: &report });
        report
    } else {
        // Nobody shows the rules, so that nothing in them need be hidden.
        secrets.report(HandshakeReport { rules: Vec::new(), ..report }, request.reveal())
    };
    if report.verdict() == Verdict::Fail {
        let end = End::Broken { response: response.shown(), report: &report };
        let facts = Facts::new(read(asked, &request), end);
        return Err(broken(&report).found(diagnosis::diagnose(&facts)));
    }
    let opening = Opening {
        url: secrets.url(&exchange.target.url()).into_owned(),
        subprotocol: report.subprotocol.clone(),
        extensions: report.extensions.clone(),
        took: start.elapsed(),
    };
    let opened = Opened { request, response, opening, asked };
    let Exchange { stream, target, .. } = exchange;
    Ok(Upgraded { stream, early, report, opened, target, dial: DialOptions::default() })
}

/// The HTTP exchange over a dialed stream.
struct Exchange {
    stream: Stream,
    deadline: Instant,
    /// The time from the start to the deadline.
    limit: Duration,
    limits: HeadLimits,
    secrets: Secrets,
    target: Target,
    received: usize,
    sight: Sight,
}

/// What was seen instead of an answer.
enum Sight {
    /// Nothing that says why.
    Nothing,
    /// The end of the stream without a byte.
    Silence { reset: bool },
    /// No answer in time.
    Hanging,
    /// Bytes that are no HTTP/1.1.
    Foreign(Vec<u8>),
}

impl Exchange {
    /// The error of [`Exchange::run`] with its findings.
    fn explained(&self, error: Error, asked: Sent, waited: Duration) -> Error {
        let end = match &self.sight {
            Sight::Nothing => return error,
            Sight::Silence { reset } => End::Silent { reset: *reset },
            Sight::Hanging => End::Hanging,
            Sight::Foreign(bytes) => End::Foreign(bytes),
        };
        error.found(diagnosis::diagnose(&Facts { waited, ..Facts::new(asked, end) }))
    }

    /// Sends the request; returns the final response's head and the bytes received after it.
    fn run(
        &mut self,
        request: &Guarded<Request>,
        progress: &mut dyn Progress,
    ) -> Result<(Response, Vec<u8>)> {
        self.send(&request.reveal().bytes, progress)?;
        progress.event(Event::RequestSent { request });
        let mut rest = Vec::new();
        let mut informational = 0;
        loop {
            let mut reader = HeadReader::new(self.limits);
            let (response, behind) = self.head(&mut reader, rest, request, progress)?;
            match response.status {
                100 | 102..=199 => {
                    informational += 1;
                    if informational > 16 {
                        let what = "more than 16 informational responses";
                        return Err(Error::new(Stage::Handshake, Exit::Limit, what));
                    }
                    let response = Guarded::answer(response, self.secrets, request.reveal());
                    progress.event(Event::InformationalResponse { response: &response });
                    rest = behind;
                }
                _ => return Ok((response, behind)),
            }
        }
    }

    /// Reads a refusal's body into the response.
    fn finish(&mut self, response: &mut Response, behind: &[u8], progress: &mut dyn Progress) {
        let mut body = BodyReader::new(response, MAX_BODY);
        self.body(&mut body, behind, progress);
        (response.body, response.body_cut) = body.finish();
        body::decode(response, MAX_BODY);
    }

    fn send(&mut self, mut bytes: &[u8], progress: &mut dyn Progress) -> Result<()> {
        while !bytes.is_empty() || self.stream.wants_write() {
            let written = match self.stream.write(bytes) {
                Ok(n) => self.stream.flush().map(|_| n),
                Err(e) => Err(e),
            };
            match written {
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(self.lost(&e)),
            }
            if !bytes.is_empty() || self.stream.wants_write() {
                self.wait(PollFlags::OUT, self.deadline, "sending the request", progress)?;
            }
        }
        Ok(())
    }

    fn head(
        &mut self,
        reader: &mut HeadReader,
        rest: Vec<u8>,
        request: &Guarded<Request>,
        progress: &mut dyn Progress,
    ) -> Result<(Response, Vec<u8>)> {
        let mut buffer = [0; 16 << 10];
        let mut fresh = rest;
        loop {
            match reader.feed(&fresh) {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => {}
                Err(e) => return Err(self.unreadable(e, &Echo::of(request.reveal()))),
            }
            fresh.clear();
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    let what = format!("the server closed the connection {}", self.place());
                    if self.received == 0 {
                        self.sight = Sight::Silence { reset: false };
                    }
                    return Err(Error::new(Stage::Handshake, Exit::Lost, what));
                }
                Ok(n) => {
                    self.received += n;
                    fresh.extend_from_slice(buffer.get(..n).unwrap_or_default());
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.wait(PollFlags::IN, self.deadline, "waiting for the response", progress)?;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(self.lost(&e)),
            }
        }
    }

    /// Reads a refusal's body; what was received is kept even if reading fails.
    fn body(&mut self, body: &mut BodyReader, behind: &[u8], progress: &mut dyn Progress) {
        let patience = self.deadline.min(Instant::now() + BODY_PATIENCE);
        let mut buffer = [0; 16 << 10];
        body.feed(behind);
        while !body.is_done() {
            match self.stream.read(&mut buffer) {
                Ok(0) => return,
                // A peer may send framing without payload forever, and never pause.
                Ok(_) if Instant::now() >= patience => return,
                Ok(n) => {
                    body.feed(buffer.get(..n).unwrap_or_default());
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    if self.wait(PollFlags::IN, patience, "", progress).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    fn wait(
        &mut self,
        what_for: PollFlags,
        until: Instant,
        doing: &str,
        progress: &mut dyn Progress,
    ) -> Result<()> {
        if Instant::now() >= until {
            if self.received == 0 {
                self.sight = Sight::Hanging;
            }
            let what = format!("no answer within {}: {doing}", transport::shown_limit(self.limit));
            return Err(Error::new(Stage::Handshake, Exit::Timeout, what)
                .hint(Hint::MoreTime(Limit::ConnectTimeout)));
        }
        let ready = {
            let socket = self.stream.fd();
            let wake = match progress.wake_fd() {
                Some(wake) => PollFd::from_borrowed_fd(wake, PollFlags::IN),
                None => PollFd::from_borrowed_fd(socket, PollFlags::empty()),
            };
            let mut fds = [PollFd::from_borrowed_fd(socket, what_for), wake];
            sys::wait(&mut fds, Some(until));
            fds.last().is_some_and(sys::is_ready)
        };
        match ready.then(|| progress.interrupted()).flatten() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn lost(&mut self, e: &std::io::Error) -> Error {
        if let Some(error) = transport::tls_failure(e) {
            return error;
        }
        if self.received == 0 {
            self.sight = Sight::Silence { reset: e.kind() == ErrorKind::ConnectionReset };
        }
        let what = format!("the connection was lost {}", self.place());
        Error::new(Stage::Handshake, Exit::Lost, what).cause(reason(e))
    }

    /// The position in the response.
    fn place(&self) -> String {
        let received = Count(self.received as u64, "byte");
        let place = if self.received == 0 { "without an answer" } else { "in the response head" };
        format!("after {received}, {place}")
    }

    /// The answer is not a response head. A server that sends everything back sends our secrets.
    fn unreadable(&mut self, e: HeadError, echo: &Echo) -> Error {
        let broken = |what: String| Error::new(Stage::Handshake, Exit::Handshake, what);
        match e {
            HeadError::NotHttp(bytes) => {
                let shown = echo.without(&bytes);
                let shown = redact::head(&shown);
                let what = format!("the answer is not HTTP/1.1: \"{}\"", Untrusted(&shown));
                self.sight = Sight::Foreign(shown.into_owned());
                broken(what)
            }
            HeadError::StartLine(line) => {
                let line = echo.without(&line);
                let line = redact::words(&line);
                broken(format!("a status line that can't be read: \"{}\"", Untrusted(&line)))
            }
            HeadError::FieldLine(line, why) => {
                let line = redact::bad_header(&echo.without(&line));
                broken(format!("a bad header line, {why}: \"{}\"", Untrusted(&line)))
            }
            HeadError::TooLong(limit) => {
                let what = format!("the response head is longer than {limit} bytes");
                Error::new(Stage::Handshake, Exit::Limit, what).limit(Limit::MaxHead)
            }
            HeadError::TooMany(limit) => {
                let what = format!("the response has more than {limit} headers");
                Error::new(Stage::Handshake, Exit::Limit, what).limit(Limit::MaxHeaders)
            }
        }
    }
}

/// The server's 101 breaks the handshake.
fn broken(report: &HandshakeReport) -> Error {
    let line = |r: &RuleResult| {
        let received = match r.received.as_slice() {
            [] => "nothing".to_owned(),
            some => shown_value(&redact::protocols(some)),
        };
        let note = if r.note.is_empty() {
            String::new()
        } else {
            format!(", {}", Untrusted::text(&r.note))
        };
        let expected = redact::protocols(r.expected.as_bytes());
        let expected = Untrusted(&expected);
        format!(
            "not true that {}: expected {expected}, received {received}{note} ({})",
            r.rule.sentence(),
            r.rule.clause()
        )
    };
    let mut failed = report.with(Verdict::Fail).map(line);
    let what =
        format!("the server's answer breaks the handshake: {}", failed.next().unwrap_or_default());
    failed.fold(Error::new(Stage::Handshake, Exit::Handshake, what), Error::cause)
}

/// The received value, shortened: a header can have 64 KiB, too much for one line.
fn shown_value(bytes: &[u8]) -> String {
    const MAX_SHOWN: usize = 300;
    match bytes.get(..MAX_SHOWN) {
        Some(first) if first.len() < bytes.len() => {
            format!("\"{}…\" ({} bytes)", Untrusted(first), bytes.len())
        }
        _ => format!("\"{}\"", Untrusted(bytes)),
    }
}

/// The server did not switch protocols.
fn refused(response: &Response) -> Error {
    let status = response.status;
    let what = format!(
        "upgrade refused: the server answered {status} {} instead of 101",
        Untrusted(&response.reason)
    );
    let mut error =
        Error::new(Stage::Handshake, Exit::Refused, what).transient(response.is_transient());
    error.retry_after = retry_after(&response.headers, unix_now());
    error
}
