//! What bytes mean, whatever they were read from: frames, packets around them, other protocols.

use super::dump::Dump;
use super::{foreign, frames, packet};
use crate::protocol::frame::{FrameHeader, Opcode};
use crate::text::units::Count;

/// Explains bytes as they are.
pub(super) fn of_bytes(bytes: &[u8]) -> String {
    of_dump(Dump { parts: vec![bytes.to_vec()], ..Dump::default() })
}

/// Whether bytes from base64, which any word might be, can be what was meant.
pub(super) fn is_likely(dump: &Dump) -> bool {
    let bytes = dump.parts.concat();
    let frame = FrameHeader::parse(&bytes).is_some_and(|(header, length)| {
        let is_known = !matches!(header.opcode, Opcode::Reserved(_));
        let rest = bytes.len() - length;
        is_known && !header.rsv2 && !header.rsv3 && header.length <= rest as u64
    });
    frame || foreign::recognize(&bytes).is_some() || packet::segment(&bytes).is_some()
}

/// The bytes of one direction.
#[derive(Default)]
struct Flow<'a> {
    name: String,
    /// Of segments of TCP: how many there are, the bytes of their headers, and what these are.
    segments: u64,
    skipped: u64,
    headers: String,
    missing: u64,
    /// Each piece with its offset.
    pieces: Vec<(&'a [u8], usize)>,
}

pub(super) fn of_dump(dump: Dump) -> String {
    let mut text = dump.heading();
    let mut flows = flows(&dump);
    let has_data = |flow: &Flow<'_>| flow.pieces.iter().any(|(piece, _)| !piece.is_empty());
    if flows.iter().any(has_data) {
        flows.retain(has_data);
    }
    for flow in &flows {
        if !text.is_empty() {
            text.push('\n');
        }
        if !flow.name.is_empty() {
            text.push_str(&format!("{}\n", flow.name));
        }
        if flow.segments > 0 {
            let (segments, skipped) = (Count(flow.segments, "segment"), flow.skipped);
            let headers = &flow.headers;
            text.push_str(&format!("{segments}; {skipped} bytes of headers skipped ({headers})\n"));
        }
        if flow.missing > 0 {
            let missing = Count(flow.missing, "byte");
            text.push_str(&format!("the capture was cut: {missing} are missing\n"));
        }
        if !flow.name.is_empty() {
            text.push('\n');
        }
        text.push_str(&of_pieces(&flow.pieces));
    }
    text
}

/// Sorts the parts of a dump by their direction; segments of TCP follow each other.
fn flows(dump: &Dump) -> Vec<Flow<'_>> {
    let mut flows: Vec<Flow<'_>> = Vec::new();
    let mut offset = 0;
    for (number, part) in dump.parts.iter().enumerate() {
        let segment = packet::segment(part);
        let name = match &segment {
            Some(segment) => segment.flow.clone(),
            None if dump.streams && dump.parts.len() > 1 => format!("part {}", number + 1),
            None => String::new(),
        };
        let known = flows.iter().position(|flow| flow.name == name);
        let at = known.unwrap_or_else(|| {
            flows.push(Flow { name, ..Flow::default() });
            flows.len() - 1
        });
        let Some(flow) = flows.get_mut(at) else { continue };
        match segment {
            Some(segment) => {
                flow.segments += 1;
                flow.skipped += segment.skipped as u64;
                flow.missing += segment.missing as u64;
                flow.headers = segment.headers;
                flow.pieces.push((segment.data, segment.skipped));
            }
            None => {
                flow.pieces.push((part, if dump.streams { 0 } else { offset }));
                offset += part.len();
            }
        }
    }
    flows
}

/// What the bytes of one direction are. Pieces of one stream are read as one.
fn of_pieces(pieces: &[(&[u8], usize)]) -> String {
    let Some(((first, offset), rest)) = pieces.split_first() else { return String::new() };
    // The frames of -vvv's lines begin at 0, and each is whole; segments may cut them.
    let whole: Vec<u8> = match *offset > 0 && !rest.is_empty() {
        true => pieces.iter().flat_map(|(piece, _)| piece.iter().copied()).collect(),
        false => Vec::new(),
    };
    let (first, rest) = if whole.is_empty() { (*first, rest) } else { (&whole[..], &[][..]) };
    if first.is_empty() && rest.is_empty() {
        return "no data\n".to_owned();
    }
    match foreign::recognize(first) {
        Some(found) => {
            let mut text = found.text;
            if let Some((at, frames)) = found.frames.and_then(|at| Some((at, first.get(at..)?))) {
                text.push('\n');
                text.push_str(&frames::explain([(frames, offset + at)]));
            }
            text
        }
        None => frames::explain(std::iter::once((first, *offset)).chain(rest.iter().copied())),
    }
}
