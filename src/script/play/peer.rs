//! A connection of a test: what came over it, and what answers by itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use regex::Regex;

use crate::connection::{Connection, Fault};
use crate::error::Error;
use crate::http::head::Response;
use crate::pattern::{Message, Template};
use crate::protocol::close::{Closure, Party};
use crate::protocol::frame::Opcode;
use crate::redact::Guarded;
use crate::script::source::Place;
use crate::script::statement::Payload;
use crate::text::Untrusted;

/// With so many bytes unread the connection isn't read any more: memory stays flat, and TCP tells
/// the server.
const FULL: usize = 64 << 20;

/// The most messages that are kept for the report after they were passed over.
const MAX_PASSED: usize = 100;

/// A message, and when it came.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) at: Duration,
    pub(super) opcode: Opcode,
    pub(super) payload: Vec<u8>,
}

impl Mail {
    pub(super) fn message(&self) -> Message<'_> {
        Message { opcode: self.opcode, payload: &self.payload }
    }
}

/// Answers what matches.
pub(super) struct Rule {
    pub(super) regex: Regex,
    pub(super) reply: Template,
}

/// Sends again and again.
pub(super) struct Timer {
    pub(super) every: Duration,
    pub(super) next: Instant,
    pub(super) payload: Payload,
}

/// How a connection has ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) closure: Closure,
    pub(super) fault: Option<Fault>,
}

impl End {
    /// In words.
    pub(super) fn words(&self) -> String {
        match &self.fault {
            Some(Fault::Violation(violation)) => {
                return format!("the peer broke the protocol: {violation}");
            }
            Some(Fault::Limit(limit)) => return limit.to_string(),
            Some(Fault::Silent(time)) => {
                return format!("no pong came for {} s", time.as_secs_f64());
            }
            Some(Fault::Tls(error)) => return error.what.clone(),
            None => {}
        }
        let Some(received) = &self.closure.received else {
            return "it was cut without a Close frame (1006)".to_owned();
        };
        let code = self.closure.code();
        let reason = match &received.reason[..] {
            [] => "no reason".to_owned(),
            reason => format!("\"{}\"", Untrusted(reason)),
        };
        let who = match self.closure.first {
            Some(Party::Us) => "our Close was answered",
            _ => "the peer closed",
        };
        format!("{who} with {code} ({}), {reason}", code.meaning())
    }

    /// Whether it is a failure where nothing was expected.
    pub(super) fn is_failure(&self) -> bool {
        let by_us = self.closure.first == Some(Party::Us);
        self.fault.is_some()
            || !by_us && (self.closure.received.is_none() || !self.closure.is_normal())
    }
}

/// A connection of a test.
pub(super) struct Peer {
    pub(super) name: Option<String>,
    /// Where it was opened.
    pub(super) place: Place,
    /// Until it has ended.
    pub(super) connection: Option<Connection>,
    /// The answer to the upgrade request.
    pub(super) answer: Option<Guarded<Response>>,
    /// Why it was never open.
    pub(super) failed: Option<Error>,
    /// Another connection has its name now.
    pub(super) retired: bool,
    pub(super) mailbox: VecDeque<Mail>,
    mailbox_size: usize,
    /// Messages that were passed over by the current statement.
    pub(super) passed: Vec<Mail>,
    pub(super) passed_count: usize,
    pub(super) pings: VecDeque<Vec<u8>>,
    pub(super) pongs: VecDeque<Vec<u8>>,
    pub(super) rules: Vec<Rule>,
    pub(super) timers: Vec<Timer>,
    pub(super) end: Option<End>,
    /// An expectation was about the end.
    pub(super) end_seen: bool,
}

impl Peer {
    pub(super) fn new(name: Option<String>, place: Place) -> Peer {
        Peer {
            name,
            place,
            connection: None,
            answer: None,
            failed: None,
            retired: false,
            mailbox: VecDeque::new(),
            mailbox_size: 0,
            passed: Vec::new(),
            passed_count: 0,
            pings: VecDeque::new(),
            pongs: VecDeque::new(),
            rules: Vec::new(),
            timers: Vec::new(),
            end: None,
            end_seen: false,
        }
    }

    pub(super) fn deliver(&mut self, mail: Mail) {
        self.mailbox_size += mail.payload.len() + size_of::<Mail>();
        self.mailbox.push_back(mail);
    }

    pub(super) fn take(&mut self) -> Option<Mail> {
        let mail = self.mailbox.pop_front()?;
        self.mailbox_size -= mail.payload.len() + size_of::<Mail>();
        Some(mail)
    }

    pub(super) fn pass(&mut self, mail: Mail) {
        self.passed_count += 1;
        if self.passed.len() == MAX_PASSED {
            self.passed.remove(0);
        }
        self.passed.push(mail);
    }

    pub(super) fn is_full(&self) -> bool {
        self.mailbox_size >= FULL
    }

    /// How it ended, or why it was never open.
    pub(super) fn ended_words(&self) -> Option<String> {
        match (&self.end, &self.failed) {
            (Some(end), _) => Some(end.words()),
            (None, Some(error)) => Some(error.what.clone()),
            (None, None) => None,
        }
    }

    /// For logs and reports.
    pub(super) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}
