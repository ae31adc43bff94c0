//! TLS.

use std::time::Duration;

use rcgen::CertificateParams;

use crate::case::{Case, case, run};
use crate::support::run::Run;
use crate::support::scripted::{Peer, ScriptedServer, close_frame, frame};
use crate::support::tls::Tls;

fn localhost() -> CertificateParams {
    CertificateParams::new(vec!["localhost".to_owned()]).expect("a name")
}

fn dated(from: i32, to: i32) -> Tls {
    let mut params = localhost();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    Tls::with_params(params)
}

fn good(peer: &mut Peer) {
    peer.accept();
    peer.send([frame(0x1, "hello"), close_frame(1000, "")].concat());
    peer.frames_until_close();
}

/// A certificate that is refused, with a hint; with `--insecure` it is said and taken.
fn refused(name: &str, make: impl Fn() -> Tls, says: &str) -> [Case; 2] {
    let insecure = format!("{name}, insecure");
    [
        case(name, good).tls(make()).exits(5, ["wstap: tls: ", says, "hint:"]),
        case(insecure, good).tls(make()).args(["-k"]).exits(0, [says]).stdout("hello\n").once(),
    ]
}

#[test]
fn certificates() {
    let hostile = || {
        let mut params =
            CertificateParams::new(vec!["elsewhere.example".to_owned()]).expect("a name");
        params.distinguished_name.push(rcgen::DnType::CommonName, "\x1b]0;owned\x07\u{9b}2J");
        Tls::with_params(params)
    };
    let folder = Tls::new();
    let unknown = |name: &str| case(name, good).tls(Tls::new()).untrusted();
    let mut cases = vec![
        case("a good one", good).tls(Tls::new()).exits(0, []).stdout("hello\n"),
        unknown("an unknown CA").exits(5, ["wstap: tls: ", "is not trusted", "--cacert"]),
        unknown("an unknown CA, insecure").args(["-k"]).exits(0, ["not trusted"]).once(),
        case("a folder with the CA", good)
            .args(["--cacert", &folder.ca.parent().expect("a folder").display().to_string()])
            .tls(folder)
            .untrusted()
            .exits(0, [])
            .stdout("hello\n"),
        case("control bytes in a name", good)
            .tls(hostile())
            .args(["-v"])
            .exits(5, ["elsewhere.example"]),
        case("control bytes in a name, insecure", good)
            .tls(hostile())
            .args(["-v", "-k"])
            .exits(0, ["\\x1b]0;owned\\x07"])
            .once(),
    ];
    cases.extend(refused("expired", || dated(2001, 2002), "expired on"));
    cases.extend(refused("self-signed", self_signed, "is self-signed"));
    cases.extend(refused(
        "a key that is not the certificate's",
        || Tls::new().with_another_key(),
        "a signature in the handshake is wrong",
    ));
    cases.extend(refused("not yet valid", || dated(2200, 2201), "not valid before"));
    cases.extend(refused(
        "a wrong host",
        || Tls::with_names(&["example.org"]),
        "is not for localhost",
    ));
    cases.extend(refused(
        "an address alone",
        || Tls::with_names(&["127.0.0.1"]),
        "is not for localhost",
    ));
    run("certificates", cases);
}

/// A self-signed one, trusted by nobody: the authority's own, in the server's place.
fn self_signed() -> Tls {
    let key = rcgen::KeyPair::generate().expect("keys");
    let cert = localhost().self_signed(&key).expect("a certificate");
    let mut tls = Tls::new();
    tls.cert = tls.file("self.pem", cert.pem());
    tls.key = tls.file("self-key.pem", key.serialize_pem());
    tls
}

/// The digest of a PEM certificate's key, as openssl and curl make it.
fn pin(tls: &Tls) -> String {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let cert = CertificateDer::from_pem_file(&tls.cert).expect("a certificate");
    let cert = rustls::server::ParsedCertificate::try_from(&cert).expect("a certificate");
    let suites = wstap::transport::default_provider().cipher_suites;
    let aes = rustls::CipherSuite::TLS13_AES_128_GCM_SHA256;
    let suite = suites.iter().find(|suite| suite.suite() == aes).and_then(|suite| suite.tls13());
    let suite = suite.unwrap();
    let digest = suite.common.hash_provider.hash(cert.subject_public_key_info().as_ref());
    format!("sha256//{}", data_encoding::BASE64.encode(digest.as_ref()))
}

