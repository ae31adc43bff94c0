//! The peer's Close frame: what its code and reason mean, and what to do about it.

use crate::diagnosis::finding::{Finding, Rule, certain, may, probable};
use crate::diagnosis::words::{self, Kind};
use crate::diagnosis::{Facts, Talk};
use crate::protocol::close::{Closure, Party};
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "graphql-close", find: graphql },
    Rule { name: "service-close", find: service },
    Rule { name: "too-big", find: too_big },
    Rule { name: "heartbeat-close", find: heartbeat },
    Rule { name: "standard-close", find: standard },
    Rule { name: "application-close", find: application },
];

/// The meaning of a code for one kind of application: the code, the cause, what helps.
type Code = (u16, &'static str, &'static str);

/// Close codes of graphql-transport-ws.
const GRAPHQL: &[Code] = &[
    (
        4400,
        "an invalid message for GraphQL",
        "check the message's type and fields (id, type, payload)",
    ),
    (
        4401,
        "a subscribe came before the connection was acknowledged (connection_init first), or the login is missing",
        "send {\"type\":\"connection_init\"} first (with the token in its payload), and wait for connection_ack",
    ),
    (
        4403,
        "the connection_init was refused: the login in its payload",
        "put the token into it: {\"type\":\"connection_init\",\"payload\":{\"Authorization\":\"Bearer …\"}}",
    ),
    (4406, "the subprotocol is not acceptable", "-s graphql-transport-ws"),
    (4408, "no connection_init came in time", "send {\"type\":\"connection_init\"} first"),
    (4409, "a subscription with this id exists already", "another id for each operation"),
    (4429, "a second connection_init, or too many requests", "send connection_init once"),
    (4499, "the server ended the GraphQL connection", "connect again (--reconnect)"),
    (4500, "the GraphQL server failed", "look into the server's log"),
    (4504, "connection_ack did not come in time", "check the server's onConnect"),
];

/// Codes of services, by a word in their URL's host or path: the word, the service, its codes.
const SERVICES: &[(&[&str], &str, &[Code])] = &[
    (
        &["discord.gg", "discord.com"],
        "Discord",
        &[
            (4001, "an opcode or payload that is not valid", "check op and d"),
            (4003, "a message before identify", "send op 2 (identify) first"),
            (4004, "the token is wrong", "check the token in identify"),
            (4008, "too many messages (rate limit)", "send fewer messages"),
            (4009, "the session timed out", "connect again and identify"),
            (4014, "intents that are not allowed", "switch the intents on in the developer portal"),
        ],
    ),
    (
        &["pusher"],
        "Pusher",
        &[
            (
                4001,
                "the application key is unknown",
                "check the key in the path and the cluster in the host",
            ),
            (4004, "the application is over its connection quota", "close other connections"),
            (4006, "an invalid version string", "protocol=7 in the query"),
            (4008, "no protocol version was given", "protocol=7 in the query"),
            (4009, "the connection is not authorised in time", "subscribe with auth"),
            (4201, "a pong did not come in time", "answer pusher:ping with pusher:pong"),
            (4301, "the client event rate limit", "send fewer events"),
        ],
    ),
    (
        &["centrifugo", "centrifuge", "/connection/websocket"],
        "Centrifugo",
        &[
            (
                3500,
                "the token is invalid",
                "send {\"id\":1,\"connect\":{\"token\":\"…\"}} with a valid token",
            ),
            (3501, "a bad request", "check the command's JSON"),
            (3502, "no connect command came in time", "send {\"id\":1,\"connect\":{}} first"),
            (3504, "the connection limit is reached", "close other connections"),
        ],
    ),
    (&["twilio", "stream.twilio"], "Twilio", &[]),
    (
        &["openai.com", "/realtime", "/v1/realtime"],
        "OpenAI",
        &[
            (
                3000,
                "the API key is missing or wrong",
                "--bearer KEY, or -s realtime,openai-insecure-api-key.KEY",
            ),
            (4000, "the request or the model is not valid", "check ?model=… in the URL"),
        ],
    ),
];

