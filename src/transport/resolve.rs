//! Resolves a name to addresses without blocking the caller.

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use dns_lookup::{AddrInfoHints, getaddrinfo};
use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SocketType, netdevice, socket};
use url::Host;

use crate::error::{Error, Exit, Hint, Result, Stage};
use crate::event::{Event, Timings};
use crate::sys::{Blocking, Role};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::host::{Endpoint, plain_host, unbracketed};
use crate::transport::wait::Waiter;
use crate::transport::{DialOptions, Family};

/// The addresses of an endpoint, at least one, in the order of attempts.
///
/// # Errors
/// Exit 3, or 11 at the deadline; 2 for an unknown zone.
pub(super) fn resolve(
    endpoint: &Endpoint,
    options: &DialOptions,
    timings: &mut Timings,
    waiter: &mut Waiter<'_>,
) -> Result<Vec<SocketAddr>> {
    let found = match (ruled(endpoint, options), &endpoint.host) {
        (Some(addresses), _) => addresses,
        (None, Host::Ipv4(address)) => vec![SocketAddr::from((*address, endpoint.port))],
        (None, Host::Ipv6(address)) => {
            let scope = scope(&endpoint.typed)?;
            vec![SocketAddr::from(SocketAddrV6::new(*address, endpoint.port, 0, scope))]
        }
        (None, Host::Domain(name)) => look_up(name, endpoint, options.family, timings, waiter)?,
    };
    let usable: Vec<SocketAddr> =
        found.into_iter().filter(|address| options.family.allows(address.ip())).collect();
    if usable.is_empty() {
        return Err(not_in_family(endpoint, options.family));
    }
    Ok(interleaved(usable))
}

fn not_in_family(endpoint: &Endpoint, family: Family) -> Error {
    let (which, other) = match family {
        Family::V4 => ("an IPv4", Some(6)),
        Family::V6 => ("an IPv6", Some(4)),
        Family::Any => ("any", None),
    };
    let error =
        unresolved(format!("{} doesn't have {which} address", Untrusted::text(&endpoint.typed)));
    other.map(Hint::OtherFamily).into_iter().fold(error, Error::hint)
}

fn unresolved(what: String) -> Error {
    Error::new(Stage::Resolve, Exit::Resolve, what)
}

/// The addresses by `--resolve`.
fn ruled(endpoint: &Endpoint, options: &DialOptions) -> Option<Vec<SocketAddr>> {
    let host = plain_host(&endpoint.host.to_string());
    let rule = options.resolve.iter().find(|rule| {
        rule.port == endpoint.port && (rule.host == "*" || plain_host(&rule.host) == host)
    })?;
    Some(rule.addresses.iter().map(|a| SocketAddr::new(*a, endpoint.port)).collect())
}

/// The scope that the zone of a literal such as `fe80::1%eth0` names (RFC 4007 §11.2); 0 without.
/// In a URL the percent sign itself may be written as `%25` (RFC 6874).
fn scope(typed: &str) -> Result<u32> {
    let Some((_, zone)) = unbracketed(typed).split_once('%') else {
        return Ok(0);
    };
    let zone = match zone.strip_prefix("25") {
        Some(rest) if !rest.is_empty() => rest,
        _ => zone,
    };
    if let Ok(index) = zone.parse() {
        return Ok(index);
    }
    let index = socket(AddressFamily::INET6, SocketType::DGRAM, None)
        .and_then(|socket| netdevice::name_to_index(&socket, zone));
    index.map_err(|e| {
        let what = format!("no interface \"{}\" for the address's zone", Untrusted::text(zone));
        Error::new(Stage::Resolve, Exit::Usage, what)
            .cause(reason(&io::Error::from(e)))
            .hint("the interfaces there are: ip link")
    })
}

fn look_up(
    name: &str,
    endpoint: &Endpoint,
    family: Family,
    timings: &mut Timings,
    waiter: &mut Waiter<'_>,
) -> Result<Vec<SocketAddr>> {
    let begun = Instant::now();
    waiter.progress.event(Event::Resolving { host: &endpoint.typed });
    let local = if is_localhost(name) { localhost(endpoint.port) } else { Vec::new() };
    let addresses = if local.is_empty() { ask(name, endpoint, family, waiter)? } else { local };
    let took = begun.elapsed();
    timings.resolve = Some(took);
    let event = Event::Resolved { host: &endpoint.typed, addresses: &addresses, took };
    waiter.progress.event(event);
    Ok(addresses)
}

fn is_localhost(name: &str) -> bool {
    name.trim_end_matches('.').eq_ignore_ascii_case("localhost")
}

/// The addresses of localhost in /etc/hosts, IPv6 first as getaddrinfo sorts them. This saves a
/// thread for the most common name.
fn localhost(port: u16) -> Vec<SocketAddr> {
    let mut hosts = String::new();
    // The line is near the top; the rest may be a block list of megabytes.
    let read = File::open("/etc/hosts")
        .and_then(|f| Blocking(Role::File, f).take(64 << 10).read_to_string(&mut hosts));
    if read.is_err() {
        return Vec::new();
    }
    let mut found: Vec<SocketAddr> = hosts_entries(&hosts, "localhost")
        .filter(IpAddr::is_loopback)
        .map(|address| SocketAddr::new(address, port))
        .collect();
    found.sort_by_key(|address| address.is_ipv4());
    found.dedup();
    found
}

