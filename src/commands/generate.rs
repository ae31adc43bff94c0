//! `wstap generate`: the man page and the completions, from the clap definition.

use clap::CommandFactory;

use crate::cli::{Cli, Generated};
use crate::commands::man;
use crate::commands::print::print;
use crate::error::{Error, Exit, Result, Stage};

/// Writes it to standard output.
///
/// # Errors
/// Exit 13 if standard output can't be written.
pub fn run(what: Generated) -> Result<Exit> {
    print(&text(what)?)
}

/// The text itself.
///
/// # Errors
/// Exit 70: only a bug makes it fail.
pub fn text(what: Generated) -> Result<String> {
    let mut command = Cli::command();
    let mut bytes = Vec::new();
    match what {
        Generated::Completions(shell) => {
            clap_complete::generate(shell, &mut command, "wstap", &mut bytes);
        }
        Generated::Man => man::page(command, &mut bytes).map_err(|e| {
            Error::new(Stage::Output, Exit::Bug, format!("can't make the man page: {e}"))
        })?,
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(if what == Generated::Man { man::in_ascii(&text) } else { text.into_owned() })
}
