//! A case: what the server does, and what the binary must say and exit with.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use wstap::text::is_dangerous;

use crate::support::home::Home;
use crate::support::pty::{Pty, Requests, Terminal, assert_ours};
use crate::support::run::{Output, Run};
use crate::support::scripted::{Gate, Peer, ScriptedServer, Seen};
use crate::support::tls::Tls;
use crate::support::{PATIENCE, wstap};

/// So many cases run at the same time.
const THREADS: usize = 4;

/// All that have been run.
static CASES: AtomicUsize = AtomicUsize::new(0);

type Script = Box<dyn FnMut(&mut Peer) + Send>;

pub(crate) struct Case {
    name: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    stdin: Vec<u8>,
    held_open: bool,
    script: Script,
    tls: Option<Tls>,
    trusted: bool,
    scheme: Option<&'static str>,
    proxy: Option<&'static str>,
    code: i32,
    says: Vec<String>,
    never_says: Vec<String>,
    stdout: Option<Vec<u8>>,
    close: Option<u16>,
    within: Duration,
    memory: Option<u64>,
    json: bool,
    terminals: bool,
    ended: Gate,
}

/// A case of that name whose server does `script` with each client.
pub(crate) fn case(
    name: impl Into<String>,
    script: impl FnMut(&mut Peer) + Send + 'static,
) -> Case {
    Case {
        name: name.into(),
        args: Vec::new(),
        env: Vec::new(),
        stdin: Vec::new(),
        held_open: false,
        script: Box::new(script),
        tls: None,
        trusted: true,
        scheme: None,
        proxy: None,
        code: 0,
        says: Vec::new(),
        never_says: Vec::new(),
        stdout: None,
        close: None,
        // Generous for a loaded machine; what hangs is found all the same.
        within: Duration::from_secs(15),
        memory: None,
        json: true,
        terminals: false,
        ended: Gate::new(),
    }
}

