//! wstap: a command-line WebSocket client and debugging tool.
//!
//! The crate is the tool's own library; its interface is not stable. The floors, each of which may
//! use only those below it:
//!
//! | floor | modules |
//! |---|---|
//! | 5 | [`commands`] (and `main.rs`) |
//! | 4 | [`cli`], [`repl`] |
//! | 3 | [`session`] |
//! | 2 | [`transport`], [`report`] |
//! | 1 | [`event`], [`error`], [`redact`], [`sys`], [`text`] |
//! | 0 | [`protocol`] |
//!
//! In scope: the opening handshake, frames, messages, compression, the session, its inspection and
//! testing. Out of scope: HTTP beyond what the opening handshake needs, and being a server for
//! anything but trying and testing.

#![forbid(unsafe_code)]

pub mod cli;
pub mod commands;
pub mod error;
pub mod event;
pub mod protocol;
pub mod redact;
pub mod repl;
pub mod report;
pub mod session;
pub mod sys;
pub mod text;
pub mod transport;
