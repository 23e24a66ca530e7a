//! What requests asked for, until their answers are judged.

use super::{Agents, Calls};
use crate::analysis::Seen;
use crate::limits;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// A request that concerns an agent, a phone or a call.
#[derive(Debug, Clone)]
pub(in crate::triage) struct Ask {
    /// When it was sent.
    pub time: Timestamp,
    /// Its session.
    pub session: u32,
    /// PeripheralID.
    pub peripheral: Option<u32>,
    /// The agent it names, or the one at the phone that it names.
    pub agent: Option<String>,
    /// The phone it names.
    pub phone: Option<String>,
    /// The call it is about: the active one, where it names two.
    pub call: Option<u32>,
    /// AgentState asked for.
    pub state: Option<u32>,
    /// EventReasonCode given.
    pub reason: Option<u32>,
    /// ForcedFlag.
    pub forced: Option<u32>,
    /// Whether the agent was known at that time, and in which state.
    pub agent_state: Option<u32>,
    /// State of the connection at that time (LocalConnectionState).
    pub connection_state: Option<u32>,
}

impl Ask {
    fn of(seen: &Seen<'_>, agents: &Agents, calls: &Calls) -> Self {
        let text = |names: &[&str]| super::first_text(seen, names);
        let number = |names: &[&str]| names.iter().find_map(|name| seen.number(name));
        let peripheral = seen.number("PeripheralID");
        let named = text(&["AgentID", "AgentIDLong"]);
        // A remote agent's instrument has the phone number behind a semicolon.
        let phone = text(&["AgentInstrument", "AgentExtension"])
            .map(|p| p.split(';').next().unwrap_or_default().to_owned());
        let call = number(&[
            "ConnectionCallID",
            "ActiveConnectionCallID",
            "HeldConnectionCallID",
            "AgentConnectionCallID",
        ]);
        let connection = text(&[
            "ConnectionDeviceID",
            "ActiveConnectionDeviceID",
            "HeldConnectionDeviceID",
            "AgentConnectionDeviceID",
        ]);
        let at_phone = || phone.as_deref().or(connection.as_deref());
        let agent = named.or_else(|| agents.at(peripheral, at_phone()?).map(str::to_owned));
        let agent_state = agent
            .as_deref()
            .and_then(|agent| agents.state(peripheral, agent));
        let connection_state = call.zip(connection.as_deref()).and_then(|(call, device)| {
            let leg = calls.get(peripheral, call)?.leg(device)?;
            Some(leg.state)
        });
        Self {
            time: seen.info.time,
            session: seen.info.peers.session,
            peripheral,
            agent,
            phone,
            call,
            state: seen.raw("AgentState"),
            reason: seen.raw("EventReasonCode"),
            forced: seen.raw("ForcedFlag"),
            agent_state,
            connection_state,
        }
    }

    /// Whom or what it is about, in words; empty when it says nothing of that.
    pub(in crate::triage) fn about(&self) -> String {
        let mut parts = Vec::new();
        if let Some(agent) = &self.agent {
            parts.push(format!("agent {agent}"));
        }
        if let Some(phone) = self
            .phone
            .as_ref()
            .filter(|p| Some(*p) != self.agent.as_ref())
        {
            parts.push(format!("phone {phone}"));
        }
        if let Some(call) = self.call {
            parts.push(format!("call {call}"));
        }
        parts.join(", ")
    }

    /// What is known of the states at the time of the request, in words.
    pub(in crate::triage) fn states(&self) -> Option<String> {
        let agent = self
            .agent_state
            .map(|state| format!("the agent was {}", super::agent_state(state)));
        let connection = self
            .connection_state
            .and_then(super::connection_state)
            .map(|name| format!("the connection was {name}"));
        match (agent, connection) {
            (Some(agent), Some(connection)) => Some(format!("{agent}, {connection}")),
            (one, other) => one.or(other),
        }
    }
}

/// The latest requests by the numbers of their messages.
#[derive(Debug, Default)]
pub(in crate::triage) struct Asked {
    asks: BTreeMap<u64, Ask>,
}

impl Asked {
    /// What a request asked for, if it is one of the latest [`limits::MAX_TRIAGE_REQUESTS`].
    pub(in crate::triage) fn get(&self, no: u64) -> Option<&Ask> {
        self.asks.get(&no)
    }

    pub(super) fn message(&mut self, seen: &Seen<'_>, agents: &Agents, calls: &Calls) {
        if self.asks.len() >= limits::MAX_TRIAGE_REQUESTS {
            self.asks.pop_first();
        }
        self.asks.insert(seen.info.no, Ask::of(seen, agents, calls));
    }
}
