//! The probes of the opening handshake, and those of the Origin.

use crate::check::case::{Ask, Base, Case, Finding, Head, fail, pass, undecided, warn};
use crate::check::frame::of;
use crate::check::probe::Probe;
use crate::check::transcript::{Transcript, close};
use crate::event::ProbeVerdict;
use crate::http::head::{self, Response};
use crate::protocol::deflate::{self, Extension};
use crate::protocol::frame::Opcode;
use crate::protocol::handshake::{HandshakeReport, HandshakeRule, Request, Verdict};
use crate::protocol::violation::Policy;

/// A subprotocol that no server knows.
const UNKNOWN: &str = "unknown.wstap.example";

/// The probes of the group `handshake`.
pub const PROBES: &[Probe] = &[
    Probe::of_cases(
        "handshake.upgrade",
        "RFC 6455 §4.2.2",
        "the 101 has the fields that it must have, and none that it must not have",
        |base| {
            judged(base, |rule| {
                !matches!(
                    rule,
                    HandshakeRule::Accept | HandshakeRule::Extensions | HandshakeRule::Subprotocol
                )
            })
        },
    ),
    Probe::of_cases(
        "handshake.accept",
        "RFC 6455 §4.2.2",
        "Sec-WebSocket-Accept is derived from the key",
        |base| judged(base, |rule| rule == HandshakeRule::Accept),
    ),
    Probe::of_cases("handshake.version-13", "RFC 6455 §4.2.1", "version 13 is spoken", |base| {
        case(base.head.clone(), must_open)
    }),
    Probe::of_cases(
        "handshake.version-other",
        "RFC 6455 §4.4",
        "another version is refused, and the answer names the versions that are spoken",
        |base| {
            let versions = ["0", "7", "8", "12", "14"].into_iter();
            Ok(versions
                .map(|version| {
                    let head = base.head.clone().with("Sec-WebSocket-Version", version);
                    let mut case =
                        labelled(version, head, move |response| other_version(version, response));
                    let judge = case.judge;
                    // Without an answer there is no Sec-WebSocket-Version either.
                    case.judge = Box::new(move |transcript, over| {
                        let finding = judge(transcript, over)?;
                        match (transcript.response(), finding.verdict) {
                            (None, ProbeVerdict::Warn) => fail(finding.why),
                            _ => Some(finding),
                        }
                    });
                    case
                })
                .collect())
        },
    ),
    Probe::of_cases(
        "handshake.key-missing",
        "RFC 6455 §4.2.1",
        "a request without a key is refused",
        |base| case(base.head.clone().without("Sec-WebSocket-Key"), must_refuse),
    ),
    Probe::of_cases(
        "handshake.key-short",
        "RFC 6455 §4.2.1",
        "a key that isn't 16 bytes is refused",
        |base| case(base.head.clone().with("Sec-WebSocket-Key", "dG9vIHNob3J0"), should_refuse),
    ),
    Probe::of_cases("handshake.key-twice", "RFC 6455 §11.3.1", "two keys are refused", |base| {
        let head = base.head.clone().plus("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        case(head, should_refuse)
    }),
    Probe::of_cases(
        "handshake.upgrade-missing",
        "RFC 6455 §4.2.1",
        "without Upgrade nothing is upgraded",
        |base| case(base.head.clone().without("Upgrade"), must_not_open),
    ),
    Probe::of_cases(
        "handshake.connection-missing",
        "RFC 6455 §4.2.1",
        "without Connection nothing is upgraded",
        |base| case(base.head.clone().without("Connection"), must_not_open),
    ),
    Probe::of_cases(
        "handshake.connection-list",
        "RFC 6455 §4.2.1",
        "a Connection field with further tokens works",
        |base| {
            let values = ["keep-alive, Upgrade", "Upgrade, keep-alive", "keep-alive,Upgrade"];
            let head = |value| base.head.clone().with("Connection", value);
            Ok(values.map(|value| labelled(value, head(value), must_open)).into())
        },
    ),
    Probe::of_cases(
        "handshake.header-case",
        "RFC 9110 §5.1",
        "the case of names, and of the value of Upgrade, doesn't matter",
        |base| {
            let mut lower = base.head.clone();
            lower.fields.iter_mut().for_each(|field| field.name.make_ascii_lowercase());
            let mut upper = base.head.clone();
            upper.fields.iter_mut().for_each(|field| field.name.make_ascii_uppercase());
            Ok(vec![
                labelled("names in lower case", lower, must_open),
                labelled("names in upper case", upper, must_open),
                labelled(
                    "Upgrade: WebSocket",
                    base.head.clone().with("Upgrade", "WebSocket"),
                    must_open,
                ),
                labelled(
                    "Connection: upgrade",
                    base.head.clone().with("Connection", "upgrade"),
                    must_open,
                ),
            ])
        },
    ),
    Probe::of_cases("handshake.method-post", "RFC 6455 §4.2.1", "only GET upgrades", |base| {
        case(Head { method: "POST", ..base.head.clone() }.plus("Content-Length", "0"), must_refuse)
    }),
    Probe::of_cases("handshake.http-1.0", "RFC 6455 §4.2.1", "HTTP/1.0 doesn't upgrade", |base| {
        case(Head { version: "1.0", ..base.head.clone() }, must_not_open)
    }),
    Probe::of_cases(
        "handshake.host-missing",
        "RFC 6455 §4.2.1",
        "a request without Host is refused",
        |base| case(base.head.clone().without("Host"), must_refuse),
    ),
    Probe::of_cases(
        "handshake.body-on-upgrade",
        "RFC 9112 §6",
        "the body of a request isn't read as frames",
        |base| {
            // A whole ping, masked with zeros.
            let body = b"\x89\x84\x00\x00\x00\x00body".to_vec();
            let length = body.len().to_string();
            let head = Head { body, ..base.head.clone() }.plus("Content-Length", &length);
            let ask = Ask::Request(head, vec![of(Opcode::Ping, b"after")]);
            Ok(vec![Case { label: String::new(), ask, judge: Box::new(body_on_upgrade) }])
        },
    ),
    Probe::of_cases(
        "handshake.subprotocol-none",
        "RFC 6455 §4.2.2",
        "without an offer no subprotocol is chosen",
        |base| {
            case(base.head.clone().without("Sec-WebSocket-Protocol"), |response| {
                subprotocol(&[], response)
            })
        },
    ),
    Probe::of_cases(
        "handshake.subprotocol-unknown",
        "RFC 6455 §4.2.2",
        "a subprotocol that nobody knows isn't chosen",
        |base| {
            case(base.head.clone().with("Sec-WebSocket-Protocol", UNKNOWN), |response| {
                subprotocol(&[UNKNOWN], response)
            })
        },
    ),
    Probe::of_cases(
        "handshake.subprotocol-one-of",
        "RFC 6455 §4.2.2",
        "one of several subprotocols is chosen at most, and one that was offered",
        |base| {
            let given = base.head.value("Sec-WebSocket-Protocol").unwrap_or_default();
            let given = String::from_utf8_lossy(given).into_owned();
            let names = given.split(',').map(str::trim).filter(|name| !name.is_empty());
            let mut names: Vec<String> = names.map(str::to_owned).collect();
            names.extend([UNKNOWN, "other.wstap.example"].map(str::to_owned));
            let head = base.head.clone().with("Sec-WebSocket-Protocol", &names.join(", "));
            case(head, move |response| {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                subprotocol(&names, response)
            })
        },
    ),
    Probe::of_cases(
        "handshake.extension-unknown",
        "RFC 6455 §9.1",
        "an extension that nobody knows isn't agreed to",
        |base| {
            let head = base.head.clone().with("Sec-WebSocket-Extensions", "x-unknown-wstap");
            case(head, |response| match (response.status, extensions(response).as_str()) {
                (101, "") => pass("left out of the answer"),
                (101, agreed) => fail(format!("agreed to: {agreed}")),
                (status, _) => warn(format!("refused with {status}, where it should be ignored")),
            })
        },
    ),
    Probe::of_cases(
        "handshake.deflate-parameters",
        "RFC 7692 §7.1",
        "each parameter of permessage-deflate is agreed to or declined as the RFC says",
        |base| {
            if !base.deflates {
                return Err("the server doesn't agree to permessage-deflate".to_owned());
            }
            let offers = [
                "permessage-deflate",
                "permessage-deflate; server_no_context_takeover",
                "permessage-deflate; client_no_context_takeover",
                "permessage-deflate; server_max_window_bits=10",
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate; client_max_window_bits=10",
            ];
            Ok(offers.map(|offer| offered(base, offer, good_offer)).into())
        },
    ),
    Probe::of_cases(
        "handshake.deflate-declined",
        "RFC 7692 §7",
        "an offer of permessage-deflate with wrong parameters is declined",
        |base| {
            if !base.deflates {
                return Err("the server doesn't agree to permessage-deflate".to_owned());
            }
            let offers = [
                "permessage-deflate; server_max_window_bits=16",
                "permessage-deflate; server_max_window_bits=7",
                "permessage-deflate; client_max_window_bits=99",
                "permessage-deflate; server_no_context_takeover=1",
                "permessage-deflate; unknown_parameter",
                "permessage-deflate; client_max_window_bits=10; client_max_window_bits=11",
            ];
            Ok(offers.map(|offer| offered(base, offer, bad_offer)).into())
        },
    ),
];

/// The probes of the group `origin`.
pub const ORIGINS: &[Probe] = &[
    Probe::of_cases("origin.none", "RFC 6455 §10.2", "what happens without an Origin", |base| {
        origin(base, None, false)
    }),
    Probe::of_cases(
        "origin.own",
        "RFC 6454 §4",
        "what happens with the server's own Origin",
        |base| origin(base, Some(base.origin(&base.host, base.port, base.secure)), false),
    ),
    Probe::of_cases(
        "origin.foreign",
        "RFC 6455 §10.2",
        "whether pages of any site are let in",
        |base| origin(base, Some("https://foreign.example".to_owned()), true),
    ),
    Probe::of_cases("origin.null", "RFC 6454 §7.1", "whether an opaque Origin is let in", |base| {
        origin(base, Some("null".to_owned()), true)
    }),
    Probe::of_cases(
        "origin.subdomain",
        "RFC 6455 §10.2",
        "whether pages of a subdomain are let in",
        |base| named(base, format!("subdomain.{}", base.host)),
    ),
    Probe::of_cases(
        "origin.prefix",
        "RFC 6455 §10.2",
        "whether an Origin that only begins with the host is let in",
        |base| named(base, format!("{}.foreign.example", base.host)),
    ),
    Probe::of_cases(
        "origin.suffix",
        "RFC 6455 §10.2",
        "whether an Origin that only ends with the host is let in",
        |base| named(base, format!("foreign{}", base.host)),
    ),
    Probe::of_cases("origin.scheme", "RFC 6454 §4", "whether the other scheme is let in", |base| {
        origin(base, Some(base.origin(&base.host, base.port, !base.secure)), true)
    }),
    Probe::of_cases(
        "origin.port",
        "RFC 6454 §4",
        "whether pages of another port are let in",
        |base| {
            let port = if base.port == 8444 { 8445 } else { 8444 };
            origin(base, Some(base.origin(&base.host, port, base.secure)), true)
        },
    ),
];

impl Base {
    fn origin(&self, host: &str, port: u16, secure: bool) -> String {
        match (secure, port) {
            (true, 443) => format!("https://{host}"),
            (false, 80) => format!("http://{host}"),
            (true, port) => format!("https://{host}:{port}"),
            (false, port) => format!("http://{host}:{port}"),
        }
    }
}

type Cases = Result<Vec<Case>, String>;

fn case(head: Head, judge: impl Fn(&Response) -> Option<Finding> + 'static) -> Cases {
    Ok(vec![labelled("", head, judge)])
}

fn labelled(
    label: &str,
    head: Head,
    judge: impl Fn(&Response) -> Option<Finding> + 'static,
) -> Case {
    Case {
        label: label.to_owned(),
        ask: Ask::Request(head, Vec::new()),
        judge: Box::new(move |transcript, over| match transcript.response() {
            Some((response, _)) => judge(&response),
            None => unanswered(transcript, over),
        }),
    }
}

fn unanswered(transcript: &Transcript, over: bool) -> Option<Finding> {
    match transcript.end {
        _ if !transcript.received.is_empty() && (over || transcript.end.is_some()) => {
            fail("the answer is not HTTP, where an HTTP response is asked for")
        }
        Some((ending, _)) => {
            warn(format!("the server {} without an HTTP response (§4.2.1)", ending.words()))
        }
        None if over => fail("no answer, where an HTTP response is asked for"),
        None => None,
    }
}

/// Plain opening, judged by some rules of the response.
fn judged(base: &Base, which: fn(HandshakeRule) -> bool) -> Cases {
    let head = base.head.clone();
    let request =
        Request { target: head.target.clone(), headers: head.fields.clone(), bytes: Vec::new() };
    case(head, move |response| {
        let report = HandshakeReport::judge(&request, response, Policy::Lenient);
        let rules = report.rules.iter().filter(|result| which(result.rule));
        let worst = rules.max_by_key(|result| match result.verdict {
            Verdict::Pass => 0,
            Verdict::Warn => 1,
            Verdict::Fail => 2,
        });
        let worst = worst?;
        let received = String::from_utf8_lossy(&worst.received);
        let sentence = worst.rule.sentence();
        let note = if worst.note.is_empty() { String::new() } else { format!(": {}", worst.note) };
        match worst.verdict {
            Verdict::Pass => pass("as it must be"),
            Verdict::Warn => warn(format!("{sentence}: received {received}{note}")),
            Verdict::Fail => fail(format!("{sentence}: received {received}{note}")),
        }
    })
}

fn must_open(response: &Response) -> Option<Finding> {
    match response.status {
        101 => pass("101"),
        status => fail(format!("refused with {status}, where it must be accepted")),
    }
}

fn must_refuse(response: &Response) -> Option<Finding> {
    refused(response, fail)
}

fn should_refuse(response: &Response) -> Option<Finding> {
    refused(response, warn)
}

fn refused(response: &Response, accepted: fn(String) -> Option<Finding>) -> Option<Finding> {
    match response.status {
        101 => accepted("accepted, where it must be refused".to_owned()),
        status @ 500 => warn(format!("refused with {status}: the server failed over it")),
        status => pass(format!("refused with {status}")),
    }
}

/// What isn't an upgrade may be answered as any other request.
fn must_not_open(response: &Response) -> Option<Finding> {
    match response.status {
        101 => fail("upgraded, where this is no request for WebSocket"),
        status @ 500 => warn(format!("answered with {status}: the server failed over it")),
        status => pass(format!("answered with {status}")),
    }
}

fn other_version(version: &str, response: &Response) -> Option<Finding> {
    let spoken = response.header("sec-websocket-version").map(String::from_utf8_lossy);
    match (response.status, spoken) {
        (101, _) if version == "8" => warn("version 8 is accepted (§4.4 allows several)"),
        (101, _) => fail(format!("version {version} is accepted")),
        (status @ 400..=499, Some(spoken)) => {
            pass(format!("refused with {status}, Sec-WebSocket-Version: {spoken}"))
        }
        (status @ 400..=499, None) => {
            fail(format!("refused with {status}, but without Sec-WebSocket-Version (§4.4: MUST)"))
        }
        (status, _) => fail(format!("answered with {status}, where §4.4 asks for 426")),
    }
}

fn subprotocol(offered: &[&str], response: &Response) -> Option<Finding> {
    if response.status != 101 {
        return pass(format!("refused with {}", response.status));
    }
    let chosen: Vec<String> = head::values(&response.headers, "sec-websocket-protocol")
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect();
    match chosen.as_slice() {
        [] => pass("none is chosen"),
        [one] if one == UNKNOWN => warn("an unknown one is chosen because it was offered"),
        [one] if offered.contains(&one.as_str()) => pass(format!("{one} is chosen")),
        some => fail(format!("chosen: \"{}\", which was not offered", some.join("\", \""))),
    }
}

fn extensions(response: &Response) -> String {
    let values = head::values(&response.headers, "sec-websocket-extensions");
    values.map(String::from_utf8_lossy).collect::<Vec<_>>().join(", ")
}

fn offered(
    base: &Base,
    offer: &'static str,
    judge: fn(&'static str, &Response) -> Option<Finding>,
) -> Case {
    let label = offer.strip_prefix("permessage-deflate; ").unwrap_or(offer);
    let head = base.head.clone().with("Sec-WebSocket-Extensions", offer);
    labelled(label, head, move |response| judge(offer, response))
}

fn good_offer(offer: &'static str, response: &Response) -> Option<Finding> {
    let answer = extensions(response);
    match response.status {
        101 if answer.is_empty() => return pass("declined"),
        101 => {}
        status => return fail(format!("refused with {status}, where it may only be declined")),
    }
    let list = |text: &str| Extension::parse_list(text.as_bytes()).map_err(str::to_owned);
    let agreed = list(offer)
        .and_then(|offers| Ok((offers, list(&answer)?)))
        .and_then(|(offers, answers)| deflate::agree(&offers, &answers));
    match agreed {
        Ok(_) => pass(answer),
        Err(why) if why.contains("is missing") => warn(format!("{why}: {answer}")),
        Err(why) => fail(format!("{why}: {answer}")),
    }
}

fn bad_offer(offer: &'static str, response: &Response) -> Option<Finding> {
    let answer = extensions(response);
    if response.status != 101 {
        return pass(format!("refused with {}", response.status));
    }
    if !answer.contains("permessage-deflate") {
        return pass("declined");
    }
    let wrong = offer.split(';').skip(1).map(str::trim);
    let mut kept = wrong.filter(|parameter| answer.contains(parameter));
    match kept.next() {
        Some(parameter) => fail(format!("agreed to {parameter}: {answer}")),
        None => warn(format!("agreed to, without the wrong parameter: {answer}")),
    }
}

fn body_on_upgrade(transcript: &Transcript, over: bool) -> Option<Finding> {
    let Some((response, at)) = transcript.response() else {
        return unanswered(transcript, over);
    };
    if response.status != 101 {
        return pass(format!("refused with {}", response.status));
    }
    let frames = transcript.frames(at);
    if frames.iter().any(|frame| frame.is_pong(b"body")) {
        return warn("its bytes are read as frames: a ping in it is answered");
    }
    if frames.iter().any(|frame| frame.is_pong(b"after")) {
        return pass("skipped");
    }
    if close(&frames).is_some() || transcript.end.is_some() {
        return warn("upgraded, then closed over the bytes of the body");
    }
    if over { undecided("upgraded, but a ping isn't answered") } else { None }
}

/// An Origin on another host; an address has no names below or beside it.
fn named(base: &Base, host: String) -> Cases {
    if base.host.parse::<std::net::IpAddr>().is_ok() || base.host.starts_with('[') {
        return Err("the host is an address".to_owned());
    }
    origin(base, Some(base.origin(&host, base.port, base.secure)), true)
}

/// With what was given, and, if that has cookies or a login, without it too.
fn origin(base: &Base, value: Option<String>, foreign: bool) -> Cases {
    let head = match &value {
        Some(value) => base.head.clone().with("Origin", value),
        None => base.head.clone().without("Origin"),
    };
    let credentials = base.has_credentials;
    let judge = move |with: bool| {
        move |response: &Response| match response.status {
            101 if foreign && with => {
                warn("accepted a foreign Origin together with your cookie or login")
            }
            101 => pass("accepted"),
            status => pass(format!("refused with {status}")),
        }
    };
    let mut cases = vec![labelled("", head.clone(), judge(credentials))];
    if credentials {
        let bare = head.without("Cookie").without("Authorization");
        cases[0].label = "with your cookie or login".to_owned();
        cases.push(labelled("without", bare, judge(false)));
    }
    Ok(cases)
}
