//! The opening handshake (RFC 6455 §4), both sides of it: heads in, heads out.
//!
//! A client makes a [`Request`] and judges the response with [`HandshakeReport::judge`]; a server
//! makes its [`Reply`] to a request with [`answer`].

mod client;
mod server;

pub use client::{HandshakeReport, HandshakeRule, Request, RequestOptions, RuleResult, Verdict};
pub use server::{AcceptOptions, Reply, answer, refuse};
