//! Options of the connections that a script opens: those of the command line, by the same parser.

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};

use crate::cli::args::{ConnectArgs, LivenessArgs, ReachArgs};
use crate::cli::config::beside;
use crate::cli::layers::{LayerOption, Layers, option};
use crate::cli::settings::{Plan, plan};
use crate::cli::usage::usage;
use crate::error::{Error, Result};
use crate::text::Untrusted;
use crate::text::typed::nearest;

/// Session options that are about the connection.
const OF_SESSION: [&str; 5] =
    ["close-code", "close-reason", "fragment", "max-fragments", "max-message"];

/// Connection options that belong to the whole run.
const OF_RUN: [&str; 9] = [
    "color",
    "config",
    "log",
    "max-time",
    "no-config",
    "quiet",
    "show-secrets",
    "verbose",
    "wait-up",
];

/// Options whose file must be there before anything is connected.
const READ: [&str; 4] = ["cacert", "cert", "key", "netrc-file"];

/// An option that a script gives a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptOption {
    name: String,
}

impl ScriptOption {
    /// The option of that long name.
    ///
    /// # Errors
    /// The name that was probably meant, if there is one.
    pub fn named(name: &str) -> std::result::Result<ScriptOption, Option<&'static str>> {
        let Options { names, .. } = options();
        match names.contains(&name) {
            true => Ok(ScriptOption { name: name.to_owned() }),
            false => Err(nearest(name, names.iter().copied())),
        }
    }

    /// The option with its value; a relative path starts from `folder`.
    ///
    /// # Errors
    /// The value doesn't fit.
    pub fn with(&self, value: Option<&str>, folder: &Path) -> Result<LayerOption> {
        let wrong = |what: &str| Error::usage(format!("{}: {what}", self.name));
        let Some(arg) = option(&options().command, &self.name) else {
            return Err(wrong("there is no such option"));
        };
        let values = match (is_flag(arg), value) {
            (true, None | Some("true")) => vec![None],
            (true, Some("false")) => Vec::new(),
            (true, Some(_)) => return Err(wrong("it stands alone, or with true or false")),
            (false, None) => return Err(wrong("its value is missing")),
            (false, Some(value)) => vec![Some(beside(arg, value, folder))],
        };
        let missing = |path: &&String| !Path::new(path).exists();
        if READ.contains(&self.name.as_str())
            && let Some(path) = values.iter().flatten().find(missing)
        {
            return Err(wrong(&format!("there is no {}", Untrusted::text(path))));
        }
        Ok(LayerOption { name: self.name.clone(), values })
    }
}

/// The options of `wstap run` that hold for every connection.
pub(super) fn for_all(matches: &ArgMatches) -> Vec<LayerOption> {
    let Options { command, names } = options();
    let args = names.iter().filter_map(|name| option(command, name));
    args.filter_map(|arg| {
        let (id, name) = (arg.get_id().as_str(), arg.get_long()?);
        let known = matches.try_contains_id(id).is_ok();
        if !known || matches.value_source(id) != Some(ValueSource::CommandLine) {
            return None;
        }
        if is_flag(arg) {
            return Some(LayerOption::flag(name));
        }
        let values = matches.get_raw(id).into_iter().flatten();
        Some(LayerOption::with(name, values.map(|value| value.to_string_lossy().into_owned())))
    })
    .collect()
}

/// The plan for a connection: with its own options, above those of the whole run.
///
/// # Errors
/// Exit 2 or 13: options that can't be used, or not together.
pub fn script_plan(url: &str, own: &[LayerOption], all: &[LayerOption]) -> Result<Plan> {
    let command = &options().command;
    let parse = |args: Vec<OsString>| {
        let words = ["wstap".into()].into_iter().chain(args).chain(["--".into(), url.into()]);
        let parsed = command.clone().try_get_matches_from(words);
        parsed.map_err(|e| Error { hints: Vec::new(), ..usage(&e) })
    };
    let own: Vec<OsString> = own.iter().flat_map(LayerOption::args).collect();
    let mut matches = parse(own.clone())?;
    if !all.is_empty() {
        let mut layers = Layers::new(command, &matches);
        layers.lay_under(all);
        matches = parse([layers.into_args(), own].concat())?;
    }
    let parsed = ConnectArgs::from_arg_matches(&matches).map_err(|e| usage(&e))?;
    plan(url, parsed.reach, Some(parsed.talk))
}

fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// All options, and the names of those that a script may give.
struct Options {
    command: Command,
    names: Vec<&'static str>,
}

/// Built once, and only if there is a script.
fn options() -> &'static Options {
    static OPTIONS: OnceLock<Options> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut command = ConnectArgs::augment_args(Command::new("wstap"));
        command.build();
        let of = |command: Command| -> Vec<String> {
            command.get_arguments().filter_map(|arg| arg.get_long()).map(str::to_owned).collect()
        };
        let reach = of(ReachArgs::augment_args(Command::new("reach")));
        let liveness = of(LivenessArgs::augment_args(Command::new("liveness")));
        let session = OF_SESSION.map(str::to_owned).to_vec();
        let mut names = [reach, liveness, session].concat();
        names.retain(|name| !OF_RUN.contains(&name.as_str()));
        // They live as long as the program.
        let names = names.into_iter().map(|name| &*name.leak()).collect();
        Options { command, names }
    })
}
