//! Basic, Digest, cookies and `.netrc`, against servers that check for themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use md5::Md5;
use sha2::digest::Digest as Hash;
use sha2::{Sha256, Sha512_256};

use crate::support::home::Home;
use crate::support::run::{Output, Run};
use crate::support::scripted::{Peer, Request, ScriptedServer, frame};

/// `me:hunter2`.
const BASIC: &str = "Basic bWU6aHVudGVyMg==";

const LOGIN: [&str; 2] = ["-u", "me:hunter2"];

fn run(args: &[&str], url: &str) -> Output {
    run_in(&Home::new(), args, url)
}

fn run_in(home: &Home, args: &[&str], url: &str) -> Output {
    let args = ["-n", "1"].iter().chain(args).copied().chain([url]);
    Run::new(args).home(home).stdin_held_open("").run()
}

fn welcome(peer: &mut Peer, request: &Request, headers: &str) {
    peer.upgrade(request, headers);
    peer.send(frame(0x1, "open"));
    peer.echo();
}

fn refuse(peer: &mut Peer, headers: &str) {
    peer.send(format!("HTTP/1.1 401 Unauthorized\r\n{headers}Content-Length: 0\r\n\r\n"));
}

/// What the server makes of the Authorization field: a Digest for these secrets, computed here.
fn is_right(request: &Request, nonce: &str, algorithm: &str, password: &str) -> bool {
    let Some(fields) = request.header("authorization").and_then(|v| v.strip_prefix("Digest "))
    else {
        return false;
    };
    let field = |name: &str| {
        let pairs = fields.split(", ").filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, v)| v.trim_matches('"'));
        values.next().unwrap_or_default().to_owned()
    };
    let hash = |text: String| {
        let bytes = match algorithm.trim_end_matches("-sess") {
            "MD5" => Md5::digest(text).to_vec(),
            "SHA-256" => Sha256::digest(text).to_vec(),
            "SHA-512-256" => Sha512_256::digest(text).to_vec(),
            other => panic!("{other}"),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let target = request.line().split(' ').nth(1).unwrap();
    let cnonce = field("cnonce");
    let mut secret = hash(format!("me:the realm:{password}"));
    if algorithm.ends_with("-sess") {
        secret = hash(format!("{secret}:{nonce}:{cnonce}"));
    }
    let expected = hash(format!(
        "{secret}:{nonce}:{}:{cnonce}:auth:{}",
        field("nc"),
        hash(format!("GET:{target}"))
    ));
    assert_eq!((field("uri").as_str(), field("algorithm").as_str()), (target, algorithm));
    assert_eq!((field("opaque").as_str(), field("qop").as_str()), ("op=aque", "auth"));
    assert!(cnonce.len() > 15 && field("nc") == "00000001", "{fields}");
    field("nonce") == nonce && field("username") == "me" && field("response") == expected
}

fn challenge(nonce: &str, algorithm: &str, more: &str) -> String {
    format!(
        "WWW-Authenticate: Digest realm=\"the realm\", nonce=\"{nonce}\", algorithm={algorithm}, \
         qop=\"auth,auth-int\", opaque=\"op=aque\"{more}\r\n"
    )
}

/// A server that wants a Digest.
fn guarded(algorithm: &'static str, password: &'static str) -> ScriptedServer {
    ScriptedServer::start(move |peer| {
        let request = peer.request();
        if is_right(&request, "n-1", algorithm, password) {
            welcome(peer, &request, "");
        } else {
            refuse(peer, &challenge("n-1", algorithm, ""));
        }
    })
}

fn sent(server: ScriptedServer) -> Vec<String> {
    let requests = server.finish().requests;
    let scheme = |request: &Request| {
        let field = request.header("authorization").unwrap_or("none");
        field.split(' ').next().unwrap().to_owned()
    };
    requests.iter().map(scheme).collect()
}

#[test]
fn digest_with_every_algorithm() {
    for algorithm in
        ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"]
    {
        for (option, first) in
            [(&[][..], "Basic"), (&["--digest"], "none"), (&["--anyauth"], "none")]
        {
            println!("{algorithm} {option:?}");
            let server = guarded(algorithm, "hunter2");
            let args: Vec<&str> = LOGIN.iter().chain(option).copied().chain(["-v"]).collect();
            let output = run(&args, &format!("{}dir?q=1", server.url())).expect_code(0);
            output.expect_stderr(&format!("logging in with Digest ({algorithm})"));
            assert_eq!(sent(server), [first, "Digest"]);
        }
    }
}

#[test]
fn a_wrong_password_is_tried_once() {
    for option in [&[][..], &["--digest"], &["--anyauth"]] {
        let server = guarded("SHA-256", "another");
        let args: Vec<&str> = LOGIN.iter().chain(option).copied().collect();
        let output = run(&args, &server.url()).expect_failure(6, "handshake: upgrade refused");
        let output = output.expect_stderr("the user name or the password, sent with Digest, is");
        assert!(!output.stderr.contains("hunter2"));
        assert_eq!(sent(server).len(), 2);
    }
    let server = ScriptedServer::start(|peer| {
        peer.request();
        refuse(peer, "WWW-Authenticate: Basic realm=\"x\"\r\n");
    });
    let output = run(&LOGIN, &server.url()).expect_code(6);
    output.expect_stderr("sent with Basic, is refused (Basic realm=\"x\")");
    assert_eq!(sent(server), ["Basic"]);
}

#[test]
fn a_nonce_may_grow_old_once() {
    let server = ScriptedServer::start(|peer| {
        let request = peer.request();
        match peer.number() {
            1 => refuse(peer, &challenge("n-1", "MD5", "")),
            2 => {
                assert!(is_right(&request, "n-1", "MD5", "hunter2"));
                refuse(peer, &challenge("n-2", "MD5", ", stale=TRUE"));
            }
            _ => {
                assert!(is_right(&request, "n-2", "MD5", "hunter2"));
                welcome(peer, &request, "");
            }
        }
    });
    run(&["--digest", "-u", "me:hunter2"], &server.url()).expect_code(0);
    assert_eq!(sent(server).len(), 3);
    let server = ScriptedServer::start(|peer| {
        peer.request();
        refuse(peer, &challenge(&format!("n-{}", peer.number()), "MD5", ", stale=true"));
    });
    run(&["--digest", "-u", "me:hunter2"], &server.url()).expect_code(6);
    assert_eq!(sent(server).len(), 3);
}

#[test]
fn which_of_several_is_chosen() {
    let digest = challenge("n-1", "SHA-256", "");
    let unknown = "WWW-Authenticate: Negotiate, Digest realm=\"the realm\", nonce=\"x\", \
        algorithm=SHA-1\r\n";
    let basic = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    for (headers, option, schemes, code) in [
        (format!("{basic}{digest}"), "--anyauth", &["none", "Digest"][..], 0),
        (format!("{unknown}{digest}{basic}"), "--digest", &["none", "Digest"], 0),
        (format!("{unknown}{basic}"), "--anyauth", &["none", "Basic"], 0),
        // Basic has been refused: there is nothing better to be learned by trying on.
        (format!("{basic}{digest}"), "-v", &["Basic"], 6),
        (basic.to_owned(), "--digest", &["none"], 6),
        (unknown.to_owned(), "--anyauth", &["none"], 6),
        (String::new(), "--anyauth", &["none"], 6),
    ] {
        println!("{headers} {option}");
        let server = ScriptedServer::start(move |peer| {
            let request = peer.request();
            match peer.number() {
                1 => refuse(peer, &headers),
                _ => welcome(peer, &request, ""),
            }
        });
        run(&[&LOGIN[..], &[option]].concat(), &server.url()).expect_code(code);
        assert_eq!(sent(server), schemes);
    }
}

#[test]
fn nothing_is_answered_without_a_login_of_ours() {
    for (args, schemes) in [
        (&[][..], "none"),
        (&["-H", "Authorization: Own x"], "Own"),
        (&["-H", "Authorization: Own x", "-u", "me:hunter2"], "Own"),
        (&["--bearer", "x"], "Bearer"),
    ] {
        let server = guarded("MD5", "hunter2");
        run(args, &server.url()).expect_code(6);
        assert_eq!(sent(server), [schemes]);
    }
}

#[test]
fn hostile_challenges_are_a_refusal() {
    for headers in [
        format!("WWW-Authenticate: {}\r\n", "Digest ".repeat(8000)),
        format!("WWW-Authenticate: Digest realm=\"{}\", nonce=1\r\n", "x".repeat(60_000)),
        format!("WWW-Authenticate: Digest {}\r\n", "realm=\"x\",".repeat(5000)),
        "WWW-Authenticate: Digest realm=\"x, nonce=\r\n".to_owned(),
        "WWW-Authenticate: Digest realm=\"\\\", nonce=\"\\\r\n".to_owned(),
        "WWW-Authenticate: \u{9b}31m=,,=\"\"\r\n".to_owned(),
        "WWW-Authenticate:\r\n".repeat(200),
    ] {
        let server = ScriptedServer::start(move |peer| {
            peer.request();
            refuse(peer, &headers);
        });
        let output = run(&["--digest", "-u", "me:hunter2"], &server.url()).expect_code(6);
        assert!(!output.stderr.contains('\u{9b}'));
        assert_eq!(sent(server), ["none"]);
    }
}

#[test]
fn a_digest_that_is_taken_may_be_followed_by_a_redirect() {
    let server = ScriptedServer::start(|peer| {
        let request = peer.request();
        if !is_right(&request, "n-1", "MD5", "hunter2") {
            refuse(peer, &challenge("n-1", "MD5", ""));
        } else if request.line().contains("/a") {
            peer.send("HTTP/1.1 307 X\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
        } else {
            welcome(peer, &request, "");
        }
    });
    let args = ["-L", "--digest", "-u", "me:hunter2"];
    run(&args, &format!("{}a", server.url())).expect_code(0);
    assert_eq!(sent(server), ["none", "Digest", "none", "Digest"]);
}

/// A server that sets cookies: in its 101, or in a refusal or a redirect before.
fn setting(field: &'static str, status: u16) -> ScriptedServer {
    ScriptedServer::start(move |peer| {
        let request = peer.request();
        let headers = format!("Set-Cookie: {field}\r\n");
        match peer.number() {
            1 if status != 101 => peer.send(format!(
                "HTTP/1.1 {status} X\r\n{headers}Location: /\r\nContent-Length: 0\r\n\r\n"
            )),
            _ => welcome(peer, &request, if status == 101 { &headers } else { "" }),
        }
    })
}

#[test]
fn cookies_are_kept_in_a_file_for_their_owner_alone() {
    for status in [101, 403] {
        let home = Home::new();
        let jar = home.path().join("jar");
        let set = setting("sid=hunter2; Path=/; HttpOnly; Max-Age=600", status);
        let args = ["--cookie-jar", "jar", "-v"];
        let output = run_in(&home, &args, &set.url());
        let output = output.expect_code(if status == 101 { 0 } else { 6 });
        assert!(!output.stderr.contains("hunter2"), "{}", output.stderr);
        assert_eq!(fs::metadata(&jar).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&jar).unwrap();
        assert!(text.starts_with("# Netscape HTTP Cookie File\n#HttpOnly_localhost\tFALSE\t/\t"));
        assert!(text.ends_with("\tsid\thunter2\n"), "{text}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "a file too many is left");

        // What was typed comes first and counts before what is kept.
        for (typed, arrives) in
            [("", "sid=hunter2"), ("a=1", "a=1; sid=hunter2"), ("sid=own", "sid=own")]
        {
            let over = setting("sid=; Max-Age=0", 101);
            fs::write(&jar, &text).unwrap();
            let cookie = ["--cookie", typed];
            let typed: &[&str] = if typed.is_empty() { &[] } else { &cookie };
            run_in(&home, &[&args[..], typed].concat(), &over.url()).expect_code(0);
            assert_eq!(over.finish().requests[0].header("cookie"), Some(arrives));
            assert!(!fs::read_to_string(&jar).unwrap().contains("sid"), "it was deleted");
        }
        // Another host gets nothing.
        fs::write(&jar, &text).unwrap();
        let other = setting("x=1; Domain=localhost", 101);
        let url = format!("ws://127.0.0.1:{}/", other.port());
        let output = run_in(&home, &args, &url).expect_code(0);
        output.expect_stderr("the cookie x is not kept: it is for another domain");
        assert_eq!(other.finish().requests[0].header("cookie"), None);
    }
}

#[test]
fn a_cookie_of_a_redirect_goes_with_the_next_request() {
    // The same URL again is no loop if a cookie has come.
    let server = setting("seen=1", 302);
    let home = Home::new();
    run_in(&home, &["-L", "--cookie-jar", "jar"], &server.url()).expect_code(0);
    let requests = server.finish().requests;
    assert_eq!(requests[0].header("cookie"), None);
    assert_eq!(requests[1].header("cookie"), Some("seen=1"));
}

#[test]
fn a_jar_that_is_no_jar() {
    let server = setting("a=1", 101);
    let home = Home::new();
    home.file("odd", "one line\n# a comment\n\u{1b}[31m\n");
    let output = run_in(&home, &["--cookie-jar", "odd"], &server.url()).expect_code(0);
    output.expect_stderr("2 lines of odd are no cookies; they are left");
    let text = fs::read_to_string(home.path().join("odd")).unwrap();
    assert!(text.contains("\none line\n# a comment\n\u{1b}[31m\nlocalhost\t"), "{text}");
    let folder = run_in(&home, &["--cookie-jar", "."], &server.url());
    folder.expect_failure(13, "input: can't read the cookies in .: ");
    let nowhere = run_in(&home, &["--cookie-jar", "no/where"], &server.url()).expect_code(0);
    nowhere.expect_stderr("the cookies can't be written to no/where: ");
}

#[test]
fn netrc_has_the_logins_of_hosts() {
    let home = Home::new();
    let text = "machine localhost login me password \"hunter2\"\nmacdef x\n\n\
        machine 127.0.0.1\n login other password \"with \\\"quotes\\\"\"\n";
    home.file(".netrc", text);
    home.file("rc", text);
    for (args, user) in [
        (&["--netrc"][..], Some(BASIC)),
        (&["--netrc-file", "rc"], Some(BASIC)),
        (&["--netrc", "-u", "x:"], Some("Basic eDo=")),
        (&["--netrc", "-H", "Authorization: Own"], Some("Own")),
        (&[], None),
    ] {
        let server = setting("a=1", 101);
        run_in(&home, args, &server.url()).expect_code(0);
        assert_eq!(server.finish().requests[0].header("authorization"), user, "{args:?}");
    }
    // A redirect to another host: that host's login.
    let goal = setting("a=1", 101);
    let to = format!("ws://127.0.0.1:{}/", goal.port());
    let first = ScriptedServer::start(move |peer| {
        peer.request();
        peer.send(format!("HTTP/1.1 302 X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
    });
    let output = run_in(&home, &["-L", "--netrc", "-v"], &first.url()).expect_code(0);
    for secret in ["hunter2", "quotes", "bWU6", "b3Ro"] {
        assert!(!output.stderr.contains(secret), "{}", output.stderr);
    }
    assert_eq!(first.finish().requests[0].header("authorization"), Some(BASIC));
    let other = goal.finish().requests.remove(0);
    // other:with "quotes"
    assert_eq!(other.header("authorization"), Some("Basic b3RoZXI6d2l0aCAicXVvdGVzIg=="));
}

#[test]
fn a_netrc_that_cannot_be_read() {
    let home = Home::new();
    home.file("rc", "machine localhost hunter2\n");
    let output = run_in(&home, &["--netrc-file", "rc"], "ws://127.0.0.1:1/");
    let output = output.expect_failure(13, "input: rc: line 1: not machine");
    assert!(!output.stderr.contains("hunter2"));
    run_in(&home, &["--netrc"], "ws://127.0.0.1:1/").expect_failure(13, "input: can't read ");
}

#[test]
fn secrets_come_from_the_environment() {
    for (option, name, value) in [
        ("-u", "authorization", BASIC),
        ("--bearer", "authorization", "Bearer me:hunter2"),
        ("--cookie", "cookie", "me:hunter2"),
        ("-H", "me", "hunter2"),
    ] {
        let server = setting("a=1", 101);
        let args = [option, "@env:SECRET", "-n", "1", &server.url()].map(str::to_owned);
        let output = Run::new(args).env("SECRET", "me:hunter2").stdin_held_open("").run();
        output.expect_code(0);
        assert_eq!(server.finish().requests[0].header(name), Some(value), "{option}");
    }
    let unset = Run::new(["--bearer", "@env:SECRET", "ws://127.0.0.1:1/"]).run();
    unset.expect_failure(2, "usage: the environment variable SECRET is not set");
}
