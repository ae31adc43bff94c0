//! The probes of an open connection: frames that a server must refuse, and some that it must take.

use std::time::Duration;

use crate::check::case::{Ask, Base, Case, Finding, Judge, fail, pass, undecided, warn};
use crate::check::probe::Probe;
use crate::check::transcript::{Received, Transcript, close, close_words};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::{LengthForm, Opcode};
use crate::run::frame::{FrameSpec, MaskSpec};

/// The payload of the ping behind a wrong frame: its pong shows that the connection goes on.
const AFTER: &[u8] = b"after";

/// How long a server that has answered the ping behind a frame may still close for the frame's header.
/// Pings are answered in order with headers, so this is only for what waits in a queue.
const GRACE: Duration = Duration::from_millis(250);

/// How long a server may take to end TCP after the closing handshake.
const PROMPT_END: Duration = Duration::from_secs(1);
/// The same, beyond which it is a failure.
const LATE_END: Duration = Duration::from_secs(3);

const PROTOCOL_ERROR: &[u16] = &[1002];
const INVALID_PAYLOAD: &[u16] = &[1007];

/// All probes of the group, in the order of their clauses.
pub const PROBES: &[Probe] = &[
    Probe::of_cases(
        "frame.unmasked",
        "RFC 6455 §5.1",
        "an unmasked frame fails the connection",
        |_| {
            let frames = vec![FrameSpec { mask: MaskSpec::None, ..text("unmasked") }];
            case(frames, breach(PROTOCOL_ERROR, Mercy { end: true, ..Mercy::NONE }))
        },
    ),
    Probe::of_cases("frame.rsv1", "RFC 6455 §5.2", "RSV1 without an extension fails it", |_| {
        rsv(4)
    })
    .like("3.4"),
    Probe::of_cases("frame.rsv2", "RFC 6455 §5.2", "RSV2 fails it", |_| rsv(2)).like("3.2"),
    Probe::of_cases("frame.rsv3", "RFC 6455 §5.2", "RSV3 fails it", |_| rsv(1)).like("3.1"),
    Probe::of_cases("frame.opcode-3", "RFC 6455 §5.2", "opcode 3 fails it", |_| opcode(0x3))
        .like("4.1.1"),
    Probe::of_cases("frame.opcode-4", "RFC 6455 §5.2", "opcode 4 fails it", |_| opcode(0x4))
        .like("4.1.2"),
    Probe::of_cases("frame.opcode-5", "RFC 6455 §5.2", "opcode 5 fails it", |_| opcode(0x5))
        .like("4.1.3"),
    Probe::of_cases("frame.opcode-6", "RFC 6455 §5.2", "opcode 6 fails it", |_| opcode(0x6))
        .like("4.1.4"),
    Probe::of_cases("frame.opcode-7", "RFC 6455 §5.2", "opcode 7 fails it", |_| opcode(0x7))
        .like("4.1.5"),
    Probe::of_cases("frame.opcode-b", "RFC 6455 §5.2", "opcode 11 fails it", |_| opcode(0xb))
        .like("4.2.1"),
    Probe::of_cases("frame.opcode-c", "RFC 6455 §5.2", "opcode 12 fails it", |_| opcode(0xc))
        .like("4.2.2"),
    Probe::of_cases("frame.opcode-d", "RFC 6455 §5.2", "opcode 13 fails it", |_| opcode(0xd))
        .like("4.2.3"),
    Probe::of_cases("frame.opcode-e", "RFC 6455 §5.2", "opcode 14 fails it", |_| opcode(0xe))
        .like("4.2.4"),
    Probe::of_cases("frame.opcode-f", "RFC 6455 §5.2", "opcode 15 fails it", |_| opcode(0xf))
        .like("4.2.5"),
    Probe::of_cases(
        "frame.continuation-orphan",
        "RFC 6455 §5.4",
        "a continuation without a beginning fails it",
        |_| wrong(vec![of(Opcode::Continuation, b"orphan")], PROTOCOL_ERROR),
    )
    .like("5.9"),
    Probe::of_cases(
        "frame.data-inside-fragments",
        "RFC 6455 §5.4",
        "a new message inside a fragmented one fails it",
        |_| wrong(vec![open_text(b"begun"), text("inside")], PROTOCOL_ERROR),
    )
    .like("5.18"),
    Probe::of_cases(
        "frame.control-fragmented",
        "RFC 6455 §5.5",
        "a fragmented control frame fails it",
        |_| wrong(vec![FrameSpec { fin: false, ..of(Opcode::Ping, b"part") }], PROTOCOL_ERROR),
    )
    .like("5.1"),
    Probe::of_cases(
        "frame.control-126",
        "RFC 6455 §5.5",
        "a control frame of 126 bytes fails it",
        |_| wrong(vec![of(Opcode::Ping, &[b'x'; 126])], PROTOCOL_ERROR),
    )
    .like("2.5"),
    Probe::of_cases(
        "frame.length-non-minimal-16",
        "RFC 6455 §5.2",
        "a short length written in 16 bits is noticed",
        |_| long_form(LengthForm::Bits16),
    ),
    Probe::of_cases(
        "frame.length-non-minimal-64",
        "RFC 6455 §5.2",
        "a short length written in 64 bits is noticed",
        |_| long_form(LengthForm::Bits64),
    ),
    Probe::of_cases(
        "frame.length-top-bit",
        "RFC 6455 §5.2",
        "a length with its highest bit set fails it",
        |_| {
            let length = Some(1 << 63);
            let frame = FrameSpec { length, ..of(Opcode::Binary, b"too long") };
            case(vec![frame], breach(&[], Mercy { any_code: true, ..Mercy::NONE }))
        },
    ),
    Probe::of_cases("frame.text-utf8", "RFC 6455 §8.1", "text that is not UTF-8 fails it", |_| {
        wrong(vec![of(Opcode::Text, b"\xce\xba\xed\xa0\x80")], INVALID_PAYLOAD)
    })
    .like("6.3.1"),
    Probe::of_cases(
        "frame.text-utf8-fragmented",
        "RFC 6455 §8.1",
        "text that is not UTF-8 over its fragments fails it",
        |_| {
            let last = of(Opcode::Continuation, b"\x28");
            wrong(vec![open_text(b"\xe2\x82"), last], INVALID_PAYLOAD)
        },
    )
    .like("6.4.1"),
    Probe::of_cases(
        "frame.close-1-byte",
        "RFC 6455 §5.5.1",
        "a Close frame with one byte fails it",
        |_| closing(b"\x03".to_vec(), PROTOCOL_ERROR),
    )
    .like("7.3.2"),
    Probe::of_cases(
        "frame.close-utf8",
        "RFC 6455 §5.5.1",
        "a Close reason that is not UTF-8 fails it",
        |_| closing(b"\x03\xe8\xce\xba\xed\xa0\x80".to_vec(), &[1002, 1007]),
    )
    .like("7.5.1"),
    Probe::of_cases("frame.close-code-0", "RFC 6455 §7.4.2", "code 0 fails it", |_| code(0))
        .like("7.9.1"),
    Probe::of_cases("frame.close-code-999", "RFC 6455 §7.4.2", "code 999 fails it", |_| code(999))
        .like("7.9.2"),
    Probe::of_cases("frame.close-code-1004", "RFC 6455 §7.4.1", "1004 fails it", |_| code(1004))
        .like("7.9.3"),
    Probe::of_cases("frame.close-code-1005", "RFC 6455 §7.4.1", "1005 fails it", |_| code(1005))
        .like("7.9.4"),
    Probe::of_cases("frame.close-code-1006", "RFC 6455 §7.4.1", "1006 fails it", |_| code(1006))
        .like("7.9.5"),
    Probe::of_cases("frame.close-code-1015", "RFC 6455 §7.4.1", "1015 fails it", |_| code(1015)),
    Probe::of_cases("frame.close-code-1016", "RFC 6455 §7.4.2", "1016 fails it", |_| code(1016))
        .like("7.9.6"),
    Probe::of_cases("frame.close-code-2999", "RFC 6455 §7.4.2", "2999 fails it", |_| code(2999))
        .like("7.9.9"),
    Probe::of_cases(
        "frame.close-echo",
        "RFC 6455 §5.5.1",
        "a Close frame is answered with one",
        |_| case(vec![normal_close()], Box::new(close_echo)),
    )
    .like("7.1.1"),
    Probe::of_cases(
        "frame.close-tcp",
        "RFC 6455 §7.1.1",
        "the server ends TCP after the closing handshake, and soon",
        |_| case(vec![normal_close()], Box::new(close_tcp)),
    ),
    Probe::of_cases(
        "frame.data-after-close",
        "RFC 6455 §5.5.1",
        "what follows a Close frame is ignored",
        |_| {
            let frames = vec![normal_close(), text("after"), of(Opcode::Ping, AFTER)];
            case(frames, Box::new(data_after_close))
        },
    )
    .like("7.1.3"),
    Probe::of_cases(
        "frame.ping-pong",
        "RFC 6455 §5.5.2",
        "a ping is answered with a pong of the same payload",
        |_| {
            let sizes = [0, 1, 125];
            Ok(sizes.map(|size| ping(&vec![b'p'; size], &format!("{size} bytes"))).into())
        },
    )
    .like("2.1"),
    Probe::of_cases(
        "frame.ping-inside-fragments",
        "RFC 6455 §5.4",
        "a ping between two fragments is answered",
        |_| {
            let last = of(Opcode::Continuation, b" the end");
            let frames = vec![open_text(b"a ping comes before"), of(Opcode::Ping, AFTER), last];
            case(frames, Box::new(|t, over| answered(AFTER, t, over)))
        },
    )
    .like("5.6"),
    Probe::of_cases(
        "frame.pong-unsolicited",
        "RFC 6455 §5.5.3",
        "a pong that nobody asked for is ignored",
        |_| {
            let frames = vec![of(Opcode::Pong, b"heartbeat"), of(Opcode::Ping, AFTER)];
            case(frames, Box::new(|t, over| answered(AFTER, t, over)))
        },
    )
    .like("2.7"),
    Probe::of_cases(
        "frame.deflate-rsv1-control",
        "RFC 7692 §6.1",
        "RSV1 on a control frame fails it, also with compression",
        |base| {
            let frame = FrameSpec { rsv: 4, ..of(Opcode::Ping, b"rsv1") };
            compressed(base, frame, breach(PROTOCOL_ERROR, Mercy::NONE))
        },
    ),
    Probe::of_cases(
        "frame.deflate-corrupt",
        "RFC 7692 §7.2.2",
        "a compressed message that can't be inflated fails it",
        |base| {
            let frame = FrameSpec { rsv: 4, ..of(Opcode::Text, &[0xff; 8]) };
            compressed(base, frame, breach(&[], Mercy { any_code: true, ..Mercy::NONE }))
        },
    ),
];

