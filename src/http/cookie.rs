//! Cookies that a server sets and that we send back (RFC 6265); stored in the format of Netscape's
//! `cookies.txt`, as curl does.

use public_suffix::{DEFAULT_PROVIDER, EffectiveTLDProvider as _};

use crate::http::date;

/// The largest number of cookies in a jar; the oldest are dropped first (§6.1 asks for 3000).
const MAX_COOKIES: usize = 3000;

/// The largest number of cookies of a domain (§6.1 asks for 50).
const MAX_OF_DOMAIN: usize = 50;

/// The longest name and value of a cookie together, in bytes.
const MAX_COOKIE: usize = 4096;

/// The longest domain or path, in bytes.
const MAX_ATTRIBUTE: usize = 1024;

/// The longest Cookie field, in bytes; servers refuse longer ones.
const MAX_FIELD: usize = 8192;

/// The first line of a jar's file.
const TITLE: &[u8] = b"# Netscape HTTP Cookie File";

/// The prefix before the domain of an HttpOnly cookie.
const HTTP_ONLY: &[u8] = b"#HttpOnly_";

/// The destination of a request, which decides which cookies apply.
#[derive(Clone, Copy, Debug)]
pub struct CookieOrigin<'a> {
    /// The host: a name in lower case, or an address.
    pub host: &'a str,
    /// Whether the host is an address.
    pub is_address: bool,
    /// Path and query.
    pub target: &'a str,
    /// wss:// (as https://) instead of ws:// (as http://).
    pub secure: bool,
}

impl CookieOrigin<'_> {
    fn path(&self) -> &[u8] {
        self.target.split('?').next().unwrap_or_default().as_bytes()
    }

    /// Whether the host is in the domain (§5.1.3).
    fn is_in(&self, domain: &[u8]) -> bool {
        let host = self.host.as_bytes();
        host == domain
            || !self.is_address
                && host.strip_suffix(domain).is_some_and(|above| above.ends_with(b"."))
    }
}

/// Cookies, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jar {
    cookies: Vec<Cookie>,
    /// Lines of the file that aren't cookies; they are kept.
    other: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Cookie {
    name: Vec<u8>,
    value: Vec<u8>,
    /// The domain, without a leading dot.
    domain: Vec<u8>,
    /// Only for this host, not for its subdomains.
    host_only: bool,
    path: Vec<u8>,
    secure: bool,
    http_only: bool,
    /// The expiry in seconds since 1970; `None` for a session cookie.
    expires: Option<i64>,
}

impl std::fmt::Debug for Cookie {
    /// Without the value, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=***", self.name.escape_ascii())
    }
}

impl Jar {
    /// Reads a file. Lines that aren't cookies are kept unchanged.
    pub fn read(text: &[u8]) -> Jar {
        let mut jar = Jar::default();
        for line in text.split(|b| *b == b'\n') {
            let ends = line.iter().rev().take_while(|b| **b == b'\r').count();
            let (line, _) = line.split_at(line.len() - ends);
            match Cookie::read(line) {
                Some(cookie) => jar.put(cookie),
                None if line.is_empty() || line == TITLE => {}
                None => jar.other.push(line.to_vec()),
            }
        }
        jar
    }

