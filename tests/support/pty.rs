//! Runs the binary in a terminal: a pty, and an emulator that reads its screen.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::LocalModes;

use super::home::Home;
use super::{PATIENCE, wstap};

/// How to run it. Without more: 24 lines of 80 columns, `TERM=xterm-256color`, a home of its own.
#[derive(Debug)]
pub struct Terminal {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    home: Home,
    rows: u16,
    columns: u16,
}

impl Terminal {
    /// `wstap` with arguments.
    pub fn new<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Terminal {
        Terminal::program(wstap(), args)
    }

    /// Another program in the same surroundings: a shell that starts `wstap`, for job control.
    pub fn program<A: Into<OsString>>(
        program: impl Into<OsString>,
        args: impl IntoIterator<Item = A>,
    ) -> Terminal {
        Terminal {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: vec![("TERM".into(), "xterm-256color".into())],
            home: Home::new(),
            rows: 24,
            columns: 80,
        }
    }

    /// Adds a variable to the (otherwise clean) environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Terminal {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Lives there instead of in a home of its own: for what one session leaves to the next.
    pub fn home(mut self, home: &Home) -> Terminal {
        self.home = home.clone();
        self
    }

    /// The size of the window.
    pub fn size(mut self, rows: u16, columns: u16) -> Terminal {
        (self.rows, self.columns) = (rows, columns);
        self
    }

    /// Starts it.
    pub fn start(self) -> Pty {
        let size = window(self.rows, self.columns);
        let pair = native_pty_system().openpty(size).expect("a pty");
        let first_modes = modes(&*pair.master);
        let mut command = CommandBuilder::new(&self.program);
        command.args(&self.args);
        command.env_clear();
        for (name, value) in self.home.environment().into_iter().chain(self.env) {
            command.env(name, value);
        }
        command.cwd(self.home.path());
        let child = pair.slave.spawn_command(command).expect("the binary");
        let parser = vt100::Parser::new_with_callbacks(
            self.rows,
            self.columns,
            SCROLLBACK,
            Requests::default(),
        );
        let state = State { parser, output: Vec::new(), ended: false };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let reader = pair.master.try_clone_reader().expect("the pty's output");
        let writer = pair.master.take_writer().expect("the pty's input");
        read(reader, shared.clone());
        Pty { child, writer, master: pair.master, shared, first_modes, _home: self.home }
    }
}

/// Lines above the window that the emulator remembers.
const SCROLLBACK: usize = 100_000;

/// A program in a terminal; killed when dropped.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    shared: Arc<(Mutex<State>, Condvar)>,
    first_modes: String,
    _home: Home,
}

struct State {
    parser: vt100::Parser<Requests>,
    output: Vec<u8>,
    ended: bool,
}

/// What the program asked of the terminal besides showing text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Window titles and icon names.
    pub titles: Vec<String>,
    /// What it wanted to put into the clipboard, in base64; `?` for reading it.
    pub clipboard: Vec<String>,
    /// How often it rang the bell.
    pub bells: usize,
    /// Window sizes it wanted.
    pub resizes: Vec<(u16, u16)>,
}

impl Pty {
    /// Types. Enter is `\r`, Ctrl-C `\x03`, Ctrl-D `\x04`, up `\x1b[A`.
    pub fn send(&mut self, keys: impl AsRef<[u8]>) {
        self.writer.write_all(keys.as_ref()).expect("the terminal takes keys");
        self.writer.flush().expect("the terminal takes keys");
    }

