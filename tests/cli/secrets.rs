//! Passwords, tokens and cookies never appear in what wstap shows, unless asked for.

use crate::support::home::Home;
use crate::support::run::{Output, Run};
use crate::support::scripted::{ScriptedServer, frame};

/// In every secret that the tests use, so that one search finds any of them.
const SECRET: &str = "hunter2";

/// `me:hunter2` as Basic credentials.
const BASIC: &str = "bWU6aHVudGVyMg==";

/// A token by its looks, and how it may be written in a URL.
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.hunter2";
const PATH: &str = "/room/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.hunter2/x";
const CODED: &str = "/x?q=eyJhbGciOiJIUzI1NiJ9%2EeyJzdWIiOiJtZSJ9%2Ehunter2";
const AGENT: &str = "me (eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.hunter2)";

/// Ways to hand a secret over: options, the path of the URL, and how it arrives at the server.
const WAYS: [(&[&str], &str, &str); 29] = [
    (&["-u", "me:hunter2"], "/", BASIC),
    (&["--bearer", "hunter2"], "/", "Bearer hunter2"),
    (&["--bearer", JWT], "/", JWT),
    (&["-H", "Authorization: Digest hunter2"], "/", "Digest hunter2"),
    (&["-H", "proxy-authorization: Basic hunter2"], "/", "Basic hunter2"),
    (&["-H", "X-Api-Key: hunter2"], "/", "X-Api-Key: hunter2"),
    (&["-H", "X-Session-Id: hunter2"], "/", "X-Session-Id: hunter2"),
    (&["-H", "Referer: https://me:hunter2@h/?sig=hunter2"], "/", "me:hunter2@h"),
    (&["-H", "X-Any: /x?a=1&ticket=hunter2"], "/", "ticket=hunter2"),
    (&["-A", AGENT], "/", JWT),
    (&["--cookie", "session=hunter2"], "/", "session=hunter2"),
    (&["-H", "Cookie: session=hunter2"], "/", "session=hunter2"),
    (&["-s", "bearer,hunter2"], "/", "hunter2"),
    (&["-s", "Authorization,Bearer,hunter2"], "/", "hunter2"),
    (&["-s", "graphql-ws,header-hunter2"], "/", "header-hunter2"),
    (&["-s", "bearer-hunter2"], "/", "bearer-hunter2"),
    (&["-s", "access_token,hunter2"], "/", "hunter2"),
    (&["-s", "base64url.bearer.authorization.k8s.io.hunter2"], "/", "k8s.io.hunter2"),
    (&["-s", JWT], "/", JWT),
    (&[], "/?x=1&token=hunter2", "token=hunter2"),
    (&[], "/?header=hunter2&payload=e30=", "header=hunter2"),
    (&[], "/?ticket=hunter2", "ticket=hunter2"),
    (&[], "/?sv=1&sig=hunter2%2Fx", "sig=hunter2%2Fx"),
    (&[], "/?X-Amz-Credential=hunter2&X-Amz-Signature=hunter2", "Signature=hunter2"),
    (&[], "/?X-Amz-Security-Token=hunter2", "Token=hunter2"),
    (&[], "/?next=%2Fx%3Fpassword%3Dhunter2", "password%3Dhunter2"),
    (&[], "/token=hunter2/room", "token=hunter2"),
    (&[], PATH, JWT),
    (&[], CODED, "hunter2"),
];

/// How much is shown.
const VIEWS: [&[&str]; 7] =
    [&[], &["-v"], &["-vv"], &["-vvv"], &["--json"], &["--json", "-vvv"], &["inspect"]];

fn echoing() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        let request = peer.request();
        let chosen =
            request.header("sec-websocket-protocol").and_then(|list| list.split(',').next());
        let chosen = chosen.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        let cookie = "Set-Cookie: session=hunter2; Secure\r\n";
        peer.upgrade(&request, &format!("{}{cookie}", chosen.unwrap_or_default()));
        peer.send(frame(0x1, "open"));
        peer.echo();
    })
}

/// A server that refuses.
fn refusing(status: &'static str) -> ScriptedServer {
    ScriptedServer::start(move |peer| {
        peer.request();
        let head = format!(
            "HTTP/1.1 {status}\r\nSet-Cookie: session=hunter2\r\n\
             Location: /login?token=hunter2\r\nContent-Length: 0\r\n\r\n",
        );
        peer.send(head);
    })
}

fn run(server: &ScriptedServer, view: &[&str], way: &[&str], path: &str) -> Output {
    let url = format!("ws://127.0.0.1:{}{path}", server.port());
    let count: &[&str] = if view.contains(&"inspect") { &[] } else { &["-n", "1"] };
    let args = view.iter().chain(way).chain(count).copied().chain([url.as_str()]);
    Run::new(args).stdin_held_open("").run()
}

#[track_caller]
fn expect_hidden(output: &Output) {
    for shown in [&output.text(), &output.stderr] {
        assert!(!shown.contains(SECRET) && !shown.contains(BASIC), "{shown}");
    }
}

