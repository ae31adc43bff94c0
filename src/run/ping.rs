//! The driver of `wstap ping`: one ping after the other, and how long each took.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::connection::Outgoing;
use crate::error::{Error, Exit, Hint, Stage};
use crate::event::{Bucket, Data, Event, RoundTrips, Spread};
use crate::protocol::connection::Direction;
use crate::protocol::frame::Opcode;
use crate::run::context::Context;
use crate::run::driver::{Driver, Outcome, Then};
use crate::run::talk::{Over, Talk};
use crate::run::views::Views;

/// The most pings awaited at once: a server that answers nothing is not flooded, and memory is bounded.
const MAX_AWAITED: usize = 1000;

/// When to ping, and with what.
#[derive(Clone, Debug)]
pub struct PingOptions {
    /// How many pings; `None` for no end.
    pub count: Option<u64>,
    /// From one ping to the next; zero sends the next one as soon as the last was answered or lost.
    pub interval: Duration,
    /// A ping without an answer is lost after this long.
    pub within: Duration,
    /// What is sent.
    pub probe: Probe,
}

/// What is sent, and what answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Ping frames with a payload of this many bytes, at most 125 (RFC 6455 §5.5); the pong with the
    /// same payload is the answer.
    Frame(usize),
    /// This text as a message; the next message that comes, whatever it says, is the answer.
    Message(String),
}

/// Sends pings and measures their round trips: from just before a ping's bytes are written to the
/// moment when poll gave the bytes of its answer to be read.
pub struct Ping {
    options: PingOptions,
    /// Pings that may still be answered, the oldest first.
    awaited: VecDeque<Awaited>,
    began: Option<Instant>,
    sent: u64,
    lost: u64,
    /// When the next ping is due.
    next_at: Option<Instant>,
    /// When there is something to do although nothing happened.
    wake_at: Option<Instant>,
    times: Times,
}

struct Awaited {
    number: u64,
    /// Empty for a message.
    payload: Vec<u8>,
    sent: Instant,
}

impl Ping {
    /// A driver with these options.
    pub fn new(options: PingOptions) -> Ping {
        Ping {
            options,
            awaited: VecDeque::new(),
            began: None,
            sent: 0,
            lost: 0,
            next_at: None,
            wake_at: None,
            times: Times::new(),
        }
    }

    fn send(&mut self, talk: &mut Talk<'_>) {
        self.sent += 1;
        let payload = match &self.options.probe {
            Probe::Frame(size) => payload(self.sent, *size),
            Probe::Message(_) => Vec::new(),
        };
        match &self.options.probe {
            Probe::Frame(_) => talk.connection.ping(&payload),
            Probe::Message(text) => {
                let (opcode, payload) = (Opcode::Text, text.as_bytes());
                talk.connection.send(Outgoing { opcode, payload, fragment: None });
            }
        }
        // Not the turn's time, which is that of the last answer where the interval is zero: what was
        // shown of it since then isn't part of the round trip.
        self.awaited.push_back(Awaited { number: self.sent, payload, sent: Instant::now() });
        self.next_at = talk.now.checked_add(self.options.interval);
    }

    fn has_sent_all(&self) -> bool {
        self.options.count.is_some_and(|count| self.sent >= count)
    }

    /// Whether another ping is to be sent when its time comes.
    fn may_send(&self) -> bool {
        let most = if self.options.interval.is_zero() { 1 } else { MAX_AWAITED };
        !self.has_sent_all() && self.awaited.len() < most
    }

    fn is_due(&self, now: Instant) -> bool {
        self.sent == 0 || self.next_at.is_some_and(|at| now >= at)
    }

    /// When the oldest ping is lost.
    fn late_at(&self) -> Option<Instant> {
        self.awaited.front()?.sent.checked_add(self.options.within)
    }

    fn give_up_late(&mut self, views: &mut Views, now: Instant) {
        while self.late_at().is_some_and(|at| now >= at)
            && let Some(Awaited { number, .. }) = self.awaited.pop_front()
        {
            self.lost += 1;
            views.tell(&Event::RoundTrip { number, took: None });
        }
    }

    fn answered(&mut self, at: usize, views: &mut Views, now: Instant) {
        let Some(Awaited { number, sent, .. }) = self.awaited.remove(at) else { return };
        let took = now - sent;
        self.times.note(took);
        views.tell(&Event::RoundTrip { number, took: Some(took) });
    }

