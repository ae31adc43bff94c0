//! What is sent by rule: replies to messages that match a pattern, and messages at intervals. Pure: it
//! takes messages and times, and says what is due.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use regex::bytes::{Captures, Regex};

use crate::protocol::frame::Opcode;
use crate::run::fresh::{self, Fresh};
use crate::text::Untrusted;
use crate::text::typed::{pattern, time};
use crate::text::units::Count;

/// The rules of a run, in the order in which they apply.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Replies to messages. Each one that matches is sent.
    pub replies: Vec<Reply>,
    /// Messages at intervals.
    pub timers: Vec<Timer>,
    /// The values for texts that are templates.
    pub fresh: Fresh,
}

impl Rules {
    /// A connection has opened: each interval begins.
    pub fn begin(&mut self, now: Instant) {
        for timer in &mut self.timers {
            timer.begin(now);
        }
    }

    /// Sends the replies to a message; their texts may be templates, what comes from the message is none.
    pub fn reply(
        &mut self,
        message: &[u8],
        has_templates: bool,
        mut send: impl FnMut(Opcode, &[u8]),
    ) {
        let Rules { replies, fresh, .. } = self;
        for reply in replies {
            if let Some(payload) = reply.to(message, has_templates.then_some(&mut *fresh)) {
                send(reply.opcode_of(&payload), &payload);
            }
        }
    }

    /// Sends what is due at the end of an interval.
    pub fn tick(&mut self, now: Instant, has_templates: bool, mut send: impl FnMut(Opcode, &[u8])) {
        let Rules { timers, fresh, .. } = self;
        for timer in timers {
            if timer.next.is_some_and(|next| now >= next) {
                let fresh = has_templates.then_some(&mut *fresh);
                send(timer.opcode, &filled(&timer.payload, fresh));
                timer.begin(now);
                timer.left = timer.left.map(|left| left.saturating_sub(1));
            }
        }
        self.timers.retain(|timer| timer.left != Some(0));
    }

    /// Changes or lists the rules; says what there is to say, also about what can't be.
    ///
    /// # Errors
    /// There is no such rule.
    pub fn change(&mut self, change: RuleChange, now: Option<Instant>) -> Result<String, String> {
        let before = self.replies.len() + self.timers.len();
        match change {
            RuleChange::Reply(reply) => self.replies.push(reply),
            RuleChange::Timer(mut timer) => {
                match (now, timer.left) {
                    (Some(now), Some(_)) => timer.next = Some(now),
                    (Some(now), None) => timer.begin(now),
                    (None, _) => {}
                }
                self.timers.push(timer);
            }
            RuleChange::List if before == 0 => return Ok("no rules: /on, /every".to_owned()),
            RuleChange::List => {}
            RuleChange::Off(None) => {
                self.replies.clear();
                self.timers.clear();
                return Ok(format!("{} ended", Count(before as u64, "rule")));
            }
            RuleChange::Off(Some(number)) => {
                match number.checked_sub(1 + self.replies.len()) {
                    Some(at) if at < self.timers.len() => drop(self.timers.remove(at)),
                    None if number > 0 => drop(self.replies.remove(number - 1)),
                    _ => return Err(format!("no rule {number}; /on lists them")),
                }
                return Ok("1 rule ended".to_owned());
            }
        }
        let replies = self.replies.iter().map(|reply| format!("on {}", reply.typed));
        let timers = self.timers.iter().map(|timer| match timer.left {
            Some(left) => format!("{left} more, every {}", timer.typed),
            None => format!("every {}", timer.typed),
        });
        let lines = replies.chain(timers).zip(1..);
        let lines = lines.map(|(rule, number)| format!("{number} {}", Untrusted::text(&rule)));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// When the next interval ends.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.iter().filter_map(|timer| timer.next).min()
    }
}

/// A change of the rules at the prompt.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleChange {
    /// List them.
    List,
    /// End one, by its number in the list, or all.
    Off(Option<usize>),
    /// Add a reply.
    Reply(Reply),
    /// Add messages at an interval.
    Timer(Timer),
}

impl RuleChange {
    /// Whether the texts have only values in them that are known.
    ///
    /// # Errors
    /// What isn't known, in one line.
    pub(super) fn check_templates(&self) -> Result<(), String> {
        let check = |text: &[u8]| {
            std::str::from_utf8(text).map_or(Ok(()), |text| fresh::check(text).map(drop))
        };
        match self {
            RuleChange::List | RuleChange::Off(_) => Ok(()),
            RuleChange::Reply(reply) => reply.parts.iter().try_for_each(|part| match part {
                Part::Literal(text) => check(text),
                Part::Group(_) => Ok(()),
            }),
            RuleChange::Timer(timer) => check(&timer.payload),
        }
    }
}

