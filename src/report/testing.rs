//! Events for the tests of the views.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use crate::event::{Data, Direction, Event, Moment, Stamped};
use crate::protocol::frame::Opcode;
use crate::report::Reporter;

/// The event, 1.234567 s after the start, at a fixed time.
pub(crate) fn stamped<'a>(event: &'a Event<'a>) -> Stamped<'a> {
    let since = Duration::from_micros(1_234_567);
    let wall = UNIX_EPOCH + Duration::from_secs(1_735_689_600) + since;
    Stamped { at: Moment { wall, since }, seq: 12, client: None, event }
}

/// A received text message in one piece.
pub(crate) fn text(bytes: &[u8]) -> Data<'_> {
    Data {
        direction: Direction::In,
        opcode: Opcode::Text,
        bytes,
        first: true,
        last: true,
        fragments: 1,
        wire_len: bytes.len() as u64,
        compressed: false,
    }
}

/// A received binary message in one piece.
pub(crate) fn binary(bytes: &[u8]) -> Data<'_> {
    Data { opcode: Opcode::Binary, ..text(bytes) }
}

/// The view's bytes for the events.
pub(crate) fn shown(view: &mut dyn Reporter, events: &[Event<'_>]) -> String {
    let mut out: Vec<u8> = Vec::new();
    for event in events {
        view.event(&stamped(event), &mut out as &mut dyn Write).unwrap();
    }
    String::from_utf8(out).unwrap()
}
