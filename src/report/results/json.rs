//! Results as JSON Lines, between the events of the connections (docs/scripts.md,
//! docs/scripts.schema.json).

use std::io::{self, Write};

use crate::event::{Event, Stamped};
use crate::report::Reporter as _;
use crate::report::json::Json;
use crate::report::json_writer::JsonWriter;
use crate::report::results::{Counts, Report, TestOutcome, TestResult};

/// Writes JSON Lines.
#[derive(Debug, Default)]
pub struct JsonResults {
    json: JsonWriter,
}

impl JsonResults {
    /// Writes an event of a connection, with the test's and the connection's name.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn event(
        events: &mut Json,
        scope: [(&'static str, &str); 3],
        event: &Event<'_>,
        (at, seq): (crate::event::Moment, u64),
        out: &mut dyn Write,
    ) -> io::Result<()> {
        events.set_scope(scope.map(|(name, value)| (name, value.to_owned())).to_vec());
        events.event(&Stamped { at, seq, client: None, event }, out)
    }
}

impl Report for JsonResults {
    fn began(&mut self, file: &str, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let json = &mut self.json;
        json.begin("test-begin");
        json.text("file", file);
        json.text("test", name);
        json.end(out)
    }

    fn ended(&mut self, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        let json = &mut self.json;
        json.begin("test-end");
        json.text("file", &result.file);
        json.number("line", result.line as u64);
        json.text("test", &result.name);
        json.plain(
            "outcome",
            match result.outcome {
                TestOutcome::Passed => "passed",
                TestOutcome::Failed(_) => "failed",
                TestOutcome::Interrupted => "interrupted",
            },
        );
        json.seconds("took", result.took);
        json.number("attempts", result.attempts.into());
        json.flag("flaky", result.is_flaky());
        json.number("unread", result.unread.len() as u64);
        if let TestOutcome::Failed(failure) = &result.outcome {
            json.object("failure", |json| {
                json.text("at", &failure.line);
                json.number("column", failure.column as u64);
                json.text("statement", &failure.text);
                json.text("what", &failure.what);
                json.texts("included_at", failure.way.iter().map(String::as_str));
                json.texts("details", failure.details.iter().map(String::as_str));
                if let Some((stage, exit)) = failure.exit {
                    json.text("stage", stage.name());
                    json.number("exit", exit as u64);
                }
            });
            json.text("again", &result.again);
        }
        json.end(out)
    }

    fn finished(&mut self, counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
        let json = &mut self.json;
        json.begin("results");
        json.number("exit", counts.exit.into());
        json.number("tests", counts.tests);
        json.number("passed", counts.passed);
        json.number("failed", counts.failed);
        json.number("flaky", counts.flaky);
        json.number("left_out", counts.left_out);
        if let Some(seed) = counts.seed {
            // Larger than what a double holds exactly.
            json.text("seed", &seed.to_string());
        }
        json.seconds("took", counts.took);
        json.end(out)
    }
}
