//! Bytes that are no WebSocket frames: what they are instead.

use crate::text::Untrusted;
use crate::text::units::Count;

/// What bytes are.
pub(super) struct Foreign {
    /// The lines that say it.
    pub(super) text: String,
    /// Where frames begin, behind the head of a handshake.
    pub(super) frames: Option<usize>,
}

/// Protocols by how their first message begins.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"PRI * HTTP/2.0", "the preface of HTTP/2 (RFC 9113 §3.4), from a client"),
    (b"SSH-", "the greeting of SSH (RFC 4253 §4.2)"),
    (b"+OK", "the greeting of POP3"),
    (b"* OK", "the greeting of IMAP"),
    (b"RFB 0", "the greeting of VNC"),
    (b"AMQP", "the header of AMQP"),
    (
        b"PROXY ",
        "a line of the PROXY protocol: a load balancer puts it before the connection's data",
    ),
    (
        b"\r\n\r\n\0\r\nQUIT\n",
        "version 2 of the PROXY protocol: a load balancer puts it before the connection's data",
    ),
    (b"-ERR", "an error of Redis or POP3"),
    (b"-DENIED", "an error of Redis"),
    (b"+PONG", "an answer of Redis"),
    (b"\x1f\x8b", "data of gzip"),
    (b"<html", "a page in HTML, without a head of HTTP"),
    (b"<!DOCTYPE", "a page in HTML, without a head of HTTP"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x7fELF", "an ELF program"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"\x89PNG", "a picture (PNG)"),
];

/// Recognizes other protocols. Their first bytes would be frames with reserved opcodes or bits, or
/// frames of lengths that don't fit.
pub(super) fn recognize(bytes: &[u8]) -> Option<Foreign> {
    if let Some(found) = http(bytes) {
        return Some(found);
    }
    let text = tls(bytes).or_else(|| http2(bytes)).or_else(|| greeting(bytes))?;
    Some(Foreign { text, frames: None })
}

fn http(bytes: &[u8]) -> Option<Foreign> {
    let line = bytes.split(|b| matches!(b, b'\r' | b'\n')).next()?;
    let is_response = line.starts_with(b"HTTP/1.");
    let method = line.split(|b| *b == b' ').next()?;
    let is_request = !method.is_empty()
        && method.iter().all(u8::is_ascii_uppercase)
        && memchr::memmem::rfind(line, b" HTTP/1.").is_some_and(|at| at + 9 == line.len());
    if !(is_response || is_request) {
        return None;
    }
    let what = if is_response { "response" } else { "request" };
    let mut text = format!("not a frame: the head of an HTTP {what}\n");
    let head = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4);
    let head = head.or_else(|| memchr::memmem::find(bytes, b"\n\n").map(|at| at + 2));
    let shown = crate::redact::head(bytes.get(..head.unwrap_or(bytes.len())).unwrap_or_default());
    for line in shown.split(|b| *b == b'\n').take(40) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            text.push_str(&format!("  {}\n", Untrusted(line)));
        }
    }
    let Some(head) = head else { return Some(Foreign { text, frames: None }) };
    let upgrades = if is_response {
        line.get(8..).is_some_and(|rest| rest.starts_with(b" 101"))
    } else {
        let lower = bytes.get(..head).unwrap_or_default().to_ascii_lowercase();
        memchr::memmem::find(&lower, b"upgrade: websocket").is_some()
    };
    let rest = bytes.len() - head;
    let frames = (upgrades && rest > 0).then_some(head);
    if frames.is_none() && rest > 0 {
        text.push_str(&format!("  and {} of its body\n", Count(rest as u64, "byte")));
    }
    if is_response && !upgrades {
        text.push_str("  no frames follow it: the server didn't switch protocols\n");
    }
    Some(Foreign { text, frames })
}

/// TLS records (RFC 8446 §5.1).
fn tls(bytes: &[u8]) -> Option<String> {
    const MOST: usize = 20;
    let mut lines = String::new();
    let mut rest = bytes;
    let mut count = 0;
    while let Some(([kind @ 0x14..=0x18, 0x03, minor @ 0..=4, a, b], behind)) =
        rest.split_first_chunk::<5>()
    {
        let length = usize::from(u16::from_be_bytes([*a, *b]));
        let body = behind.get(..length.min(behind.len())).unwrap_or_default();
        count += 1;
        if count <= MOST {
            let version = match minor {
                0 => "SSL 3.0".to_owned(),
                minor => format!("TLS 1.{}", minor - 1),
            };
            let cut = match body.len() {
                have if have < length => format!(", {have} of them here"),
                _ => String::new(),
            };
            let size = Count(length as u64, "byte");
            lines.push_str(&format!(
                "  {} ({kind:#04x}), version field {version}, {size}{cut}\n",
                record(*kind, body)
            ));
        }
        rest = behind.get(body.len()..).unwrap_or_default();
    }
    if count == 0 {
        return None;
    }
    let mut text =
        format!("not a frame: {} of TLS (RFC 8446 §5.1)\n{lines}", Count(count as u64, "record"));
    if count > MOST {
        text.push_str(&format!("  and {} more\n", count - MOST));
    }
    text.push_str("\nThis side of the connection speaks TLS: use wss:// where ws:// was used, or capture the\ndecrypted bytes.\n");
    Some(text)
}

