//! permessage-deflate (RFC 7692): its parameters, and both directions of its stream.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::protocol::buffer::{part, part_mut};
use crate::protocol::side::Side;

/// The four bytes that end every compressed message and are not sent (§7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// An empty stored block: harmless where a block may begin, and an error inside a block.
const EMPTY_BLOCK: [u8; 5] = [0x00, 0x00, 0x00, 0xff, 0xff];

/// How many bytes are inflated at a time.
const STEP: usize = 16 << 10;

/// One member of a Sec-WebSocket-Extensions list (RFC 6455 §9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its parameters with their values, quotes removed.
    pub params: Vec<(String, Option<String>)>,
}

impl Extension {
    /// Reads a list.
    ///
    /// # Errors
    /// A description of how the text breaks the grammar.
    pub fn parse_list(text: &[u8]) -> Result<Vec<Extension>, &'static str> {
        let mut list = Vec::new();
        for member in split_outside_quotes(text, b',')? {
            let member = member.trim_ascii();
            if member.is_empty() {
                continue;
            }
            let mut parts = split_outside_quotes(member, b';')?.into_iter();
            let name = token(parts.next().unwrap_or_default())?;
            let params = parts.map(param).collect::<Result<_, _>>()?;
            list.push(Extension { name, params });
        }
        Ok(list)
    }
}

fn param(text: &[u8]) -> Result<(String, Option<String>), &'static str> {
    let Some(equals) = memchr::memchr(b'=', text) else {
        return Ok((token(text)?, None));
    };
    let (name, value) = text.split_at(equals);
    let value = value.strip_prefix(b"=").unwrap_or_default().trim_ascii();
    let value = match value.strip_prefix(b"\"") {
        None => token(value)?,
        Some(quoted) => {
            let inner = quoted.strip_suffix(b"\"").ok_or("a quote that does not end")?;
            let mut plain = Vec::new();
            let mut bytes = inner.iter();
            while let Some(byte) = bytes.next() {
                plain.push(if *byte == b'\\' {
                    *bytes.next().ok_or("a quote that does not end")?
                } else {
                    *byte
                });
            }
            // §9.1: after unquoting it must still be a token.
            token(&plain)?
        }
    };
    Ok((token(name)?, Some(value)))
}

fn token(text: &[u8]) -> Result<String, &'static str> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err("an empty name or value");
    }
    if !text.iter().all(|b| crate::http::head::is_token(*b)) {
        return Err("a character that no token may have");
    }
    Ok(String::from_utf8_lossy(text).into_owned())
}

fn split_outside_quotes(text: &[u8], separator: u8) -> Result<Vec<&[u8]>, &'static str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text
        .split(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                byte if *byte == separator && !quoted => return true,
                _ => {}
            }
            false
        })
        .collect();
    if quoted { Err("a quote that does not end") } else { Ok(parts) }
}

/// The agreed parameters (§7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// The server starts every message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client starts every message with an empty window.
    pub client_no_context_takeover: bool,
    /// Base-2 logarithm of the server's window: 8–15.
    pub server_max_window_bits: u8,
    /// Base-2 logarithm of the client's window: 8–15.
    pub client_max_window_bits: u8,
}

impl Params {
    /// Whether the window is emptied for every message that `sender` compresses, and its bits.
    fn of(self, sender: Side) -> (bool, u8) {
        // A window of 8 bits is legal, but the library doesn't support it. A larger one is harmless
        // for inflation; for compression with 9 bits, zlib looks back at most 250 bytes.
        match sender {
            Side::Client => (self.client_no_context_takeover, self.client_max_window_bits.max(9)),
            Side::Server => (self.server_no_context_takeover, self.server_max_window_bits.max(9)),
        }
    }
}

impl Default for Params {
    fn default() -> Params {
        Params {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        }
    }
}

