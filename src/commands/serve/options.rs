//! What to serve, and how.

use std::path::PathBuf;
use std::time::Duration;

use crate::commands::serve::address;
use crate::connection::{ListenOptions, Show, WireOptions};
use crate::http::head::HeadLimits;
use crate::protocol::handshake::AcceptOptions;
use crate::redact::Secret;

pub use crate::cli::ServeMode as Mode;

/// What to serve, and how.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen: `HOST:PORT`, `HOST`, `:PORT` or `PORT`; the host is 127.0.0.1 and the port
    /// 8080 unless told otherwise. Port 0 takes a free one.
    pub address: String,
    /// What to do with clients.
    pub mode: Mode,
    /// Time mode: between two messages.
    pub interval: Duration,
    /// Source mode: how many messages.
    pub count: u64,
    /// Source mode: bytes in each.
    pub size: usize,
    /// Source mode: binary messages instead of text.
    pub binary: bool,
    /// Cuts every message that is sent to this many bytes; text before a character that would not
    /// fit.
    pub truncate: Option<usize>,
    /// The subprotocols that may be chosen: the first in the client's list that is among them.
    pub subprotocols: Vec<String>,
    /// PEM file with the certificate chain; together with `key` it makes the server wss.
    pub cert: Option<PathBuf>,
    /// PEM file with the private key.
    pub key: Option<PathBuf>,
    /// What the private key is encrypted with.
    pub pass: Option<Secret<String>>,
    /// Origins that are let in; all if empty. Others, and requests without one, are answered 403.
    pub origins: Vec<String>,
    /// Agree to permessage-deflate (RFC 7692).
    pub deflate: bool,
    /// The largest message that is taken, in bytes; `None` for the defaults of [`WireOptions`].
    pub max_message: Option<u64>,
    /// The most fragments of a message.
    pub max_fragments: u32,
    /// How much of a request head is taken.
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
    /// How clients are received, if that much is shown of them.
    pub(super) fn listen(&self, mut show: Show) -> ListenOptions {
        // What goes on to clients is held until it is whole.
        show.whole |= matches!(self.mode, Mode::Echo | Mode::Chat);
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