fn record(kind: u8, body: &[u8]) -> String {
    match (kind, body) {
        (0x14, _) => "change_cipher_spec".to_owned(),
        (0x15, [level @ 1..=2, description]) => {
            let level = if *level == 1 { "warning" } else { "fatal" };
            format!("alert: {level}, {} ({description})", alert(*description))
        }
        (0x15, _) => "alert, encrypted".to_owned(),
        (0x16, [message, ..]) => format!("handshake: {}", handshake(*message)),
        (0x16, []) => "handshake".to_owned(),
        (0x17, _) => "application data, encrypted".to_owned(),
        _ => "heartbeat".to_owned(),
    }
}

fn handshake(message: u8) -> &'static str {
    match message {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 => "ServerHello",
        4 => "NewSessionTicket",
        8 => "EncryptedExtensions",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        _ => "encrypted, or unknown",
    }
}

/// RFC 8446 §6.
fn alert(description: u8) -> &'static str {
    match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown",
    }
}

/// A server's first frame is SETTINGS on stream 0 (RFC 9113 §3.4, §4.1); its length is a multiple
/// of 6.
fn http2(bytes: &[u8]) -> Option<String> {
    let ([0, a, b, 0x04, 0 | 1, 0, 0, 0, 0], _) = bytes.split_first_chunk::<9>()? else {
        return None;
    };
    (u16::from_be_bytes([*a, *b]) % 6 == 0).then(|| {
        "not a WebSocket frame: SETTINGS of HTTP/2 (RFC 9113 §6.5)\n\nThe server speaks HTTP/2; a WebSocket needs an HTTP/1.1 listener.\n".to_owned()
    })
}

fn greeting(bytes: &[u8]) -> Option<String> {
    let known =
        BEGINNINGS.iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, what)| *what);
    let line = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let is_reply = line.get(..4).is_some_and(|code| {
        matches!(code, [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-'])
    });
    let what = match known {
        Some(what) => what,
        None if is_reply => "the greeting of SMTP or FTP: a reply code and a text",
        // CONNECT, with its remaining length, and the protocol's name.
        None if bytes.first() == Some(&0x10) && bytes.get(2..8) == Some(b"\0\x04MQTT") => {
            "CONNECT of MQTT, without a WebSocket around it"
        }
        None => return None,
    };
    let shown = line.get(..line.len().min(80)).unwrap_or_default();
    let shown =
        match shown.iter().all(|b| !b.is_ascii_control() && b.is_ascii()) && !shown.is_empty() {
            true => format!("  {}\n", Untrusted(shown)),
            false => String::new(),
        };
    Some(format!("not a frame: {what}\n{shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> String {
        recognize(bytes).map(|found| found.text).unwrap_or_default()
    }

    #[test]
    fn other_protocols_are_named() {
        for (bytes, says) in [
            (
                &b"GET /chat?token=abc HTTP/1.1\r\nHost: h\r\n\r\n"[..],
                "request\n  GET /chat?token=*** HTTP/1.1\n  Host: h\n",
            ),
            (
                b"HTTP/1.1 400 Bad Request\r\n\r\nno",
                "response\n  HTTP/1.1 400 Bad Request\n  and 2 bytes of its body",
            ),
            (b"HTTP/1.0 200", "response\n  HTTP/1.0 200\n"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "the preface of HTTP/2"),
            (b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d", "SETTINGS of HTTP/2"),
            (
                b"\x15\x03\x01\0\x02\x02\x28",
                "alert: fatal, handshake_failure (40) (0x15), version field TLS 1.0, 2 bytes",
            ),
            (
                b"\x16\x03\x01\x02\0\x01\0",
                "handshake: ClientHello (0x16), version field TLS 1.0, 512 bytes, 2 of them here",
            ),
            (b"\x14\x03\x03\0\x01\x01\x17\x03\x03\0\0", "2 records of TLS"),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH (RFC 4253 §4.2)\n  SSH-2.0-OpenSSH_9.6\n"),
            (b"220 mail.example ESMTP\r\n", "SMTP or FTP"),
            (b"\x10\x0c\0\x04MQTT\x04\x02", "MQTT"),
            (b"\x1f\x8b\x08\0", "gzip"),
        ] {
            assert!(told(bytes).contains(says), "{}", told(bytes));
        }
    }

    #[test]
    fn frames_are_left_alone() {
        for bytes in
            [&b"\x81\x05Hello"[..], b"\x88\x02\x03\xe8", b"\x89\0", b"\x01\x03Hel", b"\0\0", b""]
        {
            assert!(recognize(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn frames_follow_the_head_of_a_handshake() {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        let found = recognize(&[&head[..], b"\x89\0"].concat()).unwrap();
        assert_eq!(found.frames, Some(head.len()));
        assert_eq!(recognize(head).unwrap().frames, None);
        assert!(told(b"HTTP/1.1 200 OK\r\n\r\n").contains("didn't switch"));
    }
}
