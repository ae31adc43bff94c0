//! The exit codes, one by one, on the binary: each failure is one clear line.

use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use socket2::{Domain, Socket, Type};

use crate::support::run::{Output, Run};
use crate::support::scripted::{Gate, Peer, ScriptedServer, close_frame, frame, raw_frame};
use crate::support::tls::Tls;
use crate::support::{PATIENCE, wstap};

/// A server that says this after opening, then reads what comes up to the client's Close.
fn saying(bytes: impl AsRef<[u8]> + Send + 'static) -> ScriptedServer {
    ScriptedServer::start(move |peer| {
        peer.accept();
        peer.send(&bytes);
        peer.frames_until_close();
    })
}

/// A server that answers the request with this.
fn answering(response: impl Into<String>) -> ScriptedServer {
    let response = response.into();
    ScriptedServer::start(move |peer| {
        peer.request();
        peer.send(&response);
    })
}

fn echoing() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    })
}

/// A port on which nobody listens, and nobody else can as long as it is held.
fn deaf_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// Runs wstap with its input open, as one who only listens.
fn listen(args: &[&str]) -> Output {
    Run::new(args.iter().copied()).stdin_held_open("").run()
}

#[track_caller]
fn expect_silence(output: &Output) {
    assert_eq!(output.stderr, "");
}

// 0

#[test]
fn done_is_0() {
    let server = echoing();
    let output = Run::new(["-w", "0.1", &server.url()]).stdin("a\n").run();
    expect_silence(&output.expect_code(0).expect_stdout("a\n"));
    let seen = server.finish();
    assert_eq!(seen.frames.last().unwrap().close_code(), Some(1000));
}

#[test]
fn a_normal_close_by_the_peer_is_0() {
    for (close, how) in [
        (close_frame(1000, ""), "1000 (normal closure), "),
        (close_frame(1001, "reboot"), "1001 (going away), reason \"reboot\", "),
        (frame(0x8, ""), "no code (1005), "),
    ] {
        let server = saying(close);
        let output = listen(&[&server.url()]).expect_code(0);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        output.expect_stderr(&format!("* closed by the peer with {how}"));
        let server = saying(close_frame(1000, "bye"));
        expect_silence(&listen(&["-q", &server.url()]).expect_code(0));
    }
}

#[test]
fn a_reader_that_goes_early_is_0_and_quiet() {
    let (gone, told) = (Gate::new(), Gate::new());
    let (script_gone, script_told) = (gone.clone(), told.clone());
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        peer.send(frame(0x1, "first"));
        script_gone.wait();
        peer.send(frame(0x1, "second"));
        let frames = peer.frames_until_close();
        assert_eq!(frames.last().and_then(|frame| frame.close_code()), Some(1000));
        peer.send(close_frame(1000, ""));
        script_told.open();
    });
    let mut process = Run::new([server.url()]).stdin_held_open("").stdout_unread().start();
    let mut stdout = process.take_stdout();
    let mut line = [0; 6];
    stdout.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"first\n");
    drop(stdout);
    gone.open();
    expect_silence(&process.wait().expect_code(0));
    told.wait();
}

// 1

#[test]
fn fewer_messages_than_asked_for_are_1() {
    let server = saying([frame(0x1, "a"), close_frame(1000, "")].concat());
    let output = listen(&["-n", "3", &server.url()]);
    let what = "session: only 1 of 3 messages came (--count)";
    output.expect_failure(1, what).expect_stdout("a\n");

    let server = echoing();
    let output = Run::new(["-n", "3", "-w", "0.1", &server.url()]).stdin("a\nb\n").run();
    output.expect_failure(1, "session: only 2 of 3 messages came (--count)");
}

#[test]
fn a_message_that_never_matches_is_1() {
    let server = saying([frame(0x1, "a"), close_frame(1000, "")].concat());
    let output = listen(&["--until", "^b$", &server.url()]);
    output.expect_failure(1, "session: no message matched ^b$ (--until)").expect_stdout("a\n");
}

