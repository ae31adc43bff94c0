//! Opening a connection: name, route, login, cookies, redirects, the handshake.

mod body;
pub mod cookies;
pub mod login;
pub mod netrc;
pub mod open;
pub mod options;
pub mod random;
pub mod route;
pub mod unsent;
