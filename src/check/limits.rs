//! The probes of limits, which a server on a shared machine would feel: only with `--intrusive`. They
//! measure; only what stops other connections, or the server itself, is a failure.

use std::time::{Duration, Instant};

use crate::check::case::{Ask, Case, Finding, Head, Judge, fail, pass, undecided};
use crate::check::frame::of;
use crate::check::probe::{Probe, Stepped, Steps};
use crate::check::transcript::{Transcript, close, close_words};
use crate::error::Result;
use crate::event::{Evidence, ProbeVerdict};
use crate::protocol::connection::Side;
use crate::protocol::deflate::{Deflate, Params};
use crate::protocol::frame::Opcode;
use crate::run::frame::FrameSpec;
use crate::text::units::Took;

/// The group's name.
pub const GROUP: &str = "limits";

/// The first message of `largest-message`, in bytes.
const FIRST_SIZE: usize = 64 << 10;

/// How many fragments make up the message of `tiny-fragments`.
const FRAGMENTS: usize = 10_000;

/// The size of `deflate-bomb` once inflated, in bytes.
const BOMB: usize = 64 << 20;

/// How many connections are opened at once at most.
const CONNECTIONS: usize = 64;

/// The probes of the group.
pub const PROBES: &[Probe] = &[
    Probe::of_steps(
        "limits.largest-message",
        "RFC 6455 §10.4",
        "how large a message may be, and what happens beyond",
        largest_message,
    ),
    Probe::of_steps(
        "limits.declared-huge",
        "RFC 6455 §10.4",
        "a huge length that is only announced doesn't stop other connections",
        declared_huge,
    ),
    Probe::of_steps(
        "limits.tiny-fragments",
        "RFC 6455 §10.4",
        "what happens to a message in ten thousand fragments",
        tiny_fragments,
    ),
    Probe::of_steps(
        "limits.deflate-bomb",
        "RFC 7692 §8",
        "what happens to 64 MiB of zeros in 64 KiB",
        deflate_bomb,
    ),
    Probe::of_steps(
        "limits.slow-handshake",
        "RFC 6455 §10.4",
        "how long half a request is waited for",
        slow_handshake,
    ),
    Probe::of_steps(
        "limits.idle-timeout",
        "RFC 6455 §5.5.2",
        "how long a silent client is kept",
        idle_timeout,
    ),
    Probe::of_steps(
        "limits.connections",
        "RFC 6455 §4.2.1",
        "how many connections one client gets",
        connections,
    ),
];

fn found(finding: Option<Finding>, evidence: Option<Evidence>) -> Stepped {
    let undecided =
        || Finding { verdict: ProbeVerdict::NotApplicable, why: "not decided".to_owned() };
    Ok((finding.unwrap_or_else(undecided), evidence))
}

/// Frames over a plain opening, then a ping; judged by what comes first: pong, Close or the end.
fn frames(mut frames: Vec<FrameSpec>, offer: &'static str) -> Case {
    frames.push(of(Opcode::Ping, b"after"));
    let judge: Judge = Box::new(taken);
    Case { label: String::new(), ask: Ask::Frames { offer, frames }, judge }
}

/// A pass for what was taken, a warning-free fail for what wasn't; the caller words it.
fn taken(transcript: &Transcript, over: bool) -> Option<Finding> {
    let frames = transcript.frames(0);
    if let Some((status, _)) = close(&frames) {
        return fail(close_words(&status));
    }
    if frames.iter().any(|frame| frame.is_pong(b"after")) {
        return pass("taken");
    }
    match transcript.end {
        Some((ending, _)) => fail(format!("the server {}", ending.words())),
        None if over => fail("no answer in time"),
        None => None,
    }
}

fn size_words(size: usize) -> String {
    match size {
        size if size >= 1 << 20 => format!("{} MiB", size >> 20),
        size => format!("{} KiB", size >> 10),
    }
}

fn largest_message(steps: &mut Steps<'_, '_>) -> Stepped {
    let mut size = FIRST_SIZE.min(steps.options.up_to);
    let mut largest = None;
    loop {
        let (finding, evidence) =
            steps.play(&frames(vec![of(Opcode::Binary, &vec![0; size])], ""))?;
        let words = size_words(size);
        let Finding { verdict, why } = finding;
        if verdict != ProbeVerdict::Pass {
            let before = largest
                .map_or("none is taken".to_owned(), |l| format!("{} is taken", size_words(l)));
            return found(pass(format!("{before}; to {words}: {why}")), Some(evidence));
        }
        largest = Some(size);
        if size >= steps.options.up_to {
            return found(
                pass(format!("{words} is taken, the most that was tried")),
                Some(evidence),
            );
        }
        size = (size * 2).min(steps.options.up_to);
    }
}

