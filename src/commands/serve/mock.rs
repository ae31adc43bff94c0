//! `wstap serve --from FILE`: the other side of a script, for clients without their server.

use std::time::{Duration, Instant};

use crate::commands::serve::listener::Listener;
use crate::connection::{Accepting, Connection, ListenOptions, Outgoing, Step};
use crate::error::Result;
use crate::event::{Direction, Event, Level};
use crate::http::head::RequestHead;
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::handshake::{AcceptOptions, Reply, answer};
use crate::run::{Loop, Source, Views};
use crate::script::{Action, Decision, Mock, Seat};

/// A client, and its place in the script.
struct MockClient {
    id: u64,
    seat: Option<Seat>,
    stage: Stage,
}

enum Stage {
    Accepting(Box<Accepting>),
    Open(Box<Connection>),
    Over,
}

/// Serves until a signal or until `stopped` returns true; clients then have `grace` to close. A second
/// signal ends it at once.
///
/// # Errors
/// Why an output has failed.
pub(super) fn serve(
    mut listener: Listener,
    mut mock: Mock,
    listen: &ListenOptions,
    outside: &mut Loop,
    (stopped, grace): (&dyn Fn() -> bool, Duration),
) -> Result<()> {
    let mut clients: Vec<MockClient> = Vec::new();
    let mut stop_at: Option<Instant> = None;
    loop {
        outside.views.push();
        if let Some(broken) = outside.views.broken() {
            return Err(broken);
        }
        let until = mock.deadline().into_iter().chain(stop_at).min();
        let mut sources: Vec<&mut dyn Source> = vec![&mut listener];
        sources.extend(clients.iter_mut().filter_map(MockClient::source));
        let now = outside.turn(&mut sources, until);
        outside.views.set_time(now);
        listener.accept(&mut outside.views, now, &mut |id, stream| {
            let stage = Stage::Accepting(Box::new(Accepting::new(stream, listen, now)));
            clients.push(MockClient { id, seat: None, stage });
        });
        play(&mut clients, &mut mock, listen, &mut outside.views, now);
        if outside.waking.take_signals().is_some() || (stop_at.is_none() && stopped()) {
            if stop_at.is_some() {
                return Ok(());
            }
            let end = now + grace;
            stop_at = Some(end);
            listener.stop();
            clients.iter_mut().for_each(|client| client.stop(end));
        }
        clients.retain(|client| !matches!(client.stage, Stage::Over));
        if stop_at.is_some_and(|at| clients.is_empty() || at <= now) {
            return Ok(());
        }
    }
}

/// Takes what the clients have sent, and does what the script says, until there is nothing to do.
fn play(
    clients: &mut [MockClient],
    mock: &mut Mock,
    listen: &ListenOptions,
    views: &mut Views,
    now: Instant,
) {
    loop {
        for client in clients.iter_mut() {
            views.set_client(Some(client.id));
            client.take(mock, listen, views);
        }
        let actions = mock.actions(now);
        let is_done = actions.is_empty();
        for (seat, action) in actions {
            if let Some(client) = clients.iter_mut().find(|client| client.seat == Some(seat)) {
                views.set_client(Some(client.id));
                client.act(action, views);
            }
        }
        for client in clients.iter_mut() {
            views.set_client(Some(client.id));
            client.flush(mock, views);
        }
        views.set_client(None);
        if is_done {
            return;
        }
    }
}

impl MockClient {
    fn source(&mut self) -> Option<&mut dyn Source> {
        match &mut self.stage {
            Stage::Accepting(accepting) => Some(accepting.as_mut()),
            Stage::Open(connection) => Some(connection.as_mut()),
            Stage::Over => None,
        }
    }

    /// Goes on with the opening handshake, and hands over what came.
    fn take(&mut self, mock: &mut Mock, listen: &ListenOptions, views: &mut Views) {
        if let Stage::Accepting(_) = self.stage {
            self.accept(mock, listen, views);
        }
        let (Stage::Open(connection), Some(seat)) = (&mut self.stage, self.seat) else { return };
        while !views.are_congested()
            && let Some(event) = connection.next()
        {
            views.tell(&event);
            match event {
                Event::Data(data) if data.direction == Direction::In => {
                    mock.received(seat, data.opcode, data.bytes);
                }
                Event::Close { direction: Direction::In, .. } => mock.left(seat),
                _ => {}
            }
        }
    }

    fn accept(&mut self, mock: &mut Mock, listen: &ListenOptions, views: &mut Views) {
        let Stage::Accepting(accepting) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return;
        };
        let seat = &mut self.seat;
        let mut decide = |head: &RequestHead| {
            let target = String::from_utf8_lossy(&head.target).into_owned();
            match mock.decide(&target) {
                Decision::Accept(given, subprotocol) => {
                    *seat = Some(given);
                    let subprotocols = match subprotocol {
                        Some(chosen) => vec![chosen],
                        None => listen.accept.subprotocols.clone(),
                    };
                    answer(head, &AcceptOptions { subprotocols, ..listen.accept.clone() })
                }
                Decision::Refuse(status, fields, body) => refusal(status, &fields, &body),
            }
        };
        let step = accepting.next_deciding(listen, &mut decide, &mut |event| views.tell(&event));
        self.stage = match step {
            Step::Waiting(accepting) => Stage::Accepting(accepting),
            Step::Opened(connection) => {
                if let Some(seat) = self.seat {
                    mock.opened(seat);
                }
                Stage::Open(connection)
            }
            Step::Over => Stage::Over,
        };
    }

    fn act(&mut self, action: Action, views: &mut Views) {
        let Stage::Open(connection) = &mut self.stage else { return };
        match action {
            Action::Send(opcode, payload) => {
                connection.send(Outgoing { opcode, payload: &payload, fragment: None });
            }
            Action::Ping(payload) => connection.ping(&payload),
            Action::Close(status) => connection.close(&status),
            Action::Cut => connection.abort(),
            Action::Fail(status, text) => {
                views.tell(&Event::Notice { level: Level::Warning, text: &text });
                connection.close(&status);
            }
        }
    }

    fn flush(&mut self, mock: &mut Mock, views: &mut Views) {
        let Stage::Open(connection) = &mut self.stage else { return };
        connection.flush();
        connection.pause(views.are_congested());
        if let Some(closure) = connection.ended() {
            let totals = connection.totals();
            views.tell(&Event::Closed { closure, totals: &totals, failed: false });
            if let Some(seat) = self.seat {
                mock.left(seat);
            }
            self.stage = Stage::Over;
        }
    }

    /// Closes the connection because the server stops, by `end`.
    fn stop(&mut self, end: Instant) {
        match &mut self.stage {
            Stage::Open(connection) => {
                connection.close(&CloseStatus::new(CloseCode::GOING_AWAY, "the server stops"));
                connection.give_up(end);
            }
            _ => self.stage = Stage::Over,
        }
    }
}

/// The answer to a request that the script wants refused.
fn refusal(status: u16, fields: &[(String, String)], body: &str) -> Reply {
    let reason = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Refused",
    };
    let mut response = format!("HTTP/1.1 {status} {reason}\r\n");
    for (name, value) in fields.iter().filter(|(_, value)| !value.contains(char::is_control)) {
        response.push_str(&format!("{name}: {value}\r\n"));
    }
    response
        .push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()));
    let why = format!("{status} {reason}: as the script says");
    Reply::Refused { status, response: response.into_bytes(), why }
}
