//! `wstap curl`: commands as browsers copy them, and what of them reaches the server.

use crate::support::PATIENCE;
use crate::support::home::Home;
use crate::support::pty::Terminal;
use crate::support::run::Run;
use crate::support::scripted::{ScriptedServer, frame};

fn server() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        let request = peer.request();
        let chosen = request.header("sec-websocket-protocol").map(|list| {
            let first = list.split(',').next().unwrap_or_default();
            format!("Sec-WebSocket-Protocol: {first}\r\n")
        });
        peer.upgrade(&request, &chosen.unwrap_or_default());
        peer.send(frame(0x1, "hello"));
        peer.echo();
    })
}

/// Chrome 142's "Copy as cURL (bash)" of a WebSocket.
fn chrome_bash(url: &str) -> String {
    format!(
        r"curl '{url}chat?room=1&x=%27' \
  -H 'Upgrade: websocket' \
  -H 'Origin: https://app.example' \
  -H 'Cache-Control: no-cache' \
  -H 'Accept-Language: de-DE,de;q=0.9,en;q=0.8' \
  -b $'sid=s3cret; note=it\'s\u0021; q=a\\b' \
  -H 'Pragma: no-cache' \
  -H 'Connection: Upgrade' \
  -H 'Sec-WebSocket-Key: bm90IG91ciBvd24ga2V5IQ==' \
  -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0' \
  -H 'Sec-WebSocket-Version: 13' \
  -H 'Sec-WebSocket-Protocol: chat.v2, chat.v1' \
  -H 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'"
    )
}

/// The same for cmd.exe.
fn chrome_cmd(url: &str) -> String {
    let lines = [
        format!("curl ^\"{url}chat?room=1^&x=^%^27^\" ^"),
        "  -H ^\"Upgrade: websocket^\" ^".to_owned(),
        "  -H ^\"Origin: https://app.example^\" ^".to_owned(),
        "  -b ^\"sid=s3cret; note=it's^!; q=^\\^\"c^\\^\"^\" ^".to_owned(),
        "  -H ^\"Connection: Upgrade^\" ^".to_owned(),
        "  -H ^\"Sec-WebSocket-Key: bm90IG91ciBvd24ga2V5IQ==^\" ^".to_owned(),
        "  -H ^\"Sec-WebSocket-Version: 13^\" ^".to_owned(),
        "  -H ^\"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits^\""
            .to_owned(),
    ];
    lines.join("\r\n")
}

/// Firefox 145's "Copy as cURL (POSIX)".
fn firefox(url: &str) -> String {
    format!(
        r"curl '{url}chat' \
  --compressed \
  -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0' \
  -H 'Accept: */*' \
  -H 'Accept-Language: en-US,en;q=0.5' \
  -H 'Accept-Encoding: gzip, deflate, br, zstd' \
  -H 'Sec-WebSocket-Version: 13' \
  -H 'Origin: https://app.example' \
  -H 'Sec-WebSocket-Extensions: permessage-deflate' \
  -H 'Sec-WebSocket-Key: bm90IG91ciBvd24ga2V5IQ==' \
  -H 'Connection: keep-alive, Upgrade' \
  -H 'Cookie: sid=s3cret' \
  -H 'Upgrade: websocket'"
    )
}

/// The head without the key, which is another one each time.
fn head(server: ScriptedServer) -> Vec<String> {
    let request = server.finish().requests.remove(0);
    let key = request.header("sec-websocket-key").unwrap();
    assert_ne!(key, "bm90IG91ciBvd24ga2V5IQ==");
    let mut lines: Vec<_> = request.head.lines().map(str::to_owned).collect();
    lines.retain(|line| !line.starts_with("Sec-WebSocket-Key") && !line.is_empty());
    lines
}

#[test]
fn from_chrome_for_bash() {
    let server = server();
    let command = chrome_bash(&server.url());
    let port = server.port();
    let output = Run::new(["curl", &command, "-n", "1", "-v"]).stdin_held_open("").run();
    let output = output.expect_code(0).expect_stdout("hello\n");
    assert!(!output.stderr.contains("s3cret"), "{}", output.stderr);
    let host = format!("Host: localhost:{port}");
    assert_eq!(
        head(server),
        [
            "GET /chat?room=1&x=%27 HTTP/1.1",
            &host,
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: chat.v2, chat.v1",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
            "Origin: https://app.example",
            "Cache-Control: no-cache",
            "Accept-Language: de-DE,de;q=0.9,en;q=0.8",
            "Pragma: no-cache",
            "Cookie: sid=s3cret; note=it's!; q=a\\b",
        ]
    );
}

