//! Writes one JSON object a line, without a serializer: all messages share one buffer.
//!
//! Strings are escaped so that the line is harmless on a terminal too: beyond what RFC 8259 asks
//! for, everything of [`is_dangerous`] becomes `\u` with its number.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use data_encoding::{BASE64, HEXLOWER};

use crate::event::Moment;
use crate::text::is_dangerous;
use crate::text::units::{digits, seconds, zeros};

/// A buffer that grew beyond this many bytes is freed after its line.
const KEPT_CAPACITY: usize = 1 << 20;

/// The line under construction.
#[derive(Debug, Default)]
pub(super) struct JsonWriter {
    line: Vec<u8>,
    /// The wall clock's second that `date` is for.
    second: Option<u64>,
    /// `,"at":"YYYY-MM-DDThh:mm:ss.` of that second.
    date: Vec<u8>,
}

impl JsonWriter {
    /// Begins an object; `kind` becomes its `type`.
    pub(super) fn begin(&mut self, kind: &str) {
        self.line.clear();
        self.fixed("{\"type\":\"");
        self.fixed(kind);
        self.line.push(b'"');
    }

    /// Appends raw JSON. A message has many fields, and joining small pieces takes most of its
    /// time.
    pub(super) fn fixed(&mut self, json: &str) {
        self.line.extend_from_slice(json.as_bytes());
    }

    /// Ends the object and writes its line.
    ///
    /// # Errors
    /// Those of `out`.
    pub(super) fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.line.extend_from_slice(b"}\n");
        let done = out.write_all(&self.line);
        if self.line.capacity() > KEPT_CAPACITY {
            self.line = Vec::new();
        }
        done
    }

    /// `at` and `t`, right behind the `type`.
    pub(super) fn moment(&mut self, moment: Moment) {
        let wall = moment.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != Some(wall.as_secs()) {
            self.second = Some(wall.as_secs());
            self.date.clear();
            self.date.extend_from_slice(b",\"at\":\"");
            date(&mut self.date, wall.as_secs());
            self.date.push(b'.');
        }
        self.line.extend_from_slice(&self.date);
        self.line.extend_from_slice(digits(&mut zeros(), u64::from(wall.subsec_micros()), 6));
        self.fixed("Z\",\"t\":");
        self.line.extend_from_slice(seconds(&mut zeros(), moment.since));
    }

    /// A string of ours that needs no escaping.
    pub(super) fn plain(&mut self, key: &str, text: &str) {
        self.key(key);
        self.line.push(b'"');
        self.line.extend_from_slice(text.as_bytes());
        self.line.push(b'"');
    }

    /// Any string.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    /// A string, if there is one.
    pub(super) fn optional_text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// Bytes: as a string under `key`, or in base64 under `base64_key` if they are not UTF-8.
    pub(super) fn bytes(&mut self, key: &str, base64_key: &str, bytes: &[u8]) {
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => self.text(key, text),
            Err(_) => self.base64(base64_key, bytes),
        }
    }

    /// Bytes in base64.
    pub(super) fn base64(&mut self, key: &str, bytes: &[u8]) {
        self.key(key);
        self.line.push(b'"');
        let start = self.line.len();
        self.line.resize(start + BASE64.encode_len(bytes.len()), 0);
        if let Some(room) = self.line.get_mut(start..) {
            BASE64.encode_mut(bytes, room);
        }
        self.line.push(b'"');
    }

    /// Bytes as lower-case hex.
    pub(super) fn hex(&mut self, key: &str, bytes: &[u8]) {
        self.key(key);
        self.line.push(b'"');
        let start = self.line.len();
        self.line.resize(start + HEXLOWER.encode_len(bytes.len()), 0);
        if let Some(room) = self.line.get_mut(start..) {
            HEXLOWER.encode_mut(bytes, room);
        }
        self.line.push(b'"');
    }

    /// A number, behind a key that is there.
    pub(super) fn digits(&mut self, number: u64) {
        self.line.extend_from_slice(digits(&mut zeros(), number, 1));
    }

    /// A number.
    pub(super) fn number(&mut self, key: &str, number: u64) {
        self.key(key);
        self.digits(number);
    }

    /// A number that may be below zero.
    pub(super) fn signed(&mut self, key: &str, number: i64) {
        self.key(key);
        if number < 0 {
            self.line.push(b'-');
        }
        self.digits(number.unsigned_abs());
    }

    /// A number with one decimal.
    pub(super) fn tenths(&mut self, key: &str, number: f64) {
        self.key(key);
        self.line.extend_from_slice(format!("{number:.1}").as_bytes());
    }

    /// True or false.
    pub(super) fn flag(&mut self, key: &str, flag: bool) {
        self.key(key);
        self.line.extend_from_slice(if flag { b"true" } else { b"false" });
    }

    /// A duration in seconds, with six decimals.
    pub(super) fn seconds(&mut self, key: &str, duration: Duration) {
        self.key(key);
        self.line.extend_from_slice(seconds(&mut zeros(), duration));
    }

    /// An object within.
    pub(super) fn object(&mut self, key: &str, fill: impl FnOnce(&mut JsonWriter)) {
        self.key(key);
        self.nested(b'{', b'}', fill);
    }

    /// An array of objects.
    pub(super) fn objects<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut JsonWriter, T),
    ) {
        self.key(key);
        self.nested(b'[', b']', |json| {
            for item in items {
                json.comma();
                json.nested(b'{', b'}', |json| fill(json, item));
            }
        });
    }

    /// An array of strings.
    pub(super) fn texts<'t>(&mut self, key: &str, items: impl IntoIterator<Item = &'t str>) {
        self.key(key);
        self.nested(b'[', b']', |json| {
            for item in items {
                json.comma();
                json.string(item);
            }
        });
    }

    /// An array of addresses.
    pub(super) fn addresses(&mut self, key: &str, addresses: &[SocketAddr]) {
        self.key(key);
        self.nested(b'[', b']', |json| {
            for address in addresses {
                json.comma();
                // Writing to a vector can't fail.
                let _ = write!(json.line, "\"{address}\"");
            }
        });
    }

    fn nested(&mut self, open: u8, close: u8, fill: impl FnOnce(&mut JsonWriter)) {
        self.line.push(open);
        fill(self);
        self.line.push(close);
    }

    fn key(&mut self, key: &str) {
        self.comma();
        self.line.push(b'"');
        self.line.extend_from_slice(key.as_bytes());
        self.line.extend_from_slice(b"\":");
    }

    fn comma(&mut self) {
        if !matches!(self.line.last(), None | Some(b'{' | b'[')) {
            self.line.push(b',');
        }
    }

    fn string(&mut self, text: &str) {
        self.line.push(b'"');
        let bytes = text.as_bytes();
        let mut written = 0;
        let mut at = 0;
        while let Some(found) =
            bytes.get(at..).and_then(|rest| rest.iter().position(|b| may_need_escape(*b)))
        {
            at += found;
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
            if matches!(c, '"' | '\\') || is_dangerous(c) {
                self.line.extend_from_slice(bytes.get(written..at).unwrap_or_default());
                self.escape(c);
                written = at + c.len_utf8();
            }
            at += c.len_utf8();
        }
        self.line.extend_from_slice(bytes.get(written..).unwrap_or_default());
        self.line.push(b'"');
    }

    fn escape(&mut self, c: char) {
        let short: &[u8] = match c {
            '"' => b"\\\"",
            '\\' => b"\\\\",
            '\n' => b"\\n",
            '\r' => b"\\r",
            '\t' => b"\\t",
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a vector can't fail.
                    let _ = write!(self.line, "\\u{unit:04x}");
                }
                return;
            }
        };
        self.line.extend_from_slice(short);
    }
}

