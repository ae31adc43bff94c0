//! What is known of a connection.

use std::time::Duration;

use crate::error::Error;
use crate::event::{Opening, TlsInfo, Totals};
use crate::http::head::Response;
use crate::protocol::connection::ReadyState;
use crate::protocol::handshake::Request;
use crate::protocol::violation::{Exceeded, Violation};
use crate::redact::Guarded;

/// What is known from the opening.
#[derive(Debug)]
pub struct Opened {
    /// The request.
    pub request: Guarded<Request>,
    /// The response.
    pub response: Guarded<Response>,
    /// What was agreed.
    pub opening: Opening,
}

/// What made us fail the connection (RFC 6455 §7.1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A limit of ours was hit.
    Limit(Exceeded),
    /// No ping of ours was answered for this long.
    Silent(Duration),
    /// TLS failed behind its handshake, for example for want of a client certificate.
    Tls(Error),
    /// The peer broke a rule.
    Violation(Violation),
}

/// What is known of a connection at a moment.
#[derive(Debug)]
pub struct Facts<'a> {
    /// What is known from the opening.
    pub opened: &'a Opened,
    /// readyState.
    pub state: ReadyState,
    /// bufferedAmount: bytes queued and not yet taken by the stream, headers included.
    pub buffered: usize,
    /// What went over it so far.
    pub totals: Totals,
    /// The last round trip that was measured.
    pub rtt: Option<Duration>,
    /// How long it has been open.
    pub open_for: Duration,
    /// What TLS agreed on; `None` without TLS.
    pub tls: Option<TlsInfo>,
}