// 2

#[test]
fn what_cannot_be_understood_is_2() {
    let server = ScriptedServer::start(|_| {});
    let url = server.url();
    let long = "x".repeat(124);
    let url = url.as_str();
    let cases: &[(&[&str], &str, &str)] = &[
        (&["-H", "no colon", url], "the header \"no colon\" has no colon", "-H 'Name: value'"),
        (&["-H", "X: a\r\nY: b", url], "the header \"X: a\\r\\nY: b\"", "--raw-header"),
        (&["-H", "X: a\nb", url], "the header", "--raw-header"),
        (&["-H", "a b: c", url], "the header \"a b: c\" has a name", "-H 'Name: value'"),
        (&["-H", ": c", url], "the header \": c\" has a name", "-H 'Name: value'"),
        (&["-o", "a\r\nb", url], "the header", ""),
        (&["-s", "a b", url], "the subprotocol \"a b\" is not a token", ""),
        (&["ws://localhost:0/"], "\"ws://localhost:0/\" is not a WebSocket URL", ""),
        (&["ws://localhost:99999/"], "\"ws://localhost:99999/\" is not a WebSocket URL", ""),
        (&["ws://localhost/#top"], "\"ws://localhost/#top\" is not a WebSocket URL", "%23"),
        (&["ftp://localhost/"], "\"ftp://localhost/\" is not a WebSocket URL", ""),
        (&["ws://localhost/a b"], "\"ws://localhost/a b\" is not a WebSocket URL", "%20"),
        (&["--until", "(", url], "--until is not a regular expression", ""),
        (&["--close-code", "1006", url], "--close-code 1006 must not be sent", "3000 to 4999"),
        (&["--close-code", "999", url], "--close-code 999 must not be sent", "3000 to 4999"),
        (&["--close-reason", &long, url], "--close-reason takes 123 bytes at most, not 124", ""),
        (&["--resolve", "x", url], "", ""),
        (&["--connect-to", "x", url], "", ""),
        (&["--proxy", "ftp://x", url], "", ""),
        (&["--max-message", "a lot", url], "", ""),
        (&["-n", "0", url], "", ""),
        (&["-m", "soon", url], "", ""),
        (&["--close-code", "70000", url], "", ""),
        (&["--input", "xml", url], "", ""),
        (&["--no-such-option", url], "", ""),
        (&["-E", "-w", "1", url], "", ""),
        (
            &["-E", "inspect", url],
            "unexpected argument '-E' found",
            "-E is an option of: wstap URL",
        ),
        (&[url, url], "", ""),
        (&[], "", ""),
    ];
    for (args, what, hint) in cases {
        println!("{args:?}");
        let output = Run::new(args.iter().copied()).run();
        let output = output.expect_failure(2, &format!("usage: {what}")).expect_stdout("");
        if !hint.is_empty() {
            let line = output.stderr.lines().find(|line| line.trim_start().starts_with("hint: "));
            assert!(line.is_some_and(|line| line.contains(hint)), "{}", output.stderr);
        }
    }
    assert_eq!(server.finish().connections, 0);
}

// 3

#[test]
fn a_name_that_does_not_exist_is_3() {
    // Without a network the system's resolver is told to give up soon.
    let run = Run::new(["ws://no-such-host.invalid/"]).env("RES_OPTIONS", "timeout:1 attempts:1");
    run.run().expect_failure(3, "resolve: no-such-host.invalid: ");
}

#[test]
fn a_name_without_an_address_of_that_family_is_3() {
    let output = listen(&["-6", "ws://127.0.0.1:9/"]);
    output
        .expect_failure(3, "resolve: 127.0.0.1 doesn't have an IPv6")
        .expect_stderr("hint: try -4");
}

// 4

