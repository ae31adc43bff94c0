//! Logins: missing, refused, of another scheme, expired.

use crate::diagnosis::finding::{Finding, Rule, certain, may, probable};
use crate::diagnosis::words::{self, Kind};
use crate::diagnosis::{Facts, Login};
use crate::http::challenge::challenges;
use crate::text::Untrusted;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "unauthorized", find: unauthorized },
    Rule { name: "login-page", find: login_page },
    Rule { name: "proxy-login", find: proxy_login },
    Rule { name: "payment", find: payment },
    Rule { name: "forbidden-token", find: forbidden_token },
    Rule { name: "forbidden-by-proxy", find: forbidden_by_proxy },
    Rule { name: "forbidden-asgi", find: forbidden_asgi },
    Rule { name: "bad-token", find: bad_token },
];

/// What was sent, as the subject of "was refused".
fn sent_login(facts: &Facts<'_>) -> Option<String> {
    let sent = &facts.sent;
    Some(match sent.login {
        Some(Login::Bearer) => "the bearer token that was sent".to_owned(),
        Some(Login::Basic) if sent.from_userinfo => {
            "the user name and password of the URL, sent with Basic,".to_owned()
        }
        Some(login @ (Login::Basic | Login::Digest)) => {
            format!("the user name or the password, sent with {},", login.name())
        }
        Some(Login::Other) => "the Authorization header that was sent".to_owned(),
        None if sent.token => "the token that was sent".to_owned(),
        None if sent.cookie => "the cookie that was sent".to_owned(),
        None => return None,
    })
}

fn unauthorized(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[401])?;
    let sent = &facts.sent;
    let offered = challenges(&response.headers, "www-authenticate");
    let asks = |scheme: &str| offered.iter().any(|challenge| challenge.is(scheme));
    let asked: Vec<String> = crate::http::head::values(&response.headers, "www-authenticate")
        .map(|value| Untrusted(value).to_string())
        .collect();
    let shown = if asked.is_empty() { facts.status_line() } else { asked.join(", ") };
    let shown: String = shown.chars().take(300).collect();
    if sent.login.is_none() && sent.digest_alone && !asked.is_empty() && !asks("Digest") {
        let found = certain("it asks for another login than Digest, and only Digest may be used");
        return Some(found.because(shown).next("leave --digest out"));
    }
    let step = match () {
        () if asks("Bearer") => "--bearer TOKEN",
        () if asks("Digest") && !asks("Basic") => "-u user:password --digest",
        () if asks("Basic") || asks("Digest") => "-u user:password, or -H 'Authorization: …'",
        () if asks("Negotiate") || asks("NTLM") => {
            "-H 'Authorization: Negotiate …' (wstap has no Kerberos or NTLM of its own)"
        }
        () if facts.says(&["cookie", "session"]) => "--cookie 'NAME=VALUE', the session's cookie",
        () if facts.says(&["api key", "api-key", "apikey", "x-api-key"]) => {
            "-H 'X-Api-Key: …' or ?key=…, as the service documents it"
        }
        () => "-u user:password, --bearer TOKEN, --cookie, or a token in the URL (?token=…)",
    };
    let expired = shown.to_ascii_lowercase().contains("expired") || facts.says(&["expired"]);
    let fits = match sent.login {
        Some(Login::Bearer) => asks("Bearer") || asked.is_empty(),
        Some(Login::Basic) => asks("Basic") || asked.is_empty(),
        Some(Login::Digest) => asks("Digest") || asked.is_empty(),
        Some(Login::Other) | None => asked.is_empty() || sent.login.is_some(),
    };
    let found = match sent_login(facts) {
        Some(what) if fits && expired => certain(format!("{what} was refused: it has expired")),
        Some(what) if fits => probable(match sent.login {
            Some(Login::Basic | Login::Digest) if !sent.from_userinfo => {
                format!("{what} is refused")
            }
            _ => format!("{what} was refused"),
        }),
        Some(_) if sent.login.is_some() => {
            let scheme = sent.login.map_or("", Login::name);
            let from = if sent.from_userinfo { " (from the URL)" } else { "" };
            certain(format!("it asks for another login than {scheme}{from}, which was sent"))
        }
        Some(_) | None => certain("it asks for a login, and none was sent"),
    };
    let step = match (sent_login(facts), fits) {
        (Some(_), true) if sent.login == Some(Login::Bearer) => "get a fresh token: --bearer TOKEN",
        (Some(_), true) if matches!(sent.login, Some(Login::Basic | Login::Digest)) => {
            "check -u user:password"
        }
        (Some(_), true) => "get a fresh token or session",
        (Some(_), false) if sent.login == Some(Login::Digest) => "leave --digest out",
        _ => step,
    };
    let found = found.because(shown).next(step);
    Some(match sent.ignored_userinfo {
        true => {
            found.next("the user name in the URL was ignored: a typed Authorization comes first")
        }
        false => found,
    })
}

