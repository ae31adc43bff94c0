//! Names, addresses, TCP and Unix sockets.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread::{self};
use std::time::{Duration, Instant};

use wstap::error::{Error, Exit, Stage};
use wstap::transport::{DialOptions, Dialed, Family, Resolve, dial};

use crate::rig::{Watcher, echo, read_all, serve, soon, target, try_dial, worded, write_all};
use crate::support::home::Home;
use crate::support::peers::free_port;

#[test]
fn a_connection_is_told_step_by_step() {
    let (port, server) = serve(echo);
    let (dialed, watcher) = try_dial(
        &target("ws", "localhost", port),
        &DialOptions { family: Family::V4, ..DialOptions::default() },
    );
    let mut dialed = dialed.unwrap();
    assert_eq!(dialed.peer, format!("127.0.0.1:{port}"));
    assert!(dialed.local.starts_with("127.0.0.1:"));
    assert!(dialed.timings.resolve.is_some() && dialed.timings.connect.is_some());
    assert!(dialed.timings.tls.is_none() && dialed.tls.is_none());
    for (said, begin) in
        watcher.said.iter().zip(["Resolving", "Resolved", "Connecting", "Connected"])
    {
        assert!(said.starts_with(begin), "{said}");
    }
    write_all(&mut dialed.stream, b"hello").unwrap();
    dialed.stream.shutdown_write().unwrap();
    assert_eq!(read_all(&mut dialed.stream).0, b"hello");
    server.join().unwrap();
}

#[test]
fn refused_is_exit_4_with_a_hint() {
    let port = free_port();
    let (result, watcher) = try_dial(&target("ws", "127.0.0.1", port), &DialOptions::default());
    let error = result.unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Connect, Exit::Connect));
    assert_eq!(error.what, format!("127.0.0.1:{port}: connection refused"));
    assert!(worded(&error.hints[0]).contains("is the server running"));
    assert!(watcher.said("ConnectFailed"));
}

fn addresses(port: u16, list: &[&str]) -> DialOptions {
    let addresses = list.iter().map(|a| a.parse().unwrap()).collect();
    let resolve = vec![Resolve { host: "two.test".to_owned(), port, addresses }];
    DialOptions { resolve, ..DialOptions::default() }
}

#[test]
fn the_second_address_counts_when_the_first_is_dead() {
    let (port, server) = serve(echo);
    let options = addresses(port, &["127.0.0.2", "127.0.0.1"]);
    let (dialed, watcher) = try_dial(&target("ws", "two.test", port), &options);
    assert_eq!(dialed.unwrap().peer, format!("127.0.0.1:{port}"));
    assert!(watcher.said("127.0.0.2"));
    server.join().unwrap();
}

#[test]
fn all_addresses_are_listed_when_all_fail() {
    let port = free_port();
    let list: Vec<String> = (1..=20).map(|n| format!("127.0.0.{n}")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let (result, _) = try_dial(&target("ws", "two.test", port), &addresses(port, &list));
    let error = result.unwrap_err();
    assert_eq!(error.exit, Exit::Connect);
    assert_eq!(error.causes.len(), 20);
    assert_eq!(error.causes[19], format!("127.0.0.20:{port}: connection refused"));
}

/// A listener whose queue is full: Linux drops the next SYN, as a black hole would.
fn black_hole(address: IpAddr) -> (SocketAddr, TcpListener, Vec<socket2::Socket>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(address, 0).into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let mut fillers = Vec::new();
    for _ in 0..4 {
        let filler =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        filler.set_nonblocking(true).unwrap();
        let _ = filler.connect(&address.into());
        fillers.push(filler);
    }
    (address, listener, fillers)
}

#[test]
fn a_black_hole_costs_a_quarter_of_a_second() {
    let (hole, _listener, _fillers) = black_hole("127.0.0.3".parse().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, hole.port())).unwrap();
    let options = addresses(hole.port(), &["127.0.0.3", "127.0.0.1"]);
    let begun = Instant::now();
    let (dialed, _) = try_dial(&target("ws", "two.test", hole.port()), &options);
    assert_eq!(dialed.unwrap().peer, listener.local_addr().unwrap().to_string());
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(240), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_black_hole_alone_is_a_timeout_that_names_the_stage() {
    let (hole, _listener, _fillers) = black_hole("127.0.0.4".parse().unwrap());
    let (mut watcher, _waker) = Watcher::new();
    let deadline = Some(Instant::now() + Duration::from_millis(200));
    let target = target("ws", "127.0.0.4", hole.port());
    let error = dial(&target, &DialOptions::default(), deadline, &mut watcher).unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Connect, Exit::Timeout));
    assert_eq!(error.what, format!("no answer from 127.0.0.4 at {hole} within 200 ms"));
}

