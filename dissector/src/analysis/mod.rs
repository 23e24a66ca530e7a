//! What can be told only by looking at several messages together.

mod agent_states;

pub use agent_states::{AgentStates, StateChange};
