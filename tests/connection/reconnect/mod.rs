//! `--reconnect` on the binary: what is tried again and what is not, and that nothing is doubled.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::pty::{Pty, Terminal};
use crate::support::run::{Output, Run};
use crate::support::schema::{SCHEMA, check};
use crate::support::scripted::{Frame, Gate, Peer, ScriptedServer, close_frame, frame};
use crate::support::tls::Tls;

/// Waits that no test notices.
const SOON: [&str; 3] = ["--reconnect", "--backoff", "10ms..50ms"];
/// A wait that no test lives to see the end of.
const NEVER: [&str; 3] = ["--reconnect", "--backoff", "1h..1h"];

const CTRL_C: &str = "\x03";

fn run(args: &[&str], url: &str) -> Run {
    Run::new(SOON.iter().chain(args).copied().chain([url]))
}

/// The texts of the data frames.
fn texts(frames: &[Frame]) -> Vec<String> {
    frames.iter().filter(|frame| frame.opcode < 8).map(Frame::text).collect()
}

/// How often it was reconnecting.
fn attempts(output: &Output) -> usize {
    output.stderr.lines().filter(|line| line.contains("; reconnecting in ")).count()
}

/// An address at which nobody listens.
fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn close(peer: &mut Peer, code: u16) {
    peer.send(close_frame(code, ""));
    peer.frames_until_close();
}

mod tried_again {
    use super::*;

    #[test]
    fn a_server_that_is_not_there_yet() {
        let address = nowhere();
        let mut process = run(&[], &format!("ws://{address}/")).stdin_held_open("early\n").start();
        process.wait_stderr("(attempt 3)");
        let server = ScriptedServer::start_at(address, |peer| {
            peer.accept();
            peer.echo();
        });
        process.wait_stdout("early\n");
        process.close_stdin();
        let output = process.wait().expect_code(0).expect_stdout("early\n");
        assert!(output.stderr.contains(": connection refused; reconnecting in "));
        assert_eq!(output.stderr.matches("* connected to ws://").count(), 1, "{}", output.stderr);
        assert_eq!(texts(&server.finish().frames), ["early"]);
    }

    #[test]
    fn a_server_that_is_killed_and_started_again() {
        let first = ScriptedServer::start(|peer| {
            peer.accept();
            peer.expect(0x1);
        });
        let address = first.address();
        let mut process = run(&[], &first.url()).stdin_held_open("one\n").start();
        process.wait_stderr("without a closing handshake (1006)");
        first.finish();
        process.wait_stderr(": connection refused; reconnecting in ");
        process.write("two\nthree\n");
        let second = ScriptedServer::start_at(address, |peer| {
            peer.accept();
            peer.echo();
        });
        process.wait_stdout("two\nthree\n");
        process.write("four\n");
        process.close_stdin();
        process.wait().expect_code(0).expect_stdout("two\nthree\nfour\n");
        assert_eq!(texts(&second.finish().frames), ["two", "three", "four"]);
    }

    /// The first connection ends in some way, the second is good.
    fn ends_first(end: impl Fn(&mut Peer) + Send + 'static, shown: &str) {
        let server = ScriptedServer::start(move |peer| {
            if peer.number() == 1 {
                end(peer);
                return;
            }
            peer.accept();
            peer.send(frame(0x1, "back"));
            close(peer, 1000);
        });
        let output = run(&[], &server.url()).stdin_held_open("").run().expect_code(0);
        let output = output.expect_stdout("back\n").expect_stderr(shown);
        assert_eq!(attempts(&output), 1, "{}", output.stderr);
        assert!(!output.stderr.contains("wstap: "), "{}", output.stderr);
        server.finish();
    }

    #[test]
    fn a_reset() {
        let reset = |peer: &mut Peer| {
            peer.accept();
            peer.send(&frame(0x1, "half a message")[..5]);
            peer.reset();
        };
        ends_first(reset, "(1006)");
    }

