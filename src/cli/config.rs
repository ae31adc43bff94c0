//! The configuration file: `[defaults]` and named profiles, whose keys are the long options.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches, ValueHint};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cli::args::Cli;
use crate::cli::layers::{LayerOption, MacroLines, option};
use crate::cli::settings::plan;
use crate::cli::usage::{similar, usage};
use crate::error::{Error, Exit, Result, Stage};
use crate::redact;
use crate::sys::{Blocking, Role};
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::Target;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// Options that the file can't set.
const TYPED_ONLY: [&str; 5] = ["config", "connect", "help", "no-config", "version"];
/// Options whose value can be `@FILE`.
const FROM_FILES: [&str; 8] =
    ["bearer", "cookie", "header", "pass", "proxy", "proxy-user", "send", "user"];
/// Stands in for a URL when an option is parsed alone.
const SOME_URL: &str = "ws://localhost";

/// The parsed configuration file.
#[derive(Debug, Default)]
pub struct ConfigFile {
    /// Its path.
    pub path: PathBuf,
    /// Options for every connection.
    pub defaults: Vec<LayerOption>,
    /// Profiles by name.
    pub profiles: BTreeMap<String, Profile>,
    /// It holds secrets, and users other than its owner may read it.
    pub exposed: bool,
}

/// `[profile.NAME]`.
#[derive(Debug, Default)]
pub struct Profile {
    /// The URL to connect to.
    pub url: String,
    /// Its options.
    pub options: Vec<LayerOption>,
    /// The lines of its macros for the prompt, by name.
    pub macros: MacroLines,
}

impl ConfigFile {
    /// The profile of that name.
    ///
    /// # Errors
    /// Exit 2, with a list of the known profiles.
    pub fn profile(&self, name: &str) -> Result<&Profile> {
        self.profiles.get(name).ok_or_else(|| {
            let (shown, path) = (Untrusted::text(name), shown(&self.path));
            let error = Error::usage(format!("there is no profile \"{shown}\" in {path}"));
            if self.profiles.is_empty() {
                return error.hint("a profile begins with [profile.NAME], then url = \"wss://…\"");
            }
            let known = self.profiles.keys().map(|name| Untrusted::text(name).to_string());
            error.hint(format!("profiles: {}", known.collect::<Vec<_>>().join(", ")))
        })
    }
}

/// `$XDG_CONFIG_HOME/wstap/config.toml`, by default in `~/.config`. As the specification demands,
/// relative paths are ignored: nothing is read because it lies in the current folder.
pub fn usual_path() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let given = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(absolute);
    let usual = || std::env::home_dir().filter(absolute).map(|home| home.join(".config"));
    Some(given.or_else(usual)?.join("wstap/config.toml"))
}

/// Whether a folder above the file can't be searched, so that the file's existence is unknown.
pub fn is_locked(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied)
}

/// Reads a file; `None` if it doesn't exist, also because its parent is not a folder.
///
/// # Errors
/// Exit 13 if it can't be read; exit 2 for an error in it, with path and line.
pub fn load(path: &Path) -> Result<Option<ConfigFile>> {
    let failed = |e: &io::Error| {
        let what = format!("can't read {}: {}", shown(path), reason(e));
        Error::new(Stage::Input, Exit::Local, what)
    };
    let file = match File::open(path) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        opened => opened.map_err(|e| failed(&e))?,
    };
    let mode = file.metadata().map_err(|e| failed(&e))?.permissions().mode();
    let mut text = String::new();
    Blocking(Role::File, file)
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|e| failed(&e))?;
    if text.len() as u64 > LONGEST {
        let what = format!("{} is longer than {} MiB", shown(path), LONGEST >> 20);
        return Err(Error::usage(what));
    }
    let mut config = read(path, &text)?;
    let profiles = config.profiles.values();
    let mut options = profiles.clone().flat_map(|p| &p.options).chain(&config.defaults);
    let secret = options.any(is_secret) || profiles.clone().any(|p| redact::url(&p.url) != p.url);
    config.exposed = secret && mode & 0o077 != 0;
    Ok(Some(config))
}

