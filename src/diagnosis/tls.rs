//! TLS on a plain port and the reverse, and client certificates, as far as an answer shows them. A
//! TLS handshake that fails is explained where it happens (`transport::tls`).

use crate::diagnosis::finding::{Finding, Rule, certain};
use crate::diagnosis::{End, Facts};
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "tls-wanted", find: wanted },
    Rule { name: "client-certificate", find: client_certificate },
];

/// What servers say to a plain request on a TLS port, in lower case.
const PLAIN_SAID: &[&str] = &[
    "plain http request was sent to https port",
    "http request to an https server",
    "speaking plain http to an ssl-enabled",
    "combination of host and port requires tls",
    "http request was sent to https",
    "this port requires https",
    "this is an https server",
    "client sent an http request to an https",
    "request sent over plain http to https",
    "the server requires tls",
    "https is required",
    "https required",
];

fn wanted(facts: &Facts<'_>) -> Option<Finding> {
    let other = facts.sent.other_scheme();
    if facts.sent.secure {
        return None;
    }
    let found = certain("the port speaks TLS, and the request came in plain");
    let evidence = match &facts.end {
        End::Foreign([0x14..=0x16, 3, ..]) => "the answer is a TLS record".to_owned(),
        End::Refused(_) => {
            let words = PLAIN_SAID.iter().find(|words| facts.words.contains(**words))?;
            format!("{}: {}", facts.status_line(), facts.quote(words))
        }
        _ => return None,
    };
    Some(found.because(evidence).next(format!("the server speaks TLS: try {other}")))
}

fn client_certificate(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[400, 401, 403, 495, 496])?;
    let words = [
        "no required ssl certificate was sent",
        "ssl certificate error",
        "client certificate",
        "certificate required",
    ];
    let words = words.into_iter().find(|words| facts.words.contains(words));
    if words.is_none() && !matches!(response.status, 495 | 496) {
        return None;
    }
    let evidence = match words {
        Some(words) => format!("{}: {}", facts.status_line(), facts.quote(words)),
        None => format!("{} {}", response.status, Untrusted(&response.reason)),
    };
    Some(match facts.sent.certificate {
        false => certain("the server wants a client certificate, and none was sent")
            .because(evidence)
            .next("--cert FILE --key FILE"),
        true => certain("the server refuses the client certificate that was sent")
            .because(evidence)
            .next("check it: openssl x509 -in FILE -noout -subject -issuer -dates"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, check};

    #[test]
    fn rules() {
        let refused = Case::refused;
        check(RULES, &[
            refused("tls-wanted", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<center>The plain HTTP request was sent to HTTPS port</center>").says(&["speaks TLS", "try wss://h.example/"]),
            refused("tls-wanted", "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n").says(&["wss://"]),
            Case::foreign("tls-wanted", &[0x15, 3, 3, 0, 2, 2, 0x32]).says(&["TLS record", "wss://"]),
            refused("client-certificate", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<center>No required SSL certificate was sent</center>").says(&["client certificate", "--cert FILE --key FILE"]),
            refused("client-certificate", "HTTP/1.1 400 x\r\n\r\nThe SSL certificate error").with(|facts| facts.sent.certificate = true).says(&["refuses the client certificate"]),
        ]);
    }
}
