//! Names, addresses and proxies.

use std::time::Duration;

use crate::case::{Case, case, run};
use crate::support::peers::free_port;
use crate::support::run::Run;
use crate::support::scripted::ScriptedServer;

#[test]
fn an_unknown_name_is_exit_3() {
    Run::new(["ws://no-such-host.invalid/"])
        .run()
        .expect_code(3)
        .expect_stderr("wstap: resolve: ")
        .expect_stderr("no-such-host.invalid");
}

#[test]
fn refused_is_exit_4() {
    let url = format!("ws://127.0.0.1:{}/", free_port());
    Run::new([url]).run().expect_code(4).expect_stderr("wstap: connect: ");
}

#[test]
fn twenty_addresses_that_fail_are_all_listed() {
    let port = free_port();
    let list: Vec<String> = (1..=20).map(|n| format!("127.0.0.{n}")).collect();
    let output = Run::new([
        "--resolve".to_owned(),
        format!("many.example:{port}:{}", list.join(",")),
        format!("ws://many.example:{port}/"),
    ])
    .run()
    .expect_code(4);
    for address in list {
        assert!(
            output.stderr.contains(&format!("{address}:{port}")),
            "{address}: {}",
            output.stderr
        );
    }
}

#[test]
fn a_dead_first_address_costs_nothing() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    });
    let port = server.port();
    Run::new([
        "-E".to_owned(),
        "--resolve".to_owned(),
        format!("two.example:{port}:[::1],127.0.0.1"),
        format!("ws://two.example:{port}/"),
    ])
    .run()
    .expect_code(0);
}

#[test]
fn a_name_in_another_script_is_shown_both_ways() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    });
    let port = server.port();
    let url = format!("ws://Bücher.example:{port}/");
    for rule in [
        format!("--resolve=bücher.example:{port}:127.0.0.1"),
        format!("--resolve=xn--bcher-kva.example:{port}:127.0.0.1"),
        format!("--connect-to=bücher.example:{port}:127.0.0.1:{port}"),
    ] {
        Run::new(["-v", "-E", &rule, &url])
            .run()
            .expect_code(0)
            .expect_stderr("Bücher.example is xn--bcher-kva.example on the wire (IDNA)")
            .expect_stderr(&format!("Host: xn--bcher-kva.example:{port}"));
    }
    Run::new(["ws://bücher.invalid/"])
        .run()
        .expect_failure(3, "resolve: bücher.invalid (xn--bcher-kva.invalid): ");
    // A direction override can't hide in a name.
    Run::new(["ws://\u{202e}moc.example/"]).run().expect_failure(2, "usage: ");
}

#[test]
fn user_and_password_of_a_url_are_a_login_and_not_shown() {
    for args in [&["-v"][..], &["-vvv"], &["--json"]] {
        let server = ScriptedServer::start(|peer| {
            peer.accept();
            peer.echo();
        });
        let url = format!("ws://m%65:p%40ss-word@localhost:{}/", server.port());
        let output = Run::new(args.iter().copied().chain(["-E", &url])).run().expect_code(0);
        let shown = output.text() + &output.stderr;
        for secret in ["p@ss-word", "p%40ss-word", "bWU6cEBzcy13b3Jk"] {
            assert!(!shown.contains(secret), "{args:?}: {shown}");
        }
        let seen = server.finish();
        let login = seen.requests[0].header("authorization");
        assert_eq!(login, Some("Basic bWU6cEBzcy13b3Jk"), "{args:?}");
        assert!(!seen.requests[0].head.contains('@'));
    }
    let run = Run::new(["ws://me:p%40ss-word@localhost:0/"]).run();
    let output = run.expect_failure(2, "usage: ");
    assert!(!output.stderr.contains("ss-word"), "{}", output.stderr);
}

#[test]
fn proxies_that_refuse() {
    let http = |name: &str, answer: &'static [u8], says: &str| {
        case(name, move |peer| {
            peer.request();
            let _ = peer.try_send(answer);
        })
        .exits(4, ["wstap: proxy: ", says])
    };
    let socks = |name: &str, answer: &'static [u8], says: &str| {
        case(name, move |peer| {
            let _ = peer.try_send(answer);
            peer.stay_silent();
        })
        .exits(4, ["wstap: proxy: ", says])
    };
    let cases = vec![
        http("407", b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic\r\n\r\n", "407"),
        http("403", b"HTTP/1.1 403 No \x1b[31m\r\n\r\n", "proxy"),
        http("502", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502"),
        http("nothing", b"", "proxy"),
        http("half an answer", b"HTTP/1.1 20", "proxy"),
        http("garbage", b"\x1b[2Jgarbage\r\n\r\n", "\\x1b[2Jgarbage"),
    ];
    let through = |cases: Vec<Case>, scheme: &'static str| {
        cases.into_iter().map(|case| case.proxied(scheme)).collect()
    };
    run("HTTP proxies", through(cases, "http"));
    let cases = vec![
        socks("no method", b"\x05\xff", "proxy"),
        socks("another version", b"\x04\x00", "proxy"),
        socks("an HTTP answer", b"HTTP/1.1 400 no\r\n\r\n", "proxy"),
        socks("not allowed", b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0", "allow"),
        socks("host unreachable", b"\x05\x00\x05\x04\x00\x01\0\0\0\0\0\0", "unreachable"),
        socks("refused", b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0", "refused"),
        socks("an unknown reply", b"\x05\x00\x05\x63\x00\x01\0\0\0\0\0\0", "99"),
    ];
    run("SOCKS proxies", through(cases, "socks5h"));
    run(
        "slow proxies",
        through(
            vec![
                case("an answer that never ends", |peer| {
                    peer.request();
                    peer.send("HTTP/1.1 200 OK\r\n");
                    peer.stay_silent();
                })
                .args(["--connect-timeout", "500ms"])
                .exits(11, ["proxy"])
                .within(Duration::from_secs(5)),
            ],
            "http",
        ),
    );
}
