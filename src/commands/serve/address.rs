//! The address to listen on, as typed.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use crate::error::{Error, Exit, Result, Stage};
use crate::text::Untrusted;

/// The default address.
pub(super) const DEFAULT: &str = "127.0.0.1:8080";

const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 8080;

/// A host and a port; a displayed host is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
}

impl Address {
    /// Reads `HOST:PORT`, `HOST`, `:PORT` or `PORT`; IPv6 addresses are in brackets if there is a
    /// port.
    pub(super) fn parse(text: &str) -> Result<Address> {
        let bad = || {
            let what = format!("{:?} is no HOST:PORT", Untrusted::text(text).to_string());
            Error::new(Stage::Usage, Exit::Usage, what)
        };
        let port = |text: &str| text.parse::<u16>().map_err(|_| bad());
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(bad)?;
            match rest.strip_prefix(':') {
                Some(digits) => (host, port(digits)?),
                None if rest.is_empty() => (host, DEFAULT_PORT),
                None => return Err(bad()),
            }
        } else if text.parse::<IpAddr>().is_ok() {
            (text, DEFAULT_PORT)
        } else if let Some((host, digits)) = text.rsplit_once(':') {
            (host, port(digits)?)
        } else if text.bytes().all(|b| b.is_ascii_digit()) {
            (DEFAULT_HOST, port(text)?)
        } else {
            (text, DEFAULT_PORT)
        };
        let host = if host.is_empty() { DEFAULT_HOST } else { host };
        if host.contains(|c: char| c == '/' || c == '@' || c.is_whitespace()) {
            return Err(bad());
        }
        Ok(Address { host: host.into(), port })
    }

    /// The addresses of the host, with the port.
    pub(super) fn resolve(&self) -> Result<Vec<SocketAddr>> {
        let resolved = (self.host.as_str(), self.port).to_socket_addrs();
        let addresses: Vec<_> = resolved.map_err(|error| self.unknown(&error))?.collect();
        if addresses.is_empty() { Err(self.unknown(&"no address")) } else { Ok(addresses) }
    }

    /// What clients connect to when the listener is at `local`: a name stays a name, because a
    /// certificate is issued for it.
    pub(super) fn url(&self, scheme: &str, local: SocketAddr) -> String {
        if self.host.parse::<IpAddr>().is_ok() {
            format!("{scheme}://{local}")
        } else {
            format!("{scheme}://{}:{}", Untrusted::text(&self.host), local.port())
        }
    }

    fn unknown(&self, why: &dyn fmt::Display) -> Error {
        let why = why.to_string();
        let what = format!("{}: {}", Untrusted::text(&self.host), Untrusted::text(&why));
        Error::new(Stage::Resolve, Exit::Resolve, what)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = Untrusted::text(&self.host);
        if self.host.contains(':') {
            write!(f, "[{host}]:{}", self.port)
        } else {
            write!(f, "{host}:{}", self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_defaults() {
        for (text, shown) in [
            (DEFAULT, "127.0.0.1:8080"),
            ("localhost:9001", "localhost:9001"),
            ("localhost", "localhost:8080"),
            (":0", "127.0.0.1:0"),
            ("9001", "127.0.0.1:9001"),
            ("10.0.0.1", "10.0.0.1:8080"),
            ("[::1]:0", "[::1]:0"),
            ("[::1]", "[::1]:8080"),
            ("::1", "[::1]:8080"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["localhost:", "localhost:65536", "[::1", "[::1]x", "99999", "ws://host:1/"] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!((error.stage, error.exit), (Stage::Usage, Exit::Usage), "{text}");
        }
    }

    #[test]
    fn a_url_says_the_name_or_the_address() {
        let local = "[::1]:7".parse().unwrap();
        assert_eq!(Address::parse("[::1]:0").unwrap().url("ws", local), "ws://[::1]:7");
        assert_eq!(Address::parse("localhost:0").unwrap().url("wss", local), "wss://localhost:7");
    }
}
