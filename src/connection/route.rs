//! The sequence of requests: redirects (RFC 9110 §15.4), logins, and what each request contains.

use std::time::{SystemTime, UNIX_EPOCH};

use tungstenite::handshake::client::generate_key;
use url::Url;

use crate::connection::cookies::CookieFile;
use crate::connection::login::{Attempts, LoginScheme};
use crate::connection::options::OpenOptions;
use crate::diagnosis::Sent;
use crate::error::{Error, Exit, Hint, Result, Stage};
use crate::http::head::{Header, Response, values};
use crate::protocol::handshake::{Request, RequestOptions};
use crate::redact::{self, Secret};
use crate::text::Untrusted;
use crate::text::units::Count;
use crate::transport::proxy::Credentials;
use crate::transport::{DialOptions, Sni, Target};

/// The longest Location that is followed, in bytes: it becomes a request line.
const MAX_LOCATION: usize = 8192;

/// Most bytes of a Location that an error shows.
const MAX_SHOWN: usize = 300;

/// Where the next request goes, and what it contains.
pub struct Route<'a> {
    options: &'a OpenOptions,
    /// What to connect to.
    pub target: Target,
    /// How to connect.
    pub dial: DialOptions,
    request: RequestOptions,
    login: Attempts,
    /// Every place requested so far, see [`Route::place`], with the cookies sent there.
    visited: Vec<(String, Vec<u8>)>,
    redirects: usize,
}

/// What follows a response.
pub enum Follow {
    /// Nothing: the response is final.
    Done,
    /// The same request with a login; the text describes it.
    Login(String),
    /// A request to another place.
    Redirected {
        /// The URL that was requested.
        from: String,
        /// The URL of the next request.
        to: String,
        /// What the next request no longer contains.
        dropped: Vec<String>,
    },
}