#[test]
fn pinned_keys() {
    let zeros = format!("sha256//{}", data_encoding::BASE64.encode(&[0; 32]));
    let with = |name: &str, tls: Tls, pins: &dyn Fn(&Tls) -> String| {
        let pins = pins(&tls);
        case(name, good).args(["--pinnedpubkey", &pins]).tls(tls)
    };
    let both = |tls: &Tls| format!("{zeros};{}", pin(tls));
    let public = |tls: &Tls, der: bool| {
        let key = std::fs::read_to_string(&tls.key).expect("a key");
        let key = rcgen::KeyPair::from_pem(&key).expect("a key");
        use rcgen::PublicKeyData;
        let path = match der {
            true => tls.file("public.der", key.subject_public_key_info()),
            false => tls.file("public.pem", key.public_key_pem()),
        };
        path.display().to_string()
    };
    let wrong = Tls::new();
    let received = pin(&wrong);
    let unsigned = Tls::new().with_another_key();
    let stolen = pin(&unsigned);
    run(
        "pinned keys",
        vec![
            with("the right one", Tls::new(), &pin).exits(0, []).stdout("hello\n"),
            with("one of two", Tls::new(), &both).exits(0, []).stdout("hello\n"),
            with("a PEM file", Tls::new(), &|tls| public(tls, false)).exits(0, []),
            with("a DER file", Tls::new(), &|tls| public(tls, true)).exits(0, []),
            with("another one", wrong, &|_| zeros.clone())
                .exits(5, ["wstap: tls: ", "not the pinned one", &received, "hint:"]),
            with("another one, insecure", Tls::new(), &|_| zeros.clone())
                .args(["-k"])
                .exits(5, ["not the pinned one"]),
            with("the right one of an unknown CA", Tls::new(), &pin)
                .untrusted()
                .exits(5, ["is not trusted"]),
            with("the right one of an unknown CA, insecure", Tls::new(), &pin)
                .untrusted()
                .args(["-k"])
                .exits(0, ["is not trusted"])
                .once(),
            case("a copied certificate without its key, insecure", good)
                .args(["-k", "--pinnedpubkey", &stolen])
                .tls(unsigned)
                .exits(5, ["a signature in the handshake is wrong"]),
        ],
    );
}

#[test]
fn pins_that_are_none_are_exit_2() {
    let tls = Tls::new();
    let cert = tls.cert.display().to_string();
    for (pins, says) in [
        ("sha256//AAAA", "not the Base64 of a SHA-256 digest"),
        ("/no/such/file", "can't be read"),
        (cert.as_str(), "openssl x509 -in FILE -noout -pubkey"),
    ] {
        let run = Run::new(["--pinnedpubkey", pins, "wss://localhost:9/"]);
        run.run().expect_failure(2, "usage: --pinnedpubkey").expect_stderr(says);
    }
}

#[test]
fn the_clients_certificate() {
    let mut cases = Vec::new();
    for (version, name) in [(&rustls::version::TLS12, "1.2"), (&rustls::version::TLS13, "1.3")] {
        let tls = || Tls::new().asking().only(version);
        cases.push(
            case(format!("required, none given, TLS {name}"), good)
                .tls(tls())
                .exits(5, ["wstap: tls: ", "requires a client certificate", "--cert FILE"]),
        );
        let (own, theirs, stranger) = (tls(), tls(), Tls::new());
        let paths = |tls: &Tls| {
            let (cert, key) = &tls.client;
            (cert.display().to_string(), key.display().to_string())
        };
        let (cert, key) = paths(&own);
        cases.push(
            case(format!("required and given, TLS {name}"), good)
                .args(["--cert", &cert, "--key", &key])
                .tls(own)
                .exits(0, [])
                .stdout("hello\n"),
        );
        let (cert, key) = paths(&stranger);
        let (cert, key) = (
            theirs.file("strange.pem", std::fs::read(cert).expect("a file")).display().to_string(),
            theirs
                .file("strange-key.pem", std::fs::read(key).expect("a file"))
                .display()
                .to_string(),
        );
        cases.push(
            case(format!("of another authority, TLS {name}"), good)
                .args(["--cert", &cert, "--key", &key])
                .tls(theirs)
                .exits(5, ["wstap: tls: ", "refuses the client certificate", "hint:"]),
        );
    }
    run("client certificates", cases);
}

