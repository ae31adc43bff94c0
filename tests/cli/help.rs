//! What is shown to somebody who asks: one screen, all options, the manual; each says where the rest is.

use crate::support::run::Run;

const PAGE: &str = include_str!("../../man/wstap.1");

fn shown(args: &[&str]) -> String {
    let output = Run::new(args).run().expect_code(0);
    assert_eq!(output.stderr, "", "{args:?}");
    output.text()
}

#[test]
fn the_short_help_is_one_screen() {
    let text = shown(&["-h"]);
    assert_eq!(text, shown(&["help"]));
    assert!((24..=40).contains(&text.lines().count()), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let (_, examples) = text.split_once("Examples:\n").unwrap();
    assert_eq!(examples.lines().take_while(|line| line.contains("wstap")).count(), 6);
    for rest in ["wstap --help", "wstap help VERB", "/help"] {
        assert!(text.lines().last().unwrap().contains(rest), "{text}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn the_long_help_has_all_and_the_examples_last() {
    let text = shown(&["--help"]);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in {text}"));
    for option in ["--cacert", "--max-fragments", "--noproxy", "--reconnect", "--show-secrets"] {
        at(option);
    }
    let order = ["Usage:", "\nMessages:", "\nRequest:", "\nTLS:", "Exit codes:", "Examples:"];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{text}");
}

#[test]
fn each_verb_has_its_own() {
    let text = shown(&["ping", "-h"]);
    assert!(text.contains("--within") && !text.contains("--cacert"), "{text}");
    assert!(text.contains("wstap ping -c 5") && text.contains("wstap help ping"), "{text}");
    let all = shown(&["help", "ping"]);
    assert!(all.contains("--within") && all.contains("--cacert"), "{all}");
    assert_eq!(all, shown(&["ping", "--help"]));
    assert_eq!(all, shown(&["--help", "ping"]));
    assert!(shown(&["serve", "-h"]).contains("--mode"));
    assert!(shown(&["-v", "demo", "-h"]).contains("Usage: wstap demo"));
    for (args, says) in [
        (["help", "pin"], "did you mean: wstap help ping"),
        (["help", "xyzzy"], "verbs: inspect, ping, "),
        (["help", "/as"], "type /help as there"),
    ] {
        Run::new(args).run().expect_failure(2, "usage: ").expect_stderr(says);
    }
}

#[test]
fn the_manual_says_everything_once() {
    for option in ["cacert", "header", "max\\-time", "show\\-secrets", "linger"] {
        let term = format!("\\-\\-{option}\\fR");
        let terms = PAGE.lines().filter(|line| line.starts_with("\\fB") && line.contains(&term));
        assert_eq!(terms.count(), 1, "{option}");
    }
    let sections: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    let sections: Vec<&str> = sections.iter().map(|name| name.trim_matches('"')).collect();
    assert_eq!(
        sections,
        [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "VERBS",
            "PROMPT",
            "EXIT STATUS",
            "ENVIRONMENT",
            "FILES",
            "EXAMPLES",
            "VERSION"
        ]
    );
    for command in wstap::repl::described() {
        assert!(
            PAGE.contains(&format!("\n\\fB/{}", command.name.replace('-', "\\-"))),
            "/{}",
            command.name
        );
    }
    assert!(PAGE.is_ascii());
}
