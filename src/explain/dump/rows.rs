//! Rows that begin with an offset: xxd, `hexdump`, `od`, tcpdump, Wireshark, gdb and the like.

use super::shown::{Dump, MAX};

/// The most packets of one dump.
const MAX_PARTS: usize = 4096;

/// A longer line is no row.
const MAX_ROW: usize = 4 << 10;

/// One row.
struct Row<'a> {
    /// Blanks before it: Wireshark indents one direction of a conversation.
    margin: usize,
    offset: &'a str,
    /// Its offset ends with a colon, or begins with `0x`.
    marked: bool,
    /// Groups of hex digits.
    groups: Vec<&'a str>,
    /// Instead of them, what `od` shows in octal or as characters.
    octets: Vec<u8>,
    /// The column of characters, if there is one.
    text: &'a str,
}

impl Row<'_> {
    /// How many bytes it shows; a row of none ends a dump.
    fn length(&self) -> usize {
        self.octets.len() + self.groups.iter().map(|group| group.len() / 2).sum::<usize>()
    }

    fn bytes(&self, swapped: bool) -> Option<Vec<u8>> {
        let groups = self.groups.iter().map(|group| group_bytes(group, swapped));
        let groups = groups.collect::<Option<Vec<_>>>()?.concat();
        Some(if groups.is_empty() { self.octets.clone() } else { groups })
    }
}

/// What a line is.
enum Line<'a> {
    Row(Row<'a>),
    /// The row before is repeated up to the next offset.
    Repeat,
}

/// The bytes of a dump; `None` if it isn't one.
pub(super) fn read(text: &str) -> Option<Dump> {
    let lines: Vec<Line<'_>> = text.split(['\n', '\r']).filter_map(line).collect();
    let rows = || {
        lines.iter().filter_map(|line| match line {
            Line::Row(row) => Some(row),
            Line::Repeat => None,
        })
    };
    let first = rows().next().filter(|row| row.length() > 0)?;
    let width = first.groups.first().map_or(2, |group| group.len());
    let swapped = is_swapped(&rows().collect::<Vec<_>>(), width);
    let base = base(&rows().collect::<Vec<_>>());
    let mut reader =
        Reader { base, swapped, open: Vec::new(), parts: Vec::new(), notes: Vec::new() };
    let starts = reader.offset(first) == Some(0);
    let goes_on = rows().zip(rows().skip(1)).any(|(a, b)| follows(a, b, base));
    if !(first.marked || starts || goes_on) {
        return None;
    }
    let mut repeat = false;
    for line in &lines {
        match line {
            Line::Repeat => repeat = true,
            Line::Row(row) => {
                reader.row(row, repeat)?;
                repeat = false;
            }
        }
    }
    let mut notes = reader.notes;
    if swapped {
        let word = width * 4;
        notes.insert(
            0,
            format!("it shows words of {word} bits in the order of its machine: their bytes were swapped back"),
        );
    }
    Some(Dump { kind: "a dump with offsets".to_owned(), notes, parts: reader.parts, streams: true })
}

/// The bytes of a row without anything around it.
pub(super) fn bytes(row: &str) -> Option<Vec<u8>> {
    match line(row)? {
        Line::Row(row) => row
            .groups
            .iter()
            .map(|group| group_bytes(group, false))
            .collect::<Option<Vec<_>>>()
            .map(|groups| groups.concat()),
        Line::Repeat => None,
    }
}

fn line(line: &str) -> Option<Line<'_>> {
    let bare = line.trim();
    if bare.len() > MAX_ROW {
        return None;
    }
    if bare == "*" {
        return Some(Line::Repeat);
    }
    let margin = line.len() - line.trim_start().len();
    let (first, rest) = bare.split_at(bare.find(char::is_whitespace).unwrap_or(bare.len()));
    let offset = first.trim_end_matches([':', '|']);
    let prefixed = offset.strip_prefix("0x");
    let marked = offset.len() < first.len() || prefixed.is_some();
    let offset = prefixed.unwrap_or(offset);
    let is_offset = (if marked { 2 } else { 4 }..=16).contains(&offset.len());
    if !is_offset || !is_hex(offset) {
        return None;
    }
    let octets = octets(rest).filter(|_| !marked).unwrap_or_default();
    let (groups, text) = if octets.is_empty() { groups(rest) } else { (Vec::new(), "") };
    let only_offset = rest.trim().is_empty() && !marked;
    let is_row = !groups.is_empty() || !octets.is_empty() || only_offset;
    is_row.then_some(Line::Row(Row { margin, offset, marked, groups, octets, text }))
}

