//! The Origin: browsers send one, and servers check it.

use crate::diagnosis::Facts;
use crate::diagnosis::finding::{Finding, Rule, certain, may, probable};
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "devtools-origin", find: devtools },
    Rule { name: "origin-refused", find: refused },
    Rule { name: "origin-missing", find: missing },
    Rule { name: "origin-perhaps", find: perhaps },
    Rule { name: "cable-origin", find: cable },
];

const WORDS: &[&str] =
    &["origin", "cross-site", "cross site", "cors", "csrf", "allowed_request_origins"];

fn says(facts: &Facts<'_>) -> Option<String> {
    facts.refused_with(&[400, 401, 403, 404, 406, 500])?;
    let body = facts.words.replace("original", "").replace("/origins", "");
    let word = WORDS.iter().find(|word| body.contains(**word))?;
    Some(format!("{}: {}", facts.status_line(), facts.quote(word)))
}

fn devtools(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[403])?;
    facts.says(&["remote-allow-origins"]).then(|| {
        let origin = facts.sent.origin.as_deref().unwrap_or("none");
        certain(format!(
            "Chrome refuses the Origin ({origin}): it allows only those of --remote-allow-origins"
        ))
        .because(facts.status_line())
        .next("send no Origin: leave -o out")
        .next(format!(
            "or start Chrome with --remote-allow-origins={}",
            facts.sent.origin.as_deref().unwrap_or("*")
        ))
    })
}

fn refused(facts: &Facts<'_>) -> Option<Finding> {
    let origin = facts.sent.origin.as_deref()?;
    let other = "another -o with an Origin from the server's list";
    if let Some(said) = says(facts).filter(|_| !facts.says(&["remote-allow-origins"])) {
        return Some(
            certain(format!(
                "the server refuses the Origin that was sent ({origin}): it is not in its list"
            ))
            .because(said)
            .next(other)
            .next("or add it to the server's allowed origins"),
        );
    }
    facts.refused_with(&[403])?;
    if facts.peer.wrote {
        return None;
    }
    Some(
        may(format!("the server may refuse the Origin that was sent ({origin}), or the login"))
            .because(facts.status_line())
            .next(format!("{other}, or none"))
            .next(if facts.sent.identifies() {
                "get a fresh token or session"
            } else {
                "or send the token or cookie it expects"
            }),
    )
}

fn missing(facts: &Facts<'_>) -> Option<Finding> {
    let said = says(facts)
        .filter(|_| facts.sent.origin.is_none() && !facts.says(&["remote-allow-origins"]))?;
    Some(
        certain("the server wants an Origin, as browsers send it, and none was sent")
            .because(said)
            .next(format!(
                "-o https://{}, or the Origin of the site that uses it",
                facts.sent.host
            )),
    )
}

/// A bare 403 without an Origin.
fn perhaps(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[403])?;
    if facts.sent.origin.is_some() || facts.peer.wrote || says(facts).is_some() {
        return None;
    }
    let found = may("the server may want an Origin, as browsers send it (or a cookie, or a token)")
        .because(facts.status_line())
        .next(format!("does it check the Origin? try -o https://{}", facts.sent.host));
    Some(match facts.sent.identifies() {
        true => found.next("or the token or cookie that was sent is refused"),
        false => found.next("or send a cookie or a token: --cookie, --bearer"),
    })
}

/// Action Cable answers 404 to an Origin that is not allowed.
fn cable(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[404])?;
    let bare = facts.words.trim_end().ends_with("page not found") && facts.words.len() < 60;
    let fits = bare && !facts.words.contains("404 page not found");
    fits.then(|| {
        probable(match &facts.sent.origin {
            Some(origin) => format!(
                "Rails (Action Cable) answers 404 to an Origin that is not allowed ({})",
                Untrusted::text(origin)
            ),
            None => {
                "Rails (Action Cable) answers 404 to a request without an allowed Origin".to_owned()
            }
        })
        .because("Page not found, its words for it")
        .next("-o with an Origin of config.action_cable.allowed_request_origins")
        .next("and -s actioncable-v1-json; is the path /cable?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, check};

    #[test]
    fn rules() {
        let refused = Case::refused;
        let typed = "Origin: https://evil.example";
        check(RULES, &[
            refused("devtools-origin", "HTTP/1.1 403 Forbidden\r\n\r\nRejected an incoming WebSocket connection from the http://localhost:3000 origin. Use the command line flag --remote-allow-origins=http://localhost:3000")
                .asking("/devtools/page/x", "Origin: http://localhost:3000").says(&["--remote-allow-origins=http://localhost:3000", "no Origin"]),
            refused("origin-refused", "HTTP/1.1 403 Forbidden\r\n\r\nFailed to open a WebSocket connection: invalid Origin header: https://evil.example.")
                .asking("/", typed).says(&["refuses the Origin that was sent (https://evil.example)", "another -o"]),
            refused("origin-refused", "HTTP/1.1 403 Forbidden\r\n\r\n").asking("/", typed).says(&["may refuse the Origin"]),
            refused("origin-missing", "HTTP/1.1 403 Forbidden\r\n\r\nmissing Origin header").says(&["none was sent", "-o https://h.example"]),
            refused("origin-perhaps", "HTTP/1.1 403 Forbidden\r\n\r\nno").says(&["does it check the Origin? try -o https://"]),
            refused("cable-origin", "HTTP/1.1 404 Not Found\r\n\r\nPage not found").says(&["Action Cable", "allowed_request_origins"]),
        ]);
    }
}
