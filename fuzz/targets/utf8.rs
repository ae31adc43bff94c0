//! UTF-8 in pieces: the same verdict as std's in one, and at the first byte that can't be right.

#![no_main]

use wstap::protocol::utf8::Utf8;
use wstap_fuzz::{Input, pieces};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let seed = input.byte();
    let bytes = input.rest();
    let (whole, split) = (verdict(&[bytes]), verdict(&pieces(bytes, seed)));
    assert_eq!(whole, split);
    match std::str::from_utf8(bytes) {
        Ok(_) => assert_eq!(whole, Ok(true)),
        Err(e) if e.error_len().is_none() => assert_eq!(whole, Ok(false)),
        Err(_) => {
            let at = whole.expect_err("std finds a fault");
            let could_end = |end: &[u8]| {
                std::str::from_utf8(end).map_or_else(|e| e.error_len().is_none(), |_| true)
            };
            let cut = |to: usize| could_end(&bytes[..to]);
            assert!(cut(at) && !cut(at + 1), "byte {at} of {bytes:x?} is not the first wrong one");
        }
    }
});

/// Whether the text is whole at its end, or where the first wrong byte is.
fn verdict(pieces: &[&[u8]]) -> Result<bool, usize> {
    let (mut utf8, mut before) = (Utf8::default(), 0);
    for piece in pieces {
        utf8.feed(piece).map_err(|at| before + at)?;
        before += piece.len();
    }
    Ok(utf8.is_complete())
}
