//! A command in words, and what every shell says of its text.

use crate::text::Untrusted;

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    /// Its text; an expansion is in it as it was written.
    pub text: String,
    /// Why the text can't be used: what only a shell can expand.
    pub unknown: Option<String>,
}

impl From<String> for Word {
    fn from(text: String) -> Word {
        Word { text, unknown: None }
    }
}

/// One command.
#[derive(Debug, Default, PartialEq)]
pub struct Line {
    /// Its words.
    pub words: Vec<Word>,
    /// What else the shell was to do, as written.
    pub left_out: Vec<String>,
    /// What was read in another way than a shell would.
    pub notes: Vec<String>,
}

/// A part of the source, as written.
pub(super) fn source(chars: &[char], from: usize, to: usize) -> String {
    let part: String = chars.get(from..to.min(chars.len())).unwrap_or_default().iter().collect();
    part.trim().to_owned()
}

pub(super) fn unterminated(quote: char, began: usize) -> String {
    format!("the {quote} at character {began} has no other one to end it")
}

pub(super) fn expansion(c: char, at: usize) -> String {
    let c = Untrusted::text(c.encode_utf8(&mut [0; 4])).to_string();
    format!("nothing is expanded or run, but there is a {c} at character {at}: write its value")
}
