//! What a broken network does: a dead IPv6, black holes, name servers that don't answer, a pulled
//! cable. Each test runs once more in a network and mount namespace of its own, with its own
//! loopback interface, hosts and name servers.
//!
//! Where the system doesn't permit such namespaces, the tests say SKIPPED and pass: no program could be
//! installed that would change it. tests/hostile/network.rs and tests/transport/tcp.rs have what the loopback
//! interface can stand in for.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::peers::{free_port, program, tell_skipped};
use crate::support::run::{Output, Run};
use crate::support::scripted::{Gate, ScriptedServer, frame};

/// Runs the test's body in namespaces of its own.
#[track_caller]
fn alone(test: &str, body: impl FnOnce()) {
    const INSIDE: &str = "WSTAP_TEST_NAMESPACE";
    if std::env::var_os(INSIDE).is_some() {
        sh("ip link set lo up");
        return body();
    }
    let (Some(unshare), Some(_)) = (program("unshare"), program("ip")) else { return };
    let mut alone = Command::new(unshare);
    alone.args(["--map-root-user", "--net", "--mount", "/bin/sh", "-c"]);
    let probe = "ip link set lo up && mount --bind /dev/null /etc/hosts";
    let probe = alone.arg(probe).stdin(Stdio::null()).output().expect("unshare");
    if !probe.status.success() {
        let why = String::from_utf8_lossy(&probe.stderr).trim().to_owned();
        return tell_skipped(&format!(
            "{test}: this system permits no namespaces of our own: {why}"
        ));
    }
    // As libtest calls it: without the name of this program.
    let path = format!("{}::{test}", module_path!().split_once("::").expect("a module").1);
    let output = Command::new(alone.get_program())
        .args(["--map-root-user", "--net", "--mount"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", &path, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare");
    let (out, err) = (&output.stdout, &output.stderr);
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    assert!(output.status.success(), "in namespaces of its own:\n{out}\n{err}");
    assert!(out.contains("1 passed"), "the test was not run:\n{out}\n{err}");
}

#[track_caller]
fn sh(command: &str) {
    let output = Command::new("/bin/sh").args(["-c", command]).output().expect("a shell");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {complaint}");
}

/// What is sent to 192.0.2.9 and 2001:db8::9 is lost without a word.
fn black_holes() {
    sh("ip addr add 192.0.2.1/32 dev lo && ip route add 192.0.2.0/24 dev lo");
    sh("ip addr add 2001:db8::1/128 dev lo nodad && ip -6 route add 2001:db8::/64 dev lo");
}

/// Puts a text in the place of a file of the system, for this namespace only.
fn replace(home: &Home, file: &str, text: &str) {
    let name = Path::new(file).file_name().expect("a name").to_string_lossy().into_owned();
    let ours = home.file(&name, text);
    sh(&format!("mount --bind {} {file}", ours.display()));
}

fn echo() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    })
}

/// The seconds from the start to an event of `--json`.
fn seconds(output: &Output, event: &str) -> f64 {
    let events: Vec<serde_json::Value> =
        output.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let found = events.iter().find(|e| e["type"] == event).expect("that event");
    found["t"].as_f64().expect("a time")
}

#[test]
fn a_dead_ipv6_costs_less_than_half_a_second() {
    alone("a_dead_ipv6_costs_less_than_half_a_second", || {
        black_holes();
        let home = Home::new();
        replace(&home, "/etc/hosts", "2001:db8::9 dual.example\n127.0.0.1 dual.example\n");
        let server = echo();
        let url = format!("ws://dual.example:{}/", server.port());
        let output = Run::new(["--json", "-E", &url]).run().expect_code(0);
        let tried = output.text().contains("[2001:db8::9]");
        assert!(tried, "IPv6 goes first: {}", output.text());
        let took = seconds(&output, "connected");
        assert!((0.25..0.5).contains(&took), "connected after {took} s");
        // Nobody waits for what was not asked for.
        let output = Run::new(["--json", "-E", "-4", &url]).run().expect_code(0);
        assert!(!output.text().contains("2001:db8"), "{}", output.text());
        assert!(seconds(&output, "connected") < 0.25);
        let run = Run::new(["-6", "--connect-timeout", "500ms", &url]);
        run.run().expect_failure(11, "connect: ").expect_stderr("[2001:db8::9]");
    });
}

#[test]
fn a_black_hole_ends_at_the_connect_timeout() {
    alone("a_black_hole_ends_at_the_connect_timeout", || {
        black_holes();
        for host in ["192.0.2.9", "[2001:db8::9]"] {
            let url = format!("ws://{host}:9/");
            let run = Run::new(["--connect-timeout", "500ms", &url]);
            let output = run.run().expect_failure(11, "connect: no answer from ");
            let elapsed = output.elapsed.as_secs_f64();
            assert!((0.5..3.0).contains(&elapsed), "{elapsed} s");
            let process = Run::new(["-v", &url]).start();
            process.wait_stderr("connecting to");
            let begun = Instant::now();
            process.signal(Signal::INT);
            process.wait().expect_code(130);
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        }
    });
}

/// A name server that hears everything and says nothing.
struct DeafServer(UdpSocket);

