//! The clap definition.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cli::layers::LayerOption;
use crate::cli::layers::MacroLines;
use crate::cli::values::{
    backoff, ends, nonzero_size, nonzero_time, one_of, ping_size, probe_name, size,
};
use crate::protocol::frame::Opcode;
use crate::report::payload::Format;
use crate::run::input::InputFormat;
use crate::run::reconnect::{Backoff, Ends};
use crate::text::typed::time;

const URL_HELP: &str =
    "ws://…, wss://…, or HOST[:PORT][/PATH], :PORT[/PATH], http(s)://…, or @PROFILE";

/// A WebSocket client and debugging tool: connect, talk, pipe, inspect and test.
#[derive(Debug, Parser)]
#[command(
    name = "wstap",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    override_usage = "wstap [OPTIONS] URL\n       wstap <inspect|check|doctor|ping|run|curl|serve|demo|explain|generate|help> …"
)]
pub struct Cli {
    /// The verb; without one, connect.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Arguments for connecting.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Notes to show before the run, one line each.
    #[arg(skip)]
    pub notes: Vec<String>,
    /// The lines of the profile's macros, by name.
    #[arg(skip)]
    pub macros: MacroLines,
}

/// The arguments of a connection.
#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// The URL to connect to.
    #[arg(value_name = "URL", required_unless_present = "connect", help = URL_HELP)]
    pub url: Option<String>,
    /// The URL, as wscat takes it
    #[arg(short = 'c', long, value_name = "URL", conflicts_with = "url")]
    pub connect: Option<String>,
    /// Session options.
    #[command(flatten)]
    pub talk: TalkArgs,
    /// Connection options.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Open a connection, report every rule, what comes, and why it failed
    Inspect(Box<InspectArgs>),
    /// Measure how long the answers to pings, or to messages, take
    Ping(Box<PingArgs>),
    /// Find why a connection fails: experiments, each with its outcome
    Doctor(Box<DoctorArgs>),
    /// Play scripts of sessions and judge them: tests of a server
    #[command(visible_alias = "test")]
    Run(Box<RunArgs>),
    /// Probe a server: which rules of RFC 6455 and RFC 7692 it keeps
    Check(Box<CheckArgs>),
    /// Connect as a curl command would, such as a browser's "Copy as cURL"
    Curl(Box<CurlArgs>),
    /// Run a server for trying and testing
    Serve(Box<ServeArgs>),
    /// Start an echo server on a free port and connect to it
    Demo(Box<DemoArgs>),
    /// Explain a close code, bytes of frames, a header or a term; offline
    Explain(ExplainArgs),
    /// Write the man page or the completions of a shell
    Generate(GenerateArgs),
    /// Show the options of a verb
    Help(HelpArgs),
}

/// `wstap curl`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct CurlArgs {
    /// The command as one word, or behind the word curl in many; without one, or for -, it is read
    /// from standard input
    #[arg(value_name = "COMMAND")]
    pub url: String,
    /// Session options.
    #[command(flatten)]
    pub talk: TalkArgs,
    /// Connection options.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// `wstap demo`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct DemoArgs {
    /// Show a short script, and play it
    #[arg(long, help_heading = "Scripts")]
    pub script: bool,
    /// Session options.
    #[command(flatten)]
    pub talk: TalkArgs,
    /// Connection options.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// `wstap inspect URL`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct InspectArgs {
    /// The URL to connect to.
    #[arg(value_name = "URL", help = URL_HELP)]
    pub url: String,
    /// What is done on the open connection.
    #[command(flatten)]
    pub look: LookArgs,
    /// Report as JSON Lines
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Network, request and view options.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// What `wstap inspect` does on an open connection.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Messages")]
pub struct LookArgs {
    /// Send this text after opening; can be repeated
    #[arg(short = 'x', long = "send", value_name = "TEXT")]
    pub send: Vec<String>,
    /// How long to watch the open connection [default: 500ms]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub wait: Option<Duration>,
}

