//! The course of an open connection: counts, timers, and why it is ending.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::event::{Data, Direction, Event, Totals};
use crate::protocol::close::{CloseStatus, End, Party};
use crate::protocol::connection::{Sender, Traffic};
use crate::run::reconnect::Past;
use crate::run::settings::{Linger, Settings};
use crate::run::views::Views;
use crate::text::units::Took;

/// How long a Close frame may stay unanswered, and the stream open after both were exchanged.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// A violation may come right behind messages whose answers are still on their way through our
/// output and input: so long after the last message the Close frame waits for them.
const ANSWER_PATIENCE: Duration = Duration::from_millis(100);

/// How long a peer that takes nothing any more may say nothing, before the connection is lost.
const CUT_PATIENCE: Duration = Duration::from_secs(1);

/// How long the fence's pong may hold the end back while nothing arrives.
const FENCE_PATIENCE: Duration = Duration::from_secs(5);

/// Pings of ours whose round trip is still measured, at most.
const PINGS: usize = 16;

/// How a connection's talk ended, where nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// As it was asked for: the session is over.
    Done,
    /// The connection is over; a person may want to go on.
    Closed,
}

/// The course of the connection: counts, timers, and why it is ending.
pub struct Course {
    pub totals: Totals,
    /// Messages received over earlier connections, which count, too.
    pub earlier: u64,
    pub opened_at: Instant,
    /// When the first connection opened.
    pub began: Instant,
    /// The last moment at which messages moved; control frames are as good as silence.
    pub active_at: Instant,
    pub fence: Option<Fence>,
    pings: VecDeque<OwnPing>,
    /// Since when no ping of ours was answered.
    unanswered_since: Option<Instant>,
    pinged_at: Instant,
    pub rtt: Option<Duration>,
    /// The first Close frame: whose, and when.
    pub closing: Option<(Party, Instant)>,
    /// Our Close frame was told to the views.
    pub close_told: bool,
    /// What comes is no longer told: enough came, or the person left.
    pub deaf: bool,
    /// `--count` or `--until` was met.
    pub met: bool,
    pub failure: Option<Error>,
    /// The Close frame that fails the connection, and when it is sent.
    pub failing: Option<(CloseStatus, Instant)>,
    /// When the last message came.
    pub message_at: Option<Instant>,
    /// The stream is closed then at the latest, whatever the peer does.
    give_up_at: Option<Instant>,
    /// All events were taken out of what was received.
    pub caught_up: bool,
    pub can_write: bool,
    /// When and why the peer took nothing any more.
    pub cut: Option<(Instant, String)>,
    pub ended: Option<End>,
    pub leave: Option<Over>,
}

/// A ping of ours that was not answered yet.
struct OwnPing {
    payload: Vec<u8>,
    sent: Instant,
    /// A person asked for it and wants to see the answer.
    asked: bool,
}

/// The ping that is sent behind the last message of the input.
pub struct Fence {
    pub payload: Vec<u8>,
    pub answered: bool,
}

impl Course {
    /// Of a connection that opened `now`.
    pub fn new(now: Instant) -> Course {
        Course {
            totals: Totals::default(),
            earlier: 0,
            opened_at: now,
            began: now,
            active_at: now,
            fence: None,
            pings: VecDeque::new(),
            unanswered_since: None,
            pinged_at: now,
            rtt: None,
            closing: None,
            close_told: false,
            deaf: false,
            met: false,
            failure: None,
            failing: None,
            message_at: None,
            give_up_at: None,
            caught_up: false,
            can_write: true,
            cut: None,
            ended: None,
            leave: None,
        }
    }

    /// Goes on where earlier connections ended.
    pub fn follow(&mut self, past: &Past) {
        self.earlier = past.received;
        self.began = past.opened.unwrap_or(self.opened_at);
    }

    /// Messages received over this connection and those before it.
    pub fn received(&self) -> u64 {
        self.earlier + self.totals.messages_in
    }

    /// Counts and tells a message that was queued.
    #[inline]
    pub fn sent(&mut self, views: &mut Views, data: Data<'_>) {
        self.totals.count(&data);
        views.tell(Event::Data(data));
    }

    /// Until when the Close frame that fails the connection waits for answers of the input's.
    pub fn answers_until(&self, answered: bool, now: Instant) -> Instant {
        match self.message_at {
            Some(at) if answered => at + ANSWER_PATIENCE,
            _ => now,
        }
    }

    pub fn is_enough(&self, settings: &Settings, bytes: &[u8]) -> bool {
        settings.count.is_some_and(|count| self.received() >= count)
            || settings.until.as_ref().is_some_and(|until| until.is_match(bytes))
    }

    pub fn begin_close(&mut self, sender: &mut Sender, status: &CloseStatus, now: Instant) {
        self.closing.get_or_insert((Party::Us, now));
        sender.close(status);
    }

