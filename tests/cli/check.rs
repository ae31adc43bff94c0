//! `wstap check` finds each fault that is planted, and accuses nobody of another.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tungstenite::handshake::derive_accept_key;
use wstap::protocol::connection::Side;
use wstap::protocol::deflate::{self, Deflate, Extension, Inflate, Params};
use wstap::protocol::frame::{FrameHeader, Opcode};
use wstap::protocol::mask;

use crate::support::home::Home;
use crate::support::run::Run;
use crate::support::schema::{SCHEMA, check as check_schema};

/// Planted faults, and the verdicts that follow; every other probe of the group passes.
const FAULTS: &[(&str, &[&str])] = &[
    ("version-taken", &["handshake.version-other fail"]),
    ("version-unnamed", &["handshake.version-other fail"]),
    ("version-8", &["handshake.version-other warn"]),
    ("key-missing", &["handshake.key-missing fail"]),
    ("key-short", &["handshake.key-short warn"]),
    ("key-twice", &["handshake.key-twice warn"]),
    ("upgrade-missing", &["handshake.upgrade-missing fail"]),
    ("connection-missing", &["handshake.connection-missing fail"]),
    ("connection-list", &["handshake.connection-list fail"]),
    ("name-case", &["handshake.header-case fail"]),
    ("value-case", &["handshake.header-case fail"]),
    ("method-post", &["handshake.method-post fail"]),
    ("http-1.0", &["handshake.http-1.0 fail"]),
    ("host-missing", &["handshake.host-missing fail"]),
    ("host-missing-500", &["handshake.host-missing warn"]),
    ("host-missing-silent", &["handshake.host-missing fail"]),
    ("host-missing-cut", &["handshake.host-missing warn"]),
    ("host-missing-babble", &["handshake.host-missing fail"]),
    ("body-read", &["handshake.body-on-upgrade warn"]),
    (
        "subprotocol-first",
        &["handshake.subprotocol-unknown warn", "handshake.subprotocol-one-of warn"],
    ),
    (
        "subprotocol-list",
        &["handshake.subprotocol-unknown warn", "handshake.subprotocol-one-of fail"],
    ),
    ("extension-unknown", &["handshake.extension-unknown fail"]),
    ("extension-refused", &["handshake.extension-unknown warn"]),
    ("deflate-window", &["handshake.deflate-parameters fail"]),
    ("deflate-dropped", &["handshake.deflate-parameters warn"]),
    ("deflate-echoed", &["handshake.deflate-declined fail"]),
    ("deflate-stripped", &["handshake.deflate-declined warn"]),
    ("frame.unmasked", &["frame.unmasked fail"]),
    ("frame.rsv1", &["frame.rsv1 fail", "frame.deflate-rsv1-control fail"]),
    ("frame.rsv2", &["frame.rsv2 fail"]),
    ("frame.rsv3", &["frame.rsv3 fail"]),
    ("frame.opcode-3", &["frame.opcode-3 fail"]),
    ("frame.opcode-4", &["frame.opcode-4 fail"]),
    ("frame.opcode-5", &["frame.opcode-5 fail"]),
    ("frame.opcode-6", &["frame.opcode-6 fail"]),
    ("frame.opcode-7", &["frame.opcode-7 fail"]),
    ("frame.opcode-b", &["frame.opcode-b fail"]),
    ("frame.opcode-c", &["frame.opcode-c fail"]),
    ("frame.opcode-d", &["frame.opcode-d fail"]),
    ("frame.opcode-e", &["frame.opcode-e fail"]),
    ("frame.opcode-f", &["frame.opcode-f fail"]),
    ("frame.continuation-orphan", &["frame.continuation-orphan fail"]),
    ("frame.data-inside-fragments", &["frame.data-inside-fragments fail"]),
    ("frame.control-fragmented", &["frame.control-fragmented fail"]),
    ("frame.control-126", &["frame.control-126 fail"]),
    ("length-top-bit", &["frame.length-top-bit fail"]),
    ("length-minimal", &["frame.length-non-minimal-16 warn", "frame.length-non-minimal-64 warn"]),
    ("utf8", &["frame.text-utf8 fail", "frame.text-utf8-fragmented fail"]),
    ("utf8-whole", &["frame.text-utf8-fragmented fail"]),
    ("frame.close-1-byte", &["frame.close-1-byte fail"]),
    ("frame.close-utf8", &["frame.close-utf8 warn"]),
    ("code-0", &["frame.close-code-0 fail"]),
    ("code-999", &["frame.close-code-999 fail"]),
    ("code-1004", &["frame.close-code-1004 warn"]),
    ("code-1005", &["frame.close-code-1005 fail"]),
    ("code-1006", &["frame.close-code-1006 fail"]),
    ("code-1015", &["frame.close-code-1015 fail"]),
    ("code-1016", &["frame.close-code-1016 warn"]),
    ("code-2999", &["frame.close-code-2999 warn"]),
    ("close-unanswered", &["frame.close-echo fail", "frame.data-after-close fail"]),
    ("close-cut", &["frame.close-echo fail", "frame.data-after-close warn"]),
    ("tcp-late", &["frame.close-tcp warn"]),
    ("tcp-never", &["frame.close-tcp fail"]),
    ("after-close", &["frame.data-after-close fail", "frame.close-tcp fail"]),
    (
        "pong-empty",
        &[
            "frame.ping-pong fail",
            "frame.ping-inside-fragments fail",
            "frame.pong-unsolicited fail",
        ],
    ),
    ("pong-not-inside", &["frame.ping-inside-fragments fail"]),
    ("pong-refused", &["frame.pong-unsolicited fail"]),
    ("deflate-rsv1-control", &["frame.deflate-rsv1-control fail"]),
    ("deflate-corrupt", &["frame.deflate-corrupt fail"]),
    ("wrong-code-1008", &["frame.rsv2 warn"]),
    ("wrong-code-1000", &["frame.rsv2 warn"]),
    ("wrong-code-none", &["frame.rsv2 warn"]),
    ("wrong-code-cut", &["frame.rsv2 warn"]),
    ("echo-126", &["echo.text-126 fail", "echo.binary-126 fail", "echo.fragments fail"]),
    ("echo-65536", &["echo.text-65536 fail", "echo.binary-65536 fail", "echo.fragments fail"]),
    ("echo-empty", &["echo.text-0 fail", "echo.binary-0 fail", "echo.fragments fail"]),
    ("echo-large", &["echo.text-1048576 fail", "echo.binary-1048576 fail"]),
    ("echo-first-fragment", &["echo.fragments fail", "echo.utf8 fail"]),
    ("echo-utf8-by-frame", &["echo.utf8 fail"]),
    (
        "echo-swapped",
        &["echo.order fail", "echo.deflate-context fail", "echo.deflate-no-context fail"],
    ),
    ("echo-no-context", &["echo.deflate-context fail"]),
    ("echo-context", &["echo.deflate-no-context fail"]),
];

