//! The caller's side: arguments, standard input and output, signals.

use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::case::{Case, case, check_stderr, run};
use crate::support::run::Run;
use crate::support::scripted::{Gate, Peer, ScriptedServer, close_frame, frame};
use crate::support::wstap;

fn echoes(peer: &mut Peer) {
    peer.accept();
    peer.echo();
}

fn echo_server() -> ScriptedServer {
    ScriptedServer::start(echoes)
}

#[test]
fn standard_input() {
    let echoed = |name: &str, input: &[u8], output: &[u8]| {
        case(name, echoes).args(["-E"]).stdin(input).stdout(output).exits(0, []).once()
    };
    let long = vec![b'x'; 10 << 20];
    run(
        "stdin",
        vec![
            echoed("the end at once", b"", b""),
            echoed("no last newline", b"a\nb", b"a\nb\n"),
            echoed("an empty line", b"\n", b"\n"),
            echoed("CR LF", b"a\r\nb\r\n", b"a\nb\n"),
            echoed("NUL", b"a\0b\n", b"a\0b\n"),
            echoed("a line of 10 MiB", &long, &[&long[..], b"\n"].concat()),
            case("not UTF-8", echoes)
                .stdin(b"good\nbad \xff\nnever\n")
                .exits(13, ["wstap: input: ", "not UTF-8 at byte 9", "ff", "--binary"])
                .stdout("good\n")
                .once(),
            case("not UTF-8, as binary", echoes)
                .args(["-b", "-E"])
                .stdin(b"\xff\n")
                .stdout(b"\xff\n")
                .once(),
            case("JSON that is none", echoes)
                .args(["--input", "json"])
                .stdin("{\"type\":\n")
                .exits(13, ["wstap: input: "])
                .once(),
        ],
    );
}

/// A shell does what the test can't do without: close a descriptor, fill a device.
fn shell(script: &str, url: &str) -> std::process::Output {
    let script = script.replace("WSTAP", wstap()).replace("URL", url);
    Command::new("sh").args(["-c", &script]).output().expect("a shell")
}

#[test]
fn descriptors_that_are_closed_full_or_gone() {
    let sender = |peer: &mut Peer| {
        peer.accept();
        for _ in 0..1000 {
            if peer.try_send(frame(0x1, "x".repeat(1000))).is_err() {
                return;
            }
        }
        let _ = peer.try_send(close_frame(1000, ""));
        peer.frames_until_close();
    };
    for (script, code, says) in [
        ("WSTAP -E URL <&-", 0, ""),
        ("WSTAP URL > /dev/full < /dev/null", 13, "wstap: output: "),
        ("{ WSTAP URL < /dev/null; echo $? >&2; } | head -n 1 > /dev/null", 0, "0"),
        ("WSTAP URL < /dev/null 2>&-", 0, ""),
        ("WSTAP URL < /dev/null >&- 2>/dev/null; true", 0, ""),
        ("WSTAP ftp://host/ 2> /dev/full", 2, ""),
        ("WSTAP --help > /dev/full", 13, "wstap: output: "),
        ("WSTAP inspect URL > /dev/full", 13, "wstap: output: "),
    ] {
        let server = ScriptedServer::start(sender);
        let output = shell(script, &server.url());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{script}: {stderr}");
        assert!(stderr.contains(says), "{script}: {stderr}");
        assert!(!stderr.contains("panicked"), "{script}: {stderr}");
    }
}

#[test]
fn a_gzip_bomb_takes_no_memory() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'a'; 64 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    let server = ScriptedServer::start(move |peer| {
        peer.request();
        let head = "HTTP/1.1 403 no\r\nContent-Encoding: gzip\r\n\r\n";
        let _ = peer.try_send([head.as_bytes(), &bomb].concat());
    });
    // 48 MiB of address space: nothing near what is in the bomb could be taken.
    let output = shell("ulimit -v 49152; WSTAP -v URL < /dev/null", &server.url());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("cut at 65536 bytes"), "{stderr}");
}

#[test]
fn signals() {
    for (signal, twice, code) in [
        (Signal::INT, false, 130),
        (Signal::INT, true, 130),
        (Signal::TERM, false, 143),
        (Signal::HUP, false, 143),
    ] {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.send(frame(0x1, "open"));
            peer.stay_silent();
        });
        let process = Run::new([server.url()]).stdin_held_open("").start();
        process.wait_stdout("open");
        process.signal(signal);
        if twice {
            process.signal(signal);
        }
        let output = process.wait().expect_code(code);
        assert!(output.elapsed < Duration::from_secs(5), "{signal:?}: {:?}", output.elapsed);
        check_stderr(&output, code);
    }
}

