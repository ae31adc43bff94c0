//! What every tool needs to know of a connection.

use std::path::Path;

use crate::connection::{LoginScheme, OpenOptions, Route};
use crate::http::head::Header;
use crate::protocol::handshake::Request;
use crate::redact::{self, Secrets};
use crate::text::Untrusted;
use crate::transport::{DialOptions, Family, Sni, Target, Versions};

/// The key of RFC 6455's example (§1.3); any key works.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The headers of the opening handshake that every tool sends itself, with their usual values.
const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("sec-websocket-key", KEY),
    ("sec-websocket-version", "13"),
    ("upgrade", "websocket"),
];

/// What a tool needs to know of a connection; secrets are hidden already.
pub(super) struct Recipe<'a> {
    pub(super) options: &'a OpenOptions,
    pub(super) target: &'a Target,
    pub(super) dial: &'a DialOptions,
    /// Path and query.
    pub(super) path: String,
    /// The request target, if it isn't the path and query.
    pub(super) request_target: Option<String>,
    /// All headers of the request, except the default Host and our own User-Agent.
    pub(super) all_fields: Vec<(String, String)>,
    /// The headers that a tool doesn't send itself, without Origin.
    pub(super) fields: Vec<(String, String)>,
    pub(super) origin: Option<String>,
    pub(super) subprotocols: Vec<String>,
    /// The request has no User-Agent.
    pub(super) anonymous: bool,
    /// User name and password for the proxy.
    pub(super) proxy_login: Option<(String, String)>,
    /// Secrets were hidden.
    pub(super) hidden: bool,
}

