//! Option values: sizes, times, and names from a list.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::check;
use crate::run::reconnect::{Backoff, Ends};
use crate::text::typed::{nearest, time};

/// A parser for one of several names; the completions show the name and its help.
pub fn one_of<T: Clone + Send + Sync>(
    all: &'static [(&'static str, &'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let names = all.iter().map(|(name, about, _)| PossibleValue::new(*name).help(*about));
    PossibleValuesParser::new(names).try_map(|typed| {
        let found = all.iter().find(|(name, ..)| *name == typed);
        found.map(|(.., value)| value.clone()).ok_or("none of the names")
    })
}

/// A size: bytes, or K, M, G (powers of 1024).
///
/// # Errors
/// Why the text is not valid.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "a size is a number of bytes, or one with K, M or G behind it".to_owned())
}

/// A size of at least one byte.
///
/// # Errors
/// Why the text is not valid.
pub fn nonzero_size(text: &str) -> Result<usize, String> {
    match size(text)? {
        0 => Err("it must be at least 1 byte".to_owned()),
        size => usize::try_from(size).map_err(|_| "more than this machine can count".to_owned()),
    }
}

/// The id of a probe, or a group of them.
///
/// # Errors
/// Which there are.
pub fn probe_name(text: &str) -> Result<String, String> {
    if check::is_known(text) {
        return Ok(text.to_owned());
    }
    let names = check::probes().flat_map(|probe| [probe.id, probe.group()]);
    Err(match nearest(text, names) {
        Some(meant) => format!("no probe is called so; did you mean {meant}?"),
        None => "no probe is called so; wstap check --list shows all".to_owned(),
    })
}

/// The payload of a ping in bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn ping_size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| *size <= 125);
    size.ok_or_else(|| "a ping carries 0 to 125 bytes (RFC 6455 §5.5)".to_owned())
}

/// A time that is not 0.
///
/// # Errors
/// What is wrong with the text.
pub fn nonzero_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("it must be longer than nothing".to_owned()),
        time => Ok(time),
    }
}

/// Waits between attempts: `MIN..MAX`, or `MIN` alone.
///
/// # Errors
/// Why the text is not valid.
pub fn backoff(text: &str) -> Result<Backoff, String> {
    let (min, max) = match text.split_once("..") {
        Some((min, max)) => (time(min)?, time(max)?),
        None => {
            let min = time(text)?;
            (min, min.max(Backoff::default().max))
        }
    };
    if min.is_zero() {
        return Err("the first wait must be longer than nothing".to_owned());
    }
    if min > max {
        return Err("the first wait must not be longer than the longest: MIN..MAX".to_owned());
    }
    Ok(Backoff { min, max })
}

/// The ends that `--reconnect-on` names: `any`, `lost`, close codes and ranges of them.
///
/// # Errors
/// Why the text is not valid.
pub fn ends(text: &str) -> Result<Ends, String> {
    let code = |text: &str| {
        let code = text.trim().parse::<u16>().ok().filter(|code| (1000..5000).contains(code));
        code.ok_or_else(|| {
            "any, lost, or close codes from 1000 to 4999, like lost,1001,4000-4999".to_owned()
        })
    };
    let range = |part: &str| -> Result<RangeInclusive<u16>, String> {
        match (part.trim(), part.split_once('-')) {
            ("any", _) => Ok(Ends::ANY),
            ("lost", _) => Ok(Ends::LOST),
            (_, Some((start, end))) => {
                let codes = code(start)?..=code(end)?;
                let why = "a range begins with its lower code";
                if codes.is_empty() { Err(why.to_owned()) } else { Ok(codes) }
            }
            (one, None) => code(one).map(|code| code..=code),
        }
    };
    text.split(',').map(range).collect::<Result<_, _>>().map(Ends::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoffs() {
        let read = |text| backoff(text).map(|read| (read.min.as_millis(), read.max.as_millis()));
        assert_eq!(read("500ms..30s"), Ok((500, 30_000)));
        assert_eq!(read("2"), Ok((2_000, 30_000)));
        assert_eq!(read("1m"), Ok((60_000, 60_000)));
        assert_eq!(read("1..1"), Ok((1_000, 1_000)));
        assert_eq!(read("0.5..1.5"), Ok((500, 1_500)));
        for bad in ["", "..", "1..", "..1", "0", "0..1", "2..1", "1-2", "1...2"] {
            assert!(backoff(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ends_of_a_connection() {
        for list in ["any", "lost", "1000", "lost,1001,1011-1014", "1000-4999,any"] {
            assert_eq!(ends(list).unwrap().to_string(), list);
        }
        assert_eq!(ends("1006, 4000 - 4000").unwrap().to_string(), "lost,4000");
        assert_eq!(ends(&Ends::default().to_string()), Ok(Ends::default()));
        for bad in ["", ",", "1001,", "0", "999", "5000", "70000", "4999-4000", "1-2-3", "-1", "x"]
        {
            assert!(ends(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("64K"), Ok(65536));
        assert_eq!(size("2g"), Ok(2 << 30));
        for bad in ["", "K", "-1", "1.5M", "99999999999999999999", "99999999999G", "12 M", "1T"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert!(nonzero_size("0").is_err());
        assert_eq!((ping_size("0"), ping_size("125")), (Ok(0), Ok(125)));
        for bad in ["126", "-1", "", "1K"] {
            assert!(ping_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_that_are_not_0() {
        assert!(nonzero_time("0").is_err() && nonzero_time("0ms").is_err());
        assert_eq!(nonzero_time("1ms"), Ok(Duration::from_millis(1)));
    }
}
