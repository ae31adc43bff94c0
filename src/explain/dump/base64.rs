//! Base64.

use super::shown::Dump;

/// Base64 with either alphabet, with or without padding, also in a `data:` URL.
pub fn read(text: &str) -> Option<Dump> {
    let text = text.trim().trim_matches(['"', '\'', '`']);
    let text = match text.split_once(";base64,") {
        Some((front, data)) if front.starts_with("data:") => data,
        _ => text,
    };
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
    let text = text.replace('-', "+").replace('_', "/");
    let bytes = data_encoding::BASE64_NOPAD.decode(text.as_bytes()).ok()?;
    (!bytes.is_empty()).then(|| Dump::new("base64", bytes))
}
