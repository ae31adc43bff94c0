//! `wstap explain`: close codes, frame bytes and the protocol's words, without a connection.
//!
//! What can be read in two ways is read in the first of these: after a word that says what follows
//! (`close 1000`, `frame 8105`, `base64 gQ==`), as a number, as a word of the protocol, as bytes in
//! the order of `dump`, as the text of another protocol, as base64.

mod bytes;
mod close;
mod dump;
mod failures;
mod foreign;
mod frames;
mod packet;
mod topics;

use self::bytes::{is_likely, of_bytes, of_dump};

use crate::error::{Error, Exit, Result, Stage};
use crate::protocol::frame::Opcode;
use crate::protocol::handshake::{Request, RequestOptions};
use crate::text::Untrusted;
use crate::text::typed::hex;

/// Explains a code, frame bytes in hex, or a word.
///
/// # Errors
/// Exit 2 for an unknown word; the hint lists the known ones.
pub fn explain(words: &[String]) -> Result<String> {
    let typed = words.join(" ");
    if let [word, key] = typed.split_whitespace().collect::<Vec<_>>()[..]
        && is_accept(word)
    {
        return Ok(accept(key));
    }
    let words: Vec<String> = typed
        .split_whitespace()
        .map(|word| word.trim_end_matches(':').to_ascii_lowercase())
        .collect();
    let list: Vec<&str> = words.iter().map(String::as_str).collect();
    let behind = || typed.trim().split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
    let found = match list.as_slice() {
        [] => None,
        ["close" | "code", number] => number.parse().ok().map(close::explain),
        ["exit" | "exit-code", number] => number.parse().ok().and_then(topics::exit),
        ["status" | "http", number] => number.parse().ok().and_then(topics::status),
        ["opcode", number] => opcode(number),
        ["frame" | "frames" | "hex" | "bytes", _, ..] => dump::read(behind()).map(of_dump),
        ["base64", _, ..] => dump::base64(behind()).map(of_dump),
        [number] if number.bytes().all(|b| b.is_ascii_digit()) => bare_number(number),
        [name] => topics::topic(name),
        _ => None,
    };
    found
        .or_else(|| dump::read(&typed).map(of_dump))
        .or_else(|| topics::topic(&list.join("-")))
        .or_else(|| failures::proxy(&list.join("-")))
        .or_else(|| foreign::recognize(typed.as_bytes()).map(|_| of_bytes(typed.as_bytes())))
        .or_else(|| dump::base64(&typed).filter(is_likely).map(of_dump))
        .or_else(|| failures::words(&list.join(" ")))
        .map_or_else(|| Err(unknown(typed.trim())), Ok)
}

/// Explains what a file or another program gives: text as [`explain`] takes it, or the bytes
/// themselves.
///
/// # Errors
/// As for [`explain`].
pub fn explain_input(input: &[u8]) -> Result<String> {
    let is_text = |c: char| !c.is_control() || c.is_whitespace();
    match std::str::from_utf8(input) {
        Ok(text) if text.chars().all(is_text) && foreign::recognize(input).is_none() => {
            explain(&[text.to_owned()])
        }
        _ => Ok(of_bytes(input)),
    }
}

