//! Secrets become `***` when an event is made, so that no view has to hide them.
//!
//! What is hidden: credentials in header fields, tokens smuggled in as subprotocols, and secrets
//! in URLs (userinfo and query). The names stay visible, to show that something was sent.
//!
//! A secret that we need later is kept as [`Secret`] or [`Guarded`]. Only `reveal` gives access to
//! it, to put it on the wire (`tests/guarded.rs` lists the files that may call it).

use std::borrow::Cow;
use std::fmt;

use crate::http::head::{Header, Leniency, Response};
use crate::protocol::handshake::{HandshakeReport, HandshakeRule, Request};

/// The replacement for a secret.
pub const HIDDEN: &str = "***";

/// A value that is never shown, not even by `{:?}`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides the value.
    pub fn new(value: T) -> Secret<T> {
        Secret(value)
    }

    /// The value.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Whether secrets are shown: set once by `--show-secrets`, and applied by the makers of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// As `***`.
    #[default]
    Hidden,
    /// As they are.
    Shown,
}

impl Secrets {
    /// A URL, or a request's target.
    pub fn url(self, shown: &str) -> Cow<'_, str> {
        if self == Secrets::Shown { Cow::Borrowed(shown) } else { url(shown) }
    }

    fn head(self, shown: &[u8]) -> Cow<'_, [u8]> {
        if self == Secrets::Shown { Cow::Borrowed(shown) } else { head(shown) }
    }

    /// A header's value.
    pub fn value(self, field: &Header) -> Cow<'_, [u8]> {
        match self {
            Secrets::Shown => Cow::Borrowed(&field.value),
            Secrets::Hidden => value(&field.name, &field.value),
        }
    }

    /// The judgement of a response; a subprotocol in it may be a token.
    pub fn report(self, mut report: HandshakeReport) -> HandshakeReport {
        if self == Secrets::Shown {
            return report;
        }
        let hide = |list: &mut String| {
            if let Cow::Owned(shown) = protocols(list.as_bytes()) {
                *list = String::from_utf8_lossy(&shown).into_owned();
            }
        };
        report.subprotocol.as_mut().map(hide);
        let is_list = |rule| rule == HandshakeRule::Subprotocol;
        for result in report.rules.iter_mut().filter(|result| is_list(result.rule)) {
            hide(&mut result.expected);
            result.received = protocols(&result.received).into_owned();
        }
        report
    }
}

/// A request or response that is stored with its secrets and read without them. Secrets are hidden
/// on reading.
#[derive(Clone)]
pub struct Guarded<T> {
    raw: T,
    secrets: Secrets,
}

impl<T> Guarded<T> {
    /// Guards the value.
    pub fn new(raw: T, secrets: Secrets) -> Guarded<T> {
        Guarded { raw, secrets }
    }

    /// The value with its secrets.
    pub fn reveal(&self) -> &T {
        &self.raw
    }

    fn fields<'a>(&self, headers: &'a [Header]) -> impl Iterator<Item = Field<'a>> {
        let secrets = self.secrets;
        headers.iter().map(move |field| (field.name.as_slice(), secrets.value(field)))
    }
}

/// A header's name and its value as it may be shown.
pub type Field<'a> = (&'a [u8], Cow<'a, [u8]>);

impl Guarded<Request> {
    /// Path and query.
    pub fn target(&self) -> Cow<'_, str> {
        self.secrets.url(&self.raw.target)
    }

    /// The header fields in order.
    pub fn headers(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields(&self.raw.headers)
    }

    /// The head, as on the wire.
    pub fn head(&self) -> Cow<'_, [u8]> {
        self.secrets.head(&self.raw.bytes)
    }
}

impl Guarded<Response> {
    /// The minor version: HTTP/1.x.
    pub fn minor(&self) -> u8 {
        self.raw.minor
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.raw.status
    }

    /// The reason phrase.
    pub fn reason(&self) -> &[u8] {
        &self.raw.reason
    }

    /// The header fields in order.
    pub fn headers(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields(&self.raw.headers)
    }

    /// The head, as on the wire.
    pub fn head(&self) -> Cow<'_, [u8]> {
        self.secrets.head(&self.raw.head)
    }

    /// What was tolerated in the head.
    pub fn leniencies(&self) -> &[Leniency] {
        &self.raw.leniencies
    }

    /// For a refusal: the beginning of the body. Nothing in it is hidden.
    pub fn body(&self) -> &[u8] {
        &self.raw.body
    }

    /// Why the body is incomplete, if it is.
    pub fn body_cut(&self) -> Option<&str> {
        self.raw.body_cut.as_deref()
    }
}

