//! What users of other tools type, newcomers, and hands that slip: each gets the next command line.

use crate::support::run::Run;

/// The words, and what the hints have.
fn expect_hints(args: &[&str], says: &[&str]) {
    let output = Run::new(args).run().expect_code(2);
    assert!(!output.stderr.contains("as a value"), "{args:?}: {}", output.stderr);
    for what in says {
        assert!(output.stderr.contains(what), "{args:?}: no \"{what}\" in {}", output.stderr);
    }
}

const URL: &str = "ws://127.0.0.1:9/";

#[test]
fn connect_is_an_option_too() {
    let server = wstap::commands::demo::server().unwrap();
    for option in ["-c", "--connect"] {
        let output = Run::new([option, server.url(), "-x", "hi", "-n", "1"]).run();
        output.expect_code(0).expect_stdout("hi\n");
    }
    expect_hints(&["-c", URL, URL], &["cannot be used with", "wstap URL"]);
    expect_hints(&["-c"], &["a value is required for '--connect <URL>'"]);
}

#[test]
fn options_of_wscat() {
    for (args, says) in [
        (["-l", "9001"].as_slice(), "wstap serve 127.0.0.1:9001"),
        (&["--listen", "9001"], "wstap serve 127.0.0.1:9001"),
        (&["-P", "-c", URL], "wstap -v URL"),
        (&["--show-ping-pong", "-c", URL], "wstap -v URL"),
        (&["--slash", "-c", URL], "wstap URL"),
        (&["--wait", "3", "-c", URL], "wstap -w 3 URL"),
        (&["--auth", "me:hunter2", "-c", URL], "wstap -u USER:PASSWORD URL"),
        (&["--host", "h", "-c", URL], "wstap -H 'Host: NAME' URL"),
        (&["--execute", "hi", "-c", URL], "wstap -x TEXT URL"),
        (&["--no-check", "-c", URL], "wstap -k URL"),
        (&["-n", "-c", URL], "wstap -k URL"),
        (&["--no-color", "-c", URL], "wstap --color never URL"),
        (&["--ca", "f", "-c", URL], "wstap --cacert FILE URL"),
        (&["--max-redirects", "3", "-c", URL], "wstap -L --max-redirs 3 URL"),
    ] {
        expect_hints(args, &[says]);
        assert!(!Run::new(args).run().stderr.contains("hunter2"), "{args:?}");
    }
}

#[test]
fn options_and_addresses_of_websocat() {
    for (args, says) in [
        (["-1", URL].as_slice(), "wstap -n 1 URL"),
        (&["-0", URL], "wstap --input null --output null URL"),
        (&["-U", URL], "to receive alone: wstap "),
        (&["-u", URL], "to send alone: wstap "),
        (&["--jsonrpc", URL], "\"jsonrpc\":\"2.0\""),
        (&["--oneshot", URL], "wstap -n 1 URL"),
        (&["exec:cat", URL], "PROGRAM | wstap URL"),
        (&[URL, "exec:cat"], "PROGRAM | wstap URL"),
        (&["-", URL], "standard input and output are always used: wstap URL"),
        (&["--text", URL], "messages are text unless -b is given: wstap URL"),
        (&["--protocol", "chat", URL], "wstap -s NAME URL"),
        (&["--basic-auth", "me:hunter2", URL], "wstap -u USER:PASSWORD URL"),
        (&["ws-l:127.0.0.1:9001", "mirror:"], "wstap serve 127.0.0.1:9001"),
        (&["-s", "9001"], "wstap serve 127.0.0.1:"),
        (&["--no-close", URL], "wstap -w forever URL"),
    ] {
        expect_hints(args, &[says]);
    }
}

#[test]
fn options_of_curl() {
    for (args, says) in [
        (["-i", URL].as_slice(), "wstap -v URL"),
        (&["-I", URL], "wstap inspect URL"),
        (&["-X", "GET", URL], "always a GET: wstap URL"),
        (&["-d", "hi", URL], "wstap -x TEXT URL"),
        (&["-e", "http://h", URL], "wstap -H 'Referer: https://HOST/' URL"),
        (&["-T", "file", URL], "<FILE"),
        (&["-x", "http://127.0.0.1:3128", URL], "wstap --proxy http://127.0.0.1:3128 URL"),
        (&["-x", "socks5h://127.0.0.1:1080/", URL], "--proxy socks5h://127.0.0.1:1080/ URL"),
        (&["-xhttp://127.0.0.1:3128", URL], "wstap --proxy http://127.0.0.1:3128 URL"),
        (&["-o", "out.txt", URL], "wstap URL >FILE"),
        (&["-sS", URL], "wstap -q URL"),
        (&["-sSfL", URL], "wstap -q URL"),
        (&["--http1.1", URL], "it is always HTTP/1.1: wstap URL"),
        (&["--retry", "5", URL], "wstap --reconnect=5 URL"),
        (&["--oauth2-bearer", "hunter2", URL], "wstap --bearer TOKEN URL"),
        (&["--url", URL], "wstap URL"),
        (&["--trace-ascii", "-", URL], "wstap -vvv URL"),
        (&["-p", URL], "wstap ws://localhost:8080"),
        (&["--ciphers", "A", URL], "wstap --tlsv1.2 URL"),
    ] {
        expect_hints(args, &[says]);
    }
}

