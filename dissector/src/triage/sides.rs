//! Clients that change sides, and those that use a standby server as if it were active.

use super::pair::is_other_side;
use super::remembered::{Remembered, between, span};
use super::{Code, Context, Detector, SessionFacts, Sighting, Sightings};
use crate::analysis::Seen;
use crate::limits;
use crate::protocol::{Kind, types};
use crate::record::Direction;
use crate::session::Session;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::fmt::Display;
use std::net::IpAddr;

/// SessionType: standby.
const STANDBY: u32 = 2;
/// Changes of side that are too many.
const MANY: usize = 3;
/// Agents and calls under way that the text of a failover names.
const NAMED: usize = 5;
/// Changes of side of a client that are remembered.
const MANY_REMEMBERED: usize = 64;

pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Failovers::default()),
        Box::new(Standby::default()),
        Box::new(super::dual::DualActive::default()),
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
        let known = around.known();
        let agents = UnderWay::of(known.agents.working_at(number, ended).map(str::to_owned));
        let calls = UnderWay::of(known.calls.under_way_at(number, ended));
        let text = format!(
            "{} without a session: S{number} lost with {} logged in and {} under way, S{} open with #{}",
            span(between(ended, arrival.time)),
            agents.words("agent", "agents"),
            calls.words("call", "calls"),
            arrival.session,
            arrival.no
        );
        // It begins with the loss.
        let mut sighting = Sighting::new(Code::SideFailover, ended, text)
            .session(number)
            .and_session(arrival.session)
            .touching(agents.named, calls.named)
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

/// What a session had to do with when it was lost.
struct UnderWay<T> {
    count: usize,
    /// The first of them.
    named: Vec<T>,
}

impl<T: Display> UnderWay<T> {
    fn of(all: impl Iterator<Item = T>) -> Self {
        let mut under_way = Self {
            count: 0,
            named: Vec::new(),
        };
        for one in all {
            under_way.count += 1;
            if under_way.named.len() < limits::MAX_FAILOVER_NAMED {
                under_way.named.push(one);
            }
        }
        under_way
    }

    /// How many, and which.
    fn words(&self, one: &str, many: &str) -> String {
        let noun = if self.count == 1 { one } else { many };
        if self.count == 0 {
            return format!("no {noun}");
        }
        let shown = self.named.iter().take(NAMED);
        let mut names: Vec<String> = shown.map(T::to_string).collect();
        let more = self.count.saturating_sub(names.len());
        if more > 0 {
            names.push(format!("{more} more"));
        }
        format!("{} {noun} ({})", self.count, names.join(", "))
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
