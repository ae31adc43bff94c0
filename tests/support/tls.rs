//! A certificate authority and certificates, made afresh for each test.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::home::Home;

/// An authority, a certificate of it for localhost, 127.0.0.1 and ::1, and their files.
#[derive(Debug)]
pub struct Tls {
    /// PEM file of the authority, for `--cacert`.
    pub ca: PathBuf,
    /// PEM file of the server's certificate.
    pub cert: PathBuf,
    /// PEM file of its key.
    pub key: PathBuf,
    _home: Home,
}

impl Tls {
    /// Certificates that any client should accept.
    pub fn new() -> Tls {
        Tls::with_names(&["localhost", "127.0.0.1", "::1"])
    }

    /// A certificate for other names.
    pub fn with_names(names: &[&str]) -> Tls {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Tls::with_params(CertificateParams::new(names).expect("names"))
    }

    /// Any certificate: expired, for other uses, and so on.
    pub fn with_params(params: CertificateParams) -> Tls {
        let mut authority = CertificateParams::new(Vec::new()).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "wstap's test authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("keys"))
            .expect("a certificate");
        let key = KeyPair::generate().expect("keys");
        let cert = params.signed_by(&key, &authority).expect("a certificate");
        let home = Home::new();
        Tls {
            ca: home.file("ca.pem", authority.pem()),
            cert: home.file("cert.pem", cert.pem()),
            key: home.file("key.pem", key.serialize_pem()),
            _home: home,
        }
    }

    /// For a server with this certificate.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let cert = CertificateDer::from_pem_file(&self.cert).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("a key");
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert], key)
            .expect("a certificate and its key");
        Arc::new(config)
    }

    /// For a client that trusts the authority alone.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).expect("a certificate")).expect("a CA");
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }
}

impl Default for Tls {
    fn default() -> Tls {
        Tls::new()
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
