//! Translates a curl command, pasted or copied from a browser, into our options.

mod lead;
mod options;

use clap::Command;

pub use self::lead::begin;
use self::lead::is_assignment;
use self::options::Means;
use crate::cli::layers::{LayerOption, option};
use crate::cli::shell::{self, Word};
use crate::error::{Error, Result};
use crate::redact;
use crate::text::Untrusted;

/// What a curl command asks for.
#[derive(Debug, Default, PartialEq)]
pub struct Pasted {
    /// Its URL.
    pub url: String,
    /// Its options, as ours.
    pub options: Vec<LayerOption>,
    /// What was left out, one line each.
    pub notes: Vec<String>,
}

/// Parses a command pasted as one text.
///
/// # Errors
/// Exit 2: the command can't be parsed, or can't open a WebSocket.
pub fn text(text: &str, ours: &Command) -> Result<Pasted> {
    let Some(begin) = begin(text) else {
        let first = text.split_whitespace().next().unwrap_or_default();
        let first: String = redact::url(first).chars().take(40).collect();
        let first = Untrusted::text(&first);
        let what = format!("it is no curl command: it begins with \"{first}\"");
        return Err(Error::usage(what).hint("in the browser: Copy as cURL"));
    };
    let mut line = shell::split(text, begin).map_err(|why| unreadable(&why))?;
    line.words.remove(0);
    let mut reader = Reader::new(line.words, ours);
    reader.notes = line.notes;
    reader.read()?;
    let assigned = text.get(..begin).unwrap_or_default().lines().last().unwrap_or_default();
    let assigned = assigned.split_whitespace().filter(|word| is_assignment(word));
    let mut rest: Vec<String> = assigned.map(shown_part).collect();
    rest.extend(line.left_out.iter().map(|part| shown_part(part)));
    if !rest.is_empty() {
        reader.notes.push(format!("what is the shell's is left out: {}", rest.join(" ")));
    }
    reader.finish()
}

/// Parses the words after `curl`.
///
/// # Errors
/// As for [`text`].
pub fn words(words: Vec<String>, ours: &Command) -> Result<Pasted> {
    let mut reader = Reader::new(words.into_iter().map(Word::from).collect(), ours);
    reader.read()?;
    reader.finish()
}

/// A command being parsed.
struct Reader<'a> {
    ours: &'a Command,
    words: std::vec::IntoIter<Word>,
    urls: Vec<Url>,
    headers: Vec<String>,
    cookies: Vec<String>,
    protocols: Vec<String>,
    options: Vec<LayerOption>,
    /// Parts of the query, and options with a body or another method, as shown.
    data: Vec<(String, Option<String>)>,
    get: bool,
    /// A field says that a WebSocket is meant.
    upgrades: bool,
    left_out: Vec<String>,
    unknown: Vec<String>,
    notes: Vec<String>,
}

/// What may be the URL.
struct Url {
    word: Word,
    /// It may be the value of an unknown option.
    doubtful: bool,
}

