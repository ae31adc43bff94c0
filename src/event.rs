//! The shared vocabulary: what happened, when, and in which direction.
//!
//! The transport and the session emit events; reporters format them and see nothing else. Events
//! borrow their data, so that a message needs no allocation.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

pub use crate::protocol::connection::{Data, Direction, Frame, FramePayload};

use crate::diagnosis::Finding;
use crate::error::Error;
use crate::http::head::Response;
use crate::protocol::close::{CloseStatus, Closure, Party};
use crate::protocol::frame::Opcode;
use crate::protocol::handshake::{HandshakeReport, Request};
use crate::protocol::violation::{Exceeded, Violation};
use crate::redact::Guarded;

/// A moment, by the wall clock and by the monotonic time since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// For people and logs.
    pub wall: SystemTime,
    /// Monotonic, since the start of this run.
    pub since: Duration,
}

/// Makes moments. The wall clock is read once; later moments are that plus the monotonic time, so
/// that a clock that jumps can't reorder events.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: SystemTime,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Clock {
        Clock { start: Instant::now(), wall: SystemTime::now() }
    }

    /// The moment of `instant`.
    pub fn at(&self, instant: Instant) -> Moment {
        let since = instant.saturating_duration_since(self.start);
        Moment { wall: self.wall + since, since }
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.at(Instant::now())
    }
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub struct Stamped<'a> {
    /// When; events from one read share the time of that read.
    pub at: Moment,
    /// Counts the events of a run from 1.
    pub seq: u64,
    /// On a server: the client's number, from 1; `None` if the event concerns no single client.
    pub client: Option<u64>,
    /// What.
    pub event: &'a Event<'a>,
}

