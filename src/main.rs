//! The binary: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    let exit = match wstap::commands::run(wstap::cli::parse()) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("wstap: {error}");
            error.exit
        }
    };
    ExitCode::from(exit as u8)
}
