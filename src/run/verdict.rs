//! Judges a connection that has ended: the exit code, and why.

use crate::connection::CLOSE_PATIENCE;
use crate::error::{Error, Exit, Hint, Limit, Result, Stage};
use crate::protocol::close::{CloseCode, Closure, End, Party};
use crate::run::settings::Settings;
use crate::run::talk::Over;
use crate::text::Untrusted;

/// An ended connection, to be judged.
pub struct Ended<'a> {
    pub closure: &'a Closure,
    /// `--count` or `--until` was met.
    pub met: bool,
    /// Messages received on all connections.
    pub messages_in: u64,
    /// Another connection would make sense.
    pub again: bool,
    /// Bytes that the peer didn't accept.
    pub unsent: usize,
    /// Where in the peer's bytes the stream ended.
    pub position: String,
}

impl Ended<'_> {
    /// How the connection ended, for the session.
    ///
    /// # Errors
    /// What went wrong, with its exit code.
    pub fn judge(&self, settings: &Settings) -> Result<Over> {
        let closure = self.closure;
        if closure.received.is_none() {
            return if self.met { Ok(Over::Done) } else { Err(self.unanswered(settings)) };
        }
        let code = closure.code();
        let by_peer = closure.first == Some(Party::Peer);
        let transient = by_peer && settings.is_followed(code);
        let retry = transient && self.again;
        if (retry || !closure.is_normal()) && !settings.ok_close.contains(&code) {
            let reason = closure.received.as_ref().map_or(&b""[..], |status| &status.reason);
            let reason = match reason {
                [] => "without a reason".to_owned(),
                some => format!("\"{}\"", Untrusted(some)),
            };
            // A Close that came with the last message doesn't answer ours.
            let did = if by_peer || self.met { "closed" } else { "answered our Close" };
            let what = format!("the peer {did} with {code} ({}): {reason}", code.meaning());
            return Err(Error::new(Stage::Close, Exit::PeerError, what)
                .transient(transient)
                .hint(Hint::OkClose(code.0)));
        }
        if self.met {
            return Ok(Over::Done);
        }
        match self.missing(settings) {
            Some((what, limit)) => {
                Err(Error::new(Stage::Session, Exit::Expectation, what).limit(limit))
            }
            None => Ok(Over::Closed),
        }
    }

    /// What `--count` or `--until` still misses, in words.
    pub fn missing(&self, settings: &Settings) -> Option<(String, Limit)> {
        match (settings.count, &settings.until) {
            _ if self.met => None,
            (Some(count), _) => {
                let came = self.messages_in;
                Some((format!("only {came} of {count} messages came"), Limit::Count))
            }
            (None, Some(until)) => {
                let pattern = Untrusted::text(until.as_str());
                Some((format!("no message matched {pattern}"), Limit::Until))
            }
            (None, None) => None,
        }
    }

    /// The stream ended without the peer's Close frame.
    fn unanswered(&self, settings: &Settings) -> Error {
        // After our own Close there is nothing to reconnect for.
        let ours = self.closure.first == Some(Party::Us);
        let transient = !ours && settings.is_followed(CloseCode::LOST);
        let lost = |what: String| Error::new(Stage::Session, Exit::Lost, what).transient(transient);
        let place = &self.position;
        match &self.closure.end {
            End::Local => {
                let unsent = self.unsent;
                let what = format!(
                    "no Close frame from the peer within {} s of ours",
                    CLOSE_PATIENCE.as_secs()
                );
                let error = Error::new(Stage::Close, Exit::Timeout, what).transient(false);
                if unsent > 0 {
                    error.cause(format!("the peer does not read: {unsent} bytes were not taken"))
                } else {
                    error
                }
            }
            End::Eof if self.closure.sent.is_some() => lost(format!(
                "the peer ended the connection without answering our Close frame (1006), {place}"
            )),
            End::Eof => lost(format!(
                "the peer ended the connection without a closing handshake (1006), {place}"
            )),
            End::Broken(why) => {
                lost(format!("the connection was lost (1006), {place}")).cause(why.clone())
            }
        }
    }
}

/// The error for `--max-time`.
pub fn out_of_time(settings: &Settings) -> Error {
    let limit = settings.max_time.unwrap_or_default().as_secs_f64();
    let what = format!("not done within {limit} s");
    let error = Error::new(Stage::Session, Exit::Timeout, what).limit(Limit::MaxTime);
    error.transient(false).worded(settings.words)
}
