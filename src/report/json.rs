//! `--json`: every event as one JSON object a line (docs/events.md, docs/events.schema.json).

use std::io::{self, Write};

use crate::diagnosis::Finding;
use crate::error::Error;
use crate::event::{
    Certificate, Checked, Compression, Data, Direction, Event, Evidence, Frame, Level, Opening,
    Probed, RoundTrips, Stamped, Summary, Timings, TlsInfo, Totals,
};
use crate::http::head::Response;
use crate::protocol::close::{CloseStatus, Closure, End, Party};
use crate::protocol::frame::Opcode;
use crate::protocol::handshake::{HandshakeReport, RuleResult};
use crate::protocol::violation::Violation;
use crate::redact::{Field, Guarded};
use crate::report::json_writer::JsonWriter;
use crate::report::{Needs, Reporter};

/// The verbosity from which frames are reported.
const FRAMES: u8 = 2;

/// Every type that a line can have, in the usual order of a run.
pub const TYPES: [&str; 29] = [
    "resolving",
    "resolved",
    "connecting",
    "connect-failed",
    "connected",
    "proxy",
    "tls",
    "request",
    "informational",
    "response",
    "redirected",
    "handshake",
    "open",
    "message",
    "frame",
    "ping",
    "pong",
    "round-trip",
    "close",
    "violation",
    "closed",
    "round-trips",
    "probe",
    "checked",
    "reconnecting",
    "notice",
    "answer",
    "error",
    "summary",
];

/// Writes JSON Lines.
#[derive(Debug)]
pub struct Json {
    verbosity: u8,
    json: JsonWriter,
    /// What the events belong to: fields of every line.
    scope: Vec<(&'static str, String)>,
}

impl Json {
    /// A view; `verbosity` is the count of `-v`. From two on, frames are reported too.
    pub fn new(verbosity: u8) -> Json {
        Json { verbosity, json: JsonWriter::default(), scope: Vec::new() }
    }

