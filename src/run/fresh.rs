//! Values that are new each time: `{{counter}}`, `{{uuid}}`, `{{random}}`, `{{now}}`; and `{{env.NAME}}`.

use std::time::UNIX_EPOCH;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::connection::random;
use crate::event::Clock;
use crate::pattern::{Template, TemplateValue};
use crate::text::Untrusted;

/// Makes fresh values.
#[derive(Clone, Debug, Default)]
pub struct Fresh {
    counter: u64,
}

impl Fresh {
    /// A value; `None` for a variable, which is somebody else's. What isn't set in the environment is empty.
    pub fn value(&mut self, value: &TemplateValue) -> Option<String> {
        Some(match value {
            TemplateValue::Variable(_) => return None,
            TemplateValue::Environment(name) => std::env::var(name).unwrap_or_default(),
            TemplateValue::Random => (u64::from_be_bytes(bytes()) >> 11).to_string(),
            TemplateValue::Uuid => uuid(bytes()),
            TemplateValue::Now => {
                // It can't fail: the year has four digits.
                OffsetDateTime::from(Clock::start().now().wall).format(&Rfc3339).unwrap_or_default()
            }
            TemplateValue::NowUnix => {
                let wall = Clock::start().now().wall.duration_since(UNIX_EPOCH);
                wall.unwrap_or_default().as_secs().to_string()
            }
            TemplateValue::Counter => {
                self.counter += 1;
                self.counter.to_string()
            }
        })
    }

    /// A text with its values, where there are no variables.
    ///
    /// # Errors
    /// What isn't known, in one line.
    pub fn fill(&mut self, text: &str) -> Result<String, String> {
        let template = check(text)?;
        Ok(template.fill(&mut |value| self.value(value).unwrap_or_default(), str::to_owned))
    }
}

/// Reads a text in which only fresh values may stand.
///
/// # Errors
/// What isn't known, in one line.
pub(super) fn check(text: &str) -> Result<Template, String> {
    const KNOWN: &str = "counter, uuid, random, now, now.unix or env.NAME; \\{{ is a literal {{";
    let template = Template::parse(text).map_err(|e| format!("{} is none of {KNOWN}", e.found))?;
    for (value, _) in template.values() {
        match value {
            TemplateValue::Variable(name) => {
                return Err(format!("{{{{{}}}}} is none of {KNOWN}", Untrusted::text(name)));
            }
            TemplateValue::Environment(name) if std::env::var_os(name).is_none() => {
                return Err(format!("the environment has no {}", Untrusted::text(name)));
            }
            _ => {}
        }
    }
    Ok(template)
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    random(&mut bytes);
    bytes
}

/// A UUID of version 4 (RFC 9562 §5.4).
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_values_have_their_form() {
        let mut fresh = Fresh::default();
        let mut fill = |text: &str| fresh.fill(text).unwrap();
        assert_eq!(fill("{{counter}} {{ counter }}"), "1 2");
        let id = fill("{{uuid}}");
        assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        assert_ne!(id, fill("{{uuid}}"));
        assert!(fill("{{random}}").parse::<u64>().unwrap() < 1 << 53);
        let now = fill("{{now}}");
        assert!(now.starts_with("20") && now.ends_with('Z') && now.contains('T'), "{now}");
        assert!(fill("{{now.unix}}").parse::<u64>().unwrap() > 1_700_000_000);
        assert_eq!(fill(r"{a} \{{counter}} }}"), "{a} {{counter}} }}");
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (text, named) in [
            ("a {{user}}", "{{user}} is none of counter"),
            ("{{", "{{ is none of"),
            ("{{env.WSTAP_NOT_SET}}", "the environment has no WSTAP_NOT_SET"),
        ] {
            let why = Fresh::default().fill(text).unwrap_err();
            assert!(why.starts_with(named), "{why}");
        }
    }
}