impl<'a> Route<'a> {
    /// The route to the session's target.
    ///
    /// # Errors
    /// Exit 2 if a proxy in the environment is invalid.
    pub fn new(options: &'a OpenOptions) -> Result<Route<'a>> {
        let target = options.target.clone();
        let is_origin = target.same_origin(&options.origin);
        let mut route = Route {
            options,
            dial: options.dial.clone(),
            request: options.request.reveal().clone(),
            login: Attempts::default(),
            target,
            visited: Vec::new(),
            redirects: 0,
        };
        route.point()?;
        if !is_origin {
            route.leave_behind();
        }
        let credentials = options.login.first(&route.target, is_origin);
        route.log_in(credentials);
        Ok(route)
    }

    /// The request's options, with the login.
    pub fn options(&self) -> RequestOptions {
        let mut options = self.request.clone();
        if let Some(field) = &self.login.field {
            options.headers.insert(0, Header::new("Authorization", field.reveal().as_slice()));
        }
        options
    }

    /// The next request, with a key of its own.
    pub fn request(&mut self, cookies: Option<&CookieFile>) -> Request {
        let mut options = self.options();
        if let Some(jar) = cookies {
            add_cookies(&mut options.headers, jar, &self.target);
        }
        let sent: Vec<&[u8]> = values(&options.headers, "cookie").collect();
        self.visited.push((self.place(), sent.join(&b"; "[..])));
        Request::new(&options, &generate_key())
    }

    /// Decides what follows a response.
    ///
    /// # Errors
    /// Exit 6 for a redirect that should be followed but can't be.
    pub fn next(&mut self, response: &Response, cookies: Option<&CookieFile>) -> Result<Follow> {
        if let Some(text) = self.login.next(response, &self.request.target) {
            return Ok(Follow::Login(text));
        }
        let Some(max) = self.options.redirects.filter(|_| is_redirect(response.status)) else {
            return Ok(Follow::Done);
        };
        let target = location(&self.target, response).map_err(|e| self.unfollowed(response, &e))?;
        if self.redirects == max {
            let what = format!(
                "more than {}: it points to {}",
                Count(max as u64, "redirect"),
                shown_url(&target)
            );
            return Err(refused(what).hint(Hint::MoreRedirects));
        }
        self.redirects += 1;
        let from = self.target.url();
        let dropped = self.go(target)?;
        if self.has_been_here(cookies) {
            let what = format!("redirect loop: {} again", shown_url(&self.target));
            return Err(refused(what).hint(Hint::EachStep));
        }
        Ok(Follow::Redirected { from, to: self.target.url(), dropped })
    }

    /// The request target of the current request.
    pub fn asked(&self) -> &str {
        &self.request.target
    }

    /// What the rules of [`crate::diagnosis`] need to know besides the current request.
    pub fn sent(&self, cookies: Option<&CookieFile>) -> Sent {
        let target = &self.target;
        let userinfo = target.userinfo.is_some();
        let typed_header = self.request.headers.iter().any(|header| header.is("authorization"));
        let login = &self.options.login;
        let typed = typed_header || login.user.is_some();
        Sent {
            secure: target.secure,
            authority: target.authority(),
            from_userinfo: userinfo && !typed,
            ignored_userinfo: userinfo && typed,
            digest_alone: login.scheme == LoginScheme::Digest
                && (login.user.is_some() || login.netrc.is_some())
                && !typed_header,
            expired_cookies: cookies.map_or(0, |jar| jar.expired(target, unix_now())),
            certificate: self.dial.tls.cert.is_some(),
            proxied: self.dial.proxy.is_some(),
            follows: self.options.redirects.is_some(),
            ..Sent::default()
        }
    }

    /// Moves on to another target; returns what the request no longer contains.
    fn go(&mut self, target: Target) -> Result<Vec<String>> {
        let same_origin = target.same_origin(&self.target);
        self.target = target;
        self.point()?;
        if same_origin {
            self.login = self.login.again();
            return Ok(Vec::new());
        }
        let logged_in = self.login.field.is_some();
        let mut dropped = self.leave_behind();
        if logged_in && !dropped.iter().any(|name| name.eq_ignore_ascii_case("authorization")) {
            dropped.insert(0, "Authorization".to_owned());
        }
        let credentials = self.options.login.elsewhere(&self.target);
        self.log_in(credentials);
        Ok(dropped)
    }

    /// Sets what depends on the target alone.
    fn point(&mut self) -> Result<()> {
        self.request.host = self.target.authority();
        let first = self.redirects == 0 && self.target == self.options.origin;
        let typed = self.options.request_target.as_ref().filter(|_| first);
        self.request.target.clone_from(typed.unwrap_or(&self.target.path));
        self.dial.proxy = self.options.proxies.choose(&self.target)?;
        Ok(())
    }

    /// A typed Authorization header takes precedence over all other logins.
    fn log_in(&mut self, credentials: Option<Credentials>) {
        let typed = self.request.headers.iter().any(|header| header.is("authorization"));
        let credentials = credentials.filter(|_| !typed);
        self.login = Attempts::new(credentials, self.options.login.scheme);
    }

    /// Removes what was typed for another origin: secrets, and settings for that host alone. They
    /// stay removed, even if a later redirect leads back.
    fn leave_behind(&mut self) -> Vec<String> {
        let mut dropped: Vec<String> = Vec::new();
        let mut drop = |name: &str| {
            if !dropped.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                dropped.push(name.to_owned());
            }
        };
        self.request.headers.retain(|header| {
            let kept = !(header.is("host") || redact::is_secret_header(&header.name));
            if !kept {
                drop(&String::from_utf8_lossy(&header.name));
            }
            kept
        });
        // They may hold secrets.
        if !self.request.raw_headers.is_empty() {
            self.request.raw_headers.clear();
            drop("raw headers");
        }
        if let Some(kept) = without_secrets(&self.request.subprotocols) {
            self.request.subprotocols = kept;
            drop("Sec-WebSocket-Protocol's token");
        }
        if matches!(self.dial.tls.sni, Sni::Name(_)) {
            self.dial.tls.sni = Sni::Auto;
        }
        dropped
    }

    /// Whether the same request was made before, with the same cookies.
    fn has_been_here(&self, cookies: Option<&CookieFile>) -> bool {
        let mut headers = self.request.headers.clone();
        if let Some(jar) = cookies {
            add_cookies(&mut headers, jar, &self.target);
        }
        let sent: Vec<&[u8]> = values(&headers, "cookie").collect();
        self.visited.contains(&(self.place(), sent.join(&b"; "[..])))
    }

    /// The URL and the request target of the next request.
    fn place(&self) -> String {
        format!("{} {}", self.target.url(), self.request.target)
    }

    fn unfollowed(&self, response: &Response, why: &str) -> Error {
        let from = self.target.url();
        let from = redact::url(&from);
        let from = Untrusted::text(&from);
        refused(format!("{from} redirects ({}), but {why}", response.status))
    }
}