impl DeafServer {
    fn start(home: &Home) -> DeafServer {
        replace(home, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
        replace(home, "/etc/nsswitch.conf", "hosts: files dns\n");
        let socket = UdpSocket::bind("127.0.0.1:53").expect("port 53 of this namespace");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        DeafServer(socket)
    }

    /// Waits for a question; gives the type that it asks for (RFC 1035 §4.1.2).
    fn question(&self) -> u16 {
        let mut packet = [0; 512];
        let length = self.0.recv(&mut packet).expect("a question");
        let mut at = 12;
        while packet[at] != 0 {
            at += 1 + usize::from(packet[at]);
        }
        assert!(at + 5 <= length);
        u16::from_be_bytes([packet[at + 1], packet[at + 2]])
    }

    /// The types of all that wait.
    fn rest(&self) -> Vec<u16> {
        self.0.set_nonblocking(true).expect("a socket");
        let mut types = Vec::new();
        while self.0.peek(&mut [0; 1]).is_ok() {
            types.push(self.question());
        }
        self.0.set_nonblocking(false).expect("a socket");
        types
    }
}

#[test]
fn a_name_server_that_says_nothing_holds_up_nobody() {
    alone("a_name_server_that_says_nothing_holds_up_nobody", || {
        const A: u16 = 1;
        const AAAA: u16 = 28;
        let home = Home::new();
        let server = DeafServer::start(&home);
        for (flags, wanted) in [(&[][..], &[A, AAAA][..]), (&["-4"], &[A]), (&["-6"], &[AAAA])] {
            let args = ["--connect-timeout", "500ms", "ws://silent.example/"];
            let run = Run::new(flags.iter().copied().chain(args));
            let output = run.run().expect_failure(11, "resolve: no answer for silent.example");
            let elapsed = output.elapsed.as_secs_f64();
            assert!((0.5..3.0).contains(&elapsed), "{elapsed} s");
            let mut types = server.rest();
            types.sort();
            types.dedup();
            assert_eq!(types, wanted, "{flags:?}");
        }
        let process = Run::new(["ws://silent.example/"]).start();
        server.question();
        let begun = Instant::now();
        process.signal(Signal::INT);
        process.wait().expect_code(130);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    });
}

#[test]
fn a_name_server_that_is_not_there_is_exit_3() {
    alone("a_name_server_that_is_not_there_is_exit_3", || {
        let home = Home::new();
        replace(&home, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
        replace(&home, "/etc/nsswitch.conf", "hosts: files dns\n");
        let run = Run::new(["ws://some.example/"]);
        run.run().expect_failure(3, "resolve: some.example: ").expect_stderr("--resolve");
    });
}

#[test]
fn each_of_twenty_addresses_that_fail_is_listed() {
    alone("each_of_twenty_addresses_that_fail_is_listed", || {
        let home = Home::new();
        let addresses: Vec<String> =
            (1..=10).flat_map(|n| [format!("127.0.1.{n}"), format!("fd00::{n:x}")]).collect();
        sh("for n in 1 2 3 4 5 6 7 8 9 a; do ip addr add fd00::$n/128 dev lo nodad; done");
        let hosts: String = addresses.iter().map(|a| format!("{a} many.example\n")).collect();
        replace(&home, "/etc/hosts", &hosts);
        let port = free_port();
        let output = Run::new([format!("ws://many.example:{port}/")]).run();
        let output = output.expect_failure(4, "connect: none of the 20 addresses");
        for address in addresses {
            let shown = match address.contains(':') {
                true => format!("[{address}]:{port}: connection refused"),
                false => format!("{address}:{port}: connection refused"),
            };
            assert!(output.stderr.contains(&shown), "{shown}: {}", output.stderr);
        }
    });
}

#[test]
fn a_pulled_cable_is_named() {
    alone("a_pulled_cable_is_named", || {
        let gate = Gate::new();
        let waits = gate.clone();
        let server = ScriptedServer::start(move |peer| {
            peer.accept();
            peer.send(frame(0x1, "hello"));
            waits.wait();
        });
        let args = ["--ping-interval", "200ms", "--ping-timeout", "500ms"];
        let url = format!("ws://127.0.0.1:{}/", server.port());
        let process = Run::new(args.into_iter().chain([url.as_str()])).stdin_held_open("").start();
        process.wait_stdout("hello\n");
        sh("ip link set lo down");
        let output = process.wait();
        // The server's end must come out of it, too.
        sh("ip link set lo up");
        gate.open();
        output.expect_code(11).expect_stderr("no pong for");
    });
}

#[test]
fn a_link_local_address_needs_its_zone() {
    alone("a_link_local_address_needs_its_zone", || {
        sh("ip link add left type veth peer name right && ip link set left up");
        sh("ip addr add fe80::77/64 dev left nodad");
        let server = Run::new(["serve", "[::]:0"]).start();
        server.wait_stdout("\n");
        let line = server.stdout.text();
        let port = line.trim().rsplit(':').next().expect("a port").trim_end_matches('/');
        for zone in ["%25left", "%left"] {
            let url = format!("ws://[fe80::77{zone}]:{port}/");
            let run = Run::new(["-v", "-n1", &url]).stdin("hello\n");
            let output = run.run().expect_code(0).expect_stdout("hello\n");
            assert!(output.stderr.contains("Host: [fe80::77]:"), "{}", output.stderr);
        }
        let run = Run::new([format!("ws://[fe80::77%25nosuch]:{port}/")]);
        run.run().expect_failure(2, "resolve: no interface \"nosuch\"").expect_stderr("ip link");
        // Without a zone the kernel doesn't know where to.
        Run::new([format!("ws://[fe80::77]:{port}/")]).run().expect_failure(4, "connect: ");
    });
}