#[test]
fn a_refused_connection_is_4() {
    let (_socket, port) = deaf_port();
    let output = listen(&[&format!("ws://127.0.0.1:{port}/")]);
    let output = output.expect_failure(4, "connect: ");
    output.expect_stderr(&format!("127.0.0.1:{port}")).expect_stderr("refused");
}

#[test]
fn a_missing_unix_socket_is_4() {
    let output = listen(&["--unix-socket", "/nonexistent/socket", "ws://h/"]);
    output.expect_failure(4, "connect: ").expect_stderr("/nonexistent/socket");
}

#[test]
fn a_proxy_that_refuses_is_4() {
    let proxy = answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let address = format!("http://{}", proxy.address());
    let output = listen(&["--proxy", &address, "wss://example.com/"]);
    output.expect_failure(4, "proxy: ").expect_stderr("403");
}

// 5

#[test]
fn an_untrusted_certificate_is_5() {
    let server = ScriptedServer::start_tls(&Tls::new(), |_| {});
    let output = listen(&[&server.url()]);
    output.expect_failure(5, "tls: ").expect_stderr("hint: ");
}

#[test]
fn a_certificate_for_another_name_is_5() {
    let tls = Tls::with_names(&["example.com"]);
    let server = ScriptedServer::start_tls(&tls, |_| {});
    let output = listen(&["--cacert", tls.ca.to_str().unwrap(), &server.url()]);
    output.expect_failure(5, "tls: ").expect_stderr("example.com");
}

// 6

#[test]
fn a_refused_upgrade_is_6() {
    let body = "nobody gets in";
    for (status, hint) in [
        ("200 OK", "ordinary request"),
        ("302 Found\r\nLocation: /login", "it points to /login"),
        ("400 Bad Request", "did not see a WebSocket request"),
        (
            "401 Unauthorized\r\nWWW-Authenticate: Basic",
            "asks for a login, and none was sent (Basic)",
        ),
        ("403 Forbidden", "try -o https://"),
        ("404 Not Found", "is the path right? it was /x"),
        ("426 Upgrade Required\r\nSec-WebSocket-Version: 8", "version 8"),
        ("429 Too Many Requests\r\nRetry-After: 7", "after 7"),
        ("502 Bad Gateway", "can't reach the backend"),
    ] {
        let length = body.len();
        let server =
            answering(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}"));
        let output = listen(&[&format!("{}x", server.url())]);
        let status = status.lines().next().unwrap();
        let what = format!("handshake: upgrade refused: the server answered {status}");
        let output = output.expect_failure(6, &what).expect_stderr(body).expect_stderr("hint: ");
        output.expect_stderr(hint).expect_stdout("");
    }
}

// 7

#[test]
fn a_broken_handshake_is_7() {
    let wrong_accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                        Connection: Upgrade\r\nSec-WebSocket-Accept: nonsense\r\n\r\n";
    let server = answering(wrong_accept);
    let output = listen(&[&server.url()]);
    let what = "handshake: the server's answer breaks the handshake: ";
    output.expect_failure(7, what).expect_stderr("nonsense").expect_stdout("");
}

#[test]
fn an_answer_that_is_not_http_is_7() {
    let server = answering("SSH-2.0-OpenSSH_9.9\r\n");
    let output = listen(&[&server.url()]);
    let output = output.expect_failure(7, "handshake: the answer is not HTTP/1.1: \"SSH-2.0");
    output.expect_stderr("another service is listening on this port: SSH");
}

// 8

