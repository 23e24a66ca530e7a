//! Agents, calls and requests as all sessions together show them. Kept in one place, so that every detector sees the same and the same event
//! in several sessions counts once.

mod agents;
mod asked;
#[cfg(test)]
mod bench;
mod call;
mod calls;

pub(super) use agents::{Agents, Change};
pub(super) use asked::{Ask, Asked};
pub(super) use call::{ALERTING, CLEARED, CONNECTED, Call, FAILED, carries_data};
pub(super) use calls::{CallKey, Calls};

use crate::analysis::Seen;
use crate::limits;
use crate::protocol::{self, Kind, roles, types};
use crate::record::Direction;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// LOGIN of AgentState.
pub(super) const LOGIN: u32 = 0;
/// LOGOUT of AgentState.
pub(super) const LOGOUT: u32 = 1;
/// NOT_READY of AgentState.
pub(super) const NOT_READY: u32 = 2;
/// AVAILABLE of AgentState.
pub(super) const AVAILABLE: u32 = 3;
/// TALKING of AgentState.
pub(super) const TALKING: u32 = 4;
/// WORK_NOT_READY of AgentState.
pub(super) const WORK_NOT_READY: u32 = 5;
/// WORK_READY of AgentState.
pub(super) const WORK_READY: u32 = 6;
/// RESERVED of AgentState.
pub(super) const RESERVED: u32 = 8;
/// HOLD of AgentState.
pub(super) const HOLD: u32 = 10;

/// SYS_PERIPHERAL_ONLINE of SystemEventID.
pub(super) const PERIPHERAL_ONLINE: u32 = 3;
/// SYS_PERIPHERAL_OFFLINE of SystemEventID.
pub(super) const PERIPHERAL_OFFLINE: u32 = 4;

/// CEC_CALL_PARTY_UPDATE_IND and CEC_SNAPSHOT of EventCause: what is, told again after a failover.
const REBUILDS: [u32; 2] = [50, 61];

/// Whether an event tells again what is, rather than what happens.
pub(super) fn rebuilds(seen: &Seen<'_>) -> bool {
    let cause = seen.number("EventCause");
    cause.is_some_and(|cause| REBUILDS.contains(&cause))
}

/// PeripheralType of Unified CCE's agent peripherals.
pub(super) const ENTERPRISE_AGENT: u32 = 17;

/// PeripheralTypes of VRUs, which send no events about connections.
pub(super) const VRUS: [u32; 2] = [8, 9];

/// Media routing domain of voice.
pub(super) const VOICE: u32 = 1;

/// Longest text that is kept, in characters: no name or number of the protocol is longer, and a capture may claim anything.
const LONGEST: usize = 64;

/// A text of a message to keep, cut to what a name can be.
pub(super) fn text(seen: &Seen<'_>, name: &str) -> Option<String> {
    Some(cut(&seen.text(name)?))
}

/// The first of several texts that a message has.
pub(super) fn first_text(seen: &Seen<'_>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text(seen, name))
}

/// The agent that a message names.
pub(super) fn agent_of(seen: &Seen<'_>) -> Option<String> {
    first_text(seen, &["AgentID", "AgentIDLong"])
}

/// Text cut to what a name can be.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The name of an AgentState.
pub(super) fn agent_state(state: u32) -> String {
    named("AgentState", state).map_or_else(|| format!("in state {state}"), str::to_owned)
}

/// The name of a LocalConnectionState, where it says something.
pub(super) fn connection_state(state: u32) -> Option<&'static str> {
    named("LocalConnectionState", state).filter(|_| state != 0xFFFF)
}

/// The short name of a value in a table.
pub(super) fn named(table: &str, value: u32) -> Option<&'static str> {
    Some(protocol::value_table(table)?.get(value)?.short)
}

/// What is known of agents, calls and requests.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) agents: Agents,
    pub(super) calls: Calls,
    pub(super) asked: Asked,
    /// Peripherals that went offline: whether they are, and when that changed last.
    lost: BTreeMap<u32, (bool, Timestamp)>,
}

impl Known {
    /// Takes note of a message. Afterwards the agents tell whether it brought a change, the calls which event it was.
    pub(super) fn message(&mut self, seen: &Seen<'_>) {
        self.agents.clear_change();
        self.calls.clear_event();
        let Some(message) = seen.info.message else {
            return;
        };
        match message.number {
            types::SYSTEM_EVENT => self.system(seen),
            types::AGENT_STATE_EVENT => self.agents.event(seen),
            types::QUERY_AGENT_STATE_CONF => {
                let ask = seen.info.answers.and_then(|a| self.asked.get(a.request.no));
                self.agents.snapshot(seen, ask);
            }
            // Most of all requests, and about nobody.
            roles::OPEN_REQ | roles::HEARTBEAT_REQ | types::QUERY_SKILL_GROUP_STATISTICS_REQ => {}
            _ if message.kind == Kind::Request
                && seen.info.direction == Direction::ClientToServer =>
            {
                self.asked.message(seen, &self.agents, &self.calls);
            }
            _ if message.kind == Kind::Event
                && seen.info.direction == Direction::ServerToClient =>
            {
                self.calls.event(seen);
            }
            _ => {}
        }
    }

    /// Whether a peripheral is offline, or was until so long before a time: its calls and agents are told anew then, as if they began.
    pub(super) fn is_rebuilt(&self, peripheral: u32, time: Timestamp, recovery: Duration) -> bool {
        let lost = self.lost.get(&peripheral);
        lost.is_some_and(|(down, since)| *down || time <= since.after(recovery))
    }

    fn system(&mut self, seen: &Seen<'_>) {
        let Some(peripheral) = seen.raw("SystemEventArg1") else {
            return;
        };
        let offline = match seen.raw("SystemEventID") {
            Some(PERIPHERAL_OFFLINE) => true,
            Some(PERIPHERAL_ONLINE) => false,
            _ => return,
        };
        if let Some((down, since)) = self.lost.get_mut(&peripheral) {
            if *down != offline {
                (*down, *since) = (offline, seen.info.time);
            }
        } else if offline && self.lost.len() < limits::MAX_TRIAGE_KEPT {
            self.lost.insert(peripheral, (true, seen.info.time));
        }
    }
}