/// A final, masked frame.
pub fn of(opcode: Opcode, payload: &[u8]) -> FrameSpec {
    FrameSpec { opcode, payload: payload.to_vec(), ..FrameSpec::default() }
}

fn text(payload: &str) -> FrameSpec {
    of(Opcode::Text, payload.as_bytes())
}

fn open_text(payload: &[u8]) -> FrameSpec {
    FrameSpec { fin: false, ..of(Opcode::Text, payload) }
}

fn normal_close() -> FrameSpec {
    of(Opcode::Close, &CloseStatus::new(CloseCode::NORMAL, "").encode())
}

type Cases = Result<Vec<Case>, String>;

fn case(frames: Vec<FrameSpec>, judge: Judge) -> Cases {
    Ok(vec![Case { label: String::new(), ask: Ask::Frames { offer: "", frames }, judge }])
}

/// Wrong frames, then a ping.
fn wrong(mut frames: Vec<FrameSpec>, right: &'static [u16]) -> Cases {
    frames.push(of(Opcode::Ping, AFTER));
    case(frames, breach(right, Mercy::NONE))
}

fn rsv(bits: u8) -> Cases {
    wrong(vec![FrameSpec { rsv: bits, ..text("reserved bit") }], PROTOCOL_ERROR)
}

fn opcode(bits: u8) -> Cases {
    wrong(vec![of(Opcode::from_bits(bits), b"reserved opcode")], PROTOCOL_ERROR)
}

