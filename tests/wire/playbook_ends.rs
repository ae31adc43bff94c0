//! What is handed over of a message that never becomes whole, and what is told of a guilty frame.

use wstap::protocol::connection::{
    Config, Data, Delivery, Frame, FramePayload, Receiver, Sender, Side, Traffic,
};
use wstap::protocol::deflate::{Deflate, Params};
use wstap::protocol::frame::{FrameHeader, Opcode};

use crate::support::scripted::raw_frame as frame;

const MIB: usize = 1 << 20;

struct Play {
    receiver: Receiver,
    sender: Sender,
    events: Vec<String>,
    /// The lengths of the pieces of data, and whether each was the last of its message.
    pieces: Vec<(usize, bool)>,
}

impl Play {
    fn new(config: Config) -> Play {
        Play {
            receiver: Receiver::new(config, b""),
            sender: Sender::new(&config, Box::new(|key| key.fill(0))),
            events: Vec::new(),
            pieces: Vec::new(),
        }
    }

    fn pieces() -> Play {
        Play::new(Config { delivery: Delivery::Pieces, ..Config::default() })
    }

    fn recv(mut self, bytes: &[u8]) -> Play {
        for part in bytes.chunks(64 << 10) {
            self.receiver.receive(part);
            while let Some(traffic) = self.receiver.next(&mut self.sender) {
                self.events.push(match traffic {
                    Traffic::Data(Data { bytes, first, last, .. }) => {
                        let begins = self.pieces.last().is_none_or(|(_, last)| *last);
                        assert_eq!(first, begins);
                        self.pieces.push((bytes.len(), last));
                        continue;
                    }
                    Traffic::Frame(Frame { header, bytes, offset, .. }) => {
                        format!("frame {offset} {} {bytes:02x?}", header.opcode)
                    }
                    Traffic::FramePayload(FramePayload { wire, offset, .. }) => {
                        format!("payload {offset} {}", wire.escape_ascii())
                    }
                    Traffic::Violation(violation) => format!("violation {}", violation.rule.name()),
                    Traffic::Warning(violation) => format!("warning {}", violation.rule.name()),
                    Traffic::Limit(_) => "limit".to_owned(),
                    Traffic::Close { .. } => "close".to_owned(),
                    other => format!("{other:?}"),
                });
            }
        }
        self
    }

    /// The bytes of the unfinished message: received, and handed over.
    fn unfinished(&self) -> (u64, Option<u64>) {
        (self.receiver.unfinished(), self.receiver.handed_over())
    }
}

#[test]
fn of_a_small_message_that_is_never_whole_nothing_is_handed_over() {
    let begun = frame(0x01, b"abc");
    for (end, event) in [
        (frame(0x81, b"other"), Some("violation interleaved")),
        (frame(0x80, b"\xff"), Some("violation utf8")),
        (frame(0x88, b"\x03\xe8"), Some("close")),
        (frame(0x80, b"de")[..3].to_vec(), None),
    ] {
        let play = Play::pieces().recv(&begun).recv(&end);
        assert_eq!(play.pieces, []);
        assert_eq!(play.events, event.into_iter().collect::<Vec<_>>());
        let received = if event.is_none() { 4 } else { 3 };
        assert_eq!(play.unfinished(), (received, None), "{event:?}");
    }
    // A frame that is larger than the read buffer, and cut.
    let large = frame(0x82, vec![b'x'; 900_000]);
    let play = Play::pieces().recv(&large[..800_010]);
    assert_eq!((play.pieces.as_slice(), play.unfinished()), (&[][..], (800_000, None)));
}

#[test]
fn a_message_of_up_to_1_mib_is_whole_and_a_larger_one_passes_through() {
    let exact = frame(0x82, vec![b'x'; MIB]);
    assert_eq!(Play::pieces().recv(&exact).pieces, [(MIB, true)]);
    let halves = [frame(0x02, vec![b'x'; MIB / 2]), frame(0x80, vec![b'x'; MIB / 2])].concat();
    assert_eq!(Play::pieces().recv(&halves).pieces, [(MIB, true)]);
    // Larger by its declared length: from its first bytes on.
    let larger = frame(0x82, vec![b'x'; MIB + 1]);
    let play = Play::pieces().recv(&larger[..64 << 10]);
    assert_eq!(play.unfinished(), ((64 << 10) - 10, Some((64 << 10) - 10)));
    let play = play.recv(&larger[64 << 10..]);
    assert!(play.pieces.len() > 2 && play.pieces.iter().all(|(len, _)| *len <= 256 << 10));
    assert_eq!(play.pieces.iter().map(|(len, _)| len).sum::<usize>(), MIB + 1);
    assert_eq!(play.unfinished(), (0, None));
    // Larger by its last frame: what was held comes first.
    let parts = [frame(0x02, vec![b'x'; MIB]), frame(0x00, b"y"), frame(0x80, b"z")].concat();
    assert_eq!(Play::pieces().recv(&parts).pieces, [(MIB, false), (1, false), (1, true)]);
    let play = Play::pieces().recv(&parts[..parts.len() - 1]);
    assert_eq!(play.unfinished(), (MIB as u64 + 1, Some(MIB as u64 + 1)));
}

