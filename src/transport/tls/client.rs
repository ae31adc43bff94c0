//! The client's own certificate and its private key.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureScheme};

use crate::error::{Error, Exit, Hint, Result, Stage};
use crate::redact::Secret;
use crate::sys;
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::tls::options::usage;
use crate::transport::tls::trust::pem_certificates;
use crate::transport::tls::{TlsNames, TlsOptions};

/// The client's certificate, and a note whether the server asked for one.
#[derive(Debug)]
pub(super) struct Identity {
    certified: Option<Arc<CertifiedKey>>,
    pub(super) asked: Arc<Asked>,
}

/// What the server asked of the client's certificate.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) asked: AtomicBool,
    pub(super) has: bool,
}

impl Identity {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// Exit 2 for files that can't be read, 5 for a key that can't be used.
    pub(super) fn load(options: &TlsOptions, provider: &CryptoProvider) -> Result<Identity> {
        let certified = match (&options.cert, &options.key) {
            (None, None) => None,
            (None, Some(_)) => {
                let TlsNames { cert, key, .. } = options.names;
                return Err(usage(format!("{key} without {cert}")).hint(Hint::ClientCertificate));
            }
            (Some(cert), key) => {
                Some(Arc::new(certified(cert, key.as_deref(), options, provider)?))
            }
        };
        let asked = Asked { asked: AtomicBool::new(false), has: certified.is_some() };
        Ok(Identity { certified, asked: Arc::new(asked) })
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.asked.store(true, Ordering::Relaxed);
        self.certified.clone()
    }

    fn has_certs(&self) -> bool {
        self.certified.is_some()
    }
}

fn certified(
    cert: &Path,
    key: Option<&Path>,
    options: &TlsOptions,
    provider: &CryptoProvider,
) -> Result<CertifiedKey> {
    let (names, pass) = (options.names, options.pass.as_ref());
    let chain = pem_certificates(cert, names.cert)?;
    let key = match key {
        Some(key) => private_key(names.key, key, pass)?,
        None => read_key(names.cert, cert, pass)?
            .ok_or_else(|| no_key(names.cert, cert).hint(Hint::KeyFile))?,
    };
    CertifiedKey::from_der(chain, key, provider).map_err(|e| match e {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            unusable(format!("the private key doesn't belong to the certificate of {}", names.cert))
                .hint("these must print the same: openssl x509 -in CERT -noout -pubkey, openssl pkey -in KEY -pubout")
        }
        e => unusable("the client certificate can't be used")
            .cause(Untrusted::text(&e.to_string()).to_string()),
    })
}

fn unusable(what: impl Into<String>) -> Error {
    Error::new(Stage::Tls, Exit::Tls, what)
}

/// Reads the private key, encrypted or not, that an option names.
///
/// # Errors
/// Exit 2 for a file that can't be read, 5 for a key that can't be opened.
pub fn private_key(
    option: &str,
    path: &Path,
    pass: Option<&Secret<String>>,
) -> Result<PrivateKeyDer<'static>> {
    read_key(option, path, pass)?.ok_or_else(|| no_key(option, path))
}

fn no_key(option: &str, path: &Path) -> Error {
    let shown = path.to_string_lossy();
    usage(format!("{option} {}: no private key in PEM", Untrusted::text(&shown)))
}

/// [`private_key`]; `None` if there is no key in the file.
fn read_key(
    option: &str,
    path: &Path,
    pass: Option<&Secret<String>>,
) -> Result<Option<PrivateKeyDer<'static>>> {
    let shown = path.to_string_lossy();
    let shown = Untrusted::text(&shown);
    let bytes = sys::read_file(path)
        .map_err(|e| usage(format!("can't read {option} {shown}: {}", reason(&e))))?;
    let text = String::from_utf8_lossy(&bytes);
    let failed = |what: &str| unusable(format!("{option} {shown}: {what}"));
    let convert = Hint::KeyConverted(shown.to_string());
    // OpenSSL's own form, with MD5 for a key derivation.
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(failed("the private key is encrypted in the old way of OpenSSL").hint(convert));
    }
    if let Some(encrypted) = section(&text, "ENCRYPTED PRIVATE KEY") {
        let Some(pass) = pass else {
            return Err(failed("the private key is encrypted, and there is no pass phrase")
                .hint(Hint::KeyPassPhrase(shown.to_string())));
        };
        return decrypted(&encrypted, pass).map(Some).map_err(|failure| match failure {
            Failure::PassPhrase => failed("the pass phrase doesn't open the private key")
                .hint("a file's last line break doesn't count; spaces do"),
            Failure::Form(why) => failed("the private key is encrypted in a way that isn't known")
                .cause(Untrusted::text(&why).to_string())
                .hint(convert),
        });
    }
    Ok(PrivateKeyDer::from_pem_slice(&bytes).ok())
}

/// Why an encrypted key can't be decrypted.
enum Failure {
    PassPhrase,
    Form(String),
}

/// Decrypts an EncryptedPrivateKeyInfo (RFC 5958 §3).
fn decrypted(
    der: &[u8],
    pass: &Secret<String>,
) -> std::result::Result<PrivateKeyDer<'static>, Failure> {
    let form = |why: String| Failure::Form(why);
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|e| form(e.to_string()))?;
    let opened = encrypted.decrypt(pass.reveal()).map_err(|e| match e {
        // A wrong pass phrase gives wrong padding or, once in 256 times, an invalid key.
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::DecryptFailed) => Failure::PassPhrase,
        pkcs8::Error::Asn1(_) => Failure::PassPhrase,
        e => form(e.to_string()),
    })?;
    Ok(PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec()).into())
}

/// The bytes of the first section of that label (RFC 7468).
fn section(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (inside, _) = rest.split_once("-----END")?;
    let digits: String = inside.split_ascii_whitespace().collect();
    // A section that isn't Base64 still counts as an encrypted key, one that can't be read.
    Some(data_encoding::BASE64.decode(digits.as_bytes()).unwrap_or_default())
}