    #[test]
    fn codes_that_speak_of_the_server() {
        for code in [1001, 1011, 1012, 1013, 1014] {
            let closed = move |peer: &mut Peer| {
                peer.accept();
                close(peer, code);
            };
            ends_first(closed, &format!("the peer closed with {code} ("));
        }
    }

    #[test]
    fn an_answer_that_is_cut() {
        let cut = |peer: &mut Peer| {
            peer.request();
            peer.send("HTTP/1.1 101 Swi");
        };
        ends_first(cut, "the server closed the connection after 16 bytes");
    }

    #[test]
    fn refusals_that_may_pass() {
        for status in ["408 Late", "425 Early", "429 Slowly", "500 Oh", "502 Bad", "503 Busy"] {
            let refuse = move |peer: &mut Peer| {
                peer.request();
                peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
            };
            ends_first(refuse, &format!("the server answered {status} instead of 101; rec"));
        }
    }

    #[test]
    fn the_same_refusal_is_shown_once() {
        let server = ScriptedServer::start(|peer| {
            let request = peer.request();
            let status = match peer.number() {
                1..=3 => "503 Busy",
                4 => "502 Bad",
                _ => return peer.upgrade(&request, ""),
            };
            peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nbody"));
        });
        let mut process = run(&[], &server.url()).stdin_held_open("").start();
        process.wait_stderr("* connected to ws://");
        process.signal(Signal::INT);
        process.close_stdin();
        let output = process.wait();
        for (line, times) in [("< HTTP/1.1 503", 1), ("< HTTP/1.1 502", 1), ("answered 503", 3)] {
            assert_eq!(output.stderr.matches(line).count(), times, "{line}: {}", output.stderr);
        }
    }

    #[test]
    fn a_server_that_asks_to_be_left_alone() {
        let refuse = |peer: &mut Peer| {
            peer.request();
            peer.send("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
        };
        let began = Instant::now();
        ends_first(refuse, "; reconnecting in 1.00 s (attempt 1)");
        assert!(began.elapsed() >= Duration::from_secs(1));
    }

    #[test]
    fn a_peer_that_answers_no_pings() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            if peer.number() == 1 {
                peer.stay_silent();
            } else {
                close(peer, 1000);
            }
        });
        let args = ["--ping-interval", "0.05", "--ping-timeout", "0.1"];
        let output = run(&args, &server.url()).stdin_held_open("").run().expect_code(0);
        output.expect_stderr("no pong for 0.1 s (--ping-timeout); reconnecting in ");
    }

    #[test]
    fn a_tls_handshake_that_is_cut() {
        let tls = Tls::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ca = tls.ca.to_str().unwrap();
        let url = format!("wss://{address}/");
        let process = run(&["--cacert", ca], &url).stdin_held_open("").start();
        drop(listener.accept().unwrap());
        process.wait_stderr("in the TLS handshake");
        process.wait_stderr("(attempt 1)");
        drop(listener);
        process.wait_stderr("connection refused; reconnecting");
        process.signal(Signal::TERM);
        process.wait().expect_code(143);
    }
}

mod not_tried_again {
    use super::*;

    #[track_caller]
    fn ends(server: &ScriptedServer, args: &[&str], code: i32) -> Output {
        let run = run(args, &server.url()).stdin_held_open("");
        let output = run.run().expect_code(code);
        assert_eq!(attempts(&output), 0, "{}", output.stderr);
        assert_eq!(server.seen().connections, 1);
        output
    }

    #[test]
    fn what_would_be_refused_again() {
        for status in ["200 OK", "302 Found", "400 Bad", "401 Who", "403 No", "404 What", "426 Up"]
        {
            let server = ScriptedServer::start(move |peer| {
                peer.request();
                peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
            });
            ends(&server, &[], 6).expect_failure(6, "handshake: upgrade refused: ");
        }
    }

