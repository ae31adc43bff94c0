//! The line editor: rustyline, with our keys, completion, hints and history.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memchr_iter;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{self, Hinter};
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context, Event, EventContext,
    EventHandler, ExternalPrinter, Helper, KeyEvent, Modifiers, RepeatCount,
};

use super::candidate;
use super::complete;
use super::control::Control;
use super::history;
use super::screen::TextQueue;
use super::terminal::columns;
use crate::error::{Error, Exit, Result, Stage};
use crate::text::Untrusted;
use crate::text::wrap::wrap_text;

/// The prompt while connected; [`CLOSED`] must be as wide.
const OPEN: &str = "> ";
/// The prompt while there is no connection.
const CLOSED: &str = "x ";

/// The longest line, in columns: rustyline counts rows in 16 bits and draws garbage beyond.
const MAX_COLUMNS: usize = 1 << 20;
/// The most lines, for the same reason.
const MAX_LINES: usize = 25_000;

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Ctrl-C; whether the line was empty. It is cleared.
    Cancel {
        /// Nothing was typed.
        empty: bool,
    },
    /// Ctrl-D on an empty line, or the terminal is gone.
    Eof,
    /// The read was ended or not begun, see [`Control::ending`]. The typed text stays for the next.
    Ended,
    /// Enter: perhaps several lines, if they were pasted.
    Line(String),
    /// Ctrl-Z. The typed text stays for the next read.
    Suspend,
    /// A paste too long for the editor. It is dropped.
    TooLong,
}

/// The editor; lives on the main thread.
#[derive(Debug)]
pub(super) struct Editor {
    inner: rustyline::Editor<Assistant, MemHistory>,
    /// The last read has left a prompt without a text on the screen.
    left_bare: bool,
    typed: Arc<Typed>,
    control: Arc<Control>,
}

impl Editor {
    /// An editor for the terminal that stdin and stdout are.
    ///
    /// # Errors
    /// They are not a terminal.
    pub(super) fn new(control: Arc<Control>, queue: Arc<TextQueue>) -> Result<Editor> {
        let config = Config::builder()
            .auto_add_history(false)
            .bracketed_paste(true)
            // Our own functions decide about colours; without this they are not called.
            .color_mode(ColorMode::Forced)
            .completion_type(CompletionType::List)
            .history_ignore_space(true)
            .max_history_size(history::ENTRIES)
            .map_err(fault)?
            .build();
        let history = MemHistory::with_config(&config);
        let mut inner = rustyline::Editor::with_history(config, history).map_err(fault)?;
        let typed = Arc::new(Typed::default());
        for (key, action) in [('C', Key::Cancel), ('D', Key::Eof), ('Z', Key::Suspend)] {
            let binding = Binding { key: action, typed: typed.clone(), control: control.clone() };
            let handler = EventHandler::Conditional(Box::new(binding));
            inner.bind_sequence(KeyEvent::ctrl(key), handler);
        }
        inner.bind_sequence(KeyEvent::new('\r', Modifiers::ALT), Cmd::Newline);
        let tab = EventHandler::Conditional(Box::new(TypedTab(typed.clone())));
        inner.bind_sequence(KeyEvent::from('\t'), tab);
        let helper = Assistant { typed: typed.clone(), control: control.clone(), queue };
        inner.set_helper(Some(helper));
        Ok(Editor { inner, left_bare: false, typed, control })
    }

