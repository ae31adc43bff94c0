//! What is known of a connection that failed, or that was looked at.

use std::borrow::Cow;
use std::time::Duration;

use crate::diagnosis::Peer;
use crate::event::Totals;
use crate::http::head::{Response, list, values};
use crate::protocol::close::Closure;
use crate::protocol::deflate::Params;
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::protocol::handshake::{HandshakeReport, Request};
use crate::protocol::violation::Violation;
use crate::redact::{self, Secrets};
use crate::text::Untrusted;

/// What is looked for in the body of a refusal is in its beginning.
const SEARCHED: usize = 16 << 10;

/// Everything that the rules may look at.
#[derive(Debug)]
pub struct Facts<'a> {
    /// What was asked for.
    pub sent: Sent,
    /// How far it came.
    pub end: End<'a>,
    /// From the request to the answer, or to the end without one.
    pub waited: Duration,
    /// Who answers.
    pub peer: Peer,
    /// The beginning of the refusal's reason and body, in lower case.
    pub words: String,
}

/// How far the connection came.
#[derive(Debug)]
pub enum End<'a> {
    /// The server ended the connection without a byte of an answer.
    Silent {
        /// With a reset instead of an orderly end.
        reset: bool,
    },
    /// No answer came in time.
    Hanging,
    /// The first bytes are no HTTP/1.1.
    Foreign(&'a [u8]),
    /// The final answer was no 101.
    Refused(&'a Response),
    /// A 101 that breaks the handshake.
    Broken {
        /// The answer.
        response: &'a Response,
        /// Its judgement.
        report: &'a HandshakeReport,
    },
    /// The connection was open.
    Open(Box<Talk<'a>>),
}

/// What is known of an open connection.
#[derive(Debug)]
pub struct Talk<'a> {
    /// The 101.
    pub response: &'a Response,
    /// The subprotocol.
    pub subprotocol: Option<Cow<'a, str>>,
    /// The agreed compression.
    pub deflate: Option<Params>,
    /// The first bytes of the peer's stream of frames.
    pub first: &'a [u8],
    /// The traffic.
    pub totals: Totals,
    /// The payload of the last message that was sent, in bytes.
    pub last_sent: u64,
    /// How long it was open.
    pub open_for: Duration,
    /// How long nothing moved before its end.
    pub idle: Duration,
    /// We answer pings.
    pub answers_pings: bool,
    /// We send pings at this interval.
    pub ping_interval: Option<Duration>,
    /// How it ended, if it did.
    pub closure: Option<&'a Closure>,
    /// The rule that the peer broke.
    pub violation: Option<&'a Violation>,
    /// The peer's bytes from the violation on.
    pub tail: &'a [u8],
}

/// How we logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// `Authorization: Basic`.
    Basic,
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Digest`.
    Digest,
    /// Another scheme.
    Other,
}

impl Login {
    /// The scheme's name.
    pub fn name(self) -> &'static str {
        match self {
            Login::Basic => "Basic",
            Login::Bearer => "Bearer",
            Login::Digest => "Digest",
            Login::Other => "another scheme",
        }
    }
}

/// The request as it was sent, without its secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// wss.
    pub secure: bool,
    /// The Host field.
    pub host: String,
    /// The host and port that were connected to.
    pub authority: String,
    /// Path and query, secrets hidden.
    pub target: String,
    /// The names of the query's parameters, in lower case.
    pub params: Vec<String>,
    /// The Origin.
    pub origin: Option<String>,
    /// The login in the Authorization field.
    pub login: Option<Login>,
    /// The login comes from the URL's user name.
    pub from_userinfo: bool,
    /// The URL has a user name, which a typed Authorization header replaced.
    pub ignored_userinfo: bool,
    /// There are credentials, but only Digest may use them.
    pub digest_alone: bool,
    /// A Cookie field.
    pub cookie: bool,
    /// Cookies of the jar for this host that have expired.
    pub expired_cookies: usize,
    /// Another secret: a header such as X-Api-Key, or a token in the query or the subprotocols.
    pub token: bool,
    /// The subprotocols, secrets hidden.
    pub subprotocols: Vec<String>,
    /// permessage-deflate was offered.
    pub deflate: bool,
    /// A client certificate is configured.
    pub certificate: bool,
    /// The request goes through a proxy of ours.
    pub proxied: bool,
    /// Redirects are followed.
    pub follows: bool,
    /// Fields that a handshake must have, and that this request has not as they must be.
    pub flaws: Vec<String>,
}

impl Sent {
    /// Reads a request.
    pub fn of(request: &Request, secrets: Secrets) -> Sent {
        Sent::default().reading(request, secrets)
    }

    /// What is known besides, with what the request says.
    #[must_use]
    pub fn reading(self, request: &Request, secrets: Secrets) -> Sent {
        let headers = &request.headers;
        let shown = |name: &str| {
            let value = values(headers, name).next()?;
            let value = redact::value(name.as_bytes(), value);
            Some(Untrusted(&value).to_string())
        };
        let has = |name: &str, wanted: &[u8]| {
            list(headers, name).any(|value| value.eq_ignore_ascii_case(wanted))
        };
        let mut flaws = Vec::new();
        let mut demand = |ok: bool, what: &str| {
            if !ok {
                flaws.push(what.to_owned());
            }
        };
        // A request without any field was never built.
        if !headers.is_empty() {
            demand(has("upgrade", b"websocket"), "Upgrade: websocket");
            demand(has("connection", b"upgrade"), "Connection: Upgrade");
            demand(values(headers, "sec-websocket-key").count() == 1, "one Sec-WebSocket-Key");
            demand(has("sec-websocket-version", b"13"), "Sec-WebSocket-Version: 13");
            demand(values(headers, "host").count() == 1, "one Host");
        }
        let login = values(headers, "authorization").next().map(|value| {
            let scheme = value.split(|b| *b == b' ').next().unwrap_or_default();
            match scheme.to_ascii_lowercase().as_slice() {
                b"basic" => Login::Basic,
                b"bearer" => Login::Bearer,
                b"digest" => Login::Digest,
                _ => Login::Other,
            }
        });
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let params: Vec<String> = query
            .split(['&', ';'])
            .filter_map(|pair| pair.split('=').next())
            .filter(|name| !name.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let known = ["authorization", "cookie"];
        let secret_header = headers.iter().any(|header| {
            redact::is_secret_header(&header.name) && !known.iter().any(|name| header.is(name))
        });
        let offered: Vec<u8> =
            values(headers, "sec-websocket-protocol").collect::<Vec<_>>().join(&b", "[..]);
        let shown_offer = redact::protocols(&offered);
        let subprotocols = shown_offer
            .split(|b| *b == b',')
            .map(|name| Untrusted(name.trim_ascii()).to_string())
            .filter(|name| !name.is_empty())
            .collect();
        let hidden_target = redact::url(&request.target);
        let token = secret_header
            || matches!(hidden_target, Cow::Owned(_))
            || matches!(shown_offer, Cow::Owned(_));
        Sent {
            host: shown("host").unwrap_or_default(),
            target: Untrusted::text(&secrets.url(&request.target)).to_string(),
            params,
            origin: shown("origin"),
            cookie: values(headers, "cookie").next().is_some(),
            token,
            subprotocols,
            deflate: list(headers, "sec-websocket-extensions")
                .any(|value| value.starts_with(b"permessage-deflate")),
            flaws,
            from_userinfo: self.from_userinfo && login.is_some(),
            login,
            ..self
        }
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Whether the query has that parameter.
    pub fn has_param(&self, name: &str) -> bool {
        self.params.iter().any(|param| param == name)
    }

    /// The URL with another path (and query).
    pub fn url(&self, target: &str) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}{target}", self.authority)
    }

    /// The same URL with or without TLS.
    pub fn other_scheme(&self) -> String {
        let scheme = if self.secure { "ws" } else { "wss" };
        format!("{scheme}://{}{}", self.authority, self.target)
    }

    /// Whether something was sent that could identify us.
    pub fn identifies(&self) -> bool {
        self.login.is_some() || self.cookie || self.token
    }
}

impl<'a> Facts<'a> {
    /// The facts about a connection that ended so.
    pub fn new(sent: Sent, end: End<'a>) -> Facts<'a> {
        let response = match &end {
            End::Refused(response) | End::Broken { response, .. } => Some(*response),
            End::Open(talk) => Some(talk.response),
            End::Silent { .. } | End::Hanging | End::Foreign(_) => None,
        };
        let peer = response.map(Peer::of).unwrap_or_default();
        let words = match &end {
            End::Refused(response) => {
                let body = response.body.get(..SEARCHED).unwrap_or(&response.body);
                let words = [response.reason.as_slice(), body].join(&b'\n');
                String::from_utf8_lossy(&words).to_lowercase()
            }
            _ => String::new(),
        };
        Facts { sent, end, waited: Duration::ZERO, peer, words }
    }

    /// The refusal.
    pub fn refused(&self) -> Option<&'a Response> {
        match self.end {
            End::Refused(response) => Some(response),
            _ => None,
        }
    }

    /// The refusal, if it has one of these status codes.
    pub fn refused_with(&self, codes: &[u16]) -> Option<&'a Response> {
        self.refused().filter(|response| codes.contains(&response.status))
    }

    /// The open connection.
    pub fn talk(&self) -> Option<&Talk<'a>> {
        match &self.end {
            End::Open(talk) => Some(talk),
            _ => None,
        }
    }

    /// Whether the refusal's words contain one of these.
    pub fn says(&self, any: &[&str]) -> bool {
        any.iter().any(|words| self.words.contains(words))
    }

    /// A part of the refusal's body around these words, as evidence.
    pub fn quote(&self, words: &str) -> String {
        quote(self.refused().map_or(&[], |response| &response.body), words)
    }

    /// Whether the refusal's body is of this type.
    pub fn has_type(&self, kind: &str) -> bool {
        let kind_is = |response: &Response| {
            let value = response.header("content-type").unwrap_or_default();
            String::from_utf8_lossy(value).to_ascii_lowercase().contains(kind)
        };
        self.refused().is_some_and(kind_is)
    }

    /// Whether the refusal is a page.
    pub fn is_page(&self) -> bool {
        let body = self.refused().map_or(&b""[..], |response| &response.body);
        let start = body.trim_ascii_start().get(..9).unwrap_or_default().to_ascii_lowercase();
        self.has_type("text/html") || start.starts_with(b"<!doctype") || start.starts_with(b"<html")
    }

    /// Whether the refusal is JSON.
    pub fn is_json(&self) -> bool {
        let body = self.refused().map_or(&b""[..], |response| &response.body);
        let looks =
            body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[");
        self.has_type("json") || (looks && !self.is_page())
    }

    /// `426 Upgrade Required`.
    pub fn status_line(&self) -> String {
        let Some(response) = self.refused() else { return String::new() };
        format!("{} {}", response.status, Untrusted(&response.reason)).trim_end().to_owned()
    }
}

/// The line of a text that has these words (in lower case), shortened, in quotation marks.
pub(super) fn quote(text: &[u8], words: &str) -> String {
    const MAX: usize = 120;
    let text = String::from_utf8_lossy(text);
    let line = text
        .lines()
        .find(|line| line.to_lowercase().contains(words))
        .unwrap_or_else(|| text.lines().next().unwrap_or_default())
        .trim();
    let at = line.to_lowercase().find(words).unwrap_or(0);
    let start = if at + words.len() > MAX { at.saturating_sub(20) } else { 0 };
    let shown: String =
        line.char_indices().filter(|(i, _)| *i >= start).map(|(_, c)| c).take(MAX).collect();
    let cut = if shown.len() < line.len() { "…" } else { "" };
    format!("\"{}{cut}\"", Untrusted::text(&redact::text(&shown)))
}

/// A message at the beginning of a stream of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Text or Binary.
    pub opcode: Opcode,
    /// The beginning of its payload; empty if it is compressed.
    pub payload: Vec<u8>,
    /// The payload's length as the frame says it.
    pub length: u64,
}

impl Message {
    /// The text, if it is one.
    pub fn text(&self) -> &str {
        let bytes = self.payload.as_slice();
        if self.opcode != Opcode::Text {
            return "";
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => {
                let valid = bytes.get(..e.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        }
    }
}

/// The first unfragmented messages in the first bytes of a stream of frames.
pub fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    while let Some((header, len)) = FrameHeader::parse(bytes) {
        let rest = bytes.get(len..).unwrap_or_default();
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let payload = rest.get(..length).unwrap_or(rest);
        if matches!(header.opcode, Opcode::Text | Opcode::Binary) {
            let payload = if header.rsv1 { Vec::new() } else { payload.to_vec() };
            found.push(Message { opcode: header.opcode, payload, length: header.length });
        }
        match rest.get(length..) {
            Some(next) => bytes = next,
            None => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::Case;

    #[test]
    fn a_request_is_read_without_its_secrets() {
        let request = Case::refused("", "HTTP/1.1 400 x\r\n\r\n").request(
            "GET /p?Token=hunter2&x=1 HTTP/1.1\r\nHost: h:1\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\nAuthorization: Basic hunter2\r\nOrigin: https://o\r\n\
             Cookie: a=hunter2\r\nSec-WebSocket-Protocol: a, bearer, hunter2\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; x\r\n\r\n",
        );
        let sent = request.sent();
        assert!(!format!("{sent:?}").contains("hunter2"), "{sent:?}");
        assert_eq!(sent.params, ["token", "x"]);
        assert_eq!(sent.subprotocols, ["a", "bearer", "***"]);
        assert_eq!((sent.login, sent.origin.as_deref()), (Some(Login::Basic), Some("https://o")));
        assert!(sent.cookie && sent.token && sent.deflate && sent.flaws.is_empty());
        assert_eq!((sent.path(), sent.has_param("token")), ("/p", true));
    }

    #[test]
    fn the_first_messages_of_a_stream() {
        let bytes = [&[0x81, 2][..], b"hi", &[0x89, 0], &[0xc1, 1, 7], &[0x82, 5, 1, 2]].concat();
        let found = messages(&bytes);
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].text(), found[1].payload.len()), ("hi", 0));
        assert_eq!(
            (found[2].opcode, found[2].payload.as_slice(), found[2].length),
            (Opcode::Binary, &[1, 2][..], 5)
        );
        assert_eq!(messages(b"H"), []);
    }
}
