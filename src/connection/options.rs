//! What opening and holding a connection is asked to do.

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

/// What opening a connection needs to know.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Whom to connect to.
    pub target: Target,
    /// The target that the request's fields were typed for: no other origin gets their secrets.
    pub origin: Target,
    /// How to reach it; the proxy is that of `proxies`.
    pub dial: DialOptions,
    /// The proxies.
    pub proxies: Proxies,
    /// The path goes into the request as it was typed, see [`Target::with_path_of`].
    pub path_as_is: bool,
    /// What goes into the request line to the first target, instead of its path and query.
    pub request_target: Option<String>,
    /// The request; nobody knows what its fields hold.
    pub request: Secret<RequestOptions>,
    /// How to log in.
    pub login: Login,
    /// The most redirects that are followed; `None` where a redirect is a refusal.
    pub redirects: Option<usize>,
    /// Whether events, and the answers to questions, have the secrets in them.
    pub secrets: Secrets,
    /// What to do where the RFCs let a reader be lenient.
    pub policy: Policy,
    /// How much of a response head is taken.
    pub head_limits: HeadLimits,
    /// From the start until open.
    pub connect_timeout: Duration,
}

impl OpenOptions {
    /// The extensions that are offered unless others are typed: what browsers offer, too. The server
    /// may choose any parameters, and may bound our window.
    pub const USUAL_OFFER: &str = "permessage-deflate; client_max_window_bits";
    /// The User-Agent that is sent unless another is typed.
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

    /// Reads the URL of another connection, with the path as these options want it.
    ///
    /// # Errors
    /// Those of [`Target::parse`].
    pub fn read_target(&self, typed: &str) -> Result<Target> {
        let (target, _) = Target::parse(typed)?;
        Ok(if self.path_as_is { target.with_path_of(typed) } else { target })
    }
}

/// How the frames of an open connection are handled.
#[derive(Clone, Debug)]
pub struct WireOptions {
    /// Which events there are, and whether messages are held until they are whole.
    pub show: Show,
    /// Answer pings.
    pub pong: bool,
    /// Send a ping after this long without one.
    pub ping_interval: Option<Duration>,
    /// Give the peer up when a ping stays unanswered for this long.
    pub ping_timeout: Option<Duration>,
    /// Take text that is not UTF-8, with a warning.
    pub lossy: bool,
    /// The most bytes of a message, `None` for the default: [`WireOptions::MAX_HELD`] where it must be
    /// held or was compressed, else [`WireOptions::MAX_STREAMED`].
    pub max_message: Option<u64>,
    /// The most fragments of a message.
    pub max_fragments: u32,
    /// Our Close frame, where we begin the closing handshake and nobody asks for another.
    pub close: CloseStatus,
}

/// Which events an owner wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// Each received message in one piece; without, one over 1 MiB comes in pieces as it arrives. Fixed
    /// when the connection opens.
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

    /// What the protocol needs to know, with what the opening has agreed on.
    pub(super) fn config(&self, side: Side, deflate: Option<Params>, policy: Policy) -> Config {
        let (delivery, most) = match self.show.whole {
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
            max_message: self.max_message.unwrap_or(most),
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
