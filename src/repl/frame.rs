//! The arguments of `/frame`: a frame made by hand.

use super::payload;
use super::table::nearest;
use crate::protocol::frame::{LengthForm, Opcode};
use crate::run::command::{FrameSpec, MaskSpec};
use crate::text::Untrusted;

/// Every key of `/frame`; the last three take the rest of the line.
pub(super) const KEYS: &[&str] =
    &["fin", "op", "rsv", "mask", "length", "form", "text", "hex", "base64"];

/// The opcodes that have a name.
pub(super) const OPCODES: &[Opcode] = &[
    Opcode::Continuation,
    Opcode::Text,
    Opcode::Binary,
    Opcode::Close,
    Opcode::Ping,
    Opcode::Pong,
];

/// Reads `fin=0 op=ping text=…`.
pub(super) fn parse(arguments: &str) -> Result<FrameSpec, String> {
    let mut spec = FrameSpec::default();
    let mut seen = Vec::new();
    let mut rest = arguments.trim_start();
    while !rest.is_empty() {
        let word_end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (key, value) = rest[..word_end].split_once('=').ok_or_else(|| {
            format!("'{}' is not of the form KEY=VALUE", Untrusted::text(&rest[..word_end]))
        })?;
        if seen.contains(&key) {
            return Err(format!("{}= is given twice", Untrusted::text(key)));
        }
        if matches!(key, "text" | "hex" | "base64") {
            spec.payload = payload(key, &rest[key.len() + 1..])?;
            break;
        }
        field(&mut spec, key, value)?;
        seen.push(key);
        rest = rest[word_end..].trim_start();
    }
    spec.check_length()?;
    Ok(spec)
}

fn payload(key: &str, text: &str) -> Result<Vec<u8>, String> {
    match key {
        "base64" => payload::base64(text),
        "hex" => payload::hex(text),
        _ => Ok(text.as_bytes().to_vec()),
    }
}

fn field(spec: &mut FrameSpec, key: &str, value: &str) -> Result<(), String> {
    match key {
        "fin" => spec.fin = bit(value).ok_or("fin= is 0 or 1")?,
        "form" => spec.length_form = Some(form(value).ok_or("form= is 7, 16 or 64")?),
        "length" => spec.length = Some(number(value).ok_or("length= is a number up to 2^64-1")?),
        "mask" => spec.mask = mask(value).ok_or("mask= is random, none or eight hex digits")?,
        "op" | "opcode" => spec.opcode = opcode(value)?,
        "rsv" => {
            let bits = number(value).filter(|&bits| bits < 8);
            spec.rsv = bits.ok_or("rsv= is 0 to 7: RSV1 is 4, RSV2 is 2, RSV3 is 1")? as u8;
        }
        other => return Err(unknown("key", other, KEYS.iter().copied())),
    }
    Ok(())
}

fn bit(value: &str) -> Option<bool> {
    match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn form(value: &str) -> Option<LengthForm> {
    match value {
        "7" => Some(LengthForm::Bits7),
        "16" => Some(LengthForm::Bits16),
        "64" => Some(LengthForm::Bits64),
        _ => None,
    }
}

fn mask(value: &str) -> Option<MaskSpec> {
    match value {
        "none" => Some(MaskSpec::None),
        "random" => Some(MaskSpec::Fresh),
        key => Some(MaskSpec::Key(payload::hex(key).ok()?.try_into().ok()?)),
    }
}

fn opcode(value: &str) -> Result<Opcode, String> {
    if let Some(bits) = number(value) {
        let bits = u8::try_from(bits).ok().filter(|&bits| bits < 16);
        return bits.map(Opcode::from_bits).ok_or_else(|| "op= is at most 15".to_owned());
    }
    OPCODES
        .iter()
        .copied()
        .find(|opcode| opcode.name() == value)
        .ok_or_else(|| unknown("opcode", value, OPCODES.iter().map(|opcode| opcode.name())))
}

/// Decimal, or hex after `0x`.
fn number(value: &str) -> Option<u64> {
    let (digits, radix) = match value.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (value, 10),
    };
    // from_str_radix would take a sign.
    let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

fn unknown<'a>(what: &str, typed: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let typed_safe = Untrusted::text(typed);
    match nearest(typed, known.clone()) {
        Some(meant) => format!("no {what} is called '{typed_safe}'; did you mean {meant}?"),
        None => {
            let known: Vec<_> = known.collect();
            format!("no {what} is called '{typed_safe}'; there are {}", known.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_an_empty_correct_frame() {
        assert_eq!(parse("").unwrap(), FrameSpec::default());
    }

    #[test]
    fn every_field_can_be_said() {
        let spec = parse("fin=0 op=3 rsv=4 mask=00000000 length=0x10 form=64 text=a b  c").unwrap();
        assert_eq!(
            spec,
            FrameSpec {
                fin: false,
                rsv: 4,
                opcode: Opcode::Reserved(3),
                mask: MaskSpec::Key([0; 4]),
                length: Some(16),
                length_form: Some(LengthForm::Bits64),
                payload: b"a b  c".to_vec(),
            }
        );
        assert_eq!(parse("mask=none").unwrap().mask, MaskSpec::None);
        assert_eq!(parse("mask=random").unwrap().mask, MaskSpec::Fresh);
        assert_eq!(parse("op=ping hex=00 ff").unwrap().payload, [0x00, 0xff]);
        assert_eq!(parse("base64=AP8=").unwrap().payload, [0x00, 0xff]);
        assert_eq!(parse("op=0xf").unwrap().opcode, Opcode::Reserved(15));
        assert_eq!(parse("length=18446744073709551615").unwrap().length, Some(u64::MAX));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (arguments, says) in [
            ("fin", "KEY=VALUE"),
            ("fin=2", "fin= is 0 or 1"),
            ("fin=0 fin=1", "twice"),
            ("op=pign", "did you mean ping"),
            ("op=16", "at most 15"),
            ("op=+1", "no opcode"),
            ("rsv=8", "0 to 7"),
            ("mask=123", "eight hex digits"),
            ("lenght=1", "did you mean length"),
            ("length=-1", "a number"),
            ("form=8", "7, 16 or 64"),
            ("form=7 length=126", "ends at 125"),
            ("form=16 length=65536", "ends at 65535"),
            ("hex=0", "odd"),
            ("\u{1b}=1", "\\x1b"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(says), "{arguments}: {error}");
        }
    }
}
