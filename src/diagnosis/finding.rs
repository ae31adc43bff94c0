//! A finding, and the rules that give them.

use std::fmt;

use crate::diagnosis::Facts;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sure {
    /// One cause among others; its words say "may".
    May,
    /// What was seen has hardly another cause.
    Probable,
    /// The evidence names the cause.
    Certain,
}

impl Sure {
    /// `certain`, `probable` or `may`.
    pub fn name(self) -> &'static str {
        match self {
            Sure::Certain => "certain",
            Sure::Probable => "probable",
            Sure::May => "may",
        }
    }
}

/// A cause. Its texts are safe to show: text from others is formatted through
/// [`crate::text::Untrusted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it, in docs/diagnosis.md.
    pub rule: &'static str,
    /// How sure it is.
    pub sure: Sure,
    /// The cause, as the beginning of a sentence.
    pub cause: String,
    /// What it rests on; may be empty.
    pub evidence: String,
    /// What helps: commands, options or lines of a configuration, in the order to try them.
    pub next: Vec<String>,
}

impl Finding {
    /// The next steps in one line.
    pub fn steps(&self) -> String {
        self.next.join("; ")
    }
}

/// `cause (evidence): next; next`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        if !self.evidence.is_empty() {
            write!(f, " ({})", self.evidence)?;
        }
        if self.next.is_empty() { Ok(()) } else { write!(f, ": {}", self.steps()) }
    }
}

/// A rule: its name, and how it is applied.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) find: fn(&Facts<'_>) -> Option<Finding>,
}

/// The beginning of a finding that is certain.
pub(super) fn certain(cause: impl Into<String>) -> Finding {
    finding(Sure::Certain, cause)
}

/// The beginning of a finding that is probable.
pub(super) fn probable(cause: impl Into<String>) -> Finding {
    finding(Sure::Probable, cause)
}

/// The beginning of a finding that is one of several causes.
pub(super) fn may(cause: impl Into<String>) -> Finding {
    finding(Sure::May, cause)
}

pub(super) fn finding(sure: Sure, cause: impl Into<String>) -> Finding {
    Finding { rule: "", sure, cause: cause.into(), evidence: String::new(), next: Vec::new() }
}

impl Finding {
    /// Adds what it rests on.
    pub(super) fn because(mut self, evidence: impl Into<String>) -> Finding {
        self.evidence = evidence.into();
        self
    }

    /// Adds a next step.
    pub(super) fn next(mut self, step: impl Into<String>) -> Finding {
        self.next.push(step.into());
        self
    }
}
