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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Decoder;
    use crate::protocol;

    struct Bench {
        states: AgentStates,
        decoder: Decoder,
        now: i64,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                states: AgentStates::new(),
                decoder: Decoder::new(),
                now: 0,
            }
        }

        /// An event of an agent, ten nanoseconds after the one before.
        fn event(&mut self, session: u32, tag: u16, id: &[u8], state: u16) -> Option<StateChange> {
            self.now += 10;
            let message = protocol::message(roles::AGENT_STATE_EVENT).unwrap();
            let layout = message.layout(24).unwrap();
            let mut body = vec![0; usize::from(layout.size)];
            let field = layout.fixed.iter().find(|f| f.name == "AgentState");
            let at = usize::from(field.unwrap().offset);
            body[at..at + 2].copy_from_slice(&state.to_be_bytes());
            body.extend(tag.to_be_bytes());
            body.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
            body.extend(id);
            let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
            bytes.extend(message.number.0.to_be_bytes());
            bytes.extend(body);
            let mut info = MessageInfo {
                time: Timestamp::from_nanos(self.now),
                ..MessageInfo::sample(message.number)
            };
            info.peers.session = session;
            let view = self.decoder.decode_as(&bytes, info.version, Some(message));
            self.states.note(&info, &view)
        }
    }

    #[test]
    fn a_change_tells_how_long_the_state_before_held() {
        let mut bench = Bench::new();
        assert_eq!(bench.event(1, AGENT_ID, b"1001\0", 2), None);
        assert_eq!(bench.event(1, AGENT_ID, b"1001\0", 2), None);
        let change = StateChange {
            from: 2,
            to: 3,
            held_nanos: 20,
        };
        assert_eq!(bench.event(1, AGENT_ID, b"1001\0", 3), Some(change));
        assert_eq!(bench.event(1, AGENT_ID, b"1001\0", 3), None);
    }

    #[test]
    fn agents_and_sessions_are_kept_apart() {
        let mut bench = Bench::new();
        assert_eq!(bench.event(1, AGENT_ID, b"1001\0", 2), None);
        assert_eq!(bench.event(2, AGENT_ID, b"1001\0", 3), None);
        assert_eq!(bench.event(1, AGENT_ID, b"1002\0", 3), None);
        assert_eq!(bench.event(1, AGENT_ID, b"\0", 3), None);
        assert!(bench.event(1, AGENT_ID_LONG, b"1001\0", 3).is_some());
    }

    #[test]
    fn the_agent_seen_first_is_forgotten_beyond_the_limit() {
        let mut bench = Bench::new();
        for agent in 0..=limits::MAX_AGENTS {
            bench.event(1, AGENT_ID, format!("{agent}\0").as_bytes(), 2);
        }
        assert_eq!(bench.states.states.len(), limits::MAX_AGENTS);
        assert_eq!(bench.states.order.len(), limits::MAX_AGENTS);
        assert!(bench.event(1, AGENT_ID, b"1\0", 3).is_some());
        assert_eq!(bench.event(1, AGENT_ID, b"0\0", 3), None);
    }
}