    /// The file's text, without cookies that expired by `now` (seconds since 1970).
    pub fn write(&self, now: i64) -> Vec<u8> {
        let mut text = TITLE.to_vec();
        text.push(b'\n');
        for line in &self.other {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        for cookie in self.cookies.iter().filter(|cookie| !cookie.has_expired(now)) {
            cookie.write(&mut text);
        }
        text
    }

    /// The number of lines in the file that were neither cookies nor comments.
    pub fn unreadable(&self) -> usize {
        self.other.iter().filter(|line| !line.starts_with(b"#")).count()
    }

    /// How many cookies for this request have expired.
    pub fn expired(&self, origin: &CookieOrigin<'_>, now: i64) -> usize {
        let mine = self.cookies.iter().filter(|cookie| cookie.is_for(origin));
        mine.filter(|cookie| cookie.has_expired(now)).count()
    }

    /// The Cookie field for a request (§5.4); `None` without a matching cookie. Longer paths come
    /// first, then older cookies. Cookies whose name is in `taken` are left out.
    pub fn field(&self, origin: &CookieOrigin<'_>, taken: &[&[u8]], now: i64) -> Option<Vec<u8>> {
        let mut chosen: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.is_for(origin) && !cookie.has_expired(now))
            .filter(|cookie| !taken.contains(&cookie.name.as_slice()))
            .collect();
        chosen.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let mut field = Vec::new();
        for cookie in chosen {
            let more = cookie.name.len() + cookie.value.len() + 3;
            if field.len() + more > MAX_FIELD {
                continue;
            }
            if !field.is_empty() {
                field.extend_from_slice(b"; ");
            }
            field.extend_from_slice(&cookie.name);
            field.push(b'=');
            field.extend_from_slice(&cookie.value);
        }
        (!field.is_empty()).then_some(field)
    }

    /// Applies a Set-Cookie field from that origin (§5.3): stores the cookie, or removes it if it
    /// has expired. True if the jar changed.
    ///
    /// # Errors
    /// Why the cookie is rejected.
    pub fn set(
        &mut self,
        field: &[u8],
        origin: &CookieOrigin<'_>,
        now: i64,
    ) -> Result<bool, &'static str> {
        let cookie = Cookie::parse(field, origin, now)?;
        let shadows = |known: &&Cookie| known.secure && known.same_name(&cookie);
        if !origin.secure && self.cookies.iter().any(|known| shadows(&known)) {
            return Err("it came without TLS and would replace one that is for TLS only");
        }
        let before = self.cookies.len();
        if cookie.has_expired(now) {
            self.cookies.retain(|known| !known.is_same(&cookie));
            return Ok(self.cookies.len() != before);
        }
        if self.cookies.contains(&cookie) {
            return Ok(false);
        }
        self.cookies.retain(|known| !known.has_expired(now));
        self.put(cookie);
        Ok(true)
    }

    /// Adds a cookie, or replaces one in its position.
    fn put(&mut self, cookie: Cookie) {
        if let Some(known) = self.cookies.iter_mut().find(|known| known.is_same(&cookie)) {
            *known = cookie;
            return;
        }
        let mut siblings = (0..).zip(&self.cookies).filter(|(_, c)| c.domain == cookie.domain);
        let oldest = siblings.next().map(|(at, _)| at);
        if siblings.count() + 1 >= MAX_OF_DOMAIN {
            oldest.map(|at: usize| self.cookies.remove(at));
        }
        if self.cookies.len() >= MAX_COOKIES {
            self.cookies.remove(0);
        }
        self.cookies.push(cookie);
    }
}

