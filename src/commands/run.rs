//! `wstap run FILE…`: reads scripts, plays them, and writes reports.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::cli::{LayerOption, Plan, RunArgs, plan, script_plan};
use crate::commands::connect::signals;
use crate::commands::print::print;
use crate::connection::Connection;
use crate::error::{Error, Exit, Result, Stage};
use crate::report::results::{Html, JsonResults, Junit, People, PeopleOptions, Report, Tap};
use crate::run::output::FdSink;
use crate::run::reconnect::WaitUp;
use crate::run::{Loop, Views};
use crate::script::{
    self, Givens, PlayOptions, Reports, RunOptions, Script, Selection, Suite, typed_variable,
    variables_file,
};
use crate::sys::{self, Blocking, Role};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::text::typed::pattern;
use crate::transport::Quiet;

/// Plays scripts; `notes` are shown before.
///
/// # Errors
/// Exit 2: options or scripts are wrong; 11: the server isn't up in time; 13: a report can't be written.
pub fn run(args: RunArgs, notes: Vec<String>) -> Result<Exit> {
    let RunArgs {
        files,
        url,
        var,
        vars,
        within,
        jobs,
        only,
        tag,
        skip_tag,
        fail_fast,
        retry,
        shuffle,
        list,
        check,
        tap,
        json,
        junit,
        report,
        // Judged with all others, for each connection.
        liveness: _,
        reach,
        connection,
    } = args;
    let stand_in = "ws://localhost";
    let Plan { settings, human, color_stdout, log, .. } =
        plan(stand_in, reach, None)?.noting(notes);
    script_plan(stand_in, &[], &connection)?;
    let givens = givens(&var, &vars, url.as_deref(), list || check)?;
    let scripts = read(&files, &givens)?;
    let selection = Selection {
        only: only.as_deref().map(name_pattern).transpose()?,
        tags: tag,
        skip_tags: skip_tag,
    };
    let up = settings.wait_up.map(|patience| (patience, first_url(&scripts, &givens)));
    let mut suite = Suite::new(scripts, &selection);
    if suite.is_empty() {
        return Err(
            Error::usage("no test is selected").hint("wstap run --list FILE… shows their names")
        );
    }
    if list {
        return print(&suite.list());
    }
    if check {
        return Ok(Exit::Done);
    }
    let deadline = settings.max_time.and_then(|limit| Instant::now().checked_add(limit));
    if let Some((patience, url)) = up {
        wait_up(WaitUp::new(patience), url, &connection, deadline)?;
    }
    let seed = shuffle.map(|seed| seed.unwrap_or_else(fresh_seed));
    if let Some(seed) = seed {
        suite.shuffle(seed);
    }
    let verbosity = human.verbosity;
    let mut outputs = Outputs { list: Vec::new() };
    let on_stderr = tap || json;
    let people = PeopleOptions {
        color: if on_stderr { human.color } else { color_stdout },
        quiet: human.quiet,
        verbosity,
        progress: if on_stderr { is_terminal(io::stderr()) } else { is_terminal(io::stdout()) },
    };
    let destination = if on_stderr { Destination::Stderr } else { Destination::Stdout };
    outputs.add(People::new(people), destination);
    if tap {
        outputs.add(Tap::default(), Destination::Stdout);
    }
    if json {
        outputs.list.push((Box::new(JsonResults::default()), Destination::Stdout, true));
    }
    let has_log = log.is_some();
    if let Some(path) = log {
        let log = FdSink::log(&path)?;
        outputs.list.push((Box::new(JsonResults::default()), Destination::Log(log), true));
    }
    if let Some(path) = junit {
        outputs.add(Junit::default(), Destination::file(&path)?);
    }
    if let Some(path) = report {
        outputs.add(Html::default(), Destination::file(&path)?);
    }
    let cpus = || std::thread::available_parallelism().map_or(1, usize::from);
    let options = RunOptions {
        play: PlayOptions { all: connection, within, deadline, frames: verbosity > 1 },
        jobs: jobs.map_or_else(cpus, usize::from),
        retry,
        fail_fast,
        seed,
        json: (json || has_log).then_some(verbosity),
        show_secrets: settings.open.secrets == crate::redact::Secrets::Shown,
    };
    let exit = script::run(suite, &options, &mut outputs)?;
    if exit == Exit::Timeout {
        let limit = settings.max_time.unwrap_or_default().as_secs_f64();
        sys::complain(format_args!("wstap: session: not done within {limit} s (--max-time)"));
    }
    Ok(exit)
}

/// All scripts, parsed and checked.
fn read(files: &[PathBuf], givens: &Givens) -> Result<Vec<Script>> {
    let mut paths = Vec::new();
    for path in files {
        match path.is_dir() {
            true => paths.extend(script::find(path)?),
            false => paths.push(path.clone()),
        }
    }
    paths.iter().map(|path| script::read(path, givens)).collect()
}

fn givens(var: &[String], vars: &[PathBuf], url: Option<&str>, check_only: bool) -> Result<Givens> {
    let mut variables = BTreeMap::new();
    let mut secrets = Vec::new();
    for path in vars {
        for (name, value) in variables_file(path)? {
            secrets.push(value.clone());
            variables.insert(name, value);
        }
    }
    for typed in var {
        let (name, value) = typed_variable(typed)?;
        variables.insert(name, value);
    }
    variables.extend(url.map(|url| ("url".to_owned(), url.to_owned())));
    Ok(Givens { variables, secrets, check_only })
}

