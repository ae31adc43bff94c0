//! The view for people: stderr in pipe mode, and the text above the prompt of the REPL.

mod cut;
mod messages;
mod options;

use std::io::{self, Write};
use std::time::Duration;

use crate::error::Error;
use crate::event::{Event, Level, Moment, Setting, Stamped, Timings};
use crate::http::head::Response;
use crate::redact::Guarded;
use crate::report::human::messages::Messages;
use crate::report::lines::{Lines, Mark, verb};
use crate::report::phases;
use crate::report::refusal;
use crate::report::style::{Style, Tone};
use crate::report::tentative::Tentative;
use crate::report::{Needs, Reporter};
use crate::text::units::Took;
use crate::text::{Untrusted, UntrustedLines};

pub use options::HumanOptions;

/// What a person needs to know at the prompt.
const BANNER: &str = "a line is sent as a message; /help lists the commands";

/// Writes lines for people.
#[derive(Debug)]
pub struct Human {
    options: HumanOptions,
    style: Style,
    columns: Option<fn() -> usize>,
    timings: Timings,
    messages: Messages,
    /// Reconnecting after a lost connection.
    reconnecting: bool,
    /// How the connection ended was the last thing shown.
    end_shown: bool,
    /// What was shown of an attempt that may be repeated.
    tentative: Tentative,
    /// The person was told how to get help.
    greeted: bool,
    /// When the last line was shown, from the start of the run.
    before: Duration,
    /// The status of the last response.
    status: u16,
    /// At the lowest verbosity: the failure details to hold back. The run's one line about its
    /// failure repeats them; if the run doesn't fail, they don't matter.
    held: Vec<u8>,
}

impl Human {
    /// A view with these options; the REPL makes another to change them.
    pub fn new(options: HumanOptions) -> Human {
        Human {
            options,
            style: Style::new(options.color),
            columns: None,
            timings: Timings::default(),
            messages: Messages::START,
            reconnecting: false,
            end_shown: false,
            tentative: Tentative::default(),
            greeted: false,
            before: Duration::ZERO,
            status: 0,
            held: Vec::new(),
        }
    }

    /// Breaks our own lines between words where the terminal has fewer columns.
    pub fn wrapping(self, columns: fn() -> usize) -> Human {
        Human { columns: Some(columns), ..self }
    }

    fn shows(&self, verbosity: u8) -> bool {
        self.options.shows(verbosity)
    }

    /// Whether a failure's details wait for the line that reports the failure.
    fn holds(&self) -> bool {
        !self.options.repl && !self.options.server && self.options.verbosity == 0
    }

