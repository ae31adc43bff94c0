//! Socket.IO and other protocols on top: what their servers say when a request isn't theirs.

use crate::diagnosis::finding::{Finding, Rule, certain, probable};
use crate::diagnosis::{End, Facts};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "socketio-refused", find: refused },
    Rule { name: "socketio-polling", find: polling },
    Rule { name: "socketio-heartbeat", find: heartbeat },
    Rule { name: "socketio-old-client", find: old_version },
    Rule { name: "sockjs", find: sockjs },
    Rule { name: "signalr", find: signalr },
    Rule { name: "graphql-http", find: graphql },
];

/// What Engine.IO servers say: node's and python-engineio's words, the cause, what helps.
const SAID: &[(&[&str], &str, &str)] = &[
    (
        &["\"code\":0", "transport unknown", "invalid transport"],
        "this is Socket.IO, and transport=websocket is missing from the query or wrong",
        "transport=websocket",
    ),
    (
        &["\"code\":1", "session id unknown", "invalid session"],
        "Socket.IO does not know the sid: it has expired, or it belongs to another node behind a load balancer without sticky sessions",
        "sid",
    ),
    (
        &["\"code\":2", "bad handshake method"],
        "Socket.IO wants another method for this handshake",
        "transport=websocket",
    ),
    (
        &["\"code\":5", "unsupported protocol version", "unsupported version of the socket.io"],
        "Socket.IO wants another version of its protocol: EIO in the query is missing or wrong",
        "version",
    ),
    (
        &["\"code\":4", "{\"message\":\"forbidden"],
        "Socket.IO's allowRequest refuses the connection: the Origin, the login or its own rules",
        "allow",
    ),
];

fn is_engine_io(facts: &Facts<'_>) -> bool {
    facts.sent.has_param("eio")
        || facts.sent.path().contains("socket.io")
        || facts.sent.path().contains("engine.io")
        || facts.says(&[
            "\"code\":0,\"message\"",
            "\"code\":1,\"message\"",
            "\"code\":3,\"message\"",
            "\"code\":5,\"message\"",
            "socket.io",
        ])
}

fn refused(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[400, 403])?;
    let sent = &facts.sent;
    if !is_engine_io(facts) {
        return None;
    }
    let path = match sent.path() {
        "/" | "" => "/socket.io/",
        path => path,
    };
    let whole = |eio: u8| sent.url(&format!("{path}?EIO={eio}&transport=websocket"));
    let eio = if sent.target.contains("EIO=3") { 3 } else { 4 };
    if facts.says(&["\"code\":3", "\"bad request\""]) {
        let found = probable("Socket.IO saw a plain GET for transport=websocket: a proxy in front dropped the upgrade headers")
            .because(facts.quote("bad request"));
        let front = facts.peer.front();
        return Some(match front {
            Some(known) => found.next(format!("{}: {}", known.name, known.upgrade)),
            None => found.next(format!("in nginx: {}", crate::diagnosis::peer::NGINX_UPGRADE)),
        });
    }
    let (words, cause, kind) = SAID.iter().find(|(words, ..)| facts.says(words))?;
    let word = words.iter().find(|word| facts.words.contains(**word)).unwrap_or(&"");
    let found = certain(*cause).because(format!("{}: {}", facts.status_line(), facts.quote(word)));
    Some(match *kind {
        "transport=websocket" => found.next(format!("add transport=websocket: {}", whole(eio))),
        "sid" => found
            .next(format!("leave out sid: {}", whole(eio)))
            .next("behind a load balancer: sticky sessions (nginx: ip_hash; or a cookie)"),
        "version" if sent.has_param("eio") && eio == 4 => {
            found.next(format!("EIO=3 for a server before 3.0: {}", whole(3)))
        }
        "version" => {
            found.next(format!("add EIO=4: {}", whole(4))).next("EIO=3 for a server before 3.0")
        }
        _ => found.next(match &sent.origin {
            Some(_) => "another -o, or the token or cookie that it checks",
            None => "-o https://HOST, or the token or cookie that it checks",
        }),
    })
}