    /// A printer that writes above the edited line.
    ///
    /// # Errors
    /// Stdin or stdout is not a terminal.
    pub(super) fn printer(&mut self) -> Result<impl ExternalPrinter + Send + 'static> {
        self.inner.create_external_printer().map_err(fault)
    }

    /// Adds a line to the recall list.
    pub(super) fn remember(&mut self, line: &str) {
        let _ = self.inner.add_history_entry(line);
    }

    /// Whether the line above the cursor is a prompt and nothing else.
    pub(super) fn has_left_bare_prompt(&self) -> bool {
        self.left_bare
    }

    /// Lets the user edit a line.
    pub(super) fn read(&mut self) -> Input {
        self.left_bare = false;
        if !self.control.begin_read() {
            return Input::Ended;
        }
        self.typed.lock().key = None;
        let (line, position) = self.typed.line();
        let initial = line.split_at_checked(position).unwrap_or((&line, ""));
        let result = self.inner.readline_with_initial(OPEN, initial);
        self.control.end_read();
        let line_is_empty = match &result {
            Ok(line) => line.is_empty(),
            Err(_) => self.typed.lock().line.is_empty(),
        };
        self.left_bare = line_is_empty && !self.typed.searching.load(Ordering::Relaxed);
        if self.typed.refused.swap(false, Ordering::Relaxed) {
            self.typed.clear();
            return Input::TooLong;
        }
        let key = self.typed.lock().key.take();
        match (result, key) {
            (Ok(line), Some(Key::Cancel)) => {
                self.typed.clear();
                Input::Cancel { empty: line.is_empty() }
            }
            (Ok(line), _) => {
                self.typed.clear();
                Input::Line(line)
            }
            (Err(_), _) if self.control.must_end() => Input::Ended,
            (Err(ReadlineError::Interrupted), Some(Key::Suspend)) => Input::Suspend,
            // Without a key it was a SIGINT from another process, which means the same.
            (Err(ReadlineError::Interrupted), _) => {
                Input::Cancel { empty: self.typed.clear().is_empty() }
            }
            (Err(_), _) => Input::Eof,
        }
    }
}

fn is_too_long(line: &str) -> bool {
    let count = |byte| memchr_iter(byte, line.as_bytes()).count();
    line.len() > MAX_LINES
        && (line.len() + 7 * count(b'\t') > MAX_COLUMNS || count(b'\n') > MAX_LINES)
}

fn fault(error: ReadlineError) -> Error {
    let what = format!("no line editor: {}", Untrusted::text(&error.to_string()));
    Error::new(Stage::Input, Exit::Local, what)
}

/// A copy of the editor's line. rustyline keeps it private, so each of its callbacks updates the
/// copy: a read that was ended continues with the same line and cursor.
#[derive(Debug, Default)]
struct Typed {
    state: Mutex<TypedState>,
    /// The prompt is not ours: a history search is active.
    searching: AtomicBool,
    /// The line is too long: the read is being ended.
    refused: AtomicBool,
}

#[derive(Debug, Default)]
struct TypedState {
    line: String,
    position: usize,
    key: Option<Key>,
}

impl Typed {
    fn see(&self, line: &str, position: usize) {
        let mut state = self.lock();
        state.line.clear();
        state.line.push_str(line);
        state.position = position;
    }

    fn line(&self) -> (String, usize) {
        let state = self.lock();
        (state.line.clone(), state.position)
    }

    /// Takes the line out.
    fn clear(&self) -> String {
        let mut state = self.lock();
        state.position = 0;
        std::mem::take(&mut state.line)
    }

    fn lock(&self) -> MutexGuard<'_, TypedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key that ends the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Cancel,
    Eof,
    Suspend,
}

struct Binding {
    key: Key,
    typed: Arc<Typed>,
    control: Arc<Control>,
}

impl ConditionalEventHandler for Binding {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let searching = self.typed.searching.load(Ordering::Relaxed);
        match self.key {
            Key::Cancel if searching => return Some(Cmd::Abort),
            // Elsewhere the key deletes the character under the cursor.
            Key::Eof if searching || !context.line().is_empty() => return None,
            _ => {}
        }
        self.typed.see(context.line(), context.pos());
        self.typed.lock().key = Some(self.key);
        match self.key {
            Key::Cancel if context.line().is_empty() => self.control.leave_for_good(),
            _ => self.control.leave(),
        }
        Some(match self.key {
            // An interrupt would lose the keys that were typed behind this one.
            Key::Cancel => Cmd::AcceptLine,
            Key::Eof => Cmd::EndOfFile,
            Key::Suspend => Cmd::Interrupt,
        })
    }
}

