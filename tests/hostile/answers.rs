//! More answers to a handshake than the catalogue names.

use std::io::Write;
use std::time::Duration;

use crate::case::{Case, case, run};
use crate::handshake::{GOOD, answers, replaced, responds, with, works};
use crate::support::scripted::{close_frame, frame};
use crate::support::tls::Tls;

/// 60 KB fit into a head, and nobody wants to see them in one line.
fn long(what: &str) -> String {
    what.repeat(60_000 / what.len())
}

fn fails(case: Case, says: &str) -> Case {
    case.exits(7, ["wstap: handshake: ", says])
}

#[test]
fn status_lines_and_names() {
    let status = |name: &str, line: &str| replaced(name, "HTTP/1.1 101 Switching Protocols", line);
    let field = |name: &str, line: &str| with(name, &format!("{line}\r\n"));
    run(
        "status lines and names",
        vec![
            fails(status("tabs for spaces", "HTTP/1.1\t101\tSwitching"), "status line"),
            fails(status("a tab behind the status", "HTTP/1.1 101\tSwitching"), "status line"),
            fails(status("two lines in one", "HTTP/1.1 101 x\rX: y"), "\\r"),
            fails(status("NUL in the reason", "HTTP/1.1 101 a\0b"), "status line"),
            fails(status("no status", "HTTP/1.1"), "status line"),
            fails(status("digits of another script", "HTTP/1.1 1\u{0661}1 x"), "status line"),
            fails(status("two digits of a version", "HTTP/1.10 101 x"), "status line"),
            fails(status("a byte order mark first", "\u{feff}HTTP/1.1 101 x"), "\\u{feff}"),
            fails(
                status("a reason of 60 KB, and a fault", &format!("HTTP/1.1 1x1 {}", long("r"))),
                "",
            ),
            works(status("a reason of 60 KB", &format!("HTTP/1.1 101 {}", long("r")))),
            works(status("tabs in a reason", "HTTP/1.1 101 a\tb\t")).args(["-v"]),
            works(status("bidi in a reason", "HTTP/1.1 101 \u{202e}olleh"))
                .args(["-v"])
                .exits(0, ["\\u{202e}"])
                .on_terminals(),
            fails(field("NUL in a name", "X\0Y: z"), "NUL"),
            fails(field("ESC in a name", "X\x1b[2J: z"), "\\x1b[2J").on_terminals(),
            fails(field("a quoted name", "\"X\": z"), "not a token"),
            fails(field("a colon alone", ":"), "not a token"),
            fails(field("CR CR LF", "X: y\r"), "a CR inside the line"),
            fails(field("LF CR", "X: y\n\rZ: z"), "a CR inside the line"),
            fails(field("a vertical tab in a value", "X: \x0b"), "control character"),
            fails(field("a name of 60 KB, and a fault", &format!("{} : x", long("n"))), "colon"),
            fails(field("a line of 60 KB without a colon", &long("n")), "no colon"),
            works(field("a name of 60 KB", &format!("{}: x", long("n")))),
            works(field("only folds", "X:\r\n \r\n\t\r\n y")).exits(0, ["folded"]),
            works(field("a value of white space", "X: \t \t ")),
            works(field("colons", "X::::::")),
        ],
    );
}

