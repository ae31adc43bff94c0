//! The arguments of `/frame`, a hand-made frame.

use super::candidate::Candidate;
use crate::run::frame::{Field, FrameSpec, Given, no_such};
use crate::text::Untrusted;
use crate::text::typed::{base64, hex};

/// The keys for the payload, which takes the rest of the line.
const PAYLOADS: [&str; 3] = ["text", "hex", "base64"];

/// Parses `fin=0 op=ping text=…`.
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
        if PAYLOADS.contains(&key) {
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
        "base64" => base64(text),
        "hex" => hex(text),
        _ => Ok(text.as_bytes().to_vec()),
    }
}

fn field(spec: &mut FrameSpec, key: &str, value: &str) -> Result<(), String> {
    let field = Field::ALL.into_iter().find(|field| [field.name, field.json].contains(&key));
    let field = field.ok_or_else(|| no_such("key", key, &keys().collect::<Vec<_>>()))?;
    // A masking key of eight decimal digits is not a number.
    let number = number(value).filter(|_| key != "mask");
    let given = number.map_or(Given::Text(value), Given::Number);
    field.set(spec, given, &format!("{key}="))
}

fn keys() -> impl Iterator<Item = &'static str> {
    Field::ALL.into_iter().map(|field| field.name).chain(PAYLOADS)
}

/// Completes the keys, and after `KEY=` its values.
pub(super) fn complete(_before: &str, word: &str) -> Vec<Candidate> {
    let Some((key, _)) = word.split_once('=') else {
        return keys().map(|key| Candidate::new(format!("{key}="), "")).collect();
    };
    let fields = Field::ALL.into_iter().filter(|field| field.name == key);
    let values = fields.flat_map(|field| field.values);
    values.map(|value| Candidate::new(format!("{key}={value} "), "")).collect()
}

/// Decimal, or hex after `0x`.
fn number(value: &str) -> Option<u64> {
    let (digits, radix) = match value.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (value, 10),
    };
    // from_str_radix would accept a sign.
    let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::frame::{LengthForm, Opcode};
    use crate::run::frame::MaskSpec;

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
            ("op=16", "0 to 15"),
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