fn long_form(form: LengthForm) -> Cases {
    let frames =
        vec![FrameSpec { length_form: Some(form), ..text("long form") }, of(Opcode::Ping, AFTER)];
    case(frames, breach(PROTOCOL_ERROR, Mercy { going_on: true, ..Mercy::NONE }))
}

/// A wrong Close frame. Nothing may follow it.
fn closing(payload: Vec<u8>, right: &'static [u16]) -> Cases {
    case(vec![of(Opcode::Close, &payload)], breach(right, Mercy::NONE))
}

fn code(code: u16) -> Cases {
    closing(code.to_be_bytes().to_vec(), PROTOCOL_ERROR)
}

fn ping(payload: &[u8], label: &str) -> Case {
    let frames = vec![of(Opcode::Ping, payload)];
    let expected = payload.to_vec();
    Case {
        label: label.to_owned(),
        ask: Ask::Frames { offer: "", frames },
        judge: Box::new(move |t, over| answered(&expected, t, over)),
    }
}

fn compressed(base: &Base, frame: FrameSpec, judge: Judge) -> Cases {
    if !base.deflates {
        return Err("the server doesn't agree to permessage-deflate".to_owned());
    }
    let ask = Ask::Frames { offer: "permessage-deflate", frames: vec![frame] };
    Ok(vec![Case { label: String::new(), ask, judge }])
}

