//! What a hostile or broken server, network or caller does, and what the binary answers: each case
//! has a name, and a failure tells all that failed.

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod caller;
mod case;
mod deflate;
mod flaws;
mod frames;
mod handshake;
mod network;
mod redirects;
mod streams;
mod terminal;
mod tls;
mod urls;
