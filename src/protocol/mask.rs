//! Masking (RFC 6455 §5.3): every byte XOR the key's byte at its offset modulo four.

/// Applies `key` to `payload` in place; `offset` is the position of `payload` in the frame's
/// payload, in bytes. Applying it twice gives the original.
#[inline]
pub fn apply(payload: &mut [u8], key: [u8; 4], offset: usize) {
    let word = u32::from_le_bytes(key).rotate_right(8 * (offset % 4) as u32);
    let wide = u128::from(word) * 0x1_0000_0001_0000_0001_0000_0001;
    // Longer steps would leave more to the tail.
    let (steps, tail) = payload.as_chunks_mut::<16>();
    for step in steps {
        *step = (u128::from_le_bytes(*step) ^ wide).to_le_bytes();
    }
    let (steps, tail) = tail.as_chunks_mut::<4>();
    for step in steps {
        *step = (u32::from_le_bytes(*step) ^ word).to_le_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(&word.to_le_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition_at_every_length_and_offset() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in 0..40 {
            for offset in 0..9 {
                let plain: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
                let mut masked = plain.clone();
                apply(&mut masked, key, offset);
                for (i, (m, p)) in masked.iter().zip(&plain).enumerate() {
                    assert_eq!(*m, p ^ key[(i + offset) % 4]);
                }
                apply(&mut masked, key, offset);
                assert_eq!(masked, plain);
            }
        }
    }

    #[test]
    fn the_hello_of_rfc_6455_5_7() {
        let mut hello = *b"Hello";
        apply(&mut hello, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(hello, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }
}
