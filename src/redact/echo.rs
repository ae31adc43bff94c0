//! The secrets of a request, by which its answer is searched.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;

use super::fields::in_value;
use super::find::{self, Kind};
use crate::http::head::Header;
use crate::protocol::handshake::Request;

/// A shorter secret is too likely an ordinary word of the answer.
const MIN: usize = 6;

/// What a server might quote.
#[derive(Default)]
pub struct Echo(Vec<Vec<u8>>);

impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(find::HIDDEN)
    }
}

impl Echo {
    /// The secrets of a request, as they were sent and decoded.
    pub fn of(request: &Request) -> Echo {
        let mut echo = Echo::default();
        let target = request.target.as_bytes();
        for range in find::secrets(target, Kind::Url) {
            echo.add(target.get(range).unwrap_or_default());
        }
        request.headers.iter().for_each(|field| echo.field(field));
        // The longest first: a part of it may be a secret, too.
        echo.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        echo.0.dedup();
        echo
    }

    /// The text with each of the secrets replaced.
    pub fn without<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let of = |secret: &Vec<u8>| {
            let length = secret.len();
            memmem::find_iter(text, secret).map(|at| at..at + length).collect::<Vec<_>>()
        };
        find::without(text, self.0.iter().flat_map(of).collect())
    }

    /// The same of a text.
    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.without(text.as_bytes())).into_owned()
    }

    fn field(&mut self, field: &Header) {
        for range in in_value(&field.name, &field.value) {
            let secret = field.value.get(range).unwrap_or_default();
            if field.is("cookie") {
                secret.split(|b| *b == b';').for_each(|pair| self.cookie(pair));
                continue;
            }
            self.add(secret);
            // `Bearer TOKEN`, `Basic CREDENTIALS`: the latter are the password, too.
            let Some(space) = memchr::memchr(b' ', secret) else { continue };
            let (scheme, credentials) = secret.split_at(space);
            let credentials = credentials.trim_ascii();
            if scheme.eq_ignore_ascii_case(b"digest") {
                continue;
            }
            self.add(credentials);
            let pair = data_encoding::BASE64.decode(credentials).unwrap_or_default();
            if let Some(colon) = memchr::memchr(b':', &pair) {
                self.add(pair.get(colon + 1..).unwrap_or_default());
            }
        }
    }

    /// A value that is a word, such as a theme's name, is no secret.
    fn cookie(&mut self, pair: &[u8]) {
        let Some(equals) = memchr::memchr(b'=', pair) else { return };
        let value = pair.get(equals + 1..).unwrap_or_default().trim_ascii();
        if value.iter().any(u8::is_ascii_digit) || value.len() >= 16 {
            self.add(value);
        }
    }

    fn add(&mut self, secret: &[u8]) {
        if secret.len() < MIN {
            return;
        }
        if let Some((plain, _)) = find::decoded(secret)
            && plain.len() >= MIN
        {
            self.0.push(plain);
        }
        self.0.push(secret.to_vec());
    }
}
