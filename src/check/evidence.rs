//! The exchange behind a verdict, for people: in words, and as a command that sends it again.

use crate::check::case::{Ask, Base, Case, Head};
use crate::check::transcript::{Transcript, close_words};
use crate::event::Evidence;
use crate::http::head::Header;
use crate::protocol::frame::Opcode;
use crate::redact;
use crate::run::frame::{FrameSpec, MaskSpec};
use crate::text::Untrusted;

/// Most bytes of each direction that are kept.
const MAX_SHOWN: usize = 512;

/// What was sent and received in a case.
pub fn evidence(base: &Base, case: &Case, transcript: &Transcript, opened: bool) -> Evidence {
    let mut story = Vec::new();
    if !case.label.is_empty() {
        story.push(format!("case: {}", case.label));
    }
    let (sent, received, again) = match &case.ask {
        Ask::Bytes(_) => (transcript.sent.clone(), transcript.received.clone(), String::new()),
        Ask::Request(head, _) | Ask::Plain(_, head) => {
            let shown = redact::head(&head.bytes()).into_owned();
            (shown, redact::head(&transcript.received).into_owned(), curl(base, &case.ask, head))
        }
        Ask::Frames { frames, .. } => {
            let lines: Vec<String> = frames.iter().take(4).map(slash).collect();
            (transcript.sent.clone(), transcript.received.clone(), lines.join("; "))
        }
    };
    let start = match transcript.response() {
        Some((response, at)) if !opened => {
            let reason = Untrusted(&response.reason).to_string();
            story.push(format!("< HTTP/1.{} {} {reason}", response.minor, response.status));
            at
        }
        _ if opened => 0,
        _ => transcript.received.len(),
    };
    for frame in transcript.frames(start).iter().take(8) {
        let at = frame.at.as_secs_f64() * 1000.0;
        let what = match frame.close() {
            Some(status) => {
                let reason = Untrusted(&status.reason).to_string();
                let reason = if reason.is_empty() { reason } else { format!(" \"{reason}\"") };
                format!("{}{reason}", close_words(&status))
            }
            None => format!("{}, {} bytes", frame.header.opcode, frame.payload.len()),
        };
        story.push(format!("< {what} after {at:.1} ms"));
    }
    if let Some((ending, at)) = transcript.end {
        let at = at.as_secs_f64() * 1000.0;
        story.push(format!("the server {} after {at:.1} ms", ending.words()));
    }
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(MAX_SHOWN);
        bytes
    };
    Evidence { sent: cut(sent), received: cut(received), story, again }
}

/// The frame as a line of the prompt.
fn slash(spec: &FrameSpec) -> String {
    let mut line = format!(
        "/frame op={}",
        match spec.opcode {
            Opcode::Reserved(bits) => bits.to_string(),
            opcode => opcode.name().to_owned(),
        }
    );
    let mut add = |word: String| {
        line.push(' ');
        line.push_str(&word);
    };
    if !spec.fin {
        add("fin=0".to_owned());
    }
    if spec.rsv > 0 {
        add(format!("rsv={}", spec.rsv));
    }
    if spec.mask == MaskSpec::None {
        add("mask=none".to_owned());
    }
    if let Some(length) = spec.length {
        add(format!("length={length}"));
    }
    if let Some(form) = spec.length_form {
        add(format!("form={}", form.bits()));
    }
    let printable = spec.payload.iter().all(|b| matches!(b, 0x20..=0x7e));
    match spec.payload.as_slice() {
        [] => {}
        text if printable => add(format!("text={}", String::from_utf8_lossy(text))),
        bytes => {
            let shown = bytes.get(..64).unwrap_or(bytes);
            add(format!("hex={}", data_encoding::HEXLOWER.encode(shown)));
        }
    }
    line
}

/// The request as a curl command, without secrets.
fn curl(base: &Base, ask: &Ask, head: &Head) -> String {
    let mut words = vec!["curl -i -N --max-time 5".to_owned()];
    if head.method != "GET" {
        words.push(format!("-X {}", head.method));
    }
    words.push(if head.version == "1.0" { "--http1.0" } else { "--http1.1" }.to_owned());
    for name in ["Host", "User-Agent", "Accept"] {
        if head.value(name).is_none() {
            words.push(format!("-H '{name}:'"));
        }
    }
    for field in &head.fields {
        let Header { name, value } = field;
        let line = [name.as_slice(), b": ", &redact::value(name, value)].concat();
        let line = Untrusted(&line).to_string().replace('\'', "'\\''");
        words.push(format!("-H '{line}'"));
    }
    let (scheme, port) = match ask {
        Ask::Plain(port, _) => ("http", *port),
        _ if base.secure => ("https", base.port),
        _ => ("http", base.port),
    };
    let target = redact::url(&head.target).into_owned();
    let target = Untrusted::text(&target).to_string().replace('\'', "%27");
    words.push(format!("'{scheme}://{}:{port}{target}'", base.host));
    words.join(" ")
}
