//! No circles inside a room: whoever reads one file of it must be able to stop somewhere.
//!
//! A room is a folder of `src/`. Its nodes are its own file (`mod.rs`, or the file beside the folder
//! that has its name), called [`DOOR`] here, and its modules, each with all that is below it. The room's name in
//! front of an item is an arrow to where the item is defined: to the module that the door
//! re-exports it from, else to the door itself. `pub use` of its own modules is what a door is for,
//! and no arrow. What is compiled for tests only doesn't count.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::floors::sources;

/// Circles that are still there, as the room and the nodes that reach each other. This list must be exactly what is
/// found, so that it only gets shorter.
const KNOWN: &[(&str, &[&str])] = &[];

#[test]
fn no_room_has_a_circle() {
    let files: Vec<File> = sources().iter().map(|(path, text)| File::new(path, text)).collect();
    let mut found = Vec::new();
    let mut told = String::new();
    for room in rooms(&files) {
        let arrows = arrows(&room, &files);
        for circle in circles(&arrows) {
            told += &format!("{}: {}\n", room.join("/"), describe(&circle, &arrows));
            found.push((room.join("/"), circle));
        }
    }
    let known: Vec<(String, Vec<&str>)> =
        KNOWN.iter().map(|(room, nodes)| ((*room).to_owned(), nodes.to_vec())).collect();
    let found: Vec<(String, Vec<&str>)> = found
        .iter()
        .map(|(room, circle)| (room.clone(), circle.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(found, known, "circles, on the left, that are not those of KNOWN:\n{told}");
}

/// The node of a room's own file.
const DOOR: &str = "mod";

/// From a node to another, and where in the sources.
type Arrows = BTreeMap<(String, String), String>;

/// A module path without `crate`.
type Path = Vec<String>;

/// A source file: the module that it is, and the names that it uses.
struct File {
    name: String,
    module: Path,
    uses: Vec<Use>,
    /// Modules that it declares for tests only.
    tests: Vec<String>,
}

/// A path in a source file.
#[derive(Debug, PartialEq)]
struct Use {
    line: usize,
    path: Path,
    /// The name that a `pub use` gives it.
    exported: Option<String>,
}

impl File {
    /// `name` is relative to `src/`.
    fn new(name: &str, text: &str) -> File {
        let mut module: Path = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let (tokens, tests) = without_tests(tokens(text));
        File { name: name.to_owned(), module, uses: uses(&tokens), tests }
    }
}

/// Every module that has modules, itself not among them.
fn rooms(files: &[File]) -> BTreeSet<Path> {
    let parents = files.iter().filter_map(|file| file.module.split_last());
    parents.map(|(_, room)| room.to_vec()).filter(|room| !room.is_empty()).collect()
}

/// What the nodes of a room use of each other.
fn arrows(room: &[String], files: &[File]) -> Arrows {
    let inside = |file: &&File| file.module.starts_with(room);
    let door = files.iter().find(|file| file.module == room);
    let tests = door.map(|door| door.tests.as_slice()).unwrap_or_default();
    let nodes: BTreeSet<&String> =
        files.iter().filter(inside).filter_map(|file| file.module.get(room.len())).collect();
    let modules: BTreeSet<&Path> = files.iter().map(|file| &file.module).collect();
    let node_of = |path: &[String]| path.get(room.len()).and_then(|name| nodes.get(name).copied());

    // Items that the door passes on.
    let mut passed_on: BTreeMap<&String, &String> = BTreeMap::new();
    for used in door.iter().flat_map(|door| &door.uses) {
        if let (Some(name), Some(path)) = (&used.exported, absolute(&used.path, room, &modules))
            && let Some(node) = node_of(&path)
        {
            passed_on.insert(name, node);
        }
    }

    let mut arrows = Arrows::new();
    for file in files.iter().filter(inside) {
        let from = file.module.get(room.len()).map_or(DOOR, String::as_str);
        for used in file.uses.iter().filter(|used| from != DOOR || used.exported.is_none()) {
            let Some(path) = absolute(&used.path, &file.module, &modules) else { continue };
            if !path.starts_with(room) {
                continue;
            }
            let item = path.get(room.len()).and_then(|name| passed_on.get(name).copied());
            let to = node_of(&path).or(item).map_or(DOOR, String::as_str);
            if to != from && !tests.iter().any(|test| test == from || test == to) {
                let place = format!("{}:{}", file.name, used.line);
                arrows.entry((from.to_owned(), to.to_owned())).or_insert(place);
            }
        }
    }
    arrows
}

/// The path from the crate's root, unless it leads out of the crate.
fn absolute(path: &[String], module: &[String], modules: &BTreeSet<&Path>) -> Option<Path> {
    let (first, mut rest) = path.split_first()?;
    let mut at = module.to_vec();
    match first.as_str() {
        "crate" => at.clear(),
        "self" => {}
        "super" => {
            at.pop()?;
            while rest.first().is_some_and(|next| next == "super") {
                at.pop()?;
                rest = &rest[1..];
            }
        }
        name => {
            at.push(name.to_owned());
            if !modules.contains(&at) {
                return None;
            }
        }
    }
    at.extend(rest.iter().filter(|name| *name != "self").cloned());
    Some(at)
}

/// The sets of nodes that reach each other, each sorted.
fn circles(arrows: &Arrows) -> Vec<Vec<String>> {
    let nodes: BTreeSet<&String> = arrows.keys().flat_map(|(from, to)| [from, to]).collect();
    let reaches = |from: &str, to: &str| way(from, to, arrows).is_some();
    let mut circles = BTreeSet::new();
    for node in nodes.iter().filter(|node| reaches(node, node)) {
        let around = nodes.iter().filter(|other| reaches(node, other) && reaches(other, node));
        circles.insert(around.map(|node| (*node).clone()).collect());
    }
    circles.into_iter().collect()
}

/// The nodes behind `from` on a shortest way to `to`.
fn way(from: &str, to: &str, arrows: &Arrows) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([(from.to_owned(), Vec::new())]);
    let mut seen = BTreeSet::new();
    while let Some((at, way)) = ways.pop_front() {
        for (_, next) in arrows.keys().filter(|(from, _)| *from == at) {
            let mut way = way.clone();
            way.push(next.clone());
            if next == to {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                ways.push_back((next.clone(), way));
            }
        }
    }
    None
}

/// One way around, with a place in the sources for each arrow.
fn describe(circle: &[String], arrows: &Arrows) -> String {
    let first = &circle[0];
    let mut from = first.clone();
    let mut text = format!("[{}] {first}", circle.join(" "));
    for to in way(first, first, arrows).expect("a circle") {
        text += &format!(" -> {to} ({})", arrows[&(from, to.clone())]);
        from = to;
    }
    text
}

// --- reading sources --------------------------------------------------------------------------

/// Words and signs with their lines; comments, strings and characters left out.
fn tokens(text: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut tokens, mut i) = (Vec::new(), 0);
    let mut line = 1;
    while i < chars.len() {
        let begin = i;
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '"' => i = end_of_string(&chars, i + 1),
            'r' if raw_hashes(&chars, i).is_some() => {
                let hashes = raw_hashes(&chars, i).unwrap_or_default();
                let end: String = ['"'].into_iter().chain((0..hashes).map(|_| '#')).collect();
                i += 2 + hashes;
                while i < chars.len()
                    && !chars[i..].iter().take(hashes + 1).copied().eq(end.chars())
                {
                    i += 1;
                }
                i += hashes + 1;
            }
            '\'' if at(i + 1) == '\\' => {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            '\'' if at(i + 2) == '\'' => i += 3,
            ':' if at(i + 1) == ':' => {
                tokens.push((line, "::".to_owned()));
                i += 2;
            }
            c if word(c) => {
                while word(at(i)) {
                    i += 1;
                }
                let token: String = chars[begin..i].iter().collect();
                // The prefix of a literal.
                if !(matches!(token.as_str(), "b" | "c") && matches!(at(i), '"' | '\'')) {
                    tokens.push((line, token));
                }
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push((line, c.to_string()));
                }
                i += 1;
            }
        }
        line += chars[begin..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

fn end_of_string(chars: &[char], mut i: usize) -> usize {
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// How many `#` a raw string begins with that begins here.
fn raw_hashes(chars: &[char], i: usize) -> Option<usize> {
    let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(i + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// Leaves out items behind `#[cfg(test)]`; gives the modules in other files among them, too.
fn without_tests(tokens: Vec<(usize, String)>) -> (Vec<(usize, String)>, Vec<String>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut modules, mut i) = (Vec::new(), Vec::new(), 0);
    while i < tokens.len() {
        let marked = tokens[i..].iter().take(MARK.len()).map(|(_, token)| token.as_str()).eq(MARK);
        if !marked {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        }
        i += MARK.len();
        let word = |i: usize| tokens.get(i).map_or("", |(_, token)| token.as_str());
        let public = usize::from(word(i) == "pub");
        if word(i + public) == "mod" && word(i + public + 2) == ";" {
            modules.push(word(i + public + 1).to_owned());
        }
        let mut depth = 0;
        while i < tokens.len() {
            let token = word(i);
            depth += i32::from(token == "{") - i32::from(token == "}");
            i += 1;
            if depth == 0 && matches!(token, ";" | "}") {
                break;
            }
        }
    }
    (kept, modules)
}

/// All paths of two names or more.
fn uses(tokens: &[(usize, String)]) -> Vec<Use> {
    let word = |i: usize| tokens.get(i).map_or("", |(_, token)| token.as_str());
    let (mut found, mut i, mut exports) = (Vec::new(), 0, false);
    while i < tokens.len() {
        match word(i) {
            "use" => {
                let public = i >= 1 && word(i - 1) == "pub";
                let restricted = i >= 4 && word(i - 4) == "pub" && word(i - 1) == ")";
                exports = public || restricted;
                i += 1;
            }
            ";" => {
                exports = false;
                i += 1;
            }
            _ if is_name(word(i)) && word(i + 1) == "::" => {
                i = tree(tokens, i, &[], exports, &mut found);
            }
            _ => i += 1,
        }
    }
    found
}

/// Reads a path that begins at `i`, with its groups; gives the place behind it.
fn tree(
    tokens: &[(usize, String)],
    mut i: usize,
    before: &[String],
    exports: bool,
    found: &mut Vec<Use>,
) -> usize {
    let word = |i: usize| tokens.get(i).map_or("", |(_, token)| token.as_str());
    let mut path = before.to_vec();
    let line = tokens[i].0;
    loop {
        path.push(word(i).to_owned());
        i += 1;
        if word(i) != "::" {
            break;
        }
        if word(i + 1) == "{" {
            i += 2;
            while !matches!(word(i), "}" | "") {
                i = match word(i) {
                    "," => i + 1,
                    _ => tree(tokens, i, &path, exports, found),
                };
            }
            return i + 1;
        }
        if !is_name(word(i + 1)) {
            break;
        }
        i += 1;
    }
    let renamed = word(i) == "as";
    let name = if renamed { word(i + 1) } else { path.last().map_or("", String::as_str) };
    let exported = exports.then(|| name.to_owned());
    found.push(Use { line, path, exported });
    if renamed { i + 2 } else { i }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

// --- on made-up rooms -------------------------------------------------------------------------

/// The circles of the room `a` in these files.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<File> = files.iter().map(|(name, text)| File::new(name, text)).collect();
    let room = ["a".to_owned()];
    circles(&arrows(&room, &files)).iter().map(|circle| circle.join(" ")).collect()
}

fn edges(list: &[(&str, &str)]) -> Arrows {
    let edge = |(from, to): &(&str, &str)| ((from.to_string(), to.to_string()), String::new());
    list.iter().map(edge).collect()
}

#[test]
fn circles_of_small_graphs() {
    assert!(circles(&edges(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    assert_eq!(circles(&edges(&[("a", "b"), ("b", "a"), ("b", "c")])), [["a", "b"]]);
    let two = edges(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d")]);
    assert_eq!(circles(&two), [vec!["a", "b", "c"], vec!["d", "e"]]);
    assert_eq!(way("a", "e", &two).unwrap(), ["b", "c", "d", "e"]);
}

#[test]
fn paths_of_every_spelling_are_arrows() {
    for text in [
        "use crate::a::y::Y;",
        "use crate::a::{self, y::{Y, Z}};",
        "use super::y::Y;",
        "use super::{y, z};",
        "fn f(y: &crate::a::y::Y) {}",
        "fn f() { super::y::f(\"//\", '\"', b'\\'', r#\"\"\"#) }",
        "pub(crate) use super::y::Y;",
    ] {
        let files = [("a/mod.rs", ""), ("a/x.rs", text), ("a/y.rs", "use super::x::X;")];
        assert_eq!(circles_of(&files), ["x y"], "{text}");
    }
    for text in [
        "// use super::y::Y;",
        "/// [`super::y::Y`]\nfn f() { g(\"super::y::Y\", r#\"\" super::y::Y\"#) }",
        "#[cfg(test)]\nmod tests { use super::super::y::Y; fn f() {} }",
        "#[cfg(test)]\nuse super::y::Y;\nuse std::y::Y;",
        "use crate::b::y::Y;",
    ] {
        let files = [("a/mod.rs", ""), ("a/x.rs", text), ("a/y.rs", "use super::x::X;")];
        assert!(circles_of(&files).is_empty(), "{text}");
    }
}

#[test]
fn a_door_that_uses_its_modules_must_not_be_used_by_them() {
    let x = ("a/x.rs", "use crate::a::Shared;");
    assert_eq!(circles_of(&[("a/mod.rs", "mod x; use x::X; struct Shared;"), x]), ["mod x"]);
    assert_eq!(circles_of(&[("a.rs", "mod x; fn f() { x::f() } struct Shared;"), x]), ["mod x"]);
    assert!(circles_of(&[("a/mod.rs", "mod x; pub use x::X; struct Shared;"), x]).is_empty());
}

#[test]
fn what_a_door_passes_on_is_where_it_is_defined() {
    let door = ("a/mod.rs", "mod x; mod y; pub use x::X; pub use y::{Y as Z};");
    let x = ("a/x.rs", "use crate::a::Z;");
    assert!(circles_of(&[door, x, ("a/y.rs", "")]).is_empty());
    assert_eq!(circles_of(&[door, x, ("a/y.rs", "use crate::a::X;")]), ["x y"]);
}

#[test]
fn a_file_and_its_folder_are_one() {
    let x = ("a/x.rs", "mod deep; use deep::D;");
    let deep = ("a/x/deep.rs", "use crate::a::x::Y; use crate::a::y::Y;");
    assert!(circles_of(&[("a.rs", ""), x, deep, ("a/y.rs", "")]).is_empty());
    assert_eq!(circles_of(&[("a.rs", ""), x, deep, ("a/y.rs", "use super::x::X;")]), ["x y"]);
}

#[test]
fn modules_for_tests_do_not_count() {
    let door = ("a/mod.rs", "mod x; #[cfg(test)] mod rig; use x::X;");
    let files = [door, ("a/x.rs", ""), ("a/rig.rs", "use super::Shared; use super::x::X;")];
    assert!(circles_of(&files).is_empty());
    let files = [("a/mod.rs", "#[cfg(test)]\nmod rig;"), ("a/x.rs", "use super::rig::R;")];
    assert!(circles_of(&[files[0], files[1], ("a/rig.rs", "use super::x::X;")]).is_empty());
}
