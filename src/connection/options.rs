//! What opening and holding a connection is asked to do.

use std::time::Duration;

use crate::connection::login::Login;
use crate::http::head::HeadLimits;
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
            secrets: Secrets::Hidden,
            policy: Policy::Lenient,
            head_limits: HeadLimits::default(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// What an open connection needs to know.
#[derive(Clone, Debug)]
pub struct TalkOptions {
    /// Answer pings.
    pub pong: bool,
    /// Send a ping after so much time without one.
    pub ping_interval: Option<Duration>,
    /// Give the peer up when a ping stays unanswered for so long.
    pub ping_timeout: Option<Duration>,
    /// Take text that is not UTF-8, with a warning.
    pub lossy: bool,
    /// The most bytes of a message, `None` for the default: [`TalkOptions::MAX_HELD`] where it must be
    /// held or was compressed, else [`TalkOptions::MAX_STREAMED`].
    pub max_message: Option<u64>,
    /// The most fragments of a message.
    pub max_fragments: u32,
    /// Send messages in frames of at most so many bytes.
    pub fragment: Option<usize>,
}

impl TalkOptions {
    /// The largest message that is held, in bytes.
    pub const MAX_HELD: u64 = 64 << 20;
    /// The largest message that passes through without being held, in bytes.
    pub const MAX_STREAMED: u64 = (1 << 32) - 1;
}

impl Default for TalkOptions {
    fn default() -> TalkOptions {
        TalkOptions {
            pong: true,
            ping_interval: None,
            ping_timeout: None,
            lossy: false,
            max_message: None,
            max_fragments: 131_072,
            fragment: None,
        }
    }
}
