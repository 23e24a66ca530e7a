//! Sessions that end: cut, timed out, many at once, or with a reason.

use super::pair::server_name;
use super::remembered::{Deferred, Remembered, between, span};
use super::words::{status_label, status_name, who};
use super::{Code, Context, Detector, SessionFacts, Sighting, Sightings};
use crate::analysis::Seen;
use crate::finding::Severity;
use crate::protocol::{self, types};
use crate::reassembly::End;
use crate::record::Direction;
use crate::session::{Content, Session};
use crate::time::Timestamp;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// E_CTI_NEW_SESSION_OPENED; told as `session_replaced`.
const NEW_SESSION: u32 = 11;
/// E_CTI_CTI_SERVER_OFFLINE.
const OFFLINE: u32 = 15;
/// E_CTI_TIMEOUT.
const TIMEOUT: u32 = 16;
/// E_CTI_CLIENT_DISCONNECTED.
const DISCONNECTED: u32 = 37;
/// Sessions ended at once that tell of the server, not of clients.
const MANY: usize = 3;

pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Ends),
        Box::new(Gone::default()),
        Box::new(Reasons::default()),
    ]
}

/// How long a client had been silent when the server gave it up for that, if it did.
fn timed_out(session: &Session, facts: &SessionFacts, around: &Context) -> Option<(Duration, u32)> {
    let idle = facts.opened.as_ref()?.idle_timeout?;
    let last = facts.last_client?;
    let by_server = session.ended_by == Some(Direction::ServerToClient);
    let ended = matches!(session.end, Some(End::Finished(_) | End::Reset(_)));
    if !by_server || !ended || !around.wire().heard(facts.peers.client, facts.peers.server) {
        return None;
    }
    let silent = between(last, session.last);
    let whole = !facts.breaks.iter().any(|at| *at >= last);
    (whole && is_idle(silent, idle)).then_some((silent, idle))
}

/// Whether a silence is what IdleTimeout allows, 5 % early to 10 % late.
fn is_idle(silent: Duration, idle: u32) -> bool {
    let idle = Duration::from_secs(u64::from(idle));
    silent >= idle.mul_f64(0.95) && silent <= idle.mul_f64(1.10)
}

/// Whether a session ended without a goodbye, and nobody planned or asked for it.
fn is_cut(session: &Session, facts: &SessionFacts, around: &Context) -> bool {
    let both =
        around.wire().heard(facts.peers.client, facts.peers.server) || facts.last_client.is_some();
    // What the capture lost just before may have been the goodbye.
    let whole = !facts
        .breaks
        .iter()
        .any(|at| between(*at, session.last) <= around.thresholds().close_grace);
    matches!(session.end, Some(End::Finished(_) | End::Reset(_)))
        && session.content == Content::Cti
        && session.close_status.is_none()
        && facts.close.is_none()
        && session.refused.is_none()
        && (facts.granted.is_some() || facts.opened.is_none())
        && facts.stopping.is_none()
        && both
        && whole
}

/// The end of single sessions.
#[derive(Debug)]
struct Ends;

