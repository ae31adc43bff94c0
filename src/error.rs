//! What went wrong: the stage, one clear line, its causes, a hint, and the exit code.

use std::fmt;
use std::time::Duration;

/// The exit codes; stable, documented in the man page (one test each).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// 0: done.
    Done = 0,
    /// 1: an expectation or a check failed.
    Expectation = 1,
    /// 2: usage: a bad option, URL, header or script.
    Usage = 2,
    /// 3: the name was not resolved.
    Resolve = 3,
    /// 4: the TCP connection or the proxy failed.
    Connect = 4,
    /// 5: TLS failed.
    Tls = 5,
    /// 6: the upgrade was refused: an HTTP answer other than 101.
    Refused = 6,
    /// 7: a 101, or something else, that breaks the opening handshake of RFC 6455.
    Handshake = 7,
    /// 8: the peer broke the WebSocket protocol.
    Protocol = 8,
    /// 9: the connection was lost without a closing handshake (1006).
    Lost = 9,
    /// 10: the peer closed with an error code.
    PeerError = 10,
    /// 11: a timeout; the message names the stage.
    Timeout = 11,
    /// 12: a size or count limit was hit.
    Limit = 12,
    /// 13: local input or output failed.
    Local = 13,
    /// 70: a bug in wstap.
    Bug = 70,
    /// 130: interrupted (SIGINT).
    Interrupted = 130,
    /// 143: terminated (SIGTERM, SIGHUP).
    Terminated = 143,
}

impl Exit {
    /// All of them in the order of their numbers, and what each says of a run. The man page and the
    /// README say the same in fewer words (tests/lists.rs).
    pub const ALL: [(Exit, &str); 17] = [
        (Exit::Done, "done"),
        (Exit::Expectation, "an expectation or a check failed"),
        (Exit::Usage, "usage: a bad option, URL, header or script"),
        (Exit::Resolve, "the name was not resolved"),
        (Exit::Connect, "the TCP connection or the proxy failed"),
        (Exit::Tls, "TLS failed"),
        (Exit::Refused, "the upgrade was refused: an HTTP answer other than 101"),
        (
            Exit::Handshake,
            "a 101, or something else, that breaks the opening handshake of RFC 6455",
        ),
        (Exit::Protocol, "the peer broke the WebSocket protocol"),
        (Exit::Lost, "the connection was lost without a closing handshake (1006)"),
        (Exit::PeerError, "the peer closed with an error code"),
        (Exit::Timeout, "a timeout; the message names the stage"),
        (Exit::Limit, "a size or count limit was hit"),
        (Exit::Local, "local input or output failed"),
        (Exit::Bug, "a bug in wstap"),
        (Exit::Interrupted, "interrupted (SIGINT)"),
        (Exit::Terminated, "terminated (SIGTERM, SIGHUP)"),
    ];
}

/// Where in its life a connection was when something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The command line.
    Usage,
    /// Resolving the name.
    Resolve,
    /// The TCP (or Unix socket) connection.
    Connect,
    /// The proxy.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The opening handshake: request and response.
    Handshake,
    /// The open connection.
    Session,
    /// The closing handshake.
    Close,
    /// Our own input: stdin, a file, the script.
    Input,
    /// Our own output: stdout, stderr, a file.
    Output,
    /// The server side (`serve`, `demo`).
    Serve,
}

impl Stage {
    /// The word in `wstap: <stage>: <what>`.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Usage => "usage",
            Stage::Resolve => "resolve",
            Stage::Connect => "connect",
            Stage::Proxy => "proxy",
            Stage::Tls => "tls",
            Stage::Handshake => "handshake",
            Stage::Session => "session",
            Stage::Close => "close",
            Stage::Input => "input",
            Stage::Output => "output",
            Stage::Serve => "serve",
        }
    }
}

/// A failure as the person sees it. Its texts are safe to show: whoever builds them formats what
/// others chose through [`crate::text::Untrusted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where it happened.
    pub stage: Stage,
    /// What the process exits with.
    pub exit: Exit,
    /// One line: what went wrong, with the evidence.
    pub what: String,
    /// Why, from the outermost to the innermost; one line each.
    pub causes: Vec<String>,
    /// What to try next, if there is something; one line each.
    pub hints: Vec<String>,
    /// Whether it may pass by itself: another attempt makes sense.
    pub passing: bool,
    /// How long the server asks to be left alone before the next attempt.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// A failure without causes and hints. It may pass by itself if it is one of the network's:
    /// exits 3, 4, 9 and 11.
    pub fn new(stage: Stage, exit: Exit, what: impl Into<String>) -> Error {
        Error {
            stage,
            exit,
            what: bounded(what.into()),
            causes: Vec::new(),
            hints: Vec::new(),
            passing: matches!(exit, Exit::Resolve | Exit::Connect | Exit::Lost | Exit::Timeout),
            retry_after: None,
        }
    }

    /// Something on the command line that can't be understood.
    pub fn usage(what: impl Into<String>) -> Error {
        Error::new(Stage::Usage, Exit::Usage, what)
    }

    /// Adds a cause.
    pub fn cause(mut self, cause: impl Into<String>) -> Error {
        self.causes.push(bounded(cause.into()));
        self
    }

    /// Says whether it may pass by itself.
    pub fn passing(mut self, passing: bool) -> Error {
        self.passing = passing;
        self
    }

    /// Adds a hint: the next command to try.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hints.push(bounded(hint.into()));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage.name(), self.what)?;
        for cause in &self.causes {
            write!(f, "\n  because: {cause}")?;
        }
        for hint in &self.hints {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// No text of a failure is longer, in bytes: what a peer says may be in it, and its header can have
/// 64 KiB.
const MAX_TEXT: usize = 1500;

fn bounded(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let len = text.len();
        let mut end = MAX_TEXT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(&format!("… (cut, {len} bytes)"));
    }
    text
}

/// What most of wstap's functions return.
pub type Result<T> = std::result::Result<T, Error>;
