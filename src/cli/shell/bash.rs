//! Bash's quoting (POSIX shell, XCU 2.2, and `$'…'`).

use super::line::{Line, Word, expansion, source, unterminated};

/// Reads the command that begins behind that many characters.
pub(super) fn line(chars: &[char], begin: usize) -> Result<Line, String> {
    let mut bash = Bash { chars, at: begin, word: None, line: Line::default() };
    bash.read()?;
    Ok(bash.line)
}

struct Bash<'a> {
    chars: &'a [char],
    /// Characters read.
    at: usize,
    /// The word so far.
    word: Option<Partial>,
    line: Line,
}

#[derive(Default)]
struct Partial {
    bytes: Vec<u8>,
    unknown: Option<String>,
    /// It has a parenthesis, as paths of URLs may.
    open: bool,
}

impl Bash<'_> {
    fn read(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            let began = self.at;
            match c {
                ' ' | '\t' | '\r' => self.end_word()?,
                '\n' => {
                    self.end_word()?;
                    if !self.line.words.is_empty() && !self.goes_on() {
                        return self.leave_rest(began);
                    }
                }
                '#' if self.word.is_none() => while self.next_if(|c| c != '\n').is_some() {},
                '\\' => self.backslash()?,
                // PowerShell's mark for a line that goes on.
                '`' if self.is_blank_to_line_end() => {}
                '\'' => {
                    self.word.get_or_insert_default();
                    self.single()?;
                }
                '"' => {
                    self.word.get_or_insert_default();
                    self.double()?;
                }
                '$' if self.peek() == Some('\'') => {
                    self.next();
                    self.word.get_or_insert_default();
                    self.ansi()?;
                }
                // In a locale without translations $"…" is "…".
                '$' if self.peek() == Some('"') => {}
                '$' | '`' if self.is_expansion(c) => self.expansion(c)?,
                '<' | '>' => self.redirection(began)?,
                '&' if self.peek() == Some('>') => {
                    self.end_word()?;
                    self.next();
                    self.redirection(began)?;
                }
                '&' if self.is_in_url() => {
                    self.push('&');
                    let note = "the URL's & is read as a part of it; a shell wants it quoted";
                    if !self.line.notes.iter().any(|known| known == note) {
                        self.line.notes.push(note.to_owned());
                    }
                }
                '(' => {
                    self.push(c);
                    self.word.get_or_insert_default().open = true;
                }
                ')' if self.word.as_ref().is_some_and(|word| word.open) => self.push(c),
                '|' | '&' | ';' | ')' => {
                    self.end_word()?;
                    return self.leave_rest(began - 1);
                }
                c => self.push(c),
            }
        }
        self.end_word()
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += 1;
        next
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let next = self.peek().filter(|c| wanted(*c))?;
        self.at += 1;
        Some(next)
    }

    fn push(&mut self, c: char) {
        let bytes = &mut self.word.get_or_insert_default().bytes;
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn end_word(&mut self) -> Result<(), String> {
        let Some(Partial { bytes, unknown, .. }) = self.word.take() else { return Ok(()) };
        let text = String::from_utf8(bytes).map_err(|_| "a word of it is not UTF-8")?;
        self.line.words.push(Word { text, unknown });
        Ok(())
    }

    /// What follows is another command, or the end of the block that the command was copied with.
    fn leave_rest(&mut self, from: usize) -> Result<(), String> {
        let rest = source(self.chars, from, self.chars.len());
        if !rest.trim_matches(['`', '~']).is_empty() {
            self.line.left_out.push(rest);
        }
        Ok(())
    }

    /// Whether the next line belongs to the command though the backslash before it is missing.
    fn goes_on(&self) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let rest: String = rest.iter().skip_while(|c| c.is_whitespace()).take(8).collect();
        rest.is_empty() || rest.starts_with(['-', '\'', '"', '#']) || rest.contains("://")
    }

    fn backslash(&mut self) -> Result<(), String> {
        match self.peek() {
            // White space behind the backslash is a slip of whoever copied it.
            _ if self.is_blank_to_line_end() => {}
            None => {
                let note = "it ends with a backslash: is the rest missing?";
                self.line.notes.push(note.to_owned());
            }
            Some(c) => {
                self.next();
                self.push(c);
            }
        }
        Ok(())
    }

    /// Takes the blanks up to a line's end, and the end, if there is nothing else.
    fn is_blank_to_line_end(&mut self) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        match rest.iter().position(|c| !matches!(c, ' ' | '\t' | '\r')) {
            Some(blanks) if rest.get(blanks) == Some(&'\n') => {
                self.at += blanks + 1;
                true
            }
            _ => false,
        }
    }

    /// Whether a `&` within a word is one of a URL's query that nobody quoted.
    fn is_in_url(&self) -> bool {
        let begins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '%');
        self.peek().is_some_and(begins)
            && self.word.as_ref().is_some_and(|word| word.bytes.contains(&b'?'))
    }

    /// Skips a redirection with its target; the number before it isn't a word.
    fn redirection(&mut self, began: usize) -> Result<(), String> {
        let digits = self.word.take_if(|word| word.bytes.iter().all(u8::is_ascii_digit));
        let from = began - 1 - digits.map_or(0, |word| word.bytes.len());
        self.end_word()?;
        let mut signs = 1;
        while self.next_if(|c| matches!(c, '<' | '>' | '&' | '|')).is_some() {
            signs += 1;
        }
        // A document in the lines that follow.
        if self.chars.get(began - 1..=began) == Some(&['<', '<']) && signs == 2 {
            self.at = self.chars.len();
        }
        while self.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        // A process as the target: `> >(tee x)`.
        if matches!(self.peek(), Some('<' | '>')) && self.chars.get(self.at + 1) == Some(&'(') {
            self.next();
        }
        if self.peek() == Some('(') {
            self.substitution('(', ')')?;
        }
        let mut quote = None;
        while let Some(c) = self.peek() {
            match quote {
                None if c.is_whitespace() || "|&;<>()".contains(c) => break,
                None if matches!(c, '\'' | '"') => quote = Some(c),
                Some(open) if c == open => quote = None,
                _ => {}
            }
            self.at += 1;
        }
        self.line.left_out.push(source(self.chars, from, self.at));
        Ok(())
    }

    fn single(&mut self) -> Result<(), String> {
        let began = self.at;
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(c) => self.push(c),
                None => return Err(unterminated('\'', began)),
            }
        }
    }

    fn double(&mut self) -> Result<(), String> {
        let began = self.at;
        loop {
            let Some(c) = self.next() else { return Err(unterminated('"', began)) };
            match c {
                '"' => return Ok(()),
                '\\' => match self.next() {
                    Some('\n') => {}
                    Some(c @ ('$' | '`' | '"' | '\\')) => self.push(c),
                    Some(c) => {
                        self.push('\\');
                        self.push(c);
                    }
                    None => return Err(unterminated('"', began)),
                },
                '$' | '`' if self.is_expansion(c) => self.expansion(c)?,
                c => self.push(c),
            }
        }
    }

    /// Keeps the source of an expansion, and why its word can't be used.
    fn expansion(&mut self, c: char) -> Result<(), String> {
        let began = self.at;
        let why = expansion(c, began);
        let close = match (c, self.peek()) {
            ('`', _) => Some('`'),
            (_, Some('(')) => Some(')'),
            (_, Some('{')) => Some('}'),
            _ => None,
        };
        match close {
            Some(close) => self.substitution(c, close)?,
            None => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                self.next();
                while self.next_if(is_name).is_some() {}
            }
        }
        let text = self.chars.get(began - 1..self.at).unwrap_or_default();
        text.iter().for_each(|c| self.push(*c));
        self.word.get_or_insert_default().unknown.get_or_insert(why);
        Ok(())
    }

    /// Reads up to the sign that ends a substitution.
    fn substitution(&mut self, c: char, close: char) -> Result<(), String> {
        let open = if c == '`' { c } else { self.next().unwrap_or(c) };
        let began = self.at;
        let (mut depth, mut quote) = (1, None);
        loop {
            let Some(c) = self.next() else { return Err(unterminated(open, began)) };
            match quote {
                Some(end) if c == end => quote = None,
                Some(_) => {}
                None if matches!(c, '\'' | '"') && close == ')' => quote = Some(c),
                None if c == close => depth -= 1,
                None if c == open => depth += 1,
                None => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// `$'…'`, behind its first quote.
    fn ansi(&mut self) -> Result<(), String> {
        let began = self.at;
        loop {
            let Some(c) = self.next() else { return Err(unterminated('\'', began)) };
            match c {
                '\'' => return Ok(()),
                '\\' => self.escape()?,
                c => self.push(c),
            }
        }
    }

    /// What follows a backslash in `$'…'`.
    fn escape(&mut self) -> Result<(), String> {
        let began = self.at;
        let Some(c) = self.next() else { return Err(unterminated('\'', began)) };
        let byte = match c {
            'a' => 0x07,
            'b' => 0x08,
            'e' | 'E' => 0x1b,
            'f' => 0x0c,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 0x0b,
            '\\' | '\'' | '"' | '?' => c as u8,
            'x' => {
                self.number(16, 2).and_then(|n| u8::try_from(n).ok()).ok_or_else(|| bad(began))?
            }
            '0'..='7' => {
                let digits = format!("{c}{}", self.digits(8, 2));
                // As in bash: a value above one byte keeps its low bits.
                u32::from_str_radix(&digits, 8).unwrap_or_default() as u8
            }
            'u' | 'U' => {
                let c = self.unicode(if c == 'u' { 4 } else { 8 }).ok_or_else(|| bad(began))?;
                self.push(c);
                return Ok(());
            }
            other => {
                self.push('\\');
                self.push(other);
                return Ok(());
            }
        };
        if byte == 0 {
            return Err(format!("a NUL byte is written at character {began}"));
        }
        self.word.get_or_insert_default().bytes.push(byte);
        Ok(())
    }

    /// A character by its number; browsers have written those beyond U+FFFF as two surrogates.
    fn unicode(&mut self, most: usize) -> Option<char> {
        let first = self.number(16, most)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).filter(|c| *c != '\0');
        }
        if (self.next(), self.next()) != (Some('\\'), Some('u')) {
            return None;
        }
        let second = self.number(16, 4)?;
        let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
        char::decode_utf16(units).next()?.ok()
    }

    fn number(&mut self, radix: u32, most: usize) -> Option<u32> {
        u32::from_str_radix(&self.digits(radix, most), radix).ok()
    }

    fn digits(&mut self, radix: u32, most: usize) -> String {
        let mut digits = String::new();
        while digits.len() < most
            && let Some(c) = self.next_if(|c| c.is_digit(radix))
        {
            digits.push(c);
        }
        digits
    }

    /// A lone dollar sign is literal.
    fn is_expansion(&self, c: char) -> bool {
        let begins = |c: char| c.is_ascii_alphanumeric() || "_{([*@#?$!-".contains(c);
        c == '`' || self.peek().is_some_and(begins)
    }
}

fn bad(at: usize) -> String {
    format!("the escape at character {at} stands for no character")
}
