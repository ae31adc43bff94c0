//! Programs: JavaScript's WebSocket, Python's websockets.

use std::fmt::Write;

use super::facts::{Facts, shown};
use super::quote::{js as js_string, python as python_string};
use crate::transport::{Sni, Versions};

/// What browsers and runtimes have in common; with fields of one's own only some runtimes do it.
pub(super) fn js(facts: &Facts<'_>) -> String {
    let tls = &facts.dial.tls;
    let list = |items: &[String]| {
        let items: Vec<_> = items.iter().map(|item| js_string(item)).collect();
        format!("[{}]", items.join(", "))
    };
    let mut text = facts.comments(
        "//",
        "JavaScript",
        &facts.lost(&["cacert", "insecure", "origin", "subprotocol"]),
    );
    if tls.insecure {
        text.push_str("// Node: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment\n");
    }
    for path in &tls.cacert {
        let path = js_string(&shown(path));
        let _ = writeln!(text, "// Node: NODE_EXTRA_CA_CERTS={path} in the environment");
    }
    let origin = facts.origin.iter().map(|origin| ("Origin", origin));
    let fields = origin.chain(facts.fields.iter().map(|(name, value)| (name.as_str(), value)));
    let fields: Vec<_> = fields.collect();
    let url = js_string(&facts.url());
    if fields.is_empty() {
        let protocols = match &facts.subprotocols[..] {
            [] => String::new(),
            names => format!(", {}", list(names)),
        };
        let _ = writeln!(text, "const socket = new WebSocket({url}{protocols});");
    } else {
        text.push_str("// Node 22, Deno 2.5 or Bun; a browser takes no headers\n");
        let _ = writeln!(text, "const socket = new WebSocket({url}, {{");
        if !facts.subprotocols.is_empty() {
            let _ = writeln!(text, "  protocols: {},", list(&facts.subprotocols));
        }
        text.push_str("  headers: [\n");
        for (name, value) in fields {
            let _ = writeln!(text, "    [{}, {}],", js_string(name), js_string(value));
        }
        text.push_str("  ],\n});\n");
    }
    text.push_str(
        "socket.onmessage = (event) => console.log(event.data);\n\
         socket.onclose = (event) => console.log(\"closed\", event.code, event.reason);",
    );
    text
}

/// websockets 15 or newer, without asyncio.
pub(super) fn python(facts: &Facts<'_>) -> String {
    let dial = facts.dial;
    let can = [
        "cacert",
        "cert",
        "insecure",
        "no-deflate",
        "origin",
        "proxy",
        "sni",
        "subprotocol",
        "tlsv1.2",
        "tlsv1.3",
        "unix-socket",
        "user-agent",
    ];
    let mut lost = facts.lost(&can);
    if dial.tls.sni == Sni::Off {
        lost.push("--sni off".to_owned());
    }
    let mut text = facts.comments("#", "Python's websockets", &lost);
    let context = context(facts);
    if context.is_some() {
        text.push_str("import ssl\n");
    }
    let connect = if dial.unix_socket.is_some() { "unix_connect" } else { "connect" };
    let _ = writeln!(text, "from websockets.sync.client import {connect}\n");
    let _ = writeln!(text, "{}with {connect}(", context.as_deref().unwrap_or_default());
    if let Some(path) = &dial.unix_socket {
        let path = python_string(&shown(path));
        let _ = writeln!(text, "    {path},\n    {},", python_string(&facts.url()));
    } else {
        let _ = writeln!(text, "    {},", python_string(&facts.url()));
    }
    let mut argument = |name: &str, value: &str| {
        let _ = writeln!(text, "    {name}={value},");
    };
    if !facts.fields.is_empty() {
        let pair = |(name, value): &(String, String)| {
            format!("        ({}, {}),\n", python_string(name), python_string(value))
        };
        let pairs: String = facts.fields.iter().map(pair).collect();
        argument("additional_headers", &format!("[\n{pairs}    ]"));
    }
    if let Some(origin) = &facts.origin {
        argument("origin", &python_string(origin));
    }
    if !facts.subprotocols.is_empty() {
        let names: Vec<_> = facts.subprotocols.iter().map(|name| python_string(name)).collect();
        argument("subprotocols", &format!("[{}]", names.join(", ")));
    }
    let own_agent = facts.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
    if facts.anonymous || own_agent {
        argument("user_agent_header", "None");
    }
    if facts.options.request.reveal().extensions.is_empty() {
        argument("compression", "None");
    }
    if let Some(url) = facts.proxy_url() {
        argument("proxy", &python_string(&url));
    }
    if context.is_some() {
        argument("ssl", "context");
    }
    if let Sni::Name(name) = &dial.tls.sni {
        argument("server_hostname", &python_string(name));
    }
    text.push_str(") as socket:\n    for message in socket:\n        print(message)");
    text
}

/// The lines that make the TLS context, if it is not the usual one.
fn context(facts: &Facts<'_>) -> Option<String> {
    let tls = &facts.dial.tls;
    let mut text = String::new();
    let cafiles = tls.cacert.iter().map(|path| python_string(&shown(path)));
    for (number, path) in cafiles.enumerate() {
        if number == 0 {
            let _ = writeln!(text, "context = ssl.create_default_context(cafile={path})");
        } else {
            let _ = writeln!(text, "context.load_verify_locations({path})");
        }
    }
    if tls.insecure {
        text.push_str("context.check_hostname = False\ncontext.verify_mode = ssl.CERT_NONE\n");
    }
    if let Some(cert) = &tls.cert {
        let key = tls.key.as_ref().map(|key| format!(", {}", python_string(&shown(key))));
        let (cert, key) = (python_string(&shown(cert)), key.unwrap_or_default());
        let _ = writeln!(text, "context.load_cert_chain({cert}{key})");
    }
    match tls.versions {
        Versions::Any => {}
        Versions::Only12 => text.push_str("context.maximum_version = ssl.TLSVersion.TLSv1_2\n"),
        Versions::Only13 => text.push_str("context.minimum_version = ssl.TLSVersion.TLSv1_3\n"),
    }
    if !facts.target.secure || text.is_empty() {
        return None;
    }
    if tls.cacert.is_empty() {
        text.insert_str(0, "context = ssl.create_default_context()\n");
    }
    text.push('\n');
    Some(text)
}
