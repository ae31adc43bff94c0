//! Frames that break the protocol: what the peer does instead.

use crate::diagnosis::finding::{Finding, Rule, certain, may, probable};
use crate::diagnosis::{Facts, Talk, messages};
use crate::protocol::violation::{Rule as Broken, Violation};
use crate::redact;
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "http-behind-101", find: http },
    Rule { name: "tls-or-text-behind-101", find: other_bytes },
    Rule { name: "length-in-characters", find: short_length },
    Rule { name: "deflate-unagreed", find: unagreed },
    Rule { name: "deflate-format", find: format },
    Rule { name: "deflate-context", find: context },
    Rule { name: "not-utf8", find: not_utf8 },
    Rule { name: "masked", find: masked },
    Rule { name: "bad-close", find: bad_close },
    Rule { name: "bad-fragments", find: fragments },
    Rule { name: "bad-control", find: control },
    Rule { name: "reserved", find: reserved },
    Rule { name: "bad-length", find: length },
];

fn broken<'a>(facts: &'a Facts<'_>, rules: &[Broken]) -> Option<(&'a Talk<'a>, &'a Violation)> {
    let talk = facts.talk()?;
    let violation = talk.violation.filter(|violation| rules.contains(&violation.rule))?;
    Some((talk, violation))
}

const HTTP: &[&[u8]] = &[
    b"HTTP/1.",
    b"HTTP/2",
    b"<!DOCTYPE",
    b"<!doctype",
    b"<html",
    b"<HTML",
    b"Content-Type:",
    b"Date: ",
    b"Server: ",
];

fn is_http(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    HTTP.iter().any(|start| bytes.starts_with(start))
}

/// A whole second answer, or a page, where frames should be.
fn http(facts: &Facts<'_>) -> Option<Finding> {
    let talk = facts.talk()?;
    let cut = || talk.first.iter().take(4).all(u8::is_ascii_graphic).then_some(talk.first);
    let bytes = match talk.violation {
        Some(_) => talk.tail,
        None => cut().filter(|_| talk.closure.is_some() && talk.totals.messages_in == 0)?,
    };
    if !is_http(bytes) {
        return None;
    }
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let bytes = &redact::head(bytes.trim_ascii());
    let shown: String = Untrusted(bytes.get(..300).unwrap_or(bytes)).to_string();
    let flask = text.contains("werkzeug")
        || text.contains("500 internal server error")
        || text.contains("traceback");
    let line = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    if text.contains("unsupported protocol version") {
        return Some(
            certain(
                "Socket.IO wants another version of its protocol: EIO in the query is missing or \
                 wrong",
            )
            .because(format!("after the 101 came an HTTP answer: {shown}"))
            .next("add EIO=4 to the query (EIO=3 for a server before 3.0)"),
        );
    }
    let cause = match flask {
        true => {
            "the server switched protocols, then failed (an exception in its handler) and wrote an HTTP error page into the stream of frames"
        }
        false => {
            "the server switched protocols and then wrote an HTTP answer into the stream of frames: its handler, a middleware or a proxy took the connection for HTTP again"
        }
    };
    Some(
        certain(cause)
            .because(format!(
                "after the 101 came \"{}\": {shown}",
                Untrusted(line.get(..60).unwrap_or(line))
            ))
            .next("look into the server's log: the HTTP text says what failed")
            .next("wstap -vvv shows all its bytes"),
    )
}

fn other_bytes(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, _) = broken(
        facts,
        &[
            Broken::ReservedBit,
            Broken::ReservedOpcode,
            Broken::Masked,
            Broken::Orphan,
            Broken::ControlFragmented,
            Broken::ControlLength,
            Broken::LengthTopBit,
        ],
    )?;
    let start = talk.tail.get(..12).unwrap_or(talk.tail);
    let printable = start.len() >= 6
        && start.iter().all(|b| b.is_ascii_graphic() || matches!(b, b' ' | b'\r' | b'\n' | b'\t'));
    if !printable
        || is_http(talk.tail)
        || short_length(facts).is_some()
        || talk.totals.messages_in > 0
    {
        return None;
    }
    let line = talk.tail.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    Some(
        probable("the server writes plain text behind the 101 instead of WebSocket frames")
            .because(format!("\"{}\"", Untrusted(line.get(..80).unwrap_or(line))))
            .next("the server must send frames: is this a tunnel or another protocol (raw TCP) behind the upgrade?"),
    )
}