fn login_page(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[200, 401, 403])?;
    let form = facts.says(&["type=\"password\"", "type='password'", "type=password"]);
    form.then(|| {
        let cause = match facts.sent.cookie {
            true => {
                "the session (cookie) that was sent is refused or has expired: a login page answers"
            }
            false => "there is no session: a login page answers",
        };
        probable(cause)
            .because(format!("{}, a page with a password field", facts.status_line()))
            .next("log in, and send the session cookie: --cookie 'NAME=VALUE'; or --bearer TOKEN")
    })
}

fn proxy_login(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[407, 511])?;
    Some(
        certain("a proxy asks for a login: it answers instead of the server")
            .because(facts.status_line())
            .next("--proxy-user user:password")
            .next("or reach the host without the proxy: --noproxy HOST"),
    )
}

fn payment(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[402])?;
    Some(
        certain("the service wants a plan that is paid for")
            .because(facts.status_line())
            .next("check the account's plan and the key that was sent"),
    )
}

/// A 403 whose words speak of a token, a login or rights.
fn forbidden_token(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[403])?;
    let body = facts.words.split_once('\n').map_or("", |(_, body)| body);
    if body.trim().is_empty() || facts.peer.wrote {
        return None;
    }
    let meaning = words::meaning(body)?;
    let evidence = || {
        let word = meaning.words.iter().find(|word| body.contains(**word)).unwrap_or(&"");
        format!("{}: {}", facts.status_line(), facts.quote(word))
    };
    let names = ["token", "access_token", "key", "api_key", "apikey", "ticket", "jwt", "auth"];
    let name = names.into_iter().find(|name| body.contains(name) && !facts.sent.has_param(name));
    match meaning.kind {
        Kind::Expired => Some(
            certain("the token or the session has expired").because(evidence()).next(meaning.next),
        ),
        Kind::Login => Some(match sent_login(facts) {
            Some(what) => probable(format!("{what} was refused"))
                .because(evidence())
                .next("get a fresh token or session"),
            None => {
                let name = name.unwrap_or("token");
                certain(format!(
                    "the login is missing: the {name} (token, cookie or password) was not sent"
                ))
                .because(evidence())
                .next(format!(
                    "add ?{name}=… to the URL, or --bearer TOKEN, or --cookie 'NAME=VALUE'"
                ))
            }
        }),
        _ => None,
    }
}

/// The proxy's own refusal: an address rule, not the application.
fn forbidden_by_proxy(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[403])?;
    let known = facts.peer.front()?;
    let apache = facts.says(&["you don't have permission to access"]);
    (facts.peer.wrote || apache).then(|| {
        probable(format!(
            "{} itself denies the request (an address rule or an access rule), not the application",
            known.name
        ))
        .because(format!("{} on {}'s own page", facts.status_line(), known.name))
        .next(format!("check {}", known.denies))
    })
}

/// A 403 without words: an application that closed before it accepted, an Origin, a token.
fn forbidden_asgi(facts: &Facts<'_>) -> Option<Finding> {
    let response = facts.refused_with(&[403])?;
    let body = facts.words.split_once('\n').map_or("", |(_, body)| body).trim();
    let asgi = ["uvicorn", "daphne", "hypercorn"].into_iter().find(|name| facts.peer.is(name));
    let bare = body.is_empty()
        || matches!(body, "forbidden" | "access denied")
        || body.contains("access denied");
    if (!bare && asgi.is_none())
        || facts.peer.wrote
        || facts.says(&["origin"])
        || facts.sent.origin.is_some() && asgi.is_none()
    {
        return None;
    }
    let ignored = facts.sent.ignored_userinfo;
    let found = match (asgi, response.body.is_empty()) {
        (Some(name), _) => may(format!(
            "the application may have refused the connection before it accepted it ({name} answers 403 then): a token, the path, or the Origin"
        )),
        (None, _) => may(
            "the application may have refused the connection before it accepted it, which ASGI servers answer with 403: a token, the path, or the Origin",
        ),
    };
    let found = found.because(facts.status_line()).next(match sent_login(facts) {
        Some(what) => format!("{what} was perhaps refused: get a fresh one"),
        None => {
            "give the token it expects (?token=… in the URL, --bearer TOKEN, --cookie or a header)"
                .to_owned()
        }
    });
    let found = match &facts.sent.origin {
        Some(_) => found.next("another -o, or none"),
        None => found.next("does it check the Origin? try -o https://HOST"),
    };
    let found = found.next("is the path one of its WebSocket routes?");
    Some(if ignored {
        found.next("the user name in the URL was ignored: a typed Authorization comes first")
    } else {
        found
    })
}

