//! Facts about a connection.

use std::time::Duration;

use crate::diagnosis::Sent;
use crate::error::Error;
use crate::event::{Opening, Totals};
use crate::http::head::Response;
use crate::protocol::connection::ReadyState;
use crate::protocol::handshake::Request;
use crate::protocol::violation::{Exceeded, Violation};
use crate::redact::Guarded;

/// How many of the peer's first bytes are kept.
pub(super) const FIRST_BYTES: usize = 512;

/// The result of the opening handshake.
#[derive(Debug)]
pub struct Opened {
    /// The request.
    pub request: Guarded<Request>,
    /// The response.
    pub response: Guarded<Response>,
    /// What was negotiated.
    pub opening: Opening,
    /// What the rules of [`crate::diagnosis`] need to know besides the request.
    pub(super) asked: Sent,
}

/// What made us fail the connection (RFC 6455 §7.1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A limit of ours was hit.
    Limit(Exceeded),
    /// No ping of ours was answered for this long.
    Silent(Duration),
    /// TLS failed after its handshake, for example because a client certificate was required.
    Tls(Error),
    /// The peer broke a rule.
    Violation(Violation),
}

/// A snapshot of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// readyState.
    pub state: ReadyState,
    /// bufferedAmount: bytes queued and not yet written to the stream, headers included.
    pub buffered: usize,
    /// The traffic so far.
    pub totals: Totals,
    /// The last measured round trip.
    pub rtt: Option<Duration>,
    /// How long it has been open.
    pub open_for: Duration,
}
