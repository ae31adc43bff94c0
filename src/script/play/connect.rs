//! `connect`: opens a connection, or takes its failure where the next statement expects it.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use super::peer::Peer;
use super::pump::{note, tell};
use super::{Listener, Played, Player, Stop};
use crate::cli::script_plan;
use crate::connection::{Connection, Show};
use crate::error::{Error, Exit, Stage};
use crate::event::Event;
use crate::http::head::Response;
use crate::pattern::Template;
use crate::redact::Guarded;
use crate::report::results::LogEntry;
use crate::run::Loop;
use crate::script::statement::{ConnectOption, Expected, Kind, Statement};
use crate::transport::Progress;

impl Player<'_> {
    pub(super) fn connect(
        &mut self,
        statement: &Statement,
        url: &Template,
        options: &[ConnectOption],
        next: Option<&Statement>,
    ) -> Played {
        let url = self.values.fill(url, str::to_owned);
        let mut own = Vec::new();
        for ConnectOption { place, option, value } in options {
            let value = value.as_ref().map(|value| self.values.fill(value, str::to_owned));
            let folder = self.sources.folder_of(*place);
            let layer = option.with(value.as_deref(), folder);
            own.push(layer.map_err(|e| Stop::Failed(Box::new(self.failure(*place, e.what))))?);
        }
        let mut plan =
            script_plan(&url, &own, &self.options.all).map_err(|e| self.broken(statement, &e))?;
        plan.settings.wire.show =
            Show { whole: true, sent: true, frames: self.options.frames, frame_payloads: false };
        for peer in self.peers.iter_mut().filter(|peer| peer.name == statement.name) {
            peer.retired |= peer.name.is_some();
        }
        let mut cookies = plan.settings.cookies.take();
        let limit = Instant::now() + plan.settings.open.connect_timeout;
        let deadline = self.options.deadline.map_or(limit, |end| end.min(limit));
        let mut peer = Peer::new(statement.name.clone(), statement.place);
        let mut watcher = Watcher {
            outside: self.outside,
            listener: &mut self.listener,
            name: statement.name.as_deref(),
            answer: None,
            signalled: None,
        };
        let (open, wire) = (&plan.settings.open, &plan.settings.wire);
        let opened = Connection::open(open, wire, &mut cookies, &mut watcher, deadline);
        let Watcher { answer, signalled, .. } = watcher;
        peer.answer = answer;
        self.now = Instant::now();
        if let Some((exit, count)) = signalled {
            self.signals += count;
            return Err(Stop::Ended(exit));
        }
        let at = self.now - self.start;
        let failed = match opened {
            Ok(connection) => {
                note(&mut self.log, LogEntry::note(at, peer.label(), "open".to_owned()));
                peer.connection = Some(connection);
                None
            }
            Err(error) => {
                let error = error.worded(plan.settings.words);
                note(
                    &mut self.log,
                    LogEntry::note(at, peer.label(), format!("failed: {}", error.what)),
                );
                tell(&mut self.listener, statement.name.as_deref(), &Event::Error(&error));
                peer.failed = Some(error.clone());
                Some(error)
            }
        };
        self.peers.push(peer);
        if self.options.deadline.is_some_and(|end| self.now >= end) {
            return Err(Stop::Ended(Exit::Timeout));
        }
        match failed {
            Some(error) if !expects_failure(next, statement, &error) => {
                Err(self.broken(statement, &error))
            }
            _ => Ok(()),
        }
    }

    /// A connection that failed where it was not expected to.
    fn broken(&self, statement: &Statement, error: &Error) -> Stop {
        let stage = error.stage.name();
        let exit = error.exit as u8;
        let what = match error.stage {
            Stage::Usage => error.what.clone(),
            _ => format!("{stage}: {} (exit code {exit})", error.what),
        };
        let mut failure = self.failure(statement.mark, what);
        failure.details.extend(error.causes.iter().map(|cause| format!("because: {cause}")));
        failure.details.extend(error.hints.iter().map(|hint| format!("hint: {}", hint.text())));
        failure.exit = Some((error.stage, error.exit));
        Stop::Failed(Box::new(failure))
    }
}

/// Whether the statement behind a `connect` takes the place of its success.
fn expects_failure(next: Option<&Statement>, connect: &Statement, error: &Error) -> bool {
    let Some(Statement { name, kind: Kind::Expect(expect), .. }) = next else { return false };
    if *name != connect.name {
        return false;
    }
    match expect.what {
        Expected::Status(_) => error.exit == Exit::Refused,
        Expected::TlsFailure => error.exit == Exit::Tls,
        Expected::Violation(_) => error.exit == Exit::Handshake,
        _ => false,
    }
}

/// Follows an opening.
struct Watcher<'a, 'b> {
    outside: &'a mut Loop,
    listener: &'a mut Option<&'b mut dyn Listener>,
    name: Option<&'a str>,
    answer: Option<Guarded<Response>>,
    signalled: Option<(Exit, u32)>,
}

impl Progress for Watcher<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        tell(self.listener, self.name, &event);
        if let Event::ResponseReceived { response, .. } = event {
            self.answer = Some(response.clone());
        }
    }

    fn wants_details(&self) -> bool {
        self.listener.is_some()
    }

    fn wake_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.outside.waking.fd())
    }

    fn interrupted(&mut self) -> Option<Error> {
        self.outside.waking.ready();
        let signals = self.outside.waking.take_signals()?;
        self.signalled = Some(signals);
        Some(Error::new(Stage::Connect, signals.0, "interrupted before the connection was open"))
    }
}