/// Parses the text of the file at `path`.
fn read(path: &Path, text: &str) -> Result<ConfigFile> {
    let reader = Reader::new(path, text);
    let root = DeTable::parse(text).map_err(|e| {
        let what = e.message().lines().collect::<Vec<_>>().join(" ");
        reader.error(e.span().unwrap_or_default(), &Untrusted::text(&what).to_string())
    })?;
    let mut config = ConfigFile { path: path.to_owned(), ..ConfigFile::default() };
    for (key, value) in root.get_ref() {
        let table = value.get_ref().as_table();
        match (&**key.get_ref(), table) {
            ("defaults", Some(table)) => {
                let Section { url, options, macros } = reader.section("[defaults]", table)?;
                if let Some((_, at)) = macros {
                    return Err(reader.error(at, "macros: they belong to a profile"));
                }
                if let Some((_, at)) = url {
                    let what = "url: it belongs to a profile, not to the defaults";
                    return Err(reader.error(at, what));
                }
                config.defaults = options;
            }
            ("profile", Some(table)) => {
                for (name, value) in table {
                    let profile = reader.profile(name, value)?;
                    config.profiles.insert(name.get_ref().to_string(), profile);
                }
            }
            (name, _) => {
                let shown = Untrusted::text(name);
                let what = format!("{shown}: only [defaults] and [profile.NAME] can be here");
                let error = reader.error(key.span(), &what);
                let known = option(&reader.command, name).is_some() || name == "url";
                let hint = format!("{shown} belongs below one of them");
                return Err(if known { error.hint(hint) } else { error });
            }
        }
    }
    Ok(config)
}

/// Parses one file.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    /// The command that defines all options.
    command: Command,
}

/// The contents of a table.
struct Section {
    /// Its URL and the position of it.
    url: Option<(String, Range<usize>)>,
    options: Vec<LayerOption>,
    /// The macros and their position.
    macros: Option<(MacroLines, Range<usize>)>,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, text: &'a str) -> Reader<'a> {
        let mut command = Cli::command();
        command.build();
        Reader { path, text, command }
    }

