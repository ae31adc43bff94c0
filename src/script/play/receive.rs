//! `<…`: waits for a message, and judges it.

use std::time::{Duration, Instant};

use super::peer::Mail;
use super::{Played, Player, Stop};
use crate::pattern::{Mismatch, Pattern};
use crate::report::results::{at, shown_message};
use crate::script::statement::{Below, Look, Receive, Statement, Wanted};
use crate::text::units::Count;

/// The most messages that a failure lists.
const MAX_LISTED: usize = 20;

/// What waiting for a message gave.
enum Came {
    Mail(Mail),
    Ended(String),
}

impl Player<'_> {
    pub(super) fn receive(&mut self, statement: &Statement, receive: &Receive) -> Played {
        let peer = self.peer(statement)?;
        let limit = receive.within.unwrap_or(self.within);
        let until = Instant::now() + limit;
        let mut left = if let Wanted::Any(count) = receive.pattern { count } else { 1 };
        let pattern =
            self.pattern(&receive.pattern).map_err(|what| self.failed(statement, what))?;
        self.peers[peer].passed.clear();
        self.peers[peer].passed_count = 0;
        let mail = loop {
            let came = self.wait(until, |player| {
                let peer = &mut player.peers[peer];
                match peer.take() {
                    Some(mail) => Some(Came::Mail(mail)),
                    None => peer
                        .connection
                        .is_none()
                        .then(|| Came::Ended(peer.ended_words().unwrap_or_default())),
                }
            })?;
            let mail = match came {
                Some(Came::Mail(mail)) => mail,
                Some(Came::Ended(how)) => {
                    self.peers[peer].end_seen = true;
                    let what = format!("no {}message will come: {how}", such(receive));
                    return Err(self.not_found(statement, peer, &pattern, what));
                }
                None => {
                    let what = match (left, &receive.pattern) {
                        (left, Wanted::Any(count)) if *count > 1 => {
                            format!(
                                "only {} of {count} messages within {}",
                                count - left,
                                time(limit)
                            )
                        }
                        _ => format!("no {}message within {}", such(receive), time(limit)),
                    };
                    return Err(self.not_found(statement, peer, &pattern, what));
                }
            };
            match pattern.judge(mail.message()) {
                Ok(groups) => {
                    self.values.variables.extend(groups);
                    left -= 1;
                    if left == 0 {
                        break mail;
                    }
                }
                Err(_) if receive.passes => self.peers[peer].pass(mail),
                Err(mismatch) => return Err(self.differs(statement, peer, &mail, mismatch)),
            }
        };
        self.look(&receive.below, &mail)
    }

    fn pattern(&mut self, wanted: &Wanted) -> Result<Pattern, String> {
        Ok(match wanted {
            Wanted::Any(_) => Pattern::Any,
            Wanted::Binary(payload) => Pattern::Binary(self.payload(payload)?.1),
            Wanted::Exact(text) => Pattern::Equal(self.values.fill(text, str::to_owned)),
            Wanted::Like(text) => Pattern::text(&self.values.fill(text, str::to_owned)),
            Wanted::Regex(text) => Pattern::regex(&self.values.fill(text, regex::escape))?,
        })
    }

    /// Captures and assertions.
    fn look(&mut self, below: &[Below], mail: &Mail) -> Played {
        if below.is_empty() {
            return Ok(());
        }
        let (message, source) = (mail.message(), mail.message().source());
        let root = message.root();
        for Below { place, look } in below {
            let judged = match look {
                Look::Capture { name, path } => path.capture(&root, &source).map(|value| {
                    self.values.variables.insert(name.clone(), value);
                }),
                Look::Assert { check, operand } => {
                    let quote = match check.operator.operand() {
                        crate::pattern::Operand::Regex => regex::escape as fn(&str) -> String,
                        _ => str::to_owned,
                    };
                    let operand = self.values.fill(operand, quote);
                    check
                        .operator
                        .accepts(&operand)
                        .and_then(|()| check.judge(&root, &source, &operand))
                }
            };
            if let Err(what) = judged {
                let mut failure = self.failure(*place, what);
                failure.details.push(format!(
                    "in ({}):  {}",
                    at(mail.at),
                    shown_message(mail.opcode, &mail.payload)
                ));
                return Err(Stop::Failed(Box::new(failure)));
            }
        }
        Ok(())
    }

    /// The next message is another one.
    fn differs(&self, statement: &Statement, peer: usize, mail: &Mail, mismatch: Mismatch) -> Stop {
        let what = format!("another message came: {}", mismatch.what);
        let mut failure = self.failure(statement.mark, what);
        message_with_difference("came", mail, &mismatch, &mut failure.details);
        let others: Vec<&Mail> = self.peers[peer].mailbox.iter().collect();
        failure.details.extend(listed("also came", &others, others.len()));
        Stop::Failed(Box::new(failure))
    }

    /// No message matches.
    fn not_found(
        &self,
        statement: &Statement,
        peer: usize,
        pattern: &Pattern,
        what: String,
    ) -> Stop {
        let peer = &self.peers[peer];
        let what = match peer.passed_count {
            0 => what,
            1 => format!("{what}; 1 other came"),
            others => format!("{what}; {others} others came"),
        };
        let mut failure = self.failure(statement.mark, what);
        let judged = peer
            .passed
            .iter()
            .filter_map(|mail| Some((mail, pattern.judge(mail.message()).err()?)));
        let nearest = judged
            .filter(|(_, mismatch)| mismatch.likeness > 0.0)
            .max_by(|(_, a), (_, b)| a.likeness.total_cmp(&b.likeness));
        if let Some((mail, mismatch)) = &nearest {
            message_with_difference("nearest", mail, mismatch, &mut failure.details);
        }
        let is_nearest =
            |mail: &&Mail| nearest.as_ref().is_some_and(|(near, _)| std::ptr::eq(*near, *mail));
        let others: Vec<&Mail> = peer.passed.iter().filter(|mail| !is_nearest(mail)).collect();
        let all = peer.passed_count - usize::from(nearest.is_some());
        let label = if nearest.is_some() { "also came" } else { "came" };
        failure.details.extend(listed(label, &others, all));
        Stop::Failed(Box::new(failure))
    }
}

