//! `wstap check URL`: puts a session together that probes a server.

use crate::check::{CheckOptions, check, probes};
use crate::cli::{CheckArgs, plan};
use crate::commands::connect::{on_stderr, on_stdout, signals};
use crate::commands::print::{print, summed_up};
use crate::error::{Exit, Result};
use crate::report::check::Check;
use crate::report::human::Human;
use crate::report::json::Json;
use crate::run::Session;

/// Probes the server; `notes` are said before.
///
/// # Errors
/// Exit 2 or 13 if the options can't be used; 70 if the process can't get what every process gets.
pub fn run(args: CheckArgs, notes: Vec<String>) -> Result<Exit> {
    let CheckArgs {
        url,
        only,
        skip,
        allow,
        deny_warnings,
        echo,
        send,
        patience,
        intrusive,
        up_to,
        idle,
        list,
        json,
        reach,
    } = args;
    if list {
        return print(&listed());
    }
    let url = url.unwrap_or_default();
    let plan = plan(&url, reach, None).or_else(|e| summed_up(e, json))?.noting(notes);
    let human = plan.human;
    let stdout = match json {
        true => on_stdout(Box::new(Json::new(human.verbosity))),
        false => on_stdout(Box::new(Check::new(plan.color_stdout, human.verbosity, human.quiet))),
    };
    let outputs = vec![stdout, on_stderr(Box::new(Human::new(human)))];
    let mut session = Session::new(plan.settings, outputs, signals()?);
    session.note(&plan.notes);
    let options = CheckOptions {
        only,
        skip,
        allow,
        echo,
        send,
        patience,
        intrusive,
        up_to,
        idle,
        deny_warnings,
    };
    Ok(session.work(|work| check(work, &options)))
}

fn listed() -> String {
    probes()
        .map(|probe| {
            let autobahn = match probe.autobahn {
                "" => String::new(),
                number => format!(", Autobahn {number}"),
            };
            format!("{:28} {}{autobahn}\n{:28} {}\n", probe.id, probe.clause, "", probe.proves)
        })
        .collect()
}
