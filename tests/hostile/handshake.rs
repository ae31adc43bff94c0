//! The opening handshake.

use std::io::Write;
use std::time::Duration;

use crate::case::{Case, case, run};
use crate::support::scripted::{Peer, close_frame, frame};

pub(crate) const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                    Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n";

/// Reads the request, sends these bytes, ends the connection.
pub(crate) fn answers(name: &str, bytes: impl AsRef<[u8]>) -> Case {
    let bytes = bytes.as_ref().to_vec();
    case(name, move |peer| {
        peer.request();
        // The client may have heard enough before the end.
        let _ = peer.try_send(&bytes);
    })
}

/// The same, with the right Accept in the place of `{accept}`, and a good session where it is taken.
pub(crate) fn responds(name: &str, head: &str) -> Case {
    let head = head.to_owned();
    case(name, move |peer| {
        let request = peer.request();
        let head = head.replace("{accept}", &request.accept());
        let _ = peer.try_send([head.as_bytes(), &hello()].concat());
        peer.frames_until_close();
    })
}

/// A good 101 with these lines in it.
pub(crate) fn with(name: &str, lines: &str) -> Case {
    responds(name, &GOOD.replace("\r\n\r\n", &format!("\r\n{lines}\r\n")))
}

/// A good 101 in which something is replaced.
pub(crate) fn replaced(name: &str, what: &str, by: &str) -> Case {
    responds(name, &GOOD.replace(what, by))
}

/// What comes behind a 101 that is taken: a message, and the end.
fn hello() -> Vec<u8> {
    [frame(0x1, "hello"), close_frame(1000, "")].concat()
}

pub(crate) fn works(case: Case) -> Case {
    case.exits(0, []).stdout("hello\n")
}

#[test]
fn what_is_no_answer() {
    let other = |name: &str, bytes: &[u8], shown: &str| {
        answers(name, bytes)
            .exits(7, ["wstap: handshake: the answer is not HTTP/1.1", shown, "hint:"])
            .on_terminals()
    };
    run(
        "no answer",
        vec![
            other("random garbage", b"\x8f\x01\xfe\x1b[2J\x9b", "\\x8f\\x01\\xfe\\x1b[2J"),
            other("an SSH banner", b"SSH-2.0-OpenSSH_9.6\r\n", "SSH-2.0-OpenSSH_9.6"),
            other("an SMTP banner", b"220 mail.example.org ESMTP\r\n", "220 mail.example.org"),
            other("a Redis error", b"-ERR wrong number of arguments\r\n", "-ERR wrong number"),
            other("HTTP/2 SETTINGS", b"\0\0\x12\x04\0\0\0\0\0", "HTTP/2"),
            other("a TLS alert on ws", b"\x15\x03\x01\0\x02\x02\x46", "try wss://"),
            other("HTTP/9.9", b"HTTP/9.9 101 x\r\n\r\n", "HTTP/9.9"),
            other("HTTP/2 in a status line", b"HTTP/2 101\r\n\r\n", "another version"),
            other("a WebSocket frame", b"\x81\x05hello", "\\x81\\x05hello"),
            other("an empty line first", b"\r\nHTTP/1.1 101 x\r\n\r\n", "\\r\\n"),
            other("lower case", b"http/1.1 101 x\r\n\r\n", "http/1.1"),
            case("a banner before the request", |peer| {
                peer.send("220 ftp ready\r\n");
                peer.stay_silent();
            })
            .exits(7, ["220 ftp ready"]),
        ],
    );
}

