//! Every bound of the report. What is beyond one is counted, and the page says so. Messages have a bound that the user chooses.

/// Sessions that are listed.
pub const MAX_SESSIONS: usize = 1000;

/// Messages in the table beyond the first ones, because findings or calls point at them.
pub const MAX_FURTHER_MESSAGES: usize = 2000;

/// Findings that are shown.
pub const MAX_FINDINGS: usize = 500;

/// Remarks on sessions and on the captures that are listed.
pub const MAX_REMARKS: usize = 200;

/// Agents that are listed.
pub const MAX_AGENTS: usize = 200;

/// States of an agent that are listed.
pub const MAX_PERIODS: usize = 200;

/// States of an agent that contradict the events of calls that are listed.
pub const MAX_ODD: usize = 50;

/// Calls that are listed.
pub const MAX_CALLS: usize = 2000;

/// Names of call data that are listed of a call.
pub const MAX_CALL_VARIABLES: usize = 200;

/// Ladder diagrams that stand in the page as they are, so that they need no script (bytes). Further ones are packed.
pub const MAX_PLAIN_LADDERS: usize = 1024 * 1024;

/// Packed ladder diagrams (bytes).
pub const MAX_LADDERS: usize = 8 * 1024 * 1024;

/// Types of request that are listed with their latencies.
pub const MAX_REQUEST_TYPES: usize = 100;

/// Kinds of failure that are listed.
pub const MAX_FAILURES: usize = 100;

/// Types of message that are listed with their numbers.
pub const MAX_TYPES: usize = 200;

/// Sessions, agents or calls that a finding names.
pub const MAX_NAMED: usize = 24;
