//! Real proxies that drop the upgrade: the failure names them, and the lines that it prints make them
//! work.

use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::home::Home;
use crate::support::peers::{free_port, program};
use crate::support::run::{Process, Run};
use wstap::commands::demo;

/// A proxy: its program, how it is started, its configuration, and the words of its
/// failure, the lines that mend it among them.
struct Front {
    program: &'static str,
    args: &'static [&'static str],
    config: &'static str,
    /// In the place of LINES: what breaks it.
    wrong: &'static str,
    /// What mends it.
    right: &'static str,
    says: &'static [&'static str],
}

const NGINX: &str = "daemon off; master_process off; pid HOME/pid; error_log stderr; events {}\n\
    http { access_log off; client_body_temp_path HOME/a; proxy_temp_path HOME/b; \
    fastcgi_temp_path HOME/c; uwsgi_temp_path HOME/d; scgi_temp_path HOME/e;\n\
    server { listen 127.0.0.1:PORT; location / { proxy_pass http://BACK; LINES } } }\n";

const APACHE: &str = "ServerName localhost\nListen 127.0.0.1:PORT\nPidFile HOME/pid\n\
    DefaultRuntimeDir HOME\nErrorLog /dev/stderr\n\
    LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n\
    LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n\
    LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n\
    LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so\n\
    LoadModule proxy_wstunnel_module /usr/lib/apache2/modules/mod_proxy_wstunnel.so\n\
    User nobody\nGroup nogroup\nProxyPass \"/\" \"http://BACK/\" LINES\n";

const HAPROXY: &str = "defaults\n mode http\n timeout connect 2s\n timeout client 9s\n \
    timeout server 9s\nfrontend f\n bind 127.0.0.1:PORT\n LINES\n default_backend b\n\
    backend b\n server s BACK\n";

const LIGHTTPD: &str = "server.port = PORT\nserver.bind = \"127.0.0.1\"\n\
    server.document-root = \"HOME\"\nserver.modules = ( \"mod_proxy\" )\n\
    proxy.server = ( \"\" => (( \"host\" => \"127.0.0.1\", \"port\" => BACKPORT )) )\nLINES\n";

const VARNISH: &str =
    "vcl 4.1;\nbackend b { .host = \"127.0.0.1\"; .port = \"BACKPORT\"; }\nLINES\n";

const CADDY: &str = "{\n admin off\n auto_https off\n}\nhttp://127.0.0.1:PORT {\n \
    reverse_proxy BACK {\n LINES\n }\n}\n";

const FRONTS: [Front; 6] = [
    Front {
        program: "nginx",
        args: &["-e", "stderr", "-c", "CONFIG"],
        config: NGINX,
        wrong: "",
        right: "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                proxy_set_header Connection \"upgrade\";",
        says: &[
            "nginx dropped the upgrade headers",
            "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
             proxy_set_header Connection \"upgrade\";",
        ],
    },
    Front {
        program: "apache2",
        args: &["-X", "-f", "CONFIG"],
        config: APACHE,
        wrong: "",
        right: "upgrade=websocket",
        says: &["Apache dropped the upgrade headers", "upgrade=websocket"],
    },
    Front {
        program: "haproxy",
        args: &["-db", "-f", "CONFIG"],
        config: HAPROXY,
        wrong: "http-request del-header Upgrade",
        right: "",
        says: &["a proxy in front may have dropped the upgrade headers"],
    },
    Front {
        program: "lighttpd",
        args: &["-D", "-f", "CONFIG"],
        config: LIGHTTPD,
        wrong: "",
        right: "proxy.header = ( \"upgrade\" => \"enable\" )",
        says: &[
            "lighttpd dropped the upgrade headers",
            "proxy.header = ( \"upgrade\" => \"enable\" )",
        ],
    },
    Front {
        program: "varnishd",
        args: &["-F", "-n", "HOME/v", "-a", "127.0.0.1:PORT", "-f", "CONFIG"],
        config: VARNISH,
        wrong: "",
        right: "sub vcl_recv { if (req.http.upgrade ~ \"(?i)websocket\") { return (pipe); } }\n\
                sub vcl_pipe { set bereq.http.upgrade = req.http.upgrade; \
                set bereq.http.connection = req.http.connection; }",
        says: &[
            "Varnish dropped the upgrade headers",
            "if (req.http.upgrade ~ \"(?i)websocket\") { return (pipe); }",
            "set bereq.http.upgrade = req.http.upgrade; set bereq.http.connection = \
             req.http.connection;",
        ],
    },
    Front {
        program: "caddy",
        args: &["run", "--adapter", "caddyfile", "--config", "CONFIG"],
        config: CADDY,
        wrong: "header_up -Upgrade",
        right: "",
        says: &["Caddy dropped the upgrade headers"],
    },
];

/// Waits until somebody listens there. lighttpd closes its outputs, so their end says nothing.
fn accepts(port: u16) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

fn start(front: &Front, program: &Path, home: &Home, back: &str, lines: &str) -> (Process, u16) {
    for _ in 0..3 {
        let port = free_port();
        let (_, back_port) = back.rsplit_once(':').unwrap();
        let place = home.path().to_str().unwrap();
        let fill = |text: &str| {
            text.replace("LINES", lines)
                .replace("BACKPORT", back_port)
                .replace("BACK", back)
                .replace("PORT", &port.to_string())
                .replace("HOME", place)
        };
        let config = home.file("front.conf", fill(front.config));
        let args = front.args.iter().map(|arg| match *arg {
            "CONFIG" => config.to_str().unwrap().to_owned(),
            arg => fill(arg),
        });
        let process = Run::program(program, args).home(home).stdin_held_open("").start();
        if accepts(port) {
            return (process, port);
        }
        eprintln!("{}: {}", front.program, process.stderr.text());
    }
    panic!("{} doesn't start", front.program);
}

#[test]
fn the_lines_that_a_failure_prints_make_the_proxy_work() {
    let server = demo::server().unwrap();
    let back = server.url().trim_start_matches("ws://").trim_end_matches('/').to_owned();
    for front in &FRONTS {
        let Some(program) = program(front.program) else { continue };
        let home = Home::new();
        let (mut process, port) = start(front, &program, &home, &back, front.wrong);
        let url = format!("ws://127.0.0.1:{port}/");
        let output = Run::new(["inspect", &url]).run();
        let text = output.text();
        assert_eq!(output.code(), 6, "{}: {text}", front.program);
        for words in front.says {
            assert!(text.contains(words), "{}: no {words:?} in {text}", front.program);
        }
        process.close_stdin();
        drop(process);
        let home = Home::new();
        let (process, port) = start(front, &program, &home, &back, front.right);
        let url = format!("ws://127.0.0.1:{port}/");
        let output = Run::new(["inspect", "-x", "hi", &url]).run();
        let text = output.text();
        assert_eq!(output.code(), 0, "{}, mended: {text}", front.program);
        assert!(!text.contains("Diagnosis"), "{}, mended: {text}", front.program);
        drop(process);
    }
}
