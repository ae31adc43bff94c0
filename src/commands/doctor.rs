//! `wstap doctor URL`: opens a connection, and where that fails, or to find how the server is set up,
//! makes experiments: the same request with one thing changed. Each is told with its outcome; at the
//! end come the causes that remain.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::cli::{DoctorArgs, Plan, plan};
use crate::commands::print::{print, summed_up};
use crate::connection::{Connection, OpenOptions, WireOptions};
use crate::diagnosis::{Finding, Sure};
use crate::error::{Error, Exit, Result};
use crate::event::{Clock, Event, Level, Stamped, Summary};
use crate::http::head::Header;
use crate::report::Reporter;
use crate::report::json::Json;
use crate::sys;
use crate::text::Untrusted;
use crate::text::units::Took;
use crate::transport::{Family, Progress, Target};

/// Time limit of an experiment.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Time limit for all experiments together.
const ALL: Duration = Duration::from_secs(8);

/// How long an open connection is watched.
const WATCH: Duration = Duration::from_millis(500);

/// How long `--idle` waits without a limit of its own.
const IDLE: Duration = Duration::from_secs(3700);

/// Paths that WebSocket endpoints often have; together with the rest at most ten requests.
const LIKELY: [&str; 8] = [
    "/ws",
    "/websocket",
    "/socket.io/?EIO=4&transport=websocket",
    "/graphql",
    "/cable",
    "/socket/websocket",
    "/ws/",
    "/",
];

/// Examines the server.
///
/// # Errors
/// Exit 2 or 13 for arguments that can't be used, or an output that can't be written.
pub fn run(args: DoctorArgs, notes: Vec<String>) -> Result<Exit> {
    let DoctorArgs { url, idle, json, reach } = args;
    let plan = plan(&url, reach, None).or_else(|e| summed_up(e, json))?.noting(notes);
    let mut doctor = Doctor { report: Report::new(json), plan, findings: Vec::new() };
    for note in doctor.plan.notes.clone() {
        doctor.report.say(&note)?;
    }
    doctor.examine(idle)
}

/// What came of an attempt.
struct Outcome {
    /// The status of the answer, if one came.
    status: Option<u16>,
    took: Duration,
    opened: Result<Connection>,
}

impl Outcome {
    fn is_open(&self) -> bool {
        self.opened.is_ok()
    }

    fn words(&self) -> String {
        match (&self.opened, self.status) {
            (Ok(connection), _) => match &connection.opened().opening.subprotocol {
                Some(name) => format!("opens, with the subprotocol {}", Untrusted::text(name)),
                None => "opens".to_owned(),
            },
            (Err(_), Some(status)) if status != 101 => format!("answers {status}"),
            (Err(error), _) => Untrusted::text(&error.what).to_string(),
        }
    }
}

/// Notes the status of answers.
#[derive(Default)]
struct Watcher(Option<u16>);

impl Progress for Watcher {
    fn event(&mut self, event: Event<'_>) {
        if let Event::ResponseReceived { response, followed: false, .. } = event {
            self.0 = Some(response.status());
        }
    }
}

fn attempt(options: &OpenOptions, wire: &WireOptions, patience: Duration) -> Outcome {
    let (mut watcher, begun) = (Watcher::default(), Instant::now());
    let opened = Connection::open(options, wire, &mut None, &mut watcher, begun + patience);
    Outcome { status: watcher.0, took: begun.elapsed(), opened }
}

/// Turns the connection until it ends or the time is over.
fn watch(connection: &mut Connection, time: Duration) -> bool {
    let end = Instant::now() + time;
    loop {
        while connection.next().is_some() {}
        connection.flush();
        if connection.ended().is_some() {
            return true;
        }
        let now = Instant::now();
        if now >= end {
            return false;
        }
        let until = connection.deadline().map_or(end, |deadline| deadline.min(end));
        let ready = {
            let mut fds = [PollFd::from_borrowed_fd(connection.fd(), connection.interest())];
            sys::wait(&mut fds, Some(until));
            fds.first().map_or(PollFlags::empty(), PollFd::revents)
        };
        connection.ready(ready, Instant::now());
    }
}

struct Doctor {
    report: Report,
    plan: Plan,
    findings: Vec<Finding>,
}

