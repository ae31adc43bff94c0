//! What the targets share: an input taken apart, and bytes in pieces.

use wstap::cli::WORDS;
use wstap::error::{Error, Hint};
use wstap::protocol::connection::{Config, Masking, Sender};
use wstap::protocol::deflate::Params;
use wstap::protocol::frame::LengthForm;
use wstap::run::command::Command;
use wstap::text::is_dangerous;

/// An input whose first bytes decide, and whose rest is the data.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// The whole input.
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input(bytes)
    }

    /// The next deciding byte; 0 when there is none.
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }

    /// What was not taken yet.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// `bytes` in pieces: the seed says how long they are, from one byte to all of it.
pub fn pieces(bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    let most = [1, 2, 5, 16, 64, 300, 2000, 70_000][usize::from(seed & 7)];
    let mut state = u32::from(seed) | 0x1_0000;
    let (mut rest, mut all) = (bytes, Vec::new());
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = 1 + (state >> 8) as usize % most;
        let (piece, after) = rest.split_at(length.min(rest.len()));
        all.push(piece);
        rest = after;
    }
    all
}

/// Compression parameters from a byte: both flags, and the same window both ways.
pub fn params(byte: u8) -> Params {
    Params {
        server_no_context_takeover: byte & 0x10 != 0,
        client_no_context_takeover: byte & 0x20 != 0,
        server_max_window_bits: 8 + (byte & 7),
        client_max_window_bits: 8 + (byte & 7),
    }
}

/// A sender whose masking keys are all zero, so that what it sends is what a server would send but
/// for the MASK bit.
pub fn sender(config: &Config) -> Sender {
    let zero: Masking = Box::new(|bytes| bytes.fill(0));
    Sender::new(config, zero)
}

/// Whether what is shown of an error can do no harm on a terminal.
pub fn assert_harmless(error: &Error) {
    let error = error.clone().worded(WORDS);
    let hints = error.hints.iter().map(Hint::text);
    let said = [&error.what].into_iter().chain(&error.causes).map(|text| text.as_str().into());
    for line in said.chain(hints) {
        assert!(!line.chars().any(is_dangerous), "raw in an error: {line:?}");
    }
}

/// Whether a command that was read can be carried out as it was typed.
pub fn assert_possible(command: &Command) {
    match command {
        Command::Close(status) => assert!(status.encode().len() <= 125),
        Command::Ping(payload) | Command::Pong(payload) => assert!(payload.len() <= 125),
        Command::Frame(spec) => {
            let length = spec.length.unwrap_or(spec.payload.len() as u64);
            let most = match spec.length_form {
                Some(LengthForm::Bits7) => 125,
                Some(LengthForm::Bits16) => 0xffff,
                Some(LengthForm::Bits64) | None => u64::MAX,
            };
            assert!(length <= most, "{spec:?} says another length on the wire");
            assert!(spec.rsv < 8);
        }
        Command::Message { fragment, .. } => assert_ne!(*fragment, Some(0)),
        _ => {}
    }
}
