//! wstap: a command-line WebSocket client and debugging tool.
//!
//! The library serves the tool; its interface is not stable. Each floor may use only those below it
//! (`tests/wire/floors.rs` reads this table):
//!
//! | floor | modules |
//! |---|---|
//! | 10 | [`commands`], `main` |
//! | 9 | [`script`] |
//! | 8 | [`cli`], [`repl`] |
//! | 7 | [`check`] |
//! | 6 | [`run`] |
//! | 5 | [`export`] |
//! | 4 | [`connection`] |
//! | 3 | [`transport`], [`report`], [`explain`] |
//! | 2 | [`event`], [`error`], [`diagnosis`], [`pattern`], [`redact`], [`sys`], [`text`] |
//! | 1 | [`protocol`] |
//! | 0 | [`http`] |
//!
//! In scope: the opening handshake, frames, messages, compression, the session, its inspection and
//! testing. Out of scope: HTTP beyond what the opening handshake needs, and being a server for
//! anything but testing.

#![forbid(unsafe_code)]

pub mod check;
pub mod cli;
pub mod commands;
pub mod connection;
pub mod diagnosis;
pub mod error;
pub mod event;
pub mod explain;
pub mod export;
pub mod http;
pub mod pattern;
pub mod protocol;
pub mod redact;
pub mod repl;
pub mod report;
pub mod run;
pub mod script;
pub mod sys;
pub mod text;
pub mod transport;
