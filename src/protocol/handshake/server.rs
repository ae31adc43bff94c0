//! The server's side of the opening handshake (RFC 6455 §4.2): the answer to a request.

use data_encoding::BASE64;
use tungstenite::handshake::derive_accept_key;

use crate::http::head::{HeadError, RequestHead, list, values};
use crate::protocol::deflate::{self, Extension, Params};
use crate::protocol::violation::Policy;

/// Which requests a server accepts, and what it agrees to.
#[derive(Clone, Debug, Default)]
pub struct AcceptOptions {
    /// The supported subprotocols; the first one in the client's list that is supported is chosen.
    pub subprotocols: Vec<String>,
    /// The allowed origins; empty allows all. Others, and requests without one, get a 403.
    pub origins: Vec<String>,
    /// Agree to permessage-deflate (RFC 7692).
    pub deflate: bool,
    /// If strict, what a lenient reader tolerates gets a 400: line ends without CR, folded fields,
    /// extensions that can't be parsed.
    pub policy: Policy,
}

/// The server's reply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 101.
    Accepted {
        /// The response's head.
        response: Vec<u8>,
        /// The subprotocol, if one was chosen.
        subprotocol: Option<String>,
        /// The Sec-WebSocket-Extensions of the response; empty without.
        extensions: String,
        /// The agreed compression.
        deflate: Option<Params>,
    },
    /// Another status.
    Refused {
        /// The status code.
        status: u16,
        /// The response with its body.
        response: Vec<u8>,
        /// The status line's end and the body's first line; what the client chose is escaped.
        why: String,
    },
}

/// Answers a request by the rules of §4.2.1 and §4.2.2.
pub fn answer(request: &RequestHead, options: &AcceptOptions) -> Reply {
    judge(request, options).unwrap_or_else(Reply::from)
}

/// Answers bytes that aren't the head of a request.
pub fn refuse(error: &HeadError) -> Reply {
    let no_request = |why: &str| Refusal::new(BAD, format!("this is no HTTP request: {why}"));
    match error {
        HeadError::NotHttp(bytes) if bytes.starts_with(&[TLS_HANDSHAKE]) => {
            Refusal::new(BAD, "this is TLS (wss:// instead of ws://?)")
        }
        HeadError::NotHttp(_) => no_request("its first byte is none of a method"),
        HeadError::StartLine(_) => no_request("its first line can't be read"),
        HeadError::FieldLine(_, why) => no_request(why),
        HeadError::TooLong(limit) => {
            Refusal::new(TOO_LARGE, format!("the head is over {limit} bytes"))
        }
        HeadError::TooMany(_) => Refusal::new(TOO_LARGE, "there are too many header fields"),
    }
    .into()
}

/// The type of the TLS record that carries a ClientHello (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

const BAD: &str = "400 Bad Request";
const FORBIDDEN: &str = "403 Forbidden";
const NOT_ALLOWED: &str = "405 Method Not Allowed";
const UPGRADE: &str = "426 Upgrade Required";
const TOO_LARGE: &str = "431 Request Header Fields Too Large";

struct Refusal {
    status: &'static str,
    header: &'static str,
    why: String,
}

impl Refusal {
    fn new(status: &'static str, why: impl Into<String>) -> Refusal {
        Refusal::with(status, "", why)
    }

