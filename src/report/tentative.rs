//! Holds back what is shown of an attempt that may be repeated without a word.

use std::io::{self, Write};

use crate::event::Event;

/// The lines of a tentative attempt, until it is known whether anybody needs them.
#[derive(Debug, Default)]
pub(super) struct Tentative {
    held: Option<Vec<u8>>,
}

impl Tentative {
    /// The buffer for the event's lines; `None` if they go to `out`. Give it back with
    /// [`Tentative::keep`].
    ///
    /// # Errors
    /// Those of `out`, which gets what was held, once the attempt has a result.
    pub(super) fn buffer(
        &mut self,
        event: &Event<'_>,
        out: &mut dyn Write,
    ) -> io::Result<Option<Vec<u8>>> {
        match event {
            Event::Attempt { tentative, .. } => self.held = tentative.then(Vec::new),
            Event::Postponed => self.held = None,
            Event::Opened { .. }
            | Event::Reconnecting { .. }
            | Event::Error(_)
            | Event::Summary(_) => {
                if let Some(held) = self.held.take() {
                    out.write_all(&held)?;
                }
            }
            _ => {}
        }
        Ok(self.held.take())
    }

    /// Holds what was added.
    pub(super) fn keep(&mut self, held: Option<Vec<u8>>) {
        self.held = held;
    }
}
