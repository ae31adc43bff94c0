//! Explains each TLS failure in one sentence, with the next command to try.

use std::io;

use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

use crate::error::{Error, Exit, Hint, Stage};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::tls::info;
use crate::transport::tls::pin::{NotPinned, Pin};

/// The facts about a failed handshake.
pub(super) struct HandshakeEvidence<'a> {
    /// Host and port, not escaped.
    pub(super) peer: &'a str,
    /// The server asked for a client certificate.
    pub(super) asked: bool,
    /// We had one.
    pub(super) has: bool,
    /// The server's first bytes.
    pub(super) first: &'a [u8],
    /// The server's certificate, if it was refused.
    pub(super) refused: Option<Vec<u8>>,
}

impl HandshakeEvidence<'_> {
    pub(super) fn of(peer: &str) -> HandshakeEvidence<'_> {
        HandshakeEvidence { peer, asked: false, has: false, first: &[], refused: None }
    }

    fn lacks_certificate(&self) -> bool {
        self.asked && !self.has
    }

    /// The server's first bytes, if they are not TLS: no record type (RFC 8446 §5.1) is above 24.
    fn plain_words(&self) -> Option<&[u8]> {
        self.first.first().filter(|byte| !(20..=24).contains(*byte)).map(|_| self.first)
    }
}

/// A sentence and its hints.
pub(super) struct Finding {
    pub(super) what: String,
    hints: Vec<Hint>,
}

impl Finding {
    fn new(what: impl Into<String>) -> Finding {
        Finding { what: what.into(), hints: Vec::new() }
    }

    fn hint(mut self, hint: impl Into<Hint>) -> Finding {
        self.hints.push(hint.into());
        self
    }

    fn into_error(self, evidence: &HandshakeEvidence<'_>) -> Error {
        let what = format!("{}: {}", Untrusted::text(evidence.peer), self.what);
        let error = Error::new(Stage::Tls, Exit::Tls, what);
        self.hints.into_iter().fold(error, Error::hint)
    }
}

/// The error of a handshake in which we are the server.
pub(super) fn client_failure(e: &rustls::Error) -> Error {
    let what = match e {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the client doesn't speak TLS (ws:// instead of wss://?)".to_owned()
        }
        e => format!("TLS: {}", Untrusted::text(&e.to_string())),
    };
    Error::new(Stage::Tls, Exit::Tls, what)
}

/// The error for a failure that rustls detected, or that an alert reported.
pub(super) fn failure(e: &rustls::Error, evidence: &HandshakeEvidence<'_>) -> Error {
    if let rustls::Error::InvalidMessage(_) | rustls::Error::InappropriateMessage { .. } = e
        && let Some(words) = evidence.plain_words()
    {
        return plain(words).into_error(evidence);
    }
    let finding = match e {
        rustls::Error::InvalidCertificate(_) => certificate(e, evidence.refused.as_deref()),
        rustls::Error::AlertReceived(alert) => alert_received(*alert, evidence),
        rustls::Error::PeerIncompatible(why) => incompatible(why),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Finding::new("a record that is not TLS")
        }
        rustls::Error::NoApplicationProtocol => no_alpn(),
        rustls::Error::DecryptError => Finding::new("a record that can't be decrypted"),
        rustls::Error::PeerSentOversizedRecord => {
            Finding::new("a record larger than 16 KiB (RFC 8446 §5.2)")
        }
        other => {
            let text = other.to_string();
            Finding::new(format!("the server broke TLS: {}", Untrusted::text(&text)))
        }
    };
    finding.into_error(evidence)
}

/// The error for a socket that failed during the handshake.
pub(super) fn lost(e: &io::Error, evidence: &HandshakeEvidence<'_>) -> Error {
    if let Some(words) = evidence.plain_words() {
        return plain(words).into_error(evidence);
    }
    let why = match e.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the connection was reset in the TLS handshake"
        }
        _ => "the connection failed in the TLS handshake",
    };
    handshake_ended(why, evidence)
        .into_error(evidence)
        .transient(!evidence.lacks_certificate())
        .cause(reason(e))
}

