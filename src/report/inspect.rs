//! `wstap inspect`: the opening handshake and what comes right after it, as a report with a verdict.

use std::io::{self, Write};

use crate::event::{Direction, Event, Level, Stamped, Summary, Timings};
use crate::protocol::close::Party;
use crate::protocol::handshake::Verdict;
use crate::report::lines::{Lines, Mark, verb};
use crate::report::phases;
use crate::report::refusal;
use crate::report::style::{Style, Tone};
use crate::report::tentative::Tentative;
use crate::report::{Needs, Reporter};
use crate::text::Untrusted;
use crate::text::units::{Count, Took};

/// Most bytes of a message that are shown.
const MAX_SHOWN: usize = 200;

/// Writes the report.
#[derive(Debug)]
pub struct Inspect {
    style: Style,
    section: &'static str,
    timings: Timings,
    /// What was reported of an attempt that may be repeated.
    tentative: Tentative,
    /// Status of the final response.
    status: Option<u16>,
    failed: usize,
    warned: usize,
}

impl Inspect {
    /// A report, coloured or not.
    pub fn new(color: bool) -> Inspect {
        Inspect {
            style: Style::new(color),
            section: "",
            timings: Timings::default(),
            tentative: Tentative::default(),
            status: None,
            failed: 0,
            warned: 0,
        }
    }

    /// Begins a section, unless it is the current one.
    fn section(&mut self, name: &'static str, lines: &mut Lines<'_>) -> io::Result<()> {
        if self.section == name {
            return Ok(());
        }
        let gap = if self.section.is_empty() { "" } else { "\n" };
        self.section = name;
        writeln!(lines.out, "{gap}{}", self.style.paint(Tone::Info, name))
    }

    fn told(&mut self, event: &Event<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
        match *event {
            Event::Postponed => {
                (self.section, self.status) = ("", None);
                Ok(())
            }
            Event::Resolved { host, addresses, took } => {
                self.section("Connection", lines)?;
                phases::resolved(lines, host, addresses, took)
            }
            Event::ConnectFailed { to, why } => {
                self.section("Connection", lines)?;
                let (to, why) = (Untrusted::text(to), Untrusted::text(why));
                lines.warn(format_args!("connecting to {to} failed: {why}"))
            }
            Event::Connected { to, from, took } => {
                self.section("Connection", lines)?;
                phases::connected(lines, to, from, took)
            }
            Event::ProxyConnected { proxy, answer, took } => {
                self.section("Connection", lines)?;
                phases::proxy(lines, proxy, answer, took)
            }
            Event::TlsEstablished { tls, took } => {
                self.section("TLS", lines)?;
                phases::tls(lines, tls, took)
            }
            Event::RequestSent { request } => {
                self.section("Request", lines)?;
                phases::head(lines, Mark::Sent, request.head())
            }
            Event::InformationalResponse { response } => {
                self.section("Response", lines)?;
                phases::head(lines, Mark::Received, response.head())
            }
            Event::Redirected { status, from, to, dropped } => {
                self.section("Redirect", lines)?;
                phases::redirected(lines, status, (from, to), dropped)
            }
            Event::ResponseReceived { response, took, followed } => {
                self.section("Response", lines)?;
                self.status = Some(response.status()).filter(|_| !followed);
                phases::head(lines, Mark::Received, response.head())?;
                refusal::body(lines, response, true)?;
                lines.info(format_args!("received {} after the request", Took(took)))
            }
            Event::Judged { report } => {
                self.section("Handshake", lines)?;
                self.failed = report.with(Verdict::Fail).count();
                self.warned = report.with(Verdict::Warn).count();
                phases::rules(lines, report)
            }
            Event::Opened { opening } => {
                self.section("Opened", lines)?;
                phases::opened(lines, "connected to", opening)?;
                phases::timings(lines, &self.timings)
            }
            Event::Data(data) if data.first => {
                self.section("After opening", lines)?;
                let (verb, size) = (verb(data.direction), Count(data.bytes.len() as u64, "byte"));
                let whole = if data.last { "" } else { " or more" };
                let shown = data.bytes.get(..MAX_SHOWN).unwrap_or(data.bytes);
                let cut = if shown.len() < data.bytes.len() { "…" } else { "" };
                let (opcode, shown) = (data.opcode, Untrusted(shown));
                let size = format!("{size}{whole}");
                lines.info(format_args!("{verb} {opcode} message, {size}: {shown}{cut}"))
            }
            Event::Ping { direction: Direction::In, .. } => {
                self.section("After opening", lines)?;
                lines.info(format_args!("received ping"))
            }
            Event::Violation { violation, .. } => {
                self.section("After opening", lines)?;
                let text = violation.to_string();
                lines.warn(format_args!("protocol violation: {}", Untrusted::text(&text)))
            }
            Event::Closed { closure, .. } if closure.first != Some(Party::Us) => {
                self.section("After opening", lines)?;
                phases::closed(lines, closure)
            }
            Event::Notice { level: Level::Detail, text } => {
                lines.info(format_args!("{}", Untrusted::text(text)))
            }
            Event::Notice { level: Level::Warning, text } => {
                lines.warn(format_args!("{}", Untrusted::text(text)))
            }
            Event::Summary(summary) => {
                let findings = match &summary.error {
                    Some(error) => error.diagnosis(),
                    None => summary.findings.clone(),
                };
                if !findings.is_empty() {
                    self.section("Diagnosis", lines)?;
                    phases::findings(lines, &findings)?;
                }
                self.section("Verdict", lines)?;
                self.verdict(summary, lines)
            }
            _ => Ok(()),
        }
    }

