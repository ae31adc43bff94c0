//! More frames, messages and floods than the catalogue names.

use std::time::Duration;

use crate::case::{Case, case, run};
use crate::deflate::{compressed, message, squeezed};
use crate::frames::{breaks, sends, works};
use crate::support::scripted::{Peer, close_frame, frame, raw_frame};

const MIB: u64 = 1 << 20;

#[test]
fn headers_and_their_order() {
    let text = "x".repeat(125);
    let line = format!("{text}\n");
    let long = "x".repeat(65_535);
    let long_line = format!("{long}\n");
    let header = |bytes: &[u8], payload: &str| [bytes, payload.as_bytes()].concat();
    let open = raw_frame(0x01, "a");
    let behind = |more: &[u8]| [&open[..], more].concat();
    run(
        "order",
        vec![
            works("125 in 16 bits", &header(&[0x81, 126, 0, 125], &text), &line)
                .exits(0, ["shortest form"]),
            works(
                "65535 in 64 bits",
                &header(&[0x81, 127, 0, 0, 0, 0, 0, 0, 255, 255], &long),
                &long_line,
            )
            .exits(0, ["shortest form"]),
            works(
                "126 in 16 bits",
                &frame(0x1, "x".repeat(126)),
                &format!("{}\n", "x".repeat(126)),
            )
            .never_says("shortest form"),
            works("65535 in 16 bits", &frame(0x1, &long), &long_line).never_says("shortest"),
            works("65536 in 64 bits", &frame(0x1, format!("{long}x")), &format!("{long}x\n"))
                .never_says("shortest form"),
            works("a continuation that is not minimal", &behind(&[0x80, 126, 0, 1, b'b']), "ab\n")
                .exits(0, ["shortest form"]),
            breaks(
                "a ping of 125 in 16 bits",
                header(&[0x89, 126, 0, 125], &text),
                1002,
                "extended",
            ),
            breaks("a Close of 2^63", [0x88, 127, 128, 0, 0, 0, 0, 0, 0, 0], 1002, "at byte 0"),
            breaks(
                "a ping of 2^63 - 1",
                [0x89, 127, 127, 255, 255, 255, 255, 255, 255, 255],
                1002,
                "extended",
            ),
            breaks("masked, of no bytes", [0x81, 0x80, 0, 0, 0, 0], 1002, "a masked frame"),
            breaks(
                "masked with nothing",
                [0x81, 0x85, 0, 0, 0, 0, b'h', b'e', b'l', b'l', b'o'],
                1002,
                "masked",
            ),
            breaks("all bits", [0xff; 14], 1002, "at byte 0").on_terminals(),
            breaks("no bits but RSV1", [0x40, 0], 1002, "RSV1"),
            breaks(
                "a reserved opcode between fragments",
                behind(&frame(0xb, "")),
                1002,
                "reserved",
            ),
            breaks(
                "text behind text without FIN",
                behind(&raw_frame(0x01, "b")),
                1002,
                "unfinished",
            ),
            breaks("binary without FIN", behind(&raw_frame(0x02, "b")), 1002, "binary inside text"),
            breaks(
                "an orphan behind fragments",
                behind(&[frame(0x0, "b"), frame(0x0, "c")].concat()),
                1002,
                "nothing to",
            )
            .stdout("ab\n"),
            breaks(
                "a continuation behind a ping alone",
                [frame(0x9, ""), frame(0x0, "x")].concat(),
                1002,
                "nothing to",
            ),
            breaks(
                "two faults",
                [0xf3, 0xff, 255, 255, 255, 255, 255, 255, 255, 255],
                1002,
                "at byte 0",
            ),
            sends("Close between fragments", behind(&close_frame(1000, "")))
                .exits(0, [])
                .close(1000),
            sends(
                "Close between fragments, and the rest",
                behind(&[close_frame(1000, ""), frame(0x0, "b")].concat()),
            )
            .exits(0, [])
            .close(1000),
            sends("a ping behind Close", [close_frame(1000, ""), frame(0x9, "p")].concat())
                .exits(0, [])
                .close(1000),
        ],
    );
}

