//! Values as literals of other languages: exact, and without control characters.

use std::fmt::Write;

use crate::text::is_dangerous;

/// A word for a POSIX shell; for bash, zsh and ksh where it needs `$'…'`.
pub(super) fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('=') {
        return text.to_owned();
    }
    if !text.contains(is_dangerous) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for c in text.chars() {
        // Writing into a String can't fail.
        let _ = match c {
            '\'' | '\\' => write!(quoted, "\\{c}"),
            c if !is_dangerous(c) => write!(quoted, "{c}"),
            c if c.is_ascii() => write!(quoted, "\\x{:02x}", u32::from(c)),
            c => write!(quoted, "\\U{:08x}", u32::from(c)),
        };
    }
    quoted.push('\'');
    quoted
}

/// A JavaScript string, which is also valid JSON.
pub(super) fn js(text: &str) -> String {
    double(text, |c, quoted| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(quoted, "\\u{unit:04x}");
        }
    })
}

/// A Python string.
pub(super) fn python(text: &str) -> String {
    double(text, |c, quoted| {
        let _ = match u32::from(c) {
            code @ ..=0xffff => write!(quoted, "\\u{code:04x}"),
            code => write!(quoted, "\\U{code:08x}"),
        };
    })
}

fn double(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_dangerous(c) => escape(c, &mut quoted),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        for (text, word) in [
            ("", "''"),
            ("wss://h:1/x", "wss://h:1/x"),
            ("ws://h/?a=1&b", "'ws://h/?a=1&b'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("=x", "'=x'"),
            ("~", "'~'"),
            ("a'\\\u{1b}1\u{9b}", r"$'a\'\\\x1b1\U0000009b'"),
        ] {
            assert_eq!(shell(text), word);
        }
    }

    #[test]
    fn strings_of_programs() {
        let text = "a\"\\\n\u{2028}\u{e0001}é'";
        assert_eq!(js(text), r#""a\"\\\u000a\u2028\udb40\udc01é'""#);
        assert_eq!(python(text), r#""a\"\\\u000a\u2028\U000e0001é'""#);
        assert_eq!(serde_json::from_str::<String>(&js(text)).unwrap(), text);
    }

    /// Where there is a shell, it reads what was meant.
    #[test]
    fn a_shell_reads_them() {
        let text = "a'b\\c\u{1b}[2J\u{9b}\u{202e}\u{e0001} $(id) `id` \"";
        let script = format!("printf %s {}", shell(text));
        if let Ok(output) = std::process::Command::new("bash")
            .args(["-c", &script])
            .env("LC_ALL", "C.UTF-8")
            .output()
        {
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }
}
