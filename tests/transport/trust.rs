//! Certificates: which are trusted, which are not and why, and those that we show.

use std::path::PathBuf;

use rcgen::{BasicConstraints, IsCa, KeyPair, date_time_ymd};
use rustls::version;

use wstap::cli::TLS_NAMES;
use wstap::error::{Exit, Stage};
use wstap::transport::{DialOptions, Sni, TlsOptions, tls_failure};

use crate::rig::{
    Ca, Identity, asking, names, read_all, serve_tls, target, tls_error, trusting, try_dial, worded,
};
use crate::support::home::Home;

#[test]
fn an_unknown_issuer_is_told_from_a_self_signed_certificate() {
    let (folder, ca) = (Home::new(), Ca::new());
    let options = trusting(&folder, &Ca::named("another"));
    let (error, alert) = tls_error(&options, ca.issue(names(&["localhost"])).config(), "localhost");
    assert_eq!((error.stage, error.exit), (Stage::Tls, Exit::Tls));
    assert!(error.what.contains("issuer is not trusted: CN=wstap's test CA"), "{error}");
    assert!(alert.to_string().contains("UnknownCA"), "{alert}");

    let anew = trusting(&folder, &Ca::new());
    let (error, _) = tls_error(&anew, ca.issue(names(&["localhost"])).config(), "localhost");
    assert!(error.what.contains("the trusted CA of that name: CN=wstap's test CA"), "{error}");

    let (identity, _) = self_signed(false);
    let (error, _) = tls_error(&options, identity.config(), "localhost");
    assert!(error.what.contains("is self-signed"), "{error}");
}

fn self_signed(ca: bool) -> (Identity, String) {
    let mut params = names(&["localhost"]);
    if ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = certificate.pem();
    (Identity { pem: pem.clone(), der: certificate.der().clone(), key }, pem)
}

#[test]
fn a_self_signed_certificate_can_be_trusted_by_name() {
    let folder = Home::new();
    for ca in [false, true] {
        let (identity, pem) = self_signed(ca);
        let cacert = vec![folder.file("self.pem", &pem)];
        let options = DialOptions {
            tls: TlsOptions { cacert, ..TlsOptions::default() },
            ..DialOptions::default()
        };
        let (port, server) = serve_tls(identity.config(), |_, _| {});
        try_dial(&target("wss", "localhost", port), &options).0.unwrap();
        server.join().unwrap().unwrap();
        let (error, _) = tls_error(&options, identity.config(), "other.test");
        assert_eq!(error.exit, Exit::Tls, "{error}");
        assert!(error.what.contains("not for other.test; it is for localhost"), "{error}");
    }
    // Untrusted and for another name: trusting it wouldn't help, so the name comes first.
    let (identity, _) = self_signed(true);
    let (error, _) = tls_error(&DialOptions::default(), identity.config(), "other.test");
    assert!(error.what.contains("not for other.test"), "{error}");
}

#[test]
fn wrong_host_names_what_the_certificate_has() {
    let (folder, ca) = (Home::new(), Ca::new());
    let config = || ca.issue(names(&["*.b.test", "a.test", "10.1.2.3"])).config();
    let options = trusting(&folder, &ca);
    let (error, _) = tls_error(&options, config(), "other.test");
    assert!(
        error.what.ends_with("not for other.test; it is for *.b.test, a.test, 10.1.2.3"),
        "{error}"
    );
    assert!(worded(&error.hints[0]).contains("--sni a.test"), "{error}");
    let (error, _) = tls_error(&options, config(), "127.0.0.1");
    assert!(error.what.contains("not for 127.0.0.1"), "{error}");

    let mut named = options.clone();
    named.tls.sni = Sni::Name("a.test".to_owned());
    let (port, server) = serve_tls(config(), |tls, _| {
        assert_eq!(tls.server_name(), Some("a.test"));
    });
    try_dial(&target("wss", "127.0.0.1", port), &named).0.unwrap();
    server.join().unwrap().unwrap();

    let mut off = options;
    off.tls.sni = Sni::Off;
    let identity = ca.issue(names(&["localhost"]));
    let (port, server) = serve_tls(identity.config(), |tls, _| assert_eq!(tls.server_name(), None));
    let stream = try_dial(&target("wss", "localhost", port), &off).0.unwrap().stream;
    assert_eq!(stream.tls_info().unwrap().sni, None);
    server.join().unwrap().unwrap();
}