fn declared_huge(steps: &mut Steps<'_, '_>) -> Stepped {
    let mut announcing = steps.reach.open(steps.work, "")?;
    let huge = FrameSpec { length: Some(1 << 40), ..of(Opcode::Binary, b"the rest never comes") };
    // If the server has closed already, it isn't stopped either.
    let _ = announcing.stream.write(&super::play::bytes(&[huge]));
    let _ = announcing.stream.flush();
    let (finding, evidence) = steps.play(&frames(Vec::new(), ""))?;
    drop(announcing);
    let finding = match finding.verdict {
        ProbeVerdict::Pass => pass("another connection is answered meanwhile"),
        _ => fail(format!("another connection isn't answered meanwhile: {}", finding.why)),
    };
    found(finding, Some(evidence))
}

fn measured(what: &str, (finding, evidence): (Finding, Evidence)) -> Stepped {
    found(pass(format!("{what}: {}", finding.why)), Some(evidence))
}

fn tiny_fragments(steps: &mut Steps<'_, '_>) -> Stepped {
    let pieces: Vec<FrameSpec> = (0..FRAGMENTS)
        .map(|n| {
            let opcode = if n == 0 { Opcode::Binary } else { Opcode::Continuation };
            FrameSpec { fin: n + 1 == FRAGMENTS, ..of(opcode, b"x") }
        })
        .collect();
    let played = steps.play(&frames(pieces, ""))?;
    measured(&format!("{FRAGMENTS} fragments"), played)
}

fn deflate_bomb(steps: &mut Steps<'_, '_>) -> Stepped {
    if !steps.base.deflates {
        return found(undecided("the server doesn't agree to permessage-deflate"), None);
    }
    let mut compressed = Vec::new();
    Deflate::new(Params::default(), Side::Client).message(&vec![0; BOMB], &mut compressed);
    let frame = FrameSpec { rsv: 4, ..of(Opcode::Binary, &compressed) };
    let played = steps.play(&frames(vec![frame], "permessage-deflate"))?;
    measured("64 MiB of zeros", played)
}

/// A case that is only watched until the server ends it.
fn watched(steps: &mut Steps<'_, '_>, ask: Ask) -> Result<(Option<Duration>, Evidence)> {
    let idle = steps.options.idle;
    let judge = move |transcript: &Transcript, _over: bool| match transcript.end {
        Some(_) => pass(""),
        None if transcript.now >= idle => undecided(""),
        None => None,
    };
    let case = Case { label: String::new(), ask, judge: Box::new(judge) };
    let began = Instant::now();
    let (finding, evidence) = steps.reach.watch(steps.work, steps.base, &case, idle)?;
    let ended = finding.verdict == ProbeVerdict::Pass;
    Ok((ended.then(|| began.elapsed()), evidence))
}

fn kept(steps: &Steps<'_, '_>, after: Option<Duration>, evidence: Evidence) -> Stepped {
    let why = match after {
        Some(after) => format!("the server ends it after {}", Took(after)),
        None => format!("kept for {}, the most that was tried", Took(steps.options.idle)),
    };
    found(pass(why), Some(evidence))
}

fn slow_handshake(steps: &mut Steps<'_, '_>) -> Stepped {
    let head = Head { unfinished: true, ..steps.base.head.clone() };
    let ask = Ask::Request(head, Vec::new());
    let (after, evidence) = watched(steps, ask)?;
    kept(steps, after, evidence)
}

fn idle_timeout(steps: &mut Steps<'_, '_>) -> Stepped {
    let (after, evidence) = watched(steps, Ask::Frames { offer: "", frames: Vec::new() })?;
    kept(steps, after, evidence)
}

fn connections(steps: &mut Steps<'_, '_>) -> Stepped {
    let mut open = Vec::new();
    while open.len() < CONNECTIONS {
        match steps.reach.open(steps.work, "") {
            Ok(upgraded) => open.push(upgraded),
            Err(error) if open.is_empty() => return Err(error),
            Err(error) => {
                let why = format!("{} at once, then: {}", open.len(), error.what);
                return found(pass(why), None);
            }
        }
    }
    found(pass(format!("{CONNECTIONS} at once, the most that was tried")), None)
}
