//! Lines that are broken between words, for narrow terminals.

/// Breaks a line at spaces so that no part is wider than `width`, unless a single word is. `used` columns
/// of the first part are taken; the others begin with `hang` spaces.
pub fn wrap(line: &str, width: usize, used: usize, hang: usize) -> String {
    let hang = if hang * 2 > width { hang.min(4) } else { hang };
    let (mut wrapped, mut column) = (String::with_capacity(line.len() + hang), used);
    let mut rest = line;
    while !rest.is_empty() {
        let spaces = rest.len() - rest.trim_start_matches(' ').len();
        let end = rest[spaces..].find(' ').map_or(rest.len(), |end| spaces + end);
        let word = &rest[spaces..end];
        let long = visible(word);
        if column + spaces + long > width && !word.is_empty() && !wrapped.trim().is_empty() {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', hang));
            column = hang;
        } else {
            wrapped.push_str(&rest[..spaces]);
            column += spaces;
        }
        wrapped.push_str(word);
        column += long;
        rest = &rest[end..];
    }
    wrapped
}

/// The characters of a word without our own colours.
fn visible(word: &str) -> usize {
    let mut parts = word.split("\x1b[");
    let first = parts.next().map_or(0, |plain| plain.chars().count());
    let behind = |part: &str| part.split_once('m').map_or(0, |(_, plain)| plain.chars().count());
    parts.map(behind).fold(first, |sum, count| sum + count)
}

/// Breaks each line of a text of our own. What follows the first word and a wide gap, as in a table, stays
/// in its column.
pub fn wrap_text(text: &str, width: usize) -> String {
    let fits = |line: &str| line.chars().count() <= width;
    if text.lines().all(fits) {
        return text.to_owned();
    }
    let mut wrapped = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        wrapped.push_str(&wrap(line, width, 0, hang(line)));
        wrapped.push_str(end);
    }
    wrapped
}

/// The column of what follows a wide gap, or a little more than the line's own indent.
fn hang(line: &str) -> usize {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let gap = line[indent..].find("  ").map(|gap| &line[..indent + gap]);
    match gap {
        Some(before) => {
            let spaces = line[before.len()..].len() - line[before.len()..].trim_start().len();
            before.chars().count() + spaces
        }
        // A line that continues a column, as it is.
        None if indent == 0 || indent > 4 => indent,
        None => indent + 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole() {
        assert_eq!(wrap("one two three", 9, 2, 2), "one two\n  three");
        assert_eq!(wrap("  one two", 5, 0, 4), "  one\n  two".replace("\n  ", "\n    "));
        assert_eq!(
            wrap("a wss://very.long.example/ b", 10, 2, 2),
            "a\n  wss://very.long.example/\n  b"
        );
        assert_eq!(wrap("exactly ten", 11, 0, 2), "exactly ten");
        let colored = "\x1b[32m✓\x1b[0m kept, \x1b[1mall\x1b[0m of";
        assert_eq!(wrap(colored, 14, 0, 2), colored);
        assert_eq!(wrap(colored, 13, 0, 2), colored.replace(" of", "\n  of"));
        assert_eq!(wrap("", 10, 2, 2), "");
        assert_eq!(wrap("end ", 4, 0, 2), "end ");
        assert_eq!(wrap("größer 漢字", 8, 0, 2), "größer\n  漢字");
    }

    #[test]
    fn tables_keep_their_column() {
        let table =
            "  /close     close the connection\n  /hex 00ff  send bytes\nplain words here\n";
        assert_eq!(wrap_text(table, 80), table);
        assert_eq!(
            wrap_text(table, 28),
            "  /close     close the\n             connection\n  /hex 00ff  send bytes\nplain words here\n"
        );
        // Too narrow for a column.
        assert_eq!(wrap_text("  /close     close it\n", 20), "  /close     close\n    it\n");
        assert!(wrap_text(table, 1).lines().count() > 8);
    }
}
