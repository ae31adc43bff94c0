//! What stands behind an `@`: a file, standard input or a variable of the environment.

use std::io::{self, Read};

use crate::error::{Error, Exit, Result, Stage};
use crate::sys::{self, Blocking, Role};
use crate::text::Untrusted;
use crate::text::system::reason;

/// Reads a secret: as typed, or after `@` from a file or the environment.
///
/// # Errors
/// Those of [`text`].
pub(super) fn secret(typed: &str) -> Result<String> {
    match typed.strip_prefix('@') {
        Some(path) => text(path).map(|text| text.trim_end_matches(['\r', '\n']).to_owned()),
        None => Ok(typed.to_owned()),
    }
}

/// The text of a file, of standard input (`-`), or of a variable (`env:NAME`).
///
/// # Errors
/// Exit 2 for a variable, 13 for a file that can't be read or is not UTF-8.
pub(super) fn text(path: &str) -> Result<String> {
    utf8(path, bytes(path)?)
}

/// What was read from there as text.
///
/// # Errors
/// Exit 13: it is not UTF-8.
pub(super) fn utf8(path: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|e| {
        let (path, at) = (Untrusted::text(path), e.utf8_error().valid_up_to());
        Error::new(Stage::Input, Exit::Local, format!("{path} is not UTF-8 at byte {at}"))
    })
}

/// The bytes of the same.
///
/// # Errors
/// Exit 2 for a variable, 13 for a file that can't be read.
pub(super) fn bytes(path: &str) -> Result<Vec<u8>> {
    if let Some(name) = path.strip_prefix("env:") {
        return std::env::var(name).map(String::into_bytes).map_err(|e| {
            let name = Untrusted::text(name);
            let why = match e {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8",
            };
            Error::usage(format!("the environment variable {name} {why}"))
        });
    }
    let read = match path {
        "-" => {
            let mut bytes = Vec::new();
            Blocking(Role::Stdin, io::stdin()).read_to_end(&mut bytes).map(|_| bytes)
        }
        path => sys::read_file(path),
    };
    read.map_err(|e| {
        let what = format!("can't read {}: {}", Untrusted::text(path), reason(&e));
        Error::new(Stage::Input, Exit::Local, what)
    })
}
