//! One statement.

use std::time::Duration;

use regex::Regex;

use super::Parser;
use super::words::{quoted_name, split_braced, split_word};
use crate::error::{Error, Result};
use crate::pattern::{Reply, Template, is_name};
use crate::protocol::frame::Opcode;
use crate::repl;
use crate::script::source::Place;
use crate::script::statement::{Encoding, Kind, PathPattern, Payload, Receive, Statement, Wanted};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::text::typed::{base64, hex, nearest, time};

/// Words that begin a statement; no connection can have one as its name.
pub(super) const WORDS: [&str; 12] = [
    "connect", "end", "every", "expect", "include", "on", "repeat", "tags", "test", "var", "wait",
    "within",
];

/// What a line can begin with.
const STATEMENT: &str = "a statement: > < / connect expect test var wait within …";

impl Parser {
    /// Reads a statement. `None` for one that is done while reading.
    pub(super) fn line(&mut self, place: Place, text: &str) -> Result<Option<Statement>> {
        let first = text.chars().next().unwrap_or_default();
        if matches!(first, '<' | '>' | '/') {
            return self.operation(place, None, place, text).map(Some);
        }
        let size = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')));
        let (word, rest) = text.split_at(size.unwrap_or(text.len()));
        let behind = Place { column: place.column + word.chars().count(), ..place };
        let is_name = is_name(word) && !WORDS.contains(&word);
        if is_name && rest.starts_with(['<', '>', '/']) {
            return self.operation(place, Some(word), behind, rest).map(Some);
        }
        let more = rest.trim_start_matches([' ', '\t']);
        let skipped = rest.chars().count() - more.chars().count();
        let argument = Place { column: behind.column + skipped, ..place };
        if is_name && skipped > 0 {
            let keyword = more.split([' ', '\t', '(']).next().unwrap_or_default();
            if matches!(keyword, "expect" | "on" | "every") {
                let rest = &more[keyword.len()..];
                let at = Place { column: argument.column + keyword.len(), ..place };
                return self.keyword(place, Some(word), keyword, at, rest).map(Some);
            }
        }
        match word {
            "var" => self.var(place, argument, more),
            "tags" => self.tags(behind, rest),
            "connect" => self.connect(place, argument, more).map(Some),
            "expect" | "on" | "every" => self.keyword(place, None, word, behind, rest).map(Some),
            "wait" => {
                let time = self.time(argument, more)?;
                Ok(Some(statement(place, None, Kind::Wait(time))))
            }
            "within" => {
                let time = self.time(argument, more)?;
                Ok(Some(statement(place, None, Kind::Within(time))))
            }
            "end" => Err(self.wrong(argument, more, "nothing behind end")),
            _ => {
                let shown = if word.is_empty() { text } else { word };
                Err(self.unknown(place, shown, STATEMENT, nearest(word, WORDS)))
            }
        }
    }

    /// What begins with `<`, `>` or `/`; `at` is its place.
    fn operation(
        &mut self,
        place: Place,
        name: Option<&str>,
        at: Place,
        text: &str,
    ) -> Result<Statement> {
        let inner = text.get(1..).unwrap_or_default();
        let next = Place { column: at.column + 1, ..at };
        let (kind, mark) = match text.chars().next() {
            Some('/') => (Kind::Command(self.command(next, inner)?), place),
            Some('>') => (Kind::Send(self.sent(next, inner)?), place),
            _ => self.received(next, inner)?,
        };
        Ok(Statement { mark, ..statement(place, name, kind) })
    }

    /// What follows `>`.
    pub(super) fn sent(&mut self, at: Place, text: &str) -> Result<Payload> {
        if let Some(rest) = text.strip_prefix('b').filter(|rest| begins_blank(rest)) {
            return self.binary(Place { column: at.column + 1, ..at }, rest);
        }
        let Some(payload) = argument(text) else {
            return Err(self.wrong(at, text, "a space and a text, or b hex, b base64 or b file"));
        };
        let at = Place { column: at.column + 1, ..at };
        if let Some(path) = payload.strip_prefix("file ") {
            let at = Place { column: at.column + 5, ..at };
            return self.payload_file(at, path, Opcode::Text);
        }
        self.text(at, payload).map(Payload::Text)
    }