/// What a server may do with a wrong frame besides sending the clause's close code.
#[derive(Clone, Copy)]
struct Mercy {
    /// Any close code is right.
    any_code: bool,
    /// Ending TCP without a Close frame is right.
    end: bool,
    /// Going on is only a warning: the rule is for senders.
    going_on: bool,
}

impl Mercy {
    const NONE: Mercy = Mercy { any_code: false, end: false, going_on: false };
}

/// Judges the answer to a frame that must fail the connection (§7.1.7) with one of these codes.
fn breach(right: &'static [u16], mercy: Mercy) -> Judge {
    Box::new(move |transcript, over| {
        let frames = transcript.frames(0);
        if let Some((status, _)) = close(&frames) {
            return Some(closed(&status, right, mercy));
        }
        if let Some((ending, _)) = transcript.end {
            let how = ending.words();
            return match mercy.end {
                true => pass(format!("the server {how}")),
                false => warn(format!("the server {how} without a Close frame (§7.1.7: SHOULD)")),
            };
        }
        let ponged = frames.iter().find(|frame| frame.is_pong(AFTER));
        let settled = ponged.is_some_and(|pong| transcript.now >= pong.at + GRACE);
        match (mercy.going_on, ponged) {
            (true, Some(_)) if settled || over => warn("the server takes it and goes on"),
            (true, None) if over => undecided("neither closed nor answered the ping behind it"),
            (false, None) if over && frames.is_empty() => {
                fail(format!("no reaction, {}", asks(right)))
            }
            (false, _) if over => fail(format!("takes it and goes on, {}", asks(right))),
            _ => None,
        }
    })
}

fn asks(right: &[u16]) -> String {
    match right {
        [] => "where the connection must be failed".to_owned(),
        codes => {
            let codes: Vec<_> = codes.iter().map(u16::to_string).collect();
            format!("where the connection must be failed, with Close {}", codes.join(" or "))
        }
    }
}

