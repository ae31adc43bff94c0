//! HTTP/1.1 heads (RFC 9112), parsed as they arrive and kept as received.

use std::fmt;
use std::marker::PhantomData;

/// A header field; the name and the value without the white space around it, as on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The field name, in its case as received or typed.
    pub name: Vec<u8>,
    /// The field value.
    pub value: Vec<u8>,
}

impl Header {
    /// A field from two strings.
    pub fn new(name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Header {
        Header { name: name.into(), value: value.into() }
    }

    /// Whether the field has this name; case doesn't matter (RFC 9110 §5.1).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The values of all fields of that name, in order.
pub fn values<'a>(headers: &'a [Header], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |h| h.is(name)).map(|h| h.value.as_slice())
}

/// The members of a comma-separated list over all fields of that name (RFC 9110 §5.6.1).
pub fn list<'a>(headers: &'a [Header], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    values(headers, name)
        .flat_map(|value| value.split(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// A fault that a lenient reader tolerates (RFC 9112 §2.2, §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leniency {
    /// Lines that end with LF alone.
    BareLf,
    /// A header continued on the next line.
    ObsFold,
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Leniency::BareLf => "lines end with LF instead of CR LF (RFC 9112 §2.2)",
            Leniency::ObsFold => "a header is folded over several lines (RFC 9112 §5.2)",
        })
    }
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The minor version: HTTP/1.x.
    pub minor: u8,
    /// The status code, three digits.
    pub status: u16,
    /// The reason phrase.
    pub reason: Vec<u8>,
    /// The header fields in order.
    pub headers: Vec<Header>,
    /// The head's bytes as they came, the empty line included.
    pub head: Vec<u8>,
    /// What was tolerated in it.
    pub leniencies: Vec<Leniency>,
    /// For a refusal: the beginning of the body, transfer coding removed.
    pub body: Vec<u8>,
    /// Why the body is incomplete, if it is.
    pub body_cut: Option<String>,
}

impl Response {
    /// Whether the refusal may be transient: 408, 425, 429 (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC
    /// 6585 §4) and server errors (5xx).
    pub fn is_transient(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 500..=599)
    }

    /// The value of the first field of that name.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        values(&self.headers, name).next()
    }
}

/// A request's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// The method; it is case-sensitive.
    pub method: Vec<u8>,
    /// The request target, usually path and query.
    pub target: Vec<u8>,
    /// The minor version: HTTP/1.x.
    pub minor: u8,
    /// The header fields in order.
    pub headers: Vec<Header>,
    /// The head's bytes as they came, the empty line included.
    pub head: Vec<u8>,
    /// What was tolerated in it.
    pub leniencies: Vec<Leniency>,
}

/// Why the bytes are not a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// The first bytes are neither `HTTP/1.` nor a method; at most 80 of them are kept.
    NotHttp(Vec<u8>),
    /// A status line or request line that can't be parsed.
    StartLine(Vec<u8>),
    /// A field line that breaks the grammar, and how.
    FieldLine(Vec<u8>, &'static str),
    /// The head is longer than the limit in bytes.
    TooLong(usize),
    /// More header fields than the limit.
    TooMany(usize),
}

/// The limits of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the head.
    pub bytes: usize,
    /// Header fields.
    pub headers: usize,
}

impl Default for HeadLimits {
    fn default() -> HeadLimits {
        HeadLimits { bytes: 64 << 10, headers: 256 }
    }
}

/// Reads the head of a response.
pub type HeadReader = Reader<Response>;

/// Reads the head of a request, with the limits and the leniency of [`HeadReader`].
pub type RequestReader = Reader<RequestHead>;

/// Collects a head from pieces of any size, in linear time.
#[derive(Debug)]
pub struct Reader<H> {
    bytes: Vec<u8>,
    /// The head doesn't end before this position.
    scanned: usize,
    line_start: usize,
    lines: usize,
    limits: HeadLimits,
    kind: PhantomData<H>,
}

impl<H: Head> Reader<H> {
    /// A reader for one head.
    pub fn new(limits: HeadLimits) -> Reader<H> {
        let kind = PhantomData;
        Reader { bytes: Vec::new(), scanned: 0, line_start: 0, lines: 0, limits, kind }
    }

