//! `--record`: a session as a script, which plays it again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::event::{Data, Direction, Event, Stamped};
use crate::pattern::{Template, escaped};
use crate::protocol::close::{CloseStatus, Party};
use crate::protocol::frame::Opcode;
use crate::redact::HIDDEN;
use crate::report::{Needs, Reporter};
use crate::text::Untrusted;

/// A pause that is worth a comment.
const LONG: Duration = Duration::from_secs(1);

/// Header fields of the request that every client sends, or that a script can't give.
const USUAL: [&str; 8] = [
    "connection",
    "host",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "upgrade",
    "origin",
];

/// Options of the connection that its events don't tell.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Pings that wstap sends by itself.
    pub is_ours: fn(&[u8]) -> bool,
    /// Files with certificates to trust.
    pub cacert: Vec<PathBuf>,
    /// The client certificate and its key.
    pub cert: Option<PathBuf>,
    /// The key, if it is in a file of its own.
    pub key: Option<PathBuf>,
    /// The Unix socket.
    pub unix_socket: Option<PathBuf>,
    /// Our usual User-Agent, which needs no line.
    pub user_agent: String,
}

/// Writes a script.
#[derive(Debug)]
pub struct Recorder {
    options: RecordOptions,
    /// What goes below `connect`, from the last request.
    below: Vec<String>,
    /// Variables of the environment that hold secrets, and what each is.
    secrets: BTreeMap<String, String>,
    /// The URL of the last attempt.
    url: String,
    /// The certificate wasn't trusted.
    insecure: bool,
    begun: bool,
    last: Option<Duration>,
    /// Pings that came, whose pongs are automatic.
    to_answer: Vec<Vec<u8>>,
    /// A Close frame went one way or the other.
    closing: bool,
    broken: bool,
}

impl Recorder {
    /// A script that begins with the next connection.
    pub fn new(options: RecordOptions) -> Recorder {
        Recorder {
            options,
            below: Vec::new(),
            secrets: BTreeMap::new(),
            url: String::new(),
            insecure: false,
            begun: false,
            last: None,
            to_answer: Vec::new(),
            closing: false,
            broken: false,
        }
    }