#[test]
fn more_close_frames() {
    let body = |code: u16, reason: &[u8]| frame(0x8, [&code.to_be_bytes()[..], reason].concat());
    run(
        "more closes",
        vec![
            breaks("code 0 with a reason", body(0, b"why"), 1002, "must not be sent"),
            breaks("code 1005 with a reason", body(1005, b"none"), 1002, "must not be sent")
                .on_terminals(),
            breaks("code 1006 and ESC", body(1006, b"\x1b[2J"), 1002, "must not be sent")
                .on_terminals(),
            breaks("an overlong reason", body(1000, b"\xc0\xaf"), 1007, "reason"),
            breaks("a surrogate in a reason", body(1000, b"\xed\xa0\x80"), 1007, "reason"),
            breaks("above U+10FFFF in a reason", body(1000, b"\xf4\x90\x80\x80"), 1007, "reason"),
            breaks("both faults", body(999, b"\xff"), 1002, ""),
            sends("NUL in a reason", body(4000, b"a\0b")).exits(10, ["a\\x00b"]).close(4000),
            sends("a byte order mark in a reason", body(4000, b"\xef\xbb\xbfx"))
                .exits(10, ["\\u{feff}x"])
                .close(4000),
            sends("a quote in a reason", body(4000, b"\", exit 0, \""))
                .exits(10, ["exit 0"])
                .close(4000),
            sends("code 1012", body(1012, b"")).exits(10, ["1012"]).close(1012).on_terminals(),
        ],
    );
}

#[test]
fn text_of_every_kind() {
    let euro = "€".as_bytes();
    let split = [
        raw_frame(0x01, &euro[..1]),
        frame(0x9, euro),
        raw_frame(0x00, ""),
        frame(0x0, &euro[1..]),
    ];
    let taken = |name: &str, message: &[u8]| {
        sends(name, [message, &close_frame(1000, "")].concat()).exits(0, []).close(1000)
    };
    run(
        "more text",
        vec![
            works("a ping inside a character", &split.concat(), "€\n"),
            works(
                "noncharacters",
                &frame(0x1, "\u{fffe}\u{ffff}\u{10ffff}"),
                "\u{fffe}\u{ffff}\u{10ffff}\n",
            ),
            works("NUL", &frame(0x1, "a\0b"), "a\0b\n"),
            works("a byte order mark", &frame(0x1, "\u{feff}x"), "\u{feff}x\n"),
            works("line breaks", &frame(0x1, "a\nb\r\nc"), "a\nb\r\nc\n"),
            works("the replacement character", &frame(0x1, "\u{fffd}"), "\u{fffd}\n"),
            taken("separators, in JSON", &frame(0x1, "\u{2028}\u{202e}\x7f\u{9b}"))
                .args(["--output", "json"])
                .once(),
            taken("binary, in hexadecimal", &frame(0x2, b"\x1b[2J"))
                .args(["--output", "hex"])
                .once(),
            breaks(
                "a character over a message's end",
                [frame(0x1, &euro[..2]), frame(0x1, &euro[2..])].concat(),
                1007,
                "cut",
            ),
            breaks(
                "a fault behind 1 MiB",
                frame(0x1, [&vec![b'x'; 1 << 20][..], b"\xff"].concat()),
                1007,
                "at byte 1048578",
            ),
            taken("a pattern that others explode on", &frame(0x1, "a".repeat(1 << 20)))
                .args(["--until", "(a*)*(a|aa)*b$"])
                .exits(1, ["no message matched"])
                .within(Duration::from_secs(10))
                .once(),
            taken("brackets 100,000 deep", &frame(0x1, "[".repeat(100_000)))
                .args(["--pretty"])
                .on_terminals(),
            taken("objects 100,000 deep", &frame(0x1, "{\"a\":".repeat(100_000)))
                .args(["--pretty"])
                .on_terminals(),
            taken(
                "whole brackets 50,000 deep",
                &frame(0x1, "[".repeat(50_000) + &"]".repeat(50_000)),
            )
            .args(["--pretty"])
            .on_terminals(),
            taken("a number of 100,000 digits", &frame(0x1, "9".repeat(100_000)))
                .args(["--pretty"])
                .on_terminals(),
            taken("JSON that is cut in an escape", &frame(0x1, "{\"a\":\"\\u00"))
                .args(["--pretty"])
                .on_terminals(),
        ],
    );
}

