//! The man page: everything once.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;

use crate::cli::{EXAMPLES, Example, WITHOUT_A_VERB, examples, is_shared};
use crate::error::Exit;
use crate::repl;

/// A term and what it means.
type Term = (&'static str, &'static str);

/// How the prompt is used, before its commands.
const PROMPT: &str = "\
Where standard input and output are terminals, wstap shows a prompt: what is typed is sent as a text message with Enter, and what \
comes appears above the line. A line that begins with a slash is a command; two slashes send a text that begins with one. A line that \
begins with a space isn't kept in the history. Marks at the left: > sent, < received, * information, ! a failure.";

const KEYS: [Term; 7] = [
    ("Enter", "send the line; a pasted block of lines is one message"),
    ("Alt-Enter", "begin another line of the same message"),
    ("Tab", "complete a command, a file, a setting"),
    ("Up, Down, Ctrl-R", "the history"),
    ("Ctrl-C", "clear the line; on an empty one close and leave"),
    ("Ctrl-D", "close and leave"),
    ("Ctrl-Z", "stop; fg goes on"),
];

const ENVIRONMENT: [Term; 9] = [
    (
        "ws_proxy, wss_proxy, http_proxy, https_proxy, all_proxy",
        "the proxy, in this order for the URL's kind; in upper case, too, but not HTTP_PROXY",
    ),
    ("no_proxy", "hosts that are reached without a proxy, as for --noproxy"),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "the certificates to trust instead of the system's"),
    ("SSLKEYLOGFILE", "a file for TLS secrets, for Wireshark"),
    ("NO_COLOR, CLICOLOR_FORCE", "no colours; colours where there is no terminal, too"),
    ("TERM", "dumb: no colours, no prompt"),
    ("VISUAL, EDITOR", "the editor of /edit"),
    (
        "XDG_CONFIG_HOME, XDG_STATE_HOME",
        "where the configuration and the history are, instead of ~/.config and ~/.local/state",
    ),
    ("any name", "@env:NAME in place of a secret is the value of that variable"),
];

const FILES: [Term; 3] = [
    (
        "~/.config/wstap/config.toml",
        "[defaults] and [profile.NAME] for wstap @NAME; the keys are the long options",
    ),
    ("~/.local/state/wstap/history", "the lines typed at the prompt; only its owner can read it"),
    ("~/.netrc", "logins, with --netrc"),
];

/// Writes the page.
pub(super) fn page(mut command: Command, out: &mut Vec<u8>) -> io::Result<()> {
    command.build();
    let page = Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    paragraph(out, WITHOUT_A_VERB)?;
    options(command.clone().mut_subcommands(|verb| verb.hide(true)), "OPTIONS", out)?;
    section(out, "VERBS")?;
    for verb in command.get_subcommands() {
        self::verb(verb, out)?;
    }
    section(out, "PROMPT")?;
    paragraph(out, PROMPT)?;
    terms(out, KEYS)?;
    writeln!(out, ".SS Commands")?;
    for command in repl::described() {
        let space = if command.arguments.is_empty() { "" } else { " " };
        let usage = format!("/{}{space}{}", command.name, command.arguments);
        let mut text = command.help.to_owned();
        if !command.aliases.is_empty() {
            text.push_str(&format!(" (also /{})", command.aliases.join(", /")));
        }
        term(out, &usage, &text)?;
        for line in command.more {
            writeln!(out, ".br\n{}", escaped(line))?;
        }
    }
    section(out, "EXIT STATUS")?;
    for (exit, meaning) in Exit::ALL {
        term(out, &(exit as u8).to_string(), meaning)?;
    }
    section(out, "ENVIRONMENT")?;
    terms(out, ENVIRONMENT)?;
    section(out, "FILES")?;
    terms(out, FILES)?;
    section(out, "EXAMPLES")?;
    list(out, &EXAMPLES)?;
    for verb in command.get_subcommands() {
        list(out, examples(verb.get_name()))?;
    }
    page.render_version_section(out)
}

/// The page as every roff reads it, whatever the locale.
pub(super) fn in_ascii(page: &str) -> String {
    let glyph =
        |c: char| if c.is_ascii() { c.to_string() } else { format!("\\[u{:04X}]", u32::from(c)) };
    page.chars().map(glyph).collect()
}

/// The options of a command under a heading, each group under one of its own.
fn options(command: Command, heading: &str, out: &mut Vec<u8>) -> io::Result<()> {
    let mut text = Vec::new();
    Man::new(command).render_options_section(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    for line in text.lines().filter(|line| !is_preamble(line)) {
        match line.strip_prefix(".SH ") {
            Some("OPTIONS") if heading.is_empty() => {}
            Some("OPTIONS") => section(out, heading)?,
            Some(group) if heading.is_empty() => writeln!(out, ".PP\n{}:", capitalized(group))?,
            Some(group) => writeln!(out, ".SS {}", capitalized(group))?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// A verb with what it doesn't share with all connections.
fn verb(verb: &Command, out: &mut Vec<u8>) -> io::Result<()> {
    let name = verb.get_name().to_owned();
    let usage = verb.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    writeln!(out, ".SS {}", escaped(&usage))?;
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    let mut shared = false;
    let own = verb.clone().mut_args(|arg| {
        let is_own = !is_shared(&name, &arg) && arg.get_id() != "help";
        shared |= !is_own && arg.get_id() != "help";
        if is_own { arg } else { arg.hide(true) }
    });
    let also = if shared { " It takes the options of a connection, above, too." } else { "" };
    paragraph(out, &format!("{about}.{also}"))?;
    options(own.disable_help_flag(true), "", out)
}

/// Defines a quote, for each section again.
fn is_preamble(line: &str) -> bool {
    line.starts_with(".ie ") || line.starts_with(".el ")
}

fn capitalized(heading: &str) -> String {
    let heading = heading.trim_matches('"');
    // An abbreviation.
    if heading == "TLS" {
        return heading.to_owned();
    }
    let (first, rest) = heading.split_at(heading.chars().next().map_or(0, char::len_utf8));
    format!("{first}{}", rest.to_lowercase())
}

fn section(out: &mut Vec<u8>, heading: &str) -> io::Result<()> {
    writeln!(out, ".SH \"{heading}\"")
}

fn paragraph(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    writeln!(out, ".PP\n{}", escaped(text))
}

fn terms(out: &mut Vec<u8>, terms: impl IntoIterator<Item = Term>) -> io::Result<()> {
    terms.into_iter().try_for_each(|(name, text)| term(out, name, text))
}

fn term(out: &mut Vec<u8>, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, ".TP\n\\fB{}\\fR\n{}", escaped(name), escaped(text))
}

fn list(out: &mut Vec<u8>, examples: &[Example]) -> io::Result<()> {
    examples.iter().try_for_each(|(command, what)| {
        writeln!(out, ".TP\n{}\n{}", escaped(what), escaped(command).replace("\\&", ""))
    })
}

/// Text as roff wants it: no escapes, no requests, and a minus for options.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let lines = text.lines().map(|line| match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
