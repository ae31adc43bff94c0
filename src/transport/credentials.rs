//! The login in a URL (RFC 3986 §3.2.1).

use url::Url;

use crate::redact::Secret;

/// A user's name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: Secret<String>,
    /// The password; may be empty.
    pub password: Secret<String>,
}

impl Credentials {
    /// The login of a URL, decoded; `None` if it has neither a name nor a password.
    pub(super) fn of(url: &Url) -> Option<Credentials> {
        let decoded = |text| {
            let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
            Secret::new(text.into_owned())
        };
        match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(Credentials {
                user: decoded(user),
                password: decoded(password.unwrap_or_default()),
            }),
        }
    }
}
