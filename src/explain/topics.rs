//! Words: extensions, opcodes, rules, header fields, states, HTTP status and exit codes.

use crate::error::Exit;

/// An explanation with its names; lists show the first one.
struct Topic {
    names: &'static [&'static str],
    text: &'static str,
}

/// The explanation of a word in lower case.
pub(super) fn topic(name: &str) -> Option<String> {
    if matches!(name, "exit" | "exit-code" | "exit-codes") {
        return Some(exits());
    }
    TOPICS.iter().find(|topic| topic.names.contains(&name)).map(|topic| topic.text.to_owned())
}

/// The words that have an explanation.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().filter_map(|topic| topic.names.first().copied()).chain(["exit"])
}

/// Explains an exit code of wstap.
pub(super) fn exit(code: u8) -> Option<String> {
    let (exit, meaning) = Exit::ALL.into_iter().find(|(exit, _)| *exit as u8 == code)?;
    let (_, more) = EXITS.iter().find(|(known, _)| *known == exit)?;
    Some(format!("exit code {code}: {meaning}\n\n{more}\n"))
}

fn exits() -> String {
    let line = |(exit, meaning)| format!("{:>5}  {meaning}\n", exit as u8);
    format!("exit codes of wstap\n\n{}", Exit::ALL.map(line).concat())
}

/// Explains an HTTP status as the answer to an upgrade.
pub(super) fn status(status: u16) -> Option<String> {
    let (_, name, more) = STATUSES.iter().find(|(known, _, _)| *known == status)?;
    let class = match status {
        101 => "",
        100..=199 => "An interim answer: the final one follows, and wstap waits for it.\n",
        300..=399 => "wstap exits with 6, or follows it with --location.\n",
        _ => "wstap shows the answer with headers and body, and exits with 6.\n",
    };
    Some(format!("HTTP {status} {name}\n\n{more}\n{class}"))
}

const EXITS: [(Exit, &str); 17] = [
    (
        Exit::Done,
        "The peer closed with 1000, 1001 or without a code, the end that was asked for was reached,\n\
         or the reader of stdout went away.",
    ),
    (Exit::Expectation, "The failed ones are listed."),
    (Exit::Usage, "Nothing was sent. wstap --help lists the options."),
    (
        Exit::Resolve,
        "Check the spelling; --resolve HOST:PORT:ADDRESS goes around the name service.",
    ),
    (
        Exit::Connect,
        "Nothing listens there, a firewall is between, or the proxy said no; -v lists each address.",
    ),
    (
        Exit::Tls,
        "A certificate that can't be verified, or a server that does not speak TLS on this port.\n\
         -v shows the chain; --cacert FILE trusts another authority.",
    ),
    (Exit::Refused, "The answer is shown; wstap explain STATUS says what to try."),
    (Exit::Handshake, "wstap inspect URL shows each rule with what was expected and received."),
    (
        Exit::Protocol,
        "The message names the rule, the offset and the bytes; -vv shows the frames before.",
    ),
    (Exit::Lost, "wstap explain 1006 lists the common causes."),
    (
        Exit::PeerError,
        "wstap explain CODE says what it means; --ok-close CODE takes it for a normal end.",
    ),
    (
        Exit::Timeout,
        "--connect-timeout is for everything until open, --max-time for the whole run.",
    ),
    (Exit::Limit, "The message names the limit and the option that raises it."),
    (Exit::Local, "stdin was not UTF-8 (see --binary), or a file or stdout could not be written."),
    (Exit::Bug, "Please report it with the command and the message."),
    (Exit::Interrupted, "128 + 2: Ctrl-C."),
    (Exit::Terminated, "128 + 15."),
];

