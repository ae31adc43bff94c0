//! The values of variables, and fresh ones.

use std::collections::BTreeMap;

use crate::pattern::{Template, TemplateValue};
use crate::run::Fresh;

/// The values of a test.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(crate) variables: BTreeMap<String, String>,
    fresh: Fresh,
}

impl Values {
    pub(crate) fn new(variables: &BTreeMap<String, String>) -> Values {
        Values { variables: variables.clone(), fresh: Fresh::default() }
    }

    /// The text with its values; a variable that isn't there is empty, which the parser excludes.
    pub(crate) fn fill(&mut self, template: &Template, quote: fn(&str) -> String) -> String {
        template.fill(&mut |value| self.value(value), quote)
    }

    pub(crate) fn value(&mut self, value: &TemplateValue) -> String {
        match value {
            TemplateValue::Variable(name) => self.variables.get(name).cloned().unwrap_or_default(),
            value => self.fresh.value(value).unwrap_or_default(),
        }
    }
}
