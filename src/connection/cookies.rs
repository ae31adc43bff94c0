//! `--cookie-jar`: cookies kept in a file between runs.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Exit, Result, Stage};
use crate::http::cookie::{CookieOrigin, Jar};
use crate::http::head::{Response, values};
use crate::sys::{Blocking, Role};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::Target;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// A jar and its file.
#[derive(Clone, Debug)]
pub struct CookieFile {
    jar: Jar,
    path: PathBuf,
}

impl CookieFile {
    /// Reads the file; a missing file is created when there is a cookie to store.
    ///
    /// # Errors
    /// Exit 13 if it can't be read or is larger than 16 MiB.
    pub fn open(path: &Path) -> Result<CookieFile> {
        let jar = match read(path) {
            Ok(text) => Jar::read(&text),
            Err(e) if e.kind() == ErrorKind::NotFound => Jar::default(),
            Err(e) => {
                let shown = Untrusted::text(&path.to_string_lossy()).to_string();
                let what = format!("can't read the cookies in {shown}: {}", reason(&e));
                return Err(Error::new(Stage::Input, Exit::Local, what));
            }
        };
        Ok(CookieFile { jar, path: path.to_owned() })
    }

    /// A note about lines of the file that are no cookies.
    pub fn note(&self) -> Option<String> {
        let path = self.path.to_string_lossy();
        let path = Untrusted::text(&path);
        match self.jar.unreadable() {
            0 => None,
            1 => Some(format!("a line of {path} is no cookie; it is left as it is")),
            lines => Some(format!("{lines} lines of {path} are no cookies; they are left")),
        }
    }

    /// The value of the Cookie field for a request, without the names in `taken`.
    pub fn field(&self, target: &Target, taken: &[&[u8]], now: i64) -> Option<Vec<u8>> {
        let host = target.host.to_string();
        self.jar.field(&origin(target, &host), taken, now)
    }

    /// How many cookies for this target have expired.
    pub fn expired(&self, target: &Target, now: i64) -> usize {
        self.jar.expired(&origin(target, &target.host.to_string()), now)
    }

    /// Stores the cookies of a response and writes the file if that changed anything. Returns a
    /// line for each rejected cookie, and why the file couldn't be written.
    pub fn take(
        &mut self,
        response: &Response,
        target: &Target,
        now: i64,
    ) -> (Vec<String>, Option<String>) {
        let host = target.host.to_string();
        let origin = origin(target, &host);
        let (mut refused, mut changed) = (Vec::new(), false);
        for field in values(&response.headers, "set-cookie") {
            match self.jar.set(field, &origin, now) {
                Ok(different) => changed |= different,
                Err(why) => {
                    let name = field.split(|b| matches!(b, b'=' | b';')).next().unwrap_or_default();
                    let name: Vec<u8> = name.iter().copied().take(80).collect();
                    refused.push(format!("the cookie {} is not kept: {why}", Untrusted(&name)));
                }
            }
        }
        let written = if changed { self.write(now) } else { Ok(()) };
        let failed = written.err().map(|e| {
            let path = self.path.to_string_lossy();
            format!("the cookies can't be written to {}: {}", Untrusted::text(&path), reason(&e))
        });
        (refused, failed)
    }

    /// Replaces the file with a new one that only its owner can read.
    fn write(&self, now: i64) -> io::Result<()> {
        // If the file is a link, the link stays.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let fresh = path.with_file_name(name);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&fresh)?;
        let mut file = Blocking(Role::File, file);
        let outcome = file.write_all(&self.jar.write(now)).and_then(|()| fs::rename(&fresh, &path));
        if outcome.is_err() {
            let _ = fs::remove_file(&fresh);
        }
        outcome
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut text = Vec::new();
    Blocking(Role::File, file).take(MAX_FILE + 1).read_to_end(&mut text)?;
    match text.len() as u64 > MAX_FILE {
        true => Err(io::Error::other("it is larger than 16 MiB")),
        false => Ok(text),
    }
}

fn origin<'a>(target: &'a Target, host: &'a str) -> CookieOrigin<'a> {
    CookieOrigin {
        host,
        is_address: !matches!(target.host, url::Host::Domain(_)),
        target: &target.path,
        secure: target.secure,
    }
}