#[test]
fn from_chrome_for_cmd_over_stdin() {
    let server = server();
    let run = Run::new(["curl", "--no-deflate", "-n", "1", "-"]).stdin(chrome_cmd(&server.url()));
    run.run().expect_code(0).expect_stdout("hello\n");
    let lines = head(server);
    assert_eq!(lines[0], "GET /chat?room=1&x=%27 HTTP/1.1");
    let cookie = "Cookie: sid=s3cret; note=it's!; q=\"c\"".to_owned();
    assert!(lines.contains(&cookie), "{lines:?}");
    // What is typed counts more than what was pasted.
    assert!(!lines.iter().any(|line| line.starts_with("Sec-WebSocket-Extensions")), "{lines:?}");
}

#[test]
fn from_firefox_with_options_of_our_own() {
    let server = server();
    let command = firefox(&server.url());
    let args = ["curl", "--json", "-A", "me", &command, "-n", "1", "--cookie", "sid=other"];
    let output = Run::new(args).stdin_held_open("").run().expect_code(0);
    assert!(output.text().contains("\"data\":\"hello\""), "{}", output.text());
    let lines = head(server);
    assert_eq!(
        lines[2..],
        [
            "User-Agent: me",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Extensions: permessage-deflate",
            "Cookie: sid=other",
            "Accept: */*",
            "Accept-Language: en-US,en;q=0.5",
            "Accept-Encoding: gzip, deflate, br, zstd",
            "Origin: https://app.example",
        ]
    );
}

#[test]
fn as_words_behind_the_word_curl_or_without_it() {
    let at = |server: &ScriptedServer| format!("localhost:{}/x", server.port());
    for lead in [&["curl", "-n1", "curl"][..], &["curl", "-n1", "/usr/bin/curl"]] {
        let server = server();
        let url = at(&server);
        let words = ["-sSkb", "a=1", &url, "-HA: b", "-o", "file"];
        let output = Run::new([lead, &words].concat()).stdin_held_open("").run().expect_code(0);
        output.expect_stdout("hello\n").expect_stderr("* curl's -o is left out\n");
        let lines = head(server);
        assert!(lines.ends_with(&["A: b".to_owned(), "Cookie: a=1".to_owned()]), "{lines:?}");
    }
    let server = server();
    let url = at(&server);
    // wstap, typed before a pasted command.
    let words = ["curl", "--compressed", "-b", "a=1", &url];
    Run::new(words).run().expect_code(0).expect_stdout("hello\n");
    assert!(head(server).contains(&"Cookie: a=1".to_owned()));
}

#[test]
fn what_cannot_be_done_is_said() {
    for (args, what) in [
        (&["curl", "curl", "h", "--json", "{}"][..], "curl's --json can't open a WebSocket"),
        (&["curl", "curl 'http://h' -X DELETE"], "curl's -X DELETE can't open a WebSocket"),
        (&["curl", "curl 'ws://h"], "the curl command can't be read: the ' at character 6"),
        (&["curl", "curl ws://$(id)"], "the curl command can't be read: nothing is expanded"),
        (&["curl", "fetch('ws://h', {})"], "it is no curl command: it begins with \"fetch('ws"),
        (&["curl", "curl -s"], "the curl command has no URL"),
        (&["curl"], "there is no curl command, neither typed nor on standard input"),
        (&["curl", "--jso"], "curl's --jso is not understood here"),
        (&["curl", "--jso", "curl ws://h"], "unexpected argument '--jso' found"),
        (&["curl", "curl 'ws://h' -H 'A b'"], "the header \"A b\" has no colon"),
    ] {
        let output = Run::new(args).run().expect_failure(2, &format!("usage: {what}"));
        assert!(!output.stderr.contains('\u{1b}'), "{}", output.stderr);
    }
    let long = format!("curl ws://h -H 'A: {}'", "x".repeat(1 << 20));
    Run::new(["curl"]).stdin(long).run().expect_failure(2, "usage: the curl command is longer");
    Run::new(["curl", "--help"]).run().expect_code(0);
}