impl fmt::Debug for Guarded<Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&String::from_utf8_lossy(&self.head())).finish()
    }
}

impl fmt::Debug for Guarded<Response> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Response").field(&String::from_utf8_lossy(&self.head())).finish()
    }
}

/// A header's value as it may be shown.
pub fn value<'a>(name: &[u8], value: &'a [u8]) -> Cow<'a, [u8]> {
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    if is_secret_header(name) {
        return Cow::Borrowed(HIDDEN.as_bytes());
    }
    if is("sec-websocket-protocol") {
        return protocols(value);
    }
    if is("location") || is("content-location") || is("referer") || is("origin") {
        return url_bytes(value);
    }
    Cow::Borrowed(value)
}

/// A request's or response's head as it may be shown: the lines as they are on the wire.
pub fn head(head: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Vec::with_capacity(head.len());
    let mut secret = false;
    for (number, line) in head.split_inclusive(|b| *b == b'\n').enumerate() {
        let text = line.trim_ascii_end();
        let end = line.strip_prefix(text).unwrap_or_default();
        if number == 0 {
            shown.extend_from_slice(&url_bytes(text));
        } else if text.starts_with(b" ") || text.starts_with(b"\t") {
            // A folded line belongs to the field before it.
            shown.extend_from_slice(if secret { b"  ***" } else { text });
        } else if let Some((name, rest)) = split_at_colon(text) {
            let bare = rest.trim_ascii_start();
            let space = rest.strip_suffix(bare).unwrap_or_default();
            secret = is_secret_header(name);
            shown.extend_from_slice(name);
            shown.push(b':');
            shown.extend_from_slice(space);
            shown.extend_from_slice(&value(name, bare));
        } else {
            shown.extend_from_slice(text);
        }
        shown.extend_from_slice(end);
    }
    if shown == head { Cow::Borrowed(head) } else { Cow::Owned(shown) }
}

/// A header as typed, possibly with mistakes; see [`bad_header`].
pub fn typed_header(typed: &str) -> String {
    String::from_utf8_lossy(&bad_header(typed.as_bytes())).into_owned()
}

/// A header that may break the grammar: a name without its colon, line breaks.
pub fn bad_header(header: &[u8]) -> Vec<u8> {
    let is_between = |b: &u8| matches!(b, b':' | b' ' | b'=' | b'\t');
    let is_break = |b: &u8| matches!(b, b'\r' | b'\n');
    let lines = header.split_inclusive(is_break).map(|line| {
        let (text, end) =
            line.split_at(line.len() - usize::from(line.last().is_some_and(is_break)));
        let (name, rest) = text.split_at(text.iter().position(is_between).unwrap_or(text.len()));
        let begins = rest.iter().position(|b| !is_between(b)).unwrap_or(rest.len());
        let (between, bare) = rest.split_at(begins);
        [name, between, &value(name, bare), end].concat()
    });
    lines.collect::<Vec<_>>().concat()
}

/// A URL (or a request's target, or a request line) as it may be shown.
pub fn url(url: &str) -> Cow<'_, str> {
    match url_bytes(url.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(url),
        // Only whole ASCII-delimited parts were replaced, so this is still UTF-8.
        Cow::Owned(shown) => Cow::Owned(String::from_utf8_lossy(&shown).into_owned()),
    }
}

/// A list of subprotocols as it may be shown. Browsers can't set headers, so servers take bearer
/// tokens as subprotocols: as the entry after a word such as `bearer`, or behind a prefix.
pub fn protocols(list: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Vec::with_capacity(list.len());
    let mut after_bearer = false;
    for member in list.split_inclusive(|b| matches!(b, b',' | b' ')) {
        let entry = member.trim_ascii();
        let entry = entry.strip_suffix(b",").unwrap_or(entry);
        // A handshake rule's evidence separates entries by "or".
        if entry.is_empty() || entry == b"or" {
            shown.extend_from_slice(member);
            continue;
        }
        let keep = match entry {
            _ if after_bearer || is_jwt(entry) => 0,
            entry => secret_from(entry).unwrap_or(entry.len()),
        };
        shown.extend_from_slice(entry.get(..keep).unwrap_or_default());
        if keep < entry.len() {
            shown.extend_from_slice(HIDDEN.as_bytes());
        }
        shown.extend_from_slice(member.strip_prefix(entry).unwrap_or_default());
        after_bearer = keep == entry.len() && announces_secret(entry);
    }
    if shown == list { Cow::Borrowed(list) } else { Cow::Owned(shown) }
}

