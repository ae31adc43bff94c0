//! When the next message of the input may go out: behind an answer (`--lockstep`, a `wait` of
//! `--input json`), or after a pause (`--pace`). Pure: it takes messages and times.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use crate::error::{Error, Exit, Stage};
use crate::text::Untrusted;
use crate::text::units::Took;

/// Messages kept for a wait that comes after them: at most so many bytes.
const KEPT: usize = 1 << 20;

/// How much of a message an error quotes, in characters.
const QUOTED: usize = 40;

/// What holds the input back.
#[derive(Clone, Debug, Default)]
pub struct GateOptions {
    /// The next message waits for an answer to the last one.
    pub lockstep: Option<Lockstep>,
    /// How long an answer is waited for.
    pub within: Option<Duration>,
    /// The pause after each message.
    pub pace: Option<Duration>,
}

impl GateOptions {
    /// Whether they hold anything back.
    pub fn holds(&self) -> bool {
        self.lockstep.is_some() || self.pace.is_some()
    }

    /// Whether messages must be whole to be looked at.
    pub fn looks_at_messages(&self) -> bool {
        matches!(self.lockstep, Some(Lockstep(Some(_))))
    }
}

/// `--lockstep`: which messages are answers; `None` for all.
#[derive(Clone, Debug, Default)]
pub struct Lockstep(pub Option<Regex>);

/// A wait for a message.
#[derive(Clone, Debug)]
pub struct Wait {
    /// What it matches; `None` for any.
    pub pattern: Option<Regex>,
    /// For how long at most.
    pub within: Option<Duration>,
}

/// Holds the input back.
#[derive(Debug)]
pub struct Gate {
    options: GateOptions,
    /// Keeps messages for waits.
    keeps: bool,
    /// Since the last message was sent or waited for, the newest last.
    kept: VecDeque<Vec<u8>>,
    kept_bytes: usize,
    not_before: Option<Instant>,
    waiting: Option<Waiting>,
}

/// What is waited for now.
#[derive(Debug)]
struct Waiting {
    wait: Wait,
    since: Instant,
    /// Who waits: `line 3 of standard input: {"id":…`.
    who: String,
}

impl Gate {
    /// An open gate; with `keeps` it knows the messages that came before a wait.
    pub fn new(options: GateOptions, keeps: bool) -> Gate {
        Gate {
            options,
            keeps,
            kept: VecDeque::new(),
            kept_bytes: 0,
            not_before: None,
            waiting: None,
        }
    }

    /// A connection has opened: answers to what went over another won't come.
    pub fn opened(&mut self) {
        (self.not_before, self.waiting) = (None, None);
        self.forget();
    }

    /// Whether the next message may go out.
    pub fn is_open(&self, now: Instant) -> bool {
        self.waiting.is_none() && self.not_before.is_none_or(|time| now >= time)
    }

    /// When the pause, or the patience of a wait, ends.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let patience = self.waiting.as_ref().and_then(Waiting::until);
        patience.or(self.not_before.filter(|time| *time > now && self.waiting.is_none()))
    }

    /// A message was sent; `who` names it.
    pub fn sent(&mut self, now: Instant, who: impl FnOnce() -> String) {
        self.forget();
        self.not_before = self.options.pace.and_then(|pace| now.checked_add(pace));
        if let Some(Lockstep(pattern)) = &self.options.lockstep {
            let wait = Wait { pattern: pattern.clone(), within: self.options.within };
            self.waiting = Some(Waiting { wait, since: now, who: who() });
        }
    }

    /// Waits, unless what is waited for has come since the last message was sent.
    pub fn wait(&mut self, mut wait: Wait, now: Instant, who: impl FnOnce() -> String) {
        wait.within = wait.within.or(self.options.within);
        match self.kept.iter().position(|message| wait.is_met(message)) {
            Some(at) => {
                self.kept_bytes -=
                    self.kept.drain(..=at).map(|message| message.len()).sum::<usize>();
            }
            None => {
                self.forget();
                self.waiting = Some(Waiting { wait, since: now, who: who() });
            }
        }
    }

    /// A message has come.
    pub fn see(&mut self, message: &[u8]) {
        match &self.waiting {
            Some(waiting) if waiting.wait.is_met(message) => self.waiting = None,
            Some(_) => {}
            None if self.keeps => {
                self.kept.push_back(message[..message.len().min(KEPT)].to_vec());
                self.kept_bytes += message.len().min(KEPT);
                while self.kept_bytes > KEPT
                    && let Some(oldest) = self.kept.pop_front()
                {
                    self.kept_bytes -= oldest.len();
                }
            }
            None => {}
        }
    }

    /// Whether a wait holds the end of the input back, too: one that has a limit.
    pub fn holds_the_end(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.wait.within.is_some())
    }

    /// No message follows: nobody waits for an answer any more.
    pub fn end(&mut self) {
        (self.not_before, self.waiting) = (None, None);
    }

    /// The failure of a wait that has lasted too long.
    pub fn late(&self, now: Instant) -> Option<Error> {
        let waiting = self.waiting.as_ref()?;
        let within =
            waiting.wait.within.filter(|_| waiting.until().is_some_and(|end| now >= end))?;
        let what = format!("{} within {}", waiting.unanswered(), Took(within));
        Some(Error::new(Stage::Session, Exit::Timeout, what).transient(false))
    }

    /// The failure of a wait that the end of the connection has cut short.
    pub fn cut(&self) -> Option<Error> {
        let what = format!("{} before the connection ended", self.waiting.as_ref()?.unanswered());
        Some(Error::new(Stage::Session, Exit::Expectation, what))
    }

    fn forget(&mut self) {
        self.kept.clear();
        self.kept_bytes = 0;
    }
}

