//! `wstap check`: probes of a server, each with an id, a clause, a verdict and its evidence.
//!
//! A [`Probe`] is a small piece of data: what it proves, the cases that it consists of (a
//! request, or frames over an open connection), and for each a function that judges a
//! [`Transcript`](transcript::Transcript): the bytes and times that came, and nothing else. So verdicts
//! are tested without a network. [`check`] plays the cases, each over a connection of its own:
//!
//! ```text
//!   Probe ── cases ──▶ Case { ask, judge }
//!                        │        ▲
//!       play: send, ─────┘        └── Transcript: sent, received, times, end
//!       record until judged
//! ```

pub mod case;
mod echo;
mod evidence;
mod frame;
mod handshake;
mod limits;
mod options;
mod play;
pub mod probe;
mod tls;
pub mod transcript;

use std::time::{Duration, Instant};

use crate::check::case::{Ask, Base, Case, Finding};
pub use crate::check::options::CheckOptions;
use crate::check::play::{Reach, bytes, head};
use crate::check::probe::{Plan, Probe, Steps};
use crate::connection::Upgraded;
use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Checked, Event, Evidence, Level, ProbeVerdict, Probed};
use crate::protocol::frame::Opcode;
use crate::run::Work;
use crate::text::Untrusted;

/// Every probe, in the order in which they are tried.
pub fn probes() -> impl Iterator<Item = &'static Probe> {
    let groups = [
        handshake::PROBES,
        handshake::ORIGINS,
        tls::PROBES,
        frame::PROBES,
        echo::PROBES,
        limits::PROBES,
    ];
    groups.into_iter().flatten()
}

/// Whether a name is a group or an id.
pub fn is_known(name: &str) -> bool {
    probes().any(|probe| probe.id == name || probe.group() == name)
}

/// Tries the probes one after the other.
///
/// # Errors
/// The server can't be reached (exits 3 to 12), or a probe failed or the server didn't survive one (1).
pub fn check(work: &mut Work<'_>, options: &CheckOptions) -> Result<()> {
    let began = Instant::now();
    let (reach, base) = survey(work, options)?;
    let named = |names: &[String], probe: &Probe| {
        names.iter().any(|name| name == probe.id || name == probe.group())
    };
    let chosen = probes().filter(|probe| {
        (options.intrusive || probe.group() != limits::GROUP)
            && (options.only.is_empty() || named(&options.only, probe))
            && !named(&options.skip, probe)
    });
    let mut counts = Checked::default();
    let mut last = None;
    let mut gone = None;
    for probe in chosen {
        let outcome = judged(work, options, (&reach, &base), probe);
        let mut probed = match outcome {
            Ok(probed) => probed,
            Err(error) if matches!(error.exit, Exit::Interrupted | Exit::Terminated) => {
                return Err(error);
            }
            Err(error) => {
                gone = Some(died(last, error));
                break;
            }
        };
        last = Some(probe.id);
        if options.baseline.get(probe.id).is_some_and(|before| before == probed.verdict.name()) {
            counts.unchanged += 1;
            continue;
        }
        let may_fail = options.allow.iter().any(|id| id == probe.id);
        probed.allowed =
            may_fail && matches!(probed.verdict, ProbeVerdict::Pass | ProbeVerdict::Fail);
        match probed.verdict {
            ProbeVerdict::Pass => counts.pass += 1,
            ProbeVerdict::Warn => counts.warn += 1,
            ProbeVerdict::Fail if may_fail => counts.allowed += 1,
            ProbeVerdict::Fail => counts.fail += 1,
            ProbeVerdict::NotApplicable => counts.not_applicable += 1,
        }
        work.tell(Event::Probed(&probed));
    }
    if let (None, Some(id)) = (&gone, last)
        && let Err(error) = reach.open(work, "")
    {
        gone = Some(died(Some(id), error));
    }
    counts.took = began.elapsed();
    counts.cut_short = gone.is_some();
    work.tell(Event::Checked(&counts));
    if let Some(error) = gone {
        return Err(error);
    }
    let denied = if options.deny_warnings { counts.warn } else { 0 };
    match counts.fail + denied {
        0 => Ok(()),
        _ => Err(Error::new(Stage::Session, Exit::Expectation, failed(&counts, denied))),
    }
}

fn failed(counts: &Checked, denied: usize) -> String {
    let probes = |n: usize, what: &str| match n {
        1 => format!("1 probe {what}"),
        n => format!("{n} probes {what}"),
    };
    match (counts.fail, denied) {
        (fail, 0) => probes(fail, "failed"),
        (0, warn) => probes(warn, "warned"),
        (fail, warn) => format!("{}, {}", probes(fail, "failed"), probes(warn, "warned")),
    }
}

fn died(last: Option<&str>, error: Error) -> Error {
    let what = match last {
        Some(id) => format!("the server can't be reached any more after {id}"),
        None => "the server can't be reached a second time".to_owned(),
    };
    let mut gone = Error::new(Stage::Session, Exit::Expectation, what).cause(error.what);
    gone.hints = error.hints;
    gone
}