/// Polling's opening packet in a 200.
fn polling(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[200])?;
    let opens = facts.says(&["0{\"sid\":", "\"pinginterval\""]);
    opens.then(|| {
        let query =
            facts.sent.has_param("transport") && facts.sent.target.contains("transport=websocket");
        match query {
            true => probable(
                "Socket.IO answers by HTTP polling: a proxy in front dropped the upgrade headers",
            ),
            false => certain(
                "this is Socket.IO's HTTP polling: transport=websocket is missing from the query",
            ),
        }
        .because("its opening packet in a 200")
        .next(format!(
            "connect to {}",
            facts.sent.url(&format!("{}?EIO=4&transport=websocket", facts.sent.path()))
        ))
    })
}

/// The opening packet: `0{"sid":…,"pingInterval":…,"pingTimeout":…}`.
struct Opening {
    interval: f64,
    timeout: f64,
    /// Engine.IO 4, in which the server sends the pings.
    pings: bool,
}

fn opening(facts: &Facts<'_>) -> Option<Opening> {
    let talk = facts.talk()?;
    let messages = crate::diagnosis::messages(talk.first);
    let first = messages.first();
    let text = first.map_or("", |message| message.text());
    let number = |name: &str| -> Option<f64> {
        let at = text.find(name)? + name.len();
        let digits: String = text
            .get(at..)?
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse::<f64>().ok().map(|ms| ms / 1000.0)
    };
    // Compressed, it can't be read here; its URL says it as well.
    let target = &facts.sent.target;
    let by_url = target.contains("EIO=") && target.contains("transport=websocket");
    let hidden = by_url && first.is_some_and(|message| message.payload.is_empty());
    if !(text.starts_with("0{\"sid\"") || hidden) {
        return None;
    }
    Some(Opening {
        interval: number("\"pingInterval\"").unwrap_or(25.0),
        timeout: number("\"pingTimeout\"").unwrap_or(20.0),
        pings: !target.contains("EIO=3") && !target.contains("EIO=2"),
    })
}

fn heartbeat(facts: &Facts<'_>) -> Option<Finding> {
    let talk = facts.talk()?;
    let Opening { interval, timeout, pings } = opening(facts)?;
    let closure =
        talk.closure.filter(|closure| closure.first != Some(crate::protocol::close::Party::Us))?;
    let code = closure.code().0;
    let waited = talk.open_for.as_secs_f64();
    if !matches!(code, 1000 | 1005 | 1006) || waited < interval.min(timeout) * 0.8 {
        return None;
    }
    let evidence = format!(
        "closed after {waited:.1} s; pingInterval {interval} s and pingTimeout {timeout} s"
    );
    Some(match pings {
        true => probable("Engine.IO's own heartbeat was not answered: the server sends the text 2 and wants 3 back")
            .because(evidence)
            .next("answer each 2 with 3 (at the prompt: type 3)")
            .next("WebSocket pings (--ping-interval) don't count for it"),
        false => probable("Engine.IO's own heartbeat is missing: with EIO=3 the client sends the text 2 and gets 3 back")
            .because(evidence)
            .next(format!("send 2 at least every {interval} s")),
    })
}

/// A server of another version: `3` comes for each `2` of ours, or an error packet `44`.
fn old_version(facts: &Facts<'_>) -> Option<Finding> {
    let talk = facts.talk()?;
    let messages = crate::diagnosis::messages(talk.first);
    let text = messages.iter().map(|message| message.text()).find(|text| text.starts_with("44"))?;
    talk.closure?;
    Some(
        certain("Socket.IO refused the connection to the namespace")
            .because(super::facts::quote(text.as_bytes(), ""))
            .next("check the namespace and its login: 40{\"token\":\"…\"} as the first message"),
    )
}

fn sockjs(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused()?;
    let said = facts.says(&["welcome to sockjs", "not a valid websocket request"]);
    let path = facts.sent.path();
    let looks = path.contains("sockjs")
        && matches!(response.status, 404 | 400)
        && !path.ends_with("/websocket");
    (said || looks).then(|| {
        let found = match said {
            true => certain("this is SockJS: its WebSocket is at a path below"),
            false => probable("this is SockJS: its WebSocket is at a path below"),
        };
        let base = path.trim_end_matches('/');
        found.because(facts.status_line()).next(format!(
            "connect to {} (raw WebSocket), or {}",
            facts.sent.url(&format!("{base}/websocket")),
            facts.sent.url(&format!("{base}/000/abc/websocket"))
        ))
    })
}

