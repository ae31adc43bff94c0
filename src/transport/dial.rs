//! Dialing: connects to the target or its proxy, then adds TLS.

use std::time::Instant;

use crate::error::Result;
use crate::event::{Event, Timings, TlsInfo};
use crate::transport::connect::{self, Connected};
use crate::transport::host::{Endpoint, plain_host};
use crate::transport::tls::TlsClient;
use crate::transport::wait::{Progress, Waiter};
use crate::transport::{ConnectTo, DialOptions, Stream, Target, tunnel};

/// An established connection.
#[derive(Debug)]
pub struct Dialed {
    /// The byte stream.
    pub stream: Stream,
    /// The peer's address (the proxy's, if there is one), or the socket's path.
    pub peer: String,
    /// Our own address; empty for a Unix socket.
    pub local: String,
    /// What TLS agreed on, if [`Progress::wants_details`]; else see [`Stream::tls_info`].
    pub tls: Option<TlsInfo>,
    /// How long each step took.
    pub timings: Timings,
}

/// Connects to the target.
///
/// # Errors
/// Exit 2 for unusable options, 3 unresolved, 4 not connected, 5 TLS, 7 for a wrong ALPN protocol,
/// 11 at the deadline (its stage and words say what was awaited), and what `progress` says when it
/// is interrupted.
pub fn dial(
    target: &Target,
    options: &DialOptions,
    deadline: Option<Instant>,
    progress: &mut dyn Progress,
) -> Result<Dialed> {
    let mut waiter = Waiter::new(progress, deadline);
    // Before any network traffic: a wrong file name is found without a server.
    let client = match target.secure {
        true => Some(TlsClient::prepare(&options.tls, &target.host, &mut waiter)?),
        false => None,
    };
    let mut timings = Timings::default();
    let Connected { mut stream, peer, local } =
        transport(target, options, &mut timings, &mut waiter)?;
    let mut tls = None;
    if let Some(client) = client {
        let begun = Instant::now();
        let over = client.connect(stream, &endpoint(target).to_string(), &mut waiter)?;
        stream = Stream::from_tls(over);
        let took = begun.elapsed();
        timings.tls = Some(took);
        if waiter.progress.wants_details() {
            tls = stream.tls_info();
        }
        if let Some(tls) = &tls {
            waiter.progress.event(Event::TlsEstablished { tls, took });
        }
    }
    Ok(Dialed { stream, peer, local, tls, timings })
}

/// Connects everything below the target's TLS.
fn transport(
    target: &Target,
    options: &DialOptions,
    timings: &mut Timings,
    waiter: &mut Waiter<'_>,
) -> Result<Connected> {
    if let Some(path) = &options.unix_socket {
        return connect::unix(path, timings, waiter);
    }
    let endpoint = redirected(endpoint(target), &options.connect_to);
    match &options.proxy {
        Some(proxy) => tunnel::connect(proxy, &endpoint, options, timings, waiter),
        None => connect::tcp(&endpoint, options, timings, waiter),
    }
}

fn endpoint(target: &Target) -> Endpoint {
    Endpoint { host: target.host.clone(), typed: target.typed_host.clone(), port: target.port }
}

fn redirected(endpoint: Endpoint, rules: &[ConnectTo]) -> Endpoint {
    let host = plain_host(&endpoint.host.to_string());
    let fits = |rule: &&ConnectTo| {
        rule.host.as_ref().is_none_or(|wanted| *wanted == host)
            && rule.port.is_none_or(|wanted| wanted == endpoint.port)
    };
    let Some(rule) = rules.iter().find(fits) else {
        return endpoint;
    };
    let port = rule.to_port.unwrap_or(endpoint.port);
    match &rule.to_host {
        Some(host) => Endpoint { host: host.clone(), typed: host.to_string(), port },
        None => Endpoint { port, ..endpoint },
    }
}

#[cfg(test)]
mod tests {
    use url::Host;

    use super::*;
    use crate::error::Exit;

    #[test]
    fn connections_are_redirected_by_the_first_rule_that_fits() {
        let start = Endpoint {
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
