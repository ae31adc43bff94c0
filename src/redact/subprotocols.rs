//! Secrets among subprotocols. Browsers can't set headers, so servers take tokens as subprotocols: as
//! the entry after a word such as `bearer`, behind such a word in the same entry, or alone.

use std::ops::Range;

use memchr::memmem;

use super::find::{self, is_random};

/// Words after which a token follows as the next entry.
const ANNOUNCE: &[&[u8]] = &[
    b"access-token",
    b"access_token",
    b"accesstoken",
    b"api-key",
    b"api_key",
    b"apikey",
    b"auth",
    b"auth-token",
    b"auth_token",
    b"authorization",
    b"basic",
    b"bearer",
    b"id_token",
    b"jwt",
    b"password",
    b"secret",
    b"session",
    b"session_id",
    b"ticket",
    b"token",
    b"x-api-key",
];

/// Those of them that follow another.
const SCHEMES: &[&[u8]] = &[b"basic", b"bearer"];

/// Words behind which a secret begins in the same entry, after a dot or an equals sign.
const INSIDE: &[&[u8]] = &[
    b"access-key",
    b"access_key",
    b"api-key",
    b"api_key",
    b"apikey",
    b"auth",
    b"bearer",
    b"jwt",
    b"password",
    b"secret",
    b"session",
    b"ticket",
    b"token",
];

/// The same at an entry's beginning, after any other character; `header-` is AWS AppSync's.
const BEFORE: &[&[u8]] = &[
    b"access-token",
    b"access_token",
    b"accesstoken",
    b"api-key",
    b"api_key",
    b"apikey",
    b"authorization",
    b"basic",
    b"bearer",
    b"header",
    b"jwt",
    b"password",
    b"secret",
    b"ticket",
    b"token",
    b"x-api-key",
];

/// Where the secrets of a list of subprotocols are.
pub(super) fn secrets(list: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut announced = false;
    let mut end = 0;
    for member in list.split_inclusive(|b| *b == b',' || b.is_ascii_whitespace()) {
        let start = end;
        end += member.len();
        let entry = member.trim_ascii();
        let entry = entry.strip_suffix(b",").unwrap_or(entry);
        // A handshake rule's evidence separates entries by "or".
        if entry.is_empty() || entry == b"or" {
            continue;
        }
        let entry_end = start + entry.len();
        let is = |word: &&[u8]| entry.eq_ignore_ascii_case(word);
        // `Authorization, Bearer, TOKEN`: a scheme that was announced announces, too.
        let words = if announced { SCHEMES } else { ANNOUNCE };
        if words.iter().any(is) {
            announced = true;
            continue;
        }
        match secret_from(entry) {
            Some(at) if !announced => found.push(start + at..entry_end),
            None if !announced && !is_token(entry) => {}
            _ => found.push(start..entry_end),
        }
        announced = false;
    }
    found.extend(find::secrets(list, find::Kind::Words));
    found
}

/// A token without a word before it.
fn is_token(entry: &[u8]) -> bool {
    find::is_jwt(entry) || entry.len() >= 20 && (entry.starts_with(b"eyJ") || is_random(entry))
}

/// Where the secret begins in an entry such as `access_token.SECRET`.
fn secret_from(entry: &[u8]) -> Option<usize> {
    let lower = entry.to_ascii_lowercase();
    // Kubernetes: base64url.bearer.authorization.k8s.io.TOKEN.
    let k8s = b".k8s.io.";
    if let Some(at) = memmem::find(&lower, k8s) {
        return Some(at + k8s.len());
    }
    let mut first = BEFORE.iter().filter_map(|word| Some((word.len(), lower.strip_prefix(*word)?)));
    let behind = first.find_map(|(word, rest)| {
        let between = match rest {
            [b'%', b'0'..=b'9', _, _, ..] => 3,
            [b'-' | b'_' | b':' | b'|' | b'!' | b'+' | b'~' | b'#' | b'.' | b'=', _, ..] => 1,
            _ => return None,
        };
        Some(word + between)
    });
    if behind.is_some() {
        return behind;
    }
    let word = INSIDE.iter().filter_map(|word| Some(memmem::find(&lower, word)? + word.len()));
    let word = word.min()?;
    let sign = memchr::memchr3(b'.', b'=', b':', lower.get(word..)?)?;
    Some(word + sign + 1).filter(|at| *at < entry.len())
}

#[cfg(test)]
mod tests {
    use super::super::protocols;

    fn list(text: &str) -> String {
        String::from_utf8_lossy(&protocols(text.as_bytes())).into_owned()
    }

    #[test]
    fn tokens_are_hidden() {
        for (given, shown) in [
            ("bearer, abc", "bearer, ***"),
            ("graphql-ws, Bearer,abc,chat", "graphql-ws, Bearer,***,chat"),
            ("Authorization, Bearer, abc", "Authorization, Bearer, ***"),
            ("access_token, abc", "access_token, ***"),
            ("ticket,abc", "ticket,***"),
            (
                "base64url.bearer.authorization.k8s.io.abc, v4.channel.k8s.io",
                "base64url.bearer.authorization.k8s.io.***, v4.channel.k8s.io",
            ),
            ("access_token.abc", "access_token.***"),
            ("realtime, openai-insecure-api-key.sk-1", "realtime, openai-insecure-api-key.***"),
            ("eyJhbGciOi.eyJzdWIi.sig", "***"),
            ("chat, eyJhbGciOi.eyJzdWIi.sig, b", "chat, ***, b"),
            ("bearer or abc", "bearer or ***"),
            ("graphql-ws, header-eyJob3N0IjoiaCJ9", "graphql-ws, header-***"),
            ("bearer-abc", "bearer-***"),
            ("Bearer%20abc", "Bearer%20***"),
            ("token:abc", "token:***"),
            ("jwt|abc", "jwt|***"),
            ("auth=abc", "auth=***"),
            ("my-token.abc", "my-token.***"),
            ("x-session:abc", "x-session:***"),
            ("3q2-7wFk9sLmQ0ZxT1bV8n", "***"),
            ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "***"),
            ("550e8400-e29b-41d4-a716-446655440000", "***"),
            ("chat, eyJob3N0IjoiZXhhbXBsZSJ9", "chat, ***"),
        ] {
            assert_eq!(list(given), shown);
        }
    }

    #[test]
    fn names_are_shown() {
        for name in [
            "chat, superchat",
            "graphql-transport-ws",
            "actioncable-v1-json, actioncable-unsupported",
            "v4.channel.k8s.io",
            "SPDY/3.1+portforward.k8s.io",
            "ocpp2.0.1, ocpp1.6",
            "wamp.2.msgpack.batched",
            "json.reliable.webpubsub.azure.v1",
            "com.example.ReallyLongCamelCaseProtocolV2",
            "v12.stomp, mqttv3.1",
            "xmpp, sip, rfb, binary, janus-protocol",
            "openai-beta.realtime-v1",
            "auth-v1, session-chat",
            "bearer",
        ] {
            assert_eq!(list(name), name);
        }
    }
}
