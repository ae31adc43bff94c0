//! What is to be reached: a URL as people type it (RFC 6455 §3).

use std::net::IpAddr;

use url::{Host, ParseError, Url};

use crate::error::{Error, Exit, Result, Stage};
use crate::redact;
use crate::text::Untrusted;
use crate::text::typed::nearest;
use crate::transport::credentials::Credentials;

/// A WebSocket URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// wss:// instead of ws://.
    pub secure: bool,
    /// The host: a name as A-label, or an address.
    pub host: Host<String>,
    /// The host as typed, without brackets; an IPv6 address may carry a zone (`fe80::1%eth0`).
    pub typed_host: String,
    /// The port.
    pub port: u16,
    /// Path and query as they go into the request; begins with a slash.
    pub path: String,
    /// User name and password, decoded.
    pub userinfo: Option<Credentials>,
}

impl Target {
    /// Reads a URL. What was guessed or left out is noted, one line each.
    ///
    /// # Errors
    /// Exit 2: what is wrong, and what to write instead.
    pub fn parse(typed: &str) -> Result<(Target, Vec<String>)> {
        let bad = |why: &str| {
            let shown = redact::url(typed);
            let what = format!("\"{}\" is not a WebSocket URL: {why}", Untrusted::text(&shown));
            Error::new(Stage::Usage, Exit::Usage, what)
        };
        if let Some(c) = typed.chars().find(|c| c.is_control() || c.is_whitespace()) {
            let shown = Untrusted::text(c.encode_utf8(&mut [0; 4])).to_string();
            let error = bad(&format!("the character \"{shown}\" can't be in a URL"));
            return Err(match typed.trim() {
                bare if bare.len() < typed.len() && !bare.is_empty() => error.hint(written(bare)),
                _ => error.hint("a space is written %20"),
            });
        }
        let mut notes = Vec::new();
        if let Some((why, meant)) = malformed(typed) {
            return Err(bad(why).hint(written(&meant)));
        }
        let (full, guessed) = with_scheme(typed).map_err(|why| match near_scheme(typed) {
            Some(meant) => bad(&why).hint(written(&meant)),
            None => bad(&why),
        })?;
        let (bare, zone) = split_zone(&full);
        let url = Url::parse(&bare).map_err(|e| match e {
            ParseError::InvalidPort => bad("invalid port number: it is at most 65535"),
            e => bad(&e.to_string()),
        })?;
        if url.fragment().is_some() {
            return Err(bad("it must not have a fragment (RFC 6455 §3)")
                .hint("a # that belongs to the path is written %23"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => Host::Domain(name.to_owned()),
            Some(Host::Ipv4(address)) => Host::Ipv4(address),
            Some(Host::Ipv6(address)) => Host::Ipv6(address),
            None => return Err(bad("the host is missing")),
        };
        let secure = url.scheme() == "wss";
        let port = url.port_or_known_default().unwrap_or(if secure { 443 } else { 80 });
        if port == 0 {
            return Err(bad("nothing can be reached on port 0"));
        }
        let typed_host = match (&host, zone) {
            (Host::Ipv6(address), Some(zone)) => format!("{address}%{zone}"),
            (Host::Ipv6(address), None) => address.to_string(),
            (Host::Ipv4(address), _) => address.to_string(),
            (Host::Domain(_), _) => host_as_typed(&full).to_owned(),
        };
        if let Host::Domain(name) = &host
            && !typed_host.eq_ignore_ascii_case(name)
        {
            notes.push(format!("{} is {name} on the wire (IDNA)", Untrusted::text(&typed_host)));
        }
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let userinfo = Credentials::of(&url);
        let target = Target { secure, host, typed_host, port, path, userinfo };
        if guessed {
            let (typed, url) = (redact::url(typed), target.url());
            let url = redact::url(&url);
            notes.insert(0, format!("{} is taken as {url}", Untrusted::text(&typed)));
        }
        Ok((target, notes))
    }

    /// The same target with the path and query of the URL it was read from, as they were typed:
    /// reading a URL resolves `..`, also where it is written `%2e%2e`.
    pub fn with_path_of(self, typed: &str) -> Target {
        let rest = typed.split_once("://").map_or(typed, |(_, rest)| rest);
        let path = rest.find(AUTHORITY_ENDS).and_then(|at| rest.get(at..)).unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        Target { path: format!("{slash}{path}"), ..self }
    }

    /// Host and, unless it is the scheme's default, port: the Host field (RFC 9110 §7.2).
    pub fn authority(&self) -> String {
        let default = if self.secure { 443 } else { 80 };
        if self.port == default {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether scheme, host and port are the same (RFC 6454 §4).
    pub fn same_origin(&self, other: &Target) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }

    /// The URL without user name and password.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}{}", self.authority(), self.path)
    }
}

/// The hint with the URL that was meant.
fn written(meant: &str) -> String {
    format!("write {}", Untrusted::text(&redact::url(meant)))
}

/// The URL that was meant, if the scheme is misspelt.
fn near_scheme(typed: &str) -> Option<String> {
    let (scheme, rest) = typed.split_once("://").filter(|(_, rest)| !rest.is_empty())?;
    let near = nearest(&scheme.to_ascii_lowercase(), ["ws", "wss", "https", "http"])?;
    Some(format!("{}://{rest}", near.replace("http", "ws")))
}

/// What is wrong with `ws:/host`, `ws:host`, `ws//host` and their like, and with a URL in a URL; and
/// the URL that was meant.
fn malformed(typed: &str) -> Option<(&'static str, String)> {
    const SCHEMES: [&str; 4] = ["wss", "ws", "https", "http"];
    const QUOTES: [char; 9] =
        ['"', '\'', '`', '<', '>', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
    const MARKS: [char; 4] = [':', ';', '/', '\\'];
    let split = |text: &'_ str| {
        SCHEMES.iter().find_map(|name| {
            let (start, rest) = text.split_at_checked(name.len())?;
            (start.eq_ignore_ascii_case(name) && rest.starts_with(MARKS)).then_some(*name)
        })
    };
    let bare = typed.trim_matches(QUOTES);
    if typed.starts_with(QUOTES) && !bare.is_empty() {
        return Some(("it is in quotes or brackets", bare.to_owned()));
    }
    if let Some(rest) = typed.strip_prefix("//") {
        return Some(("the scheme is missing", format!("ws://{rest}")));
    }
    let scheme = split(typed)?;
    let rest = typed.get(scheme.len()..)?;
    let host = rest.trim_start_matches(MARKS);
    let port = host.split(AUTHORITY_ENDS).next()?.parse::<u16>().is_ok();
    match rest.get(..rest.len() - host.len())? {
        "://" => {
            let again = split(host).filter(|scheme| {
                host.get(scheme.len()..).is_some_and(|rest| rest.starts_with("://"))
            });
            again.map(|_| ("it has two schemes", host.to_owned()))
        }
        // A host that is called like a scheme, with its port or a path.
        ":" if port => None,
        "/" | ":///" => None,
        // A strange host behind a right scheme is for the resolver.
        marks if marks.starts_with("://;") => None,
        _ if host.is_empty() => Some(("the host is missing", format!("{scheme}://HOST"))),
        _ => Some(("between scheme and host is ://", format!("{scheme}://{host}"))),
    }
}

/// What ends the authority of a URL; browsers take a backslash for a slash.
const AUTHORITY_ENDS: [char; 4] = ['/', '\\', '?', '#'];

/// Adds a scheme to a URL without one, and replaces HTTP's schemes by ours; true if it did either.
fn with_scheme(typed: &str) -> std::result::Result<(String, bool), String> {
    if let Some((scheme, rest)) = typed.split_once("://") {
        let ours = match scheme.to_ascii_lowercase().as_str() {
            "ws" => "ws",
            "wss" => "wss",
            "http" => "ws",
            "https" => "wss",
            other => {
                let other = Untrusted::text(other);
                return Err(format!("the scheme \"{other}\" is not ws or wss"));
            }
        };
        if rest.is_empty() || rest.starts_with(['/', '?', ':']) {
            return Err("the host is missing".to_owned());
        }
        let guessed = !scheme.to_ascii_lowercase().starts_with("ws");
        return Ok((format!("{ours}://{rest}"), guessed));
    }
    let full = match typed.split(AUTHORITY_ENDS).next().unwrap_or_default() {
        // A number alone is a port.
        number
            if number.len() < 8
                && number.bytes().all(|b| b.is_ascii_digit())
                && !number.is_empty() =>
        {
            if number.parse::<u16>().is_err() {
                return Err(format!("the port {number} is over 65535"));
            }
            format!("localhost:{typed}")
        }
        authority if authority.starts_with(':') => format!("localhost{typed}"),
        _ => typed.to_owned(),
    };
    if full.is_empty() || full.starts_with(['/', '?']) {
        return Err("the host is missing".to_owned());
    }
    let authority = full.split(AUTHORITY_ENDS).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let public = host.contains('.')
        && host.parse::<IpAddr>().is_err()
        && !host.ends_with(".local")
        && !host.ends_with(".localhost");
    let scheme = match port {
        Some("443") => "wss",
        None if public => "wss",
        _ => "ws",
    };
    Ok((format!("{scheme}://{full}"), true))
}

/// Takes the zone out of `[fe80::1%eth0]` (also written %25), which URLs can't have (RFC 6874).
fn split_zone(url: &str) -> (String, Option<String>) {
    let parts = || {
        let start = url.find("://")? + 3;
        let authority = url.get(start..)?.split(AUTHORITY_ENDS).next()?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (before, _) = url.split_at(start + authority.len() - host.len());
        let after = url.get(start + authority.len()..)?;
        let (inside, port) = host.strip_prefix('[')?.split_once(']')?;
        let (address, zone) = inside.split_once('%')?;
        let zone = zone.strip_prefix("25").unwrap_or(zone);
        Some((format!("{before}[{address}]{port}{after}"), zone.to_owned()))
    };
    match parts() {
        Some((bare, zone)) if !zone.is_empty() => (bare, Some(zone)),
        _ => (url.to_owned(), None),
    }
}

fn host_as_typed(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(AUTHORITY_ENDS).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.rsplit_once(':').map_or(host, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Hint;
    use crate::redact::Secret;

    fn url(typed: &str) -> String {
        Target::parse(typed).map_or_else(|e| e.what, |(target, _)| target.url())
    }

    #[test]
    fn schemes_and_what_stands_for_them() {
        for (typed, full) in [
            ("ws://h", "ws://h/"),
            ("WSS://H:443/x?y=1", "wss://h/x?y=1"),
            ("ws://h:80", "ws://h/"),
            ("ws://h:443/", "ws://h:443/"),
            ("http://h/a", "ws://h/a"),
            ("https://h:8443", "wss://h:8443/"),
            ("localhost", "ws://localhost/"),
            ("example.org", "wss://example.org/"),
            ("example.org:9000/p", "ws://example.org:9000/p"),
            ("h:443/p", "wss://h/p"),
            (":8080/p", "ws://localhost:8080/p"),
            ("8080", "ws://localhost:8080/"),
            ("8080/p", "ws://localhost:8080/p"),
            ("443", "wss://localhost/"),
            ("ws:8080/x", "ws://ws:8080/x"),
            ("ws/x", "ws://ws/x"),
            ("ws://ws:80/", "ws://ws/"),
            ("127.0.0.1", "ws://127.0.0.1/"),
            ("[::1]:9001", "ws://[::1]:9001/"),
            ("ws://[::1]/", "ws://[::1]/"),
            ("ws://bücher.example/ü", "ws://xn--bcher-kva.example/%C3%BC"),
        ] {
            assert_eq!(url(typed), full, "{typed}");
        }
    }

    #[test]
    fn guesses_are_noted() {
        assert_eq!(Target::parse("ws://h/").unwrap().1, Vec::<String>::new());
        for typed in ["h", "https://h", "ws://bücher.example"] {
            assert_eq!(Target::parse(typed).unwrap().1.len(), 1, "{typed}");
        }
    }

    #[test]
    fn what_is_no_url_says_why() {
        for (typed, why) in [
            ("", "host is missing"),
            ("ws://", "host is missing"),
            ("ws:///path", "host is missing"),
            ("ftp://h", "scheme \"ftp\""),
            ("\u{ad}://h", "scheme \"\\u{ad}\""),
            ("ws://h:0", "port 0"),
            ("ws://h:99999", "invalid port"),
            ("ws://h/a b", "can't be in a URL"),
            ("ws://h/\u{1b}[2J", "\\x1b"),
            ("ws://h/#x", "fragment"),
            ("ws://[::1", "IPv6"),
            ("ws://[::1%2?[%0]:9/", "IPv6"),
            ("ws://a..b:x/", "port"),
        ] {
            let error = Target::parse(typed).unwrap_err();
            assert!(error.what.contains(why), "{typed}: {}", error.what);
            assert_eq!(error.exit, Exit::Usage);
        }
    }

    #[test]
    fn a_strange_host_behind_a_right_scheme_is_read_as_one() {
        let (target, _) = Target::parse(";A").unwrap();
        assert_eq!(target.url(), "ws://;a/");
        assert_eq!(Target::parse("ws://;a/").unwrap().0.url(), "ws://;a/");
    }

    #[test]
    fn what_was_meant_is_written() {
        for (typed, meant) in [
            ("ws:/host", "ws://host"),
            ("ws:host", "ws://host"),
            ("WS:host:81/x", "ws://host:81/x"),
            ("ws//host/x", "ws://host/x"),
            ("wss;//host", "wss://host"),
            ("wss:\\\\host", "wss://host"),
            ("http:/host", "http://host"),
            ("https//host", "https://host"),
            ("ws:", "ws://HOST"),
            ("wss:/", "wss://HOST"),
            ("//host/x", "ws://host/x"),
            ("\"ws://host\"", "ws://host"),
            ("<wss://host/>", "wss://host/"),
            ("\u{201c}ws://host\u{201d}", "ws://host"),
            (" ws://host\n", "ws://host"),
            ("ws://ws://host", "ws://host"),
            ("ws://https://host", "https://host"),
            ("wsss://host", "wss://host"),
            ("wx://host", "ws://host"),
            ("htps://host", "wss://host"),
            ("ws:me:hunter2@host", "ws://***@host"),
        ] {
            let error = Target::parse(typed).unwrap_err();
            assert_eq!(error.hints, [Hint::from(format!("write {meant}"))], "{typed}");
            assert!(Target::parse(meant).is_ok(), "{meant}");
        }
        assert_eq!(Target::parse("ftp://h").unwrap_err().hints, []);
        assert!(Target::parse("65536").unwrap_err().what.contains("over 65535"));
    }

    #[test]
    fn paths_as_they_were_typed() {
        for (typed, path) in [
            ("ws://h", "/"),
            ("ws://h?q=%7e", "/?q=%7e"),
            ("ws://h/%2e%2e/up", "/%2e%2e/up"),
            ("h/a/../b/./c", "/a/../b/./c"),
            (":80/%7E%c3%BC|x?..#", "/%7E%c3%BC|x?..#"),
            ("ws://me:pw@[fe80::1%25eth0]:9//a", "//a"),
            ("ws://h\\x", "/\\x"),
        ] {
            let target = Target::parse(typed.trim_end_matches('#')).unwrap().0;
            assert_eq!(target.with_path_of(typed).path, path, "{typed}");
        }
    }

    #[test]
    fn userinfo_and_zones() {
        let login = |user: &str, password: &str| {
            let [user, password] = [user, password].map(|text| Secret::new(text.to_owned()));
            Some(Credentials { user, password })
        };
        let (target, _) = Target::parse("ws://me:p%40ss@h/x").unwrap();
        assert_eq!(target.userinfo, login("me", "p@ss"));
        assert_eq!(target.url(), "ws://h/x");
        let (target, _) = Target::parse("ws://[fe80::1%25eth0]:9/").unwrap();
        assert_eq!(target.typed_host, "fe80::1%eth0");
        assert_eq!(target.authority(), "[fe80::1]:9");
        let (target, _) =
            Target::parse("ws://a%+f:[b%5d]@[fe80::1%eth0]/[c%20d]?q=[e%20f]").unwrap();
        assert_eq!(target.userinfo, login("a%+f", "[b]]"));
        assert_eq!(target.typed_host, "fe80::1%eth0");
        assert_eq!(target.path, "/[c%20d]?q=[e%20f]", "brackets are a host's only in the host");
    }
}
