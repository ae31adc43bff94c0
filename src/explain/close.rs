//! Close codes (RFC 6455 §7.4 and the IANA registry).

use crate::diagnosis;
use crate::protocol::close::CloseCode;

/// Details about a close code beyond its meaning.
struct Known {
    source: &'static str,
    sender: &'static str,
    causes: &'static [&'static str],
    advice: &'static [&'static str],
}

/// Explains a close code.
pub(super) fn explain(code: u16) -> String {
    let known = known(code);
    let on_wire = match code {
        1004 => "no; reserved, without a meaning yet",
        1005 | 1006 | 1015 => "no, never; an endpoint only reports it to its own application",
        _ if CloseCode(code).is_allowed_on_wire() => "yes",
        _ => "no; a Close frame with it is a protocol error (1002)",
    };
    let mut text = format!("close code {code}: {}\n\n", CloseCode(code).meaning());
    text.push_str(&format!("Defined in:   {}\n", known.source));
    text.push_str(&format!("On the wire:  {on_wire}\n"));
    text.push_str(&format!("Who sends it: {}\n", known.sender));
    let mut causes: Vec<&str> = known.causes.to_vec();
    let mut advice: Vec<&str> = known.advice.to_vec();
    let graphql = diagnosis::meaning(code, true);
    for (cause, next) in [diagnosis::meaning(code, false), graphql].into_iter().flatten() {
        if !causes.contains(&cause) {
            causes.push(cause);
            advice.insert(0, next);
        }
    }
    for (title, items) in [("Common causes", causes), ("What to try", advice)] {
        if !items.is_empty() {
            text.push_str(&format!("\n{title}:\n"));
        }
        for item in items {
            text.push_str(&format!("  - {item}\n"));
        }
    }
    text
}

