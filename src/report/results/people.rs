//! Results for people: a line a test, and what is wrong with those that failed.

use std::io::{self, Write};

use crate::report::results::{Counts, LogEntry, Report, TestOutcome, TestResult, at};
use crate::report::style::{Style, Tone};
use crate::text::Untrusted;
use crate::text::units::{Count, Took};

/// How much people are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeopleOptions {
    /// In colour.
    pub color: bool,
    /// Only tests that failed.
    pub quiet: bool,
    /// `-v`: also the events of each test.
    pub verbosity: u8,
    /// The output is a terminal: show what is going on, and clear it again.
    pub progress: bool,
}

/// Writes results for people.
#[derive(Debug)]
pub struct People {
    options: PeopleOptions,
    style: Style,
    done: u64,
    /// A line of progress is on the screen.
    is_open: bool,
}

impl People {
    /// A report with these options.
    pub fn new(options: PeopleOptions) -> People {
        People { options, style: Style::new(options.color), done: 0, is_open: false }
    }

    fn clear(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::take(&mut self.is_open) { out.write_all(b"\r\x1b[K") } else { Ok(()) }
    }

    fn events(&self, entries: &[LogEntry], out: &mut dyn Write) -> io::Result<()> {
        for entry in entries {
            let name = match entry.connection.as_str() {
                "" => String::new(),
                name => format!("{name} "),
            };
            let line = format!("  {} {name}{}", at(entry.at), entry.line());
            writeln!(out, "{}", self.style.paint(Tone::Dim, line))?;
        }
        Ok(())
    }
}

impl Report for People {
    fn began(&mut self, file: &str, name: &str, out: &mut dyn Write) -> io::Result<()> {
        if !self.options.progress || self.options.quiet {
            return Ok(());
        }
        self.clear(out)?;
        self.is_open = true;
        let line: String = format!("  {} done · {file} {}", self.done, Untrusted::text(name))
            .chars()
            .take(78)
            .collect();
        write!(out, "{}", self.style.paint(Tone::Dim, line))
    }

    fn ended(&mut self, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        self.clear(out)?;
        self.done += 1;
        let TestResult { file, line, name, took, attempts, .. } = result;
        let name = Untrusted::text(name);
        let took = Took(*took);
        match &result.outcome {
            TestOutcome::Passed => {
                if self.options.quiet {
                    return Ok(());
                }
                let flaky = match result.is_flaky() {
                    true => format!(", flaky: passed at attempt {attempts}"),
                    false => String::new(),
                };
                let verdict = self.style.paint(Tone::Good, "PASS");
                writeln!(out, "{verdict} {file}:{line} {name} ({took}{flaky})")?;
            }
            TestOutcome::Interrupted => {
                let verdict = self.style.paint(Tone::Warning, "STOP");
                writeln!(out, "{verdict} {file}:{line} {name} ({took}) was interrupted")?;
            }
            TestOutcome::Failed(failure) => {
                let tries = match attempts {
                    1 => String::new(),
                    tries => format!(", at each of {tries} attempts"),
                };
                let verdict = self.style.paint(Tone::Bad, "FAIL");
                writeln!(out, "{verdict} {} {name} ({took}{tries})", failure.line)?;
                for line in failure.lines() {
                    let tone = match line.trim_start().as_bytes() {
                        [b'-', b' ', ..] => Some(Tone::Bad),
                        [b'+', b' ', ..] => Some(Tone::Good),
                        _ => None,
                    };
                    match tone {
                        Some(tone) => writeln!(out, "{}", self.style.paint(tone, line))?,
                        None => writeln!(out, "{line}")?,
                    }
                }
                writeln!(out, "  again:  {}", Untrusted::text(&result.again))?;
            }
        }
        if self.options.verbosity > 0 {
            self.events(&result.log, out)?;
            if !result.unread.is_empty() {
                let many = Count(result.unread.len() as u64, "message");
                writeln!(out, "  {many} that nothing expected:")?;
                self.events(&result.unread, out)?;
            }
        }
        Ok(())
    }

    fn finished(&mut self, counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
        self.clear(out)?;
        let Counts { tests, passed, failed, flaky, left_out, took, seed, .. } = counts;
        if self.options.quiet && *failed == 0 {
            return Ok(());
        }
        let mut line = format!("{}: {passed} passed", Count(*tests, "test"));
        for (count, what) in [(failed, "failed"), (flaky, "flaky"), (left_out, "left out")] {
            if *count > 0 {
                line.push_str(&format!(", {count} {what}"));
            }
        }
        let stopped = tests - passed - failed;
        if stopped > 0 {
            line.push_str(&format!(", {stopped} interrupted"));
        }
        let seed = seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        let tone = if passed == tests { Tone::Good } else { Tone::Bad };
        writeln!(out, "{} ({}{seed})", self.style.paint(tone, line), Took(*took))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::results::tests::{failure, result, written};

    #[test]
    fn a_failure_points_at_its_line() {
        let results = [
            result("one", TestOutcome::Passed),
            result("two", TestOutcome::Failed(Box::new(failure()))),
        ];
        let text = written(&mut People::new(PeopleOptions::default()), &results);
        assert_eq!(
            text,
            "PASS a b.wst:4 one (2.01 s)\n\
             FAIL a b.wst:14 two (2.01 s)\n   \
                14 | bob< \"<x>\"\n      \
                   |      ^ another message came: <&> \"]]>\n  \
               - 1\n  \
               + 2\n  \
               last:  0.003 s open\n  \
               again:  wstap run 'a b.wst' --only two\n\
             2 tests: 1 passed, 1 failed (2.50 s)\n"
        );
        let quiet = PeopleOptions { quiet: true, ..PeopleOptions::default() };
        let text = written(&mut People::new(quiet), &results[..1]);
        assert_eq!(text, "");
    }
}
