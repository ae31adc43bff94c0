//! `wstap serve` and `wstap demo` as a person starts them.

use rustix::process::Signal;
use tungstenite::Message;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::support::run::Run;

#[test]
fn serve_prints_its_url_and_ends_with_a_signal() {
    for signal in [Signal::INT, Signal::TERM] {
        let server = Run::new(["serve", "127.0.0.1:0", "-v"]).start();
        server.wait_stdout("\n");
        let line = server.stdout.text();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        assert!(url.starts_with("ws://127.0.0.1:"), "{url}");
        let (mut client, _) = tungstenite::connect(&url).unwrap();
        client.send(Message::text("hello")).unwrap();
        assert_eq!(client.read().unwrap(), Message::text("hello"));
        server.wait_stderr("GET / HTTP/1.1");
        server.signal(signal);
        let Message::Close(Some(close)) = client.read().unwrap() else { panic!("no Close") };
        assert_eq!(close.code, CloseCode::Away);
        let output = server.wait().expect_code(0);
        output.expect_stderr("for trying and testing, not for production");
    }
}

#[test]
fn serve_on_a_port_in_use_fails_with_13() {
    let server = wstap::commands::demo::server().unwrap();
    let (_, address) = server.url().split_once("://").unwrap();
    Run::new(["serve", address]).run().expect_code(13).expect_stderr("wstap: serve: ");
}

#[test]
fn demo_answers_a_pipe() {
    Run::new(["demo"]).stdin("hello\n").run().expect_code(0).expect_stdout("hello\n");
}
