//! Command lines: curl, websocat, wscat.

use std::net::IpAddr;

use super::quote::shell;
use super::recipe::{Recipe, shown};
use crate::transport::proxy::Scheme;
use crate::transport::{Family, Versions};

/// The opening handshake: any curl can do it, and prints the raw bytes that follow.
pub(super) fn curl(recipe: &Recipe<'_>) -> String {
    let dial = recipe.dial;
    let tls = &dial.tls;
    let mut words = Words::new("curl");
    words.flag("-i -N --http1.1");
    for (name, value) in &recipe.all_fields {
        // Curl's syntax for a header without a value.
        let field = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        words.pair("-H", &field);
    }
    let has = |name: &str| recipe.all_fields.iter().any(|f| f.0.eq_ignore_ascii_case(name));
    if !has("accept") {
        words.pair("-H", "Accept:");
    }
    if recipe.anonymous {
        words.pair("-H", "User-Agent:");
    }
    if recipe.options.path_as_is {
        words.flag("--path-as-is");
    }
    if let Some(target) = &recipe.request_target {
        words.pair("--request-target", target);
    }
    match dial.family {
        Family::Any => {}
        Family::V4 => words.flag("-4"),
        Family::V6 => words.flag("-6"),
    }
    for resolve in &dial.resolve {
        let addresses: Vec<_> = resolve.addresses.iter().map(ToString::to_string).collect();
        let (host, port) = (bracketed(&resolve.host), resolve.port);
        words.pair("--resolve", &format!("{host}:{port}:{}", addresses.join(",")));
    }
    for to in &dial.connect_to {
        let port = |port: Option<u16>| port.map(|port| port.to_string()).unwrap_or_default();
        let host = bracketed(to.host.as_deref().unwrap_or_default());
        let to_host = to.to_host.as_ref().map(ToString::to_string).unwrap_or_default();
        let value = format!("{host}:{}:{to_host}:{}", port(to.port), port(to.to_port));
        words.pair("--connect-to", &value);
    }
    if let Some(interface) = &dial.interface {
        words.pair("--interface", interface);
    }
    if let Some(path) = &dial.unix_socket {
        words.pair("--unix-socket", &shown(path));
    }
    if let Some(proxy) = &dial.proxy {
        words.pair("--proxy", &proxy.to_string());
    }
    if let Some((user, password)) = &recipe.proxy_login {
        words.pair("--proxy-user", &format!("{user}:{password}"));
    }
    if tls.insecure {
        words.flag("-k");
    }
    if let [path] = &tls.cacert[..] {
        words.pair("--cacert", &shown(path));
    }
    for (option, path) in [("--cert", &tls.cert), ("--key", &tls.key)] {
        if let Some(path) = path {
            words.pair(option, &shown(path));
        }
    }
    match tls.versions {
        Versions::Any => {}
        Versions::Only12 => words.flag("--tlsv1.2 --tls-max 1.2"),
        Versions::Only13 => words.flag("--tlsv1.3"),
    }
    let mut can = vec![
        "cert",
        "connect-to",
        "deflate",
        "header",
        "insecure",
        "interface",
        "ipv4",
        "ipv6",
        "no-deflate",
        "origin",
        "path-as-is",
        "proxy",
        "request-target",
        "resolve",
        "subprotocol",
        "tlsv1.2",
        "tlsv1.3",
        "unix-socket",
        "user-agent",
    ];
    if tls.cacert.len() == 1 {
        can.push("cacert");
    }
    let scheme = if recipe.target.secure { "https" } else { "http" };
    let comments = recipe.comments("#", "curl", &recipe.lost(&can));
    format!("{comments}{}", words.end(&recipe.url_with(scheme)))
}

