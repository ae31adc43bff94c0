//! The shared vocabulary: what happened, when, and in which direction.
//!
//! The transport and the session tell events; reporters turn them into bytes and see nothing else.
//! Events borrow what they speak of, so that a message costs no allocation on its way.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

pub use crate::protocol::connection::{Data, Direction, Frame, FramePayload};

use crate::error::Error;
use crate::http::head::Response;
use crate::protocol::close::{CloseStatus, Closure, Party};
use crate::protocol::handshake::{HandshakeReport, Request};
use crate::protocol::violation::{Exceeded, Violation};
use crate::redact::Guarded;

/// A moment: the wall clock's time and the time since the connection was asked for.
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
    /// When; for what arrives together in one read it is the time of that read.
    pub at: Moment,
    /// Counts the events of a run from 1.
    pub seq: u64,
    /// Of a server: which client, counted from 1; `None` for what concerns no single one.
    pub client: Option<u64>,
    /// What.
    pub event: &'a Event<'a>,
}

/// What happened. No secret is in it, unless secrets are to be shown: whoever makes an event hides
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
    /// The transport connection stands.
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
        /// What it said.
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
    /// A response's head (and, for a refusal, what there is of its body).
    ResponseReceived {
        /// As on the wire, but for secrets.
        response: &'a Guarded<Response>,
        /// From the request to the response.
        took: Duration,
        /// Another request follows from it, for a login or a redirect; its body isn't read.
        followed: bool,
    },
    /// A redirect is followed; what was told of the connection before is over.
    Redirected {
        /// The response's status.
        status: u16,
        /// The URL that was asked for, without user name and password.
        from: &'a str,
        /// The URL that is asked for next.
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
    /// Bytes of the payload of the frame that was announced last in that direction.
    FramePayload(FramePayload<'a>),
    /// A data message, or a piece of one that is too large to be held.
    Data(Data<'a>),
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
        /// Which, with the evidence.
        violation: &'a Violation,
        /// Whether the connection is failed for it, or it is only a warning.
        fatal: bool,
    },
    /// A limit of ours was hit: the connection is failed for it.
    Limit(Exceeded),
    /// The connection has ended.
    Closed {
        /// How.
        closure: &'a Closure,
        /// What went over it.
        totals: &'a Totals,
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
    /// Something worth saying: our own words (others' are escaped in them).
    Notice {
        /// How loud.
        level: Level,
        /// One line.
        text: &'a str,
    },
    /// An answer to something that the person asked for in the REPL; shown however quiet.
    Answer {
        /// One or more lines; what others chose is escaped in them, line ends too.
        text: &'a str,
        /// Whether it is to be copied from the screen, so that no mark may be in it.
        bare: bool,
    },
    /// The run failed.
    Error(&'a Error),
    /// The last event of every run, also of one that failed.
    Summary(&'a Summary),
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
    /// What verification would have refused, if it was let pass.
    pub unverified: Option<Unverified>,
}

/// Why a certificate wasn't trusted, and went through all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// What was wrong with it.
    pub why: String,
    /// What the option is called that let it pass.
    pub by: &'static str,
}

/// A certificate, as far as a person wants to know. The texts are as in the certificate: escape
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
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
    /// What compression did to those received that were compressed.
    pub compression_in: Compression,
    /// What compression did to those sent that were compressed.
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

/// What compression (RFC 7692) did to payload, in bytes.
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

    /// How much it saved in percent of the plain bytes, to a tenth; negative if it cost.
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

/// Something that can be changed while the session runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Binary payloads in whole as hex.
    Hex(bool),
    /// JSON payloads indented and coloured.
    Pretty(bool),
    /// A time before each line.
    Timestamps(bool),
    /// How much is shown: the number of `-v`.
    Verbose(u8),
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
    /// Takes note of an event's time, if it ends a phase. A new attempt begins anew.
    pub fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Redirected { .. } | Event::Resolving { .. } => *self = Timings::default(),
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

/// What came of a run; of its last connection, where there were several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What the process exits with.
    pub exit: u8,
    /// The failure, if it is one.
    pub error: Option<Error>,
    /// What was agreed, if the connection opened.
    pub opening: Option<Opening>,
    /// How it ended, if it opened.
    pub closure: Option<Closure>,
    /// What went over all connections of the run.
    pub totals: Totals,
    /// How long the phases took.
    pub timings: Timings,
}