/// What happened. Contains no secrets, unless secrets are to be shown: the maker of an event hides
/// them ([`crate::redact`]).
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A name is being looked up.
    Resolving {
        /// The host as typed.
        host: &'a str,
    },
    /// The name has these addresses, in the order in which they will be tried.
    Resolved {
        /// The host as typed.
        host: &'a str,
        /// The addresses.
        addresses: &'a [SocketAddr],
        /// How long it took.
        took: Duration,
    },
    /// An address is being tried.
    Connecting {
        /// Which one, as text (an address and port, or a socket's path).
        to: &'a str,
    },
    /// An address failed; others may follow.
    ConnectFailed {
        /// Which one.
        to: &'a str,
        /// Why.
        why: &'a str,
    },
    /// An attempt to open a connection begins. Views for machines leave it out: what follows says it.
    Attempt {
        /// The URL, without user name, password and secrets.
        url: &'a str,
        /// Whether it may be repeated without a word ([`Event::Postponed`]).
        tentative: bool,
    },
    /// A tentative attempt failed and is repeated: views for people forget it. Views for machines
    /// leave this out.
    Postponed,
    /// The transport connection is established.
    Connected {
        /// The peer's address.
        to: &'a str,
        /// Our own address.
        from: &'a str,
        /// From the beginning of the attempt.
        took: Duration,
    },
    /// A proxy has connected us to the target.
    ProxyConnected {
        /// The proxy, without its login.
        proxy: &'a str,
        /// The proxy's reply.
        answer: &'a str,
        /// How long it took.
        took: Duration,
    },
    /// The TLS handshake is done.
    TlsEstablished {
        /// What was negotiated.
        tls: &'a TlsInfo,
        /// How long it took.
        took: Duration,
    },
    /// The opening handshake's request was sent.
    RequestSent {
        /// As on the wire, but for secrets.
        request: &'a Guarded<Request>,
    },
    /// A 1xx response other than 101.
    InformationalResponse {
        /// Its head.
        response: &'a Guarded<Response>,
    },
    /// A response's head (and, for a refusal, the beginning of its body).
    ResponseReceived {
        /// As on the wire, but for secrets.
        response: &'a Guarded<Response>,
        /// From the request to the response.
        took: Duration,
        /// Whether it causes another request, for a login or a redirect; its body isn't read.
        followed: bool,
    },
    /// A redirect is followed; earlier events belong to the previous connection.
    Redirected {
        /// The response's status.
        status: u16,
        /// The requested URL, without user name and password.
        from: &'a str,
        /// The URL requested next.
        to: &'a str,
        /// The names of the fields that are not sent to another origin.
        dropped: &'a [String],
    },
    /// The response was judged.
    Judged {
        /// Every rule with its verdict.
        report: &'a HandshakeReport,
    },
    /// The connection is open.
    Opened {
        /// What was agreed.
        opening: &'a Opening,
    },
    /// A frame's header.
    Frame(Frame<'a>),
    /// Payload bytes of the last [`Event::Frame`] in that direction.
    FramePayload(FramePayload<'a>),
    /// A data message, or a piece of one that is too large to be held.
    Data(Data<'a>),
    /// Something was queued on request, for people: the message and its frames are events of their own.
    Sent(Sent<'a>),
    /// A message that came before, shown again on request.
    Recalled(Recalled<'a>),
    /// A ping with its payload.
    Ping {
        /// Which way.
        direction: Direction,
        /// At most 125 bytes.
        payload: &'a [u8],
    },
    /// A pong with its payload.
    Pong {
        /// Which way.
        direction: Direction,
        /// At most 125 bytes.
        payload: &'a [u8],
        /// For a pong that answers a ping of ours: the round trip.
        rtt: Option<Duration>,
    },
    /// A Close frame.
    Close {
        /// Which way.
        direction: Direction,
        /// Its code and reason.
        status: &'a CloseStatus,
        /// Who began the closing handshake.
        first: Party,
    },
    /// The peer broke a rule.
    Violation {
        /// The broken rule, with the evidence.
        violation: &'a Violation,
        /// Whether it fails the connection; otherwise it is a warning.
        fatal: bool,
    },
    /// The peer's data exceeds a limit of ours, which fails the connection.
    Limit(Exceeded),
    /// The connection has ended.
    Closed {
        /// How.
        closure: &'a Closure,
        /// The traffic on it.
        totals: &'a Totals,
        /// Whether the run reports the peer's Close as its failure, in the same words.
        failed: bool,
    },
    /// Another attempt will be made.
    Reconnecting {
        /// Counts from 1.
        attempt: u32,
        /// The wait before it.
        delay: Duration,
        /// Why the last connection or attempt ended.
        why: &'a str,
    },
    /// A notice in our own words; text from others is escaped in it.
    Notice {
        /// How loud.
        level: Level,
        /// One line.
        text: &'a str,
    },
    /// A ping of `wstap ping` was answered, or is given up.
    RoundTrip {
        /// Counts the pings from 1.
        number: u64,
        /// From the ping to its answer; `None` if no answer came in time.
        took: Option<Duration>,
    },
    /// What came of all pings of `wstap ping`.
    RoundTrips(&'a RoundTrips),
    /// The answer to a REPL command; shown even with `-q`.
    Answer {
        /// One or more lines; text from others is escaped in them, including its line ends.
        text: &'a str,
        /// Whether the user copies it from the screen, so that it must contain no marks.
        bare: bool,
    },
    /// The run failed.
    Error(&'a Error),
    /// A probe of `wstap check` was judged.
    Probed(&'a Probed),
    /// All probes of `wstap check` were tried, or the run was cut short.
    Checked(&'a Checked),
    /// The last event of every run, also of one that failed.
    Summary(&'a Summary),
}

/// A received message that is shown again.
#[derive(Clone, Copy, Debug)]
pub struct Recalled<'a> {
    /// Its number, counted back from the last, if it is to be shown.
    pub number: Option<usize>,
    /// Text or Binary.
    pub opcode: Opcode,
    /// The payload.
    pub bytes: &'a [u8],
    /// How it is shown.
    pub form: RecalledAs,
}

/// How a message is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecalledAs {
    /// As when it came.
    Received,
    /// As when it came, but in whole.
    Whole,
    /// As text, whatever it is.
    Text,
    /// In hex, in whole.
    Hex,
}

/// A message or a frame that was queued on request.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Text, Binary, Ping, Pong or Close; for a frame made by hand any.
    pub opcode: Opcode,
    /// The payload before masking and compression.
    pub payload: &'a [u8],
    /// The largest frame in bytes of payload, if it was cut into frames.
    pub fragment: Option<usize>,
    /// Whether it is a single frame made by hand.
    pub by_hand: bool,
    /// Whether the payload is on the screen where it was typed.
    pub typed: bool,
}

/// How loud a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only with `-v`.
    Detail,
    /// Always, save with `-q`.
    Info,
    /// Always, save with `-q`; something is not as it should be.
    Warning,
}

/// What the opening handshake agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The URL that was opened.
    pub url: String,
    /// The subprotocol, if the server chose one.
    pub subprotocol: Option<String>,
    /// The agreed extensions as in the response; empty without.
    pub extensions: String,
    /// From the start until open.
    pub took: Duration,
}

/// What TLS agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.3`.
    pub version: String,
    /// The cipher suite's name.
    pub cipher: String,
    /// The key exchange group.
    pub group: Option<String>,
    /// The ALPN protocol, if one was agreed.
    pub alpn: Option<String>,
    /// The name sent as SNI.
    pub sni: Option<String>,
    /// The chain as the server sent it, its own certificate first.
    pub certificates: Vec<Certificate>,
    /// The verification failure that was ignored, if there was one.
    pub unverified: Option<Unverified>,
}

/// Why a certificate wasn't trusted, though the connection went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// What was wrong with it.
    pub why: String,
    /// The name of the option that let it pass.
    pub by: &'static str,
}

/// The facts about a certificate that are shown. The texts are as in the certificate: escape them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The subject.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// Subject alternative names.
    pub names: Vec<String>,
    /// Valid from, RFC 3339.
    pub not_before: String,
    /// Valid until, RFC 3339.
    pub not_after: String,
    /// Whole days until then; negative once expired.
    pub days_left: i64,
    /// SHA-256 of the DER, in hex.
    pub sha256: String,
}

/// Counts over a connection, in frames, messages and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Data messages received.
    pub messages_in: u64,
    /// Data messages sent.
    pub messages_out: u64,
    /// Their payload in bytes, after inflation.
    pub payload_in: u64,
    /// Their payload in bytes, before compression.
    pub payload_out: u64,
    /// Compression of the compressed messages received.
    pub compression_in: Compression,
    /// Compression of the compressed messages sent.
    pub compression_out: Compression,
    /// Bytes of frames received, headers included.
    pub wire_in: u64,
    /// Bytes of frames sent, headers included.
    pub wire_out: u64,
    /// Frames received.
    pub frames_in: u64,
    /// Frames sent.
    pub frames_out: u64,
    /// Pings received.
    pub pings_in: u64,
    /// Pongs received.
    pub pongs_in: u64,
}

