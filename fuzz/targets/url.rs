//! URLs as people type them: nothing gets into the request line, and what is shown reads back.

#![no_main]

use wstap::text::is_dangerous;
use wstap::transport::Target;
use wstap_fuzz::assert_harmless;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(typed) = std::str::from_utf8(data) else { return };
    let (target, notes) = match Target::parse(typed) {
        Ok(parsed) => parsed,
        Err(error) => return assert_harmless(&error),
    };
    for note in &notes {
        assert!(!note.chars().any(is_dangerous), "{note:?}");
    }
    assert!(target.path.starts_with('/') && target.port != 0);
    for text in [&target.path, &target.authority(), &target.url()] {
        assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{text:?}");
    }
    let typed_query = typed.split_once('?').map_or("", |(_, query)| query);
    let query = target.path.split_once('?').map_or("", |(_, query)| query);
    let escapes = |text: &str| text.matches('%').count();
    assert!(
        escapes(query) >= escapes(typed_query),
        "{typed:?} lost a part of its query: {query:?}"
    );
    let url = target.url();
    let (again, notes) = Target::parse(&url).expect("what is shown is a URL");
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!(again.url(), url);
    assert_eq!((again.secure, again.host, again.port), (target.secure, target.host, target.port));
});