#[test]
fn fields_of_a_101() {
    let accept = "Sec-WebSocket-Accept: {accept}";
    let extensions =
        |name: &str, value: &str| with(name, &format!("Sec-WebSocket-Extensions: {value}\r\n"));
    let refused = |name: &str, value: &str| {
        fails(extensions(name, value), "extensions are among those offered")
    };
    let upgrade = |name: &str, value: &str| {
        fails(replaced(name, ": websocket", &format!(": {value}")), "Upgrade is")
    };
    let connection = |name: &str, value: &str| {
        replaced(name, "Connection: Upgrade", &format!("Connection: {value}"))
    };
    let deflate = "permessage-deflate";
    let bits = "server_max_window_bits";
    let twice = format!("{deflate}\r\nSec-WebSocket-Extensions: {deflate}");
    run(
        "fields of a 101",
        vec![
            refused(
                "a parameter again in another case",
                &format!("{deflate}; {bits}=10; Server_Max_Window_Bits=10"),
            ),
            refused("an extension in another case", "Permessage-Deflate"),
            refused("an extension on two lines", &twice),
            refused("digits of another script", &format!("{deflate}; {bits}=\u{ff11}\u{ff10}")),
            refused("a value that is empty in quotes", &format!("{deflate}; {bits}=\"\"")),
            refused("a space in quotes", &format!("{deflate}; {bits}=\"1 0\"")),
            refused("a quote that ends in a backslash", &format!("{deflate}; {bits}=\"10\\")),
            refused("a comma for a semicolon", &format!("{deflate}, {bits}=10")),
            refused("a list of 60 KB", &long("x-unknown; a=b, ")),
            refused("parameters of 60 KB", &format!("{deflate}{}", long("; a=b"))),
            refused("a name of 60 KB", &long("x")),
            refused("8-bit", "permessage\u{2011}deflate"),
            works(extensions("an empty list", "")),
            works(extensions("empty members", ",, , permessage-deflate ,,")),
            works(extensions("60,000 commas", &long(","))),
            works(extensions("an escape in quotes", &format!("{deflate}; {bits}=\"1\\5\""))),
            works(extensions("white space around", &format!("{deflate} ;\t{bits} = 10 "))),
            upgrade("websocket of a version", "websocket/13"),
            upgrade("a letter that folds to k", "webso\u{212a}et"),
            upgrade("quoted", "\"websocket\""),
            upgrade("of 60 KB", &long("websocket, ")),
            fails(connection("a parameter behind the token", "upgrade; x"), "Connection has"),
            fails(connection("of 60 KB without the token", &long("x, ")), "Connection has"),
            works(connection("empty members", ", ,upgrade, ,")),
            works(connection(
                "of 50 KB with the token",
                &format!("{}upgrade", "x, ".repeat(17_000)),
            )),
            fails(replaced("Accept of 60 KB", "{accept}", &long("A")), "Accept"),
            fails(replaced("Accept with a space in it", "{accept}", "{accept} x"), "Accept"),
            fails(replaced("Accept in quotes", "{accept}", "\"{accept}\""), "Accept"),
            fails(replaced("Accept 200 times", accept, &[accept; 200].join("\r\n")), "repeated"),
            works(replaced("Accept folded", accept, "Sec-WebSocket-Accept:\r\n {accept}")),
            works(replaced("Accept with a tab behind it", "{accept}", "{accept}\t")),
            fails(with("an empty subprotocol", "Sec-WebSocket-Protocol:\r\n"), "subprotocol"),
            fails(
                with(
                    "a subprotocol of 60 KB",
                    &format!("Sec-WebSocket-Protocol: {}\r\n", long("s")),
                ),
                "subprotocol",
            ),
            fails(
                with("a subprotocol that is quoted", "Sec-WebSocket-Protocol: \"chat\"\r\n")
                    .args(["-s", "chat"]),
                "subprotocol",
            ),
            works(with("a version that is another", "Sec-WebSocket-Version: 8\r\n")),
            works(with("a key comes back", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")),
        ],
    );
}

#[test]
fn answers_before_and_behind_the_101() {
    let before = |name: &str, head: String| responds(name, &format!("{head}{GOOD}"));
    let hint = "HTTP/1.1 103 Early Hints\r\n\r\n";
    run(
        "several answers",
        vec![
            fails(
                before(
                    "a 100 with a body",
                    "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello".into(),
                ),
                "hello",
            ),
            responds("a 100 and a refusal", "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 403 no\r\n\r\n")
                .exits(6, ["403"]),
            responds("the 101 twice", &[GOOD, GOOD].concat())
                .held_open()
                .exits(8, ["wstap: session: ", "48 54"])
                .close(1002),
            works(before("16 before the 101", hint.repeat(16))),
            before("17 before the 101", hint.repeat(17)).exits(12, ["informational"]),
            works(before("a 199", "HTTP/1.1 199 odd\r\n\r\n".into())),
            works(before(
                "60 KB before the 101",
                format!("HTTP/1.1 103 x\r\nLink: {}\r\n\r\n", long("l")),
            )),
            works(before("a 103 of HTTP/1.0", "HTTP/1.0 103 x\r\n\r\n".into())),
            fails(before("a 103 with a fault", "HTTP/1.1 103 x\r\nX\r\n\r\n".into()), "no colon"),
            responds("600", "HTTP/1.1 600 far out\r\n\r\n").exits(6, ["600"]),
            case("a 101 and half a frame, then nothing", |peer| {
                peer.accept();
                peer.send(b"\x81\x05he");
                peer.stay_silent();
            })
            .held_open()
            .args(["-m", "1"])
            .exits(11, ["--max-time"]),
        ],
    );
}

#[test]
fn lengths_chunks_and_codings() {
    let body = |name: &str, lines: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 403 Forbidden\r\n{lines}\r\n");
        answers(name, [head.as_bytes(), body].concat()).args(["-v"]).exits(6, ["403"])
    };
    let endless = |name: &str, lines: &str, first: &'static [u8], more: Vec<u8>| {
        let head = format!("HTTP/1.1 403 Forbidden\r\n{lines}\r\n");
        case(name, move |peer| {
            peer.request();
            let _ = peer.try_send([head.as_bytes(), first].concat());
            while peer.try_send(&more).is_ok() {}
        })
        .exits(6, ["403"])
        .within(Duration::from_secs(10))
    };
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let chunk = |bytes: &[u8]| {
        [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n0\r\n\r\n"].concat()
    };
    let coded = "Content-Encoding: gzip\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    let both = format!("{coded}{chunked}");
    let no = gzip(b"gzip says no");
    let mut spoilt = no.clone();
    let crc = spoilt.len() - 8;
    spoilt[crc] ^= 1;
    let named = [&b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"[..], &[b'n'; 1 << 20]].concat();
    let extension = format!("1;{}\r\nx\r\n", "e".repeat(900)).into_bytes();
    let tiny = b"1\r\nx\r\n".repeat(1 << 17);
    let twice = "Content-Length: 4\r\nContent-Length: 400\r\n";
    run(
        "bodies that lie",
        vec![
            body("a length twice", twice, b"body").exits(6, ["body"]),
            body("a length with a sign", "Content-Length: +4\r\n", b"body").exits(6, ["body"]),
            body("a length in hexadecimal", "Content-Length: 0x4\r\n", b"body").exits(6, ["body"]),
            body("a list of lengths", "Content-Length: 4, 4\r\n", b"body").exits(6, ["body"]),
            body("a length of 10^60", &format!("Content-Length: 1{}\r\n", "0".repeat(60)), b"body")
                .exits(6, ["body"]),
            body(
                "no length, and chunks",
                &format!("Content-Length: 0\r\n{chunked}"),
                &chunk(b"body"),
            )
            .exits(6, ["body"]),
            body("chunks that are not last", "Transfer-Encoding: chunked, gzip\r\n", b"body"),
            body("an unknown coding", "Transfer-Encoding: \x41\r\n", b"body").exits(6, ["body"]),
            body("a size with a sign", chunked, b"+4\r\nbody\r\n0\r\n\r\n").exits(6, ["chunk"]),
            body("a size of the other notation", chunked, b"0x4\r\nbody\r\n0\r\n\r\n"),
            body("an empty size", chunked, b"\r\nbody\r\n").exits(6, ["chunk"]),
            body("a chunk longer than its size", chunked, b"4\r\nbody and more\r\n0\r\n\r\n")
                .exits(6, ["body"]),
            body("trailers", chunked, b"4\r\nbody\r\n0\r\nX: \x1b[2J\r\n\r\n").exits(6, ["body"]),
            body("gzip in chunks", &both, &chunk(&no)).exits(6, ["gzip says no"]),
            body(
                "gzip in chunks of a byte",
                &both,
                &[
                    no.iter()
                        .flat_map(|b| [b"1\r\n", &[*b][..], b"\r\n"].concat())
                        .collect::<Vec<u8>>(),
                    b"0\r\n\r\n".to_vec(),
                ]
                .concat(),
            )
            .exits(6, ["gzip says no"]),
            body("gzip twice", "Content-Encoding: gzip, gzip\r\n", &gzip(&no)),
            body(
                "gzip a hundred times",
                &format!("Content-Encoding: {}\r\n", ["gzip"; 100].join(", ")),
                &no,
            ),
            body(
                "gzip as the transfer coding",
                "Transfer-Encoding: gzip, chunked\r\n",
                &chunk(&no),
            ),
            body("gzip whose sum is wrong", coded, &spoilt).exits(6, ["gzip says no"]),
            body("gzip whose name has no end", coded, &named),
            body("gzip of nothing", coded, b""),
            body("a coding of 60 KB", &format!("Content-Encoding: {}\r\n", long("x")), b"body"),
            body("a bomb in chunks", &both, &chunk(&gzip(&vec![b'a'; 64 << 20])))
                .exits(6, ["cut at 65536 bytes"]),
            endless(
                "trailers without an end",
                chunked,
                b"4\r\nbody\r\n0\r\n",
                b"X: y\r\n".repeat(1000),
            ),
            endless("a chunk's end that never comes", chunked, b"4\r\nbody", vec![b'x'; 1 << 16]),
            endless(
                "a chunk's end that never comes, over TLS",
                chunked,
                b"4\r\nbody",
                vec![b'x'; 1 << 20],
            )
            .tls(Tls::new()),
            endless("chunk extensions", chunked, b"", extension.repeat(100)),
            endless("chunks of a byte", chunked, b"", tiny),
            endless("a length of none, and more", "Content-Length: 0\r\n", b"", vec![b'x'; 4096]),
        ],
    );
}

#[test]
fn long_fields_of_refusals() {
    let refuses = |status: &str, name: &str, value: &str| {
        let head = format!("HTTP/1.1 {status} x\r\n{name}: {value}\r\nContent-Length: 0\r\n\r\n");
        answers(&format!("{status}, {name}"), head).exits(6, [status])
    };
    let again = |value: &str| {
        let head = format!("HTTP/1.1 503 x\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        answers(&format!("Retry-After: {value:.40}"), head).args([
            "--reconnect=1",
            "--backoff",
            "10ms",
            "-m",
            "1",
        ])
    };
    run(
        "long fields",
        vec![
            refuses("302", "Location", &long("x")),
            refuses("401", "WWW-Authenticate", &format!("Basic realm=\"{}\"", long("r"))),
            refuses("401", "WWW-Authenticate", &long("Digest a=b, ")),
            refuses("407", "Proxy-Authenticate", &long("Basic, ")),
            refuses("426", "Sec-WebSocket-Version", &long("8, ")),
            refuses("426", "Upgrade", &long("h2c, ")),
            refuses("429", "Retry-After", &long("9")),
            refuses("503", "Retry-After", "-1"),
            refuses("403", "Server", &long("s")),
            refuses("400", "Content-Type", &long("t")),
            answers("a reason of 60 KB", format!("HTTP/1.1 403 {}\r\n\r\n", long("r")))
                .exits(6, ["403"]),
            answers("a body of one line", format!("HTTP/1.1 403 x\r\n\r\n{}", long("b")))
                .exits(6, ["403"]),
            again("18446744073709551616").exits(11, []),
            again("18446744073709551615").exits(11, []),
            again("Fri, 31 Dec 9999 23:59:59 GMT").exits(11, []),
            again("Sun, 06 Nov 1994 08:49:37 GMT").exits(6, []),
            again("Fri, 99 Foo 99999999999 99:99:99 GMT").exits(6, []),
            again("-1").exits(6, []),
            again("1e9").exits(6, []),
        ],
    );
}

/// Whatever the answer, the frames behind it are read as if they had come alone.
#[test]
fn frames_in_the_same_segment() {
    let behind = |name: &str, bytes: Vec<u8>| {
        case(name, move |peer| {
            let request = peer.request();
            let head = GOOD.replace("{accept}", &request.accept());
            let _ = peer.try_send([head.as_bytes(), &bytes].concat());
            peer.frames_until_close();
        })
        .held_open()
    };
    let large = frame(0x1, "x".repeat(1 << 20));
    run(
        "one segment",
        vec![
            behind("a violation", frame(0x3, "")).exits(8, ["at byte 0"]).close(1002),
            behind("a reset code", close_frame(4000, "bye")).exits(10, ["bye"]).close(4000),
            behind("1 MiB", [large, close_frame(1000, "")].concat())
                .exits(0, [])
                .stdout(format!("{}\n", "x".repeat(1 << 20))),
        ],
    );
}
