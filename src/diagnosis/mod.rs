//! Why it failed: facts in, findings out.
//!
//! [`Facts`] say what was sent, what came back, and how far the connection came. Each family of
//! causes is one file with its rules; a rule looks at the facts and gives a [`Finding`] or
//! nothing: the cause, the evidence for it, the next step, and how sure it is. Nothing here reads a
//! socket, a clock or the environment.
//!
//! A healthy server must get no finding, and a rule that isn't sure says "may". docs/diagnosis.md
//! lists every rule with its test.
//!
//! ```
//! use wstap::diagnosis::{End, Facts, Sent, Sure, diagnose};
//! use wstap::http::head::{HeadLimits, HeadReader};
//!
//! let head = b"HTTP/1.1 426 Upgrade Required\r\nServer: nginx\r\n\r\n";
//! let (answer, _) = HeadReader::new(HeadLimits::default()).feed(head).unwrap().unwrap();
//! let found = diagnose(&Facts::new(Sent::default(), End::Refused(&answer)));
//! assert_eq!((found[0].rule, found[0].sure), ("upgrade-dropped", Sure::Probable));
//! assert!(found[0].next[0].contains("proxy_set_header Upgrade $http_upgrade;"));
//! ```

mod close;
mod facts;
mod finding;
mod idle;
mod login;
mod origin;
mod path;
mod peer;
mod port;
mod proxy;
mod request;
mod socketio;
mod subprotocol;
#[cfg(test)]
mod testing;
mod tls;
mod violation;
pub mod words;

use finding::Rule;

pub use close::meaning;
pub use facts::{End, Facts, Login, Message, Sent, Talk, messages};
pub use finding::{Finding, Sure};
pub use peer::{Known, Peer, known, proxies};

/// Every family, the more specific ones first: among equally sure findings the first one counts.
const FAMILIES: [&[Rule]; 12] = [
    request::RULES,
    tls::RULES,
    socketio::RULES,
    subprotocol::RULES,
    origin::RULES,
    login::RULES,
    path::RULES,
    proxy::RULES,
    port::RULES,
    violation::RULES,
    close::RULES,
    idle::RULES,
];

/// The names of all rules that judge a connection, in the order of their families.
pub fn rules() -> impl Iterator<Item = &'static str> {
    FAMILIES.into_iter().flatten().map(|rule| rule.name)
}

/// The most findings that are returned.
const MAX: usize = 4;

/// The findings, the surest first. What only may be the cause is left out once something is certain.
pub fn diagnose(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = FAMILIES
        .into_iter()
        .flatten()
        .filter_map(|rule| {
            let finding = (rule.find)(facts)?;
            Some(Finding { rule: rule.name, ..finding })
        })
        .collect();
    found.sort_by_key(|finding| std::cmp::Reverse(finding.sure));
    let surest = found.first().map(|finding| finding.sure);
    found.retain(|finding| finding.sure != Sure::May || surest != Some(Sure::Certain));
    found.truncate(MAX);
    found
}