#[test]
fn a_wake_up_interrupts() {
    let (hole, _listener, _fillers) = black_hole("127.0.0.5".parse().unwrap());
    let (mut watcher, mut waker) = Watcher::new();
    waker.write_all(b"!").unwrap();
    let target = target("ws", "127.0.0.5", hole.port());
    let error = dial(&target, &DialOptions::default(), soon(), &mut watcher).unwrap_err();
    assert_eq!(error.exit, Exit::Interrupted);
}

#[test]
fn the_wrong_family_is_exit_3() {
    let options = DialOptions { family: Family::V6, ..DialOptions::default() };
    let error = try_dial(&target("ws", "127.0.0.1", 9), &options).0.unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Resolve, Exit::Resolve));
    assert!(worded(&error.hints[0]).contains("-4"));
}

#[test]
fn an_unknown_name_is_exit_3_and_shown_escaped() {
    // RFC 6761 §6.4: .invalid never resolves.
    let mut target = target("ws", "nowhere.invalid", 80);
    target.typed_host = "nowhere\x1b.invalid".to_owned();
    let error = try_dial(&target, &DialOptions::default()).0.unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Resolve, Exit::Resolve));
    assert!(error.what.starts_with("nowhere\\x1b.invalid (nowhere.invalid): "), "{error}");
}

#[test]
fn a_local_address_can_be_chosen() {
    let (port, server) = serve(echo);
    let options = DialOptions { interface: Some("127.0.0.9".to_owned()), ..DialOptions::default() };
    let dialed = try_dial(&target("ws", "127.0.0.1", port), &options).0.unwrap();
    assert!(dialed.local.starts_with("127.0.0.9:"), "{}", dialed.local);
    drop(dialed);
    server.join().unwrap();
}

#[test]
fn ipv6_literals_with_a_zone_are_reached() {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        eprintln!("SKIPPED: no IPv6 on this machine");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let mut target = target("ws", "::1", port);
    target.typed_host = "[::1%lo]".to_owned();
    let dialed = try_dial(&target, &DialOptions::default()).0.unwrap();
    assert!(dialed.peer.starts_with("[::1"), "{}", dialed.peer);
}

#[test]
fn a_unix_socket_is_reached() {
    let folder = Home::new();
    let path = folder.path().join("socket");
    let error = unix_dial(&path).unwrap_err();
    assert_eq!((error.stage, error.exit), (Stage::Connect, Exit::Connect));
    let listener = UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || echo(listener.accept().unwrap().0));
    let mut dialed = unix_dial(&path).unwrap();
    assert_eq!(Path::new(&dialed.peer), path);
    write_all(&mut dialed.stream, b"hi").unwrap();
    dialed.stream.shutdown_write().unwrap();
    assert_eq!(read_all(&mut dialed.stream).0, b"hi");
    server.join().unwrap();
    assert!(worded(&unix_dial(&path).unwrap_err().hints[0]).contains("no server listens"));
}

fn unix_dial(path: &Path) -> Result<Dialed, Error> {
    let options = DialOptions { unix_socket: Some(path.to_owned()), ..DialOptions::default() };
    try_dial(&target("ws", "example.com", 80), &options).0
}