fn name_pattern(typed: &str) -> Result<regex::Regex> {
    let wrong = |why: String| Error::usage(format!("--only: {why}"));
    pattern(typed).map_err(wrong)?;
    regex::Regex::new(typed).map_err(|e| wrong(Untrusted::text(&e.to_string()).to_string()))
}

fn fresh_seed() -> u64 {
    let mut bytes = [0; 4];
    crate::connection::random(&mut bytes);
    u32::from_be_bytes(bytes).into()
}

fn is_terminal(channel: impl std::os::fd::AsFd) -> bool {
    rustix::termios::isatty(channel)
}

/// What `--wait-up` tries: the given URL, else the first one of the scripts.
fn first_url(scripts: &[Script], givens: &Givens) -> Option<String> {
    givens.variables.get("url").cloned().or_else(|| scripts.iter().find_map(Script::first_url))
}

/// Tries until the server answers.
fn wait_up(
    mut wait: WaitUp,
    url: Option<String>,
    all: &[LayerOption],
    deadline: Option<Instant>,
) -> Result<()> {
    let url = url.ok_or_else(|| {
        Error::usage("--wait-up: which server?")
            .hint("--url URL, or a connect with a URL in the script")
    })?;
    let mut outside = Loop { views: Views::new(Vec::new()), waking: signals()? };
    loop {
        let mut plan = script_plan(&url, &[], all)?;
        let now = Instant::now();
        let limit = now + plan.settings.open.connect_timeout;
        let until = deadline.map_or(limit, |end| end.min(limit));
        let (open, wire) = (&plan.settings.open, &plan.settings.wire);
        let mut cookies = plan.settings.cookies.take();
        let opened = Connection::open(open, wire, &mut cookies, &mut Quiet, until);
        let Err(error) = opened else { return Ok(()) };
        let now = Instant::now();
        let is_late = deadline.is_some_and(|end| now >= end);
        // Anything that more time doesn't change is an answer, or the tests' to find out.
        if !error.transient && !is_late {
            return Ok(());
        }
        let random = u32::try_from(fresh_seed()).unwrap_or_default();
        let Some(until) = wait.next(&error, now, random).filter(|_| !is_late) else {
            let what = format!("the server isn't up (--wait-up): {}", error.what);
            let mut failed = Error::new(error.stage, Exit::Timeout, what);
            failed.causes = error.causes;
            return Err(failed);
        };
        while Instant::now() < until {
            outside.turn(&mut [], Some(until));
            if let Some((exit, _)) = outside.waking.take_signals() {
                return Err(Error::new(
                    Stage::Connect,
                    exit,
                    "interrupted before the server was up",
                ));
            }
        }
    }
}

/// Where a report goes.
enum Destination {
    Stdout,
    Stderr,
    /// A file, written as a whole at the end.
    File(PathBuf, File),
    Log(FdSink),
}

impl Destination {
    /// A new file; what was in it before is gone.
    fn file(path: &Path) -> Result<Destination> {
        let file = File::create(path).map_err(|e| unwritable(path, &e))?;
        Ok(Destination::File(path.to_owned(), file))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let failed = |what: &str, e: io::Error| {
            Error::new(Stage::Output, Exit::Local, format!("can't write to {what}: {}", reason(&e)))
        };
        match self {
            _ if bytes.is_empty() => Ok(()),
            Destination::Stdout => sys::print(bytes).map_err(|e| failed("standard output", e)),
            // There is no better place to say that it failed.
            Destination::Stderr => {
                let _ = Blocking(Role::Stderr, io::stderr()).write_all(bytes);
                Ok(())
            }
            Destination::File(path, file) => {
                Blocking(Role::File, file).write_all(bytes).map_err(|e| unwritable(path, &e))
            }
            Destination::Log(sink) => {
                let written = sink.write_all(bytes);
                sink.push();
                written.map_err(|e| failed("the log", e))
            }
        }
    }
}

fn unwritable(path: &Path, e: &io::Error) -> Error {
    let shown = Untrusted::text(&path.to_string_lossy()).to_string();
    Error::new(Stage::Output, Exit::Local, format!("can't write {shown}: {}", reason(e)))
}

/// The reports with their destinations, and whether each takes the workers' lines of JSON.
pub(super) struct Outputs {
    list: Vec<(Box<dyn Report>, Destination, bool)>,
}

impl Outputs {
    /// Results for people on standard output.
    pub(super) fn on_stdout(people: PeopleOptions) -> Outputs {
        Outputs { list: vec![(Box::new(People::new(people)), Destination::Stdout, false)] }
    }

    fn add(&mut self, report: impl Report + 'static, destination: Destination) {
        self.list.push((Box::new(report), destination, false));
    }
}

impl Reports for Outputs {
    fn each(
        &mut self,
        write: &mut dyn FnMut(&mut dyn Report, &mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        for (report, destination, _) in &mut self.list {
            let mut bytes = Vec::new();
            // Writing to memory can't fail.
            let _ = write(report.as_mut(), &mut bytes);
            destination.write(&bytes)?;
        }
        Ok(())
    }

    fn lines(&mut self, lines: &[u8]) -> Result<()> {
        let mut takers = self.list.iter_mut().filter(|(_, _, takes)| *takes);
        takers.try_for_each(|(_, destination, _)| destination.write(lines))
    }
}
