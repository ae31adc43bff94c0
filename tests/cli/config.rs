//! The configuration file and its profiles, with the built binary.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::home::Home;
use crate::support::run::{Output, Run};
use crate::support::scripted::{Request, ScriptedServer, frame};

/// A home with that file, which only its owner can read.
fn home_with(config: &str) -> Home {
    let home = Home::new();
    let place = home.path().join("config/wstap");
    fs::create_dir_all(&place).unwrap();
    home.file("config/wstap/config.toml", config);
    fs::set_permissions(path(&home), Permissions::from_mode(0o600)).unwrap();
    home
}

fn path(home: &Home) -> PathBuf {
    home.path().join("config/wstap/config.toml")
}

fn server() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "hello"));
        peer.echo();
    })
}

/// Runs in that home, and gives what was asked of the server, too.
#[track_caller]
fn ask(server: ScriptedServer, home: &Home, args: &[&str]) -> (Output, Request) {
    let output = Run::new(args).home(home).stdin_held_open("").run().expect_code(0);
    let seen = server.finish();
    (output, seen.requests[0].clone())
}

fn named<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
    let same = request.headers().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    same.map(|(_, value)| value).collect()
}

#[test]
fn a_profile_over_the_defaults_and_the_command_line_over_it() {
    let server = server();
    let home = home_with(&format!(
        "[defaults]\ncount = 7\nheader = ['A: default', 'B: default', 'C: default']\nuser-agent = 'd'\n\
         [profile.staging]\nurl = '{}x?y'\nheader = ['B: profile', 'C: profile']\n\
         subprotocol = ['p']\nuser = 'me:hunter2'\nno-deflate = true\n",
        server.url()
    ));
    let args = ["@staging", "-H", "C: typed", "-n", "1", "--bearer", "t0ken", "--no-config"];
    let (output, request) = ask(server, &home, &args[..7]);
    output.expect_stdout("hello\n");
    assert_eq!(request.line(), "GET /x?y HTTP/1.1");
    for (name, values) in [
        ("a", &["default"][..]),
        ("b", &["profile"]),
        ("c", &["typed"]),
        ("user-agent", &["d"]),
        ("sec-websocket-protocol", &["p"]),
        ("authorization", &["Bearer t0ken"]),
        ("sec-websocket-extensions", &[]),
    ] {
        assert_eq!(named(&request, name), values, "{name}\n{}", request.head);
    }
    let refused = Run::new(args).home(&home).run();
    refused.expect_failure(2, "usage: the profile \"staging\" needs the configuration file");
}

#[test]
fn defaults_are_for_every_connection_and_can_be_left_out() {
    let home = home_with("[defaults]\njson = true\nheader = 'A: 1'\n");
    let first = server();
    let url = first.url();
    let (output, request) = ask(first, &home, &[&url, "-n", "1"]);
    assert!(output.text().contains("{\"type\":\"message\""), "{}", output.text());
    assert_eq!(named(&request, "a"), ["1"]);
    // What can't go together with something typed gives way.
    let second = server();
    let url = second.url();
    ask(second, &home, &[&url, "-n", "1", "--output", "hex"]).0.expect_stdout("68656c6c6f\n");
    let third = server();
    let url = third.url();
    let (output, request) = ask(third, &home, &["--no-config", &url, "-n", "1"]);
    output.expect_stdout("hello\n");
    assert_eq!(named(&request, "a"), [""; 0]);
    // Other verbs have the options that they have.
    let fourth = server();
    let url = fourth.url();
    let (output, request) = ask(fourth, &home, &["inspect", &url]);
    assert!(output.text().contains("\"type\":\"summary\""), "{}", output.text());
    assert_eq!(named(&request, "a"), ["1"]);
    Run::new(["explain", "1000"]).home(&home).run().expect_code(0);
    Run::new(["demo", "-x", "hi", "-n", "1", "--output", "line"])
        .home(&home)
        .stdin_held_open("")
        .run()
        .expect_code(0)
        .expect_stdout("hi\n");
}

#[test]
fn another_file_can_be_given() {
    let server = server();
    let home = home_with("this is not TOML");
    let other = format!("[profile.x]\nurl = '{}'\nbearer = '@token'\n", server.url());
    fs::create_dir(home.path().join("other")).unwrap();
    home.file("other/c.toml", other);
    // Paths begin at the file, not at the current folder.
    home.file("other/token", "right\n");
    home.file("token", "wrong\n");
    let (_, request) = ask(server, &home, &["--config", "other/c.toml", "@x", "-n", "1"]);
    assert_eq!(named(&request, "authorization"), ["Bearer right"]);
    let missing = Run::new(["--config", "nowhere.toml", "@x"]).home(&home).run();
    missing.expect_failure(13, "input: can't read nowhere.toml");
}

