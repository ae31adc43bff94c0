//! TLS.

use std::time::Duration;

use rcgen::CertificateParams;

use crate::case::{Case, case, run};
use crate::support::scripted::{Peer, close_frame, frame};
use crate::support::tls::Tls;

fn localhost() -> CertificateParams {
    CertificateParams::new(vec!["localhost".to_owned()]).expect("a name")
}

fn dated(from: i32, to: i32) -> Tls {
    let mut params = localhost();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    Tls::with_params(params)
}

fn good(peer: &mut Peer) {
    peer.accept();
    peer.send([frame(0x1, "hello"), close_frame(1000, "")].concat());
    peer.frames_until_close();
}

/// A certificate that is refused, with a hint; with `--insecure` it is said and taken.
fn refused(name: &str, make: impl Fn() -> Tls, says: &str) -> [Case; 2] {
    let insecure = format!("{name}, insecure");
    [
        case(name, good).tls(make()).exits(5, ["wstap: tls: ", says, "hint:"]),
        case(insecure, good).tls(make()).args(["-k"]).exits(0, [says]).stdout("hello\n").once(),
    ]
}

#[test]
fn certificates() {
    let hostile = || {
        let mut params =
            CertificateParams::new(vec!["elsewhere.example".to_owned()]).expect("a name");
        params.distinguished_name.push(rcgen::DnType::CommonName, "\x1b]0;owned\x07\u{9b}2J");
        Tls::with_params(params)
    };
    let unknown = |name: &str| case(name, good).tls(Tls::new()).untrusted();
    let mut cases = vec![
        case("a good one", good).tls(Tls::new()).exits(0, []).stdout("hello\n"),
        unknown("an unknown CA").exits(5, ["wstap: tls: ", "is not trusted", "--cacert"]),
        unknown("an unknown CA, insecure").args(["-k"]).exits(0, ["not trusted"]).once(),
        case("control bytes in a name", good)
            .tls(hostile())
            .args(["-v"])
            .exits(5, ["elsewhere.example"]),
        case("control bytes in a name, insecure", good)
            .tls(hostile())
            .args(["-v", "-k"])
            .exits(0, ["\\x1b]0;owned\\x07"])
            .once(),
    ];
    cases.extend(refused("expired", || dated(2001, 2002), "expired on"));
    cases.extend(refused("not yet valid", || dated(2200, 2201), "not valid before"));
    cases.extend(refused(
        "a wrong host",
        || Tls::with_names(&["example.org"]),
        "is not for localhost",
    ));
    cases.extend(refused(
        "an address alone",
        || Tls::with_names(&["127.0.0.1"]),
        "is not for localhost",
    ));
    run("certificates", cases);
}

#[test]
fn what_is_no_tls() {
    let raw = |name: &str, bytes: &'static [u8]| {
        case(name, move |peer| {
            let _ = peer.try_send(bytes);
        })
        .over_tls()
    };
    let fails = |name: &str, bytes: &'static [u8], says: &str| {
        raw(name, bytes).exits(5, ["wstap: tls: ", says])
    };
    run(
        "no TLS",
        vec![
            fails("plain HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks plain HTTP")
                .exits(5, ["try ws://"]),
            fails("an SSH banner", b"SSH-2.0-OpenSSH\r\n", "SSH-2.0-OpenSSH"),
            fails("ESC in a banner", b"220 \x1b[31mhi\r\n", "\\x1b[31mhi"),
            fails("handshake_failure", b"\x15\x03\x03\0\x02\x02\x28", "no common cipher"),
            fails("protocol_version", b"\x15\x03\x03\0\x02\x02\x46", "TLS 1.1 or older"),
            fails("unrecognized_name", b"\x15\x03\x03\0\x02\x02\x70", "--sni"),
            fails("internal_error", b"\x15\x03\x03\0\x02\x02\x50", "80"),
            fails("an alert nobody knows", b"\x15\x03\x03\0\x02\x02\xfe", "254"),
            fails("a garbage record", b"\x16\x03\x03\0\x05garba", "wstap: tls"),
            fails("a record of no type", b"\x17\x03\x03\0\x05garba", "wstap: tls"),
            fails("an oversized record", b"\x16\x03\x03\xff\xffxxxxxxxxxxxxxx", "wstap: tls"),
            fails("close_notify first", b"\x15\x03\x03\0\x02\x01\0", "wstap: tls"),
            fails("the end at once", b"", "closed the connection in the TLS handshake"),
            fails("the end in a record", b"\x16\x03\x03\0\x50\x02\0", "closed the connection"),
            case("a stall", Peer::stay_silent)
                .over_tls()
                .args(["--connect-timeout", "500ms"])
                .exits(11, ["TLS"])
                .within(Duration::from_secs(5)),
            case("a stall in a record", |peer| {
                peer.send(b"\x16\x03\x03\0\x50\x02");
                peer.stay_silent();
            })
            .over_tls()
            .args(["--connect-timeout", "500ms"])
            .exits(11, ["TLS"])
            .within(Duration::from_secs(5)),
        ],
    );
}

#[test]
fn how_tls_ends() {
    run(
        "ends of TLS",
        vec![
            case("no close_notify behind the closing handshake", |peer| {
                peer.accept();
                peer.send([frame(0x1, "hello"), close_frame(1000, "")].concat());
                peer.frames_until_close();
                peer.cut();
            })
            .tls(Tls::new())
            .held_open()
            .exits(0, [])
            .stdout("hello\n"),
            case("no close_notify before it", |peer| {
                peer.accept();
                peer.send(frame(0x1, "hello"));
                peer.cut();
            })
            .tls(Tls::new())
            .held_open()
            .exits(9, ["wstap: session: ", "truncated"])
            .stdout("hello\n"),
            case("close_notify before it", |peer| {
                peer.accept();
                peer.send(frame(0x1, "hello"));
                peer.hang_up();
            })
            .tls(Tls::new())
            .held_open()
            .exits(9, ["wstap: session: ", "1006"])
            .stdout("hello\n"),
            case("no close_notify in the head", |peer| {
                peer.request();
                peer.send("HTTP/1.1 101 x\r\n");
                peer.cut();
            })
            .tls(Tls::new())
            .exits(9, ["wstap: handshake: "]),
            case("a reset in a frame", |peer| {
                peer.accept();
                peer.send(b"\x81\x05he");
                peer.reset();
            })
            .tls(Tls::new())
            .held_open()
            .exits(9, ["wstap: "]),
            case("one byte a record", |peer| {
                let request = peer.request();
                let accept = request.accept();
                let head = format!(
                    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                let bytes =
                    [head.as_bytes(), &frame(0x1, "hello"), &close_frame(1000, "")].concat();
                peer.send_in_pieces(bytes, 1);
                peer.frames_until_close();
            })
            .tls(Tls::new())
            .held_open()
            .exits(0, [])
            .stdout("hello\n"),
            case("a violation over TLS", |peer| {
                peer.accept();
                peer.send(frame(0x3, ""));
                peer.frames_until_close();
            })
            .tls(Tls::new())
            .held_open()
            .exits(8, ["a reserved opcode"])
            .close(1002),
        ],
    );
}
