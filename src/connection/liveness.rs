//! Whether the peer is still there: our pings, their round trips, and keepalive (RFC 6455 §5.5.2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The payload of the pings that `--ping-interval` sends.
pub const KEEPALIVE: &[u8] = b"are you there?";

/// How many unanswered pings are remembered to measure their round trip.
const MAX_PINGS: usize = 16;

/// What is due at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Send a keepalive ping.
    Ping,
    /// No ping was answered within this time: the peer is gone.
    Silent(Duration),
}

/// Our pings and their answers.
#[derive(Debug)]
pub(super) struct Liveness {
    interval: Option<Duration>,
    timeout: Option<Duration>,
    unanswered: VecDeque<OwnPing>,
    /// When the oldest unanswered ping was sent.
    unanswered_since: Option<Instant>,
    pinged_at: Instant,
    /// The round trip of the last answered ping.
    pub(super) rtt: Option<Duration>,
}

#[derive(Debug)]
struct OwnPing {
    payload: Vec<u8>,
    sent: Instant,
    /// The peer must answer it: it wasn't made by hand.
    owed: bool,
}

impl Liveness {
    /// Pings every `interval` (`None`: never) and waits `timeout` for a pong (`None`: forever).
    pub(super) fn new(
        interval: Option<Duration>,
        timeout: Option<Duration>,
        now: Instant,
    ) -> Liveness {
        Liveness {
            interval,
            timeout,
            unanswered: VecDeque::new(),
            unanswered_since: None,
            pinged_at: now,
            rtt: None,
        }
    }

    /// Changes both from now on.
    pub(super) fn set(
        &mut self,
        interval: Option<Duration>,
        timeout: Option<Duration>,
        now: Instant,
    ) {
        (self.interval, self.timeout, self.pinged_at) = (interval, timeout, now);
    }

    /// When [`Liveness::tick`] returns something.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.next_ping(), self.silent_at()].into_iter().flatten().min()
    }

    /// What is due now.
    pub(super) fn tick(&self, now: Instant) -> Option<Due> {
        if self.silent_at().is_some_and(|at| now >= at) {
            return self.timeout.map(Due::Silent);
        }
        self.next_ping().is_some_and(|at| now >= at).then_some(Due::Ping)
    }

    /// We queued a ping.
    pub(super) fn pinged(&mut self, payload: &[u8], now: Instant) {
        self.pinged_at = now;
        self.unanswered_since.get_or_insert(now);
        self.remember(OwnPing { payload: payload.to_vec(), sent: now, owed: true });
    }

    /// We queued a ping made by hand. It may be wrong, so that silence says nothing about the peer.
    pub(super) fn probed(&mut self, payload: &[u8], now: Instant) {
        self.remember(OwnPing { payload: payload.to_vec(), sent: now, owed: false });
    }

    fn remember(&mut self, ping: OwnPing) {
        self.unanswered.push_back(ping);
        if self.unanswered.len() > MAX_PINGS {
            self.unanswered.pop_front();
        }
    }

    /// A pong was received: returns the round trip if it answers one of our pings. It answers the
    /// earlier ones too (§5.5.3).
    pub(super) fn answered(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let at = self.unanswered.iter().position(|ping| ping.payload == payload)?;
        let answered = self.unanswered.drain(..=at).next_back()?;
        self.unanswered_since = self.unanswered.iter().find(|ping| ping.owed).map(|ping| ping.sent);
        self.rtt = Some(now - answered.sent);
        self.rtt
    }

    fn next_ping(&self) -> Option<Instant> {
        self.interval.map(|interval| self.pinged_at + interval)
    }

    fn silent_at(&self) -> Option<Instant> {
        Some(self.unanswered_since? + self.timeout?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_pong_answers_its_ping_and_those_before() {
        let start = Instant::now();
        let mut liveness = Liveness::new(None, Some(5 * SECOND), start);
        assert_eq!(liveness.deadline(), None);
        for (at, payload) in [(0, b"a"), (1, b"b"), (2, b"c")] {
            liveness.pinged(payload, start + at * SECOND);
        }
        assert_eq!(liveness.deadline(), Some(start + 5 * SECOND));
        assert_eq!(liveness.answered(b"x", start + 3 * SECOND), None);
        assert_eq!(liveness.answered(b"b", start + 3 * SECOND), Some(2 * SECOND));
        assert_eq!(liveness.answered(b"a", start + 3 * SECOND), None);
        assert_eq!(liveness.tick(start + 6 * SECOND), None);
        assert_eq!(liveness.tick(start + 7 * SECOND), Some(Due::Silent(5 * SECOND)));
    }

    #[test]
    fn a_ping_made_by_hand_has_a_round_trip_but_need_not_be_answered() {
        let start = Instant::now();
        let mut liveness = Liveness::new(None, Some(5 * SECOND), start);
        liveness.probed(b"by hand", start);
        assert_eq!(liveness.deadline(), None);
        liveness.pinged(b"a", start + SECOND);
        liveness.probed(b"last", start + SECOND);
        assert_eq!(liveness.deadline(), Some(start + 6 * SECOND));
        assert_eq!(liveness.answered(b"by hand", start + 2 * SECOND), Some(2 * SECOND));
        assert_eq!(liveness.deadline(), Some(start + 6 * SECOND));
        assert_eq!(liveness.answered(b"a", start + 2 * SECOND), Some(SECOND));
        assert_eq!(liveness.deadline(), None);
        assert_eq!(liveness.answered(b"last", start + 2 * SECOND), Some(SECOND));
    }

    #[test]
    fn keepalive_pings_are_due_after_each_interval() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Some(SECOND), None, start);
        assert_eq!(liveness.tick(start), None);
        assert_eq!(liveness.tick(start + SECOND), Some(Due::Ping));
        liveness.pinged(KEEPALIVE, start + SECOND);
        assert_eq!(liveness.tick(start + SECOND), None);
        assert_eq!(liveness.deadline(), Some(start + 2 * SECOND));
        (0..20).for_each(|_| liveness.pinged(KEEPALIVE, start + SECOND));
        assert_eq!(liveness.unanswered.len(), MAX_PINGS);
    }
}
