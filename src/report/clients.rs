//! The server's view for people: one client's view for each connection, with `#N ` before each
//! line.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::event::{Event, Stamped};
use crate::report::human::{Human, HumanOptions};
use crate::report::{Needs, Reporter};

/// Writes lines for people who run a server.
#[derive(Debug)]
pub struct Clients {
    options: HumanOptions,
    /// For events without a client, or of a client whose connection isn't open.
    others: Human,
    /// For open connections.
    open: HashMap<u64, Human>,
}

impl Clients {
    /// A view with this verbosity: the count of `-v`.
    pub fn new(verbosity: u8) -> Clients {
        let options = HumanOptions { verbosity, server: true, ..HumanOptions::default() };
        Clients { options, others: Human::new(options), open: HashMap::new() }
    }
}

impl Reporter for Clients {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Some(client) = event.client else { return self.others.event(event, out) };
        if let Event::Opened { .. } = event.event {
            self.open.insert(client, Human::new(self.options));
        }
        let human = self.open.get_mut(&client).unwrap_or(&mut self.others);
        let shown = human.event(event, &mut Numbered { client, out, inside: false });
        if let Event::Closed { .. } = event.event {
            self.open.remove(&client);
        }
        shown
    }

    fn needs(&self) -> Needs {
        self.others.needs()
    }
}

/// Puts the client's number before each line.
struct Numbered<'o> {
    client: u64,
    out: &'o mut dyn Write,
    /// A line has begun.
    inside: bool,
}

impl Write for Numbered<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            if !self.inside {
                write!(self.out, "#{} ", self.client)?;
            }
            self.out.write_all(line)?;
            self.inside = !line.ends_with(b"\n");
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Direction, Level, Opening};
    use crate::protocol::frame::{FrameHeader, Opcode};
    use crate::report::testing::stamped;

    #[test]
    fn each_line_has_its_clients_number() {
        let mut view = Clients::new(3);
        let mut out = Vec::new();
        let mut tell = |client: Option<u64>, event: Event<'_>| {
            view.event(&Stamped { client, ..stamped(&event) }, &mut out).unwrap();
        };
        tell(None, Event::Notice { level: Level::Info, text: "listening" });
        let opening = Opening { url: "ws://h/".into(), ..Opening::default() };
        tell(Some(2), Event::Opened { opening: &opening });
        let direction = Direction::In;
        let header = FrameHeader::new(Opcode::Text, 1);
        tell(
            Some(2),
            Event::Frame(crate::event::Frame { direction, header, bytes: &[0x81, 1], offset: 0 }),
        );
        let wire = &b"x"[..];
        let payload = crate::event::FramePayload { direction, wire, masking_key: None, offset: 0 };
        tell(Some(2), Event::FramePayload(payload));
        let text = String::from_utf8(out).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!(first, "* listening");
        assert!(rest.contains("#2 * opened ws://h/ in "), "{rest}");
        assert!(rest.contains("#2 <f "), "{rest}");
        assert!(rest.lines().all(|line| line.starts_with("#2 ")), "{rest}");
        assert!(rest.lines().any(|line| line.contains("|x|")), "{rest}");
    }
}