    /// Through a proxy that answers so, with at most one attempt more.
    fn through_proxy(answer: &'static str) -> (usize, Output) {
        let server = ScriptedServer::start(move |peer| {
            peer.request();
            peer.send(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n"));
        });
        let proxy = format!("http://{}", server.address());
        let args = ["--reconnect=1", "--backoff", "1ms..2ms", "--proxy", &proxy, "ws://a.test/"];
        let output = Run::new(args).stdin("").run().expect_code(4);
        (server.finish().connections, output)
    }

    #[test]
    fn a_proxy_that_wants_a_login() {
        assert_eq!(through_proxy("407 Login").0, 1);
        assert_eq!(through_proxy("403 Never").0, 1);
        let (connections, output) = through_proxy("503 Later");
        assert_eq!((connections, attempts(&output)), (2, 1));
    }

    #[test]
    fn a_name_that_may_be_known_later() {
        let args = ["--reconnect=1", "--backoff", "1ms..2ms", "ws://nowhere.invalid/"];
        let output = Run::new(args).stdin("").run().expect_code(3);
        assert_eq!(attempts(&output), 1);
    }

    #[test]
    fn a_certificate_that_is_not_trusted() {
        let server = ScriptedServer::start_tls(&Tls::new(), |peer| peer.stay_silent());
        ends(&server, &[], 5);
    }

    #[test]
    fn a_handshake_that_breaks_the_rules() {
        let server = ScriptedServer::start(|peer| {
            peer.request();
            peer.send("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        });
        ends(&server, &[], 7);
    }

    #[test]
    fn a_peer_that_breaks_the_protocol() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.send([0x83, 0x00]);
            peer.frames_until_close();
        });
        ends(&server, &[], 8);
    }

    #[test]
    fn closes_that_were_meant() {
        for (code, args, exit) in [
            (1000, &[][..], 0),
            (1000, &["-n", "1"], 1),
            (1002, &[], 10),
            (1008, &[], 10),
            (4000, &[], 10),
            (1012, &["--ok-close", "1012"], 0),
            (1001, &["--ok-close", "1001"], 0),
        ] {
            let server = ScriptedServer::start(move |peer| {
                peer.accept();
                close(peer, code);
            });
            ends(&server, args, exit);
        }
    }

    #[test]
    fn our_own_close() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.send(frame(0x1, "enough"));
            peer.frames_until_close();
        });
        ends(&server, &["-n", "1"], 0);
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.frames_until_close();
        });
        ends(&server, &["--duration", "0.05"], 9);
    }

    #[test]
    fn more_often_than_asked_for() {
        let url = format!("ws://{}/", nowhere());
        let args = ["--reconnect=2", "--backoff", "1ms..2ms", &url];
        let output = Run::new(args).stdin("lost\n").run().expect_failure(4, "connect: ");
        let output = output.expect_stderr("! gave up after 2 attempts in a row\n");
        assert_eq!(attempts(&output), 2);
    }

    #[test]
    fn without_the_option() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
        });
        let output = Run::new([server.url()]).stdin_held_open("").run().expect_code(9);
        assert_eq!((attempts(&output), server.finish().connections), (0, 1));
        Run::new(["--backoff", "1", "ws://localhost/"]).run().expect_failure(2, "usage: ");
    }

    #[test]
    fn connections_that_are_dropped_at_once_are_attempts_in_a_row() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.send(frame(0x1, "welcome"));
        });
        let args = ["--reconnect=3", "--backoff", "1ms..1m", &server.url()];
        let output = Run::new(args).stdin_held_open("").run();
        output.expect_code(9).expect_stdout("welcome\n".repeat(4));
        let args = ["--reconnect=1", "--backoff", "1ms..2ms", "-n", "6"];
        // Each of these lasts longer than the longest wait, and so the next attempt is the first.
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.send(frame(0x1, "welcome"));
            peer.delay(Duration::from_millis(20));
        });
        let url = server.url();
        let run = Run::new(args.into_iter().chain([url.as_str()])).stdin_held_open("");
        run.run().expect_code(0).expect_stdout("welcome\n".repeat(6));
    }
}

mod over_several_connections {
    use super::*;

    /// Each connection brings a message and is cut.
    fn one_each() -> ScriptedServer {
        ScriptedServer::start(|peer| {
            peer.accept();
            peer.send(frame(0x1, peer.number().to_string()));
            if peer.number() == 5 {
                peer.echo();
            }
        })
    }