#[test]
fn each_planted_fault_is_found_and_nothing_else() {
    let todo = Mutex::new(FAULTS.iter());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((fault, expected)) = { todo.lock().unwrap().next() } {
                    let found = verdicts(fault, group(expected));
                    let expected: BTreeSet<String> =
                        expected.iter().map(|s| s.to_string()).collect();
                    if found != expected {
                        wrong.lock().unwrap().push(format!("{fault}: {found:?}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(FAULTS.len() >= 60);
}

/// These break the plain opening.
#[test]
fn a_server_that_cannot_be_judged_gets_the_usual_exit_codes() {
    for fault in ["no-upgrade-field", "two-upgrades", "wrong-accept", "subprotocol-none"] {
        Run::new(["check", &Faulty::start(fault)]).run().expect_code(7);
    }
    Run::new(["check", "ws://127.0.0.1:1/"]).run().expect_code(4);
    Run::new(["check", "ws://127.0.0.1:1/", "--only", "frame.rsv"]).run().expect_code(2);
}

/// The server goes away at the first frame with RSV2.
#[test]
fn a_server_that_does_not_survive_is_named_with_the_probe() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let gone = Arc::new(AtomicBool::new(false));
    let server = thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept()
            && !gone.load(Ordering::Relaxed)
        {
            let gone = gone.clone();
            thread::spawn(move || {
                let mut server = Faulty { fault: "", stream, read: Vec::new(), deflate: None };
                let head = server.head()?;
                let Answer::Accept(head) = server.answer(&head) else { return None };
                server.stream.write_all(head.as_bytes()).ok()?;
                let (header, _) = server.frame()?;
                gone.fetch_or(header.rsv2, Ordering::Relaxed);
                Some(())
            });
        }
    });
    let args = ["check", &url, "--only", "frame.rsv1,frame.rsv2,frame.rsv3", "--patience", "700ms"];
    let done = Run::new(args).run().expect_code(1);
    server.join().unwrap();
    assert!(done.stderr.contains("can't be reached any more after frame.rsv2"), "{}", done.stderr);
    assert!(!done.text().contains("rsv3"), "{}", done.text());
}

#[test]
fn an_allowed_failure_does_not_count_and_a_denied_warning_does() {
    let check = |fault, more: &[&str]| {
        let url = Faulty::start(fault);
        let args = ["check", &url, "--only", "frame.rsv2", "--patience", "700ms"];
        Run::new(args.iter().chain(more).map(|arg| arg.to_string())).run()
    };
    let failed = check("frame.rsv2", &[]).expect_code(1).text();
    assert!(failed.contains("  ✗ rsv2 "), "{failed}");
    assert!(
        failed.contains("again: /frame op=text rsv=2 text=reserved bit; /frame op=ping"),
        "{failed}"
    );
    assert!(failed.contains("0 pass, 1 fail, 0 warn, 0 n/a in "), "{failed}");
    let allowed = check("frame.rsv2", &["--allow", "frame.rsv2"]).expect_code(0).text();
    assert!(allowed.contains("(allowed)") && allowed.contains("1 allowed to fail"), "{allowed}");
    let again = check("", &["--allow", "frame.rsv2"]).expect_code(0).text();
    assert!(again.contains("passes again"), "{again}");
    check("wrong-code-1008", &[]).expect_code(0);
    check("wrong-code-1008", &["--deny-warnings"]).expect_code(1);
}

#[test]
fn reports_for_ci_and_what_has_changed() {
    let home = Home::new();
    let url = Faulty::start("frame.rsv2");
    let check = |url: &str, more: &[&str]| {
        let args =
            ["check", url, "--only", "tls.host,frame.rsv1,frame.rsv2", "--patience", "700ms"];
        Run::new(args.iter().chain(more).map(|arg| arg.to_string())).home(&home).run()
    };
    let tap = check(&url, &["--tap", "--junit", "out.xml"]).expect_code(1).text();
    let why = "takes it and goes on, where the connection must be failed, with Close 1002";
    let expected = format!(
        "TAP version 14\nok 1 - tls.host # SKIP the server is reached without TLS\nok 2 - frame.rsv1\n\
         not ok 3 - frame.rsv2\n  ---\n  verdict: fail\n  message: \"{why}\"\n  \
         clause: \"RFC 6455 §5.2\"\n  ...\n1..3\n"
    );
    assert_eq!(tap, expected);
    let xml = std::fs::read_to_string(home.path().join("out.xml")).unwrap();
    assert!(xml.contains("<testsuites name=\"wstap\" tests=\"3\" failures=\"1\""), "{xml}");
    assert!(xml.contains("<testsuite name=\"frame\" tests=\"2\" failures=\"1\""), "{xml}");
    assert!(xml.contains(&format!("<failure message=\"{why}\" type=\"fail\">")), "{xml}");
    assert!(xml.contains("<skipped message=\"the server is reached without TLS\"/>"), "{xml}");
    let before = check(&url, &["--json"]).expect_code(1).text();
    std::fs::write(home.path().join("before"), before).unwrap();
    let same = check(&url, &["--baseline", "before"]).expect_code(0).text();
    assert!(same.contains("0 pass, 0 fail, 0 warn, 0 n/a, 3 as before in "), "{same}");
    let mended = check(&Faulty::start(""), &["--baseline", "before"]).expect_code(0).text();
    assert!(mended.contains("  ✓ rsv2 ") && !mended.contains("rsv1"), "{mended}");
    std::fs::write(home.path().join("other"), "{}\nno JSON").unwrap();
    check(&url, &["--baseline", "other"])
        .expect_failure(2, "usage: there is no result of a probe in");
    check(&url, &["--baseline", "none"])
        .expect_failure(13, "input: can't read none: there is no such file");
    check(&url, &["--junit", "no/folder.xml"]).expect_failure(13, "output: ");
}

#[test]
fn secrets_are_in_no_evidence() {
    let url = Faulty::start("key-missing");
    let args =
        ["check", &format!("{url}?token=hunter2"), "-u", "me:hunter3", "--cookie", "a=hunter4"];
    let more = ["--only", "handshake,origin", "-vv"];
    let done = Run::new(args.iter().chain(&more).map(|arg| arg.to_string())).run().expect_code(1);
    let hex: Vec<String> =
        ["hunter2", "hunter3", "hunter4", "me:hunter3"].map(|s| s.to_owned()).into();
    for secret in hex {
        let encoded = data_encoding::HEXLOWER.encode(secret.as_bytes());
        for text in [done.text(), done.stderr.clone()] {
            assert!(!text.contains(&secret) && !text.contains(&encoded), "{secret}: {text}");
        }
    }
    assert!(done.text().contains("your cookie or login"), "{}", done.text());
}

#[test]
fn the_documentation_has_every_probe() {
    let listed = Run::new(["check", "--list"]).run().expect_code(0).lines();
    let rows: Vec<String> = listed
        .chunks(2)
        .map(|pair| {
            let (id, clause) = pair[0].split_once(' ').unwrap();
            let clause = clause.trim().split(", Autobahn").next().unwrap();
            format!("| `{id}` | {clause} | {} |", pair[1].trim())
        })
        .collect();
    let table = include_str!("../../docs/check.md").split("## The probes").nth(1).unwrap();
    let documented: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(documented, rows);
}

#[test]
fn a_right_server_passes_every_probe() {
    assert_eq!(verdicts("", "handshake,origin,frame,echo"), BTreeSet::new());
}

fn group(expected: &[&str]) -> &'static str {
    ["handshake", "frame", "echo"].into_iter().find(|group| expected[0].starts_with(group)).unwrap()
}

