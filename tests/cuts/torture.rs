//! Every call that a session makes fails once, in each way that it can fail: nothing panics or
//! hangs, the exit code is right, and the terminal is as before.
//!
//! The calls are counted in an untouched run (`WSTAP_TORTURE_LOG`); then the session runs again for
//! each of them and each fault (`WSTAP_TORTURE`, see `src/sys/torture.rs`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use wstap::commands::serve::{Running, ServeOptions, Server};

use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::pty::{Pty, Terminal};
use crate::support::run::{Output, Run};
use crate::support::tls::Tls;

/// A run that takes longer hangs.
const DEADLINE: Duration = PATIENCE;

/// What is left of an output once what differs from run to run is taken away.
type Essence = fn(&str) -> String;

/// A session to torture.
struct Scenario {
    name: &'static str,
    args: Vec<String>,
    input: &'static str,
    essence: Essence,
    code: i32,
    /// The peer is in the same process, so that its calls fail, too.
    peer_inside: bool,
}

/// What a tortured run did.
struct Tried {
    output: Output,
    /// The kinds of the calls, behind each perhaps the fault that it got.
    calls: Vec<String>,
}

const TEN: &str = "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";

const COMMANDS: &str = r#"{"type":"message","data":"one"}
{"type":"ping"}
{"type":"message","opcode":"binary","base64":"AAEC"}
"#;

fn exactly(output: &str) -> String {
    output.to_owned()
}

/// The events without times, addresses and keys.
fn events(output: &str) -> String {
    let mut all = String::new();
    for line in output.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON Lines");
        let word = |name: &str| event.get(name).map(ToString::to_string).unwrap_or_default();
        // How much came before a ping is told depends on how the bytes were cut.
        if matches!(word("type").as_str(), "\"ping\"" | "\"pong\"") {
            continue;
        }
        for name in ["type", "direction", "opcode", "data", "base64", "code", "exit", "verdict"] {
            let _ = write!(all, "{} ", word(name));
        }
        all.push('\n');
    }
    // What is sent and what is received happens side by side.
    let (sent, rest): (Vec<&str>, Vec<&str>) = all.lines().partition(|l| l.contains("\"out\""));
    [sent.join("\n"), rest.join("\n")].join("\n")
}

/// The report without times and keys.
fn report(output: &str) -> String {
    let changes = [" ms", "Key:", "Accept:", "computed:", "received:", "127.0.0.1:"];
    let stays = |line: &&str| !changes.iter().any(|word| line.contains(word));
    output.lines().filter(stays).collect::<Vec<_>>().join("\n")
}

/// The faults that a call of a kind is given. Those before the bar change nothing.
fn faults(kind: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        "file.read" => (&["EINTR", "SHORT"], &["EIO"]),
        "file.write" => (&["EINTR", "SHORT"], &["EIO", "ENOSPC"]),
        "poll" => (&["EINTR"], &[]),
        "socket.connect" => (&["EINTR"], &["ECONNRESET"]),
        "socket.read" => (&["EINTR", "EAGAIN", "SHORT"], &["ECONNRESET", "EIO"]),
        "socket.write" => (&["EINTR", "EAGAIN", "SHORT"], &["ECONNRESET", "EPIPE", "EIO"]),
        "stdin.read" => (&["EINTR", "EAGAIN", "SHORT"], &["EIO"]),
        "stderr.write" | "stdout.write" => {
            (&["EINTR", "EAGAIN", "SHORT"], &["EPIPE", "ENOSPC", "EIO"])
        }
        "wake.read" => (&["EINTR", "EAGAIN", "SHORT"], &[]),
        "wake.write" => (&["EINTR"], &[]),
        other => panic!("no faults for {other}"),
    }
}

/// All of them for calls that were made.
fn plans(calls: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    calls.iter().for_each(|kind| *counts.entry(kind).or_default() += 1);
    let mut plans = Vec::new();
    for (kind, count) in counts {
        let (harmless, fatal) = faults(kind);
        for fault in harmless.iter().chain(fatal) {
            plans.extend((1..=count).map(|n| format!("{n}:{fault}:{kind}")));
        }
        plans.extend(harmless.iter().map(|fault| format!("*/2:{fault}:{kind}")));
    }
    for every in ["*:SHORT", "*/3:SHORT", "*/3:EINTR", "*/5:EINTR", "*/3:EAGAIN", "*/5:EAGAIN"] {
        plans.push(every.to_owned());
    }
    plans
}

impl Scenario {
    fn new(name: &'static str, args: &[&str], input: &'static str) -> Scenario {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Scenario { name, args, input, essence: exactly, code: 0, peer_inside: false }
    }

