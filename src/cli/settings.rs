//! From what was typed to what the lower floors take.

use std::io::Read;
use std::time::Duration;

use regex::bytes::Regex;

use crate::cli::args::{OutputFormat, ReachArgs, TalkArgs, When};
use crate::cli::hints::WORDS;
use crate::connection::cookies::CookieFile;
use crate::connection::login::{Login, LoginScheme};
use crate::connection::netrc::Netrc;
use crate::connection::options::OpenOptions;
use crate::error::{Error, Exit, Result, Stage};
use crate::http::head::{HeadLimits, Header, is_token};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::Opcode;
use crate::protocol::handshake::RequestOptions;
use crate::protocol::violation::Policy;
use crate::redact::{self, Secret, Secrets};
use crate::report::human::HumanOptions;
use crate::report::payload::Format;
use crate::run::reconnect::Reconnect;
use crate::run::settings::{Linger, Settings};
use crate::sys::{Blocking, Role};
use crate::text::Untrusted;
use crate::transport::proxy::{Credentials, Proxy};
use crate::transport::{
    ConnectTo, DialOptions, Family, Pins, Proxies, Resolve, Sni, Target, TlsOptions, Versions,
};

/// What browsers offer too: any parameters of the server's, and a window of ours that it may bound.
const DEFLATE_OFFER: &str = "permessage-deflate; client_max_window_bits";

/// A whole run.
pub struct Plan {
    /// The session.
    pub settings: Settings,
    /// The view for people.
    pub human: HumanOptions,
    /// Colours on standard output.
    pub color_stdout: bool,
    /// How received messages are printed in pipe mode.
    pub output: Format,
    /// Events on standard output.
    pub json: bool,
    /// What was guessed, one line each.
    pub notes: Vec<String>,
}

impl Plan {
    /// With something to say before what was guessed, unless nothing is to be said.
    pub fn noting(mut self, notes: Vec<String>) -> Plan {
        if !self.human.quiet {
            self.notes.splice(0..0, notes);
        }
        self
    }
}

/// Makes the plan for connecting to `url`.
///
/// # Errors
/// Exit 2: what can't be understood; exit 13: a file that can't be read.
pub fn plan(url: &str, reach: &ReachArgs, talk: Option<&TalkArgs>) -> Result<Plan> {
    unworded(url, reach, talk).map_err(|error| error.worded(WORDS))
}

fn unworded(url: &str, reach: &ReachArgs, talk: Option<&TalkArgs>) -> Result<Plan> {
    let (target, mut notes) = Target::parse(url)?;
    let proxies = proxies(reach)?;
    // What is wrong with the environment is said before anything else happens.
    proxies.choose(&target)?;
    let cookies = reach.cookie_jar.as_deref().map(CookieFile::open).transpose()?;
    notes.extend(cookies.as_ref().and_then(CookieFile::note));
    let mut settings = Settings::new(target.clone(), WORDS);
    settings.open = OpenOptions {
        request: Secret::new(request(&target, reach)?),
        dial: dial(reach)?,
        proxies,
        login: login(reach)?,
        redirects: reach.location.then_some(reach.max_redirs),
        secrets: if reach.show_secrets { Secrets::Shown } else { Secrets::Hidden },
        policy: if reach.strict { Policy::Strict } else { Policy::Lenient },
        head_limits: HeadLimits { bytes: reach.max_head, headers: reach.max_headers },
        connect_timeout: reach.connect_timeout,
        ..OpenOptions::new(target)
    };
    settings.cookies = cookies;
    settings.max_time = reach.max_time;
    let mut human = HumanOptions {
        verbosity: reach.verbose,
        quiet: reach.quiet,
        color: color(reach.color, std::io::stderr()),
        ..HumanOptions::default()
    };
    let (mut output, mut json) = (Format::Line, false);
    if let Some(talk) = talk {
        talk_settings(&mut settings, talk)?;
        human.timestamps = talk.timestamps;
        human.pretty = talk.pretty;
        human.hex = talk.hex;
        output = format(talk.output);
        json = talk.json;
    }
    if reach.quiet {
        notes.clear();
    }
    let color_stdout = color(reach.color, std::io::stdout());
    Ok(Plan { settings, human, color_stdout, output, json, notes })
}