impl Cookie {
    /// Reads a Set-Cookie field (§5.2) and sets its domain and path (§5.3).
    fn parse(field: &[u8], origin: &CookieOrigin<'_>, now: i64) -> Result<Cookie, &'static str> {
        if field.iter().any(u8::is_ascii_control) {
            return Err("there is a control character in it");
        }
        let mut parts = field.split(|b| *b == b';');
        let (name, value) = pair(parts.next().unwrap_or_default());
        let value = value.ok_or("it has no =")?;
        if name.is_empty() {
            return Err("it has no name");
        }
        if name.len() + value.len() > MAX_COOKIE {
            return Err("it is longer than 4096 bytes");
        }
        let (mut domain, mut path, mut max_age, mut expires) = (None, None, None, None);
        let (mut secure, mut http_only) = (false, false);
        for part in parts {
            let (key, value) = pair(part);
            let value = value.unwrap_or_default();
            match key.to_ascii_lowercase().as_slice() {
                _ if value.len() > MAX_ATTRIBUTE => {}
                b"domain" => domain = Some(value.strip_prefix(b".").unwrap_or(value)),
                b"path" => path = Some(value),
                b"max-age" => max_age = seconds(value, now).or(max_age),
                b"expires" => expires = date::parse(value).or(expires),
                b"secure" => secure = true,
                b"httponly" => http_only = true,
                _ => {}
            }
        }
        let domain = domain.map(<[u8]>::to_ascii_lowercase).filter(|domain| !domain.is_empty());
        let (domain, host_only) = match domain {
            Some(domain) if domain != origin.host.as_bytes() => (domain, false),
            // A cookie can't cover everything below an address or a public suffix (§5.3, step 5).
            Some(domain) => {
                let alone = origin.is_address || is_public_suffix(&domain);
                (domain, alone)
            }
            None => (origin.host.as_bytes().to_vec(), true),
        };
        if !host_only && !origin.is_in(&domain) {
            return Err("it is for another domain");
        }
        if !host_only && is_public_suffix(&domain) {
            return Err("it is for all hosts below a public suffix");
        }
        if secure && !origin.secure {
            return Err("it is for TLS only, but came without");
        }
        let path = match path.filter(|path| path.starts_with(b"/")) {
            Some(path) => path.to_vec(),
            None => default_path(origin.path()).to_vec(),
        };
        let prefix = name.to_ascii_lowercase();
        if prefix.starts_with(b"__secure-") && !secure
            || prefix.starts_with(b"__host-") && !(secure && host_only && path == b"/")
        {
            return Err("it breaks the promise of its name");
        }
        Ok(Cookie {
            name: name.to_vec(),
            value: value.to_vec(),
            domain,
            host_only,
            path,
            secure,
            http_only,
            expires: max_age.or(expires),
        })
    }

    /// Reads a line of a file: domain, whether it includes subdomains, path, whether for TLS only,
    /// expiry in seconds since 1970 (0 for none), name and value, separated by tabs.
    fn read(line: &[u8]) -> Option<Cookie> {
        let bare = line.strip_prefix(HTTP_ONLY);
        let mut fields = bare.unwrap_or(line).splitn(7, |b| *b == b'\t');
        let domain = fields.next()?;
        if domain.starts_with(b"#") {
            return None;
        }
        let is_true = |field: &[u8]| field.eq_ignore_ascii_case(b"TRUE");
        let below = is_true(fields.next()?);
        let path = fields.next()?;
        let secure = is_true(fields.next()?);
        let expires: i64 = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let (name, value) = (fields.next()?, fields.next().unwrap_or_default());
        let domain = domain.strip_prefix(b".").unwrap_or(domain).to_ascii_lowercase();
        let whole = !matches!(domain.first(), None | Some(b'.' | b'#'))
            && path.starts_with(b"/")
            && !name.is_empty();
        let controls = [domain.as_slice(), path, name, value].concat();
        if !whole
            || controls.iter().any(u8::is_ascii_control)
            || name.len() + value.len() > MAX_COOKIE
            || domain.len().max(path.len()) > MAX_ATTRIBUTE
            || [name, value].concat().contains(&b';')
        {
            return None;
        }
        Some(Cookie {
            name: name.to_vec(),
            value: value.to_vec(),
            domain,
            host_only: !below,
            path: path.to_vec(),
            secure,
            http_only: bare.is_some(),
            expires: (expires > 0).then_some(expires),
        })
    }

    fn write(&self, text: &mut Vec<u8>) {
        if self.http_only {
            text.extend_from_slice(HTTP_ONLY);
        }
        let truth = |value| if value { &b"TRUE"[..] } else { b"FALSE" };
        if !self.host_only {
            text.push(b'.');
        }
        let expires = self.expires.unwrap_or_default().max(0).to_string();
        let fields = [
            self.domain.as_slice(),
            truth(!self.host_only),
            &self.path,
            truth(self.secure),
            expires.as_bytes(),
            &self.name,
            &self.value,
        ];
        text.extend_from_slice(&fields.join(&b'\t'));
        text.push(b'\n');
    }

    fn has_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    fn is_for(&self, origin: &CookieOrigin<'_>) -> bool {
        let is_there = match self.host_only {
            true => origin.host.as_bytes() == self.domain,
            false => origin.is_in(&self.domain),
        };
        is_there && (origin.secure || !self.secure) && path_matches(&self.path, origin.path())
    }

    fn is_same(&self, other: &Cookie) -> bool {
        self.name == other.name && self.domain == other.domain && self.path == other.path
    }

    fn same_name(&self, other: &Cookie) -> bool {
        self.name == other.name && self.domain == other.domain
    }
}

/// Whether the domain is a public suffix, below which anybody can register a name: `org`, `co.uk`,
/// `github.io`. A name without a dot counts as one, known or not; so does an invalid domain.
fn is_public_suffix(domain: &[u8]) -> bool {
    // The list is searched by bytes; hosts from a URL are ASCII.
    let name = std::str::from_utf8(domain).ok().filter(|name| name.is_ascii());
    name.is_none_or(|name| DEFAULT_PROVIDER.effective_tld_plus_one(name).is_err())
}

/// Splits name and value at the first `=`, without the white space around them.
fn pair(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', text).map(|at| text.split_at(at)) {
        Some((name, value)) => {
            (name.trim_ascii(), Some(value.strip_prefix(b"=").unwrap_or(value).trim_ascii()))
        }
        None => (text.trim_ascii(), None),
    }
}