impl<'a> Reader<'a> {
    fn new(words: Vec<Word>, ours: &'a Command) -> Reader<'a> {
        Reader {
            ours,
            words: words.into_iter(),
            urls: Vec::new(),
            headers: Vec::new(),
            cookies: Vec::new(),
            protocols: Vec::new(),
            options: Vec::new(),
            data: Vec::new(),
            get: false,
            upgrades: false,
            left_out: Vec::new(),
            unknown: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn read(&mut self) -> Result<()> {
        let mut only_urls = false;
        // Whether the word before is an option that isn't known, which may have a value.
        let mut doubtful = false;
        while let Some(word) = self.words.next() {
            let unknown = self.unknown.len();
            match (word.text.strip_prefix("--"), word.text.strip_prefix('-')) {
                (Some(""), _) if !only_urls => only_urls = true,
                (Some(long), _) if !only_urls => self.long(long, word.unknown.as_deref())?,
                (None, Some(letters)) if !only_urls && !letters.is_empty() => {
                    self.short(letters, word.unknown.as_deref())?;
                }
                _ => self.urls.push(Url { word, doubtful }),
            }
            doubtful = self.unknown.len() > unknown;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Pasted> {
        let mut url = self.url()?;
        self.bodies(&mut url)?;
        if !self.cookies.is_empty() {
            self.headers.push(format!("Cookie: {}", self.cookies.join("; ")));
        }
        let lists = [("header", self.headers), ("subprotocol", self.protocols)];
        for (name, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            self.options.push(LayerOption::with(name, values));
        }
        let mut notes = Vec::new();
        if let Some(all) = listed(&self.left_out) {
            notes.push(format!("curl's {all} {} left out", are(&self.left_out)));
        }
        if let Some(all) = listed(&self.unknown) {
            let what = if self.unknown.len() == 1 { "is no option" } else { "are no options" };
            notes.push(format!("{all} {what} of curl, and {} left out", are(&self.unknown)));
        }
        notes.append(&mut self.notes);
        Ok(Pasted { url, options: self.options, notes })
    }

    /// The URL among the words that may be one.
    fn url(&mut self) -> Result<String> {
        let is_url = |url: &&Url| url.word.text.contains("://");
        let position =
            |wanted: &dyn Fn(&&Url) -> bool| self.urls.iter().position(|url| wanted(&url));
        let at = position(&|url| is_url(url) && url.word.unknown.is_none())
            .or_else(|| position(&is_url))
            .or_else(|| position(&|url| !url.doubtful && url.word.unknown.is_none()))
            .or_else(|| position(&|_| true));
        let Some(at) = at else {
            return Err(match self.unknown.first() {
                Some(option) => unknown(option),
                None => Error::usage("the curl command has no URL"),
            });
        };
        let Word { text, unknown } = self.urls.remove(at).word;
        if let Some(why) = unknown {
            return Err(unreadable(&why));
        }
        for other in std::mem::take(&mut self.urls) {
            let shown = shown_part(&other.word.text);
            let what = if other.doubtful { "" } else { "only one URL is used: " };
            self.notes.push(format!("{what}{shown} is left out"));
        }
        // Where we would guess, curl takes HTTP without TLS.
        Ok(if text.contains("://") { text } else { format!("http://{text}") })
    }

    /// A body and another method than GET open no WebSocket. What else says that one is meant
    /// counts more.
    fn bodies(&mut self, url: &mut String) -> Result<()> {
        let is_websocket =
            url.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case("ws")) || self.upgrades;
        for (option, data) in std::mem::take(&mut self.data) {
            match data {
                Some(data) if self.get || option == "--url-query" => {
                    let (front, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
                    let sign = if front.contains('?') { '&' } else { '?' };
                    *url = format!("{front}{sign}{data}{fragment}");
                }
                Some(data) if data.is_empty() => self.left_out.push(option),
                _ if is_websocket => self.left_out.push(option),
                _ => return Err(no_websocket(&option)),
            }
        }
        Ok(())
    }

    fn long(&mut self, typed: &str, unknown: Option<&str>) -> Result<()> {
        let (name, value) = match typed.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (typed, None),
        };
        let shown = format!("--{name}");
        let value = value.map(|text| Word { text, unknown: unknown.map(str::to_owned) });
        match (options::long(name), name.strip_prefix("no-").map(options::long)) {
            (Some(means), _) => self.apply(means, &shown, value),
            // A flag that is taken back.
            (None, Some(Some(Means::Flag(name)))) => {
                self.options.retain(|option| option.name != name);
                Ok(())
            }
            (None, Some(Some(Means::Nothing))) => Ok(()),
            (None, Some(Some(_))) => {
                self.leave_out(&shown);
                Ok(())
            }
            (None, _) => {
                self.unknown.push(shown_part(&shown));
                Ok(())
            }
        }
    }

    /// Letters after one dash; a value may follow its letter in the same word.
    fn short(&mut self, letters: &str, unknown: Option<&str>) -> Result<()> {
        for (at, letter) in letters.char_indices() {
            let shown = format!("-{letter}");
            let Some(means) = options::of_letter(letter).and_then(options::long) else {
                self.unknown.push(shown_part(&shown));
                continue;
            };
            let rest = &letters[at + letter.len_utf8()..];
            let takes_value = means.takes_value();
            let value = (takes_value && !rest.is_empty())
                .then(|| Word { text: rest.to_owned(), unknown: unknown.map(str::to_owned) });
            self.apply(means, &shown, value)?;
            if takes_value {
                break;
            }
        }
        Ok(())
    }

    fn apply(&mut self, means: Means, shown: &str, given: Option<Word>) -> Result<()> {
        let Word { text: value, unknown } = match given {
            Some(value) => value,
            None if means.takes_value() => self.words.next().ok_or_else(|| {
                Error::usage(format!("the curl command ends with {shown}, which needs a value"))
            })?,
            None => Word::default(),
        };
        let is_used = match means {
            Means::LeftOutWith => false,
            Means::Header => !is_of_the_handshake(&value),
            _ => true,
        };
        if let Some(why) = unknown.filter(|_| is_used) {
            return Err(unreadable(&why));
        }
        match means {
            Means::Bearer => self.headers.push(format!("Authorization: Bearer {value}")),
            Means::Body | Means::Head => self.data.push((shown.to_owned(), None)),
            Means::Cookie if value.is_empty() => {}
            Means::Cookie if value.contains('=') => self.cookies.push(value),
            Means::Cookie => self.cookie_file(shown, value),
            Means::Data => self.data.push((shown.to_owned(), Some(value))),
            Means::DataEncoded => self.data.push((shown.to_owned(), Some(encoded(&value)))),
            Means::Flag(name) => self.flag(name, shown),
            Means::Get => self.get = true,
            Means::Header => self.header(value),
            Means::Nothing => {}
            Means::LeftOut | Means::LeftOutWith => self.leave_out(shown),
            Means::Method if value.eq_ignore_ascii_case("GET") => {}
            Means::Method => {
                self.data.push((format!("{shown} {}", Untrusted::text(&value)), None));
            }
            Means::Next => {
                self.notes.push(format!("curl's {shown} and what follows it are left out"));
                self.words = Vec::new().into_iter();
            }
            Means::Query => {
                let part = value.strip_prefix('+').map_or_else(|| encoded(&value), str::to_owned);
                self.data.push(("--url-query".to_owned(), Some(part)));
            }
            Means::Referer => self.headers.push(format!("Referer: {value}")),
            Means::Proxy(scheme) => self.one("proxy", format!("{scheme}://{value}")),
            // Curl takes 0 for no limit.
            Means::Time(_) if value == "0" => {}
            Means::Time(name) | Means::Value(name) => self.one(name, value),
            Means::TlsMax if value == "1.2" => self.flag("tlsv1.2", shown),
            Means::TlsMax => {}
            // Standard input is what a session sends.
            Means::Upload if value == "." || value == "-" => {}
            Means::Upload => self.data.push((shown.to_owned(), None)),
            Means::Url => {
                let word = Word::from(value);
                self.urls.push(Url { word, doubtful: false });
            }
            Means::User if value.starts_with('@') => {
                let encoded = data_encoding::BASE64.encode(value.as_bytes());
                self.headers.push(format!("Authorization: Basic {encoded}"));
            }
            Means::User => self.one("user", value),
            Means::UserAgent if value.is_empty() => self.headers.push("User-Agent:".to_owned()),
            Means::UserAgent => self.headers.push(format!("User-Agent: {value}")),
        }
        Ok(())
    }

    fn leave_out(&mut self, shown: &str) {
        if !self.left_out.iter().any(|known| known == shown) {
            self.left_out.push(shown.to_owned());
        }
    }

    /// The last one counts, unless the option can be repeated.
    fn one(&mut self, name: &str, value: String) {
        let repeats = ["cacert", "connect-to", "resolve"].contains(&name);
        match self.options.iter_mut().find(|layer_option| layer_option.name == name) {
            Some(layer_option) if repeats => layer_option.values.push(Some(value)),
            Some(layer_option) => layer_option.values = vec![Some(value)],
            None => self.options.push(LayerOption::with(name, [value])),
        }
    }

    fn flag(&mut self, name: &str, shown: &str) {
        if option(self.ours, name).is_none() {
            self.leave_out(shown);
        } else if self.options.iter().all(|layer_option| layer_option.name != name) {
            self.options.push(LayerOption::flag(name));
        }
    }

    /// Curl only reads it; a jar of ours keeps what the server sets.
    fn cookie_file(&mut self, shown: &str, path: String) {
        let shown_path = Untrusted::text(&path).to_string();
        self.notes.push(format!("cookies that the server sets are kept in {shown_path} ({shown})"));
        self.one("cookie-jar", path);
    }

    /// A header field. Those of the opening handshake are generated again.
    fn header(&mut self, typed: String) {
        let (name, value) = match typed.split_once(':') {
            Some((name, value)) if !typed.starts_with('@') => (name, value.trim()),
            // For curl `Name;` is a field without a value.
            _ => match typed.strip_suffix(';') {
                Some(name) => return self.headers.push(format!("{name}:")),
                None => return self.headers.push(typed),
            },
        };
        match name.to_ascii_lowercase().as_str() {
            "connection" => {}
            "sec-websocket-key" => self.upgrades = true,
            "upgrade" => self.upgrades |= value.eq_ignore_ascii_case("websocket"),
            // HTTP/2's `:authority` and the like.
            "" => self.leave_out("HTTP/2 header"),
            "sec-websocket-version" if value == "13" => {}
            "sec-websocket-extensions" if is_deflate(value) => {
                self.one("deflate", value.to_owned());
            }
            "sec-websocket-extensions" => {
                let shown = Untrusted::text(value);
                self.notes.push(format!("the offer of \"{shown}\" is left out"));
            }
            "sec-websocket-protocol" => {
                let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                self.protocols.extend(names.map(str::to_owned));
            }
            // `Name:` keeps curl from sending its own field; these are the ones we send.
            other if value.is_empty() && !["host", "user-agent"].contains(&other) => {}
            _ => self.headers.push(typed),
        }
    }
}

fn is_deflate(offers: &str) -> bool {
    offers
        .split(',')
        .all(|offer| offer.split(';').next().map(str::trim) == Some("permessage-deflate"))
}

/// Whether a field is one that each opening handshake has again.
fn is_of_the_handshake(field: &str) -> bool {
    let name = field.split(':').next().unwrap_or_default().trim();
    ["connection", "sec-websocket-key", "sec-websocket-version", "upgrade"]
        .iter()
        .any(|own| name.eq_ignore_ascii_case(own))
}

/// `--data-urlencode`: `content`, `=content` and `name=content`; the name is encoded already.
fn encoded(value: &str) -> String {
    let encode = |text: &str| -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    match value.split_once('=') {
        Some(("", content)) => encode(content),
        Some((name, content)) => format!("{name}={}", encode(content)),
        None => encode(value),
    }
}

/// A part of the command as a note shows it.
fn shown_part(part: &str) -> String {
    const MOST: usize = 60;
    // Each word may be a parameter, as in `grep token=…`.
    let words: Vec<_> = part.split_whitespace().map(redact::url).collect();
    let whole = words.join(" ");
    let mut shown: String = whole.chars().take(MOST).collect();
    if whole.chars().count() > MOST {
        shown.push('…');
    }
    Untrusted::text(&shown).to_string()
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[String]) -> Option<String> {
    let (last, first) = items.split_last()?;
    Some(if first.is_empty() { last.clone() } else { format!("{} and {last}", first.join(", ")) })
}

fn are(items: &[String]) -> &'static str {
    if items.len() == 1 { "is" } else { "are" }
}

fn unreadable(why: &str) -> Error {
    Error::usage(format!("the curl command can't be read: {why}"))
        .hint("type wstap and paste the command behind it, or paste it into wstap curl")
}

fn unknown(shown: &str) -> Error {
    Error::usage(format!("curl's {shown} is not understood here"))
        .hint("take it out of the curl command; wstap's own options stand before the word curl")
}

fn no_websocket(shown: &str) -> Error {
    Error::usage(format!(
        "curl's {shown} can't open a WebSocket: that is a GET without a body (RFC 6455 §4.1)"
    ))
    .hint("copy the request whose status is 101")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn pasted(command: &str) -> Pasted {
        text(command, &Cli::command()).unwrap()
    }

    fn args(command: &str) -> Vec<String> {
        let options = pasted(command).options;
        options.iter().flat_map(LayerOption::args).map(|arg| arg.into_string().unwrap()).collect()
    }

    #[test]
    fn options_in_all_their_forms() {
        for (command, wanted) in [
            ("curl -sSk ws://h", &["--insecure"][..]),
            ("curl -kx p:1 ws://h", &["--insecure", "--proxy=p:1"]),
            ("curl ws://h -Hfoo:bar --header 'A: b'", &["--header=foo:bar", "--header=A: b"]),
            ("curl --max-time=3 --connect-timeout 0 --url ws://h", &["--max-time=3"]),
            (
                "curl -A Me -e http://r -- ws://h",
                &["--header=User-Agent: Me", "--header=Referer: http://r"],
            ),
            ("curl -b a=1 ws://h -b 'b=2; c=3'", &["--header=Cookie: a=1; b=2; c=3"]),
            (
                "curl ws://h -u me:pw --oauth2-bearer t",
                &["--user=me:pw", "--header=Authorization: Bearer t"],
            ),
            ("curl ws://h -u @x:y", &["--header=Authorization: Basic QHg6eQ=="]),
            (
                "curl ws://h --resolve a:1:b --resolve c:2:d",
                &["--resolve=a:1:b", "--resolve=c:2:d"],
            ),
            ("curl ws://h/../x --path-as-is", &["--path-as-is"]),
            ("curl ws://h --request-target '*'", &["--request-target=*"]),
            ("curl ws://h --socks5-hostname p:1 -x q", &["--proxy=q"]),
            ("curl ws://h --tlsv1.2 -4 --no-keepalive --compressed -XGET -G -iN", &["--ipv4"]),
            ("curl ws://h --tls-max 1.2 --tlsv1.3 -vv", &["--tlsv1.2", "--tlsv1.3", "--verbose"]),
            (
                "curl ws://h -H 'Accept:' -H 'User-Agent:' -H 'X;'",
                &["--header=User-Agent:", "--header=X:"],
            ),
        ] {
            assert_eq!(args(command), wanted, "{command}");
        }
    }

    #[test]
    fn the_handshake_is_made_afresh() {
        assert_eq!(
            args(
                "curl ws://h -H 'Connection: keep-alive, Upgrade' -H 'Upgrade: websocket' \
                 -H 'Sec-WebSocket-Key: AAAA' -H 'sec-websocket-version: 13' -H 'Sec-WebSocket-Protocol: a , b' \
                 -H 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'"
            ),
            [
                "--deflate=permessage-deflate; client_max_window_bits",
                "--subprotocol=a",
                "--subprotocol=b"
            ]
        );
        assert_eq!(
            args("curl ws://h -H 'Sec-WebSocket-Version: 8'"),
            ["--header=Sec-WebSocket-Version: 8"]
        );
        let other =
            pasted("curl ws://h -H 'Sec-WebSocket-Extensions: x-deflate\u{9b}' -o /dev/null");
        assert_eq!(other.options, []);
        assert_eq!(
            other.notes,
            ["curl's -o is left out", "the offer of \"x-deflate\\u{9b}\" is left out"]
        );
    }

    #[test]
    fn what_opens_no_websocket_is_refused() {
        for (command, why) in [
            ("curl -X POST http://h", "curl's -X POST can't open"),
            ("curl http://h --data-raw '{}'", "curl's --data-raw can't open"),
            ("curl -sId x h", "curl's -I can't open"),
            ("curl ws://h -H", "ends with -H, which needs a value"),
            ("curl -s", "has no URL"),
            ("curl --jso", "curl's --jso is not understood"),
            ("curl ws://h/$ROOM", "can't be read: nothing is expanded"),
            ("curl ws://h -H \"A: $(id)\"", "can't be read: nothing is expanded"),
            ("wget ws://h", "no curl command: it begins with \"wget\""),
            ("echo curl ws://h", "no curl command: it begins with \"echo\""),
            ("", "no curl command"),
            ("curl 'ws://h", "can't be read: the ' at character 6"),
            ("# why\n$ curl 'ws://h", "can't be read: the ' at character 14"),
        ] {
            let error = text(command, &Cli::command()).unwrap_err();
            assert!(error.what.contains(why), "{command}: {error}");
        }
    }

    #[test]
    fn what_has_no_meaning_here_is_left_out_with_a_note() {
        for (command, options, notes) in [
            ("curl -X POST ws://h -d x", &[][..], &["curl's -X POST and -d are left out"][..]),
            (
                "curl -I http://h -H 'Upgrade: websocket' -d ''",
                &[],
                &["curl's -I and -d are left out"],
            ),
            (
                "curl ws://h -o x -w '%{http_code}' --retry-delay 3 --keepalive-time 2 -o y",
                &[],
                &["curl's -o, -w, --retry-delay and --keepalive-time are left out"],
            ),
            (
                "curl --trace-ascii - --trace-time -N ws://h",
                &[],
                &["curl's --trace-ascii is left out"],
            ),
            ("curl -N -T. ws://h", &[], &[]),
            ("curl -T file ws://h", &[], &["curl's -T is left out"]),
            (
                "curl ws://h --frob x -k",
                &["--insecure"],
                &["--frob is no option of curl, and is left out", "x is left out"],
            ),
            ("curl --frob ws://h", &[], &["--frob is no option of curl, and is left out"]),
            (
                "curl --frob -W ws://h",
                &[],
                &["--frob and -W are no options of curl, and are left out"],
            ),
            ("curl ws://h ws://u:p@i", &[], &["only one URL is used: ws://***@i is left out"]),
            (
                "curl ws://h --next -d x http://i",
                &[],
                &["curl's --next and what follows it are left out"],
            ),
            (
                "curl ws://h -H ':method: GET' -H ':path: /'",
                &[],
                &["curl's HTTP/2 header is left out"],
            ),
            (
                "curl -kL ws://h --no-insecure --no-location --no-http2",
                &[],
                &["curl's --no-http2 is left out"],
            ),
            (
                "curl ws://h -H \"Sec-WebSocket-Key: $(openssl rand -base64 16)\" -o \"$OUT\"",
                &[],
                &["curl's -o is left out"],
            ),
            (
                "T=1 TOKEN=2 curl ws://h 2>/dev/null | grep key=abc",
                &[],
                &["what is the shell's is left out: T=1 TOKEN=*** 2>/dev/null | grep key=***"],
            ),
        ] {
            assert_eq!(args(command), options, "{command}");
            let pasted = pasted(command);
            assert!(["ws://h", "http://h"].contains(&pasted.url.as_str()), "{}", pasted.url);
            assert_eq!(pasted.notes, notes, "{command}");
        }
    }

    #[test]
    fn data_belong_to_the_query_with_get() {
        for (command, url) in [
            ("curl -G ws://h/x -d a=1 --data-urlencode 'b=c d&e'", "ws://h/x?a=1&b=c%20d%26e"),
            (
                "curl ws://h/x?y=1 --url-query 'q=a b' --url-query +z=%20",
                "ws://h/x?y=1&q=a%20b&z=%20",
            ),
            ("curl -d '' ws://h", "ws://h"),
        ] {
            assert_eq!(pasted(command).url, url);
        }
    }

    #[test]
    fn behind_comments_and_prompts() {
        for command in [
            "$ curl ws://h",
            "# curl ws://h",
            "# Connect first\n\n$ curl ws://h",
            "```bash\ncurl ws://h\n```",
            "me@host:~/x$ curl ws://h",
            "me@host ~ % curl ws://h",
            "PS C:\\Users\\me> curl.exe ws://h",
            "❯ curl ws://h",
            "!curl ws://h",
            "sudo curl ws://h",
            "time curl ws://h # it takes long",
            "REM why\r\ncurl ^\"ws://h^\"",
        ] {
            assert_eq!(pasted(command).url, "ws://h", "{command}");
        }
    }

    #[test]
    fn a_bare_host_is_http_as_it_is_for_curl() {
        assert_eq!(pasted("curl example.com/x").url, "http://example.com/x");
        assert_eq!(pasted("/usr/bin/curl.exe wss://h").url, "wss://h");
    }
}
