//! `wstap explain`: close codes, frame bytes and the protocol's words, without a connection.

mod close;
mod frames;
mod topics;

use crate::error::{Error, Exit, Result, Stage};
use crate::protocol::frame::Opcode;
use crate::protocol::handshake::{Request, RequestOptions};
use crate::text::Untrusted;

/// Explains a code, frame bytes in hex, or a word.
///
/// # Errors
/// Exit 2 for an unknown word; the hint lists the known ones.
pub fn explain(words: &[String]) -> Result<String> {
    if let [word, key] = words
        && is_accept(word)
    {
        return Ok(accept(key));
    }
    let words: Vec<String> = words
        .iter()
        .flat_map(|word| word.split_whitespace())
        .map(|word| word.trim_end_matches(':').to_ascii_lowercase())
        .collect();
    let list: Vec<&str> = words.iter().map(String::as_str).collect();
    let found = match list.as_slice() {
        [] => None,
        ["close" | "code", number] => number.parse().ok().map(close::explain),
        ["exit" | "exit-code", number] => number.parse().ok().and_then(topics::exit),
        ["status" | "http", number] => number.parse().ok().and_then(topics::status),
        ["opcode", number] => opcode(number),
        ["frame" | "frames" | "hex", bytes @ ..] => frames::parse_hex(bytes).map(frames::explain),
        [number] if number.bytes().all(|b| b.is_ascii_digit()) => bare_number(number),
        [name] => topics::topic(name),
        _ => None,
    };
    found
        .or_else(|| frames::parse_hex(&list).map(frames::explain))
        .or_else(|| topics::topic(&list.join("-")))
        .map_or_else(|| Err(unknown(&words.join(" "))), Ok)
}

fn unknown(words: &str) -> Error {
    let what = match words {
        "" => "nothing to explain was given".to_owned(),
        words => format!("nothing is known about \"{}\"", Untrusted::text(words)),
    };
    Error::new(Stage::Usage, Exit::Usage, what).hint(format!(
        "explain takes a close code (1006), an HTTP status (403), an exit code (exit 9), frame \
         bytes in hex (81 05 48 …), accept KEY, or one of: {}",
        topics::names().collect::<Vec<_>>().join(", ")
    ))
}

fn is_accept(word: &str) -> bool {
    ["accept", "key", "sec-websocket-accept", "sec-websocket-key"]
        .iter()
        .any(|name| word.trim_end_matches(':').eq_ignore_ascii_case(name))
}

/// Guesses what a number without a word before it means. Four digits are a close code, though they
/// could be two bytes in hex; `explain frame 1005` reads them so.
fn bare_number(number: &str) -> Option<String> {
    match (number.len(), number.parse::<u16>().ok()?) {
        (3, status @ 100..=599) => topics::status(status),
        (3, code) => Some(close::explain(code)),
        (4, code @ 0..=4999) => Some(close::explain(code)),
        (5, code) => Some(close::explain(code)),
        (1 | 2, code) => topics::exit(u8::try_from(code).ok()?),
        _ => None,
    }
}

fn opcode(number: &str) -> Option<String> {
    let digits = number.trim_start_matches("0x");
    let bits = u8::from_str_radix(digits, 16).ok().filter(|bits| *bits < 16);
    match bits.map(Opcode::from_bits) {
        Some(Opcode::Reserved(bits)) => Some(format!(
            "opcode {bits:#x}: not defined (RFC 6455 §5.2)\n\n\
             0x3-0x7 are kept for further data frames, 0xb-0xf for control frames. Without an\n\
             extension that defines it, whoever receives one must fail the connection (1002).\n"
        )),
        Some(known) => topics::topic(known.name()),
        None => topics::topic(number),
    }
}

/// How a key becomes the Accept value.
fn accept(key: &str) -> String {
    let options = RequestOptions::default();
    let computed = Request::new(&options, key).expected_accept();
    let bytes = data_encoding::BASE64.decode(key.as_bytes()).map(|bytes| bytes.len());
    let note = match bytes {
        Ok(16) => "The key is 16 bytes in base64, as it must be (RFC 6455 §4.1).".to_owned(),
        Ok(other) => format!(
            "The key is {other} bytes in base64; it must be 16 (RFC 6455 §4.1). Many servers refuse it."
        ),
        Err(_) => "The key is not base64, as RFC 6455 §4.1 demands. Many servers refuse it.".into(),
    };
    let shown = Untrusted::text(key);
    format!(
        "Sec-WebSocket-Key:    {shown}\n\
         Sec-WebSocket-Accept: {computed}\n\n\
         base64(SHA-1(key + \"258EAFA5-E914-47DA-95CA-C5AB0DC85B11\")) (RFC 6455 §4.2.2)\n\
         {note}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &str) -> String {
        explain(&words.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn numbers_are_what_they_most_likely_are() {
        for (words, start) in [
            ("1006", "close code 1006: abnormal closure"),
            ("4001", "close code 4001: private use"),
            ("999", "close code 999: not used"),
            ("65535", "close code 65535: not used"),
            ("close 1000", "close code 1000: normal closure"),
            ("426", "HTTP 426 Upgrade Required"),
            ("status 101", "HTTP 101 Switching Protocols"),
            ("exit 9", "exit code 9: "),
            ("9", "exit code 9: "),
            ("opcode 9", "ping (opcode 0x9,"),
            ("opcode 0x3", "opcode 0x3: not defined"),
            ("8180", "frame 1 at byte 0: text"),
            ("frame 1005", "frame 1 at byte 0: continuation"),
            ("PING", "ping (opcode 0x9,"),
            ("Sec-WebSocket-Version:", "Sec-WebSocket-Version"),
            ("permessage-deflate", "permessage-deflate (RFC 7692)"),
            ("exit codes", "exit codes"),
        ] {
            assert!(told(words).starts_with(start), "{words}: {}", told(words));
        }
    }

    #[test]
    fn accept_is_computed_from_the_key_in_its_own_case() {
        let text = told("accept dGhlIHNhbXBsZSBub25jZQ==");
        assert!(text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n"), "{text}");
        assert!(text.contains("16 bytes"));
        assert!(told("Accept short").contains("not base64"));
        assert!(told("accept").starts_with("Sec-WebSocket-Accept"));
    }

    #[test]
    fn what_is_unknown_is_a_usage_error_that_lists_what_is_known() {
        let error = explain(&["fr\x1bobnicate".to_owned()]).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(error.what, "nothing is known about \"fr\\x1bobnicate\"");
        assert!(error.hints[0].text().contains("masking"));
        assert_eq!(explain(&[]).unwrap_err().exit, Exit::Usage);
    }
}