fn talk_settings(settings: &mut Settings, talk: &TalkArgs) -> Result<()> {
    let until = talk.until.as_deref().map(Regex::new).transpose();
    settings.until = until.map_err(|e| {
        let what = "--until is not a regular expression";
        Error::usage(what).cause(Untrusted::text(&e.to_string()).to_string())
    })?;
    let opcode = if talk.binary { Opcode::Binary } else { Opcode::Text };
    settings.first = talk.send.iter().map(|text| (opcode, text.clone().into_bytes())).collect();
    settings.binary = talk.binary;
    settings.input = talk.input.into();
    settings.talk.fragment = talk.fragment;
    settings.echo = talk.echo;
    settings.talk.max_message = talk.max_message;
    settings.talk.max_fragments = talk.max_fragments;
    settings.count = talk.count;
    settings.duration = talk.duration;
    settings.linger = match talk.linger {
        _ if talk.exit_on_eof => Linger::For(Duration::ZERO),
        Some(typed) => typed.0.map_or(Linger::Forever, Linger::For),
        None if talk.duration.is_some() => Linger::Forever,
        None => Linger::For(Duration::from_secs(1)),
    };
    settings.close = close(talk)?;
    settings.ok_close = talk.ok_close.iter().copied().map(CloseCode).collect();
    settings.talk.pong = !talk.no_pong;
    settings.talk.ping_interval = talk.ping_interval.filter(|interval| !interval.is_zero());
    settings.talk.ping_timeout =
        talk.ping_timeout.or(settings.talk.ping_interval.map(|_| Duration::from_secs(10)));
    settings.talk.lossy = talk.lossy;
    settings.reconnect =
        talk.reconnect.map(|attempts| Reconnect { attempts, backoff: talk.backoff });
    Ok(())
}

fn close(talk: &TalkArgs) -> Result<CloseStatus> {
    let code = CloseCode(talk.close_code);
    if !code.is_allowed_on_wire() {
        let what = format!("--close-code {code} must not be sent: {}", code.meaning());
        return Err(Error::usage(what).hint("1000, 1001 to 1003, 1007 to 1014, or 3000 to 4999"));
    }
    if talk.close_reason.len() > CloseStatus::MAX_REASON {
        let len = talk.close_reason.len();
        return Err(Error::usage(format!("--close-reason takes 123 bytes at most, not {len}")));
    }
    Ok(CloseStatus::new(code, &talk.close_reason))
}

fn format(output: OutputFormat) -> Format {
    match output {
        OutputFormat::Hex => Format::Hex,
        OutputFormat::Json => Format::Json,
        OutputFormat::Line => Format::Line,
        OutputFormat::Null => Format::Null,
        OutputFormat::Raw => Format::Raw,
    }
}

/// Whether there are colours (no-color.org, bixense.com/clicolors).
fn color(when: When, channel: impl std::os::fd::AsFd) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if set("NO_COLOR") => false,
        When::Auto if std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| v != "0") => true,
        When::Auto => {
            let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
            !dumb && rustix::termios::isatty(channel)
        }
    }
}

