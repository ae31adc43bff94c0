//! Flaws that were published for other clients, replayed against ours.

use std::collections::HashSet;
use std::time::Duration;

use crate::case::{Case, case, run};
use crate::deflate::{compressed, message, squeezed};
use crate::support::run::Run;
use crate::support::scripted::{ScriptedServer, close_frame, frame, raw_frame};

const MIB: u64 = 1 << 20;

fn alone(case: Case) {
    run("flaws", vec![case]);
}

fn ends_with_1009(name: &str, headers: &'static str, bytes: Vec<u8>) -> Case {
    case(name, move |peer| {
        let request = peer.request();
        peer.upgrade(&request, headers);
        let _ = peer.try_send(&bytes);
    })
    .held_open()
    .exits(12, ["wstap: session: a message of"])
    .close(1009)
}

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// undici: a small compressed message inflates without a bound.
#[test]
fn cve_2026_1526_a_deflate_bomb() {
    let bomb = message(0xc1, &squeezed(&vec![b'a'; 80 << 20]));
    alone(
        ends_with_1009("bomb", DEFLATE, bomb).args(["--max-message", "1M"]).memory(16 * MIB).once(),
    );
}

/// undici: a 64-bit length overflows the reader's arithmetic and throws.
#[test]
fn cve_2026_1528_a_64_bit_length_that_overflows() {
    let lengths = [u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 53, (1 << 53) + 1];
    let cases = lengths.map(|length| {
        let bytes = [&[0x82, 127][..], &length.to_be_bytes()].concat();
        let code = if length >> 63 == 1 { 8 } else { 12 };
        case(format!("{length:#x}"), move |peer| {
            peer.accept();
            let _ = peer.try_send(&bytes);
            peer.frames_until_close();
        })
        .held_open()
        .exits(code, ["wstap: session: "])
    });
    run("overflowing lengths", cases.into());
}

/// undici: a server_max_window_bits that zlib doesn't take throws where nobody catches.
#[test]
fn cve_2026_2229_window_bits_that_are_not_valid() {
    let cases = ["0", "1", "7", "16", "99", "8.5", "+9", "0x9"].map(|bits| {
        case(bits, move |peer| {
            let request = peer.request();
            let answer = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=";
            peer.upgrade(&request, &format!("{answer}{bits}\r\n"));
            let _ = peer.try_send(message(0xc1, &squeezed(b"hello")));
            peer.frames_until_close();
        })
        .exits(7, ["wstap: handshake: "])
    });
    run("window bits", cases.into());
}

/// undici: fragments each under the limit bypass it, because nobody adds them up.
#[test]
fn cve_2026_9675_fragments_that_add_up() {
    let piece = raw_frame(0x00, vec![b'x'; 100_000]);
    let flood = [raw_frame(0x02, ""), piece.repeat(100)].concat();
    let plain = ends_with_1009("fragments", "", flood);
    // The same compressed: what counts is what comes out.
    let mut pieces = squeezed(&vec![b'x'; 10 << 20]);
    let rest = pieces.split_off(50);
    let rest: Vec<u8> = rest.chunks(50).flat_map(|piece| raw_frame(0x00, piece)).collect();
    let packed =
        ends_with_1009("compressed fragments", DEFLATE, [raw_frame(0x42, pieces), rest].concat());
    let cases = [plain, packed].map(|case| case.args(["--max-message", "1M"]).memory(16 * MIB));
    run("fragments that add up", cases.into());
}

/// undici: no bound on the number of fragments, so that empty and tiny ones, which add up to
/// nothing, cost memory for ever.
#[test]
fn cve_2026_12151_fragments_without_a_bound() {
    let cases = [("empty", ""), ("tiny", "x")].map(|(name, payload)| {
        let flood = [raw_frame(0x01, ""), raw_frame(0x00, payload).repeat(200_000)].concat();
        case(format!("{name} fragments"), move |peer| {
            peer.accept();
            let _ = peer.try_send(&flood);
        })
        .held_open()
        .exits(12, ["131072 fragments"])
        .close(1009)
        .memory(16 * MIB)
    });
    run("endless fragments", cases.into());
}

