//! Hosts and ports as typed, and hosts normalized for comparison.

use std::fmt;
use std::net::IpAddr;

use url::Host;

/// A host and a port to connect to.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) host: Host<String>,
    /// As typed, for messages and events.
    pub(super) typed: String,
    pub(super) port: u16,
}

impl fmt::Display for Endpoint {
    /// As typed, not escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Ipv6(_) if !self.typed.starts_with('[') => {
                write!(f, "[{}]:{}", self.typed, self.port)
            }
            _ => write!(f, "{}:{}", self.typed, self.port),
        }
    }
}

/// A host normalized for comparison: lower case, without brackets and without a final dot.
pub(super) fn plain_host(host: &str) -> String {
    let host = unbracketed(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// A typed host normalized for comparison: internationalized names as A-labels (IDNA).
pub(super) fn a_label(typed: &str) -> String {
    let parsed = parse_host(typed).map(|host| host.to_string());
    plain_host(parsed.as_deref().unwrap_or(typed))
}

pub(super) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Splits at the colon after the host, which may be an IPv6 literal in brackets.
pub(super) fn split_host(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(end) => {
            let (host, rest) = text.split_at_checked(end + 2)?;
            Some((host, rest.strip_prefix(':')?))
        }
        None => text.split_once(':'),
    }
}

pub(super) fn parse_host(text: &str) -> Option<Host<String>> {
    match unbracketed(text).parse() {
        Ok(IpAddr::V6(address)) => Some(Host::Ipv6(address)),
        Ok(IpAddr::V4(address)) => Some(Host::Ipv4(address)),
        Err(_) => Host::parse(text).ok(),
    }
}
