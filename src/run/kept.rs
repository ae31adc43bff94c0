//! The prompt's memory of received messages: `/last`, `/grep`, `/as-text`, `/as-hex`, `/filter`, `/pause`.

use std::collections::VecDeque;
use std::fmt;

use regex::bytes::Regex;

use crate::event::{Data, Event, Level, Moment, Recalled, RecalledAs};
use crate::protocol::frame::Opcode;
use crate::run::inflate::Inflater;
use crate::run::views::Views;
use crate::text::units::Count;

/// The most messages to keep.
const MAX_COUNT: usize = 1_000;

/// The most payload bytes to keep; a larger message is kept alone.
const MAX_BYTES: usize = 16 << 20;

/// The most messages that `/grep` shows.
const MAX_FOUND: usize = 100;

/// Looks at messages that have come, or chooses which are shown.
#[derive(Clone, Debug, PartialEq)]
pub enum LookBack {
    /// Show one message, counted back from the last, in hex.
    AsHex(usize),
    /// Show one message, counted back from the last, as text.
    AsText(usize),
    /// Show only messages that match, or all.
    Filter(Option<Pattern>),
    /// Show the kept messages that match.
    Grep(Pattern),
    /// Show the last messages in whole.
    Last(usize),
    /// Show no messages for a while, or show them again.
    Pause,
}

/// A regular expression that is compared by its text.
#[derive(Clone)]
pub struct Pattern(pub Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_str().fmt(f)
    }
}

/// The received messages that are kept, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Kept {
    messages: VecDeque<Message>,
    bytes: usize,
    filter: Option<Pattern>,
    paused: bool,
    /// Messages that were not shown, since the filter or the pause began.
    unshown: u64,
}

#[derive(Debug)]
struct Message {
    at: Moment,
    opcode: Opcode,
    payload: Box<[u8]>,
}

impl Kept {
    /// Keeps a received message, which came whole.
    pub(super) fn keep(&mut self, data: &Data<'_>, at: Moment) {
        self.bytes += data.bytes.len();
        self.messages.push_back(Message { at, opcode: data.opcode, payload: data.bytes.into() });
        while self.messages.len() > MAX_COUNT || self.bytes > MAX_BYTES && self.messages.len() > 1 {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= oldest.payload.len();
        }
    }

    /// Whether a received message is to be shown.
    pub(super) fn shows(&mut self, data: &Data<'_>) -> bool {
        let matches = self.filter.as_ref().is_none_or(|filter| filter.0.is_match(data.bytes));
        let is_shown = matches && !self.paused;
        self.unshown += u64::from(!is_shown);
        is_shown
    }

    /// Executes a command.
    pub(super) fn look(&mut self, look: LookBack, views: &mut Views) {
        match look {
            LookBack::AsHex(number) => self.recall_one(number, RecalledAs::Hex, views),
            LookBack::AsText(number) => self.recall_one(number, RecalledAs::Text, views),
            LookBack::Filter(filter) => {
                let text = match &filter {
                    Some(_) => "only messages that match are shown; all are kept for /last",
                    None => "all messages are shown",
                };
                self.filter = filter;
                self.say(text, views);
            }
            LookBack::Grep(pattern) => self.grep(&pattern, views),
            LookBack::Last(count) => {
                if count > 1 && self.messages.len() > 1 {
                    let newest = self.messages.iter().rev().enumerate().take(count);
                    let newest: Vec<_> = newest.map(|(at, message)| (at + 1, message)).collect();
                    newest.into_iter().rev().for_each(|(number, message)| {
                        message.recall(Some(number), RecalledAs::Whole, views);
                    });
                } else {
                    self.recall_one(1, RecalledAs::Whole, views);
                }
            }
            LookBack::Pause => {
                self.paused = !self.paused;
                let text = match self.paused {
                    true => "paused: messages are kept, not shown; /pause again goes on",
                    false => "messages are shown again",
                };
                self.say(text, views);
            }
        }
    }

    /// Confirms a change of what is shown, with the number of messages that were not.
    fn say(&mut self, text: &str, views: &mut Views) {
        let text = match std::mem::take(&mut self.unshown) {
            0 => text.to_owned(),
            count => {
                let messages = Count(count, "message");
                format!("{text}; {messages} came unshown: /last {count}")
            }
        };
        views.emit(Event::Answer { text: &text, bare: false });
    }

    fn recall_one(&self, number: usize, form: RecalledAs, views: &mut Views) {
        let found = number.checked_sub(1).and_then(|back| self.messages.iter().rev().nth(back));
        match found {
            Some(message) => message.recall(None, form, views),
            None => {
                let text = match self.messages.len() {
                    0 => "no message has come yet".to_owned(),
                    kept => format!("{} kept: count back from 1", Count(kept as u64, "message")),
                };
                views.emit(Event::Notice { level: Level::Warning, text: &text });
            }
        }
    }

    fn grep(&self, pattern: &Pattern, views: &mut Views) {
        let newest = self.messages.iter().rev().enumerate();
        let found: Vec<_> =
            newest.filter(|(_, message)| pattern.0.is_match(&message.payload)).collect();
        for (back, message) in found.iter().take(MAX_FOUND).rev() {
            message.recall(Some(back + 1), RecalledAs::Received, views);
        }
        let (found, kept) = (found.len(), Count(self.messages.len() as u64, "message"));
        let mut text = format!("{found} of {kept} matched");
        if found > MAX_FOUND {
            text += &format!("; the last {MAX_FOUND} are shown");
        }
        views.emit(Event::Answer { text: &text, bare: false });
    }
}

impl Message {
    fn recall(&self, number: Option<usize>, form: RecalledAs, views: &mut Views) {
        let mut inflater = Inflater::default();
        let inflated = match (form, self.opcode) {
            (RecalledAs::Text, Opcode::Binary) => inflater.inflate(&self.payload, MAX_BYTES),
            _ => None,
        };
        let recalled = Recalled {
            number,
            opcode: self.opcode,
            bytes: inflated.unwrap_or(&self.payload),
            form,
        };
        views.recall(self.at, &Event::Recalled(recalled));
    }
}
