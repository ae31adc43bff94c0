//! Recorded exchanges, cut, dribbled and split at every byte: nothing panics, and what is told of a
//! beginning is a beginning of what is told of the whole.

use std::fmt::Write;

use wstap::http::head::{BodyReader, HeadLimits, HeadReader};
use wstap::protocol::close::{CloseCode, CloseStatus};
use wstap::protocol::connection::{Config, Data, Delivery, Receiver, Sender, Traffic};
use wstap::protocol::deflate::Params;
use wstap::protocol::frame::{FrameHeader, Opcode};
use wstap::protocol::handshake::{HandshakeReport, Request, RequestOptions, Verdict};
use wstap::protocol::violation::{Policy, Rule};

use crate::support::scripted::raw_frame as frame;

/// A head that switches protocols, for the key of RFC 6455 §1.3.
const HEAD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What a server sent from its first byte to its last.
struct Exchange {
    name: &'static str,
    bytes: Vec<u8>,
    /// What must be told last of the whole of it.
    ends: &'static str,
}

/// A client that reads one exchange and notes what it is told.
struct Client {
    config: Config,
    policy: Policy,
    stage: Stage,
    told: Vec<String>,
    /// The data of a message, a frame or a body that is not whole.
    data: Vec<u8>,
}

enum Stage {
    Head(HeadReader),
    Body(BodyReader),
    Open(Box<(Receiver, Sender)>),
    Over,
}

impl Client {
    fn new(config: Config) -> Client {
        let stage = Stage::Head(HeadReader::new(HeadLimits::default()));
        Client { config, policy: config.policy, stage, told: Vec::new(), data: Vec::new() }
    }

    fn feed(&mut self, bytes: &[u8]) {
        match &mut self.stage {
            Stage::Head(reader) => match reader.feed(bytes) {
                Ok(None) => {}
                Ok(Some((response, rest))) => self.head(response, &rest),
                Err(e) => {
                    let name = format!("{e:?}");
                    let name = name.split('(').next().unwrap_or_default();
                    self.told.push(format!("no head: {name}"));
                    self.stage = Stage::Over;
                }
            },
            Stage::Body(body) => {
                body.feed(bytes);
            }
            Stage::Open(open) => {
                open.0.receive(bytes);
                self.drain();
            }
            Stage::Over => {}
        }
    }

    fn head(&mut self, response: wstap::http::head::Response, rest: &[u8]) {
        self.told.push(format!("head {} {}", response.status, response.headers.len()));
        self.stage = match response.status {
            101 => {
                let options = RequestOptions {
                    host: "h".to_owned(),
                    target: "/".to_owned(),
                    subprotocols: vec!["chat".to_owned()],
                    extensions: "permessage-deflate; client_max_window_bits".to_owned(),
                    ..RequestOptions::default()
                };
                let request = Request::new(&options, KEY);
                let report = HandshakeReport::judge(&request, &response, self.policy);
                self.told.push(format!("judged {:?} {:?}", report.verdict(), report.deflate));
                if report.verdict() == Verdict::Fail {
                    self.stage = Stage::Over;
                    return;
                }
                let config = Config { deflate: report.deflate, ..self.config };
                let sender = Sender::new(&config, Box::new(|key| key.fill(0)));
                self.stage = Stage::Open(Box::new((Receiver::new(config, rest), sender)));
                return self.drain();
            }
            100..=199 => Stage::Head(HeadReader::new(HeadLimits::default())),
            _ => Stage::Body(BodyReader::new(&response, 64 << 10)),
        };
        self.feed(rest);
    }

    fn drain(&mut self) {
        let Stage::Open(open) = &mut self.stage else { return };
        let (receiver, sender) = &mut **open;
        while let Some(incoming) = receiver.next(sender) {
            let mut text = String::new();
            match incoming {
                Traffic::Data(Data {
                    opcode,
                    bytes,
                    last,
                    fragments,
                    wire_len,
                    compressed,
                    ..
                }) => {
                    self.data.extend_from_slice(bytes);
                    if !last {
                        continue;
                    }
                    let data = std::mem::take(&mut self.data);
                    let shown = data.escape_ascii();
                    write!(text, "{opcode} {fragments} {wire_len} {compressed} {shown}").unwrap();
                }
                Traffic::Close { status, .. } => {
                    let reason = status.reason.escape_ascii();
                    write!(text, "close {:?} {reason}", status.code).unwrap();
                }
                Traffic::Violation(violation) => {
                    // A header whose first two bytes are guilty is shown only if it was whole by then.
                    let shown = format!("offset: {} }})", violation.offset);
                    let of_header = violation.rule.close_code() == CloseCode::PROTOCOL_ERROR
                        && !matches!(violation.rule, Rule::CloseCode | Rule::CloseLength);
                    if of_header {
                        self.told.pop_if(|t| t.starts_with("Frame(") && t.ends_with(&shown));
                    }
                    sender.close(&violation.close_status());
                    write!(text, "violation {}", violation.rule.name()).unwrap();
                }
                Traffic::Limit(limit) => {
                    sender.close(&limit.close_status());
                    text = "limit".to_owned();
                }
                Traffic::Warning(violation) => {
                    write!(text, "warning {}", violation.rule.name()).unwrap();
                }
                other => write!(text, "{other:?}").unwrap(),
            }
            self.told.push(text);
        }
    }