/// `wstap doctor URL`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct DoctorArgs {
    /// Whom to examine.
    #[arg(value_name = "URL", help = URL_HELP)]
    pub url: String,
    /// Wait without a message until the connection is cut, to find the idle timeout; -m limits it
    #[arg(long, help_heading = "Experiments")]
    pub idle: bool,
    /// Report as JSON Lines
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Network, request and view options.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// `wstap ping URL`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct PingArgs {
    /// Whom to connect to.
    #[arg(value_name = "URL", help = URL_HELP)]
    pub url: String,
    /// End after so many pings, when each was answered or lost [default: without end]
    #[arg(
        short = 'c',
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..),
        help_heading = "Pings"
    )]
    pub count: Option<u64>,
    /// From one ping to the next; 0 sends the next one as soon as the last was answered
    #[arg(
        short = 'i',
        long,
        value_name = "TIME",
        value_parser = time,
        default_value = "1",
        help_heading = "Pings"
    )]
    pub interval: Duration,
    /// The payload of a ping, at most 125
    #[arg(
        long,
        value_name = "BYTES",
        value_parser = ping_size,
        default_value = "8",
        help_heading = "Pings"
    )]
    pub size: usize,
    /// Send this text as a message instead, for servers that answer no pings; the next message that
    /// comes is its answer
    #[arg(long, value_name = "TEXT", conflicts_with = "size", help_heading = "Pings")]
    pub message: Option<String>,
    /// An answer that takes longer is lost
    #[arg(
        long,
        value_name = "TIME",
        value_parser = nonzero_time,
        default_value = "5",
        help_heading = "Pings"
    )]
    pub within: Duration,
    /// Print events as JSON Lines on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Network, request and view options.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// `wstap check URL`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct CheckArgs {
    /// The server.
    #[arg(value_name = "URL", help = URL_HELP, required_unless_present = "list")]
    pub url: Option<String>,
    /// Only these probes or groups
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = probe_name, help_heading = "Probes")]
    pub only: Vec<String>,
    /// Not these probes or groups
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = probe_name, help_heading = "Probes")]
    pub skip: Vec<String>,
    /// A failure of these probes doesn't count
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = probe_name, help_heading = "Probes")]
    pub allow: Vec<String>,
    /// A warning counts as a failure, too
    #[arg(long, help_heading = "Probes")]
    pub deny_warnings: bool,
    /// The server sends every message back; without this option it is tried
    #[arg(long, help_heading = "Probes")]
    pub echo: bool,
    /// A message that the server understands, to see whether it comes back
    #[arg(long, value_name = "TEXT", default_value = "wstap check", help_heading = "Probes")]
    pub send: String,
    /// How long an answer may take
    #[arg(long, value_name = "TIME", value_parser = nonzero_time, default_value = "2", help_heading = "Probes")]
    pub patience: Duration,
    /// Also try what a server on a shared machine would feel: the group limits
    #[arg(long, help_heading = "Probes")]
    pub intrusive: bool,
    /// The largest message that --intrusive tries
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = nonzero_size,
        default_value = "64M",
        help_heading = "Probes"
    )]
    pub up_to: usize,
    /// The longest silence that --intrusive tries
    #[arg(
        long,
        value_name = "TIME",
        value_parser = nonzero_time,
        default_value = "20",
        help_heading = "Probes"
    )]
    pub idle: Duration,
    /// List the probes: id, clause, and what a pass proves
    #[arg(long, help_heading = "Probes")]
    pub list: bool,
    /// Tell and count only what differs from an earlier run: its output with --json
    #[arg(long, value_name = "FILE", help_heading = "Probes")]
    pub baseline: Option<PathBuf>,
    /// Report as TAP 14
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    pub tap: bool,
    /// Write the results as JUnit's XML to this file, too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// Report as JSON Lines
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Network, request and view options.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// `wstap run FILE…`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct RunArgs {
    /// Scripts, or folders that are searched deeply for *.wst
    #[arg(value_name = "FILE|FOLDER", required = true)]
    pub files: Vec<PathBuf>,
    /// The scripts' {{url}}
    #[arg(long, value_name = "URL", help_heading = "Scripts")]
    pub url: Option<String>,
    /// Set a variable; can be repeated
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Scripts")]
    pub var: Vec<String>,
    /// Set the variables of this file (TOML or .env), whose values no report shows
    #[arg(long, value_name = "FILE", help_heading = "Scripts")]
    pub vars: Vec<PathBuf>,
    /// How long an expectation waits
    #[arg(
        long,
        value_name = "TIME",
        value_parser = nonzero_time,
        default_value = "5",
        help_heading = "Scripts"
    )]
    pub within: Duration,
    /// So many files at once [default: the number of processors]
    #[arg(
        short = 'j',
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Scripts"
    )]
    pub jobs: Option<u16>,
    /// Only tests whose name matches
    #[arg(long, value_name = "REGEX", help_heading = "Scripts")]
    pub only: Option<String>,
    /// Only tests with one of these tags
    #[arg(long, value_name = "TAG", value_delimiter = ',', help_heading = "Scripts")]
    pub tag: Vec<String>,
    /// No tests with one of these tags
    #[arg(long, value_name = "TAG", value_delimiter = ',', help_heading = "Scripts")]
    pub skip_tag: Vec<String>,
    /// Begin no test after one has failed
    #[arg(long, help_heading = "Scripts")]
    pub fail_fast: bool,
    /// Play a test that fails again, N times at most; if it passes then, it is flaky
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Scripts")]
    pub retry: u32,
    /// Play files and tests in another order; a seed repeats one
    #[arg(
        long,
        value_name = "SEED",
        num_args = 0..=1,
        require_equals = true,
        help_heading = "Scripts"
    )]
    pub shuffle: Option<Option<u64>>,
    /// List the tests
    #[arg(long, conflicts_with = "check", help_heading = "Scripts")]
    pub list: bool,
    /// Only check that the scripts are right
    #[arg(long, help_heading = "Scripts")]
    pub check: bool,
    /// Print results as TAP 14 on standard output
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    pub tap: bool,
    /// Print events and results as JSON Lines on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write results as JUnit's XML to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// Write a page of HTML to this file: tests, failures, and what happened on each connection
    #[arg(long, value_name = "html=FILE", value_parser = page, help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// Pings and lenient reading.
    #[command(flatten)]
    pub(crate) liveness: LivenessArgs,
    /// Network, request and view options, for all connections.
    #[command(flatten)]
    pub reach: ReachArgs,
    /// The options that were given for all connections.
    #[arg(skip)]
    pub(crate) connection: Vec<LayerOption>,
}

