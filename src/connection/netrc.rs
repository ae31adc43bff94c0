//! `.netrc`: the logins of hosts, in the file format of ftp and curl.

use crate::redact::Secret;
use crate::transport::proxy::Credentials;

/// The machines of a file, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netrc {
    machines: Vec<Machine>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Machine {
    /// `None` for `default`.
    name: Option<String>,
    login: Option<String>,
    password: Option<Secret<String>>,
}

impl Netrc {
    /// Reads the file's text: `machine NAME` or `default`, followed by `login`, `password` and
    /// `account`, separated by white space; macros and lines that begin with `#` are skipped.
    /// Words with white space in them are in double quotes, with `\"`, `\\`, `\n`, `\r`, `\t`.
    ///
    /// # Errors
    /// The line number and what is wrong, without the words of the line (they may be secret).
    pub fn parse(text: &str) -> Result<Netrc, String> {
        let mut netrc = Netrc::default();
        let mut words = Words { lines: text.split('\n').enumerate(), number: 0, rest: "" };
        while let Some(key) = words.next()? {
            if key == "default" {
                netrc.machines.push(Machine::default());
                continue;
            }
            if key == "macdef" {
                words.skip_macro();
                continue;
            }
            let at = words.number;
            if !matches!(key.as_str(), "machine" | "login" | "password" | "account") {
                return Err(format!("line {at}: not machine, default, login, password or macdef"));
            }
            let value =
                words.next()?.ok_or_else(|| format!("line {at}: the last word is alone"))?;
            match (key.as_str(), netrc.machines.last_mut()) {
                ("machine", _) => {
                    netrc.machines.push(Machine { name: Some(value), ..Machine::default() });
                }
                (_, None) => return Err(format!("line {at}: it belongs to no machine")),
                ("login", Some(machine)) => machine.login = Some(value),
                ("password", Some(machine)) => machine.password = Some(Secret::new(value)),
                _ => {}
            }
        }
        Ok(netrc)
    }

    /// The first login for exactly this host, or the default one; only of `user`, if given.
    pub fn lookup(&self, host: &str, user: Option<&str>) -> Option<Credentials> {
        let matches = |machine: &&Machine| {
            let name = machine.name.as_deref();
            name.is_none_or(|name| name.eq_ignore_ascii_case(host))
                && user.is_none_or(|user| machine.login.as_deref().is_none_or(|own| own == user))
        };
        let machine = self.machines.iter().find(matches)?;
        let login = user.map(str::to_owned).or(machine.login.clone())?;
        Some(Credentials {
            user: Secret::new(login),
            password: machine.password.clone().unwrap_or_default(),
        })
    }
}

/// The words of a text.
struct Words<'a> {
    lines: std::iter::Enumerate<std::str::Split<'a, char>>,
    /// The number of the current line, from 1.
    number: usize,
    rest: &'a str,
}

impl Words<'_> {
    fn next(&mut self) -> Result<Option<String>, String> {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.is_empty() {
                break;
            }
            let Some((number, line)) = self.lines.next() else { return Ok(None) };
            self.number = number + 1;
            self.rest = if line.trim_start().starts_with('#') { "" } else { line };
        }
        let Some(inside) = self.rest.strip_prefix('"') else {
            let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(Some(word.to_owned()));
        };
        let mut word = String::new();
        let mut chars = inside.chars();
        while let Some(c) = chars.next() {
            let c = match c {
                '"' => {
                    self.rest = chars.as_str();
                    return Ok(Some(word));
                }
                '\\' => match chars.next() {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some(other) => other,
                    None => break,
                },
                other => other,
            };
            word.push(c);
        }
        Err(format!("line {}: a quote is not closed", self.number))
    }

    /// A macro ends at an empty line.
    fn skip_macro(&mut self) {
        self.rest = "";
        for (number, line) in self.lines.by_ref() {
            self.number = number + 1;
            if line.trim().is_empty() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# work\nmachine a.example.org login me password \"one \\\"two\\\" \\\\\"\n\
        macdef init\nmachine evil login x\npassword y\n\nmachine b\n\tlogin other\n\
        \taccount z password pass#word\nmachine b login second password 2\n\
        machine nobody password p\ndefault login anonymous password guest\n";

    fn found(netrc: &Netrc, host: &str, user: Option<&str>) -> Option<(String, String)> {
        let found = netrc.lookup(host, user)?;
        Some((found.user.reveal().clone(), found.password.reveal().clone()))
    }

    #[test]
    fn hosts_have_their_logins() {
        let netrc = Netrc::parse(FILE).unwrap();
        for (host, user, login, password) in [
            ("a.example.org", None, "me", "one \"two\" \\"),
            ("A.Example.ORG", None, "me", "one \"two\" \\"),
            ("b", None, "other", "pass#word"),
            ("b", Some("second"), "second", "2"),
            ("nobody", Some("me"), "me", "p"),
            ("example.org", None, "anonymous", "guest"),
            ("evil", None, "anonymous", "guest"),
        ] {
            let expected = Some((login.to_owned(), password.to_owned()));
            assert_eq!(found(&netrc, host, user), expected, "{host} {user:?}");
        }
        assert_eq!(found(&netrc, "nobody", None), None);
        assert_eq!(found(&netrc, "c", Some("somebody")), None);
        assert_eq!(Netrc::parse("").unwrap().lookup("h", None), None);
        assert!(!format!("{netrc:?}").contains("pass#word"));
    }

    #[test]
    fn what_cannot_be_read_is_named_without_secrets() {
        for (text, why) in [
            ("machine h login \"x", "line 1: a quote"),
            ("machine h\nlogin\n", "line 2: the last word"),
            ("login hunter2", "line 1: it belongs"),
            ("machine h hunter2", "line 1: not machine"),
            ("machine h login \"a\\", "line 1: a quote"),
        ] {
            let error = Netrc::parse(text).unwrap_err();
            assert!(error.starts_with(why) && !error.contains("hunter2"), "{error}");
        }
        assert_eq!(Netrc::parse("machine h login x\nmacdef m\nno end").unwrap().machines.len(), 1);
    }
}
