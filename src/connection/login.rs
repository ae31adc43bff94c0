//! Logging in at the server: Basic with the first request (RFC 7617), or Digest once the server
//! asks for it (RFC 7616).

use tungstenite::handshake::client::generate_key;

use crate::connection::netrc::Netrc;
use crate::http::challenge::challenges;
use crate::http::digest::{Attempt, DigestChallenge};
use crate::http::head::Response;
use crate::redact::Secret;
use crate::transport::Target;
use crate::transport::proxy::Credentials;

/// How to log in.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// Credentials typed for the first origin; no other gets them.
    pub user: Option<Credentials>,
    /// Which scheme is used.
    pub scheme: LoginScheme,
    /// The logins of other hosts.
    pub netrc: Option<Netrc>,
}

/// Which scheme is used, and when the credentials are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginScheme {
    /// Nothing until the server says what it accepts; then the safest of that.
    Any,
    /// Basic with the first request; Digest if the server accepts nothing else.
    #[default]
    Basic,
    /// Digest alone: the password never goes over the wire.
    Digest,
}

/// The login for one URL, over up to three requests.
#[derive(Debug, Default)]
pub struct Attempts {
    credentials: Option<Credentials>,
    scheme: LoginScheme,
    /// The Authorization field of the next request.
    pub field: Option<Secret<Vec<u8>>>,
    /// The scheme of the last request's field.
    sent: Option<&'static str>,
    digests: u8,
}

impl Attempts {
    /// The attempts with these credentials, if there are any.
    pub fn new(credentials: Option<Credentials>, scheme: LoginScheme) -> Attempts {
        let mut attempts = Attempts { credentials, scheme, ..Attempts::default() };
        if scheme == LoginScheme::Basic {
            attempts.basic();
        }
        attempts
    }

    /// The same credentials for another URL of the same origin.
    pub fn again(&self) -> Attempts {
        Attempts::new(self.credentials.clone(), self.scheme)
    }

    /// Reads the response to a request for `uri`, as it was in the request line. If it asks for a
    /// login that we have and haven't sent yet, the next request has it; returns a note saying
    /// which.
    pub fn next(&mut self, response: &Response, uri: &str) -> Option<String> {
        let credentials = self.credentials.as_ref().filter(|_| response.status == 401)?;
        let offered = challenges(&response.headers, "www-authenticate");
        let takes_basic = offered.iter().any(|challenge| challenge.is("Basic"));
        let digest = offered
            .iter()
            .find_map(DigestChallenge::read)
            .filter(|digest| self.digests == 0 || (self.digests == 1 && digest.stale))
            .filter(|_| self.scheme != LoginScheme::Basic || !takes_basic);
        if let Some(challenge) = digest {
            self.field = Some(Secret::new(challenge.answer(&Attempt {
                user: credentials.user.reveal(),
                password: credentials.password.reveal(),
                method: "GET",
                uri,
                cnonce: &generate_key(),
            })));
            self.digests += 1;
            self.sent = Some("Digest");
            let again = if self.digests > 1 { ", with a fresh nonce" } else { "" };
            return Some(format!("logging in with Digest ({}){again}", challenge.algorithm()));
        }
        let basic = self.scheme == LoginScheme::Any && takes_basic && self.sent.is_none();
        basic.then(|| {
            self.basic();
            "logging in with Basic".to_owned()
        })
    }

    fn basic(&mut self) {
        let Some(Credentials { user, password }) = &self.credentials else { return };
        let pair = format!("{}:{}", user.reveal(), password.reveal());
        let pair = data_encoding::BASE64.encode(pair.as_bytes());
        self.field = Some(Secret::new(format!("Basic {pair}").into_bytes()));
        self.sent = Some("Basic");
    }
}

impl Login {
    /// The credentials for the requested URL: typed for it, in the URL, or in `.netrc`.
    pub fn first(&self, target: &Target, is_origin: bool) -> Option<Credentials> {
        if let Some(typed) = self.user.as_ref().filter(|_| is_origin) {
            return Some(typed.clone());
        }
        match &target.userinfo {
            Some(typed) if typed.password.reveal().is_empty() => {
                self.lookup(target, Some(typed.user.reveal())).or_else(|| Some(typed.clone()))
            }
            Some(typed) => Some(typed.clone()),
            None => self.lookup(target, None),
        }
    }

    /// The credentials for a redirect's target.
    pub fn elsewhere(&self, target: &Target) -> Option<Credentials> {
        self.lookup(target, None)
    }

    fn lookup(&self, target: &Target, user: Option<&str>) -> Option<Credentials> {
        self.netrc.as_ref()?.lookup(&target.host.to_string(), user)
    }
}
