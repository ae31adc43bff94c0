//! The prompt: a line editor on the main thread, above which the session's text appears.
//!
//! Six threads: this one edits lines; the session's owns the socket; the printer hands the
//! session's text to the editor; one forwards commands; one waits for signals; and one watches for
//! a blocked terminal (`rescue`). Only the editor and the printer wait for the terminal: a slow
//! or stopped one never stops the session, which bounds the waiting text by not reading its socket.

mod answer;
mod candidate;
mod commands;
mod complete;
mod control;
mod editor;
mod frame;
mod history;
mod local;
mod macros;
mod payload;
mod rescue;
mod screen;
mod script;
mod signals;
mod terminal;

use std::fmt::Write;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use self::answer::words;
pub use self::commands::{Described, described};
pub use self::macros::Macros;
pub use self::script::{ScriptCommand, script_command, script_command_exists};
pub use self::terminal::{columns, is_usable};

use self::commands::{Local, Parsed};
use self::control::{Control, Ending};
use self::editor::{Editor, Input};
use self::history::History;
use self::rescue::Rescue;
use self::screen::{Printer, QueueScreen, TextQueue, push_for};
use self::signals::SignalThread;
use self::terminal::Terminal;
use crate::error::{Error, Exit, Result, Stage};
use crate::http::head::Header;
use crate::run::command::{self, Command, CommandSender, Commands};
use crate::run::destination::{Destination, FreshStart};
use crate::run::output::FdSink;
use crate::run::screen::Screen;
use crate::run::wake::Wake;
use crate::text::Untrusted;
use crate::text::wrap::{wrap, wrap_text};

/// How long the session may take to close after SIGTERM or SIGHUP, when no second signal may come.
const PATIENCE: Duration = Duration::from_secs(10);
/// After Ctrl-C, how long the terminal may take to show the waiting text.
const GRACE: Duration = Duration::from_millis(250);
/// Up to the prompt's line, which is cleared.
const BARE: &[u8] = b"[A[K";
/// How often the waiting text is shown while the session closes and no editor runs.
const PACE: Duration = Duration::from_millis(10);

/// The prompt's options.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether to use colours.
    pub color: bool,
    /// Reads the field of `/header`.
    pub header: fn(&str) -> Result<Header>,
    /// Reads the words of `/connect`, where they are options or a profile.
    pub connect: fn(Vec<String>) -> Result<FreshStart>,
    /// Explains the words of `/explain`; its text is safe to show.
    pub explain: fn(&[String]) -> Result<String>,
    /// The profile's macros.
    pub macros: Macros,
    /// The largest file that `/file` sends.
    pub max_message: u64,
}

/// The session's ends of the channels to the prompt.
pub struct SessionSide {
    /// The commands typed at the prompt.
    pub commands: Commands,
    /// Wakes the session's loop for commands, and when the screen has caught up.
    pub wake: Wake,
    /// Where the session's views write.
    pub screen: Box<dyn Screen>,
}

