//! The time before a line for people.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use crate::event::Moment;

/// Where the time of day is taken: seconds east of UTC, or UTC itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(pub Option<i32>);

/// What stands before each line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// The time of day.
    pub time: bool,
    /// Where that is taken.
    pub zone: Zone,
    /// The time since the line before.
    pub delta: bool,
}

impl Stamps {
    /// What stands before a line of that moment; the one before came at `before`, counted from the
    /// start of the run.
    pub fn of(self, at: Moment, before: Duration) -> Option<Stamp> {
        (self.time || self.delta).then_some(Stamp { stamps: self, at, before })
    }
}

/// The time before a line: `14:03:07.042+02:00`, in UTC `12:03:07.042Z`; with the time since the line
/// before `+0.250 s`.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    stamps: Stamps,
    at: Moment,
    before: Duration,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stamps { time, zone: Zone(offset), delta } = self.stamps;
        if time {
            let wall = self.at.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
            let east = i64::from(offset.unwrap_or_default());
            let second = (wall.as_secs() as i64 + east).rem_euclid(86_400);
            let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
            write!(f, "{hour:02}:{minute:02}:{second:02}.{:03}", wall.subsec_millis())?;
            match offset {
                None => f.write_str("Z")?,
                Some(offset) => {
                    let sign = if offset < 0 { '-' } else { '+' };
                    let minutes = offset.unsigned_abs() / 60;
                    write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
                }
            }
        }
        if delta {
            let since = self.at.since.saturating_sub(self.before).as_secs_f64();
            write!(f, "{}+{since:.3} s", if time { " " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(millis: u64, stamps: Stamps) -> String {
        let wall = UNIX_EPOCH + Duration::from_millis(millis);
        let at = Moment { wall, since: Duration::from_millis(2_500) };
        stamps
            .of(at, Duration::from_millis(1_250))
            .map(|stamp| stamp.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn times_of_day_wrap_around_midnight() {
        let at =
            |millis, offset| shown(millis, Stamps { time: true, zone: Zone(offset), delta: false });
        assert_eq!(at(1_042, None), "00:00:01.042Z");
        assert_eq!(at(86_399_999, None), "23:59:59.999Z");
        assert_eq!(at(86_400_000, Some(0)), "00:00:00.000+00:00");
        assert_eq!(at(82_800_000, Some(7_200)), "01:00:00.000+02:00");
        assert_eq!(at(0, Some(-12_600)), "20:30:00.000-03:30");
    }

    #[test]
    fn the_time_since_the_line_before() {
        let (none, delta) = (Stamps::default(), Stamps { delta: true, ..Stamps::default() });
        assert_eq!((shown(0, none), shown(0, delta)), (String::new(), "+1.250 s".to_owned()));
        assert_eq!(shown(0, Stamps { time: true, ..delta }), "00:00:00.000Z +1.250 s");
    }
}
