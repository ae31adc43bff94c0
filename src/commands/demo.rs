//! `wstap demo`: a first try that needs neither a network nor a server of one's own.

use crate::commands::serve::{Running, ServeOptions, Server};
use crate::error::Result;

/// Starts an echo server on a free loopback port; it stops when the value is dropped. It writes
/// nothing: the terminal belongs to the client.
///
/// # Errors
/// If the loopback interface has no free port or no thread can be started.
pub fn server() -> Result<Running> {
    let options = ServeOptions { address: "127.0.0.1:0".into(), ..ServeOptions::default() };
    Server::bind(&options)?.spawn()
}
