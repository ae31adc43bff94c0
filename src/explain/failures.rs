//! What the rules of [`crate::diagnosis`] know, offline: proxies and the words of errors.

use crate::diagnosis::{known, proxies, words};
use crate::text::Untrusted;

/// What a proxy or gateway needs for WebSockets.
pub(super) fn proxy(name: &str) -> Option<String> {
    if name == "proxy" || name == "proxies" {
        let lines = proxies().map(|known| format!("  {}: {}\n", known.name, known.upgrade));
        let list: String = lines.collect();
        return Some(format!("What a proxy needs to pass the upgrade to WebSocket on\n\n{list}"));
    }
    let known = known(name)?;
    Some(format!(
        "{}\n\nTo pass the upgrade on:  {}\nIdle connections:        {}\nOwn refusals (403):      {}\n\
         Why it has no backend:   {}\n",
        known.name, known.upgrade, known.idle, known.denies, known.log
    ))
}

/// What the words of an error mean: of a Close reason, a refusal's body, a message.
pub(super) fn words(text: &str) -> Option<String> {
    let meaning = words::meaning(text)?;
    let text = Untrusted::text(text);
    Some(format!(
        "\"{text}\", said by a server: {}\n\nWhat to try:\n  - {}\n",
        meaning.cause, meaning.next
    ))
}
