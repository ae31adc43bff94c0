//! The house has floors: a file may `use crate::` only what lies below its own. The floors are those
//! of the table in src/lib.rs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const LIB: &str = include_str!("../../src/lib.rs");
const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");

/// The files of `src/`: path below it, text.
pub(crate) fn sources() -> Vec<(String, String)> {
    fn read(dir: &Path, src: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, src, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    read(&src, &src, &mut found);
    found.sort_unstable();
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// The floor of each module, from rows like ``//! | 1 | [`protocol`], `main` |``.
fn floors(table: &str) -> BTreeMap<&str, u8> {
    let mut floors = BTreeMap::new();
    for line in table.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["//!", number, modules, ""] = cells.as_slice()
            && let Ok(number) = number.parse()
        {
            for module in modules.split('`').skip(1).step_by(2) {
                assert_eq!(floors.insert(module, number), None, "{module} is on two floors");
            }
        }
    }
    floors
}

/// A module by its first name: `report` for `report/json.rs`.
fn module(file: &str) -> &str {
    file.trim_end_matches(".rs").split('/').next().unwrap()
}

#[test]
fn no_arrow_runs_up() {
    let sources = sources();
    let floors = floors(LIB);
    let floor = |module: &str| {
        *floors.get(module).unwrap_or_else(|| panic!("{module} is not in the table of src/lib.rs"))
    };
    let vocabulary = floor("event");
    let mut wrong = Vec::new();
    for (file, text) in sources.iter().filter(|(file, _)| file != "lib.rs") {
        let own = module(file);
        for (number, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let name = line[at + 7..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = name.into_iter().next().unwrap_or_default();
                if name.is_empty() || name == own || floor(name) < floor(own) {
                    continue;
                }
                // The vocabulary is one room with several doors.
                if (floor(name), floor(own)) != (vocabulary, vocabulary) {
                    wrong.push(format!("src/{file}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these reach up or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn the_picture_has_the_floors_of_the_table() {
    let picture = ARCHITECTURE.split("```").nth(1).expect("a picture");
    let mut drawn = BTreeMap::new();
    let mut floor = None;
    for line in picture.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = words.first().and_then(|word| word.parse::<u8>().ok());
        floor = number.or(floor);
        // The names come before what is said of them.
        let names = words.iter().skip(usize::from(number.is_some()));
        let names = names.map(|word| word.trim_end_matches('/').trim_end_matches(".rs"));
        let known = floors(LIB);
        drawn.extend(
            names
                .map_while(|name| known.get_key_value(name))
                .map(|(name, _)| (name.to_string(), floor)),
        );
    }
    let table = floors(LIB).into_iter().map(|(name, floor)| (name.to_owned(), Some(floor)));
    assert_eq!(drawn, table.collect());
}

#[test]
fn the_protocol_knows_no_socket_clock_thread_or_terminal() {
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
    let sources = sources();
    let pure = sources.iter().filter(|(file, _)| module(file) == "protocol");
    for (file, text) in pure {
        for word in forbidden {
            assert!(!text.contains(word), "{file} has {word}");
        }
    }
}

/// What `sys` doesn't do, the torture doesn't reach.
#[test]
fn all_input_and_output_goes_through_the_seam() {
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
    for (file, text) in sources().iter().filter(|(file, _)| module(file) != "sys") {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in forbidden.iter().filter(|word| code.contains(**word)) {
            wrong.push(format!("{file}: {word}"));
        }
    }
    assert!(wrong.is_empty(), "these go past the seam:\n{}", wrong.join("\n"));
}

/// What waits or measures goes by a clock that nobody can set. The time of day is for those who
/// read it: events' times, the log of `serve`, the days that a certificate has left.
#[test]
fn a_clock_that_jumps_moves_no_timer() {
    let clocks = ["SystemTime::now", "now_utc", "UtcDateTime::now"];
    let sources = sources();
    let reads = |text: &String| clocks.iter().any(|word| text.contains(word));
    let readers: Vec<_> =
        sources.iter().filter(|(_, text)| reads(text)).map(|(file, _)| file).collect();
    assert_eq!(
        readers,
        [
            "commands/serve/mode.rs",
            // Dates of cookies and of Retry-After.
            "connection/route.rs",
            "event.rs",
            "transport/tls/info.rs"
        ]
    );
}
