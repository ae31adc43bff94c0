//! The options of a server.

use std::path::PathBuf;
use std::time::Duration;

use crate::commands::serve::address;
use crate::connection::{ListenOptions, Show, WireOptions};
use crate::http::head::HeadLimits;
use crate::protocol::handshake::AcceptOptions;
use crate::redact::Secret;

pub use crate::cli::ServeMode as Mode;

/// The options of a server.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen: `HOST:PORT`, `HOST`, `:PORT` or `PORT`; the host is 127.0.0.1 and the port
    /// 8080 by default. Port 0 takes a free one.
    pub address: String,
    /// What to do with clients.
    pub mode: Mode,
    /// Play the other side of this script instead.
    pub from: Option<PathBuf>,
    /// Time mode: the time between two messages.
    pub interval: Duration,
    /// Source mode: the number of messages.
    pub count: u64,
    /// Source mode: bytes in each message.
    pub size: usize,
    /// Source mode: binary messages instead of text.
    pub binary: bool,
    /// Cuts every message that is sent to this many bytes; text before a character that would not
    /// fit.
    pub truncate: Option<usize>,
    /// Supported subprotocols; the first one in the client's list that is among them is chosen.
    pub subprotocols: Vec<String>,
    /// PEM file with the certificate chain; together with `key` it makes the server wss.
    pub cert: Option<PathBuf>,
    /// PEM file with the private key.
    pub key: Option<PathBuf>,
    /// The pass phrase of the private key.
    pub pass: Option<Secret<String>>,
    /// Accepted origins; all if empty. Others, and requests without one, get 403.
    pub origins: Vec<String>,
    /// Agree to permessage-deflate (RFC 7692).
    pub deflate: bool,
    /// The largest message accepted, in bytes; `None` for the defaults of [`WireOptions`].
    pub max_message: Option<u64>,
    /// The most fragments of a message.
    pub max_fragments: u32,
    /// Limits of a request head.
    pub head_limits: HeadLimits,
    /// How much is shown on stderr: 1 handshakes and control frames, 2 each frame, 3 each byte.
    pub verbose: u8,
    /// Events on stdout.
    pub json: bool,
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions {
            address: address::DEFAULT.into(),
            mode: Mode::default(),
            from: None,
            interval: Duration::from_secs(1),
            count: 1000,
            size: 100,
            binary: false,
            truncate: None,
            subprotocols: Vec::new(),
            cert: None,
            key: None,
            pass: None,
            origins: Vec::new(),
            deflate: true,
            max_message: None,
            max_fragments: WireOptions::default().max_fragments,
            head_limits: HeadLimits::default(),
            verbose: 0,
            json: false,
        }
    }
}

impl ServeOptions {
    /// The options of the listener; `show` says which events the views need.
    pub(super) fn listen(&self, mut show: Show) -> ListenOptions {
        // Messages that are sent on must be complete.
        show.whole |= self.from.is_some() || matches!(self.mode, Mode::Echo | Mode::Chat);
        ListenOptions {
            accept: AcceptOptions {
                subprotocols: self.subprotocols.clone(),
                origins: self.origins.clone(),
                deflate: self.deflate,
                ..AcceptOptions::default()
            },
            head_limits: self.head_limits,
            wire: WireOptions {
                show,
                max_message: self.max_message,
                max_fragments: self.max_fragments,
                ..WireOptions::default()
            },
        }
    }
}
