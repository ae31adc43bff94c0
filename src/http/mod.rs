//! HTTP as far as an opening handshake needs it, without input or output: heads (RFC 9112), fields
//! and dates (RFC 9110), cookies (RFC 6265), challenges and Digest (RFC 7616).
//!
//! ```
//! use wstap::http::head::{HeadLimits, HeadReader};
//!
//! let mut reader = HeadReader::new(HeadLimits::default());
//! let head = b"HTTP/1.1 403 Forbidden\r\nRetry-After: 5\r\n\r\nno";
//! let (response, rest) = reader.feed(head).unwrap().unwrap();
//! assert_eq!((response.status, response.header("retry-after")), (403, Some(&b"5"[..])));
//! assert_eq!(rest, b"no");
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

pub mod challenge;
pub mod cookie;
pub mod date;
pub mod digest;
pub mod head;
