//! `-L`: where redirects are followed to, what goes along, and where it ends.

use crate::support::home::Home;
use crate::support::run::{Output, Run};
use crate::support::scripted::{Request, ScriptedServer, frame};
use crate::support::tls::Tls;

/// What a redirect must not carry to another origin, and what it may.
const TYPED: [&str; 16] = [
    "-u",
    "me:hunter2",
    "-H",
    "Cookie: session=hunter2",
    "-H",
    "Proxy-Authorization: Basic hunter2",
    "-H",
    "X-Api-Key: hunter2",
    "-H",
    "Host: virtual.example",
    "-H",
    "X-Kept: yes",
    "--raw-header",
    "X-Raw: hunter2",
    "-s",
    "chat,access_token.hunter2",
];

/// A server that accepts, and says once that it is there.
fn goal() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, "open"));
        peer.echo();
    })
}

/// A server that redirects the first requests, and accepts what comes after them.
fn redirecting(status: u16, locations: Vec<String>) -> ScriptedServer {
    ScriptedServer::start(move |peer| match locations.get(peer.number() - 1) {
        Some(location) => {
            peer.request();
            peer.send(redirect(status, location));
        }
        None => {
            peer.accept();
            peer.send(frame(0x1, "open"));
            peer.echo();
        }
    })
}

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 2\r\n\r\nno")
}

fn follow(args: &[&str], url: &str) -> Output {
    let args = ["-L", "-n", "1"].iter().chain(args).copied().chain([url]);
    Run::new(args).stdin_held_open("").run()
}

fn lines(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(Request::line).collect()
}