#[test]
fn status_and_fields_that_break_the_grammar() {
    let bad = |name: &str, from: &str, to: &str, says: &str| {
        replaced(name, from, to).exits(7, ["wstap: handshake: ", says])
    };
    let up = "Upgrade: websocket";
    run(
        "grammar",
        vec![
            bad("HTTP/1.0", "HTTP/1.1", "HTTP/1.0", "HTTP/1.0"),
            bad("status 10x", "101", "10x", "10x"),
            bad("status 1010", "101 ", "1010 ", "status line"),
            bad("status 10", "101 ", "10 ", "status line"),
            bad("status 001", "101 ", "001 ", "status line"),
            bad("a negative status", "101 ", "-101 ", "status line"),
            bad("two spaces before the status", " 101", "  101", "status line"),
            bad("ESC in the reason", "Switching", "\x1b[31mSwitching", "\\x1b[31m"),
            bad("a bare CR", up, "Upgrade: web\rsocket", "a CR inside the line"),
            bad("NUL in a value", up, "Upgrade: web\0socket", "a NUL byte"),
            bad("NUL in a name", up, "Upg\0rade: websocket", "a NUL byte"),
            bad(
                "a space before the colon",
                up,
                "Upgrade : websocket",
                "white space before the colon",
            ),
            bad("a line without a colon", up, "Upgrade websocket", "no colon"),
            bad("an empty name", up, ": websocket", "not a token"),
            bad("a name with a space", up, "Up grade: websocket", "not a token"),
            bad("an 8-bit name", up, "Upgr\u{e4}de: websocket", "not a token"),
            bad("a first line folded", up, " folded\r\nUpgrade: websocket", "white space before"),
            bad("ESC in a value", up, "X: \x1b]0;owned\x07\r\nUpgrade: websocket", "\\x1b]0;owned"),
            bad("DEL in a value", up, "X: \x7f\r\nUpgrade: websocket", "\\x7f"),
            works(with("an 8-bit value", "X: gr\u{fc}n\r\n").args(["-v"])),
            works(with("C1 in a value", "X: \u{9b}2J\r\n").args(["-v"])).exits(0, ["\\u{9b}2J"]),
            works(case("invalid UTF-8 in a value", |peer| {
                let request = peer.request();
                let head = GOOD.replace("{accept}", &request.accept());
                let head = head.trim_end().as_bytes();
                peer.send([head, b"\r\nX: \xff\xfe\x9b1m\r\n\r\n", &hello()].concat());
                peer.frames_until_close();
            }))
            .args(["-v"])
            .exits(0, ["\\xff\\xfe\\x9b1m"]),
            works(responds("LF alone", &GOOD.replace("\r\n", "\n")))
                .exits(0, ["LF instead of CR LF"]),
            responds("LF alone, strict", &GOOD.replace("\r\n", "\n"))
                .args(["--strict"])
                .exits(7, ["LF"]),
            works(with("a folded line", "X: a\r\n b\r\n")).exits(0, ["folded"]),
            with("a folded line, strict", "X: a\r\n b\r\n").args(["--strict"]).exits(7, ["folded"]),
            works(with("an empty value", "X:\r\n")),
            works(with("no space behind a colon", "X:y\r\n")),
            works(replaced("no reason", " Switching Protocols", "")),
            works(replaced("an empty reason", "Switching Protocols", "")),
            works(with("a body announced", "Content-Length: 5\r\n"))
                .exits(0, ["Content-Length: 5"]),
            works(with("a coding announced", "Transfer-Encoding: chunked\r\n"))
                .exits(0, ["Transfer-Encoding: chunked"]),
            with("a body announced, strict", "Content-Length: 5\r\n")
                .args(["--strict"])
                .exits(7, []),
        ],
    );
}