    /// A text as it stands there, or after a backslash as a JSON string.
    fn text(&mut self, at: Place, text: &str) -> Result<Template> {
        match text.strip_prefix('\\').filter(|rest| rest.starts_with('"')) {
            Some(quoted) => {
                let text = quoted_name(quoted).ok_or_else(|| {
                    self.wrong(
                        at,
                        text,
                        "a JSON string behind the backslash, to the end of the line",
                    )
                })?;
                Ok(Template::literal(text))
            }
            None => self.template(at, text),
        }
    }

    /// What follows `>b` and `<b`.
    fn binary(&mut self, at: Place, text: &str) -> Result<Payload> {
        const FORMS: [&str; 3] = ["hex", "base64", "file"];
        let trimmed = text.trim_start_matches([' ', '\t']);
        let at = Place { column: at.column + (text.len() - trimmed.len()), ..at };
        let (form, rest) = split_word(trimmed);
        let behind = Place { column: at.column + form.chars().count() + 1, ..at };
        let (encoding, check): (_, fn(&str) -> _) = match form {
            "hex" => (Encoding::Hex, hex),
            "base64" => (Encoding::Base64, base64),
            "file" => return self.payload_file(behind, rest, Opcode::Binary),
            _ => {
                let meant = nearest(form, FORMS);
                return Err(self.unknown(at, form, "hex, base64 or file", meant));
            }
        };
        let template = self.template(behind, rest)?;
        if let Some(text) = self.filled(&template) {
            check(&text).map_err(|why| self.sources.error(behind, why))?;
        }
        Ok(Payload::Encoded(encoding, template))
    }

    fn payload_file(&mut self, at: Place, path: &str, opcode: Opcode) -> Result<Payload> {
        if path.trim().is_empty() {
            return Err(self.wrong(at, path, "the path of a file"));
        }
        let folder = self.sources.folder_of(at).to_owned();
        let template = self.template(at, path.trim())?;
        if let Some(path) = self.filled(&template) {
            let whole = folder.join(&path);
            let shown = crate::script::source::shown(&whole);
            let failed = match whole.metadata() {
                Ok(found) if found.is_file() => None,
                Ok(_) => Some(format!("{shown} is no regular file")),
                Err(e) => Some(format!("can't read {shown}: {}", reason(&e))),
            };
            if let Some(what) = failed {
                return Err(self.sources.error(at, what));
            }
        }
        Ok(Payload::File { opcode, path: PathPattern { folder, path: template } })
    }

    /// What follows `<`, and the place of the pattern.
    fn received(&mut self, at: Place, text: &str) -> Result<(Kind, Place)> {
        const FORM: &str = "a space and a pattern, or = ~ b * ! or ?, then perhaps (TIME)";
        let mut rest = text;
        let passes = eat(&mut rest, '?');
        let form = ['=', '~', 'b', '*', '!'].into_iter().find(|form| eat(&mut rest, *form));
        let place = |rest: &str| Place { column: at.column + chars(text) - chars(rest), ..at };
        if passes && let Some(form @ ('*' | '!')) = form {
            let what = format!("<?{form} can't be: <{form} needs no ?");
            return Err(self.sources.error(at, what));
        }
        let limit = place(rest);
        let within = self.limit(limit, &mut rest)?;
        let behind = place(rest);
        let Some(pattern) = argument(rest) else {
            return Err(self.wrong(behind, rest, FORM));
        };
        let mark = place(pattern);
        if form == Some('!') {
            if within.is_some() {
                return Err(self.wrong(limit, "(", "the time behind a space: <! TIME"));
            }
            let time = self.time(mark, pattern)?;
            return Ok((silence(time, false), mark));
        }
        let pattern = match form {
            Some('b') => Wanted::Binary(self.binary(mark, pattern)?),
            Some('*') if pattern.trim().is_empty() => Wanted::Any(1),
            Some('*') => {
                Wanted::Any(self.number(mark, pattern, "how many messages: a number from 1")?)
            }
            Some('~') => Wanted::Regex(self.regex(mark, pattern)?),
            Some(_) => Wanted::Exact(self.text(mark, pattern)?),
            None => Wanted::Like(self.text(mark, pattern)?),
        };
        Ok((Kind::Receive(Receive { pattern, passes, within, below: Vec::new() }), mark))
    }

