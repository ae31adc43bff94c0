//! wstap through proxies that nobody here wrote: tinyproxy, microsocks, pproxy.
//!
//! `.ci/peers` installs them. Where they are missing the tests say SKIPPED and pass, unless
//! WSTAP_REQUIRE_PEERS=1.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::home::Home;
use crate::support::peers::{folder, free_port, listens, program, skip};
use crate::support::run::{Output, Process, Run};
use crate::support::scripted::ScriptedServer;
use crate::support::tls::Tls;

/// A proxy that runs on the loopback interface.
struct Proxy {
    port: u16,
    _process: Process,
    _home: Home,
}

impl Proxy {
    /// tinyproxy with more lines for its configuration.
    fn tiny(lines: &str) -> Option<Proxy> {
        let program = program("tinyproxy")?;
        Some(Proxy::start("tinyproxy", |port, home| {
            let config = format!("Port {port}\nListen 127.0.0.1\nTimeout 60\n{lines}\n");
            let config = home.file("tinyproxy.conf", config);
            let args: [OsString; 3] = ["-d".into(), "-c".into(), config.into()];
            Run::program(&program, args)
        }))
    }

    /// microsocks with more arguments.
    fn micro(args: &[&str]) -> Option<Proxy> {
        let program = program("microsocks")?;
        Some(Proxy::start("microsocks", |port, _| {
            let port = port.to_string();
            let args = args.iter().copied().chain(["-i", "127.0.0.1", "-p", &port]);
            Run::program(&program, args)
        }))
    }

    /// pproxy that speaks these schemes, with a login behind the #.
    fn python(schemes: &str, login: &str, tls: Option<&Tls>) -> Option<Proxy> {
        let python: PathBuf = folder()?.join("py/bin/python");
        let check = Run::program(&python, ["-c", "import pproxy"]);
        if !python.exists() || check.run().code() != 0 {
            return skip("pproxy");
        }
        Some(Proxy::start("pproxy", |port, _| {
            let mut args: Vec<OsString> = ["-m", "pproxy", "-l"].map(OsString::from).to_vec();
            args.push(format!("{schemes}://127.0.0.1:{port}{login}").into());
            if let Some(tls) = tls {
                args.push("--ssl".into());
                args.push(format!("{},{}", tls.cert.display(), tls.key.display()).into());
            }
            Run::program(&python, args)
        }))
    }

    fn start(name: &str, run: impl Fn(u16, &Home) -> Run) -> Proxy {
        // The port is free now, but somebody else may take it before the proxy does.
        for _ in 0..3 {
            let (port, home) = (free_port(), Home::new());
            let process = run(port, &home).timeout(Duration::from_secs(300)).start();
            if listens(port, &process) {
                return Proxy { port, _process: process, _home: home };
            }
            println!("{name}: {}{}", process.stdout.text(), process.stderr.text());
        }
        panic!("{name} doesn't start");
    }

    /// `scheme://[login@]127.0.0.1:port`.
    fn url(&self, scheme: &str, login: &str) -> String {
        format!("{scheme}://{login}127.0.0.1:{}", self.port)
    }
}

/// An echo server, and what a client needs to reach it.
struct Target {
    server: ScriptedServer,
    tls: Option<Tls>,
}

impl Target {
    fn plain() -> Target {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.echo();
        });
        Target { server, tls: None }
    }

    fn secure() -> Target {
        let tls = Tls::new();
        let server = ScriptedServer::start_tls(&tls, |peer| {
            peer.accept();
            peer.echo();
        });
        Target { server, tls: Some(tls) }
    }

    /// One line there and back.
    fn run(&self, args: &[&str]) -> Run {
        let cacert = self.tls.as_ref().map(|tls| format!("--cacert={}", tls.ca.display()));
        let args = args.iter().map(|arg| (*arg).to_owned()).chain(cacert);
        Run::new(args.chain(["-v", "-n1"].map(str::to_owned)).chain([self.server.url()]))
            .stdin("hello\n")
    }

    #[track_caller]
    fn reached(&self, args: &[&str]) -> Output {
        println!("{args:?}");
        self.run(args).run().expect_code(0).expect_stdout("hello\n")
    }

    /// Refused by the proxy, in one line that has these parts in it, before the target sees anything.
    #[track_caller]
    fn refused(&self, args: &[&str], says: &[&str]) {
        println!("{args:?}");
        let before = self.server.seen().connections;
        let output = self.run(args).run().expect_failure(4, "proxy: ");
        for part in says {
            assert!(output.stderr.contains(part), "no {part:?} in stderr:\n{}", output.stderr);
        }
        assert!(!output.stderr.contains("secret"), "{}", output.stderr);
        assert_eq!(self.server.seen().connections, before);
    }
}

