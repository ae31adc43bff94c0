//! The server's side of the opening handshake (RFC 6455 §4.2).

use data_encoding::BASE64;
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::Request;

use crate::commands::serve::ServeOptions;
use crate::text::Untrusted;

/// The longest head that is read.
pub(super) const MAX_HEAD: usize = 64 << 10;

/// What a request comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 101.
    Accepted {
        /// The response's head.
        response: Vec<u8>,
        /// How long the request's head is; frames may follow it.
        head_len: usize,
        /// The subprotocol, if one was chosen.
        subprotocol: Option<String>,
    },
    /// Anything else.
    Refused {
        /// The response with its body.
        response: Vec<u8>,
        /// The body's line; escaped.
        why: String,
    },
}

/// Answers the request that `bytes` begin with; nothing as long as its head isn't complete.
pub(super) fn answer(bytes: &[u8], options: &ServeOptions) -> Option<Answer> {
    if bytes.starts_with(&TLS_HANDSHAKE) {
        return Some(Refusal::new(BAD, "this is TLS (wss:// instead of ws://?)").into());
    }
    match Request::try_parse(bytes) {
        Ok(Some((head_len, request))) => Some(match judge(&request, options) {
            Ok(accept) => {
                let subprotocol = choose_subprotocol(&request, &options.subprotocols);
                let response = accepted(&accept, subprotocol.as_deref());
                Answer::Accepted { response, head_len, subprotocol }
            }
            Err(refusal) => refusal.into(),
        }),
        Ok(None) if bytes.len() > MAX_HEAD => {
            Some(Refusal::new(TOO_LARGE, format!("the head is over {MAX_HEAD} bytes")).into())
        }
        Ok(None) => None,
        Err(error) => Some(unreadable(&error).into()),
    }
}

/// How a TLS record with a ClientHello begins.
const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];

const BAD: &str = "400 Bad Request";
const TOO_LARGE: &str = "431 Request Header Fields Too Large";
const UPGRADE: &str = "426 Upgrade Required";

struct Refusal {
    status: &'static str,
    header: &'static str,
    why: String,
}

impl Refusal {
    fn new(status: &'static str, why: impl Into<String>) -> Refusal {
        Refusal { status, header: "", why: why.into() }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        let Refusal { status, header, why } = refusal;
        let body = format!("{why}\nThis is wstap's test server; it speaks WebSocket only.\n");
        let response = format!(
            "HTTP/1.1 {status}\r\n{header}Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        Answer::Refused { response: response.into_bytes(), why: format!("{status}: {why}") }
    }
}

/// The Sec-WebSocket-Accept for a request that keeps every rule of §4.2.1 and our own.
fn judge(request: &Request, options: &ServeOptions) -> Result<String, Refusal> {
    let headers = request.headers();
    if !headers.contains_key("host") {
        return Err(Refusal::new(BAD, "there is no Host header"));
    }
    if !has_token(request, "upgrade", "websocket") {
        let header = "Upgrade: websocket\r\n";
        let why = "there is no \"Upgrade: websocket\" header".into();
        return Err(Refusal { status: UPGRADE, header, why });
    }
    if !has_token(request, "connection", "upgrade") {
        return Err(Refusal::new(BAD, "the Connection header doesn't have \"upgrade\""));
    }
    if headers.get("sec-websocket-version").is_none_or(|version| version != "13") {
        let header = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        let why = "Sec-WebSocket-Version is not 13".into();
        return Err(Refusal { status: UPGRADE, header, why });
    }
    let mut keys = headers.get_all("sec-websocket-key").iter();
    let key = match (keys.next(), keys.next()) {
        (Some(key), None) => key.as_bytes(),
        (None, _) => return Err(Refusal::new(BAD, "there is no Sec-WebSocket-Key header")),
        (Some(_), Some(_)) => return Err(Refusal::new(BAD, "Sec-WebSocket-Key is repeated")),
    };
    if BASE64.decode(key).map_or(0, |nonce| nonce.len()) != 16 {
        return Err(Refusal::new(BAD, "Sec-WebSocket-Key is not the base64 of 16 bytes"));
    }
    judge_origin(request, &options.origins)?;
    Ok(derive_accept_key(key))
}

fn judge_origin(request: &Request, allowed: &[String]) -> Result<(), Refusal> {
    let forbidden = |why: String| Err(Refusal::new("403 Forbidden", why));
    let mut origins = request.headers().get_all("origin").iter();
    match (origins.next(), origins.next()) {
        _ if allowed.is_empty() => Ok(()),
        (None, _) => {
            forbidden("there is no Origin header, and only some origins are let in".into())
        }
        (Some(_), Some(_)) => forbidden("the Origin header is repeated".into()),
        (Some(origin), None) => {
            if allowed.iter().any(|a| origin.as_bytes().eq_ignore_ascii_case(a.as_bytes())) {
                return Ok(());
            }
            forbidden(format!("the origin {} is not let in", Untrusted(origin.as_bytes())))
        }
    }
}

/// The first in the client's order of preference that is among the allowed.
fn choose_subprotocol(request: &Request, allowed: &[String]) -> Option<String> {
    list(request, "sec-websocket-protocol")
        .find_map(|wish| allowed.iter().find(|a| a.as_bytes() == wish))
        .cloned()
}

fn has_token(request: &Request, name: &str, token: &str) -> bool {
    list(request, name).any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
}

/// The members of a comma-separated list over all fields of that name.
fn list<'a>(request: &'a Request, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let values = request.headers().get_all(name).into_iter();
    values.flat_map(|v| v.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii)
}

