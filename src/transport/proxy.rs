//! A proxy and its login, as they are typed.

mod choice;

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

pub use crate::transport::credentials::Credentials;
pub use choice::{from_environment, is_excepted};

use crate::error::{Error, Exit, Hint, Result, Stage};
use crate::text::Untrusted;
use crate::transport::TlsOptions;

/// A proxy to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its protocol.
    pub scheme: Scheme,
    /// Its host.
    pub host: Host<String>,
    /// Its port.
    pub port: u16,
    /// For its login.
    pub credentials: Option<Credentials>,
    /// For an `https://` proxy; the target has its own.
    pub tls: TlsOptions,
}

/// A proxy's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP CONNECT.
    Http,
    /// HTTP CONNECT over TLS.
    Https,
    /// SOCKS5; the target's name is resolved here.
    Socks5,
    /// SOCKS5; the target's name is resolved by the proxy.
    Socks5h,
}

impl Scheme {
    /// As in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Socks5 => "socks5",
            Scheme::Socks5h => "socks5h",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Socks5 | Scheme::Socks5h => 1080,
        }
    }
}

impl fmt::Display for Proxy {
    /// As a URL, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme.name(), self.host, self.port)
    }
}

impl FromStr for Proxy {
    type Err = Error;

    /// Reads `[scheme://][user[:password]@]host[:port]`; `http` without a scheme. No error
    /// contains the password.
    fn from_str(text: &str) -> Result<Proxy> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let bad = |why: &str| {
            // What is before the last @ may be a password.
            let shown = rest.rsplit('@').next().unwrap_or_default();
            let shown = Untrusted::text(shown);
            let scheme = Untrusted::text(scheme);
            Error::new(Stage::Usage, Exit::Usage, format!("proxy {scheme}://{shown}: {why}"))
                .hint(Hint::ProxyExample)
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "socks" | "socks5" => Scheme::Socks5,
            "socks5h" => Scheme::Socks5h,
            _ => return Err(bad("only http, https, socks5 and socks5h are spoken")),
        };
        // The URL parser doesn't parse the host of an unknown scheme, and drops a default port. So
        // parse with two known schemes that have different default ports.
        let parse = |scheme: &str| Url::parse(&format!("{scheme}://{rest}"));
        let (Ok(url), Ok(again)) = (parse("http"), parse("ftp")) else {
            return Err(bad("not a host and port"));
        };
        let Some(host) = url.host() else {
            return Err(bad("no host"));
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(bad("nothing can follow the port"));
        }
        let credentials = Credentials::of(&url);
        let port = url.port().or(again.port()).unwrap_or(scheme.default_port());
        Ok(Proxy { scheme, host: host.to_owned(), port, credentials, tls: TlsOptions::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read() {
        for (text, shown, login) in [
            ("proxy.test:3128", "http://proxy.test:3128", None),
            ("http://proxy.test", "http://proxy.test:80", None),
            ("https://u:p%40ss@Proxy.test/", "https://proxy.test:443", Some(("u", "p@ss"))),
            ("socks5h://me@[::1]", "socks5h://[::1]:1080", Some(("me", ""))),
            ("SOCKS5://127.0.0.1:80", "socks5://127.0.0.1:80", None),
            ("socks5://127.0.0.1:21", "socks5://127.0.0.1:21", None),
        ] {
            let proxy: Proxy = text.parse().unwrap();
            assert_eq!(proxy.to_string(), shown);
            let got = proxy
                .credentials
                .as_ref()
                .map(|c| (c.user.reveal().as_str(), c.password.reveal().as_str()));
            assert_eq!(got, login);
            assert!(!format!("{proxy:?}").contains("p@ss"));
        }
        for bad in ["ftp://x", "socks4://x", "http://", "http://x/path", "x:99999", "u:secret@x/y"]
        {
            let error = bad.parse::<Proxy>().unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            assert!(!error.to_string().contains("secret"));
        }
    }
}
