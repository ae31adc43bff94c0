//! All views of a session: shows them the events and writes their output.

use std::io::ErrorKind;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::connection::Show;
use crate::diagnosis::Finding;
use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Clock, Event, Moment, Setting, Stamped, Summary, Timings};
use crate::report::Needs;
use crate::report::json::Json;
use crate::report::record::Recorder;
use crate::run::output::{Channel, FdSink, Output, Sink};
use crate::text::system::reason;

/// The views, and the data for the summary.
pub struct Views {
    outputs: Vec<Output>,
    /// What all views together need.
    needs: Needs,
    clock: Clock,
    at: Moment,
    seq: u64,
    /// As of the last event or push.
    is_congested: bool,
    client: Option<u64>,
    /// Payloads that the application has compressed are inflated.
    inflates: bool,
    /// Typed texts are templates.
    has_templates: bool,
    /// The event is not for the screens.
    screens_off: bool,
    summary: Summary,
}

impl Views {
    /// Views of a session that starts now.
    pub fn new(outputs: Vec<Output>) -> Views {
        let clock = Clock::start();
        let at = clock.now();
        let needs = all(&outputs);
        Views {
            outputs,
            needs,
            clock,
            at,
            seq: 0,
            is_congested: false,
            client: None,
            inflates: false,
            has_templates: false,
            screens_off: false,
            summary: Summary::default(),
        }
    }

    /// What all views together need.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Which events a connection must report for that.
    pub fn show(&self) -> Show {
        Show {
            whole: self.needs.whole_messages,
            sent: self.needs.sent,
            frames: self.needs.frames,
            frame_payloads: self.needs.frame_payloads,
        }
    }

    /// Sets the time of the following events, which saves a clock reading for each.
    pub fn set_time(&mut self, now: Instant) {
        self.at = self.clock.at(now);
    }

    /// Sets the client of the following events, if we are a server.
    pub fn set_client(&mut self, client: Option<u64>) {
        self.client = client;
    }

    /// Whether payloads that the application has compressed are inflated.
    #[inline]
    pub fn inflates(&self) -> bool {
        self.inflates
    }

    /// Whether typed texts are templates.
    pub fn has_templates(&self) -> bool {
        self.has_templates
    }

    /// The time of the following events.
    pub fn time(&self) -> Moment {
        self.at
    }

    /// Shows an event of an earlier time again.
    pub fn recall(&mut self, at: Moment, event: &Event<'_>) {
        let now = std::mem::replace(&mut self.at, at);
        self.tell(event);
        self.at = now;
    }

    /// Shows a message to all views but the screens.
    pub fn tell_unshown(&mut self, event: &Event<'_>) {
        self.screens_off = true;
        self.tell(event);
        self.screens_off = false;
    }

    /// Shows an event that happens now.
    pub fn emit(&mut self, event: Event<'_>) {
        self.set_time(Instant::now());
        self.tell(&event);
    }

    /// Shows an event at the time that was set.
    #[inline(always)]
    pub fn tell(&mut self, event: &Event<'_>) {
        if self.needs.need(event) {
            self.tell_all(event);
        }
    }

    fn tell_all(&mut self, event: &Event<'_>) {
        self.seq += match event {
            Event::Data(_) | Event::Frame(_) => 1,
            Event::FramePayload(_) => 0,
            rare => self.note(rare),
        };
        let event = Stamped { at: self.at, seq: self.seq, client: self.client, event };
        let screens_off = self.screens_off;
        for output in &mut self.outputs {
            if screens_off && output.is_screen() {
                continue;
            }
            self.is_congested |= output.event(&event);
        }
    }

    /// Takes what the summary needs; 1 if the event counts, because views for machines have a line for
    /// it.
    #[cold]
    fn note(&mut self, event: &Event<'_>) -> u64 {
        match event {
            Event::Limit(_) | Event::Postponed | Event::Recalled(_) | Event::Sent(_) => return 0,
            Event::Opened { opening } => {
                self.summary.opening = Some((*opening).clone());
                self.summary.closure = None;
            }
            Event::Closed { closure, totals, .. } => {
                self.summary.closure = Some((*closure).clone());
                self.summary.totals.add(totals);
            }
            _ => {}
        }
        self.summary.timings.note(event);
        u64::from(!matches!(event, Event::Attempt { .. }))
    }

    /// How things are shown.
    pub fn settings(&self) -> Vec<Setting> {
        let views = self.outputs.iter().flat_map(Output::settings);
        let own = [Setting::Inflate(self.inflates), Setting::Templates(self.has_templates)];
        views.chain(own).collect()
    }

