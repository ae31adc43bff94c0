//! What a peer chose is shown without a character that could mislead a terminal or a person.

#![no_main]

use wstap::text::{Untrusted, UntrustedLines, is_dangerous};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let one = Untrusted(data).to_string();
    assert!(!one.chars().any(misleads), "{one:?}");
    let lines = UntrustedLines(data).to_string();
    assert!(!lines.chars().any(|c| misleads(c) && !matches!(c, '\n' | '\t')), "{lines:?}");
    // A byte becomes \xff at most, a character \u{10ffff}.
    assert!(one.len() <= data.len() * 4 && lines.len() <= one.len());
    // What is shown is not escaped again, and what is harmless is not touched.
    assert_eq!(Untrusted::text(&one).to_string(), one);
    if let Ok(text) = std::str::from_utf8(data)
        && !text.chars().any(|c| is_dangerous(c) || matches!(c, '\u{fe00}'..='\u{fe0f}'))
    {
        assert_eq!(one, text);
    }
});

/// Joiners and tags may stand inside an emoji or a word.
fn misleads(c: char) -> bool {
    is_dangerous(c) && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{e0020}'..='\u{e007f}')
}