#[test]
fn the_current_folder_has_no_say() {
    let home = Home::new();
    let bad = "[defaults]\nnonsense = 1\n";
    for place in ["wstap", ".config/wstap"] {
        fs::create_dir_all(home.path().join(place)).unwrap();
    }
    for name in ["config.toml", "wstap.toml", ".wstap.toml", "wstap/config.toml"] {
        home.file(name, bad);
    }
    let server = server();
    let url = server.url();
    // The specification says of a relative path: ignore it.
    let run = Run::new([&url, "-n", "1"]).home(&home).env("XDG_CONFIG_HOME", ".");
    run.stdin_held_open("").run().expect_code(0).expect_stdout("hello\n");
    server.finish();
    home.file(".config/wstap/config.toml", bad);
    let run = Run::new([&url, "-n", "1"]).home(&home).env("XDG_CONFIG_HOME", "");
    run.run().expect_code(2).expect_stderr(".config/wstap/config.toml:2: nonsense: ");
}

#[test]
fn what_is_wrong_is_one_line_with_its_place() {
    let at = |home: &Home, rest: &str| format!("usage: {}:{rest}", path(home).display());
    for (config, rest) in [
        ("[defaults]\nmax-tme = 3\n", "2: max-tme: the keys are the long options"),
        ("[defaults]\n\nmax-time = 'soon'\n", "3: max-time: invalid value 'soon'"),
        ("[defaults]\npretty = 1\n", "2: pretty: it is true or false"),
        ("[profile.a]\nurl = 'ws://h'\nproxy = 'ftp://p'\n", "3: proxy: proxy ftp://p: only"),
        ("[profile.a]\nbearer = '@token'\n", "1: [profile.a]: url is missing"),
        ("[defaults\n", "1: "),
        ("[defaults]\nheader = 'A: \u{1b}[2J'", "2: "),
    ] {
        let home = home_with(config);
        let output = Run::new(["ws://localhost:1"]).home(&home).run();
        let output = output.expect_failure(2, &at(&home, rest));
        assert!(!output.stderr.contains(['\u{1b}', '\u{9b}']), "{}", output.stderr);
    }
    let home = home_with("[defaults]\nheader = \"A: \\u001b[2J\"");
    let output = Run::new(["ws://localhost:1"]).home(&home).run();
    let output =
        output.expect_failure(2, &at(&home, "2: header: the header \"A: \\x1b[2J\" has a"));
    assert!(!output.stderr.contains('\u{1b}'), "{}", output.stderr);
    fs::write(path(&home), [0xff]).unwrap();
    Run::new(["ws://localhost:1"]).home(&home).run().expect_failure(13, "input: can't read ");
}

#[test]
fn profiles_that_are_not_there() {
    let home =
        home_with("[profile.staging]\nurl = 'ws://h'\n[profile.\"p\\u001b\"]\nurl = 'ws://h'\n");
    let output = Run::new(["@stagin"]).home(&home).run();
    output
        .expect_failure(2, "usage: there is no profile \"stagin\" in ")
        .expect_stderr("hint: profiles: p\\x1b, staging\n");
    let none = Home::new();
    let output = Run::new(["inspect", "@staging"]).home(&none).run();
    output.expect_failure(2, "usage: the profile \"staging\" needs the configuration file");
}

#[test]
fn secrets_that_others_can_read_are_warned_of() {
    for (config, mode, warned) in [
        ("bearer = 'hunter2'", 0o644, true),
        ("header = ['Authorization: hunter2']", 0o640, true),
        ("bearer = 'hunter2'", 0o600, false),
        ("header = ['A: b']", 0o644, false),
    ] {
        let home = home_with(&format!("[defaults]\n{config}\n"));
        fs::set_permissions(path(&home), Permissions::from_mode(mode)).unwrap();
        let server = server();
        let url = server.url();
        let (output, _) = ask(server, &home, &[&url, "-n", "1"]);
        assert_eq!(
            output.stderr.contains("others can read the secrets"),
            warned,
            "{config} {mode:o}"
        );
        assert!(!output.stderr.contains("hunter2"), "{}", output.stderr);
    }
}