impl Detector for Ends {
    fn ended(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        let number = session.peers.session;
        let Some(facts) = around.session(number) else {
            return;
        };
        // What the server announced by FAILURE_EVENT is told already.
        let announced = facts
            .failure_event
            .is_some_and(|(status, _)| status == TIMEOUT);
        if let Some((silent, idle)) =
            timed_out(session, facts, around).filter(|_| facts.close.is_none() && !announced)
        {
            let from = facts.last_client.unwrap_or(session.last);
            let lost = around.wire().sent_again(
                facts.peers.client,
                facts.peers.server,
                from,
                session.last,
            );
            let sent = if lost {
                "segments of the client were sent again meanwhile"
            } else {
                "the client sent nothing"
            };
            out.push(
                Sighting::new(
                    Code::IdleTimeout,
                    session.last,
                    format!(
                        "{} of silence with IdleTimeout {idle} s; {sent}",
                        span(silent)
                    ),
                )
                .end_of(facts, around)
                .group(format!(
                    "{} gave up {} as silent",
                    facts.server_name(),
                    facts.client_name()
                )),
            );
            return;
        }
        // A failure event says why: 16 is told as idle_timeout, 11 as session_replaced.
        let explained = facts
            .failure_event
            .is_some_and(|(status, _)| matches!(status, TIMEOUT | NEW_SESSION));
        if !is_cut(session, facts, around) || explained || around.handover(session.last) {
            return;
        }
        let by = session.ended_by.unwrap_or(Direction::ClientToServer);
        let how = if matches!(session.end, Some(End::Reset(_))) {
            "RST"
        } else {
            "FIN"
        };
        let last = facts
            .last_client
            .max(facts.last_server)
            .unwrap_or(facts.first);
        let silent = between(last, session.last);
        let idle = facts.opened.as_ref().and_then(|opened| opened.idle_timeout);
        let client_silent = facts.last_client.map(|last| between(last, session.last));
        let too_long = idle.filter(|idle| {
            by == Direction::ServerToClient
                && client_silent
                    .is_some_and(|silent| silent > Duration::from_secs(u64::from(*idle)))
        });
        let mut cut = Sighting::new(
            Code::SessionCut,
            session.last,
            format!(
                "{how} by {} {} after the last message, without CLOSE_REQ",
                who(by),
                span(silent)
            ),
        )
        .end_of(facts, around)
        .group(format!(
            "{} cut from {} by {}",
            facts.client_name(),
            facts.server_name(),
            who(by)
        ));
        if let Some(idle) = too_long {
            cut = cut.hint(format!(
                "The client had been silent for longer than its IdleTimeout of {idle} s."
            ));
        }
        out.push(cut);
    }

    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if seen.is(types::CLIENT_SESSION_CLOSED_EVENT) {
            let code = match seen.raw("Status") {
                Some(DISCONNECTED) => Code::SessionCut,
                Some(TIMEOUT) => Code::IdleTimeout,
                _ => return,
            };
            let name = seen
                .text("ClientID")
                .or_else(|| seen.text("AgentExtension"));
            let name = name.map_or_else(|| "a client".to_owned(), std::borrow::Cow::into_owned);
            let address = seen.text("ClientAddress").unwrap_or_default();
            // The session itself, where it was captured, tells more.
            let ip: Option<IpAddr> = address.parse().ok();
            let known = seen.number("ClientPort").zip(ip).is_some_and(|(port, ip)| {
                around
                    .sessions_of(ip)
                    .any(|facts| u32::from(facts.peers.client.port()) == port)
            });
            if known {
                return;
            }
            let status = seen.raw("Status").unwrap_or_default();
            out.push(
                Sighting::of(
                    code,
                    seen,
                    format!(
                        "the server says that the session of {name} ({address}) ended with {}",
                        status_name(status)
                    ),
                )
                .group(format!("{name} ({address}), told by the server")),
            );
        } else if seen.is(types::FAILURE_EVENT) && seen.raw("Status") == Some(TIMEOUT) {
            let Some(facts) = around.session(seen.info.peers.session) else {
                return;
            };
            let silent = facts.last_client.map(|last| between(last, seen.info.time));
            let text = silent.map_or_else(
                || "FAILURE_EVENT 16".to_owned(),
                |silent| format!("FAILURE_EVENT 16 after {} of silence", span(silent)),
            );
            out.push(Sighting::of(Code::IdleTimeout, seen, text).group(format!(
                "{} gave up {} as silent",
                facts.server_name(),
                facts.client_name()
            )));
        }
    }
}

/// Sessions of one server that it ended.
#[derive(Debug)]
struct Ended {
    time: Timestamp,
    session: u32,
    /// When the server announced it.
    announced: Option<Timestamp>,
    agent: Option<String>,
}

/// Servers that end many sessions at once.
#[derive(Debug, Default)]
struct Gone {
    ends: Remembered<SocketAddr, Vec<Ended>>,
}

