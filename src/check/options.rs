//! The options of a run of probes.

use std::collections::BTreeMap;
use std::time::Duration;

/// What is tried, and how.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// Ids or groups to try; empty for all.
    pub only: Vec<String>,
    /// Ids or groups to leave out.
    pub skip: Vec<String>,
    /// Ids whose failures don't count.
    pub allow: Vec<String>,
    /// The server is known to send messages back.
    pub echo: bool,
    /// A message that the server understands.
    pub send: String,
    /// How long an answer may take.
    pub patience: Duration,
    /// Also the probes that a shared server would feel.
    pub intrusive: bool,
    /// The largest message that is tried, in bytes.
    pub up_to: usize,
    /// The longest silence that is tried.
    pub idle: Duration,
    /// The verdicts of an earlier run by id: only what differs is told and counts.
    pub baseline: BTreeMap<String, String>,
    /// A warning is a failure of the run.
    pub deny_warnings: bool,
}
