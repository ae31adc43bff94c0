//! Pipe mode on the binary: nothing lost, nothing doubled, nothing hangs.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use rustix::process::Signal;

use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::run::Run;
use crate::support::scripted::{Frame, Gate, Peer, ScriptedServer, close_frame, frame, raw_frame};

/// Memory stays under this however much passes through, in bytes.
const FLAT: u64 = 16 << 20;

fn echoing() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    })
}

/// Runs wstap with that input against an echo that answers pings.
fn echoed(args: &[&str], input: impl AsRef<[u8]>) -> (Vec<u8>, Vec<Frame>) {
    let server = echoing();
    let url = server.url();
    let args = ["--no-deflate", "-w", "0.1"].into_iter().chain(args.iter().copied());
    let output = Run::new(args.chain([url.as_str()])).stdin(input).run().expect_code(0);
    assert_eq!(output.stderr, "");
    (output.stdout, server.finish().frames)
}

/// The data frames as opcode and payload.
fn data(frames: &[Frame]) -> Vec<(u8, &[u8])> {
    let data = frames.iter().filter(|frame| frame.opcode < 8);
    data.map(|frame| (frame.opcode, frame.payload.as_slice())).collect()
}

fn answer_close(peer: &mut Peer) -> Vec<Frame> {
    let frames = peer.frames_until_close();
    peer.send(close_frame(1000, ""));
    frames
}

// Input

#[test]
fn early_lines_wait_for_the_opening() {
    let written = Gate::new();
    let gate = written.clone();
    let server = ScriptedServer::start(move |peer| {
        let request = peer.request();
        gate.wait();
        peer.upgrade(&request, "");
        peer.echo();
    });
    let mut process = Run::new([server.url()]).stdin_held_open("").start();
    process.write("one\ntwo\n");
    process.close_stdin();
    written.open();
    process.wait().expect_code(0).expect_stdout("one\ntwo\n");
}

#[test]
fn lines_become_messages() {
    let (stdout, frames) = echoed(&[], "one\r\n\nGrüße\n\rx\nlast");
    assert_eq!(stdout, "one\n\nGrüße\n\rx\nlast\n".as_bytes());
    let wanted: [&[u8]; 5] = [b"one", b"", "Grüße".as_bytes(), b"\rx", b"last"];
    assert_eq!(data(&frames), wanted.map(|line| (1, line)));
}

#[test]
fn nothing_becomes_nothing() {
    let (stdout, frames) = echoed(&[], "");
    assert_eq!((stdout.len(), data(&frames).len()), (0, 0));
    let (_, frames) = echoed(&["--input", "whole"], "");
    assert_eq!(data(&frames), []);
}

#[test]
fn the_other_ways_to_cut_the_input() {
    let (_, frames) = echoed(&["--input", "null"], "a\nb\0\0c\r");
    assert_eq!(data(&frames), [(1, &b"a\nb"[..]), (1, b""), (1, b"c\r")]);
    let (_, frames) = echoed(&["--input", "whole"], "a\nb\n");
    assert_eq!(data(&frames), [(1, &b"a\nb\n"[..])]);
    let line = "{\"type\":\"message\",\"data\":\"a\\nb\"}\n";
    let (_, frames) = echoed(&["--input", "json"], line);
    assert_eq!(data(&frames), [(1, &b"a\nb"[..])]);
}

#[test]
fn binary_sends_bytes_as_they_are() {
    let (stdout, frames) = echoed(&["-b"], b"a\xff\0\r\nb");
    assert_eq!(stdout, b"a\xff\0\nb\n");
    assert_eq!(data(&frames), [(2, &b"a\xff\0"[..]), (2, b"b")]);
    let (_, frames) = echoed(&["-b", "--input", "whole"], b"\xff\n\xfe");
    assert_eq!(data(&frames), [(2, &b"\xff\n\xfe"[..])]);
}

