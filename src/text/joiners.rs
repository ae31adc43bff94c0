//! Invisible characters that belong to the writing: joiners, variation selectors and the tags of flags.
//!
//! They are shown as they are where an emoji or a word of a joining script needs them. Anywhere else they could hide
//! text or split a word, and are escaped like the other invisible characters.

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';
const CANCEL_TAG: char = '\u{e007f}';

/// The most joiners in one emoji; the longest that Unicode recommends (a kiss with skin tones) has three.
const MAX_JOINED: usize = 4;

/// Whether this is a variation selector: it has no width, and changes how the character before it looks.
pub(super) fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}')
}

/// How many bytes at the front of `rest` can be shown as they are, although its first character is invisible; 0 if
/// none. `before` is the text that precedes it.
pub(super) fn shown(before: &str, rest: &str) -> usize {
    let (mut back, mut ahead) = (before.chars().rev(), rest.chars());
    let (Some(previous), Some(c)) = (back.next(), ahead.next()) else { return 0 };
    let next = ahead.next();
    let is_shown = match c {
        '\u{fe0e}' | '\u{fe0f}' if matches!(previous, '0'..='9' | '#' | '*') => {
            next == Some(KEYCAP)
        }
        c if is_selector(c) => is_emoji(previous) || is_east_asian(previous),
        ZWJ if is_emoji(previous) || is_selector(previous) => {
            let (base, joiners) = last_emoji(before);
            is_emoji(base) && joiners < MAX_JOINED && next.is_some_and(is_emoji)
        }
        // RFC 5892, appendix A.1 and A.2: behind a virama the joiner chooses the form of the letter before it.
        ZWJ | ZWNJ if is_virama(previous) => next.is_none_or(|next| !matches!(next, ZWJ | ZWNJ)),
        ZWJ | ZWNJ => is_joining(previous) && next.is_some_and(is_joining),
        '\u{e0020}'..=CANCEL_TAG if previous == BLACK_FLAG => return flag(rest),
        _ => false,
    };
    if is_shown { c.len_utf8() } else { 0 }
}

/// The character that the emoji at the end of `text` begins with, behind its last joiner, and its number of joiners.
fn last_emoji(text: &str) -> (char, usize) {
    let mut chars = text.chars().rev().filter(|&c| !is_selector(c)).peekable();
    let base = chars.next().unwrap_or_default();
    let mut joiners = 0;
    while joiners < MAX_JOINED && chars.peek().is_some_and(|&c| c == ZWJ || is_emoji(c)) {
        joiners += usize::from(chars.next() == Some(ZWJ));
    }
    (base, joiners)
}

/// The length of the tags at the front that name a flag, such as that of Scotland: a region in 3 to 6 letters and
/// digits, and the end.
fn flag(tags: &str) -> usize {
    let is_region = |c: char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let region = tags.chars().take_while(|&c| is_region(c)).count();
    let ends = tags.chars().nth(region) == Some(CANCEL_TAG);
    if ends && (3..=6).contains(&region) { 4 * (region + 1) } else { 0 }
}

/// Symbols and pictographs; a few more than the emoji, but all of them visible.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{24c2}'
        | '\u{2190}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2934}' | '\u{2935}'
        | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
}

fn is_east_asian(c: char) -> bool {
    matches!(c,
        '\u{3001}'..='\u{3002}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff01}'..='\u{ff1b}' | '\u{20000}'..='\u{3ffff}')
}

/// Letters and marks of Arabic, Syriac, N'Ko, Mongolian and the scripts that descend from Brahmi.
fn is_joining(c: char) -> bool {
    let is_in_block = matches!(c,
        '\u{600}'..='\u{8ff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{1800}'..='\u{18af}' | '\u{1b00}'..='\u{1bff}' | '\u{a800}'..='\u{a8ff}'
        | '\u{a980}'..='\u{a9df}' | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}');
    is_in_block && (c.is_alphabetic() || is_virama(c) || is_nukta(c))
}

/// The mark that takes a letter's vowel away, so that it joins the next one.
fn is_virama(c: char) -> bool {
    let is_indic = matches!(c, '\u{900}'..='\u{d7f}');
    is_indic && u32::from(c) % 0x80 == 0x4d
        || matches!(c, '\u{dca}' | '\u{1039}' | '\u{103a}' | '\u{17d2}' | '\u{1b44}' | '\u{a9c0}')
}

fn is_nukta(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{cff}') && u32::from(c) % 0x80 == 0x3c
}
