//! The answers to /status, /headers, /tls, /timing and /as, as text.

use std::fmt::Write;

use crate::connection::OpenOptions;
use crate::event::{Timings, Totals};
use crate::export::export;
use crate::protocol::connection::ReadyState;
use crate::report::phases;
use crate::run::command::Question;
use crate::run::{Answer, Attempt, Inquiry};
use crate::text::Untrusted;
use crate::text::units::{Count, Took};

/// Formats the answer to a question. About a connection that is over, or isn't open yet, a line before
/// it says so.
pub fn words(question: Question, inquiry: &Inquiry<'_>) -> Answer {
    let before = match question {
        Question::Settings(_) | Question::Fields => String::new(),
        _ => before(inquiry.attempt),
    };
    if let Question::As { tool, secrets } = question {
        let text = export(tool, inquiry.options, secrets);
        let text = text.unwrap_or_else(|error| error.worded(inquiry.words).to_string());
        return Answer { before, text, bare: true };
    }
    let mut text = String::new();
    // Writing into a String can't fail.
    let _ = match question {
        Question::Fields => fields(&mut text, inquiry.options),
        Question::Settings(name) => settings(&mut text, inquiry, name),
        Question::Timing => timing(&mut text, inquiry.timings),
        Question::Headers => headers(&mut text, inquiry.attempt),
        Question::Tls => tls(&mut text, inquiry.attempt),
        Question::Status | Question::As { .. } => status(&mut text, inquiry),
    };
    text.truncate(text.trim_end().len());
    Answer { before, text, bare: false }
}

/// That the connection is over, and how, or that it isn't open yet; nothing while it is open.
fn before(attempt: &Attempt) -> String {
    match (&attempt.closed, &attempt.failed, &attempt.opening) {
        (Some((closure, _)), ..) => format!("over: {}", phases::closed_text(closure)),
        (None, Some(why), _) => format!("over, never open: {}", Untrusted::text(why)),
        (None, None, None) => "not open yet".to_owned(),
        (None, None, Some(_)) => String::new(),
    }
}

/// The settings with their values, or the one of that name.
fn settings(out: &mut String, inquiry: &Inquiry<'_>, name: Option<&str>) -> std::fmt::Result {
    let views = inquiry.views.iter().map(|setting| (setting.name(), setting.to_string()));
    let tunings = inquiry.tunings.iter().map(|tuning| (tuning.name(), tuning.to_string()));
    for (known, value) in views.chain(tunings) {
        if name.is_none_or(|name| name == known) {
            writeln!(out, "{known:<16}{value}")?;
        }
    }
    Ok(())
}

/// The header fields that were typed.
fn fields(out: &mut String, options: &OpenOptions) -> std::fmt::Result {
    let mut headers = options.typed_headers().peekable();
    if headers.peek().is_none() {
        return writeln!(out, "none typed; /headers shows what was sent");
    }
    for (name, value) in headers {
        let name = Untrusted(name);
        match &*value {
            [] => writeln!(out, "{name}: is left out")?,
            value => writeln!(out, "{name}: {}", Untrusted(value))?,
        }
    }
    Ok(())
}

fn status(out: &mut String, inquiry: &Inquiry<'_>) -> std::fmt::Result {
    let or_none = |text: &[u8]| match text {
        [] => "none".to_owned(),
        some => Untrusted(some).to_string(),
    };
    let attempt = inquiry.attempt;
    let state = match (inquiry.connection, attempt.closed.is_some() || attempt.failed.is_some()) {
        (Some(facts), _) => facts.state,
        (None, true) => ReadyState::Closed,
        (None, false) => ReadyState::Connecting,
    };
    writeln!(out, "url             {}", Untrusted::text(&attempt.url))?;
    writeln!(out, "readyState      {} ({})", state as u8, state.name())?;
    if let Some(facts) = inquiry.connection {
        writeln!(out, "bufferedAmount  {}", Count(facts.buffered as u64, "byte"))?;
    }
    let Some(opening) = &attempt.opening else { return Ok(()) };
    let subprotocol = opening.subprotocol.as_deref().unwrap_or_default();
    writeln!(out, "subprotocol     {}", or_none(subprotocol.as_bytes()))?;
    writeln!(out, "extensions      {}", or_none(opening.extensions.as_bytes()))?;
    let closed = attempt.closed.as_ref().map(|(closure, totals)| (closure.after, *totals));
    let open = inquiry.connection.map(|facts| (facts.open_for, facts.totals));
    if let Some((open_for, totals)) = open.or(closed) {
        writeln!(out, "open for        {}", Took(open_for))?;
        traffic(out, &totals)?;
    }
    match (attempt.rtt, inquiry.connection) {
        (Some(rtt), _) => writeln!(out, "round trip      {}", Took(rtt)),
        (None, Some(_)) => writeln!(out, "round trip      not measured yet: /ping"),
        (None, None) => Ok(()),
    }
}

