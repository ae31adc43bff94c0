//! Typed text whose escapes stand for bytes and characters.

/// Text with escapes: `\xHH` is a byte, `\u{…}` a character in UTF-8; also `\n \r \t \0 \\`.
///
/// # Errors
/// The column of what is no escape.
pub fn escaped(text: impl AsRef<[u8]>) -> Result<Vec<u8>, String> {
    let text = text.as_ref();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        bytes.extend_from_slice(plain);
        let used = self::escape(&escape[1..], &mut bytes).ok_or_else(|| {
            let before = String::from_utf8_lossy(&text[..text.len() - escape.len()]);
            let column = before.chars().count() + 1;
            format!("column {column} is no escape of \\xHH \\u{{..}} \\n \\r \\t \\0 \\\\")
        })?;
        rest = &escape[1 + used..];
    }
    bytes.extend_from_slice(rest);
    Ok(bytes)
}

/// Appends the value of the escape at the front of `rest` (after its backslash); returns its
/// length.
fn escape(rest: &[u8], bytes: &mut Vec<u8>) -> Option<usize> {
    // from_str_radix would accept a sign.
    let number = |digits: &[u8]| {
        let hex = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| hex)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let plain = match rest.first()? {
        b'0' => 0,
        b'\\' => b'\\',
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let digits = rest[1..].strip_prefix(b"{")?;
            let digits = &digits[..memchr::memchr(b'}', digits)?];
            let c = char::from_u32(number(digits)?)?;
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(digits.len() + 3);
        }
        b'x' => {
            bytes.push(number(rest.get(1..3)?)? as u8);
            return Some(3);
        }
        _ => return None,
    };
    bytes.push(plain);
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_bytes() {
        assert_eq!(escaped(r"a\x00\xFF\n\r\t\0\\z").unwrap(), b"a\x00\xff\n\r\t\0\\z");
        assert_eq!(escaped(r"\u{1f600}ü").unwrap(), "😀ü".as_bytes());
        assert_eq!(escaped("").unwrap(), b"");
    }

    #[test]
    fn a_wrong_escape_is_placed() {
        for (text, column) in [
            (r"ü\q", 2),
            (r"ab\x1", 3),
            (r"\u{d800}", 1),
            (r"\u{110000}", 1),
            (r"\u12", 1),
            ("a\\", 2),
            (r"\x+1", 1),
            (r"\xé", 1),
        ] {
            let error = escaped(text).unwrap_err();
            assert!(error.starts_with(&format!("column {column} ")), "{text}: {error}");
        }
    }
}