    /// `connect`, with its options.
    fn connect(&mut self, url: &str, out: &mut dyn Write) -> io::Result<()> {
        self.closing = false;
        self.broken = false;
        self.to_answer.clear();
        if !std::mem::replace(&mut self.begun, true) {
            writeln!(out, "# recorded by wstap; play it with: wstap run FILE")?;
        }
        let url = self.without_secrets(url);
        for (name, what) in &self.secrets {
            writeln!(out, "# a secret is not recorded: in the environment, {name} is {what}")?;
        }
        self.secrets.clear();
        writeln!(out, "connect {url}")?;
        let RecordOptions { cacert, cert, key, unix_socket, .. } = &self.options;
        let files = cacert.iter().map(|path| ("cacert", path));
        let others = [("cert", cert), ("key", key), ("unix-socket", unix_socket)];
        let others = others.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?)));
        for (name, path) in files.chain(others) {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            writeln!(out, "    {name}: {}", Template::quoted(&path.to_string_lossy()))?;
        }
        if self.insecure {
            writeln!(out, "    insecure")?;
        }
        self.below.iter().try_for_each(|line| writeln!(out, "    {line}"))
    }

    /// A URL whose secrets are variables of the environment.
    fn without_secrets(&mut self, url: &str) -> String {
        let mut out = String::new();
        let mut rest = url;
        while let Some((before, behind)) = rest.split_once(HIDDEN) {
            let key =
                before.strip_suffix('=').and_then(|key| key.rsplit(['?', '&', '/', ';']).next());
            let key = key.filter(|key| !key.is_empty()).unwrap_or("secret");
            let name = variable(key);
            let _ = write!(out, "{}{{{{env.{name}}}}}", Template::quoted(before));
            self.secrets.insert(name, format!("{} in the URL", Untrusted::text(key)));
            rest = behind;
        }
        out.push_str(&Template::quoted(rest));
        out
    }

    fn option(&mut self, name: &str, field: &str, value: &str) {
        if value.contains(HIDDEN) {
            let variable = variable(field);
            // The scheme of a login may stay visible: `Bearer ***`.
            let shown = Template::quoted(value).replace(HIDDEN, &format!("{{{{env.{variable}}}}}"));
            self.below.push(format!("{name}{shown}"));
            let whole = if value == HIDDEN { "the value" } else { "what is hidden" };
            self.secrets
                .insert(variable, format!("{whole} of the header {}", Untrusted::text(field)));
        } else {
            self.below.push(format!("{name}{}", Template::quoted(value)));
        }
    }

    fn pause(&mut self, at: Duration, out: &mut dyn Write) -> io::Result<()> {
        let pause = self.last.map_or(Duration::ZERO, |last| at.saturating_sub(last));
        self.last = Some(at);
        match pause >= LONG {
            true => writeln!(out, "# {:.1} s later", pause.as_secs_f64()),
            false => Ok(()),
        }
    }

    fn told(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()> {
        match *event {
            Event::Attempt { url, .. } => {
                self.url = url.to_owned();
                self.insecure = false;
                Ok(())
            }
            Event::Redirected { to, .. } => {
                self.url = to.to_owned();
                Ok(())
            }
            Event::TlsEstablished { tls, .. } => {
                self.insecure = tls.unverified.is_some();
                Ok(())
            }
            Event::RequestSent { request } => {
                self.below.clear();
                self.secrets.clear();
                let fields: Vec<(String, String)> = request
                    .headers()
                    .map(|(name, value)| {
                        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                        (text(name), text(value))
                    })
                    .collect();
                for (name, value) in &fields {
                    match name.to_ascii_lowercase().as_str() {
                        "sec-websocket-protocol" => self.option("subprotocol: ", name, value),
                        "origin" => self.option("origin: ", name, value),
                        "user-agent" if *value == self.options.user_agent => {}
                        usual if USUAL.contains(&usual) => {}
                        _ => self.option(&format!("header: {name}: "), name, value),
                    }
                }
                let offers = |(name, _): &(String, String)| {
                    name.eq_ignore_ascii_case("sec-websocket-extensions")
                };
                if !fields.iter().any(offers) {
                    self.below.push("no-deflate".to_owned());
                }
                Ok(())
            }
            Event::ResponseReceived { response, followed: false, .. }
                if response.status() != 101 =>
            {
                let url = self.url.clone();
                self.connect(&url, out)?;
                writeln!(out, "expect status {}", response.status())
            }
            Event::Opened { opening } => {
                self.connect(&opening.url, out)?;
                if let Some(name) =
                    opening.subprotocol.as_ref().filter(|name| !name.contains(HIDDEN))
                {
                    writeln!(out, "expect subprotocol {}", Template::quoted(name))?;
                }
                Ok(())
            }
            Event::Data(data) => out.write_all(message(&data).as_bytes()),
            Event::Ping { direction: Direction::In, payload } => {
                self.to_answer.push(payload.to_vec());
                writeln!(out, "expect ping{}", control(payload))
            }
            Event::Ping { direction: Direction::Out, payload }
                if (self.options.is_ours)(payload) =>
            {
                Ok(())
            }
            Event::Ping { direction: Direction::Out, payload } => {
                writeln!(out, "{}", sent_control("ping", payload))
            }
            Event::Pong { direction: Direction::In, payload, .. }
                if (self.options.is_ours)(payload) =>
            {
                Ok(())
            }
            Event::Pong { direction: Direction::In, payload, .. } => {
                writeln!(out, "expect pong{}", control(payload))
            }
            Event::Pong { direction: Direction::Out, payload, .. } => {
                match self.to_answer.iter().position(|ping| ping == payload) {
                    Some(at) => {
                        self.to_answer.remove(at);
                        Ok(())
                    }
                    None => writeln!(out, "{}", sent_control("pong", payload)),
                }
            }
            Event::Close { direction, status, first } => {
                let by_us = direction == Direction::Out;
                self.closing = true;
                match (by_us, first) {
                    (true, Party::Us) if !self.broken => {
                        writeln!(out, "/close{}", closing(status, str::to_owned))
                    }
                    // The answer to a Close, or to a violation, is sent by itself.
                    (true, _) => Ok(()),
                    (false, _) => writeln!(out, "expect close{}", closing(status, escaped)),
                }
            }
            Event::Violation { violation, fatal: true } => {
                self.broken = true;
                self.closing = true;
                let clause = violation.rule.clause();
                match clause.strip_prefix("RFC 6455 §") {
                    Some(clause) => writeln!(out, "expect violation {clause}"),
                    None => writeln!(out, "expect violation"),
                }
            }
            Event::Closed { closure, .. } => {
                self.last = None;
                match closure.received.is_none() && !self.closing {
                    true => writeln!(out, "expect cut"),
                    false => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

impl Reporter for Recorder {
    fn event(&mut self, event: &Stamped<'_>, out: &mut dyn Write) -> io::Result<()> {
        match event.event {
            Event::Data(_) | Event::Ping { .. } | Event::Pong { .. } | Event::Close { .. } => {
                self.pause(event.at.since, out)?;
            }
            Event::Opened { .. } => self.last = Some(event.at.since),
            _ => {}
        }
        self.told(event.event, out)
    }

    fn needs(&self) -> Needs {
        Needs {
            received: true,
            sent: true,
            whole_messages: true,
            control_frames: true,
            ..Needs::default()
        }
    }
}

/// The name of a variable for a header field or a parameter.
fn variable(name: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = name.chars().map(upper).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// A text that can stand behind a word.
fn plain(payload: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(payload).ok()?;
    let fits =
        text.trim() == text && !text.contains(char::is_control) && !text.contains('\u{feff}');
    fits.then_some(text)
}

/// The payload of an expected control frame, if it can be written.
fn control(payload: &[u8]) -> String {
    match plain(payload) {
        Some(text) if !text.is_empty() => format!(" {}", Template::quoted(text)),
        _ => String::new(),
    }
}

fn sent_control(name: &str, payload: &[u8]) -> String {
    match plain(payload) {
        Some("") => format!("/{name}"),
        Some(text) => format!("/{name} {}", Template::quoted(text)),
        None => format!("/frame op={name} hex={}", hex(payload)),
    }
}

/// The code and the reason; at the prompt only the outer quotes aren't sent.
fn closing(status: &CloseStatus, quote: fn(&str) -> String) -> String {
    let Some(code) = status.code else { return String::new() };
    match plain(&status.reason) {
        Some("") | None => format!(" {code}"),
        Some(reason) => format!(" {code} \"{}\"", Template::quoted(&quote(reason))),
    }
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

/// A message as one statement.
fn message(data: &Data<'_>) -> String {
    let sign = if data.direction == Direction::In { '<' } else { '>' };
    let text = match data.opcode {
        Opcode::Text => std::str::from_utf8(data.bytes).ok(),
        _ => None,
    };
    let Some(text) = text else { return format!("{sign}b hex {}\n", hex(data.bytes)) };
    let in_pieces = data.direction == Direction::Out && data.fragments > 1;
    if in_pieces && plain(data.bytes).is_some() {
        let size = data.bytes.len().div_ceil(data.fragments as usize);
        return format!("/fragment {size} {}\n", Template::quoted(text));
    }
    if text.is_empty() {
        return format!("{sign}\n");
    }
    let is_odd = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{feff}';
    let lines_end_plain = text.lines().all(|line| line.trim_end() == line);
    if text.contains(is_odd) || !lines_end_plain {
        return format!("{sign} \\\"{}\"\n", json_string(text));
    }
    if text.contains('\n') {
        let longest =
            text.lines().map(|line| line.bytes().take_while(|b| *b == b'`').count()).max();
        let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
        return format!("{sign}\n{fence}\n{}\n{fence}\n", Template::quoted(text));
    }
    let reads_otherwise = sign == '>' && text.starts_with("file ") || text.starts_with("\\\"");
    match reads_otherwise {
        true => format!("{sign} \\\"{}\"\n", json_string(text)),
        false => format!("{sign} {}\n", Template::quoted(text)),
    }
}

/// The inside of a JSON string, in which no braces are read.
fn json_string(text: &str) -> String {
    escaped(text).replace('\u{feff}', "\\ufeff")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(direction: Direction, opcode: Opcode, bytes: &[u8]) -> String {
        let (first, last) = (true, true);
        message(&Data {
            direction,
            opcode,
            bytes,
            first,
            last,
            fragments: 1,
            wire_len: 0,
            compressed: false,
        })
    }

    #[test]
    fn messages_are_written_so_that_they_read_as_themselves() {
        let out = |text: &str| said(Direction::Out, Opcode::Text, text.as_bytes());
        for (text, line) in [
            ("hello", "> hello\n"),
            ("", ">\n"),
            ("file x", "> \\\"file x\"\n"),
            ("{{x}}", "> \\{{x}}\n"),
            ("a\nb", ">\n```\na\nb\n```\n"),
            ("```\nb", ">\n````\n```\nb\n````\n"),
            ("a\r\nb", "> \\\"a\\r\\nb\"\n"),
            ("\\\"x", "> \\\"\\\\\\\"x\"\n"),
            (" a ", "> \\\" a \"\n"),
            ("  a", ">   a\n"),
        ] {
            assert_eq!(out(text), line);
        }
        assert_eq!(said(Direction::In, Opcode::Binary, b"\x00\xff"), "<b hex 00 ff\n");
        assert_eq!(said(Direction::In, Opcode::Text, b"file x"), "< file x\n");
    }
}
