//! Whether and when to connect again after a failure.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use crate::error::{Error, Exit};
use crate::protocol::close::CloseCode;

/// The longest wait that a server can ask for (Retry-After), unless the longest of `--backoff` is longer.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// `--reconnect`, `--reconnect-on` and `--backoff`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The most attempts in a row; `None` for no limit.
    pub attempts: Option<u32>,
    /// The wait before each attempt.
    pub backoff: Backoff,
    /// The ends of an open connection that another one follows.
    pub on: Ends,
}

/// Ends of an open connection by their close codes; 1006 is a lost connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends(Vec<RangeInclusive<u16>>);

impl Ends {
    /// Every Close of the peer, and a lost connection.
    pub const ANY: RangeInclusive<u16> = 0..=u16::MAX;
    /// A lost connection.
    pub const LOST: RangeInclusive<u16> = 1006..=1006;

    /// These.
    pub fn new(codes: Vec<RangeInclusive<u16>>) -> Ends {
        Ends(codes)
    }

    /// Whether another connection follows this end.
    pub fn include(&self, code: CloseCode) -> bool {
        self.0.iter().any(|codes| codes.contains(&code.0))
    }
}

/// After these a peer may accept us later: it is going away, failed, restarts, is overloaded, or is
/// a gateway to a server that failed.
impl Default for Ends {
    fn default() -> Ends {
        Ends(vec![Ends::LOST, 1001..=1001, 1011..=1014])
    }
}

/// As on the command line: `lost,1001,1011-1014`.
impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, codes) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let (start, end) = (codes.start(), codes.end());
            match codes {
                codes if *codes == Ends::ANY => write!(f, "{comma}any")?,
                codes if *codes == Ends::LOST => write!(f, "{comma}lost")?,
                _ if start == end => write!(f, "{comma}{start}")?,
                _ => write!(f, "{comma}{start}-{end}")?,
            }
        }
        Ok(())
    }
}

/// The waits between attempts: each is twice as long as the one before, up to a limit, minus a
/// random part of up to one half, so that the clients of a failed server don't all return at the
/// same moment (RFC 6455 §7.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { min: Duration::from_millis(500), max: Duration::from_secs(30) }
    }
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Another attempt after this wait.
    After(Duration),
    /// No attempt: the limit is reached.
    Enough,
    /// No attempt: it would fail again.
    Stop,
}

impl Reconnect {
    /// Decides what follows a failure, after `made` attempts in a row.
    pub fn decide(&self, error: &Error, made: u32, random: u32) -> Decision {
        if !error.transient {
            return Decision::Stop;
        }
        if self.attempts.is_some_and(|max| made >= max) {
            return Decision::Enough;
        }
        let asked = error.retry_after.unwrap_or_default();
        let asked = asked.min(MAX_RETRY_AFTER.max(self.backoff.max));
        Decision::After(self.backoff.wait(made, random).max(asked))
    }

    /// Whether a connection that lasted this long resets the count of attempts. One that is dropped
    /// right after opening doesn't.
    pub fn is_lasting(&self, lasted: Duration) -> bool {
        lasted >= self.backoff.max
    }
}

impl Backoff {
    /// The wait after `made` attempts; `random` is uniform over all of `u32`.
    fn wait(&self, made: u32, random: u32) -> Duration {
        let factor = 1_u32.checked_shl(made).unwrap_or(u32::MAX);
        let half = self.min.saturating_mul(factor).min(self.max) / 2;
        half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

/// Why there is no other attempt after this failure, where that needs a word.
pub fn why_not(error: &Error) -> Option<&'static str> {
    match error.exit {
        Exit::Tls => Some("TLS would fail again"),
        Exit::Connect | Exit::Refused | Exit::Handshake => Some("the answer would be the same"),
        Exit::Protocol => Some("the peer would break the protocol again"),
        Exit::Limit => Some("the limit would be hit again"),
        _ => None,
    }
}

/// The wait for a server that isn't up (`--wait-up`).
#[derive(Clone, Copy, Debug)]
pub struct WaitUp {
    /// No attempt begins after this.
    until: Instant,
    /// Attempts that failed.
    made: u32,
}

impl WaitUp {
    const BACKOFF: Backoff =
        Backoff { min: Duration::from_millis(100), max: Duration::from_secs(1) };

    /// A wait that begins now.
    pub fn new(patience: Duration) -> WaitUp {
        let now = Instant::now();
        // A time that can't be counted is for ever.
        let until = now.checked_add(patience).unwrap_or(now + Duration::from_secs(1 << 32));
        WaitUp { until, made: 0 }
    }

