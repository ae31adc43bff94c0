//! What `--json` writes is what docs/events.md and docs/events.schema.json say.

use serde_json::Value;
use wstap::report::json::{Json, TYPES};

use crate::every_event::shown;
use crate::support::schema::{SCHEMA, check};

const PAGE: &str = include_str!("../../docs/events.md");

#[test]
fn every_event_fits_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut seen = Vec::new();
    for bytes in [&b"wss://u:p@h/x?token=1"[..], b"\xff\x1b[2J\"\\", b""] {
        let text = String::from_utf8_lossy(bytes);
        let out = shown(&mut Json::new(2), bytes, &text);
        for line in String::from_utf8(out).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if let Err(why) = check(&schema, &schema, &event) {
                panic!("{why}: {line}");
            }
            seen.push(event["type"].as_str().unwrap().to_owned());
        }
    }
    for name in TYPES {
        assert!(seen.iter().any(|seen| seen == name), "{name} was never written");
    }
}

#[test]
fn the_page_lists_exactly_the_types_and_its_examples_fit() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let headings: Vec<&str> =
        PAGE.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    assert_eq!(headings, TYPES);
    let examples: Vec<Value> = PAGE
        .lines()
        .filter(|line| line.starts_with("{\"type\":") && line.contains("\"seq\":"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let types: Vec<&str> = examples.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, TYPES);
    for example in &examples {
        check(&schema, &schema, example).unwrap_or_else(|why| panic!("{why}: {example}"));
    }
}

#[test]
fn every_field_of_the_schema_is_on_the_page() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let definitions = schema["$defs"].as_object().unwrap();
    for (name, definition) in definitions {
        for field in definition["properties"].as_object().into_iter().flatten().map(|(key, _)| key)
        {
            assert!(PAGE.contains(&format!("| `{field}` |")), "{name}: {field}");
        }
    }
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    for bad in [
        r#"{"type":"unheard-of","at":"2025-01-01T00:00:00.000000Z","t":0,"seq":1}"#,
        r#"{"type":"answer","at":"2025-01-01T00:00:00.000000Z","t":0,"seq":1}"#,
        r#"{"type":"answer","at":"yesterday","t":0,"seq":1,"text":""}"#,
        r#"{"type":"answer","at":"2025-01-01T00:00:00.000000Z","t":0,"seq":0,"text":""}"#,
        r#"{"type":"answer","at":"2025-01-01T00:00:00.000000Z","t":0,"seq":1,"text":"","x":1}"#,
        r#"{"type":"answer","at":"2025-01-01T00:00:00.000000Z","t":0,"seq":1,"text":1}"#,
    ] {
        let event: Value = serde_json::from_str(bad).unwrap();
        assert!(check(&schema, &schema, &event).is_err(), "{bad}");
    }
}
