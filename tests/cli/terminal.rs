//! No view for a terminal lets through what others could use to move its cursor, whatever the
//! event in which it comes.

use wstap::explain::explain;
use wstap::report::Reporter;
use wstap::report::human::{Human, HumanOptions};
use wstap::report::inspect::Inspect;
use wstap::report::json::Json;
use wstap::report::payload::{Format, Payload};
use wstap::report::ping::{Ping, PingView};
use wstap::text::is_dangerous;
use wstap::text::stamp::Stamps;

use crate::every_event::shown;

/// One of each class that terminals obey.
const HOSTILE: [(&str, &[u8]); 22] = [
    ("colour", b"\x1b[31m"),
    ("cursor", b"\x1b[5A\x1b[1;1H"),
    ("erase", b"\x1b[2J\x1b[K"),
    ("alternate screen", b"\x1b[?1049h"),
    ("title", b"\x1b]0;owned\x07"),
    ("clipboard", b"\x1b]52;c;b3duZWQ=\x07"),
    ("hyperlink", b"\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\"),
    ("DSR", b"\x1b[6n"),
    ("DA", b"\x1b[c"),
    ("DECRQSS", b"\x1bP$q\"p\x1b\\"),
    ("bracketed paste end", b"\x1b[201~rm -rf"),
    ("unterminated DCS", b"\x1bPabc"),
    ("unterminated APC", b"\x1b_abc"),
    ("C1 as bytes", b"\x9b2J\x9d0;x\x9c"),
    ("C1 as UTF-8", b"\xc2\x9b2J\xc2\x9d0;x\xc2\x9c"),
    ("carriage return", b"safe\rowned"),
    ("backspaces", b"safe\x08\x08\x08\x08"),
    ("bidi", b"\xe2\x80\xaegnp.exe\xe2\x81\xa6"),
    ("bell", b"\x07\x07\x07"),
    ("half a sequence", b"\x1b"),
    ("forged marks", b"x\n! wstap: forged\n> forged\n* forged"),
    ("separators and invisible", b"\xe2\x80\xa8\xe2\x80\x8b\xef\xbb\xbf\x7f\0"),
];

fn views() -> Vec<(String, Box<dyn Reporter>)> {
    let mut views: Vec<(String, Box<dyn Reporter>)> = vec![
        ("inspect".into(), Box::new(Inspect::new(false))),
        ("ping".into(), Box::new(Ping::new(PingView { histogram: true, ..PingView::default() }))),
        ("json".into(), Box::new(Json::new(2))),
    ];
    for format in [Format::Line, Format::Hex, Format::Json] {
        views.push((format!("payload {format:?}"), Box::new(Payload::new(format, true))));
    }
    for verbosity in 0..4 {
        for repl in [false, true] {
            for plain in [false, true] {
                let options = HumanOptions {
                    verbosity,
                    repl,
                    sent: true,
                    stamps: Stamps { time: plain, ..Stamps::default() },
                    hex: !plain,
                    pretty: plain,
                    ..HumanOptions::default()
                };
                views.push((format!("{options:?}"), Box::new(Human::new(options))));
            }
        }
    }
    views
}

#[test]
fn nothing_that_a_terminal_obeys_gets_through_any_view() {
    for (class, bytes) in HOSTILE {
        let text = String::from_utf8_lossy(bytes);
        for (name, mut view) in views() {
            let out = shown(view.as_mut(), bytes, &text);
            let out = String::from_utf8(out).unwrap_or_else(|_| panic!("{class}: {name}: bytes"));
            let raw = out.chars().find(|c| is_dangerous(*c) && *c != '\n');
            assert_eq!(raw, None, "{class}: {name}");
            if !name.starts_with("payload") {
                let marks = ["! wstap: forged", "> forged", "* forged"];
                let forged = out.lines().find(|line| marks.iter().any(|m| line.starts_with(m)));
                assert_eq!(forged, None, "{class}: {name}");
            }
        }
    }
}

#[test]
fn a_json_payload_is_escaped_where_it_is_made_pretty() {
    let options = HumanOptions { pretty: true, repl: true, ..HumanOptions::default() };
    let json = "{\"\u{9b}2J\":\"\u{202e}\"}";
    let out = shown(&mut Human::new(options), json.as_bytes(), "x");
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("\\u{9b}2J\": \"\\u{202e}\""), "{out}");
    assert!(!out.chars().any(|c| is_dangerous(c) && c != '\n'));
}

#[test]
fn explained_frames_are_escaped() {
    for (class, bytes) in HOSTILE {
        for opcode in [0x81, 0x82, 0x89, 0x88] {
            let mut frame = vec![opcode, bytes.len() as u8 + 2, 0x03, 0xe8];
            frame.extend_from_slice(bytes);
            let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
            let out = explain(&[hex]).unwrap();
            assert!(!out.chars().any(|c| is_dangerous(c) && c != '\n'), "{class}");
        }
    }
}