#[test]
fn dates_are_told() {
    let (folder, ca) = (Home::new(), Ca::new());
    let options = trusting(&folder, &ca);
    let dated = |from, to| {
        let mut params = names(&["localhost"]);
        (params.not_before, params.not_after) =
            (date_time_ymd(from, 1, 2), date_time_ymd(to, 3, 4));
        ca.issue(params).config()
    };
    let (error, _) = tls_error(&options, dated(2001, 2002), "localhost");
    assert!(error.what.contains("expired on 2002-03-04T00:00:00Z, "), "{error}");
    let (error, _) = tls_error(&options, dated(2201, 2202), "localhost");
    assert!(error.what.contains("not valid before 2201-01-02T00:00:00Z"), "{error}");
}

#[test]
fn insecure_goes_on_and_says_why_it_should_not() {
    let (folder, ca) = (Home::new(), Ca::new());
    let mut options = trusting(&folder, &Ca::new());
    options.tls.insecure = true;
    options.tls.names = TLS_NAMES;
    let mut params = names(&["other.test"]);
    params.not_after = date_time_ymd(2002, 3, 4);
    let (port, server) = serve_tls(ca.issue(params).config(), |_, _| {});
    let (dialed, watcher) = try_dial(&target("wss", "localhost", port), &options);
    let info = dialed.unwrap().stream.tls_info().unwrap();
    assert!(info.unverified.is_some());
    assert!(watcher.said("certificate not trusted: the certificate"), "{:?}", watcher.said);
    assert!(watcher.said("going on because of --insecure"));
    server.join().unwrap().unwrap();
    // A good certificate is no news.
    let options = trusting(&folder, &ca);
    let (port, server) = serve_tls(ca.issue(names(&["localhost"])).config(), |_, _| {});
    let (dialed, watcher) = try_dial(&target("wss", "localhost", port), &options);
    assert_eq!(dialed.unwrap().stream.tls_info().unwrap().unverified, None);
    assert!(!watcher.said("Notice"));
    server.join().unwrap().unwrap();
}