fn split_at_colon(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = line.split_at(memchr::memchr(b':', line)?);
    Some((name, rest.strip_prefix(b":")?))
}

/// Whether the values of a field are secrets.
pub fn is_secret_header(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let known: [&[u8]; 4] = [b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"];
    let tells: [&[u8]; 6] =
        [b"token", b"secret", b"password", b"api-key", b"apikey", b"access-key"];
    let name = name.trim_ascii();
    known.contains(&name) || tells.iter().any(|word| contains(name, word))
}

/// A word after which a token follows as the next entry.
fn announces_secret(entry: &[u8]) -> bool {
    let words: [&[u8]; 9] = [
        b"bearer",
        b"token",
        b"access_token",
        b"access-token",
        b"authorization",
        b"auth",
        b"jwt",
        b"api_key",
        b"apikey",
    ];
    words.iter().any(|word| entry.eq_ignore_ascii_case(word))
}

/// Where the secret begins in an entry such as `access_token.SECRET`.
fn secret_from(entry: &[u8]) -> Option<usize> {
    let words: [&[u8]; 9] = [
        b"bearer",
        b"token",
        b"authorization",
        b"secret",
        b"password",
        b"api-key",
        b"api_key",
        b"apikey",
        b"jwt",
    ];
    let lower = entry.to_ascii_lowercase();
    let word = words
        .iter()
        .filter_map(|word| Some(memchr::memmem::find(&lower, word)? + word.len()))
        .min()?;
    // Kubernetes: base64url.bearer.authorization.k8s.io.TOKEN.
    let k8s = b".k8s.io.";
    if let Some(at) = memchr::memmem::find(&lower, k8s) {
        return Some(at + k8s.len());
    }
    let dot = memchr::memchr2(b'.', b'=', lower.get(word..)?)?;
    Some(word + dot + 1)
}

/// A JSON Web Token: three parts, the first of which is an object in base64.
fn is_jwt(entry: &[u8]) -> bool {
    entry.starts_with(b"eyJ") && memchr::memchr_iter(b'.', entry).count() >= 2
}

fn url_bytes(url: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Vec::with_capacity(url.len());
    let (front, query) = match memchr::memchr2(b'?', b'#', url) {
        Some(at) => url.split_at(at),
        None => (url, &[][..]),
    };
    match userinfo(front) {
        Some((start, end)) => {
            shown.extend_from_slice(front.get(..start).unwrap_or_default());
            shown.extend_from_slice(HIDDEN.as_bytes());
            shown.extend_from_slice(front.get(end..).unwrap_or_default());
        }
        None => shown.extend_from_slice(front),
    }
    let ends = |b: &u8| matches!(b, b'?' | b'&' | b';' | b'#' | b' ');
    for pair in query.split_inclusive(ends) {
        let end = pair.len() - usize::from(pair.last().is_some_and(ends));
        let (pair, end) = pair.split_at(end);
        match memchr::memchr(b'=', pair).map(|at| pair.split_at(at)) {
            Some((key, secret)) if is_secret_key(key) && secret.len() > 1 => {
                shown.extend_from_slice(key);
                shown.push(b'=');
                shown.extend_from_slice(HIDDEN.as_bytes());
            }
            _ => shown.extend_from_slice(pair),
        }
        shown.extend_from_slice(end);
    }
    if shown == url { Cow::Borrowed(url) } else { Cow::Owned(shown) }
}

/// Where the userinfo of a URL begins and ends.
fn userinfo(front: &[u8]) -> Option<(usize, usize)> {
    // Typed URLs and Locations may lack the scheme. Browsers accept backslashes as slashes, and any
    // number of them.
    let scheme =
        front.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
    let slashes = |from: usize| {
        let rest = front.get(from..).unwrap_or_default();
        rest.iter().take_while(|b| matches!(b, b'/' | b'\\')).count()
    };
    let behind = if front.get(scheme) == Some(&b':') { scheme + 1 } else { 0 };
    let start = match slashes(behind) {
        0 => 0,
        1 if behind == 0 => 0,
        count => behind + count,
    };
    let rest = front.get(start..)?;
    let authority = rest.get(..memchr::memchr2(b'/', b'\\', rest).unwrap_or(rest.len()))?;
    Some((start, start + memchr::memrchr(b'@', authority)?))
}

fn is_secret_key(key: &[u8]) -> bool {
    let key = key.to_ascii_lowercase();
    let known: [&[u8]; 8] =
        [b"key", b"sig", b"auth", b"jwt", b"pass", b"pwd", b"bearer", b"x-amz-credential"];
    let ends: [&[u8]; 4] = [b"_key", b"-key", b"apikey", b"accesskey"];
    let tells: [&[u8]; 5] = [b"token", b"secret", b"passw", b"signature", b"authorization"];
    known.contains(&key.as_slice())
        || ends.iter().any(|end| key.ends_with(end))
        || tells.iter().any(|word| contains(&key, word))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> String {
        String::from_utf8_lossy(&protocols(text.as_bytes())).into_owned()
    }

    #[test]
    fn urls_lose_userinfo_and_secret_queries() {
        for (given, shown) in [
            ("wss://u:p@h/x", "wss://***@h/x"),
            ("wss://h/x@y", "wss://h/x@y"),
            ("wss://u:p@ss@h", "wss://***@h"),
            ("//u:p@h/x", "//***@h/x"),
            ("\\\\u:p@h/x", "\\\\***@h/x"),
            ("https:/u:p@h", "https:/***@h"),
            ("https:\\\\u:p@h\\@y", "https:\\\\***@h\\@y"),
            ("u:p@h", "***@h"),
            ("/x@y", "/x@y"),
            ("GET /c@d HTTP/1.1", "GET /c@d HTTP/1.1"),
            ("/c?a=1&token=abc&b=2", "/c?a=1&token=***&b=2"),
            ("/c?access_token=abc;api_key=d&KEY=e#f", "/c?access_token=***;api_key=***&KEY=***#f"),
            (
                "/c?client_secret=a&password=b&keyword=c",
                "/c?client_secret=***&password=***&keyword=c",
            ),
            ("/c?token=", "/c?token="),
            ("GET /c?token=abc HTTP/1.1", "GET /c?token=*** HTTP/1.1"),
            ("wss://h/#access_token=x", "wss://h/#access_token=***"),
        ] {
            assert_eq!(url(given), shown);
            assert_eq!(url(shown), shown, "hiding twice changes nothing");
        }
    }

    #[test]
    fn bearer_subprotocols_are_hidden() {
        for (given, shown) in [
            ("chat, superchat", "chat, superchat"),
            ("bearer, abc", "bearer, ***"),
            ("graphql-ws, Bearer,abc,chat", "graphql-ws, Bearer,***,chat"),
            ("v4.channel.k8s.io", "v4.channel.k8s.io"),
            (
                "base64url.bearer.authorization.k8s.io.abc",
                "base64url.bearer.authorization.k8s.io.***",
            ),
            ("access_token.abc", "access_token.***"),
            ("realtime, openai-insecure-api-key.sk-1", "realtime, openai-insecure-api-key.***"),
            ("eyJhbGciOi.eyJzdWIi.sig", "***"),
            ("bearer or abc", "bearer or ***"),
        ] {
            assert_eq!(list(given), shown);
        }
    }

    #[test]
    fn heads_keep_everything_but_the_secrets() {
        let given = b"GET /c?key=1 HTTP/1.1\r\nHost: h\r\nauthorization:  Basic dTpw\r\n more\r\n\
            Cookie: a=b\r\nX-Api-Key: k\r\nSec-WebSocket-Key: dGhl\r\n\
            Sec-WebSocket-Protocol: bearer, T\r\nodd line\n\r\n";
        let shown = "GET /c?key=*** HTTP/1.1\r\nHost: h\r\nauthorization:  ***\r\n  ***\r\n\
            Cookie: ***\r\nX-Api-Key: ***\r\nSec-WebSocket-Key: dGhl\r\n\
            Sec-WebSocket-Protocol: bearer, ***\r\nodd line\n\r\n";
        assert_eq!(String::from_utf8_lossy(&head(given)), shown);
    }

    #[test]
    fn redirects_are_urls_too() {
        assert_eq!(&*value(b"Location", b"https://u:p@h/?token=x"), b"https://***@h/?token=***");
        assert_eq!(&*value(b"Set-Cookie", b"sid=1; Path=/"), b"***");
        assert_eq!(&*value(b"Server", b"nginx"), b"nginx");
    }
}
