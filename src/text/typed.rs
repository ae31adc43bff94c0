//! Typed input: times, patterns, bytes in hex and base64, and misspelt names.

use std::time::Duration;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, DecodeError};
use regex::bytes::Regex;

use crate::text::Untrusted;

/// Units of time with their seconds.
const UNITS: [(&str, f64); 6] =
    [("ms", 0.001), ("s", 1.0), ("min", 60.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0)];

/// Reads a time: seconds, also with a fraction, or numbers with units, as in `500ms` or `1h30m`.
///
/// # Errors
/// How a time is written.
pub fn time(text: &str) -> Result<Duration, String> {
    let bad = || "a time is a number of seconds, or like 500ms, 2s, 1m, 1.5h, 1d".to_owned();
    let plain = if is_number(text) { text.parse().ok() } else { None };
    let seconds = plain.or_else(|| with_units(text)).ok_or_else(bad)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| bad())
}

/// The seconds of `500ms` or `1h30m`.
fn with_units(text: &str) -> Option<f64> {
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let (digits, behind) = rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic())?);
        let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let number: f64 = if is_number(digits) { digits.parse().ok()? } else { return None };
        (seconds, rest) = (seconds + number * factor, behind);
    }
    Some(seconds).filter(|_| !text.is_empty())
}

/// Whether it begins like a number without a sign: not as `-1` or `inf`.
fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

/// Reads a regular expression.
///
/// # Errors
/// What is wrong with it, in one line, to put behind its name.
pub fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|e| {
        // The lines above the last one draw the place.
        let whole = e.to_string();
        let last = whole.lines().last().unwrap_or_default();
        let why = last.strip_prefix("error: ").unwrap_or(last);
        format!("is not a regular expression: {}", Untrusted::text(why))
    })
}

/// Reads hex digits. White space, `:`, `,` and `-` are ignored, as are `0x` and `\x` before a byte.
///
/// # Errors
/// Which character is not a hex digit, or that half a byte is left.
pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let mut chars = text.chars().zip(1..).peekable();
    while let Some((c, column)) = chars.next() {
        let next_is_x = matches!(chars.peek(), Some(('x' | 'X', _)));
        if high.is_none() && matches!(c, '0' | '\\') && next_is_x {
            chars.next();
            continue;
        }
        if c.is_whitespace() || matches!(c, ':' | ',' | '-') {
            continue;
        }
        let digit = c.to_digit(16).ok_or_else(|| format!("column {column} is not a hex digit"))?;
        match high.take() {
            Some(high) => bytes.push((high << 4 | digit) as u8),
            None => high = Some(digit),
        }
    }
    match high {
        Some(_) => Err("an odd number of hex digits: the last byte has only one".to_owned()),
        None => Ok(bytes),
    }
}

/// Base64 of either alphabet, with or without padding; white space doesn't count.
///
/// # Errors
/// What is wrong, and at which character.
pub fn base64(text: &str) -> Result<Vec<u8>, String> {
    let dense: String = text.split_whitespace().collect();
    let encoding = match (dense.contains(['-', '_']), dense.ends_with('=')) {
        (false, false) => BASE64_NOPAD,
        (false, true) => BASE64,
        (true, false) => BASE64URL_NOPAD,
        (true, true) => BASE64URL,
    };
    encoding.decode(dense.as_bytes()).map_err(|DecodeError { position, kind }| {
        format!("not base64: {kind} at character {}", position + 1)
    })
}

/// The name that was probably meant: one that begins as typed, or differs by a typo or two.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match typed.chars().count() {
        0 | 1 => 0,
        2..=5 => 1,
        6..=32 => 2,
        // So long a text is no misspelt name.
        _ => return None,
    };
    let distance = |name: &str| match name.starts_with(typed) && !typed.is_empty() {
        true => 0,
        false => strsim::osa_distance(typed, name),
    };
    let near = known.into_iter().map(|name| (distance(name), name));
    near.filter(|(far, _)| *far <= limit).min_by_key(|(far, _)| *far).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (typed, millis) in [
            ("500ms", 500),
            ("2", 2_000),
            ("0.25", 250),
            (".5s", 500),
            ("1m", 60_000),
            ("2min", 120_000),
            ("1.5h", 5_400_000),
            ("1d", 86_400_000),
            ("1h30m", 5_400_000),
            ("1m2s3ms", 62_003),
            ("36500d", 3_153_600_000_000),
        ] {
            assert_eq!(time(typed), Ok(Duration::from_millis(millis)), "{typed}");
        }
        for bad in [
            "", "s", "-1", "+1", "inf", "nan", "1x", "1e400", "+1h", "ms", "infs", "1h30", "1 h",
            "1.2.3", "1M", "1m-", ".", "1é",
        ] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn patterns() {
        assert!(pattern("^a+$").unwrap().is_match(b"aa"));
        for (bad, why) in [
            ("(", "is not a regular expression: unclosed group"),
            ("a\n*{", "is not a regular expression: unclosed counted repetition"),
            ("\\w{999999}", "exceeds"),
        ] {
            let error = pattern(bad).unwrap_err();
            assert!(error.contains(why) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn hex_is_forgiving_about_spacing_only() {
        assert_eq!(hex("00ff 01:0a,0x7F 0XAB").unwrap(), [0x00, 0xff, 0x01, 0x0a, 0x7f, 0xab]);
        assert_eq!(hex("\\x81-80\n0x").unwrap(), [0x81, 0x80]);
        assert_eq!(hex("").unwrap(), b"");
        assert_eq!(hex("0 1").unwrap(), [0x01]);
        assert!(hex("0g").unwrap_err().contains("column 2"));
        assert!(hex("é0g").unwrap_err().contains("column 1"));
        assert!(hex("10x1").unwrap_err().contains("column 3"));
        assert!(hex("123").unwrap_err().contains("odd"));
        assert!(hex("x1").unwrap_err().contains("column 1"));
    }

    #[test]
    fn base64_takes_every_common_spelling() {
        assert_eq!(base64("AP8=").unwrap(), [0x00, 0xff]);
        assert_eq!(base64("AP8").unwrap(), [0x00, 0xff]);
        assert_eq!(base64("-_-_").unwrap(), base64("+/+/").unwrap());
        assert_eq!(base64("AA AA").unwrap(), [0, 0, 0]);
        assert!(base64("A*==").unwrap_err().contains("character 2"));
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let known = ["help", "status", "connect", "ping", "pong", "reconnect", "base64"];
        for (typed, meant) in [
            ("hlep", Some("help")),
            ("stat", Some("status")),
            ("conect", Some("connect")),
            ("pign", Some("ping")),
            ("recon", Some("reconnect")),
            ("base46", Some("base64")),
            ("xyzzy", None),
            ("", None),
            ("p", Some("ping")),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest(&"p".repeat(33), known), None);
    }
}
