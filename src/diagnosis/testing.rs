//! Cases as they are seen on the wire, for the tests of the rules.

use std::time::Duration;

use super::finding::Rule;
use super::*;
use crate::event::Totals;
use crate::http::head::{HeadLimits, HeadReader, RequestReader, Response};
use crate::protocol::close::{CloseCode, CloseStatus, Closure, End as StreamEnd, Party};
use crate::protocol::deflate::Params;
use crate::protocol::handshake::{HandshakeReport, Request};
use crate::protocol::violation::{Policy, Rule as ProtocolRule, Violation};
use crate::redact::Secrets;

pub(super) const REQUEST: &str = "GET / HTTP/1.1\r\nHost: h.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A response with its body, as on the wire.
pub(super) fn parse(text: &str) -> Response {
    let mut reader = HeadReader::new(HeadLimits::default());
    let (response, body) = reader.feed(text.as_bytes()).unwrap().expect("a head");
    Response { body, ..response }
}

pub(super) struct Case {
    rule: &'static str,
    request: String,
    kind: Kind,
    words: Vec<&'static str>,
    change: fn(&mut Facts<'_>),
}

enum Kind {
    Refused(String),
    Silent(bool),
    Hanging,
    Foreign(Vec<u8>),
    Broken(String),
    Open { head: String, open: Box<Open> },
}

#[derive(Clone)]
pub(super) struct Open {
    pub subprotocol: Option<&'static str>,
    pub deflate: bool,
    pub first: Vec<u8>,
    pub close: Option<(u16, &'static str)>,
    pub cut: bool,
    pub violation: Option<(ProtocolRule, Vec<u8>)>,
    pub totals: Totals,
    pub last_sent: u64,
    pub open_for: Duration,
    pub idle: Duration,
    pub answers_pings: bool,
}

impl Default for Open {
    fn default() -> Open {
        Open {
            subprotocol: None,
            deflate: false,
            first: Vec::new(),
            close: None,
            cut: false,
            violation: None,
            totals: Totals::default(),
            last_sent: 0,
            open_for: Duration::from_millis(10),
            idle: Duration::ZERO,
            answers_pings: true,
        }
    }
}

impl Case {
    fn new(rule: &'static str, kind: Kind) -> Case {
        Case { rule, request: REQUEST.into(), kind, words: Vec::new(), change: |_| {} }
    }

    pub(super) fn refused(rule: &'static str, answer: &str) -> Case {
        Case::new(rule, Kind::Refused(answer.into()))
    }

    pub(super) fn silent(rule: &'static str, reset: bool) -> Case {
        Case::new(rule, Kind::Silent(reset))
    }

    pub(super) fn hanging(rule: &'static str) -> Case {
        Case::new(rule, Kind::Hanging)
    }

    pub(super) fn foreign(rule: &'static str, bytes: &[u8]) -> Case {
        Case::new(rule, Kind::Foreign(bytes.to_vec()))
    }

    pub(super) fn broken(rule: &'static str, answer: &str) -> Case {
        Case::new(rule, Kind::Broken(answer.into()))
    }

    pub(super) fn open(rule: &'static str, headers: &str, open: Open) -> Case {
        let head = format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n");
        Case::new(rule, Kind::Open { head, open: Box::new(open) })
    }

    pub(super) fn request(mut self, request: &str) -> Case {
        self.request = request.into();
        self
    }

    /// The request with other path and more header lines.
    pub(super) fn asking(self, target: &str, lines: &str) -> Case {
        let request = REQUEST.replacen("GET /", &format!("GET {target}"), 1);
        let request = request.trim_end().to_owned() + "\r\n" + lines + "\r\n\r\n";
        self.request(request.replace("\r\n\r\n\r\n", "\r\n\r\n").as_str())
    }

