//! `wstap URL` and `wstap inspect URL`: sets up a session and runs it.

use crate::cli::{self, LookArgs, Plan};
use crate::commands::print::summed_up;
use crate::connection::WireOptions;
use crate::error::{Error, Exit, Result, Stage};
use crate::protocol::frame::Opcode;
use crate::repl;
use crate::report::Reporter;
use crate::report::human::{Human, HumanOptions};
use crate::report::inspect::Inspect;
use crate::report::json::Json;
use crate::report::payload::Payload;
use crate::report::record::{RecordOptions, Recorder};
use crate::run::command::Setting;
use crate::run::destination::FreshStart;
use crate::run::input::Stdin;
use crate::run::output::{FdSink, Output, Sink};
use crate::run::settings::Settings;
use crate::run::signals::{Signals, Waking};
use crate::run::{Look, Pipe, Prompt, Session, record_options};
use crate::text::system::reason;

/// Runs a session: with a prompt if stdin and stdout are terminals, as a pipe otherwise.
///
/// # Errors
/// Exit 13 if the log can't be opened; 70 if signals can't be handled.
pub fn run(plan: Plan) -> Result<Exit> {
    let log = open_log(&plan, plan.json)?;
    let recording = recording(&plan).or_else(|e| summed_up(e, plan.json))?;
    let terminal = rustix::termios::isatty(std::io::stdout());
    let terminals = terminal && rustix::termios::isatty(std::io::stdin());
    let echo = plan.settings.echo;
    let no_input = plan.settings.no_input;
    if terminals && !plan.json && !echo && !no_input && repl::is_usable() {
        return prompt(plan, log, recording);
    }
    let mut outputs = Vec::new();
    if plan.json {
        outputs.push(on_stdout(Box::new(Json::new(plan.human.verbosity))));
    } else if !echo {
        let payload = Payload::new(plan.output, terminal)
            .only(plan.settings.only)
            .stamped(plan.human.stamps)
            .pretty(plan.human.pretty, plan.color_stdout);
        outputs.push(on_stdout(Box::new(payload)));
    }
    // An echo has no payloads on stdout, and nobody types: at a terminal it shows what passes.
    let watched = echo && !plan.json && rustix::termios::isatty(std::io::stderr());
    let human = HumanOptions { repl: watched, sent: watched, ..plan.human };
    outputs.push(on_stderr(Box::new(Human::new(human))));
    outputs.extend(log.map(|log| in_log(log, plan.human)));
    outputs.extend(recording.map(in_recording));
    let mut pipe = match () {
        () if echo => Pipe::endless(),
        () if no_input => Pipe::empty(&plan.settings),
        () => Pipe::new(stdin(&plan.settings), &plan.settings),
    };
    let mut session = Session::new(plan.settings, outputs, signals()?);
    session.note(&plan.notes);
    Ok(session.run(&mut pipe))
}

/// Standard input as the settings cut it.
fn stdin(settings: &Settings) -> Stdin {
    Stdin::new(settings.input)
        .in_chunks(settings.chunk, !settings.binary)
        .keeping_newlines(settings.keep_newline)
}

/// Opens a connection, reports every rule, watches it for a moment, and closes it.
///
/// # Errors
/// As [`run`].
pub fn inspect(mut plan: Plan, look: LookArgs, json: bool) -> Result<Exit> {
    let LookArgs { send, wait } = look;
    plan.settings.first = send.into_iter().map(|text| (Opcode::Text, text.into_bytes())).collect();
    let HumanOptions { verbosity, quiet, .. } = plan.human;
    let log = open_log(&plan, json)?;
    let mut outputs = Vec::new();
    if json {
        outputs.push(on_stdout(Box::new(Json::new(verbosity))));
    } else if !quiet {
        outputs.push(on_stdout(Box::new(Inspect::new(plan.color_stdout))));
    }
    // The report contains everything that -v and a failure show.
    if json || quiet {
        outputs.push(on_stderr(Box::new(Human::new(plan.human))));
    }
    outputs.extend(log.map(|log| in_log(log, plan.human)));
    let mut session = Session::new(plan.settings, outputs, signals()?);
    session.note(&plan.notes);
    Ok(session.run(&mut Look::new(wait.unwrap_or(Look::USUAL))))
}