    /// Types, unless the program has gone.
    pub fn type_if_alive(&mut self, keys: &str) {
        let _ = self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush());
    }

    /// Types a line and Enter.
    pub fn line(&mut self, text: &str) {
        self.send(format!("{text}\r"));
    }

    /// Waits until the screen is as wanted; fails with its contents if that takes too long.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&vt100::Screen) -> bool, timeout: Duration) {
        let is_there = |state: &State| wanted(state.parser.screen());
        let (there, state) = self.wait(is_there, timeout);
        if !there {
            let ended = if state.ended { " (the program has ended)" } else { "" };
            panic!("not on the screen{ended}:\n{}", show(state.parser.screen()));
        }
    }

    /// Waits until the screen is as wanted; false if the time is over or the program has ended.
    pub fn wait_until(&self, wanted: impl Fn(&vt100::Screen) -> bool, timeout: Duration) -> bool {
        self.wait(|state| wanted(state.parser.screen()), timeout).0
    }

    /// Waits until the text is on the screen.
    #[track_caller]
    pub fn wait_text(&self, text: &str) {
        let (there, state) = self.wait(|s| s.parser.screen().contents().contains(text), PATIENCE);
        if !there {
            panic!("no {text:?} on the screen:\n{}", show(state.parser.screen()));
        }
    }

    /// Waits until the bytes are in the output, wherever they are on the screen.
    #[track_caller]
    pub fn wait_output(&self, bytes: impl AsRef<[u8]>) {
        self.wait_output_times(bytes, 1);
    }

    /// Waits until the bytes have been in the output so often.
    #[track_caller]
    pub fn wait_output_times(&self, bytes: impl AsRef<[u8]>, times: usize) {
        let bytes = bytes.as_ref();
        let has = |state: &State| memchr::memmem::find_iter(&state.output, bytes).count() >= times;
        let (there, state) = self.wait(has, PATIENCE);
        if !there {
            panic!("no {} in the output:\n{}", bytes.escape_ascii(), show(state.parser.screen()));
        }
    }

    /// The window's text, without white space at the ends of lines.
    pub fn screen(&self) -> String {
        self.state().parser.screen().contents()
    }

    /// The window's lines.
    pub fn lines(&self) -> Vec<String> {
        let state = self.state();
        let screen = state.parser.screen();
        screen.rows(0, screen.size().1).map(|row| row.trim_end().to_owned()).collect()
    }

    /// All lines, those that have scrolled out of the window first.
    pub fn all_lines(&self) -> Vec<String> {
        let mut state = self.state();
        let screen = state.parser.screen_mut();
        let (rows, columns) = screen.size();
        screen.set_scrollback(usize::MAX);
        let mut above = screen.scrollback();
        let mut lines = Vec::new();
        while above > 0 {
            screen.set_scrollback(above);
            let count = above.min(rows.into());
            lines.extend(screen.rows(0, columns).take(count).map(|row| row.trim_end().to_owned()));
            above -= count;
        }
        screen.set_scrollback(0);
        lines.extend(screen.rows(0, columns).map(|row| row.trim_end().to_owned()));
        lines
    }

    /// The cursor's row and column, from 0.
    pub fn cursor(&self) -> (u16, u16) {
        self.state().parser.screen().cursor_position()
    }

    /// Every byte of the output.
    pub fn output(&self) -> Vec<u8> {
        self.state().output.clone()
    }

    /// What the program asked of the terminal.
    pub fn requests(&self) -> Requests {
        self.state().parser.callbacks().clone()
    }

    /// Whether bracketed paste is on.
    pub fn bracketed_paste(&self) -> bool {
        self.state().parser.screen().bracketed_paste()
    }

    /// Whether the terminal is as shells leave it: line by line, with echo.
    pub fn is_cooked(&self) -> bool {
        let modes = self.master.get_termios().expect("a terminal").local_flags.bits();
        LocalModes::from_bits_retain(modes).contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Whether the terminal has all the modes that it had before the program started.
    pub fn has_first_modes(&self) -> bool {
        modes(&*self.master) == self.first_modes
    }

    /// Changes the size of the window.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        self.state().parser.screen_mut().set_size(rows, columns);
        self.master.resize(window(rows, columns)).expect("a terminal");
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the program runs");
    }

    /// The program's process id.
    pub fn pid(&self) -> Pid {
        let id = self.child.process_id().and_then(|id| i32::try_from(id).ok());
        id.and_then(Pid::from_raw).expect("a process id")
    }

    /// Whether the program ends in that time.
    pub fn ends(&self, timeout: Duration) -> bool {
        self.wait(|state| state.ended, timeout).0
    }

    /// Waits for the program's end and gives its exit code; fails with the screen if that takes too
    /// long.
    #[track_caller]
    pub fn wait_exit(&mut self, timeout: Duration) -> u32 {
        let end = Instant::now() + timeout;
        let (ended, state) = self.wait(|state| state.ended, timeout);
        if !ended {
            panic!("the program goes on:\n{}", show(state.parser.screen()));
        }
        drop(state);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.exit_code();
            }
            assert!(Instant::now() < end, "the program left the terminal, but goes on");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    fn wait(
        &self,
        done: impl Fn(&State) -> bool,
        timeout: Duration,
    ) -> (bool, MutexGuard<'_, State>) {
        let end = Instant::now() + timeout;
        let mut state = self.state();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if done(&state) {
                return (true, state);
            }
            if left.is_zero() || state.ended {
                return (false, state);
            }
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl vt100::Callbacks for Requests {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }

    fn resize(&mut self, _: &mut vt100::Screen, size: (u16, u16)) {
        self.resizes.push(size);
    }

    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.titles.push(String::from_utf8_lossy(name).into_owned());
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.titles.push(String::from_utf8_lossy(title).into_owned());
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.clipboard.push(String::from_utf8_lossy(data).into_owned());
    }

    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.clipboard.push("?".into());
    }
}

