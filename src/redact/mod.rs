//! Secrets become `***` when an event is made, so that no view has to hide them.
//!
//! What is hidden: credentials in header fields, tokens smuggled in as subprotocols, secrets in URLs
//! (userinfo, path and query), and what is a token by its looks, wherever it is in a head or a
//! refusal. The names stay visible, to show that something was sent. An answer is also searched for
//! the secrets of its request: servers like to quote it. Messages are shown as they are.
//!
//! A secret that we need later is kept as [`Secret`] or [`Guarded`]. Only `reveal` gives access to
//! it, to put it on the wire (`tests/connection/guarded.rs` lists the files that may call it).

mod echo;
mod fields;
mod find;
mod names;
mod subprotocols;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use crate::http::head::{Header, Leniency, Response};
use crate::protocol::handshake::{HandshakeReport, HandshakeRule, Request};

pub use echo::Echo;
pub use fields::{bad_header, head, typed_header, value};
pub use find::HIDDEN;
pub use names::is_secret_header;

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

    /// A header's value.
    pub fn value(self, field: &Header) -> Cow<'_, [u8]> {
        match self {
            Secrets::Shown => Cow::Borrowed(&field.value),
            Secrets::Hidden => value(&field.name, &field.value),
        }
    }

    /// The judgement of a response to a request; a subprotocol in it may be a token.
    pub fn report(self, mut report: HandshakeReport, request: &Request) -> HandshakeReport {
        if self == Secrets::Shown || report.rules.is_empty() && report.subprotocol.is_none() {
            return report;
        }
        let echo = Echo::of(request);
        let hide = |text: &[u8], is_list: bool| {
            let text = echo.without(text);
            let shown = if is_list { protocols(&text) } else { words(&text) };
            shown.into_owned()
        };
        let hide_text = |text: &mut String, is_list: bool| {
            *text = String::from_utf8_lossy(&hide(text.as_bytes(), is_list)).into_owned();
        };
        if let Some(chosen) = &mut report.subprotocol {
            hide_text(chosen, true);
        }
        for result in &mut report.rules {
            let is_list = result.rule == HandshakeRule::Subprotocol;
            // What we computed from the key is no secret.
            if result.rule != HandshakeRule::Accept {
                hide_text(&mut result.expected, is_list);
            }
            hide_text(&mut result.note, false);
            result.received = hide(&result.received, is_list);
        }
        report
    }
}

/// A request or response that is stored with its secrets and read without them.
#[derive(Clone)]
pub struct Guarded<T> {
    raw: T,
    secrets: Secrets,
    /// The request whose secrets the value may quote.
    asked: Option<Box<Request>>,
    /// The value without its secrets, once somebody reads it: a pipe shows none of it.
    shown: OnceLock<Box<T>>,
}

/// What can be read without its secrets.
pub trait Redact {
    /// A copy without them.
    fn redacted(&self, echo: &Echo) -> Self;
}

impl<T: Redact> Guarded<T> {
    /// Guards the value.
    pub fn new(raw: T, secrets: Secrets) -> Guarded<T> {
        Guarded { raw, secrets, asked: None, shown: OnceLock::new() }
    }

    /// The value with its secrets.
    pub fn reveal(&self) -> &T {
        &self.raw
    }

    /// Whether its secrets are shown.
    pub fn secrets(&self) -> Secrets {
        self.secrets
    }

    /// The value as it may be shown.
    pub fn shown(&self) -> &T {
        let redacted = || {
            let echo = self.asked.as_deref().map(Echo::of).unwrap_or_default();
            Box::new(self.raw.redacted(&echo))
        };
        match self.secrets {
            Secrets::Shown => &self.raw,
            Secrets::Hidden => self.shown.get_or_init(redacted),
        }
    }
}

/// A header's name and its value as it may be shown.
pub type Field<'a> = (&'a [u8], &'a [u8]);

fn fields(headers: &[Header]) -> impl Iterator<Item = Field<'_>> {
    headers.iter().map(|field| (field.name.as_slice(), field.value.as_slice()))
}

impl Guarded<Request> {
    /// Path and query.
    pub fn target(&self) -> &str {
        &self.shown().target
    }

    /// The header fields in order.
    pub fn headers(&self) -> impl Iterator<Item = Field<'_>> {
        fields(&self.shown().headers)
    }

    /// The head, as on the wire.
    pub fn head(&self) -> &[u8] {
        &self.shown().bytes
    }
}

