//! What the calls are, and what they are made on.

/// What a descriptor is to us: which failures it can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A regular file.
    File,
    /// A connection.
    Socket,
    /// Standard error.
    Stderr,
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// The pipe by which one thread wakes another.
    Wake,
}

/// The kinds of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Connect,
    Poll,
    Read,
    Write,
}
