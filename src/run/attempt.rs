//! What is known of an attempt to open a connection, and of the connection that came of it. It
//! outlives both, for questions after the end.

use std::time::Duration;

use crate::event::{Event, Opening, TlsInfo, Totals};
use crate::http::head::Response;
use crate::protocol::close::Closure;
use crate::protocol::connection::Direction;
use crate::protocol::handshake::Request;
use crate::redact::Guarded;

/// The last attempt, from its events.
#[derive(Debug, Default)]
pub struct Attempt {
    /// The URL, without secrets; after a redirect the new one.
    pub url: String,
    /// The last request that was sent.
    pub request: Option<Guarded<Request>>,
    /// The response to it.
    pub response: Option<Guarded<Response>>,
    /// What TLS agreed on.
    pub tls: Option<TlsInfo>,
    /// What the opening handshake agreed on, if it succeeded.
    pub opening: Option<Opening>,
    /// The last measured round trip.
    pub rtt: Option<Duration>,
    /// How the connection ended, and the traffic on it.
    pub closed: Option<(Closure, Totals)>,
    /// Why the attempt failed.
    pub failed: Option<String>,
}

impl Attempt {
    /// Notes what the event says.
    pub fn see(&mut self, event: &Event<'_>) {
        match *event {
            Event::Attempt { url, .. } => *self = Attempt { url: url.into(), ..Attempt::default() },
            Event::Redirected { to, .. } => {
                *self = Attempt { url: to.into(), ..Attempt::default() }
            }
            Event::TlsEstablished { tls, .. } => self.tls = Some(tls.clone()),
            Event::RequestSent { request } => {
                self.request = Some(request.clone());
                self.response = None;
            }
            Event::ResponseReceived { response, .. } => self.response = Some(response.clone()),
            Event::Opened { opening } => self.opening = Some(opening.clone()),
            Event::Pong { direction: Direction::In, rtt: Some(rtt), .. } => self.rtt = Some(rtt),
            Event::Closed { closure, totals, .. } => self.closed = Some((closure.clone(), *totals)),
            Event::Reconnecting { why, .. } => self.fail(|| why.to_owned()),
            _ => {}
        }
    }

    /// The attempt has failed, unless a connection came of it.
    pub fn fail(&mut self, why: impl FnOnce() -> String) {
        if self.opening.is_none() {
            self.failed = Some(why());
        }
    }
}
