//! Literals of programming languages: arrays, buffers as Node prints them, strings with escapes.

use super::shown::Dump;
use crate::text::typed::hex;

/// The bytes of a literal; `None` if it isn't one.
pub(super) fn read(text: &str) -> Option<Dump> {
    let text = without_comments(text);
    let text = text.trim().trim_end_matches([';', ',']);
    buffer(text)
        .or_else(|| quoted(text))
        .or_else(|| string(text))
        .or_else(|| array(text))
        .or_else(|| data(text))
        .or_else(|| bare_list(text))
}

/// Hex or base64 in quotation marks: `bytes.fromhex('8105')`, `Buffer.from("gQU=", "base64")`.
fn quoted(text: &str) -> Option<Dump> {
    let begin = text.find(['\'', '"', '`'])?;
    let (front, rest) = text.split_at(begin);
    let mut parts = rest.split(rest.get(..1)?);
    let inside = parts.nth(1)?.trim();
    let around = format!("{front}{}", parts.collect::<String>()).to_ascii_lowercase();
    if around.contains("base64") || around.contains("atob") || around.contains("b64decode") {
        return super::base64::read(inside);
    }
    let bytes = hex(inside).ok().filter(|bytes| !bytes.is_empty() && !inside.contains('\\'))?;
    Some(Dump::new("hex in quotation marks", bytes))
}

/// Apple's `<81054865 6c6c6f>` and `{length = 7, bytes = 0x81054865 6c6c6f}`.
fn data(text: &str) -> Option<Dump> {
    let inside = match text.split_once("bytes = 0x") {
        Some((_, inside)) => inside.split('}').next()?,
        None => text.strip_prefix('<')?.strip_suffix('>')?,
    };
    let (digits, more) = cut(inside);
    Some(noted("an NSData", hex(digits).ok()?, more))
}

/// `/* … */` and `// …`, as Wireshark writes them into an array.
fn without_comments(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some((front, behind)) = rest.split_once("/*") {
        bare.push_str(front);
        rest = behind.split_once("*/").map_or("", |(_, behind)| behind);
    }
    bare.push_str(rest);
    // The casts of Java and Kotlin.
    let bare = bare.replace("(byte)", "").replace(".toByte()", "");
    bare.lines()
        .map(|line| line.split(" //").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Node's `<Buffer 81 05 … 5 more bytes>`.
fn buffer(text: &str) -> Option<Dump> {
    let inside = text.get(text.find("<Buffer")? + 7..)?;
    let inside = inside.split('>').next()?;
    let (digits, more) = cut(inside);
    let bytes = hex(digits).ok()?;
    Some(noted("a Buffer of Node", bytes, more))
}

/// Splits off `... 5 more bytes` or `... 5 more items`.
fn cut(inside: &str) -> (&str, Option<u64>) {
    match inside.split_once("...").or_else(|| inside.split_once('…')) {
        Some((front, rest)) => {
            let count = rest.split_whitespace().next().and_then(|word| word.parse().ok());
            (front.trim_end().trim_end_matches(','), Some(count.unwrap_or_default()))
        }
        None => (inside, None),
    }
}

fn noted(kind: &str, bytes: Vec<u8>, more: Option<u64>) -> Dump {
    let mut dump = Dump::new(kind, bytes);
    match more {
        Some(0) => dump.notes.push("its end was left out where it was printed".to_owned()),
        Some(count) => {
            dump.notes.push(format!("{count} more bytes were left out where it was printed"))
        }
        None => {}
    }
    dump
}

/// The longest list of bytes in brackets: `[129, 5]`, `{0x81, 0x05}`, `Uint8Array(2) [ 129, 5 ]`.
fn array(text: &str) -> Option<Dump> {
    let mut best: Option<Dump> = None;
    let is_bracket = |c: char| "[]{}()<>".contains(c);
    for (at, open) in text.char_indices().filter(|(_, c)| is_bracket(*c)) {
        let rest = text.get(at + 1..).unwrap_or_default();
        let inside = rest.split(is_bracket).next().unwrap_or_default();
        let close = rest.get(inside.len()..).and_then(|rest| rest.chars().next());
        if !matches!(
            (open, close),
            ('[', Some(']')) | ('{', Some('}')) | ('(', Some(')')) | ('<', Some('>'))
        ) {
            continue;
        }
        let (inside, more) = cut(inside);
        let length =
            |dump: &Option<Dump>| dump.as_ref().map_or(0, |dump| dump.parts.concat().len());
        if let Some(bytes) = list(inside)
            && bytes.len() > length(&best)
        {
            best = Some(noted("an array", bytes, more));
        }
    }
    best
}

/// A list without brackets. Where all numbers could be hex, they are.
fn bare_list(text: &str) -> Option<Dump> {
    let tokens: Vec<&str> = tokens(text).collect();
    let all_prefixed = tokens.iter().all(|token| token.starts_with("0x"));
    let short = tokens.iter().any(|token| token.trim_start_matches("0x").len() % 2 == 1);
    let decimal = text.contains(',') && tokens.iter().all(|token| token.parse::<i16>().is_ok());
    if !(short && (all_prefixed || decimal)) {
        return None;
    }
    list(text).map(|bytes| noted("a list of numbers", bytes, None))
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',' || c == ';')
        .filter(|token| !token.is_empty())
}

/// Numbers of a byte each. They are decimal, unless one of them can't be.
fn list(text: &str) -> Option<Vec<u8>> {
    let tokens: Vec<&str> = tokens(text).collect();
    let is_hex = |token: &&str| {
        token.len() == 2
            && token.bytes().all(|b| b.is_ascii_hexdigit())
            && (token.starts_with('0') || token.bytes().any(|b| b.is_ascii_alphabetic()))
    };
    let pairs = tokens.iter().all(|token| token.len() == 2);
    let hex = pairs && tokens.iter().any(is_hex);
    let bytes: Option<Vec<u8>> = tokens.iter().map(|token| number(token, hex)).collect();
    bytes.filter(|bytes| !bytes.is_empty())
}

fn number(token: &str, hex: bool) -> Option<u8> {
    let token = token.trim_end_matches("u8").trim_end_matches(['u', 'U']);
    let lower = token.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        return u8::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = lower.strip_prefix("0b") {
        return u8::from_str_radix(digits, 2).ok();
    }
    let character = token.strip_prefix('b').unwrap_or(token);
    if let Some(c) = character.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return u8::try_from(c.chars().next()?).ok().filter(|_| c.chars().count() == 1);
    }
    match hex {
        true => u8::from_str_radix(token, 16).ok(),
        // Java's bytes have a sign.
        false => token.parse().ok().or_else(|| token.parse::<i8>().ok().map(i8::cast_unsigned)),
    }
}