#[test]
fn an_inflated_message_is_held_likewise() {
    let config = Config {
        deflate: Some(Params::default()),
        delivery: Delivery::Pieces,
        ..Config::default()
    };
    let compressed = |len: usize| {
        let mut wire = Vec::new();
        Deflate::new(Params::default(), Side::Server).message(&vec![b'x'; len], &mut wire);
        wire
    };
    for len in [100_000, MIB] {
        let play = Play::new(config).recv(&frame(0xc2, compressed(len)));
        assert_eq!(play.pieces, [(len, true)]);
    }
    let play = Play::new(config).recv(&frame(0xc2, compressed(2 * MIB)));
    assert_eq!(play.pieces.first(), Some(&(MIB + 1, false)));
    assert!(play.pieces[1..].iter().all(|(len, _)| *len <= 64 << 10), "{:?}", play.pieces);
    assert_eq!(play.pieces.iter().map(|(len, _)| len).sum::<usize>(), 2 * MIB);
    let play = Play::new(config).recv(&frame(0x42, compressed(50_000))).recv(&[0x80, 0x7d]);
    assert_eq!((play.pieces.len(), play.unfinished().1), (0, None));
    assert!(play.unfinished().0 > 40_000, "{:?}", play.unfinished());
}

#[test]
fn only_what_follows_the_peers_close_is_ignored() {
    let late = frame(0x81, b"late");
    let closed = Play::pieces().recv(&[frame(0x88, b""), late.clone()].concat());
    assert_eq!((closed.receiver.ignored(), closed.receiver.unread_after_failure()), (6, 0));
    let failed = Play::pieces().recv(&[frame(0x83, b""), late.clone()].concat());
    assert_eq!((failed.receiver.ignored(), failed.receiver.unread_after_failure()), (0, 6));
    let small = Config { max_message: 3, ..Config::default() };
    let limited = Play::new(small).recv(&late);
    assert_eq!((limited.receiver.ignored(), limited.receiver.unread_after_failure()), (0, 4));
}

#[test]
fn a_guilty_frame_is_shown_before_the_violation() {
    let config = Config { frames: true, frame_payloads: true, ..Config::default() };
    for (bytes, events) in [
        (
            frame(0x83, b"Hello"),
            &["frame 0 reserved 0x3 [83, 05]", "payload 0 Hello", "violation reserved-opcode"][..],
        ),
        // As much of its payload as has come.
        (
            frame(0xa1, b"Hello")[..4].to_vec(),
            &["frame 0 text [a1, 05]", "payload 0 He", "violation reserved-bit"],
        ),
        // The next frame isn't its payload.
        (
            [frame(0x09, b"a"), frame(0x81, b"b")].concat(),
            &["frame 0 ping [09, 01]", "payload 0 a", "violation control-fragmented"],
        ),
        (
            vec![0x81, 0x81, 1, 2, 3, 4, b'x'],
            &["frame 0 text [81, 81, 01, 02, 03, 04]", "payload 0 x", "violation masked"],
        ),
        (
            vec![0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0, b'x'],
            &[
                "frame 0 binary [82, 7f, 80, 00, 00, 00, 00, 00, 00, 00]",
                "payload 0 x",
                "violation length-top-bit",
            ],
        ),
        (frame(0x81, b"a\xff"), &["frame 0 text [81, 02]", "payload 0 a\\xff", "violation utf8"]),
        (
            frame(0x88, b"\x03"),
            &["frame 0 close [88, 01]", "payload 0 \\x03", "violation close-length"],
        ),
        (
            vec![0x82, 0x7f, 0, 0, 0, 1, 0, 0, 0, 0, b'x'],
            &["frame 0 binary [82, 7f, 00, 00, 00, 01, 00, 00, 00, 00]", "payload 0 x", "limit"],
        ),
        // A header that isn't whole can't be shown; the violation has its bytes.
        (vec![0x83, 0x7e, 0], &["violation reserved-opcode"]),
        // What is tolerated comes in the same order.
        (
            vec![0x82, 0x7e, 0, 1, b'x'],
            &["frame 0 binary [82, 7e, 00, 01]", "payload 0 x", "warning non-minimal-length"],
        ),
    ] {
        assert_eq!(Play::new(config).recv(&bytes).events, events);
    }
    let frames_alone = Config { frames: true, ..Config::default() };
    let play = Play::new(frames_alone).recv(&frame(0x83, b"Hello"));
    assert_eq!(play.events, ["frame 0 reserved 0x3 [83, 05]", "violation reserved-opcode"]);
    assert_eq!(play.receiver.counts().frames, 0);
    let header = FrameHeader::new(Opcode::Text, 5);
    assert_eq!(FrameHeader::parse_start(b"\x81\x05"), Some(header));
}

#[test]
fn pongs_that_nobody_looks_at_take_no_memory_without_bound() {
    let mut play = Play::new(Config::default());
    let ping = frame(0x89, b"");
    for _ in 0..100_000 {
        play = play.recv(&ping);
        play.events.clear();
        let n = play.sender.transmit().len();
        play.sender.transmitted(n);
    }
    assert!(play.sender.pending_bytes() < 2 << 20, "{}", play.sender.pending_bytes());
    while play.sender.next().is_some() {}
    play.sender.settle();
    assert_eq!(play.sender.transmit(), [0x8a, 0x80, 0, 0, 0, 0]);
}
