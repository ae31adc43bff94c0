//! Messages about the user's own files and values: what, where, and nothing of the machine's.

use crate::support::run::Run;

/// A file that is missing is called so, whichever option names it.
#[test]
fn a_missing_file_is_called_missing() {
    let file = "/no/such/file";
    let from = format!("@{file}");
    let url = "wss://localhost:9/";
    for args in [
        ["-H", &from].as_slice(),
        &["--bearer", &from],
        &["-u", &from],
        &["--cookie", &from],
        &["--proxy", &from],
        &["--proxy", "http://localhost:9", "--proxy-user", &from],
        &["--netrc-file", file],
        &["--cacert", file],
        &["--cert", file],
        &["--cert", file, "--key", file],
        &["--cert", file, "--pass", &from],
        &["--pinnedpubkey", file],
        &["--config", file],
        &["--unix-socket", file],
    ] {
        let output = Run::new(args.iter().chain(&[url])).run();
        expect_words(&output.stderr, args);
        assert!(output.stderr.contains(file), "{args:?}: {}", output.stderr);
        assert!(output.stderr.contains("there is no such file"), "{args:?}: {}", output.stderr);
    }
    let serve = ["serve", "127.0.0.1:0", "--cert", file, "--key", file];
    let output = Run::new(serve).run().expect_code(13);
    output.expect_stderr("wstap: serve: /no/such/file: there is no such file");
}

#[test]
fn a_folder_or_bytes_instead_of_a_text_are_called_so() {
    for (args, why) in [
        (["-H", "@/"], "it is a folder"),
        (["--cookie-jar", "/"], "not a regular file"),
        (["--cookie-jar", "/etc/hostname/x"], "a part of its path is not a folder"),
        (["--cert", "/"], "the folder holds none"),
        (["--bearer", "@/proc/self/exe"], "is not UTF-8"),
    ] {
        let output = Run::new(args.iter().chain(&["wss://localhost:9/"])).run();
        expect_words(&output.stderr, &args);
        assert!(output.stderr.contains(why), "{args:?}: {}", output.stderr);
    }
}

#[test]
fn a_value_that_is_none_says_what_it_can_be() {
    for (args, says) in [
        (["-w", "forver"], "or like 500ms, 2s, 1m, 1.5h, 1d, or forever"),
        (["-w", "-1"], "or forever"),
        (["-m", "1x"], "a time is a number of seconds, or like 500ms"),
        (["--until", "a\n("], "--until is not a regular expression: unclosed group"),
        (["--until", "[z-a]"], "--until is not a regular expression: invalid character class"),
    ] {
        let output = Run::new(args.iter().chain(&["ws://localhost:9/"])).run().expect_code(2);
        expect_words(&output.stderr, &args);
        assert!(output.stderr.contains(says), "{args:?}: {}", output.stderr);
    }
}

fn expect_words(stderr: &str, args: &[&str]) {
    assert!(!stderr.contains("(os error") && !stderr.contains("\\n"), "{args:?}: {stderr}");
}
