//! Exchanges that end early at every byte, and system calls that fail one after the other.

#[path = "../support/mod.rs"]
mod support;

mod binary;
mod tls;
#[cfg(debug_assertions)]
mod torture;
