//! The client's side of the opening handshake (RFC 6455 §4.1): the request, and the judgement of
//! the response by every rule.

use tungstenite::handshake::derive_accept_key;

use crate::http::head::{self, Header, Leniency, Response};
use crate::protocol::deflate::{self, Extension};
use crate::protocol::violation::Policy;

/// The parts of the request that the caller chooses.
#[derive(Clone, Debug, Default)]
pub struct RequestOptions {
    /// The Host field: host and, unless it is the scheme's default, port.
    pub host: String,
    /// Path and query; begins with a slash.
    pub target: String,
    /// Subprotocols in order of preference.
    pub subprotocols: Vec<String>,
    /// The Sec-WebSocket-Extensions field; empty for none.
    pub extensions: String,
    /// The Origin field.
    pub origin: Option<String>,
    /// The User-Agent field.
    pub user_agent: Option<String>,
    /// Fields as typed. A field that the request already has is replaced in its position; an empty
    /// value removes it.
    pub headers: Vec<Header>,
    /// Lines added to the head unchanged, even if they break the grammar.
    pub raw_headers: Vec<Vec<u8>>,
}

/// The request as it goes onto the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Path and query.
    pub target: String,
    /// The fields in order.
    pub headers: Vec<Header>,
    /// The whole head.
    pub bytes: Vec<u8>,
}

impl Request {
    /// Builds the request. `key` is a fresh Sec-WebSocket-Key: 16 random bytes in base64.
    pub fn new(options: &RequestOptions, key: &str) -> Request {
        let mut headers = vec![Header::new("Host", options.host.as_str())];
        if let Some(agent) = &options.user_agent {
            headers.push(Header::new("User-Agent", agent.as_str()));
        }
        headers.push(Header::new("Upgrade", "websocket"));
        headers.push(Header::new("Connection", "Upgrade"));
        headers.push(Header::new("Sec-WebSocket-Key", key));
        headers.push(Header::new("Sec-WebSocket-Version", "13"));
        if !options.subprotocols.is_empty() {
            let list = options.subprotocols.join(", ");
            headers.push(Header::new("Sec-WebSocket-Protocol", list));
        }
        if !options.extensions.is_empty() {
            let offer = options.extensions.as_str();
            headers.push(Header::new("Sec-WebSocket-Extensions", offer));
        }
        if let Some(origin) = &options.origin {
            headers.push(Header::new("Origin", origin.as_str()));
        }
        // The first typed field replaces ours; fields repeated on purpose stay repeated.
        let mut replaced: Vec<&Header> = Vec::new();
        for typed in &options.headers {
            let same = |h: &Header| h.name.eq_ignore_ascii_case(&typed.name);
            let again = replaced.iter().any(|h| same(h));
            replaced.push(typed);
            match headers.iter().position(same) {
                Some(at) if !again && typed.value.is_empty() => {
                    headers.remove(at);
                }
                Some(at) if !again => {
                    headers.splice(at..=at, [typed.clone()]);
                }
                _ => headers.push(typed.clone()),
            }
        }
        let mut bytes = format!("GET {} HTTP/1.1\r\n", options.target).into_bytes();
        for header in &headers {
            bytes.extend_from_slice(&header.name);
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(&header.value);
            bytes.extend_from_slice(b"\r\n");
        }
        for line in &options.raw_headers {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        Request { target: options.target.clone(), headers, bytes }
    }

    /// The value that Sec-WebSocket-Accept must have (§4.2.2): the SHA-1 of the key and the RFC's
    /// GUID, in base64.
    pub fn expected_accept(&self) -> String {
        let key = head::values(&self.headers, "sec-websocket-key").next().unwrap_or_default();
        derive_accept_key(key)
    }
}

/// A rule for the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeRule {
    /// Status 101.
    Status,
    /// HTTP/1.1.
    Version,
    /// Upgrade: websocket.
    Upgrade,
    /// Connection with the token "upgrade".
    Connection,
    /// Sec-WebSocket-Accept derived from the key.
    Accept,
    /// No extension that was not offered, and none with wrong parameters.
    Extensions,
    /// No subprotocol that was not offered.
    Subprotocol,
    /// No field that announces a body: a 101 has none.
    Framing,
    /// The head follows the grammar for senders.
    Grammar,
}

