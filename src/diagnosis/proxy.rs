//! A proxy in front: it drops what an upgrade needs, or can't reach the server behind it.

use crate::diagnosis::Facts;
use crate::diagnosis::finding::{Finding, Rule, Sure, certain, finding, may, probable};
use crate::diagnosis::peer::NGINX_UPGRADE;
use crate::http::head::{Response, list, values};
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "version-refused", find: version_refused },
    Rule { name: "upgrade-dropped", find: upgrade_dropped },
    Rule { name: "upgrade-dropped-perhaps", find: upgrade_dropped_perhaps },
    Rule { name: "bad-gateway", find: bad_gateway },
    Rule { name: "gateway-timeout", find: gateway_timeout },
    Rule { name: "unavailable", find: unavailable },
    Rule { name: "server-failed", find: server_failed },
    Rule { name: "not-implemented", find: not_implemented },
    Rule { name: "http-version", find: http_version },
    Rule { name: "request-timeout", find: request_timeout },
    Rule { name: "head-too-large", find: head_too_large },
    Rule { name: "misdirected", find: misdirected },
    Rule { name: "bot-check", find: bot_check },
    Rule { name: "bad-request", find: bad_request },
];

/// A part of the upgrade that the server behind a proxy missed.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Upgrade,
    Connection,
    Version,
    Key,
}

/// What servers say when a part is missing, in lower case.
const MISSING: &[(Part, &[&str])] = &[
    (
        Part::Connection,
        &[
            "missing connection header",
            "invalid connection header",
            "no connection upgrade hdr",
            "\"connection\" must be \"upgrade\"",
            "token not found in 'connection'",
            "connection header \"",
            "connection header is not upgrade",
            "connection upgrade header",
        ],
    ),
    (
        Part::Version,
        &[
            "sec-websocket-version",
            "unsupported version: none",
            "websocket version",
            "unsupported websocket version",
        ],
    ),
    (Part::Key, &["sec-websocket-key", "handshake error: none", "websocket key"]),
    (
        Part::Upgrade,
        &[
            "there is no \"upgrade: websocket\"",
            "no websocket upgrade hdr",
            "can \"upgrade\" only to \"websocket\"",
            "missing upgrade header",
            "invalid upgrade header",
            "token not found in 'upgrade'",
            "upgrade header \"",
            "not a websocket",
            "no upgrade header",
            "websocket upgrade required",
            "websocket upgrade expected",
            "expected websocket",
            "expected upgrade",
            "websocket only",
            "websocket endpoint",
            "websocket requests only",
            "only websocket",
            "use a websocket client",
            "need a websocket client",
            "please use websocket",
            "websocket server directly with a browser",
            "upgrade to websocket",
            "upgrade required",
            "requires a websocket",
            "client is not using the websocket protocol",
            "websocket connection expected",
            "websocket protocol violation",
        ],
    ),
];

/// The part that the answer says was missing, and the words that say so.
fn missing(facts: &Facts<'_>) -> Option<(Part, String)> {
    let quiet = matches!(facts.refused()?.status, 101 | 401 | 403 | 407 | 429);
    let (part, words) = MISSING.iter().filter(|_| !quiet).find_map(|(part, all)| {
        all.iter().find(|words| facts.words.contains(**words)).map(|words| (*part, *words))
    })?;
    // A failed upgrade is told as such; "Upgrade Required" alone is a reason phrase.
    Some((part, if words == "upgrade required" { facts.status_line() } else { facts.quote(words) }))
}

fn wants_other_version(response: &Response) -> Option<String> {
    let versions: Vec<&[u8]> = list(&response.headers, "sec-websocket-version").collect();
    (!versions.is_empty() && !versions.contains(&&b"13"[..]))
        .then(|| Untrusted(&versions.join(&b", "[..])).to_string())
}

fn version_refused(facts: &Facts<'_>) -> Option<Finding> {
    let versions = wants_other_version(facts.refused_with(&[400, 426])?)?;
    Some(
        certain(format!("the server wants version {versions} of the protocol, not 13"))
            .because(format!("Sec-WebSocket-Version: {versions}"))
            .next("a server that speaks RFC 6455 (version 13): update it")
            .next(format!(
                "to try it: -H 'Sec-WebSocket-Version: {}'",
                versions.split(',').next().unwrap_or("8")
            )),
    )
}

