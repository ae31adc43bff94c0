//! What people type who know another tool (wscat, websocat, curl, wsrepl, wsstat, HTTPie, ncat,
//! socat), and the command line of wstap for what they meant.

use crate::text::typed::time;

/// Words with one meaning, and a hint for each sense that they have elsewhere: what it does, and
/// wstap's command line. `{8080}` in it becomes the number that was typed, `{10s}` the time.
type Habit = (&'static str, &'static [(&'static str, &'static str)]);

/// Options, for a connection and the verbs that open one.
#[rustfmt::skip]
const OPTIONS: &[Habit] = &[
    // Which server, and how it is reached.
    ("-l --listen --server --server-mode --bind-port", &[("to run a server", "wstap serve 127.0.0.1:{8080}")]),
    ("--url --uri --endpoint --address --target --ws-c-uri", &[("the URL needs no option", "wstap URL")]),
    ("--host --hostname", &[
        ("to send this Host field", "wstap -H 'Host: NAME' URL"),
        ("the host belongs to the URL", "wstap ws://HOST:8080/PATH"),
    ]),
    ("-p --port", &[
        ("the port belongs to the URL", "wstap ws://localhost:{8080}"),
        ("to run a server on it", "wstap serve 127.0.0.1:{8080}"),
    ]),
    ("--path --query --params", &[("path and query belong to the URL", "wstap 'ws://HOST/PATH?NAME=VALUE'")]),
    ("--ssl --tls --wss --secure --use-tls", &[("for TLS the URL begins with wss", "wstap wss://HOST/PATH")]),
    ("--no-tls --no-ssl --plain", &[("without TLS the URL begins with ws", "wstap ws://HOST/PATH")]),
    ("-z --scan", &[("to see whether it can be reached", "wstap inspect URL")]),
    ("--unix --unixsock --abstract-unix-socket", &[("over a Unix socket", "wstap --unix-socket PATH ws://localhost/")]),
    ("--source --local-addr --local-address --source-address", &[("to connect from an address of yours", "wstap --interface 127.0.0.1 URL")]),
    ("--preproxy --socks5 --socks5-hostname --socks --http-proxy --proxy-type --proxy1.0 --proxytunnel --https-proxy", &[
        ("through a proxy", "wstap --proxy http://127.0.0.1:3128 URL"),
        ("through a SOCKS proxy", "wstap --proxy socks5h://127.0.0.1:1080 URL"),
    ]),
    ("--proxy-auth --proxy-basic", &[("to log in at the proxy", "wstap --proxy http://127.0.0.1:3128 --proxy-user USER:PASSWORD URL")]),
    ("--dns-servers --doh-url --hosts", &[("to give a name's address", "wstap --resolve HOST:443:192.0.2.1 URL")]),

    // The request.
    ("-X --request --method --http-method", &[("the request of a WebSocket is always a GET", "wstap URL")]),
    ("-I --head", &[("to see the answer's head alone", "wstap inspect URL")]),
    ("-i --include --show-headers --show-response-headers --headers-only --print-headers --response-headers", &[
        ("to see the answer's head", "wstap -v URL"),
        ("to see the answer's head alone", "wstap inspect URL"),
    ]),
    ("-D --dump-header", &[("to see the answer's head", "wstap -v URL")]),
    ("--headers --request-header --add-header --set-header --http-header --extra-headers", &[("to add a header", "wstap -H 'NAME: VALUE' URL")]),
    ("--headers-file --header-file", &[("to add the headers of a file, one a line", "wstap -H @FILE URL")]),
    ("-e --referer --referrer", &[("to send a Referer", "wstap -H 'Referer: https://HOST/' URL")]),
    ("--ua --useragent --agent", &[("to send this User-Agent", "wstap -A TEXT URL")]),
    ("--cookies --set-cookie", &[("to send cookies", "wstap --cookie 'NAME=VALUE; NAME=VALUE' URL")]),
    ("-j --session --junk-session-cookies --cookie-file --load-cookies --save-cookies", &[("to send and keep the cookies of a file", "wstap --cookie-jar FILE URL")]),
    ("--protocol --protocols --sub --sub-protocol --ws-protocol --websocket-protocol --websocket-subprotocol", &[("to offer a subprotocol", "wstap -s NAME URL")]),
    ("--protocol-version --websocket-version", &[("to send another version of the protocol", "wstap -H 'Sec-WebSocket-Version: {13}' URL")]),
    ("--http1.1 --http1.0 --http0.9 --http2 --http3 --http2-prior-knowledge --http3-only --http-version --http", &[("it is always HTTP/1.1", "wstap URL")]),
    ("-F --follow --follow-redirects --location-trusted --redirect", &[("to follow redirects", "wstap -L URL")]),
    ("--max-redirects --max-redirect", &[("to follow redirects", "wstap -L --max-redirs {5} URL")]),
    ("-f --fail --fail-with-body --fail-early --check-status", &[("a refusal always fails, with exit code 6", "wstap URL")]),
    ("--compressed --compress --compression --compress-deflate --per-message-deflate --permessage-deflate --perMessageDeflate", &[
        ("compression is always offered; with other parameters", "wstap --deflate 'client_max_window_bits=10' URL"),
    ]),
    ("--no-compress --no-compression --uncompressed --disable-compression --no-per-message-deflate", &[("to offer no compression", "wstap --no-deflate URL")]),

    // Who we are.
    ("-a --auth --basic-auth --basic --login --username --user-name --password --passwd --credentials --http-user --http-password", &[
        ("to log in with a password", "wstap -u USER:PASSWORD URL"),
    ]),
    ("--auth-type --basic-auth-file --ntlm --negotiate", &[
        ("to log in with Basic or Digest, as the server wants", "wstap -u USER:PASSWORD --anyauth URL"),
    ]),
    ("--oauth2-bearer --token --bearer-token --access-token --auth-token --jwt --oauth", &[
        ("to log in with a token", "wstap --bearer TOKEN URL"),
        ("to read it from a file", "wstap --bearer @FILE URL"),
    ]),
    ("--api-key --apikey --key-header", &[("to send a key in a header", "wstap -H 'X-Api-Key: KEY' URL")]),

    // TLS.
    ("--no-check --no-check-certificate --no-verify --verify --verify-tls --no-verify-ssl --skip-verify --insecure-skip-verify --ignore-certificate --ignore-certs --ignore-ssl --allow-insecure --self-signed --ssl-no-verify --proxy-insecure", &[
        ("to go on with a certificate that can't be trusted", "wstap -k URL"),
    ]),
    ("--ca --capath --ca-cert --ca-file --cafile --root-cert --ssl-verify --ssl-trustfile --trust", &[("to trust an own CA", "wstap --cacert FILE URL")]),
    ("--client-cert --ssl-cert --certificate --cert-file --cert-key --ssl-key --key-file --private-key --client-pkcs12-der --cert-type --key-type --pfx", &[
        ("to send a client certificate", "wstap --cert FILE --key FILE URL"),
    ]),
    ("--passphrase --key-password --client-pkcs12-passwd", &[("to open an encrypted key", "wstap --cert FILE --key FILE --pass @FILE URL")]),
    ("--tls-domain --servername --server-name --tls-hostname --ssl-servername", &[("to send another name in the TLS handshake", "wstap --sni NAME URL")]),
    ("--ciphers --tls13-ciphers --ssl-ciphers --curves --ssl-alpn --tls-max --tlsv1 --tlsv1.0 --tlsv1.1 --sslv2 --sslv3 --tls-version --min-tls -2 -3", &[
        ("TLS 1.2 and 1.3 can be chosen", "wstap --tlsv1.2 URL"),
    ]),

    // Messages.
    ("-d --data --data-raw --data-ascii --data-urlencode --body --payload --content --execute --message --msg --text-message --preamble --initial-message", &[
        ("to send a message", "wstap -x TEXT URL"),
    ]),
    ("--data-binary --binary-message", &[("to send a file as a binary message", "wstap -b -x @FILE URL")]),
    ("--text --text-mode --mode", &[
        ("messages are text unless -b is given", "wstap URL"),
        ("to send a text", "wstap -x TEXT URL"),
    ]),
    ("-T --upload-file --file --input-file --read-file --from-file", &[
        ("to send a file as one message", "wstap -x @FILE URL"),
        ("to send each of its lines", "wstap URL <FILE"),
    ]),
    ("--initial-messages --initial-messages-file", &[("to send each line of a file", "wstap URL <FILE")]),
    ("-1 --one-message --oneshot --once --single", &[("to end after one answer", "wstap -n 1 URL")]),
    ("--max-messages --messages --limit --max-count --num", &[("to end after so many answers", "wstap -n {5} URL")]),
    ("-0 --null-terminated --null --print0", &[("messages that end with a NUL byte", "wstap --input null --output null URL")]),
    ("-U", &[
        ("to receive alone", "wstap -N URL"),
        ("curl's, to log in at the proxy", "wstap --proxy http://127.0.0.1:3128 --proxy-user USER:PASSWORD URL"),
        ("nc's, for a Unix socket", "wstap --unix-socket PATH ws://localhost/"),
    ]),
    ("--unidirectional-reverse --recv-only --receive-only --read-only --listen-only", &[("to receive alone", "wstap -N URL")]),
    ("--unidirectional --send-only --write-only", &[("to send alone", "wstap -E URL >/dev/null")]),
    ("--ignore-stdin --no-stdin", &[("to read no input", "wstap -N URL")]),
    ("--jsonrpc --jsonrpc-omit-jsonrpc --rpc --rpc-method", &[
        ("to call a method by JSON-RPC", r#"wstap -n 1 -x '{"jsonrpc":"2.0","id":1,"method":"NAME","params":[]}' URL"#),
    ]),
    ("--base64 --base64-text", &[("events with binary messages in Base64", "wstap --json URL")]),
    ("--linemode-strip-newlines --no-line --line --lines --line-mode", &[("each line is a message; without cutting", "wstap --input whole URL")]),
    ("--subscribe --stream --sub-message", &[("to send a text and print what comes", "wstap -x TEXT -w forever URL")]),
    ("--exec --sh-exec --command --cmd --run --pipe", &[
        ("to send what a program prints", "PROGRAM | wstap URL"),
        ("to give it what comes", "wstap URL | PROGRAM"),
    ]),
    ("--repeat --loop --times --every-seconds", &[
        ("to send a text at an interval", "wstap --every '5=TEXT' URL"),
    ]),
    ("--delay --sleep --wait-between --send-delay --rate", &[
        ("to wait between two lines of the input", "wstap --pace {1s} URL"),
        ("to send a text at an interval", "wstap --every '{1s}=TEXT' URL"),
    ]),
    ("--filter --grep --match --select", &[("to see some messages alone", "wstap URL | grep REGEX")]),
    ("--sync --wait-for-answer --wait-for-reply --request-response --ack", &[("to send a line when the last one was answered", "wstap --lockstep URL")]),
    ("--reply --respond --answer --auto-reply --respond-with --on-message", &[("to answer messages that match", "wstap --on 'REGEX=TEXT' URL")]),
    ("--script --scenario --test --test-file --play", &[("to play a script and judge it", "wstap run FILE --url URL")]),
    ("--decompress --gunzip --gzip --unzip", &[("to show binary messages inflated", "wstap --inflate URL")]),
    ("--jq", &[("to pick from JSON messages", "wstap URL | jq .")]),
    ("--expect --wait-for --assert --until-match --stop-on", &[("to end at a message that matches", "wstap --until REGEX URL")]),
    ("-B --buffer-size --max-payload --maxPayload --max-size --max-frame-size --max-ws-message-length --max-ws-frame-length", &[
        ("the largest message to accept", "wstap --max-message 1M URL"),
    ]),
    ("--frame-size --fragment-size --chunk-size", &[("to send messages in fragments", "wstap --fragment {1024} URL")]),

    // Time, and the end.
    ("--wait --wait-time --idle-timeout --inactivity-timeout", &[("to end after so much silence", "wstap -w {3s} URL")]),
    ("--timeout --timeouts --time-out", &[
        ("until the connection is open", "wstap --connect-timeout {10s} URL"),
        ("for everything", "wstap -m {10s} URL"),
        ("silence at the end of the input", "wstap -w {10s} URL"),
    ]),
    ("--global-timeout --deadline --run-time --time-limit", &[
        ("for everything, a failure", "wstap -m 10 URL"),
        ("to end in order after a time", "wstap --duration 10 URL"),
    ]),
    ("--handshake-timeout --open-timeout --dial-timeout --connection-timeout --connect-time", &[("until the connection is open", "wstap --connect-timeout {10s} URL")]),
    ("--no-close --no-shutdown --no-exit --keep-open --stay --hold --keep", &[("to stay after the end of the input", "wstap -w forever URL")]),
    ("--close-status-code --close-status --status-code", &[("the status code of our Close", "wstap --close-code {1000} URL")]),
    ("--retry --retries --max-retries --autoreconnect --auto-reconnect --reconnects --restart", &[("to connect again when the connection is lost", "wstap --reconnect={3} URL")]),
    ("--retry-delay --retry-interval --reconnect-interval --reconnect-delay --reconnect-wait", &[("to wait before connecting again", "wstap --reconnect --backoff {1s} URL")]),
    ("--retry-connrefused --retry-all-errors --retry-max-time --wait-for-server --wait-ready", &[
        ("to wait until the server answers", "wstap --wait-up {30s} URL"),
        ("to connect again when the connection is lost", "wstap --reconnect URL"),
    ]),
    ("--ping", &[
        ("to measure round trips", "wstap ping URL"),
        ("to send pings at an interval", "wstap --ping-interval {15s} URL"),
    ]),
    ("--keepalive --keep-alive --keepalive-time --keepalive-interval --heartbeat --heartbeat-interval --ping-0x1-interval --ping-every", &[
        ("to send pings at an interval", "wstap --ping-interval {15s} URL"),
        ("to send a text at an interval", "wstap --every '{15s}=TEXT' URL"),
    ]),
    ("--inhibit-pongs --no-pongs --no-auto-pong", &[("to leave pings unanswered", "wstap --no-pong URL")]),
    ("--print-ping-rtts --latency --rtt --burst", &[("to measure round trips", "wstap ping URL")]),

    // What is shown.
    ("-P --show-ping-pong --show-pings --show-control", &[("to see pings and pongs", "wstap -v URL")]),
    ("--hide-ping-pong --no-show-ping-pong", &[("pings and pongs are shown from -v on", "wstap URL")]),
    ("--slash --slash-commands --interactive --repl --cli --prompt", &[("commands with a slash always work at the prompt", "wstap URL")]),
    ("--silent --no-banner --hush", &[("payloads and failures only", "wstap -q URL")]),
    ("-S --show-error --show-errors --no-progress-meter --progress-bar --no-progress -#", &[("errors are always shown", "wstap -q URL")]),
    ("--no-buffer --unbuffered", &[("messages are printed as they come", "wstap URL")]),
    ("--trace --trace-ascii --trace-time --trace-ids --debug --dump --hexdump --log-traffic --log-hex --trace-all --debug-http --loglevel --log-level --verbosity", &[
        ("to see each byte", "wstap -vvv URL"),
        ("to see each frame", "wstap -vv URL"),
    ]),
    ("--log-file --logfile --save --write-log", &[
        ("to write what comes to a file", "wstap URL >FILE"),
        ("to write all events to a file", "wstap --log FILE URL"),
    ]),
    ("-O --remote-name --output-file --download --out --outfile", &[("to write what comes to a file", "wstap URL >FILE")]),
    ("--raw --raw-output", &[("the exact bytes, without line ends", "wstap --output raw URL")]),
    ("--format --output-format --json-output --ndjson", &[
        ("each message as JSON", "wstap --output json URL"),
        ("all events as JSON", "wstap --json URL"),
    ]),
    ("--write-out --print --stats --summary --show-timing --timing", &[("to see timings and totals", "wstap -v URL")]),
    ("--time --timestamp --show-time --log-timestamps", &[("the time before each line", "wstap -t URL")]),
    ("--no-color --no-colors --no-colour --monochrome --plain-text", &[("without colours", "wstap --color never URL")]),
    ("--colors --colour --colours --force-color", &[("with colours", "wstap --color always URL")]),
    ("--indent --json-pretty --prettify --format-json", &[("to indent JSON messages", "wstap --pretty URL")]),
    ("--config-file --rc --defaults", &[("to read another configuration file", "wstap --config FILE URL")]),
    ("-K --profile --env --environment --workspace", &[("a profile of the configuration file", "wstap @NAME")]),
    ("--curl --from-curl", &[("to connect as a curl command would", "wstap curl 'curl wss://HOST/PATH'")]),
    ("--generate-completion --completion --completions --generate --shell-completion", &[("the completions of a shell", "wstap generate bash")]),
    ("--man --manual -M", &[("the man page", "wstap generate man")]),
    ("--usage --options -? --help-all --longhelp", &[("all options", "wstap --help")]),
];

/// Options of a server.
#[rustfmt::skip]
const SERVE_OPTIONS: &[Habit] = &[
    ("-p -P -l --port --listen --listen-port", &[("the port belongs to the address", "wstap serve 127.0.0.1:{8080}")]),
    ("-a -h -H --host --hostname --bind --address --addr --ip --interface --public --all", &[
        ("for this machine", "wstap serve 127.0.0.1:8080"),
        ("for all that can reach it", "wstap serve 0.0.0.0:8080"),
    ]),
    ("--tls --ssl --wss --secure --https --certificate --ssl-cert --pkcs12-der --ssl-key", &[("to serve wss://", "wstap serve --cert FILE --key FILE")]),
    ("--echo -e", &[("messages are sent back unless another mode is given", "wstap serve")]),
    ("--broadcast --chat --broker --chat-mode", &[("to send each message to all clients", "wstap serve --mode chat")]),
    ("-t --text", &[("messages are sent back with their own type", "wstap serve")]),
    ("-n --max-messages --messages", &[("to send so many messages, then close", "wstap serve --mode source --count {5}")]),
    ("-i --push --every --time --tick", &[("to push the time", "wstap serve --mode time --interval {1s}")]),
    ("--protocol --protocols --server-protocol", &[("to accept a subprotocol", "wstap serve -s NAME")]),
    ("--allow-origin --origins --restrict-origin -o --cors", &[("to accept one Origin", "wstap serve --origin https://HOST")]),
    ("--no-compression --no-compress", &[("to agree to no compression", "wstap serve --no-deflate")]),
    ("--debug --trace --log-traffic --dump", &[("to see each byte", "wstap serve -vvv")]),
    ("-q --quiet --silent", &[("nothing is shown but where it listens", "wstap serve")]),
];

/// Options of ping(8) and its like.
#[rustfmt::skip]
const PING_OPTIONS: &[Habit] = &[
    ("-n --number --pings --times --repeat", &[("to end after so many pings", "wstap ping -c {5} URL")]),
    ("-w --deadline --duration", &[("to end after a time", "wstap ping -m {10s} URL")]),
    ("-W --timeout --wait", &[("how long a ping may take", "wstap ping --within {5s} URL")]),
    ("-f --flood", &[("one after the other", "wstap ping -i 0 URL")]),
    ("-l --length --packet-size --payload-size", &[("the payload's size in bytes", "wstap ping --size 100 URL")]),
    ("-t --forever", &[("until Ctrl-C, as always", "wstap ping URL")]),
    ("--delay --every --ping-interval", &[("from one ping to the next", "wstap ping -i {1s} URL")]),
    ("-x --text --data --send", &[("to send messages instead of pings", "wstap ping --message TEXT URL")]),
];

/// Addresses of websocat and socat, by what is before their colon.
#[rustfmt::skip]
const ADDRESSES: &[Habit] = &[
    ("- stdio asyncstdio threadedstdio stdin stdout inetd", &[("standard input and output are always used", "wstap URL")]),
    ("exec cmd sh-c system shell", &[
        ("to send what a program prints", "PROGRAM | wstap URL"),
        ("to give it what comes", "wstap URL | PROGRAM"),
    ]),
    ("ws-l ws-listen l-ws wss-l wss-listen inetd-ws ws-upgrade ws-u upgrade", &[("to run a server", "wstap serve 127.0.0.1:{8080}")]),
    ("tcp-l tcp-listen tcp4-listen tcp6-listen l-tcp listen unix-l unix-listen openssl-listen", &[("to run a WebSocket server", "wstap serve 127.0.0.1:{8080}")]),
    ("ws-c ws-connect c-ws", &[("to connect", "wstap URL")]),
    ("tcp tcp4 tcp6 tcp-c tcp-connect ssl tls openssl openssl-connect", &[("to speak WebSocket to this host and port", "wstap ws://HOST:{8080}")]),
    ("unix unix-c unix-connect abstract abstract-c", &[("over a Unix socket", "wstap --unix-socket PATH ws://localhost/")]),
    ("socks5-connect socks4 socks4a proxy", &[("through a proxy", "wstap --proxy socks5h://127.0.0.1:1080 URL")]),
    ("mirror echo", &[("to send each message back", "wstap --echo URL")]),
    ("literal text", &[("to send a text", "wstap -x TEXT URL")]),
    ("readfile file open gopen", &[("to send each line of a file", "wstap URL <FILE")]),
    ("writefile appendfile create", &[("to write what comes to a file", "wstap URL >FILE")]),
    ("autoreconnect reconnect", &[("to connect again when the connection is lost", "wstap --reconnect URL")]),
    ("broadcast", &[("to send each message to all clients", "wstap serve --mode chat")]),
    ("jsonrpc", &[("to call a method by JSON-RPC", r#"wstap -n 1 -x '{"jsonrpc":"2.0","id":1,"method":"NAME","params":[]}' URL"#)]),
    ("log", &[("to see each byte", "wstap -vvv URL")]),
    ("timestamp", &[("the time before each line", "wstap -t URL")]),
];

/// What looks like a verb, but is none.
#[rustfmt::skip]
const VERBS: &[Habit] = &[
    ("connect open dial client connection ws wss websocket repl shell prompt interactive console listen-to", &[("to connect", "wstap URL")]),
    ("listen server start daemon mock", &[("to run a server", "wstap serve 127.0.0.1:8080")]),
    ("version", &[("the version", "wstap --version")]),
    ("usage options commands", &[("all options", "wstap --help")]),
    ("send message publish emit", &[("to send a message", "wstap -x TEXT URL")]),
    ("recv receive tail watch subscribe sub", &[("to receive alone", "wstap -N URL")]),
    ("man manual docs", &[("the man page", "wstap generate man")]),
    ("completion completions", &[("the completions of a shell", "wstap generate bash")]),
    ("probe head info handshake verify", &[("the handshake alone, with a verdict", "wstap inspect URL")]),
    ("bench benchmark latency rtt", &[("to measure round trips", "wstap ping URL")]),
    ("decode describe what", &[("what bytes, codes and terms mean", "wstap explain 81 05 48 65 6c 6c 6f")]),
    ("try tutorial example", &[("to try it", "wstap demo")]),
    ("get fetch request", &[("to connect", "wstap URL")]),
];

/// The hints for an option that wstap hasn't got, typed with this value.
pub fn option(verb: Option<&str>, typed: &str, value: Option<&str>) -> Vec<String> {
    let own = match verb {
        Some("serve") => SERVE_OPTIONS,
        Some("ping") => PING_OPTIONS,
        _ => OPTIONS,
    };
    let found = hints(own, typed, value);
    // Nearly all is about a connection, and a server has none.
    if found.is_empty() && verb == Some("ping") { hints(OPTIONS, typed, value) } else { found }
}

/// The hints for an address that only websocat or socat knows: `exec:ls`.
pub fn address(typed: &str) -> Vec<String> {
    let (kind, rest) = typed.split_once(':').unwrap_or((typed, ""));
    let port = rest.split('/').next().unwrap_or_default();
    // A host and its port. Only the minus needs no colon.
    if (kind == typed && typed != "-") || (!rest.is_empty() && port.parse::<u16>().is_ok()) {
        return Vec::new();
    }
    let number = rest.rsplit(':').next();
    hints(ADDRESSES, &kind.to_ascii_lowercase(), number)
}

/// The hints for a word that other tools have as a verb.
pub fn verb(typed: &str) -> Vec<String> {
    hints(VERBS, &typed.to_ascii_lowercase(), None)
}

fn hints(habits: &[Habit], typed: &str, value: Option<&str>) -> Vec<String> {
    let known = |(words, _): &&Habit| words.split(' ').any(|word| word == typed);
    let senses = habits.iter().find(known).map_or(&[][..], |(_, senses)| senses);
    senses.iter().map(|(what, command)| format!("{what}: {}", filled(command, value))).collect()
}

/// Puts the typed value into the braces if it is of the kind of the one there.
fn filled(command: &str, value: Option<&str>) -> String {
    let Some((before, (default, behind))) =
        command.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return command.to_owned();
    };
    // Not a brace of JSON.
    if !default.starts_with(|c: char| c.is_ascii_digit()) {
        return command.to_owned();
    }
    let fits = |value: &&str| match default.strip_suffix('s') {
        Some(_) => time(value).is_ok_and(|time| !time.is_zero()),
        None => value.parse::<u16>().is_ok_and(|number| number > 0),
    };
    let value = value.filter(fits).unwrap_or(default.trim_end_matches('s'));
    format!("{before}{value}{behind}")
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::args::Cli;
    use crate::cli::usage::words;

    fn all() -> impl Iterator<Item = &'static Habit> {
        [OPTIONS, SERVE_OPTIONS, PING_OPTIONS, ADDRESSES, VERBS].into_iter().flatten()
    }

    #[test]
    fn every_command_line_of_a_hint_can_be_parsed() {
        for (_, senses) in all() {
            for (what, command) in *senses {
                for value in [
                    None,
                    Some("7"),
                    Some("9001"),
                    Some("1.5m"),
                    Some("0"),
                    Some("-1"),
                    Some("x y"),
                ] {
                    let hint = format!("{what}: {}", filled(command, value));
                    let parsed = Cli::try_parse_from(words(&hint).unwrap());
                    let shown = matches!(&parsed, Err(e) if !e.use_stderr());
                    assert!(parsed.is_ok() || shown, "{hint}: {}", parsed.unwrap_err());
                }
            }
        }
    }

    #[test]
    fn no_word_is_an_option_of_ours() {
        let command = Cli::command();
        for word in VERBS.iter().flat_map(|(words, _)| words.split(' ')) {
            assert!(command.find_subcommand(word).is_none(), "{word}");
        }
        for word in OPTIONS.iter().flat_map(|(words, _)| words.split(' ')) {
            let is_it = |arg: &clap::Arg| match word.strip_prefix("--") {
                Some(name) => arg.get_long() == Some(name),
                None => arg.get_short() == word.chars().nth(1),
            };
            assert!(!command.get_arguments().any(is_it), "{word}");
        }
    }

    #[test]
    fn no_word_is_there_twice() {
        for habits in [OPTIONS, SERVE_OPTIONS, PING_OPTIONS, ADDRESSES, VERBS] {
            let mut words: Vec<&str> =
                habits.iter().flat_map(|(words, _)| words.split(' ')).collect();
            words.sort_unstable();
            for pair in words.windows(2) {
                assert_ne!(pair[0], pair[1]);
            }
        }
    }

    #[test]
    fn values_are_used_where_they_fit() {
        assert_eq!(
            option(None, "-l", Some("9001")),
            ["to run a server: wstap serve 127.0.0.1:9001"]
        );
        assert_eq!(
            option(None, "-l", Some("ws://h")),
            ["to run a server: wstap serve 127.0.0.1:8080"]
        );
        assert!(option(None, "--timeout", Some("1.5m"))[0].ends_with("--connect-timeout 1.5m URL"));
        assert!(
            option(None, "--timeout", Some("hunter2"))[0].ends_with("--connect-timeout 10 URL")
        );
        assert!(option(None, "--jsonrpc", Some("5"))[0].contains(r#"-x '{"jsonrpc":"2.0""#));
        assert_eq!(option(None, "--nothing-of-the-kind", None), [""; 0]);
    }

    #[test]
    fn verbs_have_their_own_options() {
        assert_eq!(
            option(Some("serve"), "-p", Some("81")),
            ["the port belongs to the address: wstap serve 127.0.0.1:81"]
        );
        assert_eq!(option(Some("serve"), "--token", None), [""; 0]);
        assert_eq!(
            option(Some("ping"), "-n", Some("3")),
            ["to end after so many pings: wstap ping -c 3 URL"]
        );
        assert!(option(Some("ping"), "--token", None)[0].contains("--bearer"));
    }

    #[test]
    fn addresses_of_other_tools() {
        for (typed, says) in [
            ("-", "standard input"),
            ("exec:ls -l", "PROGRAM | wstap URL"),
            ("EXEC:ls", "PROGRAM | wstap URL"),
            ("ws-l:0.0.0.0:9001", "wstap serve 127.0.0.1:9001"),
            ("tcp:10.0.0.1:81", "wstap ws://HOST:81"),
            ("mirror:", "--echo"),
        ] {
            assert!(address(typed)[0].contains(says), "{typed}");
        }
        for host in
            ["exec", "tcp:8080", "mirror:80/x", "localhost", "h:1", "text", "log:1", "ws://h"]
        {
            assert_eq!(address(host), [""; 0], "{host}");
        }
    }
}
