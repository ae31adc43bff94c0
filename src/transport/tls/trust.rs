//! The trust anchors for the server's certificate: the named ones, else the system's, else
//! Mozilla's.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_native_certs::{CertificateResult, ErrorKind, load_certs_from_paths};

use crate::error::{Error, Result};
use crate::event::{Event, Level};
use crate::sys;
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::tls::TlsOptions;
use crate::transport::tls::options::usage;
use crate::transport::wait::Waiter;

/// The trust anchors for the server's certificate.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub(super) webpki: Arc<WebPkiServerVerifier>,
    /// The certificates that the user named (`--cacert`, SSL_CERT_FILE).
    pub(super) named: Arc<[CertificateDer<'static>]>,
    beyond: Option<Arc<Beyond>>,
}

/// The folders of SSL_CERT_DIR beside an SSL_CERT_FILE: like OpenSSL we look there only for an
/// issuer that the file doesn't have, since reading hundreds of certificates takes longer than
/// everything else.
#[derive(Debug)]
struct Beyond {
    folders: Vec<PathBuf>,
    provider: Arc<CryptoProvider>,
    trust: OnceLock<Option<Trust>>,
}

/// The system's, once read: a session that reconnects would read hundreds of certificates each
/// time. The certificates that the user named are few, and their files may have changed since.
static SYSTEM: OnceLock<Trust> = OnceLock::new();

impl Trust {
    pub(super) fn of(
        options: &TlsOptions,
        provider: &Arc<CryptoProvider>,
        waiter: &mut Waiter<'_>,
    ) -> Result<Trust> {
        if !options.cacert.is_empty() {
            let mut named = Vec::new();
            for path in &options.cacert {
                named.extend(pem_certificates(path, options.names.cacert)?);
            }
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(borrowed(&named));
            if roots.is_empty() {
                let option = options.names.cacert;
                return Err(usage(format!("none of the certificates of {option} can be used")));
            }
            return Trust::new(roots, named, provider);
        }
        if let Some(trust) = Trust::of_environment(options, provider)? {
            return Ok(trust);
        }
        if let Some(trust) = SYSTEM.get() {
            return Ok(trust.clone());
        }
        let trust = Trust::new(system_roots(waiter), Vec::new(), provider)?;
        Ok(SYSTEM.get_or_init(|| trust).clone())
    }

    /// The certificates of SSL_CERT_FILE and SSL_CERT_DIR, and no others: a user who names one file
    /// means that file. None if neither names anything that `--insecure` needs.
    fn of_environment(
        options: &TlsOptions,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Trust>> {
        let [file, folders] = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(env::var_os);
        let by = match (&file, &folders) {
            (None, None) => return Ok(None),
            (Some(_), _) => "SSL_CERT_FILE",
            (None, Some(_)) => "SSL_CERT_DIR",
        };
        let folders = folders.unwrap_or_default();
        let folders: Vec<_> =
            env::split_paths(&folders).filter(|path| !path.as_os_str().is_empty()).collect();
        let mut loaded = load_certs_from_paths(file.as_deref().map(Path::new), None);
        let mut left = Vec::new();
        match loaded.certs[..] {
            [] => folders.iter().for_each(|folder| load_folder(folder, &mut loaded)),
            _ => left = folders,
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(borrowed(&loaded.certs));
        if roots.is_empty() {
            if options.insecure {
                return Ok(None);
            }
            let error = usage(format!("{by} gives no certificate to trust"));
            let why = loaded.errors.first().map(why);
            return Err(why.into_iter().fold(error, Error::cause));
        }
        let mut trust = Trust::new(roots, loaded.certs, provider)?;
        if !left.is_empty() {
            let (folders, provider) = (left, Arc::clone(provider));
            trust.beyond = Some(Arc::new(Beyond { folders, provider, trust: OnceLock::new() }));
        }
        Ok(Some(trust))
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
        Ok(Trust { webpki, named: named.into(), beyond: None })
    }

    /// Further trust anchors, read on demand.
    pub(super) fn beyond(&self) -> Option<&Trust> {
        let beyond = self.beyond.as_ref()?;
        beyond.trust.get_or_init(|| beyond.load()).as_ref()
    }
}

impl Beyond {
    fn load(&self) -> Option<Trust> {
        let mut loaded = CertificateResult::default();
        self.folders.iter().for_each(|folder| load_folder(folder, &mut loaded));
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(borrowed(&loaded.certs));
        Trust::new(roots, loaded.certs, &self.provider).ok()
    }
}

fn load_folder(folder: &Path, loaded: &mut CertificateResult) {
    let more = load_certs_from_paths(None, Some(folder));
    loaded.certs.extend(more.certs);
    loaded.errors.extend(more.errors);
}

fn system_roots(waiter: &mut Waiter<'_>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(borrowed(&system().certs));
    if roots.is_empty() {
        let text = "no trust anchors of the system were found; using Mozilla's, as built in";
        waiter.progress.event(Event::Notice { level: Level::Info, text });
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

/// The system's trust anchors. rustls-native-certs reads the bundle and then the folder with the
/// same certificates in single files: hundreds of needless system calls if there is a bundle.
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
        usage(what).cause(why)
    };
    if path.is_dir() {
        let loaded = load_certs_from_paths(None, Some(path));
        return match loaded.errors.first() {
            _ if !loaded.certs.is_empty() => Ok(loaded.certs),
            Some(e) => Err(failed(why(e))),
            None => Err(failed("the folder holds none".to_owned())),
        };
    }
    let bytes = sys::read_file(path).map_err(|e| {
        usage(format!("can't read {option} {}: {}", Untrusted::text(&shown), reason(&e)))
    })?;
    let certificates: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        // DER, as some tools export it.
        Ok(_) if bytes.first() == Some(&0x30) => Ok(vec![CertificateDer::from(bytes)]),
        Ok(_) => Err(failed("no -----BEGIN CERTIFICATE----- in it".to_owned())),
        Err(e) => Err(failed(Untrusted::text(&e.to_string()).to_string())),
    }
}

/// What was wrong with the certificates of the system or of a folder.
fn why(e: &rustls_native_certs::Error) -> String {
    match &e.kind {
        ErrorKind::Io { inner, path } => {
            format!("{}: {}", Untrusted::text(&path.to_string_lossy()), reason(inner))
        }
        _ => Untrusted::text(&e.to_string()).to_string(),
    }
}
