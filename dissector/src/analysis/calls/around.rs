//! What happens around a call: its announcement to an agent, the states of agents on it, peripherals that go offline.

use super::book::{Book, Place};
use super::call::table_value;
use super::desks::News;
use super::party::ConnectionState;
use super::story::{AgentChange, StepKind};
use super::telling::{device_name, fingerprint, sighting, step, teller};
use super::variables;
use crate::analysis::Seen;
use crate::analysis::agents::state;
use crate::protocol::{self, types};

/// Peripherals whose state is remembered.
const MAX_PERIPHERALS: usize = 4096;
/// How long after a call the state of an agent may come that says why it was not answered (nanoseconds).
const LATE: i64 = 5_000_000_000;

/// Whether an agent's new state has the reason that the agent did not answer a call.
pub(in crate::analysis) fn did_not_answer(seen: &Seen<'_>) -> bool {
    let (Some(state), Some(reason)) = (seen.number("AgentState"), seen.number("EventReasonCode"))
    else {
        return false;
    };
    let reason = protocol::reason_on(seen.number("PeripheralType"), reason, state);
    reason.is_some_and(|reason| reason.short == "ring no answer")
}

/// Whether a call that was announced to an agent may still come, in this state of the agent.
const fn may_come(state: u32) -> bool {
    matches!(
        state,
        state::RESERVED | state::TALKING | state::HOLD | state::BUSY_OTHER
    )
}

/// An AgentState by name.
fn state_name(state: u32) -> String {
    let value = table_value("AgentState", state);
    value.map_or_else(|| state.to_string(), |v| v.short.to_owned())
}

impl Book {
    /// AGENT_PRE_CALL_EVENT and what else tells of a call before it has an ID.
    pub(super) fn announced(&mut self, seen: &Seen<'_>) {
        let known = self.find_by_key(seen);
        let abort = seen.is(types::AGENT_PRE_CALL_ABORT_EVENT);
        let call = match known {
            Some(call) => call,
            // Nothing could ever tie an announcement without a key to its call.
            None if seen.number("RouterCallKeyCallID").is_none() => return,
            None => self.begin_call(seen),
        };
        let (call, _) = self.join_by_keys(call, seen);
        let said = variables::said(seen);
        let Some(open) = self.calls.get_mut(&call) else {
            return;
        };
        let key = fingerprint(seen, 0, &said);
        let first = open
            .recent
            .copy_of(key, teller(seen), seen.info.time, seen.info.no);
        if let Some(copy) = first {
            if let Some(told) = open.step_of(copy.no) {
                told.sightings.push(sighting(seen));
            }
            self.touch(call, seen);
            return;
        }
        let mut step = step(seen, StepKind::Event, None, self.options.stories);
        step.settings = open.variables.apply(&said, false, None);
        super::events::first_data(open, seen);
        // Announced anew, it may come after all.
        open.aborted = abort;
        let device = device_name(seen, "AgentInstrument");
        let place = Place { call, leg: 0 };
        step.to = self.party_for(place, device.as_deref(), seen);
        if abort {
            step.notes
                .push("the announced call does not come".to_owned());
        }
        self.add_step(call, step);
        self.touch(call, seen);
    }

    /// The state of an agent changed: part of the story of the call that the agent's device is on.
    pub(super) fn agent(&mut self, seen: &Seen<'_>, news: News) {
        match news {
            News::Copy { call, of } => {
                let Some(call) = self.resolve(call) else {
                    return;
                };
                let told = self.calls.get_mut(&call);
                if let Some(step) = told.and_then(|open| open.step_of(of)) {
                    step.sightings.push(sighting(seen));
                }
                self.touch(call, seen);
            }
            News::Change(new) => {
                let Some(call) = self.call_at(&new.device) else {
                    return;
                };
                let lost = &self.lost;
                let Some(open) = self.calls.get_mut(&call) else {
                    return;
                };
                let Some(party) = open.parties.find(&new.device) else {
                    return;
                };
                let Some(tracked) = open.parties.list.get_mut(party) else {
                    return;
                };
                if tracked.party.agent.is_none() {
                    tracked.party.agent = Some(new.agent.clone());
                }
                let connection = tracked.state();
                let rings = connection == Some(ConnectionState::Alerting);
                let rang = tracked.party.answered.is_none()
                    && tracked.party.began.is_some()
                    && tracked.state_for(seen.info.time) <= LATE;
                if open.legs.is_empty() && new.from == Some(state::RESERVED) && !may_come(new.to) {
                    open.aborted = true;
                }
                if did_not_answer(seen) && (rings || rang) {
                    open.missed(Some(party));
                }
                let over = !open.legs.is_empty() && open.is_over(lost);
                let gone = over || connection == Some(ConnectionState::Cleared);
                let mut step = step(seen, StepKind::Agent, None, self.options.stories);
                step.from = Some(party);
                step.details.clear();
                step.agent = Some(AgentChange {
                    agent: new.agent,
                    from: new.from.map(state_name),
                    to: state_name(new.to),
                    reason: new.reason,
                    held_nanos: new.held_nanos,
                });
                let before = open.due;
                self.desks.attach(&new.device, seen.info.no, call);
                self.add_step(call, step);
                self.touch(call, seen);
                if gone {
                    // What the agent does after the call is told once, and keeps the call no longer.
                    self.device_left(&new.device, call, before);
                }
            }
        }
    }

    /// SYSTEM_EVENT: peripherals that go offline end their calls, which may go on all the same.
    pub(super) fn system(&mut self, seen: &Seen<'_>) {
        /// SystemEventID PERIPHERAL_ONLINE and PERIPHERAL_OFFLINE.
        const ONLINE: u32 = 3;
        const OFFLINE: u32 = 4;
        let Some(peripheral) = seen.raw("SystemEventArg1") else {
            return;
        };
        match seen.number("SystemEventID") {
            Some(OFFLINE) if self.offline.len() < MAX_PERIPHERALS => {
                self.offline.insert(peripheral);
            }
            Some(ONLINE) => {
                self.offline.remove(&peripheral);
            }
            _ => {}
        }
    }
}
