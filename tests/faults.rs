//! Where wstap could not start, or said or sent something else than was asked for.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use support::PATIENCE;
use support::home::Home;
use support::pty::Terminal;
use support::run::Run;
use support::scripted::{ScriptedServer, close_frame};
use support::wstap;

/// A server that takes any request, notes it, and closes in order.
fn taking() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        let request = peer.request();
        let first = request.header("sec-websocket-protocol").and_then(|all| all.split(',').next());
        let chosen = first.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        peer.upgrade(&request, &chosen.unwrap_or_default());
        peer.send(close_frame(1000, ""));
        peer.frames_until_close();
    })
}

/// The request that these options make.
fn asked(options: &[&str], path: &str) -> String {
    let server = taking();
    let url = format!("{}{path}", server.url().trim_end_matches('/'));
    Run::new(options.iter().copied().chain([url.as_str()])).run().expect_code(0);
    let seen = server.finish();
    seen.requests.first().expect("a request").head.clone()
}

fn line(options: &[&str], path: &str) -> String {
    asked(options, path).lines().next().unwrap_or_default().to_owned()
}

mod folders {
    use super::*;

    #[test]
    fn one_that_can_not_be_has_no_configuration() {
        for (name, other) in [("HOME", "XDG_CONFIG_HOME"), ("XDG_CONFIG_HOME", "HOME")] {
            let server = taking();
            let run = Run::new([server.url()]).env(name, "/dev/null").env(other, "");
            let run = if name == "HOME" { run.env("XDG_STATE_HOME", "") } else { run };
            let output = run.run().expect_code(0);
            assert_eq!(output.stderr.lines().filter(|l| l.contains("/dev/null")).count(), 0);
        }
    }

    #[test]
    fn what_was_asked_for_there_is_missed() {
        let url = "ws://localhost:1";
        let nowhere = |args: &[&str]| {
            Run::new(args.iter().copied()).env("HOME", "/dev/null").env("XDG_CONFIG_HOME", "").run()
        };
        nowhere(&["--netrc", url]).expect_failure(13, "input: can't read /dev/null/.netrc");
        let missing = ["--config", "/dev/null/config.toml", url];
        nowhere(&missing).expect_failure(13, "input: can't read /dev/null/config.toml");
        nowhere(&["@staging"])
            .expect_failure(2, "usage: the profile \"staging\" needs the configuration");
    }

    #[test]
    fn one_that_is_locked_is_noted() {
        let home = Home::new();
        let locked = home.path().join("locked");
        fs::create_dir_all(locked.join("wstap")).unwrap();
        fs::write(locked.join("wstap/config.toml"), "[defaults]\nfragment = 1\n").unwrap();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        let server = taking();
        let mut words: Vec<&str> = Vec::new();
        if rustix::process::geteuid().is_root() {
            // Nothing is locked for root.
            words.extend(["setpriv", "--bounding-set=-dac_override,-dac_read_search"]);
            words.extend(["--inh-caps=-all", "--"]);
        }
        let url = server.url();
        words.extend([wstap(), &url]);
        let run = Run::program(words[0], words[1..].iter().copied());
        let output = run.env("XDG_CONFIG_HOME", &locked).run();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
        let output = output.expect_code(0);
        assert!(output.stderr.contains("no configuration is read: "), "{}", output.stderr);
    }

    #[test]
    fn the_prompt_says_nothing_of_a_history_that_is_not_wanted() {
        for (name, other) in [("HOME", "XDG_STATE_HOME"), ("XDG_STATE_HOME", "HOME")] {
            let server = wstap::commands::demo::server().unwrap();
            let terminal = Terminal::new([server.url()]).env(name, "/dev/null").env(other, "");
            let mut pty = terminal.env("XDG_CONFIG_HOME", "").start();
            pty.wait_text("* connected to ");
            pty.line("hello");
            pty.wait_text("< hello");
            pty.line("/quit");
            assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
            assert!(!pty.screen().contains("history"), "{}", pty.screen());
        }
    }
}

