//! Remembers in which state each agent was and since when.

use crate::decode::{FieldValue, MessageView};
use crate::limits;
use crate::protocol::roles;
use crate::record::MessageInfo;
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Tag of AgentID.
const AGENT_ID: u16 = 5;
/// Tag of AgentIDLong.
const AGENT_ID_LONG: u16 = 194;

/// An agent went from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange {
    /// AgentState before.
    pub from: u32,
    /// AgentState now.
    pub to: u32,
    /// Nanoseconds in the state before; negative when the capture's clock went back.
    pub held_nanos: i64,
}

/// An agent as one session sees it. An agent has a state of its own in each media routing domain.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Agent {
    session: u32,
    peripheral: Option<u32>,
    domain: Option<u32>,
    id: Box<[u8]>,
}

/// The last state of every agent, up to [`limits::MAX_AGENTS`]: beyond it the one that was first seen is forgotten.
#[derive(Debug, Default)]
pub struct AgentStates {
    states: HashMap<Arc<Agent>, (u32, Timestamp), RandomState>,
    order: VecDeque<Arc<Agent>>,
}

impl AgentStates {
    /// No agent seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether [`note`](Self::note) can learn anything from this message; decoding others for it is wasted.
    #[must_use]
    pub fn concerns(info: &MessageInfo) -> bool {
        info.message
            .is_some_and(|m| m.number == roles::AGENT_STATE_EVENT)
    }

    /// Takes note of a message, in capture order. The same state again is no change: servers send one event per skill group.
    pub fn note(&mut self, info: &MessageInfo, view: &MessageView<'_>) -> Option<StateChange> {
        if !Self::concerns(info) {
            return None;
        }
        let number = |name| view.fixed_named(name).map(|f| f.number().bits);
        let to = number("AgentState")?;
        let id = view
            .floating()
            .find(|f| matches!(f.tag(), AGENT_ID | AGENT_ID_LONG))?;
        let FieldValue::Text(id) = id.value() else {
            return None;
        };
        if id.is_empty() {
            return None;
        }
        let agent = Agent {
            session: info.peers.session,
            peripheral: number("PeripheralID"),
            domain: number("MRDID"),
            id: id.into(),
        };
        if let Some((state, since)) = self.states.get_mut(&agent) {
            if *state == to {
                return None;
            }
            let change = StateChange {
                from: *state,
                to,
                held_nanos: info.time.nanos_since(*since),
            };
            (*state, *since) = (to, info.time);
            return Some(change);
        }
        if self.order.len() >= limits::MAX_AGENTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.states.remove(&oldest);
        }
        let agent = Arc::new(agent);
        self.order.push_back(Arc::clone(&agent));
        self.states.insert(agent, (to, info.time));
        None
    }
}
