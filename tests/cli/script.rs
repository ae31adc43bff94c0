//! `wstap run`: scripts as tests of a server.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use wstap::commands::demo;

use crate::support::home::Home;
use crate::support::run::{Output, Run};
use crate::support::schema::check;
use crate::support::scripted::{ScriptedServer, close_frame, frame};

const PAGE: &str = include_str!("../../docs/scripts.md");
const CI: &str = include_str!("../../docs/ci.md");
const SCHEMA: &str = include_str!("../../docs/scripts.schema.json");

/// Runs a script that is called `t.wst`.
fn run(script: &str, args: &[&str]) -> Output {
    start(script, args).run()
}

fn start(script: &str, args: &[&str]) -> Run {
    let home = Home::new();
    fs::write(home.path().join("t.wst"), script).unwrap();
    Run::new(["run", "t.wst"].iter().chain(args)).home(&home)
}

/// Runs it against an echo server.
fn echoed(script: &str, args: &[&str]) -> Output {
    let server = demo::server().unwrap();
    run(script, &[&["--url", server.url()], args].concat())
}

#[test]
fn every_example_of_the_page_passes() {
    let mut rest = PAGE;
    let mut count = 0;
    while let Some((_, behind)) = rest.split_once("\n```wst\n") {
        // A payload of several lines has fences of its own.
        let end = behind.find("\n```\n\n").unwrap();
        let output = echoed(&behind[..end], &[]);
        assert_eq!(output.code(), 0, "{}\n{}", &behind[..end], output.text());
        rest = &behind[end..];
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn a_failure_is_shown_as_on_the_page() {
    let script = "connect bob {{url}}\nbob> {\"type\":\"said\",\"text\":\"hi\",\"from\":\"u17\"}\n\
        bob> {\"type\":\"welcome\"}\nbob<?(200ms) {\"type\":\"said\",\"text\":\"hi\",\"from\":\"u16\"}\n";
    let output = echoed(script, &[]).expect_code(1);
    let text = output.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("FAIL t.wst:4 t ("), "{text}");
    assert_eq!(
        lines[1],
        "   4 | bob<?(200ms) {\"type\":\"said\",\"text\":\"hi\",\"from\":\"u16\"}"
    );
    assert_eq!(lines[2], "     |              ^ no such message within 200 ms; 2 others came");
    let at = lines[3].find("\"u17\"").unwrap();
    assert!(lines[3].starts_with("  nearest (0.0"), "{text}");
    assert_eq!(lines[4], format!("{}- \"u16\"", " ".repeat(at)));
    assert_eq!(lines[5], format!("{}+ \"u17\"", " ".repeat(at)));
    assert!(
        lines[6].starts_with("  also came:  0.0") && lines[6].ends_with("{\"type\":\"welcome\"}")
    );
    assert!(lines[7].starts_with("  last:  0.0"), "{text}");
    assert_eq!(lines[8], "  again:  wstap run t.wst --only t");
    assert!(lines[9].starts_with("1 test: 0 passed, 1 failed ("), "{text}");
}

#[test]
fn a_limit_is_kept_to_the_point() {
    let script = "connect {{url}}\nwithin 300ms\n<*\n";
    let output = echoed(script, &["--json"]).expect_code(1);
    let line = output.text().lines().rev().nth(1).unwrap().to_owned();
    let end: Value = serde_json::from_str(&line).unwrap();
    let took = end["took"].as_f64().unwrap();
    assert!((0.3..0.45).contains(&took), "{line}");
}

#[test]
fn two_connections_and_what_each_gets() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, format!("hello {}", peer.number()).as_bytes()));
        peer.send(frame(0x9, b"early"));
        peer.frame();
        peer.send(close_frame(4001, "done"));
        peer.frame();
    });
    // The server takes one client after the other: the first one's messages wait meanwhile.
    let script = "connect a {{url}}\na< hello 1\na expect ping early\na> x\na expect close 4001 \"done\"\n\
        connect a {{url}}\na<~ ^hello (?<n>\\d)\na> {{n}}\na expect close 4001 ~ ^d\n";
    run(script, &["--url", &server.url()]).expect_code(0);
    let seen = server.finish();
    assert_eq!(seen.connections, 2);
}

