//! The quoting of cmd.exe, and that of the programs it starts.

use super::line::{Line, Word, source, unterminated};

/// Reads the command that begins behind that many characters.
pub(super) fn line(chars: &[char], begin: usize) -> Result<Line, String> {
    let mut line = Line::default();
    let plain = without_carets(chars, begin, &mut line.left_out);
    line.words = windows_arguments(&plain)?.into_iter().map(Word::from).collect();
    Ok(line)
}

/// Removes cmd.exe's own quoting: outside of quotation marks without a caret, a caret makes the
/// next character literal, and the others have their meaning, up to the command's end.
fn without_carets(chars: &[char], begin: usize, left_out: &mut Vec<String>) -> String {
    let mut plain = String::with_capacity(chars.len());
    let mut quoted = false;
    let mut at = begin;
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        match c {
            '\r' => {}
            '^' if !quoted => {
                let next = |at: &mut usize| {
                    *at += 1 + usize::from(chars.get(*at) == Some(&'\r'));
                    chars.get(*at - 1)
                };
                // The line continues, and its first character is literal, even a line end.
                match next(&mut at) {
                    Some('\n') => plain.extend(next(&mut at)),
                    other => plain.extend(other),
                }
            }
            '"' => {
                quoted = !quoted;
                plain.push(c);
            }
            // The next line belongs to the command, though the caret before it is missing.
            '\n' if !quoted && goes_on(chars, at) => plain.push(' '),
            '|' | '&' | '\n' if !quoted => {
                let rest = source(chars, at - usize::from(c != '\n'), chars.len());
                left_out.extend(Some(rest).filter(|rest| !rest.is_empty()));
                break;
            }
            '<' | '>' if !quoted => {
                let word = plain.trim_end_matches(|c: char| c.is_ascii_digit()).len();
                let handle =
                    if plain[..word].ends_with([' ', '\t']) { plain.len() - word } else { 0 };
                plain.truncate(plain.len() - handle);
                plain.push(' ');
                let from = at - 1 - handle;
                at = redirection_end(chars, at);
                left_out.push(source(chars, from, at));
            }
            c => plain.push(c),
        }
    }
    plain
}

fn goes_on(chars: &[char], at: usize) -> bool {
    let rest = chars.get(at..).unwrap_or_default();
    let next = rest.iter().find(|c| !c.is_whitespace());
    matches!(next, None | Some('-' | '^' | '"'))
}

/// Where a redirection ends that has its first sign before `at`.
fn redirection_end(chars: &[char], at: usize) -> usize {
    let mut end = at;
    let mut quoted = false;
    let mut in_target = false;
    while let Some(c) = chars.get(end) {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '>' | '&' if !in_target => {}
            ' ' | '\t' if !in_target => {}
            c if c.is_whitespace() || "|&<>".contains(*c) => break,
            _ => {}
        }
        in_target |= !matches!(c, '>' | '&' | ' ' | '\t');
        end += 1;
    }
    end
}

/// Splits a command line as the C library of Windows does: backslashes escape only before a
/// quotation mark, and two marks within quotation marks are one.
fn windows_arguments(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut opened = None;
    let mut backslashes = 0;
    let mut chars = line.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        let literal = if c == '"' { backslashes / 2 } else { backslashes };
        let escaped = c == '"' && backslashes % 2 == 1;
        if backslashes > 0 {
            word.get_or_insert_default().extend(std::iter::repeat_n('\\', literal));
            backslashes = 0;
        }
        match c {
            '"' if escaped => word.get_or_insert_default().push('"'),
            '"' if opened.is_some() && chars.next_if(|(_, c)| *c == '"').is_some() => {
                word.get_or_insert_default().push('"');
            }
            '"' => {
                word.get_or_insert_default();
                opened = if opened.is_some() { None } else { Some(at + 1) };
            }
            ' ' | '\t' | '\n' if opened.is_none() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if let Some(began) = opened {
        return Err(unterminated('"', began));
    }
    if backslashes > 0 {
        word.get_or_insert_default().extend(std::iter::repeat_n('\\', backslashes));
    }
    words.extend(word);
    Ok(words)
}
