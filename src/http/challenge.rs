//! The challenges that a server sends with 401, in WWW-Authenticate (RFC 9110 §11.6.1).

use crate::http::head::{Header, is_token, values};

/// The largest number of challenges; further ones are ignored.
const MAX_CHALLENGES: usize = 16;

/// The largest number of parameters; a challenge with more is ignored.
const MAX_PARAMS: usize = 32;

/// A way to log in, with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme's name as received.
    pub scheme: Vec<u8>,
    params: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Challenge {
    /// Whether the scheme has this name; case doesn't matter.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme.as_bytes())
    }

    /// A parameter's value. A quoted value is returned without the quotes but with its backslashes,
    /// so that quotes around it restore the original.
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.params.iter();
        let (_, value) = all.find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))?;
        Some(value)
    }
}

/// The challenges in all fields of that name, in order; several may share a field. From a challenge
/// that breaks the grammar on, the rest of its field is ignored.
pub fn challenges(headers: &[Header], name: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    for value in values(headers, name) {
        read(value, &mut found);
    }
    found
}

fn read(mut rest: &[u8], found: &mut Vec<Challenge>) {
    let mut open = false;
    loop {
        rest = skip(rest, b" \t,");
        let (word, after) = token(rest);
        if word.is_empty() || found.len() > MAX_CHALLENGES {
            break;
        }
        match skip(after, b" \t").strip_prefix(b"=") {
            Some(value) if open => {
                let Some((value, after)) = param_value(skip(value, b" \t")) else { break };
                let Some(last) = found.last_mut() else { break };
                if last.params.len() == MAX_PARAMS {
                    break;
                }
                last.params.push((word.to_vec(), value.to_vec()));
                rest = after;
            }
            Some(_) => return,
            None => {
                found.push(Challenge { scheme: word.to_vec(), params: Vec::new() });
                rest = without_token68(after);
                open = true;
            }
        }
        if !(rest.is_empty() || rest.starts_with(b" ") || ends_element(rest)) {
            break;
        }
    }
    // Leftover text makes the last challenge invalid.
    if open && (!rest.is_empty() || found.len() > MAX_CHALLENGES) {
        found.pop();
    }
}

/// Parses the token68 of some schemes (`Negotiate YII=`), a value without a name.
fn without_token68(rest: &[u8]) -> &[u8] {
    let start = skip(rest, b" ");
    let is_in = |b: &&u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(b);
    let (word, after) = split(start, start.iter().take_while(is_in).count());
    let after = skip(after, b"=");
    let is_value = !word.is_empty() && ends_element(after) && start.len() < rest.len();
    if is_value { after } else { rest }
}

/// Whether an element of the list ends here.
fn ends_element(rest: &[u8]) -> bool {
    let rest = skip(rest, b" \t");
    rest.is_empty() || rest.starts_with(b",")
}

/// A quoted string without its quotes, or a token.
fn param_value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let Some(inside) = text.strip_prefix(b"\"") else {
        let (word, rest) = token(text);
        return (!word.is_empty()).then_some((word, rest));
    };
    let mut escaped = false;
    let end = inside.iter().position(|b| {
        let ends = *b == b'"' && !escaped;
        escaped = *b == b'\\' && !escaped;
        ends
    })?;
    let (value, rest) = split(inside, end);
    Some((value, rest.strip_prefix(b"\"")?))
}

fn token(text: &[u8]) -> (&[u8], &[u8]) {
    split(text, text.iter().take_while(|b| is_token(**b)).count())
}

fn skip<'a>(text: &'a [u8], bytes: &[u8]) -> &'a [u8] {
    split(text, text.iter().take_while(|b| bytes.contains(b)).count()).1
}

fn split(text: &[u8], at: usize) -> (&[u8], &[u8]) {
    text.split_at_checked(at).unwrap_or((text, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fields: &[&str]) -> String {
        let headers: Vec<Header> =
            fields.iter().map(|value| Header::new("WWW-Authenticate", *value)).collect();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = challenges(&headers, "www-authenticate").into_iter().map(|challenge| {
            let params = challenge.params.iter();
            let params = params.map(|(name, value)| format!(" {}={}", text(name), text(value)));
            text(&challenge.scheme) + &params.collect::<String>()
        });
        shown.collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn one_or_many_in_one_field_or_many() {
        for (fields, found) in [
            (&["Basic realm=\"x\""][..], "Basic realm=x"),
            (&["Basic realm=\"a, b=c\", charset=\"UTF-8\""], "Basic realm=a, b=c charset=UTF-8"),
            (
                &["Digest realm=\"x\", nonce=abc ,qop=\"auth,auth-int\",  Basic realm=\"y\""],
                "Digest realm=x nonce=abc qop=auth,auth-int | Basic realm=y",
            ),
            (&["Negotiate", "NTLM, Basic realm=\"\""], "Negotiate | NTLM | Basic realm="),
            (&["Negotiate YII/+a==, basic realm = \"x\""], "Negotiate | basic realm=x"),
            (&["Negotiate YII, Digest nonce=1"], "Negotiate | Digest nonce=1"),
            (&[",, Basic realm=\"a\\\"b\\\\\",,"], "Basic realm=a\\\"b\\\\"),
            (
                &[
                    "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
                ],
                "Newauth realm=apps type=1 title=Login to \\\"apps\\\" | Basic realm=simple",
            ),
            (&[""], ""),
        ] {
            assert_eq!(shown(fields), found, "{fields:?}");
        }
    }

    #[test]
    fn what_is_broken_is_left_out_alone() {
        for (fields, found) in [
            (&["Basic realm=\"x"][..], ""),
            (&["Basic realm=\"x\\\"", "Digest nonce=1"], "Digest nonce=1"),
            (&["Digest nonce=1, Basic realm=\"x"], "Digest nonce=1"),
            (&["Basic realm=,"], "Basic"),
            (&["realm=\"x\", Basic"], ""),
            (&["Basic realm=\"x\"y"], ""),
            (&["Basic @"], ""),
            (&["Basic \u{e4}"], ""),
            (&["\"", "=", "Basic realm=x=y"], ""),
        ] {
            assert_eq!(shown(fields), found, "{fields:?}");
        }
        let params = "a=b,".repeat(33);
        assert_eq!(shown(&[&format!("Basic {params}")]), "");
        let many = "Basic,".repeat(5000);
        assert_eq!(challenges(&[Header::new("a", many)], "a").len(), MAX_CHALLENGES);
    }

    #[test]
    fn names_don_t_depend_on_case() {
        let headers = [Header::new("WWW-Authenticate", "dIGEST NONCE=\"n\", nonce=2")];
        let found = &challenges(&headers, "www-authenticate")[0];
        assert!(found.is("Digest") && !found.is("Basic"));
        assert_eq!((found.param("nonce"), found.param("realm")), (Some(&b"n"[..]), None));
    }
}
