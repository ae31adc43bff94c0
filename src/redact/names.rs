//! Which names tell that their value is a secret: query parameters and header fields.
//!
//! A name is read as words (`accessToken`, `access_token` and `Access-Token` are the same two), so
//! that `keyboard`, `signal`, `codec` or `max_tokens` hide nothing.

/// Words that make a name's value a secret, wherever they are in the name.
const WORDS: &[&str] = &[
    "assertion",
    "auth",
    "authentication",
    "authorization",
    "authtoken",
    "bearer",
    "cookie",
    "cred",
    "credential",
    "credentials",
    "creds",
    "csrf",
    "hmac",
    "jws",
    "jwt",
    "otp",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "psk",
    "pw",
    "pwd",
    "sas",
    "secret",
    "session",
    "sig",
    "signature",
    "ticket",
    "token",
    "totp",
    "verifier",
    "xsrf",
];

/// Ends of words that are written together, such as `accesstoken`.
const ENDS: &[&str] = &[
    "apikey",
    "appkey",
    "authkey",
    "credential",
    "credentials",
    "jwt",
    "listenkey",
    "masterkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "samlresponse",
    "secret",
    "secretkey",
    "sharedkey",
    "signature",
    "subscriptionkey",
    "token",
    "usersig",
];

/// Last words of a name whose value is about a secret and none itself, such as `token_type`.
const ABOUT: &[&str] = &[
    "address",
    "age",
    "alg",
    "algorithm",
    "at",
    "count",
    "date",
    "duration",
    "email",
    "enabled",
    "end",
    "endpoint",
    "exp",
    "expiration",
    "expires",
    "expiry",
    "format",
    "host",
    "id",
    "ids",
    "info",
    "input",
    "kind",
    "length",
    "level",
    "lifetime",
    "limit",
    "max",
    "method",
    "min",
    "mode",
    "name",
    "provider",
    "realm",
    "region",
    "required",
    "scheme",
    "size",
    "start",
    "state",
    "status",
    "symbol",
    "time",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
    "user",
    "username",
    "version",
];

/// What a `…_key` is for, where it is no secret.
const PUBLIC_KEYS: &[&str] = &[
    "cache",
    "dedup",
    "foreign",
    "group",
    "hot",
    "i18n",
    "idempotency",
    "index",
    "lookup",
    "map",
    "message",
    "object",
    "order",
    "partition",
    "primary",
    "public",
    "range",
    "routing",
    "row",
    "shortcut",
    "socket",
    "sort",
    "surrogate",
    "translation",
    "websocket",
];

/// What a `…_code` is for, where it is a secret.
const CODES: &[&str] =
    &["access", "device", "invite", "login", "pairing", "security", "user", "verification"];

/// Whether the value of a query parameter is a secret. Percent-encoding must be taken off.
pub(super) fn is_secret_parameter(name: &[u8]) -> bool {
    let words = words(name);
    match words.as_slice() {
        // `header` holds a whole set of headers, for AWS AppSync; `code` and `sign` are secrets
        // alone only.
        [word] if ["code", "header", "headers", "sess", "sid", "sign"].contains(&&**word) => true,
        [.., before, code] if code == "code" && CODES.contains(&&**before) => true,
        words => is_secret(words),
    }
}

/// Whether the values of a field are secrets.
pub fn is_secret_header(name: &[u8]) -> bool {
    let name = name.trim_ascii();
    let begins =
        |start: &[u8]| name.get(..start.len()).is_some_and(|n| n.eq_ignore_ascii_case(start));
    // `Access-Control-Allow-Credentials: true` is about credentials and holds none.
    !begins(b"access-control-") && is_secret(&words(name))
}

fn is_secret(words: &[String]) -> bool {
    let Some((last, before)) = words.split_last() else { return false };
    let joined = words.concat();
    // `session_id`, `JSESSIONID`, `PHPSESSID`, `AWSAccessKeyId`: ids that are as good as a secret.
    if ["sessionid", "sessid", "accesskey"].iter().any(|id| joined.contains(id)) {
        return true;
    }
    if ABOUT.contains(&last.as_str()) {
        return false;
    }
    if last == "key" {
        return before.last().is_none_or(|what| !PUBLIC_KEYS.contains(&what.as_str()));
    }
    let ends = |word: &String| ENDS.iter().any(|end| word.ends_with(end));
    ends(&joined) || words.iter().any(|word| WORDS.contains(&word.as_str()) || ends(word))
}