#[test]
fn tinyproxy_lets_us_through() {
    let Some(proxy) = Proxy::tiny("") else { return };
    for target in [Target::plain(), Target::secure()] {
        let output = target.reached(&["--proxy", &proxy.url("http", "")]);
        assert!(output.stderr.contains("200 Connection established"), "{}", output.stderr);
    }
}

#[test]
fn tinyproxy_wants_a_login() {
    let Some(proxy) = Proxy::tiny("BasicAuth me secret") else { return };
    let target = Target::secure();
    let plain = proxy.url("http", "");
    target.refused(
        &["--proxy", &plain],
        &["407 Proxy Authentication Required", "Basic realm=", "--proxy-user NAME:PASSWORD"],
    );
    target.refused(
        &["--proxy", &plain, "--proxy-user", "me:secret-no"],
        &["401 Unauthorized", "the user name or password is wrong"],
    );
    let home = Home::new();
    let file = format!("@{}", home.file("login", "me:secret\n").display());
    target.reached(&["--proxy", &plain, "--proxy-user", &file]);
    let output = target.reached(&["--proxy", &proxy.url("http", "me:secret@")]);
    assert!(!output.stderr.contains("secret"), "{}", output.stderr);
}

#[test]
fn tinyproxy_allows_other_ports_only() {
    let Some(proxy) = Proxy::tiny("ConnectPort 9") else { return };
    let url = proxy.url("http", "");
    let says = ["403 Access violation", "CONNECT to this host or port"];
    Target::plain().refused(&["--proxy", &url], &says);
    // What is allowed, and where nobody listens.
    let run = Run::new(["--proxy", &url, "ws://127.0.0.1:9/"]);
    run.run().expect_failure(4, "proxy: ").expect_stderr("500 Unable to connect");
}

#[test]
fn microsocks_lets_us_through() {
    let Some(proxy) = Proxy::micro(&[]) else { return };
    for target in [Target::plain(), Target::secure()] {
        for scheme in ["socks5", "socks5h"] {
            target.reached(&["--proxy", &proxy.url(scheme, "")]);
        }
    }
    let url = proxy.url("socks5h", "");
    let run = |target: &str| Run::new(["--proxy", &url, target]).run();
    run("ws://127.0.0.1:9/").expect_failure(4, "proxy: ").expect_stderr("connection refused");
    run("ws://nowhere.invalid/").expect_failure(4, "proxy: ").expect_stderr("SOCKS5 reply");
    // The name is ours to resolve there.
    let run = Run::new(["--proxy", &proxy.url("socks5", ""), "ws://nowhere.invalid/"]);
    run.run().expect_failure(3, "resolve: ");
}

#[test]
fn each_address_of_a_name_is_tried_through_socks5() {
    let Some(proxy) = Proxy::micro(&[]) else { return };
    let url = proxy.url("socks5", "");
    let target = Target::plain();
    let port = target.server.port();
    let rule = |addresses: &str| format!("--resolve=localhost:{port}:{addresses}");
    // The server listens on one of them.
    target.reached(&["--proxy", &url, &rule("127.0.0.7,127.0.0.8,127.0.0.1")]);
    target.refused(
        &["--proxy", &url, &rule("127.0.0.7,127.0.0.8")],
        &["refuses all 2 addresses", "127.0.0.7: connection refused", "127.0.0.8: connection"],
    );
}

#[test]
fn microsocks_wants_a_login() {
    let Some(proxy) = Proxy::micro(&["-u", "me", "-P", "secret"]) else { return };
    let target = Target::secure();
    let plain = proxy.url("socks5h", "");
    target.refused(&["--proxy", &plain], &["nobody without a login", "--proxy-user"]);
    target.refused(
        &["--proxy", &plain, "--proxy-user", "me:secret-no"],
        &["refuses the user name and password"],
    );
    for scheme in ["socks5", "socks5h"] {
        target.reached(&["--proxy", &proxy.url(scheme, "me:secret@")]);
    }
}

#[test]
fn pproxy_speaks_both_on_one_port() {
    let Some(proxy) = Proxy::python("http+socks5", "", None) else { return };
    for target in [Target::plain(), Target::secure()] {
        for scheme in ["http", "socks5", "socks5h"] {
            target.reached(&["--proxy", &proxy.url(scheme, "")]);
        }
    }
}