    /// Whether no attempt has failed yet.
    pub fn is_first(&self) -> bool {
        self.made == 0
    }

    /// When to try again after this failure; `None` if it isn't one that passes when the server
    /// comes up, or the time is over. The last attempt is made at the end of the time.
    pub fn next(&mut self, error: &Error, now: Instant, random: u32) -> Option<Instant> {
        if !error.transient || now >= self.until {
            return None;
        }
        let wait = WaitUp::BACKOFF.wait(self.made, random);
        let wait = wait.max(error.retry_after.unwrap_or_default());
        self.made = self.made.saturating_add(1);
        Some(now.checked_add(wait).map_or(self.until, |at| at.min(self.until)))
    }
}

/// A session's connections so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Past {
    /// Attempts in a row.
    pub attempts: u32,
    /// Messages received on the connections that have ended.
    pub received: u64,
    /// When the first of them opened.
    pub opened: Option<Instant>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Exit, Stage};

    fn usual() -> Reconnect {
        Reconnect { attempts: None, backoff: Backoff::default(), on: Ends::default() }
    }

    fn lost() -> Error {
        Error::new(Stage::Session, Exit::Lost, "lost")
    }

    fn wait(made: u32, random: u32) -> u128 {
        match usual().decide(&lost(), made, random) {
            Decision::After(wait) => wait.as_millis(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn waits_double_up_to_a_bound_and_half_of_each_is_random() {
        let longest: Vec<u128> = (0..9).map(|made| wait(made, u32::MAX)).collect();
        assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        let shortest: Vec<u128> = (0..9).map(|made| wait(made, 0)).collect();
        assert_eq!(shortest, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
        assert_eq!(wait(0, u32::MAX / 2 + 1), 375);
        assert_eq!(wait(31, u32::MAX), 30_000);
        assert_eq!(wait(u32::MAX, u32::MAX), 30_000);
        let huge = Backoff { min: Duration::from_secs(u64::MAX / 2), max: Duration::MAX };
        assert!(huge.wait(40, u32::MAX) >= Duration::MAX / 4 * 3);
    }

    #[test]
    fn attempts_in_a_row_can_be_limited() {
        let two = Reconnect { attempts: Some(2), ..usual() };
        assert!(matches!(two.decide(&lost(), 1, 0), Decision::After(_)));
        assert_eq!(two.decide(&lost(), 2, 0), Decision::Enough);
        assert!(matches!(usual().decide(&lost(), u32::MAX, 0), Decision::After(_)));
        assert!(!usual().is_lasting(Duration::from_secs(29)));
        assert!(usual().is_lasting(Duration::from_secs(30)));
    }

    #[test]
    fn only_transient_failures_are_retried() {
        let decides = |exit| usual().decide(&Error::new(Stage::Session, exit, ""), 0, 0);
        for exit in [Exit::Resolve, Exit::Connect, Exit::Lost, Exit::Timeout] {
            assert!(matches!(decides(exit), Decision::After(_)), "{exit:?}");
        }
        for exit in [
            Exit::Done,
            Exit::Expectation,
            Exit::Usage,
            Exit::Tls,
            Exit::Refused,
            Exit::Handshake,
            Exit::Protocol,
            Exit::PeerError,
            Exit::Limit,
            Exit::Local,
            Exit::Interrupted,
        ] {
            assert_eq!(decides(exit), Decision::Stop, "{exit:?}");
        }
        for code in [1001, 1006, 1011, 1012, 1013, 1014] {
            assert!(Ends::default().include(CloseCode(code)), "{code}");
        }
        for code in [1000, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 3000, 4000] {
            assert!(!Ends::default().include(CloseCode(code)), "{code}");
        }
    }

    #[test]
    fn retry_after_is_honored_up_to_a_limit() {
        let asked = |seconds| Error {
            transient: true,
            retry_after: Some(Duration::from_secs(seconds)),
            ..Error::new(Stage::Handshake, Exit::Refused, "503")
        };
        let wait = |reconnect: Reconnect, seconds| reconnect.decide(&asked(seconds), 0, 0);
        assert_eq!(wait(usual(), 7), Decision::After(Duration::from_secs(7)));
        assert_eq!(wait(usual(), 0), Decision::After(Duration::from_millis(250)));
        assert_eq!(wait(usual(), 86_400), Decision::After(MAX_RETRY_AFTER));
        let hour = Duration::from_secs(3600);
        let slow = Reconnect { backoff: Backoff { max: hour, ..Backoff::default() }, ..usual() };
        assert_eq!(wait(slow, 86_400), Decision::After(hour));
    }
}
