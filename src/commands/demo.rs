//! `wstap demo`: a first try without a network or a server.

use std::path::Path;
use std::time::Duration;

use crate::cli::{DemoArgs, Plan, plan};
use crate::commands::connect;
use crate::commands::print::print;
use crate::commands::run::Outputs;
use crate::commands::serve::{Running, ServeOptions, Server};
use crate::error::{Exit, Result};
use crate::report::results::PeopleOptions;
use crate::script::{self, Givens, PlayOptions, RunOptions, Selection, Suite};

/// Starts the server and connects to it with the real client; `notes` are shown first.
///
/// # Errors
/// If the loopback interface has no free port; those of [`connect::run`].
pub fn run(args: DemoArgs, notes: Vec<String>) -> Result<Exit> {
    let server = server()?;
    let DemoArgs { script, talk, reach } = args;
    if script {
        let plan = plan(server.url(), reach, Some(talk))?.noting(notes);
        return play(&server, &plan);
    }
    let mut plan = plan(server.url(), reach, Some(talk))?.noting(notes);
    plan.notes.insert(0, format!("an echo server of our own listens on {}", server.url()));
    connect::run(plan)
}

/// Shows a script, and plays it.
fn play(server: &Running, plan: &Plan) -> Result<Exit> {
    print(SCRIPT)?;
    print("\n")?;
    let variables = [("url".to_owned(), server.url().to_owned())].into();
    let givens = Givens { variables, ..Givens::default() };
    let script = script::parse(Path::new("demo.wst"), SCRIPT, &givens)?;
    let options = RunOptions {
        play: PlayOptions { all: Vec::new(), within: WITHIN, deadline: None, frames: false },
        jobs: 1,
        retry: 0,
        fail_fast: false,
        seed: None,
        json: None,
        show_secrets: false,
    };
    let people =
        PeopleOptions { color: plan.color_stdout, verbosity: 1, ..PeopleOptions::default() };
    let suite = Suite::new(vec![script], &Selection::default());
    script::run(suite, &options, &mut Outputs::on_stdout(people))
}

/// The script of `--script`.
const SCRIPT: &str = include_str!("demo.wst");

/// More than enough on one machine.
const WITHIN: Duration = Duration::from_secs(5);

/// Starts an echo server on a free loopback port; it stops when the value is dropped. It writes
/// nothing: the terminal belongs to the client.
///
/// # Errors
/// If the loopback interface has no free port or no thread can be started.
pub fn server() -> Result<Running> {
    let options = ServeOptions { address: "127.0.0.1:0".into(), ..ServeOptions::default() };
    Server::bind(&options)?.spawn()
}
