//! Frames, messages and the closing handshake.

use std::time::Duration;

use crate::case::{Case, case, run};
use crate::support::scripted::{Gate, Peer, close_frame, frame, raw_frame};

const MIB: u64 = 1 << 20;

/// Accepts, sends these bytes, listens up to the client's Close.
pub(crate) fn sends(name: &str, bytes: impl AsRef<[u8]>) -> Case {
    let bytes = bytes.as_ref().to_vec();
    case(name, move |peer| {
        peer.accept();
        let _ = peer.try_send(&bytes);
        peer.frames_until_close();
    })
    // A Close of ours that answers must be an answer: no end of input comes before it.
    .held_open()
}

/// Sends what breaks a rule: exit 8, the frame's bytes, and this code in the Close.
pub(crate) fn breaks(name: &str, bytes: impl AsRef<[u8]>, code: u16, says: &str) -> Case {
    sends(name, bytes)
        .exits(8, ["wstap: session: the peer broke the protocol", says, "at byte"])
        .close(code)
}

pub(crate) fn works(name: &str, bytes: &[u8], stdout: &str) -> Case {
    sends(name, [bytes, &close_frame(1000, "")].concat()).exits(0, []).stdout(stdout).close(1000)
}

fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn headers_that_break_a_rule() {
    let mut cases = Vec::new();
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let bytes = format!("{:02x} 00", 0x80 | opcode);
        cases.push(
            breaks(&format!("opcode {opcode}"), frame(opcode, ""), 1002, "a reserved opcode")
                .exits(8, [bytes.as_str()])
                .on_terminals(),
        );
    }
    for (bit, name) in [(0x40, "RSV1"), (0x20, "RSV2"), (0x10, "RSV3")] {
        for (opcode, on) in [(1, "text"), (2, "binary"), (8, "close"), (9, "ping"), (10, "pong")] {
            let bytes = raw_frame(0x80 | bit | opcode, "");
            cases.push(breaks(&format!("{name} on {on}"), bytes, 1002, name));
        }
        let continued = join(&[raw_frame(0x01, "a"), raw_frame(0x80 | bit, "b")]);
        cases.push(breaks(&format!("{name} on a continuation"), continued, 1002, name));
    }
    let masked = |opcode: u8| [vec![0x80 | opcode, 0x81, 1, 2, 3, 4], vec![b'a' ^ 1]].concat();
    let second = join(&[frame(0x1, "first"), frame(0x3, "")]);
    cases.extend([
        breaks("all RSV bits", raw_frame(0xf1, ""), 1002, "RSV1 and RSV2 and RSV3"),
        breaks("a masked text", masked(1), 1002, "a masked frame").exits(8, ["81 81 01 02 03 04"]),
        breaks("a masked ping", masked(9), 1002, "a masked frame"),
        breaks("a masked Close", masked(8), 1002, "a masked frame"),
        breaks("a ping of 126 bytes", frame(0x9, [0; 126]), 1002, "more than 125 bytes"),
        breaks("a pong of 126 bytes", frame(0xa, [0; 126]), 1002, "more than 125 bytes"),
        breaks("a Close of 126 bytes", frame(0x8, [0; 126]), 1002, "more than 125 bytes"),
        breaks("a ping with a 16-bit length", [0x89, 126, 0, 1, 0], 1002, "extended length"),
        breaks(
            "a ping with a 64-bit length",
            [0x89, 127, 0, 0, 0, 0, 0, 0, 0, 1, 0],
            1002,
            "extended",
        ),
        breaks("a ping without FIN", raw_frame(0x09, ""), 1002, "a fragmented control frame"),
        breaks("a pong without FIN", raw_frame(0x0a, ""), 1002, "a fragmented control frame"),
        breaks("a Close without FIN", raw_frame(0x08, ""), 1002, "a fragmented control frame"),
        breaks("an orphan continuation", frame(0x0, "a"), 1002, "nothing to continue"),
        breaks("an orphan without FIN", raw_frame(0x00, "a"), 1002, "nothing to continue"),
        breaks(
            "an orphan behind a message",
            join(&[frame(0x1, "a"), frame(0x0, "b")]),
            1002,
            "nothing to",
        )
        .stdout("a\n")
        .exits(8, ["at byte 3 of the frame stream: 80 01"]),
        breaks(
            "text inside text",
            join(&[raw_frame(1, "a"), frame(1, "b")]),
            1002,
            "inside an unfinished",
        ),
        breaks(
            "binary inside text",
            join(&[raw_frame(1, "a"), frame(2, "b")]),
            1002,
            "binary inside text",
        ),
        breaks(
            "a length with the top bit",
            [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
            1002,
            "top bit",
        )
        .exits(8, ["82 7f 80 00 00 00 00 00 00 00"]),
        breaks(
            "a length of all bits",
            [0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255],
            1002,
            "top bit",
        ),
        breaks("garbage behind a message", second, 1002, "a reserved opcode")
            .stdout("first\n")
            .exits(8, ["at byte 7 of the frame stream: 83 00"]),
        breaks("an HTTP answer in the middle", "HTTP/1.1 400 no\r\n\r\n", 1002, "RSV1 on a close"),
    ]);
    run("frame headers", cases);
}

