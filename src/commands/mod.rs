//! One file for each verb.

pub mod check;
pub mod connect;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod generate;
mod man;
pub mod ping;
mod print;
pub mod run;
pub mod serve;

use crate::cli::{
    Cli, ConnectArgs, CurlArgs, ExplainArgs, GenerateArgs, HelpArgs, InspectArgs, Plan, ReachArgs,
    ServeArgs, TalkArgs, Verb, help, pass_phrase, plan,
};
use crate::commands::print::summed_up;
use crate::commands::serve::ServeOptions;
use crate::error::{Exit, Result};
use crate::http::head::HeadLimits;

/// Executes the command line and returns the exit code.
///
/// # Errors
/// A failure before there was a session to show it.
pub fn run(cli: Cli) -> Result<Exit> {
    let Cli { verb, connect, notes, macros } = cli;
    match verb {
        None => {
            let ConnectArgs { url, connect, talk, reach } = connect;
            let url = url.or(connect).unwrap_or_default();
            connect::run(Plan { macros, ..talk_to(&url, reach, talk, notes)? })
        }
        Some(Verb::Check(args)) => check::run(*args, notes),
        Some(Verb::Curl(args)) => {
            let CurlArgs { url, talk, reach } = *args;
            connect::run(talk_to(&url, reach, talk, notes)?)
        }
        Some(Verb::Demo(args)) => demo::run(*args, notes),
        Some(Verb::Explain(ExplainArgs { words })) => explain::run(&words),
        Some(Verb::Generate(GenerateArgs { what })) => generate::run(what),
        Some(Verb::Help(HelpArgs { verb })) => help(verb.as_deref()),
        Some(Verb::Inspect(args)) => {
            let InspectArgs { url, look, json, reach } = *args;
            let plan = plan(&url, reach, None).or_else(|e| summed_up(e, json))?;
            connect::inspect(plan.noting(notes), look, json)
        }
        Some(Verb::Doctor(args)) => doctor::run(*args, notes),
        Some(Verb::Ping(args)) => ping::run(*args, notes),
        Some(Verb::Run(args)) => run::run(*args, notes),
        Some(Verb::Serve(args)) => serve::run(&serve_options(*args)?).map(|()| Exit::Done),
    }
}

fn talk_to(url: &str, reach: ReachArgs, talk: TalkArgs, notes: Vec<String>) -> Result<Plan> {
    let json = talk.output.json;
    Ok(plan(url, reach, Some(talk)).or_else(|e| summed_up(e, json))?.noting(notes))
}

/// # Errors
/// If the file of a pass phrase given as `@FILE` can't be read.
fn serve_options(args: ServeArgs) -> Result<ServeOptions> {
    let ServeArgs {
        address,
        mode,
        from,
        interval,
        count,
        size,
        binary,
        truncate,
        subprotocols,
        origins,
        cert,
        key,
        pass,
        no_deflate,
        max_message,
        max_fragments,
        max_head,
        max_headers,
        verbose,
        json,
    } = args;
    Ok(ServeOptions {
        address,
        mode,
        from,
        interval,
        count,
        size,
        binary,
        truncate,
        subprotocols,
        cert,
        key,
        pass: pass_phrase(pass)?,
        origins,
        deflate: !no_deflate,
        max_message,
        max_fragments,
        head_limits: HeadLimits { bytes: max_head, headers: max_headers },
        verbose,
        json,
    })
}
