//! Errors: the stage, one clear line, its causes, hints, and the exit code.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::diagnosis::{Finding, Sure};

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
    /// All exit codes in the order of their numbers, with what each means. The man page and the
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

/// The stage of a connection at which something went wrong.
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

/// A failure as the user sees it. Its texts are safe to show: text from others is formatted through
/// [`crate::text::Untrusted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where it happened.
    pub stage: Stage,
    /// The exit code of the process.
    pub exit: Exit,
    /// One line: what went wrong, with the evidence.
    pub what: String,
    /// The limit that was hit, if an option sets it.
    pub limit: Option<Limit>,
    /// Why, from the outermost to the innermost; one line each.
    pub causes: Vec<String>,
    /// What to try next; one line each, may be empty.
    pub hints: Vec<Hint>,
    /// Why it happened, the surest finding first; see [`crate::diagnosis`].
    pub findings: Vec<Finding>,
    /// Whether it may be transient, so that another attempt makes sense.
    pub transient: bool,
    /// How long the server asks us to wait before the next attempt.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// A failure without causes and hints. It counts as transient if it is a network failure: exits
    /// 3, 4, 9 and 11.
    pub fn new(stage: Stage, exit: Exit, what: impl Into<String>) -> Error {
        Error {
            stage,
            exit,
            what: bounded(what.into()),
            limit: None,
            causes: Vec::new(),
            hints: Vec::new(),
            findings: Vec::new(),
            transient: matches!(exit, Exit::Resolve | Exit::Connect | Exit::Lost | Exit::Timeout),
            retry_after: None,
        }
    }

    /// A command line that can't be understood.
    pub fn usage(what: impl Into<String>) -> Error {
        Error::new(Stage::Usage, Exit::Usage, what)
    }

    /// Adds a cause.
    pub fn cause(mut self, cause: impl Into<String>) -> Error {
        self.causes.push(bounded(cause.into()));
        self
    }

    /// Sets whether it may be transient.
    pub fn transient(mut self, transient: bool) -> Error {
        self.transient = transient;
        self
    }

    /// Adds a hint: the next command to try.
    pub fn hint(mut self, hint: impl Into<Hint>) -> Error {
        self.hints.push(hint.into());
        self
    }

    /// Adds findings.
    pub fn found(mut self, findings: Vec<Finding>) -> Error {
        self.findings.extend(findings);
        self
    }

    /// The findings; where there are none, the failure itself with its hints, which are its cause and
    /// the next steps.
    pub fn diagnosis(&self) -> Vec<Finding> {
        if self.hints.is_empty() || !self.findings.is_empty() || self.stage == Stage::Usage {
            return self.findings.clone();
        }
        vec![Finding {
            rule: self.stage.name(),
            sure: Sure::Certain,
            cause: self.what.clone(),
            evidence: self.causes.join("; "),
            next: self.hints.iter().map(|hint| hint.text().into_owned()).collect(),
        }]
    }

    /// What to try next, in lines: the surest finding, or two that only may be right, then the hints.
    pub fn advice(&self) -> impl Iterator<Item = String> {
        let unsure = self.findings.first().is_some_and(|finding| finding.sure == Sure::May);
        let shown = self.findings.iter().take(if unsure { 2 } else { 1 });
        let line = |finding: &Finding| bounded(finding.to_string());
        shown.map(line).chain(self.hints.iter().map(|hint| hint.text().into_owned()))
    }

    /// Sets the limit that was hit.
    pub fn limit(mut self, limit: Limit) -> Error {
        self.limit = Some(limit);
        self
    }

    /// This error with all hints as texts, and the limit's option in `what`.
    pub fn worded(mut self, words: Words) -> Error {
        if let Some(limit) = self.limit.take() {
            self.what = format!("{} ({})", self.what, (words.option)(limit));
        }
        let is_plain = |hint: &Hint| matches!(hint, Hint::Text(_));
        for hint in self.hints.iter_mut().filter(|hint| !is_plain(hint)) {
            *hint = Hint::from((words.hint)(hint));
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage.name(), self.what)?;
        for cause in &self.causes {
            write!(f, "\n  because: {cause}")?;
        }
        for hint in self.advice() {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// What to try next. Only the command line knows how its options are spelled, so a hint holds the
/// meaning; [`Error::worded`] makes a text of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A text that names no option.
    Text(String),
    /// Give the unknown name's address.
    AddressByHand,
    /// Give the name's address, because the name servers are slow.
    AddressInTime,
    /// Give the name's address, because no name server answers.
    AddressOffline,
    /// Ask for this name, which the certificate has.
    AskForName(String),
    /// Treat the input as bytes.
    Binary,
    /// Trust the issuer.
    CaIsYours,
    /// Trust the issuer's new certificate.
    CaRenewed,
    /// Trust the self-signed certificate.
    CertificateIsYours,
    /// Send a client certificate.
    ClientCertificate,
    /// Send a client certificate: it was asked for, and then the request was refused.
    ClientCertificateAsked,
    /// Check the clock: the certificate is not valid yet.
    ClockBehind,
    /// Check the clock: the certificate has expired.
    ClockWrong,
    /// Look at each step.
    EachStep,
    /// Skip the verification.
    Insecure,
    /// Name the interface by an address.
    InterfaceByAddress,
    /// The server may not send all certificates of its chain.
    IntermediatesMissing,
    /// Convert the key in this file.
    KeyConverted(String),
    /// The key is in a file of its own.
    KeyFile,
    /// The key in this file needs a pass phrase.
    KeyPassPhrase(String),
    /// Wait for a longer silence at the end of the input.
    LongerSilence,
    /// Follow more redirects.
    MoreRedirects,
    /// Raise the limit of time.
    MoreTime(Limit),
    /// Ask for another name by SNI, or for none.
    NameUnknown,
    /// Send no ping of our own: the connection was lost at one.
    NoPing,
    /// Send the messages that were received, not those that were sent.
    NoReplayOut,
    /// Connect without TLS, or by another name.
    NoTlsOrName,
    /// Treat this close code as a normal one.
    OkClose(u16),
    /// This close code is treated as a normal one.
    OkCloseHas,
    /// Offer other ALPN protocols.
    OtherAlpn,
    /// Use IPv4 (4) or IPv6 (6).
    OtherFamily(u8),
    /// Pin the new key.
    Pin,
    /// The server may answer no pings: send messages instead.
    PingByMessage,
    /// The syntax of a proxy.
    ProxyExample,
    /// Log in at the proxy.
    ProxyLogin,
    /// Log in at the proxy, which may be what it wants.
    ProxyLoginPerhaps,
    /// The proxy speaks this protocol, whose URLs have this scheme.
    ProxySpeaks(&'static str, &'static str),
    /// The options that apply to the proxy's own TLS.
    ProxyTls,
    /// The ends of a connection that another one follows.
    ReconnectOn(String),
    /// Send the messages that were sent, not those that were received.
    ReplayOut,
    /// Offer only HTTP/1.1 by ALPN.
    SpokenAlpn,
    /// Offer both versions of TLS.
    TlsVersions,
}

/// A limit that the user can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The time until the connection is open.
    ConnectTimeout,
    /// The messages that are expected.
    Count,
    /// The fragments of a message.
    MaxFragments,
    /// The bytes of a response's head.
    MaxHead,
    /// The header fields of a response.
    MaxHeaders,
    /// The bytes of a message.
    MaxMessage,
    /// The time for the whole run.
    MaxTime,
    /// The wait for a pong.
    PingTimeout,
    /// The message that is expected.
    Until,
    /// The wait for a server that isn't up.
    WaitUp,
}

/// How hints and options are worded.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// A hint's text.
    pub hint: fn(&Hint) -> String,
    /// The option that sets a limit.
    pub option: fn(Limit) -> &'static str,
}

impl Hint {
    /// The text; for a hint without one, its name.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Hint::Text(text) => Cow::Borrowed(text),
            other => Cow::Owned(format!("{other:?}")),
        }
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Hint {
        Hint::Text(bounded(text))
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Hint {
        Hint::from(text.to_owned())
    }
}

/// The longest text of a failure, in bytes: it may contain a peer's text, whose header can have
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

/// The result of most of wstap's functions.
pub type Result<T> = std::result::Result<T, Error>;
