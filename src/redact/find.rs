//! Where secrets are in a text: by the name before them, by their shape, and before a URL's host.
//!
//! The text is read as it is and, as often as that changes it, with percent-encoding taken off: a
//! URL can be a parameter of another one.

use std::borrow::Cow;
use std::ops::Range;

use super::names::is_secret_parameter;

/// The replacement for a secret.
pub const HIDDEN: &str = "***";

/// How often percent-encoding is taken off.
const ROUNDS: usize = 3;

/// What a parameter without a secret has as its value; the usual traces of a mistake.
const EMPTY: &[&[u8]] = &[b"", b"true", b"false", b"null", b"undefined", b"none", b"nil", b"nan"];

/// Beginnings of the tokens of well-known services; random characters follow.
const ISSUED: &[&[u8]] = &[
    b"sk-",
    b"ghp_",
    b"gho_",
    b"ghu_",
    b"ghs_",
    b"github_pat_",
    b"glpat-",
    b"xoxb-",
    b"xoxp-",
    b"xapp-",
    b"ya29.",
    b"AIza",
];

/// No token is shorter, in bytes.
const SHORTEST: usize = 8;

/// By so much of it one is recognized.
const BEGINNING: usize = 48;

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A URL or a request's target, and nothing else.
    Url,
    /// Words, maybe with URLs in them.
    Words,
}

/// The text with each range replaced. They may overlap, in any order.
pub(super) fn without<'a>(text: &'a [u8], mut ranges: Vec<Range<usize>>) -> Cow<'a, [u8]> {
    ranges.retain(|range| !range.is_empty());
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    ranges.sort_by_key(|range| range.start);
    let mut shown = Vec::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        if range.start > end || shown.is_empty() {
            shown.extend_from_slice(text.get(end..range.start).unwrap_or_default());
            shown.extend_from_slice(HIDDEN.as_bytes());
        }
        end = end.max(range.end);
    }
    shown.extend_from_slice(text.get(end..).unwrap_or_default());
    Cow::Owned(shown)
}

/// Where the secrets of a text are.
pub(super) fn secrets(text: &[u8], kind: Kind) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    in_plain(text, kind, &mut found);
    // For each byte of the decoded text, and for its end, the place of it in the given one.
    let mut places: Vec<usize> = (0..=text.len()).collect();
    let mut coded = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let Some((plain, from)) = decoded(&coded) else { break };
        places = from.iter().filter_map(|at| places.get(*at).copied()).collect();
        let mut inner = Vec::new();
        in_plain(&plain, kind, &mut inner);
        found.extend(
            inner
                .iter()
                .filter_map(|range| Some(*places.get(range.start)?..*places.get(range.end)?)),
        );
        coded = Cow::Owned(plain);
    }
    found
}

/// Percent-encoding taken off once, and from where each byte and the end came; `None` if there is
/// none.
pub(super) fn decoded(coded: &[u8]) -> Option<(Vec<u8>, Vec<usize>)> {
    memchr::memchr(b'%', coded)?;
    let (mut plain, mut from) = (Vec::with_capacity(coded.len()), Vec::new());
    let mut at = 0;
    while let Some(byte) = coded.get(at) {
        let digit = |at: usize| char::from(*coded.get(at)?).to_digit(16);
        let value = (*byte == b'%').then(|| Some(digit(at + 1)? << 4 | digit(at + 2)?)).flatten();
        from.push(at);
        plain.push(value.map_or(*byte, |value| value as u8));
        at += if value.is_some() { 3 } else { 1 };
    }
    from.push(coded.len());
    (plain.len() < coded.len()).then_some((plain, from))
}

/// Finds what needs no decoding.
fn in_plain(text: &[u8], kind: Kind, found: &mut Vec<Range<usize>>) {
    if kind == Kind::Url {
        found.extend(userinfo(text));
    }
    for at in find_all(text, b"://") {
        let start = at + 3;
        let length = text.get(start..).and_then(|rest| rest.iter().position(|b| ends_host(*b)));
        let authority = text.get(start..length.map_or(text.len(), |length| start + length));
        if let Some(end) = authority.and_then(|authority| memchr::memrchr(b'@', authority)) {
            found.push(start..start + end);
        }
    }
    parameters(text, kind, found);
    found.extend(tokens(text));
}

/// Where a few bytes are. Not by memmem: its set-up takes longer than most texts here.
fn find_all(text: &[u8], bytes: &[u8]) -> impl Iterator<Item = usize> {
    let first = bytes.first().copied().unwrap_or_default();
    let begins = move |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(bytes));
    memchr::memchr_iter(first, text).filter(begins)
}

fn ends_host(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"/\\?#\"'<>()".contains(&byte)
}

/// Where the userinfo at the front of a URL is.
fn userinfo(url: &[u8]) -> Option<Range<usize>> {
    // Typed URLs and Locations may lack the scheme. Browsers accept backslashes as slashes, and any
    // number of them.
    let scheme = url.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
    let slashes = |from: usize| {
        let rest = url.get(from..).unwrap_or_default();
        rest.iter().take_while(|b| matches!(b, b'/' | b'\\')).count()
    };
    let behind = if url.get(scheme) == Some(&b':') { scheme + 1 } else { 0 };
    let start = match slashes(behind) {
        0 => 0,
        1 if behind == 0 => 0,
        count => behind + count,
    };
    let rest = url.get(start..)?;
    let host = rest.iter().position(|b| b"/\\?#".contains(b)).unwrap_or(rest.len());
    let authority = rest.get(..host)?;
    if let Some(at) = memchr::memrchr(b'@', authority) {
        return Some(start..start + at);
    }
    // A password with a character that ends the host: what follows the colon is no port then.
    let (_, port) = authority.split_at(memchr::memrchr(b':', authority)?);
    let is_port = port.iter().skip(1).all(u8::is_ascii_digit) || authority.starts_with(b"[");
    match memchr::memrchr(b'@', rest) {
        Some(at) if start > 0 && !is_port => Some(start..start + at),
        _ => None,
    }
}

