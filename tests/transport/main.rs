//! Dialing against small servers on the loopback interface, well-behaved and otherwise.

mod proxies;
mod rig;
mod tcp;
mod tls;
mod trust;