/// The prompt: the editor runs here, the session on its own thread.
fn prompt(
    plan: Plan,
    log: Option<FdSink>,
    recording: Option<(FdSink, RecordOptions)>,
) -> Result<Exit> {
    let options = repl::Options {
        color: plan.color_stdout,
        header: cli::header,
        connect: |words| cli::again(words).and_then(fresh_start),
        explain: crate::explain::explain,
        macros: repl::Macros::new(plan.macros)?,
        max_message: plan.settings.wire.max_message.unwrap_or(WireOptions::MAX_HELD),
    };
    repl::run(options, move |side| {
        let human = HumanOptions { repl: true, color: plan.color_stdout, ..plan.human };
        let screen = Output::new(
            Box::new(Human::new(human).wrapping(repl::columns)),
            Sink::Screen(side.screen),
        );
        let log = log.map(|log| in_log(log, plan.human));
        let outputs = [screen].into_iter().chain(log).chain(recording.map(in_recording)).collect();
        let waking = Waking::Editor(side.wake);
        let mut session = Session::new(plan.settings, outputs, waking);
        session.note(&plan.notes);
        session.run(&mut Prompt::new(side.commands, repl::words))
    })
}

/// What `/connect` with options changes: the settings, and the views as far as options say so.
fn fresh_start(plan: Plan) -> Result<FreshStart> {
    // What can't be opened is said before the present connection is given up.
    open_log(&plan, false)?;
    if plan.record.is_some() {
        let error = Error::usage("--record is for the beginning of a session");
        return Err(error.hint("at the prompt: /record FILE"));
    }
    let HumanOptions { verbosity, quiet, stamps, pretty, hex, .. } = plan.human;
    let views = [
        (verbosity > 0, Setting::Verbose(verbosity)),
        (quiet, Setting::Quiet(true)),
        (stamps.time, Setting::Timestamps(true)),
        (pretty, Setting::Pretty(true)),
        (hex, Setting::Hex(true)),
        (plan.settings.inflate, Setting::Inflate(true)),
    ];
    let views = views.into_iter().filter_map(|(given, setting)| given.then_some(setting));
    let log = plan.log.map(|path| (path, verbosity));
    Ok(FreshStart { settings: plan.settings, views: views.collect(), log, notes: plan.notes })
}

pub(super) fn on_stdout(view: Box<dyn Reporter>) -> Output {
    Output::new(view, Sink::Fd(FdSink::stdout()))
}

pub(super) fn on_stderr(view: Box<dyn Reporter>) -> Output {
    Output::new(view, Sink::Fd(FdSink::stderr()))
}

/// Opens the file of `--log`.
///
/// # Errors
/// Exit 13: it can't be opened. With `json` that is a summary, too.
pub(super) fn open_log(plan: &Plan, json: bool) -> Result<Option<FdSink>> {
    let log = plan.log.as_deref().map(FdSink::log).transpose();
    log.or_else(|e| summed_up(e, json))
}

/// The script of `--record`.
fn recording(plan: &Plan) -> Result<Option<(FdSink, RecordOptions)>> {
    let Some(path) = &plan.record else { return Ok(None) };
    Ok(Some((FdSink::recording(path)?, record_options(&plan.settings.open))))
}

fn in_recording((sink, options): (FdSink, RecordOptions)) -> Output {
    Output::new(Box::new(Recorder::new(options)), Sink::Fd(sink))
}

/// Events in that file.
pub(super) fn in_log(log: FdSink, human: HumanOptions) -> Output {
    Output::new(Box::new(Json::new(human.verbosity)), Sink::Fd(log))
}

pub(super) fn signals() -> Result<Waking> {
    Signals::new().map(Waking::Signals).map_err(|e| {
        Error::new(Stage::Session, Exit::Bug, "can't listen for signals").cause(reason(&e))
    })
}
