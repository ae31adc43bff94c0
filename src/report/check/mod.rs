//! `wstap check` on standard output: a line for each probe, by group, and the counts.

mod junit;
mod tap;

use std::io::{self, Write};

use crate::event::{Checked, Event, Level, ProbeVerdict, Probed, Stamped};
use crate::report::style::{Style, Tone};
use crate::report::{Needs, Reporter};
use crate::text::Untrusted;
use crate::text::units::Took;

pub use junit::CheckJunit;
pub use tap::CheckTap;

/// The width of an id's column.
const ID: usize = 24;

/// Writes the table.
#[derive(Debug)]
pub struct Check {
    style: Style,
    verbosity: u8,
    quiet: bool,
    group: String,
}

impl Check {
    /// A table; quiet shows only failures and the counts, `-v` the evidence, `-vv` its bytes.
    pub fn new(color: bool, verbosity: u8, quiet: bool) -> Check {
        Check { style: Style::new(color), verbosity, quiet, group: String::new() }
    }

    fn probed(&mut self, probed: &Probed, out: &mut dyn Write) -> io::Result<()> {
        let counts = probed.verdict == ProbeVerdict::Fail && !probed.allowed;
        if self.quiet && !counts {
            return Ok(());
        }
        let (group, id) = probed.id.split_once('.').unwrap_or((probed.id, ""));
        if self.group != group {
            let gap = if self.group.is_empty() { "" } else { "\n" };
            writeln!(out, "{gap}{}", self.style.paint(Tone::Info, group))?;
            self.group = group.to_owned();
        }
        let (mark, tone) = match probed.verdict {
            ProbeVerdict::Pass => ("✓", Tone::Good),
            ProbeVerdict::Fail => ("✗", Tone::Bad),
            ProbeVerdict::Warn => ("!", Tone::Warning),
            ProbeVerdict::NotApplicable => ("–", Tone::Dim),
        };
        let mark = self.style.paint(tone, mark);
        let why = Untrusted::text(&probed.why);
        let allowed = match (probed.allowed, probed.verdict) {
            (true, ProbeVerdict::Fail) => " (allowed)",
            (true, _) => " (passes again, and needn't be allowed any more)",
            (false, _) => "",
        };
        writeln!(out, "  {mark} {id:ID$} {why}{allowed}")?;
        if probed.verdict == ProbeVerdict::Fail || self.verbosity > 0 {
            writeln!(out, "      {}: {}", probed.clause, probed.proves)?;
        }
        let Some(evidence) = &probed.evidence else { return Ok(()) };
        if probed.verdict == ProbeVerdict::Fail || self.verbosity > 0 {
            writeln!(out, "      again: {}", evidence.again)?;
        }
        if self.verbosity > 0 {
            for line in &evidence.story {
                writeln!(out, "      {}", Untrusted::text(line))?;
            }
        }
        if self.verbosity > 1 {
            for (what, bytes) in [("sent", &evidence.sent), ("received", &evidence.received)] {
                writeln!(out, "      {what}: {}", data_encoding::HEXLOWER.encode(bytes))?;
            }
        }
        Ok(())
    }

    fn checked(&self, checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
        let Checked { pass, warn, fail, not_applicable, allowed, unchanged, cut_short: _, took } =
            checked;
        let tone = if *fail > 0 { Tone::Bad } else { Tone::Good };
        let failed = self.style.paint(tone, format!("{fail} fail"));
        write!(out, "\n{pass} pass, {failed}, {warn} warn, {not_applicable} n/a")?;
        if *allowed > 0 {
            write!(out, ", {allowed} allowed to fail")?;
        }
        if *unchanged > 0 {
            write!(out, ", {unchanged} as before")?;
        }
        writeln!(out, " in {}", Took(*took))
    }
}

impl Reporter for Check {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        match *event.event {
            Event::Probed(probed) => self.probed(probed, out),
            Event::Checked(checked) => self.checked(checked, out),
            Event::Notice { level: Level::Detail, text } if !self.quiet => {
                writeln!(out, "{}", Untrusted::text(text))
            }
            _ => Ok(()),
        }
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }
}
