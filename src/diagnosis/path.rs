//! The path: something answers there, but no WebSocket server.

use crate::diagnosis::Facts;
use crate::diagnosis::finding::{Finding, Rule, certain, probable};
use crate::diagnosis::proxy::retry_after;
use crate::http::head::{Response, values};
use crate::redact;
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "redirect", find: redirect },
    Rule { name: "path-named", find: path_named },
    Rule { name: "wsgi", find: wsgi },
    Rule { name: "no-websocket-library", find: no_websocket_library },
    Rule { name: "web-page", find: web_page },
    Rule { name: "event-stream", find: event_stream },
    Rule { name: "rest", find: rest },
    Rule { name: "plain-answer", find: plain_answer },
    Rule { name: "not-found", find: not_found },
    Rule { name: "gone", find: gone },
    Rule { name: "method", find: method },
];

/// Most bytes of a Location that are shown.
const MAX_SHOWN: usize = 300;

fn location(response: &Response) -> Option<String> {
    let value = values(&response.headers, "location").next()?;
    let shown = redact::value(b"location", value);
    Some(match shown.get(..MAX_SHOWN) {
        Some(start) => format!("{}…", Untrusted(start)),
        None => Untrusted(&shown).to_string(),
    })
}

/// Words in a path that lead to a login.
const LOGINS: &[&str] = &[
    "login",
    "signin",
    "sign-in",
    "sign_in",
    "auth",
    "sso",
    "oauth",
    "session/new",
    "saml",
    "account",
];

fn redirect(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[301, 302, 303, 307, 308])?;
    let status = facts.status_line();
    let Some(to) = location(response) else {
        return Some(
            certain("a redirect without a Location: nobody can follow it").because(status).next(
                "check the server's redirect rule; try the path with or without a final slash",
            ),
        );
    };
    let sent = &facts.sent;
    let lower = to.to_ascii_lowercase();
    // The target as a URL of ours.
    let absolute = match to.split_once("://") {
        Some((scheme, rest)) if scheme.ends_with('s') => format!("wss://{rest}"),
        Some((_, rest)) => format!("ws://{rest}"),
        None if to.starts_with("//") => format!("{}:{to}", if sent.secure { "wss" } else { "ws" }),
        None if to.starts_with('/') => sent.url(&to),
        None => format!(
            "{}{to}",
            sent.url(sent.path().rsplit_once('/').map_or("/", |(dir, _)| dir)) + "/"
        ),
    };
    let rest = absolute.split_once("://").map_or("", |(_, rest)| rest);
    let to_path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    let to_path = to_path.split(['?', '#']).next().unwrap_or_default();
    let evidence = format!("{status}, Location: {to}");
    let follow = "it points to {to}: -L follows it".replace("{to}", &to);
    let path = sent.path();
    if LOGINS.iter().any(|word| to_path.to_ascii_lowercase().contains(word) && !path.contains(word))
    {
        let cause = match (sent.cookie, sent.expired_cookies) {
            (true, _) => {
                "the session (cookie) that was sent is refused or has expired: the server redirects to its login page"
            }
            (false, 0) => "there is no session: the server redirects to its login page",
            (false, _) => {
                "the session cookies in the jar have expired: the server redirects to its login page"
            }
        };
        let step = match sent.cookie || sent.expired_cookies > 0 {
            true => "log in again, and send the fresh session cookie: --cookie 'NAME=VALUE'",
            false => {
                "log in, and send the session cookie: --cookie 'NAME=VALUE' (or --cookie-jar FILE); or --bearer TOKEN"
            }
        };
        return Some(probable(cause).because(evidence).next(step).next(follow));
    }
    let to_tls = lower.starts_with("https:") || lower.starts_with("wss:");
    let same_path = to_path == path;
    if to_tls && !sent.secure {
        return Some(
            certain("the server wants TLS: it redirects http to https")
                .because(evidence)
                .next(format!("connect to {absolute}"))
                .next(follow),
        );
    }
    let slash = to_path.trim_end_matches('/') == path.trim_end_matches('/') && !same_path;
    if slash {
        let does = if to_path.ends_with('/') { "adds a slash to" } else { "removes the slash of" };
        return Some(
            certain(format!("the server {does} the path: {path} is at {to_path}"))
                .because(evidence)
                .next(format!("connect to {absolute}"))
                .next(follow),
        );
    }
    let moved =
        if matches!(response.status, 301 | 308) { "has moved" } else { "is elsewhere for now" };
    Some(
        certain(format!("a redirect: the endpoint {moved}"))
            .because(evidence)
            .next(format!("connect to {absolute}"))
            .next(follow),
    )
}