fn closed(status: &CloseStatus, right: &[u16], mercy: Mercy) -> Finding {
    let words = close_words(status);
    let finding = match status.code {
        Some(CloseCode(code)) if right.contains(&code) => pass(words),
        Some(CloseCode(1004 | 1016 | 2999)) => {
            warn(format!("{words}: a reserved code, sent back as it came"))
        }
        Some(code) if !code.is_allowed_on_wire() => {
            fail(format!("{words}: a code that must not be sent (§7.4)"))
        }
        _ if mercy.any_code => pass(words),
        _ => warn(format!("{words}, {}", asks(right))),
    };
    finding.unwrap_or_else(|| unreachable!("every arm has one"))
}

/// A pong with this payload is right; anything else that ends the connection is wrong.
fn answered(payload: &[u8], transcript: &Transcript, over: bool) -> Option<Finding> {
    let frames = transcript.frames(0);
    if frames.iter().any(|frame| frame.is_pong(payload)) {
        return pass("pong");
    }
    let asked = "where a pong with the same payload is asked for";
    if let Some(frame) = frames.iter().find(|frame| frame.header.opcode == Opcode::Pong) {
        let len = frame.payload.len();
        return fail(format!("a pong with another payload, of {len} bytes, {asked}"));
    }
    ended(transcript, &frames, asked).or_else(|| over.then(|| fail(format!("no pong, {asked}")))?)
}

/// A failure if the connection is over.
fn ended(transcript: &Transcript, frames: &[Received<'_>], asked: &str) -> Option<Finding> {
    if let Some((status, _)) = close(frames) {
        return fail(format!("{}, {asked}", close_words(&status)));
    }
    let (ending, _) = transcript.end?;
    fail(format!("the server {}, {asked}", ending.words()))
}

fn close_echo(transcript: &Transcript, over: bool) -> Option<Finding> {
    let asked = "where a Close frame is asked for";
    if let Some((status, _)) = close(&transcript.frames(0)) {
        return match status.code {
            Some(code) if !code.is_allowed_on_wire() => {
                fail(format!("{}: a code that must not be sent (§7.4)", close_words(&status)))
            }
            _ => pass(close_words(&status)),
        };
    }
    if let Some((ending, _)) = transcript.end {
        return fail(format!("the server {}, {asked}", ending.words()));
    }
    if over { fail(format!("no answer, {asked}")) } else { None }
}

fn close_tcp(transcript: &Transcript, over: bool) -> Option<Finding> {
    let Some((_, closed)) = close(&transcript.frames(0)) else {
        return if over || transcript.end.is_some() {
            undecided("the server doesn't answer a Close frame (frame.close-echo)")
        } else {
            None
        };
    };
    if let Some((_, at)) = transcript.end {
        let after = at.saturating_sub(closed);
        let why = format!("ended TCP {} ms after the Close frames", after.as_millis());
        return match after {
            _ if after <= PROMPT_END => pass(why),
            _ if after <= LATE_END => warn(why),
            _ => fail(why),
        };
    }
    if transcript.now >= closed + LATE_END {
        return fail(
            "TCP is still open 3 s after the Close frames; the server should end it first",
        );
    }
    None
}

fn data_after_close(transcript: &Transcript, over: bool) -> Option<Finding> {
    let frames = transcript.frames(0);
    let at = frames.iter().position(|frame| frame.close().is_some());
    let answer = |frame: &&Received<'_>| {
        frame.is_pong(AFTER) || (!frame.header.opcode.is_control() && *frame.payload == *b"after")
    };
    if let Some(frame) = frames.iter().find(answer) {
        let opcode = frame.header.opcode;
        return fail(format!("a {opcode} frame answers what followed our Close frame"));
    }
    if at.is_some() && (over || transcript.end.is_some()) {
        return pass("nothing but the Close frame came");
    }
    if let (None, Some((ending, _))) = (at, transcript.end) {
        return warn(format!("the server {} without a Close frame", ending.words()));
    }
    if over { fail("no Close frame came") } else { None }
}