/// The error for a connection that the server ended during the handshake.
pub(super) fn closed(evidence: &HandshakeEvidence<'_>) -> Error {
    match evidence.plain_words() {
        Some(words) => plain(words).into_error(evidence),
        None => handshake_ended("the server closed the connection in the TLS handshake", evidence)
            .into_error(evidence)
            .transient(!evidence.lacks_certificate()),
    }
}

/// Explains what is wrong with a certificate; `der` is the server's, if that one was refused.
pub(super) fn certificate(e: &rustls::Error, der: Option<&[u8]>) -> Finding {
    let rustls::Error::InvalidCertificate(e) = e else {
        return Finding::new(Untrusted::text(&e.to_string()).to_string());
    };
    let known = der.map(info::certificate).unwrap_or_default();
    let (subject, issuer) = (Untrusted::text(&known.subject), Untrusted::text(&known.issuer));
    let self_signed = der.is_some_and(info::is_self_signed);
    match e {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let days = known.days_left.unsigned_abs();
            let since = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
            Finding::new(format!("the certificate expired on {}, {since} ago", known.not_after))
                .hint(Hint::ClockWrong)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Finding::new(format!("the certificate is not valid before {}", known.not_before))
                .hint(Hint::ClockBehind)
        }
        CertificateError::NotValidForName => wrong_host(None, &known.names),
        CertificateError::NotValidForNameContext { expected, .. } => {
            wrong_host(Some(&expected.to_str()), &known.names)
        }
        CertificateError::UnknownIssuer if self_signed => self_signed_finding(&known.subject),
        CertificateError::UnknownIssuer => {
            Finding::new(format!("the certificate's issuer is not trusted: {issuer}"))
                .hint(Hint::CaIsYours)
                .hint(Hint::IntermediatesMissing)
        }
        CertificateError::Revoked => {
            Finding::new(format!("the certificate was revoked: {subject}"))
        }
        CertificateError::BadSignature if der.is_some() => {
            let what =
                format!("the issuer's signature doesn't fit the trusted CA of that name: {issuer}");
            Finding::new(what).hint(Hint::CaRenewed)
        }
        CertificateError::BadSignature => {
            let what = "a signature in the handshake is wrong: the server seems not to have its \
                        certificate's private key";
            Finding::new(what).hint("on the server: do certificate and key belong together?")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Finding::new(format!("the certificate is not for servers: {subject}"))
                .hint(Hint::Insecure)
        }
        CertificateError::Other(why) => match why.0.downcast_ref::<NotPinned>() {
            Some(pin) => not_pinned(pin.found),
            None if self_signed => self_signed_finding(&known.subject),
            None => {
                let text = why.to_string();
                Finding::new(format!("the certificate is refused: {}", Untrusted::text(&text)))
                    .hint(Hint::Insecure)
            }
        },
        other => {
            let text = other.to_string();
            Finding::new(format!("the certificate is refused: {}", Untrusted::text(&text)))
                .hint(Hint::Insecure)
        }
    }
}

fn self_signed_finding(subject: &str) -> Finding {
    let subject = Untrusted::text(subject);
    Finding::new(format!("the certificate is self-signed: {subject}"))
        .hint(Hint::CertificateIsYours)
}

fn wrong_host(expected: Option<&str>, names: &[String]) -> Finding {
    /// The largest number of names listed; some certificates have hundreds.
    const SHOWN: usize = 10;
    let expected = expected.unwrap_or("this host");
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| Untrusted::text(name).to_string()).collect();
    let has = match names.len() {
        0 => "it has no name".to_owned(),
        n if n > SHOWN => format!("it is for {} and {} more", shown.join(", "), n - SHOWN),
        _ => format!("it is for {}", shown.join(", ")),
    };
    let what = format!("the certificate is not for {}; {has}", Untrusted::text(expected));
    let finding = Finding::new(what);
    let named = names.iter().find(|name| !name.starts_with('*') && !name.contains(':'));
    match named {
        Some(name) => finding.hint(Hint::AskForName(Untrusted::text(name).to_string())),
        None => finding.hint(Hint::Insecure),
    }
}