/// The parameters that a server's answer to our offers agrees on; `None` without the extension.
///
/// # Errors
/// Why the answer must be refused (§5.1, §7.1).
pub fn agree(offers: &[Extension], answers: &[Extension]) -> Result<Option<Params>, String> {
    let mut agreed = None;
    for answer in answers {
        let mut same = offers.iter().filter(|o| o.name == answer.name).peekable();
        if same.peek().is_none() {
            return Err(format!("{} was not offered", answer.name));
        }
        if answers.iter().filter(|a| a.name == answer.name).count() > 1 {
            return Err(format!("{} comes twice", answer.name));
        }
        if answer.name != "permessage-deflate" {
            continue;
        }
        let params = params(answer, Side::Server)?;
        // The answer belongs to one of the offers; if it fits none, report the first offer's error.
        let mut why = None;
        if same.any(|offer| fits(offer, answer, params).map_err(|e| why.get_or_insert(e)).is_ok()) {
            agreed = Some(params);
        } else {
            return Err(why.unwrap_or("it fits no offer").to_owned());
        }
    }
    Ok(agreed)
}

/// A server's answer to the first acceptable offer of permessage-deflate (§5.1, §7.1): the text for
/// the response, and the parameters. Offers with wrong parameters are declined.
pub fn accept(offers: &[Extension]) -> Option<(String, Params)> {
    offers.iter().filter(|offer| offer.name == "permessage-deflate").find_map(|offer| {
        let params = params(offer, Side::Client).ok()?;
        let mut answer = offer.name.clone();
        for (name, value) in &offer.params {
            match value {
                Some(value) => answer += &format!("; {name}={value}"),
                // The client says that it can limit its window; we needn't ask for that.
                None if name == "client_max_window_bits" => {}
                None => answer += &format!("; {name}"),
            }
        }
        Some((answer, params))
    })
}

/// Parses the parameters of an offer (`by` the client) or an answer (`by` the server).
fn params(extension: &Extension, by: Side) -> Result<Params, String> {
    let mut params = Params::default();
    for (at, (name, value)) in extension.params.iter().enumerate() {
        if extension.params.iter().take(at).any(|(earlier, _)| earlier == name) {
            return Err(format!("{name} comes twice"));
        }
        let flag = || match value {
            None => Ok(true),
            Some(value) => Err(format!("{name} takes no value, not {value}")),
        };
        match name.as_str() {
            "server_no_context_takeover" => params.server_no_context_takeover = flag()?,
            "client_no_context_takeover" => params.client_no_context_takeover = flag()?,
            "server_max_window_bits" => {
                params.server_max_window_bits = window_bits(name, value.as_deref())?;
            }
            // §7.1.2.2: in an offer the value may be missing.
            "client_max_window_bits" if by == Side::Client && value.is_none() => {}
            "client_max_window_bits" => {
                params.client_max_window_bits = window_bits(name, value.as_deref())?;
            }
            other => return Err(format!("{other} is not a parameter of permessage-deflate")),
        }
    }
    Ok(params)
}

/// 8 to 15, without leading zeros (§7.1.2).
fn window_bits(name: &str, value: Option<&str>) -> Result<u8, String> {
    match value {
        Some(digits @ ("8" | "9" | "10" | "11" | "12" | "13" | "14" | "15")) => {
            digits.parse().map_err(|_| format!("{name} must be 8 to 15"))
        }
        Some(other) => {
            let other: String = other.chars().take(40).collect();
            Err(format!("{name} must be 8 to 15, not {other}"))
        }
        None => Err(format!("{name} needs a value of 8 to 15")),
    }
}

fn fits(offer: &Extension, answer: &Extension, params: Params) -> Result<(), &'static str> {
    let offered = |name: &str| offer.params.iter().find(|(n, _)| n == name);
    let answered = |name: &str| answer.params.iter().any(|(n, _)| n == name);
    if offered("server_no_context_takeover").is_some() && !params.server_no_context_takeover {
        return Err("server_no_context_takeover was asked for and is missing");
    }
    let most = |name: &str| offered(name).and_then(|(_, v)| v.as_ref()?.parse::<u8>().ok());
    if let Some(most) = most("server_max_window_bits") {
        if !answered("server_max_window_bits") {
            return Err("server_max_window_bits was asked for and is missing");
        }
        if params.server_max_window_bits > most {
            return Err("server_max_window_bits is larger than was asked for");
        }
    }
    if answered("client_max_window_bits") {
        if offered("client_max_window_bits").is_none() {
            return Err("client_max_window_bits was not offered");
        }
        if most("client_max_window_bits").is_some_and(|most| params.client_max_window_bits > most) {
            return Err("client_max_window_bits is larger than was offered");
        }
    }
    Ok(())
}

/// Why a compressed message can't be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// The data is not a DEFLATE stream.
    Data,
    /// The message does not end where a block ends.
    Truncated,
}

