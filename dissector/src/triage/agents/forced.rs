//! Agents that the system puts out of work, alone or many at once.

use super::login;
use crate::analysis::Seen;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known::{self, Ask, Change};
use crate::triage::{Code, Context, Detector, Sighting, Sightings, hints, thresholds};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Agents that are looked at together.
const MAX_BURST: usize = limits::MAX_TRIAGE_KEPT;
/// Latest requests that may explain a change.
const MAX_ASKS: usize = limits::MAX_TOUCHED;
/// EventReasonCode of a NOT_READY because routed calls did not arrive.
const NOT_ARRIVING: u32 = 50_010;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Forced::default()), Box::new(NotArriving)]
}

/// Whether the system set this reason against the agent's will. Those that tell of the agent's own calls (50005, 50006, 32762, 51004) or of a
/// call that was not taken (32767, 50010) are no such reasons, or have findings of their own.
const fn is_forced(peripheral_type: u32, to: u32, reason: u32) -> bool {
    if peripheral_type == hints::CCX {
        return match to {
            known::LOGOUT => matches!(reason, 22 | 32_741 | 32_757 | 32_759 | 32_764 | 32_765),
            known::NOT_READY => matches!(reason, 33 | 32_757 | 32_759 | 32_764 | 32_765),
            _ => false,
        };
    }
    match to {
        known::LOGOUT => matches!(
            reason,
            999 | 20_002..=20_003
                | 50_001..=50_004
                | 50_020
                | 50_030
                | 50_040
                | 50_042
                | 65_533..=65_535
        ),
        known::NOT_READY => matches!(reason, 999 | 20_001 | 20_003 | 50_002 | 50_041),
        _ => false,
    }
}

/// Agents that are put out by the system.
#[derive(Debug, Default)]
struct Forced {
    /// Those of the last seconds by reason, in order of time; told when no more can belong to them.
    bursts: BTreeMap<u32, Burst>,
    /// Latest requests for a state.
    asks: VecDeque<Ask>,
    /// Bursts so far.
    told: u32,
}

#[derive(Debug, Default)]
struct Burst {
    /// The reason, in words.
    said: String,
    list: VecDeque<(Timestamp, Sighting)>,
    /// It is known to be a burst: the heading of its finding.
    heading: Option<String>,
}

impl Forced {
    fn due(&mut self, around: &Context, everything: bool, out: &mut Sightings) {
        let thresholds = around.thresholds();
        let seen_agents = around.known().agents.len();
        let mut told = self.told;
        for burst in self.bursts.values_mut() {
            let now = around.now();
            let agents: BTreeSet<&String> = burst
                .list
                .iter()
                .filter_map(|(_, s)| s.agent.as_ref())
                .collect();
            let share = agents.len().saturating_mul(100) / seen_agents.max(1);
            let many = thresholds::reaches(agents.len(), thresholds.mass_agents)
                || (thresholds::reaches(agents.len(), thresholds.mass_least)
                    && thresholds::reaches(share, thresholds.mass_percent));
            if many && burst.heading.is_none() {
                told += 1;
                let again = if told == 1 {
                    String::new()
                } else {
                    format!(" (time {told})")
                };
                let said = burst.said.clone();
                burst.heading = Some(format!("many agents put out at once: {said}{again}"));
            }
            if let Some(heading) = &burst.heading {
                for (_, sighting) in burst.list.iter_mut() {
                    if sighting.code == Code::ForcedOut {
                        let mut copy = sighting.clone();
                        copy.code = Code::MassLogout;
                        copy.severity = Code::MassLogout.severity();
                        copy.group.clone_from(heading);
                        out.push(copy);
                        // Kept for the count of the burst; it is told.
                        sighting.code = Code::MassLogout;
                    }
                }
            }
            while burst
                .list
                .front()
                .is_some_and(|(time, _)| everything || now > time.after(thresholds.mass_window))
            {
                if let Some((_, sighting)) = burst.list.pop_front()
                    && sighting.code == Code::ForcedOut
                {
                    out.push(sighting);
                }
            }
            if burst.list.is_empty() {
                burst.heading = None;
            }
        }
        self.told = told;
        self.bursts.retain(|_, burst| !burst.list.is_empty());
    }

    fn was_asked_for(&self, change: &Change, around: &Context) -> bool {
        self.asks.iter().rev().any(|ask| {
            ask.agent.as_ref() == Some(&change.agent)
                && login::explains(ask, change)
                && change.time <= ask.time.after(around.thresholds().own_request)
        })
    }
}

impl Detector for Forced {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if !self.bursts.is_empty() {
            self.due(around, false, out);
        }
        if seen.is(types::SET_AGENT_STATE_REQ) {
            if let Some(ask) = around.known().asked.get(seen.info.no) {
                if self.asks.len() >= MAX_ASKS {
                    self.asks.pop_front();
                }
                self.asks.push_back(ask.clone());
            }
            return;
        }
        let Some(change) = around.known().agents.change() else {
            return;
        };
        if !is_forced(change.peripheral_type, change.to, change.reason)
            || !change.is_fresh()
            || self.was_asked_for(change, around)
        {
            return;
        }
        let to = known::agent_state(change.to);
        let phone = change
            .phone
            .as_ref()
            .map_or_else(String::new, |p| format!(", phone {p}"));
        let from = change.from.map_or_else(String::new, |(s, _)| {
            format!(", was {}", known::agent_state(s))
        });
        let said = hints::reason(change.peripheral_type, change.reason, change.to);
        let mut sighting = Sighting::of(
            Code::ForcedOut,
            seen,
            format!("agent {}{phone}: {to}{from}", change.agent),
        )
        .group(format!("put out by the system: {said}"))
        .agent(change.agent.clone());
        sighting.hint = hints::reason_hint(change.peripheral_type, change.reason, change.to);
        let burst = self.bursts.entry(change.reason).or_default();
        burst.said = said;
        if burst.list.len() >= MAX_BURST {
            burst.list.pop_front();
        }
        burst.list.push_back((change.time, sighting));
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        self.due(around, true, out);
    }
}

/// Agents to whom routed calls do not get through.
#[derive(Debug)]
struct NotArriving;

impl Detector for NotArriving {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let Some(change) = around.known().agents.change() else {
            return;
        };
        if change.to != known::NOT_READY || change.reason != NOT_ARRIVING || !change.is_fresh() {
            return;
        }
        let phone = change
            .phone
            .as_ref()
            .map_or_else(String::new, |p| format!(" at phone {p}"));
        out.push(
            Sighting::of(
                Code::CallsNotArriving,
                seen,
                format!("agent {}{phone} made NOT_READY (50010)", change.agent),
            )
            .group("routed calls do not get through to agents")
            .agent(change.agent.clone()),
        );
    }
}
