//! Compression: what one side makes the other reads, and what nobody made is bounded.

#![no_main]

use wstap::protocol::connection::Side;
use wstap::protocol::deflate::{Deflate, Inflate, InflateError};
use wstap_fuzz::{Input, params, pieces};

/// The most that is inflated of one input.
const MOST: usize = 1 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let (choice, seed, room) = (input.byte(), input.byte(), input.byte());
    let room = 1 + usize::from(room) * 37;
    let bytes = input.rest();
    let params = params(choice);
    if choice & 0x80 != 0 {
        let (mut deflate, mut inflate) =
            (Deflate::new(params, Side::Client), Inflate::new(params, Side::Server));
        for message in pieces(bytes, seed) {
            let mut wire = Vec::new();
            deflate.message(message, &mut wire);
            let back = run(&mut inflate, &pieces(&wire, seed.rotate_left(3)), room);
            assert_eq!(back.as_deref(), Ok(message));
        }
        return;
    }
    let (mut one, mut other) =
        (Inflate::new(params, Side::Client), Inflate::new(params, Side::Client));
    // Several messages, so that a window and a state are left behind.
    for message in bytes.chunks(1 + usize::from(seed)) {
        let whole = run(&mut one, &[message], MOST);
        let split = run(&mut other, &pieces(message, seed), room);
        assert_eq!(whole, split);
        if whole.is_err() {
            return;
        }
    }
});

fn run(inflate: &mut Inflate, pieces: &[&[u8]], room: usize) -> Result<Vec<u8>, InflateError> {
    let (mut out, mut all) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let used = inflate.inflate(rest, &mut out, room)?;
            assert!(used > 0 || !out.is_empty(), "no way on");
            hand_over(&mut out, &mut all, room);
            rest = &rest[used..];
        }
    }
    while !inflate.finish(&mut out, room)? {
        assert!(!out.is_empty(), "no way on");
        hand_over(&mut out, &mut all, room);
    }
    hand_over(&mut out, &mut all, room);
    Ok(all)
}

fn hand_over(out: &mut Vec<u8>, all: &mut Vec<u8>, room: usize) {
    assert!(out.len() <= room, "{} bytes where there is room for {room}", out.len());
    assert!(out.capacity() <= room.max(16 << 10) * 2 + 64, "{} bytes taken", out.capacity());
    all.append(out);
    // Longer than anything a corpus entry can make by design: 4096 bytes at 1032 to 1.
    assert!(all.len() <= 4 * MOST + 4096 * 8);
}