fn signalr(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[400, 404, 405])?;
    let words = ["connection id required", "no connection with that id", "negotiate"]
        .into_iter()
        .find(|words| facts.words.contains(words))?;
    Some(
        certain("this is SignalR: the connection id (from its negotiate) is missing or unknown")
            .because(facts.quote(words))
            .next(format!(
                "curl -X POST {}/negotiate?negotiateVersion=1, then ?id=CONNECTIONTOKEN in the URL",
                facts.sent.url(facts.sent.path().trim_end_matches('/')).replacen("ws", "http", 1)
            ))
            .next("then send {\"protocol\":\"json\",\"version\":1} and 0x1e first"),
    )
}

fn graphql(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[200, 400, 404, 405, 500])?;
    if !matches!(facts.end, End::Refused(_)) {
        return None;
    }
    let words = [
        "get query missing",
        "must provide query string",
        "must provide an operation",
        "must contain a non-empty `query`",
        "graphiql",
        "graphql playground",
        "apollo server",
    ]
    .into_iter()
    .find(|words| facts.words.contains(words))?;
    Some(
        probable("a GraphQL server answers by HTTP here: its subscriptions (WebSocket) are off, or at another path")
            .because(format!("{}: {}", facts.status_line(), facts.quote(words)))
            .next("look for the path of the subscriptions (/graphql, /subscriptions, /graphql/ws), with -s graphql-transport-ws")
            .next("on the server: useServer of graphql-ws"),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::diagnosis::testing::{Case, Open, check};

    fn text(text: &str) -> Vec<u8> {
        let mut bytes = vec![0x81, u8::try_from(text.len()).unwrap()];
        bytes.extend(text.bytes());
        bytes
    }

    #[test]
    fn rules() {
        let refused = Case::refused;
        let json = |code: u8, message: &str| {
            format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n{{\"code\":{code},\"message\":\"{message}\"}}"
            )
        };
        let opening =
            text("0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":2000,\"pingTimeout\":2000}");
        let late =
            Open { first: opening, cut: true, open_for: Duration::from_secs(4), ..Open::default() };
        check(
            RULES,
            &[
                refused("socketio-refused", &json(0, "Transport unknown"))
                    .asking("/socket.io/?EIO=4", "")
                    .says(&[
                        "transport=websocket is missing",
                        "/socket.io/?EIO=4&transport=websocket",
                    ]),
                refused("socketio-refused", &json(1, "Session ID unknown"))
                    .asking("/socket.io/?EIO=4&transport=websocket&sid=nope", "")
                    .says(&["does not know the sid", "leave out sid", "sticky sessions"]),
                refused("socketio-refused", &json(3, "Bad request"))
                    .asking("/socket.io/?EIO=4&transport=websocket", "")
                    .says(&["dropped the upgrade headers"]),
                refused("socketio-refused", &json(5, "Unsupported protocol version"))
                    .asking("/socket.io/?transport=websocket", "")
                    .says(&["EIO in the query is missing", "EIO=4"]),
                refused("socketio-refused", &json(4, "Forbidden"))
                    .asking("/socket.io/?EIO=4&transport=websocket", "")
                    .says(&["allowRequest"]),
                refused(
                    "socketio-polling",
                    "HTTP/1.1 200 OK\r\n\r\n0{\"sid\":\"x\",\"pingInterval\":1}",
                )
                .asking("/socket.io/?EIO=4", "")
                .says(&["polling", "transport=websocket"]),
                Case::open("socketio-heartbeat", "", late.clone())
                    .asking("/socket.io/?EIO=4&transport=websocket", "")
                    .says(&["text 2 and wants 3", "answer each 2 with 3"]),
                Case::open("socketio-heartbeat", "", late)
                    .asking("/socket.io/?EIO=3&transport=websocket", "")
                    .says(&["send 2 at least every 2 s"]),
                Case::open(
                    "socketio-old-client",
                    "",
                    Open { first: text("44{\"message\":\"no\"}"), cut: true, ..Open::default() },
                )
                .says(&["namespace"]),
                refused("sockjs", "HTTP/1.1 200 OK\r\n\r\nWelcome to SockJS!\n")
                    .asking("/echo", "")
                    .says(&["/echo/websocket"]),
                refused("signalr", "HTTP/1.1 400 Bad Request\r\n\r\nConnection ID required")
                    .asking("/hub", "")
                    .says(&["SignalR", "negotiate"]),
                refused("graphql-http", "HTTP/1.1 400 Bad Request\r\n\r\nGET query missing.")
                    .asking("/graphql", "")
                    .says(&["GraphQL", "-s graphql-transport-ws"]),
            ],
        );
    }
}
