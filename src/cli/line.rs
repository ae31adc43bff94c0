//! Reads the command line and merges it with the layers below: a pasted curl command, a profile of
//! the configuration file, its defaults.

use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args as _, Command, CommandFactory, FromArgMatches as _};

use crate::cli::args::{Cli, ConfigArgs, ConnectArgs, Verb};
use crate::cli::arrange::{self, arranged};
use crate::cli::config::{self, ConfigFile};
use crate::cli::curl::{self, Pasted};
use crate::cli::habits;
use crate::cli::help;
use crate::cli::layers::{Layers, MacroLines, option};
use crate::cli::script;
use crate::cli::usage::refusal;
use crate::error::{Error, Exit, Result, Stage};
use crate::sys::{self, Blocking, Role};
use crate::text::Untrusted;
use crate::text::system::reason;

/// The longest curl command that is read from standard input, in bytes.
const LONGEST: u64 = 1 << 20;

/// Reads the command line and what it refers to; ends the process for `-h` and `-V`.
///
/// # Errors
/// Exit 2: an argument is not valid; exit 13: a file can't be read.
pub fn parse() -> Result<Cli> {
    let args: Vec<OsString> = std::env::args_os().collect();
    alone(&args).map_or_else(|| read(args), Ok)
}

/// The common case: a connection described by the command line alone. The options are built once
/// and those of the verbs not at all; building them would take longer than everything else at
/// startup. `None` in any other case and for a usage error.
fn alone(args: &[OsString]) -> Option<Cli> {
    let mut whole = ConnectArgs::augment_args(Command::new("wstap"));
    let matches = whole.try_get_matches_from_mut(args).ok()?;
    let connect = ConnectArgs::from_arg_matches(&matches).ok()?;
    let url = connect.url.as_ref().or(connect.connect.as_ref())?;
    // Another word can be a verb or nearly one, or a profile.
    let is_url = url.contains(['.', ':', '/']) && !url.starts_with('@');
    let ConfigArgs { config: given, no_config } = &connect.reach.config;
    let bare = *no_config
        || given.is_none() && config::usual_path()?.try_exists().is_ok_and(|exists| !exists);
    let clear = arrange::checked(args, &whole).is_ok() && habits::address(url).is_empty();
    (bare && is_url && clear).then(|| Cli {
        verb: None,
        connect,
        notes: Vec::new(),
        macros: MacroLines::new(),
    })
}

fn read(args: Vec<OsString>) -> Result<Cli> {
    let mut whole = Cli::command();
    whole.build();
    let args = arranged(args, &whole)?;
    let name = args.get(1).and_then(|word| word.to_str());
    let verb = name.and_then(|name| whole.find_subcommand(name));
    let ours = verb.unwrap_or(&whole);
    if option(ours, "config").is_none() {
        return finish(args, &whole);
    }
    let mut head = args;
    let mut words = head.split_off(head.len().min(if verb.is_some() { 2 } else { 1 }));
    let (mut pasted, mut notes) = (None, Vec::new());
    if ours.get_name() == "curl" {
        let (own, command) = sort(words, &whole)?;
        words = own;
        pasted = command.map(|command| command.read(ours)).transpose()?;
    }
    // -h and -V; errors are reported at the end.
    let Some(typed) = leniently(&whole, head.iter().chain(&words)) else {
        return finish([head, words].concat(), &whole);
    };
    let typed = typed.subcommand().map_or(&typed, |(_, typed)| typed);
    let mut layers = Layers::new(ours, typed);
    if let Some(Pasted { options, notes: left_out, .. }) = &mut pasted {
        layers.lay_under(options);
        notes.append(left_out);
    }
    let text = |name: &str| typed.try_get_raw(name).ok()??.next()?.to_str();
    let profile = text("url").or_else(|| text("connect")).and_then(|url| url.strip_prefix('@'));
    let mut url = pasted.map(|pasted| pasted.url);
    let mut macros = MacroLines::new();
    if let Some(config) = config(typed, profile, &mut notes)? {
        if let Some(name) = profile {
            let profile = config.profile(name)?;
            layers.lay_under(&profile.options);
            url = Some(profile.url.clone());
            macros.clone_from(&profile.macros);
        }
        layers.lay_under(&config.defaults);
        if config.exposed {
            let path = config::shown(&config.path);
            notes.push(format!("warning: others can read the secrets in {path}: chmod 600"));
        }
    }
    head.extend(layers.into_args());
    if ours.get_name() == "curl"
        && let Some(url) = &url
    {
        words.extend(["--".into(), url.into()]);
    }
    let args = [head, words].concat();
    let mut cli = finish(args.clone(), &whole)?;
    if let Some(Verb::Run(run)) = &mut cli.verb
        && let Some(merged) = leniently(&whole, args.iter())
        && let Some((_, merged)) = merged.subcommand()
    {
        run.connection = script::for_all(merged);
    }
    match (&mut cli.verb, url) {
        (None, Some(url)) => cli.connect.url = Some(url),
        (Some(Verb::Inspect(args)), Some(url)) => args.url = url,
        (Some(Verb::Doctor(args)), Some(url)) => args.url = url,
        (Some(Verb::Ping(args)), Some(url)) => args.url = url,
        (Some(Verb::Run(args)), Some(url)) => args.url = Some(url),
        _ => {}
    }
    cli.notes = notes;
    cli.macros = macros;
    Ok(cli)
}

