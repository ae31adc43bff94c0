//! permessage-deflate.

use flate2::{Compress, Compression, FlushCompress};

use crate::case::{Case, case, run};
use crate::support::scripted::{close_frame, frame, raw_frame};

const MIB: u64 = 1 << 20;

/// "Hello" as RFC 7692 §7.2.3.1 has it.
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

/// Agrees on compression with these parameters, sends these frames, listens up to Close.
pub(crate) fn compressed(name: &str, params: &'static str, bytes: impl AsRef<[u8]>) -> Case {
    let bytes = bytes.as_ref().to_vec();
    case(name, move |peer| {
        let request = peer.request();
        let answer = format!("Sec-WebSocket-Extensions: permessage-deflate{params}\r\n");
        peer.upgrade(&request, &answer);
        let _ = peer.try_send(&bytes);
        peer.frames_until_close();
    })
    .held_open()
}

/// As a sender without context makes it, the tail still on.
pub(crate) fn with_tail(payload: &[u8], bits: u8) -> Vec<u8> {
    let mut stream = Compress::new_with_window_bits(Compression::best(), false, bits);
    let mut out = Vec::with_capacity(payload.len() + 1024);
    stream.compress_vec(payload, &mut out, FlushCompress::Sync).unwrap();
    assert_eq!(stream.total_in(), payload.len() as u64);
    out
}

pub(crate) fn squeezed(payload: &[u8]) -> Vec<u8> {
    let mut out = with_tail(payload, 15);
    out.truncate(out.len() - 4);
    out
}

/// A compressed message in one frame.
pub(crate) fn message(first: u8, squeezed: &[u8]) -> Vec<u8> {
    raw_frame(first, squeezed)
}

fn works(name: &str, params: &'static str, frames: &[Vec<u8>], stdout: &str) -> Case {
    let bytes = [frames.concat(), close_frame(1000, "")].concat();
    compressed(name, params, bytes).exits(0, []).stdout(stdout).close(1000)
}

fn breaks(name: &str, payload: &[u8]) -> Case {
    compressed(name, "", message(0xc1, payload))
        .exits(8, ["wstap: session: the peer broke the protocol", "compressed"])
        .close(1007)
}