#[test]
fn refusals_are_judged() {
    let server = ScriptedServer::start(|peer| {
        peer.request();
        peer.send(
            "HTTP/1.1 429 Too Many\r\nRetry-After: 5\r\nContent-Length: 20\r\n\r\n{\"code\":7,\"why\":\"x\"}",
        );
    });
    let url = server.url();
    let good = "connect {{url}}\nexpect status 429\n    header: Retry-After: 5\n    body json {\"code\":7.0}\n    body ~ why\n";
    run(good, &["--url", &url]).expect_code(0);
    for (expected, says) in [
        ("expect status 403", "the server answered 429 Too Many"),
        ("expect status 429\n    header: Retry-After: 6", "Retry-After is 5"),
        ("expect status 429\n    body json {\"code\":8}", ".code is another value"),
        ("expect status 429\n    body ~ ^$", "no match in it"),
        (
            "> x",
            "handshake: upgrade refused: the server answered 429 Too Many instead of 101 (exit code 6)",
        ),
    ] {
        let output = run(&format!("connect {{{{url}}}}\n{expected}\n"), &["--url", &url]);
        let text = output.expect_code(1).text();
        assert!(text.contains(says), "{text}");
    }
    let nobody = run("connect ws://127.0.0.1:1\n> x\n", &[]).expect_code(1);
    assert!(nobody.text().contains("connect: ") && nobody.text().contains("(exit code 4)"));
}

#[test]
fn ends_that_nothing_expected_are_failures() {
    let broken = |bytes: &'static [u8]| {
        ScriptedServer::start(move |peer| {
            peer.accept();
            peer.send(frame(0x1, b"hi"));
            peer.send(bytes);
        })
    };
    let cut = broken(b"");
    let reserved = broken(b"\x83\x00");
    let policy = broken(b"\x88\x02\x03\xf0");
    for (server, expects, says) in [
        (&cut, "expect cut", "it was cut without a Close frame (1006)"),
        (&reserved, "expect violation 5.2", "a reserved opcode"),
        (&policy, "expect close 1008", "the peer closed with 1008 (policy violation)"),
    ] {
        let script = format!("connect {{{{url}}}}\n< hi\n{expects}\n");
        run(&script, &["--url", &server.url()]).expect_code(0);
        let output = run("connect {{url}}\n< hi\nwait 100ms\n", &["--url", &server.url()]);
        let text = output.expect_code(1).text();
        assert!(text.contains("failed, which nothing expected") && text.contains(says), "{text}");
        let late = run("connect {{url}}\n< hi\n< more\n", &["--url", &server.url()]).expect_code(1);
        assert!(late.text().contains("no message will come"), "{}", late.text());
    }
    let other = run("connect {{url}}\nexpect violation 5.4\n", &["--url", &reserved.url()]);
    assert!(other.expect_code(1).text().contains("a reserved opcode"));
}

#[test]
fn scripts_that_are_wrong_connect_to_nothing() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
    });
    let output = run("connect {{url}}\n> x\nexpcet close\n", &["--url", &server.url()]);
    output.expect_failure(2, "usage: t.wst:3:1: found \"expcet\", expected a statement");
    let output = run("connect {{url}}\n", &[]);
    output.expect_failure(2, "usage: t.wst:1:9: the variable url is not set");
    assert_eq!(server.finish().connections, 0);
    Run::new(["run", "none.wst"]).run().expect_failure(2, "usage: can't read none.wst: ");
    let none = run("test \"a\"\n", &["--only", "b"]);
    none.expect_failure(2, "usage: no test is selected");
}

#[test]
fn tests_are_selected_listed_and_checked() {
    let script = "test \"one\"\ntags: quick\nconnect {{url}}/{{env.WSTAP_NONE}}\ntest \"two\"\nconnect {{url}}\n";
    let listed = |args: &[&str]| run(script, args).expect_code(0).text();
    assert_eq!(listed(&["--list"]), "t.wst:1 one [quick]\nt.wst:4 two\n");
    assert_eq!(listed(&["--list", "--tag", "quick"]), "t.wst:1 one [quick]\n");
    assert_eq!(listed(&["--list", "--skip-tag", "quick"]), "t.wst:4 two\n");
    assert_eq!(listed(&["--list", "--only", "^t"]), "t.wst:4 two\n");
    assert_eq!(listed(&["--check"]), "");
    run(script, &["--url", "ws://h"])
        .expect_failure(2, "usage: t.wst:3:17: the environment variable");
}

