//! Durations and sizes as a person reads them.

use std::fmt;
use std::time::Duration;

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

/// Room for [`seconds`] and [`digits`].
#[inline]
pub fn zeros<const LEN: usize>() -> [u8; LEN] {
    [b'0'; LEN]
}

/// Writes seconds with six decimals, for events and frame lines, to the end of `room`, which must
/// come from [`zeros`].
#[inline]
pub fn seconds(room: &mut [u8; 27], duration: Duration) -> &[u8] {
    write_back(room, u64::from(duration.subsec_micros()));
    room[20] = b'.';
    let start = write_back(&mut room[..20], duration.as_secs());
    &room[start.min(19)..]
}

/// Writes a number with at least `width` digits (up to 20) to the end of `room`, which must come
/// from [`zeros`]. For the output of every message, where `write!` would cost several times as
/// much.
#[inline]
pub fn digits(room: &mut [u8; 20], number: u64, width: usize) -> &[u8] {
    let start = write_back(room, number);
    &room[start.min(room.len() - width)..]
}

/// Writes the digits to the end of `room`, none for zero, and returns where they start.
fn write_back(room: &mut [u8], mut number: u64) -> usize {
    let mut start = room.len();
    // Two at a time: each division waits for the one before.
    while number >= 10 {
        let pair = (number % 100) as u8;
        number /= 100;
        start -= 2;
        room[start] = b'0' + pair / 10;
        room[start + 1] = b'0' + pair % 10;
    }
    if number > 0 {
        start -= 1;
        room[start] = b'0' + number as u8;
    }
    start
}

/// The line of a frame, at most about 170 bytes; a piece that doesn't fit into 256 is dropped. The
/// compiler appends pieces of known length with a move or two, where a vector would need a call.
#[derive(Debug)]
pub struct Short {
    bytes: [u8; 256],
    used: usize,
}

impl Short {
    /// An empty line.
    pub const EMPTY: Short = Short { bytes: [0; 256], used: 0 };

    /// Appends, if there is room for all of it.
    #[inline(always)]
    pub fn push(&mut self, more: &[u8]) {
        if let Some(room) = self.bytes[self.used..].get_mut(..more.len()) {
            room.copy_from_slice(more);
            self.used += more.len();
        }
    }

    /// The appended bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        self.used = 0;
    }
}

impl fmt::Write for Short {
    #[inline(always)]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }

    #[inline(always)]
    fn write_char(&mut self, c: char) -> fmt::Result {
        self.write_str(c.encode_utf8(&mut [0; 4]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_std() {
        let powers = (0..20).map(|power| 10u64.pow(power));
        for number in powers.flat_map(|p| [p - 1, p, p + 1]).chain([u64::MAX, 1_234_567_890_123]) {
            for width in [1, 2, 6, 8, 9, 16, 20] {
                let mut room = zeros();
                assert_eq!(
                    digits(&mut room, number, width),
                    format!("{number:0width$}").as_bytes()
                );
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
    fn one_has_no_plural() {
        assert_eq!(Count(1, "byte").to_string(), "1 byte");
        assert_eq!(Count(2, "byte").to_string(), "2 bytes");
    }
}
