//! Every bound on memory and effort, in one place. Reaching one is reported, never silent.

/// Largest packet that is read (bytes). Larger records are skipped as damage; the usual snap length is 262,144.
pub const MAX_PACKET: usize = 512 * 1024;

/// Largest MessageLength that is framed (bytes). The protocol allows 12,492; longer ones are decoded with a finding, but a length
/// beyond this one is taken for nonsense.
pub const MAX_FRAMED_LENGTH: usize = 64 * 1024;

/// Bytes kept while a message boundary is searched (per direction).
pub const MAX_SEARCH: usize = 64 * 1024;

/// Bytes of records that wait until more is known about one of them. Beyond it the oldest are shown as they are.
pub const MAX_HELD_BYTES: usize = 8 * 1024 * 1024;

/// Requests without answer that are remembered over all sessions. Beyond it the oldest are given up.
pub const MAX_OPEN_REQUESTS: usize = 65_536;

/// Messages of a session that wait for its protocol version to be inferred.
pub const MAX_INFERENCE_MESSAGES: u32 = 64;

/// Bytes of both directions in which a connection on a port that says nothing must show that it is CTI.
pub const MAX_PROBE_BYTES: u64 = 32 * 1024;

/// Agents whose last state is remembered for the timeline.
pub const MAX_AGENTS: usize = 65_536;
