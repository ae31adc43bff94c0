//! The prompt: the built binary in a terminal, an emulator that reads its screen, and real servers.

#[path = "../support/mod.rs"]
mod support;

mod after;
mod elsewhere;
mod endings;
mod history;
mod hostile;
mod messages;
mod other_tools;
mod prompt;
mod round;
mod secrets;
mod slow;
mod typing;
mod width;
