//! `wstap check --tap`: TAP 14 on standard output.

use std::io::{self, Write};

use crate::event::{Event, ProbeVerdict, Stamped};
use crate::report::{Needs, Reporter};
use crate::text::Untrusted;

/// Writes a line for each probe, and the plan at the end.
#[derive(Debug, Default)]
pub struct CheckTap {
    number: u64,
}

impl Reporter for CheckTap {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        match *event.event {
            Event::Probed(probed) => {
                if self.number == 0 {
                    writeln!(out, "TAP version 14")?;
                }
                self.number += 1;
                let (number, id) = (self.number, probed.id);
                let why = Untrusted::text(&probed.why).to_string();
                // What follows a # on a line of a test is a directive.
                let plain = why.replace('#', "\\#");
                match (probed.verdict, probed.allowed) {
                    (ProbeVerdict::NotApplicable, _) => {
                        return writeln!(out, "ok {number} - {id} # SKIP {plain}");
                    }
                    (ProbeVerdict::Fail, true) => {
                        writeln!(out, "not ok {number} - {id} # TODO allowed")?;
                    }
                    (ProbeVerdict::Fail, false) => writeln!(out, "not ok {number} - {id}")?,
                    (ProbeVerdict::Pass, _) => return writeln!(out, "ok {number} - {id}"),
                    (ProbeVerdict::Warn, _) => writeln!(out, "ok {number} - {id}")?,
                }
                let quoted = why.replace('\\', "\\\\").replace('"', "\\\"");
                writeln!(out, "  ---\n  verdict: {}", probed.verdict.name())?;
                writeln!(out, "  message: \"{quoted}\"\n  clause: \"{}\"\n  ...", probed.clause)
            }
            Event::Checked(checked) if checked.cut_short => {
                writeln!(out, "Bail out! The server can't be reached any more")
            }
            Event::Checked(_) if self.number == 0 => writeln!(out, "TAP version 14\n1..0"),
            Event::Checked(_) => writeln!(out, "1..{}", self.number),
            _ => Ok(()),
        }
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }
}
