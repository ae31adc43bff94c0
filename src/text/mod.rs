//! Text that may be shown: text from others is escaped, and has a type of its own.
//!
//! Payloads, headers, close reasons, certificate names and error texts of the operating system are
//! bytes chosen by others. On a terminal they could move the cursor, set the clipboard or
//! rewrite what is already there. [`Untrusted`] is the only way to format them.

pub mod escapes;
pub mod hexdump;
mod joiners;
pub mod stamp;
pub mod system;
pub mod typed;
pub mod units;
pub mod words;
pub mod wrap;

use std::fmt;

use self::joiners::is_selector;

/// Bytes chosen by a peer or by the environment; displays them escaped, on one line.
///
/// Escaped are C0, DEL, C1, bidirectional controls, U+2028/9, zero-width and other invisible
/// characters, and everything that is not UTF-8. Characters stay as they are otherwise, and so do
/// the joiners and selectors inside an emoji, an Arabic or an Indic word.
#[derive(Clone, Copy)]
pub struct Untrusted<'a>(pub &'a [u8]);

impl<'a> Untrusted<'a> {
    /// Wraps a string.
    pub fn text(text: &'a str) -> Untrusted<'a> {
        Untrusted(text.as_bytes())
    }
}

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, Lines::One, f)
    }
}

/// As [`Untrusted`], but keeps newlines and tabs: for payloads shown over several lines.
#[derive(Clone, Copy)]
pub struct UntrustedLines<'a>(pub &'a [u8]);

impl fmt::Display for UntrustedLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, Lines::Kept, f)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Lines {
    Kept,
    One,
}

fn escape(bytes: &[u8], lines: Lines, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        let (mut plain, mut joined) = (0, 0);
        let text = chunk.valid();
        for (at, c) in text.char_indices() {
            let is_kept = lines == Lines::Kept && matches!(c, '\n' | '\t');
            if is_kept || at < joined || !(is_dangerous(c) || is_selector(c)) {
                continue;
            }
            joined = at + joiners::shown(&text[..at], &text[at..]);
            if joined > at {
                continue;
            }
            f.write_str(&text[plain..at])?;
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_ascii() => write!(f, "\\x{:02x}", u32::from(c))?,
                c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            }
            plain = at + c.len_utf8();
        }
        f.write_str(&text[plain..])?;
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// Whether the character could mislead a terminal or a person; some may stand inside an emoji or a
/// word all the same, see [`is_plain`].
pub fn is_dangerous(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether [`Untrusted`] shows the text as it is.
pub fn is_plain(text: &str) -> bool {
    Untrusted::text(text).to_string() == text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_gets_through() {
        let hostile = b"\x1b]52;c;aGk=\x07\x9b2J\xc2\x9b2J\r\x08\x7f\xe2\x80\xae\xe2\x80\x8b\xff";
        let shown = Untrusted(hostile).to_string();
        assert_eq!(
            shown,
            "\\x1b]52;c;aGk=\\x07\\x9b2J\\u{9b}2J\\r\\x08\\x7f\\u{202e}\\u{200b}\\xff"
        );
        assert!(shown.chars().all(|c| !is_dangerous(c)));
    }

    #[test]
    fn ordinary_text_stays() {
        assert_eq!(Untrusted::text("Grüße, 世界 😀").to_string(), "Grüße, 世界 😀");
        assert_eq!(Untrusted::text("a\nb\tc").to_string(), "a\\nb\\tc");
        assert_eq!(UntrustedLines(b"a\nb\tc\r").to_string(), "a\nb\tc\\r");
    }

    #[test]
    fn joiners_stay_inside_emoji_and_words_that_need_them() {
        for text in [
            "👨‍👩‍👧‍👦 👩🏽‍🚀 ❤️ ❤️‍🔥 🏴‍☠️ 👁️‍🗨️ 🙂‍↔️ 1️⃣ #️⃣ ☎︎",
            "👩🏻‍❤️‍💋‍👩🏼",
            "🏴󠁧󠁢󠁳󠁣󠁴󠁿🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "می‌خواهم نامه‌ای",
            "क्‍ष क्‌ष র‍্য ශ්‍රී ನ್‍ಯ",
            // The older spelling of the letter that ends the word.
            "അവന്‍ വന്നു",
            "葛︀",
        ] {
            assert_eq!(Untrusted::text(text).to_string(), text);
            assert_eq!(UntrustedLines(text.as_bytes()).to_string(), text);
            assert!(is_plain(text));
        }
    }

    #[test]
    fn joiners_are_escaped_anywhere_else() {
        for (text, shown) in [
            ("a\u{200d}b", "a\\u{200d}b"),
            ("pay\u{200c}pal", "pay\\u{200c}pal"),
            ("\u{200d}", "\\u{200d}"),
            ("\u{200c}می", "\\u{200c}می"),
            ("می\u{200c}", "می\\u{200c}"),
            ("می\u{200c} ", "می\\u{200c} "),
            ("م\u{200c}\u{200c}ی", "م\\u{200c}\\u{200c}ی"),
            ("م\u{200c}a", "م\\u{200c}a"),
            ("،\u{200c}م", "،\\u{200c}م"),
            ("\u{94d}\u{200d}\u{200d}", "\u{94d}\\u{200d}\\u{200d}"),
            ("😀\u{200d}", "😀\\u{200d}"),
            ("\u{200d}😀", "\\u{200d}😀"),
            ("😀\u{200d}a", "😀\\u{200d}a"),
            ("😀\u{200d}\u{200d}😀", "😀\\u{200d}\\u{200d}😀"),
            ("😀\u{200c}😀", "😀\\u{200c}😀"),
            ("a\u{fe0f}", "a\\u{fe0f}"),
            ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}\\u{fe0f}"),
            ("\u{fe0f}\u{200d}😀", "\\u{fe0f}\\u{200d}😀"),
            ("1\u{fe0f}", "1\\u{fe0f}"),
            ("🏴\u{e0067}\u{e0062}", "🏴\\u{e0067}\\u{e0062}"),
            ("🏴\u{e007f}", "🏴\\u{e007f}"),
            ("a\u{e0067}\u{e0062}\u{e0065}\u{e007f}", "a\\u{e0067}\\u{e0062}\\u{e0065}\\u{e007f}"),
            ("😀\u{e0067}", "😀\\u{e0067}"),
            ("م\u{202e}ی\u{200b}م", "م\\u{202e}ی\\u{200b}م"),
        ] {
            assert_eq!(Untrusted::text(text).to_string(), shown);
            assert!(!is_plain(text) && is_plain(shown));
        }
        // Cut by a byte that is not UTF-8.
        assert_eq!(Untrusted(b"\xd9\x85\xe2\x80\x8c\xff\xd9\x85").to_string(), "م\\u{200c}\\xffم");
        let chain = "😀\u{200d}".repeat(100) + "😀";
        let shown = Untrusted::text(&chain).to_string();
        assert_eq!(shown.matches('\u{200d}').count(), 4);
        assert!(is_plain(&shown));
        let region = "🏴".to_owned() + &"\u{e0061}".repeat(7) + "\u{e007f}";
        assert!(!is_plain(&region));
    }
}