fn unknown(words: &str) -> Error {
    const MOST: usize = 80;
    let what = match words.char_indices().nth(MOST) {
        _ if words.is_empty() => "nothing to explain was given".to_owned(),
        None => {
            let is_hex = |c: char| c.is_ascii_hexdigit() || c.is_whitespace();
            let why = hex(words).err().filter(|_| words.len() > 2 && words.chars().all(is_hex));
            let why = why.map(|why| format!(": as bytes it has {why}")).unwrap_or_default();
            format!("nothing is known about \"{}\"{why}", Untrusted::text(words))
        }
        Some((at, _)) => {
            let begin = Untrusted::text(words.get(..at).unwrap_or_default()).to_string();
            format!("nothing is known about what begins with \"{begin}\"")
        }
    };
    Error::new(Stage::Usage, Exit::Usage, what).hint(format!(
        "explain takes a close code (1006), an HTTP status (403), an exit code (exit 9), bytes \
         as a dump, in hex (81 05 48 …) or base64, accept KEY, a proxy's name (nginx), the words of an error, - for standard input, or one of: {}",
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
    use proptest::prelude::*;

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

    /// `81 05 Hello` and a ping, in all the ways that people paste bytes.
    #[test]
    fn bytes_in_every_spelling() {
        let wanted = told("810548656c6c6f8900");
        assert!(wanted.contains("text: \"Hello\"") && wanted.contains("frame 2 at byte 7: ping"));
        for (text, kind) in [
            ("81 05 48 65 6c 6c 6f 89 00", ""),
            ("8105 4865 6c6c 6f89 00", ""),
            ("81:05:48:65:6c:6c:6f:89:00", ""),
            ("0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x89, 0x00", ""),
            ("frame 8105 4865 6c6c 6f89 00", ""),
            ("00000000: 8105 4865 6c6c 6f89 00                   ..Hello..", "a dump with offsets"),
            ("00000000: 65480581 896f6c6c       00           ..Hello..", "a dump with offsets"),
            (
                "00000000: 8105 4865  ..He\n00000004: 6c6c 6f89  llo.\n00000008: 00  .",
                "a dump with offsets",
            ),
            (
                "00000000  81 05 48 65 6c 6c 6f 89  00                       |..Hello..|\n00000009",
                "a dump with offsets",
            ),
            ("0000000 0581 6548 6c6c 896f 0000\n0000009", "a dump with offsets"),
            ("0000000 81 05 48 65 6c 6c 6f 89 00\n0000011", "a dump with offsets"),
            ("000000 81 05 48 65 6c 6c 6f 89 00   >..Hello..<\n000009", "a dump with offsets"),
            ("0000000 002601 062510 066154 104557 000000\n0000011", "a dump with offsets"),
            ("0000000 201 005   H   e   l   l   o 211  \\0\n0000011", "a dump with offsets"),
            (
                "\t0x0000:  8105 4865 6c6c 6f89 00                   ..Hello..",
                "a dump with offsets",
            ),
            (
                "0000   81 05 48 65 6c 6c 6f 89 00                        ..Hello..",
                "a dump with offsets",
            ),
            (
                "0x7ffe0: 0x81 0x05 0x48 0x65\n0x7ffe4: 0x6c 0x6c 0x6f 0x89\n0x7ffe8: 0x00",
                "a dump with offsets",
            ),
            (
                "Offset Bytes\n------\n0000000000000000 81 05 48 65 6C 6C 6F 89 00   ..Hello..",
                "a dump with offsets",
            ),
            ("<Buffer 81 05 48 65 6c 6c 6f 89 00>", "a Buffer of Node"),
            ("Uint8Array(9) [\n  129, 5, 72, 101, 108,\n  108, 111, 137, 0\n]", "an array"),
            ("{\"type\":\"Buffer\",\"data\":[129,5,72,101,108,108,111,137,0]}", "an array"),
            ("[]byte{0x81, 0x5, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x89, 0x0}", "an array"),
            ("[129 5 72 101 108 108 111 137 0]", "an array"),
            ("&[0x81u8, 0x05, b'H', b'e', 0x6c, 0x6c, 0x6f, 0x89, 0x00];", "an array"),
            (
                "byteArrayOf(0x81.toByte(), 0x05, 72, 101, 108, 108, 111, 0x89.toByte(), 0)",
                "an array",
            ),
            ("new byte[] { (byte) 0x81, 5, 72, 101, 108, 108, 111, (byte) 0x89, 0 };", "an array"),
            ("array('B', [129, 5, 72, 101, 108, 108, 111, 137, 0])", "an array"),
            (r#""\x{81}\x{05}Hello\x{89}\0""#, "a string"),
            ("[-127, 5, 72, 101, 108, 108, 111, -119, 0]", "an array"),
            ("<<129,5,72,101,108,108,111,137,0>>", "an array"),
            (
                "char peer0_0[] = { /* Packet 4 */\n0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x89, \n0x00 };",
                "an array",
            ),
            ("129, 5, 72, 101, 108, 108, 111, 137, 0", "a list of numbers"),
            ("0x81, 0x5, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x89, 0x0", "a list of numbers"),
            (r"b'\x81\x05Hello\x89\x00'", "a string"),
            (r"bytearray(b'\x81\x05Hello\x89\x00')", "a string"),
            (
                r#""\x81\x05\x48\x65\x6c" \
"\x6c\x6f\x89\x00""#,
                "a string",
            ),
            (r#"let frame = "\u0081\u0005Hello\u0089\0";"#, "a string"),
            (r"b\x81\x05Hello\x89\x00", "a string with escapes"),
            (r"\201\5Hello\211\0", "a string with escapes"),
            ("bytes.fromhex('81 05 48 65 6c 6c 6f 89 00')", "hex in quotation marks"),
            ("Buffer.from('810548656c6c6f8900', 'hex')", "hex in quotation marks"),
            ("{length = 9, bytes = 0x81054865 6c6c6f89 00}", "an NSData"),
            ("<81054865 6c6c6f89 00>", "an NSData"),
            ("gQVIZWxsb4kA", "base64"),
            ("base64 gQVIZWxsb4kA", "base64"),
            ("data:application/octet-stream;base64,gQVIZWxsb4kA", "base64"),
            ("Buffer.from(\"gQVIZWxsb4kA\", \"base64\")", "base64"),
        ] {
            let told = told(text);
            let heading = match kind {
                "" => String::new(),
                kind => format!("9 bytes, read from {kind}\n"),
            };
            assert!(told.starts_with(&heading), "{text}: {told}");
            assert!(told.ends_with(&wanted), "{text}: {told}");
            assert_eq!(
                told.contains("bits in the order of its machine"),
                text.contains("6548"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_left_out_of_a_dump_is_said() {
        for (text, says) in [
            ("<Buffer 82 7e 01 00 aa ... 255 more bytes>", "255 more bytes were left out"),
            (
                "Uint8Array(300) [\n 130, 126, 1, 0,\n ... 296 more items\n]",
                "296 more bytes were left out",
            ),
            ("00000000  89 00\n00000004  8a 00", "2 bytes are missing before offset 00000004"),
            (
                "00000000  82 7e 00 80 00 00 00 00  00 00 00 00 00 00 00 00\n*\n00000080  00 00 00 00\n",
                "128 bytes, from a server",
            ),
        ] {
            assert!(told(text).contains(says), "{}", told(text));
        }
    }

    #[test]
    fn segments_of_a_flow_follow_each_other() {
        let text = told(
            "IP localhost.8080 > localhost.54321: Flags [P.], length 4\n\
             \t0x0000:  4500 002c 0001 4000 4006 3cba 7f00 0001  E..,..@.@.<.....\n\
             \t0x0010:  7f00 0001 1f90 d431 0000 0001 0000 0001  .......1........\n\
             \t0x0020:  5018 0200 fe2f 0000 8105 4865            P..../....He\n\
             IP localhost.54321 > localhost.8080: Flags [.], length 0\n\
             \t0x0000:  4500 0028 0001 4000 4006 3cba 7f00 0001  E..(..@.@.<.....\n\
             \t0x0010:  7f00 0001 d431 1f90 0000 0001 0000 0001  .....1..........\n\
             \t0x0020:  5010 0200 fe2f 0000                      P..../..\n\
             IP localhost.8080 > localhost.54321: Flags [P.], length 3\n\
             \t0x0000:  4500 002b 0001 4000 4006 3cba 7f00 0001  E..+..@.@.<.....\n\
             \t0x0010:  7f00 0001 1f90 d431 0000 0001 0000 0001  .......1........\n\
             \t0x0020:  5018 0200 fe2f 0000 6c6c 6f              P..../..llo",
        );
        assert!(
            text.contains(
                "\n127.0.0.1:8080 to 127.0.0.1:54321\n\
                 2 segments; 80 bytes of headers skipped (IPv4 and TCP)\n\nframe 1 "
            ),
            "{text}"
        );
        assert!(text.contains("text: \"Hello\"") && !text.contains("54321 to"), "{text}");
    }

    #[test]
    fn directions_of_a_conversation_are_apart() {
        let text = told(
            "00000000  48 54 54 50 2f 31 2e 31  20 31 30 31 20 53 0d 0a   HTTP/1.1  101 S..\n\
             00000010  0d 0a 81 05 48 65 6c 6c  6f                        ....Hell o\n    \
             00000000  81 85 37 fa 21 3d 7f 9f  4d 51 58                  ..7.!=.. MQX\n\
             00000019  89 00                                              ..",
        );
        assert!(text.contains("part 1\n\nnot a frame: the head of an HTTP response"), "{text}");
        assert!(text.contains("frame 2 at byte 25: ping"), "{text}");
        assert!(text.contains("part 2\n\nframe 1 at byte 0: text, final, 5 bytes, from a client"));
    }

    #[test]
    fn words_and_numbers_come_before_bytes() {
        for (text, begins) in [
            ("1006", "close code 1006"),
            ("200", "HTTP 200"),
            ("close", "close (opcode 0x8"),
            ("deadbeef", "frame 1 at byte 0: reserved 0xe"),
            ("81 05", "frame 1 at byte 0: text"),
            ("GET /x HTTP/1.1", "not a frame: the head of an HTTP request\n  GET /x HTTP/1.1"),
            ("SSH-2.0-OpenSSH_9.6", "not a frame: the greeting of SSH"),
            ("15030300020228", "not a frame: 1 record of TLS"),
        ] {
            assert!(told(text).starts_with(begins), "{text}: {}", told(text));
        }
        for unknown in ["handshak", "frobnicate", "[1, 2, x]", "<Buffer>", "b''", "0000: zz", "[]"]
        {
            assert_eq!(explain(&[unknown.to_owned()]).unwrap_err().exit, Exit::Usage, "{unknown}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_wild(text in r#"[0-9a-fx: \n|.*<>\[\](){},'"\\=+/bBufer-]{0,80}"#) {
            let _ = (explain(std::slice::from_ref(&text)), explain_input(text.as_bytes()));
        }

        #[test]
        fn no_bytes_are(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = explain_input(&bytes);
        }

        #[test]
        fn rows_of_any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 1..70)) {
            let mut rows = Vec::new();
            crate::text::hexdump::hexdump(&"", &bytes, 0, &mut rows).unwrap();
            let dump = dump::read(&String::from_utf8(rows).unwrap()).unwrap();
            prop_assert_eq!(dump.parts, vec![bytes]);
        }
    }
}
