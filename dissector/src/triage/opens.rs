//! Sessions that open slowly, again and again, or over each other.

use super::pair::server_name;
use super::remembered::{Remembered, between, span};
use super::{Code, Context, Detector, SessionFacts, Sighting, Sightings};
use crate::analysis::Seen;
use crate::correlate::{Exchange, OutcomeKind};
use crate::finding::Severity;
use crate::protocol::types;
use crate::session::Session;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// E_CTI_NEW_SESSION_OPENED.
const NEW_SESSION: u32 = 11;
/// Opens that make a loop.
const LOOP: usize = 3;
/// Opens of a client that are remembered.
const REMEMBERED: usize = 8;
/// The shortest wait that the protocol advises between tries, less some haste.
const ADVISED: Duration = Duration::from_secs(14);

/// OPEN_REQ without answer, or with a late one.
#[derive(Debug)]
pub(super) struct Slow;

impl Detector for Slow {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let Some(request) = exchange
            .request
            .as_ref()
            .filter(|r| r.number == types::OPEN_REQ)
        else {
            return;
        };
        let Some(facts) = around.session(exchange.session) else {
            return;
        };
        let latency = exchange.outcome.latency.and_then(|l| u64::try_from(l).ok());
        let (waited, answered) = match exchange.outcome.kind {
            OutcomeKind::Confirmed | OutcomeKind::Failed => {
                (Duration::from_nanos(latency.unwrap_or(0)), true)
            }
            // A server that never spoke is not judged elsewhere; that it acknowledged is known here.
            OutcomeKind::Unanswered | OutcomeKind::SessionEnded | OutcomeKind::NotJudged => {
                (between(request.time, exchange.time), false)
            }
            _ => return,
        };
        let thresholds = around.thresholds();
        if waited < thresholds.open_slow {
            return;
        }
        if !answered
            && !around.can_miss(
                exchange.session,
                request.time,
                request.time.after(thresholds.open_slow),
            )
        {
            return;
        }
        let server = facts.peers.server;
        let open = around
            .sessions()
            .filter(|s| s.peers.server == server && s.is_open());
        let open = u64::try_from(open.count()).unwrap_or(u64::MAX);
        let patience = if open > thresholds.many_clients {
            thresholds.open_lost_many
        } else {
            thresholds.open_lost
        };
        let text = if answered {
            format!("{} answered after {}", server_name(server), span(waited))
        } else {
            format!(
                "{} did not answer within {}",
                server_name(server),
                span(waited)
            )
        };
        let mut sighting = Sighting::of_part(
            Code::OpenUnanswered,
            exchange.session,
            request,
            around,
            text,
        )
        .group(format!(
            "{} waits for {} to open its session",
            facts.client_name(),
            facts.server_name()
        ));
        if answered || waited < patience {
            sighting = sighting.severity(Severity::Warn);
        }
        out.push(sighting);
    }
}

/// Whether an OPEN_REQ led to nothing: refused, or not answered by a server that was heard.
pub(super) fn is_in_vain(exchange: &Exchange, facts: &SessionFacts, around: &Context) -> bool {
    match exchange.outcome.kind {
        OutcomeKind::Failed => true,
        OutcomeKind::Unanswered | OutcomeKind::SessionEnded | OutcomeKind::NotJudged => {
            let heard = around.wire().heard(facts.peers.server, facts.peers.client);
            (heard || facts.last_server.is_some()) && facts.breaks.is_empty()
        }
        _ => false,
    }
}

/// A client as [`Loops`] tells it from others.
type Client = (IpAddr, Option<String>, SocketAddr);

fn client(facts: &SessionFacts) -> Client {
    let name = facts.client_id().map(str::to_owned);
    (facts.client_host(), name, facts.peers.server)
}

/// Clients that open again and again.
#[derive(Debug, Default)]
pub(super) struct Loops {
    opens: Remembered<Client, VecDeque<Timestamp>>,
}

impl Loops {
    fn tried(
        &mut self,
        time: Timestamp,
        facts: &SessionFacts,
        around: &Context,
        out: &mut Sightings,
    ) {
        let opens = self.opens.entry(client(facts));
        if opens.len() >= REMEMBERED {
            opens.pop_front();
        }
        let at = opens.partition_point(|other| *other <= time);
        opens.insert(at, time);
        let span_of_time = around.thresholds().loop_window;
        let recent: Vec<Timestamp> = opens
            .iter()
            .copied()
            .filter(|other| *other <= time && time <= other.after(span_of_time))
            .collect();
        if recent.len() < LOOP {
            return;
        }
        let advised = recent
            .windows(2)
            .all(|pair| matches!(pair, [one, two] if between(*one, *two) >= ADVISED));
        let text = format!("open number {} within {}", recent.len(), span(span_of_time));
        let mut sighting = Sighting::new(Code::OpenLoop, time, text)
            .session(facts.peers.session)
            .group(format!(
                "{} opens again and again at {}",
                facts.client_name(),
                facts.server_name()
            ));
        if let Some(opened) = &facts.opened {
            sighting = sighting.message(opened.no, around);
        }
        if advised {
            sighting = sighting
                .severity(Severity::Warn)
                .hint("The client waits longer and longer between its tries, as it should.");
        }
        out.push(sighting);
    }
}