#[test]
fn fragments_have_the_size_that_was_asked_for() {
    let (stdout, frames) = echoed(&["--fragment", "3"], "abcdefgh\nxyz\n");
    assert_eq!(stdout, b"abcdefgh\nxyz\n");
    let wanted: [(u8, &[u8]); 4] = [(1, b"abc"), (0, b"def"), (0, b"gh"), (1, b"xyz")];
    assert_eq!(data(&frames), wanted);
    let fin: Vec<bool> = frames.iter().take(4).map(|frame| frame.fin).collect();
    assert_eq!(fin, [false, false, true, true]);
}

#[test]
fn texts_of_the_command_line_come_first() {
    let (stdout, _) = echoed(&["-x", "one", "--send", "two"], "three\n");
    assert_eq!(stdout, b"one\ntwo\nthree\n");
}

#[test]
fn a_text_of_the_command_line_stays_text_and_a_file_is_one_message() {
    let home = Home::new();
    let file = format!("@{}", home.file("message", "a\nb\r\n").display());
    let sent = |args: &[&str]| {
        let args = args.iter().copied().chain(["-N"]);
        data(&echoed(&args.collect::<Vec<_>>(), "").1)
            .into_iter()
            .map(|(opcode, payload)| (opcode, payload.to_vec()))
            .collect::<Vec<_>>()
    };
    assert_eq!(sent(&["-b", "-x", "{}"]), [(1, b"{}".to_vec())]);
    assert_eq!(sent(&["-x", &file, "-x", "@@all"]), [(1, b"a\nb".to_vec()), (1, b"@all".to_vec())]);
    assert_eq!(sent(&["-b", "-x", &file]), [(2, b"a\nb\r\n".to_vec())]);
    let server = echoing();
    let run = Run::new(["-x", "@-", "-n", "1", &server.url()]).stdin("from\nstdin\n");
    run.run().expect_code(0).expect_stdout("from\nstdin\n");

    let refused = |args: &[&str], code| {
        let output = Run::new(args.iter().copied().chain(["ws://localhost:1/"])).run();
        output.expect_code(code).stderr
    };
    let text = refused(&["-x", "@every one"], 13);
    assert!(text.contains("can't read every one: there is no such file"), "{text}");
    assert!(text.contains("hint: to send the text itself, begin it with @@"), "{text}");
    let bytes = format!("@{}", home.file("bytes", b"a\xff").display());
    let text = refused(&["-x", &bytes], 13);
    assert!(text.contains("is not UTF-8 at byte 1") && text.contains("--binary"), "{text}");
}

#[test]
fn escapes_are_read_where_they_are_asked_for() {
    let (_, frames) = echoed(&["--escapes", "-x", r"a\n"], r"\t\x1e\u{e9}\\");
    assert_eq!(data(&frames), [(1, &b"a\n"[..]), (1, "\t\x1e\u{e9}\\".as_bytes())]);
    let (_, frames) = echoed(&["--escapes", "-b"], b"\xe9\\xff\\0");
    assert_eq!(data(&frames), [(2, &b"\xe9\xff\0"[..])]);
    let (_, frames) = echoed(&["-x", r"a\n"], r"\q");
    assert_eq!(data(&frames), [(1, &br"a\n"[..]), (1, br"\q")]);

    let refused = |args: &[&str], input: &str, code| {
        let server = echoing();
        let url = server.url();
        let args = ["--escapes", "-w", "0.1"].into_iter().chain(args.iter().copied());
        let output = Run::new(args.chain([url.as_str()])).stdin(input).run().expect_code(code);
        assert!(output.stdout.starts_with(b"ok") || input.is_empty(), "{}", output.text());
        drop(server);
        output.stderr
    };
    let text = refused(&[], "ok\n\u{fc}\\q\nno\n", 13);
    assert!(text.contains("message 2 of standard input: column 2 is no escape"), "{text}");
    assert!(!text.contains("no\n"), "{text}");
    let text = refused(&[], "ok\n\\xff\n", 13);
    assert!(text.contains(r"message 2 of standard input: with \xff it is not UTF-8"), "{text}");
}