    /// `(TIME)`, if it is there.
    pub(super) fn limit(&mut self, at: Place, rest: &mut &str) -> Result<Option<Duration>> {
        let Some(inner) = rest.strip_prefix('(') else { return Ok(None) };
        let Some((text, behind)) = inner.split_once(')') else {
            return Err(self.wrong(at, rest, "a time in parentheses: (2s)"));
        };
        let time = self.time(Place { column: at.column + 1, ..at }, text)?;
        *rest = behind;
        Ok(Some(time))
    }

    /// A regular expression; values in it stand for themselves.
    pub(super) fn regex(&mut self, at: Place, text: &str) -> Result<Template> {
        let template = self.template(at, text)?;
        self.compiled(at, &template)?;
        Ok(template)
    }

    fn compiled(&mut self, at: Place, template: &Template) -> Result<Regex> {
        let text = template.fill(&mut |_| "x".to_owned(), str::to_owned);
        let regex = Regex::new(&text).map_err(|e| {
            let why = e.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let what = format!("no regular expression: {}", Untrusted::text(why));
            self.sources.error(at, what)
        })?;
        for name in regex.capture_names().flatten() {
            self.scope.set(name);
            // Its value isn't known before the run any more.
            self.values.variables.remove(name);
        }
        Ok(regex)
    }

    pub(super) fn time(&mut self, at: Place, text: &str) -> Result<Duration> {
        let fixed = self.fixed(at, text.trim())?;
        time(fixed.trim()).map_err(|_| self.wrong(at, text, "a time, like 500ms, 2s or 1m"))
    }

    /// What follows the slash.
    fn command(&mut self, at: Place, text: &str) -> Result<Template> {
        let template = self.template(at, text)?;
        let placed = |error: Error| Error {
            what: self.sources.error(at, &error.what).what,
            ..Error { stage: crate::error::Stage::Usage, ..error }
        };
        match template.plain() {
            Some(text) => repl::script_command(&text).map(drop).map_err(placed)?,
            None => {
                let name = split_word(text).0;
                repl::script_command_exists(name).map_err(placed)?;
            }
        }
        Ok(template)
    }

