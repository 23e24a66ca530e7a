//! Clients that change sides, and pairs whose sides both, or neither, work.

use super::pair::{is_other_side, server_name};
use super::remembered::{Deferred, Remembered, between, span};
use super::{Code, Context, Detector, SessionFacts, Sighting, Sightings};
use crate::analysis::Seen;
use crate::protocol::{Kind, types};
use crate::record::Direction;
use crate::session::Session;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// SessionType: active.
const ACTIVE: u32 = 1;
/// SessionType: standby.
const STANDBY: u32 = 2;
/// Changes of side that are too many.
const MANY: usize = 3;
/// Changes of side of a client that are remembered.
const MANY_REMEMBERED: usize = 64;
/// Silence of a side after which it no longer works beside the other one.
const SILENT: Duration = Duration::from_secs(60);

pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Failovers::default()),
        Box::new(Standby::default()),
        Box::new(DualActive::default()),
    ]
}

/// Clients that lose one side and open at the other.
#[derive(Debug, Default)]
struct Failovers {
    /// Changes of side of each client.
    changes: Remembered<(IpAddr, Option<String>), VecDeque<Timestamp>>,
    /// Sessions whose loss was told.
    told: Remembered<u32, ()>,
}

/// A client that became active at a server: its session, the message that said so, and when.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    session: u32,
    no: u64,
    time: Timestamp,
}

impl Failovers {
    /// A client arrived: did it come from the other side?
    fn arrived(&mut self, arrival: Arrival, around: &Context, out: &mut Sightings) {
        let Some(facts) = around.session(arrival.session) else {
            return;
        };
        let within = around.thresholds().failover;
        let left = around
            .sessions_of(facts.client_host())
            .filter(|old| is_lost(old, around) && is_move(old, facts))
            .filter_map(|old| Some((old.ended?, old)))
            .filter(|(ended, _)| *ended <= arrival.time && arrival.time <= ended.after(within))
            .max_by_key(|(ended, old)| (*ended, old.peers.session));
        if let Some((ended, old)) = left {
            self.tell(old, ended, arrival, around, out);
        }
    }

    fn tell(
        &mut self,
        old: &SessionFacts,
        ended: Timestamp,
        arrival: Arrival,
        around: &Context,
        out: &mut Sightings,
    ) {
        let Some(facts) = around.session(arrival.session) else {
            return;
        };
        // It may have been there already.
        let here_before = around.sessions_of(facts.client_host()).any(|other| {
            let granted = other.granted.as_ref().map(|granted| granted.time);
            other.peers.session != arrival.session
                && other.peers.server == facts.peers.server
                && other.same_client(facts)
                && granted.is_some_and(|at| at <= arrival.time && at >= ended)
        });
        let number = old.peers.session;
        if here_before || around.handover(ended) || self.told.get(&number).is_some() {
            return;
        }
        self.told.insert(number, ());
        let text = format!(
            "{} without a session, S{number} to S{}",
            span(between(ended, arrival.time)),
            arrival.session
        );
        // It begins with the loss.
        let mut sighting = Sighting::new(Code::SideFailover, ended, text)
            .session(number)
            .message(arrival.no, around)
            .group(format!(
                "{} went from {} to {}",
                facts.client_name(),
                old.server_name(),
                facts.server_name()
            ));
        let agent = facts
            .opened
            .as_ref()
            .and_then(|opened| opened.agent.clone());
        if let Some(agent) = agent {
            sighting = sighting.agent(agent);
        }
        out.push(sighting);
        self.changed(facts, arrival, around, out);
    }

    fn changed(
        &mut self,
        facts: &SessionFacts,
        arrival: Arrival,
        around: &Context,
        out: &mut Sightings,
    ) {
        let key = (facts.client_host(), facts.client_id().map(str::to_owned));
        let changes = self.changes.entry(key);
        let at = changes.partition_point(|other| *other <= arrival.time);
        changes.insert(at, arrival.time);
        let window = around.thresholds().pingpong;
        let last = changes.back().copied().unwrap_or(arrival.time);
        while changes.len() > MANY_REMEMBERED
            || changes
                .front()
                .is_some_and(|first| last > first.after(window))
        {
            changes.pop_front();
        }
        if changes.len() < MANY {
            return;
        }
        let text = format!(
            "side change number {} within {}",
            changes.len(),
            span(window)
        );
        out.push(
            Sighting::new(Code::FailoverPingpong, arrival.time, text)
                .session(arrival.session)
                .message(arrival.no, around)
                .group(format!("{} goes from side to side", facts.client_name())),
        );
    }
}