#[test]
fn folders_are_searched() {
    let home = Home::new();
    fs::create_dir_all(home.path().join("d/e")).unwrap();
    for name in ["d/b.wst", "d/e/a.wst", "d/note.txt"] {
        fs::write(home.path().join(name), "wait 1ms\n").unwrap();
    }
    let output = Run::new(["run", "d", "--list"]).home(&home).run().expect_code(0);
    assert_eq!(output.text(), "d/b.wst:1 b\nd/e/a.wst:1 a\n");
    let output = Run::new(["test", "d", "-j4"]).home(&home).run().expect_code(0);
    assert!(output.text().contains("2 tests: 2 passed ("), "{}", output.text());
}

#[test]
fn secrets_are_in_no_report() {
    let server = demo::server().unwrap();
    let home = Home::new();
    fs::write(home.path().join("v.env"), "PASSWORD='hunter2 \"x\"'\n").unwrap();
    fs::write(
        home.path().join("t.wst"),
        "test \"a\"\nconnect {{url}}/?q={{env.TOKEN}}\n    header: X-Own: {{env.TOKEN}}\n\
         > {\"p\":\"{{PASSWORD | json}}\",\"t\":\"{{env.TOKEN}}\"}\n< {\"p\":\"{{env.TOKEN}}\"}\n\
         test \"b\"\nconnect {{url}}\n> {{PASSWORD}}\n",
    )
    .unwrap();
    for (args, shown) in [
        (&["-v"][..], false),
        (&["--json", "-vv"], false),
        (&["--tap"], false),
        (&["--junit", "j.xml", "-v"], false),
        (&["-v", "--show-secrets"], true),
    ] {
        let base = ["run", "t.wst", "--url", server.url(), "--vars", "v.env"];
        let run = Run::new(base.iter().chain(args)).home(&home).env("TOKEN", "s3cr3t-token");
        let output = run.run().expect_code(1);
        let junit = fs::read_to_string(home.path().join("j.xml")).unwrap_or_default();
        let all = format!("{}{}{junit}", output.text(), output.stderr);
        for secret in ["hunter2", "s3cr3t"] {
            assert_eq!(all.contains(secret), shown, "{args:?} {secret}\n{all}");
        }
        assert!(shown || all.contains("***"), "{all}");
    }
}

#[test]
fn variables_win_in_their_order() {
    let home = Home::new();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
    write("a.toml", "x = 'toml'\ny = 'toml'\n");
    write("b.env", "y=env\nz=env\n");
    write(
        "t.wst",
        "var x = 1\nvar w = own\nconnect {{url}}\n> {{w}} {{x}} {{y}} {{z}}\n<= own toml env typed\n",
    );
    let server = demo::server().unwrap();
    let args = ["run", "t.wst", "--vars", "a.toml", "--vars", "b.env", "--var", "z=typed"];
    let url = format!("url={}", server.url());
    Run::new(args.iter().chain(&["--var", &url])).home(&home).run().expect_code(0);
}

#[test]
fn options_hold_for_all_and_a_connections_own_count_more() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
    });
    let script = "connect {{url}}\nexpect cut\nconnect {{url}}\n    origin: https://own\n    header: X-A: own\nexpect cut\n";
    let args = ["--url", &server.url(), "-o", "https://all", "-H", "X-A: all", "-H", "X-B: all"];
    run(script, &args).expect_code(0);
    let requests = server.finish().requests;
    let of = |index: usize, name: &str| requests[index].header(name).map(str::to_owned);
    assert_eq!(of(0, "origin").as_deref(), Some("https://all"));
    assert_eq!(of(1, "origin").as_deref(), Some("https://own"));
    assert_eq!((of(0, "x-a").unwrap(), of(1, "x-a").unwrap()), ("all".into(), "own".into()));
    assert_eq!(of(1, "x-b").as_deref(), Some("all"));
}

#[test]
fn a_test_that_passes_later_is_flaky() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        let answer = if peer.number() < 3 { "no" } else { "yes" };
        peer.send(frame(0x1, answer.as_bytes()));
        peer.frame();
    });
    let output = run("connect {{url}}\n< yes\n", &["--url", &server.url(), "--retry", "3"]);
    let text = output.expect_code(0).text();
    assert!(text.contains(", flaky: passed at attempt 3)"), "{text}");
    assert!(text.contains("1 test: 1 passed, 1 flaky ("), "{text}");
}