#[test]
fn a_wrong_escape_of_the_command_line_is_placed() {
    for (typed, why) in [(r"ab\q", "-x: column 3 is no escape"), (r"\xff", r"with \xff")] {
        let output = Run::new(["--escapes", "-x", typed, "ws://localhost:1/"]).run();
        let text = output.expect_code(2).stderr;
        assert!(text.contains(why), "{text}");
    }
}

#[test]
fn without_input_nothing_is_taken_from_it() {
    let server = echoing();
    let script = "while read -r line; do \"$1\" -N -n 1 -x \"probe $line\" \"$2\"; done";
    let args = ["-c", script, "sh", crate::support::wstap(), &server.url()];
    let output = Run::program("sh", args).stdin("1\n2\n3\n").run();
    output.expect_code(0).expect_stdout("probe 1\nprobe 2\nprobe 3\n");
}

#[test]
fn a_fifo_that_has_ended_takes_no_more() {
    let server = echoing();
    // As long as somebody has it open for reading, a writer's lines vanish.
    let script = "mkfifo f; \"$1\" -w forever \"$2\" <f >out & echo one >f
        until [ \"$(readlink /proc/$!/fd/0)\" = /dev/null ]; do sleep 0.05; done
        kill $!; wait $!; cat out";
    let args = ["-c", script, "sh", crate::support::wstap(), &server.url()];
    Run::program("sh", args).run().expect_code(0).expect_stdout("one\n");
}

#[test]
fn raw_input_passes_any_bytes_as_they_come() {
    let bytes: Vec<u8> = (0..400_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    let (stdout, frames) = echoed(&["-b", "--input", "raw", "--output", "raw"], &bytes);
    assert!(stdout == bytes && data(&frames).iter().all(|(opcode, _)| *opcode == 2));
    let args = ["-b", "--input", "raw", "--chunk", "160K", "--output", "raw"];
    let (stdout, frames) = echoed(&args, &bytes);
    assert!(stdout == bytes);
    let lengths: Vec<usize> = data(&frames).iter().map(|(_, payload)| payload.len()).collect();
    assert_eq!(lengths, [160 << 10, 160 << 10, 400_000 - (320 << 10)]);
    assert_eq!(data(&echoed(&["--input", "raw"], "").1), []);

    // What is read is sent, though no line and no input has ended.
    let server = echoing();
    let args = ["--input", "raw", "--output", "raw", "-w", "0.1", &server.url()];
    let mut process = Run::new(args).stdin_held_open("").start();
    process.write(b"CLIENT\xe2\x82");
    process.wait_stdout("CLIENT");
    process.write(b"\xac\r\n");
    process.close_stdin();
    process.wait().expect_code(0).expect_stdout("CLIENT€\r\n");
    let output = Run::new(["--input", "raw", &server.url()]).stdin(b"a\xe2\x82").run();
    let output = output.expect_code(13);
    assert!(output.stderr.contains("not UTF-8 at byte 1"), "{}", output.stderr);
}

#[test]
fn lines_keep_their_ends_where_that_is_asked_for() {
    let (_, frames) = echoed(&["--keep-newline"], "a\r\n\nb");
    assert_eq!(data(&frames), [(1, &b"a\r\n"[..]), (1, b"\n"), (1, b"b")]);
}

#[test]
fn options_of_another_input_are_refused() {
    for (args, why) in [
        (&["--chunk", "5"][..], "--chunk is for --input raw"),
        (&["--keep-newline", "--input", "null"], "--keep-newline is for lines"),
        (&["--only", "text", "--json"], "'--only <TYPE>' cannot be used with '--json'"),
    ] {
        let output = Run::new(args.iter().copied().chain(["ws://localhost:1/"])).run();
        let output = output.expect_code(2);
        assert!(output.stderr.contains(why), "{}", output.stderr);
    }
}

// Output

#[test]
fn only_one_type_is_printed_and_counted() {
    for (only, wanted) in [("text", &b"one\ntwo\n"[..]), ("binary", b"\xff\n\xfe\n")] {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            for (opcode, payload) in [(1, &b"one"[..]), (2, b"\xff"), (1, b"two"), (2, b"\xfe")] {
                peer.send(frame(opcode, payload));
            }
            peer.send(frame(0x1, "three"));
            answer_close(peer);
        });
        let run = Run::new(["-N", "-n", "2", "--only", only, &server.url()]);
        run.run().expect_code(0).expect_stdout(wanted);
    }
}

