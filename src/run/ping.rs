//! The driver of `wstap ping`: one ping after the other, and what their round trips were.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::connection::Outgoing;
use crate::error::{Error, Exit, Stage};
use crate::event::{Data, Event, RoundTrips};
use crate::protocol::connection::Direction;
use crate::protocol::frame::Opcode;
use crate::run::driver::{Driver, Outcome, Then};
use crate::run::session::Session;
use crate::run::talk::{Over, Talk};
use crate::run::views::Views;

/// More than this is never awaited at once: a server that answers nothing is not flooded.
const MAX_UNANSWERED: usize = 1000;

/// What to ping with.
#[derive(Clone, Debug)]
pub struct PingOptions {
    /// How many pings; `None` for no end.
    pub count: Option<u64>,
    /// From one ping to the next; zero sends the next one as soon as the last was answered.
    pub interval: Duration,
    /// An unanswered ping is lost after this long.
    pub timeout: Duration,
    /// Payload of a ping in bytes, at most 125 (RFC 6455 §5.5).
    pub size: usize,
    /// A text message to send instead of a ping frame; the next message that comes is its answer.
    pub message: Option<String>,
}

/// Sends pings and measures.
pub struct Ping {
    options: PingOptions,
    /// The pings that may still be answered, the oldest first.
    unanswered: VecDeque<Unanswered>,
    next_at: Option<Instant>,
    sent: u64,
    lost: u64,
    last: Option<Duration>,
    /// The sum of the differences between neighbouring round trips (RFC 3550's jitter without its
    /// smoothing).
    variation: Duration,
    /// Round trips in microseconds.
    histogram: Histogram<u64>,
    began: Option<Instant>,
    /// The last ping was sent, and nothing more is awaited.
    is_over: bool,
}

struct Unanswered {
    number: u64,
    payload: Vec<u8>,
    sent: Instant,
}

impl Ping {
    /// A driver with these options.
    pub fn new(options: PingOptions) -> Ping {
        // Three digits, growing as needed: the only way to fail is another number of digits.
        let histogram = Histogram::new(3).unwrap_or_else(|e| panic!("a histogram of 3 digits: {e}"));
        Ping {
            options,
            unanswered: VecDeque::new(),
            next_at: None,
            sent: 0,
            lost: 0,
            last: None,
            variation: Duration::ZERO,
            histogram,
            began: None,
            is_over: false,
        }
    }

    fn send(&mut self, talk: &mut Talk<'_>) {
        self.sent += 1;
        let payload = payload(self.sent, self.options.size);
        match &self.options.message {
            Some(text) => {
                let (opcode, payload) = (Opcode::Text, text.as_bytes());
                talk.connection.send(Outgoing { opcode, payload, fragment: None });
            }
            None => talk.connection.ping(&payload),
        }
        self.unanswered.push_back(Unanswered { number: self.sent, payload, sent: talk.now });
        self.next_at = Some(talk.now + self.options.interval);
    }

    fn is_due(&self, now: Instant) -> bool {
        let answered = !self.options.interval.is_zero() || self.unanswered.is_empty();
        answered && self.has_more() && self.next_at.is_none_or(|at| now >= at)
    }

    fn has_more(&self) -> bool {
        self.options.count.is_none_or(|count| self.sent < count)
            && self.unanswered.len() < MAX_UNANSWERED
    }

    fn give_up_on_late(&mut self, views: &mut Views, now: Instant) {
        while let Some(oldest) = self.unanswered.front()
            && now >= oldest.sent + self.options.timeout
        {
            let number = oldest.number;
            self.unanswered.pop_front();
            self.lost += 1;
            views.tell(Event::RoundTrip { number, took: None });
        }
    }

