//! A response's head and body: at any split the same as in one piece, and kept as they came.

#![no_main]

use wstap::http::head::{BodyReader, HeadError, HeadLimits, HeadReader, Response, is_token};
use wstap::protocol::handshake::{HandshakeReport, Request, RequestOptions, Verdict};
use wstap::protocol::violation::Policy;
use wstap_fuzz::{Input, pieces};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let (choice, seed) = (input.byte(), input.byte());
    let bytes = input.rest();
    let limits = match choice & 3 {
        0 => HeadLimits { bytes: 200, headers: 5 },
        _ => HeadLimits::default(),
    };
    let whole = HeadReader::new(limits).feed(bytes);
    let split = head(&pieces(bytes, seed), limits);
    match (&whole, &split) {
        // It is told at the first byte that is wrong, and shown with what has come.
        (Err(HeadError::NotHttp(_)), Err(HeadError::NotHttp(_))) => {}
        (whole, split) => assert_eq!(whole, split),
    }
    let Ok(Some((response, rest))) = whole else { return };
    assert_eq!([response.head.as_slice(), &rest].concat(), bytes);
    assert!(response.head.len() <= limits.bytes && response.headers.len() <= limits.headers);
    for header in &response.headers {
        assert!(header.name.iter().copied().all(is_token));
        assert_eq!(header.value, header.value.trim_ascii());
        assert!(!header.value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0 | 0x1b)));
    }
    judge(&response);
    let limit = usize::from(choice >> 2) + 1;
    let all = body(&response, &[&rest], limit);
    assert!(all.0.len() <= limit);
    assert_eq!(all, body(&response, &pieces(&rest, seed), limit));
});

type Head = Result<Option<(Response, Vec<u8>)>, HeadError>;

fn head(pieces: &[&[u8]], limits: HeadLimits) -> Head {
    let mut reader = HeadReader::new(limits);
    for (at, piece) in pieces.iter().enumerate() {
        if let Some((head, mut rest)) = reader.feed(piece)? {
            rest.extend(pieces[at + 1..].concat());
            return Ok(Some((head, rest)));
        }
    }
    Ok(None)
}

fn body(response: &Response, pieces: &[&[u8]], limit: usize) -> (Vec<u8>, Option<String>) {
    let mut reader = BodyReader::new(response, limit);
    for piece in pieces {
        reader.feed(piece);
    }
    reader.finish()
}

fn judge(response: &Response) {
    let options = RequestOptions {
        host: "h".to_owned(),
        target: "/".to_owned(),
        subprotocols: vec!["chat".to_owned()],
        extensions: "permessage-deflate; client_max_window_bits".to_owned(),
        ..RequestOptions::default()
    };
    let request = Request::new(&options, "dGhlIHNhbXBsZSBub25jZQ==");
    let lenient = HandshakeReport::judge(&request, response, Policy::Lenient);
    let strict = HandshakeReport::judge(&request, response, Policy::Strict);
    if strict.verdict() == Verdict::Pass {
        assert_eq!(lenient.verdict(), Verdict::Pass);
    }
    if lenient.verdict() == Verdict::Fail {
        assert_eq!(strict.verdict(), Verdict::Fail);
    }
}
