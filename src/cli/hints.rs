//! Puts the hints of the lower floors into words. Only this floor spells options.

use crate::error::{Hint, Limit, Words};
use crate::transport::TlsNames;

/// The words for everything that an [`crate::error::Error`] leaves to the command line.
pub const WORDS: Words = Words { hint: words, option };

/// The options named in messages about TLS.
pub const TLS_NAMES: TlsNames =
    TlsNames { cacert: "--cacert", cert: "--cert", insecure: "--insecure", key: "--key" };

const INSECURE: &str = "to go on all the same: --insecure";

/// The hint in words.
fn words(hint: &Hint) -> String {
    match hint {
        Hint::Text(text) => text.clone(),
        Hint::AddressByHand => {
            "check the spelling; an address of your own: --resolve HOST:PORT:ADDRESS".into()
        }
        Hint::AddressInTime => "without the name servers: --resolve HOST:PORT:ADDRESS".into(),
        Hint::AddressOffline => {
            "no name server answered: is the network up? An address without it: --resolve".into()
        }
        Hint::AskForName(name) => format!("to ask for that name: --sni {name}; {INSECURE}"),
        Hint::Binary => "to send bytes as they are: --binary".into(),
        Hint::CaIsYours => "if it is your CA: --cacert FILE (or SSL_CERT_FILE)".into(),
        Hint::CaRenewed => format!("the CA may have been renewed: --cacert FILE; {INSECURE}"),
        Hint::CertificateIsYours => {
            "if it is yours: --cacert FILE with that certificate; or --insecure".into()
        }
        Hint::ClientCertificate => "--cert FILE --key FILE".into(),
        Hint::ClientCertificateAsked => {
            "the server asked for a client certificate: --cert FILE --key FILE".into()
        }
        Hint::ClockBehind => format!("check your clock (date); {INSECURE}"),
        Hint::ClockWrong => format!("{INSECURE}; if your clock is wrong, set it"),
        Hint::EachStep => "each step: -v".into(),
        Hint::Insecure => INSECURE.into(),
        Hint::InterfaceByAddress => {
            "--interface with a name may need root; an address of it doesn't".into()
        }
        Hint::IntermediatesMissing => {
            format!("the server may not send its intermediate certificates; {INSECURE}")
        }
        Hint::KeyConverted(key) => format!(
            "convert it, then give --pass: \
             openssl pkcs8 -topk8 -v2 aes256 -in {key} -out new-key.pem"
        ),
        Hint::KeyFile => "if it is in another file: --key FILE".into(),
        Hint::KeyPassPhrase(key) => format!(
            "--pass @FILE reads it from a file; \
             or decrypt it: openssl pkey -in {key} -out plain-key.pem"
        ),
        Hint::LongerSilence => "-w TIME waits longer, -w forever until the peer closes".into(),
        Hint::MoreRedirects => "--max-redirs N follows more".into(),
        Hint::MoreTime(limit) => format!("more time: {} SECONDS", option(*limit)),
        Hint::NameUnknown => "another name: --sni NAME; none: --sni off".into(),
        Hint::NoPing => "if the server ends a connection at a ping: --no-ping".into(),
        Hint::NoReplayOut => "without --replay-out those are sent".into(),
        Hint::NoTlsOrName => {
            "if the server doesn't speak TLS: ws://; a name it doesn't know: --sni NAME".into()
        }
        Hint::OkClose(code) => format!("if that is fine: --ok-close {code}"),
        Hint::OkCloseHas => "--ok-close has it".into(),
        Hint::OtherAlpn => "offer another one (--alpn http/1.1) or none".into(),
        Hint::OtherFamily(4) => "try -4".into(),
        Hint::OtherFamily(_) => "try -6".into(),
        Hint::Pin => {
            "if the server has a new key that you know: --pinnedpubkey with that value".into()
        }
        Hint::PingByMessage => {
            "some servers answer no pings: --message TEXT sends messages instead".into()
        }
        Hint::ProxyExample => {
            "for example: --proxy http://proxy.example:3128 or socks5h://127.0.0.1:1080".into()
        }
        Hint::ProxyLogin => "--proxy-user NAME:PASSWORD".into(),
        Hint::ProxyLoginPerhaps => "it may want a login: --proxy-user".into(),
        Hint::ProxySpeaks(what, scheme) => format!("it looks like {what}: --proxy {scheme}://…"),
        Hint::ProxyTls => "for the proxy's own TLS --cacert FILE counts, --insecure doesn't".into(),
        Hint::ReconnectOn(list) => format!("--reconnect-on is {list}"),
        Hint::ReplayOut => "--replay-out sends those".into(),
        Hint::SpokenAlpn => "offer only what can be spoken: --alpn http/1.1".into(),
        Hint::TlsVersions => {
            "wstap speaks TLS 1.2 and 1.3; without --tlsv1.2 and --tlsv1.3 it offers both".into()
        }
    }
}

/// The option that sets the limit.
fn option(limit: Limit) -> &'static str {
    match limit {
        Limit::ConnectTimeout => "--connect-timeout",
        Limit::Count => "--count",
        Limit::MaxFragments => "--max-fragments",
        Limit::MaxHead => "--max-head",
        Limit::MaxHeaders => "--max-headers",
        Limit::MaxMessage => "--max-message",
        Limit::MaxTime => "--max-time",
        Limit::PingTimeout => "--ping-timeout",
        Limit::Until => "--until",
        Limit::WaitUp => "--wait-up",
    }
}
