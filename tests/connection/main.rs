//! How the binary gets a connection and keeps it: redirects, logins, reconnecting, broken networks,
//! and servers and proxies that nobody here wrote.

#[path = "../support/mod.rs"]
mod support;

mod fronts;
mod guarded;
mod interop;
mod logins;
mod network;
mod proxies;
mod reconnect;
mod redirects;
mod two;
mod wait_up;
