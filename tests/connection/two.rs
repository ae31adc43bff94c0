//! Two connections in one loop on one thread: neither waits for the other.

use std::time::{Duration, Instant};

use wstap::connection::{Connection, OpenOptions, Outgoing, WireOptions};
use wstap::event::{Direction, Event};
use wstap::protocol::close::CloseStatus;
use wstap::protocol::frame::Opcode;
use wstap::run::signals::{Signals, Waking};
use wstap::run::{Loop, Source, Views};
use wstap::transport::{Quiet, Target};

use crate::interop::Peer;
use crate::support::PATIENCE;
use crate::support::scripted::{Gate, ScriptedServer};

/// How often the quick one is asked while the slow one is awaited.
const ROUNDS: usize = 20;

/// A connection, and what came over it.
struct Line {
    connection: Connection,
    received: Vec<String>,
    /// The message that is coming in pieces.
    begun: Vec<u8>,
}

impl Line {
    fn open(url: &str) -> Line {
        let (target, _) = Target::parse(url).unwrap();
        let (options, wire) = (OpenOptions::new(target), WireOptions::default());
        let (mut progress, deadline) = (Quiet, Instant::now() + PATIENCE);
        let opened = Connection::open(&options, &wire, &mut None, &mut progress, deadline);
        Line { connection: opened.unwrap(), received: Vec::new(), begun: Vec::new() }
    }

    fn send(&mut self, text: &str) {
        let (opcode, payload) = (Opcode::Text, text.as_bytes());
        self.connection.send(Outgoing { opcode, payload, fragment: None });
    }

    /// Takes what came; how many messages that were.
    fn take(&mut self) -> usize {
        let before = self.received.len();
        while let Some(event) = self.connection.next() {
            if let Event::Data(data) = event
                && data.direction == Direction::In
            {
                self.begun.extend_from_slice(data.bytes);
                if data.last {
                    let whole = std::mem::take(&mut self.begun);
                    self.received.push(String::from_utf8(whole).unwrap());
                }
            }
        }
        self.received.len() - before
    }
}

/// Turns until both have ended. `act` is called in each turn with both, and with how many messages
/// each has just received.
fn run(lines: &mut [Line; 2], mut act: impl FnMut(&mut [Line; 2], [usize; 2])) {
    let waking = Waking::Signals(Signals::new().unwrap());
    let mut outside = Loop { views: Views::new(Vec::new()), waking };
    let end = Instant::now() + PATIENCE;
    loop {
        let came = lines.each_mut().map(Line::take);
        act(lines, came);
        for line in lines.iter_mut() {
            line.take();
            line.connection.flush();
        }
        let open = lines.iter_mut().filter(|line| line.connection.ended().is_none());
        let mut sources: Vec<&mut dyn Source> =
            open.map(|line| &mut line.connection as &mut dyn Source).collect();
        if sources.is_empty() {
            return;
        }
        let now = outside.turn(&mut sources, Some(end));
        let received = lines.each_ref().map(|line| line.received.len());
        assert!(now < end, "received: {received:?}");
    }
}

/// Asks the quick one again and again, then `release`s the slow one; closes the slow one once its
/// `answers` have come, and the quick one behind it.
fn race(quick: &str, slow: &str, questions: &[String], release: impl Fn()) {
    let mut lines = [Line::open(quick), Line::open(slow)];
    for question in questions {
        lines[1].send(question);
    }
    lines[0].send("question 0");
    let (mut asked, mut quick_before_slow) = (1, 0);
    run(&mut lines, |[quick, slow], [from_quick, _]| {
        let slow_is_done = slow.received.len() == questions.len();
        if slow.received.is_empty() {
            quick_before_slow = quick.received.len();
        }
        if from_quick > 0 && asked < ROUNDS {
            quick.send(&format!("question {asked}"));
            asked += 1;
        } else if from_quick > 0 && quick.received.len() == ROUNDS {
            release();
        }
        if slow_is_done && slow.connection.is_open() {
            slow.connection.close(&CloseStatus::default());
            quick.send("after the slow one");
        }
        if quick.received.len() > ROUNDS && quick.connection.is_open() {
            quick.connection.close(&CloseStatus::default());
        }
    });
    let [quick, slow] = &lines;
    assert_eq!(quick_before_slow, ROUNDS, "the quick one waited for the slow one");
    let mut expected: Vec<String> = (0..ROUNDS).map(|n| format!("question {n}")).collect();
    expected.push("after the slow one".into());
    assert_eq!(quick.received, expected);
    let mut answers = slow.received.clone();
    answers.sort();
    assert!(answers == questions, "the slow one's answers differ from the questions");
    for line in &lines {
        let closure = line.connection.ended().unwrap();
        assert!(closure.is_clean() && closure.is_normal(), "{closure:?}");
    }
    assert!(slow.connection.opened_at() >= quick.connection.opened_at());
}

#[test]
fn our_server_and_one_that_does_not_read_for_a_while() {
    let ours = wstap::commands::demo::server().unwrap();
    let gate = Gate::new();
    let script_gate = gate.clone();
    let slow = ScriptedServer::start(move |peer| {
        peer.accept();
        script_gate.wait();
        peer.echo();
    });
    // More than the socket's buffers take, so that writing to it blocks for as long.
    let questions: Vec<String> = (0..8).map(|n| format!("{n}{}", "x".repeat(1 << 20))).collect();
    race(ours.url(), &slow.url(), &questions, || gate.open());
}

#[test]
fn our_server_and_a_late_one_on_nodes_ws() {
    let Some(node) = Peer::node() else { return };
    let ours = wstap::commands::demo::server().unwrap();
    let questions: Vec<String> = (0..3).map(|n| format!("late {n}")).collect();
    let late = Duration::from_secs(1);
    let url = node.url(&format!("/late?ms={}", late.as_millis()));
    race(ours.url(), &url, &questions, || {});
}
