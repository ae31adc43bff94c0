//! The probes of TLS: old versions, the certificate, and a plain port beside it.

use crate::check::case::{Ask, Base, Case, Finding, fail, pass, undecided, warn};
use crate::check::probe::{Probe, Stepped, Steps};
use crate::check::transcript::Transcript;
use crate::error::Result;
use crate::event::TlsInfo;
use crate::transport::{DialOptions, Sni};

/// The probes of the group.
pub const PROBES: &[Probe] = &[
    Probe::of_cases("tls.version-1.0", "RFC 8996 §4", "TLS 1.0 is refused", |b| old(b, 1)),
    Probe::of_cases("tls.version-1.1", "RFC 8996 §5", "TLS 1.1 is refused", |b| old(b, 2)),
    Probe::of_steps("tls.chain", "RFC 5280 §6", "the certificate's issuer is trusted", chain),
    Probe::of_steps("tls.host", "RFC 9110 §4.3.4", "the certificate is for this host", host),
    Probe::of_steps(
        "tls.expiry",
        "RFC 5280 §4.1.2.5",
        "the certificate is valid for two weeks",
        expiry,
    ),
    Probe::of_cases(
        "tls.plain-open",
        "RFC 6455 §10.6",
        "the same service isn't open without TLS",
        |base| {
            secure(base)?;
            let port = if base.port == 443 { 80 } else { base.port };
            let ask = Ask::Plain(port, base.head.clone());
            Ok(vec![Case { label: String::new(), ask, judge: Box::new(plain_open) }])
        },
    ),
];

fn secure(base: &Base) -> std::result::Result<(), String> {
    match base.secure {
        true => Ok(()),
        false => Err("the server is reached without TLS".to_owned()),
    }
}

/// A ClientHello of TLS 1.x (RFC 4346 §7.4.1.2) with the usual cipher suites of its time.
fn client_hello(minor: u8, host: &str) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend_from_slice(b"wstap asks for an old version!!!");
    body.push(0);
    let suites: [u8; 14] =
        [0xc0, 0x14, 0xc0, 0x13, 0xc0, 0x0a, 0xc0, 0x09, 0x00, 0x35, 0x00, 0x2f, 0x00, 0x0a];
    body.extend_from_slice(&(suites.len() as u16).to_be_bytes());
    body.extend_from_slice(&suites);
    body.extend_from_slice(&[1, 0]);
    let mut extensions = Vec::new();
    if host.parse::<std::net::IpAddr>().is_err() && host.len() < 256 {
        let len = host.len() as u16;
        extensions.extend_from_slice(&[0, 0]);
        extensions.extend_from_slice(&(len + 5).to_be_bytes());
        extensions.extend_from_slice(&(len + 3).to_be_bytes());
        extensions.push(0);
        extensions.extend_from_slice(&len.to_be_bytes());
        extensions.extend_from_slice(host.as_bytes());
    }
    // Supported groups and point formats (RFC 4492 §5.1), which servers want for ECDHE.
    extensions.extend_from_slice(&[0, 10, 0, 6, 0, 4, 0, 23, 0, 24]);
    extensions.extend_from_slice(&[0, 11, 0, 2, 1, 0]);
    body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
    body.extend_from_slice(&extensions);
    let mut hello = vec![22, 3, 1];
    hello.extend_from_slice(&(body.len() as u16 + 4).to_be_bytes());
    hello.extend_from_slice(&[1, 0]);
    hello.extend_from_slice(&(body.len() as u16).to_be_bytes());
    hello.extend_from_slice(&body);
    hello
}

fn old(base: &Base, minor: u8) -> std::result::Result<Vec<Case>, String> {
    secure(base)?;
    let ask = Ask::Bytes(client_hello(minor, &base.host));
    let judge = move |transcript: &Transcript, over: bool| old_version(minor, transcript, over);
    Ok(vec![Case { label: String::new(), ask, judge: Box::new(judge) }])
}

fn old_version(minor: u8, transcript: &Transcript, over: bool) -> Option<Finding> {
    match transcript.received.as_slice() {
        // A ServerHello: record header, handshake header, then the version that was chosen.
        [22, _, _, _, _, 2, _, _, _, 3, chosen, ..] if *chosen == minor => {
            fail(format!("TLS 1.{} is accepted", minor - 1))
        }
        [22, _, _, _, _, 2, _, _, _, major, chosen, ..] => {
            undecided(format!("the server chose version {major}.{chosen}"))
        }
        [21, _, _, _, _, _, description, ..] => pass(format!("refused with alert {description}")),
        _ if transcript.end.is_some() => pass("refused without an alert"),
        _ if over => undecided("no answer"),
        _ => None,
    }
}

