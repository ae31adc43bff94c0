//! What TLS needs before there is a connection: trust anchors, the client's certificate, names.

use std::env;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, KeyLogFile, RootCertStore, SupportedProtocolVersion, version};
use rustls_native_certs::{CertificateResult, load_certs_from_paths};
use url::Host;

use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Kind, Level};
use crate::sys;
use crate::text::Untrusted;
use crate::transport::tls::client::Identity;
use crate::transport::tls::verify::Verifier;
use crate::transport::tls::{Asked, Sni, TlsOptions, Versions, provider};
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
    let provider = Arc::new(provider::default_provider());
    let name = server_name(options, host)?;
    let trust = Trust::of(options, &provider, waiter)?;
    let verifier = Arc::new(Verifier::new(trust, options.insecure, options.pinned.clone()));
    let identity = Identity::load(options, &provider)?;
    let asked = Arc::clone(&identity.asked);
    let verify: Arc<Verifier> = Arc::clone(&verifier);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(options.versions))
        .map_err(|e| usage("TLS can't be set up").cause(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verify)
        .with_client_cert_resolver(Arc::new(identity));
    config.enable_sni = options.sni != Sni::Off;
    config.alpn_protocols = options.alpn.iter().map(|p| p.clone().into_bytes()).collect();
    // One connection for each configuration: there is nothing to resume.
    config.resumption = Resumption::disabled();
    log_keys(&mut config, waiter);
    let sni = match &name {
        ServerName::DnsName(name) if config.enable_sni => Some(name.as_ref().to_owned()),
        _ => None,
    };
    Ok(Prepared { config: Arc::new(config), name, sni, verifier, asked })
}

pub(super) fn usage(what: impl Into<String>) -> Error {
    Error::new(Stage::Tls, Exit::Usage, what)
}

/// Writes the session's secrets to the file of SSLKEYLOGFILE, as browsers and curl do.
fn log_keys(config: &mut ClientConfig, waiter: &mut Waiter<'_>) {
    let Some(path) = env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty()) else {
        return;
    };
    // rustls would make it readable for everybody, and would say nothing if it couldn't.
    let (level, text) = match OpenOptions::new().append(true).create(true).mode(0o600).open(&path) {
        Ok(_) => {
            config.key_log = Arc::new(KeyLogFile::new());
            (Level::Info, "TLS secrets go to the file that SSLKEYLOGFILE names".to_owned())
        }
        Err(e) => {
            let path = path.to_string_lossy();
            let path = Untrusted::text(&path);
            (Level::Warning, format!("SSLKEYLOGFILE {path} can't be written: {e}"))
        }
    };
    waiter.watch.event(Kind::Notice { level, text: &text });
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

/// Whom the server's certificate may come from.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub(super) webpki: Arc<WebPkiServerVerifier>,
    /// The certificates that the person named (`--cacert`, SSL_CERT_FILE).
    pub(super) named: Arc<[CertificateDer<'static>]>,
}

/// The system's, once read: a session that reconnects would read hundreds of certificates each time.
/// What a person named is small, and may have been made anew since.
static SYSTEM: OnceLock<Trust> = OnceLock::new();

impl Trust {
    fn of(
        options: &TlsOptions,
        provider: &Arc<CryptoProvider>,
        waiter: &mut Waiter<'_>,
    ) -> Result<Trust> {
        if !options.cacert.is_empty() {
            let mut named = Vec::new();
            for path in &options.cacert {
                named.extend(pem_certificates(path, "--cacert")?);
            }
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(borrowed(&named));
            return match roots.is_empty() {
                true => Err(usage("none of the certificates of --cacert can be used")),
                false => Trust::new(roots, named, provider),
            };
        }
        let by = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().find(|name| env::var_os(name).is_some());
        if let Some(name) = by {
            let loaded = named_by_environment();
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(borrowed(&loaded.certs));
            if roots.is_empty() && !options.insecure {
                let error = usage(format!("{name} gives no certificate to trust"));
                let why =
                    loaded.errors.first().map(|e| Untrusted::text(&e.to_string()).to_string());
                return Err(why.into_iter().fold(error, Error::cause));
            }
            if !roots.is_empty() {
                return Trust::new(roots, loaded.certs, provider);
            }
        }
        if let Some(trust) = SYSTEM.get() {
            return Ok(trust.clone());
        }
        let trust = Trust::new(system_roots(waiter), Vec::new(), provider)?;
        Ok(SYSTEM.get_or_init(|| trust).clone())
    }

    fn new(
        roots: RootCertStore,
        named: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Trust> {
        let roots = Arc::new(roots);
        let webpki = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|e| usage("the trust anchors can't be used").cause(e.to_string()))?;
        Ok(Trust { webpki, named: named.into() })
    }
}

fn system_roots(waiter: &mut Waiter<'_>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(borrowed(&system().certs));
    if roots.is_empty() {
        let text = "no trust anchors of the system were found; using Mozilla's, as built in";
        waiter.watch.event(Kind::Notice { level: Level::Info, text });
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// The store copies what it needs of each.
fn borrowed<'a>(
    certificates: &'a [CertificateDer<'static>],
) -> impl Iterator<Item = CertificateDer<'a>> {
    certificates.iter().map(|certificate| CertificateDer::from(certificate.as_ref()))
}

/// What SSL_CERT_FILE and SSL_CERT_DIR name, and only that: who names one file means this one, not
/// hundreds of others beside it.
fn named_by_environment() -> CertificateResult {
    let file = env::var_os("SSL_CERT_FILE");
    let folders = env::var_os("SSL_CERT_DIR").unwrap_or_default();
    let folders = env::split_paths(&folders).filter(|path| !path.as_os_str().is_empty());
    let mut all = load_certs_from_paths(file.as_deref().map(Path::new), None);
    for folder in folders {
        let loaded = load_certs_from_paths(None, Some(&folder));
        all.certs.extend(loaded.certs);
        all.errors.extend(loaded.errors);
    }
    all
}

/// The system's trust anchors. rustls-native-certs reads the bundle and then the folder with the
/// same certificates in single files: hundreds of system calls for nothing where there is a bundle.
fn system() -> CertificateResult {
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
            let loaded = load_certs_from_paths(Some(bundle), None);
            if loaded.certs.len() > 1 {
                return loaded;
            }
        }
    }
    rustls_native_certs::load_native_certs()
}

/// All certificates of a PEM file, or of the files in a folder.
pub(super) fn pem_certificates(path: &Path, option: &str) -> Result<Vec<CertificateDer<'static>>> {
    let shown = path.to_string_lossy();
    let failed = |why: String| {
        let what = format!("{option} {}: no certificates", Untrusted::text(&shown));
        usage(what).cause(Untrusted::text(&why).to_string())
    };
    if path.is_dir() {
        let loaded = load_certs_from_paths(None, Some(path));
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