#[test]
fn a_pinned_key_is_required_even_when_insecure() {
    let (folder, ca) = (Home::new(), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let mut options = trusting(&folder, &ca);
    options.tls.insecure = true;
    let zeros = format!("sha256//{}", data_encoding::BASE64.encode(&[0; 32]));
    options.tls.pinned = zeros.parse().unwrap();
    let (error, _) = tls_error(&options, identity.config(), "localhost");
    let (_, found) = error.what.split_once("sha256//").unwrap();
    options.tls.pinned = format!("{zeros};sha256//{found}").parse().unwrap();
    let (port, server) = serve_tls(identity.config(), |_, _| {});
    try_dial(&target("wss", "localhost", port), &options).0.unwrap();
    server.join().unwrap().unwrap();
}

#[test]
fn a_required_client_certificate_is_asked_for() {
    let (folder, ca) = (Home::new(), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let mut options = trusting(&folder, &ca);
    // TLS 1.2: within the handshake.
    let (error, _) = tls_error(&options, asking(&ca, &identity, &version::TLS12), "localhost");
    assert!(error.what.contains("requires a client certificate"), "{error}");
    // TLS 1.3: when we believe to be through already.
    let (port, server) = serve_tls(asking(&ca, &identity, &version::TLS13), |_, _| {});
    let mut stream = try_dial(&target("wss", "localhost", port), &options).0.unwrap().stream;
    let (_, end) = read_all(&mut stream);
    let error = tls_failure(&end.unwrap_err()).unwrap();
    assert_eq!((error.stage, error.exit), (Stage::Tls, Exit::Tls));
    assert!(error.what.contains("requires a client certificate"), "{error}");
    assert!(worded(&error.hints[0]).contains("--cert"));
    drop(stream);
    server.join().unwrap().unwrap_err();

    let client = ca.issue(names(&["me.test"]));
    options.tls.cert = Some(folder.file("cert.pem", &client.pem));
    options.tls.key = Some(folder.file("key.pem", client.key.serialize_pem()));
    both_versions(&ca, &identity, &options);
    let both = format!("{}{}", client.key.serialize_pem(), client.pem);
    options.tls.cert = Some(folder.file("both.pem", &both));
    options.tls.key = None;
    both_versions(&ca, &identity, &options);

    // Somebody else's certificate is refused.
    let stranger = Ca::new().issue(names(&["me.test"]));
    let both = format!("{}{}", stranger.key.serialize_pem(), stranger.pem);
    options.tls.cert = Some(folder.file("stranger.pem", &both));
    let (error, _) = tls_error(&options, asking(&ca, &identity, &version::TLS12), "localhost");
    assert!(error.what.contains("refuses the client certificate"), "{error}");
}

fn both_versions(ca: &Ca, identity: &Identity, options: &DialOptions) {
    for version in [&version::TLS12, &version::TLS13] {
        let (port, server) = serve_tls(asking(ca, identity, version), |tls, _| {
            assert_eq!(tls.peer_certificates().unwrap().len(), 1);
        });
        try_dial(&target("wss", "localhost", port), options).0.unwrap();
        server.join().unwrap().unwrap();
    }
}

#[test]
fn unusable_files_are_told_before_anything_is_sent() {
    let (folder, ca) = (Home::new(), Ca::new());
    let identity = ca.issue(names(&["localhost"]));
    let cert = folder.file("cert.pem", &identity.pem);
    let tls = TlsOptions { cert: Some(cert), ..TlsOptions::default() };
    let key = |text: &str| TlsOptions {
        key: Some(folder.file(&format!("key{}.pem", text.len()), text)),
        ..tls.clone()
    };
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let other = KeyPair::generate().unwrap().serialize_pem();
    let nothing = vec![folder.file("nothing.pem", "nothing")];
    let cacert = |cacert: Vec<PathBuf>| TlsOptions { cacert, ..TlsOptions::default() };
    let without = TlsOptions { cert: None, names: TLS_NAMES, ..key(&other) };
    for (tls, exit, words) in [
        (key(encrypted), Exit::Tls, "the private key is encrypted"),
        (key("nothing"), Exit::Usage, "no private key in PEM"),
        (key(&other), Exit::Tls, "doesn't belong to the certificate"),
        (tls.clone(), Exit::Usage, "no private key in PEM"),
        (without, Exit::Usage, "--key without --cert"),
        (cacert(nothing), Exit::Usage, "no certificates"),
        (cacert(vec![folder.path().join("none.pem")]), Exit::Usage, "there is no such file"),
    ] {
        let options = DialOptions { tls, ..DialOptions::default() };
        let (result, watcher) = try_dial(&target("wss", "127.0.0.1", 9), &options);
        let error = result.unwrap_err();
        assert_eq!(error.exit, exit, "{error}");
        assert!(error.what.contains(words), "{error}");
        assert!(watcher.said.is_empty());
    }
}

#[test]
fn a_folder_of_certificates_can_be_trusted() {
    let (folder, ca) = (Home::new(), Ca::new());
    folder.file("one.pem", &ca.pem);
    folder.file("two.pem", &Ca::new().pem);
    let tls = TlsOptions { cacert: vec![folder.path().to_owned()], ..TlsOptions::default() };
    let options = DialOptions { tls, ..DialOptions::default() };
    let (port, server) = serve_tls(ca.issue(names(&["localhost"])).config(), |_, _| {});
    try_dial(&target("wss", "localhost", port), &options).0.unwrap();
    server.join().unwrap().unwrap();
}
