//! Typed input: bytes in hex, and misspelt names.

/// Reads hex digits. White space, `:`, `,` and `-` are ignored, as are `0x` and `\x` before a byte.
///
/// # Errors
/// Which character is not a hex digit, or that half a byte is left.
pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let mut chars = text.chars().zip(1..).peekable();
    while let Some((c, column)) = chars.next() {
        let next_is_x = matches!(chars.peek(), Some(('x' | 'X', _)));
        if high.is_none() && matches!(c, '0' | '\\') && next_is_x {
            chars.next();
            continue;
        }
        if c.is_whitespace() || matches!(c, ':' | ',' | '-') {
            continue;
        }
        let digit = c.to_digit(16).ok_or_else(|| format!("column {column} is not a hex digit"))?;
        match high.take() {
            Some(high) => bytes.push((high << 4 | digit) as u8),
            None => high = Some(digit),
        }
    }
    match high {
        Some(_) => Err("an odd number of hex digits: the last byte has only one".to_owned()),
        None => Ok(bytes),
    }
}

/// The name that was probably meant: one that begins as typed, or differs by a typo or two.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match typed.chars().count() {
        0 | 1 => 0,
        2 | 3 => 1,
        4..=32 => 2,
        // So long a text is no misspelt name.
        _ => return None,
    };
    let distance = |name: &str| match name.starts_with(typed) && !typed.is_empty() {
        true => 0,
        false => strsim::osa_distance(typed, name),
    };
    let near = known.into_iter().map(|name| (distance(name), name));
    near.filter(|(far, _)| *far <= limit).min_by_key(|(far, _)| *far).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_forgiving_about_spacing_only() {
        assert_eq!(hex("00ff 01:0a,0x7F 0XAB").unwrap(), [0x00, 0xff, 0x01, 0x0a, 0x7f, 0xab]);
        assert_eq!(hex("\\x81-80\n0x").unwrap(), [0x81, 0x80]);
        assert_eq!(hex("").unwrap(), b"");
        assert_eq!(hex("0 1").unwrap(), [0x01]);
        assert!(hex("0g").unwrap_err().contains("column 2"));
        assert!(hex("é0g").unwrap_err().contains("column 1"));
        assert!(hex("10x1").unwrap_err().contains("column 3"));
        assert!(hex("123").unwrap_err().contains("odd"));
        assert!(hex("x1").unwrap_err().contains("column 1"));
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let known = ["help", "status", "connect", "ping", "pong", "reconnect", "base64"];
        for (typed, meant) in [
            ("hlep", Some("help")),
            ("stat", Some("status")),
            ("conect", Some("connect")),
            ("pign", Some("ping")),
            ("recon", Some("reconnect")),
            ("base46", Some("base64")),
            ("xyzzy", None),
            ("", None),
            ("p", Some("ping")),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest(&"p".repeat(33), known), None);
    }
}