/// Connection options, in groups; one function of `settings` translates each group.
#[derive(Args, Debug)]
#[group(skip)]
pub struct ReachArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    #[command(flatten)]
    pub(crate) login: LoginArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) proxy: ProxyArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    #[command(flatten)]
    pub(crate) protocol: ProtocolArgs,
    #[command(flatten)]
    pub(crate) view: ViewArgs,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Options of the upgrade request.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestArgs {
    /// Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one
    /// a line
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Put a line into the request's head as it is, even if it breaks the grammar
    #[arg(long = "raw-header", value_name = "LINE")]
    pub raw_headers: Vec<OsString>,
    /// Offer subprotocols, the preferred one first
    #[arg(short = 's', long = "subprotocol", value_name = "NAME", value_delimiter = ',')]
    pub subprotocols: Vec<String>,
    /// Send the URL's path as it is typed: with its dots, percent escapes and case
    #[arg(long)]
    pub path_as_is: bool,
    /// Send this as the request's target instead of the URL's path and query; a redirect ends it
    #[arg(long, value_name = "TEXT")]
    pub request_target: Option<String>,
    /// Send this Origin
    #[arg(short = 'o', long, value_name = "ORIGIN")]
    pub origin: Option<String>,
    /// Send this User-Agent; empty for none
    #[arg(short = 'A', long, value_name = "TEXT")]
    pub user_agent: Option<String>,
    /// Send this Cookie; @FILE reads it from a file
    #[arg(long, value_name = "NAME=VALUE; …")]
    pub cookie: Option<String>,
    /// Send the cookies of this file (Netscape's format), and keep in it what the server sets
    #[arg(long, value_name = "FILE")]
    pub cookie_jar: Option<PathBuf>,
    /// Follow redirects; to another origin without logins, cookies and tokens
    #[arg(short = 'L', long)]
    pub location: bool,
    /// The most redirects that -L follows
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub max_redirs: usize,
}