#[test]
fn json_is_indented_where_that_is_asked_for() {
    let line = "{\"a\":[1,\"\u{202e}\"]}";
    let pretty = "{\n  \"a\": [\n    1,\n    \"\u{202e}\"\n  ]\n}";
    let (stdout, _) = echoed(&["--pretty"], format!("{line}\nno\n"));
    assert_eq!(String::from_utf8(stdout).unwrap(), format!("{pretty}\nno\n"));
    let (stdout, _) = echoed(&["--pretty", "--output", "null"], line);
    assert_eq!(String::from_utf8(stdout).unwrap(), format!("{pretty}\0"));
    let (stdout, _) = echoed(&["--pretty", "--output", "hex"], "{}");
    assert_eq!(stdout, b"7b7d\n");
    let (stdout, _) = echoed(&["--pretty", "--color", "always"], "[1]");
    assert!(stdout.contains(&0x1b), "{stdout:?}");
}

#[test]
fn a_line_has_the_time_before_it_where_that_is_asked_for() {
    let server = echoing();
    let shown = |args: &[&str]| {
        let url = server.url();
        let run = Run::new(args.iter().copied().chain(["-w", "0.1", &url]));
        run.env("TZ", "XYZ-05:30").stdin("a\n").run().expect_code(0)
    };
    // Digits as 0.
    let form = |stdout: &[u8]| {
        let text = String::from_utf8_lossy(stdout).into_owned();
        text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>()
    };
    let local = shown(&["-t"]).stdout;
    assert!(String::from_utf8_lossy(&local).ends_with("+05:30 a\n"), "{local:?}");
    assert_eq!(form(&local), "00:00:00.000+00:00 a\n");
    assert_eq!(form(&shown(&["--utc"]).stdout), "00:00:00.000Z a\n");
    assert_eq!(form(&shown(&["--delta", "--output", "hex"]).stdout), "+0.000 s 00\n");
    assert_eq!(form(&shown(&["-t", "--utc", "--delta"]).stdout), "00:00:00.000Z +0.000 s a\n");
    for format in ["raw", "null"] {
        assert!(shown(&["-t", "--output", format]).stdout.starts_with(b"a"), "{format}");
    }
    let stderr = shown(&["-t", "-v"]).stderr;
    assert!(stderr.lines().filter(|line| line.contains("+05:30 * ")).count() > 3, "{stderr}");
}

#[test]
fn each_output_sets_messages_apart() {
    for (format, wanted) in [
        ("line", &b"a\nb\n\xff\n\n\n"[..]),
        ("raw", b"a\nb\xff\x0a"),
        ("null", b"a\nb\0\xff\x0a\0\0"),
        ("hex", b"610a62\nff0a\n\n"),
    ] {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.send(raw_frame(0x01, "a\n"));
            peer.send(raw_frame(0x80, "b"));
            peer.send(frame(0x2, b"\xff\n"));
            peer.send(frame(0x1, ""));
            peer.send(close_frame(1000, ""));
            peer.frames_until_close();
        });
        let run = Run::new(["--output", format, &server.url()]).stdin_held_open("");
        let output = run.run().expect_code(0);
        assert_eq!(output.stdout, wanted, "{format}: {}", output.text());
    }
}