    /// Takes more bytes. Returns the complete head with the bytes after it, or `None` before that.
    ///
    /// # Errors
    /// As soon as the bytes can't become a head any more.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<(H, Vec<u8>)>, HeadError> {
        self.bytes.extend_from_slice(bytes);
        // Recognize another protocol by its first bytes, not by a timeout.
        if !H::may_begin(&self.bytes) {
            return Err(HeadError::NotHttp(self.bytes.iter().copied().take(80).collect()));
        }
        while let Some(at) = memchr::memchr(b'\n', self.unscanned()) {
            let end = self.scanned + at;
            let line = trim_cr(self.bytes.get(self.line_start..end).unwrap_or_default());
            self.scanned = end + 1;
            if self.scanned > self.limits.bytes {
                break;
            }
            if line.is_empty() && self.lines > 0 {
                let rest = self.bytes.split_off(self.scanned);
                return parse(std::mem::take(&mut self.bytes)).map(|head| Some((head, rest)));
            }
            if self.lines == 0 {
                start_line::<H>(line)?;
            } else if self.lines > self.limits.headers {
                return Err(HeadError::TooMany(self.limits.headers));
            }
            self.lines += 1;
            self.line_start = self.scanned;
        }
        if self.bytes.len() > self.limits.bytes {
            return Err(HeadError::TooLong(self.limits.bytes));
        }
        self.scanned = self.bytes.len();
        Ok(None)
    }

    /// The bytes received so far.
    pub fn received(&self) -> &[u8] {
        &self.bytes
    }

    fn unscanned(&self) -> &[u8] {
        self.bytes.get(self.scanned..).unwrap_or_default()
    }
}

/// A kind of head: a response's or a request's.
pub trait Head: Sized {
    /// The parsed first line.
    type Start;

    /// Whether the first bytes can be those of such a head.
    fn may_begin(bytes: &[u8]) -> bool;

    /// Reads the first line; `None` if it breaks the grammar.
    fn start_line(line: &[u8]) -> Option<Self::Start>;

    /// Builds the head.
    fn new(start: Self::Start, fields: Fields) -> Self;
}

/// The fields of a head, and its bytes.
#[derive(Debug, Default)]
pub struct Fields {
    headers: Vec<Header>,
    head: Vec<u8>,
    leniencies: Vec<Leniency>,
}

impl Fields {
    fn tolerate(&mut self, what: Leniency) {
        if !self.leniencies.contains(&what) {
            self.leniencies.push(what);
        }
    }
}

impl Head for Response {
    /// The minor version, the status and the reason (RFC 9112 §4).
    type Start = (u8, u16, Vec<u8>);

    fn may_begin(bytes: &[u8]) -> bool {
        bytes.iter().zip(b"HTTP/1.").all(|(a, b)| a == b)
    }

    fn start_line(line: &[u8]) -> Option<Self::Start> {
        let rest = line.strip_prefix(b"HTTP/1.")?;
        let (&[minor, b' ', a, b, c], rest) = rest.split_first_chunk::<5>()? else {
            return None;
        };
        if ![minor, a, b, c].iter().all(u8::is_ascii_digit) || a == b'0' {
            return None;
        }
        let status = [a, b, c].iter().fold(0, |n, digit| n * 10 + u16::from(digit - b'0'));
        let reason = match rest {
            [] => &[],
            [b' ', reason @ ..] => reason,
            _ => return None,
        };
        let is_fit = !reason.iter().any(|b| is_forbidden(*b));
        is_fit.then(|| (minor - b'0', status, reason.to_vec()))
    }

    fn new((minor, status, reason): Self::Start, fields: Fields) -> Response {
        let Fields { headers, head, leniencies } = fields;
        Response { minor, status, reason, headers, head, leniencies, ..Response::default() }
    }
}

impl Head for RequestHead {
    /// The method, the target and the minor version (RFC 9112 §3).
    type Start = (Vec<u8>, Vec<u8>, u8);

