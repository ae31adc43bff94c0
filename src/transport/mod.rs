//! Reaching the server: the name, the connection, the proxy and TLS, each step told as an event,
//! within one deadline and interruptible at any time.
//!
//! [`dial`] gives a [`Stream`]: bytes in and out, non-blocking. What is spoken over it is not known
//! here.

#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod connect;
pub mod proxies;
pub mod proxy;
mod resolve;
mod stream;
mod target;
mod tls;
mod wait;

use std::fmt;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;

use url::Host;

use crate::error::{Error, Result};
use crate::event::{Event, Timings, TlsInfo};
use crate::text::Untrusted;

pub use proxies::Proxies;
pub use proxy::Proxy;
pub use stream::{Stream, tls_failure};
pub use target::Target;
pub use tls::{Pins, Sni, TlsOptions, Versions, default_provider};
pub use wait::shown_limit;

use connect::Connected;
use tls::Client;
use wait::Waiter;

/// How it is to be reached.
#[derive(Clone, Debug, Default)]
pub struct DialOptions {
    /// The address families that may be used.
    pub family: Family,
    /// For a secure target.
    pub tls: TlsOptions,
    /// Connect to this socket; the target's host is for TLS and HTTP only.
    pub unix_socket: Option<PathBuf>,
    /// Addresses to use instead of asking for a name's; the first that fits counts.
    pub resolve: Vec<Resolve>,
    /// Other places to connect to; the first that fits counts.
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
    fn allows(self, address: IpAddr) -> bool {
        match self {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        }
    }
}

/// `--resolve HOST:PORT:ADDRESS[,ADDRESS…]`: what a name's addresses are; `*` is any host.
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
/// first host or port fits any; an empty second one changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The host that it is for, as an A-label in lower case.
    pub host: Option<String>,
    /// The port that it is for.
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

