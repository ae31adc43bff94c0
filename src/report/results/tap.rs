//! Results as TAP 14 (testanything.org): a line a test, with a YAML block below one that failed.

use std::io::{self, Write};

use crate::report::results::{Counts, Report, TestOutcome, TestResult};

/// Writes TAP.
#[derive(Debug, Default)]
pub struct Tap {
    number: u64,
}

impl Report for Tap {
    fn ended(&mut self, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        if self.number == 0 {
            writeln!(out, "TAP version 14")?;
        }
        self.number += 1;
        let verdict = match result.outcome {
            TestOutcome::Passed => "ok",
            _ => "not ok",
        };
        let description = escaped(&format!("{}: {}", result.file, result.name));
        writeln!(out, "{verdict} {} - {description}", self.number)?;
        writeln!(out, "  ---")?;
        writeln!(out, "  duration_ms: {:.3}", result.took.as_secs_f64() * 1e3)?;
        if result.is_flaky() {
            writeln!(out, "  flaky: passed at attempt {}", result.attempts)?;
        }
        match &result.outcome {
            TestOutcome::Passed => {}
            TestOutcome::Interrupted => writeln!(out, "  message: interrupted")?,
            TestOutcome::Failed(failure) => {
                writeln!(out, "  message: {}", quoted(&failure.what))?;
                writeln!(out, "  at: {}", quoted(&failure.line))?;
                if let Some((stage, exit)) = failure.exit {
                    writeln!(out, "  stage: {}", stage.name())?;
                    writeln!(out, "  exit: {}", exit as u8)?;
                }
                writeln!(out, "  report: |2")?;
                for line in failure.lines() {
                    writeln!(out, "    {line}")?;
                }
                writeln!(out, "  again: {}", quoted(&result.again))?;
            }
        }
        writeln!(out, "  ...")
    }

    fn finished(&mut self, counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
        if self.number == 0 {
            writeln!(out, "TAP version 14")?;
        }
        if counts.exit >= 11 {
            writeln!(out, "Bail out! exit code {}", counts.exit)?;
        }
        writeln!(out, "1..{}", self.number)
    }
}

/// A description: `#` would begin a directive.
fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.replace('\\', "\\\\").replace('#', "\\#")
}

/// A scalar of YAML in double quotes, which has all escapes of JSON.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::results::tests::{failure, result, written};

    #[test]
    fn it_is_tap_14() {
        let results = [
            result("one # todo", TestOutcome::Passed),
            result("two", TestOutcome::Failed(Box::new(failure()))),
        ];
        let text = written(&mut Tap::default(), &results);
        assert!(
            text.starts_with("TAP version 14\nok 1 - a b.wst: one \\# todo\n  ---\n"),
            "{text}"
        );
        assert!(
            text.contains("not ok 2 - a b.wst: two\n  ---\n  duration_ms: 2010.000\n"),
            "{text}"
        );
        assert!(text.contains("  message: \"another message came: <&> \\\"]]>\"\n"), "{text}");
        assert!(text.contains("  report: |2\n       14 | bob<"), "{text}");
        assert!(text.ends_with("  ...\n1..2\n"), "{text}");
    }
}
