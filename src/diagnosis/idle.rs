//! Connections that end without a Close frame: idle timeouts, crashes, heartbeats that nobody answered.

use std::time::Duration;

use crate::diagnosis::finding::{Finding, Rule, certain, may, probable};
use crate::diagnosis::{Facts, Talk};
use crate::protocol::close::{End, Party};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "ping-unanswered", find: ping_unanswered },
    Rule { name: "idle-timeout", find: idle },
    Rule { name: "cut-after-message", find: after_message },
    Rule { name: "cut-at-once", find: at_once },
    Rule { name: "lifetime", find: lifetime },
    Rule { name: "cut", find: cut },
];

/// Idle timeouts in seconds that are known, and whose they are.
const KNOWN: &[(u64, &str)] = &[
    (30, "Google's load balancers: 30 s"),
    (55, "Heroku: 55 s"),
    (60, "nginx (proxy_read_timeout), Apache, AWS load balancers: 60 s"),
    (100, "Cloudflare: 100 s"),
    (120, "IIS and many proxies: 120 s"),
    (230, "Azure: 230 s"),
    (240, "Azure: 4 minutes"),
    (300, "Envoy and many proxies: 5 minutes"),
    (350, "AWS network load balancers and NAT gateways: 350 s"),
    (600, "API Gateway: 10 minutes"),
    (3600, "an hour, as in many configurations"),
];

/// The end of an open connection without the peer's Close, where no violation explains it.
fn lost<'a>(facts: &'a Facts<'_>) -> Option<&'a Talk<'a>> {
    let talk = facts.talk()?;
    let closure = talk.closure?;
    let lost =
        closure.received.is_none() && closure.first != Some(Party::Us) && closure.end != End::Local;
    Some(talk).filter(|talk| lost && talk.violation.is_none())
}

/// A time that is about a round number of seconds.
fn round(time: Duration) -> Option<u64> {
    let seconds = time.as_secs_f64();
    let step = if seconds < 10.5 { 1.0 } else { 5.0 };
    let whole = (seconds / step).round() * step;
    let near = (seconds - whole).abs() <= (0.02 * whole).clamp(0.12, 1.5);
    (whole >= 1.0 && near).then_some(whole as u64)
}

fn ping_unanswered(facts: &Facts<'_>) -> Option<Finding> {
    let talk = lost(facts).filter(|talk| !talk.answers_pings && talk.totals.pings_in > 0)?;
    Some(
        certain(
            "the server's pings were not answered (--no-pong was given), so it cut the connection",
        )
        .because(format!(
            "{} without a pong, cut after {:.1} s",
            crate::text::units::Count(talk.totals.pings_in, "ping"),
            talk.open_for.as_secs_f64()
        ))
        .next("answer pings with pongs: leave --no-pong out"),
    )
}

fn idle(facts: &Facts<'_>) -> Option<Finding> {
    let talk = lost(facts).filter(|talk| talk.answers_pings || talk.totals.pings_in == 0)?;
    let seconds = round(talk.idle)?;
    let known = KNOWN.iter().find(|(known, _)| known.abs_diff(seconds) <= known / 50);
    let front = facts.peer.front();
    let whose = match (front, known) {
        (Some(proxy), _) => format!(" ({})", proxy.idle),
        (None, Some((_, name))) => format!(" ({name})"),
        (None, None) => " (nginx: proxy_read_timeout)".to_owned(),
    };
    let cause =
        format!("an idle timeout of {seconds} s cut the connection, without a Close frame{whose}");
    let found = match known.is_some() || front.is_some() {
        true => probable(cause),
        false => may(format!(
            "an idle timeout of {seconds} s may have cut the connection, without a Close frame{whose}"
        )),
    };
    let step = if seconds > 2 {
        (seconds / 2).to_string()
    } else {
        format!("{:.1}", seconds as f64 / 2.0)
    };
    let found =
        found.because(format!("nothing moved for {:.1} s before it", talk.idle.as_secs_f64()));
    let found = match talk.ping_interval {
        Some(_) => found.next("a shorter --ping-interval; if pings don't count there, messages of the application's own heartbeat"),
        None => found.next(format!("--ping-interval {step} keeps it busy")),
    };
    let found = found.next("or raise that timeout");
    Some(if front.is_none() && known.is_none() {
        found.next("or send the application's own heartbeat: it may be the server that misses it")
    } else {
        found
    })
}

fn after_message(facts: &Facts<'_>) -> Option<Finding> {
    let talk = lost(facts)
        .filter(|talk| talk.totals.messages_out > 0 && talk.idle < Duration::from_millis(900))?;
    Some(
        probable("the server cut the connection without a Close frame right after a message: its handler most likely crashed (an exception) at it")
            .because(format!("{} sent, the last of {} bytes", crate::text::units::Count(talk.totals.messages_out, "message"), talk.last_sent))
            .next("look into the server's log at this time (crash, traceback)")
            .next("is the message what it expects, and not too large for it?"),
    )
}

