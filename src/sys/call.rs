//! The kinds of system calls, and of descriptors.

/// The role of a descriptor, which decides how it can fail.
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
