//! Dialing against small servers on the loopback interface, well-behaved and otherwise.

#[path = "../support/mod.rs"]
mod support;

mod proxies;
mod rig;
mod tcp;
mod tls;
mod trust;
