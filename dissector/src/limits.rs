//! Every bound on memory and effort, in one place. Reaching one is reported, never silent.

/// Largest packet that is read (bytes). Larger records are skipped as damage; the usual snap length is 262,144.
pub const MAX_PACKET: usize = 512 * 1024;

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
