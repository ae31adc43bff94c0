//! Translates a curl command, pasted or copied from a browser, into our options.

use clap::Command;

use crate::cli::layers::{LayerOption, option};
use crate::cli::shell;
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
    let first = text.split_whitespace().next().unwrap_or_default();
    if !is_curl(first) {
        let first: String = redact::url(first).chars().take(40).collect();
        let first = Untrusted::text(&first);
        let what = format!("it is no curl command: it begins with \"{first}\"");
        return Err(Error::usage(what).hint("in the browser: Copy as cURL"));
    }
    let mut words = shell::split(text.trim()).map_err(|why| {
        Error::usage(format!("the curl command can't be read: {why}"))
            .hint("type wstap and paste the command behind it, or paste it into wstap curl")
    })?;
    words.remove(0);
    self::words(words, ours)
}

/// Parses the words after `curl`.
///
/// # Errors
/// As for [`text`].
pub fn words(words: Vec<String>, ours: &Command) -> Result<Pasted> {
    let mut reader = Reader::new(words, ours);
    let mut only_urls = false;
    while let Some(word) = reader.words.next() {
        match word.strip_prefix("--") {
            _ if only_urls => reader.url(word)?,
            Some("") => only_urls = true,
            Some(long) => reader.long(long)?,
            None => match word.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => reader.short(letters)?,
                _ => reader.url(word)?,
            },
        }
    }
    reader.finish()
}

/// Whether a command's first word calls curl. A URL's path can end with `curl`, too.
pub fn is_curl(word: &str) -> bool {
    let local = word.starts_with(['/', '.', '~']) || word.get(1..3) == Some(":\\");
    let name = if local { word.rsplit(['/', '\\']).next().unwrap_or_default() } else { word };
    matches!(name, "curl" | "curl.exe")
}