/// A path in a text that looks like a WebSocket's.
fn named(text: &str) -> Option<&str> {
    let ends = |c: char| c.is_whitespace() || "\"'<>`\\,;)]}".contains(c);
    for (at, _) in text.match_indices("://") {
        let before = text.get(..at).unwrap_or_default();
        if let Some(scheme) = ["wss", "ws"].into_iter().find(|scheme| before.ends_with(scheme)) {
            let url = text.get(at - scheme.len()..)?;
            let url = url.split(ends).next().unwrap_or_default().trim_end_matches(['.', ':']);
            if url.len() > 7 && !url.contains("${") {
                return Some(url);
            }
        }
    }
    for (at, _) in text.match_indices('/') {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        if before.is_some_and(|c| !ends(c) && c != ' ' && c != '(') {
            continue;
        }
        let path = text
            .get(at..)?
            .split(ends)
            .next()
            .unwrap_or_default()
            .trim_end_matches(['.', ':', '?']);
        let mut parts = path.split(['/', '?']);
        if path.len() < 80
            && parts.any(|part| {
                matches!(
                    part,
                    "ws" | "wss"
                        | "websocket"
                        | "websockets"
                        | "socket.io"
                        | "cable"
                        | "socket"
                        | "hub"
                )
            })
            && !path.contains('*')
        {
            return Some(path);
        }
    }
    None
}

/// The answer names the right path itself.
fn path_named(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[200, 400, 404, 405, 410, 426])?;
    let body = String::from_utf8_lossy(response.body.get(..16 << 10).unwrap_or(&response.body));
    // Scripts of a page name many things.
    let text = if facts.is_page() && body.len() > 4096 { return None } else { body };
    let found = named(&text)?;
    let own = facts.sent.path();
    let path = match found.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => found,
    };
    if path == own
        || path.trim_end_matches('/') == own.trim_end_matches('/')
        || facts.sent.target.starts_with(path)
    {
        return None;
    }
    let hidden = redact::url(found);
    let url = match found.contains("://") {
        true => Untrusted::text(&hidden).to_string(),
        false => facts.sent.url(&Untrusted::text(&hidden).to_string()),
    };
    Some(
        probable(format!(
            "the path is another one: the answer itself names {}",
            Untrusted::text(&hidden)
        ))
        .because(format!("{}: {}", facts.status_line(), facts.quote(&found.to_lowercase())))
        .next(format!("connect to {url}")),
    )
}

fn wsgi(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused()?;
    let next = "an ASGI server (uvicorn, hypercorn, daphne), flask-sock or gevent-websocket";
    let other = "or another path or port";
    if response.status == 400
        && facts
            .says(&["the browser (or proxy) sent a request that this server could not understand"])
    {
        return Some(
            certain(
                "an ordinary HTTP route of a Flask (WSGI) application, which can't speak WebSocket",
            )
            .because(format!(
                "{}, Werkzeug's answer to an upgrade on such a route",
                facts.status_line()
            ))
            .next(next)
            .next(other),
        );
    }
    let server = ["gunicorn", "Werkzeug", "Django's runserver", "Python's http.server", "PHP"]
        .into_iter()
        .find(|name| facts.peer.is(name))?;
    if !matches!(response.status, 200 | 404 | 405 | 400 | 500 | 501) {
        return None;
    }
    let fix = match server {
        "Python's http.server" => "another server: this one only serves files",
        "PHP" => "a WebSocket server beside PHP (Ratchet, Swoole), on its own path or port",
        "Django's runserver" => "Django Channels with daphne in INSTALLED_APPS (an ASGI server)",
        _ => next,
    };
    Some(
        probable(format!("{server} runs an ordinary (WSGI or file-serving) HTTP application here, which can't speak WebSocket"))
            .because(format!("{} from {server}", facts.status_line()))
            .next(fix)
            .next(other),
    )
}

fn no_websocket_library(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused()?;
    let fits = facts.peer.name() == Some("uvicorn")
        && (facts.refused_with(&[404, 405]).is_some() || facts.refused_with(&[200]).is_some());
    let told = facts.says(&["unsupported upgrade request", "no supported websocket library"]);
    (fits || told).then(|| {
        probable("uvicorn took the request for plain HTTP: it has no WebSocket library, or the application has no WebSocket route there")
            .because(facts.status_line())
            .next("pip install 'uvicorn[standard]' (or websockets) beside the application")
            .next("check the path")
    })
}