    /// Sets what the following events belong to: fields of each line, where they aren't empty.
    pub fn set_scope(&mut self, scope: Vec<(&'static str, String)>) {
        self.scope = scope;
    }

    fn response(&mut self, response: &Guarded<Response>) {
        let json = &mut self.json;
        json.number("status", response.status().into());
        json.bytes("reason", "reason_base64", response.reason());
        json.number("minor", response.minor().into());
        json.objects("headers", response.headers(), field);
        let leniencies = response.leniencies();
        if !leniencies.is_empty() {
            let tolerated: Vec<String> = leniencies.iter().map(ToString::to_string).collect();
            json.texts("tolerated", tolerated.iter().map(String::as_str));
        }
        if !response.body().is_empty() {
            json.bytes("body", "body_base64", response.body());
        }
        json.optional_text("body_cut", response.body_cut());
    }

    fn handshake(&mut self, report: &HandshakeReport) {
        let json = &mut self.json;
        json.plain("verdict", report.verdict().name());
        json.optional_text("subprotocol", report.subprotocol.as_deref());
        json.text("extensions", &report.extensions);
        if let Some(params) = &report.deflate {
            json.object("deflate", |json| {
                json.flag("server_no_context_takeover", params.server_no_context_takeover);
                json.flag("client_no_context_takeover", params.client_no_context_takeover);
                json.number("server_max_window_bits", params.server_max_window_bits.into());
                json.number("client_max_window_bits", params.client_max_window_bits.into());
            });
        }
        json.objects("rules", &report.rules, rule);
    }

    fn opening(&mut self, opening: &Opening) {
        self.agreed(opening);
        self.json.seconds("took", opening.took);
    }

    fn agreed(&mut self, opening: &Opening) {
        self.json.text("url", &opening.url);
        self.json.optional_text("subprotocol", opening.subprotocol.as_deref());
        self.json.text("extensions", &opening.extensions);
    }

    fn summary(&mut self, summary: &Summary) {
        self.json.number("exit", summary.exit.into());
        if let Some(why) = &summary.error {
            self.json.object("error", |json| error(json, why));
        }
        diagnosis(&mut self.json, &summary.findings);
        if let Some(opening) = &summary.opening {
            self.agreed(opening);
        }
        if let Some(how) = &summary.closure {
            self.json.object("closure", |json| closure(json, how));
        }
        self.json.object("totals", |json| totals(json, &summary.totals));
        self.json.object("timings", |json| timings(json, &summary.timings));
    }

    fn fields(&mut self, kind: &Event<'_>) {
        let json = &mut self.json;
        match *kind {
            Event::Resolving { host } => json.text("host", host),
            Event::Resolved { host, addresses, took } => {
                json.text("host", host);
                json.addresses("addresses", addresses);
                json.seconds("took", took);
            }
            Event::Connecting { to } => json.text("to", to),
            Event::ConnectFailed { to, why } => {
                json.text("to", to);
                json.text("why", why);
            }
            Event::Connected { to, from, took } => {
                json.text("to", to);
                json.text("from", from);
                json.seconds("took", took);
            }
            Event::ProxyConnected { proxy, answer, took } => {
                json.text("proxy", proxy);
                json.text("answer", answer);
                json.seconds("took", took);
            }
            Event::TlsEstablished { tls: info, took } => {
                tls(json, info);
                json.seconds("took", took);
            }
            Event::RequestSent { request } => {
                json.text("target", request.target());
                json.objects("headers", request.headers(), field);
            }
            Event::InformationalResponse { response } => self.response(response),
            Event::Redirected { status, from, to, dropped } => {
                json.number("status", status.into());
                json.text("from", from);
                json.text("to", to);
                json.texts("dropped", dropped.iter().map(String::as_str));
            }
            Event::ResponseReceived { response, took, .. } => {
                self.response(response);
                self.json.seconds("took", took);
            }
            Event::Judged { report } => self.handshake(report),
            Event::Opened { opening } => self.opening(opening),
            Event::Frame(told) => frame(json, &told),
            Event::Attempt { .. }
            | Event::FramePayload(_)
            | Event::Limit(_)
            | Event::Postponed
            | Event::Recalled(_)
            | Event::Sent(_) => {}
            Event::Data(data) => write_message(json, &data),
            Event::Ping { direction, payload } => {
                json.plain("direction", direction.name());
                json.bytes("data", "base64", payload);
            }
            Event::Pong { direction, payload, rtt } => {
                json.plain("direction", direction.name());
                json.bytes("data", "base64", payload);
                if let Some(rtt) = rtt {
                    json.seconds("rtt", rtt);
                }
            }
            Event::Close { direction, status, first } => {
                json.plain("direction", direction.name());
                close_status(json, status);
                json.plain("first", side(first));
            }
            Event::Violation { violation: broken, fatal } => violation(json, broken, fatal),
            Event::Closed { closure: how, totals: counted, .. } => {
                closure(json, how);
                json.object("totals", |json| totals(json, counted));
            }
            Event::RoundTrip { number, took } => {
                json.number("number", number);
                if let Some(took) = took {
                    json.seconds("took", took);
                }
            }
            Event::RoundTrips(counted) => round_trips(json, counted),
            Event::Probed(probed) => self::probed(json, probed),
            Event::Checked(counted) => checked(json, counted),
            Event::Reconnecting { attempt, delay, why } => {
                json.number("attempt", attempt.into());
                json.seconds("delay", delay);
                json.text("why", why);
            }
            Event::Notice { level, text } => {
                json.plain(
                    "level",
                    match level {
                        Level::Detail => "detail",
                        Level::Info => "info",
                        Level::Warning => "warning",
                    },
                );
                json.text("text", text);
            }
            Event::Answer { text, .. } => json.text("text", text),
            Event::Error(why) => error(json, why),
            Event::Summary(summary) => self.summary(summary),
        }
    }
}

impl Reporter for Json {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Some(name) = type_name(event.event) else { return Ok(()) };
        if name == "frame" && self.verbosity < FRAMES {
            return Ok(());
        }
        self.json.begin(name);
        self.json.moment(event.at);
        self.json.fixed(",\"seq\":");
        self.json.digits(event.seq);
        if let Some(client) = event.client {
            self.json.fixed(",\"client\":");
            self.json.digits(client);
        }
        for (name, value) in self.scope.iter().filter(|(_, value)| !value.is_empty()) {
            self.json.text(name, value);
        }
        self.fields(event.event);
        self.json.end(out)
    }

