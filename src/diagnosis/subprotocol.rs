//! Subprotocols: missing, refused, spelled otherwise, dropped.

use crate::diagnosis::finding::{Finding, Rule, certain, may, probable};
use crate::diagnosis::{End, Facts};
use crate::http::head::values;
use crate::protocol::handshake::{HandshakeRule, Verdict};
use crate::redact;
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "subprotocol-required", find: required },
    Rule { name: "subprotocol-spelling", find: spelling },
    Rule { name: "subprotocol-unasked", find: unasked },
    Rule { name: "subprotocol-not-chosen", find: not_chosen },
    Rule { name: "subprotocol-closed", find: closed },
    Rule { name: "extension-unasked", find: extension },
    Rule { name: "accept-wrong", find: accept },
    Rule { name: "switching-incomplete", find: incomplete },
];

/// Subprotocols by words in the path.
const BY_PATH: &[(&str, &str)] = &[
    ("graphql", "graphql-transport-ws (or graphql-ws, the older one)"),
    ("subscriptions", "graphql-transport-ws"),
    ("mqtt", "mqtt"),
    ("cable", "actioncable-v1-json"),
    ("ocpp", "ocpp1.6"),
    ("stomp", "v12.stomp"),
    ("xmpp", "xmpp"),
    ("janus", "janus-protocol"),
    ("wamp", "wamp.2.json"),
    ("sip", "sip"),
    ("guacamole", "guacamole"),
    ("/exec", "v4.channel.k8s.io"),
    ("/attach", "v4.channel.k8s.io"),
    ("/portforward", "v4.channel.k8s.io"),
    ("webpubsub", "json.webpubsub.azure.v1"),
];

/// The subprotocol that belongs to the path.
fn by_path(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    BY_PATH.iter().find(|(word, _)| path.contains(word)).map(|(_, name)| *name)
}

fn step(facts: &Facts<'_>) -> String {
    match by_path(facts.sent.path()) {
        Some(name) => format!("-s {name}"),
        None => "-s NAME with a subprotocol of the server".to_owned(),
    }
}

fn required(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[400, 403, 404, 406, 415, 426, 500])?;
    let words = [
        "subprotocol",
        "sub-protocol",
        "sec-websocket-protocol",
        "unable to negotiate protocol",
        "no protocol",
    ]
    .into_iter()
    .find(|words| facts.words.contains(words))?;
    let evidence = format!("{}: {}", facts.status_line(), facts.quote(words));
    let offered = facts.sent.subprotocols.join(", ");
    Some(match offered.is_empty() {
        true => certain("the server requires a subprotocol, and none was offered")
            .because(evidence)
            .next(step(facts)),
        false => {
            certain(format!("the server refuses the subprotocols that were offered ({offered})"))
                .because(evidence)
                .next("-s with another name: case and spelling count")
        }
    })
}

fn chosen(facts: &Facts<'_>) -> Option<String> {
    let (End::Broken { response, report }, rule) = (&facts.end, HandshakeRule::Subprotocol) else {
        return None;
    };
    report.with(Verdict::Fail).find(|result| result.rule == rule)?;
    let all: Vec<&[u8]> = values(&response.headers, "sec-websocket-protocol").collect();
    Some(Untrusted(&redact::protocols(&all.join(&b", "[..]))).to_string())
}