    fn with(status: &'static str, header: &'static str, why: impl Into<String>) -> Refusal {
        Refusal { status, header, why: why.into() }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Reply {
        let Refusal { status, header, why } = refusal;
        let body = format!("{why}\nThis is wstap's test server; it speaks WebSocket only.\n");
        let response = format!(
            "HTTP/1.1 {status}\r\n{header}Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let code = status.split(' ').next().and_then(|code| code.parse().ok());
        Reply::Refused {
            status: code.unwrap_or(400),
            response: response.into_bytes(),
            why: format!("{status}: {why}"),
        }
    }
}

/// Accepts a request that keeps every rule of §4.2.1 and of `options`.
fn judge(request: &RequestHead, options: &AcceptOptions) -> Result<Reply, Refusal> {
    let headers = &request.headers;
    let has_token = |name, token: &str| {
        list(headers, name).any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
    };
    if request.method != b"GET" {
        return Err(Refusal::with(NOT_ALLOWED, "Allow: GET\r\n", "the method is not GET"));
    }
    if request.minor == 0 {
        return Err(Refusal::new(BAD, "the version is not HTTP/1.1"));
    }
    if options.policy == Policy::Strict
        && let Some(leniency) = request.leniencies.first()
    {
        return Err(Refusal::new(BAD, leniency.to_string()));
    }
    if values(headers, "host").next().is_none() {
        return Err(Refusal::new(BAD, "there is no Host header"));
    }
    // Its bytes would be read as frames.
    let empty = values(headers, "content-length").all(|length| length == b"0");
    if !empty || values(headers, "transfer-encoding").next().is_some() {
        return Err(Refusal::new(BAD, "the request has a body"));
    }
    if !has_token("upgrade", "websocket") {
        let why = "there is no \"Upgrade: websocket\" header";
        return Err(Refusal::with(UPGRADE, "Upgrade: websocket\r\n", why));
    }
    if !has_token("connection", "upgrade") {
        return Err(Refusal::new(BAD, "the Connection header doesn't have \"upgrade\""));
    }
    if values(headers, "sec-websocket-version").next() != Some(b"13") {
        let header = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        return Err(Refusal::with(UPGRADE, header, "Sec-WebSocket-Version is not 13"));
    }
    let mut keys = values(headers, "sec-websocket-key");
    let key = match (keys.next(), keys.next()) {
        (Some(key), None) => key,
        (None, _) => return Err(Refusal::new(BAD, "there is no Sec-WebSocket-Key header")),
        (Some(_), Some(_)) => return Err(Refusal::new(BAD, "Sec-WebSocket-Key is repeated")),
    };
    if BASE64.decode(key).map_or(0, |nonce| nonce.len()) != 16 {
        return Err(Refusal::new(BAD, "Sec-WebSocket-Key is not the base64 of 16 bytes"));
    }
    judge_origin(request, &options.origins)?;
    let (extensions, deflate) = agree(request, options)?;
    let subprotocol = choose_subprotocol(request, &options.subprotocols);
    let accept = derive_accept_key(key);
    let response = accepted(&accept, subprotocol.as_deref(), &extensions);
    Ok(Reply::Accepted { response, subprotocol, extensions, deflate })
}

fn judge_origin(request: &RequestHead, allowed: &[String]) -> Result<(), Refusal> {
    let forbidden = |why: String| Err(Refusal::new(FORBIDDEN, why));
    let mut origins = values(&request.headers, "origin");
    match (origins.next(), origins.next()) {
        _ if allowed.is_empty() => Ok(()),
        (None, _) => {
            forbidden("there is no Origin header, and only some origins are let in".into())
        }
        (Some(_), Some(_)) => forbidden("the Origin header is repeated".into()),
        (Some(origin), None) => {
            if allowed.iter().any(|a| origin.eq_ignore_ascii_case(a.as_bytes())) {
                return Ok(());
            }
            forbidden(format!("the origin {} is not let in", origin.escape_ascii()))
        }
    }
}

/// The extensions of the response, and the compression that they agree on.
fn agree(
    request: &RequestHead,
    options: &AcceptOptions,
) -> Result<(String, Option<Params>), Refusal> {
    let offers = values(&request.headers, "sec-websocket-extensions").collect::<Vec<_>>();
    let offers = match Extension::parse_list(&offers.join(&b", "[..])) {
        Ok(offers) => offers,
        // §9.1 demands to fail the connection; a lenient server ignores the field.
        Err(why) if options.policy == Policy::Strict => {
            return Err(Refusal::new(BAD, format!("Sec-WebSocket-Extensions has {why}")));
        }
        Err(_) => Vec::new(),
    };
    let accepted = deflate::accept(&offers).filter(|_| options.deflate);
    Ok(accepted.map_or_else(Default::default, |(answer, params)| (answer, Some(params))))
}

/// The first supported subprotocol in the client's order of preference.
fn choose_subprotocol(request: &RequestHead, allowed: &[String]) -> Option<String> {
    list(&request.headers, "sec-websocket-protocol")
        .find_map(|wish| allowed.iter().find(|a| a.as_bytes() == wish))
        .cloned()
}

fn accepted(accept: &str, subprotocol: Option<&str>, extensions: &str) -> Vec<u8> {
    let mut response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n"
    );
    if let Some(subprotocol) = subprotocol {
        response += &format!("Sec-WebSocket-Protocol: {subprotocol}\r\n");
    }
    if !extensions.is_empty() {
        response += &format!("Sec-WebSocket-Extensions: {extensions}\r\n");
    }
    response += "\r\n";
    response.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::{HeadLimits, HeadReader, RequestReader};
    use crate::protocol::handshake::{HandshakeReport, Request, RequestOptions, Verdict};

    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: soap, wamp\r\n\
        Sec-WebSocket-Protocol: chat\r\nOrigin: http://good.example\r\n\r\n";

    fn answered(request: &[u8], options: &AcceptOptions) -> Reply {
        match RequestReader::new(HeadLimits::default()).feed(request) {
            Ok(Some((head, _))) => answer(&head, options),
            Ok(None) => panic!("the head has no end"),
            Err(error) => refuse(&error),
        }
    }

    fn refused(request: impl AsRef<[u8]>, options: &AcceptOptions) -> String {
        match answered(request.as_ref(), options) {
            Reply::Refused { response, status, why } => {
                assert!(why.starts_with(&status.to_string()), "{why}");
                String::from_utf8(response).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_rfcs_example_is_accepted() {
        let subprotocols = vec!["chat".to_string(), "wamp".to_string()];
        let options = AcceptOptions { subprotocols, ..AcceptOptions::default() };
        let bytes = [REQUEST.as_bytes(), b"\x89\x80"].concat();
        let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
            Sec-WebSocket-Protocol: wamp\r\n\r\n";
        let expected = Reply::Accepted {
            response: response.into(),
            subprotocol: Some("wamp".into()),
            extensions: String::new(),
            deflate: None,
        };
        assert_eq!(answered(&bytes, &options), expected);
    }

    #[test]
    fn no_subprotocol_is_better_than_a_wrong_one() {
        for subprotocols in [vec![], vec!["mqtt".to_string()]] {
            let options = AcceptOptions { subprotocols, ..AcceptOptions::default() };
            let answered = answered(REQUEST.as_bytes(), &options);
            assert!(matches!(answered, Reply::Accepted { subprotocol: None, .. }));
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        for (from, to, status, why) in [
            ("GET", "POST", "405 Method Not Allowed\r\nAllow: GET", "not GET"),
            ("HTTP/1.1", "HTTP/1.0", "400", "not HTTP/1.1"),
            ("HTTP/1.1", "SSH", "400", "no HTTP request"),
            ("GET", "\u{16}\u{3}\u{1}", "400", "this is TLS"),
            ("GET", "\u{1}", "400", "no HTTP request"),
            ("Host:", "Host :", "400", "white space before the colon"),
            ("Host:", "Hosts:", "400", "no Host"),
            ("Upgrade: WebSocket\r\n", "", "426 Upgrade Required\r\nUpgrade: websocket", "Upgrade"),
            ("keep-alive, Upgrade", "close", "400", "Connection"),
            ("-Version: 13", "-Version: 8", "426 Upgrade Required\r\n", "Sec-WebSocket-Version"),
            ("Sec-WebSocket-Key", "X-Key", "400", "Sec-WebSocket-Key"),
            ("Origin:", "Sec-WebSocket-Key:", "400", "Sec-WebSocket-Key is repeated"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", "400", "base64 of 16"),
            ("Origin:", "Content-Length: 4\r\nOrigin:", "400", "has a body"),
            ("Origin:", "Transfer-Encoding: chunked\r\nOrigin:", "400", "has a body"),
        ] {
            let response = refused(REQUEST.replacen(from, to, 1), &AcceptOptions::default());
            assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{response}");
            let (_, body) = response.split_once("\r\n\r\n").unwrap();
            assert!(body.contains(why), "{response}");
            assert!(response.contains(&format!("Content-Length: {}\r\n", body.len())));
        }
    }

    #[test]
    fn origins_on_the_list_are_let_in() {
        let allow = |origin: &str| AcceptOptions {
            origins: vec!["https://other.example".into(), origin.into()],
            ..AcceptOptions::default()
        };
        let good = allow("http://GOOD.example");
        let accepted = answered(REQUEST.as_bytes(), &good);
        assert!(matches!(accepted, Reply::Accepted { .. }), "{accepted:?}");
        let response = refused(REQUEST, &allow("https://good.example"));
        assert!(response.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{response}");
        assert!(response.contains("the origin http://good.example is not let in"), "{response}");
        let response = refused(REQUEST.replace("good.example", "\u{80}"), &good);
        assert!(response.contains("the origin http://\\xc2\\x80 is not let in"), "{response}");
        let response = refused(REQUEST.replace("Origin", "X-Origin"), &good);
        assert!(response.contains("no Origin header"), "{response}");
    }

    #[test]
    fn a_head_without_end_and_too_many_fields_are_refused() {
        let endless = format!("{}{}", REQUEST.trim_end(), "x".repeat(64 << 10));
        let response = refused(&endless, &AcceptOptions::default());
        assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
        assert!(response.contains("the head is over 65536 bytes"), "{response}");
        let many = REQUEST.replace("Origin", &format!("{}Origin", "A: b\r\n".repeat(257)));
        let response = refused(&many, &AcceptOptions::default());
        assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
    }

    #[test]
    fn a_strict_server_passes_nothing_over() {
        let strict = AcceptOptions { policy: Policy::Strict, ..AcceptOptions::default() };
        let lenient = AcceptOptions { deflate: true, ..AcceptOptions::default() };
        for (request, why) in [
            (REQUEST.replace("\r\n", "\n"), "LF instead of CR LF"),
            (REQUEST.replace("Origin: ", "Origin:\r\n "), "folded"),
            (
                REQUEST.replace("Origin", "Sec-WebSocket-Extensions: a=\"b\r\nOrigin"),
                "Sec-WebSocket-Extensions has a quote that does not end",
            ),
        ] {
            let response = refused(&request, &strict);
            assert!(response.starts_with("HTTP/1.1 400 ") && response.contains(why), "{response}");
            let answered = answered(request.as_bytes(), &lenient);
            assert!(matches!(answered, Reply::Accepted { deflate: None, .. }), "{answered:?}");
        }
    }

    /// A handshake with ourselves; gives the extensions of the response.
    #[track_caller]
    fn agreed(offer: &str, deflate: bool) -> (String, Option<Params>) {
        let options = RequestOptions {
            host: "h".into(),
            target: "/".into(),
            extensions: offer.into(),
            subprotocols: vec!["chat".into()],
            ..RequestOptions::default()
        };
        let request = Request::new(&options, "dGhlIHNhbXBsZSBub25jZQ==");
        let options =
            AcceptOptions { deflate, subprotocols: vec!["chat".into()], ..Default::default() };
        match answered(&request.bytes, &options) {
            Reply::Accepted { response, subprotocol, extensions, deflate } => {
                let mut reader = HeadReader::new(HeadLimits::default());
                let (response, _) = reader.feed(&response).unwrap().unwrap();
                let report = HandshakeReport::judge(&request, &response, Policy::Strict);
                assert_eq!(report.verdict(), Verdict::Pass, "{offer}: {report:?}");
                assert_eq!((report.subprotocol, report.deflate), (subprotocol, deflate), "{offer}");
                assert_eq!(report.extensions, extensions);
                (extensions, deflate)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_good_offer_of_compression_is_agreed_on() {
        let bits = |name: &str| -> Vec<String> {
            (8..=15).map(|bits| format!("; {name}_max_window_bits={bits}")).collect()
        };
        let (mut server, mut client) = (bits("server"), bits("client"));
        server.push(String::new());
        client.extend([String::new(), "; client_max_window_bits".into()]);
        for server in &server {
            for client in &client {
                for flags in [
                    "",
                    "; server_no_context_takeover",
                    "; client_no_context_takeover",
                    "; server_no_context_takeover; client_no_context_takeover",
                ] {
                    let offer = format!("permessage-deflate{flags}{server}{client}");
                    let expected = offer.trim_end_matches("; client_max_window_bits");
                    let (answer, params) = agreed(&offer, true);
                    assert_eq!(answer, expected);
                    let params = params.unwrap();
                    let has = |name| flags.contains(name);
                    assert_eq!(params.server_no_context_takeover, has("server_no"));
                    assert_eq!(params.client_no_context_takeover, has("client_no"));
                    for (text, bits) in [
                        (server, params.server_max_window_bits),
                        (client, params.client_max_window_bits),
                    ] {
                        let asked = text.split_once('=').map_or(15, |(_, n)| n.parse().unwrap());
                        assert_eq!(bits, asked, "{offer}");
                    }
                    assert_eq!(agreed(&offer, false), (String::new(), None));
                }
            }
        }
    }

    #[test]
    fn the_first_acceptable_offer_counts_and_bad_ones_are_declined() {
        for bad in [
            "x-other",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; unknown",
        ] {
            assert_eq!(agreed(bad, true), (String::new(), None), "{bad}");
            let (answer, _) = agreed(
                &format!(
                    "{bad}, permessage-deflate; server_max_window_bits=\"10\", permessage-deflate"
                ),
                true,
            );
            assert_eq!(answer, "permessage-deflate; server_max_window_bits=10");
        }
        assert_eq!(agreed("", true), (String::new(), None));
    }
}