/// Whether one session may go on in another one, at the other side.
fn is_move(old: &SessionFacts, new: &SessionFacts) -> bool {
    is_other_side(old.peers.server, new.peers.server) && old.same_client(new)
}

/// Whether a session was there and ended, but for a wish of its client.
fn is_lost(facts: &SessionFacts, around: &Context) -> bool {
    let was_open = facts.granted.is_some() || facts.opened.is_none();
    let by_wish = facts.close.is_some_and(|(status, _)| status == 0);
    let standby = facts
        .granted
        .as_ref()
        .is_some_and(|granted| granted.session_type == Some(STANDBY));
    // Several users of one host cannot be told apart without their OPEN_REQ.
    let unknown = |facts: &SessionFacts| facts.opened.is_none();
    let alone = !unknown(facts)
        || around
            .sessions_of(facts.client_host())
            .filter(|other| unknown(other))
            .count()
            == 1;
    was_open && !by_wish && !standby && alone && facts.stopping.is_none() && facts.end.is_some()
}

impl Detector for Failovers {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let takes_over = seen.is(types::STANDBY_ACTIVE_EVENT_MSG);
        if takes_over || (seen.is(types::OPEN_CONF) && seen.number("SessionType") != Some(STANDBY))
        {
            let arrival = Arrival {
                session: seen.info.peers.session,
                no: seen.info.no,
                time: seen.info.time,
            };
            self.arrived(arrival, around, out);
        }
    }

    /// The end of the old session may be told after the beginning of the new one, when the capture lacks something.
    fn ended(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        let Some(old) = around.session(session.peers.session) else {
            return;
        };
        let Some(ended) = old.ended.filter(|_| is_lost(old, around)) else {
            return;
        };
        let until = ended.after(around.thresholds().failover);
        let arrival = around
            .sessions_of(old.client_host())
            .filter(|new| is_move(old, new))
            .filter_map(|new| {
                let granted = new.granted.as_ref()?;
                let active = granted.session_type != Some(STANDBY);
                let in_time = granted.time >= ended && granted.time <= until;
                (active && in_time).then_some(Arrival {
                    session: new.peers.session,
                    no: granted.no,
                    time: granted.time,
                })
            })
            .min_by_key(|arrival| (arrival.time, arrival.session));
        if let Some(arrival) = arrival {
            self.tell(old, ended, arrival, around, out);
        }
    }
}

/// Sessions with a standby server that are used as if it were active.
#[derive(Debug, Default)]
struct Standby {
    /// Sessions that have become active since.
    active: Remembered<u32, ()>,
}

impl Detector for Standby {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let info = seen.info;
        let session = info.peers.session;
        if seen.is(types::STANDBY_ACTIVE_EVENT_MSG) {
            self.active.insert(session, ());
            return;
        }
        let is_request = info.direction == Direction::ClientToServer
            && info
                .message
                .is_some_and(|message| message.kind == Kind::Request);
        if !is_request
            || seen.is(types::OPEN_REQ)
            || seen.is(types::HEARTBEAT_REQ)
            || seen.is(types::CLOSE_REQ)
            || self.active.get(&session).is_some()
        {
            return;
        }
        let Some(facts) = around.session(session) else {
            return;
        };
        let standby = facts
            .granted
            .as_ref()
            .is_some_and(|granted| granted.session_type == Some(STANDBY));
        // Bytes that are missing may have said that the standby takes over.
        if !standby || !facts.breaks.is_empty() {
            return;
        }
        out.push(
            Sighting::of(
                Code::RequestOnStandby,
                seen,
                format!("{} on a standby session", seen.name()),
            )
            .group(format!(
                "{} asks {}, which is standby",
                facts.client_name(),
                facts.server_name()
            )),
        );
    }
}

