//! Macros: lines of a profile, done under a name of their own.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::commands;
use crate::error::{Error, Exit, Result, Stage};
use crate::text::Untrusted;

/// The macros of a profile: the lines of each.
#[derive(Clone, Debug, Default)]
pub struct Macros(BTreeMap<String, Vec<String>>);

impl Macros {
    /// Takes them from a profile.
    ///
    /// # Errors
    /// Exit 2: a name is that of a command, or can't be typed as one.
    pub fn new(macros: BTreeMap<String, Vec<String>>) -> Result<Macros> {
        for name in macros.keys() {
            let shown = Untrusted::text(name);
            if commands::find(name).is_some() {
                let what = format!("the macro \"{shown}\": /{shown} is a command");
                return Err(Error::usage(what).hint("give the macro another name"));
            }
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || !name.chars().all(is_name) {
                let what = format!("the macro \"{shown}\": that can't be typed as a command");
                return Err(Error::usage(what).hint("letters, digits, - and _"));
            }
        }
        Ok(Macros(macros))
    }

    /// The lines that this line stands for; `None` if it is no macro.
    pub(super) fn lines(&self, line: &str) -> Option<Result<Vec<String>>> {
        let typed = line.trim_start_matches(' ').strip_prefix('/')?;
        let (name, arguments) = typed.split_once([' ', '\n', '\t']).unwrap_or((typed, ""));
        let lines = self.0.get(name)?;
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let needed = lines.iter().map(|line| needed(line)).max().unwrap_or(Needed::Words(0));
        let wrong = match needed {
            Needed::Words(count) if words.len() != count => match count {
                0 => Some("takes no words".to_owned()),
                1 => Some("takes one word, which is its $1".to_owned()),
                count => Some(format!("takes {count} words, $1 to ${count}")),
            },
            _ => None,
        };
        Some(match wrong {
            Some(why) => {
                let what = format!("/{name}: {why}");
                Err(Error::new(Stage::Input, Exit::Usage, what)
                    .hint(format!("it is {}", shown(lines))))
            }
            None => Ok(lines.iter().map(|line| filled(line, arguments, &words)).collect()),
        })
    }

    /// Their lines in `/help`.
    pub(super) fn help(&self) -> String {
        let mut text = String::new();
        for (name, lines) in &self.0 {
            let _ = writeln!(text, "  {:<11}{}", format!("/{name}"), shown(lines));
        }
        text
    }
}

/// What a macro's line needs behind the name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needed {
    Words(usize),
    /// It takes all there is (`$*`).
    Any,
}

fn needed(line: &str) -> Needed {
    let places = places(line).filter_map(|place| match place {
        Place::All => Some(Needed::Any),
        Place::Word(number) => Some(Needed::Words(number)),
        Place::Text(_) => None,
    });
    places.max().unwrap_or(Needed::Words(0))
}

fn filled(line: &str, arguments: &str, words: &[&str]) -> String {
    let mut out = String::new();
    for place in places(line) {
        out.push_str(match place {
            Place::Text(text) => text,
            Place::All => arguments.trim_start(),
            Place::Word(number) => words.get(number - 1).copied().unwrap_or_default(),
        });
    }
    out
}

/// A piece of a macro's line.
enum Place<'a> {
    Text(&'a str),
    /// `$1` to `$9`.
    Word(usize),
    /// `$*`.
    All,
}

/// The pieces of a line; `$$` is a `$`, as is one before anything else.
fn places(line: &str) -> impl Iterator<Item = Place<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let at = rest.find('$').unwrap_or(rest.len());
        if at > 0 {
            let (text, behind) = rest.split_at(at);
            rest = behind;
            return Some(Place::Text(text));
        }
        let behind = rest.get(1..).filter(|_| !rest.is_empty())?;
        let (place, used) = match behind.bytes().next() {
            Some(digit @ b'1'..=b'9') => (Place::Word(usize::from(digit - b'0')), 1),
            Some(b'*') => (Place::All, 1),
            Some(b'$') => (Place::Text("$"), 1),
            _ => (Place::Text("$"), 0),
        };
        rest = &behind[used..];
        Some(place)
    })
}

/// The lines as one, escaped.
fn shown(lines: &[String]) -> String {
    Untrusted::text(&lines.join(" / ")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn macros() -> Macros {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Macros::new(BTreeMap::from([
            ("login".to_owned(), lines(&[r#"{"key":"$1","as":"$2"}"#, "/wait ok 5s"])),
            ("say".to_owned(), lines(&["text: $*"])),
            ("cost".to_owned(), lines(&["$$5 and $x for $1"])),
            ("hi".to_owned(), lines(&["hello"])),
        ]))
        .unwrap()
    }

    #[test]
    fn words_take_their_places() {
        let macros = macros();
        let lines = |line: &str| macros.lines(line).unwrap().unwrap();
        assert_eq!(lines("/login k  me"), [r#"{"key":"k","as":"me"}"#, "/wait ok 5s"]);
        assert_eq!(lines("/say  two  words "), ["text: two  words "]);
        assert_eq!(lines("/say"), ["text: "]);
        assert_eq!(lines("/cost tea"), ["$5 and $x for tea"]);
        assert_eq!(lines(" /hi"), ["hello"]);
        assert!(macros.lines("/nix").is_none() && macros.lines("login a b").is_none());
        assert_eq!(macros.help().lines().count(), 4);
    }

    #[test]
    fn too_few_and_too_many_words_are_refused() {
        let macros = macros();
        let why = |line: &str| macros.lines(line).unwrap().unwrap_err().to_string();
        assert!(why("/login k").contains("/login: takes 2 words, $1 to $2"));
        assert!(why("/hi you").contains("/hi: takes no words"));
        assert!(why("/cost").contains("takes one word"));
    }

    #[test]
    fn a_command_keeps_its_name() {
        for (name, why) in [("ping", "is a command"), ("a b", "can't be typed"), ("", "can't be")] {
            let macros = BTreeMap::from([(name.to_owned(), Vec::new())]);
            assert!(Macros::new(macros).unwrap_err().to_string().contains(why));
        }
    }
}