/// Made by `openssl pkcs8 -topk8`: AES-256 with PBKDF2; the pass phrase is "open sesame".
const ENCRYPTED: &str = include_str!("../fixtures/encrypted-key.pem");
/// The same key with scrypt.
const SCRYPT: &str = include_str!("../fixtures/encrypted-key-scrypt.pem");
/// Its certificate; only the key's fit is looked at before there is a connection.
const CERTIFICATE: &str = include_str!("../fixtures/encrypted-key-cert.pem");

#[test]
fn the_clients_key() {
    let tls = Tls::new();
    let file = |name: &str, text: &str| tls.file(name, text).display().to_string();
    let cert = file("fixture.pem", CERTIFICATE);
    let encrypted = file("encrypted.pem", ENCRYPTED);
    let scrypt = file("scrypt.pem", SCRYPT);
    let both = file("both.pem", &format!("{CERTIFICATE}{ENCRYPTED}"));
    let old = file(
        "old.pem",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
         -----END RSA PRIVATE KEY-----\n",
    );
    let broken = file(
        "broken.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n!\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let phrase = file("phrase", "open sesame\n");
    let from_file = format!("@{phrase}");
    let other = tls.client.1.display().to_string();
    // Nobody listens on the discard port: who gets as far as that has opened the key.
    let opened = "connect: ";
    for (args, code, says) in [
        (vec!["--key", &encrypted], 5, "tls: --key"),
        (vec!["--key", &encrypted, "--pass", "open sesame"], 4, opened),
        (vec!["--key", &encrypted, "--pass", &from_file], 4, opened),
        (vec!["--key", &scrypt, "--pass", &from_file], 4, opened),
        (vec!["--key", &encrypted, "--pass", "secret-guess"], 5, "tls: --key"),
        (vec!["--key", &old, "--pass", "x"], 5, "tls: --key"),
        (vec!["--key", &broken, "--pass", "x"], 5, "tls: --key"),
        (vec!["--key", &other], 5, "tls: the private key doesn't belong"),
    ] {
        let args = ["--cert", &cert].into_iter().chain(args).chain(["wss://127.0.0.1:9/"]);
        let output = Run::new(args).run().expect_failure(code, says).expect_stderr("hint:");
        assert!(!output.stderr.contains("secret-guess"), "{}", output.stderr);
    }
    let run = Run::new(["--cert", &both, "--pass", "open sesame", "wss://127.0.0.1:9/"]);
    run.run().expect_failure(4, opened);
    let run = Run::new(["--cert", &cert, "--key", &encrypted, "wss://127.0.0.1:9/"]);
    run.run().expect_code(5).expect_stderr("no pass phrase").expect_stderr("--pass @FILE");
    let run = Run::new(["--cert", &cert, "--key", &old, "wss://127.0.0.1:9/"]);
    run.run().expect_code(5).expect_stderr("openssl pkcs8 -topk8");
}

#[test]
fn the_key_log_is_for_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let tls = Tls::new();
    let log = tls.ca.with_file_name("keys.log");
    let server = ScriptedServer::start_tls(&tls, good);
    let cacert = tls.ca.display().to_string();
    let run = || Run::new(["--cacert", &cacert, &server.url()]);
    run().env("SSLKEYLOGFILE", &log).run().expect_code(0).expect_stdout("hello\n");
    let text = std::fs::read_to_string(&log).expect("a key log");
    assert!(text.contains("CLIENT_TRAFFIC_SECRET_0 "), "{text}");
    let mode = std::fs::metadata(&log).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let run = run().env("SSLKEYLOGFILE", "/no/such/folder/keys");
    run.run().expect_code(0).expect_stdout("hello\n").expect_stderr("SSLKEYLOGFILE /no/such");
}

