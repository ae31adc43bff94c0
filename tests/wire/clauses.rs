//! docs/conformance.md is complete and names what exists.

use std::path::Path;

use wstap::protocol::handshake::HandshakeRule;
use wstap::protocol::violation::Rule;

const PAGE: &str = include_str!("../../docs/conformance.md");
const VIOLATION: &str = include_str!("../../src/protocol/violation.rs");
const HTTP1: &str = include_str!("../../src/http/head.rs");

/// The cells of every row of the page's tables, without headings and rules.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    PAGE.lines()
        .filter(|line| line.starts_with("| RFC "))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The variants of an enum, read from its source.
fn variants(source: &str, name: &str) -> Vec<String> {
    let opening = format!("pub enum {name} {{");
    let block = source.split_once(&opening).unwrap_or_else(|| panic!("no {opening}")).1;
    let block = block.split_once("\n}\n").unwrap().0;
    block
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split([',', '(', ' ']).next())
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|word| format!("{name}::{word}"))
        .collect()
}

#[test]
fn every_rule_has_its_row_with_its_clause() {
    let rules = Rule::ALL.iter().map(|rule| (rule.name(), rule.clause()));
    let handshake = HandshakeRule::ALL.iter().map(|rule| (rule.name(), rule.clause()));
    for (name, clause) in rules.chain(handshake) {
        let rows: Vec<_> = rows().filter(|row| quoted(row[1]).next() == Some(name)).collect();
        let [row] = rows.as_slice() else { panic!("{name} has {} rows", rows.len()) };
        for clause in clause.split(", ") {
            let number = clause.rsplit_once('§').unwrap().1;
            assert!(row[0].contains(&format!("§{number}")), "{name}: {clause}, not {}", row[0]);
        }
    }
}

#[test]
fn every_rule_has_the_close_code_of_its_row() {
    for rule in Rule::ALL {
        let row = rows().find(|row| quoted(row[1]).next() == Some(rule.name())).unwrap();
        assert!(row[2].ends_with(&rule.close_code().to_string()), "{rule:?}: {}", row[2]);
    }
}

#[test]
fn every_limit_is_on_the_page() {
    let mut limits = variants(VIOLATION, "Exceeded");
    let too_much = |error: &String| error.contains("TooLong") || error.contains("TooMany");
    limits.extend(variants(HTTP1, "HeadError").into_iter().filter(too_much));
    assert_eq!(limits.len(), 4, "{limits:?}");
    for limit in limits {
        assert!(PAGE.contains(&format!("`{limit}`")), "{limit} is missing");
    }
}

#[test]
fn every_row_names_tests_and_all_of_them_exist() {
    let mut sources = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut sources);
    let mut count = 0;
    for row in rows() {
        let tests: Vec<&str> = quoted(row[row.len() - 1]).collect();
        assert!(!tests.is_empty(), "no test: {row:?}");
        for test in tests {
            let exists = match test.ends_with(".rs") {
                true => Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(test).exists(),
                false => sources.contains(&format!("fn {test}(")),
            };
            assert!(exists, "there is no {test}: {row:?}");
            count += 1;
        }
    }
    assert!(count > 100, "{count} tests");
}

fn read(dir: &Path, all: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, all);
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// docs/diagnosis.md has every rule in its order, with the file whose tests have cases of it.
#[test]
fn every_rule_of_diagnosis_has_its_row_and_its_cases() {
    const PAGE: &str = include_str!("../../docs/diagnosis.md");
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let names: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(names, wstap::diagnosis::rules().collect::<Vec<_>>());
    for row in rows {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnosis");
        let text = std::fs::read_to_string(file.join(row[2].trim_matches('`'))).unwrap();
        let tests = text.split("#[cfg(test)]").nth(1).expect("tests");
        let name = row[0].trim_matches('`');
        // Some cases are made by a function that has the name.
        assert!(tests.contains(&format!("\"{name}\"")), "no case of {name}");
    }
}