#[test]
fn fail_fast_and_shuffle() {
    let script: String =
        (0..9).map(|n| format!("test \"t{n}\"\nconnect {{{{url}}}}\n> x\n< y\n")).collect();
    let output = echoed(&script, &["--fail-fast"]).expect_code(1);
    assert!(
        output.text().contains("1 test: 0 passed, 1 failed, 8 left out ("),
        "{}",
        output.text()
    );
    let order = |seed: &str| {
        let text = echoed(&script, &[seed]).expect_code(1).text();
        assert!(text.contains(&format!(", seed {})", &seed[10..])), "{text}");
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("FAIL "))
            .map(|line| line.split(' ').nth(1).unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(order("--shuffle=7"), order("--shuffle=7"));
    assert_ne!(order("--shuffle=7"), order("--shuffle=8"));
}

#[test]
fn json_is_what_the_schema_says() {
    let output = echoed(
        "test \"good\"\nconnect alice {{url}}\nalice> x\nalice< x\nalice/ping\nalice expect pong\n\
         test \"bad\"\nconnect {{url}}\n> x\n< y\ntest \"refused\"\nconnect ws://127.0.0.1:1\n",
        &["--json", "-vv"],
    );
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let output = output.expect_code(1);
    let text = output.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        check(&schema, &schema, line).unwrap_or_else(|why| panic!("{why}: {line}"));
    }
    let sent = lines.iter().find(|line| line["type"] == "message").unwrap();
    assert_eq!((&sent["connection"], &sent["test"]), (&"alice".into(), &"good".into()));
    let results = lines.last().unwrap();
    assert_eq!((&results["type"], &results["failed"]), (&"results".into(), &2.into()));
    let failed: Vec<&Value> = lines.iter().filter(|line| line["outcome"] == "failed").collect();
    assert_eq!(failed[0]["failure"]["at"], "t.wst:10");
    assert_eq!(
        (&failed[1]["failure"]["stage"], &failed[1]["failure"]["exit"]),
        (&"connect".into(), &4.into())
    );
    assert!(output.stderr.contains("FAIL t.wst:10 bad"), "{}", output.stderr);
}

#[test]
fn junit_and_tap() {
    let home = Home::new();
    let server = demo::server().unwrap();
    fs::write(
        home.path().join("t.wst"),
        "test \"a & b\"\nwait 1ms\ntest \"bad\"\nconnect {{url}}\n> <x>\n< y\n",
    )
    .unwrap();
    let args = ["run", "t.wst", "--url", server.url(), "--junit", "j.xml", "--tap"];
    let output = Run::new(args).home(&home).run().expect_code(1);
    let tap = output.text();
    assert!(tap.starts_with("TAP version 14\nok 1 - t.wst: a & b\n"), "{tap}");
    assert!(tap.contains("not ok 2 - t.wst: bad\n") && tap.ends_with("1..2\n"), "{tap}");
    let junit = fs::read_to_string(home.path().join("j.xml")).unwrap();
    assert!(
        junit.contains("<testcase classname=\"t.wst\" name=\"a &amp; b\" time=\"0.00"),
        "{junit}"
    );
    assert!(junit.contains("came (0.0") && junit.contains("&lt;x&gt;"), "{junit}");
    let args = ["run", "t.wst", "--url", server.url(), "--report", "html=r.html"];
    Run::new(args).home(&home).run().expect_code(1);
    let page = fs::read_to_string(home.path().join("r.html")).unwrap();
    assert!(
        page.contains("<b class=\"failed\">failed</b> bad") && page.contains("&lt;x&gt;"),
        "{page}"
    );
    Run::new(["run", "t.wst", "--report", "x"]).home(&home).run().expect_code(2);
    let args = ["run", "t.wst", "--url", server.url(), "--junit", "/nowhere/j.xml"];
    Run::new(args).home(&home).run().expect_failure(13, "output: can't write /nowhere/j.xml: ");
}

#[test]
fn signals_and_time_end_the_run_in_order() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        while peer.frame().is_some() {}
    });
    let url = server.url();
    let started = start("connect {{url}}\nwithin 30s\n<*\n", &["--url", &url, "--json"]).start();
    started.wait_stdout("\"type\":\"open\"");
    started.signal(rustix::process::Signal::INT);
    let output = started.wait().expect_code(130);
    assert!(output.elapsed < Duration::from_secs(5));
    assert!(output.text().contains("\"outcome\":\"interrupted\""), "{}", output.text());
    let output = run("connect {{url}}\nwithin 30s\n<*\n", &["--url", &url, "-m", "300ms"]);
    output.expect_failure(11, "session: not done within 0.3 s (--max-time)");
}