/// A plain opening, and what it shows of the server.
fn survey(work: &mut Work<'_>, options: &CheckOptions) -> Result<(Reach, Base)> {
    let open = work.settings().open.clone();
    let first = work.open(&open)?;
    let reach = Reach {
        options: open,
        target: first.target.clone(),
        dial: first.dial.clone(),
        patience: options.patience,
    };
    let head = head(&first);
    let has_credentials = ["cookie", "authorization"].iter().any(|name| head.value(name).is_some());
    let target = &first.target;
    let deflates = reach.open(work, "permessage-deflate")?.report.deflate.is_some();
    let mut base = Base {
        has_credentials,
        secure: target.secure,
        host: target.host.to_string(),
        port: target.port,
        deflates,
        echoes: options.echo,
        head,
    };
    if !options.echo {
        base.echoes = echoes(work, &reach, &base, &options.send)?;
    }
    for (what, on) in [("sends messages back", base.echoes), ("compresses", base.deflates)] {
        let text = format!("the server {what}: {}", if on { "yes" } else { "no" });
        work.tell(Event::Notice { level: Level::Detail, text: &text });
    }
    Ok((reach, base))
}

/// Whether the server sends a message back.
fn echoes(work: &mut Work<'_>, reach: &Reach, base: &Base, text: &str) -> Result<bool> {
    let frames = vec![frame::of(Opcode::Text, text.as_bytes()), frame::of(Opcode::Ping, b"after")];
    let expected = text.as_bytes().to_vec();
    let case = Case {
        label: String::new(),
        ask: Ask::Frames { offer: "", frames },
        judge: Box::new(move |transcript, over| {
            let frames = transcript.frames(0);
            let is_echo = |f: &&transcript::Received<'_>| {
                f.header.opcode == Opcode::Text && *f.payload == *expected
            };
            if frames.iter().any(|f| is_echo(&f)) {
                return case::pass("");
            }
            let ponged = frames.iter().find(|f| f.is_pong(b"after"));
            let settled =
                ponged.is_some_and(|f| transcript.now >= f.at + Duration::from_millis(200));
            if over || settled { case::undecided("") } else { None }
        }),
    };
    Ok(reach.play(work, base, &case)?.0.verdict == ProbeVerdict::Pass)
}

/// Plays all cases of a probe; the worst verdict counts.
fn judged(
    work: &mut Work<'_>,
    options: &CheckOptions,
    (reach, base): (&Reach, &Base),
    probe: &Probe,
) -> Result<Probed> {
    let began = Instant::now();
    let mut worst: Option<(Finding, Option<Evidence>)> = None;
    let cases = match probe.plan {
        Plan::Steps(steps) => {
            let (finding, evidence) = steps(&mut Steps { work, reach, base, options })?;
            return Ok(probed(probe, finding, evidence, began));
        }
        Plan::Cases(cases) => cases(base),
    };
    let cases = match cases {
        Ok(cases) => cases,
        Err(why) => {
            let finding = Finding { verdict: ProbeVerdict::NotApplicable, why };
            return Ok(probed(probe, finding, None, began));
        }
    };
    let requests = cases.iter().any(|case| !matches!(case.ask, Ask::Frames { .. }));
    if requests {
        farewell(reach.open(work, "")?);
    }
    let several = cases.len() > 1;
    for case in &cases {
        let (mut finding, evidence) = reach.play(work, base, case)?;
        if several {
            finding.why = format!("{}: {}", case.label, finding.why);
        }
        let is_worse = worst.as_ref().is_none_or(|(before, _)| finding.verdict > before.verdict);
        if is_worse {
            worst = Some((finding, Some(evidence)));
        }
    }
    let Some((mut finding, evidence)) = worst else {
        let finding = Finding { verdict: ProbeVerdict::NotApplicable, why: "no case".to_owned() };
        return Ok(probed(probe, finding, None, began));
    };
    if several && finding.verdict == ProbeVerdict::Pass {
        finding.why = format!("{} cases", cases.len());
    }
    Ok(probed(probe, finding, evidence, began))
}

fn probed(probe: &Probe, finding: Finding, evidence: Option<Evidence>, began: Instant) -> Probed {
    let Finding { verdict, why } = finding;
    Probed {
        id: probe.id,
        clause: probe.clause,
        proves: probe.proves,
        verdict,
        why: Untrusted::text(&why).to_string(),
        allowed: false,
        evidence,
        took: began.elapsed(),
    }
}

/// Says goodbye on a connection that isn't needed: a server may count those that are cut.
fn farewell(mut upgraded: Upgraded) {
    let close = frame::of(Opcode::Close, &1000_u16.to_be_bytes());
    // It is only polite.
    let _ = upgraded.stream.write(&bytes(&[close]));
    let _ = upgraded.stream.flush();
}
