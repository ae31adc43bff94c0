//! `wstap demo`: a first try without a network or a server.

use crate::cli::{DemoArgs, plan};
use crate::commands::connect;
use crate::commands::serve::{Running, ServeOptions, Server};
use crate::error::{Exit, Result};

/// Starts the server and connects to it with the real client; `notes` are shown first.
///
/// # Errors
/// If the loopback interface has no free port; those of [`connect::run`].
pub fn run(args: DemoArgs, notes: Vec<String>) -> Result<Exit> {
    let server = server()?;
    let DemoArgs { talk, reach } = args;
    let mut plan = plan(server.url(), reach, Some(talk))?.noting(notes);
    plan.notes.insert(0, format!("an echo server of our own listens on {}", server.url()));
    connect::run(plan)
}

/// Starts an echo server on a free loopback port; it stops when the value is dropped. It writes
/// nothing: the terminal belongs to the client.
///
/// # Errors
/// If the loopback interface has no free port or no thread can be started.
pub fn server() -> Result<Running> {
    let options = ServeOptions { address: "127.0.0.1:0".into(), ..ServeOptions::default() };
    Server::bind(&options)?.spawn()
}
