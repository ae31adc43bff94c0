//! Translates the parsed arguments into the options of the lower floors.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::args::{
    EndingArgs, LivenessArgs, LoginArgs, NetworkArgs, OutputArgs, ProtocolArgs, ProxyArgs,
    ReachArgs, RequestArgs, TalkArgs, TimeArgs, TlsArgs, ViewArgs, When,
};
use crate::cli::files;
use crate::cli::hints::{TLS_NAMES, WORDS};
use crate::cli::layers::MacroLines;
use crate::cli::messages::messages;
use crate::connection::{CookieFile, Login, LoginScheme, Netrc, OpenOptions};
use crate::error::{Error, Exit, Result, Stage};
use crate::http::head::{HeadLimits, Header, is_token};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::handshake::RequestOptions;
use crate::protocol::violation::Policy;
use crate::redact::{self, Secret, Secrets};
use crate::report::human::HumanOptions;
use crate::report::payload::Format;
use crate::run::reconnect::Reconnect;
use crate::run::settings::{Linger, Settings};
use crate::text::Untrusted;
use crate::text::stamp::{Stamps, Zone};
use crate::text::typed::pattern;
use crate::transport::proxy::{Credentials, Proxy};
use crate::transport::{
    ConnectTo, DialOptions, Family, Pins, Proxies, Resolve, Sni, Target, TlsOptions, Versions,
};

/// Everything for one run.
pub struct Plan {
    /// The session.
    pub settings: Settings,
    /// Options of the view for people.
    pub human: HumanOptions,
    /// Colours on standard output.
    pub color_stdout: bool,
    /// Format of received messages in pipe mode.
    pub output: Format,
    /// Events on standard output.
    pub json: bool,
    /// `--log`: the file for the events.
    pub log: Option<PathBuf>,
    /// `--record`: the file for the script of the session.
    pub record: Option<PathBuf>,
    /// The lines of the profile's macros, by name.
    pub macros: MacroLines,
    /// Notes on what was guessed, one line each.
    pub notes: Vec<String>,
}