/// Runs a session with a prompt: `start` on a thread of its own, the editor on this one. Returns
/// when the session has ended, or at once on the second Ctrl-C, with the session's text shown and
/// the terminal restored.
///
/// The prompt handles SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGCONT; `start` must leave them alone.
///
/// # Errors
/// The terminal can't be used (see [`is_usable`]), or a thread or pipe can't be created.
pub fn run<F>(options: Options, start: F) -> Result<Exit>
where
    F: FnOnce(SessionSide) -> Exit + Send + 'static,
{
    let (waker, wake) = Wake::pair().map_err(|error| unusable(&error))?;
    let (sender, commands) = command::channel(waker.clone());
    let control = Arc::new(Control::default());
    let editor = control.clone();
    let terminal =
        Terminal::save(move || editor.end_over(Exit::Bug)).map_err(|error| unusable(&error))?;
    let queue = Arc::new(TextQueue::new(waker, options.color));
    let signals = SignalThread::start(control.clone(), {
        let modes = terminal.modes().clone();
        move || modes.put_back()
    })
    .map_err(|error| unusable(&error))?;
    let mut editor = Editor::new(control.clone(), queue.clone())?;
    let printer = start_printer(&mut editor, &queue, &control)?;
    let history = recall(&mut editor, &queue);
    let commands_out = pass_on(sender).map_err(|error| unusable(&error))?;
    let side = SessionSide { commands, wake, screen: Box::new(QueueScreen(queue.clone())) };
    let session = start_session(side, start, &control).map_err(|error| unusable(&error))?;

    let commands = commands_out;
    let rescue = Rescue {
        control: control.clone(),
        queue: queue.clone(),
        commands: commands.clone(),
        modes: terminal.modes().clone(),
    };
    rescue.start().map_err(|error| unusable(&error))?;
    let mut conversation =
        Conversation { options, terminal, editor, control, queue, commands, history };
    conversation.terminal.modes().hold_keys();
    let hurry = conversation.talk(&signals);
    conversation.terminal.modes().put_back();
    let bare = conversation.editor.has_left_bare_prompt();
    let Conversation { terminal: _terminal, editor, control, queue, commands, .. } = conversation;
    stop_printer(editor, printer, &queue, &control);
    Ok(leave(session, &commands, &queue, &control, Leaving { hurry, bare }))
}

/// Parses a typed line into the session's command; `None` for an empty line and for a command that
/// the prompt handles itself.
///
/// # Errors
/// Exit 2: the line is not valid; the hint is the command's usage.
pub fn command(line: &str) -> Result<Option<Command>> {
    Ok(match commands::parse(line)? {
        Parsed::Command(command) => Some(command),
        Parsed::Local(_) | Parsed::Nothing => None,
    })
}

fn unusable(error: &io::Error) -> Error {
    let what = format!("no prompt: {}", Untrusted::text(&error.to_string()));
    Error::new(Stage::Input, Exit::Local, what)
}

type PrinterThread = JoinHandle<Option<Vec<u8>>>;

fn start_printer(
    editor: &mut Editor,
    queue: &Arc<TextQueue>,
    control: &Arc<Control>,
) -> Result<PrinterThread> {
    let printer =
        Printer { editor: editor.printer()?, queue: queue.clone(), control: control.clone() };
    let thread = thread::Builder::new().name("printer".to_owned());
    thread.spawn(move || printer.run()).map_err(|error| unusable(&error))
}

/// Opens the history. The prompt works without it.
fn recall(editor: &mut Editor, queue: &TextQueue) -> Option<History> {
    match History::open() {
        Ok((history, entries)) => {
            entries.iter().for_each(|entry| editor.remember(entry));
            Some(history)
        }
        // Services set a home like /dev/null to keep nothing.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => None,
        Err(error) => {
            let why = error.to_string();
            let note = format!("* the history is not kept: {}\n", Untrusted::text(&why));
            queue.push(note.as_bytes());
            None
        }
    }
}

/// Forwards commands on a thread of their own, which may wait for a busy session. The editor must
/// not wait: nothing would be shown, the session would stop reading, and the peer might stop, too.
fn pass_on(sender: CommandSender) -> io::Result<Sender<Command>> {
    let (commands_out, commands_in) = mpsc::channel();
    thread::Builder::new().name("commands".to_owned()).spawn(move || {
        for command in commands_in {
            if !sender.send(command) {
                break;
            }
        }
    })?;
    Ok(commands_out)
}

fn start_session<F>(
    side: SessionSide,
    start: F,
    control: &Arc<Control>,
) -> io::Result<JoinHandle<Exit>>
where
    F: FnOnce(SessionSide) -> Exit + Send + 'static,
{
    let control = control.clone();
    thread::Builder::new().name("session".to_owned()).spawn(move || {
        let exit = start(side);
        control.end_over(exit);
        exit
    })
}

/// Ends the printer and puts the piece that it could not show back at the front.
fn stop_printer(editor: Editor, printer: PrinterThread, queue: &TextQueue, control: &Control) {
    queue.close();
    control.end_printer();
    // Frees the printer if it waits for the editor.
    drop(editor);
    if let Ok(Some(piece)) = printer.join() {
        queue.put_back(piece);
    }
}