fn known(code: u16) -> Known {
    const RFC: &str = "RFC 6455 §7.4.1";
    const IANA: &str = "the IANA registry of WebSocket close codes";
    match code {
        1000 => Known {
            source: RFC,
            sender: "either side, when it has done what it connected for",
            causes: &["the normal end", "an application that closes with 1000 whatever happened"],
            advice: &["if you did not expect it, read the reason and the messages before it"],
        },
        1001 => Known {
            source: RFC,
            sender: "a server that shuts down, a browser whose page is left",
            causes: &["a deployment or restart", "an idle timeout in a server or gateway"],
            advice: &["connect again (--reconnect)", "keep it busy with --ping-interval 20"],
        },
        1002 => Known {
            source: RFC,
            sender: "whoever received a frame that breaks RFC 6455",
            causes: &[
                "a reserved bit that was not negotiated, often compression on one side only",
                "a wrong mask, an unknown opcode, a bad control frame, a bad close code",
                "something between the two that rewrites the stream",
            ],
            advice: &[
                "wstap -vv URL shows each frame before the Close",
                "wstap --no-deflate URL rules compression out",
            ],
        },
        1003 => Known {
            source: RFC,
            sender: "whoever received a type of data that it can't take",
            causes: &["a binary message for an endpoint that takes only text, or the reverse"],
            advice: &["send the other type: with or without --binary"],
        },
        1004 => Known {
            source: RFC,
            sender: "nobody",
            causes: &["a broken implementation"],
            advice: &[],
        },
        1005 => Known {
            source: RFC,
            sender: "nobody; it stands for a Close frame without a code",
            causes: &["close() called without a code"],
            advice: &["nothing is wrong; have the peer send 1000 if the code matters"],
        },
        1006 => Known {
            source: RFC,
            sender: "nobody; it stands for a connection that ended without a Close frame",
            causes: &[
                "the server crashed, was killed, or closed the TCP connection only",
                "a proxy or load balancer cut an idle connection (often after 60 s)",
                "the network went away",
                "in browsers also every failed handshake: refused upgrades, TLS errors",
            ],
            advice: &[
                "wstap inspect URL shows whether the handshake works at all",
                "wstap -v URL says how the stream ended: in order, reset, or cut inside TLS",
                "wstap --ping-interval 20 URL keeps idle timeouts away",
            ],
        },
        1007 => Known {
            source: RFC,
            sender: "whoever received data that does not fit its type",
            causes: &[
                "a text message that is not UTF-8 (binary data sent as text)",
                "compressed data that can't be inflated",
            ],
            advice: &["send bytes with --binary", "wstap -vvv URL shows the bytes"],
        },
        1008 => Known {
            source: RFC,
            sender: "whoever received a message that breaks its policy",
            causes: &[
                "a token that is missing, expired or wrong, checked after the opening",
                "an Origin that is not allowed, a rate limit",
            ],
            advice: &["read the reason", "check --bearer, --header and --origin"],
        },
        1009 => Known {
            source: RFC,
            sender: "whoever received a message larger than it takes",
            causes: &["a message over the server's limit (often 64 KiB, 1 MiB or 16 MiB)"],
            advice: &[
                "send smaller messages; fragments don't help, the limit is the message's",
                "if wstap sent it: --max-message raises the limit",
            ],
        },
        1010 => Known {
            source: RFC,
            sender: "a client only; a server would refuse the upgrade instead",
            causes: &["the server did not agree to an extension that the client insists on"],
            advice: &["compare the offer and the answer with wstap -v URL"],
        },
        1011 => Known {
            source: RFC,
            sender: "an endpoint, mostly a server, that met an error of its own",
            causes: &["an exception in the server's handler", "a back end that is down"],
            advice: &["look into the server's log at this time (--timestamps)"],
        },
        1012 => Known {
            source: IANA,
            sender: "a server that restarts",
            causes: &["a deployment"],
            advice: &["connect again after a random wait of 5 to 30 s (--reconnect)"],
        },
        1013 => Known {
            source: IANA,
            sender: "a server that is overloaded",
            causes: &["a connection or rate limit"],
            advice: &["connect again later, more slowly (--reconnect --backoff)"],
        },
        1014 => Known {
            source: IANA,
            sender: "a gateway whose server gave an invalid answer",
            causes: &["the server behind the gateway is down or does not speak WebSocket"],
            advice: &["try the server behind the gateway directly (--connect-to)"],
        },
        1015 => Known {
            source: RFC,
            sender: "nobody; it stands for a TLS handshake that failed",
            causes: &["a certificate that can't be verified"],
            advice: &["wstap -v wss://… names the certificate and the reason"],
        },
        3000 => Known {
            source: IANA,
            sender: "a server that wants other credentials",
            causes: &[],
            advice: &[],
        },
        3003 => Known {
            source: IANA,
            sender: "a server that knows you but does not allow this",
            causes: &[],
            advice: &[],
        },
        3008 => Known {
            source: IANA,
            sender: "an endpoint that waited too long for the other",
            causes: &[],
            advice: &[],
        },
        3001..=3999 => Known {
            source: "RFC 6455 §7.4.2: registered with IANA by libraries and frameworks",
            sender: "a library or framework on either side",
            causes: &[],
            advice: &["look it up in the library's documentation and in the IANA registry"],
        },
        4400 | 4401 | 4403 | 4406 | 4408 | 4409 | 4429 => Known {
            source: "RFC 6455 §7.4.2: private use; with graphql-transport-ws, its own meaning",
            sender: "an application, for example a GraphQL server",
            causes: &[],
            advice: &["outside GraphQL, look it up in the application's documentation"],
        },
        4000..=4999 => Known {
            source: "RFC 6455 §7.4.2: private use, by agreement between the two applications",
            sender: "an application on either side",
            causes: &[],
            advice: &[
                "look it up in the service's documentation; the reason may help",
                "if it is a normal end for you: --ok-close with this code",
            ],
        },
        1016..=2999 => Known {
            source: "RFC 6455 §7.4.2: reserved for the protocol and its extensions",
            sender: "nobody yet",
            causes: &["an application that should have taken a code from 4000 on"],
            advice: &[],
        },
        0..=999 | 5000.. => Known {
            source: "RFC 6455 §7.4.2: outside the ranges that may be used",
            sender: "nobody",
            causes: &["a broken implementation", "an HTTP status taken for a close code"],
            advice: &[],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_never_sent() {
        assert_eq!(
            explain(1005),
            "close code 1005: no status received (never sent on the wire)\n\n\
             Defined in:   RFC 6455 §7.4.1\n\
             On the wire:  no, never; an endpoint only reports it to its own application\n\
             Who sends it: nobody; it stands for a Close frame without a code\n\n\
             Common causes:\n  - close() called without a code\n\n\
             What to try:\n  - nothing is wrong; have the peer send 1000 if the code matters\n"
        );
    }

    #[test]
    fn every_code_has_an_explanation() {
        for code in 0..=u16::MAX {
            let text = explain(code);
            let allowed = text.contains("On the wire:  yes\n");
            assert_eq!(allowed, CloseCode(code).is_allowed_on_wire(), "{code}");
        }
    }
}