/// The length counts characters, and the text has more bytes.
fn short_length(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, violation) = broken(
        facts,
        &[
            Broken::ReservedBit,
            Broken::ReservedOpcode,
            Broken::Masked,
            Broken::Orphan,
            Broken::ControlLength,
            Broken::ControlFragmented,
            Broken::Utf8,
            Broken::NonMinimalLength,
        ],
    )?;
    let all = messages(talk.first);
    let before = all.iter().rev().find(|message| !message.text().is_empty())?;
    let cut_inside = std::str::from_utf8(&before.payload).is_err_and(|e| e.error_len().is_none());
    let rest = talk.tail.first().is_some_and(|b| b.is_ascii_graphic() || (0x80..0xc0).contains(b));
    let json_cut = before.text().starts_with(['{', '[']) && !before.text().ends_with(['}', ']']);
    let fits = (!before.text().is_ascii() && (json_cut || rest)) || cut_inside;
    if !fits || violation.rule == Broken::Utf8 && !cut_inside {
        return None;
    }
    Some(
        may("the server may count a message's length in characters instead of bytes: the frame before is too short for its text")
            .because(format!("that frame says {} bytes, and its text goes on behind them", before.length))
            .next("on the server: the length of the UTF-8 bytes (text.encode(), Buffer.byteLength)"),
    )
}

fn unagreed(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, violation) = broken(facts, &[Broken::ReservedBit])?;
    let rsv1 = violation.bytes.first().is_some_and(|byte| byte & 0x70 == 0x40);
    if !rsv1 || is_http(talk.tail) || talk.deflate.is_some() || other_bytes(facts).is_some() {
        return None;
    }
    let found = match facts.sent.deflate {
        false => certain("the server compresses (RSV1, permessage-deflate) though compression was not offered: --no-deflate was given")
            .next("let it be agreed: leave --no-deflate out"),
        true => certain("the server compresses (RSV1, permessage-deflate) though it did not agree to that in its 101; or a proxy in front dropped Sec-WebSocket-Extensions")
            .next("on the server: compress only if Sec-WebSocket-Extensions was answered, or switch compression off")
            .next("make the proxy pass Sec-WebSocket-Extensions on, in both directions"),
    };
    Some(found.because(format!(
        "the first byte of the frame is {:02x}",
        violation.bytes.first().copied().unwrap_or_default()
    )))
}

/// The payload of the frame that can't be read.
fn payload<'a>(talk: &'a Talk<'_>) -> &'a [u8] {
    match crate::protocol::frame::FrameHeader::parse(talk.tail) {
        Some((_, len)) => talk.tail.get(len..).unwrap_or_default(),
        None => talk.tail,
    }
}

fn format(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, _) = broken(facts, &[Broken::DeflateData, Broken::DeflateTruncated])?;
    let payload = payload(talk);
    let format = match payload {
        [0x1f, 0x8b, ..] => "gzip",
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => "zlib",
        _ => return None,
    };
    Some(
        certain(format!("the server compresses with {format} (it has that header), where permessage-deflate is raw DEFLATE"))
            .because(payload.iter().take(6).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" "))
            .next("without compression: --no-deflate")
            .next("on the server: a raw deflate stream (wbits -15, deflateRaw) without 00 00 ff ff at its end"),
    )
}

fn context(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, violation) = broken(facts, &[Broken::DeflateData, Broken::DeflateTruncated])?;
    if format(facts).is_some() {
        return None;
    }
    let params = talk.deflate?;
    let later = talk.totals.messages_in > 0;
    let found = match (violation.rule, params.server_no_context_takeover, later) {
        (Broken::DeflateTruncated, ..) => certain(
            "a compressed message is not whole: the server cuts it, or ends the deflate stream too early",
        ),
        (_, true, true) => probable(
            "the server goes on with its compression context though it agreed to server_no_context_takeover",
        ),
        (_, false, true) => probable(
            "the server's compression context (window) is not the agreed one: it resets it, or a window other than agreed",
        ),
        _ => certain("the server sends compressed data that can't be inflated"),
    };
    Some(
        found
            .because(violation.rule.sentence())
            .next("without compression: --no-deflate")
            .next("on the server: check its permessage-deflate (context takeover, window bits), or switch it off"),
    )
}

