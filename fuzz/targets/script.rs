//! Any script: it is read or refused with a place, and what is escaped for one reads as itself.

#![no_main]

use std::path::Path;

use wstap::pattern::{Message, Pattern, Template};
use wstap::script::{Givens, parse};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A script may name files: of this machine's none is of interest, and some never end.
    if !text.contains("file") && !text.contains("include") && !text.contains('@') {
        let givens = Givens { check_only: true, ..Givens::default() };
        if let Err(error) = parse(Path::new("fuzz.wst"), text, &givens) {
            assert!(error.what.starts_with("fuzz.wst:"), "{}", error.what);
            assert!(!error.what.contains('\n'), "{}", error.what);
        }
    }
    let template = Template::parse(&Template::quoted(text)).expect("it is quoted");
    assert_eq!(template.plain().as_deref(), Some(text));
    // A text matches itself, whatever it is.
    assert!(Pattern::text(text).judge(Message::text(text)).is_ok());
    if let Some((pattern, message)) = text.split_once('\n') {
        let _ = Pattern::text(pattern).judge(Message::text(message));
    }
});