#[test]
fn a_broken_protocol_is_8() {
    for (bytes, close_code) in [
        (vec![0x81, 0x80, 1, 2, 3, 4], 1002),
        (raw_frame(0x83, "x"), 1002),
        (raw_frame(0xc1, "x"), 1002),
        (raw_frame(0x80, "x"), 1002),
        (raw_frame(0x09, "x"), 1002),
        (frame(0x9, "x".repeat(126)), 1002),
        (frame(0x8, "x"), 1002),
        (close_frame(1005, ""), 1002),
        (frame(0x1, b"\xff"), 1007),
    ] {
        println!("{bytes:02x?}");
        let server = saying(bytes);
        let output = listen(&["--no-deflate", &server.url()]);
        output
            .expect_failure(8, "session: the peer broke the protocol: ")
            .expect_stderr("RFC 6455 §");
        let seen = server.finish();
        assert_eq!(seen.frames.last().unwrap().close_code(), Some(close_code));
    }
}

// 9

#[test]
fn a_connection_without_a_closing_handshake_is_9() {
    let end = |how: fn(&mut Peer)| {
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            peer.send(frame(0x1, "a"));
            how(peer);
        });
        listen(&[&server.url()])
    };
    let fin = end(|peer| peer.cut()).expect_stdout("a\n");
    let what = "session: the peer ended the connection without a closing handshake (1006)";
    fin.expect_failure(9, what);
    let reset = end(|peer| peer.reset());
    let what = "session: the connection was lost (1006)";
    reset.expect_failure(9, what).expect_stderr("because: connection reset by the peer");
}

#[test]
fn a_server_that_hangs_up_without_an_answer_is_9() {
    let server = ScriptedServer::start(|peer| {
        peer.request();
    });
    let output = listen(&[&server.url()]);
    let what = "handshake: the server closed the connection after 0 bytes";
    output.expect_failure(9, what).expect_stderr("does it want TLS? try wss://");
}

#[test]
fn tls_that_is_cut_off_is_9() {
    let tls = Tls::new();
    let server = ScriptedServer::start_tls(&tls, |peer| {
        peer.accept();
        peer.cut();
    });
    let output = listen(&["--cacert", tls.ca.to_str().unwrap(), &server.url()]);
    output.expect_failure(9, "session: the connection was lost (1006)").expect_stderr("truncated");
}

// 10

#[test]
fn an_error_code_of_the_peer_is_10() {
    for (code, reason, shown) in
        [(4001, "go \u{1b}away", "\"go \\x1baway\""), (1011, "", "without")]
    {
        let server = saying(close_frame(code, reason));
        let output = listen(&[&server.url()]);
        let output = output.expect_failure(10, &format!("close: the peer closed with {code} ("));
        output
            .expect_stderr(shown)
            .expect_stderr(&format!("hint: if that is fine: --ok-close {code}"));
    }
}

#[test]
fn an_error_code_that_is_fine_is_0() {
    let server = saying(close_frame(4001, "go away"));
    let output = listen(&["--ok-close", "4000,4001", &server.url()]).expect_code(0);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    output.expect_stderr("! closed by the peer with 4001 (");
    let server = saying(close_frame(4002, ""));
    listen(&["--ok-close", "4000,4001", &server.url()]).expect_code(10);
}

#[test]
fn an_error_code_in_answer_to_our_close_is_10_unless_it_is_ours() {
    let answered = |ours: &str, theirs: u16| {
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            peer.frames_until_close();
            peer.send(close_frame(theirs, "not saved"));
        });
        Run::new(["-E", "--close-code", ours, &server.url()]).stdin("a\n").run()
    };
    let what =
        "close: the peer answered our Close with 1011 (internal server error): \"not saved\"";
    answered("1000", 1011).expect_failure(10, what);
    answered("4000", 4001).expect_code(10);
    for (ours, theirs) in [("4000", 4000), ("4000", 1000), ("1000", 1001)] {
        expect_silence(&answered(ours, theirs).expect_code(0));
    }
}

// 11

#[test]
fn a_server_that_never_answers_is_11() {
    let server = ScriptedServer::start(|peer| peer.stay_silent());
    let output = listen(&["--connect-timeout", "300ms", &server.url()]);
    let what = "handshake: no answer within 300 ms: waiting for the response";
    output.expect_failure(11, what).expect_stderr("hint: more time: --connect-timeout");
}