fn at_once(facts: &Facts<'_>) -> Option<Finding> {
    let talk = lost(facts).filter(|talk| {
        talk.totals.messages_out == 0 && talk.open_for < Duration::from_millis(900)
    })?;
    let front = facts.peer.front().map_or("a proxy", |known| known.name);
    Some(
        probable("the server cut the connection without a Close frame right after opening: its handler most likely crashed or returned")
            .because(format!("after {:.1} s, {} received", talk.open_for.as_secs_f64(), crate::text::units::Count(talk.totals.messages_in, "message")))
            .next("look into the server's log at this time (crash, exception)")
            .next(format!("is a login, a subprotocol (-s) or another path needed? does {front} support WebSockets?")),
    )
}

/// A busy connection that ends after a round time.
fn lifetime(facts: &Facts<'_>) -> Option<Finding> {
    let talk = lost(facts)
        .filter(|talk| talk.open_for > Duration::from_secs(25) && talk.idle < talk.open_for / 2)?;
    let seconds = round(talk.open_for).filter(|seconds| seconds % 30 == 0 || *seconds == 100)?;
    Some(
        may(format!("a limit on a connection's lifetime of {seconds} s may have cut it, though it was in use"))
            .because(format!("open for {:.0} s, idle for {:.1} s", talk.open_for.as_secs_f64(), talk.idle.as_secs_f64()))
            .next("a timeout for the whole request in a proxy or server (a read or write timeout)")
            .next("--reconnect connects again"),
    )
}

fn cut(facts: &Facts<'_>) -> Option<Finding> {
    let talk = lost(facts)?;
    let others: [fn(&Facts<'_>) -> Option<Finding>; 5] =
        [ping_unanswered, idle, after_message, at_once, lifetime];
    if others.iter().any(|other| other(facts).is_some()) {
        return None;
    }
    let reset = matches!(talk.closure.map(|closure| &closure.end), Some(End::Broken(_)));
    Some(
        may(match reset {
            true => "the server may have crashed or been killed, or a device in between cut the connection",
            false => "the server or a proxy in between may have ended the connection: a crash, a restart, a timeout",
        })
        .because(format!("open for {:.1} s, idle for {:.1} s", talk.open_for.as_secs_f64(), talk.idle.as_secs_f64()))
        .next("look into the server's log at this time")
        .next("--reconnect connects again; --ping-interval 20 keeps idle timeouts away"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Case, Open, check};
    use crate::event::Totals;

    fn open(seconds: f64, idle: f64) -> Open {
        Open {
            cut: true,
            open_for: Duration::from_secs_f64(seconds),
            idle: Duration::from_secs_f64(idle),
            ..Open::default()
        }
    }

    #[test]
    fn rules() {
        let sent = Totals { messages_out: 1, ..Totals::default() };
        let pinged = Totals { pings_in: 1, ..Totals::default() };
        check(
            RULES,
            &[
                Case::open(
                    "ping-unanswered",
                    "",
                    Open { totals: pinged, answers_pings: false, ..open(0.9, 0.5) },
                )
                .says(&["not answered", "pongs"]),
                Case::open(
                    "idle-timeout",
                    "Server: nginx\r\n",
                    Open { totals: sent, ..open(2.0, 2.0) },
                )
                .says(&[
                    "idle timeout of 2 s",
                    "proxy_read_timeout",
                    "--ping-interval 1.0",
                ]),
                Case::open("idle-timeout", "", open(60.2, 60.1))
                    .says(&["60 s", "--ping-interval 30"]),
                Case::open("idle-timeout", "", open(100.3, 100.2)).says(&["Cloudflare"]),
                Case::open("idle-timeout", "", open(350.1, 350.0)).says(&["NAT"]),
                Case::open("idle-timeout", "", open(7.0, 7.0)).says(&["may have cut", "heartbeat"]),
                Case::open(
                    "cut-after-message",
                    "",
                    Open { totals: sent, last_sent: 5, ..open(0.01, 0.0) },
                )
                .says(&["right after a message", "crash", "server's log"]),
                Case::open("cut-at-once", "", open(0.01, 0.01))
                    .says(&["right after opening", "crash"]),
                Case::open("lifetime", "", open(60.0, 0.4)).says(&["lifetime of 60 s"]),
                Case::open("cut", "", Open { totals: sent, ..open(33.3, 11.3) })
                    .says(&["may have ended", "log"]),
            ],
        );
    }

    #[test]
    fn round_times() {
        for (seconds, found) in [
            (2.0, Some(2)),
            (2.4, None),
            (59.4, Some(60)),
            (61.9, None),
            (0.2, None),
            (37.0, None),
            (3601.0, Some(3600)),
        ] {
            assert_eq!(round(Duration::from_secs_f64(seconds)), found, "{seconds}");
        }
    }
}
