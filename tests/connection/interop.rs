//! wstap against programs nobody here wrote: node's ws, python's websockets, nginx.
//!
//! `.ci/peers` installs them. Where they are missing the tests say SKIPPED and pass, unless
//! WSTAP_REQUIRE_PEERS=1.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tungstenite::Message;

use crate::support::home::Home;
use crate::support::peers::{folder, free_port, listens, program, skip};
use crate::support::run::{Process, Run};
use crate::support::tls::Tls;

/// A server that runs, and where.
pub(crate) struct Peer {
    name: &'static str,
    port: u16,
    _process: Process,
}

impl Peer {
    /// The server on node's ws.
    pub(crate) fn node() -> Option<Peer> {
        let modules = folder()?.join("node_modules");
        if !modules.join("ws").is_dir() {
            return skip("node's ws");
        }
        let script = source("node.cjs").into_os_string();
        Peer::start("node's ws", Run::program("node", [script]).env("NODE_PATH", modules))
    }

    /// The server on python's websockets.
    fn python() -> Option<Peer> {
        let python = folder()?.join("py/bin/python");
        if !python.exists() {
            return skip("python's websockets");
        }
        let script = source("python.py").into_os_string();
        Peer::start("python's websockets", Run::program(python, [script]))
    }

    /// Those of both that are installed.
    fn both() -> Vec<Peer> {
        [Peer::node(), Peer::python()].into_iter().flatten().collect()
    }

    fn start(name: &'static str, run: Run) -> Option<Peer> {
        let process = run.stdin_held_open("").timeout(Duration::from_secs(300)).start();
        process.wait_stdout("\n");
        let line = process.stdout.text();
        let port = line.trim().strip_prefix("listening ").and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("{name} said {line:?}"));
        Some(Peer { name, port, _process: process })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.port)
    }

    /// `wstap ARGS URL`; says in the test's output which peer it is about.
    fn wstap(&self, path: &str, args: &[&str]) -> Run {
        println!("{}: {path} {args:?}", self.name);
        let url = self.url(path);
        Run::new(args.iter().copied().chain([url.as_str()]))
    }
}

/// nginx as a wss:// proxy in front of a peer.
struct Proxy {
    port: u16,
    tls: Tls,
    _process: Process,
    _home: Home,
}

impl Proxy {
    fn start(upstream: &Peer) -> Option<Proxy> {
        Proxy::start_verifying(upstream, "off")
    }

    /// `verify`: on, off or optional, as nginx's ssl_verify_client.
    fn start_verifying(upstream: &Peer, verify: &str) -> Option<Proxy> {
        let program = program("nginx")?;
        let template = std::fs::read_to_string(source("nginx.conf")).unwrap();
        let (tls, home) = (Tls::new(), Home::new());
        // The port is free now, but somebody else may take it before nginx does.
        for _ in 0..3 {
            let port = free_port();
            let mut config = template.clone();
            for (word, value) in [
                ("@DIR@", home.path().display().to_string()),
                ("@PORT@", port.to_string()),
                ("@UPSTREAM@", upstream.port.to_string()),
                ("@CERT@", tls.cert.display().to_string()),
                ("@KEY@", tls.key.display().to_string()),
                ("@CA@", tls.ca.display().to_string()),
                ("@VERIFY@", verify.to_owned()),
            ] {
                config = config.replace(word, &value);
            }
            let config = home.file("nginx.conf", config);
            home.file("users", "me:{PLAIN}hunter2\n");
            let directory = home.path().as_os_str().to_owned();
            let args: [OsString; 6] = [
                "-p".into(),
                directory,
                "-e".into(),
                "stderr".into(),
                "-c".into(),
                config.into_os_string(),
            ];
            let process = Run::program(&program, args).timeout(Duration::from_secs(300)).start();
            if listens(port, &process) {
                return Some(Proxy { port, tls, _process: process, _home: home });
            }
            println!("nginx: {}", process.stderr.text());
        }
        panic!("nginx doesn't start");
    }