/// The receiving direction.
#[derive(Debug)]
pub struct Inflate {
    stream: Decompress,
    no_context_takeover: bool,
    /// The last block had BFINAL set, and no data followed it yet (§7.2.3.4).
    ended: bool,
    /// The last four bytes of the message so far.
    last: [u8; 4],
    /// How many bytes of the tail were fed at the message's end.
    tail: usize,
}

impl Inflate {
    /// An inflater for our side; the peer compresses by `params`.
    pub fn new(params: Params, side: Side) -> Inflate {
        let (no_context_takeover, bits) = params.of(side.peer());
        Inflate {
            stream: Decompress::new_with_window_bits(false, bits),
            no_context_takeover,
            ended: false,
            last: [0xaa; 4],
            tail: 0,
        }
    }

    /// Inflates from `input` and appends to `out`, which never grows beyond `room` bytes. Returns
    /// how many bytes of `input` were used; fewer than all means that `out` is full.
    ///
    /// # Errors
    /// [`InflateError::Data`].
    pub fn inflate(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        room: usize,
    ) -> Result<usize, InflateError> {
        let used = self.run(input, out, room)?;
        for byte in part(input, used.saturating_sub(4)..used) {
            self.last.rotate_left(1);
            if let Some(slot) = self.last.last_mut() {
                *slot = *byte;
            }
        }
        Ok(used)
    }

    /// Ends the message after all its input was used. False means that `out` is full: make room and
    /// call it again.
    ///
    /// # Errors
    /// If the message is truncated, or if the sender didn't strip the tail.
    pub fn finish(&mut self, out: &mut Vec<u8>, room: usize) -> Result<bool, InflateError> {
        if self.last == TAIL {
            return Err(InflateError::Truncated);
        }
        // The library may hold input of the message that it hasn't inflated yet.
        if self.tail == 0 {
            self.run(&[], out, room)?;
            if out.len() >= room {
                return Ok(false);
            }
        }
        if !self.ended {
            while self.tail < TAIL.len() {
                let rest = part(&TAIL, self.tail..);
                let used = self.run(rest, out, room).map_err(|_| InflateError::Truncated)?;
                self.tail += used;
                if used == 0 {
                    return Ok(false);
                }
            }
            // The library may hold more output.
            self.run(&[], out, room).map_err(|_| InflateError::Truncated)?;
            if out.len() >= room {
                return Ok(false);
            }
            let before = out.len();
            let whole = self.run(&EMPTY_BLOCK, out, before + 1);
            if whole != Ok(EMPTY_BLOCK.len()) || out.len() != before {
                out.truncate(before);
                return Err(InflateError::Truncated);
            }
        }
        if self.no_context_takeover || self.ended {
            self.stream.reset(false);
        }
        self.ended = false;
        self.last = [0xaa; 4];
        self.tail = 0;
        Ok(true)
    }

    fn run(&mut self, input: &[u8], out: &mut Vec<u8>, room: usize) -> Result<usize, InflateError> {
        let mut used = 0;
        loop {
            let rest = part(input, used..);
            if self.ended && !rest.is_empty() {
                self.stream.reset(false);
                self.ended = false;
            }
            let space = room.saturating_sub(out.len()).min(STEP);
            if space == 0 || self.ended {
                return Ok(used);
            }
            let start = out.len();
            out.reserve(space);
            let (in0, out0) = (self.stream.total_in(), self.stream.total_out());
            let whole = out.capacity() - start > space;
            let status = if whole {
                // decompress_vec would fill the whole capacity, which may exceed `room`.
                out.resize(start + space, 0);
                let target = part_mut(out, start..);
                let status = self.stream.decompress(rest, target, FlushDecompress::Sync);
                out.truncate(start + (self.stream.total_out() - out0) as usize);
                status
            } else {
                self.stream.decompress_vec(rest, out, FlushDecompress::Sync)
            };
            let status = status.map_err(|_| InflateError::Data)?;
            let (took, made) = (self.stream.total_in() - in0, out.len() - start);
            used += took as usize;
            self.ended = status == Status::StreamEnd;
            let starved = used == input.len() && made < space;
            if starved || (took == 0 && made == 0) {
                return Ok(used);
            }
        }
    }
}

