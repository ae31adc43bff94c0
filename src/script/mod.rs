//! Scripts: sessions written down, with what is expected (docs/scripts.md).

mod mock;
mod parse;
mod play;
mod run;
mod secrets;
mod source;
mod statement;
mod values;
mod variables;

pub use mock::{Action, Decision, Mock, Seat};
pub use parse::{Givens, find, parse, read};
pub use play::PlayOptions;
pub use run::{Reports, RunOptions, Selection, Suite, run};
pub use statement::Script;
pub use variables::{file as variables_file, typed as typed_variable};