    fn wstap(&self, path: &str, args: &[&str]) -> Run {
        println!("nginx: {path} {args:?}");
        let url = format!("wss://localhost:{}{path}", self.port);
        let cacert: [OsString; 2] = ["--cacert".into(), self.tls.ca.clone().into_os_string()];
        let args = args.iter().map(Into::into);
        Run::new(cacert.into_iter().chain(args).chain([OsString::from(url)]))
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// The rigs themselves, by a client that isn't wstap.
#[test]
fn the_peers_work() {
    for peer in Peer::both() {
        let (mut client, _) = tungstenite::connect(peer.url("/echo")).unwrap();
        client.send(Message::text("hello")).unwrap();
        assert_eq!(client.read().unwrap(), Message::text("hello"), "{}", peer.name);
        let refused = tungstenite::connect(peer.url("/refused")).unwrap_err();
        assert!(refused.to_string().contains("401"), "{}: {refused}", peer.name);
        let (mut client, _) = tungstenite::connect(peer.url("/close?code=4001&reason=x")).unwrap();
        let Message::Close(Some(close)) = client.read().unwrap() else { panic!("{}", peer.name) };
        assert_eq!((u16::from(close.code), close.reason.as_str()), (4001, "x"), "{}", peer.name);
    }
}

#[test]
fn every_line_is_answered() {
    for peer in Peer::both() {
        let run = peer.wstap("/echo", &[]).stdin("a\nb\n");
        run.run().expect_code(0).expect_stdout("a\nb\n");
        let run = peer.wstap("/echo", &[]).stdin("a\n\nGrüße 😀\nlast without newline");
        run.run().expect_code(0).expect_stdout("a\n\nGrüße 😀\nlast without newline\n");
        peer.wstap("/echo", &[]).stdin("").run().expect_code(0).expect_stdout("");
    }
}

#[test]
fn long_lines_come_back_whole() {
    for peer in Peer::both() {
        for size in [125, 126, 65_535, 65_536, 1 << 20, 8 << 20] {
            let line = format!("{}\n", "x".repeat(size));
            peer.wstap("/echo", &[]).stdin(&line).run().expect_code(0).expect_stdout(&line);
        }
    }
}

#[test]
fn of_many_lines_none_is_lost_doubled_or_altered() {
    for (peer, count) in [(Peer::node(), 200_000), (Peer::python(), 20_000)] {
        let Some(peer) = peer else { continue };
        let lines: String =
            (0..count).map(|n| format!("{n:07} äöü the quick brown fox\n")).collect();
        let run = peer.wstap("/echo", &[]).stdin(&lines).timeout(Duration::from_secs(120));
        let output = run.run().expect_code(0);
        assert_eq!(output.stdout.len(), lines.len(), "{}", peer.name);
        let text = output.text();
        let differs = text.lines().zip(lines.lines()).find(|(got, sent)| got != sent);
        assert!(differs.is_none(), "{}: {differs:?}", peer.name);
    }
}

#[test]
fn answers_that_come_late_are_waited_for() {
    for peer in Peer::both() {
        let output = peer.wstap("/late?ms=300", &[]).stdin("1\n2\n3\n4\n5\n").run().expect_code(0);
        let mut lines = output.lines();
        lines.sort();
        assert_eq!(lines, ["1", "2", "3", "4", "5"], "{}", peer.name);
    }
}

#[test]
fn two_clients_chat() {
    for peer in Peer::both() {
        let mut listener = peer.wstap("/chat", &[]).stdin_held_open("I am here\n").start();
        // Its own line comes back once it has joined.
        listener.wait_stdout("I am here\n");
        let run = peer.wstap("/chat", &["-n", "1"]).stdin("hello, all\n");
        run.run().expect_code(0).expect_stdout("hello, all\n");
        listener.wait_stdout("hello, all\n");
        listener.close_stdin();
        listener.wait().expect_code(0).expect_stdout("I am here\nhello, all\n");
    }
}

#[test]
fn what_the_server_pushes_is_printed_while_stdin_is_silent() {
    for peer in Peer::both() {
        let output = peer.wstap("/time", &["-n", "3"]).stdin_held_open("").run().expect_code(0);
        let lines = output.lines();
        assert_eq!(lines.len(), 3, "{}: {lines:?}", peer.name);
        assert!(lines.iter().all(|line| line.starts_with("20")), "{}: {lines:?}", peer.name);
    }
}

#[test]
fn the_server_chooses_the_subprotocol() {
    for peer in Peer::both() {
        let offer = ["-s", "v1.chat", "-s", "v2.chat", "-n", "1"];
        let run = peer.wstap("/subprotocol", &offer).stdin_held_open("");
        run.run().expect_code(0).expect_stdout("v2.chat\n");
        let run = peer.wstap("/subprotocol", &["-s", "v1.chat,v2.chat", "-n", "1", "-v"]);
        run.stdin_held_open("").run().expect_code(0).expect_stderr("v2.chat");
        let run = peer.wstap("/subprotocol", &["-n", "1"]).stdin_held_open("");
        run.run().expect_code(0).expect_stdout("none\n");
    }
}

#[test]
fn a_close_decides_the_exit_code() {
    for peer in Peer::both() {
        // Stdin stays open: the peer's close alone must end the run.
        let close = |args: &[&str], code: u16, reason: &str| {
            let path = format!("/close?code={code}&reason={}", reason.replace(' ', "%20"));
            peer.wstap(&path, args).stdin_held_open("").run()
        };
        close(&[], 1000, "").expect_code(0);
        close(&[], 1001, "").expect_code(0);
        close(&[], 4001, "go away").expect_code(10).expect_stderr("4001").expect_stderr("go away");
        close(&[], 1011, "broken").expect_code(10).expect_stderr("1011");
        close(&["--ok-close", "4000,4001"], 4001, "go away").expect_code(0);
    }
}

#[test]
fn a_connection_that_is_cut_is_lost() {
    let Some(peer) = Peer::node() else { return };
    peer.wstap("/terminate", &[]).stdin_held_open("").run().expect_code(9).expect_stderr("1006");
}

#[test]
fn a_refusal_is_shown_with_its_body() {
    for peer in Peer::both() {
        let output = peer.wstap("/refused", &[]).stdin("never sent\n").run().expect_code(6);
        let output = output.expect_stderr("401").expect_stderr("no entry for you");
        output.expect_stdout("");
    }
}

#[test]
fn binary_goes_out_and_comes_in() {
    for peer in Peer::both() {
        let run = peer.wstap("/kind", &[]).stdin("abc\n");
        run.run().expect_code(0).expect_stdout("text 3\n");
        let run = peer.wstap("/kind", &["-b"]).stdin(b"a\xffc\n");
        run.run().expect_code(0).expect_stdout("binary 3\n");
        let run = peer.wstap("/bytes", &["--output", "raw"]).stdin_held_open("");
        run.run().expect_code(0).expect_stdout(b"\x00\x0a\xff\x1b");
    }
}

#[test]
fn a_ping_is_answered_without_a_word() {
    for peer in Peer::both() {
        let run = peer.wstap("/ping", &["-n", "1"]).stdin_held_open("");
        run.run().expect_code(0).expect_stdout("pong 12345\n");
    }
}

#[test]
fn headers_arrive() {
    for peer in Peer::both() {
        let args = ["-H", "X-Token: a: b", "-n", "1"];
        let run = peer.wstap("/header?name=x-token", &args).stdin_held_open("");
        run.run().expect_code(0).expect_stdout("a: b\n");
        let args = ["-o", "https://example.com", "-n", "1"];
        let run = peer.wstap("/header?name=origin", &args).stdin_held_open("");
        run.run().expect_code(0).expect_stdout("https://example.com\n");
    }
}

#[test]
fn through_nginx_over_tls() {
    for peer in Peer::both() {
        let Some(proxy) = Proxy::start(&peer) else { return };
        let lines: String = (0..5000).map(|n| format!("line {n}\n")).collect();
        let run = proxy.wstap("/echo", &[]).stdin(&lines).timeout(Duration::from_secs(60));
        run.run().expect_code(0).expect_stdout(&lines);
        let run = proxy.wstap("/close?code=4002&reason=far", &[]).stdin_held_open("");
        run.run().expect_code(10).expect_stderr("4002");
        proxy.wstap("/refused", &[]).stdin("").run().expect_code(6).expect_stderr("401");
    }
}

#[test]
fn an_nginx_that_forgets_the_upgrade_is_a_refusal() {
    for peer in Peer::both() {
        let Some(proxy) = Proxy::start(&peer) else { return };
        let output = proxy.wstap("/forgetful/echo", &[]).stdin("a\n").run().expect_code(6);
        output.expect_stderr("426").expect_stdout("");
        let output = proxy.wstap("/down/echo", &[]).stdin("a\n").run().expect_code(6);
        output.expect_stderr("502");
    }
}

#[test]
fn an_nginx_that_redirects() {
    for peer in Peer::both() {
        let Some(proxy) = Proxy::start(&peer) else { return };
        for status in ["301", "302", "303", "307", "308"] {
            let path = format!("/to/{status}");
            let run = proxy.wstap(&path, &["-L"]).stdin("a\n");
            run.run().expect_code(0).expect_stdout("a\n");
            let output = proxy.wstap(&path, &[]).stdin("a\n").run().expect_code(6);
            output.expect_stderr("/echo: -L follows it");
        }
        let output = proxy.wstap("/to/itself", &["-L"]).stdin("a\n").run();
        output.expect_failure(6, "handshake: redirect loop: wss://localhost:");
        let output = proxy.wstap("/to/plain", &["-L"]).stdin("a\n").run().expect_code(6);
        output.expect_stderr("it would go on without TLS: http://localhost:");
    }
}

#[test]
fn an_nginx_that_wants_a_password() {
    let Some(peer) = Peer::node() else { return };
    let Some(proxy) = Proxy::start(&peer) else { return };
    let home = Home::new();
    home.file(".netrc", "machine localhost login me password hunter2\n");
    for args in [&["-u", "me:hunter2"][..], &["--anyauth", "-u", "me:hunter2"], &["--netrc"]] {
        let run = proxy.wstap("/login/echo", args).home(&home).stdin("a\n");
        run.run().expect_code(0).expect_stdout("a\n");
    }
    let output = proxy.wstap("/login/echo", &["-u", "me:wrong"]).stdin("a\n").run();
    output.expect_failure(6, "handshake: upgrade refused").expect_stderr("sent with Basic, is");
    let output = proxy.wstap("/login/echo", &["--digest", "-u", "me:hunter2"]).stdin("").run();
    output.expect_code(6).expect_stderr("another login than Digest");
}

#[test]
fn an_unknown_authority_is_a_tls_failure() {
    let Some(peer) = Peer::node() else { return };
    let Some(proxy) = Proxy::start(&peer) else { return };
    let url = format!("wss://localhost:{}/echo", proxy.port);
    Run::new([&url]).stdin("a\n").run().expect_code(5).expect_stdout("");
    Run::new(["-k", &url]).stdin("a\n").run().expect_code(0).expect_stdout("a\n");
}

#[test]
fn nginx_wants_a_client_certificate() {
    let Some(upstream) = Peer::python() else { return };
    let Some(proxy) = Proxy::start_verifying(&upstream, "on") else { return };
    let (cert, key) = &proxy.tls.client;
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    // nginx takes the connection all the same, and refuses the request.
    let output = proxy.wstap("/echo", &[]).run().expect_failure(6, "handshake: ");
    let output = output.expect_stderr("400").expect_stderr("No required SSL certificate was sent");
    output.expect_stderr("--cert FILE --key FILE");
    for version in ["--tlsv1.2", "--tlsv1.3"] {
        let run = proxy.wstap("/echo", &["-n1", version, "--cert", &cert, "--key", &key]);
        run.stdin("hello\n").run().expect_code(0).expect_stdout("hello\n");
    }
    let (cert_of_another, key_of_another) = &Tls::new().client;
    let another = [cert_of_another, key_of_another].map(|path| {
        let name = path.with_extension("strange.pem");
        let name = name.file_name().expect("a name").to_string_lossy().into_owned();
        proxy.tls.file(&name, std::fs::read(path).expect("a file")).display().to_string()
    });
    let run = proxy.wstap("/echo", &["--cert", &another[0], "--key", &another[1]]);
    run.run().expect_failure(6, "handshake: ").expect_stderr("The SSL certificate error");
    let Some(openssl) = program("openssl") else { return };
    let encrypted = proxy.tls.ca.with_file_name("encrypted.pem").display().to_string();
    let pass = proxy.tls.file("pass", "open sesame\n").display().to_string();
    for more in [&[][..], &["-scrypt"]] {
        let args = ["pkcs8", "-topk8", "-in", &key, "-out", &encrypted, "-passout"];
        let args = args.into_iter().chain(["pass:open sesame"]).chain(more.iter().copied());
        Run::program(&openssl, args).run().expect_code(0);
        let pass = format!("@{pass}");
        let args = ["-n1", "--cert", &cert, "--key", &encrypted, "--pass", &pass];
        let run = proxy.wstap("/echo", &args).stdin("hello\n");
        run.run().expect_code(0).expect_stdout("hello\n");
    }
}

/// OpenSSL's server, made to speak only what wstap doesn't.
#[test]
fn openssl_speaks_something_else() {
    let Some(openssl) = program("openssl") else { return };
    let tls = Tls::new();
    let (ca, cert, key) = (tls.ca.as_os_str(), tls.cert.as_os_str(), tls.key.as_os_str());
    for (args, says) in [
        (&["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..], "no common version"),
        (&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "TLS 1.1 or older"),
        (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"], "no common cipher"),
        (&["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"], "no common cipher"),
        (&["-tls1_3", "-groups", "P-521"], "no common cipher suite, key exchange"),
        (&["-tls1_2", "-Verify", "1", "-verify_return_error"], "requires a client certificate"),
        (&["-tls1_3", "-Verify", "1", "-verify_return_error"], "requires a client certificate"),
    ] {
        println!("openssl s_server {args:?}");
        let all: [&OsStr; 7] = [
            "s_server".as_ref(),
            "-accept".as_ref(),
            "127.0.0.1:0".as_ref(),
            "-cert".as_ref(),
            cert,
            "-key".as_ref(),
            key,
        ];
        let all = all.into_iter().chain(args.iter().map(OsStr::new));
        let server = Run::program(&openssl, all).stdin_held_open("").start();
        server.wait_stdout("ACCEPT 127.0.0.1:");
        server.wait_stdout("\n");
        let text = server.stdout.text();
        let (_, port) = text.split_once("ACCEPT 127.0.0.1:").expect("a port");
        let url = format!("wss://localhost:{}/", port.lines().next().expect("a line"));
        let run = Run::new([OsStr::new("--cacert"), ca, OsStr::new(&url)]);
        run.run().expect_failure(5, "tls: ").expect_stderr(says).expect_stderr("hint: ");
    }
}

#[test]
fn pythons_client_and_our_server() {
    let Some(python) = folder().map(|folder| folder.join("py/bin/python")) else { return };
    if !python.exists() {
        return skip("python's websockets").unwrap_or_default();
    }
    let server = wstap::commands::demo::server().unwrap();
    let script = source("client.py").into_os_string();
    let run = Run::program(python, [script, server.url().into()]).run();
    let output = run.expect_code(0).text();
    assert!(output.starts_with("[PerMessageDeflate("), "{output}");
    assert!(output.ends_with("\n4000 enough\n"), "{output}");
}
