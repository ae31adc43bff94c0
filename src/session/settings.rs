//! What a session is asked to do; made from the command line.

use std::time::Duration;

use regex::bytes::Regex;

use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::Opcode;
use crate::protocol::handshake::RequestOptions;
use crate::protocol::http1::HeadLimits;
use crate::protocol::violation::Policy;
use crate::session::cookies::CookieFile;
use crate::session::input::InputFormat;
use crate::session::login::Login;
use crate::session::reconnect::Reconnect;
use crate::transport::{DialOptions, Proxies, Target};

/// Everything a session needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom to connect to.
    pub target: Target,
    /// The target that the request's fields were typed for: no other origin gets their secrets.
    pub origin: Target,
    /// How; the proxy is that of `proxies`.
    pub dial: DialOptions,
    /// The proxies.
    pub proxies: Proxies,
    /// The request.
    pub request: RequestOptions,
    /// How to log in.
    pub login: Login,
    /// The cookies of earlier runs; they stay with the session.
    pub cookies: Option<CookieFile>,
    /// The most redirects that are followed; `None` for none, since nobody asked for it.
    pub redirects: Option<usize>,
    /// What is kept to answer questions has its secrets in it.
    pub show_secrets: bool,
    /// What to do where the RFCs let a reader be lenient.
    pub policy: Policy,
    /// How much of a response head is taken.
    pub head_limits: HeadLimits,
    /// From the start until open.
    pub connect_timeout: Duration,
    /// For everything; reaching it is a failure.
    pub max_time: Option<Duration>,
    /// Ends an open session in order.
    pub duration: Option<Duration>,
    /// How much silence, behind the end of the input, ends the session.
    pub linger: Linger,
    /// Ends the session after so many received messages.
    pub count: Option<u64>,
    /// Ends the session at a received message that matches.
    pub until: Option<Regex>,
    /// Our Close frame, where we begin the closing handshake.
    pub close: CloseStatus,
    /// Codes of the peer that are as good as 1000.
    pub ok_close: Vec<CloseCode>,
    /// Messages sent at once after opening.
    pub first: Vec<(Opcode, Vec<u8>)>,
    /// How standard input is cut into messages.
    pub input: InputFormat,
    /// Input becomes binary messages.
    pub binary: bool,
    /// Send every received message back.
    pub echo: bool,
    /// Answer pings.
    pub pong: bool,
    /// Send a ping after so much time without one.
    pub ping_interval: Option<Duration>,
    /// Give the peer up when a ping stays unanswered for so long.
    pub ping_timeout: Option<Duration>,
    /// Take text that is not UTF-8, with a warning.
    pub lossy: bool,
    /// The most bytes of a message, `None` for the default: 64 MiB where it must be held or was
    /// compressed, else what 32 bits can count.
    pub max_message: Option<u64>,
    /// The most fragments of a message.
    pub max_fragments: u32,
    /// Send messages in frames of at most so many bytes.
    pub fragment: Option<usize>,
    /// Get a connection that was lost back.
    pub reconnect: Option<Reconnect>,
    /// A person sits there: the session stays after the connection's end and takes commands.
    pub interactive: bool,
}

/// How much silence ends a session whose input has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linger {
    /// Only the peer, a limit or a signal ends it.
    Forever,
    /// So much, counted from the pong that fences the input off; zero closes at once.
    For(Duration),
}

impl Settings {
    /// The defaults.
    pub fn new(target: Target) -> Settings {
        Settings {
            request: RequestOptions {
                host: target.authority(),
                target: target.path.clone(),
                ..RequestOptions::default()
            },
            origin: target.clone(),
            target,
            dial: DialOptions::default(),
            proxies: Proxies::default(),
            login: Login::default(),
            cookies: None,
            redirects: None,
            show_secrets: false,
            policy: Policy::Lenient,
            head_limits: HeadLimits::default(),
            connect_timeout: Duration::from_secs(10),
            max_time: None,
            duration: None,
            linger: Linger::For(Duration::from_secs(1)),
            count: None,
            until: None,
            close: CloseStatus { code: Some(CloseCode::NORMAL), reason: Vec::new() },
            ok_close: Vec::new(),
            first: Vec::new(),
            input: InputFormat::Line,
            binary: false,
            echo: false,
            pong: true,
            ping_interval: None,
            ping_timeout: None,
            lossy: false,
            max_message: None,
            max_fragments: 131_072,
            fragment: None,
            reconnect: None,
            interactive: false,
        }
    }

    /// The same session with another target; what was typed for the first one's host is gone.
    pub fn redirect(&mut self, target: Target) {
        let same = target == self.target;
        self.target = target;
        if !same || self.reconnect.is_none() {
            self.first.clear();
        }
    }

    /// Whether a connection that is lost behind the end of the input is worth another: because
    /// messages are sent anew, or something is still expected.
    pub fn outlasts_input(&self) -> bool {
        !self.first.is_empty()
            || self.linger == Linger::Forever
            || self.count.is_some()
            || self.until.is_some()
            || self.duration.is_some()
    }

    /// The largest message that is held, in bytes.
    pub const MAX_HELD: u64 = 64 << 20;
    /// The largest message that passes through without being held, in bytes.
    pub const MAX_STREAMED: u64 = (1 << 32) - 1;
}
