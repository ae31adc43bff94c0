//! What the server tells on stderr.

use std::fmt;

use crate::redact;
use crate::sys;
use crate::text::Untrusted;

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
            sys::complain(line);
        }
    }

    /// Tells a detail if that much was asked for.
    pub(super) fn detail(&self, verbose: u8, line: fmt::Arguments<'_>) {
        if self.verbose >= verbose {
            self.line(line);
        }
    }

    /// Tells the lines of a request's or response's head, secrets hidden; `mark` says which.
    pub(super) fn head(&self, client: u64, mark: char, head: &[u8]) {
        if self.verbose == 0 {
            return;
        }
        for line in redact::head(head).split(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                self.line(format_args!("#{client} {mark} {}", Untrusted(line)));
            }
        }
    }
}