    fn may_begin(bytes: &[u8]) -> bool {
        bytes.first().is_none_or(|byte| is_token(*byte))
    }

    fn start_line(line: &[u8]) -> Option<Self::Start> {
        let mut words = line.split(|byte| *byte == b' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        let [minor @ b'0'..=b'9'] = version.strip_prefix(b"HTTP/1.")? else { return None };
        let is_fit = words.next().is_none()
            && !method.is_empty()
            && method.iter().all(|byte| is_token(*byte))
            && !target.is_empty()
            && !target.iter().any(|byte| byte.is_ascii_control());
        is_fit.then(|| (method.to_vec(), target.to_vec(), minor - b'0'))
    }

    fn new((method, target, minor): Self::Start, fields: Fields) -> RequestHead {
        let Fields { headers, head, leniencies } = fields;
        RequestHead { method, target, minor, headers, head, leniencies }
    }
}

fn start_line<H: Head>(line: &[u8]) -> Result<H::Start, HeadError> {
    let bad = || HeadError::StartLine(line.iter().copied().take(200).collect());
    H::start_line(line).ok_or_else(bad)
}

fn trim_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Bytes that no field value may hold: controls other than a tab (RFC 9110 §5.5).
fn is_forbidden(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

/// Whether a token such as a field name may contain the byte (RFC 9110 §5.6.2).
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads a complete head.
fn parse<H: Head>(head: Vec<u8>) -> Result<H, HeadError> {
    let mut fields = Fields::default();
    let mut start = None;
    for line in head.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if !line.ends_with(b"\r") {
            fields.tolerate(Leniency::BareLf);
        }
        let line = trim_cr(line);
        if start.is_none() {
            start = Some(start_line::<H>(line)?);
            continue;
        }
        if line.is_empty() {
            break;
        }
        let bad = |why| HeadError::FieldLine(line.iter().copied().take(200).collect(), why);
        if line.contains(&b'\r') {
            return Err(bad("a CR inside the line"));
        }
        if let Some(byte) = line.iter().find(|b| is_forbidden(**b)) {
            return Err(bad(if *byte == 0 { "a NUL byte" } else { "a control character" }));
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            let last = fields.headers.last_mut();
            let last = last.ok_or_else(|| bad("white space before the first header"))?;
            let more = line.trim_ascii();
            if !last.value.is_empty() && !more.is_empty() {
                last.value.push(b' ');
            }
            last.value.extend_from_slice(more);
            fields.tolerate(Leniency::ObsFold);
            continue;
        }
        let colon = memchr::memchr(b':', line).ok_or_else(|| bad("no colon"))?;
        let (name, value) = line.split_at(colon);
        if name.ends_with(b" ") || name.ends_with(b"\t") {
            return Err(bad("white space before the colon"));
        }
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            return Err(bad("a field name that is not a token"));
        }
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        fields.headers.push(Header::new(name, value));
    }
    let start = start.ok_or_else(|| HeadError::StartLine(Vec::new()))?;
    fields.head = head;
    Ok(H::new(start, fields))
}

/// The longest line of a chunk's size with its extensions, in bytes.
const MAX_CHUNK_LINE: usize = 1024;

/// Reads a refusal's body up to a limit, and removes its transfer coding.
#[derive(Debug)]
pub struct BodyReader {
    framing: Framing,
    limit: usize,
    body: Vec<u8>,
    done: bool,
    /// The chunked framing is invalid.
    broken: bool,
}

#[derive(Debug)]
enum Framing {
    Chunked(Chunked),
    Length(u64),
    UntilClose,
}

#[derive(Debug)]
enum Chunked {
    Size(Vec<u8>),
    Data(u64),
    DataEnd,
}

impl BodyReader {
    /// A reader for the body after this head that keeps at most `limit` bytes (RFC 9112 §6.3).
    pub fn new(response: &Response, limit: usize) -> BodyReader {
        let chunked = list(&response.headers, "transfer-encoding")
            .last()
            .is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        let length = response
            .header("content-length")
            .filter(|value| value.iter().all(u8::is_ascii_digit))
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let none = matches!(response.status, 100..=199 | 204 | 304);
        let framing = match (chunked, length) {
            (true, _) => Framing::Chunked(Chunked::Size(Vec::new())),
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::UntilClose,
        };
        let done = none || matches!(framing, Framing::Length(0));
        BodyReader { framing, limit, body: Vec::new(), done, broken: false }
    }

