//! `wstap ping` on standard output: a line for each answer, and what came of all of them.

use std::io::{self, Write};
use std::time::Duration;

use crate::event::{Bucket, Event, Opening, RoundTrips, Stamped};
use crate::report::style::{Style, Tone};
use crate::report::{Needs, Reporter};
use crate::text::Untrusted;
use crate::text::units::Took;

/// The longest bar of the histogram, in columns.
const BAR: u64 = 40;

/// What is shown, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct PingView {
    /// Only what came of all pings.
    pub quiet: bool,
    /// With a histogram at the end.
    pub histogram: bool,
    /// Messages are sent instead of pings.
    pub messages: bool,
    /// After how long a ping is lost.
    pub within: Duration,
    /// Colours.
    pub color: bool,
}

/// Writes the lines.
#[derive(Debug)]
pub struct Ping {
    view: PingView,
    style: Style,
    url: String,
}

impl Ping {
    /// A view with these options.
    pub fn new(view: PingView) -> Ping {
        Ping { view, style: Style::new(view.color), url: String::new() }
    }

    fn opened(&mut self, opening: &Opening, out: &mut dyn Write) -> io::Result<()> {
        self.url = Untrusted::text(&opening.url).to_string();
        if self.view.quiet {
            return Ok(());
        }
        writeln!(out, "pinging {}, which took {} to open", self.url, Took(opening.took))
    }

    fn round_trip(
        &self,
        number: u64,
        took: Option<Duration>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (ping, pong) =
            if self.view.messages { ("message", "answer") } else { ("ping", "pong") };
        match took {
            Some(took) => writeln!(out, "{pong} {number}: {} ms", millis(took)),
            None => {
                let within = self.view.within.as_secs_f64();
                let lost = format!("{ping} {number}: no answer within {within} s");
                writeln!(out, "{}", self.style.paint(Tone::Bad, lost))
            }
        }
    }

    fn round_trips(&self, counted: &RoundTrips, out: &mut dyn Write) -> io::Result<()> {
        let gap = if self.view.quiet { "" } else { "\n" };
        let RoundTrips { sent, answered, lost, took, spread } = counted;
        let (percent, took) = (counted.lost_percent(), Took(*took));
        write!(out, "{gap}{}: {sent} sent, {answered} answered, {lost} lost", self.url)?;
        let awaited = sent - answered - lost;
        if awaited > 0 {
            write!(out, ", {awaited} still awaited")?;
        }
        let tone = if *lost > 0 { Tone::Bad } else { Tone::Good };
        let loss = self.style.paint(tone, format!("{percent:.1} % loss"));
        writeln!(out, "; {loss} in {took}")?;
        let Some(spread) = spread else { return Ok(()) };
        let figures = spread.figures().map(|(name, took)| format!("{name} {}", millis(took)));
        writeln!(out, "{} ms", figures.join(", "))?;
        if self.view.histogram { self.histogram(&spread.histogram, out) } else { Ok(()) }
    }

    fn histogram(&self, buckets: &[Bucket], out: &mut dyn Write) -> io::Result<()> {
        let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or_default().max(1);
        writeln!(out)?;
        for Bucket { below, count } in buckets {
            // What there is can be seen, however little it is.
            let columns = (u128::from(*count) * u128::from(BAR)).div_ceil(u128::from(most));
            let bar = "#".repeat(columns as usize);
            let bar = self.style.paint(Tone::Info, bar);
            writeln!(out, "< {:>12} ms {count:>9} {bar}", millis(*below))?;
        }
        Ok(())
    }
}

impl Reporter for Ping {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        match *event.event {
            Event::Opened { opening } => self.opened(opening, out),
            Event::RoundTrip { number, took } if !self.view.quiet => {
                self.round_trip(number, took, out)
            }
            Event::RoundTrips(counted) => self.round_trips(counted, out),
            _ => Ok(()),
        }
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }
}

/// Milliseconds with as many decimals as the clock is good for, and no more than three digits need.
fn millis(took: Duration) -> String {
    let millis = took.as_secs_f64() * 1e3;
    match took.as_millis() {
        0..10 => format!("{millis:.3}"),
        10..100 => format!("{millis:.2}"),
        100..1000 => format!("{millis:.1}"),
        _ => format!("{millis:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Spread;
    use crate::report::testing::shown;

    const VIEW: PingView = PingView {
        quiet: false,
        histogram: false,
        messages: false,
        within: Duration::from_millis(500),
        color: false,
    };

    fn counted() -> RoundTrips {
        let bucket = |micros, count| Bucket { below: Duration::from_micros(micros), count };
        let spread = Spread {
            min: Duration::from_micros(42),
            mean: Duration::from_micros(15_123),
            max: Duration::from_millis(1234),
            histogram: vec![bucket(64, 80), bucket(128, 1), bucket(256, 0), bucket(512, 20)],
            ..Spread::default()
        };
        let took = Duration::from_secs(3);
        RoundTrips { sent: 4, answered: 2, lost: 1, took, spread: Some(spread) }
    }

    fn report(view: PingView) -> String {
        let url = "ws://h/\x1b?token=***".to_owned();
        let opening = Opening { url, took: Duration::from_millis(23), ..Opening::default() };
        let counted = counted();
        shown(
            &mut Ping::new(view),
            &[
                Event::Opened { opening: &opening },
                Event::RoundTrip { number: 1, took: Some(Duration::from_micros(420)) },
                Event::RoundTrip { number: 2, took: None },
                Event::RoundTrips(&counted),
            ],
        )
    }

    #[test]
    fn a_line_for_each_ping_and_the_figures() {
        let figures = "ws://h/\\x1b?token=***: 4 sent, 2 answered, 1 lost, 1 still awaited; \
             33.3 % loss in 3.00 s\n\
             min 0.042, mean 15.12, p50 0.000, p90 0.000, p99 0.000, max 1234, jitter 0.000 ms\n";
        assert_eq!(
            report(VIEW),
            format!(
                "pinging ws://h/\\x1b?token=***, which took 23 ms to open\npong 1: 0.420 ms\n\
                 ping 2: no answer within 0.5 s\n\n{figures}"
            )
        );
        assert_eq!(report(PingView { quiet: true, ..VIEW }), figures);
        let messages = report(PingView { messages: true, ..VIEW });
        assert!(messages.contains("\nanswer 1: 0.420 ms\nmessage 2: no answer"), "{messages}");
    }

    #[test]
    fn a_histogram_has_bars_of_forty_columns_at_most() {
        let text = report(PingView { histogram: true, ..VIEW });
        let (_, histogram) = text.rsplit_once("\n\n").unwrap();
        assert_eq!(
            histogram,
            format!(
                "<        0.064 ms        80 {}\n<        0.128 ms         1 #\n\
                 <        0.256 ms         0 \n<        0.512 ms        20 {}\n",
                "#".repeat(40),
                "#".repeat(10)
            )
        );
        assert!(histogram.lines().all(|line| line.len() < 80));
    }

    #[test]
    fn without_an_answer_there_are_no_figures() {
        let counted = RoundTrips { sent: 1, lost: 1, ..RoundTrips::default() };
        let text = shown(&mut Ping::new(VIEW), &[Event::RoundTrips(&counted)]);
        assert_eq!(text, "\n: 1 sent, 0 answered, 1 lost; 100.0 % loss in 0.00 ms\n");
    }
}
