//! Connects to the server: the name, TCP, the proxy and TLS. Each step is reported as an event,
//! within one deadline and interruptible at any time.
//!
//! [`dial`] gives a [`Stream`]: bytes in and out, non-blocking. The protocol on top
//! isn't known here.

#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod byte_stream;
mod connect;
mod credentials;
mod dial;
mod host;
mod options;
pub mod proxies;
pub mod proxy;
mod resolve;
mod stream;
mod target;
mod tls;
mod tunnel;
mod wait;

pub use dial::{Dialed, dial};
pub use options::{ConnectTo, DialOptions, Family, Resolve};
pub use proxies::Proxies;
pub use proxy::Proxy;
pub use stream::Stream;
pub use target::Target;
pub use tls::{
    Pins, Sni, TlsNames, TlsOptions, Versions, default_provider, private_key, tls_failure,
};
pub use wait::{Progress, Quiet, shown_limit};
