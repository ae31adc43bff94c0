//! Redirects that are followed (`-L`): where they end, and what they don't carry along.

use crate::case::{Case, case, run};
use crate::support::scripted::{Peer, ScriptedServer, close_frame, frame};
use crate::support::tls::Tls;

fn path(peer: &mut Peer) -> String {
    let request = peer.request();
    request.line().split(' ').nth(1).expect("a path").to_owned()
}

fn points_to(peer: &mut Peer, location: &str) {
    let _ = peer.try_send(format!(
        "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    ));
}

/// Every request but one for `/end` is sent there.
fn redirects(name: &str, location: &str) -> Case {
    let location = location.to_owned();
    case(name, move |peer| {
        let request = peer.request();
        if request.line() != "GET /end HTTP/1.1" {
            return points_to(peer, &location);
        }
        peer.upgrade(&request, "");
        peer.send([frame(0x1, "hello"), close_frame(1000, "")].concat());
        peer.frames_until_close();
    })
    .args(["-L"])
}

fn works(name: &str, location: &str) -> Case {
    redirects(name, location).exits(0, []).stdout("hello\n")
}

fn refused(name: &str, location: &str, says: &str) -> Case {
    redirects(name, location).exits(6, ["wstap: handshake: ", says])
}

#[test]
fn where_they_end() {
    let endless = |name: &str| {
        case(name, |peer| {
            let path = path(peer);
            points_to(peer, &format!("{path}x"));
        })
        .args(["-L"])
        .exits(6, ["wstap: handshake: ", "--max-redirs"])
    };
    let circle = |name: &str, length: usize| {
        case(name, move |peer| {
            let path = path(peer);
            let next = (path.len() % length) + 1;
            points_to(peer, &format!("/{}", "a".repeat(next - 1)));
        })
        .args(["-L"])
        .exits(6, ["wstap: handshake: redirect loop: ", "again"])
    };
    run(
        "ends of redirects",
        vec![
            endless("more than 10").exits(6, ["more than 10"]).on_terminals(),
            endless("more than 2").args(["--max-redirs", "2"]).exits(6, ["more than 2"]),
            circle("a circle of 1", 1).on_terminals(),
            circle("a circle of 2", 2),
            circle("a circle of 5", 5),
            case("10 are followed", |peer| {
                let request = peer.request();
                let path = request.line().split(' ').nth(1).expect("a path");
                if path.len() < 11 {
                    return points_to(peer, &format!("{path}x"));
                }
                peer.upgrade(&request, "");
                peer.send([frame(0x1, "hello"), close_frame(1000, "")].concat());
                peer.frames_until_close();
            })
            .args(["-L"])
            .exits(0, [])
            .stdout("hello\n"),
        ],
    );
}

#[test]
fn where_they_point() {
    let control = |name: &str, location: &str| {
        redirects(name, location).exits(7, ["wstap: handshake: a bad header line"])
    };
    run(
        "locations",
        vec![
            works("an absolute path", "/end"),
            works("a relative path", "end"),
            works("dots", "a/../b/./../end"),
            works("more dots than folders", "../../../end"),
            works("a fragment is dropped", "/end#part"),
            refused("file", "file:///etc/passwd", "only ws, wss, http and https").on_terminals(),
            refused("javascript", "javascript:alert(1)", "only ws"),
            refused("data", "data:text/plain,x", "only ws"),
            refused("gopher", "gopher://localhost/x", "only ws"),
            refused("a host that is none", "ws://[::g]/", "Location"),
            refused("port 0", "ws://localhost:0/", "Location"),
            refused("port 99999", "ws://localhost:99999/", "Location"),
            refused("ESC in a host", "ws://%1b%5b2J/", "Location"),
            refused("bidi in a host", "ws://\u{202e}moc.example/", "\\u{202e}"),
            refused("60 KiB", &format!("/{}", "x".repeat(60_000)), "longer than 8192 bytes"),
            refused("nothing", "", "again"),
            control("ESC", "/\x1b[31m").on_terminals(),
            control("NUL", "/a\0b").exits(7, []),
            case("two that differ", |peer| {
                peer.request();
                peer.send("HTTP/1.1 302 x\r\nLocation: /a\r\nLocation: /b\r\n\r\n");
            })
            .args(["-L"])
            .exits(6, ["wstap: handshake: ", "two different"]),
            case("none", |peer| {
                peer.request();
                peer.send("HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n");
            })
            .args(["-L"])
            .exits(6, ["wstap: handshake: ", "without a Location"]),
            case("a body without an end", |peer| {
                let request = peer.request();
                if request.line() == "GET /end HTTP/1.1" {
                    peer.upgrade(&request, "");
                    peer.send(close_frame(1000, ""));
                    peer.frames_until_close();
                    return;
                }
                peer.send("HTTP/1.1 307 x\r\nLocation: /end\r\n\r\n");
                while peer.try_send([b'x'; 4096]).is_ok() {}
            })
            .args(["-L"])
            .exits(0, []),
        ],
    );
}

/// What was typed for one origin isn't sent to another, which has a port of its own; its Host is
/// its own, too.
#[test]
fn another_origin_gets_no_secrets() {
    let goal = ScriptedServer::start(|peer| {
        let request = peer.accept();
        for name in ["authorization", "cookie", "proxy-authorization"] {
            assert_eq!(request.header(name), None);
        }
        assert_eq!(request.header("x-plain"), Some("kept"));
        assert!(request.header("host").is_some_and(|host| host.starts_with("localhost:")));
        assert!(!request.head.contains("hush-hush"), "{}", request.head);
        peer.send([frame(0x1, "hello"), close_frame(1000, "")].concat());
        peer.frames_until_close();
    });
    let typed = |case: Case| {
        case.args(["-L", "-v", "-u", "me:hush-hush", "--cookie", "id=hush-hush"])
            .args(["-H", "Proxy-Authorization: Basic hush-hush", "-H", "Host: typed.example"])
            .args(["-H", "X-Plain: kept"])
            .never_says("hush-hush")
            .exits(0, ["not sent to another origin: ", "Authorization", "Cookie", "Host"])
            .stdout("hello\n")
            .on_terminals()
    };
    let to = goal.url();
    let away = case("another port", move |peer| {
        let request = peer.request();
        assert!(request.head.contains("hush-hush"), "{}", request.head);
        points_to(peer, &to);
    });
    run("other origins", vec![typed(away)]);
    assert_eq!(goal.finish().connections, 4);
}

#[test]
fn tls_is_not_left() {
    let plain = ScriptedServer::start(|_| {});
    let locations = [plain.url(), plain.url().replacen("ws:", "http:", 1)];
    let cases = locations.map(|to| {
        case(to[..4].to_owned(), move |peer| {
            peer.request();
            points_to(peer, &to);
        })
        .tls(Tls::new())
        .args(["-L"])
        .exits(6, ["wstap: handshake: ", "without TLS"])
        .on_terminals()
    });
    run("TLS left", cases.into());
    assert_eq!(plain.finish().connections, 0);
}
