//! `expect …`: answers, control frames, silence and ends.

use std::time::Instant;

use super::peer::{End, Mail};
use super::receive::time;
use super::{Played, Player, Stop};
use crate::connection::Fault;
use crate::http::head::Response;
use crate::pattern::{Message, Pattern, Template};
use crate::protocol::frame::Opcode;
use crate::report::results::{at, shown_message};
use crate::script::statement::{
    AnswerCheck, AnswerPart, Expect, Expected, HeaderCheck, Reason, Statement,
};
use crate::text::Untrusted;

impl Player<'_> {
    pub(super) fn expect(&mut self, statement: &Statement, expect: &Expect) -> Played {
        let peer = self.peer(statement)?;
        let until = Instant::now() + expect.within.unwrap_or(self.within);
        let judged = match &expect.what {
            Expected::Open => match &self.peers[peer].failed {
                None => Ok(()),
                Some(error) => Err(error.what.clone()),
            },
            Expected::Status(status) => {
                self.peers[peer].end_seen = true;
                match self.answer(peer) {
                    Some(answer) if answer.status == *status => Ok(()),
                    Some(answer) if answer.status == 101 => {
                        Err("the server answered 101: the connection is open".to_owned())
                    }
                    Some(answer) => {
                        let reason = Untrusted(&answer.reason);
                        Err(format!("the server answered {} {reason}", answer.status))
                    }
                    None => Err("there was no answer".to_owned()),
                }
            }
            Expected::Subprotocol(name) => {
                let name = self.values.fill(name, str::to_owned);
                match self.field(peer, "sec-websocket-protocol") {
                    Some(chosen) if chosen == name => Ok(()),
                    Some(chosen) => Err(format!("the subprotocol is {}", Untrusted::text(&chosen))),
                    None => Err("the server chose no subprotocol".to_owned()),
                }
            }
            Expected::Extension(name) => {
                let name = self.values.fill(name, str::to_owned);
                let agreed = self.field(peer, "sec-websocket-extensions").unwrap_or_default();
                let has = agreed.split(',').any(|one| {
                    one.split(';').next().is_some_and(|one| one.trim().eq_ignore_ascii_case(&name))
                });
                match (has, agreed.is_empty()) {
                    (true, _) => Ok(()),
                    (false, true) => Err("no extension was agreed on".to_owned()),
                    (false, false) => Err(format!("agreed on: {}", Untrusted::text(&agreed))),
                }
            }
            Expected::Header(header) => self.header(peer, header),
            Expected::Ping(text) => self.control(peer, until, text.as_ref(), true)?,
            Expected::Pong(text) => self.control(peer, until, text.as_ref(), false)?,
            Expected::Silence { time, frames } => self.silence(peer, *time, *frames)?,
            Expected::TlsFailure => match &self.peers[peer].failed {
                Some(_) => Ok(()),
                None => {
                    let is_tls = |end: &End| matches!(end.fault, Some(Fault::Tls(_)));
                    self.ended(peer, until, "no TLS failure", |_, end| match is_tls(end) {
                        true => Ok(()),
                        false => Err(end.words()),
                    })?
                }
            },
            Expected::Violation(clause) => self.violation(peer, until, clause.as_deref())?,
            Expected::Cut => self.ended(peer, until, "the connection was not cut", |_, end| {
                match end.fault.is_none() && end.closure.received.is_none() {
                    true => Ok(()),
                    false => Err(end.words()),
                }
            })?,
            Expected::Close { code, reason } => {
                self.ended(peer, until, "no Close frame", |player, end| {
                    player.close(end, *code, reason.as_ref())
                })?
            }
        };
        judged.map_err(|what| self.failed(statement, what))?;
        for AnswerCheck { place, what } in &expect.below {
            if let Err(what) = self.answer_part(peer, what) {
                return Err(Stop::Failed(Box::new(self.failure(*place, what))));
            }
        }
        Ok(())
    }

    fn answer(&self, peer: usize) -> Option<&Response> {
        self.peers[peer].answer.as_ref().map(|answer| answer.reveal())
    }

    fn field(&self, peer: usize, name: &str) -> Option<String> {
        let value = self.answer(peer)?.header(name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    fn header(&mut self, peer: usize, header: &HeaderCheck) -> Result<(), String> {
        let wanted = header.value.as_ref().map(|value| self.values.fill(value, str::to_owned));
        let Some(answer) = self.answer(peer) else { return Err("there was no answer".to_owned()) };
        let of_name = |name: &[u8]| name.eq_ignore_ascii_case(header.name.as_bytes());
        let fields: Vec<_> = answer.headers.iter().filter(|field| of_name(&field.name)).collect();
        let Some(first) = fields.first() else {
            return Err(format!("the answer has no header {}", header.name));
        };
        let Some(wanted) = wanted else { return Ok(()) };
        if fields.iter().any(|field| field.value == wanted.as_bytes()) {
            return Ok(());
        }
        let shown = crate::redact::value(&first.name, &first.value);
        Err(format!("{} is {}", header.name, Untrusted(&shown)))
    }

    fn answer_part(&mut self, peer: usize, part: &AnswerPart) -> Result<(), String> {
        let pattern = match part {
            AnswerPart::Header(header) => return self.header(peer, header),
            AnswerPart::BodyRegex(regex) => {
                Pattern::regex(&self.values.fill(regex, regex::escape))?
            }
            AnswerPart::BodyJson(json) => Pattern::text(&self.values.fill(json, str::to_owned)),
        };
        let body = self.answer(peer).map(|answer| answer.body.clone()).unwrap_or_default();
        let message = Message { opcode: Opcode::Text, payload: &body };
        pattern.judge(message).map(drop).map_err(|mismatch| {
            let shown = shown_message(Opcode::Text, &body);
            format!("{}; the body is {shown}", mismatch.what)
        })
    }

    /// A ping or a pong; one that came before counts.
    fn control(
        &mut self,
        peer: usize,
        until: Instant,
        text: Option<&Template>,
        is_ping: bool,
    ) -> Played<Result<(), String>> {
        let wanted = text.map(|text| self.values.fill(text, str::to_owned));
        let mut others = Vec::new();
        let found = self.wait(until, |player| {
            let peer = &mut player.peers[peer];
            let queue = if is_ping { &mut peer.pings } else { &mut peer.pongs };
            while let Some(payload) = queue.pop_front() {
                if wanted.as_ref().is_none_or(|wanted| wanted.as_bytes() == payload) {
                    return Some(Ok(()));
                }
                others.push(payload);
            }
            peer.connection.is_none().then(|| Err(peer.ended_words().unwrap_or_default()))
        })?;
        let name = if is_ping { "ping" } else { "pong" };
        let other = others
            .last()
            .map_or(String::new(), |payload| format!("; one with \"{}\" came", Untrusted(payload)));
        Ok(match found {
            Some(Ok(())) => Ok(()),
            Some(Err(how)) => {
                self.peers[peer].end_seen = true;
                Err(format!("no {name} will come{other}: {how}"))
            }
            None => Err(format!("no {name} came in time{other}")),
        })
    }

    /// No message, or no frame at all, for so long.
    fn silence(
        &mut self,
        peer: usize,
        long: std::time::Duration,
        frames: bool,
    ) -> Played<Result<(), String>> {
        let since = Instant::now();
        self.pump();
        let frames_before = self.frames(peer);
        let broken = self.wait(since + long, |player| {
            if let Some(Mail { at: came, opcode, payload }) = player.peers[peer].mailbox.front() {
                let shown = shown_message(*opcode, payload);
                return Some(Some(format!("a message came ({}): {shown}", at(*came))));
            }
            match player.peers[peer].ended_words() {
                Some(how) if frames => return Some(Some(how)),
                // Nothing can come any more.
                Some(_) => return Some(None),
                None => {}
            }
            let came = frames && player.frames(peer) > frames_before;
            came.then(|| Some("a frame came".to_owned()))
        })?;
        Ok(match broken.flatten() {
            None => Ok(()),
            Some(what) => Err(format!("no silence for {}: {what}", time(long))),
        })
    }

    fn frames(&self, peer: usize) -> u64 {
        self.peers[peer].connection.as_ref().map_or(0, |open| open.totals().frames_in)
    }

    /// Waits for the end, passing over messages.
    fn ended(
        &mut self,
        peer: usize,
        until: Instant,
        missing: &str,
        judge: impl FnOnce(&mut Self, &End) -> Result<(), String>,
    ) -> Played<Result<(), String>> {
        let found = self.wait(until, |player| {
            let peer = &mut player.peers[peer];
            while peer.take().is_some() {}
            peer.connection.is_none().then_some(())
        })?;
        self.peers[peer].end_seen = true;
        match (found, self.peers[peer].end.clone()) {
            (None, _) => {
                self.peers[peer].end_seen = false;
                Ok(Err(format!("{missing}: the connection is still open")))
            }
            (Some(()), Some(end)) => Ok(judge(self, &end)),
            (Some(()), None) => {
                let how = self.peers[peer].ended_words().unwrap_or_default();
                Ok(Err(format!("it was never open: {how}")))
            }
        }
    }

    fn violation(
        &mut self,
        peer: usize,
        until: Instant,
        clause: Option<&str>,
    ) -> Played<Result<(), String>> {
        let is_clause = |text: &str| {
            clause.is_none_or(|wanted| {
                let after = text.split(&format!("§{wanted}")).nth(1);
                after.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_digit()))
            })
        };
        if let Some(error) = &self.peers[peer].failed {
            let text = format!("{} {}", error.what, error.causes.join(" "));
            return Ok(if is_clause(&text) { Ok(()) } else { Err(error.what.clone()) });
        }
        self.ended(peer, until, "no violation", |_, end| match &end.fault {
            Some(Fault::Violation(violation)) if is_clause(violation.rule.clause()) => Ok(()),
            _ => Err(end.words()),
        })
    }

    fn close(
        &mut self,
        end: &End,
        code: Option<u16>,
        reason: Option<&Reason>,
    ) -> Result<(), String> {
        let Some(received) = &end.closure.received else { return Err(end.words()) };
        let came = end.closure.code().0;
        if end.fault.is_some() || code.is_some_and(|code| code != came) {
            return Err(end.words());
        }
        let text = String::from_utf8_lossy(&received.reason);
        let is_it = match reason {
            None => true,
            Some(Reason::Equal(wanted)) => text == self.values.fill(wanted, str::to_owned),
            Some(Reason::Regex(regex)) => {
                let pattern = Pattern::regex(&self.values.fill(regex, regex::escape))?;
                match pattern.judge(Message::text(&text)) {
                    Ok(groups) => {
                        self.values.variables.extend(groups);
                        true
                    }
                    Err(_) => false,
                }
            }
        };
        if is_it { Ok(()) } else { Err(end.words()) }
    }
}