    fn told(&mut self, at: Moment, event: &Event<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
        let quiet = self.options.quiet;
        match *event {
            Event::Data(data) => self.messages.data(&self.options, &data, lines),
            Event::Sent(sent) => messages::sent(&self.options, &sent, lines),
            Event::Recalled(message) => self.messages.recalled(&self.options, &message, lines),
            Event::Answer { text, bare } => answer(text, bare, lines),
            Event::Error(error) => self.error(error, lines),
            Event::Summary(summary) => {
                if summary.error.is_none() && summary.exit != 0 && !quiet {
                    lines.out.write_all(&self.held)?;
                }
                self.held.clear();
                Ok(())
            }
            _ if quiet => Ok(()),
            Event::Attempt { url, .. } if self.options.repl => {
                lines.info(format_args!("connecting to {}", Untrusted::text(url)))
            }
            // A notice has said whether the certificate is trusted.
            Event::TlsEstablished { tls, took } if self.shows(1) => phases::tls(lines, tls, took),
            Event::TlsEstablished { .. } => Ok(()),
            Event::ResponseReceived { response, followed, .. } => {
                self.response(response, followed, lines)
            }
            Event::Judged { report } if self.shows(1) => phases::rules(lines, report),
            Event::Judged { report } => phases::rule_warnings(lines, report),
            Event::Opened { opening } => {
                self.end_shown = false;
                let back = std::mem::take(&mut self.reconnecting);
                if back || self.options.repl || self.shows(1) {
                    let what = if self.options.server { "opened" } else { "connected to" };
                    phases::opened(lines, what, opening)?;
                }
                if self.shows(1) {
                    phases::timings(lines, &self.timings)?;
                }
                let greets = self.options.repl && !self.options.sent;
                match greets && !std::mem::replace(&mut self.greeted, true) {
                    true => lines.info(format_args!("{BANNER}")),
                    false => Ok(()),
                }
            }
            Event::Violation { violation, fatal } => {
                let text = violation.to_string();
                let text = Untrusted::text(&text);
                let line = if fatal {
                    format!("protocol violation by the peer: {text}")
                } else {
                    format!("tolerated: {text}")
                };
                self.held_or_told(fatal, lines, |lines| lines.warn(format_args!("{line}")))
            }
            Event::Closed { closure, totals, failed } => {
                let is_news = !failed && !self.options.server && phases::is_peers(closure);
                if self.options.repl || self.shows(1) || is_news {
                    self.end_shown = true;
                    phases::closed(lines, closure)?;
                } else if phases::is_abnormal(closure) {
                    self.held_or_told(true, lines, |lines| phases::closed(lines, closure))?;
                }
                if self.shows(1) {
                    phases::anatomy(lines, closure)?;
                    phases::totals(lines, totals)?;
                }
                Ok(())
            }
            Event::Reconnecting { attempt, delay, why } => {
                self.held.clear();
                self.reconnecting = true;
                let (delay, why) = (Took(delay), Untrusted::text(why));
                match std::mem::take(&mut self.end_shown) {
                    true => lines.info(format_args!("reconnecting in {delay} (attempt {attempt})")),
                    false => lines
                        .info(format_args!("{why}; reconnecting in {delay} (attempt {attempt})")),
                }
            }
            Event::Notice { level, text } => {
                let text = Untrusted::text(text);
                match level {
                    Level::Detail if !self.shows(1) => Ok(()),
                    Level::Detail | Level::Info => lines.info(format_args!("{text}")),
                    Level::Warning => lines.warn(format_args!("{text}")),
                }
            }
            ref other if self.shows(1) => self.detail(at, other, lines),
            _ => Ok(()),
        }
    }

    /// Shows the events of `-v` and above.
    fn detail(&mut self, at: Moment, event: &Event<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
        match *event {
            Event::Resolving { host } => {
                lines.info(format_args!("resolving {}", Untrusted::text(host)))
            }
            Event::Resolved { host, addresses, took } => {
                phases::resolved(lines, host, addresses, took)
            }
            Event::Connecting { to } => {
                lines.info(format_args!("connecting to {}", Untrusted::text(to)))
            }
            Event::ConnectFailed { to, why } => {
                let (to, why) = (Untrusted::text(to), Untrusted::text(why));
                lines.warn(format_args!("connecting to {to} failed: {why}"))
            }
            Event::Connected { to, from, took } => phases::connected(lines, to, from, took),
            Event::ProxyConnected { proxy, answer, took } => {
                phases::proxy(lines, proxy, answer, took)
            }
            Event::RequestSent { request } => {
                let mark = if self.options.server { Mark::Received } else { Mark::Sent };
                phases::head(lines, mark, request.head())
            }
            Event::Redirected { status, from, to, dropped } => {
                phases::redirected(lines, status, (from, to), dropped)
            }
            Event::InformationalResponse { response } => {
                phases::head(lines, Mark::Received, response.head())
            }
            Event::Ping { direction, payload } => {
                lines.info(format_args!("{} ping{}", verb(direction), quoted(payload)))
            }
            Event::Pong { direction, payload, rtt: Some(rtt) } => {
                let (verb, payload) = (verb(direction), quoted(payload));
                lines.info(format_args!("{verb} pong after {}{payload}", Took(rtt)))
            }
            Event::Pong { direction, payload, rtt: None } => {
                lines.info(format_args!("{} pong{}", verb(direction), quoted(payload)))
            }
            Event::Close { direction, status, .. } => {
                lines.info(format_args!("{} Close {}", verb(direction), phases::status(status)))
            }
            Event::Frame(frame) if self.shows(2) => {
                self.messages.frame(&self.options, &frame, at, lines)
            }
            Event::FramePayload(payload) if self.shows(3) => {
                messages::frame_payload(&payload, lines.out)
            }
            _ => Ok(()),
        }
    }

