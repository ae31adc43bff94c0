//! Why it failed, as it is seen on the wire: the exit code, the cause, the step that helps. And that
//! healthy servers are not accused.

use std::time::Duration;

use crate::support::run::Run;
use crate::support::scripted::{Peer, ScriptedServer, close_frame, frame};

/// What a server does with one connection.
#[derive(Clone)]
enum Does {
    /// Answers with these bytes and hangs up.
    Answers(&'static str),
    /// Closes without an answer, in order or with a reset.
    Closes { reset: bool },
    /// Opens with these header lines, sends these bytes, and goes on so.
    Opens(&'static str, Vec<u8>, Then),
}

#[derive(Clone, Copy)]
enum Then {
    Stays,
    Cuts,
    CutsAfter(u64),
    /// After a message.
    CutsAtMessage,
    ClosesAtMessage(u16, &'static str),
}

fn play(peer: &mut Peer, does: &Does) {
    match does {
        Does::Answers(bytes) => {
            peer.request();
            peer.send(bytes);
        }
        Does::Closes { reset } => {
            peer.request();
            if *reset {
                peer.reset();
            }
        }
        Does::Opens(lines, bytes, then) => {
            let request = peer.request();
            peer.upgrade(&request, lines);
            let _ = peer.try_send(bytes);
            match then {
                Then::Stays => peer.echo(),
                Then::Cuts => {}
                Then::CutsAfter(ms) => peer.delay(Duration::from_millis(*ms)),
                Then::CutsAtMessage => drop(peer.frame()),
                Then::ClosesAtMessage(code, reason) => {
                    peer.frame();
                    let _ = peer.try_send(close_frame(*code, reason));
                }
            }
        }
    }
}

fn answers(bytes: &'static str) -> Does {
    Does::Answers(bytes)
}

fn opens(lines: &'static str, bytes: Vec<u8>, then: Then) -> Does {
    Does::Opens(lines, bytes, then)
}

/// Options, path, what the server does, exit code, words of the cause and of the step.
type Row =
    (&'static str, &'static [&'static str], &'static str, Does, i32, &'static [&'static str]);

fn rows() -> Vec<Row> {
    use Then::{ClosesAtMessage, Cuts, CutsAfter, CutsAtMessage, Stays};
    const NGINX: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                         proxy_set_header Connection \"upgrade\";";
    vec![
        (
            "nginx-no-upgrade-ws",
            &[],
            "",
            answers(
                "HTTP/1.1 426 Upgrade Required\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain\r\nContent-Length: 16\r\nConnection: keep-alive\r\n\r\nUpgrade Required",
            ),
            6,
            &["nginx dropped the upgrade headers", "plain GET", NGINX],
        ),
        (
            "nginx-no-upgrade-aiohttp",
            &[],
            "aio",
            answers(
                "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nContent-Length: 76\r\n\r\nNo WebSocket UPGRADE hdr: None\n Can \"Upgrade\" only to \"WebSocket\".          ",
            ),
            6,
            &["nginx dropped the upgrade headers", "No WebSocket UPGRADE hdr", NGINX],
        ),
        (
            "nginx-no-connection-header",
            &[],
            "py",
            answers(
                "HTTP/1.1 426 Upgrade Required\r\nServer: nginx/1.22.1\r\nUpgrade: websocket\r\nContent-Length: 68\r\n\r\nFailed to open a WebSocket connection: invalid Connection header: close.",
            ),
            6,
            &["not Connection", "proxy_set_header Connection \"upgrade\""],
        ),
        (
            "apache-no-upgrade",
            &[],
            "",
            answers(
                "HTTP/1.1 426 Upgrade Required\r\nServer: Apache/2.4.62 (Debian)\r\nContent-Length: 16\r\n\r\nUpgrade Required",
            ),
            6,
            &["Apache dropped", "upgrade=websocket", "mod_proxy_wstunnel"],
        ),
        (
            "varnish-no-pipe",
            &[],
            "",
            answers(
                "HTTP/1.1 426 Upgrade Required\r\nX-Varnish: 2\r\nVia: 1.1 varnish (Varnish/7.1)\r\nContent-Length: 16\r\n\r\nUpgrade Required",
            ),
            6,
            &["Varnish dropped", "return (pipe)"],
        ),
        (
            "nginx-strips-version",
            &[],
            "",
            answers(
                "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nContent-Length: 47\r\n\r\nMissing or invalid Sec-WebSocket-Version header",
            ),
            6,
            &[
                "dropped the header Sec-WebSocket-Version: the client sent 13",
                "pass the Sec-WebSocket-* headers",
            ],
        ),
        (
            "nginx-drops-subprotocol",
            &["-s", "chat.v1"],
            "",
            opens("Server: nginx/1.22.1\r\n", vec![], Stays),
            0,
            &[
                "chose no subprotocol though chat.v1 was offered",
                "names that the server supports",
                "Sec-WebSocket-Protocol",
            ],
        ),
        (
            "static-404",
            &[],
            "static/x",
            answers(
                "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: 50\r\n\r\n<html><center>nginx/1.22.1</center></html>        ",
            ),
            6,
            &["wrong path: nginx itself", "is the path right?"],
        ),
        (
            "auto-slash-301",
            &[],
            "ws",
            answers(
                "HTTP/1.1 301 Moved Permanently\r\nServer: nginx\r\nLocation: http://127.0.0.1/ws/\r\nContent-Length: 0\r\n\r\n",
            ),
            6,
            &["adds a slash", "ws://127.0.0.1/ws/", "-L"],
        ),
        (
            "rest-json-200",
            &[],
            "items",
            answers(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n[1,2,3]",
            ),
            6,
            &["REST", "another path"],
        ),
        (
            "fastapi-auth-403",
            &[],
            "auth",
            answers(
                "HTTP/1.1 403 Forbidden\r\nDate: Sat, 01 Mar 2025 00:00:00 GMT\r\nContent-Length: 0\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n",
            ),
            6,
            &["before it accepted", "?token="],
        ),
        (
            "gunicorn-wsgi-400",
            &[],
            "",
            answers(
                "HTTP/1.1 400 BAD REQUEST\r\nServer: gunicorn\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<p>The browser (or proxy) sent a request that this server could not understand.</p>                 ",
            ),
            6,
            &["WSGI", "ASGI server", "another path or port"],
        ),
        (
            "nginx-444-unknown-host",
            &[],
            "",
            Does::Closes { reset: false },
            9,
            &["unknown Host", "server_name", "wss://"],
        ),
        (
            "mqtt-tcp-port",
            &[],
            "",
            Does::Closes { reset: true },
            9,
            &["MQTT", "protocol websockets"],
        ),
        (
            "302-login",
            &[],
            "session",
            answers(
                "HTTP/1.1 302 Found\r\nLocation: /login?next=%2Fsession\r\nContent-Length: 0\r\n\r\n",
            ),
            6,
            &["no session", "login page", "--cookie"],
        ),
        (
            "307-elsewhere",
            &[],
            "",
            answers(
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/moved\r\nContent-Length: 0\r\n\r\n",
            ),
            6,
            &["elsewhere", "ws://127.0.0.1:1/moved", "-L"],
        ),
        (
            "bearer-401",
            &[],
            "bearer",
            answers(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"api\"\r\nContent-Length: 0\r\n\r\n",
            ),
            6,
            &["none was sent", "--bearer TOKEN"],
        ),
        (
            "bearer-sent-401",
            &["--bearer", "x"],
            "bearer",
            answers(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"api\"\r\nContent-Length: 0\r\n\r\n",
            ),
            6,
            &["the bearer token that was sent was refused"],
        ),
        (
            "token-403",
            &[],
            "key",
            answers(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 32\r\n\r\nmissing query parameter: token   ",
            ),
            6,
            &["the login is missing", "?token="],
        ),
        (
            "origin-403-websockets",
            &["-o", "https://evil.example"],
            "",
            answers(
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 75\r\n\r\nFailed to open a WebSocket connection: invalid Origin header: https://evil.example.\n",
            ),
            6,
            &["refuses the Origin that was sent (https://evil.example)", "another -o"],
        ),
        (
            "origin-403-cdp",
            &["-o", "http://localhost:3000"],
            "devtools/page/x",
            answers(
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 160\r\n\r\nRejected an incoming WebSocket connection from the http://localhost:3000 origin. Use the command line flag --remote-allow-origins=http://localhost:3000 to allow  ",
            ),
            6,
            &["Chrome refuses the Origin", "no Origin", "--remote-allow-origins"],
        ),
        (
            "nginx-deny-403",
            &[],
            "",
            answers(
                "HTTP/1.1 403 Forbidden\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: 30\r\n\r\n<center>nginx/1.22.1</center>\n",
            ),
            6,
            &["nginx itself denies", "allow and deny"],
        ),
        (
            "max-connections-503",
            &[],
            "max",
            answers(
                "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 20\r\n\r\ntoo many connections",
            ),
            6,
            &["too many connections", "retry after 5 s"],
        ),
        (
            "subprotocol-required-400",
            &[],
            "",
            answers("HTTP/1.1 400 Bad Request\r\nContent-Length: 19\r\n\r\nmissing subprotocol"),
            6,
            &["requires a subprotocol", "-s NAME"],
        ),
        (
            "nginx-502",
            &[],
            "",
            answers(
                "HTTP/1.1 502 Bad Gateway\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: 30\r\n\r\n<center>nginx/1.22.1</center>\n",
            ),
            6,
            &["nginx can't reach the backend", "is the backend running", "error log"],
        ),
        (
            "haproxy-504",
            &[],
            "",
            answers(
                "HTTP/1.1 504 Gateway Time-out\r\nContent-Type: text/html\r\nContent-Length: 70\r\n\r\n<html><body><h1>504</h1>The server didn't respond in time.</body></html>",
            ),
            6,
            &["did not answer in time", "timeout server"],
        ),
        (
            "sio4-no-transport",
            &[],
            "socket.io/?EIO=4",
            answers(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{\"code\":0,\"message\":\"Transport unknown\"} ",
            ),
            6,
            &["Socket.IO", "transport=websocket"],
        ),
        (
            "sio4-stale-sid",
            &[],
            "socket.io/?EIO=4&transport=websocket&sid=nope",
            answers(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n{\"code\":1,\"message\":\"Session ID unknown\"}",
            ),
            6,
            &["does not know the sid", "leave out sid", "sticky sessions"],
        ),
        (
            "sio4-heartbeat-unanswered",
            &["--wait", "3s"],
            "socket.io/?EIO=4&transport=websocket",
            opens(
                "",
                frame(
                    0x1,
                    "0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":500,\"pingTimeout\":500}",
                ),
                CutsAfter(1000),
            ),
            9,
            &["text 2 and wants 3", "answer each 2 with 3"],
        ),
        (
            "idle-cut-nginx",
            &["--wait", "3s", "-x", "hi"],
            "",
            opens("Server: nginx/1.22.1\r\n", vec![], CutsAfter(2000)),
            9,
            &["idle timeout of 2 s", "proxy_read_timeout", "--ping-interval"],
        ),
        (
            "crash-no-close-aiohttp",
            &["-x", "raise"],
            "ws",
            opens("Server: Python/3.11 aiohttp/3.9\r\n", vec![], CutsAtMessage),
            9,
            &["right after a message", "server's log", "crash"],
        ),
        (
            "cut-at-once",
            &[],
            "ws",
            opens("", vec![], Cuts),
            9,
            &["right after opening", "server's log"],
        ),
        (
            "close-1013",
            &[],
            "1013",
            opens("", close_frame(1013, "overloaded"), Stays),
            10,
            &["try again later", "--reconnect"],
        ),
        (
            "too-big-1009-websockets",
            &["-x", "0000000000000000000000000000"],
            "",
            opens(
                "",
                vec![],
                ClosesAtMessage(1009, "frame with 28 bytes exceeds limit of 10 bytes"),
            ),
            10,
            &["28 bytes, is over the server's limit", "max_size", "smaller"],
        ),
        (
            "graphql-before-init-4401",
            &["-s", "graphql-transport-ws", "-x", "{}"],
            "graphql",
            opens(
                "Sec-WebSocket-Protocol: graphql-transport-ws\r\n",
                vec![],
                ClosesAtMessage(4401, "Unauthorized"),
            ),
            10,
            &["connection_init", "first"],
        ),
        (
            "graphql-without-subprotocol",
            &[],
            "graphql",
            opens("", close_frame(4406, "Subprotocol not acceptable"), Stays),
            10,
            &["none was offered", "-s graphql-transport-ws"],
        ),
        (
            "http-behind-101",
            &[],
            "",
            opens(
                "",
                b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nbad".to_vec(),
                Stays,
            ),
            8,
            &["HTTP answer into the stream", "Content-Type: text/plain", "server's log"],
        ),
        (
            "not-utf8",
            &[],
            "",
            opens("", frame(0x1, b"caf\xe9 Stra\xdfe"), Stays),
            8,
            &["e9 begins a character", "Latin-1", "--lossy"],
        ),
        (
            "rsv1-no-deflate",
            &["--no-deflate"],
            "",
            opens("", vec![0xc1, 3, 1, 2, 3], Stays),
            8,
            &["--no-deflate was given"],
        ),
        ("ssh", &[], "", answers("SSH-2.0-OpenSSH_9.2p1\r\n"), 7, &["SSH", "port"]),
        (
            "tls-port-with-words",
            &[],
            "",
            answers(
                "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 60\r\n\r\n<center>The plain HTTP request was sent to HTTPS port</center>",
            ),
            6,
            &["speaks TLS", "try wss://"],
        ),
        (
            "lb-tcp-down",
            &[],
            "",
            Does::Closes { reset: false },
            9,
            &["load balancer", "backend", "TLS"],
        ),
    ]
}

#[test]
fn failures_name_their_cause_and_the_next_step() {
    let mut wrong = Vec::new();
    for (name, options, path, does, code, words) in rows() {
        let server = ScriptedServer::start(move |peer| play(peer, &does));
        let url = format!("ws://127.0.0.1:{}/{path}", server.port());
        let args = ["inspect"].iter().chain(options).copied().chain([url.as_str()]);
        let output = Run::new(args).run();
        let text = output.text();
        let shown = text.split("\nDiagnosis\n").nth(1).unwrap_or_default();
        let missing: Vec<_> = words.iter().filter(|words| !shown.contains(**words)).collect();
        if output.code() != code || !missing.is_empty() {
            wrong.push(format!("{name}: {:?}, without {missing:?} in:\n{text}", output.code()));
        }
        if code == 0 || options.contains(&"-x") || options.contains(&"--wait") {
            continue;
        }
        // The pipe says it in its hint.
        let server = ScriptedServer::start({
            let does = rows().into_iter().find(|row| row.0 == name).unwrap().3;
            move |peer| play(peer, &does)
        });
        let url = format!("ws://127.0.0.1:{}/{path}", server.port());
        let args = options.iter().copied().chain([url.as_str()]);
        let output = Run::new(args).stdin_held_open("").run();
        let hints: String = output.stderr.lines().filter(|line| !line.starts_with("< ")).collect();
        let missing: Vec<_> = words.iter().filter(|words| !hints.contains(**words)).collect();
        if output.code() != code || missing.len() == words.len() {
            wrong.push(format!("{name}, pipe: without {missing:?} in:\n{}", output.stderr));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn json_has_the_diagnosis() {
    let row = rows().into_iter().find(|row| row.0 == "nginx-no-upgrade-ws").unwrap();
    let server = ScriptedServer::start(move |peer| play(peer, &row.3));
    let output = Run::new(["inspect", "--json", &server.url()]).run().expect_code(6);
    let text = output.text();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let found = &last["error"]["diagnosis"][0];
    assert_eq!((&found["rule"], &found["sure"]), (&"upgrade-dropped".into(), &"probable".into()));
    assert!(found["next"][0].as_str().unwrap().contains("$http_upgrade;"), "{found}");
}

/// Options, header lines of the 101, what is sent, and how it goes on: nothing is wrong with any.
fn healthy() -> Vec<(&'static [&'static str], &'static str, Vec<u8>, Then)> {
    use Then::Stays;
    let text = |text: &str| frame(0x1, text);
    let deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut all: Vec<(&'static [&'static str], &'static str, Vec<u8>, Then)> = Vec::new();
    for lines in [
        "",
        "Server: nginx/1.22.1\r\n",
        "Server: Apache/2.4.62\r\n",
        "Server: cloudflare\r\nCF-RAY: 1-FRA\r\n",
        "Via: 1.1 varnish\r\n",
        "Server: Caddy\r\n",
        "Server: lighttpd/1.4.69\r\n",
        "Via: 1.1 google\r\n",
        "Server: awselb/2.0\r\n",
        "Server: uvicorn\r\n",
        "Server: daphne\r\n",
        "Server: TornadoServer/6.4\r\n",
        "Server: Python/3.11 aiohttp/3.9\r\n",
        "Server: gunicorn\r\n",
        "Server: Kestrel\r\n",
        "X-Powered-By: Express\r\n",
        "Server: envoy\r\n",
        "Server: Cowboy\r\n",
        "Server: libwebsockets\r\n",
        "Set-Cookie: a=b; Path=/\r\n",
    ] {
        all.push((&[], lines, vec![], Stays));
    }
    for bytes in [
        text("hello"),
        text("{\"type\":\"welcome\"}"),
        text("o"),
        text("0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}"),
        text("{\"error\":null}"),
        text("{\"event\":\"pusher:connection_established\"}"),
        text("HTTP/1.1 is text, too"),
        text("<html></html>"),
        text("unauthorized? no"),
        frame(0x2, [0x1f, 0x8b, 8, 0]),
        frame(0x2, [0x78, 0x9c]),
        frame(0x2, b"SSH-2.0"),
        frame(0x9, ""),
        frame(0x9, "ping"),
        frame(0xa, "unasked"),
        text("Z\u{e4}hler \u{1f600}"),
        text(""),
        text(&"x".repeat(70_000)),
        [text("a"), text("b"), text("c")].concat(),
        [vec![0x01, 1, b'a'], vec![0x80, 1, b'b']].concat(),
        close_frame(1000, ""),
        close_frame(1000, "bye"),
        close_frame(1001, ""),
        close_frame(1001, "going away"),
        frame(0x8, ""),
        [text("only one"), close_frame(1000, "done")].concat(),
    ] {
        all.push((&[], "", bytes, Stays));
    }
    all.push((&["-s", "chat"], "Sec-WebSocket-Protocol: chat\r\n", text("hi"), Stays));
    all.push((
        &["-s", "graphql-transport-ws"],
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n",
        vec![],
        Stays,
    ));
    all.push((&["-s", "mqtt,mqttv3.1"], "Sec-WebSocket-Protocol: mqttv3.1\r\n", vec![], Stays));
    all.push((&["-o", "https://site.example"], "", text("hi"), Stays));
    all.push((&["--bearer", "x"], "", text("hi"), Stays));
    all.push((&["--cookie", "a=b"], "", vec![], Stays));
    all.push((&["--no-deflate"], "", text("hi"), Stays));
    all.push((
        &[],
        deflate,
        [vec![0xc1, 7], vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]].concat(),
        Stays,
    ));
    all.push((&["-x", "hi"], "", vec![], Stays));
    all
}

#[test]
fn healthy_servers_are_not_accused() {
    let all = healthy();
    assert!(all.len() >= 50, "{}", all.len());
    std::thread::scope(|scope| {
        for part in all.chunks(14) {
            scope.spawn(move || {
                for (options, lines, bytes, then) in part {
                    let does = Does::Opens(lines, bytes.clone(), *then);
                    let server = ScriptedServer::start(move |peer| play(peer, &does));
                    let url = server.url();
                    let wait = ["inspect", "--wait", "150ms"];
                    let args = wait.iter().chain(*options).copied().chain([url.as_str()]);
                    let output = Run::new(args).run();
                    let text = output.text();
                    assert_eq!(output.code(), 0, "{lines:?} {bytes:?}: {text}");
                    assert!(!text.contains("Diagnosis"), "{options:?} {lines:?} {bytes:?}: {text}");
                }
            });
        }
    });
}

#[test]
fn doctor_makes_experiments_within_ten_seconds() {
    let server = ScriptedServer::start(|peer| {
        // The fifth attempt is with TLS.
        if peer.number() == 5 {
            return;
        }
        let request = peer.request();
        if request.line().starts_with("GET /ws ") {
            peer.upgrade(&request, "");
            peer.echo();
        } else {
            peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot here.");
        }
    });
    let url = format!("ws://127.0.0.1:{}/wrong", server.port());
    let output = Run::new(["doctor", &url]).run().expect_code(6);
    let text = output.text();
    for words in [
        "as typed: answers 404",
        "with Origin: ",
        "as a plain GET: answers 404",
        "with TLS: ",
        "path /ws: opens",
        "connect to ws://127.0.0.1:",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert!(output.elapsed < Duration::from_secs(10), "{:?}", output.elapsed);
    let requests = server.seen().requests.len();
    assert!(requests <= 14, "{requests} requests");
}

#[test]
fn doctor_leaves_a_healthy_server_alone_and_finds_an_idle_timeout() {
    let server = ScriptedServer::start(|peer| {
        if peer.read_more() && peer.number() == 1 {
            peer.accept();
            peer.delay(Duration::from_secs(2));
        }
    });
    let url = format!("ws://127.0.0.1:{}/", server.port());
    let output = Run::new(["doctor", "--json", "--idle", "-m", "5s", &url]).run().expect_code(0);
    let text = output.text();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["type"], "summary", "{text}");
    assert_eq!(last["diagnosis"][0]["rule"], "idle-timeout", "{text}");
    let healthy = ScriptedServer::start(|peer| {
        if peer.read_more() && peer.number() == 1 {
            peer.accept();
            peer.echo();
        }
    });
    let output = Run::new(["doctor", &healthy.url()]).run().expect_code(0);
    assert!(output.text().contains("nothing is wrong here"), "{}", output.text());
}
