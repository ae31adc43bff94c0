//! The protocol as plays: bytes in, events and bytes out, at every split of the bytes.

use proptest::prelude::*;
use wstap::protocol::close::{CloseCode, CloseStatus};
use wstap::protocol::connection::{
    Config, Counts, Data, Delivery, Direction, Frame, RawFrame, ReadyState, Sender, Traffic,
};
use wstap::protocol::deflate::Params;
use wstap::protocol::frame::{FrameHeader, LengthForm, Opcode};
use wstap::protocol::mask;
use wstap::protocol::violation::{Policy, Rule};

use crate::script::{KEY, Script, masked};
use crate::support::scripted::raw_frame as frame;

fn close(code: u16, reason: &str) -> Vec<u8> {
    masked(0x88, [&code.to_be_bytes()[..], reason.as_bytes()].concat())
}

#[test]
fn the_examples_of_rfc_6455_5_7() {
    Script::client()
        .recv(&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
        .expect_event("text 1 Hello")
        .recv(&[0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f])
        .expect_event("text 2 Hello")
        .recv(&[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
        .expect_event("ping Hello")
        .expect_send(&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
        .end();
    let mut script = Script::client();
    script.sender.message(Opcode::Text, b"Hello", None);
    script.expect_send(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]).end();
    for (len, form) in [(256, LengthForm::Bits16), (65536, LengthForm::Bits64)] {
        let payload = vec![b'x'; len];
        let bytes = frame(0x82, &payload);
        assert_eq!(FrameHeader::parse(&bytes).unwrap().0.length_form, form);
        let text = String::from_utf8(payload).unwrap();
        Script::client().recv(&bytes).expect_event(&format!("binary 1 {text}")).end();
    }
}

#[test]
fn a_close_is_answered_with_its_code_and_what_follows_is_ignored() {
    let mut bytes = frame(0x88, b"\x0f\xa0bye");
    bytes.extend_from_slice(&frame(0x81, b"late"));
    let script = Script::client().recv(&bytes).expect_event("close 4000 bye");
    assert_eq!(script.receiver.ignored(), 6);
    script.expect_send(&close(4000, "")).end();
    Script::client()
        .recv(&frame(0x88, b""))
        .expect_event("close none ")
        .expect_send(&masked(0x88, b""))
        .end();
    let longest = [&[0x03, 0xe8][..], &[b'x'; 123]].concat();
    Script::client()
        .recv(&frame(0x88, &longest))
        .expect_event(&format!("close 1000 {}", "x".repeat(123)))
        .expect_send(&close(1000, ""))
        .end();
}

#[test]
fn our_own_close_comes_first_and_is_not_repeated() {
    let mut script = Script::client();
    script.sender.close(&CloseStatus::new(CloseCode::NORMAL, "done"));
    script.sender.close(&CloseStatus::new(CloseCode::GOING_AWAY, ""));
    script
        .expect_send(&close(1000, "done"))
        .recv(&frame(0x81, b"still here"))
        .expect_event("text 1 still here")
        .recv(&frame(0x88, b"\x03\xe8"))
        .expect_event("close 1000 ")
        .end();
}

/// Every rule: the bytes that break it, and the code of the Close frame that answers.
fn violations() -> Vec<(Rule, Vec<u8>, u16)> {
    let mut all = vec![
        (Rule::Masked, vec![0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1002),
        (Rule::ControlLength, vec![0x89, 0x7e, 0x00, 0x7e], 1002),
        (Rule::ControlLength, vec![0x88, 0x7f, 0, 0, 0, 0, 0, 0, 0, 2], 1002),
        (Rule::ControlFragmented, vec![0x09, 0x00], 1002),
        (Rule::Orphan, vec![0x80, 0x00], 1002),
        (Rule::Orphan, vec![0x00, 0x01, 0x61], 1002),
        (Rule::Interleaved, vec![0x01, 0x01, 0x61, 0x81, 0x01, 0x62], 1002),
        (Rule::LengthTopBit, vec![0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002),
        (Rule::CloseLength, vec![0x88, 0x01, 0x03], 1002),
        (Rule::CloseReason, vec![0x88, 0x03, 0x03, 0xe8, 0xff], 1007),
        (Rule::Utf8, vec![0x81, 0x02, 0xc3, 0x28], 1007),
        (Rule::Utf8, vec![0x81, 0x02, 0x61, 0xc3], 1007),
        (Rule::Utf8, vec![0x01, 0x01, 0xc3, 0x80, 0x01, 0x28], 1007),
        (Rule::Utf8, vec![0x01, 0x01, 0xc3, 0x80, 0x00], 1007),
    ];
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        all.push((Rule::ReservedOpcode, vec![0x80 | opcode, 0x00], 1002));
    }
    for rsv in 1..8 {
        for opcode in [1, 2, 8, 9, 10] {
            all.push((Rule::ReservedBit, vec![0x80 | rsv << 4 | opcode, 0x00], 1002));
        }
    }
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let [a, b] = code.to_be_bytes();
        all.push((Rule::CloseCode, vec![0x88, 0x02, a, b], 1002));
    }
    all
}

#[test]
fn every_violation_is_named_answered_and_final_at_every_split() {
    for (rule, bytes, code) in violations() {
        let mut stream = frame(0x81, b"before");
        stream.extend_from_slice(&bytes);
        stream.extend_from_slice(&frame(0x81, b"after"));
        for cut in 0..stream.len() {
            let script = Script::client().recv(&stream[..cut]).recv(&stream[cut..]);
            let violation = format!("violation {}", rule.name());
            script
                .expect_event("text 1 before")
                .expect_event(&violation)
                .expect_send(&close(code, rule.name()))
                .end();
        }
    }
}

#[test]
fn a_length_that_is_too_long_warns_or_fails_when_strict() {
    let bytes = [0x81, 0x7e, 0x00, 0x02, b'h', b'i'];
    Script::client()
        .recv(&bytes)
        .expect_event("warning non-minimal-length")
        .expect_event("text 1 hi")
        .end();
    let strict = Config { policy: Policy::Strict, ..Config::default() };
    Script::with(strict)
        .recv(&bytes)
        .expect_event("violation non-minimal-length")
        .expect_send(&close(1002, "non-minimal-length"))
        .end();
}

#[test]
fn limits_are_hit_at_header_time() {
    let limit = |config: Config, bytes: &[u8]| {
        let script = Script::with(config).recv(bytes);
        assert!(script.events[0].starts_with("limit"), "{:?}", script.events);
        assert!(script.receiver.has_failed());
        script.sender.close_sent().unwrap().code.unwrap()
    };
    for length in [(64u64 << 20) + 1, 1 << 32, 1 << 62, (1 << 63) - 1] {
        let mut header = vec![0x82, 0x7f];
        header.extend_from_slice(&length.to_be_bytes());
        assert_eq!(limit(Config::default(), &header), CloseCode::TOO_BIG);
    }
    let small = Config { max_message: 10, ..Config::default() };
    let parts = [frame(0x01, b"123456"), frame(0x80, b"78901")].concat();
    assert_eq!(limit(small, &parts), CloseCode::TOO_BIG);
    let few = Config { max_fragments: 3, ..Config::default() };
    let parts = [frame(0x01, b""), frame(0, b"").repeat(2)].concat();
    assert_eq!(limit(few, &[parts, frame(0x80, b"")].concat()), CloseCode::TOO_BIG);
    let exact = [frame(0x01, b"a"), frame(0x00, b"b"), frame(0x80, b"c")].concat();
    Script::with(few).recv(&exact).expect_event("text 3 abc").end();
}

#[test]
fn utf8_fails_at_the_byte_in_an_unfinished_frame() {
    let script = Script::client().recv(&[0x81, 0x7e, 0x01, 0x00, b'a', 0xf4, 0x90]);
    script.expect_event("violation utf8").expect_send(&close(1007, "utf8")).end();
}

#[test]
fn pongs_are_coalesced_when_they_can_not_be_sent() {
    let mut script = Script::client();
    let ping = frame(0x89, [b'p'; 125]);
    for _ in 0..40_000 {
        script.take(&ping);
        script.events.clear();
    }
    script.take(&frame(0x89, b"last"));
    // Also where there is nobody to take the events.
    assert!(script.sender.pending_bytes() < (1 << 20) + 300, "{}", script.sender.pending_bytes());
    while script.sender.next().is_some() {}
    assert!(script.sender.buffered() < (1 << 20) + 200, "{}", script.sender.buffered());
    let queued = script.sender.transmit().len();
    script.sender.transmitted(queued);
    script.sender.settle();
    script.events.clear();
    script.expect_send(&masked(0x8a, b"last")).end();
}

#[test]
fn frames_and_payloads_are_shown_if_wanted() {
    let config = Config { frames: true, frame_payloads: true, ..Config::default() };
    let mut script = Script::with(config);
    script.take(&[0x01, 0x03, 0x48]);
    script.take(&[0x65, 0x6c, 0x89, 0x00, 0x80, 0x00]);
    script
        .expect_event("frame 0+2 FIN=0 RSV=000 opcode=text (0x1) MASK=0 length=3 (7-bit)")
        .expect_event("payload 0 None [48]")
        .expect_event("payload 1 None [65, 6c]")
        .expect_event("frame 5+2 FIN=1 RSV=000 opcode=ping (0x9) MASK=0 length=0 (7-bit)")
        .expect_event("ping ")
        .expect_event("frame 7+2 FIN=1 RSV=000 opcode=continuation (0x0) MASK=0 length=0 (7-bit)")
        .expect_event("text 2 Hel")
        .expect_send(&masked(0x8a, b""))
        .end();
}

#[test]
fn payloads_are_shown_without_their_headers_if_that_is_wanted() {
    let config = Config { frame_payloads: true, ..Config::default() };
    Script::with(config)
        .recv(&frame(0x81, b"hi"))
        .expect_event("payload 0 None [68, 69]")
        .expect_event("text 1 hi")
        .end();
}

/// What the sender tells, as short texts.
fn told(sender: &mut Sender) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(traffic) = sender.next() {
        all.push(match traffic {
            Traffic::Data(data) => {
                let Data { opcode, bytes, first, last, fragments, wire_len, compressed, .. } = data;
                assert!(first && last);
                let bytes = bytes.escape_ascii();
                format!("{opcode} {bytes} in {fragments}, {wire_len} {compressed}")
            }
            Traffic::Frame(Frame { header, bytes, offset, .. }) => {
                let FrameHeader { opcode, fin, rsv1, .. } = header;
                let (fin, rsv1) = (u8::from(fin), u8::from(rsv1));
                format!("frame {offset} {opcode} {fin} {rsv1} {}", bytes.len())
            }
            Traffic::FramePayload(payload) => {
                format!("payload {} {:02x?}", payload.offset, payload.wire)
            }
            Traffic::Ping { payload, .. } => format!("ping {}", payload.escape_ascii()),
            Traffic::Pong { payload, .. } => format!("pong {}", payload.escape_ascii()),
            Traffic::Close { status, .. } => format!("close {:?}", status.code),
            other => panic!("{other:?}"),
        });
    }
    all
}

#[test]
fn sent_frames_are_shown_if_wanted() {
    let config = Config { frames: true, ..Config::default() };
    let mut script = Script::with(config);
    script.sender.message(Opcode::Text, b"Hello", Some(3));
    assert_eq!(
        told(&mut script.sender),
        [
            "frame 0 text 0 0 6",
            "payload 0 [7f, 9f, 4d]",
            "frame 9 continuation 1 0 6",
            "payload 0 [5b, 95]",
        ]
    );
}

#[test]
fn what_is_queued_is_told_once_in_its_order_also_after_it_was_transmitted() {
    let mut script = Script::client();
    script.sender.show(true, true);
    script.sender.message(Opcode::Text, b"Hello", Some(3));
    script.sender.ping(b"you?");
    script.take(&frame(0x89, b"me?"));
    script.sender.raw_bytes(b"anything");
    let raw = RawFrame { header: FrameHeader::new(Opcode::Pong, 0), payload: Vec::new() };
    script.sender.raw(&raw);
    script.sender.close(&CloseStatus::new(CloseCode::NORMAL, ""));
    let n = script.sender.transmit().len();
    assert_eq!(n, 9 + 8 + 10 + 9 + 8 + 2 + 8);
    script.sender.transmitted(n);
    // At least the payloads, and the frames without what is raw.
    assert!(script.sender.pending_bytes() > 5 + 4 + 3 + 2 + n - 8);
    assert_eq!(
        told(&mut script.sender),
        [
            "text Hello in 2, 5 false",
            "frame 0 text 0 0 6",
            "payload 0 [7f, 9f, 4d]",
            "frame 9 continuation 1 0 6",
            "payload 0 [5b, 95]",
            "ping you?",
            "frame 17 ping 1 0 6",
            "payload 0 [4e, 95, 54, 02]",
            "pong me?",
            "frame 27 pong 1 0 6",
            "payload 0 [5a, 9f, 1e]",
            "frame 44 pong 1 0 2",
            "close Some(CloseCode(1000))",
            "frame 46 close 1 0 6",
            "payload 0 [34, 12]",
        ]
    );
    assert_eq!(script.sender.pending_bytes(), 0);
    // Of what was sent before anybody looked, only control frames are told.
    script.sender.show(false, false);
    script.sender.message(Opcode::Text, b"Hello", None);
    script.sender.pong(b"");
    script.sender.show(true, true);
    assert_eq!(told(&mut script.sender), ["pong "]);
}

#[test]
fn who_begins_to_look_sees_from_there_on() {
    let mut script = Script::client();
    script.take(&frame(0x81, b"before"));
    script.sender.ping(b"");
    script.receiver.show(true, true);
    script.sender.show(false, true);
    script.take(&frame(0x81, b"hi"));
    script.sender.pong(b"");
    assert_eq!(told(&mut script.sender), ["ping ", "pong ", "frame 6 pong 1 0 6"]);
    let counts = Counts { bytes: 12, frames: 2 };
    assert_eq!((script.receiver.counts(), script.sender.counts()), (counts, counts));
    script.receiver.show(false, false);
    script.take(&frame(0x81, b"after"));
    script
        .expect_event("text 1 before")
        .expect_event("frame 8+2 FIN=1 RSV=000 opcode=text (0x1) MASK=0 length=2 (7-bit)")
        .expect_event("payload 0 None [68, 69]")
        .expect_event("text 1 hi")
        .expect_event("text 1 after")
        .expect_send(&[masked(0x89, b""), masked(0x8a, b"")].concat())
        .end();
}

#[test]
fn raw_frames_go_out_as_they_are() {
    let mut script = Script::client();
    let raw = |first: u8, masking_key, payload: &[u8]| {
        let mut header = FrameHeader::new(Opcode::from_bits(first), 5);
        header.fin = first & 0x80 != 0;
        header.rsv3 = first & 0x10 != 0;
        header.masking_key = masking_key;
        RawFrame { header, payload: payload.to_vec() }
    };
    let key = script.sender.masking_key();
    assert_eq!(key, KEY);
    // Masked, of a reserved opcode; not masked, and shorter than it says.
    script.sender.raw(&raw(0x93, Some(key), b"Hello"));
    script.sender.raw(&raw(0x01, None, b"He"));
    assert_eq!(script.sender.counts(), Counts { bytes: 15, frames: 2 });
    assert_eq!(script.sender.close_sent(), None);
    let mut script =
        script.expect_send(&[&masked(0x93, b"Hello")[..], &[0x01, 0x05, 0x48, 0x65]].concat());
    // A Close made by hand is our Close, and no other follows.
    script.sender.raw(&raw(0x88, None, b"\x03\xe8bye"));
    script.sender.close(&CloseStatus::new(CloseCode::GOING_AWAY, ""));
    let sent = CloseStatus::new(CloseCode::NORMAL, "bye");
    assert_eq!(script.sender.close_sent(), Some(&sent));
    script.sender.raw(&raw(0x88, None, b"\x03\xe9bye"));
    assert_eq!(script.sender.close_sent(), Some(&sent));
    assert!(format!("{:?}", script.sender).contains("buffered: 14"), "no payload is shown");
    script.expect_send(b"\x88\x05\x03\xe8bye\x88\x05\x03\xe9bye").end();
}

#[test]
fn sent_messages_tell_what_they_became() {
    let became = |data: Data<'_>| {
        assert_eq!((data.direction, data.first, data.last), (Direction::Out, true, true));
        (data.bytes.to_vec(), data.fragments, data.wire_len, data.compressed)
    };
    let hello = b"Hello".to_vec();
    let mut plain = Script::client().sender;
    let queued = became(plain.message(Opcode::Text, b"Hello", Some(3)));
    assert_eq!(queued, (hello.clone(), 2, 5, false));
    let queued = became(plain.message(Opcode::Text, b"", Some(3)));
    assert_eq!(queued, (Vec::new(), 1, 0, false));
    let mut deflating = Script::with(deflated(Delivery::Whole)).sender;
    let queued = became(deflating.message(Opcode::Binary, b"Hello", None));
    assert_eq!(queued, (hello.clone(), 1, 7, true));
    let queued = became(deflating.message(Opcode::Binary, b"Hello", Some(2)));
    assert_eq!(queued, (hello, 3, 5, true));
}

#[test]
fn compressed_fragments_have_rsv1_on_the_first_alone() {
    let config = Config { frames: true, ..deflated(Delivery::Whole) };
    let mut script = Script::with(config);
    script.sender.message(Opcode::Text, b"Hello", Some(3));
    script.sender.ping(b"");
    let mut told = told(&mut script.sender);
    told.retain(|event| event.starts_with("frame"));
    assert_eq!(
        told,
        [
            "frame 0 text 0 1 6",
            "frame 9 continuation 0 0 6",
            "frame 18 continuation 1 0 6",
            "frame 25 ping 1 0 6",
        ]
    );
}

#[test]
fn lossy_text_is_handed_over_with_one_warning_each() {
    // "ok", a byte that can't be, and a character that is cut at the message's end.
    let stored = |text: &[u8]| {
        let len = text.len() as u8;
        [&[0x00, len, 0x00, !len, 0xff], text, &[0x00]].concat()
    };
    for delivery in [Delivery::Pieces, Delivery::Whole] {
        let config = Config { lossy: true, ..deflated(delivery) };
        for text in [&b"ok\xff\xfe"[..], b"ok\xe2\x82"] {
            let lossy = format!("text 1 {}", String::from_utf8_lossy(text));
            Script::with(config)
                .recv(&frame(0x81, text))
                .expect_event("warning utf8")
                .expect_event(&lossy)
                .recv(&frame(0xc1, stored(text)))
                .expect_event("warning utf8")
                .expect_event(&lossy)
                .recv(&frame(0x81, b"right"))
                .expect_event("text 1 right")
                .end();
        }
    }
}

#[test]
fn a_frame_at_the_buffers_end_is_moved_to_its_beginning() {
    // Messages of 60,000 bytes in reads of 64 KiB: the buffer never falls empty between them.
    let message = frame(0x82, [b'x'; 60_000]);
    let mut script = Script::client();
    script.take(&message.repeat(40));
    assert_eq!(script.events.len(), 40);
    assert!(script.events.iter().all(|e| e.len() == "binary 1 ".len() + 60_000));
    let counts = Counts { bytes: 40 * message.len() as u64, frames: 40 };
    assert_eq!(script.receiver.counts(), counts);
    assert!(!script.receiver.is_inside_message());
    script.take(&[0x01, 0x00]);
    assert!(script.receiver.is_inside_message());
}

#[test]
fn a_violation_reads_as_a_sentence() {
    for (bytes, sentence) in [
        (
            &[0x81, 0x00, 0x83, 0x00][..],
            "a reserved opcode, 0x3 (RFC 6455 §5.2), at byte 2 of the frame stream: 83 00",
        ),
        (
            &[0xc1, 0x01, 0xff],
            "compressed data that can't be inflated (RFC 7692 §7.2.2), \
             at byte 0 of the frame stream: c1 01",
        ),
        (
            &[0xc1, 0x01, 0xf2],
            "a compressed message that ends too early (RFC 7692 §7.2.2), \
             at byte 0 of the frame stream: c1 01",
        ),
    ] {
        let mut script = Script::with(deflated(Delivery::Whole));
        script.receiver.receive(bytes);
        let mut told = String::new();
        while let Some(incoming) = script.receiver.next(&mut script.sender) {
            if let Traffic::Violation(violation) = incoming {
                told = violation.to_string();
            }
        }
        assert_eq!(told, sentence);
    }
}

#[test]
fn what_is_queued_is_transmitted_in_parts() {
    let mut script = Script::client();
    script.sender.message(Opcode::Text, b"Hello", None);
    let all = masked(0x81, b"Hello");
    script.sender.transmitted(4);
    assert_eq!((script.sender.transmit(), script.sender.buffered()), (&all[4..], 7));
    script.sender.ping(b"");
    script.sender.transmitted(7);
    assert_eq!(script.sender.counts(), Counts { bytes: 17, frames: 2 });
    script.expect_send(&masked(0x89, b"")).end();
}

#[test]
fn ready_states_are_called_as_in_the_api() {
    let states =
        [ReadyState::Connecting, ReadyState::Open, ReadyState::Closing, ReadyState::Closed];
    let names = states.map(|state| (state as u8, state.name()));
    assert_eq!(names, [(0, "CONNECTING"), (1, "OPEN"), (2, "CLOSING"), (3, "CLOSED")]);
}

fn deflated(delivery: Delivery) -> Config {
    Config { deflate: Some(Params::default()), delivery, ..Config::default() }
}

#[test]
fn compressed_messages_and_what_is_wrong_with_them() {
    let hello = [0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for delivery in [Delivery::Pieces, Delivery::Whole] {
        let config = deflated(delivery);
        Script::with(config)
            .recv(&hello)
            .expect_event("text 1 Hello")
            .recv(&[0x41, 0x03, 0xf2, 0x00, 0x11, 0x80, 0x02, 0x00, 0x00])
            .expect_event("text 2 Hello")
            .recv(&frame(0x81, b"plain"))
            .expect_event("text 1 plain")
            .recv(&[0xc1, 0x01, 0x00])
            .expect_event("text 1 ")
            .end();
        for (bytes, rule) in [
            (&[0xc1, 0x03, 0xff, 0xff, 0xff][..], Rule::DeflateData),
            (&[0xc1, 0x04, 0xf2, 0x48, 0xcd, 0xc9], Rule::DeflateTruncated),
            (&[0xc9, 0x00], Rule::ReservedBit),
            (&[0x01, 0x00, 0xc0, 0x00], Rule::ReservedBit),
        ] {
            let violation = format!("violation {}", rule.name());
            Script::with(config).recv(bytes).expect_event(&violation);
        }
    }
}

#[test]
fn the_first_fault_of_a_compressed_message_counts_in_any_pieces() {
    // A stored block of two bytes that are no text, then a block of a type that does not exist.
    let stored = frame(0xc1, [0x00, 0x02, 0x00, 0xfd, 0xff, 0xc3, 0x28, 0x07]);
    // Text that is wrong beyond the limit.
    let mut long = vec![0x00, 0x06, 0x00, 0xf9, 0xff];
    long.extend_from_slice(b"abcde\xff\x00");
    let long = frame(0xc1, &long);
    for delivery in [Delivery::Pieces, Delivery::Whole] {
        let config = Config { max_inflated: 4, ..deflated(delivery) };
        for (bytes, event) in [(&stored, "violation utf8"), (&long, "limit a message of 5 bytes")] {
            for cut in 0..bytes.len() {
                let script = Script::with(config).recv(&bytes[..cut]).recv(&bytes[cut..]);
                assert!(script.events[0].starts_with(event), "{cut}: {:?}", script.events);
            }
        }
    }
}

#[test]
fn a_position_never_claims_more_than_was_declared() {
    let mut script = Script::client();
    script.take(&[0x01, 0x01, 0x61]);
    assert_eq!(script.receiver.position(), "in a text message, after 1 fragment");
    let Script { mut receiver, mut sender, .. } = script;
    receiver.receive(&[0x80, 0x02, 0xc3, 0x28, 0x81, 0x01, 0x62]);
    assert!(matches!(receiver.next(&mut sender), Some(Traffic::Violation(_))));
    assert_eq!(receiver.position(), "in a continuation frame, after 2 of 2 payload bytes");
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let mut sender = Script::with(deflated(Delivery::Whole));
    sender.sender.message(Opcode::Binary, &vec![0; 80 << 20], None);
    let bytes = sender.sender.transmit();
    let (header, len) = FrameHeader::parse(bytes).unwrap();
    let mut payload = bytes[len..].to_vec();
    mask::apply(&mut payload, KEY, 0);
    let mut bomb = Vec::new();
    FrameHeader { masking_key: None, ..header }.encode(&mut bomb);
    bomb.extend_from_slice(&payload);
    for delivery in [Delivery::Pieces, Delivery::Whole] {
        let script = Script::with(deflated(delivery)).recv(&bomb);
        assert!(script.events.last().unwrap().starts_with("limit"), "{:?}", script.events);
    }
}

/// The frames of a client, unmasked, as a server would send them back.
fn mirrored(bytes: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (bytes, Vec::new());
    while let Some((header, len)) = FrameHeader::parse(rest) {
        let end = len + header.length as usize;
        let mut payload = rest[len..end].to_vec();
        mask::apply(&mut payload, header.masking_key.unwrap(), 0);
        FrameHeader { masking_key: None, ..header }.encode(&mut out);
        out.extend_from_slice(&payload);
        rest = &rest[end..];
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any fragmentation and any split of the bytes give the same messages, with compression and
    /// without, in pieces and whole.
    #[test]
    fn messages_survive_fragmentation_and_splits(
        messages in prop::collection::vec(("\\PC{0,200}", any::<bool>(), 1..40usize), 1..8),
        cuts in prop::collection::vec(1..50usize, 1..20),
        deflate in any::<bool>(),
        no_context in any::<bool>(),
        pieces in any::<bool>(),
    ) {
        let params = Params {
            client_no_context_takeover: no_context,
            server_no_context_takeover: no_context,
            ..Params::default()
        };
        let config = Config {
            deflate: deflate.then_some(params),
            delivery: if pieces { Delivery::Pieces } else { Delivery::Whole },
            ..Config::default()
        };
        let mut out = Script::with(config);
        let mut expected = Vec::new();
        for (text, binary, size) in &messages {
            let opcode = if *binary { Opcode::Binary } else { Opcode::Text };
            out.sender.message(opcode, text.as_bytes(), Some(*size));
            expected.push((opcode, text.clone()));
        }
        let stream = mirrored(out.sender.transmit());
        let mut script = Script::with(config);
        let (mut rest, mut lengths) = (&stream[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
            script.take(now);
            rest = later;
        }
        let got: Vec<(String, String)> = script
            .events
            .iter()
            .map(|event| {
                let mut parts = event.splitn(3, ' ');
                let opcode = parts.next().unwrap().to_owned();
                (opcode, parts.nth(1).unwrap().to_owned())
            })
            .collect();
        let expected: Vec<(String, String)> =
            expected.into_iter().map(|(opcode, text)| (opcode.to_string(), text)).collect();
        prop_assert_eq!(got, expected);
    }

    /// Whatever arrives, nothing panics, and after a failure nothing more is told.
    #[test]
    fn anything_may_arrive(bytes in prop::collection::vec(any::<u8>(), 0..300), deflate in any::<bool>()) {
        let config = Config { deflate: deflate.then(Params::default), ..Config::default() };
        let mut script = Script::with(config);
        script.take(&bytes);
        let final_at = script.events.iter().position(|e| e.starts_with("violation") || e.starts_with("close"));
        prop_assert!(final_at.is_none_or(|at| at + 1 == script.events.len()));
    }
}
