//! Options for connecting to the server.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use url::Host;

use crate::error::{Error, Result};
use crate::text::Untrusted;
use crate::transport::host::{a_label, parse_host, split_host, unbracketed};
use crate::transport::{Proxy, TlsOptions};

/// How it is to be reached.
#[derive(Clone, Debug, Default)]
pub struct DialOptions {
    /// The address families that may be used.
    pub family: Family,
    /// For a secure target.
    pub tls: TlsOptions,
    /// The Unix socket to connect to; the target's host is then used for TLS and HTTP only.
    pub unix_socket: Option<PathBuf>,
    /// Addresses to use instead of resolving a name; the first match applies.
    pub resolve: Vec<Resolve>,
    /// Other endpoints to connect to; the first match applies.
    pub connect_to: Vec<ConnectTo>,
    /// The interface's name, or the local address, to connect from.
    pub interface: Option<String>,
    /// The proxy to go through.
    pub proxy: Option<Proxy>,
}

/// Address families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Both.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Family {
    pub(super) fn allows(self, address: IpAddr) -> bool {
        match self {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        }
    }
}

/// `--resolve HOST:PORT:ADDRESS[,ADDRESS…]`: the addresses of a name; `*` is any host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The host, as an A-label in lower case, or `*`.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Its addresses; never empty.
    pub addresses: Vec<IpAddr>,
}

impl FromStr for Resolve {
    type Err = Error;

    fn from_str(text: &str) -> Result<Resolve> {
        let read = || {
            let (host, rest) = split_host(text)?;
            let (port, addresses) = rest.split_once(':')?;
            let addresses: Option<Vec<IpAddr>> =
                addresses.split(',').map(|a| unbracketed(a.trim()).parse().ok()).collect();
            let host = if host == "*" { host.to_owned() } else { a_label(host) };
            Some(Resolve { host, port: port.parse().ok()?, addresses: addresses? })
        };
        read().ok_or_else(|| {
            Error::usage(format!("\"{}\": not HOST:PORT:ADDRESS", Untrusted::text(text)))
        })
    }
}

/// `--connect-to HOST1:PORT1:HOST2:PORT2`: connect to HOST2:PORT2 instead of HOST1:PORT1. An empty
/// HOST1 or PORT1 matches any; an empty HOST2 or PORT2 keeps the original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The host to match, as an A-label in lower case.
    pub host: Option<String>,
    /// The port to match.
    pub port: Option<u16>,
    /// The host to connect to.
    pub to_host: Option<Host<String>>,
    /// The port to connect to.
    pub to_port: Option<u16>,
}

impl FromStr for ConnectTo {
    type Err = Error;

    fn from_str(text: &str) -> Result<ConnectTo> {
        let port = |text: &str| match text {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        };
        let read = || {
            let (host, rest) = split_host(text)?;
            let (from, rest) = rest.split_once(':')?;
            let (to_host, to) = split_host(rest)?;
            let to_host = match to_host {
                "" => None,
                host => Some(parse_host(host)?),
            };
            let host = Some(a_label(host)).filter(|host| !host.is_empty());
            Some(ConnectTo { host, port: port(from)?, to_host, to_port: port(to)? })
        };
        read().ok_or_else(|| {
            let shown = Untrusted::text(text);
            Error::usage(format!("\"{shown}\": not HOST1:PORT1:HOST2:PORT2"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn resolve_rules_are_read() {
        let rule: Resolve = "Example.com:443:192.0.2.1,[2001:db8::1]".parse().unwrap();
        assert_eq!((rule.host.as_str(), rule.port), ("example.com", 443));
        assert_eq!(rule.addresses.len(), 2);
        assert_eq!(
            "Bücher.example:80:::1".parse::<Resolve>().unwrap().host,
            "xn--bcher-kva.example"
        );
        assert_eq!("*:80:::1".parse::<Resolve>().unwrap().addresses.len(), 1);
        for bad in ["", "a", "a:b:1.2.3.4", "a:80:", "a:80:name", "a:99999:1.2.3.4"] {
            let error = bad.parse::<Resolve>().unwrap_err();
            assert_eq!(error.exit, Exit::Usage, "{bad}");
        }
    }
}