    fn profile(
        &self,
        name: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Profile> {
        let shown = Untrusted::text(name.get_ref());
        let Some(table) = value.get_ref().as_table() else {
            let what = format!("profile.{shown}: a profile is a table: [profile.{shown}]");
            return Err(self.error(name.span(), &what));
        };
        let Section { url, options, macros } =
            self.section(&format!("[profile.{shown}]"), table)?;
        let Some((url, at)) = url else {
            let what = format!("[profile.{shown}]: url is missing");
            return Err(self.error(name.span(), &what));
        };
        Target::parse(&url).map_err(|e| self.refused(at, "url", e))?;
        let macros = macros.map(|(macros, _)| macros).unwrap_or_default();
        Ok(Profile { url, options, macros })
    }

    /// Reads the keys of a table.
    fn section(&self, heading: &str, table: &DeTable<'_>) -> Result<Section> {
        let (mut url, mut macros, mut options, mut last) = (None, None, Vec::new(), 0..0);
        for (key, value) in table {
            let (name, at) = (&**key.get_ref(), key.span());
            if name == "url" {
                let text = value.get_ref().as_str();
                let text = text.ok_or_else(|| self.error(at.clone(), "url: it is a string"))?;
                url = Some((text.to_owned(), at));
                continue;
            }
            if name == "macros" {
                macros = Some((self.macros(at.clone(), value.get_ref())?, at));
                continue;
            }
            let layer_option = self.layer_option(name, at.clone(), value.get_ref())?;
            self.check(&layer_option, at.clone())?;
            last = if at.start > last.start { at } else { last };
            options.push(layer_option);
        }
        let together = self.parse(&options);
        match together {
            Err(e) if e.kind() == ErrorKind::ArgumentConflict => {
                Err(self.refused(last, heading, usage(&e)))
            }
            _ => Ok(Section { url, options, macros }),
        }
    }

    /// Reads a profile's macros: each is a line, or a list of lines.
    fn macros(&self, at: Range<usize>, value: &DeValue<'_>) -> Result<MacroLines> {
        let what = "macros: it is a table: [profile.NAME.macros], then name = \"line\"";
        let table = value.as_table().ok_or_else(|| self.error(at, what))?;
        let text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
        let read = |name: &Spanned<toml::de::DeString<'_>>, value: &Spanned<DeValue<'_>>| {
            let lines = match value.get_ref().as_array() {
                Some(lines) => lines.iter().map(text).collect::<Option<_>>(),
                None => text(value).map(|line| vec![line]),
            };
            let shown = Untrusted::text(name.get_ref());
            let what = format!("macros.{shown}: it is a line, or a list of lines, as strings");
            let lines = lines.ok_or_else(|| self.error(name.span(), &what))?;
            Ok((name.get_ref().to_string(), lines))
        };
        table.iter().map(|(name, value)| read(name, value)).collect()
    }

    /// Translates a key and its value into an option.
    fn layer_option(
        &self,
        name: &str,
        at: Range<usize>,
        value: &DeValue<'_>,
    ) -> Result<LayerOption> {
        let known = option(&self.command, name).filter(|_| !TYPED_ONLY.contains(&name));
        let Some(arg) = known else { return Err(self.unknown(name, at, value)) };
        let bad = |why: &str| self.error(at.clone(), &format!("{name}: {why}"));
        let values = match (arg.get_action(), value) {
            (ArgAction::SetTrue | ArgAction::Count, DeValue::Boolean(on)) => {
                vec![None; usize::from(*on)]
            }
            (ArgAction::SetTrue, _) => return Err(bad("it is true or false")),
            (ArgAction::Count, value) => {
                let count = integer(value).and_then(|count| usize::try_from(count).ok());
                let count = count.filter(|count| *count <= 3);
                vec![None; count.ok_or_else(|| bad("it is a number up to 3, or true or false"))?]
            }
            (ArgAction::Append, DeValue::Array(array)) => {
                let all = array.iter().map(|value| self.scalar(arg, value.get_ref()));
                let why = || bad("its values are strings or numbers");
                all.map(|value| value.map(Some).ok_or_else(why)).collect::<Result<_>>()?
            }
            (ArgAction::Append, value) => {
                let why = || bad("it is a string, a number, or a list of them");
                vec![Some(self.scalar(arg, value).ok_or_else(why)?)]
            }
            (_, DeValue::Array(_)) => return Err(bad("it has one value, not a list")),
            (_, value) => {
                vec![Some(
                    self.scalar(arg, value).ok_or_else(|| bad("it is a string or a number"))?,
                )]
            }
        };
        Ok(LayerOption { name: name.to_owned(), values })
    }

    fn scalar(&self, arg: &Arg, value: &DeValue<'_>) -> Option<String> {
        match value {
            DeValue::String(text) => {
                Some(beside(arg, text, self.path.parent().unwrap_or(Path::new(""))))
            }
            DeValue::Float(float) => Some(float.as_str().to_owned()),
            value => integer(value).map(|integer| integer.to_string()),
        }
    }

    /// Parses an option alone, so that an error names its line.
    fn check(&self, layer_option: &LayerOption, at: Range<usize>) -> Result<()> {
        let mut alone = vec![layer_option.clone()];
        if layer_option.name != "proxy" {
            // Errors in the environment's proxy variables aren't the file's.
            alone.push(LayerOption::with("proxy", [String::new()]));
        }
        let cli = match self.parse(&alone) {
            Ok(cli) => cli,
            // One that belongs to it may be typed.
            Err(e) if e.kind() == ErrorKind::MissingRequiredArgument => return Ok(()),
            Err(e) => return Err(self.refused(at, &layer_option.name, usage(&e))),
        };
        let reads =
            |value: &String| FROM_FILES.contains(&&*layer_option.name) && value.starts_with('@');
        if layer_option.values.iter().flatten().any(reads) {
            return Ok(());
        }
        let planned = plan(SOME_URL, cli.connect.reach, Some(cli.connect.talk));
        planned.map(drop).map_err(|e| self.refused(at, &layer_option.name, e))
    }

    fn parse(&self, options: &[LayerOption]) -> std::result::Result<Cli, clap::Error> {
        let args = options.iter().flat_map(LayerOption::args);
        let words = ["wstap".into(), SOME_URL.into()].into_iter().chain(args);
        Cli::from_arg_matches(&self.command.clone().try_get_matches_from(words)?)
    }

    fn unknown(&self, name: &str, at: Range<usize>, value: &DeValue<'_>) -> Error {
        let shown = Untrusted::text(name);
        if let Some((inner, _)) = value.as_table().and_then(|table| table.iter().next()) {
            let inner = Untrusted::text(inner.get_ref());
            let what = format!("{shown}: a key can't have keys of its own");
            return self.error(at, &what).hint(format!(
                "if a dot belongs to the key's name: \"{shown}.{inner}\" = …, with the quotes"
            ));
        }
        let what = format!("{shown}: the keys are the long options of wstap --help, and url");
        let error = self.error(at, &what);
        match similar(&self.command, name) {
            Some(similar) => error.hint(format!("did you mean {}?", similar.replace("--", ""))),
            None => error,
        }
    }

    /// Puts the file's position before an error in a key's value.
    fn refused(&self, at: Range<usize>, name: &str, e: Error) -> Error {
        let place = self.error(at, &format!("{name}: {}", e.what));
        let hints =
            e.hints.into_iter().filter(|hint| !hint.text().contains("wstap --help")).collect();
        Error { what: place.what, hints, stage: Stage::Usage, exit: Exit::Usage, ..e }
    }

    fn error(&self, at: Range<usize>, what: &str) -> Error {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        Error::usage(format!("{}:{line}: {what}", shown(self.path)))
    }
}

/// Resolves a relative path in an option's value against the folder of the file that names it, not the
/// current one.
pub(super) fn beside(arg: &Arg, value: &str, folder: &Path) -> String {
    let name = arg.get_long().unwrap_or_default();
    let (sign, path) = match value.strip_prefix('@') {
        Some(given) if given == "-" || given.starts_with("env:") => return value.to_owned(),
        // Not a file but a text that begins with @.
        Some(path) if name == "send" && path.starts_with('@') => return value.to_owned(),
        Some(path) if FROM_FILES.contains(&name) => ("@", path),
        _ if matches!(arg.get_value_hint(), ValueHint::AnyPath) => ("", value),
        _ => return value.to_owned(),
    };
    let path = match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    };
    // The file is UTF-8, and the folders above it nearly always are.
    format!("{sign}{}", path.to_string_lossy())
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn is_secret(layer_option: &LayerOption) -> bool {
    layer_option.values.iter().flatten().any(|value| match layer_option.name.as_str() {
        _ if value.starts_with('@') => false,
        "bearer" | "cookie" | "proxy-user" | "user" => true,
        "header" | "raw-header" => redact::typed_header(value) != *value,
        "proxy" => redact::url(value) != *value,
        "subprotocol" => redact::protocols(value.as_bytes()) != value.as_bytes(),
        _ => false,
    })
}

/// A path, escaped for display.
pub fn shown(path: &Path) -> String {
    Untrusted::text(&path.to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> ConfigFile {
        read(Path::new("/etc/c.toml"), text).unwrap()
    }

    #[track_caller]
    fn refused(text: &str, place_and_what: &str) {
        let error = read(Path::new("/etc/c.toml"), text).unwrap_err();
        assert!(error.what.starts_with(&format!("/etc/c.toml:{place_and_what}")), "{error}");
        assert!(!error.what.contains('\n') && error.exit == Exit::Usage, "{error}");
    }

    #[test]
    fn keys_are_the_long_options() {
        let found = config(
            "[defaults]\nverbose = 2\npretty = true\nquiet = false\n\
             [profile.a]\nurl = 'ws://h'\nheader = ['A: 1', 'B: 2']\nmax-time = 0x10\n\
             ping-interval = 0.5\n\"tlsv1.3\" = true\nok-close = [4000, 4001]\nsend = ['@@all', '@file']\n",
        );
        let args = |options: &[LayerOption]| -> Vec<_> {
            options
                .iter()
                .flat_map(LayerOption::args)
                .map(|arg| arg.into_string().unwrap())
                .collect()
        };
        assert_eq!(args(&found.defaults), ["--pretty", "--verbose", "--verbose"]);
        let a = found.profile("a").unwrap();
        let wanted = [
            "--header=A: 1",
            "--header=B: 2",
            "--max-time=16",
            "--ok-close=4000",
            "--ok-close=4001",
            "--ping-interval=0.5",
            "--send=@@all",
            "--send=@/etc/file",
            "--tlsv1.3",
        ];
        assert_eq!(
            (a.url.as_str(), args(&a.options)),
            ("ws://h", wanted.map(String::from).to_vec())
        );
    }

    #[test]
    fn paths_are_taken_from_the_file() {
        let found = config(
            "[defaults]\ncacert = ['ca.pem', '/ca.pem']\nbearer = '@token'\ncookie = '@/c'\npass = '@-'\n",
        );
        let values: Vec<_> =
            found.defaults.iter().flat_map(|e| e.values.clone()).flatten().collect();
        assert_eq!(values, ["@/etc/token", "/etc/ca.pem", "/ca.pem", "@/c", "@-"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, what) in [
            ("[defaults", "1: "),
            ("\n\n[defaults]\nquiet = true\nquiet = true\n", "5: duplicate key"),
            ("pretty = true", "1: pretty: only [defaults] and [profile.NAME]"),
            ("[profiles.x]\nurl='ws://h'", "1: profiles: only [defaults] and"),
            ("[defaults]\nurl = 'ws://h'", "2: url: it belongs to a profile"),
            ("[profile]\nx = 1", "2: profile.x: a profile is a table"),
            ("[profile.x]\npretty = true", "1: [profile.x]: url is missing"),
            ("[defaults.macros]\na = 'b'", "1: macros: they belong to a profile"),
            ("[profile.x]\nurl = 'ws://h'\nmacros = 1", "3: macros: it is a table"),
            ("[profile.x]\nurl = 'ws://h'\nmacros.a = [1]", "3: macros.a: it is a line"),
            ("[profile.x]\nurl = 1", "2: url: it is a string"),
            (
                "[profile.x]\nurl = 'ftp://h'",
                "2: url: \"ftp://h\" is not a WebSocket URL: the scheme",
            ),
            ("[defaults]\nprety = true", "2: prety: the keys are the long options"),
            ("[defaults]\n\"\\u001b\" = true", "2: \\x1b: the keys are the long options"),
            ("[defaults]\ntlsv1.2 = true", "2: tlsv1: a key can't have keys"),
            ("[defaults]\nconfig = 'x'", "2: config: the keys are"),
            ("[defaults]\nk = true", "2: k: the keys are"),
            ("[defaults]\npretty = 'yes'", "2: pretty: it is true or false"),
            ("[defaults]\nverbose = 4", "2: verbose: it is a number up to 3"),
            ("[defaults]\nproxy = ['a']", "2: proxy: it has one value, not a list"),
            ("[defaults]\nproxy = 1979-05-27", "2: proxy: it is a string or a number"),
            ("[defaults]\nheader = [true]", "2: header: its values are strings or numbers"),
            ("[defaults]\nmax-time = 'soon'", "2: max-time: invalid value 'soon' for '--max-time"),
            ("[defaults]\ninput = 'xml'", "2: input: invalid value 'xml'"),
            ("[defaults]\nheader = 'A'", "2: header: the header \"A\" has no colon"),
            ("[defaults]\nproxy = 'ftp://h'", "2: proxy: proxy ftp://h: only http"),
            ("[defaults]\nuntil = '('", "2: until: --until is not a regular expression"),
            ("[defaults]\nclose-code = 1005", "2: close-code: --close-code 1005"),
            ("[defaults]\nresolve = 'x'", "2: resolve: --resolve \"x\""),
            (
                "[defaults]\nipv4 = true\n\nipv6 = true",
                "4: [defaults]: the argument '--ipv4' cannot be used with '--ipv6'",
            ),
        ] {
            refused(text, what);
        }
    }

    #[test]
    fn a_misspelt_key_finds_its_neighbour() {
        let error = read(Path::new("c"), "[defaults]\nmax-tme = 3").unwrap_err();
        assert_eq!(error.hints, ["did you mean max-time?".into()]);
    }

    #[test]
    fn secrets_are_recognised() {
        for (text, secret) in [
            ("user = 'a:b'", true),
            ("bearer = '@token'", false),
            ("header = ['X: 1', 'authorization: Basic x']", true),
            ("header = 'X: 1'", false),
            ("proxy = 'http://a:b@h'", true),
            ("proxy = 'http://h'", false),
            ("subprotocol = 'bearer,x'", true),
        ] {
            let found = config(&format!("[defaults]\n{text}\n"));
            assert_eq!(found.defaults.iter().any(is_secret), secret, "{text}");
        }
    }

    /// An option missing from the list would resolve its path against the current folder.
    #[test]
    fn options_that_read_files_are_known() {
        for arg in Cli::command().get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let name = arg.get_long().unwrap_or_default();
            assert!(!help.contains("@FILE") || FROM_FILES.contains(&name), "{name}");
        }
    }
}