#[test]
fn what_the_environment_trusts() {
    let (tls, other) = (Tls::new(), Tls::new());
    let server = ScriptedServer::start_tls(&tls, good);
    let folder = |tls: &Tls| tls.ca.parent().expect("a folder").display().to_string();
    let run = |file: Option<&Tls>, folders: String| {
        let mut run = Run::new([server.url()]);
        if let Some(tls) = file {
            run = run.env("SSL_CERT_FILE", &tls.ca);
        }
        if !folders.is_empty() { run.env("SSL_CERT_DIR", folders) } else { run }.run()
    };
    run(Some(&tls), String::new()).expect_code(0);
    run(Some(&tls), "/no/such/folder".to_owned()).expect_code(0);
    run(None, folder(&tls)).expect_code(0);
    // The folders have what the file hasn't.
    run(Some(&other), folder(&tls)).expect_code(0);
    run(Some(&other), format!("/no/such/folder:{}", folder(&tls))).expect_code(0);
    run(Some(&other), String::new()).expect_code(5).expect_stderr("the trusted CA of that name");
    run(Some(&other), folder(&other)).expect_code(5).expect_stderr("the trusted CA of that name");
    run(None, "/no/such/folder".to_owned()).expect_code(2).expect_stderr("SSL_CERT_DIR gives no");
}

#[test]
fn the_chain_is_shown() {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let hostile = rcgen::string::Ia5String::try_from("a\x1b[2J.example").expect("ASCII");
    params.subject_alt_names.push(rcgen::SanType::DnsName(hostile));
    params.distinguished_name.push(rcgen::DnType::CommonName, "the server");
    let cases = vec![case("the chain", good).tls(Tls::with_params(params)).args(["-v"]).exits(
        0,
        ["CN=the server", "CN=wstap's test authority", "localhost", "\\x1b[2J", "1975-"],
    )];
    run("the chain", cases);
}

#[test]
fn what_cannot_be_agreed_on() {
    /// A ServerHello of that version with that cipher suite.
    fn server_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
        let mut body = version.to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(suite);
        body.push(0);
        let mut message = vec![0x02, 0, 0, body.len() as u8];
        message.extend(body);
        let mut record = vec![0x16, version[0], version[1], 0, message.len() as u8];
        record.extend(message);
        record
    }
    let hello = |name: &str, version, suite, says: &str| {
        case(name, move |peer: &mut Peer| {
            let _ = peer.try_send(server_hello(version, suite));
            peer.stay_silent();
        })
        .over_tls()
        .exits(5, ["wstap: tls: ", says, "hint:"])
    };
    let alert = |name: &str, bytes: &'static [u8], says: &str| {
        case(name, move |peer: &mut Peer| {
            let _ = peer.try_send(bytes);
        })
        .over_tls()
        .exits(5, ["wstap: tls: ", says, "hint:"])
    };
    let choosing = |name: &str, offers: &str| {
        case(name, Peer::stay_silent).tls(Tls::new().alpn(&["h2"])).args(["--alpn", offers])
    };
    run(
        "no agreement",
        vec![
            hello("a server of TLS 1.1", [3, 2], [0, 0x2f], "TLS 1.1 or older"),
            hello("a server of TLS 1.0", [3, 1], [0, 0x2f], "TLS 1.1 or older"),
            hello("a server of SSL 3", [3, 0], [0, 0x2f], "TLS 1.1 or older"),
            case("a cipher that was not offered", |peer: &mut Peer| {
                let _ = peer.try_send(server_hello([3, 3], [0, 0x04]));
                peer.stay_silent();
            })
            .over_tls()
            .exits(5, ["wstap: tls: ", "SelectedUnofferedCipherSuite"]),
            alert("protocol_version of TLS 1.1", b"\x15\x03\x02\0\x02\x02\x46", "TLS 1.1 or older"),
            alert(
                "handshake_failure of TLS 1.1",
                b"\x15\x03\x02\0\x02\x02\x28",
                "no common cipher",
            ),
            alert("insufficient_security", b"\x15\x03\x03\0\x02\x02\x47", "no common cipher"),
            case("TLS 1.2 alone for TLS 1.3 alone", good)
                .tls(Tls::new().only(&rustls::version::TLS12))
                .args(["--tlsv1.3"])
                .exits(5, ["wstap: tls: ", "no common version", "hint:"]),
            case("TLS 1.3 alone for TLS 1.2 alone", good)
                .tls(Tls::new().only(&rustls::version::TLS13))
                .args(["--tlsv1.2"])
                .exits(5, ["wstap: tls: ", "no common version", "hint:"]),
            choosing("h2 chosen", "h2,http/1.1").exits(7, ["\"h2\"", "ALPN", "hint:"]),
            choosing("h2 alone, not offered", "http/1.1").exits(5, ["none of the offered ALPN"]),
        ],
    );
}

