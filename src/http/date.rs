//! Dates of HTTP and cookies, and Retry-After.

use std::time::Duration;

use time::{Date, Month, Time};

use crate::http::head::{Header, values};

/// The longest wait, in seconds; a server's longer value is cut to it.
const MAX_WAIT: Duration = Duration::from_secs(366 * 24 * 3600);

/// The wait that a server asks for in Retry-After, in seconds or as a date (RFC 9110 §10.2.3).
/// `now` is in seconds since 1970. At most a year; zero for a past date; `None` without the field
/// or if it can't be parsed.
pub fn retry_after(headers: &[Header], now: i64) -> Option<Duration> {
    let value = values(headers, "retry-after").next()?;
    let seconds = match number(value) {
        Some(seconds) => seconds,
        None => u64::try_from(parse(value)?.saturating_sub(now)).unwrap_or_default(),
    };
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

/// Reads a date as seconds since 1970, by the algorithm for cookies (RFC 6265 §5.1.1). It accepts
/// all three forms of an HTTP date (RFC 9110 §5.6.7), and most other forms that servers send.
pub fn parse(text: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    // A longer text is no date.
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
        year @ 1601.. => year,
        _ => return None,
    };
    let date = Date::from_calendar_date(year, month?, u8::try_from(day?).ok()?).ok()?;
    Some(date.with_time(time?).assume_utc().unix_timestamp())
}

/// A number of digits only; one that is too large becomes the maximum.
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

/// The number at the beginning, if its count of digits is in range; non-digits may follow.
fn leading_number(token: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<i32> {
    let (front, _) = token.split_at(token.iter().take_while(|b| b.is_ascii_digit()).count());
    let count = digits.contains(&front.len());
    count.then(|| number(front).and_then(|n| i32::try_from(n).ok())).flatten()
}

/// `hh:mm:ss`.
fn time_of_day(token: &[u8]) -> Option<Time> {
    let mut fields = token.splitn(3, |b| *b == b':');
    let part = |field: &[u8]| u8::try_from(leading_number(field, 1..=2)?).ok();
    let whole = |field: &[u8]| part(field).filter(|_| field.len() <= 2);
    let (hour, minute) = (whole(fields.next()?)?, whole(fields.next()?)?);
    Time::from_hms(hour, minute, part(fields.next()?)?).ok()
}

/// The month whose name begins the token.
fn month_of(token: &[u8]) -> Option<Month> {
    let name = token.get(..3)?;
    let is_it = |month: &Month| {
        month.to_string().as_bytes().get(..3).is_some_and(|known| known.eq_ignore_ascii_case(name))
    };
    (1..=12).filter_map(|number| Month::try_from(number).ok()).find(is_it)
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
