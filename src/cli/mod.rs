//! The command line: the one definition from which the parser, `-h`, the man page and the
//! completions come, and its translation into what the lower floors take.

mod args;
mod settings;
mod values;

pub use args::{
    Cli, DemoArgs, ExplainArgs, GenerateArgs, Generated, InspectArgs, OutputFormat, ServeArgs,
    ServeMode, Verb, parse,
};
pub use settings::{Plan, header, plan};