#[test]
fn json_output_is_a_message_a_line() {
    let (stdout, _) = echoed(&["--output", "json"], "a \"b\"\n");
    let value: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!((&value["type"], &value["data"]), (&"message".into(), &"a \"b\"".into()));
    assert!(value.get("seq").is_none());
}

// Endings

#[test]
fn late_answers_are_waited_for() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let lines: Vec<String> = (0..5).map(|_| peer.expect(0x1)).collect();
        // Pongs come at once, as from most servers; the answers come late.
        let fence = peer.frame().unwrap();
        assert_eq!(fence.opcode, 0x9);
        peer.send(frame(0xa, &fence.payload));
        peer.delay(Duration::from_millis(300));
        for line in lines {
            peer.send(frame(0x1, line));
        }
        assert_eq!(answer_close(peer).len(), 1);
    });
    let output = Run::new([server.url()]).stdin("1\n2\n3\n4\n5\n").run();
    output.expect_code(0).expect_stdout("1\n2\n3\n4\n5\n");
}

#[test]
fn enough_messages_end_the_session() {
    let pushing = || {
        ScriptedServer::start(|peer| {
            peer.accept();
            for number in 1..=5 {
                peer.send(frame(0x1, format!("line {number}")));
            }
            answer_close(peer);
        })
    };
    let server = pushing();
    let output = Run::new(["-n", "2", &server.url()]).stdin_held_open("").run();
    output.expect_code(0).expect_stdout("line 1\nline 2\n");
    let server = pushing();
    let output = Run::new(["--until", "[3-4]$", &server.url()]).stdin_held_open("").run();
    output.expect_code(0).expect_stdout("line 1\nline 2\nline 3\n");
    assert_eq!(server.finish().frames[0].close_code(), Some(1000));
}

#[test]
fn a_duration_outlasts_the_input() {
    let server = echoing();
    let output = Run::new(["--duration", "1500ms", &server.url()]).stdin("a\n").run();
    let output = output.expect_code(0).expect_stdout("a\n");
    assert!(output.elapsed >= Duration::from_millis(1500), "{:?}", output.elapsed);
    let server = echoing();
    Run::new(["--duration", "300ms", &server.url()]).stdin_held_open("").run().expect_code(0);
}

#[test]
fn exit_on_eof_still_prints_what_comes_before_the_peers_close() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let frames = peer.frames_until_close();
        for frame in &frames[..frames.len() - 1] {
            peer.send(raw_frame(0x81, &frame.payload));
        }
        peer.send(frame(0x1, "x".repeat(1 << 20)));
        peer.send(close_frame(1000, ""));
    });
    let output = Run::new(["-E", "--no-deflate", &server.url()]).stdin("a\nb\n").run();
    output.expect_code(0).expect_stdout(format!("a\nb\n{}\n", "x".repeat(1 << 20)));
    let opcodes: Vec<u8> = server.finish().frames.iter().map(|frame| frame.opcode).collect();
    assert_eq!(opcodes, [1, 1, 8]);
}

#[test]
fn lingering_takes_as_long_as_asked_for() {
    let server = echoing();
    let output = Run::new(["--linger", "1200ms", &server.url()]).stdin("a\n").run();
    let output = output.expect_code(0).expect_stdout("a\n");
    assert!(output.elapsed >= Duration::from_millis(1200), "{:?}", output.elapsed);

    // Forever: the peer ends it.
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.delay(Duration::from_millis(1500));
        peer.send(frame(0x1, "late"));
        peer.send(close_frame(1000, ""));
        peer.frames_until_close();
    });
    let output = Run::new(["-w", "forever", &server.url()]).stdin("").run();
    output.expect_code(0).expect_stdout("late\n");
}

