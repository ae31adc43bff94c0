//! A place of its own for each run: the tests read and leave nothing in a person's home.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A fresh directory, removed with the last clone.
#[derive(Clone, Debug)]
pub struct Home(Arc<Directory>);

#[derive(Debug)]
struct Directory(PathBuf);

impl Home {
    /// Makes one.
    pub fn new() -> Home {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary directory");
        Home(Arc::new(Directory(path)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.0
    }

    /// Writes a file into it.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).expect("a file in the temporary directory");
        path
    }

    /// The whole environment of a program that lives here: no proxies, no colours, no locale's
    /// surprises.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let path = self.path();
        let directories = [
            ("HOME", path.to_path_buf()),
            ("XDG_CACHE_HOME", path.join("cache")),
            ("XDG_CONFIG_HOME", path.join("config")),
            ("XDG_DATA_HOME", path.join("data")),
            ("XDG_STATE_HOME", path.join("state")),
        ];
        let plain = [("LANG", "C.UTF-8"), ("TZ", "UTC")];
        let mut all: Vec<_> = directories.map(|(k, v)| (k.into(), v.into())).to_vec();
        all.extend(plain.map(|(k, v)| (k.into(), v.into())));
        all.extend(std::env::var_os("PATH").map(|path| ("PATH".into(), path)));
        all
    }
}

impl Default for Home {
    fn default() -> Home {
        Home::new()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
