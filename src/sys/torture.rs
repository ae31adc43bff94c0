//! Failures on demand, for tests of builds with debug assertions; other builds don't have this
//! file.
//!
//! `WSTAP_TORTURE=WHEN:FAULT[:KIND]`. WHEN is the number of the call to fail, from 1; `*` for
//! every call; or `*/N` for each N-th. FAULT is `EINTR`, `EAGAIN`, `SHORT` (at most one byte
//! moves),
//! `ECONNRESET`, `EPIPE`, `ENOSPC`, `EIO`, or `PANIC`; a call that can't fail like that is left
//! alone. KIND lets only some calls count: `poll`, `socket.connect`, `socket.read`,
//! `stdout.write`, … `WSTAP_TORTURE_LOG=FILE` writes down the kind of each call, a line each, and
//! behind it the fault that it got.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::{Errno, Result};

use super::call::{Call, Role};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Fails(Errno),
    Panics,
    Short,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Each(usize),
    Once(usize),
}

#[derive(Debug, Default)]
struct Plan {
    fault: Option<(When, Fault)>,
    /// The fault as it is spelled in the variable.
    name: String,
    kind: Option<String>,
    counted: AtomicUsize,
    log: Option<File>,
}

/// How many of `len` bytes the call may move.
pub(super) fn allowed(call: Call, role: Role, len: usize) -> Result<usize> {
    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
    match PLAN.get_or_init(Plan::from_environment) {
        Some(plan) => plan.allowed(call, role, len),
        None => Ok(len),
    }
}

impl Plan {
    fn from_environment() -> Option<Plan> {
        let wanted = std::env::var("WSTAP_TORTURE").ok();
        let log = std::env::var_os("WSTAP_TORTURE_LOG");
        if wanted.is_none() && log.is_none() {
            return None;
        }
        let mut plan = Plan::default();
        if let Some(wanted) = wanted {
            plan = Plan::parse(&wanted).unwrap_or_else(|| panic!("WSTAP_TORTURE: {wanted:?}"));
        }
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        plan.log = log.map(|path| open(path).unwrap_or_else(|e| panic!("WSTAP_TORTURE_LOG: {e}")));
        Some(plan)
    }

    fn parse(wanted: &str) -> Option<Plan> {
        let mut parts = wanted.splitn(3, ':');
        let when = match parts.next()? {
            "*" => When::Each(1),
            number => match number.strip_prefix("*/") {
                Some(number) => When::Each(number.parse().ok().filter(|n| *n > 0)?),
                None => When::Once(number.parse().ok()?),
            },
        };
        let name = parts.next()?;
        let fault = match name {
            "EAGAIN" => Fault::Fails(Errno::AGAIN),
            "ECONNRESET" => Fault::Fails(Errno::CONNRESET),
            "EINTR" => Fault::Fails(Errno::INTR),
            "EIO" => Fault::Fails(Errno::IO),
            "ENOSPC" => Fault::Fails(Errno::NOSPC),
            "EPIPE" => Fault::Fails(Errno::PIPE),
            "PANIC" => Fault::Panics,
            "SHORT" => Fault::Short,
            _ => return None,
        };
        let kind = parts.next().map(str::to_owned);
        let name = name.to_owned();
        Some(Plan { fault: Some((when, fault)), name, kind, ..Plan::default() })
    }

    fn allowed(&self, call: Call, role: Role, len: usize) -> Result<usize> {
        let kind = kind(call, role);
        let fault = self.strikes(&kind).filter(|fault| fault.is_possible(call, role));
        if let Some(mut log) = self.log.as_ref() {
            let name = fault.map_or(String::new(), |_| format!(" {}", self.name));
            let _ = log.write_all(format!("{kind}{name}\n").as_bytes());
        }
        match fault {
            Some(Fault::Fails(errno)) => Err(errno),
            Some(Fault::Panics) => panic!("a panic was asked for"),
            Some(Fault::Short) => Ok(len.min(1)),
            None => Ok(len),
        }
    }

    /// The fault for the current call.
    fn strikes(&self, kind: &str) -> Option<Fault> {
        let (when, fault) = self.fault?;
        if self.kind.as_deref().is_some_and(|wanted| wanted != kind) {
            return None;
        }
        let number = self.counted.fetch_add(1, Ordering::Relaxed) + 1;
        let due = match when {
            When::Each(n) => number.is_multiple_of(n),
            When::Once(n) => number == n,
        };
        due.then_some(fault)
    }
}

impl Fault {
    /// Whether a call on such a descriptor can fail with this fault.
    fn is_possible(self, call: Call, role: Role) -> bool {
        let moves = matches!(call, Call::Read | Call::Write);
        match self {
            Fault::Panics | Fault::Fails(Errno::INTR) => true,
            Fault::Short => moves,
            // A wake pipe is only ever full, in which case it already wakes.
            Fault::Fails(Errno::AGAIN) => {
                moves && role != Role::File && (call, role) != (Call::Write, Role::Wake)
            }
            Fault::Fails(Errno::CONNRESET) => role == Role::Socket,
            Fault::Fails(Errno::PIPE) => {
                call == Call::Write && !matches!(role, Role::File | Role::Wake)
            }
            Fault::Fails(Errno::NOSPC) => {
                call == Call::Write && matches!(role, Role::File | Role::Stderr | Role::Stdout)
            }
            Fault::Fails(_) => moves && role != Role::Wake,
        }
    }
}

fn kind(call: Call, role: Role) -> String {
    match call {
        Call::Poll => "poll".to_owned(),
        _ => format!("{role:?}.{call:?}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(wanted: &str, calls: &[(Call, Role)]) -> Vec<Result<usize>> {
        let plan = Plan::parse(wanted).unwrap();
        calls.iter().map(|(call, role)| plan.allowed(*call, *role, 10)).collect()
    }

    #[test]
    fn the_call_that_was_named_fails() {
        let read = (Call::Read, Role::Socket);
        let poll = (Call::Poll, Role::Wake);
        let reset = Err(Errno::CONNRESET);
        assert_eq!(struck("2:ECONNRESET", &[read, read, read]), [Ok(10), reset, Ok(10)]);
        assert_eq!(
            struck("2:ECONNRESET:socket.read", &[read, poll, read]),
            [Ok(10), Ok(10), reset]
        );
        assert_eq!(struck("*/2:SHORT", &[read, read, poll, poll]), [Ok(10), Ok(1), Ok(10), Ok(10)]);
        assert_eq!(struck("*:EINTR:poll", &[read, poll]), [Ok(10), Err(Errno::INTR)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wanted in ["", "1", "x:EINTR", "*/0:EINTR", "1:EWHAT"] {
            assert!(Plan::parse(wanted).is_none(), "{wanted}");
        }
    }
}