    fn round_trips(&self, took: Duration) -> RoundTrips {
        let answered = self.times.count();
        RoundTrips { sent: self.sent, answered, lost: self.lost, took, spread: self.times.spread() }
    }

    fn unanswered(&self) -> Error {
        let error = |what: &str| Error::new(Stage::Session, Exit::Expectation, what);
        match self.options.probe {
            Probe::Frame(_) => error("no ping was answered").hint(Hint::PingByMessage),
            Probe::Message(_) => error("no message was answered"),
        }
    }
}

impl Driver for Ping {
    fn act(&mut self, talk: &mut Talk<'_>) {
        self.wake_at = None;
        if talk.views().are_congested() {
            // Answers aren't read now: it wouldn't be the server that is late.
            return;
        }
        let now = talk.now;
        self.began.get_or_insert(now);
        self.give_up_late(talk.views(), now);
        if !talk.has_room() {
            return;
        }
        if self.may_send() && self.is_due(now) {
            self.send(talk);
        }
        if self.has_sent_all() && self.awaited.is_empty() {
            return talk.leave(Over::Done);
        }
        let next = self.next_at.filter(|_| self.may_send());
        self.wake_at = [self.late_at(), next].into_iter().flatten().min();
    }

    fn see(&mut self, event: &Event<'_>, views: &mut Views, now: Instant) {
        if let Event::Pong { direction: Direction::In, payload, .. } = event
            && let Probe::Frame(_) = self.options.probe
            && let Some(at) = self.awaited.iter().position(|ping| ping.payload == *payload)
        {
            self.answered(at, views, now);
        }
    }

    fn watches_messages(&self) -> bool {
        matches!(self.options.probe, Probe::Message(_))
    }

    fn see_message(&mut self, _data: &Data<'_>, views: &mut Views, now: Instant) {
        self.answered(0, views, now);
    }

    fn deadline(&self, _talk: &Talk<'_>) -> Option<Instant> {
        self.wake_at
    }

    fn ended(&mut self, context: &mut Context, outcome: Outcome) -> Then {
        if let Some(began) = self.began {
            let round_trips = self.round_trips(began.elapsed());
            context.outside.views.emit(Event::RoundTrips(&round_trips));
        }
        let outcome = match outcome {
            Outcome::Failed(error) | Outcome::GivenUp(error) => Err(error),
            Outcome::Over(_) if self.times.count() == 0 && context.signalled.is_none() => {
                Err(self.unanswered().worded(context.settings.words))
            }
            Outcome::Over(over) => Ok(over),
        };
        let outcome = outcome.map_err(|mut error| {
            if error.exit == Exit::PeerError {
                // Its hint is an option that pinging doesn't have.
                error.hints.clear();
            }
            context.tell(&error);
            error
        });
        Then::Leave(outcome)
    }
}

/// The payload of a ping: its number in hex, filled up with dots. Where it doesn't fit its last digits
/// count, so that neighbours differ.
fn payload(number: u64, size: usize) -> Vec<u8> {
    let mut payload = format!("{number:08x}").into_bytes();
    payload.drain(..payload.len().saturating_sub(size));
    payload.resize(size, b'.');
    payload
}

/// Round trips, in bounded memory.
struct Times {
    /// In microseconds.
    histogram: Histogram<u64>,
    min: Duration,
    max: Duration,
    sum: Duration,
    last: Option<Duration>,
    /// The sum of the differences between one and the next.
    variation: Duration,
}

impl Times {
    fn new() -> Times {
        // It grows as needed; only another number of digits could fail.
        let histogram = Histogram::new(3).unwrap_or_else(|e| panic!("three digits: {e}"));
        Times {
            histogram,
            min: Duration::MAX,
            max: Duration::ZERO,
            sum: Duration::ZERO,
            last: None,
            variation: Duration::ZERO,
        }
    }

    fn count(&self) -> u64 {
        self.histogram.len()
    }

    fn note(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // Makes room for larger values; saturating_record wouldn't.
        if self.histogram.record(micros).is_err() {
            self.histogram.saturating_record(micros);
        }
        self.min = self.min.min(took);
        self.max = self.max.max(took);
        self.sum += took;
        if let Some(last) = self.last.replace(took) {
            self.variation += took.abs_diff(last);
        }
    }

