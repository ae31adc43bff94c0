//! The two roles of RFC 6455.

/// The role in which we speak the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// We opened the connection: our frames are masked, the peer's are not (§5.1).
    #[default]
    Client,
    /// We accepted the connection: the peer's frames are masked, ours are not.
    Server,
}

impl Side {
    /// The peer's role.
    pub fn peer(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}
