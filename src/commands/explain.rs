//! `wstap explain`: of words, or for `-` of what standard input gives.

use std::io::{IsTerminal, Read};

use crate::commands::print::print;
use crate::error::{Error, Exit, Result, Stage};
use crate::explain;
use crate::sys::{self, Blocking, Role};
use crate::text::system::reason;

/// The most that is read from standard input, in bytes.
const LONGEST: u64 = 4 << 20;

/// Prints an explanation.
///
/// # Errors
/// Exit 2 for what isn't known; exit 13 if standard input or output fails.
pub fn run(words: &[String]) -> Result<Exit> {
    match words {
        [word] if word == "-" => print(&explain::explain_input(&input()?)?),
        words => print(&explain::explain(words)?),
    }
}

fn input() -> Result<Vec<u8>> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        sys::complain(format_args!("* paste the bytes, then press Enter and Ctrl-D"));
    }
    let mut bytes = Vec::new();
    Blocking(Role::Stdin, stdin).take(LONGEST + 1).read_to_end(&mut bytes).map_err(|e| {
        let what = format!("can't read standard input: {}", reason(&e));
        Error::new(Stage::Input, Exit::Local, what)
    })?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::usage(format!("standard input is longer than {LONGEST} bytes"))
            .hint("the first frames are enough: head -c 1M | wstap explain -"));
    }
    Ok(bytes)
}