    #[test]
    fn messages_are_counted() {
        let server = one_each();
        let output = run(&["-n", "4"], &server.url()).stdin("").run().expect_code(0);
        output.expect_stdout("1\n2\n3\n4\n");
    }

    #[test]
    fn a_pattern_is_waited_for() {
        let server = one_each();
        let output = run(&["--until", "3"], &server.url()).stdin("").run().expect_code(0);
        output.expect_stdout("1\n2\n3\n");
    }

    #[test]
    fn the_duration_goes_on() {
        let server = one_each();
        let output = run(&["--duration", "1"], &server.url()).stdin("").run().expect_code(0);
        let output = output.expect_stdout("1\n2\n3\n4\n5\n");
        assert!(output.elapsed >= Duration::from_secs(1));
        assert!(output.elapsed < Duration::from_secs(5));
    }

    #[test]
    fn the_duration_ends_a_wait_with_the_failure() {
        let server = one_each();
        let args = ["--duration", "0.3", &server.url()];
        let output = Run::new(NEVER.into_iter().chain(args)).stdin("").run();
        let output = output.expect_failure(9, "session: the peer ended the connection");
        assert!(output.elapsed < Duration::from_secs(5));
    }

    #[test]
    fn the_whole_time_ends_a_wait() {
        let args = ["-m", "0.2", &format!("ws://{}/", nowhere())];
        let output = Run::new(NEVER.into_iter().chain(args)).stdin("").run();
        let output = output.expect_failure(11, "session: not done within 0.2 s (--max-time)");
        output.expect_stderr("because: 127.0.0.1:").expect_stderr("connection refused\n");
    }