fn plain_open(transcript: &Transcript, over: bool) -> Option<Finding> {
    match transcript.response() {
        Some((response, _)) if response.status == 101 => warn("ws:// is open beside wss://"),
        Some((response, _)) => pass(format!("answered with {} without TLS", response.status)),
        None if over || transcript.end.is_some() => pass("no HTTP answer without TLS"),
        None => None,
    }
}

fn found(finding: Option<Finding>) -> Stepped {
    let open = || Finding { verdict: Default::default(), why: "not decided".to_owned() };
    Ok((finding.unwrap_or_else(open), None))
}

/// What TLS agreed on if everything about the certificate is let pass.
fn info(steps: &mut Steps<'_, '_>) -> Result<Option<TlsInfo>> {
    if !steps.base.secure {
        return Ok(None);
    }
    let mut dial = steps.reach.dial.clone();
    dial.tls.insecure = true;
    Ok(steps.work.dial(&steps.reach.target, &dial)?.tls)
}

/// Why the certificate isn't trusted, if it isn't; for another name than the host's, if one is given.
fn refusal(steps: &mut Steps<'_, '_>, name: Option<&str>) -> Option<String> {
    let mut dial: DialOptions = steps.reach.dial.clone();
    dial.tls.insecure = false;
    if let Some(name) = name {
        dial.tls.sni = Sni::Name(name.to_owned());
    }
    steps.work.dial(&steps.reach.target, &dial).err().map(|error| error.what)
}

fn chain(steps: &mut Steps<'_, '_>) -> Stepped {
    let Some(tls) = info(steps)? else {
        return found(undecided("the server is reached without TLS"));
    };
    let Some(own) = tls.certificates.first() else { return found(undecided("no certificate")) };
    if own.days_left < 0 {
        return found(undecided("the certificate has expired (tls.expiry)"));
    }
    let host = steps.base.host.clone();
    let name = own
        .names
        .iter()
        .find(|name| !name.starts_with("*."))
        .filter(|_| !is_for(&own.names, &host));
    match refusal(steps, name.map(String::as_str)) {
        None => found(pass(format!("issued by {}", own.issuer))),
        Some(why) => found(fail(why)),
    }
}

fn host(steps: &mut Steps<'_, '_>) -> Stepped {
    let Some(tls) = info(steps)? else {
        return found(undecided("the server is reached without TLS"));
    };
    let Some(own) = tls.certificates.first() else { return found(undecided("no certificate")) };
    let names = own.names.join(", ");
    match is_for(&own.names, &steps.base.host) {
        true => found(pass(format!("it is for {names}"))),
        false if names.is_empty() => found(fail("it names no host")),
        false => found(fail(format!("it is for {names}, not for {}", steps.base.host))),
    }
}

fn expiry(steps: &mut Steps<'_, '_>) -> Stepped {
    let Some(tls) = info(steps)? else {
        return found(undecided("the server is reached without TLS"));
    };
    let Some(own) = tls.certificates.first() else { return found(undecided("no certificate")) };
    let until = &own.not_after;
    match own.days_left {
        days if days < 0 => found(fail(format!("it expired on {until}"))),
        days if days < 14 => found(warn(format!("it expires on {until}, in {days} days"))),
        days => found(pass(format!("it is valid until {until}, for {days} days"))),
    }
}

/// Whether one of a certificate's names is for the host (RFC 6125 §6.4: a star is one whole label).
fn is_for(names: &[String], host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    names.iter().any(|name| {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("*.") {
            Some(rest) => host.split_once('.').is_some_and(|(_, below)| below == rest),
            None => name == host,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ProbeVerdict;

    #[test]
    fn names_of_a_certificate_match_whole_labels() {
        let names = ["Example.org", "*.wild.org", "127.0.0.1", "::1"].map(str::to_owned);
        for host in ["example.ORG", "a.wild.org", "127.0.0.1", "[::1]"] {
            assert!(is_for(&names, host), "{host}");
        }
        for host in ["a.example.org", "wild.org", "a.b.wild.org", "127.0.0.2"] {
            assert!(!is_for(&names, host), "{host}");
        }
    }

    #[test]
    fn an_old_version_is_judged_by_the_first_record() {
        let judge = |bytes: &[u8]| {
            let mut transcript = Transcript::default();
            transcript.receive(bytes, std::time::Duration::ZERO);
            old_version(1, &transcript, true).unwrap().verdict
        };
        assert_eq!(judge(b"\x16\x03\x01\x00\x31\x02\x00\x00\x2d\x03\x01"), ProbeVerdict::Fail);
        assert_eq!(judge(b"\x15\x03\x01\x00\x02\x02\x46"), ProbeVerdict::Pass);
        assert_eq!(judge(b""), ProbeVerdict::NotApplicable);
    }
}
