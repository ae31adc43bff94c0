//! Connects through a proxy: HTTP CONNECT (RFC 9110 §9.3.6) and SOCKS5 (RFC 1928, RFC 1929).

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use url::Host;

use crate::error::{Error, Exit, Hint, Result, Stage};
use crate::event::{Event, Timings};
use crate::http::head::{HeadError, HeadLimits, HeadReader, Response, values};
use crate::redact;
use crate::text::Untrusted;
use crate::text::system::reason;
use crate::transport::connect::{self, Connected};
use crate::transport::host::Endpoint;
use crate::transport::proxy::{Proxy, Scheme};
use crate::transport::tls::TlsClient;
use crate::transport::wait::Waiter;
use crate::transport::{DialOptions, Stream, resolve, tls_failure};

/// Connects to the endpoint through the proxy.
///
/// # Errors
/// Exit 4 with the proxy's words if it refuses or can't be reached; 3 if its name (or, for
/// `socks5`, the target's) is unknown; 5 for its TLS; 11 at the deadline.
pub(super) fn connect(
    proxy: &Proxy,
    endpoint: &Endpoint,
    options: &DialOptions,
    timings: &mut Timings,
    waiter: &mut Waiter<'_>,
) -> Result<Connected> {
    let addresses = match proxy.scheme {
        Scheme::Socks5 => resolve::resolve(endpoint, options, timings, waiter)?,
        _ => Vec::new(),
    };
    // If both names were resolved, report the time for the target's.
    let resolved = timings.resolve;
    let mut refusals = Vec::new();
    let mut left = addresses.iter().map(SocketAddr::ip);
    loop {
        let address = left.next();
        let (mut connected, begun) = reach(proxy, options, timings, waiter)?;
        timings.resolve = resolved.or(timings.resolve);
        let mut talk = ProxyTalk { stream: connected.stream, proxy, waiter };
        let answer = match proxy.scheme {
            Scheme::Http | Scheme::Https => talk.http(endpoint)?,
            Scheme::Socks5 | Scheme::Socks5h => match talk.socks(endpoint, address)? {
                SocksReply::Succeeded => "SOCKS5 succeeded".to_owned(),
                SocksReply::Refused(reply) => {
                    refusals.push((address, reply));
                    // A reply other than success ends the connection (RFC 1928 §6).
                    if left.len() > 0 {
                        continue;
                    }
                    return Err(talk.all_refused(&refusals));
                }
            },
        };
        connected.stream = talk.stream;
        let took = begun.elapsed();
        timings.proxy = Some(took);
        let shown = proxy.to_string();
        waiter.progress.event(Event::ProxyConnected { proxy: &shown, answer: &answer, took });
        return Ok(connected);
    }
}

/// Connects to the proxy itself, with TLS for an `https://` proxy. Also returns when TCP was
/// connected.
fn reach(
    proxy: &Proxy,
    options: &DialOptions,
    timings: &mut Timings,
    waiter: &mut Waiter<'_>,
) -> Result<(Connected, Instant)> {
    let own =
        Endpoint { host: proxy.host.clone(), typed: proxy.host.to_string(), port: proxy.port };
    let client = match proxy.scheme {
        Scheme::Https => Some(TlsClient::prepare(&proxy.tls, &proxy.host, waiter)?),
        _ => None,
    };
    let mut connected = connect::tcp(&own, options, timings, waiter).map_err(|e| at(proxy, e))?;
    let begun = Instant::now();
    if let Some(client) = client {
        let over = client.connect(connected.stream, &own.to_string(), waiter);
        connected.stream = Stream::from_tls(over.map_err(|e| at(proxy, e))?);
    }
    Ok((connected, begun))
}

/// Turns the error of a step towards the proxy into one about the proxy. An interruption is kept.
fn at(proxy: &Proxy, error: Error) -> Error {
    let error = match error.exit {
        Exit::Tls => Error { hints: vec![Hint::ProxyTls], ..error },
        _ => error,
    };
    match error.exit {
        Exit::Resolve | Exit::Connect | Exit::Timeout | Exit::Tls => Error {
            stage: Stage::Proxy,
            what: format!("{}: {}", shown(proxy), error.what),
            ..error
        },
        _ => error,
    }
}

