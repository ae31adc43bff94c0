//! `--pinnedpubkey`: the public keys that a server may have, regardless of the issuer.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::error::{Error, Exit, Result, Stage};
use crate::sys;
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::tls::info;

/// SHA-256 digests of public keys (SubjectPublicKeyInfo in DER, RFC 7469 §2.4); with none, every
/// key is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(Vec<[u8; 32]>);

impl Pins {
    /// Whether every key is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The digest of a key that isn't allowed.
    pub(super) fn refuses(&self, key: &[u8]) -> Option<Pin> {
        // A key without a digest can't match.
        let found = info::sha256(key).unwrap_or_default();
        (!self.is_empty() && !self.0.contains(&found)).then_some(Pin(found))
    }
}

/// One digest, shown as `--pinnedpubkey` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pin([u8; 32]);

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", data_encoding::BASE64.encode(&self.0))
    }
}

const PREFIX: &str = "sha256//";

impl FromStr for Pins {
    type Err = Error;

    /// Reads `sha256//BASE64;sha256//BASE64…`, or the public key in the file of that name (PEM or
    /// DER).
    fn from_str(text: &str) -> Result<Pins> {
        if !text.starts_with(PREFIX) {
            return from_file(text).map(|pin| Pins(vec![pin]));
        }
        let digest = |entry: &str| {
            let digits = entry.strip_prefix(PREFIX)?;
            data_encoding::BASE64.decode(digits.as_bytes()).ok()?.try_into().ok()
        };
        let entries = text.split(';').map(str::trim).filter(|entry| !entry.is_empty());
        let digests: Result<Vec<[u8; 32]>> = entries
            .map(|entry| {
                digest(entry).ok_or_else(|| {
                    let entry = Untrusted::text(entry);
                    usage(format!("\"{entry}\": not the Base64 of a SHA-256 digest"))
                        .hint("for example: sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
                })
            })
            .collect();
        digests.map(Pins)
    }
}

fn from_file(path: &str) -> Result<[u8; 32]> {
    let shown = Untrusted::text(path);
    let failed = |why: &str| usage(format!("{shown}: {why}"));
    let bytes = sys::read_file(path).map_err(|e| {
        failed(&format!("can't be read: {}", reason(&e)))
            .hint("it is a file with a public key, or sha256//BASE64;sha256//BASE64")
    })?;
    let key = match SubjectPublicKeyInfoDer::from_pem_slice(&bytes) {
        Ok(key) => key.as_ref().to_vec(),
        Err(_) => bytes,
    };
    let whole = SubjectPublicKeyInfo::from_der(&key).is_ok_and(|(rest, _)| rest.is_empty());
    match info::sha256(&key).filter(|_| whole) {
        Some(digest) => Ok(digest),
        None => Err(failed("no public key in PEM or DER")
            .hint("a certificate's: openssl x509 -in FILE -noout -pubkey")),
    }
}

fn usage(what: String) -> Error {
    Error::new(Stage::Usage, Exit::Usage, what)
}

/// The server's public key is none of the pinned ones.
#[derive(Debug)]
pub(super) struct NotPinned {
    /// The server's actual key.
    pub(super) found: Pin,
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the public key is not the pinned one")
    }
}

impl std::error::Error for NotPinned {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_as_curl_reads_them() {
        let one = format!("{PREFIX}{}", data_encoding::BASE64.encode(&[1; 32]));
        let two = format!("{PREFIX}{}", data_encoding::BASE64.encode(&[2; 32]));
        assert_eq!(one.parse::<Pins>().unwrap(), Pins(vec![[1; 32]]));
        let both = format!("{one};{two}").parse::<Pins>().unwrap();
        assert_eq!(both, Pins(vec![[1; 32], [2; 32]]));
        assert_eq!(Pin([2; 32]).to_string(), two, "what is shown can be copied");
        for bad in
            ["sha256//", "sha256//AAAA", "sha256//\x1b", "/no/such/file", &format!("{one};x")]
        {
            let error = bad.parse::<Pins>().unwrap_err();
            assert_eq!(error.exit, Exit::Usage, "{bad}");
            assert!(!error.to_string().contains('\x1b'));
        }
    }
}
