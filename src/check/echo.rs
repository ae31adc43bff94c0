//! The probes of a server that sends each message back.

use crate::check::case::{Ask, Base, Case, Finding, fail, pass};
use crate::check::frame::of;
use crate::check::probe::Probe;
use crate::check::transcript::{Transcript, close_words};
use crate::protocol::connection::{Config, Receiver, Sender, Side, Traffic};
use crate::protocol::deflate::{Deflate, Params};
use crate::protocol::frame::Opcode;
use crate::run::frame::FrameSpec;
use crate::text::units::Count;

/// The probes of the group `echo`.
pub const PROBES: &[Probe] = &[
    Probe::of_cases("echo.text-0", "RFC 6455 §5.6", "an empty text message comes back", |b| {
        sized(b, Opcode::Text, 0)
    }).like("1.1.1"),
    Probe::of_cases("echo.text-125", "RFC 6455 §5.2", "125 bytes of text come back", |b| {
        sized(b, Opcode::Text, 125)
    }).like("1.1.2"),
    Probe::of_cases("echo.text-126", "RFC 6455 §5.2", "126 bytes of text come back", |b| {
        sized(b, Opcode::Text, 126)
    }).like("1.1.3"),
    Probe::of_cases("echo.text-65535", "RFC 6455 §5.2", "65535 bytes of text come back", |b| {
        sized(b, Opcode::Text, 65_535)
    }).like("1.1.6"),
    Probe::of_cases("echo.text-65536", "RFC 6455 §5.2", "65536 bytes of text come back", |b| {
        sized(b, Opcode::Text, 65_536)
    }).like("1.1.7"),
    Probe::of_cases("echo.text-1048576", "RFC 6455 §5.2", "1 MiB of text comes back", |b| {
        sized(b, Opcode::Text, 1 << 20)
    }),
    Probe::of_cases("echo.binary-0", "RFC 6455 §5.6", "an empty binary message comes back", |b| {
        sized(b, Opcode::Binary, 0)
    }).like("1.2.1"),
    Probe::of_cases("echo.binary-125", "RFC 6455 §5.2", "125 bytes come back", |b| {
        sized(b, Opcode::Binary, 125)
    }).like("1.2.2"),
    Probe::of_cases("echo.binary-126", "RFC 6455 §5.2", "126 bytes come back", |b| {
        sized(b, Opcode::Binary, 126)
    }).like("1.2.3"),
    Probe::of_cases("echo.binary-65535", "RFC 6455 §5.2", "65535 bytes come back", |b| {
        sized(b, Opcode::Binary, 65_535)
    }).like("1.2.6"),
    Probe::of_cases("echo.binary-65536", "RFC 6455 §5.2", "65536 bytes come back", |b| {
        sized(b, Opcode::Binary, 65_536)
    }).like("1.2.7"),
    Probe::of_cases("echo.binary-1048576", "RFC 6455 §5.2", "1 MiB comes back", |b| {
        sized(b, Opcode::Binary, 1 << 20)
    }),
    Probe::of_cases("echo.fragments", "RFC 6455 §5.4", "fragments are put together", |base| {
        echoing(base)?;
        let sizes = [0, 1, 125, 126, 65_535, 65_536];
        Ok(sizes
            .map(|size| {
                let payload = filling(size);
                let parts = 3;
                let step = size.div_ceil(parts).max(1);
                let pieces: Vec<&[u8]> = (0..parts)
                    .map(|n| &payload[(n * step).min(size)..((n + 1) * step).min(size)])
                    .collect();
                case(
                    &format!("{size} bytes in {parts} frames"),
                    fragments(&pieces),
                    vec![payload.clone()],
                )
            })
            .into())
    }).like("5.3"),
    Probe::of_cases("echo.utf8", "RFC 6455 §8.1", "text with the first and last code points of each length comes back, also when fragments cut them", |base| {
            echoing(base)?;
            let text = "\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}";
            let whole = text.as_bytes().to_vec();
            let bytes: Vec<&[u8]> = whole.chunks(1).collect();
            Ok(vec![
                case("in one frame", vec![of(Opcode::Text, &whole)], vec![whole.clone()]),
                case("one byte a frame", fragments(&bytes), vec![whole.clone()]),
            ])
        }).like("6.5.1"),
    Probe::of_cases("echo.order", "RFC 6455 §5.4", "messages come back in order", |base| {
        echoing(base)?;
        let sent: Vec<Vec<u8>> = (0..100).map(|n| format!("message {n}").into_bytes()).collect();
        let frames = sent.iter().map(|payload| of(Opcode::Text, payload)).collect();
        Ok(vec![case("", frames, sent)])
    }),
    Probe::of_cases("echo.deflate-context", "RFC 7692 §7.2.3.2", "compressed messages that refer to earlier ones come back", |base| deflated(base, "permessage-deflate", Params::default())).like("12.1.1"),
    Probe::of_cases("echo.deflate-no-context", "RFC 7692 §7.1.1", "compressed messages come back, each with an empty window", |base| deflated(
            base,
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Params {
                server_no_context_takeover: true,
                client_no_context_takeover: true,
                ..Params::default()
            }
        )).like("13.1.1"),
];

