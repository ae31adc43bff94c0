//! The order of the words: options may stand before the verb. And words that are neither a verb nor
//! a URL.

use std::ffi::OsString;

use clap::{Arg, Command};

use crate::cli::habits;
use crate::cli::layers::option;
use crate::error::{Error, Result};
use crate::text::Untrusted;

/// Puts the verb first, if there is one.
///
/// # Errors
/// Exit 2: a word is nearly a verb, or one of another tool.
pub fn arranged(mut args: Vec<OsString>, whole: &Command) -> Result<Vec<OsString>> {
    let Some(at) = first_positional(&args, whole) else { return Ok(args) };
    let word = args.get(at).and_then(|word| word.to_str()).unwrap_or_default().to_owned();
    match whole.find_subcommand(&word) {
        Some(verb) if at > 1 && option(verb, "verbose").is_none() => {
            let before = args.get(1).map(|word| word.to_string_lossy().into_owned());
            let before = before.unwrap_or_default();
            Err(Error::usage(format!("{} is not an option of {word}", Untrusted::text(&before)))
                .hint(format!("its options: wstap {word} --help")))
        }
        Some(_) => {
            let verb = args.remove(at);
            args.insert(1, verb);
            Ok(args)
        }
        None => not_a_verb(&word, at + 1 < args.len(), whole).map_or(Ok(args), Err),
    }
}

/// Checks what can be parsed, but was meant otherwise: `-sS`, `-insecure`, a proxy behind `-x`.
///
/// # Errors
/// Exit 2: what was probably meant.
pub fn checked(args: &[OsString], whole: &Command) -> Result<()> {
    let verb = args.get(1).and_then(|word| whole.find_subcommand(word));
    let ours = verb.unwrap_or(whole);
    // What can't be seen doesn't send, and has no options either.
    if option(ours, "verbose").is_none() {
        return Ok(());
    }
    let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
    let words = words.split(|word| *word == "--").next().unwrap_or_default();
    let meant = words.iter().find_map(|word| misread(word, ours)).or_else(|| proxy_as_text(words));
    meant.map_or(Ok(()), Err)
}

/// A word with one dash that is an option with two, or several of curl's.
fn misread(word: &str, ours: &Command) -> Option<Error> {
    let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?;
    if letters.len() > 2 && option(ours, letters).is_some() {
        let error = Error::usage(format!("unexpected argument '{word}' found"));
        return Some(error.hint(format!("with two dashes: -{word}")));
    }
    let behind = letters.strip_prefix('s').filter(|behind| !behind.is_empty())?;
    behind.bytes().all(|b| b"SfLkNiv".contains(&b)).then(|| {
        Error::usage(format!("'{word}' looks like options of curl"))
            .hint("to show payloads and failures only: wstap -q URL")
            .hint(format!("to offer a subprotocol of that name: wstap -s {behind} URL"))
    })
}

/// The only text of `-x` is the URL of a proxy, as curl's is.
fn proxy_as_text(words: &[&str]) -> Option<Error> {
    let mut sent = words.iter().enumerate().filter(|(_, word)| is_send(word));
    let ((at, word), None) = (sent.next()?, sent.next()) else { return None };
    let attached = word.strip_prefix("-x")?;
    let text = if attached.is_empty() { *words.get(at + 1)? } else { attached };
    is_proxy(text).then(|| {
        // The hints can't have its login.
        let shown = if text.contains('@') { "PROXY" } else { text };
        let shown = Untrusted::text(shown);
        Error::usage("-x sends a text, and this one looks like the URL of a proxy")
            .hint(format!("to go through it: wstap --proxy {shown} URL"))
            .hint(format!("to send it as a text: wstap --send={shown} URL"))
    })
}

fn is_send(word: &str) -> bool {
    word.starts_with("-x") || word == "--send" || word.starts_with("--send=")
}

/// A proxy's URL: without a path.
fn is_proxy(text: &str) -> bool {
    let schemes = ["http", "https", "socks5", "socks5h"];
    text.split_once("://").is_some_and(|(scheme, rest)| {
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        schemes.contains(&scheme) && !rest.is_empty() && !rest.contains(['/', '?', '#', ' '])
    })
}

/// Where the first word is that is neither an option nor its value.
fn first_positional(args: &[OsString], whole: &Command) -> Option<usize> {
    let mut at = 1;
    loop {
        let word = args.get(at)?.to_str()?;
        if word == "--" {
            return None;
        }
        let has_value = match word.strip_prefix("--") {
            Some(name) if name.contains('=') => false,
            Some(name) => takes_next(find(whole, |arg| arg.get_long() == Some(name))?),
            None => match word.strip_prefix('-') {
                Some("") | None => return Some(at),
                Some(letters) => cluster_takes_next(letters, whole)?,
            },
        };
        at += if has_value { 2 } else { 1 };
    }
}

/// Whether the value of one of the letters is the next word; `None` if one is no option.
fn cluster_takes_next(letters: &str, whole: &Command) -> Option<bool> {
    for (at, letter) in letters.char_indices() {
        let arg = find(whole, |arg| arg.get_short() == Some(letter))?;
        if takes_next(arg) {
            return Some(at + letter.len_utf8() == letters.len());
        }
    }
    Some(false)
}

fn takes_next(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

/// An option of a connection, else one of a verb.
fn find(whole: &Command, is_it: impl Fn(&&Arg) -> bool) -> Option<&Arg> {
    let mut commands = std::iter::once(whole).chain(whole.get_subcommands());
    commands.find_map(|command| command.get_arguments().find(&is_it))
}

/// Why the first word is neither a verb nor a URL, if it is a single word that looks like a verb.
fn not_a_verb(word: &str, followed: bool, whole: &Command) -> Option<Error> {
    let addresses = habits::address(word);
    if !addresses.is_empty() {
        let what = format!("\"{}\" is not a URL", Untrusted::text(word));
        return Some(addresses.into_iter().fold(Error::usage(what), Error::hint));
    }
    if !word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let verbs = || whole.get_subcommands().map(Command::get_name);
    let mut hints = habits::verb(word);
    if hints.is_empty() {
        let near = verbs().find(|verb| is_near(word, verb))?;
        let rest = if followed { " …" } else { "" };
        hints.push(format!("did you mean: wstap {near}{rest}"));
    }
    hints.push(format!("a host of that name: wstap ws://{word}"));
    let error = Error::usage(format!("\"{word}\" is not a verb of wstap"));
    Some(hints.into_iter().fold(error, Error::hint))
}

/// Whether a word is a verb with a typo, cut off, or with another ending.
fn is_near(word: &str, verb: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let short = word.len().min(verb.len());
    let same_start = word.get(..1) == verb.get(..1) || word.get(..1) == verb.get(1..2);
    let limit = if short < 5 { 1 } else { 2 };
    let begins = short > 2 && (verb.starts_with(&word) || word.starts_with(verb));
    same_start
        && (begins && word.len() < verb.len() + 4 || strsim::osa_distance(&word, verb) <= limit)
}
