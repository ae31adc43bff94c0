//! Another protocol on the port, or a port that answers nothing.

use crate::diagnosis::finding::{Finding, Rule, certain, may, probable};
use crate::diagnosis::{End, Facts};
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "other-protocol", find: other_protocol },
    Rule { name: "other-http-version", find: other_http_version },
    Rule { name: "http2-only", find: http2_only },
    Rule { name: "unknown-protocol", find: unknown_protocol },
    Rule { name: "http-service", find: http_service },
    Rule { name: "closed-unanswered", find: closed_unanswered },
    Rule { name: "hangs", find: hangs },
];

/// First bytes of protocols whose servers speak first, or answer a request of HTTP so.
const PROTOCOLS: &[(&[u8], &str)] = &[
    (b"SSH-", "SSH"),
    (b"220 ", "SMTP or FTP"),
    (b"220-", "SMTP or FTP"),
    (b"421 ", "SMTP or FTP"),
    (b"500 ", "SMTP or FTP"),
    (b"502 ", "SMTP or FTP"),
    (b"554 ", "SMTP"),
    (b"* OK", "IMAP"),
    (b"* BYE", "IMAP"),
    (b"+OK", "POP3 (or Redis)"),
    (b"-ERR", "Redis (or POP3)"),
    (b"-NOAUTH", "Redis"),
    (b"-DENIED", "Redis"),
    (b"-MISCONF", "Redis"),
    (b"RFB ", "VNC"),
    (b"AMQP", "AMQP (RabbitMQ)"),
    (b"INFO {", "NATS"),
    (b"@RSYNCD", "rsync"),
    (b"RTSP/", "RTSP"),
    (b"SIP/", "SIP"),
    (b"ICY ", "Shoutcast"),
    (b"ERROR\r\n", "memcached"),
    (b"CLIENT_ERROR", "memcached"),
    (b"UNKNOWN_COMMAND", "beanstalkd"),
    (b"ERROR\n", "STOMP over TCP"),
    (b"<?xml", "XMPP (or XML)"),
    (b"<stream:", "XMPP"),
    (b"JDWP-Handshake", "Java's debugger (JDWP)"),
    (b"BitTorrent", "BitTorrent"),
    (b"\x13BitTorrent", "BitTorrent"),
    (b"\xff\xfd", "telnet"),
    (b"\xff\xfb", "telnet"),
    (b"\x05\x00\x00\x00", "a database's own protocol"),
    (b"E\x00\x00\x00", "PostgreSQL"),
    (b"EFATAL", "PostgreSQL"),
    (b"N", "PostgreSQL (or another binary protocol)"),
    (b"\x04\x00\x00\x00", "a database's own protocol"),
    (b"\x00\x00\x00\x0b", "Kafka or another binary protocol"),
    (b"NOTICE", "IRC"),
    (b":", "IRC"),
    (b"\x20\x02", "MQTT"),
    (b"\x30\x84", "LDAP"),
    (b"\x03\x00\x00", "RDP"),
    (b"OK MPD", "MPD"),
    (b"Asterisk Call Manager", "Asterisk's manager"),
    (b"JRMI", "Java RMI"),
];

/// MySQL's greeting: a length of three bytes, the number 0, protocol version 10.
fn is_mysql(bytes: &[u8]) -> bool {
    matches!(bytes, [_, _, 0, 0, 0x0a, ..]) || matches!(bytes, [_, _, 0, 0, 0xff, ..])
}

fn is_http2(bytes: &[u8]) -> bool {
    // A SETTINGS or GOAWAY frame on stream 0 (RFC 9113 §4.1), or the preface.
    matches!(bytes, [0, 0, _, 4 | 7, 0, 0, 0, 0, 0, ..]) || bytes.starts_with(b"PRI * HTTP/2")
}

fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x16, 3, 0..=4, ..])
}