/// Sets a header field of the next request to the target: it replaces those typed with its name. With
/// an empty value it removes them, or a field of our own. What was typed for another origin is
/// dropped for good, since what is typed now is for this one. False if there was nothing to remove.
///
/// # Errors
/// As [`Route::new`].
pub fn set_header(options: &mut OpenOptions, header: Header) -> Result<bool> {
    let mut route = Route::new(options)?;
    let is_same = |typed: &Header| typed.name.eq_ignore_ascii_case(&header.name);
    let count = route.request.headers.len();
    route.request.headers.retain(|typed| !is_same(typed));
    let was_typed = route.request.headers.len() < count;
    let is_ours = || Request::new(&route.request, "").headers.iter().any(is_same);
    if header.value.is_empty() && !was_typed && !is_ours() {
        return Ok(false);
    }
    if !(header.value.is_empty() && was_typed) {
        route.request.headers.push(header);
    }
    let (request, dial) = (route.request, route.dial);
    if !options.target.same_origin(&options.origin) {
        options.login.user = None;
        options.dial.tls = dial.tls;
        options.origin = options.target.clone();
    }
    options.request = Secret::new(request);
    Ok(true)
}

/// Whether a status is a redirect that has a Location.
fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// A Location as an error shows it: without secrets, escaped and shortened.
fn shown_location(value: &[u8]) -> String {
    let hidden = redact::value(b"location", value);
    match hidden.get(..MAX_SHOWN) {
        Some(beginning) => format!("{}…", Untrusted(beginning)),
        None => Untrusted(&hidden).to_string(),
    }
}

/// Seconds since 1970.
pub fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The target of a redirect, or why it can't be followed.
fn location(from: &Target, response: &Response) -> std::result::Result<Target, String> {
    let mut all = values(&response.headers, "location");
    let value = all.next().ok_or("without a Location")?;
    let shown = shown_location(value);
    if let Some(other) = all.find(|other| *other != value) {
        let other = shown_location(other);
        return Err(format!("with two different Locations: {shown} and {other}"));
    }
    if value.len() > MAX_LOCATION {
        return Err(format!("its Location is longer than {MAX_LOCATION} bytes: {shown}"));
    }
    let text = std::str::from_utf8(value).ok().filter(|text| !text.contains(char::is_control));
    let text = text.ok_or_else(|| format!("its Location has bytes that no URL has: {shown}"))?;
    let bad = |why: &str| format!("its Location is no WebSocket URL: {shown} ({why})");
    let base = Url::parse(&from.url()).map_err(|e| bad(&e.to_string()))?;
    let mut url = base.join(text).map_err(|e| bad(&e.to_string()))?;
    let secure = match url.scheme() {
        "http" | "ws" => false,
        "https" | "wss" => true,
        _ => return Err(bad("only ws, wss, http and https are followed")),
    };
    if from.secure && !secure {
        return Err(format!("it would go on without TLS: {shown}"));
    }
    url.set_fragment(None);
    // A `Location` must not set our credentials.
    let stripped = url.set_username("").and_then(|()| url.set_password(None));
    stripped.map_err(|()| bad("no host"))?;
    let (mut target, _) = Target::parse(url.as_str()).map_err(|_| bad("it can't be reached"))?;
    if target.host == from.host {
        // Keeps the zone of an IPv6 address, which a URL can't have.
        target.typed_host.clone_from(&from.typed_host);
    }
    Ok(target)
}

/// The subprotocols without those that are secrets; `None` if none is.
fn without_secrets(subprotocols: &[String]) -> Option<Vec<String>> {
    let all = subprotocols.join(",");
    let shown = redact::protocols(all.as_bytes()).into_owned();
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let pairs = subprotocols.iter().zip(shown.split(','));
    let kept: Vec<String> =
        pairs.filter(|(own, shown)| own == shown).map(|(own, _)| own.clone()).collect();
    (kept.len() < subprotocols.len()).then_some(kept)
}

/// Adds the jar's cookies to the typed ones, which take precedence.
fn add_cookies(headers: &mut Vec<Header>, jar: &CookieFile, target: &Target) {
    let own = headers.iter().position(|header| header.is("cookie"));
    let typed = own.and_then(|at| headers.get(at)).map(|header| header.value.clone());
    let typed = typed.unwrap_or_default();
    let names: Vec<&[u8]> = typed
        .split(|b| *b == b';')
        .filter_map(|pair| pair.split(|b| *b == b'=').next())
        .map(<[u8]>::trim_ascii)
        .collect();
    let Some(field) = jar.field(target, &names, unix_now()) else { return };
    match own.and_then(|at| headers.get_mut(at)) {
        Some(header) if !header.value.is_empty() => {
            header.value.extend_from_slice(b"; ");
            header.value.extend_from_slice(&field);
        }
        Some(header) => header.value = field,
        None => headers.push(Header::new("Cookie", field)),
    }
}

