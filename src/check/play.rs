//! Plays a probe's exchanges against a server.

use std::io::ErrorKind;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use crate::check::case::{Ask, Base, Case, Finding, Head};
use crate::check::evidence::evidence;
use crate::check::transcript::{Ending, Transcript};
use crate::connection::{OpenOptions, Upgraded, random};
use crate::error::Result;
use crate::event::{Evidence, ProbeVerdict};
use crate::protocol::mask;
use crate::run::frame::FrameSpec;
use crate::run::{Source, Work};
use crate::transport::{DialOptions, Stream, Target};

/// How long a judge may measure beyond the patience.
const MAX_LONGER: Duration = Duration::from_secs(5);

/// Most bytes that a server may send beyond what was sent to it.
const MAX_RECEIVED: usize = 8 << 20;

/// What is needed to reach the server again and again.
pub struct Reach {
    /// The options of a plain opening.
    pub options: OpenOptions,
    /// Where that led, after redirects.
    pub target: Target,
    /// How that was reached.
    pub dial: DialOptions,
    /// How long an answer may take.
    pub patience: Duration,
}

impl Reach {
    /// Opens a connection, as the options say but for the offered extensions.
    ///
    /// # Errors
    /// Why it can't be opened.
    pub fn open(&self, work: &mut Work<'_>, offer: &str) -> Result<Upgraded> {
        work.open(&self.options.asking(|request| offer.clone_into(&mut request.extensions)))
    }

    /// Plays a case to its verdict.
    ///
    /// # Errors
    /// The connection could not be opened, or the run must end.
    pub fn play(
        &self,
        work: &mut Work<'_>,
        base: &Base,
        case: &Case,
    ) -> Result<(Finding, Evidence)> {
        self.watch(work, base, case, self.patience)
    }

    /// As [`Reach::play`], with a patience of its own.
    ///
    /// # Errors
    /// As there.
    pub fn watch(
        &self,
        work: &mut Work<'_>,
        base: &Base,
        case: &Case,
        patience: Duration,
    ) -> Result<(Finding, Evidence)> {
        let (mut wire, then, opened) = match &case.ask {
            Ask::Request(head, frames) => {
                let stream = work.dial(&self.target, &self.dial)?.stream;
                (Wire::new(stream, head.bytes(), &[]), frames.as_slice(), false)
            }
            Ask::Bytes(sent) => {
                let target = Target { secure: false, ..self.target.clone() };
                let stream = work.dial(&target, &self.dial)?.stream;
                (Wire::new(stream, sent.clone(), &[]), &[][..], true)
            }
            Ask::Plain(port, head) => {
                let target = Target { secure: false, port: *port, ..self.target.clone() };
                let stream = work.dial(&target, &self.dial)?.stream;
                (Wire::new(stream, head.bytes(), &[]), &[][..], false)
            }
            Ask::Frames { offer, frames } => {
                let Upgraded { stream, early, .. } = self.open(work, offer)?;
                (Wire::new(stream, bytes(frames), &early), &[][..], true)
            }
        };
        let mut until = Instant::now() + patience;
        let mut then = Some(then).filter(|frames| !frames.is_empty());
        let finding = loop {
            if let Some(frames) = then
                && wire.transcript.response().is_some_and(|(response, _)| response.status == 101)
            {
                wire.send(&bytes(frames));
                until = Instant::now() + patience;
                then = None;
            }
            let now = Instant::now();
            wire.transcript.now = now.saturating_duration_since(wire.since);
            let ended = wire.transcript.end.is_some();
            let over = now >= until || ended;
            if let Some(finding) = (case.judge)(&wire.transcript, over) {
                break finding;
            }
            if now >= until + MAX_LONGER {
                let why = "not decided in time".to_owned();
                break Finding { verdict: ProbeVerdict::NotApplicable, why };
            }
            // A judge may wait longer for a time that it measures.
            let next = if over { now + Duration::from_millis(100) } else { until };
            let next = next.min(now + Duration::from_millis(100));
            work.turn(&mut wire, next)?;
            if ended {
                until = until.min(now);
            }
        };
        Ok((finding, evidence(base, case, &wire.transcript, opened)))
    }
}