#[test]
fn the_run_waits_for_the_server() {
    let gone = run("connect ws://127.0.0.1:1\n", &["--wait-up", "300ms"]);
    gone.expect_failure(11, "connect: the server isn't up (--wait-up): ");
    let server = demo::server().unwrap();
    let script = "connect {{url}}\n> x\n< x\n";
    run(script, &["--wait-up", "5s", "--url", server.url()]).expect_code(0);
    run("wait 1ms\n", &["--wait-up", "1s"]).expect_failure(2, "usage: --wait-up: which server?");
}

#[test]
fn a_recording_passes_when_it_is_played() {
    let server = demo::server().unwrap();
    let home = Home::new();
    let input = [
        r#"{"type":"message","data":"hello"}"#,
        r#"{"type":"message","data":"a\nb {{x}}"}"#,
        r#"{"type":"message","data":"a\r\nb\u0001 "}"#,
        r#"{"type":"message","opcode":"binary","base64":"AP8="}"#,
        r#"{"type":"ping","data":"x y"}"#,
        r#"{"type":"message","data":""}"#,
        r#"{"type":"message","data":"file a"}"#,
        r#"{"type":"message","data":"in several frames","fragment":4}"#,
        r#"{"type":"message","data":"{\"a\":[1]}"}"#,
        r#"{"type":"close","code":4001,"reason":"by \"e\""}"#,
    ]
    .join("\n");
    let url = format!("{}/p?token=s3cr3t", server.url());
    let args =
        ["--input", "json", "--record", "r.wst", "-H", "X-A: b", "--bearer", "hunter2", &url];
    Run::new(args).home(&home).stdin(input).run().expect_code(0);
    let script = fs::read_to_string(home.path().join("r.wst")).unwrap();
    for line in [
        "# a secret is not recorded: in the environment, TOKEN is token in the URL",
        "# a secret is not recorded: in the environment, AUTHORIZATION is the value of the header Authorization",
        "    header: X-A: b",
        ">b hex 00 ff",
        "<b hex 00 ff",
        "/ping x y",
        "expect pong x y",
        "> \\\"file a\"",
        "/close 4001 \"by \"e\"\"",
        "expect close 4001 \"by \\\"e\\\"\"",
    ] {
        assert!(script.lines().any(|is| is == line), "no {line} in\n{script}");
    }
    assert!(!script.contains("s3cr3t") && !script.contains("hunter2"), "{script}");
    let played = Run::new(["run", "r.wst"]).home(&home).env("TOKEN", "a").env("AUTHORIZATION", "b");
    let output = played.run();
    assert_eq!(output.code(), 0, "{script}\n{}", output.text());
}

#[test]
fn the_server_s_part_is_recorded_too() {
    let refusing = ScriptedServer::start(|peer| {
        peer.request();
        peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    });
    let closing = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x9, b"p"));
        peer.send(frame(0x1, b"hi"));
        peer.frame();
        peer.send(close_frame(4002, "done"));
        peer.frame();
    });
    let cutting = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, b"hi"));
    });
    for (server, code, wanted) in [
        (&refusing, 6, "expect status 403\n"),
        (&closing, 10, "expect ping p\n< hi\nexpect close 4002 \"done\"\n"),
        (&cutting, 9, "< hi\nexpect cut\n"),
    ] {
        let home = Home::new();
        let url = server.url();
        let args = ["--record", "r.wst", "-N", &url];
        Run::new(args).home(&home).run().expect_code(code);
        let script = fs::read_to_string(home.path().join("r.wst")).unwrap();
        assert!(script.ends_with(wanted), "{script}");
        Run::new(["run", "r.wst"]).home(&home).run().expect_code(0);
    }
    let args = ["--record", "/nowhere/r.wst", "ws://localhost:1"];
    Run::new(args).run().expect_failure(13, "output: can't open the recording /nowhere/r.wst: ");
}

#[test]
fn a_demonstration() {
    let output = Run::new(["demo", "--script"]).run().expect_code(0);
    let text = output.text();
    assert!(text.starts_with("# A script: > is sent, < is received."), "{text}");
    assert!(text.contains("  0.0") && text.contains(" < pong \"are you there\"\n"), "{text}");
    assert!(text.contains("\n2 tests: 2 passed ("), "{text}");
}

