//! Words of errors: what a refusal's body, a Close reason or a last message means.

/// What some words mean.
#[derive(Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The kind, for the rules and for `explain`.
    pub kind: Kind,
    /// Words in lower case, one of which must be there.
    pub words: &'static [&'static str],
    /// The cause, behind "the application says that".
    pub cause: &'static str,
    /// What helps.
    pub next: &'static str,
}

/// Kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A token or a session has expired.
    Expired,
    /// The Origin.
    Origin,
    /// Too many requests or connections.
    Limit,
    /// The subprotocol.
    Subprotocol,
    /// Nothing was sent in time.
    Silence,
    /// Something is too large.
    TooLarge,
    /// No credentials, or wrong ones.
    Login,
    /// Known, but not allowed.
    Forbidden,
    /// Something first.
    First,
    /// It doesn't exist.
    Unknown,
    /// The message can't be understood.
    Format,
    /// A version.
    Version,
    /// The server fails.
    Failure,
    /// The server goes away.
    Restart,
    /// Another connection took its place.
    Replaced,
}

/// What to send first with each subprotocol or protocol.
pub const FIRST: &[(&str, &str)] = &[
    ("graphql-transport-ws", "{\"type\":\"connection_init\"}"),
    ("graphql-ws", "{\"type\":\"connection_init\"}"),
    ("actioncable-v1-json", "{\"command\":\"subscribe\",\"identifier\":\"…\"}"),
    ("v12.stomp", "a CONNECT frame that ends with NUL"),
    ("v11.stomp", "a CONNECT frame that ends with NUL"),
    ("v10.stomp", "a CONNECT frame that ends with NUL"),
    ("wamp.2.json", "[1,\"realm1\",{}] (HELLO)"),
    ("mqtt", "an MQTT CONNECT packet, binary"),
    ("mqttv3.1", "an MQTT CONNECT packet, binary"),
    ("json.webpubsub.azure.v1", "{\"type\":\"joinGroup\",…}"),
    ("xmpp", "<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" …/>"),
    ("ocpp1.6", "[2,\"1\",\"BootNotification\",{…}]"),
    ("ocpp2.0.1", "[2,\"1\",\"BootNotification\",{…}]"),
];

/// Every kind; the first that fits counts.
pub const MEANINGS: &[Meaning] = &[
    Meaning {
        kind: Kind::Origin,
        words: &["origin", "cross-site", "csrf"],
        cause: "the Origin is not allowed",
        next: "-o https://HOST with an Origin that the server allows; or add it to the server's list",
    },
    Meaning {
        kind: Kind::Expired,
        words: &["expired", "expiry", "no longer valid", "session has ended", "stale token"],
        cause: "the token or the session has expired",
        next: "get a fresh token or session (--bearer, --cookie, ?token=…)",
    },
    Meaning {
        kind: Kind::Limit,
        words: &[
            "rate limit",
            "rate-limit",
            "ratelimit",
            "rate_limit",
            "too many",
            "throttl",
            "quota",
            "slow down",
            "limit exceeded",
            "limit reached",
            "connection limit",
            "max connections",
            "maximum number",
            "flood",
            "overload",
            "busy",
            "try again later",
            "capacity",
        ],
        cause: "there are too many requests or connections (a rate limit)",
        next: "wait and retry, more slowly (--reconnect --backoff 5s..60s); close other connections",
    },
    Meaning {
        kind: Kind::Subprotocol,
        words: &["subprotocol", "sub-protocol", "sec-websocket-protocol", "protocol not"],
        cause: "the subprotocol is missing or not one that it knows",
        next: "-s NAME with a subprotocol of the server",
    },
    Meaning {
        kind: Kind::TooLarge,
        words: &[
            "too large",
            "too big",
            "too long",
            "exceeds",
            "max size",
            "max_size",
            "maximum size",
            "payload size",
        ],
        cause: "the message is too large",
        next: "send smaller messages, or raise the server's limit",
    },
    Meaning {
        kind: Kind::Silence,
        words: &[
            "timeout",
            "timed out",
            "time out",
            "idle",
            "inactiv",
            "heartbeat",
            "keepalive",
            "keep-alive",
            "no ping",
            "no pong",
            "pong",
            "ping",
            "not received in time",
        ],
        cause: "it waited too long for a message or a heartbeat",
        next: "send what it expects in time (its heartbeat or first message); --ping-interval 20 keeps the \
               connection busy",
    },
    Meaning {
        kind: Kind::Login,
        words: &[
            "unauthor",
            "unauthenticated",
            "authenticat",
            "credential",
            "login",
            "log in",
            "logged in",
            "sign in",
            "token",
            "api key",
            "api_key",
            "apikey",
            "api-key",
            "not authorized",
            "password",
            "session id",
            "cookie",
            "jwt",
            "bearer",
            "no session",
            "401",
        ],
        cause: "the login (token, cookie or password) is missing or wrong",
        next: "--bearer TOKEN, --cookie, ?token=… in the URL, or the login message that it expects first",
    },
    Meaning {
        kind: Kind::Forbidden,
        words: &[
            "forbidden",
            "not allowed",
            "permission",
            "denied",
            "blocked",
            "banned",
            "not permitted",
            "403",
        ],
        cause: "this account or address is not allowed to do that",
        next: "check the account's rights and the path",
    },
    Meaning {
        kind: Kind::Replaced,
        words: &[
            "another connection",
            "other connection",
            "replaced",
            "duplicate",
            "logged in elsewhere",
            "already connected",
            "conflict",
            "new connection",
        ],
        cause: "another connection took this one's place",
        next: "close the other client, or use another id",
    },
    Meaning {
        kind: Kind::First,
        words: &[
            "connection_init",
            "handshake",
            "hello",
            "first message",
            "must be first",
            "before",
            "not initiali",
            "expected connect",
            "connect frame",
            "identify",
            "not subscribed",
        ],
        cause: "another message must come first",
        next: "send the first message that its protocol expects (hello, connect, connection_init, login)",
    },
    Meaning {
        kind: Kind::Unknown,
        words: &[
            "not found",
            "unknown",
            "no such",
            "does not exist",
            "doesn't exist",
            "invalid path",
            "invalid room",
            "invalid channel",
            "404",
        ],
        cause: "what the URL or the message names does not exist",
        next: "check the path, the query and the names in the message",
    },
    Meaning {
        kind: Kind::Version,
        words: &["version", "deprecated", "upgrade your", "outdated"],
        cause: "the version is not supported",
        next: "check the version in the path, the query or the subprotocol",
    },
    Meaning {
        kind: Kind::Format,
        words: &[
            "json",
            "parse",
            "syntax",
            "malformed",
            "invalid message",
            "invalid payload",
            "bad message",
            "bad request",
            "invalid request",
            "invalid frame",
            "decode",
            "schema",
            "unexpected message",
            "bad frame",
            "invalid format",
            "unsupported",
            "400",
        ],
        cause: "the message can't be understood",
        next: "check the format of what was sent (JSON? text or --binary?)",
    },
    Meaning {
        kind: Kind::Restart,
        words: &[
            "restart",
            "shutdown",
            "shutting down",
            "going away",
            "deploy",
            "maintenance",
            "reconnect",
            "bye",
        ],
        cause: "the server restarts or shuts down",
        next: "connect again (--reconnect)",
    },
    Meaning {
        kind: Kind::Failure,
        words: &[
            "internal",
            "exception",
            "error",
            "failed",
            "crash",
            "unavailable",
            "traceback",
            "500",
        ],
        cause: "the server failed",
        next: "look into the server's log at this time",
    },
];

/// The meaning of words in lower case.
pub fn meaning(words: &str) -> Option<&'static Meaning> {
    let fits = |meaning: &&Meaning| meaning.words.iter().any(|word| has(words, word));
    MEANINGS.iter().find(fits)
}

