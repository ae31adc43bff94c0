//! The protocol as plays with a server in the leading part, and both sides against each other.

use proptest::prelude::*;
use wstap::protocol::close::{CloseCode, CloseStatus};
use wstap::protocol::connection::{Config, Counts, Delivery, RawFrame, Sender, Side, Traffic};
use wstap::protocol::deflate::Params;
use wstap::protocol::frame::{FrameHeader, Opcode};
use wstap::protocol::violation::Rule;

use crate::script::{KEY, Script, masked};
use crate::support::scripted::raw_frame as frame;

#[test]
fn the_masked_example_of_rfc_6455_5_7() {
    Script::server()
        .recv(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
        .expect_event("text 1 Hello")
        .recv(&masked(0x89, b"Hello"))
        .expect_event("ping Hello")
        .expect_send(&[0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
        .end();
    let mut script = Script::server();
    script.sender.message(Opcode::Text, b"Hello", None);
    script.sender.message(Opcode::Text, b"Hello", Some(3));
    assert_eq!(script.sender.counts(), Counts { bytes: 16, frames: 3 });
    script
        .expect_send(b"\x81\x05Hello\x01\x03Hel\x80\x02lo")
        .recv(&masked(0x88, b"\x0f\xa0bye"))
        .expect_event("close 4000 bye")
        .expect_send(b"\x88\x05\x0f\xa0bye")
        .end();
}

#[test]
fn frames_made_by_hand_may_be_masked_by_a_server_too() {
    let mut script = Script::server();
    let mut header = FrameHeader::new(Opcode::Text, 2);
    header.masking_key = Some(script.sender.masking_key());
    script.sender.raw(&RawFrame { header, payload: b"hi".to_vec() });
    script.sender.raw_bytes(b"\x81");
    script.expect_send(&[&masked(0x81, b"hi")[..], b"\x81"].concat()).end();
}

#[test]
fn messages_of_every_size_are_unmasked_at_every_way_through_the_buffer() {
    for size in [0_usize, 1, 125, 126, 65_535, 65_536, 131_072, 131_073, 300_000, 1 << 20, 3 << 20]
    {
        let text: String = (0..size).map(|i| char::from(b'a' + (i % 23) as u8)).collect();
        for delivery in [Delivery::Pieces, Delivery::Whole] {
            let config = Config { side: Side::Server, delivery, ..Config::default() };
            let mut sender = Sender::new(&Config::default(), Box::new(|key| key.fill(0x5a)));
            sender.message(Opcode::Text, text.as_bytes(), None);
            sender.message(Opcode::Binary, text.as_bytes(), Some(70_000));
            let fragments = size.div_ceil(70_000).max(1);
            Script::with(config)
                .recv(sender.transmit())
                .expect_event(&format!("text 1 {text}"))
                .expect_event(&format!("binary {fragments} {text}"))
                .end();
        }
    }
}

#[test]
fn a_server_names_every_violation_at_every_split() {
    for (rule, bytes, code) in [
        (Rule::Unmasked, frame(0x81, b"Hello"), 1002),
        (Rule::Unmasked, frame(0x89, b""), 1002),
        (Rule::Unmasked, frame(0x01, vec![b'x'; 300]), 1002),
        (Rule::ReservedOpcode, masked(0x83, b""), 1002),
        (Rule::ReservedBit, masked(0xc1, b""), 1002),
        (Rule::ControlFragmented, masked(0x09, b""), 1002),
        (Rule::ControlLength, masked(0x89, [b'x'; 126]), 1002),
        (Rule::Orphan, masked(0x80, b"a"), 1002),
        (Rule::Interleaved, [masked(0x01, b"a"), masked(0x81, b"b")].concat(), 1002),
        (Rule::CloseLength, masked(0x88, b"\x03"), 1002),
        (Rule::CloseCode, masked(0x88, b"\x03\xee"), 1002),
        (Rule::CloseReason, masked(0x88, b"\x03\xe8\xff"), 1007),
        (Rule::Utf8, masked(0x81, b"ab\xc3\x28"), 1007),
        (Rule::Utf8, masked(0x81, b"a\xc3"), 1007),
        (Rule::Utf8, [masked(0x01, b"\xc3"), masked(0x80, b"\x28")].concat(), 1007),
    ] {
        let mut stream = masked(0x81, b"before");
        stream.extend_from_slice(&bytes);
        stream.extend_from_slice(&masked(0x81, b"after"));
        for cut in 0..stream.len() {
            let closing = CloseStatus::new(CloseCode(code), rule.name()).encode();
            Script::server()
                .recv(&stream[..cut])
                .recv(&stream[cut..])
                .expect_event("text 1 before")
                .expect_event(&format!("violation {}", rule.name()))
                .expect_send(&frame(0x88, closing))
                .end();
        }
    }
}

#[test]
fn evidence_of_bad_text_is_unmasked() {
    let mut script = Script::server();
    script.receiver.receive(&masked(0x81, b"abc\xff"));
    match script.receiver.next(&mut script.sender) {
        Some(Traffic::Violation(violation)) => {
            assert_eq!((violation.bytes.as_slice(), violation.offset), (&b"abc\xff"[..], 6));
        }
        other => panic!("{other:?}"),
    };
}

#[test]
fn frame_payloads_are_shown_as_they_are_on_the_wire() {
    let config =
        Config { side: Side::Server, frames: true, frame_payloads: true, ..Config::default() };
    let bytes = masked(0x81, b"Hello");
    let key = Some(KEY);
    Script::with(config)
        .recv(&bytes[..8])
        .recv(&bytes[8..])
        .recv(&masked(0x89, b"Hello"))
        .expect_event(
            "frame 0+6 FIN=1 RSV=000 opcode=text (0x1) MASK=1 length=5 (7-bit) key=37fa213d",
        )
        .expect_event(&format!("payload 0 {key:?} [7f, 9f]"))
        .expect_event(&format!("payload 2 {key:?} [4d, 51, 58]"))
        .expect_event("text 1 Hello")
        .expect_event(
            "frame 11+6 FIN=1 RSV=000 opcode=ping (0x9) MASK=1 length=5 (7-bit) key=37fa213d",
        )
        .expect_event(&format!("payload 0 {key:?} [7f, 9f, 4d, 51, 58]"))
        .expect_event("ping Hello")
        .expect_send(b"\x8a\x05Hello")
        .end();
    // The short way shows headers too, and who begins to look sees nothing unmasked.
    let mut script = Script::with(Config { side: Side::Server, frames: true, ..Config::default() });
    script.take(&bytes);
    script.take(&bytes[..8]);
    script.receiver.show(true, true);
    script.take(&bytes[8..]);
    script
        .expect_event(
            "frame 0+6 FIN=1 RSV=000 opcode=text (0x1) MASK=1 length=5 (7-bit) key=37fa213d",
        )
        .expect_event("text 1 Hello")
        .expect_event(
            "frame 11+6 FIN=1 RSV=000 opcode=text (0x1) MASK=1 length=5 (7-bit) key=37fa213d",
        )
        .expect_event(&format!("payload 2 {key:?} [4d, 51, 58]"))
        .expect_event("text 1 Hello")
        .end();
}

/// What one endpoint sends arrives at the other as it was, whatever was agreed and however the
/// bytes come.
fn round_trip(
    from: Side,
    config: Config,
    messages: &[(String, bool, usize)],
    cuts: &[usize],
) -> Result<(), TestCaseError> {
    let mut out = Script::with(Config { side: from, ..config });
    let mut expected = Vec::new();
    for (text, binary, size) in messages {
        let opcode = if *binary { Opcode::Binary } else { Opcode::Text };
        let data = out.sender.message(opcode, text.as_bytes(), Some(*size));
        expected.push(format!("{opcode} {} {text}", data.fragments));
        out.sender.ping(b"?");
        expected.push("ping ?".to_owned());
    }
    let mut script = Script::with(Config { side: from.peer(), ..config });
    let (mut rest, mut lengths) = (out.sender.transmit(), cuts.iter().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
        script.take(now);
        rest = later;
    }
    prop_assert_eq!(&script.events, &expected);
    prop_assert_eq!(script.receiver.counts(), out.sender.counts());
    // And the pongs on the way back.
    let n = script.sender.transmit().len();
    out.take(&script.sender.transmit()[..n]);
    prop_assert_eq!(out.events, vec!["pong ?"; messages.len()]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_one_side_sends_the_other_reads(
        messages in prop::collection::vec(("\\PC{0,200}", any::<bool>(), 1..40usize), 1..8),
        cuts in prop::collection::vec(1..50usize, 1..20),
        deflate in any::<bool>(),
        no_context in any::<(bool, bool)>(),
        bits in (8..=15u8, 8..=15u8),
        pieces in any::<bool>(),
    ) {
        let params = Params {
            client_no_context_takeover: no_context.0,
            server_no_context_takeover: no_context.1,
            client_max_window_bits: bits.0,
            server_max_window_bits: bits.1,
        };
        let config = Config {
            deflate: deflate.then_some(params),
            delivery: if pieces { Delivery::Pieces } else { Delivery::Whole },
            ..Config::default()
        };
        for side in [Side::Client, Side::Server] {
            round_trip(side, config, &messages, &cuts)?;
        }
    }

    /// Whatever arrives at a server, nothing panics, and after a failure nothing more is told.
    #[test]
    fn anything_may_arrive_at_a_server(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        deflate in any::<bool>(),
        shown in any::<bool>(),
    ) {
        let config = Config {
            side: Side::Server,
            deflate: deflate.then(Params::default),
            frames: shown,
            frame_payloads: shown,
            ..Config::default()
        };
        let mut script = Script::with(config);
        script.take(&bytes);
        let ends = |e: &String| e.starts_with("violation") || e.starts_with("close");
        let final_at = script.events.iter().position(ends);
        prop_assert!(final_at.is_none_or(|at| at + 1 == script.events.len()));
    }
}