    fn answered(&mut self, at: usize, views: &mut Views, now: Instant) {
        let Some(ping) = self.unanswered.remove(at) else { return };
        let took = now - ping.sent;
        if let Some(last) = self.last.replace(took) {
            self.variation += took.abs_diff(last);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        self.histogram.saturating_record(micros);
        views.tell(Event::RoundTrip { number: ping.number, took: Some(took) });
    }

    fn round_trips(&self) -> RoundTrips {
        let at = |quantile| Duration::from_micros(self.histogram.value_at_quantile(quantile));
        let answered = self.histogram.len();
        let buckets = self.histogram.iter_log(1, 2.0).filter(|step| step.count_since_last_iteration() > 0);
        RoundTrips {
            sent: self.sent,
            answered,
            took: self.began.map_or(Duration::ZERO, |began| began.elapsed()),
            min: Duration::from_micros(self.histogram.min()),
            mean: Duration::from_secs_f64(self.histogram.mean() / 1e6),
            max: Duration::from_micros(self.histogram.max()),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            jitter: match u32::try_from(answered.saturating_sub(1)) {
                Ok(0) => Duration::ZERO,
                Ok(pairs) => self.variation / pairs,
                Err(_) => Duration::from_secs_f64(self.variation.as_secs_f64() / answered as f64),
            },
            histogram: buckets
                .map(|step| {
                    let end = Duration::from_micros(step.value_iterated_to().saturating_add(1));
                    (end, step.count_since_last_iteration())
                })
                .collect(),
        }
    }
}

impl Driver for Ping {
    fn act(&mut self, talk: &mut Talk<'_>) {
        self.began.get_or_insert(talk.now);
        let now = talk.now;
        self.give_up_on_late(talk.views(), now);
        if talk.has_room() && self.is_due(now) {
            self.send(talk);
        }
        let all_sent = self.options.count.is_some_and(|count| self.sent >= count);
        if all_sent && self.unanswered.is_empty() && !talk.is_left() {
            talk.leave(Over::Done);
        }
    }

    fn see(&mut self, event: &Event<'_>, views: &mut Views, now: Instant) {
        let Event::Pong { direction: Direction::In, payload, .. } = event else { return };
        let at = self.unanswered.iter().position(|ping| ping.payload == *payload);
        if let Some(at) = at.filter(|_| self.options.message.is_none()) {
            self.answered(at, views, now);
        }
    }

    fn watches_messages(&self) -> bool {
        self.options.message.is_some()
    }

    fn see_message(&mut self, data: &Data<'_>, views: &mut Views, now: Instant) {
        if data.last {
            self.answered(0, views, now);
        }
    }

    fn deadline(&self, _talk: &Talk<'_>) -> Option<Instant> {
        let late = self.unanswered.front().map(|oldest| oldest.sent + self.options.timeout);
        let waits = self.options.interval.is_zero() && !self.unanswered.is_empty();
        let next = self.next_at.filter(|_| self.has_more() && !waits);
        [late, next].into_iter().flatten().min()
    }

    fn ended(&mut self, session: &mut Session, outcome: Outcome) -> Then {
        let round_trips = self.round_trips();
        if self.began.is_some() {
            session.outside.views.emit(Event::RoundTrips(&round_trips));
        }
        let outcome = match outcome {
            Outcome::Failed(error) | Outcome::GivenUp(error) => Err(error),
            Outcome::Over(_) if round_trips.answered == 0 && session.signalled.is_none() => {
                let what = "no ping was answered";
                let error = Error::new(Stage::Session, Exit::Expectation, what);
                Err(match self.options.message {
                    None => error.hint("some servers answer no pings: --message TEXT sends a message"),
                    Some(_) => error,
                })
            }
            Outcome::Over(over) => Ok(over),
        };
        if let Err(error) = &outcome {
            session.tell(error);
        }
        Then::Leave(outcome)
    }
}

/// The payload of a ping: its number, as far as that fits, filled up.
fn payload(number: u64, size: usize) -> Vec<u8> {
    let mut payload = format!("{number:08x}").into_bytes();
    payload.resize(size.min(125), b'.');
    payload
}