/// The name of the protocol that begins so.
pub fn protocol(bytes: &[u8]) -> Option<&'static str> {
    if is_mysql(bytes) {
        return Some("MySQL or MariaDB");
    }
    if is_http2(bytes) || is_tls(bytes) {
        return None;
    }
    let short = |start: &[u8]| start.len() < 2;
    let fits = |(start, _): &&(&[u8], &str)| {
        bytes.starts_with(start) && (!short(start) || start == b":" || bytes.len() < 3)
    };
    PROTOCOLS.iter().find(fits).map(|(_, name)| *name)
}

fn foreign<'a>(facts: &Facts<'a>) -> Option<&'a [u8]> {
    match facts.end {
        End::Foreign(bytes) => Some(bytes),
        _ => None,
    }
}

fn shown(bytes: &[u8]) -> String {
    let line = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    format!("\"{}\"", Untrusted(line.get(..60).unwrap_or(line)))
}

fn other_protocol(facts: &Facts<'_>) -> Option<Finding> {
    let bytes = foreign(facts)?;
    let name = protocol(bytes)?;
    Some(
        certain(format!("another service is listening on this port: {name}"))
            .because(format!("it begins with {}", shown(bytes)))
            .next("the port of the WebSocket server"),
    )
}

fn other_http_version(facts: &Facts<'_>) -> Option<Finding> {
    let bytes = foreign(facts).filter(|bytes| bytes.starts_with(b"HTTP"))?;
    Some(
        certain("the server answers in another version of HTTP, or not in its grammar")
            .because(shown(bytes))
            .next("a WebSocket needs HTTP/1.1: another port, or another proxy in front"),
    )
}