/// The bytes of a row of `od` with its defaults (words in octal), with `-b` or with `-c`.
fn octets(row: &str) -> Option<Vec<u8>> {
    let words: Vec<&str> = row.split(' ').filter(|word| !word.is_empty()).collect();
    let octal = |word: &str| u16::from_str_radix(word, 8).ok();
    if !words.is_empty() && words.iter().all(|word| word.len() == 6) {
        let words: Option<Vec<u16>> = words.into_iter().map(octal).collect();
        return Some(words?.into_iter().flat_map(u16::to_le_bytes).collect());
    }
    // Each field is four columns wide.
    let columns: Vec<char> = row.chars().collect();
    let field = |field: &[char]| {
        let text: String = field.iter().skip(1).collect();
        match text.trim_start() {
            "" => Some(b' '),
            "\\0" => Some(0x00),
            "\\a" => Some(0x07),
            "\\b" => Some(0x08),
            "\\t" => Some(0x09),
            "\\n" => Some(0x0a),
            "\\v" => Some(0x0b),
            "\\f" => Some(0x0c),
            "\\r" => Some(0x0d),
            one if one.len() == 1 => one.bytes().next(),
            three if three.len() == 3 => octal(three).and_then(|code| u8::try_from(code).ok()),
            _ => None,
        }
        .filter(|_| field.len() == 4 && field.first() == Some(&' '))
    };
    columns.chunks(4).map(field).collect()
}

/// The groups of hex digits of a row, and the column of characters behind them.
fn groups(mut rest: &str) -> (Vec<&str>, &str) {
    let mut groups: Vec<&str> = Vec::new();
    let mut count = 0;
    loop {
        let bare = rest.trim_start();
        let gap = rest.len() - bare.len();
        let (token, behind) = bare.split_at(bare.find(char::is_whitespace).unwrap_or(bare.len()));
        let digits = token.strip_prefix("0x").unwrap_or(token);
        let is_group = is_hex(digits) && digits.len() % 2 == 0 && digits.len() <= 16;
        let width = groups.first().map_or(digits.len(), |first| first.len());
        if !is_group || digits.len() > width || is_text(bare, gap, count, width) {
            return (groups, bare.trim_matches('|').trim_end());
        }
        count += digits.len() / 2;
        groups.push(digits);
        rest = behind;
        if digits.len() < width {
            // The row's last bytes.
            return (groups, rest.trim().trim_matches('|'));
        }
    }
}

