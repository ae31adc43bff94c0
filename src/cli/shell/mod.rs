//! Splits a pasted command as the shell it was copied for would: bash or cmd.exe.
//!
//! Nothing is run or expanded: a word with an expansion or substitution can't be used. What a shell
//! does around the command, such as a redirection or a pipe, is left out.

mod bash;
mod cmd;
mod line;

pub use line::{Line, Word};

/// The words of the command that begins in the text after as many bytes.
///
/// # Errors
/// One line: why the text isn't a command, and where.
pub fn split(text: &str, begin: usize) -> Result<Line, String> {
    let before = text.get(..begin).unwrap_or_default().chars().count();
    let chars: Vec<char> = text.chars().collect();
    if is_for_cmd(text.get(begin..).unwrap_or_default()) {
        cmd::line(&chars, before)
    } else {
        bash::line(&chars, before)
    }
}

/// Browsers put a caret before the quotes and the line ends of what they copy for cmd.exe, and
/// quote with ' for bash.
fn is_for_cmd(text: &str) -> bool {
    let mut before = ' ';
    for c in text.chars() {
        match (before, c) {
            ('^', '"' | '\r' | '\n') => return true,
            ('\\', '\r' | '\n') | (_, '\'') => return false,
            (_, '"') => return text.lines().any(|line| line.ends_with('^')),
            _ => before = c,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> Line {
        split(text, 0).unwrap()
    }

    fn words(text: &str) -> Vec<String> {
        line(text).words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn quotes_of_bash() {
        for (text, wanted) in [
            ("curl 'a b' c", &["curl", "a b", "c"][..]),
            ("a'b'\"c\"d e''", &["abcd", "e"]),
            ("'' \"\" x", &["", "", "x"]),
            (r#""a\"b\$c\\d\e""#, &[r#"a"b$c\d\e"#]),
            ("a\\ b \\'c\\\"", &["a b", "'c\""]),
            ("a \\\n  -H 'b\\\n c' \"d\\\ne\"", &["a", "-H", "b\\\n c", "de"]),
            ("a \\\r\n b", &["a", "b"]),
            ("cost: $ 5$ \"$ %\"", &["cost:", "$", "5$", "$ %"]),
            ("https://h/?a=1#b ~ *", &["https://h/?a=1#b", "~", "*"]),
            ("a\n\n", &["a"]),
        ] {
            assert_eq!(words(text), wanted, "{text}");
        }
    }

    #[test]
    fn escapes_of_bash() {
        for (text, wanted) in [
            (r"$'it\'s\u0021'", "it's!"),
            (r"$'\x41\x4g\t\n\\\e\101\7'", "A\u{4}g\t\n\\\u{1b}A\u{7}"),
            (r"$'\u00e9\U0001f600\xc3\xa9'", "é😀é"),
            (r"$'\ud83d\ude00'", "😀"),
            (r"$'\q\u41'", "\\qA"),
            (r#"$"a\"b""#, "a\"b"),
        ] {
            assert_eq!(words(text), [wanted], "{text}");
        }
    }

    #[test]
    fn what_a_shell_does_around_the_command_is_left_out() {
        for (text, wanted, left_out) in [
            ("curl a | jq .", &["curl", "a"][..], &["| jq ."][..]),
            ("curl a 2>/dev/null", &["curl", "a"], &["2>/dev/null"]),
            (
                "curl a 2> /dev/null >>'out file' b",
                &["curl", "a", "b"],
                &["2> /dev/null", ">>'out file'"],
            ),
            ("curl a 2>&1 | tee x", &["curl", "a"], &["2>&1", "| tee x"]),
            ("curl a &> out b&", &["curl", "a", "b"], &["&> out", "&"]),
            ("curl a > >(tee 'x)') <(b) 2>&1", &["curl", "a"], &["> >(tee 'x)')", "<(b)", "2>&1"]),
            ("curl a<in b1 2>x", &["curl", "a", "b1"], &["<in", "2>x"]),
            ("curl a && echo ok", &["curl", "a"], &["&& echo ok"]),
            ("curl a; rm b", &["curl", "a"], &["; rm b"]),
            ("curl a) x", &["curl", "a"], &[") x"]),
            ("curl a <<EOF\nb\nEOF", &["curl", "a"], &["<<EOF\nb\nEOF"]),
            ("curl a # why\n", &["curl", "a"], &[]),
            ("curl a # why\nb", &["curl", "a"], &["b"]),
            ("curl a\nrm b", &["curl", "a"], &["rm b"]),
            ("curl a\n```\n", &["curl", "a"], &[]),
            (
                "curl a ^\"b^\" ^\n -c ^\"d^|^\" > out 2>nul | more",
                &["curl", "a", "b", "-c", "d|"],
                &["> out", "2>nul", "| more"],
            ),
            ("curl ^\"a^\" & dir", &["curl", "a"], &["& dir"]),
        ] {
            let line = line(text);
            let words: Vec<_> = line.words.iter().map(|word| word.text.as_str()).collect();
            assert_eq!(words, wanted, "{text}");
            assert_eq!(line.left_out, left_out, "{text}");
        }
    }

    #[test]
    fn lines_that_lost_their_backslash_go_on() {
        for text in ["a\n  -H b", "a \\  \n -H b", "a `\n -H b", "a \\\n\n -H b", "a -H\n 'b'"] {
            assert_eq!(words(text), ["a", "-H", "b"], "{text:?}");
        }
        let cut = line("a b \\");
        assert_eq!(cut.words.len(), 2);
        assert_eq!(cut.notes, ["it ends with a backslash: is the rest missing?"]);
    }

    #[test]
    fn a_url_without_quotes() {
        let line = line("curl ws://h/x?a=1&b=2&c -k &");
        assert_eq!(line.words[1].text, "ws://h/x?a=1&b=2&c");
        assert_eq!(line.notes.len(), 1);
        assert_eq!(words("curl ws://h/x(1)"), ["curl", "ws://h/x(1)"]);
    }

    #[test]
    fn what_only_a_shell_can_expand_is_marked() {
        for (text, source, why) in [
            ("curl $TOKEN", "$TOKEN", "there is a $ at character 6"),
            ("curl \"a${TOKEN}b\"", "a${TOKEN}b", "there is a $ at character 8"),
            ("curl `id`x", "`id`x", "there is a ` at character 6"),
            ("curl $(id ')' \"(\")", "$(id ')' \"(\")", "there is a $ at character 6"),
            ("curl \"$(openssl rand -base64 16)\"", "$(openssl rand -base64 16)", "at character 7"),
        ] {
            let line = line(text);
            assert_eq!(line.words[1].text, source, "{text}");
            let unknown = line.words[1].unknown.clone().unwrap();
            assert!(unknown.contains(why), "{unknown}");
        }
    }

    #[test]
    fn what_no_shell_takes() {
        for (text, why) in [
            ("curl 'a", "the ' at character 6 has no other"),
            ("curl \"a", "the \" at character 6 has no other"),
            ("curl \"a\\", "the \" at character 6 has no other"),
            ("curl $'a\\'", "the ' at character 7 has no other"),
            ("curl `a", "the ` at character 6 has no other"),
            ("curl $(a", "the ( at character 7 has no other"),
            (r"$'\x'", "stands for no character"),
            (r"$'\ud83d'", "stands for no character"),
            (r"$'\uzz'", "stands for no character"),
            (r"$'\U00110000'", "stands for no character"),
            (r"$'\0'", "NUL"),
            (r"$'\u0000'", "stands for no character"),
            (r"$'\xff'", "not UTF-8"),
            ("curl ^\"a", "has no other"),
        ] {
            let error = split(text, 0).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn quotes_of_cmd() {
        for (text, wanted) in [
            (
                "curl ^\"wss://h/?a=1^&b=2^\" ^\r\n  -H ^\"A: b^\"",
                &["curl", "wss://h/?a=1&b=2", "-H", "A: b"][..],
            ),
            (
                "curl ^\"a^\" ^\n -H ^\"B: ^\\^\"c^\\^\" ^%^PATH^%^\"",
                &["curl", "a", "-H", "B: \"c\" %PATH%"],
            ),
            ("curl ^\"a^\" -H ^\"it's^\"", &["curl", "a", "-H", "it's"]),
            ("curl \"a^b\" ^\n \"c\"\"d\" e\\f\\\\\" g\"", &["curl", "a^b", "c\"d", "ef\\ g"]),
            ("curl ^\"a^\n\nb^\"", &["curl", "a\nb"]),
        ] {
            let wanted: Vec<_> = wanted.iter().map(|w| w.replace("ef", "e\\f")).collect();
            assert_eq!(words(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_wild(text in r#"[ab'"\\$^\nux0{}é|<>&;()#`\-]{0,40}"#) {
            let _ = split(&text, 0);
        }
    }
}