/// Another refusal whose words speak of a login.
fn bad_token(facts: &Facts<'_>) -> Option<Finding> {
    facts.refused_with(&[400, 404, 409, 419, 422, 498, 499])?;
    let body = facts.words.split_once('\n').map_or("", |(_, body)| body);
    let plain = !facts.is_page();
    let meaning = words::meaning(body).filter(|_| plain)?;
    let word = meaning.words.iter().find(|word| body.contains(**word)).unwrap_or(&"");
    let named = ["token", "api key", "apikey", "api_key", "jwt", "credential", "unauthor"]
        .iter()
        .any(|word| body.contains(word));
    if !(named && matches!(meaning.kind, Kind::Login | Kind::Expired)) {
        return None;
    }
    let found = match (meaning.kind, sent_login(facts)) {
        (Kind::Expired, _) => certain("the token or the session has expired"),
        (_, Some(what)) => probable(format!("{what} was refused")),
        (_, None) => probable("a token is missing: none was sent"),
    };
    Some(
        found
            .because(format!("{}: {}", facts.status_line(), facts.quote(word)))
            .next("?token=… in the URL, --bearer TOKEN, or the header that the service documents"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, check};

    #[test]
    fn rules() {
        let refused = Case::refused;
        let bearer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"x\"\r\n\r\n";
        let basic = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n";
        check(RULES, &[
            refused("unauthorized", bearer).says(&["asks for a login, and none was sent", "--bearer TOKEN", "Bearer realm"]),
            refused("unauthorized", bearer).asking("/", "Authorization: Bearer x").says(&["the bearer token that was sent was refused", "fresh token"]),
            refused("unauthorized", "HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"The token expired\"\r\n\r\n")
                .asking("/", "Authorization: Bearer x").says(&["it has expired"]),
            refused("unauthorized", bearer).asking("/", "Authorization: Basic x").with(|facts| facts.sent.from_userinfo = true).says(&["another login than Basic (from the URL)", "--bearer"]),
            refused("unauthorized", basic).says(&["-u user:password"]),
            refused("unauthorized", basic).asking("/", "Authorization: Basic x").says(&["the user name or the password, sent with Basic, is refused"]),
            refused("unauthorized", basic).asking("/", "Authorization: Digest x").says(&["another login than Digest", "leave --digest out"]),
            refused("unauthorized", "HTTP/1.1 401 x\r\n\r\n").asking("/", "Cookie: a=b").says(&["the cookie that was sent was refused"]),
            refused("unauthorized", bearer).with(|facts| facts.sent.ignored_userinfo = true).says(&["in the URL was ignored"]),
            refused("login-page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<input type=\"password\">").says(&["no session", "--cookie"]),
            refused("proxy-login", "HTTP/1.1 407 x\r\n\r\n").says(&["a proxy asks for a login", "--proxy-user"]),
            refused("payment", "HTTP/1.1 402 x\r\n\r\n").says(&["plan"]),
            refused("forbidden-token", "HTTP/1.1 403 Forbidden\r\n\r\nmissing token").says(&["the login is missing", "token", "?token="]),
            refused("forbidden-token", "HTTP/1.1 403 Forbidden\r\n\r\ninvalid token").asking("/?token=x", "").says(&["the token that was sent was refused"]),
            refused("forbidden-token", "HTTP/1.1 403 Forbidden\r\n\r\ntoken expired").says(&["has expired"]),
            refused("forbidden-by-proxy", "HTTP/1.1 403 Forbidden\r\nServer: nginx\r\n\r\n<center>nginx/1.22.1</center>").says(&["nginx itself denies", "address rule", "allow and deny"]),
            refused("forbidden-asgi", "HTTP/1.1 403 Forbidden\r\n\r\n").says(&["before it accepted", "token", "?token=", "-o https://HOST"]),
            refused("bad-token", "HTTP/1.1 400 Bad Request\r\n\r\n{\"error\":\"token is required\"}").says(&["a token is missing", "?token="]),
        ]);
    }
}