#[test]
fn a_fence_without_its_pong_holds_the_end_back_for_5_seconds() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        answer_close(peer);
    });
    let output = Run::new(["-w", "0.1", &server.url()]).stdin("a\n").run().expect_code(0);
    let range = Duration::from_secs(5)..Duration::from_secs(12);
    assert!(range.contains(&output.elapsed), "{:?}", output.elapsed);
}

#[test]
fn the_peers_close_ends_it_though_the_input_stays_open() {
    let attempt = || {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.send(frame(0x1, "bye"));
            peer.send(close_frame(1000, ""));
            peer.frames_until_close();
        });
        let output = Run::new([server.url()]).stdin_held_open("").run();
        output.expect_code(0).expect_stdout("bye\n").elapsed
    };
    // A busy machine may spoil some of the tries.
    let times: Vec<Duration> =
        (0..5).map(|_| attempt()).take_while(|time| *time >= Duration::from_millis(300)).collect();
    assert!(times.len() < 5, "{times:?}");
}

// Much

#[test]
fn of_20_000_lines_none_is_lost_doubled_or_altered() {
    let lines: String = (0..20_000).map(|n| format!("{n:05} äöü the quick brown fox\n")).collect();
    for args in [&["--no-deflate"][..], &["--no-deflate", "--fragment", "7"]] {
        let server = echoing();
        let url = server.url();
        let run = Run::new(args.iter().copied().chain([url.as_str()])).stdin(&lines);
        let output = run.timeout(3 * PATIENCE).run().expect_code(0);
        assert!(output.stdout == lines.as_bytes(), "{} bytes", output.stdout.len());
    }
}

#[test]
fn a_slow_reader_gets_everything_and_memory_stays_flat() {
    const COUNT: usize = 400;
    let done = Gate::new();
    let gate = done.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        for number in 0..COUNT {
            peer.send(frame(0x2, vec![number as u8; 99_999]));
        }
        gate.wait();
        peer.send(close_frame(1000, ""));
        peer.frames_until_close();
    });
    let run = Run::new(["--output", "raw", &server.url()]).stdin_held_open("").stdout_unread();
    let mut process = run.timeout(3 * PATIENCE).start();
    process.wait_stdout_full();
    let mut stdout = process.take_stdout();
    let mut chunk = vec![0; 199_998];
    for pair in 0..COUNT / 2 {
        stdout.read_exact(&mut chunk).unwrap();
        let (first, second) = chunk.split_at(99_999);
        assert!(first.iter().all(|byte| *byte == (2 * pair) as u8), "{pair}");
        assert!(second.iter().all(|byte| *byte == (2 * pair + 1) as u8), "{pair}");
        // This is the slowness that the test is about.
        thread::sleep(Duration::from_millis(5));
    }
    let peak = process.peak_memory().expect("it runs");
    assert!(peak < FLAT, "{peak} bytes");
    done.open();
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "{} bytes more", rest.len());
    process.wait().expect_code(0);
}

#[test]
fn a_stdout_that_is_blocked_for_long_costs_nothing() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let message = frame(0x2, vec![b'x'; 9_999]);
        while peer.try_send(&message).is_ok() {}
    });
    let run = Run::new([server.url()]).stdin_held_open("").stdout_unread();
    let process = run.start();
    process.wait_stdout_full();
    let (worked, begun) = (process.cpu_time(), Instant::now());
    // This is the time that the test is about.
    thread::sleep(Duration::from_secs(5));
    let peak = process.peak_memory().expect("it runs");
    assert!(peak < FLAT, "{peak} bytes");
    let worked = process.cpu_time() - worked;
    assert!(worked < Duration::from_millis(100), "{worked:?} of work while nothing could be done");
    process.signal(Signal::INT);
    let output = process.wait().expect_code(130);
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", output.elapsed);
}

