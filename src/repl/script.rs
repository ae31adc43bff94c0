//! The commands of the prompt that scripts have, too: what sends something.

use std::path::PathBuf;

use super::commands::{self, Local, Parsed};
use crate::error::{Error, Exit, Result, Stage};
use crate::protocol::frame::Opcode;
use crate::run::command::Command;
use crate::text::Untrusted;

/// A command of a script.
#[derive(Debug)]
pub enum ScriptCommand {
    /// Close, a frame, a message, a ping or a pong.
    Send(Command),
    /// Send a file.
    File {
        /// Its path.
        path: PathBuf,
        /// Text or Binary, if given.
        opcode: Option<Opcode>,
    },
}

/// Reads what follows the slash.
///
/// # Errors
/// There is no such command, it isn't for scripts, or what follows its name is wrong.
pub fn script_command(text: &str) -> Result<ScriptCommand> {
    match commands::parse(&format!("/{text}"))? {
        Parsed::Command(
            command @ (Command::Close(_)
            | Command::Frame(_)
            | Command::Message { .. }
            | Command::Ping(_)
            | Command::Pong(_)),
        ) => Ok(ScriptCommand::Send(command)),
        Parsed::Local(Local::File { path, opcode }) => Ok(ScriptCommand::File { path, opcode }),
        _ => {
            let name = text.split_whitespace().next().unwrap_or_default();
            let what = format!("/{} is for the prompt, not for scripts", Untrusted::text(name));
            let hint = "in scripts: /close /frame /fragment /ping /pong /text /json /bin /hex /base64 /file";
            Err(Error::new(Stage::Input, Exit::Usage, what).hint(hint))
        }
    }
}

/// Checks a command's name alone, where what follows it isn't known yet.
///
/// # Errors
/// There is no such command.
pub fn script_command_exists(name: &str) -> Result<()> {
    match commands::find(name) {
        Some(_) => Ok(()),
        None => script_command(name).map(drop),
    }
}
