//! What each mode does with a client's messages, and what it sends on its own.

use std::io::Write;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::macros::format_description;

use crate::commands::serve::options::{Mode, ServeOptions};
use crate::connection::{Outbox, Outgoing};
use crate::event::Data;
use crate::protocol::frame::Opcode;

/// The state of a mode for one client.
#[derive(Debug)]
pub(super) enum ModeState {
    /// Sends each message back.
    Echo,
    /// Sends each message to all clients.
    Chat,
    /// Sends the time.
    Time {
        /// Time between two messages.
        interval: Duration,
        /// When the next one is due.
        next: Instant,
    },
    /// Counts messages.
    Sink(Counts),
    /// Sends numbered messages.
    Source {
        /// How many were sent.
        made: u64,
        /// How many to send.
        count: u64,
        /// Bytes in each.
        size: usize,
        /// Binary instead of text.
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

impl ModeState {
    /// The state for a client whose connection has just opened.
    pub(super) fn new(options: &ServeOptions, now: Instant) -> ModeState {
        match options.mode {
            Mode::Echo => ModeState::Echo,
            Mode::Chat => ModeState::Chat,
            Mode::Time => {
                let interval = options.interval.max(Duration::from_micros(1));
                ModeState::Time { interval, next: now }
            }
            Mode::Sink => ModeState::Sink(Counts::default()),
            Mode::Source => ModeState::Source {
                made: 0,
                count: options.count,
                size: options.size,
                binary: options.binary,
            },
        }
    }

    /// Handles a message of the client, or a piece of one, and answers it; `others` receives
    /// messages for all other clients.
    pub(super) fn receive(
        &mut self,
        data: &Data<'_>,
        outbox: &mut Outbox,
        truncate: Option<usize>,
        others: &mut dyn FnMut(Outgoing<'_>),
    ) {
        let message = outgoing(data.opcode, data.bytes, truncate);
        match self {
            ModeState::Echo => {
                outbox.send(message);
            }
            ModeState::Chat => {
                others(message);
                outbox.send(message);
            }
            ModeState::Sink(_) if data.opcode == Opcode::Text && is_end(data) => {
                let counts = self.sink_counts().unwrap_or_default();
                outbox.send(outgoing(Opcode::Text, counts.as_bytes(), truncate));
            }
            ModeState::Sink(counts) => counts.add(data),
            ModeState::Time { .. } | ModeState::Source { .. } => {}
        }
    }

    /// The next unsolicited message, if one is due; its payload is put into `text`.
    pub(super) fn next(&mut self, now: Instant, text: &mut Vec<u8>) -> Option<Opcode> {
        text.clear();
        match self {
            ModeState::Time { interval, next } if *next <= now => {
                *next += *interval;
                if now.saturating_duration_since(*next) > Duration::from_secs(1) {
                    // The client didn't read: missed ticks are skipped.
                    *next = now + *interval;
                }
                text.extend_from_slice(wall_clock().as_bytes());
                Some(Opcode::Text)
            }
            ModeState::Source { made, count, size, binary } if *made < *count => {
                *made += 1;
                number(*made, *size, text);
                Some(if *binary { Opcode::Binary } else { Opcode::Text })
            }
            _ => None,
        }
    }

    /// Whether [`ModeState::next`] has a message as soon as there is room.
    pub(super) fn has_more(&self) -> bool {
        matches!(self, ModeState::Source { made, count, .. } if made < count)
    }

    /// When [`ModeState::next`] will have a message.
    pub(super) fn timer(&self) -> Option<Instant> {
        match self {
            ModeState::Time { next, .. } => Some(*next),
            _ => None,
        }
    }

    /// Whether everything was sent and the connection can be closed.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, ModeState::Source { made, count, .. } if made >= count)
    }

    /// The counts of a sink as JSON.
    pub(super) fn sink_counts(&self) -> Option<String> {
        match self {
            ModeState::Sink(counts) => Some(counts.json()),
            _ => None,
        }
    }
}

impl Counts {
    fn add(&mut self, data: &Data<'_>) {
        self.bytes += data.bytes.len() as u64;
        match data.opcode {
            _ if !data.last => {}
            Opcode::Text => self.text += 1,
            _ => self.binary += 1,
        }
    }

    fn json(self) -> String {
        let Counts { text, binary, bytes } = self;
        let messages = text + binary;
        format!(r#"{{"messages":{messages},"text":{text},"binary":{binary},"bytes":{bytes}}}"#)
    }
}

/// Whether the client asks for the counts.
fn is_end(data: &Data<'_>) -> bool {
    data.first && data.last && data.bytes == b"END"
}

/// A message, cut to `truncate` bytes; text is cut between characters.
pub(super) fn outgoing(opcode: Opcode, bytes: &[u8], truncate: Option<usize>) -> Outgoing<'_> {
    let payload = match truncate {
        Some(limit) if limit < bytes.len() => {
            let begins = |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
            let whole = |at: &usize| opcode != Opcode::Text || begins(at);
            let end = (0..=limit).rev().find(whole).unwrap_or(0);
            bytes.get(..end).unwrap_or_default()
        }
        _ => bytes,
    };
    Outgoing { opcode, payload, fragment: None }
}

/// RFC 3339, in UTC, always of the same length.
fn wall_clock() -> String {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    // It can't fail: all parts are there.
    OffsetDateTime::now_utc().format(form).unwrap_or_default()
}

/// Appends a text of `size` bytes that begins with `number`, as far as that fits.
fn number(number: u64, size: usize, text: &mut Vec<u8>) {
    // Writing to memory can't fail.
    let _ = write!(text, "{number} ");
    let letters = (b'a'..=b'z').cycle();
    text.extend(letters.take(size.saturating_sub(text.len())));
    text.truncate(size);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_texts_have_their_size() {
        for (count, size, expected) in [(7, 0, ""), (123, 2, "12"), (7, 6, "7 abcd")] {
            let mut text = Vec::new();
            number(count, size, &mut text);
            assert_eq!(text, expected.as_bytes());
        }
        let mut text = Vec::new();
        number(1, 1000, &mut text);
        assert_eq!(text.len(), 1000);
    }

    #[test]
    fn a_cut_keeps_characters_whole() {
        let cut = |opcode, bytes, limit| outgoing(opcode, bytes, Some(limit)).payload;
        for (limit, text) in [(0, ""), (1, "a"), (2, "a"), (3, "aé"), (4, "aéz"), (9, "aéz")] {
            assert_eq!(cut(Opcode::Text, "aéz".as_bytes(), limit), text.as_bytes(), "{limit}");
        }
        assert_eq!(cut(Opcode::Binary, "é".as_bytes(), 1), [0xc3]);
    }

    #[test]
    fn ticks_are_on_time_and_missed_ones_are_skipped() {
        let start = Instant::now();
        let interval = Duration::from_millis(10);
        let options = ServeOptions { mode: Mode::Time, interval, ..ServeOptions::default() };
        let mut mode = ModeState::new(&options, start);
        let mut text = Vec::new();
        assert!(mode.next(start, &mut text).is_some());
        assert_eq!(mode.next(start, &mut text), None);
        assert!(mode.next(start + 3 * interval, &mut text).is_some());
        assert!(mode.next(start + 3 * interval, &mut text).is_some());
        let late = start + Duration::from_secs(60);
        assert!(mode.next(late, &mut text).is_some());
        assert_eq!(mode.next(late, &mut text), None);
        assert_eq!(mode.timer(), Some(late + interval));
    }

    #[test]
    fn the_clock_is_rfc_3339() {
        let text = wall_clock();
        assert_eq!(text.len(), "2025-01-01T00:00:00.000000Z".len(), "{text}");
        assert!(text.starts_with("20") && text.ends_with('Z'), "{text}");
    }
}
