//! Ending a connection: the closing handshake (RFC 6455 §7), failing the connection (§7.1.7), and
//! how long we wait for a peer that doesn't end it.

use std::time::{Duration, Instant};

use crate::protocol::close::{CloseStatus, End, Party};

/// How long we wait for the answer to a Close frame, and then for the peer to close the stream.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Time for the peer to read why we failed the connection, before we close the stream.
const FAIL_PATIENCE: Duration = Duration::from_secs(1);

/// Once writing has failed: how long the peer may be silent before the connection counts as lost.
const CUT_PATIENCE: Duration = Duration::from_secs(1);

/// The connection's state that the deadlines depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activity {
    /// When message data last moved.
    pub(super) active_at: Instant,
    /// The peer's Close frame came.
    pub(super) close_received: bool,
    /// The owner takes no events for now, so the silence may be our fault.
    pub(super) paused: bool,
    /// We are a server that still has answers to send, which prolongs the wait.
    pub(super) answering: bool,
}

/// What is due at a moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Send this Close frame, which fails the connection.
    Close(CloseStatus),
    /// Close the stream.
    End(End),
}

/// Why and when the connection ends.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// Who sent the first Close frame, and when.
    first: Option<(Party, Instant)>,
    /// The Close frame that fails the connection, and when it is sent.
    failing: Option<(CloseStatus, Instant)>,
    /// When the stream is closed whatever the peer does.
    give_up_at: Option<Instant>,
    /// When writing failed, and why.
    cut: Option<(Instant, String)>,
}

impl Closing {
    /// A Close frame was sent or received.
    pub(super) fn begin(&mut self, by: Party, now: Instant) {
        self.first.get_or_insert((by, now));
    }

    /// Who sent the first Close frame, and when.
    pub(super) fn first(&self) -> Option<(Party, Instant)> {
        self.first
    }

    /// Fails the connection with this Close frame, sent at `due`.
    pub(super) fn fail(&mut self, status: CloseStatus, due: Instant) {
        self.failing.get_or_insert((status, due));
    }

    /// Closes the stream at `at`, or earlier if an earlier time was set before.
    pub(super) fn give_up(&mut self, at: Instant) {
        self.give_up_at = Some(self.give_up_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Writing has failed. What the peer sent before can still be read, and reading may show how
    /// the connection ended.
    pub(super) fn cut(&mut self, why: String, now: Instant) {
        self.cut.get_or_insert((now, why));
    }

    /// Whether bytes may still be written.
    pub(super) fn can_write(&self) -> bool {
        self.cut.is_none()
    }

    /// When [`Closing::tick`] returns something.
    pub(super) fn deadline(&self, activity: Activity) -> Option<Instant> {
        let failing = self.failing.as_ref().map(|(_, due)| *due);
        let ends = [failing, self.patience_ends(activity), self.cut_ends(activity)];
        ends.into_iter().flatten().min()
    }

    /// What is due now.
    pub(super) fn tick(&mut self, activity: Activity, now: Instant) -> Option<Due> {
        let is_past = |end: Option<Instant>| end.is_some_and(|end| now >= end);
        if let Some((status, _)) = self.failing.take_if(|(_, due)| now >= *due) {
            self.begin(Party::Us, now);
            self.give_up(now + FAIL_PATIENCE);
            return Some(Due::Close(status));
        }
        if is_past(self.patience_ends(activity)) {
            return Some(Due::End(End::Local));
        }
        if is_past(self.cut_ends(activity)) {
            let why = self.cut.as_ref().map(|(_, why)| why.clone()).unwrap_or_default();
            return Some(Due::End(End::Broken(why)));
        }
        None
    }

    /// When we stop waiting for the peer to end the connection. Everything that arrives before its
    /// Close counts, so messages prolong the wait.
    fn patience_ends(&self, activity: Activity) -> Option<Instant> {
        let (_, since) = self.first?;
        let patience = match (activity.close_received, activity.paused) {
            (false, true) => None,
            (true, _) if !activity.answering => Some(since + CLOSE_PATIENCE),
            _ => Some(since.max(activity.active_at) + CLOSE_PATIENCE),
        };
        [patience, self.give_up_at].into_iter().flatten().min()
    }

    /// When we stop reading from a peer that we can't write to.
    fn cut_ends(&self, activity: Activity) -> Option<Instant> {
        let (since, _) = self.cut.as_ref().filter(|_| !activity.paused)?;
        Some(activity.active_at.max(*since) + CUT_PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::close::CloseCode;

    const SECOND: Duration = Duration::from_secs(1);

    fn activity(active_at: Instant) -> Activity {
        Activity { active_at, close_received: false, paused: false, answering: false }
    }

    #[test]
    fn messages_prolong_the_wait_for_a_close_but_not_after_it() {
        let start = Instant::now();
        let mut closing = Closing::default();
        assert_eq!(closing.deadline(activity(start)), None);
        closing.begin(Party::Us, start);
        closing.begin(Party::Peer, start + SECOND);
        assert_eq!(closing.first(), Some((Party::Us, start)));
        let busy = activity(start + 4 * SECOND);
        assert_eq!(closing.deadline(busy), Some(start + 9 * SECOND));
        assert_eq!(closing.deadline(Activity { paused: true, ..busy }), None);
        let closed = Activity { close_received: true, paused: true, ..busy };
        assert_eq!(closing.deadline(closed), Some(start + 5 * SECOND));
        let answering = Activity { answering: true, ..closed };
        assert_eq!(closing.deadline(answering), Some(start + 9 * SECOND));
        closing.give_up(start + 2 * SECOND);
        closing.give_up(start + 3 * SECOND);
        assert_eq!(closing.tick(busy, start + 2 * SECOND), Some(Due::End(End::Local)));
    }

    #[test]
    fn a_failing_close_waits_until_it_is_due() {
        let start = Instant::now();
        let mut closing = Closing::default();
        let status = CloseStatus::new(CloseCode(1002), "x");
        closing.fail(status.clone(), start + SECOND);
        assert_eq!(closing.tick(activity(start), start), None);
        assert_eq!(closing.tick(activity(start), start + SECOND), Some(Due::Close(status)));
        assert_eq!(closing.deadline(activity(start)), Some(start + 2 * SECOND));
    }

    #[test]
    fn after_a_failed_write_the_peer_can_still_be_read() {
        let start = Instant::now();
        let mut closing = Closing::default();
        closing.cut("reset".to_owned(), start);
        assert!(!closing.can_write());
        let speaking = activity(start + SECOND);
        assert_eq!(closing.tick(speaking, start + SECOND), None);
        let broken = Due::End(End::Broken("reset".to_owned()));
        assert_eq!(closing.tick(speaking, start + 2 * SECOND), Some(broken));
        assert_eq!(closing.deadline(Activity { paused: true, ..speaking }), None);
    }
}
