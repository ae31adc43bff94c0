//! What a received message must be: patterns, paths into JSON, templates and differences.
//!
//! Everything here is pure: text and bytes in, a verdict out. A [`Pattern`] judges a message, a
//! [`Check`] looks at a place in it, and a [`Template`] is text with `{{names}}` in it.
//!
//! ```
//! use wstap::pattern::{Message, Pattern};
//!
//! let wanted = Pattern::text(r#"{"type":"said","n":1}"#);
//! assert!(wanted.judge(Message::text(r#"{"n":1.0,"type":"said","to":"all"}"#)).is_ok());
//! assert!(wanted.judge(Message::text(r#"{"type":"said","n":2}"#)).is_err());
//! ```

mod check;
mod diff;
mod json;
mod message;
mod number;
mod path;
mod reply;
mod subset;
mod template;

pub use check::{Check, Operand, Operator};
pub use diff::text_difference;
pub use json::{Json, JsonError, Value, escaped, parse as parse_json};
pub use message::{Groups, Message, Mismatch, Pattern};
pub use number::Number;
pub use path::Path;
pub use reply::Reply;
pub use subset::{Difference, DifferenceKind};
pub use template::{Template, TemplateError, TemplateValue, is_name};