    #[test]
    fn everything_is_asked_for_again() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            assert_eq!((peer.expect(0x1), peer.expect(0x1)), ("one".into(), "two".into()));
            if peer.number() == 2 {
                peer.send(frame(0x1, "done"));
                close(peer, 1000);
            }
        });
        let args = ["-x", "one", "-x", "two", "-H", "X-Mine: 1", "-s", "a,b", "-n", "1"];
        let output = run(&args, &server.url()).stdin("").run().expect_code(0);
        output.expect_stdout("done\n");
        let seen = server.finish();
        assert_eq!(seen.requests.len(), 2);
        for request in &seen.requests {
            assert_eq!(request.header("x-mine"), Some("1"));
            assert_eq!(request.header("sec-websocket-protocol"), Some("a, b"));
        }
        let key = |n: usize| seen.requests[n].header("sec-websocket-key").unwrap().to_owned();
        assert_ne!(key(0), key(1));
    }

    #[test]
    fn lines_that_wait_go_once_and_in_order_to_the_next() {
        let lost = Gate::new();
        let come_back = lost.clone();
        let server = ScriptedServer::start(move |peer| {
            let request = peer.request();
            if peer.number() == 2 {
                come_back.wait();
            }
            peer.upgrade(&request, "");
            match peer.number() {
                1 => drop(peer.expect(0x1)),
                _ => peer.echo(),
            }
        });
        let mut process = run(&["--no-deflate"], &server.url()).stdin_held_open("first\n").start();
        process.wait_stderr("(attempt 1)");
        let lines: String = (0..5_000).map(|n| format!("line {n}\n")).collect();
        process.write("early\n");
        lost.open();
        process.write(&lines);
        process.close_stdin();
        let output = process.wait().expect_code(0);
        assert!(output.text() == format!("early\n{lines}"), "{} bytes", output.stdout.len());
        let sent = texts(&server.finish().frames);
        assert_eq!(sent.len(), 5_002);
        assert_eq!(&sent[..2], ["first", "early"]);
    }

    /// What the first server didn't take goes to the second, from the message on that was cut.
    #[test]
    fn what_was_not_taken_is_sent_again() {
        let line = "x".repeat(10_000);
        let lines: Vec<String> = (0..1_500).map(|n| format!("{n} {line}")).collect();
        let all = lines.join("\n");
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            if peer.number() == 1 {
                // Reads no more than this; the rest fills the sockets' buffers and our queue, if
                // it has the time.
                peer.expect(0x1);
                peer.delay(Duration::from_millis(300));
                peer.reset();
            } else {
                peer.echo();
            }
        });
        let url = server.url();
        let run = run(&["--no-deflate"], &url).stdin(&all).timeout(3 * PATIENCE);
        let output = run.run().expect_code(0);
        let back: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
        let lost = lines.len() - back.len();
        // At most what two sockets hold; from there on all, once, in order.
        assert!(lost > 0 && !back.is_empty(), "{lost} lost");
        assert!(back.iter().zip(&lines[lost..]).all(|(a, b)| a == b));
        server.finish();
    }

    #[test]
    fn what_nobody_took_is_told() {
        let server = ScriptedServer::start(|peer| match peer.number() {
            1 => {
                peer.accept();
                // Much more is to come than this and what two sockets hold.
                assert!(peer.read_more());
                peer.reset();
            }
            _ => {
                peer.request();
                peer.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let line = "x".repeat(16 << 20);
        let output = run(&["--no-deflate"], &server.url()).stdin(line).run();
        let output = output.expect_failure(6, "handshake: upgrade refused");
        output.expect_stderr("because: 1 message was not sent\n");
    }
}

mod behind_the_end_of_the_input {
    use super::*;

    /// Reads a line and the fence and is cut; the second echoes.
    fn cut_at_the_fence() -> ScriptedServer {
        ScriptedServer::start(|peer| {
            peer.accept();
            if peer.number() == 1 {
                peer.expect(0x1);
                peer.expect(0x9);
            } else {
                peer.echo();
            }
        })
    }

    #[test]
    fn there_is_nothing_to_be_done_again() {
        let server = cut_at_the_fence();
        let output = run(&[], &server.url()).stdin("line\n").run();
        let output = output.expect_failure(9, "session: the peer ended the connection without");
        let output = output.expect_stderr("because: the input has ended");
        assert_eq!((attempts(&output), server.finish().connections), (0, 1));
    }

    #[test]
    fn a_server_that_goes_away_is_no_failure() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.expect(0x1);
            peer.expect(0x9);
            close(peer, 1001);
        });
        let output = run(&[], &server.url()).stdin("line\n").run().expect_code(0);
        assert_eq!((attempts(&output), server.finish().connections), (0, 1));
    }

    #[test]
    fn messages_of_the_command_line_can_be_sent_anew() {
        let server = cut_at_the_fence();
        let output = run(&["-x", "line"], &server.url()).stdin("").run().expect_code(0);
        output.expect_stdout("line\n");
    }

    #[test]
    fn somebody_who_listens_for_ever_listens_on() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.expect(0x9);
            peer.send(frame(0x1, peer.number().to_string()));
            if peer.number() == 3 {
                close(peer, 1000);
            }
        });
        let output = run(&["-w", "forever"], &server.url()).stdin("").run().expect_code(0);
        output.expect_stdout("1\n2\n3\n");
    }
}

mod told {
    use super::*;

    #[test]
    fn as_events() {
        let server = ScriptedServer::start(|peer| match peer.number() {
            1 => {
                peer.accept();
                peer.send(frame(0x1, "one"));
            }
            2 => {
                peer.request();
                peer.send("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n");
            }
            _ => {
                peer.accept();
                peer.send(frame(0x1, "two"));
                close(peer, 1000);
            }
        });
        let output = run(&["--json", "-vv"], &server.url()).stdin_held_open("").run();
        let output = output.expect_code(0);
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let events: Vec<Value> =
            output.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for event in &events {
            check(&schema, &schema, event).unwrap_or_else(|why| panic!("{why}: {event}"));
        }
        let of_type = |name: &str| -> Vec<&Value> {
            events.iter().filter(|event| event["type"] == name).collect()
        };
        let tried = of_type("reconnecting");
        let told: Vec<_> = tried.iter().map(|event| event["attempt"].as_u64().unwrap()).collect();
        assert_eq!(told, [1, 2]);
        for event in &tried {
            let delay = event["delay"].as_f64().unwrap();
            assert!((0.005..0.05).contains(&delay), "{event}");
        }
        assert!(tried[0]["why"].as_str().unwrap().contains("(1006)"));
        assert!(tried[1]["why"].as_str().unwrap().contains("503 Busy"));
        assert_eq!((of_type("open").len(), of_type("closed").len()), (2, 2));
        assert_eq!(of_type("error").len(), 0);
        let summary = events.last().unwrap();
        assert_eq!((&summary["exit"], &summary["totals"]["messages_in"]), (&0.into(), &2.into()));
        // No gap, although the frames of both directions are told.
        let counts: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        assert!(counts.into_iter().eq(1..=events.len() as u64));
    }