#[test]
fn every_kind_is_followed_with_a_fresh_key_and_the_same_request() {
    for status in [301, 302, 303, 307, 308] {
        let server = redirecting(status, vec!["/b?x=1#part".to_owned(), "c".to_owned()]);
        let output = follow(&TYPED, &format!("{}a", server.url()));
        let output = output.expect_code(0).expect_stdout("open\n");
        assert!(!output.stderr.contains("Location"), "{}", output.stderr);
        let seen = server.finish().requests;
        let expected = ["GET /a HTTP/1.1", "GET /b?x=1 HTTP/1.1", "GET /c HTTP/1.1"];
        assert_eq!(lines(&seen), expected, "{status}");
        let mut keys: Vec<_> = seen.iter().filter_map(|r| r.header("sec-websocket-key")).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 3);
        let without_key = |request: &Request| {
            let lines =
                request.head.lines().skip(1).filter(|l| !l.starts_with("Sec-WebSocket-Key"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without_key(&seen[0]), without_key(&seen[2]));
        assert!(seen[2].head.contains("hunter2"));
    }
}

#[test]
fn another_origin_gets_no_secrets_and_its_own_host() {
    let goal = goal();
    // Another port of the same host is another origin.
    let first = redirecting(302, vec![format!("http://me:guessed@localhost:{}/x", goal.port())]);
    let args: Vec<&str> = TYPED.iter().copied().chain(["-v"]).collect();
    let from = first.url();
    let output = follow(&args, &from).expect_code(0).expect_stdout("open\n");
    let (before, after) = (first.finish().requests.remove(0), goal.seen().requests.remove(0));
    for name in ["authorization", "cookie", "proxy-authorization", "x-api-key", "x-raw"] {
        assert!(before.header(name).is_some(), "{name}");
        assert_eq!(after.header(name), None, "{name}");
    }
    assert!(!after.head.contains("hunter2") && !after.head.contains("guessed"), "{}", after.head);
    assert_eq!(before.header("host"), Some("virtual.example"));
    assert_eq!(after.header("host"), Some(format!("localhost:{}", goal.port()).as_str()));
    assert_eq!(after.header("sec-websocket-protocol"), Some("chat"));
    assert_eq!(after.header("x-kept"), Some("yes"));
    let said = &output.stderr;
    let hop = format!("302 redirects from {} to ws://localhost:{}/x\n", from, goal.port());
    assert!(said.contains(&hop), "{said}");
    assert!(
        said.contains(
            "not sent to another origin: Authorization, Cookie, Proxy-Authorization, X-Api-Key, \
             Host, raw headers, Sec-WebSocket-Protocol's token"
        ),
        "{said}"
    );
    assert!(!said.contains("guessed"), "{said}");
}

#[test]
fn what_was_dropped_stays_dropped_on_the_way_back() {
    let first = ScriptedServer::start(|peer| match peer.number() {
        1 => {
            let request = peer.request();
            let other = request.header("x-other").unwrap().to_owned();
            peer.send(redirect(307, &other));
        }
        _ => {
            peer.accept();
            peer.send(frame(0x1, "open"));
            peer.echo();
        }
    });
    let back = redirecting(307, vec![format!("{}back", first.url())]);
    let other = format!("X-Other: {}", back.url());
    let output = follow(&["-u", "me:hunter2", "-H", &other], &first.url());
    output.expect_code(0);
    let seen = first.finish().requests;
    assert_eq!(lines(&seen), ["GET / HTTP/1.1", "GET /back HTTP/1.1"]);
    assert!(seen[0].header("authorization").is_some());
    assert_eq!(seen[1].header("authorization"), None);
}

#[test]
fn there_is_a_most() {
    let endless = || {
        ScriptedServer::start(|peer| {
            peer.request();
            peer.send(redirect(302, &format!("/{}", peer.number())));
        })
    };
    for (args, requests) in
        [(&[][..], 11), (&["--max-redirs", "3"], 4), (&["--max-redirs", "0"], 1)]
    {
        let server = endless();
        let output = follow(args, &server.url());
        output.expect_code(6).expect_stderr("more than").expect_stderr("--max-redirs");
        assert_eq!(server.finish().requests.len(), requests);
    }
}

#[test]
fn loops_are_named() {
    for (locations, named) in
        [(vec!["/"], "/ again"), (vec!["/a", "/b", "/a"], "/a again"), (vec![""], "/ again")]
    {
        let count = locations.len();
        let server = redirecting(301, locations.into_iter().map(str::to_owned).collect());
        let output = follow(&[], &server.url());
        let output = output.expect_code(6).expect_stderr("handshake: redirect loop: ws://");
        output.expect_stderr(named);
        assert_eq!(server.finish().requests.len(), count);
    }
}

#[test]
fn what_is_not_followed_says_why() {
    let long = format!("/{}", "x".repeat(60_000));
    for (location, why) in [
        ("file:///etc/passwd", "only ws, wss, http and https are followed"),
        ("javascript:alert(1)", "only ws, wss"),
        ("http://h:0/", "can't be reached"),
        ("http://[::1/", "is no WebSocket URL"),
        ("/\u{9b}31m\u{202e}", "\\u{9b}31m\\u{202e}"),
        (long.as_str(), "longer than 8192 bytes: /xxx"),
    ] {
        let server = redirecting(302, vec![location.to_owned()]);
        let output = follow(&[], &server.url());
        let output = output.expect_code(6).expect_stderr("redirects (302), but");
        let output = output.expect_stderr(why);
        let line = output.stderr.lines().find(|l| l.starts_with("wstap: ")).unwrap();
        assert!(line.len() < 700, "{line}");
        assert_eq!(server.finish().requests.len(), 1);
    }
    for (headers, why) in [
        ("", "without a Location"),
        ("Location: /a\r\nLocation: /b\r\n", "two different Locations: /a and /b"),
    ] {
        let server = ScriptedServer::start(move |peer| {
            peer.request();
            peer.send(format!("HTTP/1.1 308 X\r\n{headers}Content-Length: 0\r\n\r\n"));
        });
        follow(&[], &server.url()).expect_code(6).expect_stderr(why);
    }
    // Other answers of this kind ask for a choice, or mean something else.
    for status in [300, 304, 305, 306] {
        let server = redirecting(status, vec!["/elsewhere".to_owned()]);
        follow(&[], &server.url()).expect_code(6).expect_stderr(&status.to_string());
        assert_eq!(server.finish().requests.len(), 1);
    }
}

#[test]
fn tls_is_not_left_but_may_be_entered() {
    let tls = Tls::new();
    let ca = tls.ca.display().to_string();
    let plain = goal();
    let to = plain.url();
    let secure = ScriptedServer::start_tls(&tls, move |peer| {
        peer.request();
        peer.send(redirect(302, &to));
    });
    let output = follow(&["--cacert", &ca], &secure.url());
    output.expect_code(6).expect_stderr("it would go on without TLS: ws://localhost:");
    assert_eq!(plain.finish().connections, 0);

    let secure = ScriptedServer::start_tls(&tls, |peer| {
        peer.accept();
        peer.send(frame(0x1, "open"));
        peer.echo();
    });
    let to = secure.url().replacen("wss:", "https:", 1);
    let plain = redirecting(301, vec![to]);
    let output = follow(&["--cacert", &ca, "--sni", "localhost"], &plain.url());
    output.expect_code(0).expect_stdout("open\n");
}

#[test]
fn without_it_the_hint_says_so_and_nothing_is_followed() {
    let server = redirecting(302, vec!["/x".to_owned()]);
    let output = Run::new([server.url()]).run().expect_code(6);
    output.expect_stderr("it points to /x: -L follows it");
    assert_eq!(server.finish().requests.len(), 1);
}

#[test]
fn one_deadline_counts_for_all_hops() {
    let silent = ScriptedServer::start(|peer| {
        peer.request();
        peer.stay_silent();
    });
    let first = redirecting(302, vec![silent.url()]);
    let output = follow(&["--connect-timeout", "500ms"], &first.url());
    let output = output.expect_code(11).expect_stderr("no answer within 500 ms");
    assert!(output.elapsed.as_secs() < 5);
}

#[test]
fn a_redirect_s_body_is_not_waited_for() {
    // Neither a length nor an end: a body until the connection closes.
    let server = ScriptedServer::start(|peer| match peer.number() {
        1 => {
            peer.request();
            peer.send("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n");
            peer.stay_silent();
        }
        _ => {
            peer.accept();
            peer.send(frame(0x1, "open"));
            peer.echo();
        }
    });
    let output = follow(&[], &server.url()).expect_code(0);
    assert!(output.elapsed.as_millis() < 2500, "{:?}", output.elapsed);
}

#[test]
fn every_view_shows_the_hops() {
    let home = Home::new();
    let events = |args: &[&str]| {
        let server = redirecting(302, vec!["/b?token=hunter2".to_owned()]);
        let url = server.url();
        let args = args.iter().copied().chain(["-L", url.as_str()]);
        let output = Run::new(args).home(&home).stdin("").run().expect_code(0);
        let all = output.text() + &output.stderr;
        assert!(!all.contains("hunter2"), "{all}");
        all
    };
    let json = events(&["--json"]);
    let kinds: Vec<String> = json
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .filter(|kind| ["request", "response", "redirected", "open"].contains(&kind.as_str()))
        .collect();
    assert_eq!(kinds, ["request", "response", "redirected", "request", "response", "open"]);
    let line = json.lines().find(|line| line.contains("\"redirected\"")).unwrap();
    assert!(line.contains("\"status\":302,\"from\":\"ws://localhost:"), "{line}");
    assert!(line.ends_with("/b?token=***\",\"dropped\":[]}"), "{line}");
    let verbose = events(&["-v"]);
    assert!(verbose.contains("302 redirects from ws://localhost:"), "{verbose}");
    let report = events(&["inspect"]);
    let sections: Vec<&str> =
        report.lines().filter(|line| line.starts_with(char::is_uppercase)).collect();
    let hop = ["Connection", "Request", "Response"];
    let end = ["Handshake", "Opened", "After opening", "Verdict"];
    let expected: Vec<&str> = [&hop[..], &["Redirect"], &hop, &end].concat();
    assert_eq!(sections, expected, "{report}");
    assert!(report.contains("✓ the opening handshake keeps every rule"), "{report}");
}

#[test]
fn inspect_says_why_a_redirect_was_not_followed() {
    let server = redirecting(302, vec!["/".to_owned()]);
    let output = Run::new(["inspect", "-L", &server.url()]).run().expect_code(6);
    assert!(output.text().contains("✗ redirect loop: ws://localhost:"), "{}", output.text());
    // A hop that fails is not reported as the redirect before it.
    let server = redirecting(302, vec!["http://127.0.0.1:1/".to_owned()]);
    let output = Run::new(["inspect", "-L", &server.url()]).run().expect_code(4);
    assert!(output.text().contains("✗ connect: "), "{}", output.text());
}
