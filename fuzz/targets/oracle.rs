//! The same frames for wstap and for tungstenite as a client: the same messages, and failure at the
//! same place, wherever both keep the same rules.

#![no_main]

use std::io::{self, Read, Write};

use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};
use wstap::protocol::connection::{Config, Data, Receiver, Traffic};
use wstap::protocol::frame::{FrameHeader, Opcode};
use wstap::protocol::violation::Rule;
use wstap_fuzz::{Input, pieces, sender};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let (choice, seed) = (input.byte(), input.byte());
    let bytes = if choice & 1 == 0 { input.rest().to_vec() } else { frames(input.rest()) };
    let (ours, end) = ours(&pieces(&bytes, seed));
    let (theirs, failed) = theirs(&bytes);
    match end {
        // tungstenite reads on: it ignores the form of a length, answers a forbidden close code
        // itself, and looks at text only once its frame is whole.
        End::Failed(Rule::CloseCode | Rule::ControlLength | Rule::LengthTopBit | Rule::Utf8)
        | End::HeaderOnly => assert!(theirs.starts_with(&ours), "{ours:?}\n{theirs:?}"),
        End::Failed(rule) => {
            assert_eq!(ours, theirs);
            assert!(failed, "only we say {rule:?}");
        }
        End::Open => {
            assert_eq!(ours, theirs);
            assert!(!failed, "only tungstenite fails");
        }
    }
});

/// How our reading ended.
enum End {
    Failed(Rule),
    /// A rule was broken by the first two bytes of a frame that is not whole: tungstenite waits.
    HeaderOnly,
    Open,
}

/// Frames out of anything: a byte for FIN and opcode, a byte for the length, the payload.
fn frames(mut data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let [first, length, rest @ ..] = data {
        let (payload, after) = rest.split_at(usize::from(*length).min(rest.len()));
        let opcode = match first & 0xf {
            0x0..=0x3 => Opcode::Continuation,
            0x4..=0x7 => Opcode::Text,
            0x8 | 0xb => Opcode::Binary,
            bits => Opcode::from_bits(match bits {
                0xc => 0x8,
                bits => bits,
            }),
        };
        let mut header = FrameHeader::new(opcode, payload.len() as u64);
        header.fin = first & 0x80 != 0 || (opcode.is_control() && first & 0x40 != 0);
        header.encode(&mut bytes);
        bytes.extend_from_slice(payload);
        data = after;
    }
    bytes
}

fn ours(pieces: &[&[u8]]) -> (Vec<Message>, End) {
    let config = Config::default();
    let mut sender = sender(&config);
    let mut receiver = Receiver::new(config, b"");
    let mut messages = Vec::new();
    let mut held = Vec::new();
    for piece in pieces {
        receiver.receive(piece);
        loop {
            let message = match receiver.next(&mut sender) {
                None => break,
                Some(Traffic::Data(Data { opcode, bytes, last, .. })) => {
                    held.extend_from_slice(bytes);
                    if !last {
                        continue;
                    }
                    let data = std::mem::take(&mut held);
                    match opcode {
                        Opcode::Text => Message::text(String::from_utf8(data).expect("UTF-8")),
                        _ => Message::binary(data),
                    }
                }
                Some(Traffic::Ping { payload, .. }) => Message::Ping(payload.to_vec().into()),
                Some(Traffic::Pong { payload, .. }) => Message::Pong(payload.to_vec().into()),
                Some(Traffic::Close { status, .. }) => {
                    let frame = status.code.map(|code| match code.0 {
                        // Registered with IANA, which tungstenite does not know.
                        1014 => {
                            CloseFrame { code: 1002.into(), reason: "Protocol violation".into() }
                        }
                        code => CloseFrame {
                            code: code.into(),
                            reason: String::from_utf8_lossy(&status.reason).into_owned().into(),
                        },
                    });
                    messages.push(Message::Close(frame));
                    return (messages, End::Open);
                }
                Some(Traffic::Violation(violation)) => {
                    let (rule, start) = (violation.rule, violation.offset as usize);
                    let all = pieces.concat();
                    let frame = all.get(start..).unwrap_or_default();
                    let whole = FrameHeader::parse(frame)
                        .is_some_and(|(h, len)| (frame.len() - len) as u64 >= h.length);
                    let end = if whole { End::Failed(rule) } else { End::HeaderOnly };
                    return (messages, end);
                }
                // A size that nobody sends: tungstenite has other limits.
                Some(Traffic::Limit(_)) => return (messages, End::HeaderOnly),
                Some(Traffic::Warning(_) | Traffic::Frame(_)) => continue,
                Some(Traffic::FramePayload(_)) => continue,
            };
            messages.push(message);
        }
    }
    (messages, End::Open)
}

fn theirs(bytes: &[u8]) -> (Vec<Message>, bool) {
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_frame_size(Some(64 << 20))
        .max_message_size(Some(64 << 20));
    let mut socket = WebSocket::from_raw_socket(Memory(bytes), Role::Client, Some(config));
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Frame(_)) => {}
            Ok(message @ Message::Close(_)) => {
                messages.push(message);
                return (messages, false);
            }
            Ok(message) => messages.push(message),
            // The end of the bytes.
            Err(Error::Io(_) | Error::ConnectionClosed) => return (messages, false),
            Err(Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => return (messages, false),
            Err(_) => return (messages, true),
        }
    }
}

/// A stream with bytes to read, where all that is written is lost.
struct Memory<'a>(&'a [u8]);

impl Read for Memory<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
