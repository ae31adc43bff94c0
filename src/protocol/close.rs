//! Closing: codes, reasons and how a connection ended (RFC 6455 §5.5.1, §7).

use std::fmt;
use std::time::Duration;

/// A status code (RFC 6455 §7.4), as sent, received or typed; it may be invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: the purpose is fulfilled.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// 1001: going away.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: CloseCode = CloseCode(1002);
    /// 1006: the connection was lost without a Close frame.
    pub const LOST: CloseCode = CloseCode(1006);
    /// 1007: payload that doesn't fit its type, for example text that is not UTF-8.
    pub const INVALID_PAYLOAD: CloseCode = CloseCode(1007);
    /// 1009: too big.
    pub const TOO_BIG: CloseCode = CloseCode(1009);

    /// Whether an endpoint may put the code into a Close frame (§7.4.1, §7.4.2 and the IANA
    /// registry): 1000–1003, 1007–1014 and 3000–4999.
    pub fn is_allowed_on_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// What the code means, from the RFC and the IANA registry.
    pub fn meaning(self) -> &'static str {
        match self.0 {
            0..=999 => "not used (RFC 6455 §7.4.2)",
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1004 => "reserved",
            1005 => "no status received (never sent on the wire)",
            1006 => "abnormal closure (never sent on the wire)",
            1007 => "invalid frame payload data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "mandatory extension missing",
            1011 => "internal server error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            1015 => "TLS handshake failed (never sent on the wire)",
            1016..=2999 => "reserved for the protocol, not assigned",
            3000 => "unauthorized",
            3003 => "forbidden",
            3008 => "timeout",
            3001..=3999 => "registered for libraries and frameworks",
            4000..=4999 => "private use, meaning is the application's",
            5000.. => "not used (RFC 6455 §7.4.2)",
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The body of a Close frame (§5.5.1). A Close without a body has no code, which the RFC's API
/// calls 1005.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseStatus {
    /// The status code, if the frame had a body.
    pub code: Option<CloseCode>,
    /// The reason's bytes as received; the RFC demands UTF-8, but they may break that rule.
    pub reason: Vec<u8>,
}

impl CloseStatus {
    /// The longest reason that fits into a control frame, in bytes: 125 less the code.
    pub const MAX_REASON: usize = 123;

    /// A status with a code and a reason.
    pub fn new(code: CloseCode, reason: &str) -> CloseStatus {
        CloseStatus { code: Some(code), reason: reason.as_bytes().to_vec() }
    }

    /// Reads a frame's payload. A body of one byte, which is a violation, gives no code.
    pub fn decode(body: &[u8]) -> CloseStatus {
        match body.split_first_chunk::<2>() {
            Some((code, reason)) => CloseStatus {
                code: Some(CloseCode(u16::from_be_bytes(*code))),
                reason: reason.to_vec(),
            },
            None => CloseStatus::default(),
        }
    }

    /// The frame's payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        if let Some(code) = self.code {
            body.extend_from_slice(&code.0.to_be_bytes());
            body.extend_from_slice(&self.reason);
        }
        body
    }
}

/// One of the two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// We.
    Us,
    /// The other one.
    Peer,
}

/// How the byte stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer ended its stream in order (FIN, and close_notify over TLS).
    Eof,
    /// We closed it, after the closing handshake or after we gave up waiting for its end.
    Local,
    /// The connection was lost: reset, or a TLS stream without close_notify. The text says how.
    Broken(String),
}

/// How a connection ended (RFC 6455 §7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// The Close frame that we sent.
    pub sent: Option<CloseStatus>,
    /// The Close frame that we received.
    pub received: Option<CloseStatus>,
    /// Who sent the first Close frame.
    pub first: Option<Party>,
    /// How the stream ended.
    pub end: End,
    /// From the first Close frame (or from the end, without one) until the stream was closed.
    pub took: Duration,
    /// How long the connection had been open.
    pub after: Duration,
    /// Bytes received after the peer's Close frame, and ignored (§5.5.1).
    pub ignored: u64,
}

impl Closure {
    /// "The WebSocket connection is closed cleanly" (§7.1.4): both Close frames were exchanged.
    pub fn is_clean(&self) -> bool {
        self.sent.is_some() && self.received.is_some()
    }

    /// Whether the peer's Close only confirms ours, with the same code, as a server "typically"
    /// does (§5.5.1).
    pub fn is_echo(&self) -> bool {
        let code = |status: &Option<CloseStatus>| status.as_ref().and_then(|status| status.code);
        self.first == Some(Party::Us) && code(&self.sent) == code(&self.received)
    }

    /// Whether the code reports no error: 1000, 1001, none, or an echo of our own code.
    pub fn is_normal(&self) -> bool {
        matches!(self.code(), CloseCode::NORMAL | CloseCode::GOING_AWAY | CloseCode(1005))
            || self.is_echo()
    }

    /// "The WebSocket connection close code" (§7.1.5): the received code, 1005 for a Close without
    /// one, 1006 without a Close.
    pub fn code(&self) -> CloseCode {
        match &self.received {
            Some(status) => status.code.unwrap_or(CloseCode(1005)),
            None => CloseCode(1006),
        }
    }
}
