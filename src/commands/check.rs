//! `wstap check URL`: puts a session together that probes a server.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::check::{CheckOptions, check, probes};
use crate::cli::{CheckArgs, plan};
use crate::commands::connect::{on_stderr, on_stdout, signals};
use crate::commands::print::{print, summed_up};
use crate::error::{Error, Exit, Result, Stage};
use crate::report::check::{Check, CheckJunit, CheckTap};
use crate::report::human::Human;
use crate::report::json::Json;
use crate::run::Session;
use crate::run::output::{FdSink, Output, Sink};
use crate::sys;
use crate::text::Untrusted;
use crate::text::system::reason;

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
        baseline,
        tap,
        junit,
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
        false if tap => on_stdout(Box::new(CheckTap::default())),
        false => on_stdout(Box::new(Check::new(plan.color_stdout, human.verbosity, human.quiet))),
    };
    let mut outputs = vec![stdout, on_stderr(Box::new(Human::new(human)))];
    if let Some(path) = junit {
        let sink = FdSink::report(&path).or_else(|e| summed_up(e, json))?;
        outputs.push(Output::new(Box::new(CheckJunit::default()), Sink::Fd(sink)));
    }
    let baseline =
        baseline.map(|path| earlier(&path)).transpose().or_else(|e| summed_up(e, json))?;
    let baseline = baseline.unwrap_or_default();
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
        baseline,
        deny_warnings,
    };
    Ok(session.work(|work| check(work, &options)))
}

/// The verdicts of an earlier run, by id.
fn earlier(path: &Path) -> Result<BTreeMap<String, String>> {
    let shown = Untrusted::text(&path.to_string_lossy()).to_string();
    let text = sys::read_file(path).map_err(|e| {
        let what = format!("can't read {shown}: {}", reason(&e));
        Error::new(Stage::Input, Exit::Local, what)
    })?;
    let mut verdicts = BTreeMap::new();
    for line in text.split(|b| *b == b'\n') {
        let event: Value = serde_json::from_slice(line).unwrap_or_default();
        if let (Some("probe"), Some(id), Some(verdict)) =
            (event["type"].as_str(), event["id"].as_str(), event["verdict"].as_str())
        {
            verdicts.insert(id.to_owned(), verdict.to_owned());
        }
    }
    match verdicts.is_empty() {
        true => Err(Error::usage(format!("there is no result of a probe in {shown}"))
            .hint("it is what wstap check --json prints")),
        false => Ok(verdicts),
    }
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
