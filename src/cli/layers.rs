//! Options from several layers: what was typed, a pasted command, a profile, the defaults. They are
//! merged as arguments, so that each means what it means when typed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The lines of a profile's macros, by name.
pub type MacroLines = BTreeMap<String, Vec<String>>;

/// Options that set a header field of the request under another name.
const FIELDS: [(&str, &str); 5] = [
    ("bearer", "authorization"),
    ("cookie", "cookie"),
    ("origin", "origin"),
    ("user", "authorization"),
    ("user-agent", "user-agent"),
];

/// Options of a verb that share nothing but the name with those of a connection, which layers have.
const NAMESAKES: [(&str, &str); 1] = [("ping", "count")];

/// An option as one layer gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerOption {
    /// Its long name, without the dashes.
    pub name: String,
    /// Its occurrences, each with its value if it takes one. Empty: the flag is off, and no layer
    /// below can set it.
    pub values: Vec<Option<String>>,
}

impl LayerOption {
    /// A flag.
    pub fn flag(name: &str) -> LayerOption {
        LayerOption { name: name.to_owned(), values: vec![None] }
    }

    /// An option with these values.
    pub fn with(name: &str, values: impl IntoIterator<Item = String>) -> LayerOption {
        LayerOption { name: name.to_owned(), values: values.into_iter().map(Some).collect() }
    }

    /// Its arguments as typed on a command line.
    pub fn args(&self) -> impl Iterator<Item = OsString> {
        self.values.iter().map(|value| match value {
            Some(value) => format!("--{}={value}", self.name).into(),
            None => format!("--{}", self.name).into(),
        })
    }
}

/// The layers merged so far, from the top down.
pub struct Layers<'a> {
    command: &'a Command,
    set: BTreeSet<String>,
    fields: BTreeSet<String>,
    args: Vec<OsString>,
}

impl<'a> Layers<'a> {
    /// The top one: what was typed.
    pub fn new(command: &'a Command, typed: &ArgMatches) -> Layers<'a> {
        let mut layers =
            Layers { command, set: BTreeSet::new(), fields: BTreeSet::new(), args: Vec::new() };
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            if typed.value_source(id) == Some(ValueSource::CommandLine)
                && let Some(name) = arg.get_long()
            {
                let values = typed.get_raw(id).into_iter().flatten();
                let values = values.map(|value| value.to_string_lossy().into_owned());
                layers.note(&LayerOption::with(name, values));
            }
        }
        layers
    }

    /// Adds a layer below. What is already set stays; a repeatable option gets the layer's values
    /// too, a header field doesn't.
    pub fn lay_under(&mut self, layer: &[LayerOption]) {
        let kept: Vec<LayerOption> =
            layer.iter().filter_map(|layer_option| self.left_of(layer_option)).collect();
        for layer_option in layer {
            self.note(layer_option);
        }
        self.args.splice(0..0, kept.iter().flat_map(LayerOption::args));
    }

    /// All layers but the top one, as arguments to put before it.
    pub fn into_args(self) -> Vec<OsString> {
        self.args
    }

    /// What is left of an option under the layers.
    fn left_of(&self, layer_option: &LayerOption) -> Option<LayerOption> {
        // Not every verb has every option.
        let arg = option(self.command, &layer_option.name)?;
        if NAMESAKES.contains(&(self.command.get_name(), &layer_option.name)) {
            return None;
        }
        let again =
            !matches!(arg.get_action(), ArgAction::Append) && self.set.contains(&layer_option.name);
        let field = field(&layer_option.name).is_some_and(|field| self.fields.contains(field));
        if again || field || self.is_excluded(arg) {
            return None;
        }
        let mut left = layer_option.clone();
        if layer_option.name == "header" {
            left.values.retain(|value| {
                let name = value.as_deref().and_then(header_name);
                name.is_none_or(|name| !self.fields.contains(&name))
            });
        }
        Some(left)
    }

    /// Whether an option that is already set conflicts with it.
    fn is_excluded(&self, arg: &Arg) -> bool {
        let conflict = |a: &Arg, b: &Arg| {
            self.command.get_arg_conflicts_with(a).iter().any(|c| c.get_id() == b.get_id())
        };
        let mut set = self.set.iter().filter_map(|name| option(self.command, name));
        set.any(|other| conflict(arg, other) || conflict(other, arg))
    }

    fn note(&mut self, layer_option: &LayerOption) {
        self.set.insert(layer_option.name.clone());
        self.fields.extend(field(&layer_option.name).map(str::to_owned));
        if layer_option.name == "header" {
            self.fields.extend(
                layer_option.values.iter().flatten().filter_map(|value| header_name(value)),
            );
        }
    }
}

/// A command's option by its long name.
pub fn option<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(name))
}

fn field(option: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(name, _)| *name == option).map(|(_, field)| *field)
}

/// A typed header's name; a file of headers has none.
fn header_name(typed: &str) -> Option<String> {
    let (name, _) = typed.split_once(':').filter(|_| !typed.starts_with('@'))?;
    Some(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn merged(typed: &[&str], layers: &[&[LayerOption]]) -> Vec<String> {
        let mut command = Cli::command();
        let words = ["wstap", "ws://h"].iter().chain(typed);
        let matches = command.try_get_matches_from_mut(words).unwrap();
        let mut all = Layers::new(&command, &matches);
        layers.iter().for_each(|layer| all.lay_under(layer));
        all.into_args().into_iter().map(|arg| arg.into_string().unwrap()).collect()
    }

    fn value(name: &str, value: &str) -> LayerOption {
        LayerOption::with(name, [value.to_owned()])
    }

    #[test]
    fn the_upper_layer_counts() {
        let defaults =
            [value("proxy", "http://a"), value("max-time", "9"), LayerOption::flag("insecure")];
        let profile = [
            value("proxy", "http://b"),
            LayerOption { values: vec![], ..LayerOption::flag("insecure") },
        ];
        assert_eq!(merged(&[], &[&profile, &defaults]), ["--max-time=9", "--proxy=http://b"]);
        assert_eq!(merged(&["--proxy", "", "-m1"], &[&profile, &defaults]), [""; 0]);
    }

    #[test]
    fn what_can_be_repeated_is_added_to_and_fields_are_not() {
        let profile = [
            LayerOption::with(
                "header",
                ["A: 1".to_owned(), "authorization: x".to_owned(), "@f".to_owned()],
            ),
            LayerOption::with("send", ["hello".to_owned()]),
            value("cookie", "a=1"),
        ];
        assert_eq!(
            merged(&["-H", "B: 2", "--bearer", "t", "-x", "bye", "-H", "Cookie: c"], &[&profile]),
            ["--header=A: 1", "--header=@f", "--send=hello"]
        );
        let two = [LayerOption::with("header", ["X: 1".to_owned(), "X: 2".to_owned()])];
        assert_eq!(merged(&[], &[&two]), ["--header=X: 1", "--header=X: 2"]);
        assert_eq!(merged(&["-Hx:"], &[&two]), [""; 0]);
    }

    #[test]
    fn what_cannot_go_together_gives_way() {
        let defaults = [
            LayerOption::flag("json"),
            LayerOption::flag("ipv6"),
            LayerOption::flag("tlsv1.3"),
            LayerOption::flag("nix"),
        ];
        assert_eq!(merged(&["--output", "raw", "-4", "--tlsv1.2"], &[&defaults]), [""; 0]);
    }
}
