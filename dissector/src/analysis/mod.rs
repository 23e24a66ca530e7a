//! What can be told only by looking at several messages together.

mod agent_states;
pub mod agents;
mod seen;
mod study;

pub use agent_states::{AgentStates, StateChange};
pub use agents::Agents;
pub use seen::{Analysis, Seen};
pub use study::Study;
