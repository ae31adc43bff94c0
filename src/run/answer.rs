//! Answers to /status, /headers, /tls and /timing.

use std::fmt::Write;
use std::time::Duration;

use crate::event::{Opening, Timings, TlsInfo, Totals};
use crate::http::head::Response;
use crate::protocol::connection::ReadyState;
use crate::protocol::handshake::Request;
use crate::redact::Guarded;
use crate::report::phases;
use crate::run::command::Question;
use crate::text::Untrusted;
use crate::text::units::{Count, Took};

/// What is known from the opening, without the secrets that must not be shown.
pub struct Opened {
    /// The request.
    pub request: Guarded<Request>,
    /// The response.
    pub response: Guarded<Response>,
    /// What was agreed.
    pub opening: Opening,
}

/// What is known of the course so far.
pub struct Facts {
    /// readyState.
    pub state: ReadyState,
    /// bufferedAmount, in bytes.
    pub buffered: usize,
    /// The counts.
    pub totals: Totals,
    /// The last round trip that was measured.
    pub rtt: Option<Duration>,
    /// How long the connection has been open.
    pub open_for: Duration,
    /// What TLS agreed on.
    pub tls: Option<TlsInfo>,
}

/// The answer as lines.
pub fn answer(question: Question, opened: &Opened, facts: &Facts, timings: &Timings) -> String {
    let mut text = String::new();
    // Writing into a String can't fail.
    let _ = match question {
        Question::Headers => headers(&mut text, opened),
        Question::Status => status(&mut text, opened, facts),
        Question::Timing => timing(&mut text, timings),
        Question::Tls => tls(&mut text, facts),
    };
    text.truncate(text.trim_end().len());
    text
}

fn status(out: &mut String, opened: &Opened, facts: &Facts) -> std::fmt::Result {
    let or_none = |text: &[u8]| match text {
        [] => "none".to_owned(),
        some => Untrusted(some).to_string(),
    };
    let totals = &facts.totals;
    let state = facts.state;
    writeln!(out, "url             {}", Untrusted::text(&opened.opening.url))?;
    writeln!(out, "readyState      {} ({})", state as u8, state.name())?;
    writeln!(out, "bufferedAmount  {} bytes", facts.buffered)?;
    let subprotocol = opened.opening.subprotocol.as_deref().unwrap_or_default();
    writeln!(out, "subprotocol     {}", or_none(subprotocol.as_bytes()))?;
    writeln!(out, "extensions      {}", or_none(opened.opening.extensions.as_bytes()))?;
    writeln!(out, "open for        {}", Took(facts.open_for))?;
    writeln!(
        out,
        "received        {}, {} in {} ({} on the wire)",
        Count(totals.messages_in, "message"),
        Count(totals.payload_in, "byte"),
        Count(totals.frames_in, "frame"),
        Count(totals.wire_in, "byte")
    )?;
    writeln!(
        out,
        "sent            {}, {} in {} ({} on the wire)",
        Count(totals.messages_out, "message"),
        Count(totals.payload_out, "byte"),
        Count(totals.frames_out, "frame"),
        Count(totals.wire_out, "byte")
    )?;
    let compression = [("received", totals.compression_in), ("sent", totals.compression_out)];
    for (direction, did) in compression.into_iter().filter(|(_, did)| did.was_used()) {
        writeln!(out, "compression     {direction}: {did}")?;
    }
    match facts.rtt {
        Some(rtt) => writeln!(out, "round trip      {}", Took(rtt)),
        None => writeln!(out, "round trip      not measured yet: /ping"),
    }
}

fn headers(out: &mut String, opened: &Opened) -> std::fmt::Result {
    for (mark, head) in [('>', opened.request.head()), ('<', opened.response.head())] {
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
    for (phase, took) in timings.phases() {
        writeln!(out, "{phase:<12}{:>10.3} ms", took.as_secs_f64() * 1000.0)?;
    }
    Ok(())
}

fn tls(out: &mut String, facts: &Facts) -> std::fmt::Result {
    let Some(tls) = &facts.tls else {
        return writeln!(out, "no TLS: this is a ws:// connection");
    };
    out.push_str(&phases::tls_text(tls));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Compression;
    use crate::http::head::{HeadLimits, HeadReader};
    use crate::redact::Secrets;

    #[test]
    fn the_status_tells_what_compression_did() {
        let head = b"HTTP/1.1 101 x\r\n\r\n";
        let (response, _) = HeadReader::new(HeadLimits::default()).feed(head).unwrap().unwrap();
        let opening = Opening {
            url: "wss://h/".to_owned(),
            extensions: "permessage-deflate; server_max_window_bits=10".to_owned(),
            ..Opening::default()
        };
        let (request, secrets) = (Request::default(), Secrets::Hidden);
        let opened = Opened {
            request: Guarded::new(request, secrets),
            response: Guarded::new(response, secrets),
            opening,
        };
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
            tls: None,
        };
        assert_eq!(
            answer(Question::Status, &opened, &facts, &Timings::default()),
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
