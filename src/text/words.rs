//! Words of a typed line, quoted as people quote for a shell; nothing is expanded.

/// Splits a line at white space. `'…'` and `"…"` hold a word together, a backslash before a quote, a
/// space or a backslash takes that character as it is; inside `'…'` it is only a backslash.
///
/// # Errors
/// A quote isn't closed.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            ('\\', None | Some('"')) => {
                let taken = chars.next_if(|next| {
                    matches!(next, '\'' | '"' | '\\') || quote.is_none() && next.is_whitespace()
                });
                word.get_or_insert_default().push(taken.unwrap_or('\\'));
            }
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(open) = quote {
        return Err(format!("a {open} is not closed"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        for (line, split) in [
            ("", &[][..]),
            ("  a  b\tc ", &["a", "b", "c"]),
            ("-H 'A: b c' ws://h/?a=1&b=$2", &["-H", "A: b c", "ws://h/?a=1&b=$2"]),
            (r#""a 'b'"'"c"' ''"#, &["a 'b'\"c\"", ""]),
            (r#"a\ b \"c "\"d\\" '\e'"#, &["a b", "\"c", "\"d\\", r"\e"]),
            (r"\n a\", &[r"\n", r"a\"]),
        ] {
            assert_eq!(words(line).unwrap(), split, "{line}");
        }
        assert_eq!(words("a 'b").unwrap_err(), "a ' is not closed");
        assert_eq!(words("\"").unwrap_err(), "a \" is not closed");
    }
}
