//! `wstap generate`: the man page and the completions, from the clap definition.

use clap::CommandFactory;

use crate::cli::{Cli, Generated};
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
        Generated::Man => man(command, &mut bytes).map_err(|e| {
            Error::new(Stage::Output, Exit::Bug, format!("can't make the man page: {e}"))
        })?,
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One page: the connection's options, then each verb with its own.
fn man(mut command: clap::Command, out: &mut Vec<u8>) -> std::io::Result<()> {
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    for verb in command.get_subcommands() {
        let heading = format!("WSTAP {}", verb.get_name().to_uppercase());
        out.extend_from_slice(format!(".SH \"{heading}\"\n").as_bytes());
        let mut section = Vec::new();
        let page = clap_mangen::Man::new(verb.clone());
        page.render_description_section(&mut section)?;
        page.render_options_section(&mut section)?;
        let section = String::from_utf8_lossy(&section)
            .replace(".SH DESCRIPTION\n", "")
            .replace(".SH OPTIONS\n", ".PP\n");
        out.extend_from_slice(section.as_bytes());
    }
    page.render_extra_section(out)?;
    page.render_version_section(out)
}
