//! Digest authentication (RFC 7616): the answer to a challenge proves that we know the password,
//! without sending it.

use md5::Md5;
use sha2::digest::Digest as Hash;
use sha2::{Sha256, Sha512_256};

use crate::http::challenge::Challenge;

/// The largest total length of a challenge's texts, in bytes: we send them back.
const MAX_TEXTS: usize = 4096;

/// A challenge that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestChallenge {
    algorithm: Algorithm,
    /// The password's hash is hashed again with the nonces.
    session: bool,
    /// As between the quotes of the challenge; so are the two fields below.
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    /// `qop=auth` is offered; without it RFC 2069 applies.
    auth: bool,
    userhash: bool,
    /// The last answer was right, but its nonce has expired.
    pub stale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512Sub256,
}

/// Who logs in, and where.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
    /// The method, `GET`.
    pub method: &'a str,
    /// The request's target, as in its first line.
    pub uri: &'a str,
    /// Random text of our own, of token characters.
    pub cnonce: &'a str,
}

impl DigestChallenge {
    /// Reads a challenge; `None` if it isn't Digest, lacks a parameter, or needs something that we
    /// don't support (another algorithm, `auth-int` only).
    pub fn read(challenge: &Challenge) -> Option<DigestChallenge> {
        if !challenge.is("Digest") {
            return None;
        }
        let (realm, nonce) = (challenge.param("realm")?, challenge.param("nonce")?);
        let opaque = challenge.param("opaque");
        let texts = realm.len() + nonce.len() + opaque.map_or(0, <[u8]>::len);
        if texts > MAX_TEXTS {
            return None;
        }
        let name = challenge.param("algorithm").unwrap_or(b"MD5").to_ascii_lowercase();
        let (name, session) = match name.strip_suffix(b"-sess") {
            Some(name) => (name, true),
            None => (name.as_slice(), false),
        };
        let algorithm = match name {
            b"md5" => Algorithm::Md5,
            b"sha-256" => Algorithm::Sha256,
            b"sha-512-256" => Algorithm::Sha512Sub256,
            _ => return None,
        };
        let auth = match challenge.param("qop") {
            Some(list) => {
                let mut members = list.split(|b| matches!(b, b',' | b' ' | b'\t'));
                members.find(|member| member.eq_ignore_ascii_case(b"auth"))?;
                true
            }
            None => false,
        };
        let is_true =
            |name| challenge.param(name).is_some_and(|value| value.eq_ignore_ascii_case(b"true"));
        Some(DigestChallenge {
            algorithm,
            session,
            realm: realm.to_vec(),
            nonce: nonce.to_vec(),
            opaque: opaque.map(<[u8]>::to_vec),
            auth,
            userhash: is_true("userhash"),
            stale: is_true("stale"),
        })
    }

    /// `MD5`, `SHA-256-sess`, …
    pub fn algorithm(&self) -> &'static str {
        match (self.algorithm, self.session) {
            (Algorithm::Md5, false) => "MD5",
            (Algorithm::Md5, true) => "MD5-sess",
            (Algorithm::Sha256, false) => "SHA-256",
            (Algorithm::Sha256, true) => "SHA-256-sess",
            (Algorithm::Sha512Sub256, false) => "SHA-512-256",
            (Algorithm::Sha512Sub256, true) => "SHA-512-256-sess",
        }
    }

    /// The value of the Authorization field (§3.4). This is the first answer to the nonce, so `nc`
    /// is 1.
    pub fn answer(&self, attempt: &Attempt<'_>) -> Vec<u8> {
        const COUNT: &[u8] = b"00000001";
        let Attempt { user, password, method, uri, cnonce } = *attempt;
        let hash = |parts: &[&[u8]]| self.hash(&parts.join(&b':'));
        let mut secret = hash(&[user.as_bytes(), &self.realm, password.as_bytes()]);
        if self.session {
            secret = hash(&[&secret, &self.nonce, cnonce.as_bytes()]);
        }
        let request = hash(&[method.as_bytes(), uri.as_bytes()]);
        let response = match self.auth {
            true => hash(&[&secret, &self.nonce, COUNT, cnonce.as_bytes(), b"auth", &request]),
            false => hash(&[&secret, &self.nonce, &request]),
        };
        let user = match self.userhash {
            true => hash(&[user.as_bytes(), &self.realm]),
            false => quoted(user),
        };
        let mut value = Vec::from(b"Digest ");
        let mut put = |name: &str, text: &[u8], quote: &str| {
            let comma = if value.ends_with(b" ") { "" } else { ", " };
            value.extend_from_slice(format!("{comma}{name}={quote}").as_bytes());
            value.extend_from_slice(text);
            value.extend_from_slice(quote.as_bytes());
        };
        put("username", &user, "\"");
        put("realm", &self.realm, "\"");
        put("uri", uri.as_bytes(), "\"");
        put("algorithm", self.algorithm().as_bytes(), "");
        put("nonce", &self.nonce, "\"");
        if self.auth {
            put("nc", COUNT, "");
            put("qop", b"auth", "");
        }
        if self.auth || self.session {
            put("cnonce", cnonce.as_bytes(), "\"");
        }
        put("response", &response, "\"");
        if let Some(opaque) = &self.opaque {
            put("opaque", opaque, "\"");
        }
        if self.userhash {
            put("userhash", b"true", "");
        }
        value
    }

    /// In hex, lower case.
    fn hash(&self, data: &[u8]) -> Vec<u8> {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes).into_bytes();
        match self.algorithm {
            Algorithm::Md5 => hex(&Md5::digest(data)),
            Algorithm::Sha256 => hex(&Sha256::digest(data)),
            Algorithm::Sha512Sub256 => hex(&Sha512_256::digest(data)),
        }
    }
}

