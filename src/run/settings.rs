//! The settings of a session, made from the command line.

use std::time::Duration;

use regex::bytes::Regex;

use crate::connection::{CookieFile, OpenOptions, WireOptions};
use crate::error::Words;
use crate::protocol::close::CloseCode;
use crate::protocol::frame::Opcode;
use crate::run::gate::GateOptions;
use crate::run::input::InputFormat;
use crate::run::reconnect::Reconnect;
use crate::run::rules::Rules;
use crate::transport::Target;

/// The settings of a session.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How connections are opened.
    pub open: OpenOptions,
    /// How failures are worded.
    pub words: Words,
    /// How frames are handled.
    pub wire: WireOptions,
    /// Send messages in frames of at most this many bytes.
    pub fragment: Option<usize>,
    /// The cookie jar.
    pub cookies: Option<CookieFile>,
    /// How long a server that isn't up is waited for, before the first connection.
    pub wait_up: Option<Duration>,
    /// Time limit for the whole run; reaching it is a failure.
    pub max_time: Option<Duration>,
    /// Closes the connection this long after the first one opened.
    pub duration: Option<Duration>,
    /// How much silence after the end of the input ends the session.
    pub linger: Linger,
    /// Send a ping at the end of the input: the silence begins with its pong.
    pub fence: bool,
    /// Ends the session after this many received messages.
    pub count: Option<u64>,
    /// Ends the session at a received message that matches.
    pub until: Option<Regex>,
    /// Close codes of the peer that count as normal.
    pub ok_close: Vec<CloseCode>,
    /// Messages sent right after each opening.
    pub first: Vec<(Opcode, Vec<u8>)>,
    /// How standard input is split into messages.
    pub input: InputFormat,
    /// The size of the messages of raw input.
    pub chunk: Option<usize>,
    /// Lines keep their ends.
    pub keep_newline: bool,
    /// Only received messages of this type are printed and counted.
    pub only: Option<Opcode>,
    /// Standard input isn't read.
    pub no_input: bool,
    /// Input becomes binary messages.
    pub binary: bool,
    /// Escapes in the input stand for what they name.
    pub escapes: bool,
    /// What holds the input back.
    pub gate: GateOptions,
    /// Of events in the input, the messages that were sent are sent again, not those received.
    pub replay_out: bool,
    /// What is sent by rule.
    pub rules: Rules,
    /// Send every received message back.
    pub echo: bool,
    /// Inflate received binary messages that the application has compressed.
    pub inflate: bool,
    /// Reconnect after a lost connection.
    pub reconnect: Option<Reconnect>,
}

/// How much silence ends a session whose input has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linger {
    /// Only the peer, a limit or a signal ends it.
    Forever,
    /// This much, counted from the fence's pong; zero closes at once.
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
            wait_up: None,
            max_time: None,
            duration: None,
            linger: Linger::For(Duration::from_secs(1)),
            fence: true,
            count: None,
            until: None,
            ok_close: Vec::new(),
            first: Vec::new(),
            input: InputFormat::Line,
            chunk: None,
            keep_newline: false,
            only: None,
            no_input: false,
            binary: false,
            escapes: false,
            gate: GateOptions::default(),
            replay_out: false,
            rules: Rules::default(),
            echo: false,
            inflate: false,
            reconnect: None,
        }
    }

    /// Sets the target. Drops the first messages, unless the target stays and `--reconnect` is on.
    pub fn redirect(&mut self, target: Target) {
        let same = target == self.open.target;
        self.open.target = target;
        if !same || self.reconnect.is_none() {
            self.first.clear();
        }
    }

    /// Whether a message meets `--count` or `--until`; `received` counts it too.
    pub fn is_met(&self, received: u64, message: &[u8]) -> bool {
        self.count.is_some_and(|count| received >= count)
            || self.until.as_ref().is_some_and(|until| until.is_match(message))
    }

    /// Whether a message can meet `--count` or `--until`.
    pub fn ends_by_message(&self) -> bool {
        self.count.is_some() || self.until.is_some()
    }

    /// Whether another connection may follow one that ended with this code.
    pub fn is_followed(&self, code: CloseCode) -> bool {
        self.reconnect.as_ref().is_some_and(|reconnect| reconnect.on.include(code))
    }

    /// Whether a connection that is lost behind the end of the input is worth another: because
    /// messages are sent again, or something is still expected.
    pub fn outlasts_input(&self) -> bool {
        !self.first.is_empty()
            || self.linger == Linger::Forever
            || self.ends_by_message()
            || self.duration.is_some()
    }
}
