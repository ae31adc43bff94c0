//! Why an open connection failed: its facts for the rules of [`crate::diagnosis`].

use std::borrow::Cow;

use crate::connection::{Connection, Fault};
use crate::diagnosis::{self, End, Facts, Finding, Talk};
use crate::protocol::deflate::Params;

impl Connection {
    /// What the rules find in its opening and, if it has ended, in its end.
    pub fn findings(&self) -> Vec<Finding> {
        let opening = &self.opened.opening;
        let violation = match &self.fault {
            Some(Fault::Violation(violation)) => Some(violation),
            // These say what they are.
            Some(Fault::Limit(_) | Fault::Silent(_) | Fault::Tls(_)) => return Vec::new(),
            None => None,
        };
        let (answers_pings, ping_interval) = self.liveness_options;
        diagnosis::diagnose(&Facts::new(
            self.opened.sent(),
            End::Open(Box::new(Talk {
                response: self.opened.response.shown(),
                subprotocol: opening.subprotocol.as_deref().map(Cow::Borrowed),
                deflate: self.deflate(),
                first: &self.first,
                totals: self.totals(),
                last_sent: self.outbox.last,
                open_for: self.now - self.opened_at,
                idle: self.now - self.moved_at,
                answers_pings,
                ping_interval,
                closure: self.closure.as_ref(),
                violation,
                tail: self.receiver.tail(),
            })),
        ))
    }

    fn deflate(&self) -> Option<Params> {
        self.receiver.deflate()
    }
}