#[test]
fn compressed_messages() {
    let hello = message(0xc1, &HELLO);
    let bfinal = message(0xc1, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]);
    let again = message(0xc1, &[0xf2, 0x00, 0x11, 0x00, 0x00]);
    let stored = message(0xc1, &[0, 5, 0, 0xfa, 0xff, b'H', b'e', b'l', b'l', b'o', 0]);
    let whole = [&HELLO[..], &[0, 0, 0xff, 0xff]].concat();
    let cut =
        squeezed(&b"a text that is longer than a few bytes, and varies: 0123456789".repeat(9));
    let random: Vec<u8> =
        (0..60_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    // The second message is the first one again, found far behind in the sender's window.
    let mut stream = Compress::new_with_window_bits(Compression::best(), false, 15);
    let mut wide = || {
        let mut out = Vec::with_capacity(64 << 10);
        stream.compress_vec(&random[..20_000], &mut out, FlushCompress::Sync).unwrap();
        out.truncate(out.len() - 4);
        message(0xc2, &out)
    };
    let wide = [wide(), wide()].concat();
    let mut cases = vec![
        works("hello", "", std::slice::from_ref(&hello), "Hello\n"),
        works("the context is kept", "", &[hello.clone(), again.clone()], "Hello\nHello\n"),
        works("stored", "", &[stored], "Hello\n"),
        works(
            "two blocks",
            "",
            &[message(
                0xc1,
                &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
            )],
            "Hello\n",
        ),
        works(
            "in fragments",
            "",
            &[raw_frame(0x41, &HELLO[..3]), frame(0x0, &HELLO[3..])],
            "Hello\n",
        ),
        works(
            "in fragments with a ping",
            "",
            &[
                raw_frame(0x41, &HELLO[..1]),
                frame(0x9, "p"),
                raw_frame(0x00, ""),
                frame(0x0, &HELLO[1..]),
            ],
            "Hello\n",
        ),
        works("BFINAL", "", std::slice::from_ref(&bfinal), "Hello\n"),
        works(
            "messages behind BFINAL",
            "",
            &[bfinal.clone(), hello.clone(), bfinal],
            "Hello\nHello\nHello\n",
        ),
        works("empty", "", &[message(0xc1, &[0]), hello.clone()], "\nHello\n"),
        works(
            "plain in a compressed session",
            "",
            &[frame(1, "plain"), hello.clone()],
            "plain\nHello\n",
        ),
        works("no bytes at all", "", &[frame(1, ""), hello.clone()], "\nHello\n"),
        works(
            "no context, twice the same",
            "; server_no_context_takeover",
            &[hello.clone(), hello],
            "Hello\nHello\n",
        ),
        breaks("garbage", &[0xff; 20]),
        breaks("a reserved block type", &[0x06, 0x00]),
        breaks("a stored block whose lengths disagree", &[0, 5, 0, 5, 0, 1, 2, 3, 4, 5]),
        breaks("a distance before the beginning", &[0xf2, 0x00, 0x11, 0x00, 0x00]),
        breaks("the tail not stripped", &whole),
        breaks("too much stripped", &HELLO[..6]),
        breaks("cut in the middle", &cut[..cut.len() / 2]),
        compressed(
            "the context is kept against the agreement",
            "; server_no_context_takeover",
            [message(0xc1, &HELLO), again].concat(),
        )
        .stdout("Hello\n")
        .exits(8, ["can't be inflated"])
        .close(1007),
        compressed(
            "a window larger than agreed",
            "; server_max_window_bits=9",
            message(0xc2, &wide),
        )
        .exits(8, ["can't be inflated"])
        .close(1007),
        compressed("text that is not UTF-8", "", message(0xc1, &squeezed(b"ok\xff")))
            .exits(8, ["not UTF-8", "at byte 2 of the inflated message"])
            .close(1007),
        compressed("text cut in a character", "", message(0xc1, &squeezed(b"ok\xe2\x82")))
            .exits(8, ["not UTF-8"])
            .close(1007),
        compressed(
            "text that is not UTF-8, lossy",
            "",
            [message(0xc1, &squeezed(b"ok\xff")), close_frame(1000, "")].concat(),
        )
        .args(["--lossy"])
        .stdout(b"ok\xff\n")
        .exits(0, ["not UTF-8"]),
        compressed("RSV2", "", raw_frame(0xa1, "")).exits(8, ["RSV2"]).close(1002),
        compressed(
            "RSV1 on a continuation",
            "",
            [raw_frame(0x41, HELLO), raw_frame(0xc0, "")].concat(),
        )
        .exits(8, ["RSV1"])
        .close(1002),
        compressed("RSV1 on a ping", "", raw_frame(0xc9, "")).exits(8, ["RSV1"]).close(1002),
        compressed("the end in a message", "", raw_frame(0x41, &HELLO[..3])).exits(9, []).once(),
    ];
    // The end comes only if the server doesn't wait for a Close.
    cases.pop();
    for bits in 8..=15 {
        let name = format!("{bits} bits both ways");
        cases.push(
            case(name, move |peer| {
                let request = peer.request();
                peer.upgrade(
                    &request,
                    &format!(
                        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits={bits}; \
                         client_max_window_bits={bits}\r\n"
                    ),
                );
                let first = peer.frame().expect("a message");
                assert_eq!((first.rsv, first.opcode), (4, 1));
                // An echo of what our own end made, in its own window.
                peer.send(message(0xc1, &first.payload));
                peer.send(close_frame(1000, ""));
                peer.frames_until_close();
            })
            .stdin("Hello again and again and again and again\n")
            .stdout("Hello again and again and again and again\n")
            .once(),
        );
    }
    run("deflate", cases);
}

#[test]
fn bombs() {
    let zeros = squeezed(&vec![0; 100 << 20]);
    let letters = squeezed(&vec![b'a'; 100 << 20]);
    let whole = |first: u8, bytes: &[u8]| message(first, bytes);
    let fragments = {
        let mut pieces = letters.chunks(100);
        let mut bytes = raw_frame(0x41, pieces.next().unwrap());
        pieces.for_each(|piece| bytes.extend(raw_frame(0x00, piece)));
        bytes
    };
    let bomb = |name: &str, bytes: &[u8]| {
        let bytes = bytes.to_vec();
        case(name, move |peer| {
            let request = peer.request();
            peer.upgrade(&request, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
            let _ = peer.try_send(&bytes);
        })
        .held_open()
        .exits(12, ["wstap: session: a message of", "--max-message"])
        .close(1009)
        .once()
    };
    let nested = squeezed(&squeezed(&vec![0; 100 << 20]));
    // The default limit of 64 MiB, and 8 MiB.
    let bound = 72 * MIB;
    run(
        "bombs",
        vec![
            bomb("binary, passing through", &whole(0xc2, &zeros)).memory(bound),
            bomb("text, passing through", &whole(0xc1, &letters)).memory(bound),
            bomb("held", &whole(0xc1, &letters)).args(["--until", "b"]).memory(bound),
            bomb("in fragments", &fragments).memory(bound),
            bomb("in fragments, held", &fragments).args(["--until", "b"]).memory(bound),
            bomb("over 1M", &whole(0xc1, &letters)).args(["--max-message", "1M"]).memory(16 * MIB),
            bomb("over 1M, held", &whole(0xc1, &letters))
                .args(["--max-message", "1M", "--until", "b"])
                .memory(16 * MIB),
            bomb("over 1M, in fragments", &fragments)
                .args(["--max-message", "1M"])
                .memory(16 * MIB),
            compressed(
                "a bomb in a bomb is inflated once",
                "",
                [message(0xc2, &nested), close_frame(1000, "")].concat(),
            )
            .exits(0, []),
        ],
    );
}
