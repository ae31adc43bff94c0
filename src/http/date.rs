//! Dates as HTTP and cookies have them, and what is counted from them.

use std::time::Duration;

use crate::http::head::{Header, values};

/// No server is waited for longer, whatever it says.
const MAX_WAIT: Duration = Duration::from_secs(366 * 24 * 3600);

/// How long a server asks to be left alone: its Retry-After, in seconds or as a date (RFC 9110
/// §10.2.3), counted from `now` in seconds since 1970. At most a year; zero for a date that has
/// passed; `None` without the field or for one that can't be read.
pub fn retry_after(headers: &[Header], now: i64) -> Option<Duration> {
    let value = values(headers, "retry-after").next()?;
    let seconds = match number(value) {
        Some(seconds) => seconds,
        None => u64::try_from(parse(value)?.saturating_sub(now)).unwrap_or_default(),
    };
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

/// Reads a date into seconds since 1970, by the algorithm for cookies (RFC 6265 §5.1.1): it takes
/// all three forms of an HTTP date (RFC 9110 §5.6.7), and most of what else servers send.
pub fn parse(text: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    // Nothing that is longer is a date.
    for token in text.get(..text.len().min(100))?.split(is_delimiter) {
        if time.is_none() && time_of_day(token).is_some() {
            time = time_of_day(token);
        } else if day.is_none() && leading_number(token, 1..=2).is_some() {
            day = leading_number(token, 1..=2);
        } else if month.is_none() && month_of(token).is_some() {
            month = month_of(token);
        } else if year.is_none() {
            year = leading_number(token, 2..=4);
        }
    }
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        year => year,
    };
    let (day, month) = (day?, month?);
    if year < 1601 || !(1..=days_in(month, year)).contains(&day) {
        return None;
    }
    Some(days_since_1970(year, month, day) * 86_400 + time?)
}

/// A number of digits only; one that is too large to be counted is as large as can be.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0_u64, |n, digit| {
        n.saturating_mul(10).saturating_add(u64::from(digit.saturating_sub(b'0')))
    }))
}

fn is_delimiter(byte: &u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// The number at the beginning, if it has so many digits; what isn't a digit may follow.
fn leading_number(token: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let (front, _) = token.split_at(token.iter().take_while(|b| b.is_ascii_digit()).count());
    let count = digits.contains(&front.len());
    count.then(|| number(front).and_then(|n| i64::try_from(n).ok())).flatten()
}

/// `hh:mm:ss` in seconds.
fn time_of_day(token: &[u8]) -> Option<i64> {
    let mut fields = token.splitn(3, |b| *b == b':');
    let whole = |field: &[u8]| leading_number(field, 1..=2).filter(|_| field.len() <= 2);
    let (hour, minute) = (whole(fields.next()?)?, whole(fields.next()?)?);
    let second = leading_number(fields.next()?, 1..=2)?;
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// The number of the month that the token begins with.
fn month_of(token: &[u8]) -> Option<i64> {
    const MONTHS: [&[u8]; 12] = [
        b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
        b"dec",
    ];
    let name = token.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, month)| *month == name).map(|(number, _)| number)
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1 January 1970 in the Gregorian calendar, with years that begin in March, so that the
/// leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_http_and_what_cookies_have() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6-Nov-1994 8:49:37",
            "08:49:37 6 november 1994",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(784_111_777), "{text}");
        }
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Mon, 01 Jan 1601 00:00:00 GMT", -11_644_473_600),
            ("1 Jan 69 00:00:00", 3_124_224_000),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "now",
            "Sun, 06 Nov 1994",
            "06 Nov 1994 24:00:00",
            "06 Nov 1994 08:49",
            "31 Nov 1994 08:49:37",
            "29 Feb 1900 00:00:00",
            "0 Nov 1994 08:49:37",
            "06 Nov 1600 08:49:37",
            "06 Nov 19941 08:49:37",
            "06 Nov 1994 008:49:37",
            "\u{ff}\u{0}::::",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        let behind = format!("{}06 Nov 1994 08:49:37", " ".repeat(100));
        assert_eq!(parse(behind.as_bytes()), None);
    }

    #[test]
    fn waits() {
        let wait = |value: &str| retry_after(&[Header::new("retry-after", value)], 784_111_770);
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("0"), Some(Duration::ZERO));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:30 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        for long in ["99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(wait(long), Some(MAX_WAIT));
        }
        for unreadable in ["", "-1", "1.5", "soon", "+3"] {
            assert_eq!(wait(unreadable), None, "{unreadable}");
        }
        assert_eq!(retry_after(&[], 0), None);
    }
}