/// Login options.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Login")]
pub(crate) struct LoginArgs {
    /// Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a
    /// file, @env:NAME from the environment, here and for all other secrets
    #[arg(short = 'u', long, value_name = "USER:PASSWORD")]
    pub user: Option<String>,
    /// Log in with Digest alone, so that the password never goes over the wire
    #[arg(long, conflicts_with = "anyauth")]
    pub digest: bool,
    /// Wait for what the server asks for, then log in with the safest of it
    #[arg(long)]
    pub anyauth: bool,
    /// Log in with a bearer token; @FILE reads it from a file
    #[arg(long, value_name = "TOKEN", conflicts_with = "user")]
    pub bearer: Option<String>,
    /// Without -u, log in with what ~/.netrc has for the host
    #[arg(long)]
    pub netrc: bool,
    /// Like --netrc, with this file
    #[arg(long, value_name = "FILE")]
    pub netrc_file: Option<PathBuf>,
}

/// TLS options.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Go on with a server whose certificate can't be trusted, and say why it can't
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// Trust these certificates (PEM, a file or a folder) instead of the system's
    #[arg(long, value_name = "PATH")]
    pub cacert: Vec<PathBuf>,
    /// Authenticate with this client certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The client certificate's private key (PEM), if not in the same file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// The private key's pass phrase; @FILE reads it from a file
    #[arg(long, value_name = "PHRASE", requires = "cert")]
    pub pass: Option<String>,
    /// Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a
    /// file with the key (PEM or DER); also with --insecure
    #[arg(long, value_name = "KEYS")]
    pub pinnedpubkey: Option<String>,
    /// Send this name in the TLS handshake; "off" for none
    #[arg(long, value_name = "NAME")]
    pub sni: Option<String>,
    /// Offer these ALPN protocols
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub alpn: Vec<String>,
    /// Only TLS 1.2
    #[arg(long = "tlsv1.2", conflicts_with = "tls13")]
    pub tls12: bool,
    /// Only TLS 1.3
    #[arg(long = "tlsv1.3")]
    pub tls13: bool,
}

/// Network options.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Only IPv4
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// Only IPv6
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Use this address for that host and port
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    pub resolve: Vec<String>,
    /// Connect to another host and port; the request stays as it is
    #[arg(long, value_name = "HOST:PORT:HOST:PORT")]
    pub connect_to: Vec<String>,
    /// Connect over this network interface, or from this address
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
    /// Connect over this Unix socket
    #[arg(long, value_name = "PATH")]
    pub unix_socket: Option<PathBuf>,
}

/// Proxy options.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Network")]
pub(crate) struct ProxyArgs {
    /// Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for
    /// none, whatever the environment says
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Log in at the proxy; @FILE reads it from a file
    #[arg(long, value_name = "USER:PASSWORD")]
    pub proxy_user: Option<String>,
    /// Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be
    #[arg(long, value_name = "LIST")]
    pub noproxy: Option<String>,
}

/// Time limits of the connection.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Ending")]
pub(crate) struct TimeArgs {
    /// From the start until the connection is open
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10")]
    pub connect_timeout: Duration,
    /// While the server isn't up, keep trying for this long
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub wait_up: Option<Duration>,
    /// For everything; reaching it is exit code 11
    #[arg(short = 'm', long, value_name = "TIME", value_parser = time)]
    pub max_time: Option<Duration>,
}

/// Options of the opening handshake.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Protocol")]
pub(crate) struct ProtocolArgs {
    /// Offer compression with these parameters, as typed, instead of the usual ones
    #[arg(long, value_name = "PARAMS", conflicts_with = "no_deflate")]
    pub deflate: Option<String>,
    /// Offer no compression
    #[arg(long)]
    pub no_deflate: bool,
    /// Fail where the RFCs let a reader be lenient
    #[arg(long)]
    pub strict: bool,
    /// The longest response head to accept
    #[arg(long, value_name = "SIZE", value_parser = nonzero_size, default_value = "64K")]
    pub max_head: usize,
    /// The most headers to accept in a response
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub max_headers: usize,
}

/// Output options of every connection.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Output")]
pub(crate) struct ViewArgs {
    /// Show more: -v the connection, -vv each frame, -vvv each byte
    #[arg(short = 'v', long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Show payloads and failures only
    #[arg(short = 'q', long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Colours: auto, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: When,
    /// Write every event as a line of JSON to the end of this file, whatever else is shown
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Show passwords, tokens and cookies instead of ***
    #[arg(long)]
    pub show_secrets: bool,
}