/// A message that is sent at an interval.
#[derive(Clone, Debug)]
pub struct Timer {
    /// The rule as it was typed.
    pub typed: String,
    interval: Duration,
    opcode: Opcode,
    payload: Vec<u8>,
    next: Option<Instant>,
    /// How often it is still sent, if that is limited.
    left: Option<u64>,
}

impl Timer {
    /// The rule to send this each `interval`, as typed.
    ///
    /// # Errors
    /// What is wrong with the interval.
    pub fn new(interval: &str, opcode: Opcode, payload: Vec<u8>) -> Result<Timer, String> {
        let typed = format!("{interval}={}", String::from_utf8_lossy(&payload));
        match time(interval.trim())? {
            Duration::ZERO => Err("the interval must be longer than nothing".to_owned()),
            interval => Ok(Timer { typed, interval, opcode, payload, next: None, left: None }),
        }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, count: u64) -> Timer {
        Timer { left: Some(count), ..self }
    }

    /// An interval begins. What couldn't be sent in time is left out, not sent twice.
    pub fn begin(&mut self, now: Instant) {
        self.next = now.checked_add(self.interval);
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        (&self.typed, self.left) == (&other.typed, other.left)
    }
}

/// A reply to each message that matches.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The rule as it was typed.
    pub typed: String,
    pattern: Regex,
    opcode: Opcode,
    parts: Vec<Part>,
}

impl PartialEq for Reply {
    fn eq(&self, other: &Reply) -> bool {
        self.typed == other.typed
    }
}

/// A part of a reply.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// As it is.
    Literal(Vec<u8>),
    /// What this group of the pattern has matched.
    Group(usize),
}

impl Reply {
    /// The rule to answer what matches with a text, in which `$1`, `$name`, `${1}` and `${name}` are
    /// what the group has matched, and `$$` is a `$`.
    ///
    /// # Errors
    /// What is wrong with the pattern, or that it lacks the group.
    pub fn new(typed_pattern: &str, text: &[u8]) -> Result<Reply, String> {
        let mut reply = Reply::fixed(typed_pattern, Opcode::Text, Vec::new())?;
        reply.parts = parts(text, &reply.pattern)?;
        reply.typed = format!("{typed_pattern}={}", String::from_utf8_lossy(text));
        Ok(reply)
    }

    /// The rule to answer what matches with these bytes.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn fixed(typed: &str, opcode: Opcode, payload: Vec<u8>) -> Result<Reply, String> {
        let pattern = pattern(typed).map_err(|why| format!("the pattern {why}"))?;
        let typed = format!("{typed}={}", String::from_utf8_lossy(&payload));
        Ok(Reply { typed, pattern, opcode, parts: vec![Part::Literal(payload)] })
    }

    /// The reply to this message, if it matches.
    fn to(&self, message: &[u8], mut fresh: Option<&mut Fresh>) -> Option<Vec<u8>> {
        let groups: Captures<'_> = self.pattern.captures(message)?;
        let mut reply = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(bytes) => {
                    reply.extend_from_slice(&filled(bytes, fresh.as_deref_mut()));
                }
                Part::Group(number) => {
                    let group = groups.get(*number);
                    reply.extend_from_slice(group.map_or(&b""[..], |group| group.as_bytes()));
                }
            }
        }
        Some(reply)
    }

    /// Text must be UTF-8 (RFC 6455 §5.6), and a group may have matched bytes that are not.
    fn opcode_of(&self, payload: &[u8]) -> Opcode {
        match self.opcode {
            Opcode::Text if std::str::from_utf8(payload).is_err() => Opcode::Binary,
            opcode => opcode,
        }
    }
}

/// The text with fresh values, if it is a template.
fn filled<'a>(text: &'a [u8], fresh: Option<&mut Fresh>) -> Cow<'a, [u8]> {
    let filled = fresh.and_then(|fresh| fresh.fill(std::str::from_utf8(text).ok()?).ok());
    filled.map_or(Cow::Borrowed(text), |filled| Cow::Owned(filled.into_bytes()))
}

/// A rule in two: what stands before and behind the first `=` that has no `\` before it.
pub fn split(rule: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let at = rule.bytes().position(|byte| {
        let found = byte == b'=' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })?;
    Some((&rule[..at], &rule[at + 1..]))
}

