//! How fast the parts are that touch every byte or every message, by the size of a message.
//!
//! `cargo bench` runs all, `cargo bench -- decode` one. Each iteration moves a batch of at least
//! [`BATCH`] bytes of payload; the throughput counts payload bytes.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use divan::counter::BytesCount;
use divan::{Bencher, Divan};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use wstap::event::{Data, Direction, Event, Moment, Stamped};
use wstap::protocol::connection::{Config, Delivery, Receiver, Sender, Side};
use wstap::protocol::deflate::{Deflate, Inflate, Params};
use wstap::protocol::frame::{FrameHeader, Opcode};
use wstap::protocol::mask;
use wstap::protocol::utf8::Utf8;
use wstap::report::Reporter;
use wstap::report::json::Json;
use wstap::text::{Untrusted, UntrustedLines};

/// Of a message, in bytes.
const SIZES: [usize; 5] = [16, 100, 1 << 10, 64 << 10, 16 << 20];

/// The least payload of one iteration, in bytes.
const BATCH: usize = 64 << 10;

/// Of one read from a socket, in bytes.
const READ: usize = 64 << 10;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn main() {
    // Enough for a steady median; --max-time of the command line goes before it.
    Divan::default().max_time(Duration::from_millis(500)).config_with_args().main();
}

#[divan::bench(args = SIZES)]
fn decode(bencher: Bencher<'_, '_>, size: usize) {
    let texts = texts(size);
    let config = Config { delivery: Delivery::Pieces, ..Config::default() };
    let mut stream = Vec::new();
    for text in &texts {
        FrameHeader::new(Opcode::Text, text.len() as u64).encode(&mut stream);
        stream.extend_from_slice(text.as_bytes());
    }
    let mut sender = sender(&config);
    let mut receiver = Receiver::new(config, &[]);
    bencher.counter(bytes(&texts)).bench_local(|| {
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let space = receiver.space();
            let n = space.len().min(rest.len()).min(READ);
            space[..n].copy_from_slice(&rest[..n]);
            receiver.received(n);
            rest = &rest[n..];
            while let Some(incoming) = receiver.next(&mut sender) {
                black_box(incoming);
            }
        }
    });
    assert!(!receiver.has_failed());
}

#[divan::bench(args = SIZES)]
fn encode(bencher: Bencher<'_, '_>, size: usize) {
    let texts = texts(size);
    let mut sender = sender(&Config::default());
    bencher.counter(bytes(&texts)).bench_local(|| {
        for text in &texts {
            sender.message(Opcode::Text, text.as_bytes(), None);
        }
        let n = black_box(sender.transmit()).len();
        sender.transmitted(n);
    });
}

#[divan::bench(args = SIZES)]
fn masking(bencher: Bencher<'_, '_>, size: usize) {
    let mut texts: Vec<_> = texts(size).into_iter().map(String::into_bytes).collect();
    bencher.counter(bytes(&texts)).bench_local(|| {
        for text in &mut texts {
            mask::apply(black_box(text), KEY, 0);
        }
    });
}

#[divan::bench(args = SIZES)]
fn utf8(bencher: Bencher<'_, '_>, size: usize) {
    let texts = texts(size);
    bencher.counter(bytes(&texts)).bench_local(|| {
        texts.iter().all(|text| {
            let mut utf8 = Utf8::default();
            utf8.feed(black_box(text.as_bytes())).is_ok() && utf8.is_complete()
        })
    });
}

#[divan::bench(args = SIZES)]
fn inflate(bencher: Bencher<'_, '_>, size: usize) {
    let texts = texts(size);
    let mut deflate = Deflate::new(Params::default(), Side::Client);
    let compressed: Vec<Vec<u8>> = texts
        .iter()
        .map(|text| {
            let mut out = Vec::new();
            deflate.message(text.as_bytes(), &mut out);
            out
        })
        .collect();
    let mut out = Vec::with_capacity(READ);
    // The window goes on from message to message, so each iteration begins with an empty one.
    bencher
        .counter(bytes(&texts))
        .with_inputs(|| Inflate::new(Params::default(), Side::Client))
        .bench_local_refs(|inflate| {
            for message in &compressed {
                let mut rest = &message[..];
                while !rest.is_empty() {
                    out.clear();
                    let used = inflate.inflate(rest, &mut out, READ).expect("our own stream");
                    rest = &rest[used..];
                }
                out.clear();
                while !inflate.finish(&mut out, READ).expect("a whole message") {
                    out.clear();
                }
            }
        });
}

#[divan::bench(args = SIZES)]
fn deflate(bencher: Bencher<'_, '_>, size: usize) {
    let texts = texts(size);
    let mut deflate = Deflate::new(Params::default(), Side::Client);
    let mut out = Vec::new();
    bencher.counter(bytes(&texts)).bench_local(|| {
        for text in &texts {
            out.clear();
            deflate.message(text.as_bytes(), &mut out);
        }
    });
}

#[divan::bench(args = SIZES)]
fn escape_one_line(bencher: Bencher<'_, '_>, size: usize) {
    let texts = texts(size);
    let mut out = String::new();
    bencher.counter(bytes(&texts)).bench_local(|| {
        for text in &texts {
            out.clear();
            write!(out, "{}", Untrusted::text(black_box(text))).expect("memory");
        }
    });
}

#[divan::bench(args = SIZES)]
fn escape_lines(bencher: Bencher<'_, '_>, size: usize) {
    let texts = texts(size);
    let mut out = Vec::new();
    bencher.counter(bytes(&texts)).bench_local(|| {
        for text in &texts {
            out.clear();
            write!(out, "{}", UntrustedLines(black_box(text.as_bytes()))).expect("memory");
        }
    });
}

#[divan::bench(args = SIZES)]
fn json_events(bencher: Bencher<'_, '_>, size: usize) {
    let texts = texts(size);
    let since = Duration::from_micros(1_234_567);
    let at = Moment { wall: UNIX_EPOCH + Duration::from_secs(1_735_689_600), since };
    let mut json = Json::new(0);
    let mut out = Vec::new();
    bencher.counter(bytes(&texts)).bench_local(|| {
        out.clear();
        for (seq, text) in (1..).zip(&texts) {
            let data = Data {
                direction: Direction::In,
                opcode: Opcode::Text,
                bytes: text.as_bytes(),
                first: true,
                last: true,
                fragments: 1,
                wire_len: text.len() as u64,
                compressed: false,
            };
            json.event(&Stamped { at, seq, client: None, event: &Event::Data(data) }, &mut out)
                .expect("memory");
        }
    });
}

/// A batch of texts of `size` bytes each: records as people send them, with a line end and some
/// characters beyond ASCII here and there.
fn texts(size: usize) -> Vec<String> {
    let mut number = 0_u64;
    let mut text = || {
        let mut text = String::with_capacity(size + 64);
        while text.len() < size {
            number += 1;
            let _ = writeln!(text, "{{\"n\":{number},\"at\":\"Zürich\",\"€\":{}}}", number * 7_919);
        }
        let mut end = size;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.extend(std::iter::repeat_n('.', size - end));
        text
    };
    (0..BATCH.div_ceil(size)).map(|_| text()).collect()
}

fn bytes(messages: &[impl AsRef<[u8]>]) -> BytesCount {
    BytesCount::new(messages.iter().map(|message| message.as_ref().len()).sum::<usize>())
}

fn sender(config: &Config) -> Sender {
    let mut cipher = StdRng::seed_from_u64(0);
    Sender::new(config, Box::new(move |block| cipher.fill_bytes(block)))
}
