//! Runs the binary with pipes: its arguments, its stdin, and what became of it.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::collect::Collected;
use super::home::Home;
use super::{PATIENCE, wstap};

/// How to run it. Without more: no input, a home of its own, [`PATIENCE`] as the time limit.
#[derive(Debug)]
pub struct Run {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    home: Home,
    input: Vec<u8>,
    held_open: bool,
    unread: bool,
    timeout: Duration,
}

impl Run {
    /// `wstap` with arguments.
    pub fn new<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Run {
        Run::program(wstap(), args)
    }

    /// Another program in the same surroundings.
    pub fn program<A: Into<OsString>>(
        program: impl Into<OsString>,
        args: impl IntoIterator<Item = A>,
    ) -> Run {
        Run {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            home: Home::new(),
            input: Vec::new(),
            held_open: false,
            unread: false,
            timeout: PATIENCE,
        }
    }

    /// What it reads; after that its stdin is at its end.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Run {
        self.input = bytes.as_ref().to_vec();
        self.held_open = false;
        self
    }

    /// What it reads; after that its stdin stays open, as with a person who types no more.
    pub fn stdin_held_open(mut self, bytes: impl AsRef<[u8]>) -> Run {
        self.input = bytes.as_ref().to_vec();
        self.held_open = true;
        self
    }

    /// Nobody reads its stdout before [`Process::take_stdout`].
    pub fn stdout_unread(mut self) -> Run {
        self.unread = true;
        self
    }

    /// Adds a variable to the (otherwise clean) environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Run {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Lives there instead of in a home of its own.
    pub fn home(mut self, home: &Home) -> Run {
        self.home = home.clone();
        self
    }

    /// Is killed after that time.
    pub fn timeout(mut self, timeout: Duration) -> Run {
        self.timeout = timeout;
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Output {
        self.start().wait()
    }

    /// Starts it.
    pub fn start(self) -> Process {
        let started = Instant::now();
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .envs(self.home.environment())
            .envs(self.env)
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", self.program));
        let mut unread = child.stdout.take();
        let stdout = match unread.take_if(|_| !self.unread) {
            Some(stdout) => Collected::from(stdout),
            None => Collected::from(std::io::empty()),
        };
        let stderr = Collected::from(child.stderr.take().expect("a pipe"));
        let mut stdin = child.stdin.take();
        if !self.input.is_empty() || !self.held_open {
            let (mut pipe, input) = (stdin.take().expect("a pipe"), self.input);
            let held = self.held_open.then(|| pipe.try_clone_pipe());
            // More than a pipe holds must not block the test; a reader that is gone is its right.
            thread::spawn(move || drop(pipe.write_all(&input)));
            stdin = held;
        }
        let deadline = started + self.timeout;
        Process { child, stdin, unread, stdout, stderr, started, deadline, _home: self.home }
    }
}

trait TryClonePipe {
    fn try_clone_pipe(&self) -> ChildStdin;
}

impl TryClonePipe for ChildStdin {
    fn try_clone_pipe(&self) -> ChildStdin {
        use std::os::fd::AsFd;
        ChildStdin::from(self.as_fd().try_clone_to_owned().expect("a file descriptor"))
    }
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    unread: Option<ChildStdout>,
    /// What it has printed.
    pub stdout: Collected,
    /// What it has complained.
    pub stderr: Collected,
    started: Instant,
    deadline: Instant,
    _home: Home,
}

