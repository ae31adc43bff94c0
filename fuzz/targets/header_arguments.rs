//! `-H 'Name: value'`: one field, one line of the request, and what a server reads is what was typed.

#![no_main]

use wstap::cli::header;
use wstap::http::head::{HeadLimits, HeadReader};
use wstap::protocol::handshake::{Request, RequestOptions};
use wstap_fuzz::assert_harmless;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(typed) = std::str::from_utf8(data) else { return };
    let header = match header(typed) {
        Ok(header) => header,
        Err(error) => return assert_harmless(&error),
    };
    let value = typed.split_once(':').map_or("", |(_, value)| value).trim_matches([' ', '\t']);
    assert_eq!(header.value, value.as_bytes());
    let options = RequestOptions {
        host: "h".to_owned(),
        target: "/".to_owned(),
        headers: vec![header.clone()],
        ..RequestOptions::default()
    };
    let request = Request::new(&options, "dGhlIHNhbXBsZSBub25jZQ==");
    let lines = request.bytes.split(|b| *b == b'\n').count();
    assert_eq!(lines, request.headers.len() + 3);
    assert!(request.bytes.ends_with(b"\r\n\r\n") && !request.bytes.contains(&0));
    if value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
        return;
    }
    let first = request.bytes.iter().position(|b| *b == b'\n').expect("a request line") + 1;
    let head = [b"HTTP/1.1 200 OK\r\n", &request.bytes[first..]].concat();
    if head.len() <= HeadLimits::default().bytes {
        let read = HeadReader::new(HeadLimits::default()).feed(&head);
        let (read, rest) = read.expect("the head is well formed").expect("the head is whole");
        assert_eq!((read.headers, rest.len()), (request.headers, 0));
    }
});