#[test]
fn tls_that_never_answers_is_11() {
    let server = ScriptedServer::start(|peer| peer.stay_silent());
    let url = server.url().replace("ws://", "wss://");
    let output = listen(&["--connect-timeout", "300ms", &url]);
    output.expect_failure(11, "tls: ").expect_stderr("hint: more time: --connect-timeout");
}

#[test]
fn the_limit_for_everything_is_11() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "a"));
        peer.frames_until_close();
    });
    let output = listen(&["-m", "300ms", &server.url()]);
    let what = "session: not done within 0.3 s (--max-time)";
    output.expect_failure(11, what).expect_stdout("a\n");
}

#[test]
fn the_limit_for_everything_holds_while_connecting() {
    let server = ScriptedServer::start(|peer| peer.stay_silent());
    for url in [server.url(), server.url().replace("ws://", "wss://")] {
        let output = listen(&["-m", "300ms", &url]);
        let output = output.expect_code(11).expect_stderr("--max-time");
        assert!(!output.stderr.contains("10 s"), "{}", output.stderr);
        assert!(!output.stderr.contains("--connect-timeout"), "{}", output.stderr);
    }
}

#[test]
fn a_close_that_is_never_answered_is_11() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.stay_silent();
    });
    let output = Run::new(["-E", &server.url()]).stdin("a\n").run();
    let output =
        output.expect_failure(11, "close: no Close frame from the peer within 5 s of ours");
    assert!(output.elapsed >= Duration::from_secs(5), "{:?}", output.elapsed);
}

// 12

#[test]
fn an_endless_response_head_is_12() {
    let server = ScriptedServer::start(|peer| {
        peer.request();
        let _ = peer.try_send("HTTP/1.1 101 Switching Protocols\r\n");
        let field = format!("X: {}\r\n", "x".repeat(1000));
        while peer.try_send(&field).is_ok() {}
    });
    let output = listen(&[&server.url()]);
    let what = "handshake: the response head is longer than 65536 bytes (--max-head)";
    output.expect_failure(12, what);
}

#[test]
fn too_many_headers_are_12() {
    let server = ScriptedServer::start(|peer| {
        peer.request();
        let _ = peer.try_send("HTTP/1.1 101 Switching Protocols\r\n");
        while peer.try_send("a: b\r\n").is_ok() {}
    });
    let output = listen(&[&server.url()]);
    let what = "handshake: the response has more than 256 headers (--max-headers)";
    output.expect_failure(12, what);
}

#[test]
fn a_huge_declared_length_is_12_and_takes_no_memory() {
    let declared = [&[0x82, 127][..], &(1_u64 << 62).to_be_bytes(), b"begin"].concat();
    let server = saying(declared);
    let output = listen(&[&server.url()]);
    output.expect_failure(12, "session: ");
    let seen = server.finish();
    assert_eq!(seen.frames.last().unwrap().close_code(), Some(1009));
}

#[test]
fn a_message_over_the_limit_is_12() {
    let whole = frame(0x1, "x".repeat(1025));
    let fragments = [raw_frame(0x01, "x".repeat(1000)), raw_frame(0x80, "x".repeat(25))].concat();
    for bytes in [whole, fragments] {
        let server = saying(bytes);
        let output = listen(&["--max-message", "1K", &server.url()]);
        output.expect_failure(12, "session: ").expect_stderr("--max-message");
        let seen = server.finish();
        assert_eq!(seen.frames.last().unwrap().close_code(), Some(1009));
    }
    let server = saying([frame(0x1, "x".repeat(1024)), close_frame(1000, "")].concat());
    listen(&["--max-message", "1K", &server.url()]).expect_code(0);
}

#[test]
fn too_many_fragments_are_12() {
    let begin = raw_frame(0x01, "x");
    let server = saying([begin, raw_frame(0x00, "x"), raw_frame(0x80, "x")].concat());
    let output = listen(&["--max-fragments", "2", &server.url()]);
    output.expect_failure(12, "session: ").expect_stderr("--max-fragments");
}

