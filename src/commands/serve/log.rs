//! What the server tells on stderr.

use std::fmt;
use std::io::{self, Write};

use crate::text::Untrusted;

/// Header fields whose values are nobody's business.
const SECRET: [&[u8]; 3] = [b"authorization", b"proxy-authorization", b"cookie"];

/// Where and how much is told; formats what peers chose through [`Untrusted`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    /// Whether anything is told: the terminal may belong to somebody else.
    pub(super) on: bool,
    /// 1: handshakes and closes; 2: messages.
    pub(super) verbose: u8,
}

impl Log {
    /// Tells what should be known without being asked for, such as failures of clients.
    pub(super) fn line(&self, line: fmt::Arguments<'_>) {
        if self.on {
            // There is nobody to tell that stderr is gone.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    /// Tells a detail if that much was asked for.
    pub(super) fn detail(&self, verbose: u8, line: fmt::Arguments<'_>) {
        if self.verbose >= verbose {
            self.line(line);
        }
    }

    /// Tells the lines of a request's or response's head; `mark` says which.
    pub(super) fn head(&self, client: u64, mark: char, head: &[u8]) {
        if self.verbose == 0 {
            return;
        }
        for line in head.split(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match line.iter().position(|b| *b == b':').and_then(|at| line.split_at_checked(at)) {
                Some((name, _)) if SECRET.iter().any(|s| name.eq_ignore_ascii_case(s)) => {
                    self.line(format_args!("#{client} {mark} {}: ***", Untrusted(name)));
                }
                _ if line.is_empty() => {}
                _ => self.line(format_args!("#{client} {mark} {}", Untrusted(line))),
            }
        }
    }
}
