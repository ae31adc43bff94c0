//! Settings of a run that a person can change while it goes on.

use std::fmt;
use std::time::Duration;

use crate::run::reconnect::{Backoff, Ends, Reconnect};
use crate::run::settings::Settings;
use crate::text::units::Count;

/// How long a ping may stay unanswered, unless that is set.
pub const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// A setting and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tuning {
    /// From the start of an attempt until the connection is open.
    ConnectTimeout(Duration),
    /// The largest frame of a message, in bytes of payload.
    Fragment(Option<usize>),
    /// From one ping to the next.
    PingInterval(Option<Duration>),
    /// How long a ping may stay unanswered.
    PingTimeout(Option<Duration>),
    /// Whether another connection follows a lost one.
    Reconnect(bool),
}

impl Tuning {
    /// All of them, with their present values.
    pub fn all(settings: &Settings) -> [Tuning; 5] {
        [
            Tuning::Reconnect(settings.reconnect.is_some()),
            Tuning::PingInterval(settings.wire.ping_interval),
            Tuning::PingTimeout(settings.wire.ping_timeout),
            Tuning::ConnectTimeout(settings.open.connect_timeout),
            Tuning::Fragment(settings.fragment),
        ]
    }

    /// Its name, which is that of the option.
    pub fn name(self) -> &'static str {
        match self {
            Tuning::ConnectTimeout(_) => "connect-timeout",
            Tuning::Fragment(_) => "fragment",
            Tuning::PingInterval(_) => "ping-interval",
            Tuning::PingTimeout(_) => "ping-timeout",
            Tuning::Reconnect(_) => "reconnect",
        }
    }

    /// Changes the settings.
    pub fn apply(self, settings: &mut Settings) {
        let wire = &mut settings.wire;
        match self {
            Tuning::ConnectTimeout(time) => settings.open.connect_timeout = time,
            Tuning::Fragment(most) => settings.fragment = most,
            Tuning::PingInterval(interval) => {
                wire.ping_interval = interval;
                wire.ping_timeout = wire.ping_timeout.or(interval.map(|_| PING_TIMEOUT));
            }
            Tuning::PingTimeout(timeout) => wire.ping_timeout = timeout,
            Tuning::Reconnect(false) => settings.reconnect = None,
            Tuning::Reconnect(true) => {
                let (backoff, on) = (Backoff::default(), Ends::default());
                settings.reconnect.get_or_insert(Reconnect { attempts: None, backoff, on });
            }
        }
    }
}

/// The value.
impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Tuning::ConnectTimeout(time)
            | Tuning::PingInterval(Some(time))
            | Tuning::PingTimeout(Some(time)) => write!(f, "{} s", time.as_secs_f64()),
            Tuning::Fragment(Some(most)) => write!(f, "{}", Count(most as u64, "byte")),
            Tuning::Reconnect(true) => f.write_str("on"),
            Tuning::Fragment(None)
            | Tuning::PingInterval(None)
            | Tuning::PingTimeout(None)
            | Tuning::Reconnect(false) => f.write_str("off"),
        }
    }
}