/// Options about the configuration file.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigArgs {
    /// Read this configuration file instead of ~/.config/wstap/config.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
}

/// Session options: what happens over the open connection.
#[derive(Args, Debug)]
#[group(skip)]
pub struct TalkArgs {
    #[command(flatten)]
    pub(crate) messages: MessageArgs,
    #[command(flatten)]
    pub(crate) ending: EndingArgs,
    #[command(flatten)]
    pub(crate) liveness: LivenessArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Message options.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Messages")]
pub(crate) struct MessageArgs {
    /// Send this text after opening, then go on as usual; @FILE sends a file as one message, @@TEXT
    /// a text that begins with @; can be repeated
    #[arg(short = 'x', long = "send", value_name = "TEXT")]
    pub send: Vec<String>,
    /// Read no input and show no prompt, as with </dev/null
    #[arg(short = 'N', long)]
    pub no_input: bool,
    /// Send the input, and the files of -x, as binary messages
    #[arg(short = 'b', long)]
    pub binary: bool,
    /// Read \n, \r, \t, \0, \\, \xHH and \u{…} in -x and in the input as what they stand for
    #[arg(long)]
    pub escapes: bool,
    /// How standard input is cut into messages: line, null, whole, raw, or json commands
    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = one_of(&InputFormat::ALL),
        default_value = "line",
        hide_possible_values = true
    )]
    pub input: InputFormat,
    /// Fill each message of --input raw to this size, but the last one [default: as it is read]
    #[arg(long, value_name = "SIZE", value_parser = nonzero_size)]
    pub chunk: Option<usize>,
    /// Leave the end of each line in its message
    #[arg(long)]
    pub keep_newline: bool,
    /// Of the events that --input json reads, send the messages that went out, not those that came in
    #[arg(long)]
    pub replay_out: bool,
    /// Send each message only when an answer to the one before has come (that matches)
    #[arg(long, value_name = "REGEX", num_args = 0..=1, require_equals = true)]
    pub lockstep: Option<Option<String>>,
    /// The longest wait of --lockstep, or of a "wait" of --input json, for an answer; then exit code
    /// 11 [default: without end]
    #[arg(long, value_name = "TIME", value_parser = nonzero_time)]
    pub within: Option<Duration>,
    /// Pause after each message that is sent
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub pace: Option<Duration>,
    /// Answer each message that matches with TEXT (as of -x), in which $1 or $name is what a group of
    /// the pattern has matched; can be repeated
    #[arg(long, value_name = "REGEX=TEXT")]
    pub on: Vec<String>,
    /// Send TEXT (as of -x) at this interval; can be repeated
    #[arg(long, value_name = "TIME=TEXT")]
    pub every: Vec<String>,
    /// Send messages in frames of at most this many bytes
    #[arg(long, value_name = "SIZE", value_parser = nonzero_size)]
    pub fragment: Option<usize>,
    /// Send every received message back, with its own type and bytes; reads no input
    #[arg(long)]
    pub echo: bool,
    /// The largest message to accept [default: 64M where it must be held in memory or was
    /// compressed, else 4G]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_message: Option<u64>,
    /// The most fragments of a message
    #[arg(long, value_name = "N", default_value_t = 131_072)]
    pub max_fragments: u32,
}

