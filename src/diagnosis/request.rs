//! The request itself: typed headers can make it no handshake.

use crate::diagnosis::finding::{Finding, Rule, certain};
use crate::diagnosis::{End, Facts};

pub(super) const RULES: &[Rule] = &[Rule { name: "request-incomplete", find: request_incomplete }];

fn request_incomplete(facts: &Facts<'_>) -> Option<Finding> {
    let flaws = facts.sent.flaws.join(", ");
    let ended = match &facts.end {
        End::Open(_) | End::Foreign(_) => false,
        End::Silent { .. } | End::Hanging | End::Refused(_) | End::Broken { .. } => true,
    };
    (ended && !flaws.is_empty()).then(|| {
        certain(format!("the request itself is no WebSocket handshake: it lacks {flaws}"))
            .because("a typed header replaces or removes wstap's own")
            .next("leave that -H out")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, check};

    #[test]
    fn requests() {
        check(RULES, &[
            Case::refused("request-incomplete", "HTTP/1.1 400 Bad Request\r\n\r\n")
                .request("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 12\r\n\r\n")
                .says(&["lacks Upgrade: websocket, Sec-WebSocket-Version: 13", "-H"]),
        ]);
    }
}
