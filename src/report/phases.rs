//! Shows the phases of a connection's opening and closing in the same words in every view for
//! people.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::diagnosis::{Finding, Sure};
use crate::event::{Certificate, Compression, Opening, Timings, TlsInfo, Totals};
use crate::protocol::close::{CloseStatus, Closure, End, Party};
use crate::protocol::handshake::{HandshakeReport, HandshakeRule, RuleResult, Verdict};
use crate::report::lines::{Lines, Mark};
use crate::report::style::{Style, Tone};
use crate::text::Untrusted;
use crate::text::units::{Count, Took};

/// A certificate with fewer days left is about to expire.
const SOON: i64 = 14;

/// The name's addresses.
pub(super) fn resolved(
    lines: &mut Lines<'_>,
    host: &str,
    addresses: &[SocketAddr],
    took: Duration,
) -> io::Result<()> {
    let list: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    let host = Untrusted::text(host);
    lines.info(format_args!("resolved {host} in {}: {}", Took(took), list.join(", ")))
}

/// The transport connection.
pub(super) fn connected(
    lines: &mut Lines<'_>,
    to: &str,
    from: &str,
    took: Duration,
) -> io::Result<()> {
    let (to, from) = (Untrusted::text(to), Untrusted::text(from));
    lines.info(format_args!("connected to {to} from {from} in {}", Took(took)))
}

/// The proxy's answer.
pub(super) fn proxy(
    lines: &mut Lines<'_>,
    proxy: &str,
    answer: &str,
    took: Duration,
) -> io::Result<()> {
    let (proxy, answer) = (Untrusted::text(proxy), Untrusted::text(answer));
    lines.info(format_args!("proxy {proxy} answered in {}: {answer}", Took(took)))
}

/// TLS parameters and the certificate chain.
pub(super) fn tls(lines: &mut Lines<'_>, tls: &TlsInfo, took: Duration) -> io::Result<()> {
    lines.info(format_args!("{} in {}", agreed(tls), Took(took)))?;
    chain(lines, tls)
}

/// TLS parameters and the certificate chain, as the answer to `/tls`.
pub fn tls_text(tls: &TlsInfo) -> String {
    let mut out = Vec::new();
    let mut lines =
        Lines { out: &mut out, style: Style::new(false), time: None, marked: false, columns: None };
    // Writing into a Vec can't fail.
    let _ = lines.info(format_args!("{}", agreed(tls))).and_then(|()| chain(&mut lines, tls));
    String::from_utf8_lossy(&out).into_owned()
}

fn chain(lines: &mut Lines<'_>, tls: &TlsInfo) -> io::Result<()> {
    for (number, certificate) in tls.certificates.iter().enumerate() {
        self::certificate(lines, number + 1, certificate)?;
    }
    Ok(())
}

fn agreed(tls: &TlsInfo) -> String {
    let mut parts =
        vec![format!("{} with {}", Untrusted::text(&tls.version), Untrusted::text(&tls.cipher))];
    for (name, value) in [("group", &tls.group), ("ALPN", &tls.alpn), ("SNI", &tls.sni)] {
        if let Some(value) = value {
            parts.push(format!("{name} {}", Untrusted::text(value)));
        }
    }
    parts.join(", ")
}

fn certificate(lines: &mut Lines<'_>, number: usize, certificate: &Certificate) -> io::Result<()> {
    let names: Vec<String> =
        certificate.names.iter().map(|name| Untrusted::text(name).to_string()).collect();
    let names = match names.is_empty() {
        true => String::new(),
        false => format!(", for {}", names.join(", ")),
    };
    let subject = Untrusted::text(&certificate.subject);
    lines.info(format_args!("  certificate {number}: {subject}{names}"))?;
    let left = match certificate.days_left {
        days @ ..0 => lines.style.paint(Tone::Bad, format!("expired {} ago", days_of(-days))),
        days @ 0..SOON => lines.style.paint(Tone::Warning, format!("{} left", days_of(days))),
        days => lines.style.paint(Tone::Good, format!("{} left", days_of(days))),
    };
    lines.info(format_args!("    issued by {}", Untrusted::text(&certificate.issuer)))?;
    let (from, until) =
        (Untrusted::text(&certificate.not_before), Untrusted::text(&certificate.not_after));
    lines.info(format_args!("    valid from {from} until {until} ({left})"))?;
    lines.info(format_args!("    SHA-256 {}", Untrusted::text(&certificate.sha256)))
}

fn days_of(days: i64) -> Count {
    Count(days.unsigned_abs(), "day")
}