fn request(target: &Target, reach: &ReachArgs) -> Result<RequestOptions> {
    let mut headers = Vec::new();
    if let Some(typed) = &reach.bearer {
        headers.push(header(&format!("Authorization: Bearer {}", secret(typed)?))?);
    }
    if let Some(typed) = &reach.cookie {
        headers.push(header(&format!("Cookie: {}", secret(typed)?))?);
    }
    for typed in &reach.headers {
        match typed.strip_prefix('@') {
            Some(path) => {
                for line in read_file(path)?.lines().filter(|line| !line.trim().is_empty()) {
                    headers.push(header(line)?);
                }
            }
            None => headers.push(header(typed)?),
        }
    }
    for name in &reach.subprotocols {
        if name.is_empty() || !name.bytes().all(is_token) {
            let shown = Untrusted::text(name);
            return Err(Error::usage(format!(
                "the subprotocol \"{shown}\" is not a token (RFC 6455 §4.1)"
            )));
        }
    }
    let checked = |name: &str, value: &Option<String>| match value {
        Some(value) => header(&format!("{name}: {value}")).map(|_| Some(value.clone())),
        None => Ok(None),
    };
    let agent = format!("wstap/{}", env!("CARGO_PKG_VERSION"));
    Ok(RequestOptions {
        host: target.authority(),
        target: target.path.clone(),
        subprotocols: reach.subprotocols.clone(),
        extensions: match (&reach.deflate, reach.no_deflate) {
            (Some(params), _) => {
                let offer = if params.starts_with("permessage-deflate") {
                    params.clone()
                } else if params.is_empty() {
                    "permessage-deflate".to_owned()
                } else {
                    format!("permessage-deflate; {params}")
                };
                header(&format!("Sec-WebSocket-Extensions: {offer}"))?;
                offer
            }
            (None, true) => String::new(),
            (None, false) => DEFLATE_OFFER.to_owned(),
        },
        origin: checked("Origin", &reach.origin)?,
        user_agent: match checked("User-Agent", &reach.user_agent)? {
            Some(typed) => Some(typed).filter(|text| !text.is_empty()),
            None => Some(agent),
        },
        headers,
        raw_headers: reach
            .raw_headers
            .iter()
            .map(|line| std::os::unix::ffi::OsStrExt::as_bytes(line.as_os_str()).to_vec())
            .collect(),
    })
}

/// Reads `Name: value` in the grammar of RFC 9110 §5.
///
/// # Errors
/// Exit 2: what the grammar doesn't allow.
pub fn header(typed: &str) -> Result<Header> {
    let bad = |why: &str| {
        Error::usage(format!(
            "the header \"{}\" {why}",
            Untrusted::text(&redact::typed_header(typed))
        ))
        .hint("-H 'Name: value'; to send a line as it is: --raw-header")
    };
    let (name, value) = typed.split_once(':').ok_or_else(|| bad("has no colon"))?;
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(bad("has a name that is not a token"));
    }
    if value.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
        return Err(bad("has a line break or a NUL byte in it"));
    }
    if value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
        return Err(bad("has a control character in it"));
    }
    Ok(Header::new(name, value.trim_matches([' ', '\t'])))
}

/// A secret: as typed, or with `@` from a file or the environment.
fn secret(typed: &str) -> Result<String> {
    match typed.strip_prefix('@') {
        Some(path) => read_file(path).map(|text| text.trim_end_matches(['\r', '\n']).to_owned()),
        None => Ok(typed.to_owned()),
    }
}

/// The text of a file, of standard input (`-`), or of a variable (`env:NAME`).
fn read_file(path: &str) -> Result<String> {
    if let Some(name) = path.strip_prefix("env:") {
        return std::env::var(name).map_err(|e| {
            let name = Untrusted::text(name);
            let why = match e {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8",
            };
            Error::usage(format!("the environment variable {name} {why}"))
        });
    }
    let mut text = String::new();
    let read = match path {
        "-" => Blocking(Role::Stdin, std::io::stdin()).read_to_string(&mut text),
        path => std::fs::File::open(path)
            .and_then(|file| Blocking(Role::File, file).read_to_string(&mut text)),
    };
    read.map_err(|e| {
        let what = format!("can't read {}: {e}", Untrusted::text(path));
        Error::new(Stage::Input, Exit::Local, what)
    })?;
    Ok(text)
}

fn login(reach: &ReachArgs) -> Result<Login> {
    let scheme = match (reach.digest, reach.anyauth) {
        (true, _) => LoginScheme::Digest,
        (_, true) => LoginScheme::Any,
        _ => LoginScheme::Basic,
    };
    let user = reach.user.as_deref().map(credentials).transpose()?;
    Ok(Login { user, scheme, netrc: netrc(reach)? })
}