/// The expiry by Max-Age (§5.2.2); zero or less expires at once.
fn seconds(text: &[u8], now: i64) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let negative = digits.len() < text.len();
    let age = std::str::from_utf8(digits).ok()?.parse().unwrap_or(i64::MAX);
    Some(if negative || age == 0 { 0 } else { now.saturating_add(age) })
}

/// The default path of a cookie (§5.1.4).
fn default_path(path: &[u8]) -> &[u8] {
    match memchr::memrchr(b'/', path) {
        None | Some(0) => b"/",
        Some(at) => path.get(..at).unwrap_or_default(),
    }
}

/// §5.1.4.
fn path_matches(own: &[u8], asked: &[u8]) -> bool {
    asked
        .strip_prefix(own)
        .is_some_and(|rest| rest.is_empty() || own.ends_with(b"/") || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 784_111_777;

    fn origin(host: &'static str, target: &'static str, secure: bool) -> CookieOrigin<'static> {
        let is_address = host.starts_with(|c: char| c.is_ascii_digit() || c == '[');
        CookieOrigin { host, is_address, target, secure }
    }

    fn jar(from: &CookieOrigin<'_>, fields: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for field in fields {
            jar.set(field.as_bytes(), from, NOW).unwrap();
        }
        jar
    }

    fn sent(jar: &Jar, origin: &CookieOrigin<'_>) -> String {
        String::from_utf8(jar.field(origin, &[], NOW).unwrap_or_default()).unwrap()
    }

    #[test]
    fn a_cookie_goes_where_it_belongs() {
        let from = origin("a.example.org", "/dir/page?x=/y/", true);
        let jar = jar(
            &from,
            &["host=1", "dom=2; Domain=.Example.ORG; Path=/", "sec=3; secure; Path=/dir"],
        );
        for (to, cookies) in [
            (from, "host=1; sec=3; dom=2"),
            (origin("a.example.org", "/dir", true), "host=1; sec=3; dom=2"),
            (origin("a.example.org", "/dir/deep/er", true), "host=1; sec=3; dom=2"),
            (origin("a.example.org", "/directory", true), "dom=2"),
            (origin("a.example.org", "/dir/", false), "host=1; dom=2"),
            (origin("b.example.org", "/dir/", true), "dom=2"),
            (origin("b.a.example.org", "/dir/", true), "dom=2"),
            (origin("example.org", "/", true), "dom=2"),
            (origin("badexample.org", "/", true), ""),
            (origin("org", "/", true), ""),
        ] {
            assert_eq!(sent(&jar, &to), cookies, "{to:?}");
        }
        assert_eq!(jar.field(&from, &[b"dom", b"sec"], NOW).unwrap(), b"host=1");
    }

    #[test]
    fn what_is_not_taken() {
        let name = origin("a.example.org", "/", true);
        let plain = origin("a.example.org", "/", false);
        let address = origin("192.0.2.1", "/", true);
        let long = format!("a={}", "x".repeat(4096));
        for (from, field) in [
            (name, "a=1; Domain=other.org"),
            (name, "a=1; Domain=b.a.example.org"),
            (name, "a=1; Domain=org"),
            (name, "no pair"),
            (name, "=1"),
            (name, "a=\u{7}"),
            (name, "a=1\tb"),
            (name, long.as_str()),
            (name, "__Secure-a=1"),
            (name, "__Host-a=1; Secure; Path=/x"),
            (name, "__host-a=1; Secure; Path=/; Domain=a.example.org"),
            (plain, "a=1; Secure"),
            (address, "a=1; Domain=0.2.1"),
            (address, "a=1; Domain=2.1"),
        ] {
            assert!(Jar::default().set(field.as_bytes(), &from, NOW).is_err(), "{field}");
        }
        let mut secured = jar(&name, &["a=1; Secure"]);
        assert!(secured.set(b"a=2", &plain, NOW).is_err());
        for (from, field) in [
            (address, "a=1; Domain=192.0.2.1"),
            (origin("localhost", "/", false), "a=1; Domain=localhost"),
            (name, "__Host-a=1; Secure; Path=/"),
            (name, "a=1; Domain=; Path=x; Max-Age=; Expires=soon; Foo; SameSite=Strict"),
        ] {
            assert_eq!(Jar::default().set(field.as_bytes(), &from, NOW), Ok(true), "{field}");
        }
    }

    #[test]
    fn a_public_suffix_has_no_cookies_for_all_below_it() {
        let refused = Err("it is for all hosts below a public suffix");
        for (host, domain, outcome) in [
            ("a.example.co.uk", "co.uk", refused),
            ("a.example.co.uk", "example.co.uk", Ok(true)),
            ("me.github.io", "github.io", refused),
            ("me.github.io", "me.github.io", Ok(true)),
            // A wildcard, and an exception to it.
            ("x.y.kobe.jp", "y.kobe.jp", refused),
            ("x.city.kobe.jp", "city.kobe.jp", Ok(true)),
            ("x.xn--55qx5d.cn", "xn--55qx5d.cn", refused),
            ("a.b.unheard-of", "unheard-of", refused),
            ("a.b.unheard-of", "b.unheard-of", Ok(true)),
        ] {
            let field = format!("a=1; Domain={domain}; Path=/");
            let from = origin(host, "/", false);
            assert_eq!(
                Jar::default().set(field.as_bytes(), &from, NOW),
                outcome,
                "{host} {domain}"
            );
        }
        // The suffix itself may have one, for itself alone.
        let from = origin("github.io", "/", false);
        let jar = jar(&from, &["a=1; Domain=github.io"]);
        assert_eq!(sent(&jar, &from), "a=1");
        assert_eq!(sent(&jar, &origin("me.github.io", "/", false)), "");
    }

    #[test]
    fn cookies_end() {
        let from = origin("h", "/", false);
        for (field, at, cookies) in [
            ("a=1; Max-Age=10", NOW + 9, "a=1"),
            ("a=1; Max-Age=10", NOW + 10, ""),
            ("a=1; Expires=Sun, 06 Nov 1994 08:49:38 GMT", NOW, "a=1"),
            ("a=1; Expires=Sun, 06 Nov 1994 08:49:38 GMT", NOW + 1, ""),
            ("a=1; Max-Age=10; Expires=Sun, 06 Nov 1984 08:49:38 GMT", NOW, "a=1"),
            ("a=1; Max-Age=99999999999999999999", i64::MAX - 1, "a=1"),
            ("a=1", i64::MAX, "a=1"),
        ] {
            let jar = jar(&from, &[field]);
            let got = jar.field(&from, &[], at).unwrap_or_default();
            assert_eq!(String::from_utf8(got).unwrap(), cookies, "{field}");
        }
        let mut jar = jar(&from, &["a=1", "b=2"]);
        assert_eq!(jar.set(b"b=2", &from, NOW), Ok(false));
        for over in ["a=; Max-Age=0", "b=; Max-Age=-5; Expires=Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(jar.set(over.as_bytes(), &from, NOW), Ok(true));
            assert_eq!(jar.set(over.as_bytes(), &from, NOW), Ok(false));
        }
        assert_eq!(sent(&jar, &from), "");
    }

    const FILE: &str = "# Netscape HTTP Cookie File\n# a comment\nnot a cookie\n\
        .example.org\tTRUE\t/\tFALSE\t0\ta\t1\n\
        #HttpOnly_h\tFALSE\t/x\tTRUE\t784111778\tb\t\n";

    #[test]
    fn files_come_back_as_they_were() {
        let jar = Jar::read(FILE.as_bytes());
        assert_eq!((jar.cookies.len(), jar.unreadable()), (2, 1));
        assert_eq!(String::from_utf8(jar.write(NOW)).unwrap(), FILE);
        assert!(!String::from_utf8(jar.write(NOW + 1)).unwrap().contains("HttpOnly"));
        assert_eq!(sent(&jar, &origin("sub.example.org", "/", false)), "a=1");
        assert_eq!(sent(&jar, &origin("h", "/x/y", true)), "b=");
        assert_eq!(Jar::read(FILE.replace('\n', "\r\n").as_bytes()), jar);
        let odd = Jar::read(b"odd\r\r\r\n");
        assert_eq!(Jar::read(&odd.write(NOW)), odd);
        // A cookie from a file can't bring a second one into the field, nor a line.
        for bad in [
            "h\tFALSE\t/\tFALSE\t0\ta\t1;b=2",
            "h\tFALSE\t/\tFALSE\t0\ta\t1\rb",
            "\t\t\t\t\t\t",
            "..h.org\tTRUE\t/\tFALSE\t0\ta\t1",
            // Written again, this would be a comment.
            ".#h.org\tTRUE\t/\tFALSE\t0\ta\t1",
        ] {
            assert_eq!(Jar::read(bad.as_bytes()).cookies, [], "{bad:?}");
        }
    }

    #[test]
    fn a_jar_is_bounded() {
        let mut full = Jar::default();
        for number in 0..200 {
            let from = origin("h", "/", false);
            full.set(format!("c{number}=1").as_bytes(), &from, NOW).unwrap();
        }
        assert_eq!((full.cookies.len(), &full.cookies[0].name[..]), (MAX_OF_DOMAIN, &b"c150"[..]));
        let lines: String =
            (0..4000).map(|n| format!("h{n}\tFALSE\t/\tFALSE\t0\ta\t1\n")).collect();
        let many = Jar::read(lines.as_bytes());
        assert_eq!((many.cookies.len(), &many.cookies[0].domain[..]), (MAX_COOKIES, &b"h1000"[..]));
        let mut large = Jar::default();
        for number in 0..20 {
            let field = format!("c{number}={}", "x".repeat(4000));
            large.set(field.as_bytes(), &origin("h", "/", false), NOW).unwrap();
        }
        assert!(sent(&large, &origin("h", "/", false)).len() <= MAX_FIELD);
    }
}
