//! Typed payloads: with escapes, in hex, in base64, as JSON.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, DecodeError};
use serde_json::Value;

/// Text with escapes: `\xHH` is a byte, `\u{…}` a character in UTF-8; also `\n \r \t \0 \\`.
pub(super) fn escaped(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        let column = text[..text.len() - rest.len()].chars().count();
        let used = escape(rest, &mut bytes).ok_or_else(|| {
            format!("column {column} is no escape of \\xHH \\u{{..}} \\n \\r \\t \\0 \\\\")
        })?;
        rest = &rest[used..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// Appends the value of the escape at the front of `rest` (after its backslash); returns its
/// length.
fn escape(rest: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    let plain = match rest.as_bytes().first()? {
        b'0' => 0,
        b'\\' => b'\\',
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let digits = rest[1..].strip_prefix('{')?.split_once('}')?.0;
            // from_str_radix would accept a sign.
            let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
            let c = char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| hex)?)?;
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(digits.len() + 3);
        }
        b'x' => {
            let digits = rest.get(1..3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            return Some(3);
        }
        _ => return None,
    };
    bytes.push(plain);
    Some(1)
}

/// Base64 of either alphabet, with or without padding; white space doesn't count.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, String> {
    let dense: String = text.split_whitespace().collect();
    let encoding = match (dense.contains(['-', '_']), dense.ends_with('=')) {
        (false, false) => BASE64_NOPAD,
        (false, true) => BASE64,
        (true, false) => BASE64URL_NOPAD,
        (true, true) => BASE64URL,
    };
    encoding.decode(dense.as_bytes()).map_err(|DecodeError { position, kind }| {
        format!("not base64: {kind} at character {}", position + 1)
    })
}

/// JSON without the white space between its tokens. It is checked as a whole, but not rebuilt:
/// large numbers, duplicate keys and escapes stay as they are.
pub(super) fn json(text: &str) -> Result<String, String> {
    serde_json::from_str::<Value>(text).map_err(|error| format!("not JSON: {error}"))?;
    let mut compact = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if !quoted && c.is_ascii_whitespace() {
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        compact.push(c);
    }
    Ok(compact)
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

    #[test]
    fn base64_takes_every_common_spelling() {
        assert_eq!(base64("AP8=").unwrap(), [0x00, 0xff]);
        assert_eq!(base64("AP8").unwrap(), [0x00, 0xff]);
        assert_eq!(base64("-_-_").unwrap(), base64("+/+/").unwrap());
        assert_eq!(base64("AA AA").unwrap(), [0, 0, 0]);
        assert!(base64("A*==").unwrap_err().contains("character 2"));
    }

    #[test]
    fn json_stays_itself() {
        let typed =
            "{ \"b\" : 1 , \"a\":\t[ 12345678901234567890123, 1.10 ], \"a\": \"x \\\" y\\\\\" }";
        let compact = r#"{"b":1,"a":[12345678901234567890123,1.10],"a":"x \" y\\"}"#;
        assert_eq!(json(typed).unwrap(), compact);
        assert_eq!(json(" \"a b\" ").unwrap(), "\"a b\"");
        assert!(json("{\"a\":}").unwrap_err().contains("column 6"));
    }
}
