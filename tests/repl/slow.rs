//! The prompt at a terminal that is slow, or takes nothing at all: Ctrl-C ends it all the same.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::termios::LocalModes;
use wstap::commands::serve::{Mode, Running, ServeOptions, Server};

use crate::support::home::Home;
use crate::support::{PATIENCE, wstap};

/// Ctrl-C ends it within this time: 0.5 s on a quiet machine, the closing handshake included, more on
/// one with other work. Without the rescue a slow terminal holds it for longer than 8 s.
const SOON: Duration = Duration::from_secs(2);

/// A terminal that takes so many bytes a second once the flood has begun.
struct Slow {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    shown: Arc<Mutex<Vec<u8>>>,
    slow: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
    first_modes: String,
    _home: Home,
}

fn flood() -> Running {
    let options = ServeOptions {
        address: ":0".into(),
        mode: Mode::Source,
        count: 100_000_000,
        size: 100,
        ..ServeOptions::default()
    };
    Server::bind(&options).unwrap().spawn().unwrap()
}

fn start(url: &str, rate: usize) -> Slow {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let first_modes = modes(&*pair.master);
    let home = Home::new();
    let mut command = CommandBuilder::new(wstap());
    command.arg(url);
    command.env_clear();
    command.env("TERM", "xterm-256color");
    home.environment().into_iter().for_each(|(name, value)| command.env(name, value));
    let child = pair.slave.spawn_command(command).unwrap();
    let mut reader = pair.master.try_clone_reader().unwrap();
    let keys = pair.master.take_writer().unwrap();
    let (shown, slow) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(true)));
    let (text, is_slow) = (shown.clone(), slow.clone());
    let thread = thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        let (mut flooded, mut taken) = (0, 0);
        let mut began = Instant::now();
        loop {
            let mut most = buffer.len();
            if flooded > 8 << 10 && is_slow.load(Ordering::Relaxed) {
                let due = began.elapsed().as_secs_f64() * rate as f64;
                most = (due as usize).saturating_sub(taken).min(most);
                if most == 0 {
                    thread::park_timeout(Duration::from_millis(2));
                    continue;
                }
            } else {
                (began, taken) = (Instant::now(), 0);
            }
            let count = reader.read(&mut buffer[..most]).unwrap_or(0);
            text.lock().unwrap().extend_from_slice(&buffer[..count]);
            (flooded, taken) = (flooded + count, taken + count);
            if count == 0 {
                return;
            }
        }
    });
    Slow { child, master: pair.master, keys, shown, slow, thread, first_modes, _home: home }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

impl Slow {
    fn wait(&self, what: &str, there: impl Fn(&Slow) -> bool) {
        let began = Instant::now();
        while !there(self) {
            assert!(began.elapsed() < PATIENCE, "never: {what}");
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Waits until the terminal is as slow as it gets, and everything behind it is full.
    fn wait_full(&self) {
        self.wait("a flood", |slow| slow.shown.lock().unwrap().len() > 8 << 10);
        // Nothing tells when wstap has filled the rest; the socket and the queue take a moment.
        thread::park_timeout(Duration::from_millis(700));
    }

    fn press(&mut self) -> Instant {
        let _ = self.keys.write_all(b"\x03").and_then(|()| self.keys.flush());
        Instant::now()
    }

    /// Its exit code, and how long it took since then.
    fn end(mut self, since: Instant) -> (u32, Duration, Vec<u8>) {
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.exit_code();
            }
            if since.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it goes on");
            }
            thread::park_timeout(Duration::from_millis(1));
        };
        let took = since.elapsed();
        assert_eq!(modes(&*self.master), self.first_modes, "the terminal is not as before");
        self.slow.store(false, Ordering::Relaxed);
        drop(self.master);
        let _ = self.thread.join();
        let shown = self.shown.lock().unwrap().clone();
        (code, took, shown)
    }
}

#[track_caller]
fn one_is_enough(rate: usize) {
    let server = flood();
    let mut terminal = start(server.url(), rate);
    terminal.wait_full();
    let since = terminal.press();
    let (code, took, shown) = terminal.end(since);
    eprintln!("{rate} bytes/s: {took:?}, exit {code}");
    assert!(took < SOON, "{rate} bytes/s: {took:?}");
    assert_eq!(code, 0);
    let end = String::from_utf8_lossy(&shown[shown.len().saturating_sub(300)..]).into_owned();
    let counts = shown.windows(22).filter(|text| text == b" lines were not shown\r").count();
    // Whether the terminal takes the line depends on how busy the machine is.
    assert!(counts <= 1, "{counts}: {end:?}");
}

#[test]
fn a_terminal_of_2_mb_a_second() {
    one_is_enough(2_000_000);
}

#[test]
fn a_terminal_of_200_kb_a_second() {
    one_is_enough(200_000);
}

#[test]
fn a_terminal_of_20_kb_a_second() {
    one_is_enough(20_000);
}

#[test]
fn a_terminal_that_takes_nothing() {
    one_is_enough(0);
}

#[test]
fn the_second_ends_it_at_once() {
    // A server that answers no Close.
    let server = crate::support::scripted::ScriptedServer::start(|peer| {
        peer.accept();
        let line = crate::support::scripted::frame(0x1, [b'x'; 100]).repeat(1000);
        while peer.try_send(&line).is_ok() {}
    });
    for rate in [200_000, 0] {
        let mut terminal = start(&server.url(), rate);
        terminal.wait_full();
        let first = terminal.press();
        terminal.wait("cooked modes, or the end", |slow| {
            let modes = slow.master.get_termios().unwrap().local_flags.bits();
            let cooked = LocalModes::from_bits_retain(modes).contains(LocalModes::ICANON);
            cooked || first.elapsed() > Duration::from_millis(120)
        });
        let second = terminal.press();
        let (code, took, _) = terminal.end(second);
        eprintln!("second at {rate} bytes/s: {took:?}, exit {code}");
        assert!(took < SOON && matches!(code, 0 | 130), "{rate}: {code} after {took:?}");
    }
}
