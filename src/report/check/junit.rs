//! `wstap check --junit FILE`: JUnit's XML, a suite for each group.

use std::io::{self, Write};

use crate::event::{Event, ProbeVerdict, Stamped};
use crate::report::results::{Case, Suites};
use crate::report::{Needs, Reporter};

/// Collects the probes, and writes them at the end.
#[derive(Debug, Default)]
pub struct CheckJunit(Suites);

impl Reporter for CheckJunit {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        match *event.event {
            Event::Probed(probed) => {
                let (group, name) = probed.id.split_once('.').unwrap_or((probed.id, ""));
                let mut text = format!("{}\n{}: {}", probed.why, probed.clause, probed.proves);
                if let Some(evidence) = &probed.evidence {
                    text =
                        format!("{text}\nagain: {}\n{}", evidence.again, evidence.story.join("\n"));
                }
                let warning = format!("{}: {}", probed.verdict.name(), probed.why);
                let case = match (probed.verdict, probed.allowed) {
                    (ProbeVerdict::NotApplicable, _) => Case::Skipped(&probed.why),
                    (ProbeVerdict::Pass, _) => Case::Passed(""),
                    (ProbeVerdict::Warn, _) | (ProbeVerdict::Fail, true) => Case::Passed(&warning),
                    (ProbeVerdict::Fail, false) => {
                        Case::Failed { what: &probed.why, kind: "fail", text: &text }
                    }
                };
                self.0.add(group, name, probed.took, &case);
                Ok(())
            }
            Event::Checked(checked) => self.0.write(checked.took, out),
            _ => Ok(()),
        }
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }
}