fn spelling(facts: &Facts<'_>) -> Option<Finding> {
    let chosen = chosen(facts)?;
    let plain = |name: &str| {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let own = facts.sent.subprotocols.iter().find(|name| plain(name) == plain(&chosen))?;
    Some(
        certain(format!(
            "the server spells the subprotocol otherwise: {chosen}, not {own}; case counts"
        ))
        .because(format!("Sec-WebSocket-Protocol: {chosen}"))
        .next(format!("-s {chosen}")),
    )
}

fn unasked(facts: &Facts<'_>) -> Option<Finding> {
    let chosen = chosen(facts).filter(|_| spelling(facts).is_none())?;
    let offered = facts.sent.subprotocols.join(", ");
    let evidence = format!("Sec-WebSocket-Protocol: {chosen}");
    let many = chosen.contains(',');
    let name = chosen.split(',').next().unwrap_or_default().trim().to_owned();
    Some(match (many, offered.is_empty()) {
        _ if name.is_empty() => certain("the server sends Sec-WebSocket-Protocol without a name")
            .because("Sec-WebSocket-Protocol: nothing")
            .next("the server is wrong: if it chooses none, it must leave the header out (RFC 6455 §4.2.2)"),
        (true, _) => certain("the server answers several subprotocols, where it must choose one")
            .because(evidence)
            .next("the server is wrong: it must answer one name of those offered"),
        (_, true) => {
            certain(format!("the server chose the subprotocol {chosen}, though none was offered"))
                .because(evidence)
                .next(format!("-s {name}"))
        }
        (_, false) => certain(format!(
            "the server chose the subprotocol {chosen}, which was not offered (only {offered})"
        ))
        .because(evidence)
        .next(format!("-s {name}")),
    })
}

fn not_chosen(facts: &Facts<'_>) -> Option<Finding> {
    let talk = facts.talk()?;
    let offered = facts.sent.subprotocols.join(", ");
    let named = values(&talk.response.headers, "sec-websocket-protocol").next().is_some();
    if talk.subprotocol.is_some() || offered.is_empty() || named {
        return None;
    }
    let front = facts.peer.front().map_or("a proxy in front", |known| known.name);
    Some(
        may(format!("the server chose no subprotocol though {offered} was offered: it may not know that name, or {front} may drop Sec-WebSocket-Protocol"))
            .because("the 101 has no Sec-WebSocket-Protocol")
            .next("check the names that the server supports: case and spelling count")
            .next("and that the proxy passes the header Sec-WebSocket-Protocol on"),
    )
}

/// An early close where a subprotocol was needed, or a wrong one was offered.
fn closed(facts: &Facts<'_>) -> Option<Finding> {
    let talk = facts.talk()?;
    let closure = talk.closure?;
    let status = closure.received.as_ref();
    let reason =
        String::from_utf8_lossy(status.map_or(&[], |status| &status.reason)).to_lowercase();
    let code = closure.code().0;
    let early = talk.open_for.as_secs_f64() < 2.0 && talk.totals.messages_out == 0;
    let says = ["subprotocol", "sub-protocol", "protocol not", "no protocol"]
        .iter()
        .any(|word| reason.contains(word));
    let by_path = by_path(facts.sent.path());
    let offered = facts.sent.subprotocols.join(", ");
    let name = talk.subprotocol.as_deref().unwrap_or_default();
    let acceptable = code == 4406 || says;
    let guess = early
        && name.is_empty()
        && by_path.is_some()
        && matches!(code, 1002 | 1003 | 1006 | 1005 | 1008);
    if !(acceptable || guess) || closure.first == Some(crate::protocol::close::Party::Us) {
        return None;
    }
    let evidence = match &status {
        Some(status) => format!("closed with {code}: \"{}\"", Untrusted(&status.reason)),
        None => "closed without a Close frame".to_owned(),
    };
    let step = match by_path {
        Some(name) => format!("-s {name}"),
        None if code == 4406 => "-s graphql-transport-ws".to_owned(),
        None => "-s NAME with a subprotocol of the server".to_owned(),
    };
    Some(match (offered.is_empty(), acceptable) {
        (true, true) => certain("the server wants a subprotocol, and none was offered").because(evidence).next(step),
        (true, false) => probable("the server may want a subprotocol, and none was offered".replace("may want", "wants")).because(evidence).next(step),
        (false, _) => probable(format!("the server does not accept the subprotocol that was offered ({offered})"))
            .because(evidence)
            .next("another spelling or generation: graphql-transport-ws and graphql-ws are two different ones"),
    })
}

fn broken<'a>(facts: &'a Facts<'_>, rule: HandshakeRule) -> Option<&'a [u8]> {
    let End::Broken { report, .. } = &facts.end else { return None };
    report
        .with(Verdict::Fail)
        .find(|result| result.rule == rule)
        .map(|result| result.received.as_slice())
}

fn extension(facts: &Facts<'_>) -> Option<Finding> {
    let received = broken(facts, HandshakeRule::Extensions)?;
    let shown = Untrusted(received).to_string();
    let found = match facts.sent.deflate {
        false => certain("the server agrees to an extension (compression) that was not offered")
            .because(format!("Sec-WebSocket-Extensions: {shown}"))
            .next("offer it: leave --no-deflate out"),
        true => certain(
            "the server answers an extension or a parameter that was not offered, or a wrong one",
        )
        .because(format!("Sec-WebSocket-Extensions: {shown}"))
        .next("without compression: --no-deflate"),
    };
    Some(
        found.next("the server (or a proxy that answers for it) must answer only what was offered"),
    )
}

fn accept(facts: &Facts<'_>) -> Option<Finding> {
    let received = broken(facts, HandshakeRule::Accept)?;
    let missing = received.is_empty();
    Some(
        certain(match missing {
            true => "the 101 has no Sec-WebSocket-Accept: the answer is no WebSocket handshake, or a proxy dropped the header",
            false => "Sec-WebSocket-Accept does not fit the key: the server computes it wrongly, or a cache or proxy answers with an old response",
        })
        .because(match missing {
            true => "the field is missing".to_owned(),
            false => format!("received {}", Untrusted(received.get(..60).unwrap_or(received))),
        })
        .next("on the server: base64(SHA-1(key + \"258EAFA5-E914-47DA-95CA-C5AB0DC85B11\")) of the key as it was sent (wstap explain accept KEY)")
        .next("try it without the proxy"),
    )
}

fn incomplete(facts: &Facts<'_>) -> Option<Finding> {
    let (name, received) = [
        ("Connection", HandshakeRule::Connection),
        ("Upgrade", HandshakeRule::Upgrade),
        ("Version", HandshakeRule::Version),
    ]
    .into_iter()
    .find_map(|(name, rule)| Some((name, broken(facts, rule)?)))?;
    let shown = if received.is_empty() {
        "nothing".to_owned()
    } else {
        format!("\"{}\"", Untrusted(received.get(..60).unwrap_or(received)))
    };
    Some(match name {
        "Version" => certain("the 101 is HTTP/1.0, which knows no upgrade: an old proxy in front, or a server that answers so")
            .because(shown)
            .next("in nginx: proxy_http_version 1.1; or fix the server's status line"),
        _ => certain(format!("the 101 lacks a right {name} header: the server leaves it out, or a proxy in front drops it from the answer"))
            .because(format!("{name}: {shown}"))
            .next(format!("the server must answer {name}: {}", if name == "Upgrade" { "websocket" } else { "Upgrade" }))
            .next("let the proxy pass it on (hop-by-hop headers); try it without the proxy"),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::diagnosis::testing::{Case, Open, check};

    const GOOD: &str = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    #[test]
    fn rules() {
        let with = |line: &str| format!("{GOOD}{line}\r\n\r\n");
        let offering = "Sec-WebSocket-Protocol: chat.v1";
        check(RULES, &[
            Case::refused("subprotocol-required", "HTTP/1.1 400 Bad Request\r\n\r\nmissing subprotocol").says(&["requires a subprotocol, and none was offered", "-s NAME"]),
            Case::refused("subprotocol-required", "HTTP/1.1 400 Bad Request\r\n\r\nunknown subprotocol").asking("/", offering).says(&["refuses the subprotocols that were offered (chat.v1)"]),
            Case::broken("subprotocol-spelling", &with("Sec-WebSocket-Protocol: Chat.v1")).asking("/", offering).says(&["otherwise: Chat.v1", "-s Chat.v1"]),
            Case::broken("subprotocol-unasked", &with("Sec-WebSocket-Protocol: mqtt")).says(&["none was offered", "-s mqtt"]),
            Case::broken("subprotocol-unasked", &with("Sec-WebSocket-Protocol:")).says(&["without a name", "leave the header out"]),
            Case::broken("subprotocol-unasked", &with("Sec-WebSocket-Protocol: mqtt")).asking("/", offering).says(&["not offered (only chat.v1)"]),
            Case::open("subprotocol-not-chosen", "Server: nginx\r\n", Open::default()).asking("/", offering).says(&["nginx may drop Sec-WebSocket-Protocol", "names that the server supports"]),
            Case::open("subprotocol-closed", "", Open { close: Some((4406, "Subprotocol not acceptable")), ..Open::default() }).asking("/graphql", "").says(&["none was offered", "-s graphql-transport-ws"]),
            Case::open("subprotocol-closed", "", Open { close: Some((1002, "")), open_for: Duration::from_millis(5), ..Open::default() }).asking("/mqtt", "").says(&["wants a subprotocol", "-s mqtt"]),
            Case::open("subprotocol-closed", "", Open { close: Some((4406, "Subprotocol not acceptable")), ..Open::default() }).asking("/x", "Sec-WebSocket-Protocol: graphql-ws").says(&["does not accept", "two different ones"]),
            Case::broken("extension-unasked", &with("Sec-WebSocket-Extensions: permessage-deflate")).says(&["not offered", "--no-deflate"]),
            Case::broken("accept-wrong", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n").says(&["does not fit the key", "258EAFA5"]),
            Case::broken("switching-incomplete", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n").says(&["lacks a right Connection header"]),
        ]);
    }
}