    /// Changes how things are shown.
    pub fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Inflate(on) => self.inflates = on,
            Setting::Templates(on) => self.has_templates = on,
            _ => {}
        }
        for output in &mut self.outputs {
            output.set(setting);
        }
        self.needs = all(&self.outputs);
    }

    /// Sets whether the session is reconnecting.
    pub fn set_waiting(&mut self, waiting: bool) {
        for output in &mut self.outputs {
            output.set_waiting(waiting);
        }
    }

    /// Notes what was found on a connection that did not fail, for the summary.
    pub fn find(&mut self, findings: Vec<Finding>) {
        self.summary.findings = findings;
    }

    /// The summary of the run.
    pub fn summary(&self, exit: Exit, error: Option<&Error>) -> Summary {
        Summary { exit: exit as u8, error: error.cloned(), ..self.summary.clone() }
    }

    /// Whether a connection has been open in this run.
    pub fn has_opened(&self) -> bool {
        self.summary.opening.is_some()
    }

    /// How long the phases of the opening took.
    pub fn timings(&self) -> &Timings {
        &self.summary.timings
    }

    /// Whether so many bytes wait that nothing more should be read.
    #[inline]
    pub fn are_congested(&self) -> bool {
        self.is_congested
    }

    /// Whether no bytes wait.
    pub fn are_drained(&self) -> bool {
        self.outputs.iter().all(Output::is_drained)
    }

    /// Writes as much as possible without blocking.
    pub fn push(&mut self) {
        for output in &mut self.outputs {
            output.push();
        }
        self.is_congested = self.outputs.iter().any(Output::is_congested);
    }

    /// Waits until the screens have shown everything.
    pub fn drain_screens(&self, patience: Duration) {
        for output in &self.outputs {
            output.drain_screen(patience);
        }
    }

    /// The number of views.
    pub fn count(&self) -> usize {
        self.outputs.len()
    }

    /// The descriptors to poll for writing.
    pub fn waiting(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.outputs.iter().filter_map(Output::waits_for)
    }

    /// Whether one of them is on standard error.
    pub fn are_on_stderr(&self) -> bool {
        self.outputs.iter().any(Output::is_on_stderr)
    }

    /// Why an output has failed, if that ends the session: exit 0 if the reader of standard output
    /// has gone away, 13 otherwise.
    pub fn broken(&self) -> Option<Error> {
        self.outputs.iter().find_map(broken)
    }

    /// Removes a log or a recording that has failed, and returns why it has.
    pub fn drop_broken_log(&mut self) -> Option<Error> {
        let at = self.outputs.iter().position(|output| {
            (output.is_log() || output.is_recording()) && output.failure().is_some()
        })?;
        let error = broken(&self.outputs.remove(at));
        self.needs = all(&self.outputs);
        error
    }

    /// Writes the events from now on to this file instead of another; `verbosity` as for
    /// [`Json::new`]. The owner of an open connection passes [`Views::show`] on to it.
    ///
    /// # Errors
    /// Exit 13: the file can't be opened. Then nothing has changed.
    pub fn start_log(&mut self, path: &Path, verbosity: u8) -> Result<()> {
        let sink = Sink::Fd(FdSink::log(path)?);
        self.end_log();
        self.outputs.push(Output::new(Box::new(Json::new(verbosity)), sink));
        self.needs = all(&self.outputs);
        Ok(())
    }

    /// Ends the log, as far as it is written; false if there is none.
    pub fn end_log(&mut self) -> bool {
        let before = self.outputs.len();
        self.push();
        self.outputs.retain(|output| !output.is_log());
        self.needs = all(&self.outputs);
        self.outputs.len() < before
    }

    /// Writes a script of the session from now on to this file instead of another; `before` are
    /// events of the opening that it has to know. The owner of an open connection passes
    /// [`Views::show`] on to it.
    ///
    /// # Errors
    /// Exit 13: the file can't be opened. Then nothing has changed.
    pub fn start_recording(
        &mut self,
        path: &Path,
        recorder: Recorder,
        before: &[Event<'_>],
    ) -> Result<()> {
        let sink = Sink::Fd(FdSink::recording(path)?);
        self.end_recording();
        let mut output = Output::new(Box::new(recorder), sink);
        for event in before {
            output.event(&Stamped { at: self.at, seq: 0, client: None, event });
        }
        self.outputs.push(output);
        self.needs = all(&self.outputs);
        Ok(())
    }

    /// Ends the recording, as far as it is written; false if there is none.
    pub fn end_recording(&mut self) -> bool {
        let before = self.outputs.len();
        self.push();
        self.outputs.retain(|output| !output.is_recording());
        self.needs = all(&self.outputs);
        self.outputs.len() < before
    }

    /// When a log that takes nothing has failed.
    pub fn deadline(&self) -> Option<Instant> {
        self.outputs.iter().filter_map(Output::deadline).min()
    }
}

fn broken(output: &Output) -> Option<Error> {
    let (channel, e) = output.failure()?;
    let name = match (channel, e.kind()) {
        (Channel::Stderr, ErrorKind::BrokenPipe) => return None,
        (Channel::Stdout, ErrorKind::BrokenPipe) => {
            return Some(Error::new(Stage::Output, Exit::Done, "standard output was closed"));
        }
        (Channel::Log(name), _) => format!("the log {name}"),
        (Channel::Report(name), _) => format!("the report {name}"),
        (Channel::Recording(name), _) => format!("the recording {name}"),
        (Channel::Stderr, _) => "standard error".to_owned(),
        (Channel::Stdout, _) => "standard output".to_owned(),
    };
    let what = format!("can't write to {name}: {}", reason(e));
    Some(Error::new(Stage::Output, Exit::Local, what))
}

fn all(outputs: &[Output]) -> Needs {
    outputs.iter().fold(Needs::default(), |all, output| all.and(output.needs()))
}