/// How the conversation was left.
struct Leaving {
    /// The terminal has [`GRACE`] for the waiting text; otherwise until the session ends or another
    /// signal comes.
    hurry: bool,
    /// An empty prompt is above the cursor, and removed.
    bare: bool,
}

/// Asks the session to end, shows its last text, and returns the exit code.
fn leave(
    session: JoinHandle<Exit>,
    commands: &Sender<Command>,
    queue: &TextQueue,
    control: &Control,
    Leaving { hurry, bare }: Leaving,
) -> Exit {
    let mut terminal = FdSink::stdout();
    // The line above the cursor may be the report of a panic.
    if bare && !control.has_panicked() {
        // If the terminal is gone, nothing can be removed.
        let _ = terminal.write_all(BARE);
    }
    let _ = commands.send(Command::Quit);
    let terminations = control.terminations();
    let began = Instant::now();
    let late = || hurry && began.elapsed() > GRACE;
    let impatient =
        || terminations > 0 && began.elapsed() > PATIENCE || control.terminations() > terminations;
    let mut exit = loop {
        match late() {
            true => queue.abandon(),
            false => queue.show(&mut terminal, false),
        }
        if control.ending() == Some(Ending::Over) {
            break session.join().unwrap_or(Exit::Bug);
        }
        if control.interrupted() {
            break Exit::Interrupted;
        }
        if impatient() {
            break Exit::Terminated;
        }
        match terminal.pending() {
            0 => control.wait(PACE),
            _ => push_for(&mut terminal, PACE),
        }
    };
    if exit != Exit::Interrupted {
        queue.show(&mut terminal, true);
        while terminal.pending() > 0 && !late() && !impatient() {
            if control.interrupted() {
                exit = Exit::Interrupted;
                break;
            }
            push_for(&mut terminal, PACE);
            queue.show(&mut terminal, true);
        }
    }
    queue.tell_unshown(&mut terminal);
    let unterminated = control.terminations() == 0 || exit == Exit::Bug;
    if unterminated { exit } else { Exit::Terminated }
}

/// The user's side of the conversation.
struct Conversation {
    options: Options,
    terminal: Terminal,
    editor: Editor,
    control: Arc<Control>,
    queue: Arc<TextQueue>,
    commands: Sender<Command>,
    history: Option<History>,
}

impl Conversation {
    /// Reads and runs lines until it is time to leave; true if Ctrl-C was the reason.
    fn talk(&mut self, signals: &SignalThread) -> bool {
        loop {
            let mut hurry = false;
            let go_on = match self.editor.read() {
                Input::Cancel { empty } => {
                    hurry = true;
                    !empty || self.give_up()
                }
                Input::Ended => self.ended(),
                Input::Eof => false,
                Input::Line(line) => self.line(&line),
                Input::Suspend => {
                    self.stopped(|| signals.stop_job());
                    true
                }
                Input::TooLong => {
                    let what = "that is too long for the editor";
                    let error = Error::new(Stage::Input, Exit::Usage, what);
                    self.complain(&error.hint("/file sends a file as one message"));
                    true
                }
            };
            if !go_on {
                return hurry;
            }
        }
    }

    /// Makes the session stop reconnecting. False if it wasn't.
    fn give_up(&self) -> bool {
        let waiting = self.queue.take_waiting();
        if waiting {
            self.send(Command::GiveUp);
        }
        waiting
    }

    fn ended(&self) -> bool {
        match self.control.ending() {
            Some(Ending::Continued) => true,
            Some(Ending::Suspend) => {
                self.stopped(signals::stop);
                true
            }
            _ => false,
        }
    }

    fn stopped(&self, stop: impl FnOnce()) {
        self.without_keys(stop);
        self.control.resumed();
    }

