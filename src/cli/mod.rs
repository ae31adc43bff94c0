//! The command line: one definition for the parser, `-h`, the man page and the completions, and its
//! translation into the options of the lower floors.

mod again;
mod args;
mod arrange;
mod config;
mod curl;
mod files;
mod habits;
mod help;
mod hints;
mod layers;
mod line;
mod messages;
mod script;
mod settings;
mod shell;
mod usage;
mod values;

pub use again::again;
pub use args::{
    CheckArgs, Cli, ConnectArgs, CurlArgs, DemoArgs, DoctorArgs, ExplainArgs, GenerateArgs,
    Generated, HelpArgs, InspectArgs, LookArgs, PingArgs, ReachArgs, RunArgs, ServeArgs, ServeMode,
    TalkArgs, Verb,
};
pub use help::{EXAMPLES, Example, WITHOUT_A_VERB, examples, help, is_shared};
pub use hints::{TLS_NAMES, WORDS};
pub use layers::LayerOption;
pub use line::parse;
pub use script::{ScriptOption, script_plan};
pub use settings::{Plan, header, pass_phrase, plan};