const STATUSES: [(u16, &str, &str); 22] = [
    (100, "Continue", "Not usual before an upgrade, but legal."),
    (
        101,
        "Switching Protocols",
        "The server agrees to the upgrade. It counts only if Upgrade, Connection and\n\
         Sec-WebSocket-Accept are right too: wstap inspect URL.",
    ),
    (103, "Early Hints", "Links to load early; without meaning for an upgrade."),
    (
        200,
        "OK",
        "A plain web page: this path is no WebSocket endpoint, or a proxy has dropped the Upgrade\n\
         header: wstap explain nginx (apache, haproxy, …) has the lines that it needs.",
    ),
    (301, "Moved Permanently", "Often from http to https, or to a final slash; -L follows it."),
    (302, "Found", "Often to a login page: the credentials are missing. -L follows it."),
    (307, "Temporary Redirect", "The endpoint is elsewhere for now; -L follows it."),
    (308, "Permanent Redirect", "The endpoint is elsewhere; -L follows it."),
    (
        400,
        "Bad Request",
        "The server dislikes the request: a missing or repeated header, a wrong Host, or a proxy\n\
         that removed Upgrade. Compare with wstap -v URL.",
    ),
    (401, "Unauthorized", "Credentials are missing or wrong: -u, --bearer, --netrc, --cookie, -H."),
    (
        403,
        "Forbidden",
        "Often the Origin: browsers send one, tools don't. Try --origin https://the.site; else the\n\
         credentials or a firewall.",
    ),
    (
        404,
        "Not Found",
        "The path is wrong, or the proxy does not route it to the WebSocket server.",
    ),
    (405, "Method Not Allowed", "The path does not take GET: it is no WebSocket endpoint."),
    (
        407,
        "Proxy Authentication Required",
        "The proxy wants credentials: --proxy http://USER:PW@HOST.",
    ),
    (
        426,
        "Upgrade Required",
        "The server wants an upgrade it did not see (a proxy dropped the header: wstap explain nginx\n\
         has the lines that it needs), or another Sec-WebSocket-Version; it lists those it knows. All\n\
         in use today is 13.",
    ),
    (429, "Too Many Requests", "A rate limit; Retry-After says how long to wait."),
    (431, "Request Header Fields Too Large", "Often a cookie or token that is too long."),
    (500, "Internal Server Error", "The server failed while it handled the upgrade: see its log."),
    (501, "Not Implemented", "The server or proxy does not know how to upgrade."),
    (
        502,
        "Bad Gateway",
        "A proxy could not reach the server behind it, or that server did not answer in HTTP: it is\n\
         down, on another port, or expects TLS.",
    ),
    (503, "Service Unavailable", "Overloaded, or nothing is deployed; Retry-After may say when."),
    (504, "Gateway Timeout", "The server behind the proxy did not answer the upgrade in time."),
];