/// websocat 1.
pub(super) fn websocat(recipe: &Recipe<'_>) -> String {
    let dial = recipe.dial;
    let mut words = Words::new("websocat");
    for (name, value) in &recipe.fields {
        // Without the equals sign websocat takes the following words as headers, too.
        words.pair_with("-H", '=', &format!("{name}: {value}"));
    }
    if let Some(origin) = &recipe.origin {
        words.pair("--origin", origin);
    }
    if !recipe.subprotocols.is_empty() {
        words.pair("--protocol", &recipe.subprotocols.join(", "));
    }
    if dial.tls.insecure {
        words.flag("-k");
    }
    let mut can = vec!["insecure", "no-deflate", "origin", "subprotocol", "user-agent"];
    if let Some(proxy) = &dial.proxy
        && matches!(proxy.scheme, Scheme::Socks5 | Scheme::Socks5h)
        && proxy.credentials.is_none()
        && proxy.host.to_string().trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    {
        words.pair("--socks5", &format!("{}:{}", proxy.host, proxy.port));
        can.push("proxy");
    }
    let end = match &dial.unix_socket {
        Some(path) if !recipe.target.secure => {
            can.push("unix-socket");
            words.pair("--ws-c-uri", &recipe.url());
            words.flag("-");
            words.end(&format!("ws-c:unix:{}", shown(path)))
        }
        _ => words.end(&recipe.url()),
    };
    let mut lost = recipe.lost(&can);
    if recipe.offers_as_usual() {
        lost.insert(0, "compression".to_owned());
    }
    format!("{}{end}", recipe.comments("#", "websocat", &lost))
}

/// wscat 6.
pub(super) fn wscat(recipe: &Recipe<'_>) -> String {
    let dial = recipe.dial;
    let tls = &dial.tls;
    let mut words = Words::new("wscat");
    for (name, value) in &recipe.fields {
        // wscat adds a space after the colon.
        words.pair("-H", &format!("{name}:{value}"));
    }
    if let Some(origin) = &recipe.origin {
        words.pair("-o", origin);
    }
    for name in &recipe.subprotocols {
        words.pair("-s", name);
    }
    if tls.insecure {
        words.flag("-n");
    }
    let mut can = vec!["cert", "insecure", "origin", "subprotocol", "unix-socket", "user-agent"];
    if let [path] = &tls.cacert[..] {
        can.push("cacert");
        words.pair("--ca", &shown(path));
    }
    if let Some(cert) = &tls.cert {
        words.pair("--cert", &shown(cert));
        words.pair("--key", &shown(tls.key.as_ref().unwrap_or(cert)));
    }
    if let (Some(proxy), Some(url)) = (&dial.proxy, recipe.proxy_url())
        && matches!(proxy.scheme, Scheme::Http | Scheme::Https)
    {
        can.push("proxy");
        words.pair("--proxy", &url);
    }
    let url = match &dial.unix_socket {
        Some(path) => {
            let scheme = if recipe.target.secure { "wss" } else { "ws" };
            format!("{scheme}+unix:{}:{}", shown(path), recipe.path)
        }
        None => recipe.url(),
    };
    words.flag("-c");
    let comments = recipe.comments("#", "wscat", &recipe.lost(&can));
    format!("{comments}{}", words.last(&url))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// A command line, built with one option per line.
struct Words(String);

impl Words {
    fn new(program: &str) -> Words {
        Words(program.to_owned())
    }

    fn flag(&mut self, flag: &str) {
        self.0.push(' ');
        self.0.push_str(flag);
    }

    fn pair(&mut self, option: &str, value: &str) {
        self.pair_with(option, ' ', value);
    }

    fn pair_with(&mut self, option: &str, between: char, value: &str) {
        self.0.push_str(&format!(" \\\n  {option}{between}{}", shell(value)));
    }

    /// Adds the last word, on its own line if there are several lines.
    fn end(self, last: &str) -> String {
        if self.0.contains('\n') {
            format!("{} \\\n  {}", self.0, shell(last))
        } else {
            self.last(last)
        }
    }

    fn last(self, last: &str) -> String {
        format!("{} {}", self.0, shell(last))
    }
}