/// What one server said of a peripheral.
#[derive(Debug, Clone, Copy)]
struct Voice {
    server: SocketAddr,
    last: Timestamp,
    session: u32,
}

/// Two servers about one peripheral.
#[derive(Debug, Default)]
struct Voices {
    one: Option<Voice>,
    other: Option<Voice>,
    /// Since when they take turns.
    since: Option<Timestamp>,
    told: bool,
}

/// Two sessions that were both told to be active.
#[derive(Debug)]
struct Both {
    old: u32,
    new: u32,
    sighting: Sighting,
}

/// Pairs of which both sides are active.
#[derive(Debug, Default)]
struct DualActive {
    peripherals: Remembered<u32, Voices>,
    both: Deferred<Both>,
}

impl DualActive {
    fn heard(&mut self, peripheral: u32, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let info = seen.info;
        let time = info.time;
        let voice = Voice {
            server: info.peers.server,
            last: time,
            session: info.peers.session,
        };
        let voices = self.peripherals.entry(peripheral);
        let is_one = voices.one.is_none_or(|one| one.server == voice.server);
        let (own, other) = if is_one {
            (&mut voices.one, voices.other)
        } else {
            (&mut voices.other, voices.one)
        };
        if own.is_some_and(|own| {
            own.server != voice.server && !is_other_side(own.server, voice.server)
        }) {
            return;
        }
        *own = Some(voice);
        let Some(other) = other.filter(|other| is_other_side(other.server, voice.server)) else {
            return;
        };
        if time > other.last.after(SILENT) {
            voices.since = None;
            voices.told = false;
            return;
        }
        let since = *voices.since.get_or_insert(time);
        let overlap = between(since, other.last.min(time));
        if voices.told || overlap < around.thresholds().dual_active || around.handover(time) {
            return;
        }
        voices.told = true;
        out.push(
            Sighting::of(
                Code::DualActive,
                seen,
                format!(
                    "{} and {} both send events of peripheral {peripheral}, for {} already (S{}, S{})",
                    server_name(other.server),
                    server_name(voice.server),
                    span(overlap),
                    other.session,
                    voice.session
                ),
            )
            .group(format!("peripheral {peripheral} on both sides")),
        );
    }

    fn opened(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let peers = seen.info.peers;
        let old = around.sessions().find(|facts| {
            facts.is_open()
                && is_other_side(facts.peers.server, peers.server)
                && facts
                    .granted
                    .as_ref()
                    .is_some_and(|g| g.session_type == Some(ACTIVE))
        });
        let Some(old) = old.filter(|_| !around.handover(seen.info.time)) else {
            return;
        };
        let text = format!(
            "{} and {} both say that they are active",
            old.server_name(),
            server_name(peers.server)
        );
        let both = Both {
            old: old.peers.session,
            new: peers.session,
            sighting: Sighting::of(Code::DualActive, seen, text.clone()).group(text),
        };
        let _ = out;
        // Where there are thousands, the first ones have told it.
        let _ = self.both.push(both);
    }
}

impl Detector for DualActive {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if seen.info.direction != Direction::ServerToClient {
            return;
        }
        if seen.is(types::OPEN_CONF) {
            if seen.number("SessionType") == Some(ACTIVE) {
                self.opened(seen, around, out);
            }
            return;
        }
        let is_event = seen
            .info
            .message
            .is_some_and(|message| message.kind == Kind::Event);
        let name = seen.name();
        let tells = name == "AGENT_STATE_EVENT"
            || name.starts_with("CALL_")
            || name == "BEGIN_CALL_EVENT"
            || name == "END_CALL_EVENT";
        if is_event
            && tells
            && let Some(peripheral) = seen.number("PeripheralID")
        {
            self.heard(peripheral, seen, around, out);
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        let wait = around.thresholds().dual_active;
        for both in self.both.take() {
            // The old session may have been dead already, and its end not yet seen.
            let until = both.sighting.time.after(wait);
            let lived = |number: u32| {
                around
                    .session(number)
                    .is_some_and(|facts| facts.last_server.is_some_and(|last| last >= until))
            };
            if lived(both.old) && lived(both.new) && !around.handover(until) {
                out.push(both.sighting);
            }
        }
    }
}