impl Gone {
    fn judge(server: SocketAddr, ends: Vec<Ended>, around: &Context, out: &mut Sightings) {
        let Some(first) = ends.iter().map(|end| end.time).min() else {
            return;
        };
        let left = around
            .sessions()
            .filter(|facts| facts.peers.server == server && facts.content == Content::Cti)
            .filter(|facts| facts.first <= first && facts.ended.is_none_or(|at| at > first))
            .filter(|facts| !ends.iter().any(|end| end.session == facts.peers.session))
            .count();
        let all = left == 0 && ends.len() > 1;
        if ends.len() < MANY && !all {
            return;
        }
        let announced = ends.iter().filter_map(|end| end.announced).min();
        let time = announced.map_or(first, |at| at.min(first));
        let text = format!(
            "{} ended {} sessions within {}{}",
            server_name(server),
            ends.len(),
            span(around.thresholds().gone_window),
            if left == 0 { ", all that it had" } else { "" }
        );
        for end in ends {
            // The whole finding begins with the first sign of it.
            let at = if end.time == first { time } else { end.time };
            let mut sighting =
                Sighting::new(Code::ServerGone, at, format!("S{} ended", end.session))
                    .session(end.session)
                    .group(text.clone());
            if let Some(facts) = around.session(end.session) {
                sighting = sighting.end_of(facts, around);
            }
            if let Some(agent) = end.agent {
                sighting = sighting.agent(agent);
            }
            out.push(sighting);
        }
    }

    fn due(&mut self, now: Option<Timestamp>, around: &Context, out: &mut Sightings) {
        let window = around.thresholds().gone_window;
        let mut over = Vec::new();
        for (server, ends) in self.ends.iter() {
            let first = ends.iter().map(|end| end.time).min();
            if first.is_some_and(|first| now.is_none_or(|now| now > first.after(window))) {
                over.push(*server);
            }
        }
        for server in over {
            if let Some(ends) = self.ends.remove(&server) {
                Self::judge(server, ends, around, out);
            }
        }
    }
}

impl Detector for Gone {
    fn ended(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        self.due(Some(session.last), around, out);
        let Some(facts) = around.session(session.peers.session) else {
            return;
        };
        let by_server = session.ended_by == Some(Direction::ServerToClient);
        let offline = facts.failure_event.filter(|(status, _)| *status == OFFLINE);
        // Whoever closes because the server is off line was ended by the server.
        let asked = offline.is_some() && facts.close.is_some_and(|(status, _)| status == OFFLINE);
        let cut = is_cut(session, facts, around) && by_server;
        if !(cut || asked)
            || around.handover(session.last)
            || timed_out(session, facts, around).is_some()
        {
            return;
        }
        let ends = self.ends.entry(facts.peers.server);
        if ends.len() < crate::limits::MAX_TOUCHED {
            ends.push(Ended {
                time: session.last,
                session: session.peers.session,
                announced: offline.map(|(_, at)| at),
                agent: facts
                    .opened
                    .as_ref()
                    .and_then(|opened| opened.agent.clone()),
            });
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        self.due(None, around, out);
    }
}

/// What server and client say when something ends.
#[derive(Debug, Default)]
struct Reasons {
    waiting: Deferred<(Sighting, Timestamp)>,
}

impl Detector for Reasons {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let is_event = seen.is(types::FAILURE_EVENT);
        if !is_event && !seen.is(types::CLOSE_REQ) {
            return;
        }
        let (Some(status), Some(facts)) =
            (seen.raw("Status"), around.session(seen.info.peers.session))
        else {
            return;
        };
        let code = match (is_event, status) {
            (true, OFFLINE) => Code::ServerNotice,
            (true, NEW_SESSION | TIMEOUT) => return,
            (true, _) => Code::ServerErrorEvent,
            (false, OFFLINE | TIMEOUT) => Code::ClosedWithError,
            (false, _) => return,
        };
        let label = status_label(status).unwrap_or("unknown");
        let text = format!("status {}: {label}", status_name(status));
        let (from, to) = if is_event {
            (facts.server_name(), facts.client_name())
        } else {
            (facts.client_name(), facts.server_name())
        };
        let group = match code {
            Code::ClosedWithError => format!("{from} closed its session with {to}: {label}"),
            _ => format!("{from} told {to}: {label}"),
        };
        let mut sighting = Sighting::of(code, seen, text).group(group);
        if let Some(hint) = protocol::hint_for_status(status) {
            sighting = sighting.hint(hint);
        }
        if code == Code::ServerNotice {
            // A planned move may begin a moment later.
            if let Some((sighting, time)) = self.waiting.push((sighting, seen.info.time)) {
                out.push(planned(sighting, time, around));
            }
            return;
        }
        out.push(sighting);
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        for (sighting, time) in self.waiting.take() {
            out.push(planned(sighting, time, around));
        }
    }
}

fn planned(sighting: Sighting, time: Timestamp, around: &Context) -> Sighting {
    if around.handover(time) {
        return sighting.severity(Severity::Info);
    }
    sighting
}
