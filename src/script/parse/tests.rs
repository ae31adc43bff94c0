use std::io::Write as _;
use std::path::Path;

use super::*;
use crate::script::statement::{Encoding, Look};

fn givens() -> Givens {
    let variables = [("url", "ws://h"), ("given", "from --var")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Givens { variables: variables.into(), ..Givens::default() }
}

fn script(text: &str) -> Script {
    parse(Path::new("t.wst"), text, &givens()).unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn wrong(text: &str, place_and_what: &str) {
    let error = match parse(Path::new("t.wst"), text, &givens()) {
        Ok(_) => panic!("no error in {text:?}"),
        Err(error) => error,
    };
    assert_eq!(error.exit, crate::error::Exit::Usage);
    let said = error.to_string();
    assert!(said.contains(&format!("t.wst:{place_and_what}")), "{text:?}: {said}");
}

/// The statements of a script that is one test.
fn body(text: &str) -> Vec<Statement> {
    let mut script = script(text);
    script.tests.remove(0).body
}

#[test]
fn a_script_is_tests_with_a_prelude() {
    let script = script(
        "\u{feff}# comment\r\nvar a = 1\r\nconnect {{url}}\r\ntest \"one\"\r\ntags: x, y\r\n> {{a}}\r\n\r\n\
         test \"two \\\"2\\\"\"\r\n  # indented\r\n> b\r\n",
    );
    assert_eq!(script.prelude.len(), 1);
    let names: Vec<_> =
        script.tests.iter().map(|test| (test.name.as_str(), test.place.line)).collect();
    assert_eq!(names, [("one", 4), ("two \"2\"", 8)]);
    assert_eq!(script.tests[0].tags, ["x", "y"]);
    assert!(script.tests[1].tags.is_empty());
    assert_eq!(script.variables.get("a").map(String::as_str), Some("1"));
    let alone = parse(Path::new("d/chat.wst"), "connect {{url}}\n> x", &givens()).unwrap();
    assert_eq!((alone.tests[0].name.as_str(), alone.tests[0].body.len()), ("chat", 2));
    assert!(alone.prelude.is_empty());
}

#[test]
fn the_form_of_messages() {
    let body = body(
        "connect {{url}}\n>\n> \n>  two spaces \n> file\n>b hex 00 ff\n>b base64 AP8=\n> \\\"a\\r\\nb {{x}}\"\n> \\d\n\
         >\n```\na\n> b {{given}}\n```\n>\n````\n```\n````\n",
    );
    let payloads: Vec<String> = body[1..]
        .iter()
        .map(|statement| match &statement.kind {
            Kind::Send(Payload::Text(text)) => text.plain().unwrap_or_else(|| format!("{text:?}")),
            Kind::Send(Payload::Encoded(Encoding::Hex, text)) => {
                format!("hex {}", text.plain().unwrap())
            }
            Kind::Send(Payload::Encoded(_, text)) => format!("base64 {}", text.plain().unwrap()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(payloads[..5], ["", "", " two spaces ", "file", "hex 00 ff"]);
    assert_eq!(payloads[5..8], ["base64 AP8=", "a\r\nb {{x}}", "\\d"]);
    assert!(payloads[8].contains("a\\n> b ") && payloads[8].contains("given"), "{}", payloads[8]);
    assert_eq!(payloads[9], "```");
}

#[test]
fn the_form_of_patterns() {
    let body = body(
        "connect {{url}}\n< {\"a\":1}\n<= x\n<~ ^(?<id>a)\n<b hex 00\n<*\n<* 3\n<? x\n<?~(2s) {{id}}\n<?b(1s) hex 00\n<?= x\n\
         <! 200ms\n<(300ms) x\n    me = .id\n    .list | length >= 2\n<\n```\n{{me}}\n```\n",
    );
    let receive = |index: usize| match &body[index].kind {
        Kind::Receive(receive) => receive,
        other => panic!("{other:?}"),
    };
    assert!(matches!(receive(1).pattern, Wanted::Like(_)));
    assert!(matches!(receive(2).pattern, Wanted::Exact(_)));
    assert!(matches!(receive(3).pattern, Wanted::Regex(_)));
    assert!(matches!(receive(4).pattern, Wanted::Binary(_)));
    assert!(matches!(receive(5).pattern, Wanted::Any(1)));
    assert!(matches!(receive(6).pattern, Wanted::Any(3)));
    assert!(receive(7).passes && receive(7).within.is_none());
    assert_eq!(receive(8).within.unwrap().as_millis(), 2_000);
    assert!(matches!(receive(9).pattern, Wanted::Binary(_)) && receive(9).passes);
    assert!(matches!(receive(10).pattern, Wanted::Exact(_)) && receive(10).passes);
    let Kind::Expect(silence) = &body[11].kind else { panic!() };
    assert!(matches!(silence.what, Expected::Silence { frames: false, .. }));
    assert_eq!(receive(12).within.unwrap().as_millis(), 300);
    assert!(matches!(&receive(12).below[0].look, Look::Capture { name, .. } if name == "me"));
    assert!(matches!(&receive(12).below[1].look, Look::Assert { .. }));
    assert_eq!((body[8].mark.line, body[8].mark.column), (9, 9));
}

#[test]
fn every_form_of_expect_and_the_others() {
    let lines = "connect a {{url}}\n    header: X: {{given}}\n    insecure\n    insecure: false\n    origin: https://x\n\
        a expect open\n    header: Server: x\n    header: Date\na expect subprotocol x\na expect extension permessage-deflate\n\
        a expect header Server: x\na expect ping\na expect pong a b\na expect(2s) close 4000 \"why\"\na expect close ~ ^w\n\
        a expect close\na expect cut\na expect tls-failure\na expect violation\na expect violation 5.2\na expect violation §5.5.1\n\
        a expect silence 1s\na on ^(?<n>x)$ > y $1 $n $$\na every 2s > tick {{counter}}\na every 1m >b hex 00\nwait 1s\n\
        within 500ms\na/ping x\na/close 4000 \"why\"\na/frame op=3 fin=0\nrepeat {{n}}\nend\n";
    let text = format!("var n = 2\n{lines}");
    assert_eq!(body(&text).len(), 25);
    script(
        "connect {{url}}\nexpect status 403\n    header: Retry-After: 5\n    body ~ no\n    body json {\"a\":1}\n",
    );
}

#[test]
fn connections_are_known_by_name() {
    script("connect a {{url}}\na/close\nconnect a {{url}}\n");
    script("connect a {{url}}\na expect status 403\nconnect a {{url}}\n");
    script("connect {{url}}\nconnect {{url}}\n> x\n");
    script(
        "connect a {{url}}\ntest \"x\"\na> x\ntest \"y\"\na> x\nconnect b {{url}}\ntest \"z\"\nconnect b {{url}}\n",
    );
    script("repeat 2\nconnect {{url}}\nend\n");
    wrong("connect a {{url}}\nconnect a {{url}}", "2:1: the connection a is open already");
    wrong("> x", "1:1: there is no connection yet");
    wrong("a> x", "1:1: no connection is called a: there is no connect a URL");
    wrong("connect alice {{url}}\nalcie> x", "2:1: no connection is called alcie; there are alice");
    wrong(
        "connect alice {{url}}\nalcie> x",
        "2:1: no connection is called alcie; there are alice\n  hint: did you mean alice?",
    );
    wrong(
        "connect a {{url}}\nconnect b {{url}}\n> x",
        "3:1: all connections have names (a, b): which one",
    );
    wrong("test \"x\"\nconnect a {{url}}\ntest \"y\"\na> x", "4:1: no connection is called a");
    wrong("repeat 2\nconnect a {{url}}\nend", "2:1: the connection a would be opened again");
}

#[test]
fn variables_are_known_before_they_are_used() {
    script("connect {{url}}\n<~ (?<id>x)\n> {{id}}\n");
    script("var a = {{uuid}}\nvar b = {{a}}\nconnect {{url}}\n> {{b}} {{given}}");
    assert_eq!(script("var given = no\nconnect {{url}}").variables["given"], "from --var");
    wrong("connect {{url}}\n> {{rom}}", "2:3: found \"{{rom}}\", expected the name of a variable");
    wrong(
        "var room = x\nconnect {{url}}\n> a {{rom}}",
        "3:5: found \"{{rom}}\", expected the name of a variable that is set before this line\n  hint: did you mean room?",
    );
    wrong("connect {{url}}\n> {{id}}\n<~ (?<id>x)", "2:3: found");
    wrong(
        "test \"a\"\nconnect {{url}}\n<*\n    x = .\ntest \"b\"\nconnect {{url}}\n> {{x}}",
        "7:3: found",
    );
    wrong(
        "connect {{url}}\n> {{env.WSTAP_NOT_SET}}",
        "2:3: the environment variable WSTAP_NOT_SET is not set",
    );
    wrong("connect {{url}}\non (?<x>a) > b\n> {{x}}", "3:3: found");
    let none = parse(Path::new("t.wst"), "connect {{url}}", &Givens::default()).unwrap_err();
    assert!(none.to_string().contains("--url URL"), "{none}");
    let check = Givens { check_only: true, ..Givens::default() };
    parse(Path::new("t.wst"), "connect {{url}}/x\n> {{env.WSTAP_NOT_SET}}", &check).unwrap();
}

#[test]
fn what_is_wrong_is_placed_and_named() {
    for (text, says) in [
        (
            "conect ws://h",
            "1:1: found \"conect\", expected a statement: > < / connect expect test var wait within …\n  hint: did you mean connect?",
        ),
        ("hello", "1:1: found \"hello\", expected a statement"),
        ("???", "1:1: found \"???\", expected a statement"),
        ("    > x", "1:5: found \"> x\", expected a statement at the beginning of its line"),
        ("connect", "1:8: found the end of the line, expected a URL"),
        (
            "connect on ws://h",
            "1:9: found \"on\", expected another name: this one begins a statement",
        ),
        ("connect a b c", "1:13: found \"c\", expected nothing behind the URL"),
        ("connect 1a ws://h", "1:9: found \"1a\", expected a name"),
        ("connect ftp://h", "1:9: "),
        (
            "connect ws://h\n    headr: X: 1",
            "2:5: found \"headr\", expected an option of a connection, as in wstap --help: header, subprotocol, …\n  hint: did you mean header?",
        ),
        ("connect ws://h\n    json", "2:5: found \"json\", expected an option"),
        ("connect ws://h\n    header", "2:5: header: its value is missing"),
        ("connect ws://h\n    header: no colon", "2:5: the header \"no colon\" has no colon"),
        (
            "connect ws://h\n    insecure: maybe",
            "2:5: insecure: it stands alone, or with true or false",
        ),
        ("connect ws://h\n    cacert: no-such.pem", "2:5: cacert: there is no no-such.pem"),
        ("connect ws://h\n    ping-interval: x", "2:5: "),
        ("connect ws://h\n>x", "2:2: found \"x\", expected a space and a text"),
        ("connect ws://h\n>b", "2:3: found the end of the line, expected hex, base64 or file"),
        (
            "connect ws://h\n>b hexx 00",
            "2:4: found \"hexx\", expected hex, base64 or file\n  hint: did you mean hex?",
        ),
        ("connect ws://h\n>b hex 0", "2:8: an odd number of hex digits"),
        ("connect ws://h\n>b base64 *", "2:11: not base64"),
        ("connect ws://h\n> file no-such", "2:8: can't read no-such"),
        ("connect ws://h\n> \\\"a", "2:3: found \"\\\"a\", expected a JSON string"),
        ("connect ws://h\n>\n```\na", "3:1: ``` has no end"),
        ("connect ws://h\n>\n```\nab {{x\n```", "4:4: found \"{{x\", expected }}"),
        ("connect ws://h\n<x", "2:2: found \"x\", expected a space and a pattern"),
        ("connect ws://h\n<?* x", "2:2: <?* can't be"),
        ("connect ws://h\n<(2x) a", "2:3: found \"2x\", expected a time"),
        ("connect ws://h\n<(2s a", "2:2: found \"(2s a\", expected a time in parentheses"),
        ("connect ws://h\n<! soon", "2:4: found \"soon\", expected a time"),
        ("connect ws://h\n<!(1s) 1s", "2:3: found"),
        ("connect ws://h\n<* 0", "2:4: found \"0\", expected how many messages"),
        ("connect ws://h\n<~ (", "2:4: no regular expression: unclosed group"),
        ("connect ws://h\n<~(1s) (", "2:8: no regular expression: unclosed group"),
        (
            "connect ws://h\n< x\n    hello",
            "3:5: found \"hello\", expected NAME = .path or .path OP VALUE",
        ),
        ("connect ws://h\n< x\n    a = b", "3:9: a path begins with a dot"),
        ("connect ws://h\n< x\n    .a[x] == 1", "3:7: in brackets stands an index"),
        ("connect ws://h\n< x\n    .a =< 1", "3:8: found \"=< 1\", expected an operator: == !="),
        (
            "connect ws://h\n< x\n    .a is strnig",
            "3:11: \"strnig\" is no type of JSON: string, number, boolean, null, array, object; did you mean string?",
        ),
        ("connect ws://h\n< x\n    .a ==", "3:10: a value is missing"),
        ("connect ws://h\n< x\n    .a ~ [", "3:10: no regular expression"),
        (
            "connect ws://h\n< x\n    a = .b c",
            "3:12: found \"c\", expected nothing behind the path",
        ),
        (
            "connect ws://h\n> x\n    .a exists",
            "3:5: found \".a exists\", expected a statement at the beginning",
        ),
        ("connect ws://h\nexpect clos", "2:8: found \"clos\", expected what is expected: close"),
        (
            "connect ws://h\nexpect clos",
            "2:8: found \"clos\", expected what is expected: close, cut, extension, header, open, ping, pong, silence, status, subprotocol, tls-failure, violation\n  hint: did you mean close?",
        ),
        ("connect ws://h\nexpect status", "2:14: found the end of the line, expected a status"),
        ("connect ws://h\nexpect status 99", "2:15: found \"99\", expected a status"),
        ("connect ws://h\nexpect cut now", "2:12: found \"now\", expected nothing behind cut"),
        ("connect ws://h\nexpect close 70000", "2:14: found \"70000\", expected a close code"),
        (
            "connect ws://h\nexpect close 1000 why",
            "2:19: found \"why\", expected the reason in quotes",
        ),
        ("connect ws://h\nexpect close ~ (", "2:16: no regular expression"),
        ("connect ws://h\nexpect violation x", "2:18: found \"x\", expected a clause"),
        ("connect ws://h\nexpect silence", "2:15: found the end of the line, expected a time"),
        (
            "connect ws://h\nexpect header a b: c",
            "2:15: found \"a b: c\", expected the name of a header",
        ),
        (
            "connect ws://h\nexpect open\n    body ~ x",
            "3:5: found \"body ~ x\", expected header: Name: value",
        ),
        (
            "connect ws://h\nexpect status 403\n    body jsn {}",
            "3:10: found \"jsn {}\", expected ~ REGEX or json {…}",
        ),
        (
            "connect ws://h\nexpect status 403\n    body json {",
            "3:15: found \"{\", expected a JSON object or array",
        ),
        ("connect ws://h\nexpect ping\n    .a exists", "3:5: found"),
        ("connect ws://h\non x", "2:4: found \"x\", expected REGEX > TEXT"),
        ("connect ws://h\non ( > x", "2:4: no regular expression"),
        (
            "connect ws://h\non (?<id>a) > $idd",
            "2:15: the regular expression has no group idd; did you mean $id?",
        ),
        ("connect ws://h\nevery soon > x", "2:7: found \"soon\", expected a time"),
        (
            "connect ws://h\nevery 0s > x",
            "2:7: found \"0s\", expected a time that is longer than nothing",
        ),
        ("connect ws://h\n/pign", "2:2: there is no command /pign"),
        ("connect ws://h\n/quit", "2:2: /quit is for the prompt, not for scripts"),
        ("connect ws://h\n/close 1006", "2:2: /close: 1006 must not be sent"),
        ("connect ws://h\n/frame op=16", "2:2: /frame: "),
        ("wait", "1:5: found the end of the line, expected a time"),
        ("within x", "1:8: found \"x\", expected a time"),
        ("repeat x\nend", "1:8: found \"x\", expected how often: a number from 1"),
        ("repeat 2\nconnect ws://h", "1:1: repeat has no end"),
        ("repeat 2\ntest \"x\"\nend", "2:1: found \"test \"x\"\", expected end"),
        ("end", "1:1: found \"end\", expected a statement: no repeat is open here"),
        ("end now", "1:5: found \"now\", expected nothing behind end"),
        ("var x", "1:5: found \"x\", expected NAME = VALUE"),
        ("var 1 = x", "1:5: found \"1\", expected a name of letters"),
        ("var now = x", "1:5: found \"now\", expected a name"),
        ("var x = {{", "1:9: found \"{{\", expected }} behind the name"),
        ("var x = {{a b}}", "1:9: found \"{{a b}}\", expected a variable, env.NAME, random"),
        ("test x", "1:6: found \"x\", expected the test's name in quotes"),
        ("test \"\"", "1:6: found"),
        ("test \"a\"\ntest \"a\"", "2:1: there is a test \"a\" already, at t.wst:1"),
        ("tags a", "1:5: found \" a\", expected a colon"),
        ("tags: a,,b", "1:6: found the end of the line, expected tags with commas"),
        ("include", "1:9: found the end of the line, expected the path of a file"),
        ("include no-such.wst", "1:9: can't read no-such.wst: "),
    ] {
        wrong(text, says);
    }
}

#[test]
fn included_files_are_a_part_of_the_script() {
    let folder = std::env::temp_dir().join(format!("wstap-include-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("inner")).unwrap();
    let write = |name: &str, text: &str| {
        std::fs::File::create(folder.join(name))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .unwrap()
    };
    write("inner/login.wst", "> login\n> file token\n");
    write("inner/token", "t");
    write("self.wst", "include self.wst\n");
    write("bad.wst", "connect ws://h\n\ninclude inner/wrong.wst\n");
    write("inner/wrong.wst", "\n<x\n");
    write("test.wst", "test \"x\"\n");
    let path = folder.join("main.wst");
    let main = parse(&path, "connect {{url}}\ninclude inner/login.wst\n> x", &givens()).unwrap();
    let body = &main.tests[0].body;
    assert_eq!(body.len(), 4);
    assert_eq!(main.sources.way_to(body[1].place).len(), 1);
    let error = |text: &str| parse(&path, text, &givens()).unwrap_err().to_string();
    assert!(error("include self.wst").contains("include is nested more than 16 times"));
    let wrong = error("include bad.wst");
    assert!(wrong.contains("inner/wrong.wst:2:2: found \"x\""), "{wrong}");
    assert!(wrong.contains("bad.wst:3\n  because: included at"), "{wrong}");
    assert!(error("include test.wst").contains("an included file has no tests of its own"));
    std::fs::remove_dir_all(folder).unwrap();
}