#[test]
fn options_that_are_guessed() {
    for (args, says) in [
        (["--timeout", "3", URL].as_slice(), "wstap --connect-timeout 3 URL"),
        (&["--timeout=3s", URL], "wstap -m 3s URL"),
        (&["--token", "hunter2", URL], "wstap --bearer TOKEN URL"),
        (&["--filter", "a", URL], "wstap "),
        (&["--expect", "a", URL], "wstap --until REGEX URL"),
        (&["--delay", "2", URL], "wstap "),
        (&["--repeat", "2", URL], "wstap "),
        (&["--file", "f", URL], "wstap "),
        (&["--debug", URL], "wstap -vvv URL"),
        (&["--port", "81", URL], "wstap ws://localhost:81"),
        (&["--exec", "cat", URL], "PROGRAM | wstap URL"),
        (&["-insecure", URL], "with two dashes: --insecure"),
        (&["-json", URL], "with two dashes: --json"),
    ] {
        expect_hints(args, &[says]);
        assert!(!Run::new(args).run().stderr.contains("hunter2"), "{args:?}");
    }
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    for origin in
        ["https://example.com", "http://h:81", "null", "file://", "chrome-extension://abc"]
    {
        Run::new(["-o", origin, URL]).run().expect_failure(4, "connect: ");
    }
    for (origin, says) in [
        ("out.txt", "is no Origin"),
        ("/tmp/x", "is no Origin"),
        ("example.com", "is no Origin"),
        ("", "is no Origin"),
        ("https://example.com/", "has a path"),
        ("https://me:hunter2@h", "has more than a host"),
        ("://h", "is no Origin"),
    ] {
        expect_hints(&["-o", origin, URL], &[says, "wstap -H 'Origin: TEXT' URL"]);
        assert!(!Run::new(["-o", origin, URL]).run().stderr.contains("hunter2"));
    }
}

#[test]
fn a_text_that_looks_like_a_proxy_can_be_sent() {
    let server = wstap::commands::demo::server().unwrap();
    let text = "http://127.0.0.1:3128";
    let send = |args: &[&str]| Run::new(args.iter().chain(&["-n", "1", server.url()])).run();
    send(&["--send", text]).expect_code(0).expect_stdout(format!("{text}\n"));
    send(&["-x", "http://h/path"]).expect_code(0).expect_stdout("http://h/path\n");
    send(&["-x", text, "-x", "hi"]).expect_code(0).expect_stdout(format!("{text}\n"));
}

#[test]
fn options_may_come_before_the_verb() {
    let server = wstap::commands::demo::server().unwrap();
    let output = Run::new(["-k", "inspect", server.url()]).run().expect_code(0);
    assert!(output.text().contains("Verdict"), "{}", output.text());
    let output = Run::new(["-i", "0", "-c", "2", "ping", server.url()]).run().expect_code(0);
    assert!(output.text().contains("2 sent, 2 answered"), "{}", output.text());
    let output = Run::new(["-v", "-x", "hi", "demo", "-n", "1"]).run().expect_code(0);
    output.expect_stdout("hi\n").expect_stderr("HTTP/1.1 101");
    let curl = format!("curl {}", server.url());
    let output = Run::new(["-n", "1", "-x", "hi", "curl", &curl]).run();
    output.expect_code(0).expect_stdout("hi\n");
    expect_hints(&["-E", "inspect", URL], &["unexpected argument '-E'", "wstap inspect --help"]);
    expect_hints(&["-v", "explain", "1006"], &["-v is not an option of explain"]);
}

#[test]
fn a_word_near_a_verb_is_no_host() {
    for (args, says) in [
        (["serv"].as_slice(), "did you mean: wstap serve\n"),
        (&["inspct", URL], "did you mean: wstap inspect …"),
        (&["-v", "pign", URL], "did you mean: wstap ping …"),
        (&["Demo"], "did you mean: wstap demo"),
        (&["gen", "man"], "did you mean: wstap generate …"),
        (&["version"], "wstap --version"),
        (&["connect", URL], "to connect: wstap URL"),
        (&["listen", "8080"], "wstap serve 127.0.0.1:8080"),
    ] {
        expect_hints(args, &[says, "a host of that name: wstap ws://"]);
    }
    for host in ["ws://serv.invalid", "serv.invalid", "wallaby", "king", "localhost"] {
        let output = Run::new([host, "-m", "5", "--proxy", "http://127.0.0.1:9"]).run();
        output.expect_failure(4, "proxy: ");
    }
}

#[test]
fn urls_that_are_nearly_right() {
    expect_hints(&["ws:/host"], &["between scheme and host is ://", "write ws://host\n"]);
    expect_hints(&["ws:host"], &["write ws://host\n"]);
    expect_hints(&["wss//host/x"], &["write wss://host/x\n"]);
    let output = Run::new(["9"]).run();
    output.expect_failure(4, "connect: ").expect_stderr("* 9 is taken as ws://localhost:9/");
}

#[test]
fn a_newcomer_is_told_the_next_step() {
    expect_hints(&[], &["no URL is given", "wstap wss://HOST/PATH", "wstap demo", "wstap -h"]);
}
