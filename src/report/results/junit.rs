//! Results as JUnit's XML, as Jenkins, GitLab and GitHub's actions read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use crate::report::results::{Counts, Report, TestOutcome, TestResult};

/// Collects the results, and writes them at the end, by file.
#[derive(Debug, Default)]
pub struct Junit(Suites);

impl Report for Junit {
    fn ended(&mut self, result: &TestResult, _out: &mut dyn Write) -> io::Result<()> {
        let flaky = format!("flaky: passed at attempt {}", result.attempts);
        let case = match &result.outcome {
            TestOutcome::Passed if result.is_flaky() => Case::Passed(&flaky),
            TestOutcome::Passed => Case::Passed(""),
            TestOutcome::Interrupted => Case::Skipped("interrupted"),
            TestOutcome::Failed(failure) => Case::Failed {
                what: &format!("{}: {}", failure.line, failure.what),
                kind: failure.exit.map_or("expectation", |(stage, _)| stage.name()),
                text: &format!("{}\n  again:  {}", failure.lines().join("\n"), result.again),
            },
        };
        self.0.add(&result.file, &result.name, result.took, &case);
        Ok(())
    }

    fn finished(&mut self, counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
        self.0.write(counts.took, out)
    }
}

/// Test cases, by what they belong to.
#[derive(Debug, Default)]
pub struct Suites(BTreeMap<String, Suite>);

/// The test cases of a file or a group.
#[derive(Debug, Default)]
struct Suite {
    cases: String,
    tests: u64,
    failures: u64,
    skipped: u64,
    took: Duration,
}

/// What came of a test case.
pub enum Case<'a> {
    /// It passed; the text is its output and may be empty.
    Passed(&'a str),
    /// It failed.
    Failed {
        /// In one line.
        what: &'a str,
        /// The kind of failure, one word.
        kind: &'a str,
        /// Everything about it.
        text: &'a str,
    },
    /// It was not tried, for this reason.
    Skipped(&'a str),
}

impl Suites {
    /// Adds a case.
    pub fn add(&mut self, suite: &str, name: &str, took: Duration, case: &Case<'_>) {
        let (class, name, time) = (escaped(suite), escaped(name), seconds(took));
        let suite = self.0.entry(suite.to_owned()).or_default();
        suite.tests += 1;
        suite.took += took;
        let cases = &mut suite.cases;
        // Writing to a text can't fail.
        let _ = write!(cases, r#"    <testcase classname="{class}" name="{name}" time="{time}">"#);
        let inner = match case {
            Case::Passed("") => String::new(),
            Case::Passed(output) => format!("<system-out>{}</system-out>", escaped(output)),
            Case::Skipped(why) => {
                suite.skipped += 1;
                format!("<skipped message=\"{}\"/>", escaped(why))
            }
            Case::Failed { what, kind, text } => {
                suite.failures += 1;
                let (what, text) = (escaped(what), escaped(text));
                format!("<failure message=\"{what}\" type=\"{kind}\">{text}</failure>")
            }
        };
        if !inner.is_empty() {
            let _ = write!(cases, "\n      {inner}\n    ");
        }
        let _ = writeln!(cases, "</testcase>");
    }

    /// Writes the document.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, took: Duration, out: &mut dyn Write) -> io::Result<()> {
        let sum = |of: fn(&Suite) -> u64| self.0.values().map(of).sum::<u64>();
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            out,
            "<testsuites name=\"wstap\" tests=\"{}\" failures=\"{}\" errors=\"0\" disabled=\"{}\" time=\"{}\">",
            sum(|suite| suite.tests),
            sum(|suite| suite.failures),
            sum(|suite| suite.skipped),
            seconds(took)
        )?;
        for (name, suite) in &self.0 {
            let Suite { cases, tests, failures, skipped, took } = suite;
            writeln!(
                out,
                "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{}\">",
                escaped(name),
                seconds(*took)
            )?;
            out.write_all(cases.as_bytes())?;
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Text for XML 1.0 (§2.2, §2.4): without the characters that it can't hold.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::results::tests::{failure, result, written};

    #[test]
    fn suites_are_files_and_everything_is_escaped() {
        let results = [
            result("a <b> & \"c\"\u{1}", TestOutcome::Passed),
            result("two", TestOutcome::Failed(Box::new(failure()))),
        ];
        let text = written(&mut Junit::default(), &results);
        for part in [
            "<testsuites name=\"wstap\" tests=\"2\" failures=\"1\" errors=\"0\" disabled=\"0\" time=\"2.500\">\n",
            "  <testsuite name=\"a b.wst\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"4.020\">\n",
            "name=\"a &lt;b&gt; &amp; &quot;c&quot;\u{fffd}\" time=\"2.010\"></testcase>\n",
            "<failure message=\"a b.wst:14: another message came: &lt;&amp;&gt; &quot;]]&gt;\" type=\"expectation\">",
            "\n    </testcase>\n  </testsuite>\n</testsuites>\n",
        ] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
    }
}
