//! What a peer sends reaches the terminal escaped, wherever it is shown.

use rcgen::{CertificateParams, DnType};

use crate::prompt::{ask, expect_exit, opened, wait_prompt};
use crate::support::pty::{Pty, Terminal, assert_ours};
use crate::support::scripted::{Gate, ScriptedServer, close_frame, frame};
use crate::support::tls::Tls;

/// One of each class that terminals obey; with numbers that our own editor has no use for.
const CLASSES: [(&str, &[u8]); 24] = [
    ("SGR", b"\x1b[35;5m"),
    ("cursor", b"\x1b[7A\x1b[3;9H\x1b[9D"),
    ("erase", b"\x1b[2J\x1b[1K"),
    ("alternate screen", b"\x1b[?1049h"),
    ("hidden cursor", b"\x1b[?25l"),
    ("title", b"\x1b]0;owned\x07"),
    ("icon and title", b"\x1b]2;owned\x1b\\"),
    ("clipboard", b"\x1b]52;c;b3duZWQ=\x07"),
    ("hyperlink", b"\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\"),
    ("DSR", b"\x1b[6n"),
    ("DA", b"\x1b[c"),
    ("DECRQSS", b"\x1bP$q\"p\x1b\\"),
    ("bracketed paste end", b"\x1b[201~rm -rf\r"),
    ("unterminated DCS", b"\x1bPabc"),
    ("unterminated APC", b"\x1b_abc"),
    ("unterminated OSC", b"\x1b]0;abc"),
    ("C1 as bytes", b"\x9b2J\x9d0;x\x9c"),
    ("C1 as UTF-8", b"\xc2\x9b2J\xc2\x9d0;x\xc2\x9c"),
    ("carriage return", b"safe\rowned"),
    ("backspaces", b"safe\x08\x08\x08\x08owned"),
    ("bidi", b"\xe2\x80\xaegnp.exe\xe2\x81\xa6"),
    ("bells", b"\x07\x07\x07"),
    ("invisible", b"\xe2\x80\xa8\xe2\x80\x8b\xef\xbb\xbf\x7f\0"),
    ("reset", b"\x1bc\x1b[!p\x0e\x1b(0"),
];

/// Nothing of the peer's was obeyed, and the prompt stands.
#[track_caller]
fn assert_untouched(pty: &Pty) {
    let output = pty.output();
    for (class, bytes) in CLASSES {
        let raw = memchr::memmem::find(&output, bytes).is_some();
        assert!(!raw, "{class} is in the output:\n{}", pty.screen());
    }
    assert_ours(&output);
    assert_eq!(pty.requests(), Default::default());
}

/// Without colours what is ours is easier to tell.
fn plain(url: String) -> Terminal {
    Terminal::new([url]).env("NO_COLOR", "1").size(60, 100)
}

#[test]
fn in_messages() {
    let typed = Gate::new();
    let go = typed.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        go.wait();
        for (_, bytes) in CLASSES {
            let opcode = if std::str::from_utf8(bytes).is_ok() { 0x1 } else { 0x2 };
            peer.send(frame(opcode, bytes));
            peer.send(frame(0x2, bytes));
            peer.send(frame(0x9, bytes));
            // One sequence over two messages.
            let (first, second) = bytes.split_at(1);
            if std::str::from_utf8(first).is_ok() && std::str::from_utf8(second).is_ok() {
                peer.send(frame(0x1, first));
                peer.send(frame(0x1, second));
            }
        }
        peer.send(frame(0x1, "forged\n> forged\n! forged\r\n* forged"));
        peer.send(frame(0x1, "that was all"));
        peer.echo();
    });
    let mut pty = opened(plain(server.url()));
    ask(&mut pty, "/set verbose 3", &[]);
    pty.send("typed");
    wait_prompt(&pty, "> typed");
    typed.open();
    pty.wait_text("< that was all");
    wait_prompt(&pty, "> typed");
    assert!(pty.bracketed_paste());
    pty.send(" on\r");
    pty.wait_text("< typed on");
    wait_prompt(&pty, ">");
    assert_untouched(&pty);
    for mark in ["> forged", "! forged", "* forged"] {
        assert!(!pty.lines().iter().any(|line| line.starts_with(mark)), "{}", pty.screen());
    }
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

/// Each connection but the last ends with hostile text; the prompt takes it, and goes on.
#[track_caller]
fn reconnects_untouched(server: ScriptedServer, lost: usize) {
    let mut pty = plain(server.url()).start();
    for times in 1..=lost {
        pty.wait_output_times("* not connected: ", times);
        wait_prompt(&pty, "x");
        pty.line("/reconnect");
    }
    wait_prompt(&pty, ">");
    ask(&mut pty, "typed", &["< typed"]);
    assert_untouched(&pty);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    assert_eq!(server.finish().connections, lost + 1);
}

#[test]
fn in_close_reasons() {
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        let Some((_, bytes)) = CLASSES.get(peer.number() - 1) else {
            peer.echo();
            return;
        };
        peer.send(frame(0x8, [&4001u16.to_be_bytes()[..], bytes].concat()));
        peer.frame();
    });
    reconnects_untouched(server, CLASSES.len());
}

#[test]
fn in_certificate_names() {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    let name: String =
        CLASSES.iter().filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok()).collect();
    params.distinguished_name.push(DnType::CommonName, name);
    let tls = Tls::with_params(params);
    let server = ScriptedServer::start_tls(&tls, |peer| {
        peer.accept();
        peer.echo();
    });
    let args = ["-v", "--cacert", tls.ca.to_str().unwrap(), &server.url()];
    let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 100));
    ask(&mut pty, "/tls", &["\\x1b[35;5m", "certificate 1:"]);
    ask(&mut pty, "typed", &["< typed"]);
    assert_untouched(&pty);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn in_refusals() {
    let server = ScriptedServer::start(move |peer| {
        let request = peer.request();
        // A first connection that never opens would end the prompt.
        let Some(at) = peer.number().checked_sub(2) else {
            peer.upgrade(&request, "");
            peer.send(close_frame(1000, ""));
            peer.frames_until_close();
            return;
        };
        let Some((_, bytes)) = CLASSES.get(at) else {
            peer.upgrade(&request, "");
            peer.echo();
            return;
        };
        let head = [b"HTTP/1.1 403 No", *bytes, b"\r\nX-Why: ", bytes, b"\r\n"].concat();
        let body = [bytes, &b"\n"[..]].concat();
        let length = format!("Content-Length: {}\r\n\r\n", body.len());
        peer.send([&head, length.as_bytes(), &body].concat());
        peer.hang_up();
    });
    reconnects_untouched(server, CLASSES.len() + 1);
}

#[test]
fn joiners_are_shown_inside_emoji_and_words_only() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "👩‍🚀 می‌خواهم a\u{200d}b 😀\u{200d}"));
        peer.send(frame(0x1, "behind it"));
        peer.expect(0x8);
    });
    let mut pty = plain(server.url()).start();
    pty.wait_text("< behind it");
    pty.wait_output("👩‍🚀 می‌خواهم a\\u{200d}b 😀\\u{200d}");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}