fn upgrade_dropped(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused()?;
    if wants_other_version(response).is_some() || !facts.sent.flaws.is_empty() {
        return None;
    }
    if let Some(protocol) = values(&response.headers, "upgrade").next()
        && response.status == 426
        && !protocol.eq_ignore_ascii_case(b"websocket")
        && !missing(facts).is_some_and(|(part, _)| part != Part::Upgrade)
    {
        let protocol = Untrusted(protocol).to_string();
        let tls = protocol.to_ascii_lowercase().contains("tls");
        let found =
            probable(format!("the server wants an upgrade to {protocol}, not to websocket"))
                .because(format!("{}, Upgrade: {protocol}", facts.status_line()));
        return Some(match tls {
            true => found.next(format!("with TLS: {}", facts.sent.other_scheme())),
            false => found.next("another path or port: this one speaks no WebSocket"),
        });
    }
    let said = missing(facts);
    let front = facts.peer.front();
    let json_404 = response.status == 404
        && front.is_some()
        && facts.words.contains("{\"detail\":\"not found\"}");
    if said.is_none() && response.status != 426 && !json_404 {
        return None;
    }
    let (part, evidence) = said.unwrap_or_else(|| {
        let line = facts.status_line();
        let line = if json_404 { format!("{line}, FastAPI's answer to a plain GET") } else { line };
        (Part::Upgrade, line)
    });
    let who = front.map_or("a proxy in front", |known| known.name);
    let (cause, headers) = match part {
        Part::Upgrade => (
            format!(
                "{who} dropped the upgrade headers (Upgrade, Connection), so the server behind it saw a plain GET"
            ),
            None,
        ),
        Part::Connection => (
            format!(
                "{who} passed Upgrade on, but not Connection: the server behind it saw no \"Connection: Upgrade\""
            ),
            Some("Connection"),
        ),
        Part::Version => (
            format!("{who} dropped the header Sec-WebSocket-Version: the client sent 13"),
            Some("Sec-WebSocket-Version"),
        ),
        Part::Key => (
            format!("{who} dropped or changed the header Sec-WebSocket-Key: the client sent one"),
            Some("Sec-WebSocket-Key"),
        ),
    };
    let sure = match front {
        Some(_) => Sure::Probable,
        None => Sure::May,
    };
    let cause = match sure {
        Sure::May => cause.replacen("a proxy in front ", "a proxy in front may have ", 1),
        _ => cause,
    };
    let found = finding(sure, cause).because(evidence);
    let found = match (headers, front) {
        (Some("Connection"), Some(known)) if known.name == "nginx" => found
            .next("add to its location: proxy_http_version 1.1; proxy_set_header Connection \"upgrade\";"),
        (Some("Connection") | None, Some(known)) if known.name == "nginx" => {
            found.next(format!("add to its location: {NGINX_UPGRADE}"))
        }
        (Some("Connection") | None, Some(known)) => found.next(format!("in {who}: {}", known.upgrade)),
        (Some("Connection") | None, None) => found
            .next(format!("let it pass them on; in nginx: {NGINX_UPGRADE}"))
            .next("or connect to the server without the proxy"),
        (Some(header), _) => found
            .next(format!("make the proxy pass the Sec-WebSocket-* headers through; look for a line that removes {header}"))
            .next("or connect to the server without the proxy"),
    };
    Some(found)
}

/// A plain answer through a proxy: the path may be wrong, or the upgrade was dropped.
fn upgrade_dropped_perhaps(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[200, 204, 400, 404, 500, 501])?;
    let front = facts.peer.front()?;
    let own = facts.peer.wrote || missing(facts).is_some() || !facts.sent.flaws.is_empty();
    let plain_tls = facts.says(&["https port", "https server"]);
    if own
        || plain_tls
        || upgrade_dropped(facts).is_some()
        || facts.says(&["session id unknown", "transport unknown"])
    {
        return None;
    }
    Some(
        may(format!("{} may have dropped the upgrade headers", front.name))
            .because(format!("{} through {}", facts.status_line(), front.name))
            .next(match front.name {
                "nginx" => format!("its location needs: {}", front.upgrade),
                _ => front.upgrade.to_owned(),
            }),
    )
    .filter(|_| response.status != 204)
}

fn bad_gateway(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused()?;
    let front = facts.peer.front();
    let who = front.map_or("a proxy in front", |known| known.name);
    let status = response.status;
    let found = match status {
        502 if facts
            .says(&["invalid or incomplete response", "error reading from remote server"]) =>
        {
            probable(format!("the backend (the server behind {who}) closed or answered no HTTP"))
                .next("does the backend crash, or speak TLS (or another protocol) on that port?")
        }
        502 => probable(format!(
            "{who} can't reach the backend, the server behind it, or got no HTTP from it"
        ))
        .next("is the backend running, on the port that the proxy names?"),
        520..=527 | 530 => probable(
            "Cloudflare can't get an answer from the origin server (the backend)",
        )
        .next(match status {
            521 => "is the origin running, and does its firewall let Cloudflare in?",
            522 | 524 => "the origin timed out: is it up and not overloaded?",
            525 | 526 => {
                "the origin's certificate or TLS is wrong: SSL/TLS mode, origin certificate"
            }
            530 => "the origin's name does not resolve",
            _ => "is the origin server up? See its log",
        }),
        _ => return None,
    };
    let found = found.because(facts.status_line());
    Some(match front {
        Some(known) => found.next(format!("see {}", known.log)),
        None => found.next("the proxy's error log says why"),
    })
}

