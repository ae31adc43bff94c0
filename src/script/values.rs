//! The values of variables, and fresh ones.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::connection::random;
use crate::event::Clock;
use crate::pattern::{Template, TemplateValue};

/// The values of a test.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(crate) variables: BTreeMap<String, String>,
    counter: u64,
}

impl Values {
    pub(crate) fn new(variables: &BTreeMap<String, String>) -> Values {
        Values { variables: variables.clone(), counter: 0 }
    }

    /// The text with its values; a variable that isn't there is empty, which the parser excludes.
    pub(crate) fn fill(&mut self, template: &Template, quote: fn(&str) -> String) -> String {
        template.fill(&mut |value| self.value(value), quote)
    }

    pub(crate) fn value(&mut self, value: &TemplateValue) -> String {
        match value {
            TemplateValue::Variable(name) => self.variables.get(name).cloned().unwrap_or_default(),
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
        }
    }
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
        let mut values = Values::new(&BTreeMap::new());
        let mut fill = |text: &str| values.fill(&Template::parse(text).unwrap(), str::to_owned);
        assert_eq!(fill("{{counter}} {{counter}}"), "1 2");
        let id = fill("{{uuid}}");
        assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        assert_ne!(id, fill("{{uuid}}"));
        assert!(fill("{{random}}").parse::<u64>().unwrap() < 1 << 53);
        let now = fill("{{now}}");
        assert!(now.starts_with("20") && now.ends_with('Z') && now.contains('T'), "{now}");
        assert!(fill("{{now.unix}}").parse::<u64>().unwrap() > 1_700_000_000);
    }
}