    /// The stream ended here.
    fn end(&self) -> String {
        match &self.stage {
            Stage::Open(open) => {
                let position = open.0.position();
                assert_sensible(&position);
                assert!(open.1.buffered() < 1 << 16);
                // Once nothing more is read, it does not matter where.
                let over = open.0.has_failed() || open.0.close_received().is_some();
                if over { String::new() } else { position }
            }
            Stage::Head(reader) => format!("in the head, after {} bytes", reader.received().len()),
            Stage::Body(_) | Stage::Over => String::new(),
        }
    }
}

/// Every place where a stream can end, in words whose numbers can be true.
#[track_caller]
fn assert_sensible(position: &str) {
    let known = ["between two frames", "in a frame header, after ", "in a "];
    assert!(known.iter().any(|k| position.starts_with(k)), "{position}");
    let numbers: Vec<u64> = position.split(' ').filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        [got, of] => assert!(got <= of, "{position}"),
        [header] if position.contains("header") => assert!((1..14).contains(header), "{position}"),
        [_] | [] => {}
        _ => panic!("{position}"),
    }
}

/// What our own sender makes of these messages, as a server would send it.
fn sent(deflate: Option<Params>, fragment: usize, messages: &[(Opcode, &[u8])]) -> Vec<u8> {
    let config = Config { deflate, ..Config::default() };
    let mut sender = Sender::new(&config, Box::new(|key| key.fill(0)));
    for (at, (opcode, payload)) in messages.iter().enumerate() {
        sender.message(*opcode, payload, Some(fragment));
        if at % 2 == 0 {
            sender.ping(b"still there?");
        }
    }
    sender.close(&CloseStatus::new(CloseCode::NORMAL, "done"));
    let (mut rest, mut out) = (sender.transmit(), Vec::new());
    while let Some((header, len)) = FrameHeader::parse(rest) {
        let (frame, after) = rest.split_at(len + header.length as usize);
        FrameHeader { masking_key: None, ..header }.encode(&mut out);
        out.extend_from_slice(&frame[len..]);
        rest = after;
    }
    out
}

fn opened(headers: &str, frames: &[Vec<u8>]) -> Vec<u8> {
    [format!("{HEAD}{headers}\r\n").into_bytes(), frames.concat()].concat()
}

/// Exchanges that get no further than HTTP.
fn refusals() -> Vec<Exchange> {
    let http = |name, text: &str, ends| Exchange { name, bytes: text.as_bytes().to_vec(), ends };
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
    vec![
        http(
            "refused with a length",
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nno entry\n",
            "body no entry\\n",
        ),
        http(
            "refused in chunks",
            "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
             5;x=y\r\nlater\r\n00c\r\n, come again\r\n0\r\nTrailer: x\r\n\r\n",
            "body later, come again",
        ),
        http(
            "refused until the end",
            "HTTP/1.0 404 Not Found\r\nServer: old\r\n\r\n<html>\n<title>404</title>\n",
            "body <html>\\n<title>404</title>\\n",
        ),
        http(
            "login wanted",
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
            "body ",
        ),
        http(
            "redirected",
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: wss://other.example/ws\r\n\
             Content-Length: 5\r\n\r\nthere",
            "body there",
        ),
        http(
            "redirected after an informational answer",
            &format!("{early}HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\nmoved"),
            "body moved",
        ),
        http(
            "another version",
            "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8\r\nContent-Length: 0\r\n\r\n",
            "body ",
        ),
        http(
            "a broken chunk",
            "HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "body ",
        ),
        http("a banner", "SSH-2.0-OpenSSH_9.9\r\n", "no head: NotHttp"),
        http("no status", "HTTP/1.1 10x Switching\r\n\r\n", "no head: StartLine"),
        http(
            "a NUL",
            "HTTP/1.1 101 Switching\r\nUpgrade: web\0socket\r\n\r\n",
            "no head: FieldLine",
        ),
        http(
            "a wrong key",
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n\x01\x02hi",
            "judged Fail None",
        ),
        http(
            "an extension not offered",
            &format!("{HEAD}Sec-WebSocket-Extensions: x\r\n\r\n"),
            "judged Fail None",
        ),
    ]
}

