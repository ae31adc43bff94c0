//! One exchange with a server: what is sent, and the function that judges what came.

use crate::check::transcript::Transcript;
use crate::event::ProbeVerdict;
use crate::http::head::Header;
use crate::run::frame::FrameSpec;

/// What is known of the server before the probes, from a plain opening.
pub struct Base {
    /// The head of the request that it accepted. May hold secrets.
    pub head: Head,
    /// Whether TLS is used.
    pub secure: bool,
    /// The host, without a port.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the request has a cookie or a login.
    pub has_credentials: bool,
    /// The server agreed to permessage-deflate.
    pub deflates: bool,
    /// The server sends each message back.
    pub echoes: bool,
}

/// One exchange of a probe.
pub struct Case {
    /// What is particular about it, in a few words; empty for the only case.
    pub label: String,
    /// What is sent.
    pub ask: Ask,
    /// The judgement.
    pub judge: Judge,
}

/// Judges what came so far; `None` asks for more. With `true` nothing more will come.
pub type Judge = Box<dyn Fn(&Transcript, bool) -> Option<Finding>>;

/// What a case sends.
pub enum Ask {
    /// Bytes over TCP, without the target's TLS.
    Bytes(Vec<u8>),
    /// A request over plain TCP to this port of the same host.
    Plain(u16, Head),
    /// A request of its own; after a 101 also frames.
    Request(Head, Vec<FrameSpec>),
    /// Frames over a connection that was opened properly.
    Frames {
        /// The Sec-WebSocket-Extensions of the opening; empty for none.
        offer: &'static str,
        /// What is sent.
        frames: Vec<FrameSpec>,
    },
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The verdict.
    pub verdict: ProbeVerdict,
    /// What the server did, and for a fail what the RFC asks.
    pub why: String,
}

/// A pass.
pub fn pass(why: impl Into<String>) -> Option<Finding> {
    Some(Finding { verdict: ProbeVerdict::Pass, why: why.into() })
}

/// A warning.
pub fn warn(why: impl Into<String>) -> Option<Finding> {
    Some(Finding { verdict: ProbeVerdict::Warn, why: why.into() })
}

/// A failure.
pub fn fail(why: impl Into<String>) -> Option<Finding> {
    Some(Finding { verdict: ProbeVerdict::Fail, why: why.into() })
}

/// Not decided, with the reason.
pub fn undecided(why: impl Into<String>) -> Option<Finding> {
    Some(Finding { verdict: ProbeVerdict::NotApplicable, why: why.into() })
}

/// A request that a probe changes.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method.
    pub method: &'static str,
    /// The request target.
    pub target: String,
    /// The version of HTTP.
    pub version: &'static str,
    /// The fields in order.
    pub fields: Vec<Header>,
    /// What follows the head.
    pub body: Vec<u8>,
    /// Leave out the empty line that ends the head.
    pub unfinished: bool,
}

impl Head {
    /// Sets the field in its place, or adds it at the end.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Head {
        match self.fields.iter_mut().find(|field| field.is(name)) {
            Some(field) => field.value = value.into(),
            None => self.fields.push(Header::new(name, value)),
        }
        self
    }

    /// Adds the field, even if there is one of this name.
    #[must_use]
    pub fn plus(mut self, name: &str, value: &str) -> Head {
        self.fields.push(Header::new(name, value));
        self
    }

    /// Removes the fields of this name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Head {
        self.fields.retain(|field| !field.is(name));
        self
    }

    /// The value of the first field of this name.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|field| field.is(name)).map(|field| field.value.as_slice())
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/{}\r\n", self.method, self.target, self.version);
        bytes.reserve(512);
        let mut bytes = bytes.into_bytes();
        for Header { name, value } in &self.fields {
            bytes.extend([name.as_slice(), b": ", value, b"\r\n"].concat());
        }
        if !self.unfinished {
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
