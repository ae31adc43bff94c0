//! Indented lines: options below `connect`, captures and assertions below `<` and `expect`.

use super::Parser;
use super::line::chars;
use super::words::split_word;
use crate::cli::ScriptOption;
use crate::error::Result;
use crate::pattern::{Check, Operand, Operator, Path, Value, is_name, parse_json};
use crate::script::source::Place;
use crate::script::statement::{
    AnswerCheck, AnswerPart, Below, ConnectOption, Expected, Kind, Look, Statement,
};

impl Parser {
    /// Reads an indented line and adds it to its statement.
    pub(super) fn below(
        &mut self,
        place: Place,
        text: &str,
        statement: &mut Statement,
    ) -> Result<()> {
        match &mut statement.kind {
            Kind::Connect { options, .. } => options.push(self.option(place, text)?),
            Kind::Receive(receive) => {
                let look = self.look(place, text)?;
                receive.below.push(Below { place, look });
            }
            Kind::Expect(expect) => {
                let with_body = matches!(expect.what, Expected::Status(_));
                if !with_body && !matches!(expect.what, Expected::Open) {
                    return Err(self.misplaced(place, text));
                }
                let what = self.answer_part(place, text, with_body)?;
                expect.below.push(AnswerCheck { place, what });
            }
            _ => return Err(self.misplaced(place, text)),
        }
        Ok(())
    }

    fn misplaced(&self, place: Place, text: &str) -> crate::error::Error {
        let expected = "a statement at the beginning of its line; only what belongs to connect, <, \
                        expect open or expect status is indented, also inside repeat";
        self.wrong(place, text, expected)
    }

    /// `option: value`, or a flag alone.
    fn option(&mut self, place: Place, text: &str) -> Result<ConnectOption> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name.trim_end(), Some(value)),
            None => (text, None),
        };
        let option = ScriptOption::named(name).map_err(|meant| {
            let expected = "an option of a connection, as in wstap --help: header, subprotocol, …";
            self.unknown(place, name, expected, meant)
        })?;
        let value = match value {
            None => None,
            Some(value) => {
                let column = place.column + chars(text) - chars(value.trim_start());
                Some(self.template(Place { column, ..place }, value.trim())?)
            }
        };
        let known = match &value {
            None => Some(None),
            Some(template) => self.filled(template).map(Some),
        };
        if let Some(known) = known {
            let folder = self.sources.folder_of(place).to_owned();
            let layer = option.with(known.as_deref(), &folder).map_err(|e| self.at(place, e))?;
            let reads = known.as_deref().is_some_and(|value| value.starts_with('@'));
            if !reads {
                crate::cli::script_plan("ws://localhost", &[layer], &[])
                    .map_err(|e| self.at(place, e))?;
            }
        }
        Ok(ConnectOption { place, option, value })
    }

    /// `NAME = .path` or `.path OP VALUE`.
    fn look(&mut self, place: Place, text: &str) -> Result<Look> {
        if !text.starts_with('.') {
            let (name, path) = text.split_once('=').unwrap_or((text, ""));
            let (name, trimmed) = (name.trim_end(), path.trim_start());
            if !is_name(name) || path.is_empty() || path.starts_with('=') {
                return Err(self.wrong(place, text, "NAME = .path or .path OP VALUE"));
            }
            let at = Place { column: place.column + chars(text) - chars(trimmed), ..place };
            let (path, rest) = self.path(at, trimmed)?;
            let rest = rest.trim_start();
            if !rest.is_empty() {
                let at = Place { column: place.column + chars(text) - chars(rest), ..place };
                return Err(self.wrong(at, rest, "nothing behind the path"));
            }
            self.scope.set(name);
            // Its value isn't known before the run any more.
            self.values.variables.remove(name);
            return Ok(Look::Capture { name: name.to_owned(), path });
        }
        let (path, rest) = self.path(place, text)?;
        let behind = rest.trim_start();
        let at = Place { column: place.column + chars(text) - chars(behind), ..place };
        let (operator, rest) = Operator::parse(behind).ok_or_else(|| {
            let names: Vec<&str> = Operator::ALL.iter().map(|(name, _)| *name).collect();
            self.wrong(at, behind, &format!("an operator: {}", names.join(" ")))
        })?;
        let operand = rest.trim();
        let at = Place { column: place.column + chars(text) - chars(rest.trim_start()), ..place };
        let template = match operator.operand() {
            Operand::Regex => self.regex(at, operand)?,
            _ => self.template(at, operand)?,
        };
        if template.plain().is_some() {
            operator.accepts(operand).map_err(|what| self.sources.error(at, what))?;
        }
        Ok(Look::Assert { check: Check { path, operator }, operand: template })
    }

    fn path<'a>(&self, at: Place, text: &'a str) -> Result<(Path, &'a str)> {
        Path::parse(text).map_err(|(offset, what)| {
            let column = at.column + text.get(..offset).map_or(0, chars);
            self.sources.error(Place { column, ..at }, what)
        })
    }

    /// `header: Name: value`, and for a refusal `body ~ REGEX` and `body json {…}`.
    fn answer_part(&mut self, place: Place, text: &str, with_body: bool) -> Result<AnswerPart> {
        let at = |rest: &str| Place { column: place.column + chars(text) - chars(rest), ..place };
        if let Some(header) = text.strip_prefix("header:") {
            let header = header.trim_start();
            return self.header_check(at(header), header).map(AnswerPart::Header);
        }
        let expected = match with_body {
            true => "header: Name: value, body ~ REGEX or body json {…}",
            false => "header: Name: value",
        };
        let (word, rest) = split_word(text);
        if word != "body" || !with_body {
            return Err(self.wrong(place, text, expected));
        }
        if let Some(regex) = rest.strip_prefix('~') {
            let regex = regex.trim_start();
            return self.regex(at(regex), regex).map(AnswerPart::BodyRegex);
        }
        let (word, json) = split_word(rest);
        if word != "json" {
            return Err(self.wrong(at(rest), rest, "~ REGEX or json {…}"));
        }
        let template = self.template(at(json), json)?;
        if template.plain().is_some()
            && !parse_json(json)
                .is_ok_and(|json| matches!(json.value, Value::Object(_) | Value::Array(_)))
        {
            return Err(self.wrong(at(json), json, "a JSON object or array"));
        }
        Ok(AnswerPart::BodyJson(template))
    }
}
