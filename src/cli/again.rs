//! The command line of `/connect`: the options and the URL of `wstap`, at the prompt.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args as _, Command, FromArgMatches as _, Subcommand as _};

use crate::cli::args::{ConnectArgs, Verb};
use crate::cli::layers::Layers;
use crate::cli::line::config;
use crate::cli::settings::{Plan, plan};
use crate::cli::usage::usage;
use crate::error::{Error, Result};

/// Options that say how standard input and output are used, which here are the prompt's.
const OF_PIPES: &[&str] = &[
    "echo",
    "exit-on-eof",
    "input",
    "json",
    "linger",
    "lockstep",
    "no-input",
    "output",
    "pace",
    "replay-out",
    "within",
];

/// Reads `[OPTIONS] URL` or `[OPTIONS] @PROFILE`, with the configuration file below it, as a command
/// line of its own. Never ends the process, and reads nothing from the terminal.
///
/// # Errors
/// Exit 2: what is wrong; exit 13: a file can't be read.
pub fn again(words: Vec<String>) -> Result<Plan> {
    let command = ConnectArgs::augment_args(Command::new("/connect"))
        .disable_help_flag(true)
        .disable_version_flag(true);
    let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    let typed = read(&command, &[], &words)?;
    fits_the_prompt(&command, &typed)?;
    let url = typed.get_one::<String>("url").or_else(|| typed.get_one("connect"));
    let mut url = url.cloned().unwrap_or_default();
    if Verb::has_subcommand(&url) {
        return Err(Error::usage(format!("{url} is a verb of wstap, not a URL")));
    }
    let mut layers = Layers::new(&command, &typed);
    let mut notes = Vec::new();
    let profile = url.strip_prefix('@').map(str::to_owned);
    if let Some(config) = config(&typed, profile.as_deref(), &mut notes)? {
        if let Some(name) = profile {
            let profile = config.profile(&name)?;
            layers.lay_under(&profile.options);
            url.clone_from(&profile.url);
        }
        layers.lay_under(&config.defaults);
    }
    let merged = read(&command, &layers.into_args(), &words)?;
    takes_no_input(&command, &merged)?;
    // The URL was read above, perhaps as a profile's.
    let ConnectArgs { url: _, connect: _, talk, reach } =
        ConnectArgs::from_arg_matches(&merged).map_err(|e| said(&e))?;
    Ok(plan(&url, reach, Some(talk))?.noting(notes))
}

fn read(command: &Command, below: &[OsString], words: &[OsString]) -> Result<ArgMatches> {
    let args = [&["/connect".into()], below, words].concat();
    command.clone().try_get_matches_from(args).map_err(|e| said(&e))
}

/// clap's report, with a way on that exists at the prompt.
fn said(e: &clap::Error) -> Error {
    let mut error = usage(e);
    error.hints.pop();
    error.hint("the options are those of the command line: wstap --help")
}

/// Refuses what has no meaning at a prompt.
fn fits_the_prompt(command: &Command, typed: &ArgMatches) -> Result<()> {
    let is_typed = |id: &str| typed.value_source(id) == Some(ValueSource::CommandLine);
    let mut longs = command.get_arguments().filter(|arg| is_typed(arg.get_id().as_str()));
    let of_pipe = longs.find_map(|arg| arg.get_long().filter(|long| OF_PIPES.contains(long)));
    match of_pipe {
        Some(long) => Err(Error::usage(format!("--{long} is for pipes, not for a prompt"))),
        None => Ok(()),
    }
}

/// Refuses values that would be read from standard input, where the keys come from.
fn takes_no_input(command: &Command, merged: &ArgMatches) -> Result<()> {
    for arg in command.get_arguments() {
        let mut values = merged.get_raw(arg.get_id().as_str()).into_iter().flatten();
        if values.any(|value| value == "@-") {
            let long = arg.get_long().unwrap_or_default();
            let what = format!("--{long} @- would read standard input, which is the prompt's");
            return Err(Error::usage(what).hint("@FILE and @env:NAME work here"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_exists() {
        let command = ConnectArgs::augment_args(Command::new("/connect"));
        let has = |long: &&str| command.get_arguments().any(|arg| arg.get_long() == Some(long));
        assert!(OF_PIPES.iter().all(has));
    }

    fn refused(line: &str) -> String {
        let words = ["--no-config"].into_iter().chain(line.split(' ')).map(str::to_owned);
        again(words.collect()).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_ends_the_process() {
        for (line, says) in [
            ("--help", "unexpected argument '--help'"),
            ("-V", "unexpected argument '-V'"),
            ("ws://a ws://b", "unexpected argument 'ws://b'"),
            ("-k", "<URL>"),
            ("-n 0 ws://a", "invalid value '0'"),
            ("gopher://a", "gopher"),
            ("serve", "a verb of wstap"),
            ("@nix", "--no-config"),
            ("--json ws://a", "--json is for pipes"),
            ("--pace 1 ws://a", "--pace is for pipes"),
            ("-E ws://a", "--exit-on-eof is for pipes"),
            ("-u @- ws://a", "--user @- would read standard input"),
            ("-H @- ws://a", "--header @- would read"),
            ("--cacert /nowhere.pem -H nocolon ws://a", "has no colon"),
        ] {
            let error = refused(line);
            assert!(error.contains(says), "{line}: {error}");
        }
    }

    #[test]
    fn options_mean_what_they_mean_to_wstap() {
        let words = ["--no-config", "-k", "-x", "hi", "-v", "--reconnect", "ws://h/"];
        let plan = again(words.map(str::to_owned).to_vec()).unwrap();
        assert!(plan.settings.open.dial.tls.insecure && plan.settings.reconnect.is_some());
        assert_eq!((plan.settings.first.len(), plan.human.verbosity), (1, 1));
        assert_eq!(plan.settings.open.target.url(), "ws://h/");
    }
}
