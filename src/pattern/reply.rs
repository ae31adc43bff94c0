//! The answer to a message that matches: `$1` and `$name` are what the groups have matched.

use regex::{Captures, Regex};

use crate::pattern::template::{Template, TemplateValue};
use crate::text::Untrusted;
use crate::text::typed::nearest;

/// An answer.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a>(pub &'a Template);

/// A piece of a text with references to groups.
enum Piece<'a> {
    Text(&'a str),
    Dollar,
    Group(&'a str),
}

impl Reply<'_> {
    /// Checks that every group in an answer exists.
    ///
    /// # Errors
    /// The one that doesn't, and the one that was probably meant.
    pub fn check(reply: &Template, regex: &Regex) -> Result<(), String> {
        let mut unknown = None;
        let mut literal = |text: &str| {
            for piece in pieces(text) {
                let Piece::Group(name) = piece else { continue };
                let exists = match name.parse::<usize>() {
                    Ok(number) => number < regex.captures_len(),
                    Err(_) => regex.capture_names().flatten().any(|known| known == name),
                };
                if !exists {
                    unknown.get_or_insert(name.to_owned());
                }
            }
            String::new()
        };
        reply.fill_with(&mut |_| String::new(), str::to_owned, &mut literal);
        let Some(name) = unknown else { return Ok(()) };
        let meant = nearest(&name, regex.capture_names().flatten());
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean ${meant}?"));
        let shown = Untrusted::text(&name);
        Err(format!("the regular expression has no group {shown}{meant} ($$ is a dollar sign)"))
    }

    /// The answer to a match.
    pub fn fill(
        &self,
        groups: &Captures<'_>,
        value_of: &mut dyn FnMut(&TemplateValue) -> String,
    ) -> String {
        let group = |name: &str| match name.parse::<usize>() {
            Ok(number) => groups.get(number),
            Err(_) => groups.name(name),
        };
        let mut literal = |text: &str| {
            let piece = |piece| match piece {
                Piece::Text(text) => text,
                Piece::Dollar => "$",
                Piece::Group(name) => group(name).map_or("", |found| found.as_str()),
            };
            pieces(text).map(piece).collect()
        };
        self.0.fill_with(value_of, str::to_owned, &mut literal)
    }
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(behind) = rest.strip_prefix('$') else {
            let (plain, more) = rest.split_at(rest.find('$').unwrap_or(rest.len()));
            rest = more;
            return Some(Piece::Text(plain));
        };
        if let Some(more) = behind.strip_prefix('$') {
            rest = more;
            return Some(Piece::Dollar);
        }
        if let Some((name, more)) = behind.strip_prefix('{').and_then(|inner| inner.split_once('}'))
        {
            rest = more;
            return Some(Piece::Group(name));
        }
        let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        let word = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let size = if digits > 0 { digits } else { word.unwrap_or(behind.len()) };
        let (name, more) = behind.split_at(size);
        rest = more;
        Some(if name.is_empty() { Piece::Dollar } else { Piece::Group(name) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(regex: &str, text: &str, message: &str) -> Result<String, String> {
        let (regex, template) = (Regex::new(regex).unwrap(), Template::parse(text).unwrap());
        Reply::check(&template, &regex)?;
        let groups = regex.captures(message).unwrap();
        // What a peer has sent is no template.
        Ok(Reply(&template).fill(&groups, &mut |_| "$1{{v}}".to_owned()))
    }

    #[test]
    fn groups_are_filled_in() {
        let regex = "id=(?<id>[0-9]+)(x)?";
        for (text, answer) in [
            ("ok $1", "ok 42"),
            ("$id,${id}a $1a", "42,42a 42a"),
            ("$$1 $", "$1 $"),
            ("$2.", "."),
            ("{{v}}", "$1{{v}}"),
            ("$0", "id=42"),
        ] {
            assert_eq!(reply(regex, text, "an id=42 {{env.X}}").as_deref(), Ok(answer), "{text}");
        }
        assert!(reply(regex, "$3", "").unwrap_err().contains("no group 3"));
        assert!(reply(regex, "$idd", "").unwrap_err().contains("did you mean $id?"));
    }
}