/// Exchanges that open without compression.
fn plain() -> Vec<Exchange> {
    let open = |name, frames: &[Vec<u8>], ends| Exchange { name, bytes: opened("", frames), ends };
    let bye = frame(0x88, b"\x03\xe8bye");
    let clean = "close Some(CloseCode(1000)) bye";
    let long = vec![b'x'; 300];
    vec![
        open("one text", &[frame(0x81, b"Hello"), bye.clone()], clean),
        open("text of many bytes", &[frame(0x81, "Grüße, 世界 😀".as_bytes()), bye.clone()], clean),
        open("binary", &[frame(0x82, [0, 0xff, 0x80, 0x1b]), bye.clone()], clean),
        open("empty messages", &[frame(0x81, b""), frame(0x82, b""), bye.clone()], clean),
        open("a 16-bit length", &[frame(0x82, &long), bye.clone()], clean),
        open(
            "fragments",
            &[frame(0x01, b"Hel"), frame(0x00, b""), frame(0x80, b"lo"), bye.clone()],
            clean,
        ),
        open(
            "fragments inside characters",
            &[frame(0x01, b"\xf0\x9f"), frame(0x00, b"\x98"), frame(0x80, b"\x80"), bye.clone()],
            clean,
        ),
        open(
            "control frames in between",
            &[
                frame(0x02, b"ab"),
                frame(0x89, b"ping"),
                frame(0x00, b"cd"),
                frame(0x8a, b""),
                frame(0x80, b"ef"),
                bye.clone(),
            ],
            clean,
        ),
        open("a close inside a message", &[frame(0x01, b"ab"), bye.clone()], clean),
        open("the longest ping", &[frame(0x89, &long[..125]), bye.clone()], clean),
        open("a close without a code", &[frame(0x88, b"")], "close None "),
        open(
            "a close without a reason",
            &[frame(0x88, b"\x0f\xa0")],
            "close Some(CloseCode(4000)) ",
        ),
        open("a close and more", &[bye.clone(), frame(0x81, b"late"), bye.clone()], clean),
        open("a close of one byte", &[frame(0x88, b"\x03")], "violation close-length"),
        open("a close code 1006", &[frame(0x88, b"\x03\xee")], "violation close-code"),
        open(
            "a close with a bad reason",
            &[frame(0x88, b"\x03\xe8\xff")],
            "violation close-reason",
        ),
        open("no UTF-8", &[frame(0x81, b"ab\xc3\x28"), bye.clone()], "violation utf8"),
        open(
            "a cut character",
            &[frame(0x01, b"ab\xe2"), frame(0x80, b"\x82"), bye.clone()],
            "violation utf8",
        ),
        open("masked", &[vec![0x81, 0x82, 1, 2, 3, 4, 5, 6]], "violation masked"),
        open(
            "a reserved opcode",
            &[frame(0x81, b"a"), frame(0x83, b"b")],
            "violation reserved-opcode",
        ),
        open("a reserved bit", &[frame(0xc1, b"b")], "violation reserved-bit"),
        open("an orphan", &[frame(0x80, b"b")], "violation orphan-continuation"),
        open("interleaved", &[frame(0x01, b"a"), frame(0x81, b"b")], "violation interleaved"),
        open("a long control frame", &[frame(0x89, &long[..126])], "violation control-length"),
        open("too much", &[vec![0x82, 0x7f, 0, 0, 0, 0xff, 0, 0, 0, 0]], "limit"),
        open("too long a length", &[vec![0x81, 0x7e, 0, 2, b'h', b'i'], bye.clone()], clean),
        Exchange {
            name: "after informational answers",
            bytes: [
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n".to_vec(),
                opened("Sec-WebSocket-Protocol: chat\r\n", &[frame(0x81, b"hi"), bye.clone()]),
            ]
            .concat(),
            ends: clean,
        },
        Exchange {
            name: "a lenient head",
            bytes: [
                format!("{HEAD}X-Folded: a\n b\n\n").replace('\r', "").into_bytes(),
                frame(0x81, b"hi"),
                bye,
            ]
            .concat(),
            ends: clean,
        },
    ]
}