fn shown(proxy: &Proxy) -> String {
    Untrusted::text(&proxy.to_string()).to_string()
}

/// A SOCKS5 proxy's reply to a request.
enum SocksReply {
    Succeeded,
    /// The reply's number (RFC 1928 §6).
    Refused(u8),
}

/// The negotiation with a proxy.
struct ProxyTalk<'a, 'w> {
    stream: Stream,
    proxy: &'a Proxy,
    waiter: &'a mut Waiter<'w>,
}

impl ProxyTalk<'_, '_> {
    /// HTTP CONNECT; returns the status line.
    fn http(&mut self, endpoint: &Endpoint) -> Result<String> {
        /// The largest number of 1xx responses accepted.
        const INFORMATIONAL: usize = 16;
        let to = format!("{}:{}", endpoint.host, endpoint.port);
        let login = self.proxy.credentials.as_ref().map(|c| {
            let pair = format!("{}:{}", c.user.reveal(), c.password.reveal());
            let pair = data_encoding::BASE64.encode(pair.as_bytes());
            format!("Proxy-Authorization: Basic {pair}\r\n")
        });
        let request = format!(
            "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: wstap/{}\r\n{}\r\n",
            env!("CARGO_PKG_VERSION"),
            login.unwrap_or_default(),
        );
        self.send(request.as_bytes())?;
        let mut early = Vec::new();
        for _ in 0..INFORMATIONAL {
            let (response, rest) = self.head(early)?;
            early = rest;
            match response.status {
                100..=199 => {}
                200..=299 => {
                    self.stream.unread(early);
                    return Ok(status_line(&response));
                }
                _ => return Err(self.refused(&response)),
            }
        }
        Err(self.failed("it sends 1xx answers without end"))
    }

    fn head(&mut self, mut bytes: Vec<u8>) -> Result<(Response, Vec<u8>)> {
        let mut reader = HeadReader::new(HeadLimits::default());
        let mut buf = [0; 4096];
        loop {
            match reader.feed(&bytes) {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => {}
                Err(e) => return Err(self.not_http(e)),
            }
            let n = self.receive(&mut buf)?;
            if n == 0 {
                let got = reader.received().len();
                return Err(self.failed(format!("it closed the connection after {got} bytes")));
            }
            bytes = buf.get(..n).unwrap_or_default().to_vec();
        }
    }

    fn refused(&self, response: &Response) -> Error {
        let error = self
            .failed(format!("it refuses: \"{}\"", status_line(response)))
            .transient(response.is_transient());
        match (response.status, &self.proxy.credentials) {
            (407, _) => {}
            // tinyproxy's answer to a wrong password.
            (401, Some(_)) => return error.hint("the user name or password is wrong"),
            (401, None) => return error.hint(Hint::ProxyLogin),
            (403 | 405, _) => {
                return error.hint("its rules may not allow CONNECT to this host or port");
            }
            _ => return error,
        }
        let schemes: Vec<String> = values(&response.headers, "proxy-authenticate")
            .map(|value| format!("\"{}\"", Untrusted(&redact::words(value))))
            .collect();
        let error = match schemes.is_empty() {
            true => error,
            false => error.cause(format!("it wants a login: {}", schemes.join(", "))),
        };
        match self.proxy.credentials {
            Some(_) => error.hint("the user name or password is wrong, or Basic is not accepted"),
            None => error.hint(Hint::ProxyLogin),
        }
    }

