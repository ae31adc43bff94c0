//! `--input json`: a line is a command that can be carried out, or an error that is safe to show.

#![no_main]

use wstap::protocol::frame::Opcode;
use wstap::run::command::Command;
use wstap::run::input::Piece;
use wstap::run::json::{self, Step};
use wstap_fuzz::{assert_harmless, assert_possible};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match json::step(&Piece { bytes: data, offset: 0, number: 1 }, false) {
        Ok(Step::Send(command)) => {
            assert_possible(&command);
            if let Command::Message { opcode: Opcode::Text, payload, .. } = &command {
                assert!(std::str::from_utf8(payload).is_ok());
            }
        }
        Ok(_) => {}
        Err(error) => assert_harmless(&error),
    }
});