/// Whether a character that begins with this byte might have to be escaped. The bytes above ASCII
/// are the first bytes of all that [`is_dangerous`] names; a test compares the two.
fn may_need_escape(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = matches!(
                byte as u8,
                0..=0x1f | b'"' | b'\\' | 0x7f | 0xc2 | 0xd8 | 0xe1 | 0xe2 | 0xe3 | 0xef | 0xf3
            );
            byte += 1;
        }
        table
    };
    TABLE.get(usize::from(byte)).copied().unwrap_or(true)
}

/// Appends `YYYY-MM-DDThh:mm:ss` for seconds since 1970.
fn date(line: &mut Vec<u8>, seconds: u64) {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's civil_from_days, for days since 0000-03-01.
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    for (number, width, after) in [
        (year, 4, "-"),
        (month, 2, "-"),
        (day, 2, "T"),
        (second / 3_600, 2, ":"),
        (second / 60 % 60, 2, ":"),
        (second % 60, 2, ""),
    ] {
        line.extend_from_slice(digits(&mut zeros(), number, width));
        line.extend_from_slice(after.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dated(seconds: u64) -> String {
        let mut line = Vec::new();
        date(&mut line, seconds);
        String::from_utf8(line).unwrap()
    }

    fn line(fill: impl FnOnce(&mut JsonWriter)) -> String {
        let mut json = JsonWriter::default();
        json.begin("x");
        fill(&mut json);
        let mut out = Vec::new();
        json.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dates_agree_with_the_calendar() {
        assert_eq!(dated(0), "1970-01-01T00:00:00");
        assert_eq!(dated(951_782_399), "2000-02-28T23:59:59");
        assert_eq!(dated(951_782_400), "2000-02-29T00:00:00");
        assert_eq!(dated(1_735_689_599), "2024-12-31T23:59:59");
        assert_eq!(dated(4_107_542_400), "2100-03-01T00:00:00");
    }

    #[test]
    fn every_character_survives_and_no_dangerous_one_is_raw() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let dangerous = is_dangerous(c) || matches!(c, '"' | '\\');
            let first = c.to_string().as_bytes()[0];
            assert!(!dangerous || may_need_escape(first), "{c:?}");
        }
        let text: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        let line = line(|json| json.text("s", &text));
        assert!(line.trim_end().chars().all(|c| !is_dangerous(c)));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["s"], text);
    }

    #[test]
    fn numbers_durations_and_nesting() {
        let line = line(|json| {
            json.number("zero", 0);
            json.number("most", u64::MAX);
            json.signed("below", -3);
            json.seconds("took", Duration::from_micros(1_000_042));
            json.objects("list", [1, 2], |json, n| json.number("n", n));
            json.texts("none", []);
            json.object("in", |json| json.flag("yes", true));
            json.hex("hex", b"\x01\xff");
            json.base64("b", b"\xff");
        });
        assert_eq!(
            line,
            "{\"type\":\"x\",\"zero\":0,\"most\":18446744073709551615,\"below\":-3,\
             \"took\":1.000042,\"list\":[{\"n\":1},{\"n\":2}],\"none\":[],\"in\":{\"yes\":true},\
             \"hex\":\"01ff\",\"b\":\"/w==\"}\n"
        );
    }
}