    fn essence(self, essence: Essence) -> Scenario {
        Scenario { essence, ..self }
    }

    fn code(self, code: i32) -> Scenario {
        Scenario { code, ..self }
    }

    fn peer_inside(self) -> Scenario {
        Scenario { peer_inside: true, ..self }
    }

    fn run(&self, plan: Option<&str>) -> Tried {
        let home = Home::new();
        let log = home.path().join("calls");
        let mut run = Run::new(&self.args).home(&home).env("WSTAP_TORTURE_LOG", &log);
        if let Some(plan) = plan {
            run = run.env("WSTAP_TORTURE", plan);
        }
        let output = run.stdin(self.input).timeout(DEADLINE).run();
        let calls = fs::read_to_string(log).unwrap_or_default();
        Tried { output, calls: calls.lines().map(str::to_owned).collect() }
    }

    /// Runs it for every plan. Gives how many runs got their fault, and what was wrong.
    fn torture(&self) -> (usize, Vec<String>) {
        let untouched = self.run(None);
        assert_eq!(untouched.output.code(), self.code, "{}: {:?}", self.name, untouched.output);
        let plans = plans(&untouched.calls);
        let (next, struck) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            let mut wrong = Vec::new();
            while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                let tried = self.run(Some(plan));
                let got_it = tried.calls.iter().any(|call| call.contains(' '));
                struck.fetch_add(usize::from(got_it), Ordering::Relaxed);
                if let Err(why) = self.judge(&untouched.output, plan, &tried, got_it) {
                    let stderr = &tried.output.stderr;
                    let code = tried.output.code();
                    wrong.push(format!("{} {plan}: {why}\n  exit {code}: {stderr}", self.name));
                }
            }
            wrong
        };
        let wrong = thread::scope(|scope| {
            let workers: Vec<_> = (0..3).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
        });
        (struck.into_inner(), wrong)
    }

    fn judge(
        &self,
        untouched: &Output,
        plan: &str,
        tried: &Tried,
        struck: bool,
    ) -> Result<(), String> {
        let (output, code) = (&tried.output, tried.output.code());
        if output.timed_out {
            return Err("it hangs".to_owned());
        }
        if output.stderr.contains("panicked") || code == 70 || code == 101 || code > 128 {
            return Err("it panics".to_owned());
        }
        // An inspection tells what went wrong in its report.
        let reported = output.text().lines().any(|line| line.starts_with("  ✗ "));
        let told = output.stderr.lines().filter(|line| line.starts_with("wstap: ")).count()
            + usize::from(reported);
        let same = code == self.code
            && (self.essence)(&output.text()) == (self.essence)(&untouched.text());
        let [_, fault, kind] = plan.split(':').chain([""]).take(3).collect::<Vec<_>>()[..] else {
            return Err("no plan".to_owned());
        };
        let harmless = !struck || matches!(fault, "EAGAIN" | "EINTR" | "SHORT");
        let expected: &[i32] = match kind {
            _ if harmless => &[],
            "stdout.write" | "stderr.write" if fault == "EPIPE" => &[0],
            "file.read" | "file.write" => &[2, 13],
            "stderr.write" | "stdin.read" | "stdout.write" => &[13],
            "socket.connect" => &[4],
            // Wherever it was at that moment; a proxy's connection is 4.
            _ => &[4, 5, 9],
        };
        if self.peer_inside && !harmless {
            return Ok(());
        }
        // Behind the last thing that counts a failure makes no difference.
        let failed_anyway = code == self.code && code != 0;
        if !(same || failed_anyway || expected.contains(&code)) {
            let text = output.text();
            return Err(format!("neither the same nor one of {expected:?}; stdout {text:?}"));
        }
        if same && kind == "stdout.write" && matches!(fault, "ENOSPC" | "EIO") && struck {
            return Err("a failed output is no success".to_owned());
        }
        // The one line that would say it may be the one that failed.
        let lines = usize::from(code != 0);
        if told != lines && (harmless || kind != "stderr.write") {
            return Err(format!("{told} lines instead of {lines}"));
        }
        if code == 13 && kind == "stdout.write" && !output.stderr.contains("standard output") {
            return Err("it doesn't say that standard output failed".to_owned());
        }
        Ok(())
    }
}

/// Fails with what was wrong.
fn torture(scenario: &Scenario) {
    let (struck, wrong) = scenario.torture();
    eprintln!("{}: {struck} runs with a fault", scenario.name);
    let all = wrong.join("\n");
    assert!(wrong.is_empty(), "{} of {struck} runs went wrong:\n{all}", wrong.len());
    // The log of each run says so; a seam that nothing goes through would be easy to please.
    assert!(struck > 40, "only {struck} runs had their fault");
}

