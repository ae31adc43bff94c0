//! A run: one connection after another, with its inputs and outputs.
//!
//! A [`Session`] opens a connection and hands it to a `Talk`, the loop over one open connection. What is
//! sent when, and when it is enough, is the [`Driver`]'s to say: [`Pipe`] for standard input, [`Prompt`]
//! for a person, [`Ping`] for round trips, [`Look`] for an inspection. Everything waits in [`Loop::turn`], and nowhere else:
//!
//! ```text
//!   Session ── open ──▶ Talk ── next, send, flush ──▶ Connection
//!      │                 │  ▲
//!      │ after a failure │  └── act, see ── Driver (Pipe, Prompt, Ping, Look)
//!      ▼                 ▼
//!   Reconnect           Loop::turn: one poll over connection, input, outputs, wake-ups
//! ```

mod attempt;
pub mod command;
mod context;
pub mod destination;
mod driver;
mod ending;
pub mod frame;
mod fresh;
pub mod gate;
mod inflate;
pub mod input;
pub mod json;
mod kept;
mod look;
pub mod output;
mod ping;
mod pipe;
mod prompt;
pub mod reconnect;
mod recording;
mod rounds;
pub mod rules;
pub mod screen;
mod session;
pub mod settings;
pub mod signals;
mod talk;
pub mod tuning;
mod turn;
mod verdict;
mod views;
mod wait;
pub mod wake;
mod work;

pub use attempt::Attempt;
pub use context::Context;
pub use driver::{Driver, Outcome, Then};
pub use fresh::Fresh;
pub use look::Look;
pub use ping::{Ping, PingOptions, Probe};
pub use pipe::Pipe;
pub use prompt::{Answer, Inquiry, Prompt};
pub use recording::record_options;
pub use session::Session;
pub use talk::Talk;
pub use turn::{Loop, Source};
pub use views::Views;
pub use work::Work;
