//! No secret is in an event, so that no view can show one, and few files can get at them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::support::home::Home;
use crate::support::run::Run;
use crate::support::scripted::{ScriptedServer, close_frame, frame};
use clap::Parser as _;
use wstap::cli::{Cli, plan};
use wstap::error::Exit;
use wstap::event::Stamped;
use wstap::report::{Needs, Reporter};
use wstap::run::output::{FdSink, Output, Sink};
use wstap::run::signals::{Signals, Waking};
use wstap::run::{Pipe, Session};

/// In every secret.
const SECRET: &str = "hunter2";

/// `me:hunter2` as Basic credentials.
const BASIC: &str = "bWU6aHVudGVyMg==";

/// A view by somebody who knows nothing of secrets: it keeps whatever is in an event.
struct Dumb(Arc<Mutex<String>>);

impl Reporter for Dumb {
    fn event(&mut self, event: &Stamped<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.0.lock().unwrap().push_str(&format!("{:?}\n", event.event));
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs {
            received: true,
            sent: true,
            whole_messages: true,
            frames: true,
            frame_payloads: true,
            control_frames: false,
            details: true,
        }
    }
}

/// A proxy with everything behind it: a login, a redirect, cookies, a token as the subprotocol.
fn rich() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.request();
        peer.send("HTTP/1.1 200 Connected\r\n\r\n");
        let request = peer.request();
        match peer.number() {
            1 => peer.send(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", \
                 qop=auth\r\nSet-Cookie: first=hunter2\r\nContent-Length: 0\r\n\r\n",
            ),
            2 => peer.send(
                "HTTP/1.1 302 Found\r\nLocation: //u:hunter2@h.example/next?token=hunter2\r\n\
                 Set-Cookie: second=hunter2\r\nContent-Length: 0\r\n\r\n",
            ),
            _ => {
                peer.send("HTTP/1.1 103 Early\r\nX-Token: hunter2\r\n\r\n");
                let headers = "Sec-WebSocket-Protocol: access_token.hunter2\r\n\
                               Set-Cookie: third=hunter2\r\n";
                peer.upgrade(&request, headers);
                peer.send(frame(0x1, "hello"));
                peer.send(close_frame(1000, "bye"));
            }
        }
    })
}

/// Every event of a session, as `{:?}`, and the response of the login.
fn events(show: &[&str]) -> (String, String) {
    let (home, server) = (Home::new(), rich());
    let jar = home.file("jar", "h.example\tFALSE\t/\tFALSE\t0\tkept\thunter2\n");
    let proxy = format!("http://me:hunter2@127.0.0.1:{}", server.port());
    let args = ["wstap", "--digest", "-u", "me:hunter2", "-L", "-s", "access_token.hunter2"];
    let url = "ws://h.example/?token=hunter2";
    let (header, jar) = ("X-Api-Key: hunter2", jar.to_str().unwrap());
    let more = ["-H", header, "--proxy", &proxy, "--cookie-jar", jar, url];
    let args = args.iter().chain(show).chain(&more);
    let cli = Cli::try_parse_from(args).unwrap();
    let plan = plan(url, cli.connect.reach, None).unwrap();
    let seen = Arc::new(Mutex::new(String::new()));
    let view = Output::new(Box::new(Dumb(Arc::clone(&seen))), Sink::Fd(FdSink::stdout()));
    let waking = Waking::Signals(Signals::new().unwrap());
    let mut pipe = Pipe::empty(&plan.settings);
    let mut session = Session::new(plan.settings, vec![view], waking);
    session.note(&plan.notes);
    assert_eq!(session.run(&mut pipe), Exit::Done);
    let requests = server.finish().requests;
    assert!(requests[0].header("proxy-authorization").unwrap().contains(BASIC));
    let login = requests[3].header("authorization").unwrap();
    let response = login.split("response=\"").nth(1).unwrap().split('"').next().unwrap();
    let seen = seen.lock().unwrap().clone();
    for kind in ["ProxyConnected", "RequestSent", "ResponseReceived", "InformationalResponse"] {
        assert!(seen.contains(kind), "{kind}: {seen}");
    }
    for kind in ["Redirected", "Judged", "Opened", "Data", "Closed", "Summary"] {
        assert!(seen.contains(kind), "{kind}: {seen}");
    }
    (seen, response.to_owned())
}

#[test]
fn no_event_has_a_secret_in_it() {
    let (seen, response) = events(&[]);
    for secret in [SECRET, BASIC, &response] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
}

#[test]
fn they_are_in_the_events_on_request() {
    let (seen, response) = events(&["--show-secrets"]);
    let first = ["token=hunter2", "kept=hunter2", "first=hunter2", "second=hunter2", &response];
    for words in first.iter().chain(&["third=hunter2", "X-Token: hunter2", "X-Api-Key: hunter2"]) {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    assert!(seen.contains("subprotocol: Some(\"access_token.hunter2\")"), "{seen}");
    assert!(!seen.contains(BASIC), "the proxy's login is in no event: {seen}");
}

#[test]
fn a_hint_with_another_url_keeps_the_token() {
    for (answer, code) in [("", 9), ("\x15\x03\x01\0\x02", 7)] {
        let server = ScriptedServer::start(move |peer| {
            peer.request();
            peer.send(answer);
            peer.hang_up();
        });
        let url = format!("{}?token=hunter2", server.url());
        let output = Run::new([&url]).run().expect_code(code);
        assert!(output.stderr.contains("try wss://"), "{}", output.stderr);
        assert!(output.stderr.contains("token=***"), "{}", output.stderr);
    }
}

#[test]
fn a_line_that_breaks_the_grammar_keeps_its_secret() {
    for line in ["Set-Cookie: a=hunter2\x01", "Set-Cookie : a=hunter2", "Set-Cookie a=hunter2"] {
        let server = ScriptedServer::start(move |peer| {
            peer.request();
            peer.send(format!("HTTP/1.1 101 x\r\n{line}\r\n\r\n"));
        });
        let output = Run::new([server.url()]).run().expect_code(7);
        assert!(output.stderr.contains("Set-Cookie"), "{}", output.stderr);
        assert!(!output.stderr.contains(SECRET), "{}", output.stderr);
    }
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn few_files_reveal_secrets() {
    // The exchange and the logins, which put them onto the wire; export, which asks first; what
    // a script expects of an answer.
    let allowed = [
        // Its probes change the request that was accepted.
        "check/play.rs",
        "cli/settings.rs",
        // Its experiments send the same request with one thing changed.
        "commands/doctor.rs",
        "connection/login.rs",
        "connection/open.rs",
        "connection/options.rs",
        "connection/route.rs",
        "export/program.rs",
        "export/recipe.rs",
        "script/play/expect.rs",
        "transport/tls/client.rs",
        "transport/tunnel.rs",
    ];
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut revealing = Vec::new();
    for file in all.iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap();
        if code.contains(".reveal()") {
            revealing.push(name.to_owned());
        }
        let decides = code.contains("Secrets::") || code.contains("redact::url");
        assert!(!(name.starts_with("report/") && decides), "{name}: a view hides nothing itself");
    }
    revealing.sort();
    assert_eq!(revealing, allowed);
}
