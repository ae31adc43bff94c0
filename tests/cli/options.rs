//! Options that a verb has are options that it obeys. That somebody reads each of them is for the
//! compiler: every `Args` is taken apart without `..`.

use crate::support::run::Run;
use crate::support::tls::Tls;

/// AES-256 with PBKDF2; the pass phrase is "open sesame".
const ENCRYPTED: &str = include_str!("../fixtures/encrypted-key.pem");
const CERTIFICATE: &str = include_str!("../fixtures/encrypted-key-cert.pem");

#[test]
fn the_pass_phrase_opens_the_servers_key() {
    let tls = Tls::new();
    let file = |name: &str, text: &str| tls.file(name, text).display().to_string();
    let (cert, key) = (file("cert.pem", CERTIFICATE), file("encrypted.pem", ENCRYPTED));
    let from_file = format!("@{}", file("phrase", "open sesame\n"));
    let serve = |pass: &[&str]| {
        let args = ["serve", "127.0.0.1:0", "--cert", &cert, "--key", &key];
        Run::new(args.iter().chain(pass))
    };
    for pass in ["open sesame", &from_file] {
        let server = serve(&["--pass", pass]).start();
        server.wait_stdout("\n");
        let line = server.stdout.text();
        let url = line.trim().strip_prefix("listening on ").unwrap();
        assert!(url.starts_with("wss://127.0.0.1:"), "{url}");
        let client = Run::new(["-k", "-n", "1", url]).stdin("hello\n").run();
        client.expect_code(0).expect_stdout("hello\n");
    }
    let output = serve(&["--pass", "secret-guess"]).run().expect_code(13);
    let output = output.expect_stderr("wstap: serve: --key").expect_stderr("the pass phrase");
    assert!(!output.stderr.contains("secret-guess"), "{}", output.stderr);
    serve(&[]).run().expect_code(13).expect_stderr("there is no pass phrase");
    serve(&["--pass", "@/no/such/file"]).run().expect_code(13).expect_stderr("/no/such/file");
    let pins = serve(&["--pinnedpubkey", "sha256//AAAA"]).run();
    pins.expect_code(2).expect_stderr("unexpected argument '--pinnedpubkey'");
}

#[test]
fn inspect_can_be_quiet() {
    let server = wstap::commands::demo::server().unwrap();
    let inspect = |options: &[&str]| Run::new(["inspect"].iter().chain(options)).run();
    let output = inspect(&["-q", server.url()]).expect_code(0).expect_stdout("");
    assert_eq!(output.stderr, "");
    let output = inspect(&["-q", "ws://127.0.0.1:9/"]).expect_code(4).expect_stdout("");
    output.expect_stderr("wstap: connect: ");
    let output = inspect(&[server.url()]).expect_code(0);
    assert!(output.text().contains("Verdict"), "{}", output.text());
}