fn not_pinned(found: Pin) -> Finding {
    Finding::new(format!("the server's public key is not the pinned one: {found}")).hint(Hint::Pin)
}

fn plain(words: &[u8]) -> Finding {
    let line = words.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let shown = Untrusted(line);
    if words.starts_with(b"HTTP/") {
        Finding::new(format!("the server speaks plain HTTP, not TLS: \"{shown}\""))
            .hint("try ws:// instead of wss://")
    } else {
        Finding::new(format!("the server speaks plain text, not TLS: \"{shown}\""))
            .hint("try ws://; or is there another service on this port?")
    }
}

fn handshake_ended(why: &str, evidence: &HandshakeEvidence<'_>) -> Finding {
    if evidence.lacks_certificate() {
        return no_client_certificate();
    }
    let finding = Finding::new(why);
    if evidence.first.is_empty() { finding.hint(Hint::NoTlsOrName) } else { finding }
}

fn no_client_certificate() -> Finding {
    Finding::new("the server requires a client certificate, and none was given")
        .hint(Hint::ClientCertificate)
}

fn no_alpn() -> Finding {
    Finding::new("the server speaks none of the offered ALPN protocols").hint(Hint::OtherAlpn)
}

fn old_version() -> Finding {
    Finding::new("no common version of TLS: the server may know only TLS 1.1 or older")
        .hint(Hint::TlsVersions)
}

fn no_common_cipher() -> Finding {
    Finding::new("no common cipher suite, key exchange or signature scheme")
        .hint("to see what the server offers: openssl s_client -connect HOST:PORT")
}

fn incompatible(why: &PeerIncompatible) -> Finding {
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::SupportedVersionsExtensionRequired => old_version(),
        PeerIncompatible::NoCipherSuitesInCommon
        | PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => no_common_cipher(),
        other => Finding::new(format!("the server's TLS is not compatible: {other:?}")),
    }
}

fn alert_received(alert: AlertDescription, evidence: &HandshakeEvidence<'_>) -> Finding {
    use AlertDescription as Alert;
    let number = u8::from(alert);
    let named = match alert.as_str() {
        Some(name) => format!("{name} ({number})"),
        None => number.to_string(),
    };
    // TLS 1.2 has no alert for this case, so servers send various ones.
    let refuses = matches!(
        alert,
        Alert::HandshakeFailure | Alert::BadCertificate | Alert::CertificateUnknown
    );
    match alert {
        Alert::CertificateRequired => no_client_certificate(),
        _ if refuses && evidence.lacks_certificate() => no_client_certificate(),
        Alert::ProtocolVersion => old_version(),
        Alert::HandshakeFailure if !evidence.asked => no_common_cipher(),
        Alert::InsufficientSecurity => no_common_cipher(),
        Alert::NoApplicationProtocol => no_alpn(),
        Alert::UnrecognisedName => {
            Finding::new("the server doesn't know the name it was asked for")
                .hint(Hint::NameUnknown)
        }
        Alert::UnknownCA
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateExpired
        | Alert::CertificateRevoked
        | Alert::CertificateUnknown
        | Alert::AccessDenied
        | Alert::DecryptError
            if evidence.has =>
        {
            Finding::new(format!("the server refuses the client certificate: alert {named}"))
                .hint("check it: openssl x509 -in FILE -noout -subject -issuer -dates")
        }
        _ => Finding::new(format!("the server ended TLS with the alert {named}")),
    }
}