fn traffic(out: &mut String, totals: &Totals) -> std::fmt::Result {
    for (direction, messages, payload, frames, wire) in [
        ("received", totals.messages_in, totals.payload_in, totals.frames_in, totals.wire_in),
        ("sent", totals.messages_out, totals.payload_out, totals.frames_out, totals.wire_out),
    ] {
        writeln!(
            out,
            "{direction:<16}{}, {} in {} ({} on the wire)",
            Count(messages, "message"),
            Count(payload, "byte"),
            Count(frames, "frame"),
            Count(wire, "byte")
        )?;
    }
    let compression = [("received", totals.compression_in), ("sent", totals.compression_out)];
    for (direction, did) in compression.into_iter().filter(|(_, did)| did.was_used()) {
        writeln!(out, "compression     {direction}: {did}")?;
    }
    Ok(())
}

fn headers(out: &mut String, attempt: &Attempt) -> std::fmt::Result {
    let request = attempt.request.as_ref().map(|request| request.head());
    let response = attempt.response.as_ref().map(|response| response.head());
    for (mark, head, missing) in
        [('>', request, "no request was sent"), ('<', response, "no response was received")]
    {
        let Some(head) = head else {
            writeln!(out, "{missing}")?;
            break;
        };
        for line in head.split(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                writeln!(out, "{mark} {}", Untrusted(line))?;
            }
        }
    }
    Ok(())
}

fn timing(out: &mut String, timings: &Timings) -> std::fmt::Result {
    if timings.phases().next().is_none() {
        return writeln!(out, "no phase was completed");
    }
    for (phase, took) in timings.phases() {
        writeln!(out, "{phase:<12}{:>10.3} ms", took.as_secs_f64() * 1000.0)?;
    }
    Ok(())
}

fn tls(out: &mut String, attempt: &Attempt) -> std::fmt::Result {
    match &attempt.tls {
        Some(tls) => {
            out.push_str(&phases::tls_text(tls));
            Ok(())
        }
        None if attempt.url.starts_with("wss:") => writeln!(out, "the TLS handshake was not done"),
        None => writeln!(out, "no TLS: this is a ws:// connection"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::connection::Facts;
    use crate::error::Words;
    use crate::event::{Compression, Opening};
    use crate::run::tuning::Tuning;
    use crate::transport::Target;

    #[test]
    fn the_status_tells_what_compression_did() {
        let opening = Opening {
            url: "wss://h/".to_owned(),
            extensions: "permessage-deflate; server_max_window_bits=10".to_owned(),
            ..Opening::default()
        };
        let attempt =
            Attempt { url: "wss://h/".to_owned(), opening: Some(opening), ..Attempt::default() };
        let totals = Totals {
            messages_in: 1,
            payload_in: 100,
            frames_in: 2,
            wire_in: 43,
            compression_in: Compression { plain: 100, wire: 39 },
            compression_out: Compression { plain: 4, wire: 6 },
            ..Totals::default()
        };
        let facts = Facts {
            state: ReadyState::Open,
            buffered: 0,
            totals,
            rtt: None,
            open_for: Duration::from_secs(2),
        };
        let (target, _) = Target::parse("wss://h/").unwrap();
        let inquiry = Inquiry {
            options: &OpenOptions::new(target),
            tunings: [Tuning::Reconnect(false); 5],
            views: Vec::new(),
            words: Words { hint: |_| String::new(), option: |_| "" },
            timings: &Timings::default(),
            attempt: &attempt,
            connection: Some(facts),
        };
        assert_eq!(words(Question::Status, &inquiry).before, "");
        assert_eq!(
            words(Question::Status, &inquiry).text,
            "url             wss://h/\n\
             readyState      1 (OPEN)\n\
             bufferedAmount  0 bytes\n\
             subprotocol     none\n\
             extensions      permessage-deflate; server_max_window_bits=10\n\
             open for        2.00 s\n\
             received        1 message, 100 bytes in 2 frames (43 bytes on the wire)\n\
             sent            0 messages, 0 bytes in 0 frames (0 bytes on the wire)\n\
             compression     received: saved 61 % (100 bytes as 39)\n\
             compression     sent: cost 50 % (4 bytes as 6)\n\
             round trip      not measured yet: /ping"
        );
    }
}
