//! Frame headers: what is read is written again byte for byte, and the other way round.

#![no_main]

use wstap::protocol::frame::{FrameHeader, LengthForm, Opcode};
use wstap_fuzz::Input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let parsed = FrameHeader::parse(data);
    for cut in 0..data.len().min(FrameHeader::MAX_LEN) {
        let known = parsed.filter(|(_, len)| *len <= cut);
        assert_eq!(FrameHeader::parse(&data[..cut]), known);
    }
    if let Some((header, len)) = parsed {
        assert!(len <= FrameHeader::MAX_LEN);
        let mut again = Vec::new();
        header.encode(&mut again);
        assert_eq!(again, data[..len]);
        assert!(!header.to_string().is_empty());
    }
    let mut input = Input::new(data);
    let (bits, opcode, form) = (input.byte(), input.byte(), input.byte());
    let mut number = [0; 8];
    number.fill_with(|| input.byte());
    let length = u64::from_be_bytes(number);
    let (length_form, length) = match form % 4 {
        0 => (LengthForm::Bits7, length % 126),
        1 => (LengthForm::Bits16, length & 0xffff),
        2 => (LengthForm::Bits64, length),
        _ => (LengthForm::minimal(length), length),
    };
    let header = FrameHeader {
        fin: bits & 1 != 0,
        rsv1: bits & 2 != 0,
        rsv2: bits & 4 != 0,
        rsv3: bits & 8 != 0,
        opcode: Opcode::from_bits(opcode),
        masking_key: (bits & 16 != 0).then_some([bits, opcode, form, number[0]]),
        length,
        length_form,
    };
    let mut bytes = Vec::new();
    header.encode(&mut bytes);
    assert_eq!(FrameHeader::parse(&bytes), Some((header, bytes.len())));
    assert_eq!(header.is_minimal(), header.length_form == LengthForm::minimal(length));
});
