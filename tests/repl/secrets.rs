//! No question at the prompt shows a secret.

use crate::prompt::{ask, expect_exit, wait_prompt};
use crate::support::home::Home;
use crate::support::pty::Terminal;
use crate::support::scripted::ScriptedServer;

/// In every secret.
const SECRET: &str = "hunter2";

/// A token by its looks.
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.hunter2";

#[test]
fn no_question_and_no_history_shows_them() {
    let home = Home::new();
    let server = ScriptedServer::start(|peer| {
        let request = peer.request();
        let headers =
            format!("Sec-WebSocket-Protocol: hunter2\r\nX-Quoted: {}\r\n", request.line());
        peer.upgrade(&request, &headers);
        peer.echo();
    });
    let url = server.url();
    let typed = format!("{}room/{JWT}?ticket=hunter2&sig=hunter2", url);
    let agent = format!("me ({JWT})");
    let args = ["-vv", "-s", "bearer,hunter2", "-s", "header-hunter2", "--cookie", "a=hunter2"];
    let more = ["-H", "X-Auth: hunter2", "-A", &agent, "-u", "me:hunter2", &typed];
    let args = args.into_iter().chain(more);
    let mut pty = Terminal::new(args).home(&home).size(60, 160).start();
    wait_prompt(&pty, ">");
    for (question, answer) in [
        ("/status", "subprotocol"),
        ("/headers", "header-***"),
        ("/timing", "response"),
        ("/as curl", "curl -i"),
        ("/as js", "new WebSocket"),
        ("/as python", "connect("),
        ("/as websocat", "websocat"),
        ("/as wscat", "wscat"),
    ] {
        ask(&mut pty, question, &[answer]);
        assert!(!pty.screen().contains(SECRET), "{question}: {}", pty.screen());
    }
    ask(&mut pty, "kept", &["< kept"]);
    pty.line(&format!("/connect {url}?code=hunter2"));
    pty.wait_text("?code=***");
    wait_prompt(&pty, ">");
    ask(&mut pty, "/status", &["readyState      1"]);
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    // What was typed was echoed by the terminal; nothing else has it.
    let shown = String::from_utf8_lossy(&pty.output()).into_owned();
    let shown: Vec<&str> = shown.lines().filter(|line| !line.contains("/connect")).collect();
    assert!(!shown.concat().contains(SECRET), "{shown:#?}");
    let history = std::fs::read_to_string(home.path().join("state/wstap/history")).unwrap();
    assert!(history.contains("kept\n") && !history.contains(SECRET), "{history}");
}
