//! What TLS needs before there is a connection: trust anchors, the client's certificate, names.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, InconsistentKeys, KeyLogFile, RootCertStore, SignatureScheme,
    SupportedProtocolVersion, version,
};
use url::Host;

use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Kind, Level};
use crate::sys;
use crate::text::Untrusted;
use crate::transport::tls::verify::Verifier;
use crate::transport::tls::{Asked, Sni, TlsOptions, Versions};
use crate::transport::wait::Waiter;

/// Ready to connect.
pub(super) struct Prepared {
    pub(super) config: Arc<ClientConfig>,
    /// The name that the certificate must be for.
    pub(super) name: ServerName<'static>,
    /// The name that is sent.
    pub(super) sni: Option<String>,
    pub(super) verifier: Arc<Verifier>,
    pub(super) asked: Arc<Asked>,
}

pub(super) fn prepare(
    options: &TlsOptions,
    host: &Host<String>,
    waiter: &mut Waiter<'_>,
) -> Result<Prepared> {
    let provider = Arc::new(ring::default_provider());
    let name = server_name(options, host)?;
    let anchors = anchors(options, waiter)?;
    let webpki =
        WebPkiServerVerifier::builder_with_provider(Arc::new(anchors.roots), Arc::clone(&provider))
            .build()
            .map_err(|e| usage("the trust anchors can't be used").cause(e.to_string()))?;
    let verifier = Verifier::new(webpki, options.insecure, anchors.trusted, options.pinned.clone());
    let verifier = Arc::new(verifier);
    let client = Client::load(options, &provider)?;
    let asked = Arc::clone(&client.asked);
    let verify: Arc<Verifier> = Arc::clone(&verifier);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(options.versions))
        .map_err(|e| usage("TLS can't be set up").cause(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verify)
        .with_client_cert_resolver(Arc::new(client));
    config.enable_sni = options.sni != Sni::Off;
    config.alpn_protocols = options.alpn.iter().map(|p| p.clone().into_bytes()).collect();
    // One connection for each configuration: there is nothing to resume.
    config.resumption = Resumption::disabled();
    if env::var_os("SSLKEYLOGFILE").is_some() {
        config.key_log = Arc::new(KeyLogFile::new());
        let text = "TLS secrets go to the file that SSLKEYLOGFILE names";
        waiter.watch.event(Kind::Notice { level: Level::Info, text });
    }
    let sni = match &name {
        ServerName::DnsName(name) if config.enable_sni => Some(name.as_ref().to_owned()),
        _ => None,
    };
    Ok(Prepared { config: Arc::new(config), name, sni, verifier, asked })
}

fn usage(what: impl Into<String>) -> Error {
    Error::new(Stage::Tls, Exit::Usage, what)
}

fn versions(versions: Versions) -> Vec<&'static SupportedProtocolVersion> {
    match versions {
        Versions::Any => vec![&version::TLS13, &version::TLS12],
        Versions::Only12 => vec![&version::TLS12],
        Versions::Only13 => vec![&version::TLS13],
    }
}

fn server_name(options: &TlsOptions, host: &Host<String>) -> Result<ServerName<'static>> {
    let host = match &options.sni {
        Sni::Name(name) => name.as_str(),
        Sni::Auto | Sni::Off => match host {
            Host::Domain(domain) => domain.as_str(),
            Host::Ipv4(address) => return Ok(ServerName::from(std::net::IpAddr::V4(*address))),
            Host::Ipv6(address) => return Ok(ServerName::from(std::net::IpAddr::V6(*address))),
        },
    };
    // Names in certificates and in SNI have no dot at the end (RFC 6066 §3).
    ServerName::try_from(host.trim_end_matches('.').to_owned())
        .map_err(|_| usage(format!("no host name for TLS: \"{}\"", Untrusted::text(host))))
}

struct Anchors {
    roots: RootCertStore,
    /// The same, where the person named them.
    trusted: Vec<CertificateDer<'static>>,
}

fn anchors(options: &TlsOptions, waiter: &mut Waiter<'_>) -> Result<Anchors> {
    let mut roots = RootCertStore::empty();
    if !options.cacert.is_empty() {
        let mut trusted = Vec::new();
        for path in &options.cacert {
            trusted.extend(pem_certificates(path, "--cacert")?);
        }
        roots.add_parsable_certificates(borrowed(&trusted));
        return if roots.is_empty() {
            Err(usage("none of the certificates of --cacert can be used"))
        } else {
            Ok(Anchors { roots, trusted })
        };
    }
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().find(|name| env::var_os(name).is_some());
    let loaded = match named {
        Some(_) => rustls_native_certs::load_native_certs(),
        None => system(),
    };
    roots.add_parsable_certificates(borrowed(&loaded.certs));
    if roots.is_empty() {
        let why = loaded.errors.first().map(|e| Untrusted::text(&e.to_string()).to_string());
        if let Some(name) = named.filter(|_| !options.insecure) {
            let error = usage(format!("{name} gives no certificate to trust"));
            return Err(why.into_iter().fold(error, Error::cause));
        }
        let text = "no trust anchors of the system were found; using Mozilla's, as built in";
        waiter.watch.event(Kind::Notice { level: Level::Info, text });
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let trusted = if named.is_some() { loaded.certs } else { Vec::new() };
    Ok(Anchors { roots, trusted })
}

/// The store copies what it needs of each.
fn borrowed<'a>(
    certificates: &'a [CertificateDer<'static>],
) -> impl Iterator<Item = CertificateDer<'a>> {
    certificates.iter().map(|certificate| CertificateDer::from(certificate.as_ref()))
}