impl Process {
    /// Writes to its stdin, which must be held open.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("stdin is held open");
        stdin.write_all(bytes.as_ref()).expect("the program reads");
    }

    /// Ends its stdin.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Its stdout, for a test that reads it at its own pace, or closes it.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.unread.take().expect("stdout was not to be read")
    }

    /// Waits until its unread stdout takes no more.
    #[track_caller]
    pub fn wait_stdout_full(&self) {
        use std::os::fd::AsFd;
        let pipe = self.unread.as_ref().expect("stdout was not to be read").as_fd();
        let capacity = rustix::pipe::fcntl_getpipe_size(pipe).expect("a pipe") as u64;
        // A pipe has no way to say that it is full, and its last page may not be: it is when a lot
        // is in it and nothing more comes.
        let waiting = || rustix::io::ioctl_fionread(pipe).expect("a pipe");
        let (mut last, mut still) = (0, 0);
        while still < 50 {
            let now = waiting();
            still = if now == last && now > capacity / 2 { still + 1 } else { 0 };
            last = now;
            assert!(
                !self.left().is_zero(),
                "stdout was never full; stderr: {}",
                self.stderr.text()
            );
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The most memory that it has held so far, in bytes; none once it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        peak_in(&format!("/proc/{}/status", self.id()))
    }

    /// Looks at the memory until the program has ended; gives the most that was seen.
    pub fn watch_memory(&self) -> JoinHandle<u64> {
        let path = format!("/proc/{}/status", self.id());
        thread::spawn(move || {
            let mut peak = 0;
            while let Some(now) = peak_in(&path) {
                peak = now;
                thread::sleep(Duration::from_millis(5));
            }
            peak
        })
    }

    /// How long it has had a processor.
    pub fn cpu_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.id());
        let stat = std::fs::read_to_string(path).expect("a child that was not waited for");
        // Behind the name in brackets, utime and stime are fields 12 and 13, in ticks of 10 ms.
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
        Duration::from_millis(10 * ticks.sum::<u64>())
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the program runs");
    }

    /// Waits until its stdout has this text.
    #[track_caller]
    pub fn wait_stdout(&self, text: &str) {
        self.wait_text("stdout", &self.stdout, text);
    }

    /// Waits until its stderr has this text.
    #[track_caller]
    pub fn wait_stderr(&self, text: &str) {
        self.wait_text("stderr", &self.stderr, text);
    }

    /// Waits for its end; kills it when its time is over.
    pub fn wait(mut self) -> Output {
        let mut ended = self.stdout.wait_end(self.left()) && self.stderr.wait_end(self.left());
        let status = loop {
            // Closing its outputs is nearly always the last thing that a program does.
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            if self.left().is_zero() {
                ended = false;
                let _ = self.child.kill();
                break self.child.wait().expect("a child");
            }
            thread::sleep(Duration::from_millis(1));
        };
        let elapsed = self.started.elapsed();
        // Grandchildren may hold the pipes open.
        self.stdout.wait_end(Duration::from_secs(1));
        self.stderr.wait_end(Duration::from_secs(1));
        let (stdout, stderr) = (self.stdout.bytes(), self.stderr.text());
        Output { status, stdout, stderr, elapsed, timed_out: !ended }
    }

    #[track_caller]
    fn wait_text(&self, name: &str, stream: &Collected, text: &str) {
        let there = |bytes: &[u8]| memchr::memmem::find(bytes, text.as_bytes()).is_some();
        if !stream.wait_for(there, self.left()) {
            let (out, err) = (self.stdout.text(), self.stderr.text());
            panic!("no {text:?} on {name}\n--- stdout\n{out}\n--- stderr\n{err}");
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

fn peak_in(status: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok().map(|kib: u64| kib << 10)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What became of a program.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Every byte of its stdout.
    pub stdout: Vec<u8>,
    /// Its stderr.
    pub stderr: String,
    /// From its start to its end.
    pub elapsed: Duration,
    /// Whether it had to be killed.
    pub timed_out: bool,
}

impl Output {
    /// Its exit code; 128 and the signal if it died of one, as shells say it.
    pub fn code(&self) -> i32 {
        let signalled = || self.status.signal().map_or(-1, |signal| 128 + signal);
        self.status.code().unwrap_or_else(signalled)
    }

    /// Its stdout as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The lines of its stdout.
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// Fails unless it ended by itself with that code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Output {
        if self.timed_out || self.code() != code {
            let late = if self.timed_out { ", killed" } else { "" };
            let (found, time) = (self.code(), self.elapsed);
            let (out, err) = (self.text(), &self.stderr);
            panic!(
                "exit code {found} instead of {code} after {time:?}{late}\n\
                 --- stdout\n{out}\n--- stderr\n{err}"
            );
        }
        self
    }

    /// Fails unless it ended with that code and one line for the failure, which begins with that
    /// stage and text.
    #[track_caller]
    pub fn expect_failure(self, code: i32, stage_and_what: &str) -> Output {
        let output = self.expect_code(code);
        let lines: Vec<&str> =
            output.stderr.lines().filter(|line| line.starts_with("wstap: ")).collect();
        let wanted = format!("wstap: {stage_and_what}");
        assert!(
            matches!(lines.as_slice(), [line] if line.starts_with(&wanted)),
            "no single line {wanted:?} in stderr:\n{}",
            output.stderr
        );
        output
    }

    /// Fails unless its stdout is exactly that.
    #[track_caller]
    pub fn expect_stdout(self, wanted: impl AsRef<[u8]>) -> Output {
        let wanted = String::from_utf8_lossy(wanted.as_ref());
        assert_eq!(self.text(), wanted, "stdout\n--- stderr\n{}", self.stderr);
        self
    }

    /// Fails unless its stderr has that text in it.
    #[track_caller]
    pub fn expect_stderr(self, wanted: &str) -> Output {
        assert!(self.stderr.contains(wanted), "no {wanted:?} in stderr:\n{}", self.stderr);
        self
    }
}
