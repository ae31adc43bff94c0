//! What a session is asked to do; made from the command line.

use std::time::Duration;

use regex::bytes::Regex;

use crate::connection::{CookieFile, OpenOptions, WireOptions};
use crate::error::Words;
use crate::protocol::close::CloseCode;
use crate::protocol::frame::Opcode;
use crate::run::input::InputFormat;
use crate::run::reconnect::Reconnect;
use crate::transport::Target;

/// Everything a session needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How its connections are opened.
    pub open: OpenOptions,
    /// How failures are worded.
    pub words: Words,
    /// How their frames are handled.
    pub wire: WireOptions,
    /// Send messages in frames of at most this many bytes.
    pub fragment: Option<usize>,
    /// The cookies of earlier runs; they stay with the session.
    pub cookies: Option<CookieFile>,
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
    /// Get a connection that was lost back.
    pub reconnect: Option<Reconnect>,
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
    pub fn new(target: Target, words: Words) -> Settings {
        Settings {
            open: OpenOptions::new(target),
            words,
            wire: WireOptions::default(),
            fragment: None,
            cookies: None,
            max_time: None,
            duration: None,
            linger: Linger::For(Duration::from_secs(1)),
            count: None,
            until: None,
            ok_close: Vec::new(),
            first: Vec::new(),
            input: InputFormat::Line,
            binary: false,
            echo: false,
            reconnect: None,
        }
    }

    /// The same session with another target; what was typed for the first one's host is gone.
    pub fn redirect(&mut self, target: Target) {
        let same = target == self.open.target;
        self.open.target = target;
        if !same || self.reconnect.is_none() {
            self.first.clear();
        }
    }

    /// Whether `--count` or `--until` is met by a message, with which this many were received.
    pub fn is_met(&self, received: u64, message: &[u8]) -> bool {
        self.count.is_some_and(|count| received >= count)
            || self.until.as_ref().is_some_and(|until| until.is_match(message))
    }

    /// Whether a connection that is lost behind the end of the input is worth another: because
    /// messages are sent again, or something is still expected.
    pub fn outlasts_input(&self) -> bool {
        !self.first.is_empty()
            || self.linger == Linger::Forever
            || self.count.is_some()
            || self.until.is_some()
            || self.duration.is_some()
    }
}
