//! The handful of messages that mean something to the program itself. All others are data.

use super::MessageType;

/// Refuses a request of any kind.
pub const FAILURE_CONF: MessageType = MessageType(1);
/// Opens a session and states its version.
pub const OPEN_REQ: MessageType = MessageType(3);
/// Grants a session.
pub const OPEN_CONF: MessageType = MessageType(4);
/// Asks whether the server is there.
pub const HEARTBEAT_REQ: MessageType = MessageType(5);
/// Says that it is.
pub const HEARTBEAT_CONF: MessageType = MessageType(6);
/// Ends a session.
pub const CLOSE_REQ: MessageType = MessageType(7);
/// Confirms the end of a session.
pub const CLOSE_CONF: MessageType = MessageType(8);
/// Tells a change of an agent's state.
pub const AGENT_STATE_EVENT: MessageType = MessageType(30);
