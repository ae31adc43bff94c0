use std::path::PathBuf;

use super::*;
use crate::http::head::Header;
use crate::protocol::handshake::RequestOptions;
use crate::redact::Secret;
use crate::text::is_dangerous;
use crate::transport::{DialOptions, Proxy, Sni, Target, TlsOptions};

fn export(tool: Tool, options: &OpenOptions, secrets: Secrets) -> String {
    super::export(tool, options, secrets).unwrap()
}

fn options(url: &str) -> OpenOptions {
    let (target, _) = Target::parse(url).unwrap();
    let mut options = OpenOptions::new(target);
    options.request = Secret::new(RequestOptions {
        extensions: OpenOptions::USUAL_OFFER.to_owned(),
        user_agent: Some(format!("wstap/{}", env!("CARGO_PKG_VERSION"))),
        ..options.request.reveal().clone()
    });
    options
}

fn rich() -> OpenOptions {
    let mut options = options("wss://h.example/chat?token=hunter2&x=it's");
    options.request = Secret::new(RequestOptions {
        origin: Some("https://app.example".to_owned()),
        subprotocols: vec!["a".to_owned(), "b".to_owned()],
        headers: vec![
            Header::new("Authorization", "Bearer hunter2"),
            Header::new("X-Quote", "\"\\ \u{202e}"),
        ],
        ..options.request.reveal().clone()
    });
    options.dial = DialOptions {
        resolve: vec!["h.example:443:192.0.2.1".parse().unwrap()],
        tls: TlsOptions {
            insecure: true,
            cert: Some(PathBuf::from("my cert.pem")),
            sni: Sni::Name("other.example".to_owned()),
            ..TlsOptions::default()
        },
        ..DialOptions::default()
    };
    options.proxies.typed =
        Some(Some("http://me:hunter2@p.example:3128".parse::<Proxy>().unwrap()));
    options
}

#[test]
fn a_login_is_in_the_command_that_shows_secrets() {
    let logged_in = options("ws://me:hunter2@h.example/");
    let hidden = export(Tool::Wscat, &logged_in, Secrets::Hidden);
    assert!(hidden.contains("-H 'Authorization:***'"), "{hidden}");
    assert!(!hidden.contains("hunter2"), "{hidden}");
    let shown = export(Tool::Wscat, &logged_in, Secrets::Shown);
    assert!(shown.contains("-H 'Authorization:Basic bWU6aHVudGVyMg=='"), "{shown}");
}

#[test]
fn the_plainest() {
    let plain = options("ws://localhost:8080/x");
    let shown = |tool| export(tool, &plain, Secrets::Hidden);
    assert_eq!(
        shown(Tool::Curl),
        "curl -i -N --http1.1 \\\n  -H 'Upgrade: websocket' \\\n  -H 'Connection: Upgrade' \\\n  \
         -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \\\n  -H 'Sec-WebSocket-Version: 13' \\\n  \
         -H 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits' \\\n  -H Accept: \\\n  \
         http://localhost:8080/x"
    );
    assert_eq!(shown(Tool::Wscat), "wscat -c ws://localhost:8080/x");
    assert_eq!(
        shown(Tool::Websocat),
        "# not for websocat: compression\nwebsocat ws://localhost:8080/x"
    );
    assert!(
        shown(Tool::Js).starts_with("const socket = new WebSocket(\"ws://localhost:8080/x\");\n")
    );
    assert_eq!(
        shown(Tool::Python),
        "from websockets.sync.client import connect\n\nwith connect(\n    \"ws://localhost:8080/x\",\n\
         ) as socket:\n    for message in socket:\n        print(message)"
    );
}