/// undici: CR LF in an option that becomes a request header splits the request.
#[test]
fn cve_2026_1527_line_breaks_in_the_upgrade_request() {
    for args in [
        ["-H", "X: a\r\nInjected: b"],
        ["-H", "Upgrade: websocket\r\nInjected: b"],
        ["-o", "http://x\r\nInjected: b"],
        ["-A", "agent\nInjected: b"],
        ["--cookie", "a=b\r\nInjected: b"],
        ["--bearer", "t\r\nInjected: b"],
        ["-s", "chat\r\nInjected: b"],
        ["--deflate", "x\r\nInjected: b"],
    ] {
        let server = ScriptedServer::start(|peer| drop(peer.request()));
        let output = Run::new(args.into_iter().map(str::to_owned).chain([server.url()])).run();
        assert_eq!(output.code(), 2, "{args:?}: {}", output.stderr);
        assert_eq!(server.finish().connections, 0, "{args:?}");
    }
}

/// ws: a request with more headers than the parser takes, so that Upgrade was missing, made the
/// server throw. Here it is the response that has too many.
#[test]
fn cve_2024_37890_many_headers() {
    let flood: &'static str = "X: y\r\n".repeat(10_000).leak();
    alone(
        case("10,000 headers", move |peer| {
            let request = peer.request();
            let _ = peer.try_send(format!(
                "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n{flood}\r\n",
                request.accept()
            ));
        })
        .exits(12, ["256 headers"]),
    );
}

/// ws: the server took quadratic time to split a Sec-WebSocket-Protocol of many spaces. Here it is
/// the response that has them.
#[test]
fn cve_2021_32640_spaces_in_sec_websocket_protocol() {
    let spaces = format!("Sec-WebSocket-Protocol: b{}x\r\n", " ".repeat(60_000));
    let cases = ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"].map(|name| {
        let line = spaces.replace("Sec-WebSocket-Protocol", name);
        case(name, move |peer| {
            let request = peer.request();
            peer.upgrade(&request, &line);
            peer.frames_until_close();
        })
        .args(["-s", "b"])
        .exits(7, ["wstap: handshake: "])
        .within(Duration::from_secs(5))
    });
    run("spaces", cases.into());
}

/// curl: one masking key for the whole connection.
#[test]
fn cve_2025_10148_a_masking_key_for_each_frame() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    });
    let input = "same\n".repeat(1000);
    Run::new(["-E", &server.url()]).stdin(input).run().expect_code(0);
    let first = server.finish();
    let keys: HashSet<_> = first.frames.iter().map(|frame| frame.mask.expect("a mask")).collect();
    assert!(first.frames.len() > 1000);
    // Two of a thousand keys of 32 bits are the same once in 8,000 runs; three never.
    assert!(keys.len() + 2 > first.frames.len(), "{} keys", keys.len());
    // No bit stands still.
    for bit in 0..32 {
        let ones = keys.iter().filter(|key| u32::from_be_bytes(**key) >> bit & 1 == 1).count();
        assert!((350..650).contains(&ones), "bit {bit} is set in {ones} keys");
    }
}

/// Autobahn-Python: the limit was held against a frame's compressed length, and never against what
/// it inflated to.
#[test]
fn cve_2026_77528_the_limit_holds_after_inflation() {
    // The published proof: 22 bytes on the wire, 4096 inflated, a limit of 128.
    let proof = squeezed(&vec![b'A'; 4096]);
    assert!(proof.len() <= 22, "{} bytes", proof.len());
    let bomb = squeezed(&vec![0; 80 << 20]);
    let mut pieces = bomb.chunks(1000);
    let mut bytes = raw_frame(0x42, pieces.next().unwrap());
    pieces.for_each(|piece| bytes.extend(raw_frame(0x00, piece)));
    run(
        "inflated",
        vec![
            ends_with_1009("22 bytes", DEFLATE, message(0xc1, &proof))
                .args(["--max-message", "128"])
                .memory(16 * MIB),
            ends_with_1009("in fragments, held", DEFLATE, bytes)
                .args(["--max-message", "1M", "--until", "x"])
                .memory(16 * MIB)
                .once(),
        ],
    );
}

