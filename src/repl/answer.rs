//! The answers to /status, /headers, /tls, /timing and /as, as text.

use std::fmt::Write;

use crate::connection::{Facts, Opened};
use crate::event::Timings;
use crate::export::export;
use crate::report::phases;
use crate::run::command::Question;
use crate::run::{Answer, Inquiry};
use crate::text::Untrusted;
use crate::text::units::{Count, Took};

/// Formats the answer to a question.
pub fn words(question: Question, inquiry: &Inquiry<'_>) -> Answer {
    if let Question::As { tool, secrets } = question {
        let text = export(tool, inquiry.options, secrets);
        let text = text.unwrap_or_else(|error| error.worded(inquiry.words).to_string());
        return Answer { text, bare: true };
    }
    let mut text = String::new();
    // Writing into a String can't fail.
    let _ = match (question, &inquiry.connection) {
        (Question::Timing, _) => timing(&mut text, inquiry.timings),
        (Question::Headers, Some(facts)) => headers(&mut text, facts.opened),
        (Question::Status, Some(facts)) => status(&mut text, facts),
        (Question::Tls, Some(facts)) => tls(&mut text, facts),
        (_, None) | (Question::As { .. }, _) => writeln!(text, "not connected"),
    };
    text.truncate(text.trim_end().len());
    Answer { text, bare: false }
}

fn status(out: &mut String, facts: &Facts<'_>) -> std::fmt::Result {
    let or_none = |text: &[u8]| match text {
        [] => "none".to_owned(),
        some => Untrusted(some).to_string(),
    };
    let totals = &facts.totals;
    let state = facts.state;
    writeln!(out, "url             {}", Untrusted::text(&facts.opened.opening.url))?;
    writeln!(out, "readyState      {} ({})", state as u8, state.name())?;
    writeln!(out, "bufferedAmount  {} bytes", facts.buffered)?;
    let subprotocol = facts.opened.opening.subprotocol.as_deref().unwrap_or_default();
    writeln!(out, "subprotocol     {}", or_none(subprotocol.as_bytes()))?;
    writeln!(out, "extensions      {}", or_none(facts.opened.opening.extensions.as_bytes()))?;
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

fn tls(out: &mut String, facts: &Facts<'_>) -> std::fmt::Result {
    let Some(tls) = &facts.tls else {
        return writeln!(out, "no TLS: this is a ws:// connection");
    };
    out.push_str(&phases::tls_text(tls));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::connection::OpenOptions;
    use crate::error::Words;
    use crate::event::{Compression, Opening, Totals};
    use crate::http::head::{HeadLimits, HeadReader};
    use crate::protocol::connection::ReadyState;
    use crate::protocol::handshake::Request;
    use crate::redact::{Guarded, Secrets};
    use crate::transport::Target;

    #[test]
    fn the_status_tells_what_compression_did() {
        let head = b"HTTP/1.1 101 x\r\n\r\n";
        let (response, _) = HeadReader::new(HeadLimits::default()).feed(head).unwrap().unwrap();
        let opening = Opening {
            url: "wss://h/".to_owned(),
            extensions: "permessage-deflate; server_max_window_bits=10".to_owned(),
            ..Opening::default()
        };
        let opened = Opened {
            request: Guarded::new(Request::default(), Secrets::Hidden),
            response: Guarded::new(response, Secrets::Hidden),
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
            opened: &opened,
            state: ReadyState::Open,
            buffered: 0,
            totals,
            rtt: None,
            open_for: Duration::from_secs(2),
            tls: None,
        };
        let (target, _) = Target::parse("wss://h/").unwrap();
        let inquiry = Inquiry {
            options: &OpenOptions::new(target),
            words: Words { hint: |_| String::new(), option: |_| "" },
            timings: &Timings::default(),
            connection: Some(facts),
        };
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
