//! The session: owns the stream, the protocol's connection and the timers, in one loop.

pub mod command;
