//! `--reconnect` on the binary: what is tried again and what is not, and that nothing is doubled.

mod behind_the_end_of_the_input;
mod not_tried_again;
mod over_several_connections;
mod prompt;
mod told;
mod tried_again;
mod which_ends;

use std::net::{Ipv4Addr, SocketAddr};

use rustix::process::Signal;

use crate::support::PATIENCE;
use crate::support::peers::free_port;
use crate::support::run::{Output, Run};
use crate::support::scripted::{Frame, Gate, Peer, ScriptedServer, close_frame, frame};

/// Waits that no test notices.
const SOON: [&str; 3] = ["--reconnect", "--backoff", "10ms..50ms"];
/// A wait that no test lives to see the end of.
const NEVER: [&str; 3] = ["--reconnect", "--backoff", "1h..1h"];

const CTRL_C: &str = "\x03";

fn run(args: &[&str], url: &str) -> Run {
    Run::new(SOON.iter().chain(args).copied().chain([url]))
}

/// The texts of the data frames.
fn texts(frames: &[Frame]) -> Vec<String> {
    frames.iter().filter(|frame| frame.opcode < 8).map(Frame::text).collect()
}

/// How often it was reconnecting.
fn attempts(output: &Output) -> usize {
    output.stderr.lines().filter(|line| line.contains("; reconnecting in ")).count()
}

/// An address at which nobody listens.
fn nowhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

fn close(peer: &mut Peer, code: u16) {
    peer.send(close_frame(code, ""));
    peer.frames_until_close();
}

/// Memory and descriptors stay as they are, however often the connection is lost.
#[test]
fn thousands_of_connections_leave_nothing_behind() {
    const MANY: usize = 2_000;
    let (early, measured) = (Gate::new(), Gate::new());
    let (is_early, go_on) = (early.clone(), measured.clone());
    let last = Gate::new();
    let is_last = last.clone();
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        peer.send(frame(0x1, "welcome"));
        match peer.number() {
            200 => {
                is_early.open();
                go_on.wait();
            }
            MANY => {
                is_last.open();
                peer.stay_silent();
            }
            _ => {}
        }
        // Without lingering: the port numbers of connections that end so are free at once.
        peer.reset();
    });
    let url = server.url();
    let args = ["--reconnect", "--backoff", "1ms..1ms", "-q", "-x", "hello", &url];
    let process = Run::new(args).stdin_held_open("").timeout(3 * PATIENCE).start();
    early.wait();
    let before = usage(process.id());
    measured.open();
    last.wait();
    let after = usage(process.id());
    process.signal(Signal::INT);
    process.wait().expect_code(130);
    assert_eq!(before.0, after.0, "descriptors");
    assert!(after.1 < before.1 + (1 << 20), "memory grew from {} to {} bytes", before.1, after.1);
}

/// The open descriptors and the resident bytes.
fn usage(id: u32) -> (usize, u64) {
    let descriptors = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    (descriptors, kib << 10)
}