/// The system's trust anchors. rustls-native-certs reads the bundle and then the folder with the
/// same certificates in single files: hundreds of system calls for nothing where there is a bundle.
fn system() -> rustls_native_certs::CertificateResult {
    const BUNDLES: [&str; 6] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cacert.pem",
        "/etc/ssl/cert.pem",
    ];
    if cfg!(all(unix, not(target_os = "macos"))) {
        for bundle in BUNDLES.iter().map(Path::new).filter(|path| path.is_file()) {
            let loaded = rustls_native_certs::load_certs_from_paths(Some(bundle), None);
            if loaded.certs.len() > 1 {
                return loaded;
            }
        }
    }
    rustls_native_certs::load_native_certs()
}

/// All certificates of a PEM file, or of the files in a folder.
fn pem_certificates(path: &Path, option: &str) -> Result<Vec<CertificateDer<'static>>> {
    let shown = path.to_string_lossy();
    let failed = |why: String| {
        let what = format!("{option} {}: no certificates", Untrusted::text(&shown));
        usage(what).cause(Untrusted::text(&why).to_string())
    };
    if path.is_dir() {
        let loaded = rustls_native_certs::load_certs_from_paths(None, Some(path));
        return match loaded.errors.first() {
            _ if !loaded.certs.is_empty() => Ok(loaded.certs),
            Some(e) => Err(failed(e.to_string())),
            None => Err(failed("the folder holds none".to_owned())),
        };
    }
    let bytes = sys::read_file(path).map_err(|e| failed(e.to_string()))?;
    let certificates: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        // DER, as some tools export it.
        Ok(_) if bytes.first() == Some(&0x30) => Ok(vec![CertificateDer::from(bytes)]),
        Ok(_) => Err(failed("no -----BEGIN CERTIFICATE----- in it".to_owned())),
        Err(e) => Err(failed(e.to_string())),
    }
}

/// The client's certificate, and a note whether the server asked for one.
#[derive(Debug)]
struct Client {
    certified: Option<Arc<CertifiedKey>>,
    asked: Arc<Asked>,
}

impl Client {
    fn load(options: &TlsOptions, provider: &CryptoProvider) -> Result<Client> {
        let certified = match (&options.cert, &options.key) {
            (None, None) => None,
            (None, Some(_)) => {
                return Err(usage("--key without --cert").hint("--cert FILE --key FILE"));
            }
            (Some(cert), key) => Some(Arc::new(certified(cert, key.as_ref(), provider)?)),
        };
        let asked = Asked { asked: AtomicBool::new(false), has: certified.is_some() };
        Ok(Client { certified, asked: Arc::new(asked) })
    }
}

impl ResolvesClientCert for Client {
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
    key: Option<&PathBuf>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey> {
    let chain = pem_certificates(cert, "--cert")?;
    let (option, path) = match key {
        Some(key) => ("--key", key.as_path()),
        None => ("--cert", cert),
    };
    let key = private_key(path, option, key.is_some())?;
    CertifiedKey::from_der(chain, key, provider).map_err(|e| match e {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            usage("the private key doesn't belong to the certificate of --cert")
        }
        e => usage("the client certificate can't be used")
            .cause(Untrusted::text(&e.to_string()).to_string()),
    })
}

fn private_key(path: &Path, option: &str, own_file: bool) -> Result<PrivateKeyDer<'static>> {
    let shown = path.to_string_lossy();
    let shown = Untrusted::text(&shown);
    let bytes = sys::read_file(path).map_err(|e| {
        usage(format!("{option} {shown}: can't be read"))
            .cause(Untrusted::text(&e.to_string()).to_string())
    })?;
    if let Ok(key) = PrivateKeyDer::from_pem_slice(&bytes) {
        return Ok(key);
    }
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("ENCRYPTED") {
        let what = format!("{option} {shown}: the private key is encrypted");
        return Err(usage(what)
            .hint(format!("decrypt it first: openssl pkey -in {shown} -out plain-key.pem")));
    }
    let error = usage(format!("{option} {shown}: no private key in PEM"));
    Err(if own_file { error } else { error.hint("if it is in another file: --key FILE") })
}
