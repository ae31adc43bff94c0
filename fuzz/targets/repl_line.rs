//! A line at the prompt: something that can be done, or an error that is safe to show.

#![no_main]

use wstap::protocol::frame::Opcode;
use wstap::repl;
use wstap::run::command::Command;
use wstap_fuzz::{assert_harmless, assert_possible};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(line) = std::str::from_utf8(data) else { return };
    let command = match repl::command(line) {
        Ok(Some(command)) => command,
        Ok(None) => return,
        Err(error) => return assert_harmless(&error),
    };
    assert_possible(&command);
    if !line.trim_start_matches(' ').starts_with('/') {
        assert_eq!(command, Command::Line(line.to_owned()));
    } else if let Command::Message { opcode: Opcode::Text, payload, .. } = &command {
        assert!(std::str::from_utf8(payload).is_ok());
    }
});