fn hosts_entries<'a>(hosts: &'a str, name: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
    hosts.lines().filter_map(move |line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    })
}

/// Asks the system's resolver, in a thread of its own: nothing can interrupt it. If we stop
/// waiting, the thread ends when its answer arrives; it holds nothing that others need.
fn ask(
    name: &str,
    endpoint: &Endpoint,
    family: Family,
    waiter: &mut Waiter<'_>,
) -> Result<Vec<SocketAddr>> {
    let shown = Untrusted::text(&endpoint.typed).to_string();
    let failed = |e: &io::Error| {
        Error::new(Stage::Resolve, Exit::Local, "the resolver can't be started").cause(reason(e))
    };
    let (answered, answer) =
        io::pipe().map(|(reader, writer)| (writer, reader)).map_err(|e| failed(&e))?;
    let (sender, receiver) = mpsc::sync_channel(1);
    let (asked, port) = (name.to_owned(), endpoint.port);
    thread::Builder::new()
        .name("resolver".to_owned())
        .spawn(move || {
            // The receiver is gone if dialing has ended; that is fine.
            let _ = sender.send(addresses(&asked, port, family));
            // Makes the other end of the pipe readable.
            drop(answered);
        })
        .map_err(|e| failed(&e))?;
    let what = format!("no answer for {shown}");
    waiter.fd(answer.as_fd(), PollFlags::IN, Stage::Resolve, &what).map_err(|e| match e.exit {
        Exit::Timeout => e.hint(Hint::AddressInTime),
        _ => e,
    })?;
    match receiver.recv() {
        Ok(Ok(mut addresses)) => {
            let mut seen = Vec::new();
            addresses.retain(|address| {
                !seen.contains(address) && {
                    seen.push(*address);
                    true
                }
            });
            Ok(addresses)
        }
        Ok(Err(e)) => Err(no_such_name(&shown, endpoint, family, &e)),
        Err(_) => Err(unresolved(format!("the resolver gave no answer for {shown}"))),
    }
}

/// getaddrinfo(3). With a family, only that one is queried, so that a name server that doesn't
/// answer AAAA queries can't delay `-4`.
fn addresses(name: &str, port: u16, family: Family) -> io::Result<Vec<SocketAddr>> {
    let family = match family {
        Family::Any => AddressFamily::UNSPEC,
        Family::V4 => AddressFamily::INET,
        Family::V6 => AddressFamily::INET6,
    };
    let hints = AddrInfoHints {
        address: i32::from(family.as_raw()),
        socktype: i32::try_from(SocketType::STREAM.as_raw()).unwrap_or_default(),
        ..AddrInfoHints::default()
    };
    let found = getaddrinfo(Some(name), None, Some(hints))?;
    found
        .map(|entry| {
            entry.map(|mut entry| {
                entry.sockaddr.set_port(port);
                entry.sockaddr
            })
        })
        .collect()
}

fn no_such_name(shown: &str, endpoint: &Endpoint, family: Family, e: &io::Error) -> Error {
    let text = e.to_string();
    let why = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    // EAI_NODATA and EAI_ADDRFAMILY: the name exists.
    let there = why.starts_with("No address associated") || why.starts_with("Address family");
    if there && family != Family::Any {
        return not_in_family(endpoint, family);
    }
    let a_label = endpoint.host.to_string();
    let named = match a_label.eq_ignore_ascii_case(&endpoint.typed) {
        true => shown.to_owned(),
        false => format!("{shown} ({})", Untrusted::text(&a_label)),
    };
    let error = unresolved(format!("{named}: {}", Untrusted::text(why)));
    if why.starts_with("Temporary failure") {
        error.hint(Hint::AddressOffline)
    } else {
        error.hint(Hint::AddressByHand)
    }
}

/// Alternates the families, beginning with the resolver's first choice (RFC 8305 §4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut result = Vec::with_capacity(first.len() + second.len());
    for address in first {
        result.push(address);
        result.extend(second.next());
    }
    result.extend(second);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 1)).collect()
        };
        let sorted = interleaved(parse(&["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"]));
        assert_eq!(sorted, parse(&["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"]));
        let sorted = interleaved(parse(&["1.1.1.1", "::1", "::2"]));
        assert_eq!(sorted, parse(&["1.1.1.1", "::1", "::2"]));
    }

    #[test]
    fn zones_are_numbers_or_interfaces() {
        assert_eq!(scope("fe80::1").unwrap(), 0);
        assert_eq!(scope("[fe80::1%7]").unwrap(), 7);
        assert_eq!(scope("fe80::1%257").unwrap(), 7);
        assert_eq!(scope("fe80::1%25").unwrap(), 25);
        assert_eq!(scope("fe80::1%no\x1bsuch").unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn the_hosts_file_is_read_with_its_comments_and_aliases() {
        let hosts = "# 9.9.9.9 localhost\n127.0.0.1\tme LOCALHOST # x\n::1 localhost\n1.1.1.1 b\n";
        let found: Vec<IpAddr> = hosts_entries(hosts, "localhost").collect();
        assert_eq!(found, ["127.0.0.1".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]);
    }
}