fn finish(args: Vec<OsString>, whole: &Command) -> Result<Cli> {
    arrange::checked(&args, whole)?;
    let matches = whole.clone().try_get_matches_from(&args);
    matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|e| match e.use_stderr() {
        true => refusal(&e, &args, whole),
        false => told(&e, &args, whole),
    })
}

/// Prints the help or the version, and ends the process if that worked.
fn told(e: &clap::Error, args: &[OsString], whole: &Command) -> Error {
    let verb = args.get(1).and_then(|word| word.to_str());
    let mut words = args.iter().take_while(|word| *word != "--");
    let printed = match e.kind() {
        ErrorKind::DisplayHelp => help::print(whole, verb, words.any(|word| word == "--help")),
        _ => {
            let _ = e.print();
            Ok(Exit::Done)
        }
    };
    printed.map_or_else(|e| e, |exit| std::process::exit(exit as i32))
}

/// The arguments as far as they can be parsed; `None` if they ask for help.
fn leniently<'a>(whole: &Command, args: impl Iterator<Item = &'a OsString>) -> Option<ArgMatches> {
    whole.clone().ignore_errors(true).try_get_matches_from(args).ok()
}

/// The configuration file, if it exists and isn't switched off.
pub(super) fn config(
    typed: &ArgMatches,
    profile: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Option<ConfigFile>> {
    let given = typed.get_one::<PathBuf>("config");
    let wanted = |what: &str| {
        let name = Untrusted::text(profile.unwrap_or_default());
        Error::usage(format!("the profile \"{name}\" needs the configuration file: {what}"))
    };
    if typed.value_source("no_config") == Some(ValueSource::CommandLine) {
        return match profile {
            Some(_) => Err(wanted("leave out --no-config")),
            None => Ok(None),
        };
    }
    let Some(path) = given.cloned().or_else(config::usual_path) else {
        return match profile {
            Some(_) => Err(wanted("neither XDG_CONFIG_HOME nor HOME says where it is")),
            None => Ok(None),
        };
    };
    let shown = config::shown(&path);
    if given.is_none() && profile.is_none() && config::is_locked(&path) {
        notes
            .push(format!("no configuration is read: {shown} is in a folder that can't be opened"));
        return Ok(None);
    }
    match (config::load(&path)?, given, profile) {
        (None, Some(_), _) => {
            let what = format!("can't read {shown}: there is no such file");
            Err(Error::new(Stage::Input, Exit::Local, what))
        }
        (None, None, Some(_)) => Err(wanted(&format!("there is no {shown}"))
            .hint("a profile begins with [profile.NAME], then url = \"wss://…\"")),
        (config, ..) => Ok(config),
    }
}

/// Where the curl command is.
enum Curl {
    Stdin,
    Text(String),
    Words(Vec<String>),
}

impl Curl {
    fn read(self, ours: &Command) -> Result<Pasted> {
        match self {
            Curl::Stdin => curl::text(&stdin()?, ours),
            Curl::Text(text) => curl::text(&text, ours),
            Curl::Words(words) => curl::words(words, ours),
        }
    }
}

/// Separates our own arguments after `wstap curl` from the command, which is one word with all of
/// it, everything after the word `curl`, or else every word. `None` if help is asked for.
fn sort(mut words: Vec<OsString>, whole: &Command) -> Result<(Vec<OsString>, Option<Curl>)> {
    let first_part = |word: &OsString| {
        let text = word.to_string_lossy().into_owned();
        curl::begin(&text).is_some()
    };
    if let Some(at) = words.iter().position(first_part) {
        let behind = words.split_off(at + 1);
        let command = text(words.pop().unwrap_or_default())?;
        if command.trim().contains(char::is_whitespace) {
            words.extend(behind);
            return Ok((words, Some(Curl::Text(command))));
        }
        let behind = behind.into_iter().map(text).collect::<Result<_>>()?;
        return Ok((words, Some(Curl::Words(behind))));
    }
    if let [whole] = &words[..]
        && whole.to_string_lossy().contains(char::is_whitespace)
    {
        return Ok((Vec::new(), Some(Curl::Text(text(words.remove(0))?))));
    }
    let own: Vec<_> = words.iter().filter(|word| *word != "-").cloned().collect();
    let args = [&["wstap".into(), "curl".into()], &own[..], &["-".into()]].concat();
    match whole.clone().try_get_matches_from(args) {
        Ok(_) => return Ok((own, Some(Curl::Stdin))),
        // -h
        Err(e) if !e.use_stderr() => return Ok((own, None)),
        Err(_) => {}
    }
    let all = words.into_iter().map(text).collect::<Result<_>>()?;
    Ok((Vec::new(), Some(Curl::Words(all))))
}

fn text(word: OsString) -> Result<String> {
    let why = |_| Error::usage("a word of the curl command is not UTF-8");
    word.into_string().map_err(why)
}

fn stdin() -> Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        sys::complain(format_args!("* paste the curl command, then press Enter and Ctrl-D"));
    }
    let mut text = String::new();
    Blocking(Role::Stdin, stdin).take(LONGEST + 1).read_to_string(&mut text).map_err(|e| {
        let what = format!("can't read the curl command from standard input: {}", reason(&e));
        Error::new(Stage::Input, Exit::Local, what)
    })?;
    if text.len() as u64 > LONGEST {
        return Err(Error::usage(format!("the curl command is longer than {} MiB", LONGEST >> 20)));
    }
    if text.trim().is_empty() {
        return Err(Error::usage("there is no curl command, neither typed nor on standard input")
            .hint("wstap curl 'curl wss://… -H …'"));
    }
    Ok(text)
}
