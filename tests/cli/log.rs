//! `--log` on the binary: the events in a file, beside any view; what a file can do wrong.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags};
use serde_json::Value;

use crate::support::home::Home;
use crate::support::run::{Output, Run};
use crate::support::schema::{SCHEMA, check};
use crate::support::scripted::{Gate, ScriptedServer, close_frame, frame};

fn echoing() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    })
}

/// Sends a line to an echo, with this log.
fn logged(log: &Path, args: &[&str]) -> Output {
    let server = echoing();
    let url = server.url();
    let log = log.to_str().unwrap();
    let args = [&["--log", log, "-n", "1"], args, &[url.as_str()]].concat();
    Run::new(args).stdin("hi\n").run()
}

fn events(log: &Path) -> Vec<Value> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let text = fs::read_to_string(log).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        check(&schema, &schema, event).unwrap_or_else(|why| panic!("{why}: {event}"));
    }
    events
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn every_event_is_in_it_whatever_is_shown() {
    let home = Home::new();
    for args in [&[][..], &["-q"], &["--output", "hex"], &["-v"]] {
        let log = home.path().join(format!("log{}", args.join("")));
        let output = logged(&log, args).expect_code(0);
        let wanted = if args.contains(&"hex") { "6869\n" } else { "hi\n" };
        let output = output.expect_stdout(wanted);
        assert_eq!(output.stderr.is_empty(), !args.contains(&"-v"), "{}", output.stderr);
        let events = events(&log);
        let found = types(&events);
        assert_eq!(found.iter().filter(|kind| **kind == "message").count(), 2, "{found:?}");
        for kind in ["connected", "request", "handshake", "open", "close", "closed"] {
            assert!(found.contains(&kind), "no {kind}: {found:?}");
        }
        assert_eq!((found.last(), &events.last().unwrap()["exit"]), (Some(&"summary"), &0.into()));
    }
}

#[test]
fn it_has_what_json_prints() {
    let home = Home::new();
    let log = home.path().join("log");
    let output = logged(&log, &["--json", "-vv"]).expect_code(0);
    assert_eq!(output.text(), fs::read_to_string(&log).unwrap());
    assert!(types(&events(&log)).contains(&"frame"), "-vv is for the log, too");
}

#[test]
fn a_second_run_goes_on_behind_the_first() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let log = home.path().join("log");
    logged(&log, &[]).expect_code(0);
    logged(&log, &[]).expect_code(0);
    let events = events(&log);
    assert_eq!(types(&events).iter().filter(|kind| **kind == "summary").count(), 2);
    let mode = fs::metadata(&log).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "what others say may be private");
}

#[test]
fn secrets_are_hidden_in_it() {
    let home = Home::new();
    for (args, shown) in [(&[][..], false), (&["--show-secrets"], true)] {
        let log = home.path().join(format!("log{shown}"));
        logged(&log, &[&["--bearer", "geheim"], args].concat()).expect_code(0);
        let text = fs::read_to_string(&log).unwrap();
        assert_eq!((text.contains("geheim"), text.contains("***")), (shown, !shown), "{text}");
    }
}

#[test]
fn what_cannot_be_opened_ends_it_before_anything_is_sent() {
    let home = Home::new();
    let fifo = home.path().join("fifo");
    rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .unwrap();
    for (path, why) in [
        (home.path().join("no/log"), "there is no such folder"),
        (home.path().to_owned(), "it is a folder"),
        (fifo, "nobody reads it"),
    ] {
        let server = echoing();
        let path = path.to_str().unwrap();
        let output = Run::new(["--log", path, "--json", &server.url()]).stdin("hi\n").run();
        let output =
            output.expect_failure(13, &format!("output: can't open the log {path}: {why}"));
        let summary: Value = serde_json::from_str(&output.text()).unwrap();
        assert_eq!(summary["exit"], 13);
        assert_eq!(server.seen().connections, 0);
    }
    let output = Run::new(["--log", "-", "ws://localhost:1/"]).run();
    output.expect_failure(2, "usage: --log needs a file").expect_stderr("--json");
}

#[test]
fn a_full_disk_ends_the_session_in_order() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        assert_eq!(peer.frames_until_close().last().unwrap().close_code(), Some(1000));
        peer.send(close_frame(1000, ""));
    });
    let output = Run::new(["--log", "/dev/full", &server.url()]).stdin_held_open("").run();
    let what = "output: can't write to the log /dev/full: No space left on device";
    output.expect_failure(13, what);
    server.finish();
    // The failure of the run comes first.
    let output = Run::new(["--log", "/dev/full", "ws://127.0.0.1:1/"]).stdin("").run();
    let output = output.expect_code(4);
    output.expect_stderr("connection refused").expect_stderr("can't write to the log");
}

#[test]
fn a_reader_that_takes_nothing_holds_it_up_for_5_seconds() {
    let home = Home::new();
    let fifo = home.path().join("fifo");
    rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .unwrap();
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let _reader = rustix::fs::open(&fifo, flags, Mode::empty()).unwrap();
    let done = Gate::new();
    let gate = done.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        peer.send(frame(0x1, "x".repeat(1 << 20)));
        gate.wait();
    });
    let args = ["--log", fifo.to_str().unwrap(), &server.url()];
    let output = Run::new(args).stdin_held_open("").run();
    done.open();
    let what = format!("output: can't write to the log {}: it took nothing for", fifo.display());
    let output = output.expect_failure(13, &what);
    assert_eq!(output.stdout.len(), (1 << 20) + 1, "what came is printed");
    let range = Duration::from_secs(5)..Duration::from_secs(12);
    assert!(range.contains(&output.elapsed), "{:?}", output.elapsed);
}

#[test]
fn inspect_and_ping_have_it_too() {
    let home = Home::new();
    let server = echoing();
    let log = home.path().join("inspected");
    let args = ["inspect", "--log", log.to_str().unwrap(), &server.url()];
    Run::new(args).run().expect_code(0);
    assert_eq!(types(&events(&log)).last(), Some(&"summary"));
    let server = echoing();
    let log = home.path().join("pinged");
    let args = ["ping", "-c", "1", "--log", log.to_str().unwrap(), &server.url()];
    Run::new(args).run().expect_code(0);
    assert!(types(&events(&log)).contains(&"round-trips"));
}

/// A configuration is tried as a whole, which must not open files.
#[test]
fn the_log_of_a_profile_is_for_that_profile() {
    let home = Home::new();
    let log = home.path().join("log");
    let server = echoing();
    let url = server.url();
    let path = log.display();
    let text = format!("[profile.a]\nurl = '{url}'\nlog = '{path}'\n[profile.b]\nurl = '{url}'\n");
    let config = home.file("config.toml", text);
    let run = |profile| {
        let args = ["--config", config.to_str().unwrap(), "-n", "1", profile];
        Run::new(args).stdin("hi\n").run().expect_code(0)
    };
    run("@b");
    assert!(!log.exists());
    run("@a");
    assert_eq!(types(&events(&log)).last(), Some(&"summary"));
}