/// Every command of the page is run as it stands there, with the shell's variables set.
#[test]
fn the_commands_for_ci_are_right() {
    let server = demo::server().unwrap();
    let home = Home::new();
    fs::create_dir_all(home.path().join("tests/e2e")).unwrap();
    let script = "test \"a\"\ntags: smoke\nconnect {{url}}/{{env.TOKEN}}\n> x\n< x\n";
    fs::write(home.path().join("tests/e2e/a.wst"), script).unwrap();
    fs::write(home.path().join("ci.env"), "ROOM=lobby\n").unwrap();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_wstap")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let commands: Vec<&str> = CI
        .lines()
        .filter_map(|line| line.find("wstap run ").map(|at| line[at..].trim_end_matches('\'')))
        .filter(|command| command.contains(" tests/"))
        .collect();
    assert!(commands.len() >= 6, "{commands:?}");
    for command in commands {
        let run = Run::program("/bin/sh", ["-ec", command]).home(&home);
        let run = run.env("PATH", &path).env("URL", server.url()).env("TOKEN", "t");
        let output = run.env("SEED", "7").run();
        assert_eq!(output.code(), 0, "{command}\n{}{}", output.text(), output.stderr);
    }
    assert!(home.path().join("junit.xml").exists());
}

/// A server that plays the other side of a script.
fn mock(home: &Home, script: &str) -> (crate::support::run::Process, String) {
    fs::write(home.path().join("m.wst"), script).unwrap();
    let server = Run::new(["serve", ":0", "--from", "m.wst"]).home(home).start();
    server.wait_stdout("\n");
    let url = server.stdout.text().trim().strip_prefix("listening on ").unwrap().to_owned();
    (server, url)
}

const CHAT: &str = "test \"chat\"\nconnect alice {{url}}/chat\n    subprotocol: v1\nalice expect subprotocol v1\n\
    connect bob {{url}}/chat\nalice> {\"type\":\"join\",\"id\":\"{{uuid}}\"}\nalice< {\"type\":\"joined\"}\n    me = .id\n    .members >= 1\n\
    bob<?(2s) {\"type\":\"said\",\"from\":\"{{me}}\"}\nbob<! 50ms\nbob> {{me}} said it\nbob expect ping hello\nalice/close 1000 \"bye\"\n\
    alice expect close 1000\nbob expect close 4001 \"done\"\n\
    test \"outside\"\nconnect {{url}}/private\nexpect status 429\n    header: Retry-After: 5\n    body json {\"why\":\"no\"}\n\
    test \"binary\"\nconnect {{url}}/bytes\nrepeat 2\n>b hex 00 ff\n<b hex 01\nend\nexpect cut\n\
    test \"ticks\"\nconnect {{url}}/ticks\nevery 20ms > tick {{counter}}\n<(1s) first\n> {\"a\": [1, 2]}\n< last\n";

#[test]
fn a_script_passes_against_its_other_side() {
    let home = Home::new();
    let (server, url) = mock(&home, CHAT);
    for _ in 0..2 {
        let output = Run::new(["run", "m.wst", "--url", &url]).home(&home).run();
        assert_eq!(output.code(), 0, "{}\n{}", output.text(), server.stderr.text());
    }
    // JSON is compared as JSON.
    let output =
        Run::new(["-n", "2", "-x", "{\"a\":[1.0,2]}", "-N", &format!("{url}/ticks")]).run();
    output.expect_code(0).expect_stdout("first\nlast\n");
    let output = Run::new(["-N", &format!("{url}/nowhere")]).run().expect_code(6);
    assert!(
        output.stderr.contains("the script has no connection to /nowhere"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_client_that_does_something_else_is_closed_with_4400() {
    let home = Home::new();
    let (server, url) = mock(&home, CHAT);
    for (path, text, begins) in [
        ("/bytes", "text", ">b hex 00"),
        ("/chat", "{\"type\":\"leave\"}", "alice> "),
        ("/ticks", "{\"a\":[1,3]}", "> {"),
    ] {
        let line = CHAT.lines().position(|line| line.starts_with(begins)).unwrap() + 1;
        let line = format!("m.wst:{line}");
        let output = Run::new(["-x", text, "-N", "-w", "5s", &format!("{url}{path}")]).run();
        let output = output.expect_code(10);
        let said = format!(
            "4400 (private use, meaning is the application's): \"{line}: another message came"
        );
        assert!(output.stderr.contains(&said), "{}", output.stderr);
        server.wait_stderr(&format!("{line}: another message came"));
    }
    let regex = "connect {{url}}\n<~ x\n";
    fs::write(home.path().join("r.wst"), regex).unwrap();
    let output = Run::new(["serve", ":0", "--from", "r.wst"]).home(&home).run();
    output.expect_failure(
        2,
        "usage: r.wst:2:4: a server can't make a message of a regular expression",
    );
}
