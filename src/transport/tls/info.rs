//! The facts shown about a TLS connection and its certificates; parsed on demand.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::{Connection, ProtocolVersion};
use time::format_description::well_known::Rfc3339;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::event::{Certificate, TlsInfo, Unverified};
use crate::transport::tls::provider::TLS13_AES_128_GCM_SHA256;

/// Reads what was negotiated.
pub(super) fn read(
    connection: &Connection,
    sni: Option<String>,
    unverified: Option<Unverified>,
) -> TlsInfo {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "",
    };
    let cipher = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    let group = connection.negotiated_key_exchange_group();
    let chain = connection.peer_certificates().unwrap_or_default();
    TlsInfo {
        version: version.to_owned(),
        // rustls writes TLS13_ where IANA's registry (RFC 8446 §B.4) has TLS_.
        cipher: cipher.unwrap_or_default().replacen("TLS13_", "TLS_", 1),
        group: group.and_then(|group| group.name().as_str()).map(str::to_owned),
        alpn: connection.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned()),
        sni,
        certificates: chain.iter().map(|der| certificate(der)).collect(),
        unverified,
    }
}

/// Reads one certificate; if it can't be parsed, only its digest is known.
pub(super) fn certificate(der: &[u8]) -> Certificate {
    let sha256 = sha256(der).map(|digest| hex(&digest)).unwrap_or_default();
    let Ok((_, parsed)) = X509Certificate::from_der(der) else {
        return Certificate {
            subject: "(unreadable)".to_owned(),
            sha256,
            ..Certificate::default()
        };
    };
    let validity = parsed.validity();
    let left = validity.not_after.timestamp().saturating_sub(now());
    Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        names: names(&parsed),
        not_before: rfc3339(validity.not_before),
        not_after: rfc3339(validity.not_after),
        days_left: left.div_euclid(86_400),
        sha256,
    }
}

/// Whether the certificate is valid at that time, in seconds since 1970.
pub(super) fn is_valid_at(der: &[u8], seconds: u64) -> bool {
    let at = i64::try_from(seconds).unwrap_or(i64::MAX);
    X509Certificate::from_der(der).is_ok_and(|(_, parsed)| {
        let validity = parsed.validity();
        validity.not_before.timestamp() <= at && at <= validity.not_after.timestamp()
    })
}

/// Whether the certificate names itself as its issuer.
pub(super) fn is_self_signed(der: &[u8]) -> bool {
    X509Certificate::from_der(der)
        .is_ok_and(|(_, parsed)| parsed.subject().as_raw() == parsed.issuer().as_raw())
}

/// SHA-256 by the TLS library; `None` only if it had no suite with it.
pub(super) fn sha256(bytes: &[u8]) -> Option<[u8; 32]> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13()?;
    suite.common.hash_provider.hash(bytes).as_ref().try_into().ok()
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = alternative.value.general_names.iter();
    names
        .map(|name| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::RFC822Name(name) => format!("email:{name}"),
            GeneralName::URI(uri) => (*uri).to_owned(),
            GeneralName::IPAddress(bytes) => ip(bytes),
            other => other.to_string(),
        })
        .collect()
}

fn ip(bytes: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Ipv4Addr::from(v4).to_string();
    }
    match <[u8; 16]>::try_from(bytes) {
        Ok(v6) => Ipv6Addr::from(v6).to_string(),
        Err(_) => hex(bytes),
    }
}

fn rfc3339(time: ASN1Time) -> String {
    time.to_datetime().format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