/// What HTTP-like application codes mean: 4000 + 1 to 99, 4400 to 4500 as HTTP's status.
const COMMON: &[Code] = &[
    (
        3000,
        "not authorized: the token or the login is missing or wrong",
        "--bearer TOKEN, --cookie, ?token=…, or the login message that it expects first",
    ),
    (
        3003,
        "forbidden: this account is not allowed to do that",
        "check the account's rights and the path",
    ),
    (
        3008,
        "a timeout: it waited too long for a message or a heartbeat",
        "send what it expects in time; --ping-interval 20 keeps the connection busy",
    ),
    (
        4001,
        "the login (token) may be missing or wrong, as many applications mean by it",
        "send the token: --bearer TOKEN, ?token=…, or the login message first",
    ),
    (
        4003,
        "it may be forbidden (or the login missing), as many applications mean by it",
        "check the login and the rights",
    ),
    (
        4004,
        "what the URL names may not exist, or the login may be wrong, as many applications mean by it",
        "check the path, the ids in the URL and the token",
    ),
    (
        4008,
        "it may have waited too long for the first message (a login, a hello), or there are too many requests, as many applications mean by it",
        "send the first message that it expects at once (-x); fewer messages if they were many",
    ),
    (
        4009,
        "the session may have timed out, or another connection took its place, as many applications mean by it",
        "connect again and log in",
    ),
    (
        4400,
        "a bad request: the application can't understand the message",
        "check the message that was sent, and its format",
    ),
    (
        4401,
        "not authorized: the login (token) is missing or wrong, or must come first",
        "send the token or the login message first: --bearer TOKEN, ?token=…, -x '…'",
    ),
    (
        4403,
        "forbidden: the login is refused, or it is not allowed to do that",
        "check the token and the account's rights",
    ),
    (
        4404,
        "not found: what the URL or the message names does not exist",
        "check the path and the ids in it",
    ),
    (
        4406,
        "not acceptable: the subprotocol or the format",
        "-s NAME with a subprotocol of the server",
    ),
    (
        4408,
        "a timeout: the first message (a login, connection_init) did not come in time",
        "send the first message that it expects at once (-x)",
    ),
    (
        4409,
        "a conflict: another connection or subscription has the same id",
        "close the other one, or use another id",
    ),
    (
        4410,
        "gone: the endpoint or the session does not exist any more",
        "look up the new path; connect again",
    ),
    (4413, "the message is too large", "send smaller messages, or raise the server's limit"),
    (4422, "the message's content is not valid", "check its fields"),
    (4426, "another version or subprotocol is needed", "check the version and -s"),
    (
        4429,
        "too many requests (a rate limit)",
        "wait and retry, more slowly (--reconnect --backoff 5s..60s)",
    ),
    (4500, "the application failed", "look into the server's log at this time"),
    (4502, "a server behind the application failed", "look into the server's log"),
    (4503, "the application is unavailable or overloaded", "retry later (--reconnect)"),
    (4504, "a server behind the application did not answer in time", "look into the server's log"),
];

fn is_graphql(facts: &Facts<'_>, talk: &Talk<'_>) -> bool {
    talk.subprotocol.as_deref().is_some_and(|name| name.starts_with("graphql"))
        || facts.sent.path().contains("graphql")
        || facts.sent.subprotocols.iter().any(|name| name.starts_with("graphql"))
}

/// What a code means to applications: cause and step, with the words of GraphQL where it is its own.
pub fn meaning(code: u16, graphql: bool) -> Option<(&'static str, &'static str)> {
    let own = GRAPHQL.iter().filter(|_| graphql);
    own.chain(COMMON).find(|(known, ..)| *known == code).map(|(_, cause, next)| (*cause, *next))
}

/// The end by the peer's Close frame.
fn closed<'a>(facts: &'a Facts<'_>) -> Option<(&'a Talk<'a>, &'a Closure, u16)> {
    let talk = facts.talk()?;
    let closure = talk.closure.filter(|closure| closure.received.is_some())?;
    if closure.first != Some(Party::Peer) || talk.violation.is_some() {
        return None;
    }
    Some((talk, closure, closure.code().0))
}

fn reason(closure: &Closure) -> String {
    let reason = closure.received.as_ref().map_or(&[][..], |status| &status.reason);
    String::from_utf8_lossy(reason).into_owned()
}

fn evidence(closure: &Closure) -> String {
    let code = closure.code();
    match reason(closure) {
        reason if reason.is_empty() => format!("closed with {code}"),
        reason => format!("closed with {code} \"{}\"", Untrusted::text(&reason)),
    }
}

fn graphql(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, closure, code) = closed(facts)?;
    if !is_graphql(facts, talk) {
        return None;
    }
    let (cause, next) = GRAPHQL
        .iter()
        .find(|(known, ..)| *known == code)
        .map(|(_, cause, next)| (*cause, *next))?;
    Some(certain(format!("GraphQL: {cause}")).because(evidence(closure)).next(next))
}

fn service(facts: &Facts<'_>) -> Option<Finding> {
    let (_, closure, code) = closed(facts)?;
    let url = facts.sent.url(&facts.sent.target).to_ascii_lowercase();
    let (_, name, codes) =
        SERVICES.iter().find(|(words, ..)| words.iter().any(|word| url.contains(word)))?;
    let (_, cause, next) = codes.iter().find(|(known, ..)| *known == code)?;
    Some(probable(format!("{name}: {cause}")).because(evidence(closure)).next(*next))
}

