//! Turns events into bytes: one file for each view.

pub mod check;
pub mod clients;
pub mod human;
pub mod inspect;
pub mod json;
mod json_writer;
mod lines;
pub mod payload;
pub mod phases;
pub mod ping;
mod pretty;
pub mod record;
mod refusal;
pub mod results;
pub mod style;
mod tentative;
#[cfg(test)]
mod testing;

use std::io::{self, Write};

use crate::event::{Data, Direction, Event, Setting, Stamped};

/// A view of what happens: for people, for machines, or the payloads alone.
///
/// A reporter only makes bytes; `out` belongs to the session, never blocks and bounds its memory
/// by stopping the input of the session.
pub trait Reporter {
    /// Shows an event, or ignores it.
    ///
    /// # Errors
    /// Those of `out`.
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// The events that the view needs; asked before each connection.
    fn needs(&self) -> Needs;

    /// The view's settings with their present values.
    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    /// Changes the view's settings from now on; a view ignores settings it doesn't have.
    fn set(&mut self, _setting: Setting) {}
}

/// The events that a view needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// [`crate::event::Event::Data`] events of what was received.
    pub received: bool,
    /// [`crate::event::Event::Data`] events of what was sent.
    pub sent: bool,
    /// Messages in one piece: the session then holds them, up to `--max-message`.
    pub whole_messages: bool,
    /// [`crate::event::Event::Frame`] events.
    pub frames: bool,
    /// [`crate::event::Event::FramePayload`] events.
    pub frame_payloads: bool,
    /// Whether it shows control frames.
    pub control_frames: bool,
    /// Details that cost work, such as a certificate's names.
    pub details: bool,
}

impl Needs {
    /// Whether such an event is needed; those without a field of their own are.
    #[inline]
    pub fn need(&self, kind: &Event<'_>) -> bool {
        match kind {
            Event::Data(Data { direction: Direction::In, .. }) => self.received,
            Event::Data(Data { direction: Direction::Out, .. }) => self.sent,
            Event::Frame(_) => self.frames,
            Event::FramePayload(_) => self.frame_payloads,
            _ => true,
        }
    }

    /// The union of both.
    #[must_use]
    pub fn and(self, other: Needs) -> Needs {
        Needs {
            received: self.received || other.received,
            sent: self.sent || other.sent,
            whole_messages: self.whole_messages || other.whole_messages,
            frames: self.frames || other.frames,
            frame_payloads: self.frame_payloads || other.frame_payloads,
            control_frames: self.control_frames || other.control_frames,
            details: self.details || other.details,
        }
    }
}