fn shown_url(target: &Target) -> String {
    shown_location(target.url().as_bytes())
}

fn refused(what: String) -> Error {
    Error::new(Stage::Handshake, Exit::Refused, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap().0
    }

    fn led(from: &str, locations: &[&str]) -> std::result::Result<String, String> {
        let headers = locations.iter().map(|to| Header::new("Location", *to)).collect();
        let response = Response { status: 302, headers, ..Response::default() };
        location(&target(from), &response).map(|target| {
            assert_eq!(target.userinfo, None);
            target.url()
        })
    }

    #[test]
    fn where_locations_lead() {
        for (from, to, url) in [
            ("ws://h/a/b?q", "c", "ws://h/a/c"),
            ("ws://h/a/b?q", "?r=1", "ws://h/a/b?r=1"),
            ("ws://h/a/b", "../../x/./y", "ws://h/x/y"),
            ("ws://h:81/a", "/x#part", "ws://h:81/x"),
            ("ws://h/a", "//other:82/x", "ws://other:82/x"),
            ("wss://h/a", "//other/x", "wss://other/x"),
            ("ws://h/", "http://o", "ws://o/"),
            ("ws://h/", "HTTPS://O:443/x", "wss://o/x"),
            ("wss://h/", "https://o/", "wss://o/"),
            ("ws://h/", "wss://o:80/", "wss://o:80/"),
            ("ws://h/", "http://me:pw@o/x", "ws://o/x"),
            ("ws://h/", "\\\\o\\x", "ws://o/x"),
            ("ws://h/a", "", "ws://h/a"),
            ("ws://h/a", "/\u{fc} x", "ws://h/%C3%BC%20x"),
            ("ws://h/", "ws://b\u{fc}cher.example/", "ws://xn--bcher-kva.example/"),
        ] {
            assert_eq!(led(from, &[to]).as_deref(), Ok(url), "{from} {to}");
        }
        assert_eq!(led("ws://h/", &["/x", "/x"]).as_deref(), Ok("ws://h/x"));
    }

    #[test]
    fn where_they_do_not_lead() {
        let long = format!("/{}", "x".repeat(9000));
        for (from, to, why) in [
            ("ws://h/", &[][..], "without a Location"),
            ("ws://h/", &["/x", "/y"], "two different Locations: /x and /y"),
            ("wss://h/", &["ws://h/"], "without TLS"),
            ("wss://h/", &["http://h/"], "without TLS"),
            ("ws://h/", &["file:///etc/passwd"], "only ws, wss"),
            ("ws://h/", &["javascript:alert(1)"], "only ws, wss"),
            ("ws://h/", &["mailto:x"], "only ws, wss"),
            ("ws://h/", &["http://"], "empty host"),
            ("ws://h/", &["http://h:0/"], "can't be reached"),
            ("ws://h/", &["http://h:99999/"], "invalid port"),
            ("ws://h/", &["/\u{1b}[31m"], "\\x1b[31m"),
            ("ws://h/", &["/a\tb"], "no URL has"),
            ("ws://h/", &[&long], "longer than 8192 bytes"),
        ] {
            let error = led(from, to).unwrap_err();
            assert!(error.contains(why), "{to:?}: {error}");
            assert!(error.len() < 600, "{error}");
        }
    }

    #[test]
    fn a_zone_is_kept() {
        let headers = vec![Header::new("Location", "/x")];
        let response = Response { headers, ..Response::default() };
        let there = location(&target("ws://[fe80::1%eth0]:9/"), &response).unwrap();
        assert_eq!((there.typed_host.as_str(), there.path.as_str()), ("fe80::1%eth0", "/x"));
    }

    #[test]
    fn secret_subprotocols_stay_behind() {
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(without_secrets(&list("chat,graphql-ws")), None);
        assert_eq!(without_secrets(&[]), None);
        assert_eq!(without_secrets(&list("chat,bearer,TOKEN")), Some(list("chat,bearer")));
        assert_eq!(without_secrets(&list("access_token.abc,chat")), Some(list("chat")));
    }
}
