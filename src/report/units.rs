//! Durations, sizes and times of day as a person reads them.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use crate::event::Moment;

/// A duration with about three digits: `0.42 ms`, `23 ms`, `1.23 s`, `2 min 3 s`, `1 h 2 min`.
#[derive(Clone, Copy, Debug)]
pub struct Took(pub Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let millis = self.0.as_secs_f64() * 1e3;
        match seconds {
            0 if millis < 9.995 => write!(f, "{millis:.2} ms"),
            0 if millis < 999.5 => write!(f, "{millis:.0} ms"),
            0..60 => write!(f, "{:.2} s", self.0.as_secs_f64()),
            60..3_600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            _ => write!(f, "{} h {} min", seconds / 3_600, seconds / 60 % 60),
        }
    }
}

/// A count with its noun: `1 byte`, `2 bytes`.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64, pub &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// The time of day in UTC, as in the JSON events, with milliseconds: `14:03:07.042`.
#[derive(Clone, Copy, Debug)]
pub struct TimeOfDay(pub Moment);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wall = self.0.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = wall.as_secs() % 86_400;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{hour:02}:{minute:02}:{second:02}.{:03}", wall.subsec_millis())
    }
}

/// Appends the seconds with six decimals, as the events and the lines of frames have them.
pub(super) fn seconds(line: &mut Vec<u8>, duration: Duration) {
    digits(line, duration.as_secs(), 1);
    line.push(b'.');
    digits(line, u64::from(duration.subsec_micros()), 6);
}

/// Text at the end of a line of bytes.
pub(super) struct Text<'l>(pub(super) &'l mut Vec<u8>);

impl fmt::Write for Text<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }

    #[inline]
    fn write_char(&mut self, c: char) -> fmt::Result {
        match u8::try_from(c) {
            Ok(ascii @ 0..=0x7f) => self.0.push(ascii),
            _ => self.write_str(c.encode_utf8(&mut [0; 4]))?,
        }
        Ok(())
    }
}

/// Appends the number with at least `width` digits, of which there are at most 20. What is written
/// for every message takes this way: `write!` costs several times as much.
pub(super) fn digits(line: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut text = [b'0'; 20];
    let mut used = 0;
    for digit in text.iter_mut().rev() {
        if number == 0 && used >= width {
            break;
        }
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        used += 1;
    }
    line.extend_from_slice(&text[text.len() - used..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_std() {
        let powers = (0..20).map(|power| 10u64.pow(power));
        for number in powers.flat_map(|p| [p - 1, p, p + 1]).chain([u64::MAX, 1_234_567_890_123]) {
            for width in [1, 2, 6, 8, 9, 16, 20] {
                let mut line = Vec::new();
                digits(&mut line, number, width);
                assert_eq!(String::from_utf8(line).unwrap(), format!("{number:0width$}"));
            }
        }
    }

    #[test]
    fn durations_keep_three_digits() {
        for (micros, shown) in [
            (0, "0.00 ms"),
            (423, "0.42 ms"),
            (9_994, "9.99 ms"),
            (9_996, "10 ms"),
            (23_400, "23 ms"),
            (999_400, "999 ms"),
            (999_600, "1.00 s"),
            (1_234_000, "1.23 s"),
            (123_000_000, "2 min 3 s"),
            (3_720_000_000, "1 h 2 min"),
        ] {
            assert_eq!(Took(Duration::from_micros(micros)).to_string(), shown);
        }
    }

    #[test]
    fn times_of_day_wrap_around_midnight() {
        let shown = |millis| {
            let wall = UNIX_EPOCH + Duration::from_millis(millis);
            TimeOfDay(Moment { wall, since: Duration::ZERO }).to_string()
        };
        assert_eq!(shown(1_042), "00:00:01.042");
        assert_eq!(shown(86_399_999), "23:59:59.999");
        assert_eq!(shown(86_400_000), "00:00:00.000");
        assert_eq!(Count(1, "byte").to_string(), "1 byte");
        assert_eq!(Count(2, "byte").to_string(), "2 bytes");
    }
}