/// The file of --netrc-file, or that of --netrc in the home.
fn netrc(reach: &ReachArgs) -> Result<Option<Netrc>> {
    let path = match (&reach.netrc_file, reach.netrc) {
        (Some(path), _) => path.clone(),
        (None, true) => std::env::home_dir()
            .map(|home| home.join(".netrc"))
            .ok_or_else(|| Error::usage("--netrc: there is no home").hint("--netrc-file FILE"))?,
        (None, false) => return Ok(None),
    };
    let path = path.to_string_lossy();
    let netrc = Netrc::parse(&read_file(&path)?).map_err(|why| {
        let what = format!("{}: {why}", Untrusted::text(&path));
        Error::new(Stage::Input, Exit::Local, what)
    })?;
    Ok(Some(netrc))
}

/// `USER:PASSWORD`.
fn credentials(typed: &str) -> Result<Credentials> {
    let typed = secret(typed)?;
    let (user, password) = typed.split_once(':').unwrap_or((&typed, ""));
    Ok(Credentials {
        user: Secret::new(user.to_owned()),
        password: Secret::new(password.to_owned()),
    })
}

fn dial(reach: &ReachArgs) -> Result<DialOptions> {
    Ok(DialOptions {
        family: match (reach.ipv4, reach.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        },
        tls: TlsOptions {
            insecure: reach.insecure,
            cacert: reach.cacert.clone(),
            cert: reach.cert.clone(),
            key: reach.key.clone(),
            pass: reach.pass.as_deref().map(secret).transpose()?.map(Secret::new),
            sni: match reach.sni.as_deref() {
                None => Sni::Auto,
                Some("off") => Sni::Off,
                Some(name) => Sni::Name(name.to_owned()),
            },
            alpn: reach.alpn.clone(),
            versions: match (reach.tls12, reach.tls13) {
                (true, _) => Versions::Only12,
                (_, true) => Versions::Only13,
                _ => Versions::Any,
            },
            pinned: reach
                .pinnedpubkey
                .as_deref()
                .map_or_else(|| Ok(Pins::default()), |typed| of("--pinnedpubkey", typed.parse()))?,
        },
        unix_socket: reach.unix_socket.clone(),
        resolve: reach
            .resolve
            .iter()
            .map(|typed| {
                of("--resolve", typed.parse::<Resolve>())
                    .map_err(|e| e.hint("for example: --resolve example.com:443:192.0.2.1"))
            })
            .collect::<Result<_>>()?,
        connect_to: reach
            .connect_to
            .iter()
            .map(|typed| {
                of("--connect-to", typed.parse::<ConnectTo>())
                    .map_err(|e| e.hint("for example: --connect-to example.com:443:localhost:8443"))
            })
            .collect::<Result<_>>()?,
        interface: reach.interface.clone(),
        proxy: None,
    })
}

/// Says of which option a value is wrong.
fn of<T>(option: &str, value: Result<T>) -> Result<T> {
    value.map_err(|e| Error { what: format!("{option} {}", e.what), ..e })
}

/// The proxies that were asked for, or that the environment names.
fn proxies(reach: &ReachArgs) -> Result<Proxies> {
    let typed = match reach.proxy.as_deref() {
        Some("") => Some(None),
        Some(typed) => Some(Some(secret(typed)?.parse::<Proxy>()?)),
        None => None,
    };
    Ok(Proxies {
        typed,
        excepted: reach.noproxy.clone(),
        credentials: reach.proxy_user.as_deref().map(credentials).transpose()?,
        tls: TlsOptions { cacert: reach.cacert.clone(), ..TlsOptions::default() },
        environment: |name| std::env::var(name).ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_of_http_is_taken_from_a_value() {
        assert_eq!(header("A: \t b \t").unwrap(), Header::new("A", "b"));
        assert_eq!(header("A: \u{a0}b\u{3000}").unwrap(), Header::new("A", "\u{a0}b\u{3000}"));
    }
}