/// The server sends this for ever, as soon as it has sent `first`; the client must end by itself.
fn floods(name: &str, first: Vec<u8>, more: Vec<u8>) -> Case {
    let more = more.repeat((1 << 16) / more.len() + 1);
    case(name, move |peer: &mut Peer| {
        peer.accept();
        let _ = peer.try_send(&first);
        while peer.try_send(&more).is_ok() {}
    })
    .within(Duration::from_secs(20))
    .once()
}

#[test]
fn floods_that_never_end() {
    let closed = close_frame(1000, "");
    let late = frame(0x1, "late");
    run(
        "floods",
        vec![
            floods("data behind Close", closed.clone(), late.clone()).held_open().exits(0, []),
            floods("garbage behind Close", closed.clone(), vec![0xff]).held_open().exits(0, []),
            floods("pings behind Close", closed, frame(0x9, "p")).held_open().exits(0, []),
            floods("data behind a violation", frame(0x3, ""), late.clone())
                .held_open()
                .exits(8, ["a reserved opcode"]),
            // All that arrives before the peer's Close counts, so only a limit ends this.
            floods("data, and no answer to our Close", Vec::new(), frame(0x2, [0; 1000]))
                .args(["-E", "--output", "null", "-m", "1"])
                .exits(11, ["--max-time"]),
            floods("one message is enough", Vec::new(), frame(0x1, "x"))
                .held_open()
                .args(["-n", "1"])
                .stdout("x\n")
                .exits(0, []),
            floods("a message without an end", raw_frame(0x02, ""), raw_frame(0x00, [0; 60_000]))
                .held_open()
                .args(["--max-message", "8M"])
                .exits(12, ["--max-message"]),
            floods("empty fragments without an end", raw_frame(0x01, ""), raw_frame(0x00, ""))
                .held_open()
                .exits(12, ["131072 fragments"]),
            floods("pongs, and a time limit", Vec::new(), frame(0xa, "x"))
                .held_open()
                .args(["-m", "1"])
                .exits(11, ["--max-time"]),
            floods("pongs that answer none of our pings", Vec::new(), frame(0xa, "x"))
                .held_open()
                .args(["--ping-interval", "200ms", "--ping-timeout", "500ms"])
                .exits(11, ["pong"]),
            floods("pings in a message without an end", raw_frame(0x01, "a"), frame(0x9, [7; 125]))
                .held_open()
                .args(["-m", "1"])
                .exits(11, ["--max-time"]),
        ],
    );
}

#[test]
fn many_of_a_kind() {
    let empty = frame(0x1, "").repeat(1_000_000);
    let pongs = frame(0xa, [b'p'; 125]).repeat(300_000);
    let mixed =
        [frame(0x1, "t"), frame(0x9, "p"), raw_frame(0x01, "a"), frame(0x9, ""), frame(0x0, "b")];
    let mixed = mixed.concat().repeat(50_000);
    let measured = |name: &str, bytes: Vec<u8>| {
        case(name, move |peer| {
            peer.accept();
            peer.send(&bytes);
            peer.send(close_frame(1000, ""));
        })
        .held_open()
        .memory(40 * MIB)
        .once()
    };
    let squeezed = [message(0xc1, &[0]).repeat(200_000), close_frame(1000, "")].concat();
    run(
        "many",
        vec![
            measured("a million empty messages", empty).stdout("\n".repeat(1_000_000)),
            measured("300,000 pongs that nobody asked for", pongs).stdout(""),
            measured("messages, fragments and pings", mixed).stdout("t\nab\n".repeat(50_000)),
            compressed("200,000 empty compressed messages", "", squeezed)
                .stdout("\n".repeat(200_000))
                .once(),
        ],
    );
}