#[test]
fn lengths_that_are_not_minimal() {
    let forms: [(&str, Vec<u8>, &str); 4] = [
        ("5 in 16 bits", b"\x81\x7e\0\x05hello".to_vec(), "hello\n"),
        ("5 in 64 bits", b"\x81\x7f\0\0\0\0\0\0\0\x05hello".to_vec(), "hello\n"),
        ("0 in 16 bits", b"\x81\x7e\0\0".to_vec(), "\n"),
        ("200 in 64 bits", [&b"\x81\x7f\0\0\0\0\0\0\0\xc8"[..], &[b'x'; 200]].concat(), "*"),
    ];
    let mut cases = Vec::new();
    for (name, bytes, shown) in forms {
        let shown = if shown == "*" { format!("{}\n", "x".repeat(200)) } else { shown.to_owned() };
        cases.push(works(name, &bytes, &shown).exits(0, ["shortest form"]));
        cases.push(
            breaks(&format!("{name}, strict"), bytes, 1002, "shortest form").args(["--strict"]),
        );
    }
    run("lengths", cases);
}

#[test]
fn sizes_beyond_the_limits() {
    let declares = |name: &str, length: u64| {
        sends(name, [&[0x82, 127][..], &length.to_be_bytes()].concat())
            .exits(12, ["wstap: session: a message of", "--max-message"])
            .close(1009)
    };
    let by_default = |case: Case| case.memory((64 + 8) * MIB);
    // What a debug build needs for itself is within it.
    let by_choice = |case: Case| case.args(["--max-message", "1M"]).memory(16 * MIB);
    let measured = |name: &str, bytes: Vec<u8>| {
        case(name, move |peer| {
            peer.accept();
            let _ = peer.try_send(&bytes);
        })
        .held_open()
        .exits(12, ["wstap: session: a message"])
        .close(1009)
    };
    let header = |length: u64| [&[0x82, 127][..], &length.to_be_bytes()].concat();
    let mut cases = Vec::new();
    for (name, length) in [("2^63 - 1", (1 << 63) - 1), ("2^62", 1 << 62), ("2^32", 1 << 32)] {
        cases.push(declares(name, length).exits(12, [length.to_string().as_str()]));
        cases.push(by_default(measured(&format!("{name}, memory"), header(length))));
        cases.push(by_choice(measured(&format!("{name}, over 1M"), header(length))));
    }
    let mebi = vec![b'x'; 1 << 20];
    let halves = join(&[raw_frame(0x02, &mebi[..600_000]), raw_frame(0x00, &mebi[..600_000])]);
    let behind = join(&[
        raw_frame(0x01, "a"),
        [&[0x80, 127][..], &u64::to_be_bytes((1 << 63) - 1)].concat(),
    ]);
    let fragments = |count: usize| {
        join(&[raw_frame(0x01, ""), raw_frame(0x00, "").repeat(count - 2), frame(0x0, "end")])
    };
    cases.extend([
        by_choice(measured("limit and one", header(MIB + 1))).exits(12, ["1048577"]),
        by_choice(measured("fragments past the limit", halves)).exits(12, ["1200000"]),
        declares("2^32, held for --json", 1 << 32).args(["--until", "x"]).exits(12, ["67108864"]),
        measured("64 MiB and one, held", header(64 * MIB + 1))
            .args(["--until", "x"])
            .memory(24 * MIB),
        measured("fragments whose sum wraps", behind).memory(24 * MIB),
        sends("131073 fragments", fragments(131_073))
            .exits(12, ["131072 fragments", "--max-fragments"])
            .close(1009),
        works("131072 fragments", &fragments(131_072), "end\n"),
        sends("11 fragments of 10", fragments(11))
            .args(["--max-fragments", "10"])
            .exits(12, ["10 fragments"])
            .close(1009),
        works("as large as the limit", &frame(0x1, &mebi), &format!("{}\n", "x".repeat(1 << 20)))
            .args(["--max-message", "1M"]),
        case("1 MiB and one, taken byte by byte before", |peer| {
            peer.accept();
            peer.send([0x82, 127]);
            peer.send_in_pieces((MIB + 1).to_be_bytes(), 1);
            peer.frames_until_close();
        })
        .held_open()
        .args(["--max-message", "1M"])
        .exits(12, ["1048577"])
        .close(1009),
    ]);
    run("sizes", cases);
}

