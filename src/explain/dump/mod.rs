//! Bytes as people paste them: rows of a dump, a literal of a programming language, hex, base64.
//!
//! What can be read in two ways is read in the first of these: our own `-vvv` lines, rows that
//! begin with an offset, a literal (an array, a string with escapes), hex, base64.

mod base64;
mod literal;
mod ours;
mod rows;
mod shown;

pub(super) use self::base64::read as base64;
pub(super) use self::shown::Dump;
use crate::text::typed::hex;

/// The bytes that a text shows; `None` if it shows none.
pub(super) fn read(text: &str) -> Option<Dump> {
    let text = text.trim();
    ours::read(text)
        .or_else(|| rows::read(text))
        .or_else(|| literal::read(text))
        .or_else(|| plain(text))
        .filter(|dump| dump.parts.iter().any(|part| !part.is_empty()))
}

/// Hex with or without spaces, commas, colons, `0x` and `\x`.
fn plain(text: &str) -> Option<Dump> {
    hex(text).ok().map(|bytes| Dump::new("", bytes))
}
