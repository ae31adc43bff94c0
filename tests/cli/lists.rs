//! What has to be listed in more than one place is the same list everywhere.

use serde_json::Value;
use wstap::error::Exit;
use wstap::report::json::TYPES;

use crate::support::run::Run;

const README: &str = include_str!("../../README.md");
const SCHEMA: &str = include_str!("../../docs/events.schema.json");

/// Codes and what a list says of them.
type List = Vec<(u8, String)>;

/// From `| 8 | the peer … | 130, 143 | interrupted, terminated |`.
fn readme() -> List {
    let (_, behind) = README.split_once("## Exit codes").unwrap();
    let mut list = List::new();
    for row in behind.lines().filter(|line| line.starts_with("| ")).skip(1).take(8) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        for cell in [&cells[1..3], &cells[3..5]] {
            let said = cell[1].split(" (").next().unwrap();
            list.extend(cell[0].split(", ").map(|code| (code.parse().unwrap(), said.to_owned())));
        }
    }
    list
}

/// From the two columns of `--help`.
fn help() -> List {
    let output = Run::new(["--help"]).run().expect_code(0);
    let help = output.text();
    let (_, behind) = help.split_once("Exit codes:\n").unwrap();
    let mut list = List::new();
    for line in behind.lines().take(8) {
        let (left, right) = line.split_at(29);
        for cell in [left, right].map(str::trim) {
            let end = cell.find(|c: char| c.is_alphabetic()).unwrap();
            let codes = cell[..end].split(',').map(|code| code.trim().parse().unwrap());
            list.extend(codes.map(|code| (code, cell[end..].to_owned())));
        }
    }
    list
}

#[test]
fn exit_codes() {
    for mut list in [readme(), help()] {
        list.sort();
        let codes: Vec<u8> = list.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, Exit::ALL.map(|(exit, _)| exit as u8));
        for ((_, meaning), (code, said)) in Exit::ALL.into_iter().zip(&list) {
            let words = said.split([' ', ',', ':', ';']).filter(|word| word.len() > 3);
            let shared = words.clone().filter(|word| meaning.contains(word)).count();
            // Both signals are in one cell, which may name the first alone.
            let least = match code {
                130 => 1,
                143 => 0,
                _ => words.count(),
            };
            assert!(shared >= least, "{code}: \"{said}\", but \"{meaning}\"");
        }
    }
}

#[test]
fn json_types() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut known: Vec<&str> = Vec::new();
    for definition in schema["$defs"].as_object().unwrap().values() {
        known.extend(definition["properties"]["type"]["const"].as_str());
    }
    known.sort_unstable();
    let mut types = TYPES;
    types.sort_unstable();
    assert_eq!(known, types);
    // A command is called as the event that reports it.
    for (command, ..) in wstap::run::json::COMMANDS {
        assert!(TYPES.contains(&command), "{command}");
    }
}
