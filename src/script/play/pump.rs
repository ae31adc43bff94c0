//! Moves bytes and events: all connections of a test at once.

use std::time::Instant;

use super::peer::{End, Mail, Peer};
use super::{LEAVE_PATIENCE, Listener, MAX_LOG, Played, Player, Stop};
use crate::connection::{Outbox, Outgoing};
use crate::error::Exit;
use crate::event::{Data, Direction, Event};
use crate::pattern::Reply;
use crate::protocol::frame::Opcode;
use crate::report::results::{LogEntry, LogKind};
use crate::run::Source;
use crate::script::values::Values;
use crate::text::Untrusted;

impl Player<'_> {
    /// Waits until there is what `find` looks for; `None` at `until`.
    pub(super) fn wait<T>(
        &mut self,
        until: Instant,
        mut find: impl FnMut(&mut Self) -> Option<T>,
    ) -> Played<Option<T>> {
        loop {
            self.pump();
            if let Some(found) = find(self) {
                return Ok(Some(found));
            }
            if self.now >= until {
                return Ok(None);
            }
            self.turn(until)?;
        }
    }

    /// One turn of the loop.
    fn turn(&mut self, until: Instant) -> Played {
        let timers = self.peers.iter().filter(|peer| peer.connection.is_some());
        let timers = timers.flat_map(|peer| peer.timers.iter().map(|timer| timer.next));
        let until = timers.chain(self.options.deadline).chain([until]).min();
        let peers = self.peers.iter_mut();
        let mut sources: Vec<&mut dyn Source> = peers
            .filter_map(|peer| peer.connection.as_mut().map(|open| open as &mut dyn Source))
            .collect();
        self.now = self.outside.turn(&mut sources, until);
        self.check_interruption()
    }

    /// A signal, or the end of the run's time.
    fn check_interruption(&mut self) -> Played {
        if let Some((exit, count)) = self.outside.waking.take_signals() {
            self.signals += count;
            return Err(Stop::Ended(exit));
        }
        if self.options.deadline.is_some_and(|end| self.now >= end) {
            return Err(Stop::Ended(Exit::Timeout));
        }
        Ok(())
    }

    /// Takes all events, sends what is due, and writes what the sockets accept.
    pub(super) fn pump(&mut self) {
        self.now = Instant::now();
        for index in 0..self.peers.len() {
            self.receive_events(index);
            self.send_due(index);
            self.receive_events(index);
            let Some(peer) = self.peers.get_mut(index) else { continue };
            let full = peer.is_full();
            let Some(connection) = &mut peer.connection else { continue };
            connection.flush();
            connection.pause(full);
            if let Some(closure) = connection.ended() {
                let event = Event::Closed { closure, totals: &connection.totals(), failed: false };
                tell(&mut self.listener, peer.name.as_deref(), &event);
                let end = End { closure: closure.clone(), fault: connection.fault().cloned() };
                let text = format!("ended: {}", end.words());
                peer.end = Some(end);
                peer.connection = None;
                let at = self.now - self.start;
                note(&mut self.log, LogEntry::note(at, peer.label(), text));
            }
        }
    }

    fn receive_events(&mut self, index: usize) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let Some(mut connection) = peer.connection.take() else { return };
        let at = self.now - self.start;
        while !peer.is_full() {
            let Some((event, outbox)) = connection.next_with_outbox() else { break };
            tell(&mut self.listener, peer.name.as_deref(), &event);
            let entry = match &event {
                Event::Data(data) => {
                    let kind = LogKind::of(data.direction);
                    let entry = LogEntry::new(at, peer.label(), kind, (data.opcode, data.bytes));
                    if data.direction == Direction::In
                        && !answered(peer, data, outbox, &mut self.values)
                    {
                        let payload = data.bytes.to_vec();
                        peer.deliver(Mail { at, opcode: data.opcode, payload });
                    }
                    Some(entry)
                }
                Event::Ping { direction, payload } => {
                    if *direction == Direction::In {
                        keep(&mut peer.pings, payload);
                    }
                    Some(LogEntry::control(at, peer.label(), *direction, "ping", payload))
                }
                Event::Pong { direction, payload, .. } => {
                    if *direction == Direction::In {
                        keep(&mut peer.pongs, payload);
                    }
                    Some(LogEntry::control(at, peer.label(), *direction, "pong", payload))
                }
                Event::Close { direction, status, .. } => {
                    let code = status.code.map_or(String::new(), |code| format!("close {code} "));
                    let name = if code.is_empty() { "close" } else { code.trim_end() };
                    Some(LogEntry::control(at, peer.label(), *direction, name, &status.reason))
                }
                Event::Violation { violation, fatal } => {
                    let text = violation.to_string();
                    let text = Untrusted::text(&text);
                    let what = if *fatal { "violation" } else { "tolerated" };
                    Some(LogEntry::note(at, peer.label(), format!("{what}: {text}")))
                }
                _ => None,
            };
            if let Some(entry) = entry {
                note(&mut self.log, entry);
            }
        }
        peer.connection = Some(connection);
    }

    /// Sends what `every` has due.
    fn send_due(&mut self, index: usize) {
        let now = self.now;
        loop {
            let Some(peer) = self.peers.get_mut(index) else { return };
            let open = peer.connection.as_mut().is_some_and(|open| open.is_open());
            let due = peer.timers.iter_mut().find(|timer| timer.next <= now);
            let Some(timer) = due else { return };
            timer.next += timer.every;
            if timer.next <= now {
                // We were late: what was missed is left out.
                timer.next = now + timer.every;
            }
            if !open {
                continue;
            }
            let payload = timer.payload.clone();
            let Ok((opcode, bytes)) = self.payload(&payload) else { continue };
            if let Some(connection) = self.peers.get_mut(index).and_then(|p| p.connection.as_mut())
                && connection.outbox().has_room()
            {
                connection.send(Outgoing { opcode, payload: &bytes, fragment: None });
            }
        }
    }

    /// Closes all connections (1000), and waits briefly for their ends.
    pub(super) fn leave(&mut self) -> Played {
        let until = Instant::now() + LEAVE_PATIENCE;
        for peer in &mut self.peers {
            peer.timers.clear();
            if let Some(connection) = &mut peer.connection {
                connection.close_normally();
                connection.give_up(until);
            }
        }
        let mut result = Ok(());
        while self.peers.iter().any(|peer| peer.connection.is_some()) && Instant::now() < until {
            self.pump();
            if self.peers.iter().all(|peer| peer.connection.is_none()) {
                break;
            }
            if let Err(stop) = self.turn(until) {
                result = Err(stop);
                if self.signals > 1 || self.options.deadline.is_some() {
                    break;
                }
            }
        }
        result
    }

    /// Messages that nobody expected.
    pub(super) fn unread(&self) -> Vec<LogEntry> {
        let mails = |peer: &Peer| -> Vec<LogEntry> {
            let entry = |mail: &Mail| {
                let kind = LogKind::of(Direction::In);
                LogEntry::new(mail.at, peer.label(), kind, (mail.opcode, &mail.payload))
            };
            peer.mailbox.iter().take(100).map(entry).collect()
        };
        self.peers.iter().flat_map(mails).collect()
    }
}

