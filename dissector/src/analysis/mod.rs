//! What can be told only by looking at several messages together.

mod agent_states;
pub mod agents;
pub mod calls;
mod seen;
pub mod stats;
mod study;

pub use agent_states::{AgentStates, StateChange};
pub use agents::Agents;
pub use seen::{Analysis, Seen};
pub use stats::Statistics;
pub use study::Study;
