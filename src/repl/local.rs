//! Commands that the prompt runs itself: help, files, and messages written in the user's editor.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use super::candidate::expand_home;
use super::commands::{self, SlashCommand};
use crate::error::{Error, Exit, Result, Stage};
use crate::protocol::frame::Opcode;
use crate::run::command::Command;
use crate::sys::{self, Blocking, Role};
use crate::text::Untrusted;
use crate::text::system::reason;

/// The end of `/help`: everything that is not a command.
const KEYS: &str = "\
A line is sent as a text message. After / it is a command; // sends a slash.
Pasted lines stay together: Enter sends them as one message.
  Alt-Enter begins another line of the same message
  Tab         completes commands, arguments, file names; in a text it is a tab
  Right       takes the hint; Up and Ctrl-R recall earlier lines
  Ctrl-C      clears the line; an empty one: closes and leaves; again: at once;
              while the session waits to reconnect: ends the wait
  Ctrl-D      on an empty line is /quit; Ctrl-Z suspends
  Space       a line that begins with one is not kept in the history
";

/// The text of `/help`.
pub(super) fn help(about: Option<&SlashCommand>) -> String {
    let mut text = String::new();
    match about {
        Some(command) => {
            let _ = writeln!(text, "  {}\n    {}", command.usage(), command.help);
            for line in command.more {
                let _ = writeln!(text, "    {line}");
            }
            if !command.aliases.is_empty() {
                let _ = writeln!(text, "    the same: /{}", command.aliases.join(", /"));
            }
        }
        None => {
            text.push_str(KEYS);
            for command in commands::all() {
                let _ = writeln!(text, "  {:<12}{}", format!("/{}", command.name), command.help);
            }
            text.push_str("  /help COMMAND shows what may follow its name.\n");
        }
    }
    text
}

/// Reads a file of at most `limit` bytes as a message.
///
/// # Errors
/// It can't be read, is too large, or is not UTF-8 although sent as text.
pub(super) fn file(path: &Path, opcode: Option<Opcode>, limit: u64) -> Result<Command> {
    let path = path.to_str().map_or_else(|| path.to_owned(), expand_home);
    let shown = Untrusted::text(&path.to_string_lossy()).to_string();
    let fail = |error: io::Error| failed(format!("/file: {shown}: {}", reason(&error)));
    // Opening a pipe would wait for its other end.
    if !fs::metadata(&path).map_err(fail)?.is_file() {
        return Err(failed(format!("/file: {shown} is not a regular file")));
    }
    let file = File::open(&path).map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    let mut payload = Vec::new();
    if size <= limit {
        Blocking(Role::File, file).take(limit + 1).read_to_end(&mut payload).map_err(fail)?;
    }
    let size = size.max(payload.len() as u64);
    if size > limit {
        let what = format!("/file: {shown} has {size} bytes; a message may have {limit} bytes");
        return Err(failed(what));
    }
    message(payload, opcode, &shown)
}

fn message(payload: Vec<u8>, opcode: Option<Opcode>, name: &str) -> Result<Command> {
    let utf8 = std::str::from_utf8(&payload).map_err(|error| error.valid_up_to());
    let opcode = match (opcode, utf8) {
        (Some(Opcode::Text), Err(at)) => {
            let what = format!("/file: {name} is not UTF-8 (byte {at})");
            return Err(failed(what).hint("--binary sends it as a binary message"));
        }
        (Some(opcode), _) => opcode,
        (None, Ok(_)) => Opcode::Text,
        (None, Err(_)) => Opcode::Binary,
    };
    Ok(Command::Message { opcode, payload, fragment: None })
}

/// Opens `$VISUAL` or `$EDITOR` for a message; `None` if it stays empty.
///
/// # Errors
/// No editor is set, or it fails.
pub(super) fn edit() -> Result<Option<Command>> {
    let editor = editor().ok_or_else(|| {
        failed("/edit: neither VISUAL nor EDITOR is set")
            .hint("pasted lines stay together as one message, too")
    })?;
    let draft = Draft::create().map_err(|error| failed(format!("/edit: {}", reason(&error))))?;
    // As git does it: the variable may hold arguments, too.
    let mut script = editor.clone();
    script.push(" \"$1\"");
    let status = Process::new("/bin/sh").arg("-c").arg(script).arg("sh").arg(&draft.0).status();
    let status = status.map_err(|error| failed(format!("/edit: {}", reason(&error))))?;
    if !status.success() {
        let name = editor.to_string_lossy().into_owned();
        let what =
            format!("/edit: {} ended with {status}; nothing is sent", Untrusted::text(&name));
        return Err(failed(what));
    }
    let mut payload =
        sys::read_file(&draft.0).map_err(|error| failed(format!("/edit: {}", reason(&error))))?;
    // Editors end the last line.
    if payload.last() == Some(&b'\n') {
        payload.pop();
    }
    if payload.is_empty() {
        return Ok(None);
    }
    message(payload, Some(Opcode::Text), "the text").map(Some)
}

fn editor() -> Option<OsString> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    set("VISUAL").or_else(|| set("EDITOR"))
}

/// A file that only its owner can read; removed when dropped.
#[derive(Debug)]
struct Draft(PathBuf);

impl Draft {
    fn create() -> io::Result<Draft> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let name = format!("wstap-{:016x}.txt", u64::from_ne_bytes(random));
        let path = env::temp_dir().join(name);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Draft(path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn failed(what: impl Into<String>) -> Error {
    Error::new(Stage::Input, Exit::Local, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(name: &str, bytes: &[u8], check: impl FnOnce(&Path)) {
        let path = env::temp_dir().join(format!("wstap-local-{name}-{}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        check(&path);
        fs::remove_file(path).unwrap();
    }

    fn opcode(command: Result<Command>) -> Opcode {
        match command.unwrap() {
            Command::Message { opcode, .. } => opcode,
            other => panic!("{other:?} is no message"),
        }
    }

    #[test]
    fn a_file_is_text_if_it_can_be() {
        with_file("text", "grüß".as_bytes(), |path| {
            assert_eq!(opcode(file(path, None, 10)), Opcode::Text);
            assert_eq!(opcode(file(path, Some(Opcode::Binary), 10)), Opcode::Binary);
            let error = file(path, None, 5).unwrap_err().to_string();
            assert!(error.contains("has 6 bytes; a message may have 5"), "{error}");
        });
        with_file("binary", b"ab\xff", |path| {
            assert_eq!(opcode(file(path, None, 10)), Opcode::Binary);
            let error = file(path, Some(Opcode::Text), 10).unwrap_err().to_string();
            assert!(error.contains("not UTF-8 (byte 2)"), "{error}");
        });
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let error = |path: &str| file(Path::new(path), None, 10).unwrap_err().to_string();
        assert!(error("/dev/zero").contains("not a regular file"));
        assert!(error("/nowhere/\u{1b}").contains("/nowhere/\\x1b: there is no such file"));
    }

    #[test]
    fn help_names_every_command() {
        let text = help(None);
        assert!(commands::all().all(|command| text.contains(&format!("  /{}", command.name))));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let close = commands::find("close");
        assert!(help(close).contains("/close [--force] [CODE [REASON]]"));
    }
}
