//! One file for each thing a person can ask for.

pub mod connect;
pub mod demo;
pub mod generate;
pub mod serve;

use crate::cli::{Cli, ServeArgs, ServeMode, Verb, plan};
use crate::commands::serve::{Mode, ServeOptions};
use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Clock, Event, Stamped, Summary};
use crate::report::Reporter as _;
use crate::report::json::Json;
use crate::sys;

/// Does what was asked for and gives the exit code.
///
/// # Errors
/// What went wrong before there was a session that could show it.
pub fn run(cli: Cli) -> Result<Exit> {
    let notes = cli.notes;
    match cli.verb {
        None => {
            let args = cli.connect;
            let plan = plan(&args.url.unwrap_or_default(), &args.reach, Some(&args.talk));
            connect::run(plan.or_else(|e| summed_up(e, args.talk.json))?.noting(notes))
        }
        Some(Verb::Curl(args)) => {
            let plan = plan(&args.url, &args.reach, Some(&args.talk));
            connect::run(plan.or_else(|e| summed_up(e, args.talk.json))?.noting(notes))
        }
        Some(Verb::Demo(args)) => demo::run(&args, notes),
        Some(Verb::Explain(args)) => {
            let text = crate::explain::explain(&args.words)?;
            print(&text)
        }
        Some(Verb::Generate(args)) => generate::run(args.what),
        Some(Verb::Inspect(args)) => {
            let plan = plan(&args.url, &args.reach, None);
            connect::inspect(plan.or_else(|e| summed_up(e, args.json))?.noting(notes), args.json)
        }
        Some(Verb::Serve(args)) => serve::run(&serve_options(args)).map(|()| Exit::Done),
    }
}

/// Hands on why there will be no session; with `--json` in a summary, too, which is the last line of
/// every run.
fn summed_up<T>(error: Error, json: bool) -> Result<T> {
    if json {
        let summary =
            Summary { exit: error.exit as u8, error: Some(error.clone()), ..Summary::default() };
        let event = Stamped { at: Clock::start().now(), seq: 1, event: &Event::Summary(&summary) };
        let mut line = Vec::new();
        // Neither can fail in a way that says more than the error does.
        let _ = Json::new(0).event(&event, &mut line);
        let _ = sys::print(&line);
    }
    Err(error)
}

fn serve_options(args: ServeArgs) -> ServeOptions {
    ServeOptions {
        address: args.address,
        mode: match args.mode {
            ServeMode::Chat => Mode::Chat,
            ServeMode::Echo => Mode::Echo,
            ServeMode::Sink => Mode::Sink,
            ServeMode::Source => Mode::Source,
            ServeMode::Time => Mode::Time,
        },
        interval: args.interval,
        count: args.count,
        size: args.size,
        binary: args.binary,
        truncate: args.truncate,
        subprotocols: args.subprotocols,
        cert: args.cert,
        key: args.key,
        origins: args.origins,
        verbose: args.verbose,
    }
}

/// Prints a text; a reader that goes away early is no failure.
fn print(text: &str) -> Result<Exit> {
    sys::print(text.as_bytes()).map(|()| Exit::Done).map_err(|e| {
        let what = format!("can't write to standard output: {e}");
        Error::new(Stage::Output, Exit::Local, what)
    })
}