impl Doctor {
    fn examine(&mut self, idle: bool) -> Result<Exit> {
        let words = self.plan.settings.words;
        let options = self.plan.settings.open.clone();
        let wire = self.plan.settings.wire.clone();
        let url = options.secrets.url(&options.target.url()).into_owned();
        let base = attempt(&options, &wire, options.connect_timeout);
        let (opens, status) = (base.is_open(), base.status);
        self.report.outcome(&format!("{url} as typed"), &base)?;
        let error = match base.opened {
            Ok(mut connection) => {
                let ended = watch(&mut connection, WATCH) || connection.fault().is_some();
                self.findings = connection.findings();
                let error = if ended { self.end(&connection)? } else { None };
                if error.is_none() && idle && !ended {
                    self.idle(connection)?;
                } else if !ended {
                    connection.close_normally();
                    watch(&mut connection, WATCH);
                }
                error
            }
            Err(error) => {
                let error = error.worded(words);
                self.findings = error.diagnosis();
                Some(error)
            }
        };
        let unreached = [Exit::Resolve, Exit::Connect];
        let reached = error.as_ref().is_none_or(|error| !unreached.contains(&error.exit));
        self.experiments(&options, &wire, opens, status, reached)?;
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.sure));
        self.findings.truncate(2);
        self.report.end(&self.findings, error.as_ref())?;
        Ok(error.map_or(Exit::Done, |error| error.exit))
    }

    /// Reports an early end; what is wrong with it is the error.
    fn end(&mut self, connection: &Connection) -> Result<Option<Error>> {
        let (code, closure) = match (connection.fault(), connection.ended()) {
            (Some(_), _) => ("a broken rule".to_owned(), None),
            (None, None) => return Ok(None),
            (None, Some(closure)) => {
                (format!("{} ({})", closure.code(), closure.code().meaning()), Some(closure))
            }
        };
        self.report.say(&format!("then: ends with {code}"))?;
        let exit = match closure {
            None => Exit::Protocol,
            Some(closure) if closure.received.is_none() => Exit::Lost,
            Some(closure) if closure.is_normal() => return Ok(None),
            Some(_) => Exit::PeerError,
        };
        let what = format!("the connection ended right after opening, with {code}");
        let error = Error::new(crate::error::Stage::Session, exit, what);
        Ok(Some(error.found(connection.findings())))
    }

    /// Waits for the end of an idle connection.
    fn idle(&mut self, mut connection: Connection) -> Result<()> {
        let limit = self.plan.settings.max_time.unwrap_or(IDLE);
        self.report.say(&format!("idle: waiting without a message, {} at most", Took(limit)))?;
        let begun = Instant::now();
        if watch(&mut connection, limit) {
            let after = Took(begun.elapsed() + WATCH);
            self.report.say(&format!("idle: the connection was ended after {after}"))?;
            self.findings.extend(connection.findings());
        } else {
            self.report.say(&format!("idle: still open after {}", Took(limit)))?;
            connection.close_normally();
            watch(&mut connection, WATCH);
        }
        Ok(())
    }

    /// The same with one thing changed.
    fn experiments(
        &mut self,
        base: &OpenOptions,
        wire: &WireOptions,
        opens: bool,
        status: Option<u16>,
        reached: bool,
    ) -> Result<()> {
        let end = Instant::now() + ALL;
        let left = || end.saturating_duration_since(Instant::now()).min(PATIENCE);
        let target = &base.target;
        let host = target.host.to_string();
        let changed = |change: &dyn Fn(&mut OpenOptions)| {
            let mut options = base.clone();
            change(&mut options);
            options
        };
        let headers = |lines: &[(&str, &str)]| {
            base.asking(|request| {
                for (name, value) in lines {
                    request.headers.retain(|header| !header.is(name));
                    request.headers.push(Header::new(*name, *value));
                }
            })
        };
        let at = |url: &str| {
            let (target, _) = Target::parse(url).ok()?;
            Some(changed(&|options| {
                options.request_target = None;
                options.target = target.clone();
            }))
        };
        let scheme = |secure: bool| if secure { "wss" } else { "ws" };
        let authority = target.authority();
        let mut all: Vec<(String, OpenOptions, Option<String>)> = Vec::new();
        let origin = base.request.reveal().origin.is_some();
        let with = format!("{}://{host}", if target.secure { "https" } else { "http" });
        match origin {
            true => {
                let options = base.asking(|request| request.origin = None);
                let fix = "leave -o out: without an Origin it opens".to_owned();
                all.push(("without the Origin".into(), options, Some(fix)));
            }
            false => {
                let fix = format!("-o {with}: with that Origin it opens");
                let options = headers(&[("Origin", &with)]);
                all.push((format!("with Origin: {with}"), options, Some(fix)));
            }
        }
        let version = headers(&[("Sec-WebSocket-Version", "8")]);
        all.push(("with version 8".into(), version, None));
        let plain = headers(&[
            ("Upgrade", ""),
            ("Connection", ""),
            ("Sec-WebSocket-Key", ""),
            ("Sec-WebSocket-Version", ""),
            ("Sec-WebSocket-Extensions", ""),
        ]);
        all.push(("as a plain GET".into(), plain, None));
        let other = format!("{}://{authority}{}", scheme(!target.secure), target.path);
        if let Some(options) = at(&other) {
            let what = if target.secure { "without TLS" } else { "with TLS" };
            let fix = format!("connect to {}: {what} it opens", base.secrets.url(&other));
            all.push((what.into(), options, Some(fix)));
        }
        if target.secure {
            let options = changed(&|options| options.dial.tls.alpn = vec!["h2".to_owned()]);
            all.push(("with HTTP/2 (ALPN h2)".into(), options, None));
        }
        if matches!(target.host, url::Host::Domain(_)) && base.dial.family == Family::Any {
            for (family, name) in [(Family::V4, "-4"), (Family::V6, "-6")] {
                let options = changed(&|options| options.dial.family = family);
                all.push((
                    format!("only IPv{}", &name[1..]),
                    options,
                    Some(format!("{name}: that way it opens")),
                ));
            }
        }
        if base.proxies.choose(target).ok().flatten().is_some() {
            let options = changed(&|options| options.proxies.typed = Some(None));
            let fix = "--proxy '' : without the proxy it opens".to_owned();
            all.push(("without the proxy".into(), options, Some(fix)));
        }
        // Without a connection only another way there can help.
        let unreached =
            |name: &str| reached || name.starts_with("only IPv") || name == "without the proxy";
        for (name, options, fix) in all.into_iter().filter(|(name, ..)| unreached(name)) {
            let outcome = attempt(&options, wire, left());
            self.report.outcome(&name, &outcome)?;
            if let Some(fix) = fix.filter(|_| outcome.is_open() && !opens) {
                self.found(&name, fix);
            }
            if name == "as a plain GET" && status.is_some() && outcome.status == status && !opens {
                self.report
                    .say("  the same answer as to the upgrade: nothing there sees the upgrade")?;
            }
            if name.starts_with("with HTTP/2") && is_h2(&outcome) {
                self.report.say("  the server speaks HTTP/2: browsers may use RFC 8441 here")?;
            }
        }
        if opens || status.is_none_or(|status| status == 101) {
            return Ok(());
        }
        let polling =
            format!("{}://{authority}/socket.io/?EIO=4&transport=polling", scheme(target.secure));
        let mut paths: Vec<String> = vec![];
        paths.extend(
            LIKELY
                .iter()
                .filter(|path| **path != target.path)
                .map(|path| format!("{}://{authority}{path}", scheme(target.secure))),
        );
        paths.push(polling);
        for url in paths {
            let Some(options) = at(&url) else { continue };
            if left().is_zero() {
                break;
            }
            let outcome = attempt(&options, wire, left());
            let path = options.target.path.clone();
            self.report.outcome(&format!("path {path}"), &outcome)?;
            if outcome.is_open() {
                self.found(&format!("path {path}"), format!("connect to {url}: there it opens"));
                break;
            }
            if path.contains("polling") && outcome.status == Some(200) {
                self.report.say("  Socket.IO answers there")?;
            }
        }
        Ok(())
    }

    /// An experiment that opened where the connection as typed did not.
    fn found(&mut self, name: &str, fix: String) {
        self.findings.push(Finding {
            rule: "experiment",
            sure: Sure::Certain,
            cause: format!("it opens {name}"),
            evidence: "an experiment".to_owned(),
            next: vec![fix],
        });
    }
}