impl Plan {
    /// Puts these notes before the others, unless `--quiet` is given.
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
/// Exit 2: an argument is not valid; exit 13: a file can't be read.
pub fn plan(url: &str, reach: ReachArgs, talk: Option<TalkArgs>) -> Result<Plan> {
    unworded(url, reach, talk).map_err(|error| error.worded(WORDS))
}

fn unworded(url: &str, reach: ReachArgs, talk: Option<TalkArgs>) -> Result<Plan> {
    // `cli::line` has read the configuration already.
    let ReachArgs { request, login, tls, network, proxy, time, protocol, view, config: _ } = reach;
    let (target, mut notes) = Target::parse(url)?;
    let target = if request.path_as_is { target.with_path_of(url) } else { target };
    let proxies = proxies(proxy, &tls)?;
    // Errors in the environment come before anything else happens.
    proxies.choose(&target)?;
    let TimeArgs { connect_timeout, wait_up, max_time } = time;
    let ProtocolArgs { deflate, no_deflate, strict, max_head, max_headers } = protocol;
    let ViewArgs { verbose, quiet, color, log, show_secrets } = view;
    let (login, bearer) = self::login(login)?;
    let mut settings = Settings::new(target.clone(), WORDS);
    settings.open = OpenOptions {
        proxies,
        login,
        dial: dial(network, self::tls(tls)?)?,
        secrets: if show_secrets { Secrets::Shown } else { Secrets::Hidden },
        policy: if strict { Policy::Strict } else { Policy::Lenient },
        head_limits: HeadLimits { bytes: max_head, headers: max_headers },
        connect_timeout,
        ..OpenOptions::new(target)
    };
    let asked = RequestOptions {
        extensions: offer(deflate, no_deflate)?,
        headers: Vec::from_iter(bearer),
        ..settings.open.request.reveal().clone()
    };
    self::request(&mut settings, request, asked)?;
    notes.extend(settings.cookies.as_ref().and_then(CookieFile::note));
    settings.max_time = max_time;
    settings.wait_up = wait_up;
    let mut human = HumanOptions {
        verbosity: verbose,
        quiet,
        color: is_wanted(color, std::io::stderr()),
        ..HumanOptions::default()
    };
    let (mut format, mut json, mut record) = (Format::Line, false, None);
    if let Some(TalkArgs { messages, ending, liveness, output }) = talk {
        self::messages(&mut settings, messages)?;
        self::ending(&mut settings, ending)?;
        self::liveness(&mut settings, liveness);
        let OutputArgs {
            json: events,
            output,
            only,
            hex,
            inflate,
            pretty,
            timestamps,
            utc,
            delta,
            record: file,
        } = output;
        record = file;
        settings.only = only;
        settings.inflate = inflate;
        human.only = only;
        (human.hex, human.pretty) = (hex, pretty);
        // At the prompt -t may follow.
        let is_local = !utc && (timestamps || rustix::termios::isatty(std::io::stdout()));
        human.stamps = Stamps { time: timestamps || utc, zone: zone(is_local), delta };
        (format, json) = (output, events);
    }
    if quiet {
        notes.clear();
    }
    let color_stdout = is_wanted(color, std::io::stdout());
    if log.as_deref() == Some(Path::new("-")) {
        let error = Error::usage("--log needs a file, and - is none");
        return Err(error.hint("events on standard output: --json"));
    }
    Ok(Plan {
        settings,
        human,
        color_stdout,
        output: format,
        json,
        log,
        record,
        macros: MacroLines::new(),
        notes,
    })
}

fn ending(settings: &mut Settings, args: EndingArgs) -> Result<()> {
    let EndingArgs {
        count,
        until,
        linger,
        exit_on_eof,
        duration,
        close_code,
        close_reason,
        ok_close,
        reconnect,
        reconnect_on,
        backoff,
    } = args;
    settings.count = count;
    settings.until =
        of("--until", until.as_deref().map(pattern).transpose().map_err(Error::usage))?;
    settings.duration = duration;
    settings.linger = match linger {
        _ if exit_on_eof => Linger::For(Duration::ZERO),
        Some(typed) => typed.0.map_or(Linger::Forever, Linger::For),
        None if count.is_some() || settings.until.is_some() => Linger::Forever,
        None if duration.is_some() || !settings.rules.timers.is_empty() => Linger::Forever,
        None => settings.linger,
    };
    settings.wire.close = close(close_code, &close_reason)?;
    settings.ok_close = ok_close.into_iter().map(CloseCode).collect();
    settings.reconnect =
        reconnect.map(|attempts| Reconnect { attempts, backoff, on: reconnect_on });
    Ok(())
}

fn liveness(settings: &mut Settings, args: LivenessArgs) {
    let LivenessArgs { ping_interval, ping_timeout, lossy, no_ping, no_pong } = args;
    let wire = &mut settings.wire;
    wire.ping_interval = ping_interval.filter(|interval| !interval.is_zero());
    wire.ping_timeout = ping_timeout.or(wire.ping_interval.map(|_| Duration::from_secs(10)));
    wire.lossy = lossy;
    wire.pong = !no_pong;
    settings.fence = !no_ping;
}

fn close(code: u16, reason: &str) -> Result<CloseStatus> {
    let code = CloseCode(code);
    if !code.is_allowed_on_wire() {
        let what = format!("--close-code {code} must not be sent: {}", code.meaning());
        return Err(Error::usage(what).hint("1000, 1001 to 1003, 1007 to 1014, or 3000 to 4999"));
    }
    if reason.len() > CloseStatus::MAX_REASON {
        let len = reason.len();
        return Err(Error::usage(format!("--close-reason takes 123 bytes at most, not {len}")));
    }
    Ok(CloseStatus::new(code, reason))
}

/// Where the time of day is taken. The system gives the local offset only while there is one thread.
fn zone(is_local: bool) -> Zone {
    let local = || time::UtcOffset::current_local_offset().ok();
    Zone(if is_local { local().map(time::UtcOffset::whole_seconds) } else { None })
}

/// Whether to use colours (no-color.org, bixense.com/clicolors).
fn is_wanted(color: When, channel: impl std::os::fd::AsFd) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
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

/// The value of Sec-WebSocket-Extensions.
fn offer(deflate: Option<String>, no_deflate: bool) -> Result<String> {
    let offer = match deflate {
        None if no_deflate => return Ok(String::new()),
        None => return Ok(OpenOptions::USUAL_OFFER.to_owned()),
        Some(params) if params.starts_with("permessage-deflate") => params,
        Some(params) if params.is_empty() => "permessage-deflate".to_owned(),
        Some(params) => format!("permessage-deflate; {params}"),
    };
    header(&format!("Sec-WebSocket-Extensions: {offer}"))?;
    Ok(offer)
}

fn request(settings: &mut Settings, args: RequestArgs, mut request: RequestOptions) -> Result<()> {
    let RequestArgs {
        headers,
        raw_headers,
        subprotocols,
        path_as_is,
        request_target,
        origin,
        user_agent,
        cookie,
        cookie_jar,
        location,
        max_redirs,
    } = args;
    settings.cookies = cookie_jar.as_deref().map(CookieFile::open).transpose()?;
    settings.open.redirects = location.then_some(max_redirs);
    settings.open.path_as_is = path_as_is;
    settings.open.request_target = request_target.map(self::request_target).transpose()?;
    if let Some(typed) = cookie {
        request.headers.push(header(&format!("Cookie: {}", files::secret(&typed)?))?);
    }
    for typed in headers {
        match typed.strip_prefix('@') {
            Some(path) => {
                for line in files::text(path)?.lines().filter(|line| !line.trim().is_empty()) {
                    request.headers.push(header(line)?);
                }
            }
            None => request.headers.push(header(&typed)?),
        }
    }
    request.subprotocols = subprotocols.iter().map(|name| name.trim().to_owned()).collect();
    let mut before = "";
    for name in &request.subprotocols {
        if name.is_empty() || !name.bytes().all(is_token) {
            // The word before it may say that it is a secret.
            let list = format!("{before},{name}");
            let shown = redact::protocols(list.as_bytes());
            let shown = shown.rsplit(|b| *b == b',').next().unwrap_or_default();
            return Err(Error::usage(format!(
                "the subprotocol \"{}\" is not a token (RFC 6455 §4.1)",
                Untrusted(shown)
            )));
        }
        before = name;
    }
    let checked = |name: &str, value: Option<String>| match value {
        Some(value) => header(&format!("{name}: {value}")).map(|_| Some(value)),
        None => Ok(None),
    };
    request.origin = checked("Origin", origin)?.map(self::origin).transpose()?;
    request.user_agent = match checked("User-Agent", user_agent)? {
        Some(typed) => Some(typed).filter(|text| !text.is_empty()),
        None => Some(OpenOptions::USER_AGENT.to_owned()),
    };
    request.raw_headers = raw_headers.into_iter().map(OsString::into_vec).collect();
    settings.open.request = Secret::new(request);
    Ok(())
}

/// An Origin as browsers send it (RFC 6454 §7).
fn origin(typed: String) -> Result<String> {
    let why = match typed.split_once("://") {
        _ if typed == "null" || typed == "file://" => return Ok(typed),
        Some((scheme, host)) if is_scheme(scheme) && !host.is_empty() => {
            match host.split_once(['/', '?', '#']) {
                _ if host.contains(['@', ' ']) => "has more than a host and a port",
                Some(_) => "has a path",
                None => return Ok(typed),
            }
        }
        _ => "is no Origin",
    };
    let shown = redact::url(&typed);
    let error = Error::usage(format!(
        "-o {} {why}: it is SCHEME://HOST[:PORT], or null",
        Untrusted::text(&shown)
    ));
    let error = match why {
        "is no Origin" => error.hint("to write what comes to a file: wstap URL >FILE"),
        _ => error.hint("for example: wstap -o https://example.com URL"),
    };
    Err(error.hint("to send it as it is: wstap -H 'Origin: TEXT' URL"))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Accepts any request target that stays one word of the request line.
fn request_target(typed: String) -> Result<String> {
    let splits = |c: char| c.is_whitespace() || c.is_control();
    if typed.is_empty() || typed.contains(splits) {
        let shown = redact::url(&typed);
        let what = format!("\"{}\" is no request target", Untrusted::text(&shown));
        return Err(Error::usage(what)
            .hint("it can't be empty, and white space and control characters can't be in it"));
    }
    Ok(typed)
}

/// Parses `Name: value` by the grammar of RFC 9110 §5.
///
/// # Errors
/// Exit 2: the grammar doesn't allow it.
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

/// The login; a bearer token becomes a header field.
fn login(args: LoginArgs) -> Result<(Login, Option<Header>)> {
    let LoginArgs { user, digest, anyauth, bearer, netrc, netrc_file } = args;
    let scheme = match (digest, anyauth) {
        (true, _) => LoginScheme::Digest,
        (_, true) => LoginScheme::Any,
        _ => LoginScheme::Basic,
    };
    let bearer = match bearer {
        Some(typed) => Some(header(&format!("Authorization: Bearer {}", files::secret(&typed)?))?),
        None => None,
    };
    let user = user.as_deref().map(credentials).transpose()?;
    Ok((Login { user, scheme, netrc: self::netrc(netrc_file, netrc)? }, bearer))
}

/// The file of --netrc-file, or that of --netrc in the home.
fn netrc(file: Option<PathBuf>, usual: bool) -> Result<Option<Netrc>> {
    let path = match file {
        Some(path) => path,
        None if usual => std::env::home_dir()
            .map(|home| home.join(".netrc"))
            .ok_or_else(|| Error::usage("--netrc: there is no home").hint("--netrc-file FILE"))?,
        None => return Ok(None),
    };
    let path = path.to_string_lossy();
    let netrc = Netrc::parse(&files::text(&path)?).map_err(|why| {
        let what = format!("{}: {why}", Untrusted::text(&path));
        Error::new(Stage::Input, Exit::Local, what)
    })?;
    Ok(Some(netrc))
}

/// `USER:PASSWORD`.
fn credentials(typed: &str) -> Result<Credentials> {
    let typed = files::secret(typed)?;
    let (user, password) = typed.split_once(':').unwrap_or((&typed, ""));
    Ok(Credentials {
        user: Secret::new(user.to_owned()),
        password: Secret::new(password.to_owned()),
    })
}

fn dial(args: NetworkArgs, tls: TlsOptions) -> Result<DialOptions> {
    let NetworkArgs { ipv4, ipv6, resolve, connect_to, interface, unix_socket } = args;
    Ok(DialOptions {
        family: match (ipv4, ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        },
        tls,
        unix_socket,
        resolve: resolve
            .iter()
            .map(|typed| {
                of("--resolve", typed.parse::<Resolve>())
                    .map_err(|e| e.hint("for example: --resolve example.com:443:192.0.2.1"))
            })
            .collect::<Result<_>>()?,
        connect_to: connect_to
            .iter()
            .map(|typed| {
                of("--connect-to", typed.parse::<ConnectTo>())
                    .map_err(|e| e.hint("for example: --connect-to example.com:443:localhost:8443"))
            })
            .collect::<Result<_>>()?,
        interface,
        proxy: None,
    })
}

fn tls(args: TlsArgs) -> Result<TlsOptions> {
    let TlsArgs { insecure, cacert, cert, key, pass, pinnedpubkey, sni, alpn, tls12, tls13 } = args;
    Ok(TlsOptions {
        insecure,
        cacert,
        cert,
        key,
        pass: pass_phrase(pass)?,
        sni: match sni.as_deref() {
            None => Sni::Auto,
            Some("off") => Sni::Off,
            Some(name) => Sni::Name(name.to_owned()),
        },
        alpn,
        versions: match (tls12, tls13) {
            (true, _) => Versions::Only12,
            (_, true) => Versions::Only13,
            _ => Versions::Any,
        },
        pinned: pinnedpubkey
            .as_deref()
            .map_or_else(|| Ok(Pins::default()), |typed| of("--pinnedpubkey", typed.parse()))?,
        names: TLS_NAMES,
    })
}

/// Names the option in an error about its value.
fn of<T>(option: &str, value: Result<T>) -> Result<T> {
    value.map_err(|e| Error { what: format!("{option} {}", e.what), ..e })
}

/// The pass phrase of an encrypted private key.
///
/// # Errors
/// After `@`: exit 2 for a variable, 13 for a file that can't be read.
pub fn pass_phrase(typed: Option<String>) -> Result<Option<Secret<String>>> {
    Ok(typed.as_deref().map(files::secret).transpose()?.map(Secret::new))
}

/// The proxies of the options, else those of the environment.
fn proxies(args: ProxyArgs, tls: &TlsArgs) -> Result<Proxies> {
    let ProxyArgs { proxy, proxy_user, noproxy } = args;
    let typed = match proxy.as_deref() {
        Some("") => Some(None),
        Some(typed) => Some(Some(files::secret(typed)?.parse::<Proxy>()?)),
        None => None,
    };
    Ok(Proxies {
        typed,
        excepted: noproxy,
        credentials: proxy_user.as_deref().map(credentials).transpose()?,
        tls: TlsOptions { cacert: tls.cacert.clone(), names: TLS_NAMES, ..TlsOptions::default() },
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
