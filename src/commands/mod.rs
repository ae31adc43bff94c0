//! One file for each thing a person can ask for.

pub mod demo;
pub mod serve;
