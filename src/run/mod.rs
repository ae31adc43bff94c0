//! A run: one connection after another, with its inputs and outputs.
//!
//! A [`Session`] opens a connection and passes it to a `Talk`, the loop over one open connection. A
//! [`Driver`] decides what is sent when, and when the run ends: [`Pipe`] for standard input,
//! [`Prompt`] for a person. Only [`Loop::turn`] waits:
//!
//! ```text
//!   Session ── open ──▶ Talk ── next, send, flush ──▶ Connection
//!      │                 │  ▲
//!      │ after a failure │  └── act, see ── Driver (Pipe, Prompt, …)
//!      ▼                 ▼
//!   Reconnect           Loop::turn: one poll over connection, input, outputs, wake-ups
//! ```

pub mod command;
mod context;
mod driver;
pub mod frame;
pub mod input;
pub mod json;
pub mod output;
mod pipe;
mod prompt;
pub mod reconnect;
mod rounds;
mod session;
pub mod settings;
pub mod signals;
mod talk;
mod turn;
mod verdict;
mod views;

pub use context::Context;
pub use driver::{Driver, Outcome, Then};
pub use pipe::Pipe;
pub use prompt::{Answer, Inquiry, Prompt};
pub use session::Session;
pub use talk::Talk;
pub use turn::{Loop, Source};
pub use views::Views;
