//! What each mode does with a client's messages, and what it sends on its own.

use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::macros::format_description;
use tungstenite::Message;

use crate::commands::serve::{Mode, ServeOptions};

/// A mode at work for one client.
#[derive(Debug)]
pub(super) enum Activity {
    /// Sends back.
    Echo,
    /// Sends to all.
    Chat,
    /// Tells the time.
    Time {
        /// Between two messages.
        interval: Duration,
        /// When the next one is due.
        next: Instant,
    },
    /// Counts.
    Sink(Counts),
    /// Sends numbered messages.
    Source {
        /// How many were made.
        made: u64,
        /// How many to make.
        count: u64,
        /// Bytes in each.
        size: usize,
        /// Their type.
        binary: bool,
    },
}

/// What a sink has received.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    text: u64,
    binary: u64,
    bytes: u64,
}

impl Activity {
    /// The options' mode for a client that has just been let in.
    pub(super) fn new(options: &ServeOptions, now: Instant) -> Activity {
        match options.mode {
            Mode::Echo => Activity::Echo,
            Mode::Chat => Activity::Chat,
            Mode::Time => {
                let interval = options.interval.max(Duration::from_micros(1));
                Activity::Time { interval, next: now }
            }
            Mode::Sink => Activity::Sink(Counts::default()),
            Mode::Source => Activity::Source {
                made: 0,
                count: options.count,
                size: options.size,
                binary: options.binary,
            },
        }
    }

    /// Takes a message from the client and gives the reply; what all clients shall have goes to
    /// `broadcast`.
    pub(super) fn receive(
        &mut self,
        message: Message,
        broadcast: &mut Vec<Message>,
    ) -> Option<Message> {
        if !message.is_text() && !message.is_binary() {
            return None;
        }
        match self {
            Activity::Echo => Some(message),
            Activity::Chat => {
                broadcast.push(message);
                None
            }
            Activity::Sink(counts) => match &message {
                Message::Text(text) if text.as_str() == "END" => Some(Message::text(counts.json())),
                message => {
                    counts.add(message);
                    None
                }
            },
            Activity::Time { .. } | Activity::Source { .. } => None,
        }
    }

    /// The next message to send without being asked, if one is due.
    pub(super) fn next(&mut self, now: Instant) -> Option<Message> {
        match self {
            Activity::Time { interval, next } if *next <= now => {
                *next += *interval;
                if now.saturating_duration_since(*next) > Duration::from_secs(1) {
                    // The client didn't read; ticks that nobody could hear are not made up for.
                    *next = now + *interval;
                }
                Some(Message::text(wall_clock()))
            }
            Activity::Source { made, count, size, binary } if *made < *count => {
                *made += 1;
                let text = numbered(*made, *size);
                Some(if *binary { Message::binary(text.into_bytes()) } else { Message::text(text) })
            }
            _ => None,
        }
    }

    /// Whether [`Activity::next`] has something as soon as there is room for it.
    pub(super) fn has_more(&self) -> bool {
        matches!(self, Activity::Source { made, count, .. } if made < count)
    }

    /// When [`Activity::next`] will have something.
    pub(super) fn timer(&self) -> Option<Instant> {
        match self {
            Activity::Time { next, .. } => Some(*next),
            _ => None,
        }
    }

    /// Whether everything was sent and the connection shall be closed.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Activity::Source { made, count, .. } if made >= count)
    }

    /// What a sink tells at the end.
    pub(super) fn counts(&self) -> Option<String> {
        match self {
            Activity::Sink(counts) => Some(counts.json()),
            _ => None,
        }
    }
}

impl Counts {
    fn add(&mut self, message: &Message) {
        match message {
            Message::Text(_) => self.text += 1,
            _ => self.binary += 1,
        }
        self.bytes += message.len() as u64;
    }

    fn json(self) -> String {
        let Counts { text, binary, bytes } = self;
        let messages = text + binary;
        format!(r#"{{"messages":{messages},"text":{text},"binary":{binary},"bytes":{bytes}}}"#)
    }
}

/// RFC 3339, in UTC, always of the same length.
fn wall_clock() -> String {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    // It can't fail: all parts are there.
    OffsetDateTime::now_utc().format(form).unwrap_or_default()
}

/// Text of `size` bytes that begins with its number, as far as that fits.
fn numbered(number: u64, size: usize) -> String {
    let mut text = format!("{number} ");
    let letters = ('a'..='z').cycle();
    text.extend(letters.take(size.saturating_sub(text.len())));
    text.truncate(size);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_texts_have_their_size() {
        assert_eq!(numbered(7, 0), "");
        assert_eq!(numbered(123, 2), "12");
        assert_eq!(numbered(7, 6), "7 abcd");
        assert_eq!(numbered(1, 1000).len(), 1000);
    }

    #[test]
    fn ticks_come_at_their_time_and_are_not_made_up_for() {
        let start = Instant::now();
        let interval = Duration::from_millis(10);
        let options = ServeOptions { mode: Mode::Time, interval, ..ServeOptions::default() };
        let mut activity = Activity::new(&options, start);
        assert!(activity.next(start).is_some());
        assert_eq!(activity.next(start), None);
        assert!(activity.next(start + 3 * interval).is_some());
        assert!(activity.next(start + 3 * interval).is_some());
        let late = start + Duration::from_secs(60);
        assert!(activity.next(late).is_some());
        assert_eq!(activity.next(late), None);
        assert_eq!(activity.timer(), Some(late + interval));
    }

    #[test]
    fn the_clock_is_rfc_3339() {
        let text = wall_clock();
        assert_eq!(text.len(), "2025-01-01T00:00:00.000000Z".len(), "{text}");
        assert!(text.starts_with("20") && text.ends_with('Z'), "{text}");
    }
}
