//! Bytes, and what they were read from.

use crate::text::units::Count;

/// The most bytes to take from a dump, whose repeated rows can stand for any number.
pub(super) const MAX: usize = 4 << 20;

/// Bytes, and what they were read from.
#[derive(Debug, Default, PartialEq)]
pub struct Dump {
    /// What was read, for the heading; empty for plain hex.
    pub kind: String,
    /// What else is to be known of it.
    pub notes: Vec<String>,
    /// Pieces that follow each other or come from different directions.
    pub parts: Vec<Vec<u8>>,
    /// Each part is a stream or a packet of its own, not the next piece of one.
    pub streams: bool,
}

impl Dump {
    pub(super) fn new(kind: &str, bytes: Vec<u8>) -> Dump {
        Dump { kind: kind.to_owned(), notes: Vec::new(), parts: vec![bytes], streams: false }
    }

    /// The heading of an explanation; empty for plain hex.
    pub fn heading(&self) -> String {
        let mut text = String::new();
        if !self.kind.is_empty() {
            let count = self.parts.iter().map(Vec::len).sum::<usize>() as u64;
            text.push_str(&format!("{}, read from {}\n", Count(count, "byte"), self.kind));
        }
        for note in &self.notes {
            text.push_str(&format!("{note}\n"));
        }
        text
    }
}
