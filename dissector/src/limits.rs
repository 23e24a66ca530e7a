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
/// Size of the buffer through which an open input is read (bytes). One is held per open input.
pub const READ_BUFFER: usize = 1024 * 1024;

/// Size of the buffer used to find the time of an input's first packet (bytes); it grows up to [`MAX_BLOCK`] when needed.
pub const PROBE_BUFFER: usize = 64 * 1024;

/// Largest pcapng block that is looked into (bytes): a packet and room for its options. Larger ones are stepped over.
pub const MAX_BLOCK: usize = MAX_PACKET + 128 * 1024;

/// Most interfaces one pcapng section may describe. Packets of those beyond are skipped as damage.
pub const MAX_INTERFACES: usize = 65_536;

/// Most memory an xz decoder may take, which bounds its dictionary (bytes).
pub const XZ_MEMORY: u64 = 256 * 1024 * 1024;

/// Largest zstd window, as a power of 2 (27: 128 MiB).
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Most bytes of unfinished IP datagrams that are held; the oldest is given up beyond.
pub const FRAGMENT_BYTES: usize = 16 * 1024 * 1024;

/// Most unfinished IP datagrams that are held; the oldest is given up beyond.
pub const FRAGMENT_DATAGRAMS: usize = 4096;

/// How long an unfinished IP datagram is held, in capture time.
pub const FRAGMENT_AGE: std::time::Duration = std::time::Duration::from_secs(30);

/// Most unknown link types that are counted one by one.
pub const UNKNOWN_LINK_TYPES: usize = 32;

/// Largest pcapng block without packets that is stepped over (bytes). A larger length counts as damage.
pub const MAX_SKIPPED_BLOCK: usize = 64 * 1024 * 1024;