#[test]
fn what_is_no_tls() {
    let raw = |name: &str, bytes: &'static [u8]| {
        case(name, move |peer| {
            let _ = peer.try_send(bytes);
        })
        .over_tls()
    };
    let fails = |name: &str, bytes: &'static [u8], says: &str| {
        raw(name, bytes).exits(5, ["wstap: tls: ", says])
    };
    run(
        "no TLS",
        vec![
            fails("plain HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks plain HTTP")
                .exits(5, ["try ws://"]),
            fails("an SSH banner", b"SSH-2.0-OpenSSH\r\n", "SSH-2.0-OpenSSH"),
            fails("ESC in a banner", b"220 \x1b[31mhi\r\n", "\\x1b[31mhi"),
            fails("handshake_failure", b"\x15\x03\x03\0\x02\x02\x28", "no common cipher"),
            fails("protocol_version", b"\x15\x03\x03\0\x02\x02\x46", "TLS 1.1 or older"),
            fails("unrecognized_name", b"\x15\x03\x03\0\x02\x02\x70", "--sni"),
            fails("internal_error", b"\x15\x03\x03\0\x02\x02\x50", "80"),
            fails("an alert nobody knows", b"\x15\x03\x03\0\x02\x02\xfe", "254"),
            fails("a garbage record", b"\x16\x03\x03\0\x05garba", "wstap: tls"),
            fails("a record of no type", b"\x17\x03\x03\0\x05garba", "wstap: tls"),
            fails("an oversized record", b"\x16\x03\x03\xff\xffxxxxxxxxxxxxxx", "wstap: tls"),
            fails("close_notify first", b"\x15\x03\x03\0\x02\x01\0", "wstap: tls"),
            fails("the end at once", b"", "closed the connection in the TLS handshake"),
            fails("the end in a record", b"\x16\x03\x03\0\x50\x02\0", "closed the connection"),
            case("a stall", Peer::stay_silent)
                .over_tls()
                .args(["--connect-timeout", "500ms"])
                .exits(11, ["TLS"])
                .within(Duration::from_secs(5)),
            case("a stall in a record", |peer| {
                peer.send(b"\x16\x03\x03\0\x50\x02");
                peer.stay_silent();
            })
            .over_tls()
            .args(["--connect-timeout", "500ms"])
            .exits(11, ["TLS"])
            .within(Duration::from_secs(5)),
        ],
    );
}

#[test]
fn how_tls_ends() {
    run(
        "ends of TLS",
        vec![
            case("no close_notify behind the closing handshake", |peer| {
                peer.accept();
                peer.send([frame(0x1, "hello"), close_frame(1000, "")].concat());
                peer.frames_until_close();
                peer.cut();
            })
            .tls(Tls::new())
            .held_open()
            .exits(0, [])
            .stdout("hello\n"),
            case("no close_notify before it", |peer| {
                peer.accept();
                peer.send(frame(0x1, "hello"));
                peer.cut();
            })
            .tls(Tls::new())
            .held_open()
            .exits(9, ["wstap: session: ", "truncated"])
            .stdout("hello\n"),
            case("close_notify before it", |peer| {
                peer.accept();
                peer.send(frame(0x1, "hello"));
                peer.hang_up();
            })
            .tls(Tls::new())
            .held_open()
            .exits(9, ["wstap: session: ", "1006"])
            .stdout("hello\n"),
            case("no close_notify in the head", |peer| {
                peer.request();
                peer.send("HTTP/1.1 101 x\r\n");
                peer.cut();
            })
            .tls(Tls::new())
            .exits(9, ["wstap: handshake: "]),
            case("a reset in a frame", |peer| {
                peer.accept();
                peer.send(b"\x81\x05he");
                peer.reset();
            })
            .tls(Tls::new())
            .held_open()
            .exits(9, ["wstap: "]),
            case("one byte a record", |peer| {
                let request = peer.request();
                let accept = request.accept();
                let head = format!(
                    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                let bytes =
                    [head.as_bytes(), &frame(0x1, "hello"), &close_frame(1000, "")].concat();
                peer.send_in_pieces(bytes, 1);
                peer.frames_until_close();
            })
            .tls(Tls::new())
            .held_open()
            .exits(0, [])
            .stdout("hello\n"),
            case("a violation over TLS", |peer| {
                peer.accept();
                peer.send(frame(0x3, ""));
                peer.frames_until_close();
            })
            .tls(Tls::new())
            .held_open()
            .exits(8, ["a reserved opcode"])
            .close(1002),
        ],
    );
}