/// What dialing needs of its caller.
pub trait Watch {
    /// Something happened.
    fn event(&mut self, kind: Event<'_>);

    /// Readable when [`Watch::interrupted`] should be asked.
    fn wake_fd(&self) -> BorrowedFd<'_>;

    /// The error to end with when dialing must end (Ctrl-C, SIGTERM, `/quit`). Must take what made
    /// the descriptor readable, or the waiting would spin.
    fn interrupted(&mut self) -> Option<Error>;

    /// Whether somebody looks at [`Event::TlsEstablished`]; certificates are parsed for it only then.
    fn wants_details(&self) -> bool {
        false
    }
}

/// A connection that stands.
#[derive(Debug)]
pub struct Dialed {
    /// Its bytes.
    pub stream: Stream,
    /// The address it goes to (the proxy's, if there is one), or the socket's path.
    pub peer: String,
    /// Our own address; empty for a Unix socket.
    pub local: String,
    /// What TLS agreed on, if [`Watch::wants_details`]; else see [`Stream::tls_info`].
    pub tls: Option<TlsInfo>,
    /// How long each step took.
    pub timings: Timings,
}

/// Reaches the target.
///
/// # Errors
/// Exit 2 for unusable options, 3 unresolved, 4 not connected, 5 TLS, 7 for a wrong ALPN protocol,
/// 11 at the deadline (its stage and words say what was awaited), and what `watch` says when it is
/// interrupted.
pub fn dial(
    target: &Target,
    options: &DialOptions,
    deadline: Option<Instant>,
    watch: &mut dyn Watch,
) -> Result<Dialed> {
    let mut waiter = Waiter::new(watch, deadline);
    // Before anything goes over the network: a wrong file name needs no server.
    let client = match target.secure {
        true => Some(Client::prepare(&options.tls, &target.host, &mut waiter)?),
        false => None,
    };
    let mut timings = Timings::default();
    let Connected { mut stream, peer, local } =
        transport(target, options, &mut timings, &mut waiter)?;
    let mut tls = None;
    if let Some(client) = client {
        let begun = Instant::now();
        stream = client.connect(stream, &place(target).to_string(), &mut waiter)?;
        let took = begun.elapsed();
        timings.tls = Some(took);
        if waiter.watch.wants_details() {
            tls = stream.tls_info();
        }
        if let Some(tls) = &tls {
            waiter.watch.event(Event::TlsEstablished { tls, took });
        }
    }
    Ok(Dialed { stream, peer, local, tls, timings })
}

/// Everything below the target's TLS.
fn transport(
    target: &Target,
    options: &DialOptions,
    timings: &mut Timings,
    waiter: &mut Waiter<'_>,
) -> Result<Connected> {
    if let Some(path) = &options.unix_socket {
        return connect::unix(path, timings, waiter);
    }
    let place = redirected(place(target), &options.connect_to);
    match &options.proxy {
        Some(proxy) => proxy::connect(proxy, &place, options, timings, waiter),
        None => connect::tcp(&place, options, timings, waiter),
    }
}

/// A host and a port to connect to.
#[derive(Clone, Debug)]
struct Place {
    host: Host<String>,
    /// As typed, for messages and events.
    typed: String,
    port: u16,
}

impl fmt::Display for Place {
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

fn place(target: &Target) -> Place {
    Place { host: target.host.clone(), typed: target.typed_host.clone(), port: target.port }
}

fn redirected(place: Place, rules: &[ConnectTo]) -> Place {
    let host = plain_host(&place.host.to_string());
    let fits = |rule: &&ConnectTo| {
        rule.host.as_ref().is_none_or(|wanted| *wanted == host)
            && rule.port.is_none_or(|wanted| wanted == place.port)
    };
    let Some(rule) = rules.iter().find(fits) else {
        return place;
    };
    let port = rule.to_port.unwrap_or(place.port);
    match &rule.to_host {
        Some(host) => Place { host: host.clone(), typed: host.to_string(), port },
        None => Place { port, ..place },
    }
}

/// A host as it is compared: lower case, without brackets and without the dot at the end.
fn plain_host(host: &str) -> String {
    let host = unbracketed(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// A host that a person typed, as it is compared: names in other scripts as A-labels (IDNA).
fn a_label(typed: &str) -> String {
    let parsed = parse_host(typed).map(|host| host.to_string());
    plain_host(parsed.as_deref().unwrap_or(typed))
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Splits at the colon behind the host, which may be an IPv6 literal in brackets.
fn split_host(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(end) => {
            let (host, rest) = text.split_at_checked(end + 2)?;
            Some((host, rest.strip_prefix(':')?))
        }
        None => text.split_once(':'),
    }
}

fn parse_host(text: &str) -> Option<Host<String>> {
    match unbracketed(text).parse() {
        Ok(IpAddr::V6(address)) => Some(Host::Ipv6(address)),
        Ok(IpAddr::V4(address)) => Some(Host::Ipv4(address)),
        Err(_) => Host::parse(text).ok(),
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

    #[test]
    fn connections_are_redirected_by_the_first_rule_that_fits() {
        let start = Place {
            host: Host::Domain("example.com".to_owned()),
            typed: "EXAMPLE.com".to_owned(),
            port: 443,
        };
        for (rule, result) in [
            ("example.com:443:localhost:8443", "localhost:8443"),
            ("::[::1]:", "[::1]:443"),
            ("example.com::: 1", "bad"),
            ("example.com:::1", "EXAMPLE.com:1"),
            ("other:443:localhost:1", "EXAMPLE.com:443"),
            (":444:localhost:1", "EXAMPLE.com:443"),
        ] {
            match rule.parse::<ConnectTo>() {
                Ok(rule) => assert_eq!(redirected(start.clone(), &[rule]).to_string(), result),
                Err(error) => assert_eq!((error.exit, result), (Exit::Usage, "bad")),
            }
        }
    }
}
