//! Options of the view for people.

use crate::protocol::frame::Opcode;
use crate::text::stamp::Stamps;

/// Options of the view for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HumanOptions {
    /// The count of `-v`: 1 the phases and control frames, 2 each frame, 3 each byte.
    pub verbosity: u8,
    /// Only errors and answers (and messages in the REPL).
    pub quiet: bool,
    /// Colours.
    pub color: bool,
    /// What of the time stands before each line.
    pub stamps: Stamps,
    /// JSON payloads over several lines.
    pub pretty: bool,
    /// Every message as a hexdump, in full.
    pub hex: bool,
    /// Of received messages only those of this type.
    pub only: Option<Opcode>,
    /// The REPL's screen: messages are shown, too.
    pub repl: bool,
    /// With `repl`, show what is sent as it is shown when it is received: where nobody types.
    pub sent: bool,
    /// We are the server: requests are received and responses sent, and no line at the end reports
    /// a failure.
    pub server: bool,
}

impl HumanOptions {
    /// Whether at least this many `-v` were given, and no `-q`.
    pub(super) fn shows(&self, verbosity: u8) -> bool {
        !self.quiet && self.verbosity >= verbosity
    }
}
