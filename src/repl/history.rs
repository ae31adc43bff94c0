//! The history file: keeps typed lines from one run to the next.
//!
//! One entry a line, newlines and backslashes escaped. It is read as bytes and cleaned, because
//! recalled lines go to the terminal. It is opened for appending, so that two runs can share it.

use std::borrow::Cow;
use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::redact;
use crate::sys::{Blocking, Role};

/// The most entries to keep.
pub(super) const ENTRIES: usize = 1000;
/// A longer line is a payload, not something to recall.
const MAX_ENTRY: usize = 16 << 10;
/// How many bytes are read, from the file's end.
const MAX_READ: u64 = 4 << 20;
/// A line that contains one of these, in any case, may hold a secret.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "bearer ",
    "access_key",
    "private_key",
    "credential",
    "session_id",
];

/// The file, open for appending.
#[derive(Debug)]
pub(super) struct History(File);

impl History {
    /// Opens (or makes) the file, readable for its owner alone, and gives the entries in it, the
    /// oldest first.
    ///
    /// # Errors
    /// There is no folder for it, or it can't be opened.
    pub(super) fn open() -> io::Result<(History, Vec<String>)> {
        History::open_at(&path()?)
    }

    fn open_at(path: &Path) -> io::Result<(History, Vec<String>)> {
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
        let is_file = file.metadata()?.is_file();
        if !is_file {
            return Err(io::Error::other("not a regular file"));
        }
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        let (entries, surplus) = read(&mut file)?;
        if surplus {
            file = rewrite(path, &entries)?;
        }
        Ok((History(file), entries))
    }

    /// Keeps a line, unless it must not be written down. One write, so that runs don't mix their
    /// lines.
    pub(super) fn keep(&mut self, line: &str) -> io::Result<()> {
        match is_kept(line) {
            true => Blocking(Role::File, &self.0).write_all(encode(line).as_bytes()),
            false => Ok(()),
        }
    }
}

/// `$XDG_STATE_HOME/wstap/history`; the specification ignores relative paths.
fn path() -> io::Result<PathBuf> {
    let given = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::home_dir().filter(|home| home.is_absolute());
    let state = given.or_else(|| Some(home()?.join(".local/state")));
    let state = state.ok_or_else(|| io::Error::other("neither XDG_STATE_HOME nor HOME is set"))?;
    Ok(state.join("wstap/history"))
}

/// The last entries, and whether the file holds more than twice as many.
fn read(file: &mut File) -> io::Result<(Vec<String>, bool)> {
    let size = file.metadata()?.len();
    let skipped = size.saturating_sub(MAX_READ);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    Blocking(Role::File, &*file).take(MAX_READ).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // Where the beginning was skipped, the first line is only a part of one.
    let all: Vec<_> = text.lines().skip(usize::from(skipped > 0)).map(decode).collect();
    let entries = all.iter().filter(|entry| !entry.is_empty()).cloned();
    let first = all.len().saturating_sub(ENTRIES);
    Ok((entries.skip(first).collect(), skipped > 0 || all.len() > 2 * ENTRIES))
}

/// Replaces the file with one that holds these entries.
fn rewrite(path: &Path, entries: &[String]) -> io::Result<File> {
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    let file = options.append(true).create_new(true).mode(0o600).open(&fresh)?;
    let text: String = entries.iter().map(|entry| encode(entry)).collect();
    Blocking(Role::File, &file).write_all(text.as_bytes())?;
    fs::rename(&fresh, path)?;
    Ok(file)
}

fn encode(line: &str) -> String {
    format!("{}\n", line.replace('\\', r"\\").replace('\n', r"\n"))
}

/// Decodes a line; control characters, which would reach the terminal, are dropped.
fn decode(line: &str) -> String {
    let mut entry = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => entry.push('\n'),
                Some('\\') | None => entry.push('\\'),
                Some(other) => entry.extend(['\\', other]),
            },
            '\t' => entry.push(c),
            c if c.is_control() => {}
            c => entry.push(c),
        }
    }
    entry
}