    fn not_http(&self, e: HeadError) -> Error {
        let error = match e {
            HeadError::NotHttp(bytes) => {
                let shown = redact::head(&bytes);
                let what = format!("its answer is not HTTP: \"{}\"", Untrusted(&shown));
                let error = self.failed(what);
                match bytes.first() {
                    Some(5) => error.hint(Hint::ProxySpeaks("SOCKS", "socks5h")),
                    Some(0x15) => error.hint(Hint::ProxySpeaks("TLS", "https")),
                    _ => error,
                }
            }
            HeadError::StartLine(line) => {
                let line = redact::words(&line);
                self.failed(format!("its status line can't be read: \"{}\"", Untrusted(&line)))
            }
            HeadError::FieldLine(line, why) => {
                let line = redact::bad_header(&line);
                self.failed(format!("{why} in its answer: \"{}\"", Untrusted(&line)))
            }
            HeadError::TooLong(limit) => {
                self.failed(format!("its answer's head is longer than {limit} bytes"))
            }
            HeadError::TooMany(limit) => {
                self.failed(format!("its answer has more than {limit} headers"))
            }
        };
        error.transient(false)
    }

    /// SOCKS5 CONNECT, to the address or else the name.
    fn socks(&mut self, endpoint: &Endpoint, address: Option<IpAddr>) -> Result<SocksReply> {
        self.socks_login()?;
        let mut request = vec![0x05, 0x01, 0x00];
        let address = address.or(match &endpoint.host {
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
            Host::Domain(_) => None,
        });
        match address {
            Some(IpAddr::V4(address)) => {
                request.push(0x01);
                request.extend(address.octets());
            }
            Some(IpAddr::V6(address)) => {
                request.push(0x04);
                request.extend(address.octets());
            }
            None => {
                request.push(0x03);
                self.counted(&mut request, endpoint.host.to_string().as_bytes(), "the host")?;
            }
        }
        request.extend(endpoint.port.to_be_bytes());
        self.send(&request)?;
        let [version, reply, _, kind] = self.exactly::<4>("of its reply")?;
        self.check_version(version, 0x05, &[version, reply])?;
        if reply != 0x00 {
            return Ok(SocksReply::Refused(reply));
        }
        match kind {
            0x01 => drop(self.exactly::<6>("of its address")?),
            0x04 => drop(self.exactly::<18>("of its address")?),
            0x03 => {
                let [length] = self.exactly::<1>("of its address")?;
                for _ in 0..u16::from(length) + 2 {
                    self.exactly::<1>("of its address")?;
                }
            }
            _ => return Err(self.failed(format!("its reply has the address type {kind}"))),
        }
        Ok(SocksReply::Succeeded)
    }

    /// The error of a SOCKS5 proxy that refused each address, or the name.
    fn all_refused(&self, refusals: &[(Option<IpAddr>, u8)]) -> Error {
        let words = |reply: u8| format!("{} (SOCKS5 reply {reply})", reply_words(reply));
        // These mean "not allowed" or "not supported"; the others are network failures.
        let passes = refusals.iter().any(|(_, reply)| !matches!(reply, 0x02 | 0x07..));
        let error = match refusals {
            [] => self.failed("it refuses"),
            [(_, reply)] => self.failed(format!("it refuses: {}", words(*reply))),
            many => {
                let error = self.failed(format!("it refuses all {} addresses", many.len()));
                many.iter().fold(error, |error, (address, reply)| match address {
                    Some(address) => error.cause(format!("{address}: {}", words(*reply))),
                    None => error.cause(words(*reply)),
                })
            }
        };
        error.transient(passes)
    }

    /// Agrees on a method (RFC 1928 §3) and logs in (RFC 1929).
    fn socks_login(&mut self) -> Result<()> {
        let methods: &[u8] = match self.proxy.credentials {
            Some(_) => &[0x05, 0x02, 0x00, 0x02],
            None => &[0x05, 0x01, 0x00],
        };
        self.send(methods)?;
        let choice = self.exactly::<2>("of its choice of a login");
        let [version, method] = choice.map_err(|e| match self.proxy.credentials {
            None if e.exit == Exit::Connect => e.hint(Hint::ProxyLoginPerhaps),
            _ => e,
        })?;
        self.check_version(version, 0x05, &[version, method])?;
        match (method, self.proxy.credentials.as_ref()) {
            (0x00, _) => Ok(()),
            (0x02, Some(credentials)) => {
                let mut login = vec![0x01];
                let (user, password) = (credentials.user.reveal(), credentials.password.reveal());
                self.counted(&mut login, user.as_bytes(), "the user name")?;
                self.counted(&mut login, password.as_bytes(), "the password")?;
                self.send(&login)?;
                let [_, status] = self.exactly::<2>("of its answer to the login")?;
                if status == 0x00 {
                    return Ok(());
                }
                let what = format!("it refuses the user name and password (status {status})");
                Err(self.failed(what).transient(false))
            }
            (0xff, None) => Err(self
                .failed("it accepts nobody without a login (SOCKS5 method 255)")
                .transient(false)
                .hint(Hint::ProxyLogin)),
            (0xff, Some(_)) => Err(self
                .failed("it accepts none of our logins: none, and by password")
                .transient(false)),
            _ => Err(self
                .failed(format!("it chose the login method {method}, not offered"))
                .transient(false)),
        }
    }