fn gateway_timeout(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[504])?;
    let front = facts.peer.front();
    let who = front.map_or("a proxy in front", |known| known.name);
    let found = probable(format!("the backend (the server behind {who}) did not answer in time"))
        .because(format!("{} after {:.1} s", facts.status_line(), facts.waited.as_secs_f64()))
        .next("does the backend hang or is it overloaded? Try it without the proxy");
    Some(match front.map(|known| known.name) {
        Some("HAProxy") => found.next("timeout server in HAProxy's configuration"),
        Some("nginx") => found.next("proxy_connect_timeout and proxy_read_timeout in nginx"),
        Some("Apache") => found.next("ProxyTimeout in Apache's configuration"),
        _ => found.next("or raise the proxy's timeout"),
    })
}

/// `after 5 s` or the date of Retry-After.
pub(super) fn retry_after(response: &Response) -> Option<String> {
    let value = response.header("retry-after")?;
    let shown = Untrusted(value).to_string();
    Some(match value.iter().all(u8::is_ascii_digit) && !value.is_empty() {
        true => format!("after {shown} s"),
        false => format!("after {shown}"),
    })
}

fn unavailable(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[429, 503, 509, 529])?;
    let after = retry_after(response);
    let limit = response.status != 503
        || facts.says(&[
            "too many",
            "rate limit",
            "limit",
            "max connections",
            "overload",
            "capacity",
            "busy",
        ]) && !facts.says(&["capacity problems"]);
    let when = after.as_deref().map_or("later".to_owned(), |after| after.to_owned());
    if limit {
        let too_many = "the server has too many connections or requests (a rate limit)";
        let words = ["too many", "limit", "max connections", "overload", "busy", "capacity"];
        let words = words.iter().find(|words| facts.words.contains(**words)).unwrap_or(&"");
        return Some(
            probable(too_many)
                .because(match after {
                    Some(_) => format!("{}, Retry-After: try again {when}", facts.status_line()),
                    None if words.is_empty() => facts.status_line(),
                    None => format!("{}: {}", facts.status_line(), facts.quote(words)),
                })
                .next(format!("retry {when} (--reconnect does, and waits as long)"))
                .next("close other connections"),
        );
    }
    let front = facts.peer.front();
    if let Some(known) = front {
        let found =
            probable(format!("{} has no backend (server behind it) that is up", known.name))
                .because(facts.status_line())
                .next("is the backend running, and healthy?")
                .next(format!("see {}", known.log));
        return Some(match after {
            Some(_) => found.next(format!("it says to try again {when}")),
            None => found,
        });
    }
    Some(
        may("the server may be overloaded or in maintenance, or nothing is deployed behind it")
            .because(match after {
                Some(_) => format!("{}, Retry-After: try again {when}", facts.status_line()),
                None => facts.status_line(),
            })
            .next(format!("it is busy: try again {when}"))
            .next("is the backend running?"),
    )
}

fn server_failed(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[500])?;
    let known: &[(&[&str], &str, &str)] = &[
        (
            &["cannot obtain socket from wsgi environment", "wsgi environment"],
            "the WSGI server gives the application no socket, so it can't speak WebSocket",
            "gunicorn with threads or gevent, or an ASGI server (uvicorn, hypercorn)",
        ),
        (
            &["no route found for path", "no route found"],
            "Django Channels has no WebSocket route for this path",
            "check the path and the URLRouter (websocket_urlpatterns)",
        ),
        (
            &["hijack", "response does not implement"],
            "a middleware wraps the response so that the server can't take the connection over (Hijacker)",
            "leave that middleware out for the WebSocket path",
        ),
    ];
    for (words, cause, next) in known {
        if let Some(words) = words.iter().find(|words| facts.words.contains(**words)) {
            return Some(certain(*cause).because(facts.quote(words)).next(*next));
        }
    }
    let who = facts.peer.name().map_or("the server".to_owned(), str::to_owned);
    Some(
        probable("the server failed (an exception in its handler) while it handled the upgrade")
            .because(format!("{} from {who}", facts.status_line()))
            .next("look into the server's log at this time")
            .next("is it the right path, with the parameters that the handler expects?"),
    )
}