/// Options for the end of the session.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Ending")]
pub(crate) struct EndingArgs {
    /// End after this many received messages, however long they take
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// End at a received message that matches this pattern
    #[arg(long, value_name = "REGEX")]
    pub until: Option<String>,
    /// At the end of the input, end after this much silence; "forever" for never [default: 1; with
    /// --count, --until, --duration or --every: forever]
    #[arg(
        short = 'w',
        long,
        value_name = "TIME",
        value_parser = linger,
        allow_negative_numbers = true
    )]
    pub linger: Option<LingerArg>,
    /// Close at the end of the input; what arrives before the peer's Close is still printed
    #[arg(short = 'E', long, conflicts_with = "linger")]
    pub exit_on_eof: bool,
    /// End the open session, in order, after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub duration: Option<Duration>,
    /// The status code of our Close frame
    #[arg(long, value_name = "CODE", default_value_t = 1000)]
    pub close_code: u16,
    /// The reason in our Close frame, at most 123 bytes
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub close_reason: String,
    /// Codes with which the peer may close, besides 1000 and 1001
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub ok_close: Vec<u16>,
    /// Connect again when a connection fails or is lost, N times in a row at most [default: without
    /// end]
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub reconnect: Option<Option<u32>>,
    /// The ends of an open connection that --reconnect follows: close codes and ranges of them (1005
    /// for none), lost (1006), or any
    #[arg(
        long,
        value_name = "CODES",
        value_parser = ends,
        default_value = "lost,1001,1011-1014",
        requires = "reconnect")]
    pub reconnect_on: Ends,
    /// Wait this long before reconnecting: the first wait, and the longest one it grows to
    #[arg(
        long,
        value_name = "MIN[..MAX]",
        value_parser = backoff,
        default_value = "500ms..30s",
        requires = "reconnect")]
    pub backoff: Backoff,
}

/// Options for pings and lenient reading.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Protocol")]
pub(crate) struct LivenessArgs {
    /// Send a ping at this interval
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub ping_interval: Option<Duration>,
    /// Give up (exit code 11) when a ping stays unanswered for this long [default: 10 with
    /// --ping-interval]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub ping_timeout: Option<Duration>,
    /// Accept text messages that are not UTF-8, with a warning
    #[arg(long)]
    pub lossy: bool,
    /// Send no ping that wasn't typed, not even at the end of the input
    #[arg(long, conflicts_with = "ping_interval")]
    pub no_ping: bool,
    /// Leave pings unanswered
    #[arg(long)]
    pub no_pong: bool,
}

/// Output options of a session.
#[derive(Args, Debug)]
#[group(skip)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print events as JSON Lines on standard output
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// How received messages are printed: line, raw, null, hex or json
    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = one_of(&Format::ALL),
        default_value = "line",
        hide_possible_values = true
    )]
    pub output: Format,
    /// Inflate received binary messages that are gzip, zlib or deflate, before anything else sees them
    #[arg(long)]
    pub inflate: bool,
    /// Print and count only the received messages of this type: text or binary
    #[arg(
        long,
        value_name = "TYPE",
        value_parser = one_of(&TYPES),
        hide_possible_values = true,
        conflicts_with = "json"
    )]
    pub only: Option<Opcode>,
    /// Show binary messages whole in hex at the prompt
    #[arg(long)]
    pub hex: bool,
    /// Indent and colour JSON messages
    #[arg(long)]
    pub pretty: bool,
    /// The time of day with its offset before each line for people, and before each message that is
    /// printed as a line
    #[arg(short = 't', long)]
    pub timestamps: bool,
    /// As -t, in UTC
    #[arg(long)]
    pub utc: bool,
    /// The time since the line before, in the same places
    #[arg(long)]
    pub delta: bool,
    /// Write the session as a script, which wstap run plays again
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// The file of `--report`.
fn page(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("html=").filter(|path| !path.is_empty()) {
        Some(path) => Ok(PathBuf::from(path)),
        None => Err("it is html=FILE".to_owned()),
    }
}

/// The types of messages, for `--only`.
const TYPES: [(&str, &str, Opcode); 2] =
    [("binary", "Binary messages", Opcode::Binary), ("text", "Texts", Opcode::Text)];

/// `--linger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LingerArg(pub Option<Duration>);