    pub fn fail(&mut self, error: Error, give_up_at: Instant) {
        self.failure.get_or_insert(error);
        self.give_up(give_up_at);
    }

    pub fn give_up(&mut self, at: Instant) {
        self.give_up_at = Some(self.give_up_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// The peer takes nothing any more.
    pub fn cut(&mut self, why: String, now: Instant) {
        self.can_write = false;
        self.cut.get_or_insert((now, why));
    }

    /// When we stop waiting for more from a peer that takes nothing.
    pub fn cut_ends(&self, congested: bool) -> Option<Instant> {
        let (since, _) = self.cut.as_ref().filter(|_| !congested)?;
        Some(self.active_at.max(*since) + CUT_PATIENCE)
    }

    /// Everything that arrives besides data.
    pub fn control(&mut self, traffic: Traffic<'_>, views: &mut Views, pong: bool, now: Instant) {
        let direction = Direction::In;
        match traffic {
            Traffic::Data(_) => {}
            Traffic::Frame(frame) => views.tell(Event::Frame(frame)),
            Traffic::FramePayload(payload) => views.tell(Event::FramePayload(payload)),
            Traffic::Ping { payload, .. } => {
                self.totals.pings_in += 1;
                views.tell(Event::Ping { direction, payload });
                if pong {
                    views.tell(Event::Pong { direction: Direction::Out, payload, rtt: None });
                }
            }
            Traffic::Pong { payload, .. } => {
                self.totals.pongs_in += 1;
                if let Some(fence) = &mut self.fence
                    && fence.payload == payload
                {
                    fence.answered = true;
                    self.active_at = now;
                }
                let answered = self.answered(payload);
                let rtt = answered.as_ref().map(|ping| now - ping.sent);
                self.rtt = rtt.or(self.rtt);
                views.tell(Event::Pong { direction, payload, rtt });
                if let (Some(OwnPing { asked: true, .. }), Some(rtt)) = (answered, rtt) {
                    let text = format!("pong after {}", Took(rtt));
                    views.tell(Event::Answer { text: &text, bare: false });
                }
            }
            Traffic::Close { status, .. } => {
                let (first, _) = *self.closing.get_or_insert((Party::Peer, now));
                views.tell(Event::Close { direction, status, first });
            }
            Traffic::Warning(violation) => {
                views.tell(Event::Violation { violation, fatal: false });
            }
            // These end the connection: see Talk::deliver.
            Traffic::Violation(_) | Traffic::Limit(_) => {}
        }
    }

    /// Notes a ping of ours.
    pub fn pinged(&mut self, payload: &[u8], asked: bool, now: Instant) {
        self.pinged_at = now;
        self.unanswered_since.get_or_insert(now);
        self.pings.push_back(OwnPing { payload: payload.to_vec(), sent: now, asked });
        if self.pings.len() > PINGS {
            self.pings.pop_front();
        }
    }

    /// The ping that a pong answers; with it the earlier ones are answered too (§5.5.3).
    fn answered(&mut self, payload: &[u8]) -> Option<OwnPing> {
        let at = self.pings.iter().position(|ping| ping.payload == payload)?;
        let answered = self.pings.drain(..=at).next_back();
        self.unanswered_since = self.pings.front().map(|ping| ping.sent);
        answered
    }

    pub fn next_ping(&self, settings: &Settings) -> Option<Instant> {
        settings.talk.ping_interval.map(|interval| self.pinged_at + interval)
    }

    /// When a peer that answers no ping is given up.
    pub fn pings_end(&self, settings: &Settings) -> Option<Instant> {
        Some(self.unanswered_since? + settings.talk.ping_timeout?)
    }

    pub fn duration_ends(&self, settings: &Settings) -> Option<Instant> {
        settings.duration.map(|duration| self.began + duration)
    }

    /// When the silence behind the end of the input will have lasted long enough. Blocked output
    /// is no silence: what has arrived wasn't even looked at.
    pub fn linger_ends(&self, settings: &Settings, congested: bool) -> Option<Instant> {
        let fence = self.fence.as_ref()?;
        let Linger::For(linger) = settings.linger else { return None };
        if congested {
            return None;
        }
        let silence = if fence.answered { linger } else { linger.max(FENCE_PATIENCE) };
        Some(self.active_at + silence)
    }

    /// When we stop waiting for the peer to end the connection.
    pub fn patience_ends(&self, close_received: bool, congested: bool) -> Option<Instant> {
        let (_, since) = self.closing?;
        // At the end of a pipe everything that arrives before the peer's Close counts.
        let arriving = !self.deaf && !close_received;
        let patience = if arriving && congested {
            None
        } else if arriving {
            Some(since.max(self.active_at) + CLOSE_PATIENCE)
        } else {
            Some(since + CLOSE_PATIENCE)
        };
        match (patience, self.give_up_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