/// Tab completes commands; in a text it is a character like any other.
struct TypedTab(Arc<Typed>);

impl ConditionalEventHandler for TypedTab {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let searching = self.0.searching.load(Ordering::Relaxed);
        let before = context.line().get(..context.pos()).unwrap_or_default();
        let is_text = !searching && complete::is_in_text(before);
        is_text.then(|| Cmd::Insert(1, "\t".to_owned()))
    }
}

/// rustyline's callbacks while a line is edited.
struct Assistant {
    typed: Arc<Typed>,
    control: Arc<Control>,
    queue: Arc<TextQueue>,
}

impl Helper for Assistant {}

impl Completer for Assistant {
    type Candidate = Pair;

    /// Completes the unambiguous part and lists the candidates above the prompt. rustyline's own
    /// list would keep messages off the screen, and its pager couldn't be ended.
    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..position];
        let (start, candidates) = complete::candidates(typed);
        let shared = candidate::common_prefix(&candidates).to_owned();
        if shared.len() > position - start {
            let pair = Pair { display: shared.clone(), replacement: shared };
            return Ok((start, vec![pair]));
        }
        if candidates.len() > 1 {
            self.queue.push(wrap_text(&candidate::list(&candidates), columns()).as_bytes());
        }
        Ok((start, Vec::new()))
    }
}

struct Hint(complete::Hint);

impl hint::Hint for Hint {
    fn display(&self) -> &str {
        &self.0.shown
    }

    fn completion(&self) -> Option<&str> {
        Some(&self.0.shown[..self.0.taken])
    }
}

impl Hinter for Assistant {
    type Hint = Hint;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<Hint> {
        if is_too_long(line) {
            // Keys typed before the read has ended belong to the refused line.
            self.typed.refused.store(true, Ordering::Relaxed);
            self.control.refuse();
            return None;
        }
        self.control.raw();
        self.typed.see(line, position);
        // Without colours a hint can't be told from what was typed.
        if !self.queue.has_color() || position < line.len() {
            return None;
        }
        let room = columns().saturating_sub(OPEN.len() + line.chars().count() + 1);
        complete::hint(line)?.within(room).map(Hint)
    }
}

impl Highlighter for Assistant {
    /// Drops control characters: pasted text must not move the cursor.
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.typed.refused.load(Ordering::Relaxed) {
            return Cow::Borrowed("");
        }
        let shown = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        match line.chars().all(shown) {
            true => Cow::Borrowed(line),
            false => Cow::Owned(line.chars().filter(|&c| shown(c)).collect()),
        }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        default: bool,
    ) -> Cow<'b, str> {
        self.typed.searching.store(!default, Ordering::Relaxed);
        self.control.search(!default);
        match (default, self.queue.is_connected(), self.queue.has_color()) {
            (false, ..) => Cow::Borrowed(prompt),
            (true, true, false) => Cow::Borrowed(OPEN),
            (true, true, true) => Cow::Borrowed("\x1b[0;1m> \x1b[0m"),
            (true, false, false) => Cow::Borrowed(CLOSED),
            (true, false, true) => Cow::Borrowed("\x1b[0;31mx \x1b[0m"),
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }

    fn highlight_char(&self, line: &str, position: usize, _: CmdKind) -> bool {
        self.typed.see(line, position);
        false
    }
}

impl Validator for Assistant {
    /// Every line is valid; this is the last callback before the terminal leaves raw mode.
    fn validate(&self, _: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        self.control.leave();
        Ok(ValidationResult::Valid(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_editor_can_not_count_is_too_long() {
        assert!(!is_too_long(&"x".repeat(MAX_COLUMNS)));
        assert!(is_too_long(&"x".repeat(MAX_COLUMNS + 1)));
        assert!(is_too_long(&"\t".repeat(MAX_COLUMNS / 8 + 1)));
        assert!(!is_too_long(&"\n".repeat(MAX_LINES)));
        assert!(is_too_long(&"\n".repeat(MAX_LINES + 1)));
    }
}
