//! `expect …`

use super::Parser;
use super::line::{chars, silence};
use super::words::{quoted_name, split_word};
use crate::error::Result;
use crate::http::head::is_token;
use crate::script::source::Place;
use crate::script::statement::{Expect, Expected, HeaderCheck, Kind, Reason};
use crate::text::typed::nearest;

/// What can be expected.
const KINDS: [&str; 12] = [
    "close",
    "cut",
    "extension",
    "header",
    "open",
    "ping",
    "pong",
    "silence",
    "status",
    "subprotocol",
    "tls-failure",
    "violation",
];

impl Parser {
    /// What follows `expect`, and the place of its kind.
    pub(super) fn expect(&mut self, at: Place, rest: &str) -> Result<(Expect, Place)> {
        let mut text = rest;
        let within = self.limit(at, &mut text)?;
        let trimmed = text.trim_start_matches([' ', '\t']);
        let mark = Place { column: at.column + chars(rest) - chars(trimmed), ..at };
        let (word, argument) = split_word(trimmed.trim_end());
        let argument_at =
            Place { column: mark.column + chars(trimmed.trim_end()) - chars(argument), ..at };
        let alone = |parser: &Parser, what| match argument {
            "" => Ok(what),
            _ => Err(parser.wrong(argument_at, argument, &format!("nothing behind {word}"))),
        };
        let what = match word {
            "open" => alone(self, Expected::Open)?,
            "cut" => alone(self, Expected::Cut)?,
            "tls-failure" => alone(self, Expected::TlsFailure)?,
            "status" => {
                let status = self.number(argument_at, argument, "a status: 100 to 599")?;
                match u16::try_from(status) {
                    Ok(status @ 100..=599) => Expected::Status(status),
                    _ => return Err(self.wrong(argument_at, argument, "a status: 100 to 599")),
                }
            }
            "subprotocol" | "extension" if argument.is_empty() => {
                return Err(self.wrong(argument_at, "", &format!("the name of the {word}")));
            }
            "subprotocol" => Expected::Subprotocol(self.template(argument_at, argument)?),
            "extension" => Expected::Extension(self.template(argument_at, argument)?),
            "header" => Expected::Header(self.header_check(argument_at, argument)?),
            "ping" | "pong" => {
                let text = match argument {
                    "" => None,
                    text => Some(self.template(argument_at, text)?),
                };
                if word == "ping" { Expected::Ping(text) } else { Expected::Pong(text) }
            }
            "close" => self.expected_close(argument_at, argument)?,
            "violation" => Expected::Violation(match argument {
                "" => None,
                clause => {
                    let digits = clause.strip_prefix('§').unwrap_or(clause);
                    let is_clause = digits.starts_with(|c: char| c.is_ascii_digit())
                        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
                    if !is_clause {
                        let expected = "a clause of RFC 6455, like 5.2";
                        return Err(self.wrong(argument_at, clause, expected));
                    }
                    Some(digits.to_owned())
                }
            }),
            "silence" => match silence(self.time(argument_at, argument)?, true) {
                Kind::Expect(expect) if within.is_none() => return Ok((expect, mark)),
                _ => return Err(self.wrong(at, rest, "the time behind silence")),
            },
            _ => {
                let expected = format!("what is expected: {}", KINDS.join(", "));
                return Err(self.unknown(mark, word, &expected, nearest(word, KINDS)));
            }
        };
        Ok((Expect { what, within, below: Vec::new() }, mark))
    }

    /// `[CODE] ["REASON"|~ REGEX]`
    fn expected_close(&mut self, at: Place, argument: &str) -> Result<Expected> {
        let (first, rest) = split_word(argument);
        let is_code = !first.is_empty() && !first.starts_with(['"', '~']);
        let (code, rest) = if is_code { (Some(first), rest) } else { (None, argument) };
        let rest_at = Place { column: at.column + chars(argument) - chars(rest), ..at };
        let code = match code {
            None => None,
            Some(text) => {
                let code = self.number(at, text, "a close code: 1000 to 4999")?;
                let code = u16::try_from(code).ok().filter(|code| *code <= 4999);
                Some(code.ok_or_else(|| self.wrong(at, text, "a close code: 1000 to 4999"))?)
            }
        };
        let reason = match rest.strip_prefix('~') {
            _ if rest.is_empty() => None,
            Some(regex) => {
                let trimmed = regex.trim_start();
                let at = Place { column: rest_at.column + chars(rest) - chars(trimmed), ..at };
                Some(Reason::Regex(self.regex(at, trimmed)?))
            }
            None => {
                let text = quoted_name(rest).ok_or_else(|| {
                    self.wrong(rest_at, rest, "the reason in quotes, or ~ and a regular expression")
                })?;
                Some(Reason::Equal(self.template(rest_at, &text)?))
            }
        };
        Ok(Expected::Close { code, reason })
    }

    /// `Name: value`, or `Name` alone.
    pub(super) fn header_check(&mut self, at: Place, text: &str) -> Result<HeaderCheck> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(self.wrong(at, text, "the name of a header, or Name: value"));
        }
        let value = match value {
            None => None,
            Some(value) => {
                let trimmed = value.trim();
                let column = at.column + chars(text) - chars(value.trim_start());
                Some(self.template(Place { column, ..at }, trimmed)?)
            }
        };
        Ok(HeaderCheck { name: name.to_owned(), value })
    }
}
