# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wstap_global_optspecs
    string join \n c/connect= x/send= N/no-input b/binary escapes input= chunk= keep-newline replay-out lockstep= within= pace= on= every= fragment= echo max-message= max-fragments= n/count= until= w/linger= E/exit-on-eof duration= close-code= close-reason= ok-close= reconnect= reconnect-on= backoff= ping-interval= ping-timeout= lossy no-ping no-pong json output= inflate only= hex pretty t/timestamps utc delta record= H/header= raw-header= s/subprotocol= path-as-is request-target= o/origin= A/user-agent= cookie= cookie-jar= L/location max-redirs= u/user= digest anyauth bearer= netrc netrc-file= k/insecure cacert= cert= key= pass= pinnedpubkey= sni= alpn= tlsv1.2 tlsv1.3 4/ipv4 6/ipv6 resolve= connect-to= interface= unix-socket= proxy= proxy-user= noproxy= connect-timeout= wait-up= m/max-time= deflate= no-deflate strict max-head= max-headers= v/verbose q/quiet color= log= show-secrets config= no-config h/help V/version
end

function __fish_wstap_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wstap_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wstap_using_subcommand
    set -l cmd (__fish_wstap_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wstap -n "__fish_wstap_needs_command" -s c -l connect -d 'The URL, as wscat takes it' -r
complete -c wstap -n "__fish_wstap_needs_command" -s x -l send -d 'Send this text after opening, then go on as usual; @FILE sends a file as one message, @@TEXT a text that begins with @; can be repeated' -r
complete -c wstap -n "__fish_wstap_needs_command" -l input -d 'How standard input is cut into messages: line, null, whole, raw, or json commands' -r -f -a "json\t'JSON commands'
line\t'Lines'
null\t'NUL-terminated'
raw\t'As it comes'
whole\t'All of it'"
complete -c wstap -n "__fish_wstap_needs_command" -l chunk -d 'Fill each message of --input raw to this size, but the last one [default: as it is read]' -r
complete -c wstap -n "__fish_wstap_needs_command" -l lockstep -d 'Send each message only when an answer to the one before has come (that matches)' -r
complete -c wstap -n "__fish_wstap_needs_command" -l within -d 'The longest wait of --lockstep, or of a "wait" of --input json, for an answer; then exit code 11 [default: without end]' -r
complete -c wstap -n "__fish_wstap_needs_command" -l pace -d 'Pause after each message that is sent' -r
complete -c wstap -n "__fish_wstap_needs_command" -l on -d 'Answer each message that matches with TEXT (as of -x), in which $1 or $name is what a group of the pattern has matched; can be repeated' -r
complete -c wstap -n "__fish_wstap_needs_command" -l every -d 'Send TEXT (as of -x) at this interval; can be repeated' -r
complete -c wstap -n "__fish_wstap_needs_command" -l fragment -d 'Send messages in frames of at most this many bytes' -r
complete -c wstap -n "__fish_wstap_needs_command" -l max-message -d 'The largest message to accept [default: 64M where it must be held in memory or was compressed, else 4G]' -r
complete -c wstap -n "__fish_wstap_needs_command" -l max-fragments -d 'The most fragments of a message' -r
complete -c wstap -n "__fish_wstap_needs_command" -s n -l count -d 'End after this many received messages, however long they take' -r
complete -c wstap -n "__fish_wstap_needs_command" -l until -d 'End at a received message that matches this pattern' -r
complete -c wstap -n "__fish_wstap_needs_command" -s w -l linger -d 'At the end of the input, end after this much silence; "forever" for never [default: 1; with --count, --until, --duration or --every: forever]' -r
complete -c wstap -n "__fish_wstap_needs_command" -l duration -d 'End the open session, in order, after this time' -r
complete -c wstap -n "__fish_wstap_needs_command" -l close-code -d 'The status code of our Close frame' -r
complete -c wstap -n "__fish_wstap_needs_command" -l close-reason -d 'The reason in our Close frame, at most 123 bytes' -r
complete -c wstap -n "__fish_wstap_needs_command" -l ok-close -d 'Codes with which the peer may close, besides 1000 and 1001' -r
complete -c wstap -n "__fish_wstap_needs_command" -l reconnect -d 'Connect again when a connection fails or is lost, N times in a row at most [default: without end]' -r
complete -c wstap -n "__fish_wstap_needs_command" -l reconnect-on -d 'The ends of an open connection that --reconnect follows: close codes and ranges of them (1005 for none), lost (1006), or any' -r
complete -c wstap -n "__fish_wstap_needs_command" -l backoff -d 'Wait this long before reconnecting: the first wait, and the longest one it grows to' -r
complete -c wstap -n "__fish_wstap_needs_command" -l ping-interval -d 'Send a ping at this interval' -r
complete -c wstap -n "__fish_wstap_needs_command" -l ping-timeout -d 'Give up (exit code 11) when a ping stays unanswered for this long [default: 10 with --ping-interval]' -r
complete -c wstap -n "__fish_wstap_needs_command" -l output -d 'How received messages are printed: line, raw, null, hex or json' -r -f -a "hex\t'In hex, a line each'
json\t'A JSON object a line'
line\t'As they are, and a newline'
null\t'As they are, and a NUL byte'
raw\t'As they are, without anything between them'"
complete -c wstap -n "__fish_wstap_needs_command" -l only -d 'Print and count only the received messages of this type: text or binary' -r -f -a "binary\t'Binary messages'
text\t'Texts'"
complete -c wstap -n "__fish_wstap_needs_command" -l record -d 'Write the session as a script, which wstap run plays again' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_needs_command" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_needs_command" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_needs_command" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_needs_command" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_needs_command" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_needs_command" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_needs_command" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_needs_command" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_needs_command" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_needs_command" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_needs_command" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_needs_command" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_needs_command" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_needs_command" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_needs_command" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_needs_command" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_needs_command" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_needs_command" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_needs_command" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_needs_command" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_needs_command" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_needs_command" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_needs_command" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_needs_command" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_needs_command" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_needs_command" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_needs_command" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_needs_command" -s N -l no-input -d 'Read no input and show no prompt, as with </dev/null'
complete -c wstap -n "__fish_wstap_needs_command" -s b -l binary -d 'Send the input, and the files of -x, as binary messages'
complete -c wstap -n "__fish_wstap_needs_command" -l escapes -d 'Read \\n, \\r, \\t, \\0, \\\\, \\xHH and \\u{…} in -x and in the input as what they stand for'
complete -c wstap -n "__fish_wstap_needs_command" -l keep-newline -d 'Leave the end of each line in its message'
complete -c wstap -n "__fish_wstap_needs_command" -l replay-out -d 'Of the events that --input json reads, send the messages that went out, not those that came in'
complete -c wstap -n "__fish_wstap_needs_command" -l echo -d 'Send every received message back, with its own type and bytes; reads no input'
complete -c wstap -n "__fish_wstap_needs_command" -s E -l exit-on-eof -d 'Close at the end of the input; what arrives before the peer\'s Close is still printed'
complete -c wstap -n "__fish_wstap_needs_command" -l lossy -d 'Accept text messages that are not UTF-8, with a warning'
complete -c wstap -n "__fish_wstap_needs_command" -l no-ping -d 'Send no ping that wasn\'t typed, not even at the end of the input'
complete -c wstap -n "__fish_wstap_needs_command" -l no-pong -d 'Leave pings unanswered'
complete -c wstap -n "__fish_wstap_needs_command" -l json -d 'Print events as JSON Lines on standard output'
complete -c wstap -n "__fish_wstap_needs_command" -l inflate -d 'Inflate received binary messages that are gzip, zlib or deflate, before anything else sees them'
complete -c wstap -n "__fish_wstap_needs_command" -l hex -d 'Show binary messages whole in hex at the prompt'
complete -c wstap -n "__fish_wstap_needs_command" -l pretty -d 'Indent and colour JSON messages'
complete -c wstap -n "__fish_wstap_needs_command" -s t -l timestamps -d 'The time of day with its offset before each line for people, and before each message that is printed as a line'
complete -c wstap -n "__fish_wstap_needs_command" -l utc -d 'As -t, in UTC'
complete -c wstap -n "__fish_wstap_needs_command" -l delta -d 'The time since the line before, in the same places'
complete -c wstap -n "__fish_wstap_needs_command" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_needs_command" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_needs_command" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_needs_command" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_needs_command" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_needs_command" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_needs_command" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_needs_command" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_needs_command" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_needs_command" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_needs_command" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_needs_command" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_needs_command" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_needs_command" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_needs_command" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_needs_command" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_needs_command" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_needs_command" -s V -l version -d 'Print version'
complete -c wstap -n "__fish_wstap_needs_command" -a "inspect" -d 'Open a connection, report every rule, what comes, and why it failed'
complete -c wstap -n "__fish_wstap_needs_command" -a "ping" -d 'Measure how long the answers to pings, or to messages, take'
complete -c wstap -n "__fish_wstap_needs_command" -a "doctor" -d 'Find why a connection fails: experiments, each with its outcome'
complete -c wstap -n "__fish_wstap_needs_command" -a "run" -d 'Play scripts of sessions and judge them: tests of a server'
complete -c wstap -n "__fish_wstap_needs_command" -a "test" -d 'Play scripts of sessions and judge them: tests of a server'
complete -c wstap -n "__fish_wstap_needs_command" -a "check" -d 'Probe a server: which rules of RFC 6455 and RFC 7692 it keeps'
complete -c wstap -n "__fish_wstap_needs_command" -a "curl" -d 'Connect as a curl command would, such as a browser\'s "Copy as cURL"'
complete -c wstap -n "__fish_wstap_needs_command" -a "serve" -d 'Run a server for trying and testing'
complete -c wstap -n "__fish_wstap_needs_command" -a "demo" -d 'Start an echo server on a free port and connect to it'
complete -c wstap -n "__fish_wstap_needs_command" -a "explain" -d 'Explain a close code, bytes of frames, a header or a term; offline'
complete -c wstap -n "__fish_wstap_needs_command" -a "generate" -d 'Write the man page or the completions of a shell'
complete -c wstap -n "__fish_wstap_needs_command" -a "help" -d 'Show the options of a verb'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s x -l send -d 'Send this text after opening; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l wait -d 'How long to watch the open connection [default: 500ms]' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l json -d 'Report as JSON Lines'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s c -l count -d 'End after so many pings, when each was answered or lost [default: without end]' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s i -l interval -d 'From one ping to the next; 0 sends the next one as soon as the last was answered' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l size -d 'The payload of a ping, at most 125' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l message -d 'Send this text as a message instead, for servers that answer no pings; the next message that comes is its answer' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l within -d 'An answer that takes longer is lost' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l json -d 'Print events as JSON Lines on standard output'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_using_subcommand ping" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l idle -d 'Wait without a message until the connection is cut, to find the idle timeout; -m limits it'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l json -d 'Report as JSON Lines'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l url -d 'The scripts\' {{url}}' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l var -d 'Set a variable; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l vars -d 'Set the variables of this file (TOML or .env), whose values no report shows' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l within -d 'How long an expectation waits' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -s j -l jobs -d 'So many files at once [default: the number of processors]' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l only -d 'Only tests whose name matches' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l tag -d 'Only tests with one of these tags' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l skip-tag -d 'No tests with one of these tags' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l retry -d 'Play a test that fails again, N times at most; if it passes then, it is flaky' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l shuffle -d 'Play files and tests in another order; a seed repeats one' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l junit -d 'Write results as JUnit\'s XML to this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l report -d 'Write a page of HTML to this file: tests, failures, and what happened on each connection' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l ping-interval -d 'Send a ping at this interval' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l ping-timeout -d 'Give up (exit code 11) when a ping stays unanswered for this long [default: 10 with --ping-interval]' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_using_subcommand run" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_using_subcommand run" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand run" -l fail-fast -d 'Begin no test after one has failed'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l list -d 'List the tests'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l check -d 'Only check that the scripts are right'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l tap -d 'Print results as TAP 14 on standard output'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l json -d 'Print events and results as JSON Lines on standard output'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l lossy -d 'Accept text messages that are not UTF-8, with a warning'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l no-ping -d 'Send no ping that wasn\'t typed, not even at the end of the input'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l no-pong -d 'Leave pings unanswered'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_using_subcommand run" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_using_subcommand run" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_using_subcommand run" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_using_subcommand run" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_using_subcommand run" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand run" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_using_subcommand run" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_using_subcommand run" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l url -d 'The scripts\' {{url}}' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l var -d 'Set a variable; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l vars -d 'Set the variables of this file (TOML or .env), whose values no report shows' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l within -d 'How long an expectation waits' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -s j -l jobs -d 'So many files at once [default: the number of processors]' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l only -d 'Only tests whose name matches' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l tag -d 'Only tests with one of these tags' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l skip-tag -d 'No tests with one of these tags' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l retry -d 'Play a test that fails again, N times at most; if it passes then, it is flaky' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l shuffle -d 'Play files and tests in another order; a seed repeats one' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l junit -d 'Write results as JUnit\'s XML to this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l report -d 'Write a page of HTML to this file: tests, failures, and what happened on each connection' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l ping-interval -d 'Send a ping at this interval' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l ping-timeout -d 'Give up (exit code 11) when a ping stays unanswered for this long [default: 10 with --ping-interval]' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_using_subcommand test" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_using_subcommand test" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand test" -l fail-fast -d 'Begin no test after one has failed'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l list -d 'List the tests'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l check -d 'Only check that the scripts are right'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l tap -d 'Print results as TAP 14 on standard output'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l json -d 'Print events and results as JSON Lines on standard output'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l lossy -d 'Accept text messages that are not UTF-8, with a warning'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l no-ping -d 'Send no ping that wasn\'t typed, not even at the end of the input'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l no-pong -d 'Leave pings unanswered'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_using_subcommand test" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_using_subcommand test" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_using_subcommand test" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_using_subcommand test" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_using_subcommand test" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand test" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_using_subcommand test" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_using_subcommand test" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l only -d 'Only these probes or groups' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l skip -d 'Not these probes or groups' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l allow -d 'A failure of these probes doesn\'t count' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l send -d 'A message that the server understands, to see whether it comes back' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l patience -d 'How long an answer may take' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l up-to -d 'The largest message that --intrusive tries' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l idle -d 'The longest silence that --intrusive tries' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l baseline -d 'Tell and count only what differs from an earlier run: its output with --json' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l junit -d 'Write the results as JUnit\'s XML to this file, too' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_using_subcommand check" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_using_subcommand check" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand check" -l deny-warnings -d 'A warning counts as a failure, too'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l echo -d 'The server sends every message back; without this option it is tried'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l intrusive -d 'Also try what a server on a shared machine would feel: the group limits'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l list -d 'List the probes: id, clause, and what a pass proves'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l tap -d 'Report as TAP 14'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l json -d 'Report as JSON Lines'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_using_subcommand check" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_using_subcommand check" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_using_subcommand check" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_using_subcommand check" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_using_subcommand check" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand check" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_using_subcommand check" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_using_subcommand check" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s x -l send -d 'Send this text after opening, then go on as usual; @FILE sends a file as one message, @@TEXT a text that begins with @; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l input -d 'How standard input is cut into messages: line, null, whole, raw, or json commands' -r -f -a "json\t'JSON commands'
line\t'Lines'
null\t'NUL-terminated'
raw\t'As it comes'
whole\t'All of it'"
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l chunk -d 'Fill each message of --input raw to this size, but the last one [default: as it is read]' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l lockstep -d 'Send each message only when an answer to the one before has come (that matches)' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l within -d 'The longest wait of --lockstep, or of a "wait" of --input json, for an answer; then exit code 11 [default: without end]' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l pace -d 'Pause after each message that is sent' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l on -d 'Answer each message that matches with TEXT (as of -x), in which $1 or $name is what a group of the pattern has matched; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l every -d 'Send TEXT (as of -x) at this interval; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l fragment -d 'Send messages in frames of at most this many bytes' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l max-message -d 'The largest message to accept [default: 64M where it must be held in memory or was compressed, else 4G]' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l max-fragments -d 'The most fragments of a message' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s n -l count -d 'End after this many received messages, however long they take' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l until -d 'End at a received message that matches this pattern' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s w -l linger -d 'At the end of the input, end after this much silence; "forever" for never [default: 1; with --count, --until, --duration or --every: forever]' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l duration -d 'End the open session, in order, after this time' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l close-code -d 'The status code of our Close frame' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l close-reason -d 'The reason in our Close frame, at most 123 bytes' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l ok-close -d 'Codes with which the peer may close, besides 1000 and 1001' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l reconnect -d 'Connect again when a connection fails or is lost, N times in a row at most [default: without end]' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l reconnect-on -d 'The ends of an open connection that --reconnect follows: close codes and ranges of them (1005 for none), lost (1006), or any' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l backoff -d 'Wait this long before reconnecting: the first wait, and the longest one it grows to' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l ping-interval -d 'Send a ping at this interval' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l ping-timeout -d 'Give up (exit code 11) when a ping stays unanswered for this long [default: 10 with --ping-interval]' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l output -d 'How received messages are printed: line, raw, null, hex or json' -r -f -a "hex\t'In hex, a line each'
json\t'A JSON object a line'
line\t'As they are, and a newline'
null\t'As they are, and a NUL byte'
raw\t'As they are, without anything between them'"
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l only -d 'Print and count only the received messages of this type: text or binary' -r -f -a "binary\t'Binary messages'
text\t'Texts'"
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l record -d 'Write the session as a script, which wstap run plays again' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s N -l no-input -d 'Read no input and show no prompt, as with </dev/null'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s b -l binary -d 'Send the input, and the files of -x, as binary messages'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l escapes -d 'Read \\n, \\r, \\t, \\0, \\\\, \\xHH and \\u{…} in -x and in the input as what they stand for'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l keep-newline -d 'Leave the end of each line in its message'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l replay-out -d 'Of the events that --input json reads, send the messages that went out, not those that came in'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l echo -d 'Send every received message back, with its own type and bytes; reads no input'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s E -l exit-on-eof -d 'Close at the end of the input; what arrives before the peer\'s Close is still printed'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l lossy -d 'Accept text messages that are not UTF-8, with a warning'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l no-ping -d 'Send no ping that wasn\'t typed, not even at the end of the input'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l no-pong -d 'Leave pings unanswered'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l json -d 'Print events as JSON Lines on standard output'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l inflate -d 'Inflate received binary messages that are gzip, zlib or deflate, before anything else sees them'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l hex -d 'Show binary messages whole in hex at the prompt'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l pretty -d 'Indent and colour JSON messages'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s t -l timestamps -d 'The time of day with its offset before each line for people, and before each message that is printed as a line'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l utc -d 'As -t, in UTC'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l delta -d 'The time since the line before, in the same places'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_using_subcommand curl" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l mode -d 'echo: send each message back; chat: to all clients; time: push the time; sink: count; source: send messages, then close' -r -f -a "chat\t'Broadcast to all clients'
echo\t'Send each message back'
sink\t'Count'
source\t'Send messages, then close'
time\t'Push the time'"
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l from -d 'Play the other side of this script: a server for clients whose own isn\'t there' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l interval -d 'Between two pushes of the time' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l count -d 'How many messages the source sends' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l size -d 'How large the source\'s messages are' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l truncate -d 'Cut each message that is sent to this many bytes' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -s s -l subprotocol -d 'Accept these subprotocols; the client\'s order decides' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l origin -d 'Accept only these Origins' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l cert -d 'Serve wss:// with this certificate chain (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l key -d 'The certificate\'s private key (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l max-message -d 'The largest message to accept [default: 64M where it must be held in memory or was compressed, else 4G]' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l max-fragments -d 'The most fragments of a message' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l max-head -d 'The longest request head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l max-headers -d 'The most headers to accept in a request' -r
complete -c wstap -n "__fish_wstap_using_subcommand serve" -s b -l binary -d 'The source sends binary messages'
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l no-deflate -d 'Agree to no compression'
complete -c wstap -n "__fish_wstap_using_subcommand serve" -s v -l verbose -d 'Show more: -v each connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand serve" -l json -d 'Print events as JSON Lines on standard output, each with its client\'s number'
complete -c wstap -n "__fish_wstap_using_subcommand serve" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s x -l send -d 'Send this text after opening, then go on as usual; @FILE sends a file as one message, @@TEXT a text that begins with @; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l input -d 'How standard input is cut into messages: line, null, whole, raw, or json commands' -r -f -a "json\t'JSON commands'
line\t'Lines'
null\t'NUL-terminated'
raw\t'As it comes'
whole\t'All of it'"
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l chunk -d 'Fill each message of --input raw to this size, but the last one [default: as it is read]' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l lockstep -d 'Send each message only when an answer to the one before has come (that matches)' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l within -d 'The longest wait of --lockstep, or of a "wait" of --input json, for an answer; then exit code 11 [default: without end]' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l pace -d 'Pause after each message that is sent' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l on -d 'Answer each message that matches with TEXT (as of -x), in which $1 or $name is what a group of the pattern has matched; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l every -d 'Send TEXT (as of -x) at this interval; can be repeated' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l fragment -d 'Send messages in frames of at most this many bytes' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l max-message -d 'The largest message to accept [default: 64M where it must be held in memory or was compressed, else 4G]' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l max-fragments -d 'The most fragments of a message' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s n -l count -d 'End after this many received messages, however long they take' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l until -d 'End at a received message that matches this pattern' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s w -l linger -d 'At the end of the input, end after this much silence; "forever" for never [default: 1; with --count, --until, --duration or --every: forever]' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l duration -d 'End the open session, in order, after this time' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l close-code -d 'The status code of our Close frame' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l close-reason -d 'The reason in our Close frame, at most 123 bytes' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l ok-close -d 'Codes with which the peer may close, besides 1000 and 1001' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l reconnect -d 'Connect again when a connection fails or is lost, N times in a row at most [default: without end]' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l reconnect-on -d 'The ends of an open connection that --reconnect follows: close codes and ranges of them (1005 for none), lost (1006), or any' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l backoff -d 'Wait this long before reconnecting: the first wait, and the longest one it grows to' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l ping-interval -d 'Send a ping at this interval' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l ping-timeout -d 'Give up (exit code 11) when a ping stays unanswered for this long [default: 10 with --ping-interval]' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l output -d 'How received messages are printed: line, raw, null, hex or json' -r -f -a "hex\t'In hex, a line each'
json\t'A JSON object a line'
line\t'As they are, and a newline'
null\t'As they are, and a NUL byte'
raw\t'As they are, without anything between them'"
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l only -d 'Print and count only the received messages of this type: text or binary' -r -f -a "binary\t'Binary messages'
text\t'Texts'"
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l record -d 'Write the session as a script, which wstap run plays again' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s H -l header -d 'Add a header to the request, or replace or (with an empty value) remove one; @FILE holds one a line' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l raw-header -d 'Put a line into the request\'s head as it is, even if it breaks the grammar' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s s -l subprotocol -d 'Offer subprotocols, the preferred one first' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l request-target -d 'Send this as the request\'s target instead of the URL\'s path and query; a redirect ends it' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s o -l origin -d 'Send this Origin' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s A -l user-agent -d 'Send this User-Agent; empty for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l cookie -d 'Send this Cookie; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l cookie-jar -d 'Send the cookies of this file (Netscape\'s format), and keep in it what the server sets' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l max-redirs -d 'The most redirects that -L follows' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s u -l user -d 'Log in: with Basic at once, with Digest if the server wants that; @FILE reads it from a file, @env:NAME from the environment, here and for all other secrets' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l bearer -d 'Log in with a bearer token; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l netrc-file -d 'Like --netrc, with this file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l cacert -d 'Trust these certificates (PEM, a file or a folder) instead of the system\'s' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l cert -d 'Authenticate with this client certificate (PEM)' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l key -d 'The client certificate\'s private key (PEM), if not in the same file' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l pass -d 'The private key\'s pass phrase; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l pinnedpubkey -d 'Only a server with one of these public keys, whoever has signed it: sha256//BASE64;…, or a file with the key (PEM or DER); also with --insecure' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l sni -d 'Send this name in the TLS handshake; "off" for none' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l alpn -d 'Offer these ALPN protocols' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l resolve -d 'Use this address for that host and port' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l connect-to -d 'Connect to another host and port; the request stays as it is' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l interface -d 'Connect over this network interface, or from this address' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l unix-socket -d 'Connect over this Unix socket' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l proxy -d 'Go through this proxy: [http|https|socks5|socks5h]://[USER:PASSWORD@]HOST[:PORT]; empty for none, whatever the environment says' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l proxy-user -d 'Log in at the proxy; @FILE reads it from a file' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l noproxy -d 'Reach these hosts without a proxy: names, addresses, CIDR blocks, each with :PORT if need be' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l connect-timeout -d 'From the start until the connection is open' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l wait-up -d 'While the server isn\'t up, keep trying for this long' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s m -l max-time -d 'For everything; reaching it is exit code 11' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l deflate -d 'Offer compression with these parameters, as typed, instead of the usual ones' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l max-head -d 'The longest response head to accept' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l max-headers -d 'The most headers to accept in a response' -r
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l color -d 'Colours: auto, always or never' -r -f -a "always\t'Always'
auto\t'If standard error is a terminal and the environment doesn\'t forbid them'
never\t'Never'"
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l log -d 'Write every event as a line of JSON to the end of this file, whatever else is shown' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l config -d 'Read this configuration file instead of ~/.config/wstap/config.toml' -r -F
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l script -d 'Show a short script, and play it'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s N -l no-input -d 'Read no input and show no prompt, as with </dev/null'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s b -l binary -d 'Send the input, and the files of -x, as binary messages'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l escapes -d 'Read \\n, \\r, \\t, \\0, \\\\, \\xHH and \\u{…} in -x and in the input as what they stand for'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l keep-newline -d 'Leave the end of each line in its message'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l replay-out -d 'Of the events that --input json reads, send the messages that went out, not those that came in'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l echo -d 'Send every received message back, with its own type and bytes; reads no input'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s E -l exit-on-eof -d 'Close at the end of the input; what arrives before the peer\'s Close is still printed'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l lossy -d 'Accept text messages that are not UTF-8, with a warning'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l no-ping -d 'Send no ping that wasn\'t typed, not even at the end of the input'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l no-pong -d 'Leave pings unanswered'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l json -d 'Print events as JSON Lines on standard output'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l inflate -d 'Inflate received binary messages that are gzip, zlib or deflate, before anything else sees them'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l hex -d 'Show binary messages whole in hex at the prompt'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l pretty -d 'Indent and colour JSON messages'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s t -l timestamps -d 'The time of day with its offset before each line for people, and before each message that is printed as a line'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l utc -d 'As -t, in UTC'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l delta -d 'The time since the line before, in the same places'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l path-as-is -d 'Send the URL\'s path as it is typed: with its dots, percent escapes and case'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s L -l location -d 'Follow redirects; to another origin without logins, cookies and tokens'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l digest -d 'Log in with Digest alone, so that the password never goes over the wire'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l anyauth -d 'Wait for what the server asks for, then log in with the safest of it'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l netrc -d 'Without -u, log in with what ~/.netrc has for the host'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s k -l insecure -d 'Go on with a server whose certificate can\'t be trusted, and say why it can\'t'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l tlsv1.2 -d 'Only TLS 1.2'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l tlsv1.3 -d 'Only TLS 1.3'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s 4 -l ipv4 -d 'Only IPv4'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s 6 -l ipv6 -d 'Only IPv6'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l no-deflate -d 'Offer no compression'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l strict -d 'Fail where the RFCs let a reader be lenient'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s v -l verbose -d 'Show more: -v the connection, -vv each frame, -vvv each byte'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s q -l quiet -d 'Show payloads and failures only'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l show-secrets -d 'Show passwords, tokens and cookies instead of ***'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -l no-config -d 'Read no configuration file'
complete -c wstap -n "__fish_wstap_using_subcommand demo" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand explain" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand generate" -s h -l help -d 'Print help'
complete -c wstap -n "__fish_wstap_using_subcommand help" -s h -l help -d 'Print help'