/// Whether a line may be written down.
fn is_kept(line: &str) -> bool {
    if line.is_empty() || line.starts_with(char::is_whitespace) || line.len() > MAX_ENTRY {
        return false;
    }
    let lower = line.to_lowercase();
    if SECRETS.iter().any(|secret| lower.contains(secret)) {
        return false;
    }
    let is_safe = |shown: Cow<'_, str>| matches!(shown, Cow::Borrowed(_));
    let arguments_are_safe = match line.split_once(' ') {
        Some(("/connect", words)) => {
            words.split_whitespace().all(|word| is_safe(redact::url(word)) && !hands_over(word))
        }
        Some(("/header", field)) => redact::typed_header(field) == field,
        _ => true,
    };
    arguments_are_safe && is_safe(redact::text(line))
}

/// Whether a word of `/connect` hands a secret over, or the next one does: `X-Auth:`, `-u`.
fn hands_over(word: &str) -> bool {
    let header = word.trim_start_matches(['\'', '"']).split_once(':');
    header.is_some_and(|(name, _)| redact::is_secret_header(name.as_bytes()))
        || ["-u", "--user", "--cookie", "--pass", "--proxy-user", "-s", "--subprotocol"]
            .into_iter()
            .any(|option| word.split('=').next() == Some(option))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let place = env::temp_dir().join(format!("wstap-history-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        place
    }

    #[test]
    fn entries_come_back_also_those_of_many_lines() {
        let place = place("back");
        let path = place.join("a/history");
        let entries = ["plain", "two\nlines", r"back\slash \n", "ümläut", "\ttab"];
        let (mut history, before) = History::open_at(&path).unwrap();
        assert!(before.is_empty());
        entries[..4].iter().for_each(|entry| history.keep(entry).unwrap());
        assert_eq!(History::open_at(&path).unwrap().1, entries[..4]);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn only_the_owner_can_read_it() {
        let place = place("mode");
        let path = place.join("state/history");
        History::open_at(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        History::open_at(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_corrupt_file_is_read_as_far_as_it_makes_sense() {
        let place = place("corrupt");
        fs::create_dir_all(&place).unwrap();
        let path = place.join("history");
        fs::write(&path, b"ok\n\xff\xfe\n\n\x1b]52;c;x\x07 \xc2\x9b2J\nend\\").unwrap();
        let entries = History::open_at(&path).unwrap().1;
        assert_eq!(entries, ["ok", "\u{fffd}\u{fffd}", "]52;c;x 2J", "end\\"]);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_file_that_has_grown_is_cut() {
        let place = place("cut");
        fs::create_dir_all(&place).unwrap();
        let path = place.join("history");
        let many: String = (0..3 * ENTRIES).map(|n| format!("line {n}\n")).collect();
        fs::write(&path, many).unwrap();
        let (mut history, entries) = History::open_at(&path).unwrap();
        assert_eq!((entries.len(), entries[0].as_str()), (ENTRIES, "line 2000"));
        history.keep("new").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), ENTRIES + 1);
        assert!(text.ends_with("new\n"));
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn secrets_and_lines_with_a_leading_space_are_not_written_down() {
        for kept in [
            "hello",
            "/connect wss://host/path",
            "/connect host/a@b",
            "/header X-Room: 1",
            "/close 4000 key",
        ] {
            assert!(is_kept(kept), "{kept}");
        }
        for secret in [
            "",
            " hello",
            "/connect wss://me:pw@host",
            "/connect me@host/x",
            "/connect wss://host/?api_KEY=1",
            "/connect wss://host/?key=1",
            "/connect -k wss://host/?ticket=1",
            "/connect -H X-Auth:abc wss://host",
            "/connect -H 'X-Session-Id: abc' wss://host",
            "/connect wss://host -s bearer,abc",
            "/header X-Auth: abc",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2ln",
            "{\"type\":\"auth\",\"Token\":\"abc\"}",
            "Authorization: Basic x",
        ] {
            assert!(!is_kept(secret), "{secret}");
        }
        assert!(!is_kept(&"x".repeat(MAX_ENTRY + 1)));
    }
}