fn accepted(accept: &str, subprotocol: Option<&str>) -> Vec<u8> {
    let mut response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n"
    );
    if let Some(subprotocol) = subprotocol {
        response += &format!("Sec-WebSocket-Protocol: {subprotocol}\r\n");
    }
    response += "\r\n";
    response.into_bytes()
}

fn unreadable(error: &tungstenite::Error) -> Refusal {
    match error {
        tungstenite::Error::Protocol(ProtocolError::WrongHttpMethod) => Refusal {
            status: "405 Method Not Allowed",
            header: "Allow: GET\r\n",
            why: "the method is not GET".into(),
        },
        tungstenite::Error::Capacity(CapacityError::TooManyHeaders) => {
            Refusal::new(TOO_LARGE, "there are too many header fields")
        }
        tungstenite::Error::Protocol(ProtocolError::WrongHttpVersion) => {
            Refusal::new(BAD, "the version is not HTTP/1.1")
        }
        error => {
            let error = error.to_string();
            Refusal::new(BAD, format!("this is no HTTP request: {}", Untrusted::text(&error)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: soap, wamp\r\n\
        Sec-WebSocket-Protocol: chat\r\nOrigin: http://good.example\r\n\r\n";

    fn refused(request: &str, options: &ServeOptions) -> String {
        match answer(request.as_bytes(), options) {
            Some(Answer::Refused { response, .. }) => String::from_utf8(response).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_rfcs_example_is_accepted() {
        let subprotocols = vec!["chat".to_string(), "wamp".to_string()];
        let options = ServeOptions { subprotocols, ..ServeOptions::default() };
        let bytes = [REQUEST.as_bytes(), b"\x89\x80"].concat();
        for end in 0..REQUEST.len() {
            assert_eq!(answer(&bytes[..end], &options), None);
        }
        let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
            Sec-WebSocket-Protocol: wamp\r\n\r\n";
        let expected = Answer::Accepted {
            response: response.into(),
            head_len: REQUEST.len(),
            subprotocol: Some("wamp".into()),
        };
        assert_eq!(answer(&bytes, &options), Some(expected));
    }

    #[test]
    fn no_subprotocol_is_better_than_a_wrong_one() {
        for subprotocols in [vec![], vec!["mqtt".to_string()]] {
            let options = ServeOptions { subprotocols, ..ServeOptions::default() };
            let answered = answer(REQUEST.as_bytes(), &options);
            assert!(matches!(answered, Some(Answer::Accepted { subprotocol: None, .. })));
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        for (from, to, status, why) in [
            ("GET", "POST", "405 Method Not Allowed\r\nAllow: GET", "not GET"),
            ("HTTP/1.1", "HTTP/1.0", "400", "not HTTP/1.1"),
            ("HTTP/1.1", "SSH", "400", "no HTTP request"),
            ("Host:", "Hosts:", "400", "no Host"),
            ("Upgrade: WebSocket\r\n", "", "426 Upgrade Required\r\nUpgrade: websocket", "Upgrade"),
            ("keep-alive, Upgrade", "close", "400", "Connection"),
            ("-Version: 13", "-Version: 8", "426 Upgrade Required\r\n", "Sec-WebSocket-Version"),
            ("Sec-WebSocket-Key", "X-Key", "400", "Sec-WebSocket-Key"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", "400", "base64 of 16"),
        ] {
            let response = refused(&REQUEST.replacen(from, to, 1), &ServeOptions::default());
            assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{response}");
            let (_, body) = response.split_once("\r\n\r\n").unwrap();
            assert!(body.contains(why), "{response}");
            assert!(response.contains(&format!("Content-Length: {}\r\n", body.len())));
        }
    }

    #[test]
    fn origins_on_the_list_are_let_in() {
        let allow = |origin: &str| ServeOptions {
            origins: vec!["https://other.example".into(), origin.into()],
            ..ServeOptions::default()
        };
        let good = allow("http://GOOD.example");
        let accepted = answer(REQUEST.as_bytes(), &good);
        assert!(matches!(accepted, Some(Answer::Accepted { .. })), "{accepted:?}");
        let response = refused(REQUEST, &allow("https://good.example"));
        assert!(response.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{response}");
        assert!(response.contains("the origin http://good.example is not let in"), "{response}");
        let response = refused(&REQUEST.replace("Origin", "X-Origin"), &good);
        assert!(response.contains("no Origin header"), "{response}");
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let endless = format!("{}{}", REQUEST.trim_end(), "x".repeat(MAX_HEAD));
        let response = refused(&endless, &ServeOptions::default());
        assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
    }
}
