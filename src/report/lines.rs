//! Lines for people: a time where wanted, a mark that says who speaks, and the text.

use std::fmt;
use std::io::{self, Write};

use crate::event::Direction;
use crate::report::style::{Style, Tone};
use crate::text::stamp::Stamp;
use crate::text::wrap::wrap;

/// The margin before a payload's lines after the first, so that a peer can't forge a mark.
pub(super) const MARGIN: &str = "  ";

/// The mark of a line: who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// `*`: wstap.
    Info,
    /// `<`: the peer.
    Received,
    /// `<b`: the peer, in bytes.
    ReceivedBinary,
    /// `<f`: a frame from the peer.
    ReceivedFrame,
    /// `>`: wstap, to the peer.
    Sent,
    /// `>b`: wstap, in bytes.
    SentBinary,
    /// `>f`: a frame from wstap.
    SentFrame,
    /// `!`: wstap, about a problem.
    Warning,
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Mark::Info => "*",
            Mark::Received => "<",
            Mark::ReceivedBinary => "<b",
            Mark::ReceivedFrame => "<f",
            Mark::Sent => ">",
            Mark::SentBinary => ">b",
            Mark::SentFrame => ">f",
            Mark::Warning => "!",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Mark::Info => Tone::Info,
            Mark::Received | Mark::ReceivedBinary | Mark::ReceivedFrame => Tone::Received,
            Mark::Sent | Mark::SentBinary | Mark::SentFrame => Tone::Sent,
            Mark::Warning => Tone::Bad,
        }
    }
}

/// Where lines go.
pub(super) struct Lines<'o> {
    /// Destination of the bytes.
    pub(super) out: &'o mut dyn Write,
    /// Colour or none.
    pub(super) style: Style,
    /// Prefix of every line, before the mark.
    pub(super) time: Option<Stamp>,
    /// Whether our own lines have a mark; in a report every line is ours.
    pub(super) marked: bool,
    /// How wide our own lines may be; `None` for any width.
    pub(super) columns: Option<fn() -> usize>,
}

impl Lines<'_> {
    /// Writes a line. The peer's text in it must be escaped.
    pub(super) fn line(&mut self, mark: Mark, text: fmt::Arguments<'_>) -> io::Result<()> {
        match mark {
            Mark::Info | Mark::Warning => self.wrapped(mark, text),
            _ => {
                self.begin(mark)?;
                writeln!(self.out, "{text}")
            }
        }
    }

    /// Writes a line of our own words, broken where the terminal is narrow.
    pub(super) fn wrapped(&mut self, mark: Mark, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.begin(mark)?;
        let Some(columns) = self.columns else { return writeln!(self.out, "{text}") };
        let text = text.to_string();
        let indent = text.len() - text.trim_start_matches(' ').len();
        let used = MARGIN.len() + self.time.map_or(0, |time| time.to_string().len() + 1);
        let hang = MARGIN.len() + if indent > 0 { indent + 2 } else { 0 };
        writeln!(self.out, "{}", wrap(&text, columns(), used, hang))
    }

    /// Writes a line that continues the one before it, after a word that says how.
    pub(super) fn more(&mut self, word: &str, tone: Option<Tone>, text: &str) -> io::Result<()> {
        let word_end = MARGIN.len() + word.len() + 1;
        let columns = self.columns.map_or(usize::MAX, |columns| columns());
        let text = wrap(text, columns, word_end, 2 * MARGIN.len());
        match tone {
            Some(tone) => writeln!(self.out, "{MARGIN}{} {text}", self.style.paint(tone, word)),
            None => writeln!(self.out, "{MARGIN}{word} {text}"),
        }
    }

    /// Writes a line of our own.
    pub(super) fn info(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.line(Mark::Info, text)
    }

    /// Writes a line about a problem.
    pub(super) fn warn(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.line(Mark::Warning, text)
    }

    /// Writes the beginning of a line, up to the text.
    pub(super) fn begin(&mut self, mark: Mark) -> io::Result<()> {
        if let Some(time) = self.time {
            write!(self.out, "{} ", self.style.paint(Tone::Dim, time))?;
        }
        if mark == Mark::Info && !self.marked {
            return self.out.write_all(b"  ");
        }
        self.style.write(mark.tone(), mark.sign(), self.out)?;
        self.out.write_all(b" ")
    }
}

/// The verb for a message's or frame's direction.
pub(super) fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "received",
        Direction::Out => "sent",
    }
}
