//! The only place where wstap's own text gets colours.
//!
//! Text from the peer is always painted as [`crate::text::Untrusted`], which escapes it. Colour is
//! an explicit option, so that the same events give the same bytes.

use std::fmt::{self, Display};
use std::io::{self, Write};

use colored::Color;

/// The meaning of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A success.
    Good,
    /// Broken.
    Bad,
    /// Secondary.
    Dim,
    /// Our own information.
    Info,
    /// Received from the peer.
    Received,
    /// Sent by us.
    Sent,
    /// A warning.
    Warning,
}

impl Tone {
    fn color(self) -> Color {
        match self {
            Tone::Good | Tone::Received => Color::Green,
            Tone::Bad => Color::Red,
            Tone::Dim => Color::BrightBlack,
            Tone::Info => Color::Blue,
            Tone::Sent => Color::Cyan,
            Tone::Warning => Color::Yellow,
        }
    }
}

/// Paints text, or passes it on unpainted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    color: bool,
}

impl Style {
    /// With or without colour.
    pub fn new(color: bool) -> Style {
        Style { color }
    }

    /// Writes the text in its tone; without colour it costs nothing extra.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(self, tone: Tone, text: &str, out: &mut dyn Write) -> io::Result<()> {
        if self.color {
            return write!(out, "{}", self.paint(tone, text));
        }
        out.write_all(text.as_bytes())
    }

    /// The text in its tone.
    pub fn paint<T: Display>(self, tone: Tone, text: T) -> Painted<T> {
        Painted { tone: self.color.then_some(tone), text }
    }
}

/// Text with its tone.
#[derive(Clone, Copy, Debug)]
pub struct Painted<T> {
    tone: Option<Tone>,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tone {
            Some(tone) => write!(f, "\x1b[{}m{}\x1b[0m", tone.color().to_fg_str(), self.text),
            None => self.text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_only_when_told() {
        assert_eq!(Style::new(false).paint(Tone::Bad, "x").to_string(), "x");
        assert_eq!(Style::new(true).paint(Tone::Bad, "x").to_string(), "\x1b[31mx\x1b[0m");
    }
}
