//! Changes of agents as such: to and fro, told late, told too often.

use crate::analysis::Seen;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, thresholds, words};
use std::collections::{BTreeMap, VecDeque};

/// Agents of which each detector remembers something.
const MAX_KEPT: usize = limits::MAX_TRIAGE_KEPT;
/// Servers whose late events are counted.
const MAX_SERVERS: usize = 256;
/// Changes of one agent that are counted.
const MAX_CHANGES: usize = 64;
/// EventReasonCode: NOT_READY for the moment of placing a call.
const PLACES_CALL: u32 = 50_006;
/// CTI_SERVICE_IGNORE_DUPLICATE_AGENT_EVENTS.
const NO_DUPLICATES: u32 = 0x0010_0000;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Flapping::default()),
        Box::new(Late::default()),
        Box::new(Duplicates),
    ]
}

/// Agents that go to and fro between AVAILABLE and NOT_READY.
#[derive(Debug, Default)]
struct Flapping {
    /// By peripheral and agent.
    changes: BTreeMap<(u32, String), VecDeque<Timestamp>>,
}

impl Detector for Flapping {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let Some(change) = around.known().agents.change() else {
            return;
        };
        let key = (change.peripheral, change.agent.clone());
        let flips = matches!(change.to, known::AVAILABLE | known::NOT_READY)
            && matches!(
                change.from,
                Some((known::AVAILABLE | known::NOT_READY, _))
            )
            // Another reason for the same state is no flip, and a call placed or a failover none of the agent's doing.
            && change.from.is_none_or(|(state, _)| state != change.to)
            && change.reason != PLACES_CALL
            && change.from.is_none_or(|(_, reason)| reason != PLACES_CALL)
            && !around.is_rebuilt(change.peripheral, change.time);
        if !flips {
            self.changes.remove(&key);
            return;
        }
        if self.changes.len() >= MAX_KEPT && !self.changes.contains_key(&key) {
            self.changes.pop_first();
        }
        let changes = self.changes.entry(key).or_default();
        let window = around.thresholds().agent_flap_window;
        changes.push_back(change.time);
        while changes.len() > MAX_CHANGES
            || changes
                .front()
                .is_some_and(|first| first.after(window) < change.time)
        {
            changes.pop_front();
        }
        if !thresholds::reaches(changes.len(), around.thresholds().agent_flaps) {
            return;
        }
        let span = changes
            .front()
            .map_or(0, |first| change.time.nanos_since(*first));
        let times = changes.len();
        changes.clear();
        let span = words::span(span);
        out.push(
            Sighting::of(
                Code::StateFlapping,
                seen,
                format!(
                    "{times} changes between AVAILABLE and NOT_READY in {span}, without a call"
                ),
            )
            .group(format!("agent {} goes to and fro", change.agent))
            .agent(change.agent.clone()),
        );
    }
}

/// Events that tell of changes some time ago.
#[derive(Debug, Default)]
struct Late {
    /// Late ones by server.
    late: BTreeMap<std::net::SocketAddr, VecDeque<(Timestamp, Sighting)>>,
    /// Agents by session that were told of before.
    told: BTreeMap<(u32, String), ()>,
}

impl Detector for Late {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if !seen.is(types::AGENT_STATE_EVENT) {
            return;
        }
        let Some(agent) = known::agent_of(seen) else {
            return;
        };
        if self.told.len() >= MAX_KEPT {
            self.told.pop_first();
        }
        let session = seen.info.peers.session;
        let is_first = self.told.insert((session, agent), ()).is_none();
        let Some(change) = around.known().agents.change() else {
            return;
        };
        let thresholds = around.thresholds();
        let late = u64::from(change.duration) >= thresholds.late_state.as_secs();
        if is_first
            || !late
            || change.from.is_none()
            || around.is_rebuilt(change.peripheral, change.time)
        {
            return;
        }
        let server = seen.info.peers.server;
        if self.late.len() >= MAX_SERVERS && !self.late.contains_key(&server) {
            self.late.pop_first();
        }
        let list = self.late.entry(server).or_default();
        list.push_back((
            change.time,
            Sighting::of(
                Code::LateStateEvent,
                seen,
                format!(
                    "agent {} {} told {} s after the change",
                    change.agent,
                    known::agent_state(change.to),
                    change.duration
                ),
            )
            .group(format!("{server} tells of agents late"))
            .agent(change.agent.clone()),
        ));
        while list.len() > MAX_CHANGES
            || list
                .front()
                .is_some_and(|(first, _)| first.after(thresholds.late_window) < change.time)
        {
            list.pop_front();
        }
        if thresholds::reaches(list.len(), thresholds.late_states) {
            for (_, sighting) in list.drain(..) {
                out.push(sighting);
            }
        }
    }
}

/// Changes that are told to one client again and again.
#[derive(Debug)]
struct Duplicates;

impl Detector for Duplicates {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let Some(repeat) = around.known().agents.repeat() else {
            return;
        };
        let thresholds = around.thresholds();
        if u64::from(repeat.times) != thresholds.duplicates
            || seen.info.time > repeat.since.after(thresholds.duplicate_window)
            || around.recovering(seen.info.time)
        {
            return;
        }
        let facts = around.session(seen.info.peers.session);
        let suppressed = facts
            .and_then(|f| f.granted.as_ref())
            .is_some_and(|g| g.services & NO_DUPLICATES != 0);
        let agent = known::agent_of(seen).unwrap_or_default();
        let state = seen
            .raw("AgentState")
            .map_or_else(String::new, known::agent_state);
        let mut sighting = Sighting::of(
            Code::DuplicateAgentEvents,
            seen,
            format!("agent {agent} {state} told {} times", repeat.times),
        )
        .group(format!(
            "S{} is told the same of agents again and again",
            seen.info.peers.session
        ))
        .agent(agent.clone());
        if suppressed {
            sighting.hint =
                Some("although the session asked the server to leave repeats out".to_owned());
        }
        out.push(sighting);
    }
}