/// A redirect that is followed.
pub(super) fn redirected(
    lines: &mut Lines<'_>,
    status: u16,
    (from, to): (&str, &str),
    dropped: &[String],
) -> io::Result<()> {
    let (from, to) = (Untrusted::text(from), Untrusted::text(to));
    lines.info(format_args!("{status} redirects from {from} to {to}"))?;
    if dropped.is_empty() {
        return Ok(());
    }
    let dropped = dropped.join(", ");
    lines.info(format_args!("not sent to another origin: {}", Untrusted::text(&dropped)))
}

/// A head as on the wire.
pub(super) fn head(lines: &mut Lines<'_>, mark: Mark, head: &[u8]) -> io::Result<()> {
    for line in head.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        lines.line(mark, format_args!("{}", Untrusted(line)))?;
    }
    Ok(())
}

/// Every rule of the opening handshake with its verdict.
pub(super) fn rules(lines: &mut Lines<'_>, report: &HandshakeReport) -> io::Result<()> {
    let (all, warned) = (report.rules.len(), report.with(Verdict::Warn).count());
    let kept = report.with(Verdict::Pass).count();
    let warned = match warned {
        0 => String::new(),
        count => format!(", {}", Count(count as u64, "warning")),
    };
    lines.info(format_args!("handshake: {kept} of {all} rules kept{warned}"))?;
    for result in &report.rules {
        let sign = match result.verdict {
            Verdict::Pass => lines.style.paint(Tone::Good, "✓"),
            Verdict::Warn => lines.style.paint(Tone::Warning, "!"),
            Verdict::Fail => lines.style.paint(Tone::Bad, "✗"),
        };
        let (sentence, clause) = (result.rule.sentence(), result.rule.clause());
        lines.info(format_args!("  {sign} {sentence} ({clause})"))?;
        evidence(lines, result)?;
    }
    Ok(())
}

/// Expected and received, one above the other.
fn evidence(lines: &mut Lines<'_>, result: &RuleResult) -> io::Result<()> {
    let passed = result.verdict == Verdict::Pass;
    if !result.note.is_empty() {
        lines.info(format_args!("      {}", Untrusted::text(&result.note)))?;
    }
    if passed && result.rule != HandshakeRule::Accept {
        return Ok(());
    }
    let expected_name =
        if result.rule == HandshakeRule::Accept { "computed:" } else { "expected:" };
    if !result.expected.is_empty() {
        lines.info(format_args!("      {expected_name} {}", Untrusted::text(&result.expected)))?;
        let received: &[u8] =
            if result.received.is_empty() { b"(nothing)" } else { &result.received };
        lines.info(format_args!("      received: {}", Untrusted(received)))?;
    }
    Ok(())
}

/// Warnings: rules that were not kept but don't fail the handshake.
pub(super) fn rule_warnings(lines: &mut Lines<'_>, report: &HandshakeReport) -> io::Result<()> {
    if report.verdict() == Verdict::Fail {
        return Ok(());
    }
    for result in report.with(Verdict::Warn) {
        let clause = result.rule.clause();
        if result.note.is_empty() {
            let (sentence, received) = (result.rule.sentence(), Untrusted(&result.received));
            lines.warn(format_args!("handshake: not so: {sentence}; {received} ({clause})"))?;
        } else {
            let (name, note) = (result.rule.name(), Untrusted::text(&result.note));
            lines.warn(format_args!("handshake: {name}: {note} ({clause})"))?;
        }
    }
    Ok(())
}

/// The connection is open.
pub(super) fn opened(lines: &mut Lines<'_>, what: &str, opening: &Opening) -> io::Result<()> {
    let mut agreed = Vec::new();
    if let Some(chosen) = &opening.subprotocol {
        agreed.push(format!("subprotocol {}", Untrusted::text(chosen)));
    }
    if !opening.extensions.is_empty() {
        agreed.push(Untrusted::text(&opening.extensions).to_string());
    }
    let agreed = match agreed.is_empty() {
        true => String::new(),
        false => format!(" ({})", agreed.join(", ")),
    };
    let url = Untrusted::text(&opening.url);
    lines.info(format_args!("{what} {url}{agreed} in {}", Took(opening.took)))
}

/// How long the phases took.
pub(super) fn timings(lines: &mut Lines<'_>, timings: &Timings) -> io::Result<()> {
    let phases: Vec<String> =
        timings.phases().map(|(name, took)| format!("{name} {}", Took(took))).collect();
    if phases.is_empty() {
        return Ok(());
    }
    lines.info(format_args!("timings: {}", phases.join(", ")))
}

/// A Close's code, meaning and reason.
pub(super) fn status(status: &CloseStatus) -> String {
    match status.code {
        None => "no code (1005)".to_owned(),
        Some(code) if status.reason.is_empty() => format!("{code} ({})", code.meaning()),
        Some(code) => {
            let reason = Untrusted(&status.reason);
            format!("{code} ({}), reason \"{reason}\"", code.meaning())
        }
    }
}