/// Each has sent its Close before it has seen the other's; the codes are as each chose them.
#[test]
fn both_close_at_once() {
    let crossing = |name: &str, code: u16| {
        case(name, move |peer| {
            peer.accept();
            // The client's is in our buffer, unread and unanswered, when ours goes out.
            assert!(peer.read_more());
            peer.send(close_frame(code, "mine"));
            let frames = peer.frames_until_close();
            assert_eq!(frames.last().expect("a Close").close_code(), Some(1000));
        })
        .args(["-E"])
    };
    run(
        "both at once",
        vec![
            crossing("both with 1000", 1000).exits(0, []),
            crossing("ours with 1000, theirs with 1001", 1001).exits(0, []),
            crossing("ours with 1000, theirs with 4000", 4000).exits(10, ["4000", "mine"]),
            crossing("ours with 1000, theirs with 999", 999).exits(8, ["999"]),
        ],
    );
}

#[test]
fn more_compressed_messages() {
    let hello = squeezed(b"Hello");
    let good = |name: &str, frames: &[Vec<u8>], stdout: &str| {
        compressed(name, "", [frames.concat(), close_frame(1000, "")].concat())
            .exits(0, [])
            .stdout(stdout)
            .close(1000)
    };
    let bad = |name: &str, bytes: Vec<u8>, code: u16| {
        compressed(name, "", bytes).exits(8, ["wstap: session: the peer broke"]).close(code)
    };
    let zlib = [&[0x78, 0x9c][..], &hello].concat();
    let gzip = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &hello].concat();
    let stored = [&[0, 4, 0, 0xfb, 0xff][..], &[0, 0, 0xff, 0xff], &[0]].concat();
    let finals = [0x03, 0x00].repeat(1000);
    run(
        "more deflate",
        vec![
            bad("RSV1 and no payload", raw_frame(0xc1, ""), 1007),
            bad(
                "RSV1 and no payload, in fragments",
                [raw_frame(0x41, ""), frame(0x0, "")].concat(),
                1007,
            ),
            bad("a compressed Close", raw_frame(0xc8, squeezed(b"\x03\xe8")), 1002),
            bad("a compressed pong", raw_frame(0xca, &hello), 1002),
            bad("RSV1 and RSV2", raw_frame(0xe1, &hello), 1002),
            bad(
                "RSV1 on the last fragment alone",
                [raw_frame(0x01, "a"), raw_frame(0xc0, &hello)].concat(),
                1002,
            ),
            bad("a zlib header", message(0xc1, &zlib), 1007),
            bad("a gzip header", message(0xc1, &gzip), 1007),
            bad("random bytes", message(0xc2, b"\xde\xad\xbe\xef\xde\xad\xbe\xef"), 1007)
                .on_terminals(),
            bad(
                "a fault in the second fragment",
                [raw_frame(0x41, &hello[..3]), frame(0x0, [0xff; 9])].concat(),
                1007,
            ),
            good("an empty last fragment", &[raw_frame(0x41, &hello), frame(0x0, "")], "Hello\n"),
            good("an empty first fragment", &[raw_frame(0x41, ""), frame(0x0, &hello)], "Hello\n"),
            good(
                "one byte a fragment",
                &[
                    raw_frame(0x41, &hello[..1]),
                    hello[1..].iter().flat_map(|byte| raw_frame(0x00, [*byte])).collect(),
                    frame(0x0, ""),
                ],
                "Hello\n",
            ),
            good("data that looks like the tail", &[message(0xc2, &stored)], "")
                .stdout(b"\0\0\xff\xff\n"),
            good("a thousand final blocks", &[message(0xc1, &[&finals[..], &[0]].concat())], "\n"),
        ],
    );
}
