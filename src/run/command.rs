//! Commands to a running session, and the channel they come through.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use rustix::io::Errno;
use rustix::pipe::PipeFlags;

pub use crate::event::Setting;
pub use crate::export::Tool;
use crate::protocol::close::CloseStatus;
use crate::protocol::frame::Opcode;
use crate::redact::Secrets;
use crate::run::frame::FrameSpec;
use crate::sys::{self, Role};

/// How many commands may wait; a sender blocks until there is room.
const QUEUE: usize = 1024;

/// A command to the session.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin the closing handshake.
    Close(CloseStatus),
    /// Leave the current connection, if any, and open one to this URL, as typed.
    Connect(String),
    /// Send a frame exactly like this.
    Frame(FrameSpec),
    /// Stop trying to connect.
    GiveUp,
    /// Send a typed line, which is on the screen, as a text message.
    Line(String),
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
    /// Change a setting.
    Set(Setting),
    /// Answer a question.
    Show(Question),
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
    /// The heads of the request and the response.
    Headers,
    /// readyState, bufferedAmount, subprotocol, extensions, counters, round trip.
    Status,
    /// How long each phase of the opening took.
    Timing,
    /// What TLS negotiated, and the certificates.
    Tls,
}

/// Wakes the session's loop from another thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// Wakes the loop for one turn. Never blocks: a full pipe wakes as well as one byte.
    pub fn wake(&self) {
        while sys::write(Role::Wake, &*self.0, &[1]) == Err(Errno::INTR) {}
    }
}

/// The reading end, which a loop polls.
#[derive(Debug)]
pub struct Wake(OwnedFd);

impl Wake {
    /// A waker and its reading end.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn pair() -> io::Result<(Waker, Wake)> {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok((Waker(Arc::new(write)), Wake(read)))
    }

    /// Reads and discards what wakers have written.
    pub fn clear(&self) {
        let mut sink = [0; 64];
        while sys::read(Role::Wake, &self.0, &mut sink).is_ok_and(|n| n == sink.len()) {}
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
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

/// A view's output that is no file descriptor: the text above the prompt.
pub trait Screen: io::Write + Send {
    /// Bytes accepted but not yet shown. Above a limit the session stops reading the socket; the
    /// screen wakes the session when it has caught up.
    fn pending(&self) -> usize;

    /// Waits until everything was shown, for `patience` at most.
    fn drain(&self, patience: Duration);

    /// Shows a line after a while, unless something else was written before.
    fn show_late(&mut self, line: Vec<u8>);

    /// Tells the prompt whether there is a connection.
    fn set_connected(&mut self, _connected: bool) {}

    /// Tells the prompt whether the session is reconnecting.
    fn set_waiting(&mut self, _waiting: bool) {}
}