/// What isn't a pass or n/a.
fn verdicts(fault: &'static str, only: &str) -> BTreeSet<String> {
    let url = Faulty::start(fault);
    let args = ["check", &url, "--only", only, "--echo", "--patience", "700ms", "--json"];
    let done = Run::new(args).timeout(Duration::from_secs(100)).run();
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let lines: Vec<Value> = done.lines().iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    for line in &lines {
        check_schema(&schema, &schema, line).unwrap();
    }
    let probes = lines.iter().filter(|line| line["type"] == "probe");
    let judged = probes.map(|line| {
        format!("{} {}", line["id"].as_str().unwrap(), line["verdict"].as_str().unwrap())
    });
    judged.filter(|line| !line.ends_with(" pass") && !line.ends_with(" n/a")).collect()
}

/// A right echo server, but for one fault.
struct Faulty {
    fault: &'static str,
    stream: TcpStream,
    read: Vec<u8>,
    deflate: Option<Params>,
}

impl Faulty {
    /// Serves until the test's end.
    fn start(fault: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Faulty { fault, stream, read: Vec::new(), deflate: None };
                thread::spawn(move || server.serve());
            }
        });
        url
    }

    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn serve(mut self) -> Option<()> {
        self.stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let head = self.head()?;
        match self.answer(&head) {
            Answer::Accept(head) => {
                self.stream.write_all(head.as_bytes()).ok()?;
                self.frames()
            }
            Answer::Refuse(status, fields) => {
                let head = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: 0\r\n\r\n");
                self.stream.write_all(head.as_bytes()).ok()
            }
            Answer::Babble => self.stream.write_all(b"+OK ready\r\n\r\n").ok(),
            Answer::Silence => {
                thread::sleep(Duration::from_secs(2));
                Some(())
            }
            Answer::Cut => Some(()),
        }
    }

    fn head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(4).position(|w| w == b"\r\n\r\n") {
                let rest = self.read.split_off(at + 4);
                let head = std::mem::replace(&mut self.read, rest);
                return String::from_utf8(head).ok();
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Option<()> {
        let mut buffer = [0; 65_536];
        let n = self.stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        self.read.extend_from_slice(&buffer[..n]);
        Some(())
    }

    fn answer(&mut self, head: &str) -> Answer {
        let line = head.lines().next().unwrap_or_default();
        let fields: Vec<(&str, &str)> =
            head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
        let is = |has: &str, name: &str| match self.has("name-case") {
            true => has == name,
            false => has.eq_ignore_ascii_case(name),
        };
        let all = |name: &str| {
            fields.iter().filter(|(has, _)| is(has, name)).map(|(_, v)| *v).collect::<Vec<_>>()
        };
        let one = |name: &str| all(name).first().copied();
        let refuse =
            |status: &str, fields: &str| Answer::Refuse(status.to_owned(), fields.to_owned());
        if !line.starts_with("GET ") && !self.has("method-post") {
            return refuse("405 Method Not Allowed", "");
        }
        if line.ends_with("/1.0") && !self.has("http-1.0") {
            return refuse("505 HTTP Version Not Supported", "");
        }
        if one("Host").is_none() {
            match self.fault {
                "host-missing" => {}
                "host-missing-500" => return refuse("500 Internal Server Error", ""),
                "host-missing-silent" => return Answer::Silence,
                "host-missing-cut" => return Answer::Cut,
                "host-missing-babble" => return Answer::Babble,
                _ => return refuse("400 Bad Request", ""),
            }
        }
        if one("Content-Length").is_some_and(|n| n != "0") && !self.has("body-read") {
            return refuse("400 Bad Request", "");
        }
        let upgrade = one("Upgrade").unwrap_or_default();
        let right = match self.has("value-case") {
            true => upgrade == "websocket",
            false => upgrade.eq_ignore_ascii_case("websocket"),
        };
        if !(right || upgrade.is_empty() && self.has("upgrade-missing")) {
            return refuse("426 Upgrade Required", "");
        }
        let connection = one("Connection").unwrap_or_default();
        let right = match self.has("connection-list") {
            true => connection.eq_ignore_ascii_case("upgrade"),
            false => connection.split(',').any(|m| m.trim().eq_ignore_ascii_case("upgrade")),
        };
        if !(right || connection.is_empty() && self.has("connection-missing")) {
            return refuse("400 Bad Request", "");
        }
        match one("Sec-WebSocket-Version") {
            Some("13") => {}
            Some("8") if self.has("version-8") => {}
            _ if self.has("version-taken") => {}
            _ if self.has("version-unnamed") => return refuse("400 Bad Request", ""),
            _ => return refuse("426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n"),
        }
        let keys = all("Sec-WebSocket-Key");
        let key = match keys.as_slice() {
            [] if self.has("key-missing") => "",
            [key] if key.len() == 24 || self.has("key-short") => key,
            [key, _] if self.has("key-twice") => key,
            _ => return refuse("400 Bad Request", ""),
        };
        let mut answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n".to_owned();
        if !self.has("no-upgrade-field") {
            answer += if self.has("two-upgrades") {
                "Upgrade: h2c\r\n"
            } else {
                "Upgrade: websocket\r\n"
            };
        }
        let accept =
            derive_accept_key(if self.has("wrong-accept") { b"x" } else { key.as_bytes() });
        answer += &format!("Sec-WebSocket-Accept: {accept}\r\n");
        let offered = one("Sec-WebSocket-Protocol").unwrap_or_default();
        answer += &match (self.fault, offered) {
            ("subprotocol-none", _) => "Sec-WebSocket-Protocol: chat\r\n".to_owned(),
            (_, "") => String::new(),
            ("subprotocol-first", list) => {
                format!("Sec-WebSocket-Protocol: {}\r\n", list.split(", ").next().unwrap())
            }
            ("subprotocol-list", list) => format!("Sec-WebSocket-Protocol: {list}\r\n"),
            _ => String::new(),
        };
        let offer = one("Sec-WebSocket-Extensions").unwrap_or_default().to_owned();
        if offer.starts_with("x-") && self.has("extension-refused") {
            return refuse("400 Bad Request", "");
        }
        if let Some(agreed) = self.agree(&offer) {
            answer += &format!("Sec-WebSocket-Extensions: {agreed}\r\n");
        }
        Answer::Accept(answer + "\r\n")
    }

    fn agree(&mut self, offer: &str) -> Option<String> {
        if offer.starts_with("x-") {
            return self.has("extension-unknown").then(|| offer.to_owned());
        }
        let list = Extension::parse_list(offer.as_bytes()).ok()?;
        let agreed = deflate::accept(&list);
        if let Some((_, params)) = &agreed {
            self.deflate = Some(*params);
        }
        match (self.fault, agreed) {
            ("deflate-window", Some((text, _))) if offer.contains("=10") => {
                Some(text.replace("=10", "=12"))
            }
            ("deflate-dropped", Some(_)) => Some("permessage-deflate".to_owned()),
            ("deflate-echoed", None) if !offer.is_empty() => Some(offer.to_owned()),
            ("deflate-stripped", None) if !offer.is_empty() => {
                Some("permessage-deflate".to_owned())
            }
            (_, agreed) => agreed.map(|(text, _)| text),
        }
    }

    fn frames(&mut self) -> Option<()> {
        let params = self.deflate.unwrap_or_default();
        let mut inflate = Inflate::new(params, Side::Server);
        let context = match self.fault {
            "echo-no-context" => Params { client_no_context_takeover: true, ..params },
            _ => params,
        };
        if self.has("echo-no-context") {
            inflate = Inflate::new(context, Side::Server);
        }
        let mut open: Option<(Opcode, bool, Vec<u8>, bool)> = None;
        let mut swapped: Option<(Opcode, Vec<u8>)> = None;
        let mut closed = false;
        loop {
            let (header, payload) = self.frame()?;
            let opcode = header.opcode;
            let control = opcode.is_control();
            let data = matches!(opcode, Opcode::Text | Opcode::Binary);
            let may_compress = self.deflate.is_some() && data;
            if header.masking_key.is_none() && !self.has("frame.unmasked") {
                return self.fail(1002);
            }
            let control_bit = self.deflate.is_some() && control && self.has("deflate-rsv1-control");
            if header.rsv1 && !may_compress && !control_bit && !self.has("frame.rsv1") {
                return self.fail(1002);
            }
            if header.rsv2 && !self.has("frame.rsv2") {
                return self.fail_as_told();
            }
            if header.rsv3 && !self.has("frame.rsv3") {
                return self.fail(1002);
            }
            if let Opcode::Reserved(bits) = opcode {
                if !self.has(&format!("frame.opcode-{bits:x}")) {
                    return self.fail(1002);
                }
                continue;
            }
            if control {
                if !header.fin && !self.has("frame.control-fragmented") {
                    return self.fail(1002);
                }
                if header.length > 125 && !self.has("frame.control-126") {
                    return self.fail(1002);
                }
            } else if !header.is_minimal() && !self.has("length-minimal") {
                return self.fail(1002);
            }
            match opcode {
                Opcode::Ping if closed && !self.has("after-close") => {}
                Opcode::Ping if open.is_some() && self.has("pong-not-inside") => {}
                Opcode::Ping if self.has("pong-empty") => {
                    self.send(Opcode::Pong, b"other", false)?
                }
                Opcode::Ping => self.send(Opcode::Pong, &payload, false)?,
                Opcode::Pong if self.has("pong-refused") => return self.fail(1002),
                Opcode::Pong => {}
                Opcode::Close => {
                    self.close(&payload)?;
                    closed = true;
                    if self.has("after-close") {
                        continue;
                    }
                    match self.fault {
                        "tcp-late" => thread::sleep(Duration::from_millis(1500)),
                        "tcp-never" => thread::sleep(Duration::from_secs(6)),
                        "close-unanswered" => thread::sleep(Duration::from_secs(2)),
                        _ => {}
                    }
                    return Some(());
                }
                _ if closed => {}
                Opcode::Continuation => match &mut open {
                    Some((.., message, _)) => message.extend_from_slice(&payload),
                    None if self.has("frame.continuation-orphan") => continue,
                    None => return self.fail(1002),
                },
                _ => {
                    if open.is_some() && !self.has("frame.data-inside-fragments") {
                        return self.fail(1002);
                    }
                    open = Some((opcode, header.rsv1, payload.clone(), header.fin));
                }
            }
            if control || closed || !header.fin {
                if !control
                    && self.has("echo-utf8-by-frame")
                    && std::str::from_utf8(&payload).is_err()
                {
                    return self.fail(1007);
                }
                continue;
            }
            let Some((kind, compressed, mut message, whole)) = open.take() else { continue };
            if self.has("echo-first-fragment") && !whole {
                continue;
            }
            if compressed && self.deflate.is_some() {
                let mut plain = Vec::new();
                let bad = inflate.inflate(&message, &mut plain, 8 << 20).is_err()
                    || !matches!(inflate.finish(&mut plain, 8 << 20), Ok(true));
                match (bad, self.has("deflate-corrupt")) {
                    (true, true) => continue,
                    (true, false) => return self.fail(1007),
                    (false, _) => message = plain,
                }
            }
            let checks = match self.fault {
                "utf8" => false,
                "utf8-whole" => whole,
                _ => true,
            };
            if kind == Opcode::Text && checks && std::str::from_utf8(&message).is_err() {
                return self.fail(1007);
            }
            match (self.fault, message.len()) {
                ("echo-126", 126) | ("echo-65536", 65_536) => {
                    message.pop();
                }
                ("echo-empty", 0) => continue,
                ("echo-large", 1_048_576) => return self.fail(1009),
                _ => {}
            }
            let first = swapped.is_none() && (compressed || message.starts_with(b"message "));
            if self.has("echo-swapped") && first {
                swapped = Some((kind, message));
                continue;
            }
            self.send(kind, &message, compressed)?;
            if let Some((kind, message)) = swapped.take() {
                self.send(kind, &message, compressed)?;
            }
        }
    }

    /// The next frame, its payload without the mask.
    fn frame(&mut self) -> Option<(FrameHeader, Vec<u8>)> {
        loop {
            if let Some((header, len)) = FrameHeader::parse(&self.read) {
                if header.length >> 63 != 0 {
                    if !self.has("length-top-bit") {
                        self.fail(1002);
                        return None;
                    }
                } else if self.read.len() >= len + header.length as usize {
                    let rest = self.read.split_off(len + header.length as usize);
                    let mut payload = std::mem::replace(&mut self.read, rest).split_off(len);
                    mask::apply(&mut payload, header.masking_key.unwrap_or_default(), 0);
                    return Some((header, payload));
                }
            }
            self.fill()?;
        }
    }

    fn send(&mut self, opcode: Opcode, payload: &[u8], compressed: bool) -> Option<()> {
        let mut payload = payload.to_vec();
        let mut header = FrameHeader::new(opcode, 0);
        if let (true, Some(params)) = (compressed, self.deflate) {
            let mut small = Vec::new();
            let mut params = params;
            // Each message on its own is always right, but for a fault that refers back wrongly.
            params.server_no_context_takeover = true;
            Deflate::new(params, Side::Server).message(&payload, &mut small);
            if self.has("echo-context") && params.client_no_context_takeover {
                small.reverse();
            }
            payload = small;
            header.rsv1 = true;
        }
        header = header.with_length(payload.len() as u64);
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        bytes.extend_from_slice(&payload);
        self.stream.write_all(&bytes).ok()
    }

    fn fail(&mut self, code: u16) -> Option<()> {
        self.send(Opcode::Close, &code.to_be_bytes(), false)?;
        self.linger()
    }

    fn fail_as_told(&mut self) -> Option<()> {
        match self.fault {
            "wrong-code-1008" => self.fail(1008),
            "wrong-code-1000" => self.fail(1000),
            "wrong-code-none" => {
                self.send(Opcode::Close, b"", false)?;
                self.linger()
            }
            "wrong-code-cut" => self.linger(),
            _ => self.fail(1002),
        }
    }

    /// Ends our direction, and reads what is on its way, so that nothing of ours is lost by a reset.
    fn linger(&mut self) -> Option<()> {
        self.stream.shutdown(Shutdown::Write).ok()?;
        while self.fill().is_some() {}
        None
    }

    fn close(&mut self, payload: &[u8]) -> Option<()> {
        let code = payload.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
        match (code, self.fault) {
            (Some(1000), "close-unanswered") if payload.len() == 2 => Some(()),
            (Some(1000), "close-cut") if payload.len() == 2 => self.linger(),
            (None, "frame.close-1-byte") if payload.len() == 1 => {
                thread::sleep(Duration::from_secs(2));
                None
            }
            (None, _) if payload.len() == 1 => self.fail(1002),
            (None, _) => self.send(Opcode::Close, b"", false),
            (Some(code), _) => {
                let valid = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
                if !valid && self.fault != format!("code-{code}") {
                    return self.fail(1002);
                }
                if std::str::from_utf8(&payload[2..]).is_err() && !self.has("frame.close-utf8") {
                    return self.fail(1007);
                }
                self.send(Opcode::Close, &code.to_be_bytes(), false)
            }
        }
    }
}

enum Answer {
    Accept(String),
    Refuse(String, String),
    Babble,
    Silence,
    Cut,
}