impl Guarded<Response> {
    /// Guards the answer to a request, which may quote the request's secrets.
    pub fn answer(raw: Response, secrets: Secrets, request: &Request) -> Guarded<Response> {
        let asked = (secrets == Secrets::Hidden).then(|| Box::new(request.clone()));
        Guarded { raw, secrets, asked, shown: OnceLock::new() }
    }

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
        &self.shown().reason
    }

    /// The header fields in order.
    pub fn headers(&self) -> impl Iterator<Item = Field<'_>> {
        fields(&self.shown().headers)
    }

    /// The head, as on the wire.
    pub fn head(&self) -> &[u8] {
        &self.shown().head
    }

    /// What was tolerated in the head.
    pub fn leniencies(&self) -> &[Leniency] {
        &self.raw.leniencies
    }

    /// For a refusal: the beginning of the body.
    pub fn body(&self) -> &[u8] {
        &self.shown().body
    }

    /// Why the body is incomplete, if it is.
    pub fn body_cut(&self) -> Option<&str> {
        self.raw.body_cut.as_deref()
    }
}

impl Redact for Request {
    fn redacted(&self, echo: &Echo) -> Request {
        Request {
            target: url(&self.target).into_owned(),
            headers: redacted_headers(&self.headers, echo),
            bytes: head(&self.bytes).into_owned(),
        }
    }
}

impl Redact for Response {
    fn redacted(&self, echo: &Echo) -> Response {
        Response {
            reason: words(&echo.without(&self.reason)).into_owned(),
            headers: redacted_headers(&self.headers, echo),
            head: head(&echo.without(&self.head)).into_owned(),
            body: words(&echo.without(&self.body)).into_owned(),
            minor: self.minor,
            status: self.status,
            leniencies: self.leniencies.clone(),
            body_cut: self.body_cut.clone(),
        }
    }
}

fn redacted_headers(headers: &[Header], echo: &Echo) -> Vec<Header> {
    let redacted = |field: &Header| {
        let shown = value(&field.name, &echo.without(&field.value)).into_owned();
        Header { name: field.name.clone(), value: shown }
    };
    headers.iter().map(redacted).collect()
}

impl fmt::Debug for Guarded<Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&String::from_utf8_lossy(self.head())).finish()
    }
}

impl fmt::Debug for Guarded<Response> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Response").field(&String::from_utf8_lossy(self.head())).finish()
    }
}

/// A URL (or a request's target) as it may be shown.
pub fn url(url: &str) -> Cow<'_, str> {
    shown(url, find::secrets(url.as_bytes(), find::Kind::Url))
}

/// A typed text or words from a peer, as they may be shown.
pub fn text(text: &str) -> Cow<'_, str> {
    shown(text, find::secrets(text.as_bytes(), find::Kind::Words))
}

/// Words from a peer as they may be shown: a reason phrase, a refusal's body.
pub fn words(text: &[u8]) -> Cow<'_, [u8]> {
    find::without(text, find::secrets(text, find::Kind::Words))
}

/// A list of subprotocols as it may be shown.
pub fn protocols(list: &[u8]) -> Cow<'_, [u8]> {
    find::without(list, subprotocols::secrets(list))
}

