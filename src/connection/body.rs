//! Decodes the content coding of a refusal's body (RFC 9110 §8.4).

use std::io::{self, Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::http::head::{Response, list};
use crate::text::Untrusted;

/// Replaces a compressed body with its decoded content, at most `limit` bytes of it.
/// A body that can't be decoded stays as received, with a note.
pub(super) fn decode(response: &mut Response, limit: usize) {
    let codings: Vec<&[u8]> = list(&response.headers, "content-encoding").collect();
    let [coding] = codings.as_slice() else { return };
    let body = response.body.as_slice();
    let (plain, end) = match coding.to_ascii_lowercase().as_slice() {
        b"identity" => return,
        b"gzip" | b"x-gzip" => bounded(MultiGzDecoder::new(body), limit),
        b"deflate" => bounded(ZlibDecoder::new(body), limit),
        _ => {
            response.body_cut = Some(format!("it is encoded: {}", Untrusted(coding)));
            return;
        }
    };
    match end {
        Err(_) if plain.is_empty() => {
            let note = format!("it can't be decoded as {}", Untrusted(coding));
            response.body_cut.get_or_insert(note);
            return;
        }
        Err(_) => {
            response.body_cut.get_or_insert("its end can't be decoded".to_owned());
        }
        Ok(true) => response.body_cut = Some(format!("cut at {limit} bytes")),
        Ok(false) => {}
    }
    response.body = plain;
}

/// The decoder's output up to the limit, and whether there was more.
fn bounded(mut decoder: impl Read, limit: usize) -> (Vec<u8>, io::Result<bool>) {
    let mut plain = Vec::new();
    let end = decoder.by_ref().take(limit as u64 + 1).read_to_end(&mut plain);
    let more = plain.len() > limit;
    plain.truncate(limit);
    (plain, end.map(|_| more))
}