fn http2_only(facts: &Facts<'_>) -> Option<Finding> {
    let bytes = foreign(facts).filter(|bytes| is_http2(bytes))?;
    Some(
        certain("the port speaks only HTTP/2 (h2c, for example gRPC): a WebSocket needs an HTTP/1.1 listener")
            .because(format!("an HTTP/2 frame: {}", hex(bytes)))
            .next("the port or the path of the HTTP/1.1 listener")
            .next("or let the server (the proxy in front) speak HTTP/1.1 there, too"),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn unknown_protocol(facts: &Facts<'_>) -> Option<Finding> {
    let bytes = foreign(facts)?;
    if protocol(bytes).is_some() || is_http2(bytes) || is_tls(bytes) || bytes.starts_with(b"HTTP") {
        return None;
    }
    Some(
        probable("the answer is not HTTP: is another service listening on this port?")
            .because(format!("it begins with {} ({})", shown(bytes), hex(bytes)))
            .next("check the port"),
    )
}

/// Services that answer in HTTP, but are no WebSocket servers.
const SERVICES: &[(&str, &str)] = &[
    ("it looks like you are trying to access mongodb over http", "MongoDB"),
    ("you know, for search", "Elasticsearch"),
    ("docker", "the Docker API"),
    ("\"couchdb\":\"welcome\"", "CouchDB"),
    ("welcome to influxdb", "InfluxDB"),
    ("kubernetes api", "the Kubernetes API"),
    ("prometheus time series", "Prometheus"),
    ("this is a clickhouse", "ClickHouse"),
    ("port 9000 is for clickhouse-client", "ClickHouse"),
    ("invalid protocol version", "a database"),
];

fn http_service(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused()?;
    let (words, name) =
        SERVICES.iter().find(|(words, _)| *words != "docker" && facts.words.contains(words))?;
    Some(
        certain(format!("another service is listening on this port: {name}"))
            .because(format!("{}: {}", facts.status_line(), facts.quote(words)))
            .next("the port of the WebSocket server"),
    )
}

fn closed_unanswered(facts: &Facts<'_>) -> Option<Finding> {
    let End::Silent { reset } = facts.end else { return None };
    let sent = &facts.sent;
    let seconds = facts.waited.as_secs_f64();
    let how = if reset { "reset the connection" } else { "closed the connection" };
    let evidence = format!("it {how} without an answer after {seconds:.1} s");
    if !reset && (0.9..1.3).contains(&seconds) {
        return Some(
            may("this may be Socket.IO (Engine.IO), which closes after 1 s when the path is not its own; or a server without a handler for the upgrade")
                .because(evidence)
                .next(format!("connect to {}", sent.url("/socket.io/?EIO=4&transport=websocket")))
                .next("check the path and the Host"),
        );
    }
    let proxied = sent.proxied;
    let found = may(match (proxied, sent.secure, reset) {
        (true, ..) => "the proxy may have dropped the connection, or the server behind it",
        (_, true, _) => "the server may drop requests for this Host or path (nginx: return 444), or a TCP load balancer's backend is down",
        (_, false, false) => "the port may want TLS, the server may drop requests for an unknown Host (nginx: return 444), or a TCP load balancer's backend is down",
        (_, false, true) => "the port may speak another protocol (MQTT on its plain TCP port, a database) or want TLS, or a TCP load balancer's backend is down",
    })
    .because(evidence);
    let found = match sent.secure {
        false => found.next(format!("does it want TLS? try {}", sent.other_scheme())),
        true => found,
    };
    Some(
        found
            .next(format!("is Host right ({})? the server's name (server_name): -H 'Host: NAME'; and the path", sent.host))
            .next("is this the right port? (mosquitto: a listener with protocol websockets)")
            .next("is the backend up, did the server crash? See its log"),
    )
}

fn hangs(facts: &Facts<'_>) -> Option<Finding> {
    matches!(facts.end, End::Hanging).then(|| {
        let seconds = facts.waited.as_secs_f64();
        may("the server may hang or be overloaded, or the port speaks another protocol that waits for its client")
            .because(format!("the connection is there, but no answer to the request came in {seconds:.0} s"))
            .next("look at the server: is the process stopped, does its handler block?")
            .next(match facts.sent.secure {
                true => "is the path right?".to_owned(),
                false => format!("does it want TLS? try {}", facts.sent.other_scheme()),
            })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::diagnosis::testing::{Case, check};

    #[test]
    fn rules() {
        check(RULES, &[
            Case::foreign("other-protocol", b"SSH-2.0-OpenSSH_9.2\r\n").says(&["SSH", "port of the WebSocket server"]),
            Case::foreign("other-protocol", b"220 mail.example ESMTP\r\n").says(&["SMTP"]),
            Case::foreign("other-protocol", b"-ERR wrong number of arguments for 'get' command\r\n").says(&["Redis"]),
            Case::foreign("other-protocol", b"\x4a\0\0\0\x0a8.0.33\0").says(&["MySQL"]),
            Case::foreign("other-protocol", b"AMQP\0\0\x09\x01").says(&["RabbitMQ"]),
            Case::foreign("other-http-version", b"HTTP/2 200").says(&["another version of HTTP"]),
            Case::foreign("http2-only", b"\0\0\x18\x04\0\0\0\0\0\0\x01").says(&["HTTP/2", "HTTP/1.1 listener"]),
            Case::foreign("unknown-protocol", b"\x01\x02\x03").says(&["is another service listening on this port"]),
            Case::refused("http-service", "HTTP/1.0 200 OK\r\n\r\nIt looks like you are trying to access MongoDB over HTTP on the native driver port.").says(&["MongoDB"]),
            Case::silent("closed-unanswered", false).says(&["want TLS", "load balancer", "server_name", "mosquitto", "wss://h.example/"]),
            Case::silent("closed-unanswered", true).says(&["MQTT", "does it want TLS? try wss://"]),
            Case::silent("closed-unanswered", false).with(|facts| facts.waited = Duration::from_millis(1010)).says(&["Socket.IO", "/socket.io/?EIO=4"]),
            Case::hanging("hangs").says(&["hang", "no answer"]),
        ]);
    }

    #[test]
    fn protocols_by_their_first_bytes() {
        for (bytes, name) in [
            (&b"* OK IMAP4rev1"[..], Some("IMAP")),
            (b"RFB 003.008\n", Some("VNC")),
            (b"N", Some("PostgreSQL (or another binary protocol)")),
            (b"Nothing", None),
            (b"\x16\x03\x01", None),
            (b"<html>", None),
            (b"", None),
        ] {
            assert_eq!(protocol(bytes), name, "{bytes:?}");
        }
    }
}