// 13

#[test]
fn input_that_is_not_utf8_is_13() {
    let server = echoing();
    let output = Run::new([server.url()]).stdin(b"one\ntwo\nab\xff\nnever\n").run();
    let what = "input: standard input is not UTF-8 at byte 10 (message 3, byte 2: ff)";
    let output = output.expect_failure(13, what).expect_stdout("one\ntwo\n");
    output.expect_stderr("hint: to send bytes as they are: --binary");
    let frames = server.finish().frames;
    let text: Vec<String> =
        frames.iter().filter(|frame| frame.opcode == 0x1).map(|frame| frame.text()).collect();
    assert_eq!(text, ["one", "two"]);
    assert_eq!(frames.last().unwrap().close_code(), Some(1000));
}

#[test]
fn an_output_that_is_full_is_13() {
    let server = saying(frame(0x1, "a"));
    let script = format!("exec '{}' '{}' >/dev/full", wstap(), server.url());
    let output = Run::program("sh", ["-c", &script]).stdin_held_open("").run();
    output.expect_failure(13, "output: ").expect_stderr("o space left");
}

#[test]
fn a_file_that_cannot_be_read_is_13() {
    let server = ScriptedServer::start(|_| {});
    let output = listen(&["-H", "@/nonexistent/file", &server.url()]);
    output.expect_failure(13, "input: can't read /nonexistent/file: ");
    assert_eq!(server.finish().connections, 0);
}

// 130 and 143

#[test]
fn an_interrupt_while_connecting_is_130() {
    let asked = Gate::new();
    let gate = asked.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.request();
        gate.open();
        peer.stay_silent();
    });
    let process = Run::new([server.url()]).stdin_held_open("").start();
    asked.wait();
    process.signal(Signal::INT);
    process.wait().expect_code(130);
}

#[test]
fn an_interrupt_or_a_termination_closes_in_order() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let server = saying(frame(0x1, "open"));
        let process = Run::new([server.url()]).stdin_held_open("").start();
        process.wait_stdout("open\n");
        process.signal(signal);
        process.wait().expect_code(code).expect_stdout("open\n");
        let seen = server.finish();
        assert_eq!(seen.frames.last().unwrap().close_code(), Some(1000), "{signal:?}");
    }
}

/// Whether one of a few tries took less; a busy machine may spoil some.
fn soon(limit: Duration, mut attempt: impl FnMut() -> Duration) {
    let times: Vec<Duration> =
        (0..5).map(|_| attempt()).take_while(|time| *time >= limit).collect();
    assert!(times.len() < 5, "not under {limit:?}: {times:?}");
}

#[test]
fn a_second_interrupt_ends_at_once() {
    soon(Duration::from_millis(300), || {
        let closing = Gate::new();
        let gate = closing.clone();
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            peer.send(frame(0x1, "open"));
            peer.frames_until_close();
            gate.open();
            peer.stay_silent();
        });
        let process = Run::new([server.url()]).stdin_held_open("").start();
        process.wait_stdout("open\n");
        let begun = Instant::now();
        process.signal(Signal::INT);
        closing.wait();
        process.signal(Signal::INT);
        process.wait().expect_code(130);
        begun.elapsed()
    });
}

#[test]
fn an_interrupt_ends_a_session_whose_output_is_blocked() {
    soon(Duration::from_millis(500), || {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            let _ = peer.try_send(frame(0x2, vec![b'x'; 32 << 20]));
        });
        let run = Run::new([server.url()]).stdin_held_open("").stdout_unread();
        let process = run.timeout(PATIENCE).start();
        process.wait_stdout_full();
        let begun = Instant::now();
        process.signal(Signal::INT);
        process.wait().expect_code(130);
        begun.elapsed()
    });
}