impl HandshakeRule {
    /// Every rule, in the order of the enum.
    pub const ALL: [HandshakeRule; HandshakeRule::Grammar as usize + 1] = [
        HandshakeRule::Status,
        HandshakeRule::Version,
        HandshakeRule::Upgrade,
        HandshakeRule::Connection,
        HandshakeRule::Accept,
        HandshakeRule::Extensions,
        HandshakeRule::Subprotocol,
        HandshakeRule::Framing,
        HandshakeRule::Grammar,
    ];

    /// The RFC and clause that state the rule.
    pub fn clause(self) -> &'static str {
        match self {
            HandshakeRule::Status => "RFC 6455 §4.1 (1)",
            HandshakeRule::Version => "RFC 6455 §4.2.2 (5)",
            HandshakeRule::Upgrade => "RFC 6455 §4.1 (2)",
            HandshakeRule::Connection => "RFC 6455 §4.1 (3)",
            HandshakeRule::Accept => "RFC 6455 §4.1 (4)",
            HandshakeRule::Extensions => "RFC 6455 §4.1 (5)",
            HandshakeRule::Subprotocol => "RFC 6455 §4.1 (6)",
            HandshakeRule::Framing => "RFC 9110 §8.6, RFC 9112 §6.1",
            HandshakeRule::Grammar => "RFC 9112 §2.2, §5.2",
        }
    }

    /// What the rule demands.
    pub fn sentence(self) -> &'static str {
        match self {
            HandshakeRule::Status => "the status is 101",
            HandshakeRule::Version => "the version is HTTP/1.1",
            HandshakeRule::Upgrade => "Upgrade is \"websocket\"",
            HandshakeRule::Connection => "Connection has the token \"upgrade\"",
            HandshakeRule::Accept => "Sec-WebSocket-Accept is made of the key",
            HandshakeRule::Extensions => "extensions are among those offered",
            HandshakeRule::Subprotocol => "the subprotocol is one of those offered",
            HandshakeRule::Framing => "no header announces a body",
            HandshakeRule::Grammar => "the head keeps the grammar",
        }
    }

    /// A short, stable, machine-readable name.
    pub fn name(self) -> &'static str {
        match self {
            HandshakeRule::Status => "status",
            HandshakeRule::Version => "version",
            HandshakeRule::Upgrade => "upgrade",
            HandshakeRule::Connection => "connection",
            HandshakeRule::Accept => "accept",
            HandshakeRule::Extensions => "extensions",
            HandshakeRule::Subprotocol => "subprotocol",
            HandshakeRule::Framing => "framing",
            HandshakeRule::Grammar => "grammar",
        }
    }
}

/// The verdict on a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Kept.
    Pass,
    /// Broken, but tolerable.
    Warn,
    /// Broken.
    Fail,
}

impl Verdict {
    /// `pass`, `warn` or `fail`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        }
    }
}

/// A rule's verdict with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleResult {
    /// The rule.
    pub rule: HandshakeRule,
    /// The verdict.
    pub verdict: Verdict,
    /// The expected value in our own words, if there is one to name.
    pub expected: String,
    /// The received value: the peer's bytes, to be escaped.
    pub received: Vec<u8>,
    /// The reason in our own words, if the two values don't show it.
    pub note: String,
}

/// The judgement of a response: every rule, not only the first that fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandshakeReport {
    /// The rules in the RFC's order.
    pub rules: Vec<RuleResult>,
    /// The chosen subprotocol.
    pub subprotocol: Option<String>,
    /// The agreed permessage-deflate parameters.
    pub deflate: Option<deflate::Params>,
    /// The Sec-WebSocket-Extensions of the response.
    pub extensions: String,
}

