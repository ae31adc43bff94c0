//! What a pipe prints of a message that never became whole, and what is said of it.

use crate::support::run::{Output, Run};
use crate::support::scripted::{Peer, ScriptedServer, close_frame, frame, raw_frame};

/// What becomes of a connection on which the server sends that, and then does what `then` does.
fn receive(args: &[&str], sent: Vec<u8>, then: fn(&mut Peer)) -> Output {
    let server = ScriptedServer::start(move |peer| {
        peer.accept();
        let _ = peer.try_send(&sent);
        then(peer);
    });
    let url = server.url();
    Run::new(args.iter().copied().chain([url.as_str()])).stdin_held_open("").run()
}

fn answer(peer: &mut Peer) {
    peer.frames_until_close();
}

/// The beginning of a text of several frames.
fn begun() -> Vec<u8> {
    raw_frame(0x01, b"a")
}

#[test]
fn bytes_are_ignored_only_behind_a_close() {
    let bad = [raw_frame(0x83, b"x"), frame(0x1, b"behind")].concat();
    let broken = receive(&["-v"], bad, answer).expect_code(8);
    assert!(!broken.stderr.contains("after the peer's Close"), "{}", broken.stderr);
    let behind = [close_frame(1000, ""), frame(0x1, b"behind")].concat();
    let closed = receive(&["-v"], behind, answer).expect_code(0);
    closed.expect_stderr("8 bytes after the peer's Close frame ignored");
}

#[test]
fn a_message_that_ends_in_a_violation_is_not_printed() {
    let sent = [begun(), frame(0x1, b"b")].concat();
    receive(&[], sent, answer).expect_failure(8, "session: ").expect_stdout("");
}

#[test]
fn a_message_that_is_cut_is_not_printed() {
    let output = receive(&[], begun(), Peer::cut);
    let output = output.expect_failure(9, "session: ").expect_stdout("");
    let line = output.stderr.lines().find(|line| line.starts_with("wstap: ")).unwrap_or_default();
    assert!(line.contains("1 byte") && line.contains("message"), "{line}");
}

#[test]
fn a_message_with_a_close_in_it_is_not_printed() {
    let sent = [begun(), close_frame(1000, "")].concat();
    receive(&[], sent, answer).expect_stdout("");
}

#[test]
fn what_was_printed_of_a_large_message_is_said() {
    let whole = raw_frame(0x82, vec![b'x'; 3 << 20]);
    let header = whole.len() - (3 << 20);
    let sent = whole[..header + (2 << 20)].to_vec();
    let output = receive(&["--output", "raw"], sent, Peer::cut);
    let output = output.expect_failure(9, "session: ");
    assert!((1..=2 << 20).contains(&output.stdout.len()), "{}", output.stdout.len());
    assert!(output.stdout.iter().all(|byte| *byte == b'x'));
    let printed = format!("{} bytes of an unfinished message", output.stdout.len());
    assert!(output.stderr.contains(&printed), "no {printed:?}: {}", output.stderr);
}