    #[test]
    fn signals_end_the_wait_at_once() {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let url = format!("ws://{}/", nowhere());
            let process = Run::new(NEVER.iter().copied().chain([url.as_str()])).stdin("").start();
            process.wait_stderr("(attempt 1)");
            let sent = Instant::now();
            process.signal(signal);
            let output =
                process.wait().expect_failure(code, "connect: interrupted before the next attempt");
            assert!(sent.elapsed() < Duration::from_secs(2));
            output.expect_stderr("because: 127.0.0.1:");
        }
    }

    #[test]
    fn what_came_before_is_written_during_the_wait() {
        // More than the pipe takes, and less than what stops the reading of the socket.
        let message = "x".repeat(200 << 10);
        let wanted = format!("{message}\n");
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            peer.send(frame(0x1, &message));
        });
        let args = NEVER.iter().map(|arg| (*arg).to_owned()).chain([server.url()]);
        let mut process = Run::new(args).stdin_held_open("").stdout_unread().start();
        let mut stdout = process.take_stdout();
        process.wait_stderr("(attempt 1)");
        let mut read = vec![0; wanted.len()];
        std::io::Read::read_exact(&mut stdout, &mut read).unwrap();
        assert!(read == wanted.as_bytes());
        process.signal(Signal::INT);
        process.wait().expect_code(130);
    }
}

mod prompt {
    use super::*;

    fn connect(args: &[&str], url: &str) -> Pty {
        let pty = Terminal::new(args.iter().copied().chain([url])).size(40, 120).start();
        pty.wait_text("* connected to ");
        pty
    }

    #[test]
    fn lines_typed_meanwhile_are_sent_afterwards() {
        let first = ScriptedServer::start(|peer| {
            peer.accept();
            peer.expect(0x1);
        });
        let address = first.address();
        let mut pty = connect(&["--reconnect", "--backoff", "100ms..200ms"], &first.url());
        pty.line("bye");
        pty.wait_text("reconnecting in ");
        first.finish();
        pty.wait_text("connection refused; reconnecting in ");
        pty.line("one");
        pty.wait_text("* this waits for the connection");
        pty.line("two");
        pty.line("/status");
        pty.wait_text("not connected, so this was not done");
        let second = ScriptedServer::start_at(address, |peer| {
            peer.accept();
            peer.echo();
        });
        pty.wait_text("< one");
        pty.wait_text("< two");
        pty.line("three");
        pty.wait_text("< three");
        pty.line("/quit");
        assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
        assert_eq!(texts(&second.finish().frames), ["one", "two", "three"]);
    }

