//! What a session is asked to do; made from the command line.

use std::time::Duration;

use regex::bytes::Regex;

use crate::connection::cookies::CookieFile;
use crate::connection::options::{OpenOptions, TalkOptions};
use crate::error::Words;
use crate::export::{Tool, export};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::Opcode;
use crate::redact::Secrets;
use crate::run::input::InputFormat;
use crate::run::reconnect::Reconnect;
use crate::transport::Target;

/// Everything a session needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How its connections are opened.
    pub open: OpenOptions,
    /// How they are held.
    pub talk: TalkOptions,
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
    /// Get a connection that was lost back.
    pub reconnect: Option<Reconnect>,
    /// How failures are worded.
    pub words: Words,
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
    pub fn new(target: Target, words: Words) -> Settings {
        Settings {
            open: OpenOptions::new(target),
            talk: TalkOptions::default(),
            cookies: None,
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
            reconnect: None,
            words,
            interactive: false,
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

    /// The connection for another tool, or why there is none.
    pub fn export(&self, tool: Tool, secrets: Secrets) -> String {
        export(tool, &self.open, secrets).unwrap_or_else(|e| e.worded(self.words).to_string())
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
}