fn web_page(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[200, 203, 206])?;
    if !facts.is_page() || facts.says(&["type=\"password\"", "type='password'"]) {
        return None;
    }
    let app = facts.says(&[
        "<div id=\"root\"",
        "<div id=\"app\"",
        "<div id=root",
        "<div id=app",
        "<app-root",
        "type=\"module\"",
        "__next",
    ]);
    let cause = match app {
        true => {
            "a web page answers here (the SPA fallback: index.html for every unknown path), so this path is no WebSocket endpoint"
        }
        false => {
            "an ordinary web page answers here, as to an ordinary request: this path is no WebSocket endpoint, or a proxy in front dropped the upgrade"
        }
    };
    Some(
        probable(cause)
            .because(format!("{}, text/html", facts.status_line()))
            .next("check the path: wstap doctor tries likely ones")
            .next(match facts.peer.front() {
                Some(known) => format!(
                    "does {} route this path to the WebSocket server? {}",
                    known.name, known.upgrade
                ),
                None => "does a proxy in front pass the Upgrade header on?".to_owned(),
            }),
    )
}

fn event_stream(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[200])?;
    facts.has_type("text/event-stream").then(|| {
        certain("this is an endpoint for server-sent events (EventSource), not for WebSockets")
            .because("Content-Type: text/event-stream")
            .next(format!(
                "read it with curl -N {}",
                facts.sent.url(facts.sent.path()).replacen("ws", "http", 1)
            ))
            .next("or connect to another path")
    })
}

fn rest(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[200, 201, 202, 203])?;
    if !facts.is_json() || facts.says(&["\"sid\"", "you know, for search"]) {
        return None;
    }
    Some(
        probable(
            "a REST endpoint answers here with JSON, as to a plain GET: the upgrade was ignored",
        )
        .because(facts.status_line())
        .next("another path, or a server that speaks WebSocket")
        .next("does a proxy in front pass the Upgrade header on?"),
    )
}

fn plain_answer(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused()?;
    let other = facts.is_page() || facts.is_json() || facts.has_type("event-stream");
    if !(200..300).contains(&response.status) || other {
        return None;
    }
    Some(
        probable("the server treats this as an ordinary request: it ignored the upgrade")
            .because(facts.status_line())
            .next("is this the WebSocket path? wstap doctor tries likely ones")
            .next("does a proxy in front pass the Upgrade header on?"),
    )
}

fn not_found(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[404])?;
    let sent = &facts.sent;
    let asked = format!("is the path right? it was {}", sent.target);
    let likely = "wstap doctor tries likely ones (/ws, /websocket, …)";
    let own: &[(&[&str], &str)] = &[
        (
            &["cannot get /"],
            "Express has no route there, and no WebSocket server takes the upgrade",
        ),
        (&["404 page not found"], "no route fits: Go's or Traefik's own answer"),
        (&["using the urlconf", "page not found at"], "Django has no route there"),
        (&["whitelabel error page"], "Spring has no endpoint there"),
        (&["no route matches"], "Rails has no route there"),
        (
            &["the requested url was not found on the server"],
            "the web server or Flask has no route there",
        ),
        (
            &["default backend"],
            "Kubernetes' ingress has no rule for this host and path (default backend)",
        ),
        (
            &["application not found", "no such app"],
            "the platform has no application under this host name",
        ),
    ];
    let told = own.iter().find(|(words, _)| words.iter().any(|words| facts.words.contains(words)));
    let found = match (told, facts.peer.wrote, facts.peer.front()) {
        (_, true, Some(known)) => probable(format!(
            "wrong path: {} itself answers, it has no location (and no file) there",
            known.name
        )),
        (Some((_, cause)), ..) => probable(format!("wrong path: {cause}")),
        _ => probable("wrong path: the server knows nothing there"),
    };
    let found = found.because(facts.status_line()).next(asked).next(likely);
    let host = sent.host.split(':').next().unwrap_or_default();
    Some(match host.parse::<std::net::IpAddr>().is_ok() && facts.peer.front().is_some() {
        true => found.next("or the proxy wants the host's name: -H 'Host: NAME'"),
        false => found,
    })
}