fn read(mut reader: Box<dyn Read + Send>, shared: Arc<(Mutex<State>, Condvar)>) {
    thread::spawn(move || {
        let mut buffer = [0; 64 << 10];
        let mut unshown = Vec::new();
        loop {
            // Linux says EIO at the end of a pty.
            let count = reader.read(&mut buffer).unwrap_or(0);
            let mut state = shared.0.lock().unwrap();
            state.output.extend_from_slice(&buffer[..count]);
            unshown.extend_from_slice(&buffer[..count]);
            let whole = if count == 0 { unshown.len() } else { whole_updates(&unshown) };
            state.parser.process(&unshown[..whole]);
            unshown.drain(..whole);
            state.ended = count == 0;
            shared.1.notify_all();
            if count == 0 {
                return;
            }
        }
    });
}

/// The terminal's modes as text.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal"))
}

/// How much can be shown: a synchronised update (mode 2026) only as a whole, as terminals do it that
/// know of them.
fn whole_updates(output: &[u8]) -> usize {
    let begin = memchr::memmem::rfind(output, b"\x1b[?2026h");
    let open = |at: &usize| memchr::memmem::find(&output[*at..], b"\x1b[?2026l").is_none();
    begin.filter(open).unwrap_or(output.len())
}

fn show(screen: &vt100::Screen) -> String {
    let (row, column) = screen.cursor_position();
    format!("{}\n(cursor in row {row}, column {column})", screen.contents())
}

/// Every control sequence in the output is one that our editor uses.
#[track_caller]
pub fn assert_ours(output: &[u8]) {
    let strange: BTreeSet<_> =
        controls(output).into_iter().filter(|sequence| !is_ours(sequence)).collect();
    assert!(strange.is_empty(), "in the output: {strange:?}");
}

/// The control characters and sequences, made visible.
fn controls(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8(output.to_vec()).expect("UTF-8");
    let mut found = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            found.extend(wstap::text::is_dangerous(c).then(|| c.escape_debug().to_string()));
            continue;
        }
        let mut sequence = String::from("ESC");
        let Some(kind) = chars.next() else { break };
        sequence.push(kind);
        if kind == '[' {
            for next in chars.by_ref() {
                sequence.push(next);
                if ('@'..='~').contains(&next) {
                    break;
                }
            }
        }
        found.push(sequence);
    }
    found
}

fn is_ours(sequence: &str) -> bool {
    let Some(rest) = sequence.strip_prefix("ESC[") else {
        return matches!(sequence, "\\r" | "\\n" | "\\t");
    };
    let numbers = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    match rest.as_bytes().last() {
        Some(b'h' | b'l') => ["?2004", "?2026"].contains(&numbers) || rest == "?25h",
        Some(b'A' | b'B' | b'C' | b'D' | b'J' | b'K') => numbers.bytes().all(is_digit),
        Some(b'm') => numbers.bytes().all(|byte| byte == b';' || is_digit(byte)),
        _ => false,
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn window(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
