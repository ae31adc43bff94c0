//! `/wait`: the commands behind it wait for a message.

use std::time::{Duration, Instant};

use crate::event::{Event, Level};
use crate::run::kept::Pattern;
use crate::run::views::Views;
use crate::text::units::Took;

/// What to wait for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// The message matches this.
    pub pattern: Pattern,
    /// How long to wait at most.
    pub within: Option<Duration>,
}

/// A wait that goes on.
#[derive(Debug)]
pub(super) struct Waiting {
    wait: Wait,
    began: Instant,
}

impl Waiting {
    /// Begins to wait. Ctrl-C ends it.
    pub(super) fn begin(wait: Wait, now: Instant, views: &mut Views) -> Waiting {
        let text = "waiting for a message that matches; Ctrl-C ends the wait";
        views.tell(&Event::Answer { text, bare: false });
        views.set_waiting(true);
        Waiting { wait, began: now }
    }

    /// Whether the message ends the wait.
    pub(super) fn is_over(&self, message: &[u8], now: Instant, views: &mut Views) -> bool {
        let is_over = self.wait.pattern.0.is_match(message);
        if is_over {
            let took = Took(now.saturating_duration_since(self.began));
            let text = format!("a message matched after {took}");
            views.tell(&Event::Answer { text: &text, bare: false });
            views.set_waiting(false);
        }
        is_over
    }

    /// When it is too late.
    pub(super) fn until(&self) -> Option<Instant> {
        self.began.checked_add(self.wait.within?)
    }

    /// Ends the wait without a match.
    pub(super) fn end(self, why: &str, views: &mut Views) {
        views.set_waiting(false);
        let text = format!("no message matched {why}");
        views.emit(Event::Notice { level: Level::Warning, text: &text });
    }

    /// Why it ends, if its time is over.
    pub(super) fn too_late(&self, now: Instant) -> Option<String> {
        let is_late = self.until().is_some_and(|until| now >= until);
        is_late.then(|| format!("within {}", Took(self.wait.within.unwrap_or_default())))
    }
}
