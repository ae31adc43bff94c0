//! `wstap URL` and `wstap inspect URL`: puts a session together and runs it.

use crate::cli::Plan;
use crate::connection::options::TalkOptions;
use crate::error::{Error, Exit, Result, Stage};
use crate::repl;
use crate::report::Reporter;
use crate::report::human::{Human, HumanOptions};
use crate::report::inspect::Inspect;
use crate::report::json::Json;
use crate::report::payload::Payload;
use crate::run::input::Stdin;
use crate::run::output::{FdSink, Output, Sink};
use crate::run::signals::{Signals, Waking};
use crate::run::{Input, Session};
use crate::text::Untrusted;

/// Connects and talks: with a prompt between two terminals, as a pipe otherwise.
///
/// # Errors
/// Exit 70 if the process can't get what every process gets.
pub fn run(plan: Plan) -> Result<Exit> {
    let terminals =
        rustix::termios::isatty(std::io::stdin()) && rustix::termios::isatty(std::io::stdout());
    if terminals && !plan.json && !plan.settings.echo && repl::is_usable() {
        return prompt(plan);
    }
    let terminal = rustix::termios::isatty(std::io::stdout());
    let mut outputs = Vec::new();
    let (json, echo) = (plan.json, plan.settings.echo);
    if json {
        outputs.push(on_stdout(Box::new(Json::new(plan.human.verbosity))));
    } else if !echo {
        outputs.push(on_stdout(Box::new(Payload::new(plan.output, terminal))));
    }
    outputs.push(on_stderr(Box::new(Human::new(plan.human))));
    let input = if echo { Input::None } else { Input::Stdin(Stdin::new(plan.settings.input)) };
    let mut session = Session::new(plan.settings, input, outputs, signals()?);
    session.note(&plan.notes);
    Ok(session.run())
}

/// Opens a connection, reports every rule, and leaves.
///
/// # Errors
/// Exit 70 if the process can't get what every process gets.
pub fn inspect(plan: Plan, json: bool) -> Result<Exit> {
    let mut outputs = Vec::new();
    if json {
        outputs.push(on_stdout(Box::new(Json::new(plan.human.verbosity))));
        outputs.push(on_stderr(Box::new(Human::new(plan.human))));
    } else {
        outputs.push(on_stdout(Box::new(Inspect::new(plan.color_stdout))));
    }
    let mut session = Session::new(plan.settings, Input::None, outputs, signals()?);
    session.note(&plan.notes);
    Ok(session.inspect())
}

/// The prompt: the editor here, the session on a thread of its own.
fn prompt(mut plan: Plan) -> Result<Exit> {
    plan.settings.interactive = true;
    let options = repl::Options {
        color: plan.color_stdout,
        explain: crate::explain::explain,
        max_message: plan.settings.talk.max_message.unwrap_or(TalkOptions::MAX_HELD),
    };
    repl::run(options, move |side| {
        let human = HumanOptions { repl: true, color: plan.color_stdout, ..plan.human };
        let screen = Output::new(Box::new(Human::new(human)), Sink::Screen(side.screen));
        let input = Input::Editor(side.commands);
        let waking = Waking::Editor(side.wake);
        let mut session = Session::new(plan.settings, input, vec![screen], waking);
        session.note(&plan.notes);
        session.run()
    })
}

fn on_stdout(view: Box<dyn Reporter>) -> Output {
    Output::new(view, Sink::Fd(FdSink::stdout()))
}

fn on_stderr(view: Box<dyn Reporter>) -> Output {
    Output::new(view, Sink::Fd(FdSink::stderr()))
}

fn signals() -> Result<Waking> {
    Signals::new().map(Waking::Signals).map_err(|e| {
        let why = Untrusted::text(&e.to_string()).to_string();
        Error::new(Stage::Session, Exit::Bug, "can't listen for signals").cause(why)
    })
}
