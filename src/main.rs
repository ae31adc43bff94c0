//! The binary: parse, run, exit.

#![forbid(unsafe_code)]

use std::panic::catch_unwind;
use std::process::ExitCode;

use wstap::error::Exit;

fn main() -> ExitCode {
    let run = || wstap::cli::parse().and_then(wstap::commands::run);
    let exit = match catch_unwind(run) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            eprintln!("wstap: {error}");
            error.exit
        }
        Err(_) => {
            eprintln!("wstap: this is a bug in wstap; please report it with the lines above");
            Exit::Bug
        }
    };
    ExitCode::from(exit as u8)
}
