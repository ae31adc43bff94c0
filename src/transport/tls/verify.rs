//! Verifies the server's certificate: webpki's checks, and our own on top.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use crate::event::Unverified;
use crate::transport::tls::pin::{NotPinned, Pins};
use crate::transport::tls::trust::Trust;
use crate::transport::tls::{explain, info};

/// Verifies the certificate. With `--insecure` it accepts everything, but records what was wrong.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    /// The option's name, if it is on.
    insecure: Option<&'static str>,
    pinned: Pins,
    findings: Mutex<Findings>,
}

#[derive(Debug, Default)]
struct Findings {
    passed: Option<String>,
    refused: Option<Vec<u8>>,
}

impl Verifier {
    pub(super) fn new(trust: Trust, insecure: Option<&'static str>, pinned: Pins) -> Verifier {
        Verifier { trust, insecure, pinned, findings: Mutex::default() }
    }

    /// The failure that `--insecure` ignored.
    pub(super) fn passed(&self) -> Option<Unverified> {
        Some(Unverified { why: self.findings().passed.clone()?, by: self.insecure? })
    }

    /// The server's certificate (DER), if it was refused.
    pub(super) fn refused(&self) -> Option<Vec<u8>> {
        self.findings().refused.clone()
    }

    fn findings(&self) -> MutexGuard<'_, Findings> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_pins(&self, end_entity: &CertificateDer<'_>) -> Result<(), Error> {
        if self.pinned.is_empty() {
            return Ok(());
        }
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        match self.pinned.refuses(key.as_ref()) {
            None => Ok(()),
            Some(found) => Err(Error::InvalidCertificate(CertificateError::Other(OtherError(
                Arc::new(NotPinned { found }),
            )))),
        }
    }

    /// Whether this very certificate is trusted, for this name, now. As with OpenSSL, one that was
    /// named may be the server's own, also where it calls itself a CA, as `openssl req -x509` makes
    /// them.
    fn is_trusted_itself(
        &self,
        end_entity: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> bool {
        let all = [Some(&self.trust), self.trust.beyond()];
        let mut named = all.into_iter().flatten().flat_map(|trust| trust.named.iter());
        named.any(|trusted| trusted.as_ref() == end_entity.as_ref())
            && info::is_valid_at(end_entity, now.as_secs())
            && ParsedCertificate::try_from(end_entity)
                .is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
    }

    /// Lets a failure pass with `--insecure`; `certificate` is what was judged, if not a signature
    /// of the handshake.
    fn judge<T>(
        &self,
        result: Result<T, Error>,
        certificate: Option<&CertificateDer<'_>>,
        pass: T,
    ) -> Result<T, Error> {
        let Err(error) = result else {
            return result;
        };
        let mut findings = self.findings();
        // Without the handshake's signature, a pin would prove nothing: everybody has the
        // certificate.
        let holds = certificate.is_none() && !self.pinned.is_empty();
        if self.insecure.is_some() && !holds {
            let why = explain::certificate(&error, certificate.map(AsRef::as_ref)).what;
            findings.passed = Some(match findings.passed.take() {
                Some(before) => format!("{before}; {why}"),
                None => why,
            });
            return Ok(pass);
        }
        findings.refused = certificate.map(|certificate| certificate.to_vec());
        Err(error)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Err(error) = self.check_pins(end_entity) {
            self.findings().refused = Some(end_entity.to_vec());
            return Err(error);
        }
        let verify = |trust: &Trust| {
            let webpki = &trust.webpki;
            webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        let mut result = verify(&self.trust);
        if let Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) = result
            && let Some(beyond) = self.trust.beyond()
        {
            result = verify(beyond);
        }
        if result.is_err() && self.is_trusted_itself(end_entity, server_name, now) {
            return Ok(ServerCertVerified::assertion());
        }
        // The name comes before the issuer: trusting the certificate wouldn't help.
        if self.insecure.is_none()
            && let Err(Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::Other(_),
            )) = result
            && let Err(name) = ParsedCertificate::try_from(end_entity)
                .and_then(|certificate| verify_server_name(&certificate, server_name))
        {
            result = Err(name);
        }
        self.judge(result, Some(end_entity), ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self.trust.webpki.verify_tls12_signature(message, cert, dss);
        self.judge(result, None, HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self.trust.webpki.verify_tls13_signature(message, cert, dss);
        self.judge(result, None, HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.webpki.supported_verify_schemes()
    }
}
