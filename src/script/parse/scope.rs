//! Which variables are set and which connections are open at a line.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::Untrusted;
use crate::text::typed::nearest;

#[derive(Clone, Debug)]
pub(super) struct Scope {
    variables: BTreeSet<String>,
    /// Variables with values from the command line, which win.
    given: BTreeSet<String>,
    /// Before the first test.
    is_prelude: bool,
    /// By name: whether it is open, as far as can be known.
    connections: BTreeMap<String, bool>,
    /// Whether there was one without a name.
    has_unnamed: bool,
}

impl Scope {
    /// With these variables; if the script is only checked, `url` needs no value.
    pub(super) fn new(given: BTreeSet<String>, check_only: bool) -> Scope {
        let mut variables = given.clone();
        if check_only {
            variables.insert("url".to_owned());
        }
        Scope {
            variables,
            given,
            is_prelude: true,
            connections: BTreeMap::new(),
            has_unnamed: false,
        }
    }

    pub(super) fn set(&mut self, name: &str) {
        self.variables.insert(name.to_owned());
    }

    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.contains(name)
    }

    pub(super) fn in_prelude(&self) -> bool {
        self.is_prelude
    }

    /// The first test begins.
    pub(super) fn leave_prelude(&mut self) {
        self.is_prelude = false;
    }

    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.variables.contains(name)
    }

    pub(super) fn near_variable(&self, name: &str) -> Option<String> {
        nearest(name, self.variables.iter().map(String::as_str)).map(str::to_owned)
    }

    pub(super) fn open(&mut self, name: Option<&str>) {
        match name {
            Some(name) => drop(self.connections.insert(name.to_owned(), true)),
            None => self.has_unnamed = true,
        }
    }

    pub(super) fn close(&mut self, name: &str) {
        if let Some(open) = self.connections.get_mut(name) {
            *open = false;
        }
    }

    pub(super) fn is_open(&self, name: &str) -> bool {
        self.connections.get(name) == Some(&true)
    }

    /// Checks that a statement's connection was opened.
    ///
    /// # Errors
    /// What is wrong, and the name that was probably meant.
    pub(super) fn uses(&self, name: Option<&str>) -> Result<(), (String, Option<String>)> {
        let names = || self.connections.keys().map(String::as_str);
        let list = || names().collect::<Vec<_>>().join(", ");
        match name {
            Some(name) if self.connections.contains_key(name) => Ok(()),
            Some(name) => {
                let meant = nearest(name, names()).map(str::to_owned);
                let name = Untrusted::text(name);
                let what = match self.connections.is_empty() {
                    true => format!(
                        "no connection is called {name}: there is no connect {name} URL before this line"
                    ),
                    false => format!("no connection is called {name}; there are {}", list()),
                };
                Err((what, meant))
            }
            None if self.has_unnamed => Ok(()),
            None if self.connections.is_empty() => {
                Err(("there is no connection yet: connect URL opens one".to_owned(), None))
            }
            None => {
                let what = format!("all connections have names ({}): which one is meant?", list());
                Err((what, None))
            }
        }
    }
}