    /// Takes more bytes; true once the body is complete or the limit is reached.
    pub fn feed(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() && !self.done {
            bytes = self.step(bytes);
            self.done |= self.body.len() >= self.limit;
        }
        self.done
    }

    /// Whether no more bytes are needed.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The body, and why it is incomplete, if it is.
    pub fn finish(mut self) -> (Vec<u8>, Option<String>) {
        let cut = match self.framing {
            _ if self.body.len() >= self.limit => Some(format!("cut at {} bytes", self.limit)),
            Framing::Length(left) if left > 0 && !self.done => {
                Some(format!("{left} bytes of it are missing"))
            }
            _ if self.broken => Some("a chunk size in it can't be read".to_owned()),
            Framing::Chunked(_) if !self.done => Some("its last chunk is missing".to_owned()),
            _ => None,
        };
        self.body.truncate(self.limit);
        (self.body, cut)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.body.len());
        self.body.extend(bytes.iter().take(room));
    }

    /// Takes the next unit of the framing from the front and returns the rest.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        match &mut self.framing {
            Framing::UntilClose => {
                self.keep(bytes);
                &[]
            }
            Framing::Length(left) | Framing::Chunked(Chunked::Data(left)) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                let (data, rest) = bytes.split_at(take);
                *left -= data.len() as u64;
                let exhausted = *left == 0;
                self.keep(data);
                match &mut self.framing {
                    Framing::Chunked(state) if exhausted => *state = Chunked::DataEnd,
                    Framing::Length(_) if exhausted => self.done = true,
                    _ => {}
                }
                rest
            }
            Framing::Chunked(state) => {
                let end = memchr::memchr(b'\n', bytes);
                let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                match state {
                    Chunked::Size(seen) => {
                        seen.extend(line.iter().take(MAX_CHUNK_LINE + 1 - seen.len()));
                        let size = chunk_size(seen);
                        match size {
                            _ if seen.len() > MAX_CHUNK_LINE => self.broken = true,
                            _ if end.is_none() => {}
                            None => self.broken = true,
                            Some(0) => self.done = true,
                            Some(size) => *state = Chunked::Data(size),
                        }
                        self.done |= self.broken;
                    }
                    Chunked::Data(_) | Chunked::DataEnd if end.is_some() => {
                        *state = Chunked::Size(Vec::new());
                    }
                    Chunked::Data(_) | Chunked::DataEnd => {}
                }
                rest
            }
        }
    }
}