    fn held_or_told(
        &mut self,
        hold: bool,
        lines: &mut Lines<'_>,
        tell: impl FnOnce(&mut Lines<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if !(hold && self.holds()) {
            return tell(lines);
        }
        let Lines { style, time, marked, columns, .. } = *lines;
        tell(&mut Lines { out: &mut self.held, style, time, marked, columns })
    }

    fn response(
        &mut self,
        response: &Guarded<Response>,
        followed: bool,
        lines: &mut Lines<'_>,
    ) -> io::Result<()> {
        if self.options.server {
            return match self.shows(1) {
                true => phases::head(lines, Mark::Sent, response.head()),
                false => Ok(()),
            };
        }
        let before = std::mem::replace(&mut self.status, response.status());
        // A busy server gives the same answer at each attempt.
        let repeated = self.reconnecting && before == response.status() && !self.shows(1);
        let refused = response.status() != 101 && !followed && !repeated;
        if refused || self.shows(1) {
            phases::head(lines, Mark::Received, response.head())?;
        }
        if refused { refusal::body(lines, response, self.shows(1)) } else { Ok(()) }
    }

    fn error(&mut self, error: &Error, lines: &mut Lines<'_>) -> io::Result<()> {
        self.held.clear();
        let what = Untrusted::text(&error.what);
        let stage = error.stage.name();
        if self.options.repl && !self.options.sent {
            lines.warn(format_args!("{stage}: {what}"))?;
        } else {
            let name = self.style.paint(Tone::Bad, "wstap:");
            writeln!(lines.out, "{name} {stage}: {what}")?;
        }
        for cause in &error.causes {
            lines.more("because:", None, &Untrusted::text(cause).to_string())?;
        }
        for hint in error.advice() {
            lines.more("hint:", Some(Tone::Info), &Untrusted::text(&hint).to_string())?;
        }
        Ok(())
    }
}

impl Reporter for Human {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.timings.note(event.event);
        let style = self.style;
        let time = self.options.stamps.of(event.at, self.before);
        let mut held = match self.shows(1) {
            true => None,
            false => self.tentative.buffer(event.event, out)?,
        };
        let out = held.as_mut().map_or(out, |held| held as &mut dyn Write);
        let out = &mut Watched { out, written: false };
        let told = self.told(
            event.at,
            event.event,
            &mut Lines { out, style, time, marked: true, columns: self.columns },
        );
        if out.written {
            self.before = event.at.since;
        }
        self.tentative.keep(held);
        told
    }

    fn needs(&self) -> Needs {
        Needs {
            received: self.options.repl || self.shows(2),
            sent: self.options.repl && self.options.sent || self.shows(2),
            whole_messages: self.options.repl,
            frames: self.shows(2),
            frame_payloads: self.shows(3),
            control_frames: self.shows(1),
            details: self.shows(1) || self.options.repl,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        let HumanOptions { verbosity, quiet, color, stamps, pretty, hex, .. } = self.options;
        vec![
            Setting::Verbose(verbosity),
            Setting::Quiet(quiet),
            Setting::Timestamps(stamps.time),
            Setting::Pretty(pretty),
            Setting::Hex(hex),
            Setting::Color(color),
        ]
    }

    fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Color(on) => {
                self.options.color = on;
                self.style = Style::new(on);
            }
            Setting::Quiet(on) => self.options.quiet = on,
            Setting::Hex(on) => self.options.hex = on,
            // They concern the messages before they are shown.
            Setting::Inflate(_) | Setting::Templates(_) => {}
            Setting::Pretty(on) => self.options.pretty = on,
            Setting::Timestamps(on) => self.options.stamps.time = on,
            Setting::Verbose(level) => self.options.verbosity = level,
        }
    }
}

/// Knows whether an event was shown.
struct Watched<'a> {
    out: &'a mut dyn Write,
    written: bool,
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written = true;
        self.out.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written = true;
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn answer(text: &str, bare: bool, lines: &mut Lines<'_>) -> io::Result<()> {
    if bare {
        return writeln!(lines.out, "{}", UntrustedLines(text.as_bytes()));
    }
    for line in text.lines() {
        lines.info(format_args!("{}", UntrustedLines(line.as_bytes())))?;
    }
    Ok(())
}

