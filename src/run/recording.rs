//! What a recording has to know of a session.

use crate::connection::{KEEPALIVE, OpenOptions};
use crate::report::record::RecordOptions;
use crate::run::pipe::FENCE;

/// The options that go below `connect`.
pub fn record_options(open: &OpenOptions) -> RecordOptions {
    let tls = &open.dial.tls;
    RecordOptions {
        is_ours: |payload| payload == KEEPALIVE || payload.starts_with(FENCE.as_bytes()),
        cacert: tls.cacert.clone(),
        cert: tls.cert.clone(),
        key: tls.key.clone(),
        unix_socket: open.dial.unix_socket.clone(),
        user_agent: OpenOptions::USER_AGENT.to_owned(),
    }
}