mod requests {
    use super::*;

    #[test]
    fn subprotocols_are_a_list_with_or_without_spaces() {
        let offered = |options: &[&str]| {
            let head = asked(options, "/");
            let field = head.lines().find(|line| line.starts_with("Sec-WebSocket-Protocol"));
            field.unwrap_or_default().replace(", ", ",")
        };
        for options in [&["-s", "a, b"][..], &["-s", "a,b"], &["-s", " a ", "-s", "\tb"]] {
            assert_eq!(offered(options), "Sec-WebSocket-Protocol: a,b", "{options:?}");
        }
        for bad in ["a b", "a,,b", " "] {
            let output = Run::new(["-s", bad, "ws://localhost:1"]).run();
            output.expect_failure(2, "usage: the subprotocol \"");
        }
    }

    #[test]
    fn a_path_goes_out_as_it_was_typed() {
        for path in ["/%2e%2e/up", "/a/../b", "/a/./%7E%c3%BC?q=../x", "//x"] {
            assert_eq!(line(&["--path-as-is"], path), format!("GET {path} HTTP/1.1"));
        }
        assert_eq!(line(&[], "/a/../b"), "GET /b HTTP/1.1");
        assert_eq!(line(&["--path-as-is"], ""), "GET / HTTP/1.1");
        let fragment = Run::new(["--path-as-is", "ws://localhost:1/../#x"]).run();
        fragment.expect_failure(
            2,
            "usage: \"ws://localhost:1/../#x\" is not a WebSocket URL: it must not",
        );
    }

    #[test]
    fn any_target_goes_out() {
        for target in ["ws://host/path", "*", "no-slash", "/%2e%2e/\\\"<>#x", "host:80"] {
            let options = ["--request-target", target];
            assert_eq!(line(&options, "/other"), format!("GET {target} HTTP/1.1"));
        }
        for bad in ["", "a b", "/\r\nX: y", "/\n", "/\t", "/\u{1}", "/\u{7f}"] {
            let output = Run::new(["--request-target", bad, "ws://localhost:1"]).run();
            output.expect_failure(2, "usage: \"").expect_stderr("is no request target");
        }
    }

    #[test]
    fn a_redirect_has_a_path_of_its_own() {
        for options in [&["--path-as-is"][..], &["--request-target", "*"]] {
            let server = ScriptedServer::start(|peer| match peer.number() {
                1 => {
                    peer.request();
                    let location = "Location: b/../c\r\nContent-Length: 0\r\n\r\n";
                    peer.send(format!("HTTP/1.1 302 Elsewhere\r\n{location}"));
                }
                _ => {
                    peer.accept();
                    peer.send(close_frame(1000, ""));
                    peer.frames_until_close();
                }
            });
            let url = format!("{}/%2e/a", server.url().trim_end_matches('/'));
            let args = ["-L"].iter().chain(options).copied().chain([url.as_str()]);
            Run::new(args).run().expect_code(0);
            let seen = server.finish();
            let lines: Vec<_> = seen.requests.iter().map(|request| request.line()).collect();
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert_eq!(lines.last(), Some(&"GET /c HTTP/1.1"), "{options:?}");
        }
    }

    #[test]
    fn a_target_stays_for_logins_and_reconnects() {
        let server = ScriptedServer::start(|peer| match peer.number() {
            1 => {
                peer.request();
                let wanted = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
                let head = format!("HTTP/1.1 401 No\r\n{wanted}\r\nContent-Length: 0\r\n\r\n");
                peer.send(head);
            }
            2 => {
                peer.accept();
                peer.cut();
            }
            _ => {
                peer.accept();
                peer.send(close_frame(1000, ""));
                peer.frames_until_close();
            }
        });
        let (url, target) = (server.url(), "/x/../y");
        let options = ["--request-target", target, "-u", "me:pw", "--digest"];
        let reconnect = ["--reconnect=5", "--backoff", "1ms..1ms"];
        let args = options.iter().chain(&reconnect).copied().chain([url.as_str()]);
        Run::new(args).stdin_held_open("").run().expect_code(0);
        let seen = server.finish();
        assert!(seen.requests.len() >= 3, "{:?}", seen.requests);
        for request in &seen.requests {
            assert_eq!(request.line(), format!("GET {target} HTTP/1.1"));
        }
        let login = seen.requests[1].header("authorization").expect("a login");
        assert!(login.contains(&format!("uri=\"{target}\"")), "{login}");
    }