#[test]
fn stopped_and_continued_nothing_is_lost() {
    let gate = Gate::new();
    let go = gate.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        peer.send(frame(0x1, "before"));
        go.wait();
        peer.send([frame(0x1, "after"), close_frame(1000, "")].concat());
        peer.frames_until_close();
    });
    let process = Run::new([server.url()]).stdin_held_open("").start();
    process.wait_stdout("before");
    process.signal(Signal::STOP);
    gate.open();
    process.signal(Signal::CONT);
    process.wait().expect_code(0).expect_stdout("before\nafter\n");
}

#[test]
fn interrupted_while_it_connects() {
    let server = ScriptedServer::start(|peer| {
        peer.request();
        peer.stay_silent();
    });
    let process = Run::new(["-v", &server.url()]).start();
    process.wait_stderr("GET / HTTP/1.1");
    process.signal(Signal::INT);
    process.wait().expect_code(130);
}

#[test]
fn arguments_that_are_wrong() {
    for (args, says) in [
        (vec!["-H", "X: a\r\nY: b", "ws://h/"], "header"),
        (vec!["-H", "X: a\nb", "ws://h/"], "header"),
        (vec!["-H", "no colon", "ws://h/"], "no colon"),
        (vec!["-H", "bad name: x", "ws://h/"], "token"),
        (vec!["-H", ": x", "ws://h/"], "token"),
        (vec!["-H", "X: \x1b[31m", "ws://h/"], "\\x1b[31m"),
        (vec!["ws://h:99999/"], "port"),
        (vec!["ws://h:0/"], "port"),
        (vec!["ws://h:x/"], "port"),
        (vec!["ws:///"], "ws:///"),
        (vec!["ws://[::1/"], "ws://[::1"),
        (vec!["ftp://h/"], "ftp"),
        (vec!["file:///etc/passwd"], "file"),
        (vec!["ws://h/#fragment"], "fragment"),
        (vec!["ws://\x1b[31m/"], "\\x1b[31m"),
        (vec!["-s", "a b", "ws://h/"], "token"),
        (vec!["--close-code", "1005", "ws://h/"], "1005"),
        (vec!["--until", "(", "ws://h/"], "--until"),
        (vec!["--max-message", "x", "ws://h/"], "max-message"),
        (vec!["--cacert", "/no/such/file", "wss://h/"], "/no/such/file"),
    ] {
        let output = Run::new(args.clone()).run();
        assert_eq!(output.code(), 2, "{args:?}: {}", output.stderr);
        assert!(output.stderr.contains(says), "{args:?}: {}", output.stderr);
        let raw = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!output.stderr.contains(raw), "{args:?}: {:?}", output.stderr);
    }
}

#[test]
fn raw_headers_are_sent_as_they_are() {
    let server = echo_server();
    Run::new(["-E", "--raw-header", "no colon \x01", &server.url()]).run().expect_code(0);
    assert!(server.finish().requests[0].head.contains("\r\nno colon \x01\r\n"));
}

#[test]
fn logins_in_the_url_are_sent_and_not_shown() {
    let server = echo_server();
    let url = server.url().replacen("ws://", "ws://user:secret@", 1);
    let output = Run::new(["-E", "-vvv", &url]).run().expect_code(0);
    assert!(!output.stderr.contains("secret"), "{}", output.stderr);
    assert!(!output.stderr.contains("dXNlcjpzZWNyZXQ="), "{}", output.stderr);
    assert!(output.stderr.contains("***"), "{}", output.stderr);
    let seen = server.finish();
    assert_eq!(seen.requests[0].header("authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
}

#[test]
fn secrets_are_redacted_in_each_view() {
    let answer = |peer: &mut Peer| {
        let request = peer.request();
        peer.upgrade(&request, "Set-Cookie: id=hush-hush\r\n");
        peer.send(close_frame(1000, ""));
        peer.frames_until_close();
    };
    for view in ["-v", "-vv", "-vvv", "--json"] {
        let server = ScriptedServer::start(answer);
        let url = format!("{}?token=hush-hush", server.url());
        let output = Run::new([
            view,
            "-H",
            "Authorization: Bearer hush-hush",
            "--cookie",
            "a=hush-hush",
            &url,
        ])
        .run()
        .expect_code(0);
        assert!(!output.stderr.contains("hush-hush"), "{view}: {}", output.stderr);
        assert!(!output.text().contains("hush-hush"), "{view}: {}", output.text());
    }
}

#[test]
fn a_home_that_is_missing() {
    let cases: Vec<Case> = ["/no/such/place", ""]
        .map(|home| case(format!("HOME={home}"), echoes).env("HOME", home).args(["-E"]).once())
        .into();
    run("home", cases);
}