impl Detector for Loops {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let Some(request) = exchange
            .request
            .as_ref()
            .filter(|r| r.number == types::OPEN_REQ)
        else {
            return;
        };
        if let Some(facts) = around
            .session(exchange.session)
            .filter(|facts| is_in_vain(exchange, facts, around))
        {
            self.tried(request.time, facts, around, out);
        }
    }

    fn ended(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        let Some(facts) = around.session(session.peers.session) else {
            return;
        };
        let (Some(opened), Some(granted)) = (&facts.opened, &facts.granted) else {
            return;
        };
        let clean = facts.close.is_some_and(|(status, _)| status == 0) || facts.stopping.is_some();
        let by_peer = matches!(
            session.end,
            Some(
                crate::reassembly::End::Finished(_)
                    | crate::reassembly::End::Reset(_)
                    | crate::reassembly::End::Replaced
            )
        );
        let lasted = between(granted.time, session.last);
        if by_peer && !clean && lasted < around.thresholds().loop_window {
            self.tried(opened.time, facts, around, out);
        }
    }
}

/// Sessions that end because the same client, or device, opens another one.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// Sessions for one device, by server, peripheral and device.
    devices: Remembered<(SocketAddr, Option<u32>, String), u32>,
}

impl Replaced {
    fn opened(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let number = seen.info.peers.session;
        let Some(facts) = around.session(number) else {
            return;
        };
        let Some(opened) = &facts.opened else {
            return;
        };
        // Only client events are about one device.
        const CLIENT_EVENTS: u32 = 1;
        if opened.services & CLIENT_EVENTS == 0 {
            return;
        }
        let Some(device) = opened
            .extension
            .clone()
            .or_else(|| opened.instrument.clone())
        else {
            return;
        };
        let key = (facts.peers.server, opened.peripheral, device.clone());
        let before = self.devices.get(&key).copied();
        self.devices.insert(key, number);
        let Some(old) = before
            .filter(|old| *old != number)
            .and_then(|old| around.session(old))
            .filter(|old| old.ended.is_none() && old.close.is_none())
        else {
            return;
        };
        let mut sighting = Sighting::of(
            Code::SessionReplaced,
            seen,
            format!(
                "{} opened for device {device} while the session of {} for it was open",
                facts.peers.client, old.peers.client
            ),
        )
        .group(format!("device {device} taken over by another session"));
        if is_silent(old, seen.info.time) {
            sighting = sighting.severity(Severity::Info);
        }
        out.push(sighting);
    }
}

/// Whether a client has said nothing for its IdleTimeout.
fn is_silent(facts: &SessionFacts, time: Timestamp) -> bool {
    let idle = facts.opened.as_ref().and_then(|opened| opened.idle_timeout);
    let (Some(idle), Some(last)) = (idle, facts.last_client) else {
        return false;
    };
    time >= last.after(Duration::from_secs(u64::from(idle)))
}

impl Detector for Replaced {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if seen.is(types::OPEN_CONF) {
            self.opened(seen, around, out);
            return;
        }
        let is_event = seen.is(types::FAILURE_EVENT);
        if !(is_event || seen.is(types::CLIENT_SESSION_CLOSED_EVENT))
            || seen.raw("Status") != Some(NEW_SESSION)
        {
            return;
        }
        let Some(facts) = around.session(seen.info.peers.session) else {
            return;
        };
        if is_event {
            // What the opening of the other session has told already.
            let newer = around.sessions_of(facts.client_host()).find(|other| {
                other.peers.session > facts.peers.session
                    && other.peers.server == facts.peers.server
                    && other.same_client(facts)
            });
            let by = newer.map_or_else(
                || "a session that was not captured".to_owned(),
                |newer| newer.peers.client.to_string(),
            );
            let mut sighting = Sighting::of(
                Code::SessionReplaced,
                seen,
                format!("session of {} ended in favour of {by}", facts.peers.client),
            )
            .group(format!(
                "{} opened again over its own session",
                facts.client_name()
            ));
            if is_silent(facts, seen.info.time) {
                sighting = sighting.severity(Severity::Info);
            }
            out.push(sighting);
            return;
        }
        let name = seen
            .text("ClientID")
            .or_else(|| seen.text("AgentExtension"));
        let name = name.map_or_else(|| "a client".to_owned(), std::borrow::Cow::into_owned);
        let address = seen.text("ClientAddress").unwrap_or_default();
        out.push(
            Sighting::of(
                Code::SessionReplaced,
                seen,
                format!("session of {name} ({address}) ended in favour of a new one"),
            )
            .group(format!(
                "{name} ({address}) opened again over its own session"
            )),
        );
    }
}