// What there is to talk to

fn echo(tls: Option<&Tls>) -> Running {
    let (cert, key) = tls.map(|tls| (tls.cert.clone(), tls.key.clone())).unzip();
    let options =
        ServeOptions { address: "127.0.0.1:0".into(), cert, key, ..ServeOptions::default() };
    Server::bind(&options).unwrap().spawn().unwrap()
}

fn address(server: &Running) -> SocketAddr {
    let url = server.url();
    url.split("//")
        .nth(1)
        .and_then(|rest| rest.trim_end_matches('/').parse().ok())
        .expect("an address")
}

/// Answers each connection on a thread of its own, for as long as the test runs.
fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(socket));
        }
    });
    address
}

fn head(socket: &mut impl Read) -> io::Result<()> {
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte)?;
        seen.push(byte[0]);
    }
    Ok(())
}

/// Passes bytes on in both directions until both have ended.
fn relay<S: Read + Write + Send + 'static>(
    mut near: S,
    mut near_again: S,
    end_near: impl FnOnce(&S),
    to: SocketAddr,
) -> io::Result<()> {
    let mut far = TcpStream::connect(to)?;
    far.set_nodelay(true)?;
    let mut far_again = far.try_clone()?;
    let there = thread::spawn(move || {
        let _ = io::copy(&mut near_again, &mut far_again);
        let _ = far_again.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut far, &mut near);
    end_near(&near);
    let _ = there.join();
    Ok(())
}

fn proxy() -> SocketAddr {
    listen(|mut socket| {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        head(&mut socket)?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let to = line.split(' ').nth(1).and_then(|to| to.parse().ok()).expect("CONNECT host:port");
        socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let again = socket.try_clone()?;
        relay(socket, again, |socket| drop(socket.shutdown(Shutdown::Write)), to)
    })
}

// The sessions

#[test]
fn a_pipe() {
    let server = echo(None);
    torture(&Scenario::new("pipe", &["-w", "0.05", server.url()], TEN));
}

#[test]
fn a_pipe_that_closes_at_once_and_says_much() {
    let server = echo(None);
    torture(&Scenario::new("pipe -E -vv", &["-E", "-vv", server.url()], TEN));
}

#[test]
fn a_pipe_over_tls() {
    let tls = Tls::new();
    let server = echo(Some(&tls));
    let ca = tls.ca.to_str().unwrap();
    torture(&Scenario::new("wss", &["-E", "--cacert", ca, server.url()], TEN));
}

#[test]
fn a_refusal_with_a_body() {
    let address = listen(|mut socket| {
        head(&mut socket)?;
        socket.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n")?;
        socket.write_all(b"go off")
    });
    let url = format!("ws://{address}");
    torture(&Scenario::new("refused", &["-v", &url], "").code(6));
}

#[test]
fn json_both_ways() {
    let server = echo(None);
    let args = ["--json", "--input", "json", "-w", "0.05", server.url()];
    torture(&Scenario::new("json", &args, COMMANDS).essence(events));
}

#[test]
fn an_inspection() {
    let server = echo(None);
    torture(&Scenario::new("inspect", &["inspect", server.url()], "").essence(report));
}

#[test]
fn a_proxy() {
    let server = echo(None);
    let proxy = format!("http://{}", proxy());
    torture(&Scenario::new("proxy", &["-E", "--proxy", &proxy, server.url()], TEN));
}

#[test]
fn a_unix_socket() {
    let server = echo(None);
    let (home, to) = (Home::new(), address(&server));
    let path = home.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let again = socket.try_clone()?;
                let end = |socket: &UnixStream| drop(socket.shutdown(Shutdown::Write));
                relay(socket, again, end, to)
            });
        }
    });
    let args = ["-E", "--unix-socket", path.to_str().unwrap(), "ws://localhost/"];
    torture(&Scenario::new("unix", &args, TEN));
}

#[test]
fn headers_from_a_file() {
    let server = echo(None);
    let home = Home::new();
    let path = home.file("headers", "X-One: 1\nX-Two: 2\n");
    let headers = format!("@{}", path.display());
    let url = server.url().replace("127.0.0.1", "localhost");
    torture(&Scenario::new("@file", &["-E", "-H", &headers, &url], TEN));
}

#[test]
fn headers_from_standard_input() {
    let server = echo(None);
    let args = ["-E", "-H", "@-", "-x", "hello", server.url()];
    torture(&Scenario::new("@-", &args, "X-One: 1\nX-Two: 2\n"));
}

#[test]
fn client_and_server_in_one_process() {
    torture(&Scenario::new("demo", &["demo", "-q", "-E"], TEN).peer_inside());
}

