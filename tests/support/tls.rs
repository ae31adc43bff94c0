//! A certificate authority and certificates, made afresh for each test.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};

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
    /// A certificate of the authority for a client, and its key: PEM files.
    pub client: (PathBuf, PathBuf),
    asks: bool,
    alpn: Vec<Vec<u8>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    home: Home,
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
        let client_key = KeyPair::generate().expect("keys");
        let client = CertificateParams::new(vec!["client.example".to_owned()]).expect("a name");
        let client = client.signed_by(&client_key, &authority).expect("a certificate");
        let home = Home::new();
        Tls {
            ca: home.file("ca.pem", authority.pem()),
            cert: home.file("cert.pem", cert.pem()),
            key: home.file("key.pem", key.serialize_pem()),
            client: (
                home.file("client.pem", client.pem()),
                home.file("client-key.pem", client_key.serialize_pem()),
            ),
            asks: false,
            alpn: Vec::new(),
            versions: vec![&version::TLS13, &version::TLS12],
            home,
        }
    }

    /// The server wants a certificate of the same authority from its clients.
    pub fn asking(mut self) -> Tls {
        self.asks = true;
        self
    }

    /// The server takes these protocols (ALPN).
    pub fn alpn(mut self, protocols: &[&str]) -> Tls {
        self.alpn = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self
    }

    /// The server speaks this version only.
    pub fn only(mut self, version: &'static SupportedProtocolVersion) -> Tls {
        self.versions = vec![version];
        self
    }

    /// The server doesn't have the certificate's key, but another one.
    pub fn with_another_key(mut self) -> Tls {
        let other = KeyPair::generate().expect("keys");
        self.key = self.home.file("other-key.pem", other.serialize_pem());
        self
    }

    /// Another file beside the certificates.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        self.home.file(name, text)
    }

    /// For a server with this certificate.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let cert = CertificateDer::from_pem_file(&self.cert).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("a key");
        let key = provider().key_provider.load_private_key(key).expect("a key");
        // Whether they fit is the client's to find out.
        let certified = Arc::new(CertifiedKey::new(vec![cert], key));
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&self.versions)
            .expect("versions");
        let config = if self.asks {
            let roots = Arc::new(self.roots());
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            config.with_client_cert_verifier(verifier.build().expect("an authority"))
        } else {
            config.with_no_client_auth()
        };
        let mut config = config.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = self.alpn.clone();
        Arc::new(config)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).expect("a certificate")).expect("a CA");
        roots
    }

    /// For a client that trusts the authority alone.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(self.roots())
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
    Arc::new(wstap::transport::default_provider())
}