    fn check_version(&self, version: u8, expected: u8, bytes: &[u8]) -> Result<()> {
        if version == expected {
            return Ok(());
        }
        let error = self
            .failed(format!("its answer is not SOCKS5: \"{}\"", Untrusted(bytes)))
            .transient(false);
        Err(match version {
            b'H' => error.hint(Hint::ProxySpeaks("HTTP", "http")),
            _ => error,
        })
    }

    /// Appends bytes after their length, which is one byte.
    fn counted(&self, request: &mut Vec<u8>, bytes: &[u8], what: &str) -> Result<()> {
        let Ok(count) = u8::try_from(bytes.len()) else {
            let what = format!("{what} is longer than SOCKS5 allows: 255 bytes");
            return Err(Error::new(Stage::Proxy, Exit::Usage, what));
        };
        request.push(count);
        request.extend_from_slice(bytes);
        Ok(())
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<()> {
        loop {
            let written = match self.stream.write(bytes) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => 0,
                Err(e) => return Err(self.lost(&e)),
                Ok(n) => n,
            };
            bytes = bytes.get(written..).unwrap_or_default();
            let flushed = self.stream.flush().map_err(|e| self.lost(&e))?;
            if bytes.is_empty() && flushed {
                return Ok(());
            }
            let what = format!("{} takes no request", shown(self.proxy));
            self.waiter.fd(self.stream.fd(), rustix::event::PollFlags::OUT, Stage::Proxy, &what)?;
        }
    }

    /// Waits for bytes; 0 means the end of the stream.
    fn receive(&mut self, buf: &mut [u8]) -> Result<usize> {
        loop {
            match self.stream.read(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    let what = format!("no answer from {}", shown(self.proxy));
                    let (fd, wants_write) = (self.stream.fd(), self.stream.wants_write());
                    self.waiter.stream(fd, wants_write, Stage::Proxy, &what)?;
                }
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                Err(e) => return Err(self.lost(&e)),
                Ok(n) => return Ok(n),
            }
        }
    }

    /// Reads exactly that many bytes.
    fn exactly<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        let mut got = 0;
        while let Some(room) = bytes.get_mut(got..).filter(|room| !room.is_empty()) {
            match self.receive(room)? {
                0 => {
                    let what = format!("it closed the connection after {got} bytes {what}");
                    return Err(self.failed(what));
                }
                n => got += n,
            }
        }
        Ok(bytes)
    }

    fn lost(&self, e: &io::Error) -> Error {
        match tls_failure(e) {
            Some(error) => at(self.proxy, error),
            None => self.failed("the connection to it was lost").cause(reason(e)),
        }
    }

    fn failed(&self, what: impl fmt::Display) -> Error {
        Error::new(Stage::Proxy, Exit::Connect, format!("{}: {what}", shown(self.proxy)))
    }
}

/// The first line of a response, escaped.
fn status_line(response: &Response) -> String {
    let line = response.head.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    Untrusted(&redact::words(line)).to_string()
}

/// RFC 1928 §6.
fn reply_words(reply: u8) -> &'static str {
    match reply {
        0x01 => "general SOCKS server failure",
        0x02 => "connection not allowed by ruleset",
        0x03 => "network unreachable",
        0x04 => "host unreachable",
        0x05 => "connection refused",
        0x06 => "TTL expired",
        0x07 => "command not supported",
        0x08 => "address type not supported",
        _ => "unassigned",
    }
}
