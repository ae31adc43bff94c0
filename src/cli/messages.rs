//! The options about messages, translated for the session.

use crate::cli::args::MessageArgs;
use crate::cli::files;
use crate::error::{Error, Hint, Result};
use crate::protocol::frame::Opcode;
use crate::run::gate::{GateOptions, Lockstep};
use crate::run::input::InputFormat;
use crate::run::rules::{Reply, Rules, Timer, split};
use crate::run::settings::Settings;
use crate::text::Untrusted;
use crate::text::escapes::escaped;
use crate::text::typed::pattern;

/// Sets what is sent, and how.
///
/// # Errors
/// Exit 2: a text that can't be what it should; exit 13: a file that can't be read.
pub(super) fn messages(settings: &mut Settings, args: MessageArgs) -> Result<()> {
    let MessageArgs {
        send,
        no_input,
        binary,
        escapes,
        input,
        chunk,
        keep_newline,
        replay_out,
        lockstep,
        within,
        pace,
        on,
        every,
        fragment,
        echo,
        max_message,
        max_fragments,
    } = args;
    let texts = Texts { binary, escapes };
    let first = send.iter().map(|typed| texts.message("-x", typed));
    settings.first = first.collect::<Result<_>>()?;
    if replay_out && input != InputFormat::Json {
        let error = Error::usage("--replay-out needs events to send again");
        return Err(error.hint("for example: wstap --input json --replay-out URL <log"));
    }
    if within.is_some() && lockstep.is_none() && input != InputFormat::Json {
        let error = Error::usage("--within is for --lockstep and --input json");
        return Err(error.hint("the longest time for everything: -m TIME"));
    }
    if chunk.is_some() && input != InputFormat::Raw {
        return Err(Error::usage("--chunk is for --input raw"));
    }
    if keep_newline && input != InputFormat::Line {
        return Err(Error::usage("--keep-newline is for lines, not for another --input"));
    }
    settings.chunk = chunk;
    settings.keep_newline = keep_newline;
    settings.replay_out = replay_out;
    settings.gate = GateOptions { lockstep: lockstep.map(answers).transpose()?, within, pace };
    settings.rules = Rules {
        replies: on.iter().map(|typed| texts.reply(typed)).collect::<Result<_>>()?,
        timers: every.iter().map(|typed| texts.timer(typed)).collect::<Result<_>>()?,
        ..Rules::default()
    };
    settings.no_input = no_input;
    settings.binary = binary;
    settings.escapes = escapes;
    settings.input = input;
    settings.echo = echo;
    settings.fragment = fragment;
    settings.wire.max_message = max_message;
    settings.wire.max_fragments = max_fragments;
    Ok(())
}

/// `--lockstep`.
fn answers(typed: Option<String>) -> Result<Lockstep> {
    let pattern = typed.as_deref().map(pattern).transpose();
    pattern.map(Lockstep).map_err(|why| Error::usage(format!("--lockstep {why}")))
}

/// How texts of the command line are read.
struct Texts {
    binary: bool,
    escapes: bool,
}

impl Texts {
    /// A message: a text, or a file.
    fn message(&self, option: &str, typed: &str) -> Result<(Opcode, Vec<u8>)> {
        let Some(path) = file(typed) else {
            return Ok((Opcode::Text, self.text(option, typed)?));
        };
        let bytes = files::bytes(path)
            .map_err(|error| error.hint("to send the text itself, begin it with @@"))?;
        if self.binary {
            return Ok((Opcode::Binary, bytes));
        }
        let mut bytes = files::utf8(path, bytes).map_err(|e| e.hint(Hint::Binary))?.into_bytes();
        // An editor's last newline is no part of the message.
        if bytes.ends_with(b"\n") {
            bytes.truncate(bytes.len() - if bytes.ends_with(b"\r\n") { 2 } else { 1 });
        }
        Ok((Opcode::Text, bytes))
    }

    /// A text that was typed for that option, perhaps with escapes.
    fn text(&self, option: &str, typed: &str) -> Result<Vec<u8>> {
        // The first of two @ says that the text begins with the second.
        let typed = if typed.starts_with("@@") { &typed[1..] } else { typed };
        if !self.escapes {
            return Ok(typed.as_bytes().to_vec());
        }
        let bytes = escaped(typed).map_err(|why| Error::usage(format!("{option}: {why}")))?;
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(bytes),
            Err(e) => {
                let byte = bytes.get(e.valid_up_to()).copied().unwrap_or_default();
                let what = format!("{option}: with \\x{byte:02x} the text is not UTF-8");
                let hint =
                    format!(r"a character is \u{{e9}}; bytes from a file: -b {option} @FILE");
                Err(Error::usage(what).hint(hint))
            }
        }
    }

    /// `--on`.
    fn reply(&self, typed: &str) -> Result<Reply> {
        let (pattern, text) = halves("--on", typed, "--on '^ping (.*)=pong $1'")?;
        let reply = match file(text) {
            Some(_) => {
                let (opcode, payload) = self.message("--on", text)?;
                Reply::fixed(pattern, opcode, payload)
            }
            None => Reply::new(pattern, &self.text("--on", text)?),
        };
        reply.map_err(|why| Error::usage(format!("--on: {why}")))
    }

    /// `--every`.
    fn timer(&self, typed: &str) -> Result<Timer> {
        let (interval, text) = halves("--every", typed, r#"--every '30s={"op":"ping"}'"#)?;
        let (opcode, payload) = self.message("--every", text)?;
        Timer::new(interval, opcode, payload).map_err(|why| Error::usage(format!("--every: {why}")))
    }
}

/// The path of a text that is in a file.
fn file(typed: &str) -> Option<&str> {
    typed.strip_prefix('@').filter(|path| !path.starts_with('@'))
}

/// The two halves of a rule.
fn halves<'a>(option: &str, typed: &'a str, example: &str) -> Result<(&'a str, &'a str)> {
    split(typed).ok_or_else(|| {
        let shown = Untrusted::text(typed);
        Error::usage(format!("{option} '{shown}' has no = between its halves"))
            .hint(format!("for example: {example}"))
    })
}