impl Totals {
    /// Counts a data message or a piece of one.
    #[inline]
    pub fn count(&mut self, data: &Data<'_>) {
        let (messages, payload, compression) = match data.direction {
            Direction::In => {
                (&mut self.messages_in, &mut self.payload_in, &mut self.compression_in)
            }
            Direction::Out => {
                (&mut self.messages_out, &mut self.payload_out, &mut self.compression_out)
            }
        };
        *messages += u64::from(data.last);
        *payload += data.bytes.len() as u64;
        if data.compressed {
            compression.plain += data.bytes.len() as u64;
            compression.wire += if data.last { data.wire_len } else { 0 };
        }
    }

    /// Adds the counts of another connection.
    pub fn add(&mut self, other: &Totals) {
        self.messages_in += other.messages_in;
        self.messages_out += other.messages_out;
        self.payload_in += other.payload_in;
        self.payload_out += other.payload_out;
        self.compression_in.add(other.compression_in);
        self.compression_out.add(other.compression_out);
        self.wire_in += other.wire_in;
        self.wire_out += other.wire_out;
        self.frames_in += other.frames_in;
        self.frames_out += other.frames_out;
        self.pings_in += other.pings_in;
        self.pongs_in += other.pongs_in;
    }
}

/// The effect of compression (RFC 7692) on payload, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    /// Before it.
    pub plain: u64,
    /// After it.
    pub wire: u64,
}