/// Whether what follows that many bytes of a row is its column of characters.
fn is_text(rest: &str, gap: usize, count: usize, width: usize) -> bool {
    if count == 0 || rest.is_empty() {
        return false;
    }
    // Wireshark has a blank in their middle.
    let fits = (count..=count + 1).contains(&rest.chars().count());
    // The last word of `xxd -e` is at the right of its place.
    let (token, behind) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    let behind = behind.trim_start().chars().count();
    if is_hex(token) && token.len() < width && behind == count + token.len() / 2 {
        return false;
    }
    let looks_like_bytes = rest.split(' ').all(|token| token.len() == width && is_hex(token));
    // In a row's middle there may be two blanks; before the characters of a short row there are
    // more.
    gap > 3 || fits && (count >= 16 || gap > 1 && !looks_like_bytes)
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn group_bytes(group: &str, swapped: bool) -> Option<Vec<u8>> {
    let mut bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(group.as_bytes()).ok()?;
    if swapped {
        bytes.reverse();
    }
    Some(bytes)
}

/// Whether groups are words in the order of a little-endian machine. The column of characters
/// knows; without one, only `hexdump` and `od` show such words, without a colon behind the offset.
fn is_swapped(rows: &[&Row<'_>], width: usize) -> bool {
    if width <= 2 {
        return false;
    }
    let agree = |swapped: bool| {
        let agrees = |row: &&&Row<'_>| {
            let bytes = row.bytes(swapped).unwrap_or_default();
            row.text.bytes().zip(bytes).all(|(shown, byte)| shown == byte || shown == b'.')
        };
        rows.iter().filter(|row| !row.text.is_empty()).filter(agrees).count()
    };
    match (agree(false), agree(true)) {
        (as_shown, swapped) if as_shown != swapped => swapped > as_shown,
        _ => rows.iter().all(|row| !row.marked),
    }
}

/// The base of the offsets: the one in which most rows follow each other.
fn base(rows: &[&Row<'_>]) -> u32 {
    let fits = |base: u32| {
        rows.windows(2)
            .filter(|pair| match pair {
                [a, b] => follows(a, b, base),
                _ => false,
            })
            .count()
    };
    [16, 8, 10].into_iter().rev().max_by_key(|base| fits(*base)).unwrap_or(16)
}

/// Whether a row begins where the one before ends; the last word of an odd number of bytes is
/// filled up.
fn follows(a: &Row<'_>, b: &Row<'_>, base: u32) -> bool {
    let offset = |row: &Row<'_>| u64::from_str_radix(row.offset, base).ok();
    let count = a.length();
    let (Some(from), Some(to)) = (offset(a), offset(b)) else { return false };
    let length = to.wrapping_sub(from);
    count > 0 && (length == count as u64 || b.length() == 0 && length + 1 == count as u64)
}

struct Reader {
    base: u32,
    swapped: bool,
    /// For each part its margin, its next offset and the last row.
    open: Vec<(usize, u64, Vec<u8>)>,
    parts: Vec<Vec<u8>>,
    notes: Vec<String>,
}

impl Reader {
    fn offset(&self, row: &Row<'_>) -> Option<u64> {
        u64::from_str_radix(row.offset, self.base).ok()
    }

    fn row(&mut self, row: &Row<'_>, repeat: bool) -> Option<()> {
        let offset = self.offset(row)?;
        let bytes = row.bytes(self.swapped)?;
        let at = self.open.iter().rposition(|(margin, ..)| *margin == row.margin);
        if repeat && let Some(at) = at {
            self.repeat(at, offset);
        }
        if row.length() == 0 {
            return self.end(at?, offset);
        }
        let at = match at {
            Some(at) if self.open.get(at)?.1 == offset => at,
            Some(at) if offset > self.open.get(at)?.1 => {
                let missing = offset - self.open.get(at)?.1;
                self.notes
                    .push(format!("{missing} bytes are missing before offset {}", row.offset));
                at
            }
            _ => {
                if self.parts.len() == MAX_PARTS {
                    return None;
                }
                self.open.push((row.margin, offset, Vec::new()));
                self.parts.push(Vec::new());
                self.parts.len() - 1
            }
        };
        let part = self.parts.get_mut(at)?;
        if part.len() + bytes.len() > MAX {
            return None;
        }
        part.extend_from_slice(&bytes);
        let open = self.open.get_mut(at)?;
        (open.1, open.2) = (offset + bytes.len() as u64, bytes);
        Some(())
    }

    fn repeat(&mut self, at: usize, until: u64) {
        let (Some(open), Some(part)) = (self.open.get_mut(at), self.parts.get_mut(at)) else {
            return;
        };
        while open.1 < until && !open.2.is_empty() && part.len() < MAX {
            part.extend_from_slice(&open.2);
            open.1 += open.2.len() as u64;
        }
    }

    /// The last offset of `hexdump` and `od` is the length.
    fn end(&mut self, at: usize, offset: u64) -> Option<()> {
        let (open, part) = (self.open.get_mut(at)?, self.parts.get_mut(at)?);
        if offset + 1 == open.1 {
            part.pop();
            open.1 = offset;
        }
        Some(())
    }
}