fn not_implemented(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[501])?;
    let who = facts.peer.name().unwrap_or("the server or a proxy in front");
    let found = probable(format!("{who} does not implement the upgrade to WebSocket"))
        .because(facts.status_line())
        .next("another path or port, or a server that speaks WebSocket");
    Some(match facts.peer.front() {
        Some(known) => found.next(format!("in {}: {}", known.name, known.upgrade)),
        None => found,
    })
}

fn http_version(facts: &Facts<'_>) -> Option<Finding> {
    let refused = facts.refused_with(&[505]);
    let old =
        facts.says(&["http/1.0", "http version"]) && facts.refused_with(&[400, 426, 500]).is_some();
    if refused.is_none() && !old {
        return None;
    }
    let who = facts.peer.front().map_or("a proxy in front", |known| known.name);
    Some(
        probable(format!("{who} speaks HTTP/1.0 to the server behind it, or the server takes only another HTTP version"))
            .because(facts.status_line())
            .next("an upgrade needs HTTP/1.1: in nginx proxy_http_version 1.1;")
            .next("is this an HTTP/2-only (gRPC) port?"),
    )
}

fn request_timeout(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[408])?;
    Some(
        may("the server may have waited for a body or for more of the request")
            .because(facts.status_line())
            .next("try again; is the network or a proxy in between slow?"),
    )
}

fn head_too_large(facts: &Facts<'_>) -> Option<Finding> {
    let by_words = facts.says(&["request header or cookie too large", "header fields too large"]);
    if !by_words {
        facts.refused_with(&[413, 414, 431])?;
    }
    let what = match (facts.sent.cookie, facts.sent.login.is_some()) {
        (true, _) => "the cookie",
        (_, true) => "the token",
        _ => "the URL or a header",
    };
    Some(
        certain(format!("the request is too large for the server: probably {what}"))
            .because(facts.status_line())
            .next("send fewer or shorter cookies and headers")
            .next("in nginx: large_client_header_buffers 4 32k;"),
    )
}

fn misdirected(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[421])?;
    Some(
        probable(
            "the server doesn't serve this host name: Host and the name in TLS (SNI) must fit",
        )
        .because(format!("{}, Host: {}", facts.status_line(), facts.sent.host))
        .next("connect by the right name, or check -H 'Host: …' and --sni"),
    )
}

fn bot_check(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[403, 429, 503])?;
    let challenged = response.header("cf-mitigated").is_some()
        || facts.says(&[
            "attention required!",
            "just a moment",
            "captcha",
            "checking your browser",
            "request blocked",
        ]);
    challenged.then(|| {
        let who = facts.peer.front().map_or("a gateway", |known| known.name);
        probable(format!("{who} takes wstap for a bot and blocks it before the server sees the request"))
            .because(facts.status_line())
            .next("send a browser's User-Agent and cookies: -A '…' --cookie '…' (wstap curl takes a browser's request)")
            .next(facts.peer.front().map_or("its firewall rules", |known| known.denies))
    })
}