/// Whether the words contain the word. Short ones must be whole words: "ping" is not in "shipping".
fn has(words: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    words.match_indices(word).any(|(at, _)| {
        let before = words.get(..at).and_then(|text| text.chars().next_back());
        let after = words.get(at + word.len()..).and_then(|text| text.chars().next());
        word.len() > 5 || !(part(before) || part(after))
    })
}

/// What to send first with a subprotocol.
pub fn first_message(subprotocol: &str) -> Option<&'static str> {
    FIRST.iter().find(|(name, _)| *name == subprotocol).map(|(_, first)| *first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_kinds() {
        for (words, kind) in [
            ("origin not allowed", Some(Kind::Origin)),
            ("jwt expired", Some(Kind::Expired)),
            ("invalid token", Some(Kind::Login)),
            ("unauthorized", Some(Kind::Login)),
            ("rate limited", Some(Kind::Limit)),
            ("subprotocol not acceptable", Some(Kind::Subprotocol)),
            ("ping timeout", Some(Kind::Silence)),
            ("connection initialisation timeout", Some(Kind::Silence)),
            ("message too big", Some(Kind::TooLarge)),
            ("handshake required", Some(Kind::First)),
            ("no such room", Some(Kind::Unknown)),
            ("invalid json", Some(Kind::Format)),
            ("server restarting", Some(Kind::Restart)),
            ("internal error", Some(Kind::Failure)),
            ("forbidden", Some(Kind::Forbidden)),
            ("replaced by another connection", Some(Kind::Replaced)),
            ("unsupported version", Some(Kind::Version)),
            ("shipping of the topping", None),
            ("", None),
        ] {
            assert_eq!(meaning(words).map(|meaning| meaning.kind), kind, "{words}");
        }
    }
}