#[test]
fn a_line_of_100_mib_is_one_message() {
    let mut line: Vec<u8> = (0..100 << 20).map(|at: usize| b'a' + (at % 23) as u8).collect();
    let server = echoing();
    line.push(b'\n');
    let process =
        Run::new(["--no-deflate", "-E", &server.url()]).stdin(&line).timeout(3 * PATIENCE).start();
    let memory = process.watch_memory();
    let output = process.wait().expect_code(0);
    assert!(output.stdout == line, "{} bytes", output.stdout.len());
    assert_eq!(data(&server.finish().frames).len(), 1);
    // The line, its masked copy in the queue, and the room that a growing buffer takes.
    let peak = memory.join().unwrap();
    eprintln!("100 MiB there and back: {} MiB of memory", peak >> 20);
    assert!(peak < 400 << 20, "{} MiB", peak >> 20);
}

#[test]
fn a_peer_that_never_reads_holds_the_input_back() {
    let over = Gate::new();
    let gate = over.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        gate.wait();
    });
    let lines = format!("{}\n", "x".repeat(999)).repeat(32 << 10);
    let process = Run::new(["-m", "2", "--no-deflate", &server.url()]).stdin(lines).start();
    let begun = Instant::now();
    let mut peak = 0;
    while !process.stderr.wait_end(Duration::from_millis(20)) && begun.elapsed() < PATIENCE {
        peak = peak.max(process.peak_memory().unwrap_or(0));
    }
    over.open();
    process.wait().expect_failure(11, "session: not done within 2 s (--max-time)");
    assert!(peak > 0 && peak < FLAT, "{peak} bytes");
}

// Protocol

#[test]
fn echo_mode_returns_types_and_bytes() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let large = vec![0xfe; 1 << 20];
        for (opcode, payload) in
            [(1, &b"text"[..]), (2, b"\0\xff\n"), (1, b""), (2, b""), (2, &large)]
        {
            peer.send(frame(opcode, payload));
            let back = peer.frame().unwrap();
            assert_eq!((back.opcode, back.fin), (opcode, true));
            assert!(back.payload == payload);
        }
        for piece in [raw_frame(0x02, b"\x01"), raw_frame(0x00, ""), raw_frame(0x80, b"\x02")] {
            peer.send(piece);
        }
        let back = peer.frame().unwrap();
        assert_eq!((back.opcode, back.payload), (2, vec![1, 2]));
        peer.send(close_frame(1000, ""));
        peer.frames_until_close();
    });
    let output = Run::new(["--echo", "--no-deflate", &server.url()]).stdin("never sent\n").run();
    output.expect_code(0).expect_stdout("");
    server.finish();
}

#[test]
fn pings_are_answered_unless_told_otherwise() {
    let pinging = || {
        ScriptedServer::start(|peer| {
            peer.accept();
            // Between the fragments of a message, too.
            peer.send(raw_frame(0x01, "a"));
            peer.send(frame(0x9, b"\0\xff"));
            peer.send(raw_frame(0x80, "b"));
            peer.send(close_frame(1000, ""));
            peer.frames_until_close();
        })
    };
    let server = pinging();
    let output = Run::new([server.url()]).stdin_held_open("").run();
    output.expect_code(0).expect_stdout("ab\n");
    let frames = server.finish().frames;
    assert_eq!((frames[0].opcode, &frames[0].payload[..]), (0xa, &b"\0\xff"[..]));
    let server = pinging();
    Run::new(["--no-pong", &server.url()]).stdin_held_open("").run().expect_code(0);
    assert!(server.finish().frames.iter().all(|frame| frame.opcode == 0x8));
}

