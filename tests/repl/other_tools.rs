//! `/as`: the session as a command for other tools.

use wstap::commands::demo;

use crate::prompt::{ask, expect_exit, opened, wait_line, wait_prompt};
use crate::support::pty::Terminal;
use crate::support::scripted::ScriptedServer;

#[test]
fn get_the_connection_without_its_secrets() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.echo();
    });
    let url = format!("{}x?token=s3cret", server.url());
    let args = ["-H", "X-A: it's \u{202e}", "--cookie", "id=s3cret", "-o", "http://o", &url];
    let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 120));
    let shown = format!("-c 'ws://localhost:{}/x?token=***'", server.port());
    let hidden = "# secrets are hidden: --show-secrets behind the tool's name";
    ask(&mut pty, "/as wscat", &[hidden, "  -H 'Cookie:***' \\", "  -o http://o ", &shown]);
    wait_line(&pty, "  -H $'X-A:it\\'s \\U0000202e' \\");
    ask(&mut pty, "/as js", &["    [\"X-A\", \"it's \\u202e\"],", "socket.onclose"]);
    assert!(memchr::memmem::find(&pty.output(), b"s3cret").is_none(), "{}", pty.screen());
    ask(&mut pty, "/as websocat --show-secrets", &["  -H='Cookie: id=s3cret' \\"]);
    let which = "! /as: 'netcat' is none of the tools it knows; usage: /as curl|js|";
    ask(&mut pty, "/as netcat", &[which]);
    ask(&mut pty, "/as", &["! /as: needs the name of one tool"]);
    pty.line("/close");
    wait_prompt(&pty, "x");
    pty.line("/as python");
    pty.wait_text("        print(message)");
    wait_line(&pty, "    origin=\"http://o\",");
    pty.line("/quit");
    expect_exit(&mut pty, 0);
    server.finish();
}

#[test]
fn as_much_as_was_asked_for_at_the_start() {
    let server = demo::server().unwrap();
    let args = ["--bearer", "s3cret", "--show-secrets", server.url()];
    let mut pty = opened(Terminal::new(args).env("NO_COLOR", "1").size(60, 100));
    ask(&mut pty, "/as python", &["        (\"Authorization\", \"Bearer s3cret\"),"]);
    ask(&mut pty, "/as curl", &["  -H 'Authorization: Bearer s3cret' \\"]);
    assert!(!pty.screen().contains("secrets are hidden"), "{}", pty.screen());
    pty.line("/quit");
    expect_exit(&mut pty, 0);
}