fn is_h2(outcome: &Outcome) -> bool {
    outcome.opened.as_ref().is_err_and(|error| error.what.contains("\"h2\" by ALPN"))
}

/// Writes what is found: lines for people, or events.
struct Report {
    json: Option<Json>,
    clock: Clock,
    seq: u64,
}

impl Report {
    fn new(json: bool) -> Report {
        Report { json: json.then(|| Json::new(0)), clock: Clock::start(), seq: 0 }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        let Some(json) = &mut self.json else { return Ok(()) };
        self.seq += 1;
        let event = Stamped { at: self.clock.now(), seq: self.seq, client: None, event };
        let mut line = Vec::new();
        // Writing into a Vec can't fail.
        let _ = json.event(&event, &mut line);
        print(&String::from_utf8_lossy(&line)).map(drop)
    }

    fn say(&mut self, text: &str) -> Result<()> {
        match self.json {
            Some(_) => self.event(&Event::Notice { level: Level::Info, text }),
            None => print(&format!("{}\n", Untrusted::text(text))).map(drop),
        }
    }

    fn outcome(&mut self, name: &str, outcome: &Outcome) -> Result<()> {
        self.say(&format!("{name}: {} ({})", outcome.words(), Took(outcome.took)))
    }

    fn end(&mut self, findings: &[Finding], error: Option<&Error>) -> Result<()> {
        if self.json.is_some() {
            let exit = error.map_or(0, |error| error.exit as u8);
            let error = error.map(|error| Error { findings: findings.to_vec(), ..error.clone() });
            let findings = if error.is_some() { Vec::new() } else { findings.to_vec() };
            let summary = Summary { exit, error, findings, ..Summary::default() };
            return self.event(&Event::Summary(&summary));
        }
        if findings.is_empty() {
            let text = if error.is_none() { "\nnothing is wrong here" } else { "" };
            return print(&format!("{text}\n")).map(drop);
        }
        let mut text = String::from("\nDiagnosis\n");
        for finding in findings {
            text.push_str(&format!("{}: {}\n", finding.sure.name(), finding.cause));
            if !finding.evidence.is_empty() {
                text.push_str(&format!("  because: {}\n", finding.evidence));
            }
            for step in &finding.next {
                text.push_str(&format!("  next: {step}\n"));
            }
        }
        for line in text.lines() {
            print(&format!("{}\n", Untrusted::text(line)))?;
        }
        Ok(())
    }
}