impl HandshakeReport {
    /// Judges the response to the request.
    pub fn judge(request: &Request, response: &Response, policy: Policy) -> HandshakeReport {
        let mut judge = Judge { request, response, report: HandshakeReport::default() };
        judge.status();
        judge.version();
        judge.upgrade();
        judge.connection();
        judge.accept();
        judge.extensions();
        judge.subprotocol();
        judge.framing();
        judge.grammar();
        let mut report = judge.report;
        if policy == Policy::Strict {
            for result in report.rules.iter_mut().filter(|r| r.verdict == Verdict::Warn) {
                result.verdict = Verdict::Fail;
            }
        }
        report
    }

    /// The worst verdict.
    pub fn verdict(&self) -> Verdict {
        let worst = |verdict| self.rules.iter().any(|r| r.verdict == verdict);
        match () {
            () if worst(Verdict::Fail) => Verdict::Fail,
            () if worst(Verdict::Warn) => Verdict::Warn,
            () => Verdict::Pass,
        }
    }

    /// The rules with the given verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &RuleResult> {
        self.rules.iter().filter(move |r| r.verdict == verdict)
    }
}

struct Judge<'a> {
    request: &'a Request,
    response: &'a Response,
    report: HandshakeReport,
}

impl Judge<'_> {
    fn say(&mut self, rule: HandshakeRule, ok: bool, expected: &str, received: &[u8], note: &str) {
        let verdict = if ok { Verdict::Pass } else { Verdict::Fail };
        self.verdict(rule, verdict, expected, received, note);
    }

    fn verdict(
        &mut self,
        rule: HandshakeRule,
        verdict: Verdict,
        expected: &str,
        received: &[u8],
        note: &str,
    ) {
        self.report.rules.push(RuleResult {
            rule,
            verdict,
            expected: expected.to_owned(),
            received: received.to_vec(),
            note: note.to_owned(),
        });
    }

    /// All values of a field, joined as one list (RFC 9110 §5.3).
    fn joined(&self, name: &str) -> (usize, Vec<u8>) {
        let values: Vec<&[u8]> = head::values(&self.response.headers, name).collect();
        (values.len(), values.join(&b", "[..]))
    }

    fn status(&mut self) {
        let status = self.response.status;
        self.say(HandshakeRule::Status, status == 101, "101", status.to_string().as_bytes(), "");
    }

    fn version(&mut self) {
        let minor = self.response.minor;
        let version = format!("HTTP/1.{minor}");
        self.say(HandshakeRule::Version, minor == 1, "HTTP/1.1", version.as_bytes(), "");
    }

    fn upgrade(&mut self) {
        let (count, value) = self.joined("upgrade");
        let ok = count == 1 && value.eq_ignore_ascii_case(b"websocket");
        let note = if count == 0 { "the field is missing" } else { "" };
        self.say(HandshakeRule::Upgrade, ok, "websocket", &value, note);
    }

    fn connection(&mut self) {
        let (count, value) = self.joined("connection");
        let ok = head::list(&self.response.headers, "connection")
            .any(|token| token.eq_ignore_ascii_case(b"upgrade"));
        let note = if count == 0 { "the field is missing" } else { "" };
        self.say(HandshakeRule::Connection, ok, "Upgrade", &value, note);
    }

    fn accept(&mut self) {
        let (count, value) = self.joined("sec-websocket-accept");
        let expected = self.request.expected_accept();
        let ok = count == 1 && value == expected.as_bytes();
        let why = match count {
            0 => "the field is missing; ",
            1 if value.eq_ignore_ascii_case(expected.as_bytes()) => "case counts in base64; ",
            1 => "",
            _ => "the field must not be repeated; ",
        };
        let note = if ok { String::new() } else { format!("{why}it is {}", self.derivation()) };
        self.say(HandshakeRule::Accept, ok, &expected, &value, &note);
    }

    /// Derives Sec-WebSocket-Accept from the key (§4.2.2).
    fn derivation(&self) -> String {
        let key = head::values(&self.request.headers, "sec-websocket-key").next();
        let key = String::from_utf8_lossy(key.unwrap_or_default());
        format!("base64(SHA-1(\"{key}\" + \"258EAFA5-E914-47DA-95CA-C5AB0DC85B11\"))")
    }

    fn extensions(&mut self) {
        let (_, value) = self.joined("sec-websocket-extensions");
        let offered: Vec<u8> = head::values(&self.request.headers, "sec-websocket-extensions")
            .collect::<Vec<_>>()
            .join(&b", "[..]);
        self.report.extensions = String::from_utf8_lossy(&value).into_owned();
        // The user may offer invalid extensions on purpose; then none can be agreed on.
        let offers = Extension::parse_list(&offered).unwrap_or_default();
        let agreed = Extension::parse_list(&value)
            .map_err(str::to_owned)
            .and_then(|answers| deflate::agree(&offers, &answers));
        let offered = match String::from_utf8_lossy(&offered) {
            text if text.is_empty() => "none".to_owned(),
            text => format!("none, or of {text}"),
        };
        match agreed {
            Ok(params) => {
                self.report.deflate = params;
                self.say(HandshakeRule::Extensions, true, &offered, &value, "");
            }
            Err(why) => self.say(HandshakeRule::Extensions, false, &offered, &value, &why),
        }
    }

    fn subprotocol(&mut self) {
        let (count, value) = self.joined("sec-websocket-protocol");
        let offered: Vec<&[u8]> =
            head::list(&self.request.headers, "sec-websocket-protocol").collect();
        let shown = match offered.as_slice() {
            [] => "none".to_owned(),
            some => String::from_utf8_lossy(&some.join(&b" or "[..])).into_owned(),
        };
        let rule = HandshakeRule::Subprotocol;
        match (count, offered.is_empty()) {
            (0, true) => self.say(rule, true, &shown, &value, ""),
            (0, false) => {
                let note = "none was chosen though some were offered";
                self.verdict(rule, Verdict::Warn, &shown, &value, note);
            }
            (1, _) if offered.contains(&value.as_slice()) => {
                self.report.subprotocol = Some(String::from_utf8_lossy(&value).into_owned());
                self.say(rule, true, &shown, &value, "");
            }
            (1, _) => self.say(rule, false, &shown, &value, "it was not offered"),
            _ => self.say(rule, false, &shown, &value, "one at most may be chosen"),
        }
    }

    fn framing(&mut self) {
        let names = ["content-length", "transfer-encoding"];
        let found: Vec<&Header> =
            self.response.headers.iter().filter(|h| names.iter().any(|n| h.is(n))).collect();
        let shown: Vec<u8> = found
            .iter()
            .map(|h| [&h.name[..], b": ", &h.value[..]].concat())
            .collect::<Vec<_>>()
            .join(&b", "[..]);
        let verdict = if found.is_empty() || self.response.status != 101 {
            Verdict::Pass
        } else {
            Verdict::Warn
        };
        self.verdict(HandshakeRule::Framing, verdict, "none", &shown, "");
    }

    fn grammar(&mut self) {
        let notes: Vec<String> = self.response.leniencies.iter().map(Leniency::to_string).collect();
        let verdict = if notes.is_empty() { Verdict::Pass } else { Verdict::Warn };
        self.verdict(HandshakeRule::Grammar, verdict, "", b"", &notes.join("; "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::{HeadLimits, HeadReader};

    fn request() -> Request {
        let options = RequestOptions {
            host: "server.example.com".into(),
            target: "/chat".into(),
            subprotocols: vec!["chat".into(), "superchat".into()],
            extensions: "permessage-deflate; client_max_window_bits".into(),
            ..RequestOptions::default()
        };
        Request::new(&options, "dGhlIHNhbXBsZSBub25jZQ==")
    }

    fn judge(fields: &str) -> HandshakeReport {
        judge_by(Policy::Lenient, "HTTP/1.1", fields)
    }

    fn judge_by(policy: Policy, version: &str, fields: &str) -> HandshakeReport {
        let head = format!("{version} 101 Switching Protocols\r\n{fields}\r\n");
        let mut reader = HeadReader::new(HeadLimits::default());
        let (response, _) = reader.feed(head.as_bytes()).unwrap().unwrap();
        HandshakeReport::judge(&request(), &response, policy)
    }

    fn failed(fields: &str) -> Vec<HandshakeRule> {
        judge(fields).with(Verdict::Fail).map(|r| r.rule).collect()
    }

    const UP: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    const CHAT: &str = "Sec-WebSocket-Protocol: chat\r\n";

    #[test]
    fn the_example_of_rfc_6455_1_3() {
        let report = judge(&format!("{UP}{ACCEPT}{CHAT}"));
        assert_eq!(report.verdict(), Verdict::Pass, "{report:?}");
        assert_eq!(report.subprotocol.as_deref(), Some("chat"));
    }

    #[test]
    fn all_mismatches_are_collected() {
        use HandshakeRule as R;
        assert_eq!(failed(""), [R::Upgrade, R::Connection, R::Accept]);
        assert_eq!(failed(&format!("{UP}{ACCEPT}{ACCEPT}{CHAT}")), [R::Accept]);
        let lower = ACCEPT.replace("s3pP", "S3pP");
        assert_eq!(failed(&format!("{UP}{lower}{CHAT}")), [R::Accept]);
        assert_eq!(failed(&format!("{UP}{ACCEPT}{CHAT}{CHAT}")), [R::Subprotocol]);
        let other = "Sec-WebSocket-Protocol: Chat\r\n";
        assert_eq!(failed(&format!("{UP}{ACCEPT}{other}")), [R::Subprotocol]);
        let h2c = UP.replace("websocket", "websocket, h2c");
        assert_eq!(failed(&format!("{h2c}{ACCEPT}{CHAT}")), [R::Upgrade]);
        let ext = "Sec-WebSocket-Extensions: x-other\r\n";
        assert_eq!(failed(&format!("{UP}{ACCEPT}{CHAT}{ext}")), [R::Extensions]);
    }

    #[test]
    fn legal_variants_pass() {
        for connection in ["keep-alive, Upgrade", "UPGRADE", "a\r\nConnection: upgrade"] {
            let fields =
                format!("upgrade: WebSocket\r\nConnection: {connection}\r\n{ACCEPT}{CHAT}");
            assert_eq!(judge(&fields).verdict(), Verdict::Pass, "{connection}");
        }
    }

    #[test]
    fn what_can_be_lived_with_warns_and_fails_when_strict() {
        let fields = format!("{UP}{ACCEPT}Content-Length: 0\r\n");
        let rules: Vec<_> = judge(&fields).with(Verdict::Warn).map(|r| r.rule).collect();
        assert_eq!(rules, [HandshakeRule::Subprotocol, HandshakeRule::Framing]);
        let strict = judge_by(Policy::Strict, "HTTP/1.1", &fields);
        let rules: Vec<_> = strict.with(Verdict::Fail).map(|r| r.rule).collect();
        assert_eq!(rules, [HandshakeRule::Subprotocol, HandshakeRule::Framing]);
        assert_eq!((strict.verdict(), strict.with(Verdict::Warn).count()), (Verdict::Fail, 0));
    }

    #[test]
    fn an_answer_in_http_1_0_breaks_a_rule() {
        let report = judge_by(Policy::Lenient, "HTTP/1.0", &format!("{UP}{ACCEPT}"));
        let rules: Vec<_> = report.with(Verdict::Fail).map(|r| r.rule).collect();
        assert_eq!(rules, [HandshakeRule::Version]);
    }

    #[test]
    fn typed_headers_keep_order_and_case_and_may_override() {
        let options = RequestOptions {
            host: "h".into(),
            target: "/".into(),
            user_agent: Some("wstap".into()),
            origin: Some("https://o".into()),
            raw_headers: vec![b"no colon".to_vec()],
            headers: vec![
                Header::new("x-B", "1"),
                Header::new("HOST", "other"),
                Header::new("X-A", "2"),
                Header::new("x-b", "3"),
                Header::new("User-Agent", ""),
                Header::new("Sec-WebSocket-Key", "abc"),
            ],
            ..RequestOptions::default()
        };
        let request = Request::new(&options, "key");
        let text = String::from_utf8(request.bytes).unwrap();
        assert_eq!(
            text,
            "GET / HTTP/1.1\r\nHOST: other\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: abc\r\nSec-WebSocket-Version: 13\r\nOrigin: https://o\r\n\
             x-B: 1\r\nX-A: 2\r\nx-b: 3\r\nno colon\r\n\r\n"
        );
    }
}
