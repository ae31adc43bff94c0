//! One endpoint as a script of bytes in, events and bytes out; what every play is written with.

use wstap::protocol::close::CloseStatus;
use wstap::protocol::connection::{
    Config, Data, Direction, Frame, FramePayload, Receiver, Sender, Side, Traffic,
};
use wstap::protocol::mask;

use crate::support::scripted::raw_frame;

/// The masking key that every frame of a client gets here.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// An endpoint whose events are kept as short texts and whose data is put together.
pub struct Script {
    pub receiver: Receiver,
    pub sender: Sender,
    pub events: Vec<String>,
    piece: Vec<u8>,
}

impl Script {
    pub fn client() -> Script {
        Script::with(Config::default())
    }

    pub fn server() -> Script {
        Script::with(Config { side: Side::Server, ..Config::default() })
    }

    pub fn with(config: Config) -> Script {
        let keys = |bytes: &mut [u8]| {
            bytes.iter_mut().zip(KEY.iter().cycle()).for_each(|(b, k)| *b = *k);
        };
        Script {
            receiver: Receiver::new(config, b""),
            sender: Sender::new(&config, Box::new(keys)),
            events: Vec::new(),
            piece: Vec::new(),
        }
    }

    pub fn recv(mut self, bytes: &[u8]) -> Script {
        self.take(bytes);
        self
    }

    pub fn take(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(64 << 10) {
            self.receiver.receive(part);
            while let Some(traffic) = self.receiver.next(&mut self.sender) {
                let event = match traffic {
                    Traffic::Frame(Frame { header, offset, bytes, .. }) => {
                        format!("frame {offset}+{} {header}", bytes.len())
                    }
                    Traffic::FramePayload(FramePayload { wire, offset, masking_key, .. }) => {
                        format!("payload {offset} {masking_key:?} {wire:02x?}")
                    }
                    Traffic::Data(Data { direction, opcode, bytes, last, fragments, .. }) => {
                        assert_eq!(direction, Direction::In);
                        self.piece.extend_from_slice(bytes);
                        if !last {
                            continue;
                        }
                        let text = String::from_utf8_lossy(&self.piece).into_owned();
                        self.piece.clear();
                        format!("{opcode} {fragments} {text}")
                    }
                    Traffic::Ping { payload, .. } => format!("ping {}", payload.escape_ascii()),
                    Traffic::Pong { payload, .. } => format!("pong {}", payload.escape_ascii()),
                    Traffic::Close { status: CloseStatus { code, reason }, .. } => {
                        let code = code.map_or("none".to_owned(), |code| code.to_string());
                        format!("close {code} {}", reason.escape_ascii())
                    }
                    Traffic::Warning(violation) => format!("warning {}", violation.rule.name()),
                    Traffic::Violation(violation) => {
                        self.sender.close(&violation.close_status());
                        format!("violation {}", violation.rule.name())
                    }
                    Traffic::Limit(limit) => {
                        self.sender.close(&limit.close_status());
                        format!("limit {limit}")
                    }
                };
                self.events.push(event);
            }
        }
    }

    #[track_caller]
    pub fn expect_event(mut self, event: &str) -> Script {
        assert!(!self.events.is_empty(), "expected {event}, nothing came");
        assert_eq!(self.events.remove(0), event);
        self
    }

    #[track_caller]
    pub fn expect_send(mut self, bytes: &[u8]) -> Script {
        assert_eq!(self.sender.transmit(), bytes);
        let n = self.sender.transmit().len();
        self.sender.transmitted(n);
        self
    }

    #[track_caller]
    pub fn end(self) {
        assert_eq!(self.events, Vec::<String>::new());
        assert_eq!(self.sender.transmit(), b"");
    }
}

/// A frame masked with the key of the play.
pub fn masked(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut frame = raw_frame(first, payload);
    frame[1] |= 0x80;
    let start = frame.len() - payload.len();
    frame.splice(start..start, KEY);
    mask::apply(&mut frame[start + KEY.len()..], KEY, 0);
    frame
}
