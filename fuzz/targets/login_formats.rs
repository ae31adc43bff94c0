//! What a server says about logins and cookies, and the files that hold them: nothing that is made of
//! it gets out of its header field or its line, and what was written is read again.

#![no_main]

use wstap::connection::Netrc;
use wstap::http::challenge::challenges;
use wstap::http::cookie::{CookieOrigin, Jar};
use wstap::http::date;
use wstap::http::digest::{Attempt, DigestChallenge};
use wstap::http::head::Header;
use wstap_fuzz::Input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = input.byte();
    let rest = input.rest();
    match choice & 3 {
        0 => digest(rest),
        1 => cookies(rest, choice),
        2 => jar(rest),
        _ => {
            if let Ok(text) = std::str::from_utf8(rest)
                && let Err(why) = Netrc::parse(text)
            {
                assert!(why.len() < 100);
            }
            let headers = [Header::new("Retry-After", rest)];
            if let Some(wait) = date::retry_after(&headers, 0) {
                assert!(wait.as_secs() <= 366 * 24 * 3600);
            }
        }
    }
});

/// Fields as a response's head can have them.
fn fields(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.split(|b| *b == b'\n');
    lines.filter(|line| !line.iter().any(|b| b.is_ascii_control() && *b != b'\t'))
}

fn digest(bytes: &[u8]) {
    let headers: Vec<Header> = fields(bytes).map(|value| Header::new("A", value)).collect();
    let found = challenges(&headers, "a");
    assert!(found.len() <= 16);
    for challenge in found.iter().filter_map(DigestChallenge::read) {
        let (user, password) = ("a \"b\\", "secret");
        let attempt = Attempt { user, password, method: "GET", uri: "/", cnonce: "c" };
        let answer = challenge.answer(&attempt);
        assert!(!answer.iter().any(|b| b.is_ascii_control() && *b != b'\t'));
        // Read as a challenge, it has the fields that were put into it.
        let read = challenges(&[Header::new("A", answer.as_slice())], "a");
        let [read] = read.as_slice() else { panic!("{}", answer.escape_ascii()) };
        assert!(read.is("Digest") && read.param("response").is_some());
    }
}

fn cookies(bytes: &[u8], choice: u8) {
    let origin = CookieOrigin {
        host: if choice & 4 == 0 { "a.example.org" } else { "192.0.2.1" },
        is_address: choice & 4 != 0,
        target: "/dir/page?x",
        secure: choice & 8 != 0,
    };
    let now = 784_111_777;
    let mut jar = Jar::default();
    for field in fields(bytes) {
        let _ = jar.set(field, &origin, now);
    }
    if let Some(field) = jar.field(&origin, &[], now) {
        assert!(field.len() <= 8192);
        assert!(!field.iter().any(u8::is_ascii_control));
    }
    assert_eq!(Jar::read(&jar.write(now)), jar, "a line is lost or made");
}

fn jar(bytes: &[u8]) {
    let once = Jar::read(bytes).write(0);
    let again = Jar::read(&once).write(0);
    assert_eq!(once.escape_ascii().to_string(), again.escape_ascii().to_string());
}
