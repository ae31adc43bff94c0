//! The connection as a command (or a program) for another tool. A comment lists what the tool can't
//! do.

mod command;
mod program;
mod quote;
mod recipe;

use crate::connection::{OpenOptions, Route};
use crate::error::Result;
use crate::export::recipe::Recipe;
use crate::redact::Secrets;

/// Another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// curl, for the opening handshake.
    Curl,
    /// JavaScript's WebSocket.
    Js,
    /// Python's websockets.
    Python,
    /// websocat 1.
    Websocat,
    /// wscat 6.
    Wscat,
}

impl Tool {
    /// All tools, with their names.
    pub const ALL: [(&'static str, Tool); 5] = [
        ("curl", Tool::Curl),
        ("js", Tool::Js),
        ("python", Tool::Python),
        ("websocat", Tool::Websocat),
        ("wscat", Tool::Wscat),
    ];
}

/// The session's connection for a tool, escaped. Secrets are `***` unless the session or `secrets`
/// shows them.
///
/// # Errors
/// Exit 2 if a proxy in the environment is invalid.
pub fn export(tool: Tool, options: &OpenOptions, secrets: Secrets) -> Result<String> {
    let route = Route::new(options)?;
    let secrets = if secrets == Secrets::Shown { secrets } else { options.secrets };
    let recipe = Recipe::new(options, &route, secrets);
    Ok(match tool {
        Tool::Curl => command::curl(&recipe),
        Tool::Js => program::js(&recipe),
        Tool::Python => program::python(&recipe),
        Tool::Websocat => command::websocat(&recipe),
        Tool::Wscat => command::wscat(&recipe),
    })
}

#[cfg(test)]
mod tests;
