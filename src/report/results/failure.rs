//! Why a test failed, and what happened before.

use std::time::Duration;

use crate::error::{Exit, Stage};
use crate::event::Direction;
use crate::protocol::frame::Opcode;
use crate::text::Untrusted;

/// The most characters of a message on one line of a report.
const MAX_SHOWN: usize = 200;

/// A failure of a test.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `FILE:LINE`
    pub line: String,
    /// The line's number.
    pub number: usize,
    /// The line's text.
    pub text: String,
    /// The column that it points at, from 1.
    pub column: usize,
    /// What went wrong.
    pub what: String,
    /// Where the file is included, from the inside out.
    pub way: Vec<String>,
    /// Messages and differences, line by line.
    pub details: Vec<String>,
    /// The last events.
    pub last: String,
    /// The stage and exit code of a connection that failed.
    pub exit: Option<(Stage, Exit)>,
}

impl Failure {
    /// Applies a function to every text of it.
    pub fn map(&mut self, change: &dyn Fn(&mut String)) {
        let Failure { text, what, details, last, .. } = self;
        [text, what, last].into_iter().chain(details).for_each(change);
    }

    /// The source line with the place underlined, and everything below it.
    pub fn lines(&self) -> Vec<String> {
        let number = self.number.to_string();
        let margin = " ".repeat(number.len() + 3);
        // A tab stays as wide as above.
        let before: String = self
            .text
            .chars()
            .take(self.column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let mut lines = vec![
            format!("   {number} | {}", shown_line(&self.text)),
            format!("{margin} | {before}^ {}", self.what),
        ];
        lines.extend(self.way.iter().map(|way| format!("  included at {way}")));
        lines.extend(self.details.iter().map(|line| format!("  {line}")));
        if !self.last.is_empty() {
            lines.push(format!("  {}", self.last));
        }
        lines
    }
}

/// A line of a script; only a tab of it isn't escaped.
fn shown_line(text: &str) -> String {
    let parts: Vec<String> =
        text.split('\t').map(|part| Untrusted::text(part).to_string()).collect();
    parts.join("\t")
}

/// Something that happened in a test.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// When, from the start of the test.
    pub at: Duration,
    /// The connection's name; empty for one without.
    pub connection: String,
    /// What kind of thing.
    pub kind: LogKind,
    /// Safe to show, and short.
    pub text: String,
}

/// What.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// Neither sent nor received.
    Note,
    /// Received.
    Received,
    /// Sent.
    Sent,
}

impl LogKind {
    /// A message or control frame of this direction.
    pub fn of(direction: Direction) -> LogKind {
        if direction == Direction::In { LogKind::Received } else { LogKind::Sent }
    }
}

impl LogEntry {
    /// A message.
    pub fn new(
        at: Duration,
        connection: &str,
        kind: LogKind,
        (opcode, bytes): (Opcode, &[u8]),
    ) -> LogEntry {
        LogEntry { at, connection: connection.to_owned(), kind, text: shown_message(opcode, bytes) }
    }

    /// A control frame.
    pub fn control(
        at: Duration,
        connection: &str,
        direction: Direction,
        name: &str,
        payload: &[u8],
    ) -> LogEntry {
        let kind = LogKind::of(direction);
        let text = match payload {
            [] => name.to_owned(),
            some => format!("{name} \"{}\"", Untrusted(some)),
        };
        LogEntry { at, connection: connection.to_owned(), kind, text }
    }

    /// Anything else.
    pub fn note(at: Duration, connection: &str, text: String) -> LogEntry {
        LogEntry { at, connection: connection.to_owned(), kind: LogKind::Note, text }
    }

    /// On one line, with its direction.
    pub fn line(&self) -> String {
        format!("{}{}", self.sign(), self.text)
    }

    /// On one short line, with its direction.
    pub fn short(&self) -> String {
        format!("{}{}", self.sign(), cut(&self.text, 60))
    }

    fn sign(&self) -> &'static str {
        match self.kind {
            LogKind::Note => "",
            LogKind::Received => "< ",
            LogKind::Sent => "> ",
        }
    }
}

/// Seconds with milliseconds, for events.
pub fn at(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// A message on one line: text escaped, binary in hex, both shortened.
pub fn shown_message(opcode: Opcode, payload: &[u8]) -> String {
    if opcode != Opcode::Binary {
        // Each character takes at most four bytes.
        let some = payload.get(..4 * MAX_SHOWN).unwrap_or(payload);
        let text = Untrusted(some).to_string();
        if some.len() == payload.len() && text.chars().count() <= MAX_SHOWN {
            return text;
        }
        return format!("{} ({} bytes)", cut(&format!("{text}…"), MAX_SHOWN), payload.len());
    }
    let hex: Vec<String> = payload.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
    let more =
        if payload.len() > 32 { format!(" … ({} bytes)", payload.len()) } else { String::new() };
    format!("binary {}{more}", hex.join(" "))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
