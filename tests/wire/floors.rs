//! The house has floors: a file may `use crate::` only what lies below its own.

use std::path::{Path, PathBuf};

/// The floor of a module by its first name.
fn floor(module: &str) -> u8 {
    match module {
        "http" => 0,
        "protocol" => 1,
        "error" | "event" | "redact" | "sys" | "text" => 2,
        "explain" | "report" | "transport" => 3,
        "connection" => 4,
        "export" => 5,
        "run" => 6,
        "cli" | "repl" => 7,
        "commands" | "main" => 8,
        other => panic!("the module {other} has no floor yet: give it one here and in lib.rs"),
    }
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn module(src: &Path, file: &Path) -> String {
    let first = file.strip_prefix(src).unwrap().components().next().unwrap();
    Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn no_arrow_runs_up() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    assert!(all.len() > 30, "the sources were not found");
    let mut wrong = Vec::new();
    for file in all.iter().filter(|f| !f.ends_with("lib.rs")) {
        let own = module(&src, file);
        let text = std::fs::read_to_string(file).unwrap();
        for (number, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let name: String = line[at + 7..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                let inside = name == own;
                if !name.is_empty() && !inside && floor(&name) >= floor(&own) {
                    // The vocabulary of floor 2 is one room with several doors.
                    if floor(&name) == 2 && floor(&own) == 2 {
                        continue;
                    }
                    wrong.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these reach up or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn the_protocol_knows_no_socket_clock_thread_or_terminal() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src.join("protocol"), &mut all);
    let forbidden = [
        "std::net",
        "std::io",
        "std::thread",
        "std::fs",
        "std::env",
        "Instant",
        "SystemTime",
        "println!",
        "eprintln!",
        "getrandom",
        "rand::",
        "rustix",
        "socket2",
    ];
    for file in all {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in forbidden {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
    }
}

/// What `sys` doesn't do, the torture doesn't reach.
#[test]
fn all_input_and_output_goes_through_the_seam() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let forbidden = [
        "Timespec, poll}",
        "eprint!",
        "eprintln!",
        "event::poll",
        "fs::read(",
        "fs::read_to_string",
        "fs::write",
        "io::read",
        "io::write",
        "net::recv",
        "net::send",
        "print!",
        "println!",
        "stderr().lock",
        "stdin().lock",
        "stdin().read",
        "stdout().lock",
    ];
    let mut wrong = Vec::new();
    for file in all.iter().filter(|f| module(&src, f) != "sys") {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in forbidden.iter().filter(|word| code.contains(**word)) {
            wrong.push(format!("{}: {word}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "these go past the seam:\n{}", wrong.join("\n"));
}

/// What waits or measures goes by a clock that nobody can set. The time of day is for those who
/// read it: events' times, the log of `serve`, the days that a certificate has left.
#[test]
fn a_clock_that_jumps_moves_no_timer() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let reads = |file: &&PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        ["SystemTime::now", "now_utc", "UtcDateTime::now"].iter().any(|word| text.contains(word))
    };
    let mut readers: Vec<_> = all
        .iter()
        .filter(reads)
        .map(|file| file.strip_prefix(&src).unwrap().to_str().unwrap())
        .collect();
    readers.sort_unstable();
    assert_eq!(
        readers,
        [
            "commands/serve/activity.rs",
            // Dates of cookies and of Retry-After.
            "connection/route.rs",
            "event.rs",
            "transport/tls/info.rs"
        ]
    );
}
