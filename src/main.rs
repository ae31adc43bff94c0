//! The binary: parse, run, exit.

#![forbid(unsafe_code)]

use std::panic;
use std::process::{ExitCode, exit};

use wstap::error::Exit;
use wstap::sys::complain;

fn main() -> ExitCode {
    report_panics();
    let exit = wstap::cli::parse().and_then(wstap::commands::run).unwrap_or_else(|error| {
        complain(format_args!("wstap: {error}"));
        error.exit
    });
    ExitCode::from(exit as u8)
}

/// A panic on any thread is reported and ends the program at once: nothing unwinds.
fn report_panics() {
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        default_hook(info);
        let what = "this is a bug in wstap; please report it with the lines above";
        complain(format_args!("wstap: {what}"));
        exit(Exit::Bug as i32);
    }));
}
