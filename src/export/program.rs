//! Programs: JavaScript's WebSocket, Python's websockets.

use std::fmt::Write;

use super::quote::{js as js_string, python as python_string};
use super::recipe::{Recipe, shown};
use crate::transport::{Sni, Versions};

/// Works in browsers and runtimes; custom headers work in some runtimes only.
pub(super) fn js(recipe: &Recipe<'_>) -> String {
    let tls = &recipe.dial.tls;
    let list = |items: &[String]| {
        let items: Vec<_> = items.iter().map(|item| js_string(item)).collect();
        format!("[{}]", items.join(", "))
    };
    let mut text = recipe.comments(
        "//",
        "JavaScript",
        &recipe.lost(&["cacert", "insecure", "origin", "subprotocol"]),
    );
    if tls.insecure {
        text.push_str("// Node: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment\n");
    }
    for path in &tls.cacert {
        let path = js_string(&shown(path));
        let _ = writeln!(text, "// Node: NODE_EXTRA_CA_CERTS={path} in the environment");
    }
    let origin = recipe.origin.iter().map(|origin| ("Origin", origin));
    let fields = origin.chain(recipe.fields.iter().map(|(name, value)| (name.as_str(), value)));
    let fields: Vec<_> = fields.collect();
    let url = js_string(&recipe.url());
    if fields.is_empty() {
        let protocols = match &recipe.subprotocols[..] {
            [] => String::new(),
            names => format!(", {}", list(names)),
        };
        let _ = writeln!(text, "const socket = new WebSocket({url}{protocols});");
    } else {
        text.push_str("// Node 22, Deno 2.5 or Bun; a browser takes no headers\n");
        let _ = writeln!(text, "const socket = new WebSocket({url}, {{");
        if !recipe.subprotocols.is_empty() {
            let _ = writeln!(text, "  protocols: {},", list(&recipe.subprotocols));
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
pub(super) fn python(recipe: &Recipe<'_>) -> String {
    let dial = recipe.dial;
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
    let mut lost = recipe.lost(&can);
    if dial.tls.sni == Sni::Off {
        lost.push("--sni off".to_owned());
    }
    let mut text = recipe.comments("#", "Python's websockets", &lost);
    let context = context(recipe);
    if context.is_some() {
        text.push_str("import ssl\n");
    }
    let connect = if dial.unix_socket.is_some() { "unix_connect" } else { "connect" };
    let _ = writeln!(text, "from websockets.sync.client import {connect}\n");
    let _ = writeln!(text, "{}with {connect}(", context.as_deref().unwrap_or_default());
    if let Some(path) = &dial.unix_socket {
        let path = python_string(&shown(path));
        let _ = writeln!(text, "    {path},\n    {},", python_string(&recipe.url()));
    } else {
        let _ = writeln!(text, "    {},", python_string(&recipe.url()));
    }
    let mut argument = |name: &str, value: &str| {
        let _ = writeln!(text, "    {name}={value},");
    };
    if !recipe.fields.is_empty() {
        let pair = |(name, value): &(String, String)| {
            format!("        ({}, {}),\n", python_string(name), python_string(value))
        };
        let pairs: String = recipe.fields.iter().map(pair).collect();
        argument("additional_headers", &format!("[\n{pairs}    ]"));
    }
    if let Some(origin) = &recipe.origin {
        argument("origin", &python_string(origin));
    }
    if !recipe.subprotocols.is_empty() {
        let names: Vec<_> = recipe.subprotocols.iter().map(|name| python_string(name)).collect();
        argument("subprotocols", &format!("[{}]", names.join(", ")));
    }
    let own_agent = recipe.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
    if recipe.anonymous || own_agent {
        argument("user_agent_header", "None");
    }
    if recipe.options.request.reveal().extensions.is_empty() {
        argument("compression", "None");
    }
    if let Some(url) = recipe.proxy_url() {
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

/// The lines that create the TLS context, if it is not the default one.
fn context(recipe: &Recipe<'_>) -> Option<String> {
    let tls = &recipe.dial.tls;
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
    if !recipe.target.secure || text.is_empty() {
        return None;
    }
    if tls.cacert.is_empty() {
        text.insert_str(0, "context = ssl.create_default_context()\n");
    }
    text.push('\n');
    Some(text)
}