const TOPICS: [Topic; 37] = [
    Topic {
        names: &["permessage-deflate", "deflate", "compression"],
        text: "permessage-deflate (RFC 7692)\n\n\
            An extension that compresses each data message with DEFLATE. The client offers it in\n\
            Sec-WebSocket-Extensions, the server agrees by answering it. RSV1 on the first frame\n\
            marks a compressed message; the last four bytes 00 00 ff ff are not sent. Control frames\n\
            are never compressed.\n\n\
            Parameters (explain each):\n\
            \x20 server_no_context_takeover   the server forgets its window after each message\n\
            \x20 client_no_context_takeover   the client does\n\
            \x20 server_max_window_bits=8..15 the server's window\n\
            \x20 client_max_window_bits[=8..15] the client's window; without a value: \"you may set it\"\n\n\
            wstap offers it unless --no-deflate is given; --deflate PARAMS offers others.\n",
    },
    Topic {
        names: &["server_no_context_takeover", "server-no-context-takeover"],
        text: "server_no_context_takeover (RFC 7692 §7.1.1.1)\n\n\
            The server compresses each message alone, with an empty window. That saves memory on the\n\
            client between messages and costs compression. A client may ask for it; a server may\n\
            also answer it unasked. No value.\n",
    },
    Topic {
        names: &["client_no_context_takeover", "client-no-context-takeover"],
        text: "client_no_context_takeover (RFC 7692 §7.1.1.2)\n\n\
            The client compresses each message alone, with an empty window. In the offer it is a\n\
            hint; in the answer the client must obey it, offered or not. No value.\n",
    },
    Topic {
        names: &["server_max_window_bits", "server-max-window-bits"],
        text: "server_max_window_bits (RFC 7692 §7.1.2.1)\n\n\
            The base-2 logarithm of the window the server compresses with, 8 to 15, decimal, without\n\
            leading zeros. The client asks for a limit; the server answers with the same or less, or\n\
            refuses the extension.\n",
    },
    Topic {
        names: &["client_max_window_bits", "client-max-window-bits"],
        text: "client_max_window_bits (RFC 7692 §7.1.2.2)\n\n\
            The base-2 logarithm of the window the client compresses with, 8 to 15. Without a value,\n\
            and only in an offer, it says that the client can limit its window if told so. A server\n\
            must not answer it if it was not offered.\n",
    },
    Topic {
        names: &["frame", "frames", "header"],
        text: "frame (RFC 6455 §5.2)\n\n\
            \x20 byte 0   FIN (1 bit), RSV1-3 (3 bits), opcode (4 bits)\n\
            \x20 byte 1   MASK (1 bit), length (7 bits): 0-125, or 126 = two more bytes follow, or\n\
            \x20          127 = eight more bytes follow, in network order and the shortest form\n\
            \x20 4 bytes  masking key, if MASK is set\n\
            \x20 payload\n\n\
            Decode some: wstap explain 81 85 37 fa 21 3d 7f 9f 4d 51 58\n\
            See them:    wstap -vv URL\n",
    },
    Topic {
        names: &["opcode", "opcodes"],
        text: "opcode (RFC 6455 §5.2)\n\n\
            \x20 0x0  continuation   more of a fragmented message\n\
            \x20 0x1  text           a UTF-8 message\n\
            \x20 0x2  binary         a message of bytes\n\
            \x20 0x8  close          the closing handshake\n\
            \x20 0x9  ping           asks for a pong\n\
            \x20 0xa  pong           answers it\n\n\
            0x3-0x7 and 0xb-0xf are reserved. From 0x8 on they are control frames: at most 125\n\
            bytes, never fragmented, allowed between the fragments of a message.\n",
    },
    Topic {
        names: &["continuation"],
        text: "continuation (opcode 0x0, RFC 6455 §5.4)\n\n\
            The second and later frames of a fragmented message; the last has FIN. The type is that\n\
            of the first frame. Without a message to continue it is a protocol error (1002).\n",
    },
    Topic {
        names: &["text"],
        text: "text (opcode 0x1, RFC 6455 §5.6)\n\n\
            A message in UTF-8. Bytes that are not are answered with 1007. A frame may end inside a\n\
            character, the message may not.\n",
    },
    Topic {
        names: &["binary"],
        text: "binary (opcode 0x2, RFC 6455 §5.6)\n\n\
            A message of any bytes. wstap --binary sends them, --output raw or hex prints them.\n",
    },
    Topic {
        names: &["close"],
        text: "close (opcode 0x8, RFC 6455 §5.5.1, §7)\n\n\
            Begins or answers the closing handshake. The payload is empty, or a code of two bytes and\n\
            a reason of at most 123 bytes of UTF-8. After it, its sender sends no more data. Once both\n\
            have sent one, the server ends the TCP connection first.\n\n\
            A code: wstap explain 1006\n",
    },
    Topic {
        names: &["ping"],
        text: "ping (opcode 0x9, RFC 6455 §5.5.2)\n\n\
            Asks for a pong with the same payload (at most 125 bytes), to learn that the other side\n\
            is alive or to keep proxies from cutting an idle connection: --ping-interval 20.\n\
            Browsers answer pings, but no script in them can send one.\n",
    },
    Topic {
        names: &["pong"],
        text: "pong (opcode 0xa, RFC 6455 §5.5.3)\n\n\
            Answers a ping with its payload; after several pings the last may be answered alone.\n\
            Unasked, it is a heartbeat that wants no answer. --no-pong keeps wstap from answering.\n",
    },
    Topic {
        names: &["masking", "mask", "masked", "masking-key"],
        text: "masking (RFC 6455 §5.3, §10.3)\n\n\
            Every frame from a client has MASK set and a fresh random key of four bytes; each payload\n\
            byte is XORed with the key's byte at its offset modulo four. That keeps a hostile page\n\
            from choosing the bytes that proxies see; it hides nothing. A server must not mask, and\n\
            each must fail the connection if the other does it wrong (1002).\n",
    },
    Topic {
        names: &["fragmentation", "fragment", "fragments"],
        text: "fragmentation (RFC 6455 §5.4)\n\n\
            A message may come in several frames: the first has the type and no FIN, the others are\n\
            continuations, the last has FIN. Control frames may stand between them, other messages\n\
            may not. The receiver sees one message. wstap --fragment N sends N bytes a frame.\n",
    },
    Topic {
        names: &["fin"],
        text: "FIN (RFC 6455 §5.2)\n\n\
            The first bit of a frame: the last (or only) frame of its message. Control frames always\n\
            have it.\n",
    },
    Topic {
        names: &["rsv", "rsv1", "rsv2", "rsv3"],
        text: "RSV1, RSV2, RSV3 (RFC 6455 §5.2)\n\n\
            Reserved bits: 0 unless an agreed extension gives them a meaning. permessage-deflate uses\n\
            RSV1 on the first frame of a compressed message. RSV1 without the agreement is the usual\n\
            sign of one side that compresses on its own: 1002.\n",
    },
    Topic {
        names: &["length", "payload-length"],
        text: "payload length (RFC 6455 §5.2)\n\n\
            0-125 in seven bits; 126 and then 16 bits; 127 and then 64 bits with the top bit 0. The\n\
            shortest form must be used; wstap tolerates others with a warning, or fails with --strict.\n",
    },
    Topic {
        names: &["sec-websocket-accept", "accept"],
        text: "Sec-WebSocket-Accept (RFC 6455 §4.2.2)\n\n\
            The server's proof that it read the request as a WebSocket handshake:\n\
            base64(SHA-1(Sec-WebSocket-Key + \"258EAFA5-E914-47DA-95CA-C5AB0DC85B11\")).\n\
            Case counts. A wrong value often comes from a cache or a key with white space.\n\n\
            Compute one: wstap explain accept dGhlIHNhbXBsZSBub25jZQ==\n",
    },
    Topic {
        names: &["sec-websocket-key", "key"],
        text: "Sec-WebSocket-Key (RFC 6455 §4.1)\n\n\
            16 random bytes in base64, fresh for each connection; not a secret. The server makes\n\
            Sec-WebSocket-Accept of it.\n",
    },
    Topic {
        names: &["sec-websocket-version", "version"],
        text: "Sec-WebSocket-Version (RFC 6455 §4.1, §4.4)\n\n\
            13 in the request. A server that does not know it answers 426 and lists those it knows.\n",
    },
    Topic {
        names: &["sec-websocket-protocol", "subprotocol", "subprotocols"],
        text: "Sec-WebSocket-Protocol (RFC 6455 §1.9, §4.1)\n\n\
            The client lists the subprotocols it speaks (--subprotocol), the server chooses one of\n\
            them, or none. One that was not offered fails the connection. As browsers can't set\n\
            headers, some servers take tokens here; wstap shows those as ***.\n",
    },
    Topic {
        names: &["sec-websocket-extensions", "extensions", "extension"],
        text: "Sec-WebSocket-Extensions (RFC 6455 §9.1)\n\n\
            The client offers extensions in order of preference, the server answers those it agrees\n\
            to. One that was not offered fails the connection. In use: permessage-deflate.\n",
    },
    Topic {
        names: &["upgrade"],
        text: "Upgrade (RFC 6455 §4.1)\n\n\
            \"websocket\" in the request and in the 101. Proxies drop it unless told otherwise, as it\n\
            is meant for one hop; the answer is then 200, 400, 404 or 426.\n",
    },
    Topic {
        names: &["connection"],
        text: "Connection (RFC 6455 §4.1)\n\n\
            Has the token \"Upgrade\" in the request and in the 101; others, such as keep-alive, may\n\
            stand beside it.\n",
    },
    Topic {
        names: &["host"],
        text: "Host (RFC 6455 §4.1)\n\n\
            The name, and the port unless it is 80 for ws or 443 for wss. Servers choose the site by\n\
            it. wstap -H 'Host: other' sends another name than the one that is connected to.\n",
    },
    Topic {
        names: &["origin"],
        text: "Origin (RFC 6455 §10.2)\n\n\
            The site of the page that opens the connection; browsers always send it, tools need not.\n\
            Servers check it against cross-site hijacking. wstap --origin https://site sends one.\n",
    },
    Topic {
        names: &["user-agent"],
        text: "User-Agent (RFC 9110 §10.1.5)\n\n\
            The program that asks; --user-agent sets it. Some firewalls refuse unknown ones.\n",
    },
    Topic {
        names: &["handshake", "opening-handshake"],
        text: "opening handshake (RFC 6455 §4)\n\n\
            An HTTP/1.1 GET with Upgrade, Connection, Sec-WebSocket-Key and Sec-WebSocket-Version: 13;\n\
            the server answers 101 with Upgrade, Connection and Sec-WebSocket-Accept. Then both speak\n\
            frames. wstap inspect URL judges every rule.\n",
    },
    Topic {
        names: &["closing-handshake", "closing"],
        text: "closing handshake (RFC 6455 §7)\n\n\
            One side sends a Close frame, the other answers with one, and the server ends the TCP\n\
            connection. If it ends without a Close frame, APIs report 1006.\n",
    },
    Topic {
        names: &["readystate", "ready-state"],
        text: "readyState (the browsers' WebSocket API)\n\n\
            \x20 0  CONNECTING  the handshake is under way\n\
            \x20 1  OPEN        messages may be sent\n\
            \x20 2  CLOSING     a Close frame was sent or received\n\
            \x20 3  CLOSED      the connection has ended, or never opened\n",
    },
    Topic {
        names: &["bufferedamount", "buffered-amount"],
        text: "bufferedAmount (the browsers' WebSocket API)\n\n\
            Bytes that were handed over to be sent but are not on the network yet. It grows when the\n\
            peer or the network is slower than the sender.\n",
    },
    Topic {
        names: &["utf-8", "utf8"],
        text: "UTF-8 in text messages and close reasons (RFC 6455 §8.1)\n\n\
            Overlong forms, surrogates and code points over U+10FFFF are errors too, answered with\n\
            1007 as soon as they are seen.\n",
    },
    Topic {
        names: &["ws", "wss", "url"],
        text: "ws:// and wss:// (RFC 6455 §3)\n\n\
            ws is plain TCP, port 80; wss is TLS, port 443. A URL has a path and a query, and no\n\
            fragment. wstap takes http:// as ws:// and https:// as wss://, and says so.\n",
    },
    Topic {
        names: &["violation", "violations"],
        text: "protocol violations\n\n\
            Whoever receives a frame that breaks RFC 6455 fails the connection: 1002 for the framing,\n\
            1007 for the payload. wstap sends that Close, shows the guilty bytes with their offset and\n\
            exits with 8.\n",
    },
    Topic {
        names: &["keepalive", "keep-alive", "heartbeat"],
        text: "keeping a connection alive\n\n\
            Proxies cut idle connections, often after 60 s. A ping from either side counts as traffic:\n\
            wstap --ping-interval 20 --ping-timeout 10 URL sends them and notices a dead peer.\n",
    },
    Topic {
        names: &["tls", "certificate", "certificates"],
        text: "TLS under wss://\n\n\
            wstap trusts the system's authorities, else Mozilla's; --cacert FILE adds one, --insecure\n\
            lets everything pass and says what was wrong. wstap -v shows version, cipher and chain.\n",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_topics_and_all_are_lower_case() {
        let mut names: Vec<&str> = TOPICS.iter().flat_map(|topic| topic.names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
    }

    #[test]
    fn every_line_fits_a_terminal() {
        let texts = TOPICS.iter().map(|topic| topic.text.to_owned());
        let statuses = STATUSES.iter().filter_map(|(code, _, _)| status(*code));
        let exits = EXITS.iter().filter_map(|(code, _)| exit(*code as u8));
        for text in texts.chain(statuses).chain(exits) {
            assert!(text.ends_with('\n'), "{text}");
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{line}");
            }
        }
    }

    #[test]
    fn exit_codes_are_listed_in_order() {
        let text = topic("exit").unwrap();
        assert!(text.contains("\n    9  the connection was lost without a closing handshake"));
        assert!(EXITS.iter().map(|(exit, _)| *exit).eq(Exit::ALL.map(|(exit, _)| exit)));
        assert_eq!(exit(14), None);
    }
}