/// Where the values of secret parameters are.
fn parameters(text: &[u8], kind: Kind, found: &mut Vec<Range<usize>>) {
    let query = memchr::memchr2(b'?', b'#', text).unwrap_or(text.len());
    let is_engine_io = find_all(text, b"EIO=").next().is_some();
    let mut hidden_to = 0;
    for equals in memchr::memchr_iter(b'=', text).filter(|at| *at > 0) {
        let (before, behind) = (text.get(..equals), text.get(equals + 1..));
        let (Some(before), Some(behind)) = (before, behind) else { continue };
        // So that each byte is looked at once, whatever a peer sends.
        if equals < hidden_to {
            continue;
        }
        let in_name = |b: &u8| b.is_ascii_alphanumeric() || b"_-.%$~+[]".contains(b);
        let length = before.iter().rev().take_while(|b| in_name(b)).count();
        let (front, name) = before.split_at(equals - length);
        let is_parameter = match front.last() {
            Some(b'?' | b'&' | b';' | b'#') => true,
            Some(b'/') | None => kind == Kind::Url,
            _ => false,
        };
        if !is_parameter || !is_secret(name, is_engine_io) {
            continue;
        }
        let in_path = kind == Kind::Url && equals < query;
        let ends = |b: &u8| match kind {
            Kind::Url => matches!(b, b'&' | b';' | b'#') || in_path && matches!(b, b'/' | b'?'),
            Kind::Words => b.is_ascii_whitespace() || b"&;#\"'<>()\\,`".contains(b),
        };
        let length = behind.iter().position(ends).unwrap_or(behind.len());
        hidden_to = equals + 1 + length;
        let value = behind.get(..length).unwrap_or_default();
        if !EMPTY.iter().any(|empty| value.eq_ignore_ascii_case(empty)) {
            found.push(equals + 1..hidden_to);
        }
    }
}

/// Whether a name's value is a secret. Engine.IO's number of a connection isn't: its first message
/// shows it anyhow.
fn is_secret(name: &[u8], is_engine_io: bool) -> bool {
    let name = decoded(name).map_or(Cow::Borrowed(name), |(plain, _)| Cow::Owned(plain));
    is_secret_parameter(&name) && !(is_engine_io && name.eq_ignore_ascii_case(b"sid"))
}

/// What is a token by its looks.
fn tokens(text: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    if text.len() < SHORTEST {
        return found;
    }
    let run = |start: usize| {
        let rest = text.get(start..).unwrap_or_default();
        rest.get(..rest.iter().take_while(|b| is_token_byte(**b)).count()).unwrap_or_default()
    };
    let mut looked_to = 0;
    for start in find_all(text, b"eyJ") {
        if start < looked_to {
            continue;
        }
        let token = run(start);
        if is_jwt(token) {
            found.push(start..start + token.len());
            looked_to = start + token.len();
        } else {
            // Another one can only begin in a later part.
            let part = memchr::memchr(b'.', token).unwrap_or(token.len());
            looked_to = start + part;
        }
    }
    for issuer in ISSUED {
        for start in find_all(text, issuer) {
            let before = start.checked_sub(1).and_then(|at| text.get(at));
            let begin = text.get(start..(start + BEGINNING).min(text.len())).unwrap_or_default();
            let length = begin.iter().take_while(|b| is_token_byte(**b)).count();
            let random = begin.get(issuer.len()..length).unwrap_or_default();
            if !before.is_some_and(u8::is_ascii_alphanumeric) && is_random(random) {
                found.push(start..start + run(start).len());
            }
        }
    }
    found
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.=".contains(&byte)
}

/// A JSON Web Token: an object in base64, then a dot, another object or part, and a signature. One
/// that was cut keeps its claims.
pub(super) fn is_jwt(token: &[u8]) -> bool {
    let mut parts = token.split(|b| *b == b'.');
    let (header, claims, signature) = (parts.next(), parts.next(), parts.next());
    header.is_some_and(|header| header.starts_with(b"eyJ") && header.len() >= 8)
        && claims.is_some_and(|claims| signature.is_some() || claims.starts_with(b"eyJ"))
}

/// Whether letters and digits follow each other as they do in no word: often, and in both ways.
pub(super) fn is_random(token: &[u8]) -> bool {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_+/=~.".contains(b);
    if token.len() < 16 || !token.iter().all(is_plain) {
        return false;
    }
    let (mut digits, mut cases) = (0, 0);
    for (a, b) in token.iter().zip(token.iter().skip(1)) {
        let letters = a.is_ascii_alphabetic() && b.is_ascii_alphabetic();
        if a.is_ascii_digit() && b.is_ascii_alphabetic()
            || a.is_ascii_alphabetic() && b.is_ascii_digit()
        {
            digits += 1;
        } else if letters && a.is_ascii_lowercase() != b.is_ascii_lowercase() {
            cases += 1;
        }
    }
    digits >= 3 && (digits + cases) * 6 >= token.len()
}