impl Wait {
    fn is_met(&self, message: &[u8]) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(message))
    }
}

impl Waiting {
    fn until(&self) -> Option<Instant> {
        self.since.checked_add(self.wait.within?)
    }

    /// Who has got no answer.
    fn unanswered(&self) -> String {
        match &self.wait.pattern {
            None => format!("no answer came for {}", self.who),
            Some(pattern) => {
                let pattern = Untrusted::text(pattern.as_str());
                format!("no message that matches {pattern} came for {}", self.who)
            }
        }
    }
}

/// The beginning of a message, in quotes.
pub fn quoted(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let end = text.char_indices().nth(QUOTED).map(|(at, _)| at);
    let dots = if end.is_some() { "…" } else { "" };
    format!("\"{}{dots}\"", Untrusted::text(&text[..end.unwrap_or(text.len())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Option<Regex> {
        Some(Regex::new(text).unwrap())
    }

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn in_lockstep_an_answer_opens_the_gate() {
        let start = Instant::now();
        let lockstep = Some(Lockstep(pattern("^ok")));
        let within = Some(Duration::from_secs(2));
        let mut gate = Gate::new(GateOptions { lockstep, within, pace: None }, false);
        gate.see(b"ok, but early");
        assert!(gate.is_open(start) && gate.deadline(start).is_none());
        gate.sent(start, || "line 3".to_owned());
        assert!(!gate.is_open(start) && gate.holds_the_end());
        gate.see(b"no");
        assert!(!gate.is_open(start));
        assert_eq!(gate.deadline(start), Some(after(start, 2000)));
        assert_eq!(gate.late(after(start, 1999)), None);
        let late = gate.late(after(start, 2000)).unwrap();
        assert_eq!(late.what, "no message that matches ^ok came for line 3 within 2.00 s");
        assert_eq!((late.exit, late.transient), (Exit::Timeout, false));
        gate.see(b"ok");
        assert!(gate.is_open(start) && gate.late(after(start, 9000)).is_none());
    }

    #[test]
    fn the_pace_is_a_pause_after_each() {
        let start = Instant::now();
        let pace = Some(Duration::from_millis(100));
        let mut gate = Gate::new(GateOptions { pace, ..GateOptions::default() }, false);
        assert!(gate.is_open(start));
        gate.sent(start, String::new);
        assert!(!gate.is_open(after(start, 99)) && gate.is_open(after(start, 100)));
        assert_eq!(gate.deadline(start), Some(after(start, 100)));
        assert_eq!(gate.deadline(after(start, 100)), None);
        assert!(!gate.holds_the_end());
    }

    #[test]
    fn a_wait_knows_what_has_come_since_the_last_message() {
        let start = Instant::now();
        let mut gate = Gate::new(GateOptions::default(), true);
        let wait = |text| Wait { pattern: pattern(text), within: None };
        let is_open = |gate: &mut Gate, text| {
            gate.wait(wait(text), start, || "line 1".to_owned());
            gate.is_open(start)
        };
        gate.see(b"a");
        gate.see(b"b");
        gate.see(b"c");
        assert!(is_open(&mut gate, "b"));
        assert!(!is_open(&mut gate, "a"), "it came before what was waited for last");
        gate.see(b"a");
        assert!(gate.is_open(start));
        gate.see(b"x");
        gate.sent(start, String::new);
        assert!(!is_open(&mut gate, "x"), "it came before the last message");
        gate.end();
        for _ in 0..5 {
            gate.see(&[b'y'; KEPT / 2]);
        }
        assert_eq!((gate.kept.len(), gate.kept_bytes), (2, KEPT));
    }

    #[test]
    fn long_messages_are_quoted_in_part() {
        assert_eq!(quoted(b"a\x1b"), "\"a\\x1b\"");
        assert_eq!(quoted("ü".repeat(41).as_bytes()), format!("\"{}…\"", "ü".repeat(40)));
    }
}
