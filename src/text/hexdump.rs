//! Bytes as rows of hex and ASCII; nothing in a row can move a cursor.

use std::io::{self, Write};

use data_encoding::HEXLOWER;

use crate::protocol::mask;

/// The number of bytes in a row.
const ROW: usize = 16;

/// The column of the ASCII: after the hex with a gap in the middle, two spaces and a bar.
const ASCII: usize = 3 * ROW + 1 + 3;

/// The longest row after its offset, with the bar and the line end.
const TEXT: usize = ASCII + ROW + 2;

/// Writes rows, each behind `margin`: offset (counted from `offset`), hex, ASCII.
///
/// # Errors
/// Those of `out`.
pub fn hexdump(
    margin: &dyn std::fmt::Display,
    bytes: &[u8],
    offset: u64,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (number, row) in bytes.chunks(ROW).enumerate() {
        line(margin, row, offset + (number * ROW) as u64, out)?;
    }
    Ok(())
}

/// As [`hexdump`], but unmasks the bytes. `offset` is their position in the frame's payload, which
/// also selects the key's byte.
///
/// # Errors
/// Those of `out`.
pub fn unmasked(
    margin: &dyn std::fmt::Display,
    bytes: &[u8],
    key: [u8; 4],
    offset: u64,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (number, row) in bytes.chunks(ROW).enumerate() {
        let at = offset + (number * ROW) as u64;
        let mut plain = [0; ROW];
        if let Some(plain) = plain.get_mut(..row.len()) {
            plain.copy_from_slice(row);
            mask::apply(plain, key, (at % 4) as usize);
            line(margin, plain, at, out)?;
        }
    }
    Ok(())
}

/// Bytes as hex pairs separated by spaces.
#[derive(Clone, Copy, Debug)]
pub struct HexPairs<'a>(pub &'a [u8]);

impl std::fmt::Display for HexPairs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, byte) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

fn line(
    margin: &dyn std::fmt::Display,
    row: &[u8],
    offset: u64,
    out: &mut dyn Write,
) -> io::Result<()> {
    write!(out, "{margin}{offset:08x} ")?;
    let mut text = [b' '; TEXT];
    for (column, byte) in row.iter().enumerate() {
        let at = 3 * column + 1 + column / (ROW / 2);
        HEXLOWER.encode_mut(&[*byte], &mut text[at..at + 2]);
        let graphic = byte.is_ascii_graphic() || *byte == b' ';
        text[ASCII + column] = if graphic { *byte } else { b'.' };
    }
    let end = ASCII + row.len();
    text[ASCII - 1] = b'|';
    text[end..end + 2].copy_from_slice(b"|\n");
    out.write_all(&text[..end + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned() {
        let mut out = Vec::new();
        hexdump(&"  ", b"0123456789abcdef\x1b\xff ", 0, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n  \
             00000010  1b ff 20                                          |.. |\n"
        );
    }

    #[test]
    fn the_mask_is_taken_off_also_from_the_middle_on() {
        let masked = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        for cut in 0..masked.len() {
            let mut out = Vec::new();
            unmasked(&"", &masked[cut..], [0x37, 0xfa, 0x21, 0x3d], cut as u64, &mut out).unwrap();
            let shown = String::from_utf8(out).unwrap();
            assert!(shown.ends_with(&format!("|{}|\n", &"Hello"[cut..])), "{shown}");
        }
    }
}