#[test]
fn everything_at_once() {
    let rich = rich();
    let wscat = export(Tool::Wscat, &rich, Secrets::Shown);
    assert_eq!(
        wscat,
        "# not for wscat: --resolve, --sni\nwscat \\\n  -H 'Authorization:Bearer hunter2' \\\n  \
         -H $'X-Quote:\"\\\\ \\U0000202e' \\\n  -o https://app.example \\\n  -s a \\\n  -s b -n \\\n  \
         --cert 'my cert.pem' \\\n  --key 'my cert.pem' \\\n  \
         --proxy http://me:hunter2@p.example:3128 -c 'wss://h.example/chat?token=hunter2&x=it%27s'"
    );
    let curl = export(Tool::Curl, &rich, Secrets::Shown);
    for part in [
        "# not for curl: --sni\n",
        "-H 'Sec-WebSocket-Protocol: a, b'",
        "--resolve h.example:443:192.0.2.1",
        "--proxy http://p.example:3128",
        "--proxy-user me:hunter2 -k",
        "--cert 'my cert.pem'",
    ] {
        assert!(curl.contains(part), "{part}\n{curl}");
    }
    let python = export(Tool::Python, &rich, Secrets::Shown);
    for part in [
        "context.check_hostname = False\n",
        "context.load_cert_chain(\"my cert.pem\")\n",
        "        (\"X-Quote\", \"\\\"\\\\ \\u202e\"),\n",
        "    server_hostname=\"other.example\",\n",
        "    subprotocols=[\"a\", \"b\"],\n",
        "# not for Python's websockets: --resolve\n",
    ] {
        assert!(python.contains(part), "{part}\n{python}");
    }
    let js = export(Tool::Js, &rich, Secrets::Shown);
    assert!(js.contains("  protocols: [\"a\", \"b\"],\n"), "{js}");
    assert!(js.contains("// not for JavaScript: --cert, --proxy, --resolve, --sni\n"), "{js}");
}

#[test]
fn secrets_are_hidden_and_nothing_moves_the_cursor() {
    let mut rich = rich();
    rich.dial.tls.cert = Some(PathBuf::from("/x\n< forged"));
    for (_, tool) in Tool::ALL {
        let text = export(tool, &rich, Secrets::Hidden);
        assert!(!text.contains("hunter2") && text.contains("***"), "{text}");
        assert!(text.contains("secrets are hidden"), "{text}");
        assert!(text.chars().all(|c| c == '\n' || !is_dangerous(c)), "{text}");
        assert!(!text.contains("\n<"), "{text}");
    }
    rich.secrets = Secrets::Shown;
    assert!(Tool::ALL.iter().all(|(_, tool)| {
        let text = export(*tool, &rich, Secrets::Hidden);
        text.contains("Bearer hunter2") && !text.contains("***")
    }));
}

#[test]
fn a_changed_handshake_is_only_for_curl() {
    let mut odd = options("ws://h");
    odd.request = Secret::new(RequestOptions {
        headers: vec![Header::new("Sec-WebSocket-Version", "8"), Header::new("Upgrade", "")],
        user_agent: None,
        extensions: String::new(),
        ..odd.request.reveal().clone()
    });
    let curl = export(Tool::Curl, &odd, Secrets::Hidden);
    assert!(curl.contains("'Sec-WebSocket-Version: 8'") && !curl.contains("Upgrade: w"), "{curl}");
    assert!(curl.starts_with("curl ") && curl.contains("-H User-Agent:"), "{curl}");
    assert!(
        export(Tool::Wscat, &odd, Secrets::Hidden)
            .starts_with("# not for wscat: --header, --no-deflate\n")
    );
    assert!(
        export(Tool::Python, &odd, Secrets::Hidden)
            .contains("    user_agent_header=None,\n    compression=None,\n")
    );
}

#[test]
fn unix_sockets() {
    let mut local = options("ws://h/p?q");
    local.dial.unix_socket = Some(PathBuf::from("/run/a b"));
    let shown = |tool| export(tool, &local, Secrets::Hidden);
    assert!(shown(Tool::Wscat).ends_with("wscat -c 'ws+unix:/run/a b:/p?q'"));
    assert!(
        shown(Tool::Websocat).ends_with("--ws-c-uri 'ws://h/p?q' - \\\n  'ws-c:unix:/run/a b'")
    );
    assert!(
        shown(Tool::Python).contains("unix_connect(\n    \"/run/a b\",\n    \"ws://h/p?q\",\n")
    );
    assert!(shown(Tool::Js).starts_with("// not for JavaScript: --unix-socket\n"));
}