fn gone(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[410, 451])?;
    Some(
        certain("the endpoint does not exist any more at this path")
            .because(match retry_after(response) {
                Some(after) => format!("{}, {after}", facts.status_line()),
                None => facts.status_line(),
            })
            .next("look up the new path or version in the service's documentation"),
    )
}

fn method(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[405])?;
    let allow = response.header("allow").map(|allow| Untrusted(allow).to_string());
    Some(
        probable("this path does not take GET, with which every WebSocket begins: it is no WebSocket endpoint")
            .because(match allow {
                Some(allow) => format!("{}, Allow: {allow}", facts.status_line()),
                None => facts.status_line(),
            })
            .next("another path (for GraphQL subscriptions often /graphql with -s graphql-transport-ws, or /subscriptions)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, check};

    #[test]
    fn rules() {
        let refused = Case::refused;
        check(RULES, &[
            refused("redirect", "HTTP/1.1 301 Moved Permanently\r\nServer: nginx\r\nLocation: http://h.example/ws/\r\n\r\n")
                .asking("/ws", "").says(&["adds a slash", "connect to ws://h.example/ws/", "-L"]),
            refused("redirect", "HTTP/1.1 308 x\r\nLocation: /ws\r\n\r\n").asking("/ws/", "").says(&["removes the slash", "ws://h.example/ws"]),
            refused("redirect", "HTTP/1.1 301 x\r\nLocation: https://h.example/\r\n\r\n").says(&["wants TLS", "wss://h.example/"]),
            refused("redirect", "HTTP/1.1 302 Found\r\nLocation: /login?next=/session\r\n\r\n").asking("/session", "").says(&["no session", "login page", "--cookie"]),
            refused("redirect", "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n").asking("/s", "Cookie: a=b").says(&["refused or has expired", "fresh"]),
            refused("redirect", "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n").with(|facts| facts.sent.expired_cookies = 1).says(&["in the jar have expired"]),
            refused("redirect", "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://h.example/moved\r\n\r\n").says(&["elsewhere", "ws://h.example/moved", "-L"]),
            refused("redirect", "HTTP/1.1 302 Found\r\n\r\n").says(&["without a Location"]),
            refused("path-named", "HTTP/1.1 404 x\r\n\r\nTry ws://h.example/live/ws instead.").says(&["names ws://h.example/live/ws", "connect to ws://h.example/live/ws"]),
            refused("path-named", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"ws\":\"/api/v2/ws\"}").says(&["/api/v2/ws"]),
            refused("wsgi", "HTTP/1.1 400 BAD REQUEST\r\nServer: gunicorn\r\n\r\n<p>The browser (or proxy) sent a request that this server could not understand.</p>").says(&["WSGI", "ASGI server", "another path or port"]),
            refused("wsgi", "HTTP/1.1 404 Not Found\r\nServer: WSGIServer/0.2 CPython/3.11\r\n\r\n").says(&["Channels"]),
            refused("no-websocket-library", "HTTP/1.1 404 Not Found\r\nServer: uvicorn\r\n\r\n{\"detail\":\"Not Found\"}").says(&["pip install"]),
            refused("web-page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html><div id=\"root\"></div>").says(&["SPA fallback", "path"]),
            refused("event-stream", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1").says(&["server-sent events", "curl -N"]),
            refused("rest", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[1]").says(&["REST", "upgrade was ignored", "another path"]),
            refused("plain-answer", "HTTP/1.1 200 OK\r\n\r\nok").says(&["ordinary request"]),
            refused("not-found", "HTTP/1.1 404 Not Found\r\nServer: nginx\r\n\r\n<center>nginx/1.22.1</center>").asking("/static/x", "").says(&["wrong path", "nginx itself", "is the path right? it was /static/x"]),
            refused("not-found", "HTTP/1.1 404 Not Found\r\nX-Powered-By: Express\r\n\r\nCannot GET /").says(&["Express has no route"]),
            refused("not-found", "HTTP/1.1 404 Not Found\r\n\r\n404 page not found").says(&["Traefik"]),
            refused("gone", "HTTP/1.1 410 Gone\r\n\r\n").says(&["does not exist any more"]),
            refused("method", "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\n\r\n").says(&["Allow: POST", "no WebSocket endpoint"]),
        ]);
        assert!(
            refused("", "HTTP/1.1 404 x\r\n\r\nno such thing: /ws")
                .asking("/ws", "")
                .diagnosed()
                .iter()
                .all(|found| found.rule != "path-named")
        );
    }
}