fn shown(text: &str, secrets: Vec<std::ops::Range<usize>>) -> Cow<'_, str> {
    match find::without(text.as_bytes(), secrets) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        // Only whole ASCII-delimited parts were replaced, so this is still UTF-8.
        Cow::Owned(shown) => Cow::Owned(String::from_utf8_lossy(&shown).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            ("wss://h/#access_token=x", "wss://h/#access_token=***"),
        ] {
            assert_eq!(url(given), shown);
            assert_eq!(url(shown), shown, "hiding twice changes nothing");
        }
    }

    #[test]
    fn urls_in_urls_and_in_words() {
        for (given, shown) in [
            (
                "/x?next=wss%3A%2F%2Fu%3Ap%40h%2F%3Ftoken%3Da%26b",
                "/x?next=wss%3A%2F%2F***%40h%2F%3Ftoken%3D***%26b",
            ),
            ("/x?next=%252Fy%253Ftoken%253Dabc&b=1", "/x?next=%252Fy%253Ftoken%253D***&b=1"),
            ("/x?a=1?token=abc", "/x?a=1?token=***"),
            ("/x?token=ab%26cd&b=1", "/x?token=***&b=1"),
            ("/x?token=ab?cd/ef&b=1", "/x?token=***&b=1"),
            ("/x?%74oken=ab&access%5Ftoken=cd", "/x?%74oken=***&access%5Ftoken=***"),
            ("/x;jsessionid=ab/token=cd/room?y", "/x;jsessionid=***/token=***/room?y"),
            ("/proxy/https://u:p@h/y", "/proxy/https://***@h/y"),
            ("ws://u:pa/ss@h/x", "ws://***@h/x"),
            ("ws://u:pa#s?s@h/x", "ws://***@h/x"),
            ("ws://h:80/x@y", "ws://h:80/x@y"),
            ("ws://[::1]:80/x@y", "ws://[::1]:80/x@y"),
            ("/s?EIO=4&transport=websocket&sid=abc", "/s?EIO=4&transport=websocket&sid=abc"),
            ("/s?sid=abc", "/s?sid=***"),
            ("/x?token=undefined&key=null&auth=true", "/x?token=undefined&key=null&auth=true"),
            ("/x?code=1&codec=h264&keyboard=de", "/x?code=***&codec=h264&keyboard=de"),
        ] {
            assert_eq!(url(given), shown);
            assert_eq!(url(shown), shown, "hiding twice changes nothing");
        }
        for (given, shown) in [
            (
                "<a href=\"/login?a=1&amp;token=ab+c\">Found</a>",
                "<a href=\"/login?a=1&amp;token=***\">Found</a>",
            ),
            ("</y?sig=ab>; rel=\"next\"", "</y?sig=***>; rel=\"next\""),
            ("0; url=https://u:p@h/?key=1", "0; url=https://***@h/?key=***"),
            ("code=403, session=expired", "code=403, session=expired"),
            ("mail me@h.example at https://h/", "mail me@h.example at https://h/"),
        ] {
            assert_eq!(text(given), shown);
        }
    }

    #[test]
    fn a_token_is_one_by_its_looks() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnLW5h_dHVyZQ";
        let coded = jwt.replace('.', "%2E");
        for (given, shown) in [
            (format!("/{jwt}/x"), "/***/x"),
            (format!("/x?q={jwt}&b"), "/x?q=***&b"),
            (format!("/x?q=a%3D{jwt}"), "/x?q=a%3D***"),
            (format!("/{coded}/x"), "/***/x"),
            (format!("/{}/x", coded.replace('%', "%25")), "/***/x"),
            (format!("wstap/1 ({jwt})"), "wstap/1 (***)"),
            (format!("\"{jwt}\" is too old."), "\"***\" is too old."),
            (jwt[..40].to_owned(), "***"),
            ("key sk-proj4aB7xY2kL9mQ3wZ is off".to_owned(), "key *** is off"),
        ] {
            assert_eq!(text(&given), shown);
        }
        for plain in ["eyJhbGciOiJIUzI1NiJ9", "/risk-2024-report-for-everybody", "a.b.c", "eyJ.b.c"]
        {
            assert_eq!(text(plain), plain);
        }
    }

    #[test]
    fn an_answer_that_quotes_the_request_keeps_its_secrets() {
        let fields = [
            ("Authorization", "Basic dTpjb3JyZWN0IGhvcnNl"),
            ("Cookie", "theme=darkmode; session=1f2e3d"),
            ("Sec-WebSocket-Protocol", "chat, bearer, opensesame"),
        ];
        let request = Request {
            target: "/x?token=open%20door&room=lobby-seven".to_owned(),
            headers: fields.map(|(name, value)| Header::new(name, value)).to_vec(),
            bytes: Vec::new(),
        };
        let response = Response {
            status: 403,
            reason: b"no opensesame".to_vec(),
            headers: vec![Header::new("X-Why", "open%20door, 1f2e3d")],
            head: b"HTTP/1.1 403 no opensesame\r\nX-Why: open%20door, 1f2e3d\r\n\r\n".to_vec(),
            body: b"lobby-seven, darkmode, chat: open door correct horse dTpjb3JyZWN0IGhvcnNl"
                .to_vec(),
            ..Response::default()
        };
        let shown = Guarded::answer(response.clone(), Secrets::Hidden, &request);
        assert_eq!(shown.reason(), b"no ***");
        assert_eq!(shown.headers().next().unwrap().1, b"***, ***");
        assert_eq!(shown.head(), b"HTTP/1.1 403 no ***\r\nX-Why: ***, ***\r\n\r\n");
        assert_eq!(shown.body(), b"lobby-seven, darkmode, chat: *** *** ***");
        let shown = Guarded::answer(response.clone(), Secrets::Shown, &request);
        assert_eq!(shown.body(), response.body);
    }

    #[test]
    fn heads_keep_everything_but_the_secrets() {
        let given = b"GET /c?key=1 HTTP/1.1\r\nHost: h\r\nauthorization:  Basic dTpw\r\n more\r\n\
            Cookie: a=b\r\nX-Api-Key: k\r\nSec-WebSocket-Key: dGhl\r\n\
            Sec-WebSocket-Protocol: bearer, T\r\nodd line\n\r\n";
        let shown = "GET /c?key=*** HTTP/1.1\r\nHost: h\r\nauthorization:  ***\r\n\
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

    proptest! {
        #[test]
        fn no_surroundings_bring_a_secret_to_light(
            front in r#"[a-z%0-9/?&=:@;#. "<]{0,30}"#,
            end in r#"[a-z%0-9/?&=:@;#. "<]{0,30}"#,
        ) {
            for (sign, token) in [('?', "token=s3cr3t"), ('&', "sig=s3cr3t"), ('/', "eyJhbGci.s3cr3t.s3cr3t")] {
                let given = format!("{front}{sign}{token}{end}");
                prop_assert!(!url(&given).contains("s3cr3t"), "{given}");
                prop_assert!(!text(&given).contains("s3cr3t"), "{given}");
                let _ = (protocols(given.as_bytes()), head(given.as_bytes()));
            }
        }
    }
}
