//! Reads scripts: lines become statements, and everything is checked before anything is connected.
//!
//! `mod.rs` knows which lines belong together: tests, blocks of `repeat`, indented lines, payloads of
//! several lines. [`line`](self::line) reads one statement, [`scope`](self::scope) knows which
//! variables and connections there are at each line.

mod below;
mod expect;
mod line;
mod scope;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::pattern::{Template, TemplateValue};
use crate::script::parse::scope::Scope;
use crate::script::parse::words::{Found, quoted_name};
use crate::script::source::{Place, Source, Sources, lines, shown};
use crate::script::statement::{Expected, Kind, Payload, Script, Statement, Test, Wanted};
use crate::script::values::Values;
use crate::sys;
use crate::text::Untrusted;
use crate::text::system::reason;

/// The deepest nesting of `include` and of `repeat`.
const MAX_DEPTH: usize = 16;

/// The longest file, in bytes.
const LONGEST: usize = 16 << 20;

/// What is known before the script is read.
#[derive(Clone, Debug, Default)]
pub struct Givens {
    /// `--var`, and `--vars` below it; `url` among them.
    pub variables: BTreeMap<String, String>,
    /// Values that no report may show: those of `--vars`.
    pub secrets: Vec<String>,
    /// Only check: neither `url` nor the environment is needed.
    pub check_only: bool,
}

/// Reads a script from its file.
///
/// # Errors
/// Exit 2: the file can't be read, or where it is wrong.
pub fn read(path: &Path, givens: &Givens) -> Result<Script> {
    let text = read_text(path)
        .map_err(|why| Error::usage(format!("can't read {}: {why}", shown(path))))?;
    parse(path, &text, givens)
}

/// Reads a script from its text; `path` is its name, and where relative paths start from.
///
/// # Errors
/// Exit 2: where it is wrong.
pub fn parse(path: &Path, text: &str, givens: &Givens) -> Result<Script> {
    let source = Source { path: path.to_owned(), lines: lines(text), included: None };
    let mut parser = Parser {
        sources: Sources(vec![source]),
        scope: Scope::new(givens.variables.keys().cloned().collect(), givens.check_only),
        values: Values::new(&givens.variables),
        check_only: givens.check_only,
        secrets: givens.secrets.clone(),
        repeats: 0,
        includes: 0,
        tags: Vec::new(),
    };
    let mut top = Top { prelude: Vec::new(), tests: Vec::new(), start: None };
    let mut cursor = Cursor { source: 0, next: 0 };
    parser.file(&mut cursor, &mut top)?;
    let Top { mut prelude, mut tests, start } = top;
    let variables = start.map_or(parser.values.variables, |(_, variables)| variables);
    let first = Place { source: 0, line: 1, column: 1 };
    if tests.is_empty() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let body = std::mem::take(&mut prelude);
        let place = body.first().map_or(first, |statement| statement.place);
        tests.push(Test { name, place, tags: Vec::new(), body });
    }
    for test in &mut tests {
        test.tags.extend(parser.tags.iter().cloned());
    }
    Ok(Script { sources: parser.sources, prelude, tests, variables, secrets: parser.secrets })
}