#[test]
fn no_view_shows_them() {
    for (way, path, arrives) in WAYS {
        for view in VIEWS {
            println!("{way:?} {path} {view:?}");
            let server = echoing();
            expect_hidden(&run(&server, view, way, path).expect_code(0));
            assert!(server.finish().requests[0].head.contains(arrives));
        }
    }
}

#[test]
fn no_error_shows_them() {
    for (way, path, _) in WAYS {
        for view in VIEWS {
            println!("{way:?} {path} {view:?}");
            for status in ["404 Not Found", "302 Found"] {
                expect_hidden(&run(&refusing(status), view, way, path).expect_code(6));
            }
        }
    }
}

/// A page about a failed request often quotes it.
#[test]
fn no_refusal_that_quotes_the_request_shows_them() {
    for (way, path, _) in WAYS {
        for view in VIEWS {
            println!("{way:?} {path} {view:?}");
            let server = ScriptedServer::start(|peer| {
                let request = peer.request();
                let quoted: Vec<&str> = request.head.lines().collect();
                let quoted = quoted.join(" | ");
                peer.send(format!(
                    "HTTP/1.1 403 No {quoted}\r\nX-Quoted: {quoted}\r\nWWW-Authenticate: Bearer \
                     error=\"{quoted}\"\r\nConnection: close\r\n\r\n<pre>{}\n{quoted}</pre>",
                    request.head
                ));
            });
            expect_hidden(&run(&server, view, way, path).expect_code(6));
        }
    }
}

#[test]
fn no_redirect_that_quotes_the_request_and_is_not_followed_shows_them() {
    for to in ["ftp://h/hunter2", "http://[/hunter2"] {
        for view in VIEWS {
            println!("{to} {view:?}");
            let server = ScriptedServer::start(move |peer| {
                peer.request();
                peer.send(format!(
                    "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
                ));
            });
            expect_hidden(&run(&server, view, &["-L"], "/?token=hunter2").expect_code(6));
        }
    }
}

/// A service that sends back what it gets is no WebSocket server.
#[test]
fn no_echo_of_the_request_shows_them() {
    for (way, path, _) in WAYS {
        for view in VIEWS {
            println!("{way:?} {path} {view:?}");
            let server = ScriptedServer::start(|peer| {
                let request = peer.request();
                peer.send(request.head);
            });
            expect_hidden(&run(&server, view, way, path).expect_code(7));
        }
    }
}

/// The token alone, without the word before it, is the subprotocol that the server chose.
#[test]
fn a_token_as_the_chosen_subprotocol_is_hidden() {
    for view in VIEWS {
        let server = ScriptedServer::start(|peer| {
            let request = peer.request();
            peer.upgrade(&request, "Sec-WebSocket-Protocol: hunter2\r\n");
            peer.send(frame(0x1, "open"));
            peer.echo();
        });
        expect_hidden(&run(&server, view, &["-s", "bearer,hunter2"], "/").expect_code(0));
    }
}

#[test]
fn ordinary_names_hide_nothing() {
    let path = "/?keyboard=de&codec=h264&signal=5&max_tokens=9&EIO=4&sid=u7Xk&token=undefined";
    let server = echoing();
    let output = run(&server, &["-v"], &["-H", "X-Keyboard: de", "-s", "graphql-ws"], path);
    let output = output.expect_code(0);
    for words in [path, "X-Keyboard: de", "subprotocol graphql-ws"] {
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
    }
}

#[test]
fn a_wrong_answer_to_a_bearer_subprotocol_keeps_it() {
    for view in VIEWS {
        let server = ScriptedServer::start(|peer| {
            let request = peer.request();
            peer.upgrade(&request, "Sec-WebSocket-Protocol: bearer, hunter2, other\r\n");
        });
        expect_hidden(&run(&server, view, &["-s", "bearer,hunter2"], "/").expect_code(7));
    }
}

#[test]
fn a_url_that_cannot_be_reached_or_understood_keeps_them() {
    for url in [
        "ws://me:hunter2@127.0.0.1:1/?token=hunter2",
        "ws://me:hunter2@h:99999/?token=hunter2",
        "ws://me:hunter2@h/?token=hunter2#top",
        "ftp://me:hunter2@h/?token=hunter2",
        "http://me:hunter2@127.0.0.1:1/?token=hunter2",
        "me:hunter2@127.0.0.1:1/?token=hunter2",
    ] {
        for view in VIEWS {
            println!("{url} {view:?}");
            let output = Run::new(view.iter().copied().chain([url])).run();
            assert_ne!(output.code(), 0);
            expect_hidden(&output);
        }
    }
}