    fn var(&mut self, place: Place, at: Place, text: &str) -> Result<Option<Statement>> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(self.wrong(at, text, "NAME = VALUE"));
        };
        let name = name.trim_end();
        if !is_name(name) || is_fresh(name) {
            let expected =
                "a name of letters, digits, _ and -, other than random, uuid, now and counter";
            return Err(self.wrong(at, name, expected));
        }
        let skipped = chars(text) - chars(value);
        let trimmed = value.trim();
        let blank = chars(value) - chars(value.trim_start());
        let value_at = Place { column: at.column + skipped + blank, ..at };
        let template = self.template(value_at, trimmed)?;
        let is_given = self.scope.is_given(name);
        self.scope.set(name);
        if is_given {
            return Ok(None);
        }
        // In a repeat each round may give it another value.
        let known = self.filled(&template).filter(|_| self.repeats == 0);
        let is_known = known.is_some();
        match known {
            Some(value) => drop(self.values.variables.insert(name.to_owned(), value)),
            None => drop(self.values.variables.remove(name)),
        }
        let kind = Kind::Var { name: name.to_owned(), value: template };
        Ok((!is_known || !self.scope.in_prelude()).then(|| statement(place, None, kind)))
    }

    fn tags(&mut self, at: Place, rest: &str) -> Result<Option<Statement>> {
        let Some(list) = rest.strip_prefix(':') else {
            return Err(self.wrong(at, rest, "a colon: tags: a, b"));
        };
        let tags: Vec<String> = list.split(',').map(|tag| tag.trim().to_owned()).collect();
        if let Some(tag) = tags.iter().find(|tag| tag.is_empty() || tag.contains([' ', '\t'])) {
            let at = Place { column: at.column + 1, ..at };
            return Err(self.wrong(at, tag, "tags with commas between them: tags: a, b"));
        }
        self.tags.extend(tags);
        Ok(None)
    }

    fn connect(&mut self, place: Place, at: Place, text: &str) -> Result<Statement> {
        let (first, second) = split_braced(text.trim_end());
        let (name, url) = if second.is_empty() { (None, first) } else { (Some(first), second) };
        let url_at = Place {
            column: at.column + chars(text) - chars(url) - (chars(text) - chars(text.trim_end())),
            ..at
        };
        if url.is_empty() {
            return Err(self.wrong(at, "", "a URL, perhaps with a name before it"));
        }
        let (url, more) = split_braced(url);
        if !more.is_empty() {
            let at = Place { column: url_at.column + chars(url) + 1, ..at };
            return Err(self.wrong(
                at,
                more,
                "nothing behind the URL; options stand indented below",
            ));
        }
        if let Some(name) = name
            && (!is_name(name) || WORDS.contains(&name))
        {
            let expected = match WORDS.contains(&name) {
                true => "another name: this one begins a statement",
                false => "a name of letters, digits, _ and -, then a URL",
            };
            return Err(self.wrong(at, name, expected));
        }
        let template = self.template(url_at, url)?;
        if let Some(url) = self.filled(&template) {
            crate::transport::Target::parse(&url).map_err(|e| self.at(url_at, e))?;
        }
        let kind = Kind::Connect { url: template, options: Vec::new() };
        Ok(Statement { mark: url_at, ..statement(place, name, kind) })
    }

    /// Puts a place before an error.
    pub(super) fn at(&self, place: Place, error: Error) -> Error {
        Error { what: self.sources.error(place, &error.what).what, ..error }
    }

    /// `expect`, `on` and `every`; `at` is the place of the text behind the word.
    fn keyword(
        &mut self,
        place: Place,
        name: Option<&str>,
        word: &str,
        at: Place,
        rest: &str,
    ) -> Result<Statement> {
        if word == "expect" {
            let (expect, mark) = self.expect(at, rest)?;
            return Ok(Statement { mark, ..statement(place, name, Kind::Expect(expect)) });
        }
        let text = rest.trim_start_matches([' ', '\t']);
        let at = Place { column: at.column + chars(rest) - chars(text), ..at };
        let form = if word == "on" { "REGEX > TEXT" } else { "TIME > TEXT" };
        let end = text.find(" >").ok_or_else(|| self.wrong(at, text, form))?;
        let (before, behind) = (text[..end].trim_end(), &text[end + 2..]);
        let behind_at = Place { column: at.column + chars(&text[..end + 2]), ..at };
        if word == "every" {
            let time = self.time(at, before)?;
            if time.is_zero() {
                return Err(self.wrong(at, before, "a time that is longer than nothing"));
            }
            let payload = self.sent(behind_at, behind)?;
            return Ok(statement(place, name, Kind::Every { time, payload }));
        }
        let regex = self.template(at, before)?;
        // Its groups are for the answer alone.
        let (scope, variables) = (self.scope.clone(), self.values.variables.clone());
        let compiled = self.compiled(at, &regex)?;
        (self.scope, self.values.variables) = (scope, variables);
        let Some(text) = argument(behind) else {
            return Err(self.wrong(behind_at, behind, "a space and the text of the answer"));
        };
        let reply_at = Place { column: behind_at.column + 1, ..at };
        let reply = self.template(reply_at, text)?;
        Reply::check(&reply, &compiled).map_err(|what| self.sources.error(reply_at, what))?;
        Ok(statement(place, name, Kind::On { regex, reply }))
    }
}

pub(super) fn silence(time: Duration, frames: bool) -> Kind {
    use crate::script::statement::{Expect, Expected};
    let what = Expected::Silence { time, frames };
    Kind::Expect(Expect { what, within: None, below: Vec::new() })
}

fn statement(place: Place, name: Option<&str>, kind: Kind) -> Statement {
    Statement { place, mark: place, name: name.map(str::to_owned), kind }
}

/// The text behind exactly one space; empty at the end of the line.
pub(super) fn argument(text: &str) -> Option<&str> {
    if text.is_empty() { Some(text) } else { text.strip_prefix([' ', '\t']) }
}

fn begins_blank(text: &str) -> bool {
    text.is_empty() || text.starts_with([' ', '\t'])
}

fn eat(text: &mut &str, c: char) -> bool {
    match text.strip_prefix(c) {
        Some(rest) => {
            *text = rest;
            true
        }
        None => false,
    }
}

fn is_fresh(name: &str) -> bool {
    matches!(name, "random" | "uuid" | "now" | "counter")
}

pub(super) fn chars(text: &str) -> usize {
    text.chars().count()
}