/// A string with escapes, or one of bytes; strings that follow each other are one.
fn string(text: &str) -> Option<Dump> {
    // The shell has taken the quotes of b'…' and "…".
    let bare = text.strip_prefix('b').filter(|rest| rest.starts_with('\\')).unwrap_or(text);
    if bare.starts_with('\\') && !bare.contains(['\'', '"']) {
        let mut bytes = Vec::new();
        unescape(&mut bare.chars().peekable(), None, &mut bytes)?;
        return mixed(bare).then(|| Dump::new("a string with escapes", bytes));
    }
    let begin = text.find(['\'', '"', '`'])?;
    let (front, strings) = text.split_at(begin);
    let of_bytes = front.ends_with(['b', 'B']);
    let is_name =
        |c: char| c.is_alphanumeric() || c.is_whitespace() || "_=([])*&:.<>@+".contains(c);
    if !(front.chars().all(is_name) && (of_bytes || strings.contains('\\'))) {
        return None;
    }
    let mut bytes = Vec::new();
    let mut chars = strings.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' | '`' => unescape(&mut chars, Some(c), &mut bytes)?,
            // Between strings: white space, a line that goes on, a plus, the end of a call.
            c if c.is_whitespace() || "\\+b);,".contains(c) => {}
            _ => return None,
        }
    }
    (!bytes.is_empty()).then(|| Dump::new("a string", bytes))
}

/// Whether a text without quotes has more than `\x81`: that would be plain hex.
fn mixed(text: &str) -> bool {
    hex(text).is_err()
}

/// Reads up to the quote, or to the end without one.
fn unescape(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    quote: Option<char>,
    bytes: &mut Vec<u8>,
) -> Option<()> {
    let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, base, most| {
        let mut text = String::new();
        while text.len() < most
            && let Some(c) = chars.next_if(|c| c.is_digit(base))
        {
            text.push(c);
        }
        u32::from_str_radix(&text, base).ok()
    };
    loop {
        let Some(c) = chars.next() else { return quote.is_none().then_some(()) };
        if Some(c) == quote {
            return Some(());
        }
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let code = match chars.peek()? {
            '0'..='7' => digits(chars, 8, 3)?,
            'x' => {
                chars.next();
                let braced = chars.next_if_eq(&'{').is_some();
                let code = digits(chars, 16, 2)?;
                if braced {
                    chars.next_if_eq(&'}')?;
                }
                code
            }
            'u' => {
                chars.next();
                let braced = chars.next_if_eq(&'{').is_some();
                let code = digits(chars, 16, if braced { 6 } else { 4 })?;
                if braced {
                    chars.next_if_eq(&'}')?;
                }
                code
            }
            _ => match chars.next()? {
                'a' => 0x07,
                'b' => 0x08,
                't' => 0x09,
                'n' => 0x0a,
                'v' => 0x0b,
                'f' => 0x0c,
                'r' => 0x0d,
                'e' => 0x1b,
                '\n' => continue,
                other => u32::from(other),
            },
        };
        match u8::try_from(code) {
            Ok(byte) => bytes.push(byte),
            Err(_) => {
                bytes.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes())
            }
        }
    }
}