/// What one of curl's options means here.
#[derive(Clone, Copy, Debug)]
enum Means {
    /// A bearer token.
    Bearer,
    /// A request with a body or another method, which can't open a WebSocket.
    Body,
    /// The same, with a value.
    BodyWith,
    /// Cookies, or a file of them.
    Cookie,
    /// A flag of ours.
    Flag(&'static str),
    /// A field.
    Header,
    /// Without effect on the connection.
    Nothing,
    /// Not supported: left out, with a note.
    LeftOut,
    /// The same, with a value.
    LeftOutWith,
    /// The method.
    Method,
    /// The Referer.
    Referer,
    /// A SOCKS proxy of that scheme.
    Socks(&'static str),
    /// A limit in seconds; 0 means none.
    Time(&'static str),
    /// The highest version of TLS.
    TlsMax,
    /// The URL.
    Url,
    /// User name and password.
    User,
    /// The User-Agent.
    UserAgent,
    /// An option of ours with a value.
    Value(&'static str),
}

/// Curl's options by letter and name. Others are an error: they may or may not take a value.
#[rustfmt::skip]
const OPTIONS: &[(char, &str, Means)] = &[
    ('#', "progress-bar", Means::Nothing),
    ('0', "http1.0", Means::LeftOut),
    ('1', "tlsv1", Means::Nothing),
    ('4', "ipv4", Means::Flag("ipv4")),
    ('6', "ipv6", Means::Flag("ipv6")),
    ('A', "user-agent", Means::UserAgent),
    ('D', "dump-header", Means::LeftOutWith),
    ('E', "cert", Means::Value("cert")),
    ('F', "form", Means::BodyWith),
    ('G', "get", Means::Nothing),
    ('H', "header", Means::Header),
    ('I', "head", Means::Body),
    ('J', "remote-header-name", Means::LeftOut),
    ('L', "location", Means::Flag("location")),
    ('N', "no-buffer", Means::Nothing),
    ('O', "remote-name", Means::LeftOut),
    ('S', "show-error", Means::Nothing),
    ('T', "upload-file", Means::BodyWith),
    ('U', "proxy-user", Means::Value("proxy-user")),
    ('X', "request", Means::Method),
    ('b', "cookie", Means::Cookie),
    ('c', "cookie-jar", Means::LeftOutWith),
    ('d', "data", Means::BodyWith),
    ('e', "referer", Means::Referer),
    ('f', "fail", Means::Nothing),
    ('g', "globoff", Means::Nothing),
    ('i', "include", Means::Nothing),
    ('k', "insecure", Means::Flag("insecure")),
    ('m', "max-time", Means::Time("max-time")),
    ('n', "netrc", Means::Flag("netrc")),
    ('o', "output", Means::LeftOutWith),
    ('s', "silent", Means::Nothing),
    ('u', "user", Means::User),
    ('v', "verbose", Means::Flag("verbose")),
    ('w', "write-out", Means::LeftOutWith),
    ('x', "proxy", Means::Value("proxy")),
    (' ', "alpn", Means::Nothing),
    (' ', "anyauth", Means::Flag("anyauth")),
    (' ', "basic", Means::Nothing),
    (' ', "cacert", Means::Value("cacert")),
    (' ', "capath", Means::Value("cacert")),
    (' ', "compressed", Means::Nothing),
    (' ', "connect-timeout", Means::Time("connect-timeout")),
    (' ', "connect-to", Means::Value("connect-to")),
    (' ', "data-ascii", Means::BodyWith),
    (' ', "data-binary", Means::BodyWith),
    (' ', "data-raw", Means::BodyWith),
    (' ', "data-urlencode", Means::BodyWith),
    (' ', "digest", Means::Flag("digest")),
    (' ', "fail-with-body", Means::Nothing),
    (' ', "form-string", Means::BodyWith),
    (' ', "http1.1", Means::Nothing),
    (' ', "http2", Means::LeftOut),
    (' ', "http2-prior-knowledge", Means::LeftOut),
    (' ', "http3", Means::LeftOut),
    (' ', "http3-only", Means::LeftOut),
    (' ', "interface", Means::Value("interface")),
    (' ', "json", Means::BodyWith),
    (' ', "keepalive", Means::Nothing),
    (' ', "key", Means::Value("key")),
    (' ', "max-redirs", Means::Value("max-redirs")),
    (' ', "netrc-file", Means::Value("netrc-file")),
    (' ', "noproxy", Means::Value("noproxy")),
    (' ', "oauth2-bearer", Means::Bearer),
    (' ', "pass", Means::Value("pass")),
    (' ', "path-as-is", Means::Flag("path-as-is")),
    (' ', "pinnedpubkey", Means::Value("pinnedpubkey")),
    (' ', "progress-meter", Means::Nothing),
    (' ', "request-target", Means::Value("request-target")),
    (' ', "resolve", Means::Value("resolve")),
    (' ', "retry", Means::LeftOutWith),
    (' ', "sessionid", Means::Nothing),
    (' ', "socks5", Means::Socks("socks5")),
    (' ', "socks5-hostname", Means::Socks("socks5h")),
    (' ', "tls-max", Means::TlsMax),
    // For curl these are minimum versions; our minimum is TLS 1.2.
    (' ', "tlsv1.0", Means::Nothing),
    (' ', "tlsv1.1", Means::Nothing),
    (' ', "tlsv1.2", Means::Nothing),
    (' ', "tlsv1.3", Means::Flag("tlsv1.3")),
    (' ', "unix-socket", Means::Value("unix-socket")),
    (' ', "url", Means::Url),
];

/// A command being parsed.
struct Reader<'a> {
    ours: &'a Command,
    words: std::vec::IntoIter<String>,
    url: Option<String>,
    headers: Vec<String>,
    cookies: Vec<String>,
    protocols: Vec<String>,
    options: Vec<LayerOption>,
    notes: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(words: Vec<String>, ours: &'a Command) -> Reader<'a> {
        Reader {
            ours,
            words: words.into_iter(),
            url: None,
            headers: Vec::new(),
            cookies: Vec::new(),
            protocols: Vec::new(),
            options: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn finish(mut self) -> Result<Pasted> {
        let url = self.url.take();
        let url = url.ok_or_else(|| Error::usage("the curl command has no URL"))?;
        if !self.cookies.is_empty() {
            self.headers.push(format!("Cookie: {}", self.cookies.join("; ")));
        }
        let lists = [("header", self.headers), ("subprotocol", self.protocols)];
        for (name, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            self.options.push(LayerOption::with(name, values));
        }
        Ok(Pasted { url, options: self.options, notes: self.notes })
    }

    fn long(&mut self, typed: &str) -> Result<()> {
        let (name, value) = match typed.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (typed, None),
        };
        let shown = format!("--{name}");
        let find = |name: &str| OPTIONS.iter().find(|(_, long, _)| *long == name);
        // The only negated flags worth knowing are those without effect here.
        let refused = || name.strip_prefix("no-").and_then(find);
        let means = match (find(name), refused()) {
            (Some((_, _, means)), _) => *means,
            (None, Some((_, _, Means::Nothing))) => Means::Nothing,
            (None, _) => return Err(unknown(&shown)),
        };
        self.apply(means, &shown, value)
    }

    /// Letters after one dash; a value may follow its letter in the same word.
    fn short(&mut self, letters: &str) -> Result<()> {
        for (at, letter) in letters.char_indices() {
            let shown = format!("-{letter}");
            let known = OPTIONS.iter().find(|(short, ..)| *short == letter && letter != ' ');
            let Some((_, _, means)) = known else { return Err(unknown(&shown)) };
            let rest = &letters[at + letter.len_utf8()..];
            let takes_value = means.takes_value();
            let value = (takes_value && !rest.is_empty()).then(|| rest.to_owned());
            self.apply(*means, &shown, value)?;
            if takes_value {
                break;
            }
        }
        Ok(())
    }

    fn apply(&mut self, means: Means, shown: &str, given: Option<String>) -> Result<()> {
        let value = match given {
            Some(value) => value,
            None if means.takes_value() => self.words.next().ok_or_else(|| {
                Error::usage(format!("the curl command ends with {shown}, which needs a value"))
            })?,
            None => String::new(),
        };
        match means {
            Means::Bearer => self.headers.push(format!("Authorization: Bearer {value}")),
            Means::Body | Means::BodyWith => return Err(no_websocket(shown)),
            Means::Cookie if value.is_empty() => {}
            Means::Cookie if value.contains('=') => self.cookies.push(value),
            Means::Cookie => self.cookie_file(shown, value),
            Means::Flag(name) => self.flag(name, shown),
            Means::Header => self.header(value),
            Means::Nothing => {}
            Means::LeftOut | Means::LeftOutWith => {
                self.notes.push(format!("curl's {shown} is left out"));
            }
            Means::Method if value.eq_ignore_ascii_case("GET") => {}
            Means::Method => {
                return Err(no_websocket(&format!("{shown} {}", Untrusted::text(&value))));
            }
            Means::Referer => self.headers.push(format!("Referer: {value}")),
            Means::Socks(scheme) => self.one("proxy", format!("{scheme}://{value}")),
            // Curl takes 0 for no limit.
            Means::Time(_) if value == "0" => {}
            Means::Time(name) | Means::Value(name) => self.one(name, value),
            Means::TlsMax if value == "1.2" => self.flag("tlsv1.2", shown),
            Means::TlsMax => {}
            Means::Url => self.url(value)?,
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
            self.notes.push(format!("curl's {shown} is left out"));
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

    fn url(&mut self, url: String) -> Result<()> {
        if self.url.is_some() {
            let shown = redact::url(&url).into_owned();
            let what = format!("the curl command has a second URL: {}", Untrusted::text(&shown));
            return Err(Error::usage(what));
        }
        // Where we would guess, curl takes HTTP without TLS.
        self.url = Some(if url.contains("://") { url } else { format!("http://{url}") });
        Ok(())
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
            "connection" | "sec-websocket-key" | "upgrade" => {}
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

impl Means {
    fn takes_value(self) -> bool {
        !matches!(self, Means::Body | Means::Flag(_) | Means::LeftOut | Means::Nothing)
    }
}

fn is_deflate(offers: &str) -> bool {
    offers
        .split(',')
        .all(|offer| offer.split(';').next().map(str::trim) == Some("permessage-deflate"))
}

fn unknown(shown: &str) -> Error {
    let shown = Untrusted::text(shown);
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
            ["the offer of \"x-deflate\\u{9b}\" is left out", "curl's -o is left out"]
        );
    }

    #[test]
    fn what_opens_no_websocket_is_refused() {
        for (command, why) in [
            ("curl -X POST ws://h", "curl's -X POST can't open"),
            ("curl ws://h --data-raw '{}'", "curl's --data-raw can't open"),
            ("curl -sId x ws://h", "curl's -I can't open"),
            ("curl ws://h --frobnicate", "curl's --frobnicate is not understood"),
            ("curl ws://h -sZ", "curl's -Z is not understood"),
            ("curl ws://h -H", "ends with -H, which needs a value"),
            ("curl -s", "has no URL"),
            ("curl ws://h ws://u:p@i", "a second URL: ws://***@i"),
            ("wget ws://h", "no curl command: it begins with \"wget\""),
            ("", "no curl command"),
            ("curl 'ws://h", "can't be read: the ' at character 6"),
        ] {
            let error = text(command, &Cli::command()).unwrap_err();
            assert!(error.what.contains(why), "{command}: {error}");
        }
    }

    #[test]
    fn curl_by_its_name() {
        for word in ["curl", "curl.exe", "/usr/bin/curl", "./curl", r"C:\\x\curl.exe"] {
            assert!(is_curl(word), "{word}");
        }
        for word in ["", "curly", "https://h/curl", "h/curl", "é:\\curl"] {
            assert!(!is_curl(word), "{word}");
        }
    }

    #[test]
    fn a_bare_host_is_http_as_it_is_for_curl() {
        assert_eq!(pasted("curl example.com/x").url, "http://example.com/x");
        assert_eq!(pasted("/usr/bin/curl.exe wss://h").url, "wss://h");
    }

    #[test]
    fn names_of_ours_are_ours() {
        let ours = Cli::command();
        for (_, name, means) in OPTIONS {
            if let Means::Flag(own) | Means::Time(own) | Means::Value(own) = means
                && *own != "location"
            {
                assert!(option(&ours, own).is_some(), "{name}");
            }
        }
    }
}
