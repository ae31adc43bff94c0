//! What a peer could do to a terminal: nothing of it arrives raw on stderr or, in a terminal, on
//! the screen.

use crate::case::{Case, case, run};
use crate::support::scripted::{Peer, close_frame, frame};

/// What terminals obey, and the name of it.
const SEQUENCES: [(&str, &str); 19] = [
    ("SGR", "\x1b[31;1m"),
    ("cursor", "\x1b[1;1H"),
    ("erase", "\x1b[2J\x1b[3J"),
    ("alternate screen", "\x1b[?1049h"),
    ("title", "\x1b]0;owned\x07"),
    ("title, other end", "\x1b]2;owned\x1b\\"),
    ("clipboard", "\x1b]52;c;b3duZWQ=\x07"),
    ("hyperlink", "\x1b]8;;http://x\x1b\\x"),
    ("DSR", "\x1b[6n"),
    ("DA", "\x1b[c"),
    ("DECRQSS", "\x1bP$qm\x1b\\"),
    ("bracketed paste's end", "\x1b[201~"),
    ("DCS without an end", "\x1bP"),
    ("APC without an end", "\x1b_x"),
    ("C1", "\u{9b}2J\u{9d}0;x\u{9c}"),
    ("CR", "good\rbad"),
    ("backspaces", "good\x08\x08\x08\x08bad"),
    ("bidi", "\u{202e}evil\u{2066}"),
    ("BEL", "\x07\x07\x07"),
];

#[test]
fn sequences_in_what_stderr_shows() {
    let mut cases: Vec<Case> = Vec::new();
    for (name, sequence) in SEQUENCES {
        let bidi = ['\u{202e}', '\u{2066}'];
        cases.push(
            case(format!("{name}, close reason"), move |peer: &mut Peer| {
                peer.accept();
                peer.send(close_frame(4000, sequence));
                peer.frames_until_close();
            })
            .held_open()
            .args(["-vvv"])
            .exits(10, ["wstap: close: "]),
        );
        cases.push(
            case(format!("{name}, error body"), move |peer: &mut Peer| {
                peer.request();
                let _ = peer.try_send(format!("HTTP/1.1 403 no\r\n\r\n{sequence}"));
            })
            .args(["-vvv"])
            .exits(6, ["403"]),
        );
        let raw = sequence.bytes().any(|b| b < 0x20);
        cases.push(
            case(format!("{name}, header"), move |peer: &mut Peer| {
                let request = peer.request();
                peer.upgrade(&request, &format!("X: {sequence}\r\n"));
                let _ = peer.try_send(close_frame(1000, ""));
                peer.frames_until_close();
            })
            .args(["-vvv"])
            .exits(if raw { 7 } else { 0 }, []),
        );
        cases.push(
            case(format!("{name}, frames in -vvv"), move |peer: &mut Peer| {
                peer.accept();
                // Split over two messages, and in a ping.
                let (a, b) = sequence.as_bytes().split_at(1);
                let halves = [frame(0x2, a), frame(0x2, b), frame(0x9, sequence)].concat();
                peer.send([halves, close_frame(1000, "")].concat());
                peer.frames_until_close();
            })
            .held_open()
            .args(["-vvv"]),
        );
        for at in cases.len() - 4..cases.len() {
            let case = cases.remove(at);
            let case = bidi.iter().fold(case, |case, c| case.never_says(&c.to_string()));
            cases.insert(at, case);
        }
    }
    run("sequences", cases);
}
