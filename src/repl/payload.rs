//! Typed payloads: JSON.

use serde_json::Value;

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
    fn json_stays_itself() {
        let typed =
            "{ \"b\" : 1 , \"a\":\t[ 12345678901234567890123, 1.10 ], \"a\": \"x \\\" y\\\\\" }";
        let compact = r#"{"b":1,"a":[12345678901234567890123,1.10],"a":"x \" y\\"}"#;
        assert_eq!(json(typed).unwrap(), compact);
        assert_eq!(json(" \"a b\" ").unwrap(), "\"a b\"");
        assert!(json("{\"a\":}").unwrap_err().contains("column 6"));
    }
}