impl Compression {
    /// Whether anything was compressed.
    pub fn was_used(self) -> bool {
        self != Compression::default()
    }

    /// The saving in percent of the plain bytes, to a tenth; negative for a growth.
    pub fn saved_percent(self) -> f64 {
        let saved = self.plain as f64 - self.wire as f64;
        (saved / self.plain.max(1) as f64 * 1000.0).round() / 10.0
    }

    fn add(&mut self, other: Compression) {
        self.plain += other.plain;
        self.wire += other.wire;
    }
}

/// `saved 61 % (100 bytes as 39)`, or `cost 50 % (4 bytes as 6)`.
impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let saved = self.saved_percent();
        let verb = if saved < 0.0 { "cost" } else { "saved" };
        let Compression { plain, wire } = self;
        write!(f, "{verb} {:.0} % ({plain} bytes as {wire})", saved.abs())
    }
}

/// What came of a number of pings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// Pings sent.
    pub sent: u64,
    /// Those that were answered in time.
    pub answered: u64,
    /// Those that were not. A ping that was still awaited at the end is neither.
    pub lost: u64,
    /// From the first ping to the end.
    pub took: Duration,
    /// How long the answered ones took, if there were any.
    pub spread: Option<Spread>,
}

impl RoundTrips {
    /// How many were lost in percent of those that are not awaited any more; 0 if there are none.
    pub fn lost_percent(&self) -> f64 {
        self.lost as f64 * 100.0 / (self.answered + self.lost).max(1) as f64
    }
}

/// A probe's result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// `group.id`.
    pub id: &'static str,
    /// The RFC and clause.
    pub clause: &'static str,
    /// What a pass proves.
    pub proves: &'static str,
    /// The verdict.
    pub verdict: ProbeVerdict,
    /// What the server did, and for a fail what the RFC asks. Holds bytes of the server.
    pub why: String,
    /// A fail that was allowed, or a pass that was allowed to fail.
    pub allowed: bool,
    /// The exchange that decided it; `None` if nothing was sent.
    pub evidence: Option<Evidence>,
    /// How long all its exchanges took.
    pub took: Duration,
}

/// The exchange behind a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What was sent, without secrets.
    pub sent: Vec<u8>,
    /// What came.
    pub received: Vec<u8>,
    /// Both in words: frames, status lines, who ended it and when.
    pub story: Vec<String>,
    /// How to send it again, as a command.
    pub again: String,
}

/// The verdict on a server's behaviour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeVerdict {
    /// It could not be tried, or not be decided.
    #[default]
    NotApplicable,
    /// It does what the RFC asks.
    Pass,
    /// Allowed, but surprising or unsafe.
    Warn,
    /// It breaks the RFC.
    Fail,
}

impl ProbeVerdict {
    /// `pass`, `warn`, `fail` or `n/a`.
    pub fn name(self) -> &'static str {
        match self {
            ProbeVerdict::NotApplicable => "n/a",
            ProbeVerdict::Pass => "pass",
            ProbeVerdict::Warn => "warn",
            ProbeVerdict::Fail => "fail",
        }
    }
}

/// The counts of a run of probes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many passed.
    pub pass: usize,
    /// How many are warned of.
    pub warn: usize,
    /// How many failed and were not allowed to.
    pub fail: usize,
    /// How many could not be tried or decided.
    pub not_applicable: usize,
    /// How many failed and were allowed to.
    pub allowed: usize,
    /// How many have the verdict of the earlier run that this one is compared with; they are in no
    /// other count.
    pub unchanged: usize,
    /// The server did not survive, so that some were not tried.
    pub cut_short: bool,
    /// From the first probe to the end.
    pub took: Duration,
}

/// How round trips are spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// The shortest.
    pub min: Duration,
    /// The arithmetic mean.
    pub mean: Duration,
    /// The median; like the other percentiles to three digits.
    pub p50: Duration,
    /// Nine of ten are at most this long.
    pub p90: Duration,
    /// Of a hundred all but one are at most this long.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
    /// The mean difference between one round trip and the next.
    pub jitter: Duration,
    /// How many were how long, from the shortest to the longest, without a gap.
    pub histogram: Vec<Bucket>,
}