#[test]
fn compressed_messages_make_the_round() {
    let line = "the same again and again ".repeat(100);
    let wanted = line.clone();
    let server = ScriptedServer::start(move |peer| {
        let request = peer.request();
        let offer = request.header("sec-websocket-extensions").unwrap();
        assert!(offer.starts_with("permessage-deflate"), "{offer}");
        peer.upgrade(&request, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        let (mut inflate, mut deflate) =
            (Decompress::new(false), Compress::new(Compression::default(), false));
        // The second and third refer to the first by the window that both sides keep.
        for number in 0..3 {
            let frame = peer.frame().unwrap();
            assert_eq!((frame.opcode, frame.rsv), (1, 4));
            assert!(frame.payload.len() < 200, "{number}: {}", frame.payload.len());
            let tail = [&frame.payload[..], &[0, 0, 0xff, 0xff]].concat();
            let mut text = Vec::with_capacity(8192);
            inflate.decompress_vec(&tail, &mut text, FlushDecompress::Sync).unwrap();
            assert_eq!(String::from_utf8(text.clone()).unwrap(), wanted);
            let mut back = Vec::with_capacity(8192);
            deflate.compress_vec(&text, &mut back, FlushCompress::Sync).unwrap();
            let back = back.strip_suffix(&[0, 0, 0xff, 0xff]).unwrap();
            let (half, rest) = back.split_at(back.len() / 2);
            peer.send([raw_frame(0x41, half), raw_frame(0x80, rest)].concat());
        }
        answer_close(peer);
    });
    let lines = format!("{line}\n").repeat(3);
    let output = Run::new(["-n", "3", &server.url()]).stdin(&lines).run();
    output.expect_code(0).expect_stdout(&lines);
    server.finish();
}

#[test]
fn what_compression_did_is_told() {
    let run = |args: &[&str]| {
        let server = ScriptedServer::start(|peer| {
            let request = peer.request();
            let params = "client_no_context_takeover; server_no_context_takeover";
            let answer = format!("Sec-WebSocket-Extensions: permessage-deflate; {params}\r\n");
            peer.upgrade(&request, &answer);
            for number in 0..2 {
                let mut wire = Vec::new();
                for part in 0.. {
                    let frame = peer.frame().unwrap();
                    let wanted = if part == 0 { (1, 4) } else { (0, 0) };
                    assert_eq!((frame.opcode, frame.rsv), wanted, "message {number}, part {part}");
                    wire.extend(frame.payload);
                    if frame.fin {
                        break;
                    }
                }
                peer.send(raw_frame(0xc1, wire));
            }
            answer_close(peer);
        });
        let url = server.url();
        let args = args.iter().copied().chain(["-n", "2", "--fragment", "4", url.as_str()]);
        // "ab" takes two bytes more in fixed codes.
        let input = format!("{}\nab\n", "a".repeat(100));
        Run::new(args).stdin(input).run().expect_code(0)
    };
    let output = run(&["-vv"]);
    for line in [
        "* sent text: compression saved 94 % (100 bytes as 6)\n",
        "* received text: compression saved 94 % (100 bytes as 6)\n",
        "* sent text: compression cost 100 % (2 bytes as 4)\n",
        "* received: compression saved 90 % (102 bytes as 10)\n",
        "* sent: compression saved 90 % (102 bytes as 10)\n",
        "(permessage-deflate; client_no_context_takeover; server_no_context_takeover)",
    ] {
        assert!(output.stderr.contains(line), "no {line:?}: {}", output.stderr);
    }
    let lines = run(&["--json"]).lines();
    let events: Vec<serde_json::Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for direction in ["in", "out"] {
        let message = |event: &&serde_json::Value| {
            event["type"] == "message" && event["direction"] == direction
        };
        let saved: Vec<_> = events
            .iter()
            .filter(message)
            .map(|e| (e["length"].clone(), e["wire_length"].clone(), e["saved_percent"].clone()))
            .collect();
        let wanted = [(100.into(), 6.into(), 94.0.into()), (2.into(), 4.into(), (-100.0).into())];
        assert_eq!(saved, wanted, "{direction}");
        let sum = &events.last().unwrap()["totals"][format!("compression_{direction}")];
        assert_eq!(*sum, serde_json::json!({"plain": 102, "wire": 10, "saved_percent": 90.2}));
    }
}