fn too_big(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, closure, _) = closed(facts).filter(|(.., code)| *code == 1009)?;
    let last = talk.last_sent;
    let usual = [
        (128 << 10, "API Gateway: 128 KiB, 32 KiB a frame"),
        (1 << 20, "python's websockets: max_size, 1 MiB by default"),
        (64 << 10, "often 64 KiB"),
        (16 << 20, "often 16 MiB"),
    ];
    let near = usual
        .iter()
        .find(|(size, _)| last > *size && last < size * 8)
        .map(|(_, name)| format!(" ({name})"))
        .unwrap_or_default();
    let size = match talk.totals.messages_out {
        0 => "a message".to_owned(),
        _ => format!("the last message sent, {last} bytes,"),
    };
    Some(
        certain(format!("{size} is over the server's limit for a message{near}"))
            .because(evidence(closure))
            .next("send smaller messages (frames of --fragment don't help: the limit is the message's)")
            .next("or raise the server's limit (max_size, maxPayload, max_msg_size, --ws-max-size)"),
    )
}

/// A reason that speaks of a missing pong, with the facts.
fn heartbeat(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, closure, code) = closed(facts)?;
    let reason = reason(closure).to_lowercase();
    let names = ["ping timeout", "pong", "keepalive ping"].iter().any(|word| reason.contains(word));
    if !names || !matches!(code, 1000..=1011 | 3008 | 4000..=4999) {
        return None;
    }
    Some(match talk.answers_pings {
        false => certain(
            "pings were not answered (--no-pong was given): the server gave the connection up",
        )
        .because(evidence(closure))
        .next("leave --no-pong out"),
        true => probable("the server missed an answer to its heartbeat")
            .because(evidence(closure))
            .next("answer its own heartbeat messages; was wstap stopped or its output blocked?"),
    })
}

fn standard(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, closure, code) = closed(facts)?;
    let reason = reason(closure).to_lowercase();
    let sent = talk.totals.messages_out > 0;
    let meaning = words::meaning(&reason);
    let found = match code {
        1002 => probable(match sent {
            true => "the server says that what wstap sent breaks its protocol: the application's format (a subprotocol, a handshake first), or a frame it does not take",
            false => "the server found a protocol error before anything was sent: it wants a subprotocol, or can't take an extension",
        })
        .next(format!("is a subprotocol needed? -s NAME{}", if facts.sent.deflate { "; without compression: --no-deflate" } else { "" }))
        .next("wstap -vv shows each frame before the Close"),
        1003 => probable("the server can't take that type of message (binary where it wants text, or the reverse)")
            .next("send the other type: with or without --binary"),
        1007 => probable("the server could not read a message: text that is not UTF-8, or not the format it expects (JSON)")
            .next("check what was sent; bytes go with --binary"),
        1008 => match meaning.filter(|meaning| !matches!(meaning.kind, Kind::Failure | Kind::Restart)) {
            Some(meaning) => probable(format!("the server closed by its policy: {}", meaning.cause)).next(meaning.next),
            None => probable("the server closed by its policy: the login (token), the Origin or a rate limit")
                .next(match facts.sent.identifies() {
                    true => "get a fresh token or session",
                    false => "send the token, cookie or login message that it expects",
                })
                .next(match &facts.sent.origin {
                    Some(_) => "another -o",
                    None => "-o https://HOST",
                }),
        },
        1010 => certain("the server wants an extension that was not agreed on").next("offer it (--deflate, or leave --no-deflate out)"),
        1011 => match meaning.filter(|meaning| !matches!(meaning.kind, Kind::Failure)) {
            Some(meaning) => probable(format!("the server met an error of its own: {}", meaning.cause)).next(meaning.next).next("look into the server's log"),
            None => probable(match sent {
                true => "the server's handler failed (an exception), perhaps at the message that was sent".replace("perhaps", "most likely"),
                false => "the server's handler failed (an exception) right after opening".to_owned(),
            })
            .next("look into the server's log at this time (traceback)")
            .next("check the path, its parameters and the message"),
        },
        1012 => certain("the server restarts (a deployment)").next("connect again after some seconds: --reconnect"),
        1013 => certain("the server is overloaded or limits connections: try again later").next("retry later: --reconnect --backoff 5s..60s"),
        1014 => probable("a gateway got no valid answer from the server behind it (the backend)").next("is the backend up? try it directly (--connect-to)"),
        1001 if !reason.is_empty() && meaning.is_some_and(|meaning| matches!(meaning.kind, Kind::Silence | Kind::Login | Kind::Limit | Kind::Expired)) => {
            let meaning = meaning?;
            probable(format!("the server went away: {}", meaning.cause)).next(meaning.next)
        }
        _ => return None,
    };
    Some(found.because(evidence(closure)))
}

