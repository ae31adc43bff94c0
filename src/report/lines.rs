//! Lines for people: a time where wanted, a mark that says who speaks, and the text.

use std::fmt;
use std::io::{self, Write};

use crate::event::Direction;
use crate::report::style::{Style, Tone};
use crate::text::units::TimeOfDay;

/// What stands before the lines of a payload but its first, so that a peer can't forge a mark.
pub(super) const MARGIN: &str = "  ";

/// Who speaks in a line.
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
    /// `>`: we.
    Sent,
    /// `>b`: we, in bytes.
    SentBinary,
    /// `>f`: a frame of ours.
    SentFrame,
    /// `!`: wstap, about something that is not as it should be.
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
    /// The bytes' destination.
    pub(super) out: &'o mut dyn Write,
    /// Colour or none.
    pub(super) style: Style,
    /// What stands before every mark.
    pub(super) time: Option<TimeOfDay>,
    /// Whether our own lines have their mark; in a report all is ours.
    pub(super) marked: bool,
}

impl Lines<'_> {
    /// One line. The text holds what others chose only escaped.
    pub(super) fn line(&mut self, mark: Mark, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.begin(mark)?;
        writeln!(self.out, "{text}")
    }

    /// A line of ours.
    pub(super) fn info(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.line(Mark::Info, text)
    }

    /// A line about something that is not as it should be.
    pub(super) fn warn(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.line(Mark::Warning, text)
    }

    /// The beginning of a line, up to the text.
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

/// What we saw happen to a message or frame.
pub(super) fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "received",
        Direction::Out => "sent",
    }
}