fn linger(text: &str) -> Result<LingerArg, String> {
    match text {
        "forever" => Ok(LingerArg(None)),
        text => match time(text) {
            Ok(time) => Ok(LingerArg(Some(time))),
            Err(why) => Err(format!("{why}, or forever")),
        },
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// Always.
    Always,
    /// If standard error is a terminal and the environment doesn't forbid them.
    Auto,
    /// Never.
    Never,
}

/// `wstap serve`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub address: String,
    /// echo: send each message back; chat: to all clients; time: push the time; sink: count;
    /// source: send messages, then close
    #[arg(long, default_value = "echo", hide_possible_values = true)]
    pub mode: ServeMode,
    /// Play the other side of this script: a server for clients whose own isn't there
    #[arg(long, value_name = "FILE", conflicts_with = "mode")]
    pub from: Option<PathBuf>,
    /// Between two pushes of the time
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1")]
    pub interval: Duration,
    /// How many messages the source sends
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub count: u64,
    /// How large the source's messages are
    #[arg(long, value_name = "SIZE", value_parser = nonzero_size, default_value = "100")]
    pub size: usize,
    /// The source sends binary messages
    #[arg(short = 'b', long)]
    pub binary: bool,
    /// Cut each message that is sent to this many bytes
    #[arg(long, value_name = "SIZE", value_parser = nonzero_size)]
    pub truncate: Option<usize>,
    /// Accept these subprotocols; the client's order decides
    #[arg(short = 's', long = "subprotocol", value_name = "NAME", value_delimiter = ',')]
    pub subprotocols: Vec<String>,
    /// Accept only these Origins
    #[arg(long = "origin", value_name = "ORIGIN", value_delimiter = ',')]
    pub origins: Vec<String>,
    /// Serve wss:// with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// The private key's pass phrase; @FILE reads it from a file
    #[arg(long, value_name = "PHRASE", requires = "key")]
    pub pass: Option<String>,
    /// Agree to no compression
    #[arg(long)]
    pub no_deflate: bool,
    /// The largest message to accept [default: 64M where it must be held in memory or was
    /// compressed, else 4G]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_message: Option<u64>,
    /// The most fragments of a message
    #[arg(long, value_name = "N", default_value_t = 131_072)]
    pub max_fragments: u32,
    /// The longest request head to accept
    #[arg(long, value_name = "SIZE", value_parser = nonzero_size, default_value = "64K")]
    pub max_head: usize,
    /// The most headers to accept in a request
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub max_headers: usize,
    /// Show more: -v each connection, -vv each frame, -vvv each byte
    #[arg(short = 'v', long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Print events as JSON Lines on standard output, each with its client's number
    #[arg(long)]
    pub json: bool,
}

/// The modes of `wstap serve`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ServeMode {
    /// Broadcast to all clients.
    Chat,
    /// Send each message back.
    #[default]
    Echo,
    /// Count.
    Sink,
    /// Send messages, then close.
    Source,
    /// Push the time.
    Time,
}

/// `wstap explain`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct ExplainArgs {
    /// 1006, "81 85 37…", permessage-deflate, exit 9, …; bytes also as a dump (xxd, hexdump, tcpdump
    /// -X, Wireshark), an array or string of a program, base64, or -vvv's lines; - reads them from
    /// standard input
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

/// `wstap generate`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct GenerateArgs {
    /// man, bash, zsh, fish, powershell or elvish
    #[arg(value_parser = one_of(&Generated::ALL), hide_possible_values = true)]
    pub what: Generated,
}

/// What `wstap generate` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// A shell's completions.
    Completions(Shell),
    /// The man page.
    Man,
}

impl Generated {
    /// Every target: its name, its help, and the value.
    pub const ALL: [(&str, &str, Generated); 6] = [
        ("bash", "Completions for bash", Generated::Completions(Shell::Bash)),
        ("elvish", "Completions for elvish", Generated::Completions(Shell::Elvish)),
        ("fish", "Completions for fish", Generated::Completions(Shell::Fish)),
        ("man", "The man page", Generated::Man),
        ("powershell", "Completions for PowerShell", Generated::Completions(Shell::PowerShell)),
        ("zsh", "Completions for zsh", Generated::Completions(Shell::Zsh)),
    ];
}

/// `wstap help`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct HelpArgs {
    /// inspect, ping, curl, …; without one, the first screen
    #[arg(value_name = "VERB")]
    pub verb: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_url_or_a_verb() {
        let typed = Cli::try_parse_from(["wstap", "-v", "example.org", "-n", "3"]).unwrap().connect;
        assert_eq!((typed.url.as_deref(), typed.talk.ending.count), (Some("example.org"), Some(3)));
        let verb = Cli::try_parse_from(["wstap", "explain", "1006"]).unwrap();
        assert!(matches!(verb.verb, Some(Verb::Explain(_))));
        assert!(Cli::try_parse_from(["wstap"]).is_err());
        assert!(Cli::try_parse_from(["wstap", "x", "--count", "0"]).is_err());
    }
}
