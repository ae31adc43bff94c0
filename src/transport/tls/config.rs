//! Prepares TLS before there is a connection: trust anchors, the client's certificate, names.

use std::env;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, KeyLogFile, SupportedProtocolVersion, version};
use url::Host;

use crate::error::Result;
use crate::event::{Event, Level};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::tls::client::{Asked, Identity};
use crate::transport::tls::options::usage;
use crate::transport::tls::trust::Trust;
use crate::transport::tls::verify::Verifier;
use crate::transport::tls::{Sni, TlsOptions, Versions, provider};
use crate::transport::wait::Waiter;

/// Ready to connect.
pub(super) struct Prepared {
    pub(super) config: Arc<ClientConfig>,
    /// The name that the certificate must have.
    pub(super) name: ServerName<'static>,
    /// The name sent as SNI.
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
    let insecure = options.insecure.then_some(options.names.insecure);
    let verifier = Arc::new(Verifier::new(trust, insecure, options.pinned.clone()));
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

/// Writes the session's secrets to the file of SSLKEYLOGFILE, as browsers and curl do.
fn log_keys(config: &mut ClientConfig, waiter: &mut Waiter<'_>) {
    let Some(path) = env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty()) else {
        return;
    };
    // rustls would create the file readable for everybody, and ignore failures.
    let (level, text) = match OpenOptions::new().append(true).create(true).mode(0o600).open(&path) {
        Ok(_) => {
            config.key_log = Arc::new(KeyLogFile::new());
            (Level::Info, "TLS secrets go to the file that SSLKEYLOGFILE names".to_owned())
        }
        Err(e) => {
            let path = path.to_string_lossy();
            let path = Untrusted::text(&path);
            (Level::Warning, format!("SSLKEYLOGFILE {path} can't be written: {}", reason(&e)))
        }
    };
    waiter.progress.event(Event::Notice { level, text: &text });
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
