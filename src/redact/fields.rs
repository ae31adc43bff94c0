//! Header fields, and the heads that hold them.

use std::borrow::Cow;
use std::ops::Range;

use super::find::{Kind, secrets, without};
use super::names::is_secret_header;
use super::subprotocols;

/// A header's value as it may be shown.
pub fn value<'a>(name: &[u8], value: &'a [u8]) -> Cow<'a, [u8]> {
    without(value, in_value(name, value))
}

/// Where the secrets of a header's value are.
pub(super) fn in_value(name: &[u8], value: &[u8]) -> Vec<Range<usize>> {
    let is = |other: &str| name.trim_ascii().eq_ignore_ascii_case(other.as_bytes());
    if is_secret_header(name) {
        std::iter::once(0..value.len()).collect()
    } else if is("sec-websocket-protocol") {
        subprotocols::secrets(value)
    } else if ["location", "content-location", "referer", "origin"].into_iter().any(is) {
        secrets(value, Kind::Url)
    } else {
        secrets(value, Kind::Words)
    }
}

/// A request's or response's head as it may be shown: the lines as they are on the wire.
pub fn head(head: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Vec::with_capacity(head.len());
    let (start, mut fields) = head.split_at(memchr::memchr(b'\n', head).unwrap_or(head.len()));
    shown.extend_from_slice(&start_line(start));
    while !fields.is_empty() {
        let (field, rest) = fields.split_at(field_end(fields));
        fields = rest;
        let Some(colon) = memchr::memchr(b':', field) else {
            shown.extend_from_slice(&words(field));
            continue;
        };
        let (name, value) = field.split_at(colon + 1);
        let (name, bare) = (name.strip_suffix(b":").unwrap_or(name), value.trim_ascii());
        let begins = value.len() - value.trim_ascii_start().len();
        let (space, end) = (value.get(..begins), value.get(begins + bare.len()..));
        shown.extend_from_slice(name);
        shown.push(b':');
        shown.extend_from_slice(space.unwrap_or_default());
        shown.extend_from_slice(&self::value(name.trim_ascii(), bare));
        shown.extend_from_slice(end.unwrap_or_default());
    }
    if shown == head { Cow::Borrowed(head) } else { Cow::Owned(shown) }
}

/// Where the first field of a head ends, with the folded lines that belong to it (RFC 9112 §5.2).
/// Both texts begin with the end of the line before.
fn field_end(fields: &[u8]) -> usize {
    let folded = |at: &usize| matches!(fields.get(at + 1), Some(b' ' | b'\t'));
    let mut ends = memchr::memchr_iter(b'\n', fields).skip(1);
    ends.find(|at| !folded(at)).unwrap_or(fields.len())
}

/// A header as typed, possibly with mistakes; see [`bad_header`].
pub fn typed_header(typed: &str) -> String {
    String::from_utf8_lossy(&bad_header(typed.as_bytes())).into_owned()
}

/// A header that may break the grammar: a name without its colon, line breaks.
pub fn bad_header(header: &[u8]) -> Vec<u8> {
    let is_between = |b: &u8| matches!(b, b':' | b' ' | b'=' | b'\t');
    let is_break = |b: &u8| matches!(b, b'\r' | b'\n');
    let lines = header.split_inclusive(is_break).map(|line| {
        let (text, end) =
            line.split_at(line.len() - usize::from(line.last().is_some_and(is_break)));
        let (name, rest) = text.split_at(text.iter().position(is_between).unwrap_or(text.len()));
        let begins = rest.iter().position(|b| !is_between(b)).unwrap_or(rest.len());
        let (between, bare) = rest.split_at(begins);
        [name, between, &value(name, bare), end].concat()
    });
    lines.collect::<Vec<_>>().concat()
}

fn url(url: &[u8]) -> Cow<'_, [u8]> {
    without(url, secrets(url, Kind::Url))
}

fn words(text: &[u8]) -> Cow<'_, [u8]> {
    without(text, secrets(text, Kind::Words))
}

/// A request line or a status line.
fn start_line(line: &[u8]) -> Cow<'_, [u8]> {
    let spaces = (memchr::memchr(b' ', line), memchr::memrchr(b' ', line));
    let (Some(first), Some(last)) = spaces else { return url(line) };
    match (line.get(..first), line.get(first..last), line.get(last..)) {
        (Some(method), Some(target), Some(version)) if !method.starts_with(b"HTTP/") => {
            Cow::Owned([method, b" ", &*url(target.trim_ascii()), version].concat())
        }
        _ => words(line),
    }
}