/// The inside of a quoted string (RFC 9110 §5.6.4), without the controls that it can't contain.
fn quoted(text: &str) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for byte in text.bytes().filter(|b| !b.is_ascii_control()) {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::challenge::challenges;
    use crate::http::head::Header;

    fn read(value: &str) -> Option<DigestChallenge> {
        let headers = [Header::new("WWW-Authenticate", value)];
        challenges(&headers, "www-authenticate").iter().find_map(DigestChallenge::read)
    }

    fn answer(challenge: &str, attempt: &Attempt<'_>) -> String {
        String::from_utf8(read(challenge).unwrap().answer(attempt)).unwrap()
    }

    const MUFASA: Attempt<'_> = Attempt {
        user: "Mufasa",
        password: "Circle of Life",
        method: "GET",
        uri: "/dir/index.html",
        cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    };

    /// RFC 7616 §3.9.1.
    const HTTP_AUTH: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
        opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    #[test]
    fn the_examples_of_rfc_7616() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let value = answer(&format!("{HTTP_AUTH}, algorithm={algorithm}"), &MUFASA);
            assert!(value.contains(&format!(", response=\"{response}\"")), "{value}");
            assert!(value.contains(&format!(", algorithm={algorithm}, ")), "{value}");
            assert!(value.contains(", nc=00000001, qop=auth, "), "{value}");
            assert!(value.ends_with("5tdS\""), "{value}");
        }
    }

    /// RFC 7616 §3.9.2; the response is that of erratum 4897, since the RFC's own was computed
    /// with another hash.
    #[test]
    fn the_example_with_a_hashed_name() {
        let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
            nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
            opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true";
        let attempt = Attempt {
            user: "J\u{e4}s\u{f8}n Doe",
            password: "Secret, or not?",
            uri: "/doe.json",
            cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
            ..MUFASA
        };
        let value = answer(challenge, &attempt);
        let user = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
        let response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
        assert!(value.starts_with(&format!("Digest username=\"{user}\", ")), "{value}");
        assert!(value.contains(&format!("response=\"{response}\"")), "{value}");
        assert!(value.ends_with(", userhash=true"), "{value}");
    }

    /// RFC 2617 §3.5, and the same challenge without qop (RFC 2069) and as a session.
    #[test]
    fn older_forms() {
        let challenge = "Digest realm=\"testrealm@host.com\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let attempt = Attempt { password: "Circle Of Life", cnonce: "0a4f113b", ..MUFASA };
        let with = |more: &str| answer(&format!("{challenge}{more}"), &attempt);
        assert!(with(", qop=\"auth\"").contains("\"6629fae49393a05397450978507c4ef1\""));
        let old = with("");
        assert!(old.contains("\"670fd8c2df070c60b045671b8b24ff02\""), "{old}");
        assert!(!old.contains("cnonce") && !old.contains("nc="), "{old}");
        let session = with(", algorithm=MD5-sess, qop=auth");
        assert!(session.contains("cnonce=\"0a4f113b\""), "{session}");
        assert!(!session.contains("6629fae4"), "{session}");
    }

    #[test]
    fn what_cannot_be_answered() {
        for challenge in [
            "Basic realm=\"x\", nonce=\"y\"",
            "Digest realm=\"x\"",
            "Digest nonce=\"x\"",
            "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-1",
            "Digest realm=\"x\", nonce=\"y\", algorithm=",
            "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
        ] {
            assert_eq!(read(challenge), None, "{challenge}");
        }
        assert_eq!(read(&format!("Digest realm=x, nonce=\"{}\"", "n".repeat(4096))), None);
    }

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        let attempt = Attempt { user: "a\"\\\r\nb", ..MUFASA };
        let value = answer("Digest realm=\"x\\\", y=\\\"z\", nonce=n", &attempt);
        assert!(value.starts_with("Digest username=\"a\\\"\\\\b\", realm=\"x\\\", y=\\\"z\", "));
    }
}