/// Burp's, Postman's, Insomnia's and curl's own ways, and what shells and documentation add. Each
/// connects; what has no meaning is noted.
#[test]
fn from_other_tools_and_documentation() {
    for (command, sent, notes) in [
        (
            "curl --path-as-is -i -s -k -X $'GET' \\\n    -H $'Host: app.example' \
             -H $'Connection: Upgrade' -H $'Upgrade: websocket' -H $'Sec-WebSocket-Version: 13' \
             -H $'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' \\\n    -b $'sid=42; csrf=a\\'b' \\\n    $'URLx/../y'",
            &["GET /x/../y HTTP/1.1", "Host: app.example", "Cookie: sid=42; csrf=a'b"][..],
            "",
        ),
        (
            "curl --location --request GET 'URL' \\\n--header 'Authorization: Bearer abc' \\\n\
             --header 'Sec-WebSocket-Protocol: a, b' \\\n--data ''",
            &["Authorization: Bearer abc", "Sec-WebSocket-Protocol: a, b"],
            "* curl's --data is left out\n",
        ),
        (
            "curl --request GET \\\n  --url URL \\\n  --header 'User-Agent: insomnia/9.3' \\\n  --cookie a=1",
            &["User-Agent: insomnia/9.3", "Cookie: a=1"],
            "",
        ),
        ("curl --no-progress-meter -N -T. URL", &[], ""),
        (
            "curl --trace-ascii - --trace-time --retry-delay 2 -N URL",
            &[],
            "* curl's --trace-ascii and --retry-delay are left out\n",
        ),
        (
            "# a check\n$ curl -s -o /dev/null -w \"%{http_code}\" -H \"Sec-WebSocket-Key: $(openssl \
             rand -base64 16)\" URL 2>/dev/null | jq . && echo ok\n",
            &[],
            "* curl's -o and -w are left out\n\
             * what is the shell's is left out: 2>/dev/null | jq . && echo ok\n",
        ),
        (
            "```sh\ncurl -i -N\n  -H \"X-A: 1\"\n  URL?a=1&b=2 # why\n```",
            &["GET /?a=1&b=2 HTTP/1.1", "X-A: 1"],
            "* the URL's & is read as a part of it; a shell wants it quoted\n",
        ),
        (
            "C:\\> curl ^\"URL?a=^%^41^&b^\" ^\r\n  -H ^\"X-A: ^\\^\"1^\\^\"^\" > out.txt 2>nul",
            &["GET /?a=%41&b HTTP/1.1", "X-A: \"1\""],
            "* what is the shell's is left out: > out.txt 2>nul\n",
        ),
        (
            "curl --new-in-curl-9 5 --http3 URL",
            &[],
            "* curl's --http3 is left out\n* --new-in-curl-9 is no option of curl, and is left out\n\
             * 5 is left out\n",
        ),
    ] {
        let server = server();
        let command = command.replace("URL", &server.url());
        println!("{command}");
        let output = Run::new(["curl", "-n", "1", "-"]).stdin(&command).run();
        let output = output.expect_code(0).expect_stdout("hello\n");
        let lines = head(server);
        for line in sent {
            assert!(lines.iter().any(|sent| sent == line), "{line}: {lines:?}");
        }
        let shown: Vec<&str> = output.stderr.lines().filter(|line| line.starts_with('*')).collect();
        let shown: String = shown.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(shown, notes, "{command}");
    }
}

#[test]
fn over_the_defaults_of_the_configuration() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("config/wstap")).unwrap();
    let config = "[defaults]\nheader = ['A: default', 'B: default']\ncount = 1\n";
    home.file("config/wstap/config.toml", config);
    let server = server();
    let command = format!("curl {} -H 'B: pasted' -H 'C: pasted'", server.url());
    let run = Run::new(["curl", &command, "-H", "C: typed"]).home(&home);
    run.stdin_held_open("").run().expect_code(0);
    let lines = head(server);
    assert!(
        lines.ends_with(&["A: default", "B: pasted", "C: typed"].map(str::to_owned)),
        "{lines:?}"
    );
}

/// What `/as curl` prints connects with the same request.
#[test]
fn there_and_back_again() {
    let server = server();
    let url = format!("{}x?y=it's", server.url());
    let args = [&url, "-s", "a,b", "-H", "X-Quote: \"it's\" \\ $HOME", "-A", "", "-o", "http://o"];
    let mut pty = Terminal::new(args).env("NO_COLOR", "1").size(40, 120).start();
    pty.wait_text("< hello");
    pty.line("/as curl");
    pty.wait_text("'http://localhost");
    let shown = pty.lines();
    pty.line("/quit");
    pty.wait_exit(PATIENCE);
    let begin = shown.iter().position(|line| line.starts_with("curl ")).unwrap();
    let end = shown.iter().position(|line| line.contains("'http://localhost"));
    let command = shown[begin..=end.unwrap()].join("\n");
    Run::new(["curl", &command, "-n", "1"]).stdin_held_open("").run().expect_code(0);
    let requests = server.finish().requests;
    let without_key = |head: &str| -> Vec<String> {
        let lines = head.lines().filter(|line| !line.starts_with("Sec-WebSocket-Key"));
        lines.map(str::to_owned).collect()
    };
    let (mut first, mut second) = (without_key(&requests[0].head), without_key(&requests[1].head));
    first.sort();
    second.sort();
    assert_eq!(first, second, "{command}");
}
