//! The options about messages, translated for the session.

use crate::cli::args::MessageArgs;
use crate::cli::files;
use crate::error::{Error, Hint, Result};
use crate::protocol::frame::Opcode;
use crate::run::settings::Settings;
use crate::text::escapes::escaped;

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
        fragment,
        echo,
        max_message,
        max_fragments,
    } = args;
    let first = send.iter().map(|typed| message(typed, binary, escapes));
    settings.first = first.collect::<Result<_>>()?;
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

/// A message of `-x`: a text, or a file.
fn message(typed: &str, binary: bool, escapes: bool) -> Result<(Opcode, Vec<u8>)> {
    let file = typed.strip_prefix('@').filter(|path| !path.starts_with('@'));
    let Some(path) = file else {
        // The first of two @ says that the text begins with the second.
        let typed = if typed.starts_with("@@") { &typed[1..] } else { typed };
        return Ok((Opcode::Text, text("-x", typed, escapes)?));
    };
    let bytes = files::bytes(path)
        .map_err(|error| error.hint(format!("to send the text itself: -x '@{typed}'")))?;
    if binary {
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
fn text(option: &str, typed: &str, escapes: bool) -> Result<Vec<u8>> {
    if !escapes {
        return Ok(typed.as_bytes().to_vec());
    }
    let bytes = escaped(typed).map_err(|why| Error::usage(format!("{option}: {why}")))?;
    match std::str::from_utf8(&bytes) {
        Ok(_) => Ok(bytes),
        Err(e) => {
            let byte = bytes.get(e.valid_up_to()).copied().unwrap_or_default();
            let what = format!("{option}: with \\x{byte:02x} the text is not UTF-8");
            Err(Error::usage(what).hint(r"a character is \u{e9}; bytes are a file's: -b -x @FILE"))
        }
    }
}