    fn spread(&self) -> Option<Spread> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        // A percentile is the end of its bucket.
        let percentile = |percent| {
            let micros = self.histogram.value_at_percentile(percent);
            Duration::from_micros(micros).clamp(self.min, self.max)
        };
        Some(Spread {
            min: self.min,
            mean: mean(self.sum, count),
            p50: percentile(50.0),
            p90: percentile(90.0),
            p99: percentile(99.0),
            max: self.max,
            jitter: mean(self.variation, count - 1),
            histogram: self.buckets(),
        })
    }

    fn buckets(&self) -> Vec<Bucket> {
        let exponent = |micros: u64| micros.checked_ilog2().map_or(0, |exponent| exponent + 1);
        let first = exponent(self.histogram.min());
        let mut buckets: Vec<Bucket> = (first..=exponent(self.histogram.max()))
            .map(|exponent| Bucket {
                below: Duration::from_micros(1_u64.checked_shl(exponent).unwrap_or(u64::MAX)),
                count: 0,
            })
            .collect();
        for step in self.histogram.iter_recorded() {
            let at = (exponent(step.value_iterated_to()) - first) as usize;
            buckets[at].count += step.count_at_value();
        }
        buckets
    }
}

/// Zero if there are none.
fn mean(sum: Duration, count: u64) -> Duration {
    sum.div_f64(count.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(millis: &[u64]) -> Times {
        let mut times = Times::new();
        millis.iter().for_each(|millis| times.note(Duration::from_millis(*millis)));
        times
    }

    #[test]
    fn of_nothing_there_is_no_spread() {
        assert_eq!(times(&[]).spread(), None);
        assert_eq!(RoundTrips::default().lost_percent(), 0.0);
    }

    #[test]
    fn jitter_is_the_mean_difference_of_neighbours() {
        let jitter = |millis: &[u64]| times(millis).spread().unwrap().jitter;
        assert_eq!(jitter(&[7]), Duration::ZERO);
        assert_eq!(jitter(&[5, 5, 5]), Duration::ZERO);
        assert_eq!(jitter(&[10, 20, 10, 50]), Duration::from_millis(20));
    }

    #[test]
    fn extremes_and_mean_are_exact_and_percentiles_lie_between() {
        let all: Vec<u64> = (1..=1000).rev().collect();
        let spread = times(&all).spread().unwrap();
        let Spread { min, mean, p50, p90, p99, max, .. } = spread;
        assert_eq!((min, max), (Duration::from_millis(1), Duration::from_secs(1)));
        assert_eq!(mean, Duration::from_micros(500_500));
        for (percentile, millis) in [(p50, 500), (p90, 900), (p99, 990)] {
            let off = percentile.abs_diff(Duration::from_millis(millis));
            assert!(off <= Duration::from_millis(1), "{percentile:?}");
        }
        let one = times(&[3333]).spread().unwrap();
        assert_eq!([one.min, one.p50, one.p99, one.max], [Duration::from_millis(3333); 4]);
    }

    #[test]
    fn the_histogram_has_every_round_trip_and_no_gap() {
        let mut times = Times::new();
        for nanos in [0, 999, 1_000, 1_999, 2_000, 15_999, 16_000] {
            times.note(Duration::from_nanos(nanos));
        }
        let buckets = times.spread().unwrap().histogram;
        let buckets: Vec<_> = buckets.iter().map(|b| (b.below.as_micros(), b.count)).collect();
        assert_eq!(buckets, [(1, 2), (2, 2), (4, 1), (8, 0), (16, 1), (32, 1)]);
    }

    #[test]
    fn what_is_still_awaited_is_not_lost() {
        let percent = |answered, lost| {
            RoundTrips { sent: 9, answered, lost, ..RoundTrips::default() }.lost_percent()
        };
        assert_eq!(
            [percent(0, 0), percent(3, 0), percent(3, 1), percent(0, 2)],
            [0., 0., 25., 100.]
        );
    }

    #[test]
    fn payloads_have_their_size_and_neighbours_differ() {
        for size in 0..=125 {
            assert_eq!(payload(0xabc, size).len(), size);
            assert!(size == 0 || payload(7, size) != payload(8, size));
        }
        assert_eq!(payload(0x12, 8), b"00000012");
        assert_eq!(payload(0x12, 3), b"012");
        assert_eq!(payload(0x12, 10), b"00000012..");
        assert_eq!(payload(0x1_2345_6789, 8), b"23456789");
    }
}