// The prompt

/// Whether the text is on the screen, or that there is no connection.
fn ready(text: &'static str) -> impl Fn(&vt100::Screen) -> bool {
    move |screen| {
        let all = screen.contents();
        let instead = ["* not connected", "! /file: "];
        all.contains(text) || instead.iter().any(|text| all.contains(text))
    }
}

/// Says a line, hears its echo, sends a file and leaves, as far as that goes.
fn converse(url: &str, plan: Option<&str>) -> (Pty, Option<u32>, Vec<String>) {
    let home = Home::new();
    let log = home.path().join("calls");
    let file = home.file("f", "from a file");
    let mut terminal = Terminal::new([url]).home(&home).env("WSTAP_TORTURE_LOG", &log);
    if let Some(plan) = plan {
        terminal = terminal.env("WSTAP_TORTURE", plan);
    }
    let mut pty = terminal.start();
    if pty.wait_until(ready("* connected to "), DEADLINE) {
        pty.type_if_alive("hello\r");
        if pty.wait_until(ready("< hello"), DEADLINE) {
            pty.type_if_alive(&format!("/file {}\r", file.display()));
            if pty.wait_until(ready("< from a file"), DEADLINE) {
                pty.type_if_alive("/quit\r");
            }
        }
    }
    let code = pty.ends(DEADLINE).then(|| pty.wait_exit(DEADLINE));
    let calls = fs::read_to_string(log).unwrap_or_default();
    (pty, code, calls.lines().map(str::to_owned).collect())
}

fn judge_prompt(pty: &Pty, code: Option<u32>, plan: &str, struck: bool) -> Result<(), String> {
    let screen = pty.screen();
    let Some(code) = code else { return Err("it hangs".to_owned()) };
    if !pty.has_first_modes() || pty.bracketed_paste() {
        return Err("the terminal is not as before".to_owned());
    }
    let panics = screen.contains("panicked");
    if plan.contains("PANIC") && struck {
        let told = screen.contains("this is a bug in wstap");
        return if code == 70 && panics && told { Ok(()) } else { Err("no proper panic".into()) };
    }
    if panics {
        return Err("it panics".to_owned());
    }
    let all = ["> hello", "< hello", "< from a file"];
    let mut parts = all.iter().filter(|part| !screen.contains(**part)).peekable();
    let whole = code == 0
        && (parts.peek().is_none()
            || (plan.contains("EIO:file.read") && screen.contains("! /file: ")));
    let harmless = ["EAGAIN", "EINTR", "SHORT"].iter().any(|fault| plan.contains(fault));
    let files = plan.contains("file.") || plan.contains("stdout.");
    match (harmless || files || !struck, code) {
        (true, _) if whole => Ok(()),
        (false, 0 | 4 | 9) => Ok(()),
        _ => Err("not what it should be".to_owned()),
    }
}

#[test]
fn the_prompt() {
    let server = echo(None);
    let (pty, code, calls) = converse(server.url(), None);
    judge_prompt(&pty, code, "", false).unwrap();
    let mut plans = plans(&calls);
    let polls = calls.iter().filter(|kind| *kind == "poll").count();
    plans.extend((1..=polls).map(|n| format!("{n}:PANIC:poll")));
    plans.extend((1..=3).map(|n| format!("{n}:PANIC:socket.write")));
    let (next, struck) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let mut wrong = Vec::new();
        while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (pty, code, calls) = converse(server.url(), Some(plan));
            let got_it = calls.iter().any(|call| call.contains(' '));
            struck.fetch_add(usize::from(got_it), Ordering::Relaxed);
            if let Err(why) = judge_prompt(&pty, code, plan, got_it) {
                wrong.push(format!("prompt {plan}: {why}, exit {code:?}\n{}", pty.screen()));
            }
        }
        wrong
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..3).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    let struck = struck.into_inner();
    eprintln!("prompt: {struck} runs with a fault");
    assert!(wrong.is_empty(), "of {struck} went wrong:\n{}", wrong.join("\n"));
    assert!(struck > 60, "only {struck} runs had their fault");
}

// A bug of our own

#[test]
fn a_panic_is_70_and_asks_for_a_report() {
    let server = echo(None);
    for plan in ["1:PANIC:poll", "3:PANIC:poll", "2:PANIC:socket.read", "1:PANIC:stdout.write"] {
        let run = Run::new(["-E", server.url()]).stdin(TEN).env("WSTAP_TORTURE", plan);
        let output = run.run().expect_code(70);
        assert!(output.stderr.contains("a panic was asked for"), "{plan}: {}", output.stderr);
        let last = output.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("wstap: this is a bug in wstap; please report"), "{last}");
    }
}
