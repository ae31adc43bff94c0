//! The files of a script, places in them, and errors that name a place.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::redact;
use crate::report::results::Failure;
use crate::text::Untrusted;

/// A file that was read: the script itself, or one that it includes.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// As typed, or beside the file that includes it.
    pub(crate) path: PathBuf,
    /// Its lines, without their ends.
    pub(crate) lines: Vec<String>,
    /// Where it is included.
    pub(crate) included: Option<Place>,
}

/// A line as reports may quote it. Payloads are what a test is about; what reaches the server may
/// hold a login.
fn shown_line(line: &str) -> String {
    let bare = line.trim_start();
    match bare.strip_prefix("header:") {
        Some(header) => {
            let front = &line[..line.len() - header.len()];
            format!("{front}{}", redact::typed_header(header))
        }
        None if bare.starts_with("connect") => redact::text(line).into_owned(),
        None => line.to_owned(),
    }
}

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The index of the source in [`Sources`].
    pub(crate) source: usize,
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
}

/// The sources of a script; the first one is its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(pub(crate) Vec<Source>);

impl Sources {
    /// `FILE:LINE`
    pub(crate) fn line_of(&self, place: Place) -> String {
        let path = self.0.get(place.source).map(|source| shown(&source.path));
        format!("{}:{}", path.unwrap_or_default(), place.line)
    }

    /// The line's text.
    pub(crate) fn text_of(&self, place: Place) -> &str {
        let line = self.0.get(place.source).and_then(|source| source.lines.get(place.line - 1));
        line.map_or("", String::as_str)
    }

    /// The folder that relative paths there start from.
    pub(crate) fn folder_of(&self, place: Place) -> &Path {
        let source = self.0.get(place.source);
        source.and_then(|source| source.path.parent()).unwrap_or(Path::new(""))
    }

    /// Where the source of a place is included, from the inside out.
    pub(crate) fn way_to(&self, place: Place) -> Vec<Place> {
        let included = |place: &Place| self.0.get(place.source)?.included;
        std::iter::successors(included(&place), included).collect()
    }

    /// A failure at a place.
    pub(crate) fn failure(&self, place: Place, what: impl Into<String>) -> Failure {
        Failure {
            line: self.line_of(place),
            number: place.line,
            text: shown_line(self.text_of(place)),
            column: place.column,
            what: what.into(),
            way: self.way_to(place).into_iter().map(|way| self.line_of(way)).collect(),
            details: Vec::new(),
            last: String::new(),
            exit: None,
        }
    }

    /// An error at a place.
    pub(crate) fn error(&self, place: Place, what: impl std::fmt::Display) -> Error {
        let mut error = Error::usage(format!("{}:{}: {what}", self.line_of(place), place.column));
        for way in self.way_to(place) {
            error = error.cause(format!("included at {}", self.line_of(way)));
        }
        error
    }
}

/// A path, escaped for display.
pub(crate) fn shown(path: &Path) -> String {
    Untrusted::text(&path.to_string_lossy()).to_string()
}

/// The lines of a text: LF or CRLF, perhaps behind a byte order mark.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_the_byte_order_mark_are_no_text() {
        assert_eq!(lines("\u{feff}a\r\nb\n\nc"), ["a", "b", "", "c"]);
    }

    #[test]
    fn an_error_names_the_way_to_its_place() {
        let source = |path: &str, included| Source { path: path.into(), lines: vec![], included };
        let place = Place { source: 0, line: 3, column: 1 };
        let sources = Sources(vec![source("d/a.wst", None), source("d/b.wst", Some(place))]);
        let error = sources.error(Place { source: 1, line: 2, column: 5 }, "wrong");
        assert_eq!(error.what, "d/b.wst:2:5: wrong");
        assert_eq!(error.causes, ["included at d/a.wst:3"]);
    }
}
