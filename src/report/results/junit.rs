//! Results as JUnit's XML, as Jenkins, GitLab and GitHub's actions read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use crate::report::results::{Counts, Report, TestOutcome, TestResult};

/// Collects the results, and writes them at the end, by file.
#[derive(Debug, Default)]
pub struct Junit {
    suites: BTreeMap<String, Suite>,
}

/// The tests of a file.
#[derive(Debug, Default)]
struct Suite {
    cases: String,
    tests: u64,
    failures: u64,
    skipped: u64,
    took: Duration,
}

impl Report for Junit {
    fn ended(&mut self, result: &TestResult, _out: &mut dyn Write) -> io::Result<()> {
        let suite = self.suites.entry(result.file.clone()).or_default();
        suite.tests += 1;
        suite.took += result.took;
        let (class, name, time) =
            (escaped(&result.file), escaped(&result.name), seconds(result.took));
        let cases = &mut suite.cases;
        // Writing to a text can't fail.
        let _ = write!(cases, r#"    <testcase classname="{class}" name="{name}" time="{time}">"#);
        match &result.outcome {
            TestOutcome::Passed => {}
            TestOutcome::Interrupted => {
                suite.skipped += 1;
                let _ = write!(cases, "\n      <skipped message=\"interrupted\"/>");
            }
            TestOutcome::Failed(failure) => {
                suite.failures += 1;
                let what = escaped(&format!("{}: {}", failure.line, failure.what));
                let kind = failure.exit.map_or("expectation", |(stage, _)| stage.name());
                let text = escaped(&failure.lines().join("\n"));
                let again = escaped(&result.again);
                let _ = write!(
                    cases,
                    "\n      <failure message=\"{what}\" type=\"{kind}\">{text}\n  again:  {again}</failure>"
                );
            }
        }
        if result.is_flaky() {
            let _ = write!(
                cases,
                "\n      <system-out>flaky: passed at attempt {}</system-out>",
                result.attempts
            );
        }
        let is_empty = cases.ends_with('>') && cases.ends_with(&format!("time=\"{time}\">"));
        let _ = writeln!(cases, "{}</testcase>", if is_empty { "" } else { "\n    " });
        Ok(())
    }

    fn finished(&mut self, counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
        let skipped: u64 = self.suites.values().map(|suite| suite.skipped).sum();
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            out,
            "<testsuites name=\"wstap\" tests=\"{}\" failures=\"{}\" errors=\"0\" disabled=\"{skipped}\" time=\"{}\">",
            counts.tests,
            counts.failed,
            seconds(counts.took)
        )?;
        for (file, suite) in &self.suites {
            let Suite { cases, tests, failures, skipped, took } = suite;
            writeln!(
                out,
                "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{}\">",
                escaped(file),
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
