//! The operating system's words for what failed.

use std::io;

use crate::text::Untrusted;

/// Why a call failed: without the number of the error, escaped.
pub fn reason(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::ConnectionRefused => return "connection refused".to_owned(),
        io::ErrorKind::IsADirectory => return "it is a folder".to_owned(),
        io::ErrorKind::NotADirectory => return "a part of its path is not a folder".to_owned(),
        io::ErrorKind::NotFound => return "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => return "permission denied".to_owned(),
        // Of read_to_string.
        io::ErrorKind::InvalidData if e.to_string().contains("valid UTF-8") => {
            return "it is not UTF-8".to_owned();
        }
        _ => {}
    }
    let text = e.to_string();
    Untrusted::text(text.split(" (os error").next().unwrap_or_default()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        let of = |number| reason(&io::Error::from_raw_os_error(number));
        assert_eq!(of(2), "there is no such file");
        assert_eq!(of(13), "permission denied");
        assert_eq!(of(28), "No space left on device");
        assert_eq!(reason(&io::Error::other("a\x1bb (os error 7)")), "a\\x1bb");
    }
}