    fn needs(&self) -> Needs {
        Needs {
            received: true,
            sent: true,
            whole_messages: true,
            frames: self.verbosity >= FRAMES,
            details: true,
            ..Needs::default()
        }
    }
}

/// The fields of a `message`, which [`super::payload`] writes too. A binary message is always in
/// base64, so that its opcode can be told from the key alone.
pub(super) fn write_message(json: &mut JsonWriter, data: &Data<'_>) {
    let text = data.opcode == Opcode::Text;
    json.fixed(match (data.direction, text) {
        (Direction::In, true) => r#","direction":"in","opcode":"text""#,
        (Direction::In, false) => r#","direction":"in","opcode":"binary""#,
        (Direction::Out, true) => r#","direction":"out","opcode":"text""#,
        (Direction::Out, false) => r#","direction":"out","opcode":"binary""#,
    });
    if text {
        json.bytes("data", "base64", data.bytes);
    } else {
        json.base64("base64", data.bytes);
    }
    json.fixed(",\"fragments\":");
    json.digits(data.fragments.into());
    json.fixed(",\"length\":");
    json.digits(data.bytes.len() as u64);
    json.fixed(",\"wire_length\":");
    json.digits(data.wire_len);
    json.fixed(if data.compressed { ",\"compressed\":true" } else { ",\"compressed\":false" });
    if data.compressed {
        let did = Compression { plain: data.bytes.len() as u64, wire: data.wire_len };
        json.tenths("saved_percent", did.saved_percent());
    }
}

/// The `type` of an event's line; `None` for what has no line.
fn type_name(kind: &Event<'_>) -> Option<&'static str> {
    Some(match kind {
        Event::Resolving { .. } => "resolving",
        Event::Resolved { .. } => "resolved",
        Event::Connecting { .. } => "connecting",
        Event::ConnectFailed { .. } => "connect-failed",
        Event::Connected { .. } => "connected",
        Event::ProxyConnected { .. } => "proxy",
        Event::TlsEstablished { .. } => "tls",
        Event::RequestSent { .. } => "request",
        Event::InformationalResponse { .. } => "informational",
        Event::Redirected { .. } => "redirected",
        Event::ResponseReceived { .. } => "response",
        Event::Judged { .. } => "handshake",
        Event::Opened { .. } => "open",
        Event::Frame(_) => "frame",
        Event::Attempt { .. }
        | Event::FramePayload(_)
        | Event::Limit(_)
        | Event::Postponed
        | Event::Recalled(_)
        | Event::Sent(_) => {
            return None;
        }
        Event::Data(_) => "message",
        Event::Ping { .. } => "ping",
        Event::Pong { .. } => "pong",
        Event::Close { .. } => "close",
        Event::Violation { .. } => "violation",
        Event::Closed { .. } => "closed",
        Event::RoundTrip { .. } => "round-trip",
        Event::RoundTrips(_) => "round-trips",
        Event::Probed(_) => "probe",
        Event::Checked(_) => "checked",
        Event::Reconnecting { .. } => "reconnecting",
        Event::Notice { .. } => "notice",
        Event::Answer { .. } => "answer",
        Event::Error(_) => "error",
        Event::Summary(_) => "summary",
    })
}

fn tls(json: &mut JsonWriter, tls: &TlsInfo) {
    json.text("version", &tls.version);
    json.text("cipher", &tls.cipher);
    json.optional_text("group", tls.group.as_deref());
    json.optional_text("alpn", tls.alpn.as_deref());
    json.optional_text("sni", tls.sni.as_deref());
    json.objects("certificates", &tls.certificates, certificate);
    json.optional_text(
        "unverified",
        tls.unverified.as_ref().map(|unverified| unverified.why.as_str()),
    );
}

fn certificate(json: &mut JsonWriter, certificate: &Certificate) {
    json.text("subject", &certificate.subject);
    json.text("issuer", &certificate.issuer);
    json.texts("names", certificate.names.iter().map(String::as_str));
    json.text("not_before", &certificate.not_before);
    json.text("not_after", &certificate.not_after);
    json.signed("days_left", certificate.days_left);
    json.text("sha256", &certificate.sha256);
}

fn field(json: &mut JsonWriter, (name, value): Field<'_>) {
    json.bytes("name", "name_base64", name);
    json.bytes("value", "value_base64", value);
}

fn rule(json: &mut JsonWriter, result: &RuleResult) {
    json.plain("rule", result.rule.name());
    json.plain("clause", result.rule.clause());
    json.plain("verdict", result.verdict.name());
    json.text("expected", &result.expected);
    json.bytes("received", "received_base64", &result.received);
    if !result.note.is_empty() {
        json.text("note", &result.note);
    }
}

fn frame(json: &mut JsonWriter, frame: &Frame<'_>) {
    let header = frame.header;
    json.plain("direction", frame.direction.name());
    json.flag("fin", header.fin);
    json.number("rsv", header.rsv().into());
    json.plain("opcode", header.opcode.name());
    json.number("opcode_number", header.opcode.bits().into());
    json.flag("masked", header.masking_key.is_some());
    if let Some(key) = header.masking_key {
        json.hex("key", &key);
    }
    json.number("length", header.length);
    json.number("length_form", header.length_form.bits().into());
    json.number("offset", frame.offset);
    json.hex("header", frame.bytes);
}

fn close_status(json: &mut JsonWriter, status: &CloseStatus) {
    if let Some(code) = status.code {
        json.number("code", code.0.into());
        json.plain("meaning", code.meaning());
        json.bytes("reason", "reason_base64", &status.reason);
    }
}

fn side(side: Party) -> &'static str {
    match side {
        Party::Us => "us",
        Party::Peer => "peer",
    }
}

fn violation(json: &mut JsonWriter, violation: &Violation, fatal: bool) {
    json.plain("rule", violation.rule.name());
    json.plain("clause", violation.rule.clause());
    json.plain("text", violation.rule.sentence());
    json.text("detail", &violation.detail);
    json.number("offset", violation.offset);
    json.hex("bytes", &violation.bytes);
    json.flag("fatal", fatal);
    json.number("close_code", violation.rule.close_code().0.into());
}

fn closure(json: &mut JsonWriter, closure: &Closure) {
    let code = closure.code();
    json.number("code", code.0.into());
    json.plain("meaning", code.meaning());
    json.flag("clean", closure.is_clean());
    if let Some(first) = closure.first {
        json.plain("first", side(first));
    }
    if let Some(sent) = &closure.sent {
        json.object("sent", |json| close_status(json, sent));
    }
    if let Some(received) = &closure.received {
        json.object("received", |json| close_status(json, received));
    }
    match &closure.end {
        End::Eof => json.plain("end", "eof"),
        End::Local => json.plain("end", "local"),
        End::Broken(how) => {
            json.plain("end", "broken");
            json.text("how", how);
        }
    }
    json.seconds("took", closure.took);
    json.seconds("after", closure.after);
    json.number("ignored", closure.ignored);
}

fn probed(json: &mut JsonWriter, probed: &Probed) {
    json.plain("id", probed.id);
    json.plain("verdict", probed.verdict.name());
    json.plain("clause", probed.clause);
    json.text("proves", probed.proves);
    json.text("why", &probed.why);
    json.flag("allowed", probed.allowed);
    json.seconds("took", probed.took);
    let Some(Evidence { sent, received, story, again }) = &probed.evidence else { return };
    json.hex("sent", sent);
    json.hex("received", received);
    json.texts("story", story.iter().map(String::as_str));
    json.text("again", again);
}

fn checked(json: &mut JsonWriter, counted: &Checked) {
    let Checked { pass, warn, fail, not_applicable, allowed, unchanged, cut_short, took } = counted;
    json.number("pass", *pass as u64);
    json.number("warn", *warn as u64);
    json.number("fail", *fail as u64);
    json.number("not_applicable", *not_applicable as u64);
    json.number("allowed", *allowed as u64);
    json.number("unchanged", *unchanged as u64);
    json.flag("cut_short", *cut_short);
    json.seconds("took", *took);
}

fn round_trips(json: &mut JsonWriter, counted: &RoundTrips) {
    json.number("sent", counted.sent);
    json.number("answered", counted.answered);
    json.number("lost", counted.lost);
    json.tenths("lost_percent", counted.lost_percent());
    json.seconds("took", counted.took);
    let Some(spread) = &counted.spread else { return };
    for (name, duration) in spread.figures() {
        json.seconds(name, duration);
    }
    json.objects("histogram", &spread.histogram, |json, bucket| {
        json.seconds("below", bucket.below);
        json.number("count", bucket.count);
    });
}

fn totals(json: &mut JsonWriter, totals: &Totals) {
    json.number("messages_in", totals.messages_in);
    json.number("messages_out", totals.messages_out);
    json.number("payload_in", totals.payload_in);
    json.number("payload_out", totals.payload_out);
    compression(json, "compression_in", totals.compression_in);
    compression(json, "compression_out", totals.compression_out);
    json.number("wire_in", totals.wire_in);
    json.number("wire_out", totals.wire_out);
    json.number("frames_in", totals.frames_in);
    json.number("frames_out", totals.frames_out);
    json.number("pings_in", totals.pings_in);
    json.number("pongs_in", totals.pongs_in);
}

fn compression(json: &mut JsonWriter, key: &str, did: Compression) {
    if did.was_used() {
        json.object(key, |json| {
            json.number("plain", did.plain);
            json.number("wire", did.wire);
            json.tenths("saved_percent", did.saved_percent());
        });
    }
}

fn timings(json: &mut JsonWriter, timings: &Timings) {
    for (name, took) in timings.phases() {
        json.seconds(name, took);
    }
}

fn error(json: &mut JsonWriter, error: &Error) {
    json.plain("stage", error.stage.name());
    json.number("exit", error.exit as u64);
    json.text("what", &error.what);
    json.texts("causes", error.causes.iter().map(String::as_str));
    let hints: Vec<String> = error.advice().collect();
    json.texts("hints", hints.iter().map(String::as_str));
    diagnosis(json, &error.diagnosis());
}

fn diagnosis(json: &mut JsonWriter, findings: &[Finding]) {
    if !findings.is_empty() {
        json.objects("diagnosis", findings, finding);
    }
}

fn finding(json: &mut JsonWriter, finding: &Finding) {
    json.plain("rule", finding.rule);
    json.plain("sure", finding.sure.name());
    json.text("cause", &finding.cause);
    json.text("evidence", &finding.evidence);
    json.texts("next", finding.next.iter().map(String::as_str));
}