/// tungstenite: a long head in small pieces was parsed from its beginning with each of them.
#[test]
fn cve_2023_43669_a_long_head_in_small_pieces() {
    alone(
        case("60 KiB, byte by byte", |peer| {
            let request = peer.request();
            peer.send("HTTP/1.1 101 x\r\n");
            for _ in 0..200 {
                peer.send_in_pieces(format!("X: {}\r\n", "a".repeat(290)), 1);
            }
            let accept = request.accept();
            peer.send(format!(
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            ));
            peer.send(close_frame(1000, ""));
            peer.frames_until_close();
        })
        .within(Duration::from_secs(10)),
    );
}

/// websockets: compressed messages were inflated without regard to max_size.
#[test]
fn cve_2018_1000518_compressed_messages_beyond_the_limit() {
    let one_more = message(0xc2, &squeezed(&vec![0; (1 << 20) + 1]));
    let just = [message(0xc2, &squeezed(&vec![0; 1 << 20])), close_frame(1000, "")].concat();
    run(
        "max-message",
        vec![
            ends_with_1009("one byte more", DEFLATE, one_more)
                .args(["--max-message", "1M"])
                .memory(16 * MIB)
                .once(),
            compressed("just as much", "", just).args(["--max-message", "1M"]).close(1000).once(),
        ],
    );
}

/// rustls: complete_io went round for ever when close_notify came at the wrong time.
#[test]
fn rustsec_2024_0336_close_notify_inside_the_handshake() {
    // A warning alert, close_notify, in a plain record: before any ServerHello.
    let cases = [1, 2, 100].map(|count| {
        let bytes = b"\x15\x03\x03\0\x02\x01\0".repeat(count);
        case(format!("{count} alerts"), move |peer| {
            let _ = peer.try_send(&bytes);
            peer.stay_silent();
        })
        .over_tls()
        .args(["--connect-timeout", "3"])
        .within(Duration::from_secs(8))
        .exits(5, ["wstap: tls: "])
    });
    run("close_notify", cases.into());
}

/// zlib-rs: its states called each other without tail calls, so that a stream which changes between
/// them often, as one of many tiny blocks does, overflowed the stack.
#[test]
fn rustsec_2024_0401_many_tiny_blocks() {
    // Empty stored blocks, empty fixed ones, and fixed ones with a letter each.
    let stored = [[0x00, 0x00, 0x00, 0xff, 0xff].repeat(500_000), vec![0x00]].concat();
    let fixed = [[0x02, 0x08, 0x20, 0x80, 0x00].repeat(300_000), vec![0x02, 0x00]].concat();
    let letters = [letter_blocks(250_000), vec![0x00, 0x00, 0x00, 0xff, 0xff, 0x00]].concat();
    let cases = [("stored", stored, 0), ("fixed", fixed, 0), ("letters", letters, 1_000_000)];
    let cases = cases.map(|(name, bytes, letters)| {
        let bytes = [message(0xc2, &bytes), frame(0x1, "after"), close_frame(1000, "")].concat();
        let stdout = format!("{}\nafter\n", "a".repeat(letters));
        compressed(name, "", bytes).exits(0, []).stdout(stdout).close(1000)
    });
    run("tiny blocks", cases.into());
}

/// Four fixed blocks with the letter "a" each, so often (RFC 1951 §3.2.6): BFINAL 0, BTYPE 01, the
/// literal's code 1001 0001 and the end of the block 000 0000.
fn letter_blocks(count: usize) -> Vec<u8> {
    let block = [0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    let bits = block.repeat(4);
    let bytes: Vec<u8> =
        bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect();
    bytes.repeat(count)
}