fn such(receive: &Receive) -> &'static str {
    if receive.passes { "such " } else { "" }
}

/// A time as it is typed: `2 s`, `300 ms`.
pub(super) fn time(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        _ => format!("{} s", time.as_secs_f64()),
    }
}

/// A message, and below it how it differs.
fn message_with_difference(label: &str, mail: &Mail, mismatch: &Mismatch, lines: &mut Vec<String>) {
    let head = format!("{label} ({}):  ", at(mail.at));
    let text = shown_message(mail.opcode, &mail.payload);
    let is_short = text.chars().count() <= 100;
    match &mismatch.value {
        Some((column, wanted, came)) if is_short => {
            let margin = " ".repeat(head.chars().count() + column);
            lines.push(format!("{head}{text}"));
            lines.push(format!("{margin}- {wanted}"));
            lines.push(format!("{margin}+ {came}"));
        }
        _ => {
            lines.push(format!("{head}{text}"));
            lines.extend(mismatch.lines.iter().map(|line| format!("    {line}")));
        }
    }
}

/// Messages on one line.
fn listed(label: &str, mails: &[&Mail], all: usize) -> Option<String> {
    let shown = mails.iter().take(MAX_LISTED);
    let shown: Vec<String> = shown
        .map(|mail| format!("{} {}", at(mail.at), shown_message(mail.opcode, &mail.payload)))
        .collect();
    let more = match all - shown.len() {
        0 => String::new(),
        more => format!(" · and {}", Count(more as u64, "other")),
    };
    (!shown.is_empty()).then(|| format!("{label}:  {}{more}", shown.join(" · ")))
}