/// Whether the connection ended abnormally.
pub(super) fn is_abnormal(closure: &Closure) -> bool {
    !closure.is_clean() || !closure.is_normal()
}

/// Whether the peer's Close is more than the usual answer to ours.
pub(super) fn is_peers(closure: &Closure) -> bool {
    closure.received.is_some() && (closure.first == Some(Party::Peer) || !closure.is_normal())
}

/// The end in one line.
pub(super) fn closed(lines: &mut Lines<'_>, closure: &Closure) -> io::Result<()> {
    let mark = if is_abnormal(closure) { Mark::Warning } else { Mark::Info };
    lines.line(mark, format_args!("{}", closed_text(closure)))
}

/// How a connection ended, in words that are safe to show.
pub fn closed_text(closure: &Closure) -> String {
    let after = Took(closure.after);
    match (closure.first, &closure.sent, &closure.received) {
        (Some(Party::Us), Some(sent), None) => {
            let (sent, how) = (status(sent), end(&closure.end));
            format!(
                "closed by us with {sent}, {after} after opening; the peer sent no Close, {how}"
            )
        }
        (Some(Party::Us), Some(sent), Some(received)) => {
            let answer = match closure.is_echo() {
                true => String::new(),
                false => format!("; the peer answered {}", status(received)),
            };
            format!("closed by us with {}, {after} after opening{answer}", status(sent))
        }
        (_, _, Some(received)) => {
            format!("closed by the peer with {}, {after} after opening", status(received))
        }
        (_, _, None) => {
            let how = end(&closure.end);
            format!("connection lost without a Close frame (1006), {after} after opening: {how}")
        }
    }
}

/// The end in detail, besides the Close frames, which have lines of their own.
pub(super) fn anatomy(lines: &mut Lines<'_>, closure: &Closure) -> io::Result<()> {
    let (took, how) = (Took(closure.took), end(&closure.end));
    lines.info(format_args!("  closing took {took}; {how}"))?;
    if closure.received.is_some() && closure.ignored > 0 {
        let bytes = Count(closure.ignored, "byte");
        lines.warn(format_args!("  {bytes} after the peer's Close frame ignored (§5.5.1)"))?;
    }
    Ok(())
}

fn end(end: &End) -> String {
    match end {
        End::Eof => "the peer ended the stream".to_owned(),
        End::Local => "we ended the stream".to_owned(),
        End::Broken(how) => format!("the stream broke: {}", Untrusted::text(how)),
    }
}

/// Findings, each with its evidence and its next steps.
pub(super) fn findings(lines: &mut Lines<'_>, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        let sure = match finding.sure {
            Sure::Certain => lines.style.paint(Tone::Bad, "certain:"),
            Sure::Probable => lines.style.paint(Tone::Warning, "probable:"),
            Sure::May => lines.style.paint(Tone::Info, "perhaps:"),
        };
        lines.info(format_args!("{sure} {}", Untrusted::text(&finding.cause)))?;
        if !finding.evidence.is_empty() {
            lines.info(format_args!("  because: {}", Untrusted::text(&finding.evidence)))?;
        }
        for step in &finding.next {
            let word = lines.style.paint(Tone::Info, "  next:");
            lines.info(format_args!("{word} {}", Untrusted::text(step)))?;
        }
    }
    Ok(())
}

/// Traffic totals.
pub(super) fn totals(lines: &mut Lines<'_>, totals: &Totals) -> io::Result<()> {
    for (direction, messages, payload, frames, wire) in [
        ("received", totals.messages_in, totals.payload_in, totals.frames_in, totals.wire_in),
        ("sent", totals.messages_out, totals.payload_out, totals.frames_out, totals.wire_out),
    ] {
        lines.info(format_args!(
            "{direction}: {} with {} in {}, {} on the wire",
            Count(messages, "message"),
            Count(payload, "byte"),
            Count(frames, "frame"),
            Count(wire, "byte"),
        ))?;
    }
    if totals.pings_in + totals.pongs_in > 0 {
        let (pings, pongs) = (Count(totals.pings_in, "ping"), Count(totals.pongs_in, "pong"));
        lines.info(format_args!("received: {pings}, {pongs}"))?;
    }
    compression(lines, "received", totals.compression_in)?;
    compression(lines, "sent", totals.compression_out)
}

/// What compression saved or cost, if it was used.
pub(super) fn compression(lines: &mut Lines<'_>, what: &str, did: Compression) -> io::Result<()> {
    if !did.was_used() {
        return Ok(());
    }
    let tone = if did.saved_percent() < 0.0 { Tone::Warning } else { Tone::Good };
    let did = lines.style.paint(tone, did);
    lines.info(format_args!("{what}: compression {did}"))
}
