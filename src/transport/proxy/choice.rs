//! Which proxy the environment asks for, and which hosts are reached without one.

use std::net::IpAddr;

use url::Host;

use crate::error::Result;
use crate::transport::host::{a_label, plain_host, unbracketed};
use crate::transport::{Proxy, Target};

/// The proxy that the environment asks for: `ws_proxy` or `wss_proxy`, then `http_proxy` or
/// `https_proxy`, then `all_proxy`, unless `no_proxy` names the target. Lower case counts before
/// upper case; `HTTP_PROXY` doesn't count, since a CGI's caller can set it (httpoxy).
///
/// # Errors
/// Exit 2 for a variable that names no proxy.
pub fn from_environment(
    target: &Target,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>> {
    let names: &[&str] = if target.secure {
        &["wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["ws_proxy", "WS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"]
    };
    let set = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
    let Some((name, value)) = names.iter().find_map(|name| Some((name, set(name)?))) else {
        return Ok(None);
    };
    let exceptions = set("no_proxy").or_else(|| set("NO_PROXY")).unwrap_or_default();
    if is_excepted(&exceptions, &target.host, target.port) {
        return Ok(None);
    }
    let proxy = value.trim().parse::<Proxy>();
    proxy.map(Some).map_err(|e| e.cause(format!("the environment variable {name} names it")))
}

/// Whether a list such as `no_proxy` or `--noproxy` names the host: `*`, names (which cover the
/// names below them), addresses and CIDR blocks, each with a port if it is only for that one;
/// separated by commas or white space.
pub fn is_excepted(list: &str, host: &Host<String>, port: u16) -> bool {
    let name = plain_host(&host.to_string());
    let address = name.parse::<IpAddr>().ok();
    list.split([',', ' ', '\t']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let (entry, only) = entry_port(entry);
        if only.is_some_and(|only| only != port) {
            return false;
        }
        match address {
            _ if entry == "*" => true,
            Some(address) => covers(entry, address),
            None => {
                let entry = entry.strip_prefix('*').unwrap_or(entry);
                let entry = a_label(entry.strip_prefix('.').unwrap_or(entry));
                let above = name.strip_suffix(entry.as_str());
                !entry.is_empty() && above.is_some_and(|a| a.is_empty() || a.ends_with('.'))
            }
        }
    })
}

/// Splits off `:port`; the colons of a bare IPv6 address are none.
fn entry_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

/// Whether an address or a CIDR block covers the address.
fn covers(entry: &str, address: IpAddr) -> bool {
    let (network, length) = match entry.split_once('/') {
        Some((network, length)) => match length.parse::<u32>() {
            Ok(length) => (network, Some(length)),
            Err(_) => return false,
        },
        None => (entry, None),
    };
    let Ok(network) = unbracketed(network).parse::<IpAddr>() else {
        return false;
    };
    let (network, address, bits) = match (network, address) {
        (IpAddr::V4(n), IpAddr::V4(a)) => (u128::from(n.to_bits()), u128::from(a.to_bits()), 32),
        (IpAddr::V6(n), IpAddr::V6(a)) => (n.to_bits(), a.to_bits(), 128),
        _ => return false,
    };
    let length = length.unwrap_or(bits);
    // The network part's difference, moved to the right; nothing is left of a block of length 0.
    length <= bits && (network ^ address).checked_shr(bits - length).unwrap_or_default() == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::host::parse_host;

    fn host(text: &str) -> Host<String> {
        parse_host(text).unwrap()
    }

    #[test]
    fn exceptions_are_names_addresses_blocks_and_ports() {
        for (list, name, yes) in [
            ("*", "a.test", true),
            ("", "a.test", false),
            ("b.test, a.test", "a.test", true),
            ("b.test A.TEST", "x.a.test", true),
            (".a.test", "a.test", true),
            ("*.a.test", "x.a.test", true),
            ("a.test", "aa.test", false),
            ("a.test.", "a.test", true),
            ("a.test:443", "a.test", true),
            ("a.test:80", "a.test", false),
            ("10.0.0.0/8", "10.2.3.4", true),
            ("10.0.0.0/8", "11.2.3.4", false),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("0.0.0.0/0", "11.2.3.4", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1:80", "127.0.0.1", false),
            ("::1", "::1", true),
            ("[::1]:443", "::1", true),
            ("[::1]:80", "::1", false),
            ("2001:db8::/32", "2001:db8:1::", true),
            ("::/0", "2001:db8:1::", true),
            ("2001:db8::/32", "10.0.0.1", false),
            (".", "a.test", false),
            ("*.Bücher.test", "x.bücher.test", true),
        ] {
            assert_eq!(is_excepted(list, &host(name), 443), yes, "{list} {name}");
        }
    }

    #[test]
    fn the_environment_is_asked_in_order() {
        let target = |secure| {
            let url = if secure { "wss://a.test" } else { "ws://a.test:443" };
            Target::parse(url).unwrap().0
        };
        let ask = |secure, set: &[(&str, &str)]| {
            let lookup = |name: &str| {
                set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
            };
            from_environment(&target(secure), &lookup).map(|p| p.map(|p| p.port))
        };
        let all = [
            ("wss_proxy", "x:1"),
            ("https_proxy", "x:2"),
            ("all_proxy", "x:3"),
            ("ws_proxy", "x:4"),
            ("http_proxy", "x:5"),
        ];
        assert_eq!(ask(true, &all).unwrap(), Some(1));
        assert_eq!(ask(true, &all[1..]).unwrap(), Some(2));
        assert_eq!(ask(true, &all[2..]).unwrap(), Some(3));
        assert_eq!(ask(false, &all).unwrap(), Some(4));
        assert_eq!(ask(false, &[("HTTP_PROXY", "x:1"), ("ALL_PROXY", "x:2")]).unwrap(), Some(2));
        assert_eq!(ask(true, &[("wss_proxy", " "), ("HTTPS_PROXY", "x:2")]).unwrap(), Some(2));
        assert_eq!(ask(true, &[("wss_proxy", "x:1"), ("NO_PROXY", "a.test")]).unwrap(), None);
        let error = ask(true, &[("all_proxy", "ftp://x")]).unwrap_err();
        assert!(error.causes[0].contains("all_proxy"));
    }
}
