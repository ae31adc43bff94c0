//! Frames made by hand, right or wrong: `/frame` of the prompt and `frame` of `--input json` fill
//! in the same fields.

use crate::protocol::connection::RawFrame;
use crate::protocol::frame::{FrameHeader, LengthForm, Opcode};
use crate::text::Untrusted;
use crate::text::typed::{hex, nearest};

/// A frame made by hand; fields that aren't given are what a correct client would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameSpec {
    /// The FIN bit.
    pub fin: bool,
    /// RSV1–3 as a number: 4, 2, 1.
    pub rsv: u8,
    /// The opcode.
    pub opcode: Opcode,
    /// The mask: none, a given key, or a fresh one.
    pub mask: MaskSpec,
    /// The length to declare instead of the payload's.
    pub length: Option<u64>,
    /// The form to write the length in instead of the shortest.
    pub length_form: Option<LengthForm>,
    /// The payload before masking.
    pub payload: Vec<u8>,
}

/// How a hand-made frame is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskSpec {
    /// With a fresh key, as clients must (§5.3).
    Fresh,
    /// With this key.
    Key([u8; 4]),
    /// Not at all: the MASK bit is 0.
    None,
}

/// A field of the header that a person can set.
pub struct Field {
    /// Its name at the prompt.
    pub name: &'static str,
    /// Its name in JSON, as in the `frame` event; the prompt accepts it, too.
    pub json: &'static str,
    /// Values to offer at the prompt.
    pub values: &'static [&'static str],
    /// The values it takes, in words.
    takes: &'static str,
    /// Sets the field; `None` if the value doesn't fit.
    set: fn(&mut FrameSpec, Given<'_>) -> Option<()>,
}

/// A value for a field, by its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given<'a> {
    /// `true` or `false`.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A value that no field takes.
    Other,
    /// A word.
    Text(&'a str),
}

impl Field {
    /// All fields.
    pub const ALL: [Field; 6] = [
        Field {
            name: "fin",
            json: "fin",
            values: &["0", "1"],
            takes: "0 or 1",
            set: |spec, given| {
                spec.fin = match given {
                    Given::Flag(on) => on,
                    Given::Number(bit @ 0..=1) => bit == 1,
                    _ => return None,
                };
                Some(())
            },
        },
        Field {
            name: "op",
            json: "opcode",
            values: &["continuation", "text", "binary", "close", "ping", "pong"],
            takes: "a name or 0 to 15",
            set: |spec, given| {
                spec.opcode = match given {
                    Given::Number(bits @ 0..=15) => Opcode::from_bits(bits as u8),
                    Given::Text(typed) => opcodes().find(|opcode| opcode.name() == typed)?,
                    _ => return None,
                };
                Some(())
            },
        },
        Field {
            name: "rsv",
            json: "rsv",
            values: &[],
            takes: "0 to 7: RSV1 is 4, RSV2 is 2, RSV3 is 1",
            set: |spec, given| {
                let Given::Number(bits @ 0..=7) = given else { return None };
                spec.rsv = bits as u8;
                Some(())
            },
        },
        Field {
            name: "mask",
            json: "mask",
            values: &["random", "none", "00000000"],
            takes: "random, none or eight hex digits",
            set: |spec, given| {
                spec.mask = match given {
                    Given::Flag(true) | Given::Text("random") => MaskSpec::Fresh,
                    Given::Flag(false) | Given::Text("none") => MaskSpec::None,
                    Given::Text(key) => MaskSpec::Key(hex(key).ok()?.try_into().ok()?),
                    _ => return None,
                };
                Some(())
            },
        },
        Field {
            name: "length",
            json: "length",
            values: &[],
            takes: "a number up to 2^64-1",
            set: |spec, given| {
                let Given::Number(length) = given else { return None };
                spec.length = Some(length);
                Some(())
            },
        },
        Field {
            name: "form",
            json: "length_form",
            values: &["7", "16", "64"],
            takes: "7, 16 or 64",
            set: |spec, given| {
                let mut forms =
                    [LengthForm::Bits7, LengthForm::Bits16, LengthForm::Bits64].into_iter();
                let form = forms.find(|form| given == Given::Number(form.bits().into()))?;
                spec.length_form = Some(form);
                Some(())
            },
        },
    ];

    /// Sets the field.
    ///
    /// # Errors
    /// The values that the field takes; the message calls it `label`.
    pub fn set(&self, spec: &mut FrameSpec, given: Given<'_>, label: &str) -> Result<(), String> {
        (self.set)(spec, given).ok_or_else(|| match given {
            Given::Text(typed) if self.json == "opcode" => {
                no_such("opcode", typed, &opcode_names())
            }
            _ => format!("{label} is {}", self.takes),
        })
    }
}

/// The opcodes that have a name.
fn opcodes() -> impl Iterator<Item = Opcode> {
    (0..16).map(Opcode::from_bits).filter(|opcode| !matches!(opcode, Opcode::Reserved(_)))
}

fn opcode_names() -> Vec<&'static str> {
    opcodes().map(Opcode::name).collect()
}

/// The message for an unknown name, with the known ones.
pub fn no_such(what: &str, typed: &str, known: &[&str]) -> String {
    let typed_safe = Untrusted::text(typed);
    match nearest(typed, known.iter().copied()) {
        Some(meant) => format!("no {what} is called '{typed_safe}'; did you mean {meant}?"),
        None => format!("no {what} is called '{typed_safe}'; there are {}", known.join(", ")),
    }
}

impl FrameSpec {
    /// The frame; `fresh` makes the masking key if none was given.
    pub fn frame(self, fresh: impl FnOnce() -> [u8; 4]) -> RawFrame {
        let length = self.length.unwrap_or(self.payload.len() as u64);
        let header = FrameHeader {
            fin: self.fin,
            rsv1: self.rsv & 4 != 0,
            rsv2: self.rsv & 2 != 0,
            rsv3: self.rsv & 1 != 0,
            opcode: self.opcode,
            masking_key: match self.mask {
                MaskSpec::Fresh => Some(fresh()),
                MaskSpec::Key(key) => Some(key),
                MaskSpec::None => None,
            },
            length,
            length_form: self.length_form.unwrap_or(LengthForm::minimal(length)),
        };
        RawFrame { header, payload: self.payload }
    }

    /// Checks that the declared length can be written in the chosen form.
    ///
    /// # Errors
    /// Why it can't.
    pub fn check_length(&self) -> Result<(), String> {
        let length = self.length.unwrap_or(self.payload.len() as u64);
        let max = match self.length_form {
            Some(LengthForm::Bits7) => 125,
            Some(LengthForm::Bits16) => 0xffff,
            Some(LengthForm::Bits64) | None => return Ok(()),
        };
        if length <= max {
            return Ok(());
        }
        Err(format!("a length of {length} can't be written in that form, which ends at {max}"))
    }
}

impl Default for FrameSpec {
    fn default() -> FrameSpec {
        FrameSpec {
            fin: true,
            rsv: 0,
            opcode: Opcode::Text,
            mask: MaskSpec::Fresh,
            length: None,
            length_form: None,
            payload: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_is_offered_is_taken() {
        for field in Field::ALL {
            for value in field.values {
                let number = value.parse().ok().filter(|_| field.name != "mask");
                let given = number.map_or(Given::Text(value), Given::Number);
                let set = field.set(&mut FrameSpec::default(), given, field.name);
                assert_eq!(set, Ok(()), "{value}");
            }
        }
        let offered = Field::ALL.into_iter().find(|field| field.name == "op");
        assert_eq!(offered.map(|field| field.values), Some(&opcode_names()[..]));
    }
}
