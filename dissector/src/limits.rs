//! Every bound on memory and effort, in one place. Reaching one is reported, never silent.

use std::time::Duration;

/// Largest packet that is read (bytes). Larger records are skipped as damage; the usual snap length is 262,144.
pub const MAX_PACKET: usize = 512 * 1024;

/// Data held for one direction of a connection while a hole before it may still fill (bytes, with [`PIECE_OVERHEAD`] for
/// each piece). Beyond it the hole is reported as a gap.
pub const MAX_STREAM_BUFFER: usize = 256 * 1024;

/// The same over all connections. Beyond it the holes that would be given up soonest are reported as gaps.
pub const MAX_TOTAL_BUFFER: usize = 16 * 1024 * 1024;

/// What a piece of held data costs beside its bytes, so that many tiny pieces are bounded too.
pub const PIECE_OVERHEAD: usize = 128;

/// Connections followed at once. Beyond it the longest idle one is dropped. Being idle alone ends no connection.
pub const MAX_CONNECTIONS: usize = 32_768;

/// Connections of which one side alone was heard, without data (port scans, SYN floods). Beyond it the longest idle of
/// them is dropped, so that they cannot drive out connections that carry something.
pub const MAX_HALF_OPEN: usize = 8_192;

/// Ended connections that are remembered to recognise their late segments.
pub const MAX_ENDED: usize = 4_096;

/// How long (capture time) an ended connection is remembered.
pub const ENDED_MEMORY: Duration = Duration::from_secs(30);

/// Capture time for which a hole that the receiver has acknowledged may still fill: captures merged from several
/// interfaces are slightly out of order.
pub const HOLE_GRACE: Duration = Duration::from_millis(500);

/// The same in captured segments of the connection; whichever is reached first ends the grace.
pub const HOLE_GRACE_SEGMENTS: u64 = 64;

/// Capture time after which a hole is given up without any acknowledgement (captures of one direction only).
pub const HOLE_PATIENCE: Duration = Duration::from_secs(5);

/// Largest step in sequence numbers, forward or back, that one segment may take without being confirmed by another.
pub const MAX_JUMP: u32 = 8 * 1024 * 1024;

/// Capture time for which a segment that would take a larger step waits for another one to confirm it.
pub const SUSPECT_PATIENCE: Duration = Duration::from_secs(300);

/// How far an acknowledgement may be ahead of all captured data and be believed; also how near a late segment must be to
/// an ended connection to count as part of it.
pub const MAX_WINDOW: u32 = 1024 * 1024;