#[test]
fn a_header_that_cannot_be_sent_keeps_them() {
    for way in [
        ["-H", "Authorization: hunter2\r\nX: y"],
        ["-H", "Authorization hunter2"],
        ["--cookie", "session=hunter2\r\n"],
        ["--bearer", "hunter2\r\n"],
        ["-s", "bearer hunter2"],
        ["-s", "bearer,hunter2 x"],
    ] {
        println!("{way:?}");
        let output = Run::new(way.iter().copied().chain(["ws://127.0.0.1:1/"])).run();
        expect_hidden(&output.expect_code(2));
    }
}

#[test]
fn the_password_in_a_url_is_sent_and_hidden() {
    let server = echoing();
    let url = format!("ws://me:hunter2@127.0.0.1:{}/", server.port());
    for view in VIEWS {
        let count: &[&str] = if view.contains(&"inspect") { &[] } else { &["-n", "1"] };
        let args = view.iter().chain(count).copied().chain([url.as_str()]);
        expect_hidden(&Run::new(args).stdin_held_open("").run().expect_code(0));
    }
    let requests = server.finish().requests;
    assert_eq!(requests.len(), VIEWS.len());
    for request in requests {
        assert_eq!(request.header("authorization"), Some(format!("Basic {BASIC}").as_str()));
        assert!(!request.head.contains(SECRET), "{}", request.head);
    }
}

/// A Digest's response and its user name are in one field, as a cookie is; both come with a 401, a
/// redirect and a jar, too.
#[test]
fn what_logins_and_jars_send_is_hidden_and_shown_on_request() {
    let home = Home::new();
    home.file("netrc", "machine localhost login me password hunter2\n");
    let shown = ["response=\"", "kept=hunter2", "fresh=hunter2"];
    for (view, show) in [
        (&["-v"][..], false),
        (&["-vvv"], false),
        (&["--json"], false),
        (&["--json", "-vvv"], false),
        (&["inspect"], false),
        (&["-v", "--show-secrets"], true),
        (&["--json", "--show-secrets"], true),
        (&["inspect", "--show-secrets"], true),
    ] {
        println!("{view:?}");
        home.file("jar", "localhost\tFALSE\t/\tFALSE\t0\tkept\thunter2\n");
        let server = ScriptedServer::start(|peer| {
            let request = peer.request();
            match peer.number() {
                1 => peer.send(
                    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", \
                     nonce=\"n\", qop=auth\r\nContent-Length: 0\r\n\r\n",
                ),
                2 => peer.send(
                    "HTTP/1.1 302 Found\r\nLocation: //u:hunter2@localhost:1/?token=hunter2\r\n\
                     Set-Cookie: fresh=hunter2\r\nContent-Length: 0\r\n\r\n",
                ),
                _ => peer.upgrade(&request, ""),
            }
        });
        let url = server.url();
        let args = ["--digest", "--netrc-file", "netrc", "--cookie-jar", "jar", &url];
        let args = view.iter().copied().chain(args);
        let output = Run::new(args).home(&home).stdin("").run().expect_code(6);
        let requests = server.finish().requests;
        let field = requests[1].header("authorization").unwrap();
        let response = field.split("response=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(requests[1].header("cookie").unwrap().contains("kept=hunter2"));
        if show {
            let all = (output.text() + &output.stderr).replace("\\\"", "\"");
            for words in shown {
                assert!(all.contains(words), "{words}: {all}");
            }
        } else {
            assert!(!output.text().contains(response) && !output.stderr.contains(response));
            expect_hidden(&output);
        }
    }
}

#[test]
fn they_are_shown_on_request() {
    for (way, path, arrives) in WAYS {
        for view in [&["-v", "--show-secrets"][..], &["--json", "--show-secrets"]] {
            println!("{way:?} {path} {view:?}");
            let server = echoing();
            let output = run(&server, view, way, path).expect_code(0);
            let value = arrives.split_once(": ").map_or(arrives, |(_, value)| value);
            let all = output.text() + &output.stderr;
            assert!(all.contains(value), "{all}");
        }
    }
}

#[test]
fn files_keep_them_out_of_the_process_list() {
    let home = Home::new();
    home.file("secret", "me:hunter2\n");
    home.file("token", "hunter2\n");
    home.file("headers", "X-One: 1\nAuthorization: hunter2\n\nX-Two: 2\n");
    for (option, file, name, value) in [
        ("-u", "@secret", "authorization", format!("Basic {BASIC}")),
        ("--bearer", "@token", "authorization", "Bearer hunter2".to_owned()),
        ("--cookie", "@token", "cookie", "hunter2".to_owned()),
        ("-H", "@headers", "authorization", "hunter2".to_owned()),
        ("-H", "@headers", "x-two", "2".to_owned()),
    ] {
        println!("{option} {file}");
        let server = echoing();
        let args = [option, file, "-vvv", "-n", "1", &server.url()].map(str::to_owned);
        let output = Run::new(args).home(&home).stdin_held_open("").run();
        expect_hidden(&output.expect_code(0));
        assert_eq!(server.finish().requests[0].header(name), Some(value.as_str()));
    }
}
