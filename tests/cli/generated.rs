//! What is generated from the command line's definition is fresh.

use std::path::Path;

use clap_complete::Shell;
use wstap::cli::Generated;
use wstap::commands::generate;
use wstap::repl;
use wstap::text::wrap::wrap;

const FILES: [(Generated, &str); 6] = [
    (Generated::Man, "man/wstap.1"),
    (Generated::Completions(Shell::Bash), "completions/wstap.bash"),
    (Generated::Completions(Shell::Elvish), "completions/wstap.elv"),
    (Generated::Completions(Shell::Fish), "completions/wstap.fish"),
    (Generated::Completions(Shell::PowerShell), "completions/_wstap.ps1"),
    (Generated::Completions(Shell::Zsh), "completions/_wstap"),
];

#[test]
fn man_page_and_completions_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (what, path) in FILES {
        let fresh = generate::text(what).unwrap();
        let kept = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        // WSTAP_BLESS=1 writes them.
        if std::env::var_os("WSTAP_BLESS").is_some() {
            let file = root.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, fresh).unwrap();
        } else {
            assert!(
                fresh == kept,
                "{path} is stale: WSTAP_BLESS=1 cargo test --test cli generated"
            );
        }
    }
}

/// Around the part of docs/prompt.md that is made from the table of the commands.
const BEGIN: &str =
    "<!-- Made from the table of the commands: WSTAP_BLESS=1 cargo test --test cli generated -->\n";
const END: &str = "<!-- The end of it -->\n";

/// Every command of the prompt as an item of a list.
fn commands() -> String {
    let plain = |text: &str| {
        let special = |c: char| matches!(c, '\\' | '*' | '_' | '`' | '<' | '[');
        text.chars().fold(String::new(), |mut plain, c| {
            plain.extend(special(c).then_some('\\'));
            plain.push(c);
            plain
        })
    };
    let mut list = String::from("\n");
    for command in repl::described() {
        let usage = format!("/{} {}", command.name, command.arguments);
        let mut item = format!("- `{}`: {}", usage.trim_end(), plain(command.help));
        for alias in command.aliases {
            item.push_str(&format!("; the same: `/{alias}`"));
        }
        list.push_str(&format!("{}\n", wrap(&item, 130, 0, 2)));
        for line in command.more {
            list.push_str(&format!("  <br>{}\n", plain(line)));
        }
    }
    list + "\n"
}

#[test]
fn the_prompts_page_has_every_command() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/prompt.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("where the commands begin");
    let (kept, after) = rest.split_once(END).expect("where they end");
    if std::env::var_os("WSTAP_BLESS").is_some() {
        std::fs::write(path, [before, BEGIN, &commands(), END, after].concat()).unwrap();
    } else {
        assert!(
            kept == commands(),
            "docs/prompt.md is stale: WSTAP_BLESS=1 cargo test --test cli generated"
        );
    }
}

#[test]
fn the_man_page_has_every_command() {
    let page = generate::text(Generated::Man).unwrap();
    let page = page.replace("\\-", "-").replace("\\&", "");
    for command in repl::described() {
        assert!(page.contains(&format!("\\fB/{}", command.name)), "/{}", command.name);
    }
}