    pub(super) fn with(mut self, change: fn(&mut Facts<'_>)) -> Case {
        self.change = change;
        self
    }

    pub(super) fn says(mut self, words: &[&'static str]) -> Case {
        self.words = words.to_vec();
        self
    }

    pub(super) fn sent(&self) -> Sent {
        let mut reader = RequestReader::new(HeadLimits::default());
        let (head, _) = reader.feed(self.request.as_bytes()).unwrap().expect("a head");
        let request = Request {
            target: String::from_utf8(head.target).unwrap(),
            headers: head.headers,
            bytes: head.head,
        };
        let authority = "h.example".to_owned();
        Sent { authority, ..Sent::of(&request, Secrets::Hidden) }
    }

    /// What all rules find.
    pub(super) fn diagnosed(&self) -> Vec<Finding> {
        self.facts(diagnose)
    }

    fn facts<T>(&self, look: impl FnOnce(&Facts<'_>) -> T) -> T {
        let sent = self.sent();
        let told = |end: End<'_>| {
            let mut facts = Facts::new(sent.clone(), end);
            (self.change)(&mut facts);
            look(&facts)
        };
        match &self.kind {
            Kind::Refused(answer) => told(End::Refused(&parse(answer))),
            Kind::Silent(reset) => told(End::Silent { reset: *reset }),
            Kind::Hanging => told(End::Hanging),
            Kind::Foreign(bytes) => told(End::Foreign(bytes)),
            Kind::Broken(answer) => {
                let response = parse(answer);
                let mut reader = RequestReader::new(HeadLimits::default());
                let (head, _) = reader.feed(self.request.as_bytes()).unwrap().unwrap();
                let request =
                    Request { headers: head.headers, bytes: head.head, ..Request::default() };
                let report = HandshakeReport::judge(&request, &response, Policy::Lenient);
                told(End::Broken { response: &response, report: &report })
            }
            Kind::Open { head, open } => {
                let response = parse(head);
                let received = open.close.map(|(code, reason)| match code {
                    0 => CloseStatus::default(),
                    code => CloseStatus::new(CloseCode(code), reason),
                });
                let closure = Closure {
                    sent: None,
                    first: received.as_ref().map(|_| Party::Peer),
                    received,
                    end: StreamEnd::Eof,
                    took: Duration::ZERO,
                    after: open.open_for,
                    ignored: 0,
                };
                let ended = open.close.is_some() || open.cut || open.violation.is_some();
                let violation = open.violation.clone().map(|(rule, bytes)| Violation {
                    rule,
                    offset: 0,
                    bytes: bytes.iter().copied().take(16).collect(),
                    detail: String::new(),
                });
                let tail = open.violation.clone().map(|(_, bytes)| bytes).unwrap_or_default();
                let deflate = open.deflate.then_some(Params {
                    server_no_context_takeover: false,
                    client_no_context_takeover: false,
                    server_max_window_bits: 15,
                    client_max_window_bits: 15,
                });
                told(End::Open(Box::new(Talk {
                    response: &response,
                    subprotocol: open.subprotocol.map(Into::into),
                    deflate,
                    first: &open.first,
                    totals: open.totals,
                    last_sent: open.last_sent,
                    open_for: open.open_for,
                    idle: open.idle,
                    answers_pings: open.answers_pings,
                    ping_interval: None,
                    closure: ended.then_some(&closure),
                    violation: violation.as_ref(),
                    tail: &tail,
                })))
            }
        }
    }
}

/// Each case is found by its rule, in its words; each rule has a case; a rule that only may be right
/// says so.
#[track_caller]
pub(super) fn check(rules: &[Rule], cases: &[Case]) {
    for rule in rules {
        assert!(cases.iter().any(|case| case.rule == rule.name), "{} has no case", rule.name);
    }
    for case in cases {
        let rule = rules.iter().find(|rule| rule.name == case.rule);
        let rule = rule.unwrap_or_else(|| panic!("no rule {}", case.rule));
        let found = case.facts(|facts| (rule.find)(facts));
        let found =
            found.unwrap_or_else(|| panic!("{}: nothing found: {:?}", case.rule, case.words));
        let text = found.to_string();
        for words in &case.words {
            assert!(text.contains(words), "{}: no {words:?} in {text}", case.rule);
        }
        let hedged = ["may", "perhaps"].iter().any(|word| found.cause.contains(word));
        assert_eq!(found.sure == Sure::May, hedged, "{}: {text}", case.rule);
        assert!(!found.next.is_empty() && text.len() < 900, "{}: {text}", case.rule);
        let all = case.diagnosed();
        assert!(
            all.iter().any(|finding| finding.rule == case.rule),
            "{}: not among {all:#?}",
            case.rule
        );
    }
}