#[test]
fn pproxy_wants_a_login_over_tls() {
    let target = Target::secure();
    let Some(proxy) = Proxy::python("http+ssl", "#me:secret", target.tls.as_ref()) else { return };
    let plain = proxy.url("https", "");
    target.refused(&["--proxy", &plain], &["407", "--proxy-user NAME:PASSWORD"]);
    target.refused(&["--proxy", &plain, "--proxy-user", "me:secret-no"], &["407", "is wrong"]);
    target.reached(&["--proxy", &plain, "--proxy-user", "me:secret"]);
    // The proxy's own certificate is judged, too.
    let run = Run::new(["--proxy", &plain, &target.server.url()]);
    run.run()
        .expect_failure(5, "proxy: ")
        .expect_stderr("is not trusted")
        .expect_stderr("--cacert FILE counts");
}

#[test]
fn pproxy_wants_a_login_for_socks() {
    let Some(proxy) = Proxy::python("socks5", "#me:secret", None) else { return };
    let target = Target::plain();
    let plain = proxy.url("socks5h", "");
    target.refused(&["--proxy", &plain], &["--proxy-user"]);
    target.refused(&["--proxy", &plain, "--proxy-user", "me:secret-no"], &["proxy: "]);
    target.reached(&["--proxy", &plain, "--proxy-user", "me:secret"]);
}

#[test]
fn the_environment_names_the_proxy() {
    let Some(proxy) = Proxy::tiny("") else { return };
    let url = proxy.url("http", "");
    let through = "200 Connection established";
    let asked = |target: &Target, set: &[(&str, &str)]| {
        println!("{set:?}");
        let run = set.iter().fold(target.run(&[]), |run, (name, value)| run.env(name, value));
        let output = run.run().expect_code(0).expect_stdout("hello\n");
        output.stderr.contains(through)
    };
    let (plain, secure) = (Target::plain(), Target::secure());
    for (name, for_plain, for_secure) in [
        ("ws_proxy", true, false),
        ("WS_PROXY", true, false),
        ("http_proxy", true, false),
        // A CGI's caller can set that one.
        ("HTTP_PROXY", false, false),
        ("wss_proxy", false, true),
        ("https_proxy", false, true),
        ("HTTPS_PROXY", false, true),
        ("all_proxy", true, true),
        ("ALL_PROXY", true, true),
    ] {
        assert_eq!(asked(&plain, &[(name, &url)]), for_plain, "{name}, ws");
        assert_eq!(asked(&secure, &[(name, &url)]), for_secure, "{name}, wss");
    }
    let port = plain.server.port();
    let address = format!("ws://127.0.0.1:{port}/");
    for (list, target, by_proxy) in [
        ("*", "localhost", false),
        ("localhost", "localhost", false),
        ("example.com", "localhost", true),
        ("host", "localhost", true),
        (".localhost", "sub.localhost", false),
        ("localhost", "sub.localhost", false),
        ("127.0.0.0/8", "127.0.0.1", false),
        ("10.0.0.0/8,127.0.0.1", "127.0.0.1", false),
        ("10.0.0.0/8", "127.0.0.1", true),
        ("localhost:PORT", "localhost", false),
        ("localhost:1", "localhost", true),
        ("127.0.0.0/8:1", "127.0.0.1", true),
    ] {
        let list = list.replace("PORT", &port.to_string());
        let url_of = match target {
            "127.0.0.1" => address.clone(),
            name => format!("ws://{name}:{port}/"),
        };
        for (name, flag) in [("no_proxy", None), ("NO_PROXY", None), ("", Some(list.as_str()))] {
            let flag = flag.map(|list| ["--noproxy".to_owned(), list.to_owned()]);
            // tinyproxy need not know the name.
            let rule = format!("--resolve=sub.localhost:{port}:127.0.0.1");
            let args = flag.into_iter().flatten().chain([
                rule,
                "-v".to_owned(),
                "-n1".to_owned(),
                url_of.clone(),
            ]);
            let mut run = Run::new(args).stdin("hello\n").env("all_proxy", &url);
            if !name.is_empty() {
                run = run.env(name, &list);
            }
            let output = run.run().expect_code(0).expect_stdout("hello\n");
            assert_eq!(output.stderr.contains(through), by_proxy, "{name} {list} {target}");
        }
    }
    // An empty --proxy asks for none.
    let run = plain.run(&["--proxy", ""]).env("all_proxy", &url);
    assert!(!run.run().expect_code(0).stderr.contains(through));
    let run = plain.run(&[]).env("all_proxy", "ftp://me:secret@127.0.0.1");
    let output = run.run().expect_failure(2, "usage: proxy").expect_stderr("all_proxy");
    assert!(!output.stderr.contains("secret"), "{}", output.stderr);
}