/// The words of a name, in lower case and without the numbers behind them.
fn words(name: &[u8]) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let class = |at: usize| name.get(at).copied().unwrap_or_default();
    for (at, byte) in name.iter().enumerate() {
        let before = at.checked_sub(1).map(class).unwrap_or_default();
        let next = class(at + 1);
        // A capital begins a word behind a small letter, and before one: `APIKey`.
        let begins = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_uppercase() && next.is_ascii_lowercase());
        if begins || !byte.is_ascii_alphanumeric() {
            words.push(std::mem::take(&mut word));
        }
        if byte.is_ascii_alphanumeric() {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words.push(word);
    for word in &mut words {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        word.truncate(letters);
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_are_secrets() {
        for name in [
            "token",
            "access_token",
            "accessToken",
            "accesstoken",
            "id-token",
            "token2",
            "jwt",
            "key",
            "KEY",
            "api_key",
            "apiKey",
            "APIKey",
            "apikey",
            "x-api-key",
            "listenKey",
            "client_secret",
            "password",
            "user[password]",
            "passwd",
            "pwd",
            "sig",
            "signature",
            "sign",
            "ticket",
            "header",
            "code",
            "auth_code",
            "device_code",
            "session",
            "session_id",
            "JSESSIONID",
            "PHPSESSID",
            "sid",
            "auth",
            "authorization",
            "oauth_token",
            "oauth_signature",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "X-Amz-Security-Token",
            "X-Goog-Signature",
            "AWSAccessKeyId",
            "usersig",
            "otp",
            "SAMLResponse",
            "csrf",
        ] {
            assert!(is_secret_parameter(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn parameters_that_are_none() {
        for name in [
            "",
            "keyboard",
            "keyword",
            "keys",
            "signal",
            "design",
            "codec",
            "encode",
            "author",
            "authority",
            "compass",
            "bypass",
            "passenger",
            "monkey",
            "hockey",
            "turkey",
            "max_tokens",
            "tokenizer",
            "token_type",
            "tokenAddress",
            "session_name",
            "sort_key",
            "partitionKey",
            "public_key",
            "error_code",
            "country_code",
            "zipcode",
            "state",
            "nonce",
            "client_id",
            "key_id",
            "user",
            "username",
            "EIO",
            "transport",
            "sv",
            "se",
            "sp",
            "X-Amz-Date",
            "X-Amz-SignedHeaders",
            "X-Amz-Algorithm",
            "SignatureVersion",
            "Key-Pair-Id",
            "Policy",
            "headers_only",
            "assign",
            "ticket_id",
            "tickets",
            "access",
        ] {
            assert!(!is_secret_parameter(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn fields() {
        for name in [
            "Authorization",
            "proxy-authorization",
            "Cookie",
            "Set-Cookie",
            "X-Api-Key",
            "Ocp-Apim-Subscription-Key",
            "x-functions-key",
            "apikey",
            "X-Auth-Token",
            "X-Session-Id",
            "X-Amz-Security-Token",
            "CF-Access-Client-Secret",
            "X-Hub-Signature-256",
            "X-Ticket",
        ] {
            assert!(is_secret_header(name.as_bytes()), "{name}");
        }
        for name in [
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Key1",
            "Sec-WebSocket-Accept",
            "Idempotency-Key",
            "Surrogate-Key",
            "X-Cache-Key",
            "WWW-Authenticate",
            "Proxy-Authenticate",
            "Authentication-Info",
            "Access-Control-Allow-Credentials",
            "X-Error-Code",
            "Code",
            "X-Auth-Type",
            "Header",
            "X-Keyboard",
            "Server",
            "Authority",
            "Signature-Input",
            "Public-Key-Pins",
            "CF-Access-Client-Id",
        ] {
            assert!(!is_secret_header(name.as_bytes()), "{name}");
        }
    }
}
