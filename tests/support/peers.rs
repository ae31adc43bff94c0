//! Programs that nobody here wrote, as `.ci/peers` installs them.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::run::Process;

/// Where `.ci/peers` has put what is not of the system's packages.
pub fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = std::env::var_os("WSTAP_PEERS").unwrap_or_else(|| "target/peers".into());
    let path = root.join(path);
    if path.is_dir() { Some(path) } else { skip("the peers' folder") }
}

/// A program of the system's packages.
pub fn program(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|p| p.exists());
    found.or_else(|| skip(name))
}

/// Says loudly that something can't be tried here, and fails if it must be (WSTAP_REQUIRE_PEERS=1).
pub fn skip<T>(what: &str) -> Option<T> {
    assert!(!required(), "{what} is missing; .ci/peers installs it");
    tell_skipped(&format!("{what} is missing; .ci/peers installs it"));
    None
}

/// Says loudly that something can't be tried here.
pub fn tell_skipped(why: &str) {
    // Not with a macro: the test harness would hide the line.
    let _ = std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
}

/// Whether nothing may be left out.
pub fn required() -> bool {
    std::env::var_os("WSTAP_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

/// Waits until the program listens on that port, or ends; most have no way to say it.
pub fn listens(port: u16, process: &Process) -> bool {
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > end || process.stdout.wait_end(Duration::from_millis(10)) {
            return false;
        }
    }
    true
}

/// A port that nobody listens on; somebody else may take it before the caller does.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