fn not_utf8(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, violation) = broken(facts, &[Broken::Utf8])?;
    let payload = payload(talk);
    let evidence = match violation.detail.is_empty() {
        true => violation.rule.sentence().to_owned(),
        false => violation.detail.clone(),
    };
    let found = match payload {
        [0x1f, 0x8b, ..] => certain("a text message holds gzip data, not text"),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => {
            certain("a text message holds zlib data, not text")
        }
        _ if short_length(facts).is_some() => return None,
        _ => {
            let high = payload.iter().filter(|b| **b >= 0x80).count();
            let low = payload.iter().filter(|b| **b < 0x20 && !b.is_ascii_whitespace()).count();
            match (low * 8 > payload.len(), high * 3 > payload.len()) {
                (false, false) => probable(
                    "the server sends text that is not UTF-8: an older encoding (Latin-1, Windows-1252) most likely",
                ),
                _ => probable(
                    "the server sends binary data (protobuf, msgpack, compressed) as a text message",
                ),
            }
        }
    };
    Some(
        found
            .because(evidence)
            .next("--lossy takes it with a warning")
            .next("on the server: encode text as UTF-8, or send a binary message"),
    )
}

fn masked(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, _) = broken(facts, &[Broken::Masked])?;
    if is_http(talk.tail) || other_bytes(facts).is_some() || short_length(facts).is_some() {
        return None;
    }
    Some(
        certain("the server masks its frames, which only a client does (RFC 6455 §5.1): it uses a client's code for sending")
            .because("a masked frame from the server")
            .next("fix the server: it must send frames without a mask (side: server)"),
    )
}

fn bad_close(facts: &Facts<'_>) -> Option<Finding> {
    let (_, violation) =
        broken(facts, &[Broken::CloseCode, Broken::CloseLength, Broken::CloseReason])?;
    let code = match violation.rule {
        Broken::CloseCode => violation.detail.split(':').next().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    Some(match violation.rule {
        Broken::CloseCode => certain(format!("the server closes with the code {code}, which must not be sent in a Close frame"))
            .because(violation.detail.clone())
            .next("on the server: 1000, 1001, 1008, 1011 or a code from 3000 to 4999 (1005, 1006 and 1015 are for the application alone)"),
        Broken::CloseLength => certain("the server's Close frame has a body of one byte, where a code has two")
            .because(violation.rule.sentence())
            .next("on the server: a code as two bytes, or no body"),
        _ => certain("the reason in the server's Close frame is not UTF-8 (often cut inside a character at 123 bytes)")
            .because(violation.rule.sentence())
            .next("on the server: cut the reason at a character's end, in UTF-8"),
    })
}

fn fragments(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, violation) = broken(facts, &[Broken::Interleaved, Broken::Orphan])?;
    if other_bytes(facts).is_some() || is_http(talk.tail) || short_length(facts).is_some() {
        return None;
    }
    Some(
        probable("the server mixes the frames of two messages: two threads or tasks write at the same time, or FIN is missing")
            .because(violation.rule.sentence())
            .next("on the server: one writer at a time (a lock or a queue), and FIN on the last fragment"),
    )
}

fn control(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, violation) = broken(facts, &[Broken::ControlFragmented, Broken::ControlLength])?;
    if other_bytes(facts).is_some() || is_http(talk.tail) || short_length(facts).is_some() {
        return None;
    }
    Some(
        certain("the server sends a ping, pong or Close that is too long (over 125 bytes) or fragmented")
            .because(violation.detail.clone())
            .next("on the server: shorten its payload (a Close reason: 123 bytes)"),
    )
}