    /// Runs `others` with the terminal's original modes.
    fn without_keys<T>(&self, others: impl FnOnce() -> T) -> T {
        self.terminal.modes().put_back();
        let outcome = others();
        self.terminal.modes().hold_keys();
        outcome
    }

    /// Runs a line. False to leave.
    fn line(&mut self, line: &str) -> bool {
        // Text copied with the mouse often ends with an unintended newline.
        let line = line.strip_suffix('\n').unwrap_or(line);
        self.remember(line);
        let parsed = match self.options.macros.lines(line) {
            None => commands::parse(line).map(|parsed| vec![parsed]),
            Some(lines) => lines.and_then(|lines| self.stand_in(&lines)),
        };
        match parsed {
            Ok(parsed) => parsed.into_iter().all(|parsed| self.run(parsed)),
            Err(error) => {
                self.complain(&error);
                true
            }
        }
    }

    /// Parses the lines of a macro, all or none, and shows them as if they were typed.
    fn stand_in(&self, lines: &[String]) -> Result<Vec<Parsed>> {
        let parsed = lines.iter().map(|line| commands::parse(line)).collect::<Result<_>>()?;
        for line in lines {
            self.say(&format!("> {}", Untrusted::text(line)));
        }
        Ok(parsed)
    }

    /// Does what a line says. False to leave.
    fn run(&self, parsed: Parsed) -> bool {
        match parsed {
            Parsed::Command(command) => self.send(command),
            Parsed::Local(Local::Quit) => return false,
            Parsed::Local(local) => self.local(local),
            Parsed::Nothing => {}
        }
        true
    }

    fn remember(&mut self, line: &str) {
        self.editor.remember(line);
        // A full disk must not disturb the conversation.
        let _ = self.history.as_mut().map(|history| history.keep(line));
    }

    fn local(&self, local: Local) {
        let outcome = match local {
            Local::Edit => {
                self.control.lend(true);
                let edited = self.without_keys(local::edit);
                self.control.lend(false);
                edited
            }
            Local::Connect(words) if words.iter().any(|word| word == "-h" || word == "--help") => {
                self.say(&local::help(commands::find("connect")));
                Ok(None)
            }
            Local::Connect(words) => match (self.options.connect)(words) {
                Ok(fresh_start) => {
                    Ok(Some(Command::Connect(Destination::FreshStart(Box::new(fresh_start)))))
                }
                Err(e) => Err(Error { what: format!("/connect: {}", e.what), ..e }),
            },
            Local::Explain(words) => (self.options.explain)(&words).map(|text| {
                self.say(&text);
                None
            }),
            Local::File { path, opcode } => {
                local::file(&path, opcode, self.options.max_message).map(Some)
            }
            Local::Header(typed) => match (self.options.header)(&typed) {
                Ok(header) => Ok(Some(Command::Header(header))),
                Err(e) => {
                    Err(Error { what: format!("/header: {}", e.what), hints: Vec::new(), ..e })
                }
            },
            Local::Help(about) => {
                let macros = about.is_none().then(|| self.options.macros.help());
                self.say(&(local::help(about) + &macros.unwrap_or_default()));
                Ok(None)
            }
            Local::Quit => Ok(Some(Command::Quit)),
        };
        match outcome {
            Ok(command) => command.into_iter().for_each(|command| self.send(command)),
            Err(error) => self.complain(&error),
        }
    }

    /// Sends a command. If the session has ended, the editor's next read notices.
    fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    fn say(&self, text: &str) {
        let text = wrap_text(text, columns());
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        self.queue.push(format!("{text}{newline}").as_bytes());
    }

    /// Shows an error in one line, with its causes and hints.
    fn complain(&self, error: &Error) {
        let mut line = error.what.clone();
        for more in &error.causes {
            let _ = write!(line, "; {more}");
        }
        for more in &error.hints {
            let _ = write!(line, "; {}", more.text());
        }
        let line = wrap(&line, columns(), 2, 2);
        let (red, plain) = if self.queue.has_color() { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
        self.queue.push(format!("{red}!{plain} {line}\n").as_bytes());
    }
}
