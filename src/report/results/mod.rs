//! The results of a script's tests as reports: for people, TAP, JUnit, JSON and HTML.

mod failure;
mod html;
mod json;
mod junit;
mod people;
mod tap;

use std::io::{self, Write};
use std::time::Duration;

pub use failure::{Failure, LogEntry, LogKind, at, shown_message};
pub use html::Html;
pub use json::JsonResults;
pub use junit::{Case, Junit, Suites};
pub use people::{People, PeopleOptions};
pub use tap::Tap;

/// A test that was played, or left out. Its texts are safe to show, without secrets.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// The script's path.
    pub file: String,
    /// Where the test begins in it.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What came of it.
    pub outcome: TestOutcome,
    /// How long the last attempt took.
    pub took: Duration,
    /// How often it was played.
    pub attempts: u32,
    /// What happened, in order.
    pub log: Vec<LogEntry>,
    /// Messages that nobody expected.
    pub unread: Vec<LogEntry>,
    /// The command that plays this test alone.
    pub again: String,
}

/// What came of a test.
#[derive(Clone, Debug)]
pub enum TestOutcome {
    /// All of it was as expected.
    Passed,
    /// Something wasn't.
    Failed(Box<Failure>),
    /// A signal or the end of the run's time came first.
    Interrupted,
}

impl TestResult {
    /// Whether it passed after it had failed.
    pub fn is_flaky(&self) -> bool {
        matches!(self.outcome, TestOutcome::Passed) && self.attempts > 1
    }
}

/// The counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that were played.
    pub tests: u64,
    /// Passed, the flaky ones included.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Passed after they had failed.
    pub flaky: u64,
    /// Not played: by tags and names, or because the run ended early.
    pub left_out: u64,
    /// From the beginning to the end.
    pub took: Duration,
    /// The seed of the order, if it was shuffled.
    pub seed: Option<u64>,
    /// The exit code.
    pub exit: u8,
}

impl Counts {
    /// Counts a test.
    pub fn add(&mut self, result: &TestResult) {
        self.tests += 1;
        self.flaky += u64::from(result.is_flaky());
        match result.outcome {
            TestOutcome::Passed => self.passed += 1,
            TestOutcome::Failed(_) => self.failed += 1,
            TestOutcome::Interrupted => {}
        }
    }
}

/// A report of a run.
pub trait Report {
    /// A test begins.
    ///
    /// # Errors
    /// Those of `out`.
    fn began(&mut self, _file: &str, _name: &str, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// A test has ended.
    ///
    /// # Errors
    /// Those of `out`.
    fn ended(&mut self, result: &TestResult, out: &mut dyn Write) -> io::Result<()>;

    /// The run has ended.
    ///
    /// # Errors
    /// Those of `out`.
    fn finished(&mut self, counts: &Counts, out: &mut dyn Write) -> io::Result<()>;
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) fn result(name: &str, outcome: TestOutcome) -> TestResult {
        TestResult {
            file: "a b.wst".to_owned(),
            line: 4,
            name: name.to_owned(),
            outcome,
            took: Duration::from_millis(2_010),
            attempts: 1,
            log: Vec::new(),
            unread: Vec::new(),
            again: format!("wstap run 'a b.wst' --only {name}"),
        }
    }

    pub(super) fn failure() -> Failure {
        Failure {
            line: "a b.wst:14".to_owned(),
            number: 14,
            text: "bob< \"<x>\"".to_owned(),
            column: 6,
            what: "another message came: <&> \"]]>".to_owned(),
            way: Vec::new(),
            details: vec!["- 1".to_owned(), "+ 2".to_owned()],
            last: "last:  0.003 s open".to_owned(),
            exit: None,
        }
    }

    pub(super) fn written(report: &mut dyn Report, results: &[TestResult]) -> String {
        let mut out = Vec::new();
        let mut counts = Counts::default();
        for result in results {
            counts.add(result);
            report.ended(result, &mut out).unwrap();
        }
        counts.took = Duration::from_millis(2_500);
        report.finished(&counts, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn flaky_is_what_passed_later() {
        let mut counts = Counts::default();
        let passed = result("a", TestOutcome::Passed);
        counts.add(&TestResult { attempts: 2, ..passed.clone() });
        counts.add(&passed);
        counts.add(&result("b", TestOutcome::Failed(Box::new(failure()))));
        assert_eq!((counts.tests, counts.passed, counts.failed, counts.flaky), (3, 2, 1, 1));
    }
}