fn reserved(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, violation) = broken(facts, &[Broken::ReservedBit, Broken::ReservedOpcode])?;
    if unagreed(facts).is_some()
        || other_bytes(facts).is_some()
        || is_http(talk.tail)
        || short_length(facts).is_some()
    {
        return None;
    }
    Some(
        probable("the server uses an extension that was not agreed on, or the stream is out of step: a wrong length before")
            .because(format!("{}: {}", violation.rule.sentence(), violation.bytes.iter().take(8).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")))
            .next("wstap -vv shows the frames before it; --no-deflate rules compression out"),
    )
}

fn length(facts: &Facts<'_>) -> Option<Finding> {
    let (talk, violation) =
        broken(facts, &[Broken::LengthTopBit, Broken::NonMinimalLength, Broken::Unmasked])?;
    if other_bytes(facts).is_some() || is_http(talk.tail) {
        return None;
    }
    Some(
        certain("the server writes a frame's length in a form that is not allowed")
            .because(violation.rule.sentence())
            .next("on the server: the shortest of the three forms, unsigned (RFC 6455 §5.2)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, Open, check};
    use crate::event::Totals;

    fn case(rule: &'static str, broken: Broken, bytes: &[u8]) -> Case {
        Case::open(rule, "", Open { violation: Some((broken, bytes.to_vec())), ..Open::default() })
    }

    fn deflated(rule: &'static str, broken: Broken, bytes: &[u8], messages_in: u64) -> Case {
        let totals = Totals { messages_in, ..Totals::default() };
        let violation = Some((broken, bytes.to_vec()));
        Case::open(rule, "", Open { violation, deflate: true, totals, ..Open::default() })
    }

    #[test]
    fn rules() {
        let offering = "Sec-WebSocket-Extensions: permessage-deflate";
        let umlauts = [&[0x81, 9][..], "{\"n\":\"ü".as_bytes(), b"x\"}\x81"].concat();
        let short = Open {
            violation: Some((Broken::ReservedBit, b"\"}".to_vec())),
            first: umlauts,
            ..Open::default()
        };
        check(
            RULES,
            &[
                case(
                    "http-behind-101",
                    Broken::ReservedBit,
                    b"HTTP/1.1 400 Bad Request\r\n\r\nbad",
                )
                .says(&[
                    "HTTP answer into the stream",
                    "HTTP/1.1 400 Bad Request",
                    "-vvv",
                ]),
                case(
                    "http-behind-101",
                    Broken::ReservedBit,
                    b"HTTP/1.1 500 INTERNAL SERVER ERROR\r\nServer: Werkzeug\r\n\r\n",
                )
                .says(&["exception", "server's log"]),
                case(
                    "http-behind-101",
                    Broken::ReservedBit,
                    b"HTTP/1.1 400 Bad Request\r\n\r\nUnsupported protocol version",
                )
                .says(&["Socket.IO", "EIO=4"]),
                case("tls-or-text-behind-101", Broken::ReservedBit, b"hello there friend")
                    .says(&["plain text behind the 101"]),
                Case::open("length-in-characters", "", short)
                    .says(&["may count", "characters instead of bytes"]),
                case("deflate-unagreed", Broken::ReservedBit, &[0xc1, 3, 1, 2, 3])
                    .says(&["--no-deflate was given"]),
                case("deflate-unagreed", Broken::ReservedBit, &[0xc1, 3, 1, 2, 3])
                    .asking("/", offering)
                    .says(&["did not agree", "proxy"]),
                deflated("deflate-format", Broken::DeflateData, &[0xc1, 4, 0x1f, 0x8b, 8, 0], 0)
                    .says(&["gzip", "--no-deflate"]),
                deflated("deflate-format", Broken::DeflateData, &[0xc1, 4, 0x78, 0x9c, 8, 0], 0)
                    .says(&["zlib"]),
                deflated("deflate-context", Broken::DeflateData, &[0xc1, 2, 1, 1], 1)
                    .says(&["context", "--no-deflate"]),
                deflated("deflate-context", Broken::DeflateTruncated, &[0xc1, 2, 1, 1], 0)
                    .says(&["not whole"]),
                case("not-utf8", Broken::Utf8, b"\x81\x0acaf\xe9 Stra\xdfe")
                    .says(&["Latin-1", "--lossy"]),
                case("not-utf8", Broken::Utf8, b"\x81\x0a\x1f\x8b\x08\0\0\0\0\0\0\0")
                    .says(&["gzip"]),
                case("not-utf8", Broken::Utf8, b"\x81\x0a\x01\xff\xfe\x80\x02\x03\0\0\0\0")
                    .says(&["binary data"]),
                case("masked", Broken::Masked, &[0x81, 0x85, 1, 2, 3, 4, 9, 9, 9, 9, 9])
                    .says(&["masks its frames", "without a mask"]),
                case("bad-close", Broken::CloseCode, &[0x88, 2, 3, 0xee])
                    .says(&["must not be sent"]),
                case("bad-fragments", Broken::Interleaved, &[0x81, 1, b'x']).says(&["two threads"]),
                case("bad-control", Broken::ControlLength, &[0x89, 126, 0, 200])
                    .says(&["125 bytes"]),
                case("reserved", Broken::ReservedOpcode, &[0x83, 0]).says(&["not agreed"]),
                case("bad-length", Broken::LengthTopBit, &[0x82, 127, 0xff, 0, 0])
                    .says(&["length"]),
            ],
        );
    }
}
