//! Options for TLS.

use std::path::PathBuf;

use crate::error::{Error, Exit, Stage};
use crate::redact::Secret;
use crate::transport::tls::Pins;

/// The options of a TLS connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Ignore what is wrong with the certificate, and report it.
    pub insecure: bool,
    /// Files or folders of PEM certificates to trust instead of the system's.
    pub cacert: Vec<PathBuf>,
    /// The client's certificate chain, PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, PEM; if missing, it is read from the file of `cert`.
    pub key: Option<PathBuf>,
    /// The pass phrase of the key.
    pub pass: Option<Secret<String>>,
    /// The name to ask for.
    pub sni: Sni,
    /// The protocols to offer; empty: no ALPN.
    pub alpn: Vec<String>,
    /// The versions to offer.
    pub versions: Versions,
    /// The allowed public keys of the server. They are checked even with `insecure`.
    pub pinned: Pins,
    /// The names of some options in messages.
    pub names: TlsNames,
}

/// The names of options as the caller spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsNames {
    /// [`TlsOptions::cacert`].
    pub cacert: &'static str,
    /// [`TlsOptions::cert`].
    pub cert: &'static str,
    /// [`TlsOptions::insecure`].
    pub insecure: &'static str,
    /// [`TlsOptions::key`].
    pub key: &'static str,
}

impl Default for TlsNames {
    /// Their names in [`TlsOptions`].
    fn default() -> TlsNames {
        TlsNames { cacert: "cacert", cert: "cert", insecure: "insecure", key: "key" }
    }
}

/// The server name indication (RFC 6066 §3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sni {
    /// The target's host, if it is a name.
    #[default]
    Auto,
    /// This name; the certificate must be for it.
    Name(String),
    /// None; the certificate must be for the target's host.
    Off,
}

/// The versions of TLS to offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// 1.3 and 1.2.
    #[default]
    Any,
    /// 1.2 only.
    Only12,
    /// 1.3 only.
    Only13,
}

/// The error of an option that can't be used.
pub(super) fn usage(what: impl Into<String>) -> Error {
    Error::new(Stage::Tls, Exit::Usage, what)
}
