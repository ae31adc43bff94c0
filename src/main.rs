//! The binary: parse, run, exit.

#![forbid(unsafe_code)]

use std::panic::catch_unwind;
use std::process::ExitCode;

use wstap::error::Exit;
use wstap::sys::complain;

fn main() -> ExitCode {
    let run = || wstap::cli::parse().and_then(wstap::commands::run);
    let exit = match catch_unwind(run) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            complain(format_args!("wstap: {error}"));
            error.exit
        }
        Err(_) => {
            let what = "this is a bug in wstap; please report it with the lines above";
            complain(format_args!("wstap: {what}"));
            Exit::Bug
        }
    };
    ExitCode::from(exit as u8)
}
