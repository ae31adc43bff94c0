//! What the integration tests share: running the binary, a server that misbehaves on command, a
//! terminal, certificates.
//!
//! Nothing in here sleeps to wait for something: every wait is for an event, with a time limit
//! after which the test fails and shows what there was instead.

// Each test program includes all of this and uses a part.
#![allow(dead_code, unreachable_pub)]

pub mod collect;
pub mod home;
pub mod peers;
pub mod pty;
pub mod run;
pub mod schema;
pub mod scripted;
pub mod tls;

use std::time::Duration;

/// The time that nothing in a test should take; only failures do.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The binary under test.
pub fn wstap() -> &'static str {
    env!("CARGO_BIN_EXE_wstap")
}