/// Exchanges with compression, made by our own sender where they are right.
fn compressed() -> Vec<Exchange> {
    let text = "the quick brown fox jumps over the lazy dog, the quick brown fox".as_bytes();
    let noise: Vec<u8> = (0..200u32).map(|i| (i * i * 31 / 8) as u8).collect();
    let messages =
        [(Opcode::Text, text), (Opcode::Binary, &noise), (Opcode::Text, b""), (Opcode::Text, text)];
    let agreed = |params: &str| format!("Sec-WebSocket-Extensions: permessage-deflate{params}\r\n");
    let none = Params {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..Params::default()
    };
    let small =
        Params { server_max_window_bits: 9, client_max_window_bits: 9, ..Params::default() };
    let done = "close Some(CloseCode(1000)) done";
    let made = |name, headers: String, params, fragment| Exchange {
        name,
        bytes: opened(&headers, &[sent(Some(params), fragment, &messages)]),
        ends: done,
    };
    let wrong = |name, payload: &[u8], ends| Exchange {
        name,
        bytes: opened(&agreed(""), &[frame(0xc1, payload)]),
        ends,
    };
    vec![
        made("compressed", agreed(""), Params::default(), usize::MAX),
        made("compressed in fragments", agreed(""), Params::default(), 7),
        made("compressed byte for byte", agreed(""), Params::default(), 1),
        made("without context", agreed("; server_no_context_takeover"), none, 50),
        made("a small window", agreed("; server_max_window_bits=9"), small, usize::MAX),
        Exchange {
            name: "plain after compressed",
            bytes: opened(
                &agreed(""),
                &[
                    frame(0xc1, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
                    sent(None, 5, &messages),
                ],
            ),
            ends: done,
        },
        Exchange {
            name: "a final block",
            bytes: opened(
                &agreed(""),
                &[
                    frame(0xc1, [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]),
                    frame(0x88, b"\x03\xe8done"),
                ],
            ),
            ends: done,
        },
        wrong("no deflate data", &[0xff, 0xff, 0xff], "violation deflate-data"),
        wrong("cut deflate data", &[0xf2, 0x48, 0xcd, 0xc9], "violation deflate-truncated"),
        wrong(
            "compressed text that is none",
            &[0x00, 0x02, 0x00, 0xfd, 0xff, 0xc3, 0x28, 0x00],
            "violation utf8",
        ),
    ]
}

/// All that is told of an exchange that comes in these pieces and then ends.
fn told(config: Config, pieces: &[&[u8]]) -> (Vec<String>, Vec<u8>, String) {
    let mut client = Client::new(config);
    for piece in pieces {
        client.feed(piece);
    }
    let end = client.end();
    if let Stage::Body(body) = std::mem::replace(&mut client.stage, Stage::Over) {
        let (body, cut) = body.finish();
        if let Some(why) = cut {
            assert!(why.contains("missing") || why.contains("can't be read"), "{why}");
        }
        client.told.push("refused".to_owned());
        client.data = body;
    }
    (client.told, client.data, end)
}

#[test]
fn every_exchange_survives_every_cut() {
    let exchanges: Vec<Exchange> =
        [refusals(), plain(), compressed()].into_iter().flatten().collect();
    assert!(exchanges.len() >= 40, "{} exchanges", exchanges.len());
    let configs = [
        Config::default(),
        Config { delivery: Delivery::Pieces, ..Config::default() },
        Config { frames: true, ..Config::default() },
    ];
    let mut runs = 0;
    for Exchange { name, bytes, ends } in &exchanges {
        for config in configs {
            let whole = told(config, &[bytes]);
            let last = match whole.0.last().map(String::as_str) {
                Some("refused") => format!("body {}", whole.1.escape_ascii()),
                last => last.unwrap_or_default().to_owned(),
            };
            assert_eq!(&last, ends, "{name}");
            let dribbled: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(told(config, &dribbled), whole, "{name}, byte for byte");
            runs += 2;
            for cut in 0..bytes.len() {
                let (before, after) = bytes.split_at(cut);
                assert_eq!(told(config, &[before, after]), whole, "{name}, split at {cut}");
                let (events, data, _) = told(config, &[before]);
                let same = events.iter().zip(&whole.0).filter(|(a, b)| a == b).count();
                assert_eq!(same, events.len(), "{name}, cut at {cut}: {events:?}");
                if events.last().is_some_and(|e| e == "refused") {
                    assert!(whole.1.starts_with(&data), "{name}, cut at {cut}: {data:?}");
                }
                let dribbled: Vec<&[u8]> = before.chunks(1).collect();
                let (slowly, ..) = told(config, &dribbled);
                assert_eq!(slowly, events, "{name}, cut at {cut} byte for byte");
                runs += 3;
            }
        }
    }
    assert!(runs > 20_000, "{runs} runs");
}