    #[test]
    fn ctrl_c_ends_the_wait_and_then_the_session() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            match peer.number() {
                1 => drop(peer.expect(0x1)),
                _ => peer.echo(),
            }
        });
        let mut pty = connect(&NEVER, &server.url());
        pty.line("bye");
        pty.wait_text("(attempt 1)");
        pty.line("still to be sent");
        pty.wait_text("this waits");
        pty.send(CTRL_C);
        pty.wait_text("not connected: /reconnect, /connect URL or /quit; 1 message not sent yet");
        pty.line("/reconnect");
        pty.wait_text("< still to be sent");
        pty.line("/close 4000");
        pty.wait_text("closed by us with 4000");
        pty.send(CTRL_C);
        assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
        server.finish();
    }

    #[test]
    fn by_hand_everything_begins_anew() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.echo();
        });
        for args in [&["--duration", "0.3"][..], &["--duration", "0.3", "--reconnect"]] {
            let mut pty = connect(args, &server.url());
            for times in 1..=2 {
                let text = "not connected: /reconnect, /connect URL or /quit";
                let ends = |screen: &vt100::Screen| screen.contents().matches(text).count();
                pty.wait_for(|screen| ends(screen) == times, PATIENCE);
                let opened = |screen: &vt100::Screen| screen.contents().matches("* conn").count();
                pty.line("/reconnect");
                pty.wait_for(|screen| opened(screen) == times + 1, PATIENCE);
            }
            pty.line("/quit");
            assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
        }
    }

    #[test]
    fn ctrl_c_ends_an_attempt() {
        let asked = Gate::new();
        let is_asked = asked.clone();
        let server = ScriptedServer::start(move |peer| match peer.number() {
            1 => {
                peer.accept();
                peer.expect(0x1);
            }
            2 => {
                peer.request();
                is_asked.open();
                peer.stay_silent();
            }
            _ => {
                peer.accept();
                peer.echo();
            }
        });
        let mut pty = connect(&SOON, &server.url());
        pty.line("bye");
        asked.wait();
        pty.line("typed meanwhile");
        pty.send(CTRL_C);
        pty.wait_text("not connected: /reconnect");
        pty.wait_text("this waits for the connection");
        pty.line("/reconnect");
        pty.wait_text("< typed meanwhile");
        pty.line("/quit");
        assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
        server.finish();
    }

    #[test]
    fn lines_typed_while_the_peer_closes_wait_too() {
        let typed = Gate::new();
        let go_on = typed.clone();
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            if peer.number() == 1 {
                close(peer, 1012);
                go_on.wait();
            } else {
                peer.echo();
            }
        });
        let mut pty = connect(&[&SOON[..], &["-v"]].concat(), &server.url());
        pty.wait_text("received Close 1012");
        pty.line("late");
        pty.wait_text("this waits for the connection");
        typed.open();
        pty.wait_text("< late");
        pty.line("/quit");
        assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
        server.finish();
    }

    #[test]
    fn leaving_tells_what_was_not_sent() {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.expect(0x1);
        });
        let mut pty = connect(&NEVER, &server.url());
        pty.line("bye");
        pty.wait_text("(attempt 1)");
        pty.line("never");
        pty.wait_text("this waits");
        pty.line("/quit");
        assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
        assert!(pty.screen().contains("! 1 message was not sent"), "{}", pty.screen());
    }
}

/// Memory and descriptors stay as they are, however often the connection is lost.
#[test]
fn thousands_of_connections_leave_nothing_behind() {
    const MANY: usize = 2_000;
    let (early, measured) = (Gate::new(), Gate::new());
    let (is_early, go_on) = (early.clone(), measured.clone());
    let last = Gate::new();
    let is_last = last.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        peer.send(frame(0x1, "welcome"));
        match peer.number() {
            200 => {
                is_early.open();
                go_on.wait();
            }
            MANY => {
                is_last.open();
                peer.stay_silent();
            }
            _ => {}
        }
        // Without lingering: the port numbers of connections that end so are free at once.
        peer.reset();
    });
    let url = server.url();
    let args = ["--reconnect", "--backoff", "1ms..1ms", "-q", "-x", "hello", &url];
    let process = Run::new(args).stdin_held_open("").timeout(3 * PATIENCE).start();
    early.wait();
    let before = usage(process.id());
    measured.open();
    last.wait();
    let after = usage(process.id());
    process.signal(Signal::INT);
    process.wait().expect_code(130);
    assert_eq!(before.0, after.0, "descriptors");
    assert!(after.1 < before.1 + (1 << 20), "memory grew from {} to {} bytes", before.1, after.1);
}

/// The open descriptors and the resident bytes.
fn usage(id: u32) -> (usize, u64) {
    let descriptors = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    (descriptors, kib << 10)
}
