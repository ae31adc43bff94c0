//! Variables from the command line: `--var` and the files of `--vars`.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::error::{Error, Result};
use crate::pattern::is_name;
use crate::script::source::{lines, shown};
use crate::sys;
use crate::text::Untrusted;
use crate::text::system::reason;

/// `NAME=VALUE`
///
/// # Errors
/// Exit 2: it is none.
pub fn typed(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if is_name(name.trim()) => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        // The value may be a secret.
        _ => {
            let name = Untrusted::text(text.split('=').next().unwrap_or_default()).to_string();
            let what =
                format!("--var {name}…: it is NAME=VALUE, with a name of letters, digits, _ and -");
            Err(Error::usage(what))
        }
    }
}

/// The variables of a file: TOML if its name ends so, else the form of `.env` files.
///
/// # Errors
/// Exit 2: it can't be read, or where it is wrong.
pub fn file(path: &Path) -> Result<Vec<(String, String)>> {
    let failed = |why: String| Error::usage(format!("can't read {}: {why}", shown(path)));
    let bytes = sys::read_file(path).map_err(|e| failed(reason(&e)))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))?;
    let found = match path.extension() {
        Some(extension) if extension == "toml" => from_toml(&text),
        _ => from_env(&text),
    };
    found.map_err(|(line, what)| Error::usage(format!("{}:{line}: {what}", shown(path))))
}

/// Names and values, or the line with what is wrong there.
type Read = std::result::Result<Vec<(String, String)>, (usize, String)>;

fn from_toml(text: &str) -> Read {
    let line = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let table = DeTable::parse(text).map_err(|e| {
        let what = e.message().lines().collect::<Vec<_>>().join(" ");
        (line(e.span().unwrap_or_default().start), Untrusted::text(&what).to_string())
    })?;
    let mut found = Vec::new();
    for (key, value) in table.get_ref() {
        let name = key.get_ref().to_string();
        let value = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(on) => on.to_string(),
            _ => {
                let what = format!(
                    "{}: a variable is a string, a number, true or false",
                    Untrusted::text(&name)
                );
                return Err((line(key.span().start), what));
            }
        };
        found.push((checked(name, line(key.span().start))?, value));
    }
    Ok(found)
}

fn from_env(text: &str) -> Read {
    let mut found = Vec::new();
    for (index, line) in lines(text).iter().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        let assignment = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = assignment.split_once('=') else {
            return Err((number, "it is NAME=VALUE".to_owned()));
        };
        let value = value.trim();
        let end = || (number, "the quotes have no end".to_owned());
        let value = if let Some(inner) = value.strip_prefix('\'') {
            inner.split_once('\'').ok_or_else(end)?.0.to_owned()
        } else if let Some(inner) = value.strip_prefix('"') {
            in_double_quotes(inner).ok_or_else(end)?
        } else {
            value.split(" #").next().unwrap_or_default().trim_end().to_owned()
        };
        found.push((checked(name.trim().to_owned(), number)?, value));
    }
    Ok(found)
}

fn in_double_quotes(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                c @ ('"' | '\\' | '$') => out.push(c),
                c => out.extend(['\\', c]),
            },
            c => out.push(c),
        }
    }
}

fn checked(name: String, line: usize) -> std::result::Result<String, (usize, String)> {
    match is_name(&name) {
        true => Ok(name),
        false => {
            let what = "is no name of a variable: letters, digits, _ and -";
            Err((line, format!("\"{}\" {what}", Untrusted::text(&name))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_form_of_env_files() {
        let text =
            "# c\nA=1\nexport B='x # y'\nC=\"a\\n\\\"b\\\"\"\nD=plain # comment\nE=\nF=a#b\n";
        assert_eq!(
            from_env(text),
            Ok(of(&[
                ("A", "1"),
                ("B", "x # y"),
                ("C", "a\n\"b\""),
                ("D", "plain"),
                ("E", ""),
                ("F", "a#b")
            ]))
        );
        assert_eq!(from_env("A=1\nB").unwrap_err().0, 2);
        assert!(from_env("A=\"x").is_err() && from_env("1A=x").is_err());
    }

    #[test]
    fn toml() {
        let text = "room = 'lobby'\nn = 3\nok = true\nf = 1.50\n";
        let wanted = of(&[("f", "1.50"), ("n", "3"), ("ok", "true"), ("room", "lobby")]);
        let mut found = from_toml(text).unwrap();
        found.sort();
        assert_eq!(found, wanted);
        let (line, what) = from_toml("a = 1\n[t]\nb = 2\n").unwrap_err();
        assert!(line == 2 && what.starts_with("t: a variable is a string"), "{line} {what}");
        assert_eq!(from_toml("a = 1\nb = \n").unwrap_err().0, 2);
    }

    #[test]
    fn typed_ones_have_a_name() {
        assert_eq!(typed("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        let error = typed("1a=secret").unwrap_err().what;
        assert!(!error.contains("secret"), "{error}");
    }
}