/// The size in a chunk's first line (RFC 9112 §7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|b| !b.is_ascii_hexdigit()).next()?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<(Response, Vec<u8>)>, HeadError> {
        HeadReader::new(HeadLimits::default()).feed(bytes)
    }

    const GOOD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        X-Case:  kept \t\r\nconnection: Upgrade\r\n\r\n\x81\x02hi";

    #[test]
    fn the_head_is_kept_as_it_came_and_the_rest_is_handed_on() {
        let (response, rest) = read(GOOD).unwrap().unwrap();
        assert_eq!((response.minor, response.status), (1, 101));
        assert_eq!(response.reason, b"Switching Protocols");
        assert_eq!(response.headers[1], Header::new("X-Case", "kept"));
        assert_eq!(response.header("CONNECTION"), Some(&b"Upgrade"[..]));
        assert_eq!(rest, b"\x81\x02hi");
        assert_eq!([response.head, rest].concat(), GOOD);
    }

    #[test]
    fn every_split_gives_the_same_head() {
        let whole = read(GOOD).unwrap().unwrap();
        for cut in 0..GOOD.len() {
            let mut reader = HeadReader::new(HeadLimits::default());
            let (mut head, mut rest) = match reader.feed(&GOOD[..cut]).unwrap() {
                Some(done) => done,
                None => {
                    let more = reader.feed(&GOOD[cut..]).unwrap().unwrap();
                    assert_eq!(more, whole);
                    continue;
                }
            };
            rest.extend_from_slice(&GOOD[cut..]);
            assert_eq!((std::mem::take(&mut head), rest), whole);
        }
    }

    #[test]
    fn another_protocol_is_told_at_once() {
        for banner in [&b"SSH-2.0-OpenSSH"[..], b"220 smtp", b"\x15\x03\x01", b"HTTP/2", b"h"] {
            assert!(matches!(read(banner), Err(HeadError::NotHttp(_))), "{banner:?}");
        }
        assert_eq!(read(b"HTT").unwrap(), None);
    }

    #[test]
    fn grammar_errors_are_told_apart() {
        let field = |line: &[u8]| read(&[b"HTTP/1.1 101 x\r\n", line, b"\r\n\r\n"].concat());
        for (line, why) in [
            (&b"no colon here"[..], "no colon"),
            (b"Name : x", "white space before the colon"),
            (b"a: b\rc", "a CR inside the line"),
            (b"a: \0", "a NUL byte"),
            (b"a: \x1b[2J", "a control character"),
            (b"(a): b", "a field name that is not a token"),
            (b" a: b", "white space before the first header"),
        ] {
            match field(line) {
                Err(HeadError::FieldLine(_, said)) => assert_eq!(said, why),
                other => panic!("{line:?}: {other:?}"),
            }
        }
        for line in [
            "HTTP/1.1 10x y",
            "HTTP/1.1  101",
            "HTTP/1.1 1010",
            "HTTP/1.x 101",
            "HTTP/1.1",
            "HTTP/1.1x101 y",
            "HTTP/1.1 101 y\x1b[2J",
        ] {
            let head = format!("{line}\r\n\r\n");
            assert!(matches!(read(head.as_bytes()), Err(HeadError::StartLine(_))), "{line}");
        }
    }

    fn request(bytes: &[u8]) -> Result<Option<(RequestHead, Vec<u8>)>, HeadError> {
        RequestReader::new(HeadLimits::default()).feed(bytes)
    }

    #[test]
    fn a_request_is_read_like_a_response() {
        let bytes = b"GET /chat?a=b HTTP/1.1\r\nHost:  h\r\nX-Case: kept\n folded\r\n\r\n\x81";
        let (head, rest) = request(bytes).unwrap().unwrap();
        assert_eq!((head.method.as_slice(), head.minor), (&b"GET"[..], 1));
        assert_eq!(head.target, b"/chat?a=b");
        assert_eq!(head.headers, [Header::new("Host", "h"), Header::new("X-Case", "kept folded")]);
        assert_eq!(head.leniencies, [Leniency::BareLf, Leniency::ObsFold]);
        assert_eq!((rest.as_slice(), &head.head[..]), (&b"\x81"[..], &bytes[..bytes.len() - 1]));
        for cut in 0..head.head.len() {
            let mut reader = RequestReader::new(HeadLimits::default());
            assert_eq!(reader.feed(&bytes[..cut]), Ok(None));
            assert_eq!(reader.feed(&bytes[cut..]), Ok(Some((head.clone(), rest.clone()))));
        }
        for line in [
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET / HTTP/2.0",
            "GET / HTTP/1.10",
            "GET / HTTP/1.x",
            "G(T / HTTP/1.1",
            "GET /\u{1b} HTTP/1.1",
            "SSH-2.0-OpenSSH",
        ] {
            let read = request(format!("{line}\r\n").as_bytes());
            assert!(matches!(read, Err(HeadError::StartLine(_))), "{line}");
        }
        for banner in [&b"\x16\x03\x01"[..], b"\0", b" GET", b"\r\n"] {
            assert!(matches!(request(banner), Err(HeadError::NotHttp(_))), "{banner:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(257));
        assert_eq!(request(many.as_bytes()), Err(HeadError::TooMany(256)));
    }

    #[test]
    fn leniencies_are_noted_once() {
        let (response, _) = read(b"HTTP/1.1 101\nA: b\n c\nD: e\n\n").unwrap().unwrap();
        assert_eq!(response.leniencies, [Leniency::BareLf, Leniency::ObsFold]);
        assert_eq!(response.headers[0].value, b"b c");
    }

    #[test]
    fn a_folded_value_has_no_white_space_around_it() {
        let folded = b"HTTP/1.1 101 x\r\nUpgrade:\r\n websocket\r\n \t\r\nA:\r\n \r\n\r\n";
        let (response, _) = read(folded).unwrap().unwrap();
        assert_eq!(response.header("upgrade"), Some(&b"websocket"[..]));
        assert_eq!(response.header("a"), Some(&b""[..]));
    }

    #[test]
    fn limits_hold_in_one_byte_pieces_too() {
        let mut reader = HeadReader::new(HeadLimits::default());
        reader.feed(b"HTTP/1.1 101 x\r\nA: ").unwrap();
        let fed = (0..).find(|_| reader.feed(b"b").is_err()).unwrap();
        assert_eq!(fed, (64 << 10) - 19);
        let many = format!("HTTP/1.1 101 x\r\n{}\r\n", "a: b\r\n".repeat(257));
        assert_eq!(read(many.as_bytes()), Err(HeadError::TooMany(256)));
        let long = format!("HTTP/1.1 101 x\r\nA: {}\r\n\r\n", "b".repeat(64 << 10));
        assert_eq!(read(long.as_bytes()), Err(HeadError::TooLong(64 << 10)));
    }

    fn body(head: &str, bytes: &[u8], pieces: usize) -> (Vec<u8>, Option<String>) {
        let (response, _) = read(head.as_bytes()).unwrap().unwrap();
        let mut reader = BodyReader::new(&response, 16);
        for piece in bytes.chunks(pieces) {
            assert_eq!(reader.feed(piece), reader.is_done());
        }
        reader.finish()
    }

    #[test]
    fn bodies_of_every_framing() {
        for pieces in [1, 3, 100] {
            let chunked = "HTTP/1.1 403 no\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
            let whole = b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
            assert_eq!(body(chunked, whole, pieces), (b"abcde".to_vec(), None));
            let (cut, why) = body(chunked, b"5\r\nabc", pieces);
            assert_eq!((cut.as_slice(), why.is_some()), (&b"abc"[..], true));
            let length = "HTTP/1.1 403 no\r\nContent-Length: 4\r\n\r\n";
            assert_eq!(body(length, b"abcdefg", pieces), (b"abcd".to_vec(), None));
            assert!(body(length, b"abc", pieces).1.is_some());
            let close = "HTTP/1.1 403 no\r\n\r\n";
            assert_eq!(body(close, b"abc", pieces), (b"abc".to_vec(), None));
            assert_eq!(body(close, &[b'x'; 99], pieces).0.len(), 16);
        }
    }

    #[test]
    fn a_chunk_size_means_the_same_in_any_pieces() {
        let head = "HTTP/1.1 403 no\r\nTransfer-Encoding: chunked\r\n\r\n";
        let zeros = [&b"0".repeat(70)[..], b"3\r\nabc\r\n0\r\n\r\n"].concat();
        let long = [b"3;", &b"x".repeat(900)[..], b"\r\nabc\r\n0\r\n\r\n"].concat();
        let endless = [b"3;", &b"x".repeat(1100)[..], b"\r\nabc\r\n0\r\n\r\n"].concat();
        for pieces in [1, 7, 64, 65, 5000] {
            assert_eq!(body(head, &zeros, pieces), (b"abc".to_vec(), None));
            assert_eq!(body(head, &long, pieces), (b"abc".to_vec(), None));
            for broken in [&endless[..], b"x\r\n", b"fffffffffffffffff\r\n"] {
                let (kept, why) = body(head, broken, pieces);
                assert_eq!((kept, why.is_some_and(|w| w.contains("chunk size"))), (vec![], true));
            }
        }
        let signed = "HTTP/1.1 403 no\r\nContent-Length: +2\r\n\r\n";
        assert_eq!(body(signed, b"abc", 3).0, b"abc");
    }
}