impl Case {
    pub(crate) fn args<const N: usize>(mut self, args: [&str; N]) -> Case {
        self.args.extend(args.map(str::to_owned));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Case {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Case {
        self.stdin = bytes.as_ref().to_vec();
        self
    }

    /// Standard input doesn't end.
    pub(crate) fn held_open(mut self) -> Case {
        self.held_open = true;
        self
    }

    pub(crate) fn tls(mut self, tls: Tls) -> Case {
        self.tls = Some(tls);
        self
    }

    /// The client is not told of the authority.
    pub(crate) fn untrusted(mut self) -> Case {
        self.trusted = false;
        self
    }

    /// The client is sent to wss://, where the script's own bytes come instead of TLS.
    pub(crate) fn over_tls(mut self) -> Case {
        self.scheme = Some("wss://");
        self
    }

    /// The server is a proxy of that scheme.
    pub(crate) fn proxied(mut self, scheme: &'static str) -> Case {
        self.proxy = Some(scheme);
        self
    }

    /// The exit code, and parts of what stands on stderr.
    pub(crate) fn exits<const N: usize>(mut self, code: i32, says: [&str; N]) -> Case {
        self.code = code;
        self.says.extend(says.map(str::to_owned));
        self
    }

    pub(crate) fn never_says(mut self, text: &str) -> Case {
        self.never_says.push(text.to_owned());
        self
    }

    pub(crate) fn stdout(mut self, bytes: impl AsRef<[u8]>) -> Case {
        self.stdout = Some(bytes.as_ref().to_vec());
        self
    }

    /// The code of the Close frame that the server must see.
    pub(crate) fn close(mut self, code: u16) -> Case {
        self.close = Some(code);
        self
    }

    pub(crate) fn within(mut self, time: Duration) -> Case {
        self.within = time;
        self
    }

    /// The most memory, measured when the server has seen the client's Close frame. The script must
    /// not read that itself.
    pub(crate) fn memory(mut self, bytes: u64) -> Case {
        self.memory = Some(bytes);
        self
    }

    /// The gate is opened when the client has ended for the first time.
    pub(crate) fn ended(mut self, gate: &Gate) -> Case {
        self.ended = gate.clone();
        self
    }

    /// Not also with `--json`: it takes its time, or the output is another.
    pub(crate) fn once(mut self) -> Case {
        self.json = false;
        self
    }

    /// Also where stderr is a terminal, and at the prompt: it says the same, and the terminal's
    /// title, clipboard and modes stay as they are.
    pub(crate) fn on_terminals(mut self) -> Case {
        self.terminals = true;
        self
    }

    fn run(mut self) {
        let mut script = std::mem::replace(&mut self.script, Box::new(|_| {}));
        let (tls, memory) = (self.tls.take(), self.memory);
        let process = Arc::new(Mutex::new(None));
        let peak = Arc::new(Mutex::new(None));
        let (looks_at, measured) = (process.clone(), peak.clone());
        let script = move |peer: &mut Peer| {
            script(peer);
            if memory.is_some() {
                peer.frames_until_close();
                let process = *looks_at.lock().unwrap();
                let mut most = measured.lock().unwrap();
                *most = (*most).max(process.and_then(peak_memory));
            }
        };
        let server = match &tls {
            Some(tls) => ScriptedServer::start_tls(tls, script),
            None => ScriptedServer::start(script),
        };
        let url = match self.scheme {
            Some(scheme) => server.url().replacen("ws://", scheme, 1),
            None => server.url(),
        };
        let args = || {
            let mut args = self.args.clone();
            if let Some(tls) = tls.as_ref().filter(|_| self.trusted) {
                args.extend(["--cacert".to_owned(), tls.ca.display().to_string()]);
            }
            match self.proxy {
                Some(scheme) => {
                    let proxy = server.url().replacen("ws://", &format!("{scheme}://"), 1);
                    args.extend(["--proxy".to_owned(), proxy, "ws://target.example/".to_owned()]);
                }
                None => args.push(url.clone()),
            }
            args
        };
        let start = |json: bool| {
            let args = json.then(|| "--json".to_owned()).into_iter().chain(args());
            let mut run = Run::new(args).timeout(self.within);
            for (name, value) in &self.env {
                run = run.env(name, value);
            }
            run = match self.held_open {
                true => run.stdin_held_open(&self.stdin),
                false => run.stdin(&self.stdin),
            };
            // Held until it is known: the script may ask at once.
            let mut slot = process.lock().unwrap();
            let started = run.start();
            *slot = Some(started.id());
            drop(slot);
            let output = started.wait();
            self.ended.open();
            output
        };
        let output = start(false);
        let json = self.json.then(|| start(true));
        let terminal = self.terminals.then(|| self.on_stderr(args()));
        if self.terminals {
            self.at_prompt(args());
        }
        // What the server has to complain of says more.
        let seen = match catch_unwind(AssertUnwindSafe(|| server.finish())) {
            Ok(seen) => seen,
            Err(panic) => panic!("the script: {}\n{output:#?}", message(&*panic)),
        };
        let output = output.expect_code(self.code);
        for part in &self.says {
            assert!(output.stderr.contains(part), "no {part:?} in stderr:\n{}", output.stderr);
        }
        for part in &self.never_says {
            assert!(!output.stderr.contains(part), "{part:?} in stderr:\n{}", output.stderr);
        }
        if let Some(wanted) = &self.stdout {
            let (wanted, found) = (wanted.escape_ascii(), output.stdout.escape_ascii());
            assert_eq!(found.to_string(), wanted.to_string(), "stdout");
        }
        check_stderr(&output, self.code);
        check_close(&seen, self.close);
        if let (Some(most), peak) = (memory, *peak.lock().unwrap()) {
            let peak = peak.expect("a process to be measured");
            assert!(peak <= most, "peak memory {peak} over {most}");
        }
        if let Some(json) = json {
            check_json(json.expect_code(self.code), self.code);
        }
        if let Some(shown) = terminal {
            for part in &self.says {
                assert!(shown.contains(part), "no {part:?} on a terminal:\n{shown}");
            }
        }
    }

    /// Payloads go to a file, the rest to a terminal.
    fn on_stderr(&self, args: Vec<String>) -> String {
        let home = Home::new();
        let script = ["-c", "exec \"$0\" \"$@\" > payloads", wstap()].map(str::to_owned);
        let terminal = Terminal::program("/bin/sh", script.into_iter().chain(args)).home(&home);
        let mut pty = terminal.env("NO_COLOR", "1").start();
        let code = pty.wait_exit(self.within);
        let shown = untouched(&pty);
        assert_eq!(code, self.code as u32, "the exit code with a terminal:\n{shown}");
        if let Some(wanted) = &self.stdout {
            let found = std::fs::read(home.path().join("payloads")).expect("a file");
            assert_eq!(found.escape_ascii().to_string(), wanted.escape_ascii().to_string());
        }
        shown
    }

    /// The session stays when a connection that was open has ended, and ends where none ever was.
    fn at_prompt(&self, args: Vec<String>) {
        let mut pty = Terminal::new(args).env("NO_COLOR", "1").size(40, 200).start();
        let waits = |screen: &vt100::Screen| screen.contents().contains("* not connected: ");
        if !pty.wait_until(waits, self.within) {
            let code = pty.wait_exit(self.within);
            let shown = untouched(&pty);
            assert_eq!(code, self.code as u32, "at the prompt, never open:\n{shown}");
            assert!([3, 4, 5, 6, 7, 11, 12].contains(&code), "it was open:\n{shown}");
            return;
        }
        let prompt = |screen: &vt100::Screen| {
            let (row, column) = screen.cursor_position();
            let line = screen.rows(0, 200).nth(row.into()).unwrap_or_default();
            column == 2 && line.trim_end() == "x"
        };
        pty.wait_for(prompt, self.within);
        assert!(pty.bracketed_paste(), "the editor's modes are gone:\n{}", pty.screen());
        pty.send("/quit\r");
        let code = pty.wait_exit(self.within);
        let shown = untouched(&pty);
        // Another code would say that no connection was open, so that the prompt should have ended.
        assert_eq!(code, 0, "at the prompt:\n{shown}");
    }
}

/// What the program has shown, if it did nothing else with its terminal.
fn untouched(pty: &Pty) -> String {
    let output = pty.output();
    assert_ours(&output);
    assert_eq!(pty.requests(), Requests::default());
    pty.wait_for(|screen| !screen.bracketed_paste() && !screen.hide_cursor(), PATIENCE);
    assert!(pty.has_first_modes(), "the terminal's modes are others:\n{}", pty.screen());
    let shown = String::from_utf8(output).expect("UTF-8");
    assert!(!shown.contains("panicked"), "{shown}");
    shown
}

/// No line that says what went wrong is longer.
const LINE: usize = 2000;

/// Nothing raw on a terminal, and a line that says what went wrong.
pub(crate) fn check_stderr(output: &Output, code: i32) {
    let raw = |c: char| (is_dangerous(c) && c != '\n' && c != '\t') || c == '\u{fffd}';
    let shown = &output.stderr;
    assert!(!shown.contains(raw), "a raw control byte in stderr: {shown:?}");
    if code != 0 && code < 128 {
        assert!(shown.contains("wstap: "), "no line that says what went wrong: {shown}");
    }
    assert!(!shown.contains("panicked"), "{shown}");
    let ours = |line: &&str| line.starts_with("wstap: ") || line.trim().starts_with("hint: ");
    let longest = shown.lines().filter(ours).max_by_key(|line| line.len()).unwrap_or_default();
    assert!(longest.len() <= LINE, "{} bytes in a line: {longest:.200}", longest.len());
}

fn check_close(seen: &Seen, code: Option<u16>) {
    let Some(code) = code else { return };
    let close = seen.frames.iter().find(|frame| frame.opcode == 0x8);
    let found = close.map(|frame| frame.close_code());
    assert_eq!(found, Some(Some(code)), "the client's Close frame");
}

fn check_json(output: Output, code: i32) {
    check_stderr(&output, 0);
    let text = output.text();
    assert!(!text.contains(|c| is_dangerous(c) && c != '\n'), "raw in JSON: {text:?}");
    for line in text.lines() {
        let event: Result<serde_json::Value, _> = serde_json::from_str(line);
        assert!(event.is_ok_and(|e| e["type"].is_string()), "not an event: {line}");
    }
    let last: serde_json::Value =
        serde_json::from_str(text.lines().last().expect("a line")).expect("JSON in the last line");
    assert_eq!((&last["type"], &last["exit"]), (&"summary".into(), &code.into()), "{last}");
    if code != 0 {
        let error = &last["error"];
        assert_eq!(error["exit"], code, "{last}");
        assert!(error["what"].as_str().is_some_and(|text| !text.is_empty()), "{last}");
    }
}

/// The resident code of an optimised build, in bytes, rounded up.
const CODE: u64 = 6 << 20;

/// The most memory that the process has had, in bytes. A build without optimisation has much more
/// code than anybody uses; in its place that of an optimised one is counted.
pub(crate) fn peak_memory(process: u32) -> Option<u64> {
    let status =
        std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"));
    let status = status.ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
    };
    let peak = field("VmHWM:")?;
    match cfg!(debug_assertions) {
        true => Some(peak.saturating_sub(field("RssFile:")?) + CODE),
        false => Some(peak),
    }
}

/// Runs the cases, some at a time, and fails with all that failed.
#[track_caller]
pub(crate) fn run(group: &str, cases: Vec<Case>) {
    let total = cases.len();
    let only = std::env::var("CASE").unwrap_or_default();
    let queue = Mutex::new(cases.into_iter().filter(|case| case.name.contains(&only)));
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(case) = next else { return };
                    let name = case.name.clone();
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case.run())) {
                        let text = format!("=== {group}: {name}\n{}", message(&*panic));
                        failures.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let count = failures.len();
    assert!(count == 0, "{count} of {total} cases failed\n{}", failures.join("\n"));
    let all = CASES.fetch_add(total, Ordering::Relaxed) + total;
    eprintln!("{group}: {total} cases, {all} so far");
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}
