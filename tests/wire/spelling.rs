//! Only the command line spells its options: the lower floors say what they mean.

use std::fs;
use std::path::{Path, PathBuf};

/// Where options are spelled, and why.
const MAY: [&str; 8] = [
    // The options of curl.
    "check/evidence.rs",
    "cli/",
    "commands/",
    // The next step is a command: it belongs to its cause.
    "diagnosis/",
    // A manual: it explains the options.
    "explain/",
    // The options of other tools, and those of ours that they have nothing for.
    "export/",
    // The commands at the prompt have options of their own.
    "repl/",
    // It is above the command line, and its hints name options of its verb.
    "script/",
];

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Whether the line has an option in a text: two hyphens and a letter, behind a quotation mark, a
/// space or a parenthesis.
fn spells(line: &str) -> bool {
    let option = |(at, _): (usize, &str)| {
        line[..at].ends_with(['"', ' ', '(']) && line[at + 2..].starts_with(char::is_alphabetic)
    };
    !line.trim_start().starts_with("//") && line.match_indices("--").any(option)
}

#[test]
fn no_lower_floor_spells_an_option() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut found = Vec::new();
    for file in all {
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines: Vec<&str> = code.lines().filter(|line| spells(line)).collect();
        if lines.is_empty() || MAY.iter().any(|floor| name.starts_with(floor)) {
            continue;
        }
        found.push(format!("{name}:\n{}", lines.join("\n")));
    }
    assert!(found.is_empty(), "options spelled below the command line:\n{}", found.join("\n"));
    for spelled in ["\"--x\"", "a --count", "(--count)"] {
        assert!(spells(spelled), "{spelled}");
    }
    assert!(!spells("/// see --count") && !spells("a -- b"));
}
