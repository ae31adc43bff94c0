//! Results as one page of HTML that needs nothing else: tests, failures, and what happened on each
//! connection.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::report::results::junit::escaped;
use crate::report::results::{Counts, LogEntry, LogKind, Report, TestOutcome, TestResult, at};
use crate::text::units::Took;

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.3rem}details{border-top:1px solid #8884;padding:.4rem 0}summary{cursor:pointer}
.passed{color:#2a7d2a}.failed,.interrupted{color:#c22}.dim{opacity:.65}
pre{overflow-x:auto;padding:.6rem;border:1px solid #8884;border-radius:.3rem}
pre .minus{color:#c22}pre .plus{color:#2a7d2a}
table{border-collapse:collapse;width:100%;table-layout:fixed}
th,td{text-align:left;vertical-align:top;padding:.15rem .4rem;border-top:1px solid #8884}
th:first-child,td:first-child{width:5.5rem}td{overflow-wrap:anywhere;font-family:ui-monospace,monospace;font-size:13px}
.sent{background:#8881}.note{opacity:.7;font-style:italic}
";

/// Collects the results, and writes the page at the end.
#[derive(Debug, Default)]
pub struct Html {
    tests: String,
}

impl Report for Html {
    fn ended(&mut self, result: &TestResult, _out: &mut dyn Write) -> io::Result<()> {
        let (class, open) = match result.outcome {
            TestOutcome::Passed => ("passed", ""),
            TestOutcome::Failed(_) => ("failed", " open"),
            TestOutcome::Interrupted => ("interrupted", " open"),
        };
        let TestResult { file, line, name, took, attempts, log, unread, again, .. } = result;
        let flaky = match result.is_flaky() {
            true => format!(", flaky: passed at attempt {attempts}"),
            false => String::new(),
        };
        let (name, file, took) = (escaped(name), escaped(file), Took(*took));
        let page = &mut self.tests;
        // Writing to a text can't fail.
        let _ = writeln!(
            page,
            "<details{open}><summary><b class=\"{class}\">{class}</b> {name} \
             <span class=\"dim\">{file}:{line}, {took}{flaky}</span></summary>"
        );
        if let TestOutcome::Failed(failure) = &result.outcome {
            page.push_str("<pre>");
            for line in failure.lines() {
                let class = match line.trim_start().as_bytes() {
                    [b'-', b' ', ..] => "minus",
                    [b'+', b' ', ..] => "plus",
                    _ => "",
                };
                let _ = writeln!(page, "<span class=\"{class}\">{}</span>", escaped(&line));
            }
            let _ = writeln!(page, "  again:  {}</pre>", escaped(again));
        }
        timeline(page, log);
        if !unread.is_empty() {
            page.push_str("<p>Messages that nothing expected:</p>\n");
            timeline(page, unread);
        }
        page.push_str("</details>\n");
        Ok(())
    }

    fn finished(&mut self, counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
        let Counts { tests, passed, failed, flaky, left_out, took, .. } = counts;
        let title = format!(
            "{tests} tests: {passed} passed, {failed} failed, {flaky} flaky, {left_out} left out"
        );
        writeln!(
            out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n\
             <style>\n{STYLE}</style></head>\n<body><h1>{title} <span class=\"dim\">({})</span></h1>\n\
             {}</body></html>",
            Took(*took),
            self.tests
        )
    }
}

/// A line for each event, a column for each connection.
fn timeline(page: &mut String, log: &[LogEntry]) {
    if log.is_empty() {
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    for entry in log {
        if !names.contains(&entry.connection.as_str()) {
            names.push(&entry.connection);
        }
    }
    page.push_str("<table><tr><th>time</th>");
    for name in &names {
        let shown = if name.is_empty() { "connection" } else { name };
        let _ = write!(page, "<th>{}</th>", escaped(shown));
    }
    page.push_str("</tr>\n");
    for entry in log {
        let class = match entry.kind {
            LogKind::Note => "note",
            LogKind::Received => "received",
            LogKind::Sent => "sent",
        };
        let _ = write!(page, "<tr><td>{}</td>", at(entry.at));
        for name in &names {
            match *name == entry.connection {
                true => {
                    let _ = write!(page, "<td class=\"{class}\">{}</td>", escaped(&entry.line()));
                }
                false => page.push_str("<td></td>"),
            }
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::frame::Opcode;
    use crate::report::results::tests::{failure, result, written};

    #[test]
    fn the_page_stands_alone_and_everything_is_escaped() {
        let mut failed = result("<script>", TestOutcome::Failed(Box::new(failure())));
        let message = (Opcode::Text, &b"<img src=x>"[..]);
        failed.log.push(LogEntry::new(Duration::from_millis(3), "bob", LogKind::Received, message));
        let page = written(&mut Html::default(), &[failed]);
        for part in [
            "<title>1 tests: 0 passed, 1 failed, 0 flaky, 0 left out</title>",
            "<details open><summary><b class=\"failed\">failed</b> &lt;script&gt; ",
            "<span class=\"minus\">  - 1</span>\n<span class=\"plus\">  + 2</span>\n",
            "<tr><th>time</th><th>bob</th></tr>",
            "<tr><td>0.003 s</td><td class=\"received\">&lt; &lt;img src=x&gt;</td></tr>",
        ] {
            assert!(page.contains(part), "no {part} in\n{page}");
        }
        assert!(!page.contains("<script") && !page.contains("http") && !page.contains("<img"));
    }
}