    #[test]
    fn other_connections_have_paths_as_they_are_typed() {
        let servers = [(); 2].map(|()| {
            ScriptedServer::start(|peer| {
                peer.accept();
                peer.frames_until_close();
                peer.send(close_frame(1000, ""));
            })
        });
        let urls = servers
            .each_ref()
            .map(|server| format!("{}/a/../%7e", server.url().trim_end_matches('/')));
        let mut pty = Terminal::new(["--path-as-is", &urls[0]]).start();
        pty.wait_text("* connected to ");
        pty.line("/as curl");
        pty.wait_text("--path-as-is");
        pty.line(&format!("/connect {}", urls[1]));
        pty.wait_for(|screen| screen.contents().matches("* connected to").count() == 2, PATIENCE);
        pty.line("/quit");
        assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());
        for server in servers {
            let seen = server.finish();
            assert_eq!(seen.requests[0].line(), "GET /a/../%7e HTTP/1.1");
        }
    }

    #[test]
    fn pasted_curl_commands_have_them() {
        let server = taking();
        let url = server.url().replacen("ws", "http", 1);
        let command = format!("curl --path-as-is '{}/a/../b'", url.trim_end_matches('/'));
        Run::new(["curl", &command]).run().expect_code(0);
        let command = format!("curl --request-target '*' {url}");
        Run::new(["curl", &command]).run().expect_code(0);
        let seen = server.finish();
        let lines: Vec<_> = seen.requests.iter().map(|request| request.line()).collect();
        assert_eq!(lines, ["GET /a/../b HTTP/1.1", "GET * HTTP/1.1"]);
    }
}

mod first_connections {
    use super::*;

    #[test]
    fn one_that_never_opens_ends_a_prompt_too() {
        let (mut pty, code) = (Terminal::new(["ws://127.0.0.1:1"]).start(), 4);
        assert_eq!(pty.wait_exit(PATIENCE), code, "{}", pty.screen());
        assert!(pty.screen().contains("connection refused"), "{}", pty.screen());
        assert!(!pty.screen().contains("/reconnect"), "{}", pty.screen());
        assert!(pty.has_first_modes() && !pty.bracketed_paste());

        let server = ScriptedServer::start(|peer| {
            peer.request();
            peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        });
        let mut pty = Terminal::new([server.url()]).start();
        assert_eq!(pty.wait_exit(PATIENCE), 6, "{}", pty.screen());
    }

    #[test]
    fn the_prompt_stays_where_one_was_open_or_another_is_wanted() {
        let server = ScriptedServer::start(|peer| match peer.number() {
            1 => {
                peer.accept();
                peer.send(close_frame(1000, ""));
                peer.frames_until_close();
            }
            _ => {
                peer.request();
                peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let mut pty = Terminal::new([server.url()]).start();
        pty.wait_text("not connected: /reconnect");
        pty.line("/reconnect");
        pty.wait_text("403");
        pty.wait_for(|screen| screen.contents().matches("not connected:").count() == 2, PATIENCE);
        pty.line("/quit");
        assert_eq!(pty.wait_exit(PATIENCE), 0, "{}", pty.screen());

        let refusing = ScriptedServer::start(|peer| {
            peer.request();
            peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        });
        let mut pty = Terminal::new(["--reconnect", &refusing.url()]).start();
        pty.wait_text("not connected: /reconnect");
        pty.line("/quit");
        assert_eq!(pty.wait_exit(PATIENCE), 6, "{}", pty.screen());
    }
}
