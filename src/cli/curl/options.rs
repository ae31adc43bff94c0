//! All options of curl 8, and what each means here.

/// What one of curl's options means here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Means {
    /// A bearer token.
    Bearer,
    /// A request with a body, which can't open a WebSocket.
    Body,
    /// Cookies, or a file of them.
    Cookie,
    /// A body, or with `--get` a part of the query.
    Data,
    /// The same, percent-encoded where it needs to be.
    DataEncoded,
    /// A flag of ours.
    Flag(&'static str),
    /// The data go into the query.
    Get,
    /// A request without a body in the answer, which can't open a WebSocket.
    Head,
    /// A field.
    Header,
    /// Not supported: left out, with a note.
    LeftOut,
    /// The same, with a value.
    LeftOutWith,
    /// The method.
    Method,
    /// What follows is another command.
    Next,
    /// Without effect on the connection.
    Nothing,
    /// A part of the query.
    Query,
    /// The Referer.
    Referer,
    /// A proxy of that scheme.
    Proxy(&'static str),
    /// A limit in seconds; 0 means none.
    Time(&'static str),
    /// The highest version of TLS.
    TlsMax,
    /// What is sent, from a file; `.` and `-` are standard input.
    Upload,
    /// The URL.
    Url,
    /// User name and password.
    User,
    /// The User-Agent.
    UserAgent,
    /// An option of ours with a value.
    Value(&'static str),
}

impl Means {
    pub(super) fn takes_value(self) -> bool {
        !matches!(
            self,
            Means::Flag(_)
                | Means::Get
                | Means::Head
                | Means::LeftOut
                | Means::Next
                | Means::Nothing
        )
    }
}

/// What a long option means; `None` if curl has none of that name.
pub(super) fn long(name: &str) -> Option<Means> {
    // `--expand-header` is `--header` with curl's own variables.
    let name = name.strip_prefix("expand-").unwrap_or(name);
    let listed = |list: &str| list.split_ascii_whitespace().any(|known| known == name);
    let own = OPTIONS.iter().find(|(long, _)| *long == name).map(|(_, means)| *means);
    own.or_else(|| {
        [(NOTHING, Means::Nothing), (LEFT_OUT, Means::LeftOut), (LEFT_OUT_WITH, Means::LeftOutWith)]
            .into_iter()
            .find_map(|(list, means)| listed(list).then_some(means))
    })
}

/// The long option of a letter.
pub(super) fn of_letter(letter: char) -> Option<&'static str> {
    LETTERS.iter().find(|(short, _)| *short == letter).map(|(_, long)| *long)
}

const OPTIONS: &[(&str, Means)] = &[
    ("anyauth", Means::Flag("anyauth")),
    ("cacert", Means::Value("cacert")),
    ("capath", Means::Value("cacert")),
    ("cert", Means::Value("cert")),
    ("connect-timeout", Means::Time("connect-timeout")),
    ("connect-to", Means::Value("connect-to")),
    ("cookie", Means::Cookie),
    ("data", Means::Data),
    ("data-ascii", Means::Data),
    ("data-binary", Means::Data),
    ("data-raw", Means::Data),
    ("data-urlencode", Means::DataEncoded),
    ("digest", Means::Flag("digest")),
    ("follow", Means::Flag("location")),
    ("form", Means::Body),
    ("form-string", Means::Body),
    ("get", Means::Get),
    ("head", Means::Head),
    ("header", Means::Header),
    ("insecure", Means::Flag("insecure")),
    ("interface", Means::Value("interface")),
    ("ipv4", Means::Flag("ipv4")),
    ("ipv6", Means::Flag("ipv6")),
    ("json", Means::Body),
    ("key", Means::Value("key")),
    ("location", Means::Flag("location")),
    ("location-trusted", Means::Flag("location")),
    ("max-redirs", Means::Value("max-redirs")),
    ("max-time", Means::Time("max-time")),
    ("netrc", Means::Flag("netrc")),
    ("netrc-file", Means::Value("netrc-file")),
    ("next", Means::Next),
    ("noproxy", Means::Value("noproxy")),
    ("oauth2-bearer", Means::Bearer),
    ("pass", Means::Value("pass")),
    ("path-as-is", Means::Flag("path-as-is")),
    ("pinnedpubkey", Means::Value("pinnedpubkey")),
    ("proxy", Means::Value("proxy")),
    ("proxy-user", Means::Value("proxy-user")),
    ("proxy1.0", Means::Proxy("http")),
    ("referer", Means::Referer),
    ("request", Means::Method),
    ("request-target", Means::Value("request-target")),
    ("resolve", Means::Value("resolve")),
    ("socks5", Means::Proxy("socks5")),
    ("socks5-hostname", Means::Proxy("socks5h")),
    ("tls-max", Means::TlsMax),
    ("tlsv1.3", Means::Flag("tlsv1.3")),
    ("unix-socket", Means::Value("unix-socket")),
    ("upload-file", Means::Upload),
    ("url", Means::Url),
    ("url-query", Means::Query),
    ("user", Means::User),
    ("user-agent", Means::UserAgent),
    ("verbose", Means::Flag("verbose")),
];

/// Flags without effect on the connection, or with the effect that we have anyhow. For curl
/// `--tlsv1.2` and the like are minimum versions; our minimum is TLS 1.2.
const NOTHING: &str = "
    alpn basic buffer clobber compressed disable fail fail-early fail-with-body false-start globoff
    http1.1 include keepalive npn no-buffer parallel-immediate progress-bar progress-meter raw
    remote-time remove-on-error sessionid show-error silent ssl ssl-reqd styled-output
    suppress-connect-headers tcp-fastopen tcp-nodelay tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 trace-ids
    trace-time";

/// Other flags.
const LEFT_OUT: &str = "
    append ca-native cert-status compressed-ssh create-dirs crlf disable-eprt disable-epsv
    disallow-username-in-url doh-cert-status doh-insecure eprt epsv form-escape ftp-create-dirs
    ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl ftp-ssl-ccc ftp-ssl-control ftp-ssl-reqd
    haproxy-protocol help http0.9 http1.0 http2 http2-prior-knowledge http3 http3-only
    ignore-content-length junk-session-cookies list-only mail-rcpt-allowfails manual metalink mptcp
    negotiate netrc-optional ntlm ntlm-wb out-null parallel post301 post302 post303 proxy-anyauth
    proxy-basic proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm
    proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel remote-header-name
    remote-name remote-name-all retry-all-errors retry-connrefused sasl-ir skip-existing socks5-basic
    socks5-gssapi socks5-gssapi-nec ssl-allow-beast ssl-auto-client-cert ssl-no-revoke
    ssl-revoke-best-effort sslv2 sslv3 test-event tftp-no-options tls-earlydata tr-encoding use-ascii
    version xattr";

/// Options with a value.
const LEFT_OUT_WITH: &str = "
    abstract-unix-socket alt-svc aws-sigv4 cert-type ciphers config continue-at cookie-jar
    create-file-mode crlfile curves delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers
    doh-url dump-ca-embed dump-header ech egd-file engine etag-compare etag-save expect100-timeout
    ftp-account ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode
    happy-eyeballs-timeout-ms haproxy-clientip hostpubmd5 hostpubsha256 hsts ip-tos ipfs-gateway
    keepalive-cnt keepalive-time key-type knownhosts krb libcurl limit-rate local-port login-options
    mail-auth mail-from mail-rcpt max-filesize output output-dir parallel-max parallel-max-host
    preproxy proto proto-default proto-redir proxy-cacert proxy-capath proxy-cert proxy-cert-type
    proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey
    proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser pubkey
    quote random-file range rate retry retry-delay retry-max-time sasl-authzid service-name
    sigalgs socks4 socks4a socks5-gssapi-service speed-limit speed-time ssl-sessions stderr
    telnet-option tftp-blksize time-cond tls13-ciphers tlsauthtype tlspassword tlsuser trace
    trace-ascii trace-config upload-flags variable vlan-priority write-out";

#[rustfmt::skip]
const LETTERS: &[(char, &str)] = &[
    ('#', "progress-bar"), ('0', "http1.0"), ('1', "tlsv1"), ('2', "sslv2"), ('3', "sslv3"),
    ('4', "ipv4"), ('6', "ipv6"), (':', "next"), ('A', "user-agent"), ('B', "use-ascii"),
    ('C', "continue-at"), ('D', "dump-header"), ('E', "cert"), ('F', "form"), ('G', "get"),
    ('H', "header"), ('I', "head"), ('J', "remote-header-name"), ('K', "config"),
    ('L', "location"), ('M', "manual"), ('N', "no-buffer"), ('O', "remote-name"),
    ('P', "ftp-port"), ('Q', "quote"), ('R', "remote-time"), ('S', "show-error"),
    ('T', "upload-file"), ('U', "proxy-user"), ('V', "version"), ('X', "request"),
    ('Y', "speed-limit"), ('Z', "parallel"), ('a', "append"), ('b', "cookie"),
    ('c', "cookie-jar"), ('d', "data"), ('e', "referer"), ('f', "fail"), ('g', "globoff"),
    ('h', "help"), ('i', "include"), ('j', "junk-session-cookies"), ('k', "insecure"),
    ('l', "list-only"), ('m', "max-time"), ('n', "netrc"), ('o', "output"), ('p', "proxytunnel"),
    ('q', "disable"), ('r', "range"), ('s', "silent"), ('t', "telnet-option"),
    ('u', "user"), ('v', "verbose"), ('w', "write-out"), ('x', "proxy"), ('y', "speed-time"),
    ('z', "time-cond"),
];

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;
    use crate::cli::layers::option;

    #[test]
    fn names_of_ours_are_ours() {
        let ours = Cli::command();
        for (name, means) in OPTIONS {
            if let Means::Flag(own) | Means::Time(own) | Means::Value(own) = means
                && *own != "location"
            {
                assert!(option(&ours, own).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn no_option_is_listed_twice_and_every_letter_has_one() {
        let lists = [NOTHING, LEFT_OUT, LEFT_OUT_WITH];
        let mut names: Vec<&str> =
            lists.into_iter().flat_map(str::split_ascii_whitespace).collect();
        names.extend(OPTIONS.iter().map(|(name, _)| *name));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        for (letter, name) in LETTERS {
            assert!(names.contains(name), "{letter}");
        }
    }

    /// Where there is a curl, its own list says which options have a value.
    #[test]
    fn curl_agrees() {
        let Ok(output) = std::process::Command::new("curl").args(["--help", "all"]).output() else {
            return;
        };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Some((letter, rest)) = line.split_once("--") else { continue };
            let name = rest.split([' ', '\t']).next().unwrap_or_default();
            let value = rest.get(name.len()..).is_some_and(|rest| rest.starts_with([' ']))
                && rest.get(name.len() + 1..).is_some_and(|rest| rest.starts_with(['<', '[']));
            let means = long(name).or_else(|| long(name.strip_prefix("no-")?));
            let means = means.unwrap_or_else(|| panic!("{name} is missing"));
            if name != "help" {
                assert_eq!(means.takes_value(), value, "{name}");
            }
            if let Some(letter) = letter.trim().strip_prefix('-').and_then(|l| l.chars().next()) {
                assert_eq!(of_letter(letter), Some(name), "{letter}");
            }
        }
    }
}