/// The parts of a reply's text.
fn parts(text: &[u8], pattern: &Regex) -> Result<Vec<Part>, String> {
    let (mut parts, mut literal, mut rest) = (Vec::new(), Vec::new(), text);
    while let Some(at) = memchr::memchr(b'$', rest) {
        let (plain, behind) = (&rest[..at], &rest[at + 1..]);
        literal.extend_from_slice(plain);
        let (name, used) = match behind.first() {
            Some(b'$') => (None, 1),
            Some(b'{') => match memchr::memchr(b'}', behind) {
                Some(end) => (Some(&behind[1..end]), end + 1),
                None => (None, 0),
            },
            // A number ends at its last digit: $1st is the first group and "st".
            Some(b'0'..=b'9') => {
                let end = behind.iter().position(|byte| !byte.is_ascii_digit());
                let end = end.unwrap_or(behind.len());
                (Some(&behind[..end]), end)
            }
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
                let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let end = behind.iter().position(|byte| !is_name(byte)).unwrap_or(behind.len());
                (Some(&behind[..end]), end)
            }
            _ => (None, 0),
        };
        match name {
            Some(name) => {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
                parts.push(Part::Group(group(name, pattern)?));
            }
            None => literal.push(b'$'),
        }
        rest = &behind[used..];
    }
    literal.extend_from_slice(rest);
    parts.push(Part::Literal(literal));
    Ok(parts)
}

/// The number of a group.
fn group(name: &[u8], pattern: &Regex) -> Result<usize, String> {
    let name = String::from_utf8_lossy(name);
    let by_number = name.parse().ok().filter(|number| *number < pattern.captures_len());
    let by_name = || pattern.capture_names().position(|known| known == Some(&*name));
    by_number.or_else(by_name).ok_or_else(|| {
        let name = Untrusted::text(&name);
        format!("the pattern has no group for ${name}; a $ itself is written $$")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replied(pattern: &str, text: &str, message: &[u8]) -> Option<(Opcode, Vec<u8>)> {
        let mut rules = Rules {
            replies: vec![Reply::new(pattern, text.as_bytes()).unwrap()],
            ..Rules::default()
        };
        let mut found = None;
        rules.reply(message, false, |opcode, payload| found = Some((opcode, payload.to_vec())));
        found
    }

    #[test]
    fn groups_are_put_in() {
        let text = |pattern, text, message: &str| {
            let (opcode, payload) = replied(pattern, text, message.as_bytes())?;
            assert_eq!(opcode, Opcode::Text);
            String::from_utf8(payload).ok()
        };
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(text("^ping (.*)", "pong $1", "ping 7"), said("pong 7"));
        assert_eq!(text("^ping", "pong", "no"), None);
        assert_eq!(
            text(r#""id":(?<id>\d+)"#, r#"{"ack":$id}"#, r#"{"id":12}"#),
            said(r#"{"ack":12}"#)
        );
        assert_eq!(text("(a)(x)?", "$1st ${1}${2}$0 $$1 $ $", "a"), said("ast aa $1 $ $"));
        assert_eq!(text("a", "", "a"), said(""));
        assert_eq!(text(r"a\=b", "${", "a=b"), said("${"));
    }

    #[test]
    fn what_is_no_text_goes_as_bytes() {
        let found = replied("(?-u)^(.)", "$1!", b"\xff\x00");
        assert_eq!(found, Some((Opcode::Binary, b"\xff!".to_vec())));
    }

    #[test]
    fn a_group_that_is_not_there_is_an_error() {
        for (pattern, text, named) in
            [("a", "$1", "$1;"), ("(a)", "$name", "$name;"), ("(a)", "${2}", "$2;")]
        {
            let why = Reply::new(pattern, text.as_bytes()).unwrap_err();
            assert!(why.contains(named), "{why}");
        }
        assert!(Reply::new("(", b"").unwrap_err().starts_with("the pattern is not"));
    }

    #[test]
    fn the_first_bare_equals_sign_splits() {
        assert_eq!(split("a=b=c"), Some(("a", "b=c")));
        assert_eq!(split(r"a\=b=c"), Some((r"a\=b", "c")));
        assert_eq!(split(r"a\\=b"), Some((r"a\\", "b")));
        assert_eq!(split("ab"), None);
    }

    #[test]
    fn intervals_end_one_after_another_and_never_twice() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let timer = |interval: &str| {
            Timer::new(interval, Opcode::Text, interval.as_bytes().to_vec()).unwrap()
        };
        let mut rules = Rules { timers: vec![timer("20ms"), timer("50ms")], ..Rules::default() };
        let due = |rules: &mut Rules, at| {
            let mut all = Vec::new();
            rules.tick(after(at), false, |_, payload| {
                all.push(String::from_utf8_lossy(payload).into_owned())
            });
            all
        };
        assert_eq!((rules.deadline(), due(&mut rules, 100).len()), (None, 0));
        rules.begin(start);
        assert_eq!(rules.deadline(), Some(after(20)));
        assert_eq!(due(&mut rules, 19), [""; 0]);
        assert_eq!(due(&mut rules, 20), ["20ms"]);
        assert_eq!(due(&mut rules, 500), ["20ms", "50ms"]);
        assert_eq!(rules.deadline(), Some(after(520)));
        assert!(Timer::new("0", Opcode::Text, Vec::new()).is_err());
        assert!(Timer::new("soon", Opcode::Text, Vec::new()).is_err());
    }
}