fn read_text(path: &Path) -> std::result::Result<String, String> {
    let metadata = path.metadata().map_err(|e| reason(&e))?;
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let bytes = sys::read_file(path).map_err(|e| reason(&e))?;
    if bytes.len() > LONGEST {
        return Err(format!("it is longer than {} MiB", LONGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })
}

/// The tests, and what comes before them.
struct Top {
    prelude: Vec<Statement>,
    tests: Vec<Test>,
    /// The scope behind the prelude.
    start: Option<(Scope, BTreeMap<String, String>)>,
}

/// Where reading goes on.
struct Cursor {
    source: usize,
    /// The index of the next line.
    next: usize,
}

/// What ends a block of statements.
enum Ended {
    File,
    End,
    Test(Place),
}

struct Parser {
    sources: Sources,
    scope: Scope,
    /// Values that are known while reading.
    values: Values,
    check_only: bool,
    secrets: Vec<String>,
    /// How deeply nested the current line is.
    repeats: usize,
    includes: usize,
    /// Tags before the first test: those of all.
    tags: Vec<String>,
}

impl Parser {
    fn file(&mut self, cursor: &mut Cursor, top: &mut Top) -> Result<()> {
        let mut ended = self.block(cursor, &mut top.prelude, true)?;
        while let Ended::Test(place) = ended {
            let name = self.test_name(place)?;
            let start = top
                .start
                .get_or_insert_with(|| (self.scope.clone(), self.values.variables.clone()));
            (self.scope, self.values.variables) = start.clone();
            self.scope.leave_prelude();
            let mut body = Vec::new();
            let outer = std::mem::take(&mut self.tags);
            ended = self.block(cursor, &mut body, true)?;
            let tags = std::mem::replace(&mut self.tags, outer);
            if let Some(twice) = top.tests.iter().find(|test| test.name == name) {
                let line = self.sources.line_of(twice.place);
                let name = Untrusted::text(&name);
                return Err(self
                    .sources
                    .error(place, format!("there is a test \"{name}\" already, at {line}")));
            }
            top.tests.push(Test { name, place, tags, body });
        }
        match ended {
            Ended::End => {
                let place = Place { source: cursor.source, line: cursor.next, column: 1 };
                Err(self.wrong(place, "end", "a statement: no repeat is open here"))
            }
            _ => Ok(()),
        }
    }

    /// Reads statements up to the end of the file, an `end`, or the next test.
    fn block(
        &mut self,
        cursor: &mut Cursor,
        out: &mut Vec<Statement>,
        is_top: bool,
    ) -> Result<Ended> {
        while let Some((place, text)) = self.next_line(cursor) {
            if text.starts_with([' ', '\t']) {
                let column = indent(&text) + 1;
                return Err(self.wrong(
                    Place { column, ..place },
                    text.trim(),
                    "a statement at the beginning of its line; only what belongs to connect, < or \
                     expect is indented, also inside repeat",
                ));
            }
            let (word, rest) = words::split_word(&text);
            match word {
                "test" if is_top && place.source == 0 => return Ok(Ended::Test(place)),
                "test" => {
                    let expected = match is_top {
                        true => "a statement: an included file has no tests of its own",
                        false => "end: the repeat before it goes on",
                    };
                    return Err(self.wrong(place, &text, expected));
                }
                "end" if rest.is_empty() => return Ok(Ended::End),
                "repeat" => out.push(self.repeat(place, rest, cursor)?),
                "include" => self.include(place, rest, out)?,
                _ => self.statement(place, &text, cursor, out)?,
            }
        }
        Ok(Ended::File)
    }

    fn statement(
        &mut self,
        place: Place,
        text: &str,
        cursor: &mut Cursor,
        out: &mut Vec<Statement>,
    ) -> Result<()> {
        let Some(mut statement) = self.line(place, text)? else { return Ok(()) };
        self.fenced(cursor, &mut statement)?;
        while let Some((place, text)) = self.next_indented(cursor) {
            self.below(place, &text, &mut statement)?;
        }
        self.note(&statement)?;
        out.push(statement);
        Ok(())
    }

    /// The next line that is neither empty nor a comment.
    fn next_line(&self, cursor: &mut Cursor) -> Option<(Place, String)> {
        let lines = &self.sources.0.get(cursor.source)?.lines;
        loop {
            let text = lines.get(cursor.next)?;
            cursor.next += 1;
            let trimmed = text.trim();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                let place = Place { source: cursor.source, line: cursor.next, column: 1 };
                return Some((place, text.clone()));
            }
        }
    }

    /// The next line, if it is indented; without its indentation.
    fn next_indented(&self, cursor: &mut Cursor) -> Option<(Place, String)> {
        let mut ahead = Cursor { source: cursor.source, next: cursor.next };
        let (place, text) = self.next_line(&mut ahead)?;
        if !text.starts_with([' ', '\t']) {
            return None;
        }
        cursor.next = ahead.next;
        Some((Place { column: indent(&text) + 1, ..place }, text.trim().to_owned()))
    }

    /// Reads a payload of several lines below an empty `>` or `<`.
    fn fenced(&mut self, cursor: &mut Cursor, statement: &mut Statement) -> Result<()> {
        let slot = match &mut statement.kind {
            Kind::Send(Payload::Text(text)) => text,
            Kind::Receive(receive) => match &mut receive.pattern {
                Wanted::Like(text) | Wanted::Exact(text) | Wanted::Regex(text) => text,
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        let lines = self.sources.0.get(cursor.source).map_or(&[][..], |source| &source.lines);
        let fence = lines.get(cursor.next).map(|line| line.trim()).filter(|line| is_fence(line));
        let (Some(fence), true) = (fence, slot.plain().is_some_and(|text| text.is_empty())) else {
            return Ok(());
        };
        let place = Place { source: cursor.source, line: cursor.next + 1, column: 1 };
        let margin = lines.get(cursor.next).map_or(0, |line| indent(line));
        let behind = lines.get(cursor.next + 1..).unwrap_or_default();
        let Some(count) = behind.iter().position(|line| line.trim() == fence) else {
            let what = format!("{fence} has no end: the payload ends with another line of {fence}");
            return Err(self.sources.error(place, what));
        };
        let strip = |line: &String| {
            let spaces = indent(line).min(margin);
            line.chars().skip(spaces).collect::<String>()
        };
        let inner: Vec<String> = behind[..count].iter().map(strip).collect();
        let text = inner.join("\n");
        *slot = Template::parse(&text).map_err(|e| {
            let before = &text[..e.at.min(text.len())];
            let line = place.line + 1 + before.matches('\n').count();
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            self.wrong(Place { line, column, ..place }, &e.found, e.expected)
        })?;
        cursor.next += count + 2;
        let slot = slot.clone();
        self.known(&slot, place)
    }

    fn repeat(&mut self, place: Place, rest: &str, cursor: &mut Cursor) -> Result<Statement> {
        let at = Place { column: 8, ..place };
        let count = self.number(at, rest, "how often: a number from 1")?;
        self.repeats += 1;
        if self.repeats > MAX_DEPTH {
            return Err(self
                .sources
                .error(place, format!("repeat is nested more than {MAX_DEPTH} times")));
        }
        let before = self.scope.clone();
        let mut body = Vec::new();
        match self.block(cursor, &mut body, false)? {
            Ended::End => {}
            _ => return Err(self.sources.error(place, "repeat has no end")),
        }
        self.repeats -= 1;
        if count > 1
            && let Some((place, name)) = opened_again(&body, &self.scope, &before)
        {
            let what = format!("the connection {name} would be opened again while it is open");
            return Err(self.sources.error(place, what));
        }
        Ok(Statement { place, mark: place, name: None, kind: Kind::Repeat { count, body } })
    }

    fn include(&mut self, place: Place, rest: &str, out: &mut Vec<Statement>) -> Result<()> {
        let at = Place { column: 9, ..place };
        if rest.is_empty() {
            return Err(self.wrong(at, "", "the path of a file"));
        }
        let path = self.fixed(at, rest)?;
        let path = self.sources.folder_of(place).join(path);
        self.includes += 1;
        if self.includes > MAX_DEPTH {
            let what = format!("include is nested more than {MAX_DEPTH} times");
            return Err(self.sources.error(place, what));
        }
        let text = read_text(&path)
            .map_err(|why| self.sources.error(at, format!("can't read {}: {why}", shown(&path))))?;
        let source = self.sources.0.len();
        self.sources.0.push(Source { path, lines: lines(&text), included: Some(place) });
        let mut cursor = Cursor { source, next: 0 };
        match self.block(&mut cursor, out, true)? {
            Ended::File => {}
            _ => {
                let place = Place { source, line: cursor.next, column: 1 };
                return Err(self.wrong(place, "end", "a statement: no repeat is open here"));
            }
        }
        self.includes -= 1;
        Ok(())
    }

    fn test_name(&self, place: Place) -> Result<String> {
        let text = self.sources.text_of(place);
        let rest = text.trim_end().strip_prefix("test").unwrap_or_default();
        let inner = rest.trim_start();
        let at = Place { column: 5 + rest.chars().count() - inner.chars().count(), ..place };
        quoted_name(inner)
            .filter(|name| !name.trim().is_empty())
            .ok_or_else(|| self.wrong(at, inner, "the test's name in quotes: test \"NAME\""))
    }

    /// An error that says what stands somewhere, and what could.
    fn wrong(&self, place: Place, found: &str, expected: &str) -> Error {
        self.sources.error(place, format!("{}, expected {expected}", Found(found)))
    }

    /// The same with the name that was probably meant.
    fn unknown(&self, place: Place, found: &str, expected: &str, meant: Option<&str>) -> Error {
        let error = self.wrong(place, found, expected);
        match meant {
            Some(meant) => error.hint(format!("did you mean {}?", Untrusted::text(meant))),
            None => error,
        }
    }

    /// A text whose values are all known now.
    fn fixed(&mut self, place: Place, text: &str) -> Result<String> {
        let template = self.template(place, text)?;
        match self.filled(&template) {
            Some(text) => Ok(text),
            None => {
                Err(self.wrong(place, text, "only variables whose values are known before the run"))
            }
        }
    }

    /// A template, and a check of the names in it.
    fn template(&mut self, place: Place, text: &str) -> Result<Template> {
        let template = Template::parse(text).map_err(|e| {
            let column = place.column + text[..e.at.min(text.len())].chars().count();
            self.wrong(Place { column, ..place }, &e.found, e.expected)
        })?;
        for (value, at) in template.values() {
            let column = place.column + text[..at.min(text.len())].chars().count();
            self.known_value(value, Place { column, ..place })?;
        }
        Ok(template)
    }

    fn known(&mut self, template: &Template, place: Place) -> Result<()> {
        template.values().try_for_each(|(value, _)| self.known_value(value, place))
    }

    fn known_value(&mut self, value: &TemplateValue, place: Place) -> Result<()> {
        match value {
            TemplateValue::Variable(name) if !self.scope.has_variable(name) => {
                if name == "url" {
                    let error = self.sources.error(place, "the variable url is not set");
                    return Err(error.hint("--url URL, or var url = URL in the script"));
                }
                let meant = self.scope.near_variable(name);
                let expected = "the name of a variable that is set before this line";
                Err(self.unknown(place, &format!("{{{{{name}}}}}"), expected, meant.as_deref()))
            }
            TemplateValue::Environment(name) if !self.check_only => match std::env::var(name) {
                Ok(value) => {
                    if !value.is_empty() && !self.secrets.contains(&value) {
                        self.secrets.push(value);
                    }
                    Ok(())
                }
                Err(_) => {
                    let name = Untrusted::text(name);
                    Err(self
                        .sources
                        .error(place, format!("the environment variable {name} is not set")))
                }
            },
            _ => Ok(()),
        }
    }

    /// The text, if its values are all known now.
    fn filled(&mut self, template: &Template) -> Option<String> {
        let is_known = |(value, _): (&TemplateValue, usize)| match value {
            TemplateValue::Variable(name) => self.values.variables.contains_key(name),
            TemplateValue::Environment(_) => !self.check_only,
            _ => true,
        };
        template.values().all(is_known).then(|| self.values.fill(template, str::to_owned))
    }

    fn number(&mut self, place: Place, text: &str, expected: &str) -> Result<u64> {
        let fixed = self.fixed(place, text)?;
        let number = fixed.trim().parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| self.wrong(place, text, expected))
    }

    /// Notes what a statement opens, sets and closes; checks that its connection is there.
    fn note(&mut self, statement: &Statement) -> Result<()> {
        let Statement { place, name, kind, .. } = statement;
        match kind {
            Kind::Connect { .. } => match name {
                Some(name) if self.scope.is_open(name) => {
                    let what = format!("the connection {name} is open already");
                    return Err(self.sources.error(*place, what));
                }
                name => self.scope.open(name.as_deref()),
            },
            Kind::Var { name, .. } => self.scope.set(name),
            Kind::Wait(_) | Kind::Within(_) | Kind::Repeat { .. } => {}
            _ => self.scope.uses(name.as_deref()).map_err(|(what, meant)| {
                let error = self.sources.error(*place, what);
                match meant {
                    Some(meant) => error.hint(format!("did you mean {meant}?")),
                    None => error,
                }
            })?,
        }
        let ends = match kind {
            Kind::Command(text) => {
                text.plain().is_some_and(|text| words::split_word(&text).0 == "close")
            }
            Kind::Expect(expect) => matches!(
                expect.what,
                Expected::Close { .. }
                    | Expected::Cut
                    | Expected::Status(_)
                    | Expected::TlsFailure
                    | Expected::Violation(_)
            ),
            _ => false,
        };
        if ends && let Some(name) = name {
            self.scope.close(name);
        }
        Ok(())
    }
}

/// A connection that a body opens and leaves open.
fn opened_again(body: &[Statement], after: &Scope, before: &Scope) -> Option<(Place, String)> {
    body.iter().find_map(|statement| match (&statement.kind, &statement.name) {
        (Kind::Connect { .. }, Some(name)) if after.is_open(name) && !before.is_open(name) => {
            Some((statement.place, name.clone()))
        }
        _ => None,
    })
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).count()
}

/// Three backticks or more.
fn is_fence(line: &str) -> bool {
    line.len() >= 3 && line.bytes().all(|b| b == b'`')
}

/// Finds the scripts below a folder, deeply, in order.
///
/// # Errors
/// Exit 2: a folder can't be read, or there is none in it.
pub fn find(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(path, &mut found, 0)?;
    if found.is_empty() {
        return Err(Error::usage(format!("there is no *.wst in {}", shown(path))));
    }
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) -> Result<()> {
    let failed =
        |e: std::io::Error| Error::usage(format!("can't read {}: {}", shown(folder), reason(&e)));
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        // Links to folders could lead in circles.
        if kind.is_dir() && depth < 64 {
            collect(&path, found, depth + 1)?;
        } else if path.extension().is_some_and(|extension| extension == "wst") && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
