//! What is generated from the command line's definition is fresh.

use std::path::Path;

use clap_complete::Shell;
use wstap::cli::Generated;
use wstap::commands::generate;

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