#[test]
fn rules_for_a_101() {
    let accept = "Sec-WebSocket-Accept: {accept}";
    let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let fails = |name: &str, from: &str, to: &str, says: [&str; 2]| {
        replaced(name, from, to)
            .exits(
                7,
                ["wstap: handshake: the server's answer breaks the handshake", says[0], says[1]],
            )
            .on_terminals()
    };
    let wrong = "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let twice = format!("{accept}\r\n{accept}");
    let offered = |case: Case| case.args(["-s", "chat", "-s", "superchat"]);
    let protocol = "Sec-WebSocket-Protocol";
    run(
        "101",
        vec![
            fails("a wrong Accept", accept, wrong, ["received \"AAAAAAAA", guid]),
            fails("no Accept", accept, "X: y", ["received nothing", guid]),
            fails("an empty Accept", accept, "Sec-WebSocket-Accept:", ["received nothing", guid]),
            fails("Accept twice", accept, &twice, ["must not be repeated", guid]),
            case("Accept in another case", |peer| {
                let request = peer.request();
                // The alphabet's other case; digits alone are too unlikely to think of.
                let accept: String = request.accept().chars().map(swap_case).collect();
                peer.send(GOOD.replace("{accept}", &accept));
                peer.frames_until_close();
            })
            .exits(7, ["case counts in base64", guid]),
            fails("Accept with something behind it", "{accept}", "{accept}x", ["received", guid]),
            fails("no Upgrade", "Upgrade: websocket\r\n", "", ["Upgrade is", "received nothing"]),
            fails("Upgrade: h2c", ": websocket", ": h2c", ["received \"h2c\"", "§4.1 (2)"]),
            fails(
                "Upgrade is a list",
                ": websocket",
                ": websocket, h2c",
                ["websocket, h2c", "§4.1 (2)"],
            ),
            fails(
                "Upgrade twice",
                "Upgrade: websocket",
                "Upgrade: websocket\r\nUpgrade: websocket",
                ["websocket, websocket", "§4.1 (2)"],
            ),
            fails("no Connection", "Connection: Upgrade\r\n", "", ["received nothing", "§4.1 (3)"]),
            fails(
                "Connection without the token",
                ": Upgrade",
                ": keep-alive",
                ["keep-alive", "§4.1 (3)"],
            ),
            fails(
                "Connection with a longer token",
                ": Upgrade",
                ": Upgraded",
                ["Upgraded", "§4.1 (3)"],
            ),
            responds("everything wrong", "HTTP/1.1 101 x\r\n\r\n")
                .exits(7, ["§4.1 (2)", "§4.1 (3)", "§4.1 (4)"]),
            works(replaced("keep-alive, Upgrade", ": Upgrade", ": keep-alive, Upgrade")),
            works(replaced(
                "two Connection lines",
                ": Upgrade",
                ": keep-alive\r\nConnection: upgrade",
            )),
            works(replaced("any case", "Upgrade: websocket", "uPGRADE: WebSocket")),
            works(replaced("names in capitals", "Connection: Upgrade", "CONNECTION: UPGRADE")),
            with("a subprotocol that was not offered", "Sec-WebSocket-Protocol: chat\r\n")
                .exits(7, ["received \"chat\"", "not offered"]),
            offered(with("a subprotocol not in the list", "Sec-WebSocket-Protocol: other\r\n"))
                .exits(7, ["chat or superchat", "other"]),
            offered(with("two subprotocols", "Sec-WebSocket-Protocol: chat, superchat\r\n"))
                .exits(7, ["chat, superchat"]),
            offered(with(
                "two subprotocol lines",
                &format!("{protocol}: chat\r\n{protocol}: superchat\r\n"),
            ))
            .exits(7, ["one at most"]),
            offered(with("a subprotocol in another case", "Sec-WebSocket-Protocol: Chat\r\n"))
                .exits(7, ["Chat"]),
            works(offered(with("a good subprotocol", "Sec-WebSocket-Protocol: superchat\r\n"))),
            works(offered(with("no subprotocol though offered", ""))).exits(0, ["none was chosen"]),
            offered(with("no subprotocol though offered, strict", ""))
                .args(["--strict"])
                .exits(7, ["none was chosen"]),
        ],
    );
}