impl<'a> Recipe<'a> {
    pub(super) fn new(
        options: &'a OpenOptions,
        route: &'a Route<'_>,
        secrets: Secrets,
    ) -> Recipe<'a> {
        let (target, dial) = (&route.target, &route.dial);
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let path = secrets.url(&target.path).into_owned();
        let asked = route.asked();
        let request_target = (asked != target.path).then(|| secrets.url(asked).into_owned());
        let mut hidden =
            path != target.path || request_target.as_ref().is_some_and(|shown| shown != asked);
        let request = Request::new(&route.options(), KEY);
        let anonymous = !request.headers.iter().any(|field| field.is("user-agent"));
        let is_usual = |field: &Header| {
            field.is("host") && field.value == target.authority().as_bytes()
                || field.is("user-agent") && field.value == OpenOptions::USER_AGENT.as_bytes()
        };
        let mut all_fields = Vec::new();
        for field in request.headers.iter().filter(|field| !is_usual(field)) {
            let value = secrets.value(field);
            hidden |= *value != field.value[..];
            all_fields.push((lossy(&field.name), lossy(&value)));
        }
        let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
        let (mut fields, mut origin, mut subprotocols) = (Vec::new(), None, Vec::new());
        for (name, value) in &all_fields {
            if is(name, "sec-websocket-protocol") {
                let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                subprotocols.extend(names.map(str::to_owned));
            } else if is(name, "origin") && origin.is_none() {
                origin = Some(value.clone());
            } else if !is(name, "sec-websocket-extensions")
                && HANDSHAKE.iter().all(|(own, _)| !is(name, own))
            {
                fields.push((name.clone(), value.clone()));
            }
        }
        let login = dial.proxy.as_ref().and_then(|proxy| proxy.credentials.as_ref());
        hidden |= login.is_some() && secrets == Secrets::Hidden;
        let proxy_login = login.map(|login| match secrets {
            Secrets::Shown => (login.user.reveal().clone(), login.password.reveal().clone()),
            Secrets::Hidden => (redact::HIDDEN.to_owned(), redact::HIDDEN.to_owned()),
        });
        Recipe {
            options,
            target,
            dial,
            path,
            request_target,
            subprotocols,
            all_fields,
            fields,
            origin,
            anonymous,
            proxy_login,
            hidden,
        }
    }

    pub(super) fn url(&self) -> String {
        self.url_with(if self.target.secure { "wss" } else { "ws" })
    }

    pub(super) fn url_with(&self, scheme: &str) -> String {
        format!("{scheme}://{}{}", self.target.authority(), self.path)
    }

    /// Whether compression is offered as browsers offer it, and tools that have it.
    pub(super) fn offers_as_usual(&self) -> bool {
        self.options.request.reveal().extensions == OpenOptions::USUAL_OFFER
    }

    /// The proxy as a URL, with its login.
    pub(super) fn proxy_url(&self) -> Option<String> {
        let proxy = self.dial.proxy.as_ref()?;
        let login = self.proxy_login.as_ref().map(|(user, password)| {
            let encode = |text: &str| -> String {
                url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            // A form's plus sign is a space; a URL's is not.
            let [user, password] = [user, password].map(|text| match text.as_str() {
                redact::HIDDEN => text.clone(),
                text => encode(text).replace('+', "%20"),
            });
            format!("{user}:{password}@")
        });
        let (scheme, login) = (proxy.scheme.name(), login.unwrap_or_default());
        Some(format!("{scheme}://{login}{}:{}", proxy.host, proxy.port))
    }

    /// The options in use that the tool doesn't have, without those in `can`. Every tool can set
    /// headers, except those of the handshake.
    pub(super) fn lost(&self, can: &[&'static str]) -> Vec<String> {
        let (dial, request) = (self.dial, self.options.request.reveal());
        let tls = &dial.tls;
        let changed = HANDSHAKE.iter().any(|(name, usual)| {
            let named = self.all_fields.iter().filter(|field| field.0.eq_ignore_ascii_case(name));
            !named.map(|(_, value)| value.as_str()).eq([*usual])
        });
        let offered = !request.extensions.is_empty();
        let asked = [
            ("alpn", !tls.alpn.is_empty()),
            ("cacert", !tls.cacert.is_empty()),
            ("cert", tls.cert.is_some()),
            ("connect-to", !dial.connect_to.is_empty()),
            ("deflate", offered && !self.offers_as_usual()),
            ("digest", self.options.login.scheme == LoginScheme::Digest),
            ("header", changed),
            ("insecure", tls.insecure),
            ("interface", dial.interface.is_some()),
            ("ipv4", dial.family == Family::V4),
            ("ipv6", dial.family == Family::V6),
            ("location", self.options.redirects.is_some()),
            ("no-deflate", !offered),
            ("origin", self.origin.is_some()),
            ("path-as-is", self.options.path_as_is),
            ("pinnedpubkey", !tls.pinned.is_empty()),
            ("proxy", dial.proxy.is_some()),
            ("raw-header", !request.raw_headers.is_empty()),
            ("request-target", self.request_target.is_some()),
            ("resolve", !dial.resolve.is_empty()),
            ("sni", tls.sni != Sni::Auto),
            ("subprotocol", !self.subprotocols.is_empty()),
            ("tlsv1.2", tls.versions == Versions::Only12),
            ("tlsv1.3", tls.versions == Versions::Only13),
            ("unix-socket", dial.unix_socket.is_some()),
            ("user-agent", self.anonymous),
        ];
        let lost = asked.into_iter().filter(|(name, asked)| *asked && !can.contains(name));
        lost.map(|(name, _)| format!("--{name}")).collect()
    }

    /// Comment lines that come first: what is lost, and how to show secrets.
    pub(super) fn comments(&self, sign: &str, tool: &str, lost: &[String]) -> String {
        let mut lines = String::new();
        if !lost.is_empty() {
            lines.push_str(&format!("{sign} not for {tool}: {}\n", lost.join(", ")));
        }
        if self.hidden {
            lines.push_str(&format!(
                "{sign} secrets are hidden: --show-secrets behind the tool's name\n"
            ));
        }
        lines
    }
}

/// A path, as far as it can be shown.
pub(super) fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(path) => path.to_owned(),
        None => Untrusted::text(&path.to_string_lossy()).to_string(),
    }
}
