//! Commands to a running session, and the channel they come through.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

pub use crate::event::Setting;
pub use crate::export::Tool;
use crate::http::head::Header;
use crate::protocol::close::CloseStatus;
use crate::protocol::frame::Opcode;
use crate::redact::Secrets;
use crate::run::destination::Destination;
use crate::run::frame::FrameSpec;
pub use crate::run::kept::{LookBack, Pattern};
pub use crate::run::rules::{Reply, RuleChange, Timer};
use crate::run::tuning::Tuning;
pub use crate::run::wait::Wait;
use crate::run::wake::Waker;

/// How many commands may wait; a sender blocks until there is room.
const QUEUE: usize = 1024;

/// A command to the session.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin the closing handshake.
    Close(CloseStatus),
    /// Leave the current connection, if any, and open another one.
    Connect(Destination),
    /// Send a frame exactly like this.
    Frame(FrameSpec),
    /// Stop trying to connect.
    GiveUp,
    /// Set a header field of the next opening, or remove it if the value is empty.
    Header(Header),
    /// Send a typed line, which is on the screen, as a text message.
    Line(String),
    /// Write the events to this file, too, or to none.
    Log(Option<PathBuf>),
    /// Look at messages that have come.
    LookBack(LookBack),
    /// Send a data message.
    Message {
        /// Text or Binary.
        opcode: Opcode,
        /// The payload.
        payload: Vec<u8>,
        /// The largest frame, in bytes of payload; `None` for the session's setting.
        fragment: Option<usize>,
    },
    /// Send a ping.
    Ping(Vec<u8>),
    /// Send an unsolicited pong.
    Pong(Vec<u8>),
    /// End the session: close in order and leave.
    Quit,
    /// Leave this connection and open it again.
    Reconnect,
    /// Write a script of the session to this file, or end that.
    Record(Option<PathBuf>),
    /// Change or list what is sent by rule.
    Rule(RuleChange),
    /// Change a setting.
    Set(Setting),
    /// Change a setting of the run.
    Tune(Tuning),
    /// Answer a question.
    Show(Question),
    /// Wait for a message before the next command.
    Wait(Wait),
}

/// A question to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The connection as a command for another tool.
    As {
        /// The other tool.
        tool: Tool,
        /// Whether secrets are shown even if the session hides them.
        secrets: Secrets,
    },
    /// The header fields that were typed for the next opening.
    Fields,
    /// The heads of the request and the response.
    Headers,
    /// The settings, or the one of that name.
    Settings(Option<&'static str>),
    /// readyState, bufferedAmount, subprotocol, extensions, counters, round trip.
    Status,
    /// How long each phase of the opening took.
    Timing,
    /// What TLS negotiated, and the certificates.
    Tls,
}

/// The sending end for commands; used by the editor's thread.
#[derive(Clone, Debug)]
pub struct CommandSender {
    commands: SyncSender<Command>,
    waker: Waker,
}

impl CommandSender {
    /// Queues a command and wakes the session; blocks while the queue is full. False once the
    /// session is over.
    pub fn send(&self, command: Command) -> bool {
        let sent = self.commands.send(command).is_ok();
        self.waker.wake();
        sent
    }
}

/// The session's end of the channel.
#[derive(Debug)]
pub struct Commands {
    commands: Receiver<Command>,
    over: bool,
}

impl Commands {
    /// The next command, if one waits.
    pub fn take(&mut self) -> Option<Command> {
        match self.commands.try_recv() {
            Ok(command) => Some(command),
            Err(TryRecvError::Empty) => None,
            // The editor is gone: no command can come.
            Err(TryRecvError::Disconnected) if !self.over => {
                self.over = true;
                Some(Command::Quit)
            }
            Err(TryRecvError::Disconnected) => None,
        }
    }
}

/// A channel for commands. The waker must be the one of the session's loop.
pub fn channel(waker: Waker) -> (CommandSender, Commands) {
    let (sender, receiver) = sync_channel(QUEUE);
    (CommandSender { commands: sender, waker }, Commands { commands: receiver, over: false })
}