/// The sending direction.
#[derive(Debug)]
pub struct Deflate {
    stream: Compress,
    no_context_takeover: bool,
}

impl Deflate {
    /// A compressor for our side, within `params`.
    pub fn new(params: Params, side: Side) -> Deflate {
        let (no_context_takeover, bits) = params.of(side);
        Deflate {
            stream: Compress::new_with_window_bits(Compression::default(), false, bits),
            no_context_takeover,
        }
    }

    /// Appends the compressed message to `out` (§7.2.1).
    pub fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if payload.is_empty() {
            // A flush right after another one gives no output; §7.2.3.6 says what to send.
            out.push(0x00);
            return;
        }
        let mut used = 0;
        loop {
            out.reserve((payload.len() / 4).clamp(64, 1 << 20));
            let before = self.stream.total_in();
            let rest = part(payload, used..);
            // The only error is a misuse of the stream, which this loop rules out.
            let _ = self.stream.compress_vec(rest, out, FlushCompress::Sync);
            used += (self.stream.total_in() - before) as usize;
            if used == payload.len() && out.len() < out.capacity() {
                break;
            }
        }
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        if self.no_context_takeover {
            self.stream.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(offer: &str, answer: &str) -> Result<Option<Params>, String> {
        let parse = |text: &str| Extension::parse_list(text.as_bytes());
        agree(&parse(offer).unwrap(), &parse(answer).map_err(str::to_owned)?)
    }

    #[test]
    fn good_answers() {
        let offer = "permessage-deflate; client_max_window_bits";
        assert_eq!(agreed(offer, ""), Ok(None));
        assert_eq!(agreed(offer, "permessage-deflate"), Ok(Some(Params::default())));
        let answer = "permessage-deflate; client_max_window_bits=\"10\"; \
                      server_max_window_bits=8;server_no_context_takeover";
        let params = agreed(offer, answer).unwrap().unwrap();
        assert_eq!((params.client_max_window_bits, params.server_max_window_bits), (10, 8));
        assert!(params.server_no_context_takeover && !params.client_no_context_takeover);
        let escaped = "permessage-deflate; server_max_window_bits=\"1\\0\"";
        assert_eq!(agreed(offer, escaped).unwrap().unwrap().server_max_window_bits, 10);
        let bounded = "permessage-deflate; server_max_window_bits=10; client_max_window_bits=12";
        let answer = "permessage-deflate; server_max_window_bits=9; client_max_window_bits=12";
        let params = agreed(bounded, answer).unwrap().unwrap();
        assert_eq!((params.client_max_window_bits, params.server_max_window_bits), (12, 9));
        let other = "x-other; a=\"b, c\", permessage-deflate";
        assert_eq!(agreed("x-other, permessage-deflate", "x-other"), Ok(None));
        assert!(agreed("x-other", other).is_err(), "a quoted value that is no token");
        let two = "permessage-deflate; server_max_window_bits=10, permessage-deflate";
        assert_eq!(agreed(two, "permessage-deflate"), Ok(Some(Params::default())));
    }

    #[test]
    fn bad_answers() {
        let offer = "permessage-deflate; client_max_window_bits";
        for bits in ["7", "16", "0", "09", "", "abc", "1000000000000000000000000000000", "\"\""] {
            for name in ["server_max_window_bits", "client_max_window_bits"] {
                let answer = format!("permessage-deflate; {name}={bits}");
                assert!(agreed(offer, &answer).is_err(), "{answer}");
            }
        }
        for answer in [
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; unknown",
            "permessage-deflate, permessage-deflate",
            "permessage-deflate; server_max_window_bits=\"10",
            "permessage-deflate;",
            "x-webkit-deflate-frame",
        ] {
            assert!(agreed(offer, answer).is_err(), "{answer}");
        }
        let plain = "permessage-deflate";
        assert!(agreed(plain, "permessage-deflate; client_max_window_bits=10").is_err());
        let bounded = "permessage-deflate; server_max_window_bits=10; server_no_context_takeover";
        assert!(agreed(bounded, "permessage-deflate; server_no_context_takeover").is_err());
        assert!(agreed(bounded, "permessage-deflate; server_max_window_bits=9").is_err());
        let wider = "permessage-deflate; server_max_window_bits=11; server_no_context_takeover";
        assert!(agreed(bounded, wider).is_err());
        let offer = "permessage-deflate; client_max_window_bits=10";
        assert!(agreed(offer, "permessage-deflate; client_max_window_bits=11").is_err());
        assert!(agreed(offer, "permessage-deflate; client_max_window_bits=\"10\\\"").is_err());
        assert!(agreed(offer, "permessage-deflate; client max_window_bits=10").is_err());
    }

    fn inflate(inflate: &mut Inflate, wire: &[u8]) -> Result<Vec<u8>, InflateError> {
        let (mut out, mut all, mut at) = (Vec::new(), Vec::new(), 0);
        while at < wire.len() {
            at += inflate.inflate(&wire[at..], &mut out, 100)?;
            all.append(&mut out);
        }
        while !inflate.finish(&mut out, 100)? {
            all.append(&mut out);
        }
        all.append(&mut out);
        Ok(all)
    }

    #[test]
    fn the_examples_of_rfc_7692_7_2_3() {
        let hello: [&[u8]; 5] = [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            // with the window of the first one
            &[0xf2, 0x00, 0x11, 0x00, 0x00],
            // no compression
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            // BFINAL
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            // two blocks
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ];
        let mut stream = Inflate::new(Params::default(), Side::Client);
        for wire in hello {
            assert_eq!(inflate(&mut stream, wire), Ok(b"Hello".to_vec()), "{wire:02x?}");
        }
        assert_eq!(inflate(&mut stream, &[0x00]), Ok(Vec::new()), "an empty message");
    }

    #[test]
    fn a_tail_too_many_or_too_few_is_told() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff];
        let fresh = || Inflate::new(Params::default(), Side::Client);
        assert_eq!(inflate(&mut fresh(), &hello), Err(InflateError::Truncated));
        assert_eq!(inflate(&mut fresh(), &hello[..6]), Err(InflateError::Truncated));
        assert_eq!(inflate(&mut fresh(), &hello[..4]), Err(InflateError::Truncated));
        assert_eq!(inflate(&mut fresh(), &[0xff, 0xff, 0xff]), Err(InflateError::Data));
    }

    #[test]
    fn the_room_does_not_change_the_verdict() {
        let verdict = |wire: &[u8], room: usize| {
            let (mut stream, mut out) = (Inflate::new(Params::default(), Side::Client), Vec::new());
            let (mut rest, mut made) = (wire, 0);
            while !rest.is_empty() {
                rest = &rest[stream.inflate(rest, &mut out, room)?..];
                made += out.drain(..).len();
            }
            while !stream.finish(&mut out, room)? {
                made += out.drain(..).len();
            }
            Ok(made + out.len())
        };
        for (wire, expected) in [
            // The fault shows once there is room for the data before it.
            (&[0x62, 0x00, 0xe1][..], Err(InflateError::Data)),
            (&[0xf2, 0xc7, 0xcd, 0xc9], Err(InflateError::Data)),
            // The stripped tail ends a block whose last match is longer than the room.
            (&[0xf2, 0x02, 0xec, 0xc9], Ok(119)),
            (&[0xcb, 0x60, 0xc0, 0x0d, 0x00], Ok(28)),
            (&[0xf2, 0x48, 0xcd, 0xc9], Err(InflateError::Truncated)),
        ] {
            for room in [1, 2, 37, 1 << 20] {
                assert_eq!(verdict(wire, room), expected, "{wire:02x?} in {room}");
            }
        }
    }

    #[test]
    fn round_trips_at_every_window_with_and_without_context() {
        let messages: Vec<Vec<u8>> = [0, 0, 1]
            .into_iter()
            .chain(0..20u32)
            .map(|i| (0..i * 997).flat_map(|j| (j / 7 * i).to_le_bytes()).collect())
            .collect();
        for bits in 8..=15 {
            for no_context in [false, true] {
                let params = Params {
                    server_no_context_takeover: no_context,
                    client_no_context_takeover: no_context,
                    server_max_window_bits: bits,
                    client_max_window_bits: bits,
                };
                let (mut out, mut back) =
                    (Deflate::new(params, Side::Client), Inflate::new(params, Side::Server));
                for message in &messages {
                    let mut wire = Vec::new();
                    out.message(message, &mut wire);
                    assert_eq!(inflate(&mut back, &wire).as_ref(), Ok(message), "{params:?}");
                }
            }
        }
    }
}