#[test]
fn text_that_is_not_utf_8() {
    // The server never completes these frames: the fault is found at the byte, not at the end.
    let open = |bytes: &[u8]| [&[0x81, 100][..], bytes].concat();
    let samples: [(&str, &[u8]); 10] = [
        ("a lone continuation", b"ok\x80"),
        ("0xff", b"ok\xff"),
        ("overlong, 2 bytes", b"\xc0\xaf"),
        ("overlong, 3 bytes", b"\xe0\x80\xaf"),
        ("overlong, 4 bytes", b"\xf0\x80\x80\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("above U+10FFFF", b"\xf4\x90\x80\x80"),
        ("5 bytes", b"\xf8\x88\x80\x80\x80"),
        ("a character cut by another", b"\xe2\x82A"),
        ("C1 in bytes", b"\x9b2J"),
    ];
    let mut cases = Vec::new();
    for (name, bytes) in samples {
        cases.push(breaks(name, frame(0x1, bytes), 1007, "not UTF-8"));
        cases.push(breaks(
            &format!("{name}, at the byte"),
            open(bytes),
            1007,
            "can't be right here",
        ));
        let split = bytes.len() - 1;
        let fragments = join(&[raw_frame(0x01, &bytes[..split]), raw_frame(0x80, &bytes[split..])]);
        cases.push(breaks(&format!("{name}, in fragments"), fragments, 1007, "not UTF-8"));
        let lossy =
            sends(&format!("{name}, lossy"), join(&[frame(0x1, bytes), close_frame(1000, "")]))
                .args(["--lossy", "--output", "raw"])
                .exits(0, ["not UTF-8"])
                .stdout(bytes)
                .close(1000)
                .once();
        cases.push(lossy);
    }
    let cut = "€".as_bytes();
    let cut_and_more =
        [raw_frame(0x01, &cut[..1]), frame(0x0, &cut[..1]), close_frame(1000, "")].concat();
    cases.extend([
        breaks("cut at the end", frame(0x1, &cut[..2]), 1007, "cut inside a character"),
        breaks(
            "cut at the last fragment's end",
            join(&[raw_frame(0x01, cut), frame(0x0, &cut[..1])]),
            1007,
            "cut",
        ),
        works(
            "a character over three fragments",
            &join(&[
                raw_frame(0x01, &cut[..1]),
                raw_frame(0x00, &cut[1..2]),
                frame(0x0, &cut[2..]),
            ]),
            "€\n",
        ),
        works("binary may be anything", &frame(0x2, b"\xff\x80"), "").stdout(b"\xff\x80\n"),
        sends("lossy, over fragments", cut_and_more)
            .args(["--lossy", "--output", "raw"])
            .exits(0, ["not UTF-8"])
            .stdout(b"\xe2\xe2")
            .once(),
        works("lossy, and json", &join(&[frame(0x1, b"a\x80"), frame(0x1, "fine")]), "")
            .args(["--lossy"])
            .stdout(b"a\x80\nfine\n"),
    ]);
    run("text", cases);
}

#[test]
fn fragments_and_control_frames() {
    let pings = |count: usize| {
        let mut bytes = raw_frame(0x01, "a");
        for _ in 0..count {
            bytes.extend(frame(0x9, "p"));
            bytes.extend(raw_frame(0x00, "b"));
        }
        bytes.extend(frame(0x0, "c"));
        bytes
    };
    let many = frame(0x1, "x").repeat(1_000_000);
    run(
        "fragments",
        vec![
            works("pings between fragments", &pings(100), &format!("a{}c\n", "b".repeat(100))),
            works("empty messages", &frame(0x1, "").repeat(1000), &"\n".repeat(1000)),
            works(
                "empty fragments",
                &join(&[raw_frame(1, ""), raw_frame(0, ""), frame(0, "")]),
                "\n",
            ),
            works("a million messages of one byte", &many, &"x\n".repeat(1_000_000)).once(),
            works("a pong that nobody asked for", &frame(0xa, "x"), ""),
            works("an empty ping", &frame(0x9, ""), ""),
            works("a ping of 125 bytes", &frame(0x9, [0xff; 125]), ""),
            case("a ping comes back", |peer| {
                peer.accept();
                peer.send(frame(0x9, b"\x00\xff"));
                let pong = peer.frame().expect("a pong");
                assert_eq!((pong.opcode, &pong.payload[..]), (0xa, &b"\x00\xff"[..]));
                peer.send(close_frame(1000, ""));
                peer.frames_until_close();
            })
            .held_open(),
            case("a million pings whose pongs are not read", |peer| {
                peer.accept();
                let pings = frame(0x9, [b'p'; 100]).repeat(1000);
                for _ in 0..1000 {
                    peer.send(&pings);
                }
                peer.send(close_frame(1000, ""));
            })
            .held_open()
            .memory(40 * MIB)
            .once()
            .within(Duration::from_secs(18)),
        ],
    );
}

#[test]
fn close_frames() {
    let coded = |code: u16| frame(0x8, code.to_be_bytes());
    let mut cases = Vec::new();
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        cases.push(
            breaks(&format!("code {code}"), coded(code), 1002, "must not be sent")
                .exits(8, [format!("{code}").as_str()])
                .on_terminals(),
        );
    }
    for code in [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999] {
        let says = format!("the peer closed with {code}");
        cases.push(
            sends(&format!("code {code}"), coded(code))
                .exits(10, ["wstap: close: ", says.as_str()])
                .close(code),
        );
    }
    for code in [1000, 1001] {
        cases.push(sends(&format!("code {code}"), coded(code)).exits(0, []).close(code));
    }
    let reason = "r".repeat(123);
    let shown = |name: &str, reason: &str, says: &str| {
        sends(name, close_frame(4000, reason)).exits(10, [says]).close(4000)
    };
    cases.extend([
        breaks("a body of one byte", frame(0x8, [3]), 1002, "a body of one byte"),
        breaks("a reason that is not UTF-8", frame(0x8, b"\x03\xe8\xff"), 1007, "reason"),
        breaks("a reason cut in a character", frame(0x8, b"\x03\xe8\xe2\x82"), 1007, "reason"),
        shown("a reason of 123 bytes", &reason, &reason),
        shown("ESC in a reason", "\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        shown("C1 and bidi in a reason", "\u{9b}2J\u{202e}x", "\\u{9b}2J\\u{202e}x"),
        shown("a line break in a reason", "a\r\nwstap: all is well", "a\\r\\nwstap: all is well"),
        sends("no body", frame(0x8, "")).exits(0, []),
        sends("data behind Close", join(&[close_frame(1000, ""), frame(0x1, "late")]))
            .exits(0, [])
            .stdout("")
            .close(1000),
        sends("garbage behind Close", join(&[close_frame(1000, ""), vec![0xff; 100]]))
            .exits(0, [])
            .stdout(""),
        sends("a second Close", join(&[close_frame(1000, ""), close_frame(4000, "")]))
            .exits(0, [])
            .close(1000),
        sends("data behind Close is noted", join(&[close_frame(1000, ""), frame(0x1, "late")]))
            .args(["-v"])
            .exits(0, ["ignored"])
            .once(),
        case("both at once", |peer| {
            peer.accept();
            // Ours is on its way already when the client's comes.
            let closes = peer.frames_until_close();
            assert_eq!(closes.last().expect("a Close").close_code(), Some(1000));
            peer.send(close_frame(1000, ""));
        })
        .args(["-E"]),
        case("no answer to our Close", |peer| {
            peer.accept();
            peer.stay_silent();
        })
        .args(["-E"])
        .exits(11, ["wstap: close: no Close frame"])
        .once(),
        case("the end instead of an answer to our Close", |peer| {
            peer.accept();
            peer.frames_until_close();
        })
        .args(["-E"])
        .exits(9, ["without answering our Close"]),
        case("open after both Closes", |peer| {
            peer.accept();
            peer.send(close_frame(1000, ""));
            peer.stay_silent();
        })
        .held_open()
        .within(Duration::from_secs(12))
        .once(),
    ]);
    run("close", cases);
}

#[test]
fn connections_that_end() {
    let ends = |name: &str, bytes: Vec<u8>, says: &str| {
        case(name, move |peer| {
            peer.accept();
            peer.send(&bytes);
        })
        .held_open()
        .exits(9, ["wstap: session: ", "1006", says])
    };
    let resets = |name: &str, bytes: Vec<u8>| {
        case(name, move |peer| {
            peer.accept();
            peer.send(&bytes);
            peer.reset();
        })
        .held_open()
        .exits(9, ["wstap: "])
    };
    let long = frame(0x1, [b'x'; 300]);
    let longest = frame(0x2, vec![0; 70_000]);
    let ended = Gate::new();
    let gone = ended.clone();
    let mut cases = Vec::new();
    for at in 1..=10 {
        let place = match at {
            1 => "in a frame header, after 1 byte".to_owned(),
            2..4 => format!("in a frame header, after {at} bytes"),
            _ => format!("in a text frame, after {} of 300 payload bytes", at - 4),
        };
        cases.push(ends(&format!("FIN {at} bytes into a frame"), long[..at].to_vec(), &place));
        cases.push(resets(&format!("RST {at} bytes into a frame"), long[..at].to_vec()));
        let place = match at {
            1 => "in a frame header, after 1 byte".to_owned(),
            2..10 => format!("in a frame header, after {at} bytes"),
            _ => "in a binary frame, after 0 of 70000 payload bytes".to_owned(),
        };
        cases.push(ends(
            &format!("FIN {at} bytes into a long frame"),
            longest[..at].to_vec(),
            &place,
        ));
    }
    cases.extend([
        ends("FIN at once", Vec::new(), "between two frames"),
        resets("RST at once", Vec::new()),
        ends("FIN before the last byte", long[..303].to_vec(), "after 299 of 300 payload bytes"),
        ends("FIN in a long payload", longest[..50_000].to_vec(), "of 70000 payload bytes"),
        ends("FIN in a ping", frame(0x9, "ping")[..4].to_vec(), "in a ping frame, after 2 of 4"),
        ends(
            "FIN never came in a message",
            raw_frame(0x01, "a"),
            "in a text message, after 1 fragment",
        )
        .exits(9, ["1006"]),
        ends("FIN behind a message", frame(0x1, "hello"), "between two frames").stdout("hello\n"),
        case("FIN while we send", |peer| {
            peer.accept();
            peer.expect(0x1);
        })
        .stdin("line\n".repeat(100_000))
        .exits(9, ["wstap: session: "])
        .once(),
        case("a server that never reads", move |peer| {
            peer.accept();
            gone.wait();
            peer.reset();
        })
        .ended(&ended)
        .args(["-m", "2"])
        .stdin("a line that fills the buffers\n".repeat(1_000_000))
        .exits(11, ["--max-time"])
        .once(),
    ]);
    run("ends", cases);
}

#[test]
fn one_byte_at_a_time() {
    let dribbles = |name: &str, bytes: Vec<u8>, stdout: &str| {
        case(name, move |peer: &mut Peer| {
            peer.accept();
            peer.send_in_pieces([&bytes[..], &close_frame(1000, "bye")].concat(), 1);
            peer.frames_until_close();
        })
        .held_open()
        .stdout(stdout)
        .close(1000)
    };
    run(
        "dribble",
        vec![
            dribbles("a message", frame(0x1, "hello"), "hello\n"),
            dribbles(
                "a 16-bit length",
                frame(0x1, "h".repeat(126)),
                &format!("{}\n", "h".repeat(126)),
            ),
            dribbles(
                "fragments and a ping",
                join(&[raw_frame(1, "a€"), frame(9, "p"), frame(0, "b")]),
                "a€b\n",
            ),
        ],
    );
}