/// A code of the application's own.
fn application(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, closure, code) = closed(facts)?;
    if !(3000..5000).contains(&code)
        || graphql(facts).is_some()
        || service(facts).is_some()
        || heartbeat(facts).is_some()
    {
        return None;
    }
    let reason = reason(closure).to_lowercase();
    let by_words = words::meaning(&reason).filter(|meaning| meaning.kind != Kind::Failure);
    let first = talk.subprotocol.as_deref().and_then(words::first_message);
    let found = match (by_words, COMMON.iter().find(|(known, ..)| *known == code)) {
        (Some(meaning), _) => {
            let what = match (meaning.kind, facts.sent.identifies()) {
                (Kind::Login, true) => "the token or cookie that was sent is refused",
                _ => meaning.cause,
            };
            probable(format!("the application says that {what}")).next(meaning.next)
        }
        (None, Some((_, cause, next))) if cause.contains("may") => may(format!("the application closed with a code of its own: {cause}")).next(*next),
        (None, Some((_, cause, next))) => probable(format!("the application closed with a code of its own: {cause}")).next(*next),
        (None, None) => may("the application closed with a code of its own; it may want a login or another message first")
            .next(format!("look up {code} in the service's documentation; the messages before it may say why")),
    };
    let found = found.because(evidence(closure));
    Some(match first {
        Some(first) if talk.totals.messages_out == 0 => found.next(format!("send first: {first}")),
        _ => found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, Open, check};
    use crate::event::Totals;

    fn closing(rule: &'static str, code: u16, reason: &'static str) -> Case {
        Case::open(rule, "", Open { close: Some((code, reason)), ..Open::default() })
    }

    #[test]
    fn rules() {
        let sent = Totals { messages_out: 1, payload_out: 2000, ..Totals::default() };
        let graphql = |code, reason| {
            Case::open(
                "graphql-close",
                "",
                Open {
                    close: Some((code, reason)),
                    subprotocol: Some("graphql-transport-ws"),
                    ..Open::default()
                },
            )
        };
        check(
            RULES,
            &[
                graphql(4401, "Unauthorized").says(&[
                    "before the connection was acknowledged",
                    "connection_init",
                    "first",
                ]),
                graphql(4408, "Connection initialisation timeout")
                    .says(&["no connection_init came in time"]),
                graphql(4403, "Forbidden").says(&["refused", "payload"]),
                closing("service-close", 4003, "")
                    .with(|facts| facts.sent.authority = "gateway.discord.gg".into())
                    .says(&["Discord", "identify"]),
                Case::open(
                    "too-big",
                    "",
                    Open {
                        close: Some((1009, "frame with 2000 bytes exceeds limit of 1000 bytes")),
                        totals: sent,
                        last_sent: 2000,
                        ..Open::default()
                    },
                )
                .says(&[
                    "2000 bytes, is over the server's limit",
                    "max_size",
                    "smaller",
                ]),
                Case::open(
                    "heartbeat-close",
                    "",
                    Open {
                        close: Some((1011, "keepalive ping timeout")),
                        answers_pings: false,
                        ..Open::default()
                    },
                )
                .says(&["--no-pong was given", "leave --no-pong out"]),
                closing("standard-close", 1013, "overloaded")
                    .says(&["try again later", "--reconnect"]),
                closing("standard-close", 1011, "").says(&["exception", "server's log"]),
                closing("standard-close", 1008, "invalid token")
                    .says(&["login (token, cookie or password)", "--bearer"]),
                closing("standard-close", 1008, "").says(&["policy", "Origin"]),
                closing("standard-close", 1003, "").says(&["--binary"]),
                closing("standard-close", 1002, "").says(&["subprotocol"]),
                closing("standard-close", 1012, "").says(&["restarts", "--reconnect"]),
                closing("standard-close", 1007, "").says(&["UTF-8"]),
                closing("standard-close", 1001, "idle timeout").says(&["waited too long"]),
                closing("application-close", 3000, "invalid_request_error.invalid_api_key")
                    .says(&["login"]),
                closing("application-close", 3000, "").says(&["not authorized", "--bearer"]),
                closing("application-close", 4008, "")
                    .says(&["may have waited too long", "first message"]),
                closing("application-close", 4429, "").says(&["rate limit"]),
                closing("application-close", 4999, "").says(&["may want a login", "4999"]),
                closing("application-close", 4001, "bad password").says(&["login"]),
            ],
        );
    }

    #[test]
    fn a_normal_end_is_none() {
        for (code, reason) in [(1000, ""), (1000, "bye"), (1001, ""), (1001, "bye"), (0, "")] {
            let case = closing("", code, reason);
            assert_eq!(case.diagnosed(), [], "{code} {reason}");
        }
    }
}
