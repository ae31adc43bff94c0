//! `wstap ping URL`: puts a session together that measures round trips.

use crate::cli::{PingArgs, plan};
use crate::commands::connect::{in_log, on_stderr, on_stdout, open_log, signals};
use crate::commands::print::summed_up;
use crate::error::{Exit, Result};
use crate::report::human::Human;
use crate::report::json::Json;
use crate::report::ping::{Ping as Lines, PingView};
use crate::run::{Ping, PingOptions, Probe, Session};

/// Pings until enough pings were sent, the peer closes, or a signal comes; `notes` are said before.
///
/// # Errors
/// Exit 2 or 13 if the options can't be used; 70 if the process can't get what every process gets.
pub fn run(args: PingArgs, notes: Vec<String>) -> Result<Exit> {
    let PingArgs { url, count, interval, size, message, within, json, reach } = args;
    let plan = plan(&url, reach, None).or_else(|e| summed_up(e, json))?.noting(notes);
    let human = plan.human;
    let view = PingView {
        quiet: human.quiet,
        histogram: human.verbosity > 0,
        messages: message.is_some(),
        within,
        color: plan.color_stdout,
    };
    let stdout = match json {
        true => on_stdout(Box::new(Json::new(human.verbosity))),
        false => on_stdout(Box::new(Lines::new(view))),
    };
    let log = open_log(&plan, json)?.map(|log| in_log(log, human));
    let stderr = on_stderr(Box::new(Human::new(human)));
    let outputs = [stdout, stderr].into_iter().chain(log).collect();
    let mut session = Session::new(plan.settings, outputs, signals()?);
    session.note(&plan.notes);
    let probe = message.map_or(Probe::Frame(size), Probe::Message);
    Ok(session.run(&mut Ping::new(PingOptions { count, interval, within, probe })))
}