/// Answers a message, if a rule says so.
fn answered(
    peer: &Peer,
    data: &Data<'_>,
    outbox: Option<&mut Outbox>,
    values: &mut Values,
) -> bool {
    let text = match data.opcode {
        Opcode::Text if !peer.rules.is_empty() => String::from_utf8_lossy(data.bytes),
        _ => return false,
    };
    let Some((groups, reply)) =
        peer.rules.iter().find_map(|rule| Some((rule.regex.captures(&text)?, &rule.reply)))
    else {
        return false;
    };
    let answer = Reply(reply).fill(&groups, &mut |value| values.value(value));
    if let Some(outbox) = outbox {
        let payload = answer.as_bytes();
        outbox.send(Outgoing { opcode: Opcode::Text, payload, fragment: None });
    }
    true
}

/// Keeps a control frame's payload, of the last hundred.
fn keep(queue: &mut std::collections::VecDeque<Vec<u8>>, payload: &[u8]) {
    if queue.len() == 100 {
        queue.pop_front();
    }
    queue.push_back(payload.to_vec());
}

pub(super) fn note(log: &mut std::collections::VecDeque<LogEntry>, entry: LogEntry) {
    if log.len() == MAX_LOG {
        log.pop_front();
    }
    log.push_back(entry);
}

pub(super) fn tell(
    listener: &mut Option<&mut dyn Listener>,
    name: Option<&str>,
    event: &Event<'_>,
) {
    if let Some(listener) = listener {
        listener.event(name.unwrap_or_default(), event);
    }
}
