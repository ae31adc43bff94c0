//! Work that opens connections of its own, one after the other, and reads their bytes itself.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use crate::connection::{self, OpenOptions, Upgraded};
use crate::error::{Error, Result, Stage};
use crate::event::Event;
use crate::run::context::Context;
use crate::run::settings::Settings;
use crate::run::turn::{Loop, Source};
use crate::transport::{self, DialOptions, Dialed, Progress, Target};

/// The run as such work sees it. What waits here ends with an error after a signal, at `--max-time`,
/// and when the outputs are gone.
pub struct Work<'a> {
    pub(super) context: &'a mut Context,
}

impl Work<'_> {
    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.context.settings
    }

    /// Shows an event.
    pub fn tell(&mut self, event: Event<'_>) {
        self.context.outside.views.emit(event);
        self.context.outside.views.push();
    }

    /// Opens a connection up to the response.
    ///
    /// # Errors
    /// Those of [`connection::open_stream`].
    pub fn open(&mut self, options: &OpenOptions) -> Result<Upgraded> {
        let deadline = self.until(Instant::now() + options.connect_timeout);
        let mut progress = Watching(&mut self.context.outside);
        let cookies = &mut self.context.settings.cookies;
        connection::open_stream(options, cookies, &mut progress, deadline)
            .map_err(|error| error.worded(self.context.settings.words))
    }

    /// Connects, without a request.
    ///
    /// # Errors
    /// Those of [`transport::dial`].
    pub fn dial(&mut self, target: &Target, options: &DialOptions) -> Result<Dialed> {
        let limit = self.context.settings.open.connect_timeout;
        let deadline = self.until(Instant::now() + limit);
        transport::dial(target, options, Some(deadline), &mut Watching(&mut self.context.outside))
            .map_err(|error| error.worded(self.context.settings.words))
    }

    /// One turn of the loop; see [`Loop::turn`].
    ///
    /// # Errors
    /// Why the run must end.
    pub fn turn(&mut self, source: &mut dyn Source, until: Instant) -> Result<Instant> {
        let until = self.until(until);
        let now = self.context.outside.turn(&mut [source], Some(until));
        self.context.outside.views.push();
        if let Some(error) = signalled(&mut self.context.outside) {
            self.context.signalled = Some(error.exit);
            return Err(error);
        }
        if self.context.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(crate::run::verdict::out_of_time(&self.context.settings));
        }
        match self.context.broken(false) {
            Some(error) => Err(error),
            None => Ok(now),
        }
    }

    fn until(&self, until: Instant) -> Instant {
        self.context.deadline.map_or(until, |deadline| deadline.min(until))
    }
}

fn signalled(outside: &mut Loop) -> Option<Error> {
    let (exit, _) = outside.waking.take_signals()?;
    Some(Error::new(Stage::Session, exit, "interrupted"))
}

/// Shows nothing of an opening, but ends it after a signal.
struct Watching<'a>(&'a mut Loop);

impl Progress for Watching<'_> {
    fn event(&mut self, _event: Event<'_>) {}

    fn wants_details(&self) -> bool {
        true
    }

    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.waking.fd())
    }

    fn interrupted(&mut self) -> Option<Error> {
        self.0.waking.ready();
        signalled(self.0)
    }
}