impl Spread {
    /// All but the histogram, each with its name.
    pub fn figures(&self) -> [(&'static str, Duration); 7] {
        [
            ("min", self.min),
            ("mean", self.mean),
            ("p50", self.p50),
            ("p90", self.p90),
            ("p99", self.p99),
            ("max", self.max),
            ("jitter", self.jitter),
        ]
    }
}

/// Round trips that are about equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// They are shorter than this, and at least half as long; a power of two in microseconds.
    pub below: Duration,
    /// How many there are.
    pub count: u64,
}

/// A setting of the views that can change while the session runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Colours.
    Color(bool),
    /// Binary payloads in whole as hex.
    Hex(bool),
    /// Received payloads that the application has compressed are inflated.
    Inflate(bool),
    /// JSON payloads indented and coloured.
    Pretty(bool),
    /// Only messages, failures and answers.
    Quiet(bool),
    /// Typed texts have `{{counter}}` and other fresh values in them.
    Templates(bool),
    /// A time before each line.
    Timestamps(bool),
    /// How much is shown: the number of `-v`.
    Verbose(u8),
}

impl Setting {
    /// Its name at the prompt.
    pub fn name(self) -> &'static str {
        match self {
            Setting::Color(_) => "color",
            Setting::Hex(_) => "hex",
            Setting::Inflate(_) => "inflate",
            Setting::Pretty(_) => "pretty",
            Setting::Quiet(_) => "quiet",
            Setting::Templates(_) => "templates",
            Setting::Timestamps(_) => "timestamps",
            Setting::Verbose(_) => "verbose",
        }
    }
}

/// The value.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Setting::Verbose(level) => write!(f, "{level}"),
            Setting::Color(on)
            | Setting::Hex(on)
            | Setting::Inflate(on)
            | Setting::Pretty(on)
            | Setting::Quiet(on)
            | Setting::Templates(on)
            | Setting::Timestamps(on) => f.write_str(if on { "on" } else { "off" }),
        }
    }
}

/// How long the phases before the opening took; `None` for those that did not take place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Looking up the name.
    pub resolve: Option<Duration>,
    /// The TCP (or Unix socket) connection.
    pub connect: Option<Duration>,
    /// The proxy.
    pub proxy: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the response.
    pub response: Option<Duration>,
    /// From the start until open.
    pub open: Option<Duration>,
}

impl Timings {
    /// Notes an event's time, if it ends a phase. A new attempt resets all phases.
    pub fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Attempt { .. } | Event::Redirected { .. } | Event::Resolving { .. } => {
                *self = Timings::default();
            }
            Event::Resolved { took, .. } => self.resolve = Some(*took),
            Event::Connected { took, .. } => self.connect = Some(*took),
            Event::ProxyConnected { took, .. } => self.proxy = Some(*took),
            Event::TlsEstablished { took, .. } => self.tls = Some(*took),
            Event::ResponseReceived { took, .. } => self.response = Some(*took),
            Event::Opened { opening } => self.open = Some(opening.took),
            _ => {}
        }
    }

    /// The phases that took place, in their order, each with its name.
    pub fn phases(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        [
            ("resolve", self.resolve),
            ("connect", self.connect),
            ("proxy", self.proxy),
            ("tls", self.tls),
            ("response", self.response),
            ("open", self.open),
        ]
        .into_iter()
        .filter_map(|(name, took)| Some((name, took?)))
    }
}

/// The result of a run; with several connections, that of the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The exit code of the process.
    pub exit: u8,
    /// The failure, if it is one.
    pub error: Option<Error>,
    /// What was found on a connection that did not fail; see [`crate::diagnosis`].
    pub findings: Vec<Finding>,
    /// What the handshake agreed on, if the connection opened.
    pub opening: Option<Opening>,
    /// How it ended, if it opened.
    pub closure: Option<Closure>,
    /// The traffic on all connections of the run.
    pub totals: Totals,
    /// How long the phases took.
    pub timings: Timings,
}
