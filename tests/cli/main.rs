//! The binary as a person or a script uses it: options, pipes, output, exit codes, subcommands.

#[path = "../support/mod.rs"]
mod support;

mod check;
mod config;
mod curl;
mod diagnosis;
mod ends;
mod events;
mod every_event;
mod exit_codes;
mod explain;
mod faults;
mod generated;
mod habits;
mod help;
mod json;
mod lists;
mod log;
mod messages;
mod options;
mod ping;
mod pipe;
mod rigs;
mod rules;
mod script;
mod secrets;
mod serve;
mod serve_binary;
mod serve_wire;
mod steps;
mod terminal;
mod unfinished;