/// A 400 without a word that another rule understands.
fn bad_request(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[400])?;
    if facts.peer.front().is_some_and(|known| known.name == "nginx") && facts.peer.wrote {
        return Some(
            probable(
                "nginx itself refused the request as a bad one, before any server behind it saw it",
            )
            .because(facts.status_line())
            .next("check Host and the headers with -v; a name or port that nginx doesn't expect?"),
        );
    }
    let found = may("perhaps the server did not see a WebSocket request (a proxy in front may drop Upgrade and Connection), or the path is not its own (node's ws answers 400 then)")
        .because(facts.status_line())
        .next("is this path a WebSocket endpoint, with all its parameters? wstap doctor tries others")
        .next(format!("behind nginx: {NGINX_UPGRADE}"));
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, check};

    #[test]
    fn rules() {
        let refused = Case::refused;
        check(RULES, &[
            refused("upgrade-dropped", "HTTP/1.1 426 Upgrade Required\r\nServer: nginx/1.22.1\r\n\r\nUpgrade Required")
                .says(&["nginx dropped the upgrade headers", "saw a plain GET", "proxy_set_header Upgrade $http_upgrade;", "proxy_http_version 1.1;"]),
            refused("upgrade-dropped", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\nNo WebSocket UPGRADE hdr: None\n Can \"Upgrade\" only to \"WebSocket\".")
                .says(&["nginx dropped", "No WebSocket UPGRADE hdr", "proxy_set_header Connection \"upgrade\""]),
            refused("upgrade-dropped", "HTTP/1.1 426 Upgrade Required\r\nServer: nginx\r\n\r\nFailed to open a WebSocket connection: invalid Connection header: close.")
                .says(&["passed Upgrade on, but not Connection", "proxy_set_header Connection \"upgrade\""]),
            refused("upgrade-dropped", "HTTP/1.1 426 Upgrade Required\r\nServer: Apache/2.4.57 (Debian)\r\n\r\n")
                .says(&["Apache dropped", "upgrade=websocket", "mod_proxy_wstunnel"]),
            refused("upgrade-dropped", "HTTP/1.1 426 Upgrade Required\r\nVia: 1.1 varnish (Varnish/7.1)\r\n\r\n")
                .says(&["Varnish dropped", "return (pipe)"]),
            refused("upgrade-dropped", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\nMissing or invalid Sec-WebSocket-Version header")
                .says(&["dropped the header Sec-WebSocket-Version: the client sent 13", "pass the Sec-WebSocket-* headers"]),
            refused("upgrade-dropped", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\nMissing or invalid Sec-WebSocket-Key header").says(&["Sec-WebSocket-Key"]),
            refused("upgrade-dropped", "HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Type: application/json\r\n\r\n{\"detail\":\"Not Found\"}").says(&["FastAPI"]),
            refused("upgrade-dropped", "HTTP/1.1 426 Upgrade Required\r\n\r\n").says(&["may have dropped", "proxy_set_header"]),
            refused("upgrade-dropped", "HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n\r\n").says(&["wants an upgrade to TLS/1.2", "wss://"]),
            refused("version-refused", "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7\r\n\r\n").says(&["wants version 8, 7", "not 13"]),
            refused("upgrade-dropped-perhaps", "HTTP/1.1 404 Not Found\r\nServer: lighttpd/1.4\r\n\r\nnope").says(&["lighttpd may have", "proxy.header"]),
            refused("bad-gateway", "HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\n\r\n<center>nginx</center>").says(&["nginx can't reach the backend", "is the backend running", "error log"]),
            refused("bad-gateway", "HTTP/1.1 502 Bad Gateway\r\n\r\nThe server returned an invalid or incomplete response.").says(&["HAProxy", "crash"]),
            refused("bad-gateway", "HTTP/1.1 521 x\r\nServer: cloudflare\r\n\r\n").says(&["origin", "firewall"]),
            refused("gateway-timeout", "HTTP/1.1 504 Gateway Time-out\r\n\r\nThe server didn't respond in time.").says(&["HAProxy) did not answer in time", "timeout server"]),
            refused("unavailable", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\r\ntoo many connections").says(&["too many connections", "retry after 5 s"]),
            refused("unavailable", "HTTP/1.1 429 Too Many Requests\r\n\r\n").says(&["rate limit", "retry later"]),
            refused("unavailable", "HTTP/1.1 503 Service Unavailable\r\n\r\nNo server is available to handle this request.").says(&["HAProxy has no backend"]),
            refused("unavailable", "HTTP/1.1 503 Service Unavailable\r\n\r\n").says(&["may be overloaded"]),
            refused("server-failed", "HTTP/1.1 500 Internal Server Error\r\n\r\n").says(&["exception", "server's log"]),
            refused("server-failed", "HTTP/1.1 500 x\r\n\r\nRuntimeError: Cannot obtain socket from WSGI environment.").says(&["WSGI", "gevent"]),
            refused("not-implemented", "HTTP/1.1 501 Not Implemented\r\n\r\n").says(&["does not implement the upgrade"]),
            refused("http-version", "HTTP/1.1 505 HTTP Version Not Supported\r\nServer: nginx\r\n\r\n").says(&["HTTP/1.0", "proxy_http_version 1.1"]),
            refused("request-timeout", "HTTP/1.1 408 Request Timeout\r\n\r\n").says(&["may have waited"]),
            refused("head-too-large", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\nRequest Header Or Cookie Too Large").says(&["too large", "large_client_header_buffers"]),
            refused("misdirected", "HTTP/1.1 421 Misdirected Request\r\n\r\n").says(&["host name", "--sni"]),
            refused("bot-check", "HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\ncf-mitigated: challenge\r\n\r\n").says(&["Cloudflare takes wstap for a bot", "-A"]),
            refused("bad-request", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<center>nginx/1.22.1</center>").says(&["nginx itself refused"]),
            refused("bad-request", "HTTP/1.1 400 Bad Request\r\n\r\n").says(&["perhaps the server did not see a WebSocket request", "proxy_set_header"]),
        ]);
    }
}
