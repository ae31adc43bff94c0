//! Losses after the end of stdin: is there anything left to reconnect for?

use crate::support::scripted::{ScriptedServer, frame};

use super::{attempts, close, run};

/// Reads a line and the fence and is cut; the second echoes.
fn cut_at_the_fence() -> ScriptedServer {
    ScriptedServer::start(|peer| {
        peer.accept();
        if peer.number() == 1 {
            peer.expect(0x1);
            peer.expect(0x9);
        } else {
            peer.echo();
        }
    })
}

#[test]
fn there_is_nothing_to_be_done_again() {
    let server = cut_at_the_fence();
    let output = run(&[], &server.url()).stdin("line\n").run();
    let output = output.expect_failure(9, "session: the peer ended the connection without");
    let output = output.expect_stderr("because: the input has ended");
    assert_eq!((attempts(&output), server.finish().connections), (0, 1));
}

#[test]
fn a_server_that_goes_away_is_no_failure() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.expect(0x1);
        peer.expect(0x9);
        close(peer, 1001);
    });
    let output = run(&[], &server.url()).stdin("line\n").run().expect_code(0);
    assert_eq!((attempts(&output), server.finish().connections), (0, 1));
}

#[test]
fn messages_of_the_command_line_can_be_sent_anew() {
    let server = cut_at_the_fence();
    let output = run(&["-x", "line"], &server.url()).stdin("").run().expect_code(0);
    output.expect_stdout("line\n");
}

#[test]
fn somebody_who_listens_for_ever_listens_on() {
    let server = ScriptedServer::start(|peer| {
        peer.accept();
        peer.send(frame(0x1, peer.number().to_string()));
        if peer.number() == 3 {
            close(peer, 1000);
        }
    });
    let output = run(&["-w", "forever"], &server.url()).stdin("").run().expect_code(0);
    output.expect_stdout("1\n2\n3\n");
}