fn swap_case(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

#[test]
fn extensions_that_were_not_agreed_on() {
    let answer =
        |name: &str, value: &str| with(name, &format!("Sec-WebSocket-Extensions: {value}\r\n"));
    let bad = |value: &str| {
        let name = if value.len() > 90 { "a huge extension" } else { value };
        answer(name, value).exits(7, ["extensions are among those offered"])
    };
    let mut cases: Vec<Case> = [
        "x-webkit-deflate-frame",
        "permessage-bzip2",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate; unknown",
        "permessage-deflate; unknown=1",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=\"10",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate;",
        "; permessage-deflate",
        "\"permessage-deflate\"",
    ]
    .map(bad)
    .into();
    for bits in ["7", "16", "0", "09", "", "abc", "-8", "1000000000000000000000000000000"] {
        for side in ["server", "client"] {
            cases.push(bad(&format!("permessage-deflate; {side}_max_window_bits={bits}")));
        }
    }
    cases.push(bad(&format!("permessage-deflate; x={}", "9".repeat(5000))));
    cases.push(
        answer("an extension though none was offered", "permessage-deflate")
            .args(["--no-deflate"])
            .exits(7, ["permessage-deflate"]),
    );
    for bits in 8..=15 {
        let value = format!("permessage-deflate; server_max_window_bits={bits}");
        cases.push(works(answer(&value, &value)));
    }
    cases
        .push(works(answer("a quoted value", "permessage-deflate; client_max_window_bits=\"10\"")));
    run("extensions", cases);
}

#[test]
fn answers_in_pieces_and_before_the_101() {
    let pieces = |name: &str, size: usize| {
        case(name, move |peer| {
            let request = peer.request();
            let head = GOOD.replace("{accept}", &request.accept());
            peer.send_in_pieces([head.as_bytes(), &hello()].concat(), size);
            peer.frames_until_close();
        })
        .exits(0, [])
        .stdout("hello\n")
    };
    let before = |name: &str, head: &str, count: usize| {
        works(responds(name, &format!("{}{GOOD}", head.repeat(count))))
    };
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    run(
        "pieces",
        vec![
            pieces("one byte a segment", 1),
            pieces("two bytes a segment", 2),
            pieces("seven bytes a segment", 7),
            pieces("all in one segment, with frames and Close", 1 << 20),
            before("100 before the 101", "HTTP/1.1 100 Continue\r\n\r\n", 1)
                .args(["-v"])
                .exits(0, ["100"]),
            before("102 before the 101", "HTTP/1.1 102 Processing\r\n\r\n", 1)
                .args(["-v"])
                .exits(0, ["102"]),
            before("103 before the 101", hints, 1).args(["-v"]).exits(0, ["103", "Link: </x>"]),
            before("ten before the 101", hints, 10).args(["-v"]).exits(0, ["103"]),
            case("endless 103", move |peer| {
                peer.request();
                while peer.try_send(hints.repeat(100)).is_ok() {}
            })
            .exits(12, ["wstap: handshake: ", "informational"]),
        ],
    );
}

#[test]
fn heads_without_an_end() {
    let endless = |name: &str, start: &'static str, more: &'static str| {
        case(name, move |peer| {
            peer.request();
            let _ = peer.try_send(start);
            while peer.try_send(more.repeat(1000)).is_ok() {}
        })
        .args(["--connect-timeout", "10"])
    };
    run(
        "endless heads",
        vec![
            endless("a never-ending line", "HTTP/1.1 101 x\r\nX: ", "aaaaaaaaaaaaaaaa")
                .exits(12, ["65536"]),
            endless("a never-ending reason", "HTTP/1.1 101 ", "aaaaaaaaaaaaaaaa")
                .exits(12, ["65536"]),
            endless("never-ending fields", "HTTP/1.1 101 x\r\n", "X: y\r\n")
                .exits(12, ["256 headers"]),
            endless("never-ending folds", "HTTP/1.1 101 x\r\nX: y\r\n", " z\r\n").exits(12, []),
            with("a line of 1 MiB", &format!("X: {}\r\n", "a".repeat(1 << 20)))
                .exits(12, ["--max-head"]),
            with("64 KiB and more", &"X-Padding: 0123456789abcdef\r\n".repeat(2500)).exits(12, []),
            with("257 fields", &"X: y\r\n".repeat(254)).exits(12, ["256 headers", "--max-headers"]),
            works(with("256 fields", &"X: y\r\n".repeat(253))),
            works(
                with("300 fields where they may be", &"X: y\r\n".repeat(300))
                    .args(["--max-headers", "400"]),
            ),
            works(with("60 KiB", &format!("X: {}\r\n", "a".repeat(60 << 10)))),
            with("over a limit of one's own", &format!("X: {}\r\n", "a".repeat(2000)))
                .args(["--max-head", "1K"])
                .exits(12, ["1024"]),
            case("60 KiB in pieces of one byte", |peer| {
                let request = peer.request();
                let head = GOOD.replace("{accept}", &request.accept());
                let long = format!("\r\nX: {}\r\n\r\n", "a".repeat(60 << 10));
                let head = head.replace("\r\n\r\n", &long);
                peer.send_in_pieces([head.as_bytes(), &hello()].concat(), 1);
                peer.frames_until_close();
            })
            .exits(0, [])
            .stdout("hello\n"),
        ],
    );
}

#[test]
fn servers_that_take_their_time() {
    let soon = |case: Case| {
        case.args(["--connect-timeout", "500ms"])
            .exits(11, ["wstap: handshake: ", "within 500 ms"])
            .within(Duration::from_secs(5))
    };
    run(
        "slow",
        vec![
            soon(case("silence behind the connection", Peer::stay_silent)),
            soon(case("silence behind the request", |peer| {
                peer.request();
                peer.stay_silent();
            })),
            soon(case("a stall behind the status line", |peer| {
                peer.request();
                peer.send("HTTP/1.1 101 Switching Protocols\r\n");
                peer.stay_silent();
            })),
            soon(case("a stall in the last line", |peer| {
                let request = peer.request();
                peer.send(GOOD.trim_end().replace("{accept}", &request.accept()));
                peer.stay_silent();
            })),
            // Every byte comes in time for itself, the head doesn't.
            soon(case("a dribble", |peer| {
                peer.request();
                for byte in GOOD.as_bytes() {
                    peer.delay(Duration::from_millis(50));
                    if peer.try_send([*byte]).is_err() {
                        break;
                    }
                }
            })),
        ],
    );
}

#[test]
fn connections_that_end_in_the_head() {
    let cut = |at: usize, reset: bool| {
        let how = if reset { "RST" } else { "FIN" };
        case(format!("{how} after {at} bytes"), move |peer| {
            let request = peer.request();
            let head = GOOD.replace("{accept}", &request.accept());
            peer.send(&head.as_bytes()[..at]);
            if reset {
                peer.reset();
            }
        })
        .exits(9, ["wstap: handshake: "])
    };
    let mut cases = Vec::new();
    for at in [0, 1, 4, 8, 9, 12, 13, 20, 33, 34, 35, 50, 54, 90, 100, 128] {
        let place = match at {
            0 => "after 0 bytes, without an answer".to_owned(),
            1 => "after 1 byte, in the response head".to_owned(),
            _ => format!("after {at} bytes, in the response head"),
        };
        cases.push(cut(at, false).exits(9, [&place]));
        cases.push(cut(at, true).exits(9, [&place]));
    }
    run("cut heads", cases);
}

#[test]
fn refusals() {
    let refuses = |status: &str, lines: &str, says: [&str; 2]| {
        answers(status, format!("HTTP/1.1 {status}\r\n{lines}Content-Length: 6\r\n\r\n\x1b[31mX"))
            .args(["-v"])
            .exits(6, ["wstap: handshake: upgrade refused", says[0], says[1], "\\x1b[31mX"])
            .on_terminals()
    };
    let to = |status: &str| refuses(status, "Location: ws://other/\r\n", ["ws://other/", "-L"]);
    run(
        "refusals",
        vec![
            to("301 Moved Permanently"),
            to("302 Found"),
            to("307 Temporary Redirect"),
            to("308 Permanent Redirect"),
            refuses("303 Without", "", ["303", "without a Location"]),
            refuses("302 With ESC", "Location: ws://o/%1b\u{9b}m\r\n", ["302", "\\u{9b}m"]),
            refuses("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", ["realm", "-u"]),
            refuses("403 Forbidden", "", ["403", "Origin"]),
            refuses("404 Not Found", "", ["404", "path"]),
            refuses("407 Proxy Authentication Required", "", ["407", "--proxy-user"]),
            refuses("426 Upgrade Required", "Sec-WebSocket-Version: 8, 7\r\n", ["426", "8, 7"]),
            refuses("429 Too Many Requests", "Retry-After: 120\r\n", ["429", "120"]),
            refuses("503 Service Unavailable", "Retry-After: 7\r\n", ["503", "7"]),
            refuses("503 No Time", "", ["503", "later"]),
            refuses("200 OK", "Content-Type: text/html\r\n", ["200", "ordinary request"]),
            refuses("400 Bad Request", "", ["400", "hint"]),
            refuses("500 Internal Server Error", "", ["500", "instead of 101"]),
            refuses("502 Bad Gateway", "", ["502", "proxy"]),
            refuses("504 Gateway Timeout", "", ["504", "proxy"]),
            refuses("999 Strange", "", ["999", "Strange"]),
            answers("204 without a body", "HTTP/1.1 204 No Content\r\n\r\n").exits(6, ["204"]),
            answers("HTTP/1.0 refuses", "HTTP/1.0 403 no\r\n\r\nbody").exits(6, ["403"]),
        ],
    );
}

#[test]
fn bodies_of_refusals() {
    let body = |name: &str, lines: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 403 Forbidden\r\n{lines}\r\n");
        answers(name, [head.as_bytes(), body].concat()).args(["-v"]).exits(6, ["403"])
    };
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zlib = {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"zlib says no").unwrap();
        encoder.finish().unwrap()
    };
    let chunked = "Transfer-Encoding: chunked\r\n";
    let coded = "Content-Encoding: gzip\r\n";
    let no = gzip(b"gzip says \x1b[31mno");
    let bomb = gzip(&vec![b'a'; 64 << 20]);
    let sized = |lines: &str, body: &[u8]| format!("{lines}Content-Length: {}\r\n", body.len());
    let huge = vec![b'x'; 10 << 20];
    run(
        "bodies",
        vec![
            body("chunked", chunked, b"5\r\nfirst\r\n7;x=y\r\n second\r\n0\r\n\r\n")
                .exits(6, ["first second"]),
            body("chunked, cut", chunked, b"5\r\nfir").exits(6, ["fir", "last chunk"]),
            body("chunked, a size that is none", chunked, b"zz\r\nfirst\r\n").exits(6, []),
            body("chunked, a huge size", chunked, b"ffffffffffffffff\r\nfirst").exits(6, ["first"]),
            body("chunked, too huge a size", chunked, b"fffffffffffffffff\r\nfirst").exits(6, []),
            body("chunked, an endless size", chunked, "0".repeat(1 << 20).as_bytes()).exits(6, []),
            body("until the end", "", b"until the end").exits(6, ["until the end"]),
            body("too short", "Content-Length: 100\r\n", b"short").exits(6, ["short", "95 bytes"]),
            body("too long", "Content-Length: 4\r\n", b"long and more")
                .exits(6, ["long"])
                .never_says("and more"),
            body("a length that is none", "Content-Length: -1\r\n", b"odd").exits(6, ["odd"]),
            body("a huge length", "Content-Length: 18446744073709551615\r\n", b"odd")
                .exits(6, ["odd"]),
            body("10 MiB", &sized("", &huge), &huge).exits(6, ["cut at 65536 bytes"]),
            body("gzip", &sized(coded, &no), &no).exits(6, ["gzip says \\x1b[31mno"]),
            body("zlib", &sized("Content-Encoding: deflate\r\n", &zlib), &zlib)
                .exits(6, ["zlib says no"]),
            body("gzip that is none", coded, b"no gzip").exits(6, ["no gzip", "can't be decoded"]),
            body("gzip, cut", coded, &no[..no.len() - 9]).exits(6, ["gzip says"]),
            body("brotli", "Content-Encoding: br\r\n", b"\x0b\x02\x80").exits(6, ["encoded: br"]),
            body("a gzip bomb", &sized(coded, &bomb), &bomb)
                .exits(6, ["cut at 65536 bytes", "aaaaaa"]),
            case("a stalled body", |peer| {
                peer.request();
                peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nstalls");
                peer.stay_silent();
            })
            .args(["-v"])
            .exits(6, ["403", "stalls", "94 bytes"])
            .once(),
            case("an endless body", |peer| {
                peer.request();
                peer.send("HTTP/1.1 403 Forbidden\r\n\r\n");
                while peer.try_send([b'x'; 4096]).is_ok() {}
            })
            .exits(6, ["403"]),
            case("a body that is reset", |peer| {
                peer.request();
                peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n");
                // On the loopback the head is in the client's buffer by now, and is read before the
                // reset is told.
                peer.reset();
            })
            .exits(6, ["403"]),
        ],
    );
}
