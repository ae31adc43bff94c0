//! What `--json` writes is what docs/events.md and docs/events.schema.json say.

mod fixtures;

use serde_json::Value;
use wstap::report::json::{Json, TYPES};

const SCHEMA: &str = include_str!("../docs/events.schema.json");
const PAGE: &str = include_str!("../docs/events.md");

#[test]
fn every_event_fits_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut seen = Vec::new();
    for bytes in [&b"wss://u:p@h/x?token=1"[..], b"\xff\x1b[2J\"\\", b""] {
        for show_secrets in [false, true] {
            let text = String::from_utf8_lossy(bytes);
            let out = fixtures::shown(&mut Json::new(2, show_secrets), bytes, &text);
            for line in String::from_utf8(out).unwrap().lines() {
                let event: Value =
                    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
                if let Err(why) = check(&schema, &schema, &event) {
                    panic!("{why}: {line}");
                }
                seen.push(event["type"].as_str().unwrap().to_owned());
            }
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

/// Whether the value fits, for the words of JSON Schema that ours uses; any other word fails.
fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (word, rule) in schema.as_object().ok_or("a schema is an object")? {
        let ok = match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                let target = root.pointer(pointer).ok_or(format!("no {pointer}"))?;
                check(root, target, value)?;
                true
            }
            "oneOf" => {
                let all: Vec<_> =
                    rule.as_array().unwrap().iter().map(|one| check(root, one, value)).collect();
                if all.iter().filter(|one| one.is_ok()).count() != 1 {
                    let named = |why: &&String| !why.contains("const");
                    let why: Vec<&String> =
                        all.iter().filter_map(|one| one.as_ref().err()).filter(named).collect();
                    return Err(format!("not one of: {why:?}"));
                }
                true
            }
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                other => return Err(format!("type {other}?")),
            },
            "minimum" => value.as_f64() >= rule.as_f64(),
            "maximum" => value.as_f64() <= rule.as_f64(),
            "pattern" => {
                let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                value.as_str().is_some_and(|text| pattern.is_match(text))
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(root, rule, item)?;
                }
                true
            }
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|key| value.get(key.as_str().unwrap()).is_some()),
            "properties" => {
                for (key, rule) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        check(root, rule, value).map_err(|why| format!("{key}: {why}"))?;
                    }
                }
                true
            }
            "additionalProperties" => value
                .as_object()
                .is_none_or(|map| map.keys().all(|key| schema["properties"].get(key).is_some())),
            other => return Err(format!("the checker does not know {other}")),
        };
        if !ok {
            return Err(format!("{word} {rule} does not fit {value}"));
        }
    }
    Ok(())
}