    fn verdict(&self, summary: &Summary, lines: &mut Lines<'_>) -> io::Result<()> {
        let exit = summary.exit;
        let (tone, text) = match (&summary.error, self.status) {
            (_, Some(101)) if self.failed > 0 => {
                let rules = Count(self.failed as u64, "rule");
                (Tone::Bad, format!("✗ {rules} of the opening handshake broken (exit {exit})"))
            }
            (Some(error), Some(300..=399)) => {
                (Tone::Bad, format!("✗ {} (exit {exit})", Untrusted::text(&error.what)))
            }
            (_, Some(status)) if status != 101 => {
                (Tone::Bad, format!("✗ the upgrade was refused with {status} (exit {exit})"))
            }
            (Some(error), _) => {
                let (stage, what) = (error.stage.name(), Untrusted::text(&error.what));
                (Tone::Bad, format!("✗ {stage}: {what} (exit {exit})"))
            }
            (None, _) if exit != 0 => (Tone::Bad, format!("✗ ended early (exit {exit})")),
            (None, _) if self.warned > 0 => {
                let warnings = Count(self.warned as u64, "warning");
                (Tone::Warning, format!("! the opening handshake is accepted, with {warnings}"))
            }
            (None, _) => {
                (Tone::Good, "✓ the opening handshake keeps every rule of RFC 6455".to_owned())
            }
        };
        lines.info(format_args!("{}", self.style.paint(tone, text)))
    }
}

impl Reporter for Inspect {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.timings.note(event.event);
        let style = self.style;
        let mut held = self.tentative.buffer(event.event, out)?;
        let out = held.as_mut().map_or(out, |held| held as &mut dyn Write);
        let told = self
            .told(event.event, &mut Lines { out, style, time: None, marked: false, columns: None });
        self.tentative.keep(held);
        told
    }

    fn needs(&self) -> Needs {
        Needs { received: true, sent: true, details: true, ..Needs::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::{Error, Exit, Stage};
    use crate::http::head::Response;
    use crate::protocol::handshake::{HandshakeReport, HandshakeRule, RuleResult};
    use crate::redact::{Guarded, Secrets};
    use crate::report::testing::shown;

    fn response(head: &str, status: u16) -> Guarded<Response> {
        let response = Response { head: head.into(), status, ..Response::default() };
        Guarded::new(response, Secrets::Hidden)
    }

    #[test]
    fn a_wrong_accept_is_shown_side_by_side() {
        let report = HandshakeReport {
            rules: vec![
                RuleResult {
                    rule: HandshakeRule::Status,
                    verdict: Verdict::Pass,
                    expected: "101".into(),
                    received: b"101".to_vec(),
                    note: String::new(),
                },
                RuleResult {
                    rule: HandshakeRule::Accept,
                    verdict: Verdict::Fail,
                    expected: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into(),
                    received: b"wrong\x1b[2J".to_vec(),
                    note: String::new(),
                },
            ],
            ..HandshakeReport::default()
        };
        let response = response("HTTP/1.1 101 Switching Protocols\r\n\r\n", 101);
        let summary = Summary { exit: 7, ..Summary::default() };
        let text = shown(
            &mut Inspect::new(false),
            &[
                Event::ResponseReceived {
                    response: &response,
                    took: Duration::from_millis(23),
                    followed: false,
                },
                Event::Judged { report: &report },
                Event::Summary(&summary),
            ],
        );
        assert_eq!(
            text,
            "Response\n\
             < HTTP/1.1 101 Switching Protocols\n\
             < \n\
             \x20 received 23 ms after the request\n\
             \n\
             Handshake\n\
             \x20 handshake: 1 of 2 rules kept\n\
             \x20   ✓ the status is 101 (RFC 6455 §4.1 (1))\n\
             \x20   ✗ Sec-WebSocket-Accept is made of the key (RFC 6455 §4.1 (4))\n\
             \x20       computed: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\
             \x20       received: wrong\\x1b[2J\n\
             \n\
             Verdict\n\
             \x20 ✗ 1 rule of the opening handshake broken (exit 7)\n"
        );
    }

    #[test]
    fn each_end_has_its_verdict() {
        let verdict = |events: &[Event<'_>]| {
            let text = shown(&mut Inspect::new(false), events);
            text.lines().last().unwrap().trim().to_owned()
        };
        let good = Summary::default();
        assert_eq!(
            verdict(&[Event::Summary(&good)]),
            "✓ the opening handshake keeps every rule of RFC 6455"
        );
        let refused = response("HTTP/1.1 403 Forbidden\r\n\r\n", 403);
        let took = Duration::ZERO;
        let six = Summary { exit: 6, ..Summary::default() };
        assert_eq!(
            verdict(&[
                Event::ResponseReceived { response: &refused, took, followed: false },
                Event::Summary(&six)
            ]),
            "✗ the upgrade was refused with 403 (exit 6)"
        );
        let error = Some(Error::new(Stage::Tls, Exit::Tls, "expired"));
        let five = Summary { exit: 5, error, ..Summary::default() };
        assert_eq!(verdict(&[Event::Summary(&five)]), "✗ tls: expired (exit 5)");
    }
}
