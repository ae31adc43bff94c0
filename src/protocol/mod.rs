//! RFC 6455 and RFC 7692 without input or output: bytes in, events out.
//!
//! Nothing in here uses a socket, a clock, a thread or a source of randomness; the caller passes in
//! what is needed. That makes every rule testable with byte literals.

#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod buffer;
pub mod close;
pub mod connection;
pub mod deflate;
pub mod frame;
pub mod handshake;
pub mod mask;
mod side;
pub mod utf8;
pub mod violation;
