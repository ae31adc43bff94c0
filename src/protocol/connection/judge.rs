//! The rules for a frame's header (RFC 6455 §5.1, §5.2, §5.4, §5.5; RFC 7692 §6).

use crate::protocol::frame::{FrameHeader, LengthForm, Opcode};
use crate::protocol::side::Side;
use crate::protocol::violation::Rule;

/// What a reader knows when a frame's header arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Who sends: a client masks its frames, a server doesn't.
    pub sender: Side,
    /// permessage-deflate was agreed, which gives RSV1 a meaning.
    pub deflate: bool,
    /// The type of the message that is not finished.
    pub open: Option<Opcode>,
}

impl Expected {
    /// The rules that the first two bytes break, in the order of the bits. The rest of the header
    /// isn't judged.
    pub fn start_breaks(&self, header: &FrameHeader) -> impl Iterator<Item = Rule> {
        let opcode = header.opcode;
        let control = opcode.is_control();
        let reserved = matches!(opcode, Opcode::Reserved(_));
        let masked = header.masking_key.is_some();
        let starts = matches!(opcode, Opcode::Text | Opcode::Binary);
        [
            (Rule::ReservedOpcode, reserved),
            (Rule::ReservedBit, self.forbidden_rsv(header) != 0),
            (Rule::Masked, masked && self.sender == Side::Server),
            (Rule::Unmasked, !masked && self.sender == Side::Client),
            (Rule::ControlLength, control && header.length_form != LengthForm::Bits7),
            (Rule::ControlFragmented, control && !header.fin),
            (Rule::Orphan, opcode == Opcode::Continuation && self.open.is_none()),
            (Rule::Interleaved, starts && self.open.is_some()),
        ]
        .into_iter()
        .filter_map(|(rule, broken)| broken.then_some(rule))
    }

    /// The reserved bits set without an agreed meaning: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub fn forbidden_rsv(&self, header: &FrameHeader) -> u8 {
        let starts = matches!(header.opcode, Opcode::Text | Opcode::Binary);
        header.rsv() & if self.deflate && starts { 0b011 } else { 0b111 }
    }

    /// How exactly the header breaks the rule, in our own words.
    pub(super) fn detail(&self, rule: Rule, header: &FrameHeader) -> String {
        let opcode = header.opcode;
        match (rule, self.open) {
            (Rule::ReservedOpcode, _) => format!("{:#x}", opcode.bits()),
            (Rule::ReservedBit, _) => {
                let rsv = self.forbidden_rsv(header);
                let names = [(4, "RSV1"), (2, "RSV2"), (1, "RSV3")].into_iter();
                let set: Vec<_> =
                    names.filter_map(|(bit, name)| (rsv & bit != 0).then_some(name)).collect();
                format!("{} on a {opcode} frame", set.join(" and "))
            }
            (Rule::ControlLength, _) => format!("a {opcode} with an extended length"),
            (Rule::ControlFragmented, _) => format!("a {opcode} without FIN"),
            (Rule::Interleaved, Some(open)) => format!("{opcode} inside {open}"),
            (Rule::NonMinimalLength, _) => {
                format!("{} in {} bits", header.length, header.length_form.bits())
            }
            _ => String::new(),
        }
    }
}

/// The rule that the length breaks, once the header is whole.
pub fn length_breaks(header: &FrameHeader) -> Option<Rule> {
    if header.length >> 63 != 0 {
        Some(Rule::LengthTopBit)
    } else if !header.is_minimal() {
        Some(Rule::NonMinimalLength)
    } else {
        None
    }
}
