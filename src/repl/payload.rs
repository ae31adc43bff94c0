//! Typed payloads: in base64, as JSON.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, DecodeError};
use serde_json::Value;

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
