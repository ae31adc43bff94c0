//! An open connection: whatever arrives, in whatever pieces, the same is told as in one piece, and
//! nothing grows beyond the limits.

#![no_main]

use wstap::protocol::connection::{
    Config, Data, Delivery, Frame, FramePayload, Receiver, Side, Traffic,
};
use wstap::protocol::violation::{Policy, Rule};
use wstap_fuzz::{Input, params, pieces, sender};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let (flags, deflate, seed) = (input.byte(), input.byte(), input.byte());
    let bytes = input.rest();
    let small = flags & 0x10 != 0;
    let config = Config {
        side: if flags & 0x40 != 0 { Side::Server } else { Side::Client },
        deflate: (deflate & 0x80 != 0).then(|| params(deflate)),
        policy: if flags & 1 != 0 { Policy::Strict } else { Policy::Lenient },
        delivery: if flags & 2 != 0 { Delivery::Pieces } else { Delivery::Whole },
        frames: flags & 4 != 0,
        frame_payloads: flags & 8 != 0,
        max_message: if small { 100 } else { 1 << 20 },
        max_inflated: if small { 150 } else { 1 << 20 },
        max_fragments: if small { 3 } else { 1000 },
        pong: flags & 0x20 != 0,
        lossy: false,
    };
    let whole = run(config, &[bytes]);
    let split = run(config, &pieces(bytes, seed));
    assert_eq!(whole.told, split.told);
    assert_eq!(whole.sent, split.sent);
    // What was shown of a message or a frame that never ended may reach further in one piece.
    for (a, b) in [(&whole.unfinished, &split.unfinished), (&whole.shown, &split.shown)] {
        assert!(a.starts_with(b) || b.starts_with(a), "{a:02x?}\n{b:02x?}\n{:?}", whole.told);
    }
});

#[derive(Default)]
struct Told {
    told: Vec<String>,
    unfinished: Vec<u8>,
    shown: Vec<u8>,
    sent: Vec<u8>,
}

fn run(config: Config, pieces: &[&[u8]]) -> Told {
    let mut sender = sender(&config);
    let mut receiver = Receiver::new(config, b"");
    let mut told = Told::default();
    let mut length = 0;
    for mut piece in pieces.iter().copied() {
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(receiver.space().len()));
            assert!(!now.is_empty(), "there is no space");
            receiver.receive(now);
            piece = later;
            while let Some(incoming) = receiver.next(&mut sender) {
                see(incoming, &config, &mut told, &mut length);
            }
            assert!(!receiver.position().is_empty());
        }
    }
    if receiver.close_received().is_none() {
        assert_eq!(receiver.ignored(), 0);
    }
    if !receiver.has_failed() {
        assert_eq!(receiver.unread_after_failure(), 0);
    }
    assert!(receiver.handed_over().unwrap_or(0) <= receiver.unfinished());
    while sender.next().is_some() {}
    assert_eq!(sender.pending_bytes(), 0);
    told.sent = sender.transmit().to_vec();
    told
}

fn see(incoming: Traffic<'_>, config: &Config, told: &mut Told, length: &mut u64) {
    let text = match incoming {
        Traffic::Frame(Frame { header, offset, .. }) => format!("frame {offset} {header}"),
        Traffic::FramePayload(FramePayload { wire: bytes, .. }) => {
            told.shown.extend_from_slice(bytes);
            return;
        }
        Traffic::Data(Data {
            opcode, bytes, first, last, fragments, wire_len, compressed, ..
        }) => {
            *length = if first { 0 } else { *length } + bytes.len() as u64;
            let most = if compressed { config.max_inflated } else { config.max_message };
            assert!(*length <= most, "{length} bytes over the limit");
            assert!(fragments <= config.max_fragments);
            told.unfinished.extend_from_slice(bytes);
            if !last {
                return;
            }
            let data = std::mem::take(&mut told.unfinished);
            if opcode == wstap::protocol::frame::Opcode::Text {
                assert!(std::str::from_utf8(&data).is_ok());
            }
            format!("{opcode} {fragments} {wire_len} {compressed} {data:?}")
        }
        Traffic::Violation(v) => {
            // A guilty header is shown only if it was whole when its first bytes were judged.
            let shown = format!("frame {} ", v.offset);
            told.told.pop_if(|last| last.starts_with(&shown));
            match v.rule {
                // The evidence may show more bytes when more have come.
                Rule::Utf8 => format!("violation {:?}", v.rule),
                _ => format!("violation {:?} {} {}", v.rule, v.offset, v.detail),
            }
        }
        other => format!("{other:?}"),
    };
    told.told.push(text);
}
