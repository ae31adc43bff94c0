//! Options for opening and holding a connection.

use std::borrow::Cow;
use std::time::Duration;

use crate::connection::login::Login;
use crate::error::Result;
use crate::http::head::HeadLimits;
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::connection::{Config, Delivery, Side};
use crate::protocol::deflate::Params;
use crate::protocol::handshake::RequestOptions;
use crate::protocol::violation::Policy;
use crate::redact::{Secret, Secrets};
use crate::transport::{DialOptions, Proxies, Target};

/// How to open a connection.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// What to connect to.
    pub target: Target,
    /// The target that the request's headers were typed for: no other origin gets their secrets.
    pub origin: Target,
    /// How to reach it; the proxy comes from `proxies`.
    pub dial: DialOptions,
    /// The proxies.
    pub proxies: Proxies,
    /// Send the path as it was typed; see [`Target::with_path_of`].
    pub path_as_is: bool,
    /// The request target for the first request, instead of path and query.
    pub request_target: Option<String>,
    /// The request; its headers may hold secrets.
    pub request: Secret<RequestOptions>,
    /// How to log in.
    pub login: Login,
    /// How many redirects are followed; with `None` a redirect is a refusal.
    pub redirects: Option<usize>,
    /// Whether events and answers show secrets.
    pub secrets: Secrets,
    /// Strict or lenient, where the RFCs allow both.
    pub policy: Policy,
    /// Limits of a response head.
    pub head_limits: HeadLimits,
    /// Time limit from the start until the connection is open.
    pub connect_timeout: Duration,
}

impl OpenOptions {
    /// The extensions offered by default, as browsers do. The server may choose any parameters,
    /// including a limit on our window.
    pub const USUAL_OFFER: &str = "permessage-deflate; client_max_window_bits";
    /// The default User-Agent.
    pub const USER_AGENT: &str = concat!("wstap/", env!("CARGO_PKG_VERSION"));

    /// The defaults for a target.
    pub fn new(target: Target) -> OpenOptions {
        OpenOptions {
            request: Secret::new(RequestOptions {
                host: target.authority(),
                target: target.path.clone(),
                ..RequestOptions::default()
            }),
            origin: target.clone(),
            target,
            dial: DialOptions::default(),
            proxies: Proxies::default(),
            login: Login::default(),
            redirects: None,
            path_as_is: false,
            request_target: None,
            secrets: Secrets::Hidden,
            policy: Policy::Lenient,
            head_limits: HeadLimits::default(),
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// The same with a change to the request.
    #[must_use]
    pub fn asking(&self, change: impl FnOnce(&mut RequestOptions)) -> OpenOptions {
        let mut request = self.request.reveal().clone();
        change(&mut request);
        OpenOptions { request: Secret::new(request), ..self.clone() }
    }

    /// The typed headers, as they may be shown.
    pub fn typed_headers(&self) -> impl Iterator<Item = (&[u8], Cow<'_, [u8]>)> {
        let headers = self.request.reveal().headers.iter();
        headers.map(|header| (header.name.as_slice(), self.secrets.value(header)))
    }

    /// Parses the URL of another connection; [`OpenOptions::path_as_is`] applies to it too. What was
    /// guessed is noted, one line each.
    ///
    /// # Errors
    /// Those of [`Target::parse`].
    pub fn read_target(&self, typed: &str) -> Result<(Target, Vec<String>)> {
        let (target, notes) = Target::parse(typed)?;
        Ok((if self.path_as_is { target.with_path_of(typed) } else { target }, notes))
    }
}

/// How the frames of an open connection are handled.
#[derive(Clone, Debug)]
pub struct WireOptions {
    /// Which events are reported, and whether messages are held until they are complete.
    pub show: Show,
    /// Answer pings.
    pub pong: bool,
    /// Time between two keepalive pings; `None` for none.
    pub ping_interval: Option<Duration>,
    /// Close the connection if a ping stays unanswered for this long.
    pub ping_timeout: Option<Duration>,
    /// Accept text that is not UTF-8, with a warning.
    pub lossy: bool,
    /// The largest message accepted, in bytes. The default (`None`) is [`WireOptions::MAX_HELD`]
    /// for a message that must be held or was compressed, else [`WireOptions::MAX_STREAMED`].
    pub max_message: Option<u64>,
    /// The most fragments of a message.
    pub max_fragments: u32,
    /// The status of our Close frame when we begin the closing handshake, unless another is given.
    pub close: CloseStatus,
}

/// Which events an owner wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// Deliver each message as a whole; otherwise one over 1 MiB is delivered in pieces as it
    /// arrives. Fixed when the connection opens.
    pub whole: bool,
    /// Messages that were sent.
    pub sent: bool,
    /// Each frame's header, in both directions.
    pub frames: bool,
    /// Each frame's payload as it is on the wire.
    pub frame_payloads: bool,
}

impl WireOptions {
    /// The largest message that is held, in bytes.
    pub const MAX_HELD: u64 = 64 << 20;
    /// The largest message that passes through without being held, in bytes.
    pub const MAX_STREAMED: u64 = (1 << 32) - 1;

    /// The protocol's configuration, with what the opening handshake negotiated.
    pub(super) fn config(&self, side: Side, deflate: Option<Params>, policy: Policy) -> Config {
        let (delivery, max_message) = match self.show.whole {
            true => (Delivery::Whole, WireOptions::MAX_HELD),
            false => (Delivery::Pieces, WireOptions::MAX_STREAMED),
        };
        Config {
            side,
            deflate,
            policy,
            delivery,
            frames: self.show.frames,
            frame_payloads: self.show.frame_payloads,
            max_message: self.max_message.unwrap_or(max_message),
            max_inflated: self.max_message.unwrap_or(WireOptions::MAX_HELD),
            max_fragments: self.max_fragments,
            pong: self.pong,
            lossy: self.lossy,
        }
    }
}

impl Default for WireOptions {
    fn default() -> WireOptions {
        WireOptions {
            show: Show::default(),
            pong: true,
            ping_interval: None,
            ping_timeout: None,
            lossy: false,
            max_message: None,
            max_fragments: 131_072,
            close: CloseStatus { code: Some(CloseCode::NORMAL), reason: Vec::new() },
        }
    }
}