/// A stream whose bytes are recorded.
struct Wire {
    stream: Stream,
    /// How much of `transcript.sent` was written.
    written: usize,
    transcript: Transcript,
    /// When everything was sent; until then, when the exchange began.
    since: Instant,
}

impl Wire {
    fn new(stream: Stream, sent: Vec<u8>, early: &[u8]) -> Wire {
        let mut transcript = Transcript::default();
        transcript.sent = sent;
        if !early.is_empty() {
            transcript.receive(early, Duration::ZERO);
        }
        let mut wire = Wire { stream, written: 0, transcript, since: Instant::now() };
        wire.write();
        wire
    }

    fn send(&mut self, bytes: &[u8]) {
        self.transcript.sent.extend_from_slice(bytes);
        self.write();
    }

    fn pending(&self) -> bool {
        self.written < self.transcript.sent.len() || self.stream.wants_write()
    }

    fn write(&mut self) {
        while self.pending() {
            let rest = self.transcript.sent.get(self.written..).unwrap_or_default();
            let written = match rest {
                [] => self.stream.flush().map(|_| 0),
                rest => self.stream.write(rest),
            };
            match written {
                Ok(0) if rest.is_empty() => {}
                Ok(n) => {
                    self.written += n;
                    self.since = Instant::now();
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // The server may have closed before it read everything; its answer may be there.
                Err(_) => {
                    self.written = self.transcript.sent.len();
                    return;
                }
            }
        }
    }

    fn read(&mut self) {
        let mut buffer = [0; 16 << 10];
        loop {
            let at = Instant::now().saturating_duration_since(self.since);
            match self.stream.read(&mut buffer) {
                Ok(0) => self.transcript.end = Some((Ending::Fin, at)),
                Ok(n) if self.transcript.received.len() + n <= MAX_RECEIVED + self.written => {
                    self.transcript.receive(buffer.get(..n).unwrap_or_default(), at);
                    continue;
                }
                Ok(_) => self.transcript.end = Some((Ending::Broken, at)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => self.transcript.end = Some((Ending::Broken, at)),
            }
            return;
        }
    }
}

impl Source for Wire {
    fn fd(&self) -> BorrowedFd<'_> {
        self.stream.fd()
    }

    fn interest(&self) -> PollFlags {
        match (self.transcript.end, self.pending()) {
            (Some(_), _) => PollFlags::empty(),
            (None, true) => PollFlags::IN | PollFlags::OUT,
            (None, false) => PollFlags::IN,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.stream.has_buffered().then(Instant::now)
    }

    fn ready(&mut self, revents: PollFlags, _now: Instant) {
        if revents.contains(PollFlags::OUT) {
            self.write();
        }
        let readable = !revents.difference(PollFlags::OUT).is_empty();
        if self.transcript.end.is_none() && (readable || self.stream.has_buffered()) {
            self.read();
        }
    }
}

/// The frames as bytes, masked where they ask for it.
pub fn bytes(frames: &[FrameSpec]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for spec in frames {
        let mut fresh = [0; 4];
        random(&mut fresh);
        let mut frame = spec.clone().frame(|| fresh);
        frame.header.encode(&mut bytes);
        if let Some(key) = frame.header.masking_key {
            mask::apply(&mut frame.payload, key, 0);
        }
        bytes.extend_from_slice(&frame.payload);
    }
    bytes
}

/// The head of a request that the server accepted, to be changed by probes.
pub fn head(upgraded: &Upgraded) -> Head {
    let request = upgraded.opened.request.reveal();
    let fields = request.headers.iter().filter(|field| !field.is("sec-websocket-extensions"));
    Head {
        method: "GET",
        target: request.target.clone(),
        version: "1.1",
        fields: fields.cloned().collect(),
        body: Vec::new(),
        unfinished: false,
    }
}