type Cases = Result<Vec<Case>, String>;

fn echoing(base: &Base) -> Result<(), String> {
    match base.echoes {
        true => Ok(()),
        false => Err("the server doesn't send messages back".to_owned()),
    }
}

fn sized(base: &Base, opcode: Opcode, size: usize) -> Cases {
    echoing(base)?;
    let payload = filling(size);
    Ok(vec![case("", vec![of(opcode, &payload)], vec![payload])])
}

/// Bytes that are text, and that a shifted or repeated piece wouldn't match.
fn filling(size: usize) -> Vec<u8> {
    let numbers = (0..).flat_map(|n: u32| format!("{n:x} ").into_bytes());
    numbers.take(size).collect()
}

fn fragments(pieces: &[&[u8]]) -> Vec<FrameSpec> {
    let last = pieces.len() - 1;
    let frame = |(at, piece): (usize, &&[u8])| {
        let opcode = if at == 0 { Opcode::Text } else { Opcode::Continuation };
        FrameSpec { fin: at == last, ..of(opcode, piece) }
    };
    pieces.iter().enumerate().map(frame).collect()
}

fn case(label: &str, frames: Vec<FrameSpec>, expected: Vec<Vec<u8>>) -> Case {
    Case {
        label: label.to_owned(),
        ask: Ask::Frames { offer: "", frames },
        judge: Box::new(move |transcript, over| came_back(&expected, None, transcript, over)),
    }
}

fn deflated(base: &Base, offer: &'static str, params: Params) -> Cases {
    echoing(base)?;
    if !base.deflates {
        return Err("the server doesn't agree to permessage-deflate".to_owned());
    }
    let expected: Vec<Vec<u8>> = (0..5).map(|n| filling(2000 + n)).collect();
    let mut deflate = Deflate::new(params, Side::Client);
    let frames = expected.iter().map(|payload| {
        let mut compressed = Vec::new();
        deflate.message(payload, &mut compressed);
        FrameSpec { rsv: 4, ..of(Opcode::Text, &compressed) }
    });
    let ask = Ask::Frames { offer, frames: frames.collect() };
    let judge = move |t: &Transcript, over: bool| came_back(&expected, Some(params), t, over);
    Ok(vec![Case { label: String::new(), ask, judge: Box::new(judge) }])
}

/// The messages in these bytes, and what ended the reading early.
fn messages(bytes: &[u8], deflate: Option<Params>) -> (Vec<Vec<u8>>, Option<String>) {
    let config = Config { deflate, ..Config::default() };
    let mut sender = Sender::new(&config, Box::new(|keys| keys.fill(0)));
    let mut receiver = Receiver::new(config, bytes);
    let mut messages = Vec::new();
    while let Some(traffic) = receiver.next(&mut sender) {
        match traffic {
            Traffic::Data(data) => messages.push(data.bytes.to_vec()),
            Traffic::Close { status, .. } => {
                return (messages, Some(close_words(status)));
            }
            Traffic::Violation(violation) => return (messages, Some(violation.to_string())),
            Traffic::Limit(_) => return (messages, Some("too large an answer".to_owned())),
            _ => {}
        }
    }
    (messages, None)
}

fn came_back(
    expected: &[Vec<u8>],
    deflate: Option<Params>,
    transcript: &Transcript,
    over: bool,
) -> Option<Finding> {
    let (came, ended) = messages(&transcript.received, deflate);
    let wanted = format!("where {} should come back", Count(expected.len() as u64, "message"));
    for (number, (came, expected)) in (1..).zip(came.iter().zip(expected)) {
        if came != expected {
            let (len, right) = (came.len(), expected.len());
            return fail(format!("message {number} came back changed: {len} bytes for {right}"));
        }
    }
    if came.len() >= expected.len() {
        return pass("came back");
    }
    if let Some(why) = ended {
        return fail(format!("{why}, {wanted}"));
    }
    if let Some((ending, _)) = transcript.end {
        return fail(format!("the server {}, {wanted}", ending.words()));
    }
    over.then(|| fail(format!("{} came back, {wanted}", came.len())))?
}