/// A control frame's payload after a space, or nothing.
fn quoted(payload: &[u8]) -> String {
    match payload {
        [] => String::new(),
        payload => format!(" \"{}\"", Untrusted(payload)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::{Exit, Stage};
    use crate::event::{
        Certificate, Compression, Data, Direction, Opening, Summary, TlsInfo, Totals, Unverified,
    };
    use crate::http::head::{HeadLimits, HeadReader};
    use crate::protocol::close::{CloseCode, CloseStatus, Closure, End, Party};
    use crate::protocol::handshake::{HandshakeReport, Request};
    use crate::protocol::violation::{Policy, Rule, Violation};
    use crate::redact::Secrets;
    use crate::report::testing::{shown, text};
    use crate::text::stamp::Stamps;

    pub(super) fn pipe(verbosity: u8) -> Human {
        Human::new(HumanOptions { verbosity, ..HumanOptions::default() })
    }

    pub(super) fn repl() -> Human {
        Human::new(HumanOptions { repl: true, sent: true, ..HumanOptions::default() })
    }

    fn closure(code: u16, reason: &str) -> Closure {
        let received = CloseStatus::new(CloseCode(code), reason);
        Closure {
            sent: Some(received.clone()),
            received: Some(received),
            first: Some(Party::Peer),
            end: End::Eof,
            took: Duration::from_millis(1),
            after: Duration::from_secs(3),
            ignored: 0,
        }
    }

    #[test]
    fn opening_and_closing_in_the_repl() {
        let opening = Opening {
            url: Secrets::Hidden.url("wss://h/?token=x").into_owned(),
            subprotocol: Some("chat".into()),
            extensions: "permessage-deflate".into(),
            took: Duration::from_millis(23),
        };
        let mut view = repl();
        let opened = [Event::Opened { opening: &opening }];
        assert_eq!(
            shown(&mut view, &opened),
            "* connected to wss://h/?token=*** (subprotocol chat, permessage-deflate) in 23 ms\n"
        );
        let totals = Totals::default();
        for (closure, line) in [
            (
                closure(1000, "bye\x07"),
                "* closed by the peer with 1000 (normal closure), reason \"bye\\x07\", \
                 3.00 s after opening\n",
            ),
            (
                closure(1011, ""),
                "! closed by the peer with 1011 (internal server error), 3.00 s after opening\n",
            ),
            (
                Closure { first: Some(Party::Us), ..closure(1000, "") },
                "* closed by us with 1000 (normal closure), 3.00 s after opening\n",
            ),
            (
                Closure { first: Some(Party::Us), received: None, ..closure(1000, "") },
                "! closed by us with 1000 (normal closure), 3.00 s after opening; \
                 the peer sent no Close, the peer ended the stream\n",
            ),
            (
                Closure {
                    first: None,
                    sent: None,
                    received: None,
                    end: End::Broken("reset".into()),
                    ..closure(1000, "")
                },
                "! connection lost without a Close frame (1006), 3.00 s after opening: \
                 the stream broke: reset\n",
            ),
        ] {
            let closed = Event::Closed { closure: &closure, totals: &totals, failed: false };
            assert_eq!(shown(&mut view, &[closed]), line);
        }
    }

    #[test]
    fn in_pipe_mode_a_failure_is_told_once() {
        let violation = Violation {
            rule: Rule::Masked,
            offset: 7,
            bytes: vec![0x81, 0x80],
            detail: String::new(),
        };
        let (closure, totals) = (closure(1002, ""), Totals::default());
        let ended = [
            Event::Violation { violation: &violation, fatal: true },
            Event::Closed { closure: &closure, totals: &totals, failed: true },
        ];
        let error = Error::new(Stage::Session, Exit::Protocol, "masked").cause("why").hint("try");
        let failed = Summary { exit: 8, error: Some(error.clone()), ..Summary::default() };
        let mut events = ended.to_vec();
        events.extend([Event::Error(&error), Event::Summary(&failed)]);
        assert_eq!(
            shown(&mut pipe(0), &events),
            "wstap: session: masked\n  because: why\n  hint: try\n"
        );
        let mut events = ended.to_vec();
        let interrupted = Summary { exit: 130, ..Summary::default() };
        events.push(Event::Summary(&interrupted));
        assert_eq!(
            shown(&mut pipe(0), &events),
            "! protocol violation by the peer: a masked frame from the server (RFC 6455 §5.1), \
             at byte 7 of the frame stream: 81 80\n\
             ! closed by the peer with 1002 (protocol error), 3.00 s after opening\n"
        );
        let tolerated = [Event::Violation { violation: &violation, fatal: false }];
        assert!(shown(&mut pipe(0), &tolerated).starts_with("! tolerated: a masked frame"));
    }

    #[test]
    fn a_refusal_is_always_shown_unless_quiet() {
        let head = b"HTTP/1.1 403 Forbidden\r\nSet-Cookie: a=b\r\nX: \xff\r\n\r\n";
        let mut reader = HeadReader::new(HeadLimits::default());
        let (mut response, _) = reader.feed(head).unwrap().unwrap();
        response.body = b"no \x1b[2J\r\nentry\n".to_vec();
        response.body_cut = Some("the connection ended".into());
        let response = Guarded::new(response, Secrets::Hidden);
        let (took, followed) = (Duration::ZERO, false);
        let refused = [Event::ResponseReceived { response: &response, took, followed }];
        assert_eq!(
            shown(&mut pipe(0), &refused),
            "< HTTP/1.1 403 Forbidden\n< Set-Cookie: ***\n< X: \\xff\n< \n< no \\x1b[2J\n< entry\n\
             ! the body is not whole: the connection ended\n"
        );
        let mut quiet = Human::new(HumanOptions { quiet: true, ..HumanOptions::default() });
        assert_eq!(shown(&mut quiet, &refused), "");
        let response = Guarded::new(response.reveal().clone(), Secrets::Shown);
        let refused = [Event::ResponseReceived { response: &response, took, followed }];
        assert!(shown(&mut pipe(0), &refused).contains("Set-Cookie: a=b\n"));
    }

    #[test]
    fn the_handshake_with_v() {
        let request = Request::new(
            &crate::protocol::handshake::RequestOptions {
                host: "h".into(),
                target: "/".into(),
                ..Default::default()
            },
            "dGhlIHNhbXBsZSBub25jZQ==",
        );
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        let mut reader = HeadReader::new(HeadLimits::default());
        let (response, _) = reader.feed(head).unwrap().unwrap();
        let report = HandshakeReport::judge(&request, &response, Policy::Lenient);
        let request = Guarded::new(request, Secrets::Hidden);
        let response = Guarded::new(response, Secrets::Hidden);
        let events = [
            Event::RequestSent { request: &request },
            Event::ResponseReceived {
                response: &response,
                took: Duration::from_millis(5),
                followed: false,
            },
            Event::Judged { report: &report },
        ];
        assert_eq!(
            shown(&mut pipe(1), &events),
            "> GET / HTTP/1.1\n> Host: h\n> Upgrade: websocket\n> Connection: Upgrade\n\
             > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n> Sec-WebSocket-Version: 13\n> \n\
             < HTTP/1.1 101 Switching Protocols\n< Upgrade: websocket\n< Connection: Upgrade\n\
             < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n< \n\
             * handshake: 9 of 9 rules kept\n\
             *   ✓ the status is 101 (RFC 6455 §4.1 (1))\n\
             *   ✓ the version is HTTP/1.1 (RFC 6455 §4.2.2 (5))\n\
             *   ✓ Upgrade is \"websocket\" (RFC 6455 §4.1 (2))\n\
             *   ✓ Connection has the token \"upgrade\" (RFC 6455 §4.1 (3))\n\
             *   ✓ Sec-WebSocket-Accept is made of the key (RFC 6455 §4.1 (4))\n\
             *       computed: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\
             *       received: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\
             *   ✓ extensions are among those offered (RFC 6455 §4.1 (5))\n\
             *   ✓ the subprotocol is one of those offered (RFC 6455 §4.1 (6))\n\
             *   ✓ no header announces a body (RFC 9110 §8.6, RFC 9112 §6.1)\n\
             *   ✓ the head keeps the grammar (RFC 9112 §2.2, §5.2)\n"
        );
        assert_eq!(shown(&mut pipe(0), &events), "");
    }

    #[test]
    fn tls_with_v_and_without() {
        let tls = TlsInfo {
            version: "TLSv1.3".into(),
            cipher: "TLS13_AES_256_GCM_SHA384".into(),
            group: Some("X25519".into()),
            alpn: Some("http/1.1".into()),
            sni: Some("h".into()),
            certificates: vec![Certificate {
                subject: "CN=h\x1b]0;x\x07".into(),
                issuer: "CN=CA".into(),
                names: vec!["h".into(), "*.h".into()],
                not_before: "2024-01-01T00:00:00Z".into(),
                not_after: "2024-12-31T00:00:00Z".into(),
                days_left: -1,
                sha256: "00ff".into(),
            }],
            unverified: Some(Unverified { why: "expired".into(), by: "--insecure" }),
        };
        let events = [Event::TlsEstablished { tls: &tls, took: Duration::from_millis(20) }];
        assert_eq!(
            shown(&mut pipe(1), &events),
            "* TLSv1.3 with TLS13_AES_256_GCM_SHA384, group X25519, ALPN http/1.1, SNI h in 20 ms\n\
             *   certificate 1: CN=h\\x1b]0;x\\x07, for h, *.h\n\
             *     issued by CN=CA\n\
             *     valid from 2024-01-01T00:00:00Z until 2024-12-31T00:00:00Z (expired 1 day ago)\n\
             *     SHA-256 00ff\n"
        );
        assert_eq!(shown(&mut pipe(0), &events), "");
    }

    #[test]
    fn control_frames_totals_and_compression_with_v() {
        let data = Data { compressed: true, wire_len: 25, ..text(&[b'a'; 100]) };
        let grown =
            Data { direction: Direction::Out, compressed: true, wire_len: 6, ..text(b"abcd") };
        let totals = Totals {
            messages_in: 1,
            payload_in: 100,
            frames_in: 2,
            wire_in: 29,
            pings_in: 1,
            compression_in: Compression { plain: 100, wire: 25 },
            compression_out: Compression { plain: 4, wire: 6 },
            ..Totals::default()
        };
        let status = CloseStatus::default();
        let closure = closure(1000, "");
        let events = [
            Event::Data(data),
            Event::Data(grown),
            Event::Ping { direction: Direction::In, payload: b"a\x9b" },
            Event::Pong { direction: Direction::Out, payload: b"", rtt: None },
            Event::Pong {
                direction: Direction::In,
                payload: b"x",
                rtt: Some(Duration::from_micros(1_500)),
            },
            Event::Close { direction: Direction::In, status: &status, first: Party::Peer },
            Event::Closed { closure: &closure, totals: &totals, failed: false },
        ];
        assert_eq!(
            shown(&mut pipe(1), &events),
            "* received ping \"a\\x9b\"\n\
             * sent pong\n\
             * received pong after 1.50 ms \"x\"\n\
             * received Close no code (1005)\n\
             * closed by the peer with 1000 (normal closure), 3.00 s after opening\n\
             *   closing took 1.00 ms; the peer ended the stream\n\
             * received: 1 message with 100 bytes in 2 frames, 29 bytes on the wire\n\
             * sent: 0 messages with 0 bytes in 0 frames, 0 bytes on the wire\n\
             * received: 1 ping, 0 pongs\n\
             * received: compression saved 75 % (100 bytes as 25)\n\
             * sent: compression cost 50 % (4 bytes as 6)\n"
        );
        let closed = "* closed by the peer with 1000 (normal closure), 3.00 s after opening\n";
        assert_eq!(shown(&mut pipe(0), &events), closed);
        let pieces = [
            Event::Data(Data { last: false, ..data }),
            Event::Data(Data { first: false, ..data }),
            Event::Data(grown),
            Event::Data(text(b"plain")),
        ];
        assert_eq!(
            shown(&mut pipe(2), &pieces),
            "* received text: compression saved 88 % (200 bytes as 25)\n\
             * sent text: compression cost 50 % (4 bytes as 6)\n"
        );
        assert_eq!(shown(&mut pipe(1), &pieces), "");
    }

    #[test]
    fn times_and_colours_where_asked_for() {
        let options = HumanOptions {
            color: true,
            stamps: Stamps { time: true, ..Stamps::default() },
            ..HumanOptions::default()
        };
        let notice = [Event::Notice { level: Level::Info, text: "hi\x1b" }];
        assert_eq!(
            shown(&mut Human::new(options), &notice),
            "\x1b[90m00:00:01.234Z\x1b[0m \x1b[34m*\x1b[0m hi\\x1b\n"
        );
    }
}
