//! JSON numbers, compared by value and exactly: 1 is 1.0 is 10e-1, and no digit is lost.

use std::cmp::Ordering;
use std::fmt;

/// A number as it was written.
#[derive(Clone, Debug)]
pub struct Number(String);

impl Number {
    /// A number of JSON's grammar.
    pub(super) fn new(text: &str) -> Number {
        Number(text.to_owned())
    }

    /// The sign, the significant digits, and the power of ten of the first of them.
    fn parts(&self) -> (bool, String, i64) {
        let (negative, rest) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.0.as_str()),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        let leading = digits.len() - significant.len();
        let power = whole.len() as i64 - 1 - leading as i64;
        (
            negative,
            significant.trim_end_matches('0').to_owned(),
            power.saturating_add(clamped(exponent)),
        )
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Number {
        Number(number.to_string())
    }
}

/// An exponent; one that no `i64` holds is as large as can be.
fn clamped(exponent: &str) -> i64 {
    let most = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    exponent.trim_start_matches('+').parse().unwrap_or(most)
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.0 == other.0 || self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let ((below, digits, power), (other_below, other_digits, other_power)) =
            (self.parts(), other.parts());
        let sign = |negative: bool, digits: &str| match (digits.is_empty(), negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let (ours, theirs) = (sign(below, &digits), sign(other_below, &other_digits));
        let size = || power.cmp(&other_power).then_with(|| digits.cmp(&other_digits));
        ours.cmp(&theirs).then_with(|| match ours {
            0 => Ordering::Equal,
            1 => size(),
            _ => size().reverse(),
        })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cmp(a: &str, b: &str) -> Ordering {
        Number::new(a).cmp(&Number::new(b))
    }

    #[test]
    fn numbers_are_equal_by_value() {
        for (a, b) in [
            ("1", "1.0"),
            ("1", "10e-1"),
            ("100", "1E+2"),
            ("0", "-0.00"),
            ("0.5", "5e-1"),
            ("12.30", "12.3"),
            ("0e99999999999999999999", "0"),
        ] {
            assert_eq!(cmp(a, b), Ordering::Equal, "{a} {b}");
            assert_eq!(Number::new(a), Number::new(b));
        }
    }

    #[test]
    fn no_digit_is_lost_and_order_is_by_value() {
        for (less, more) in [
            ("9007199254740992", "9007199254740993"),
            ("123456789012345678901234567890", "123456789012345678901234567891"),
            ("-2", "-1"),
            ("-1", "0"),
            ("0.1", "0.11"),
            ("9", "10"),
            ("9e99", "1e100"),
            ("1e-5", "1e-4"),
            ("-1e400", "1e400"),
            ("1", "1e99999999999999999999"),
        ] {
            assert_eq!(cmp(less, more), Ordering::Less, "{less} {more}");
            assert_eq!(cmp(more, less), Ordering::Greater, "{more} {less}");
        }
    }
}
